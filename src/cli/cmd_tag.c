/*
 * store tag: list, make and delete tags.  A plain tag is a name for a commit; with a message it is
 * an object that says who, when and why.
 */
#include "cli/cli.h"
#include "cli/editor.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/pager.h"
#include <fnmatch.h>
#include <string.h>

struct tag_options {
	struct strings messages;
	const char *file, *lines;
	int list, annotate, force, erase;
};

#define FIELD(name) offsetof(struct tag_options, name)

static const struct option_spec table[] = {
	{ 'l', "list", OPTION_FLAG, FIELD(list), 1, NULL,
		"list them; operands are patterns of names" },
	{ 'n', NULL, OPTION_MAYBE, FIELD(lines), 0, "NUM",
		"list with NUM lines (1) of the message, the commit's for a plain tag" },
	{ 'a', "annotate", OPTION_FLAG, FIELD(annotate), 1, NULL,
		"make an object with who, when and a message, from an editor without -m and -F" },
	{ 'm', "message", OPTION_LIST, FIELD(messages), 0, "TEXT",
		"the message; a second -m is a second paragraph; means -a" },
	{ 'F', "file", OPTION_STRING, FIELD(file), 0, "FILE",
		"the message from FILE, - for standard input; means -a" },
	{ 'f', "force", OPTION_FLAG, FIELD(force), 1, NULL, "move a tag that is there" },
	{ 'd', "delete", OPTION_FLAG, FIELD(erase), 1, NULL, "delete tags" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* ---- the list */

/* What is made or deleted is told by the same object, without what was not read. */
static void print_json(const char *action, const struct store_ref *r, const struct store_id *was)
{
	struct line t = { 0 };

	json_begin(&t, "store/tag/1");
	json_string(&t, "action", action);
	json_bytes(&t, "name", r->short_name);
	json_maybe_id(&t, "commit", &r->commit);
	json_maybe_id(&t, "tag", r->is_annotated ? &r->id : NULL);
	json_maybe_id(&t, "old", was);
	json_bytes(&t, "tagger", r->tagger);
	if (r->tagger)
		json_time(&t, "time", r->tag_time, r->tag_zone);
	else
		json_null(&t, "time");
	json_bytes(&t, "message", r->message);
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

/* The first lines of a message; further ones are indented. */
static void add_lines(struct line *t, const char *message, uint64_t lines)
{
	message += strspn(message, "\n");
	for (uint64_t i = 0; i < lines && *message; i++) {
		const size_t len = strcspn(message, "\n");

		line_string(t, i ? "\n    " : "");
		line_harmless(t, message, len);
		message += len + (message[len] == '\n');
	}
}

static int add_message(struct cli *cli, struct line *t, const struct store_ref *r, uint64_t lines)
{
	struct line message = { 0 };
	int rc;

	line_format(t, "%*s ", strlen(r->short_name) < 15 ? (int)(15 - strlen(r->short_name)) : 0,
		"");
	if (r->is_annotated || !r->has_commit) {
		add_lines(t, r->message ? r->message : "", lines);
		return 0;
	}
	rc = message_of(cli, &r->commit, &message);
	if (rc == 0)
		add_lines(t, message.data ? message.data : "", lines);
	line_release(&message);
	return rc;
}

static int print_ref(struct cli *cli, const struct store_ref *r, uint64_t lines)
{
	static const struct store_id none;
	struct line t = { 0 };
	int rc = 0;

	if (cli->global.json) {
		print_json("list", r, &none);
		return 0;
	}
	line_harmless(&t, r->short_name, strlen(r->short_name));
	if (lines)
		rc = add_message(cli, &t, r, lines);
	if (rc == 0) {
		output_text(&t);
		output_line_end(cli);
	}
	line_release(&t);
	return rc;
}

static bool fits(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < cli->args.n; i++)
		if (fnmatch(cli->args.items[i], name, 0) == 0)
			return true;
	return !cli->args.n;
}

static int list(struct cli *cli, uint64_t lines)
{
	const struct store_refs_options o = { .kinds = STORE_REFS_TAGS };
	struct store_refs_iter *it = NULL;
	struct store_ref r;
	int rc = cli_open(cli, false);

	if (rc == 0)
		rc = store_refs_open(cli->repo, &o, &it, &cli->err);
	if (rc != 0)
		return rc;
	pager_start(cli);
	while (rc == 0) {
		rc = cli_must_stop() ? STORE_ECANCELED : store_refs_next(it, &r, &cli->err);
		if (rc == 0 && fits(cli, r.short_name))
			rc = print_ref(cli, &r, lines);
	}
	store_refs_free(it);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* ---- the message */

static int edit(struct cli *cli, const char *name, struct line *file, struct line *message)
{
	struct line editor = { 0 };
	int rc = editor_find(cli,
		"no message is given, and there is no terminal for an editor: use -m TEXT or -F FILE",
		&editor);

	if (rc == 0) {
		line_string(message, "\n# The message of the tag '");
		line_harmless(message, name, strlen(name));
		line_string(message,
			"' goes above.\n"
			"# Lines that begin with '#' are left out, and an empty message makes no tag.\n");
		rc = editor_edit(cli, &editor, "TAG_EDITMSG", file, message);
	}
	if (rc == 0)
		message_clean(message, true);
	/* Nothing was written that is worth keeping. */
	if (rc == 0 && !message->len)
		editor_forget(file);
	line_release(&editor);
	return rc;
}

/* file: the path of what was edited, if it was. */
static int find_message(struct cli *cli, const struct tag_options *given, struct line *file,
	struct line *message)
{
	int rc = 0;

	if (!given->file && !given->messages.n)
		return edit(cli, cli->args.items[0], file, message);
	message_join(message, &given->messages);
	if (given->file)
		rc = message_read(cli, given->file, message);
	if (rc == 0)
		message_clean(message, false);
	return rc;
}

/* ---- changes */

static void tell(const struct cli *cli, const char *action, const struct store_ref_result *r,
	bool is_annotated)
{
	const struct store_ref ref = { .short_name = r->name,
		.is_annotated = is_annotated,
		.commit = r->commit,
		.id = r->id };
	struct line t = { 0 };

	if (cli->global.json) {
		print_json(action, &ref, &r->was);
		return;
	}
	if (line_is_id(&r->id)) {
		line_format(&t, "the tag '%s' names ", r->name);
		line_short_id(&t, &r->commit);
	} else {
		line_format(&t, "deleted the tag '%s', which was ", r->name);
		line_short_id(&t, &r->was);
	}
	output_talk(cli, "%s", t.data);
	line_release(&t);
}

static int make(struct cli *cli, const struct tag_options *given, const char *message)
{
	const struct store_tag_options o = { .flags = given->force ? STORE_REF_FORCE : 0,
		.rev = cli->args.n > 1 ? cli->args.items[1] : NULL,
		.message = message };
	struct store_ref_result r;
	const int rc = store_tag_create(cli->repo, cli->args.items[0], &o, &r, &cli->err);

	if (rc != 0)
		return rc;
	tell(cli, r.existed ? "move" : "create", &r, message);
	if (r.identity_guessed)
		output_talk(cli,
			"the tagger was guessed from the login; set user.name and user.email in the configuration");
	return 0;
}

static int create(struct cli *cli, const struct tag_options *given)
{
	const bool annotates = given->annotate || given->messages.n || given->file;
	struct line message = { 0 }, file = { 0 };
	int rc = cli_open(cli, true);

	if (rc == 0 && annotates)
		rc = find_message(cli, given, &file, &message);
	if (rc == 0) {
		const char *text = message.data ? message.data : "";

		rc = make(cli, given, annotates ? text : NULL);
		if (rc == 0)
			editor_forget(&file);
		else if (file.len && message.len)
			output_note(cli, "the message is kept in '%s'", file.data);
	}
	line_release(&message);
	line_release(&file);
	return rc;
}

/* Each is tried; the first that failed makes the exit code, and its line comes last. */
static int erase(struct cli *cli)
{
	struct store_error first = { 0 };
	int failed = 0, rc = cli_open(cli, true);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < cli->args.n && !cli_must_stop(); i++) {
		struct store_ref_result r;

		rc = store_tag_delete(cli->repo, cli->args.items[i], &r, &cli->err);
		if (rc == 0) {
			tell(cli, "delete", &r, false);
		} else if (failed != 0) {
			output_error(cli, rc, cli->err.sys, cli->err.msg);
		} else {
			failed = rc;
			first = cli->err;
		}
	}
	cli->err = first;
	return failed;
}

static int check_usage(const struct cli *cli, const struct tag_options *given, bool lists)
{
	const bool annotates = given->annotate || given->messages.n || given->file;

	if (lists + given->erase > 1 || ((lists || given->erase) && (annotates || given->force)))
		return output_usage(cli, "one of making, deleting and listing tags goes at a time");
	if (given->messages.n && given->file)
		return output_usage(cli, "-m and -F do not go together");
	if (given->file && !*given->file)
		return output_usage(cli, "-F wants the name of a file, or -");
	if (given->erase && !cli->args.n)
		return output_usage(cli, "name the tags that are to be deleted");
	if (!lists && !given->erase && !cli->args.n)
		return output_usage(cli, "name the tag");
	if (!lists && !given->erase && cli->args.n > 2)
		return output_usage(cli, "tag takes NAME [REV], not '%s' as well",
			cli->args.items[2]);
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct tag_options *given = data;
	const bool makes = given->annotate || given->messages.n || given->file || given->force;
	const bool lists = given->list || given->lines || (!cli->args.n && !given->erase && !makes);
	uint64_t lines = given->lines != NULL;
	int rc = check_usage(cli, given, lists);

	if (rc == 0 && given->lines && *given->lines &&
		!line_to_number(given->lines, false, INT32_MAX, &lines))
		rc = output_usage(cli, "'%s' is no number of lines", given->lines);
	if (rc != 0)
		return rc;
	if (given->erase)
		return erase(cli);
	return lists ? list(cli, lines) : create(cli, given);
}

const struct command cmd_tag = { "tag", "[OPTION...] [NAME [REV]]", "list, make and delete tags",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL, sizeof(struct tag_options), table,
	run };
