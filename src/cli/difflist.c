/*
 * Entries are printed as they come; each format is a pass of its own, because a patch stands behind
 * all counts, and neither may be kept.  Only the lines of --stat wait for their widths
 * (diffstat.c).  In JSON there is one pass, and formats choose which members are filled.
 */
#include "cli/difflist.h"
#include <errno.h>
#include <string.h>
#include "cli/diffstat.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"

struct difflist {
	struct cli *cli;
	const struct difflist_style *style;
	unsigned int format; /* of this pass; 0: none */
	struct diffstat stat;
	bool is_single;              /* the one entry: that it cannot be read is the end */
	struct store_callbacks told; /* whose notice hears of what cannot be read; NULL: nobody */
	uint64_t unreadable;         /* files of the working tree whose content cannot be */
};

/* ---- one entry in one format */

static void print_name(struct difflist *l, const struct store_diff_entry *e)
{
	struct line t = { 0 };

	if (l->format == DIFFLIST_LETTERS)
		line_format(&t, "%c%c", e->letter, l->cli->global.nul ? 0 : '\t');
	output_bytes(t.data, t.len);
	line_clear(&t);
	diffstat_path(&t, l->cli, e, false);
	output_text(&t);
	output_line_end(l->cli);
	line_release(&t);
}

static const char *mode_of(const struct store_diff_side *s)
{
	return s->kind == STORE_KIND_LINK    ? "120000"
		: s->kind == STORE_KIND_EXEC ? "100755"
		: s->kind == STORE_KIND_DIR  ? "040000"
					     : "100644";
}

static void print_summary(struct difflist *l, const struct store_diff_entry *e)
{
	struct line t = { 0 };

	if (e->letter == 'A')
		line_format(&t, " create mode %s ", mode_of(&e->new_side));
	else if (e->letter == 'D')
		line_format(&t, " delete mode %s ", mode_of(&e->old_side));
	else if (e->old_side.kind != e->new_side.kind)
		line_format(&t, " mode change %s => %s ", mode_of(&e->old_side),
			mode_of(&e->new_side));
	if (t.len > 0) {
		diffstat_path(&t, l->cli, e, false);
		line_string(&t, "\n");
		output_text(&t);
	}
	line_release(&t);
}

static int print_counts(struct difflist *l, const struct store_diff_entry *e)
{
	struct diffstat_counts c;
	const int rc = diffstat_count(l->cli, e, &l->style->patch, &c);

	if (rc != 0)
		return rc;
	if (l->format != DIFFLIST_NUMBERS)
		return diffstat_add(&l->stat, e, &c);
	diffstat_number_line(l->cli, e, &c);
	return 0;
}

static void add_side(struct line *t, const char *name, const struct store_diff_side *s)
{
	if (s->kind == STORE_KIND_NONE) {
		json_string(t, name, NULL);
		return;
	}
	json_open(t, name, '{');
	json_string(t, "kind", line_kind(s->kind));
	if (s->is_work) {
		json_string(t, "id", NULL);
		json_string(t, "height", NULL);
	} else {
		json_id(t, "id", &s->node.id);
		json_number(t, "height", s->node.height);
	}
	json_number(t, "size", s->node.size);
	if (s->has_mode)
		json_number(t, "mode", s->mode);
	else
		json_string(t, "mode", NULL);
	json_close(t, '}');
}

/* The members on content, null where they were not asked for. */
static int add_content(struct difflist *l, struct line *t, const struct store_diff_entry *e)
{
	const bool has_content = e->old_side.kind != STORE_KIND_DIR &&
		e->new_side.kind != STORE_KIND_DIR;
	const bool with_counts = has_content &&
		(l->style->formats & (DIFFLIST_NUMBERS | DIFFLIST_STAT | DIFFLIST_SUM));
	struct diffstat_counts c = { 0 };
	int rc = 0;

	if (l->style->formats & DIFFLIST_PATCH)
		return patch_json(l->cli, t, e, &l->style->patch);
	if (with_counts)
		rc = diffstat_count(l->cli, e, &l->style->patch, &c);
	json_string(t, "pieces", NULL);
	json_string(t, "content", with_counts && rc == 0 ? diffstat_content(&c) : NULL);
	json_string(t, "same", NULL);
	if (c.is_text && rc == 0) {
		json_number(t, "added", c.added);
		json_number(t, "deleted", c.deleted);
	} else {
		json_string(t, "added", NULL);
		json_string(t, "deleted", NULL);
	}
	json_string(t, "limit", NULL);
	json_string(t, "limit_key", NULL);
	return rc;
}

/* A file of the working tree that went away, or may not be read, is not the end of the rest. */
static int pass_over(struct difflist *l, const struct store_diff_entry *e)
{
	const int sys = l->cli->err.sys;
	const struct store_notice n = { .kind = STORE_NOTICE_UNREADABLE,
		.path = e->path,
		.text = sys == ESTALE ? "it changed while it was compared" : strerror(sys) };

	if (l->told.notice)
		l->told.notice(l->told.payload, &n);
	l->unreadable++;
	memset(&l->cli->err, 0, sizeof(l->cli->err));
	return 0;
}

static int fail_reading(struct difflist *l, const struct store_diff_entry *e, int rc)
{
	if (rc == STORE_EIO && l->cli->err.sys != 0 && !l->is_single &&
		(e->old_side.is_work || e->new_side.is_work))
		return pass_over(l, e);
	if (rc != 0 && rc != STORE_ECANCELED)
		cli_fail_reading(l->cli, rc, e->path, e->path);
	return rc;
}

static int print_json(struct difflist *l, const struct store_diff_entry *e)
{
	const char letter[2] = { e->letter, 0 };
	struct line t = { 0 };
	int rc;

	json_begin(&t, "store/diff/1");
	json_bytes(&t, "path", e->path);
	json_bytes(&t, "old_path", diffstat_has_two(e) ? e->old_path : NULL);
	json_string(&t, "letter", letter);
	json_bool(&t, "mode_only", e->is_mode_only);
	add_side(&t, "old", &e->old_side);
	add_side(&t, "new", &e->new_side);
	rc = fail_reading(l, e, add_content(l, &t, e));
	json_end(&t);
	if (rc == 0)
		output_text(&t);
	line_release(&t);
	return rc;
}

static int print_entry(struct difflist *l, const struct store_diff_entry *given)
{
	struct store_diff_entry e = *given;

	if (l->style->is_reversed) {
		e.old_side = given->new_side;
		e.new_side = given->old_side;
		if (e.old_path) {
			e.path = given->old_path;
			e.old_path = given->path;
		}
		e.letter = e.letter == 'A' ? 'D' : e.letter == 'D' ? 'A' : e.letter;
	}
	if (l->cli->global.json && l->format)
		return print_json(l, &e);
	switch (l->format) {
	case DIFFLIST_NAMES:
	case DIFFLIST_LETTERS:
		print_name(l, &e);
		return 0;
	case DIFFLIST_SUMMARY:
		print_summary(l, &e);
		return 0;
	case DIFFLIST_PATCH:
		return fail_reading(l, &e, patch_print(l->cli, &e, &l->style->patch, NULL));
	case 0:
		return 0;
	default:
		return fail_reading(l, &e, print_counts(l, &e));
	}
}

/* ---- passes */

static int end_pass(struct difflist *l, int rc)
{
	if (rc == 0 && (l->format == DIFFLIST_STAT || l->format == DIFFLIST_SUM))
		rc = diffstat_print(&l->stat, l->format == DIFFLIST_SUM);
	diffstat_release(&l->stat);
	return rc;
}

static int read_entries(struct difflist *l, const struct store_diff_options *options,
	struct difflist_result *result)
{
	struct store_diff_iter *it = NULL;
	struct store_diff_entry e;
	int rc = store_diff_open(l->cli->repo, options, &it, &l->cli->err);

	while (rc == 0) {
		rc = cli_must_stop() ? STORE_ECANCELED : store_diff_next(it, &e, &l->cli->err);
		if (rc == 0) {
			result->entries++;
			rc = print_entry(l, &e);
		}
		if (!l->format && result->entries > 0)
			break;
	}
	if (it)
		result->unreadable = store_diff_unreadable(it) + l->unreadable;
	store_diff_free(it);
	return it && rc == STORE_ENOTFOUND ? 0 : rc;
}

/* The first format of those left in formats, which loses it.  JSON has one pass for all. */
static unsigned int take_format(const struct cli *cli, unsigned int *formats)
{
	const unsigned int first = *formats & (~*formats + 1);

	*formats = cli->global.json ? 0 : *formats & ~first;
	return first;
}

static void part(const struct cli *cli, unsigned int format, const struct difflist_style *style,
	bool any)
{
	if (any && !cli->global.json && format == DIFFLIST_PATCH && style->formats != format)
		output_string("\n");
}

int difflist_print(struct cli *cli, const struct store_diff_options *given,
	const struct difflist_style *style, struct difflist_result *result)
{
	unsigned int left = style->formats;
	struct store_diff_options options = *given;
	struct store_callbacks told;
	struct progress progress = { 0 };
	uint64_t unreadable = 0; /* the most of all passes */
	int rc;

	progress_begin(&progress, cli, &options.callbacks);
	/* What is printed would run through the line of progress. */
	progress.visible = false;
	told = options.callbacks;
	do {
		struct difflist l = { .cli = cli, .style = style, .stat.cli = cli, .told = told };

		l.format = take_format(cli, &left);
		part(cli, l.format, style, result->entries > 0);
		*result = (struct difflist_result){ 0 };
		rc = end_pass(&l, read_entries(&l, &options, result));
		/* What could not be read is told once. */
		options.callbacks.notice = NULL;
		if (l.unreadable > 0)
			told.notice = NULL;
		if (result->unreadable > unreadable)
			unreadable = result->unreadable;
	} while (rc == 0 && left);
	result->unreadable = unreadable;
	progress_end(&progress);
	return rc;
}

int difflist_print_one(struct cli *cli, const struct store_diff_entry *entry,
	const struct difflist_style *style)
{
	unsigned int left = style->formats;
	int rc = 0;

	while (rc == 0 && left) {
		struct difflist l = { .cli = cli,
			.style = style,
			.stat.cli = cli,
			.is_single = true };

		l.format = take_format(cli, &left);
		part(cli, l.format, style, true);
		rc = end_pass(&l, print_entry(&l, entry));
	}
	return rc;
}
