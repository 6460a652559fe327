/*
 * One map node: its bytes, its checks, and the rule that says where it ends.
 *
 * A node is hostile until it is proven: its id only says that somebody wrote these bytes.  What is
 * checked here:
 *
 *  1. the header promises the kind and level that the reference promised, so a walk always goes
 *     down and ends;
 *  2. the count fits the bytes before anything is allocated, and nothing stands behind the last
 *     item;
 *  3. keys are legal and ascending, values are well-formed in their one spelling;
 *  4. the sums over the items do not overflow, and equal what the parent says of the child.
 *
 * Borders are not checked on reading: a node that ends at another place is slower to compare, and
 * what it says is right. Only fsck looks at them.
 *
 * The border rule is a Weibull hazard in integers.  With shape 4 and scale 4096 = 2^12 the chance
 * that a node which reached weight v ends before weight w is about (w^4 - v^4) / 2^48, and h >> 16
 * is a number of 48 bits.  The weight stays under 12,288 + 4,096 + 56, so w^4 fits 64 bits with
 * room to spare.  Nodes are 3,740 +- 990 on 40,000 names; a fixed chance per item gives a deviation
 * of 3,600 at the same mean.
 */
#include "graph/map_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"

#define NODE_VERSION 1
#define NODE_WEIGHT_MAX 12288u
#define WEIGHT_ITEM 8u
#define WEIGHT_VALUE 48u /* directory, meta */
#define WEIGHT_CHANGE 16u
/* The shortest item: length of an empty key, and the shortest of all values, a change. */
#define ITEM_MIN 4u

/* SHA-256 of "MP" 0x01, kind, level 0, count 0. */
static const struct oid empty_ids[] = {
	[MAP_DIRECTORY] = { { 0x1a, 0x1e, 0x46, 0x28, 0x08, 0x97, 0xf9, 0xae, 0x9f, 0x66, 0x58,
		0x9e, 0x6e, 0xc9, 0x1b, 0xbc, 0xe2, 0xa2, 0xa3, 0xb5, 0x52, 0xcf, 0x58, 0x2e, 0x7d,
		0x36, 0x3d, 0x6f, 0x23, 0xb9, 0x80, 0x47 } },
	[MAP_CHANGES] = { { 0x0d, 0xb0, 0x16, 0x53, 0x9c, 0x08, 0x03, 0x4c, 0xf8, 0x80, 0x96, 0x58,
		0x4a, 0x24, 0x04, 0x3b, 0xf3, 0x9c, 0x9c, 0xbd, 0x8a, 0x8c, 0xdc, 0x03, 0x53, 0x07,
		0xdd, 0x3c, 0xa5, 0x2a, 0xd4, 0x4d } },
	[MAP_META] = { { 0x6b, 0xcb, 0x01, 0x3a, 0x85, 0xbc, 0xc3, 0x30, 0xb3, 0x80, 0x94, 0xcc,
		0x7a, 0x8f, 0x1d, 0xc5, 0x30, 0xdb, 0x15, 0xa1, 0x0b, 0xf5, 0x64, 0xe7, 0x52, 0x70,
		0x5e, 0xc6, 0x2c, 0xbc, 0x84, 0x8d } },
};

static bool is_name(const uint8_t *p, size_t len)
{
	if (len == 0 || len > LIMIT_NAME || memchr(p, '/', len) || memchr(p, '\0', len))
		return false;
	return !(p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.')));
}

/* Names joined by NUL; no bytes at all are the root. */
static bool is_path(const uint8_t *p, size_t len)
{
	if (len > LIMIT_PATH)
		return false;
	while (len > 0) {
		const uint8_t *const nul = memchr(p, '\0', len);
		const size_t n = nul ? (size_t)(nul - p) : len;

		if (!is_name(p, n))
			return false;
		if (!nul)
			return true;
		p += n + 1;
		len -= n + 1;
		if (len == 0)
			return false;
	}
	return true;
}

static int refuse(struct store_error *err, const char *what)
{
	return store_error_set(err, STORE_ECORRUPT, "map node is damaged: %s", what);
}

static int decode_header(struct span *s, enum map_kind kind, uint8_t level, uint64_t *count,
	struct store_error *err)
{
	const uint8_t *const magic = span_take(s, 3);

	if (!magic || memcmp(magic, "MP\x01", 3) != 0)
		return refuse(err, "it does not begin like one");
	if (span_u8(s) != kind)
		return refuse(err, "it belongs to another kind of map");
	if (span_u8(s) != level || s->bad)
		return refuse(err, "it stands on another level");
	*count = span_leb(s);
	if (s->bad || *count > span_left(s) / ITEM_MIN)
		return refuse(err, "the count does not fit its length");
	/* The map without items is built in and never stored. */
	if (*count == 0)
		return refuse(err, "it has no items");
	return 0;
}

static int decode_item(struct map_node *n, struct span *s, struct map_item *item,
	struct store_error *err)
{
	const uint64_t key_len = span_leb(s);
	struct map_totals add;
	int rc;

	if (s->bad || key_len > LIMIT_KEY)
		return refuse(err, "a key is too long");
	item->key_len = (size_t)key_len;
	item->key = span_take(s, item->key_len);
	if (!item->key || !map_key_ok(n->kind, item->key, item->key_len))
		return refuse(err, "a key is not legal");
	if (n->count > 0 &&
		map_key_cmp(item[-1].key, item[-1].key_len, item->key, item->key_len) >= 0)
		return refuse(err, "keys are out of order");
	item->value = s->p;
	rc = map_value_totals(s, n->kind, n->level, &add);
	if (rc != 0)
		return refuse(err, "a value is malformed");
	item->value_len = (size_t)(s->p - item->value);
	rc = map_totals_add(&n->totals, &add);
	return rc == 0 ? 0 : refuse(err, "its totals overflow");
}

/* Above level 0 the first item never closes its node, so a root there has at least two. */
static int check_root(struct map_frame *f, struct store_error *err)
{
	if (f->node.level == 0 || f->node.count >= 2)
		return 0;
	f->is_loaded = false;
	return refuse(err, "a root with a single child");
}

struct map_ref map_empty(enum map_kind kind)
{
	const struct map_ref ref = { empty_ids[kind], 0 };

	return ref;
}

bool map_ref_eq(const struct map_ref *a, const struct map_ref *b)
{
	return a->height == b->height && id_eq(&a->id, &b->id);
}

void map_node_init(struct map_node *n)
{
	memset(n, 0, sizeof(*n));
}

void map_node_release(struct map_node *n)
{
	free(n->items);
	map_node_init(n);
}

int map_node_decode(struct map_node *n, const void *data, size_t len, enum map_kind kind,
	uint8_t level, struct store_error *err)
{
	struct span s = span_of(data, len);
	uint64_t count = 0;
	int rc;

	n->kind = (uint8_t)kind;
	n->level = level;
	n->count = 0;
	memset(&n->totals, 0, sizeof(n->totals));
	if (len > LIMIT_NODE)
		return refuse(err, "it is too long");
	rc = decode_header(&s, kind, level, &count, err);
	if (rc != 0)
		return rc;
	if (mem_grow(&n->items, &n->cap, (size_t)count, sizeof(*n->items)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	while (n->count < count) {
		rc = decode_item(n, &s, &n->items[n->count], err);
		if (rc != 0)
			return rc;
		n->count++;
	}
	return span_left(&s) == 0 ? 0 : refuse(err, "something stands behind its items");
}

size_t map_child_put(uint8_t *p, enum map_kind kind, const struct map_child *child)
{
	const struct map_totals *const t = &child->totals;
	size_t n = ID_LEN;

	memcpy(p, child->id.b, ID_LEN);
	if (kind != MAP_DIRECTORY)
		return n + leb_put(p + n, t->items);
	n += leb_put(p + n, t->totals.size);
	n += leb_put(p + n, t->totals.files);
	return n + leb_put(p + n, t->totals.dirs);
}

int map_child_decode(struct span *s, enum map_kind kind, struct map_child *child)
{
	const uint8_t *const id = span_take(s, ID_LEN);
	struct map_totals *const t = &child->totals;

	memset(child, 0, sizeof(*child));
	if (id)
		memcpy(child->id.b, id, ID_LEN);
	if (kind == MAP_DIRECTORY) {
		t->totals.size = span_leb(s);
		t->totals.files = span_leb(s);
		t->totals.dirs = span_leb(s);
	} else {
		t->items = span_leb(s);
	}
	if (s->bad || (t->items == 0 && t->totals.files == 0 && t->totals.dirs == 0))
		return STORE_ECORRUPT;
	return 0;
}

int map_totals_add(struct map_totals *a, const struct map_totals *b)
{
	if (u64_add(a->items, b->items, &a->items))
		return STORE_ECORRUPT;
	return totals_add(&a->totals, &b->totals);
}

bool map_totals_eq(const struct map_totals *a, const struct map_totals *b)
{
	return a->items == b->items && a->totals.size == b->totals.size &&
		a->totals.files == b->totals.files && a->totals.dirs == b->totals.dirs;
}

int map_key_cmp(const void *a, size_t a_len, const void *b, size_t b_len)
{
	const size_t common = a_len < b_len ? a_len : b_len;
	const int order = common > 0 ? memcmp(a, b, common) : 0;

	if (order != 0)
		return order;
	return a_len < b_len ? -1 : a_len > b_len;
}

bool map_key_ok(enum map_kind kind, const uint8_t *key, size_t len)
{
	if (kind == MAP_CHANGES)
		return is_path(key, len);
	/* The root's own attributes have no name. */
	return is_name(key, len) || (kind == MAP_META && len == 0);
}

int map_value_totals(struct span *s, enum map_kind kind, uint8_t level, struct map_totals *out)
{
	struct map_child child;
	struct change change;
	struct entry entry;
	struct meta meta;
	int rc;

	memset(out, 0, sizeof(*out));
	if (level > 0) {
		rc = map_child_decode(s, kind, &child);
		*out = child.totals;
		return rc;
	}
	if (kind == MAP_DIRECTORY) {
		rc = entry_decode(s, &entry);
		if (rc == 0)
			out->totals = entry_totals(&entry);
		return rc;
	}
	out->items = 1;
	return kind == MAP_CHANGES ? change_decode(s, &change) : meta_decode(s, &meta);
}

uint64_t map_weight(enum map_kind kind, size_t key_len)
{
	return WEIGHT_ITEM + key_len + (kind == MAP_CHANGES ? WEIGHT_CHANGE : WEIGHT_VALUE);
}

bool map_closes(uint8_t level, uint64_t v, uint64_t w, uint64_t h, bool is_first)
{
	if (level > 0 && is_first)
		return false;
	return w >= NODE_WEIGHT_MAX || h >> 16 < w * w * w * w - v * v * v * v;
}

bool map_node_ends(const struct map_node *n, struct hash *h, bool *is_overrun)
{
	uint64_t v = 0, w = 0;
	bool ends = false;

	*is_overrun = false;
	for (size_t i = 0; i < n->count; i++, v = w) {
		const struct map_item *item = &n->items[i];

		*is_overrun = *is_overrun || ends;
		w = v + map_weight((enum map_kind)n->kind, item->key_len);
		ends = map_closes(n->level, v, w, hash_key(h, n->level, item->key, item->key_len),
			i == 0);
	}
	return ends;
}

int map_node_encode(struct buf *out, enum map_kind kind, uint8_t level, uint64_t count,
	const struct buf *items)
{
	buf_add(out, "MP", 2);
	buf_add_u8(out, NODE_VERSION);
	buf_add_u8(out, (uint8_t)kind);
	buf_add_u8(out, level);
	buf_add_leb(out, count);
	buf_add(out, items->data, items->len);
	return buf_check(out, NULL);
}

void map_frame_release(struct map_frame *f)
{
	buf_release(&f->data);
	map_node_release(&f->node);
	f->is_loaded = false;
}

int map_frame_child(const struct map_frame *f, struct map_child *out, struct store_error *err)
{
	const struct map_item *const item = &f->node.items[f->pos];
	struct span s = span_of(item->value, item->value_len);

	/* It was decoded once when the node was; only a bug could end here. */
	return map_child_decode(&s, f->node.kind, out) == 0 ? 0
							    : refuse(err, "a value is malformed");
}

int map_frame_load(struct map_frame *f, const struct node_source *src, enum map_kind kind,
	uint8_t level, const struct oid *id, struct store_error *err)
{
	char hex[13];
	int rc;

	f->pos = 0;
	if (f->is_loaded && id_eq(&f->id, id))
		return 0;
	f->is_loaded = false;
	rc = node_get(src, id, &f->data, err);
	if (rc != 0) {
		/* Absent is damage here: to the caller "not found" would mean a key, or the end. */
		rc = rc == STORE_ENOTFOUND ? STORE_ECORRUPT : rc;
		return store_error_wrap(err, rc, "cannot read map node %s", id_short(hex, id));
	}
	rc = map_node_decode(&f->node, f->data.data, f->data.len, kind, level, err);
	if (rc != 0)
		return store_error_wrap(err, rc, "%s", id_short(hex, id));
	f->id = *id;
	f->is_loaded = true;
	return 0;
}

int map_frame_load_root(struct map_frame *f, const struct node_source *src, enum map_kind kind,
	const struct map_ref *ref, struct store_error *err)
{
	int rc;

	if (ref->height >= LIMIT_LEVEL)
		return store_error_set(err, STORE_ECORRUPT,
			"a map of %u levels is beyond the limit of %d", ref->height + 1u,
			LIMIT_LEVEL);
	rc = map_frame_load(f, src, kind, ref->height, &ref->id, err);
	return rc == 0 ? check_root(f, err) : rc;
}

int map_frame_load_child(struct map_frame *f, const struct node_source *src,
	const struct map_frame *up, struct store_error *err)
{
	const struct map_item *const said = &up->node.items[up->pos], *last;
	char hex[13], child_hex[13];
	struct map_child child;
	int rc;

	assert(up->node.level > 0);
	rc = map_frame_child(up, &child, err);
	if (rc == 0)
		rc = map_frame_load(f, src, up->node.kind, (uint8_t)(up->node.level - 1), &child.id,
			err);
	if (rc != 0)
		return rc;
	last = &f->node.items[f->node.count - 1];
	if (map_totals_eq(&f->node.totals, &child.totals) &&
		map_key_cmp(last->key, last->key_len, said->key, said->key_len) == 0)
		return 0;
	f->is_loaded = false;
	return store_error_set(err, STORE_ECORRUPT,
		"map node %s is damaged: it tells other totals or another last key "
		"of its child %s",
		id_short(hex, &up->id), id_short(child_hex, &child.id));
}
