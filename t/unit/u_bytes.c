/* Numbers in byte arrays, and the reader over hostile bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"

static uint64_t random_state = 1;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Numbers of every bit length, and their neighbours of all-ones. */
static uint64_t pick_number(unsigned int i)
{
	const uint64_t ones = ~(uint64_t)0 >> (i % 64);

	return i % 3 == 0 ? ones : i % 3 == 1 ? ones + 1 : next_random() & ones;
}

static void test_bytes__order_on_disk(void **state)
{
	static const uint8_t eight[] = { 1, 2, 3, 4, 5, 6, 7, 0xff };
	uint8_t p[8];

	(void)state;
	assert_int_equal(le16_get(eight), 0x0201);
	assert_int_equal(le32_get(eight + 4), 0xff070605);
	assert_true(le64_get(eight) == 0xff07060504030201);
	assert_true(be64_get(eight) == 0x01020304050607ff);
	le16_put(p, 0x0201);
	assert_memory_equal(p, eight, 2);
	le32_put(p, 0x04030201);
	assert_memory_equal(p, eight, 4);
	le64_put(p, 0xff07060504030201);
	assert_memory_equal(p, eight, 8);
	be64_put(p, 0x01020304050607ff);
	assert_memory_equal(p, eight, 8);
}

static void test_bytes__get_is_the_inverse_of_put(void **state)
{
	uint8_t p[8];

	(void)state;
	for (unsigned int i = 0; i < 10000; i++) {
		const uint64_t v = pick_number(i);

		le64_put(p, v);
		assert_true(le64_get(p) == v);
		be64_put(p, v);
		assert_true(be64_get(p) == v);
		le32_put(p, (uint32_t)v);
		assert_int_equal(le32_get(p), (uint32_t)v);
		le16_put(p, (uint16_t)v);
		assert_int_equal(le16_get(p), (uint16_t)v);
	}
}

static void test_bytes__big_endian_sorts_as_numbers_do(void **state)
{
	uint8_t p[8], q[8];

	(void)state;
	for (unsigned int i = 0; i < 10000; i++) {
		const uint64_t v = pick_number(i), w = pick_number((unsigned int)next_random());

		be64_put(p, v);
		be64_put(q, w);
		assert_true((v < w) == (memcmp(p, q, 8) < 0));
	}
}

static void test_bytes__leb_round_trip(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 100000; i++) {
		const uint64_t v = pick_number(i);
		uint8_t p[LEB_MAX];
		const size_t len = leb_put(p, v);
		struct span s = span_of(p, len);

		assert_true(len >= 1 && len <= LEB_MAX);
		assert_true(span_leb(&s) == v);
		assert_false(s.bad);
		assert_int_equal(span_left(&s), 0);
		/* Shortest: one byte per seven bits. */
		if (len > 1)
			assert_true(v >> 7 * (len - 1) != 0);
	}
}

static void test_bytes__leb_cut_short_is_bad(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		uint8_t p[LEB_MAX];
		const size_t len = leb_put(p, pick_number(i));

		for (size_t cut = 0; cut < len; cut++) {
			struct span s = span_of(p, cut);

			assert_int_equal(span_leb(&s), 0);
			assert_true(s.bad);
		}
	}
}

/* Any number, made longer by bytes that add nothing, is refused at every length. */
static void test_bytes__leb_not_shortest_is_bad(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		uint8_t p[LEB_MAX + 1];
		size_t len = leb_put(p, pick_number(i));

		while (len < LEB_MAX) {
			struct span s;

			p[len - 1] |= 0x80;
			p[len++] = 0;
			s = span_of(p, len);
			assert_int_equal(span_leb(&s), 0);
			assert_true(s.bad);
		}
	}
}

static void test_bytes__leb_above_64_bits_is_bad(void **state)
{
	static const struct {
		uint8_t bytes[11];
		size_t len;
		bool is_good;
	} table[] = {
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 }, 10, true },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 }, 10, false },
		{ { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 3 }, 10, false },
		{ { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 1 }, 11, false },
		{ { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1 }, 10, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct span s = span_of(table[i].bytes, table[i].len);

		span_leb(&s);
		assert_int_equal(s.bad, !table[i].is_good);
	}
}

/* Every accepted byte string is the one leb_put writes: no number has two forms. */
static void test_bytes__leb_has_one_form_per_number(void **state)
{
	uint8_t p[3], q[LEB_MAX];

	(void)state;
	for (uint32_t v = 0; v < 1u << 24; v += 3) {
		struct span s;
		uint64_t got;
		size_t used;

		p[0] = (uint8_t)v;
		p[1] = (uint8_t)(v >> 8);
		p[2] = (uint8_t)(v >> 16);
		s = span_of(p, sizeof(p));
		got = span_leb(&s);
		if (s.bad)
			continue;
		used = sizeof(p) - span_left(&s);
		if (leb_put(q, got) != used || memcmp(p, q, used) != 0)
			fail_msg("%02x %02x %02x is a second form", p[0], p[1], p[2]);
	}
}

static void test_bytes__span_stays_bad_and_inside(void **state)
{
	static const uint8_t p[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct span s = span_of(p, sizeof(p));

	(void)state;
	assert_int_equal(span_u8(&s), 1);
	assert_int_equal(span_le32(&s), 0x05040302);
	assert_null(span_take(&s, 5));
	assert_true(s.bad);
	assert_null(span_take(&s, 1));
	assert_int_equal(span_u8(&s), 0);
	assert_int_equal(span_le32(&s), 0);
	assert_true(span_le64(&s) == 0);
	assert_true(span_leb(&s) == 0);
	assert_int_equal(span_left(&s), 4);

	s = span_of(p, sizeof(p));
	assert_null(span_take(&s, SIZE_MAX));
	assert_true(s.bad);
	s = span_of(p, sizeof(p));
	assert_ptr_equal(span_take(&s, sizeof(p)), p);
	assert_non_null(span_take(&s, 0));
	assert_false(s.bad);
}

/* NULL from span_take means that there was less than asked for. */
static void test_bytes__nothing_can_be_taken_of_nothing(void **state)
{
	struct span s = span_of(NULL, 0);

	(void)state;
	assert_non_null(span_take(&s, 0));
	assert_false(s.bad);
	assert_null(span_take(&s, 1));
	assert_true(s.bad);
}

static void test_bytes__overflow_is_told(void **state)
{
	uint64_t v;

	(void)state;
	assert_false(u64_add(UINT64_MAX - 1, 1, &v));
	assert_true(v == UINT64_MAX);
	assert_true(u64_add(UINT64_MAX, 1, &v));
	assert_false(u64_mul(UINT64_MAX / 3, 3, &v));
	assert_true(u64_mul(UINT64_MAX / 3 + 1, 3, &v));
	assert_false(u64_mul(0, UINT64_MAX, &v));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes__order_on_disk),
		cmocka_unit_test(test_bytes__get_is_the_inverse_of_put),
		cmocka_unit_test(test_bytes__big_endian_sorts_as_numbers_do),
		cmocka_unit_test(test_bytes__leb_round_trip),
		cmocka_unit_test(test_bytes__leb_cut_short_is_bad),
		cmocka_unit_test(test_bytes__leb_not_shortest_is_bad),
		cmocka_unit_test(test_bytes__leb_above_64_bits_is_bad),
		cmocka_unit_test(test_bytes__leb_has_one_form_per_number),
		cmocka_unit_test(test_bytes__span_stays_bad_and_inside),
		cmocka_unit_test(test_bytes__nothing_can_be_taken_of_nothing),
		cmocka_unit_test(test_bytes__overflow_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
