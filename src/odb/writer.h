/*
 * A writer: puts objects into a pack that publication will make real, and knows which of them the
 * repository has already.
 *
 * One writer serves one operation. Its functions are called from one thread, except claim and
 * release, which workers call, and odb_find through an attached reader.
 */
#ifndef STORE_ODB_WRITER_H
#define STORE_ODB_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "odb/odb.h"
#include "odb/pack.h"

struct odb_writer;

/* What this writer did since it began. */
struct writer_stats {
	uint64_t new_objects;  /* objects put that were not there */
	uint64_t new_bytes;    /* their plain bytes */
	uint64_t new_chunks;   /* those of kind chunk */
	uint64_t stored_bytes; /* bytes of sealed packs */
	uint64_t publications;
};

/*
 * NULL options: the odb's codec. Caller frees with writer_free, which abandons what is not
 * published.
 */
int writer_new(struct odb_writer **out, struct odb *o, struct store_error *err);
void writer_free(struct odb_writer *w);

/*
 * Register in table `writers`: from here on gc leaves alone what this writer looks up. Needed
 * before the first look-up. One publication of its own.
 */
int writer_register(struct odb_writer *w, struct store_error *err);

/* Its number in `writers`; 0: not registered. */
uint64_t writer_id(const struct odb_writer *w);

/* A reader that sees pending objects too.  Borrowed: valid until writer_free. */
struct odb_reader *writer_reader(struct odb_writer *w);

/*
 * Keep data as an object unless it is known; *out_id its id. Small objects gather in blocks. Copies
 * data.
 */
int writer_put(struct odb_writer *w, enum kind kind, const void *data, size_t len,
	struct oid *out_id, struct store_error *err);

/*
 * Workers: who brings object id?  seq: sequence number of the caller's item.
 *   0: nobody has it: the caller must bring it, its claim is noted;
 *   1: the repository, or an item of the same or a lower number, has it: it need not be brought.
 * Negative: error.  reader is the worker's own.
 */
int writer_claim(struct odb_writer *w, struct odb_reader *reader, const struct oid *id,
	uint64_t seq, struct store_error *err);

/*
 * Append a block that a worker encoded to wire. A block that is one chunk already pending is
 * dropped.
 */
int writer_add_block(struct odb_writer *w, const struct pack_block *b, const uint8_t *wire,
	struct store_error *err);

/*
 * Append one operation to the stage record (bytes as in store-format(5), from `op` on).  There may
 * be any number of them: the record goes to the pack in parts.  Since records stand behind all
 * else, the objects of the publication are put first.  Copies op.
 */
int writer_add_op(struct odb_writer *w, const void *op, size_t len, struct store_error *err);

/* Something to publish? */
bool writer_is_empty(const struct odb_writer *w);
/* Batch limits reached: 64 MiB of pack, 2,000 objects, 5,000 operations or 1 MiB of them. */
bool writer_is_full(const struct odb_writer *w);
void writer_get_stats(const struct odb_writer *w, struct writer_stats *out);

/*
 * Visit the objects of the next publication: 0 goes on, anything else ends and is returned. fn may
 * read, not put.
 */
typedef int writer_pending_fn(void *ctx, const struct oid *id, enum kind kind,
	struct store_error *err);
int writer_each_pending(struct odb_writer *w, writer_pending_fn *fn, void *ctx,
	struct store_error *err);
/*
 * The operations gathered for its stage record; those of parts that went to the pack are not among
 * them any more.  Borrowed: valid until the next call on w.
 */
void writer_pending_ops(const struct odb_writer *w, const void **data, size_t *len);

/*
 * A checkpoint inside a big file: kept under this writer's row with the next publication, so that a
 * later writer may go on. len 0 takes it away. Copies data.
 */
int writer_set_checkpoint(struct odb_writer *w, const void *data, size_t len,
	struct store_error *err);

/*
 * Visit checkpoints that dead writers left (newest first is not promised): 0 goes on, anything else
 * ends and is returned.
 */
typedef int writer_checkpoint_fn(void *ctx, uint64_t writer, const void *data, size_t len);
int writer_each_checkpoint(struct odb *o, writer_checkpoint_fn *fn, void *ctx,
	struct store_error *err);
/* Take over the dead writer's row: it is deleted with the next publication. */
void writer_adopt(struct odb_writer *w, uint64_t dead_writer);

#endif
