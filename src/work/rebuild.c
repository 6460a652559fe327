/*
 * db/ made anew from what other programs may read: packs and refs.log.
 *
 * The new database is filled beside the old one, in db.new, where nobody looks, in many
 * transactions. Only when it is whole are the names
 * changed: db -> db.old, db.new -> db, then db.old goes. A run that is cut short leaves db.new,
 * db.old or both; the next one begins anew, and what stands as db/ is at every moment the old one,
 * nothing, or the new one whole.
 *
 * The gate is held from beginning to end, and a repository with a live writer is refused: its
 * handle would go on with the old files.
 *
 * All packs that are there count. What refs.log has to say is rebuild_refs.c's; a record that was
 * never finished is made void when the new database stands, not before.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "graph/stage.h"
#include "odb/tmp.h"
#include "work/rebuild_internal.h"

#define BATCH_ROWS 2500
#define ROOM_MIN ((uint64_t)64 << 20)

/* ---- batches */

static int begin_batch(struct rebuild *r, struct store_error *err)
{
	int rc = 0;

	r->rows = 0;
	/*
	 * A batch touches a page for each row at most; there is always room for that, so the map is
	 * never full within one.
	 */
	if (env_room(r->env) < ROOM_MIN)
		rc = env_grow(r->env, err);
	return rc == 0 ? env_begin(r->env, true, &r->txn, err) : rc;
}

static int end_batch(struct rebuild *r, struct store_error *err)
{
	struct env_txn *txn = r->txn;
	int rc;

	r->txn = NULL;
	rc = txn ? env_commit(txn, err) : 0;
	return rc == ENV_FULL ? store_error_set(err, STORE_ENOSPACE,
					"cannot write '%s': its map is full", r->new_path)
			      : rc;
}

int rebuild_wrote(struct rebuild *r, size_t n, struct store_error *err)
{
	int rc;

	r->rows += n;
	if (r->rows < BATCH_ROWS)
		return 0;
	rc = end_batch(r, err);
	if (rc == 0)
		rc = fsck_tick(r->fsck, err);
	return rc == 0 ? begin_batch(r, err) : rc;
}

/* ---- folders */

/* Remove a database folder and what LMDB makes in it. */
static int remove_folder(const char *path, struct store_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return store_error_sys(err, "cannot open '%s'", path);
	unlinkat(fd, "data.mdb", 0);
	unlinkat(fd, "lock.mdb", 0);
	io_close(&fd);
	return rmdir(path) == 0 ? 0 : store_error_sys(err, "cannot remove '%s'", path);
}

/* Root makes the new database for whom the repository belongs to. */
static void give_back(struct rebuild *r)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "." };
	struct stat st;
	int fd;

	if (geteuid() != 0 || fstat(odb_fd(r->odb), &st) != 0)
		return;
	fd = open(r->new_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	for (size_t i = 0; fd != -1 && i < sizeof(names) / sizeof(names[0]); i++) {
		/* One that cannot be given stays root's: the next write by the owner names it. */
		if (fchownat(fd, names[i], st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
	}
	io_close(&fd);
}

/* The new one is on the disk with all its names before the old one loses its own. */
static int sync_new(struct rebuild *r, struct store_error *err)
{
	int dir = open(r->new_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int fd = dir == -1 ? -1 : openat(dir, "data.mdb", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc = 0;

	if (fd == -1 || FAULT("rebuild.sync") || io_sync(fd) != 0 || io_sync(dir) != 0)
		rc = store_error_sys(err, "cannot sync '%s'", r->new_path);
	io_close(&fd);
	io_close(&dir);
	return rc;
}

static int sync_parent(const char *path, struct store_error *err)
{
	const char *slash = strrchr(path, '/');
	char *parent = slash && slash > path ? strndup(path, (size_t)(slash - path)) : strdup("/");
	int fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int rc = 0;

	if (fd == -1 || io_sync(fd) != 0)
		rc = store_error_sys(err, "cannot sync the folder of '%s'", path);
	io_close(&fd);
	free(parent);
	return rc;
}

static int swap_names(struct rebuild *r, struct store_error *err)
{
	struct stat st;
	int rc = 0;

	if (stat(r->path, &st) == 0) {
		rc = remove_folder(r->old_path, err);
		if (rc == 0 && (FAULT("rebuild.rename") || rename(r->path, r->old_path) != 0))
			rc = store_error_sys(err, "cannot rename '%s' to '%s'", r->path,
				r->old_path);
	}
	if (rc == 0 && (FAULT("rebuild.rename") || rename(r->new_path, r->path) != 0))
		rc = store_error_sys(err, "cannot rename '%s' to '%s'", r->new_path, r->path);
	if (rc == 0)
		rc = sync_parent(r->path, err);
	return rc == 0 ? remove_folder(r->old_path, err) : rc;
}

/* A live writer holds its file in tmp/. */
static int refuse_writers(struct rebuild *r, struct store_error *err)
{
	int fd = openat(odb_tmp_fd(r->odb), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *d;
	int rc = 0;

	if (!dir) {
		io_close(&fd);
		return store_error_sys(err, "cannot list '%s/tmp'", odb_path(r->odb));
	}
	while (rc == 0 && (d = readdir(dir)) != NULL) {
		if (d->d_name[0] != '.' && tmp_is_held(odb_tmp_fd(r->odb), d->d_name))
			rc = store_error_set(err, STORE_EBUSY,
				"cannot rebuild '%s': another command is at work in it; try again when it has ended",
				r->path);
	}
	closedir(dir);
	return rc;
}

static char *with_suffix(const char *path, const char *suffix)
{
	const size_t n = strlen(path) + strlen(suffix) + 1;
	char *s = malloc(n);

	if (s)
		snprintf(s, n, "%s%s", path, suffix);
	return s;
}

/* ---- the run */

static int fill(struct rebuild *r, struct store_error *err)
{
	int rc = begin_batch(r, err);

	if (rc == 0)
		rc = stage_create(r->txn, err);
	if (rc == 0)
		rc = rebuild_packs(r, err);
	if (rc == 0)
		rc = rebuild_refs(r, err);
	if (rc == 0)
		rc = rebuild_stage(r, err);
	if (rc == 0)
		rc = env_set_number(r->txn, "next", r->last + 1, err);
	if (rc == 0)
		rc = end_batch(r, err);
	return rc;
}

static int make_new(struct rebuild *r, struct store_error *err)
{
	int rc = remove_folder(r->new_path, err);

	if (rc == 0 && mkdir(r->new_path, 0777) != 0)
		rc = store_error_sys(err, "cannot create '%s'", r->new_path);
	if (rc == 0)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the caller frees it */
		rc = env_open(&r->env, r->new_path, 0, err);
	if (rc == 0)
		rc = fill(r, err);
	env_abort(r->txn);
	r->txn = NULL;
	env_close(r->env);
	r->env = NULL;
	if (rc == 0)
		give_back(r);
	return rc == 0 ? sync_new(r, err) : rc;
}

int rebuild_database(struct fsck *f, struct store_error *err)
{
	struct rebuild r = { .fsck = f,
		.odb = f->repo->odb,
		.packs = &f->packs,
		.path = odb_options_of(f->repo->odb)->db_dir };
	int rc;

	f->progress = (struct store_progress){ .stage = "fsck rebuild" };
	r.new_path = with_suffix(r.path, ".new");
	r.old_path = with_suffix(r.path, ".old");
	rc = r.new_path && r.old_path ? fsck_decoder_init(&r.decoder, err)
				      : store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc == 0)
		rc = refuse_writers(&r, err);
	if (rc == 0)
		rc = fsck_list_packs(r.odb, r.packs, err);
	if (rc == 0)
		rc = make_new(&r, err);
	if (rc == 0 && FAULT("rebuild.mid"))
		rc = store_error_sys(err, "cannot rebuild '%s'", r.path);
	if (rc == 0)
		rc = swap_names(&r, err);
	else if (r.new_path)
		remove_folder(r.new_path, NULL);
	if (rc == 0)
		rc = rebuild_void(&r, err);
	fsck_free_packs(r.packs);
	fsck_decoder_release(&r.decoder);
	free(r.new_path);
	free(r.old_path);
	return rc;
}
