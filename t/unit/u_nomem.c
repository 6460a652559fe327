/*
 * Memory that runs out: whichever allocation of the library fails, a writer and a reader say
 * STORE_ENOMEM or do without, free all they had, and the next try succeeds.
 *
 * The linker puts the functions below between libstore and its allocations (Makefile); those of the
 * libraries that it uses are their own. What lives is kept in a table, so that what is not freed is
 * seen without a sanitizer, too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "repo_fixture.h"

void *__real_malloc(size_t len);
void *__real_calloc(size_t n, size_t len);
void *__real_realloc(void *p, size_t len);
char *__real_strdup(const char *s);
void __real_free(void *p);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t n, size_t len);
void *__wrap_realloc(void *p, size_t len);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);

#define TABLE ((size_t)1 << 16)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* All guarded by lock. */
static const void *table[TABLE];      /* addresses of what lives; NULL: free; GONE: was used */
static size_t living, asked, failing; /* failing: the one to fail, from 1; 0: none */
static char gone;
#define GONE ((const void *)&gone)

static size_t slot_of(const void *p)
{
	return (size_t)((uintptr_t)p / 16 * 2654435761u) % TABLE;
}

static bool may_go_on(void)
{
	bool may;

	pthread_mutex_lock(&lock);
	may = ++asked != failing;
	pthread_mutex_unlock(&lock);
	if (!may)
		errno = ENOMEM;
	return may;
}

static void *note(void *p)
{
	size_t i = slot_of(p);

	if (!p)
		return NULL;
	pthread_mutex_lock(&lock);
	while (table[i] && table[i] != GONE)
		i = (i + 1) % TABLE;
	table[i] = p;
	living++;
	pthread_mutex_unlock(&lock);
	return p;
}

/* What others allocated (realpath) is not in the table. */
static void forget(const void *p)
{
	size_t i = slot_of(p);

	pthread_mutex_lock(&lock);
	while (table[i] && table[i] != p)
		i = (i + 1) % TABLE;
	if (table[i]) {
		table[i] = GONE;
		living--;
	}
	pthread_mutex_unlock(&lock);
}

void *__wrap_malloc(size_t len)
{
	return may_go_on() ? note(__real_malloc(len)) : NULL;
}

void *__wrap_calloc(size_t n, size_t len)
{
	return may_go_on() ? note(__real_calloc(n, len)) : NULL;
}

void *__wrap_realloc(void *p, size_t len)
{
	if (!may_go_on())
		return NULL;
	if (p)
		forget(p);
	return note(__real_realloc(p, len));
}

char *__wrap_strdup(const char *s)
{
	return may_go_on() ? note(__real_strdup(s)) : NULL;
}

void __wrap_free(void *p)
{
	if (p)
		forget(p);
	__real_free(p);
}

/* ---- a writer and a reader, from opening the repository to closing it */

#define SIZE ((size_t)1400000)

static uint8_t content[SIZE], back[SIZE];

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

static int use_it(void)
{
	const struct store_open_options options = { .start = fixture_dir, .threads = 2 };
	struct store_repo *of = NULL;
	int rc = store_open(&of, &options, &failure);

	if (rc == 0)
		rc = write_it(of);
	if (rc == 0)
		rc = read_it(of);
	store_close(of);
	return rc;
}

/* Other bytes than all before, so that everything is stored anew. */
static void change(void)
{
	static uint32_t state = 1;

	for (size_t i = 0; i < SIZE; i++) {
		state = state * 1664525u + 1013904223u;
		content[i] = (uint8_t)(state >> 24);
	}
}

static void fail_at(size_t nth)
{
	pthread_mutex_lock(&lock);
	asked = 0;
	failing = nth;
	pthread_mutex_unlock(&lock);
}

static size_t run_with(size_t nth, size_t *leaked)
{
	const size_t before = living;
	int rc;

	change();
	failure = (struct store_error){ 0 };
	fail_at(nth);
	rc = use_it();
	fail_at(0);
	*leaked = living - before;
	if (rc != 0 && rc != STORE_ENOMEM)
		fail_msg("allocation %zu: %d, %s", nth, rc, failure.msg);
	if (rc != 0)
		assert_int_equal(failure.code, STORE_ENOMEM);
	return rc != 0;
}

/* The first ones one by one, the rest in steps, other ones each time round. */
static void test_nomem__every_allocation_may_fail(void **state)
{
	size_t leaked, total, failed = 0, cases = 0;

	(void)state;
	run_with(0, &leaked);
	run_with(0, &leaked);
	assert_int_equal(leaked, 0);
	fail_at(0);
	change();
	assert_int_equal(use_it(), 0);
	total = asked;
	for (size_t nth = 1; nth <= total; nth += nth < 60 ? 1 : 1 + total / 60) {
		failed += run_with(nth, &leaked);
		cases++;
		if (leaked != 0)
			fail_msg("allocation %zu: %zu are not freed", nth, leaked);
	}
	/* A few can be done without: a worker that is not started, a cache. */
	assert_true(cases >= 60 && failed >= cases * 3 / 4);
	assert_int_equal(run_with(0, &leaked), 0);
	OK(store_fsck(repo, NULL, NULL, &failure));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nomem__every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
