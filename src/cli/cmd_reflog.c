/* store reflog: what moved a ref, the newest first. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/pager.h"
#include <string.h>

struct reflog_options {
	uint64_t count; /* 0: not given, else one more */
	int dates;
};

static const struct option_spec table[] = {
	{ 'n', "max-count", OPTION_COUNT, offsetof(struct reflog_options, count), INT32_MAX, "N",
		"at most N entries; -5 is -n 5" },
	{ 0, "dates", OPTION_FLAG, offsetof(struct reflog_options, dates), 1, NULL,
		"name entries by their time, not by their number" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static void add_json(struct line *t, const char *ref, const struct store_reflog_entry *e)
{
	json_begin(t, "store/reflog/1");
	json_bytes(t, "ref", ref);
	json_number(t, "n", e->n);
	json_maybe_id(t, "id", e->has_new ? &e->new_id : NULL);
	json_maybe_id(t, "old", e->has_old ? &e->old_id : NULL);
	json_number(t, "publication", e->number);
	json_bytes(t, "who", e->who);
	json_time(t, "time", e->time, e->zone);
	json_bytes(t, "why", e->why);
	json_end(t);
}

static void add_words(struct line *t, const struct cli *cli, const struct reflog_options *given,
	const char *ref, const struct store_reflog_entry *e)
{
	line_string(t, output_color(COLOR_ID));
	if (e->has_new)
		line_short_id(t, &e->new_id);
	else
		line_string(t, "(deleted)   ");
	line_string(t, output_color(COLOR_OFF));
	line_string(t, " ");
	line_harmless(t, ref, strlen(ref));
	line_string(t, "@{");
	if (given->dates)
		line_date_rfc3339(t, e->time, e->zone);
	else
		line_format(t, "%llu", (unsigned long long)e->n);
	line_string(t, "}: ");
	line_harmless(t, e->why, strlen(e->why));
	if (cli->global.verbose) {
		line_string(t, " (");
		line_harmless(t, e->who, strlen(e->who));
		line_string(t, ", ");
		line_date(t, e->time, e->zone);
		line_string(t, ")");
	}
}

static void print_entry(const struct cli *cli, const struct reflog_options *given, const char *ref,
	const struct store_reflog_entry *e)
{
	struct line t = { 0 };

	if (cli->global.json)
		add_json(&t, ref, e);
	else
		add_words(&t, cli, given, ref, e);
	output_text(&t);
	if (!cli->global.json)
		output_line_end(cli);
	line_release(&t);
}

static int run(struct cli *cli, const void *data)
{
	const struct reflog_options *given = data;
	/* The word that git has for it; a branch of that name is refs/heads/show. */
	const size_t first = cli->args.n && strcmp(cli->args.items[0], "show") == 0;
	const char *ref = cli->args.n > first ? cli->args.items[first] : "HEAD";
	struct store_reflog_iter *it = NULL;
	struct store_reflog_entry e;
	uint64_t n = 0;
	int rc;

	if (cli->args.n > first + 1)
		return output_usage(cli, "reflog takes one REF, not '%s' as well",
			cli->args.items[first + 1]);
	rc = cli_open(cli, false);
	if (rc == 0)
		rc = store_reflog_open(cli->repo, ref, &it, &cli->err);
	if (rc != 0)
		return rc;
	pager_start(cli);
	while (rc == 0 && (!given->count || n + 1 < given->count)) {
		rc = cli_must_stop() ? STORE_ECANCELED : store_reflog_next(it, &e, &cli->err);
		if (rc == 0) {
			print_entry(cli, given, ref, &e);
			n++;
		}
	}
	store_reflog_free(it);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

const struct command cmd_reflog = { "reflog", "[OPTION...] [show] [REF]",
	"list what moved a branch, a tag or HEAD",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL, sizeof(struct reflog_options), table,
	run };
