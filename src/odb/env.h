/*
 * The LMDB environment of a repository: the one owner of <lmdb.h>.
 *
 * Environments are process-wide and counted by (device, inode) of their folder, because LMDB
 * forbids to open one twice in a process. Transactions may travel between threads but are used by
 * one at a time. A handle is refused after fork.
 */
#ifndef STORE_ODB_ENV_H
#define STORE_ODB_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_error;
struct env;
struct env_txn;
struct env_cursor;

enum env_table {
	ENV_STAGE,   /* directory number (be64) + name -> stage row */
	ENV_DIRTY,   /* directory number (be64) + name -> generation (le64) */
	ENV_DIRS,    /* directory number (be64) -> cached roots */
	ENV_DEAD,    /* directory number (be64) -> nothing: swept in batches, never read */
	ENV_REFS,    /* ref name -> value */
	ENV_REFLOG,  /* ref name + NUL + publication number (be64) -> record */
	ENV_PACKS,   /* publication number (be64) -> pack row */
	ENV_OBJECTS, /* id -> where it lies */
	ENV_WRITERS, /* writer id (be64) -> epoch, checkpoint */
	ENV_STATS,   /* name -> number or text */
	ENV_TABLES,
};

/*
 * Beside STORE_E*: the map is full; end the transaction, env_grow, and run it again from its start.
 */
#define ENV_FULL (-100)

struct env_val {
	const void *data;
	size_t len;
};

#define ENV_RDONLY 1u /* never write; on read-only media without the lock file */
/*
 * With ENV_RDONLY: another user's. Its files must be plain ones of the owner of path, or
 * STORE_EDENIED: LMDB writes to the lock file, and follows symlinks.
 */
#define ENV_FOREIGN 2u
/* Being made: what an earlier try left of its data file, cut off anywhere, is no damage. */
#define ENV_NEW 4u

/*
 * Open or join the environment in folder path, which exists. Refuses network file systems
 * (STORE_EINVAL names core.dbDir). Caller frees with env_close.
 */
int env_open(struct env **out, const char *path, unsigned int flags, struct store_error *err);
/*
 * The same; who opens it first may wait wait_ms, not 30 s, for another process that is opening it:
 * then STORE_EBUSY, which names that process.
 */
int env_open_within(struct env **out, const char *path, unsigned int flags, unsigned int wait_ms,
	struct store_error *err);
void env_close(struct env *e);
/* STORE_EINVAL when this process is not the one that opened it, but a child of that. */
int env_check_forked(const struct env *e, struct store_error *err);

/*
 * Enlarge the map after ENV_FULL. Waits until no transaction of this process is open; STORE_EBUSY
 * after 30 s.
 */
int env_grow(struct env *e, struct store_error *err);

/*
 * Begin. A write transaction is only begun under the gate. Caller ends it with env_commit or
 * env_abort.
 */
int env_begin(struct env *e, bool write, struct env_txn **out, struct store_error *err);
/*
 * Commit frees t whatever it returns.  ENV_FULL: nothing of it is there.  Any other failure: the
 * outcome is unknown (env_ask_number tells), for the system may refuse the last write or what comes
 * after it; the environment is opened anew before the next transaction that begins when no other of
 * this process is open.
 */
int env_commit(struct env_txn *t, struct store_error *err);
/* t may be NULL. */
void env_abort(struct env_txn *t);
/*
 * A read transaction sleeps and wakes with a fresh snapshot; between the two it holds nothing back.
 */
void env_reset(struct env_txn *t);
int env_renew(struct env_txn *t, struct store_error *err);

/*
 * STORE_ENOTFOUND without message when absent. Borrowed: valid until the transaction ends, resets
 * or writes.
 */
int env_get(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	struct env_val *val, struct store_error *err);
int env_put(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	const void *val, size_t len, struct store_error *err);
/* As env_put, but an existing key stays as it is: STORE_EEXISTS without message. */
int env_put_new(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	const void *val, size_t len, struct store_error *err);
/* STORE_ENOTFOUND without message when absent. */
int env_del(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	struct store_error *err);
/* Numbers under text keys of ENV_STATS; absent reads as 0. */
int env_number(struct env_txn *t, const char *name, uint64_t *out, struct store_error *err);
int env_set_number(struct env_txn *t, const char *name, uint64_t v, struct store_error *err);
/*
 * The number as the files have it now, synced: asked of a second, short-lived environment without
 * the lock file, which needs no transaction of this process to end. For after env_commit failed.
 * Only under the gate: nobody may be writing.
 */
int env_ask_number(struct env *e, const char *name, uint64_t *out, struct store_error *err);
/* Rows of a table. */
int env_count(struct env_txn *t, enum env_table table, uint64_t *out, struct store_error *err);

/*
 * A cursor lives within its transaction; renewing the transaction ends it. Caller frees with
 * env_cursor_close before the transaction ends.
 */
int env_cursor_open(struct env_txn *t, enum env_table table, struct env_cursor **out,
	struct store_error *err);
void env_cursor_close(struct env_cursor *c);
/* Stand before the first key >= key. */
void env_cursor_seek(struct env_cursor *c, const void *key, size_t key_len);
/*
 * Next row; STORE_ENOTFOUND at the end. Scans give touched pages back to the kernel every 16 MiB.
 */
int env_cursor_next(struct env_cursor *c, struct env_val *key, struct env_val *val,
	struct store_error *err);
/* The last row whose key is < key; STORE_ENOTFOUND when there is none.  Borrowed as env_get. */
int env_get_before(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	struct env_val *out_key, struct env_val *val, struct store_error *err);
/* Delete the row that env_cursor_next gave last (write transactions). */
int env_cursor_del(struct env_cursor *c, struct store_error *err);

/*
 * Bytes of the data file in use.  This and the next two wait while another thread enlarges the map
 * or opens the files anew.
 */
uint64_t env_size(struct env *e);
/*
 * Is what stands at its path still the file that was opened?  After `fsck --rebuild` of another
 * process it is not.
 */
bool env_is_current(struct env *e);
/* Bytes by which it may grow before ENV_FULL. */
uint64_t env_room(struct env *e);

/* Version of LMDB.  Borrowed: valid until the program ends. */
const char *env_library_version(void);

#endif
