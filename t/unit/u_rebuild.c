/*
 * What a rebuild makes of stage records: the same stage whether every operation is applied or only
 * those behind the last one that takes the place of all, and of many resets one tree is read.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "graph/stage.h"
#include "repo_fixture.h"

static uint64_t seed;
static struct store_fsck_result result;

static uint32_t below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static int cases(void)
{
	const char *given = getenv("N");
	const int n = given ? (int)strtol(given, NULL, 10) : 12;

	return getenv("STORE_TEST_LIGHT") ? (n + 4) / 5 : n;
}

/* db/ made anew; by applying every operation, if that is wanted. */
static int rebuild(bool all)
{
	const struct store_open_options options = { .start = fixture_dir };
	const struct store_fsck_options o = { .rebuild = 1 };
	int rc;

	store_close(repo);
	if (all)
		setenv("STORE_TEST_REPLAY", "all", 1);
	OK(store_open_for_rebuild(&repo, &options, &failure));
	rc = store_fsck(repo, &o, &result, &failure);
	unsetenv("STORE_TEST_REPLAY");
	store_close(repo);
	repo = NULL;
	OK(store_open(&repo, &options, &failure));
	return rc;
}

/* ---- what is staged, as text */

static void add_hex(struct buf *out, const uint8_t *p, size_t len)
{
	char two[3];

	for (size_t i = 0; i < len; i++) {
		snprintf(two, sizeof(two), "%02x", p[i]);
		buf_add(out, two, 2);
	}
}

static void add_row(struct buf *out, const char *path, const struct stage_row *row)
{
	char text[60];

	buf_add(out, path, strlen(path));
	snprintf(text, sizeof(text), " %u %u %u %" PRIu64 " ", row->kind, row->class,
		row->ref.height, row->ref.size);
	buf_add(out, text, strlen(text));
	if (row->kind != ENTRY_DIR)
		add_hex(out, row->ref.id.b, ID_LEN);
	buf_add_u8(out, ' ');
	add_hex(out, row->meta, row->meta_len);
	buf_add_u8(out, '\n');
}

/* Directories that were met, in the order in which they are listed. */
static struct {
	uint64_t number;
	char path[200];
} dirs[1000];

/* Rows of dirs[at]; directories among them go behind the count that there are. */
static size_t add_dir(struct buf *out, struct env_txn *t, size_t at, size_t count)
{
	struct stage_scan *scan;
	struct stage_row row;
	const uint8_t *name;
	char path[300];
	size_t n;

	OK(stage_scan_open(t, dirs[at].number, &scan, &failure));
	while (stage_scan_next(scan, &name, &n, &row, &failure) == 0) {
		snprintf(path, sizeof(path), "%s/%.*s", dirs[at].path, (int)n, (const char *)name);
		add_row(out, path, &row);
		if (row.kind != ENTRY_DIR || n == 0)
			continue;
		assert_true(count < sizeof(dirs) / sizeof(dirs[0]));
		assert_true(strlen(path) < sizeof(dirs[0].path));
		dirs[count].number = row.dir;
		memcpy(dirs[count++].path, path, strlen(path) + 1);
	}
	stage_scan_close(scan);
	return count;
}

static void list_stage(struct buf *out)
{
	struct env_txn *t;
	size_t count = 1;

	buf_clear(out);
	OK(env_begin(odb_env(repo->odb), false, &t, &failure));
	OK(stage_root(t, &dirs[0].number, &failure));
	for (size_t i = 0; i < count; i++)
		count = add_dir(out, t, i, count);
	env_abort(t);
	assert_false(out->failed);
}

/* ---- trees to reset to */

struct tree {
	struct entry top;
	struct map_ref meta;
	bool has_meta;
};
static struct tree trees[4];

static struct map_ref meta_of(struct odb_writer *w, const char *const *names,
	const struct map_ref *sub)
{
	const struct node_source src = nodes_source(writer_reader(w));
	const struct node_sink sink = nodes_sink(w);
	const struct map_ref empty = map_empty(MAP_META);
	struct map_editor *e = map_editor_new(MAP_META, &src, &sink, &empty);
	struct map_totals totals;
	struct map_ref ref;

	for (; *names; names++) {
		struct meta m = { .flags = META_ATTRS, .mode = (uint16_t)(0700 + strlen(*names)) };
		struct buf value = { 0 };

		if (sub && strcmp(*names, "d") == 0) {
			m.flags |= META_CHILD;
			m.child = *sub;
		}
		assert_int_equal(meta_encode(&value, &m), 0);
		OK(map_editor_set(e, *names, strlen(*names), value.data, value.len, &failure));
		buf_release(&value);
	}
	OK(map_editor_finish(e, &ref, &totals, &failure));
	map_editor_free(e);
	return ref;
}

/* Names in order of bytes; one that begins with d is the directory sub. */
static struct entry dir_of(struct odb_writer *w, const char *const *names, const struct entry *sub)
{
	struct fixture_dir d = fixture_dir_begin(w);

	for (; *names; names++) {
		const struct entry file = fixture_file(w, *names);

		fixture_dir_set(&d, *names, **names == 'd' ? sub : &file);
	}
	return fixture_dir_end(&d);
}

/*
 * Number 0 has attributes for its top, as a commit's tree has; 1 has some below; 2 has none; 3 has
 * a directory that is nowhere.
 */
static void make_trees(void)
{
	static const char *const low[] = { "a", "x", NULL },
				 *const high[] = { "a", "d", "f", NULL },
				 *const top[] = { "", "d", "f", NULL };
	const char *const none[] = { NULL };
	struct odb_writer *w = fixture_writer();
	struct entry sub = dir_of(w, low, NULL), torn = sub;
	struct map_ref meta = meta_of(w, low, NULL);

	trees[0] = (struct tree){ dir_of(w, high, &sub), meta_of(w, top, &meta), true };
	trees[1] = (struct tree){ dir_of(w, low, NULL), meta, true };
	trees[2] = (struct tree){ dir_of(w, high, &trees[0].top), meta, false };
	memset(torn.id.b, 7, ID_LEN);
	trees[3] = (struct tree){ dir_of(w, high, &torn), meta, false };
	fixture_publish(w, none, 1, "trees");
	writer_free(w);
}

/* ---- records by hand */

static void add_path(struct buf *op, const char *path)
{
	buf_add_leb(op, strlen(path));
	for (; *path; path++)
		buf_add_u8(op, *path == '/' ? 0 : (uint8_t)*path);
}

static void put_op(struct odb_writer *w, struct buf *op)
{
	OK(buf_check(op, &failure));
	OK(writer_add_op(w, op->data, op->len, &failure));
	buf_release(op);
}

static void put_set(struct odb_writer *w, const char *path)
{
	const struct entry file = fixture_file(w, below(2) ? "one" : "another");
	struct buf op = { 0 };

	buf_add_u8(&op, STAGE_SET);
	add_path(&op, path);
	buf_add_u8(&op, ENTRY_FILE);
	buf_add_u8(&op, 0);
	buf_add_u8(&op, 0);
	buf_add(&op, file.id.b, ID_LEN);
	buf_add_leb(&op, file.totals.size);
	buf_add_leb(&op, 0);
	put_op(w, &op);
}

/* Attributes of a directory, or none. */
static void put_dir(struct odb_writer *w, const char *path)
{
	const struct meta m = { .flags = META_ATTRS, .mode = (uint16_t)below(01000) };
	struct buf op = { 0 }, value = { 0 };

	if (below(4) > 0)
		assert_int_equal(meta_encode(&value, &m), 0);
	buf_add_u8(&op, STAGE_SET);
	add_path(&op, path);
	buf_add_u8(&op, ENTRY_DIR);
	buf_add_leb(&op, value.len);
	buf_add(&op, value.data, value.len);
	buf_release(&value);
	put_op(w, &op);
}

static void put_delete(struct odb_writer *w, const char *path)
{
	struct buf op = { 0 };

	buf_add_u8(&op, STAGE_DELETE);
	add_path(&op, path);
	put_op(w, &op);
}

static void put_move(struct odb_writer *w, const char *from, const char *to)
{
	struct buf op = { 0 };

	buf_add_u8(&op, STAGE_MOVE);
	add_path(&op, from);
	add_path(&op, to);
	put_op(w, &op);
}

static void put_reset(struct odb_writer *w, const char *path, const struct tree *t)
{
	struct buf op = { 0 };

	buf_add_u8(&op, STAGE_RESET);
	add_path(&op, path);
	buf_add_u8(&op, t->top.height);
	buf_add(&op, t->top.id.b, ID_LEN);
	buf_add_u8(&op, t->has_meta);
	if (t->has_meta) {
		buf_add_u8(&op, t->meta.height);
		buf_add(&op, t->meta.id.b, ID_LEN);
	}
	put_op(w, &op);
}

static const char *some_path(void)
{
	static const char *const paths[] = { "a", "d", "d/a", "d/n", "d/n/x", "f", "n", "n/d",
		"n/d/x" };

	return paths[below(sizeof(paths) / sizeof(paths[0]))];
}

static void put_some(struct odb_writer *w)
{
	const uint32_t n = below(40);

	if (n < 16)
		put_set(w, some_path());
	else if (n < 20)
		put_dir(w, some_path());
	else if (n < 26)
		put_delete(w, some_path());
	else if (n < 31)
		put_move(w, some_path(), some_path());
	else if (n < 34)
		put_reset(w, some_path(), &trees[below(4)]);
	else if (n < 38)
		put_reset(w, "", &trees[below(5) % 4]);
	else
		put_delete(w, "");
}

/*
 * One pack with one record. Attributes of the root stand first in it, so that nothing before them
 * can go wrong; a move of what is not there does, and so does what is no operation.
 */
static void put_record(void)
{
	const char *const none[] = { NULL };
	struct odb_writer *w = fixture_writer();
	const bool has_top = below(3) == 0;

	if (has_top)
		put_dir(w, "");
	for (uint32_t i = below(6) + !has_top; i > 0; i--)
		put_some(w);
	if (!has_top && below(10) == 0)
		OK(writer_add_op(w, "\011", 1, &failure));
	fixture_publish(w, none, 1, "record");
	writer_free(w);
}

/* ---- the promises */

/* Of one repository again and again, while its records become more. */
static void test_rebuild__stage_is_what_all_operations_give(void **state)
{
	struct buf all = { 0 }, last = { 0 };
	int shorter = 0;

	seed = 77;
	assert_int_equal(fixture_make(state), 0);
	make_trees();
	for (int round = 0; round < cases(); round++) {
		uint64_t nodes;

		for (uint32_t n = below(5) + 1; n > 0; n--)
			put_record();
		rebuild(true);
		nodes = result.stats.nodes_read;
		list_stage(&all);
		rebuild(false);
		shorter += result.stats.nodes_read < nodes;
		list_stage(&last);
		if (all.len != last.len || memcmp(all.data, last.data, all.len) != 0)
			fail_msg("round %d: all operations give\n%.*s\nand this way it is\n%.*s",
				round, (int)all.len, (const char *)all.data, (int)last.len,
				(const char *)last.data);
	}
	assert_int_equal(fixture_remove(state), 0);
	buf_release(&all);
	buf_release(&last);
	assert_true(2 * shorter > cases());
}

/* Nodes that a rebuild reads after count times two checkouts, and the stage that it gives. */
static uint64_t count_nodes(int count, struct buf *listing)
{
	const char *const none[] = { NULL };
	void *state = NULL;
	uint64_t nodes;

	assert_int_equal(fixture_make(&state), 0);
	make_trees();
	for (int i = 0; i < 2 * count; i++) {
		struct odb_writer *w = fixture_writer();

		seed = 3;
		put_reset(w, "", &trees[i % 2]);
		put_set(w, "n/new");
		fixture_publish(w, none, 1, "checkout");
		writer_free(w);
	}
	OK(rebuild(false));
	nodes = result.stats.nodes_read;
	list_stage(listing);
	assert_int_equal(fixture_remove(&state), 0);
	return nodes;
}

static void test_rebuild__of_many_resets_one_tree_is_read(void **state)
{
	struct buf few = { 0 }, many = { 0 };

	(void)state;
	assert_int_equal(count_nodes(1, &few), count_nodes(10, &many));
	assert_true(
		few.len > 0 && few.len == many.len && memcmp(few.data, many.data, few.len) == 0);
	buf_release(&few);
	buf_release(&many);
}

/* More of them than are kept: all operations are applied, and the damage is told of each. */
static void test_rebuild__resets_that_cannot_be_read_leave_what_was_staged_before(void **state)
{
	const char *const none[] = { NULL };
	struct buf listing = { 0 };

	for (int torn = 1; torn <= 10; torn += 9) {
		struct odb_writer *w;

		assert_int_equal(fixture_make(state), 0);
		make_trees();
		w = fixture_writer();
		put_reset(w, "", &trees[1]);
		put_set(w, "n/new");
		fixture_publish(w, none, 1, "checkout");
		writer_free(w);
		for (int i = 0; i < torn; i++) {
			w = fixture_writer();
			put_reset(w, "", &trees[3]);
			put_set(w, "lost");
			fixture_publish(w, none, 1, "torn");
			writer_free(w);
		}
		assert_int_equal(rebuild(false), STORE_ECORRUPT);
		assert_int_equal(result.damaged, torn);
		list_stage(&listing);
		buf_add_u8(&listing, 0);
		assert_non_null(strstr((const char *)listing.data, "/n/new "));
		assert_non_null(strstr((const char *)listing.data, "/x "));
		assert_null(strstr((const char *)listing.data, "/lost "));
		assert_int_equal(fixture_remove(state), 0);
	}
	buf_release(&listing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rebuild__stage_is_what_all_operations_give),
		cmocka_unit_test(test_rebuild__of_many_resets_one_tree_is_read),
		cmocka_unit_test(
			test_rebuild__resets_that_cannot_be_read_leave_what_was_staged_before),
	};

	setenv("STORE_TEST_FSYNC", "0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
