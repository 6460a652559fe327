/*
 * The plan of a command that brings back rows of the stage and no files: reset, and restore
 * --staged.
 *
 * The stage becomes the target, exactly: what is not as the target has it is set, what the target
 * lacks goes, a directory with all below it in one operation. A row whose content stays keeps what
 * it knows of its file; one that gets other content knows nothing, so that the file is read when
 * somebody next asks.
 *
 * A directory that has the target's maps as its cached roots, and in which nothing is marked as
 * changed, is not entered: the cost is that of the directories in which something differs.
 */
#include <string.h>

#include "base/error.h"
#include "work/checkout_internal.h"

int checkout_is_clean_dir(struct checkout *c, const struct entry *e, uint64_t dir, bool *clean,
	struct store_error *err)
{
	struct stage_dir cached;
	struct stage_scan *dirty;
	const uint8_t *name;
	uint64_t generation;
	size_t len;
	int rc = stage_get_dir(c->txn, dir, &cached, err);

	*clean = false;
	if (rc != 0 || !cached.has_root || !entry_eq(&cached.root, e))
		return rc;
	rc = stage_dirty_open(c->txn, dir, &dirty, err);
	if (rc != 0)
		return rc;
	rc = stage_dirty_next(dirty, &name, &len, &generation, err);
	*clean = rc == STORE_ENOTFOUND;
	stage_scan_close(dirty);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Is all below a directory of the stage as the target has it, recorded attributes included? */
static int is_target_dir(struct checkout *c, const struct entry *e, const struct map_ref *meta,
	uint64_t dir, bool *same, struct store_error *err)
{
	struct stage_dir cached = { .generation = 0 };
	int rc = checkout_is_clean_dir(c, e, dir, same, err);

	if (rc == 0 && *same)
		rc = stage_get_dir(c->txn, dir, &cached, err);
	if (rc == 0 && *same)
		*same = cached.has_meta == (meta != NULL) &&
			(!meta ||
				(cached.meta.height == meta->height &&
					id_eq(&cached.meta.id, &meta->id)));
	return rc;
}

static bool same_content(const struct stage_row *row, const struct entry *e)
{
	return row->kind == e->kind &&
		(e->kind == ENTRY_DIR ||
			(row->ref.height == e->height && row->ref.size == e->totals.size &&
				id_eq(&row->ref.id, &e->id)));
}

static bool same_meta(const struct stage_row *row, const struct checkout_visit *v)
{
	return row->meta_len == v->meta_len &&
		(v->meta_len == 0 || memcmp(row->meta, v->meta, v->meta_len) == 0);
}

/* A directory of the target; dir: number of its rows, 0: it has none yet. */
static int enter(struct checkout *c, struct checkout_walk *w, const struct checkout_visit *v,
	uint64_t dir, struct store_error *err)
{
	bool same = false;
	int rc = 0;

	if (dir != 0)
		rc = is_target_dir(c, &v->target, v->has_child_meta ? &v->child_meta : NULL, dir,
			&same, err);
	return rc == 0 && !same ? checkout_walk_enter(w, dir, 0, err) : rc;
}

static int decide(struct checkout *c, struct checkout_walk *w, const struct checkout_visit *v,
	struct store_error *err)
{
	struct stage_row row = { .kind = ENTRY_NONE };
	int rc = v->stage_dir == 0 ? STORE_ENOTFOUND
				   : stage_get(c->txn, v->stage_dir, v->path + v->name_off,
					     v->len - v->name_off, &row, err);
	const bool found = rc == 0;

	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	if (v->target.kind == ENTRY_NONE)
		return found ? checkout_plan_op(c, v, CHECKOUT_FORGET, 0, err) : 0;
	rc = 0;
	if (!same_content(&row, &v->target))
		rc = checkout_plan_row(c, v, CHECKOUT_ROW, 0, NULL, err);
	else if (!same_meta(&row, v))
		rc = checkout_plan_row(c, v, CHECKOUT_ROW, 0, &row.stat, err);
	if (rc == 0 && v->target.kind == ENTRY_DIR)
		rc = enter(c, w, v, row.kind == ENTRY_DIR ? row.dir : 0, err);
	return rc;
}

int checkout_plan_rows(struct checkout *c, struct checkout_walk *w, struct store_error *err)
{
	struct checkout_visit v;
	int rc;

	while ((rc = checkout_walk_next(w, &v, err)) == 0) {
		if (!v.is_leave)
			rc = decide(c, w, &v, err);
		if (rc == 0)
			rc = checkout_tick(c, err);
		if (rc != 0)
			return rc;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}
