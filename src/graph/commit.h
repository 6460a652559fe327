/* Commits: who made a layer, when, after which commits, and why. */
#ifndef STORE_GRAPH_COMMIT_H
#define STORE_GRAPH_COMMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "data/id.h"
#include "data/limits.h"
#include "data/ident.h"
#include "data/text.h"

struct store_error;

struct commit {
	struct oid layer;
	struct oid parents[LIMIT_PARENTS]; /* none twice */
	size_t parent_count;
	struct ident author, committer;
	bool has_meta;
	struct map_ref meta;       /* recorded attributes of the tree */
	struct text_slice message; /* may be empty; any bytes */
};

/* Append the commit's text.  STORE_EINVAL, out unchanged, when a part breaks a rule. */
int commit_encode(struct buf *out, const struct commit *c, struct store_error *err);
/*
 * Parse a whole text.  STORE_ECORRUPT tells the line and what is wrong with it.
 * Borrowed: names, mails and the message are valid until data is.
 */
int commit_decode(struct commit *c, const void *data, size_t len, struct store_error *err);

#endif
