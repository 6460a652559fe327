/* store init: make a repository.  A second time it changes nothing and says so. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"

struct init_options {
	const char *branch;
	const char *chunk_average;
};

static const struct option_spec table[] = {
	{ 'b', "initial-branch", OPTION_STRING, offsetof(struct init_options, branch), 0, "NAME",
		"name of the first branch" },
	{ 0, "chunk-average", OPTION_STRING, offsetof(struct init_options, chunk_average), 0,
		"SIZE", "average length of a chunk: a power of two, 256 to 2M" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static void print_result(const struct cli *cli, const struct store_init_result *result)
{
	struct line t = { 0 };

	if (cli->global.json) {
		json_begin(&t, "store/init/1");
		json_bytes(&t, "path", result->path);
		json_bool(&t, "existed", result->existed);
		json_bool(&t, "inside", result->inside);
		json_end(&t);
		output_text(&t);
	} else {
		line_quoted(&t, result->path, false);
		if (result->existed)
			output_talk(cli,
				"there is a repository in '%s' already; nothing was changed",
				t.data);
		else
			output_talk(cli, "made an empty repository in '%s'", t.data);
		if (result->inside)
			output_talk(cli,
				"it lies within the working tree of another repository, which will not enter it");
	}
	line_release(&t);
}

static int run(struct cli *cli, const void *data)
{
	const struct init_options *given = data;
	struct store_init_options o = { 0 };
	struct store_init_result result = { 0 };
	uint64_t average = 0;
	int rc;

	if (cli->args.n > 1)
		return output_usage(cli, "init takes one DIR, not '%s' as well",
			cli->args.items[1]);
	if (given->chunk_average &&
		(!line_to_number(given->chunk_average, true, 1U << 21, &average) || average < 256 ||
			(average & (average - 1))))
		return output_usage(cli,
			"--chunk-average is a power of two from 256 to 2M, not '%s'",
			given->chunk_average);
	rc = cli_check_names(cli, "DIR", 0, cli->args.n);
	if (rc != 0)
		return rc;
	o.branch = given->branch;
	o.chunk_average = (uint32_t)average;
	o.config = (const char *const *)cli->global.config.items;
	rc = store_init(cli->args.n ? cli->args.items[0] : ".", &o, &result, &cli->err);
	if (rc == 0)
		print_result(cli, &result);
	return rc;
}

const struct command cmd_init = { "init", "[OPTION...] [DIR]", "make a repository",
	TAKES_CONFIG | TAKES_JSON, sizeof(struct init_options), table, run };
