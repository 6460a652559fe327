/*
 * store fsck: read and check everything, in numbered phases; what is damaged is named on standard
 * output.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <string.h>

struct fsck_options {
	int rebuild;
};

static const struct option_spec table[] = {
	{ 0, "rebuild", OPTION_FLAG, offsetof(struct fsck_options, rebuild), 1, NULL,
		"first make db/ anew from the packs and refs.log" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static void report_json(const struct store_notice *n)
{
	struct line t = { 0 };

	json_begin(&t, "store/fsck-entry/1");
	json_string(&t, "kind", n->kind == STORE_NOTICE_CORRUPT ? "corrupt" : "phase");
	if (*n->path)
		json_bytes(&t, "path", n->path);
	else
		json_null(&t, "path");
	json_string(&t, "text", n->text);
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

/*
 * Findings and phases are what the command was asked for: they are data, and are flushed, because
 * the rest may take hours.
 */
static bool on_notice(struct progress *p, const struct store_notice *n)
{
	struct line t = { 0 };

	if (n->kind != STORE_NOTICE_CORRUPT && n->kind != STORE_NOTICE_PHASE)
		return false;
	if (n->kind == STORE_NOTICE_PHASE && p->cli->global.quiet)
		return true;
	/* The line of a phase that is through is kept. */
	if (n->kind == STORE_NOTICE_PHASE)
		progress_end(p);
	else
		progress_hide();
	if (p->cli->global.json) {
		report_json(n);
	} else {
		line_string(&t, n->kind == STORE_NOTICE_CORRUPT ? "damaged: " : "");
		line_harmless(&t, n->text, strlen(n->text));
		if (*n->path) {
			line_string(&t, ": ");
			line_quoted(&t, n->path, false);
		}
		line_string(&t, "\n");
		output_text(&t);
	}
	output_flush();
	line_release(&t);
	return true;
}

static void print_result(const struct cli *cli, const struct store_fsck_result *r)
{
	struct line t = { 0 };

	if (cli->global.json) {
		json_begin(&t, "store/fsck/1");
		json_number(&t, "packs", r->packs);
		json_number(&t, "blocks", r->blocks);
		json_number(&t, "objects", r->objects);
		json_number(&t, "bytes", r->bytes);
		json_number(&t, "commits", r->commits);
		json_number(&t, "trees", r->trees);
		json_number(&t, "files", r->files);
		json_number(&t, "damaged", r->damaged);
		json_end(&t);
	} else {
		line_count(&t, r->packs, "pack", "packs");
		line_string(&t, ", ");
		line_count(&t, r->blocks, "block", "blocks");
		line_string(&t, ", ");
		line_count(&t, r->objects, "object", "objects");
		line_string(&t, ", ");
		line_size(&t, r->bytes);
		line_string(&t, "; ");
		line_count(&t, r->commits, "commit", "commits");
		line_string(&t, ", ");
		line_count(&t, r->trees, "directory", "directories");
		line_string(&t, ", ");
		line_count(&t, r->files, "file", "files");
		line_format(&t, r->damaged ? "; %llu damaged\n" : "; all is well\n",
			(unsigned long long)r->damaged);
	}
	output_text(&t);
	line_release(&t);
}

static int run(struct cli *cli, const void *data)
{
	const struct fsck_options *given = data;
	struct store_fsck_options o = { .rebuild = given->rebuild };
	struct store_fsck_result result = { 0 };
	struct progress p = { .notice = on_notice };
	int rc;

	if (cli->args.n)
		return output_usage(cli, "fsck takes no operand like '%s'", cli->args.items[0]);
	rc = given->rebuild ? cli_open_for_rebuild(cli) : cli_open(cli, false);
	if (rc != 0)
		return rc;
	progress_begin(&p, cli, &o.callbacks);
	rc = store_fsck(cli->repo, &o, &result, &cli->err);
	progress_end(&p);
	cli->stats = result.stats;
	if (rc == 0 || result.damaged)
		print_result(cli, &result);
	return rc;
}

const struct command cmd_fsck = { "fsck", "[OPTION...]", "read and check everything",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON, sizeof(struct fsck_options), table, run };
