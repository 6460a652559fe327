/*
 * What the streaming writer leaves: an entry of the stage, if nothing stands in its way. What the
 * caller expects at the path is looked at twice: when the writer is opened, so that no terabyte is
 * taken in vain, and again inside the publication, where nobody can come between.
 */
#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "odb/publish.h"
#include "work/stream_internal.h"
#include "work/view_internal.h"

/* ---- what stands there */

/* No name above the path may be anything but a directory. */
static int check_above(const char *path, struct env_txn *txn, struct store_error *err)
{
	struct stage_row row;
	char shown[200];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		const size_t len = (size_t)(p - path);
		const int rc = stage_find(txn, path, len, &row, err);

		if (rc == STORE_ENOTFOUND)
			return 0;
		if (rc != 0)
			return rc;
		if (row.kind != ENTRY_DIR)
			return store_error_set(err, STORE_ECONFLICT,
				"'%s' is tracked as a file, and no folder",
				quote_msg(shown, sizeof(shown), path, len));
	}
	return 0;
}

/* row NULL: nothing is staged at the path. */
static int check_expected(const struct store_writer *w, const struct stage_row *row,
	struct store_error *err)
{
	const struct oid want = view_oid(&w->options.expected);
	char shown[200], hex[ID_HEX + 1];

	quote_msg(shown, sizeof(shown), w->path, strlen(w->path));
	if (w->options.expect == STORE_EXPECT_NONE && row)
		return store_error_set(err, STORE_ECONFLICT, "'%s' is tracked already, as %s",
			shown, id_hex(hex, &row->ref.id));
	if (w->options.expect != STORE_EXPECT_ID)
		return 0;
	if (!row)
		return store_error_set(err, STORE_ENOTFOUND,
			"'%s' is not tracked, and a version of it was expected", shown);
	if (!id_eq(&row->ref.id, &want))
		return store_error_set(err, STORE_ECONFLICT,
			"'%s' is %s now, which is not the expected version", shown,
			id_hex(hex, &row->ref.id));
	return 0;
}

static int check(struct store_writer *w, struct env_txn *txn, struct stage_row *row, bool *has_row,
	struct store_error *err)
{
	char shown[200];
	int rc = check_above(w->path, txn, err);

	*has_row = false;
	if (rc != 0)
		return rc;
	rc = stage_find(txn, w->path, strlen(w->path), row, err);
	if (rc == STORE_ENOTFOUND)
		return check_expected(w, NULL, err);
	if (rc == 0 && row->kind == ENTRY_DIR)
		return store_error_set(err, STORE_ECONFLICT, "'%s' is a directory",
			quote_msg(shown, sizeof(shown), w->path, strlen(w->path)));
	*has_row = rc == 0;
	return rc == 0 ? check_expected(w, row, err) : rc;
}

int stream_check(struct store_writer *w, stream_look_fn look, struct store_error *err)
{
	struct env_txn *txn;
	struct stage_row row;
	bool has_row;
	int rc = env_begin(odb_env(w->repo->odb), false, &txn, err);

	if (rc != 0)
		return rc;
	rc = check(w, txn, &row, &has_row, err);
	if (rc == 0)
		look(w, has_row ? &row : NULL);
	env_abort(txn);
	return rc;
}

/* ---- reading back: from the packs, so what is pending goes there first */

int stream_read_back(struct store_writer *w, struct store_error *err)
{
	struct odb_reader *reader = writer_reader(w->ingest.writer);
	const struct node_source src = nodes_source(reader);
	struct seq_cursor *c = seq_cursor_new(&src, &w->ingest.held.ref);
	struct seq_row row;
	struct buf chunk = { 0 };
	uint64_t off, end = 0;
	int rc = c ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");

	if (rc == 0)
		rc = stream_flush(w, err);
	while (rc == 0) {
		rc = seq_cursor_next(c, &row, &off, err);
		if (rc == 0)
			rc = odb_read(reader, &row.id, &chunk, err);
		if (rc == 0 && chunk.len != row.len)
			rc = store_error_set(err, STORE_ECORRUPT,
				"what was stored reads back with another length");
		if (rc == 0)
			end = off + row.len * row.repeat;
		if (rc == 0)
			rc = stream_tick(w, "verify", end, err);
	}
	if (rc == STORE_ENOTFOUND)
		rc = end == w->ingest.held.ref.size
			? 0
			: store_error_set(err, STORE_ECORRUPT,
				  "what was stored reads back with another length");
	seq_cursor_free(c);
	buf_release(&chunk);
	return rc;
}

/* ---- staging */

struct staging {
	struct store_writer *w;
	struct stage_batch *batch;
};

static int apply(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	struct staging *s = ctx;
	struct stage_row row;
	bool has_row;
	int rc = check(s->w, txn, &row, &has_row, err);

	return rc == 0 ? stage_batch_apply(s->batch, txn, number, err) : rc;
}

static void compare(struct store_writer *w, const struct stage_row *row)
{
	const struct file_ref *ref = &w->ingest.held.ref;

	w->is_staged = row && row->kind == w->job.kind && row->ref.size == ref->size &&
		row->ref.height == ref->height && id_eq(&row->ref.id, &ref->id);
}

static int set_row(struct store_writer *w, struct store_error *err)
{
	const struct job *job = &w->ingest.held.job;
	const struct stage_row row = { .kind = job->kind,
		.class = job->class,
		.ref = w->ingest.held.ref,
		.stat = job->stat,
		.meta = job->meta,
		.meta_len = job->meta_len };
	struct staging s = { w, stage_batch_new() };
	const struct publication p = { .writer = w->ingest.writer, .apply = apply, .ctx = &s };
	int rc;

	if (!s.batch)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = stage_batch_set(s.batch, w->path, strlen(w->path), &row, err);
	if (rc == 0)
		rc = stage_batch_record(s.batch, w->ingest.writer, err);
	if (rc == 0)
		rc = publish(w->repo->odb, &p, NULL, err);
	stage_batch_free(s.batch);
	return rc;
}

int stream_stage(struct store_writer *w, struct store_error *err)
{
	const int rc = stream_check(w, compare, err);

	if (rc != 0)
		return rc;
	return w->is_staged ? stream_flush(w, err) : set_row(w, err);
}
