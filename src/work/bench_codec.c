/*
 * Coders, in the blocks of 256 KiB that packs have: every codec at the levels worth asking for, on
 * text; and what it costs to find that random bytes are not worth a coder. The limit is a copy of
 * the same blocks.
 *
 * A slow level goes through less in a round, so that all take about as long. Reading goes through
 * what the last round of blocks was written as.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/codec.h"
#include "work/bench_internal.h"

#define BLOCK ((size_t)256 << 10)
#define INPUT ((size_t)4 << 20) /* what is written is kept until it is read */
#define BLOCKS (INPUT / BLOCK)

static const struct {
	enum codec codec;
	int level;
	unsigned int part; /* of a round that it goes through: one in so many bytes */
} levels[] = {
	{ CODEC_ZLIB, 1, 1 },
	{ CODEC_ZLIB, 3, 4 },
	{ CODEC_ZLIB, 6, 16 },
	{ CODEC_ZLIB, 9, 16 },
	{ CODEC_ZSTD, 1, 1 },
	{ CODEC_ZSTD, 3, 1 },
	{ CODEC_ZSTD, 9, 16 },
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

struct coding {
	uint8_t *out; /* cap bytes for each of the blocks */
	size_t cap, len[BLOCKS];
	enum codec used[BLOCKS];
	uint8_t *back;   /* a block that was read */
	size_t input, n; /* bytes of input, and blocks of it */
	struct bench_case *cases;
};

static size_t block_len(const struct coding *g, size_t i)
{
	return g->input - i * BLOCK < BLOCK ? g->input - i * BLOCK : BLOCK;
}

/* How often a round goes through the input. */
static uint64_t passes(const struct bench *b, const struct coding *g, unsigned int part)
{
	const uint64_t n = b->o.size / part / g->input;

	return n ? n : 1;
}

static int run_copy(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct coding *g = ctx;
	const uint64_t n = passes(b, g, 1);
	int rc = 0;

	(void)c;
	bench_start(b);
	for (uint64_t p = 0; rc == 0 && p < n; p++) {
		for (size_t i = 0; i < g->n; i++) {
			memcpy(g->back, b->text + i * BLOCK, block_len(g, i));
			/* The copy is looked at, as far as the compiler knows. */
			__asm__("" : : "r"(g->back) : "memory");
		}
		rc = bench_tick(b, err);
	}
	bench_stop(b);
	bench_note(b, 0, (double)(n * g->input));
	return rc;
}

static int encode(struct bench *b, struct coding *g, struct codec_ctx *codec, const uint8_t *data,
	uint64_t n, struct store_error *err)
{
	int rc = 0;

	bench_start(b);
	for (uint64_t p = 0; rc == 0 && p < n; p++) {
		for (size_t i = 0; rc == 0 && i < g->n; i++) {
			rc = codec_encode(codec, data + i * BLOCK, block_len(g, i),
				g->out + i * g->cap, g->cap, &g->len[i], &g->used[i], err);
			if (rc == 0)
				rc = bench_tick(b, err);
		}
	}
	bench_stop(b);
	bench_note(b, 0, (double)(n * g->input));
	return rc;
}

static int decode(struct bench *b, struct coding *g, struct codec_ctx *codec, uint64_t n,
	struct store_error *err)
{
	int rc = 0;

	bench_start(b);
	for (uint64_t p = 0; rc == 0 && p < n; p++) {
		for (size_t i = 0; rc == 0 && i < g->n; i++) {
			const bool is_plain = g->used[i] == CODEC_NONE;

			rc = codec_decode(codec, g->used[i],
				is_plain ? b->text + i * BLOCK : g->out + i * g->cap, g->len[i],
				g->back, block_len(g, i), err);
		}
		if (rc == 0)
			rc = bench_tick(b, err);
	}
	bench_stop(b);
	bench_note(b, 1, (double)(n * g->input));
	return rc;
}

/* Its memory is made by a first block, which does not count. */
static int warm(struct bench *b, struct coding *g, struct codec_ctx *codec, struct store_error *err)
{
	return codec_encode(codec, b->text, block_len(g, 0), g->out, g->cap, &g->len[0],
		&g->used[0], err);
}

static struct codec_ctx *new_codec(enum codec codec, int level)
{
	const struct codec_options options = { .codec = codec, .level = level };

	return codec_new(&options);
}

static int run_level(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	struct coding *g = ctx;
	struct codec_ctx *codec = new_codec(levels[c->arg].codec, levels[c->arg].level);
	size_t stored = 0;
	int rc = codec ? warm(b, g, codec, err)
		       : store_error_set(err, STORE_ENOMEM, "out of memory");

	if (rc == 0)
		rc = encode(b, g, codec, b->text, passes(b, g, levels[c->arg].part), err);
	if (rc == 0)
		rc = decode(b, g, codec, passes(b, g, 1), err);
	for (size_t i = 0; rc == 0 && i < g->n; i++)
		stored += g->len[i];
	if (rc == 0)
		g->cases[b->at].ratio = (double)g->input / (double)stored;
	codec_free(codec);
	return rc;
}

static int run_probe(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	struct coding *g = ctx;
	struct codec_ctx *codec = new_codec(CODEC_ZLIB, 0);
	int rc = codec ? warm(b, g, codec, err)
		       : store_error_set(err, STORE_ENOMEM, "out of memory");

	(void)c;
	if (rc == 0)
		rc = encode(b, g, codec, b->random, passes(b, g, 1), err);
	codec_free(codec);
	return rc;
}

int bench_codec(struct bench *b, struct store_error *err)
{
	struct bench_case cases[2 + 2 * LEVELS];
	const struct bench_case copy = { .run = run_copy, .is_limit = true };
	const struct bench_case probe = { .run = run_probe, .limits = { 1 } };
	struct coding g = { .cap = codec_bound(BLOCK), .cases = cases };
	size_t n = 0;
	int rc;

	g.input = b->input_len < INPUT ? b->input_len : INPUT;
	g.n = (g.input + BLOCK - 1) / BLOCK;
	g.out = mem_alloc_array(g.n, g.cap);
	g.back = mem_alloc_array(BLOCK, 1);
	bench_add(cases, &n, copy, "copying memory, one thread");
	for (size_t i = 0; i < LEVELS; i++) {
		const struct bench_case write = { .run = run_level,
			.arg = (int)i,
			.limits = { 1 } };
		const struct bench_case read = { .limits = { 1 } };

		bench_add(cases, &n, write, "%s %d, text, written", codec_name(levels[i].codec),
			levels[i].level);
		bench_add(cases, &n, read, "%s %d, text, read", codec_name(levels[i].codec),
			levels[i].level);
	}
	bench_add(cases, &n, probe, "random, found not to shrink");
	rc = g.out && g.back ? bench_measure(b, cases, n, &g, err)
			     : store_error_set(err, STORE_ENOMEM, "out of memory");
	free(g.out);
	free(g.back);
	return rc;
}
