/* Between the ids and entries of the graph and those of the promise. */
#include "work/view_internal.h"

#include "base/error.h"

int view_begin(struct view *v, struct store_repo *repo, struct store_error *err)
{
	*v = (struct view){ .source.nodes = repo_nodes(repo) };
	if (!odb_env(repo->odb))
		return store_error_set(err, STORE_EINVAL,
			"the repository is open to be rebuilt only; run 'store fsck --rebuild'");
	const int rc = env_begin(odb_env(repo->odb), false, &v->txn, err);

	if (rc != 0)
		v->txn = NULL;
	v->source.txn = v->txn;
	return rc;
}

void view_end(struct view *v)
{
	env_abort(v->txn);
	v->txn = NULL;
}

struct store_node view_node(const struct entry *e)
{
	return (struct store_node){ .id = view_id(&e->id),
		.kind = e->kind,
		.height = e->height,
		.size = e->totals.size,
		.files = e->kind == ENTRY_DIR ? e->totals.files : 1,
		.dirs = e->kind == ENTRY_DIR ? e->totals.dirs : 0 };
}

/* Has the stage's directory the tree that a commit stored?  Then that. */
static int find_cached_root(struct env_txn *txn, uint64_t dir, struct store_node *out,
	struct store_error *err)
{
	struct entry root;
	bool known;
	const int rc = stage_get_clean(txn, dir, &root, &known, err);

	if (rc == 0 && known)
		*out = view_node(&root);
	return rc;
}

int view_row(struct env_txn *txn, const struct stage_row *row, struct store_node *out,
	struct store_error *err)
{
	if (row->kind == ENTRY_DIR) {
		*out = (struct store_node){ .kind = STORE_KIND_DIR };
		return find_cached_root(txn, row->dir, out, err);
	}
	*out = (struct store_node){ .id = view_id(&row->ref.id),
		.kind = row->kind,
		.height = row->ref.height,
		.size = row->ref.size,
		.files = 1 };
	return 0;
}

int view_set_meta(struct store_tree_entry *e, const void *meta, size_t len, struct store_error *err)
{
	struct span s = span_of(meta, len);
	struct meta m;

	e->has_meta = 0;
	if (len == 0)
		return 0;
	if (meta_decode(&s, &m) != 0)
		return store_error_set(err, STORE_ECORRUPT, "recorded attributes are malformed");
	if (m.flags & META_ATTRS) {
		e->has_meta = 1;
		e->mode = m.mode;
		e->mtime = m.mtime_sec;
	}
	return 0;
}

struct entry view_top(const struct layer *l)
{
	return (struct entry){ .kind = ENTRY_DIR,
		.height = l->root.height,
		.id = l->root.id,
		.totals = l->totals };
}

int view_read(struct store_repo *repo, const struct oid *id, struct buf *data, struct commit *c,
	struct layer *l, struct store_error *err)
{
	const int rc = repo_read_commit(repo, id, data, c, err);

	return rc == 0 ? repo_read_layer(repo, &c->layer, l, err) : rc;
}

char *store_id_hex(char hex[STORE_HEX_LEN + 1], const struct store_id *id)
{
	const struct oid oid = view_oid(id);

	return id_hex(hex, &oid);
}
