/*
 * Spools: records too many for memory come back whole and in their order, and what could not be
 * written is told instead of being left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <store.h>

#include <fcntl.h>
#include <unistd.h>

#include "work/spool.h"

/* Records of more than the 1 MiB that stays in memory. */
#define MANY 200000

static char folder[] = "/tmp/u_spool.XXXXXX";

static int make_folder(void **state)
{
	static int dirfd;

	if (!mkdtemp(folder))
		return -1;
	dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &dirfd;
	return dirfd == -1 ? -1 : 0;
}

static int remove_folder(void **state)
{
	close(*(int *)*state);
	return rmdir(folder);
}

static void fill_spool(struct spool *s, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(spool_add(s, &i, sizeof(i), NULL), 0);
}

static void assert_holds(struct spool *s, unsigned int n)
{
	struct buf out = { 0 };
	unsigned int got;

	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(spool_next(s, &out, NULL), 0);
		assert_int_equal(out.len, sizeof(got));
		memcpy(&got, out.data, sizeof(got));
		assert_int_equal(got, i);
	}
	assert_int_equal(spool_next(s, &out, NULL), STORE_ENOTFOUND);
	buf_release(&out);
}

static void test_spool__many_records_come_back_each_time(void **state)
{
	struct spool s;

	spool_init(&s, *(int *)*state);
	fill_spool(&s, MANY);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(spool_rewind(&s, NULL), 0);
		assert_holds(&s, MANY);
	}
	spool_release(&s);
}

static void test_spool__records_are_taken_off_the_end(void **state)
{
	unsigned int got;
	struct spool s;

	spool_init(&s, *(int *)*state);
	fill_spool(&s, MANY);
	for (unsigned int i = MANY; i-- > 0;) {
		assert_int_equal(spool_pop(&s, &got, sizeof(got), NULL), 0);
		assert_int_equal(got, i);
	}
	assert_int_equal(spool_pop(&s, &got, sizeof(got), NULL), STORE_ENOTFOUND);
	spool_release(&s);
}

static void test_spool__few_records_make_no_file(void **state)
{
	struct spool s;

	spool_init(&s, *(int *)*state);
	fill_spool(&s, 1000);
	assert_int_equal(spool_rewind(&s, NULL), 0);
	assert_holds(&s, 1000);
	assert_int_equal(s.fd, -1);
	spool_release(&s);
}

static void test_spool__rewind_tells_what_cannot_be_written(void **state)
{
	struct store_error err = { 0 };
	struct spool s;
	int full;

	spool_init(&s, *(int *)*state);
	fill_spool(&s, MANY);
	assert_true(s.fd != -1 && s.buffer.len > 0);
	full = open("/dev/full", O_RDWR | O_CLOEXEC);
	assert_true(full != -1);
	close(s.fd);
	s.fd = full;
	assert_true(spool_rewind(&s, &err) < 0);
	assert_non_null(strstr(err.msg, "cannot write a temporary file"));
	spool_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spool__many_records_come_back_each_time),
		cmocka_unit_test(test_spool__records_are_taken_off_the_end),
		cmocka_unit_test(test_spool__few_records_make_no_file),
		cmocka_unit_test(test_spool__rewind_tells_what_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
