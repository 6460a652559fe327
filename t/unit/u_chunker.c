/*
 * Chunk borders: the frozen vectors, the table computed anew, and the fast kernel equal to the
 * plain one on random, empty, periodic and low-entropy bytes, for every way to hand them over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "data/chunker.h"
#include "data/hash.h"
#include "store.h"

#define TABLE_FILE "t/golden/vectors/gear-table.txt"
#define CUTS_FILE "t/golden/vectors/chunk-cuts.txt"

static const uint32_t averages[] = { 256, 4096, 65536, 2u << 20 };

#define AVERAGES (sizeof(averages) / sizeof(averages[0]))

typedef size_t (
	*next_fn)(const struct chunker_params *p, const uint8_t *data, size_t len, size_t start);

static struct chunker_params params_of(uint32_t avg)
{
	struct chunker_params p;

	assert_int_equal(chunker_params_init(&p, avg), 0);
	return p;
}

/* --- inputs ----------------------------------------------------------------------------------- */

/* SHA-256("store vector" || seed u32 LE || k u32 LE) for k = 0, 1, 2, ... */
static void fill_stream(uint8_t *out, uint32_t seed, size_t len)
{
	struct hash *h = hash_new();
	uint8_t message[20] = "store vector";

	assert_non_null(h);
	le32_put(message + 12, seed);
	for (uint32_t k = 0; (size_t)k * ID_LEN < len; k++) {
		const size_t at = (size_t)k * ID_LEN;
		struct oid id;

		le32_put(message + 16, k);
		hash_once(h, message, sizeof(message), &id);
		memcpy(out + at, id.b, len - at < ID_LEN ? len - at : ID_LEN);
	}
	hash_free(h);
}

/* The kinds of t/vectors/gear.py.  Caller frees with free. */
static uint8_t *make_input(const char *kind, uint32_t seed, size_t len)
{
	uint8_t *data = calloc(1, len + 1), *source = malloc(len + 1);

	assert_non_null(data);
	assert_non_null(source);
	fill_stream(source, strcmp(kind, "period") == 0 ? 0 : seed, len);
	for (size_t i = 0; i < len; i++) {
		if (strcmp(kind, "random") == 0)
			data[i] = source[i];
		else if (strcmp(kind, "byte") == 0)
			data[i] = (uint8_t)seed;
		else if (strcmp(kind, "two") == 0)
			data[i] = source[i] & 1;
		else if (strcmp(kind, "period") == 0)
			data[i] = source[i % seed];
		else if (strcmp(kind, "island") == 0)
			data[i] = i % 65536 < 4096 ? source[i] : 0;
		else
			assert_string_equal(kind, "zero");
	}
	free(source);
	return data;
}

/* --- frozen vectors --------------------------------------------------------------------------- */

static FILE *open_vectors(const char *path)
{
	FILE *f = fopen(path, "r");

	if (f == NULL)
		fail_msg("cannot open '%s': run from the top of the source tree", path);
	return f;
}

static void test_chunker__table_equals_the_frozen_one(void **state)
{
	FILE *f = open_vectors(TABLE_FILE);
	const uint64_t *table = chunker_table();
	char line[200];
	unsigned int byte, count = 0;
	uint64_t entry;

	(void)state;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%2x %16" SCNx64, &byte, &entry) != 2)
			continue;
		assert_int_equal(byte, count);
		assert_true(table[count] == entry);
		count++;
	}
	assert_int_equal(count, 256);
	fclose(f);
}

/* The 256 entries for n; false when one of them lets a run of its byte cut. */
static bool compute_table(struct hash *h, uint32_t n, uint64_t table[256])
{
	uint8_t message[15] = "store gear";
	bool good = true;

	le32_put(message + 10, n);
	for (unsigned int b = 0; b < 256; b++) {
		struct oid id;
		uint64_t run;

		message[14] = (uint8_t)b;
		hash_once(h, message, sizeof(message), &id);
		table[b] = le64_get(id.b);
		run = 0 - table[b];
		/* 2^64 / 192 is no integer: at least it means more than its floor. */
		good = good && run > UINT64_MAX / 192;
	}
	return good;
}

static void test_chunker__table_follows_from_its_rule(void **state)
{
	struct hash *h = hash_new();
	uint64_t table[256];
	uint32_t n = 0;

	(void)state;
	assert_non_null(h);
	while (!compute_table(h, n, table))
		n++;
	assert_memory_equal(chunker_table(), table, sizeof(table));
	hash_free(h);
}

/* Length of the next chunk, the rest of the input included. */
static size_t cut(next_fn next, const struct chunker_params *p, const uint8_t *data, size_t len,
	size_t start)
{
	const size_t n = next(p, data, len, start);

	return n > 0 ? n : len - start;
}

static void check_case(char *line)
{
	char *rest = line;
	const char *kind = strsep(&rest, " ");
	const uint32_t seed = (uint32_t)strtoul(rest, &rest, 10);
	const size_t len = strtoul(rest, &rest, 10);
	const struct chunker_params p = params_of((uint32_t)strtoul(rest, &rest, 10));
	const size_t count = strtoul(rest, &rest, 10);
	uint8_t *data = make_input(kind, seed, len);
	size_t start = 0;

	for (size_t i = 0; i < count; i++) {
		const size_t end = strtoul(rest, &rest, 10);

		assert_int_equal(start + cut(chunker_next, &p, data, len, start), end);
		assert_int_equal(start + cut(chunker_next_plain, &p, data, len, start), end);
		start = end;
	}
	assert_int_equal(start, len);
	free(data);
}

static void test_chunker__cuts_equal_the_frozen_ones(void **state)
{
	FILE *f = open_vectors(CUTS_FILE);
	char *line = NULL;
	size_t cap = 0;
	int cases = 0;

	(void)state;
	while (getline(&line, &cap, f) > 0) {
		if (line[0] == '#')
			continue;
		check_case(line);
		cases++;
	}
	assert_true(cases >= 20);
	free(line);
	fclose(f);
}

/* --- properties ------------------------------------------------------------------------------- */

static void test_chunker__parameters(void **state)
{
	struct chunker_params p;

	(void)state;
	for (uint32_t avg = 256; avg <= 2u << 20; avg *= 2) {
		p = params_of(avg);
		assert_int_equal(p.min, avg / 4);
		assert_int_equal(p.max, avg * 4);
		/* threshold = floor(2^64 / d): threshold d <= 2^64 < (threshold + 1) d */
		assert_true((unsigned __int128)p.threshold * (avg - p.min) <= (unsigned __int128)1
				<< 64);
		assert_true((unsigned __int128)(p.threshold + 1) * (avg - p.min) >
			(unsigned __int128)1 << 64);
	}
	assert_int_equal(chunker_params_init(&p, 0), STORE_EINVAL);
	assert_int_equal(chunker_params_init(&p, 1), STORE_EINVAL);
	assert_int_equal(chunker_params_init(&p, 128), STORE_EINVAL);
	assert_int_equal(chunker_params_init(&p, 257), STORE_EINVAL);
	assert_int_equal(chunker_params_init(&p, 65535), STORE_EINVAL);
	assert_int_equal(chunker_params_init(&p, 4u << 20), STORE_EINVAL);
	assert_int_equal(chunker_params_init(&p, 1u << 31), STORE_EINVAL);
}

static void compare_kernels(const struct chunker_params *p, const uint8_t *data, size_t len)
{
	size_t start = 0;

	while (start < len) {
		const size_t n = chunker_next(p, data, len, start);

		assert_int_equal(n, chunker_next_plain(p, data, len, start));
		if (n == 0)
			break;
		assert_in_range(n, p->min, p->max);
		assert_true(n == p->max || chunker_cuts_at(p, data, start + n));
		start += n;
	}
	assert_true(len - start < p->max);
}

static void test_chunker__fast_equals_plain(void **state)
{
	static const char *const kinds[] = { "random", "zero", "two", "period", "island" };
	static const uint32_t seeds[] = { 11, 64, 7, 997, 65537 };

	(void)state;
	for (size_t a = 0; a < AVERAGES; a++) {
		const struct chunker_params p = params_of(averages[a]);
		const size_t len = averages[a] < 65536 ? 300001 : (size_t)averages[a] * 5 + 77;

		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			uint8_t *data = make_input(kinds[k], seeds[k], len);

			compare_kernels(&p, data, len);
			free(data);
		}
	}
}

/* Every start is legal for a pure window, so unrolling is met at every phase. */
static void test_chunker__fast_equals_plain_from_every_start(void **state)
{
	const struct chunker_params p = params_of(256);
	const size_t len = 6000;
	uint8_t *data = make_input("random", 21, len);

	(void)state;
	for (size_t start = 0; start <= len + 1; start++)
		assert_int_equal(chunker_next(&p, data, len, start),
			chunker_next_plain(&p, data, len, start));
	free(data);
}

static void check_growing(next_fn next, const struct chunker_params *p, const uint8_t *data,
	size_t len)
{
	size_t start = 0;

	while (start < len) {
		const size_t whole = next(p, data, len, start);

		/* A copy of that length: the sanitizer finds a byte read too many. */
		for (size_t have = 0; have <= len - start && have <= p->max + 3; have++) {
			uint8_t *copy = malloc(start + have > 0 ? start + have : 1);

			assert_non_null(copy);
			memcpy(copy, data, start + have);
			assert_int_equal(next(p, copy, start + have, start),
				whole > 0 && have >= whole ? whole : 0);
			free(copy);
		}
		if (whole == 0)
			break;
		start += whole;
	}
}

static void test_chunker__every_split_gives_the_same_cuts(void **state)
{
	static const char *const kinds[] = { "random", "zero", "two", "period" };
	const struct chunker_params p = params_of(256);

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		uint8_t *data = make_input(kinds[k], 100, 4000);

		check_growing(chunker_next, &p, data, 4000);
		check_growing(chunker_next_plain, &p, data, 4000);
		free(data);
	}
}

/* Only the chunk's own bytes count: the same cuts with anything, or nothing, before it. */
static void test_chunker__bytes_before_the_chunk_do_not_count(void **state)
{
	const struct chunker_params p = params_of(256);
	const size_t len = 5000, before = 130;
	uint8_t *data = make_input("random", 31, len), *moved = malloc(before + len);

	(void)state;
	assert_non_null(moved);
	memcpy(moved + before, data, len);
	for (int fill = 0; fill < 256; fill += 51) {
		memset(moved, fill, before);
		for (size_t start = 0; start < len; start += 97)
			assert_int_equal(chunker_next(&p, moved, before + len, before + start),
				chunker_next(&p, data, len, start));
	}
	free(moved);
	free(data);
}

/* The rule itself, with the sum written out: bit k of h holds what 64 - k bytes left. */
static void test_chunker__the_window_is_the_last_64_bytes(void **state)
{
	const struct chunker_params p = params_of(256);
	const size_t len = 20000;
	uint8_t *data = make_input("random", 41, len);
	int cuts = 0;

	(void)state;
	assert_false(chunker_cuts_at(&p, data, 0));
	for (size_t end = 1; end <= len; end++) {
		uint64_t h = 0;

		for (size_t back = 0; back < 64 && back < end; back++)
			h += chunker_table()[data[end - 1 - back]] << back;
		assert_int_equal(chunker_cuts_at(&p, data, end), h < p.threshold);
		cuts += h < p.threshold;
	}
	assert_in_range(cuts, 60, 150); /* 20000 / 192 = 104 */
	free(data);
}

static void test_chunker__no_run_of_one_byte_cuts(void **state)
{
	(void)state;
	for (uint32_t b = 0; b < 256; b++) {
		uint8_t run[2000];

		memset(run, (int)b, sizeof(run));
		for (size_t a = 0; a < AVERAGES; a++) {
			const struct chunker_params p = params_of(averages[a]);

			assert_false(chunker_cuts_at(&p, run, sizeof(run)));
			assert_int_equal(chunker_next(&p, run, sizeof(run), 0), a == 0 ? p.max : 0);
		}
	}
}

/* An inserted byte moves later cuts by one and changes none. */
static void test_chunker__cuts_find_back_after_an_insertion(void **state)
{
	const struct chunker_params p = params_of(256);
	const size_t len = 40000, at = 9000;
	uint8_t *data = make_input("random", 51, len), *longer = malloc(len + 1);
	uint8_t *is_cut = calloc(1, len + 1);
	size_t lost = 0;

	(void)state;
	assert_non_null(longer);
	assert_non_null(is_cut);
	memcpy(longer, data, at);
	longer[at] = 'x';
	memcpy(longer + at + 1, data + at, len - at);
	for (size_t start = 0; start < len; start += cut(chunker_next, &p, data, len, start))
		is_cut[start] = 1;
	for (size_t start = 0; start <= len; start += cut(chunker_next, &p, longer, len + 1, start))
		lost += !is_cut[start > at ? start - 1 : start];
	assert_in_range(lost, 0, 6);
	free(is_cut);
	free(longer);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunker__table_equals_the_frozen_one),
		cmocka_unit_test(test_chunker__table_follows_from_its_rule),
		cmocka_unit_test(test_chunker__cuts_equal_the_frozen_ones),
		cmocka_unit_test(test_chunker__parameters),
		cmocka_unit_test(test_chunker__fast_equals_plain),
		cmocka_unit_test(test_chunker__fast_equals_plain_from_every_start),
		cmocka_unit_test(test_chunker__every_split_gives_the_same_cuts),
		cmocka_unit_test(test_chunker__bytes_before_the_chunk_do_not_count),
		cmocka_unit_test(test_chunker__the_window_is_the_last_64_bytes),
		cmocka_unit_test(test_chunker__no_run_of_one_byte_cuts),
		cmocka_unit_test(test_chunker__cuts_find_back_after_an_insertion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
