/*
 * After damage: which paths of HEAD, and of what is staged, are hit. The tree is walked by
 * path, files down to their rows of chunks, and every id on the way is looked up in the table of
 * damaged objects. A subtree in which nothing was found is marked on the way up and never entered
 * again, so shared subtrees cost once, yet a damaged one is named under each path that leads to it,
 * up to PATHS_EACH of them for an object.
 *
 * What has no name then is looked for in all other commits, HEAD's own history first, newest first,
 * and is named once, as path@commit. There every subtree is marked that was gone through: all that
 * is damaged in it has a name. So it costs no more than phase 5, and ends with the last name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/crc32c.h"
#include "data/hash.h"
#include "graph/refs.h"
#include "work/fsck_internal.h"
#include "work/view_internal.h"

#define PATHS_EACH 10
#define PATHS_ALL 10000
#define KEPT 16

struct frame {
	struct fsck_ref ref;
	size_t pos;
	size_t path_len; /* of the file or directory the node belongs to */
	bool is_hit;     /* something below is damaged */
};

struct path_walk {
	struct fsck *fsck;
	struct frame *frames;
	size_t depth, cap;
	struct {
		size_t frame;
		struct fsck_node node;
	} kept[KEPT];
	struct buf path;
	size_t named;
	bool is_markless; /* marks are in use by another walk: what is shared is walked again */
	const char *rev;  /* of an older commit; NULL: HEAD, or the stage */
};

/* The path as it stands, and the commit.  False: it need not be looked for again. */
static bool name_older(struct path_walk *w, struct fsck_damaged *d)
{
	const size_t len = w->path.len;

	if (d->paths > 0)
		return false;
	d->paths++;
	w->named++;
	w->fsck->nameless--;
	if (len == 0)
		buf_add_u8(&w->path, '.');
	buf_add_u8(&w->path, '@');
	buf_add(&w->path, w->rev, strlen(w->rev));
	if (buf_str(&w->path))
		fsck_tell_path(w->fsck, d, buf_str(&w->path));
	w->path.len = len;
	return false;
}

/* Name the path as it stands.  False when the object is whole. */
static bool name_path(struct path_walk *w, const struct oid *id)
{
	struct fsck_damaged *d = fsck_is_damaged(w->fsck, id);
	const char *path = buf_str(&w->path);
	uint32_t sum;

	if (!d || !path)
		return d != NULL;
	if (w->rev)
		return name_older(w, d);
	sum = crc32c(0, w->path.data, w->path.len);
	if ((d->paths > 0 && d->last_path == sum) || d->paths > PATHS_EACH)
		return true;
	d->last_path = sum;
	w->named++;
	if (d->paths++ < PATHS_EACH)
		fsck_tell_path(w->fsck, d, path);
	else
		fsck_tell_more(w->fsck, d);
	return true;
}

static int push(struct path_walk *w, const struct fsck_ref *ref, struct store_error *err)
{
	bool is_clean = false, is_hit;
	int rc;

	if (fsck_is_built_in(ref))
		return 0;
	/* What lies below a damaged node that can be read is looked at all the same. */
	is_hit = name_path(w, &ref->id);
	for (size_t i = 0; i < w->depth && is_hit; i++)
		w->frames[i].is_hit = true;
	rc = w->is_markless || is_hit ? 0 : fsck_is_marked(w->fsck, &ref->id, &is_clean, err);
	if (rc != 0 || is_clean)
		return rc;
	if (w->depth >= (size_t)(LIMIT_DEPTH + 2) * LIMIT_LEVEL)
		return 0;
	if (mem_grow(&w->frames, &w->cap, w->depth + 1, sizeof(*w->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->frames[w->depth++] = (struct frame){ *ref, 0, w->path.len, is_hit };
	w->kept[w->depth % KEPT].frame = 0;
	return 0;
}

/* The lowest node; NULL in *out when it cannot be read. */
static int top_node(struct path_walk *w, struct fsck_node **out, struct store_error *err)
{
	struct store_error why = { 0 };
	int rc = 0;

	*out = &w->kept[w->depth % KEPT].node;
	if (w->kept[w->depth % KEPT].frame == w->depth)
		return 0;
	rc = fsck_node_load(w->fsck, *out, &w->frames[w->depth - 1].ref, &why);
	w->kept[w->depth % KEPT].frame = rc == 0 ? w->depth : 0;
	if (rc == STORE_ECORRUPT) {
		*out = NULL;
		return 0;
	}
	if (rc != 0 && err)
		*err = why;
	return rc;
}

static int leave(struct path_walk *w, struct store_error *err)
{
	const struct frame top = w->frames[--w->depth];
	bool is_new;

	if (top.is_hit) {
		if (w->depth > 0)
			w->frames[w->depth - 1].is_hit = true;
		return 0;
	}
	return w->is_markless ? 0 : fsck_mark(w->fsck, &top.ref.id, &is_new, err);
}

static int step(struct path_walk *w, struct store_error *err)
{
	struct frame *top = &w->frames[w->depth - 1];
	struct fsck_child children[2];
	struct fsck_node *node;
	int rc = top_node(w, &node, err);
	size_t n;

	if (rc != 0)
		return rc;
	w->path.len = top->path_len;
	if (!node || top->pos == node->count)
		return leave(w, err);
	n = fsck_node_children(node, top->pos, children);
	if (n > 0 && children[0].is_name) {
		const struct map_item *item = &node->map.items[top->pos];

		if (w->path.len > 0 && item->key_len > 0)
			buf_add_u8(&w->path, '/');
		buf_add(&w->path, item->key, item->key_len);
		rc = buf_check(&w->path, err);
	}
	top->pos++;
	for (size_t i = 0; i < n && rc == 0; i++) {
		/* Only the last child has a node below: from then on the frames may have moved. */
		if (children[i].has_content)
			top->is_hit = name_path(w, &children[i].content) || top->is_hit;
		if (children[i].ref.role != FSCK_NONE)
			rc = push(w, &children[i].ref, err);
	}
	return rc == 0 ? fsck_tick(w->fsck, err) : rc;
}

static int walk(struct path_walk *w, const struct fsck_ref *ref, struct store_error *err)
{
	int rc;

	rc = push(w, ref, err);
	while (rc == 0 && w->depth > 0 && w->named < PATHS_ALL)
		rc = step(w, err);
	w->depth = 0;
	return rc;
}

static void release(struct path_walk *w)
{
	for (size_t i = 0; i < KEPT; i++)
		fsck_node_release(&w->kept[i].node);
	free(w->frames);
	buf_release(&w->path);
}

/* The tree, and the attributes recorded of it. */
static int walk_commit(struct path_walk *w, const struct commit *c, const struct layer *l,
	struct store_error *err)
{
	const struct entry top = view_top(l);
	const struct fsck_ref tree = fsck_ref_of_dir(&top);
	const struct fsck_ref meta = { .role = FSCK_META,
		.level = c->meta.height,
		.id = c->meta.id };
	int rc;

	for (size_t i = 0; i < KEPT; i++)
		fsck_node_init(&w->kept[i].node);
	rc = walk(w, &tree, err);
	buf_clear(&w->path);
	if (rc == 0 && c->has_meta)
		rc = walk(w, &meta, err);
	release(w);
	return rc;
}

int fsck_name_staged(struct fsck *f, const struct file_ref *ref, const struct buf *path,
	struct store_error *err)
{
	struct path_walk w = { .fsck = f, .is_markless = true };
	struct fsck_child c = { 0 };
	int rc = 0;

	for (size_t i = 0; i < KEPT; i++)
		fsck_node_init(&w.kept[i].node);
	fsck_child_content(&c, &ref->id, ref->height, ref->size);
	if (buf_set(&w.path, path->data, path->len) != 0)
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	else if (c.has_content)
		name_path(&w, &c.content);
	else
		rc = walk(&w, &c.ref, err);
	release(&w);
	return rc;
}

/* ---- older commits, and those of other refs */

/* STORE_EEXISTS: everything has a name. */
static int name_in_commit(struct fsck *f, const struct oid *id, const struct commit *c,
	struct store_error *err)
{
	struct path_walk w = { .fsck = f };
	char rev[13];
	struct layer l;

	if (f->nameless == 0)
		return STORE_EEXISTS;
	w.rev = id_short(rev, id);
	if (repo_read_layer(f->repo, &c->layer, &l, NULL) != 0)
		return 0;
	return walk_commit(&w, c, &l, err);
}

static int name_in_history(struct fsck *f, const struct oid *head, struct store_error *err)
{
	int rc;

	f->nameless = 0;
	for (size_t i = 0; i < f->damaged_cap; i++)
		f->nameless += f->damaged[i].used && f->damaged[i].paths == 0;
	rc = f->nameless > 0 ? fsck_each_commit(f, head, name_in_commit, err) : 0;
	return rc == STORE_EEXISTS ? 0 : rc;
}

int fsck_name_paths(struct fsck *f, struct store_error *err)
{
	struct path_walk w = { .fsck = f };
	struct refs_head head = { 0 };
	struct buf data = { 0 };
	struct env_txn *txn;
	struct commit c;
	struct layer l;
	int rc = env_begin(odb_env(f->repo->odb), false, &txn, err);

	if (rc != 0)
		return rc;
	if (f->damaged_full)
		fsck_info(f, "more is damaged than can be kept in mind: not all paths are named");
	/* A HEAD that cannot be read has been told of. */
	rc = refs_head(txn, &head, NULL);
	env_abort(txn);
	head.has_commit = rc == 0 && head.has_commit;
	fsck_forget_marks(f);
	rc = 0;
	if (head.has_commit && view_read(f->repo, &head.commit, &data, &c, &l, NULL) == 0)
		rc = walk_commit(&w, &c, &l, err);
	buf_release(&data);
	return rc == 0 ? name_in_history(f, head.has_commit ? &head.commit : NULL, err) : rc;
}
