/*
 * The editor: one pass over an old map, from left to right, with one old node and one open new node
 * per level.
 *
 * Each level is a row of items that is rebuilt from the row of the old level:
 *
 *      old node            new node
 *      [ fed | pos ... ]   [ items ... ]  -- border rule -->  close: put it, add its last key,
 *        |       |  feed     ^                                id and totals to the level above
 *        |       +-----------+
 *        opened: its item is taken from the level above
 *
 * A level is idle when it has no old node open and its new node is empty: everything up to here is
 * settled.  The next key opens the old node that holds it.  Opening a node takes its item out of
 * the level above, which first feeds what stands before that item (and so may open a node itself,
 * up to the root).  When the old node is used up and the new one is empty in the same place, the
 * borders fall together again and the level is idle; otherwise the next old node is opened,
 * whatever its keys are.  So a node that no edit touches is neither read nor written, and each old
 * node that is opened is read once.
 *
 * Why this gives the tree that is built at once: whether an item closes its node depends only on
 * the items since the last border, and an idle level stands right behind a border of both trees.
 *
 * Why the order of additions is right without any buffer: when a level adds a new node with last
 * key n above, everything above that stands before the old nodes it was made from was fed when the
 * first of them was taken, and what is left there has keys behind the last of them, which is at
 * least n (or there is nothing left at all).  That a level above may have used up its own old node
 * by then does no harm: its place is behind everything it took.
 *
 * finish() runs each level to its next meeting of borders, from level 0 up.  The first level that
 * turns out to have one node is the root.  A last old node may have a single item and may be all
 * that is left of its level; then the root lies below it, and the way down is read.
 *
 * What is trusted: nothing.  Old items pass through the same checks as in a walk, and a level
 * refuses keys that do not ascend, so a damaged old map gives an error and never a new map out of
 * order.
 */
#include "graph/map_internal.h"

#include <stdlib.h>

#include "base/error.h"

struct map_level {
	/* The old side. */
	struct map_frame old;
	bool is_open; /* old holds a node whose items from pos on are still to be fed or taken */
	const struct map_item *before; /* the item of a level above that ends before that node */
	bool is_last;                  /* that node is the last of its level */
	bool at_end; /* there is no old node behind: from here on only additions come */
	/* The new side. */
	struct buf items;         /* the open node, encoded */
	uint64_t count, weight;   /* of its items */
	struct map_totals totals; /* of its items */
	size_t key_off, key_len;  /* its last key, in items */
	size_t value_off;         /* the value behind that key */
	bool is_last_old;         /* its last item came from the old map */
	struct buf closed_key;    /* last key of the last node that was closed */
	uint64_t fed;             /* items of the whole level so far */
};

struct map_editor {
	enum map_kind kind;
	struct node_source src;
	struct node_sink sink;
	struct map_ref old;
	struct hash *hash;
	struct buf node;     /* the node being put */
	struct buf last_key; /* of the last edit */
	bool has_last_key;
	bool is_touched;                       /* the root was opened, or there was none */
	int failed;                            /* the error that ended it */
	struct map_level *levels[LIMIT_LEVEL]; /* made when first used, from 0 up */
};

static int refuse(struct store_error *err, const char *what)
{
	return store_error_set(err, STORE_ECORRUPT, "map is damaged: %s", what);
}

static int compare_keys(const struct map_item *a, const struct map_item *b)
{
	return map_key_cmp(a->key, a->key_len, b->key, b->key_len);
}

static int need_level(struct map_editor *e, unsigned int k, struct store_error *err)
{
	if (k >= LIMIT_LEVEL)
		return refuse(err, "it has too many levels");
	if (e->levels[k])
		return 0;
	e->levels[k] = calloc(1, sizeof(*e->levels[k]));
	if (!e->levels[k])
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	e->levels[k]->at_end = k > e->old.height;
	return 0;
}

static bool is_ascending(const struct map_level *l, const void *key, size_t key_len)
{
	if (l->count > 0)
		return map_key_cmp(l->items.data + l->key_off, l->key_len, key, key_len) < 0;
	return l->fed == 0 || map_key_cmp(l->closed_key.data, l->closed_key.len, key, key_len) < 0;
}

/* Put the open node of level k; *child tells of it.  The open node is then empty. */
static int put_node(struct map_editor *e, unsigned int k, struct map_child *child,
	struct store_error *err)
{
	struct map_level *const l = e->levels[k];
	int rc;

	buf_clear(&e->node);
	rc = map_node_encode(&e->node, e->kind, (uint8_t)k, l->count, &l->items);
	if (rc == 0)
		rc = buf_set(&l->closed_key, l->items.data + l->key_off, l->key_len);
	if (rc != 0)
		return store_error_set(err, rc, "out of memory");
	rc = node_put(&e->sink, KIND_MAP, e->node.data, e->node.len, &child->id, err);
	if (rc != 0)
		return rc;
	child->totals = l->totals;
	buf_clear(&l->items);
	l->count = 0;
	l->weight = 0;
	memset(&l->totals, 0, sizeof(l->totals));
	return 0;
}

static int add_item(struct map_editor *e, unsigned int k, const struct map_item *item, bool is_old,
	struct store_error *err);

static int close_node(struct map_editor *e, unsigned int k, struct store_error *err)
{
	struct map_level *const l = e->levels[k];
	uint8_t value[MAP_CHILD_MAX];
	struct map_item item = { .value = value };
	struct map_child child;
	int rc;

	rc = put_node(e, k, &child, err);
	if (rc != 0)
		return rc;
	item.key = l->closed_key.data;
	item.key_len = l->closed_key.len;
	item.value_len = map_child_put(value, e->kind, &child);
	rc = need_level(e, k + 1, err);
	return rc == 0 ? add_item(e, k + 1, &item, false, err) : rc;
}

/* Append to the open node of level k, and close it if its border is here. */
static int add_item(struct map_editor *e, unsigned int k, const struct map_item *item, bool is_old,
	struct store_error *err)
{
	struct map_level *const l = e->levels[k];
	struct span s = span_of(item->value, item->value_len);
	const uint64_t v = l->weight, w = v + map_weight(e->kind, item->key_len);
	const bool is_first = l->count == 0;
	struct map_totals add;
	int rc;

	if (!is_ascending(l, item->key, item->key_len))
		return refuse(err, "keys of two nodes are out of order");
	rc = map_value_totals(&s, e->kind, (uint8_t)k, &add);
	if (rc != 0)
		return refuse(err, "a value is malformed");
	rc = map_totals_add(&l->totals, &add);
	if (rc != 0)
		return refuse(err, "its totals overflow");
	buf_add_leb(&l->items, item->key_len);
	l->key_off = l->items.len;
	l->key_len = item->key_len;
	buf_add(&l->items, item->key, item->key_len);
	l->value_off = l->items.len;
	buf_add(&l->items, item->value, item->value_len);
	rc = buf_check(&l->items, err);
	if (rc != 0)
		return rc;
	l->is_last_old = is_old;
	l->count++;
	l->fed++;
	l->weight = w;
	if (!map_closes((uint8_t)k, v, w, hash_key(e->hash, (uint8_t)k, item->key, item->key_len),
		    is_first))
		return 0;
	return close_node(e, k, err);
}

static int advance(struct map_editor *e, unsigned int k, const void *key, size_t key_len,
	bool keep_last, struct store_error *err);

/*
 * Open the old node of level k that holds key, taking it out of the level above: the first node
 * left whose last key is >= key, else the last.  The empty key means the next node.
 */
static int open_node(struct map_editor *e, unsigned int k, const void *key, size_t key_len,
	struct store_error *err)
{
	struct map_level *const l = e->levels[k], *up;
	int rc;

	if (k == e->old.height) {
		e->is_touched = true;
		l->is_open = true;
		l->is_last = true;
		return map_frame_load_root(&l->old, &e->src, e->kind, &e->old, err);
	}
	rc = need_level(e, k + 1, err);
	if (rc == 0)
		rc = advance(e, k + 1, key, key_len, true, err);
	if (rc != 0)
		return rc;
	up = e->levels[k + 1];
	if (!up->is_open) {
		l->at_end = true;
		return 0;
	}
	rc = map_frame_load_child(&l->old, &e->src, &up->old, err);
	if (rc != 0)
		return rc;
	l->before = up->old.pos > 0 ? &up->old.node.items[up->old.pos - 1] : up->before;
	if (l->before && compare_keys(l->before, &l->old.node.items[0]) >= 0)
		return refuse(err, "a node begins before its sibling ends");
	up->old.pos++;
	l->is_open = true;
	l->is_last = up->is_last && up->old.pos == up->old.node.count;
	return 0;
}

/*
 * Feed old items before key, skipping nodes where the level is idle, until the open old node has an
 * item >= key in its place, or there is no old node left.  keep_last: the very last item of the
 * level is not fed, so that it can be taken.
 */
static int advance(struct map_editor *e, unsigned int k, const void *key, size_t key_len,
	bool keep_last, struct store_error *err)
{
	struct map_level *const l = e->levels[k];
	struct map_frame *const f = &l->old;
	int rc = 0;

	while (rc == 0 && !l->at_end) {
		if (!l->is_open) {
			const bool is_idle = l->count == 0;

			rc = open_node(e, k, is_idle ? key : NULL, is_idle ? key_len : 0, err);
			continue;
		}
		for (; rc == 0 && f->pos < f->node.count; f->pos++) {
			const struct map_item *const item = &f->node.items[f->pos];

			if (map_key_cmp(item->key, item->key_len, key, key_len) >= 0)
				return 0;
			if (keep_last && l->is_last && f->pos + 1 == f->node.count)
				return 0;
			rc = add_item(e, k, item, true, err);
		}
		l->is_open = false;
		l->at_end = l->is_last;
	}
	return rc;
}

/*
 * Feed what is left of the open old node, and further nodes until the borders of both trees meet or
 * the old level ends.
 */
static int drain(struct map_editor *e, unsigned int k, struct store_error *err)
{
	struct map_level *const l = e->levels[k];
	struct map_frame *const f = &l->old;
	int rc = 0;

	while (rc == 0 && !l->at_end && (l->is_open || l->count > 0)) {
		if (!l->is_open) {
			rc = open_node(e, k, NULL, 0, err);
			continue;
		}
		for (; rc == 0 && f->pos < f->node.count; f->pos++)
			rc = add_item(e, k, &f->node.items[f->pos], true, err);
		l->is_open = false;
		l->at_end = l->is_last;
	}
	return rc;
}

/* Is the open node of level k all there is of its level?  Asked at the end of the old level. */
static bool is_alone(const struct map_editor *e, unsigned int k)
{
	if (e->levels[k]->fed != e->levels[k]->count)
		return false;
	for (k++; k < LIMIT_LEVEL && e->levels[k]; k++) {
		if (e->levels[k]->fed > 0)
			return false;
	}
	return true;
}

/*
 * The root is an old node of which nothing else is left on its level: go down while it has a single
 * child.
 */
static int descend(struct map_editor *e, struct map_ref *out, struct store_error *err)
{
	struct map_frame f;
	int rc = 0;

	memset(&f, 0, sizeof(f));
	while (out->height > 0) {
		struct map_child child;

		rc = map_frame_load(&f, &e->src, e->kind, out->height, &out->id, err);
		if (rc != 0 || f.node.count > 1)
			break;
		rc = map_frame_child(&f, &child, err);
		if (rc != 0)
			break;
		out->id = child.id;
		out->height--;
	}
	map_frame_release(&f);
	return rc;
}

/*
 * The open node of level k is alone: it is the root, or, with one item above level 0, the child of
 * that item is.
 */
static int make_root(struct map_editor *e, unsigned int k, struct map_ref *out,
	struct map_totals *totals, struct store_error *err)
{
	struct map_level *const l = e->levels[k];
	struct map_child child;
	struct span s;
	int rc;

	out->height = (uint8_t)k;
	if (k == 0 || l->count > 1) {
		rc = put_node(e, k, &child, err);
		out->id = child.id;
		*totals = child.totals;
		return rc;
	}
	s = span_of(l->items.data + l->value_off, l->items.len - l->value_off);
	if (map_child_decode(&s, e->kind, &child) != 0)
		return refuse(err, "a value is malformed");
	out->id = child.id;
	out->height--;
	*totals = child.totals;
	/*
	 * A new node above level 0 that is alone has two items or more; only an old one may have
	 * lost its company.
	 */
	return l->is_last_old ? descend(e, out, err) : 0;
}

static int finish_levels(struct map_editor *e, struct map_ref *out, struct map_totals *totals,
	struct store_error *err)
{
	for (unsigned int k = 0; k < LIMIT_LEVEL && e->levels[k]; k++) {
		struct map_level *const l = e->levels[k];
		int rc = drain(e, k, err);

		if (rc != 0)
			return rc;
		if (l->count == 0)
			continue;
		if (is_alone(e, k))
			return make_root(e, k, out, totals, err);
		rc = close_node(e, k, err);
		if (rc != 0)
			return rc;
	}
	/* Nothing was left on any level. */
	*out = map_empty(e->kind);
	memset(totals, 0, sizeof(*totals));
	return 0;
}

/* Go to the place of key on level 0, and over an old item that has it. */
static int go_to(struct map_editor *e, const void *key, size_t key_len, struct store_error *err)
{
	struct map_level *const l = e->levels[0];
	const struct map_item *item;
	int rc;

	if (e->failed != 0)
		return store_error_set(err, e->failed, "editing the map has failed before");
	if (!map_key_ok(e->kind, key, key_len))
		return store_error_set(err, STORE_EINVAL, "a key is not legal in this map");
	if (e->has_last_key && map_key_cmp(e->last_key.data, e->last_key.len, key, key_len) >= 0)
		return store_error_set(err, STORE_EINVAL,
			"edits of a map must have ascending keys");
	if (buf_set(&e->last_key, key, key_len) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	e->has_last_key = true;
	rc = advance(e, 0, key, key_len, false, err);
	if (rc != 0 || !l->is_open)
		return rc;
	item = &l->old.node.items[l->old.pos];
	if (map_key_cmp(item->key, item->key_len, key, key_len) == 0)
		l->old.pos++;
	return 0;
}

static int set_item(struct map_editor *e, const struct map_item *item, struct store_error *err)
{
	struct span s = span_of(item->value, item->value_len);
	struct map_totals add;
	int rc;

	if (map_value_totals(&s, e->kind, 0, &add) != 0 || span_left(&s) != 0)
		return store_error_set(err, STORE_EINVAL, "a value is malformed");
	rc = go_to(e, item->key, item->key_len, err);
	return rc == 0 ? add_item(e, 0, item, false, err) : rc;
}

struct map_editor *map_editor_new(enum map_kind kind, const struct node_source *src,
	const struct node_sink *sink, const struct map_ref *old)
{
	const struct map_ref empty = map_empty(kind);
	struct map_editor *const e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->kind = kind;
	e->src = *src;
	e->sink = *sink;
	e->old = *old;
	e->hash = hash_new();
	if (!e->hash || need_level(e, 0, NULL) != 0) {
		map_editor_free(e);
		return NULL;
	}
	/* The empty map has no old nodes: its level 0 is at its end from the start. */
	e->is_touched = e->levels[0]->at_end = map_ref_eq(old, &empty);
	return e;
}

void map_editor_free(struct map_editor *e)
{
	if (!e)
		return;
	for (unsigned int k = 0; k < LIMIT_LEVEL && e->levels[k]; k++) {
		map_frame_release(&e->levels[k]->old);
		buf_release(&e->levels[k]->items);
		buf_release(&e->levels[k]->closed_key);
		free(e->levels[k]);
	}
	buf_release(&e->node);
	buf_release(&e->last_key);
	hash_free(e->hash);
	free(e);
}

int map_editor_set(struct map_editor *e, const void *key, size_t key_len, const void *value,
	size_t value_len, struct store_error *err)
{
	const struct map_item item = { key, key_len, value, value_len };
	const int rc = set_item(e, &item, err);

	e->failed = rc;
	return rc;
}

int map_editor_drop(struct map_editor *e, const void *key, size_t key_len, struct store_error *err)
{
	e->failed = go_to(e, key, key_len, err);
	return e->failed;
}

int map_editor_finish(struct map_editor *e, struct map_ref *out, struct map_totals *totals,
	struct store_error *err)
{
	struct map_totals sums;

	if (e->failed != 0)
		return store_error_set(err, e->failed, "editing the map has failed before");
	if (e->is_touched) {
		e->failed = finish_levels(e, out, &sums, err);
	} else {
		*out = e->old;
		e->failed = totals ? map_totals_of(&e->src, e->kind, &e->old, &sums, err) : 0;
	}
	if (e->failed == 0 && totals)
		*totals = sums;
	return e->failed;
}
