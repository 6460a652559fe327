/* Differences of content in the machine form: pieces are written as they come. */
#include "cli/json.h"
#include "cli/output.h"
#include "cli/patch.h"

#define FLUSH_AT 32768

struct writer {
	struct line *t;
};

/* All but the last byte, which tells json.c whether a comma is due. */
static void flush(struct line *t)
{
	const char last = t->data[t->len - 1];

	output_bytes(t->data, t->len - 1);
	line_clear(t);
	line_add(t, &last, 1);
}

static void add_line(struct line *t, const char *kind, const struct store_patch_piece *p)
{
	json_string(t, "kind", kind);
	json_data(t, "text", p->data, p->len);
}

static void add_hunk(struct line *t, const struct store_patch_piece *p)
{
	json_string(t, "kind", "hunk");
	json_number(t, "old_line", p->old_line);
	json_number(t, "old_lines", p->old_lines);
	json_number(t, "new_line", p->new_line);
	json_number(t, "new_lines", p->new_lines);
}

static void add_range(struct line *t, const struct store_patch_piece *p)
{
	json_string(t, "kind", "range");
	json_number(t, "old_offset", p->old_off);
	json_number(t, "old_length", p->old_len);
	json_number(t, "new_offset", p->new_off);
	json_number(t, "new_length", p->new_len);
}

static int write_piece(void *payload, const struct store_patch_piece *piece)
{
	struct line *t = ((struct writer *)payload)->t;

	json_open(t, NULL, '{');
	switch (piece->kind) {
	case STORE_PATCH_HUNK:
		add_hunk(t, piece);
		break;
	case STORE_PATCH_CONTEXT:
		add_line(t, "context", piece);
		break;
	case STORE_PATCH_DELETED:
		add_line(t, "deleted", piece);
		break;
	case STORE_PATCH_ADDED:
		add_line(t, "added", piece);
		break;
	case STORE_PATCH_BINARY:
		add_range(t, piece);
		break;
	}
	json_close(t, '}');
	if (t->len >= FLUSH_AT)
		flush(t);
	return cli_must_stop();
}

int patch_json(struct cli *cli, struct line *t, const struct store_diff_entry *entry,
	const struct patch_style *style)
{
	static const char *const whys[] = {
		[STORE_PATCH_IS_TEXT] = "text",
		[STORE_PATCH_IS_BINARY] = "binary",
		[STORE_PATCH_OVER_LIMIT] = "over_limit",
	};
	struct store_patch_options options = patch_options(style);
	struct store_patch_result r = { 0 };
	struct writer w = { t };
	const bool has_content = entry->old_side.kind != STORE_KIND_DIR &&
		entry->new_side.kind != STORE_KIND_DIR;
	int rc = 0;

	options.piece = write_piece;
	options.payload = &w;
	json_open(t, "pieces", '[');
	if (has_content)
		rc = patch_run(cli, entry, &options, &r);
	json_close(t, ']');
	/* After an error nothing is known but the pieces that are written. */
	const bool is_known = has_content && rc == 0;

	json_string(t, "content", is_known ? whys[r.why] : NULL);
	if (is_known)
		json_bool(t, "same", r.same);
	else
		json_null(t, "same");
	if (is_known && r.why == STORE_PATCH_IS_TEXT) {
		json_number(t, "added", r.added);
		json_number(t, "deleted", r.deleted);
	} else {
		json_null(t, "added");
		json_null(t, "deleted");
	}
	if (r.why == STORE_PATCH_OVER_LIMIT)
		json_number(t, "limit", r.limit);
	else
		json_string(t, "limit", NULL);
	json_string(t, "limit_key", r.why == STORE_PATCH_OVER_LIMIT ? patch_limit_key(&r) : NULL);
	return rc;
}
