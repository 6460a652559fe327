/* Arrays, pages and the arena. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/mem.h"

static int no_faults(void **state)
{
	(void)state;
	return fault_load("");
}

static void test_mem__arrays_are_zeroed_and_never_null_for_nothing(void **state)
{
	uint8_t *p = mem_alloc_array(1000, 3);
	void *nothing = mem_alloc_array(0, 8), *also_nothing = mem_alloc_array(8, 0);

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(p[i], 0);
	assert_non_null(nothing);
	assert_non_null(also_nothing);
	free(p);
	free(nothing);
	free(also_nothing);
}

static void test_mem__products_that_overflow_are_refused(void **state)
{
	uint32_t *p = NULL;
	size_t cap = 0;

	(void)state;
	assert_null(mem_alloc_array(SIZE_MAX / 2, 3));
	assert_null(mem_alloc_array((size_t)1 << 33, (size_t)1 << 31));
	assert_null(mem_alloc_array(SIZE_MAX, 1));
	assert_int_equal(mem_grow(&p, &cap, SIZE_MAX / 2, sizeof(*p)), STORE_ENOMEM);
	assert_null(p);
	assert_int_equal(cap, 0);
}

static void test_mem__grow_at_least_doubles_and_keeps(void **state)
{
	uint32_t *p = NULL;
	size_t cap = 0, moves = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		const size_t old = cap;

		assert_int_equal(mem_grow(&p, &cap, (size_t)i + 1, sizeof(*p)), 0);
		assert_true(cap > i);
		if (cap != old) {
			assert_true(cap >= 2 * old);
			moves++;
		}
		p[i] = ~i;
	}
	assert_true(moves < 20);
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(p[i], ~i);
	free(p);
}

static void test_mem__failed_growth_changes_nothing(void **state)
{
	uint32_t *p = NULL, *old;
	size_t cap = 0, old_cap;

	(void)state;
	assert_int_equal(mem_grow(&p, &cap, 10, sizeof(*p)), 0);
	old = p;
	old_cap = cap;
	p[9] = 77;
	assert_int_equal(fault_load("malloc:1:ENOMEM"), 0);
	assert_int_equal(mem_grow(&p, &cap, 1000, sizeof(*p)), STORE_ENOMEM);
	assert_ptr_equal(p, old);
	assert_int_equal(cap, old_cap);
	assert_int_equal(p[9], 77);
	free(p);
}

static void test_mem__pages_are_zeroed_and_aligned(void **state)
{
	const size_t len = 3 << 20;
	uint8_t *p = mem_pages(len);

	(void)state;
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % (uintptr_t)sysconf(_SC_PAGESIZE), 0);
	for (size_t i = 0; i < len; i++)
		if (p[i] != 0)
			fail_msg("byte %zu is not zero", i);
	memset(p, 1, len);
	mem_pages_free(p, len);
	mem_pages_free(NULL, len);
	assert_null(mem_pages(SIZE_MAX / 2));
}

#define PIECES 20000

static size_t piece_len(size_t i)
{
	/* Mostly small, some empty, some larger than any block. */
	return i % 97 == 0 ? 0 : i % 1999 == 0 ? 200000 + i : i * 31 % 120;
}

static void test_mem__arena_pieces_are_aligned_and_apart(void **state)
{
	static uint8_t *pieces[PIECES];
	struct arena a;

	(void)state;
	arena_init(&a);
	for (int round = 0; round < 3; round++) {
		size_t total = 0;

		for (size_t i = 0; i < PIECES; i++) {
			pieces[i] = arena_alloc(&a, piece_len(i));
			assert_non_null(pieces[i]);
			assert_int_equal((uintptr_t)pieces[i] % 16, 0);
			memset(pieces[i], (int)(i % 251), piece_len(i));
			total += piece_len(i);
		}
		assert_int_equal(a.used, total);
		for (size_t i = 0; i < PIECES; i++)
			for (size_t k = 0; k < piece_len(i); k++)
				if (pieces[i][k] != i % 251)
					fail_msg("piece %zu was written by another", i);
		arena_reset(&a);
		assert_int_equal(a.used, 0);
	}
	arena_release(&a);
	assert_null(a.head);
}

static void test_mem__arena_reset_keeps_a_block(void **state)
{
	struct arena a;
	void *first;

	(void)state;
	arena_init(&a);
	first = arena_alloc(&a, 100);
	arena_alloc(&a, 500000);
	arena_reset(&a);
	assert_int_equal(fault_load("malloc:1+:ENOMEM"), 0);
	assert_ptr_equal(arena_alloc(&a, 100), first);
	arena_release(&a);
}

static void test_mem__arena_room_is_not_lost_to_a_large_request(void **state)
{
	struct arena a;
	uint8_t *first;

	(void)state;
	arena_init(&a);
	first = arena_alloc(&a, 100);
	assert_non_null(arena_alloc(&a, 500000));
	assert_ptr_equal(arena_alloc(&a, 100), first + 112);
	arena_release(&a);
}

static void test_mem__arena_refuses_what_cannot_be(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 20));
	assert_null(arena_dup(&a, "x", SIZE_MAX));
	assert_int_equal(a.used, 0);
	assert_int_equal(fault_load("malloc:1:ENOMEM"), 0);
	assert_null(arena_alloc(&a, 1));
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 1));
	arena_release(&a);
}

static void test_mem__arena_dup_ends_with_nul(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_memory_equal(arena_dup(&a, "ab\0cd", 5), "ab\0cd", 6);
	assert_string_equal(arena_dup(&a, NULL, 0), "");
	arena_release(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mem__arrays_are_zeroed_and_never_null_for_nothing),
		cmocka_unit_test(test_mem__products_that_overflow_are_refused),
		cmocka_unit_test(test_mem__grow_at_least_doubles_and_keeps),
		cmocka_unit_test_setup_teardown(test_mem__failed_growth_changes_nothing, no_faults,
			no_faults),
		cmocka_unit_test(test_mem__pages_are_zeroed_and_aligned),
		cmocka_unit_test(test_mem__arena_pieces_are_aligned_and_apart),
		cmocka_unit_test_setup_teardown(test_mem__arena_reset_keeps_a_block, no_faults,
			no_faults),
		cmocka_unit_test_setup_teardown(test_mem__arena_refuses_what_cannot_be, no_faults,
			no_faults),
		cmocka_unit_test(test_mem__arena_room_is_not_lost_to_a_large_request),
		cmocka_unit_test(test_mem__arena_dup_ends_with_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
