/*
 * LMDB, wrapped so that the rest of the house sees tables, rows and STORE_E* codes.
 * Threads: several may hold read transactions; one writes, under the gate.
 *
 * Rules kept here: no WRITEMAP and no NOSYNC (a commit that returned is on disk); NOTLS (a
 * transaction belongs to an object, not to a thread); 1 TiB of address space reserved at open,
 * halved until the limits of the process allow it; the map grows and the environment reopens only
 * while no transaction of this process is open (env_door); pages that a scan or many look-ups have
 * touched are given back to the kernel (env_pages).
 *
 * Lock order: the registry's, then list_lock or the door's.
 */
#include "odb/env.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/owner.h"
#include "base/trace.h"
#include "odb/env_door.h"
#include "odb/env_pages.h"
#include "odb/env_registry.h"

#define MAP_RESERVE ((size_t)1 << 40)
#define MAP_SMALLEST ((size_t)64 << 20)
#define READERS_MAX 1022
#define GROW_WAIT_S 30

static const char *const table_names[ENV_TABLES] = {
	"stage",
	"dirty",
	"dirs",
	"dead",
	"refs",
	"reflog",
	"packs",
	"objects",
	"writers",
	"stats",
};

struct env {
	struct env_place place; /* first: the registry gives it back */
	MDB_env *mdb; /* changes only while the door is shut; NULL: could not be reopened */
	MDB_dbi dbi[ENV_TABLES];
	char *path;
	unsigned int flags;
	struct env_door door;
	uint64_t incarnation; /* goes up with every reopen, while the door is shut */
	bool must_reopen;     /* atomic: a commit failed, and LMDB may refuse to go on */
	pthread_mutex_t list_lock;
	struct env_txn *txns; /* guarded by list_lock: all of them, sleeping ones too */
	struct env_pages pages;
};

struct env_txn {
	struct env *env;
	struct env_txn *next, **link; /* among the transactions of env; guarded by its list_lock */
	MDB_txn *mdb;
	bool write;
	bool awake;
	uint64_t incarnation;
};

struct env_cursor {
	struct env_txn *txn;
	MDB_cursor *mdb;
	enum env_table table;
	MDB_cursor_op op; /* what the next step does */
	MDB_val seek;
	uint8_t seek_key[512];
};

static int from_mdb(int rc, struct store_error *err, const char *what, const char *path)
{
	switch (rc) {
	case MDB_NOTFOUND:
		return STORE_ENOTFOUND;
	case MDB_KEYEXIST:
		return STORE_EEXISTS;
	case MDB_MAP_FULL:
	case MDB_MAP_RESIZED:
		return ENV_FULL;
	case MDB_READERS_FULL:
		return store_error_set(err, STORE_EBUSY, "cannot %s '%s': too many readers at once",
			what, path);
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_PANIC:
		return store_error_set(err, STORE_ECORRUPT,
			"cannot %s '%s': %s; run 'store fsck --rebuild'", what, path,
			mdb_strerror(rc));
	case MDB_VERSION_MISMATCH:
		return store_error_set(err, STORE_EVERSION, "cannot %s '%s': %s", what, path,
			mdb_strerror(rc));
	default:
		if (rc > 0) {
			errno = rc;
			return store_error_sys(err, "cannot %s '%s'", what, path);
		}
		return store_error_set(err, STORE_EIO, "cannot %s '%s': %s", what, path,
			mdb_strerror(rc));
	}
}

/* Without create nothing is written: the write lock is not taken. */
static int open_tables(struct env *e, bool create)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(e->mdb, NULL, create ? 0 : MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	for (int i = 0; i < ENV_TABLES && rc == 0; i++)
		rc = mdb_dbi_open(txn, table_names[i], create ? MDB_CREATE : 0, &e->dbi[i]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/* map_size 0: as large as the file. */
static int open_sized(struct env *e, size_t map_size, unsigned int mdb_flags)
{
	int rc = mdb_env_create(&e->mdb);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_maxdbs(e->mdb, ENV_TABLES)) == 0 &&
		(rc = mdb_env_set_maxreaders(e->mdb, READERS_MAX)) == 0 &&
		(map_size == 0 || (rc = mdb_env_set_mapsize(e->mdb, map_size)) == 0))
		rc = mdb_env_open(e->mdb, e->path, mdb_flags, 0666);
	if (rc != 0) {
		mdb_env_close(e->mdb);
		e->mdb = NULL;
	}
	return rc;
}

static void find_pages(struct env *e)
{
	mdb_filehandle_t fd;

	if (mdb_env_get_fd(e->mdb, &fd) == 0)
		env_pages_find(&e->pages, fd);
}

static size_t first_map_size(void)
{
#ifdef STORE_FAULTS
	const char *s = getenv("STORE_TEST_MAP_SIZE");

	if (s)
		return strtoull(s, NULL, 0);
#endif
	return MAP_RESERVE;
}

/*
 * Openers come one after another, by a lock on the folder that ends with its descriptor. LMDB's
 * first opener makes the lock file anew while it holds that alone; who waits for it takes for good
 * what is there afterwards. When the first was killed half-way, or failed to map so much, that is
 * transaction number 0: an old state is read, and the next commits overwrite acknowledged ones.
 */
static int queue_up(const char *path, int *fd, struct store_error *err)
{
	int rc;

	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd == -1)
		return store_error_sys(err, "cannot open '%s'", path);
	do {
		rc = flock(*fd, LOCK_EX);
	} while (rc != 0 && errno == EINTR);
	return rc == 0 ? 0 : store_error_sys(err, "cannot lock '%s'", path);
}

static const char *const files[] = { "data.mdb", "lock.mdb" };

#define FILES 2

/*
 * Another user's database: LMDB opens its files by name, follows symlinks and writes to the lock
 * file, so these must be that user's own, or root could be led to write elsewhere. A lock file
 * that is missing is made theirs: they could not use one of ours.
 */
static int check_foreign(const struct env *e, int dirfd, struct store_error *err)
{
	struct stat dir, st;
	int fd;

	if (fstat(dirfd, &dir) != 0)
		return store_error_sys(err, "cannot open '%s'", e->path);
	fd = openat(dirfd, "lock.mdb", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd != -1 && fchown(fd, dir.st_uid, dir.st_gid) != 0)
		unlinkat(dirfd, "lock.mdb", 0);
	io_close(&fd);
	for (size_t i = 0; i < FILES; i++) {
		if (fstatat(dirfd, files[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue; /* LMDB says why */
		if (!S_ISREG(st.st_mode) || st.st_uid != dir.st_uid)
			return store_error_set(err, STORE_EDENIED,
				"cannot open '%s/%s': in the repository of another user it must be a plain file of that user",
				e->path, files[i]);
	}
	return 0;
}

static int open_mdb(struct env *e, struct store_error *err)
{
	bool missing[FILES];
	unsigned int flags = MDB_NOTLS | MDB_NORDAHEAD;
	size_t size = first_map_size();
	int rc, queue;

	if (e->flags & ENV_RDONLY)
		flags |= MDB_RDONLY;
	rc = queue_up(e->path, &queue, err);
	if (rc != 0) {
		io_close(&queue);
		return rc;
	}
	if (e->flags & ENV_FOREIGN)
		rc = check_foreign(e, queue, err);
	if (rc != 0) {
		io_close(&queue);
		return rc;
	}
	for (size_t i = 0; i < FILES; i++)
		missing[i] = faccessat(queue, files[i], F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	for (;;) {
		rc = open_sized(e, size, flags);
		if (rc == EROFS && !(flags & MDB_NOLOCK))
			flags |= MDB_RDONLY | MDB_NOLOCK;
		else if ((rc == ENOMEM || rc == EINVAL) && size > MAP_SMALLEST)
			size /= 2;
		else
			break;
	}
	for (size_t i = 0; i < FILES && rc == 0; i++) {
		if (missing[i])
			owner_give_name(queue, files[i]);
	}
	io_close(&queue);
	if (rc == EACCES)
		return store_error_set(err, STORE_EDENIED,
			"cannot open '%s': permission denied; readers need write permission on 'lock.mdb' in it (chmod o+w), nothing else",
			e->path);
	if (rc != 0)
		return from_mdb(rc, err, "open", e->path);
	mdb_reader_check(e->mdb, NULL);
	rc = open_tables(e, false);
	if (rc == MDB_NOTFOUND && !(e->flags & ENV_RDONLY))
		rc = open_tables(e, true);
	if (rc == MDB_NOTFOUND)
		return store_error_set(err, STORE_ECORRUPT,
			"cannot open '%s': tables are missing; run 'store fsck --rebuild'",
			e->path);
	if (rc != 0)
		return from_mdb(rc, err, "open", e->path);
	find_pages(e);
	return 0;
}

static void free_env(struct env *e)
{
	/* After a fork the child must leave the parent's locks alone. */
	if (e->mdb && !env_registry_is_forked(&e->place))
		mdb_env_close(e->mdb);
	env_door_release(&e->door);
	pthread_mutex_destroy(&e->list_lock);
	free(e->path);
	free(e);
}

static int new_env(struct env **out, const char *path, unsigned int flags, struct store_error *err)
{
	struct env *e = calloc(1, sizeof(*e));
	int rc;

	*out = NULL;
	if (!e)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	env_door_init(&e->door);
	pthread_mutex_init(&e->list_lock, NULL);
	env_registry_stamp(&e->place);
	e->path = strdup(path);
	e->flags = flags;
	rc = e->path ? open_mdb(e, err) : store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc != 0) {
		free_env(e);
		return rc;
	}
	*out = e;
	return 0;
}

int env_open(struct env **out, const char *path, unsigned int flags, struct store_error *err)
{
	struct stat st;
	struct env *e;
	int rc = 0;

	*out = NULL;
	if (stat(path, &st) != 0)
		return store_error_sys(err, "cannot open '%s'", path);
	rc = env_registry_check_folder(path, err);
	if (rc != 0)
		return rc;
	env_registry_lock();
	e = (struct env *)env_registry_join(&st);
	if (!e) {
		rc = new_env(&e, path, flags, err);
		if (rc == 0)
			env_registry_add(&e->place, &st);
	}
	env_registry_unlock();
	if (rc == 0)
		*out = e;
	return rc;
}

void env_close(struct env *e)
{
	if (!e)
		return;
	env_registry_lock();
	if (env_registry_leave(&e->place))
		free_env(e);
	env_registry_unlock();
}

static int shut_door(struct env *e, struct store_error *err)
{
	if (env_door_shut(&e->door, GROW_WAIT_S))
		return 0;
	return store_error_set(err, STORE_EBUSY,
		"cannot enlarge '%s': transactions of this process stay open", e->path);
}

int env_grow(struct env *e, struct store_error *err)
{
	MDB_envinfo info;
	int rc = shut_door(e, err);

	if (rc != 0)
		return rc;
	/*
	 * Another process may have grown it: 0 adopts the size of the file, which is then enlarged
	 * as before.
	 */
	mdb_env_info(e->mdb, &info);
	rc = mdb_env_set_mapsize(e->mdb, info.me_mapsize + info.me_mapsize / 2 + MAP_SMALLEST);
	if (rc != 0)
		rc = from_mdb(rc, err, "enlarge", e->path);
	find_pages(e);
	env_door_reopen(&e->door);
	return rc;
}

static void enlist(struct env *e, struct env_txn *t)
{
	pthread_mutex_lock(&e->list_lock);
	t->next = e->txns;
	t->link = &e->txns;
	if (t->next)
		t->next->link = &t->next;
	e->txns = t;
	pthread_mutex_unlock(&e->list_lock);
}

/* Off the list, and gone.  open: what of it is still to be aborted, or NULL. */
static void free_txn(struct env *e, struct env_txn *t, MDB_txn *open)
{
	pthread_mutex_lock(&e->list_lock);
	if (open && t->mdb)
		mdb_txn_abort(open);
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	pthread_mutex_unlock(&e->list_lock);
	free(t);
}

/* Before the environment closes: what sleeps in it ends with it, and begins anew when woken. */
static void end_sleepers(struct env *e)
{
	pthread_mutex_lock(&e->list_lock);
	for (struct env_txn *t = e->txns; t; t = t->next) {
		if (t->mdb && !t->awake)
			mdb_txn_abort(t->mdb);
		if (!t->awake)
			t->mdb = NULL;
	}
	pthread_mutex_unlock(&e->list_lock);
}

/*
 * After a failed commit LMDB may take no more transactions. It is closed and opened anew by the
 * first who comes when no transaction of this process is open; until then those who have a
 * snapshot keep it.
 */
static void reopen_if_idle(struct env *e)
{
	if (!env_door_shut(&e->door, 0))
		return;
	if (__atomic_load_n(&e->must_reopen, __ATOMIC_RELAXED)) {
		end_sleepers(e);
		mdb_env_close(e->mdb);
		e->mdb = NULL;
		e->incarnation++;
		if (open_mdb(e, NULL) == 0) {
			__atomic_store_n(&e->must_reopen, false, __ATOMIC_RELAXED);
		} else {
			mdb_env_close(e->mdb);
			e->mdb = NULL;
		}
	}
	env_door_reopen(&e->door);
}

static int enter(struct env *e, uint64_t *incarnation, struct store_error *err)
{
	if (env_registry_is_forked(&e->place))
		return store_error_set(err, STORE_EINVAL,
			"a repository handle cannot be used after fork; open it again in the child");
	if (__atomic_load_n(&e->must_reopen, __ATOMIC_RELAXED))
		reopen_if_idle(e);
	env_door_enter(&e->door);
	*incarnation = e->incarnation;
	if (e->mdb)
		return 0;
	env_door_leave(&e->door);
	return store_error_set(err, STORE_EIO, "the database '%s' could not be opened again",
		e->path);
}

static int begin_mdb(struct env_txn *t, struct store_error *err)
{
	struct env *e = t->env;
	int rc = enter(e, &t->incarnation, err);

	if (rc != 0)
		return rc;
	rc = mdb_txn_begin(e->mdb, NULL, t->write ? 0 : MDB_RDONLY, &t->mdb);
	if (rc == MDB_READERS_FULL) {
		mdb_reader_check(e->mdb, NULL);
		rc = mdb_txn_begin(e->mdb, NULL, MDB_RDONLY, &t->mdb);
	}
	if (rc != 0) {
		env_door_leave(&e->door);
		/* A snapshot of this process keeps it from being opened anew: no damage, though LMDB says so. */
		if (rc == MDB_PANIC && __atomic_load_n(&e->must_reopen, __ATOMIC_RELAXED))
			rc = EIO;
		return from_mdb(rc, err, "read", e->path);
	}
	t->awake = true;
	return 0;
}

int env_begin(struct env *e, bool write, struct env_txn **out, struct store_error *err)
{
	struct env_txn *t = calloc(1, sizeof(*t));
	int rc;

	*out = NULL;
	if (!t)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	t->env = e;
	t->write = write;
	rc = begin_mdb(t, err);
	if (rc != 0) {
		free(t);
		return rc;
	}
	enlist(e, t);
	*out = t;
	return 0;
}

int env_commit(struct env_txn *t, struct store_error *err)
{
	struct env *e = t->env;
	int rc;

	if (FAULT("env.commit")) {
		rc = errno;
		mdb_txn_abort(t->mdb);
	} else {
		rc = mdb_txn_commit(t->mdb);
		if (rc == 0 && FAULT("env.committed"))
			rc = errno;
	}
	if (rc == EIO)
		__atomic_store_n(&e->must_reopen, true, __ATOMIC_RELAXED);
	free_txn(e, t, NULL);
	env_door_leave(&e->door);
	return rc == 0 ? 0 : from_mdb(rc, err, "write", e->path);
}

/* The number in an environment that is read, and no more. */
static int read_number(MDB_env *mdb, const char *name, uint64_t *out)
{
	MDB_val k = { strlen(name), (void *)(uintptr_t)name }, v = { 0, NULL };
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc = mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, table_names[ENV_STATS], 0, &dbi);
	if (rc == 0)
		rc = mdb_get(txn, dbi, &k, &v);
	if (rc == 0 && v.mv_size != 8)
		rc = MDB_INVALID;
	if (rc == 0)
		*out = le64_get(v.mv_data);
	mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int env_ask_number(struct env *e, const char *name, uint64_t *out, struct store_error *err)
{
	struct env other = { .path = e->path };
	mdb_filehandle_t fd;
	int rc = FAULT("env.ask") ? errno : open_sized(&other, 0, MDB_RDONLY | MDB_NOLOCK);

	*out = 0;
	if (rc != 0)
		return from_mdb(rc, err, "open", e->path);
	rc = mdb_env_get_fd(other.mdb, &fd);
	if (rc == 0 && io_datasync(fd) != 0)
		rc = errno;
	if (rc == 0)
		rc = read_number(other.mdb, name, out);
	mdb_env_close(other.mdb);
	return rc == 0 ? 0 : from_mdb(rc, err, "read", e->path);
}

void env_abort(struct env_txn *t)
{
	struct env *e = t ? t->env : NULL;
	bool was_awake;

	if (!t)
		return;
	was_awake = t->awake;
	free_txn(e, t, t->mdb);
	if (was_awake)
		env_door_leave(&e->door);
}

void env_reset(struct env_txn *t)
{
	if (!t->awake)
		return;
	mdb_txn_reset(t->mdb);
	t->awake = false;
	env_door_leave(&t->env->door);
}

int env_renew(struct env_txn *t, struct store_error *err)
{
	uint64_t incarnation = 0;
	int rc;

	if (t->awake)
		return 0;
	rc = enter(t->env, &incarnation, err);
	if (rc != 0)
		return rc;
	if (incarnation != t->incarnation) {
		env_door_leave(&t->env->door);
		t->mdb = NULL;
		return begin_mdb(t, err);
	}
	rc = mdb_txn_renew(t->mdb);
	if (rc != 0) {
		env_door_leave(&t->env->door);
		return from_mdb(rc, err, "read", t->env->path);
	}
	t->awake = true;
	return 0;
}

static void touch(struct env *e, size_t len)
{
	if (env_pages_touch(&e->pages, len))
		env_pages_drop(&e->pages, env_size(e));
}

int env_get(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	struct env_val *val, struct store_error *err)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key }, v;
	int rc;

	rc = mdb_get(t->mdb, t->env->dbi[table], &k, &v);
	if (rc != 0)
		return from_mdb(rc, err, "read", t->env->path);
	val->data = v.mv_data;
	val->len = v.mv_size;
	touch(t->env, 4096);
	return 0;
}

static int put(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	const void *val, size_t len, unsigned int flags, struct store_error *err)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key }, v = { len, (void *)(uintptr_t)val };
	int rc;

	if (FAULT("env.put"))
		rc = errno == ENOSPC ? MDB_MAP_FULL : errno;
	else
		rc = mdb_put(t->mdb, t->env->dbi[table], &k, &v, flags);
	return rc == 0 ? 0 : from_mdb(rc, err, "write", t->env->path);
}

int env_put(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	const void *val, size_t len, struct store_error *err)
{
	return put(t, table, key, key_len, val, len, 0, err);
}

int env_put_new(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	const void *val, size_t len, struct store_error *err)
{
	return put(t, table, key, key_len, val, len, MDB_NOOVERWRITE, err);
}

int env_del(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	struct store_error *err)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key };
	int rc = mdb_del(t->mdb, t->env->dbi[table], &k, NULL);

	return rc == 0 ? 0 : from_mdb(rc, err, "write", t->env->path);
}

int env_count(struct env_txn *t, enum env_table table, uint64_t *out, struct store_error *err)
{
	MDB_stat st;
	int rc = mdb_stat(t->mdb, t->env->dbi[table], &st);

	if (rc != 0)
		return from_mdb(rc, err, "read", t->env->path);
	*out = st.ms_entries;
	return 0;
}

int env_cursor_open(struct env_txn *t, enum env_table table, struct env_cursor **out,
	struct store_error *err)
{
	struct env_cursor *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (!c)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = mdb_cursor_open(t->mdb, t->env->dbi[table], &c->mdb);
	if (rc != 0) {
		free(c);
		return from_mdb(rc, err, "read", t->env->path);
	}
	c->txn = t;
	c->table = table;
	c->op = MDB_FIRST;
	*out = c;
	return 0;
}

void env_cursor_close(struct env_cursor *c)
{
	if (!c)
		return;
	mdb_cursor_close(c->mdb);
	free(c);
}

void env_cursor_seek(struct env_cursor *c, const void *key, size_t key_len)
{
	if (key_len > sizeof(c->seek_key))
		key_len = sizeof(c->seek_key);
	memcpy(c->seek_key, key, key_len);
	c->seek.mv_data = c->seek_key;
	c->seek.mv_size = key_len;
	c->op = key_len > 0 ? MDB_SET_RANGE : MDB_FIRST;
}

int env_cursor_next(struct env_cursor *c, struct env_val *key, struct env_val *val,
	struct store_error *err)
{
	MDB_val k = c->seek, v;
	int rc;

	rc = mdb_cursor_get(c->mdb, &k, &v, c->op);
	if (rc != 0)
		return from_mdb(rc, err, "read", c->txn->env->path);
	c->op = MDB_NEXT;
	key->data = k.mv_data;
	key->len = k.mv_size;
	val->data = v.mv_data;
	val->len = v.mv_size;
	touch(c->txn->env, k.mv_size + v.mv_size + 16);
	return 0;
}

int env_get_before(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	struct env_val *out_key, struct env_val *val, struct store_error *err)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key }, v;
	MDB_cursor *c;
	int rc = mdb_cursor_open(t->mdb, t->env->dbi[table], &c);

	if (rc != 0)
		return from_mdb(rc, err, "read", t->env->path);
	rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	rc = rc == MDB_NOTFOUND ? mdb_cursor_get(c, &k, &v, MDB_LAST)
		: rc == 0       ? mdb_cursor_get(c, &k, &v, MDB_PREV)
				: rc;
	mdb_cursor_close(c);
	if (rc != 0)
		return from_mdb(rc, err, "read", t->env->path);
	*out_key = (struct env_val){ k.mv_data, k.mv_size };
	*val = (struct env_val){ v.mv_data, v.mv_size };
	return 0;
}

int env_cursor_del(struct env_cursor *c, struct store_error *err)
{
	int rc = mdb_cursor_del(c->mdb, 0);

	/* LMDB then stands on the following row, and its MDB_NEXT knows. */
	return rc == 0 ? 0 : from_mdb(rc, err, "write", c->txn->env->path);
}

uint64_t env_size(struct env *e)
{
	MDB_envinfo info;
	MDB_stat st;

	if (mdb_env_info(e->mdb, &info) != 0 || mdb_env_stat(e->mdb, &st) != 0)
		return 0;
	return (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
}

uint64_t env_room(struct env *e)
{
	const uint64_t used = env_size(e);
	MDB_envinfo info;

	if (mdb_env_info(e->mdb, &info) != 0 || info.me_mapsize < used)
		return 0;
	return info.me_mapsize - used;
}

bool env_is_current(struct env *e)
{
	struct stat ours, there;
	mdb_filehandle_t fd;
	char path[4200];

	if (snprintf(path, sizeof(path), "%s/data.mdb", e->path) >= (int)sizeof(path))
		return true;
	if (!e->mdb || mdb_env_get_fd(e->mdb, &fd) != 0 || fstat(fd, &ours) != 0)
		return true;
	return stat(path, &there) == 0 && there.st_ino == ours.st_ino &&
		there.st_dev == ours.st_dev;
}
