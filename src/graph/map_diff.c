/*
 * Differences of two maps.
 *
 * Two walks go side by side, each at an element: a subtree that was not read, or a leaf item.  One
 * step is:
 *
 *  1. two subtrees of one level with one id hold the same items: step over both, unread;
 *  2. if one stands at a subtree and the other at the very first element below a node of that level
 *     and id, they are aligned again, though one has read the node already: step over both;
 *  3. otherwise the higher of the two is entered, both when they stand on one level: their ranges
 *     overlap, and where the difference lies only the items tell;
 *  4. two leaf items are compared by key, and what is smaller stands on one side only.
 *
 * After the last item of a node a walk stands at the next subtree of the highest level it can.  So
 * behind a change both walks rise as soon as their nodes end together, which borders set by content
 * make soon, and rule 1 takes the rest. Rule 2 is for a row of subtrees that was put in or taken
 * out: the side without it has had to read its way down to its next key, and waits there.
 */
#include "graph/map_internal.h"

#include <stdlib.h>

#include "base/error.h"

struct map_diff {
	struct map_walk a, b;
	bool is_equal; /* one root on both sides: nothing is read */
	int failed;    /* the error that ended it */
};

static bool try_skip(struct map_walk *a, struct map_walk *b)
{
	const int a_level = map_walk_level(a), b_level = map_walk_level(b);
	bool is_same;

	if (a_level < b_level)
		is_same = map_walk_leave(a, b_level, map_walk_id(b));
	else if (b_level < a_level)
		is_same = map_walk_leave(b, a_level, map_walk_id(a));
	else
		is_same = a_level >= 0 && memcmp(map_walk_id(a), map_walk_id(b), ID_LEN) == 0;
	if (!is_same)
		return false;
	map_walk_next(a);
	map_walk_next(b);
	return true;
}

/* Both stand at leaf items, or at least one does and the other is done.  True when they differ. */
static bool compare_items(struct map_diff *d, struct map_item *a, struct map_item *b)
{
	int order;

	if (!d->a.is_done)
		*a = *map_walk_item(&d->a);
	if (!d->b.is_done)
		*b = *map_walk_item(&d->b);
	if (d->a.is_done || d->b.is_done)
		order = d->a.is_done ? 1 : -1;
	else
		order = map_key_cmp(a->key, a->key_len, b->key, b->key_len);
	/* Going on loads nothing, so the items stay where they are. */
	if (order <= 0)
		map_walk_next(&d->a);
	if (order >= 0)
		map_walk_next(&d->b);
	if (order == 0)
		return a->value_len != b->value_len ||
			memcmp(a->value, b->value, a->value_len) != 0;
	if (order < 0)
		*b = (struct map_item){ .key = a->key, .key_len = a->key_len };
	else
		*a = (struct map_item){ .key = b->key, .key_len = b->key_len };
	return true;
}

static int enter_higher(struct map_diff *d, struct store_error *err)
{
	const int a_level = d->a.is_done ? -1 : map_walk_level(&d->a);
	const int b_level = d->b.is_done ? -1 : map_walk_level(&d->b);
	int rc = 0;

	if (a_level >= b_level)
		rc = map_walk_enter(&d->a, err);
	if (rc == 0 && b_level >= a_level)
		rc = map_walk_enter(&d->b, err);
	return rc;
}

static int seek_behind(struct map_walk *w, const void *key, size_t key_len, struct store_error *err)
{
	const int rc = map_walk_seek(w, key, key_len, err);
	const struct map_item *item;

	if (rc != 0 || w->is_done)
		return rc;
	item = map_walk_item(w);
	if (map_key_cmp(item->key, item->key_len, key, key_len) == 0)
		map_walk_next(w);
	return 0;
}

static bool is_at_subtree(const struct map_walk *w)
{
	return !w->is_done && map_walk_level(w) >= 0;
}

struct map_diff *map_diff_new(const struct node_source *src, enum map_kind kind,
	const struct map_ref *a, const struct map_ref *b)
{
	struct map_diff *const d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	map_walk_init(&d->a, src, kind, a);
	map_walk_init(&d->b, src, kind, b);
	d->is_equal = map_ref_eq(a, b);
	return d;
}

void map_diff_free(struct map_diff *d)
{
	if (!d)
		return;
	map_walk_release(&d->a);
	map_walk_release(&d->b);
	free(d);
}

int map_diff_seek(struct map_diff *d, const void *key, size_t key_len, struct store_error *err)
{
	int rc;

	if (d->is_equal || d->failed != 0)
		return 0; /* an error that ended it is told by the next call */
	rc = seek_behind(&d->a, key, key_len, err);
	if (rc == 0)
		rc = seek_behind(&d->b, key, key_len, err);
	d->failed = rc;
	return rc;
}

int map_diff_next(struct map_diff *d, struct map_item *a, struct map_item *b,
	struct store_error *err)
{
	if (d->failed != 0)
		return store_error_set(err, d->failed,
			"the comparison of the maps has failed before");
	while (!d->is_equal && !(d->a.is_done && d->b.is_done)) {
		if (!d->a.is_done && !d->b.is_done && try_skip(&d->a, &d->b))
			continue;
		if (is_at_subtree(&d->a) || is_at_subtree(&d->b)) {
			d->failed = enter_higher(d, err);
			if (d->failed != 0)
				return d->failed;
			continue;
		}
		if (compare_items(d, a, b))
			return 0;
	}
	return STORE_ENOTFOUND;
}
