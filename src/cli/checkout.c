/* What checkout and switch share: the run itself, with progress, and what is told of it. */
#include "cli/checkout.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <string.h>

static void print_json(const char *schema, const struct store_checkout_result *r)
{
	static const struct store_id nothing;
	struct line t = { 0 };

	json_begin(&t, schema);
	if (memcmp(&r->commit, &nothing, sizeof(nothing)) != 0)
		json_id(&t, "commit", &r->commit);
	else
		json_null(&t, "commit");
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
	const bool is_new = o->new_branch && !(o->flags & STORE_CHECKOUT_RESET_BRANCH);
	struct line t = { 0 };

	if (o->to || o->n_paths) {
		line_string(&t, "from ");
		line_short_id(&t, &r->commit);
	} else if (r->branch[0]) {
		line_format(&t, "on %sbranch '%s'", is_new ? "the new " : "", r->branch);
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

int checkout_run(struct cli *cli, struct store_checkout_options *o, const char *schema)
{
	struct store_checkout_result result = { 0 };
	struct progress p = { 0 };
	int rc;

	progress_begin(&p, cli, &o->callbacks);
	rc = store_checkout(cli->repo, o, &result, &cli->err);
	progress_finish(&p, rc, "the same command finishes the work");
	cli->stats = result.stats;
	if (rc != 0)
		return rc;
	if (cli->global.json)
		print_json(schema, &result);
	else
		print_words(cli, o, &result);
	return 0;
}
