/*
 * LMDB, wrapped so that the rest of the house sees tables, rows and STORE_E* codes.
 * Threads: several may hold read transactions; one writes, under the gate.
 *
 * Rules kept here: no WRITEMAP and no NOSYNC (a commit that returned is on disk); NOTLS (a
 * transaction belongs to an object, not to a thread); 1 TiB of address space reserved at open,
 * halved until the limits of the process allow it; the map grows and the environment reopens only
 * while no transaction of this process is open, which `active` counts; pages that a scan or many
 * look-ups have touched are given back to the kernel, since they count in our resident size though
 * they are its cache.
 *
 * Lock order: registry_lock before env->lock.
 */
#include "odb/env.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/trace.h"

#define MAP_RESERVE ((size_t)1 << 40)
#define MAP_SMALLEST ((size_t)64 << 20)
#define READERS_MAX 1022
#define TOUCHED_MAX ((size_t)16 << 20)
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
	MDB_env *mdb;
	MDB_dbi dbi[ENV_TABLES];
	char *path;
	unsigned int flags;
	dev_t dev;
	ino_t ino;
	unsigned int forks; /* fork_count when it was opened */
	unsigned int refs;  /* guarded by registry_lock */
	struct env *next;   /* guarded by registry_lock */
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned int active;  /* guarded by lock: open transactions, sleeping ones not counted */
	bool exclusive;       /* guarded by lock: someone grows or reopens */
	uint64_t incarnation; /* guarded by lock: goes up with every reopen */
	struct env_txn *txns; /* guarded by lock: all of them, sleeping ones too */
	uint8_t *
		map; /* where the data file is mapped, NULL unknown; changes only while exclusive */
	size_t touched; /* bytes touched since pages were given back; a hint, updated without lock by atomics */
};

struct env_txn {
	struct env *env;
	struct env_txn *next, **link; /* among the transactions of env; guarded by env->lock */
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

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct env *registry;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static unsigned int fork_count; /* in a child one more than in its parent; asked at every look-up */

static void count_fork(void)
{
	fork_count++;
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, count_fork);
}

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

static int refuse_network(const char *path, struct store_error *err)
{
	static const unsigned long remote[] = { 0x6969, 0xff534d42, 0xfe534d42, 0x517b, 0x01021997,
		0x65735546 };
	struct statfs fs;

	if (statfs(path, &fs) != 0)
		return store_error_sys(err, "cannot look at '%s'", path);
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
		if (((unsigned long)fs.f_type & 0xffffffff) == remote[i])
			return store_error_set(err, STORE_EINVAL,
				"cannot use '%s': its file system is remote or FUSE, where memory maps of a database are unsafe; set core.dbDir to a local folder",
				path);
	}
	return 0;
}

static int open_tables(struct env *e)
{
	const unsigned int create = e->flags & ENV_RDONLY ? 0 : MDB_CREATE;
	MDB_txn *txn;
	int rc;

	rc = mdb_txn_begin(e->mdb, NULL, create ? 0 : MDB_RDONLY, &txn);
	if (rc != 0)
		return rc;
	for (int i = 0; i < ENV_TABLES && rc == 0; i++)
		rc = mdb_dbi_open(txn, table_names[i], create, &e->dbi[i]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/*
 * The tables of an existing environment, without writing: a commit of an empty transaction costs
 * nothing, but creating takes the write lock.
 */
static int have_tables(struct env *e)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(e->mdb, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	for (int i = 0; i < ENV_TABLES && rc == 0; i++)
		rc = mdb_dbi_open(txn, table_names[i], 0, &e->dbi[i]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

static int open_sized(struct env *e, size_t map_size, unsigned int mdb_flags)
{
	int rc = mdb_env_create(&e->mdb);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_maxdbs(e->mdb, ENV_TABLES)) == 0 &&
		(rc = mdb_env_set_maxreaders(e->mdb, READERS_MAX)) == 0 &&
		(rc = mdb_env_set_mapsize(e->mdb, map_size)) == 0)
		rc = mdb_env_open(e->mdb, e->path, mdb_flags, 0666);
	if (rc != 0) {
		mdb_env_close(e->mdb);
		e->mdb = NULL;
	}
	return rc;
}

/*
 * LMDB does not tell where it mapped the file (only for fixed maps), so ask the kernel. Without
 * /proc nothing is given back, which costs resident size and nothing else.
 */
static void find_map(struct env *e)
{
	char line[512];
	struct stat st;
	mdb_filehandle_t fd;
	FILE *f;

	e->map = NULL;
	if (mdb_env_get_fd(e->mdb, &fd) != 0 || fstat(fd, &st) != 0)
		return;
	f = fopen("/proc/self/maps", "re");
	if (!f)
		return;
	while (!e->map && fgets(line, sizeof(line), f)) {
		unsigned long long from, inode;

		if (sscanf(line, "%llx-%*x %*s %*x %*s %llu", &from, &inode) == 2 &&
			inode == st.st_ino)
			e->map = (uint8_t *)(uintptr_t)from;
	}
	fclose(f);
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

static int open_mdb(struct env *e, struct store_error *err)
{
	unsigned int flags = MDB_NOTLS | MDB_NORDAHEAD;
	size_t size = first_map_size();
	int rc;

	if (e->flags & ENV_RDONLY)
		flags |= MDB_RDONLY;
	for (;;) {
		rc = open_sized(e, size, flags);
		if (rc == EROFS && !(flags & MDB_NOLOCK))
			flags |= MDB_RDONLY | MDB_NOLOCK;
		else if ((rc == ENOMEM || rc == EINVAL) && size > MAP_SMALLEST)
			size /= 2;
		else
			break;
	}
	if (rc == EACCES)
		return store_error_set(err, STORE_EDENIED,
			"cannot open '%s': permission denied; readers need write permission on 'lock.mdb' in it (chmod o+w), nothing else",
			e->path);
	if (rc != 0)
		return from_mdb(rc, err, "open", e->path);
	mdb_reader_check(e->mdb, NULL);
	rc = have_tables(e);
	if (rc == MDB_NOTFOUND && !(e->flags & ENV_RDONLY))
		rc = open_tables(e);
	if (rc == MDB_NOTFOUND)
		return store_error_set(err, STORE_ECORRUPT,
			"cannot open '%s': tables are missing; run 'store fsck --rebuild'",
			e->path);
	if (rc != 0)
		return from_mdb(rc, err, "open", e->path);
	find_map(e);
	return 0;
}

static void free_env(struct env *e)
{
	/* After a fork the child must leave the parent's locks alone. */
	if (e->mdb && e->forks == fork_count)
		mdb_env_close(e->mdb);
	pthread_cond_destroy(&e->idle);
	pthread_mutex_destroy(&e->lock);
	free(e->path);
	free(e);
}

static int new_env(struct env **out, const char *path, unsigned int flags, const struct stat *st,
	struct store_error *err)
{
	struct env *e = calloc(1, sizeof(*e));
	int rc;

	*out = NULL;
	if (!e)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->idle, NULL);
	e->path = strdup(path);
	e->flags = flags;
	e->dev = st->st_dev;
	e->ino = st->st_ino;
	e->forks = fork_count;
	e->refs = 1;
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
	rc = refuse_network(path, err);
	if (rc != 0)
		return rc;
	pthread_once(&fork_once, watch_forks);
	pthread_mutex_lock(&registry_lock);
	for (e = registry; e; e = e->next) {
		if (e->dev == st.st_dev && e->ino == st.st_ino && e->forks == fork_count)
			break;
	}
	if (e) {
		e->refs++;
	} else {
		rc = new_env(&e, path, flags, &st, err);
		if (rc == 0 && e) {
			e->next = registry;
			registry = e;
		}
	}
	pthread_mutex_unlock(&registry_lock);
	if (rc == 0)
		*out = e;
	return rc;
}

void env_close(struct env *e)
{
	struct env **p;

	if (!e)
		return;
	pthread_mutex_lock(&registry_lock);
	if (--e->refs == 0) {
		for (p = &registry; *p != e; p = &(*p)->next)
			;
		*p = e->next;
		free_env(e);
	}
	pthread_mutex_unlock(&registry_lock);
}

/* Wait until nobody of this process is inside a transaction, and keep everybody out. */
static int enter_exclusive(struct env *e, struct store_error *err)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += GROW_WAIT_S;
	pthread_mutex_lock(&e->lock);
	while ((e->active > 0 || e->exclusive) && rc == 0)
		rc = pthread_cond_timedwait(&e->idle, &e->lock, &until);
	if (rc == 0)
		e->exclusive = true;
	pthread_mutex_unlock(&e->lock);
	if (rc != 0)
		return store_error_set(err, STORE_EBUSY,
			"cannot enlarge '%s': transactions of this process stay open", e->path);
	return 0;
}

static void leave_exclusive(struct env *e)
{
	pthread_mutex_lock(&e->lock);
	e->exclusive = false;
	pthread_cond_broadcast(&e->idle);
	pthread_mutex_unlock(&e->lock);
}

int env_grow(struct env *e, struct store_error *err)
{
	MDB_envinfo info;
	int rc = enter_exclusive(e, err);

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
	find_map(e);
	leave_exclusive(e);
	return rc;
}

static void enlist(struct env *e, struct env_txn *t)
{
	pthread_mutex_lock(&e->lock);
	t->next = e->txns;
	t->link = &e->txns;
	if (t->next)
		t->next->link = &t->next;
	e->txns = t;
	pthread_mutex_unlock(&e->lock);
}

/* Off the list, and gone.  open: what of it is still to be aborted, or NULL. */
static void free_txn(struct env *e, struct env_txn *t, MDB_txn *open)
{
	pthread_mutex_lock(&e->lock);
	if (open && t->mdb)
		mdb_txn_abort(open);
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	pthread_mutex_unlock(&e->lock);
	free(t);
}

/* Before the environment closes: what sleeps in it ends with it, and begins anew when woken. */
static void end_sleepers(struct env *e)
{
	pthread_mutex_lock(&e->lock);
	for (struct env_txn *t = e->txns; t; t = t->next) {
		if (t->mdb && !t->awake)
			mdb_txn_abort(t->mdb);
		if (!t->awake)
			t->mdb = NULL;
	}
	pthread_mutex_unlock(&e->lock);
}

int env_reopen(struct env *e, struct store_error *err)
{
	int rc = enter_exclusive(e, err);

	if (rc != 0)
		return rc;
	end_sleepers(e);
	mdb_env_close(e->mdb);
	e->mdb = NULL;
	rc = open_mdb(e, err);
	pthread_mutex_lock(&e->lock);
	e->incarnation++;
	pthread_mutex_unlock(&e->lock);
	leave_exclusive(e);
	return rc;
}

static int enter(struct env *e, uint64_t *incarnation, struct store_error *err)
{
	int rc = 0;

	if (e->forks != fork_count)
		return store_error_set(err, STORE_EINVAL,
			"a repository handle cannot be used after fork; open it again in the child");
	pthread_mutex_lock(&e->lock);
	while (e->exclusive)
		pthread_cond_wait(&e->idle, &e->lock);
	if (!e->mdb)
		rc = store_error_set(err, STORE_EIO, "the database '%s' could not be opened again",
			e->path);
	else
		e->active++;
	*incarnation = e->incarnation;
	pthread_mutex_unlock(&e->lock);
	return rc;
}

static void leave(struct env *e)
{
	pthread_mutex_lock(&e->lock);
	if (--e->active == 0)
		pthread_cond_broadcast(&e->idle);
	pthread_mutex_unlock(&e->lock);
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
		leave(e);
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
	}
	free_txn(e, t, NULL);
	leave(e);
	return rc == 0 ? 0 : from_mdb(rc, err, "write", e->path);
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
		leave(e);
}

void env_reset(struct env_txn *t)
{
	if (!t->awake)
		return;
	mdb_txn_reset(t->mdb);
	t->awake = false;
	leave(t->env);
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
		leave(t->env);
		t->mdb = NULL;
		return begin_mdb(t, err);
	}
	rc = mdb_txn_renew(t->mdb);
	if (rc != 0) {
		leave(t->env);
		return from_mdb(rc, err, "read", t->env->path);
	}
	t->awake = true;
	return 0;
}

/* Count bytes looked at, and give the pages of the map back when there are many. */
static void touch(struct env *e, size_t len)
{
	if (__atomic_add_fetch(&e->touched, len, __ATOMIC_RELAXED) < TOUCHED_MAX || !e->map)
		return;
	__atomic_store_n(&e->touched, 0, __ATOMIC_RELAXED);
	madvise(e->map, env_size(e), MADV_DONTNEED);
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

int env_number(struct env_txn *t, const char *name, uint64_t *out, struct store_error *err)
{
	struct env_val v = { NULL, 0 };
	int rc = env_get(t, ENV_STATS, name, strlen(name), &v, err);

	*out = 0;
	if (rc == STORE_ENOTFOUND)
		return 0;
	if (rc != 0)
		return rc;
	if (v.len != 8)
		return store_error_set(err, STORE_ECORRUPT,
			"row '%s' of 'stats' is malformed; run 'store fsck --rebuild'", name);
	*out = le64_get(v.data);
	return 0;
}

int env_set_number(struct env_txn *t, const char *name, uint64_t v, struct store_error *err)
{
	uint8_t b[8];

	le64_put(b, v);
	return env_put(t, ENV_STATS, name, strlen(name), b, sizeof(b), err);
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
