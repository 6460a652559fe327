/* The scanner and idents: one spelling for each meaning, all else is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "data/limits.h"
#include "data/ident.h"
#include "data/text.h"
#include "texts.h"

static void test_text__numbers_have_one_spelling(void **state)
{
	static const char *const bad[] = { "", "00", "01", "+1", "-1", " 1", "1 ", "0x1", "1.0",
		"1a", "18446744073709551616", "99999999999999999999999" };
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(text_parse_u64(text_slice_of(bad[i]), UINT64_MAX, &v));
		assert_true(v == 7);
	}
	assert_true(text_parse_u64(text_slice_of("0"), UINT64_MAX, &v) && v == 0);
	assert_true(text_parse_u64(text_slice_of("18446744073709551615"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(text_parse_u64(text_slice_of("255"), 255, &v) && v == 255);
	assert_false(text_parse_u64(text_slice_of("256"), 255, &v));
}

static void test_text__signed_numbers_have_one_spelling(void **state)
{
	static const char *const bad[] = { "", "-", "-0", "--1", "+1", "-01", "9223372036854775808",
		"-9223372036854775809" };
	int64_t v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_parse_i64(text_slice_of(bad[i]), &v));
	assert_true(v == 7);
	assert_true(text_parse_i64(text_slice_of("-9223372036854775808"), &v) && v == INT64_MIN);
	assert_true(text_parse_i64(text_slice_of("9223372036854775807"), &v) && v == INT64_MAX);
	assert_true(text_parse_i64(text_slice_of("-1"), &v) && v == -1);
	assert_true(text_parse_i64(text_slice_of("0"), &v) && v == 0);
}

static void test_text__masks_have_sixteen_small_digits(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_true(text_parse_hex64(text_slice_of("0123456789abcdef"), &v));
	assert_true(v == UINT64_C(0x0123456789abcdef));
	assert_false(text_parse_hex64(text_slice_of("0123456789ABCDEF"), &v));
	assert_false(text_parse_hex64(text_slice_of("0123456789abcde"), &v));
	assert_false(text_parse_hex64(text_slice_of("0123456789abcdef0"), &v));
	assert_false(text_parse_hex64(text_slice_of("0123456789abcdeg"), &v));
}

/* A small text of all kinds of values. */
static int decode_sample(const void *data, size_t len, struct store_error *err)
{
	struct map_ref ref;
	struct oid id;
	struct text t;

	text_init(&t, "sample", data, len, err);
	text_exact(&t, "sample 1");
	text_key(&t, "number");
	text_u64(&t, 1000);
	text_eol(&t);
	while (text_has(&t, "id")) {
		text_key(&t, "id");
		text_id(&t, &id);
		text_eol(&t);
	}
	text_key(&t, "ref");
	text_map_ref(&t, &ref);
	text_eol(&t);
	text_key(&t, "words");
	text_word(&t);
	text_rest(&t);
	text_eol(&t);
	return text_end(&t);
}

static const char sample[] = "sample 1\nnumber 17\nid " HEX_A "\nref " HEX_B " 3\nwords a b c\n";

static void test_text__every_broken_rule_is_told_with_its_line(void **state)
{
	static const struct spoiled list[] = {
		{ "sample 1", "sample 2",
			"sample, line 1: 'sample 2' stands where 'sample 1' is due" },
		{ "sample 1\n", "", "line 1: 'number 17' stands where" },
		{ "number 17", "number 1001", "line 2: '1001' is no number that can stand here" },
		{ "number 17", "number 017", "'017' is no number" },
		{ "number 17", "number", "line 2: 'number' stands where 'number' is due" },
		{ "number 17", "number ", "line 2: a value is missing" },
		{ "number 17", "number  17", "line 2: a value is missing" },
		{ "number 17", "number 17 ", "line 2: ' ' follows the last value" },
		{ "number 17", "number 17 18", "line 2: ' 18' follows the last value" },
		{ "number 17", "number\t17", "stands where 'number' is due" },
		{ "number 17", "Number 17", "'Number 17' stands where 'number' is due" },
		{ "number 17\n", "number 17\nnumber 17\n", "line 3: 'number' stands twice" },
		{ "number 17\n", "number 17\nunknown 1\n",
			"'unknown 1' stands where 'ref' is due" },
		{ "number 17\n", "number 17\n\n", "line 3: '' stands where 'ref' is due" },
		{ "number 17\n", "number 17\r\n", "is no number" },
		{ HEX_A, "aaaa", "line 3: 'aaaa' is no id" },
		{ "id aaaa", "id AAAA", "line 3: 'AAAA" },
		{ HEX_B " 3", HEX_B " 33", "line 4: '33' is no number" },
		{ HEX_B " 3", HEX_B, "line 4: a value is missing" },
		{ "words a b c", "words a", "line 5: a value is missing" },
		{ "words a b c\n", "words a b c", "line 5: the line has no end" },
		{ "words a b c\n", "", "line 5: the text ends too early" },
		{ "words a b c\n", "words a b c\nmore\n", "line 6: 'more' follows the last line" },
		{ "words a b c\n", "words a b c\nwords a b c\n", "line 6: 'words' stands twice" },
		{ "words a b c\n", "words a b c\n\n", "line 6: '' follows the last line" },
	};

	(void)state;
	expect_refusals(decode_sample, sample, list, sizeof(list) / sizeof(list[0]),
		STORE_ECORRUPT);
}

static void test_text__cut_or_changed_anywhere_it_never_crashes(void **state)
{
	(void)state;
	expect_no_crash(decode_sample, sample, strlen(sample), SIZE_MAX);
}

static void test_text__a_line_of_4096_bytes_passes_and_one_more_does_not(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add_str(&b, "sample 1\nnumber 17\nref " HEX_B " 3\nwords a ");
	for (size_t i = strlen("words a "); i < LIMIT_LINE; i++)
		buf_add_u8(&b, 'x');
	buf_add_u8(&b, '\n');
	assert_int_equal(decode_sample(b.data, b.len, NULL), 0);
	b.data[b.len - 1] = 'x';
	buf_add_u8(&b, '\n');
	expect_refusal(decode_sample, b.data, b.len, STORE_ECORRUPT,
		"line 4: the line is longer than 4096 bytes");
	b.data[b.len - 5] = '\0';
	b.data[b.len - 2] = '\n';
	expect_refusal(decode_sample, b.data, b.len - 1, STORE_ECORRUPT,
		"line 4: the line holds a NUL");
	buf_release(&b);
}

static void test_text__a_hostile_line_is_quoted_in_the_message(void **state)
{
	static const char text[] = "sample\033[2J\n";
	struct store_error err;

	(void)state;
	assert_int_equal(decode_sample(text, strlen(text), &err), STORE_ECORRUPT);
	assert_null(strchr(err.msg, '\033'));
}

static int decode_ident(const void *data, size_t len, struct store_error *err)
{
	struct text_slice s = { data, len };
	struct ident id;

	return ident_parse(&id, s, err);
}

static void test_ident__what_is_formatted_is_parsed_again(void **state)
{
	static const struct {
		const char *name, *mail;
		int64_t seconds;
		int16_t zone;
		const char *text;
	} list[] = {
		{ "A U Thor", "a@b.c", 1700000000, 60, "A U Thor <a@b.c> 1700000000 +0100" },
		{ "", "", 0, 0, " <> 0 +0000" },
		{ "", "a b", -1, -1, " <a b> -1 -0001" },
		{ " x ", "m", INT64_MIN, -720, " x  <m> -9223372036854775808 -1200" },
		{ "\303\251", "m", INT64_MAX, 5999, "\303\251 <m> 9223372036854775807 +9959" },
		{ "n", "m", 1, 330, "n <m> 1 +0530" },
	};
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const struct ident id = { text_slice_of(list[i].name), text_slice_of(list[i].mail),
			list[i].seconds, list[i].zone };
		struct ident got;

		buf_clear(&b);
		assert_int_equal(ident_format(&b, &id, NULL), 0);
		assert_string_equal(buf_str(&b), list[i].text);
		assert_int_equal(ident_parse(&got, text_slice_of(list[i].text), NULL), 0);
		assert_true(text_slice_eq(got.name, id.name) && text_slice_eq(got.mail, id.mail));
		assert_true(got.seconds == id.seconds && got.zone == id.zone);
	}
	buf_release(&b);
}

static void test_ident__other_spellings_are_refused(void **state)
{
	static const char *const bad[] = { "", "n", "n <m>", "n <m> 1", "n <m> 1 ", "n <m> +0000",
		"n<m> 1 +0000", "<m> 1 +0000", "n <m>1 +0000", "n <m> 1 0000", "n <m> 1 +000",
		"n <m> 1 +00000", "n <m> 1 +0060", "n <m> 1 -0000", "n <m> -0 +0000",
		"n <m> 01 +0000", "n <m> 1  +0000", "n <m> 1 +0000 ", "n <m<> 1 +0000",
		"n <m>> 1 +0000", "n> <m> 1 +0000", "n <m> 1 +00a0",
		"n <m> 9223372036854775808 +0000", "n <m 1 +0000", "n m> 1 +0000" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_refusal(decode_ident, bad[i], strlen(bad[i]), STORE_ECORRUPT, "is no ");
	expect_no_crash(decode_ident, "n <m> 1 +0000", 13, SIZE_MAX);
}

static void test_ident__the_formatter_refuses_what_no_reader_would_take(void **state)
{
	static const char *const bad[] = { "a<b", "a>b", "a\nb" };
	struct buf b = { 0 };
	struct buf name = { 0 };
	struct ident id = { .mail = text_slice_of("m") };

	(void)state;
	buf_add_str(&b, "kept");
	for (size_t i = 0; i < 3; i++) {
		id.name = text_slice_of(bad[i]);
		assert_int_equal(ident_format(&b, &id, NULL), STORE_EINVAL);
	}
	id.name = (struct text_slice){ "a\0b", 3 };
	assert_int_equal(ident_format(&b, &id, NULL), STORE_EINVAL);
	id.name = text_slice_of("a");
	id.zone = 6000;
	assert_int_equal(ident_format(&b, &id, NULL), STORE_EINVAL);
	id.zone = 0;
	for (size_t i = 0; i < LIMIT_LINE; i++)
		buf_add_u8(&name, 'n');
	id.name = (struct text_slice){ (const char *)name.data, name.len };
	assert_int_equal(ident_format(&b, &id, NULL), STORE_EINVAL);
	assert_string_equal(buf_str(&b), "kept");
	buf_release(&name);
	buf_release(&b);
}

static void test_ident__cleaned_names_can_be_formatted(void **state)
{
	struct buf b = { 0 };
	struct buf name = { 0 };
	static const char dirty[] = "  <A>\n U\0 Thor>  ";

	(void)state;
	assert_int_equal(ident_clean(&b, dirty, sizeof(dirty) - 1, NULL), 0);
	assert_string_equal(buf_str(&b), "A U Thor");
	buf_clear(&b);
	assert_int_equal(ident_clean(&b, "<> ", 3, NULL), 0);
	assert_int_equal(b.len, 0);
	for (size_t i = 0; i < 5000; i++)
		buf_add_u8(&name, 'n');
	assert_int_equal(ident_clean(&b, name.data, name.len, NULL), 0);
	assert_int_equal(b.len, 1000);
	buf_release(&name);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text__numbers_have_one_spelling),
		cmocka_unit_test(test_text__signed_numbers_have_one_spelling),
		cmocka_unit_test(test_text__masks_have_sixteen_small_digits),
		cmocka_unit_test(test_text__every_broken_rule_is_told_with_its_line),
		cmocka_unit_test(test_text__cut_or_changed_anywhere_it_never_crashes),
		cmocka_unit_test(test_text__a_line_of_4096_bytes_passes_and_one_more_does_not),
		cmocka_unit_test(test_text__a_hostile_line_is_quoted_in_the_message),
		cmocka_unit_test(test_ident__what_is_formatted_is_parsed_again),
		cmocka_unit_test(test_ident__other_spellings_are_refused),
		cmocka_unit_test(test_ident__the_formatter_refuses_what_no_reader_would_take),
		cmocka_unit_test(test_ident__cleaned_names_can_be_formatted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
