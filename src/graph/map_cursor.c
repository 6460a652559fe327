/*
 * Walking a map: the walk that cursor and diff share, the cursor, and look-ups.
 *
 * A walk keeps one loaded node per level, so memory is O(levels).  It stands at an element, which
 * is as large as it can be: behind the last item of a node the element is the next subtree of the
 * level above, not yet read.  Whoever needs only leaf items enters until there is one; whoever
 * compares may step over a subtree by its id.
 *
 * What the nodes say is checked as they are entered (map_node.c), and one thing more that only a
 * walk can see: the first key below a child lies behind the last key of the sibling before it.  So
 * keys ascend over the whole walk whatever is stored, and no walk turns back.
 */
#include "graph/map_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"

struct map_cursor {
	struct map_walk walk;
	int failed; /* the error that ended it, until the next seek */
};

/* The last key before the subtree the element stands for: NULL when it is the first. */
static const struct map_item *find_item_before(const struct map_walk *w)
{
	assert(w->frames);
	for (int i = w->cur; i <= w->ref.height; i++) {
		const struct map_frame *const f = &w->frames[i];

		if (f->pos > 0)
			return &f->node.items[f->pos - 1];
	}
	return NULL;
}

static int enter_root(struct map_walk *w, struct store_error *err)
{
	int rc;

	if (!w->frames && w->ref.height < LIMIT_LEVEL) {
		w->frames = calloc(w->ref.height + 1u, sizeof(*w->frames));
		if (!w->frames)
			return store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	if (!w->frames)
		return store_error_set(err, STORE_ECORRUPT,
			"a map of %u levels is beyond the limit of %d", w->ref.height + 1u,
			LIMIT_LEVEL);
	rc = map_frame_load_root(&w->frames[w->ref.height], &w->src, w->kind, &w->ref, err);
	if (rc == 0)
		w->cur--;
	return rc;
}

static int enter_child(struct map_walk *w, struct store_error *err)
{
	const struct map_item *const before = find_item_before(w), *first;
	struct map_frame *const up = &w->frames[w->cur], *const down = up - 1;
	char hex[13];
	int rc;

	rc = map_frame_load_child(down, &w->src, up, err);
	if (rc != 0)
		return rc;
	first = &down->node.items[0];
	if (before && map_key_cmp(before->key, before->key_len, first->key, first->key_len) >= 0) {
		down->is_loaded = false;
		return store_error_set(err, STORE_ECORRUPT,
			"map node %s is damaged: it begins before its sibling ends",
			id_short(hex, &down->id));
	}
	w->cur--;
	return 0;
}

/* Index of the first item with a key >= key. */
static size_t find_pos(const struct map_node *n, const void *key, size_t key_len)
{
	size_t lo = 0, hi = n->count;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (map_key_cmp(n->items[mid].key, n->items[mid].key_len, key, key_len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void map_walk_init(struct map_walk *w, const struct node_source *src, enum map_kind kind,
	const struct map_ref *ref)
{
	memset(w, 0, sizeof(*w));
	w->src = *src;
	w->kind = kind;
	w->ref = *ref;
	map_walk_reset(w);
}

void map_walk_release(struct map_walk *w)
{
	for (int i = 0; w->frames && i <= w->ref.height; i++)
		map_frame_release(&w->frames[i]);
	free(w->frames);
	w->frames = NULL;
}

void map_walk_reset(struct map_walk *w)
{
	const struct map_ref empty = map_empty(w->kind);

	w->cur = w->ref.height + 1;
	w->is_done = map_ref_eq(&w->ref, &empty);
}

int map_walk_level(const struct map_walk *w)
{
	return w->cur - 1;
}

const uint8_t *map_walk_id(const struct map_walk *w)
{
	if (w->cur > w->ref.height)
		return w->ref.id.b;
	return w->frames[w->cur].node.items[w->frames[w->cur].pos].value;
}

const struct map_item *map_walk_item(const struct map_walk *w)
{
	return &w->frames[0].node.items[w->frames[0].pos];
}

int map_walk_enter(struct map_walk *w, struct store_error *err)
{
	return w->cur > w->ref.height ? enter_root(w, err) : enter_child(w, err);
}

void map_walk_next(struct map_walk *w)
{
	while (w->cur <= w->ref.height) {
		struct map_frame *const f = &w->frames[w->cur];

		if (++f->pos < f->node.count)
			return;
		w->cur++;
	}
	w->is_done = true;
}

bool map_walk_leave(struct map_walk *w, int level, const uint8_t *id)
{
	if (level > w->ref.height || level < w->cur ||
		memcmp(w->frames[level].id.b, id, ID_LEN) != 0)
		return false;
	for (int i = w->cur; i <= level; i++) {
		if (w->frames[i].pos > 0)
			return false;
	}
	w->cur = level + 1;
	return true;
}

int map_walk_seek(struct map_walk *w, const void *key, size_t key_len, struct store_error *err)
{
	map_walk_reset(w);
	while (!w->is_done && map_walk_level(w) >= 0) {
		struct map_frame *f;
		const int rc = map_walk_enter(w, err);

		if (rc != 0)
			return rc;
		assert(w->frames);
		f = &w->frames[w->cur];
		f->pos = find_pos(&f->node, key, key_len);
		/* Only in the root: in a child the last key is the one that was sought above. */
		if (f->pos == f->node.count)
			w->is_done = true;
	}
	return 0;
}

struct map_cursor *map_cursor_new(const struct node_source *src, enum map_kind kind,
	const struct map_ref *ref)
{
	struct map_cursor *const c = calloc(1, sizeof(*c));

	if (c)
		map_walk_init(&c->walk, src, kind, ref);
	return c;
}

void map_cursor_free(struct map_cursor *c)
{
	if (!c)
		return;
	map_walk_release(&c->walk);
	free(c);
}

int map_cursor_seek(struct map_cursor *c, const void *key, size_t key_len, struct store_error *err)
{
	c->failed = map_walk_seek(&c->walk, key, key_len, err);
	return c->failed;
}

int map_cursor_next(struct map_cursor *c, struct map_item *item, struct store_error *err)
{
	struct map_walk *const w = &c->walk;

	if (c->failed != 0)
		return store_error_set(err, c->failed, "the walk over the map has failed before");
	if (w->is_done)
		return STORE_ENOTFOUND;
	while (map_walk_level(w) >= 0) {
		c->failed = map_walk_enter(w, err);
		if (c->failed != 0)
			return c->failed;
	}
	*item = *map_walk_item(w);
	/* Going on loads nothing, so the item stays where it is. */
	map_walk_next(w);
	return 0;
}

int map_lookup(const struct node_source *src, enum map_kind kind, const struct map_ref *ref,
	const void *key, size_t key_len, struct buf *out, struct store_error *err)
{
	struct map_item item;
	struct map_walk w;
	int rc;

	map_walk_init(&w, src, kind, ref);
	rc = map_walk_seek(&w, key, key_len, err);
	if (rc != 0)
		goto out;
	rc = STORE_ENOTFOUND;
	if (w.is_done)
		goto out;
	item = *map_walk_item(&w);
	if (map_key_cmp(item.key, item.key_len, key, key_len) != 0)
		goto out;
	rc = buf_set(out, item.value, item.value_len);
	if (rc != 0)
		store_error_set(err, rc, "out of memory");
out:
	map_walk_release(&w);
	return rc;
}

int map_totals_of(const struct node_source *src, enum map_kind kind, const struct map_ref *ref,
	struct map_totals *out, struct store_error *err)
{
	const struct map_ref empty = map_empty(kind);
	struct map_frame root;
	int rc;

	memset(out, 0, sizeof(*out));
	if (map_ref_eq(ref, &empty))
		return 0;
	memset(&root, 0, sizeof(root));
	rc = map_frame_load_root(&root, src, kind, ref, err);
	if (rc == 0)
		*out = root.node.totals;
	map_frame_release(&root);
	return rc;
}
