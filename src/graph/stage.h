/*
 * The stage: what the next commit will be, as rows of the database.
 *
 * Rows are keyed by (directory number, name), because keys end at 511 bytes and paths do not. The
 * number of the top directory is itself a row; numbers come from a counter and are never used
 * twice. Beside each directory stand its cached roots: the maps it had when a commit last stored
 * them. A row (directory, name) in `dirty` says that the entry may differ from the cached map.
 *
 * Invariant: a directory's stage = its cached root changed by its dirty rows. A dirty row too many
 * is harmless. Whoever changes an entry marks it and every directory above it in the same
 * transaction, with the number of the publication as generation.
 */
#ifndef STORE_GRAPH_STAGE_H
#define STORE_GRAPH_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/entry.h"
#include "odb/env.h"

struct store_error;

/*
 * What was seen of a file when its content was read; all zero: unknown, the file counts as changed
 * until it was read again.
 */
struct stage_stat {
	uint64_t size;
	int64_t mtime_ns, ctime_ns;
	uint64_t ino;
	uint32_t mode;
	int64_t clock_ns; /* coarse clock read before that stat */
};

struct stage_row {
	uint8_t kind;        /* enum entry_kind */
	uint8_t class;       /* chunking class of the content */
	struct file_ref ref; /* kinds file, exec, link */
	struct stage_stat stat;
	uint64_t dir;        /* kind dir: its number */
	const uint8_t *meta; /* encoded meta value without child map; borrowed */
	size_t meta_len;
};

/* Cached roots of a directory. */
struct stage_dir {
	uint64_t generation; /* publication that stored them; 0: none was */
	bool has_root, has_meta;
	struct entry root; /* kind dir: height, id, totals */
	struct map_ref meta;
};

/* ---- reading */

int stage_root(struct env_txn *t, uint64_t *dir, struct store_error *err);
/*
 * STORE_ENOTFOUND without message. Borrowed: row->meta is valid until the transaction ends or
 * writes.
 */
int stage_get(struct env_txn *t, uint64_t dir, const void *name, size_t len, struct stage_row *row,
	struct store_error *err);
int stage_get_dir(struct env_txn *t, uint64_t dir, struct stage_dir *out, struct store_error *err);
/*
 * By path of names joined by '/'. "" gives kind dir and the top's number. STORE_ENOTFOUND without
 * message.
 */
int stage_find(struct env_txn *t, const char *path, size_t len, struct stage_row *row,
	struct store_error *err);
int stage_row_decode(struct stage_row *row, const void *data, size_t len, struct store_error *err);

/* Rows of one directory in byte order of names. */
struct stage_scan;
int stage_scan_open(struct env_txn *t, uint64_t dir, struct stage_scan **out,
	struct store_error *err);
void stage_scan_close(struct stage_scan *s);
/* Borrowed: name and row->meta are valid until the next call.  STORE_ENOTFOUND at the end. */
int stage_scan_next(struct stage_scan *s, const uint8_t **name, size_t *len, struct stage_row *row,
	struct store_error *err);
/*
 * The cached root of a directory in which nothing is marked, so that it tells all that is staged
 * there. *known: there is one.
 */
int stage_get_clean(struct env_txn *t, uint64_t dir, struct entry *root, bool *known,
	struct store_error *err);
/*
 * What lies below a directory, in all. Where nothing is marked that is known; else its rows are
 * read. (stage_count.c)
 */
int stage_count(struct env_txn *t, uint64_t dir, struct totals *out, struct store_error *err);
/* Do the names below a directory, joined, have no more than room bytes each? (stage_room.c) */
int stage_has_room(struct env_txn *t, uint64_t dir, size_t room, bool *fits,
	struct store_error *err);
/* Go on behind name. */
void stage_scan_seek(struct stage_scan *s, const void *name, size_t len);
/* Dirty rows of one directory: name and generation. */
int stage_dirty_open(struct env_txn *t, uint64_t dir, struct stage_scan **out,
	struct store_error *err);
int stage_dirty_next(struct stage_scan *s, const uint8_t **name, size_t *len, uint64_t *generation,
	struct store_error *err);

/* Does dirty row (dir, name) still have this generation? */
int stage_dirty_has_generation(struct env_txn *t, uint64_t dir, const void *name, size_t len,
	uint64_t generation, bool *same, struct store_error *err);

/* Is there a dirty row (dir, name) of whatever generation? */
int stage_is_dirty(struct env_txn *t, uint64_t dir, const void *name, size_t len, bool *is_dirty,
	struct store_error *err);

/* The generation of dirty row (dir, name), 0: there is none. */
int stage_dirty_generation(struct env_txn *t, uint64_t dir, const void *name, size_t len,
	uint64_t *generation, struct store_error *err);

/* ---- a batch of changes, and its record in the pack */

enum stage_op_kind {
	STAGE_SET = 1,
	STAGE_DELETE = 2,
	STAGE_MOVE = 3,
	STAGE_RESET = 4,
	STAGE_TOUCH = 100, /* new stat data for a row found equal: no record, nothing gets dirty */
};

struct stage_batch;
struct stage_batch *stage_batch_new(void); /* Caller frees with stage_batch_free. */
void stage_batch_free(struct stage_batch *b);
void stage_batch_clear(struct stage_batch *b);
size_t stage_batch_count(const struct stage_batch *b);
size_t stage_batch_bytes(const struct stage_batch *b);
/* path: names joined by '/'; "" is the top (kind dir only: its own attributes).  Copies all. */
int stage_batch_set(struct stage_batch *b, const char *path, size_t len,
	const struct stage_row *row, struct store_error *err);
int stage_batch_delete(struct stage_batch *b, const char *path, size_t len,
	struct store_error *err);
/*
 * An entry, with all below it, to another path, in place of whatever stands there; a directory
 * keeps its number, so it costs two rows. Nothing there: no effect. STORE_EINVAL: into itself.
 */
int stage_batch_move(struct stage_batch *b, const char *from, size_t from_len, const char *to,
	size_t to_len, struct store_error *err);
int stage_batch_touch(struct stage_batch *b, const char *path, size_t len,
	const struct stage_row *row, struct store_error *err);

/*
 * What a row says of its entry: kind, content, number, recorded attributes, and nothing of the file
 * that was seen. Appended to out; of no row (NULL) nothing is.
 */
int stage_seen_add(struct buf *out, const struct stage_row *row, struct store_error *err);
/*
 * The operation added last, a set or a deletion, is for the row that was read: seen is what
 * stage_seen_add made of it. Where another stands there now, or something was changed from
 * publication `since` on in a directory that would go with all below it (since 0: where anything is
 * in that), stage_batch_apply ends with STORE_EBUSY and names the path. Directories are not made on
 * the way, so they are set before what is in them. Copies seen.
 */
int stage_batch_expect(struct stage_batch *b, const void *seen, size_t len, uint64_t since,
	struct store_error *err);

/* Append the record form of every operation but touches to the writer's stage record. */
struct odb_writer;
int stage_batch_record(const struct stage_batch *b, struct odb_writer *w, struct store_error *err);
/* Write the rows.  Inside a publication; number is its generation. */
int stage_batch_apply(const struct stage_batch *b, struct env_txn *t, uint64_t number,
	struct store_error *err);
/*
 * The same below another top, which is built aside. clean: all of it is in the cached roots there,
 * nothing gets dirty.
 */
int stage_batch_apply_to(const struct stage_batch *b, struct env_txn *t, uint64_t root, bool clean,
	uint64_t number, struct store_error *err);

/* ---- trees under fresh numbers, built where nobody looks, then put in place */

/*
 * A number goes to `dead`. owner: the registered writer that is building it, 0 when it fell out of
 * use.
 */
int stage_bury(struct env_txn *t, uint64_t dir, uint64_t owner, struct store_error *err);
/*
 * A new directory number. The top of a tree built aside is buried under its writer until it is put
 * in place.
 */
int stage_fresh(struct env_txn *t, uint64_t *dir, struct store_error *err);
/* n numbers at once: *first and the ones behind it. */
int stage_reserve(struct env_txn *t, uint64_t n, uint64_t *first, struct store_error *err);
int stage_set_dir(struct env_txn *t, uint64_t dir, const struct stage_dir *d,
	struct store_error *err);
int stage_put(struct env_txn *t, uint64_t dir, const void *name, size_t len,
	const struct stage_row *row, struct store_error *err);
/* The top becomes `dir`; the old one goes to `dead`. */
int stage_swap_root(struct env_txn *t, uint64_t dir, struct store_error *err);
/* Delete up to max rows of dead directories; *left: there is more. */
int stage_sweep(struct env_txn *t, size_t max, bool *left, struct store_error *err);

/* First publication of a repository: an empty top directory. */
int stage_create(struct env_txn *t, struct store_error *err);

#endif
