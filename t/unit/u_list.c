/*
 * Listing trees: order, totals, recorded attributes in step, and more directories inside each other
 * than have cursors.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "repo_fixture.h"

#define DEEP 200

static struct map_ref put_meta(struct odb_writer *w, const char *const *names,
	const struct meta *values, size_t n)
{
	const struct node_source src = nodes_source(writer_reader(w));
	const struct node_sink sink = nodes_sink(w);
	const struct map_ref empty = map_empty(MAP_META);
	struct map_editor *e = map_editor_new(MAP_META, &src, &sink, &empty);
	struct map_totals totals;
	struct map_ref ref;

	for (size_t i = 0; i < n; i++) {
		struct buf value = { 0 };

		OK(meta_encode(&value, &values[i]));
		OK(map_editor_set(e, names[i], strlen(names[i]), value.data, value.len, &failure));
		buf_release(&value);
	}
	OK(map_editor_finish(e, &ref, &totals, &failure));
	map_editor_free(e);
	return ref;
}

static void commit_top(struct odb_writer *w, const struct entry *top, const struct map_ref *meta)
{
	const struct oid id = fixture_commit(w, top, 0, NULL, 0, 1000, "one", meta);
	char hex[ID_HEX + 1];
	const char *refs[] = { "refs/heads/main", hex, NULL };

	id_hex(hex, &id);
	fixture_publish(w, refs, 1000, "commit");
	writer_free(w);
}

/* "path:kind:size" of each entry, with ":mode" where attributes are recorded. */
static void list(const char *operand, int recursive, struct buf *out)
{
	struct store_tree_iter *it;
	struct store_tree_entry e;
	struct store_target t;
	int rc;

	OK(store_resolve(repo, operand, STORE_NAME_REV_IS_TREE, &t, &failure));
	OK(store_tree_open(repo, &t, recursive, &it, &failure));
	store_target_clear(&t);
	while ((rc = store_tree_next(it, &e, &failure)) == 0) {
		buf_addf(out, "%s:%u:%llu", e.path, e.node.kind, (unsigned long long)e.node.size);
		if (e.has_meta)
			buf_addf(out, ":%o", e.mode);
		buf_add_u8(out, '\n');
	}
	if (rc != STORE_ENOTFOUND)
		fail_msg("%s", failure.msg);
	assert_int_equal(store_tree_next(it, &e, &failure), STORE_ENOTFOUND);
	store_tree_free(it);
	assert_non_null(buf_str(out));
}

static void expect(const char *operand, int recursive, const char *want)
{
	struct buf got = { 0 };

	list(operand, recursive, &got);
	assert_string_equal((const char *)got.data, want);
	buf_release(&got);
}

static void test_list__entries_come_in_order_with_their_attributes(void **state)
{
	static const char *const sub_names[] = { "x" };
	static const char *const names[] = { "", "b", "sub" };
	const struct meta sub_meta[] = { { .flags = META_ATTRS, .mode = 0600, .mtime_sec = 7 } };
	struct meta top_meta[] = { { .flags = META_ATTRS, .mode = 0755 },
		{ .flags = META_ATTRS, .mode = 0644 },
		{ .flags = META_ATTRS | META_CHILD, .mode = 0700 } };
	struct odb_writer *w = fixture_writer();
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry one = fixture_file(w, "1"), two = fixture_file(w, "22"), sub, top;
	struct map_ref meta;

	(void)state;
	fixture_dir_set(&d, "x", &one);
	fixture_dir_set(&d, "y", &two);
	sub = fixture_dir_end(&d);
	d = fixture_dir_begin(w);
	fixture_dir_set(&d, "a", &one);
	fixture_dir_set(&d, "b", &two);
	fixture_dir_set(&d, "sub", &sub);
	fixture_dir_set(&d, "sub.c", &one);
	top = fixture_dir_end(&d);
	top_meta[2].child = put_meta(w, sub_names, sub_meta, 1);
	meta = put_meta(w, names, top_meta, 3);
	commit_top(w, &top, &meta);
	expect("HEAD", 0, "a:1:1\nb:1:2:644\nsub:3:3:700\nsub.c:1:1\n");
	expect("HEAD", 1, "a:1:1\nb:1:2:644\nsub:3:3:700\nsub/x:1:1:600\nsub/y:1:2\nsub.c:1:1\n");
	expect("sub", 0, "x:1:1:600\ny:1:2\n");
}

static void test_list__two_hundred_directories_deep_nothing_is_lost(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct entry file = fixture_file(w, "x"), dir = { .kind = ENTRY_NONE };
	struct buf want = { 0 }, got = { 0 };
	struct map_ref meta = map_empty(MAP_META);
	char path[2 * DEEP + 1] = "";

	(void)state;
	for (int i = 0; i < DEEP; i++) {
		static const char *const names[] = { "d", "e" };
		const struct meta m[] = { { .flags = META_ATTRS | (i > 0 ? META_CHILD : 0u),
						  .mode = 0750,
						  .child = meta },
			{ .flags = META_ATTRS, .mode = (uint16_t)i } };
		struct fixture_dir d = fixture_dir_begin(w);

		fixture_dir_set(&d, "a", &file);
		if (i > 0)
			fixture_dir_set(&d, "d", &dir);
		fixture_dir_set(&d, "e", &file);
		dir = fixture_dir_end(&d);
		meta = i > 0 ? put_meta(w, names, m, 2) : put_meta(w, names + 1, m + 1, 1);
	}
	commit_top(w, &dir, &meta);
	for (int i = DEEP - 1; i >= 0; i--) {
		buf_addf(&want, "%sa:1:1\n", path);
		if (i > 0) {
			buf_addf(&want, "%sd:3:%d:750\n", path, 2 * i);
			snprintf(path + strlen(path), sizeof(path) - strlen(path), "d/");
		}
	}
	for (int i = 0; i < DEEP; i++) {
		buf_addf(&want, "%se:1:1:%o\n", path, (unsigned int)i);
		if (i < DEEP - 1)
			path[strlen(path) - 2] = '\0';
	}
	assert_non_null(buf_str(&want));
	list("HEAD", 1, &got);
	assert_string_equal((const char *)got.data, (const char *)want.data);
	buf_release(&want);
	buf_release(&got);
}

static void test_list__totals_that_are_not_true_are_corruption(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry file = fixture_file(w, "x"), sub, top;
	struct store_error err = { 0 };
	struct store_tree_iter *it;
	struct store_tree_entry e;
	struct store_target t;

	(void)state;
	fixture_dir_set(&d, "a", &file);
	sub = fixture_dir_end(&d);
	sub.totals.size++;
	d = fixture_dir_begin(w);
	fixture_dir_set(&d, "sub", &sub);
	top = fixture_dir_end(&d);
	commit_top(w, &top, NULL);
	OK(store_resolve(repo, "HEAD", STORE_NAME_REV_IS_TREE, &t, &failure));
	OK(store_tree_open(repo, &t, 1, &it, &failure));
	OK(store_tree_next(it, &e, &failure));
	assert_int_equal(store_tree_next(it, &e, &err), STORE_ECORRUPT);
	assert_non_null(strstr(err.msg, "than its entry says"));
	store_tree_free(it);
	store_target_clear(&t);
	assert_int_equal(store_resolve(repo, "sub/a", 0, &t, &err), STORE_ECORRUPT);
	store_target_clear(&t);
}

static void test_list__a_file_is_no_directory(void **state)
{
	struct store_target t;
	struct store_tree_iter *it;

	(void)state;
	fixture_simple(NULL, 0, NULL, 0, 1000, "a");
	OK(store_resolve(repo, "file", 0, &t, &failure));
	assert_int_equal(store_tree_open(repo, &t, 0, &it, &failure), STORE_EINVAL);
	store_target_clear(&t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list__entries_come_in_order_with_their_attributes),
		TEST(test_list__two_hundred_directories_deep_nothing_is_lost),
		TEST(test_list__totals_that_are_not_true_are_corruption),
		TEST(test_list__a_file_is_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
