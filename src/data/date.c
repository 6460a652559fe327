/*
 * Dates. git's users have STORE_AUTHOR_DATE set in scripts that were written for git, so its forms
 * are read beside RFC 3339. What could be taken in two ways is refused: a number alone is a moment
 * only from nine digits on, and fields out of range are an error instead of being carried over into
 * the next month.
 *
 * The calendar is computed here, because timegm is no standard function and gmtime keeps its result
 * in a static. Only the offset of the local zone is the C library's to know.
 * Source of the day count: Howard Hinnant, "chrono-compatible low-level date algorithms",
 * days_from_civil.
 */
#include "data/date.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/error.h"
#include "base/quote.h"

#define DAY ((int64_t)86400)
#define TEXT_MAX 100
#define ZONE_NONE INT16_MIN

struct scan {
	const char *p;
};

struct civil {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
	int16_t zone; /* ZONE_NONE: the local one */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void skip_blanks(struct scan *s)
{
	while (*s->p == ' ' || *s->p == '\t')
		s->p++;
}

static bool take_char(struct scan *s, char c)
{
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

/* A number of at least lo and at most hi digits. */
static bool take_digits(struct scan *s, int lo, int hi, int *out)
{
	int n = 0, v = 0;

	while (n < hi && is_digit(s->p[n]))
		v = v * 10 + (s->p[n++] - '0');
	if (n < lo || is_digit(s->p[n]))
		return false;
	s->p += n;
	*out = v;
	return true;
}

/* Letters, compared with a row of names by their first three; index or -1. */
static int take_name(struct scan *s, const char *names)
{
	size_t n = 0;

	while (is_alpha(s->p[n]))
		n++;
	if (n < 3)
		return -1;
	for (size_t i = 0; names[3 * i]; i++) {
		if (strncasecmp(s->p, names + 3 * i, 3) == 0) {
			s->p += n;
			return (int)i;
		}
	}
	return -1;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_real(const struct civil *c)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (c->year < 1 || c->month < 1 || c->month > 12 || c->day < 1)
		return false;
	if (c->day > days[c->month - 1] + (c->month == 2 && is_leap(c->year)))
		return false;
	/* A leap second is the first second of the next minute, as POSIX counts. */
	return c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

static int64_t count_days(int year, int month, int day)
{
	const int64_t y = (int64_t)year - (month <= 2);
	const int64_t era = (y >= 0 ? y : y - 399) / 400;
	const int64_t of_era = y - era * 400;
	const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool finish(struct date *out, const struct civil *c)
{
	int64_t seconds;

	if (!is_real(c))
		return false;
	seconds = count_days(c->year, c->month, c->day) * DAY + (int64_t)c->hour * 3600 +
		(int64_t)c->minute * 60 + c->second;
	if (c->zone != ZONE_NONE) {
		out->zone = c->zone;
		out->seconds = seconds - (int64_t)c->zone * 60;
	} else {
		struct tm tm = { .tm_year = c->year - 1900,
			.tm_mon = c->month - 1,
			.tm_mday = c->day,
			.tm_hour = c->hour,
			.tm_min = c->minute,
			.tm_sec = c->second,
			.tm_isdst = -1 };

		out->seconds = mktime(&tm);
		out->zone = date_local_zone(out->seconds);
	}
	return true;
}

/* ---- zones */

static bool take_zone_name(struct scan *s, int16_t *zone)
{
	static const struct {
		char name[4];
		int hours;
	} zones[] = { { "Z", 0 }, { "UT", 0 }, { "UTC", 0 }, { "GMT", 0 }, { "EST", -5 },
		{ "EDT", -4 }, { "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 },
		{ "PST", -8 }, { "PDT", -7 } };
	size_t n = 0;

	while (is_alpha(s->p[n]))
		n++;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (strlen(zones[i].name) == n && strncasecmp(s->p, zones[i].name, n) == 0) {
			*zone = (int16_t)(zones[i].hours * 60);
			s->p += n;
			return true;
		}
	}
	return false;
}

/* "+HHMM", "+HH:MM" or "+HH". */
static bool take_zone(struct scan *s, int16_t *zone)
{
	const bool west = *s->p == '-';
	int hours = 0, minutes = 0, n = 0;

	if (is_alpha(*s->p))
		return take_zone_name(s, zone);
	if (!west && *s->p != '+')
		return false;
	s->p++;
	while (n < 5 && is_digit(s->p[n]))
		n++;
	if (n == 4) {
		if (!take_digits(s, 4, 4, &hours))
			return false;
		minutes = hours % 100;
		hours /= 100;
	} else if (!take_digits(s, 2, 2, &hours) ||
		(take_char(s, ':') && !take_digits(s, 2, 2, &minutes))) {
		return false;
	}
	*zone = (int16_t)(west ? -(hours * 60 + minutes) : hours * 60 + minutes);
	return minutes <= 59;
}

/* What may stand behind a date: blanks, a zone, nothing. */
static bool take_end(struct scan *s, int16_t *zone)
{
	skip_blanks(s);
	if (*s->p != '\0' && !take_zone(s, zone))
		return false;
	skip_blanks(s);
	return *s->p == '\0';
}

/* ---- the forms; each returns false and touches nothing but s when it is another one */

/* "HH:MM[:SS[.FRACTION]]" */
static bool take_time(struct scan *s, struct civil *c)
{
	if (!take_digits(s, 1, 2, &c->hour) || !take_char(s, ':') ||
		!take_digits(s, 2, 2, &c->minute))
		return false;
	if (!take_char(s, ':'))
		return true;
	if (!take_digits(s, 2, 2, &c->second))
		return false;
	if ((*s->p == '.' || *s->p == ',') && is_digit(s->p[1])) {
		s->p++;
		while (is_digit(*s->p))
			s->p++;
	}
	return true;
}

static bool parse_seconds(struct scan s, struct date *out)
{
	const bool marked = take_char(&s, '@');
	const bool negative = marked && take_char(&s, '-');
	int64_t v = 0;
	int16_t zone = 0;
	int n = 0;

	for (; is_digit(*s.p) && n < 18; n++)
		v = v * 10 + (*s.p++ - '0');
	if (n == 0 || is_digit(*s.p))
		return false;
	/* Unmarked and short, it needs a zone behind it to be a moment. */
	if (!marked && n < 9 && *s.p != ' ')
		return false;
	if (*s.p != '\0' && *s.p != ' ')
		return false;
	skip_blanks(&s);
	if (!marked && n < 9 && *s.p == '\0')
		return false;
	if (!take_end(&s, &zone))
		return false;
	out->seconds = negative ? -v : v;
	out->zone = zone;
	return true;
}

/*
 * Three numbers with one separator: year first, or, four digits last, the order of the separator.
 */
static bool take_date(struct scan *s, struct civil *c)
{
	int a, b, d;
	char sep;

	if (!take_digits(s, 1, 4, &a))
		return false;
	sep = *s->p;
	if (sep != '-' && sep != '.' && sep != '/')
		return false;
	s->p++;
	if (!take_digits(s, 1, 2, &b) || !take_char(s, sep) || !take_digits(s, 1, 4, &d))
		return false;
	if (a > 31)
		*c = (struct civil){ .year = a, .month = b, .day = d };
	else if (sep == '/')
		*c = (struct civil){ .year = d, .month = a, .day = b };
	else if (sep == '.')
		*c = (struct civil){ .year = d, .month = b, .day = a };
	else
		return false;
	return c->year > 99;
}

static bool parse_numeric(struct scan s, struct date *out)
{
	struct civil c;

	if (!take_date(&s, &c))
		return false;
	c.zone = ZONE_NONE;
	if (*s.p == 'T' || *s.p == 't') {
		s.p++;
		if (!take_time(&s, &c))
			return false;
	} else {
		skip_blanks(&s);
		if (is_digit(*s.p) && !take_time(&s, &c))
			return false;
	}
	return take_end(&s, &c.zone) && finish(out, &c);
}

/* "[Sat, ]21 Nov 2026 10:00:00 +0100" and "Sat Nov 21 10:00:00 2026 +0100". */
static bool parse_named(struct scan s, struct date *out)
{
	static const char days[] = "sunmontuewedthufrisat";
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	struct civil c = { .zone = ZONE_NONE };

	if (is_alpha(*s.p) && take_name(&s, days) >= 0) {
		take_char(&s, ',');
		skip_blanks(&s);
	}
	if (is_alpha(*s.p)) {
		c.month = take_name(&s, months) + 1;
		skip_blanks(&s);
		if (c.month == 0 || !take_digits(&s, 1, 2, &c.day))
			return false;
		skip_blanks(&s);
		if (!take_time(&s, &c))
			return false;
		skip_blanks(&s);
		return take_digits(&s, 4, 4, &c.year) && take_end(&s, &c.zone) && finish(out, &c);
	}
	if (!take_digits(&s, 1, 2, &c.day))
		return false;
	skip_blanks(&s);
	c.month = take_name(&s, months) + 1;
	skip_blanks(&s);
	if (c.month == 0 || !take_digits(&s, 4, 4, &c.year))
		return false;
	skip_blanks(&s);
	return take_time(&s, &c) && take_end(&s, &c.zone) && finish(out, &c);
}

static bool local_midnight(struct date *out, int64_t now)
{
	const time_t t = (time_t)now;
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return false;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	out->seconds = mktime(&tm);
	out->zone = date_local_zone(out->seconds);
	return true;
}

static void skip_separators(struct scan *s)
{
	while (*s->p == ' ' || *s->p == '.' || *s->p == '_')
		s->p++;
}

/* "N UNITs ago".  Months and years are 30 and 365 days: nobody means a calendar by it. */
static bool parse_ago(struct scan s, struct date *out, int64_t now)
{
	static const char units[] = "secminhoudayweemonyea";
	static const int64_t length[] = { 1, 60, 3600, DAY, 7 * DAY, 30 * DAY, 365 * DAY };
	int n, unit;

	if (!take_digits(&s, 1, 6, &n))
		return false;
	skip_separators(&s);
	unit = take_name(&s, units);
	skip_separators(&s);
	if (unit < 0 || strcasecmp(s.p, "ago") != 0)
		return false;
	out->seconds = now - n * length[unit];
	out->zone = date_local_zone(out->seconds);
	return true;
}

static bool parse_relative(struct scan s, struct date *out, int64_t now)
{
	if (strcasecmp(s.p, "now") == 0) {
		*out = (struct date){ now, date_local_zone(now) };
		return true;
	}
	if (strcasecmp(s.p, "today") == 0)
		return local_midnight(out, now);
	if (strcasecmp(s.p, "yesterday") == 0) {
		*out = (struct date){ now - DAY, date_local_zone(now - DAY) };
		return true;
	}
	return parse_ago(s, out, now);
}

int16_t date_local_zone(int64_t seconds)
{
	const time_t t = (time_t)seconds;
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return 0;
	/* Zones of old had seconds; the format has none. */
	return (int16_t)(tm.tm_gmtoff / 60);
}

int date_parse(struct date *out, const char *text, size_t len, int64_t now, struct store_error *err)
{
	char copy[TEXT_MAX + 1], shown[60];
	struct scan s = { copy };

	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\n'))
		len--;
	if (len > 0 && len <= TEXT_MAX && !memchr(text, '\0', len)) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		skip_blanks(&s);
		tzset();
		if (parse_seconds(s, out) || parse_numeric(s, out) || parse_named(s, out) ||
			parse_relative(s, out, now))
			return 0;
	}
	return store_error_set(err, STORE_EINVAL,
		"'%s' is no date; write it as 2026-11-21T10:00:00Z",
		quote_msg(shown, sizeof(shown), text, len));
}
