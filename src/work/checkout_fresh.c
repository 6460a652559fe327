/*
 * The stage of a checkout that changes much: built aside, put in place at once.
 *
 * Rows of many changes would hold the gate for as long as they take to write. So a whole new stage
 * is built under numbers that nobody can reach, in publications of at most 5,000 rows, and the
 * deciding one only makes the top point to it. The old one goes to `dead`, and is swept in batches
 * when the gate is free, here or with later publications.
 *
 *     1. numbers for all directories of the target are taken; the top goes to `dead`, owned by this
 *        writer, so that an interrupted build is swept like any directory that fell out of use
 *     2. rows of the target, each directory with its maps as cached roots: nothing is dirty.  Where
 *        the stage has the same content at the same path its attributes are taken over
 *     3. rows of what was written, which bring the attributes of the new files
 *     4. what was staged before and stays; this is dirty
 *
 * None of these publications has a stage record: what a killed checkout built here is in no pack,
 * and no rebuild shows it. The deciding publication's record is a reset to the target and, behind
 * it, what step 4 did.
 *
 * No read transaction is open while one of them is published, so that the database may grow; the
 * stage is looked at anew for every part. Whether another command changed it meanwhile is asked by
 * the deciding transaction.
 *
 * It costs rows of the whole target, so it is done only when what changes is a good part of it, or
 * so much that one transaction would not be small: LMDB holds every page that it touches in memory
 * until it commits. Of rows of usual length 25 fill a page, so where every ninth changes 20,000 of
 * them touch 7,100 pages, which are 29 MB.
 * Fault point: checkout.fresh (before each publication).
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/mem.h"
#include "graph/map.h"
#include "odb/publish.h"
#include "work/checkout_internal.h"

#define PART_BYTES ((size_t)1 << 20)
/* At least one entry in so many has to change. */
#define SHARE 8
/* More parts than these are never put into one transaction, however large the tree is. */
#define PARTS_AT_ONCE 4

struct new_row {
	uint64_t dir;
	size_t name, name_len, meta; /* in strings */
	struct stage_row row;
	struct stage_dir cached; /* kind dir */
};

struct fresh {
	struct checkout *c;
	uint64_t owner;       /* the writer that builds */
	uint64_t first, next; /* numbers taken, and the next to be given out */
	struct checkout_walk *walk;
	uint64_t *dirs; /* fresh numbers of the directories around the next visit */
	size_t depth, cap;
	struct new_row *rows; /* checkout_part() of them */
	size_t count;
	struct buf strings;
	struct stage_batch *batch; /* steps 3 and 4 */
	bool is_clean;             /* step 3 */
};

bool checkout_fresh_pays(const struct checkout *c)
{
	const uint64_t entries = c->target.totals.files + c->target.totals.dirs;

	return c->options->n_paths == 0 && c->has_commit && c->ops.count > checkout_part() &&
		(c->ops.count >= entries / SHARE || c->ops.count > PARTS_AT_ONCE * checkout_part());
}

static int publish_step(struct fresh *f,
	int (*apply)(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err),
	struct store_error *err)
{
	/* Without the writer: its pack waits for the deciding publication. */
	const struct publication p = { .apply = apply, .ctx = f };

	if (FAULT("checkout.fresh"))
		return store_error_sys(err, "cannot build the stage");
	f->c->result->stats.publications++;
	return publish(f->c->repo->odb, &p, NULL, err);
}

/* ---- the top */

static struct stage_dir cached_of(const struct entry *root, bool has_meta,
	const struct map_ref *meta, uint64_t number)
{
	struct stage_dir d = { .generation = number,
		.has_root = true,
		.root = *root,
		.has_meta = has_meta };

	if (has_meta)
		d.meta = *meta;
	return d;
}

static int apply_top(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	struct fresh *f = ctx;
	const struct checkout *c = f->c;
	const struct stage_dir cached = cached_of(&c->target, c->has_meta, &c->meta, number);
	struct stage_row own = { .kind = ENTRY_DIR,
		.meta = f->strings.data,
		.meta_len = f->strings.len };
	int rc = stage_reserve(txn, c->target.totals.dirs + 1, &f->first, err);

	f->next = own.dir = f->first;
	if (rc == 0)
		rc = stage_bury(txn, f->first, f->owner, err);
	if (rc == 0)
		rc = stage_set_dir(txn, f->first, &cached, err);
	if (rc == 0 && own.meta_len > 0)
		rc = stage_put(txn, f->first, "", 0, &own, err);
	return rc;
}

static int take_numbers(struct fresh *f, struct store_error *err)
{
	const struct checkout *c = f->c;
	int rc = checkout_top_meta(c, c->has_meta ? &c->meta : NULL, &f->strings, err);

	return rc == 0 ? publish_step(f, apply_top, err) : rc;
}

/* ---- rows of the target */

static int give_number(struct fresh *f, uint64_t *dir, struct store_error *err)
{
	if (mem_grow(&f->dirs, &f->cap, f->depth + 1, sizeof(*f->dirs)) != 0)
		return checkout_no_memory(err);
	if (f->next - f->first > f->c->target.totals.dirs)
		return store_error_set(err, STORE_ECORRUPT,
			"the tree has more directories than it says");
	*dir = f->dirs[f->depth++] = f->next++;
	return 0;
}

/* What the stage knows of the same content at the same path. */
static int take_over(struct fresh *f, const struct checkout_visit *v, struct stage_row *row,
	uint64_t *stage_dir, struct store_error *err)
{
	struct stage_row old;
	int rc;

	*stage_dir = 0;
	if (v->stage_dir == 0)
		return 0;
	rc = stage_get(f->c->txn, v->stage_dir, v->path + v->name_off, v->len - v->name_off, &old,
		err);
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	if (old.kind == ENTRY_DIR) {
		*stage_dir = old.dir;
	} else if (old.kind == row->kind && old.ref.height == row->ref.height &&
		old.ref.size == row->ref.size && id_eq(&old.ref.id, &row->ref.id)) {
		row->stat = old.stat;
		row->class = old.class;
	}
	return 0;
}

static int take_visit(struct fresh *f, const struct checkout_visit *v, struct store_error *err)
{
	struct new_row *n = &f->rows[f->count];
	uint64_t stage_dir;
	int rc;

	memset(n, 0, sizeof(*n));
	n->dir = f->depth > 0 ? f->dirs[f->depth - 1] : f->first;
	n->row = checkout_row_of(f->c, v);
	rc = take_over(f, v, &n->row, &stage_dir, err);
	if (rc != 0)
		return rc;
	n->name = f->strings.len;
	n->name_len = v->len - v->name_off;
	buf_add(&f->strings, v->path + v->name_off, n->name_len);
	n->meta = f->strings.len;
	if (v->meta_len > 0)
		buf_add(&f->strings, v->meta, v->meta_len);
	if (f->strings.failed)
		return checkout_no_memory(err);
	f->count++;
	if (v->target.kind != ENTRY_DIR)
		return 0;
	n->cached = cached_of(&v->target, v->has_child_meta, &v->child_meta, 0);
	rc = give_number(f, &n->row.dir, err);
	return rc == 0 ? checkout_walk_enter(f->walk, stage_dir, 0, err) : rc;
}

static int apply_rows(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	struct fresh *f = ctx;
	int rc = 0;

	for (size_t i = 0; i < f->count && rc == 0; i++) {
		struct new_row *n = &f->rows[i];

		n->row.meta = n->row.meta_len > 0 ? f->strings.data + n->meta : NULL;
		n->cached.generation = number;
		rc = stage_put(txn, n->dir, f->strings.data + n->name, n->name_len, &n->row, err);
		if (rc == 0 && n->row.kind == ENTRY_DIR)
			rc = stage_set_dir(txn, n->row.dir, &n->cached, err);
	}
	return rc;
}

/* Fill a part from the walk.  STORE_ENOTFOUND: that was the last. */
static int next_rows(struct fresh *f, struct store_error *err)
{
	struct checkout_visit v;
	int rc = env_begin(odb_env(f->c->repo->odb), false, &f->c->txn, err);

	if (rc != 0) {
		f->c->txn = NULL;
		return rc;
	}
	f->count = 0;
	buf_clear(&f->strings);
	while (rc == 0 && f->count < checkout_part() && f->strings.len < PART_BYTES) {
		rc = checkout_walk_next(f->walk, &v, err);
		if (rc == 0 && v.is_leave)
			f->depth--;
		else if (rc == 0)
			rc = take_visit(f, &v, err);
	}
	env_abort(f->c->txn);
	f->c->txn = NULL;
	return rc;
}

static int put_target(struct fresh *f, struct store_error *err)
{
	const struct entry nothing = { .kind = ENTRY_NONE };
	struct checkout *c = f->c;
	int rc, ended;

	f->walk = checkout_walk_new(&c->nodes, CHECKOUT_TARGET, NULL);
	f->rows = mem_alloc_array(checkout_part(), sizeof(*f->rows));
	if (!f->walk || !f->rows)
		return checkout_no_memory(err);
	rc = checkout_walk_begin(f->walk, "", &nothing, &c->target, c->has_meta ? &c->meta : NULL,
		c->stage_root, err);
	/* The first number is the top's own. */
	f->next = f->first + 1;
	while (rc == 0) {
		rc = ended = next_rows(f, err);
		if ((rc == 0 || rc == STORE_ENOTFOUND) && f->count > 0)
			rc = publish_step(f, apply_rows, err);
		if (rc == 0)
			rc = ended;
		if (rc == 0)
			rc = checkout_tick(c, err);
	}
	free(f->rows);
	f->rows = NULL;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* ---- changes on top of it */

static int apply_batch(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	struct fresh *f = ctx;

	return stage_batch_apply_to(f->batch, txn, f->first, f->is_clean, number, err);
}

static int fill_batch(struct fresh *f, struct spool *from, struct buf *record,
	struct store_error *err)
{
	struct checkout_action a;
	int rc = 0;

	stage_batch_clear(f->batch);
	while (rc == 0 && stage_batch_count(f->batch) < checkout_part() &&
		stage_batch_bytes(f->batch) < PART_BYTES) {
		rc = spool_next(from, record, err);
		if (rc == 0)
			rc = checkout_action_decode(&a, record->data, record->len, err);
		if (rc != 0)
			break;
		if (a.op == CHECKOUT_ROW)
			rc = stage_batch_set(f->batch, a.path, a.len, &a.row, err);
		/* What the target does not have is not here. */
		else if (!f->is_clean)
			rc = stage_batch_delete(f->batch, a.path, a.len, err);
	}
	return rc;
}

static int put_spool(struct fresh *f, struct spool *from, bool clean, struct store_error *err)
{
	struct buf record = { 0 };
	int rc = spool_rewind(from, err), ended;

	f->is_clean = clean;
	while (rc == 0) {
		rc = ended = fill_batch(f, from, &record, err);
		if ((rc == 0 || rc == STORE_ENOTFOUND) && stage_batch_count(f->batch) > 0)
			rc = publish_step(f, apply_batch, err);
		if (rc == 0)
			rc = ended;
		if (rc == 0)
			rc = checkout_tick(f->c, err);
	}
	buf_release(&record);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int checkout_fresh_build(struct checkout *c, uint64_t owner, uint64_t *root,
	struct store_error *err)
{
	struct fresh f = { .c = c, .owner = owner, .batch = stage_batch_new() };
	int rc = f.batch ? take_numbers(&f, err) : checkout_no_memory(err);

	if (rc == 0)
		rc = put_target(&f, err);
	if (rc == 0)
		rc = put_spool(&f, &c->ops, true, err);
	if (rc == 0)
		rc = put_spool(&f, &c->kept, false, err);
	*root = f.first;
	checkout_walk_free(f.walk);
	stage_batch_free(f.batch);
	buf_release(&f.strings);
	free(f.dirs);
	return rc;
}

/* ---- the old one */

static int apply_sweep(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	(void)number;
	return stage_sweep(txn, checkout_part(), ctx, err);
}

void checkout_fresh_sweep(struct checkout *c)
{
	bool left = true;
	const struct publication p = { .apply = apply_sweep, .ctx = &left, .only_if_free = true };

	while (left && publish(c->repo->odb, &p, NULL, NULL) == 0)
		c->result->stats.publications++;
}
