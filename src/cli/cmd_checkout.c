/*
 * store checkout: a revision, or some paths of one, into the working tree or into a folder of its
 * own.
 *
 * Paths stand behind "--" always, so that no name is both a branch and a file.  `checkout -- PATH`
 * without a revision is refused: with git it takes content from the stage, and a hand that expects
 * that must not lose what it has staged.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <string.h>

struct checkout_options {
	const char *branch, *to, *preserve;
	unsigned int flags;
};

#define FIELD(name) offsetof(struct checkout_options, name)

static const struct option_spec table[] = {
	{ 'b', NULL, OPTION_STRING, FIELD(branch), 0, "NAME",
		"make the branch NAME at REV and go onto it" },
	{ 'f', "force", OPTION_BIT, FIELD(flags), STORE_CHECKOUT_FORCE, NULL,
		"overwrite what is in the way; untracked files stay" },
	{ 0, "to", OPTION_STRING, FIELD(to), 0, "DIR",
		"write to DIR, which is absent or empty, and leave all else alone" },
	{ 0, "preserve", OPTION_MAYBE, FIELD(preserve), 0, "all",
		"recorded modes and times; all: as root owner, setuid, xattrs" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static void print_json(const struct store_checkout_result *r)
{
	struct line t = { 0 };

	json_begin(&t, "store/checkout/1");
	json_id(&t, "commit", &r->commit);
	json_string(&t, "branch", r->branch[0] ? r->branch : NULL);
	json_number(&t, "written", r->written);
	json_number(&t, "unchanged", r->unchanged);
	json_number(&t, "deleted", r->deleted);
	json_number(&t, "unset", r->unset);
	json_number(&t, "bytes", r->stats.bytes);
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

static void print_words(const struct cli *cli, const struct store_checkout_options *o,
	const struct store_checkout_result *r)
{
	struct line t = { 0 };

	if (o->to || o->n_paths) {
		line_string(&t, "from ");
		line_short_id(&t, &r->commit);
	} else if (r->branch[0]) {
		line_format(&t, "on %sbranch '%s'", o->new_branch ? "the new " : "", r->branch);
	} else {
		line_string(&t, "HEAD is now detached at ");
		line_short_id(&t, &r->commit);
	}
	line_format(&t, ": %llu written, %llu as they were, %llu deleted",
		(unsigned long long)r->written, (unsigned long long)r->unchanged,
		(unsigned long long)r->deleted);
	output_talk(cli, "%s", t.data);
	line_release(&t);
}

static int check_usage(const struct cli *cli, const struct checkout_options *given)
{
	const size_t revs = cli->args_before_dashes, paths = cli->args.n - revs;

	if (revs > 1)
		return output_usage(cli,
			"checkout takes one REV, and paths behind '--': '%s' is neither",
			cli->args.items[1]);
	if (!revs && paths && !given->to)
		return output_usage(cli, "name the revision: 'store checkout HEAD -- PATH'");
	if (!revs && !paths && !given->to && !given->branch)
		return output_usage(cli, "name a revision, or a new branch with -b");
	if (given->branch && (paths || given->to))
		return output_usage(cli, "-b goes with neither --to nor paths");
	if (given->preserve && *given->preserve && strcmp(given->preserve, "all") != 0)
		return output_usage(cli, "--preserve takes 'all' or nothing, not '%s'",
			given->preserve);
	return 0;
}

static int bring_back(struct cli *cli, struct store_checkout_options *o)
{
	struct store_checkout_result result = { 0 };
	struct progress p = { 0 };
	int rc;

	progress_begin(&p, cli, &o->callbacks);
	rc = store_checkout(cli->repo, o, &result, &cli->err);
	progress_end(&p);
	cli->stats = result.stats;
	if (rc == STORE_ECANCELED && cli_signal())
		progress_interrupted(&p, "the same command finishes the work");
	if (rc != 0)
		return rc;
	if (cli->global.json)
		print_json(&result);
	else
		print_words(cli, o, &result);
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct checkout_options *given = data;
	struct store_checkout_options o = { .flags = given->flags };
	struct strings paths = { 0 };
	int rc = check_usage(cli, given);

	if (rc != 0)
		return rc;
	rc = cli_open(cli, !given->to);
	if (rc == 0)
		rc = cli_paths(cli, cli->args_before_dashes, cli->args.n, &paths);
	if (rc == 0) {
		if (given->preserve)
			o.flags |= *given->preserve
				? STORE_CHECKOUT_PRESERVE | STORE_CHECKOUT_PRESERVE_ALL
				: STORE_CHECKOUT_PRESERVE;
		o.rev = cli->args_before_dashes ? cli->args.items[0] : NULL;
		if (o.rev && strcmp(o.rev, "-") == 0)
			o.rev = "@{-1}";
		o.to = given->to;
		o.new_branch = given->branch;
		o.paths = (const char *const *)paths.items;
		o.n_paths = paths.n;
		rc = bring_back(cli, &o);
	}
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_checkout = { "checkout", "[OPTION...] [REV] [-- PATH...]",
	"bring files or a revision back", TAKES_REPO | TAKES_CONFIG | TAKES_JSON,
	sizeof(struct checkout_options), table, run };
