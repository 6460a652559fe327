/*
 * Phase 6: what is staged is there, attributes and cached roots included.
 *
 * The rows are walked from the top directory, depth first, by key: a frame of the way down is a
 * directory's number and the name last seen in it, so the walk can go on behind it in a new
 * snapshot. Directories in `dead` are reached by nothing and are not looked at. Snapshots are
 * renewed between directories; one that is gone meanwhile ends there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "graph/stage.h"
#include "work/fsck_internal.h"

struct frame {
	uint64_t dir;
	uint8_t name[LIMIT_NAME];
	size_t len; /* 0: nothing was seen in it yet */
};

struct stage_walk {
	struct fsck *fsck;
	struct env_txn *txn;
	struct frame *frames;
	size_t depth, cap;
};

static int damage(struct stage_walk *w, const uint8_t *name, size_t len, struct store_error *err,
	const char *what)
{
	return fsck_damage(w->fsck, NULL, 0, 0, err, "stage: '%.*s': %s", (int)len,
		(const char *)name, what);
}

static int check_meta(struct stage_walk *w, const struct stage_row *row, const uint8_t *name,
	size_t len, struct store_error *err)
{
	struct span s = span_of(row->meta, row->meta_len);
	struct meta m = { 0 };

	if (row->meta_len == 0)
		return 0;
	if (meta_decode(&s, &m) != 0 || span_left(&s) != 0 || (m.flags & META_CHILD))
		return damage(w, name, len, err, "its attributes are malformed");
	return m.flags & META_XATTRS ? fsck_walk_file(w->fsck, &m.xattrs, NULL, err) : 0;
}

static int check_cached(struct stage_walk *w, uint64_t dir, struct store_error *err)
{
	struct stage_dir d;
	struct fsck_ref ref;
	int rc = stage_get_dir(w->txn, dir, &d, err);

	if (rc == 0 && d.has_root) {
		ref = fsck_ref_of_dir(&d.root);
		rc = fsck_walk(w->fsck, &ref, err);
	}
	if (rc == 0 && d.has_meta) {
		ref = (struct fsck_ref){ .role = FSCK_META,
			.level = d.meta.height,
			.id = d.meta.id };
		rc = fsck_walk(w->fsck, &ref, err);
	}
	return rc;
}

static int enter(struct stage_walk *w, uint64_t dir, struct store_error *err)
{
	if (w->depth > LIMIT_DEPTH)
		return fsck_damage(w->fsck, NULL, 0, 0, err,
			"the stage is nested deeper than %d directories", LIMIT_DEPTH);
	if (mem_grow(&w->frames, &w->cap, w->depth + 1, sizeof(*w->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	memset(&w->frames[w->depth], 0, sizeof(*w->frames));
	w->frames[w->depth++].dir = dir;
	return check_cached(w, dir, err);
}

/* Rows of the lowest directory up to the first directory in it, which is entered. */
static int step(struct stage_walk *w, struct store_error *err)
{
	struct frame *top = &w->frames[w->depth - 1];
	struct stage_scan *scan;
	struct stage_row row = { 0 };
	const uint8_t *name;
	size_t len;
	int rc = stage_scan_open(w->txn, top->dir, &scan, err);

	if (rc != 0)
		return rc;
	if (top->len > 0)
		stage_scan_seek(scan, top->name, top->len);
	while ((rc = stage_scan_next(scan, &name, &len, &row, err)) == 0) {
		if (len > LIMIT_NAME) {
			rc = store_error_set(err, STORE_ECORRUPT,
				"a row of the stage is malformed; run 'store fsck --rebuild'");
			break;
		}
		memcpy(top->name, name, len);
		top->len = len;
		rc = check_meta(w, &row, name, len, err);
		if (rc == 0 && row.kind != ENTRY_DIR)
			rc = fsck_walk_file(w->fsck, &row.ref, NULL, err);
		if (rc == 0)
			rc = fsck_tick(w->fsck, err);
		if (rc != 0 || row.kind == ENTRY_DIR)
			break;
	}
	stage_scan_close(scan);
	if (rc == STORE_ENOTFOUND) {
		w->depth--;
		return 0;
	}
	/* The frames may move when one is added. */
	return rc == 0 ? enter(w, row.dir, err) : rc;
}

static int walk(struct stage_walk *w, struct store_error *err)
{
	struct stage_row top;
	uint64_t dir;
	int rc = stage_root(w->txn, &dir, err);

	if (rc == 0)
		rc = stage_get(w->txn, dir, "", 0, &top, err);
	if (rc == 0)
		rc = check_meta(w, &top, (const uint8_t *)".", 1, err);
	if (rc == STORE_ENOTFOUND)
		rc = 0;
	if (rc == 0)
		rc = enter(w, dir, err);
	while (rc == 0 && w->depth > 0) {
		rc = step(w, err);
		if (rc == 0) {
			env_reset(w->txn);
			rc = env_renew(w->txn, err);
		}
	}
	return rc;
}

int fsck_stage(struct fsck *f, struct store_error *err)
{
	struct stage_walk w = { .fsck = f };
	struct store_error why = { 0 };
	int rc = env_begin(odb_env(f->repo->odb), false, &w.txn, err);

	if (rc != 0)
		return rc;
	rc = walk(&w, &why);
	if (rc == STORE_ECORRUPT)
		rc = fsck_damage(f, NULL, 0, 0, err, "%s", why.msg);
	else if (rc != 0 && err)
		*err = why;
	env_abort(w.txn);
	free(w.frames);
	return rc;
}
