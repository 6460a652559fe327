/*
 * HEAD's side of a status: what was committed in one directory, read as little as can be.
 *
 * A directory's stage is its cached root changed by its dirty rows, and whoever changes an entry
 * marks every directory above it. So where the cached root is HEAD's own directory, only names with
 * dirty rows can differ from it; and where it has no dirty rows, nothing below differs either, and
 * HEAD's tree is not entered at all. Where the cached root is another (after a soft reset, or a
 * commit that was cut short behind its deciding publication) or is missing, both sides are walked
 * in step.
 */
#include "work/status_internal.h"

#include <string.h>

#include "base/error.h"
#include "graph/tree.h"

static int malformed(struct store_error *err)
{
	return store_error_set(err, STORE_ECORRUPT, "an entry of HEAD's tree is malformed");
}

static int no_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

static int compare_names(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	const int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

/* Was the stage's directory this one when a commit stored it last? */
static bool is_cached(const struct head_dir *h, const struct entry *dir,
	const struct stage_dir *cached, bool with_meta)
{
	if (!cached->has_root || !entry_eq(&cached->root, dir))
		return false;
	if (!with_meta)
		return true;
	return cached->has_meta == h->has_meta &&
		(!h->has_meta || map_ref_eq(&cached->meta, &h->meta));
}

static int next_dirty(struct head_dir *h, struct store_error *err)
{
	uint64_t generation;
	int rc;

	/* The row without a name is about the top's own attributes. */
	do {
		rc = stage_dirty_next(h->dirty, &h->dirty_name, &h->dirty_len, &generation, err);
	} while (rc == 0 && h->dirty_len == 0);
	if (rc != 0)
		h->dirty_name = NULL;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int open_dirty(struct head_dir *h, struct env_txn *txn, uint64_t stage_dir,
	struct store_error *err)
{
	int rc = stage_dirty_open(txn, stage_dir, &h->dirty, err);

	if (rc == 0)
		rc = next_dirty(h, err);
	h->mode = h->dirty_name ? HEAD_DIRTY : HEAD_SAME;
	return rc;
}

static int next_item(struct map_cursor *c, struct map_item *item, bool *has,
	struct store_error *err)
{
	const int rc = map_cursor_next(c, item, err);

	*has = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Stand before the first name, or before the first name >= from. */
static int open_cursors(struct head_dir *h, const uint8_t *from, size_t len,
	struct store_error *err)
{
	int rc = 0;

	h->cursor = map_cursor_new(&h->src, MAP_DIRECTORY, &h->map);
	if (h->has_meta)
		h->meta_cursor = map_cursor_new(&h->src, MAP_META, &h->meta);
	if (!h->cursor || (h->has_meta && !h->meta_cursor))
		return no_memory(err);
	if (from)
		rc = map_cursor_seek(h->cursor, from, len, err);
	if (rc == 0 && from && h->meta_cursor)
		rc = map_cursor_seek(h->meta_cursor, from, len, err);
	if (rc == 0)
		rc = next_item(h->cursor, &h->item, &h->has_item, err);
	if (rc == 0 && h->meta_cursor)
		rc = next_item(h->meta_cursor, &h->meta_item, &h->has_meta_item, err);
	return rc;
}

int status_head_open(struct head_dir *h, const struct node_source *src, struct env_txn *txn,
	const struct head_value *dir, uint64_t stage_dir, bool with_meta, struct store_error *err)
{
	struct stage_dir cached = { 0 };
	int rc;

	memset(h, 0, sizeof(*h));
	h->src = *src;
	if (dir->same) {
		h->mode = HEAD_SAME;
		return 0;
	}
	if (dir->entry.kind != ENTRY_DIR)
		return 0;
	h->map = (struct map_ref){ dir->entry.id, dir->entry.height };
	h->has_meta = with_meta && dir->has_meta && (dir->meta.flags & META_CHILD);
	if (h->has_meta)
		h->meta = dir->meta.child;
	rc = stage_dir != 0 ? stage_get_dir(txn, stage_dir, &cached, err) : 0;
	if (rc == 0 && stage_dir != 0 && is_cached(h, &dir->entry, &cached, with_meta))
		return open_dirty(h, txn, stage_dir, err);
	h->mode = HEAD_FULL;
	if (rc == 0)
		rc = tree_check_dir(src, &dir->entry, err);
	return rc == 0 ? open_cursors(h, NULL, 0, err) : rc;
}

void status_head_suspend(struct head_dir *h)
{
	map_cursor_free(h->cursor);
	map_cursor_free(h->meta_cursor);
	h->cursor = h->meta_cursor = NULL;
	h->has_item = h->has_meta_item = false;
}

int status_head_resume(struct head_dir *h, const uint8_t *name, size_t len, struct store_error *err)
{
	int rc;

	if (h->mode != HEAD_FULL || h->cursor)
		return 0;
	rc = open_cursors(h, name, len, err);
	if (rc == 0 && h->has_item && compare_names(h->item.key, h->item.key_len, name, len) == 0)
		rc = next_item(h->cursor, &h->item, &h->has_item, err);
	return rc;
}

void status_head_close(struct head_dir *h)
{
	status_head_suspend(h);
	stage_scan_close(h->dirty);
	buf_release(&h->value);
	memset(h, 0, sizeof(*h));
}

const uint8_t *status_head_peek(const struct head_dir *h, size_t *len)
{
	if (h->mode == HEAD_DIRTY && h->dirty_name) {
		*len = h->dirty_len;
		return h->dirty_name;
	}
	if (h->mode == HEAD_FULL && h->has_item) {
		*len = h->item.key_len;
		return h->item.key;
	}
	return NULL;
}

static int decode(struct span entry, struct head_value *out, struct store_error *err)
{
	return entry_decode(&entry, &out->entry) != 0 ? malformed(err) : 0;
}

static int decode_meta(struct span meta, struct head_value *out, struct store_error *err)
{
	out->has_meta = true;
	return meta_decode(&meta, &out->meta) != 0 ? malformed(err) : 0;
}

/* One dirty name: two look-ups. */
static int look_up(struct head_dir *h, const uint8_t *name, size_t len, struct head_value *out,
	struct store_error *err)
{
	int rc = map_lookup(&h->src, MAP_DIRECTORY, &h->map, name, len, &h->value, err);

	if (rc == STORE_ENOTFOUND)
		return 0;
	if (rc == 0)
		rc = decode(span_of(h->value.data, h->value.len), out, err);
	if (rc != 0 || !h->has_meta)
		return rc;
	rc = map_lookup(&h->src, MAP_META, &h->meta, name, len, &h->value, err);
	if (rc == STORE_ENOTFOUND)
		return 0;
	return rc == 0 ? decode_meta(span_of(h->value.data, h->value.len), out, err) : rc;
}

static int take_dirty(struct head_dir *h, const uint8_t *name, size_t len, bool in_stage,
	struct head_value *out, struct store_error *err)
{
	int rc;

	if (!h->dirty_name || compare_names(h->dirty_name, h->dirty_len, name, len) != 0) {
		out->same = in_stage;
		return 0;
	}
	rc = look_up(h, name, len, out, err);
	return rc == 0 ? next_dirty(h, err) : rc;
}

static int take_meta(struct head_dir *h, const uint8_t *name, size_t len, struct head_value *out,
	struct store_error *err)
{
	int rc = 0;

	while (rc == 0 && h->has_meta_item &&
		compare_names(h->meta_item.key, h->meta_item.key_len, name, len) < 0)
		rc = next_item(h->meta_cursor, &h->meta_item, &h->has_meta_item, err);
	if (rc != 0 || !h->has_meta_item ||
		compare_names(h->meta_item.key, h->meta_item.key_len, name, len) != 0)
		return rc;
	return decode_meta(span_of(h->meta_item.value, h->meta_item.value_len), out, err);
}

static int take_full(struct head_dir *h, const uint8_t *name, size_t len, struct head_value *out,
	struct store_error *err)
{
	int rc;

	if (!h->has_item || compare_names(h->item.key, h->item.key_len, name, len) != 0)
		return 0;
	rc = decode(span_of(h->item.value, h->item.value_len), out, err);
	if (rc == 0)
		rc = take_meta(h, name, len, out, err);
	return rc == 0 ? next_item(h->cursor, &h->item, &h->has_item, err) : rc;
}

int status_head_take(struct head_dir *h, const uint8_t *name, size_t len, bool in_stage,
	struct head_value *out, struct store_error *err)
{
	memset(out, 0, sizeof(*out));
	switch (h->mode) {
	case HEAD_SAME:
		out->same = in_stage;
		return 0;
	case HEAD_DIRTY:
		return take_dirty(h, name, len, in_stage, out, err);
	case HEAD_FULL:
		return take_full(h, name, len, out, err);
	default:
		return 0;
	}
}
