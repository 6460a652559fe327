/*
 * What was staged before a checkout of many changes, and stays: the part of its stage record behind
 * the reset to the target, and what is put on top of a stage that is built aside.
 *
 * It must come to what the plan comes to row by row, whose lines are these (checkout_plan.c):
 *
 *     the row differs from HEAD in kind or content     it stays, else there was a conflict
 *     it is not in HEAD                                likewise
 *     it differs in recorded attributes alone          it stays where the target has what HEAD has;
 *                                                      else the target's came in its place
 *     a directory's own attributes                     stay where the target has the directory, or
 *                                                      where something in it stays
 *
 * The walk goes over HEAD's tree and the rows of the stage, into directories in which something is
 * marked as changed.  The target is asked only about what it may have taken the place of.
 */
#include <string.h>

#include "base/error.h"
#include "graph/tree.h"
#include "odb/writer.h"
#include "work/checkout_internal.h"

#define PART_BYTES ((size_t)1 << 20)

struct kept {
	struct checkout *c;
	struct odb_writer *writer;
	struct stage_batch *batch;
	struct checkout_walk *walk;
	struct buf bytes; /* of an action */
	size_t lost_len;  /* of the path of a directory that the target lacks, 0: not in one */
	struct buf made;  /* in it: the directory that was kept last for what stays below it */
};

/* Would a commit record the same attributes? */
static bool same_attributes(const struct stage_row *row, const struct checkout_visit *v)
{
	return row->meta_len == v->meta_len &&
		(v->meta_len == 0 || memcmp(row->meta, v->meta, v->meta_len) == 0);
}

static bool same_content(const struct stage_row *row, const struct entry *e)
{
	return row->kind == e->kind && row->ref.size == e->totals.size &&
		row->ref.height == e->height && id_eq(&row->ref.id, &e->id);
}

/* The batch goes to the record; what stays also to the spool, from which it is put in place. */
static int record(struct kept *k, struct store_error *err)
{
	const int rc = stage_batch_record(k->batch, k->writer, err);

	stage_batch_clear(k->batch);
	return rc;
}

/* row NULL: it was taken away. */
static int keep(struct kept *k, const char *path, size_t len, const struct stage_row *row,
	struct store_error *err)
{
	struct checkout_action a = { .op = row ? CHECKOUT_ROW : CHECKOUT_FORGET,
		.path = path,
		.len = len };
	int rc = row ? stage_batch_set(k->batch, path, len, row, err)
		     : stage_batch_delete(k->batch, path, len, err);

	if (row)
		a.row = *row;
	buf_clear(&k->bytes);
	if (rc == 0)
		rc = checkout_action_encode(&k->bytes, &a, err);
	if (rc == 0)
		rc = spool_add(&k->c->kept, k->bytes.data, k->bytes.len, err);
	if (rc == 0 &&
		(stage_batch_count(k->batch) >= checkout_part() ||
			stage_batch_bytes(k->batch) >= PART_BYTES))
		rc = record(k, err);
	return rc;
}

/* The directories around v that the target lacks: something in them stays, so they do. */
static int keep_around(struct kept *k, const struct checkout_visit *v, struct store_error *err)
{
	const char *made = buf_str(&k->made);
	size_t shared = 0;
	int rc = 0;

	if (k->lost_len == 0)
		return 0;
	if (!made)
		return checkout_no_memory(err);
	while (shared < k->made.len && shared < v->len && made[shared] == v->path[shared])
		shared++;
	for (size_t len = k->lost_len; len < v->name_off && rc == 0; len++) {
		struct stage_row row;

		/* Ends of names, and not those that were kept before. */
		if (v->path[len] != '/' ||
			(len <= shared && (len == k->made.len || made[len] == '/')))
			continue;
		rc = stage_find(k->c->txn, v->path, len, &row, err);
		if (rc == 0)
			rc = keep(k, v->path, len, &row, err);
	}
	if (rc == 0 && v->name_off > 0 && buf_set(&k->made, v->path, v->name_off - 1) != 0)
		rc = checkout_no_memory(err);
	return rc;
}

static int find_target(const struct kept *k, const struct checkout_visit *v, struct entry *e,
	struct store_error *err)
{
	const int rc = tree_find(&k->c->nodes, &k->c->target, v->path, v->len, e, err);

	if (rc == STORE_ENOTFOUND)
		memset(e, 0, sizeof(*e));
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int take_dir(struct kept *k, const struct checkout_visit *v, const struct stage_row *row,
	struct store_error *err)
{
	struct entry target;
	bool clean;
	int rc = checkout_is_clean_dir(k->c, &v->target, row->dir, &clean, err);

	if (rc != 0 || (clean && same_attributes(row, v)))
		return rc;
	rc = find_target(k, v, &target, err);
	if (rc == 0 && target.kind != ENTRY_DIR && k->lost_len == 0)
		k->lost_len = v->len;
	if (rc == 0 && target.kind == ENTRY_DIR && !same_attributes(row, v))
		rc = keep(k, v->path, v->len, row, err);
	return rc == 0 && !clean ? checkout_walk_enter(k->walk, row->dir, 0, err) : rc;
}

static int take_file(struct kept *k, const struct checkout_visit *v, const struct stage_row *row,
	struct store_error *err)
{
	struct entry target;
	int rc;

	if (!same_content(row, &v->target))
		return keep(k, v->path, v->len, row, err);
	if (same_attributes(row, v))
		return 0;
	rc = find_target(k, v, &target, err);
	return rc == 0 && same_content(row, &target) ? keep(k, v->path, v->len, row, err) : rc;
}

/* An entry of HEAD's tree, or a row that it lacks. */
static int take_visit(struct kept *k, const struct checkout_visit *v, struct store_error *err)
{
	const struct entry *e = &v->target;
	struct stage_row row;
	int rc = v->stage_dir == 0 ? STORE_ENOTFOUND
				   : stage_get(k->c->txn, v->stage_dir, v->path + v->name_off,
					     v->len - v->name_off, &row, err);

	if (rc == STORE_ENOTFOUND)
		return keep(k, v->path, v->len, NULL, err);
	if (rc != 0)
		return rc;
	if (e->kind == ENTRY_DIR && row.kind == ENTRY_DIR)
		return take_dir(k, v, &row, err);
	if (e->kind != ENTRY_NONE && row.kind != ENTRY_DIR)
		return take_file(k, v, &row, err);
	rc = keep_around(k, v, err);
	if (rc == 0)
		rc = keep(k, v->path, v->len, &row, err);
	return rc == 0 && row.kind == ENTRY_DIR ? checkout_walk_enter(k->walk, row.dir, 0, err)
						: rc;
}

static int walk(struct kept *k, struct store_error *err)
{
	const struct entry nothing = { .kind = ENTRY_NONE };
	struct checkout *c = k->c;
	struct checkout_visit v;
	int rc = checkout_walk_begin(k->walk, "", &nothing, c->has_head ? &c->head : &nothing,
		c->has_head_meta ? &c->head_meta : NULL, c->stage_root, err);

	while (rc == 0 && (rc = checkout_walk_next(k->walk, &v, err)) == 0) {
		if (!v.is_leave)
			rc = take_visit(k, &v, err);
		else if (v.len == k->lost_len)
			k->lost_len = 0;
		if (rc == 0)
			rc = checkout_tick(c, err);
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int record_rows(struct kept *k, struct store_error *err)
{
	struct checkout *c = k->c;
	int rc = env_begin(odb_env(c->repo->odb), false, &c->txn, err);

	if (rc != 0) {
		c->txn = NULL;
		return rc;
	}
	k->walk = checkout_walk_new(&c->nodes, CHECKOUT_ALL, c->txn);
	rc = k->walk ? walk(k, err) : checkout_no_memory(err);
	checkout_walk_free(k->walk);
	env_abort(c->txn);
	c->txn = NULL;
	return rc;
}

/* A reset leaves the top its own attributes: they are set behind it. */
static int record_top(struct kept *k, struct store_error *err)
{
	const struct checkout *c = k->c;
	const struct stage_row own = { .kind = ENTRY_DIR,
		.meta = c->top.data,
		.meta_len = c->top.len };

	return c->top_is_kept ? keep(k, "", 0, &own, err)
			      : stage_batch_set(k->batch, "", 0, &own, err);
}

int checkout_keep(struct checkout *c, struct odb_writer *w, struct store_error *err)
{
	struct kept k = { .c = c, .writer = w, .batch = stage_batch_new() };
	int rc = k.batch ? record_top(&k, err) : checkout_no_memory(err);

	if (rc == 0 && !checkout_is_exact(c))
		rc = record_rows(&k, err);
	if (rc == 0)
		rc = record(&k, err);
	stage_batch_free(k.batch);
	buf_release(&k.bytes);
	buf_release(&k.made);
	return rc;
}
