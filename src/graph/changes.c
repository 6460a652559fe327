/*
 * A walk of two trees at once, down where the ids differ. Differences come in byte order of names,
 * and a directory is entered when it is met, so paths joined by NUL come in byte order too: NUL is
 * less than every byte of a name.
 */
#include "graph/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/limits.h"
#include "graph/map.h"

struct level {
	struct map_diff *diff;
	size_t path_len; /* of the directory, in path */
};

struct walk {
	const struct node_source *src;
	struct map_editor *out;
	struct level *levels;
	size_t depth, cap;
	struct buf path, value;
	struct changes *counts;
	const struct changes_watch *watch;
};

static int enter(struct walk *w, const struct entry *a, const struct entry *b,
	struct store_error *err)
{
	const struct map_ref x = { a->id, a->height }, y = { b->id, b->height };
	struct level *l;

	if (w->depth > LIMIT_DEPTH)
		return store_error_set(err, STORE_ECORRUPT, "directories are nested deeper than %d",
			LIMIT_DEPTH);
	if (mem_grow(&w->levels, &w->cap, w->depth + 1, sizeof(*w->levels)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	l = &w->levels[w->depth];
	l->diff = map_diff_new(w->src, MAP_DIRECTORY, &x, &y);
	l->path_len = w->path.len;
	if (!l->diff)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->depth++;
	return 0;
}

/* Files that an entry stands for: a directory for all below it. */
static uint64_t files_of(const struct entry *e)
{
	return e->kind == ENTRY_NONE ? 0 : e->kind == ENTRY_DIR ? e->totals.files : 1;
}

static void count(struct changes *c, uint8_t change, const struct entry *a, const struct entry *b)
{
	switch (change) {
	case CHANGE_ADDED:
		c->added += files_of(b);
		break;
	case CHANGE_DELETED:
		c->deleted += files_of(a);
		break;
	case CHANGE_TYPE:
		c->deleted += files_of(a);
		c->added += files_of(b);
		break;
	default:
		c->modified++;
	}
}

static int tell(struct walk *w, const struct entry *dir, struct store_error *err)
{
	return w->watch ? w->watch->fn(w->watch->ctx, &w->path, dir, err) : 0;
}

static int emit(struct walk *w, uint8_t change, const struct entry *a, const struct entry *b,
	struct store_error *err)
{
	const struct change value = { change, a->kind, b->kind };
	const int rc = b->kind == ENTRY_DIR ? tell(w, b, err) : 0;

	if (rc != 0)
		return rc;
	count(w->counts, change, a, b);
	buf_clear(&w->value);
	if (change_encode(&w->value, &value) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	return map_editor_set(w->out, w->path.data, w->path.len, w->value.data, w->value.len, err);
}

static int decode_side(const struct map_item *item, struct entry *e, struct store_error *err)
{
	struct span s = span_of(item->value, item->value_len);

	memset(e, 0, sizeof(*e));
	if (item->value && entry_decode(&s, e) != 0)
		return store_error_set(err, STORE_ECORRUPT, "a directory entry is malformed");
	return 0;
}

static int take(struct walk *w, const struct map_item *x, const struct map_item *y,
	struct store_error *err)
{
	struct entry a, b;
	uint8_t change;
	int rc;

	if ((rc = decode_side(x, &a, err)) != 0 || (rc = decode_side(y, &b, err)) != 0)
		return rc;
	w->path.len = w->levels[w->depth - 1].path_len;
	if (w->depth > 1)
		buf_add_u8(&w->path, 0);
	buf_add(&w->path, x->key, x->key_len);
	if ((rc = buf_check(&w->path, err)) != 0)
		return rc;
	if (w->path.len > LIMIT_PATH) {
		rc = tell(w, NULL, err);
		return rc != 0 ? rc
			       : store_error_set(err, STORE_ECORRUPT,
					 "a path is longer than %d bytes", LIMIT_PATH);
	}
	if (a.kind == ENTRY_DIR && b.kind == ENTRY_DIR)
		return enter(w, &a, &b, err);
	change = change_between(&a, &b);
	return change == 0 ? 0 : emit(w, change, &a, &b, err);
}

static int run(struct walk *w, struct store_error *err)
{
	int rc = 0;

	while (rc == 0 && w->depth > 0) {
		struct map_item x, y;

		rc = map_diff_next(w->levels[w->depth - 1].diff, &x, &y, err);
		if (rc == 0) {
			rc = take(w, &x, &y, err);
		} else if (rc == STORE_ENOTFOUND) {
			map_diff_free(w->levels[--w->depth].diff);
			rc = 0;
		}
	}
	return rc;
}

int changes_build(const struct node_source *src, const struct node_sink *sink,
	const struct entry *a, const struct entry *b, const struct changes_watch *watch,
	struct changes *out, struct store_error *err)
{
	const struct map_ref empty = map_empty(MAP_CHANGES);
	const struct entry none = { 0 };
	struct walk w = { .src = src, .counts = out, .watch = watch };
	struct map_totals totals;
	int rc;

	memset(out, 0, sizeof(*out));
	w.out = map_editor_new(MAP_CHANGES, src, sink, &empty);
	if (!w.out)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (!a)
		rc = emit(&w, CHANGE_ADDED, &none, b, err);
	else
		rc = id_eq(&a->id, &b->id) && a->height == b->height ? 0 : enter(&w, a, b, err);
	if (rc == 0)
		rc = run(&w, err);
	if (rc == 0)
		rc = map_editor_finish(w.out, &out->map, &totals, err);
	while (w.depth > 0)
		map_diff_free(w.levels[--w.depth].diff);
	map_editor_free(w.out);
	free(w.levels);
	buf_release(&w.path);
	buf_release(&w.value);
	return rc;
}
