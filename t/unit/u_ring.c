/* The ring of bytes: what is put in comes out, in order, whatever the pieces; both sides may leave.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "base/ring.h"

#define CAP 7

static void test_ring__a_piece_goes_as_far_as_there_is_room(void **state)
{
	struct ring *r = ring_new(CAP);
	char out[CAP + 1] = "";
	uint64_t total;

	(void)state;
	assert_int_equal(ring_put(r, "abcdefghij", 10), CAP);
	assert_int_equal(ring_len(r, NULL), CAP);
	assert_int_equal(ring_take(r, out, 3), 3);
	assert_memory_equal(out, "abc", 3);
	/* Room at both ends of the buffer: one piece a call. */
	assert_int_equal(ring_put(r, "hij", 3), 3);
	assert_int_equal(ring_take(r, out, CAP), 4);
	assert_memory_equal(out, "defg", 4);
	assert_int_equal(ring_take(r, out, CAP), 3);
	assert_memory_equal(out, "hij", 3);
	assert_int_equal(ring_len(r, &total), 0);
	assert_int_equal(total, 10);
	ring_free(r);
}

static void test_ring__the_end_is_told_after_what_is_left(void **state)
{
	struct ring *r = ring_new(CAP);
	char out[CAP];

	(void)state;
	assert_int_equal(ring_put(r, "ab", 2), 2);
	ring_end(r);
	assert_int_equal(ring_take(r, out, CAP), 2);
	assert_int_equal(ring_take(r, out, CAP), 0);
	ring_free(r);
	ring_free(NULL);
}

static void test_ring__nobody_waits_for_who_has_left(void **state)
{
	struct ring *r = ring_new(CAP);

	(void)state;
	assert_int_equal(ring_put(r, "abcdefg", CAP), CAP);
	ring_leave(r);
	assert_int_equal(ring_put(r, "h", 1), 0);
	ring_free(r);
}

static void *take_one(void *ctx)
{
	char c;

	return ring_take(ctx, &c, 1) == 0 ? ctx : NULL;
}

static void test_ring__who_takes_hears_of_leaving_too(void **state)
{
	struct ring *r = ring_new(CAP);
	pthread_t thread;
	char out[CAP];
	void *heard;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, take_one, r), 0);
	ring_leave(r);
	pthread_join(thread, &heard);
	assert_ptr_equal(heard, r);
	ring_free(r);
	/* What is in it then is not handed out any more. */
	r = ring_new(CAP);
	assert_int_equal(ring_put(r, "ab", 2), 2);
	ring_leave(r);
	assert_int_equal(ring_take(r, out, CAP), 0);
	ring_free(r);
}

static void test_ring__a_wait_ends_for_room_for_leaving_and_in_time(void **state)
{
	struct ring *r = ring_new(CAP);
	char out[CAP];

	(void)state;
	assert_true(ring_await_room(r, 0));
	assert_false(ring_await_leave(r, 1000));
	assert_int_equal(ring_put(r, "abcdefg", CAP), CAP);
	assert_false(ring_await_room(r, 1000));
	assert_int_equal(ring_take(r, out, 1), 1);
	assert_true(ring_await_room(r, 0));
	assert_int_equal(ring_put(r, "h", 1), 1);
	ring_leave(r);
	assert_true(ring_await_room(r, 0));
	assert_true(ring_await_leave(r, 0));
	ring_free(r);
}

#define MANY 200000

static void *put_many(void *ctx)
{
	struct ring *r = ctx;
	uint8_t piece[11];
	size_t done = 0;

	while (done < MANY) {
		size_t n = done % sizeof(piece) + 1, at = 0;

		n = n < MANY - done ? n : MANY - done;
		for (size_t i = 0; i < n; i++)
			piece[i] = (uint8_t)((done + i) * 31 % 251);
		while (at < n)
			at += ring_put(r, piece + at, n - at);
		done += n;
	}
	ring_end(r);
	return NULL;
}

static void test_ring__two_threads(void **state)
{
	struct ring *r = ring_new(CAP);
	uint8_t piece[5];
	pthread_t thread;
	size_t done = 0, n;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, put_many, r), 0);
	while ((n = ring_take(r, piece, done % sizeof(piece) + 1)) > 0) {
		for (size_t i = 0; i < n; i++)
			assert_int_equal(piece[i], (done + i) * 31 % 251);
		done += n;
	}
	pthread_join(thread, NULL);
	assert_int_equal(done, MANY);
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring__a_piece_goes_as_far_as_there_is_room),
		cmocka_unit_test(test_ring__the_end_is_told_after_what_is_left),
		cmocka_unit_test(test_ring__nobody_waits_for_who_has_left),
		cmocka_unit_test(test_ring__who_takes_hears_of_leaving_too),
		cmocka_unit_test(test_ring__a_wait_ends_for_room_for_leaving_and_in_time),
		cmocka_unit_test(test_ring__two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
