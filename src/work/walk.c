/*
 * store_walk: scanners find, the thread that called hands over.
 *
 *     queue of directories -> scanner × n -> ring of records -> batches -> callback
 *            ^------------------|
 *
 * Invariants:
 *  1. A directory is in the queue or with one scanner until it was read; the walk is through when
 *     there is none in either, and not before: no scanner ends because it has waited for long.
 *  2. The queue takes every directory, for it spills; so a scanner never waits for another one, but
 *     only for the thread that called, which waits for nothing but the callbacks.
 *  3. A record leaves with its batch: when that is full, when it is batch_ms old, or at the end.
 *  4. Callbacks run without the lock, and what they are given is not touched meanwhile.
 *
 * With one scanner no thread is started: it looks after each name whether something is to be handed
 * over.
 *
 * Threads: struct walk is shared under its lock; each field says so in walk_internal.h.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "work/walk_internal.h"

#define TICK_NS 100000000

/* ---- under the lock */

static void end_walk(struct walk *w, int rc, const struct store_error *why)
{
	if (w->rc == 0) {
		w->rc = rc;
		w->err = *why;
	}
	atomic_store(&w->stop, true);
	pthread_cond_broadcast(&w->can_scan);
	pthread_cond_broadcast(&w->can_put);
	pthread_cond_signal(&w->can_take);
}

static void cancel(struct walk *w)
{
	struct store_error err = { 0 };

	end_walk(w, store_error_set(&err, STORE_ECANCELED, "canceled"), &err);
}

static struct store_walk_stats snapshot(struct walk *w)
{
	w->now.spilled = w->queue.spilled;
	return w->now;
}

static void hand_failure(struct walk *w)
{
	struct walk_failure *f = &w->failures[w->failures_first];
	const char *path = buf_str(&f->path);
	const struct store_walk_failure told = { path ? path : "", path ? f->path.len : 0, f->root,
		f->depth, f->why };

	pthread_mutex_unlock(&w->lock);
	w->plan->o.failure(w->plan->o.payload, &told);
	pthread_mutex_lock(&w->lock);
	w->failures_first = (w->failures_first + 1) % WALK_FAILURES;
	w->failures_count--;
	pthread_cond_broadcast(&w->can_put);
}

static void hand_batch(struct walk *w)
{
	const struct store_walk_options *o = &w->plan->o;
	struct store_walk_batch b = { 0 };
	struct store_walk_stats stats;
	int rc;

	b.records = walk_ring_take(&w->ring, &b.n);
	w->now.batches++;
	w->now.sent += b.n;
	stats = snapshot(w);
	b.stats = &stats;
	pthread_mutex_unlock(&w->lock);
	rc = o->batch(o->payload, &b);
	pthread_mutex_lock(&w->lock);
	walk_ring_drop(&w->ring, b.n);
	walk_ring_cut(&w->ring);
	pthread_cond_broadcast(&w->can_put);
	if (rc == 0)
		return;
	w->now.batch_errors++;
	if (rc == STORE_ECANCELED) {
		cancel(w);
	} else if (o->flags & STORE_WALK_STRICT_BATCH) {
		struct store_error err = { 0 };

		end_walk(w, rc, (store_error_set(&err, rc, "a batch failed"), &err));
	}
}

/* When something has to be done at the latest, whoever calls meanwhile. */
static int64_t next_deadline(const struct walk *w)
{
	const int64_t oldest = walk_ring_oldest(&w->ring);
	const int64_t wait = (int64_t)w->plan->o.batch_ms * 1000000;
	const int64_t tick = w->plan->o.progress ? w->ticked_ns + TICK_NS : INT64_MAX;
	const int64_t leave = oldest < INT64_MAX - wait ? oldest + wait : INT64_MAX;

	return leave < tick ? leave : tick;
}

static void tick(struct walk *w, int64_t now_ns, bool is_last)
{
	const struct store_walk_options *o = &w->plan->o;
	const struct store_walk_stats stats = snapshot(w);
	int rc;

	if (!o->progress || (!is_last && now_ns - w->ticked_ns < TICK_NS))
		return;
	w->ticked_ns = now_ns;
	pthread_mutex_unlock(&w->lock);
	rc = o->progress(o->payload, &stats);
	pthread_mutex_lock(&w->lock);
	if (rc != 0 && !is_last)
		cancel(w);
}

/* Do one thing that is to be done; false: there is none. */
static bool serve(struct walk *w)
{
	const int64_t now = clock_mono_ns();

	tick(w, now, false);
	if (atomic_load(&w->stop))
		return false;
	if (w->failures_count > 0) {
		hand_failure(w);
		return true;
	}
	if (w->running == 0 ||
		now - walk_ring_oldest(&w->ring) >= (int64_t)w->plan->o.batch_ms * 1000000)
		walk_ring_cut_rest(&w->ring);
	if (w->ring.batches == 0)
		return false;
	hand_batch(w);
	return true;
}

static void wait_until(struct walk *w, int64_t deadline)
{
	const struct timespec at = { deadline / 1000000000, deadline % 1000000000 };

	if (deadline == INT64_MAX)
		pthread_cond_wait(&w->can_take, &w->lock);
	else
		pthread_cond_timedwait(&w->can_take, &w->lock, &at);
}

/* A scanner waits for room: alone it makes some. */
static void wait_for_room(struct walk *w)
{
	if (walk_ring_cut_rest(&w->ring) || w->failures_count > 0)
		pthread_cond_signal(&w->can_take);
	if (!w->is_alone)
		pthread_cond_wait(&w->can_put, &w->lock);
	else
		serve(w);
}

/* ---- what scanners call */

void walk_send(struct walk *w, const struct store_walk_record *record)
{
	const int64_t now = clock_mono_ns();
	bool is_put = false;

	pthread_mutex_lock(&w->lock);
	while (!atomic_load(&w->stop) && !(is_put = walk_ring_put(&w->ring, record, now)))
		wait_for_room(w);
	if (is_put) {
		w->now.files++;
		w->now.bytes += record->type == STORE_WALK_FILE ? record->size : 0;
		/* The first one begins the time that its batch has. */
		if (walk_ring_cut(&w->ring) || w->ring.found == 1)
			pthread_cond_signal(&w->can_take);
	}
	pthread_mutex_unlock(&w->lock);
}

void walk_fail(struct walk *w, uint32_t root, uint32_t depth, const char *path, size_t len,
	const struct store_error *why)
{
	pthread_mutex_lock(&w->lock);
	while (w->plan->o.failure && w->failures_count == WALK_FAILURES && !atomic_load(&w->stop))
		wait_for_room(w);
	w->now.errors++;
	if (w->plan->o.failure && w->failures_count < WALK_FAILURES) {
		const size_t at = (w->failures_first + w->failures_count) % WALK_FAILURES;
		struct walk_failure *f = &w->failures[at];

		f->why = *why;
		f->root = root;
		f->depth = depth;
		/* Without memory its line still tells it. */
		buf_clear(&f->path);
		buf_add(&f->path, path, len);
		w->failures_count++;
		pthread_cond_signal(&w->can_take);
	}
	if (w->plan->o.flags & STORE_WALK_STRICT)
		end_walk(w, why->code, why);
	pthread_mutex_unlock(&w->lock);
}

void walk_end(struct walk *w, int rc, const struct store_error *why)
{
	pthread_mutex_lock(&w->lock);
	end_walk(w, rc, why);
	pthread_mutex_unlock(&w->lock);
}

void walk_breathe(struct walk *w)
{
	if (!w->is_alone)
		return;
	pthread_mutex_lock(&w->lock);
	while (serve(w))
		;
	pthread_mutex_unlock(&w->lock);
}

/* ---- the thread that called */

static void *scan_thread(void *arg)
{
	struct walk *w = arg;

	walk_scan(w);
	pthread_mutex_lock(&w->lock);
	w->running--;
	pthread_cond_signal(&w->can_take);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Hand over until nothing comes any more. */
static void serve_all(struct walk *w)
{
	pthread_mutex_lock(&w->lock);
	while (!atomic_load(&w->stop)) {
		if (serve(w))
			continue;
		/* Nothing was to be done, and nobody can bring anything. */
		if (w->running == 0 || atomic_load(&w->stop))
			break;
		wait_until(w, next_deadline(w));
	}
	pthread_mutex_unlock(&w->lock);
}

static void run(struct walk *w)
{
	const unsigned int wanted = w->plan->o.scanners;
	pthread_t threads[WALK_SCANNERS_MAX];
	unsigned int n = 0;

	w->running = wanted;
	while (!w->is_alone && n < wanted && thread_start(&threads[n], scan_thread, w))
		n++;
	pthread_mutex_lock(&w->lock);
	w->running -= wanted - n;
	pthread_mutex_unlock(&w->lock);
	if (n == 0) {
		w->is_alone = true;
		w->running = 1;
		walk_scan(w);
		w->running = 0;
	}
	serve_all(w);
	for (unsigned int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

/* A stack gives back first what came last. */
static int put_roots(struct walk *w, size_t n, struct store_error *err)
{
	struct walk_dir d = { 0 };
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		d.root = (uint32_t)(w->queue.is_stack ? n - 1 - i : i);
		rc = walk_queue_put(&w->queue, &d, err);
		w->now.pending += rc == 0;
	}
	return rc;
}

static int check_roots(const char *const *roots, size_t n, struct store_error *err)
{
	if (n >= UINT32_MAX)
		return store_error_set(err, STORE_EINVAL, "too many roots");
	for (size_t i = 0; i < n; i++)
		if (!roots[i] || !*roots[i])
			return store_error_set(err, STORE_EINVAL, "a root is empty");
	return 0;
}

static void init_sync(struct walk *w)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->can_scan, NULL);
	pthread_cond_init(&w->can_put, NULL);
	pthread_cond_init(&w->can_take, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void release(struct walk *w)
{
	pthread_cond_destroy(&w->can_scan);
	pthread_cond_destroy(&w->can_put);
	pthread_cond_destroy(&w->can_take);
	pthread_mutex_destroy(&w->lock);
	for (size_t i = 0; i < WALK_FAILURES; i++)
		buf_release(&w->failures[i].path);
	walk_queue_release(&w->queue);
	walk_ring_release(&w->ring);
}

/* What is left to be told when it is over, however it ended. */
static int finish(struct walk *w, struct store_walk_stats *result, struct store_error *err)
{
	pthread_mutex_lock(&w->lock);
	while (w->failures_count > 0)
		hand_failure(w);
	w->now.complete = w->rc == 0;
	tick(w, clock_mono_ns(), true);
	if (result)
		*result = snapshot(w);
	pthread_mutex_unlock(&w->lock);
	if (w->rc != 0 && err)
		*err = w->err;
	return w->rc;
}

int store_walk(const char *const *roots, size_t n, const struct store_walk_options *options,
	struct store_walk_stats *result, struct store_error *err)
{
	struct walk_plan plan;
	struct walk w = { .plan = &plan, .roots = roots, .queue = { .fd = -1 } };
	int rc = walk_plan_make(&plan, options, err);

	if (result)
		memset(result, 0, sizeof(*result));
	if (rc == 0)
		rc = check_roots(roots, n, err);
	if (rc != 0) {
		walk_plan_release(&plan);
		return rc;
	}
	init_sync(&w);
	w.is_alone = plan.o.scanners == 1;
	w.ticked_ns = clock_mono_ns();
	walk_queue_init(&w.queue, (plan.o.flags & STORE_WALK_DEPTH_FIRST) != 0,
		plan.o.directories_max, plan.o.scratch);
	rc = walk_ring_init(&w.ring, plan.o.batch_size, plan.o.found_max, plan.o.sending_max, err);
	if (rc == 0)
		rc = put_roots(&w, n, err);
	if (rc == 0) {
		run(&w);
		rc = finish(&w, result, err);
	}
	release(&w);
	walk_plan_release(&plan);
	return rc;
}
