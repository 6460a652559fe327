/*
 * The changes of a layer: what differs between two trees, as a map keyed by path. store-format(5),
 * "Changes".
 */
#ifndef STORE_GRAPH_CHANGES_H
#define STORE_GRAPH_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/entry.h"
#include "graph/nodes.h"

struct store_error;

struct changes {
	struct map_ref map;
	uint64_t added, modified, deleted; /* files */
	bool has_long_path;                /* STORE_ECORRUPT because of it */
};

/*
 * From tree a (NULL: there is none) to tree b; both kind dir. Nodes go to sink. Equal subtrees are
 * not read: O(changes × depth). A path over LIMIT_PATH is STORE_ECORRUPT.
 */
int changes_build(const struct node_source *src, const struct node_sink *sink,
	const struct entry *a, const struct entry *b, struct changes *out, struct store_error *err);

#endif
