/*
 * The look is git's: names to the left, counts, and a row of + and - that is scaled when the
 * largest change does not fit.  Widths depend on all paths, so lines are kept until the last one
 * came: each as "ADDED DELETED KIND NAME" and NUL.
 */
#include "cli/diffstat.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "cli/output.h"

enum { IN_MEMORY = 65536 };

/* ---- one path */

int diffstat_count(struct cli *cli, const struct store_diff_entry *e,
	const struct patch_style *style, struct diffstat_counts *out)
{
	struct store_patch_result r = { 0 };
	int rc = 0;

	*out = (struct diffstat_counts){ .is_text = true,
		.old_size = e->old_side.node.size,
		.new_size = e->new_side.node.size };
	if (e->is_mode_only)
		return 0;
	rc = patch_count(cli, e, style, &r);
	out->is_text = r.why == STORE_PATCH_IS_TEXT;
	out->is_over_limit = r.why == STORE_PATCH_OVER_LIMIT;
	out->added = r.added;
	out->deleted = r.deleted;
	return rc;
}

const char *diffstat_content(const struct diffstat_counts *c)
{
	return c->is_text ? "text" : c->is_over_limit ? "over_limit" : "binary";
}

void diffstat_path(struct line *t, const struct cli *cli, const struct store_diff_entry *e,
	bool for_machines)
{
	const bool is_dir = e->old_side.kind == STORE_KIND_DIR ||
		e->new_side.kind == STORE_KIND_DIR;
	struct line path = { 0 };

	line_format(&path, "%s%s", e->path, is_dir ? "/" : "");
	if (for_machines && !cli->global.nul)
		line_quoted(t, path.data, false);
	else
		output_path(t, cli, path.data);
	line_release(&path);
}

/* Two names as git has them: what they begin and end with in common stands once, a/{b => c}/d. */
static void add_both(struct line *t, const char *a, const char *b)
{
	const size_t a_len = strlen(a), b_len = strlen(b);
	const size_t least = a_len < b_len ? a_len : b_len;
	const bool is_quoted = *a == '"' || *b == '"';
	size_t head = 0, tail = 0;

	for (size_t i = 0; !is_quoted && i < least && a[i] == b[i]; i++)
		head = a[i] == '/' ? i + 1 : head;
	/* The slash that ends the head may begin the tail. */
	for (size_t i = 1; !is_quoted && i <= least - head + (head > 0); i++) {
		if (a[a_len - i] != b[b_len - i])
			break;
		tail = a[a_len - i] == '/' ? i : tail;
	}
	line_add(t, a, head);
	line_string(t, head + tail ? "{" : "");
	if (a_len > head + tail)
		line_add(t, a + head, a_len - head - tail);
	line_string(t, " => ");
	if (b_len > head + tail)
		line_add(t, b + head, b_len - head - tail);
	line_string(t, head + tail ? "}" : "");
	line_add(t, a + a_len - tail, tail);
}

bool diffstat_has_two(const struct store_diff_entry *e)
{
	return e->old_path && strcmp(e->old_path, e->path) != 0;
}

/* The path, or both where they differ. */
static void add_names(struct line *t, const struct cli *cli, const struct store_diff_entry *e,
	bool for_machines)
{
	struct store_diff_entry other = *e;
	struct line a = { 0 }, b = { 0 };

	diffstat_path(&b, cli, e, for_machines);
	if (diffstat_has_two(e)) {
		other.path = e->old_path;
		diffstat_path(&a, cli, &other, for_machines);
		if (cli->global.nul) {
			line_add(t, "", 1);
			line_add(t, a.data, a.len + 1);
			line_add(t, b.data, b.len);
		} else {
			add_both(t, a.data, b.data);
		}
	} else {
		line_add(t, b.data, b.len);
	}
	line_release(&a);
	line_release(&b);
}

void diffstat_number_line(struct cli *cli, const struct store_diff_entry *e,
	const struct diffstat_counts *c)
{
	struct line t = { 0 };

	if (c->is_text)
		line_format(&t, "%" PRIu64 "\t%" PRIu64 "\t", c->added, c->deleted);
	else
		line_string(&t, "-\t-\t");
	add_names(&t, cli, e, true);
	output_text(&t);
	output_line_end(cli);
	line_release(&t);
}

/* ---- lines that wait */

static int fail(struct diffstat *s, const char *what)
{
	return cli_fail(s->cli, STORE_EIO, errno, "cannot %s a temporary file: %s", what,
		strerror(errno));
}

static int keep(struct diffstat *s, const struct line *t)
{
	if (!s->rest && s->head.len + t->len + 1 <= IN_MEMORY) {
		line_add(&s->head, t->data, t->len + 1);
		return 0;
	}
	if (!s->rest)
		s->rest = tmpfile();
	if (!s->rest || fwrite(t->data, 1, t->len + 1, s->rest) != t->len + 1)
		return fail(s, "write");
	return 0;
}

static unsigned int digits(uint64_t n)
{
	unsigned int count = 1;

	for (; n > 9; n /= 10)
		count++;
	return count;
}

/* Characters of a text: what a terminal shows of most of them is one column each. */
static unsigned int columns_of(const char *s)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

int diffstat_add(struct diffstat *s, const struct store_diff_entry *e,
	const struct diffstat_counts *c)
{
	const uint64_t a = c->is_text ? c->added : c->new_size;
	const uint64_t d = c->is_text ? c->deleted : c->old_size;
	size_t name;
	unsigned int width;

	line_clear(&s->text);
	line_format(&s->text, "%" PRIu64 " %" PRIu64 " %c ", a, d, c->is_text ? 't' : 'b');
	name = s->text.len;
	add_names(&s->text, s->cli, e, false);
	width = columns_of(s->text.data + name);
	s->name_width = width > s->name_width ? width : s->name_width;
	s->files++;
	if (c->is_text) {
		s->added += a;
		s->deleted += d;
		s->max_change = a + d > s->max_change ? a + d : s->max_change;
	} else {
		width = 14 + digits(a) + digits(d);
		s->bin_width = width > s->bin_width ? width : s->bin_width;
		s->has_bin = true;
	}
	return keep(s, &s->text);
}

/* ---- the look */

struct look {
	unsigned int name, number, graph; /* columns */
};

/* How git shares the columns out: at most 5/8 to the names when there are too few. */
static struct look look_of(const struct diffstat *s)
{
	struct look l = { .name = s->name_width, .number = digits(s->max_change) };
	const uint64_t bin = s->bin_width > 4 ? s->bin_width - 4 : 0;
	uint64_t graph = s->max_change > bin ? s->max_change : bin;
	unsigned int width = output_columns();

	if (s->has_bin && l.number < 3)
		l.number = 3;
	if (width < 16 + 6 + l.number)
		width = 16 + 6 + l.number;
	if (l.name + l.number + 6 + graph > width) {
		const unsigned int least = width * 3 / 8 > l.number + 12
			? width * 3 / 8 - l.number - 6
			: 6;

		if (graph > least)
			graph = least;
		if (l.name > width - l.number - 6 - graph)
			l.name = width - l.number - 6 - (unsigned int)graph;
		else
			graph = width - l.number - 6 - l.name;
	}
	l.graph = (unsigned int)graph;
	return l;
}

/* At least one column for any change. */
static uint64_t scale(uint64_t n, const struct look *l, uint64_t max)
{
	return n == 0 ? 0 : 1 + (uint64_t)((double)n * (l->graph - 1) / (double)max);
}

static void add_signs(struct line *t, enum output_color color, char sign, uint64_t n)
{
	if (n == 0)
		return;
	line_string(t, output_color(color));
	for (; n > 0; n--)
		line_add(t, &sign, 1);
	line_string(t, output_color(COLOR_OFF));
}

static void add_graph(struct line *t, const struct look *l, uint64_t max, uint64_t added,
	uint64_t deleted)
{
	uint64_t a = added, d = deleted;

	line_format(t, "%*" PRIu64 "%s", (int)l->number, a + d, a + d ? " " : "");
	if (l->graph <= max) {
		uint64_t total = scale(a + d, l, max);

		if (total < 2 && a && d)
			total = 2;
		if (a < d) {
			a = scale(a, l, max);
			d = total - a;
		} else {
			d = scale(d, l, max);
			a = total - d;
		}
	}
	add_signs(t, COLOR_STAGED, '+', a);
	add_signs(t, COLOR_CHANGED, '-', d);
}

/* A name that is too long loses its beginning, up to a slash where there is one. */
static void add_name(struct line *t, const struct look *l, const char *name)
{
	unsigned int width = columns_of(name), room = l->name;
	const char *slash;

	line_string(t, " ");
	if (width > room) {
		line_string(t, "...");
		room = room > 3 ? room - 3 : 0;
		for (; width > room; width--)
			for (name++; ((unsigned char)*name & 0xc0) == 0x80; name++)
				;
		slash = strchr(name, '/');
		name = slash ? slash : name;
		width = columns_of(name);
	}
	line_format(t, "%s%*s | ", name, (int)(room - width), "");
}

static void print_line(struct diffstat *s, const struct look *l, const char *kept)
{
	char *end;
	const uint64_t a = strtoull(kept, &end, 10), d = strtoull(end, &end, 10);
	struct line *t = &s->text;

	line_clear(t);
	add_name(t, l, end + 3);
	if (end[1] == 't') {
		add_graph(t, l, s->max_change, a, d);
	} else {
		line_format(t, "%*s", (int)l->number, "Bin");
		if (a || d)
			line_format(t, " %s%" PRIu64 "%s -> %s%" PRIu64 "%s bytes",
				output_color(COLOR_CHANGED), d, output_color(COLOR_OFF),
				output_color(COLOR_STAGED), a, output_color(COLOR_OFF));
	}
	line_string(t, "\n");
	output_text(t);
}

static int print_rest(struct diffstat *s, const struct look *l)
{
	char *kept = NULL;
	size_t cap = 0;
	int rc = 0;

	rewind(s->rest);
	while (!cli_must_stop() && getdelim(&kept, &cap, 0, s->rest) > 0)
		print_line(s, l, kept);
	if (ferror(s->rest))
		rc = fail(s, "read");
	free(kept);
	return rc;
}

static void print_sum(const struct diffstat *s)
{
	struct line t = { 0 };

	line_format(&t, " %" PRIu64 " file%s changed", s->files, s->files == 1 ? "" : "s");
	if (s->added || !s->deleted)
		line_format(&t, ", %" PRIu64 " insertion%s(+)", s->added, s->added == 1 ? "" : "s");
	if (s->deleted || !s->added)
		line_format(&t, ", %" PRIu64 " deletion%s(-)", s->deleted,
			s->deleted == 1 ? "" : "s");
	line_string(&t, "\n");
	output_text(&t);
	line_release(&t);
}

int diffstat_print(struct diffstat *s, bool only_sum)
{
	const struct look l = look_of(s);
	int rc = 0;

	if (s->files == 0)
		return 0;
	if (!only_sum) {
		for (size_t at = 0; at < s->head.len; at += strlen(s->head.data + at) + 1)
			print_line(s, &l, s->head.data + at);
		if (s->rest)
			rc = print_rest(s, &l);
	}
	if (rc == 0)
		print_sum(s);
	return rc;
}

void diffstat_release(struct diffstat *s)
{
	if (s->rest)
		fclose(s->rest);
	line_release(&s->head);
	line_release(&s->text);
	*s = (struct diffstat){ .cli = s->cli };
}
