/*
 * Nodes that say the right content and end at the wrong place: another root for the same content.
 * They are put together by hand here; each node is named, and right ones are no finding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fsck_fixture.h"

/* The object with this id is said to be so, and nobody needs it but path. */
static void assert_told_of(const struct oid *id, const char *words, const char *path)
{
	char hex[ID_HEX + 1], line[300];
	const int rc = run_fsck();

	snprintf(line, sizeof(line), "object %s: %s", id_hex(hex, id), words);
	if (rc != STORE_ECORRUPT || !strstr(told, line))
		fail_msg("wanted '%s', got %d and:\n%s", line, rc, told);
	snprintf(line, sizeof(line), "object %s is needed by: %s\n", hex, path);
	if (!strstr(told, line))
		fail_msg("wanted '%s' in:\n%s", line, told);
}

/* ---- seq nodes by hand */

#define BORDER (UINT64_C(1) << 57)

static unsigned int counter;

/* A chunk no other has; closing: its id ends a node. */
static struct seq_row chunk(struct odb_writer *w, bool closing)
{
	struct seq_row r = { .repeat = 1 };
	char text[40];

	for (;;) {
		struct hash *h = hash_new();

		r.len = (uint64_t)snprintf(text, sizeof(text), "chunk %u", counter++);
		hash_once(h, text, r.len, &r.id);
		hash_free(h);
		if ((id_low64(&r.id) < BORDER) == closing)
			break;
	}
	OK(writer_put(w, KIND_CHUNK, text, r.len, &r.id, &failure));
	return r;
}

static struct seq_row node(struct odb_writer *w, uint8_t level, const struct seq_row *rows,
	size_t n)
{
	struct seq_row r = { .repeat = 1 };
	struct buf b = { 0 };

	buf_add(&b, "SQ\1", 3);
	buf_add_u8(&b, level);
	buf_add_leb(&b, n);
	for (size_t i = 0; i < n; i++) {
		buf_add(&b, rows[i].id.b, ID_LEN);
		buf_add_leb(&b, rows[i].len);
		buf_add_leb(&b, rows[i].repeat);
		r.len += rows[i].len * rows[i].repeat;
	}
	OK(writer_put(w, KIND_SEQ, b.data, b.len, &r.id, &failure));
	buf_release(&b);
	return r;
}

/* n rows of which none closes, but the last if wanted. */
static struct seq_row leaf(struct odb_writer *w, size_t n, bool closing)
{
	struct seq_row rows[64];

	for (size_t i = 0; i < n; i++)
		rows[i] = chunk(w, closing && i + 1 == n);
	return node(w, 1, rows, n);
}

/* The same, until the node's own id would close the node above, or would not. */
static struct seq_row leaf_with_id(struct odb_writer *w, size_t n, bool closing, bool id_closing)
{
	struct seq_row r;

	do {
		r = leaf(w, n, closing);
	} while ((id_low64(&r.id) < BORDER) != id_closing);
	return r;
}

static struct entry file_of(const struct seq_row *root, uint8_t height)
{
	return (struct entry){ .kind = ENTRY_FILE,
		.height = height,
		.id = root->id,
		.totals = { root->len, 1, 0 } };
}

/* A commit of these files, "0", "1" and so on. */
static void commit(struct odb_writer *w, const struct entry *files, size_t n)
{
	struct fixture_dir d = fixture_dir_begin(w);
	char hex[ID_HEX + 1], name[2] = "0";
	const char *refs[3] = { "refs/heads/main", hex, NULL };
	struct entry top;
	struct oid id;

	for (size_t i = 0; i < n; i++, name[0]++)
		fixture_dir_set(&d, name, &files[i]);
	top = fixture_dir_end(&d);
	id = fixture_commit(w, &top, 0, NULL, 0, 1, "by hand", NULL);
	id_hex(hex, &id);
	fixture_publish(w, refs, 1, "commit");
	writer_free(w);
}

/*
 * Findings of the trees; the layers of the fixture have no map of changes, which is another
 * finding.
 */
static void assert_no_border(void)
{
	run_fsck();
	if (strstr(told, "border") || strstr(told, "one run") || strstr(told, "begins before"))
		fail_msg("a right node was told of:\n%s", told);
}

static void test_border__right_nodes_are_no_finding(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct seq_row rows[3] = { leaf(w, 16, true), leaf(w, 40, true), leaf(w, 3, false) };
	struct seq_row root = node(w, 2, rows, 3);
	struct entry file = file_of(&root, 2);

	(void)state;
	commit(w, &file, 1);
	assert_no_border();
}

static void test_border__a_node_that_ends_too_early_is_named(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct seq_row rows[3] = { leaf(w, 16, true), leaf(w, 40, false), leaf(w, 3, false) };
	struct seq_row root = node(w, 2, rows, 3);
	struct entry file = file_of(&root, 2);

	(void)state;
	commit(w, &file, 1);
	assert_told_of(&rows[1].id, "the node ends before its border", "0");
}

static void test_border__a_node_that_ends_right_for_one_file_and_wrong_for_another(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct seq_row rows[2] = { leaf(w, 5, false), leaf(w, 3, false) };
	struct seq_row root = node(w, 2, rows, 2);
	struct entry files[2] = { file_of(&rows[0], 1), file_of(&root, 2) };

	(void)state;
	commit(w, files, 2);
	assert_told_of(&rows[0].id, "the node ends before its border", "1");
}

/*
 * The node is the right end of one file; in the other one its parent ends right, and it does not.
 */
static void test_border__the_last_below_an_inner_node_must_end_at_a_border(void **state)
{
	struct odb_writer *w = fixture_writer();
	const struct seq_row a = leaf_with_id(w, 16, true, false);
	const struct seq_row b = leaf_with_id(w, 17, true, false);
	struct seq_row rows[16], two[2] = { a, b }, top[2], root;
	struct entry files[2];

	(void)state;
	for (size_t i = 0; i < 15; i++)
		rows[i] = i % 2 ? b : a;
	rows[15] = leaf_with_id(w, 4, false, true);
	top[0] = node(w, 2, rows, 16);
	top[1] = node(w, 2, two, 2);
	root = node(w, 3, top, 2);
	files[0] = file_of(&top[0], 2);
	files[1] = file_of(&root, 3);
	commit(w, files, 2);
	assert_told_of(&rows[15].id, "the node ends before its border", "1");
}

static void test_border__a_run_that_goes_on_in_the_next_node_is_named(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct seq_row rows[20], nodes[2], root;
	struct entry file;

	(void)state;
	for (size_t i = 0; i < 15; i++)
		rows[i] = chunk(w, false);
	rows[15] = rows[16] = chunk(w, true);
	rows[17] = chunk(w, false);
	nodes[0] = node(w, 1, rows, 16);
	nodes[1] = node(w, 1, rows + 16, 2);
	root = node(w, 2, nodes, 2);
	file = file_of(&root, 2);
	commit(w, &file, 1);
	assert_told_of(&nodes[1].id,
		"its first row is one run with the last row of the node before it", "0");
}

/* Two equal nodes in a row are one row of repeat 2; then the node follows itself. */
static void test_border__a_node_that_follows_itself_ends_no_run_in_itself(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct seq_row rows[20], nodes[2], root;
	struct entry file;

	(void)state;
	for (size_t i = 0; i < 16; i++)
		rows[i] = chunk(w, false);
	rows[0] = rows[16] = chunk(w, true);
	nodes[0] = node(w, 1, rows, 17);
	nodes[0].repeat = 2;
	nodes[1] = leaf(w, 2, false);
	root = node(w, 2, nodes, 2);
	file = file_of(&root, 2);
	commit(w, &file, 1);
	assert_told_of(&nodes[0].id, "its first row is one run", "0");
}

static void test_border__a_run_across_parents_is_named(void **state)
{
	struct odb_writer *w = fixture_writer();
	const struct seq_row a = leaf_with_id(w, 16, true, false);
	const struct seq_row b = leaf_with_id(w, 17, true, false);
	struct seq_row rows[16], two[2], top[2], root;
	struct entry file;

	(void)state;
	for (size_t i = 0; i < 15; i++)
		rows[i] = i % 2 ? b : a;
	rows[15] = two[0] = leaf_with_id(w, 18, true, true);
	two[1] = a;
	top[0] = node(w, 2, rows, 16);
	top[1] = node(w, 2, two, 2);
	root = node(w, 3, top, 2);
	file = file_of(&root, 3);
	commit(w, &file, 1);
	assert_told_of(&top[1].id, "its first row is one run", "0");
}

/*
 * The two nodes have different parents, and only their own parents are neighbours below one node.
 */
static void test_border__a_run_across_nodes_of_two_parents_is_named(void **state)
{
	struct odb_writer *w = fixture_writer();
	const struct seq_row a = leaf_with_id(w, 16, true, false);
	const struct seq_row b = leaf_with_id(w, 17, true, false);
	struct seq_row chunks[18], rows[16], two[2], top[2], root;
	struct entry file;

	(void)state;
	for (size_t i = 0; i < 15; i++)
		rows[i] = i % 2 ? b : a;
	do {
		for (size_t i = 0; i < 18; i++)
			chunks[i] = chunk(w, i == 15);
		chunks[16] = chunks[15];
		rows[15] = node(w, 1, chunks, 16);
	} while (id_low64(&rows[15].id) >= BORDER);
	two[0] = node(w, 1, chunks + 16, 2);
	top[0] = node(w, 2, rows, 16);
	top[1] = node(w, 2, two, 1);
	root = node(w, 3, top, 2);
	file = file_of(&root, 3);
	commit(w, &file, 1);
	assert_told_of(&two[0].id, "its first row is one run", "0");
}

static void test_border__a_root_above_a_single_child_is_named(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct seq_row rows[1] = { leaf(w, 5, false) };
	struct seq_row root = node(w, 2, rows, 1);
	struct entry file = file_of(&root, 2);

	(void)state;
	commit(w, &file, 1);
	assert_told_of(&root.id, "the node is a root above a single child", "0");
}

/* ---- map nodes by hand: folders of files of one size */

struct leaf_map {
	struct oid id;
	uint64_t size, files;
	char last[300];
};

/* A leaf of these names; the content is the same everywhere. */
static struct leaf_map map_leaf(struct odb_writer *w, char (*names)[300], size_t n)
{
	const struct entry file = fixture_file(w, "content");
	struct leaf_map m = { 0 };
	struct buf b = { 0 };

	buf_add(&b, "MP\1\1\0", 5);
	buf_add_leb(&b, n);
	for (size_t i = 0; i < n; i++) {
		buf_add_leb(&b, strlen(names[i]));
		buf_add(&b, names[i], strlen(names[i]));
		OK(entry_encode(&b, &file));
		m.size += file.totals.size;
		m.files++;
	}
	memcpy(m.last, names[n - 1], sizeof(m.last));
	OK(writer_put(w, KIND_MAP, b.data, b.len, &m.id, &failure));
	buf_release(&b);
	return m;
}

static struct entry map_root(struct odb_writer *w, const struct leaf_map *leaves, size_t n)
{
	struct entry e = { .kind = ENTRY_DIR, .height = 1 };
	struct buf b = { 0 };

	buf_add(&b, "MP\1\1\1", 5);
	buf_add_leb(&b, n);
	for (size_t i = 0; i < n; i++) {
		buf_add_leb(&b, strlen(leaves[i].last));
		buf_add(&b, leaves[i].last, strlen(leaves[i].last));
		buf_add(&b, leaves[i].id.b, ID_LEN);
		buf_add_leb(&b, leaves[i].size);
		buf_add_leb(&b, leaves[i].files);
		buf_add_leb(&b, 0);
		e.totals.size += leaves[i].size;
		e.totals.files += leaves[i].files;
	}
	OK(writer_put(w, KIND_MAP, b.data, b.len, &e.id, &failure));
	buf_release(&b);
	return e;
}

static char names[600][300];

/* Names in order, with a beginning longer than what is remembered of a key. */
static void make_names(size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(names[i], sizeof(names[i]), "%0200zu", i);
}

/* How many names from the first on make one whole leaf. */
static size_t find_border(size_t from, size_t n)
{
	struct map_node node = { .kind = MAP_DIRECTORY };
	struct hash *h = hash_new();
	struct map_item items[600];
	size_t count = 0;
	bool overrun, ends = false;

	node.items = items;
	while (!ends && from + count < n) {
		items[count] = (struct map_item){ (const uint8_t *)names[from + count],
			strlen(names[from + count]), NULL, 0 };
		node.count = ++count;
		ends = map_node_ends(&node, h, &overrun);
		assert_false(overrun);
	}
	hash_free(h);
	assert_true(ends);
	return count;
}

static void test_border__right_map_nodes_are_no_finding(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct leaf_map leaves[2];
	struct entry file;
	size_t n;

	(void)state;
	make_names(600);
	n = find_border(0, 600);
	leaves[0] = map_leaf(w, names, n);
	leaves[1] = map_leaf(w, names + n, 2);
	file = map_root(w, leaves, 2);
	commit(w, &file, 1);
	assert_no_border();
}

static void test_border__a_map_node_that_ends_too_early_or_too_late_is_named(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct leaf_map leaves[2];
	struct entry files[2];
	size_t n;

	(void)state;
	make_names(600);
	n = find_border(0, 600);
	assert_true(n > 2);
	leaves[0] = map_leaf(w, names, n - 1);
	leaves[1] = map_leaf(w, names + n - 1, 2);
	files[0] = map_root(w, leaves, 2);
	files[1] = map_root(w, leaves + 1, 1); /* not looked at below */
	commit(w, files, 1);
	assert_told_of(&leaves[0].id, "the node ends before its border", "0");

	w = fixture_writer();
	leaves[0] = map_leaf(w, names, n + 1);
	files[0] = (struct entry){ .kind = ENTRY_DIR,
		.id = leaves[0].id,
		.totals = { leaves[0].size, leaves[0].files, 0 } };
	commit(w, files, 1);
	assert_told_of(&leaves[0].id, "the node goes on behind its border", "0");
}

static void test_border__a_map_node_that_begins_before_its_sibling_ends_is_named(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct leaf_map leaves[2];
	struct entry file;
	size_t n;

	(void)state;
	make_names(600);
	n = find_border(1, 600);
	/* The first name stands behind the last one of the node that should follow it. */
	leaves[0] = map_leaf(w, names + 1, n);
	memcpy(names[n], names[0], sizeof(names[n]));
	leaves[1] = map_leaf(w, names + n, 2);
	file = map_root(w, leaves, 2);
	commit(w, &file, 1);
	assert_told_of(&leaves[1].id, "it begins before the node ahead of it ends", "0");
}

static void test_border__a_map_root_above_a_single_child_is_named(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct leaf_map leaves[1];
	struct entry file;

	(void)state;
	make_names(3);
	leaves[0] = map_leaf(w, names, 2);
	file = map_root(w, leaves, 1);
	commit(w, &file, 1);
	assert_told_of(&file.id, "the node is a root above a single child", "0");
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_border__right_nodes_are_no_finding),
		T(test_border__a_node_that_ends_too_early_is_named),
		T(test_border__a_node_that_ends_right_for_one_file_and_wrong_for_another),
		T(test_border__the_last_below_an_inner_node_must_end_at_a_border),
		T(test_border__a_run_that_goes_on_in_the_next_node_is_named),
		T(test_border__a_node_that_follows_itself_ends_no_run_in_itself),
		T(test_border__a_run_across_parents_is_named),
		T(test_border__a_run_across_nodes_of_two_parents_is_named),
		T(test_border__a_root_above_a_single_child_is_named),
		T(test_border__right_map_nodes_are_no_finding),
		T(test_border__a_map_node_that_ends_too_early_or_too_late_is_named),
		T(test_border__a_map_node_that_begins_before_its_sibling_ends_is_named),
		T(test_border__a_map_root_above_a_single_child_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
