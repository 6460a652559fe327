/*
 * The changes of a layer: what differs between two trees, as a map keyed by path. store-format(5),
 * "Changes".
 */
#ifndef STORE_GRAPH_CHANGES_H
#define STORE_GRAPH_CHANGES_H

#include <stdint.h>

#include "base/buf.h"
#include "graph/entry.h"
#include "graph/nodes.h"

struct store_error;

struct changes {
	struct map_ref map;
	uint64_t added, modified, deleted; /* files */
};

/*
 * Told of each directory of b that is new at its path, whose names are joined by NUL: what lies
 * below has no entries of its own. dir NULL: the path is over LIMIT_PATH, and the walk ends there.
 */
struct changes_watch {
	int (*fn)(void *ctx, const struct buf *path, const struct entry *dir,
		struct store_error *err);
	void *ctx;
};

/*
 * From tree a (NULL: there is none) to tree b; both kind dir. Nodes go to sink. Equal subtrees are
 * not read: O(changes × depth). A path over LIMIT_PATH is STORE_ECORRUPT. watch may be NULL.
 */
int changes_build(const struct node_source *src, const struct node_sink *sink,
	const struct entry *a, const struct entry *b, const struct changes_watch *watch,
	struct changes *out, struct store_error *err);

#endif
