/*
 * store check-ignore: which paths are ignored, and by which rule.
 *
 * A path that cannot be told about gets its line on standard error, and the next one its turn. With
 * --stdin each answer is written before the next path is read, so that another program can ask one
 * by one.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include <stdlib.h>
#include <string.h>

struct check_ignore_options {
	int verbose, from_stdin, non_matching;
	unsigned int flags;
};

#define FIELD(name) offsetof(struct check_ignore_options, name)

static const struct option_spec table[] = {
	{ 'v', "verbose", OPTION_FLAG, FIELD(verbose), 1, NULL,
		"print the rule that decides, too, negated ones included" },
	{ 'n', "non-matching", OPTION_FLAG, FIELD(non_matching), 1, NULL,
		"with -v: paths that no rule matches, too" },
	{ 0, "no-index", OPTION_BIT, FIELD(flags), STORE_IGNORE_TRACKED, NULL,
		"ask the rules about tracked paths, too" },
	{ 0, "stdin", OPTION_FLAG, FIELD(from_stdin), 1, NULL,
		"read the PATHs from standard input, a line each; -z: NUL" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

struct check_ignore {
	struct cli *cli;
	const struct check_ignore_options *given;
	struct store_ignore *rules;
	bool found, failed;
};

static void add_json(struct line *t, const char *path, const struct store_ignore_result *r)
{
	json_begin(t, "store/check-ignore/1");
	json_bytes(t, "path", path);
	json_bool(t, "ignored", r->ignored);
	json_bool(t, "tracked", r->tracked);
	json_bytes(t, "source", r->source);
	if (r->source)
		json_number(t, "line", r->line);
	else
		json_string(t, "line", NULL);
	json_bytes(t, "pattern", r->pattern);
	json_bool(t, "negated", r->negated);
	json_end(t);
}

/* SOURCE:LINE:PATTERN and a tab, or under -z each ended by NUL. */
static void add_rule(struct line *t, const struct cli *cli, const struct store_ignore_result *r)
{
	const char *source = r->source ? r->source : "", *pattern = r->pattern ? r->pattern : "";
	const char end = '\0';

	if (cli->global.nul) {
		line_string(t, source);
		line_add(t, &end, 1);
		if (r->source)
			line_format(t, "%llu", (unsigned long long)r->line);
		line_add(t, &end, 1);
		line_string(t, pattern);
		line_add(t, &end, 1);
		return;
	}
	if (!r->source) {
		line_string(t, "::\t");
		return;
	}
	if (*source == '/' || r->line == 0)
		line_quoted(t, source, false);
	else
		output_path(t, cli, source);
	line_format(t, ":%llu:", (unsigned long long)r->line);
	line_harmless(t, pattern, strlen(pattern));
	line_string(t, "\t");
}

static void print(const struct check_ignore *c, const char *typed, const char *path,
	const struct store_ignore_result *r)
{
	const struct globals *g = &c->cli->global;
	const bool is_wanted = c->given->verbose ? r->source || c->given->non_matching : r->ignored;
	struct line t = { 0 };

	if (g->quiet || (!g->json && !is_wanted))
		return;
	if (g->json) {
		add_json(&t, path, r);
	} else {
		if (c->given->verbose)
			add_rule(&t, c->cli, r);
		if (g->nul)
			line_string(&t, typed);
		else
			line_quoted(&t, typed, false);
	}
	output_text(&t);
	if (!g->json)
		output_line_end(c->cli);
	line_release(&t);
}

/* 0, or STORE_E* when going on makes no sense. */
static int check(struct check_ignore *c, const char *typed)
{
	struct cli *cli = c->cli;
	const size_t n = strlen(typed);
	struct store_ignore_result r = { 0 };
	char *path = NULL;
	int rc = store_operand(cli->repo, typed, &path, &cli->err);

	if (rc == 0)
		rc = store_ignore_check(c->rules, path, n > 0 && typed[n - 1] == '/', &r,
			&cli->err);
	if (rc == 0) {
		c->found = c->found || r.ignored;
		print(c, typed, path, &r);
	}
	free(path);
	if (rc == 0 || rc == STORE_ENOMEM || rc == STORE_ECORRUPT)
		return rc;
	output_error(cli, rc, cli->err.sys, cli->err.msg);
	c->failed = true;
	return 0;
}

static int check_stdin(struct check_ignore *c)
{
	char *line = NULL;
	size_t cap = 0;
	int rc;

	while ((rc = cli_read_path(c->cli, &line, &cap)) > 0) {
		rc = check(c, line);
		output_flush();
		if (rc == 0 && cli_must_stop())
			rc = STORE_ECANCELED;
		if (rc != 0)
			break;
	}
	free(line);
	return rc;
}

static int check_usage(const struct cli *cli, const struct check_ignore_options *given)
{
	if (cli->args.n && given->from_stdin)
		return output_usage(cli, "give the PATHs as operands or with --stdin, not both");
	if (!cli->args.n && !given->from_stdin)
		return output_usage(cli, "no PATH is given");
	if (cli->global.quiet && given->verbose)
		return output_usage(cli, "-q prints nothing and goes with no -v");
	if (given->non_matching && !given->verbose)
		return output_usage(cli, "-n goes with -v");
	return cli_check_names(cli, "PATH", 0, cli->args.n);
}

static int run(struct cli *cli, const void *data)
{
	struct check_ignore c = { .cli = cli, .given = data };
	const struct store_ignore_options o = { .flags = c.given->flags };
	int rc = check_usage(cli, c.given);

	if (rc == 0)
		rc = cli_open(cli, false);
	if (rc == 0)
		rc = store_ignore_open(cli->repo, &o, &c.rules, &cli->err);
	if (rc == 0 && c.given->from_stdin)
		rc = check_stdin(&c);
	for (size_t i = 0; rc == 0 && i < cli->args.n && !cli_must_stop(); i++)
		rc = check(&c, cli->args.items[i]);
	store_ignore_free(c.rules);
	if (rc != 0)
		return rc;
	return c.failed ? CLI_FAILED : c.found ? 0 : CLI_NO;
}

const struct command cmd_check_ignore = { "check-ignore", "[OPTION...] PATH...",
	"which paths are ignored, and by which rule",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL, sizeof(struct check_ignore_options),
	table, run };
