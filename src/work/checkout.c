/*
 * Checkout: a revision, or some paths of one, back into files.
 *
 *     resolve    which commit, which branch HEAD will be on
 *     plan       what differs, and what it means for every file: a conflict ends it here, before
 * anything is written space      a tree that cannot fit is refused here, likewise run        files
 * are written and deleted publish    rows of the stage, refs and HEAD, in one publication
 *
 * Invariant: until the last step stage and HEAD say what they said before, and files hold either
 * their old content or the new one, whole. So whatever ends it, the same command plans again, finds
 * what is equal already, and finishes.
 *
 * What was staged or changed and is not touched by the difference between the two revisions is
 * carried over, as git does. With `to` there is no plan: the folder is new, or -f was given, and
 * neither stage nor HEAD take part.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/io.h"
#include "base/quote.h"
#include "data/hash.h"
#include "data/refname.h"
#include "odb/publish.h"
#include "odb/tmp.h"
#include "work/checkout_internal.h"
#include "work/options.h"
#include "work/repo_internal.h"
#include "work/stats.h"
#include "work/view_internal.h"

#define TICK_NS 100000000

bool checkout_is_exact(const struct checkout *c)
{
	return c->force || c->way->gives_up || c->way->rows_only;
}

bool checkout_may_drop(const struct checkout *c, const struct stage_row *row)
{
	return c->force || (c->way->gives_up && row && row->kind != ENTRY_DIR);
}

int checkout_tick(struct checkout *c, struct store_error *err)
{
	const struct store_callbacks *cb = &c->options->callbacks;
	const int64_t now = clock_mono_ns();

	if (now - c->last_tick_ns < TICK_NS)
		return 0;
	c->last_tick_ns = now;
	stats_sample();
	if (cb->progress && cb->progress(cb->payload, &c->progress) != 0)
		return store_error_set(err, STORE_ECANCELED,
			"canceled; the same command finishes the work");
	return 0;
}

/* ---- which commit, which branch */

static const char *short_name(const char *ref)
{
	const size_t n = strlen(REFNAME_HEADS);

	return strncmp(ref, REFNAME_HEADS, n) == 0 ? ref + n : ref;
}

/* HEAD itself, by a name that keeps it on its branch. */
static bool means_head(const char *rev)
{
	return !rev || strcmp(rev, "HEAD") == 0 || strcmp(rev, "@") == 0;
}

/* Is rev the short name of a branch?  Then HEAD goes onto it. */
static int find_branch(struct checkout *c, const char *rev, struct store_error *err)
{
	char name[LIMIT_REF + 1];
	int rc;

	if ((size_t)snprintf(name, sizeof(name), REFNAME_HEADS "%s", rev) >= sizeof(name))
		return STORE_ENOTFOUND;
	rc = refs_resolve(c->txn, name, &c->commit, err);
	if (rc == 0)
		memcpy(c->branch, name, sizeof(name));
	return rc;
}

/* "@{-N}", where HEAD was before: onto a branch it goes again. */
static int find_previous(struct checkout *c, const char *rev, struct store_error *err)
{
	static const char branch[] = "ref:" REFNAME_HEADS;
	char value[REFS_VALUE], *end;
	unsigned long long n;
	int rc;

	if (strncmp(rev, "@{-", 3) != 0 || rev[3] < '1' || rev[3] > '9')
		return STORE_ENOTFOUND;
	n = strtoull(rev + 3, &end, 10);
	if (strcmp(end, "}") != 0)
		return STORE_ENOTFOUND;
	rc = rev_log_previous(c->txn, n, value, err);
	if (rc != 0 || strncmp(value, branch, sizeof(branch) - 1) != 0)
		return rc != 0 ? rc : STORE_ENOTFOUND;
	return find_branch(c, value + sizeof(branch) - 1, err);
}

static bool is_branch(const struct checkout *c, const char *name)
{
	char full[LIMIT_REF + 1], value[REFS_VALUE];

	return (size_t)snprintf(full, sizeof(full), REFNAME_HEADS "%s", name) < sizeof(full) &&
		refs_get(c->txn, full, value, NULL) == 0;
}

/*
 * A word that names nothing: where a branch is wanted, and it could be the name of one, that is
 * what is missing.
 */
static int refuse_unknown(const struct checkout *c, const struct rev_source *source,
	const char *rev, struct store_error *err)
{
	char near[NEAREST_MAX + 1], shown[160], near_shown[100] = "", words[80];
	struct buf full = { 0 };
	const bool is_name = refname_full(&full, REFNAME_HEADS, rev, strlen(rev), NULL) == 0;

	buf_release(&full);
	if (!is_name || c->options->new_branch || !(c->options->flags & STORE_CHECKOUT_BRANCH_ONLY))
		return STORE_ENOTFOUND;
	/* A branch without a commit has been told as what it is. */
	if (strcmp(short_name(c->before.branch), rev) == 0)
		return STORE_ENOTFOUND;
	if (rev_nearest(source, text_slice_of(rev), near) > 0 && is_branch(c, near))
		snprintf(near_shown, sizeof(near_shown), "; the nearest is '%s'",
			quote_msg(words, sizeof(words), near, strlen(near)));
	quote_msg(shown, sizeof(shown), rev, strlen(rev));
	return store_error_set(err, STORE_ENOTFOUND,
		"no branch '%s'%s; 'store switch -c %s' makes it", shown, near_shown, shown);
}

static int resolve_commit(struct checkout *c, struct store_error *err)
{
	const struct store_checkout_options *o = c->options;
	const struct rev_source source = { c->txn, c->nodes };
	const char *rev = o->rev ? o->rev : "HEAD";
	int rc = STORE_ENOTFOUND;

	c->branch[0] = '\0';
	if (means_head(o->rev) && !c->before.has_commit && o->new_branch)
		return 0;
	if (means_head(o->rev) && !(o->flags & STORE_CHECKOUT_DETACH))
		memcpy(c->branch, c->before.branch, sizeof(c->branch));
	else if (!means_head(o->rev) && !(o->flags & STORE_CHECKOUT_DETACH))
		rc = find_branch(c, rev, err);
	if (rc == STORE_ENOTFOUND && !(o->flags & STORE_CHECKOUT_DETACH))
		rc = find_previous(c, rev, err);
	if (rc == STORE_ENOTFOUND)
		rc = rev_parse(&source, rev, strlen(rev), &c->commit, err);
	if (rc == STORE_ENOTFOUND)
		rc = refuse_unknown(c, &source, rev, err);
	c->has_commit = rc == 0;
	return rc;
}

/* The branch of -b must be new; that of -C may be there, and is moved. */
static int resolve_new_branch(struct checkout *c, struct store_error *err)
{
	const char *name = c->options->new_branch;
	struct buf full = { 0 };
	char value[REFS_VALUE] = "", id[REFS_VALUE], shown[200];
	int rc = refname_full(&full, REFNAME_HEADS, name, strlen(name), err);

	if (rc == 0)
		snprintf(c->branch, sizeof(c->branch), "%.*s", (int)full.len,
			(const char *)full.data);
	buf_release(&full);
	if (rc != 0)
		return rc;
	rc = refs_get(c->txn, c->branch, value, err);
	if (rc == 0 && !(c->options->flags & STORE_CHECKOUT_RESET_BRANCH))
		return store_error_set(err, STORE_EEXISTS, "a branch '%s' exists already",
			quote_msg(shown, sizeof(shown), name, strlen(name)));
	if (rc == STORE_ENOTFOUND) {
		memcpy(value, "-", 2);
		/* Else the publication would refuse it, when all files are written. */
		rc = refs_check_place(c->txn, c->branch, err);
	}
	if (rc != 0)
		return rc;
	refs_value_of(id, &c->commit);
	memcpy(c->branch_was, value, sizeof(value));
	c->makes_branch = c->has_commit && strcmp(value, id) != 0;
	return 0;
}

/* `switch` takes branches: what else names a commit would detach HEAD. */
static int check_branch_only(struct checkout *c, struct store_error *err)
{
	const struct store_checkout_options *o = c->options;
	char shown[200];

	if (!(o->flags & STORE_CHECKOUT_BRANCH_ONLY) || o->new_branch ||
		(c->branch[0] && !means_head(o->rev)))
		return 0;
	return store_error_set(err, STORE_EINVAL,
		"a branch is expected, and '%s' is a commit; --detach lets HEAD name it",
		quote_msg(shown, sizeof(shown), o->rev ? o->rev : "HEAD",
			strlen(o->rev ? o->rev : "HEAD")));
}

int checkout_read_tree(struct checkout *c, const struct oid *id, struct entry *top, bool *has_meta,
	struct map_ref *meta, struct store_error *err)
{
	struct buf data = { 0 };
	struct commit commit;
	struct layer layer;
	int rc = view_read(c->repo, id, &data, &commit, &layer, err);

	if (rc == 0) {
		*top = view_top(&layer);
		*has_meta = commit.has_meta;
		*meta = commit.meta;
	}
	buf_release(&data);
	return rc;
}

int checkout_resolve_tree(struct checkout *c, const char *rev, struct store_error *err)
{
	const struct rev_source source = { c->txn, c->nodes };
	const struct map_ref none = map_empty(MAP_DIRECTORY);
	int rc;

	if (means_head(rev) && !c->before.has_commit) {
		c->target = (struct entry){ .kind = ENTRY_DIR,
			.id = none.id,
			.height = none.height };
		return 0;
	}
	if (!rev)
		rev = "HEAD";
	rc = rev_parse(&source, rev, strlen(rev), &c->commit, err);
	if (rc != 0)
		return rc;
	c->has_commit = true;
	return checkout_read_tree(c, &c->commit, &c->target, &c->has_meta, &c->meta, err);
}

static int resolve_trees(struct checkout *c, struct store_error *err)
{
	int rc = 0;

	if (c->has_commit)
		rc = checkout_read_tree(c, &c->commit, &c->target, &c->has_meta, &c->meta, err);
	c->has_head = c->before.has_commit;
	if (rc == 0 && c->has_head && c->in_place)
		rc = checkout_read_tree(c, &c->before.commit, &c->head, &c->has_head_meta,
			&c->head_meta, err);
	return rc;
}

/* ---- refs */

static int prepare_refs(struct checkout *c, struct store_error *err)
{
	char was[REFS_VALUE], wanted[REFS_VALUE], id[REFS_VALUE] = "";
	int rc = refs_get(c->txn, "HEAD", was, err);

	if (rc != 0)
		return rc;
	if (c->has_commit)
		refs_value_of(id, &c->commit);
	if (c->branch[0])
		snprintf(wanted, sizeof(wanted), "ref:%s", c->branch);
	else
		memcpy(wanted, id, sizeof(wanted));
	snprintf(c->update.why, sizeof(c->update.why), "checkout: moving from %.200s to %.200s",
		c->before.branch[0] ? short_name(c->before.branch) : was,
		c->branch[0] ? short_name(c->branch) : id);
	if (c->makes_branch)
		rc = refs_update_add(&c->update, c->branch, c->branch_was, id, err);
	if (rc == 0 && strcmp(was, wanted) != 0)
		rc = refs_update_add(&c->update, "HEAD", was, wanted, err);
	if (rc == 0 && c->update.count > 0)
		rc = identity_for_log(c->repo, &c->who, &c->update.who, err);
	return rc;
}

static int resolve(struct checkout *c, struct store_error *err)
{
	struct store_checkout_result *r = c->result;
	int rc = refs_head(c->txn, &c->before, err);

	if (rc == 0)
		rc = resolve_commit(c, err);
	if (rc == 0)
		rc = check_branch_only(c, err);
	if (rc == 0 && c->options->new_branch)
		rc = resolve_new_branch(c, err);
	if (rc == 0)
		rc = resolve_trees(c, err);
	if (rc == 0 && c->in_place && c->options->n_paths == 0)
		rc = prepare_refs(c, err);
	if (rc != 0)
		return rc;
	if (c->options->n_paths > 0)
		memcpy(c->branch, c->before.branch, sizeof(c->branch));
	if (c->in_place)
		snprintf(r->branch, sizeof(r->branch), "%.255s", short_name(c->branch));
	if (c->has_commit)
		r->commit = view_id(&c->commit);
	return 0;
}

/* ---- the whole */

static int check_options(const struct store_checkout_options *o, struct store_error *err)
{
	const int rc = options_check(o, "store_checkout_options", err);

	if (rc != 0)
		return rc;
	if (o->new_branch && (o->to || o->n_paths > 0))
		return store_error_set(err, STORE_EINVAL,
			"a new branch goes neither with another folder nor with paths");
	return 0;
}

/*
 * The run's name, part of the names of temporaries. In place a locked file of that name says that
 * the run lives; with `to` the folder is locked, and the repository may be read-only.
 */
static int name_run(struct checkout *c, struct store_error *err)
{
	uint8_t random[16];
	int rc;

	if (c->in_place)
		return tmp_create(odb_tmp_fd(c->repo->odb), 'c', c->run, &c->run_fd, err);
	rc = hash_random(random, err);
	memcpy(c->run, "c-", 2);
	for (size_t i = 0; rc == 0 && i < sizeof(random); i++)
		snprintf(c->run + 2 + 2 * i, 3, "%02x", random[i]);
	return rc;
}

static int begin(struct checkout *c, struct store_error *err)
{
	const struct store_checkout_options *o = c->options;
	int rc = check_options(o, err);

	c->root_fd = c->mark_fd = c->run_fd = -1;
	c->nodes = repo_nodes(c->repo);
	c->in_place = !o->to;
	c->force = o->flags & STORE_CHECKOUT_FORCE;
	c->recorded = o->to || (o->flags & (STORE_CHECKOUT_PRESERVE | STORE_CHECKOUT_PRESERVE_ALL));
	c->all_recorded = (o->flags & STORE_CHECKOUT_PRESERVE_ALL) && geteuid() == 0;
	c->progress.stage = c->way->name;
	spool_init(&c->plan, odb_tmp_fd(c->repo->odb));
	spool_init(&c->ops, odb_tmp_fd(c->repo->odb));
	spool_init(&c->kept, odb_tmp_fd(c->repo->odb));
	if (rc == 0 && c->in_place)
		rc = repo_check_writable(c->repo, err);
	if (rc == 0)
		rc = name_run(c, err);
	if (rc == 0 && !odb_env(c->repo->odb))
		rc = store_error_set(err, STORE_EINVAL,
			"the repository is open to be rebuilt only; run 'store fsck --rebuild'");
	if (rc == 0)
		rc = env_begin(odb_env(c->repo->odb), false, &c->txn, err);
	if (rc != 0)
		c->txn = NULL;
	return rc;
}

static void end(struct checkout *c)
{
	env_abort(c->txn);
	compare_release(&c->compare);
	spool_release(&c->plan);
	spool_release(&c->ops);
	spool_release(&c->kept);
	buf_release(&c->who);
	buf_release(&c->top);
	free(c->paths);
	if (!c->in_place)
		io_close(&c->root_fd);
	if (c->run_fd != -1)
		unlinkat(odb_tmp_fd(c->repo->odb), c->run, 0);
	io_close(&c->run_fd);
}

static void end_snapshot(struct checkout *c)
{
	env_abort(c->txn);
	c->txn = NULL;
}

static int run_in_place(struct checkout *c, struct store_error *err)
{
	int rc;

	c->root_fd = c->repo->work_fd;
	checkout_place_init(&c->own_place, c->root_fd);
	c->place = &c->own_place;
	rc = publish_next(c->txn, &c->epoch, err);
	if (rc == 0)
		rc = stage_root(c->txn, &c->stage_root, err);
	if (rc == 0 && c->target.kind == ENTRY_DIR)
		rc = c->way->plan ? c->way->plan(c, err) : checkout_plan(c, err);
	end_snapshot(c);
	c->progress.files_total = c->plan_writes;
	if (rc == 0 && !c->way->rows_only)
		rc = checkout_check_space(c, err);
	if (rc == 0 && !c->way->rows_only)
		rc = checkout_run(c, err);
	if (rc == 0)
		rc = checkout_publish(c, err);
	checkout_place_release(&c->own_place);
	return rc;
}

static int run_to(struct checkout *c, struct store_error *err)
{
	int rc;

	end_snapshot(c);
	rc = checkout_folder_open(c, err);
	checkout_place_init(&c->own_place, c->root_fd);
	c->place = &c->own_place;
	/* Nothing is written to the repository, which may be read-only. */
	c->plan.dirfd = c->root_fd;
	c->progress.files_total = c->options->n_paths == 0 ? c->target.totals.files : 0;
	if (rc == 0)
		rc = checkout_check_space(c, err);
	if (rc == 0)
		rc = checkout_run(c, err);
	checkout_place_release(&c->own_place);
	return checkout_folder_close(c, rc, err);
}

static void fill_stats(struct checkout *c, const struct odb_counts *before)
{
	struct store_stats *s = &c->result->stats;
	struct odb_counts now;

	odb_counts(c->repo->odb, &now);
	s->files = c->result->written + c->result->unchanged;
	s->bytes = c->progress.bytes;
	s->decoded_bytes = now.bytes - before->bytes;
	s->nodes_read = now.nodes - before->nodes;
	store_stats_memory(s);
}

int checkout_do(struct store_repo *repo, const struct checkout_way *way, void *ctx,
	const struct store_checkout_options *options, struct store_checkout_result *result,
	struct store_error *err)
{
	static const struct store_checkout_options defaults;
	struct store_checkout_result unused = { 0 };
	struct store_error own = { 0 };
	struct checkout_unset unset = { 0 };
	struct checkout c = { .repo = repo,
		.way = way,
		.ctx = ctx,
		.unset = &unset,
		.options = options ? options : &defaults,
		.result = result ? result : &unused };
	const int64_t start = clock_mono_ns();
	struct odb_counts before;
	int rc;

	/* What failed is asked for its errno on the way. */
	if (!err)
		err = &own;
	memset(c.result, 0, sizeof(*c.result));
	odb_counts(repo->odb, &before);
	rc = begin(&c, err);
	if (rc == 0)
		rc = way->resolve(&c, err);
	if (rc == 0)
		rc = checkout_settle_paths(&c, err);
	if (rc == 0)
		rc = c.in_place ? run_in_place(&c, err) : run_to(&c, err);
	if (rc == 0) {
		/* The end is told; there is nothing left to cancel. */
		c.last_tick_ns = 0;
		checkout_tick(&c, NULL);
	}
	fill_stats(&c, &before);
	end(&c);
	c.result->stats.seconds = (double)(clock_mono_ns() - start) / 1e9;
	return rc;
}

int store_checkout(struct store_repo *repo, const struct store_checkout_options *options,
	struct store_checkout_result *result, struct store_error *err)
{
	static const struct checkout_way way = { .name = "checkout", .resolve = resolve };

	return checkout_do(repo, &way, NULL, options, result, err);
}
