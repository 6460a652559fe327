/*
 * One table of options per command: it feeds the parser, -h, and whatever else wants to know what a
 * command takes.
 */
#ifndef STORE_CLI_OPTIONS_H
#define STORE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cli/line.h"

/*
 * A list of strings; items ends with NULL once something was pushed.  Contents are freed by
 * strings_release.
 */
struct strings {
	char **items;
	size_t n;
};

/* Copies nothing: item must live as long as the list. */
void strings_push(struct strings *s, char *item);
/* The list alone, and the list with its items, which then came from malloc. */
void strings_release(struct strings *s);
void strings_release_all(struct strings *s);

enum option_kind {
	OPTION_END = 0,
	OPTION_FLAG,   /* int: becomes value */
	OPTION_BIT,    /* unsigned int: value is or-ed into it */
	OPTION_STRING, /* const char * */
	OPTION_LIST,   /* struct strings: may be given several times */
	OPTION_NUMBER, /* uint64_t, at most value, at least 1 */
	OPTION_COUNT,  /* uint64_t: one more than the number, which is from 0 to value */
	OPTION_MAYBE,  /* const char *: its value may be left out ("" then), else it is glued on:
			  -uno, --preserve=all */
	OPTION_NOTHING /* stores nothing; its page says so */
};

struct option_spec {
	char letter;      /* 0 for none */
	const char *word; /* without the dashes; NULL for none */
	enum option_kind kind;
	size_t offset; /* in the struct of the command */
	unsigned int value;
	const char *arg;  /* name of its value; NULL without one */
	const char *help; /* one line */
};

/* A parse under way: the arguments, and where the results go. */
struct options_target {
	const struct option_spec *table; /* may be NULL; ends with OPTION_END */
	void *data;                      /* the struct that offsets mean */
};

/*
 * Read argv (ends with NULL) by the tables of targets (n of them; an earlier one wins).  Operands
 * are pushed to operands; behind "--" all is operand, and *dashes is how many stood before it, else
 * -1.  first_only: stop before the first operand.  Returns how many words were read, or -1 with the
 * complaint in problem.  -5 is read as -n 5 where the table has a number with letter n.
 */
int options_parse(char **argv, const struct options_target *targets, size_t n, bool first_only,
	struct strings *operands, long *dashes, struct line *problem);

/* The option of table that has this letter (not 0), or this word of len bytes (not NULL), or NULL.
 */
const struct option_spec *options_find(const struct option_spec *table, char letter,
	const char *word, size_t len);
/* Its value may stand in the next word. */
bool options_wants_value(const struct option_spec *o);

/* Free the lists that a parse has filled. */
void options_release(const struct options_target *target);

/* Append the lines of -h for a table: two blanks, the spellings, the help. */
void options_describe(struct line *t, const struct option_spec *table);

#endif
