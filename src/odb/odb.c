/*
 * Opening, laying out and closing a store folder, the rows that say where things lie, and the gate.
 *
 * The gate is an OFD write lock on the file `gate`, one descriptor per handle, behind a mutex of
 * that handle: LMDB has no try-lock, and a failing commit drops LMDB's own lock inside the call. It
 * is polled rather than waited for, so that a time limit holds.
 *
 * Lock order: gate_mutex, the OFD lock, LMDB's writer lock.
 */
#include "odb/odb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/io.h"
#include "base/owner.h"
#include "base/trace.h"
#include "data/hash.h"
#include "odb/tmp.h"

#define FORMAT_MAX 16384
#define LOCK_TIMEOUT_MS 30000

static char *join(const char *a, const char *b)
{
	const size_t n = strlen(a) + strlen(b) + 2;
	char *s = malloc(n);

	if (s)
		snprintf(s, n, "%s/%s", a, b);
	return s;
}

static int open_folder(int dirfd, const char *name, const char *path, int *fd,
	struct store_error *err)
{
	*fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd == -1 ? store_error_sys(err, "cannot open '%s/%s'", path, name) : 0;
}

static int read_format(struct odb *o, struct store_error *err)
{
	struct hash *h = hash_new();
	struct buf text = { 0 };
	int rc = h ? io_read_file(o->fd, "format", FORMAT_MAX, &text, err)
		   : store_error_set(err, STORE_ENOMEM, "out of memory");

	if (rc == 0) {
		rc = format_parse(&o->format, text.data, text.len, h, err);
		if (rc != 0)
			rc = store_error_wrap(err, rc, "cannot open '%s'", o->path);
	}
	hash_free(h);
	buf_release(&text);
	return rc;
}

int odb_open_database(struct odb *o, struct store_error *err)
{
	if (o->env)
		return 0;
	if (access(o->db_path, F_OK) != 0 && errno == ENOENT)
		return store_error_set(err, STORE_ENOTFOUND,
			"the database '%s' is gone; run 'store fsck --rebuild'", o->db_path);
	return env_open_within(&o->env, o->db_path,
		(o->gate_fd == -1 ? ENV_RDONLY : 0) | (o->options.read_only ? ENV_FOREIGN : 0),
		o->options.lock_timeout_ms, err);
}

/*
 * What a copy of a repository may lack, because it tells nothing.  Where it cannot be made, opening
 * it says why.
 */
static void make_lost(struct odb *o)
{
	int fd = openat(o->fd, "gate", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

	owner_give(o->fd, fd);
	io_close(&fd);
	if (mkdirat(o->fd, "tmp", 0777) == 0)
		owner_give_name(o->fd, "tmp");
}

static int open_parts(struct odb *o, struct store_error *err)
{
	int rc;

	o->fd = open(o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->fd == -1)
		return store_error_sys(err, "cannot open '%s'", o->path);
	rc = read_format(o, err);
	if (rc != 0)
		return rc;
	if (o->options.rebuilding)
		make_lost(o);
	if ((rc = open_folder(o->fd, "packs", o->path, &o->packs_fd, err)) != 0 ||
		(rc = open_folder(o->fd, "tmp", o->path, &o->tmp_fd, err)) != 0)
		return rc;
	if (!o->options.read_only) {
		o->gate_fd = openat(o->fd, "gate", O_RDWR | O_CLOEXEC);
		if (o->gate_fd == -1 && errno != EACCES && errno != EROFS)
			return store_error_sys(err, "cannot open '%s/gate'", o->path);
	}
	if (o->gate_fd != -1 && faccessat(o->fd, "tmp", W_OK, AT_EACCESS) == 0)
		tmp_sweep(o->tmp_fd, NULL);
	return o->options.rebuilding ? 0 : odb_open_database(o, err);
}

static struct odb *new_odb(const char *path, const struct odb_options *options)
{
	struct odb *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->fd = o->packs_fd = o->tmp_fd = o->gate_fd = -1;
	pthread_mutex_init(&o->gate_mutex, NULL);
	cache_init(&o->cache, options->cache_bytes);
	o->options = *options;
	if (o->options.lock_timeout_ms == 0)
		o->options.lock_timeout_ms = LOCK_TIMEOUT_MS;
	o->path = strdup(path);
	o->db_path = options->db_dir ? strdup(options->db_dir) : join(path, "db");
	o->options.db_dir = o->db_path;
	if (!o->path || !o->db_path) {
		odb_close(o);
		return NULL;
	}
	return o;
}

int odb_open(struct odb **out, const char *path, const struct odb_options *options,
	struct store_error *err)
{
	struct odb *o = new_odb(path, options);
	int rc;

	*out = NULL;
	if (!o)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = open_parts(o, err);
	if (rc != 0) {
		odb_close(o);
		return rc;
	}
	*out = o;
	return 0;
}

void odb_close(struct odb *o)
{
	if (!o)
		return;
	env_close(o->env);
	cache_release(&o->cache);
	io_close(&o->gate_fd);
	io_close(&o->tmp_fd);
	io_close(&o->packs_fd);
	io_close(&o->fd);
	pthread_mutex_destroy(&o->gate_mutex);
	free(o->db_path);
	free(o->path);
	free(o);
}

static int make_folder(int dirfd, const char *name, const char *path, struct store_error *err)
{
	if (mkdirat(dirfd, name, 0777) == 0)
		owner_give_name(dirfd, name);
	else if (errno != EEXIST)
		return store_error_sys(err, "cannot create '%s/%s'", path, name);
	return 0;
}

/* A file of this text; an earlier try may have left it, or its beginning. */
static int make_file(int dirfd, const char *name, const char *text, const char *path,
	struct store_error *err)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	int rc = 0;

	owner_give(dirfd, fd);
	if (fd == -1 || io_write_full(fd, text, strlen(text)) != 0 || io_sync(fd) != 0)
		rc = store_error_sys(err, "cannot create '%s/%s'", path, name);
	if (io_close(&fd) != 0 && rc == 0)
		rc = store_error_sys(err, "cannot create '%s/%s'", path, name);
	return rc;
}

/* 4 MiB that gc gives up when the disk is full, so that deleting always has room to work. */
static int make_ballast(int dirfd, const char *path, struct store_error *err)
{
	int fd = openat(dirfd, "ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd == -1)
		return store_error_sys(err, "cannot create '%s/ballast'", path);
	owner_give(dirfd, fd);
	if (posix_fallocate(fd, 0, 4 << 20) == ENOSPC)
		rc = store_error_set(err, STORE_ENOSPACE,
			"cannot create '%s/ballast': no space left on device", path);
	io_close(&fd);
	return rc;
}

/* An empty database; its name in db_path is on the disk before `format` says that it is there. */
static int make_database(const char *db_path, struct store_error *err)
{
	struct env *env;
	int fd, rc = env_open(&env, db_path, ENV_NEW, err);

	if (rc != 0)
		return rc;
	env_close(env);
	fd = open(db_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || io_sync(fd) != 0)
		rc = store_error_sys(err, "cannot sync '%s'", db_path);
	io_close(&fd);
	return rc;
}

static int make_parts(int fd, const char *path, const char *db_path, struct store_error *err)
{
	static const char *const folders[] = { "packs", "index", "tmp", "db" };
	int rc = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && rc == 0; i++)
		rc = make_folder(fd, folders[i], path, err);
	if (rc == 0)
		rc = make_file(fd, "gate", "", path, err);
	if (rc == 0)
		rc = make_file(fd, "refs.log", "store refs 1\n", path, err);
	if (rc == 0)
		rc = make_ballast(fd, path, err);
	return rc == 0 ? make_database(db_path, err) : rc;
}

int odb_create(const char *path, struct store_format *format, const char *db_dir,
	struct store_error *err)
{
	char *db_path = db_dir ? strdup(db_dir) : join(path, "db");
	struct hash *h = hash_new();
	struct buf text = { 0 };
	int fd = -1, rc;

	if (!db_path || !h) {
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
		goto out;
	}
	if (mkdir(path, 0777) != 0 && errno != EEXIST) {
		rc = store_error_sys(err, "cannot create '%s'", path);
		goto out;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		rc = store_error_sys(err, "cannot open '%s'", path);
		goto out;
	}
	rc = make_parts(fd, path, db_path, err);
	if (rc == 0)
		rc = format_encode(&text, format, h, err);
	/*
	 * The file `format` makes it a repository: an init that was cut short before leaves none.
	 */
	if (rc == 0)
		rc = io_replace(fd, "format", "format.new", text.data, text.len, 0444, err);
out:
	io_close(&fd);
	hash_free(h);
	buf_release(&text);
	free(db_path);
	return rc;
}

const char *odb_path(const struct odb *o)
{
	return o->path;
}

const struct store_format *odb_format(const struct odb *o)
{
	return &o->format;
}

struct env *odb_env(struct odb *o)
{
	return o->env;
}

const struct odb_options *odb_options_of(const struct odb *o)
{
	return &o->options;
}

int odb_fd(const struct odb *o)
{
	return o->fd;
}

int odb_packs_fd(const struct odb *o)
{
	return o->packs_fd;
}

int odb_tmp_fd(const struct odb *o)
{
	return o->tmp_fd;
}

void odb_row_encode(uint8_t row[ODB_ROW_LEN], const struct odb_loc *loc)
{
	le64_put(row, loc->pack);
	le32_put(row + 8, loc->block_off);
	le32_put(row + 12, loc->block_len);
	le32_put(row + 16, loc->off);
	le32_put(row + 20, loc->len | (uint32_t)loc->kind << 24);
}

int odb_row_decode(const void *row, size_t len, struct odb_loc *loc, struct store_error *err)
{
	const uint8_t *p = row;

	if (len != ODB_ROW_LEN)
		return store_error_set(err, STORE_ECORRUPT,
			"row of table 'objects' is malformed; run 'store fsck --rebuild'");
	loc->pack = le64_get(p);
	loc->block_off = le32_get(p + 8);
	loc->block_len = le32_get(p + 12);
	loc->off = le32_get(p + 16);
	loc->len = le32_get(p + 20) & 0xffffff;
	loc->kind = p[23];
	return 0;
}

void odb_pack_row_encode(uint8_t row[ODB_PACK_ROW_LEN], const struct odb_pack_row *p)
{
	memcpy(row, p->random, 16);
	le64_put(row + 16, p->size);
	le32_put(row + 24, p->objects);
	le32_put(row + 28, p->flags);
}

int odb_pack_row_decode(const void *row, size_t len, struct odb_pack_row *p,
	struct store_error *err)
{
	const uint8_t *b = row;

	if (len != ODB_PACK_ROW_LEN)
		return store_error_set(err, STORE_ECORRUPT,
			"row of table 'packs' is malformed; run 'store fsck --rebuild'");
	memcpy(p->random, b, 16);
	p->size = le64_get(b + 16);
	p->objects = le32_get(b + 24);
	p->flags = le32_get(b + 28);
	return 0;
}

void odb_counts(struct odb *o, struct odb_counts *out)
{
	out->blocks = __atomic_load_n(&o->counted_blocks, __ATOMIC_RELAXED);
	out->bytes = __atomic_load_n(&o->counted_bytes, __ATOMIC_RELAXED);
	out->nodes = __atomic_load_n(&o->counted_nodes, __ATOMIC_RELAXED);
}

static int gate_busy(struct odb *o, struct store_error *err)
{
	return store_error_set(err, STORE_EBUSY,
		"cannot write to '%s': another command is writing (waited %u ms); try again",
		o->path, o->options.lock_timeout_ms);
}

static int lock_gate_file(struct odb *o, int64_t until, struct store_error *err)
{
	long pause_ns = 200000;

	for (;;) {
		const int rc = io_lock_try(o->gate_fd, true);

		if (rc == 0)
			return 0;
		if (rc < 0)
			return store_error_sys(err, "cannot lock '%s/gate'", o->path);
		if (clock_mono_ns() >= until)
			return gate_busy(o, err);
		nanosleep(&(struct timespec){ 0, pause_ns }, NULL);
		if (pause_ns < 10000000)
			pause_ns *= 2;
	}
}

/*
 * The gate file.  When another process made db/ anew meanwhile, what we have open is no longer in
 * the folder: our look would take what was published since for orphans.
 */
static int take_gate(struct odb *o, int64_t until, struct store_error *err)
{
	const int rc = lock_gate_file(o, until, err);

	if (rc != 0 || !o->env || env_is_current(o->env))
		return rc;
	io_unlock(o->gate_fd);
	return store_error_set(err, STORE_EBUSY,
		"the database of '%s' was made anew meanwhile; run the command again", o->path);
}

int odb_gate_lock(struct odb *o, struct store_error *err)
{
	const int64_t until = clock_mono_ns() + (int64_t)o->options.lock_timeout_ms * 1000000;
	struct timespec deadline;
	int rc;

	if (o->gate_fd == -1)
		return store_error_set(err, STORE_EDENIED,
			"cannot write to '%s': it is read-only for this user", o->path);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += o->options.lock_timeout_ms / 1000 + 1;
	if (pthread_mutex_timedlock(&o->gate_mutex, &deadline) != 0)
		return gate_busy(o, err);
	rc = take_gate(o, until, err);
	if (rc != 0)
		pthread_mutex_unlock(&o->gate_mutex);
	return rc;
}

int odb_gate_try(struct odb *o, struct store_error *err)
{
	int rc;

	if (o->gate_fd == -1)
		return store_error_set(err, STORE_EDENIED,
			"cannot write to '%s': it is read-only for this user", o->path);
	if (pthread_mutex_trylock(&o->gate_mutex) != 0)
		return gate_busy(o, err);
	rc = take_gate(o, 0, err);
	if (rc != 0)
		pthread_mutex_unlock(&o->gate_mutex);
	return rc;
}

void odb_gate_unlock(struct odb *o)
{
	io_unlock(o->gate_fd);
	pthread_mutex_unlock(&o->gate_mutex);
}
