/*
 * Differences of content, within the module.
 *
 *     patch.c         what the two sides are, and whether they are text
 *     patch_side.c    one side: bytes at an offset, whatever they come from
 *     patch_rows.c    one side as a row of chunks, stored ones or cut from a file
 *     patch_align.c   two rows of chunks to byte ranges that may differ
 *     patch_bytes.c   such a range to the bytes that differ
 *     patch_text.c    texts: what is cut off at both ends, lines, limits
 *     patch_git2.c    libgit2
 */
#ifndef STORE_WORK_PATCH_INTERNAL_H
#define STORE_WORK_PATCH_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/chunker.h"
#include "data/hash.h"
#include "data/id.h"
#include "graph/seq.h"
#include "store.h"

struct store_repo;

/* ---- patch_side.c */

/* Who may cancel, asked ten times a second at most. */
struct patch_tick {
	const struct store_callbacks *callbacks;
	uint64_t bytes; /* read by now */
	int64_t last_ns;
};

/* One side of a difference.  Absent content has no bytes. */
struct patch_side {
	struct store_repo *repo;
	uint64_t size;
	bool is_stored;
	struct file_ref ref;         /* stored */
	struct store_reader *reader; /* stored; NULL until something is read */
	struct store_node node;      /* stored */
	int fd;                      /* a file of the working tree; -1: none */
	bool is_sparse;              /* it has holes */
	struct buf bytes;            /* the target of a link in the working tree */
	const char *path;            /* for messages; borrowed */
	bool work_failed;            /* the file or link of the working tree could not be read */
	struct patch_tick *tick;     /* NULL: nobody cancels */
};

/* patch_side_close in any case.  Borrows path and repo. */
int patch_side_open(struct patch_side *s, struct store_repo *repo,
	const struct store_diff_side *from, const char *path, struct store_error *err);
void patch_side_close(struct patch_side *s);
/* Exactly len bytes at off into data; off + len <= size. */
int patch_side_read(struct patch_side *s, uint64_t off, void *data, size_t len,
	struct store_error *err);
/* Where the next data begins at or behind off: a hole of a working file is not read. */
uint64_t patch_side_data(const struct patch_side *s, uint64_t off);

/* ---- patch_rows.c */

/* One side as chunks. */
struct patch_rows {
	struct patch_side *side;
	struct seq_cursor *cursor; /* stored */
	/* Cut from a file: */
	struct chunker_params params;
	struct hash *hash;
	uint8_t *data; /* cap bytes; len of them are the file's from base on */
	size_t cap, len;
	uint64_t base;
	uint64_t off; /* the next chunk begins here */
	bool has_row;
	struct seq_row row; /* that chunk, when has_row */
	bool has_zeros;
	struct oid zeros; /* the id of params.max zeros, when has_zeros */
};

/* avg: of the chunks that a file is cut into.  patch_rows_release in any case. */
int patch_rows_init(struct patch_rows *r, struct patch_side *side, uint32_t avg,
	struct store_error *err);
void patch_rows_release(struct patch_rows *r);
/* As the functions of the cursor; a file has rows of level 0 only. */
int patch_rows_seek(struct patch_rows *r, uint64_t off, struct store_error *err);
int patch_rows_peek(struct patch_rows *r, struct seq_row *row, size_t *level, uint64_t *off,
	struct store_error *err);
int patch_rows_enter(struct patch_rows *r, struct store_error *err);
void patch_rows_pass(struct patch_rows *r, uint64_t n);

/* ---- patch_align.c */

/* A range of each side; one of them may be empty. */
struct patch_range {
	uint64_t old_off, old_len, new_off, new_len;
};
typedef int patch_range_fn(void *ctx, const struct patch_range *range, struct store_error *err);

/*
 * Walk both sides once and hand out, in order, what lies between equal chunks.  Equal nodes at
 * equal places are not entered.  Seeks back on either side.  Memory: window_max rows of each side.
 */
#define PATCH_WINDOW ((size_t)1 << 15)
int patch_align(struct patch_rows *old_rows, struct patch_rows *new_rows, size_t window_max,
	patch_range_fn *fn, void *ctx, struct store_error *err);
/* Go over what both sides begin with in common.  *off: bytes of it, the same on both sides. */
int patch_align_prefix(struct patch_rows *old_rows, struct patch_rows *new_rows, uint64_t *off,
	struct store_error *err);
/* The same from the end, as far as off: *len bytes.  Both rows stand anywhere after it. */
int patch_align_suffix(struct patch_rows *old_rows, struct patch_rows *new_rows, uint64_t off,
	uint64_t *len, struct store_error *err);

/* ---- patch_bytes.c */

/*
 * The bytes that differ within range, by fn, in order; ranges never touch each other on both sides.
 * Memory: two windows of PATCH_BYTES.
 */
#define PATCH_BYTES ((size_t)512 << 10)
struct patch_bytes {
	struct patch_side *old_side, *new_side;
	patch_range_fn *fn;
	void *ctx;
	size_t window; /* bytes of each */
	uint8_t *old_data, *new_data;
	uint32_t *heads, *nexts; /* blocks of old_data by what they hold */
	struct patch_range held; /* the last range: the next may touch it */
	bool has_held;
};
/* window: PATCH_BYTES, less in tests.  patch_bytes_release in any case. */
int patch_bytes_init(struct patch_bytes *b, struct patch_side *old_side,
	struct patch_side *new_side, size_t window, patch_range_fn *fn, void *ctx,
	struct store_error *err);
void patch_bytes_release(struct patch_bytes *b);
/* A patch_range_fn: ctx is a struct patch_bytes. */
int patch_bytes_refine(void *ctx, const struct patch_range *range, struct store_error *err);
/* After the last range. */
int patch_bytes_finish(struct patch_bytes *b, struct store_error *err);

/* ---- patch_text.c */

/* What a text difference works on. */
struct patch_text {
	struct patch_side *old_side, *new_side;
	uint32_t avg;
	uint64_t text_max, line_max; /* diff.textLimit, diff.lineLimit */
	const struct store_patch_options *options;
	struct store_patch_result *result;
};
/* result->why becomes STORE_PATCH_OVER_LIMIT, with nothing told, when a side is too large. */
int patch_text(const struct patch_text *t, struct store_error *err);

/* ---- patch_git2.c */

struct patch_git2_input {
	const void *old_data, *new_data;
	size_t old_len, new_len;
	unsigned int context;
	uint64_t lines_before; /* on both sides: added to the numbers that are told */
};
/*
 * The difference of two texts, piece by piece; a non-zero return of piece is STORE_ECANCELED.
 * STORE_ENOTFOUND: libgit2 is not there.
 */
int patch_git2_diff(const struct patch_git2_input *input,
	int (*piece)(void *payload, const struct store_patch_piece *piece), void *payload,
	struct store_error *err);

#endif
