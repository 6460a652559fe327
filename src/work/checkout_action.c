/*
 * Actions: what is to be done for one path, as the bytes that lie in a spool, and the words in
 * which the plan writes them down.
 *
 * They never outlive the command, so their layout is nobody's promise; it is bytes all the same,
 * for a path and recorded attributes have no fixed length.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/quote.h"
#include "work/checkout_internal.h"

int checkout_action_encode(struct buf *out, const struct checkout_action *a,
	struct store_error *err)
{
	const struct stage_row *r = &a->row;

	buf_add_u8(out, a->op);
	buf_add_u8(out, a->flags);
	buf_add_u8(out, r->kind);
	buf_add_u8(out, r->class);
	buf_add_u8(out, r->ref.height);
	buf_add(out, r->ref.id.b, ID_LEN);
	buf_add_le64(out, r->ref.size);
	buf_add_le64(out, r->stat.size);
	buf_add_le64(out, (uint64_t)r->stat.mtime_ns);
	buf_add_le64(out, (uint64_t)r->stat.ctime_ns);
	buf_add_le64(out, r->stat.ino);
	buf_add_le32(out, r->stat.mode);
	buf_add_le64(out, (uint64_t)r->stat.clock_ns);
	buf_add_le64(out, a->frees);
	buf_add_le32(out, (uint32_t)r->meta_len);
	if (r->meta_len > 0)
		buf_add(out, r->meta, r->meta_len);
	buf_add_le32(out, (uint32_t)a->seen_len);
	if (a->seen_len > 0)
		buf_add(out, a->seen, a->seen_len);
	buf_add(out, a->path, a->len);
	buf_add_u8(out, 0);
	return buf_check(out, err);
}

int checkout_action_decode(struct checkout_action *a, const void *data, size_t len,
	struct store_error *err)
{
	struct span s = span_of(data, len);
	struct stage_row *r = &a->row;
	const uint8_t *id;

	memset(a, 0, sizeof(*a));
	a->op = span_u8(&s);
	a->flags = span_u8(&s);
	r->kind = span_u8(&s);
	r->class = span_u8(&s);
	r->ref.height = span_u8(&s);
	id = span_take(&s, ID_LEN);
	if (id)
		memcpy(r->ref.id.b, id, ID_LEN);
	r->ref.size = span_le64(&s);
	r->stat.size = span_le64(&s);
	r->stat.mtime_ns = (int64_t)span_le64(&s);
	r->stat.ctime_ns = (int64_t)span_le64(&s);
	r->stat.ino = span_le64(&s);
	r->stat.mode = span_le32(&s);
	r->stat.clock_ns = (int64_t)span_le64(&s);
	a->frees = span_le64(&s);
	r->meta_len = span_le32(&s);
	r->meta = span_take(&s, r->meta_len);
	a->seen_len = span_le32(&s);
	a->seen = span_take(&s, a->seen_len);
	if (s.bad || span_left(&s) == 0 || s.end[-1] != '\0')
		return store_error_set(err, STORE_EIO,
			"a temporary file does not hold what was written to it");
	a->path = (const char *)s.p;
	a->len = span_left(&s) - 1;
	return 0;
}

bool checkout_asks_rows(const struct checkout *c)
{
	return c->options->n_paths > 0 && !c->way->at_once && !c->way->files_only;
}

/* A directory that is left is taken away before something comes in its place. */
static int look_seen(struct checkout *c, const struct checkout_visit *v,
	const struct checkout_action *a, struct buf *seen, struct store_error *err)
{
	const bool is_row = a->op == CHECKOUT_WRITE || a->op == CHECKOUT_ROW;
	struct stage_row row;
	int rc;

	if (!checkout_asks_rows(c) || v->stage_dir == 0 ||
		!(a->op == CHECKOUT_FORGET || (is_row && !v->is_leave)))
		return 0;
	rc = stage_get(c->txn, v->stage_dir, v->path + v->name_off, v->len - v->name_off, &row,
		err);
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	return stage_seen_add(seen, &row, err);
}

/* What needs no file goes straight to the rows. */
static int add_action(struct checkout *c, const struct checkout_visit *v, struct checkout_action *a,
	struct store_error *err)
{
	struct spool *to = c->way->rows_only ? &c->ops : &c->plan;
	struct buf bytes = { 0 }, seen = { 0 };
	int rc = look_seen(c, v, a, &seen, err);

	a->seen = seen.data;
	a->seen_len = seen.len;
	if (rc == 0)
		rc = checkout_action_encode(&bytes, a, err);
	if (rc == 0)
		rc = spool_add(to, bytes.data, bytes.len, err);
	buf_release(&bytes);
	buf_release(&seen);
	if (rc == 0 && a->op == CHECKOUT_WRITE)
		c->plan_writes++;
	return rc;
}

int checkout_plan_op(struct checkout *c, const struct checkout_visit *v, enum checkout_op op,
	unsigned int flags, struct store_error *err)
{
	struct checkout_action a = { .op = (uint8_t)op,
		.flags = (uint8_t)flags,
		.path = v->path,
		.len = v->len };

	return add_action(c, v, &a, err);
}

struct stage_row checkout_row_of(const struct checkout *c, const struct checkout_visit *v)
{
	const struct entry *t = &v->target;
	struct stage_row row = { .kind = t->kind, .meta = v->meta, .meta_len = v->meta_len };

	if (t->kind == ENTRY_DIR || t->kind == ENTRY_NONE)
		return row;
	row.ref = (struct file_ref){ .id = t->id, .height = t->height, .size = t->totals.size };
	if (t->kind != ENTRY_LINK)
		row.class = (uint8_t)format_class_of(odb_format(c->repo->odb), row.ref.size);
	return row;
}

int checkout_plan_row(struct checkout *c, const struct checkout_visit *v, enum checkout_op op,
	unsigned int flags, const struct stage_stat *stat, struct store_error *err)
{
	struct checkout_action a = { .op = (uint8_t)op,
		.flags = (uint8_t)flags,
		.path = v->path,
		.len = v->len };

	a.row = checkout_row_of(c, v);
	if (stat)
		a.row.stat = *stat;
	if (op == CHECKOUT_WRITE)
		c->need += a.row.ref.size;
	return add_action(c, v, &a, err);
}

int checkout_plan_over(struct checkout *c, const struct checkout_visit *v, enum checkout_op op,
	unsigned int flags, const struct worktree_entry *e, struct store_error *err)
{
	struct checkout_action a = { .op = (uint8_t)op,
		.flags = (uint8_t)flags,
		.path = v->path,
		.len = v->len };

	if (op == CHECKOUT_WRITE) {
		a.row = checkout_row_of(c, v);
		c->need += a.row.ref.size;
	}
	a.row.stat = e->stat;
	/* Where another name goes first, that alone moves ctime. */
	if (e->is_shared || !c->compare.trust_ctime)
		a.row.stat.ctime_ns = 0;
	if (!e->is_shared)
		a.frees = e->blocks * 512;
	return add_action(c, v, &a, err);
}

int checkout_check_same(int dirfd, const char *name, const struct checkout_action *a,
	struct store_error *err)
{
	const struct stage_stat *was = &a->row.stat;
	struct worktree_entry now;
	struct store_error why = { 0 };
	char shown[300];
	const int rc = worktree_stat(dirfd, name, &now, &why);

	if (rc != 0 && !worktree_is_absent(why.sys)) {
		if (err)
			*err = why;
		return rc;
	}
	if (rc != 0 ||
		(now.stat.ino == was->ino && now.stat.size == was->size &&
			now.stat.mtime_ns == was->mtime_ns &&
			(was->ctime_ns == 0 || now.stat.ctime_ns == was->ctime_ns)))
		return 0;
	return store_error_set(err, STORE_ECONFLICT,
		"'%s' was changed while the checkout ran, and stays: commit or move it, or run the command again with -f",
		quote_msg(shown, sizeof(shown), a->path, a->len));
}
