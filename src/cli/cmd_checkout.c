/*
 * store checkout: a revision, or some paths of one, into the working tree or into a folder of its
 * own.
 *
 * Paths stand behind "--" always, so that no name is both a branch and a file.  `checkout -- PATH`
 * without a revision is refused: with git it takes content from the stage, and a hand that expects
 * that must not lose what it has staged.
 */
#include "cli/checkout.h"
#include "cli/output.h"
#include <stdlib.h>
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

static int check_usage(const struct cli *cli, const struct checkout_options *given)
{
	const size_t revs = cli->args_before_dashes, paths = cli->args.n - revs;

	if (revs > 1)
		return output_usage(cli,
			"checkout takes one REV, and paths behind '--': '%s' is neither",
			cli->args.items[1]);
	if (!revs && paths && !given->to)
		return output_usage(cli,
			"'store restore PATH' takes what is staged, 'store checkout HEAD -- PATH' what is committed");
	if (!revs && !paths && !given->to && !given->branch)
		return output_usage(cli, "name a revision, or a new branch with -b");
	if (given->branch && (paths || given->to))
		return output_usage(cli, "-b goes with neither --to nor paths");
	if (given->preserve && *given->preserve && strcmp(given->preserve, "all") != 0)
		return output_usage(cli, "--preserve takes 'all' or nothing, not '%s'",
			given->preserve);
	return 0;
}

/* A word that is no revision: was a path meant, as git lets one? */
static bool is_staged(struct cli *cli, const char *word)
{
	struct store_target target = { 0 };
	struct line name = { 0 };
	char *path = NULL;
	bool found;

	if (store_operand(cli->repo, word, &path, NULL) != 0)
		return false;
	line_format(&name, ":%s", path);
	found = store_resolve(cli->repo, name.data, 0, &target, NULL) == 0;
	store_target_clear(&target);
	line_release(&name);
	free(path);
	return found;
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
		rc = checkout_run(cli, &o, "store/checkout/1");
		if (rc == STORE_ENOTFOUND && o.rev && is_staged(cli, o.rev))
			cli_fail(cli, rc, 0,
				"'%.200s' is a path and no revision; 'store restore PATH' takes what is staged",
				o.rev);
	}
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_checkout = { "checkout", "[OPTION...] [REV] [-- PATH...]",
	"bring files or a revision back", TAKES_REPO | TAKES_CONFIG | TAKES_JSON,
	sizeof(struct checkout_options), table, run };
