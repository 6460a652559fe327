/*
 * store ls: the entries of a directory of any revision, or of the stage.  Nothing is read but the
 * nodes of the directory, or its rows, and for -l the targets of links.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/pager.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

struct ls_options {
	int details, recursive;
};

static const struct option_spec table[] = {
	{ 'l', NULL, OPTION_FLAG, offsetof(struct ls_options, details), 1, NULL,
		"mode, id, size in bytes and time, too" },
	{ 'r', "recursive", OPTION_FLAG, offsetof(struct ls_options, recursive), 1, NULL,
		"directories below it, too" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static void add_mode(struct line *t, const struct store_tree_entry *e)
{
	static const char bits[] = "rwxrwxrwx";
	const uint8_t kind = e->node.kind;
	const bool runs = kind == STORE_KIND_EXEC || kind == STORE_KIND_DIR;
	const uint32_t mode = kind == STORE_KIND_LINK ? 0777
		: e->has_meta                         ? e->mode
		: runs                                ? 0755
						      : 0644;

	line_string(t, kind == STORE_KIND_DIR ? "d" : kind == STORE_KIND_LINK ? "l" : "-");
	for (int i = 0; i < 9; i++)
		line_add(t, mode & (0400U >> i) ? &bits[i] : "-", 1);
}

static void add_mtime(struct line *t, const struct store_tree_entry *e)
{
	time_t at = e->mtime;
	struct tm tm;
	char line[40];

	if (!e->has_meta || !localtime_r(&at, &tm) ||
		!strftime(line, sizeof(line), "%Y-%m-%d %H:%M", &tm))
		snprintf(line, sizeof(line), "%16s", "-");
	line_format(t, " %s  ", line);
}

/* Where a link points to; a link whose target cannot be read is an error of the whole listing. */
static int add_target(struct cli *cli, struct line *t, const char *path,
	const struct store_node *node)
{
	struct store_reader *r = NULL;
	char target[4097];
	size_t len = 0, got = 1;
	int rc = store_reader_open(cli->repo, node, &r, &cli->err);

	while (rc == 0 && got && len < sizeof(target) - 1) {
		rc = store_reader_read(r, target + len, sizeof(target) - 1 - len, &got, &cli->err);
		len += rc == 0 ? got : 0;
	}
	target[len] = 0;
	line_string(t, " -> ");
	line_quoted(t, target, false);
	store_reader_free(r);
	return rc == 0 ? 0 : cli_fail_reading(cli, rc, path, path);
}

/* A staged directory that no commit has stored has no tree yet, so neither id nor size. */
static bool has_tree(const struct store_node *node)
{
	static const struct store_id none;

	return memcmp(&node->id, &none, sizeof(none)) != 0;
}

static void add_id_and_size(struct line *t, const struct store_node *node)
{
	if (!has_tree(node)) {
		line_format(t, " %12s %12s", "-", "-");
		return;
	}
	line_string(t, " ");
	line_short_id(t, &node->id);
	line_format(t, " %12llu", (unsigned long long)node->size);
}

static void add_json(struct line *t, const struct store_target *target, const char *path,
	const struct store_tree_entry *e)
{
	json_begin(t, "store/ls/1");
	json_maybe_id(t, "commit", target->has_commit ? &target->commit : NULL);
	json_bytes(t, "path", path);
	if (has_tree(&e->node)) {
		json_node(t, "node", &e->node);
	} else {
		json_open(t, "node", '{');
		json_null(t, "id");
		json_string(t, "kind", line_kind(e->node.kind));
		json_null(t, "height");
		json_null(t, "size");
		json_null(t, "files");
		json_null(t, "directories");
		json_close(t, '}');
	}
	if (e->has_meta) {
		json_number(t, "mode", e->mode);
		json_signed(t, "mtime", e->mtime);
	} else {
		json_null(t, "mode");
		json_null(t, "mtime");
	}
	json_end(t);
}

/* path is from the top. */
static int print_entry(struct cli *cli, const struct ls_options *given,
	const struct store_target *target, const char *path, const struct store_tree_entry *e)
{
	struct line t = { 0 }, slashed = { 0 };
	int rc = 0;

	if (cli->global.json) {
		add_json(&t, target, path, e);
		output_text(&t);
		line_release(&t);
		return 0;
	}
	if (given->details) {
		add_mode(&t, e);
		add_id_and_size(&t, &e->node);
		add_mtime(&t, e);
	}
	line_string(&slashed, path);
	line_string(&slashed, e->node.kind == STORE_KIND_DIR ? "/" : "");
	output_path(&t, cli, slashed.data);
	if (given->details && e->node.kind == STORE_KIND_LINK && !cli->global.nul)
		rc = add_target(cli, &t, path, &e->node);
	if (rc == 0) {
		output_text(&t);
		output_line_end(cli);
	}
	line_release(&t);
	line_release(&slashed);
	return rc;
}

static int list_directory(struct cli *cli, const struct ls_options *given,
	const struct store_target *target)
{
	struct store_tree_iter *it = NULL;
	struct store_tree_entry e;
	struct line path = { 0 };
	int rc = store_tree_open(cli->repo, target, given->recursive, &it, &cli->err);

	while (rc == 0) {
		rc = cli_must_stop() ? STORE_ECANCELED : store_tree_next(it, &e, &cli->err);
		if (rc == STORE_ENOTFOUND) {
			rc = 0;
			break;
		}
		if (rc != 0)
			break;
		line_clear(&path);
		line_string(&path, target->path ? target->path : "");
		line_string(&path, path.len ? "/" : "");
		line_string(&path, e.path);
		rc = print_entry(cli, given, target, path.data, &e);
	}
	store_tree_free(it);
	line_release(&path);
	return rc;
}

/* A name that is no directory is listed itself. */
static int list(struct cli *cli, const struct ls_options *given, const char *name,
	unsigned int flags)
{
	struct store_target target = { 0 };
	struct store_tree_entry e;
	int rc = store_resolve(cli->repo, name, flags, &target, &cli->err);

	if (rc == 0 && target.node.kind == STORE_KIND_DIR) {
		rc = list_directory(cli, given, &target);
	} else if (rc == 0) {
		rc = store_target_entry(cli->repo, &target, &e, &cli->err);
		if (rc == 0)
			rc = print_entry(cli, given, &target, target.path, &e);
	}
	store_target_clear(&target);
	return rc;
}

static int run(struct cli *cli, const void *data)
{
	const struct ls_options *given = data;
	struct line here = { 0 };
	int rc = cli_check_names(cli, "NAME", 0, cli->args.n);

	if (rc == 0)
		rc = cli_open(cli, false);
	if (rc != 0)
		return rc;
	pager_start(cli);
	/* "HEAD:" is never ambiguous, because no ref holds a colon. */
	line_format(&here, "HEAD:%s", store_prefix(cli->repo));
	if (cli->args.n == 0)
		rc = list(cli, given, here.data, STORE_NAME_REV_IS_TREE);
	for (size_t i = 0; rc == 0 && i < cli->args.n; i++)
		rc = list(cli, given, cli->args.items[i],
			i < cli->args_before_dashes ? STORE_NAME_REV_IS_TREE : STORE_NAME_LITERAL);
	line_release(&here);
	return rc;
}

const struct command cmd_ls = { "ls", "[OPTION...] [NAME...]", "list a directory of any revision",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL, sizeof(struct ls_options), table, run };
