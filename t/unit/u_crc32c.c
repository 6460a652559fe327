/* CRC-32C: published vectors, and the two implementations equal each other and a bitwise one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "data/crc32c.h"
#include "data/crc32c_internal.h"

typedef uint32_t (*crc_fn)(uint32_t crc, const void *data, size_t len);

static uint32_t crc_bitwise(uint32_t crc, const uint8_t *p, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void fill(uint8_t *p, size_t len)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < len; i++) {
		x = x * 1103515245u + 12345u;
		p[i] = (uint8_t)(x >> 16);
	}
}

/* RFC 3720, B.4. */
static void check_vectors(crc_fn crc)
{
	uint8_t p[32];

	assert_int_equal(crc(0, "123456789", 9), 0xe3069283u);
	assert_int_equal(crc(0, NULL, 0), 0);
	memset(p, 0, sizeof(p));
	assert_int_equal(crc(0, p, sizeof(p)), 0x8a9136aau);
	memset(p, 0xff, sizeof(p));
	assert_int_equal(crc(0, p, sizeof(p)), 0x62a8ab43u);
	for (unsigned int i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)i;
	assert_int_equal(crc(0, p, sizeof(p)), 0x46dd794eu);
	for (unsigned int i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)(31 - i);
	assert_int_equal(crc(0, p, sizeof(p)), 0x113fdb5cu);
}

static void test_crc32c__published_vectors(void **state)
{
	(void)state;
	check_vectors(crc32c);
	check_vectors(crc32c_plain);
}

static void test_crc32c__every_length_and_alignment_equals_the_bitwise_one(void **state)
{
	enum { SPAN = 700 };
	uint8_t p[SPAN + 16];

	(void)state;
	fill(p, sizeof(p));
	for (size_t off = 0; off < 16; off++) {
		for (size_t len = 0; len <= SPAN; len += off == 0 ? 1 : 13) {
			const uint32_t want = crc_bitwise(0, p + off, len);

			assert_int_equal(crc32c(0, p + off, len), want);
			assert_int_equal(crc32c_plain(0, p + off, len), want);
		}
	}
}

static void test_crc32c__continuing_equals_one_call(void **state)
{
	enum { LEN = 3000 };
	uint8_t p[LEN];
	uint32_t whole;

	(void)state;
	fill(p, LEN);
	whole = crc32c(0, p, LEN);
	for (size_t cut = 0; cut <= LEN; cut++) {
		assert_int_equal(crc32c(crc32c(0, p, cut), p + cut, LEN - cut), whole);
		assert_int_equal(crc32c_plain(crc32c_plain(0, p, cut), p + cut, LEN - cut), whole);
	}
}

static void test_crc32c__a_flipped_bit_changes_it(void **state)
{
	uint8_t p[100];
	uint32_t whole;

	(void)state;
	fill(p, sizeof(p));
	whole = crc32c(0, p, sizeof(p));
	for (size_t bit = 0; bit < 8 * sizeof(p); bit++) {
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_true(crc32c(0, p, sizeof(p)) != whole);
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void test_crc32c__large_buffers_are_equal(void **state)
{
	const size_t len = (3u << 20) + 5;
	uint8_t *p = malloc(len);

	(void)state;
	assert_non_null(p);
	fill(p, len);
	assert_int_equal(crc32c(7, p, len), crc32c_plain(7, p, len));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32c__published_vectors),
		cmocka_unit_test(test_crc32c__every_length_and_alignment_equals_the_bitwise_one),
		cmocka_unit_test(test_crc32c__continuing_equals_one_call),
		cmocka_unit_test(test_crc32c__a_flipped_bit_changes_it),
		cmocka_unit_test(test_crc32c__large_buffers_are_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
