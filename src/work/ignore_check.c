/*
 * store_ignore: the rules asked about single paths. The stage is looked at as it is now for each
 * path, because a caller may keep asking while others add.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "graph/stage.h"
#include "work/ignore.h"
#include "work/options.h"
#include "work/repo.h"
#include "work/worktree.h"

struct store_ignore {
	struct store_repo *repo;
	unsigned int flags;
	struct ignore *rules;
};

int store_ignore_open(struct store_repo *repo, const struct store_ignore_options *options,
	struct store_ignore **out, struct store_error *err)
{
	struct store_ignore *it;
	int rc = options_check(options, "store_ignore_options", err);

	*out = NULL;
	if (rc != 0)
		return rc;
	it = calloc(1, sizeof(*it));
	if (it)
		it->rules = ignore_new(repo);
	if (!it || !it->rules) {
		free(it);
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	it->repo = repo;
	it->flags = options ? options->flags : 0;
	*out = it;
	return 0;
}

void store_ignore_free(struct store_ignore *it)
{
	if (!it)
		return;
	ignore_free(it->rules);
	free(it);
}

static int find_tracked(const struct store_ignore *it, const char *path, int *tracked,
	struct store_error *err)
{
	struct stage_row row;
	struct env_txn *txn;
	int rc = env_begin(odb_env(it->repo->odb), false, &txn, err);

	if (rc != 0)
		return rc;
	rc = stage_find(txn, path, strlen(path), &row, err);
	env_abort(txn);
	*tracked = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Names that no rule is about. */
static int check_place(const char *path, const char *shown, struct store_error *err)
{
	if (*path == '\0')
		return store_error_set(err, STORE_EINVAL,
			"the top of the working tree cannot be ignored");
	for (const char *name = path; *name != '\0';) {
		const size_t n = strcspn(name, "/");

		if (n == 6 && memcmp(name, ".store", n) == 0)
			return store_error_set(err, STORE_EINVAL,
				"'%s' is in a repository's own folder and is never stored", shown);
		name += n + (name[n] == '/');
	}
	return 0;
}

/* Is it a directory?  What is not there is what the caller says. */
static int find_kind(const struct store_ignore *it, const char *path, const char *shown,
	bool *is_dir, struct store_error *err)
{
	struct store_error failed = { 0 };
	struct worktree_entry e;
	const int rc = worktree_find(it->repo->work_fd, path, &e, &failed);

	if (rc == 0)
		*is_dir = e.kind == ENTRY_DIR;
	if (rc == 0 || worktree_is_absent(failed.sys))
		return 0;
	if (rc == STORE_EINVAL)
		return store_error_set(err, STORE_EINVAL, "'%s' lies beyond a symbolic link",
			shown);
	if (err)
		*err = failed;
	return rc;
}

static int ask(struct store_ignore *it, const char *path, bool is_dir,
	struct store_ignore_result *result, struct store_error *err)
{
	struct ignore_verdict v;
	char shown[100], rules[200];
	int rc = ignore_check(it->rules, path, strlen(path), is_dir, &v, err);

	if (rc != 0)
		return rc;
	if (v.state == IGNORE_UNKNOWN) {
		return store_error_set(err, STORE_EIO, "cannot tell about '%s': '%s': %s",
			quote_msg(shown, sizeof(shown), path, strlen(path)),
			quote_msg(rules, sizeof(rules), *v.failed ? v.failed : ".",
				*v.failed ? strlen(v.failed) : 1),
			v.why);
	}
	*result = (struct store_ignore_result){ .ignored = v.state == IGNORE_LEFT,
		.source = v.source,
		.line = v.line,
		.pattern = v.pattern,
		.negated = v.is_negated };
	return 0;
}

int store_ignore_check(struct store_ignore *it, const char *path, int is_directory,
	struct store_ignore_result *result, struct store_error *err)
{
	bool is_dir = is_directory;
	char shown[250];
	int tracked, rc;

	memset(result, 0, sizeof(*result));
	quote_msg(shown, sizeof(shown), path, strlen(path));
	rc = check_place(path, shown, err);
	if (rc == 0)
		rc = find_kind(it, path, shown, &is_dir, err);
	if (rc == 0 && !(it->flags & STORE_IGNORE_TRACKED)) {
		rc = find_tracked(it, path, &tracked, err);
		result->tracked = rc == 0 && tracked;
	}
	return rc == 0 && !result->tracked ? ask(it, path, is_dir, result, err) : rc;
}
