/*
 * Names of a directory, window by window: whatever the size of a window, and wherever the names are
 * dropped, they come in byte order, each once.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fault.h"
#include "work/listing.h"

#define NAMES 700

static char folder[] = "/tmp/u_listing.XXXXXX";
static char names[NAMES][40];
static int fd = -1;
static uint32_t dice_state = 7;

static uint32_t dice(uint32_t n)
{
	dice_state = dice_state * 1664525u + 1013904223u;
	return (dice_state >> 8) % n;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int make(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || (fd = open(folder, O_RDONLY | O_DIRECTORY)) == -1)
		return -1;
	for (int i = 0; i < NAMES; i++) {
		const int len = 1 + (int)dice(30);

		/* A number at the end keeps them apart; bytes of all kinds before it. */
		for (int k = 0; k < len; k++)
			names[i][k] = (char)(33 + dice(14));
		snprintf(names[i] + len, sizeof(names[i]) - (size_t)len, "%d", i);
		for (char *p = names[i]; *p; p++)
			*p = *p == '/' ? '\xff' : *p;
		close(openat(fd, names[i], O_WRONLY | O_CREAT | O_EXCL, 0600));
	}
	close(openat(fd, ".store", O_WRONLY | O_CREAT | O_EXCL, 0600));
	qsort(names, NAMES, sizeof(*names), by_bytes);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	for (int i = 0; i < NAMES; i++)
		unlinkat(fd, names[i], 0);
	unlinkat(fd, ".store", 0);
	close(fd);
	return rmdir(folder);
}

static void set_window(size_t bytes)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", bytes);
	setenv("STORE_TEST_LISTING", text, 1);
}

/* Take all names, dropping them now and then (one in `drops`; 0: never). Returns readings. */
static size_t take_all(uint32_t drops)
{
	struct listing l = { 0 };
	size_t taken = 0, readings = 1;

	assert_int_equal(listing_read(&l, fd), 0);
	for (;;) {
		const char *name = listing_peek(&l);

		if (!name && !l.more)
			break;
		if (!name) {
			assert_int_equal(listing_read(&l, fd), 0);
			readings++;
			continue;
		}
		assert_true(taken < NAMES);
		assert_string_equal(name, names[taken]);
		taken++;
		l.next++;
		assert_true(l.held <= 2 * listing_window() + 64);
		if (drops > 0 && dice(drops) == 0)
			listing_drop(&l);
	}
	assert_int_equal(taken, NAMES);
	listing_release(&l);
	return readings;
}

static void one_window_is_one_reading(void **state)
{
	(void)state;
	unsetenv("STORE_TEST_LISTING");
	assert_int_equal(take_all(0), 1);
}

static void small_windows_give_the_same_names(void **state)
{
	static const size_t windows[] = { 1, 13, 100, 1000, 5000, 20000 };

	(void)state;
	for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
		set_window(windows[i]);
		assert_true(take_all(0) > 1 || windows[i] >= 20000);
	}
}

static void dropped_names_come_again(void **state)
{
	static const size_t windows[] = { 1, 200, 3000, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
		set_window(windows[i]);
		assert_true(take_all(20) > 1);
	}
}

static void a_reading_that_fails_says_so(void **state)
{
	struct listing l = { 0 };

	(void)state;
	set_window(1000);
	assert_int_equal(listing_read(&l, fd), 0);
	l.next = l.count;
	assert_int_equal(fault_load("getdents:1:EIO"), 0);
	errno = 0;
	assert_int_equal(listing_read(&l, fd), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(fault_load(""), 0);
	listing_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_window_is_one_reading),
		cmocka_unit_test(small_windows_give_the_same_names),
		cmocka_unit_test(dropped_names_come_again),
		cmocka_unit_test(a_reading_that_fails_says_so),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
