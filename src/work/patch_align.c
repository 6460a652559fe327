/*
 * Two rows of chunks to the ranges between those that are equal.
 *
 *     old   A B C D E F . . .        equal from the start: A B, whole nodes at a time
 *     new   A B x y z E F . .        then chunks are taken from both sides in turn, until one is
 *                                    known from the other side: E, which is the anchor
 *
 * The ranges before the anchor differ (C D against x y z), both sides go back to it, and so on. As
 * chunks are taken in turn, the anchor that is found is the nearest one; and as its side has gone
 * as far as the other one had to go back, no chunk is passed more than twice. Going back is a seek:
 * it costs a stored side the nodes above the anchor, and a file the reading of those bytes.
 *
 * What a side was seen to hold is kept in a window of bounded size. When it is full, it is thinned:
 * only ids with one more zero bit in a certain place stay, and from then on only such are taken.
 * So an insertion of any length is found, with some chunks to spare at its end, which the
 * refinement to bytes gives back.
 *
 * A chunk that is there in several places can be a poor anchor; what is told is true all the same,
 * and only longer than it need be.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "work/patch_internal.h"

#define SLOTS_MIN 64
#define PIECE ((size_t)16 << 10)

/* ---- windows: where a chunk was seen */

struct seen {
	struct oid id;
	uint64_t len, repeat, off;
};

struct window {
	struct seen
		*rows; /* count of them, in order of offsets, no two of the same id and length */
	size_t count, cap, max;
	uint32_t *slots; /* slot_count, a power of two: position in rows and 1, or 0 */
	size_t slot_count, slot_cap;
	unsigned int thinned; /* only ids with so many zero bits are kept */
};

static void window_release(struct window *w)
{
	free(w->rows);
	free(w->slots);
}

static bool is_kept(const struct window *w, const struct oid *id)
{
	/* Not the lowest bits: those decide where the nodes of a sequence end. */
	return (id_low64(id) >> 8 & (((uint64_t)1 << w->thinned) - 1)) == 0;
}

/* The slot of the row, or the free one where it would go. */
static uint32_t *find_slot(const struct window *w, const struct oid *id, uint64_t len)
{
	size_t i = (size_t)id_low64(id) & (w->slot_count - 1);

	for (; w->slots[i] != 0; i = (i + 1) & (w->slot_count - 1)) {
		const struct seen *s = &w->rows[w->slots[i] - 1];

		if (s->len == len && id_eq(&s->id, id))
			break;
	}
	return &w->slots[i];
}

static int set_slots(struct window *w, size_t n)
{
	if (n > w->slot_cap) {
		uint32_t *slots = mem_alloc_array(n, sizeof(*slots));

		if (!slots)
			return STORE_ENOMEM;
		free(w->slots);
		w->slots = slots;
		w->slot_cap = n;
	}
	w->slot_count = n;
	memset(w->slots, 0, n * sizeof(*w->slots));
	for (size_t i = 0; i < w->count; i++)
		*find_slot(w, &w->rows[i].id, w->rows[i].len) = (uint32_t)i + 1;
	return 0;
}

static int window_clear(struct window *w)
{
	w->count = 0;
	w->thinned = 0;
	return set_slots(w, SLOTS_MIN);
}

static int thin(struct window *w)
{
	size_t kept = 0;

	/* Ids that are made to stay would stay for ever: then the newest go. */
	if (w->thinned == 40) {
		w->count /= 2;
		return set_slots(w, w->slot_count);
	}
	w->thinned++;
	for (size_t i = 0; i < w->count; i++) {
		if (is_kept(w, &w->rows[i].id))
			w->rows[kept++] = w->rows[i];
	}
	w->count = kept;
	return set_slots(w, w->slot_count);
}

static int window_add(struct window *w, const struct seq_row *row, uint64_t off)
{
	uint32_t *slot;
	int rc = 0;

	while (w->count >= w->max && rc == 0)
		rc = thin(w);
	if (rc == 0 && w->count * 2 >= w->slot_count)
		rc = set_slots(w, w->slot_count * 2);
	if (rc != 0 || !is_kept(w, &row->id))
		return rc;
	slot = find_slot(w, &row->id, row->len);
	if (*slot != 0)
		return 0;
	rc = mem_grow(&w->rows, &w->cap, w->count + 1, sizeof(*w->rows));
	if (rc != 0)
		return rc;
	w->rows[w->count++] = (struct seen){ row->id, row->len, row->repeat, off };
	*slot = (uint32_t)w->count;
	return 0;
}

static const struct seen *window_find(const struct window *w, const struct seq_row *row)
{
	const uint32_t slot = *find_slot(w, &row->id, row->len);

	return slot != 0 ? &w->rows[slot - 1] : NULL;
}

/* ---- the walk; sides[0] is the old one */

struct align {
	struct patch_rows *sides[2];
	struct window windows[2];
	uint64_t at[2]; /* all before is told, or equal */
};

/* What stands next on a side; at the end *ended, and its size for the offset. */
static int look(struct patch_rows *r, struct seq_row *row, size_t *level, uint64_t *off,
	bool *ended, struct store_error *err)
{
	const int rc = patch_rows_peek(r, row, level, off, err);

	*ended = rc == STORE_ENOTFOUND;
	if (*ended)
		*off = r->side->size;
	return *ended ? 0 : rc;
}

/* Go on while both sides have the same, and stand before the first chunks that differ. */
static int walk_equal(struct align *a, struct store_error *err)
{
	for (;;) {
		struct seq_row rows[2];
		size_t levels[2];
		bool ended[2];
		int rc = 0;

		for (int i = 0; i < 2 && rc == 0; i++)
			rc = look(a->sides[i], &rows[i], &levels[i], &a->at[i], &ended[i], err);
		if (rc != 0 || ended[0] || ended[1])
			return rc;
		if (levels[0] == levels[1] && rows[0].len == rows[1].len &&
			id_eq(&rows[0].id, &rows[1].id)) {
			const uint64_t n = rows[0].repeat < rows[1].repeat ? rows[0].repeat
									   : rows[1].repeat;

			patch_rows_pass(a->sides[0], n);
			patch_rows_pass(a->sides[1], n);
			continue;
		}
		if (levels[0] == 0 && levels[1] == 0)
			return 0;
		/* The higher one is entered: nodes of the same level may be the same. */
		for (int i = 0; i < 2 && rc == 0; i++) {
			if (levels[i] >= levels[!i])
				rc = patch_rows_enter(a->sides[i], err);
		}
		if (rc != 0)
			return rc;
	}
}

/* The chunks that stand next on a side; not passed. */
static int look_chunk(struct patch_rows *r, struct seq_row *row, uint64_t *off, bool *ended,
	struct store_error *err)
{
	size_t level = 0;
	int rc = look(r, row, &level, off, ended, err);

	while (rc == 0 && !*ended && level > 0) {
		rc = patch_rows_enter(r, err);
		if (rc == 0)
			rc = look(r, row, &level, off, ended, err);
	}
	return rc;
}

/*
 * Within a run of equal chunks any copy is as good an anchor: take the one that makes the ranges
 * before it equally long, because mostly something was written over.
 */
static void choose_copies(const struct align *a, uint64_t anchor[2], uint64_t len,
	const uint64_t repeat[2])
{
	const uint64_t gaps[2] = { anchor[0] - a->at[0], anchor[1] - a->at[1] };
	const int i = gaps[0] > gaps[1]; /* the side whose range is shorter */
	uint64_t copies = (gaps[!i] - gaps[i]) / len;

	if (copies > repeat[i] - 1)
		copies = repeat[i] - 1;
	anchor[i] += copies * len;
}

/* Take from both sides in turn until one has what the other had; else anchor is both ends. */
static int find_anchor(struct align *a, uint64_t anchor[2], struct store_error *err)
{
	bool ended[2] = { false, false };
	int rc = window_clear(&a->windows[0]);

	if (rc == 0)
		rc = window_clear(&a->windows[1]);
	for (int i = 0; rc == 0 && !(ended[0] && ended[1]); i = !i) {
		const struct seen *seen;
		struct seq_row row;

		if (ended[i])
			continue;
		rc = look_chunk(a->sides[i], &row, &anchor[i], &ended[i], err);
		if (rc != 0)
			return rc;
		if (ended[i])
			continue;
		seen = window_find(&a->windows[!i], &row);
		if (seen) {
			const uint64_t repeat[2] = { i == 0 ? row.repeat : seen->repeat,
				i == 1 ? row.repeat : seen->repeat };

			anchor[!i] = seen->off;
			choose_copies(a, anchor, row.len, repeat);
			return 0;
		}
		rc = window_add(&a->windows[i], &row, anchor[i]);
		patch_rows_pass(a->sides[i], row.repeat);
	}
	return rc == 0 ? 0 : store_error_set(err, rc, "out of memory");
}

static int align(struct align *a, patch_range_fn *fn, void *ctx, struct store_error *err)
{
	for (;;) {
		uint64_t anchor[2] = { 0, 0 };
		struct patch_range range;
		int rc = walk_equal(a, err);

		if (rc != 0)
			return rc;
		if (a->at[0] == a->sides[0]->side->size && a->at[1] == a->sides[1]->side->size)
			return 0;
		rc = find_anchor(a, anchor, err);
		for (int i = 0; i < 2 && rc == 0; i++)
			rc = patch_rows_seek(a->sides[i], anchor[i], err);
		if (rc != 0)
			return rc;
		range = (struct patch_range){ a->at[0], anchor[0] - a->at[0], a->at[1],
			anchor[1] - a->at[1] };
		rc = fn(ctx, &range, err);
		if (rc != 0)
			return rc;
	}
}

int patch_align(struct patch_rows *old_rows, struct patch_rows *new_rows, size_t window_max,
	patch_range_fn *fn, void *ctx, struct store_error *err)
{
	struct align a = { .sides = { old_rows, new_rows } };
	int rc;

	a.windows[0].max = a.windows[1].max = window_max;
	rc = align(&a, fn, ctx, err);
	window_release(&a.windows[0]);
	window_release(&a.windows[1]);
	return rc;
}

/* ---- common ends */

int patch_align_prefix(struct patch_rows *old_rows, struct patch_rows *new_rows, uint64_t *off,
	struct store_error *err)
{
	struct align a = { .sides = { old_rows, new_rows } };
	const int rc = walk_equal(&a, err);

	*off = a.at[0];
	return rc;
}

/* The stored chunk that ends at end. */
static int last_chunk(struct patch_rows *r, uint64_t end, struct seq_row *row,
	struct store_error *err)
{
	uint64_t off = 0;
	int rc = seq_cursor_seek(r->cursor, end - 1, err);

	if (rc == 0)
		rc = seq_cursor_next(r->cursor, row, &off, err);
	/* Not where a chunk ends: nothing that can be compared. */
	if (rc == 0 && off + row->len != end)
		row->len = 0;
	return rc;
}

/* Do the len bytes of a file that end at end have this id? */
static int compare_id(struct patch_rows *r, uint64_t end, const struct seq_row *row, bool *same,
	struct store_error *err)
{
	uint8_t data[PIECE];
	struct oid id;
	int rc = 0;

	hash_begin(r->hash);
	for (uint64_t off = end - row->len; off < end && rc == 0;) {
		const size_t n = end - off < PIECE ? (size_t)(end - off) : PIECE;

		rc = patch_side_read(r->side, off, data, n, err);
		if (rc == 0)
			hash_add(r->hash, data, n);
		off += n;
	}
	hash_end(r->hash, &id);
	*same = rc == 0 && id_eq(&id, &row->id);
	return rc;
}

int patch_align_suffix(struct patch_rows *old_rows, struct patch_rows *new_rows, uint64_t off,
	uint64_t *len, struct store_error *err)
{
	struct patch_rows *stored = old_rows->cursor ? old_rows : new_rows;
	struct patch_rows *other = old_rows->cursor ? new_rows : old_rows;
	uint64_t end = stored->side->size, other_end = other->side->size;
	bool same = stored->cursor != NULL;
	int rc = 0;

	*len = 0;
	while (same && rc == 0 && end > off && other_end > off) {
		struct seq_row row, other_row;

		rc = last_chunk(stored, end, &row, err);
		if (rc != 0 || row.len == 0 || row.len > end - off || row.len > other_end - off)
			break;
		if (other->cursor) {
			rc = last_chunk(other, other_end, &other_row, err);
			same = rc == 0 && row.len == other_row.len && id_eq(&row.id, &other_row.id);
		} else {
			rc = compare_id(other, other_end, &row, &same, err);
		}
		if (rc == 0 && same) {
			*len += row.len;
			end -= row.len;
			other_end -= row.len;
		}
	}
	return rc;
}
