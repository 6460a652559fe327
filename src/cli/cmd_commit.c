/* store commit: keep what is staged as a commit of the branch that HEAD is on. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <string.h>

struct commit_options {
	struct strings messages;
	const char *author, *date;
	int dry_run, allow_empty;
};

#define FIELD(name) offsetof(struct commit_options, name)

static const struct option_spec table[] = {
	{ 'm', "message", OPTION_LIST, FIELD(messages), 0, "TEXT",
		"the message; a second -m is a second paragraph" },
	{ 'n', "dry-run", OPTION_FLAG, FIELD(dry_run), 1, NULL,
		"print the root that would result, write nothing" },
	{ 0, "allow-empty", OPTION_FLAG, FIELD(allow_empty), 1, NULL,
		"make a commit that changes nothing, too" },
	{ 0, "author", OPTION_STRING, FIELD(author), 0, "NAME <MAIL>", "who wrote it" },
	{ 0, "date", OPTION_STRING, FIELD(date), 0, "DATE",
		"when it was written: RFC 3339, or as git has it" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* Paragraphs become one message: LF at the end of each, an empty line between them. */
static void join(struct line *t, const struct strings *paragraphs)
{
	for (size_t i = 0; i < paragraphs->n; i++) {
		const char *s = paragraphs->items[i];
		size_t len = strlen(s);

		while (len && strchr(" \t\r\n", s[len - 1]))
			len--;
		while (len && *s == '\n') {
			s++;
			len--;
		}
		if (!len)
			continue;
		line_string(t, t->len ? "\n" : "");
		line_add(t, s, len);
		line_string(t, "\n");
	}
}

static void print_json(const struct store_commit_result *r, bool dry_run)
{
	struct line t = { 0 };

	json_begin(&t, "store/commit/1");
	json_bool(&t, "dry_run", dry_run);
	if (dry_run)
		json_null(&t, "commit");
	else
		json_id(&t, "commit", &r->id);
	json_string(&t, "branch", r->branch[0] && !dry_run ? r->branch : NULL);
	json_node(&t, "root", &r->root);
	if (r->is_counted) {
		json_number(&t, "generation", r->generation);
		json_number(&t, "added", r->added);
		json_number(&t, "modified", r->modified);
		json_number(&t, "deleted", r->deleted);
	} else {
		json_null(&t, "generation");
		json_null(&t, "added");
		json_null(&t, "modified");
		json_null(&t, "deleted");
	}
	json_number(&t, "new_bytes", r->stats.new_bytes);
	json_number(&t, "stored_bytes", r->stats.stored_bytes);
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

static void print_words(const struct store_commit_result *r, const char *message)
{
	struct line t = { 0 };

	if (message) {
		line_string(&t, "[");
		line_harmless(&t, r->branch[0] ? r->branch : "detached",
			strlen(r->branch[0] ? r->branch : "detached"));
		line_string(&t, " ");
		line_short_id(&t, &r->id);
		line_string(&t, "] ");
		line_harmless(&t, message, strcspn(message, "\n"));
		line_string(&t, "\n");
	}
	line_string(&t, "root ");
	line_node(&t, &r->root);
	line_string(&t, "\n");
	if (r->is_counted)
		line_format(&t, "%llu added, %llu modified, %llu deleted; ",
			(unsigned long long)r->added, (unsigned long long)r->modified,
			(unsigned long long)r->deleted);
	line_count(&t, r->root.files, "file", "files");
	line_string(&t, ", ");
	line_size(&t, r->root.size);
	line_string(&t, " in all, ");
	line_size(&t, r->stats.new_bytes);
	line_string(&t, " new\n");
	output_text(&t);
	line_release(&t);
}

static int make(struct cli *cli, struct store_commit_options *o)
{
	struct store_commit_result result = { 0 };
	struct progress p = { 0 };
	int rc = cli_open(cli, !o->dry_run);

	if (rc != 0)
		return rc;
	progress_begin(&p, cli, &o->callbacks);
	rc = store_commit(cli->repo, o, &result, &cli->err);
	progress_end(&p);
	cli->stats = result.stats;
	if (rc == STORE_EEMPTY) {
		output_error(cli, rc, 0,
			"nothing to commit: nothing is staged; 'store add PATH' stages, "
			"'store status' tells what there is");
		return CLI_NO;
	}
	if (rc != 0)
		return rc;
	if (cli->global.json)
		print_json(&result, o->dry_run);
	else if (o->dry_run || !cli->global.quiet)
		print_words(&result, o->dry_run ? NULL : o->message);
	if (result.identity_guessed && !o->dry_run)
		output_talk(cli,
			"the author was guessed from the login; set user.name and user.email in the configuration");
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct commit_options *given = data;
	struct store_commit_options o = { 0 };
	struct line message = { 0 };
	int rc;

	if (cli->args.n) {
		rc = output_usage(cli, "commit takes no operand like '%s': it takes what is staged",
			cli->args.items[0]);
	} else if ((given->author && !*given->author) || (given->date && !*given->date)) {
		rc = output_usage(cli, "%s is empty",
			given->author && !*given->author ? "--author" : "--date");
	} else if (!given->messages.n && !given->dry_run) {
		rc = output_usage(cli, "no message is given; use -m TEXT");
	} else {
		join(&message, &given->messages);
		o.message = message.data ? message.data : "";
		o.author = given->author;
		o.date = given->date;
		o.allow_empty = given->allow_empty;
		o.dry_run = given->dry_run;
		if (message.len || o.dry_run)
			rc = make(cli, &o);
		else
			rc = output_usage(cli, "the message is empty");
	}
	line_release(&message);
	return rc;
}

const struct command cmd_commit = { "commit", "[OPTION...]", "keep what is staged as a commit",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON, sizeof(struct commit_options), table, run };
