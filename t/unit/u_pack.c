/*
 * Blocks, footers and names of packs: what is encoded decodes to the same; every byte of damage is
 * found; none crashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "data/crc32c.h"
#include "data/hash.h"
#include "data/limits.h"
#include "odb/pack.h"

static uint64_t seed = 1;

/* The block that was made last. */
static struct buf wire;

static uint32_t dice(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

/* A block of count objects of many lengths, compressible or not. */
static void make_block(struct pack_block *b, enum codec codec, size_t count)
{
	const struct codec_options options = { .codec = codec };
	struct codec_ctx *ctx = codec_new(&options);
	struct hash *h = hash_new();
	uint8_t data[300];

	assert_non_null(ctx);
	assert_non_null(h);
	pack_block_clear(b);
	for (size_t i = 0; i < count; i++) {
		const size_t len = 1 + dice(sizeof(data));
		struct oid id;

		for (size_t k = 0; k < len; k++)
			data[k] = (uint8_t)(codec == CODEC_NONE ? dice(256) : dice(3));
		hash_once(h, data, len, &id);
		assert_int_equal(pack_block_add(b, &id, KIND_CHUNK, data, len, NULL), 0);
	}
	buf_clear(&wire);
	assert_int_equal(pack_block_encode(b, ctx, NULL, 0, &wire, NULL), 0);
	codec_free(ctx);
	hash_free(h);
}

/* As a reader does it: header, bounds, length, checksum, table. */
static int take_block(const uint8_t *data, size_t len, struct pack_block_info *info)
{
	struct store_error err = { 0 };
	uint32_t *lens;
	int rc;

	if (len < PACK_BLOCK_HEADER)
		return STORE_ECORRUPT;
	rc = pack_block_parse(data, info, &err);
	if (rc == 0 && pack_block_length(info) > len) {
		/* Longer than what there is: the reader has not got the bytes. */
		return STORE_ECORRUPT;
	}
	if (rc == 0) {
		lens = malloc(((size_t)info->count + 1) * sizeof(*lens));
		assert_non_null(lens);
		rc = pack_block_check(data, len, info, lens, &err);
		free(lens);
	}
	if (rc != 0)
		assert_int_not_equal(err.msg[0], 0);
	return rc;
}

static void test_pack__blocks_come_back_whole(void **state)
{
	static const enum codec codecs[] = { CODEC_NONE, CODEC_ZLIB, CODEC_ZSTD };
	struct pack_block b = { 0 };

	(void)state;
	pack_block_init(&b, PACK_CONTENT);
	for (size_t i = 0; i < 3; i++) {
		const struct codec_options options = { .codec = codecs[i] };
		struct codec_ctx *ctx = codec_new(&options);
		struct pack_block_info info = { 0 };
		uint32_t lens[40];
		uint8_t *plain;

		make_block(&b, codecs[i], 40);
		assert_int_equal(take_block(wire.data, wire.len, &info), 0);
		assert_int_equal(info.codec, codecs[i]);
		assert_int_equal(info.class, PACK_CONTENT);
		assert_int_equal(info.count, 40);
		assert_int_equal(info.plain, b.plain.len);
		assert_int_equal(info.crc, b.crc);
		assert_int_equal(pack_block_check(wire.data, wire.len, &info, lens, NULL), 0);
		for (size_t k = 0; k < 40; k++)
			assert_int_equal(lens[k], b.objects[k].len);
		plain = malloc(info.plain);
		assert_non_null(plain);
		assert_int_equal(codec_decode(ctx, info.codec, pack_block_stored(wire.data, &info),
					 info.stored, plain, info.plain, NULL),
			0);
		assert_memory_equal(plain, b.plain.data, info.plain);
		free(plain);
		codec_free(ctx);
	}
	pack_block_release(&b);
}

/* More than the format has room for is refused before it is copied, and leaves the block as it was.
 */
static void test_pack__what_no_reader_would_take_is_not_added(void **state)
{
	uint8_t *data = calloc(1, LIMIT_BLOCK);
	const struct oid id = { { 0 } };
	struct pack_block b;

	(void)state;
	assert_non_null(data);
	pack_block_init(&b, PACK_RECORDS);
	assert_int_equal(pack_block_add(&b, &id, KIND_STAGE, data, 0, NULL), STORE_EINVAL);
	assert_int_equal(pack_block_add(&b, &id, KIND_STAGE, data, LIMIT_OBJECT + 1, NULL),
		STORE_EINVAL);
	assert_int_equal(b.count, 0);
	assert_int_equal(pack_block_add(&b, &id, KIND_STAGE, data, LIMIT_OBJECT, NULL), 0);
	assert_int_equal(pack_block_add(&b, &id, KIND_STAGE, data, 2, NULL), STORE_EINVAL);
	assert_int_equal(pack_block_add(&b, &id, KIND_STAGE, data, 1, NULL), 0);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.plain.len, LIMIT_BLOCK);
	pack_block_release(&b);
	free(data);
}

static void test_pack__every_damaged_byte_of_a_block_is_found(void **state)
{
	struct pack_block_info info;
	struct pack_block b;

	(void)state;
	pack_block_init(&b, PACK_NODES);
	for (int codec = CODEC_NONE; codec <= CODEC_ZSTD; codec++) {
		make_block(&b, (enum codec)codec, 9);
		for (size_t i = 0; i < wire.len; i++) {
			for (int bit = 0; bit < 8; bit++) {
				uint8_t *copy = malloc(wire.len);
				int rc;

				assert_non_null(copy);
				memcpy(copy, wire.data, wire.len);
				copy[i] ^= (uint8_t)(1 << bit);
				rc = take_block(copy, wire.len, &info);
				if (rc != STORE_ECORRUPT && !(i == 5 && rc == STORE_EVERSION))
					fail_msg("byte %zu bit %d: %d", i, bit, rc);
				free(copy);
			}
		}
		for (size_t cut = 0; cut < wire.len; cut++) {
			uint8_t *copy = malloc(cut + 1);

			assert_non_null(copy);
			memcpy(copy + 1, wire.data, cut);
			assert_int_equal(take_block(copy + 1, cut, &info), STORE_ECORRUPT);
			free(copy);
		}
	}
	pack_block_release(&b);
}

/* A liar computes checksums, too. */
static void sign_block(uint8_t *block, size_t len)
{
	le32_put(block + 28,
		crc32c(crc32c(0, block, 28), block + PACK_BLOCK_HEADER, len - PACK_BLOCK_HEADER));
}

static void test_pack__block_headers_that_lie_are_refused_before_anything_is_allocated(void **state)
{
	static const struct {
		size_t off;
		uint32_t value;
		int rc;
	} lies[] = {
		{ 8, 0, STORE_ECORRUPT },
		{ 8, LIMIT_BLOCK + 1, STORE_ECORRUPT },
		{ 8, 0xffffffff, STORE_ECORRUPT },
		{ 12, 0, STORE_ECORRUPT },
		{ 12, 0xffffffff, STORE_ECORRUPT },
		{ 16, 0, STORE_ECORRUPT },
		{ 16, 0xffffffff, STORE_ECORRUPT },
		{ 16, LIMIT_BLOCK_OBJECTS + 1, STORE_ECORRUPT },
		{ 20, 0, STORE_ECORRUPT },
		{ 20, 0xffffffff, STORE_ECORRUPT },
		{ 24, 1, STORE_ECORRUPT },
	};
	struct pack_block_info info;
	struct pack_block b;

	(void)state;
	pack_block_init(&b, PACK_CONTENT);
	make_block(&b, CODEC_NONE, 5);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint8_t h[PACK_BLOCK_HEADER];

		memcpy(h, wire.data, sizeof(h));
		le32_put(h + lies[i].off, lies[i].value);
		assert_int_equal(pack_block_parse(h, &info, NULL), lies[i].rc);
	}
	/* Exactly as many objects as a block may have, and one more. */
	le32_put(wire.data + 8, LIMIT_BLOCK);
	le32_put(wire.data + 12, LIMIT_BLOCK);
	le32_put(wire.data + 16, LIMIT_BLOCK_OBJECTS);
	le32_put(wire.data + 20, LIMIT_BLOCK_OBJECTS);
	assert_int_equal(pack_block_parse(wire.data, &info, NULL), 0);
	le32_put(wire.data + 16, LIMIT_BLOCK_OBJECTS + 1);
	le32_put(wire.data + 20, LIMIT_BLOCK_OBJECTS + 1);
	assert_int_equal(pack_block_parse(wire.data, &info, NULL), STORE_ECORRUPT);
	/* The ratio: 16 MiB in a few bytes. */
	le32_put(wire.data + 8, LIMIT_BLOCK);
	le32_put(wire.data + 12, LIMIT_BLOCK / LIMIT_RATIO - 1);
	assert_int_equal(pack_block_parse(wire.data, &info, NULL), STORE_ECORRUPT);
	pack_block_release(&b);
}

static void test_pack__signed_length_tables_that_lie_are_refused(void **state)
{
	struct pack_block b;
	size_t accepted = 0;

	(void)state;
	pack_block_init(&b, PACK_CONTENT);
	make_block(&b, CODEC_NONE, 12);
	for (int round = 0; round < 20000; round++) {
		uint8_t *copy = malloc(wire.len);
		struct pack_block_info info;
		uint32_t lens[64], sum = 0;

		assert_non_null(copy);
		memcpy(copy, wire.data, wire.len);
		for (uint32_t n = 1 + dice(3); n > 0; n--)
			copy[PACK_BLOCK_HEADER + dice(20)] = (uint8_t)dice(256);
		sign_block(copy, wire.len);
		assert_int_equal(pack_block_parse(copy, &info, NULL), 0);
		assert_true(info.count <= 64);
		if (pack_block_check(copy, wire.len, &info, lens, NULL) == 0) {
			accepted++;
			for (uint32_t i = 0; i < info.count; i++) {
				assert_true(lens[i] > 0);
				sum += lens[i];
			}
			assert_int_equal(sum, info.plain);
		}
		free(copy);
	}
	assert_true(accepted < 20000);
	pack_block_release(&b);
}

/* ---- footers */

#define BLOCKS 4
#define ROWS 60

static uint64_t make_index(struct pack_index *x, struct buf *out)
{
	uint64_t off = PACK_HEADER;

	memset(x, 0, sizeof(*x));
	x->blocks = calloc(BLOCKS, sizeof(*x->blocks));
	x->rows = calloc(ROWS, sizeof(*x->rows));
	assert_non_null(x->blocks);
	assert_non_null(x->rows);
	x->block_count = BLOCKS;
	x->count = ROWS;
	for (size_t i = 0; i < BLOCKS; i++) {
		x->blocks[i] = (struct pack_block_row){ off, 100 + (uint32_t)i, 5000,
			dice(1u << 30) };
		off += x->blocks[i].length;
	}
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t k = 0; k < ID_LEN; k++)
			x->rows[i].id.b[k] = (uint8_t)dice(256);
		x->rows[i].block = (uint32_t)i % BLOCKS;
		x->rows[i].off = (uint32_t)i * 70;
		x->rows[i].len = 70;
		x->rows[i].kind = KIND_CHUNK;
	}
	pack_index_sort(x);
	buf_clear(out);
	assert_int_equal(pack_index_encode(x, off, out, NULL), 0);
	return off;
}

/* Parse an exact copy, so that a sanitizer sees a read behind the end; what passes is sound. */
static int take_index(const uint8_t *data, size_t len, uint64_t off)
{
	struct store_error err = { 0 };
	struct pack_index x = { 0 };
	uint8_t *copy = malloc(len + (len == 0));
	int rc;

	assert_non_null(copy);
	memcpy(copy, data, len);
	rc = pack_index_parse(&x, copy, len, off, &err);
	for (size_t i = 0; rc == 0 && i < x.count; i++) {
		const struct pack_row *r = &x.rows[i];

		assert_true(r->block < x.block_count);
		assert_true((uint64_t)r->off + r->len <= x.blocks[r->block].plain);
		assert_true(i == 0 || id_cmp(&x.rows[i - 1].id, &r->id) < 0);
	}
	if (rc != 0)
		assert_int_not_equal(err.msg[0], 0);
	pack_index_release(&x);
	free(copy);
	return rc;
}

static void sign_index(uint8_t *data, size_t len)
{
	struct hash *h = hash_new();
	struct oid digest;

	hash_once(h, data, len - 40, &digest);
	memcpy(data + len - 40, digest.b, ID_LEN);
	hash_free(h);
}

static void test_pack__footers_come_back_whole(void **state)
{
	struct pack_index x, y = { 0 };
	struct buf out = { 0 };
	const uint64_t off = make_index(&x, &out);

	(void)state;
	assert_int_equal(pack_index_parse(&y, out.data, out.len, off, NULL), 0);
	assert_int_equal(y.count, x.count);
	assert_int_equal(y.block_count, x.block_count);
	assert_true(id_eq(&x.digest, &y.digest));
	for (size_t i = 0; i < x.count; i++) {
		assert_true(id_eq(&x.rows[i].id, &y.rows[i].id));
		assert_int_equal(x.rows[i].block, y.rows[i].block);
		assert_int_equal(x.rows[i].off, y.rows[i].off);
		assert_int_equal(x.rows[i].len, y.rows[i].len);
		assert_int_equal(x.rows[i].kind, y.rows[i].kind);
	}
	for (size_t i = 0; i < x.block_count; i++) {
		assert_int_equal(x.blocks[i].off, y.blocks[i].off);
		assert_int_equal(x.blocks[i].length, y.blocks[i].length);
		assert_int_equal(x.blocks[i].crc, y.blocks[i].crc);
	}
	pack_index_release(&x);
	pack_index_release(&y);
	buf_release(&out);
}

static void test_pack__every_damaged_byte_of_a_footer_is_found(void **state)
{
	struct pack_index x;
	struct buf out = { 0 };
	const uint64_t off = make_index(&x, &out);

	(void)state;
	for (size_t i = 0; i < out.len; i++) {
		for (int bit = 0; bit < 8; bit += 3) {
			out.data[i] ^= (uint8_t)(1 << bit);
			if (take_index(out.data, out.len, off) != STORE_ECORRUPT)
				fail_msg("byte %zu bit %d passes", i, bit);
			out.data[i] ^= (uint8_t)(1 << bit);
		}
	}
	for (size_t cut = 0; cut < out.len; cut++)
		assert_int_equal(take_index(out.data, cut, off), STORE_ECORRUPT);
	assert_int_equal(take_index(out.data, out.len, off + 1), STORE_ECORRUPT);
	assert_int_equal(take_index(out.data, out.len, off), 0);
	pack_index_release(&x);
	buf_release(&out);
}

static void test_pack__signed_footers_that_lie_are_refused_or_sound(void **state)
{
	struct pack_index x;
	struct buf out = { 0 };
	const uint64_t off = make_index(&x, &out);
	size_t refused = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint8_t *copy = malloc(out.len);
		const size_t at = dice((uint32_t)out.len - 40);

		assert_non_null(copy);
		memcpy(copy, out.data, out.len);
		copy[at] = (uint8_t)dice(256);
		if (dice(2))
			le32_put(copy + (at > 4 ? at - 4 : 0), dice(2) ? 0xffffffff : dice(8));
		sign_index(copy, out.len);
		refused += take_index(copy, out.len, off) != 0;
		free(copy);
	}
	assert_true(refused > 5000);
	pack_index_release(&x);
	buf_release(&out);
}

static void test_pack__of_equal_ids_the_first_in_the_pack_stays(void **state)
{
	struct pack_index x = { 0 };

	(void)state;
	x.count = x.cap = 3;
	x.rows = calloc(3, sizeof(*x.rows));
	assert_non_null(x.rows);
	x.rows[0] = (struct pack_row){ .id = { { 7 } }, .block = 2, .off = 1, .len = 5 };
	x.rows[1] = (struct pack_row){ .id = { { 7 } }, .block = 1, .off = 9, .len = 5 };
	x.rows[2] = (struct pack_row){ .id = { { 3 } }, .block = 3, .off = 0, .len = 5 };
	pack_index_sort(&x);
	assert_int_equal(x.count, 2);
	assert_int_equal(x.rows[0].id.b[0], 3);
	assert_int_equal(x.rows[1].block, 1);
	pack_index_release(&x);
}

static void test_pack__names_are_numbers_and_random_bits_and_nothing_else(void **state)
{
	static const char *const bad[] = { "", "x", "0000000000000001",
		"0000000000000001-0011223344556677889900112233445",
		"0000000000000001-001122334455667788990011223344556",
		"0000000000000001_00112233445566778899001122334455",
		"000000000000000A-00112233445566778899001122334455",
		"0000000000000001-0011223344556677889900112233445g",
		" 000000000000001-00112233445566778899001122334455" };
	uint8_t random[16], back[16];
	char name[PACK_NAME];
	uint64_t number;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		const uint64_t n = (uint64_t)dice(1u << 31) << dice(33);

		for (size_t k = 0; k < 16; k++)
			random[k] = (uint8_t)dice(256);
		pack_name(name, n, random);
		assert_int_equal(strlen(name), PACK_NAME - 1);
		assert_true(pack_name_parse(name, &number, back));
		assert_true(number == n);
		assert_memory_equal(random, back, 16);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(pack_name_parse(bad[i], &number, back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack__blocks_come_back_whole),
		cmocka_unit_test(test_pack__what_no_reader_would_take_is_not_added),
		cmocka_unit_test(test_pack__every_damaged_byte_of_a_block_is_found),
		cmocka_unit_test(
			test_pack__block_headers_that_lie_are_refused_before_anything_is_allocated),
		cmocka_unit_test(test_pack__signed_length_tables_that_lie_are_refused),
		cmocka_unit_test(test_pack__footers_come_back_whole),
		cmocka_unit_test(test_pack__every_damaged_byte_of_a_footer_is_found),
		cmocka_unit_test(test_pack__signed_footers_that_lie_are_refused_or_sound),
		cmocka_unit_test(test_pack__of_equal_ids_the_first_in_the_pack_stays),
		cmocka_unit_test(test_pack__names_are_numbers_and_random_bits_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
