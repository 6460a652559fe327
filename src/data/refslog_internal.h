/* What writing and reading refs.log share: the records as bytes. */
#ifndef STORE_DATA_REFSLOG_INTERNAL_H
#define STORE_DATA_REFSLOG_INTERNAL_H

#include "data/refslog.h"

/* Hex digits of a record's checksum. */
#define REFSLOG_CHECK 16

/* A record as it lies in memory. */
struct refslog_extent {
	const uint8_t *p;
	size_t body; /* bytes before the line "end" */
	size_t len;  /* with it; 0: there is none */
};

bool refslog_starts_with(const uint8_t *p, size_t len, const char *word);
/* Does a line that begins a record of either type stand at p? */
bool refslog_begins_record(const uint8_t *p, size_t len);
/*
 * From p up to the first line "end"; none if another record begins before it. Borrowed: part of p.
 */
struct refslog_extent refslog_find_extent(const uint8_t *p, size_t len);
/* Is its checksum right? */
bool refslog_is_whole(struct hash *h, const struct refslog_extent *e);
/*
 * Could these bytes, in which no whole record begins, be what is left of the one append that a
 * crash cut short?  Each byte is hashed at most once.
 */
bool refslog_is_torn(struct hash *h, const uint8_t *p, size_t len);

/* STORE_EINVAL: a name or value is not legal; a name stands twice. */
int refslog_check_change(const struct refslog_change *c, struct store_error *err);
int refslog_check_names_differ(const struct refslog_change *changes, size_t count,
	struct store_error *err);

#endif
