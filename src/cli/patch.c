/*
 * Patches in git's form.
 *
 *     diff --git a/x b/x           names C-quoted where they must be
 *     old mode / new mode, new file mode, deleted file mode
 *     index OLD..NEW MODE          short ids
 *     --- a/x                      a tab behind a name with a blank, or patch would cut it there
 *     +++ b/x
 *     @@ -1,3 +1,4 @@
 *
 * Three things are not as one would think:
 *
 * 1. Content that is no text is told without a "diff --git" line, because git apply refuses its
 *    whole input when binary content stands below one.  A change of mode gets its own, before.
 *    Lines between patches must not look like the beginning of one; patch reads "5,6d" as ed's and
 *    takes "new file mode" for the patch before, so none begins like that.
 * 2. patch removes and makes empty files only when the ids of the index line say so: it knows those
 *    of git's empty file and of nothing.  Hence git's id stands for the empty file.  It would take
 *    zeros for "no such file", so there is no index line where an id is not known.
 * 3. A file that becomes a link, or the reverse, is two patches, as it is in git.
 *
 * To a pipe or a file content goes as it is, so that the patch applies; on a terminal control
 * characters are shown as \ooo.
 */
#include "cli/patch.h"
#include "cli/output.h"
#include <stdio.h>
#include <string.h>

#define EMPTY_ID "e69de29bb2d1" /* git's empty file */
#define NO_ID "000000000000"
#define HEX_MAX 64 /* ranges up to so many bytes are shown */

struct printer {
	struct cli *cli;
	const struct store_diff_entry *entry;
	const struct store_patch_result *result;
	bool has_head; /* the lines before the first piece are printed */
};

static int on_progress(void *payload, const struct store_progress *progress)
{
	(void)payload;
	(void)progress;
	return cli_must_stop();
}

struct store_patch_options patch_options(const struct patch_style *style)
{
	struct store_patch_options o = { .callbacks.progress = on_progress };

	o.context = style->context;
	o.has_context = style->has_context;
	o.force_text = style->force_text;
	return o;
}

int patch_run(struct cli *cli, const struct store_diff_entry *entry,
	const struct store_patch_options *options, struct store_patch_result *result)
{
	const int rc = store_patch(cli->repo, entry, options, result, &cli->err);

	if (rc != STORE_ENOTFOUND)
		return rc;
	cli->err.code = STORE_EINVAL;
	return STORE_EINVAL;
}

const char *patch_limit_key(const struct store_patch_result *r)
{
	return r->limit_is_lines ? "diff.lineLimit" : "diff.textLimit";
}

/* ---- heads */

static bool is_there(const struct store_diff_side *s)
{
	return s->kind != STORE_KIND_NONE;
}

static const char *mode_of(const struct store_diff_side *s)
{
	return s->kind == STORE_KIND_LINK    ? "120000"
		: s->kind == STORE_KIND_EXEC ? "100755"
					     : "100644";
}

/* Append the name with "a/" or "b/" before it. */
static void add_name(struct line *t, const char *prefix, const char *path, bool space)
{
	struct line name = { 0 };

	line_string(&name, prefix);
	line_string(&name, path);
	line_quoted(t, name.data, space);
	line_release(&name);
}

/* The tab behind it would not save this one: patch takes all blanks at the end for none. */
static bool ends_with_blank(const char *path)
{
	const size_t len = strlen(path);

	return len > 0 && path[len - 1] == ' ';
}

static const char *path_of(const struct store_diff_entry *e, bool is_old)
{
	return is_old && e->old_path ? e->old_path : e->path;
}

static void add_side_name(struct line *t, const struct store_diff_entry *e, bool is_old)
{
	const struct store_diff_side *s = is_old ? &e->old_side : &e->new_side;
	const char *path = path_of(e, is_old);

	if (is_there(s))
		add_name(t, is_old ? "a/" : "b/", path, ends_with_blank(path));
	else
		line_string(t, "/dev/null");
}

/* A line of a head, coloured as one. */
static void print_line(struct line *t, enum output_color color)
{
	output_string(output_color(color));
	output_text(t);
	output_string(output_color(COLOR_OFF));
	output_string("\n");
}

/* NULL: not known. */
static const char *short_id(const struct store_diff_side *s, struct line *t)
{
	if (!is_there(s))
		return NO_ID;
	if (s->node.size == 0)
		return EMPTY_ID;
	if (s->is_work)
		return NULL;
	line_clear(t);
	line_short_id(t, &s->node.id);
	return t->data;
}

/* Is there an index line? */
static bool print_index(const struct store_diff_entry *e)
{
	struct line old_text = { 0 }, new_text = { 0 }, t = { 0 };
	const char *old_id = short_id(&e->old_side, &old_text);
	const char *new_id = short_id(&e->new_side, &new_text);
	const bool is_known = old_id && new_id && strcmp(old_id, new_id) != 0;

	if (is_known) {
		line_format(&t, "index %s..%s", old_id, new_id);
		if (is_there(&e->old_side) && is_there(&e->new_side) &&
			e->old_side.kind == e->new_side.kind)
			line_format(&t, " %s", mode_of(&e->new_side));
		print_line(&t, COLOR_ID);
	}
	line_release(&old_text);
	line_release(&new_text);
	line_release(&t);
	return is_known;
}

/* is_bare: no "---" line follows, so patch finds the name in this one, and wants blanks quoted. */
static void print_git_head(const struct store_diff_entry *e, bool is_bare)
{
	const char *old_path = path_of(e, true);
	const bool space = is_bare || ends_with_blank(e->path) || ends_with_blank(old_path);
	struct line t = { 0 };

	line_string(&t, "diff --git ");
	add_name(&t, "a/", old_path, space);
	line_string(&t, " ");
	add_name(&t, "b/", e->path, space);
	print_line(&t, COLOR_ID);
	if (!is_there(&e->old_side)) {
		line_format(&t, "new file mode %s", mode_of(&e->new_side));
		print_line(&t, COLOR_ID);
	} else if (!is_there(&e->new_side)) {
		line_format(&t, "deleted file mode %s", mode_of(&e->old_side));
		print_line(&t, COLOR_ID);
	} else if (e->old_side.kind != e->new_side.kind) {
		line_format(&t, "old mode %s", mode_of(&e->old_side));
		print_line(&t, COLOR_ID);
		line_format(&t, "new mode %s", mode_of(&e->new_side));
		print_line(&t, COLOR_ID);
	}
	line_release(&t);
}

/* patch writes through no link of which the patch does not say that it is one. */
static void print_link_modes(const struct store_diff_entry *e)
{
	struct line t = { 0 };

	line_format(&t, "old mode %s", mode_of(&e->old_side));
	print_line(&t, COLOR_ID);
	line_format(&t, "new mode %s", mode_of(&e->new_side));
	print_line(&t, COLOR_ID);
	line_release(&t);
}

/* Append what ends the name of a side that is there. */
static void add_tab(struct line *t, const struct store_diff_entry *e, bool is_old)
{
	if (is_there(is_old ? &e->old_side : &e->new_side) && strchr(path_of(e, is_old), ' '))
		line_string(t, "\t");
}

static void print_text_head(const struct store_diff_entry *e)
{
	struct line t = { 0 };

	print_git_head(e, false);
	if (!print_index(e) && e->old_side.kind == STORE_KIND_LINK &&
		e->new_side.kind == STORE_KIND_LINK)
		print_link_modes(e);
	line_string(&t, "--- ");
	add_side_name(&t, e, true);
	add_tab(&t, e, true);
	print_line(&t, COLOR_ID);
	line_string(&t, "+++ ");
	add_side_name(&t, e, false);
	add_tab(&t, e, false);
	print_line(&t, COLOR_ID);
	line_release(&t);
}

static bool is_other_mode(const struct store_diff_entry *e)
{
	return is_there(&e->old_side) && is_there(&e->new_side) &&
		e->old_side.kind != e->new_side.kind;
}

/* Before ranges. */
static void print_range_head(const struct printer *p)
{
	const struct store_diff_entry *e = p->entry;
	const struct store_patch_result *r = p->result;
	struct line t = { 0 };

	if (is_other_mode(e))
		print_git_head(e, true);
	line_string(&t, r->why == STORE_PATCH_IS_BINARY ? "Binary " : "Text ");
	add_side_name(&t, e, true);
	line_string(&t, " and ");
	add_side_name(&t, e, false);
	line_string(&t, " differ");
	if (!is_there(&e->old_side))
		line_format(&t, ", new file mode %s", mode_of(&e->new_side));
	else if (!is_there(&e->new_side))
		line_format(&t, ", deleted file mode %s", mode_of(&e->old_side));
	print_line(&t, COLOR_ID);
	if (r->why == STORE_PATCH_OVER_LIMIT) {
		line_format(&t, "shown as ranges of bytes: over %s of %llu %s", patch_limit_key(r),
			(unsigned long long)r->limit, r->limit_is_lines ? "lines" : "bytes");
		print_line(&t, COLOR_ID);
	}
	line_release(&t);
}

/* What has no content to show: a mode, an empty file, permissions, a directory. */
static void print_bare(const struct store_diff_entry *e)
{
	const bool is_empty = e->old_side.node.size == 0 && e->new_side.node.size == 0;
	struct line t = { 0 };

	if (is_other_mode(e) ||
		((!is_there(&e->old_side) || !is_there(&e->new_side)) && is_empty)) {
		print_git_head(e, true);
		(void)print_index(e);
		return;
	}
	if (!e->old_side.has_mode || !e->new_side.has_mode ||
		((e->old_side.mode ^ e->new_side.mode) & 07777) == 0)
		return;
	line_string(&t, "Permissions of ");
	add_name(&t, "", e->path, false);
	line_format(&t, " differ: %04o and %04o", e->old_side.mode & 07777,
		e->new_side.mode & 07777);
	print_line(&t, COLOR_ID);
	line_release(&t);
}

static void print_directory(const struct store_diff_entry *e)
{
	struct line t = { 0 };

	line_string(&t, "Directory ");
	add_name(&t, is_there(&e->old_side) ? "a/" : "b/", e->path, false);
	line_string(&t, is_there(&e->old_side) ? " is deleted" : " is added, empty");
	print_line(&t, COLOR_ID);
	line_release(&t);
}

/* ---- pieces */

static void add_lines(struct line *t, char sign, uint64_t first, uint64_t count)
{
	line_format(t, " %c%llu", sign, (unsigned long long)first);
	if (count != 1)
		line_format(t, ",%llu", (unsigned long long)count);
}

static void print_hunk(const struct store_patch_piece *piece)
{
	struct line t = { 0 };

	line_string(&t, "@@");
	add_lines(&t, '-', piece->old_line, piece->old_lines);
	add_lines(&t, '+', piece->new_line, piece->new_lines);
	line_string(&t, " @@");
	print_line(&t, COLOR_BRANCH);
	line_release(&t);
}

static void print_text(const char *sign, enum output_color color, const char *data, size_t len)
{
	const char *on = color == COLOR_OFF ? "" : output_color(color);
	const bool ends = len > 0 && data[len - 1] == '\n';
	struct line t = { 0 };

	line_string(&t, on);
	line_string(&t, sign);
	if (output_is_terminal())
		line_harmless(&t, data, len - ends);
	else
		line_add(&t, data, len - ends);
	if (*on)
		line_string(&t, output_color(COLOR_OFF));
	line_string(&t, ends ? "\n" : "\n\\ No newline at end of file\n");
	output_text(&t);
	line_release(&t);
}

/* " old 10-19", or where nothing is: " old at 10". */
static void add_range(struct line *t, const char *side, uint64_t off, uint64_t len)
{
	if (len > 0)
		line_format(t, " %s %llu-%llu", side, (unsigned long long)off,
			(unsigned long long)(off + len - 1));
	else
		line_format(t, " %s at %llu", side, (unsigned long long)off);
}

static void print_hex(const char *side, enum output_color color, uint64_t off, const uint8_t *data,
	size_t len)
{
	struct line t = { 0 };

	for (size_t i = 0; i < len; i += 16) {
		const unsigned long long at = off + i;

		line_format(&t, " %s %08llx ", side, at);
		for (size_t k = i; k < i + 16; k++) {
			if (k < len)
				line_format(&t, " %02x", data[k]);
			else
				line_string(&t, "   ");
		}
		line_string(&t, "  |");
		for (size_t k = i; k < i + 16 && k < len; k++)
			line_format(&t, "%c", data[k] >= 0x20 && data[k] < 0x7f ? data[k] : '.');
		line_string(&t, "|");
		print_line(&t, color);
	}
	line_release(&t);
}

static void print_range(const struct store_patch_piece *p)
{
	struct line t = { 0 };

	line_string(&t, "@@ bytes");
	add_range(&t, "old", p->old_off, p->old_len);
	add_range(&t, "new", p->new_off, p->new_len);
	line_string(&t, " @@");
	print_line(&t, COLOR_BRANCH);
	line_release(&t);
	if (p->old_len > HEX_MAX || p->new_len > HEX_MAX)
		return;
	print_hex("old", COLOR_CHANGED, p->old_off, p->old_data, p->old_data_len);
	print_hex("new", COLOR_STAGED, p->new_off, p->new_data, p->new_data_len);
}

static int print_piece(void *payload, const struct store_patch_piece *piece)
{
	struct printer *p = payload;

	if (!p->has_head) {
		if (piece->kind == STORE_PATCH_BINARY)
			print_range_head(p);
		else
			print_text_head(p->entry);
		p->has_head = true;
	}
	switch (piece->kind) {
	case STORE_PATCH_HUNK:
		print_hunk(piece);
		break;
	case STORE_PATCH_CONTEXT:
		print_text(" ", COLOR_OFF, piece->data, piece->len);
		break;
	case STORE_PATCH_DELETED:
		print_text("-", COLOR_CHANGED, piece->data, piece->len);
		break;
	case STORE_PATCH_ADDED:
		print_text("+", COLOR_STAGED, piece->data, piece->len);
		break;
	case STORE_PATCH_BINARY:
		print_range(piece);
		break;
	}
	return cli_must_stop();
}

/* ---- entries */

static int print_one(struct cli *cli, const struct store_diff_entry *e,
	const struct patch_style *style, struct store_patch_result *result)
{
	struct printer p = { .cli = cli, .entry = e, .result = result };
	struct store_patch_options options = patch_options(style);
	int rc;

	options.piece = print_piece;
	options.payload = &p;
	rc = patch_run(cli, e, &options, result);
	if (rc == 0 && !p.has_head)
		print_bare(e);
	return rc;
}

/* The half of an entry whose kind changes. */
static struct store_diff_entry half(const struct store_diff_entry *e, bool is_old)
{
	struct store_diff_entry out = *e;
	struct store_diff_side *none = is_old ? &out.new_side : &out.old_side;

	out.letter = is_old ? 'D' : 'A';
	memset(none, 0, sizeof(*none));
	return out;
}

static bool is_directory(const struct store_diff_entry *e)
{
	return e->old_side.kind == STORE_KIND_DIR || e->new_side.kind == STORE_KIND_DIR;
}

/* File against link. */
static bool is_two(const struct store_diff_entry *e)
{
	return is_other_mode(e) &&
		(e->old_side.kind == STORE_KIND_LINK || e->new_side.kind == STORE_KIND_LINK);
}

int patch_print(struct cli *cli, const struct store_diff_entry *entry,
	const struct patch_style *style, struct store_patch_result *sum)
{
	struct store_patch_result first = { 0 }, second = { 0 };
	int rc;

	if (is_directory(entry)) {
		print_directory(entry);
		rc = 0;
	} else if (is_two(entry)) {
		const struct store_diff_entry old_half = half(entry, true);
		const struct store_diff_entry new_half = half(entry, false);

		rc = print_one(cli, &old_half, style, &first);
		if (rc == 0)
			rc = print_one(cli, &new_half, style, &second);
		second.deleted += first.deleted;
	} else {
		rc = print_one(cli, entry, style, &second);
	}
	if (sum)
		*sum = second;
	return rc;
}

int patch_count(struct cli *cli, const struct store_diff_entry *entry,
	const struct patch_style *style, struct store_patch_result *sum)
{
	const struct store_patch_options options = patch_options(style);

	memset(sum, 0, sizeof(*sum));
	if (is_directory(entry))
		return 0;
	return patch_run(cli, entry, &options, sum);
}
