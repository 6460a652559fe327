/* Lists of extended attributes: one spelling, and every bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "data/limits.h"
#include "graph/xattr_list.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_xattr_list__goes_in_and_out_as_the_page_has_it(void **state)
{
	static const char wanted[] = "XA\1\2\6user.a\3one\6user.b\0";
	struct xattr_cursor c;
	struct xattr_item i;
	struct buf list = { 0 };

	(void)state;
	xattr_list_begin(&list, 2);
	xattr_list_add(&list, "user.a", 6, "one", 3);
	xattr_list_add(&list, "user.b", 6, NULL, 0);
	assert_false(list.failed);
	assert_int_equal(list.len, sizeof(wanted) - 1);
	assert_memory_equal(list.data, wanted, list.len);
	assert_true(xattr_list_is_valid(list.data, list.len));
	assert_int_equal(xattr_list_open(&c, list.data, list.len), 0);
	assert_int_equal(xattr_list_next(&c, &i), 0);
	assert_true(i.name_len == 6 && memcmp(i.name, "user.a", 6) == 0);
	assert_true(i.value_len == 3 && memcmp(i.value, "one", 3) == 0);
	assert_int_equal(xattr_list_next(&c, &i), 0);
	assert_true(i.name_len == 6 && memcmp(i.name, "user.b", 6) == 0 && i.value_len == 0);
	assert_int_equal(xattr_list_next(&c, &i), STORE_ENOTFOUND);
	/* A list that ends early is none, wherever it ends. */
	for (size_t cut = 0; cut < list.len; cut++)
		assert_false(xattr_list_is_valid(list.data, cut));
	buf_add_u8(&list, 0);
	assert_false(xattr_list_is_valid(list.data, list.len));
	buf_release(&list);
}

static void test_xattr_list__another_spelling_is_refused(void **state)
{
#define CASE(text) \
	{ \
		text, sizeof(text) - 1 \
	}
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		CASE("XB\1\1\1a\1v"),        /* not one at all */
		CASE("XA\2\1\1a\1v"),        /* another version */
		CASE("XA\1\0"),              /* of nothing */
		CASE("XA\1\2\1b\1v\1a\1v"),  /* out of order */
		CASE("XA\1\2\1a\1v\1a\1v"),  /* a name twice */
		CASE("XA\1\2\2ab\1v\1a\1v"), /* the shorter name last */
		CASE("XA\1\1\0\1v"),         /* no name */
		CASE("XA\1\1\3a\0b\1v"),     /* a NUL in a name */
		CASE("XA\1\x81\0\1a\1v"),    /* a longer form of 1 */
		CASE("XA\1\2\1a\1v"),        /* fewer than it says */
		CASE("XA\1\1\1a\1v\1b\1v"),  /* more than it says */
		CASE("XA\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1a\1v"), /* very many */
		CASE("XA\1\1\1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\1v"), /* a very long value */
		CASE("XA\1\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1a\1v"), /* a very long name */
	};

	(void)state;
	assert_false(xattr_list_is_valid(NULL, 0));
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_false(xattr_list_is_valid(cases[i].bytes, cases[i].len));
}

/* A list of count attributes whose names and values have these lengths. */
static bool is_valid(size_t count, size_t name_len, size_t value_len)
{
	uint8_t *name = malloc(name_len), *value = calloc(1, value_len);
	struct buf list = { 0 };
	bool valid;

	assert_true(name && value);
	memset(name, 'n', name_len);
	xattr_list_begin(&list, count);
	for (size_t i = 0; i < count; i++) {
		name[name_len - 1] = (uint8_t)('a' + i);
		xattr_list_add(&list, name, name_len, value, value_len);
	}
	assert_false(list.failed);
	valid = xattr_list_is_valid(list.data, list.len);
	buf_release(&list);
	free(value);
	free(name);
	return valid;
}

static void test_xattr_list__limits_of_name_value_and_list(void **state)
{
	(void)state;
	assert_true(is_valid(1, LIMIT_XATTR_NAME, 1));
	assert_false(is_valid(1, LIMIT_XATTR_NAME + 1, 1));
	assert_true(is_valid(1, 1, LIMIT_XATTR_VALUE));
	assert_false(is_valid(1, 1, LIMIT_XATTR_VALUE + 1));
	/* head and count: 4; 15 attributes of 2 + 1 + 3 + 65536, and one that fills it up. */
	assert_true(is_valid(15, 1, LIMIT_XATTR_VALUE));
	assert_false(is_valid(16, 1, LIMIT_XATTR_VALUE));
	assert_true(is_valid(16, 1, LIMIT_XATTR_VALUE - 6));
}

static void test_xattr_list__of_exactly_the_limit_is_the_longest(void **state)
{
	/* 4 bytes of head, then 16 attributes of 1 + 1 + 3 + value bytes each. */
	const size_t most = (LIMIT_XATTRS - 4) / 16 - 5, spare = (LIMIT_XATTRS - 4) % 16;
	uint8_t *value = calloc(1, most + 2);

	(void)state;
	assert_non_null(value);
	for (size_t more = 0; more < 2; more++) {
		struct buf list = { 0 };

		xattr_list_begin(&list, 16);
		for (uint8_t i = 0; i < 16; i++) {
			const uint8_t name = (uint8_t)('a' + i);

			xattr_list_add(&list, &name, 1, value,
				most + (i < spare) + (i == 15 ? more : 0));
		}
		assert_int_equal(list.len, LIMIT_XATTRS + more);
		assert_int_equal(xattr_list_is_valid(list.data, list.len), more == 0);
		buf_release(&list);
	}
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xattr_list__goes_in_and_out_as_the_page_has_it),
		cmocka_unit_test(test_xattr_list__another_spelling_is_refused),
		cmocka_unit_test(test_xattr_list__limits_of_name_value_and_list),
		cmocka_unit_test(test_xattr_list__of_exactly_the_limit_is_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
