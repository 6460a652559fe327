/* A commit as log and show print it. */
#ifndef STORE_CLI_HISTORY_H
#define STORE_CLI_HISTORY_H

#include <stdbool.h>
#include <store.h>
#include "cli/difflist.h"
#include "cli/line.h"

/* The members of a commit, into an object that is open in t. */
void history_members(struct line *t, const struct store_log_entry *e);
/* Short id and subject, without a line end. */
void history_oneline(struct line *t, const struct store_log_entry *e);
/* All that is told of it, without a line end behind the message. */
void history_long(struct line *t, const struct store_log_entry *e, bool verbose);
/* A message, four blanks before each line that is not empty, each behind a line end. */
void history_message(struct line *t, const char *message);

/* How its difference to the first parent is asked for, by options that log and show share. */
struct history_form {
	unsigned int formats; /* DIFFLIST_* */
	const char *context;  /* -U */
	int oneline;
};

#define HISTORY_OPTIONS(form) \
	{ 0, "oneline", OPTION_FLAG, (form) + offsetof(struct history_form, oneline), 1, NULL, \
		"one line each: id and subject" }, \
		{ 'p', "patch", OPTION_BIT, (form) + offsetof(struct history_form, formats), \
			DIFFLIST_PATCH, NULL, "what the commit changed, as a patch" }, \
		{ 0, "stat", OPTION_BIT, (form) + offsetof(struct history_form, formats), \
			DIFFLIST_STAT, NULL, "changed paths with counts of lines, and a sum" }, \
		{ 0, "shortstat", OPTION_BIT, (form) + offsetof(struct history_form, formats), \
			DIFFLIST_SUM, NULL, "the sum alone" }, \
		{ 0, "numstat", OPTION_BIT, (form) + offsetof(struct history_form, formats), \
			DIFFLIST_NUMBERS, NULL, \
			"lines added and deleted, and the path, for scripts" }, \
		{ 0, "name-only", OPTION_BIT, (form) + offsetof(struct history_form, formats), \
			DIFFLIST_NAMES, NULL, "changed paths only" }, \
		{ 0, "name-status", OPTION_BIT, (form) + offsetof(struct history_form, formats), \
			DIFFLIST_LETTERS, NULL, "a letter and the path" }, \
	{ \
		'U', "unified", OPTION_STRING, (form) + offsetof(struct history_form, context), 0, \
			"N", "lines of context around a change; 3 otherwise" \
	}

/* Fill style from form, whose options are checked.  0 or CLI_FAILED. */
int history_style(struct cli *cli, const struct history_form *form, struct difflist_style *style);
/*
 * Print, if style asks for it, what e changed against its first parent, at paths (n of them; 0:
 * everywhere).  parted: an empty line goes before it.  0, CLI_PARTIAL or STORE_E*.
 */
int history_changes(struct cli *cli, const struct store_log_entry *e,
	const struct difflist_style *style, const char *const *paths, size_t n, bool parted);

#endif
