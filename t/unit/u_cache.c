/*
 * The cache of blocks and packs: bounded, the least recently used go first, a pack in use stays
 * open.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "odb/cache.h"

static struct cache c;

static void keep(uint64_t pack, uint32_t off, size_t len)
{
	uint8_t *data = malloc(len);

	assert_non_null(data);
	memset(data, (int)(pack * 31 + off), len);
	cache_keep(&c, pack, off, data, len);
}

static bool has(uint64_t pack, uint32_t off)
{
	struct buf out = { 0 };
	const bool hit = cache_copy(&c, pack, off, 3, 5, &out);

	if (hit) {
		assert_int_equal(out.len, 5);
		for (size_t i = 0; i < 5; i++)
			assert_int_equal(out.data[i], (uint8_t)(pack * 31 + off));
	}
	buf_release(&out);
	return hit;
}

static void test_cache__what_is_kept_comes_back_and_nothing_beyond_it(void **state)
{
	struct buf out = { 0 };

	(void)state;
	cache_init(&c, 0);
	keep(1, 32, 100);
	keep(1, 64, 100);
	keep(2, 32, 100);
	assert_true(has(1, 32) && has(1, 64) && has(2, 32));
	assert_false(has(2, 64) || has(3, 32));
	assert_true(cache_copy(&c, 1, 32, 0, 100, &out));
	assert_false(cache_copy(&c, 1, 32, 1, 100, &out));
	assert_false(cache_copy(&c, 1, 32, UINT32_MAX, 2, &out));
	assert_false(cache_copy(&c, 1, 32, 2, UINT32_MAX, &out));
	/* A second copy of the same block changes nothing. */
	keep(1, 32, 100);
	assert_int_equal(c.bytes, 300);
	buf_release(&out);
	cache_release(&c);
}

static void test_cache__bytes_and_blocks_stay_bounded(void **state)
{
	uint64_t seed = 3;

	(void)state;
	cache_init(&c, 0);
	for (uint32_t i = 0; i < 20000; i++) {
		size_t len, bytes = 0;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		len = 8 + (seed >> 33) % (i % 3 == 0 ? 600000 : 40000);
		keep(1 + (seed >> 40) % 7, i, len);
		assert_true(has(1 + (seed >> 40) % 7, i)); /* the newest is there */
		for (size_t k = 0; k < CACHE_BLOCKS; k++)
			bytes += c.blocks[k].pack ? c.blocks[k].len : 0;
		assert_int_equal(bytes, c.bytes);
		assert_true(bytes <= CACHE_BYTES);
	}
	keep(9, 1, CACHE_BLOCK_MAX + 1);
	assert_false(has(9, 1));
	keep(9, 2, CACHE_BLOCK_MAX);
	assert_true(has(9, 2));
	cache_release(&c);
}

static void test_cache__the_least_recently_used_goes_first(void **state)
{
	(void)state;
	cache_init(&c, 0);
	for (uint32_t i = 0; i < CACHE_BLOCKS; i++)
		keep(1, i, 8);
	assert_true(has(1, 0));
	keep(1, CACHE_BLOCKS, 8);
	assert_true(has(1, 0));
	assert_false(has(1, 1));
	assert_true(has(1, 2));
	/* The same by bytes. */
	cache_release(&c);
	cache_init(&c, 0);
	for (uint32_t i = 0; i < 4; i++)
		keep(1, i, CACHE_BYTES / 4);
	assert_true(has(1, 0));
	keep(1, 4, CACHE_BYTES / 4);
	assert_true(has(1, 0) && !has(1, 1) && has(1, 2) && has(1, 3) && has(1, 4));
	cache_release(&c);
}

static int open_null(void)
{
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void test_cache__packs_in_use_stay_open(void **state)
{
	const int first = open_null();
	int fds[CACHE_PACKS], spare;

	(void)state;
	cache_init(&c, 0);
	assert_int_equal(cache_pack_get(&c, 1), -1);
	assert_true(cache_pack_add(&c, 1, first));
	for (uint64_t n = 2; n < 2 + 3 * CACHE_PACKS; n++) {
		assert_true(cache_pack_add(&c, n, open_null()));
		cache_pack_done(&c, n);
	}
	assert_true(is_open(first));
	assert_int_equal(cache_pack_get(&c, 1), first);
	cache_pack_drop(&c, 1);
	assert_true(is_open(first));
	cache_pack_done(&c, 1);
	cache_pack_done(&c, 1);
	cache_pack_drop(&c, 1);
	assert_false(is_open(first));
	assert_int_equal(cache_pack_get(&c, 1), -1);
	/* All in use: the caller keeps its own descriptor.  A number that is there already, too. */
	for (uint64_t n = 0; n < CACHE_PACKS; n++) {
		fds[n] = open_null();
		assert_true(cache_pack_add(&c, 1000 + n, fds[n]));
	}
	spare = open_null();
	assert_false(cache_pack_add(&c, 5000, spare));
	assert_false(cache_pack_add(&c, 1000, spare));
	assert_true(is_open(spare));
	close(spare);
	for (uint64_t n = 0; n < CACHE_PACKS; n++)
		assert_true(is_open(fds[n]));
	cache_release(&c);
	for (uint64_t n = 0; n < CACHE_PACKS; n++)
		assert_false(is_open(fds[n]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cache__what_is_kept_comes_back_and_nothing_beyond_it),
		cmocka_unit_test(test_cache__bytes_and_blocks_stay_bounded),
		cmocka_unit_test(test_cache__the_least_recently_used_goes_first),
		cmocka_unit_test(test_cache__packs_in_use_stay_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
