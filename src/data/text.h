/*
 * The strict scanner under all texts of the format: layers, commits, tags, refs.log and the file
 * format.
 *
 * A text is taken line by line in the one order it may have.  The first thing that is wrong is
 * recorded with its line number and ends the scan: every later call does nothing and yields zero,
 * so a parser reads like the layout it parses and asks once, at its end.
 */
#ifndef STORE_DATA_TEXT_H
#define STORE_DATA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/id.h"

struct store_error;

/* Bytes of a text, not NUL-terminated.  Borrowed: valid until the text it was cut from is. */
struct text_slice {
	const char *p;
	size_t len;
};

/* The bytes of s without its NUL. */
struct text_slice text_slice_of(const char *s);
bool text_slice_eq(struct text_slice a, struct text_slice b);

/*
 * A decimal number without sign or leading zeros, at most max; text_parse_i64 takes one `-` before
 * it, but not "-0". False, and *out untouched, for anything else.
 */
bool text_parse_u64(struct text_slice s, uint64_t max, uint64_t *out);
bool text_parse_i64(struct text_slice s, int64_t *out);
/* Exactly 16 hexadecimal digits. */
bool text_parse_hex64(struct text_slice s, uint64_t *out);

struct text {
	const char *what;       /* the noun of messages: "commit" */
	const char *p, *end;    /* the lines not yet taken */
	struct text_slice rest; /* of the line being taken: its values not yet taken */
	struct text_slice key;  /* of the line taken last, to tell a repetition */
	unsigned int number;    /* of that line, from 1 */
	bool value_taken;       /* the next value stands behind a blank */
	int rc;                 /* 0, or what ended the scan */
	struct store_error *err;
};

/* Borrowed: what, data and err are used until text_end. */
void text_init(struct text *t, const char *what, const void *data, size_t len,
	struct store_error *err);
/*
 * Record that the text is wrong (STORE_ECORRUPT), with what and the line number in front; the first
 * record stays.  Returns t->rc.
 */
int text_fail(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The next line is this one. */
void text_exact(struct text *t, const char *line);
/* Does the next line begin with key and a blank?  Takes nothing; false after a failure. */
bool text_has(const struct text *t, const char *key);
/*
 * The next line begins with key and a blank: take it; its values are taken by the calls below,
 * text_eol closes it. A line has at most LIMIT_LINE bytes, LF not counted, and no NUL.
 */
void text_key(struct text *t, const char *key);
/* One value: bytes up to the next blank or the end of the line, not empty. */
struct text_slice text_word(struct text *t);
uint64_t text_u64(struct text *t, uint64_t max);
void text_id(struct text *t, struct oid *out);
/* An id and a level of at most LIMIT_LEVEL. */
void text_map_ref(struct text *t, struct map_ref *out);
/* All values left on the line, blanks included; may be empty. */
struct text_slice text_rest(struct text *t);
/* Nothing is left on the line. */
void text_eol(struct text *t);
/* An empty line, then the rest of the text, at most LIMIT_MESSAGE bytes. */
struct text_slice text_message(struct text *t);
/* Nothing is left of the text.  Returns t->rc. */
int text_end(struct text *t);

/* Append "KEY ID HEIGHT" and LF.  Failure is left in out->failed. */
void text_add_map_ref(struct buf *out, const char *key, const struct map_ref *ref);
/* Append "KEY ID" and LF. */
void text_add_id(struct buf *out, const char *key, const struct oid *id);

#endif
