/*
 * One entry of a difference, printed as a patch: what `git apply` and `patch -p1` take.  Used by
 * diff, show and log.
 */
#ifndef STORE_CLI_PATCH_H
#define STORE_CLI_PATCH_H

#include <stdbool.h>
#include <store.h>
#include "cli/cli.h"
#include "cli/line.h"

/* All zero is the default. */
struct patch_style {
	unsigned int context; /* lines around a change; 0: 3 unless has_context */
	bool has_context;
	bool force_text; /* -a: binary is taken for text */
};

/*
 * Print entry to standard output.  What no patch can carry (binary content, empty directories,
 * permissions beyond the executable bit) is told between the patches, in lines that both programs
 * pass over.  sum may be NULL: else the counts of the content.  0 or STORE_E*, the line is in
 * cli->err.
 */
int patch_print(struct cli *cli, const struct store_diff_entry *entry,
	const struct patch_style *style, struct store_patch_result *sum);
/* The counts alone, for --stat and --numstat. */
int patch_count(struct cli *cli, const struct store_diff_entry *entry,
	const struct patch_style *style, struct store_patch_result *sum);
/*
 * Members on the content of entry, into an object that is open in t: "content" (text, binary,
 * over_limit), "same", "added", "deleted", "limit", "limit_key" and "pieces".  What t holds may be
 * written to standard output on the way, all but its end: pieces are not kept.
 */
int patch_json(struct cli *cli, struct line *t, const struct store_diff_entry *entry,
	const struct patch_style *style);

/* Of the files of the module: what the library is asked for. */
struct store_patch_options patch_options(const struct patch_style *style);
/*
 * store_patch, but that ENOTFOUND (no libgit2) is EINVAL: to those who list entries it would be the
 * end.
 */
int patch_run(struct cli *cli, const struct store_diff_entry *entry,
	const struct store_patch_options *options, struct store_patch_result *result);
/* "diff.textLimit" or "diff.lineLimit". */
const char *patch_limit_key(const struct store_patch_result *r);

#endif
