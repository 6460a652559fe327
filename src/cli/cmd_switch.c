/*
 * store switch: onto another branch, with the files it names.  It takes branches only, so that a
 * name typed wrongly never detaches HEAD; --detach says that this is meant.
 */
#include "cli/checkout.h"
#include "cli/output.h"
#include <string.h>

struct switch_options {
	const char *create, *reset;
	unsigned int flags;
};

#define FIELD(name) offsetof(struct switch_options, name)

static const struct option_spec table[] = {
	{ 'c', "create", OPTION_STRING, FIELD(create), 0, "NAME",
		"make the branch NAME at REV and go onto it" },
	{ 'C', "force-create", OPTION_STRING, FIELD(reset), 0, "NAME",
		"the same; a branch of that name is moved to REV" },
	{ 'd', "detach", OPTION_BIT, FIELD(flags), STORE_CHECKOUT_DETACH, NULL,
		"let HEAD name the commit REV, on no branch" },
	{ 'f', "force", OPTION_BIT, FIELD(flags), STORE_CHECKOUT_FORCE, NULL,
		"overwrite what is in the way; untracked files stay" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static int check_usage(const struct cli *cli, const struct switch_options *given)
{
	const bool detach = given->flags & STORE_CHECKOUT_DETACH;

	if (cli->args.n > 1)
		return output_usage(cli, "switch takes one %s, not '%s' as well",
			given->create || given->reset || detach ? "REV" : "branch",
			cli->args.items[1]);
	if (given->create && given->reset)
		return output_usage(cli, "-c and -C do not go together");
	if (detach && (given->create || given->reset))
		return output_usage(cli, "--detach goes with neither -c nor -C");
	if (!cli->args.n && !given->create && !given->reset && !detach)
		return output_usage(cli, "name a branch, or a new one with -c");
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct switch_options *given = data;
	struct store_checkout_options o = { .flags = given->flags };
	int rc = check_usage(cli, given);

	if (rc == 0)
		rc = cli_open(cli, true);
	if (rc != 0)
		return rc;
	o.rev = cli->args.n ? cli->args.items[0] : NULL;
	if (o.rev && strcmp(o.rev, "-") == 0)
		o.rev = "@{-1}";
	o.new_branch = given->reset ? given->reset : given->create;
	if (given->reset)
		o.flags |= STORE_CHECKOUT_RESET_BRANCH;
	if (!(o.flags & STORE_CHECKOUT_DETACH))
		o.flags |= STORE_CHECKOUT_BRANCH_ONLY;
	return checkout_run(cli, &o, "store/switch/1");
}

const struct command cmd_switch = { "switch", "[OPTION...] [BRANCH | REV | -]",
	"go onto another branch", TAKES_REPO | TAKES_CONFIG | TAKES_JSON,
	sizeof(struct switch_options), table, run };
