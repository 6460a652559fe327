/*
 * A batch of changes to the stage: gathered by one operation, written to the pack as a stage
 * record, and applied to the rows inside the publication.
 *
 * Batches name directories by components, never by number, so that another command may have put
 * other numbers in place meanwhile. Operations usually come in walk order: the numbers of the
 * directories on the way to the last one are kept, and what they share with the next is neither
 * looked up nor marked dirty twice.
 */
#include "graph/stage_internal.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/quote.h"
#include "odb/writer.h"

struct op {
	enum stage_op_kind kind;
	size_t path, path_len; /* in strings */
	size_t meta;           /* in strings; row.meta_len bytes */
	size_t to, to_len;     /* of a move: in strings */
	bool expects;          /* the row that was read: */
	size_t seen, seen_len; /* in strings */
	uint64_t since;
	struct stage_row row;
};

struct stage_batch {
	struct op *ops;
	size_t count, cap;
	struct buf strings;
};

struct stage_batch *stage_batch_new(void)
{
	return calloc(1, sizeof(struct stage_batch));
}

void stage_batch_free(struct stage_batch *b)
{
	if (!b)
		return;
	free(b->ops);
	buf_release(&b->strings);
	free(b);
}

void stage_batch_clear(struct stage_batch *b)
{
	b->count = 0;
	buf_clear(&b->strings);
}

size_t stage_batch_count(const struct stage_batch *b)
{
	return b->count;
}

size_t stage_batch_bytes(const struct stage_batch *b)
{
	return b->strings.len + b->count * 64;
}

static int add(struct stage_batch *b, enum stage_op_kind kind, const char *path, size_t len,
	const struct stage_row *row, struct store_error *err)
{
	struct op *op;

	if (mem_grow(&b->ops, &b->cap, b->count + 1, sizeof(*b->ops)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	op = &b->ops[b->count];
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->path = b->strings.len;
	op->path_len = len;
	buf_add(&b->strings, path, len);
	if (row) {
		op->row = *row;
		op->meta = b->strings.len;
		buf_add(&b->strings, row->meta, row->meta_len);
	}
	b->count++;
	return buf_check(&b->strings, err);
}

int stage_batch_set(struct stage_batch *b, const char *path, size_t len,
	const struct stage_row *row, struct store_error *err)
{
	return add(b, STAGE_SET, path, len, row, err);
}

int stage_batch_delete(struct stage_batch *b, const char *path, size_t len, struct store_error *err)
{
	return add(b, STAGE_DELETE, path, len, NULL, err);
}

int stage_batch_move(struct stage_batch *b, const char *from, size_t from_len, const char *to,
	size_t to_len, struct store_error *err)
{
	struct op *op;
	int rc;

	if (from_len == 0 || to_len == 0 ||
		(from_len <= to_len && memcmp(from, to, from_len) == 0 &&
			(from_len == to_len || to[from_len] == '/')))
		return store_error_set(err, STORE_EINVAL, "nothing can be moved into itself");
	rc = add(b, STAGE_MOVE, from, from_len, NULL, err);
	if (rc != 0)
		return rc;
	op = &b->ops[b->count - 1];
	op->to = b->strings.len;
	op->to_len = to_len;
	buf_add(&b->strings, to, to_len);
	return buf_check(&b->strings, err);
}

int stage_batch_touch(struct stage_batch *b, const char *path, size_t len,
	const struct stage_row *row, struct store_error *err)
{
	return add(b, STAGE_TOUCH, path, len, row, err);
}

int stage_seen_add(struct buf *out, const struct stage_row *row, struct store_error *err)
{
	if (!row)
		return 0;
	buf_add_u8(out, row->kind);
	if (row->kind == ENTRY_DIR) {
		buf_add_le64(out, row->dir);
	} else {
		buf_add_u8(out, row->ref.height);
		buf_add_le64(out, row->ref.size);
		buf_add(out, row->ref.id.b, ID_LEN);
	}
	if (row->meta_len > 0)
		buf_add(out, row->meta, row->meta_len);
	return buf_check(out, err);
}

int stage_batch_expect(struct stage_batch *b, const void *seen, size_t len, uint64_t since,
	struct store_error *err)
{
	struct op *op = &b->ops[b->count - 1];

	op->expects = true;
	op->seen = b->strings.len;
	op->seen_len = len;
	op->since = since;
	if (len > 0)
		buf_add(&b->strings, seen, len);
	return buf_check(&b->strings, err);
}

/* ---- the record */

static void record_path(struct buf *out, const uint8_t *path, size_t len)
{
	size_t at;

	buf_add_leb(out, len);
	at = out->len;
	buf_add(out, path, len);
	for (; !out->failed && at < out->len; at++) {
		if (out->data[at] == '/')
			out->data[at] = 0;
	}
}

static int record_one(const struct stage_batch *b, const struct op *op, struct buf *out,
	struct store_error *err)
{
	const struct stage_row *r = &op->row;

	buf_clear(out);
	buf_add_u8(out, (uint8_t)op->kind);
	record_path(out, buf_from(&b->strings, op->path), op->path_len);
	if (op->kind == STAGE_MOVE)
		record_path(out, buf_from(&b->strings, op->to), op->to_len);
	if (op->kind == STAGE_SET) {
		buf_add_u8(out, r->kind);
		if (r->kind != ENTRY_DIR) {
			buf_add_u8(out, r->class);
			buf_add_u8(out, r->ref.height);
			buf_add(out, r->ref.id.b, ID_LEN);
			buf_add_leb(out, r->ref.size);
		}
		buf_add_leb(out, r->meta_len);
		if (r->meta_len > 0)
			buf_add(out, buf_from(&b->strings, op->meta), r->meta_len);
	}
	return buf_check(out, err);
}

int stage_batch_record(const struct stage_batch *b, struct odb_writer *w, struct store_error *err)
{
	struct buf op = { 0 };
	int rc = 0;

	for (size_t i = 0; i < b->count && rc == 0; i++) {
		if (b->ops[i].kind == STAGE_TOUCH)
			continue;
		rc = record_one(b, &b->ops[i], &op, err);
		if (rc == 0)
			rc = writer_add_op(w, op.data, op.len, err);
	}
	buf_release(&op);
	return rc;
}

/* ---- the rows */

struct step {
	uint64_t dir;    /* number of the directory this component lies in */
	size_t off, len; /* the component, in strings */
};

struct apply {
	const struct stage_batch *batch;
	struct env_txn *txn;
	uint64_t generation;
	struct step *steps; /* directories above the last operation's entry, from the top */
	size_t depth, cap;
	size_t marked; /* so many of them are marked dirty */
	uint64_t dir;  /* the directory the last step led to */
	uint64_t root;
	bool clean; /* nothing gets dirty */
	struct buf row;
};

static const uint8_t *text(const struct apply *a, size_t off)
{
	return buf_from(&a->batch->strings, off);
}

static int mark_dirty(struct apply *a, uint64_t dir, const void *name, size_t len,
	struct store_error *err)
{
	struct stage_key k;
	uint8_t generation[8];

	stage_key_set(&k, dir, name, len);
	le64_put(generation, a->generation);
	return env_put(a->txn, ENV_DIRTY, k.b, k.len, generation, sizeof(generation), err);
}

static int put_row(struct apply *a, uint64_t dir, const void *name, size_t len,
	const struct stage_row *row, struct store_error *err)
{
	struct stage_key k;
	int rc = stage_row_encode(&a->row, row, err);

	stage_key_set(&k, dir, name, len);
	return rc == 0 ? env_put(a->txn, ENV_STAGE, k.b, k.len, a->row.data, a->row.len, err) : rc;
}

/*
 * Go into the directory `name` of a->dir. make: create it, in place of whatever else stands there.
 */
static int enter(struct apply *a, size_t off, size_t len, bool make, struct store_error *err)
{
	struct stage_row row;
	int rc = stage_get(a->txn, a->dir, text(a, off), len, &row, err);

	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	if (rc == STORE_ENOTFOUND || row.kind != ENTRY_DIR) {
		if (!make)
			return STORE_ENOTFOUND;
		memset(&row, 0, sizeof(row));
		row.kind = ENTRY_DIR;
		rc = stage_fresh(a->txn, &row.dir, err);
		if (rc == 0)
			rc = put_row(a, a->dir, text(a, off), len, &row, err);
		if (rc != 0)
			return rc;
	}
	if (mem_grow(&a->steps, &a->cap, a->depth + 1, sizeof(*a->steps)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	a->steps[a->depth++] = (struct step){ a->dir, off, len };
	a->dir = row.dir;
	return 0;
}

/* Keep the steps that the path at off shares; returns how many bytes of it they cover. */
static size_t keep_shared(struct apply *a, size_t off, size_t len)
{
	size_t used = 0, i = 0;

	for (; i < a->depth; i++) {
		const struct step *s = &a->steps[i];

		/* There must be a component behind it: the entry itself is no step. */
		if (used + s->len >= len || text(a, off)[used + s->len] != '/' ||
			memcmp(text(a, off + used), text(a, s->off), s->len) != 0)
			break;
		used += s->len + 1;
	}
	if (i < a->depth) {
		a->dir = a->steps[i].dir;
		a->depth = i;
		a->marked = a->marked < i ? a->marked : i;
	}
	return used;
}

/* Stand in the directory that holds the entry of op; *name, *len: the entry's own name. */
static int descend(struct apply *a, const struct op *op, bool make, size_t *name, size_t *len,
	struct store_error *err)
{
	size_t used = keep_shared(a, op->path, op->path_len);

	for (;;) {
		const uint8_t *at = text(a, op->path + used);
		const uint8_t *slash = memchr(at, '/', op->path_len - used);
		int rc;

		if (!slash)
			break;
		rc = enter(a, op->path + used, (size_t)(slash - at), make, err);
		if (rc != 0)
			return rc;
		used += (size_t)(slash - at) + 1;
	}
	*name = op->path + used;
	*len = op->path_len - used;
	return 0;
}

static int mark_way(struct apply *a, size_t name, size_t len, struct store_error *err)
{
	int rc;

	if (a->clean)
		return 0;
	rc = mark_dirty(a, a->dir, text(a, name), len, err);
	for (; a->marked < a->depth && rc == 0; a->marked++) {
		const struct step *s = &a->steps[a->marked];

		rc = mark_dirty(a, s->dir, text(a, s->off), s->len, err);
	}
	return rc;
}

static int apply_set(struct apply *a, const struct op *op, size_t name, size_t len,
	struct store_error *err)
{
	struct stage_row row = op->row, old;
	int rc;

	row.meta = row.meta_len > 0 ? text(a, op->meta) : NULL;
	rc = stage_get(a->txn, a->dir, text(a, name), len, &old, err);
	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	if (len == 0) {
		row.dir = a->root;
	} else if (rc == 0 && old.kind == ENTRY_DIR && row.kind == ENTRY_DIR) {
		row.dir = old.dir;
	} else {
		const bool bury_old = rc == 0 && old.kind == ENTRY_DIR;

		rc = bury_old ? stage_bury(a->txn, old.dir, 0, err) : 0;
		if (rc == 0 && row.kind == ENTRY_DIR)
			rc = stage_fresh(a->txn, &row.dir, err);
		if (rc != 0)
			return rc;
	}
	rc = put_row(a, a->dir, text(a, name), len, &row, err);
	return rc == 0 ? mark_way(a, name, len, err) : rc;
}

static int apply_delete(struct apply *a, size_t name, size_t len, struct store_error *err)
{
	struct stage_row old;
	struct stage_key k;
	uint64_t dead;
	int rc = stage_get(a->txn, a->dir, text(a, name), len, &old, err);

	if (rc != 0 || len == 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	dead = old.kind == ENTRY_DIR ? old.dir : 0;
	stage_key_set(&k, a->dir, text(a, name), len);
	rc = env_del(a->txn, ENV_STAGE, k.b, k.len, err);
	if (rc == 0 && dead != 0)
		rc = stage_bury(a->txn, dead, 0, err);
	return rc == 0 ? mark_way(a, name, len, err) : rc;
}

/* What is below a directory that moves is reached another way from now on. */
static void forget_steps(struct apply *a)
{
	a->depth = a->marked = 0;
	a->dir = a->root;
}

/* Put row, whose number is in use, under the new name; meta: its attributes. */
static int put_moved(struct apply *a, const struct op *op, struct stage_row *row,
	const struct buf *meta, struct store_error *err)
{
	const struct op to = { .path = op->to, .path_len = op->to_len };
	struct stage_row old;
	size_t name = 0, len = 0;
	int rc;

	forget_steps(a);
	rc = descend(a, &to, true, &name, &len, err);
	if (rc != 0)
		return rc;
	rc = stage_get(a->txn, a->dir, text(a, name), len, &old, err);
	if (rc == 0 && old.kind == ENTRY_DIR)
		rc = stage_bury(a->txn, old.dir, 0, err);
	else if (rc == STORE_ENOTFOUND)
		rc = 0;
	row->meta = meta->data;
	if (rc == 0)
		rc = put_row(a, a->dir, text(a, name), len, row, err);
	if (rc == 0)
		rc = mark_way(a, name, len, err);
	forget_steps(a);
	return rc;
}

static int apply_move(struct apply *a, const struct op *op, size_t name, size_t len,
	struct store_error *err)
{
	struct buf meta = { 0 };
	struct stage_row row;
	struct stage_key k;
	int rc = stage_get(a->txn, a->dir, text(a, name), len, &row, err);

	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	if (buf_set(&meta, row.meta, row.meta_len) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	stage_key_set(&k, a->dir, text(a, name), len);
	rc = env_del(a->txn, ENV_STAGE, k.b, k.len, err);
	if (rc == 0)
		rc = mark_way(a, name, len, err);
	if (rc == 0)
		rc = put_moved(a, op, &row, &meta, err);
	buf_release(&meta);
	return rc;
}

/* New stat data only for the very content it was taken of. */
static int apply_touch(struct apply *a, const struct op *op, size_t name, size_t len,
	struct store_error *err)
{
	struct stage_row old;
	int rc = stage_get(a->txn, a->dir, text(a, name), len, &old, err);

	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	if (old.kind != op->row.kind || old.ref.size != op->row.ref.size ||
		!id_eq(&old.ref.id, &op->row.ref.id))
		return 0;
	old.stat = op->row.stat;
	return put_row(a, a->dir, text(a, name), len, &old, err);
}

/* ---- the row that was read */

static int lost(const struct apply *a, const struct op *op, struct store_error *err)
{
	char shown[300];

	return store_error_set(err, STORE_EBUSY,
		"'%s' was changed in the stage by another command meanwhile",
		quote_msg(shown, sizeof(shown), text(a, op->path), op->path_len));
}

/* Was anything changed below dir, whose row is (a->dir, name), from op->since on? */
static int is_changed_below(struct apply *a, const struct op *op, size_t name, size_t len,
	uint64_t dir, bool *changed, struct store_error *err)
{
	struct stage_scan *rows = NULL;
	struct stage_row row;
	struct stage_dir cached;
	const uint8_t *below;
	size_t below_len;
	uint64_t generation = 0;
	int rc;

	if (op->since == 0) {
		rc = stage_scan_open(a->txn, dir, &rows, err);
		if (rc == 0)
			rc = stage_scan_next(rows, &below, &below_len, &row, err);
		*changed = rc == 0;
		stage_scan_close(rows);
		return rc == STORE_ENOTFOUND ? 0 : rc;
	}
	rc = stage_dirty_generation(a->txn, a->dir, text(a, name), len, &generation, err);
	/* A commit that took a change up leaves its own number. */
	if (rc == 0)
		rc = stage_get_dir(a->txn, dir, &cached, err);
	if (rc == 0)
		*changed = generation >= op->since || cached.generation >= op->since;
	return rc;
}

static int check_seen(struct apply *a, const struct op *op, size_t name, size_t len,
	struct store_error *err)
{
	struct stage_row row;
	int rc = stage_get(a->txn, a->dir, text(a, name), len, &row, err);
	const bool found = rc == 0;
	bool changed;

	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	buf_clear(&a->row);
	rc = stage_seen_add(&a->row, found ? &row : NULL, err);
	if (rc != 0)
		return rc;
	changed = a->row.len != op->seen_len ||
		(op->seen_len > 0 && memcmp(a->row.data, text(a, op->seen), op->seen_len) != 0);
	if (!changed && found && row.kind == ENTRY_DIR &&
		!(op->kind == STAGE_SET && op->row.kind == ENTRY_DIR))
		rc = is_changed_below(a, op, name, len, row.dir, &changed, err);
	return rc == 0 && changed ? lost(a, op, err) : rc;
}

static int apply_op(struct apply *a, const struct op *op, struct store_error *err)
{
	size_t name = 0, len = 0;
	int rc = descend(a, op, op->kind == STAGE_SET && !op->expects, &name, &len, err);

	if (rc == STORE_ENOTFOUND && op->expects)
		return lost(a, op, err);
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	if (op->expects)
		rc = check_seen(a, op, name, len, err);
	if (rc != 0)
		return rc;
	switch (op->kind) {
	case STAGE_SET:
		return apply_set(a, op, name, len, err);
	case STAGE_DELETE:
		return apply_delete(a, name, len, err);
	case STAGE_MOVE:
		return apply_move(a, op, name, len, err);
	default:
		return apply_touch(a, op, name, len, err);
	}
}

int stage_batch_apply(const struct stage_batch *b, struct env_txn *t, uint64_t number,
	struct store_error *err)
{
	uint64_t root;
	const int rc = stage_root(t, &root, err);

	return rc == 0 ? stage_batch_apply_to(b, t, root, false, number, err) : rc;
}

int stage_batch_apply_to(const struct stage_batch *b, struct env_txn *t, uint64_t root, bool clean,
	uint64_t number, struct store_error *err)
{
	struct apply a = { .batch = b, .txn = t, .generation = number, .clean = clean };
	int rc = 0;

	a.root = a.dir = root;
	for (size_t i = 0; i < b->count && rc == 0; i++)
		rc = apply_op(&a, &b->ops[i], err);
	free(a.steps);
	buf_release(&a.row);
	return rc;
}
