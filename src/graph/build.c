/*
 * One frame per directory on the way down, each with its cursor over the dirty rows and an editor
 * for its two maps. A subdirectory is built when its row is met, since its root is the value that
 * row becomes; so editors get their keys in order and nothing is remembered but the way.
 */
#include "graph/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/limits.h"
#include "graph/map.h"
#include "graph/tree.h"

struct frame {
	uint64_t dir;
	struct stage_dir cached;
	struct stage_scan *rows;
	struct map_editor *content, *meta; /* made at the first dirty row */
	struct buf name;                   /* in the directory above; "" at the top */
	struct buf own_meta;               /* its own recorded attributes */
};

struct build {
	struct env_txn *txn;
	const struct node_source *src;
	const struct node_sink *sink;
	struct frame *frames;
	size_t depth, cap;
	struct buf value;
	struct build_tree *out;
	int (*done)(void *ctx, const struct build_done *d, struct store_error *err);
	void *ctx;
};

static void release_frame(struct frame *f)
{
	stage_scan_close(f->rows);
	map_editor_free(f->content);
	map_editor_free(f->meta);
	buf_release(&f->name);
	buf_release(&f->own_meta);
	memset(f, 0, sizeof(*f));
}

static int push(struct build *b, uint64_t dir, const void *name, size_t len, const void *meta,
	size_t meta_len, struct store_error *err)
{
	struct frame *f;
	int rc;

	if (b->depth > LIMIT_DEPTH)
		return store_error_set(err, STORE_EINVAL, "directories are nested deeper than %d",
			LIMIT_DEPTH);
	if (mem_grow(&b->frames, &b->cap, b->depth + 1, sizeof(*b->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	f = &b->frames[b->depth++];
	memset(f, 0, sizeof(*f));
	f->dir = dir;
	buf_set(&f->name, name, len);
	buf_set(&f->own_meta, meta, meta_len);
	if (f->name.failed || f->own_meta.failed)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = stage_get_dir(b->txn, dir, &f->cached, err);
	return rc == 0 ? stage_dirty_open(b->txn, dir, &f->rows, err) : rc;
}

static int make_editors(struct build *b, struct frame *f, struct store_error *err)
{
	const struct map_ref old = { f->cached.root.id, f->cached.root.height };
	const struct map_ref content = f->cached.has_root ? old : map_empty(MAP_DIRECTORY);
	const struct map_ref meta = f->cached.has_meta ? f->cached.meta : map_empty(MAP_META);

	if (f->content)
		return 0;
	f->content = map_editor_new(MAP_DIRECTORY, b->src, b->sink, &content);
	f->meta = map_editor_new(MAP_META, b->src, b->sink, &meta);
	return f->content && f->meta ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
}

static int drop_entry(struct frame *f, const void *name, size_t len, struct store_error *err)
{
	const int rc = len > 0 ? map_editor_drop(f->content, name, len, err) : 0;

	return rc == 0 ? map_editor_drop(f->meta, name, len, err) : rc;
}

/* Put an entry and its attributes (may be empty) under name into the maps of f. */
static int set_entry(struct build *b, struct frame *f, const void *name, size_t len,
	const struct entry *e, const void *meta, size_t meta_len, struct store_error *err)
{
	int rc = 0;

	buf_clear(&b->value);
	if (e) {
		rc = entry_encode(&b->value, e);
		if (rc != 0)
			return rc == STORE_ENOMEM
				? buf_check(&b->value, err)
				: store_error_set(err, STORE_ECORRUPT,
					  "a row of the stage cannot stand in a tree; run 'store fsck --rebuild'");
		rc = map_editor_set(f->content, name, len, b->value.data, b->value.len, err);
	}
	if (rc != 0)
		return rc;
	return meta_len > 0 ? map_editor_set(f->meta, name, len, meta, meta_len, err)
			    : map_editor_drop(f->meta, name, len, err);
}

static int take_row(struct build *b, const uint8_t *name, size_t len, struct store_error *err)
{
	struct frame *f = &b->frames[b->depth - 1];
	struct stage_row row;
	struct entry e = { 0 };
	int rc = make_editors(b, f, err);

	if (rc != 0)
		return rc;
	rc = stage_get(b->txn, f->dir, name, len, &row, err);
	if (rc == STORE_ENOTFOUND)
		return drop_entry(f, name, len, err);
	if (rc != 0)
		return rc;
	if (len == 0)
		return set_entry(b, f, name, len, NULL, row.meta, row.meta_len, err);
	if (row.kind == ENTRY_DIR)
		return push(b, row.dir, name, len, row.meta, row.meta_len, err);
	e.kind = row.kind;
	e.height = row.ref.height;
	e.id = row.ref.id;
	e.totals = (struct totals){ row.ref.size, 1, 0 };
	return set_entry(b, f, name, len, &e, row.meta, row.meta_len, err);
}

/* Close the maps of the top frame; unchanged directories give back what was cached. */
static int finish(struct build *b, struct frame *f, struct stage_dir *now, struct store_error *err)
{
	const struct map_ref empty = map_empty(MAP_META);
	struct map_totals totals;
	struct map_ref root;
	int rc;

	*now = f->cached;
	if (!f->content && f->cached.has_root)
		return 0;
	rc = make_editors(b, f, err);
	if (rc == 0)
		rc = map_editor_finish(f->content, &root, &totals, err);
	if (rc != 0)
		return rc;
	now->has_root = true;
	now->root = (struct entry){ .kind = ENTRY_DIR,
		.height = root.height,
		.id = root.id,
		.totals = totals.totals };
	rc = map_editor_finish(f->meta, &now->meta, &totals, err);
	now->has_meta = rc == 0 && !map_ref_eq(&now->meta, &empty);
	b->out->dirs++;
	return rc;
}

/*
 * The attributes of a directory as they stand in the map above: its own, and the map of what is in
 * it.
 */
static int join_meta(const struct frame *f, const struct stage_dir *now, struct buf *out,
	struct store_error *err)
{
	struct span s = span_of(f->own_meta.data, f->own_meta.len);
	struct meta m = { 0 };

	if (f->own_meta.len > 0 && meta_decode(&s, &m) != 0)
		return store_error_set(err, STORE_ECORRUPT,
			"attributes in the stage are malformed; run 'store fsck --rebuild'");
	if (now->has_meta) {
		m.flags |= META_CHILD;
		m.child = now->meta;
	}
	buf_clear(out);
	return m.flags == 0 ? 0 : meta_encode(out, &m);
}

static int pop(struct build *b, struct store_error *err)
{
	struct frame *f = &b->frames[b->depth - 1];
	struct build_done d = { .dir = f->dir, .generation = f->cached.generation };
	struct buf meta = { 0 };
	int rc = finish(b, f, &d.now, err);

	if (rc == 0 && b->done && f->content)
		rc = b->done(b->ctx, &d, err);
	if (rc == 0 && b->depth == 1) {
		b->out->root = d.now.root;
		b->out->has_meta = d.now.has_meta;
		b->out->meta = d.now.meta;
	} else if (rc == 0) {
		rc = join_meta(f, &d.now, &meta, err);
		if (rc == 0)
			rc = set_entry(b, f - 1, f->name.data, f->name.len, &d.now.root, meta.data,
				meta.len, err);
	}
	buf_release(&meta);
	/* Else it shows where the build stopped. */
	if (rc == 0) {
		release_frame(f);
		b->depth--;
	}
	return rc;
}

/* Put the directory that the build stopped in before what went wrong. */
static int name_dir(const struct build *b, int rc, struct store_error *err)
{
	struct buf path = { 0 };

	for (size_t i = 1; i < b->depth; i++) {
		if (i > 1)
			buf_add_u8(&path, '/');
		buf_add(&path, b->frames[i].name.data, b->frames[i].name.len);
	}
	if (rc != 0 && !path.failed)
		tree_name_dir(rc, path.data, path.len, err);
	buf_release(&path);
	return rc;
}

int build_tree(struct env_txn *snapshot, const struct node_source *src,
	const struct node_sink *sink,
	int (*done)(void *ctx, const struct build_done *d, struct store_error *err), void *ctx,
	struct build_tree *out, struct store_error *err)
{
	struct build b = { .txn = snapshot,
		.src = src,
		.sink = sink,
		.out = out,
		.done = done,
		.ctx = ctx };
	uint64_t root;
	int rc = stage_root(snapshot, &root, err);

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = push(&b, root, "", 0, "", 0, err);
	while (rc == 0 && b.depth > 0) {
		const uint8_t *name;
		uint64_t generation;
		size_t len;

		rc = stage_dirty_next(b.frames[b.depth - 1].rows, &name, &len, &generation, err);
		if (rc == 0) {
			out->dirty++;
			rc = take_row(&b, name, len, err);
		} else if (rc == STORE_ENOTFOUND) {
			rc = pop(&b, err);
		}
	}
	rc = name_dir(&b, rc, err);
	while (b.depth > 0)
		release_frame(&b.frames[--b.depth]);
	free(b.frames);
	buf_release(&b.value);
	return rc;
}
