/*
 * Sequences: a file as a Merkle tree over its chunks.  store-format(5), "Seq node", has the rules.
 */
#ifndef STORE_GRAPH_SEQ_H
#define STORE_GRAPH_SEQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/nodes.h"

struct seq_row {
	struct oid id;
	uint64_t len;    /* content bytes below ONE child */
	uint64_t repeat; /* >= 1 */
};

/*
 * A node decoded and checked: level, order of nothing, bounds, overflow, no two neighbours equal.
 */
struct seq_node {
	uint8_t level;
	size_t count;
	struct seq_row *rows; /* count rows */
	size_t cap;
	uint64_t size; /* content bytes below the node */
};

void seq_node_init(struct seq_node *n);
void seq_node_release(struct seq_node *n);
/*
 * Decode data. level: the level the reference promises, size: the content bytes it promises
 * (UINT64_MAX: not known). STORE_ECORRUPT names what is wrong, not the id: the caller wraps.
 */
int seq_node_decode(struct seq_node *n, const void *data, size_t len, uint8_t level, uint64_t size,
	struct store_error *err);

/* Does the last row close the node, so that another may follow it on its level? */
bool seq_node_ends(const struct seq_node *n);

/*
 * Builder: chunks in, in order; nodes go to the sink as they close; memory is one open node per
 * level.
 */
struct seq_builder;
struct seq_builder *seq_builder_new(
	const struct node_sink *sink); /* Copies *sink. Caller frees with seq_builder_free. */
void seq_builder_free(struct seq_builder *b);
/* repeat further chunks of len bytes with this id.  len >= 1, repeat >= 1. */
int seq_builder_add(struct seq_builder *b, const struct oid *id, uint64_t len, uint64_t repeat,
	struct store_error *err);
/* Bytes added so far. */
uint64_t seq_builder_size(const struct seq_builder *b);
/*
 * Close all levels; *out is the file reference (the built-in empty file when nothing was added).
 * The builder is then empty and may be used again.
 */
int seq_builder_finish(struct seq_builder *b, struct file_ref *out, struct store_error *err);
/*
 * Append the open rows of every level to out, for a checkpoint inside a big file; load makes an
 * empty builder go on from there.
 */
int seq_builder_save(const struct seq_builder *b, struct buf *out, struct store_error *err);
int seq_builder_load(struct seq_builder *b, const void *data, size_t len, struct store_error *err);
/*
 * The ids that the nodes still to be closed will name: those that a saved form claims to be there.
 * Ends with what fn returns when that is not 0.
 */
typedef int seq_id_fn(void *ctx, const struct oid *id, struct store_error *err);
int seq_builder_each(const struct seq_builder *b, seq_id_fn *fn, void *ctx,
	struct store_error *err);

/*
 * Cursor: walks the chunks of a file in order; reads a node only when it is entered. Depth is at
 * most LIMIT_LEVEL.
 */
struct seq_cursor;
struct seq_cursor *seq_cursor_new(const struct node_source *source,
	const struct file_ref *ref); /* Copies both. Caller frees with seq_cursor_free. */
void seq_cursor_free(struct seq_cursor *c);
/* Stand on the chunk that holds byte off; off >= size stands at the end.  O(levels) node reads. */
int seq_cursor_seek(struct seq_cursor *c, uint64_t off, struct store_error *err);
/*
 * The chunk row the cursor stands on, and go to the next one: *row holds id, len and how many equal
 * chunks follow from here on (repeat >= 1, so a hole is one step); *off is the offset of the first
 * of them. Returns 0, or STORE_ENOTFOUND at the end (no message).
 */
int seq_cursor_next(struct seq_cursor *c, struct seq_row *row, uint64_t *off,
	struct store_error *err);
/*
 * What stands next, without reading it: *level 0: a chunk; above: a node, of which *row names the
 * id, its content length and how many equal ones follow. Returns 0, or STORE_ENOTFOUND at the end
 * (no message).  For a walk of two sequences that does not enter what both have.
 */
int seq_cursor_peek(struct seq_cursor *c, struct seq_row *row, size_t *level, uint64_t *off,
	struct store_error *err);
/* After a peek that told a node: go down into it, by one level.  One node read. */
int seq_cursor_enter(struct seq_cursor *c, struct store_error *err);
/* After a peek: go behind n of what it told, 1 <= n <= repeat.  Nothing is read. */
void seq_cursor_pass(struct seq_cursor *c, uint64_t n);

#endif
