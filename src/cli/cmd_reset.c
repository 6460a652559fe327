/*
 * store reset: the branch to another commit, with or without stage and files; or paths out of the
 * stage.
 *
 * As with git the first operand is a revision if it names one; a name that is both a revision and a
 * path is refused, for nobody knows which was meant, and "--" tells.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <string.h>
#include <sys/stat.h>

struct reset_options {
	int soft, mixed, hard;
	unsigned int flags;
};

#define FIELD(name) offsetof(struct reset_options, name)

static const struct option_spec table[] = {
	{ 0, "soft", OPTION_FLAG, FIELD(soft), 1, NULL, "move the branch alone" },
	{ 0, "mixed", OPTION_FLAG, FIELD(mixed), 1, NULL, "branch and stage (the default)" },
	{ 0, "hard", OPTION_FLAG, FIELD(hard), 1, NULL,
		"tracked files, too: their changes are given up" },
	{ 'f', "force", OPTION_BIT, FIELD(flags), STORE_RESET_FORCE, NULL,
		"with --hard: overwrite untracked files in the way" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* ---- what was reset, in words and in JSON */

struct listing {
	struct cli *cli;
	bool begun;
	uint64_t count;
};

/*
 * "M path" for what differs from the stage, as git lists it; under -z letter and path are a record
 * each, as in diff --name-status, and nothing else is told.
 */
static int list_one(void *payload, const struct store_status_entry *e)
{
	struct listing *l = ((struct progress *)payload)->data;
	struct line t = { 0 };

	if (e->y == ' ' || e->y == '?' || e->y == '!')
		return 0;
	if (!l->begun && !l->cli->global.nul)
		output_string("Unstaged changes after reset:\n");
	l->begun = true;
	line_format(&t, "%c%c", e->y, l->cli->global.nul ? 0 : '\t');
	output_path(&t, l->cli, e->path);
	output_text(&t);
	output_line_end(l->cli);
	line_release(&t);
	return cli_must_stop();
}

static int list_changes(struct cli *cli)
{
	struct listing l = { .cli = cli };
	struct progress p = { .data = &l };
	struct store_status_options o = { .flags = STORE_STATUS_NO_UNTRACKED, .entry = list_one };
	int rc;

	progress_begin(&p, cli, &o.callbacks);
	rc = store_status(cli->repo, NULL, 0, &o, NULL, &cli->err);
	progress_end(&p);
	return rc == STORE_ECANCELED ? 0 : rc;
}

static int print_head(struct cli *cli, const struct store_reset_result *r)
{
	struct line t = { 0 }, subject = { 0 };
	int rc;

	if (!r->has_commit)
		return 0;
	rc = message_subject_of(cli, &r->commit, &subject);
	if (rc == 0) {
		line_string(&t, "HEAD is now at ");
		line_short_id(&t, &r->commit);
		line_string(&t, " ");
		line_harmless(&t, subject.data ? subject.data : "", subject.len);
		line_string(&t, "\n");
		output_text(&t);
	}
	line_release(&subject);
	line_release(&t);
	return rc;
}

static void print_json(const struct store_reset_result *r, const char *mode)
{
	struct line t = { 0 };

	json_begin(&t, "store/reset/1");
	json_string(&t, "mode", mode);
	json_maybe_id(&t, "commit", r->has_commit ? &r->commit : NULL);
	json_string(&t, "branch", r->branch[0] ? r->branch : NULL);
	json_number(&t, "written", r->written);
	json_number(&t, "unchanged", r->unchanged);
	json_number(&t, "deleted", r->deleted);
	json_number(&t, "bytes", r->stats.bytes);
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

/* ---- revision or path */

static bool is_path(const char *operand)
{
	struct stat st;

	return lstat(operand, &st) == 0;
}

/* How many of the operands before "--" are the revision: 0, 1, or negative. */
static int count_revs(struct cli *cli)
{
	const char *first = cli->args.n > 0 ? cli->args.items[0] : NULL;
	struct store_id id;
	int rc;

	if (!first || cli->args_before_dashes == 0)
		return 0;
	if (cli->has_dashes && cli->args_before_dashes > 1)
		return output_usage(cli,
			"reset takes one REV, and paths behind '--': '%s' is neither",
			cli->args.items[1]);
	if (cli->has_dashes)
		return 1;
	rc = store_rev_parse(cli->repo, first, &id, &cli->err);
	/* HEAD before the first commit: nothing. */
	if (rc != 0 && (strcmp(first, "HEAD") == 0 || strcmp(first, "@") == 0))
		rc = rc == STORE_ENOTFOUND ? 0 : rc;
	if (rc == 0 && is_path(first))
		return output_usage(cli,
			"'%s' is a revision and a path: put '--' behind or before it", first);
	if (rc == 0)
		return 1;
	return (rc == STORE_ENOTFOUND || rc == STORE_EINVAL) &&
			(cli->args.n > 1 || is_path(first) || !strpbrk(first, "~^@{"))
		? 0
		: rc;
}

/* A word that is neither gets the complaint of a revision and of a path. */
static int explain(struct cli *cli, const struct store_reset_options *o, int rc)
{
	const char *first = cli->args.n > 0 ? cli->args.items[0] : NULL;
	struct store_error why = { 0 };
	struct store_id id;

	if (rc != STORE_ENOTFOUND || cli->has_dashes || o->n_paths != 1 || o->rev)
		return rc;
	if (store_rev_parse(cli->repo, first, &id, &why) == 0)
		return rc;
	return cli_fail(cli, rc, 0, "'%s' is neither a revision nor a path that is tracked", first);
}

static int check_usage(const struct cli *cli, const struct reset_options *given)
{
	if (given->soft + given->mixed + given->hard > 1)
		return output_usage(cli, "take one of --soft, --mixed and --hard");
	if ((given->flags & STORE_RESET_FORCE) && !given->hard)
		return output_usage(cli, "-f goes with --hard alone: nothing else writes files");
	if (cli->global.nul && (given->soft || given->hard || cli->global.json))
		return output_usage(cli,
			"-z goes with a list of paths, which --soft, --hard and --json have not");
	return 0;
}

/* What stands behind the options of a reset that takes a revision alone. */
static int refuse_operand(struct cli *cli, const char *mode, size_t pos)
{
	const char *word = cli->args.items[pos];
	struct store_id id;
	char why[sizeof(cli->err.msg)];

	if (pos == 0 && !cli->has_dashes && !is_path(word) &&
		store_rev_parse(cli->repo, word, &id, &cli->err) != 0) {
		memcpy(why, cli->err.msg, sizeof(why));
		return cli_fail(cli, cli->err.code, cli->err.sys,
			"%.400s; 'store log' and 'store branch' list what there is", why);
	}
	return output_usage(cli,
		strcmp(mode, "hard") == 0
			? "--%s takes no paths; 'store restore --staged --worktree PATH' gives up what changed there"
			: "--%s takes no paths; 'store reset PATH' unstages one",
		mode);
}

static int do_reset(struct cli *cli, struct store_reset_options *o, const char *mode)
{
	struct store_reset_result result = { 0 };
	struct progress p = { 0 };
	int rc;

	progress_begin(&p, cli, &o->callbacks);
	rc = store_reset(cli->repo, o, &result, &cli->err);
	progress_finish(&p, rc, "the same command finishes the work");
	cli->stats = result.stats;
	if (rc != 0)
		return explain(cli, o, rc);
	if (cli->global.json)
		print_json(&result, mode);
	else if (o->mode == STORE_RESET_HARD && !cli->global.quiet)
		rc = print_head(cli, &result);
	else if (o->mode == STORE_RESET_MIXED && (cli->global.nul || !cli->global.quiet))
		rc = list_changes(cli);
	return rc;
}

static int run(struct cli *cli, const void *data)
{
	const struct reset_options *given = data;
	struct store_reset_options o = { .flags = given->flags };
	const char *mode = given->hard ? "hard" : given->soft ? "soft" : "mixed";
	struct strings paths = { 0 };
	int revs = 0, rc = check_usage(cli, given);

	if (rc == 0)
		rc = cli_open(cli, true);
	if (rc == 0)
		revs = count_revs(cli);
	/* CLI_FAILED is positive and no count. */
	if (rc == 0 && (revs < 0 || revs == CLI_FAILED))
		rc = revs;
	if (rc == 0 && cli->args.n > (size_t)revs && (given->soft || given->hard))
		rc = refuse_operand(cli, mode, (size_t)revs);
	if (rc == 0)
		rc = cli_paths(cli, (size_t)revs, cli->args.n, &paths);
	if (rc == 0) {
		o.mode = given->hard  ? STORE_RESET_HARD
			: given->soft ? STORE_RESET_SOFT
				      : STORE_RESET_MIXED;
		o.rev = revs == 1 ? cli->args.items[0] : NULL;
		o.paths = (const char *const *)paths.items;
		o.n_paths = paths.n;
		rc = do_reset(cli, &o, mode);
	}
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_reset = { "reset",
	"[--soft | --mixed | --hard [-f]] [REV] | [REV] [--] PATH...",
	"move the branch, or unstage paths", TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL,
	sizeof(struct reset_options), table, run };
