/*
 * Phase 6: what is staged is there, attributes and cached roots included, rows that are not dirty
 * are those of the cached roots (fsck_cached.c), and the numbers of directories are sound
 * (fsck_numbers.c).
 *
 * The rows are walked from the top directory, depth first, by key: a frame of the way down is a
 * directory's number and the name last seen in it, so the walk can go on behind it in a new
 * snapshot. Directories in `dead` are reached by nothing and are not looked at. Snapshots are
 * renewed between directories; one that is gone meanwhile ends there. Numbers come first: where
 * two names lead to one directory there are more ways than can be walked, and none is.
 *
 * After damage the same walk gives every dirty row to those who name it: content that only the
 * stage has is met by no walk of HEAD. That is a walk of its own because the marks of this phase
 * are in use until its end.
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
	size_t len;      /* 0: nothing was seen in it yet */
	size_t path_len; /* of the directory, with one between names */
};

struct stage_walk {
	struct fsck *fsck;
	fsck_staged_fn *fn; /* NULL: rows are checked */
	void *ctx;
	struct env_txn *txn;
	struct frame *frames;
	size_t depth, cap;
	struct buf path;
};

/* The names seen last in all frames: the way to the entry that is looked at. */
static int make_path(struct stage_walk *w, struct store_error *err)
{
	buf_clear(&w->path);
	for (size_t i = 0; i < w->depth; i++) {
		if (i > 0 && w->frames[i].len > 0)
			buf_add_u8(&w->path, '/');
		buf_add(&w->path, w->frames[i].name, w->frames[i].len);
	}
	return buf_str(&w->path) ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
}

static int damage(struct stage_walk *w, struct store_error *err, const char *what)
{
	const int rc = make_path(w, err);

	if (rc == 0)
		fsck_damage_path(w->fsck, buf_str(&w->path), what);
	return rc;
}

static int check_meta(struct stage_walk *w, const struct stage_row *row, struct store_error *err)
{
	struct span s = span_of(row->meta, row->meta_len);
	struct meta m = { 0 };
	const char *wrong = NULL;
	int rc = 0;

	if (row->meta_len == 0)
		return 0;
	if (meta_decode(&s, &m) != 0 || span_left(&s) != 0 || (m.flags & META_CHILD))
		return damage(w, err, "its attributes are malformed");
	if (m.flags & META_XATTRS)
		rc = fsck_walk_staged_list(w->fsck, &m.xattrs, &wrong, err);
	return rc == 0 && wrong ? damage(w, err, "it says another length than its attributes have")
				: rc;
}

static int check_content(struct stage_walk *w, const struct stage_row *row, struct store_error *err)
{
	const char *wrong;
	int rc;

	if (row->class > odb_format(w->fsck->repo->odb)->class_count)
		return damage(w, err, "its class is not in 'format'");
	if (!entry_is_file(row->kind, &row->ref))
		return damage(w, err, "its kind, height, id and length do not go together");
	rc = fsck_walk_staged(w->fsck, &row->ref, &wrong, err);
	return rc == 0 && wrong ? damage(w, err, wrong) : rc;
}

static int check_roots(struct stage_walk *w, uint64_t dir, struct store_error *err)
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

/* Bytes of the path of what was seen last. */
static size_t path_len(const struct stage_walk *w)
{
	const struct frame *top = &w->frames[w->depth - 1];

	return top->path_len + (top->path_len > 0) + top->len;
}

static int enter(struct stage_walk *w, uint64_t dir, struct store_error *err)
{
	const size_t len = w->depth > 0 ? path_len(w) : 0;
	int rc;

	if (w->depth > LIMIT_DEPTH && w->fn)
		return 0;
	if (w->depth > LIMIT_DEPTH)
		return fsck_damage(w->fsck, NULL, 0, 0, err,
			"the stage is nested deeper than %d directories", LIMIT_DEPTH);
	if (mem_grow(&w->frames, &w->cap, w->depth + 1, sizeof(*w->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	memset(&w->frames[w->depth], 0, sizeof(*w->frames));
	w->frames[w->depth].path_len = len;
	w->frames[w->depth++].dir = dir;
	if (w->fn)
		return 0;
	rc = check_roots(w, dir, err);
	if (rc == 0)
		rc = make_path(w, err);
	return rc == 0 ? fsck_check_cached(w->fsck, w->txn, dir, &w->path, err) : rc;
}

static int give_row(struct stage_walk *w, const struct stage_row *row, struct store_error *err)
{
	const struct frame *top = &w->frames[w->depth - 1];
	bool is_dirty;
	int rc = stage_is_dirty(w->txn, top->dir, top->name, top->len, &is_dirty, err);

	if (rc == 0 && is_dirty)
		rc = make_path(w, err);
	if (rc == 0 && is_dirty)
		rc = w->fn(w->ctx, row, &w->path, err);
	return rc == 0 ? fsck_tick(w->fsck, err) : rc;
}

static int check_row(struct stage_walk *w, const struct stage_row *row, struct store_error *err)
{
	int rc;

	if (w->fn)
		return give_row(w, row, err);
	rc = check_meta(w, row, err);
	if (rc == 0 && path_len(w) > LIMIT_PATH)
		rc = damage(w, err, "its path is too long");
	if (rc == 0 && row->kind != ENTRY_DIR)
		rc = check_content(w, row, err);
	return rc == 0 ? fsck_tick(w->fsck, err) : rc;
}

/* Rows of the lowest directory up to the first directory in it, which is entered. */
static int step(struct stage_walk *w, struct store_error *err)
{
	struct frame *top = &w->frames[w->depth - 1];
	struct stage_scan *scan;
	struct stage_row row = { 0 };
	int rc = stage_scan_open(w->txn, top->dir, &scan, err);

	if (rc != 0)
		return rc;
	if (top->len > 0)
		stage_scan_seek(scan, top->name, top->len);
	do {
		struct store_error why = { 0 };
		const uint8_t *name = NULL;
		size_t len = 0;

		rc = stage_scan_next(scan, &name, &len, &row, &why);
		if (rc != 0 && (rc != STORE_ECORRUPT || !name)) {
			if (rc != STORE_ENOTFOUND && err)
				*err = why;
			break;
		}
		if (rc == 0 && len > LIMIT_NAME)
			rc = store_error_set(&why, STORE_ECORRUPT,
				"a name of the stage is too long; run 'store fsck --rebuild'");
		/* The name stands even when the row is malformed. */
		len = len < LIMIT_NAME ? len : LIMIT_NAME;
		memcpy(top->name, name, len);
		top->len = len;
		row.kind = rc == 0 ? row.kind : ENTRY_NONE;
		rc = rc == 0 ? check_row(w, &row, err) : w->fn ? 0 : damage(w, err, why.msg);
	} while (rc == 0 && row.kind != ENTRY_DIR);
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
	if (rc == 0 && !w->fn)
		rc = check_meta(w, &top, err);
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

/* What cannot be read is damage; another failure ends the run. */
static int tell_or_fail(struct fsck *f, int rc, const struct store_error *why,
	struct store_error *err)
{
	if (rc == STORE_ECORRUPT)
		return fsck_damage(f, NULL, 0, 0, err, "%s", why->msg);
	if (rc != 0 && err)
		*err = *why;
	return rc;
}

int fsck_each_staged(struct fsck *f, fsck_staged_fn *fn, void *ctx, struct store_error *err)
{
	struct stage_walk w = { .fsck = f, .fn = fn, .ctx = ctx };
	int rc = f->is_stage_tangled ? 0 : env_begin(odb_env(f->repo->odb), false, &w.txn, err);

	if (rc == 0 && w.txn)
		rc = walk(&w, err);
	env_abort(w.txn);
	free(w.frames);
	buf_release(&w.path);
	/* Phase 6 has told of what cannot be read. */
	return rc == STORE_ECORRUPT ? 0 : rc;
}

int fsck_stage(struct fsck *f, struct store_error *err)
{
	struct stage_walk w = { .fsck = f };
	struct store_error why = { 0 };
	int rc = env_begin(odb_env(f->repo->odb), false, &w.txn, err);

	if (rc != 0)
		return rc;
	rc = fsck_numbers(f, w.txn, &why);
	/* Where numbers cannot be told apart, the way down could go around for ever. */
	f->is_stage_tangled = f->is_stage_tangled || rc == STORE_ECORRUPT;
	rc = tell_or_fail(f, rc, &why, err);
	if (rc == 0 && !f->is_stage_tangled)
		rc = tell_or_fail(f, walk(&w, &why), &why, err);
	env_abort(w.txn);
	free(w.frames);
	buf_release(&w.path);
	return rc;
}
