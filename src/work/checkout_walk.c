/*
 * The walk of a checkout: a stack of directories, each with the differences of two maps, and, when
 * the whole stage is to be looked at, a scan over its rows.
 *
 * The first three modes are differences. Against the empty map every entry of the target is one;
 * where the target has no such directory its map is the empty one, and every old entry is one. So
 * deleting a tree and writing a tree are one walk.
 *
 * Entries come in byte order of names; behind them, in mode ALL, the rows of the stage that the
 * target lacks. In mode STAGED there are rows only. A directory is entered only when the caller
 * says so, and then it is visited once more when it is left.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/tree.h"
#include "work/checkout_internal.h"

struct frame {
	struct map_diff *diff;
	struct stage_scan *scan;
	struct map_ref target_map;
	bool has_meta;
	struct map_ref meta;
	uint64_t stage_dir;
	size_t path_len; /* of the directory in `path`, its '/' included; 0 for the top */
	size_t name_off;
	struct entry old, target; /* the directory as it was visited */
	unsigned int flags;
};

struct checkout_walk {
	struct node_source src;
	enum checkout_walk_mode mode;
	struct env_txn *txn;
	struct frame *frames;
	size_t count, cap;
	struct buf path, meta_value, lookup;
	struct checkout_visit last;
	bool has_single; /* `last` is to be visited first */
	bool has_single_meta;
	struct map_ref single_meta;
	uint64_t single_dir; /* number of the rows around it */
	bool has_child_meta; /* of the entry visited last */
	struct map_ref child_meta;
};

struct checkout_walk *checkout_walk_new(const struct node_source *src, enum checkout_walk_mode mode,
	struct env_txn *txn)
{
	struct checkout_walk *w = calloc(1, sizeof(*w));

	if (w) {
		w->src = *src;
		w->mode = mode;
		w->txn = txn;
	}
	return w;
}

static void close_frame(struct frame *f)
{
	map_diff_free(f->diff);
	stage_scan_close(f->scan);
}

void checkout_walk_free(struct checkout_walk *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->count; i++)
		close_frame(&w->frames[i]);
	free(w->frames);
	buf_release(&w->path);
	buf_release(&w->meta_value);
	buf_release(&w->lookup);
	free(w);
}

static struct map_ref map_of(const struct entry *e)
{
	return e->kind == ENTRY_DIR ? (struct map_ref){ e->id, e->height }
				    : map_empty(MAP_DIRECTORY);
}

static int push(struct checkout_walk *w, const struct entry *old, const struct entry *target,
	const struct map_ref *meta, uint64_t stage_dir, unsigned int flags, struct store_error *err)
{
	const struct map_ref a = w->mode == CHECKOUT_CHANGES ? map_of(old)
							     : map_empty(MAP_DIRECTORY);
	const struct map_ref b = map_of(target);
	struct frame *f;
	int rc = 0;

	if (w->count > LIMIT_DEPTH)
		return store_error_set(err, STORE_ECORRUPT,
			"the tree is deeper than %d directories", LIMIT_DEPTH);
	if (target->kind == ENTRY_DIR && w->mode != CHECKOUT_STAGED)
		rc = tree_check_dir(&w->src, target, err);
	if (rc != 0)
		return rc;
	if (mem_grow(&w->frames, &w->cap, w->count + 1, sizeof(*w->frames)) != 0)
		return checkout_no_memory(err);
	f = &w->frames[w->count];
	memset(f, 0, sizeof(*f));
	if (w->mode != CHECKOUT_STAGED)
		f->diff = map_diff_new(&w->src, MAP_DIRECTORY, &a, &b);
	if (!f->diff && w->mode != CHECKOUT_STAGED)
		return checkout_no_memory(err);
	w->count++;
	f->target_map = b;
	f->has_meta = meta != NULL;
	if (meta)
		f->meta = *meta;
	f->stage_dir = stage_dir;
	f->path_len = w->path.len;
	f->name_off = w->last.name_off;
	f->old = *old;
	f->target = *target;
	f->flags = flags;
	return 0;
}

int checkout_walk_begin(struct checkout_walk *w, const char *path, const struct entry *old,
	const struct entry *target, const struct map_ref *meta, uint64_t stage_dir,
	struct store_error *err)
{
	const char *slash = strrchr(path, '/');

	if (!*path)
		return push(w, old, target, meta, stage_dir, 0, err);
	if (buf_set(&w->path, path, strlen(path)) != 0)
		return checkout_no_memory(err);
	memset(&w->last, 0, sizeof(w->last));
	w->last.old = *old;
	w->last.target = *target;
	w->last.stage_dir = w->single_dir = stage_dir;
	w->last.name_off = slash ? (size_t)(slash - path) + 1 : 0;
	w->has_single = true;
	w->has_single_meta = meta != NULL;
	if (meta)
		w->single_meta = *meta;
	return 0;
}

static int bad_meta(struct store_error *err)
{
	return store_error_set(err, STORE_ECORRUPT, "recorded attributes are malformed");
}

/* The attributes of the row visited last. */
static int find_row_meta(struct checkout_walk *w, struct store_error *err)
{
	struct stage_row row;
	int rc = STORE_ENOTFOUND;

	w->has_child_meta = false;
	w->last.meta_len = 0;
	if (w->last.stage_dir != 0)
		rc = stage_get(w->txn, w->last.stage_dir, buf_from(&w->path, w->last.name_off),
			w->path.len - w->last.name_off, &row, err);
	if (rc == 0 && buf_set(&w->meta_value, row.meta, row.meta_len) != 0)
		return checkout_no_memory(err);
	if (rc == 0)
		w->last.meta_len = row.meta_len;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/*
 * The recorded attributes of the entry visited last, from map; the reference to its child map is
 * kept apart.
 */
static int find_meta(struct checkout_walk *w, const struct map_ref *map, struct store_error *err)
{
	const char *name = (const char *)buf_from(&w->path, w->last.name_off);
	struct meta m;
	struct span s;
	int rc;

	w->has_child_meta = false;
	w->last.meta_len = 0;
	if (!map || w->last.target.kind == ENTRY_NONE)
		return 0;
	rc = map_lookup(&w->src, MAP_META, map, name, w->path.len - w->last.name_off, &w->lookup,
		err);
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	s = span_of(w->lookup.data, w->lookup.len);
	if (meta_decode(&s, &m) != 0 || s.bad)
		return bad_meta(err);
	if (m.flags & META_CHILD) {
		w->has_child_meta = true;
		w->child_meta = m.child;
		m.flags &= (uint8_t)~META_CHILD;
	}
	if (m.flags == 0)
		return 0;
	buf_clear(&w->meta_value);
	if (meta_encode(&w->meta_value, &m) != 0)
		return checkout_no_memory(err);
	w->last.meta_len = w->meta_value.len;
	return 0;
}

/* Complete `last`, whose path is set, and hand it out. */
static int give(struct checkout_walk *w, const struct map_ref *meta, struct checkout_visit *v,
	struct store_error *err)
{
	int rc;

	if (w->path.failed || !buf_str(&w->path))
		return checkout_no_memory(err);
	if (w->path.len > LIMIT_PATH)
		return store_error_set(err, STORE_EINVAL, "a path is longer than %d bytes",
			LIMIT_PATH);
	/* No tree of ours has it; one that was made to harm would write into the repository. */
	if (w->path.len - w->last.name_off == 6 &&
		memcmp(buf_from(&w->path, w->last.name_off), ".store", 6) == 0)
		return store_error_set(err, STORE_ECORRUPT,
			"the tree holds the name '.store', which no tree may hold");
	rc = w->mode == CHECKOUT_STAGED ? find_row_meta(w, err) : find_meta(w, meta, err);
	w->last.path = (const char *)w->path.data;
	w->last.len = w->path.len;
	w->last.meta = w->meta_value.data;
	w->last.has_child_meta = w->has_child_meta;
	w->last.child_meta = w->child_meta;
	*v = w->last;
	return rc;
}

static int decode(const uint8_t *value, size_t len, struct entry *e, struct store_error *err)
{
	struct span s = span_of(value, len);

	memset(e, 0, sizeof(*e));
	if (!value)
		return 0;
	if (entry_decode(&s, e) != 0)
		return store_error_set(err, STORE_ECORRUPT, "a directory entry is malformed");
	return 0;
}

static void set_name(struct checkout_walk *w, const struct frame *f, const void *name, size_t len)
{
	w->path.len = f->path_len;
	buf_add(&w->path, name, len);
	w->last.name_off = f->path_len;
	w->last.is_leave = false;
	w->last.stage_dir = f->stage_dir;
	w->last.flags = f->flags;
}

static int next_difference(struct checkout_walk *w, struct frame *f, struct checkout_visit *v,
	struct store_error *err)
{
	struct map_item a, b;
	int rc = map_diff_next(f->diff, &a, &b, err);

	if (rc != 0)
		return rc;
	rc = decode(a.value, a.value_len, &w->last.old, err);
	if (rc == 0)
		rc = decode(b.value, b.value_len, &w->last.target, err);
	if (rc != 0)
		return rc;
	set_name(w, f, b.key, b.key_len);
	return give(w, f->has_meta ? &f->meta : NULL, v, err);
}

/* The entry a row stands for; of a directory the kind alone. */
static struct entry entry_of(const struct stage_row *row)
{
	struct entry e = { .kind = row->kind };

	if (row->kind != ENTRY_DIR) {
		e.id = row->ref.id;
		e.height = row->ref.height;
		e.totals.size = row->ref.size;
		e.totals.files = 1;
	}
	return e;
}

/* The next row of the stage, as the target. */
static int next_staged(struct checkout_walk *w, struct frame *f, struct checkout_visit *v,
	struct store_error *err)
{
	const uint8_t *name;
	struct stage_row row;
	size_t len;
	int rc = f->scan ? 0 : stage_scan_open(w->txn, f->stage_dir, &f->scan, err);

	if (rc == 0)
		rc = stage_scan_next(f->scan, &name, &len, &row, err);
	if (rc != 0)
		return rc;
	memset(&w->last.old, 0, sizeof(w->last.old));
	w->last.target = entry_of(&row);
	set_name(w, f, name, len);
	return give(w, NULL, v, err);
}

/* The next row of the stage that the target lacks. */
static int next_row(struct checkout_walk *w, struct frame *f, struct checkout_visit *v,
	struct store_error *err)
{
	const uint8_t *name = NULL;
	struct stage_row row;
	size_t len = 0;
	int rc = 0;

	/* What gives way goes with all its rows, whatever else is looked at. */
	if (f->stage_dir == 0 || !w->txn || w->mode == CHECKOUT_CHANGES ||
		(w->mode == CHECKOUT_TARGET && !(f->flags & CHECKOUT_FRAME_IN_WAY)))
		return STORE_ENOTFOUND;
	if (!f->scan)
		rc = stage_scan_open(w->txn, f->stage_dir, &f->scan, err);
	while (rc == 0) {
		rc = stage_scan_next(f->scan, &name, &len, &row, err);
		if (rc != 0)
			return rc;
		rc = map_lookup(&w->src, MAP_DIRECTORY, &f->target_map, name, len, &w->lookup, err);
		if (rc == STORE_ENOTFOUND)
			break;
	}
	if (rc != STORE_ENOTFOUND)
		return rc;
	memset(&w->last.old, 0, sizeof(w->last.old));
	memset(&w->last.target, 0, sizeof(w->last.target));
	set_name(w, f, name, len);
	return give(w, NULL, v, err);
}

static int leave(struct checkout_walk *w, struct checkout_visit *v, struct store_error *err)
{
	const struct frame f = w->frames[w->count - 1];
	const struct frame *around = w->count > 1 ? &w->frames[w->count - 2] : NULL;

	close_frame(&w->frames[--w->count]);
	if (f.path_len == 0)
		return STORE_ENOTFOUND;
	w->path.len = f.path_len - 1;
	w->last.is_leave = true;
	w->last.name_off = f.name_off;
	w->last.old = f.old;
	w->last.target = f.target;
	w->last.flags = f.flags;
	w->last.stage_dir = around ? around->stage_dir : w->single_dir;
	if (around)
		return give(w, around->has_meta ? &around->meta : NULL, v, err);
	return give(w, w->has_single_meta ? &w->single_meta : NULL, v, err);
}

int checkout_walk_next(struct checkout_walk *w, struct checkout_visit *v, struct store_error *err)
{
	struct frame *f;
	size_t len; /* of the directory's path */
	int rc;

	if (w->has_single) {
		w->has_single = false;
		return give(w, w->has_single_meta ? &w->single_meta : NULL, v, err);
	}
	if (w->count == 0)
		return STORE_ENOTFOUND;
	f = &w->frames[w->count - 1];
	len = f->path_len > 0 ? f->path_len - 1 : 0;
	rc = f->scan || !f->diff ? STORE_ENOTFOUND : next_difference(w, f, v, err);
	if (rc == STORE_ENOTFOUND)
		rc = f->diff ? next_row(w, f, v, err) : next_staged(w, f, v, err);
	if (rc == STORE_ENOTFOUND)
		rc = leave(w, v, err);
	return tree_name_dir(rc, w->path.data, len, err);
}

int checkout_walk_enter(struct checkout_walk *w, uint64_t stage_dir, unsigned int flags,
	struct store_error *err)
{
	const struct entry old = w->last.old, target = w->last.target;
	const struct map_ref meta = w->child_meta;
	int rc;

	if (buf_add_u8(&w->path, '/') != 0)
		return checkout_no_memory(err);
	rc = push(w, &old, &target, w->has_child_meta && target.kind == ENTRY_DIR ? &meta : NULL,
		stage_dir, flags, err);
	return tree_name_dir(rc, w->path.data, w->path.len - 1, err);
}

void checkout_walk_keep(struct checkout_walk *w)
{
	if (w->count > 0)
		w->frames[w->count - 1].flags |= CHECKOUT_FRAME_KEEP;
}
