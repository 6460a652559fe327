/*
 * Making a repository, in steps of which each may be the last one before a crash:
 *
 *   1. `config`, which says where the database is
 *   2. folders, an empty refs.log, an empty database (odb_create)
 *   3. `format`: now it is a repository, though an unfinished one
 *   4. the first publication: HEAD and an empty stage
 *
 * Without `format`, init begins again at 1; without HEAD, at 4. A folder that has lost its `format`
 * but holds packs or a log with records is left alone: that is a repository to be repaired.
 *
 * Of several at once one does 1 to 3, under a lock (flock) on .store, and the others find it done;
 * one does 4, by the gate. What is made is synced, and so is each folder in which it stands.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/io.h"
#include "base/owner.h"
#include "base/quote.h"
#include "data/hash.h"
#include "data/refname.h"
#include "data/refslog.h"
#include "graph/stage.h"
#include "odb/publish.h"
#include "work/init_internal.h"
#include "work/options.h"
#include "work/repo_internal.h"

static const char config_head[] =
	"# Settings of this repository: [section], and below it lines key = value.\n";

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- the folder */

/*
 * Make path and the folders above it. Those above may be there and beyond our rights: only the last
 * one is judged.
 */
static int make_folders(const char *path, struct store_error *err)
{
	char *copy = strdup(path), shown[250];
	int rc = 0;

	if (!copy)
		return out_of_memory(err);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (owner_mkdir(copy) == 0 && io_sync_above(copy) != 0)
			rc = -1;
		*slash = '/';
	}
	if (rc != 0)
		rc = store_error_sys(err, "cannot sync the folders above '%s'",
			quote_msg(shown, sizeof(shown), path, strlen(path)));
	if (rc == 0 && owner_mkdir(copy) != 0 && errno != EEXIST)
		rc = store_error_sys(err, "cannot create '%s'",
			quote_msg(shown, sizeof(shown), path, strlen(path)));
	free(copy);
	return rc;
}

static int find_place(struct discovery *d, const char *dir, struct store_error *err)
{
	char shown[250];
	struct buf path = { 0 };
	int rc = dir && *dir ? make_folders(dir, err) : 0;

	if (rc != 0)
		return rc;
	d->start = discover_real_path(dir && *dir ? dir : NULL);
	if (!d->start)
		return store_error_sys(err, "cannot open '%s'",
			quote_msg(shown, sizeof(shown), dir ? dir : ".", strlen(dir ? dir : ".")));
	buf_addf(&path, "%s/.store", strcmp(d->start, "/") == 0 ? "" : d->start);
	d->store_dir = buf_str(&path);
	d->work_tree = strdup(d->start);
	if (path.failed || !d->store_dir || !d->work_tree) {
		if (!d->store_dir)
			buf_release(&path);
		return out_of_memory(err);
	}
	return 0;
}

static bool has_file(const char *folder, const char *name)
{
	struct stat st;
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const bool there = fd != -1 && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	io_close(&fd);
	return there;
}

/* Is anything in packs/, or in refs.log behind its first line? */
static bool holds_content(int fd)
{
	int packs = openat(fd, "packs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = packs == -1 ? NULL : fdopendir(packs);
	const struct dirent *e;
	struct stat st;
	bool found = fstatat(fd, "refs.log", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_size > (off_t)strlen(REFSLOG_HEAD);

	if (!dir) {
		io_close(&packs);
		return found;
	}
	while (!found && (e = readdir(dir)) != NULL)
		found = e->d_name[0] != '.';
	closedir(dir);
	return found;
}

static int check_empty(const char *store_dir, struct store_error *err)
{
	int fd = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return store_error_sys(err, "cannot open '%s'", store_dir);
	if (holds_content(fd))
		rc = store_error_set(err, STORE_ECORRUPT,
			"'%s' has lost its file 'format' but holds content: put the file back, init would empty the log",
			store_dir);
	io_close(&fd);
	return rc;
}

/* ---- making it */

/* Refuse what the format cannot hold before anything is on the disk. */
static int check_format(struct store_format *f, struct store_error *err)
{
	struct hash *h = hash_new();
	struct buf text = { 0 };
	int rc = h ? format_encode(&text, f, h, err) : out_of_memory(err);

	hash_free(h);
	buf_release(&text);
	return rc == 0 ? 0 : store_error_wrap(err, rc, "cannot cut content so");
}

/* The folder that core.dbDir names, made if need be; it must hold no database yet. */
static int prepare_db_dir(const char *store_dir, const char *text, struct buf *path,
	struct store_error *err)
{
	struct stat st;

	if (!text || !*text)
		return 0;
	buf_addf(path, "%s%s%s", text[0] == '/' ? "" : store_dir, text[0] == '/' ? "" : "/", text);
	if (!buf_str(path))
		return out_of_memory(err);
	if (owner_mkdir((const char *)path->data) != 0 && errno != EEXIST)
		return store_error_sys(err, "cannot create '%s'", (const char *)path->data);
	if (io_sync_above((const char *)path->data) != 0)
		return store_error_sys(err, "cannot sync the folder of '%s'",
			(const char *)path->data);
	buf_add_str(path, "/data.mdb");
	if (!buf_str(path))
		return out_of_memory(err);
	if (stat((const char *)path->data, &st) == 0 && !has_file(store_dir, "gate"))
		return store_error_set(err, STORE_EEXISTS,
			"'%s' (core.dbDir) is the database of another repository",
			(const char *)path->data);
	path->len -= strlen("/data.mdb");
	return buf_str(path) ? 0 : out_of_memory(err);
}

/* The value of HEAD. */
static int name_branch(const struct config *c, const struct store_init_options *o,
	struct buf *value, struct store_error *err)
{
	const char *name = o->branch ? o->branch : config_text(c, "init.defaultBranch");
	struct buf full = { 0 };
	int rc = refname_full(&full, REFNAME_HEADS, name, strlen(name), err);

	if (rc == 0) {
		buf_add_str(value, "ref:");
		buf_add(value, full.data, full.len);
		rc = buf_str(value) ? buf_check(value, err) : out_of_memory(err);
	}
	buf_release(&full);
	return rc;
}

/* The file config, unless it is there: a comment, and where the database is. */
static int write_config(const char *store_dir, const struct config *c, struct store_error *err)
{
	const char *db_dir = config_text(c, "core.dbDir");
	struct buf head = { 0 }, text = { 0 };
	int fd = -1, rc;

	if (has_file(store_dir, "config"))
		return 0;
	buf_add_str(&head, config_head);
	rc = buf_check(&head, err);
	if (rc == 0 && db_dir && *db_dir)
		rc = config_edit_set("config", &head, "core.dbDir", db_dir, false, &text, err);
	else if (rc == 0 && buf_set(&text, head.data, head.len) != 0)
		rc = out_of_memory(err);
	if (rc == 0 && (fd = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		rc = store_error_sys(err, "cannot open '%s'", store_dir);
	if (rc == 0)
		rc = io_replace(fd, "config", "config.new", text.data, text.len, 0666, err);
	io_close(&fd);
	buf_release(&head);
	buf_release(&text);
	return rc;
}

static int check_db_dir(const struct config *c, struct store_error *err)
{
	const char *text = config_text(c, "core.dbDir");

	if (!text || !strpbrk(text, "\n\r\""))
		return 0;
	return store_error_set(err, STORE_EINVAL,
		"core.dbDir holds what a line of 'config' cannot");
}

/* Everything that can be refused is, before anything is on the disk. Caller frees *config. */
static int check_wishes(const struct store_init_options *o, struct config **config,
	struct store_format *format, struct store_error *err)
{
	struct buf branch = { 0 };
	int rc = config_load(config, o->config, NULL, err);

	if (rc == 0)
		rc = init_format(*config, o->chunk_average, format, err);
	if (rc == 0)
		rc = check_format(format, err);
	if (rc == 0)
		rc = name_branch(*config, o, &branch, err);
	if (rc == 0)
		rc = check_db_dir(*config, err);
	buf_release(&branch);
	return rc;
}

/* Where dir is yet to be made, what make_store will refuse is refused before. */
static int check_new(const char *dir, const struct store_init_options *o, struct store_error *err)
{
	struct store_format format;
	struct config *config = NULL;
	int rc = 0;

	if (dir && *dir && access(dir, F_OK) != 0 && errno == ENOENT)
		rc = check_wishes(o, &config, &format, err);
	config_free(config);
	return rc;
}

/* The folder .store, on the disk. */
static int make_folder(const struct discovery *d, struct store_error *err)
{
	if (owner_mkdir(d->store_dir) != 0 && errno != EEXIST)
		return store_error_sys(err, "cannot create '%s'", d->store_dir);
	if (io_sync_above(d->store_dir) != 0 || io_sync_above(d->start) != 0)
		return store_error_sys(err, "cannot sync the folder of '%s'", d->store_dir);
	return 0;
}

/* Be the only one who makes something in it; the lock ends with *fd. */
static int lock_folder(const char *store_dir, const struct config *c, int *fd,
	struct store_error *err)
{
	uint64_t wait;
	int rc = config_duration_ms(c, "core.lockTimeout", &wait, err);

	if (rc != 0)
		return rc;
	*fd = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd == -1)
		return store_error_sys(err, "cannot open '%s'", store_dir);
	rc = io_flock(*fd, wait > INT_MAX ? INT_MAX : (unsigned int)wait);
	if (rc < 0)
		return store_error_sys(err, "cannot lock '%s'", store_dir);
	return rc == 0
		? 0
		: store_error_set(err, STORE_EBUSY,
			  "cannot make '%s': another command is making it; try again", store_dir);
}

static int make_parts(const char *store_dir, const struct config *config,
	struct store_format *format, struct store_error *err)
{
	struct buf db_dir = { 0 };
	int rc = check_empty(store_dir, err);

	if (rc == 0)
		rc = prepare_db_dir(store_dir, config_text(config, "core.dbDir"), &db_dir, err);
	if (rc == 0)
		rc = write_config(store_dir, config, err);
	if (rc == 0)
		rc = odb_create(store_dir, format,
			db_dir.len > 0 ? (const char *)db_dir.data : NULL, err);
	buf_release(&db_dir);
	return rc;
}

static int make_store(const struct discovery *d, const struct store_init_options *o,
	struct store_error *err)
{
	struct store_format format;
	struct config *config = NULL;
	int lock = -1;
	int rc = check_wishes(o, &config, &format, err);

	if (rc == 0)
		rc = make_folder(d, err);
	if (rc == 0)
		rc = lock_folder(d->store_dir, config, &lock, err);
	/* Another may have made it while we waited. */
	if (rc == 0 && !has_file(d->store_dir, "format"))
		rc = make_parts(d->store_dir, config, &format, err);
	io_close(&lock);
	config_free(config);
	return rc;
}

/* ---- the first publication */

static int apply_first(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	const int rc = stage_create(txn, err);

	return rc == 0 ? refs_update_apply(ctx, txn, number, err) : rc;
}

static int log_first(void *ctx, uint64_t number, struct buf *out, struct store_error *err)
{
	return refs_update_log(ctx, number, out, err);
}

static int publish_head(struct store_repo *repo, const struct store_init_options *o,
	struct store_error *err)
{
	struct refs_update *update = calloc(1, sizeof(*update));
	struct publication p = { .apply = apply_first, .log = log_first, .ctx = update };
	struct buf value = { 0 }, who = { 0 };
	int rc = update ? 0 : out_of_memory(err);

	if (rc == 0)
		rc = name_branch(repo->config, o, &value, err);
	if (rc == 0)
		rc = identity_for_log(repo, &who, &update->who, err);
	if (rc == 0)
		rc = refs_update_add(update, "HEAD", "-", (const char *)value.data, err);
	if (rc == 0) {
		snprintf(update->why, sizeof(update->why), "init");
		rc = publish(repo->odb, &p, NULL, err);
	}
	buf_release(&value);
	buf_release(&who);
	free(update);
	return rc;
}

/* ---- a repository that is there */

static bool same_chunking(const struct store_format *a, const struct store_format *b)
{
	bool same = a->avg == b->avg && a->class_count == b->class_count;

	for (size_t i = 0; same && i < a->class_count; i++)
		same = a->classes[i].below == b->classes[i].below &&
			a->classes[i].avg == b->classes[i].avg;
	return same;
}

static bool asks_by_flag(const struct config *c)
{
	static const char *const keys[] = { "chunking.average", "chunking.small_file_chunk_size",
		"chunking.medium_file_chunk_size", "chunking.large_file_chunk_size",
		"chunking.huge_file_chunk_size", "chunking.small_file_threshold",
		"chunking.medium_file_threshold", "chunking.huge_file_threshold" };
	struct config_value v;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (config_find(c, keys[i], &v) && v.level == CONFIG_FLAG)
			return true;
	}
	return false;
}

/* Chunk sizes asked for now must be those it has; what files say was for another time. */
static int check_chunking(const struct store_repo *repo, const struct store_init_options *o,
	struct store_error *err)
{
	const struct store_format *has = odb_format(repo->odb);
	struct store_format wanted;
	bool same = o->chunk_average == 0 || o->chunk_average == has->avg;

	if (same && asks_by_flag(repo->config)) {
		const int rc = init_format(repo->config, o->chunk_average, &wanted, err);

		if (rc != 0)
			return rc;
		same = same_chunking(&wanted, has);
	}
	if (same)
		return 0;
	return store_error_set(err, STORE_EEXISTS,
		"'%s' is a repository with other chunk sizes (%u bytes on average): they cannot be changed",
		repo->store_dir, has->avg);
}

/* Open what has a `format`; finish it when it has no HEAD. */
static int finish(const struct discovery *d, const struct store_init_options *o, bool *existed,
	struct store_error *err)
{
	const struct store_open_options open_options = { .config = o->config };
	struct store_repo *repo = NULL;
	int rc = repo_open(&repo, d, &open_options, REPO_UNFINISHED, err);

	if (rc != 0)
		return rc;
	rc = check_chunking(repo, o, err);
	if (rc == 0) {
		rc = repo_check_head(repo, err);
		*existed = rc == 0;
	}
	if (rc == STORE_ENOTFOUND) {
		store_error_clear(err);
		rc = repo_check_writable(repo, err);
		if (rc == 0)
			rc = publish_head(repo, o, err);
	}
	/* Another finished it meanwhile. */
	if (rc == STORE_EBUSY && repo_check_head(repo, NULL) == 0) {
		store_error_clear(err);
		*existed = true;
		rc = 0;
	}
	store_close(repo);
	return rc;
}

int store_init(const char *dir, const struct store_init_options *options,
	struct store_init_result *result, struct store_error *err)
{
	static const struct store_init_options none;
	const struct store_init_options *o = options ? options : &none;
	struct discovery d = { 0 };
	bool existed = false;
	int rc = options_check(options, "store_init_options", err);

	if (rc == 0)
		rc = check_new(dir, o, err);
	if (rc == 0)
		rc = find_place(&d, dir, err);
	assert(rc != 0 || d.store_dir);
	if (rc == 0 && !has_file(d.store_dir, "format"))
		rc = make_store(&d, o, err);
	if (rc == 0)
		rc = finish(&d, o, &existed, err);
	if (rc == 0 && result) {
		*result = (struct store_init_result){ .existed = existed };
		result->inside = discover_is_inside(d.start);
		snprintf(result->path, sizeof(result->path), "%s", d.store_dir);
	}
	discover_release(&d);
	return rc;
}
