/*
 * Maps that are damaged or lie: each is found with STORE_ECORRUPT and a message, none crashes, none
 * is taken for the end.
 */
#include "map_fixture.h"

static size_t encode_again(const struct map_node *n, struct buf *out)
{
	struct buf items = { 0 };

	for (size_t i = 0; i < n->count; i++) {
		buf_add_leb(&items, n->items[i].key_len);
		buf_add(&items, n->items[i].key, n->items[i].key_len);
		buf_add(&items, n->items[i].value, n->items[i].value_len);
	}
	buf_clear(out);
	assert_int_equal(map_node_encode(out, n->kind, n->level, n->count, &items), 0);
	buf_release(&items);
	return out->len;
}

/* What decodes is spelled as the encoder spells it, else it is damage with a message. */
static bool decode_strictly(struct map_node *n, const uint8_t *data, size_t len, enum map_kind kind,
	uint8_t level)
{
	struct store_error err = { 0 };
	struct buf again = { 0 };
	const int rc = map_node_decode(n, data, len, kind, level, &err);

	if (rc != 0) {
		assert_int_equal(rc, STORE_ECORRUPT);
		assert_non_null(strstr(err.msg, "map node is damaged: "));
		return false;
	}
	assert_int_equal(encode_again(n, &again), len);
	assert_memory_equal(again.data, data, len);
	buf_release(&again);
	return true;
}

static void damage_node(enum map_kind kind, uint8_t level, const uint8_t *data, size_t len)
{
	uint8_t *const copy = malloc(len + 1);
	struct map_node n;

	assert_non_null(copy);
	map_node_init(&n);
	memcpy(copy, data, len);
	assert_true(decode_strictly(&n, copy, len, kind, level));
	copy[len] = 0;
	assert_false(decode_strictly(&n, copy, len + 1, kind, level));
	free(copy);
	for (size_t cut = 0; cut < len; cut++) {
		/* Exactly so long, so that a read behind the end is seen by the sanitizer. */
		uint8_t *const part = malloc(cut + (cut == 0));

		assert_non_null(part);
		memcpy(part, data, cut);
		assert_false(decode_strictly(&n, part, cut, kind, level));
		free(part);
	}
	for (size_t i = 0; i < len; i++) {
		static const uint8_t flips[] = { 0xff, 0x01, 0x80 };

		for (size_t k = 0; k < sizeof(flips); k++) {
			uint8_t *const other = malloc(len);

			assert_non_null(other);
			memcpy(other, data, len);
			other[i] ^= flips[k];
			decode_strictly(&n, other, len, kind, level);
			free(other);
		}
	}
	map_node_release(&n);
}

static void test_map_damage__damaged_nodes_never_crash_and_have_one_spelling(void **state)
{
	(void)state;
	for (int kind = MAP_DIRECTORY; kind <= MAP_META; kind++) {
		struct fix_items items = fix_items(kind, 61, 400, 60);
		struct table t;
		size_t seen = 0;

		table_init(&t);
		assert_int_equal(fix_build(&t, kind, &items, NULL, NULL).height, 1);
		for (size_t i = 0; i < t.cap && seen < 5; i++) {
			if (!t.slots[i].data)
				continue;
			damage_node(kind, t.slots[i].data[4], t.slots[i].data, t.slots[i].len);
			seen++;
		}
		table_release(&t);
		fix_release(&items);
	}
}

/*
 * Through a source, which proves ids, every flipped byte of every node is found by whoever comes
 * by.
 */
static void test_map_damage__flipped_bytes_are_found_by_the_cursor(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 62, 300, 60);
	struct node_source src;
	uint64_t rng = 62;
	struct map_ref ref;
	struct table t;

	(void)state;
	table_init(&t);
	ref = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	src = table_source(&t);
	for (size_t i = 0; i < t.cap; i++) {
		struct slot *const s = &t.slots[i];
		struct map_cursor *c;
		struct map_item item;
		size_t at;
		int rc;

		if (!s->data)
			continue;
		at = fix_random(&rng) % s->len;
		s->data[at] ^= 0x10;
		c = map_cursor_new(&src, MAP_DIRECTORY, &ref);
		while ((rc = map_cursor_next(c, &item, NULL)) == 0)
			;
		assert_int_equal(rc, STORE_ECORRUPT);
		assert_int_equal(map_cursor_next(c, &item, NULL), STORE_ECORRUPT);
		map_cursor_free(c);
		s->data[at] ^= 0x10;
	}
	table_release(&t);
	fix_release(&items);
}

static void test_map_damage__malformed_nodes_are_named(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} cases[] = {
		{ "MP\1\2\0\1\1a\1\0\1", 11, NULL },
		{ "", 0, "begin" },
		{ "MQ\1\2\0\1\1a\1\0\1", 11, "begin" },
		{ "MP\2\2\0\1\1a\1\0\1", 11, "begin" },
		{ "MP\1\3\0\1\1a\1\0\1", 11, "another kind" },
		{ "MP\1\2\1\1\1a\1\0\1", 11, "another level" },
		{ "MP\1\2\0\0", 6, "no items" },
		{ "MP\1\2\0\x81\0\1a\1\0\1", 12, "count" },
		{ "MP\1\2\0\2\1a\1\0\1", 11, "count" },
		{ "MP\1\2\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 15, "count" },
		{ "MP\1\2\0\2\1a\1\0\1\1a\1\0\1", 16, "order" },
		{ "MP\1\2\0\2\1b\1\0\1\1a\1\0\1", 16, "order" },
		{ "MP\1\2\0\1\1.\1\0\1", 11, "not legal" },
		{ "MP\1\2\0\1\x81\0a\1\0\1", 12, "too long" },
		{ "MP\1\2\0\1\x81\x20"
		  "a\1\0\1",
			12, "too long" },
		{ "MP\1\2\0\1\x7f"
		  "a\1\0\1",
			11, "not legal" },
		{ "MP\1\2\0\1\1a\1\1\1", 11, "value" },
		{ "MP\1\2\0\1\1a\1\0\1\0", 12, "behind" },
	};
	uint8_t *const long_node = calloc(1, LIMIT_NODE + 1);
	struct store_error err;
	struct map_node n;

	(void)state;
	map_node_init(&n);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const int rc = map_node_decode(&n, cases[i].bytes, cases[i].len, MAP_CHANGES, 0,
			&err);

		assert_int_equal(rc, cases[i].why ? STORE_ECORRUPT : 0);
		if (cases[i].why && !strstr(err.msg, cases[i].why))
			fail_msg("case %zu: '%s' does not say '%s'", i, err.msg, cases[i].why);
	}
	assert_non_null(long_node);
	memcpy(long_node, cases[0].bytes, cases[0].len);
	assert_int_equal(map_node_decode(&n, long_node, LIMIT_NODE + 1, MAP_CHANGES, 0, &err),
		STORE_ECORRUPT);
	assert_non_null(strstr(err.msg, "too long"));
	free(long_node);
	map_node_release(&n);
}

/* --- lies: nodes that are well-formed and prove their ids, and do not fit together ----------- */
struct lie {
	struct table t;
	struct buf items;
	size_t count;
};

static void lie_leaf_item(struct lie *l, const char *key, uint64_t size)
{
	const struct entry e = { .kind = ENTRY_FILE, .id = { { 5 } }, .totals = { size, 1, 0 } };

	buf_add_leb(&l->items, strlen(key));
	buf_add_str(&l->items, key);
	assert_int_equal(entry_encode(&l->items, &e), 0);
	l->count++;
}

static void lie_child_item(struct lie *l, const char *key, const struct oid *id, uint64_t size,
	uint64_t files)
{
	const struct map_child child = { *id, { { size, files, 0 }, 0 } };
	uint8_t value[MAP_CHILD_MAX];

	buf_add_leb(&l->items, strlen(key));
	buf_add_str(&l->items, key);
	buf_add(&l->items, value, map_child_put(value, MAP_DIRECTORY, &child));
	l->count++;
}

static struct oid lie_put(struct lie *l, uint8_t level)
{
	struct buf node = { 0 };
	struct oid id;

	assert_int_equal(map_node_encode(&node, MAP_DIRECTORY, level, l->count, &l->items), 0);
	assert_int_equal(table_put(&l->t, KIND_MAP, node.data, node.len, &id, NULL), 0);
	buf_release(&node);
	buf_clear(&l->items);
	l->count = 0;
	return id;
}

/* All who walk over the whole map end with the same code. */
static void lie_check(struct lie *l, const struct map_ref *ref, const char *why)
{
	const struct node_source src = table_source(&l->t);
	const struct map_ref empty = map_empty(MAP_DIRECTORY);
	struct map_cursor *const c = map_cursor_new(&src, MAP_DIRECTORY, ref);
	struct map_diff *const d = map_diff_new(&src, MAP_DIRECTORY, ref, &empty);
	struct map_editor *const e = fix_edit(&l->t, MAP_DIRECTORY, ref);
	const int want = why ? STORE_ECORRUPT : STORE_ENOTFOUND;
	struct store_error err = { 0 };
	static const char *const keys[] = { "a", "b", "c", "d", "e" };
	struct map_item a, b;
	struct map_ref out;
	int rc;

	do {
		rc = map_cursor_next(c, &a, &err);
	} while (rc == 0);
	assert_int_equal(rc, want);
	if (why && !strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
	do {
		rc = map_diff_next(d, &a, &b, &err);
	} while (rc == 0);
	assert_int_equal(rc, want);
	rc = 0;
	for (size_t i = 0; rc == 0 && i < 5; i++)
		rc = map_editor_drop(e, keys[i], 1, &err);
	if (rc == 0)
		rc = map_editor_finish(e, &out, NULL, &err);
	assert_int_equal(rc, why ? STORE_ECORRUPT : 0);
	map_cursor_free(c);
	map_diff_free(d);
	map_editor_free(e);
}

/* Two leaves, (a, b) and (c, d), sizes 1 to 4, under a root that tells what it is told to tell. */
static void lie_two(uint64_t size, uint64_t files, const char *last_key,
	const char *first_of_second, const char *why)
{
	struct lie l = { 0 };
	struct map_ref ref;
	struct oid one, two;

	table_init(&l.t);
	lie_leaf_item(&l, "a", 1);
	lie_leaf_item(&l, "b", 2);
	one = lie_put(&l, 0);
	lie_leaf_item(&l, first_of_second, 3);
	lie_leaf_item(&l, "d", 4);
	two = lie_put(&l, 0);
	lie_child_item(&l, "b", &one, 3, 2);
	lie_child_item(&l, last_key, &two, size, files);
	ref.id = lie_put(&l, 1);
	ref.height = 1;
	lie_check(&l, &ref, why);
	buf_release(&l.items);
	table_release(&l.t);
}

static void test_map_damage__parents_that_lie_are_found(void **state)
{
	(void)state;
	lie_two(7, 2, "d", "c", NULL);
	lie_two(8, 2, "d", "c", "other totals");
	lie_two(7, 3, "d", "c", "other totals");
	lie_two(7, 2, "e", "c", "another last key");
	lie_two(7, 2, "c", "c", "another last key");
	lie_two(7, 2, "d", "b", "begins before its sibling ends");
	lie_two(7, 2, "d", "aa", "begins before its sibling ends");
}

static void test_map_damage__wrong_shapes_are_found(void **state)
{
	struct lie l = { 0 };
	struct map_ref ref, one, missing = { { { 7 } }, 0 };

	(void)state;
	table_init(&l.t);
	lie_leaf_item(&l, "a", 1);
	one.id = lie_put(&l, 0);
	one.height = 0;
	lie_check(&l, &one, NULL);
	/* Another level than the reference says. */
	one.height = 1;
	lie_check(&l, &one, "another level");
	/* A root above level 0 has company. */
	lie_child_item(&l, "a", &one.id, 1, 1);
	ref.id = lie_put(&l, 1);
	ref.height = 1;
	lie_check(&l, &ref, "single child");
	/* Not there: damage, and not the end of the map. */
	lie_check(&l, &missing, "cannot read map node 0700");
	lie_child_item(&l, "a", &one.id, 1, 1);
	lie_child_item(&l, "b", &missing.id, 1, 1);
	ref.id = lie_put(&l, 1);
	lie_check(&l, &ref, "cannot read map node 0700");
	ref.height = LIMIT_LEVEL;
	lie_check(&l, &ref, "limit");
	/*
	 * A node that names itself a child would need another id; one of the wrong level cannot
	 * loop either.
	 */
	lie_child_item(&l, "a", &one.id, 1, 1);
	lie_child_item(&l, "b", &one.id, 1, 1);
	ref.id = lie_put(&l, 2);
	ref.height = 2;
	lie_check(&l, &ref, "another level");
	buf_release(&l.items);
	table_release(&l.t);
}

/*
 * A damaged node far below: the cursor says so and does not take it for the end; a new seek may go
 * elsewhere.
 */
static void test_map_damage__cursor_may_seek_past_damage(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 63, 3000, 12);
	const struct fix_item *const last = &items.at[items.count - 1];
	struct store_error err = { 0 };
	struct node_source src;
	struct map_cursor *c;
	struct map_item item;
	struct map_ref ref;
	struct table t;

	(void)state;
	table_init(&t);
	ref = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	src = table_source(&t);
	c = map_cursor_new(&src, MAP_DIRECTORY, &ref);
	t.fail_get = ref.height + 1u;
	assert_int_equal(map_cursor_next(c, &item, &err), STORE_EIO);
	assert_non_null(strstr(err.msg, "cannot read map node"));
	assert_int_equal(map_cursor_next(c, &item, NULL), STORE_EIO);
	assert_int_equal(map_cursor_seek(c, last->key, last->key_len, NULL), 0);
	assert_int_equal(map_cursor_next(c, &item, NULL), 0);
	assert_memory_equal(item.key, last->key, last->key_len);
	map_cursor_free(c);
	table_release(&t);
	fix_release(&items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_damage__damaged_nodes_never_crash_and_have_one_spelling),
		cmocka_unit_test(test_map_damage__flipped_bytes_are_found_by_the_cursor),
		cmocka_unit_test(test_map_damage__malformed_nodes_are_named),
		cmocka_unit_test(test_map_damage__parents_that_lie_are_found),
		cmocka_unit_test(test_map_damage__wrong_shapes_are_found),
		cmocka_unit_test(test_map_damage__cursor_may_seek_past_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
