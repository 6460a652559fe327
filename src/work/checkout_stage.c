/*
 * The last step of a checkout: rows of the stage and refs, in the one publication that decides.
 *
 * The rows lie in a spool, in an order in which they can be applied: what goes before what comes in
 * its place. They are applied in parts of 5,000, all inside one transaction, because between two of
 * them another command's commit would take up a stage that is half of one revision and half of
 * another. When they are many, or a good part of the tree, a stage is built aside instead
 * (checkout_fresh.c), and the transaction makes the top point to it. With named paths HEAD stays,
 * nothing has to change at once, and every part is a publication.
 *
 * The stage record of a few changes lists them. That of many is a reset to the target, and behind
 * it what a reset does not bring (checkout_kept.c).
 *
 * Another command may have changed the stage since the plan was made: every change marks a row of
 * the top directory with its number, so a number from the plan's on means that the plan is out of
 * date. With named paths only they matter, and each row is asked for what the plan read of it, in
 * the transaction that overwrites it: an add beside them disturbs nobody. Nothing that another has
 * put there is overwritten; parts that went before stay, and the same command finishes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "odb/publish.h"
#include "odb/writer.h"
#include "work/checkout_internal.h"

#define PART_BYTES ((size_t)1 << 20)

struct decision {
	struct checkout *c;
	struct odb_writer *writer;
	struct stage_batch *batch;
	bool is_whole;  /* all rows at once, with refs */
	uint64_t fresh; /* top of a stage that was built aside; 0: none */
	struct buf record;
};

/* ---- rows */

size_t checkout_part(void)
{
#ifdef STORE_FAULTS
	const char *s = getenv("STORE_TEST_PART");

	if (s)
		return strtoull(s, NULL, 0);
#endif
	return 5000;
}

static int take_row(struct decision *d, const struct checkout_action *a, struct store_error *err)
{
	const struct checkout *c = d->c;
	int rc;

	if (c->way->files_only)
		return a->op == CHECKOUT_ROW && a->row.kind != ENTRY_DIR
			? stage_batch_touch(d->batch, a->path, a->len, &a->row, err)
			: 0;
	rc = a->op == CHECKOUT_FORGET ? stage_batch_delete(d->batch, a->path, a->len, err)
				      : stage_batch_set(d->batch, a->path, a->len, &a->row, err);
	if (rc != 0 || !checkout_asks_rows(c))
		return rc;
	/* Where files go, what is in a directory goes before it, row by row. */
	return stage_batch_expect(d->batch, a->seen, a->seen_len, c->way->rows_only ? c->epoch : 0,
		err);
}

/* The next part of the rows into the batch; empty at the end. */
static int next_part(struct decision *d, struct store_error *err)
{
	struct checkout_action a;
	int rc = 0;

	stage_batch_clear(d->batch);
	while (stage_batch_count(d->batch) < checkout_part() &&
		stage_batch_bytes(d->batch) < PART_BYTES) {
		rc = spool_next(&d->c->ops, &d->record, err);
		if (rc == 0)
			rc = checkout_action_decode(&a, d->record.data, d->record.len, err);
		if (rc == 0)
			rc = take_row(d, &a, err);
		if (rc != 0)
			break;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int apply_all(struct decision *d, struct env_txn *txn, uint64_t number,
	struct store_error *err)
{
	/* Run again after a full map: from the start. */
	int rc = spool_rewind(&d->c->ops, err);

	if (rc != 0)
		return rc;
	do {
		rc = next_part(d, err);
		if (rc == 0)
			rc = stage_batch_apply(d->batch, txn, number, err);
	} while (rc == 0 && stage_batch_count(d->batch) > 0);
	return rc;
}

/* ---- the record */

static int record_reset(struct decision *d, struct store_error *err)
{
	const struct checkout *c = d->c;
	struct buf op = { 0 };
	int rc;

	buf_add_u8(&op, STAGE_RESET);
	buf_add_leb(&op, 0);
	buf_add_u8(&op, c->target.height);
	buf_add(&op, c->target.id.b, ID_LEN);
	buf_add_u8(&op, c->has_meta);
	if (c->has_meta) {
		buf_add_u8(&op, c->meta.height);
		buf_add(&op, c->meta.id.b, ID_LEN);
	}
	rc = buf_check(&op, err);
	if (rc == 0)
		rc = writer_add_op(d->writer, op.data, op.len, err);
	buf_release(&op);
	return rc;
}

static int record(struct decision *d, struct store_error *err)
{
	struct checkout *c = d->c;
	int rc;

	if (c->options->n_paths == 0 && c->ops.count > checkout_part()) {
		rc = record_reset(d, err);
		return rc == 0 ? checkout_keep(c, d->writer, err) : rc;
	}
	rc = spool_rewind(&c->ops, err);
	if (rc != 0)
		return rc;
	do {
		rc = next_part(d, err);
		if (rc == 0)
			rc = stage_batch_record(d->batch, d->writer, err);
	} while (rc == 0 && stage_batch_count(d->batch) > 0);
	return rc;
}

/* ---- publications */

static int check_stage(const struct checkout *c, struct env_txn *txn, struct store_error *err)
{
	struct stage_dir top;
	struct stage_scan *dirty;
	const uint8_t *name;
	uint64_t root, newest = 0, generation;
	size_t len;
	int rc = stage_root(txn, &root, err);

	if (rc == 0)
		rc = stage_get_dir(txn, root, &top, err);
	if (rc == 0)
		rc = stage_dirty_open(txn, root, &dirty, err);
	if (rc != 0)
		return rc;
	newest = top.generation;
	while ((rc = stage_dirty_next(dirty, &name, &len, &generation, err)) == 0)
		newest = generation > newest ? generation : newest;
	stage_scan_close(dirty);
	if (rc != STORE_ENOTFOUND)
		return rc;
	if (root == c->stage_root && newest < c->epoch)
		return 0;
	return store_error_set(err, STORE_EBUSY,
		"the stage was changed by another command meanwhile; run the %s again",
		c->way->name);
}

/* The branch must still name the commit that was checked out. */
static int check_branch(const struct checkout *c, struct env_txn *txn, struct store_error *err)
{
	struct oid now;
	int rc;

	if (!c->branch[0] || c->makes_branch || !c->has_commit)
		return 0;
	rc = refs_resolve(txn, c->branch, &now, err);
	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	if (rc == 0 && id_eq(&now, &c->commit))
		return 0;
	return store_error_set(err, STORE_EBUSY,
		"'%s' was moved by another command meanwhile; run the %s again", c->branch,
		c->way->name);
}

/* The branch that is moved must still be the one that HEAD is on. */
static int check_head(const struct checkout *c, struct env_txn *txn, struct store_error *err)
{
	const struct refs_head *was = &c->before;
	struct refs_head now;
	const int rc = c->way->moves_branch ? refs_head(txn, &now, err) : STORE_ENOTFOUND;

	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	if (strcmp(now.branch, was->branch) == 0 &&
		(was->branch[0] || id_eq(&now.commit, &was->commit)))
		return 0;
	return store_error_set(err, STORE_EBUSY,
		"HEAD was moved by another command meanwhile; run the %s again", c->way->name);
}

static int apply(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	struct decision *d = ctx;
	struct checkout *c = d->c;
	int rc;

	if (!d->is_whole) {
		rc = stage_batch_apply(d->batch, txn, number, err);
		return rc == STORE_EBUSY
			? store_error_wrap(err, rc, "run the %s again", c->way->name)
			: rc;
	}
	/* Without a target the stage stays as it is, whatever it is. */
	rc = c->target.kind == ENTRY_DIR ? check_stage(c, txn, err) : 0;
	if (rc == 0)
		rc = check_branch(c, txn, err);
	if (rc == 0)
		rc = check_head(c, txn, err);
	if (rc == 0)
		rc = d->fresh != 0 ? stage_swap_root(txn, d->fresh, err)
				   : apply_all(d, txn, number, err);
	return rc == 0 ? refs_update_apply(&c->update, txn, number, err) : rc;
}

static int log_refs(void *ctx, uint64_t number, struct buf *out, struct store_error *err)
{
	const struct decision *d = ctx;

	return refs_update_log(&d->c->update, number, out, err);
}

static int publish_whole(struct decision *d, struct store_error *err)
{
	struct checkout *c = d->c;
	struct publication p = { .writer = d->writer, .apply = apply, .ctx = d };
	int rc = 0;

	d->is_whole = true;
	if (c->update.count > 0)
		p.log = log_refs;
	if (d->writer)
		rc = record(d, err);
	if (rc == 0 && d->writer && checkout_fresh_pays(c))
		rc = checkout_fresh_build(c, writer_id(d->writer), &d->fresh, err);
	if (rc == 0)
		rc = publish(c->repo->odb, &p, NULL, err);
	if (rc == 0 && d->fresh != 0)
		checkout_fresh_sweep(c);
	return rc;
}

static int publish_parts(struct decision *d, struct store_error *err)
{
	const struct publication p = { .writer = d->writer,
		.apply = apply,
		.ctx = d,
		.only_if_free = d->c->way->files_only };
	int rc = spool_rewind(&d->c->ops, err);

	while (rc == 0) {
		rc = next_part(d, err);
		if (rc != 0 || stage_batch_count(d->batch) == 0)
			return rc;
		/* New stat data is a favour: without it the files are read once more. */
		if (d->c->way->files_only && publish(d->c->repo->odb, &p, NULL, NULL) != 0)
			return 0;
		if (d->c->way->files_only)
			continue;
		rc = stage_batch_record(d->batch, d->writer, err);
		if (rc == 0)
			rc = publish(d->c->repo->odb, &p, NULL, err);
	}
	return rc;
}

int checkout_publish(struct checkout *c, struct store_error *err)
{
	struct decision d = { .c = c };
	struct writer_stats w = { 0 };
	int rc = 0;

	if (c->ops.count == 0 && c->update.count == 0)
		return 0;
	d.batch = stage_batch_new();
	if (!d.batch)
		return checkout_no_memory(err);
	if (c->ops.count > 0 && !c->way->files_only) {
		rc = writer_new(&d.writer, c->repo->odb, err);
		if (rc == 0)
			rc = writer_register(d.writer, err);
	}
	if (rc == 0)
		rc = c->options->n_paths > 0 && !c->way->at_once ? publish_parts(&d, err)
								 : publish_whole(&d, err);
	if (d.writer)
		writer_get_stats(d.writer, &w);
	c->result->stats.publications += d.writer ? w.publications : rc == 0;
	c->result->stats.stored_bytes += w.stored_bytes;
	writer_free(d.writer);
	stage_batch_free(d.batch);
	buf_release(&d.record);
	return rc;
}
