/*
 * Directories under fresh numbers. A tree that replaces another (checkout, reset) is built under
 * numbers that nothing names, in as many publications as it takes; the deciding one makes the top
 * point to it. Until then its numbers stand in `dead`, so that an interrupted build is swept like
 * any directory that fell out of use. Nothing ever reads a dead directory.
 *
 * A number in `dead` carries the writer that is building it, or 0; a sweep leaves alone what a
 * registered writer builds.
 */
#include "graph/stage_internal.h"

#include "base/error.h"

int stage_reserve(struct env_txn *t, uint64_t n, uint64_t *first, struct store_error *err)
{
	int rc = env_number(t, "next-dir", first, err);

	if (rc == 0 && *first == 0)
		*first = 1;
	return rc == 0 ? env_set_number(t, "next-dir", *first + n, err) : rc;
}

int stage_fresh(struct env_txn *t, uint64_t *dir, struct store_error *err)
{
	return stage_reserve(t, 1, dir, err);
}

int stage_put(struct env_txn *t, uint64_t dir, const void *name, size_t len,
	const struct stage_row *row, struct store_error *err)
{
	struct stage_key k;
	struct buf value = { 0 };
	int rc = stage_row_encode(&value, row, err);

	stage_key_set(&k, dir, name, len);
	if (rc == 0)
		rc = env_put(t, ENV_STAGE, k.b, k.len, value.data, value.len, err);
	buf_release(&value);
	return rc;
}

int stage_bury(struct env_txn *t, uint64_t dir, uint64_t owner, struct store_error *err)
{
	uint8_t key[8], value[8];

	be64_put(key, dir);
	be64_put(value, owner);
	return env_put(t, ENV_DEAD, key, sizeof(key), value, sizeof(value), err);
}

int stage_swap_root(struct env_txn *t, uint64_t dir, struct store_error *err)
{
	uint64_t old;
	uint8_t key[8];
	int rc = env_number(t, "root", &old, err);

	if (rc == 0 && old != 0)
		rc = stage_bury(t, old, 0, err);
	be64_put(key, dir);
	if (rc == 0)
		rc = env_del(t, ENV_DEAD, key, sizeof(key), err);
	if (rc == STORE_ENOTFOUND)
		rc = 0;
	return rc == 0 ? env_set_number(t, "root", dir, err) : rc;
}

/* Delete the rows of dir in one table, up to *budget; child directories found in it are buried. */
static int sweep_table(struct env_txn *t, enum env_table table, uint64_t dir, size_t *budget,
	struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	uint8_t prefix[8];
	int rc = env_cursor_open(t, table, &c, err);

	if (rc != 0)
		return rc;
	be64_put(prefix, dir);
	env_cursor_seek(c, prefix, sizeof(prefix));
	while (*budget > 0 && (rc = env_cursor_next(c, &key, &val, err)) == 0) {
		struct stage_row row;
		uint64_t child = 0;

		if (key.len < 8 || memcmp(key.data, prefix, 8) != 0) {
			rc = STORE_ENOTFOUND;
			break;
		}
		if (table == ENV_STAGE && stage_row_decode(&row, val.data, val.len, NULL) == 0 &&
			row.kind == ENTRY_DIR)
			child = row.dir;
		rc = env_cursor_del(c, err);
		if (rc == 0 && child != 0)
			rc = stage_bury(t, child, 0, err);
		if (rc != 0)
			break;
		(*budget)--;
		env_cursor_seek(c, prefix, sizeof(prefix));
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int sweep_dir(struct env_txn *t, uint64_t dir, size_t *budget, struct store_error *err)
{
	uint8_t key[8];
	int rc;

	be64_put(key, dir);
	rc = sweep_table(t, ENV_STAGE, dir, budget, err);
	if (rc == 0)
		rc = sweep_table(t, ENV_DIRTY, dir, budget, err);
	if (rc != 0 || *budget == 0)
		return rc;
	rc = env_del(t, ENV_DIRS, key, sizeof(key), err);
	if (rc == 0 || rc == STORE_ENOTFOUND)
		rc = env_del(t, ENV_DEAD, key, sizeof(key), err);
	return rc;
}

/* owner: writer id as it stands in the row. */
static bool is_owned(struct env_txn *t, const uint8_t *owner)
{
	struct env_val v;

	return be64_get(owner) != 0 && env_get(t, ENV_WRITERS, owner, 8, &v, NULL) == 0;
}

int stage_sweep(struct env_txn *t, size_t max, bool *left, struct store_error *err)
{
	size_t budget = max;
	int rc = 0;

	*left = false;
	while (budget > 0 && rc == 0) {
		struct env_cursor *c;
		struct env_val key, val;
		uint64_t dir = 0;

		rc = env_cursor_open(t, ENV_DEAD, &c, err);
		if (rc != 0)
			return rc;
		while (dir == 0 && (rc = env_cursor_next(c, &key, &val, err)) == 0) {
			if (key.len == 8 && val.len == 8 && !is_owned(t, val.data))
				dir = be64_get(key.data);
		}
		env_cursor_close(c);
		if (rc == STORE_ENOTFOUND)
			return 0;
		if (rc == 0)
			rc = sweep_dir(t, dir, &budget, err);
	}
	*left = rc == 0;
	return rc;
}

int stage_create(struct env_txn *t, struct store_error *err)
{
	uint64_t dir;
	int rc = stage_fresh(t, &dir, err);

	return rc == 0 ? env_set_number(t, "root", dir, err) : rc;
}
