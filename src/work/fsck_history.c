/*
 * Phase 4: commits and layers.
 *
 * A layer is a function of its parent layer and its root, so everything it says is computed again
 * here: the generation from the parent, the totals from the root, the map of changes by building it
 * anew from the two roots into nowhere. A commit's layer must have the layer of its first parent as
 * its parent.
 *
 * Commits are walked from refs and reflog; the bit of a commit's object remembers it. The ends that
 * are still open, one for each merge on the way, lie in a spool, which is taken off at its end.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "data/hash.h"
#include "data/refslog.h"
#include "graph/changes.h"
#include "graph/commit.h"
#include "graph/layer.h"
#include "graph/rev.h"
#include "graph/tag.h"
#include "work/fsck_internal.h"
#include "work/spool.h"
#include "work/view_internal.h"

struct walk {
	struct fsck *fsck;
	fsck_commit_fn *fn;
	void *ctx;
	struct spool ends;
	struct buf data;
};

static int push(struct walk *w, const struct oid *id, struct store_error *err)
{
	return spool_add(&w->ends, id->b, ID_LEN, err);
}

/* Damage of an object that must be a commit, layer or tag, unless phase 1 or 2 has told of it. */
static int tell(struct walk *w, const struct oid *id, const struct store_error *why,
	struct store_error *err)
{
	struct odb_loc loc = { 0 };

	if (fsck_is_damaged(w->fsck, id))
		return 0;
	if (odb_find(w->fsck->reader, id, &loc, NULL) != 0)
		memset(&loc, 0, sizeof(loc));
	return fsck_damage(w->fsck, id, loc.pack, loc.block_off, err, "%s", why->msg);
}

static bool is_damage(int rc)
{
	return rc == STORE_ENOTFOUND || fsck_is_damage(rc);
}

static int visit(struct walk *w, const struct oid *id, struct store_error *err)
{
	struct store_error why = { 0 };
	struct commit c;
	int rc = rev_read_commit(&w->fsck->nodes, id, &w->data, &c, &why);

	if (rc != 0) {
		if (is_damage(rc))
			return tell(w, id, &why, err);
		if (err)
			*err = why;
		return rc;
	}
	/* Other parents wait, so that the first line is followed without any. */
	for (size_t i = c.parent_count; i-- > 0 && rc == 0;)
		rc = push(w, &c.parents[i], err);
	return rc == 0 && w->fn ? w->fn(w->fsck, w->ctx, id, &c, err) : rc;
}

static int walk_from(struct walk *w, const struct oid *id, struct store_error *err)
{
	int rc = push(w, id, err);

	while (rc == 0) {
		struct oid at;
		bool is_new;

		rc = spool_pop(&w->ends, at.b, ID_LEN, err);
		if (rc != 0)
			return rc == STORE_ENOTFOUND ? 0 : rc;
		rc = fsck_mark(w->fsck, &at, &is_new, err);
		/*
		 * A commit without a bit is damaged or missing, so it has no parents that could
		 * bring us back.
		 */
		if (rc == 0 && is_new)
			rc = visit(w, &at, err);
		if (rc == 0)
			rc = fsck_tick(w->fsck, err);
	}
	return rc;
}

/* A tag is followed to the commit it names. */
static int walk_tag(struct walk *w, const struct oid *id, bool *is_tag, struct store_error *err)
{
	struct tag t;

	*is_tag = false;
	if (odb_read(w->fsck->reader, id, &w->data, NULL) != 0 ||
		tag_decode(&t, w->data.data, w->data.len, NULL) != 0)
		return 0;
	*is_tag = true;
	return t.type == KIND_COMMIT ? walk_from(w, &t.object, err) : 0;
}

static int walk_value(struct walk *w, const struct oid *id, struct store_error *err)
{
	bool is_tag;
	const int rc = walk_tag(w, id, &is_tag, err);

	return rc == 0 && !is_tag ? walk_from(w, id, err) : rc;
}

size_t fsck_row_ids(enum env_table table, const void *row, size_t len, struct oid ids[2])
{
	const char *p = row, *end = p + len;
	size_t n = 0;

	for (int i = 0; p && p < end && i < (table == ENV_REFLOG ? 2 : 1); i++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const size_t line = (size_t)((nl ? nl : end) - p);

		n += line == ID_HEX && id_parse(&ids[n], p, line) == 0;
		p = nl ? nl + 1 : end;
	}
	return n;
}

/*
 * The next row of a table behind *after, copied: the transaction must not sleep on a cursor for
 * hours.
 */
static int next_row(struct fsck *f, enum env_table table, struct buf *after, struct buf *value,
	struct store_error *err)
{
	struct env_txn *txn = NULL;
	struct env_cursor *c = NULL;
	struct env_val key, val;
	int rc = env_begin(odb_env(f->repo->odb), false, &txn, err);

	if (rc == 0)
		rc = env_cursor_open(txn, table, &c, err);
	if (rc == 0) {
		if (after->len > 0)
			env_cursor_seek(c, after->data, after->len);
		rc = env_cursor_next(c, &key, &val, err);
	}
	if (rc == 0) {
		buf_set(value, val.data, val.len);
		/* The least key behind this one. */
		buf_set(after, key.data, key.len);
		buf_add_u8(after, 0);
		if (after->failed || value->failed)
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	env_cursor_close(c);
	env_abort(txn);
	return rc;
}

static int walk_table(struct walk *w, enum env_table table, struct store_error *err)
{
	struct buf after = { 0 }, value = { 0 };
	int rc;

	while ((rc = next_row(w->fsck, table, &after, &value, err)) == 0) {
		struct oid ids[2];
		const size_t n = fsck_row_ids(table, value.data, value.len, ids);

		for (size_t i = 0; i < n && rc == 0; i++)
			rc = walk_value(w, &ids[i], err);
		if (rc != 0)
			break;
	}
	buf_release(&after);
	buf_release(&value);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int fsck_each_commit(struct fsck *f, const struct oid *first, fsck_commit_fn *fn, void *ctx,
	struct store_error *err)
{
	struct walk w = { .fsck = f, .fn = fn, .ctx = ctx };
	int rc = 0;

	spool_init(&w.ends, odb_tmp_fd(f->repo->odb));
	if (first)
		rc = walk_from(&w, first, err);
	if (rc == 0)
		rc = walk_table(&w, ENV_REFS, err);
	if (rc == 0)
		rc = walk_table(&w, ENV_REFLOG, err);
	spool_release(&w.ends);
	buf_release(&w.data);
	return rc;
}

/* ---- a layer computed again */

/* Nodes that are computed and thrown away. */
static int put_nowhere(void *ctx, enum kind kind, const void *data, size_t len, struct oid *out_id,
	struct store_error *err)
{
	(void)kind;
	(void)err;
	hash_once(ctx, data, len, out_id);
	return 0;
}

struct measure {
	struct fsck *fsck;
	const struct oid *layer;
};

/* A directory that is new where it is, or a path that is too long itself. */
static int measure(void *ctx, const struct buf *path, const struct entry *dir,
	struct store_error *err)
{
	const struct measure *m = ctx;
	bool is_long = !dir;
	int rc = dir ? fsck_measure(m->fsck, dir, path->len, &is_long, err) : 0;
	struct buf text = { 0 };

	if (rc != 0 || !is_long)
		return rc;
	if (buf_set(&text, path->data, path->len) != 0 || !buf_str(&text)) {
		buf_release(&text);
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == 0)
			text.data[i] = '/';
	}
	rc = fsck_damage_at(m->fsck, m->layer, buf_str(&text),
		dir ? "in its tree a path is longer than 4096 bytes, below"
		    : "in its tree a path is longer than 4096 bytes",
		err);
	buf_release(&text);
	return rc;
}

static int check_changes(struct fsck *f, const struct oid *id, const struct layer *l,
	const struct layer *parent, struct store_error *err)
{
	const struct entry now = view_top(l), before = parent ? view_top(parent) : now;
	const struct changes_watch watch = { measure, &(struct measure){ f, id } };
	struct store_error why = { 0 };
	struct changes is;
	struct hash *h = hash_new();
	const struct node_sink sink = { put_nowhere, h };
	int rc;

	if (!h)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = changes_build(&f->nodes, &sink, parent ? &before : NULL, &now, &watch, &is, &why);
	hash_free(h);
	/* A path that is too long was told; a root that cannot be read: phase 5 comes upon it. */
	if (is_damage(rc))
		return 0;
	if (rc != 0) {
		if (err)
			*err = why;
		return rc;
	}
	if (!map_ref_eq(&is.map, &l->changes))
		return fsck_damage(f, id, 0, 0, err,
			"its map of changes is not the difference of its root and its parent's");
	if (is.added != l->added || is.modified != l->modified || is.deleted != l->deleted)
		return fsck_damage(f, id, 0, 0, err,
			"it counts %" PRIu64 " added, %" PRIu64 " modified, %" PRIu64
			" deleted; they are %" PRIu64 ", %" PRIu64 ", %" PRIu64,
			l->added, l->modified, l->deleted, is.added, is.modified, is.deleted);
	return 0;
}

static int check_totals(struct fsck *f, const struct oid *id, const struct layer *l,
	struct store_error *err)
{
	struct map_totals is;
	const int rc = map_totals_of(&f->nodes, MAP_DIRECTORY, &l->root, &is, NULL);

	if (rc != 0)
		return is_damage(rc) ? 0
				     : store_error_set(err, rc, "cannot read the root of a layer");
	if (is.totals.size != l->totals.size || is.totals.files != l->totals.files ||
		is.totals.dirs != l->totals.dirs)
		return fsck_damage(f, id, 0, 0, err, "its totals are not those of its root");
	return 0;
}

static int read_layer(struct fsck *f, const struct oid *id, struct layer *l, bool *is_good,
	struct store_error *err)
{
	struct walk w = { .fsck = f };
	struct store_error why = { 0 };
	const int rc = rev_read_layer(&f->nodes, id, l, &why);

	*is_good = rc == 0;
	if (rc == 0 || is_damage(rc))
		return rc == 0 ? 0 : tell(&w, id, &why, err);
	if (err)
		*err = why;
	return rc;
}

static int check_layer(struct fsck *f, const struct oid *id, const struct layer *l,
	struct store_error *err)
{
	struct layer parent;
	bool is_good = true;
	int rc = 0;

	if (l->has_parent) {
		rc = read_layer(f, &l->parent, &parent, &is_good, err);
		if (rc == 0 && is_good && l->generation != parent.generation + 1)
			rc = fsck_damage(f, id, 0, 0, err,
				"it is of generation %" PRIu64 ", its parent of %" PRIu64,
				l->generation, parent.generation);
	}
	if (rc == 0)
		rc = check_totals(f, id, l, err);
	return rc == 0 && is_good ? check_changes(f, id, l, l->has_parent ? &parent : NULL, err)
				  : rc;
}

/* Has the commit's layer the layer of its first parent for a parent? */
static int check_parentage(struct fsck *f, const struct oid *id, const struct commit *c,
	const struct layer *l, struct store_error *err)
{
	struct buf data = { 0 };
	struct commit parent;
	int rc = 0;

	if (c->parent_count == 0 && l->has_parent)
		rc = fsck_damage(f, id, 0, 0, err, "it has no parent, but its layer has one");
	if (c->parent_count > 0 &&
		rev_read_commit(&f->nodes, &c->parents[0], &data, &parent, NULL) == 0 &&
		!(l->has_parent && id_eq(&l->parent, &parent.layer)))
		rc = fsck_damage(f, id, 0, 0, err,
			"the parent of its layer is not the layer of its first parent");
	buf_release(&data);
	return rc;
}

static int check_commit(struct fsck *f, void *ctx, const struct oid *id, const struct commit *c,
	struct store_error *err)
{
	struct layer l;
	bool is_good = false, is_new = false;
	int rc = read_layer(f, &c->layer, &l, &is_good, err);

	(void)ctx;
	f->result->commits++;
	if (rc != 0 || !is_good)
		return rc;
	rc = check_parentage(f, id, c, &l, err);
	if (rc == 0)
		rc = fsck_mark(f, &c->layer, &is_new, err);
	return rc == 0 && is_new ? check_layer(f, &c->layer, &l, err) : rc;
}

int fsck_history(struct fsck *f, struct store_error *err)
{
	fsck_forget_marks(f);
	return fsck_each_commit(f, NULL, check_commit, NULL, err);
}
