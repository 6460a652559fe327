/* store rm: paths out of the stage and off the disk. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <string.h>

struct rm_options {
	unsigned int flags;
};

#define FIELD(name) offsetof(struct rm_options, name)

static const struct option_spec table[] = {
	{ 'f', "force", OPTION_BIT, FIELD(flags), STORE_RM_FORCE, NULL,
		"remove content that is saved nowhere, too" },
	{ 'r', NULL, OPTION_BIT, FIELD(flags), STORE_RM_RECURSIVE, NULL,
		"directories with all that is tracked in them" },
	{ 0, "cached", OPTION_BIT, FIELD(flags), STORE_RM_CACHED, NULL,
		"out of the stage alone; the files stay" },
	{ 'n', "dry-run", OPTION_BIT, FIELD(flags), STORE_RM_DRY_RUN, NULL,
		"remove nothing, tell what would go" },
	{ 0, "ignore-unmatch", OPTION_BIT, FIELD(flags), STORE_RM_IGNORE_UNMATCH, NULL,
		"a path that is not tracked is no error" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* "rm path" for each file, as git tells it; a machine form is the path alone, -q or not. */
static bool on_notice(struct progress *p, const struct store_notice *n)
{
	struct line t = { 0 };

	if (n->kind != STORE_NOTICE_REMOVED)
		return false;
	if (p->cli->global.json) {
		json_begin(&t, "store/rm-entry/1");
		json_bytes(&t, "path", n->path);
		json_end(&t);
	} else if (p->cli->global.nul) {
		line_add(&t, n->path, strlen(n->path) + 1);
	} else if (!p->cli->global.quiet) {
		line_string(&t, "rm ");
		output_path(&t, p->cli, n->path);
		line_string(&t, "\n");
	}
	output_text(&t);
	line_release(&t);
	return true;
}

static void print_json(const struct store_rm_result *r, bool dry_run)
{
	struct line t = { 0 };

	json_begin(&t, "store/rm/1");
	json_bool(&t, "dry_run", dry_run);
	json_number(&t, "removed", r->removed);
	json_number(&t, "deleted", r->deleted);
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

static int remove_paths(struct cli *cli, struct store_rm_options *o)
{
	struct store_rm_result result = { 0 };
	struct progress p = { .notice = on_notice };
	int rc;

	progress_begin(&p, cli, &o->callbacks);
	rc = store_rm(cli->repo, o, &result, &cli->err);
	progress_finish(&p, rc, "the same command finishes the work");
	cli->stats = result.stats;
	if (rc == 0 && cli->global.json)
		print_json(&result, o->flags & STORE_RM_DRY_RUN);
	return rc;
}

static int run(struct cli *cli, const void *data)
{
	const struct rm_options *given = data;
	struct store_rm_options o = { .flags = given->flags };
	struct strings paths = { 0 };
	int rc;

	if (cli->args.n == 0)
		return output_usage(cli, "name what is to be removed");
	if (cli->global.json && cli->global.nul)
		return output_usage(cli, "--json goes without -z");
	rc = cli_open(cli, true);
	if (rc == 0)
		rc = cli_paths(cli, 0, cli->args.n, &paths);
	if (rc == 0) {
		o.paths = (const char *const *)paths.items;
		o.n_paths = paths.n;
		rc = remove_paths(cli, &o);
	}
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_rm = { "rm", "[OPTION...] [--] PATH...",
	"remove files from the stage and from disk",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL, sizeof(struct rm_options), table, run };
