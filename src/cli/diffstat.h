/*
 * Counts of changed lines, one line for each path, in git's look: how --stat, --shortstat and
 * --numstat of several commands show a difference.
 */
#ifndef STORE_CLI_DIFFSTAT_H
#define STORE_CLI_DIFFSTAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <store.h>
#include "cli/cli.h"
#include "cli/line.h"
#include "cli/patch.h"

struct diffstat_counts {
	bool is_text, is_over_limit;
	uint64_t added, deleted;     /* lines, when is_text */
	uint64_t old_size, new_size; /* bytes */
};

/* Count what differs in the content of entry's two sides.  0 or STORE_E*. */
int diffstat_count(struct cli *cli, const struct store_diff_entry *entry,
	const struct patch_style *style, struct diffstat_counts *out);
/* "text", "binary" or "over_limit". */
const char *diffstat_content(const struct diffstat_counts *c);
/*
 * The path of an entry as lists show it: output_path, with a '/' behind that of a directory; from
 * the top where for_machines.
 */
void diffstat_path(struct line *t, const struct cli *cli, const struct store_diff_entry *entry,
	bool for_machines);
/* Do the two sides have paths of their own? */
bool diffstat_has_two(const struct store_diff_entry *entry);
/*
 * "ADDED TAB DELETED TAB PATH" and a line end; '-' where it is no text. Two paths are "OLD => NEW",
 * under -z NUL OLD NUL NEW.
 */
void diffstat_number_line(struct cli *cli, const struct store_diff_entry *entry,
	const struct diffstat_counts *counts);

/*
 * Lines wait until the widths are known: in memory up to 64 KiB, then in a temporary file without a
 * name. All zero but cli is empty; diffstat_release in any case.
 */
struct diffstat {
	struct cli *cli;
	struct line head, text;
	FILE *rest;
	uint64_t files, added, deleted;
	uint64_t max_change;     /* lines of one path */
	unsigned int name_width; /* columns of the longest path */
	unsigned int bin_width;  /* of the longest "Bin XXX -> YYY bytes" */
	bool has_bin;
};

/* 0 or STORE_E*.  Copies both. */
int diffstat_add(struct diffstat *s, const struct store_diff_entry *entry,
	const struct diffstat_counts *counts);
/* The lines (unless only_sum) and the sum; nothing when nothing was added.  0 or STORE_E*. */
int diffstat_print(struct diffstat *s, bool only_sum);
void diffstat_release(struct diffstat *s);

#endif
