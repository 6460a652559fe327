/* Ids: one spelling, exact round trips, the order of bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/id.h"
#include "store.h"

static const char digits[] = "00123456789abcdef0fedcba98765432100123456789abcdef0fedcba9876543";

static void test_id__hex_and_parse_are_inverse(void **state)
{
	struct oid id, again;
	char text[ID_HEX + 1];

	(void)state;
	for (int round = 0; round < 256; round++) {
		for (int i = 0; i < ID_LEN; i++)
			id.b[i] = (uint8_t)(round * 37 + i * 101 + round * i);
		assert_ptr_equal(id_hex(text, &id), text);
		assert_int_equal(strlen(text), ID_HEX);
		assert_int_equal(strspn(text, "0123456789abcdef"), ID_HEX);
		assert_int_equal(id_parse(&again, text, ID_HEX), 0);
		assert_true(id_eq(&id, &again));
	}
}

static void test_id__hex_writes_the_high_digit_first(void **state)
{
	struct oid id;
	char text[ID_HEX + 1], brief[13];

	(void)state;
	assert_int_equal(id_parse(&id, digits, ID_HEX), 0);
	assert_int_equal(id.b[1], 0x12);
	assert_string_equal(id_hex(text, &id), digits);
	assert_string_equal(id_short(brief, &id), "00123456789a");
}

static void test_id__other_lengths_are_refused(void **state)
{
	struct oid id;

	(void)state;
	for (size_t len = 0; len < ID_HEX; len++)
		assert_int_equal(id_parse(&id, digits, len), STORE_EINVAL);
	assert_int_equal(id_parse(&id, digits, ID_HEX + 1), STORE_EINVAL);
}

static void test_id__a_wrong_digit_anywhere_is_refused_and_nothing_is_written(void **state)
{
	static const char wrong[] = { 'A', 'F', 'g', '`', '/', ':', ' ', '\0', '\xff', 'x' };
	struct oid id, before;
	char text[ID_HEX + 1] = { 0 };

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (size_t at = 0; at < ID_HEX; at++) {
		for (size_t w = 0; w < sizeof(wrong); w++) {
			memcpy(text, digits, sizeof(digits));
			text[at] = wrong[w];
			id = before;
			assert_int_equal(id_parse(&id, text, ID_HEX), STORE_EINVAL);
			assert_true(id_eq(&id, &before));
		}
	}
}

static void test_id__only_all_zero_bytes_are_zero(void **state)
{
	struct oid id = { { 0 } };

	(void)state;
	assert_true(id_is_zero(&id));
	for (int i = 0; i < ID_LEN; i++) {
		id.b[i] = 1;
		assert_false(id_is_zero(&id));
		id.b[i] = 0;
	}
}

static void test_id__low64_is_little_endian(void **state)
{
	struct oid id = { { 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0xff } };

	(void)state;
	assert_true(id_low64(&id) == 0x123456789abcdef0u);
}

static void test_id__order_is_that_of_unsigned_bytes(void **state)
{
	struct oid low = { { 0x7f, 0xff } }, high = { { 0x80 } };

	(void)state;
	assert_true(id_cmp(&low, &high) < 0);
	assert_true(id_cmp(&high, &low) > 0);
	assert_int_equal(id_cmp(&low, &low), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id__hex_and_parse_are_inverse),
		cmocka_unit_test(test_id__hex_writes_the_high_digit_first),
		cmocka_unit_test(test_id__other_lengths_are_refused),
		cmocka_unit_test(test_id__a_wrong_digit_anywhere_is_refused_and_nothing_is_written),
		cmocka_unit_test(test_id__only_all_zero_bytes_are_zero),
		cmocka_unit_test(test_id__low64_is_little_endian),
		cmocka_unit_test(test_id__order_is_that_of_unsigned_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
