/*
 * Publication: the one way in which anything becomes real.
 *
 * Under the gate, in one LMDB transaction:
 *   1. preconditions and rows (the caller's `apply`, then the pack's own rows);
 *   2. rename the pack from tmp/ to packs/, fsync packs/;
 *   3. the refs.log record, fsync;
 *   4. LMDB commit.
 * When the map is full it is run again from 1. Any other failure before 4 takes the pack back to
 * tmp/. After a commit that the system refused, for whatever reason, the files of the database are
 * looked at anew: when our number is in them, it was done. When that cannot be found out, all stays
 * as it is, and whoever takes the gate next decides.
 */
#ifndef STORE_ODB_PUBLISH_H
#define STORE_ODB_PUBLISH_H

#include "odb/env.h"
#include "odb/odb.h"
#include "odb/writer.h"

struct publication {
	struct odb_writer *writer; /* whose pack goes in; NULL or empty: no pack */
	/*
	 * Check preconditions and write rows; number is this publication's. May be called again
	 * after ENV_FULL, from the start, in a new transaction. NULL: nothing to do.
	 */
	int (*apply)(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err);
	/*
	 * The refs.log record of this publication, complete, into out. NULL: refs do not change.
	 */
	int (*log)(void *ctx, uint64_t number, struct buf *out, struct store_error *err);
	void *ctx;
	/*
	 * The caller keeps a read transaction open: then a full map is ENV_FULL, and the caller
	 * ends it, calls env_grow and starts over.
	 */
	bool keeps_snapshot;
	/*
	 * A favour, not a duty: when another holds the gate, it fails at once (STORE_EBUSY), and
	 * when the map is full (ENV_FULL).
	 */
	bool only_if_free;
};

/*
 * Publish. *number (may be NULL) is the publication number. On STORE_E* nothing of it is visible.
 * STORE_EBUSY: the gate, or what apply says. The writer is ready for more afterwards; after a
 * failure it may only be freed.
 */
int publish(struct odb *o, const struct publication *p, uint64_t *number, struct store_error *err);

/* The number the next publication will have: also the epoch of a look-up now. */
int publish_next(struct env_txn *txn, uint64_t *number, struct store_error *err);

/*
 * Does table `packs` have this pack?  STORE_ENOTFOUND without message: no row has its number.
 * STORE_ECORRUPT: the row is another pack's, or none at all.
 */
int publish_knows_pack(struct env_txn *txn, uint64_t number, const uint8_t random[16],
	struct store_error *err);

/*
 * Called before a publication with STORE_CHECK_CLOSURE=1: every object in the pack must have all
 * its children in the pack or the database. The graph floor, which knows what children are, sets it
 * once.
 */
typedef int publish_closure_fn(struct odb_writer *w, struct store_error *err);
void publish_set_closure(publish_closure_fn *fn);

#endif
