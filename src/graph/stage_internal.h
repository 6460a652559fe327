/* What the files of the stage share: keys and row codes. */
#ifndef STORE_GRAPH_STAGE_INTERNAL_H
#define STORE_GRAPH_STAGE_INTERNAL_H

#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "data/limits.h"
#include "graph/stage.h"

struct stage_key {
	uint8_t b[8 + LIMIT_NAME + 1];
	size_t len;
};

static inline void stage_key_set(struct stage_key *k, uint64_t dir, const void *name, size_t len)
{
	if (len > LIMIT_NAME)
		len = LIMIT_NAME;
	be64_put(k->b, dir);
	memcpy(k->b + 8, name, len);
	k->len = 8 + len;
}

int stage_row_encode(struct buf *out, const struct stage_row *row, struct store_error *err);

#endif
