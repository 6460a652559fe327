/*
 * After damage: which paths of what is staged, and of HEAD, are hit. Trees are walked by path,
 * files down to their rows of chunks, and every id on the way is looked up in the table of damaged
 * objects. A subtree in which nothing was found is marked on the way up and never entered again, so
 * shared subtrees cost once, yet a damaged one is named under each path that leads to it, up to
 * FSCK_PATHS_EACH of them for an object.
 *
 * Subtrees in which something was found are kept in a table: one is entered once for a path, and
 * for no more paths than are named. Without it a tree that names each directory twice, or a file
 * whose nodes name each node twice, would take for ever.
 *
 * What has no name then is looked for in the refs (fsck_users.c), and in all other commits, HEAD's
 * own history first, newest first, and is named once: as path@commit, or by the commit alone where
 * no path leads to it, such as a layer, a map of changes, or a commit that is a parent. There every
 * subtree is marked that was gone through: all that is damaged in it has a name. So it costs no
 * more than phase 5, and ends with the last name.
 *
 * Memory: HITS_MAX subtrees of 56 bytes, twice.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/crc32c.h"
#include "data/hash.h"
#include "graph/refs.h"
#include "graph/stage.h"
#include "work/fsck_internal.h"
#include "work/view_internal.h"

#define PATHS_ALL 10000
#define KEPT 16
#define HITS_MAX ((size_t)32768)
#define HITS_SLOTS (2 * HITS_MAX)

struct frame {
	struct fsck_ref ref;
	size_t pos;
	size_t path_len; /* of the file or directory the node belongs to */
	uint64_t place;
	bool is_hit; /* something below is damaged */
};

/* A subtree that was left, in which something is damaged. */
struct hit {
	struct oid id;
	uint64_t place; /* where it was entered last */
	uint8_t times;  /* 0: the slot is free */
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
	uint64_t place; /* counts the paths that were met */
	size_t named;
	struct hit *hits; /* open addressing */
	size_t hit_count;
	const char *rev;  /* of an older commit; NULL: HEAD, or the stage */
	bool is_pathless; /* what is walked belongs to the commit, and to no path */
};

/* The path as it stands, and the commit.  False: it need not be looked for again. */
static bool name_older(struct path_walk *w, struct fsck_damaged *d)
{
	const size_t len = w->path.len;

	if (d->paths > 0)
		return false;
	w->named++;
	if (w->is_pathless) {
		fsck_tell_user(w->fsck, d, "commit", w->rev);
		return false;
	}
	d->paths++;
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
	if ((d->paths > 0 && d->last_path == sum) || d->paths > FSCK_PATHS_EACH)
		return true;
	d->last_path = sum;
	w->named++;
	if (d->paths++ < FSCK_PATHS_EACH)
		fsck_tell_path(w->fsck, d, path);
	else
		fsck_tell_more(w->fsck, d);
	return true;
}

/* ---- subtrees that were hit */

static struct hit *find_hit(struct path_walk *w, const struct oid *id)
{
	size_t i = (size_t)id_low64(id) & (HITS_SLOTS - 1);

	while (w->hits[i].times > 0 && !id_eq(&w->hits[i].id, id))
		i = (i + 1) & (HITS_SLOTS - 1);
	return &w->hits[i];
}

/* False when there is no room: then it is not entered again. */
static bool keep_hit(struct path_walk *w, const struct frame *left)
{
	struct hit *h = find_hit(w, &left->ref.id);

	if (h->times > 0)
		return true;
	if (w->hit_count == HITS_MAX)
		return false;
	w->hit_count++;
	*h = (struct hit){ left->ref.id, left->place, 1 };
	return true;
}

/* Something below it is damaged.  Is there anything to be named that was not? */
static bool enter_again(struct path_walk *w, struct hit *h)
{
	if (h->place == w->place || h->times > FSCK_PATHS_EACH)
		return false;
	h->place = w->place;
	h->times++;
	return true;
}

/* ---- the walk */

static int push(struct path_walk *w, const struct fsck_ref *ref, struct store_error *err)
{
	bool is_clean = false, is_hit;
	struct hit *known;
	int rc = 0;

	if (fsck_is_built_in(ref))
		return 0;
	/* What lies below a damaged node that can be read is looked at all the same. */
	is_hit = name_path(w, &ref->id);
	known = find_hit(w, &ref->id);
	if (w->rev || known->times == 0)
		rc = is_hit ? 0 : fsck_is_marked(w->fsck, &ref->id, &is_clean, err);
	else
		is_hit = true;
	if (w->depth > 0 && is_hit)
		w->frames[w->depth - 1].is_hit = true;
	if (rc != 0 || is_clean || (!w->rev && known->times > 0 && !enter_again(w, known)))
		return rc;
	if (w->depth >= (size_t)(LIMIT_DEPTH + 2) * LIMIT_LEVEL)
		return 0;
	if (mem_grow(&w->frames, &w->cap, w->depth + 1, sizeof(*w->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->frames[w->depth++] = (struct frame){ *ref, 0, w->path.len, w->place, is_hit };
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

	if (top.is_hit && w->depth > 0)
		w->frames[w->depth - 1].is_hit = true;
	if (top.is_hit && keep_hit(w, &top))
		return 0;
	return fsck_mark(w->fsck, &top.ref.id, &is_new, err);
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
		w->place++;
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

	w->place++;
	rc = push(w, ref, err);
	while (rc == 0 && w->depth > 0 && w->named < PATHS_ALL)
		rc = step(w, err);
	w->depth = 0;
	return rc;
}

static int init(struct path_walk *w, struct fsck *f, struct store_error *err)
{
	memset(w, 0, sizeof(*w));
	w->fsck = f;
	for (size_t i = 0; i < KEPT; i++)
		fsck_node_init(&w->kept[i].node);
	w->hits = mem_alloc_array(HITS_SLOTS, sizeof(*w->hits));
	return w->hits ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
}

static void release(struct path_walk *w)
{
	for (size_t i = 0; i < KEPT; i++)
		fsck_node_release(&w->kept[i].node);
	free(w->frames);
	free(w->hits);
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

	buf_clear(&w->path);
	rc = walk(w, &tree, err);
	buf_clear(&w->path);
	return rc == 0 && c->has_meta ? walk(w, &meta, err) : rc;
}

/* ---- what is staged */

static int name_file(struct path_walk *w, const struct file_ref *ref, struct store_error *err)
{
	struct fsck_child c = { 0 };

	fsck_child_content(&c, &ref->id, ref->height, ref->size);
	if (!c.has_content)
		return walk(w, &c.ref, err);
	name_path(w, &c.content);
	return 0;
}

/* Content and extended attributes that only the stage has: no walk of HEAD meets them. */
static int name_staged(void *ctx, const struct stage_row *row, const struct buf *path,
	struct store_error *err)
{
	struct path_walk *w = ctx;
	struct span s = span_of(row->meta, row->meta_len);
	struct meta m = { 0 };
	int rc = 0;

	if (buf_set(&w->path, path->data, path->len) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (row->kind != ENTRY_DIR)
		rc = name_file(w, &row->ref, err);
	/* The walk of a file leaves the path as it is. */
	if (rc == 0 && row->meta_len > 0 && meta_decode(&s, &m) == 0 && (m.flags & META_XATTRS))
		rc = name_file(w, &m.xattrs, err);
	return rc;
}

/* ---- older commits, and those of other refs */

/* What belongs to a commit and to no path of it.  l: NULL when it cannot be read. */
static int name_pathless(struct path_walk *w, const struct commit *c, const struct layer *l,
	struct store_error *err)
{
	struct fsck_ref changes = { .role = FSCK_CHANGES };
	int rc = 0;

	w->is_pathless = true;
	name_path(w, &c->layer);
	for (size_t i = 0; i < c->parent_count; i++)
		name_path(w, &c->parents[i]);
	if (l && l->has_parent)
		name_path(w, &l->parent);
	if (l) {
		changes.level = l->changes.height;
		changes.id = l->changes.id;
		rc = walk(w, &changes, err);
	}
	w->is_pathless = false;
	return rc;
}

/* STORE_EEXISTS: everything has a name. */
static int name_in_commit(struct fsck *f, void *ctx, const struct oid *id, const struct commit *c,
	struct store_error *err)
{
	struct path_walk *w = ctx;
	char rev[13];
	struct layer l;
	bool is_good;
	int rc;

	if (f->nameless == 0)
		return STORE_EEXISTS;
	w->rev = id_short(rev, id);
	is_good = repo_read_layer(f->repo, &c->layer, &l, NULL) == 0;
	rc = name_pathless(w, c, is_good ? &l : NULL, err);
	if (rc == 0 && is_good)
		rc = walk_commit(w, c, &l, err);
	w->rev = NULL;
	return rc;
}

static void count_nameless(struct fsck *f)
{
	f->nameless = 0;
	for (size_t i = 0; i < f->damaged_cap; i++)
		f->nameless += f->damaged[i].used && f->damaged[i].paths == 0;
}

static int name_in_history(struct path_walk *w, const struct oid *head, struct store_error *err)
{
	struct fsck *f = w->fsck;
	int rc;

	count_nameless(f);
	rc = f->nameless > 0 ? fsck_name_refs(f, err) : 0;
	if (rc == 0 && f->nameless > 0)
		rc = fsck_each_commit(f, head, name_in_commit, w, err);
	if (rc == STORE_EEXISTS)
		rc = 0;
	return rc == 0 && f->nameless > 0 ? fsck_name_reflog(f, err) : rc;
}

static int name_all(struct path_walk *w, struct store_error *err)
{
	struct fsck *f = w->fsck;
	struct refs_head head = { 0 };
	struct buf data = { 0 };
	struct env_txn *txn;
	struct commit c;
	struct layer l;
	int rc = fsck_each_staged(f, name_staged, w, err);

	if (rc == 0)
		rc = env_begin(odb_env(f->repo->odb), false, &txn, err);
	if (rc != 0)
		return rc;
	/* A HEAD that cannot be read has been told of. */
	rc = refs_head(txn, &head, NULL);
	env_abort(txn);
	head.has_commit = rc == 0 && head.has_commit;
	rc = 0;
	if (head.has_commit && view_read(f->repo, &head.commit, &data, &c, &l, NULL) == 0)
		rc = walk_commit(w, &c, &l, err);
	buf_release(&data);
	return rc == 0 ? name_in_history(w, head.has_commit ? &head.commit : NULL, err) : rc;
}

int fsck_name_paths(struct fsck *f, struct store_error *err)
{
	struct path_walk w;
	int rc = init(&w, f, err);

	fsck_forget_marks(f);
	if (rc == 0)
		rc = name_all(&w, err);
	if (f->damaged_full || w.hit_count == HITS_MAX)
		fsck_info(f, "more is damaged than can be kept in mind: not all paths are named");
	release(&w);
	return rc;
}
