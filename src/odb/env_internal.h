/*
 * What the files of the environment share, and the one place that names LMDB: env_open.c opens and
 * opens anew, env.c has the handle and its transactions, env_rows.c the rows.
 * Threads: list_lock guards the list of transactions, the door everything that a reopen changes.
 */
#ifndef STORE_ODB_ENV_INTERNAL_H
#define STORE_ODB_ENV_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>

#include "odb/env.h"
#include "odb/env_door.h"
#include "odb/env_pages.h"
#include "odb/env_registry.h"

#define ENV_MAP_SMALLEST ((size_t)64 << 20)

struct env {
	struct env_place place; /* first: the registry gives it back */
	MDB_env *mdb; /* changes only while the door is shut; NULL: could not be reopened */
	MDB_dbi dbi[ENV_TABLES];
	char *path;
	unsigned int flags;
	unsigned int wait_ms; /* for other openers */
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

extern const char *const env_table_names[ENV_TABLES];

/* LMDB's answer as ours; what: a verb, "read". */
int env_from_mdb(int rc, struct store_error *err, const char *what, const char *path);
/*
 * e->path, e->flags -> e->mdb, e->dbi, e->pages. On failure e->mdb may be set: the caller closes.
 */
int env_open_mdb(struct env *e, struct store_error *err);
/* Only e->mdb. map_size: bytes, 0: as large as the file. Returns LMDB's code. */
int env_open_sized(struct env *e, size_t map_size, unsigned int mdb_flags);
/* The data file in folder dirfd, before LMDB opens it, for it makes a file without a head anew. */
int env_check_head(const struct env *e, int dirfd, struct store_error *err);
/*
 * Before the first page is looked at: STORE_ECORRUPT when pages that are in use lie beyond the end
 * of the file.
 */
int env_check_size(struct env *e, struct store_error *err);
/* After every change of the map's place. */
void env_find_pages(struct env *e);

#endif
