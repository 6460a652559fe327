/*
 * Growing text, and the forms in which the command writes names, sizes and times.  Out of memory
 * ends the program.
 */
#ifndef STORE_CLI_LINE_H
#define STORE_CLI_LINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <store.h>

/* All zero is empty; data is NULL or NUL-terminated.  Contents are freed by line_release. */
struct line {
	char *data;
	size_t len, cap;
};

void line_release(struct line *t);
void line_clear(struct line *t);
void line_add(struct line *t, const void *data, size_t len);
void line_string(struct line *t, const char *s);
void line_format(struct line *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void line_vformat(struct line *t, const char *fmt, va_list ap);

/* realloc that ends the program when there is no memory. */
void *line_realloc(void *p, size_t size);

/*
 * Length of the well-formed UTF-8 character at s (n bytes, at least 1), 0 if there is none.
 * *harmless: it is neither a control character nor one that turns the writing direction.
 */
size_t line_character(const char *s, size_t n, bool *harmless);
bool line_is_utf8(const char *s, size_t n);

/*
 * Append name as git quotes it in C manner where it must; space: a blank is a reason to quote, too.
 */
void line_quoted(struct line *t, const char *name, bool space);
/*
 * The reverse, in place, of a line that begins with a double quote.  False if it is not well
 * quoted.
 */
bool line_unquote(char *line);
/*
 * Append what a repository holds as text for people: control characters and bytes that are not
 * UTF-8 become \ooo; LF stays.
 */
void line_harmless(struct line *t, const char *s, size_t n);
/*
 * Append path (relative to the top) as seen from the directory prefix, unquoted: "../c/d", "."; a
 * '/' at the end stays.
 */
void line_relative(struct line *t, const char *prefix, const char *path);

/* "512 bytes", "3.4 MiB". */
void line_size(struct line *t, uint64_t bytes);
/* "1 file", "2 files"; a plural that is irregular is given whole. */
void line_count(struct line *t, uint64_t n, const char *one, const char *many);
/* "Fri Jan 2 03:04:05 2026 +0000", and "2026-01-02T03:04:05+00:00"; zone in minutes east of UTC. */
void line_date(struct line *t, int64_t seconds, int zone);
void line_date_rfc3339(struct line *t, int64_t seconds, int zone);
/* Is there one?  Where none is filled in it is all zero. */
bool line_is_id(const struct store_id *id);
/* 64 or 12 hex digits. */
void line_id(struct line *t, const struct store_id *id);
void line_short_id(struct line *t, const struct store_id *id);
/* "file", "executable", "directory", "symlink", "none". */
const char *line_kind(uint8_t kind);
/* "HEX directory HEIGHT SIZE": an id never goes without what makes it mean something. */
void line_node(struct line *t, const struct store_node *node);

/*
 * Decimal digits only, at most max; an optional K, M or G (times 1024) when scaled.  False if it is
 * no such number.
 */
bool line_to_number(const char *s, bool scaled, uint64_t max, uint64_t *out);
/*
 * Single characters to insert, delete or change on the way from a to b, swapped neighbours counting
 * one; capped at 99.
 */
unsigned int line_distance(const char *a, const char *b);

#endif
