/*
 * Differences of content: what the two sides are, whether they are text, and who compares them.
 *
 * Text is what has no NUL in its first 8,000 bytes, on both sides, as git has it. It is compared by
 * lines (patch_text.c) as long as it is within the limits; the rest is compared by chunks
 * (patch_align.c), and what lies between equal chunks by bytes (patch_bytes.c).
 *
 * A file of the working tree is cut with the chunk size that the other side was stored with, or
 * chunks would be equal by chance only: the class that a change of size brings comes with the next
 * add.
 */
#include <string.h>

#include "base/error.h"
#include "work/config.h"
#include "work/options.h"
#include "work/patch_internal.h"
#include "work/repo.h"
#include "work/stats.h"

#define SNIFF 8000 /* bytes at the start that tell whether it is text */
#define SHOWN 64   /* bytes of a range that are handed out with it */

struct patch {
	struct store_repo *repo;
	const struct store_patch_options *options;
	struct store_patch_result *result;
	struct patch_side sides[2]; /* old, new */
	uint32_t avg;               /* of the chunks that a file is cut into */
};

static int has_nul(struct patch_side *s, bool *found, struct store_error *err)
{
	uint8_t data[SNIFF];
	const size_t n = s->size < SNIFF ? (size_t)s->size : SNIFF;
	const int rc = patch_side_read(s, 0, data, n, err);

	*found = *found || (rc == 0 && n > 0 && memchr(data, 0, n) != NULL);
	return rc;
}

/* ---- ranges */

static int tell_range(void *ctx, const struct patch_range *r, struct store_error *err)
{
	struct patch *p = ctx;
	uint8_t old_data[SHOWN], new_data[SHOWN];
	struct store_patch_piece piece = { .kind = STORE_PATCH_BINARY,
		.old_off = r->old_off,
		.old_len = r->old_len,
		.new_off = r->new_off,
		.new_len = r->new_len,
		.old_data = old_data,
		.new_data = new_data,
		.old_data_len = r->old_len < SHOWN ? (size_t)r->old_len : SHOWN,
		.new_data_len = r->new_len < SHOWN ? (size_t)r->new_len : SHOWN };
	int rc;

	p->result->same = 0;
	p->result->deleted += r->old_len;
	p->result->added += r->new_len;
	if (!p->options->piece)
		return 0;
	rc = patch_side_read(&p->sides[0], r->old_off, old_data, piece.old_data_len, err);
	if (rc == 0)
		rc = patch_side_read(&p->sides[1], r->new_off, new_data, piece.new_data_len, err);
	if (rc == 0 && p->options->piece(p->options->payload, &piece) != 0)
		rc = store_error_set(err, STORE_ECANCELED, "canceled");
	return rc;
}

static int run_ranges(struct patch *p, struct store_error *err)
{
	struct patch_rows rows[2] = { 0 };
	struct patch_bytes bytes;
	int rc = patch_bytes_init(&bytes, &p->sides[0], &p->sides[1], PATCH_BYTES, tell_range, p,
		err);

	p->result->same = 1;
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = patch_rows_init(&rows[i], &p->sides[i], p->avg, err);
	if (rc == 0)
		rc = patch_align(&rows[0], &rows[1], PATCH_WINDOW, patch_bytes_refine, &bytes, err);
	if (rc == 0)
		rc = patch_bytes_finish(&bytes, err);
	stats_sample();
	patch_rows_release(&rows[0]);
	patch_rows_release(&rows[1]);
	patch_bytes_release(&bytes);
	return rc;
}

/* ---- lines */

static int run_text(struct patch *p, struct store_error *err)
{
	struct patch_text t = { .old_side = &p->sides[0],
		.new_side = &p->sides[1],
		.avg = p->avg,
		.options = p->options,
		.result = p->result };
	int rc = config_size(p->repo->config, "diff.textLimit", &t.text_max, err);

	if (rc == 0)
		rc = config_number(p->repo->config, "diff.lineLimit", &t.line_max, err);
	return rc == 0 ? patch_text(&t, err) : rc;
}

static int run(struct patch *p, struct store_error *err)
{
	const uint64_t size = p->sides[0].is_stored ? p->sides[0].size : p->sides[1].size;
	const struct store_format *format = odb_format(p->repo->odb);
	bool is_binary = false;
	int rc = 0;

	p->avg = format_class_avg(format, format_class_of(format, size));
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = has_nul(&p->sides[i], &is_binary, err);
	if (rc != 0)
		return rc;
	if (is_binary && !p->options->force_text)
		p->result->why = STORE_PATCH_IS_BINARY;
	else
		rc = run_text(p, err);
	if (rc == 0 && p->result->why != STORE_PATCH_IS_TEXT)
		rc = run_ranges(p, err);
	return rc;
}

static bool is_same(const struct store_diff_entry *e)
{
	const struct store_diff_side *a = &e->old_side, *b = &e->new_side;

	if (e->is_mode_only)
		return true;
	return a->kind != STORE_KIND_NONE && b->kind != STORE_KIND_NONE && !a->is_work &&
		!b->is_work && a->node.height == b->node.height && a->node.size == b->node.size &&
		memcmp(a->node.id.bytes, b->node.id.bytes, ID_LEN) == 0;
}

int store_patch(struct store_repo *repo, const struct store_diff_entry *entry,
	const struct store_patch_options *options, struct store_patch_result *result,
	struct store_error *err)
{
	static const struct store_patch_options none;
	struct patch p = { .repo = repo, .options = options ? options : &none, .result = result };
	struct patch_tick tick = { .callbacks = &p.options->callbacks };
	int rc = options_check(options, "store_patch_options", err);

	memset(result, 0, sizeof(*result));
	if (rc != 0)
		return rc;
	if (is_same(entry)) {
		result->same = 1;
		return 0;
	}
	p.sides[1].fd = -1;
	rc = patch_side_open(&p.sides[0], repo, &entry->old_side,
		entry->old_path ? entry->old_path : entry->path, err);
	if (rc == 0)
		rc = patch_side_open(&p.sides[1], repo, &entry->new_side, entry->path, err);
	p.sides[0].tick = p.sides[1].tick = &tick;
	if (rc == 0)
		rc = run(&p, err);
	/* An errno would say that it is the working tree's. */
	if (rc != 0 && err && !p.sides[0].work_failed && !p.sides[1].work_failed)
		err->sys = 0;
	patch_side_close(&p.sides[0]);
	patch_side_close(&p.sides[1]);
	return rc;
}
