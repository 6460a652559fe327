/*
 * Differences of trees by maps that lie in memory, so that trees of a million entries cost no
 * files: what is read is counted at the source of nodes.
 */
#include "map_fixture.h"

#include "work/diff_internal.h"
#include "work/stats.h"

/* What the address sanitizer keeps of freed memory says nothing of ours. */
#ifdef __has_feature
#define IS_SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

#define DIRS 1000
#define FILES 1000

static struct table table;
static struct hash *hash;
static struct store_repo fake = { .metadata = METADATA_TIMES };

static int setup(void **state)
{
	(void)state;
	table_init(&table);
	hash = hash_new();
	return hash ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	table_release(&table);
	hash_free(hash);
	return 0;
}

/* ---- trees */

static struct entry file_of(const char *text)
{
	struct entry e = { .kind = ENTRY_FILE, .totals = { strlen(text), 1, 0 } };

	hash_once(hash, text, strlen(text), &e.id);
	return e;
}

static void set(struct map_editor *e, const char *name, const struct entry *entry)
{
	struct store_error err = { 0 };
	struct buf value = { 0 };

	assert_int_equal(entry_encode(&value, entry), 0);
	if (map_editor_set(e, name, strlen(name), value.data, value.len, &err) != 0)
		fail_msg("set: %s", err.msg);
	buf_release(&value);
}

static struct entry finish(struct map_editor *e)
{
	struct map_totals totals;
	const struct map_ref ref = fix_finish(e, &totals);

	return (struct entry){ .kind = ENTRY_DIR,
		.height = ref.height,
		.id = ref.id,
		.totals = totals.totals };
}

static struct map_editor *edit(const struct entry *old)
{
	const struct map_ref empty = map_empty(MAP_DIRECTORY);
	const struct map_ref ref = old ? (struct map_ref){ old->id, old->height } : empty;

	return fix_edit(&table, MAP_DIRECTORY, &ref);
}

static struct entry with(const struct entry *dir, const char *name, const struct entry *entry)
{
	struct map_editor *e = edit(dir);

	set(e, name, entry);
	return finish(e);
}

static struct entry without(const struct entry *dir, const char *name)
{
	struct store_error err = { 0 };
	struct map_editor *e = edit(dir);

	assert_int_equal(map_editor_drop(e, name, strlen(name), &err), 0);
	return finish(e);
}

/* FILES files; and DIRS such directories, which makes a million entries. */
static struct entry make_dir(void)
{
	struct map_editor *e = edit(NULL);
	char name[32];

	for (int i = 0; i < FILES; i++) {
		struct entry f;

		snprintf(name, sizeof(name), "file%04d", i);
		f = file_of(name);
		set(e, name, &f);
	}
	return finish(e);
}

static struct entry make_tree(const struct entry *dir)
{
	struct map_editor *e = edit(NULL);
	char name[32];

	for (int i = 0; i < DIRS; i++) {
		snprintf(name, sizeof(name), "dir%04d", i);
		set(e, name, dir);
	}
	return finish(e);
}

/* The attributes of one file, as a map; old NULL: of none. */
static struct map_ref with_mode(const struct map_ref *old, const char *name, uint16_t mode,
	const struct map_ref *child)
{
	const struct map_ref empty = map_empty(MAP_META);
	struct map_editor *e = fix_edit(&table, MAP_META, old ? old : &empty);
	struct meta m = { .flags = META_ATTRS, .mode = mode };
	struct store_error err = { 0 };
	struct map_totals totals;
	struct buf value = { 0 };

	if (child) {
		m.flags |= META_CHILD;
		m.child = *child;
	}
	assert_int_equal(meta_encode(&value, &m), 0);
	assert_int_equal(map_editor_set(e, name, strlen(name), value.data, value.len, &err), 0);
	buf_release(&value);
	return fix_finish(e, &totals);
}

/* ---- walks */

struct walk {
	struct diff_trees trees;
	struct diff_queue queue;
	struct store_diff_options options;
	struct diff_top a, b;
};

static void begin(struct walk *w)
{
	struct store_error err = { 0 };

	w->trees = (struct diff_trees){ .repo = &fake,
		.src = table_source(&table),
		.options = &w->options,
		.queue = &w->queue };
	table_count_anew(&table);
	if (diff_trees_begin(&w->trees, &w->a, &w->b, &err) != 0)
		fail_msg("begin: %s", err.msg);
}

/* False at the end. */
static bool next(struct walk *w, struct store_diff_entry *out)
{
	struct store_error err = { 0 };
	struct diff_queue *q = &w->queue;

	while (q->count == 0) {
		if (w->trees.count == 0)
			return false;
		if (diff_trees_step(&w->trees, &err) != 0)
			fail_msg("step: %s", err.msg);
	}
	*out = q->items[q->head].entry;
	q->head = (q->head + 1) % DIFF_QUEUE;
	q->count--;
	return true;
}

static void end(struct walk *w)
{
	diff_trees_end(&w->trees);
	for (size_t i = 0; i < DIFF_QUEUE; i++)
		buf_release(&w->queue.items[i].path);
}

/* All that differs is "LETTER PATH, ..." */
static void expect(struct walk *w, const char *want)
{
	struct buf got = { 0 };
	struct store_diff_entry e;

	begin(w);
	while (next(w, &e))
		buf_addf(&got, "%s%c%s %s", got.len > 0 ? ", " : "", e.letter,
			e.is_mode_only ? "m" : "", e.path);
	assert_string_equal(got.len > 0 ? buf_str(&got) : "", want);
	buf_release(&got);
	end(w);
}

static void test_diff__three_changes_in_a_million_entries_read_the_way_to_them(void **state)
{
	const struct entry dir = make_dir(), tree = make_tree(&dir);
	const struct entry f = file_of("changed");
	const struct entry d1 = with(&dir, "file0500", &f), d2 = without(&dir, "file0000"),
			   d3 = with(&dir, "new", &f);
	struct entry other = with(&tree, "dir0003", &d1);
	struct walk w = { .a.entry = tree };
	size_t depth;

	(void)state;
	other = with(&other, "dir0500", &d2);
	other = with(&other, "dir0999", &d3);
	w.b.entry = other;
	expect(&w, "M dir0003/file0500, D dir0500/file0000, A dir0999/new");
	/*
	 * Each change has its way of nodes on both sides, in the top map and in its directory's; a
	 * border that moves brings a neighbour along, and attributes are looked up nowhere.
	 */
	depth = (size_t)tree.height + 1 + dir.height + 1;
	assert_in_range(tree.totals.files, 1000000, 1000000);
	assert_in_range(table.get_calls, 1, 2 * (3 * (depth + 2)));
	print_message("# %zu nodes read, depth %zu\n", table.get_calls, depth);
}

static void test_diff__equal_trees_read_nothing(void **state)
{
	const struct entry dir = make_dir(), tree = make_tree(&dir);
	struct walk w = { .a.entry = tree, .b.entry = tree };

	(void)state;
	expect(&w, "");
	assert_int_equal(table.get_calls, 0);
}

static void test_diff__a_million_added_entries_take_no_more_memory(void **state)
{
	const struct entry dir = make_dir(), tree = make_tree(&dir);
	struct walk w = { .b.entry = tree };
	struct store_stats before = { 0 }, after = { 0 };
	struct store_diff_entry e;
	uint64_t n = 0;

	(void)state;
	begin(&w);
	assert_true(next(&w, &e));
	store_stats_memory(&before);
	while (next(&w, &e)) {
		assert_int_equal(e.letter, 'A');
		n++;
	}
	stats_sample();
	store_stats_memory(&after);
	end(&w);
	assert_int_equal(n, DIRS * FILES - 1);
	if (!IS_SANITIZED)
		assert_in_range(after.peak_anon, 0, before.peak_anon + (1u << 20));
	/* The way down once for each directory, and its leaves. */
	assert_in_range(table.get_calls, DIRS, DIRS * 40);
}

static void test_diff__paths_that_are_not_asked_for_are_not_entered(void **state)
{
	static const char *const paths[] = { "dir0003/file0500" };
	const struct entry dir = make_dir(), tree = make_tree(&dir), f = file_of("changed");
	const struct entry d1 = with(&dir, "file0500", &f), d2 = with(&d1, "file0501", &f);
	struct entry other = with(&tree, "dir0003", &d2);
	struct walk w = { .a.entry = tree, .options = { .paths = paths, .n_paths = 1 } };
	size_t with_paths;

	(void)state;
	for (int i = 100; i < 200; i++) {
		char name[32];

		snprintf(name, sizeof(name), "dir%04d", i);
		other = with(&other, name, &d2);
	}
	w.b.entry = other;
	expect(&w, "M dir0003/file0500");
	with_paths = table.get_calls;
	w = (struct walk){ .a.entry = tree, .b.entry = other };
	begin(&w);
	for (struct store_diff_entry e; next(&w, &e);)
		;
	end(&w);
	assert_in_range(with_paths * 3, 1, table.get_calls);
}

static void test_diff__deep_directories_find_their_place_again(void **state)
{
	enum { DEEP = 100 };
	struct entry a = file_of("bottom"), b = file_of("other");
	struct walk w = { 0 };
	struct store_diff_entry e;
	char name[16];
	int n = 0;

	(void)state;
	/* On each level a changed file stands before and behind the way down. */
	for (int i = 0; i < DEEP; i++) {
		const struct entry x = file_of("x"), y = file_of("y");
		struct entry up_a = with(NULL, "a", &x), up_b = with(NULL, "a", &y);

		up_a = with(&up_a, "m", &a);
		up_b = with(&up_b, "m", &b);
		a = with(&up_a, "z", &x);
		b = with(&up_b, "z", &y);
	}
	w.a.entry = a;
	w.b.entry = b;
	begin(&w);
	for (; next(&w, &e); n++) {
		const size_t len = strlen(e.path);

		snprintf(name, sizeof(name), "%c", e.path[len - 1]);
		assert_string_equal(name, n < DEEP ? "a" : n == DEEP ? "m" : "z");
		assert_int_equal(len,
			n < DEEP ? 2 * n + 1 : 2 * (2 * DEEP - n) + 1 - 2 * (n == DEEP));
		assert_int_equal(e.letter, 'M');
	}
	assert_int_equal(n, 2 * DEEP + 1);
	end(&w);
}

static void test_diff__kinds_that_change_delete_before_they_add(void **state)
{
	const struct entry f = file_of("f"), g = file_of("g");
	const struct entry empty = { .kind = ENTRY_DIR, .id = map_empty(MAP_DIRECTORY).id };
	const struct entry sub = with(NULL, "y", &f), full = with(&sub, "x", &f);
	const struct entry nested = with(&full, "z", &empty);
	struct entry link = f, exec = f;
	struct entry a, b;
	struct walk w = { 0 };

	(void)state;
	link.kind = ENTRY_LINK;
	exec.kind = ENTRY_EXEC;
	a = with(NULL, "d", &nested);
	b = with(NULL, "d", &f);
	w.a.entry = a;
	w.b.entry = b;
	expect(&w, "D d/x, D d/y, D d/z, A d");
	w = (struct walk){ .a.entry = b, .b.entry = a };
	expect(&w, "D d, A d/x, A d/y, A d/z");
	a = with(NULL, "d", &empty);
	w = (struct walk){ .a.entry = a, .b.entry = b };
	expect(&w, "D d, A d");
	b = with(NULL, "d", &full);
	w = (struct walk){ .a.entry = a, .b.entry = b };
	expect(&w, "A d/x, A d/y");
	w = (struct walk){ .a.entry = b, .b.entry = a };
	expect(&w, "D d/x, D d/y");
	a = with(NULL, "f", &f);
	b = with(NULL, "f", &link);
	w = (struct walk){ .a.entry = a, .b.entry = b };
	expect(&w, "T f");
	b = with(NULL, "f", &exec);
	w = (struct walk){ .a.entry = a, .b.entry = b };
	expect(&w, "Mm f");
	b = with(NULL, "f", &g);
	w = (struct walk){ .a.entry = a, .b.entry = b };
	expect(&w, "M f");
}

static void test_diff__recorded_modes_that_differ_are_told_and_found_without_content(void **state)
{
	const struct entry dir = make_dir(), tree = make_tree(&dir);
	const struct map_ref m1 = with_mode(NULL, "file0007", 0644, NULL),
			     m2 = with_mode(NULL, "file0007", 0600, NULL);
	struct walk w = { .a = { tree, true, with_mode(NULL, "dir0100", 0755, &m1) },
		.b = { tree, true, with_mode(NULL, "dir0100", 0700, &m2) } };

	(void)state;
	expect(&w, "Mm dir0100/file0007");
	assert_in_range(table.get_calls, 1, 20);
	/* One side that recorded nothing is no difference. */
	w.b.has_meta = false;
	expect(&w, "");
	fake.metadata = METADATA_NONE;
	w.b.has_meta = true;
	expect(&w, "");
	fake.metadata = METADATA_TIMES;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_diff__three_changes_in_a_million_entries_read_the_way_to_them),
		cmocka_unit_test(test_diff__equal_trees_read_nothing),
		cmocka_unit_test(test_diff__a_million_added_entries_take_no_more_memory),
		cmocka_unit_test(test_diff__paths_that_are_not_asked_for_are_not_entered),
		cmocka_unit_test(test_diff__deep_directories_find_their_place_again),
		cmocka_unit_test(test_diff__kinds_that_change_delete_before_they_add),
		cmocka_unit_test(
			test_diff__recorded_modes_that_differ_are_told_and_found_without_content),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
