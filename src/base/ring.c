/*
 * Bytes lie in one piece or in two, around the end of the buffer; each call moves one piece.
 *
 * Threads: all fields are guarded by lock. `filled` wakes who takes, `drained` who puts; there is
 * one of each, so one signal is enough. Who puts waits on the monotonic clock.
 */
#include "base/ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"

struct ring {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	uint8_t *data;
	size_t cap, start, len;
	uint64_t total;
	bool has_ended, has_left;
};

/* Never fails on Linux. */
static void init_sync(struct ring *r)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->filled, NULL);
	pthread_cond_init(&r->drained, &attr);
	pthread_condattr_destroy(&attr);
}

struct ring *ring_new(size_t cap)
{
	struct ring *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->cap = cap;
	r->data = FAULT("malloc") ? NULL : malloc(cap);
	if (!r->data) {
		free(r);
		return NULL;
	}
	init_sync(r);
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	pthread_cond_destroy(&r->filled);
	pthread_cond_destroy(&r->drained);
	pthread_mutex_destroy(&r->lock);
	free(r->data);
	free(r);
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

size_t ring_put(struct ring *r, const void *data, size_t len)
{
	size_t n = 0;

	pthread_mutex_lock(&r->lock);
	while (r->len == r->cap && !r->has_left)
		pthread_cond_wait(&r->drained, &r->lock);
	if (!r->has_left) {
		const size_t end = (r->start + r->len) % r->cap;

		n = smallest(len, r->cap - r->len, r->cap - end);
		memcpy(r->data + end, data, n);
		r->len += n;
		r->total += n;
		pthread_cond_signal(&r->filled);
	}
	pthread_mutex_unlock(&r->lock);
	return n;
}

void ring_end(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->has_ended = true;
	pthread_cond_signal(&r->filled);
	pthread_mutex_unlock(&r->lock);
}

size_t ring_take(struct ring *r, void *out, size_t len)
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	while (r->len == 0 && !r->has_ended && !r->has_left)
		pthread_cond_wait(&r->filled, &r->lock);
	n = r->has_left ? 0 : smallest(len, r->len, r->cap - r->start);
	memcpy(out, r->data + r->start, n);
	r->start = (r->start + n) % r->cap;
	r->len -= n;
	if (n > 0)
		pthread_cond_signal(&r->drained);
	pthread_mutex_unlock(&r->lock);
	return n;
}

void ring_leave(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->has_left = true;
	pthread_cond_signal(&r->drained);
	pthread_cond_signal(&r->filled);
	pthread_mutex_unlock(&r->lock);
}

static bool await(struct ring *r, bool room_is_enough, int64_t ns)
{
	const int64_t due = clock_mono_ns() + ns;
	const struct timespec at = { due / 1000000000, due % 1000000000 };
	bool has_come;
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	do {
		has_come = r->has_left || (room_is_enough && r->len < r->cap);
		if (!has_come)
			rc = pthread_cond_timedwait(&r->drained, &r->lock, &at);
	} while (!has_come && rc != ETIMEDOUT);
	pthread_mutex_unlock(&r->lock);
	return has_come;
}

bool ring_await_room(struct ring *r, int64_t ns)
{
	return await(r, true, ns);
}

bool ring_await_leave(struct ring *r, int64_t ns)
{
	return await(r, false, ns);
}

size_t ring_len(struct ring *r, uint64_t *total)
{
	size_t len;

	pthread_mutex_lock(&r->lock);
	len = r->len;
	if (total)
		*total = r->total;
	pthread_mutex_unlock(&r->lock);
	return len;
}
