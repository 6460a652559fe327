/* Dates as people and programs write them. */
#ifndef STORE_DATA_DATE_H
#define STORE_DATA_DATE_H

#include <stddef.h>
#include <stdint.h>

struct store_error;

struct date {
	int64_t seconds; /* since 1970 */
	int16_t zone;    /* minutes east of Greenwich */
};

/*
 * Parse len bytes of text:
 *     @SECONDS [ZONE]    SECONDS ZONE    SECONDS (nine digits or more)
 *     2026-11-21[T10:00[:00[.5]]][ZONE]    also 2026.11.21, 2026/11/21, 11/21/2026, 21.11.2026, and
 * a blank for T [Sat, ]21 Nov 2026 10:00[:00] [ZONE]    Sat Nov 21 10:00:00 2026 [ZONE] now, today,
 * yesterday, N UNITs ago (blanks, dots or underscores between) ZONE is Z, UTC, GMT, +HHMM, +HH:MM,
 * +HH or a name of RFC 2822; without one the local zone counts. A date without time is its
 * midnight. now: seconds since 1970, for the relative ones. STORE_EINVAL, the message quotes the
 * text and gives an example.
 */
int date_parse(struct date *out, const char *text, size_t len, int64_t now,
	struct store_error *err);

/* The local zone at a moment. */
int16_t date_local_zone(int64_t seconds);

#endif
