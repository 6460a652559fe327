/*
 * A directory's stage is its cached root changed by its dirty rows. No command can break that, so
 * rows of the database are changed by hand here: fsck names the path, and what is harmless is no
 * finding.
 */
#include <setjmp.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/bytes.h"
#include "graph/stage.h"
#include "fsck_fixture.h"

/* Exactly this is told, and nothing else. */
static void assert_only_told(const char *line)
{
	const int rc = run_fsck();

	if (rc != STORE_ECORRUPT || strcmp(told, line) != 0)
		fail_msg("wanted '%s', got %d (%s) and:\n%s", line, rc, rc ? failure.msg : "",
			told);
	assert_int_equal(result.damaged, 1);
}

/* ---- a repository with one commit: a/b/y, a/x, z */

static void put_file(const char *name)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", fixture_dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "content of %s\n", name);
	fclose(f);
}

static void put_dir(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", fixture_dir, name);
	assert_int_equal(mkdir(path, 0777), 0);
}

static void add(const char *name)
{
	const struct store_add_options o = { 0 };

	OK(store_add(repo, &name, 1, &o, NULL, &failure));
}

static int make(void **state)
{
	const struct store_commit_options o = { .message = "first", .author = "A <a@a>" };

	if (fixture_make(state) != 0)
		return -1;
	put_dir("a");
	put_dir("a/b");
	put_file("a/b/y");
	put_file("a/x");
	put_file("z");
	add("");
	OK(store_commit(repo, &o, NULL, &failure));
	assert_whole();
	return 0;
}

static struct env_txn *begin(void)
{
	struct env_txn *t;

	OK(env_begin(odb_env(repo->odb), true, &t, &failure));
	return t;
}

/* The number of the directory at path, and the key of an entry in it. */
static uint64_t key_of(struct env_txn *t, const char *dir, const char *name, uint8_t key[300],
	size_t *len)
{
	struct stage_row row;

	OK(stage_find(t, dir, strlen(dir), &row, &failure));
	be64_put(key, row.dir);
	*len = 8 + strlen(name);
	memcpy(key + 8, name, *len - 8);
	return row.dir;
}

static void mark_dirty(const char *dir, const char *name)
{
	struct env_txn *t = begin();
	uint8_t key[300], generation[8];
	size_t len;

	key_of(t, dir, name, key, &len);
	le64_put(generation, 1);
	OK(env_put(t, ENV_DIRTY, key, len, generation, sizeof(generation), &failure));
	OK(env_commit(t, &failure));
}

static void unmark(const char *dir, const char *name)
{
	struct env_txn *t = begin();
	uint8_t key[300];
	size_t len;

	key_of(t, dir, name, key, &len);
	OK(env_del(t, ENV_DIRTY, key, len, &failure));
	OK(env_commit(t, &failure));
}

static void drop_row(const char *dir, const char *name)
{
	struct env_txn *t = begin();
	uint8_t key[300];
	size_t len;

	key_of(t, dir, name, key, &len);
	OK(env_del(t, ENV_STAGE, key, len, &failure));
	OK(env_commit(t, &failure));
}

/* The row of from in dir, stored under the name to, with other attributes when meta is not NULL. */
static void copy_row(const char *dir, const char *from, const char *to, const char *meta)
{
	struct env_txn *t = begin();
	struct stage_row row;
	uint8_t key[300];
	size_t len;
	const uint64_t number = key_of(t, dir, from, key, &len);
	struct buf copy = { 0 };

	OK(stage_get(t, number, from, strlen(from), &row, &failure));
	buf_set(&copy, meta ? (const void *)meta : row.meta, meta ? strlen(meta) : row.meta_len);
	row.meta = copy.data;
	row.meta_len = copy.len;
	OK(stage_put(t, number, to, strlen(to), &row, &failure));
	OK(env_commit(t, &failure));
	buf_release(&copy);
}

/* ---- */

static void test_stage__dirty_rows_too_many_are_harmless(void **state)
{
	(void)state;
	mark_dirty("", "z");
	mark_dirty("", "never was");
	mark_dirty("", "a");
	mark_dirty("a", "x");
	mark_dirty("", "");
	assert_whole();
}

static void test_stage__what_add_staged_is_whole(void **state)
{
	(void)state;
	put_file("a/b/new");
	put_file("other");
	add("");
	assert_whole();
}

static void test_stage__a_row_that_is_neither_cached_nor_dirty_is_named(void **state)
{
	(void)state;
	copy_row("a/b", "y", "extra", NULL);
	assert_only_told(
		"stage: it is not in the cached tree, and not marked as changed: a/b/extra\n");
	mark_dirty("a/b", "extra");
	mark_dirty("a", "b");
	mark_dirty("", "a");
	assert_whole();
}

static void test_stage__a_row_that_went_without_a_mark_is_named(void **state)
{
	(void)state;
	drop_row("a/b", "y");
	assert_only_told(
		"stage: it is in the cached tree, not staged, and not marked as deleted: a/b/y\n");
}

static void test_stage__a_changed_row_without_a_mark_is_named(void **state)
{
	(void)state;
	copy_row("", "z", "z", NULL);
	assert_whole();
	put_file("w");
	add("w");
	copy_row("", "w", "z", NULL);
	assert_only_told(
		"stage: it is not what the cached tree says, and not marked as changed: z\n");
}

static void test_stage__changed_attributes_without_a_mark_are_named(void **state)
{
	(void)state;
	/* Mode 0600 (LEB), second 0, nanosecond 0 would hold NUL: seconds and nanoseconds are 1. */
	copy_row("a", "x", "x", "\1\200\3\2\1");
	assert_only_told(
		"stage: its attributes are not the cached ones, and it is not marked as changed: a/x\n");
}

static void test_stage__attributes_of_the_top_are_compared_too(void **state)
{
	struct stage_row row = { .kind = ENTRY_DIR,
		.meta = (const uint8_t *)"\1\200\3\2\1",
		.meta_len = 5 };
	struct env_txn *t;
	uint64_t root;

	(void)state;
	t = begin();
	OK(stage_root(t, &root, &failure));
	row.dir = root;
	OK(stage_put(t, root, "", 0, &row, &failure));
	OK(env_commit(t, &failure));
	assert_only_told(
		"stage: its attributes are not the cached ones, and it is not marked as changed: .\n");
}

static void test_stage__a_mark_that_no_commit_would_find_is_named(void **state)
{
	(void)state;
	put_file("a/b/new");
	add("a/b/new");
	unmark("", "a");
	assert_only_told("stage: something in it is marked as changed, and it is not: a\n");
}

static void test_stage__a_cached_root_that_is_not_the_entry_above_is_named(void **state)
{
	struct stage_dir one, other;
	struct stage_row a, b;
	struct env_txn *t = begin();

	(void)state;
	OK(stage_find(t, "a", 1, &a, &failure));
	OK(stage_find(t, "a/b", 3, &b, &failure));
	OK(stage_get_dir(t, a.dir, &one, &failure));
	OK(stage_get_dir(t, b.dir, &other, &failure));
	other.root.totals = one.root.totals;
	other.root.id = one.root.id;
	OK(stage_set_dir(t, b.dir, &other, &failure));
	OK(env_commit(t, &failure));
	assert_told("stage: it is not what the cached tree says, and not marked as changed: a/b\n");
}

static void test_stage__a_row_that_cannot_be_read_is_named_and_others_are_looked_at(void **state)
{
	struct env_txn *t = begin();
	uint8_t key[300];
	size_t len;

	(void)state;
	key_of(t, "a", "x", key, &len);
	OK(env_put(t, ENV_STAGE, key, len, "\7", 1, &failure));
	OK(env_commit(t, &failure));
	drop_row("", "z");
	assert_int_equal(run_fsck(), STORE_ECORRUPT);
	assert_non_null(strstr(told, "a row of the stage is malformed"));
	assert_non_null(strstr(told, ": a/x\n"));
	assert_non_null(strstr(told, "not marked as deleted: z\n"));
}

/* Row `name` of the top, staged anew, says so of its content. */
static void stage_row(const char *name, const struct oid *id, uint8_t height, uint64_t size)
{
	struct env_txn *t = begin();
	struct stage_row row;
	uint64_t root;

	OK(stage_root(t, &root, &failure));
	OK(stage_get(t, root, name, strlen(name), &row, &failure));
	if (id)
		row.ref.id = *id;
	row.ref.height = height;
	row.ref.size = size;
	OK(stage_put(t, root, name, strlen(name), &row, &failure));
	OK(env_commit(t, &failure));
}

static void test_stage__a_staged_row_that_says_another_length_is_named(void **state)
{
	(void)state;
	put_file("new");
	add("new");
	stage_row("new", NULL, 0, 95);
	assert_only_told("stage: it says another length than its content has: new\n");
	stage_row("new", NULL, 0, 0);
	assert_only_told("stage: its kind, height, id and length do not go together: new\n");
	stage_row("new", &hash_empty_file, 0, 15);
	assert_only_told("stage: its kind, height, id and length do not go together: new\n");
	stage_row("new", &hash_empty_file, 0, 0);
	assert_whole();
}

/* ---- numbers */

static void set_number(const char *name, uint64_t v)
{
	struct env_txn *t = begin();

	OK(env_set_number(t, name, v, &failure));
	OK(env_commit(t, &failure));
}

static uint64_t get_number(const char *name)
{
	struct env_txn *t = begin();
	uint64_t v;

	OK(env_number(t, name, &v, &failure));
	env_abort(t);
	return v;
}

static uint64_t dir_number(const char *path)
{
	struct env_txn *t = begin();
	struct stage_row row;

	OK(stage_find(t, path, strlen(path), &row, &failure));
	env_abort(t);
	return row.dir;
}

__attribute__((format(printf, 1, 2))) static void assert_told_of(const char *fmt, ...)
{
	char line[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	assert_int_equal(run_fsck(), STORE_ECORRUPT);
	if (!strstr(told, line))
		fail_msg("wanted '%s', got:\n%s", line, told);
}

static void test_stage__a_top_that_is_another_directory_is_told(void **state)
{
	const uint64_t root = dir_number(""), a = dir_number("a");

	(void)state;
	set_number("root", root ^ 64);
	assert_told_of("stage: directory %" PRIu64
		       " is led to by no name; run 'store fsck --rebuild'",
		root);
	set_number("root", a);
	assert_told_of("stage: directory %" PRIu64 " is the top, and a name leads to it", a);
	set_number("root", root);
	assert_whole();
}

static void test_stage__a_counter_that_fell_back_is_told(void **state)
{
	const uint64_t dir = get_number("next-dir"), next = get_number("next"),
		       b = dir_number("a/b");

	(void)state;
	set_number("next-dir", b);
	assert_told_of("stage: the next directory would get number %" PRIu64 ", and %" PRIu64
		       " is in use",
		b, dir - 1);
	set_number("next-dir", dir);
	set_number("next", next - 1);
	assert_told_of("the next publication would get number %" PRIu64, next - 1);
	set_number("next", next);
	assert_whole();
}

/* The directory at path gets another number. */
static void lead_to(const char *dir, const char *name, uint64_t number)
{
	struct env_txn *t = begin();
	struct stage_row row;
	uint8_t key[300];
	size_t len;
	const uint64_t in = key_of(t, dir, name, key, &len);

	OK(stage_get(t, in, name, strlen(name), &row, &failure));
	row.dir = number;
	OK(stage_put(t, in, name, strlen(name), &row, &failure));
	OK(env_commit(t, &failure));
}

static void test_stage__a_directory_that_leads_to_itself_twice_is_told_and_not_walked(void **state)
{
	uint64_t one;

	(void)state;
	put_dir("a/v");
	put_dir("a/w");
	add("");
	one = dir_number("a");
	lead_to("a", "v", one);
	lead_to("a", "w", one);
	assert_told_of("stage: directory %" PRIu64 " is led to by two names", one);
}

static void test_stage__two_names_for_one_directory_are_told_empty_ones_too(void **state)
{
	uint64_t one, b;

	(void)state;
	put_dir("empty");
	put_dir("other");
	add("");
	assert_whole();
	one = dir_number("empty");
	b = dir_number("other");
	lead_to("", "other", one);
	assert_told_of("stage: directory %" PRIu64 " is led to by two names", one);
	lead_to("", "other", b);
	assert_whole();
	b = dir_number("a/b");
	lead_to("a", "b", one);
	assert_told_of("stage: directory %" PRIu64 " is led to by two names", one);
	assert_told_of("stage: directory %" PRIu64 " is led to by no name", b);
}

static void test_stage__a_directory_in_use_that_is_to_be_swept_is_told(void **state)
{
	const uint64_t a = dir_number("a");
	struct env_txn *t = begin();

	(void)state;
	OK(stage_bury(t, a, 0, &failure));
	OK(env_commit(t, &failure));
	assert_told_of("stage: directory %" PRIu64 " is in use, and about to be swept", a);
}

static void test_stage__directories_that_fell_out_of_use_are_whole(void **state)
{
	char command[150];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s/a'", fixture_dir);
	assert_int_equal(system(command), 0);
	add("");
	assert_whole();
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_stage__dirty_rows_too_many_are_harmless),
		T(test_stage__what_add_staged_is_whole),
		T(test_stage__a_row_that_is_neither_cached_nor_dirty_is_named),
		T(test_stage__a_row_that_went_without_a_mark_is_named),
		T(test_stage__a_changed_row_without_a_mark_is_named),
		T(test_stage__changed_attributes_without_a_mark_are_named),
		T(test_stage__attributes_of_the_top_are_compared_too),
		T(test_stage__a_mark_that_no_commit_would_find_is_named),
		T(test_stage__a_cached_root_that_is_not_the_entry_above_is_named),
		T(test_stage__a_row_that_cannot_be_read_is_named_and_others_are_looked_at),
		T(test_stage__a_staged_row_that_says_another_length_is_named),
		T(test_stage__a_top_that_is_another_directory_is_told),
		T(test_stage__a_counter_that_fell_back_is_told),
		T(test_stage__a_directory_that_leads_to_itself_twice_is_told_and_not_walked),
		T(test_stage__two_names_for_one_directory_are_told_empty_ones_too),
		T(test_stage__a_directory_in_use_that_is_to_be_swept_is_told),
		T(test_stage__directories_that_fell_out_of_use_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
