/*
 * Reading content: a cursor over the rows of the sequence, and one chunk in memory.
 *
 * Rows are maximal runs of equal chunks, so a hole is one row, and its chunk is read and proven
 * once however long it is: the chunk in memory is known by its id, and is not read again when the
 * next row has the same. A seek reads the nodes above the wanted byte and nothing else; so what is
 * decoded for a range is the range, one chunk at either end, and the nodes.
 *
 * A reader looks things up for itself, so that readers of one handle may be in threads of their
 * own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/limits.h"
#include "graph/seq.h"
#include "work/view_internal.h"

struct store_reader {
	struct odb_reader *odb;
	struct seq_cursor *cursor;
	uint64_t size, off;
	uint64_t first, end;    /* what may be read of it */
	uint64_t bytes, chunks; /* handed out, decoded */
	bool has_row;
	bool is_lost;       /* where the cursor stands is not known: after an error */
	struct seq_row row; /* covers [row_off, row_off + row.len * row.repeat) */
	uint64_t row_off;
	bool has_chunk;
	struct oid chunk_id;
	struct buf chunk;
};

int store_reader_open(struct store_repo *repo, const struct store_node *node,
	struct store_reader **out, struct store_error *err)
{
	const struct file_ref ref = { .id = view_oid(&node->id),
		.height = node->height,
		.size = node->size };
	struct node_source src;
	struct store_reader *r;

	*out = NULL;
	if (node->kind == STORE_KIND_DIR || node->kind == STORE_KIND_NONE)
		return store_error_set(err, STORE_EINVAL, "a directory has no content to read");
	r = calloc(1, sizeof(*r));
	if (r)
		r->odb = odb_reader_new(repo->odb);
	if (r && r->odb) {
		src = nodes_source(r->odb);
		r->cursor = seq_cursor_new(&src, &ref);
	}
	if (!r || !r->cursor) {
		store_reader_free(r);
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	r->size = r->end = node->size;
	*out = r;
	return 0;
}

int store_reader_open_name(struct store_repo *repo, const char *operand, unsigned int flags,
	struct store_reader **out, struct store_error *err)
{
	struct store_target target = { 0 };
	struct store_tree_entry e;
	char shown[200];
	int rc = store_resolve(repo, operand, flags, &target, err);

	*out = NULL;
	if (rc == 0)
		rc = store_target_entry(repo, &target, &e, err);
	if (rc == 0 && e.node.kind == STORE_KIND_DIR)
		rc = store_error_set(err, STORE_EINVAL, "'%s' is a directory",
			quote_msg(shown, sizeof(shown), operand, strlen(operand)));
	if (rc == 0)
		rc = store_reader_open(repo, &e.node, out, err);
	store_target_clear(&target);
	return rc;
}

int store_reader_seek(struct store_reader *r, uint64_t off, struct store_error *err)
{
	(void)err;
	r->off = off < r->end - r->first ? r->first + off : r->end;
	return 0;
}

int store_reader_range(struct store_reader *r, uint64_t off, uint64_t len, struct store_error *err)
{
	(void)err;
	r->first = off < r->size ? off : r->size;
	r->end = len < r->size - r->first ? r->first + len : r->size;
	r->off = r->first;
	return 0;
}

/* Make row the one that covers off, which lies before the end. */
static int find_row(struct store_reader *r, struct store_error *err)
{
	uint64_t end = r->has_row ? r->row_off + r->row.len * r->row.repeat : 0;
	int rc = 0;

	if (r->has_row && r->off >= r->row_off && r->off < end)
		return 0;
	if (r->off != end || r->is_lost)
		rc = seq_cursor_seek(r->cursor, r->off, err);
	r->has_row = false;
	r->is_lost = true;
	if (rc == 0)
		rc = seq_cursor_next(r->cursor, &r->row, &r->row_off, err);
	if (rc == STORE_ENOTFOUND || (rc == 0 && r->off < r->row_off))
		return store_error_set(err, STORE_ECORRUPT, "the content ends before its size");
	r->has_row = rc == 0;
	r->is_lost = rc != 0;
	return rc;
}

static int load_chunk(struct store_reader *r, struct store_error *err)
{
	char hex[13];
	int rc;

	if (r->has_chunk && id_eq(&r->chunk_id, &r->row.id) && r->chunk.len == r->row.len)
		return 0;
	r->has_chunk = false;
	if (r->row.len > LIMIT_OBJECT)
		return store_error_set(err, STORE_ECORRUPT, "chunk %s cannot be so long",
			id_short(hex, &r->row.id));
	rc = odb_read(r->odb, &r->row.id, &r->chunk, err);
	/* Content that a tree names must be there: absent is corrupt. */
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_EMISSING,
			"chunk %s is missing (run 'store fsck')", id_short(hex, &r->row.id));
	if (rc != 0)
		return rc;
	if (r->chunk.len != r->row.len)
		return store_error_set(err, STORE_ECORRUPT,
			"chunk %s has %zu bytes, and its row says %llu", id_short(hex, &r->row.id),
			r->chunk.len, (unsigned long long)r->row.len);
	r->chunk_id = r->row.id;
	r->has_chunk = true;
	r->chunks++;
	return 0;
}

/*
 * The bytes from off to the end of its chunk, or of what may be read: *data and *len. At the end: 0
 * of them.
 */
static int look(struct store_reader *r, const uint8_t **data, size_t *len, struct store_error *err)
{
	size_t skip;
	int rc;

	*len = 0;
	if (r->off >= r->end)
		return 0;
	rc = find_row(r, err);
	if (rc == 0)
		rc = load_chunk(r, err);
	if (rc != 0)
		return rc;
	skip = (size_t)((r->off - r->row_off) % r->row.len);
	*data = r->chunk.data + skip;
	*len = r->chunk.len - skip;
	if (*len > r->end - r->off)
		*len = (size_t)(r->end - r->off);
	return 0;
}

static void pass(struct store_reader *r, size_t n)
{
	r->off += n;
	r->bytes += n;
}

int store_reader_read(struct store_reader *r, void *data, size_t len, size_t *got,
	struct store_error *err)
{
	uint8_t *out = data;

	*got = 0;
	while (*got < len) {
		const uint8_t *data_of;
		size_t n;
		const int rc = look(r, &data_of, &n, err);

		/* What came before is good: the error is told by the next call. */
		if (rc != 0 && *got > 0) {
			store_error_clear(err);
			return 0;
		}
		if (rc != 0 || n == 0)
			return rc;
		if (n > len - *got)
			n = len - *got;
		memcpy(out + *got, data_of, n);
		*got += n;
		pass(r, n);
	}
	return 0;
}

int store_reader_chunk(struct store_reader *r, const void **data, size_t *len,
	struct store_error *err)
{
	const uint8_t *bytes = NULL;
	const int rc = look(r, &bytes, len, err);

	*data = bytes;
	if (rc == 0)
		pass(r, *len);
	return rc;
}

void store_reader_progress(const struct store_reader *r, struct store_reader_progress *out)
{
	*out = (struct store_reader_progress){ .offset = r->off - r->first,
		.size = r->end - r->first,
		.bytes = r->bytes,
		.chunks = r->chunks };
}

void store_reader_free(struct store_reader *r)
{
	if (!r)
		return;
	seq_cursor_free(r->cursor);
	odb_reader_free(r->odb);
	buf_release(&r->chunk);
	free(r);
}
