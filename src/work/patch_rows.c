/*
 * One side as a row of chunks: the stored sequence, or a file of the working tree that is cut as
 * add would cut it, and hashed, while the walk goes over it. Nothing of a file is kept but the
 * bytes of one buffer, so a seek back reads again.
 *
 * Where a chunk begins in a hole of the file and the longest chunk fits into it, the chunks are
 * that long and of zeros, because no window of zeros cuts; they are one row, and are not read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "work/patch_internal.h"
#include "work/repo.h"

#define AHEAD ((size_t)1 << 20) /* bytes read beyond the longest chunk */

int patch_rows_init(struct patch_rows *r, struct patch_side *side, uint32_t avg,
	struct store_error *err)
{
	const struct node_source src = repo_nodes(side->repo);

	memset(r, 0, sizeof(*r));
	r->side = side;
	if (side->is_stored) {
		r->cursor = seq_cursor_new(&src, &side->ref);
		return r->cursor ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	if (chunker_params_init(&r->params, avg) != 0)
		return store_error_set(err, STORE_EINVAL, "chunks of %u bytes cannot be", avg);
	r->cap = CHUNKER_WINDOW + r->params.max + AHEAD;
	if (r->cap > side->size + CHUNKER_WINDOW)
		r->cap = (size_t)side->size + CHUNKER_WINDOW;
	r->data = malloc(r->cap);
	r->hash = hash_new();
	return r->data && r->hash ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
}

void patch_rows_release(struct patch_rows *r)
{
	seq_cursor_free(r->cursor);
	free(r->data);
	hash_free(r->hash);
}

int patch_rows_seek(struct patch_rows *r, uint64_t off, struct store_error *err)
{
	if (r->cursor)
		return seq_cursor_seek(r->cursor, off, err);
	r->off = off;
	r->has_row = false;
	return 0;
}

/* Have in the buffer what the chunk at off may need: a window before it and params.max bytes. */
static int fill(struct patch_rows *r, struct store_error *err)
{
	const uint64_t size = r->side->size;
	const uint64_t from = r->off < CHUNKER_WINDOW ? 0 : r->off - CHUNKER_WINDOW;
	const uint64_t to = size - r->off < r->params.max ? size : r->off + r->params.max;
	size_t kept = 0, want;
	int rc;

	if (from >= r->base && to <= r->base + r->len)
		return 0;
	if (from >= r->base && from < r->base + r->len) {
		kept = (size_t)(r->base + r->len - from);
		memmove(r->data, r->data + (from - r->base), kept);
	}
	r->base = from;
	r->len = 0;
	want = r->cap - kept;
	if (want > size - from - kept)
		want = (size_t)(size - from - kept);
	rc = patch_side_read(r->side, from + kept, r->data + kept, want, err);
	if (rc == 0)
		r->len = kept + want;
	return rc;
}

/* How many chunks of params.max zeros begin at off. */
static uint64_t count_zeros(const struct patch_rows *r)
{
	return (patch_side_data(r->side, r->off) - r->off) / r->params.max;
}

static void hash_zeros(struct patch_rows *r)
{
	static const uint8_t zeros[4096];

	if (r->has_zeros)
		return;
	hash_begin(r->hash);
	for (uint32_t left = r->params.max; left > 0;) {
		const uint32_t n = left < sizeof(zeros) ? left : (uint32_t)sizeof(zeros);

		hash_add(r->hash, zeros, n);
		left -= n;
	}
	hash_end(r->hash, &r->zeros);
	r->has_zeros = true;
}

static int cut(struct patch_rows *r, struct store_error *err)
{
	const uint64_t zeros = r->side->is_sparse ? count_zeros(r) : 0;
	size_t start, n;
	int rc;

	if (zeros > 0) {
		hash_zeros(r);
		r->row = (struct seq_row){ r->zeros, r->params.max, zeros };
		r->has_row = true;
		return 0;
	}
	rc = fill(r, err);
	if (rc != 0)
		return rc;
	start = (size_t)(r->off - r->base);
	n = chunker_next(&r->params, r->data, r->len, start);
	if (n == 0)
		n = r->len - start;
	hash_once(r->hash, r->data + start, n, &r->row.id);
	r->row.len = n;
	r->row.repeat = 1;
	r->has_row = true;
	return 0;
}

int patch_rows_peek(struct patch_rows *r, struct seq_row *row, size_t *level, uint64_t *off,
	struct store_error *err)
{
	int rc;

	/* The empty file has no chunk; the cursor would tell one of no bytes. */
	if (r->side->size == 0)
		return STORE_ENOTFOUND;
	if (r->cursor)
		return seq_cursor_peek(r->cursor, row, level, off, err);
	if (r->off >= r->side->size)
		return STORE_ENOTFOUND;
	rc = r->has_row ? 0 : cut(r, err);
	*row = r->row;
	*level = 0;
	*off = r->off;
	return rc;
}

int patch_rows_enter(struct patch_rows *r, struct store_error *err)
{
	return seq_cursor_enter(r->cursor, err);
}

void patch_rows_pass(struct patch_rows *r, uint64_t n)
{
	if (r->cursor) {
		seq_cursor_pass(r->cursor, n);
		return;
	}
	r->off += n * r->row.len;
	r->row.repeat -= n;
	r->has_row = r->row.repeat > 0;
}
