/*
 * Restore: paths come back from the stage or from a revision, as files, as rows, or both.
 *
 * It is a checkout of paths that gives up changes of tracked files, and takes away what is tracked
 * and not in its source. HEAD stays. Files alone leave the stage as it is; from the stage they get
 * what it says, and it learns their new stat data. Rows alone are a reset of paths.
 */
#include <string.h>

#include "base/error.h"
#include "work/checkout_internal.h"
#include "work/options.h"
#include "work/repo_internal.h"

static int resolve(struct checkout *c, struct store_error *err)
{
	int rc = refs_head(c->txn, &c->before, err);

	if (rc == 0 && c->way->from_stage) {
		c->target.kind = ENTRY_DIR;
		return 0;
	}
	/* Before the first commit nothing is staged, but no file is worth deleting for it. */
	if (rc == 0 && !c->before.has_commit && !c->way->rows_only && !c->options->rev)
		return store_error_set(err, STORE_ENOTFOUND,
			"there is no commit yet to restore files from");
	return rc == 0 ? checkout_resolve_tree(c, c->options->rev, err) : rc;
}

static const struct checkout_way from_stage = { .name = "restore",
	.resolve = resolve,
	.gives_up = true,
	.files_only = true,
	.from_stage = true };
static const struct checkout_way files = { .name = "restore",
	.resolve = resolve,
	.gives_up = true,
	.files_only = true,
	.removes = true };
static const struct checkout_way rows = { .name = "restore",
	.resolve = resolve,
	.rows_only = true,
	.removes = true };
static const struct checkout_way both = { .name = "restore",
	.resolve = resolve,
	.gives_up = true,
	.removes = true };

static const struct checkout_way *way_of(const struct store_restore_options *o)
{
	const bool is_staged = o->flags & STORE_RESTORE_STAGED;
	const bool is_worktree = o->flags & STORE_RESTORE_WORKTREE;

	if (is_staged)
		return is_worktree ? &both : &rows;
	return o->source ? &files : &from_stage;
}

int store_restore(struct store_repo *repo, const struct store_restore_options *options,
	struct store_restore_result *result, struct store_error *err)
{
	static const struct store_restore_options defaults;
	const struct store_restore_options *o = options ? options : &defaults;
	const struct store_checkout_options order = {
		.flags = o->flags & STORE_RESTORE_FORCE ? STORE_CHECKOUT_FORCE : 0,
		.rev = o->source,
		.paths = o->paths,
		.n_paths = o->n_paths,
		.callbacks = o->callbacks,
	};
	struct store_checkout_result done = { 0 };
	int rc = options_check(o, "store_restore_options", err);

	if (rc == 0 && o->n_paths == 0)
		rc = store_error_set(err, STORE_EINVAL, "a restore needs paths");
	if (rc == 0)
		rc = checkout_do(repo, way_of(o), NULL, &order, &done, err);
	if (!result)
		return rc;
	memset(result, 0, sizeof(*result));
	result->written = done.written;
	result->unchanged = done.unchanged;
	result->deleted = done.deleted;
	result->conflicts = done.conflicts;
	result->stats = done.stats;
	return rc;
}
