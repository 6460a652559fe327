/* The ordered pipeline: same result for any number of workers, any pool and any timing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/pipeline.h"

#define POOL_MAX 32
#define NEVER UINT64_MAX

struct item {
	atomic_int holder; /* 0 the pool, 1 producer, 2 worker, 3 consumer, 9 on its way */
	uint64_t number;
	uint64_t result;
};

/* One run: what to do, and what was seen. */
struct plan {
	uint64_t count;                      /* items to produce */
	uint64_t fail_produce, fail_consume; /* number that fails, or NEVER */
	const bool *fail_work;               /* count flags, or NULL */
	unsigned int delay_us;               /* the longest random delay of a stage */
	unsigned int slow_consume_us;
	uint64_t cancel_after; /* ticks until tick refuses, or NEVER */
	size_t pool;
	unsigned int threads;
	bool has_no_work, has_no_tick;

	pthread_t caller;
	atomic_uint_least64_t produced, worked;
	uint64_t consumed, ticks;
	atomic_uint_least64_t ahead_max;
	atomic_uint_least64_t given_back; /* as consumed, for other threads */
	atomic_int busy[64];              /* workers at work */
	atomic_int faults_seen;
	struct item items[POOL_MAX];
	struct store_error err;
};

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

static void dawdle(const struct plan *p, uint64_t salt)
{
	const uint64_t r = mix(salt * 2654435761u + p->threads);

	/* Most are quick, some take long: neighbours overtake each other. */
	if (p->delay_us > 0 && r % 3 == 0)
		usleep((useconds_t)(r >> 8) % p->delay_us);
}

/* Count instead of asserting: cmocka's asserts must not jump out of another thread. */
static void expect(struct plan *p, bool is_true)
{
	if (!is_true)
		atomic_fetch_add(&p->faults_seen, 1);
}

static int produce(void *ctx, void *arg, struct store_error *err)
{
	struct plan *p = ctx;
	struct item *item = arg;
	const uint64_t number = atomic_load(&p->produced);
	const uint64_t ahead = number + 1 - atomic_load(&p->given_back);

	expect(p, atomic_exchange(&item->holder, 1) == 0);
	expect(p, pthread_equal(pthread_self(), p->caller) == (p->threads == 1));
	if (ahead > atomic_load(&p->ahead_max))
		atomic_store(&p->ahead_max, ahead);
	dawdle(p, number * 3);
	if (number == p->fail_produce) {
		atomic_store(&item->holder, 0);
		return store_error_set(err, STORE_EIO, "produce %d", (int)number);
	}
	if (number == p->count) {
		atomic_store(&item->holder, 0);
		return PIPELINE_END;
	}
	item->number = number;
	item->result = 0;
	atomic_store(&p->produced, number + 1);
	atomic_store(&item->holder, 9);
	return 0;
}

static int work(void *ctx, unsigned int worker, void *arg, struct store_error *err)
{
	struct plan *p = ctx;
	struct item *item = arg;

	expect(p, atomic_exchange(&item->holder, 2) == 9);
	expect(p, worker < p->threads);
	expect(p, atomic_fetch_add(&p->busy[worker], 1) == 0);
	dawdle(p, item->number * 3 + 1);
	item->result = mix(item->number);
	atomic_fetch_add(&p->worked, 1);
	atomic_fetch_sub(&p->busy[worker], 1);
	atomic_store(&item->holder, 9);
	if (p->fail_work && p->fail_work[item->number])
		return store_error_set(err, STORE_ECORRUPT, "work %d", (int)item->number);
	/* A message without an error must not come out. */
	store_error_set(err, STORE_EBUSY, "stray");
	return 0;
}

static int consume(void *ctx, void *arg, struct store_error *err)
{
	struct plan *p = ctx;
	struct item *item = arg;

	expect(p, atomic_exchange(&item->holder, 3) == 9);
	expect(p, pthread_equal(pthread_self(), p->caller) != 0);
	expect(p, item->number == p->consumed);
	expect(p, item->result == (p->has_no_work ? 0 : mix(item->number)));
	dawdle(p, item->number * 3 + 2);
	if (p->slow_consume_us > 0)
		usleep(p->slow_consume_us);
	if (p->consumed == p->fail_consume)
		return store_error_set(err, STORE_ENOSPACE, "consume %d", (int)p->consumed);
	p->consumed++;
	atomic_store(&item->holder, 0);
	atomic_fetch_add(&p->given_back, 1);
	return 0;
}

static int tick(void *ctx, struct store_error *err)
{
	struct plan *p = ctx;

	expect(p, pthread_equal(pthread_self(), p->caller) != 0);
	if (++p->ticks > p->cancel_after)
		return store_error_set(err, STORE_ECANCELED, "tick");
	return 0;
}

static int run(struct plan *p)
{
	const struct pipeline_ops ops = { produce, p->has_no_work ? NULL : work, consume,
		p->has_no_tick ? NULL : tick };
	void *items[POOL_MAX];
	int rc;

	p->caller = pthread_self();
	p->consumed = p->ticks = 0;
	atomic_store(&p->produced, 0);
	atomic_store(&p->worked, 0);
	atomic_store(&p->given_back, 0);
	atomic_store(&p->ahead_max, 0);
	store_error_clear(&p->err);
	for (size_t i = 0; i < POOL_MAX; i++) {
		atomic_store(&p->items[i].holder, 0);
		items[i] = &p->items[i];
	}
	alarm(120); /* a deadlock is a failure, not a wait */
	rc = pipeline_run(&ops, p, items, p->pool, p->threads, &p->err);
	alarm(0);
	assert_int_equal(atomic_load(&p->faults_seen), 0);
	assert_true(atomic_load(&p->ahead_max) <= p->pool);
	return rc;
}

static struct plan new_plan(uint64_t count)
{
	return (struct plan){ .count = count,
		.fail_produce = NEVER,
		.fail_consume = NEVER,
		.cancel_after = NEVER,
		.pool = 8,
		.threads = 1 };
}

static const unsigned int thread_counts[] = { 1, 2, 7 };
static const size_t pools[] = { 2, 3, 16 };

#define FOR_EACH_SHAPE(p) \
	for (size_t t_ = 0; t_ < 3; t_++) \
		for (size_t q_ = 0; \
			(p).threads = thread_counts[t_], (p).pool = pools[q_ % 3], q_ < 3; q_++)

static void test_pipeline__all_items_in_order_for_any_shape(void **state)
{
	struct plan p = new_plan(400);

	(void)state;
	p.delay_us = 600;
	FOR_EACH_SHAPE(p)
	{
		assert_int_equal(run(&p), 0);
		assert_int_equal(p.consumed, 400);
		assert_int_equal(atomic_load(&p.worked), 400);
		assert_true(p.ticks >= 400);
		assert_int_equal(p.err.code, 0);
	}
}

/* No delays at all: the threads race for the lock. */
static void test_pipeline__many_quick_items_lose_no_wakeup(void **state)
{
	struct plan p = new_plan(20000);

	(void)state;
	p.has_no_tick = true; /* a tick would wake a consumer that was forgotten */
	FOR_EACH_SHAPE(p)
	{
		assert_int_equal(run(&p), 0);
		assert_int_equal(p.consumed, 20000);
	}
}

static void test_pipeline__without_a_work_stage(void **state)
{
	struct plan p = new_plan(2000);

	(void)state;
	p.has_no_work = true;
	FOR_EACH_SHAPE(p)
	{
		assert_int_equal(run(&p), 0);
		assert_int_equal(p.consumed, 2000);
		assert_int_equal(atomic_load(&p.worked), 0);
	}
}

static void test_pipeline__nothing_to_do(void **state)
{
	struct plan p = new_plan(0);

	(void)state;
	FOR_EACH_SHAPE(p)
	assert_int_equal(run(&p), 0);
	p.fail_produce = 0;
	FOR_EACH_SHAPE(p)
	{
		assert_int_equal(run(&p), STORE_EIO);
		assert_string_equal(p.err.msg, "produce 0");
	}
}

/*
 * Failures at random numbers in all stages: the lowest is returned, and all before it was consumed.
 */
static void test_pipeline__lowest_error_wins_in_any_shape(void **state)
{
	struct plan p = new_plan(60);
	bool fail_work[61];

	(void)state;
	p.fail_work = fail_work;
	p.delay_us = 400;
	srandom(3);
	for (int round = 0; round < 25; round++) {
		uint64_t lowest = 60;
		const char *stage = "";
		char want[40];

		memset(fail_work, 0, sizeof(fail_work));
		for (int i = 0; i < 4; i++)
			fail_work[20 + random() % 40] = true;
		p.fail_produce = (uint64_t)(15 + random() % 60);
		p.fail_consume = (uint64_t)(15 + random() % 60);
		for (uint64_t i = 60; i-- > 0;) {
			if (i == p.fail_produce)
				stage = "produce";
			else if (fail_work[i])
				stage = "work";
			else if (i == p.fail_consume)
				stage = "consume";
			else
				continue;
			lowest = i;
		}
		snprintf(want, sizeof(want), "%s %d", stage, (int)lowest);
		FOR_EACH_SHAPE(p)
		{
			const int rc = run(&p);

			assert_string_equal(p.err.msg, want);
			assert_int_equal(rc, p.err.code);
			assert_int_equal(p.consumed, lowest);
		}
	}
}

/* The higher number fails long before the lower one does. */
static int work_backwards(void *ctx, unsigned int worker, void *arg, struct store_error *err)
{
	const struct item *item = arg;

	(void)ctx;
	(void)worker;
	usleep((useconds_t)(4 - item->number) * 30000);
	return store_error_set(err, STORE_ECORRUPT, "work %d", (int)item->number);
}

static void test_pipeline__a_later_failure_of_a_lower_number_still_wins(void **state)
{
	const struct pipeline_ops ops = { produce, work_backwards, consume, NULL };
	struct plan p = new_plan(4);
	void *items[4];

	(void)state;
	p.threads = 4;
	p.caller = pthread_self();
	for (size_t i = 0; i < 4; i++)
		items[i] = &p.items[i];
	assert_int_equal(pipeline_run(&ops, &p, items, 4, 4, &p.err), STORE_ECORRUPT);
	assert_string_equal(p.err.msg, "work 0");
}

static void test_pipeline__an_error_stops_the_rest_soon(void **state)
{
	struct plan p = new_plan(1000000);
	bool *fail_work = calloc(1000001, 1);

	(void)state;
	fail_work[10] = true;
	p.fail_work = fail_work;
	FOR_EACH_SHAPE(p)
	{
		assert_int_equal(run(&p), STORE_ECORRUPT);
		assert_int_equal(p.consumed, 10);
		assert_true(atomic_load(&p.produced) <= 11 + p.pool);
	}
	free(fail_work);
}

/* Number 0 fails once the pool is full; the others are slow. */
static int work_first_fails(void *ctx, unsigned int worker, void *arg, struct store_error *err)
{
	struct plan *p = ctx;
	const struct item *item = arg;

	(void)worker;
	atomic_fetch_add(&p->worked, 1);
	if (item->number > 0) {
		usleep(200000);
		return 0;
	}
	while (atomic_load(&p->produced) < 16)
		usleep(1000);
	return store_error_set(err, STORE_ECORRUPT, "work 0");
}

static void test_pipeline__what_waits_behind_an_error_is_not_worked_on(void **state)
{
	const struct pipeline_ops ops = { produce, work_first_fails, consume, NULL };
	struct plan p = new_plan(1000);
	void *items[16];

	(void)state;
	p.threads = 2;
	p.caller = pthread_self();
	for (size_t i = 0; i < 16; i++)
		items[i] = &p.items[i];
	assert_int_equal(pipeline_run(&ops, &p, items, 16, 2, &p.err), STORE_ECORRUPT);
	assert_true(atomic_load(&p.worked) <= 4);
}

static void test_pipeline__an_error_is_known_without_an_error_object(void **state)
{
	const struct pipeline_ops ops = { produce, NULL, consume, NULL };
	struct plan p = new_plan(10);
	void *items[2] = { &p.items[0], &p.items[1] };

	(void)state;
	p.has_no_work = true;
	p.fail_consume = 3;
	for (p.threads = 1; p.threads < 3; p.threads++) {
		p.caller = pthread_self();
		p.consumed = 0;
		atomic_store(&p.produced, 0);
		atomic_store(&p.given_back, 0);
		atomic_store(&p.items[0].holder, 0);
		atomic_store(&p.items[1].holder, 0);
		assert_int_equal(pipeline_run(&ops, &p, items, 2, p.threads, NULL), STORE_ENOSPACE);
		assert_int_equal(pipeline_run(&ops, &p, items, 0, p.threads, NULL), STORE_EINVAL);
	}
	assert_int_equal(atomic_load(&p.faults_seen), 0);
}

static void test_pipeline__tick_cancels_soon(void **state)
{
	struct plan p = new_plan(1000000);

	(void)state;
	p.delay_us = 300;
	for (p.cancel_after = 0; p.cancel_after < 40; p.cancel_after += 13) {
		FOR_EACH_SHAPE(p)
		{
			assert_int_equal(run(&p), STORE_ECANCELED);
			assert_string_equal(p.err.msg, "tick");
			assert_int_equal(p.ticks, p.cancel_after + 1);
			assert_true(atomic_load(&p.produced) <= p.consumed + p.pool);
		}
	}
}

static int work_long(void *ctx, unsigned int worker, void *arg, struct store_error *err)
{
	(void)ctx;
	(void)worker;
	(void)arg;
	(void)err;
	usleep(600000);
	return 0;
}

static int consume_any(void *ctx, void *arg, struct store_error *err)
{
	(void)ctx;
	(void)arg;
	(void)err;
	return 0;
}

static void test_pipeline__tick_comes_while_work_is_long(void **state)
{
	const struct pipeline_ops ops = { produce, work_long, consume_any, tick };
	struct plan p = new_plan(1);
	void *items[2] = { &p.items[0], &p.items[1] };

	(void)state;
	p.threads = 2;
	p.caller = pthread_self();
	assert_int_equal(pipeline_run(&ops, &p, items, 2, 2, &p.err), 0);
	assert_true(p.ticks >= 6); /* 600 ms, at least every 100 */

	/*
	 * And its refusal ends the run with the work that is under way, not with the row behind it.
	 */
	p = new_plan(50);
	p.threads = 2;
	p.caller = pthread_self();
	p.cancel_after = 2;
	assert_int_equal(pipeline_run(&ops, &p, items, 2, 2, &p.err), STORE_ECANCELED);
	assert_true(atomic_load(&p.produced) <= 2);
}

/* A slow consumer lets the producer fill the pool, all of it and no more. */
static void test_pipeline__producer_runs_ahead_as_far_as_the_pool(void **state)
{
	struct plan p = new_plan(60);

	(void)state;
	p.slow_consume_us = 3000;
	for (p.pool = 2; p.pool <= 16; p.pool += 7) {
		for (p.threads = 2; p.threads < 8; p.threads += 5) {
			assert_int_equal(run(&p), 0);
			assert_int_equal(atomic_load(&p.ahead_max), p.pool);
		}
	}
}

/* Workers really work side by side: four of 100 ms take far less than 400. */
static int work_tenth(void *ctx, unsigned int worker, void *arg, struct store_error *err)
{
	(void)ctx;
	(void)worker;
	(void)arg;
	(void)err;
	usleep(100000);
	return 0;
}

static void test_pipeline__workers_work_side_by_side(void **state)
{
	const struct pipeline_ops ops = { produce, work_tenth, consume_any, NULL };
	struct plan p = new_plan(8);
	void *items[8];
	int64_t start;

	(void)state;
	p.threads = 8;
	p.caller = pthread_self();
	for (size_t i = 0; i < 8; i++)
		items[i] = &p.items[i];
	start = clock_mono_ns();
	assert_int_equal(pipeline_run(&ops, &p, items, 8, 8, &p.err), 0);
	assert_true(clock_mono_ns() - start < 600000000);
}

/* When the system gives fewer threads, or none, the work is done all the same. */
static void test_pipeline__threads_that_do_not_start(void **state)
{
	static const char *const plans[] = { "thread:1:EAGAIN", "thread:2+:EAGAIN",
		"thread:4:EAGAIN", "thread:8:EAGAIN" };

	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct plan p = new_plan(300);

		p.threads = 7;
		fault_load(plans[i]);
		/*
		 * The 1st, or the 8th (the producer), or all but one: this thread does everything.
		 */
		if (i != 2) {
			const struct pipeline_ops ops = { produce, work, consume, tick };
			void *items[4] = { &p.items[0], &p.items[1], &p.items[2], &p.items[3] };

			p.threads = 1; /* what the callbacks are to see */
			p.caller = pthread_self();
			assert_int_equal(pipeline_run(&ops, &p, items, 4, 7, &p.err), 0);
			assert_int_equal(atomic_load(&p.faults_seen), 0);
		} else {
			assert_int_equal(run(&p), 0);
		}
		assert_int_equal(p.consumed, 300);
		fault_load("");
	}
}

static void test_pipeline__out_of_memory_is_said(void **state)
{
	struct plan p = new_plan(3);

	(void)state;
	fault_load("malloc:1:ENOMEM");
	assert_int_equal(run(&p), STORE_ENOMEM);
	assert_int_equal(p.err.code, STORE_ENOMEM);
	fault_load("");
}

static void test_pipeline__thread_numbers(void **state)
{
	(void)state;
	assert_true(pipeline_threads(0) >= 1 && pipeline_threads(0) <= 64);
	assert_int_equal(pipeline_threads(1), 1);
	assert_int_equal(pipeline_threads(7), 7);
	assert_int_equal(pipeline_threads(100000), 64);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipeline__all_items_in_order_for_any_shape),
		cmocka_unit_test(test_pipeline__many_quick_items_lose_no_wakeup),
		cmocka_unit_test(test_pipeline__without_a_work_stage),
		cmocka_unit_test(test_pipeline__nothing_to_do),
		cmocka_unit_test(test_pipeline__lowest_error_wins_in_any_shape),
		cmocka_unit_test(test_pipeline__a_later_failure_of_a_lower_number_still_wins),
		cmocka_unit_test(test_pipeline__an_error_stops_the_rest_soon),
		cmocka_unit_test(test_pipeline__what_waits_behind_an_error_is_not_worked_on),
		cmocka_unit_test(test_pipeline__an_error_is_known_without_an_error_object),
		cmocka_unit_test(test_pipeline__tick_cancels_soon),
		cmocka_unit_test(test_pipeline__tick_comes_while_work_is_long),
		cmocka_unit_test(test_pipeline__producer_runs_ahead_as_far_as_the_pool),
		cmocka_unit_test(test_pipeline__workers_work_side_by_side),
		cmocka_unit_test(test_pipeline__threads_that_do_not_start),
		cmocka_unit_test(test_pipeline__out_of_memory_is_said),
		cmocka_unit_test(test_pipeline__thread_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
