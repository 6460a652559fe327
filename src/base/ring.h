/*
 * A ring of bytes between two threads: one puts them in, the other takes them out.
 *
 * Threads: every function may be called by either, and takes the ring's lock.
 */
#ifndef STORE_BASE_RING_H
#define STORE_BASE_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring;

/* Room for cap bytes.  NULL when out of memory.  Caller frees with ring_free. */
struct ring *ring_new(size_t cap);
/* No thread may be in a call on it.  r may be NULL. */
void ring_free(struct ring *r);

/*
 * As many of len bytes as have room, at least one, for which it waits; returns how many. 0: the
 * other side has left. Copies data.
 */
size_t ring_put(struct ring *r, const void *data, size_t len);
/* Nothing more is put in. */
void ring_end(struct ring *r);

/*
 * Up to len bytes into out, at least one, for which it waits; returns how many. 0: there are no
 * more, and none come.
 */
size_t ring_take(struct ring *r, void *out, size_t len);
/* Nothing more is taken out: who puts waits no longer. */
void ring_leave(struct ring *r);

/* Bytes in the ring, and in *total (may be NULL) all that were ever put in. */
size_t ring_len(struct ring *r, uint64_t *total);

#endif
