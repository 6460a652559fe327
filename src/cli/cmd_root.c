/*
 * store root: the Merkle root of a revision's tree, with the kind, height and size that make the id
 * mean something.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"

static int run(struct cli *cli, const void *data)
{
	struct line t = { 0 };
	struct store_root root;
	int rc;

	(void)data;
	if (cli->args.n > 1)
		return output_usage(cli, "root takes one REV, not '%s' as well",
			cli->args.items[1]);
	rc = cli_open(cli, false);
	if (rc == 0)
		rc = store_root(cli->repo, cli->args.n ? cli->args.items[0] : "HEAD", &root,
			&cli->err);
	if (rc != 0)
		return rc;
	if (cli->global.json) {
		json_begin(&t, "store/root/1");
		json_id(&t, "commit", &root.commit);
		json_id(&t, "layer", &root.layer);
		json_number(&t, "generation", root.generation);
		json_node(&t, "root", &root.root);
		json_end(&t);
	} else {
		line_node(&t, &root.root);
		line_string(&t, "\n");
	}
	output_text(&t);
	line_release(&t);
	return 0;
}

const struct command cmd_root = { "root", "[REV]", "print the Merkle root of a revision",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON, 0, NULL, run };
