/*
 * rm: paths out of the stage, and their files from disk.
 *
 *     plan      every tracked file below the paths is looked at; what would be lost ends it here
 *     run       files go, then directories that are empty
 *     publish   one row for each path, and for each directory above that holds nothing any more
 *
 * Files go first: cut short, the rows are still there, and the same command passes over the files
 * that have gone. It runs on the machinery of checkout: what is removed is what the plan saw, and
 * the rows go in one publication, if nobody has changed the stage meanwhile.
 *
 * A file is lost (here is HEAD, the stage and the disk) when
 *
 *     the stage differs from HEAD and from the disk     the staged content stands nowhere else
 *     the stage differs from HEAD alone                 the disk has the only copy
 *     the disk differs from the stage                   likewise
 *
 * With --cached only the first counts, for the file stays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/quote.h"
#include "graph/tree.h"
#include "work/checkout_internal.h"
#include "work/options.h"
#include "work/repo_internal.h"

#define CONFLICTS_TOLD 10

struct rm {
	const struct store_rm_options *options;
	struct store_rm_result *result;
	const char **tracked; /* with IGNORE_UNMATCH: the paths that are */
	struct checkout *c;
	/* Paths whose rows go, sorted, and in the order in which they were found. */
	char **gone, **found;
	size_t n_gone, gone_cap, n_found, found_cap;
};

static int no_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- operands */

/* Leave out what is not tracked; nothing left: nothing to do. */
static int leave_out(struct checkout *c, struct rm *r, struct store_error *err)
{
	struct store_checkout_options *o = &c->own_options;
	size_t n = 0;
	int rc = 0;

	r->tracked = mem_alloc_array(c->options->n_paths + 1, sizeof(*r->tracked));
	if (!r->tracked)
		return no_memory(err);
	for (size_t i = 0; i < c->options->n_paths && rc == 0; i++) {
		struct stage_row row;
		const char *path = c->options->paths[i];

		rc = stage_find(c->txn, path, strlen(path), &row, err);
		if (rc == 0)
			r->tracked[n++] = path;
		else if (rc == STORE_ENOTFOUND)
			rc = 0;
	}
	*o = *c->options;
	o->paths = r->tracked;
	o->n_paths = n;
	c->options = o;
	if (n == 0)
		c->target.kind = ENTRY_NONE;
	return rc;
}

static int resolve(struct checkout *c, struct store_error *err)
{
	struct rm *r = c->ctx;
	int rc = refs_head(c->txn, &c->before, err);

	c->target.kind = ENTRY_DIR;
	c->has_head = c->before.has_commit;
	if (rc == 0 && c->has_head)
		rc = checkout_read_tree(c, &c->before.commit, &c->head, &c->has_head_meta,
			&c->head_meta, err);
	if (rc == 0 && (r->options->flags & STORE_RM_IGNORE_UNMATCH))
		rc = leave_out(c, r, err);
	return rc;
}

static int check_operand(struct rm *r, const char *path, const struct stage_row *row,
	struct store_error *err)
{
	struct store_error why = { 0 };
	struct worktree_entry e;
	char shown[300];

	quote_msg(shown, sizeof(shown), path, strlen(path));
	if (row->kind == ENTRY_DIR && !(r->options->flags & STORE_RM_RECURSIVE))
		return store_error_set(err, STORE_EINVAL,
			"'%s' is a directory; use -r to remove all that is tracked in it", shown);
	if (*path && worktree_find(r->c->repo->work_fd, path, &e, &why) != 0 && why.sys == ELOOP)
		return store_error_set(err, STORE_EINVAL,
			"'%s' lies beyond a symbolic link; nothing was removed", shown);
	return 0;
}

/* ---- what would be lost */

static void conflict(struct rm *r, const struct checkout_visit *v, const char *text)
{
	const struct store_callbacks *cb = &r->options->callbacks;
	const struct store_notice n = { .kind = STORE_NOTICE_CONFLICT,
		.path = v->path,
		.text = text };

	if (r->c->result->conflicts++ < CONFLICTS_TOLD && cb->notice)
		cb->notice(cb->payload, &n);
}

/* Does HEAD have what is staged? */
static int is_committed(struct rm *r, const struct checkout_visit *v, bool *same,
	struct store_error *err)
{
	const struct entry *t = &v->target;
	struct entry e = { .kind = ENTRY_NONE };
	int rc = STORE_ENOTFOUND;

	*same = false;
	if (r->c->has_head)
		rc = tree_find(&r->c->nodes, &r->c->head, v->path, v->len, &e, err);
	if (rc == 0)
		*same = e.kind == t->kind && e.height == t->height &&
			e.totals.size == t->totals.size && id_eq(&e.id, &t->id);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static void judge(struct rm *r, const struct checkout_visit *v, bool is_committed, bool is_on_disk)
{
	const bool cached = r->options->flags & STORE_RM_CACHED;

	if (!is_committed && !is_on_disk)
		conflict(r, v, "has staged content different from both the file and HEAD");
	else if (!is_committed && !cached)
		conflict(r, v, "has changes staged");
	else if (!is_on_disk && !cached)
		conflict(r, v, "has local modifications");
}

/* The file on disk, if it is there; a directory in its place is none of ours. */
static int look(struct rm *r, const struct checkout_visit *v, struct worktree_entry *e, bool *there,
	struct store_error *err)
{
	struct store_error why = { 0 };
	const char *name;
	bool moved;
	int rc;

	*there = false;
	if (checkout_place_open(r->c->place, v->path, v->len, &name, &moved) != 0)
		return worktree_is_absent(errno) || errno == ELOOP
			? 0
			: checkout_fail("open the directory of", v->path, err);
	rc = worktree_stat(r->c->place->fd, name, e, &why);
	*there = rc == 0 && e->kind != ENTRY_DIR;
	if (rc == 0 || worktree_is_absent(why.sys))
		return 0;
	if (err)
		*err = why;
	return rc;
}

static int check_file(struct rm *r, const struct checkout_visit *v, const struct worktree_entry *e,
	struct store_error *err)
{
	struct stage_row row;
	bool committed, same = false, gone = false;
	int rc = stage_get(r->c->txn, v->stage_dir, v->path + v->name_off, v->len - v->name_off,
		&row, err);

	if (rc == 0)
		rc = is_committed(r, v, &committed, err);
	if (rc == 0)
		rc = checkout_is_on_disk(r->c, e, &row, &same, &gone, err);
	if (rc == 0 && !gone)
		judge(r, v, committed, same);
	return rc;
}

/* ---- the plan */

static int take_file(struct rm *r, const struct checkout_visit *v, struct store_error *err)
{
	const unsigned int flags = r->options->flags;
	struct worktree_entry e;
	bool there;
	int rc = look(r, v, &e, &there, err);

	r->result->removed++;
	if (rc == 0)
		rc = spool_add(&r->c->kept, v->path, v->len + 1, err);
	if (rc == 0 && there && !(flags & STORE_RM_FORCE))
		rc = check_file(r, v, &e, err);
	if (rc == 0 && there && !(flags & (STORE_RM_CACHED | STORE_RM_DRY_RUN)))
		rc = checkout_plan_over(r->c, v, CHECKOUT_UNLINK, 0, &e, err);
	return rc;
}

static int take_visit(struct rm *r, struct checkout_walk *w, const struct checkout_visit *v,
	struct store_error *err)
{
	struct stage_row row;
	int rc;

	if (v->is_leave)
		return r->options->flags & (STORE_RM_CACHED | STORE_RM_DRY_RUN)
			? 0
			: checkout_plan_op(r->c, v, CHECKOUT_RMDIR, 0, err);
	if (v->target.kind != ENTRY_DIR)
		return take_file(r, v, err);
	rc = stage_get(r->c->txn, v->stage_dir, v->path + v->name_off, v->len - v->name_off, &row,
		err);
	return rc == 0 ? checkout_walk_enter(w, row.dir, 0, err) : rc;
}

static int walk(struct rm *r, struct checkout_walk *w, struct store_error *err)
{
	struct checkout_visit v;
	int rc;

	while ((rc = checkout_walk_next(w, &v, err)) == 0) {
		rc = take_visit(r, w, &v, err);
		if (rc == 0)
			rc = checkout_tick(r->c, err);
		if (rc != 0)
			return rc;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The row of path goes. */
static int add_gone(struct rm *r, const char *path, struct store_error *err)
{
	char *copy = strdup(path);
	size_t at = r->n_gone;

	if (!copy || mem_grow(&r->found, &r->found_cap, r->n_found + 1, sizeof(*r->found)) != 0 ||
		mem_grow(&r->gone, &r->gone_cap, r->n_gone + 1, sizeof(*r->gone)) != 0) {
		free(copy);
		return no_memory(err);
	}
	r->found[r->n_found++] = copy;
	while (at > 0 && strcmp(r->gone[at - 1], copy) > 0)
		at--;
	memmove(r->gone + at + 1, r->gone + at, (r->n_gone - at) * sizeof(*r->gone));
	r->gone[at] = copy;
	r->n_gone++;
	return 0;
}

static int take_path(struct rm *r, const char *path, struct store_error *err)
{
	const struct entry nothing = { .kind = ENTRY_NONE };
	struct checkout *c = r->c;
	struct checkout_walk *w = checkout_walk_new(&c->nodes, CHECKOUT_STAGED, c->txn);
	const char *slash = strrchr(path, '/');
	struct stage_row row = { .kind = ENTRY_NONE }, parent = { 0 };
	struct entry e = { .kind = ENTRY_DIR };
	int rc = w ? stage_find(c->txn, path, strlen(path), &row, err) : no_memory(err);

	if (rc == 0)
		rc = check_operand(r, path, &row, err);
	if (rc == 0)
		rc = stage_find(c->txn, path, slash ? (size_t)(slash - path) : 0, &parent, err);
	if (rc == 0 && row.kind != ENTRY_DIR)
		e = (struct entry){ .kind = row.kind,
			.height = row.ref.height,
			.id = row.ref.id,
			.totals = { .size = row.ref.size, .files = 1 } };
	if (rc == 0)
		rc = checkout_walk_begin(w, path, &nothing, &e, NULL, *path ? parent.dir : row.dir,
			err);
	if (rc == 0)
		rc = walk(r, w, err);
	checkout_walk_free(w);
	return rc == 0 && *path ? add_gone(r, path, err) : rc;
}

/* The top itself stays; what is in it goes: no row of it is kept in memory. */
static int take_top(struct rm *r, struct store_error *err)
{
	struct stage_scan *scan;
	struct stage_row row;
	const uint8_t *name;
	size_t len;
	int rc = stage_scan_open(r->c->txn, r->c->stage_root, &scan, err);

	while (rc == 0 && (rc = stage_scan_next(scan, &name, &len, &row, err)) == 0) {
		struct checkout_visit v = { 0 };
		char path[LIMIT_NAME + 1];

		/* The top's own attributes stand under the empty name. */
		if (len == 0 || len > LIMIT_NAME)
			continue;
		memcpy(path, name, len);
		path[len] = '\0';
		v.path = path;
		v.len = len;
		rc = checkout_plan_op(r->c, &v, CHECKOUT_FORGET, 0, err);
	}
	stage_scan_close(scan);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* ---- directories above that hold nothing any more */

static int is_emptied(struct rm *r, const char *dir, bool *emptied, struct store_error *err)
{
	struct buf path = { 0 };
	struct stage_scan *scan;
	struct stage_row row;
	const uint8_t *name;
	size_t len;
	int rc = stage_find(r->c->txn, dir, strlen(dir), &row, err);

	*emptied = false;
	if (rc == 0)
		rc = stage_scan_open(r->c->txn, row.dir, &scan, err);
	if (rc != 0)
		return rc;
	*emptied = true;
	while (*emptied && (rc = stage_scan_next(scan, &name, &len, &row, err)) == 0) {
		const char *key;

		buf_clear(&path);
		buf_add(&path, dir, strlen(dir));
		buf_add_u8(&path, '/');
		buf_add(&path, name, len);
		key = buf_str(&path);
		if (!key) {
			rc = no_memory(err);
			break;
		}
		*emptied = bsearch(&key, r->gone, r->n_gone, sizeof(*r->gone), by_bytes) != NULL;
	}
	stage_scan_close(scan);
	buf_release(&path);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* The directory around path, if it holds nothing else. */
static int take_parent(struct rm *r, const char *path, struct store_error *err)
{
	const char *slash = strrchr(path, '/');
	struct checkout_visit v = { 0 };
	bool emptied = false;
	char *dir;
	int rc;

	if (!slash)
		return 0;
	dir = strndup(path, (size_t)(slash - path));
	if (!dir)
		return no_memory(err);
	if (!bsearch(&dir, r->gone, r->n_gone, sizeof(*r->gone), by_bytes)) {
		rc = is_emptied(r, dir, &emptied, err);
		if (rc == 0 && emptied)
			rc = add_gone(r, dir, err);
		v.path = dir;
		v.len = strlen(dir);
		if (rc == 0 && emptied &&
			!(r->options->flags & (STORE_RM_CACHED | STORE_RM_DRY_RUN)))
			rc = checkout_plan_op(r->c, &v, CHECKOUT_RMDIR, 0, err);
	} else {
		rc = 0;
	}
	free(dir);
	return rc;
}

static bool same_parent(const char *a, const char *b)
{
	const char *p = strrchr(a, '/'), *q = strrchr(b, '/');

	return p && q && p - a == q - b && memcmp(a, b, (size_t)(p - a)) == 0;
}

static int take_parents(struct rm *r, struct store_error *err)
{
	const size_t named = r->n_found;
	int rc = 0;

	/* What is found on the way has a parent, too. */
	for (size_t i = 0; i < r->n_found && rc == 0; i++)
		if (i == 0 || i >= named || !same_parent(r->found[i], r->found[i - 1]))
			rc = take_parent(r, r->found[i], err);
	return rc;
}

/* ---- all of it */

static int plan_rows(struct rm *r, struct store_error *err)
{
	int rc = 0;

	if (r->options->flags & STORE_RM_DRY_RUN)
		return 0;
	for (size_t i = 0; i < r->n_found && rc == 0; i++) {
		const struct checkout_visit v = { .path = r->found[i], .len = strlen(r->found[i]) };

		rc = checkout_plan_op(r->c, &v, CHECKOUT_FORGET, 0, err);
	}
	return rc;
}

static int tell(struct rm *r, struct store_error *err)
{
	const struct store_callbacks *cb = &r->options->callbacks;
	struct buf path = { 0 };
	int rc = cb->notice ? spool_rewind(&r->c->kept, err) : STORE_ENOTFOUND;

	while (rc == 0 && (rc = spool_next(&r->c->kept, &path, err)) == 0) {
		const struct store_notice n = { .kind = STORE_NOTICE_REMOVED,
			.path = (const char *)path.data,
			.text = "" };

		cb->notice(cb->payload, &n);
	}
	buf_release(&path);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* What may be lost is compared first, which can take longer than all else. */
static int compare_tick(void *ctx)
{
	struct checkout *c = ctx;

	c->progress.files = c->compare.opened;
	c->progress.bytes = c->compare.bytes;
	return checkout_tick(c, NULL);
}

static int plan(struct checkout *c, struct store_error *err)
{
	struct rm *r = c->ctx;
	int rc = compare_init(&c->compare, c->repo, NULL, err);

	r->c = c;
	c->compare.tick = compare_tick;
	c->compare.tick_ctx = c;
	for (size_t i = 0; i < c->options->n_paths && rc == 0; i++)
		rc = take_path(r, c->options->paths[i], err);
	if (rc == 0 && c->options->n_paths > 0 && !*c->options->paths[0] &&
		!(r->options->flags & STORE_RM_DRY_RUN))
		rc = take_top(r, err);
	if (rc == 0)
		rc = take_parents(r, err);
	c->result->stats.opened += c->compare.opened;
	if (rc == 0 && c->result->conflicts > 0)
		return store_error_set(err, STORE_ECONFLICT,
			"%llu path%s would lose content: nothing was removed; use --cached to keep the files, or -f",
			(unsigned long long)c->result->conflicts,
			c->result->conflicts == 1 ? "" : "s");
	if (rc == 0)
		rc = plan_rows(r, err);
	return rc == 0 ? tell(r, err) : rc;
}

int store_rm(struct store_repo *repo, const struct store_rm_options *options,
	struct store_rm_result *result, struct store_error *err)
{
	static const struct store_rm_options defaults;
	static const struct checkout_way files = { .name = "rm",
		.resolve = resolve,
		.from_stage = true,
		.at_once = true,
		.plan = plan };
	static const struct checkout_way cached = { .name = "rm",
		.resolve = resolve,
		.rows_only = true,
		.from_stage = true,
		.at_once = true,
		.plan = plan };
	const struct store_rm_options *o = options ? options : &defaults;
	const struct store_checkout_options order = { .paths = o->paths,
		.n_paths = o->n_paths,
		.callbacks = o->callbacks };
	struct store_rm_result unused = { 0 };
	struct store_checkout_result done = { 0 };
	struct rm r = { .options = o, .result = result ? result : &unused };
	int rc;

	memset(r.result, 0, sizeof(*r.result));
	rc = options_check(o, "store_rm_options", err);
	if (rc != 0)
		return rc;
	if (o->n_paths == 0)
		return store_error_set(err, STORE_EINVAL, "rm needs paths");
	rc = checkout_do(repo, o->flags & STORE_RM_CACHED ? &cached : &files, &r, &order, &done,
		err);
	r.result->deleted = done.deleted;
	r.result->conflicts = done.conflicts;
	r.result->stats = done.stats;
	for (size_t i = 0; i < r.n_found; i++)
		free(r.found[i]);
	free(r.found);
	free(r.gone);
	free(r.tracked);
	return rc;
}
