/* store mv: other names for tracked paths. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <string.h>

struct mv_options {
	unsigned int flags;
};

#define FIELD(name) offsetof(struct mv_options, name)

static const struct option_spec table[] = {
	{ 'f', "force", OPTION_BIT, FIELD(flags), STORE_MV_FORCE, NULL,
		"over a file that is there" },
	{ 'k', NULL, OPTION_BIT, FIELD(flags), STORE_MV_SKIP, NULL,
		"leave out what cannot be moved, and tell it" },
	{ 'n', "dry-run", OPTION_BIT, FIELD(flags), STORE_MV_DRY_RUN, NULL,
		"move nothing, tell what would be moved" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

struct report {
	struct cli *cli;
	bool tells;
};

/* "Renaming a to b", with -n and -v; in a machine form both paths, always. */
static bool on_notice(struct progress *p, const struct store_notice *n)
{
	const struct report *r = p->data;
	struct line t = { 0 };

	if (n->kind != STORE_NOTICE_MOVED)
		return false;
	if (p->cli->global.json) {
		json_begin(&t, "store/mv-entry/1");
		json_bytes(&t, "path", n->text);
		json_bytes(&t, "old_path", n->path);
		json_end(&t);
	} else if (p->cli->global.nul) {
		line_add(&t, n->path, strlen(n->path) + 1);
		line_add(&t, n->text, strlen(n->text) + 1);
	} else if (r->tells) {
		line_string(&t, "Renaming ");
		output_path(&t, p->cli, n->path);
		line_string(&t, " to ");
		output_path(&t, p->cli, n->text);
		line_string(&t, "\n");
	}
	output_text(&t);
	line_release(&t);
	return true;
}

static void print_json(const struct store_mv_result *r, bool dry_run)
{
	struct line t = { 0 };

	json_begin(&t, "store/mv/1");
	json_bool(&t, "dry_run", dry_run);
	json_number(&t, "moved", r->moved);
	json_number(&t, "skipped", r->skipped);
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

static int move_paths(struct cli *cli, struct store_mv_options *o)
{
	struct report r = { .cli = cli,
		.tells = !cli->global.quiet &&
			(cli->global.verbose || (o->flags & STORE_MV_DRY_RUN)) };
	struct store_mv_result result = { 0 };
	struct progress p = { .notice = on_notice, .data = &r };
	int rc;

	progress_begin(&p, cli, &o->callbacks);
	rc = store_mv(cli->repo, o, &result, &cli->err);
	progress_end(&p);
	cli->stats = result.stats;
	if (rc == 0 && cli->global.json)
		print_json(&result, o->flags & STORE_MV_DRY_RUN);
	return rc;
}

static int run(struct cli *cli, const void *data)
{
	const struct mv_options *given = data;
	struct store_mv_options o = { .flags = given->flags };
	struct strings paths = { 0 };
	int rc;

	if (cli->args.n < 2)
		return output_usage(cli, "name what is to be moved, and where to");
	if (cli->global.json && cli->global.nul)
		return output_usage(cli, "--json goes without -z");
	rc = cli_open(cli, true);
	if (rc == 0)
		rc = cli_paths(cli, 0, cli->args.n, &paths);
	if (rc == 0) {
		const char *target = cli->args.items[cli->args.n - 1];
		const size_t len = strlen(target);

		o.sources = (const char *const *)paths.items;
		o.n_sources = paths.n - 1;
		o.target = paths.items[paths.n - 1];
		if (len > 0 && target[len - 1] == '/')
			o.flags |= STORE_MV_INTO;
		rc = move_paths(cli, &o);
	}
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_mv = { "mv", "[OPTION...] [--] SOURCE... TARGET",
	"rename tracked files and directories", TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL,
	sizeof(struct mv_options), table, run };
