/* What the files that show content share: reading transactions, trees of commits, nodes. */
#ifndef STORE_WORK_VIEW_INTERNAL_H
#define STORE_WORK_VIEW_INTERNAL_H

#include "graph/entry.h"
#include "graph/layer.h"
#include "graph/rev.h"
#include "graph/stage.h"
#include "work/repo.h"

/* A snapshot in which revisions are looked up.  view_end in any case. */
struct view {
	struct env_txn *txn;
	struct rev_source source;
};
int view_begin(struct view *v, struct store_repo *repo, struct store_error *err);
void view_end(struct view *v);

struct store_node view_node(const struct entry *e);
/*
 * A row of the stage. A directory that is as a commit stored it has that tree; any other has none
 * yet: all but the kind is zero.
 */
int view_row(struct env_txn *txn, const struct stage_row *row, struct store_node *out,
	struct store_error *err);
/* Recorded attributes (an encoded meta value, len 0: none) into the entry. */
int view_set_meta(struct store_tree_entry *e, const void *meta, size_t len,
	struct store_error *err);
/* The top directory of a layer, as an entry. */
struct entry view_top(const struct layer *l);
/* Commit and layer of an id.  data holds what *c's slices point into. */
int view_read(struct store_repo *repo, const struct oid *id, struct buf *data, struct commit *c,
	struct layer *l, struct store_error *err);

static inline struct store_id view_id(const struct oid *id)
{
	struct store_id out;

	memcpy(out.bytes, id->b, ID_LEN);
	return out;
}

static inline struct oid view_oid(const struct store_id *id)
{
	struct oid out;

	memcpy(out.b, id->bytes, ID_LEN);
	return out;
}

#endif
