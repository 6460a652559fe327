/*
 * Which coder, whether at all, and what a reader refuses.
 *
 * Encoding: a probe looks at about 1 % of the bytes; then the coder runs with room for 31/32 of the
 * input, so that a result that does not pay ends early.  Either way "none" is an answer, never an
 * error.  No block may hold more than LIMIT_RATIO plain bytes per stored byte, because readers
 * refuse it as a bomb; deflate cannot (1032), zstd can, and such a block is then written as zlib.
 *
 * The probe answers one question: are the bytes as good as random?  Per piece of 64 KiB
 *  1. 16 samples of 32 bytes, evenly spread, are counted in one histogram.  For n = 512 random
 *     bytes the sum of squared counts is n + n (n - 1) / 256 = 1534 with a deviation of 45; coders'
 *     output lies near it, anything with a skewed alphabet far above (text about 15,000, machine
 *     code 8,000).  One sample in a run of one byte already adds 1,000.
 *  2. Bytes that pass may still repeat: the eight-byte words of 256 bytes in the middle are put
 *     into a table, and a word at every 257th byte of the rest is looked up in it.  A piece whose
 *     middle stands in it twice is found.
 * The first piece that looks compressible ends the probe: the coder decides.
 *
 * Measured on one core of an EPYC 7003 over 1.15 GB of files from /usr/bin and /usr/lib in chunks
 * of 64 KiB: it costs 1.6 to 1.8 % of the time that hashing takes (1.3 to 1.9 us for 64 KiB of
 * random bytes, 3 to 6 % there), and the sum of stored bytes grows by 0.11 %; without step 2 by
 * 0.18 %.  Of 51 MB of .gz, .png, .whl and .pack files it sees 96 % of the bytes that do not
 * shrink.  Samples of 64 bytes saw no more and cost half as much again.
 */
#include "data/codec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "data/codec_internal.h"
#include "data/limits.h"

#define ZLIB_LEVEL_DEFAULT 1
#define ZLIB_LEVEL_MAX 9
#define ZSTD_LEVEL_DEFAULT 3
#define ENCODE_MIN 32 /* below, the zlib header and checksum eat any gain */

#define PROBE_MIN 16384 /* below, a coder costs too little to be avoided */
#define PROBE_PIECE ((size_t)64 << 10)
#define PROBE_SAMPLES 16
#define PROBE_SAMPLE 32
#define PROBE_SQUARES_MAX 1760
#define PROBE_DENSE 256
#define PROBE_STRIDE 257 /* odd, so that records of a round length are met at changing places */
#define PROBE_SLOT_BITS 10
#define PROBE_MATCH 16

static const char *const names[] = {
	[CODEC_NONE] = "none",
	[CODEC_ZLIB] = "zlib",
	[CODEC_ZSTD] = "zstd",
};

#define CODEC_COUNT (sizeof(names) / sizeof(names[0]))

struct codec_ctx {
	struct codec_options options;
	struct codec_zlib *zlib;
	struct codec_zstd *zstd;
};

/* --- probe -------------------------------------------------------------------------------- */

/* Sum of squared byte counts over the samples of one piece. */
static uint32_t sample_squares(const uint8_t *p, size_t len)
{
	const size_t step = (len - PROBE_SAMPLE) / (PROBE_SAMPLES - 1);
	uint16_t counts[256] = { 0 };
	uint32_t squares = 0;

	for (size_t s = 0; s < PROBE_SAMPLES; s++) {
		for (size_t i = 0; i < PROBE_SAMPLE; i++)
			squares += 2u * counts[p[s * step + i]]++ + 1; /* (n + 1)^2 - n^2 */
	}
	return squares;
}

static size_t slot_of(const uint8_t *word)
{
	uint64_t v;

	memcpy(&v, word, sizeof(v)); /* the byte order does not matter here */
	return (size_t)(v * 0x9e3779b97f4a7c15u >> (64 - PROBE_SLOT_BITS));
}

/* Does a word of the dense run stand at every PROBE_STRIDE-th byte of [at, end)? */
static bool stands_in(const uint8_t *dense, const uint16_t *slots, const uint8_t *at,
	const uint8_t *end)
{
	for (; end - at >= PROBE_MATCH; at += PROBE_STRIDE) {
		const uint16_t found = slots[slot_of(at)];

		if (found > 0 && memcmp(dense + found - 1, at, PROBE_MATCH) == 0)
			return true;
	}
	return false;
}

/* Does a word of the middle of the piece stand elsewhere in it? */
static bool repeats(const uint8_t *p, size_t len)
{
	const uint8_t *dense = p + len / 2;
	uint16_t slots[1 << PROBE_SLOT_BITS] = {
		0
	}; /* offset in the dense run + 1; the last word with that slot wins */

	for (size_t i = 0; i < PROBE_DENSE; i++)
		slots[slot_of(dense + i)] = (uint16_t)(i + 1);
	return stands_in(dense, slots, p, dense) ||
		stands_in(dense, slots, dense + PROBE_DENSE + PROBE_MATCH, p + len);
}

int codec_probe_incompressible(const void *data, size_t len)
{
	const uint8_t *p = data;

	if (len < PROBE_MIN)
		return 0;
	while (len > 0) {
		/* A short rest belongs to the piece before it. */
		const size_t piece = len < PROBE_PIECE + PROBE_MIN ? len : PROBE_PIECE;

		if (sample_squares(p, piece) > PROBE_SQUARES_MAX || repeats(p, piece))
			return 0;
		p += piece;
		len -= piece;
	}
	return 1;
}

/* --- contexts ----------------------------------------------------------------------------- */

static int clamp_level(int level, int fallback, int max)
{
	if (level <= 0)
		return fallback;
	return level < max ? level : max;
}

static struct codec_zlib *zlib_of(struct codec_ctx *c)
{
	if (c->zlib == NULL) {
		const int level = c->options.codec == CODEC_ZLIB ? c->options.level : 0;

		c->zlib = codec_zlib_new(clamp_level(level, ZLIB_LEVEL_DEFAULT, ZLIB_LEVEL_MAX),
			c->options.force_plain_zlib != 0);
	}
	return c->zlib;
}

static struct codec_zstd *zstd_of(struct codec_ctx *c)
{
	if (c->zstd == NULL) {
		const int level = c->options.codec == CODEC_ZSTD ? c->options.level : 0;

		c->zstd = codec_zstd_new(level == 0 ? ZSTD_LEVEL_DEFAULT : level);
	}
	return c->zstd;
}

static int run_encoder(struct codec_ctx *c, enum codec codec, const void *data, size_t len,
	void *out, size_t cap, size_t *out_len)
{
	if (codec == CODEC_ZSTD && zstd_of(c) != NULL)
		return codec_zstd_encode(c->zstd, data, len, out, cap, out_len);
	if (codec == CODEC_ZLIB && zlib_of(c) != NULL)
		return codec_zlib_encode(c->zlib, data, len, out, cap, out_len);
	return STORE_ENOMEM;
}

static int run_decoder(struct codec_ctx *c, unsigned int codec, const void *stored,
	size_t stored_len, void *out, size_t plain_len)
{
	if (codec == CODEC_ZSTD && zstd_of(c) != NULL)
		return codec_zstd_decode(c->zstd, stored, stored_len, out, plain_len);
	if (codec == CODEC_ZLIB && zlib_of(c) != NULL)
		return codec_zlib_decode(c->zlib, stored, stored_len, out, plain_len);
	return STORE_ENOMEM;
}

/* Lengths no writer can have made: refused before a decoder runs. */
static bool is_bomb(size_t stored_len, size_t plain_len)
{
	return plain_len > LIMIT_BLOCK || stored_len > codec_bound(LIMIT_BLOCK) ||
		plain_len > (uint64_t)stored_len * LIMIT_RATIO;
}

const char *codec_name(unsigned int codec)
{
	return codec < CODEC_COUNT ? names[codec] : NULL;
}

int codec_parse(const char *name)
{
	for (size_t i = 0; i < CODEC_COUNT; i++) {
		if (strcmp(name, names[i]) == 0)
			return (int)i;
	}
	return STORE_EINVAL;
}

struct codec_ctx *codec_new(const struct codec_options *options)
{
	struct codec_ctx *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->options = *options;
	return c;
}

void codec_free(struct codec_ctx *c)
{
	if (c == NULL)
		return;
	codec_zlib_free(c->zlib);
	codec_zstd_free(c->zstd);
	free(c);
}

size_t codec_bound(size_t len)
{
	/* Never less than any coder's own bound, also where it is stopped earlier. */
	return len + len / 128 + 128;
}

int codec_encode(struct codec_ctx *c, const void *data, size_t len, void *out, size_t cap,
	size_t *out_len, enum codec *codec_used, struct store_error *err)
{
	enum codec codec = c->options.codec;
	const size_t most = len - (len + 31) / 32; /* from here on it pays */

	assert(len <= LIMIT_BLOCK && cap >= codec_bound(len));
	(void)cap;
	*codec_used = CODEC_NONE;
	*out_len = len;
	if (codec == CODEC_NONE || len < ENCODE_MIN || len <= c->options.plain_max ||
		codec_probe_incompressible(data, len))
		return 0;
	while (codec != CODEC_NONE) {
		size_t n = 0;
		const int rc = run_encoder(c, codec, data, len, out, most, &n);

		if (rc != 0)
			return store_error_set(err, rc,
				"cannot encode a block of %zu bytes: out of memory", len);
		if (n == 0)
			return 0;
		if (!is_bomb(n, len)) {
			*codec_used = codec;
			*out_len = n;
			return 0;
		}
		codec = codec == CODEC_ZSTD ? CODEC_ZLIB : CODEC_NONE;
	}
	return 0;
}

int codec_decode(struct codec_ctx *c, unsigned int codec, const void *stored, size_t stored_len,
	void *out, size_t plain_len, struct store_error *err)
{
	int rc;

	if (codec >= CODEC_COUNT)
		return store_error_set(err, STORE_EVERSION,
			"unknown codec %u: a newer version wrote it", codec);
	if (codec == CODEC_NONE) {
		if (stored_len != plain_len)
			return store_error_set(err, STORE_ECORRUPT,
				"block of %zu bytes stands for %zu", stored_len, plain_len);
		if (plain_len > 0)
			memcpy(out, stored, plain_len);
		return 0;
	}
	if (is_bomb(stored_len, plain_len))
		return store_error_set(err, STORE_ECORRUPT, "%s block of %zu bytes claims %zu",
			names[codec], stored_len, plain_len);
	rc = run_decoder(c, codec, stored, stored_len, out, plain_len);
	if (rc == STORE_ENOMEM)
		return store_error_set(err, rc, "cannot decode a block of %zu bytes: out of memory",
			plain_len);
	if (rc != 0)
		return store_error_set(err, rc, "%s block of %zu bytes does not decode to %zu",
			names[codec], stored_len, plain_len);
	return 0;
}
