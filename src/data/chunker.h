/*
 * Content-defined chunk borders: a gear hash over a pure window of 64 bytes.
 *
 *     h(i) = (h(i-1) << 1) + T[byte i]  mod 2^64, h before the first byte of the FILE = 0
 *
 * After 64 shifts a byte has left h, so the decision at i depends on bytes i-63..i of the file and
 * nothing else. Cut after byte i iff length >= min and h(i) < floor(2^64 / (avg - min)), or at max.
 * Source: gear hashing, Xia et al., "Ddelta: a deduplication-inspired fast delta compression
 * approach", 2014; the pure window and the threshold are ours.
 */
#ifndef STORE_DATA_CHUNKER_H
#define STORE_DATA_CHUNKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNKER_WINDOW 64
#define CHUNKER_AVG_MIN 256u
#define CHUNKER_AVG_MAX (2u << 20)
#define CHUNKER_AVG_DEFAULT (64u << 10)

struct chunker_params {
	uint32_t avg;       /* power of two, CHUNKER_AVG_MIN..CHUNKER_AVG_MAX */
	uint32_t min, max;  /* avg / 4, avg * 4 */
	uint64_t threshold; /* floor(2^64 / (avg - min)) */
};

/* Returns 0, or STORE_EINVAL when avg is no power of two in range. */
int chunker_params_init(struct chunker_params *p, uint32_t avg);

/* The 256 table entries, computed at build or first use; the same on every machine. */
const uint64_t *chunker_table(void);

/*
 * Find the end of the chunk that starts at data[start].
 *   data: len bytes of the file; data[0] is the file's first byte or at least CHUNKER_WINDOW bytes
 * lie before start (context). start: offset of the chunk's first byte in data; 0 only at the
 * beginning of the file, or >= CHUNKER_WINDOW, or all bytes of the file before it are in data.
 * Returns the chunk's length in [min, max], or 0 when data ends before a cut: call again with more
 * bytes after the same start (or, at the end of the file, take the rest as the last chunk).
 * Pure; reads nothing in the first min - 64 bytes of the chunk. Cuts depend on the bytes alone,
 * never on how the caller split the input.
 */
size_t chunker_next(const struct chunker_params *p, const uint8_t *data, size_t len, size_t start);

/* The plain loop that every faster kernel must equal, for every input. */
size_t chunker_next_plain(const struct chunker_params *p, const uint8_t *data, size_t len,
	size_t start);

/* A way to find cuts that this processor can run; next as chunker_next. */
struct chunker_kernel {
	const char *name;
	size_t (*next)(const struct chunker_params *p, const uint8_t *data, size_t len,
		size_t start);
};

/* By position, the one that chunker_next is first; NULL behind the last. */
const struct chunker_kernel *chunker_kernel(size_t pos);

/*
 * Would a chunk that starts at start and is len bytes long end at a border found by content? True
 * iff the window ending at start+len-1 cuts. For prediction: false only says that the border, if
 * any, is the max or the end of the file.
 */
bool chunker_cuts_at(const struct chunker_params *p, const uint8_t *data, size_t end);

#endif
