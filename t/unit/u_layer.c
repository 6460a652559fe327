/* Layers: the text of the man page, both ways, and nothing beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "graph/layer.h"
#include "texts.h"

static const char first[] = "store layer 1\ngeneration 0\nroot " HEX_A " 2\nchanges " HEX_B
			    " 0\nfiles 3\ndirectories 2\nbytes 18446744073709551615\nadded 3\n"
			    "modified 0\ndeleted 0\n";
static const char second[] = "store layer 1\ngeneration 41\nparent " HEX_C "\nroot " HEX_A
			     " 31\nchanges " HEX_B
			     " 1\nfiles 4\ndirectories 0\nbytes 5\nadded 1\nmodified 2\n"
			     "deleted 3\n";

static int decode(const void *data, size_t len, struct store_error *err)
{
	struct layer l;

	return layer_decode(&l, data, len, err);
}

static void test_layer__a_text_is_decoded_to_its_fields(void **state)
{
	struct layer l;

	(void)state;
	assert_int_equal(layer_decode(&l, second, strlen(second), NULL), 0);
	assert_true(l.generation == 41 && l.has_parent);
	assert_int_equal(l.parent.b[0], 0xcc);
	assert_true(l.root.id.b[31] == 0xaa && l.root.height == 31);
	assert_true(l.changes.id.b[31] == 0xbb && l.changes.height == 1);
	assert_true(l.totals.files == 4 && l.totals.dirs == 0 && l.totals.size == 5);
	assert_true(l.added == 1 && l.modified == 2 && l.deleted == 3);
}

static void test_layer__decoding_and_encoding_give_the_same_bytes(void **state)
{
	static const char *const texts[] = { first, second };
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct layer l;

		assert_int_equal(layer_decode(&l, texts[i], strlen(texts[i]), NULL), 0);
		buf_clear(&b);
		assert_int_equal(layer_encode(&b, &l), 0);
		assert_string_equal(buf_str(&b), texts[i]);
	}
	buf_release(&b);
}

static void test_layer__every_other_text_is_refused_with_its_line(void **state)
{
	static const struct spoiled list[] = {
		{ "store layer 1", "store layer 2", "layer, line 1: 'store layer 2' stands where" },
		{ "generation 41", "generation 0",
			"line 3: a layer of generation 0 cannot have a parent" },
		{ "parent " HEX_C "\n", "", "a layer of generation 41 needs a parent" },
		{ "parent " HEX_C "\n", "parent " HEX_C "\nparent " HEX_C "\n",
			"'parent' stands twice" },
		{ "root " HEX_A " 31\n", "", "stands where 'root' is due" },
		{ "root " HEX_A " 31", "root " HEX_A " 32", "line 4: '32' is no number" },
		{ "files 4\ndirectories 0\n", "directories 0\nfiles 4\n",
			"line 6: 'directories 0' stands where 'files' is due" },
		{ "bytes 5\n", "bytes 5\nbytes 5\n", "line 9: 'bytes' stands twice" },
		{ "bytes 5\n", "bytes 18446744073709551616\n",
			"line 8: '18446744073709551616' is no" },
		{ "bytes 5\n", "bytes 5\nseconds 12\n",
			"'seconds 12' stands where 'added' is due" },
		{ "deleted 3\n", "deleted 3\n\n", "line 12: '' follows the last line" },
		{ "deleted 3\n", "deleted -3\n", "line 11: '-3' is no number" },
	};

	(void)state;
	expect_refusals(decode, second, list, sizeof(list) / sizeof(list[0]), STORE_ECORRUPT);
	expect_no_crash(decode, first, strlen(first), SIZE_MAX);
	expect_no_crash(decode, second, strlen(second), SIZE_MAX);
}

static void test_layer__generation_and_parent_must_agree_to_be_encoded(void **state)
{
	struct layer l = { .generation = 1 };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(layer_encode(&b, &l), STORE_EINVAL);
	l = (struct layer){ .has_parent = true };
	assert_int_equal(layer_encode(&b, &l), STORE_EINVAL);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layer__a_text_is_decoded_to_its_fields),
		cmocka_unit_test(test_layer__decoding_and_encoding_give_the_same_bytes),
		cmocka_unit_test(test_layer__every_other_text_is_refused_with_its_line),
		cmocka_unit_test(test_layer__generation_and_parent_must_agree_to_be_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
