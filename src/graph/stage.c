/*
 * Rows of the stage and how to find them. Changing them is stage_batch.c; building trees aside is
 * stage_fresh.c.
 *
 * A file row: kind, class, height, id, size, stat data, meta value. A directory row: kind, number,
 * own meta value. Row codes are private to db/, which is rebuilt from packs, so they may change
 * with a version of the software.
 */
#include "graph/stage_internal.h"

#include <stdlib.h>

#include "base/error.h"
#include "data/limits.h"

#define STAT_LEN 44
#define DIR_ROOT 1u
#define DIR_META 2u

static int bad_row(struct store_error *err)
{
	return store_error_set(err, STORE_ECORRUPT,
		"a row of the stage is malformed; run 'store fsck --rebuild'");
}

int stage_row_encode(struct buf *out, const struct stage_row *row, struct store_error *err)
{
	const struct stage_stat *st = &row->stat;

	buf_clear(out);
	buf_add_u8(out, row->kind);
	if (row->kind == ENTRY_DIR) {
		buf_add_le64(out, row->dir);
	} else {
		buf_add_u8(out, row->class);
		buf_add_u8(out, row->ref.height);
		buf_add(out, row->ref.id.b, ID_LEN);
		buf_add_leb(out, row->ref.size);
		buf_add_le64(out, st->size);
		buf_add_le64(out, (uint64_t)st->mtime_ns);
		buf_add_le64(out, (uint64_t)st->ctime_ns);
		buf_add_le64(out, st->ino);
		buf_add_le32(out, st->mode);
		buf_add_le64(out, (uint64_t)st->clock_ns);
	}
	buf_add(out, row->meta, row->meta_len);
	return buf_check(out, err);
}

int stage_row_decode(struct stage_row *row, const void *data, size_t len, struct store_error *err)
{
	struct span s = span_of(data, len);
	const uint8_t *id;

	memset(row, 0, sizeof(*row));
	row->kind = span_u8(&s);
	if (row->kind == ENTRY_DIR) {
		row->dir = span_le64(&s);
	} else {
		row->class = span_u8(&s);
		row->ref.height = span_u8(&s);
		id = span_take(&s, ID_LEN);
		if (id)
			memcpy(row->ref.id.b, id, ID_LEN);
		row->ref.size = span_leb(&s);
		row->stat.size = span_le64(&s);
		row->stat.mtime_ns = (int64_t)span_le64(&s);
		row->stat.ctime_ns = (int64_t)span_le64(&s);
		row->stat.ino = span_le64(&s);
		row->stat.mode = span_le32(&s);
		row->stat.clock_ns = (int64_t)span_le64(&s);
	}
	if (s.bad || row->kind < ENTRY_FILE || row->kind > ENTRY_LINK)
		return bad_row(err);
	row->meta = s.p;
	row->meta_len = span_left(&s);
	return 0;
}

int stage_root(struct env_txn *t, uint64_t *dir, struct store_error *err)
{
	const int rc = env_number(t, "root", dir, err);

	return rc == 0 && *dir == 0 ? bad_row(err) : rc;
}

static int get_row(struct env_txn *t, enum env_table table, uint64_t dir, const void *name,
	size_t len, struct env_val *v, struct store_error *err)
{
	struct stage_key k;

	stage_key_set(&k, dir, name, len);
	return env_get(t, table, k.b, k.len, v, err);
}

int stage_get(struct env_txn *t, uint64_t dir, const void *name, size_t len, struct stage_row *row,
	struct store_error *err)
{
	struct env_val v;
	const int rc = get_row(t, ENV_STAGE, dir, name, len, &v, err);

	return rc == 0 ? stage_row_decode(row, v.data, v.len, err) : rc;
}

int stage_find(struct env_txn *t, const char *path, size_t len, struct stage_row *row,
	struct store_error *err)
{
	const char *end = path + len;
	int rc;

	memset(row, 0, sizeof(*row));
	row->kind = ENTRY_DIR;
	rc = stage_root(t, &row->dir, err);
	while (rc == 0 && path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		const size_t n = slash ? (size_t)(slash - path) : (size_t)(end - path);

		if (row->kind != ENTRY_DIR || n == 0 || n > LIMIT_NAME)
			return STORE_ENOTFOUND;
		rc = stage_get(t, row->dir, path, n, row, err);
		path += n + (slash != NULL);
	}
	return rc;
}

int stage_get_dir(struct env_txn *t, uint64_t dir, struct stage_dir *out, struct store_error *err)
{
	struct env_val v;
	struct span s;
	uint8_t key[8], flags;
	const uint8_t *id;
	int rc;

	memset(out, 0, sizeof(*out));
	be64_put(key, dir);
	rc = env_get(t, ENV_DIRS, key, sizeof(key), &v, err);
	if (rc == STORE_ENOTFOUND)
		return 0;
	if (rc != 0)
		return rc;
	s = span_of(v.data, v.len);
	flags = span_u8(&s);
	out->generation = span_le64(&s);
	out->has_root = flags & DIR_ROOT;
	out->has_meta = flags & DIR_META;
	if (out->has_root && entry_decode(&s, &out->root) != 0)
		return bad_row(err);
	if (out->has_meta) {
		out->meta.height = span_u8(&s);
		id = span_take(&s, ID_LEN);
		if (id)
			memcpy(out->meta.id.b, id, ID_LEN);
	}
	return s.bad || span_left(&s) != 0 ? bad_row(err) : 0;
}

int stage_set_dir(struct env_txn *t, uint64_t dir, const struct stage_dir *d,
	struct store_error *err)
{
	struct buf row = { 0 };
	uint8_t key[8];
	int rc = 0;

	be64_put(key, dir);
	buf_add_u8(&row, (d->has_root ? DIR_ROOT : 0) | (d->has_meta ? DIR_META : 0));
	buf_add_le64(&row, d->generation);
	if (d->has_root && entry_encode(&row, &d->root) == STORE_EINVAL)
		rc = store_error_set(err, STORE_EINVAL,
			"the root of a directory is no entry that a tree may have");
	if (d->has_meta) {
		buf_add_u8(&row, d->meta.height);
		buf_add(&row, d->meta.id.b, ID_LEN);
	}
	if (rc == 0)
		rc = buf_check(&row, err);
	if (rc == 0)
		rc = env_put(t, ENV_DIRS, key, sizeof(key), row.data, row.len, err);
	buf_release(&row);
	return rc;
}

struct stage_scan {
	struct env_cursor *cursor;
	uint8_t dir[8];
};

static int open_scan(struct env_txn *t, enum env_table table, uint64_t dir, struct stage_scan **out,
	struct store_error *err)
{
	struct stage_scan *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	be64_put(s->dir, dir);
	rc = env_cursor_open(t, table, &s->cursor, err);
	if (rc != 0) {
		free(s);
		return rc;
	}
	env_cursor_seek(s->cursor, s->dir, sizeof(s->dir));
	*out = s;
	return 0;
}

int stage_scan_open(struct env_txn *t, uint64_t dir, struct stage_scan **out,
	struct store_error *err)
{
	return open_scan(t, ENV_STAGE, dir, out, err);
}

int stage_dirty_open(struct env_txn *t, uint64_t dir, struct stage_scan **out,
	struct store_error *err)
{
	return open_scan(t, ENV_DIRTY, dir, out, err);
}

void stage_scan_close(struct stage_scan *s)
{
	if (!s)
		return;
	env_cursor_close(s->cursor);
	free(s);
}

void stage_scan_seek(struct stage_scan *s, const void *name, size_t len)
{
	struct stage_key k;

	/* The least key behind it: the same bytes and a NUL, which no name holds. */
	stage_key_set(&k, be64_get(s->dir), name, len);
	k.b[k.len++] = 0;
	env_cursor_seek(s->cursor, k.b, k.len);
}

static int next_in_dir(struct stage_scan *s, const uint8_t **name, size_t *len, struct env_val *val,
	struct store_error *err)
{
	struct env_val key;
	const int rc = env_cursor_next(s->cursor, &key, val, err);

	if (rc != 0)
		return rc;
	if (key.len < 8 || memcmp(key.data, s->dir, 8) != 0)
		return STORE_ENOTFOUND;
	*name = (const uint8_t *)key.data + 8;
	*len = key.len - 8;
	return 0;
}

int stage_scan_next(struct stage_scan *s, const uint8_t **name, size_t *len, struct stage_row *row,
	struct store_error *err)
{
	struct env_val val;
	int rc;

	/* The row without a name holds the attributes of the top itself. */
	do {
		rc = next_in_dir(s, name, len, &val, err);
	} while (rc == 0 && *len == 0);
	return rc == 0 ? stage_row_decode(row, val.data, val.len, err) : rc;
}

int stage_dirty_next(struct stage_scan *s, const uint8_t **name, size_t *len, uint64_t *generation,
	struct store_error *err)
{
	struct env_val val;
	const int rc = next_in_dir(s, name, len, &val, err);

	if (rc != 0)
		return rc;
	if (val.len != 8)
		return bad_row(err);
	*generation = le64_get(val.data);
	return 0;
}

int stage_get_clean(struct env_txn *t, uint64_t dir, struct entry *root, bool *known,
	struct store_error *err)
{
	struct stage_scan *dirty = NULL;
	struct stage_dir cached;
	const uint8_t *name;
	uint64_t generation;
	size_t len;
	int rc = stage_get_dir(t, dir, &cached, err);

	*root = cached.root;
	*known = false;
	if (rc != 0 || !cached.has_root)
		return rc;
	rc = stage_dirty_open(t, dir, &dirty, err);
	if (rc != 0 || !dirty)
		return rc;
	rc = stage_dirty_next(dirty, &name, &len, &generation, err);
	stage_scan_close(dirty);
	*known = rc == STORE_ENOTFOUND;
	return *known ? 0 : rc;
}

int stage_dirty_has_generation(struct env_txn *t, uint64_t dir, const void *name, size_t len,
	uint64_t generation, bool *same, struct store_error *err)
{
	struct env_val v;
	const int rc = get_row(t, ENV_DIRTY, dir, name, len, &v, err);

	*same = rc == 0 && v.len == 8 && le64_get(v.data) == generation;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int stage_dirty_generation(struct env_txn *t, uint64_t dir, const void *name, size_t len,
	uint64_t *generation, struct store_error *err)
{
	struct env_val v;
	const int rc = get_row(t, ENV_DIRTY, dir, name, len, &v, err);

	*generation = 0;
	if (rc == 0 && v.len != 8)
		return bad_row(err);
	if (rc == 0)
		*generation = le64_get(v.data);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int stage_is_dirty(struct env_txn *t, uint64_t dir, const void *name, size_t len, bool *is_dirty,
	struct store_error *err)
{
	struct env_val v;
	const int rc = get_row(t, ENV_DIRTY, dir, name, len, &v, err);

	*is_dirty = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}
