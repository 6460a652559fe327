/*
 * After a commit: the roots that were built become the cached roots of their directories, and the
 * dirty rows they were built from go. In batches; cut short anywhere it is harmless, since a dirty
 * row too many changes nothing.
 */
#ifndef STORE_WORK_SETTLE_H
#define STORE_WORK_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/build.h"
#include "work/spool.h"

struct settle {
	struct env_txn *snapshot; /* the one the tree was built from; borrowed */
	struct spool spool;       /* struct build_done, one record each */
	uint64_t dirty;           /* dirty rows read while building */
	/* Where the next batch begins. */
	bool has_record;
	struct build_done record;
	uint8_t after[256]; /* last name dealt with in record.dir */
	size_t after_len;
	bool after_set, stored;
};

void settle_init(struct settle *s, int dirfd, struct env_txn *snapshot);
void settle_release(struct settle *s);
/* For build_tree's `done`; ctx is the settle. */
int settle_note(void *ctx, const struct build_done *d, struct store_error *err);
/* Few enough for one transaction? */
bool settle_is_small(const struct settle *s);
int settle_rewind(struct settle *s, struct store_error *err);
/* One batch, inside a publication.  *done: nothing is left. */
int settle_batch(struct settle *s, struct env_txn *t, uint64_t number, bool *done,
	struct store_error *err);

#endif
