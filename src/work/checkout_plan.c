/*
 * The plan of a checkout in place: what is to be done for every path, or which paths stand in the
 * way. Nothing is written before the whole plan is there without a conflict; it lies in a spool, so
 * that its length is no matter of memory.
 *
 * What happens to a path (old: the commit checked out, target: the one wanted; stage and disk as
 * they are now):
 *
 *     stage = target                  nothing: what is on disk stays as it is, changed or not
 *     stage differs from old          conflict: something staged would be lost
 *     disk  = target                  the row of the stage alone
 *     disk absent, or = stage         written, or deleted
 *     else                            conflict: something not staged, or not tracked, would be lost
 *
 * With -f, and for paths that were named, the stage takes the place of old, and the first line asks
 * for the disk, too. -f overrules the last line, but nothing overrules files that are not tracked
 * in a directory that a file has to replace. A reset and a restore overrule it for tracked files.
 *
 * Equal content is never a conflict. So after a crash the same command finds what it has written,
 * and goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "base/quote.h"
#include "graph/tree.h"
#include "work/checkout_internal.h"
#include "work/leftover.h"

#define CONFLICTS_TOLD 10

/* ---- what is there */

/* One path as the plan sees it. */
struct sight {
	struct checkout *c;
	struct checkout_walk *walk;
	const struct checkout_visit *v;
	bool exact; /* the stage stands for old: -f, or a path that was named */
	bool has_row;
	struct stage_row row; /* of the stage; meta borrowed from the transaction */
	bool on_disk;
	struct worktree_entry disk;
};

static int conflict(struct sight *s, const char *text)
{
	const struct store_callbacks *cb = &s->c->options->callbacks;
	const struct store_notice n = { .kind = STORE_NOTICE_CONFLICT,
		.path = s->v->path,
		.text = text };

	if (s->c->result->conflicts++ < CONFLICTS_TOLD && cb->notice)
		cb->notice(cb->payload, &n);
	return 0;
}

static int look_row(struct sight *s, struct store_error *err)
{
	const struct checkout_visit *v = s->v;
	int rc = 0;

	s->has_row = s->on_disk = false;
	memset(&s->row, 0, sizeof(s->row));
	if (v->stage_dir != 0) {
		rc = stage_get(s->c->txn, v->stage_dir, v->path + v->name_off, v->len - v->name_off,
			&s->row, err);
		s->has_row = rc == 0;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int look(struct sight *s, struct store_error *err)
{
	const struct checkout_visit *v = s->v;
	struct store_error why = { 0 };
	const char *name;
	bool moved;
	int rc = look_row(s, err);

	if (rc != 0)
		return rc;
	if (checkout_place_open(s->c->place, v->path, v->len, &name, &moved) != 0) {
		/* Whatever stands in place of its directory is dealt with there. */
		if (worktree_is_absent(errno) || errno == ELOOP)
			return 0;
		return checkout_fail("open the directory of", v->path, err);
	}
	rc = worktree_stat(s->c->place->fd, name, &s->disk, &why);
	s->on_disk = rc == 0;
	if (rc == 0 || worktree_is_absent(why.sys))
		return 0;
	if (err)
		*err = why;
	return rc;
}

static bool is_entry(const struct stage_row *row, const struct entry *e)
{
	if (row->kind != e->kind || row->kind == ENTRY_NONE || row->kind == ENTRY_DIR)
		return row->kind == e->kind;
	return row->ref.height == e->height && row->ref.size == e->totals.size &&
		id_eq(&row->ref.id, &e->id);
}

int checkout_is_on_disk(struct checkout *c, const struct worktree_entry *e,
	const struct stage_row *row, bool *same, bool *gone, struct store_error *err)
{
	enum compare_verdict verdict;
	struct stage_row bare = *row;
	int rc = compare_entry(&c->compare, c->place->fd, e, row, &verdict, err);

	if (rc == 0 && verdict == COMPARE_MODE && e->kind == row->kind) {
		memset(&bare.stat, 0, sizeof(bare.stat));
		rc = compare_entry(&c->compare, c->place->fd, e, &bare, &verdict, err);
	}
	*same = rc == 0 && verdict == COMPARE_SAME;
	*gone = rc != 0 && err && worktree_is_absent(err->sys);
	if (*gone) {
		store_error_clear(err);
		rc = 0;
	}
	return rc != 0 && err && err->sys ? store_error_wrap(err, rc, "'%s'", e->name) : rc;
}

static int is_on_disk(struct sight *s, const struct stage_row *row, bool *same,
	struct store_error *err)
{
	bool gone;
	const int rc = checkout_is_on_disk(s->c, &s->disk, row, same, &gone, err);

	/* It went while it was looked at: then it is not what it was. */
	if (rc == 0 && gone)
		s->on_disk = false;
	return rc;
}

/* ---- deciding */

/* May what stands there go?  Told as a conflict when it may not. */
static int may_replace(struct sight *s, bool *may, struct store_error *err)
{
	bool same = false;
	int rc = 0;

	*may = checkout_may_drop(s->c, s->has_row ? &s->row : NULL);
	if (*may)
		return 0;
	if (s->has_row && s->row.kind != ENTRY_DIR)
		rc = is_on_disk(s, &s->row, &same, err);
	if (rc != 0)
		return rc;
	*may = same || !s->on_disk;
	if (*may)
		return 0;
	return conflict(s, s->has_row ? "has changes that are not staged" : "is not tracked");
}

/*
 * Names that are not listed: a repository of its own, or the mark of a checkout --to that somebody
 * has to end.
 */
static int check_hidden(struct sight *s, const struct worktree_dir *d, struct store_error *err)
{
	static const char *const names[] = { ".store", LEFTOVER_TO };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct store_error why = { 0 };
		struct worktree_entry e;
		const int rc = worktree_stat(d->fd, names[i], &e, &why);

		if (rc == 0)
			return conflict(s,
				i == 0 ? "is a directory with a repository of its own"
				       : "is a directory with an unfinished checkout");
		if (!worktree_is_absent(why.sys)) {
			if (err)
				*err = why;
			return rc;
		}
	}
	return 0;
}

/*
 * A directory stands where the target has a file: are all files in it tracked? Only its own names;
 * those below come when they are visited.
 */
static int check_tracked(struct sight *s, struct store_error *err)
{
	struct worktree_dir d = { 0 };
	int rc = worktree_dir_open(&d, s->c->place->fd, s->disk.name, err);

	if (rc == 0)
		rc = check_hidden(s, &d, err);
	while (rc == 0) {
		struct worktree_entry e;
		struct stage_row row;

		rc = worktree_dir_next(&d, &e, err);
		if (rc != 0)
			break;
		rc = s->has_row && s->row.kind == ENTRY_DIR
			? stage_get(s->c->txn, s->row.dir, e.name, e.len, &row, err)
			: STORE_ENOTFOUND;
		if (rc == STORE_ENOTFOUND) {
			rc = conflict(s, "is a directory with files that are not tracked");
			break;
		}
	}
	worktree_dir_close(&d);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/*
 * Does the stage hold something below the directory that old does not have? Then it was added, and
 * stays.
 */
static int holds_added(struct sight *s, bool *added, struct store_error *err)
{
	const struct map_ref old = { s->v->old.id, s->v->old.height };
	struct buf value = { 0 };
	struct stage_scan *scan;
	struct stage_row row;
	const uint8_t *name;
	size_t len;
	int rc = 0;

	*added = false;
	if (s->exact || !s->has_row || s->row.kind != ENTRY_DIR || s->v->old.kind != ENTRY_DIR)
		return 0;
	rc = stage_scan_open(s->c->txn, s->row.dir, &scan, err);
	if (rc != 0)
		return rc;
	while (!*added && (rc = stage_scan_next(scan, &name, &len, &row, err)) == 0) {
		rc = map_lookup(&s->c->nodes, MAP_DIRECTORY, &old, name, len, &value, err);
		*added = rc == STORE_ENOTFOUND;
		if (rc != 0 && rc != STORE_ENOTFOUND)
			break;
	}
	stage_scan_close(scan);
	buf_release(&value);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static uint64_t rows_below(const struct sight *s)
{
	return s->has_row && s->row.kind == ENTRY_DIR ? s->row.dir : 0;
}

/* Go into a directory that is to be deleted. */
static int enter_deleted(struct sight *s, unsigned int flags, struct store_error *err)
{
	bool added;
	int rc = holds_added(s, &added, err);

	if (rc == 0 && added && (flags & CHECKOUT_FRAME_IN_WAY))
		return conflict(s, "holds staged files");
	if (rc != 0)
		return rc;
	return checkout_walk_enter(s->walk, rows_below(s),
		(flags & CHECKOUT_FRAME_IN_WAY) | (added ? CHECKOUT_FRAME_KEEP : 0), err);
}

/* What is on disk under a name that goes, when that is no directory. */
static int delete_file(struct sight *s, unsigned int in_way, bool *may, struct store_error *err)
{
	int rc = may_replace(s, may, err);

	if (rc != 0 || !*may || !s->on_disk)
		return rc;
	return checkout_plan_over(s->c, s->v, CHECKOUT_UNLINK, in_way ? CHECKOUT_IN_WAY : 0,
		&s->disk, err);
}

static int decide_deletion(struct sight *s, struct store_error *err)
{
	const unsigned int in_way = s->v->flags & CHECKOUT_FRAME_IN_WAY;
	const bool is_dir = s->on_disk && s->disk.kind == ENTRY_DIR;
	bool may = true;
	int rc = 0;

	if (!s->has_row)
		return 0;
	if (s->row.kind == ENTRY_DIR) {
		if (in_way && is_dir)
			rc = check_tracked(s, err);
		else if (in_way && s->on_disk)
			rc = delete_file(s, in_way, &may, err);
		return rc == 0 && may ? enter_deleted(s, in_way, err) : rc;
	}
	/*
	 * A directory in place of a tracked file holds nothing that is tracked: it stays, and so
	 * would the one around it.
	 */
	if (is_dir && in_way)
		return conflict(s, "is a directory that is not tracked");
	if (s->on_disk && !is_dir)
		rc = delete_file(s, in_way, &may, err);
	return rc == 0 && may
		? checkout_plan_op(s->c, s->v, CHECKOUT_FORGET, in_way ? CHECKOUT_IN_WAY : 0, err)
		: rc;
}

/* The target has a file or link where the stage or, if is_dir, the disk has a directory. */
static int decide_over_dir(struct sight *s, bool is_dir, struct store_error *err)
{
	const uint64_t before = s->c->result->conflicts;
	int rc;

	/* Even an empty one: directories are content. */
	if (rows_below(s) == 0 && !checkout_may_drop(s->c, s->has_row ? &s->row : NULL))
		return conflict(s,
			s->has_row ? "has changes that are not staged" : "is not tracked");
	rc = is_dir ? check_tracked(s, err) : 0;

	if (rc != 0 || s->c->result->conflicts != before)
		return rc;
	/* Left again, the directory goes and the file comes. */
	return enter_deleted(s, CHECKOUT_FRAME_IN_WAY, err);
}

static bool same_meta(const struct stage_row *row, const struct checkout_visit *v)
{
	return row->meta_len == v->meta_len &&
		(v->meta_len == 0 || memcmp(row->meta, v->meta, v->meta_len) == 0);
}

/* The target has a file or link, and neither disk nor stage have a directory that holds anything.
 */
static int write_file(struct sight *s, struct store_error *err)
{
	struct checkout *c = s->c;
	const struct stage_row wanted = checkout_row_of(c, s->v);
	const bool is_staged = s->has_row && is_entry(&s->row, &s->v->target);
	bool same = false, may;
	int rc = 0;

	if (!s->on_disk)
		return checkout_plan_row(c, s->v, CHECKOUT_WRITE, 0, NULL, err);
	if (is_staged && compare_is_fresh(&c->compare, &s->row, &s->disk)) {
		c->result->unchanged++;
		return same_meta(&s->row, s->v)
			? 0
			: checkout_plan_row(c, s->v, CHECKOUT_ROW, 0, &s->disk.stat, err);
	}
	/*
	 * By attributes it is still what was staged, which is something else: no need to read it.
	 */
	if (!s->has_row || !compare_is_fresh(&c->compare, &s->row, &s->disk)) {
		rc = is_on_disk(s, &wanted, &same, err);
		if (rc != 0)
			return rc;
		if (same) {
			c->result->unchanged++;
			return checkout_plan_row(c, s->v, CHECKOUT_ROW, 0, &s->disk.stat, err);
		}
	}
	if (!s->on_disk)
		return checkout_plan_row(c, s->v, CHECKOUT_WRITE, 0, NULL, err);
	rc = may_replace(s, &may, err);
	if (rc != 0 || !may)
		return rc;
	if (!s->on_disk)
		return checkout_plan_row(c, s->v, CHECKOUT_WRITE, 0, NULL, err);
	return checkout_plan_over(c, s->v, CHECKOUT_WRITE, CHECKOUT_REPLACE, &s->disk, err);
}

/* The stage counts as much as the disk: what was staged below may stand nowhere else any more. */
static int decide_file(struct sight *s, struct store_error *err)
{
	const bool is_dir = s->on_disk && s->disk.kind == ENTRY_DIR;

	return is_dir || rows_below(s) != 0 ? decide_over_dir(s, is_dir, err) : write_file(s, err);
}

/* The target has a directory here: make room for it, and go into it. */
static int decide_dir(struct sight *s, struct store_error *err)
{
	const bool in_stage = s->has_row && s->row.kind == ENTRY_DIR;
	const bool is_in_both = !s->exact && s->v->old.kind == ENTRY_DIR;
	bool may = true;
	int rc = 0;

	if (s->on_disk && s->disk.kind != ENTRY_DIR) {
		rc = may_replace(s, &may, err);
		if (rc != 0 || !may)
			return rc;
		if (s->on_disk)
			rc = checkout_plan_over(s->c, s->v, CHECKOUT_UNLINK, CHECKOUT_IN_WAY,
				&s->disk, err);
		s->on_disk = false;
	}
	if (rc == 0 && !s->on_disk)
		rc = checkout_plan_op(s->c, s->v, CHECKOUT_MKDIR, 0, err);
	/* Where both revisions have it, what is staged of it stays (checkout_attrs.c). */
	if (rc == 0 && !(in_stage && (is_in_both || same_meta(&s->row, s->v))))
		rc = checkout_plan_row(s->c, s->v, CHECKOUT_ROW, 0, NULL, err);
	return rc == 0 ? checkout_walk_enter(s->walk, rows_below(s), 0, err) : rc;
}

/*
 * Of a named path: was content staged that neither HEAD nor the target has? It may be saved nowhere
 * else. Whole trees are walked beside HEAD's, so that they know without this.
 */
static int holds_staged(struct sight *s, bool *yes, struct store_error *err)
{
	struct checkout *c = s->c;
	struct entry e;
	int rc;

	*yes = false;
	if (c->options->n_paths == 0 || !s->has_row || s->row.kind == ENTRY_DIR ||
		checkout_may_drop(c, &s->row) || is_entry(&s->row, &s->v->target))
		return 0;
	*yes = true;
	if (!c->has_head)
		return 0;
	rc = tree_find(&c->nodes, &c->head, s->v->path, s->v->len, &e, err);
	if (rc == 0)
		*yes = !is_entry(&s->row, &e);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int decide(struct sight *s, struct store_error *err)
{
	const struct checkout_visit *v = s->v;
	bool is_staged = false;
	int rc = look(s, err);

	if (rc == 0)
		rc = holds_staged(s, &is_staged, err);
	if (rc != 0)
		return rc;
	if (is_staged)
		return conflict(s, "has staged changes");
	if (!s->exact) {
		if (is_entry(&s->row, &v->target) && v->target.kind != ENTRY_DIR)
			return 0;
		if (!is_entry(&s->row, &v->target) && !is_entry(&s->row, &v->old))
			return conflict(s, "has staged changes");
	}
	if (v->target.kind == ENTRY_NONE)
		return decide_deletion(s, err);
	if (v->target.kind == ENTRY_DIR)
		return decide_dir(s, err);
	return decide_file(s, err);
}

/* A directory all of whose entries were visited. */
static int decide_leaving(struct sight *s, struct store_error *err)
{
	const struct checkout_visit *v = s->v;
	const bool in_way = v->flags & CHECKOUT_FRAME_IN_WAY;
	int rc;

	if (v->target.kind == ENTRY_DIR)
		return 0;
	if (v->flags & CHECKOUT_FRAME_KEEP) {
		checkout_walk_keep(s->walk);
		return in_way ? conflict(s, "holds staged files") : 0;
	}
	rc = checkout_plan_op(s->c, v, CHECKOUT_RMDIR, in_way ? CHECKOUT_IN_WAY : 0, err);
	if (rc == 0)
		rc = checkout_plan_op(s->c, v, CHECKOUT_FORGET, in_way ? CHECKOUT_IN_WAY : 0, err);
	if (rc != 0 || v->target.kind == ENTRY_NONE)
		return rc;
	rc = look(s, err);
	/* The directory is gone by then; a file that the user put in its place is not. */
	s->on_disk = s->on_disk && s->disk.kind != ENTRY_DIR;
	return rc == 0 ? write_file(s, err) : rc;
}

int checkout_plan_walk(struct checkout *c, struct checkout_walk *w, bool exact,
	struct store_error *err)
{
	struct checkout_visit v;
	int rc;

	while ((rc = checkout_walk_next(w, &v, err)) == 0) {
		struct sight s = { .c = c, .walk = w, .v = &v, .exact = exact };

		rc = v.is_leave ? decide_leaving(&s, err) : decide(&s, err);
		if (rc == 0)
			rc = checkout_tick(c, err);
		if (rc != 0)
			return rc;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* A directory above a path that was named.  Above two of them it is planned with the first. */
static int decide_parent(struct sight *s, struct checkout_visit *v, struct store_error *err)
{
	struct checkout *c = s->c;
	struct buf meta = { 0 };
	bool may = true;
	int rc = c->way->rows_only ? look_row(s, err) : look(s, err);

	if (rc == 0 && c->parents_of && checkout_is_within(c->parents_of, v->path))
		return 0;
	if (rc == 0 && s->on_disk && s->disk.kind != ENTRY_DIR) {
		rc = may_replace(s, &may, err);
		if (rc == 0 && may && s->on_disk)
			rc = checkout_plan_over(c, v, CHECKOUT_UNLINK, CHECKOUT_IN_WAY, &s->disk,
				err);
		s->on_disk = !may;
	}
	if (rc == 0 && !s->on_disk && !c->way->rows_only)
		rc = checkout_plan_op(c, v, CHECKOUT_MKDIR, 0, err);
	if (rc != 0 || rows_below(s) != 0)
		return rc;
	/* New in the stage: a commit is to record it as the revision has it. */
	rc = checkout_find_meta(c, v->path, v->len, &meta, err);
	v->meta = meta.data;
	v->meta_len = meta.len;
	if (rc == 0)
		rc = checkout_plan_row(c, v, CHECKOUT_ROW, 0, NULL, err);
	buf_release(&meta);
	return rc;
}

int checkout_plan_parents(struct checkout *c, const char *path, uint64_t *stage_dir,
	struct store_error *err)
{
	struct buf part = { 0 };
	size_t name_off = 0;
	int rc = 0;

	*stage_dir = c->stage_root;
	for (const char *slash = strchr(path, '/'); slash && rc == 0;
		slash = strchr(slash + 1, '/')) {
		struct checkout_visit v = { .name_off = name_off, .stage_dir = *stage_dir };
		struct sight s = { .c = c, .v = &v, .exact = true };

		if (buf_set(&part, path, (size_t)(slash - path)) != 0 || !buf_str(&part)) {
			rc = checkout_no_memory(err);
			break;
		}
		v.path = (const char *)part.data;
		v.len = part.len;
		v.target.kind = ENTRY_DIR;
		rc = decide_parent(&s, &v, err);
		*stage_dir = rows_below(&s);
		name_off = part.len + 1;
	}
	c->parents_of = path;
	buf_release(&part);
	return rc;
}
