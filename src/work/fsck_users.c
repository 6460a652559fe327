/*
 * After damage: what no path needs. A ref needs the commit or tag it names, and what a tag names; a
 * reflog keeps commits that nothing else does. Each is looked at once, in one snapshot, which needs
 * no memory.
 */
#include <stdio.h>
#include <string.h>

#include "base/quote.h"
#include "graph/tag.h"
#include "odb/reflog_rows.h"
#include "work/fsck_internal.h"

typedef int row_fn(struct fsck *f, const struct env_val *key, const struct env_val *val,
	struct store_error *err);

static int each_row(struct fsck *f, enum env_table table, row_fn *fn, struct store_error *err)
{
	struct env_txn *txn = NULL;
	struct env_cursor *c = NULL;
	struct env_val key, val;
	int rc = env_begin(odb_env(f->repo->odb), false, &txn, err);

	if (rc == 0)
		rc = env_cursor_open(txn, table, &c, err);
	while (rc == 0 && (rc = env_cursor_next(c, &key, &val, err)) == 0) {
		rc = fn(f, &key, &val, err);
		if (rc == 0)
			rc = fsck_tick(f, err);
	}
	env_cursor_close(c);
	env_abort(txn);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static void tell(struct fsck *f, struct fsck_damaged *d, const char *what, const void *name,
	size_t len)
{
	char shown[300], quoted[304];

	quote_msg(shown, sizeof(shown), name, len);
	snprintf(quoted, sizeof(quoted), "'%s'", shown);
	fsck_tell_user(f, d, what, quoted);
}

/* A tag that is whole, of something that is not. */
static struct fsck_damaged *find_tagged(struct fsck *f, const struct oid *id)
{
	struct buf data = { 0 };
	struct fsck_damaged *d = NULL;
	struct tag t;

	if (odb_read(f->reader, id, &data, NULL) == 0 &&
		tag_decode(&t, data.data, data.len, NULL) == 0)
		d = fsck_is_damaged(f, &t.object);
	buf_release(&data);
	return d;
}

static int name_ref(struct fsck *f, const struct env_val *key, const struct env_val *val,
	struct store_error *err)
{
	static const char tags[] = "refs/tags/";
	struct fsck_damaged *d = NULL;
	struct oid ids[2];

	(void)err;
	if (fsck_row_ids(ENV_REFS, val->data, val->len, ids) == 0)
		return 0;
	d = fsck_is_damaged(f, &ids[0]);
	if (!d && key->len > strlen(tags) && memcmp(key->data, tags, strlen(tags)) == 0)
		d = find_tagged(f, &ids[0]);
	if (d)
		tell(f, d, "ref", key->data, key->len);
	return 0;
}

static int name_reflog_row(struct fsck *f, const struct env_val *key, const struct env_val *val,
	struct store_error *err)
{
	struct oid ids[2];
	uint64_t number;
	size_t len, n;

	(void)err;
	if (!reflog_key_parse(key, &len, &number))
		return 0;
	n = fsck_row_ids(ENV_REFLOG, val->data, val->len, ids);
	for (size_t i = 0; i < n; i++) {
		struct fsck_damaged *d = fsck_is_damaged(f, &ids[i]);

		if (d && d->paths == 0)
			tell(f, d, "the reflog of", key->data, len);
	}
	return 0;
}

int fsck_name_refs(struct fsck *f, struct store_error *err)
{
	return each_row(f, ENV_REFS, name_ref, err);
}

int fsck_name_reflog(struct fsck *f, struct store_error *err)
{
	return each_row(f, ENV_REFLOG, name_reflog_row, err);
}
