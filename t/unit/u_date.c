/* Dates: the table of forms, what is refused, and the zone of who writes none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "data/date.h"

#define NOON 1795258800 /* 2026-11-21 11:00:00 UTC */
#define NOW 1795260600  /* half an hour later */

static void use_zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static void expect(const char *text, int64_t seconds, int zone)
{
	struct store_error err = { 0 };
	struct date d = { 0 };

	if (date_parse(&d, text, strlen(text), NOW, &err) != 0)
		fail_msg("'%s' is refused: %s", text, err.msg);
	if (d.seconds != seconds || d.zone != zone)
		fail_msg("'%s' gives %lld %d, not %lld %d", text, (long long)d.seconds, d.zone,
			(long long)seconds, zone);
}

static void test_date__forms_name_one_moment(void **state)
{
	(void)state;
	use_zone("UTC");
	expect("@1795258800 +0100", NOON, 60);
	expect("@1795258800", NOON, 0);
	expect("@-5 -0930", -5, -570);
	expect("1795258800 +0100", NOON, 60);
	expect("1795258800", NOON, 0);
	expect("5 +0000", 5, 0);
	expect("2026-11-21T11:00:00Z", NOON, 0);
	expect("2026-11-21t11:00:00z", NOON, 0);
	expect("2026-11-21T12:00:00+01:00", NOON, 60);
	expect("2026-11-21T11:00:00.75Z", NOON, 0);
	expect("2026-11-21T11:00Z", NOON, 0);
	expect("2026-11-21 12:00:00 +0100", NOON, 60);
	expect("2026-11-21 05:30:00 -0530", NOON, -330);
	expect("2026-11-21 12:00 +01", NOON, 60);
	expect("2026.11.21 11:00:00", NOON, 0);
	expect("2026/11/21 11:00:00", NOON, 0);
	expect("11/21/2026 11:00:00", NOON, 0);
	expect("21.11.2026 11:00:00", NOON, 0);
	expect("Sat, 21 Nov 2026 12:00:00 +0100", NOON, 60);
	expect("21 Nov 2026 11:00 GMT", NOON, 0);
	expect("Sat, 21 Nov 2026 06:00:00 EST", NOON, -300);
	expect("Sat Nov 21 12:00:00 2026 +0100", NOON, 60);
	expect("  2026-11-21T11:00:00Z \n", NOON, 0);
	expect("2026-11-21", NOON - 11 * 3600, 0);
	expect("1970-01-01T00:00:00Z", 0, 0);
	expect("1969-12-31T23:59:59Z", -1, 0);
	expect("2000-02-29T00:00:00Z", 951782400, 0);
	expect("2016-12-31T23:59:60Z", 1483228800, 0);
}

static void test_date__relative_ones_count_from_now(void **state)
{
	(void)state;
	use_zone("UTC");
	expect("now", NOW, 0);
	expect("today", NOON - 11 * 3600, 0);
	expect("yesterday", NOW - 86400, 0);
	expect("2.days.ago", NOW - 2 * 86400, 0);
	expect("1 hour ago", NOW - 3600, 0);
	expect("3_weeks_ago", NOW - 21 * 86400, 0);
	expect("90 seconds ago", NOW - 90, 0);
}

static void test_date__without_a_zone_the_local_one_counts(void **state)
{
	(void)state;
	use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	expect("2026-11-21T12:00:00", NOON, 60);
	expect("2026-07-01 14:00:00", 1782907200, 120);
	expect("2026-11-21T11:00:00Z", NOON, 0);
	assert_int_equal(date_local_zone(NOON), 60);
	use_zone("UTC");
}

static void test_date__other_words_are_refused_with_an_example(void **state)
{
	static const char *const bad[] = { "", " ", "tomorrow", "12", "12345678", "2026-02-29",
		"2026-13-01", "2026-00-10", "2026-11-31T00:00:00Z", "2026-11-21T24:00:00Z",
		"2026-11-21T11:60:00Z", "2026-11-21T11:00:61Z", "2026-11-21T11:00:00+1",
		"2026-11-21T11:00:00+0160", "2026-11-21T11", "2026-11-21 nonsense",
		"2026-11-21T11:00:00Zx", "21-11-2026", "2026-11.21", "Sat, 21 Foo 2026 10:00:00",
		"@", "@-", "@1x", "@1234567890123456789", "1795258800 0100", "5 days", "days ago",
		"26-1-1" };

	(void)state;
	use_zone("UTC");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct store_error err = { 0 };
		struct date d;

		if (date_parse(&d, bad[i], strlen(bad[i]), NOW, &err) != STORE_EINVAL)
			fail_msg("'%s' passes", bad[i]);
		if (!strstr(err.msg, "2026-11-21T10:00:00Z"))
			fail_msg("'%s': no example in '%s'", bad[i], err.msg);
	}
}

static void test_date__bytes_behind_the_length_do_not_count(void **state)
{
	struct date d;

	(void)state;
	assert_int_equal(date_parse(&d, "1795258800 +0100}~1", 16, NOW, NULL), 0);
	assert_int_equal(d.zone, 60);
	assert_int_equal(date_parse(&d, "now\0now", 7, NOW, NULL), STORE_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_date__forms_name_one_moment),
		cmocka_unit_test(test_date__relative_ones_count_from_now),
		cmocka_unit_test(test_date__without_a_zone_the_local_one_counts),
		cmocka_unit_test(test_date__other_words_are_refused_with_an_example),
		cmocka_unit_test(test_date__bytes_behind_the_length_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
