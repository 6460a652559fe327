/*
 * What the tests of maps share: a table of nodes that counts reads and writes, and the items that
 * t/vectors/map.py makes.
 */
#ifndef T_UNIT_MAP_FIXTURE_H
#define T_UNIT_MAP_FIXTURE_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "graph/map_internal.h"

/* --- nodes ----------------------------------------------------------------------------------- */
struct slot {
	struct oid id;
	uint8_t *data; /* NULL: free */
	size_t len;
	bool is_settled; /* was there at table_settle */
};

struct table {
	struct hash *hash;
	struct slot *slots;
	size_t cap, count;           /* different nodes */
	size_t get_calls, put_calls; /* calls since table_count_anew */
	size_t vain_puts;            /* of nodes that were there at table_settle */
	size_t fail_get, fail_put;   /* the n-th call from now fails; 0: none does */
};

static inline struct slot *table_find(const struct table *t, const struct oid *id)
{
	size_t i = (size_t)id_low64(id) & (t->cap - 1);

	while (t->slots[i].data && !id_eq(&t->slots[i].id, id))
		i = (i + 1) & (t->cap - 1);
	return &t->slots[i];
}

static inline void table_grow(struct table *t)
{
	const struct table old = *t;

	t->cap *= 2;
	t->slots = calloc(t->cap, sizeof(*t->slots));
	assert_non_null(t->slots);
	for (size_t i = 0; i < old.cap; i++) {
		if (old.slots[i].data)
			*table_find(t, &old.slots[i].id) = old.slots[i];
	}
	free(old.slots);
}

/* Proves the bytes, as every source does. */
static inline int table_get(void *ctx, const struct oid *id, struct buf *out,
	struct store_error *err)
{
	struct table *const t = ctx;
	const struct slot *const s = table_find(t, id);
	struct oid proof;

	t->get_calls++;
	if (t->fail_get > 0 && --t->fail_get == 0)
		return store_error_set(err, STORE_EIO, "the test fails this read");
	if (!s->data)
		return store_error_set(err, STORE_ENOTFOUND, "no such object");
	hash_once(t->hash, s->data, s->len, &proof);
	if (!id_eq(&proof, id))
		return store_error_set(err, STORE_ECORRUPT, "the bytes do not prove their id");
	return buf_set(out, s->data, s->len);
}

static inline int table_put(void *ctx, enum kind kind, const void *data, size_t len,
	struct oid *out_id, struct store_error *err)
{
	struct table *const t = ctx;
	struct slot *s;

	assert_int_equal(kind, KIND_MAP);
	assert_true(len <= LIMIT_NODE);
	t->put_calls++;
	if (t->fail_put > 0 && --t->fail_put == 0)
		return store_error_set(err, STORE_ENOSPACE, "the test fails this write");
	hash_once(t->hash, data, len, out_id);
	s = table_find(t, out_id);
	if (s->data) {
		t->vain_puts += s->is_settled;
		return 0;
	}
	s->id = *out_id;
	s->data = malloc(len);
	assert_non_null(s->data);
	memcpy(s->data, data, len);
	s->len = len;
	s->is_settled = false;
	if (++t->count * 2 > t->cap)
		table_grow(t);
	return 0;
}

static inline void table_init(struct table *t)
{
	memset(t, 0, sizeof(*t));
	t->hash = hash_new();
	t->cap = 64;
	t->slots = calloc(t->cap, sizeof(*t->slots));
	assert_non_null(t->hash);
	assert_non_null(t->slots);
}

static inline void table_release(struct table *t)
{
	for (size_t i = 0; i < t->cap; i++)
		free(t->slots[i].data);
	free(t->slots);
	hash_free(t->hash);
}

static inline void table_count_anew(struct table *t)
{
	t->get_calls = 0;
	t->put_calls = 0;
	t->vain_puts = 0;
}

static inline void table_settle(struct table *t)
{
	for (size_t i = 0; i < t->cap; i++)
		t->slots[i].is_settled = true;
}

static inline struct node_source table_source(struct table *t)
{
	return (struct node_source){ table_get, t };
}

static inline struct node_sink table_sink(struct table *t)
{
	return (struct node_sink){ table_put, t };
}

/* --- items ----------------------------------------------------------------------------------- */
struct fix_item {
	uint8_t *key;
	size_t key_len;
	uint8_t value[128];
	size_t value_len;
};

struct fix_items {
	struct fix_item *at;
	size_t count;
};

/* Numbers for the tests' choices: xorshift64*. */
static inline uint64_t fix_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717u;
}

static inline void fix_name(struct buf *key, const uint8_t *d, unsigned int stretch)
{
	const unsigned int tail = d[0] % stretch;

	for (int i = 1; i < 6; i++)
		buf_addf(key, "%02x", d[i]);
	for (unsigned int j = 0; j < tail; j++) {
		const uint8_t b = (uint8_t)(0x21 + d[8 + j % 24] % 0xde);

		buf_add_u8(key, b == '/' ? '_' : b);
	}
}

static inline void fix_directory(const uint8_t *d, const struct oid *x, struct buf *value)
{
	struct entry e = { .kind = (uint8_t)(1 + d[6] % 4), .id = *x };

	e.totals.size = (uint64_t)le32_get(d + 8) + 1;
	if (e.kind == ENTRY_DIR) {
		e.height = d[7] % 4;
		e.totals.files = le16_get(d + 12) + 1u;
		e.totals.dirs = d[14];
	} else {
		if (e.kind != ENTRY_LINK)
			e.height = d[7] % 3;
		/* What is no directory and has height 0 is one chunk. */
		if (e.height == 0)
			e.totals.size = le32_get(d + 8) % 0xffffff + 1;
	}
	assert_int_equal(entry_encode(value, &e), 0);
}

static inline void fix_change(const uint8_t *d, struct buf *value)
{
	static const struct change all[] = { { 1, 0, 1 }, { 2, 1, 2 }, { 3, 3, 0 }, { 4, 4, 3 },
		{ 5, 2, 1 } };

	assert_int_equal(change_encode(value, &all[d[6] % 5]), 0);
}

static inline void fix_meta(const uint8_t *d, const struct oid *x, struct buf *value)
{
	static const uint8_t flags[] = { 1, 3, 7, 8, 9, 15 };
	struct meta m = { .flags = flags[d[6] % 6] };

	m.mode = le16_get(d + 8) % 4096;
	m.mtime_sec = (int64_t)le32_get(d + 10) - (1LL << 31);
	m.mtime_nsec = le32_get(d + 14) % 1000000000u;
	m.uid = le32_get(d + 18);
	m.gid = le32_get(d + 22);
	m.xattrs = (struct file_ref){ *x, 0, d[27] + 1u };
	memcpy(m.child.id.b, d, ID_LEN);
	m.child.height = d[28] % 4;
	assert_int_equal(meta_encode(value, &m), 0);
}

static inline void fix_make(struct hash *h, enum map_kind kind, uint32_t seed, uint32_t i,
	unsigned int stretch, struct fix_item *out)
{
	struct buf key = { 0 }, value = { 0 };
	uint8_t text[17] = "store map";
	struct oid d, x;

	le32_put(text + 9, seed);
	le32_put(text + 13, i);
	hash_once(h, text, sizeof(text), &d);
	hash_once(h, d.b, ID_LEN, &x);
	if (kind == MAP_CHANGES) {
		buf_addf(&key, "%02x%c%x%c", d.b[30], 0, d.b[31] % 16, 0);
		fix_change(d.b, &value);
	} else if (kind == MAP_META) {
		fix_meta(d.b, &x, &value);
	} else {
		fix_directory(d.b, &x, &value);
	}
	fix_name(&key, d.b, stretch);
	assert_int_equal(buf_check(&key, NULL), 0);
	assert_true(value.len <= sizeof(out->value));
	out->key = key.data;
	out->key_len = key.len;
	memcpy(out->value, value.data, value.len);
	out->value_len = value.len;
	buf_release(&value);
}

static inline int fix_compare(const void *a, const void *b)
{
	const struct fix_item *const x = a, *const y = b;

	return map_key_cmp(x->key, x->key_len, y->key, y->key_len);
}

/* count items in order of their keys, as map.py makes them. */
static inline struct fix_items fix_items(enum map_kind kind, uint32_t seed, uint32_t count,
	unsigned int stretch)
{
	struct hash *const h = hash_new();
	struct fix_items items = { calloc(count + 1u, sizeof(struct fix_item)), count };

	assert_non_null(h);
	assert_non_null(items.at);
	for (uint32_t i = 0; i < count; i++)
		fix_make(h, kind, seed, i, stretch, &items.at[i]);
	qsort(items.at, count, sizeof(*items.at), fix_compare);
	hash_free(h);
	return items;
}

static inline void fix_release(struct fix_items *items)
{
	for (size_t i = 0; i < items->count; i++)
		free(items->at[i].key);
	free(items->at);
}

/* --- maps ------------------------------------------------------------------------------------ */
static inline struct map_editor *fix_edit(struct table *t, enum map_kind kind,
	const struct map_ref *old)
{
	const struct node_source src = table_source(t);
	const struct node_sink sink = table_sink(t);
	struct map_editor *const e = map_editor_new(kind, &src, &sink, old);

	assert_non_null(e);
	return e;
}

static inline void fix_set(struct map_editor *e, const struct fix_item *item)
{
	struct store_error err = { 0 };

	if (map_editor_set(e, item->key, item->key_len, item->value, item->value_len, &err) != 0)
		fail_msg("set: %s", err.msg);
}

static inline void fix_drop(struct map_editor *e, const struct fix_item *item)
{
	struct store_error err = { 0 };

	if (map_editor_drop(e, item->key, item->key_len, &err) != 0)
		fail_msg("drop: %s", err.msg);
}

/* Frees e. */
static inline struct map_ref fix_finish(struct map_editor *e, struct map_totals *totals)
{
	struct store_error err = { 0 };
	struct map_ref ref;

	if (map_editor_finish(e, &ref, totals, &err) != 0)
		fail_msg("finish: %s", err.msg);
	map_editor_free(e);
	return ref;
}

/* The map of the items whose mark is set (NULL: all), built at once. */
static inline struct map_ref fix_build(struct table *t, enum map_kind kind,
	const struct fix_items *items, const uint8_t *marks, struct map_totals *totals)
{
	const struct map_ref empty = map_empty(kind);
	struct map_editor *const e = fix_edit(t, kind, &empty);

	for (size_t i = 0; i < items->count; i++) {
		if (!marks || marks[i])
			fix_set(e, &items->at[i]);
	}
	return fix_finish(e, totals);
}

static inline void fix_assert_ref(const struct map_ref *a, const struct map_ref *b)
{
	assert_int_equal(a->height, b->height);
	assert_memory_equal(a->id.b, b->id.b, ID_LEN);
}

static inline void fix_assert_totals(const struct map_totals *a, const struct map_totals *b)
{
	assert_true(map_totals_eq(a, b));
}

#endif
