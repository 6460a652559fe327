/*
 * The ordered pipeline.  Threads: one producer, n workers, and the caller as consumer share one
 * struct run under its lock; everything else belongs to one of them at a time.
 *
 * Every item made gets the next sequence number, and lives in items[number % n_items].  Three
 * counters say where everything is:
 *
 *     consumed <= taken <= produced <= consumed + n_items
 *
 *     [0, consumed)           back in the pool
 *     [consumed, taken)       with a worker, or done[] and waiting for its turn
 *     [taken, produced)       waiting for a worker
 *
 * so the pool is the bound of every queue, a slot is reused only after its item was consumed, and
 * no list is needed.  (Without a work stage the producer marks done and `taken` is not used.)
 *
 * Errors.  `stop` is the lowest number that failed; it only falls.  Work below it goes on and is
 * consumed in order, nothing from it on is.  So the result (which items were consumed, which error
 * is returned) is that of the run on one thread, for any number of workers and any timing.  A tick
 * that cancels sets stop to what is to be consumed next: what is under way is the last.
 *
 * No wake-up is lost: every wait re-reads its condition under the lock, and every change of
 * something a condition reads signals its waiters under the lock.  No deadlock: if the next item to
 * consume is not done, it is with a worker, or waits for the next free one (lower numbers are taken
 * first), or is not made yet, and then the pool has room.
 *
 * Fault point: thread (the starting of one).
 */
#include "base/pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/thread.h"
#include "base/mem.h"
#include "base/trace.h"

#define WORKERS_MAX 64
#define TICK_NS 50000000 /* half of what is promised, for a scheduler that is late */
#define NO_STOP UINT64_MAX

struct run {
	const struct pipeline_ops *ops;
	void *ctx;
	void **items;
	size_t n_items;

	pthread_mutex_t lock;
	pthread_cond_t can_produce;  /* consumed or stop changed */
	pthread_cond_t can_work;     /* produced, ended or stop changed */
	pthread_cond_t can_consume;  /* the next one is done, ended or stop changed */
	uint64_t produced;           /* guarded by lock */
	uint64_t taken;              /* guarded by lock */
	uint64_t consumed;           /* guarded by lock; written by the caller's thread only */
	bool *done;                  /* n_items, by number % n_items; guarded by lock */
	bool ended;                  /* guarded by lock; the producer makes no more */
	uint64_t stop;               /* guarded by lock; lowest number that failed, or NO_STOP */
	int stop_rc;                 /* guarded by lock; what failed there */
	struct store_error stop_err; /* guarded by lock; likewise */
};

struct worker {
	struct run *run;
	unsigned int number;
	pthread_t thread;
};

/* Under the lock: number seq failed. */
static void note_failure(struct run *r, uint64_t seq, int rc, const struct store_error *err)
{
	if (seq >= r->stop)
		return;
	r->stop = seq;
	r->stop_rc = rc;
	r->stop_err = *err;
	if (r->stop_err.code == 0)
		store_error_set(&r->stop_err, rc, "stopped with code %d", rc);
	pthread_cond_broadcast(&r->can_produce);
	pthread_cond_broadcast(&r->can_work);
	pthread_cond_broadcast(&r->can_consume);
}

/* Under the lock: number seq may be consumed when its turn comes. */
static void mark_done(struct run *r, uint64_t seq)
{
	r->done[seq % r->n_items] = true;
	if (seq == r->consumed)
		pthread_cond_signal(&r->can_consume);
}

static void *produce_all(void *arg)
{
	struct run *r = arg;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct store_error err = { 0 };
		uint64_t seq;
		int rc;

		while (r->stop == NO_STOP && r->produced - r->consumed == r->n_items)
			pthread_cond_wait(&r->can_produce, &r->lock);
		if (r->stop != NO_STOP)
			break;
		seq = r->produced;

		pthread_mutex_unlock(&r->lock);
		rc = r->ops->produce(r->ctx, r->items[seq % r->n_items], &err);
		pthread_mutex_lock(&r->lock);

		if (rc < 0)
			note_failure(r, seq, rc, &err);
		if (rc != 0)
			break;
		r->produced++;
		if (r->ops->work)
			pthread_cond_signal(&r->can_work);
		else
			mark_done(r, seq);
	}
	r->ended = true;
	pthread_cond_broadcast(&r->can_work);
	pthread_cond_broadcast(&r->can_consume);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void *work_all(void *arg)
{
	const struct worker *w = arg;
	struct run *r = w->run;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct store_error err = { 0 };
		uint64_t seq;
		int rc;

		while (r->taken < r->stop && r->taken == r->produced && !r->ended)
			pthread_cond_wait(&r->can_work, &r->lock);
		if (r->taken >= r->stop || r->taken == r->produced)
			break;
		seq = r->taken++;

		pthread_mutex_unlock(&r->lock);
		rc = r->ops->work(r->ctx, w->number, r->items[seq % r->n_items], &err);
		pthread_mutex_lock(&r->lock);

		if (rc != 0)
			note_failure(r, seq, rc, &err);
		mark_done(r, seq);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* Under the lock, which is let go meanwhile.  A refusal stands at the front of the line. */
static void call_tick(struct run *r)
{
	struct store_error err = { 0 };
	int rc;

	if (!r->ops->tick)
		return;
	pthread_mutex_unlock(&r->lock);
	rc = r->ops->tick(r->ctx, &err);
	pthread_mutex_lock(&r->lock);
	if (rc != 0)
		note_failure(r, r->consumed, rc, &err);
}

/* Under the lock: consume the next item, which is done, and give it back to the pool. */
static void consume_next(struct run *r)
{
	const uint64_t seq = r->consumed;
	struct store_error err = { 0 };
	int rc;

	pthread_mutex_unlock(&r->lock);
	rc = r->ops->consume(r->ctx, r->items[seq % r->n_items], &err);
	pthread_mutex_lock(&r->lock);
	if (rc != 0) {
		note_failure(r, seq, rc, &err);
		return;
	}
	r->done[seq % r->n_items] = false;
	r->consumed++;
	pthread_cond_signal(&r->can_produce);
	call_tick(r);
}

static bool is_next_ready(const struct run *r)
{
	return r->consumed < r->produced && r->done[r->consumed % r->n_items];
}

/* Under the lock: nothing more will be consumed. */
static bool is_over(const struct run *r)
{
	return r->consumed >= r->stop || (r->ended && r->consumed == r->produced);
}

/* Under the lock: wait until there is something to consume or nothing ever will be, and tick. */
static void wait_for_next(struct run *r)
{
	int64_t due = clock_mono_ns() + TICK_NS;

	while (!is_next_ready(r) && !is_over(r)) {
		const struct timespec at = { due / 1000000000, due % 1000000000 };

		if (!r->ops->tick) {
			pthread_cond_wait(&r->can_consume, &r->lock);
		} else if (pthread_cond_timedwait(&r->can_consume, &r->lock, &at) == ETIMEDOUT) {
			call_tick(r);
			due = clock_mono_ns() + TICK_NS;
		}
	}
}

static void consume_all(struct run *r)
{
	pthread_mutex_lock(&r->lock);
	for (;;) {
		wait_for_next(r);
		if (is_over(r))
			break;
		consume_next(r);
	}
	/* If stop is set, taken >= consumed >= stop: workers and producer leave by themselves. */
	pthread_mutex_unlock(&r->lock);
}

/* Under no lock, nothing produced yet: send the waiting workers home. */
static void dismiss(struct run *r)
{
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	pthread_cond_broadcast(&r->can_work);
	pthread_mutex_unlock(&r->lock);
}

/*
 * Run with n_workers workers, or with as many as can be started.  False, and nothing was done, if
 * not even one of them and the producer can be.
 */
static bool run_threads(struct run *r, unsigned int n_workers)
{
	struct worker workers[WORKERS_MAX];
	unsigned int n_started = 0;
	pthread_t producer;
	bool is_running;

	while (r->ops->work && n_started < n_workers) {
		struct worker *w = &workers[n_started];

		w->run = r;
		w->number = n_started;
		if (!thread_start(&w->thread, work_all, w))
			break;
		n_started++;
	}
	is_running = (n_started > 0 || !r->ops->work) && thread_start(&producer, produce_all, r);
	if (is_running)
		consume_all(r);
	else
		dismiss(r);
	if (is_running)
		pthread_join(producer, NULL);
	for (unsigned int i = 0; i < n_started; i++)
		pthread_join(workers[i].thread, NULL);
	return is_running;
}

/* One item through all stages.  Returns 0, PIPELINE_END, or an error. */
static int run_one(const struct run *r, struct store_error *err)
{
	void *item = r->items[0];
	int rc = r->ops->produce(r->ctx, item, err);

	if (rc != 0)
		return rc < 0 ? rc : PIPELINE_END;
	if (r->ops->work)
		rc = r->ops->work(r->ctx, 0, item, err);
	if (rc == 0)
		rc = r->ops->consume(r->ctx, item, err);
	if (rc == 0 && r->ops->tick)
		rc = r->ops->tick(r->ctx, err);
	return rc;
}

/* All items through all stages, one by one, on this thread. */
static void run_alone(struct run *r)
{
	struct store_error err = { 0 };
	int rc;

	do {
		rc = run_one(r, &err);
		r->consumed += rc == 0;
	} while (rc == 0);
	if (rc != PIPELINE_END)
		note_failure(r, r->consumed, rc, &err);
}

/* Locks and conditions; the consumer waits on the monotonic clock.  Never fails on Linux. */
static void init_sync(struct run *r)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->can_produce, NULL);
	pthread_cond_init(&r->can_work, NULL);
	pthread_cond_init(&r->can_consume, &attr);
	pthread_condattr_destroy(&attr);
}

static void destroy_sync(struct run *r)
{
	pthread_cond_destroy(&r->can_consume);
	pthread_cond_destroy(&r->can_work);
	pthread_cond_destroy(&r->can_produce);
	pthread_mutex_destroy(&r->lock);
}

int pipeline_run(const struct pipeline_ops *ops, void *ctx, void **items, size_t n_items,
	unsigned int threads, struct store_error *err)
{
	const unsigned int n_workers = pipeline_threads(threads);
	struct run r = { .ops = ops,
		.ctx = ctx,
		.items = items,
		.n_items = n_items,
		.stop = NO_STOP };

	if (n_items == 0)
		return store_error_set(err, STORE_EINVAL, "a pipeline needs at least one item");
	r.done = mem_alloc_array(n_items, sizeof(*r.done));
	if (!r.done)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	init_sync(&r);
	TRACE(TRACE_PIPE, "start workers=%u items=%zu", n_workers, n_items);

	if (n_workers == 1 || n_items == 1 || !run_threads(&r, n_workers))
		run_alone(&r);

	TRACE(TRACE_PIPE, "end consumed=%llu rc=%d", (unsigned long long)r.consumed, r.stop_rc);
	if (r.stop_rc != 0 && err)
		*err = r.stop_err;
	destroy_sync(&r);
	free(r.done);
	return r.stop_rc;
}

unsigned int pipeline_threads(unsigned int threads)
{
	if (threads == 0) {
		cpu_set_t set;
		const long online = sysconf(_SC_NPROCESSORS_ONLN);

		/* What this process may use (taskset, cpuset), where it can be asked. */
		if (sched_getaffinity(0, sizeof(set), &set) == 0)
			threads = (unsigned int)CPU_COUNT(&set);
		else if (online > 0)
			threads = online < WORKERS_MAX ? (unsigned int)online : WORKERS_MAX;
	}
	if (threads == 0)
		threads = 1;
	return threads < WORKERS_MAX ? threads : WORKERS_MAX;
}
