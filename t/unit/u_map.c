/*
 * Maps: nodes, borders, cursor and look-ups.  The frozen roots come from t/vectors/map.py, which
 * knows nothing of this code. The editor has u_map_edit.c, differences u_map_diff.c, damage
 * u_map_damage.c.
 */
#include "map_fixture.h"

#define VECTORS "t/golden/vectors/map-roots.txt"

static enum map_kind parse_kind(const char *text)
{
	if (strcmp(text, "directory") == 0)
		return MAP_DIRECTORY;
	return strcmp(text, "changes") == 0 ? MAP_CHANGES : MAP_META;
}

static void check_vector(const char *line)
{
	uint64_t totals[3] = { 0, 0, 0 };
	unsigned int seed, count, stretch, height;
	char kind_text[16], hex[65];
	struct map_totals got;
	struct fix_items items;
	enum map_kind kind;
	struct map_ref ref;
	struct table t;
	struct oid id;
	size_t nodes;

	assert_true(sscanf(line, "%15s %u %u %u %u %zu %64s %" SCNu64 " %" SCNu64 " %" SCNu64,
			    kind_text, &seed, &count, &stretch, &height, &nodes, hex, &totals[0],
			    &totals[1], &totals[2]) >= 8);
	kind = parse_kind(kind_text);
	assert_int_equal(id_parse(&id, hex, 64), 0);
	table_init(&t);
	items = fix_items(kind, seed, count, stretch);
	ref = fix_build(&t, kind, &items, NULL, &got);
	assert_memory_equal(ref.id.b, id.b, ID_LEN);
	assert_int_equal(ref.height, height);
	/* No node is put that is not part of the tree. */
	assert_int_equal(t.count, nodes);
	if (kind == MAP_DIRECTORY) {
		assert_int_equal(got.totals.size, totals[0]);
		assert_int_equal(got.totals.files, totals[1]);
		assert_int_equal(got.totals.dirs, totals[2]);
	}
	assert_int_equal(got.items, kind == MAP_DIRECTORY ? 0 : totals[0]);
	table_release(&t);
	fix_release(&items);
}

static void test_map__roots_equal_the_frozen_vectors(void **state)
{
	FILE *const f = fopen(VECTORS, "r");
	char line[512];
	int count = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		check_vector(line);
		count++;
	}
	fclose(f);
	assert_int_equal(count, 30);
}

static void test_map__empty_map_is_built_in_and_never_read(void **state)
{
	struct buf none = { 0 }, out = { 0 };
	struct map_totals totals;
	struct map_item item;
	struct table t;

	(void)state;
	table_init(&t);
	for (int kind = MAP_DIRECTORY; kind <= MAP_META; kind++) {
		const struct map_ref empty = map_empty(kind);
		const struct node_source src = table_source(&t);
		struct map_cursor *const c = map_cursor_new(&src, kind, &empty);
		struct buf node = { 0 };
		struct oid id;

		assert_int_equal(map_node_encode(&node, kind, 0, 0, &none), 0);
		hash_once(t.hash, node.data, node.len, &id);
		assert_memory_equal(id.b, empty.id.b, ID_LEN);
		assert_int_equal(map_cursor_next(c, &item, NULL), STORE_ENOTFOUND);
		assert_int_equal(map_cursor_seek(c, "a", 1, NULL), 0);
		assert_int_equal(map_cursor_next(c, &item, NULL), STORE_ENOTFOUND);
		assert_int_equal(map_lookup(&src, kind, &empty, "a", 1, &out, NULL),
			STORE_ENOTFOUND);
		assert_int_equal(map_totals_of(&src, kind, &empty, &totals, NULL), 0);
		assert_int_equal(totals.items + totals.totals.size + totals.totals.files +
				totals.totals.dirs,
			0);
		map_cursor_free(c);
		buf_release(&node);
	}
	assert_int_equal(t.get_calls, 0);
	table_release(&t);
}

static void test_map__borders_follow_the_weight(void **state)
{
	(void)state;
	assert_int_equal(map_weight(MAP_DIRECTORY, 10), 66);
	assert_int_equal(map_weight(MAP_META, 0), 56);
	assert_int_equal(map_weight(MAP_CHANGES, 4096), 4120);
	/* h >> 16 is compared: 100^4 is 100,000,000. */
	assert_true(map_closes(0, 0, 100, (100000000ull << 16) - 1, true));
	assert_false(map_closes(0, 0, 100, 100000000ull << 16, true));
	assert_true(map_closes(0, 100, 200, (1500000000ull << 16) - 1, false));
	assert_false(map_closes(0, 100, 200, 1500000000ull << 16, false));
	assert_false(map_closes(0, 12257, 12287, UINT64_MAX, false));
	assert_true(map_closes(0, 12258, 12288, UINT64_MAX, false));
	assert_true(map_closes(1, 100, 200, 0, false));
	assert_false(map_closes(1, 0, 4152, 0, true));
	/* The heaviest node: no overflow, and every h closes it. */
	assert_true(map_closes(0, 12287, 12287 + 4096 + 56, UINT64_MAX, false));
}

static void test_map__cursor_visits_all_in_order(void **state)
{
	static const struct {
		enum map_kind kind;
		uint32_t count;
		unsigned int stretch;
	} cases[] = { { MAP_DIRECTORY, 1, 1 }, { MAP_DIRECTORY, 5000, 246 },
		{ MAP_CHANGES, 5000, 246 }, { MAP_META, 5000, 20 } };

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct fix_items items = fix_items(cases[k].kind, 51, cases[k].count,
			cases[k].stretch);
		struct node_source src;
		struct map_cursor *c;
		struct map_item item;
		struct map_ref ref;
		struct table t;

		table_init(&t);
		ref = fix_build(&t, cases[k].kind, &items, NULL, NULL);
		src = table_source(&t);
		c = map_cursor_new(&src, cases[k].kind, &ref);
		table_count_anew(&t);
		for (size_t i = 0; i < items.count; i++) {
			assert_int_equal(map_cursor_next(c, &item, NULL), 0);
			assert_int_equal(item.key_len, items.at[i].key_len);
			assert_memory_equal(item.key, items.at[i].key, item.key_len);
			assert_int_equal(item.value_len, items.at[i].value_len);
			assert_memory_equal(item.value, items.at[i].value, item.value_len);
		}
		assert_int_equal(map_cursor_next(c, &item, NULL), STORE_ENOTFOUND);
		assert_int_equal(map_cursor_next(c, &item, NULL), STORE_ENOTFOUND);
		/* Each node once. */
		assert_int_equal(t.get_calls, t.count);
		map_cursor_free(c);
		table_release(&t);
		fix_release(&items);
	}
}

static void test_map__seek_and_lookup_find_the_place_in_one_path(void **state)
{
	const uint32_t count = 6000;
	struct fix_items items = fix_items(MAP_DIRECTORY, 52, count, 246);
	const struct map_ref empty = map_empty(MAP_DIRECTORY);
	struct buf value = { 0 };
	struct map_editor *e;
	struct node_source src;
	struct map_cursor *c;
	struct map_item item;
	uint64_t rng = 52;
	struct map_ref ref;
	struct table t;

	(void)state;
	table_init(&t);
	/* Every second item is in the map: even ones are there, odd ones are not. */
	e = fix_edit(&t, MAP_DIRECTORY, &empty);
	for (size_t i = 0; i < items.count; i += 2)
		fix_set(e, &items.at[i]);
	ref = fix_finish(e, NULL);
	src = table_source(&t);
	c = map_cursor_new(&src, MAP_DIRECTORY, &ref);
	for (int i = 0; i < 3000; i++) {
		const size_t at = fix_random(&rng) % count, want = at + at % 2;
		const struct fix_item *const key = &items.at[at];
		int rc;

		table_count_anew(&t);
		rc = map_lookup(&src, MAP_DIRECTORY, &ref, key->key, key->key_len, &value, NULL);
		assert_int_equal(rc, at % 2 ? STORE_ENOTFOUND : 0);
		assert_true(t.get_calls <= ref.height + 1u);
		if (rc == 0) {
			assert_int_equal(value.len, key->value_len);
			assert_memory_equal(value.data, key->value, value.len);
		}
		table_count_anew(&t);
		assert_int_equal(map_cursor_seek(c, key->key, key->key_len, NULL), 0);
		assert_true(t.get_calls <= ref.height + 1u);
		for (size_t j = want; j < want + 60; j += 2) {
			rc = map_cursor_next(c, &item, NULL);
			if (j >= items.count) {
				assert_int_equal(rc, STORE_ENOTFOUND);
				break;
			}
			assert_int_equal(rc, 0);
			assert_int_equal(item.key_len, items.at[j].key_len);
			assert_memory_equal(item.key, items.at[j].key, item.key_len);
		}
	}
	assert_int_equal(map_cursor_seek(c, "", 0, NULL), 0);
	assert_int_equal(map_cursor_next(c, &item, NULL), 0);
	assert_memory_equal(item.key, items.at[0].key, item.key_len);
	assert_int_equal(map_cursor_seek(c, "\xff", 1, NULL), 0);
	assert_int_equal(map_cursor_next(c, &item, NULL), STORE_ENOTFOUND);
	map_cursor_free(c);
	buf_release(&value);
	table_release(&t);
	fix_release(&items);
}

static void test_map__totals_of_a_whole_map_cost_one_read(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 53, 5000, 12);
	struct map_totals got, want;
	struct node_source src;
	struct map_ref ref;
	struct table t;

	(void)state;
	table_init(&t);
	ref = fix_build(&t, MAP_DIRECTORY, &items, NULL, &want);
	src = table_source(&t);
	table_count_anew(&t);
	assert_int_equal(map_totals_of(&src, MAP_DIRECTORY, &ref, &got, NULL), 0);
	fix_assert_totals(&got, &want);
	assert_int_equal(t.get_calls, 1);
	table_release(&t);
	fix_release(&items);
}

/* Keys at their limits, and one byte beyond. */
static void test_map__keys_are_checked_for_their_kind(void **state)
{
	static const struct {
		const char *key;
		size_t len;
		bool ok_name, ok_path;
	} cases[] = {
		{ "a", 1, true, true },
		{ "..a", 3, true, true },
		{ "\n\xff\xfe", 3, true, true },
		{ "", 0, false, true },
		{ ".", 1, false, false },
		{ "..", 2, false, false },
		{ "a/b", 3, false, false },
		{ "a\0b", 3, false, true },
		{ "a\0", 2, false, false },
		{ "\0a", 2, false, false },
		{ "\0", 1, false, false },
		{ "a\0\0b", 4, false, false },
		{ "a\0..\0b", 6, false, false },
		{ "a\0b/c", 5, false, false },
	};
	uint8_t key[4097];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t *const k = (const uint8_t *)cases[i].key;

		assert_int_equal(map_key_ok(MAP_DIRECTORY, k, cases[i].len), cases[i].ok_name);
		assert_int_equal(map_key_ok(MAP_META, k, cases[i].len),
			cases[i].ok_name || cases[i].len == 0);
		assert_int_equal(map_key_ok(MAP_CHANGES, k, cases[i].len), cases[i].ok_path);
	}
	memset(key, 'x', sizeof(key));
	assert_true(map_key_ok(MAP_DIRECTORY, key, 255));
	assert_false(map_key_ok(MAP_DIRECTORY, key, 256));
	assert_false(map_key_ok(MAP_CHANGES, key, 256));
	for (size_t i = 255; i < sizeof(key); i += 256)
		key[i] = '\0';
	assert_true(map_key_ok(MAP_CHANGES, key, 4095));
	key[4095] = 'x';
	key[4094] = '\0';
	assert_true(map_key_ok(MAP_CHANGES, key, 4096));
	assert_false(map_key_ok(MAP_CHANGES, key, 4097));
}

static void test_map__longest_keys_go_in_and_out(void **state)
{
	const struct map_ref empty = map_empty(MAP_CHANGES);
	struct buf value = { 0 };
	struct map_editor *e;
	struct node_source src;
	uint8_t key[4096];
	struct map_ref ref;
	struct table t;

	(void)state;
	table_init(&t);
	memset(key, 'k', sizeof(key));
	for (size_t i = 255; i < sizeof(key); i += 256)
		key[i] = '\0';
	key[4094] = '\0';
	e = fix_edit(&t, MAP_CHANGES, &empty);
	for (int i = 0; i < 200; i++) {
		key[4095] = (uint8_t)(48 + i);
		assert_int_equal(map_editor_set(e, key, sizeof(key), "\1\0\1", 3, NULL),
			key[4095] == '/' ? STORE_EINVAL : 0);
	}
	ref = fix_finish(e, NULL);
	src = table_source(&t);
	for (int i = 0; i < 200; i++) {
		key[4095] = (uint8_t)(48 + i);
		assert_int_equal(map_lookup(&src, MAP_CHANGES, &ref, key, sizeof(key), &value,
					 NULL),
			0);
	}
	buf_release(&value);
	table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map__roots_equal_the_frozen_vectors),
		cmocka_unit_test(test_map__empty_map_is_built_in_and_never_read),
		cmocka_unit_test(test_map__borders_follow_the_weight),
		cmocka_unit_test(test_map__cursor_visits_all_in_order),
		cmocka_unit_test(test_map__seek_and_lookup_find_the_place_in_one_path),
		cmocka_unit_test(test_map__totals_of_a_whole_map_cost_one_read),
		cmocka_unit_test(test_map__keys_are_checked_for_their_kind),
		cmocka_unit_test(test_map__longest_keys_go_in_and_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
