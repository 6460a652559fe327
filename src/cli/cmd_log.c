/* store log: the commits that a revision goes back to, the newest first. */
#include "cli/cli.h"
#include "cli/history.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/pager.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct log_options {
	uint64_t count, skip; /* 0: not given, else one more */
	const char *since, *until;
	struct strings authors, greps;
	unsigned int flags; /* STORE_LOG_* */
	struct history_form form;
};

#define FIELD(name) offsetof(struct log_options, name)

static const struct option_spec table[] = {
	HISTORY_OPTIONS(FIELD(form)),
	{ 'n', "max-count", OPTION_COUNT, FIELD(count), INT32_MAX, "N",
		"at most N commits; -5 is -n 5" },
	{ 0, "skip", OPTION_COUNT, FIELD(skip), INT32_MAX, "N", "leave out the first N" },
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

/* What one run of the list has at hand. */
struct list {
	struct cli *cli;
	const struct log_options *given;
	const struct strings *paths;
	struct difflist_style style;
	uint64_t count; /* of commits printed */
};

static int print_entry(struct list *l, const struct store_log_entry *e)
{
	struct cli *cli = l->cli;
	const bool oneline = l->given->form.oneline;
	struct line t = { 0 };

	if (cli->global.json) {
		json_begin(&t, "store/log/1");
		history_members(&t, e);
		json_end(&t);
	} else if (oneline) {
		history_oneline(&t, e);
	} else {
		line_string(&t, l->count == 0 || cli->global.nul ? "" : "\n");
		history_long(&t, e, cli->global.verbose);
	}
	l->count++;
	output_text(&t);
	line_release(&t);
	if (!cli->global.json)
		output_line_end(cli);
	return history_changes(cli, e, &l->style, (const char *const *)l->paths->items, l->paths->n,
		!oneline && !cli->global.nul);
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
		if (!words[k][0])
			return cli_fail(cli, STORE_EINVAL, 0,
				"'' is no revision: it names nothing");
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

static int print_list(struct list *l, const struct store_log_options *o)
{
	struct cli *cli = l->cli;
	struct store_log_iter *it = NULL;
	struct store_log_entry e;
	int rc = store_log_open(cli->repo, o, &it, &cli->err);

	if (rc != 0)
		return rc;
	pager_start(cli);
	while (rc == 0 && (!l->given->count || l->count + 1 < l->given->count)) {
		rc = cli_must_stop() ? STORE_ECANCELED : store_log_next(it, &e, &cli->err);
		if (rc == 0)
			rc = print_entry(l, &e);
	}
	store_log_free(it);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Nothing was printed, and a path looks as if it were meant for a pattern. */
static void explain_nothing(const struct list *l)
{
	for (size_t i = 0; i < l->paths->n; i++) {
		if (!strpbrk(l->paths->items[i], "*?["))
			continue;
		output_talk(l->cli,
			"no commit changed '%s'; paths are names, not patterns: the shell expands those",
			l->paths->items[i]);
		return;
	}
}

/* As cli_paths, but that a slash at the end stays: it asks for a directory. */
static int take_paths(struct cli *cli, size_t from, struct strings *out)
{
	const int rc = cli_paths(cli, from, cli->args.n, out);

	for (size_t i = 0; rc == 0 && i < out->n; i++) {
		const char *word = cli->args.items[from + i];
		const size_t n = strlen(out->items[i]);

		if (n == 0 || word[strlen(word) - 1] != '/')
			continue;
		out->items[i] = line_realloc(out->items[i], n + 2);
		memcpy(out->items[i] + n, "/", 2);
	}
	return rc;
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
		.skip = given->skip ? given->skip - 1 : 0,
		.count = given->count ? given->count - 1 : 0,
		.callbacks.progress = on_progress };
	struct strings paths = { 0 };
	struct list list = { .cli = cli, .given = given, .paths = &paths };
	size_t from = 0;
	int rc = history_style(cli, &given->form, &list.style);

	if (rc != 0)
		return rc;
	if ((given->flags & STORE_LOG_FIXED) && (given->flags & STORE_LOG_EXTENDED))
		return output_usage(cli, "-E and -F contradict each other");
	rc = cli_open(cli, false);
	if (rc == 0)
		rc = split_words(cli, &from);
	if (rc == 0)
		rc = take_paths(cli, from, &paths);
	o.revs = (const char *const *)cli->args.items;
	o.n_revs = from;
	o.paths = (const char *const *)paths.items;
	o.n_paths = paths.n;
	if (rc == 0)
		rc = print_list(&list, &o);
	if (rc == 0 && list.count == 0)
		explain_nothing(&list);
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_log = { "log", "[OPTION...] [REV...] [[--] PATH...]",
	"list commits, the newest first", TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL,
	sizeof(struct log_options), table, run };
