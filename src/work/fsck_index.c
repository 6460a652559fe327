/*
 * Phase 2: the database against the footers.
 *
 * Going through the footers proves both directions at once. Each row must have its object in the
 * database; where the database's row names this very place it is counted. No two footer rows can be
 * met by one row of the database, so when as many were counted as it has, each of its rows points
 * to what it says. Only when the numbers differ is the database gone through to find which.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "work/fsck_internal.h"

#define ROWS_AT_ONCE 256

struct index_run {
	struct fsck *fsck;
	struct env_txn *txn;
	uint64_t matched;
};

static bool same_place(const struct odb_loc *a, const struct odb_loc *b)
{
	return a->pack == b->pack && a->block_off == b->block_off && a->block_len == b->block_len &&
		a->off == b->off && a->len == b->len;
}

static int check_row(struct index_run *r, const struct fsck_pack *p, const struct pack_row *x,
	const struct fsck_file *file, struct store_error *err)
{
	const struct pack_block_row *b = &file->index.blocks[x->block];
	const struct odb_loc here = { p->number, (uint32_t)b->off, b->length, x->off, x->len,
		x->kind };
	struct odb_loc loc;
	struct env_val v;
	int rc;

	rc = env_get(r->txn, ENV_OBJECTS, x->id.b, ID_LEN, &v, err);
	if (rc == STORE_ENOTFOUND) {
		/* Stage records are not looked up by id. */
		if (x->kind == KIND_STAGE)
			return 0;
		return fsck_damage(r->fsck, &x->id, p->number, b->off, err,
			"the database does not have it; run 'store fsck --rebuild'");
	}
	if (rc == 0)
		rc = odb_row_decode(v.data, v.len, &loc, NULL);
	if (rc != 0)
		return rc == STORE_ECORRUPT
			? fsck_damage(r->fsck, &x->id, p->number, b->off, err,
				  "its row in the database is malformed; run 'store fsck --rebuild'")
			: rc;
	if (same_place(&loc, &here))
		r->matched++;
	else if (loc.pack == p->number)
		return fsck_damage(r->fsck, &x->id, p->number, b->off, err,
			"the database says it lies elsewhere in the pack; run 'store fsck --rebuild'");
	return 0;
}

static int check_pack_row(struct index_run *r, const struct fsck_pack *p, struct store_error *err)
{
	struct odb_pack_row row;
	struct env_val v;
	uint8_t key[8];
	int rc;

	be64_put(key, p->number);
	rc = env_get(r->txn, ENV_PACKS, key, sizeof(key), &v, err);
	if (rc == STORE_ENOTFOUND)
		return 0;
	if (rc == 0)
		rc = odb_pack_row_decode(v.data, v.len, &row, NULL);
	if (rc != 0)
		return rc == STORE_ECORRUPT ? fsck_damage(r->fsck, NULL, p->number, 0, err,
						      "its row in the database is malformed")
					    : rc;
	if (row.size != p->size || row.objects != p->rows)
		return fsck_damage(r->fsck, NULL, p->number, 0, err,
			"the database says it has %" PRIu64 " bytes and %u objects; it has %" PRIu64
			" and %u",
			row.size, row.objects, p->size, p->rows);
	if (row.flags != 0)
		return fsck_damage(r->fsck, NULL, p->number, 0, err,
			"its row in the database has flags that have no meaning; run 'store fsck --rebuild'");
	return 0;
}

static int check_pack(struct index_run *r, struct fsck_pack *p, struct store_error *err)
{
	struct fsck_file file;
	int rc;

	rc = fsck_file_open(r->fsck->repo->odb, p, &file, err);
	/* It was readable a moment ago, so that it is not now has nothing to do with the index. */
	if (rc == 0 && file.has_footer) {
		rc = check_pack_row(r, p, err);
		for (size_t i = 0; i < file.index.count && rc == 0; i++) {
			rc = check_row(r, p, &file.index.rows[i], &file, err);
			if (rc == 0 && i % ROWS_AT_ONCE == 0)
				rc = fsck_tick(r->fsck, err);
		}
	}
	fsck_file_close(&file);
	return rc;
}

/* One row of the database: does a footer have it? */
static int check_object(struct index_run *r, const struct env_val *key, const struct env_val *val,
	struct store_error *err)
{
	struct fsck *f = r->fsck;
	struct odb_loc loc, there;
	struct fsck_pack *p;
	struct oid id;
	uint32_t row;
	int rc;

	if (key->len != ID_LEN)
		return fsck_damage(f, NULL, 0, 0, err,
			"a row of table 'objects' is malformed; run 'store fsck --rebuild'");
	memcpy(id.b, key->data, ID_LEN);
	if (odb_row_decode(val->data, val->len, &loc, NULL) != 0)
		return fsck_is_damaged(f, &id)
			? 0
			: fsck_damage(f, &id, 0, 0, err,
				  "its row in the database is malformed; run 'store fsck --rebuild'");
	if (loc.pack >= f->horizon)
		return 0;
	p = fsck_find_pack(&f->packs, loc.pack);
	if (!p)
		return fsck_damage(f, &id, 0, 0, err,
			"the database says it lies in pack %" PRIu64 ", which is not there",
			loc.pack);
	if (p->is_missing)
		return fsck_damage(f, &id, loc.pack, loc.block_off, err, "it went with its pack");
	if (!p->is_readable || fsck_is_damaged(f, &id))
		return 0;
	rc = fsck_row(f, p, &id, &row, &there, err);
	if (rc == STORE_ENOTFOUND)
		return fsck_damage(f, &id, loc.pack, loc.block_off, err,
			"the pack does not hold it; run 'store fsck --rebuild'");
	return rc;
}

static int check_database(struct index_run *r, struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(r->txn, ENV_OBJECTS, &c, err);

	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		rc = check_object(r, &key, &val, err);
		if (rc == 0)
			rc = fsck_tick(r->fsck, err);
		if (rc != 0)
			break;
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int fsck_index(struct fsck *f, struct store_error *err)
{
	struct index_run r = { .fsck = f };
	uint64_t count = 0;
	int rc = env_begin(odb_env(f->repo->odb), false, &r.txn, err);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < f->packs.count && rc == 0; i++) {
		if (f->packs.items[i].is_readable)
			rc = check_pack(&r, &f->packs.items[i], err);
	}
	if (rc == 0)
		rc = env_count(r.txn, ENV_OBJECTS, &count, err);
	if (rc == 0 && count != r.matched)
		rc = check_database(&r, err);
	env_abort(r.txn);
	return rc;
}
