/*
 * What writer.c and publish.c share.
 * Threads: table and stats under lock; the rest belongs to the owner of the writer.
 */
#ifndef STORE_ODB_WRITER_INTERNAL_H
#define STORE_ODB_WRITER_INTERNAL_H

#include <pthread.h>

#include "data/hash.h"
#include "odb/odb_internal.h"
#include "odb/pack_write.h"
#include "odb/pending.h"
#include "odb/writer.h"

struct odb_writer {
	struct odb *odb;
	struct odb_reader *reader;
	struct codec_ctx *codec;
	struct hash *hash;
	struct pack_write pack;
	uint64_t pack_serial; /* ODB_PENDING | a number of this process: names the pack in the cache
			       */
	struct pack_block content, nodes; /* open blocks of small objects */
	struct buf wire;                  /* the block that is encoded */
	struct buf ops;                   /* operations of the stage record being gathered */
	size_t op_count;                  /* in ops */
	/* Operations since the last publication, and their bytes: those of ops, and before them. */
	uint64_t batch_ops, batch_op_bytes;
	pthread_mutex_t lock;
	struct pending_table table; /* guarded by lock */
	struct writer_stats stats;
	/* The row in table `writers`. */
	uint64_t id; /* 0: not registered */
	uint64_t epoch;
	char sign[TMP_NAME]; /* the locked file that proves life */
	int sign_fd;
	struct buf checkpoint;
	bool checkpoint_changed;
	uint64_t adopted; /* a dead writer's row to delete, or 0 */
};

/*
 * Row of table `writers`: epoch, seconds since 1970 when written, name of the sign of life, then
 * the checkpoint.
 */
#define WRITER_ROW_HEAD (16 + TMP_NAME)
#define WRITER_ROW_SIGN 16
#define WRITER_CHECKPOINT_S \
	((int64_t)14 * 24 * 3600) /* a dead writer's checkpoint is kept that long */
int writer_row_put(struct odb_writer *w, struct env_txn *txn, struct store_error *err);
/* Own row still there, adopted one deleted, checkpoint stored. */
int writer_row_renew(struct odb_writer *w, struct env_txn *txn, struct store_error *err);
/* Look at what is pending, when STORE_CHECK_CLOSURE asks for it (publish_set_closure). */
int publish_check_closure(struct odb_writer *w, struct store_error *err);
/*
 * Close open blocks and records into the pack and seal it. Nothing to do: 0 and the pack stays
 * closed.
 */
int writer_seal(struct odb_writer *w, struct store_error *err);
/* After publication: the pack belongs to the repository; be ready for the next. */
void writer_published(struct odb_writer *w);

#endif
