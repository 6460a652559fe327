/* store restore: paths back from the stage or from a revision, as files or in the stage. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"

struct restore_options {
	const char *source;
	unsigned int flags;
};

#define FIELD(name) offsetof(struct restore_options, name)

static const struct option_spec table[] = {
	{ 's', "source", OPTION_STRING, FIELD(source), 0, "REV",
		"from this revision; without it HEAD with --staged, else the stage" },
	{ 'S', "staged", OPTION_BIT, FIELD(flags), STORE_RESTORE_STAGED, NULL,
		"what is staged, and no file" },
	{ 'W', "worktree", OPTION_BIT, FIELD(flags), STORE_RESTORE_WORKTREE, NULL,
		"files (the default); with --staged both" },
	{ 'f', "force", OPTION_BIT, FIELD(flags), STORE_RESTORE_FORCE, NULL,
		"overwrite untracked files in the way" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static void print_json(const struct store_restore_result *r)
{
	struct line t = { 0 };

	json_begin(&t, "store/restore/1");
	json_number(&t, "written", r->written);
	json_number(&t, "unchanged", r->unchanged);
	json_number(&t, "deleted", r->deleted);
	json_number(&t, "bytes", r->stats.bytes);
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

static int restore(struct cli *cli, struct store_restore_options *o)
{
	struct store_restore_result result = { 0 };
	struct progress p = { 0 };
	int rc;

	progress_begin(&p, cli, &o->callbacks);
	rc = store_restore(cli->repo, o, &result, &cli->err);
	progress_finish(&p, rc, "the same command finishes the work");
	cli->stats = result.stats;
	if (rc != 0)
		return rc;
	if (cli->global.json)
		print_json(&result);
	else if (cli->global.verbose)
		output_talk(cli, "%llu written, %llu as they were, %llu deleted",
			(unsigned long long)result.written, (unsigned long long)result.unchanged,
			(unsigned long long)result.deleted);
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct restore_options *given = data;
	struct store_restore_options o = { .flags = given->flags, .source = given->source };
	struct strings paths = { 0 };
	int rc;

	if (cli->args.n == 0)
		return output_usage(cli, "name what is to be restored; '.' is all of this folder");
	if ((given->flags & STORE_RESTORE_STAGED) && (given->flags & STORE_RESTORE_FORCE) &&
		!(given->flags & STORE_RESTORE_WORKTREE))
		return output_usage(cli, "-f goes with files: --staged alone writes none");
	rc = cli_open(cli, true);
	if (rc == 0)
		rc = cli_paths(cli, 0, cli->args.n, &paths);
	if (rc == 0) {
		o.paths = (const char *const *)paths.items;
		o.n_paths = paths.n;
		rc = restore(cli, &o);
	}
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_restore = { "restore", "[OPTION...] [--] PATH...",
	"bring paths back from the stage or a revision", TAKES_REPO | TAKES_CONFIG | TAKES_JSON,
	sizeof(struct restore_options), table, run };
