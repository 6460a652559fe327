/*
 * Publication: all of it or nothing, numbers that are given once, a map that grows in the middle,
 * and what each failure leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/io.h"
#include "data/refslog.h"
#include "odb/pack.h"
#include "repo_fixture.h"

/* With a database of 64 KiB, so that it must grow early. */
static int make_small(void **state)
{
	setenv("STORE_TEST_MAP_SIZE", "65536", 1);
	return fault_load("") != 0 ? -1 : fixture_make(state);
}

static int remove_small(void **state)
{
	fault_load("");
	unsetenv("STORE_TEST_MAP_SIZE");
	return fixture_remove(state);
}

static void put_number(struct odb_writer *w, uint64_t n)
{
	struct oid id;
	uint8_t b[8];

	be64_put(b, n);
	OK(writer_put(w, KIND_CHUNK, b, sizeof(b), &id, &failure));
}

static uint64_t next_number(void)
{
	struct env_txn *t;
	uint64_t n;

	OK(env_begin(odb_env(repo->odb), false, &t, &failure));
	OK(publish_next(t, &n, &failure));
	env_abort(t);
	return n;
}

/* Rows that do not fit, and what the function that writes them was asked. */
struct many {
	unsigned int runs;
	uint64_t rows, first_number;
	bool number_changed;
};

static int apply_many(void *ctx, struct env_txn *t, uint64_t number, struct store_error *err)
{
	struct many *m = ctx;
	uint8_t key[8], val[300];
	int rc = 0;

	if (m->runs++ == 0)
		m->first_number = number;
	m->number_changed |= m->first_number != number;
	for (uint64_t i = 0; i < m->rows && rc == 0; i++) {
		be64_put(key, i);
		memset(val, (int)(i % 251), sizeof(val));
		rc = env_put_new(t, ENV_DIRS, key, sizeof(key), val, sizeof(val), err);
	}
	return rc;
}

static void a_map_that_grows_in_the_middle_runs_it_again_from_the_start(void **state)
{
	struct many m = { .rows = 5000 };
	struct odb_writer *w = fixture_writer();
	const struct publication p = { .writer = w, .apply = apply_many, .ctx = &m };
	struct env_txn *t;
	struct env_val v;
	uint64_t number = 0, n;
	uint8_t key[8];

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		put_number(w, i);
	OK(publish(repo->odb, &p, &number, &failure));
	assert_true(m.runs > 1);
	assert_false(m.number_changed);
	assert_int_equal(number, m.first_number);
	assert_int_equal(next_number(), number + 1);
	OK(env_begin(odb_env(repo->odb), false, &t, &failure));
	OK(env_count(t, ENV_OBJECTS, &n, &failure));
	assert_int_equal(n, 100);
	OK(env_count(t, ENV_PACKS, &n, &failure));
	assert_int_equal(n, 1);
	for (uint64_t i = 0; i < m.rows; i++) {
		be64_put(key, i);
		OK(env_get(t, ENV_DIRS, key, sizeof(key), &v, &failure));
		assert_int_equal(v.len, 300);
		assert_int_equal(*(const uint8_t *)v.data, i % 251);
	}
	env_abort(t);
	writer_free(w);
}

static void who_keeps_a_snapshot_is_told_to_grow_and_nothing_of_it_stays(void **state)
{
	struct many m = { .rows = 5000 };
	const struct publication p = { .apply = apply_many, .ctx = &m, .keeps_snapshot = true };
	const uint64_t before = next_number();
	struct env_txn *t;
	uint64_t n;

	(void)state;
	assert_int_equal(publish(repo->odb, &p, NULL, NULL), ENV_FULL);
	assert_int_equal(m.runs, 1);
	assert_int_equal(next_number(), before);
	OK(env_begin(odb_env(repo->odb), false, &t, &failure));
	OK(env_count(t, ENV_DIRS, &n, &failure));
	assert_in_range(n, 0, 10);
	env_abort(t);
}

/* Names in packs/: their numbers are all different.  Returns how many there are. */
static size_t assert_numbers_differ(void)
{
	DIR *d = fdopendir(
		openat(odb_packs_fd(repo->odb), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	static uint64_t seen[1000];
	uint8_t random[16];
	size_t count = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		assert_true(pack_name_parse(e->d_name, &seen[count], random));
		for (size_t i = 0; i < count; i++)
			assert_int_not_equal(seen[i], seen[count]);
		count++;
	}
	closedir(d);
	return count;
}

static int refuse(void *ctx, struct env_txn *t, uint64_t number, struct store_error *err)
{
	(void)ctx;
	(void)t;
	(void)number;
	return store_error_set(err, STORE_EBUSY, "refused");
}

/* Every failure, in every order, between publications that succeed. */
static void no_two_packs_bear_one_number_whatever_failed_before(void **state)
{
	static const char *const faults[] = { "publish.rename:1:EIO", "publish.sync:1:EIO",
		"env.commit:1:EIO", "env.commit:1:ENOSPC", "env.commit:1:EIO,env.ask:1:EIO",
		"env.committed:1:EIO,env.ask:1:EIO", "env.committed:1:EIO", "env.put:2:EIO",
		"pack.sync:1:EIO", "" };
	const size_t kinds = sizeof(faults) / sizeof(faults[0]);
	uint64_t last = 0, value = 0;
	size_t done = 0;

	(void)state;
	for (size_t i = 0; i < kinds * kinds; i++) {
		const size_t kind = i % 2 ? i / kinds : i % kinds;
		struct odb_writer *w = fixture_writer();
		const struct publication p = { .writer = w };
		uint64_t number = 0;
		int rc;

		put_number(w, value++);
		OK(fault_load(faults[kind]));
		rc = publish(repo->odb, &p, &number, NULL);
		OK(fault_load(""));
		if (rc == 0) {
			assert_true(number > last);
			last = number;
			done++;
		}
		writer_free(w);
		assert_true(assert_numbers_differ() >= done);
	}
	assert_true(done > kinds);
}

/* Publish the value of a ref, and nothing else. */
static int publish_ref(const char *name, const char *value)
{
	static struct refs_update update;
	const struct publication p = { .apply = fixture_apply, .log = fixture_log, .ctx = &update };

	memset(&update, 0, sizeof(update));
	update.who = (struct ident){ .name = text_slice_of("T"), .mail = text_slice_of("t@t") };
	OK(refs_update_add(&update, name, NULL, value, &failure));
	return publish(repo->odb, &p, NULL, NULL);
}

/* The records of refs.log that count are whole and as many as wanted. */
static void assert_records(unsigned int wanted)
{
	int fd = openat(odb_fd(repo->odb), "refs.log", O_RDONLY | O_CLOEXEC);
	struct refslog_reader *log;
	struct refslog_record record;
	unsigned int n = 0;

	OK(refslog_open(&log, fd, &failure));
	while (refslog_next(log, &record, &failure) == 0) {
		assert_int_not_equal(record.type, REFSLOG_TORN);
		n += record.type == REFSLOG_RECORD && !record.is_void;
	}
	assert_int_equal(n, wanted);
	refslog_close(log);
	io_close(&fd);
}

/* A file of this process may grow by so many bytes beyond what refs.log has. */
static void limit_log(rlim_t bytes)
{
	struct rlimit limit;
	struct stat st;

	OK(getrlimit(RLIMIT_FSIZE, &limit));
	OK(fstatat(odb_fd(repo->odb), "refs.log", &st, 0));
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : (rlim_t)st.st_size + bytes;
	OK(setrlimit(RLIMIT_FSIZE, &limit));
}

static void a_record_that_failed_is_cut_off_before_another_handle_writes_behind_it(void **state)
{
	static const char *const faults[] = { "refslog.sync:1:EIO", "env.commit:1:ENOSPC", "" };
	const char *one = "ref:refs/heads/one", *two = "ref:refs/heads/two";
	const struct store_open_options options = { .start = fixture_dir };
	struct store_repo *first = repo, *second;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	OK(store_open(&second, &options, &failure));
	OK(publish_ref("HEAD", one));
	repo = second;
	OK(publish_ref("HEAD", two));
	for (unsigned int i = 0; i < 3; i++) {
		repo = first;
		if (!*faults[i])
			limit_log(20); /* a part of the record is written, and no more */
		OK(fault_load(faults[i]));
		assert_int_not_equal(publish_ref("HEAD", one), 0);
		OK(fault_load(""));
		limit_log(RLIM_INFINITY);
		assert_records(3 + i);
		repo = second;
		OK(publish_ref("HEAD", i % 2 ? one : two));
		assert_records(4 + i);
	}
	repo = first;
	store_close(second);
}

static void what_could_not_be_taken_back_is_found_by_whoever_takes_the_gate_next(void **state)
{
	static const char *const faults[] = { "env.commit:1:ENOSPC,refslog.undo:1:EIO",
		"env.commit:1:ENOSPC,publish.undo:1:EIO",
		"env.commit:1:ENOSPC,refslog.undo:1:EIO,publish.undo:1:EIO" };
	const struct store_open_options options = { .start = fixture_dir };
	struct store_repo *first = repo, *second;
	const uint64_t before = next_number();

	(void)state;
	OK(store_open(&second, &options, &failure));
	for (unsigned int i = 0; i < 6; i++) {
		const char *value = i % 2 ? "ref:refs/heads/one" : "ref:refs/heads/two";
		struct refs_update update = { .who.name = text_slice_of("T"),
			.who.mail = text_slice_of("t@t") };
		struct odb_writer *w = fixture_writer();
		const struct publication p = { .writer = w,
			.apply = fixture_apply,
			.log = fixture_log,
			.ctx = &update };

		OK(refs_update_add(&update, "HEAD", NULL, value, &failure));
		put_number(w, i);
		OK(fault_load(faults[i % 3]));
		assert_int_not_equal(publish(repo->odb, &p, NULL, NULL), 0);
		OK(fault_load(""));
		writer_free(w);
		/* The same handle, and one that has looked long ago. */
		repo = i < 3 ? first : second;
		OK(publish_ref("HEAD", value));
		assert_int_equal(assert_numbers_differ(), 0);
		assert_records(2 + i);
		repo = first;
	}
	assert_true(next_number() > before);
	store_close(second);
}

static void a_mark_whose_cause_could_not_be_removed_stays(void **state)
{
	const struct store_open_options options = { .start = fixture_dir };
	struct store_repo *first = repo, *second;
	const char *value = "ref:refs/heads/one";

	(void)state;
	OK(store_open(&second, &options, &failure));
	OK(publish_ref("HEAD", value));
	repo = second;
	OK(publish_ref("HEAD", value));
	OK(fault_load("env.commit:1:ENOSPC,refslog.undo:1:EIO"));
	assert_int_not_equal(publish_ref("HEAD", value), 0);
	/* Its own next look fails, too. */
	OK(fault_load("refslog.write:1:EIO"));
	assert_int_not_equal(publish_ref("HEAD", value), 0);
	OK(fault_load(""));
	repo = first;
	OK(publish_ref("HEAD", value));
	assert_records(4);
	store_close(second);
}

static void what_the_caller_refuses_takes_no_number_and_leaves_no_pack(void **state)
{
	struct odb_writer *w = fixture_writer();
	const struct publication p = { .writer = w, .apply = refuse };
	const uint64_t before = next_number();

	(void)state;
	put_number(w, 1);
	assert_int_equal(publish(repo->odb, &p, NULL, NULL), STORE_EBUSY);
	assert_int_equal(next_number(), before);
	assert_int_equal(assert_numbers_differ(), 0);
	writer_free(w);
}

static void a_favour_does_not_wait_for_the_gate(void **state)
{
	const struct publication p = { .only_if_free = true };
	const struct store_open_options options = { .start = fixture_dir };
	struct store_repo *other;

	(void)state;
	OK(store_open(&other, &options, &failure));
	OK(odb_gate_lock(other->odb, &failure));
	assert_int_equal(publish(repo->odb, &p, NULL, NULL), STORE_EBUSY);
	odb_gate_unlock(other->odb);
	OK(publish(repo->odb, &p, NULL, &failure));
	store_close(other);
}

static void nobody_takes_the_gate_with_a_database_that_was_replaced(void **state)
{
	const struct publication favour = { .only_if_free = true }, p = { .only_if_free = false };
	char command[400];

	(void)state;
	OK(publish(repo->odb, &favour, NULL, &failure));
	snprintf(command, sizeof(command),
		"cd %s/.store && cp -R db db.new && mv db db.old && mv db.new db", fixture_dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(odb_gate_try(repo->odb, NULL), STORE_EBUSY);
	assert_int_equal(odb_gate_lock(repo->odb, NULL), STORE_EBUSY);
	assert_int_equal(publish(repo->odb, &favour, NULL, NULL), STORE_EBUSY);
	assert_int_equal(publish(repo->odb, &p, NULL, NULL), STORE_EBUSY);
}

static void a_writer_whose_row_is_gone_publishes_nothing(void **state)
{
	struct odb_writer *w = fixture_writer();
	const struct publication p = { .writer = w };
	struct env_cursor *c;
	struct env_val k, v;
	struct env_txn *t;

	(void)state;
	put_number(w, 1);
	OK(env_begin(odb_env(repo->odb), true, &t, &failure));
	OK(env_cursor_open(t, ENV_WRITERS, &c, &failure));
	while (env_cursor_next(c, &k, &v, &failure) == 0)
		OK(env_cursor_del(c, &failure));
	env_cursor_close(c);
	OK(env_commit(t, &failure));
	assert_int_equal(publish(repo->odb, &p, NULL, NULL), STORE_EBUSY);
	assert_int_equal(assert_numbers_differ(), 0);
	writer_free(w);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make_small, remove_small)
	const struct CMUnitTest tests[] = {
		T(a_map_that_grows_in_the_middle_runs_it_again_from_the_start),
		T(who_keeps_a_snapshot_is_told_to_grow_and_nothing_of_it_stays),
		T(no_two_packs_bear_one_number_whatever_failed_before),
		T(a_record_that_failed_is_cut_off_before_another_handle_writes_behind_it),
		T(what_could_not_be_taken_back_is_found_by_whoever_takes_the_gate_next),
		T(a_mark_whose_cause_could_not_be_removed_stays),
		T(what_the_caller_refuses_takes_no_number_and_leaves_no_pack),
		T(a_favour_does_not_wait_for_the_gate),
		T(nobody_takes_the_gate_with_a_database_that_was_replaced),
		T(a_writer_whose_row_is_gone_publishes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
