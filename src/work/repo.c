/*
 * Opening a repository: settings, ownership, the object database, and whether its init was ever
 * finished.
 *
 * Ownership. A repository of another user may be read, and nothing that its file config names is
 * run. It is judged by the owner of the store folder. Root who came by sudo is the one who called
 * it. safe.directory excuses a folder, and is only believed from the flag and the user's own file.
 * A core.dbDir that another user's config names must be that user's own folder: a database is
 * opened for writing (readers leave their mark), and nobody shall lead root elsewhere.
 *
 * HEAD is written by the first publication, after the file format. Without it either init was cut
 * short, or db/ was lost: refs.log tells which, because only the latter has published more than
 * once.
 */
#include "work/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/quote.h"
#include "data/codec.h"
#include "data/format.h"
#include "data/refslog.h"
#include "graph/closure.h"
#include "graph/rev.h"
#include "odb/publish.h"
#include "work/options.h"
#include "work/repo_internal.h"

#define LEVEL_MAX 19

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- ownership */

/* Does the value of safe.directory mean the folder?  1 yes, -1 forget what stands before, 0 no. */
static int match_safe(void *ctx, const char *text)
{
	const char *folder = ctx, *home = getenv("HOME");
	size_t n;

	if (*text == '\0')
		return -1;
	if (strcmp(text, "*") == 0)
		return 1;
	if (strncmp(text, "~/", 2) == 0 && home) {
		folder = operand_below(home, folder);
		text += 2;
		if (!folder)
			return 0;
	}
	n = strlen(text);
	if (n >= 2 && strcmp(text + n - 2, "/*") == 0)
		return strncmp(folder, text, n - 1) == 0;
	while (n > 1 && text[n - 1] == '/')
		n--;
	return strlen(folder) == n && memcmp(folder, text, n) == 0;
}

static bool is_owner(uid_t owner)
{
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	uint64_t uid;

	if (owner == geteuid())
		return true;
	return sudo && text_parse_u64(text_slice_of(sudo), UINT32_MAX, &uid) && owner == (uid_t)uid;
}

int repo_judge_owner(const struct discovery *found, struct config *config, uid_t *owner,
	bool *foreign, struct store_error *err)
{
	struct stat st;

	if (stat(found->store_dir, &st) != 0)
		return store_error_sys(err, "cannot open '%s'", found->store_dir);
	*owner = st.st_uid;
	*foreign = !is_owner(st.st_uid) &&
		config_each(config, "safe.directory", match_safe, found->work_tree) != 1;
	if (*foreign)
		config_distrust(config);
	return 0;
}

int repo_refuse_foreign(const char *work_tree, struct store_error *err)
{
	return store_error_set(err, STORE_EDENIED,
		"the repository '%s' belongs to another user: it can only be read, unless your own configuration names it in safe.directory",
		work_tree);
}

int repo_check_writable(struct store_repo *repo, struct store_error *err)
{
	return repo->foreign ? repo_refuse_foreign(repo->work_tree, err)
			     : format_check_writable(odb_format(repo->odb), err);
}

/* ---- settings */

static int set_codec(const struct store_repo *repo, struct odb_options *o, struct store_error *err)
{
	static const char *const words[] = { "none", "zlib", "zstd", NULL };
	uint64_t level = 0, plain = 0;
	size_t word = 0;
	int rc = config_word(repo->config, "core.codec", words, &word, err);

	if (rc == 0)
		rc = config_number(repo->config, "core.codecLevel", &level, err);
	if (rc == 0)
		rc = config_size(repo->config, "performance.compression_threshold", &plain, err);
	if (rc != 0)
		return rc;
	o->codec.codec = (enum codec)codec_parse(words[word]);
	if (level > (o->codec.codec == CODEC_ZLIB ? 9 : LEVEL_MAX))
		return store_error_set(err, STORE_EINVAL,
			"core.codecLevel %llu is too great for %s", (unsigned long long)level,
			words[word]);
	o->codec.level = (int)level;
	o->codec.plain_max = plain;
	return 0;
}

/* core.dbDir, relative to the store folder; *out stays NULL when it is not set. */
static int set_db_dir(const struct store_repo *repo, uid_t owner, bool is_rebuild, char **out,
	struct store_error *err)
{
	const char *text = config_text(repo->config, "core.dbDir");
	struct buf path = { 0 };
	struct stat st;

	if (!text || !*text)
		return 0;
	if (text[0] == '/')
		buf_add_str(&path, text);
	else
		buf_addf(&path, "%s/%s", repo->store_dir, text);
	/* A rebuild puts a suffix to it. */
	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	*out = buf_str(&path);
	if (path.failed || !*out) {
		buf_release(&path);
		*out = NULL;
		return out_of_memory(err);
	}
	if (stat(*out, &st) != 0) {
		/* A rebuild makes it anew. */
		if (is_rebuild && errno == ENOENT && !repo->foreign)
			return 0;
		return store_error_sys(err, "cannot open '%s' (core.dbDir)", *out);
	}
	if (repo->foreign && st.st_uid != owner)
		return store_error_set(err, STORE_EDENIED,
			"cannot use '%s' (core.dbDir): the repository of another user may only name a folder of that user",
			*out);
	return 0;
}

static int set_options(struct store_repo *repo, uid_t owner, struct odb_options *o, char **db_dir,
	struct store_error *err)
{
	static const char *const modes[] = { "none", "times", "posix", NULL };
	uint64_t timeout = 0, threads = 0, cache = 0, batch = 0;
	size_t mode = METADATA_TIMES;
	int rc = config_word(repo->config, "core.metadata", modes, &mode, err);

	repo->metadata = (enum metadata_mode)mode;
	if (rc == 0)
		rc = config_bool(repo->config, "core.trustctime", &repo->trust_ctime, err);
	if (rc == 0)
		rc = config_number(repo->config, "performance.threads", &threads, err);
	if (rc == 0)
		rc = config_duration_ms(repo->config, "core.lockTimeout", &timeout, err);
	if (rc == 0)
		rc = config_number(repo->config, "performance.batch_size", &batch, err);
	if (rc == 0)
		rc = config_size(repo->config, "performance.buffer_size", &repo->read_bytes, err);
	if (rc == 0)
		rc = config_size(repo->config, "performance.max_memory_usage", &repo->pool_bytes,
			err);
	if (rc == 0)
		rc = config_size(repo->config, "performance.chunk_cache_size", &cache, err);
	if (rc == 0)
		rc = set_codec(repo, o, err);
	if (rc == 0)
		rc = set_db_dir(repo, owner, o->rebuilding, db_dir, err);
	if (repo->threads == 0)
		repo->threads = threads < 1024 ? (unsigned int)threads : 1024;
	/* For the object database 0 means the usual; who asks for none gets the least. */
	o->lock_timeout_ms = timeout == 0 ? 1 : timeout > INT_MAX ? INT_MAX : (unsigned int)timeout;
	repo->batch_files = (unsigned int)batch;
	o->cache_bytes = cache > 0 ? (size_t)cache : 1;
	o->db_dir = *db_dir;
	return rc;
}

/* ---- opening */

static char *copy_prefix(const struct discovery *d)
{
	const char *below = operand_below(d->work_tree, d->start);

	return strdup(below ? below : "");
}

static int fill_paths(struct repo_handle *h, const struct discovery *d, struct store_error *err)
{
	struct store_repo *repo = &h->repo;

	h->start = strdup(d->start);
	repo->work_tree = strdup(d->work_tree);
	repo->store_dir = strdup(d->store_dir);
	repo->prefix = copy_prefix(d);
	if (!h->start || !repo->work_tree || !repo->store_dir || !repo->prefix)
		return out_of_memory(err);
	repo->work_fd = open(repo->work_tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (repo->work_fd == -1 && errno == EACCES)
		repo->work_fd = open(repo->work_tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return repo->work_fd == -1 ? store_error_sys(err, "cannot open '%s'", repo->work_tree) : 0;
}

static int check_format(const struct store_repo *repo, struct store_error *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/format", repo->store_dir) < (int)sizeof(path) &&
		access(path, F_OK) != 0 && errno == ENOENT)
		return store_error_set(err, STORE_ENOTFOUND,
			"'%s' is no repository: it has no file 'format'; if 'store init' was cut short there, run it again",
			repo->store_dir);
	return 0;
}

static int open_database(struct store_repo *repo, const struct discovery *found, unsigned int flags,
	struct store_error *err)
{
	struct odb_options options = { .rebuilding = flags & REPO_REBUILD };
	char *db_dir = NULL;
	uid_t owner = 0;
	int rc = repo_judge_owner(found, repo->config, &owner, &repo->foreign, err);

	if (rc == 0)
		rc = set_options(repo, owner, &options, &db_dir, err);
	options.read_only = repo->foreign;
	if (rc == 0)
		rc = odb_open(&repo->odb, repo->store_dir, &options, err);
	free(db_dir);
	if (rc != 0)
		return rc;
	repo->reader = odb_reader_new(repo->odb);
	return repo->reader ? 0 : out_of_memory(err);
}

/* The number of the last record of refs.log; 0 when it has none. */
static int last_logged(struct store_repo *repo, uint64_t *number, struct store_error *err)
{
	struct refslog_tail tail = { 0 };
	int fd = openat(odb_fd(repo->odb), "refs.log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc;

	if (fd == -1)
		return store_error_sys(err, "cannot open '%s/refs.log'", repo->store_dir);
	rc = refslog_read_tail(&tail, fd, err);
	*number = tail.last_number;
	io_close(&fd);
	return rc;
}

int repo_check_head(struct store_repo *repo, struct store_error *err)
{
	char value[REFS_VALUE];
	struct env_txn *txn;
	uint64_t number = 0;
	int rc = env_begin(odb_env(repo->odb), false, &txn, err);

	if (rc != 0)
		return rc;
	rc = refs_get(txn, "HEAD", value, err);
	env_abort(txn);
	if (rc != STORE_ENOTFOUND)
		return rc;
	rc = last_logged(repo, &number, err);
	if (rc != 0)
		return rc;
	if (number > 1)
		return store_error_set(err, STORE_ECORRUPT,
			"the database of '%s' has lost its refs; run 'store fsck --rebuild'",
			repo->store_dir);
	return store_error_set(err, STORE_ENOTFOUND,
		"'%s' is not finished: 'store init' was cut short there; run it again",
		repo->store_dir);
}

int repo_open(struct store_repo **out, const struct discovery *found,
	const struct store_open_options *options, unsigned int flags, struct store_error *err)
{
	struct repo_handle *h = calloc(1, sizeof(*h));
	struct store_repo *repo = h ? &h->repo : NULL;
	int rc;

	*out = NULL;
	if (!h)
		return out_of_memory(err);
	repo->work_fd = -1;
	repo->threads = options->threads;
	publish_set_closure(closure_check);
	rc = fill_paths(h, found, err);
	if (rc == 0)
		rc = check_format(repo, err);
	if (rc == 0)
		rc = config_load(&repo->config, options->config, repo->store_dir, err);
	if (rc == 0)
		rc = open_database(repo, found, flags, err);
	if (rc == 0 && options->write)
		rc = repo_check_writable(repo, err);
	if (rc == 0 && !(flags & (REPO_REBUILD | REPO_UNFINISHED)))
		rc = repo_check_head(repo, err);
	if (rc != 0) {
		store_close(repo);
		return rc;
	}
	*out = repo;
	return 0;
}

static int find_and_open(struct store_repo **out, const struct store_open_options *options,
	unsigned int flags, struct store_error *err)
{
	static const struct store_open_options none;
	const struct store_open_options *o = options ? options : &none;
	const char *store_dir = o->store_dir ? o->store_dir : getenv("STORE_DIR");
	struct discovery found;
	int rc = options_check(options, "store_open_options", err);

	*out = NULL;
	if (rc != 0)
		return rc;
	rc = discover_repository(&found, o->start, store_dir && *store_dir ? store_dir : NULL, err);
	if (rc == 0)
		rc = repo_open(out, &found, o, flags, err);
	discover_release(&found);
	return rc;
}

int store_open(struct store_repo **out, const struct store_open_options *options,
	struct store_error *err)
{
	return find_and_open(out, options, 0, err);
}

int store_open_for_rebuild(struct store_repo **out, const struct store_open_options *options,
	struct store_error *err)
{
	return find_and_open(out, options, REPO_REBUILD, err);
}

void store_close(struct store_repo *repo)
{
	struct repo_handle *h = (struct repo_handle *)repo;

	if (!repo)
		return;
	odb_reader_free(repo->reader);
	odb_close(repo->odb);
	config_free(repo->config);
	io_close(&repo->work_fd);
	free(repo->work_tree);
	free(repo->store_dir);
	free(repo->prefix);
	free(h->start);
	free(h);
}

/* ---- what a handle tells */

const char *store_version(void)
{
	return STORE_VERSION;
}

const char *store_work_tree(const struct store_repo *repo)
{
	return repo->work_tree;
}

const char *store_dir(const struct store_repo *repo)
{
	return repo->store_dir;
}

const char *store_prefix(const struct store_repo *repo)
{
	return repo->prefix;
}

int store_config_get(const struct store_repo *repo, const char *key, char **out_value,
	struct store_error *err)
{
	const char *text = config_text(repo->config, key);

	*out_value = NULL;
	if (!text)
		return store_error_set(err, STORE_ENOTFOUND, "%s is not set", key);
	*out_value = strdup(text);
	return *out_value ? 0 : out_of_memory(err);
}

int repo_read_commit(struct store_repo *repo, const struct oid *id, struct buf *data,
	struct commit *out, struct store_error *err)
{
	const struct node_source src = repo_nodes(repo);

	return rev_read_commit(&src, id, data, out, err);
}

int repo_read_layer(struct store_repo *repo, const struct oid *id, struct layer *out,
	struct store_error *err)
{
	const struct node_source src = repo_nodes(repo);

	return rev_read_layer(&src, id, out, err);
}
