/*
 * Codecs: what was encoded comes back, whatever coder reads it; zlib's own inflate is the oracle of
 * every zlib stream; and hostile bytes never decode to anything but their exact plain bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "data/codec.h"
#include "data/limits.h"
#include "store.h"

enum input { TEXT, CODE, ZEROS, RANDOM, HALF, REPEATED, INPUTS };

static const size_t lens[] = { 0, 1, 2, 31, 32, 33, 100, 1000, 4096, 16384, 65535, 65536, 65537,
	262144, 1000003 };

#define LENS (sizeof(lens) / sizeof(lens[0]))

static const struct codec_options coders[] = {
	{ CODEC_ZLIB, 0, 0, 0 },
	{ CODEC_ZLIB, 1, 0, 0 },
	{ CODEC_ZLIB, 2, 0, 0 },
	{ CODEC_ZLIB, 3, 0, 0 },
	{ CODEC_ZLIB, 4, 0, 0 },
	{ CODEC_ZLIB, 6, 0, 0 },
	{ CODEC_ZLIB, 99, 0, 0 },
	{ CODEC_ZLIB, 0, 1, 0 },
	{ CODEC_ZLIB, 3, 1, 0 },
	{ CODEC_ZSTD, 0, 0, 0 },
	{ CODEC_ZSTD, 9, 0, 0 },
	{ CODEC_ZSTD, 12, 0, 0 },
};

#define CODERS (sizeof(coders) / sizeof(coders[0]))

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x >> 7;
}

static uint8_t make_byte(enum input input, const uint8_t *data, size_t i, size_t len, uint32_t *x)
{
	static const char words[] = "the quick brown fox jumps over the lazy dog, and so on; ";

	switch (input) {
	case TEXT:
		return (uint8_t)
			words[(i + i / 50 * 7 + (next_random(x) % 40 == 0)) % (sizeof(words) - 1)];
	case CODE:
		return (uint8_t)(next_random(x) % 9 * (next_random(x) % 11));
	case RANDOM:
		return (uint8_t)next_random(x);
	case HALF:
		return i < len / 2 ? (uint8_t)next_random(x) : (uint8_t)(i / 64);
	case REPEATED:
		return i < 4000 ? (uint8_t)next_random(x) : data[i - 4000];
	default:
		return 0;
	}
}

/* Caller frees with free. */
static uint8_t *make_input(enum input input, size_t len)
{
	uint8_t *data = malloc(len + 1);
	uint32_t x = 2463534242u + (uint32_t)input;

	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = make_byte(input, data, i, len, &x);
	return data;
}

/* An encoded block in memory of exactly its length, so that a sanitizer sees a byte too many. */
struct block {
	uint8_t *data;
	size_t len;
	enum codec codec;
};

static struct block encode(struct codec_ctx *c, const uint8_t *data, size_t len)
{
	const size_t cap = codec_bound(len);
	uint8_t *out = malloc(cap + 16);
	struct block b;

	assert_non_null(out);
	memset(out + cap, 0xa5, 16);
	assert_int_equal(codec_encode(c, data, len, out, cap, &b.len, &b.codec, NULL), 0);
	for (int i = 0; i < 16; i++)
		assert_int_equal(out[cap + i], 0xa5);
	assert_true(b.codec == CODEC_NONE ? b.len == len : b.len <= len - len / 32);
	assert_true((uint64_t)b.len * LIMIT_RATIO >= len);
	b.data = malloc(b.len + 1);
	assert_non_null(b.data);
	memcpy(b.data, b.codec == CODEC_NONE ? data : out, b.len);
	b.data = realloc(b.data, b.len > 0 ? b.len : 1);
	free(out);
	return b;
}

/* Result of decoding into memory of exactly plain_len bytes; on 0 compared with want. */
static int decode(struct codec_ctx *c, unsigned int codec, const uint8_t *stored, size_t len,
	const uint8_t *want, size_t plain_len)
{
	uint8_t *out = malloc(plain_len > 0 ? plain_len : 1);
	struct store_error err = { 0 };
	int rc;

	assert_non_null(out);
	rc = codec_decode(c, codec, stored, len, out, plain_len, &err);
	assert_int_equal(err.code, rc);
	if (rc == 0)
		assert_memory_equal(out, want, plain_len);
	else
		assert_true(strlen(err.msg) > 0);
	free(out);
	return rc;
}

static void check_with_zlib(const struct block *b, const uint8_t *data, size_t len)
{
	uint8_t *out = malloc(len + 1);
	uLongf out_len = len;
	uLong taken = b->len;

	assert_non_null(out);
	assert_int_equal(uncompress2(out, &out_len, b->data, &taken), Z_OK);
	assert_int_equal(out_len, len);
	assert_int_equal(taken, b->len);
	assert_memory_equal(out, data, len);
	free(out);
}

static struct codec_ctx *new_ctx(enum codec codec, int level, int plain)
{
	const struct codec_options options = { codec, level, plain, 0 };
	struct codec_ctx *c = codec_new(&options);

	assert_non_null(c);
	return c;
}

static void test_codec__names_and_numbers_are_inverse(void **state)
{
	(void)state;
	for (unsigned int i = 0; i <= CODEC_ZSTD; i++)
		assert_int_equal(codec_parse(codec_name(i)), i);
	assert_string_equal(codec_name(CODEC_ZLIB), "zlib");
	assert_null(codec_name(3));
	assert_null(codec_name(UINT32_MAX));
	assert_int_equal(codec_parse("lz4"), STORE_EINVAL);
	assert_int_equal(codec_parse(""), STORE_EINVAL);
	assert_int_equal(codec_parse("ZLIB"), STORE_EINVAL);
	codec_free(NULL);
}

/* One context for all inputs, so that nothing of one block reaches the next. */
static void check_coder(const struct codec_options *options, struct codec_ctx *readers[2])
{
	struct codec_ctx *c = codec_new(options);

	assert_non_null(c);
	for (enum input input = 0; input < INPUTS; input++) {
		for (size_t i = 0; i < LENS; i++) {
			uint8_t *data = make_input(input, lens[i]);
			const struct block b = encode(c, data, lens[i]);

			for (int r = 0; r < 2; r++)
				assert_int_equal(decode(readers[r], b.codec, b.data, b.len, data,
							 lens[i]),
					0);
			assert_int_equal(decode(c, b.codec, b.data, b.len, data, lens[i]), 0);
			if (b.codec == CODEC_ZLIB)
				check_with_zlib(&b, data, lens[i]);
			if (lens[i] >= 1000 && input <= ZEROS)
				assert_true(b.codec != CODEC_NONE);
			if (input == RANDOM)
				assert_int_equal(b.codec, CODEC_NONE);
			free(b.data);
			free(data);
		}
	}
	codec_free(c);
}

static void test_codec__every_coder_round_trips_and_zlib_reads_its_streams(void **state)
{
	struct codec_ctx *readers[2] = { new_ctx(CODEC_NONE, 0, 0), new_ctx(CODEC_NONE, 0, 1) };

	(void)state;
	for (size_t i = 0; i < CODERS; i++)
		check_coder(&coders[i], readers);
	codec_free(readers[0]);
	codec_free(readers[1]);
}

static void test_codec__none_stores_everything_as_it_is(void **state)
{
	struct codec_ctx *c = new_ctx(CODEC_NONE, 0, 0);
	uint8_t *data = make_input(TEXT, 50000);
	const struct block b = encode(c, data, 50000);

	(void)state;
	assert_int_equal(b.codec, CODEC_NONE);
	assert_int_equal(decode(c, CODEC_NONE, b.data, b.len, data, b.len - 1), STORE_ECORRUPT);
	assert_int_equal(decode(c, CODEC_NONE, b.data, b.len - 1, data, b.len), STORE_ECORRUPT);
	assert_int_equal(decode(c, CODEC_NONE, b.data, 0, data, 0), 0);
	free(b.data);
	free(data);
	codec_free(c);
}

/* zstd passes the ratio that readers allow; such a block must be written otherwise. */
static void test_codec__the_largest_block_of_zeros_stays_within_the_ratio(void **state)
{
	uint8_t *data = make_input(ZEROS, LIMIT_BLOCK);

	(void)state;
	for (size_t i = 0; i < CODERS; i++) {
		struct codec_ctx *c = codec_new(&coders[i]);
		const struct block b = encode(c, data, LIMIT_BLOCK);

		assert_int_equal(b.codec, CODEC_ZLIB);
		assert_int_equal(decode(c, b.codec, b.data, b.len, data, LIMIT_BLOCK), 0);
		free(b.data);
		codec_free(c);
	}
	free(data);
}

static void test_codec__an_unknown_codec_is_a_newer_version(void **state)
{
	struct codec_ctx *c = new_ctx(CODEC_ZLIB, 0, 0);

	(void)state;
	assert_int_equal(decode(c, 3, (const uint8_t *)"abc", 3, NULL, 3), STORE_EVERSION);
	assert_int_equal(decode(c, UINT32_MAX, (const uint8_t *)"abc", 3, NULL, 3), STORE_EVERSION);
	codec_free(c);
}

/* --- hostile bytes ---------------------------------------------------------------------------- */

static void check_lengths(struct codec_ctx *c, const struct block *b, const uint8_t *data,
	size_t len)
{
	uint8_t *longer = malloc(b->len + 20);

	assert_non_null(longer);
	memcpy(longer, b->data, b->len);
	for (size_t cut = 0; cut < b->len; cut += cut < 64 || b->len - cut < 64 ? 1 : 53) {
		uint8_t *part = malloc(cut > 0 ? cut : 1);

		assert_non_null(part);
		memcpy(part, b->data, cut);
		assert_int_equal(decode(c, b->codec, part, cut, data, len), STORE_ECORRUPT);
		free(part);
	}
	for (size_t more = 1; more <= 20; more++) {
		memset(longer + b->len, (int)more % 3, more);
		assert_int_equal(decode(c, b->codec, longer, b->len + more, data, len),
			STORE_ECORRUPT);
	}
	for (size_t wrong = 0; wrong < len + 300;
		wrong += wrong + 2 < len || wrong > len + 2 ? 89 : 1) {
		if (wrong != len)
			assert_int_equal(decode(c, b->codec, b->data, b->len, data, wrong),
				STORE_ECORRUPT);
	}
	assert_int_equal(decode(c, b->codec, b->data, b->len, data, len - 1), STORE_ECORRUPT);
	assert_int_equal(decode(c, b->codec, b->data, b->len, data, len + 1), STORE_ECORRUPT);
	free(longer);
}

/* What zlib itself says to a stream: 0 and its len bytes in out, or STORE_ECORRUPT. */
static int ask_zlib(const struct block *b, uint8_t *out, size_t len)
{
	uLongf out_len = len;
	uLong taken = b->len;

	if (uncompress2(out, &out_len, b->data, &taken) != Z_OK || taken != b->len ||
		out_len != len)
		return STORE_ECORRUPT;
	return 0;
}

/*
 * With a flipped bit the reader agrees with zlib.  More a codec cannot promise: Adler-32 lets one
 * flip in some thousands pass (three bytes that change places), zstd frames have no checksum.
 * The block's CRC and the ids find those.
 */
static void check_flips(struct codec_ctx *c, const struct block *b, size_t len)
{
	uint8_t *out = malloc(len), *zlibs = malloc(len);
	size_t refused = 0, tried = 0;

	assert_non_null(out);
	assert_non_null(zlibs);
	for (size_t bit = 0; bit < 8 * b->len; bit += bit < 400 ? 1 : 7) {
		int rc;

		b->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		rc = codec_decode(c, b->codec, b->data, b->len, out, len, NULL);
		if (b->codec == CODEC_ZLIB)
			assert_int_equal(rc, ask_zlib(b, zlibs, len));
		if (b->codec == CODEC_ZLIB && rc == 0)
			assert_memory_equal(out, zlibs, len);
		assert_true(rc == 0 || rc == STORE_ECORRUPT);
		refused += rc != 0;
		tried++;
		b->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(b->codec != CODEC_ZLIB || refused > tried - tried / 50);
	free(out);
	free(zlibs);
}

static void test_codec__damage_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < CODERS; i++) {
		struct codec_ctx *readers[2] = { new_ctx(CODEC_ZLIB, 0, 0),
			new_ctx(CODEC_ZLIB, 0, 1) };
		struct codec_ctx *c = codec_new(&coders[i]);

		for (enum input input = TEXT; input <= CODE; input++) {
			const size_t len = 3000;
			uint8_t *data = make_input(input, len);
			const struct block b = encode(c, data, len);

			assert_int_equal(b.codec, coders[i].codec);
			for (int r = 0; r < 2; r++) {
				check_lengths(readers[r], &b, data, len);
				check_flips(readers[r], &b, len);
			}
			free(b.data);
			free(data);
		}
		codec_free(c);
		codec_free(readers[0]);
		codec_free(readers[1]);
	}
}

static void test_codec__noise_is_refused_as_any_codec(void **state)
{
	uint8_t *noise = make_input(RANDOM, 70000);
	struct codec_ctx *readers[2] = { new_ctx(CODEC_ZLIB, 0, 0), new_ctx(CODEC_ZLIB, 0, 1) };

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		for (unsigned int codec = CODEC_ZLIB; codec <= CODEC_ZSTD; codec++)
			assert_int_equal(decode(readers[i % 2], codec, noise + i * 20, i % 400,
						 NULL, 5000),
				STORE_ECORRUPT);
	}
	codec_free(readers[0]);
	codec_free(readers[1]);
	free(noise);
}

/* A bomb: far more plain bytes than the block says, or may say. */
static void test_codec__bombs_are_refused(void **state)
{
	struct codec_ctx *readers[2] = { new_ctx(CODEC_ZLIB, 0, 0), new_ctx(CODEC_ZLIB, 0, 1) };
	const size_t plain_len = LIMIT_BLOCK + 1;
	uint8_t *zeros = calloc(1, plain_len), *bomb = malloc(compressBound(plain_len));
	uLongf len = compressBound(plain_len);

	(void)state;
	assert_int_equal(compress2(bomb, &len, zeros, plain_len, 9), Z_OK);
	for (int r = 0; r < 2; r++) {
		assert_int_equal(decode(readers[r], CODEC_ZLIB, bomb, len, zeros, plain_len),
			STORE_ECORRUPT);
		assert_int_equal(decode(readers[r], CODEC_ZLIB, bomb, len, zeros, 4096),
			STORE_ECORRUPT);
		assert_int_equal(decode(readers[r], CODEC_ZLIB, bomb, 14, zeros, LIMIT_BLOCK),
			STORE_ECORRUPT);
	}
	len = ZSTD_compress(bomb, len, zeros, LIMIT_BLOCK, 3);
	assert_false(ZSTD_isError(len));
	assert_true(len * LIMIT_RATIO < LIMIT_BLOCK);
	assert_int_equal(decode(readers[0], CODEC_ZSTD, bomb, len, zeros, LIMIT_BLOCK),
		STORE_ECORRUPT);
	assert_int_equal(decode(readers[0], CODEC_ZSTD, bomb, len, zeros, 4096), STORE_ECORRUPT);
	codec_free(readers[0]);
	codec_free(readers[1]);
	free(bomb);
	free(zeros);
}

/* Frames that zstd itself reads but the format forbids. */
static void test_codec__forbidden_zstd_frames_are_refused(void **state)
{
	static const uint8_t skippable[8] = { 0x50, 0x2a, 0x4d, 0x18 };
	struct codec_ctx *c = new_ctx(CODEC_ZSTD, 0, 0);
	ZSTD_CCtx *z = ZSTD_createCCtx();
	uint8_t *data = make_input(CODE, 4000), out[20000];
	size_t n, m;

	(void)state;
	/* without a content size */
	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, 0)));
	n = ZSTD_compress2(z, out, sizeof(out), data, 4000);
	assert_false(ZSTD_isError(n));
	assert_int_equal(decode(c, CODEC_ZSTD, out, n, data, 4000), STORE_ECORRUPT);
	/* two frames, and an ordinary one with a skippable one behind it */
	n = ZSTD_compress(out, sizeof(out), data, 2000, 3);
	m = ZSTD_compress(out + n, sizeof(out) - n, data + 2000, 2000, 3);
	assert_int_equal(decode(c, CODEC_ZSTD, out, n, data, 2000), 0);
	assert_int_equal(decode(c, CODEC_ZSTD, out, n + m, data, 4000), STORE_ECORRUPT);
	memcpy(out + n, skippable, sizeof(skippable));
	assert_int_equal(decode(c, CODEC_ZSTD, out, n + 8, data, 2000), STORE_ECORRUPT);
	ZSTD_freeCCtx(z);
	codec_free(c);
	free(data);
}

static void test_codec__a_zstd_window_over_16_mib_is_refused(void **state)
{
	/* magic; 4-byte content size, window descriptor follows; size 3; last raw block of 3 */
	uint8_t frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x80, 0, 3, 0, 0, 0, 0x19, 0, 0, 'a', 'b',
		'c' };
	struct codec_ctx *c = new_ctx(CODEC_ZSTD, 0, 0);

	(void)state;
	for (unsigned int window = 0; window < 256; window++) {
		frame[5] = (uint8_t)window;
		assert_int_equal(decode(c, CODEC_ZSTD, frame, sizeof(frame), (const uint8_t *)"abc",
					 3),
			window <= 14u << 3 ? 0 : STORE_ECORRUPT);
	}
	codec_free(c);
}

/* --- probe ------------------------------------------------------------------------------------ */

static int probe_of(enum input input, size_t len)
{
	uint8_t *data = make_input(input, len);
	const int answer = codec_probe_incompressible(data, len);

	free(data);
	return answer;
}

static void test_codec__probe_tells_noise_from_the_rest(void **state)
{
	(void)state;
	for (size_t len = 16384; len <= 1 << 20; len = len * 2 + 123) {
		assert_int_equal(probe_of(RANDOM, len), 1);
		assert_int_equal(probe_of(TEXT, len), 0);
		assert_int_equal(probe_of(CODE, len), 0);
		assert_int_equal(probe_of(ZEROS, len), 0);
		assert_int_equal(probe_of(HALF, len), 0);
		assert_int_equal(probe_of(REPEATED, len), 0);
	}
}

static void test_codec__probe_sees_a_deflated_stream_and_reads_no_byte_too_many(void **state)
{
	const size_t plain_len = 1 << 20;
	uint8_t *data = make_input(CODE, plain_len), *out = malloc(compressBound(plain_len));
	uLongf len = compressBound(plain_len);

	(void)state;
	assert_int_equal(compress2(out, &len, data, plain_len, 6), Z_OK);
	assert_int_equal(codec_probe_incompressible(out, len), 1);
	for (size_t n = 0; n < 140000; n += n < 200 ? 1 : 1009) {
		uint8_t *copy = malloc(n > 0 ? n : 1);

		assert_non_null(copy);
		memcpy(copy, out, n);
		(void)codec_probe_incompressible(copy, n);
		free(copy);
	}
	free(out);
	free(data);
}

static void test_codec__data_up_to_plain_max_is_stored_as_it_is(void **state)
{
	const struct codec_options options = { .codec = CODEC_ZLIB, .plain_max = 1000 };
	struct codec_ctx *c = codec_new(&options);
	uint8_t data[1001] = { 0 }, out[4096];

	(void)state;
	assert_non_null(c);
	assert_true(codec_bound(sizeof(data)) <= sizeof(out));
	for (size_t len = 999; len <= 1001; len++) {
		enum codec used = CODEC_ZSTD;
		size_t n = 0;

		assert_int_equal(codec_encode(c, data, len, out, sizeof(out), &n, &used, NULL), 0);
		assert_int_equal(used, len <= 1000 ? CODEC_NONE : CODEC_ZLIB);
	}
	codec_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codec__data_up_to_plain_max_is_stored_as_it_is),
		cmocka_unit_test(test_codec__names_and_numbers_are_inverse),
		cmocka_unit_test(test_codec__every_coder_round_trips_and_zlib_reads_its_streams),
		cmocka_unit_test(test_codec__none_stores_everything_as_it_is),
		cmocka_unit_test(test_codec__the_largest_block_of_zeros_stays_within_the_ratio),
		cmocka_unit_test(test_codec__an_unknown_codec_is_a_newer_version),
		cmocka_unit_test(test_codec__damage_is_found),
		cmocka_unit_test(test_codec__noise_is_refused_as_any_codec),
		cmocka_unit_test(test_codec__bombs_are_refused),
		cmocka_unit_test(test_codec__forbidden_zstd_frames_are_refused),
		cmocka_unit_test(test_codec__a_zstd_window_over_16_mib_is_refused),
		cmocka_unit_test(test_codec__probe_tells_noise_from_the_rest),
		cmocka_unit_test(
			test_codec__probe_sees_a_deflated_stream_and_reads_no_byte_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
