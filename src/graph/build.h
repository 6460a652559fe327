/*
 * From the stage to a tree: the maps of every directory that has dirty rows, made from its cached
 * maps and those rows alone. One file among ten million costs O(depth).
 */
#ifndef STORE_GRAPH_BUILD_H
#define STORE_GRAPH_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/entry.h"
#include "graph/nodes.h"
#include "graph/stage.h"

struct build_tree {
	struct entry root; /* kind dir */
	bool has_meta;
	struct map_ref meta;
	uint64_t dirs;  /* directories built anew */
	uint64_t dirty; /* dirty rows read */
};

/* A directory that was built: what a later transaction needs to store it as its cached roots. */
struct build_done {
	uint64_t dir;
	uint64_t generation; /* of the cached roots it was built from */
	struct stage_dir now;
};

/*
 * Build. snapshot: a read transaction that stays awake. done: called once for each directory built,
 * children first; may be NULL.
 * Memory: one open node per level for each directory on the way down.
 */
int build_tree(struct env_txn *snapshot, const struct node_source *src,
	const struct node_sink *sink,
	int (*done)(void *ctx, const struct build_done *d, struct store_error *err), void *ctx,
	struct build_tree *out, struct store_error *err);

#endif
