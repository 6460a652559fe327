/*
 * store commit: keep what is staged as a commit of the branch that HEAD is on, or put it in the
 * place of the last one (--amend). The message comes from -m or -F, or is written in the editor,
 * above a list of what is staged that is taken out again.
 */
#include "cli/cli.h"
#include "cli/editor.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <stdlib.h>
#include <string.h>

struct commit_options {
	struct strings messages;
	const char *file, *author, *date;
	int dry_run, allow_empty, all, amend, reset_author;
	int edit; /* EDIT_* */
};

enum { EDIT_WHERE_NEEDED, EDIT_ALWAYS, EDIT_NEVER };

#define FIELD(name) offsetof(struct commit_options, name)

static const struct option_spec table[] = {
	{ 'a', "all", OPTION_FLAG, FIELD(all), 1, NULL,
		"stage what was changed or deleted of tracked paths first" },
	{ 'm', "message", OPTION_LIST, FIELD(messages), 0, "TEXT",
		"the message; a second -m is a second paragraph" },
	{ 'F', "file", OPTION_STRING, FIELD(file), 0, "FILE",
		"the message is the text of FILE; - is standard input" },
	{ 'e', "edit", OPTION_FLAG, FIELD(edit), EDIT_ALWAYS, NULL,
		"open the editor on the message that is given" },
	{ 0, "no-edit", OPTION_FLAG, FIELD(edit), EDIT_NEVER, NULL,
		"with --amend: keep the message as it is" },
	{ 0, "amend", OPTION_FLAG, FIELD(amend), 1, NULL,
		"put the commit in the place of the last one" },
	{ 0, "reset-author", OPTION_FLAG, FIELD(reset_author), 1, NULL,
		"with --amend: author and date are those of now" },
	{ 'n', "dry-run", OPTION_FLAG, FIELD(dry_run), 1, NULL,
		"print the root that would result, write nothing" },
	{ 0, "allow-empty", OPTION_FLAG, FIELD(allow_empty), 1, NULL,
		"make a commit that changes nothing, too" },
	{ 0, "author", OPTION_STRING, FIELD(author), 0, "NAME <MAIL>", "who wrote it" },
	{ 0, "date", OPTION_STRING, FIELD(date), 0, "DATE",
		"when it was written: RFC 3339, or as git has it" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* A run of the command. */
struct commit {
	struct cli *cli;
	const struct commit_options *given;
	struct store_commit_options options;
	struct store_id head;    /* amend: the commit to be replaced */
	struct line old_message; /* amend: its message */
	struct line editor;      /* the command, where the message is to be edited */
	struct line file;        /* path of what was edited */
	struct line message;
	uint64_t skipped; /* -a: paths that could not be read */
};

/* ---- what is printed */

static void print_json(const struct store_commit_result *r, bool dry_run)
{
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = { { "generation", r->generation }, { "added", r->added },
		{ "modified", r->modified }, { "deleted", r->deleted } };
	struct line t = { 0 };

	json_begin(&t, "store/commit/1");
	json_bool(&t, "dry_run", dry_run);
	if (dry_run)
		json_null(&t, "commit");
	else
		json_id(&t, "commit", &r->id);
	json_string(&t, "branch", r->branch[0] ? r->branch : NULL);
	json_node(&t, "root", &r->root);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		if (r->is_counted)
			json_number(&t, counts[i].name, counts[i].value);
		else
			json_null(&t, counts[i].name);
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

/* ---- the steps */

static int refuse_empty(struct commit *c)
{
	output_error(c->cli, STORE_EEMPTY, 0,
		c->given->amend
			? "nothing would be left of the last commit; --allow-empty keeps it as an empty one"
			: "nothing to commit: nothing is staged; 'store add PATH' stages, "
			  "'store status' tells what there is");
	return CLI_NO;
}

static int find_amended(struct commit *c)
{
	struct cli *cli = c->cli;
	const struct store_log_options one = { .count = 1 };
	struct store_log_iter *it = NULL;
	struct store_log_entry e;
	int rc = store_log_open(cli->repo, &one, &it, &cli->err);

	if (rc == STORE_ENOTFOUND)
		return cli_fail(cli, rc, 0, "there is no commit to amend yet");
	if (rc == 0)
		rc = store_log_next(it, &e, &cli->err);
	if (rc == 0) {
		c->head = e.id;
		c->options.amend = &c->head;
		line_string(&c->old_message, e.message);
	}
	store_log_free(it);
	return rc;
}

/* -a */
static int stage(struct commit *c)
{
	static const char *const all[] = { "" };
	struct store_add_options o = { .flags = STORE_ADD_UPDATE };
	struct store_add_result result = { 0 };
	struct progress p = { 0 };
	int rc;

	progress_begin(&p, c->cli, &o.callbacks);
	rc = store_add(c->cli->repo, all, 1, &o, &result, &c->cli->err);
	progress_finish(&p, rc, "nothing was committed");
	c->skipped = result.skipped;
	return rc;
}

/* What the editor shows below the message. */
struct notes {
	struct cli *cli;
	struct line *text;
	uint64_t staged, others;
};

enum { NOTES_MAX = 100 }; /* staged paths that are listed */

static int note_entry(void *payload, const struct store_status_entry *e)
{
	static const char letters[] = "ADMT";
	static const char *const names[] = { "new", "deleted", "modified", "new kind" };
	struct notes *n = ((struct progress *)payload)->data;
	const char *letter = e->x ? strchr(letters, e->x) : NULL;

	n->others += e->y != ' ';
	if (letter && n->staged++ < NOTES_MAX) {
		line_format(n->text, "#\t%-10s", names[letter - letters]);
		output_path(n->text, n->cli, e->path);
		line_string(n->text, "\n");
	}
	return cli_signal();
}

/* What is there to commit?  STORE_EEMPTY: nothing, and something is wanted. */
static int look(struct commit *c, struct notes *n, struct store_status_result *r)
{
	struct progress p = { .data = n };
	struct store_status_options o = { .flags = STORE_STATUS_NO_UNTRACKED, .entry = note_entry };
	int rc;

	progress_begin(&p, c->cli, &o.callbacks);
	rc = store_status(c->cli->repo, NULL, 0, &o, r, &c->cli->err);
	progress_end(&p);
	if (rc == 0 && !n->staged && !c->given->amend && !c->given->allow_empty)
		rc = STORE_EEMPTY;
	return rc;
}

/* Appends the notes to the message; STORE_EEMPTY when there is nothing to commit. */
static int add_notes(struct commit *c)
{
	struct cli *cli = c->cli;
	struct line list = { 0 };
	struct notes n = { cli, &list, 0, 0 };
	struct store_status_result r = { 0 };
	int rc = look(c, &n, &r);

	if (rc == 0) {
		line_string(&c->message,
			"\n# The message goes above: a subject, an empty line, and what else there is to say.\n"
			"# Lines that begin with '#' are left out, and an empty message makes no commit.\n#\n# ");
		line_string(&c->message, r.branch[0] ? "On branch " : "HEAD is detached");
		line_harmless(&c->message, r.branch, strlen(r.branch));
		line_string(&c->message, n.staged ? "; staged is:\n" : "; nothing is staged\n");
		line_add(&c->message, list.data, list.len);
		if (n.staged > NOTES_MAX)
			line_format(&c->message, "#\tand %llu more\n",
				(unsigned long long)(n.staged - NOTES_MAX));
		if (n.others)
			line_format(&c->message, "# Paths with changes that are not staged: %llu\n",
				(unsigned long long)n.others);
	}
	line_release(&list);
	return rc;
}

static int edit(struct commit *c)
{
	int rc = add_notes(c);

	if (rc == 0)
		rc = editor_edit(c->cli, &c->editor, "COMMIT_EDITMSG", &c->file, &c->message);
	if (rc == 0)
		message_clean(&c->message, true);
	return rc;
}

/* No message can be had: that is of no interest where there would be nothing to commit. */
static int refuse_editor(struct commit *c, int refused)
{
	const struct store_error why = c->cli->err;
	struct line list = { 0 };
	struct notes n = { c->cli, &list, 0, 0 };
	struct store_status_result r = { 0 };
	int rc = look(c, &n, &r);

	line_release(&list);
	/* -a would stage the others. */
	if (rc == 0 || (rc == STORE_EEMPTY && c->given->all && n.others)) {
		c->cli->err = why;
		rc = refused;
	}
	return rc;
}

/* From where the message comes: is the editor wanted, and can it be had? */
static int find_editor(struct commit *c)
{
	const struct commit_options *g = c->given;
	const bool has_message = g->messages.n || g->file;
	int rc;

	if (g->dry_run || g->edit == EDIT_NEVER || (g->edit != EDIT_ALWAYS && has_message))
		return 0;
	rc = editor_find(c->cli,
		g->amend
			? "no message is given, and there is no terminal for an editor: use -m TEXT, -F FILE or --no-edit"
			: "no message is given, and there is no terminal for an editor: use -m TEXT or -F FILE",
		&c->editor);
	return rc == STORE_EINVAL ? refuse_editor(c, rc) : rc;
}

static int refuse_message(struct commit *c)
{
	editor_forget(&c->file);
	return output_usage(c->cli, "the message is empty");
}

/* Before anything is staged: what is given must not turn out to be wrong when that is done. */
static int take_message(struct commit *c)
{
	const struct commit_options *g = c->given;
	const bool has_message = g->messages.n || g->file;
	int rc = 0;

	message_join(&c->message, &g->messages);
	if (g->file)
		rc = message_read(c->cli, g->file, &c->message);
	if (rc != 0)
		return rc;
	if (!has_message && c->editor.len)
		line_add(&c->message, c->old_message.data, c->old_message.len);
	message_clean(&c->message, false);
	if (has_message && !c->editor.len && !g->dry_run && !c->message.len)
		return refuse_message(c);
	if (c->message.len && !c->editor.len)
		c->options.message = c->message.data;
	return g->dry_run ? 0 : store_commit_check(c->cli->repo, &c->options, &c->cli->err);
}

static int edit_message(struct commit *c)
{
	const int rc = edit(c);

	c->options.message = c->message.data ? c->message.data : "";
	return rc == 0 && !c->message.len ? refuse_message(c) : rc;
}

static int make(struct commit *c)
{
	struct cli *cli = c->cli;
	struct store_commit_result result = { 0 };
	const char *message = c->options.message ? c->options.message : c->old_message.data;
	struct progress p = { 0 };
	int rc;

	progress_begin(&p, cli, &c->options.callbacks);
	rc = store_commit(cli->repo, &c->options, &result, &cli->err);
	progress_end(&p);
	cli->stats = result.stats;
	if (rc != 0)
		return rc;
	editor_forget(&c->file);
	if (cli->global.json)
		print_json(&result, c->options.dry_run);
	else if (c->options.dry_run || !cli->global.quiet)
		print_words(&result, c->options.dry_run ? NULL : message ? message : "");
	if (result.identity_guessed && !c->options.dry_run)
		output_talk(cli,
			"the author was guessed from the login; set user.name and user.email in the configuration");
	return c->skipped ? CLI_PARTIAL : 0;
}

static int check_usage(const struct cli *cli, const struct commit_options *g)
{
	if (cli->args.n)
		return output_usage(cli,
			"commit takes no operand like '%s': it takes what is staged",
			cli->args.items[0]);
	if ((g->author && !*g->author) || (g->date && !*g->date))
		return output_usage(cli, "%s is empty",
			g->author && !*g->author ? "--author" : "--date");
	if (g->file && g->messages.n)
		return output_usage(cli, "the message is given by -m or by -F, not by both");
	if (g->file && !*g->file)
		return output_usage(cli, "-F wants the name of a file, or -");
	if (g->all && g->dry_run)
		return output_usage(cli, "-n writes nothing, and -a would stage");
	if (g->reset_author && (!g->amend || g->author))
		return output_usage(cli, "--reset-author goes with --amend, and without --author");
	if (g->edit == EDIT_NEVER && !g->amend && !g->messages.n && !g->file)
		return output_usage(cli, "no message is given; use -m TEXT or -F FILE");
	return 0;
}

static int run_steps(struct commit *c)
{
	struct cli *cli = c->cli;
	int rc = cli_open(cli, !c->given->dry_run);

	if (rc == 0 && c->given->amend)
		rc = find_amended(c);
	if (rc == 0)
		rc = find_editor(c);
	if (rc == 0)
		rc = take_message(c);
	if (rc == 0 && c->given->all)
		rc = stage(c);
	if (rc == 0 && c->editor.len)
		rc = edit_message(c);
	if (rc == 0) {
		rc = make(c);
		if (rc < 0 && c->file.len)
			output_note(cli, "the message is kept in '%s'", c->file.data);
	}
	return rc == STORE_EEMPTY ? refuse_empty(c) : rc;
}

static int run(struct cli *cli, const void *data)
{
	const struct commit_options *given = data;
	struct commit c = { .cli = cli, .given = given };
	int rc = check_usage(cli, given);

	if (rc != 0)
		return rc;
	c.options.author = given->author;
	c.options.date = given->date;
	c.options.allow_empty = given->allow_empty;
	c.options.dry_run = given->dry_run;
	c.options.reset_author = given->reset_author;
	rc = run_steps(&c);
	line_release(&c.old_message);
	line_release(&c.editor);
	line_release(&c.file);
	line_release(&c.message);
	return rc;
}

const struct command cmd_commit = { "commit", "[OPTION...]", "keep what is staged as a commit",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON, sizeof(struct commit_options), table, run };
