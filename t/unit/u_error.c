/* The three ways to fill an error object. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static void fill(char *text, size_t len, char c)
{
	memset(text, c, len);
	text[len] = '\0';
}

static void test_error__set_records_code_and_text(void **state)
{
	struct store_error err = { .code = 7, .sys = 9, .msg = "old" };

	(void)state;
	assert_int_equal(store_error_set(&err, STORE_ECORRUPT, "pack %d is short", 3),
		STORE_ECORRUPT);
	assert_int_equal(err.code, STORE_ECORRUPT);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.msg, "pack 3 is short");
}

static void test_error__null_object_still_gives_the_code(void **state)
{
	(void)state;
	assert_int_equal(store_error_set(NULL, STORE_EBUSY, "x"), STORE_EBUSY);
	assert_int_equal(store_error_wrap(NULL, STORE_EIO, "x"), STORE_EIO);
	errno = ENOSPC;
	assert_int_equal(store_error_sys(NULL, "x"), STORE_ENOSPACE);
	store_error_clear(NULL);
}

static void test_error__own_message_may_be_an_argument(void **state)
{
	struct store_error err = { 0 };

	(void)state;
	store_error_set(&err, STORE_EIO, "inner");
	store_error_set(&err, STORE_EIO, "<%s>", err.msg);
	assert_string_equal(err.msg, "<inner>");
	store_error_wrap(&err, STORE_EIO, "again %s", err.msg);
	assert_string_equal(err.msg, "again <inner>: <inner>");
}

static void test_error__sys_adds_the_reason(void **state)
{
	struct store_error err = { 0 };

	(void)state;
	errno = EACCES;
	assert_int_equal(store_error_sys(&err, "cannot open '%s'", "a"), STORE_EDENIED);
	assert_string_equal(err.msg, "cannot open 'a': Permission denied");
	assert_int_equal(err.sys, EACCES);
}

static void test_error__wrap_puts_context_in_front_and_keeps_sys(void **state)
{
	struct store_error err = { 0 };

	(void)state;
	errno = EIO;
	store_error_sys(&err, "cannot read 'p'");
	assert_int_equal(store_error_wrap(&err, STORE_ECORRUPT, "commit '%s'", "main"),
		STORE_ECORRUPT);
	assert_string_equal(err.msg, "commit 'main': cannot read 'p': Input/output error");
	assert_int_equal(err.code, STORE_ECORRUPT);
	assert_int_equal(err.sys, EIO);

	store_error_clear(&err);
	store_error_wrap(&err, STORE_EIO, "alone");
	assert_string_equal(err.msg, "alone");
}

/*
 * For every length of context and cause: one line, within the array, and the cause whole at its
 * end.
 */
static void test_error__too_long_cuts_the_context_never_the_cause(void **state)
{
	char context[700], cause[500];

	(void)state;
	for (size_t cause_len = 1; cause_len < 500; cause_len += 7) {
		for (size_t len = 1; len < 700; len += 11) {
			struct store_error err = { 0 };

			fill(context, len, 'x');
			fill(cause, cause_len, 'y');
			store_error_set(&err, STORE_EIO, "%s", cause);
			store_error_wrap(&err, STORE_EIO, "%s", context);
			assert_true(strlen(err.msg) < sizeof(err.msg));
			assert_true(strlen(err.msg) >= cause_len);
			assert_string_equal(err.msg + strlen(err.msg) - cause_len, cause);
			if (len + 2 + cause_len < sizeof(err.msg)) {
				assert_int_equal(strlen(err.msg), len + 2 + cause_len);
				assert_null(strstr(err.msg, "..."));
			} else if (cause_len < 490) {
				assert_non_null(strstr(err.msg, "...: y"));
			}
		}
	}
}

static void test_error__reason_of_errno_survives_a_long_context(void **state)
{
	struct store_error err = { 0 };
	char context[600];

	(void)state;
	fill(context, 599, 'x');
	errno = ENOENT;
	store_error_sys(&err, "%s", context);
	assert_non_null(strstr(err.msg, "...: No such file or directory"));
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void test_error__cut_never_splits_a_character(void **state)
{
	char context[700];

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		struct store_error err = { 0 };
		const char *p;

		fill(context, shift, 'x');
		for (size_t i = 0; i < 220; i++)
			memcpy(context + shift + 3 * i, "\xe2\x82\xac", 4);
		store_error_set(&err, STORE_EIO, "%s", context);
		p = err.msg + shift;
		while (memcmp(p, "\xe2\x82\xac", 3) == 0)
			p += 3;
		assert_string_equal(p, "...");
	}
}

static void test_error__message_is_one_printable_line(void **state)
{
	struct store_error err = { 0 };

	(void)state;
	store_error_set(&err, STORE_EIO, "a\nb\033[2Jc\177");
	assert_string_equal(err.msg, "a?b?[2Jc?");
	store_error_wrap(&err, STORE_EIO, "d\re");
	assert_string_equal(err.msg, "d?e: a?b?[2Jc?");
}

static void test_error__codes_of_errno(void **state)
{
	static const struct {
		int sys, code;
	} table[] = {
		{ ENOENT, STORE_ENOTFOUND },
		{ ENOTDIR, STORE_ENOTFOUND },
		{ EEXIST, STORE_EEXISTS },
		{ EACCES, STORE_EDENIED },
		{ EPERM, STORE_EDENIED },
		{ EROFS, STORE_EDENIED },
		{ ENOSPC, STORE_ENOSPACE },
		{ EDQUOT, STORE_ENOSPACE },
		{ ENOMEM, STORE_ENOMEM },
		{ EAGAIN, STORE_EBUSY },
		{ EINVAL, STORE_EINVAL },
		{ ENAMETOOLONG, STORE_EINVAL },
		{ ECONNREFUSED, STORE_ENET },
		{ ECANCELED, STORE_ECANCELED },
		{ EIO, STORE_EIO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(store_error_code(table[i].sys), table[i].code);
	for (int sys = -5; sys < 4200; sys++)
		assert_true(store_error_code(sys) < 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error__set_records_code_and_text),
		cmocka_unit_test(test_error__null_object_still_gives_the_code),
		cmocka_unit_test(test_error__own_message_may_be_an_argument),
		cmocka_unit_test(test_error__sys_adds_the_reason),
		cmocka_unit_test(test_error__wrap_puts_context_in_front_and_keeps_sys),
		cmocka_unit_test(test_error__too_long_cuts_the_context_never_the_cause),
		cmocka_unit_test(test_error__reason_of_errno_survives_a_long_context),
		cmocka_unit_test(test_error__cut_never_splits_a_character),
		cmocka_unit_test(test_error__message_is_one_printable_line),
		cmocka_unit_test(test_error__codes_of_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
