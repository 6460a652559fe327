/*
 * Reset: the branch names another commit, and the stage, or stage and files, become equal to it.
 *
 * It is a checkout in which the branch moves instead of HEAD, and in which the stage stands for
 * what was there: what was staged goes, for that is what the command says. Soft there is nothing to
 * plan; mixed the plan has rows alone; hard it has files, too, and gives up the changes of tracked
 * ones. With paths no ref moves.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "data/refname.h"
#include "work/checkout_internal.h"
#include "work/options.h"
#include "work/repo_internal.h"

/* The commit that HEAD names now is found again as ORIG_HEAD. */
static int keep_original(struct checkout *c, const char *old, struct store_error *err)
{
	char was[REFS_VALUE];
	int rc = refs_get(c->txn, "ORIG_HEAD", was, err);

	if (rc == 0 && strcmp(was, old) == 0)
		return 0;
	return rc == 0 || rc == STORE_ENOTFOUND
		? refs_update_add(&c->update, "ORIG_HEAD", NULL, old, err)
		: rc;
}

static int prepare_refs(struct checkout *c, struct store_error *err)
{
	const struct refs_head *before = &c->before;
	char old[REFS_VALUE] = "-", id[REFS_VALUE];
	int rc = 0;

	if (!c->has_commit)
		return 0;
	if (before->has_commit)
		refs_value_of(old, &before->commit);
	refs_value_of(id, &c->commit);
	snprintf(c->update.why, sizeof(c->update.why), "reset: moving to %.400s",
		c->options->rev ? c->options->rev : "HEAD");
	/* Where it stays it is asked for when the rest is decided. */
	if (strcmp(old, id) == 0)
		memcpy(c->branch, before->branch, sizeof(c->branch));
	else
		rc = refs_update_add(&c->update, before->branch[0] ? before->branch : "HEAD", old,
			id, err);
	if (rc == 0 && before->has_commit)
		rc = keep_original(c, old, err);
	if (rc == 0 && c->update.count > 0)
		rc = identity_for_log(c->repo, &c->who, &c->update.who, err);
	return rc;
}

static int resolve(struct checkout *c, struct store_error *err)
{
	const size_t heads = strlen(REFNAME_HEADS);
	const char *branch = c->before.branch;
	int rc = refs_head(c->txn, &c->before, err);

	if (rc == 0)
		rc = checkout_resolve_tree(c, c->options->rev, err);
	if (rc == 0 && c->options->n_paths == 0)
		rc = prepare_refs(c, err);
	if (rc != 0)
		return rc;
	if (strncmp(branch, REFNAME_HEADS, heads) == 0)
		branch += heads;
	snprintf(c->result->branch, sizeof(c->result->branch), "%.255s", branch);
	if (c->has_commit)
		memcpy(c->result->commit.bytes, c->commit.b, sizeof(c->result->commit.bytes));
	return 0;
}

static int resolve_soft(struct checkout *c, struct store_error *err)
{
	const int rc = resolve(c, err);

	memset(&c->target, 0, sizeof(c->target));
	return rc;
}

static const struct checkout_way ways[] = {
	[STORE_RESET_MIXED] = { .name = "reset",
		.resolve = resolve,
		.moves_branch = true,
		.rows_only = true,
		.removes = true },
	[STORE_RESET_SOFT] = { .name = "reset",
		.resolve = resolve_soft,
		.moves_branch = true,
		.rows_only = true },
	[STORE_RESET_HARD] = { .name = "reset",
		.resolve = resolve,
		.moves_branch = true,
		.gives_up = true },
};

static int check_options(const struct store_reset_options *o, struct store_error *err)
{
	const int rc = options_check(o, "store_reset_options", err);

	if (rc != 0)
		return rc;
	if (o->mode > STORE_RESET_HARD)
		return store_error_set(err, STORE_EINVAL, "unknown mode of a reset");
	if (o->mode != STORE_RESET_MIXED && o->n_paths > 0)
		return store_error_set(err, STORE_EINVAL,
			"a %s reset takes no paths: without it their rows alone are reset",
			o->mode == STORE_RESET_SOFT ? "soft" : "hard");
	return 0;
}

int store_reset(struct store_repo *repo, const struct store_reset_options *options,
	struct store_reset_result *result, struct store_error *err)
{
	static const struct store_reset_options defaults;
	const struct store_reset_options *o = options ? options : &defaults;
	const struct store_checkout_options order = {
		.flags = o->flags & STORE_RESET_FORCE ? STORE_CHECKOUT_FORCE : 0,
		.rev = o->rev,
		.paths = o->paths,
		.n_paths = o->n_paths,
		.callbacks = o->callbacks,
	};
	static const struct store_id none;
	struct store_checkout_result done = { 0 };
	int rc = check_options(o, err);

	if (rc == 0)
		rc = checkout_do(repo, &ways[o->mode], NULL, &order, &done, err);
	if (!result)
		return rc;
	memset(result, 0, sizeof(*result));
	result->has_commit = memcmp(&done.commit, &none, sizeof(none)) != 0;
	result->commit = done.commit;
	memcpy(result->branch, done.branch, sizeof(result->branch));
	result->written = done.written;
	result->unchanged = done.unchanged;
	result->deleted = done.deleted;
	result->conflicts = done.conflicts;
	result->stats = done.stats;
	return rc;
}
