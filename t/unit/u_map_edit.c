/*
 * The editor of maps: any row of edits gives the map that is built at once, and touches only what
 * it must.
 */
#include <malloc.h>

#include "map_fixture.h"

/*
 * Edit old (the items marked in before) so that the items marked in after are left; replace some
 * that stay.
 */
static struct map_ref edit(struct table *t, enum map_kind kind, const struct fix_items *items,
	const struct map_ref *old, const uint8_t *before, const uint8_t *after, uint64_t *rng,
	struct map_totals *totals)
{
	struct map_editor *const e = fix_edit(t, kind, old);

	for (size_t i = 0; i < items->count; i++) {
		/*
		 * Now and then an item that stays is set again, and one that was never there is
		 * dropped.
		 */
		const bool is_vain = before[i] == after[i];

		if (is_vain && fix_random(rng) % 500 != 0)
			continue;
		if (after[i])
			fix_set(e, &items->at[i]);
		else
			fix_drop(e, &items->at[i]);
	}
	return fix_finish(e, totals);
}

/* Change the marks of a random share of the items, or of a random range. */
static void scramble(uint8_t *marks, size_t count, uint64_t *rng)
{
	static const unsigned int one_in[] = { 1, 2, 10, 100, 1000 };
	const unsigned int share = one_in[fix_random(rng) % 5];
	const unsigned int what = (unsigned int)(fix_random(rng) % 4); /* turn, set, drop, drop */
	size_t from = fix_random(rng) % count, to = fix_random(rng) % (count + 1);

	if (fix_random(rng) % 3 == 0) {
		from = 0;
		to = count;
	}
	for (size_t i = from; i < to; i++) {
		if (fix_random(rng) % share == 0)
			marks[i] = what == 0 ? !marks[i] : what == 1;
	}
}

static void run_batches(enum map_kind kind, uint32_t seed, uint32_t count, unsigned int stretch,
	int batches)
{
	struct fix_items items = fix_items(kind, seed, count, stretch);
	uint8_t *const before = calloc(count, 1), *const after = calloc(count, 1);
	struct map_ref ref = map_empty(kind);
	uint64_t rng = 88172645463325252u + seed;
	struct table t;

	assert_non_null(before);
	assert_non_null(after);
	table_init(&t);
	for (int i = 0; i < batches; i++) {
		struct map_totals totals, want_totals;
		struct map_ref want;

		scramble(after, count, &rng);
		want = fix_build(&t, kind, &items, after, &want_totals);
		ref = edit(&t, kind, &items, &ref, before, after, &rng, &totals);
		fix_assert_ref(&ref, &want);
		fix_assert_totals(&totals, &want_totals);
		memcpy(before, after, count);
	}
	table_release(&t);
	fix_release(&items);
	free(before);
	free(after);
}

static void test_map_edit__random_batches_give_the_map_built_at_once(void **state)
{
	(void)state;
	run_batches(MAP_DIRECTORY, 11, 2000, 1, 120);
	run_batches(MAP_DIRECTORY, 12, 3000, 246, 120); /* three levels */
	run_batches(MAP_CHANGES, 13, 3000, 246, 60);
	run_batches(MAP_META, 14, 3000, 246, 60);
}

static void test_map_edit__small_maps_give_the_map_built_at_once(void **state)
{
	(void)state;
	for (uint32_t count = 1; count <= 60; count += 1)
		run_batches(MAP_DIRECTORY, 100 + count, count, 246, 60);
}

/* What is left after a mass deletion: [from, to) of the items. */
static void keep_range(struct table *t, const struct fix_items *items, const struct map_ref *all,
	size_t from, size_t to)
{
	uint8_t *const marks = calloc(items->count + 1, 1);
	struct map_editor *const e = fix_edit(t, MAP_DIRECTORY, all);
	struct map_totals totals, want_totals;
	struct map_ref ref, want;

	assert_non_null(marks);
	for (size_t i = 0; i < items->count; i++) {
		marks[i] = i >= from && i < to;
		if (!marks[i])
			fix_drop(e, &items->at[i]);
	}
	ref = fix_finish(e, &totals);
	want = fix_build(t, MAP_DIRECTORY, items, marks, &want_totals);
	fix_assert_ref(&ref, &want);
	fix_assert_totals(&totals, &want_totals);
	free(marks);
}

static void test_map_edit__mass_deletion_lowers_the_root(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 21, 9000, 246);
	uint64_t rng = 4711;
	struct map_ref all;
	struct table t;

	(void)state;
	table_init(&t);
	all = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	assert_true(all.height >= 2);
	/* Short ends matter most: the last node of a level may hold a single item. */
	for (size_t n = 0; n <= 24; n++) {
		keep_range(&t, &items, &all, items.count - n, items.count);
		keep_range(&t, &items, &all, 0, n);
	}
	for (int i = 0; i < 40; i++) {
		const size_t from = fix_random(&rng) % items.count;

		keep_range(&t, &items, &all, from, from + fix_random(&rng) % 200);
		keep_range(&t, &items, &all, from, items.count);
		keep_range(&t, &items, &all, 0, from);
	}
	table_release(&t);
	fix_release(&items);
}

/*
 * A tree whose last node above level 0 has one item: left alone, it is not the root, its child is.
 */
static void test_map_edit__old_node_with_one_child_left_alone_is_no_root(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 22, 4000, 246);
	struct map_frame f = { 0 };
	size_t seen = 0;
	struct table t;

	(void)state;
	table_init(&t);
	for (size_t count = 300; count < items.count; count += 7) {
		struct fix_items some = { items.at, count };
		const struct map_ref all = fix_build(&t, MAP_DIRECTORY, &some, NULL, NULL);
		const struct node_source src = table_source(&t);
		struct map_child child;
		struct map_frame low = { 0 };

		assert_int_equal(map_frame_load_root(&f, &src, MAP_DIRECTORY, &all, NULL), 0);
		f.pos = f.node.count - 1;
		assert_int_equal(map_frame_child(&f, &child, NULL), 0);
		if (all.height >= 2) {
			assert_int_equal(map_frame_load(&low, &src, MAP_DIRECTORY, all.height - 1,
						 &child.id, NULL),
				0);
			if (low.node.count == 1) {
				const struct map_item *const cut = &f.node.items[f.pos - 1];
				size_t from = 0;

				while (map_key_cmp(some.at[from].key, some.at[from].key_len,
					       cut->key, cut->key_len) <= 0)
					from++;
				keep_range(&t, &some, &all, from, count);
				seen++;
			}
		}
		map_frame_release(&low);
	}
	assert_true(seen > 3);
	map_frame_release(&f);
	table_release(&t);
	fix_release(&items);
}

static void test_map_edit__one_entry_comes_changes_and_goes(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 23, 2, 1);
	const struct map_ref empty = map_empty(MAP_DIRECTORY);
	struct map_totals totals;
	struct map_editor *e;
	struct map_ref one, other;
	struct table t;

	(void)state;
	table_init(&t);
	items.count = 1;
	one = fix_build(&t, MAP_DIRECTORY, &items, NULL, &totals);
	assert_int_equal(one.height, 0);
	e = fix_edit(&t, MAP_DIRECTORY, &one);
	assert_int_equal(map_editor_set(e, items.at[0].key, items.at[0].key_len, items.at[1].value,
				 items.at[1].value_len, NULL),
		0);
	other = fix_finish(e, &totals);
	assert_false(map_ref_eq(&one, &other));
	e = fix_edit(&t, MAP_DIRECTORY, &other);
	fix_set(e, &items.at[0]);
	other = fix_finish(e, NULL);
	fix_assert_ref(&other, &one);
	e = fix_edit(&t, MAP_DIRECTORY, &one);
	fix_drop(e, &items.at[0]);
	other = fix_finish(e, &totals);
	fix_assert_ref(&other, &empty);
	assert_int_equal(totals.totals.size + totals.totals.files + totals.totals.dirs +
			totals.items,
		0);
	items.count = 2;
	table_release(&t);
	fix_release(&items);
}

static void test_map_edit__no_edit_writes_nothing(void **state)
{
	struct fix_items items = fix_items(MAP_META, 24, 5000, 12);
	struct map_totals totals, want;
	struct map_ref ref, old;
	struct table t;

	(void)state;
	table_init(&t);
	old = fix_build(&t, MAP_META, &items, NULL, &want);
	table_count_anew(&t);
	ref = fix_finish(fix_edit(&t, MAP_META, &old), &totals);
	fix_assert_ref(&ref, &old);
	fix_assert_totals(&totals, &want);
	assert_int_equal(totals.items, items.count);
	assert_int_equal(t.put_calls, 0);
	assert_int_equal(t.get_calls, 1);
	table_release(&t);
	fix_release(&items);
}

/* One random edit; the nodes read and written are counted in t. */
static void edit_one(struct table *t, const struct fix_items *items, const uint8_t *marks,
	const struct map_ref *all, uint64_t *rng)
{
	struct map_editor *const e = fix_edit(t, MAP_DIRECTORY, all);
	const size_t at = fix_random(rng) % items->count;

	table_count_anew(t);
	if (marks[at])
		fix_drop(e, &items->at[at]);
	else
		fix_set(e, &items->at[at]);
	fix_finish(e, NULL);
	/* No node of the old map is written again. */
	assert_int_equal(t->vain_puts, 0);
}

/*
 * The promise of a commit after one change in a directory of 100,000 entries.  The tail is the
 * format's: how far borders shift until old and new ones meet is a matter of luck, with a chance of
 * about 1 in 3 per further node.
 */
static void test_map_edit__one_edit_in_100000_items_touches_few_nodes(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 31, 100000, 12);
	uint8_t *const marks = malloc(items.count);
	size_t put_calls = 0, get_calls = 0, most_puts = 0, most_gets = 0, over = 0;
	const size_t edits = 2000;
	uint64_t rng = 31;
	struct map_ref all;
	struct table t;

	(void)state;
	assert_non_null(marks);
	table_init(&t);
	for (size_t i = 0; i < items.count; i++)
		marks[i] = i % 10 != 0;
	all = fix_build(&t, MAP_DIRECTORY, &items, marks, NULL);
	table_settle(&t);
	for (size_t i = 0; i < edits; i++) {
		edit_one(&t, &items, marks, &all, &rng);
		put_calls += t.put_calls;
		get_calls += t.get_calls;
		most_puts = t.put_calls > most_puts ? t.put_calls : most_puts;
		most_gets = t.get_calls > most_gets ? t.get_calls : most_gets;
		over += t.put_calls > 6 || t.get_calls > 8;
	}
	print_message("# %zu edits: puts %zu, most %zu; gets %zu, most %zu; over: %zu\n", edits,
		put_calls, most_puts, get_calls, most_gets, over);
	assert_true(put_calls < edits * 7 / 2);
	assert_true(get_calls < edits * 7 / 2);
	assert_true(over * 50 <= edits);
	assert_true(most_puts <= 12);
	assert_true(most_gets <= 12);
	table_release(&t);
	fix_release(&items);
	free(marks);
}

static void test_map_edit__changed_value_keeps_all_borders(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 32, 20000, 246);
	struct map_ref all, ref;
	uint64_t rng = 32;
	struct table t;

	(void)state;
	table_init(&t);
	all = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	for (int i = 0; i < 200; i++) {
		struct fix_item item = items.at[fix_random(&rng) % items.count];
		struct map_editor *const e = fix_edit(&t, MAP_DIRECTORY, &all);
		const struct fix_item *const other = &items.at[fix_random(&rng) % items.count];

		memcpy(item.value, other->value, other->value_len);
		item.value_len = other->value_len;
		table_count_anew(&t);
		fix_set(e, &item);
		ref = fix_finish(e, NULL);
		/* One node per level is read and written: no border moved, on no level. */
		assert_int_equal(ref.height, all.height);
		assert_int_equal(t.get_calls, all.height + 1);
		assert_int_equal(t.put_calls, all.height + 1);
	}
	table_release(&t);
	fix_release(&items);
}

static void test_map_edit__edits_at_both_ends_leave_the_middle_unread(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 33, 50000, 12);
	struct map_editor *e;
	struct map_ref all;
	struct table t;

	(void)state;
	table_init(&t);
	all = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	table_count_anew(&t);
	e = fix_edit(&t, MAP_DIRECTORY, &all);
	fix_drop(e, &items.at[0]);
	fix_drop(e, &items.at[items.count - 1]);
	fix_finish(e, NULL);
	assert_true(t.get_calls <= 2u * (all.height + 1u) + 4);
	table_release(&t);
	fix_release(&items);
}

static int count_put(void *ctx, enum kind kind, const void *data, size_t len, struct oid *out_id,
	struct store_error *err)
{
	size_t *const put_calls = ctx;

	(void)kind;
	(void)data;
	(void)err;
	memset(out_id, 7, sizeof(*out_id));
	le64_put(out_id->b, ++*put_calls + len);
	return 0;
}

static void test_map_edit__memory_does_not_grow_with_the_map(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 34, 200000, 1);
	const struct map_ref empty = map_empty(MAP_DIRECTORY);
	size_t put_calls = 0, most = 0;
	const struct node_sink sink = { count_put, &put_calls };
	const struct node_source src = { table_get, NULL };
	const size_t before = mallinfo2().uordblks;
	struct map_editor *const e = map_editor_new(MAP_DIRECTORY, &src, &sink, &empty);

	(void)state;
	assert_non_null(e);
	for (size_t i = 0; i < items.count; i++) {
		fix_set(e, &items.at[i]);
		if (i % 1000 == 0 && mallinfo2().uordblks - before > most)
			most = mallinfo2().uordblks - before;
	}
	assert_true(put_calls > 2000);
	assert_true(most < 256u << 10);
	map_editor_free(e);
	fix_release(&items);
}

static void test_map_edit__refuses_wrong_requests(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 35, 2, 1);
	const struct map_ref empty = map_empty(MAP_DIRECTORY);
	const struct fix_item *const a = &items.at[0], *const b = &items.at[1];
	static const char *const names[] = { "", ".", "..", "a/b", "/" };
	struct store_error err = { 0 };
	struct map_editor *e;
	uint8_t long_name[256];
	struct map_ref out;
	struct table t;

	(void)state;
	table_init(&t);
	memset(long_name, 'x', sizeof(long_name));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		e = fix_edit(&t, MAP_DIRECTORY, &empty);
		assert_int_equal(map_editor_set(e, names[i], strlen(names[i]), a->value,
					 a->value_len, &err),
			STORE_EINVAL);
		assert_non_null(strstr(err.msg, "not legal"));
		map_editor_free(e);
	}
	e = fix_edit(&t, MAP_DIRECTORY, &empty);
	assert_int_equal(map_editor_set(e, long_name, 255, a->value, a->value_len, &err), 0);
	assert_int_equal(map_editor_set(e, long_name, 256, a->value, a->value_len, &err),
		STORE_EINVAL);
	/* An editor that failed stays so: what it holds is no map anybody asked for. */
	assert_int_equal(map_editor_finish(e, &out, NULL, &err), STORE_EINVAL);
	map_editor_free(e);
	e = fix_edit(&t, MAP_DIRECTORY, &empty);
	fix_set(e, b);
	assert_int_equal(map_editor_drop(e, a->key, a->key_len, &err), STORE_EINVAL);
	assert_non_null(strstr(err.msg, "ascending"));
	map_editor_free(e);
	e = fix_edit(&t, MAP_DIRECTORY, &empty);
	fix_set(e, a);
	assert_int_equal(map_editor_set(e, a->key, a->key_len, a->value, a->value_len, &err),
		STORE_EINVAL);
	map_editor_free(e);
	e = fix_edit(&t, MAP_DIRECTORY, &empty);
	assert_int_equal(map_editor_set(e, a->key, a->key_len, a->value, a->value_len - 1, &err),
		STORE_EINVAL);
	map_editor_free(e);
	e = fix_edit(&t, MAP_DIRECTORY, &empty);
	assert_int_equal(map_editor_set(e, a->key, a->key_len, a->value, a->value_len + 1, &err),
		STORE_EINVAL);
	map_editor_free(e);
	table_release(&t);
	fix_release(&items);
}

static void test_map_edit__sums_that_overflow_are_refused(void **state)
{
	const struct map_ref empty = map_empty(MAP_DIRECTORY);
	struct entry entry = { .kind = ENTRY_FILE,
		.height = 1,
		.id = { { 1 } },
		.totals = { UINT64_MAX, 1, 0 } };
	struct buf value = { 0 };
	struct map_editor *e;
	struct table t;

	(void)state;
	table_init(&t);
	assert_int_equal(entry_encode(&value, &entry), 0);
	e = fix_edit(&t, MAP_DIRECTORY, &empty);
	assert_int_equal(map_editor_set(e, "a", 1, value.data, value.len, NULL), 0);
	assert_int_equal(map_editor_set(e, "b", 1, value.data, value.len, NULL), STORE_ECORRUPT);
	map_editor_free(e);
	buf_release(&value);
	table_release(&t);
}

/* Every read and every write of one edit fails once. */
static void test_map_edit__failed_reads_and_writes_are_reported(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 36, 3000, 246);
	size_t failures = 0;
	struct map_ref all;
	struct table t;

	(void)state;
	table_init(&t);
	all = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	for (size_t n = 1; n < 1000; n++) {
		struct map_editor *const e = fix_edit(&t, MAP_DIRECTORY, &all);
		struct store_error err = { 0 };
		struct map_ref out;
		int rc = 0;

		t.fail_get = n % 2 ? (n + 1) / 2 : 0;
		t.fail_put = n % 2 ? 0 : n / 2;
		for (size_t i = 0; rc == 0 && i < items.count; i += 700)
			rc = map_editor_drop(e, items.at[i].key, items.at[i].key_len, &err);
		if (rc == 0)
			rc = map_editor_finish(e, &out, NULL, &err);
		map_editor_free(e);
		if (rc != 0) {
			failures++;
			assert_int_equal(rc, n % 2 ? STORE_EIO : STORE_ENOSPACE);
			assert_true(err.msg[0] != '\0');
		}
	}
	assert_true(failures > 20);
	table_release(&t);
	fix_release(&items);
}

static void test_map_edit__missing_node_is_damage(void **state)
{
	struct map_ref ref = { { { 9 } }, 1 };
	struct map_editor *e;
	struct store_error err = { 0 };
	struct table t;

	(void)state;
	table_init(&t);
	e = fix_edit(&t, MAP_DIRECTORY, &ref);
	assert_int_equal(map_editor_drop(e, "a", 1, &err), STORE_ECORRUPT);
	assert_non_null(strstr(err.msg, "map node 0900"));
	map_editor_free(e);
	ref.height = LIMIT_LEVEL;
	e = fix_edit(&t, MAP_DIRECTORY, &ref);
	assert_int_equal(map_editor_drop(e, "a", 1, &err), STORE_ECORRUPT);
	map_editor_free(e);
	table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_edit__random_batches_give_the_map_built_at_once),
		cmocka_unit_test(test_map_edit__small_maps_give_the_map_built_at_once),
		cmocka_unit_test(test_map_edit__mass_deletion_lowers_the_root),
		cmocka_unit_test(test_map_edit__old_node_with_one_child_left_alone_is_no_root),
		cmocka_unit_test(test_map_edit__one_entry_comes_changes_and_goes),
		cmocka_unit_test(test_map_edit__no_edit_writes_nothing),
		cmocka_unit_test(test_map_edit__one_edit_in_100000_items_touches_few_nodes),
		cmocka_unit_test(test_map_edit__changed_value_keeps_all_borders),
		cmocka_unit_test(test_map_edit__edits_at_both_ends_leave_the_middle_unread),
		cmocka_unit_test(test_map_edit__memory_does_not_grow_with_the_map),
		cmocka_unit_test(test_map_edit__refuses_wrong_requests),
		cmocka_unit_test(test_map_edit__sums_that_overflow_are_refused),
		cmocka_unit_test(test_map_edit__failed_reads_and_writes_are_reported),
		cmocka_unit_test(test_map_edit__missing_node_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
