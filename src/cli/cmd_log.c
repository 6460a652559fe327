/* store log: the commits that a revision goes back to, the newest first. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/pager.h"
#include <string.h>

struct log_options {
	uint64_t count;
	int oneline;
};

static const struct option_spec table[] = {
	{ 0, "oneline", OPTION_FLAG, offsetof(struct log_options, oneline), 1, NULL,
		"one line each: id and subject" },
	{ 'n', "max-count", OPTION_NUMBER, offsetof(struct log_options, count), INT32_MAX, "N",
		"at most N commits; -5 is -n 5" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static void add_subject(struct line *t, const char *message)
{
	message += strspn(message, "\n");
	line_harmless(t, message, strcspn(message, "\n"));
}

static void add_json(struct line *t, const struct store_log_entry *e)
{
	json_begin(t, "store/log/1");
	json_id(t, "commit", &e->id);
	json_open(t, "parents", '[');
	for (size_t i = 0; i < e->parent_count; i++)
		json_id(t, NULL, &e->parents[i]);
	json_close(t, ']');
	json_id(t, "layer", &e->layer);
	json_number(t, "generation", e->generation);
	json_node(t, "root", &e->root);
	json_bytes(t, "author", e->author);
	json_time(t, "author_time", e->author_time, e->author_zone);
	json_bytes(t, "committer", e->committer);
	json_time(t, "commit_time", e->commit_time, e->commit_zone);
	json_number(t, "added", e->added);
	json_number(t, "modified", e->modified);
	json_number(t, "deleted", e->deleted);
	json_bytes(t, "message", e->message);
	json_end(t);
}

static void add_oneline(struct line *t, const struct store_log_entry *e)
{
	line_string(t, output_color(COLOR_ID));
	line_short_id(t, &e->id);
	line_string(t, output_color(COLOR_OFF));
	line_string(t, " ");
	add_subject(t, e->message);
}

/* The message, four blanks before each line that is not empty. */
static void add_message(struct line *t, const char *message)
{
	while (*message) {
		size_t len = strcspn(message, "\n");

		line_string(t, len ? "\n    " : "\n");
		line_harmless(t, message, len);
		message += len + (message[len] == '\n');
	}
}

static void add_long(struct line *t, const struct store_log_entry *e, bool verbose)
{
	line_string(t, output_color(COLOR_ID));
	line_string(t, "commit ");
	line_id(t, &e->id);
	line_string(t, output_color(COLOR_OFF));
	if (e->parent_count > 1)
		line_string(t, "\nMerge: ");
	for (size_t i = 0; e->parent_count > 1 && i < e->parent_count; i++) {
		line_string(t, i ? " " : "");
		line_short_id(t, &e->parents[i]);
	}
	line_string(t, "\nAuthor: ");
	line_harmless(t, e->author, strlen(e->author));
	line_string(t, "\nDate:   ");
	line_date(t, e->author_time, e->author_zone);
	line_string(t, "\nRoot:   ");
	line_node(t, &e->root);
	if (verbose) {
		line_string(t, "\nLayer:  ");
		line_id(t, &e->layer);
		line_format(t, " generation %llu", (unsigned long long)e->generation);
		line_string(t, "\nCommit: ");
		line_harmless(t, e->committer, strlen(e->committer));
		line_string(t, ", ");
		line_date(t, e->commit_time, e->commit_zone);
		line_format(t, "\nFiles:  %llu added, %llu modified, %llu deleted",
			(unsigned long long)e->added, (unsigned long long)e->modified,
			(unsigned long long)e->deleted);
	}
	line_string(t, "\n");
	add_message(t, e->message);
}

static void print_entry(const struct cli *cli, const struct log_options *given,
	const struct store_log_entry *e, bool first)
{
	struct line t = { 0 };

	if (cli->global.json) {
		add_json(&t, e);
		output_text(&t);
	} else if (given->oneline) {
		add_oneline(&t, e);
		output_text(&t);
		output_line_end(cli);
	} else {
		line_string(&t, first || cli->global.nul ? "" : "\n");
		add_long(&t, e, cli->global.verbose);
		output_text(&t);
		output_line_end(cli);
	}
	line_release(&t);
}

static int run(struct cli *cli, const void *data)
{
	const struct log_options *given = data;
	struct store_log_iter *it = NULL;
	struct store_log_entry e;
	uint64_t n = 0;
	int rc;

	if (cli->args.n > 1)
		return output_usage(cli, "log takes one REV, not '%s' as well", cli->args.items[1]);
	if (cli->args.n > cli->args_before_dashes)
		return output_usage(cli, "log takes a REV, no paths like '%s'", cli->args.items[0]);
	rc = cli_open(cli, false);
	if (rc != 0)
		return rc;
	rc = store_log_open(cli->repo, cli->args.n ? cli->args.items[0] : NULL, &it, &cli->err);
	if (rc != 0)
		return rc;
	pager_start(cli);
	while (rc == 0 && (!given->count || n < given->count)) {
		rc = cli_must_stop() ? STORE_ECANCELED : store_log_next(it, &e, &cli->err);
		if (rc == 0)
			print_entry(cli, given, &e, n++ == 0);
	}
	store_log_free(it);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

const struct command cmd_log = { "log", "[OPTION...] [REV]", "list commits, the newest first",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL, sizeof(struct log_options), table,
	run };
