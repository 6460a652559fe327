/*
 * Add: make the stage below each operand equal to the working tree. Operands are looked at before
 * anything is staged; then walk and ingest run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/quote.h"
#include "work/add_internal.h"
#include "work/options.h"
#include "work/stats.h"

/*
 * Is the directory (the first len bytes of path) the top of another repository? Where that cannot
 * be seen, the walk tells.
 */
static bool is_border(struct store_repo *repo, const char *path, size_t len)
{
	char *dir = strndup(path, len);
	bool found = false;

	if (dir)
		worktree_is_border(repo->work_fd, dir, &found, NULL);
	free(dir);
	return found;
}

/* What no walk enters is not reached by naming it either. */
static int check_places(struct store_repo *repo, const char *path, const char *shown,
	struct store_error *err)
{
	char border[250];

	for (const char *name = path, *end; *name != '\0'; name = end + (*end == '/')) {
		end = name + strcspn(name, "/");
		if (end - name == 6 && memcmp(name, ".store", 6) == 0)
			return store_error_set(err, STORE_EINVAL,
				"'%s' is in a repository's own folder and is never stored", shown);
		if (*end == '/' && is_border(repo, path, (size_t)(end - path)))
			return store_error_set(err, STORE_EINVAL,
				"'%s' lies in another repository, '%s'", shown,
				quote_msg(border, sizeof(border), path, (size_t)(end - path)));
	}
	return 0;
}

/* An operand must be on disk or tracked, and not lie beyond a symlink. */
static int check_operand(struct store_repo *repo, struct env_txn *txn, const char *path,
	struct store_error *err)
{
	struct store_error failed = { 0 };
	struct worktree_entry e;
	struct stage_row row;
	char shown[250];
	int rc;

	if (*path == '\0')
		return 0;
	quote_msg(shown, sizeof(shown), path, strlen(path));
	rc = check_places(repo, path, shown, err);
	if (rc != 0)
		return rc;
	rc = worktree_find(repo->work_fd, path, &e, &failed);
	if (rc == 0)
		return 0;
	if (failed.sys == ELOOP)
		return store_error_set(err, STORE_EINVAL,
			"'%s' lies beyond a symbolic link; add the link, or the place it points to",
			shown);
	if (!worktree_is_absent(failed.sys))
		return 0;
	rc = stage_find(txn, path, strlen(path), &row, err);
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_ENOTFOUND,
			"'%s' is neither in the working tree nor tracked; nothing was added",
			shown);
	return rc;
}

static int check_operands(struct store_repo *repo, const char *const *paths, size_t n,
	struct store_error *err)
{
	struct env_txn *txn;
	int rc = env_begin(odb_env(repo->odb), false, &txn, err);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = check_operand(repo, txn, paths[i], err);
	env_abort(txn);
	return rc;
}

static void tell(const struct store_callbacks *c, int kind, const char *path, const char *text,
	uint64_t bytes)
{
	const struct store_notice n = { .kind = (enum store_notice_kind)kind,
		.path = path,
		.text = text,
		.bytes = bytes };

	if (c->notice)
		c->notice(c->payload, &n);
}

static void tell_dry(const struct ingest *g, const struct item *item, const struct job *job)
{
	struct store_add_result *r = g->result;
	const char *path = ingest_path(item, job);

	switch (job->type) {
	case JOB_NOTICE:
		r->special += job->notice == STORE_NOTICE_SPECIAL;
		r->ignored_operands += job->notice == STORE_NOTICE_IGNORED;
		r->skipped += job->notice == STORE_NOTICE_UNREADABLE ||
			job->notice == STORE_NOTICE_LIMIT;
		tell(g->callbacks, job->notice, path, job->why, 0);
		break;
	case JOB_DELETE:
		ingest_count(r, job, false);
		tell(g->callbacks, STORE_NOTICE_WOULD_DELETE, path, "", 0);
		break;
	case JOB_DIR:
		ingest_count(r, job, true);
		if (job->has_staged || !*path)
			break;
		tell(g->callbacks, STORE_NOTICE_WOULD_ADD, path, "directory", 0);
		break;
	default:
		ingest_count(r, job, false);
		r->stats.files++;
		r->stats.bytes += job->size;
		tell(g->callbacks, STORE_NOTICE_WOULD_ADD, path, "", job->size);
	}
}

/* The walk alone: what it would do is told, nothing is read but to compare, nothing is written. */
static int run_dry(struct ingest *g, struct store_error *err)
{
	struct item item = { .job_limit = INGEST_JOBS };
	int rc = 0;

	item.jobs = calloc(INGEST_JOBS, sizeof(*item.jobs));
	if (!item.jobs)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	item.job_limit = INGEST_JOBS;
	while (rc == 0) {
		item.job_count = 0;
		item.bytes = 0;
		buf_clear(&item.text);
		rc = g->walk(g->walk_ctx, &item, err);
		for (size_t i = 0; i < item.job_count && rc == 0; i++)
			tell_dry(g, &item, &item.jobs[i]);
	}
	free(item.jobs);
	buf_release(&item.text);
	return rc > 0 ? 0 : rc;
}

static int run(struct ingest *g, bool dry, struct store_error *err)
{
	int rc;

	if (dry)
		return run_dry(g, err);
	rc = writer_new(&g->writer, g->repo->odb, err);
	if (rc == 0)
		rc = ingest_run(g, err);
	writer_free(g->writer);
	return rc;
}

int store_add(struct store_repo *repo, const char *const *paths, size_t n,
	const struct store_add_options *options, struct store_add_result *result,
	struct store_error *err)
{
	static const struct store_add_options defaults;
	const int64_t start = clock_mono_ns();
	struct store_add_result unused = { 0 };
	struct ingest g = { .repo = repo, .threads = repo->threads };
	struct add_walk walk = { 0 };
	int rc;

	options = options ? options : &defaults;
	result = result ? result : &unused;
	memset(result, 0, sizeof(*result));
	g.result = result;
	g.callbacks = &options->callbacks;
	g.walk = add_walk_produce;
	g.walk_ctx = &walk;
	rc = options_check(options, "store_add_options", err);
	if (rc == 0 && !(options->flags & STORE_ADD_DRY_RUN))
		rc = repo_check_writable(repo, err);
	if (rc == 0)
		rc = check_operands(repo, paths, n, err);
	if (rc == 0)
		rc = add_walk_init(&walk, &g, paths, n, options->flags, err);
	if (rc == 0)
		rc = run(&g, options->flags & STORE_ADD_DRY_RUN, err);
	result->unchanged += walk.unchanged;
	if (walk.repo)
		add_walk_release(&walk);
	result->stats.seconds = (double)(clock_mono_ns() - start) / 1e9;
	store_stats_memory(&result->stats);
	return rc;
}
