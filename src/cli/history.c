/*
 * A commit as text. Its changes are those against its first parent, as its layer records them; a
 * commit without parent is compared with nothing.
 */
#include "cli/history.h"
#include <string.h>
#include "cli/json.h"
#include "cli/output.h"

static void add_subject(struct line *t, const char *message)
{
	message += strspn(message, "\n");
	line_harmless(t, message, strcspn(message, "\n"));
}

void history_members(struct line *t, const struct store_log_entry *e)
{
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
}

void history_oneline(struct line *t, const struct store_log_entry *e)
{
	line_string(t, output_color(COLOR_ID));
	line_short_id(t, &e->id);
	line_string(t, output_color(COLOR_OFF));
	line_string(t, " ");
	add_subject(t, e->message);
}

void history_message(struct line *t, const char *message)
{
	while (*message) {
		size_t len = strcspn(message, "\n");

		line_string(t, len ? "\n    " : "\n");
		line_harmless(t, message, len);
		message += len + (message[len] == '\n');
	}
}

void history_long(struct line *t, const struct store_log_entry *e, bool verbose)
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
	history_message(t, e->message);
}

int history_style(struct cli *cli, const struct history_form *form, struct difflist_style *style)
{
	const unsigned int lists = DIFFLIST_NAMES | DIFFLIST_LETTERS;
	uint64_t context = 0;

	style->formats = form->formats;
	if ((style->formats & lists) && (style->formats & (style->formats - 1)))
		return output_usage(cli, "--name-only and --name-status go with no other form");
	if (cli->global.nul && (style->formats & ~(lists | DIFFLIST_NUMBERS)))
		return output_usage(cli, "-z goes with --name-only, --name-status and --numstat");
	if (form->context && !line_to_number(form->context, false, INT32_MAX, &context))
		return output_usage(cli, "'%s' is no number of lines", form->context);
	style->patch.has_context = form->context != NULL;
	style->patch.context = (unsigned int)context;
	return 0;
}

/* Is there a difference at all?  Nothing is printed for none, not even the line that parts. */
static int has_changes(struct cli *cli, const struct store_diff_options *o, bool *yes)
{
	struct store_diff_iter *it = NULL;
	struct store_diff_entry e;
	int rc = store_diff_open(cli->repo, o, &it, &cli->err);

	if (rc == 0)
		rc = store_diff_next(it, &e, &cli->err);
	*yes = rc == 0;
	store_diff_free(it);
	return it && rc == STORE_ENOTFOUND ? 0 : rc;
}

int history_changes(struct cli *cli, const struct store_log_entry *e,
	const struct difflist_style *style, const char *const *paths, size_t n, bool parted)
{
	char id[STORE_HEX_LEN + 1], parent[STORE_HEX_LEN + 1];
	struct store_diff_options o = { .form = STORE_DIFF_FROM_NOTHING,
		.new_rev = store_id_hex(id, &e->id),
		.paths = paths,
		.n_paths = n };
	struct difflist_result result = { 0 };
	bool yes = false;
	int rc;

	if (!style->formats)
		return 0;
	if (e->parent_count > 0) {
		o.form = STORE_DIFF_COMMIT_COMMIT;
		o.old_rev = store_id_hex(parent, &e->parents[0]);
	}
	rc = has_changes(cli, &o, &yes);
	if (rc != 0 || !yes)
		return rc;
	if (parted && !cli->global.json)
		output_line_end(cli);
	rc = difflist_print(cli, &o, style, &result);
	return rc == 0 && result.unreadable ? CLI_PARTIAL : rc;
}
