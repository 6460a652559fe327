/*
 * The database environment: tables of rows, a map that grows, a commit whose outcome is open, and
 * who may use a handle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "odb/env.h"

static char dir[64];
static struct env *env;
static struct store_error failure;

#define OK(call) \
	do { \
		if ((call) != 0) \
			fail_msg("%s: %s", #call, failure.msg); \
	} while (0)

static int begin(void **state)
{
	(void)state;
	setenv("STORE_TEST_MAP_SIZE", "262144", 1);
	snprintf(dir, sizeof(dir), "/tmp/u_env.XXXXXX");
	if (fault_load("") != 0 || !mkdtemp(dir))
		return -1;
	return env_open(&env, dir, 0, &failure);
}

static int end(void **state)
{
	char command[100];

	(void)state;
	env_close(env);
	fault_load("");
	unsetenv("STORE_TEST_MAP_SIZE");
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

/* Row number i: a key that is its number, and 300 bytes made of it. */
static void make_row(uint64_t i, uint8_t key[8], uint8_t val[300])
{
	be64_put(key, i);
	memset(val, (int)(i % 251), 300);
}

static int put_rows(struct env_txn *t, uint64_t from, uint64_t to)
{
	uint8_t key[8], val[300];
	int rc = 0;

	for (uint64_t i = from; i < to && rc == 0; i++) {
		make_row(i, key, val);
		rc = env_put(t, ENV_STAGE, key, sizeof(key), val, sizeof(val), &failure);
	}
	return rc;
}

/* Exactly the rows below n are there. */
static void assert_rows(uint64_t n)
{
	struct env_cursor *c;
	struct env_val key, val;
	struct env_txn *t;
	uint8_t k[8], v[300];
	uint64_t i = 0;

	OK(env_begin(env, false, &t, &failure));
	OK(env_cursor_open(t, ENV_STAGE, &c, &failure));
	for (; env_cursor_next(c, &key, &val, &failure) == 0; i++) {
		make_row(i, k, v);
		assert_int_equal(key.len, sizeof(k));
		assert_memory_equal(key.data, k, sizeof(k));
		assert_int_equal(val.len, sizeof(v));
		assert_memory_equal(val.data, v, sizeof(v));
	}
	assert_int_equal(i, n);
	env_cursor_close(c);
	env_abort(t);
}

static void what_did_not_fit_leaves_nothing_and_fits_after_growing(void **state)
{
	struct env_txn *t;
	int rc, grown = 0;

	(void)state;
	OK(env_begin(env, true, &t, &failure));
	OK(put_rows(t, 0, 10));
	OK(env_commit(t, &failure));
	for (;;) {
		OK(env_begin(env, true, &t, &failure));
		rc = put_rows(t, 10, 3000);
		rc = rc == 0 ? env_commit(t, &failure) : (env_abort(t), rc);
		if (rc == 0)
			break;
		assert_int_equal(rc, ENV_FULL);
		assert_rows(10);
		OK(env_grow(env, &failure));
		grown++;
	}
	assert_true(grown > 0);
	assert_rows(3000);
}

static void a_sleeping_reader_wakes_in_the_map_that_grew(void **state)
{
	struct env_txn *sleeper, *t;
	uint64_t n;

	(void)state;
	OK(env_begin(env, false, &sleeper, &failure));
	env_reset(sleeper);
	OK(env_grow(env, &failure));
	OK(env_begin(env, true, &t, &failure));
	OK(put_rows(t, 0, 3000));
	OK(env_commit(t, &failure));
	OK(env_renew(sleeper, &failure));
	OK(env_count(sleeper, ENV_STAGE, &n, &failure));
	assert_int_equal(n, 3000);
	env_abort(sleeper);
}

static void a_folder_is_opened_once_however_it_is_spelled(void **state)
{
	char other[80];
	struct env *again;
	struct env_txn *t;
	uint64_t n;

	(void)state;
	snprintf(other, sizeof(other), "/tmp/../%s/.", dir);
	OK(env_open(&again, other, 0, &failure));
	assert_ptr_equal(again, env);
	OK(env_begin(again, true, &t, &failure));
	OK(env_set_number(t, "n", 7, &failure));
	OK(env_commit(t, &failure));
	env_close(again);
	OK(env_begin(env, false, &t, &failure));
	OK(env_number(t, "n", &n, &failure));
	assert_int_equal(n, 7);
	env_abort(t);
}

/*
 * Set "n" in a commit that says EIO while snapshot holds the value of before; is it in the files?
 */
static void fail_commit(const char *fault, uint64_t before, uint64_t set, uint64_t wanted)
{
	struct env_txn *snapshot, *t;
	uint64_t n = 99;

	OK(env_begin(env, false, &snapshot, &failure));
	OK(env_begin(env, true, &t, &failure));
	OK(env_set_number(t, "n", set, &failure));
	OK(fault_load(fault));
	assert_int_equal(env_commit(t, NULL), STORE_EIO);
	OK(fault_load(""));
	OK(env_ask_number(env, "n", &n, &failure));
	assert_int_equal(n, wanted);
	OK(env_number(snapshot, "n", &n, &failure));
	assert_int_equal(n, before);
	env_abort(snapshot);
	OK(env_begin(env, false, &t, &failure));
	OK(env_number(t, "n", &n, &failure));
	assert_int_equal(n, wanted);
	env_abort(t);
}

static void the_outcome_of_a_commit_that_said_eio_is_found_beside_a_snapshot(void **state)
{
	struct env_txn *sleeper;
	uint64_t n;

	(void)state;
	OK(env_begin(env, false, &sleeper, &failure));
	env_reset(sleeper);
	fail_commit("env.commit:1:EIO", 0, 1, 0);
	fail_commit("env.committed:1:EIO", 0, 2, 2);
	fail_commit("env.commit:1:EIO", 2, 3, 2);
	OK(env_renew(sleeper, &failure));
	OK(env_number(sleeper, "n", &n, &failure));
	assert_int_equal(n, 2);
	env_abort(sleeper);
}

static void a_child_of_fork_is_refused_and_its_parent_goes_on(void **state)
{
	struct env_txn *t;
	int status;
	pid_t child;

	(void)state;
	child = fork();
	if (child == 0) {
		struct env_txn *in_child;

		_exit(env_begin(env, false, &in_child, NULL) == STORE_EINVAL ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	OK(env_begin(env, true, &t, &failure));
	OK(put_rows(t, 0, 5));
	OK(env_commit(t, &failure));
	assert_rows(5);
}

/* What a child frees and puts to sleep are copies; the slots of the readers' table are shared. */
static void a_child_of_fork_that_closes_takes_nothing_from_its_parent(void **state)
{
	struct env_txn *sleeper, *awake, *t;
	int status;
	uint64_t n;
	pid_t child;

	(void)state;
	OK(env_begin(env, false, &sleeper, &failure));
	env_reset(sleeper);
	OK(env_begin(env, false, &awake, &failure));
	child = fork();
	if (child == 0) {
		env_abort(sleeper);
		env_reset(awake);
		env_abort(awake);
		env_close(env);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	OK(env_renew(sleeper, &failure));
	env_abort(sleeper);
	env_reset(awake);
	OK(env_renew(awake, &failure));
	OK(env_number(awake, "n", &n, &failure));
	assert_int_equal(n, 0);
	env_abort(awake);
	OK(env_begin(env, true, &t, &failure));
	OK(put_rows(t, 0, 5));
	OK(env_commit(t, &failure));
	assert_rows(5);
}

static void the_row_before_a_key_and_the_rows_from_it_on_are_those_of_a_sorted_list(void **state)
{
	struct env_cursor *c;
	struct env_val key, val;
	struct env_txn *t;
	uint8_t k[8];

	(void)state;
	OK(env_begin(env, true, &t, &failure));
	for (uint64_t i = 0; i < 50; i++) {
		be64_put(k, i * 10);
		OK(env_put(t, ENV_DIRS, k, sizeof(k), k, sizeof(k), &failure));
	}
	OK(env_cursor_open(t, ENV_DIRS, &c, &failure));
	for (uint64_t i = 0; i < 510; i++) {
		be64_put(k, i);
		if (i == 0) {
			assert_int_equal(env_get_before(t, ENV_DIRS, k, 8, &key, &val, NULL),
				STORE_ENOTFOUND);
		} else {
			OK(env_get_before(t, ENV_DIRS, k, 8, &key, &val, &failure));
			assert_int_equal(be64_get(key.data), i > 490 ? 490 : (i - 1) / 10 * 10);
		}
		env_cursor_seek(c, k, sizeof(k));
		if (i > 490) {
			assert_int_equal(env_cursor_next(c, &key, &val, NULL), STORE_ENOTFOUND);
		} else {
			OK(env_cursor_next(c, &key, &val, &failure));
			assert_int_equal(be64_get(key.data), (i + 9) / 10 * 10);
		}
	}
	env_cursor_close(c);
	env_abort(t);
}

static void a_new_row_never_replaces_one(void **state)
{
	struct env_txn *t;
	struct env_val v;

	(void)state;
	OK(env_begin(env, true, &t, &failure));
	OK(env_put_new(t, ENV_OBJECTS, "k", 1, "first", 5, &failure));
	assert_int_equal(env_put_new(t, ENV_OBJECTS, "k", 1, "other", 5, NULL), STORE_EEXISTS);
	OK(env_get(t, ENV_OBJECTS, "k", 1, &v, &failure));
	assert_memory_equal(v.data, "first", 5);
	env_abort(t);
}

static off_t file_size(void)
{
	char path[80];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	OK(stat(path, &st));
	return st.st_size;
}

/* Rows from to to, and all but every tenth of them away again, in one transaction. */
static void put_and_delete(uint64_t from, uint64_t to)
{
	struct env_txn *t;
	uint8_t key[8];

	OK(env_begin(env, true, &t, &failure));
	OK(put_rows(t, from, to));
	for (uint64_t i = to; i-- > from;) {
		be64_put(key, i);
		if (i % 10 != 0)
			OK(env_del(t, ENV_STAGE, key, sizeof(key), &failure));
	}
	OK(env_commit(t, &failure));
}

static int reopen(void)
{
	env_close(env);
	env = NULL;
	return env_open(&env, dir, 0, &failure);
}

static void a_file_that_lacks_free_pages_opens_and_one_that_lacks_others_does_not(void **state)
{
	unsigned int shorter = 0;
	char path[80];

	(void)state;
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	setenv("STORE_TEST_MAP_SIZE", "16777216", 1);
	OK(reopen());
	for (uint64_t i = 1; i < 40; i++) {
		put_and_delete(i * 1000, i * 1000 + i * 7);
		shorter += (uint64_t)file_size() < env_size(env);
		OK(reopen());
	}
	assert_true(shorter > 0);
	for (off_t size = file_size() - 4096; size >= 8192; size -= 20480) {
		env_close(env);
		env = NULL;
		OK(truncate(path, size));
		assert_int_equal(env_open(&env, dir, 0, &failure), STORE_ECORRUPT);
		assert_non_null(strstr(failure.msg, "fsck --rebuild"));
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(what_did_not_fit_leaves_nothing_and_fits_after_growing),
		T(a_sleeping_reader_wakes_in_the_map_that_grew),
		T(a_folder_is_opened_once_however_it_is_spelled),
		T(the_outcome_of_a_commit_that_said_eio_is_found_beside_a_snapshot),
		T(a_child_of_fork_is_refused_and_its_parent_goes_on),
		T(a_child_of_fork_that_closes_takes_nothing_from_its_parent),
		T(the_row_before_a_key_and_the_rows_from_it_on_are_those_of_a_sorted_list),
		T(a_file_that_lacks_free_pages_opens_and_one_that_lacks_others_does_not),
		T(a_new_row_never_replaces_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
