/*
 * The memory that the pipelines may take, added up from the constants they are built with: at most
 * 64 MiB, whatever the average of chunks and the number of threads. What the programs really take
 * is measured by t9100.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/chunker.h"
#include "odb/cache.h"
#include "work/config_internal.h"
#include "work/ingest.h"

#define MIB ((size_t)1 << 20)
#define CEILING (64 * MIB)
/* The database's dirty pages, contexts of the coders, and the rest of the program. */
#define REST (12 * MIB)

static const unsigned int threads[] = { 0, 1, 2, 7, 16, 64, 1000 };

static struct ingest sized_to(size_t pool, uint32_t avg, unsigned int n)
{
	struct chunker_params params;
	struct ingest g = { .threads = n, .pool_bytes = pool };

	assert_int_equal(chunker_params_init(&params, avg), 0);
	ingest_size_pool(&g, params.max);
	assert_true(g.carry_cap >= params.max);
	return g;
}

static struct ingest sized(uint32_t avg, unsigned int n)
{
	return sized_to(0, avg, n);
}

static size_t most_of(const char *key)
{
	const struct config_key *row = config_key_find(key);

	assert_non_null(row);
	assert_true(row->flags & CONFIG_CAPPED);
	return (size_t)row->max;
}

static size_t bytes_of(const struct ingest *g)
{
	return g->n_items * 2 * g->data_cap + g->carry_cap;
}

static void the_pool_of_add_fits_at_every_average(void **state)
{
	(void)state;
	for (uint32_t avg = CHUNKER_AVG_MIN; avg <= CHUNKER_AVG_MAX; avg *= 2) {
		for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
			const struct ingest g = sized(avg, threads[i]);

			assert_true(bytes_of(&g) + CACHE_BYTES + REST <= CEILING);
		}
	}
}

/* What is asked for is at most a share of the design's: 16 MiB of pool, 8 of decoded blocks. */
static void the_most_that_can_be_configured_fits_at_every_average(void **state)
{
	const size_t pool = most_of("performance.max_memory_usage");
	const size_t blocks = most_of("performance.chunk_cache_size");

	(void)state;
	assert_true(pool <= 16 * MIB);
	for (uint32_t avg = CHUNKER_AVG_MIN; avg <= CHUNKER_AVG_MAX; avg *= 2) {
		for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
			const struct ingest g = sized_to(pool, avg, threads[i]);

			assert_true(bytes_of(&g) + blocks + REST <= CEILING);
		}
	}
}

static void at_the_default_average_it_is_sixteen_mebibytes(void **state)
{
	const struct ingest g = sized(CHUNKER_AVG_DEFAULT, 2);

	(void)state;
	assert_true(bytes_of(&g) - g.carry_cap <= 16 * MIB);
}

/* Two items at least, or reading would wait for writing; a piece beyond the carry in each. */
static void it_is_enough_to_go_on(void **state)
{
	(void)state;
	for (uint32_t avg = CHUNKER_AVG_MIN; avg <= CHUNKER_AVG_MAX; avg *= 2) {
		const struct ingest g = sized(avg, 64);

		assert_true(g.n_items >= 2);
		assert_true(g.threads >= 1 && g.threads <= g.n_items);
		assert_true(g.data_cap >= g.carry_cap + MIB / 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pool_of_add_fits_at_every_average),
		cmocka_unit_test(the_most_that_can_be_configured_fits_at_every_average),
		cmocka_unit_test(at_the_default_average_it_is_sixteen_mebibytes),
		cmocka_unit_test(it_is_enough_to_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
