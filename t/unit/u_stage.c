/*
 * The stage against a model: random batches of operations leave exactly the rows that a plain list
 * of paths says, every change is dirty up to the top with the number of its publication, and
 * sweeping leaves no row that nobody can reach.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "graph/stage.h"
#include "odb/env.h"

static char folder[64];
static struct env *env;
static struct env_txn *t; /* of the test that runs: a failed one must not leave it open */
static struct store_error failure;
static uint64_t seed = 5;

#define OK(call) \
	do { \
		if ((call) != 0) \
			fail_msg("%s: %s", #call, failure.msg); \
	} while (0)

static uint32_t dice(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static void commit(void)
{
	struct env_txn *mine = t;

	t = NULL;
	OK(env_commit(mine, &failure));
}

static int end(void **state)
{
	(void)state;
	env_abort(t);
	t = NULL;
	return 0;
}

static int make(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/u_stage.XXXXXX");
	if (!mkdtemp(folder) || env_open(&env, folder, 0, &failure) != 0 ||
		env_begin(env, true, &t, &failure) != 0 || stage_create(t, &failure) != 0)
		return -1;
	commit();
	return 0;
}

static int unmake(void **state)
{
	char command[100];

	(void)state;
	env_close(env);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* ---- the model: a list of paths */

#define MODEL 4096

struct line {
	char path[32];
	uint8_t kind;
	uint32_t content;
};

static struct line model[MODEL];
static size_t lines;

static bool is_below(const char *path, const char *dir)
{
	const size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

static struct line *model_find(const char *path)
{
	for (size_t i = 0; i < lines; i++) {
		if (strcmp(model[i].path, path) == 0)
			return &model[i];
	}
	return NULL;
}

static void model_drop(const char *path, bool itself)
{
	size_t n = 0;

	for (size_t i = 0; i < lines; i++) {
		if (!is_below(model[i].path, path) && !(itself && strcmp(model[i].path, path) == 0))
			model[n++] = model[i];
	}
	lines = n;
}

static void model_put(const char *path, uint8_t kind, uint32_t content)
{
	struct line *l = model_find(path);

	if (!l) {
		assert_true(lines < MODEL);
		l = &model[lines++];
	}
	snprintf(l->path, sizeof(l->path), "%s", path);
	l->kind = kind;
	l->content = content;
}

static void model_set(const char *path, uint8_t kind, uint32_t content)
{
	char above[32];
	const struct line *l;

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(above, sizeof(above), "%.*s", (int)(s - path), path);
		l = model_find(above);
		if (!l || l->kind != ENTRY_DIR)
			model_put(above, ENTRY_DIR, 0);
	}
	if (kind != ENTRY_DIR)
		model_drop(path, false);
	model_put(path, kind, content);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->path, ((const struct line *)b)->path);
}

/* ---- what the rows say */

static struct line seen[MODEL];
static size_t seen_lines;

static void read_dir(uint64_t dir, const char *at)
{
	struct stage_scan *s;
	struct stage_row row;
	const uint8_t *name;
	size_t len;
	char last[32] = "";
	int rc;

	OK(stage_scan_open(t, dir, &s, &failure));
	while ((rc = stage_scan_next(s, &name, &len, &row, &failure)) == 0) {
		struct line *l = &seen[seen_lines++];
		char text[32];

		assert_true(seen_lines < MODEL);
		snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)name);
		assert_true(strcmp(last, text) < 0);
		snprintf(last, sizeof(last), "%s", text);
		snprintf(l->path, sizeof(l->path), "%s%s%.10s", at, *at ? "/" : "", text);
		l->kind = row.kind;
		memcpy(&l->content, row.ref.id.b, 4);
		if (row.kind == ENTRY_DIR) {
			struct stage_row found;

			l->content = 0;
			OK(stage_find(t, l->path, strlen(l->path), &found, &failure));
			assert_true(found.dir == row.dir);
			read_dir(row.dir, l->path);
		}
	}
	assert_int_equal(rc, STORE_ENOTFOUND);
	stage_scan_close(s);
}

static void compare_with_model(void)
{
	uint64_t root;

	seen_lines = 0;
	OK(stage_root(t, &root, &failure));
	read_dir(root, "");
	qsort(model, lines, sizeof(*model), by_path);
	qsort(seen, seen_lines, sizeof(*seen), by_path);
	for (size_t i = 0; i < lines && i < seen_lines; i++) {
		if (strcmp(model[i].path, seen[i].path) != 0 || model[i].kind != seen[i].kind ||
			model[i].content != seen[i].content)
			fail_msg("the model has '%s' kind %d content %u, the stage '%s' %d %u",
				model[i].path, model[i].kind, model[i].content, seen[i].path,
				seen[i].kind, seen[i].content);
	}
	assert_int_equal(lines, seen_lines);
}

/* Every directory on the way to path, and the entry itself, is dirty with this generation. */
static void expect_dirty(const char *path, uint64_t generation)
{
	const char *at = path;
	uint64_t dir;

	OK(stage_root(t, &dir, &failure));
	for (;;) {
		const size_t n = strcspn(at, "/");
		struct stage_row row;
		bool same;

		OK(stage_dirty_has_generation(t, dir, at, n, generation, &same, &failure));
		if (!same)
			fail_msg("'%.*s' of '%s' is not dirty with %llu", (int)n, at, path,
				(unsigned long long)generation);
		if (at[n] == '\0')
			return;
		/* A directory that is gone later in the batch ends the way. */
		if (stage_get(t, dir, at, n, &row, NULL) != 0 || row.kind != ENTRY_DIR)
			return;
		dir = row.dir;
		at += n + 1;
	}
}

/* ---- random batches */

static void random_path(char out[32])
{
	static const char *const names[] = { "a", "b", "c", "ab", "a.b" };
	const uint32_t depth = 1 + dice(4);

	out[0] = '\0';
	for (uint32_t i = 0; i < depth; i++) {
		if (i > 0)
			strncat(out, "/", 2);
		strncat(out, names[dice(5)], 4);
	}
}

static void random_op(struct stage_batch *b, char path[32])
{
	struct stage_row row = { 0 };
	const uint32_t what = dice(10);

	random_path(path);
	if (what < 5) {
		const uint32_t content = 1 + dice(1000000);

		row.kind = dice(4) ? ENTRY_FILE : dice(2) ? ENTRY_EXEC : ENTRY_LINK;
		memcpy(row.ref.id.b, &content, 4);
		row.ref.size = content;
		OK(stage_batch_set(b, path, strlen(path), &row, &failure));
		model_set(path, row.kind, content);
	} else if (what < 7) {
		row.kind = ENTRY_DIR;
		OK(stage_batch_set(b, path, strlen(path), &row, &failure));
		model_set(path, ENTRY_DIR, 0);
	} else if (what < 9) {
		OK(stage_batch_delete(b, path, strlen(path), &failure));
		model_drop(path, true);
	} else {
		/* New stat data of some other content: nothing may change. */
		row.kind = ENTRY_FILE;
		row.ref.size = 77;
		OK(stage_batch_touch(b, path, strlen(path), &row, &failure));
		path[0] = '\0';
	}
}

static void sweep_all(void)
{
	bool left = true;

	for (int i = 0; left; i++) {
		OK(stage_sweep(t, 1 + dice(50), &left, &failure));
		assert_true(i < 100000);
	}
}

static void test_stage__random_batches_equal_the_model(void **state)
{
	struct stage_batch *b = stage_batch_new();
	uint64_t rows, dead;

	(void)state;
	assert_non_null(b);
	for (uint64_t round = 2; round < 600; round++) {
		const uint32_t count = 1 + dice(30);
		char paths[30][32];

		stage_batch_clear(b);
		for (uint32_t i = 0; i < count; i++) {
			random_op(b, paths[i]);
			if (paths[i][0] && !model_find(paths[i]))
				paths[i][0] = '\0'; /* a deletion may have had nothing to do */
		}
		OK(env_begin(env, true, &t, &failure));
		OK(stage_batch_apply(b, t, round, &failure));
		compare_with_model();
		for (uint32_t i = 0; i < count; i++) {
			/*
			 * What went later in the batch, alone or with its directory, need not be.
			 */
			if (paths[i][0] && model_find(paths[i]))
				expect_dirty(paths[i], round);
		}
		if (dice(4) == 0) {
			sweep_all();
			compare_with_model();
			OK(env_count(t, ENV_STAGE, &rows, &failure));
			assert_int_equal(rows, lines);
			OK(env_count(t, ENV_DEAD, &dead, &failure));
			assert_int_equal(dead, 0);
		}
		commit();
	}
	stage_batch_free(b);
}

static void test_stage__a_deletion_that_had_an_effect_is_dirty(void **state)
{
	struct stage_batch *b = stage_batch_new();
	struct stage_row row = { .kind = ENTRY_FILE };
	bool same;
	struct stage_row dir;

	(void)state;
	OK(env_begin(env, true, &t, &failure));
	OK(stage_batch_set(b, "gone/x", 6, &row, &failure));
	OK(stage_batch_apply(b, t, 1000, &failure));
	stage_batch_clear(b);
	OK(stage_batch_delete(b, "gone/x", 6, &failure));
	OK(stage_batch_delete(b, "gone/never", 10, &failure));
	OK(stage_batch_apply(b, t, 1001, &failure));
	expect_dirty("gone/x", 1001);
	OK(stage_find(t, "gone", 4, &dir, &failure));
	OK(stage_dirty_has_generation(t, dir.dir, "never", 5, 1001, &same, &failure));
	assert_false(same);
	stage_batch_free(b);
}

static void test_stage__a_touch_takes_stat_data_of_equal_content_only(void **state)
{
	struct stage_batch *b = stage_batch_new();
	struct stage_row row = { .kind = ENTRY_FILE, .ref = { .size = 3 } }, got;
	bool same;
	uint64_t root;

	(void)state;
	OK(env_begin(env, true, &t, &failure));
	OK(stage_batch_set(b, "touched", 7, &row, &failure));
	OK(stage_batch_apply(b, t, 2000, &failure));
	stage_batch_clear(b);
	row.stat.ino = 42;
	OK(stage_batch_touch(b, "touched", 7, &row, &failure));
	OK(stage_batch_apply(b, t, 2001, &failure));
	OK(stage_find(t, "touched", 7, &got, &failure));
	assert_int_equal(got.stat.ino, 42);
	stage_batch_clear(b);
	row.stat.ino = 43;
	row.ref.id.b[0] = 1;
	OK(stage_batch_touch(b, "touched", 7, &row, &failure));
	OK(stage_batch_apply(b, t, 2002, &failure));
	OK(stage_find(t, "touched", 7, &got, &failure));
	assert_int_equal(got.stat.ino, 42);
	OK(stage_root(t, &root, &failure));
	OK(stage_dirty_has_generation(t, root, "touched", 7, 2000, &same, &failure));
	assert_true(same);
	stage_batch_free(b);
}

/* ---- operations that are for the row that was read */

static void set_now(const char *path, uint8_t kind, uint8_t content, uint64_t number)
{
	struct stage_batch *b = stage_batch_new();
	struct stage_row row = { .kind = kind, .ref = { .size = 1 } };

	row.ref.id.b[0] = content;
	OK(stage_batch_set(b, path, strlen(path), &row, &failure));
	OK(stage_batch_apply(b, t, number, &failure));
	stage_batch_free(b);
}

/* What the row at path says now; of none, nothing. */
static void see(const char *path, struct buf *was)
{
	struct stage_row row;
	const int rc = stage_find(t, path, strlen(path), &row, &failure);

	buf_clear(was);
	assert_true(rc == 0 || rc == STORE_ENOTFOUND);
	OK(stage_seen_add(was, rc == 0 ? &row : NULL, &failure));
}

/* kind ENTRY_NONE: a deletion. */
static int change(const char *path, uint8_t kind, const struct buf *was, uint64_t since)
{
	struct stage_batch *b = stage_batch_new();
	const struct stage_row row = { .kind = kind, .ref = { .size = 2 } };
	int rc;

	if (kind == ENTRY_NONE)
		OK(stage_batch_delete(b, path, strlen(path), &failure));
	else
		OK(stage_batch_set(b, path, strlen(path), &row, &failure));
	OK(stage_batch_expect(b, was->data, was->len, since, &failure));
	rc = stage_batch_apply(b, t, 3100, &failure);
	stage_batch_free(b);
	return rc;
}

static void test_stage__an_operation_for_a_row_that_was_read_finds_that_row_or_ends(void **state)
{
	struct buf none = { 0 }, was = { 0 };

	(void)state;
	OK(env_begin(env, true, &t, &failure));
	set_now("race", ENTRY_DIR, 0, 3000);
	OK(change("race/f", ENTRY_FILE, &none, 0));
	see("race/f", &was);
	OK(change("race/f", ENTRY_FILE, &was, 0));
	assert_int_equal(change("race/f", ENTRY_FILE, &none, 0), STORE_EBUSY);
	assert_string_equal(failure.msg,
		"'race/f' was changed in the stage by another command meanwhile");
	set_now("race/f", ENTRY_FILE, 9, 3001);
	assert_int_equal(change("race/f", ENTRY_FILE, &was, 0), STORE_EBUSY);
	assert_int_equal(change("race/f", ENTRY_NONE, &was, 0), STORE_EBUSY);
	see("race/f", &was);
	OK(change("race/f", ENTRY_NONE, &was, 0));
	assert_int_equal(change("race/f", ENTRY_NONE, &was, 0), STORE_EBUSY);
	/* Nothing is made on the way, and no file gives way to a directory unasked. */
	assert_int_equal(change("race/no/f", ENTRY_FILE, &none, 0), STORE_EBUSY);
	set_now("race/no", ENTRY_FILE, 1, 3002);
	assert_int_equal(change("race/no/f", ENTRY_FILE, &none, 0), STORE_EBUSY);
	buf_release(&was);
}

static void test_stage__a_directory_that_was_read_goes_if_nothing_in_it_was_changed(void **state)
{
	struct stage_dir cached = { .generation = 3300 };
	struct stage_row row;
	struct buf was = { 0 };

	(void)state;
	OK(env_begin(env, true, &t, &failure));
	set_now("tree/sub/f", ENTRY_FILE, 1, 3200);
	see("tree", &was);
	assert_int_equal(change("tree", ENTRY_NONE, &was, 3200), STORE_EBUSY);
	assert_int_equal(change("tree", ENTRY_NONE, &was, 0), STORE_EBUSY);
	assert_int_equal(change("tree", ENTRY_FILE, &was, 3200), STORE_EBUSY);
	/* Its own attributes are no matter of what is in it. */
	OK(change("tree", ENTRY_DIR, &was, 3200));
	/* A commit took the change up, and stored what it came to. */
	set_now("tree2/f", ENTRY_FILE, 1, 3200);
	see("tree2", &was);
	OK(stage_find(t, "tree2", 5, &row, &failure));
	OK(stage_set_dir(t, row.dir, &cached, &failure));
	assert_int_equal(change("tree2", ENTRY_NONE, &was, 3300), STORE_EBUSY);
	OK(change("tree2", ENTRY_NONE, &was, 3301));
	set_now("tree3", ENTRY_DIR, 0, 3200);
	see("tree3", &was);
	OK(change("tree3", ENTRY_NONE, &was, 0));
	buf_release(&was);
}

/* Rows are private to db/, but a database may be damaged: no row crashes. */
static void test_stage__damaged_rows_are_refused_or_read_within_bounds(void **state)
{
	struct stage_row row;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		const size_t len = dice(120);
		uint8_t *data = malloc(len + (len == 0));
		int rc;

		assert_non_null(data);
		for (size_t k = 0; k < len; k++)
			data[k] = (uint8_t)dice(k == 0 ? 6 : 256);
		rc = stage_row_decode(&row, data, len, NULL);
		assert_true(rc == 0 || rc == STORE_ECORRUPT);
		if (rc == 0)
			assert_true(row.meta >= data && row.meta + row.meta_len == data + len);
		free(data);
	}
}

/* An entry that no tree may have would be a row that nobody can read. */
static void test_stage__cached_roots_that_are_no_entry_are_not_stored(void **state)
{
	const struct stage_dir bad = { .generation = 1, .has_root = true };
	struct stage_dir now;
	uint64_t root;

	(void)state;
	OK(env_begin(env, true, &t, &failure));
	OK(stage_root(t, &root, &failure));
	assert_int_equal(stage_set_dir(t, root, &bad, &failure), STORE_EINVAL);
	OK(stage_get_dir(t, root, &now, &failure));
	assert_false(now.has_root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_stage__random_batches_equal_the_model, end),
		cmocka_unit_test_teardown(test_stage__a_deletion_that_had_an_effect_is_dirty, end),
		cmocka_unit_test_teardown(
			test_stage__an_operation_for_a_row_that_was_read_finds_that_row_or_ends,
			end),
		cmocka_unit_test_teardown(
			test_stage__a_directory_that_was_read_goes_if_nothing_in_it_was_changed,
			end),
		cmocka_unit_test_teardown(test_stage__a_touch_takes_stat_data_of_equal_content_only,
			end),
		cmocka_unit_test_teardown(
			test_stage__damaged_rows_are_refused_or_read_within_bounds, end),
		cmocka_unit_test_teardown(test_stage__cached_roots_that_are_no_entry_are_not_stored,
			end),
	};

	setenv("STORE_TEST_FSYNC", "0", 1);
	return cmocka_run_group_tests(tests, make, unmake);
}
