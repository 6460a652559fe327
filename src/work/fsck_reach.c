/*
 * Paths that get too long by where a directory is put. Its subtree may be an old one that was gone
 * through under a shorter name, and is never entered again: so whoever finds a directory at a path
 * that is new (phase 4 does, by the changes of a layer) has it measured from there.
 *
 * Most need no look: D directories below one make its paths longer by 256 (D + 1) bytes at most.
 * What was found short enough from a place is remembered with the node and is short enough from
 * every place nearer to the top. A directory below LIMIT_DEPTH others has a path over LIMIT_PATH,
 * so depth needs no measure of its own.
 *
 * Memory: the way down as ids and places, and one node, read again when the walk comes back to it.
 * Time: a tree may lead to one directory by more ways than can be counted, and the table may forget
 * it between two of them. So a run reads NODES_PER_OBJECT nodes for each object, and no more.
 */
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "work/fsck_internal.h"

#define NODES_PER_OBJECT 4
#define NODES_MIN 65536

struct frame {
	struct fsck_ref ref;
	size_t pos;
	size_t path_len; /* of the directory that the node belongs to */
};

struct reach {
	struct fsck *fsck;
	struct frame *frames;
	size_t depth, cap;
	struct fsck_node node;
	size_t loaded; /* whose node it is, as a depth; 0: nobody's */
};

/* Could anything below be too long?  The directory's own path is of path_len bytes. */
static bool is_doubtful(const struct totals *t, size_t path_len)
{
	return t->dirs >= LIMIT_PATH || path_len + (t->dirs + 1) * (LIMIT_NAME + 1) > LIMIT_PATH;
}

static bool is_known(struct reach *w, const struct fsck_ref *ref, size_t path_len)
{
	const struct fsck_memo *m = fsck_memo_slot(w->fsck, &ref->id);

	return id_eq(&m->id, &ref->id) && m->role == FSCK_DIRECTORY && m->safe > path_len;
}

static int push(struct reach *w, const struct fsck_ref *ref, size_t path_len,
	struct store_error *err)
{
	if (fsck_is_built_in(ref) || !is_doubtful(&ref->totals.totals, path_len) ||
		is_known(w, ref, path_len))
		return 0;
	if (mem_grow(&w->frames, &w->cap, w->depth + 1, sizeof(*w->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->frames[w->depth++] = (struct frame){ *ref, 0, path_len };
	return 0;
}

/* STORE_ECORRUPT, whose message nobody needs: it cannot be read, which phase 5 tells. */
static int load(struct reach *w, const struct fsck_ref *ref, struct store_error *err)
{
	struct fsck *f = w->fsck;
	struct store_error why = { 0 };
	struct fsck_memo *m;
	bool loaded;
	int rc;

	if (w->loaded == w->depth)
		return 0;
	w->loaded = 0;
	if (f->measured > NODES_MIN && f->measured / NODES_PER_OBJECT > f->packs.bits) {
		if (!f->is_unmeasured)
			fsck_info(f, "paths are too many to be measured all");
		f->is_unmeasured = true;
		return STORE_ECORRUPT;
	}
	f->measured++;
	rc = fsck_learn(f, ref, &w->node, &m, &loaded, &why);
	if (rc == 0 && !loaded)
		rc = fsck_node_load(f, &w->node, ref, &why);
	if (rc == 0)
		w->loaded = w->depth;
	else if (rc != STORE_ECORRUPT && err)
		*err = why;
	return rc;
}

static void leave(struct reach *w)
{
	const struct frame *top = &w->frames[--w->depth];
	struct fsck_memo *m = fsck_memo_slot(w->fsck, &top->ref.id);

	if (id_eq(&m->id, &top->ref.id) && m->safe <= top->path_len)
		m->safe = (uint16_t)(top->path_len + 1);
}

static int step(struct reach *w, bool *is_long, struct store_error *err)
{
	struct frame *top = &w->frames[w->depth - 1];
	struct fsck_child children[2];
	size_t pos, len = top->path_len;
	int rc = load(w, &top->ref, err);

	if (rc == STORE_ECORRUPT) {
		w->depth--;
		return 0;
	}
	if (rc != 0)
		return rc;
	if (top->pos == w->node.count) {
		leave(w);
		return 0;
	}
	pos = top->pos++;
	if (fsck_node_children(&w->node, pos, children) == 0)
		return 0;
	if (children[0].is_name)
		len += (len > 0) + w->node.map.items[pos].key_len;
	*is_long = len > LIMIT_PATH;
	return !*is_long && children[0].ref.role == FSCK_DIRECTORY
		? push(w, &children[0].ref, len, err)
		: fsck_tick(w->fsck, err);
}

int fsck_measure(struct fsck *f, const struct entry *dir, size_t path_len, bool *is_long,
	struct store_error *err)
{
	const struct fsck_ref ref = fsck_ref_of_dir(dir);
	struct reach w = { .fsck = f };
	int rc;

	*is_long = false;
	fsck_node_init(&w.node);
	rc = push(&w, &ref, path_len, err);
	while (rc == 0 && w.depth > 0 && !*is_long)
		rc = step(&w, is_long, err);
	fsck_node_release(&w.node);
	free(w.frames);
	return rc;
}
