/*
 * Entries that two revisions record other attributes of, and nothing else.
 *
 * The walk over what differs does not come to them, for their content is equal. Left out, their
 * rows would go on saying what the revision before recorded, and the next commit would record that
 * anew, as if somebody had changed it back. So the two maps of attributes are compared as well, and
 * where the stage holds what the old revision had, its row gets the attributes of the new one.
 *
 * The top of the tree is no entry, so its own attributes are looked at on their own, with -f, too.
 *
 * Files are not touched: in place they have the permissions of the umask and the time at which they
 * were written, and what the row remembers of them (by which a change is noticed) stays.
 *
 * Cost: O(entries whose attributes differ x depth).
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/map.h"
#include "work/checkout_internal.h"

struct frame {
	struct map_diff *diff;
	struct map_ref old, target; /* maps of entries */
	uint64_t stage_dir;
	size_t path_len; /* of the directory, its '/' included */
};

struct attrs {
	struct checkout *c;
	struct frame *frames;
	size_t count, cap;
	struct buf path, value, was, will; /* was, will: without child map */
};

/* One side of a difference: its attributes alone into out, and its child map. */
static int split(const uint8_t *value, size_t len, struct buf *out, struct map_ref *child,
	struct store_error *err)
{
	struct span s = span_of(value, len);
	struct meta m = { 0 };

	buf_clear(out);
	*child = map_empty(MAP_META);
	if (!value)
		return 0;
	if (meta_decode(&s, &m) != 0 || s.bad)
		return store_error_set(err, STORE_ECORRUPT, "recorded attributes are malformed");
	if (m.flags & META_CHILD)
		*child = m.child;
	m.flags &= (uint8_t)~META_CHILD;
	return m.flags == 0 || meta_encode(out, &m) == 0 ? 0 : checkout_no_memory(err);
}

static int push(struct attrs *a, const struct map_ref *was, const struct map_ref *will,
	const struct map_ref *old, const struct map_ref *target, uint64_t stage_dir,
	struct store_error *err)
{
	struct frame *f;

	if (a->count > LIMIT_DEPTH)
		return store_error_set(err, STORE_ECORRUPT,
			"the tree is deeper than %d directories", LIMIT_DEPTH);
	if (mem_grow(&a->frames, &a->cap, a->count + 1, sizeof(*a->frames)) != 0)
		return checkout_no_memory(err);
	f = &a->frames[a->count];
	*f = (struct frame){ map_diff_new(&a->c->nodes, MAP_META, was, will), *old, *target,
		stage_dir, a->path.len };
	if (!f->diff)
		return checkout_no_memory(err);
	a->count++;
	return 0;
}

static int find_entry(struct attrs *a, const struct map_ref *map, const void *name, size_t len,
	struct entry *e, struct store_error *err)
{
	struct span s;
	int rc;

	memset(e, 0, sizeof(*e));
	rc = map_lookup(&a->c->nodes, MAP_DIRECTORY, map, name, len, &a->value, err);
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	s = span_of(a->value.data, a->value.len);
	return entry_decode(&s, e) == 0
		? 0
		: store_error_set(err, STORE_ECORRUPT, "a directory entry is malformed");
}

static bool has_content_of(const struct stage_row *row, const struct entry *e)
{
	return row->kind == e->kind &&
		(e->kind == ENTRY_DIR ||
			(row->ref.height == e->height && row->ref.size == e->totals.size &&
				id_eq(&row->ref.id, &e->id)));
}

static bool is_same(const void *p, size_t len, const struct buf *b)
{
	return len == b->len && (len == 0 || memcmp(p, b->data, len) == 0);
}

/* The row of the entry at the end of path, which both revisions have, if it is the old one's. */
static int plan_entry(struct attrs *a, const struct frame *f, const struct entry *e,
	uint64_t *stage_dir, struct store_error *err)
{
	const size_t name = f->path_len;
	const char *path = buf_str(&a->path);
	struct checkout_visit v = { .path = path,
		.len = a->path.len,
		.name_off = name,
		.target = *e,
		.meta = a->will.data,
		.meta_len = a->will.len };
	struct stage_row row;
	int rc;

	*stage_dir = 0;
	if (!path)
		return checkout_no_memory(err);
	rc = stage_get(a->c->txn, f->stage_dir, path + name, a->path.len - name, &row, err);
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	if (row.kind == ENTRY_DIR)
		*stage_dir = row.dir;
	/* What was staged stays, and what is right is left alone. */
	if (!has_content_of(&row, e) || !is_same(row.meta, row.meta_len, &a->was) ||
		is_same(a->was.data, a->was.len, &a->will))
		return 0;
	return checkout_plan_row(a->c, &v, CHECKOUT_ROW, 0, &row.stat, err);
}

static bool is_unchanged(const struct entry *old, const struct entry *target)
{
	return old->kind == target->kind && old->kind != ENTRY_NONE &&
		(old->kind == ENTRY_DIR ||
			(old->height == target->height && old->totals.size == target->totals.size &&
				id_eq(&old->id, &target->id)));
}

static int take_difference(struct attrs *a, const struct map_item *was, const struct map_item *will,
	struct store_error *err)
{
	const struct frame f = a->frames[a->count - 1];
	struct map_ref was_child, will_child;
	struct entry old, target = { .kind = ENTRY_NONE };
	uint64_t stage_dir;
	int rc;

	/* The top's own attributes stand under the empty key: checkout_plan_top. */
	if (will->key_len == 0)
		return 0;
	a->path.len = f.path_len;
	if (buf_add(&a->path, will->key, will->key_len) != 0)
		return checkout_no_memory(err);
	rc = find_entry(a, &f.old, will->key, will->key_len, &old, err);
	if (rc == 0)
		rc = find_entry(a, &f.target, will->key, will->key_len, &target, err);
	/* What has other content is visited by the other walk. */
	if (rc != 0 || !is_unchanged(&old, &target))
		return rc;
	rc = split(was->value, was->value_len, &a->was, &was_child, err);
	if (rc == 0)
		rc = split(will->value, will->value_len, &a->will, &will_child, err);
	if (rc == 0)
		rc = plan_entry(a, &f, &target, &stage_dir, err);
	if (rc != 0 || target.kind != ENTRY_DIR || stage_dir == 0)
		return rc;
	if (buf_add_u8(&a->path, '/') != 0)
		return checkout_no_memory(err);
	return push(a, &was_child, &will_child, &(struct map_ref){ old.id, old.height },
		&(struct map_ref){ target.id, target.height }, stage_dir, err);
}

static int walk(struct attrs *a, struct store_error *err)
{
	int rc = 0;

	while (rc == 0 && a->count > 0) {
		struct map_item was, will;

		rc = map_diff_next(a->frames[a->count - 1].diff, &was, &will, err);
		if (rc == STORE_ENOTFOUND) {
			map_diff_free(a->frames[--a->count].diff);
			rc = 0;
		} else if (rc == 0) {
			rc = take_difference(a, &was, &will, err);
		}
		if (rc == 0)
			rc = checkout_tick(a->c, err);
	}
	return rc;
}

int checkout_plan_attributes(struct checkout *c, struct store_error *err)
{
	const struct map_ref none = map_empty(MAP_META);
	const struct map_ref old = { c->head.id, c->head.height };
	const struct map_ref target = { c->target.id, c->target.height };
	struct attrs a = { .c = c };
	int rc;

	if (!c->has_head)
		return 0;
	rc = push(&a, c->has_head_meta ? &c->head_meta : &none, c->has_meta ? &c->meta : &none,
		&old, &target, c->stage_root, err);
	if (rc == 0)
		rc = walk(&a, err);
	while (a.count > 0)
		map_diff_free(a.frames[--a.count].diff);
	free(a.frames);
	buf_release(&a.path);
	buf_release(&a.value);
	buf_release(&a.was);
	buf_release(&a.will);
	return rc;
}

/* ---- the top */

bool checkout_wants_top(const struct checkout *c)
{
	bool wants = c->options->n_paths == 0;

	for (size_t i = 0; i < c->options->n_paths; i++)
		wants |= c->options->paths[i][0] == '\0';
	return wants;
}

int checkout_top_meta(const struct checkout *c, const struct map_ref *meta, struct buf *out,
	struct store_error *err)
{
	struct buf value = { 0 };
	struct map_ref child;
	int rc = meta ? map_lookup(&c->nodes, MAP_META, meta, "", 0, &value, err) : STORE_ENOTFOUND;

	buf_clear(out);
	if (rc == 0)
		rc = split(value.data, value.len, out, &child, err);
	buf_release(&value);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int checkout_plan_top(struct checkout *c, bool exact, struct store_error *err)
{
	struct checkout_visit v = { .path = "",
		.target = { .kind = ENTRY_DIR },
		.stage_dir = c->stage_root };
	struct buf was = { 0 }, will = { 0 };
	struct stage_row row = { .kind = ENTRY_DIR };
	bool is_old = false, is_new = false;
	int rc = checkout_top_meta(c, c->has_head && c->has_head_meta ? &c->head_meta : NULL, &was,
		err);

	if (rc == 0)
		rc = checkout_top_meta(c, c->has_meta ? &c->meta : NULL, &will, err);
	if (rc == 0)
		rc = stage_get(c->txn, c->stage_root, "", 0, &row, err);
	if (rc == 0 || rc == STORE_ENOTFOUND) {
		is_old = exact || is_same(row.meta, row.meta_len, &was);
		is_new = is_same(row.meta, row.meta_len, &will);
		v.meta = will.data;
		v.meta_len = will.len;
		c->top_is_kept = !is_old && !is_new;
		rc = is_old ? buf_set(&c->top, will.data, will.len)
			    : buf_set(&c->top, row.meta, row.meta_len);
		if (rc != 0)
			rc = checkout_no_memory(err);
	}
	if (rc == 0 && is_old && !is_new)
		rc = checkout_plan_row(c, &v, CHECKOUT_ROW, 0, NULL, err);
	buf_release(&was);
	buf_release(&will);
	return rc;
}
