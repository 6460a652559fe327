/*
 * Texts within limits.
 *
 * Two texts that are small enough are compared whole. Of others the chunks that are equal at both
 * ends are cut off first, by their ids, and the rest is widened again to whole lines and some lines
 * more, which become context:
 *
 *     old   ======|aaa ccccc zz|=====       = equal chunks, a and z widened, c what differs
 *     new   ======|aaa ddd zz|=====
 *
 * When that is still over a limit, nothing is told and the caller shows ranges. The lines of what
 * was cut off before are counted while they go by, so that the numbers of hunks are those of the
 * whole file; they are never held.
 *
 * A difference of lines that repeat may slide until it touches the end of what was widened, and its
 * context would be cut short there, which patch and git apply take for the end of the file. Hence a
 * dry run looks for that, and widens more when it is so.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "work/patch_internal.h"
#include "work/stats.h"

#define PIECE ((size_t)64 << 10)
#define MARGIN 8 /* lines beyond the context, at first */

/* The part of both sides that is compared: [start, old_end) and [start, new_end). */
struct part {
	uint64_t start, old_end, new_end;
	uint8_t *old_data, *new_data;
};

static void release_part(struct part *p)
{
	free(p->old_data);
	free(p->new_data);
	p->old_data = p->new_data = NULL;
}

static void set_over(const struct patch_text *t, uint64_t limit, bool is_lines)
{
	t->result->why = STORE_PATCH_OVER_LIMIT;
	t->result->limit = limit;
	t->result->limit_is_lines = is_lines;
}

static uint64_t count_lf(const uint8_t *data, size_t len)
{
	const uint8_t *lf;
	uint64_t n = 0;

	for (; len > 0 && (lf = memchr(data, '\n', len)) != NULL; n++) {
		len -= (size_t)(lf + 1 - data);
		data = lf + 1;
	}
	return n;
}

static uint64_t count_lines(const uint8_t *data, size_t len)
{
	return count_lf(data, len) + (len > 0 && data[len - 1] != '\n');
}

/* Read the part; over a limit, say so and have nothing. */
static int load_part(const struct patch_text *t, struct part *p, struct store_error *err)
{
	const size_t old_len = (size_t)(p->old_end - p->start);
	const size_t new_len = (size_t)(p->new_end - p->start);
	int rc;

	if (p->old_end - p->start > t->text_max || p->new_end - p->start > t->text_max) {
		set_over(t, t->text_max, false);
		return 0;
	}
	p->old_data = malloc(old_len + 1);
	p->new_data = malloc(new_len + 1);
	if (!p->old_data || !p->new_data)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = patch_side_read(t->old_side, p->start, p->old_data, old_len, err);
	if (rc == 0)
		rc = patch_side_read(t->new_side, p->start, p->new_data, new_len, err);
	if (rc == 0 &&
		(count_lines(p->old_data, old_len) > t->line_max ||
			count_lines(p->new_data, new_len) > t->line_max)) {
		set_over(t, t->line_max, true);
		release_part(p);
	}
	return rc;
}

/* ---- running the difference */

struct run {
	const struct patch_text *t;
	bool is_dry;
	bool has_hunk;
	/* Context of the first hunk before, and of the last behind, what differs. */
	uint64_t leading, trailing;
	bool is_in_first, is_before; /* of the first hunk; of any change in it */
};

static int take_piece(void *payload, const struct store_patch_piece *piece)
{
	struct run *r = payload;
	const struct store_patch_options *o = r->t->options;

	switch (piece->kind) {
	case STORE_PATCH_HUNK:
		/* libgit2 holds most when it begins to tell. */
		if (!r->has_hunk)
			stats_sample();
		r->is_before = !r->has_hunk;
		r->has_hunk = true;
		r->trailing = 0;
		break;
	case STORE_PATCH_CONTEXT:
		r->trailing++;
		r->leading += r->is_before;
		break;
	default:
		r->is_before = false;
		r->trailing = 0;
		if (!r->is_dry) {
			r->t->result->added += piece->kind == STORE_PATCH_ADDED;
			r->t->result->deleted += piece->kind == STORE_PATCH_DELETED;
		}
	}
	return r->is_dry || !o->piece ? 0 : o->piece(o->payload, piece);
}

static unsigned int context_of(const struct store_patch_options *o)
{
	const unsigned int n = o->context == 0 && !o->has_context ? 3 : o->context;

	return n < 1u << 30 ? n : 1u << 30;
}

static int run_part(struct run *r, const struct part *p, uint64_t lines_before,
	struct store_error *err)
{
	const struct patch_git2_input input = { .old_data = p->old_data,
		.new_data = p->new_data,
		.old_len = (size_t)(p->old_end - p->start),
		.new_len = (size_t)(p->new_end - p->start),
		.context = context_of(r->t->options),
		.lines_before = lines_before };
	const int rc = patch_git2_diff(&input, take_piece, r, err);

	if (rc == 0 && !r->is_dry)
		r->t->result->same = !r->has_hunk;
	return rc;
}

/* ---- cutting off what is equal */

static int count_lines_before(const struct patch_text *t, uint64_t end, uint64_t *out,
	struct store_error *err)
{
	/* A file is read, stored chunks are decoded. */
	struct patch_side *s = t->new_side->is_stored ? t->old_side : t->new_side;
	uint8_t *data = malloc(PIECE);
	int rc = data ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");

	*out = 0;
	for (uint64_t off = 0; rc == 0 && off < end;) {
		const size_t n = end - off < PIECE ? (size_t)(end - off) : PIECE;

		rc = patch_side_read(s, off, data, n, err);
		if (rc == 0)
			*out += count_lf(data, n);
		off += n;
	}
	free(data);
	return rc;
}

/* Go back from off to the start of its line, and so many lines more, at most max bytes. */
static int widen_back(const struct patch_text *t, uint64_t *off, uint64_t lines, uint64_t max,
	struct store_error *err)
{
	uint8_t data[4096];
	uint64_t at = *off, passed = 0;

	while (at > 0 && *off - at <= max) {
		const size_t n = at < sizeof(data) ? (size_t)at : sizeof(data);
		const int rc = patch_side_read(t->old_side, at - n, data, n, err);

		if (rc != 0)
			return rc;
		for (size_t i = n; i > 0; i--) {
			if (data[i - 1] == '\n' && passed++ == lines) {
				*off = at - n + i;
				return 0;
			}
		}
		at -= n;
	}
	*off = at;
	return 0;
}

/* Go on from off to the end of its line, and so many lines more. */
static int widen_on(const struct patch_text *t, uint64_t *off, uint64_t lines, uint64_t max,
	struct store_error *err)
{
	uint8_t data[4096];
	uint64_t at = *off, passed = 0;

	while (at < t->old_side->size && at - *off <= max) {
		const uint64_t left = t->old_side->size - at;
		const size_t n = left < sizeof(data) ? (size_t)left : sizeof(data);
		const int rc = patch_side_read(t->old_side, at, data, n, err);

		if (rc != 0)
			return rc;
		for (size_t i = 0; i < n; i++) {
			if (data[i] == '\n' && passed++ == lines) {
				*off = at + i + 1;
				return 0;
			}
		}
		at += n;
	}
	*off = at;
	return 0;
}

/* What is equal at both ends, in whole chunks. */
static int find_ends(const struct patch_text *t, uint64_t *prefix, uint64_t *suffix,
	struct store_error *err)
{
	struct patch_rows rows[2] = { 0 };
	int rc = patch_rows_init(&rows[0], t->old_side, t->avg, err);

	*prefix = *suffix = 0;
	if (rc == 0)
		rc = patch_rows_init(&rows[1], t->new_side, t->avg, err);
	if (rc == 0)
		rc = patch_align_prefix(&rows[0], &rows[1], prefix, err);
	if (rc == 0)
		rc = patch_align_suffix(&rows[0], &rows[1], *prefix, suffix, err);
	patch_rows_release(&rows[0]);
	patch_rows_release(&rows[1]);
	return rc;
}

/* The part between the ends, widened by so many lines. */
static int widen(const struct patch_text *t, uint64_t prefix, uint64_t suffix, uint64_t lines,
	struct part *p, struct store_error *err)
{
	const uint64_t end = t->old_side->size - suffix;
	uint64_t on = end;
	int rc;

	p->start = prefix;
	rc = widen_back(t, &p->start, lines, t->text_max, err);
	if (rc == 0 && suffix > 0)
		rc = widen_on(t, &on, lines, t->text_max, err);
	p->old_end = on;
	p->new_end = t->new_side->size - suffix + (on - end);
	return rc;
}

/* Is the context whole at the ends that were cut? */
static int has_context(const struct patch_text *t, const struct part *p, bool *whole,
	struct store_error *err)
{
	const unsigned int context = context_of(t->options);
	struct run dry = { .t = t, .is_dry = true };
	const int rc = run_part(&dry, p, 0, err);

	*whole = !dry.has_hunk ||
		((p->start == 0 || dry.leading >= context) &&
			(p->old_end == t->old_side->size || dry.trailing >= context));
	return rc;
}

static int run_cut(const struct patch_text *t, struct store_error *err)
{
	struct run run = { .t = t };
	struct part p = { 0 };
	uint64_t prefix, suffix, margin = MARGIN, before = 0;
	bool whole = false;
	int rc = find_ends(t, &prefix, &suffix, err);

	while (rc == 0 && !whole) {
		release_part(&p);
		rc = widen(t, prefix, suffix, context_of(t->options) + margin, &p, err);
		if (rc == 0)
			rc = load_part(t, &p, err);
		if (rc != 0 || t->result->why == STORE_PATCH_OVER_LIMIT)
			break;
		whole = !t->options->piece;
		if (!whole)
			rc = has_context(t, &p, &whole, err);
		margin *= 8;
	}
	if (rc == 0 && whole && t->options->piece)
		rc = count_lines_before(t, p.start, &before, err);
	if (rc == 0 && whole)
		rc = run_part(&run, &p, before, err);
	release_part(&p);
	return rc;
}

int patch_text(const struct patch_text *t, struct store_error *err)
{
	struct part p = { 0, t->old_side->size, t->new_side->size, NULL, NULL };
	struct run run = { .t = t };
	int rc = load_part(t, &p, err);

	if (rc == 0 && t->result->why == STORE_PATCH_IS_TEXT) {
		rc = run_part(&run, &p, 0, err);
	} else if (rc == 0) {
		t->result->why = STORE_PATCH_IS_TEXT;
		t->result->limit = 0;
		t->result->limit_is_lines = 0;
		rc = run_cut(t, err);
	}
	release_part(&p);
	return rc;
}
