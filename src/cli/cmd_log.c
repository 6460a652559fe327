/* store log: the commits that a revision goes back to, the newest first. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/pager.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct log_options {
	uint64_t count, skip;
	const char *since, *until;
	struct strings authors, greps;
	unsigned int flags; /* STORE_LOG_* */
	int oneline;
};

#define FIELD(name) offsetof(struct log_options, name)

static const struct option_spec table[] = {
	{ 0, "oneline", OPTION_FLAG, FIELD(oneline), 1, NULL, "one line each: id and subject" },
	{ 'n', "max-count", OPTION_NUMBER, FIELD(count), INT32_MAX, "N",
		"at most N commits; -5 is -n 5" },
	{ 0, "skip", OPTION_NUMBER, FIELD(skip), INT32_MAX, "N", "leave out the first N" },
	{ 0, "since", OPTION_STRING, FIELD(since), 0, "DATE",
		"committed at DATE or later; --after is the same" },
	{ 0, "after", OPTION_STRING, FIELD(since), 0, "DATE", "--since" },
	{ 0, "until", OPTION_STRING, FIELD(until), 0, "DATE",
		"committed at DATE or before; --before is the same" },
	{ 0, "before", OPTION_STRING, FIELD(until), 0, "DATE", "--until" },
	{ 0, "author", OPTION_LIST, FIELD(authors), 0, "PATTERN",
		"whose author, as NAME <MAIL>, has PATTERN in it; a second one: or that" },
	{ 0, "grep", OPTION_LIST, FIELD(greps), 0, "PATTERN",
		"whose message has a line with PATTERN; a second one: or that" },
	{ 'i', "regexp-ignore-case", OPTION_BIT, FIELD(flags), STORE_LOG_IGNORE_CASE, NULL,
		"patterns fit letters of either case" },
	{ 'E', "extended-regexp", OPTION_BIT, FIELD(flags), STORE_LOG_EXTENDED, NULL,
		"patterns are extended regular expressions, not basic ones" },
	{ 'F', "fixed-strings", OPTION_BIT, FIELD(flags), STORE_LOG_FIXED, NULL,
		"patterns are plain text" },
	{ 0, "first-parent", OPTION_BIT, FIELD(flags), STORE_LOG_FIRST_PARENT, NULL,
		"of a merge go on to the first parent only" },
	{ 0, "reverse", OPTION_BIT, FIELD(flags), STORE_LOG_REVERSE, NULL,
		"list the oldest first; -n still chooses the newest" },
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

/* ---- operands */

static bool is_end(struct cli *cli, const char *rev)
{
	struct store_id id;

	return !*rev || store_rev_parse(cli->repo, rev, &id, &cli->err) == 0;
}

/* A revision, ^REV, A..B or A...B?  The reason why not stands in cli->err. */
static bool is_revision(struct cli *cli, const char *word)
{
	const char *dots = strstr(word, "..");
	char *first;
	bool yes;

	cli->err = (struct store_error){ 0 };
	if (!*word || strcmp(word, "..") == 0 || strcmp(word, "^") == 0)
		return false;
	if (*word == '^' || !dots)
		return is_end(cli, word + (*word == '^'));
	first = strndup(word, (size_t)(dots - word));
	yes = first && is_end(cli, first) && is_end(cli, dots + 2 + (dots[2] == '.'));
	free(first);
	return yes;
}

static bool is_on_disk(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static int refuse_word(struct cli *cli)
{
	const struct store_error why = cli->err;

	return cli_fail(cli, why.code, why.sys, "%.400s; a path that is gone stands behind '--'",
		why.msg);
}

/*
 * Without "--" the words up to the first that is no revision are revisions, the others paths that
 * are there; what could be both is refused.  *paths_from: the first path.
 */
static int split_words(struct cli *cli, size_t *paths_from)
{
	char *const *words = cli->args.items;
	size_t i = 0;

	*paths_from = cli->args_before_dashes;
	if (cli->has_dashes)
		return 0;
	for (; i < cli->args.n && is_revision(cli, words[i]); i++) {
		if (is_on_disk(words[i]))
			return cli_fail(cli, STORE_EAMBIGUOUS, 0,
				"'%s' is a revision and a file; '--' stands between revisions and paths",
				words[i]);
	}
	for (size_t k = i; k < cli->args.n; k++) {
		if (!is_on_disk(words[k]) && k == i && cli->err.msg[0])
			return refuse_word(cli);
		if (!is_on_disk(words[k]))
			return cli_fail(cli, STORE_ENOTFOUND, 0,
				"there is no file '%s'; a path that is gone stands behind '--'",
				words[k]);
	}
	*paths_from = i;
	return 0;
}

/* ---- the list */

static int on_progress(void *payload, const struct store_progress *p)
{
	(void)payload;
	(void)p;
	return cli_must_stop();
}

static int print_list(struct cli *cli, const struct log_options *given,
	const struct store_log_options *o)
{
	struct store_log_iter *it = NULL;
	struct store_log_entry e;
	uint64_t n = 0;
	int rc = store_log_open(cli->repo, o, &it, &cli->err);

	if (rc != 0)
		return rc;
	pager_start(cli);
	while (rc == 0) {
		rc = cli_must_stop() ? STORE_ECANCELED : store_log_next(it, &e, &cli->err);
		if (rc == 0)
			print_entry(cli, given, &e, n++ == 0);
	}
	store_log_free(it);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int run(struct cli *cli, const void *data)
{
	const struct log_options *given = data;
	struct store_log_options o = { .flags = given->flags,
		.since = given->since,
		.until = given->until,
		.authors = (const char *const *)given->authors.items,
		.n_authors = given->authors.n,
		.greps = (const char *const *)given->greps.items,
		.n_greps = given->greps.n,
		.skip = given->skip,
		.count = given->count,
		.callbacks.progress = on_progress };
	struct strings paths = { 0 };
	size_t from = 0;
	int rc;

	if ((given->flags & STORE_LOG_FIXED) && (given->flags & STORE_LOG_EXTENDED))
		return output_usage(cli, "-E and -F contradict each other");
	rc = cli_open(cli, false);
	if (rc == 0)
		rc = split_words(cli, &from);
	if (rc == 0)
		rc = cli_paths(cli, from, cli->args.n, &paths);
	o.revs = (const char *const *)cli->args.items;
	o.n_revs = from;
	o.paths = (const char *const *)paths.items;
	o.n_paths = paths.n;
	if (rc == 0)
		rc = print_list(cli, given, &o);
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_log = { "log", "[OPTION...] [REV...] [[--] PATH...]",
	"list commits, the newest first", TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL,
	sizeof(struct log_options), table, run };
