/* The file `format`: round trip, refusal of newer features, and chunking classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "data/format.h"
#include "texts.h"

#define MASKS "read-only-compatible 0000000000000000\ncompatible 0000000000000000\n"
#define HEAD_LINES "store format 1\nincompatible 0000000000000000\n" MASKS "hash sha256\n"

/* printf 'chunking 65536\n' | sha256sum, and the same with the three class lines. */
static const char plain[] = HEAD_LINES
	"chunking 65536\nparameters "
	"a5a65eea2bf4663bbaeebf187534f4c5cb1294c5630a99a5492ca3f1f385ef8a\n";
static const char classes[] = HEAD_LINES
	"chunking 1048576\nclass 4096 256\nclass 1048576 4096\nclass 1073741824 65536\n"
	"parameters "
	"a519b0d67add8bda88eccb92cb9108bc6bcec4c2b752354104637e35e8b89858\n";

static struct hash *hash;

static int decode(const void *data, size_t len, struct store_error *err)
{
	struct store_format f;

	return format_parse(&f, data, len, hash, err);
}

static void test_format__encoding_what_was_parsed_gives_the_same_bytes(void **state)
{
	static const char *const texts[] = { plain, classes };
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct store_format f;

		assert_int_equal(format_parse(&f, texts[i], strlen(texts[i]), hash, NULL), 0);
		assert_int_equal(format_check_writable(&f, NULL), 0);
		buf_clear(&b);
		assert_int_equal(format_encode(&b, &f, hash, NULL), 0);
		assert_string_equal(buf_str(&b), texts[i]);
	}
	buf_release(&b);
}

static void test_format__content_is_cut_with_the_first_class_it_fits(void **state)
{
	struct store_format f;

	(void)state;
	assert_int_equal(format_parse(&f, classes, strlen(classes), hash, NULL), 0);
	assert_int_equal(format_class_of(&f, 0), 1);
	assert_int_equal(format_class_of(&f, 4095), 1);
	assert_int_equal(format_class_of(&f, 4096), 2);
	assert_int_equal(format_class_of(&f, 1073741823), 3);
	assert_int_equal(format_class_of(&f, 1073741824), 0);
	assert_int_equal(format_class_of(&f, UINT64_MAX), 0);
	assert_int_equal(format_class_avg(&f, 0), 1048576);
	assert_int_equal(format_class_avg(&f, 1), 256);
	assert_int_equal(format_class_avg(&f, 3), 65536);
	assert_int_equal(format_class_avg(&f, 4), 0);
}

static void test_format__unknown_features_ask_for_a_newer_store_by_name(void **state)
{
	static const struct spoiled list[] = {
		{ "store format 1", "store format 2", "has format 2: a newer store is needed" },
		{ "incompatible 0000000000000000", "incompatible 0000000000000002",
			"the repository uses sorted runs in index: a newer store is needed" },
		{ "incompatible 0000000000000000", "incompatible 8000000000000005",
			"uses parity sections, ciphers, bit 63: a newer store is needed" },
		{ "incompatible 0000000000000000\n", "incompatible ffffffffffffffff\nnew line\n",
			"parity sections, sorted runs in index, ciphers, bit 3, bit 4" },
		{ "hash sha256", "hash blake3", "uses the hash 'blake3': a newer store is needed" },
	};

	(void)state;
	expect_refusals(decode, plain, list, sizeof(list) / sizeof(list[0]), STORE_EVERSION);
}

static void test_format__a_newer_writer_leaves_reading_allowed(void **state)
{
	static const struct spoiled newer = { "read-only-compatible 0000000000000000",
		"read-only-compatible 0000000000000210", "" };
	static const struct spoiled compatible = { "\ncompatible 0000000000000000",
		"\ncompatible ffffffffffffffff", "" };
	struct store_error err = { 0 };
	struct store_format f;
	struct buf b = { 0 };

	(void)state;
	spoil(&b, plain, &newer);
	assert_int_equal(format_parse(&f, b.data, b.len, hash, NULL), 0);
	assert_int_equal(format_check_writable(&f, &err), STORE_EVERSION);
	assert_string_equal(err.msg,
		"the repository may only be read, it uses bit 4, bit 9: "
		"a newer store is needed to write");
	spoil(&b, plain, &compatible);
	assert_int_equal(format_parse(&f, b.data, b.len, hash, NULL), 0);
	assert_int_equal(format_check_writable(&f, NULL), 0);
	buf_release(&b);
}

static void test_format__every_other_text_is_refused_with_its_line(void **state)
{
	static const struct spoiled list[] = {
		{ "store format 1", "store format one", "format, line 1: 'one' is no number" },
		{ "store format 1\n", "", "line 1: 'incompatible 0000000000000000' stands where" },
		{ "incompatible 0000000000000000", "incompatible 0", "line 2: a mask has 16" },
		{ "incompatible 0000000000000000", "incompatible 0000000000000000 1",
			"line 2: ' 1'" },
		{ MASKS, "compatible 0000000000000000\n",
			"stands where 'read-only-compatible' is due" },
		{ "hash sha256\n", "", "stands where 'hash' is due" },
		{ "chunking 1048576", "chunking 1000000", "no power of two" },
		{ "chunking 1048576", "chunking 128", "no power of two" },
		{ "chunking 1048576", "chunking 4194304", "no power of two" },
		{ "chunking 1048576", "chunking 4294967296", "line 6: '4294967296' is no number" },
		{ "chunking 1048576\n", "chunking 1048576\nchunking 1048576\n",
			"'chunking' stands twice" },
		{ "chunking 1048576", "chunking 65536",
			"the digest of the chunking lines is another" },
		{ "class 4096 256", "class 0 256", "a class has no content" },
		{ "class 4096 256", "class 4096 300", "average of a class is no power of two" },
		{ "class 4096 256", "class 1048576 256", "the classes do not ascend" },
		{ "class 4096 256", "class 4097 256",
			"the digest of the chunking lines is another" },
		{ "parameters ", "parameters x", "is no id" },
		{ "parameters ", "class 9223372036854775808 256\nextra ", "line 11: 'extra" },
	};

	(void)state;
	expect_refusals(decode, classes, list, sizeof(list) / sizeof(list[0]), STORE_ECORRUPT);
	expect_no_crash(decode, plain, strlen(plain), SIZE_MAX);
	expect_no_crash(decode, classes, strlen(classes), SIZE_MAX);
}

static void test_format__fifteen_classes_pass_and_sixteen_do_not(void **state)
{
	struct store_format f = { .avg = 65536, .class_count = FORMAT_CLASSES };
	struct buf b = { 0 };
	struct buf more = { 0 };
	struct spoiled s = { "parameters", "class 99 256\nparameters", "more than 15 classes" };

	(void)state;
	for (size_t i = 0; i < FORMAT_CLASSES; i++)
		f.classes[i] = (struct format_class){ i + 1, 256 };
	assert_int_equal(format_encode(&b, &f, hash, NULL), 0);
	assert_int_equal(decode(b.data, b.len, NULL), 0);
	spoil(&more, buf_str(&b), &s);
	expect_refusal(decode, more.data, more.len, STORE_ECORRUPT, s.message);
	buf_clear(&b);
	f.class_count++;
	assert_int_equal(format_encode(&b, &f, hash, NULL), STORE_EINVAL);
	f.class_count = 2;
	f.classes[1].below = 1;
	assert_int_equal(format_encode(&b, &f, hash, NULL), STORE_EINVAL);
	f.class_count = 0;
	f.avg = 0;
	assert_int_equal(format_encode(&b, &f, hash, NULL), STORE_EINVAL);
	assert_int_equal(b.len, 0);
	buf_release(&b);
	buf_release(&more);
}

static int set_up(void **state)
{
	(void)state;
	hash = hash_new();
	return hash ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	hash_free(hash);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format__encoding_what_was_parsed_gives_the_same_bytes),
		cmocka_unit_test(test_format__content_is_cut_with_the_first_class_it_fits),
		cmocka_unit_test(test_format__unknown_features_ask_for_a_newer_store_by_name),
		cmocka_unit_test(test_format__a_newer_writer_leaves_reading_allowed),
		cmocka_unit_test(test_format__every_other_text_is_refused_with_its_line),
		cmocka_unit_test(test_format__fifteen_classes_pass_and_sixteen_do_not),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
