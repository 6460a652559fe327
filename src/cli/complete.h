/* Completion: what fits where the cursor stands. */
#ifndef STORE_CLI_COMPLETE_H
#define STORE_CLI_COMPLETE_H

#include "cli/cli.h"
#include "cli/line.h"

enum quoting { QUOTE_BARE, QUOTE_SINGLE, QUOTE_DOUBLE, QUOTE_ANSI };

/* A line of bash up to the cursor.  Contents are freed by complete_line_release. */
struct complete_line {
	struct strings words;     /* without their quotes; the last one is at the cursor */
	size_t text_at, text_len; /* what readline will replace, in the line */
	enum quoting quoting;     /* which quote is open at the cursor */
};
/* Read s (n bytes) into l, which is all zero; breaks: COMP_WORDBREAKS. */
void complete_line_read(struct complete_line *l, const char *s, size_t n, const char *breaks);
/* Append s, quoted to go on where q is open. */
void complete_line_quote(struct line *t, enum quoting q, const char *s);
void complete_line_release(struct complete_line *l);

/* Who asks, and how the answers are written. */
enum complete_shell { SHELL_PLAIN, SHELL_BASH, SHELL_ZSH, SHELL_FISH };

/* The question, and where the answers go. */
struct complete {
	struct cli *cli;
	enum complete_shell shell;
	const char *current; /* the word at the cursor, without its quotes */
	/* bash: the text that will be replaced, as it was typed, and the quote that is open. */
	const char *typed;
	size_t typed_len;
	enum quoting quoting;
	/* What the words before it say. */
	const struct command *command;      /* NULL: none yet */
	const struct option_spec *value_of; /* the option whose value it is */
	const struct option_spec *table_of; /* the table that option stands in */
	const char *source;                 /* the value of --source; NULL: none */
	bool is_staged;                     /* --staged is given */
	struct strings operands;
	bool has_dashes;
};

/*
 * Answer the candidate HEAD TEXT TAIL, if it begins with the word at the cursor; help may be NULL.
 */
void complete_offer(struct complete *c, const char *head, const char *text, const char *tail,
	const char *help);

/* complete_name.c: head stands before the name in the candidate; name is what is typed of it. */
void complete_files(struct complete *c, const char *head, const char *name, bool only_dirs);
/* Paths of the working tree: on disk, and those that are tracked; only_tracked: these alone. */
void complete_paths(struct complete *c, const char *name, bool only_tracked);
/* Those that are tracked, or were in HEAD. */
void complete_paths_staged(struct complete *c, const char *name);
/* Paths in the tree of rev, relative to the current directory. */
void complete_paths_of(struct complete *c, const char *rev, const char *name);
enum { REFS_ALL, REFS_BRANCHES, REFS_TAGS };
void complete_refs(struct complete *c, const char *head, const char *tail, int which);
/* A revision, or the half of a range at the cursor. */
void complete_revisions(struct complete *c, const char *head, const char *typed);
/* Content: path, rev:path, path@rev; with_revs: a bare revision will do, too. */
void complete_contents(struct complete *c, bool with_revs);

#endif
