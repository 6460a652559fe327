/* Differences of maps: all of them, in order, and without reading what is equal. */
#include "map_fixture.h"

struct pair {
	const struct fix_items *items;
	const uint8_t *in_a, *in_b;    /* marks */
	const struct fix_items *other; /* values of b where turned is set, else those of items */
	const uint8_t *turned;
};

static struct map_diff *diff(struct table *t, enum map_kind kind, const struct map_ref *a,
	const struct map_ref *b)
{
	const struct node_source src = table_source(t);
	struct map_diff *const d = map_diff_new(&src, kind, a, b);

	assert_non_null(d);
	table_count_anew(t);
	return d;
}

static void assert_side(const struct map_item *got, const struct fix_item *key,
	const struct fix_item *value)
{
	assert_int_equal(got->key_len, key->key_len);
	assert_memory_equal(got->key, key->key, key->key_len);
	if (!value) {
		assert_null(got->value);
		assert_int_equal(got->value_len, 0);
		return;
	}
	assert_int_equal(got->value_len, value->value_len);
	assert_memory_equal(got->value, value->value, value->value_len);
}

/* Runs the whole diff against the marks; returns how many differences there were. */
static size_t check_pair(struct table *t, enum map_kind kind, const struct map_ref *ra,
	const struct map_ref *rb, const struct pair *p)
{
	struct map_diff *const d = diff(t, kind, ra, rb);
	struct map_item a, b;
	size_t count = 0;

	for (size_t i = 0; i < p->items->count; i++) {
		const struct fix_item *const key = &p->items->at[i];
		const bool is_turned = p->turned && p->turned[i];
		const struct fix_item *const new_value = is_turned ? &p->other->at[i] : key;

		if (p->in_a[i] == p->in_b[i] && (!p->in_a[i] || !is_turned))
			continue;
		assert_int_equal(map_diff_next(d, &a, &b, NULL), 0);
		assert_side(&a, key, p->in_a[i] ? key : NULL);
		assert_side(&b, key, p->in_b[i] ? new_value : NULL);
		count++;
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(map_diff_next(d, &a, &b, NULL), STORE_ENOTFOUND);
	map_diff_free(d);
	return count;
}

static struct map_ref build_b(struct table *t, enum map_kind kind, const struct pair *p)
{
	const struct map_ref empty = map_empty(kind);
	struct map_editor *const e = fix_edit(t, kind, &empty);

	for (size_t i = 0; i < p->items->count; i++) {
		struct fix_item item = p->items->at[i];

		if (p->turned && p->turned[i]) {
			memcpy(item.value, p->other->at[i].value, sizeof(item.value));
			item.value_len = p->other->at[i].value_len;
		}
		if (p->in_b[i])
			fix_set(e, &item);
	}
	return fix_finish(e, NULL);
}

static void run_random_pairs(enum map_kind kind, uint32_t count, unsigned int stretch, int rounds)
{
	struct fix_items items = fix_items(kind, 41, count, stretch),
			 other = fix_items(kind, 42, count, stretch);
	uint8_t *const marks = calloc(count, 3);
	const struct pair p = { &items, marks, marks + count, &other, marks + 2 * (size_t)count };
	uint64_t rng = 41 + count;
	struct table t;

	assert_non_null(marks);
	table_init(&t);
	for (size_t i = 0; i < count; i++) {
		/* A turned value is another one. */
		if (items.at[i].value_len == other.at[i].value_len &&
			memcmp(items.at[i].value, other.at[i].value, other.at[i].value_len) == 0)
			other.at[i].value_len = 0;
	}
	for (int round = 0; round < rounds; round++) {
		const uint64_t one_in = 1u << fix_random(&rng) % 12, range = fix_random(&rng) % 3;
		const size_t from = fix_random(&rng) % count,
			     to = from + fix_random(&rng) % (count - from);
		struct map_ref a, b;

		for (size_t i = 0; i < count; i++) {
			const bool is_free = i >= from && i < to;

			marks[i] = range == 0 || !is_free || fix_random(&rng) % 2;
			marks[count + i] = fix_random(&rng) % one_in ? marks[i] : !marks[i];
			if (range == 1 && is_free)
				marks[count + i] = 0;
			marks[2 * (size_t)count + i] = fix_random(&rng) % one_in == 0 &&
				other.at[i].value_len > 0;
		}
		a = fix_build(&t, kind, &items, marks, NULL);
		b = build_b(&t, kind, &p);
		check_pair(&t, kind, &a, &b, &p);
	}
	table_release(&t);
	fix_release(&items);
	fix_release(&other);
	free(marks);
}

static void test_map_diff__finds_exactly_what_differs(void **state)
{
	(void)state;
	run_random_pairs(MAP_DIRECTORY, 3000, 12, 60);
	run_random_pairs(MAP_DIRECTORY, 3000, 246, 60);
	run_random_pairs(MAP_CHANGES, 2000, 246, 40);
	run_random_pairs(MAP_META, 2000, 100, 40);
	for (uint32_t count = 1; count < 30; count++)
		run_random_pairs(MAP_DIRECTORY, count, 246, 20);
}

static void test_map_diff__a_million_items_with_three_changes_reads_a_few_nodes(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 43, 1000000, 12);
	uint8_t *const marks = malloc(2 * items.count);
	struct pair p = { &items, marks, marks + items.count, NULL, NULL };
	static const size_t at[] = { 5, 500000, 999990 };
	struct map_editor *e;
	struct map_ref a, b;
	struct table t;

	(void)state;
	assert_non_null(marks);
	table_init(&t);
	memset(marks, 1, 2 * items.count);
	a = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	e = fix_edit(&t, MAP_DIRECTORY, &a);
	for (int i = 0; i < 3; i++) {
		fix_drop(e, &items.at[at[i]]);
		marks[items.count + at[i]] = 0;
	}
	b = fix_finish(e, NULL);
	assert_int_equal(check_pair(&t, MAP_DIRECTORY, &a, &b, &p), 3);
	print_message("# %u levels, %zu reads\n", a.height + 1u, t.get_calls);
	/*
	 * Per change one node of each level on each side, and one more on each side where borders
	 * moved.
	 */
	assert_true(t.get_calls <= (size_t)3 * 2 * (a.height + 2u));
	assert_int_equal(check_pair(&t, MAP_DIRECTORY, &b, &a,
				 &(struct pair){ &items, p.in_b, p.in_a, NULL, NULL }),
		3);
	assert_true(t.get_calls <= (size_t)3 * 2 * (a.height + 2u));
	table_release(&t);
	fix_release(&items);
	free(marks);
}

/*
 * Single changes anywhere: the mean number of reads, and for each that what is read is what the
 * edit replaced and what it wrote, however far its borders moved.
 */
static void test_map_diff__one_change_reads_one_path_on_each_side(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 44, 50000, 12);
	const size_t rounds = 500;
	size_t reads = 0, most = 0;
	uint64_t rng = 44;
	struct map_ref all;
	struct table t;

	(void)state;
	table_init(&t);
	all = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	for (size_t i = 0; i < rounds; i++) {
		struct map_editor *const e = fix_edit(&t, MAP_DIRECTORY, &all);
		struct map_item a, b;
		struct map_diff *d;
		struct map_ref ref;
		size_t touched;

		table_count_anew(&t);
		fix_drop(e, &items.at[fix_random(&rng) % items.count]);
		ref = fix_finish(e, NULL);
		touched = t.get_calls + t.put_calls;
		d = diff(&t, MAP_DIRECTORY, &all, &ref);
		assert_int_equal(map_diff_next(d, &a, &b, NULL), 0);
		assert_null(b.value);
		assert_int_equal(map_diff_next(d, &a, &b, NULL), STORE_ENOTFOUND);
		map_diff_free(d);
		reads += t.get_calls;
		most = t.get_calls > touched + most ? t.get_calls - touched : most;
	}
	print_message("# %u levels: %zu reads in %zu diffs, %zu more than needed\n",
		all.height + 1u, reads, rounds, most);
	assert_true(reads <= rounds * 2 * (all.height + 2u));
	assert_int_equal(most, 0);
	table_release(&t);
	fix_release(&items);
}

/* How many nodes of the map of these marks stand in no other map of t. */
static size_t count_own(struct table *t, const struct fix_items *items, const uint8_t *marks,
	struct map_ref *ref)
{
	const size_t before = t->count;

	*ref = fix_build(t, MAP_DIRECTORY, items, marks, NULL);
	return t->count - before;
}

/* Index of the first item behind from that begins a leaf. */
static size_t find_border(struct table *t, const struct fix_items *items, const struct map_ref *ref,
	size_t from)
{
	const struct node_source src = table_source(t);
	const struct map_item *last;
	struct map_frame *up;
	struct map_walk w;

	map_walk_init(&w, &src, MAP_DIRECTORY, ref);
	for (;; map_walk_next(&w)) {
		assert_false(w.is_done);
		while (map_walk_level(&w) > 0)
			assert_int_equal(map_walk_enter(&w, NULL), 0);
		up = &w.frames[w.cur];
		last = &up->node.items[up->pos];
		if (map_key_cmp(last->key, last->key_len, items->at[from].key,
			    items->at[from].key_len) >= 0)
			break;
	}
	while (map_key_cmp(items->at[from].key, items->at[from].key_len, last->key,
		       last->key_len) <= 0)
		from++;
	map_walk_release(&w);
	return from;
}

/*
 * Neighbours of 100,000 are gone: what is read is what stands on one side only, and where the gap
 * is one of whole nodes the way down to the first node behind it, once.
 */
static void check_gap(const struct fix_items *items, size_t from, size_t to, bool is_whole)
{
	uint8_t *const marks = malloc(2 * items->count);
	const struct pair p = { items, marks, marks + items->count, NULL, NULL };
	const struct pair back = { items, marks + items->count, marks, NULL, NULL };
	struct map_ref all, rest;
	struct table t, other;
	size_t own;

	assert_non_null(marks);
	table_init(&t);
	table_init(&other);
	memset(marks, 1, 2 * items->count);
	all = fix_build(&t, MAP_DIRECTORY, items, p.in_a, NULL);
	if (is_whole) {
		from = find_border(&t, items, &all, from);
		to = find_border(&t, items, &all, to);
	}
	memset(marks + items->count + from, 0, to - from);
	fix_build(&other, MAP_DIRECTORY, items, p.in_b, NULL);
	own = count_own(&other, items, p.in_a, &all);
	own += count_own(&t, items, p.in_b, &rest);
	assert_int_equal(check_pair(&t, MAP_DIRECTORY, &all, &rest, &p), to - from);
	assert_true(t.get_calls <= own + is_whole);
	assert_int_equal(check_pair(&t, MAP_DIRECTORY, &rest, &all, &back), to - from);
	assert_true(t.get_calls <= own + is_whole);
	table_release(&t);
	table_release(&other);
	free(marks);
}

static void test_map_diff__a_gap_costs_the_nodes_in_it(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 45, 100000, 12);

	(void)state;
	for (size_t from = 1000; from < 90000; from += 17919) {
		check_gap(&items, from, from + 3000, false);
		check_gap(&items, from, from + 1000, true);
	}
	fix_release(&items);
}

static void test_map_diff__trees_of_other_heights_share_what_is_equal(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 46, 60000, 246);
	uint8_t *const marks = malloc(2 * items.count);
	const struct pair p = { &items, marks, marks + items.count, NULL, NULL };
	const size_t few = 400;
	struct map_ref all, some;
	size_t nodes;
	struct table t;

	(void)state;
	assert_non_null(marks);
	table_init(&t);
	memset(marks, 1, 2 * items.count);
	memset(marks + items.count + few, 0, items.count - few);
	all = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	nodes = t.count;
	some = fix_build(&t, MAP_DIRECTORY, &items, p.in_b, NULL);
	assert_true(some.height < all.height);
	assert_int_equal(check_pair(&t, MAP_DIRECTORY, &all, &some, &p), items.count - few);
	/* The 400 first items are some 20 leaves, of which all but about the last are equal. */
	assert_true(t.get_calls < nodes - 10);
	table_release(&t);
	fix_release(&items);
	free(marks);
}

static void test_map_diff__equal_and_empty_maps_read_what_they_must(void **state)
{
	struct fix_items items = fix_items(MAP_META, 47, 3000, 12);
	const struct map_ref empty = map_empty(MAP_META);
	uint8_t *const marks = calloc(items.count, 2);
	const struct pair from = { &items, marks, marks + items.count, NULL, NULL };
	const struct pair to = { &items, marks + items.count, marks, NULL, NULL };
	struct map_item a, b;
	struct map_diff *d;
	struct map_ref all;
	size_t nodes;
	struct table t;

	(void)state;
	assert_non_null(marks);
	memset(marks, 1, items.count);
	table_init(&t);
	all = fix_build(&t, MAP_META, &items, NULL, NULL);
	nodes = t.count;
	d = diff(&t, MAP_META, &all, &all);
	assert_int_equal(map_diff_next(d, &a, &b, NULL), STORE_ENOTFOUND);
	assert_int_equal(t.get_calls, 0);
	map_diff_free(d);
	d = diff(&t, MAP_META, &empty, &empty);
	assert_int_equal(map_diff_next(d, &a, &b, NULL), STORE_ENOTFOUND);
	assert_int_equal(t.get_calls, 0);
	map_diff_free(d);
	assert_int_equal(check_pair(&t, MAP_META, &all, &empty, &from), items.count);
	assert_int_equal(t.get_calls, nodes);
	assert_int_equal(check_pair(&t, MAP_META, &empty, &all, &to), items.count);
	assert_int_equal(t.get_calls, nodes);
	table_release(&t);
	fix_release(&items);
	free(marks);
}

static void test_map_diff__failed_reads_end_it(void **state)
{
	struct fix_items items = fix_items(MAP_DIRECTORY, 48, 2000, 246);
	uint8_t *const marks = malloc(items.count);
	struct map_ref all, some;
	size_t failures = 0;
	struct table t;

	(void)state;
	assert_non_null(marks);
	table_init(&t);
	for (size_t i = 0; i < items.count; i++)
		marks[i] = i % 300 != 0;
	all = fix_build(&t, MAP_DIRECTORY, &items, NULL, NULL);
	some = fix_build(&t, MAP_DIRECTORY, &items, marks, NULL);
	for (size_t n = 1; n < 200; n++) {
		struct map_diff *const d = diff(&t, MAP_DIRECTORY, &all, &some);
		struct store_error err = { 0 };
		struct map_item a, b;
		int rc;

		t.fail_get = n;
		do {
			rc = map_diff_next(d, &a, &b, &err);
		} while (rc == 0);
		t.fail_get = 0;
		if (rc != STORE_ENOTFOUND) {
			assert_int_equal(rc, STORE_EIO);
			assert_int_equal(map_diff_next(d, &a, &b, &err), STORE_EIO);
			failures++;
		}
		map_diff_free(d);
	}
	assert_true(failures > 10 && failures < 199);
	table_release(&t);
	fix_release(&items);
	free(marks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_diff__finds_exactly_what_differs),
		cmocka_unit_test(
			test_map_diff__a_million_items_with_three_changes_reads_a_few_nodes),
		cmocka_unit_test(test_map_diff__one_change_reads_one_path_on_each_side),
		cmocka_unit_test(test_map_diff__a_gap_costs_the_nodes_in_it),
		cmocka_unit_test(test_map_diff__trees_of_other_heights_share_what_is_equal),
		cmocka_unit_test(test_map_diff__equal_and_empty_maps_read_what_they_must),
		cmocka_unit_test(test_map_diff__failed_reads_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
