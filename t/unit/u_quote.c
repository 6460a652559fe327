/* Names made safe for a line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/quote.h"
#include "store.h"

static const struct {
	const char *name, *want;
} table[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "with blank", "with blank" },
	{ "it's", "it's" },
	{ "a\tb", "\"a\\tb\"" },
	{ "\a\b\t\n\v\f\r", "\"\\a\\b\\t\\n\\v\\f\\r\"" },
	{ "q\"\\", "\"q\\\"\\\\\"" },
	{ "\001\033[2J\037\177", "\"\\001\\033[2J\\037\\177\"" },
	/* Well-formed UTF-8 stands as it is. */
	{ "\xc3\xa9", "\xc3\xa9" },
	{ "\xe2\x82\xac", "\xe2\x82\xac" },
	{ "\xf0\x9f\x90\x88", "\xf0\x9f\x90\x88" },
	{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	{ "\xed\x9f\xbf", "\xed\x9f\xbf" },
	{ "\xee\x80\x80", "\xee\x80\x80" },
	{ "\xc2\xa0", "\xc2\xa0" },
	{ "\xe2\x80\xa9", "\xe2\x80\xa9" },
	{ "\xe2\x80\xaf", "\xe2\x80\xaf" },
	{ "\xe2\x81\xa5", "\xe2\x81\xa5" },
	{ "\xe2\x81\xaa", "\xe2\x81\xaa" },
	/* Beside something escaped, too. */
	{ "\xc3\xa9\n", "\"\xc3\xa9\\n\"" },
	/* Ill-formed: lone, cut short, overlong, surrogate, too high, never valid. */
	{ "a\x80", "\"a\\200\"" },
	{ "\xc3", "\"\\303\"" },
	{ "\xc3z", "\"\\303z\"" },
	{ "\xe2\x82", "\"\\342\\202\"" },
	{ "\xe2\x82z", "\"\\342\\202z\"" },
	{ "\xf0\x9f\x90", "\"\\360\\237\\220\"" },
	{ "\xc0\xaf", "\"\\300\\257\"" },
	{ "\xc1\xbf", "\"\\301\\277\"" },
	{ "\xe0\x9f\xbf", "\"\\340\\237\\277\"" },
	{ "\xf0\x8f\xbf\xbf", "\"\\360\\217\\277\\277\"" },
	{ "\xed\xa0\x80", "\"\\355\\240\\200\"" },
	{ "\xed\xbf\xbf", "\"\\355\\277\\277\"" },
	{ "\xf4\x90\x80\x80", "\"\\364\\220\\200\\200\"" },
	{ "\xf5\x80\x80\x80", "\"\\365\\200\\200\\200\"" },
	{ "\xff\xfe", "\"\\377\\376\"" },
	{ "\xe9t\xc3\xa9", "\"\\351t\xc3\xa9\"" },
	/* Controls of terminals and of the writing direction. */
	{ "\xc2\x80", "\"\\302\\200\"" },
	{ "\xc2\x9b"
	  "2J",
		"\"\\302\\2332J\"" },
	{ "\xc2\x9f", "\"\\302\\237\"" },
	{ "\xe2\x80\xaa", "\"\\342\\200\\252\"" },
	{ "\xe2\x80\xae", "\"\\342\\200\\256\"" },
	{ "\xe2\x81\xa6", "\"\\342\\201\\246\"" },
	{ "\xe2\x81\xa9", "\"\\342\\201\\251\"" },
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

static void test_quote__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		struct buf b = { 0 };
		char msg[200];

		buf_add_str(&b, "> ");
		assert_int_equal(quote_c(&b, table[i].name, strlen(table[i].name)), 0);
		assert_string_equal(buf_str(&b) + 2, table[i].want);
		quote_msg(msg, sizeof(msg), table[i].name, strlen(table[i].name));
		assert_string_equal(msg, table[i].want);
		buf_release(&b);
	}
}

static void test_quote__nul_is_a_byte_like_any_other(void **state)
{
	struct buf b = { 0 };

	(void)state;
	quote_c(&b, "a\0b", 3);
	assert_string_equal(buf_str(&b), "\"a\\000b\"");
	buf_release(&b);
}

/* What a reader of C strings does.  Returns the length. */
static size_t unquote(const char *text, size_t len, uint8_t *out)
{
	static const char letters[] = "abtnvfr\"\\", meant[] = "\a\b\t\n\v\f\r\"\\";
	size_t n = 0;

	if (len == 0 || text[0] != '"') {
		memcpy(out, text, len);
		return len;
	}
	for (size_t i = 1; i < len - 1; i++) {
		if (text[i] != '\\') {
			out[n++] = (uint8_t)text[i];
		} else if (text[i + 1] >= '0' && text[i + 1] <= '3') {
			out[n++] = (uint8_t)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
				(text[i + 3] - '0'));
			i += 3;
		} else {
			out[n++] = (uint8_t)meant[strchr(letters, text[i + 1]) - letters];
			i++;
		}
	}
	return n;
}

static void test_quote__any_bytes_come_back(void **state)
{
	/* Bytes that make trouble, so that random names are full of it. */
	static const uint8_t alphabet[] =
		"ab\"\\\n\t\001\177\x80\x9b\xbf\xc2\xc3\xe2\x80\xae\xf0\x9f\x90\x88\xff";
	struct buf b = { 0 };

	(void)state;
	srandom(7);
	for (int round = 0; round < 20000; round++) {
		uint8_t name[24], back[24 * 4];
		const size_t len = (size_t)random() % sizeof(name);

		for (size_t i = 0; i < len; i++)
			name[i] = alphabet[(size_t)random() % sizeof(alphabet)];
		buf_clear(&b);
		assert_int_equal(quote_c(&b, name, len), 0);
		assert_int_equal(unquote((char *)b.data, b.len, back), len);
		assert_memory_equal(back, name, len);
		for (size_t i = 0; i < b.len; i++)
			assert_true(b.data[i] >= 0x20 && b.data[i] != 0x7f);
	}
	buf_release(&b);
}

static void test_quote__out_of_memory_leaves_the_buffer_as_it_was(void **state)
{
	bool has_failed = true;

	(void)state;
	for (int n = 1; has_failed; n++) {
		char name[600], plan[40];
		struct buf b = { 0 };

		memset(name, '\n', sizeof(name));
		buf_add_str(&b, "keep");
		snprintf(plan, sizeof(plan), "malloc:%d:ENOMEM", n);
		assert_int_equal(fault_load(plan), 0);
		has_failed = quote_c(&b, name, sizeof(name)) != 0;
		assert_int_equal(b.len, has_failed ? 4 : 4 + 2 + 2 * sizeof(name));
		assert_int_equal(b.failed, has_failed);
		buf_release(&b);
	}
	fault_load("");
}

/*
 * For every room: NUL inside, no half escape, no half character, a prefix, dots iff something is
 * missing.
 */
static void test_quote__msg_cuts_between_characters(void **state)
{
	static const char name[] = "ab\n\xe2\x82\xac\033\xff\xf0\x9f\x90\x88z\"end";
	static const char whole[] = "\"ab\\n\xe2\x82\xac\\033\\377\xf0\x9f\x90\x88z\\\"end\"";
	static const size_t stops[] = { 0, 1, 2, 4, 7, 11, 15, 19, 20, 22, 23, 24, 25 };

	(void)state;
	for (size_t cap = 0; cap < 60; cap++) {
		char out[64];
		size_t kept, i;

		memset(out, 'X', sizeof(out));
		assert_ptr_equal(quote_msg(out, cap, name, sizeof(name) - 1), out);
		for (i = cap; i < sizeof(out); i++)
			assert_int_equal(out[i], 'X');
		if (cap == 0)
			continue;
		assert_non_null(memchr(out, '\0', cap));
		if (cap < 8) {
			assert_string_equal(out, "");
			continue;
		}
		if (cap >= sizeof(whole)) {
			assert_string_equal(out, whole);
			continue;
		}
		assert_true(strlen(out) > 5);
		kept = strlen(out) - 5;
		assert_string_equal(out + 1 + kept, "...\"");
		assert_memory_equal(out, whole, 1 + kept);
		for (i = 0; i < sizeof(stops) / sizeof(stops[0]) && stops[i] != kept; i++)
			;
		assert_true(i < sizeof(stops) / sizeof(stops[0]));
	}
}

static void test_quote__msg_fills_plain_room_exactly(void **state)
{
	char out[11];

	(void)state;
	assert_string_equal(quote_msg(out, sizeof(out), "0123456789", 10), "0123456789");
	assert_string_equal(quote_msg(out, sizeof(out), "0123456789a", 11), "0123456...");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quote__table),
		cmocka_unit_test(test_quote__nul_is_a_byte_like_any_other),
		cmocka_unit_test(test_quote__any_bytes_come_back),
		cmocka_unit_test(test_quote__out_of_memory_leaves_the_buffer_as_it_was),
		cmocka_unit_test(test_quote__msg_cuts_between_characters),
		cmocka_unit_test(test_quote__msg_fills_plain_room_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
