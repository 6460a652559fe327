/*
 * The tail of refs.log, read backwards: it tells what a reading of the whole file tells, whatever
 * stands at the end.
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

#include "base/error.h"
#include "base/io.h"
#include "data/refslog.h"

static struct hash *hash;
static char path[64];
static int fd;

static int begin(void **state)
{
	(void)state;
	hash = hash_new();
	snprintf(path, sizeof(path), "/tmp/u_refslog_tail.XXXXXX");
	fd = mkstemp(path);
	return hash && fd != -1 ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	hash_free(hash);
	close(fd);
	return unlink(path);
}

/* A record of so many changes: a hundred take about 2 KiB. */
static void add_record(struct buf *b, uint64_t number, size_t changes)
{
	static struct refslog_change list[4000];
	static char names[4000][40];
	const struct refslog_record r = { .type = REFSLOG_RECORD,
		.number = number,
		.who = { .name = text_slice_of("T"), .mail = text_slice_of("t@t") },
		.changes = list,
		.change_count = changes,
		.why = text_slice_of("record 7 is not here") };

	for (size_t i = 0; i < changes; i++) {
		snprintf(names[i], sizeof(names[i]), "refs/heads/b%zu", i);
		list[i] = (struct refslog_change){ text_slice_of(names[i]), text_slice_of("-"),
			text_slice_of("ref:refs/heads/main") };
	}
	assert_int_equal(refslog_encode(b, &r, hash, NULL), 0);
}

static void write_file(const struct buf *b, size_t len)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(io_pwrite_full(fd, b->data, len, 0), 0);
}

/* Both ways give the same code and the same tail. */
static int compare_ways(void)
{
	struct store_error err = { 0 }, whole_err = { 0 };
	struct refslog_reader *r = NULL;
	struct refslog_tail tail = { 0 };
	const int whole_rc = refslog_open(&r, fd, &whole_err);
	const int rc = refslog_read_tail(&tail, fd, &err);

	assert_int_equal(rc, whole_rc);
	assert_string_equal(err.msg, whole_err.msg);
	if (rc == 0) {
		const struct refslog_tail *whole = refslog_tail_of(r);

		assert_int_equal(tail.has_record, whole->has_record);
		assert_int_equal(tail.last_number, whole->last_number);
		assert_int_equal(tail.last_is_void, whole->last_is_void);
		assert_int_equal(tail.last_off, whole->last_off);
		assert_int_equal(tail.end, whole->end);
		assert_int_equal(tail.size, whole->size);
	}
	refslog_close(r);
	return rc;
}

static void a_log_cut_anywhere_has_the_tail_that_a_whole_reading_finds(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add_str(&b, REFSLOG_HEAD);
	for (uint64_t i = 1; i <= 12; i++)
		add_record(&b, i, i % 4 == 0 ? 60 : 1);
	assert_int_equal(refslog_encode_void(&b, 12, hash, NULL), 0);
	add_record(&b, 12, 1);
	assert_true(b.len > 8192);
	for (size_t len = 0; len <= b.len; len++) {
		write_file(&b, len);
		compare_ways();
	}
	buf_release(&b);
}

static void a_damaged_last_record_is_torn_and_zeros_behind_it_too(void **state)
{
	struct buf b = { 0 };
	size_t before;

	(void)state;
	buf_add_str(&b, REFSLOG_HEAD);
	for (uint64_t i = 1; i <= 100; i++)
		add_record(&b, i, 1);
	before = b.len;
	add_record(&b, 101, 200);
	for (size_t i = before; i < b.len; i += 7) {
		const uint8_t was = b.data[i];

		b.data[i] = 0;
		write_file(&b, b.len);
		compare_ways();
		assert_int_equal(ftruncate(fd, (off_t)b.len + 5000), 0);
		compare_ways();
		b.data[i] = was;
	}
	buf_release(&b);
}

static void a_record_and_a_torn_end_longer_than_the_first_pages_are_found(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add_str(&b, REFSLOG_HEAD);
	add_record(&b, 1, 1);
	add_record(&b, 2, 4000);
	assert_true(b.len > 100000);
	write_file(&b, b.len);
	assert_int_equal(compare_ways(), 0);
	add_record(&b, 3, 4000);
	write_file(&b, b.len - 2);
	assert_int_equal(compare_ways(), 0);
	buf_release(&b);
}

static void what_is_no_log_and_what_no_crash_left_is_refused_in_the_same_words(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add_str(&b, "store refs 2\n");
	add_record(&b, 1, 1);
	write_file(&b, b.len);
	assert_int_equal(compare_ways(), STORE_EVERSION);
	buf_clear(&b);
	buf_add_str(&b, REFSLOG_HEAD);
	add_record(&b, 1, 1);
	for (size_t i = 0; i < 120000; i++)
		buf_add_str(&b, "no record\n");
	write_file(&b, b.len);
	assert_int_equal(compare_ways(), STORE_ECORRUPT);
	b.len = strlen(REFSLOG_HEAD);
	write_file(&b, b.len);
	assert_int_equal(compare_ways(), 0);
	write_file(&b, 0);
	assert_int_equal(compare_ways(), STORE_ECORRUPT);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_log_cut_anywhere_has_the_tail_that_a_whole_reading_finds, begin, end),
		cmocka_unit_test_setup_teardown(
			a_damaged_last_record_is_torn_and_zeros_behind_it_too, begin, end),
		cmocka_unit_test_setup_teardown(
			a_record_and_a_torn_end_longer_than_the_first_pages_are_found, begin, end),
		cmocka_unit_test_setup_teardown(
			what_is_no_log_and_what_no_crash_left_is_refused_in_the_same_words, begin,
			end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
