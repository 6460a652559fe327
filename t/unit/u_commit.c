/* Commits and tags: the texts of the man page, both ways, and nothing beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "graph/commit.h"
#include "graph/tag.h"
#include "texts.h"

#define WHO "A U Thor <a@b.c> 1700000000 +0100"
#define HEAD_LINES "store commit 1\nlayer " HEX_A "\n"

static const char plain[] = HEAD_LINES "author " WHO "\ncommitter " WHO "\n\nfirst\n";
static const char merge[] = HEAD_LINES "parent " HEX_B "\nparent " HEX_C "\nauthor " WHO
				       "\ncommitter  <> -1 -0930\nmeta " HEX_A
				       " 3\n\nsubject\n\nbody\n";
static const char tagged[] = "store tag 1\nobject " HEX_A "\ntype commit\ntag v1.0/rc\ntagger " WHO
			     "\n\nwords\n";

static int decode(const void *data, size_t len, struct store_error *err)
{
	struct commit c;

	return commit_decode(&c, data, len, err);
}

static int decode_tag(const void *data, size_t len, struct store_error *err)
{
	struct tag tag;

	return tag_decode(&tag, data, len, err);
}

static void test_commit__a_text_is_decoded_to_its_fields(void **state)
{
	struct commit c;

	(void)state;
	assert_int_equal(commit_decode(&c, merge, strlen(merge), NULL), 0);
	assert_true(c.layer.b[0] == 0xaa && c.parent_count == 2);
	assert_true(c.parents[0].b[0] == 0xbb && c.parents[1].b[0] == 0xcc);
	assert_true(text_slice_eq(c.author.name, text_slice_of("A U Thor")));
	assert_true(text_slice_eq(c.author.mail, text_slice_of("a@b.c")));
	assert_true(c.author.seconds == 1700000000 && c.author.zone == 60);
	assert_true(c.committer.name.len == 0 && c.committer.mail.len == 0);
	assert_true(c.committer.seconds == -1 && c.committer.zone == -570);
	assert_true(c.has_meta && c.meta.height == 3);
	assert_true(text_slice_eq(c.message, text_slice_of("subject\n\nbody\n")));
}

static void test_commit__decoding_and_encoding_give_the_same_bytes(void **state)
{
	static const char *const texts[] = { plain, merge };
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct commit c;

		assert_int_equal(commit_decode(&c, texts[i], strlen(texts[i]), NULL), 0);
		buf_clear(&b);
		assert_int_equal(commit_encode(&b, &c, NULL), 0);
		assert_string_equal(buf_str(&b), texts[i]);
	}
	buf_release(&b);
}

static void test_commit__every_other_text_is_refused_with_its_line(void **state)
{
	static const struct spoiled list[] = {
		{ "store commit 1", "store commit 10", "commit, line 1: 'store commit 10' stands" },
		{ "layer " HEX_A "\n", "", "line 2: 'parent" },
		{ "parent " HEX_C, "parent " HEX_B, "line 4: a parent stands twice" },
		{ "author " WHO "\n", "", "stands where 'author' is due" },
		{ "author " WHO "\n", "author " WHO "\nauthor " WHO "\n",
			"line 6: 'author' stands twice" },
		{ "author " WHO "\n", "author me\n", "line 5: 'me' is no name" },
		{ "+0100", "+0160", "line 5: '+0160' is no time zone" },
		{ "committer  <>", "committer <>", "line 6: '<>' is no name with a mail address" },
		{ "meta " HEX_A " 3\n", "meta " HEX_A " 3\nmeta " HEX_A " 3\n",
			"'meta' stands twice" },
		{ "meta " HEX_A " 3\n", "encoding utf-8\n",
			"line 7: 'encoding utf-8' stands where ''" },
		{ "\n\nsubject\n\nbody\n", "\n", "line 8: the text ends too early" },
	};

	(void)state;
	expect_refusals(decode, merge, list, sizeof(list) / sizeof(list[0]), STORE_ECORRUPT);
	expect_no_crash(decode, merge, strlen(merge), (size_t)(strstr(merge, "subject") - merge));
}

static void test_commit__sixteen_parents_pass_and_seventeen_do_not(void **state)
{
	struct commit c = { .parent_count = LIMIT_PARENTS };
	struct commit got;
	struct buf b = { 0 };
	struct buf more = { 0 };
	char *at;

	(void)state;
	for (size_t i = 0; i < LIMIT_PARENTS; i++)
		c.parents[i].b[0] = (uint8_t)(i + 1);
	assert_int_equal(commit_encode(&b, &c, NULL), 0);
	assert_int_equal(commit_decode(&got, b.data, b.len, NULL), 0);
	assert_int_equal(got.parent_count, LIMIT_PARENTS);
	at = strstr(buf_str(&b), "author");
	buf_add(&more, b.data, (size_t)(at - (char *)b.data));
	buf_add_str(&more, "parent " HEX_A "\n");
	buf_add_str(&more, at);
	expect_refusal(decode, more.data, more.len, STORE_ECORRUPT, "more than 16 parents");
	c.parent_count++;
	assert_int_equal(commit_encode(&b, &c, NULL), STORE_EINVAL);
	c.parent_count = 2;
	c.parents[1] = c.parents[0];
	assert_int_equal(commit_encode(&b, &c, NULL), STORE_EINVAL);
	buf_release(&b);
	buf_release(&more);
}

static void test_commit__a_message_is_any_bytes_up_to_one_mebibyte(void **state)
{
	struct commit c = { 0 };
	struct commit got;
	struct buf b = { 0 };
	char *message = calloc(1, LIMIT_MESSAGE + 1);

	(void)state;
	assert_non_null(message);
	message[1] = '\xff';
	c.message = (struct text_slice){ message, LIMIT_MESSAGE };
	assert_int_equal(commit_encode(&b, &c, NULL), 0);
	assert_int_equal(commit_decode(&got, b.data, b.len, NULL), 0);
	assert_true(text_slice_eq(got.message, c.message));
	buf_add_u8(&b, 0);
	expect_refusal(decode, b.data, b.len, STORE_ECORRUPT, "message is longer than 1048576");
	buf_clear(&b);
	c.message.len++;
	assert_int_equal(commit_encode(&b, &c, NULL), STORE_EINVAL);
	c.message.len = 0;
	c.author.name = text_slice_of("a\nparent x");
	assert_int_equal(commit_encode(&b, &c, NULL), STORE_EINVAL);
	assert_int_equal(b.len, 0);
	c.author.name.len = 0;
	assert_int_equal(commit_encode(&b, &c, NULL), 0);
	assert_int_equal(commit_decode(&got, b.data, b.len, NULL), 0);
	assert_int_equal(got.message.len, 0);
	free(message);
	buf_release(&b);
}

static void test_tag__decoding_and_encoding_give_the_same_bytes(void **state)
{
	struct buf b = { 0 };
	struct tag tag;

	(void)state;
	assert_int_equal(tag_decode(&tag, tagged, strlen(tagged), NULL), 0);
	assert_true(tag.type == KIND_COMMIT && tag.object.b[5] == 0xaa);
	assert_true(text_slice_eq(tag.name, text_slice_of("v1.0/rc")));
	assert_true(text_slice_eq(tag.message, text_slice_of("words\n")));
	assert_int_equal(tag_encode(&b, &tag, NULL), 0);
	assert_string_equal(buf_str(&b), tagged);
	buf_clear(&b);
	tag.type = KIND_LAYER;
	assert_int_equal(tag_encode(&b, &tag, NULL), 0);
	assert_non_null(strstr(buf_str(&b), "\ntype layer\n"));
	assert_int_equal(tag_decode(&tag, b.data, b.len, NULL), 0);
	assert_int_equal(tag.type, KIND_LAYER);
	buf_clear(&b);
	tag.type = KIND_MAP;
	assert_int_equal(tag_encode(&b, &tag, NULL), STORE_EINVAL);
	tag.type = KIND_LAYER;
	tag.name = text_slice_of("a..b");
	assert_int_equal(tag_encode(&b, &tag, NULL), STORE_EINVAL);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void test_tag__every_other_text_is_refused_with_its_line(void **state)
{
	static const struct spoiled list[] = {
		{ "store tag 1", "store tag", "tag, line 1: 'store tag' stands" },
		{ "type commit", "type tree", "line 3: the type is neither commit nor layer" },
		{ "type commit\n", "", "stands where 'type' is due" },
		{ "tag v1.0/rc", "tag v1..0",
			"line 4: 'refs/tags/v1..0' cannot be the name of a ref" },
		{ "tag v1.0/rc", "tag ", "line 4: 'refs/tags/' cannot be the name of a ref" },
		{ "tag v1.0/rc\n", "tag a\ntag a\n", "line 5: 'tag' stands twice" },
		{ "tagger " WHO "\n", "tagger " WHO "\nmore x\n",
			"line 6: 'more x' stands where ''" },
	};

	(void)state;
	expect_refusals(decode_tag, tagged, list, sizeof(list) / sizeof(list[0]), STORE_ECORRUPT);
	expect_no_crash(decode_tag, tagged, strlen(tagged),
		(size_t)(strstr(tagged, "words") - tagged));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit__a_text_is_decoded_to_its_fields),
		cmocka_unit_test(test_commit__decoding_and_encoding_give_the_same_bytes),
		cmocka_unit_test(test_commit__every_other_text_is_refused_with_its_line),
		cmocka_unit_test(test_commit__sixteen_parents_pass_and_seventeen_do_not),
		cmocka_unit_test(test_commit__a_message_is_any_bytes_up_to_one_mebibyte),
		cmocka_unit_test(test_tag__decoding_and_encoding_give_the_same_bytes),
		cmocka_unit_test(test_tag__every_other_text_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
