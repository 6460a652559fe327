/*
 * Phase 5: everything below the roots of all commits.
 *
 * Each reference is compared with the node it names (kind, level, totals, last key, border); below
 * a node we go once, which its mark remembers. Histories share most of their nodes, and a node is
 * compared once for each node that names it, so what the last FSCK_MEMO nodes turned out to be is
 * kept in a table (fsck_border.c): most comparisons read nothing. Chunks are only looked up, for
 * phase 1 has read them.
 *
 * Memory: the way down is kept as ids and places; of the nodes on it the lowest KEPT are decoded,
 * others are read again when the walk comes back to them. A directory 2048 deep costs no more than
 * a flat one. Paths are measured on the way; one that gets too long by way of a subtree that was
 * gone through before is found in phase 4, which measures what is new at its place.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/hash.h"
#include "graph/commit.h"
#include "graph/layer.h"
#include "graph/xattr_list.h"
#include "work/fsck_internal.h"
#include "work/view_internal.h"

#define KEPT 16
#define FRAMES_MAX ((size_t)(LIMIT_DEPTH + 2) * LIMIT_LEVEL)

struct frame {
	struct fsck_ref ref;
	size_t pos;
	size_t path_len; /* of the directory that the node belongs to */
};

struct kept {
	size_t frame; /* whose node it is, counted from 1; 0: nobody's */
	struct fsck_node node;
};

struct tree_walk {
	struct fsck *fsck;
	struct frame *frames;
	size_t depth, cap;
	struct kept kept[KEPT];
	struct fsck_node scratch;
};

/* ---- comparing references with nodes */

/* Compare, and say whether there is something to enter: then its node is loaded into node. */
static int visit(struct tree_walk *w, const struct fsck_ref *ref, struct fsck_node *node,
	bool *enter, struct store_error *err)
{
	struct fsck *f = w->fsck;
	struct store_error why = { 0 };
	struct fsck_memo *m = NULL;
	const char *wrong;
	bool loaded;
	int rc;

	*enter = false;
	if (fsck_is_built_in(ref)) {
		const struct fsck_memo empty = { .id = ref->id, .role = ref->role };

		wrong = ref->role == FSCK_SEQ ? "an empty file has no nodes"
					      : fsck_mismatch(ref, &empty);
		return wrong ? fsck_damage(f, &ref->id, 0, 0, err, "%s", wrong) : 0;
	}
	rc = fsck_learn(f, ref, node, &m, &loaded, &why);
	if (rc == 0 && !m->is_marked) {
		rc = fsck_mark(f, &ref->id, enter, &why);
		m->is_marked = true;
		if (rc == 0 && *enter && !loaded)
			rc = fsck_node_load(f, node, ref, &why);
	}
	if (rc == STORE_ECORRUPT) {
		*enter = false;
		return fsck_tell(f, &ref->id, err, why.msg[0] ? why.msg : "it is missing");
	}
	if (rc != 0) {
		if (err)
			*err = why;
		return rc;
	}
	f->result->trees += *enter && ref->role == FSCK_DIRECTORY && !ref->is_child;
	wrong = fsck_mismatch(ref, m);
	if (wrong)
		return fsck_tell(f, &ref->id, err, wrong);
	if (ref->is_inner && *enter)
		m->is_spine_ok = true; /* the walk goes there itself */
	return ref->is_inner && !m->is_spine_ok ? fsck_check_spine(f, ref, &w->scratch, err) : 0;
}

/* Content that is whole, but not what is said of it. */
static int tell_user(struct fsck *f, const struct oid *user, const char **wrong, const char *what,
	struct store_error *err)
{
	if (user)
		return fsck_tell(f, user, err, what);
	*wrong = what;
	return 0;
}

static int check_content(struct fsck *f, const struct fsck_child *c, const struct oid *user,
	const char **wrong, struct store_error *err)
{
	char hex[ID_HEX + 1];
	struct odb_loc loc;
	int rc;

	if (id_eq(&c->content, &hash_empty_file) || c->content_len == 0) {
		if (c->content_len == 0 && id_eq(&c->content, &hash_empty_file))
			return 0;
		return tell_user(f, user, wrong, "it names an empty file that is not empty", err);
	}
	rc = odb_find(f->reader, &c->content, &loc, err);
	if (rc == STORE_ENOTFOUND) {
		if (fsck_is_damaged(f, &c->content))
			return 0;
		return fsck_damage(f, &c->content, 0, 0, err, "it is missing; %s%s names it",
			user ? "object " : "the stage", user ? id_hex(hex, user) : "");
	}
	if (rc == 0 && loc.len != c->content_len)
		return tell_user(f, user, wrong,
			user ? "it says that a chunk has another length than it has"
			     : "it says another length than its content has",
			err);
	return rc;
}

/* Many files share a list, so the last one is remembered; one that is damaged was told of. */
static int check_list(struct fsck *f, const struct oid *id, struct store_error *err)
{
	struct buf data = { 0 };
	int rc = 0;

	if (id_eq(&f->last_list, id))
		return 0;
	f->last_list = *id;
	if (odb_read(f->reader, id, &data, NULL) == 0 && !xattr_list_is_valid(data.data, data.len))
		rc = fsck_tell(f, id, err,
			"it is no list of extended attributes, as what names it says");
	buf_release(&data);
	return rc;
}

/* ---- the walk */

static int push(struct tree_walk *w, const struct fsck_ref *ref, size_t path_len,
	struct store_error *err)
{
	struct fsck_node *node = &w->kept[(w->depth + 1) % KEPT].node;
	bool enter;
	int rc;

	/* Whatever is loaded there now belongs to no frame until we know. */
	w->kept[(w->depth + 1) % KEPT].frame = 0;
	rc = visit(w, ref, node, &enter, err);
	if (rc != 0 || !enter)
		return rc;
	if (w->depth >= FRAMES_MAX)
		return fsck_damage(w->fsck, &ref->id, 0, 0, err,
			"it lies deeper than %d directories", LIMIT_DEPTH);
	if (mem_grow(&w->frames, &w->cap, w->depth + 1, sizeof(*w->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->frames[w->depth++] = (struct frame){ *ref, 0, path_len };
	w->kept[w->depth % KEPT].frame = w->depth;
	return 0;
}

/* The node of the lowest frame, read again when a deeper one took its place. */
static int top_node(struct tree_walk *w, struct fsck_node **out, struct store_error *err)
{
	struct kept *k = &w->kept[w->depth % KEPT];
	int rc = 0;

	if (k->frame != w->depth) {
		k->frame = 0;
		rc = fsck_node_load(w->fsck, &k->node, &w->frames[w->depth - 1].ref, err);
		if (rc == 0)
			k->frame = w->depth;
	}
	*out = &k->node;
	return rc;
}

/* Does another child follow, perhaps the same once more? */
static bool is_followed(const struct fsck_node *n, size_t pos)
{
	return pos + 1 < n->count || (n->role == FSCK_SEQ && n->seq.rows[pos].repeat > 1);
}

/* Bytes of the path of item pos, with one between names; other than names add nothing. */
static size_t path_behind(const struct frame *top, const struct fsck_node *n, size_t pos,
	const struct fsck_child *c)
{
	const size_t len = top->path_len;

	return c->is_name ? len + (len > 0) + n->map.items[pos].key_len : len;
}

static int step(struct tree_walk *w, struct store_error *err)
{
	struct frame *top = &w->frames[w->depth - 1];
	const struct oid user = top->ref.id;
	struct fsck_child children[2];
	struct fsck_node *node;
	size_t n, pos, path_len;
	bool is_inner;
	int rc = top_node(w, &node, err);

	if (rc != 0)
		return rc;
	if (top->pos == node->count) {
		w->depth--;
		return 0;
	}
	pos = top->pos++;
	is_inner = top->ref.is_inner || is_followed(node, pos);
	n = fsck_node_children(node, pos, children);
	path_len = path_behind(top, node, pos, &children[0]);
	if (path_len > LIMIT_PATH)
		return fsck_tell(w->fsck, &user, err,
			"a path that ends in it is longer than 4096 bytes");
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct fsck_child *c = &children[i];

		if (c->is_name && c->kind != ENTRY_DIR && c->kind != ENTRY_NONE) {
			w->fsck->result->files++;
			w->fsck->progress.files++;
		}
		if (c->has_content)
			rc = check_content(w->fsck, c, &user, NULL, err);
		if (rc == 0 && c->is_list)
			rc = check_list(w->fsck, &c->content, err);
		c->ref.is_inner = c->ref.is_child && is_inner;
		if (rc == 0 && c->ref.role != FSCK_NONE)
			rc = push(w, &c->ref, path_len, err);
		/* After it was read: then the table has it. */
		if (rc == 0 && c->ref.is_child && c->ref.role != FSCK_NONE)
			rc = fsck_check_place(w->fsck, node, pos, &w->scratch, err);
	}
	return rc == 0 ? fsck_tick(w->fsck, err) : rc;
}

int fsck_walk(struct fsck *f, const struct fsck_ref *ref, struct store_error *err)
{
	struct tree_walk *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->fsck = f;
	fsck_node_init(&w->scratch);
	for (size_t i = 0; i < KEPT; i++)
		fsck_node_init(&w->kept[i].node);
	rc = push(w, ref, 0, err);
	while (rc == 0 && w->depth > 0)
		rc = step(w, err);
	for (size_t i = 0; i < KEPT; i++)
		fsck_node_release(&w->kept[i].node);
	fsck_node_release(&w->scratch);
	free(w->frames);
	free(w);
	return rc;
}

int fsck_walk_staged(struct fsck *f, const struct file_ref *ref, const char **wrong,
	struct store_error *err)
{
	struct fsck_child c = { 0 };

	*wrong = NULL;
	fsck_child_content(&c, &ref->id, ref->height, ref->size);
	return c.has_content ? check_content(f, &c, NULL, wrong, err) : fsck_walk(f, &c.ref, err);
}

int fsck_walk_staged_list(struct fsck *f, const struct file_ref *ref, const char **wrong,
	struct store_error *err)
{
	const int rc = fsck_walk_staged(f, ref, wrong, err);

	return rc == 0 ? check_list(f, &ref->id, err) : rc;
}

static int walk_commit(struct fsck *f, void *ctx, const struct oid *id, const struct commit *c,
	struct store_error *err)
{
	struct fsck_ref ref = { .role = FSCK_CHANGES };
	struct entry top;
	struct layer l;
	int rc;

	(void)ctx;
	(void)id;
	/* Phase 4 has told of a layer that cannot be read. */
	if (repo_read_layer(f->repo, &c->layer, &l, NULL) != 0)
		return 0;
	ref.level = l.changes.height;
	ref.id = l.changes.id;
	rc = fsck_walk(f, &ref, err);
	if (rc == 0 && c->has_meta) {
		ref = (struct fsck_ref){ .role = FSCK_META,
			.level = c->meta.height,
			.id = c->meta.id };
		rc = fsck_walk(f, &ref, err);
	}
	if (rc != 0)
		return rc;
	top = view_top(&l);
	ref = fsck_ref_of_dir(&top);
	return fsck_walk(f, &ref, err);
}

int fsck_trees(struct fsck *f, struct store_error *err)
{
	fsck_forget_marks(f);
	return fsck_each_commit(f, NULL, walk_commit, NULL, err);
}
