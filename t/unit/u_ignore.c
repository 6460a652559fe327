/* Ignore patterns: the grammar as a table, the work that hostile ones make, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "work/ignore_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct ignore_subject subject_of(const char *path, bool is_dir)
{
	const char *slash = strrchr(path, '/');

	return (struct ignore_subject){ .path = path,
		.len = strlen(path),
		.name_off = slash ? (size_t)(slash - path) + 1 : 0,
		.is_dir = is_dir };
}

/* Does it match; steps may be NULL. */
static bool matches(const char *pattern, const char *path, bool is_dir, uint64_t *steps)
{
	const struct ignore_subject s = subject_of(path, is_dir);
	struct ignore_pattern p = { 0 };

	ignore_pattern_parse(&p, pattern, strlen(pattern));
	return ignore_pattern_matches(&p, pattern, &s, steps);
}

static void test_ignore__patterns_match_as_the_page_tells(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool is_dir, want;
	} cases[] = {
		/* Without a slash: the last name, at any depth. */
		{ "a", "a", false, true },
		{ "a", "x/y/a", false, true },
		{ "a", "ab", false, false },
		{ "a", "a/b", false, false },
		{ "*.o", "x/y.o", false, true },
		{ "*.o", "x.o/y", false, false },
		{ "*", ".h", false, true },
		/* With one: the whole path. */
		{ "/a", "a", false, true },
		{ "/a", "x/a", false, false },
		{ "x/a", "x/a", false, true },
		{ "x/a", "y/x/a", false, false },
		{ "x/*", "x/a", false, true },
		{ "x/*", "x/a/b", false, false },
		{ "*/a", "x/a", false, true },
		{ "*/a", "a", false, false },
		/* Directories only. */
		{ "a/", "a", true, true },
		{ "a/", "a", false, false },
		{ "a/", "x/a", true, true },
		{ "/a/", "x/a", true, false },
		/* Double asterisks. */
		{ "**/a", "a", false, true },
		{ "**/a", "x/y/a", false, true },
		{ "**/a", "x/ya", false, false },
		{ "a/**", "a/x/y", false, true },
		{ "a/**", "a", true, false },
		{ "a/**/b", "a/b", false, true },
		{ "a/**/b", "a/x/y/b", false, true },
		{ "a/**/b", "a/xb", false, false },
		{ "a/**/b/**/c", "a/b/b/x/c", false, true },
		{ "a/**/b/c", "a/b/x/b/c", false, true },
		{ "x*/**/c", "xy/c", false, true },
		{ "?**/c", "ab/c", false, true },
		{ "?**/c", "ab/x/c", false, false },
		{ "ab**/c", "abx/y/c", false, true },
		{ "/**", "a/b", false, true },
		{ "**", "a/b", false, true },
		{ "a/***/b", "a/x/y/b", false, true },
		/* One byte. */
		{ "?", "\xff", false, true },
		{ "?", "\xc3\xa4", false, false },
		{ "x?a", "x/a", false, false },
		{ "/x?a", "x/a", false, false },
		{ "[a-c]", "b", false, true },
		{ "[a-c]", "d", false, false },
		{ "[!a-c]", "d", false, true },
		{ "[^a-c]", "b", false, false },
		{ "[]]", "]", false, true },
		{ "[!]]", "]", false, false },
		{ "[a-]", "-", false, true },
		{ "[\\]]", "]", false, true },
		{ "[a\\-c]", "b", false, false },
		{ "[[:alpha:]]", "x", false, true },
		{ "[[:alpha:]]", "1", false, false },
		{ "[![:digit:]x]", "x", false, false },
		{ "[[:space:][:punct:]]", "!", false, true },
		{ "[[]", "[", false, true },
		{ "/x[/]a", "x/a", false, false },
		{ "/x[!b]a", "x/a", false, false },
		/* Escapes, and what does not end. */
		{ "\\*", "*", false, true },
		{ "\\*", "a", false, false },
		{ "\\!a", "!a", false, true },
		{ "\\#a", "#a", false, true },
		{ "a\\", "a\\", false, false },
		{ "[a", "a", false, false },
		{ "[a", "[a", false, false },
		{ "[[:nope:]]", "n", false, false },
		{ "[[:alpha]", "a", false, true },
		{ "", "a", false, false },
		{ "/", "a", true, false },
		{ "//", "a", true, false },
		{ "!", "a", false, false },
		/* A negated one matches, too: what it means is not the matcher's. */
		{ "!a", "a", false, true },
		{ "!/a/", "a", true, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (matches(cases[i].pattern, cases[i].path, cases[i].is_dir, NULL) !=
			cases[i].want)
			fail_msg("'%s' and '%s': wanted %d", cases[i].pattern, cases[i].path,
				cases[i].want);
	}
}

/* part, times times, then end; len at most cap - 1. */
static void repeat(char *out, size_t cap, const char *part, size_t times, const char *end)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < times && len + strlen(part) + strlen(end) < cap; i++)
		len += (size_t)snprintf(out + len, cap - len, "%s", part);
	snprintf(out + len, cap - len, "%s", end);
}

static void test_ignore__hostile_patterns_take_bounded_work(void **state)
{
	static const struct {
		const char *part, *end, *path_part, *path_end;
	} cases[] = {
		{ "*a", "*b", "a", "" },
		{ "*a", "*b", "aaaaaaaaaaaaaaaaaaaaaaaaa/", "a" },
		{ "/**/a", "/b", "a/", "a" },
		{ "/**/*a*a", "/b", "aaaa/", "a" },
		{ "**/*/", "b", "a/", "a" },
		{ "/**/a*[!b]", "/**/b", "ab/aa/", "a" },
		{ "[[:alpha:]-z]*", "/b", "a", "" },
		{ "?*", "/b", "a", "" },
		{ "*?a", "[b]", "a", "" },
		{ "**\\/a", "/b", "a/", "a" },
		{ "a**/*", "/b", "aa/", "a" },
	};
	static char pattern[IGNORE_PATTERN_MAX + 1], path[4097];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t n = 4; n <= 1024; n *= 4) {
			uint64_t steps = 0, most;

			repeat(pattern, sizeof(pattern), cases[i].part, n, cases[i].end);
			repeat(path, sizeof(path), cases[i].path_part, 4 * n, cases[i].path_end);
			most = 4 * (strlen(pattern) + 1) * (strlen(path) + 1);
			assert_false(matches(pattern, path, false, &steps));
			if (steps > most)
				fail_msg("case %zu, %zu parts: %llu steps, at most %llu", i, n,
					(unsigned long long)steps, (unsigned long long)most);
		}
	}
}

static int parse(struct ignore_rules *r, const char *text, size_t len, size_t max,
	struct store_error *err)
{
	struct buf b = { 0 };

	assert_int_equal(buf_add(&b, text, len), 0);
	return ignore_rules_parse(r, &b, max, err);
}

/* The line that decides, 0 for none. */
static unsigned int line_for(const char *text, size_t len, const char *path)
{
	const struct ignore_subject s = subject_of(path, false);
	const struct ignore_pattern *p;
	struct ignore_rules r;
	unsigned int line;

	assert_int_equal(parse(&r, text, len, IGNORE_COUNT_MAX, NULL), 0);
	p = ignore_rules_find(&r, &s);
	line = p ? p->line : 0;
	ignore_rules_release(&r);
	return line;
}

static void test_ignore__lines_are_read_as_the_page_tells(void **state)
{
#define CASE(text, path, line) \
	{ \
		text, sizeof(text) - 1, path, line \
	}
	static const struct {
		const char *text;
		size_t len;
		const char *path;
		unsigned int line;
	} cases[] = {
		CASE("", "a", 0),
		CASE("a", "a", 1),
		CASE("\n\n#a\na\n", "a", 4),
		CASE("#a\n", "#a", 0),
		CASE("\\#a\n", "#a", 1),
		CASE("a\n!a\n", "a", 2),
		CASE("!a\na\n", "a", 2),
		CASE("a  \n", "a", 1),
		CASE("a\\ \n", "a ", 1),
		CASE("a\\  \n", "a ", 1),
		CASE("a b\n", "a b", 1),
		CASE(" a\n", " a", 1),
		CASE("a\t\n", "a\t", 1),
		CASE("a\r\nb\r\n", "b", 2),
		CASE("a\r", "a", 1),
		CASE("\xef\xbb\xbf"
		     "a\n",
			"a", 1),
		CASE("a\0b\n", "a", 1),
		CASE("\r\n   \n/\n!\n", "a", 0),
		CASE("[\na\n", "a", 2),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const unsigned int got = line_for(cases[i].text, cases[i].len, cases[i].path);

		if (got != cases[i].line)
			fail_msg("case %zu: line %u, wanted %u", i, got, cases[i].line);
	}
}

static void test_ignore__limits_are_named(void **state)
{
	static char text[IGNORE_PATTERN_MAX + 8];
	struct store_error err = { 0 };
	struct ignore_rules r;

	(void)state;
	memset(text, 'a', IGNORE_PATTERN_MAX + 1);
	assert_int_equal(parse(&r, text, IGNORE_PATTERN_MAX, 1, &err), 0);
	assert_int_equal(r.count, 1);
	ignore_rules_release(&r);
	assert_int_equal(parse(&r, text, IGNORE_PATTERN_MAX + 1, 1, &err), STORE_EINVAL);
	assert_string_equal(err.msg, "line 1 is longer than 4096 bytes");
	assert_int_equal(r.count, 0);
	ignore_rules_release(&r);
	assert_int_equal(parse(&r, "a\nb\n", 4, 1, &err), STORE_EINVAL);
	assert_non_null(strstr(err.msg, "more than 32768 patterns are in force"));
	ignore_rules_release(&r);
	/* What can match nothing does not count. */
	assert_int_equal(parse(&r, "#\n\n[\na\n", 7, 1, &err), 0);
	ignore_rules_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ignore__patterns_match_as_the_page_tells),
		cmocka_unit_test(test_ignore__hostile_patterns_take_bounded_work),
		cmocka_unit_test(test_ignore__lines_are_read_as_the_page_tells),
		cmocka_unit_test(test_ignore__limits_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
