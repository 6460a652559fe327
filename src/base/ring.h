/*
 * A ring of bytes between two threads: one puts them in, the other takes them out.
 *
 * Threads: every function may be called by either, and takes the ring's lock.
 */
#ifndef STORE_BASE_RING_H
#define STORE_BASE_RING_H

#include <stdbool.h>
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
 * more, and none come, or ring_leave was called.
 */
size_t ring_take(struct ring *r, void *out, size_t len);
/* Nothing more is taken out: nobody waits any longer, on either side. */
void ring_leave(struct ring *r);

/*
 * Who puts in waits for room, or for the other side to leave, for ns nanoseconds at most; false:
 * neither has come.
 */
bool ring_await_room(struct ring *r, int64_t ns);
/* The same for the other side to leave alone. */
bool ring_await_leave(struct ring *r, int64_t ns);

/* Bytes in the ring, and in *total (may be NULL) all that were ever put in. */
size_t ring_len(struct ring *r, uint64_t *total);

#endif
