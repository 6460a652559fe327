/* Reading content: any range equals the bytes, and no more is decoded than the range needs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "repo_fixture.h"

#define CHUNK 50000
#define CHUNKS 300
#define HOLE 4000 /* chunks of zeros in the middle */

/* Byte at off of the content below: chunk i is all (i * 7 + place). */
static uint8_t byte_at(uint64_t off)
{
	const uint64_t i = off / CHUNK;

	if (i >= CHUNKS && i < CHUNKS + HOLE)
		return 0;
	return (uint8_t)(i * 7 + off % 251 + off % CHUNK / 256 + 1);
}

static struct store_node put_content(void)
{
	struct odb_writer *w = fixture_writer();
	const struct node_sink sink = nodes_sink(w);
	struct seq_builder *b = seq_builder_new(&sink);
	static const char *const refs[] = { NULL };
	static uint8_t data[CHUNK];
	struct file_ref ref;
	struct store_node node = { .kind = STORE_KIND_FILE };

	for (uint64_t i = 0; i < 2 * CHUNKS + HOLE; i++) {
		const bool zeros = i == CHUNKS;
		struct oid id;

		for (size_t k = 0; k < CHUNK; k++)
			data[k] = byte_at(i * CHUNK + k);
		OK(writer_put(w, KIND_CHUNK, data, CHUNK, &id, &failure));
		OK(seq_builder_add(b, &id, CHUNK, zeros ? HOLE : 1, &failure));
		if (zeros)
			i += HOLE - 1;
	}
	OK(seq_builder_finish(b, &ref, &failure));
	seq_builder_free(b);
	fixture_publish(w, refs, 1000, "");
	writer_free(w);
	memcpy(node.id.bytes, ref.id.b, ID_LEN);
	node.height = ref.height;
	node.size = ref.size;
	return node;
}

static void expect_range(struct store_reader *r, uint64_t size, uint64_t off, size_t len)
{
	uint8_t *data = malloc(len + 1);
	const size_t want = off >= size ? 0 : len < size - off ? len : (size_t)(size - off);
	size_t got;

	assert_non_null(data);
	OK(store_reader_seek(r, off, &failure));
	OK(store_reader_read(r, data, len, &got, &failure));
	assert_int_equal(got, want);
	for (size_t i = 0; i < got; i++) {
		if (data[i] != byte_at(off + i))
			fail_msg("byte %llu is wrong", (unsigned long long)(off + i));
	}
	free(data);
}

static void test_content__any_range_equals_the_bytes(void **state)
{
	const struct store_node node = put_content();
	struct store_reader *r;

	(void)state;
	OK(store_reader_open(repo, &node, &r, &failure));
	expect_range(r, node.size, 0, 1);
	expect_range(r, node.size, 0, CHUNK);
	expect_range(r, node.size, CHUNK - 1, 2);
	expect_range(r, node.size, 12345, (size_t)5 * CHUNK);
	expect_range(r, node.size, (uint64_t)CHUNKS * CHUNK - 10, 20);
	expect_range(r, node.size, ((uint64_t)CHUNKS + HOLE) * CHUNK - 10, 20);
	expect_range(r, node.size, node.size - 5, 50);
	expect_range(r, node.size, node.size, 50);
	expect_range(r, node.size, node.size + 1000, 50);
	expect_range(r, node.size, 3, 7);
	store_reader_free(r);
}

static void test_content__a_range_decodes_little_more_than_itself(void **state)
{
	const struct store_node node = put_content();
	struct odb_counts before, after;
	struct store_reader *r;

	(void)state;
	OK(store_reader_open(repo, &node, &r, &failure));
	odb_counts(repo->odb, &before);
	expect_range(r, node.size, 3333333, 1 << 20);
	odb_counts(repo->odb, &after);
	assert_true(after.bytes - before.bytes <= 2u << 20);
	store_reader_free(r);
}

static void test_content__a_hole_is_decoded_once(void **state)
{
	const struct store_node node = put_content();
	struct odb_counts before, after;
	struct store_reader *r;
	size_t got;
	static uint8_t data[300000];

	(void)state;
	OK(store_reader_open(repo, &node, &r, &failure));
	OK(store_reader_seek(r, (uint64_t)CHUNKS * CHUNK, &failure));
	OK(store_reader_read(r, data, 1, &got, &failure));
	odb_counts(repo->odb, &before);
	for (int i = 0; i < 600; i++)
		OK(store_reader_read(r, data, sizeof(data), &got, &failure));
	odb_counts(repo->odb, &after);
	assert_int_equal(after.blocks, before.blocks);
	store_reader_free(r);
}

static void test_content__the_empty_file_needs_nothing_stored(void **state)
{
	struct store_node node = { .kind = STORE_KIND_FILE };
	struct store_reader *r;
	char c;
	size_t got = 1;

	(void)state;
	memcpy(node.id.bytes, hash_empty_file.b, ID_LEN);
	OK(store_reader_open(repo, &node, &r, &failure));
	OK(store_reader_read(r, &c, 1, &got, &failure));
	assert_int_equal(got, 0);
	store_reader_free(r);
}

static void test_content__a_chunk_that_is_missing_is_told_as_such(void **state)
{
	struct store_node node = { .kind = STORE_KIND_FILE, .size = 10 };
	struct store_error err = { 0 };
	struct store_reader *r;
	char data[10];
	size_t got;

	(void)state;
	OK(store_reader_open(repo, &node, &r, &failure));
	assert_int_equal(store_reader_read(r, data, 10, &got, &err), STORE_EMISSING);
	assert_non_null(strstr(err.msg, "chunk 000000000000 is missing"));
	store_reader_free(r);
	node.kind = STORE_KIND_DIR;
	assert_int_equal(store_reader_open(repo, &node, &r, &err), STORE_EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_content__any_range_equals_the_bytes),
		TEST(test_content__a_range_decodes_little_more_than_itself),
		TEST(test_content__a_hole_is_decoded_once),
		TEST(test_content__the_empty_file_needs_nothing_stored),
		TEST(test_content__a_chunk_that_is_missing_is_told_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
