/* Growable bytes: content, growth, and what happens when memory runs out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"

static int no_faults(void **state)
{
	(void)state;
	return fault_load("");
}

/* One of the appends, chosen by pick. */
static int append_some(struct buf *b, unsigned int pick)
{
	switch (pick % 6) {
	case 0:
		return buf_add(b, "0123456789", pick % 11);
	case 1:
		return buf_add_u8(b, (uint8_t)pick);
	case 2:
		return buf_add_str(b, "text");
	case 3:
		return buf_addf(b, "%u-%s", pick, "formatted");
	case 4:
		return buf_add_leb(b, (uint64_t)pick << 20);
	default:
		return buf_add_le64(b, pick);
	}
}

static void test_buf__all_zero_is_an_empty_buffer(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(buf_check(&b, NULL), 0);
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_str(&b), "");
	buf_release(&b);
	buf_release(&b);
}

static void test_buf__appends_stand_one_behind_the_other(void **state)
{
	static const uint8_t want[] = "ab"
				      "c"
				      "def"
				      "-7-"
				      "\xe5\x8e\x26"
				      "\x04\x03\x02\x01"
				      "\x08\x07\x06\x05\x04\x03\x02\x01";
	struct buf b = { 0 };

	(void)state;
	buf_add(&b, "ab", 2);
	buf_add_u8(&b, 'c');
	buf_add_str(&b, "def");
	buf_addf(&b, "-%d-", 7);
	buf_add_leb(&b, 624485);
	buf_add_le32(&b, 0x01020304);
	buf_add_le64(&b, 0x0102030405060708);
	assert_int_equal(buf_check(&b, NULL), 0);
	assert_int_equal(b.len, sizeof(want) - 1);
	assert_memory_equal(b.data, want, sizeof(want) - 1);
	buf_release(&b);
}

static void test_buf__a_million_appends_keep_every_byte(void **state)
{
	struct buf b = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 1000000; i++)
		assert_int_equal(buf_add_le32(&b, i * 2654435761u), 0);
	assert_int_equal(b.len, 4000000);
	for (uint32_t i = 0; i < 1000000; i++)
		assert_int_equal(le32_get(b.data + 4 * (size_t)i), i * 2654435761u);
	buf_release(&b);
}

static void test_buf__str_ends_without_counting(void **state)
{
	struct buf b = { 0 };

	(void)state;
	for (size_t len = 0; len < 300; len++) {
		assert_int_equal(strlen(buf_str(&b)), len);
		assert_int_equal(b.len, len);
		buf_add_u8(&b, 'x');
	}
	buf_release(&b);
}

static void test_buf__addf_of_any_length(void **state)
{
	struct buf b = { 0 };
	char text[600];

	(void)state;
	for (size_t len = 0; len < sizeof(text); len += 13) {
		memset(text, 'y', len);
		text[len] = '\0';
		buf_set(&b, ">", 1);
		assert_int_equal(buf_addf(&b, "%s", text), 0);
		assert_int_equal(b.len, len + 1);
		assert_string_equal(buf_str(&b) + 1, text);
	}
	buf_release(&b);
}

static void test_buf__set_takes_a_part_of_itself(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add_str(&b, "hello world");
	assert_int_equal(buf_set(&b, b.data + 3, 8), 0);
	assert_string_equal(buf_str(&b), "lo world");
	buf_release(&b);
}

static void test_buf__clear_keeps_capacity(void **state)
{
	struct buf b = { 0 };
	size_t cap;

	(void)state;
	buf_reserve(&b, 5000);
	cap = b.cap;
	assert_true(cap >= 5000);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.cap, cap);
	buf_release(&b);
	assert_int_equal(b.cap, 0);
}

static void test_buf__impossible_sizes_are_refused(void **state)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1,
		(size_t)PTRDIFF_MAX + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf b = { 0 };

		buf_add_str(&b, "keep");
		assert_int_equal(buf_reserve(&b, sizes[i]), STORE_ENOMEM);
		assert_true(b.failed);
		assert_int_equal(b.len, 4);
		assert_memory_equal(b.data, "keep", 4);
		buf_release(&b);
	}
}

/* Fail the 1st, 2nd, ... growth of the same row of appends until the row passes. */
static void test_buf__failing_growth_leaves_a_prefix(void **state)
{
	struct buf whole = { 0 };
	bool has_failed = true;
	int n = 0;

	(void)state;
	for (unsigned int i = 0; i < 500; i++)
		append_some(&whole, i);
	while (has_failed) {
		struct store_error err = { 0 };
		struct buf b = { 0 };
		char plan[40];

		snprintf(plan, sizeof(plan), "malloc:%d:ENOMEM", ++n);
		assert_int_equal(fault_load(plan), 0);
		has_failed = false;
		for (unsigned int i = 0; i < 500; i++) {
			const size_t old_len = b.len;

			if (append_some(&b, i) != 0) {
				has_failed = true;
				assert_int_equal(b.len, old_len);
			} else {
				/* Once failed, nothing is added any more. */
				assert_false(has_failed);
			}
		}
		assert_int_equal(b.failed, has_failed);
		assert_int_equal(buf_check(&b, &err), has_failed ? STORE_ENOMEM : 0);
		assert_int_equal(err.code, has_failed ? STORE_ENOMEM : 0);
		assert_true(b.len <= whole.len &&
			(has_failed ? b.len < whole.len : b.len == whole.len));
		if (b.len > 0)
			assert_memory_equal(b.data, whole.data, b.len);
		if (has_failed)
			assert_null(buf_str(&b));

		/* After clear it is a buffer like any other. */
		buf_clear(&b);
		assert_int_equal(buf_add_str(&b, "again"), 0);
		assert_int_equal(buf_check(&b, NULL), 0);
		buf_release(&b);
	}
	assert_true(n > 3);
	buf_release(&whole);
}

static void test_buf__failing_set_keeps_the_old_content(void **state)
{
	uint8_t large[1000] = { 0 };
	struct buf b = { 0 };

	(void)state;
	buf_add_str(&b, "old");
	assert_int_equal(fault_load("malloc:1:ENOMEM"), 0);
	assert_int_equal(buf_set(&b, large, sizeof(large)), STORE_ENOMEM);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "old", 3);
	assert_true(b.failed);
	assert_int_equal(buf_set(&b, large, sizeof(large)), 0);
	assert_false(b.failed);
	buf_release(&b);
}

static void test_buf__an_empty_one_has_a_beginning(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_non_null(buf_from(&b, 0));
	buf_add_str(&b, "abc");
	assert_ptr_equal(buf_from(&b, 2), b.data + 2);
	buf_release(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf__all_zero_is_an_empty_buffer),
		cmocka_unit_test(test_buf__appends_stand_one_behind_the_other),
		cmocka_unit_test(test_buf__a_million_appends_keep_every_byte),
		cmocka_unit_test(test_buf__str_ends_without_counting),
		cmocka_unit_test(test_buf__addf_of_any_length),
		cmocka_unit_test(test_buf__set_takes_a_part_of_itself),
		cmocka_unit_test(test_buf__clear_keeps_capacity),
		cmocka_unit_test(test_buf__impossible_sizes_are_refused),
		cmocka_unit_test(test_buf__an_empty_one_has_a_beginning),
		cmocka_unit_test_setup_teardown(test_buf__failing_growth_leaves_a_prefix, no_faults,
			no_faults),
		cmocka_unit_test_setup_teardown(test_buf__failing_set_keeps_the_old_content,
			no_faults, no_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
