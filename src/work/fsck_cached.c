/*
 * A directory's stage is its cached root changed by its dirty rows: commit relies on it, for it
 * reads nothing but the dirty rows. So whatever is not marked dirty must stand in the cached maps
 * as it stands in the rows, attributes included, and what stands on one side only must be dirty.
 * A dirty row too many is harmless. A directory with a dirty row is itself dirty in the one above,
 * for else no commit would find the way to it.
 *
 * Four sorted rows are walked side by side: rows of the stage, dirty rows, the content map, the
 * meta map. Nothing is kept but where each of them stands.
 */
#include <string.h>

#include "base/error.h"
#include "graph/map.h"
#include "graph/stage.h"
#include "work/fsck_internal.h"

/* Where one of the four stands. */
struct head {
	bool is_there;
	const uint8_t *name;
	size_t len;
};

struct cached_check {
	struct fsck *fsck;
	struct env_txn *txn;
	uint64_t dir;
	const struct buf *path;
	struct stage_scan *rows, *dirty;
	struct map_cursor *content, *meta; /* NULL: the map is empty */
	struct head row_head, dirty_head, content_head, meta_head;
	struct stage_row row;
	struct map_item entry, attributes;
	struct buf value;
	bool is_unreadable; /* a map is damaged, which the walk below the root has told */
};

/* ---- the four rows */

/* A malformed row has a name all the same; the walk of the rows tells of it. */
static int next_row(struct cached_check *c, struct store_error *err)
{
	struct head *h = &c->row_head;
	int rc;

	h->name = NULL;
	rc = stage_scan_next(c->rows, &h->name, &h->len, &c->row, err);
	if (rc == STORE_ECORRUPT && h->name) {
		c->row.kind = ENTRY_NONE;
		rc = 0;
	}
	h->is_there = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* The row without a name, which a scan passes over, is the first. */
static int first_row(struct cached_check *c, struct store_error *err)
{
	const int rc = stage_get(c->txn, c->dir, "", 0, &c->row, err);

	c->row_head = (struct head){ rc == 0, (const uint8_t *)"", 0 };
	return rc == STORE_ENOTFOUND ? next_row(c, err) : rc;
}

static int next_dirty(struct cached_check *c, struct store_error *err)
{
	struct head *h = &c->dirty_head;
	uint64_t generation;
	const int rc = stage_dirty_next(c->dirty, &h->name, &h->len, &generation, err);

	h->is_there = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int next_item(struct cached_check *c, struct map_cursor *cursor, struct map_item *item,
	struct head *h, struct store_error *err)
{
	const int rc = cursor ? map_cursor_next(cursor, item, err) : STORE_ENOTFOUND;

	h->is_there = rc == 0;
	c->is_unreadable = fsck_is_damage(rc);
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	h->name = item->key;
	h->len = item->key_len;
	return 0;
}

static int head_cmp(const struct head *a, const struct head *b)
{
	const size_t n = a->len < b->len ? a->len : b->len;
	const int c = n > 0 ? memcmp(a->name, b->name, n) : 0;

	return c != 0 ? c : a->len < b->len ? -1 : a->len > b->len;
}

/* Whichever stands at a lesser name than *least; false when it does not stand at all. */
static void take_least(const struct head *h, struct head *least)
{
	if (h->is_there && (!least->is_there || head_cmp(h, least) < 0))
		*least = *h;
}

static bool stands_at(const struct head *h, const struct head *at)
{
	return h->is_there && head_cmp(h, at) == 0;
}

/* ---- one name */

static int damage(struct cached_check *c, const struct head *at, const char *what,
	struct store_error *err)
{
	struct buf path = { 0 };
	const char *text;

	buf_add(&path, c->path->data, c->path->len);
	if (path.len > 0 && at->len > 0)
		buf_add_u8(&path, '/');
	buf_add(&path, at->name, at->len);
	text = buf_str(&path);
	if (text)
		fsck_damage_path(c->fsck, text, what);
	buf_release(&path);
	return text ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* Does the meta map say of the row what the row says? sub: a directory's cached roots. */
static bool attributes_match(struct cached_check *c, const struct stage_dir *sub, bool has_item)
{
	struct span s = span_of(c->row.meta, c->row.meta_len);
	struct meta m = { 0 };

	/* Attributes that cannot be read are told of by whoever reads them. */
	if (c->row.meta_len > 0 && meta_decode(&s, &m) != 0)
		return true;
	if (sub && sub->has_meta) {
		m.flags |= META_CHILD;
		m.child = sub->meta;
	}
	buf_clear(&c->value);
	if (m.flags == 0)
		return !has_item;
	return meta_encode(&c->value, &m) != 0 ||
		(has_item && c->value.len == c->attributes.value_len &&
			memcmp(c->value.data, c->attributes.value, c->value.len) == 0);
}

static bool entry_matches(const struct cached_check *c, const struct stage_dir *sub)
{
	struct span s = span_of(c->entry.value, c->entry.value_len);
	struct entry e;

	if (entry_decode(&s, &e) != 0 || e.kind != c->row.kind)
		return false;
	if (e.kind == ENTRY_DIR)
		return sub->has_root && entry_eq(&e, &sub->root);
	return e.height == c->row.ref.height && id_eq(&e.id, &c->row.ref.id) &&
		e.totals.size == c->row.ref.size;
}

static int has_dirty(struct cached_check *c, uint64_t dir, bool *yes, struct store_error *err)
{
	struct stage_scan *scan;
	const uint8_t *name;
	uint64_t generation;
	size_t len;
	int rc = stage_dirty_open(c->txn, dir, &scan, err);

	if (rc != 0)
		return rc;
	rc = stage_dirty_next(scan, &name, &len, &generation, err);
	stage_scan_close(scan);
	*yes = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int compare_row(struct cached_check *c, const struct head *at, bool has_entry, bool has_meta,
	struct store_error *err)
{
	const bool is_own = at->len == 0;
	const bool is_dir = c->row.kind == ENTRY_DIR && !is_own;
	struct stage_dir sub = { 0 };
	bool below = false;
	int rc = is_dir ? stage_get_dir(c->txn, c->row.dir, &sub, err) : 0;

	if (c->row.kind == ENTRY_NONE)
		return 0;
	if (rc == 0 && is_dir)
		rc = has_dirty(c, c->row.dir, &below, err);
	if (rc != 0)
		return rc;
	if (below)
		return damage(c, at, "something in it is marked as changed, and it is not", err);
	if (!is_own && !has_entry)
		return damage(c, at, "it is not in the cached tree, and not marked as changed",
			err);
	if (!is_own && !entry_matches(c, &sub))
		return damage(c, at,
			"it is not what the cached tree says, and not marked as changed", err);
	if (!attributes_match(c, is_dir ? &sub : NULL, has_meta))
		return damage(c, at,
			"its attributes are not the cached ones, and it is not marked as changed",
			err);
	return 0;
}

static int check_name(struct cached_check *c, const struct head *at, struct store_error *err)
{
	const bool has_row = stands_at(&c->row_head, at);
	const bool has_entry = stands_at(&c->content_head, at);
	const bool has_meta = stands_at(&c->meta_head, at);

	if (stands_at(&c->dirty_head, at))
		return 0;
	if (has_row)
		return compare_row(c, at, has_entry, has_meta, err);
	return damage(c, at,
		has_entry ? "it is in the cached tree, not staged, and not marked as deleted"
			  : "the cached attributes have it, and it is not staged",
		err);
}

/* Go on behind at, which may be borrowed from a head: all are compared before any moves. */
static int advance(struct cached_check *c, const struct head *at, struct store_error *err)
{
	const bool row = stands_at(&c->row_head, at), dirty = stands_at(&c->dirty_head, at);
	const bool content = stands_at(&c->content_head, at), meta = stands_at(&c->meta_head, at);
	int rc = row ? next_row(c, err) : 0;

	if (rc == 0 && dirty)
		rc = next_dirty(c, err);
	if (rc == 0 && content)
		rc = next_item(c, c->content, &c->entry, &c->content_head, err);
	if (rc == 0 && meta)
		rc = next_item(c, c->meta, &c->attributes, &c->meta_head, err);
	return rc == 0 ? fsck_tick(c->fsck, err) : rc;
}

static int open_all(struct cached_check *c, struct store_error *err)
{
	const struct node_source *src = &c->fsck->nodes;
	struct stage_dir d;
	int rc = stage_get_dir(c->txn, c->dir, &d, err);

	if (rc != 0)
		return rc;
	if (d.has_root) {
		const struct map_ref root = { d.root.id, d.root.height };

		c->content = map_cursor_new(src, MAP_DIRECTORY, &root);
	}
	if (d.has_meta)
		c->meta = map_cursor_new(src, MAP_META, &d.meta);
	if ((d.has_root && !c->content) || (d.has_meta && !c->meta))
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = stage_scan_open(c->txn, c->dir, &c->rows, err);
	if (rc == 0)
		rc = stage_dirty_open(c->txn, c->dir, &c->dirty, err);
	if (rc == 0)
		rc = first_row(c, err);
	if (rc == 0)
		rc = next_dirty(c, err);
	if (rc == 0)
		rc = next_item(c, c->content, &c->entry, &c->content_head, err);
	return rc == 0 ? next_item(c, c->meta, &c->attributes, &c->meta_head, err) : rc;
}

static int compare_all(struct cached_check *c, struct store_error *err)
{
	int rc = open_all(c, err);

	while (rc == 0) {
		struct head at = { 0 };

		take_least(&c->row_head, &at);
		take_least(&c->dirty_head, &at);
		take_least(&c->content_head, &at);
		take_least(&c->meta_head, &at);
		if (!at.is_there)
			break;
		rc = check_name(c, &at, err);
		if (rc == 0)
			rc = advance(c, &at, err);
	}
	return rc;
}

int fsck_check_cached(struct fsck *f, struct env_txn *txn, uint64_t dir, const struct buf *path,
	struct store_error *err)
{
	struct cached_check c = { .fsck = f, .txn = txn, .dir = dir, .path = path };
	struct store_error why = { 0 };
	const int rc = compare_all(&c, &why);

	stage_scan_close(c.rows);
	stage_scan_close(c.dirty);
	map_cursor_free(c.content);
	map_cursor_free(c.meta);
	buf_release(&c.value);
	if (rc == 0 || c.is_unreadable)
		return 0;
	if (err)
		*err = why;
	return rc;
}
