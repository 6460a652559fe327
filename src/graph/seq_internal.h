/* What the files of the sequence module share: single rows and the border rule. */
#ifndef STORE_GRAPH_SEQ_INTERNAL_H
#define STORE_GRAPH_SEQ_INTERNAL_H

#include "base/buf.h"
#include "base/bytes.h"
#include "graph/seq.h"

#define SEQ_VERSION 1
#define SEQ_NODE_HEAD 4          /* bytes before the count */
#define SEQ_ROWS_MIN 16          /* a border found by content needs so many rows */
#define SEQ_ROW_MIN (ID_LEN + 2) /* bytes of the shortest row */

/* The same child, so that the two belong to one run. */
bool seq_row_same(const struct seq_row *a, const struct seq_row *b);
/* Does a node end after this row, which is its count-th (from 1)? */
bool seq_row_closes(const struct seq_row *row, size_t count);
/* Append the row as nodes hold it.  Failure is left in out->failed. */
void seq_row_encode(struct buf *out, const struct seq_row *row);
/*
 * Take one row of a node of this level from s and add its content bytes to *size.  prev: the row
 * before it, or NULL.  STORE_ECORRUPT when it is cut short, empty, too long, or one run with prev.
 */
int seq_row_decode(struct span *s, uint8_t level, const struct seq_row *prev, struct seq_row *row,
	uint64_t *size, struct store_error *err);

#endif
