/*
 * What a writer has put but not published: a table from ids to where they stand.
 */
#ifndef STORE_ODB_PENDING_H
#define STORE_ODB_PENDING_H

#include <stddef.h>
#include <stdint.h>

#include "data/id.h"
#include "odb/odb.h"

/* Where an object of this writer stands. */
enum pending_state {
	PENDING_FREE = 0,
	PENDING_CLAIMED, /* a worker will bring it; seq says which */
	PENDING_OPEN,    /* in a block that is still open; loc.off and loc.len tell where */
	PENDING_PACKED,  /* in the pack */
};

struct pending {
	struct oid id;
	uint8_t state;
	uint8_t class; /* PENDING_OPEN: which open block */
	uint64_t seq;  /* PENDING_CLAIMED */
	struct odb_loc loc;
};

struct pending_table {
	struct pending *slots;
	size_t cap; /* power of two */
	size_t count;
};

/* The slot of id, or the free one where it would stand.  The table is not empty (cap > 0). */
struct pending *pending_find(const struct pending_table *t, const struct oid *id);
/*
 * The slot of id, made if need be (then in state PENDING_FREE, id set, counted). NULL when out of
 * memory.  Borrowed: valid until the next call on t.
 */
struct pending *pending_take(struct pending_table *t, const struct oid *id);
/* Empty a slot. */
void pending_drop(struct pending_table *t, struct pending *p);
/* Forget all but claims.  The caller frees t->slots in the end. */
void pending_keep_claims(struct pending_table *t);

#endif
