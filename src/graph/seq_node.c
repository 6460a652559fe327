/*
 * Sequence nodes as bytes: rows, borders, and the decoder that trusts nothing.
 *
 * A decoder sees bytes that have proven their id, which says that somebody hashed them, not that
 * somebody sensible wrote them.  So every number is bounded before it is used: the count before
 * rows are allocated (a row has at least 34 bytes), a chunk by the largest object, a sum by 64
 * bits, and the whole by the size that the reference to this node promises.  The level must be the
 * promised one; as the promise goes down by one with every step, no row can lead back up.
 *
 * What can be seen of the canonical form in one node is checked too: neighbours that should be one
 * run, and rows that should have ended the node.  Equal content has one root only while nobody
 * accepts another.
 */
#include "graph/seq_internal.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/limits.h"

#define BORDER_BELOW (UINT64_C(1) << 57) /* one id in 128 */

bool seq_row_same(const struct seq_row *a, const struct seq_row *b)
{
	return a->len == b->len && id_eq(&a->id, &b->id);
}

bool seq_row_closes(const struct seq_row *row, size_t count)
{
	if (count >= LIMIT_ROWS)
		return true;
	return count >= SEQ_ROWS_MIN && id_low64(&row->id) < BORDER_BELOW;
}

void seq_row_encode(struct buf *out, const struct seq_row *row)
{
	buf_add(out, row->id.b, ID_LEN);
	buf_add_leb(out, row->len);
	buf_add_leb(out, row->repeat);
}

int seq_row_decode(struct span *s, uint8_t level, const struct seq_row *prev, struct seq_row *row,
	uint64_t *size, struct store_error *err)
{
	const uint8_t *id = span_take(s, ID_LEN);
	uint64_t bytes;

	row->len = span_leb(s);
	row->repeat = span_leb(s);
	if (s->bad)
		return store_error_set(err, STORE_ECORRUPT,
			"a row is cut short or has a bad number");
	memcpy(row->id.b, id, ID_LEN);
	if (row->len == 0 || row->repeat == 0)
		return store_error_set(err, STORE_ECORRUPT, "a row is empty");
	if (level == 1 && row->len > LIMIT_OBJECT)
		return store_error_set(err, STORE_ECORRUPT,
			"a chunk is larger than an object can be");
	if (u64_mul(row->len, row->repeat, &bytes) || u64_add(*size, bytes, size))
		return store_error_set(err, STORE_ECORRUPT, "the lengths exceed 64 bits");
	if (prev && seq_row_same(prev, row))
		return store_error_set(err, STORE_ECORRUPT, "two neighbouring rows are one run");
	return 0;
}

void seq_node_init(struct seq_node *n)
{
	*n = (struct seq_node){ 0 };
}

void seq_node_release(struct seq_node *n)
{
	free(n->rows);
	seq_node_init(n);
}

static int decode_head(struct span *s, uint8_t level, size_t *count, struct store_error *err)
{
	const uint8_t *head = span_take(s, SEQ_NODE_HEAD);
	uint64_t n;

	if (!head || head[0] != 'S' || head[1] != 'Q')
		return store_error_set(err, STORE_ECORRUPT, "this is no seq node");
	if (head[2] != SEQ_VERSION)
		return store_error_set(err, STORE_ECORRUPT, "unknown seq node version %d", head[2]);
	if (level < 1 || level > LIMIT_LEVEL || head[3] != level)
		return store_error_set(err, STORE_ECORRUPT,
			"seq node of level %d where level %d is due", head[3], level);
	n = span_leb(s);
	if (s->bad || n < 1 || n > LIMIT_ROWS || n > span_left(s) / SEQ_ROW_MIN)
		return store_error_set(err, STORE_ECORRUPT, "the number of rows cannot be");
	*count = (size_t)n;
	return 0;
}

static int decode_rows(struct seq_node *n, struct span *s, size_t count, struct store_error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct seq_row *row = &n->rows[i];
		const struct seq_row *prev = i > 0 ? row - 1 : NULL;
		const int rc = seq_row_decode(s, n->level, prev, row, &n->size, err);

		if (rc != 0)
			return rc;
		if (i + 1 < count && seq_row_closes(row, i + 1))
			return store_error_set(err, STORE_ECORRUPT,
				"the node goes on behind its border");
		n->count = i + 1;
	}
	return 0;
}

int seq_node_decode(struct seq_node *n, const void *data, size_t len, uint8_t level, uint64_t size,
	struct store_error *err)
{
	struct span s = span_of(data, len);
	size_t count = 0;
	int rc;

	n->level = level;
	n->count = 0;
	n->size = 0;
	if (len > LIMIT_NODE)
		return store_error_set(err, STORE_ECORRUPT, "the node is too long");
	rc = decode_head(&s, level, &count, err);
	if (rc != 0)
		return rc;
	if (mem_grow(&n->rows, &n->cap, count, sizeof(*n->rows)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = decode_rows(n, &s, count, err);
	if (rc == 0 && span_left(&s) > 0)
		rc = store_error_set(err, STORE_ECORRUPT, "bytes follow the last row");
	if (rc == 0 && size != UINT64_MAX && n->size != size)
		rc = store_error_set(err, STORE_ECORRUPT,
			"the node holds %llu bytes of content where %llu are due",
			(unsigned long long)n->size, (unsigned long long)size);
	if (rc != 0)
		n->count = 0;
	return rc;
}

bool seq_node_ends(const struct seq_node *n)
{
	return n->count > 0 && seq_row_closes(&n->rows[n->count - 1], n->count);
}
