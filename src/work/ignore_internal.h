/* What the files of the ignore rules share: one pattern, and the rules of one file. */
#ifndef STORE_WORK_IGNORE_INTERNAL_H
#define STORE_WORK_IGNORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "work/ignore.h"

/* ---- ignore_pattern.c: one line of a rules file */

enum ignore_flag {
	IGNORE_NEGATED = 1,   /* '!': takes what a rule before it ignores */
	IGNORE_DIRS_ONLY = 2, /* '/' at the end */
	IGNORE_ANY_DEPTH = 4, /* no other '/': it is compared with the last name alone */
	IGNORE_TAIL = 8,      /* '*' and a text without wildcards: compared with the end */
	IGNORE_NEVER = 16,    /* a class or an escape that does not end: it matches nothing */
};

struct ignore_pattern {
	uint32_t off;    /* of the line in the text of its file, which ends it with NUL */
	uint32_t line;   /* from 1 */
	uint16_t begin;  /* bytes of the line before the pattern: '!', '/' */
	uint16_t len;    /* bytes of the pattern, without the '/' at its end */
	uint16_t prefix; /* bytes of it before the first wildcard */
	uint16_t flags;  /* enum ignore_flag */
};

/* A path, as a pattern is compared with it. */
struct ignore_subject {
	const char *path; /* below the directory of the rules */
	size_t len;
	size_t name_off; /* of its last name */
	bool is_dir;
};

/* Read one line (len bytes, at most IGNORE_PATTERN_MAX, ended by NUL) into *p; off, line are kept.
 */
void ignore_pattern_parse(struct ignore_pattern *p, const char *text, size_t len);
/*
 * text: the line. Does the pattern match, negated or not? *steps (may be NULL) is raised by the
 * work done: at most 4 for each byte of the pattern times bytes of the path, whatever they are.
 */
bool ignore_pattern_matches(const struct ignore_pattern *p, const char *text,
	const struct ignore_subject *s, uint64_t *steps);

/* ---- ignore_rules.c: one rules file */

/* All zero: no rules. */
struct ignore_rules {
	struct buf text;
	struct ignore_pattern *patterns; /* count of them, in the order of the file */
	size_t count, cap;
};

/*
 * Take the text of a file apart. max: patterns it may have. STORE_EINVAL: over a limit, which the
 * message names; the rules are empty then. Takes ownership of text's content, even on error.
 */
int ignore_rules_parse(struct ignore_rules *r, struct buf *text, size_t max,
	struct store_error *err);
void ignore_rules_release(struct ignore_rules *r);
/* The last pattern that matches, or NULL.  Borrowed: valid until ignore_rules_release. */
const struct ignore_pattern *ignore_rules_find(const struct ignore_rules *r,
	const struct ignore_subject *s);
/* The line of a pattern of r, '!' and '/' included.  Borrowed: valid until ignore_rules_release. */
const char *ignore_rules_text(const struct ignore_rules *r, const struct ignore_pattern *p);

#endif
