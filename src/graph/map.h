/*
 * Maps: directories, changes and recorded attributes as Merkle search trees whose node borders are
 * set by content. store-format(5), "Map node", has the rules. The same items give the same root,
 * whatever the order of edits.
 */
#ifndef STORE_GRAPH_MAP_H
#define STORE_GRAPH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/entry.h"
#include "graph/nodes.h"

enum map_kind {
	MAP_DIRECTORY = 1,
	MAP_CHANGES = 2,
	MAP_META = 3,
};

/* The built-in map without items. */
struct map_ref map_empty(enum map_kind kind);
bool map_ref_eq(const struct map_ref *a, const struct map_ref *b);

/*
 * What a parent value says of a child node, and a reference of its map: totals for directories,
 * items for the others.
 */
struct map_totals {
	struct totals totals; /* MAP_DIRECTORY */
	uint64_t items;       /* MAP_CHANGES, MAP_META; for MAP_DIRECTORY 0 */
};

struct map_item {
	const uint8_t *key;
	size_t key_len;
	const uint8_t *value;
	size_t value_len;
};

/* A node decoded and checked; items point into data, which must live as long. */
struct map_node {
	uint8_t kind, level;
	size_t count, cap;
	struct map_item *items;
	struct map_totals totals; /* sums over the items */
};

void map_node_init(struct map_node *n);
void map_node_release(struct map_node *n);
/*
 * Decode and check data: kind and level as promised, keys ascending and legal for the kind, values
 * well-formed, nothing behind. STORE_ECORRUPT tells what is wrong. Borrowed: items are valid until
 * data changes.
 */
int map_node_decode(struct map_node *n, const void *data, size_t len, enum map_kind kind,
	uint8_t level, struct store_error *err);

/*
 * Does the last item close the node, so that another may follow it on its level? *is_overrun: an
 * item before the last closes it already. One hash for each item.
 */
bool map_node_ends(const struct map_node *n, struct hash *h, bool *is_overrun);

/*
 * The value under key into out (replaced), or STORE_ENOTFOUND (no message). O(levels) node reads.
 */
int map_lookup(const struct node_source *src, enum map_kind kind, const struct map_ref *ref,
	const void *key, size_t key_len, struct buf *out, struct store_error *err);

/*
 * Cursor over the items of a map in key order. Totals of every parent value are checked against the
 * child when it is entered.
 */
struct map_cursor;
struct map_cursor *map_cursor_new(const struct node_source *src, enum map_kind kind,
	const struct map_ref *ref); /* Copies both. Caller frees with map_cursor_free. */
void map_cursor_free(struct map_cursor *c);
/* Stand before the first key >= key.  A new cursor stands before the first item. */
int map_cursor_seek(struct map_cursor *c, const void *key, size_t key_len, struct store_error *err);
/*
 * The next item; STORE_ENOTFOUND at the end (no message). Borrowed: valid until the next call on c.
 */
int map_cursor_next(struct map_cursor *c, struct map_item *item, struct store_error *err);

/*
 * Editor: a sorted row of edits to an old map, in one pass with memory O(levels). Nodes that no
 * edit touches are neither read nor written; each edit rewrites about 1.14 nodes per level.
 * Building from nothing is editing the empty map.
 */
struct map_editor;
struct map_editor *map_editor_new(enum map_kind kind, const struct node_source *src,
	const struct node_sink *sink,
	const struct map_ref *old); /* Copies all. Caller frees with map_editor_free. */
void map_editor_free(struct map_editor *e);
/* Keys strictly ascending over all calls of set and drop.  Copies key and value. */
int map_editor_set(struct map_editor *e, const void *key, size_t key_len, const void *value,
	size_t value_len, struct store_error *err);
/* A key that is not there is no error. */
int map_editor_drop(struct map_editor *e, const void *key, size_t key_len, struct store_error *err);
/*
 * The new map and its totals (directories: totals; others: items). The editor may then only be
 * freed.
 */
int map_editor_finish(struct map_editor *e, struct map_ref *out, struct map_totals *totals,
	struct store_error *err);

/* Totals of a whole map: one node read. */
int map_totals_of(const struct node_source *src, enum map_kind kind, const struct map_ref *ref,
	struct map_totals *out, struct store_error *err);

/*
 * Differences of two maps of one kind, in key order; equal subtrees are never read: O(changes ×
 * levels) node reads.
 */
struct map_diff;
struct map_diff *map_diff_new(const struct node_source *src, enum map_kind kind,
	const struct map_ref *a,
	const struct map_ref *b); /* Copies all. Caller frees with map_diff_free. */
void map_diff_free(struct map_diff *d);
/*
 * Go on behind key, from anywhere: what a comparison that was given up to save its memory needs.
 * O(levels) node reads.
 */
int map_diff_seek(struct map_diff *d, const void *key, size_t key_len, struct store_error *err);
/*
 * The next key whose values differ; a side that lacks it has value NULL and value_len 0 (key is
 * always set on both). STORE_ENOTFOUND at the end (no message). Borrowed: valid until the next call
 * on d.
 */
int map_diff_next(struct map_diff *d, struct map_item *a, struct map_item *b,
	struct store_error *err);

#endif
