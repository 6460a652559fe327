/* Memory that runs out under a writer, a reader, init, open and the walk of directories. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "nomem_fixture.h"

#define SIZE ((size_t)1400000)

static uint8_t content[SIZE], back[SIZE];
static char made[100], below[100]; /* folders that come and go; that are walked */

/* ---- a writer and a reader */

/* Other bytes than all before, so that everything is stored anew. */
static void change(void)
{
	static uint32_t state = 1;

	for (size_t i = 0; i < SIZE; i++) {
		state = state * 1664525u + 1013904223u;
		content[i] = (uint8_t)(state >> 24);
	}
}

static int write_it(struct store_repo *of)
{
	const struct store_writer_options o = { .path = "dir/file",
		.verify = 1,
		.count_version = 1,
		.codec = "zlib" };
	struct store_writer *w = NULL;
	int rc = store_writer_open(of, &o, &w, &failure);

	if (rc == 0)
		rc = store_writer_write(w, content, SIZE, &failure);
	if (rc == 0)
		rc = store_writer_finish(w, NULL, &failure);
	store_writer_free(w);
	return rc;
}

static int read_it(struct store_repo *of)
{
	struct store_reader *r = NULL;
	size_t done = 0, got = 1;
	int rc = store_reader_open_name(of, ":dir/file", 0, &r, &failure);

	while (rc == 0 && got > 0) {
		rc = store_reader_read(r, back + done, SIZE - done, &got, &failure);
		done += rc == 0 ? got : 0;
	}
	store_reader_free(r);
	if (rc == 0)
		assert_int_equal(done, SIZE);
	if (rc == 0)
		assert_memory_equal(back, content, SIZE);
	return rc;
}

static void test_nomem__a_writer(void **state)
{
	static const struct nomem_case c = { "writer", change, write_it, true, 40 };

	(void)state;
	nomem_check_all(&c);
	OK(store_fsck(repo, NULL, NULL, &failure));
}

static void test_nomem__a_reader(void **state)
{
	static const struct nomem_case c = { "reader", NULL, read_it, true, 40 };

	(void)state;
	change();
	OK(write_it(repo));
	nomem_check_all(&c);
}

/* ---- a handle, and the first one of a repository */

static int open_it(struct store_repo *none)
{
	const struct store_open_options options = { .start = fixture_dir, .write = 1 };
	struct store_repo *of = NULL;
	const int rc = store_open(&of, &options, &failure);

	(void)none;
	store_close(of);
	return rc;
}

static void test_nomem__open(void **state)
{
	static const struct nomem_case c = { "open", NULL, open_it, false, 40 };

	(void)state;
	nomem_check_all(&c);
}

static void remove_made(void)
{
	char command[150];

	snprintf(command, sizeof(command), "rm -rf '%s'", made);
	assert_int_equal(system(command), 0);
}

static int init_it(struct store_repo *none)
{
	const struct store_init_options options = { .branch = "trunk", .chunk_average = 4096 };
	struct store_init_result result;

	(void)none;
	return store_init(made, &options, &result, &failure);
}

static void test_nomem__init(void **state)
{
	static const struct nomem_case c = { "init", remove_made, init_it, false, 10 };

	(void)state;
	snprintf(made, sizeof(made), "%s/a/new/one", fixture_dir);
	nomem_check_all(&c);
}

/* ---- a walk: its queue spills, its scanners are two */

static int count_batch(void *payload, const struct store_walk_batch *batch)
{
	*(uint64_t *)payload += batch->n;
	return 0;
}

static int walk_it(struct store_repo *none)
{
	static const char *const names[] = { "txt", NULL },
				 *const excludes[] = { "no/", "*.x", NULL };
	const char *const roots[] = { below, fixture_dir };
	uint64_t seen = 0;
	const struct store_walk_options options = { .names = names,
		.excludes = excludes,
		.scanners = 2,
		.directories_max = 1,
		.batch_size = 2,
		.flags = STORE_WALK_STRICT,
		.batch = count_batch,
		.payload = &seen };
	struct store_walk_stats result;
	const int rc = store_walk(roots, 2, &options, &result, &failure);

	(void)none;
	if (rc == 0)
		assert_true(result.complete && seen == 16);
	return rc;
}

static void make_tree(void)
{
	char path[200];

	snprintf(below, sizeof(below), "%s/below", fixture_dir);
	assert_int_equal(mkdir(below, 0777), 0);
	for (int i = 0; i < 8; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%d", below, i);
		assert_int_equal(mkdir(path, 0777), 0);
		snprintf(path, sizeof(path), "%s/%d/a.TXT", below, i);
		f = fopen(path, "w");
		assert_true(f && fclose(f) == 0);
	}
}

static void test_nomem__walk(void **state)
{
	static const struct nomem_case c = { "walk", NULL, walk_it, false, 40 };

	(void)state;
	make_tree();
	nomem_check_all(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nomem__a_writer),
		cmocka_unit_test(test_nomem__a_reader),
		cmocka_unit_test(test_nomem__open),
		cmocka_unit_test(test_nomem__init),
		cmocka_unit_test(test_nomem__walk),
	};

	setenv("STORE_TEST_FSYNC", "0", 1);
	return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
