/*
 * Chunk borders.
 *
 * The rule is a pure function of the 64 bytes up to the decision (chunker.h), and min is never
 * below 64, so the first decision of a chunk, at its byte min - 1, needs no byte from before the
 * chunk and none of its first min - 64.  Both kernels therefore start 63 bytes before that decision
 * with h = 0: what those bytes leave out has been shifted away.  Hence cuts cannot depend on how a
 * caller splits its input, and no state travels between calls.
 *
 * No table entry lets a run of one byte value cut, so zeros give chunks of max bytes and one row of
 * a sequence node.
 *
 * Measured on one core of an EPYC 7003, random bytes, GB/s of input with the skipped bytes counted,
 * average 4 KiB / 64 KiB / 1 MiB, gcc 12 and clang 14 at -O2:
 *
 *	plain loop		2.0 / 2.1 / 2.4		1.7 / 1.8 / 2.2
 *	unrolled by 8		3.8 / 4.2 / 5.0		2.0 / 2.1 / 2.5
 *	the same, pinned	3.8 / 4.2 / 5.0		3.7 / 4.1 / 5.1		taken
 *	two bytes per step	3.4 / 3.8 / 4.6		2.4 / 2.6 / 3.1
 *	two lanes of 1 KiB	2.7 / 3.4 / 4.0		2.4 / 3.1 / 3.7
 *	four lanes of 512 B	2.2 / 2.7 / 3.3		2.4 / 3.1 / 3.9
 *
 * "Pinned" is the empty asm below.  It keeps the table entry in a register, so that the step
 * becomes one lea of one cycle; without it clang adds from memory in two.  With a chain of one
 * cycle per byte the loads are the limit already, and lanes only add their warm-up of 63 bytes and
 * the work behind a cut.
 */
#include "data/chunker.h"

#include "base/error.h"
#include "data/chunker_internal.h"

#define UNROLL 8

/* h over the 63 bytes before data[at], or over all of them at the beginning of the file. */
static uint64_t hash_before(const uint8_t *data, size_t at)
{
	uint64_t h = 0;

	for (size_t i = at < CHUNKER_WINDOW ? 0 : at - (CHUNKER_WINDOW - 1); i < at; i++)
		h = (h << 1) + chunker_gear[data[i]];
	return h;
}

/* h with one byte more. */
static inline uint64_t step(uint64_t h, uint8_t byte)
{
	uint64_t entry = chunker_gear[byte];

	__asm__("" : "+r"(entry));
	return (h << 1) + entry;
}

/* Position of the first byte in [at, end) after which the window cuts, or end. */
static size_t find_cut(const uint8_t *data, size_t at, size_t end, uint64_t threshold)
{
	uint64_t h = hash_before(data, at);

	for (; end - at >= UNROLL; at += UNROLL) {
#pragma GCC unroll 8
		for (size_t i = 0; i < UNROLL; i++) {
			h = step(h, data[at + i]);
			if (__builtin_expect(h < threshold, 0))
				return at + i;
		}
	}
	for (; at < end; at++) {
		h = step(h, data[at]);
		if (h < threshold)
			break;
	}
	return at;
}

static size_t find_cut_plain(const uint8_t *data, size_t at, size_t end, uint64_t threshold)
{
	uint64_t h = hash_before(data, at);

	for (; at < end; at++) {
		h = (h << 1) + chunker_gear[data[at]];
		if (h < threshold)
			break;
	}
	return at;
}

typedef size_t (*find_fn)(const uint8_t *data, size_t at, size_t end, uint64_t threshold);

static inline size_t next_with(find_fn find, const struct chunker_params *p, const uint8_t *data,
	size_t len, size_t start)
{
	size_t have, scan, at;

	if (start > len || len - start < p->min)
		return 0;
	have = len - start;
	scan = have < p->max ? have : p->max;
	at = find(data, start + p->min - 1, start + scan, p->threshold);
	if (at < start + scan)
		return at + 1 - start;
	return scan == p->max ? p->max : 0;
}

int chunker_params_init(struct chunker_params *p, uint32_t avg)
{
	if (avg < CHUNKER_AVG_MIN || avg > CHUNKER_AVG_MAX || (avg & (avg - 1)) != 0)
		return STORE_EINVAL;
	p->avg = avg;
	p->min = avg / 4;
	p->max = avg * 4;
	/* avg - min has the factor 3, so 2^64 and 2^64 - 1 have the same quotient. */
	p->threshold = UINT64_MAX / (p->avg - p->min);
	return 0;
}

const uint64_t *chunker_table(void)
{
	return chunker_gear;
}

size_t chunker_next(const struct chunker_params *p, const uint8_t *data, size_t len, size_t start)
{
	return next_with(find_cut, p, data, len, start);
}

size_t chunker_next_plain(const struct chunker_params *p, const uint8_t *data, size_t len,
	size_t start)
{
	return next_with(find_cut_plain, p, data, len, start);
}

const struct chunker_kernel *chunker_kernel(size_t pos)
{
	static const struct chunker_kernel kernels[] = {
		{ "unrolled", chunker_next },
		{ "plain", chunker_next_plain },
	};

	return pos < sizeof(kernels) / sizeof(kernels[0]) ? &kernels[pos] : NULL;
}

bool chunker_cuts_at(const struct chunker_params *p, const uint8_t *data, size_t end)
{
	if (end == 0)
		return false;
	return (hash_before(data, end - 1) << 1) + chunker_gear[data[end - 1]] < p->threshold;
}
