/* store info: where the repository is, what it holds, what that costs. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include <string.h>

static void add_json(struct line *t, const struct cli *cli, const struct store_info *i)
{
	json_begin(t, "store/info/1");
	json_bytes(t, "work_tree", store_work_tree(cli->repo));
	json_bytes(t, "path", store_dir(cli->repo));
	json_number(t, "format", i->format);
	json_number(t, "chunk_average", i->chunk_average);
	json_string(t, "parameters", i->parameters);
	json_string(t, "branch", i->branch[0] ? i->branch : NULL);
	if (i->has_head) {
		json_id(t, "commit", &i->head.commit);
		json_id(t, "layer", &i->head.layer);
		json_number(t, "generation", i->head.generation);
		json_node(t, "root", &i->head.root);
	} else {
		json_null(t, "commit");
		json_null(t, "layer");
		json_null(t, "generation");
		json_null(t, "root");
	}
	json_number(t, "first_parent_commits", i->first_parent_commits);
	json_number(t, "objects", i->objects);
	json_number(t, "packs", i->packs);
	json_number(t, "pack_bytes", i->pack_bytes);
	json_number(t, "garbage_packs", i->garbage_packs);
	json_number(t, "garbage_bytes", i->garbage_bytes);
	json_number(t, "db_bytes", i->db_bytes);
	json_end(t);
}

static void add_size(struct line *t, const char *name, uint64_t bytes)
{
	line_format(t, "%-16s%llu (", name, (unsigned long long)bytes);
	line_size(t, bytes);
	line_string(t, ")\n");
}

static void add_head(struct line *t, const struct store_info *i)
{
	line_string(t, "commit:         ");
	line_id(t, &i->head.commit);
	line_string(t, "\nroot:           ");
	line_node(t, &i->head.root);
	line_format(t, "\ncommits:        %llu (along first parents)\n",
		(unsigned long long)i->first_parent_commits);
	line_format(t, "files:          %llu\n", (unsigned long long)i->head.root.files);
	add_size(t, "logical bytes:", i->head.root.size);
}

static void add_words(struct line *t, const struct cli *cli, const struct store_info *i)
{
	line_string(t, "path:           ");
	line_quoted(t, store_dir(cli->repo), false);
	line_format(t, "\nformat:         %u\n", i->format);
	line_format(t, "chunk average:  %u\n", i->chunk_average);
	line_string(t, "branch:         ");
	line_harmless(t, i->branch[0] ? i->branch : "(detached)",
		strlen(i->branch[0] ? i->branch : "(detached)"));
	line_string(t, "\n");
	if (i->has_head)
		add_head(t, i);
	else
		line_string(t, "commit:         (none yet)\n");
	line_format(t, "objects:        %llu\n", (unsigned long long)i->objects);
	line_format(t, "packs:          %llu\n", (unsigned long long)i->packs);
	add_size(t, "stored bytes:", i->pack_bytes);
	if (i->has_head && i->pack_bytes)
		line_format(t, "ratio:          %.2f\n",
			(double)i->head.root.size / (double)i->pack_bytes);
	add_size(t, "garbage:", i->garbage_bytes);
	add_size(t, "db bytes:", i->db_bytes);
}

static int run(struct cli *cli, const void *data)
{
	struct line t = { 0 };
	struct store_info info = { 0 };
	int rc;

	(void)data;
	if (cli->args.n)
		return output_usage(cli, "info takes no operand like '%s'", cli->args.items[0]);
	rc = cli_open(cli, false);
	if (rc == 0)
		rc = store_info(cli->repo, &info, &cli->err);
	if (rc != 0)
		return rc;
	if (cli->global.json)
		add_json(&t, cli, &info);
	else
		add_words(&t, cli, &info);
	output_text(&t);
	line_release(&t);
	return 0;
}

const struct command cmd_info = { "info", "", "tell about the repository",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON, 0, NULL, run };
