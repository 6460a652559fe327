/*
 * store show: what a name stands for. A revision is a commit, with what it changed against its
 * first parent; a tag is itself and then what it names; a layer is its text; a path of a revision
 * is its content, or the names in a directory.
 */
#include "cli/cli.h"
#include "cli/history.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/pager.h"
#include <string.h>

struct show_options {
	struct history_form form;
	int no_patch;
};

#define FIELD(name) offsetof(struct show_options, name)

static const struct option_spec table[] = {
	HISTORY_OPTIONS(FIELD(form)),
	{ 's', "no-patch", OPTION_FLAG, FIELD(no_patch), 1, NULL,
		"the commit without its changes" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

struct show {
	struct cli *cli;
	const struct show_options *given;
	struct difflist_style style;
	bool on_terminal; /* what contents are printed for */
	uint64_t count;   /* of objects printed */
};

/* An empty line between two objects. */
static void part(struct show *s)
{
	if (s->count++ > 0 && !s->cli->global.json && !s->cli->global.nul &&
		!s->given->form.oneline)
		output_string("\n");
}

/* ---- commits, tags, layers */

static int print_entry(struct show *s, const struct store_log_entry *e)
{
	struct cli *cli = s->cli;
	const bool oneline = s->given->form.oneline;
	struct line t = { 0 };

	part(s);
	if (cli->global.json) {
		json_begin(&t, "store/show-commit/1");
		history_members(&t, e);
		json_end(&t);
	} else if (oneline) {
		history_oneline(&t, e);
	} else {
		history_long(&t, e, cli->global.verbose);
	}
	output_text(&t);
	line_release(&t);
	if (!cli->global.json)
		output_line_end(cli);
	return history_changes(cli, e, &s->style, NULL, 0, !oneline && !cli->global.nul);
}

static int show_commit(struct show *s, const struct store_id *id)
{
	struct cli *cli = s->cli;
	char hex[STORE_HEX_LEN + 1];
	const char *rev = store_id_hex(hex, id);
	const struct store_log_options o = { .revs = &rev, .n_revs = 1, .count = 1 };
	struct store_log_iter *it = NULL;
	struct store_log_entry e;
	int rc = store_log_open(cli->repo, &o, &it, &cli->err);

	if (rc == 0)
		rc = store_log_next(it, &e, &cli->err);
	if (rc == 0)
		rc = print_entry(s, &e);
	store_log_free(it);
	return rc;
}

static void print_tag(struct show *s, const struct store_object *o)
{
	struct line t = { 0 };

	part(s);
	if (s->cli->global.json) {
		json_begin(&t, "store/show-tag/1");
		json_id(&t, "id", &o->id);
		json_bytes(&t, "name", o->name);
		json_string(&t, "target_type",
			o->target_kind == STORE_OBJECT_LAYER ? "layer" : "commit");
		json_id(&t, "target", &o->target);
		json_bytes(&t, "tagger", o->tagger);
		json_time(&t, "time", o->time, o->zone);
		json_bytes(&t, "message", o->message);
		json_end(&t);
	} else {
		line_format(&t, "%stag ", output_color(COLOR_ID));
		line_harmless(&t, o->name, strlen(o->name));
		line_format(&t, "%s\nTagger: ", output_color(COLOR_OFF));
		line_harmless(&t, o->tagger, strlen(o->tagger));
		line_string(&t, "\nDate:   ");
		line_date(&t, o->time, o->zone);
		line_string(&t, "\n");
		history_message(&t, o->message);
		line_string(&t, s->cli->global.nul ? "" : "\n");
	}
	output_text(&t);
	line_release(&t);
	if (s->cli->global.nul && !s->cli->global.json)
		output_line_end(s->cli);
}

static void print_layer(struct show *s, const struct store_object *o)
{
	struct line t = { 0 };

	part(s);
	if (s->cli->global.json) {
		json_begin(&t, "store/show-layer/1");
		json_id(&t, "id", &o->id);
		json_number(&t, "generation", o->generation);
		json_maybe_id(&t, "parent", o->has_parent ? &o->parent : NULL);
		json_node(&t, "root", &o->root);
		json_id(&t, "changes", &o->changes);
		json_number(&t, "added", o->added);
		json_number(&t, "modified", o->modified);
		json_number(&t, "deleted", o->deleted);
		json_end(&t);
	} else {
		line_format(&t, "%slayer ", output_color(COLOR_ID));
		line_id(&t, &o->id);
		line_format(&t, "%s\n", output_color(COLOR_OFF));
		line_harmless(&t, o->text, strlen(o->text));
	}
	output_text(&t);
	line_release(&t);
}

/* Takes ownership of o, even on error.  Tags lead to what they name; no tag leads to itself. */
static int show_object(struct show *s, struct store_object *o)
{
	struct store_id id;
	char hex[STORE_HEX_LEN + 1];
	int rc = 0;

	while (rc == 0 && o->kind == STORE_OBJECT_TAG && !cli_must_stop()) {
		print_tag(s, o);
		id = o->target;
		store_object_clear(o);
		rc = store_object_find(s->cli->repo, store_id_hex(hex, &id), o, &s->cli->err);
	}
	id = o->id;
	if (rc == 0 && o->kind == STORE_OBJECT_LAYER)
		print_layer(s, o);
	else if (rc == 0)
		rc = show_commit(s, &id);
	store_object_clear(o);
	return rc;
}

/* ---- paths of revisions */

/* in_directory: one of the names in a directory that was asked for. */
static void add_entry(struct line *t, bool in_directory, const struct store_target *target,
	const char *path, const struct store_node *node)
{
	json_begin(t, "store/show-path/1");
	json_maybe_id(t, "commit", target->has_commit ? &target->commit : NULL);
	json_bytes(t, "path", path);
	json_bool(t, "in_directory", in_directory);
	json_node(t, "node", node);
	json_end(t);
}

static void print_name(struct show *s, const struct store_target *target,
	const struct store_tree_entry *e)
{
	const bool is_dir = e->node.kind == STORE_KIND_DIR;
	struct line t = { 0 }, path = { 0 };

	line_format(&path, "%s%s%s", target->path, *target->path ? "/" : "", e->path);
	if (s->cli->global.json) {
		add_entry(&t, true, target, path.data, &e->node);
		output_text(&t);
	} else {
		line_string(&path, is_dir ? "/" : "");
		output_path(&t, s->cli, path.data);
		output_text(&t);
		output_line_end(s->cli);
	}
	line_release(&t);
	line_release(&path);
}

static int show_directory(struct show *s, const struct store_target *target)
{
	struct cli *cli = s->cli;
	struct store_tree_iter *it = NULL;
	struct store_tree_entry e;
	int rc = store_tree_open(cli->repo, target, 0, &it, &cli->err);

	while (rc == 0) {
		rc = cli_must_stop() ? STORE_ECANCELED : store_tree_next(it, &e, &cli->err);
		if (rc == STORE_ENOTFOUND)
			break;
		if (rc == 0)
			print_name(s, target, &e);
	}
	store_tree_free(it);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int show_content(struct show *s, const char *name, const struct store_target *target)
{
	struct line t = { 0 };

	if (s->cli->global.json) {
		add_entry(&t, false, target, target->path, &target->node);
		output_text(&t);
		line_release(&t);
	}
	if (target->node.kind == STORE_KIND_DIR) {
		part(s);
		return show_directory(s, target);
	}
	s->count++;
	return s->cli->global.json ? 0 : cmd_cat_print(s->cli, name, target, s->on_terminal);
}

/* ---- the command */

/*
 * Why a name stands for nothing: of what can only be a revision that is the reason, of what has a
 * path in it the one of the path, which stands in cli->err.
 */
static int refuse(struct cli *cli, const char *name, int rc, const struct store_error *why)
{
	if (strncmp(name, "layer:", 6) == 0)
		return cli_fail(cli, why->code, why->sys, "%s", why->msg);
	if (strpbrk(name, ":@"))
		return rc;
	return cli_fail(cli, why->code, why->sys, "%.400s; nor is there such a path in HEAD",
		why->msg);
}

/*
 * A name that resolves to the top of a tree may be a revision, and is then the commit. One that
 * does not resolve may be a tag of a layer, or a layer.
 */
static int show_name(struct show *s, const char *name, bool is_literal)
{
	struct cli *cli = s->cli;
	struct store_target target = { 0 };
	struct store_object object = { 0 };
	struct store_error why = { 0 };
	int rc = store_resolve(cli->repo, name,
		is_literal ? STORE_NAME_LITERAL : STORE_NAME_REV_IS_TREE, &target, &cli->err);
	const bool is_nothing = rc == STORE_ENOTFOUND || rc == STORE_EINVAL;
	int found = STORE_ENOTFOUND;

	if (!is_literal && (is_nothing || (rc == 0 && !*target.path)))
		found = store_object_find(cli->repo, name, &object, &why);
	if (found == 0) {
		rc = show_object(s, &object);
	} else if (found != STORE_ENOTFOUND && found != STORE_EINVAL) {
		cli->err = why;
		rc = found;
	} else if (rc == 0) {
		rc = show_content(s, name, &target);
	} else if (is_nothing && !is_literal) {
		rc = refuse(cli, name, rc, &why);
	}
	store_object_clear(&object);
	store_target_clear(&target);
	return rc;
}

static int read_style(struct show *s)
{
	const struct show_options *given = s->given;
	const int rc = history_style(s->cli, &given->form, &s->style);

	if (rc != 0)
		return rc;
	if (given->no_patch && s->style.formats)
		return output_usage(s->cli, "-s leaves out what the other forms would show");
	if (!s->style.formats && !given->no_patch)
		s->style.formats = s->cli->global.json || s->cli->global.nul ? DIFFLIST_NAMES
									     : DIFFLIST_PATCH;
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	struct show s = { .cli = cli, .given = data };
	bool is_partial = false;
	int rc = read_style(&s);

	if (rc == 0)
		rc = cli_check_names(cli, "NAME", 0, cli->args.n);
	if (rc == 0)
		rc = cli_open(cli, false);
	if (rc != 0)
		return rc;
	s.on_terminal = output_is_terminal();
	pager_start(cli);
	if (cli->args.n == 0)
		rc = show_name(&s, "HEAD", false);
	for (size_t i = 0; rc == 0 && i < cli->args.n; i++) {
		rc = show_name(&s, cli->args.items[i], i >= cli->args_before_dashes);
		is_partial = is_partial || rc == CLI_PARTIAL;
		rc = rc == CLI_PARTIAL ? 0 : rc;
	}
	return rc == 0 && is_partial ? CLI_PARTIAL : rc;
}

const struct command cmd_show = { "show", "[OPTION...] [OBJECT...]",
	"a commit with its changes, a tag, a layer, or content",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL, sizeof(struct show_options), table,
	run };
