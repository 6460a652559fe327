/*
 * A difference of trees, printed: as a patch, as counts, or as a list of paths.  Used by diff, and
 * by what shows a commit.
 */
#ifndef STORE_CLI_DIFFLIST_H
#define STORE_CLI_DIFFLIST_H

#include <stdbool.h>
#include <stdint.h>
#include <store.h>
#include "cli/cli.h"
#include "cli/patch.h"

/* In the order in which they are printed, when there are several. */
enum {
	DIFFLIST_NAMES = 1,   /* alone */
	DIFFLIST_LETTERS = 2, /* alone */
	DIFFLIST_NUMBERS = 4,
	DIFFLIST_STAT = 8,
	DIFFLIST_SUM = 16,
	DIFFLIST_SUMMARY = 32,
	DIFFLIST_PATCH = 64,
};

struct difflist_style {
	unsigned int formats; /* DIFFLIST_* */
	bool is_reversed;     /* the sides of each entry change places */
	struct patch_style patch;
};

struct difflist_result {
	uint64_t entries;    /* paths that differ */
	uint64_t unreadable; /* each was a notice */
};

/*
 * Print what store_diff_open tells of options, whose callbacks are set here.  formats 0: only look
 * whether there is a difference.  0 or STORE_E*.
 */
int difflist_print(struct cli *cli, const struct store_diff_options *options,
	const struct difflist_style *style, struct difflist_result *result);
/* The same for one entry that the caller made. */
int difflist_print_one(struct cli *cli, const struct store_diff_entry *entry,
	const struct difflist_style *style);

#endif
