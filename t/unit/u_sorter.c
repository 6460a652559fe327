/* The sorter beside qsort: records of any bytes and lengths, in memory, in pieces, and in pieces of
 * pieces. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "work/sorter.h"

#define RECORDS 6000
#define RECORD_MAX 40

static struct store_error failure;

struct record {
	size_t len;
	uint8_t bytes[RECORD_MAX];
};

static struct record model[RECORDS];

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static int by_bytes(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	const int c = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);

	return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

/* Few values of bytes, so that many records are equal or begin alike. */
static void add_records(struct sorter *s, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		struct record *r = &model[i];

		r->len = next_random(&seed) % (RECORD_MAX + 1);
		for (size_t k = 0; k < r->len; k++)
			r->bytes[k] = next_random(&seed) % 3 == 0 ? 0xff : (uint8_t)(k % 2);
		assert_int_equal(sorter_add(s, r->bytes, r->len, &failure), 0);
	}
	assert_int_equal(s->count, n);
	qsort(model, n, sizeof(*model), by_bytes);
}

static void expect_model(struct sorter *s, size_t n)
{
	const uint8_t *data;
	size_t len;

	assert_int_equal(sorter_sort(s, &failure), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sorter_next(s, &data, &len, &failure), 0);
		assert_int_equal(len, model[i].len);
		assert_memory_equal(data, model[i].bytes, len);
	}
	assert_int_equal(sorter_next(s, &data, &len, &failure), STORE_ENOTFOUND);
}

/* 6,000 records of 24 bytes: one piece, some, and about 1,200, which are merged twice. */
static void test_sorter__gives_back_all_records_in_order(void **state)
{
	static const size_t caps[] = { 1 << 20, 20000, 4096, 128 };

	(void)state;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		struct sorter s;

		sorter_init(&s, "/tmp", caps[i]);
		for (size_t n = RECORDS; n > 0; n = n > 3 ? n / 3 : n - 1) {
			add_records(&s, n, (uint32_t)n);
			expect_model(&s, n);
			sorter_clear(&s);
		}
		expect_model(&s, 0);
		assert_int_equal(s.spilled > 0, i > 0);
		assert_true(i < 3 || s.runs_cap > (size_t)SORTER_FAN * SORTER_FAN);
		sorter_release(&s);
	}
}

static size_t held(const struct sorter *s)
{
	size_t sum = s->text.cap + s->order_cap * sizeof(*s->order);

	for (size_t i = 0; s->sources && i < SORTER_FAN; i++)
		sum += s->sources[i].window.cap;
	return sum;
}

/* 12 MB of records of up to 64 KiB in 256 KiB. */
static void test_sorter__is_bounded_in_bytes(void **state)
{
	static uint8_t record[65536];
	struct sorter s;
	const uint8_t *data;
	uint32_t seed = 1;
	size_t len, most = 0, sum = 0, got = 0;

	(void)state;
	sorter_init(&s, "/tmp", 256 << 10);
	for (int i = 0; i < 800; i++) {
		len = next_random(&seed) % (i % 100 == 0 ? sizeof(record) : 30000);
		be64_put(record, seed);
		assert_int_equal(sorter_add(&s, record, len, &failure), 0);
		sum += len;
		most = held(&s) > most ? held(&s) : most;
	}
	assert_int_equal(sorter_sort(&s, &failure), 0);
	while (sorter_next(&s, &data, &len, &failure) == 0) {
		got += len;
		most = held(&s) > most ? held(&s) : most;
	}
	assert_int_equal(got, sum);
	assert_true(most < (size_t)SORTER_FAN * 2 * 65536 + (512 << 10));
	sorter_release(&s);
}

#ifdef STORE_FAULTS
static void test_sorter__tells_what_fails(void **state)
{
	static const char *const faults[] = { "write:1:ENOSPC", "write:40:ENOSPC", "read:1:EIO",
		"read:60:EIO", "malloc:2:ENOMEM" };

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct sorter s;
		const uint8_t *data;
		size_t len;
		int rc = 0;

		sorter_init(&s, "/tmp", 128);
		fault_load(faults[i]);
		for (size_t k = 0; k < 1000 && rc == 0; k++)
			rc = sorter_add(&s, "some record", 11, &failure);
		if (rc == 0)
			rc = sorter_sort(&s, &failure);
		while (rc == 0)
			rc = sorter_next(&s, &data, &len, &failure);
		fault_load("");
		if (rc != STORE_ENOSPACE && rc != STORE_EIO && rc != STORE_ENOMEM)
			fail_msg("%s: %d", faults[i], rc);
		sorter_release(&s);
	}
}
#endif

static void test_sorter__names_the_folder_that_cannot_be_written(void **state)
{
	struct sorter s;

	(void)state;
	sorter_init(&s, "/nowhere", 16);
	assert_int_equal(sorter_add(&s, "0123456789", 10, &failure), 0);
	assert_int_equal(sorter_add(&s, "0123456789", 10, &failure), STORE_EIO);
	assert_non_null(strstr(failure.msg, "'/nowhere'"));
	sorter_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorter__gives_back_all_records_in_order),
		cmocka_unit_test(test_sorter__is_bounded_in_bytes),
		cmocka_unit_test(test_sorter__names_the_folder_that_cannot_be_written),
#ifdef STORE_FAULTS
		cmocka_unit_test(test_sorter__tells_what_fails),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
