/*
 * LMDB, wrapped so that the rest of the house sees tables, rows and STORE_E* codes.
 * Threads: several may hold read transactions; one writes, under the gate.
 *
 * Rules kept here: no WRITEMAP and no NOSYNC (a commit that returned is on disk); NOTLS (a
 * transaction belongs to an object, not to a thread); the map grows and the environment reopens
 * only while no transaction of this process is open (env_door).
 *
 * Lock order: the registry's, then list_lock or the door's.
 */
#include "odb/env.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/trace.h"
#include "odb/env_internal.h"

#define GROW_WAIT_S 30
#define OPEN_WAIT_MS 30000

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

static int new_env(struct env **out, const char *path, unsigned int flags, unsigned int wait_ms,
	struct store_error *err)
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
	e->wait_ms = wait_ms;
	rc = e->path ? env_open_mdb(e, err) : store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc != 0) {
		free_env(e);
		return rc;
	}
	*out = e;
	return 0;
}

int env_open_within(struct env **out, const char *path, unsigned int flags, unsigned int wait_ms,
	struct store_error *err)
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
		rc = new_env(&e, path, flags, wait_ms, err);
		if (rc == 0)
			env_registry_add(&e->place, &st);
	}
	env_registry_unlock();
	if (rc == 0)
		*out = e;
	return rc;
}

int env_open(struct env **out, const char *path, unsigned int flags, struct store_error *err)
{
	return env_open_within(out, path, flags, OPEN_WAIT_MS, err);
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
	rc = mdb_env_set_mapsize(e->mdb, info.me_mapsize + info.me_mapsize / 2 + ENV_MAP_SMALLEST);
	if (rc != 0)
		rc = env_from_mdb(rc, err, "enlarge", e->path);
	env_find_pages(e);
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

/*
 * Off the list, and gone.  open: what of it is still to be aborted, or NULL. In a child of fork the
 * slot in the readers' table is the parent's, which goes on reading by it.
 */
static void free_txn(struct env *e, struct env_txn *t, MDB_txn *open)
{
	pthread_mutex_lock(&e->list_lock);
	if (open && t->mdb && !env_registry_is_forked(&e->place))
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
		if (env_open_mdb(e, NULL) == 0) {
			__atomic_store_n(&e->must_reopen, false, __ATOMIC_RELAXED);
		} else {
			mdb_env_close(e->mdb);
			e->mdb = NULL;
		}
	}
	env_door_reopen(&e->door);
}

int env_check_forked(const struct env *e, struct store_error *err)
{
	return env_registry_is_forked(&e->place)
		? store_error_set(err, STORE_EINVAL,
			  "a repository handle cannot be used after fork; open it again in the child")
		: 0;
}

static int enter(struct env *e, uint64_t *incarnation, struct store_error *err)
{
	const int rc = env_check_forked(e, err);

	if (rc != 0)
		return rc;
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
		/*
		 * A snapshot of this process keeps it from being opened anew: no damage, though
		 * LMDB says so.
		 */
		if (rc == MDB_PANIC && __atomic_load_n(&e->must_reopen, __ATOMIC_RELAXED))
			rc = EIO;
		return env_from_mdb(rc, err, "read", e->path);
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
	if (rc > 0)
		__atomic_store_n(&e->must_reopen, true, __ATOMIC_RELAXED);
	free_txn(e, t, NULL);
	env_door_leave(&e->door);
	return rc == 0 ? 0 : env_from_mdb(rc, err, "write", e->path);
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
	rc = mdb_dbi_open(txn, env_table_names[ENV_STATS], 0, &dbi);
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
	int rc = FAULT("env.ask") ? errno : env_open_sized(&other, 0, MDB_RDONLY | MDB_NOLOCK);

	*out = 0;
	if (rc != 0)
		return env_from_mdb(rc, err, "open", e->path);
	rc = mdb_env_get_fd(other.mdb, &fd);
	if (rc == 0 && io_datasync(fd) != 0)
		rc = errno;
	if (rc == 0)
		rc = read_number(other.mdb, name, out);
	mdb_env_close(other.mdb);
	return rc == 0 ? 0 : env_from_mdb(rc, err, "read", e->path);
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
	if (!env_registry_is_forked(&t->env->place))
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
		return env_from_mdb(rc, err, "read", t->env->path);
	}
	t->awake = true;
	return 0;
}

/* Both 0 when the environment could not be opened again. */
static void measure(struct env *e, uint64_t *used, uint64_t *map)
{
	MDB_envinfo info;
	MDB_stat st;

	*used = *map = 0;
	env_door_enter(&e->door);
	if (e->mdb && mdb_env_info(e->mdb, &info) == 0 && mdb_env_stat(e->mdb, &st) == 0) {
		*used = (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
		*map = info.me_mapsize;
	}
	env_door_leave(&e->door);
}

uint64_t env_size(struct env *e)
{
	uint64_t used, map;

	measure(e, &used, &map);
	return used;
}

uint64_t env_room(struct env *e)
{
	uint64_t used, map;

	measure(e, &used, &map);
	return map < used ? 0 : map - used;
}

bool env_is_current(struct env *e)
{
	struct stat ours, there;
	mdb_filehandle_t fd;
	char path[4200];
	bool known;

	if (snprintf(path, sizeof(path), "%s/data.mdb", e->path) >= (int)sizeof(path))
		return true;
	env_door_enter(&e->door);
	known = e->mdb && mdb_env_get_fd(e->mdb, &fd) == 0 && fstat(fd, &ours) == 0;
	env_door_leave(&e->door);
	return !known ||
		(stat(path, &there) == 0 && there.st_ino == ours.st_ino &&
			there.st_dev == ours.st_dev);
}
