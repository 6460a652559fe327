/* Layers: one state of the whole tree, and what changed in it against the layer before. */
#ifndef STORE_GRAPH_LAYER_H
#define STORE_GRAPH_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/id.h"
#include "graph/entry.h"

struct store_error;

struct layer {
	uint64_t generation; /* 0 without parent, else one more than the parent's */
	bool has_parent;
	struct oid parent;
	struct map_ref root;               /* directory map */
	struct map_ref changes;            /* changes map, against the parent */
	struct totals totals;              /* of the root */
	uint64_t added, modified, deleted; /* files */
};

/* Append the layer's text.  STORE_EINVAL when generation and has_parent disagree; STORE_ENOMEM. */
int layer_encode(struct buf *out, const struct layer *l);
/* Parse a whole text.  STORE_ECORRUPT tells the line and what is wrong with it. */
int layer_decode(struct layer *l, const void *data, size_t len, struct store_error *err);

#endif
