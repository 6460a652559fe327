/*
 * Rows and cursors: LMDB's pairs as bytes that are borrowed until the transaction ends. Pages that
 * a scan or many look-ups have touched are given back to the kernel (env_pages).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "odb/env_internal.h"

static void touch(struct env *e, size_t len)
{
	if (env_pages_touch(&e->pages, len))
		env_pages_drop(&e->pages, env_size(e));
}

int env_get(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	struct env_val *val, struct store_error *err)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key }, v;
	int rc;

	rc = mdb_get(t->mdb, t->env->dbi[table], &k, &v);
	if (rc != 0)
		return env_from_mdb(rc, err, "read", t->env->path);
	val->data = v.mv_data;
	val->len = v.mv_size;
	touch(t->env, 4096);
	return 0;
}

static int put(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	const void *val, size_t len, unsigned int flags, struct store_error *err)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key }, v = { len, (void *)(uintptr_t)val };
	int rc;

	if (FAULT("env.put"))
		rc = errno == ENOSPC ? MDB_MAP_FULL : errno;
	else
		rc = mdb_put(t->mdb, t->env->dbi[table], &k, &v, flags);
	return rc == 0 ? 0 : env_from_mdb(rc, err, "write", t->env->path);
}

int env_put(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	const void *val, size_t len, struct store_error *err)
{
	return put(t, table, key, key_len, val, len, 0, err);
}

int env_put_new(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	const void *val, size_t len, struct store_error *err)
{
	return put(t, table, key, key_len, val, len, MDB_NOOVERWRITE, err);
}

int env_del(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	struct store_error *err)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key };
	int rc = mdb_del(t->mdb, t->env->dbi[table], &k, NULL);

	return rc == 0 ? 0 : env_from_mdb(rc, err, "write", t->env->path);
}

int env_count(struct env_txn *t, enum env_table table, uint64_t *out, struct store_error *err)
{
	MDB_stat st;
	int rc = mdb_stat(t->mdb, t->env->dbi[table], &st);

	if (rc != 0)
		return env_from_mdb(rc, err, "read", t->env->path);
	*out = st.ms_entries;
	return 0;
}

int env_cursor_open(struct env_txn *t, enum env_table table, struct env_cursor **out,
	struct store_error *err)
{
	struct env_cursor *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (!c)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = mdb_cursor_open(t->mdb, t->env->dbi[table], &c->mdb);
	if (rc != 0) {
		free(c);
		return env_from_mdb(rc, err, "read", t->env->path);
	}
	c->txn = t;
	c->table = table;
	c->op = MDB_FIRST;
	*out = c;
	return 0;
}

void env_cursor_close(struct env_cursor *c)
{
	if (!c)
		return;
	mdb_cursor_close(c->mdb);
	free(c);
}

void env_cursor_seek(struct env_cursor *c, const void *key, size_t key_len)
{
	if (key_len > sizeof(c->seek_key))
		key_len = sizeof(c->seek_key);
	memcpy(c->seek_key, key, key_len);
	c->seek.mv_data = c->seek_key;
	c->seek.mv_size = key_len;
	c->op = key_len > 0 ? MDB_SET_RANGE : MDB_FIRST;
}

int env_cursor_next(struct env_cursor *c, struct env_val *key, struct env_val *val,
	struct store_error *err)
{
	MDB_val k = c->seek, v;
	int rc;

	rc = mdb_cursor_get(c->mdb, &k, &v, c->op);
	if (rc != 0)
		return env_from_mdb(rc, err, "read", c->txn->env->path);
	c->op = MDB_NEXT;
	key->data = k.mv_data;
	key->len = k.mv_size;
	val->data = v.mv_data;
	val->len = v.mv_size;
	touch(c->txn->env, k.mv_size + v.mv_size + 16);
	return 0;
}

int env_get_before(struct env_txn *t, enum env_table table, const void *key, size_t key_len,
	struct env_val *out_key, struct env_val *val, struct store_error *err)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key }, v;
	MDB_cursor *c;
	int rc = mdb_cursor_open(t->mdb, t->env->dbi[table], &c);

	if (rc != 0)
		return env_from_mdb(rc, err, "read", t->env->path);
	rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	rc = rc == MDB_NOTFOUND ? mdb_cursor_get(c, &k, &v, MDB_LAST)
		: rc == 0       ? mdb_cursor_get(c, &k, &v, MDB_PREV)
				: rc;
	mdb_cursor_close(c);
	if (rc != 0)
		return env_from_mdb(rc, err, "read", t->env->path);
	*out_key = (struct env_val){ k.mv_data, k.mv_size };
	*val = (struct env_val){ v.mv_data, v.mv_size };
	return 0;
}

int env_cursor_del(struct env_cursor *c, struct store_error *err)
{
	int rc = mdb_cursor_del(c->mdb, 0);

	/* LMDB then stands on the following row, and its MDB_NEXT knows. */
	return rc == 0 ? 0 : env_from_mdb(rc, err, "write", c->txn->env->path);
}
