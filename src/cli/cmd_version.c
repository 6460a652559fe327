/* store version. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"

static int run(struct cli *cli, const void *data)
{
	struct line t = { 0 };

	(void)data;
	if (cli->args.n && cli->command)
		return output_usage(cli, "version takes no operand like '%s'", cli->args.items[0]);
	if (cli->global.json) {
		json_begin(&t, "store/version/1");
		json_string(&t, "version", store_version());
		json_end(&t);
	} else {
		line_format(&t, "store %s\n", store_version());
	}
	output_text(&t);
	line_release(&t);
	return 0;
}

const struct command cmd_version = { "version", "", "print the version", TAKES_JSON, 0, NULL, run };
