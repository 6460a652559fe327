/*
 * Records on their way from the scanners to the batch callback: first those that are cut into
 * batches, then those that are in none yet. Both are bounded, and so are the bytes of their paths.
 *
 *     take <- [batch | batch ] [found, in no batch] <- put
 *              sending_max      found_max
 *
 * Threads: the caller's lock guards it.
 */
#ifndef STORE_WORK_WALK_RING_H
#define STORE_WORK_WALK_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define WALK_PATH_MAX 65536u

struct walk_slot {
	struct store_walk_record record; /* path points into text */
	int64_t found_ns;                /* clock_mono_ns when it was put */
	bool ends_batch;
};

struct walk_ring {
	struct walk_slot *slots; /* cap of them; the oldest is at first */
	size_t cap, first;
	size_t sending, found; /* how many are in batches, and in none; in this order from first */
	size_t batches;        /* how many ends there are among those that are sending */
	size_t batch_size, sending_max, found_max;
	char *text; /* paths, oldest first, each in one piece */
	size_t text_begin, text_end;
	struct store_walk_record *batch; /* batch_size of them: the batch that was taken */
};

/* 0 or STORE_ENOMEM. */
int walk_ring_init(struct walk_ring *r, size_t batch_size, size_t found_max, size_t sending_max,
	struct store_error *err);
void walk_ring_release(struct walk_ring *r);

/* Put a record with its path, of at most WALK_PATH_MAX bytes; false: there is no room. Copies it.
 */
bool walk_ring_put(struct walk_ring *r, const struct store_walk_record *record, int64_t now_ns);
/* Cut what makes a whole batch, where there is room for it; true if there was any. */
bool walk_ring_cut(struct walk_ring *r);
/* Make a batch of what is in none, if no other waits; true if there is one to be taken. */
bool walk_ring_cut_rest(struct walk_ring *r);
/* When the oldest record in no batch was put; INT64_MAX: there is none. */
int64_t walk_ring_oldest(const struct walk_ring *r);
/*
 * The next batch, of *n records; NULL when none is cut. It keeps its room until walk_ring_drop.
 * Borrowed: valid until walk_ring_drop.
 */
const struct store_walk_record *walk_ring_take(struct walk_ring *r, size_t *n);
/* The n records of the batch that was taken make room. */
void walk_ring_drop(struct walk_ring *r, size_t n);

#endif
