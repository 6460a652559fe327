/*
 * Rows of packs and objects. A whole footer is believed here, since the check that follows proves
 * it. A pack without one gets it back (rebuild_footer.c); where that cannot be, it is read block by
 * block, and what its blocks hold is hashed. The first pack that has an object gives its row, as at
 * publication, unless the block it lies in there is damaged: then a later one does. Blocks are
 * asked for only when an object stands twice, and what was found of them is kept in a small table.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/hash.h"
#include "work/rebuild_internal.h"

#define VERDICTS 1024

/* Is a block whole? */
struct rebuild_verdict {
	uint64_t pack, off; /* pack 0: nothing is known */
	bool is_whole;
};

static struct rebuild_verdict *find_verdict(struct rebuild *r, const struct odb_loc *loc)
{
	return &r->verdicts[(loc->pack * 31 + loc->block_off / 64) % VERDICTS];
}

/* Can the copy of id be read that has the row? */
static int is_readable(struct rebuild *r, const struct oid *id, bool *readable,
	struct store_error *err)
{
	const struct node_source src = rebuild_source_nodes(&r->source);
	struct rebuild_verdict *v;
	struct odb_loc loc;
	struct env_val row;
	struct buf data = { 0 };
	int rc = env_get(r->txn, ENV_OBJECTS, id->b, ID_LEN, &row, err);

	if (rc == 0)
		rc = odb_row_decode(row.data, row.len, &loc, err);
	if (rc != 0)
		return rc;
	v = find_verdict(r, &loc);
	if (v->pack != loc.pack || v->off != loc.block_off) {
		rc = src.get(src.ctx, id, &data, NULL);
		buf_release(&data);
		if (rc == STORE_ENOMEM)
			return store_error_set(err, rc, "out of memory");
		*v = (struct rebuild_verdict){ loc.pack, loc.block_off, rc == 0 };
	}
	*readable = v->is_whole;
	return 0;
}

/* id has a row already. */
static int put_again(struct rebuild *r, const struct oid *id, const uint8_t row[ODB_ROW_LEN],
	struct store_error *err)
{
	bool readable = true;
	const int rc = is_readable(r, id, &readable, err);

	if (rc != 0 || readable)
		return rc;
	return env_put(r->txn, ENV_OBJECTS, id->b, ID_LEN, row, ODB_ROW_LEN, err);
}

static int put_object(struct rebuild *r, const struct oid *id, const struct odb_loc *loc,
	struct store_error *err)
{
	uint8_t row[ODB_ROW_LEN];
	int rc;

	/* Stage records are not looked up by id. */
	if (loc->kind == KIND_STAGE)
		return 0;
	odb_row_encode(row, loc);
	rc = env_put_new(r->txn, ENV_OBJECTS, id->b, ID_LEN, row, sizeof(row), err);
	if (rc == STORE_EEXISTS)
		rc = put_again(r, id, row, err);
	return rc == 0 ? rebuild_wrote(r, 1, err) : rc;
}

static int put_footer(struct rebuild *r, const struct fsck_pack *p, const struct pack_index *x,
	struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < x->count && rc == 0; i++) {
		const struct pack_row *o = &x->rows[i];
		const struct pack_block_row *b = &x->blocks[o->block];
		const struct odb_loc loc = { p->number, (uint32_t)b->off, b->length, o->off, o->len,
			o->kind };

		rc = put_object(r, &o->id, &loc, err);
	}
	return rc;
}

static int put_block(struct rebuild *r, const struct fsck_pack *p, uint64_t off,
	const struct pack_block_info *info, uint32_t *objects, struct store_error *err)
{
	struct fsck_decoder *d = &r->decoder;
	struct odb_loc loc = { p->number, (uint32_t)off, (uint32_t)pack_block_length(info), 0, 0,
		0 };
	int rc = 0;

	for (uint32_t i = 0; i < info->count && rc == 0; i++) {
		struct oid id;

		loc.len = d->lens[i];
		loc.kind = rebuild_guess_kind(info->class, d->plain.data + loc.off, loc.len);
		hash_once(d->hash, d->plain.data + loc.off, loc.len, &id);
		rc = put_object(r, &id, &loc, err);
		loc.off += loc.len;
		++*objects;
	}
	return rc;
}

static int put_blocks(struct rebuild *r, const struct fsck_pack *p, const struct fsck_file *file,
	uint32_t *objects, struct store_error *err)
{
	struct pack_block_info info = { 0 };
	struct store_error why = { 0 };
	uint64_t off = PACK_HEADER;
	int rc;

	while ((rc = fsck_file_block(file, off, &info, &why)) == 0) {
		rc = fsck_decode(&r->decoder, file, off, &info, &why);
		if (rc == 0)
			rc = put_block(r, p, off, &info, objects, err);
		else if (fsck_is_damage(rc))
			rc = 0; /* it is passed over; the check that follows tells of it */
		else if (err)
			*err = why;
		if (rc != 0)
			return rc;
		off += pack_block_length(&info);
	}
	if (rc == STORE_ENOTFOUND || fsck_is_damage(rc))
		return 0;
	if (err)
		*err = why;
	return rc;
}

static int put_pack(struct rebuild *r, const struct fsck_pack *p, const struct fsck_file *file,
	uint32_t objects, struct store_error *err)
{
	struct odb_pack_row pack = { .size = file->size, .objects = objects };
	uint8_t key[8], row[ODB_PACK_ROW_LEN];
	int rc;

	memcpy(pack.random, p->random, sizeof(pack.random));
	be64_put(key, p->number);
	odb_pack_row_encode(row, &pack);
	rc = env_put(r->txn, ENV_PACKS, key, sizeof(key), row, sizeof(row), err);
	return rc == 0 ? rebuild_wrote(r, 1, err) : rc;
}

static int take_pack(struct rebuild *r, const struct fsck_pack *p, struct store_error *err)
{
	struct store_error why = { 0 };
	struct fsck_file file;
	uint32_t objects = 0;
	bool repaired = false;
	int rc;

	fsck_decoder_trim(&r->decoder);
	rc = fsck_file_open(r->odb, p, &file, &why);
	if (rc == 0 && (!file.has_footer || !file.has_header)) {
		rc = rebuild_footer(r, &file, &repaired, &why);
		if (repaired) {
			fsck_file_close(&file);
			rc = fsck_file_open(r->odb, p, &file, &why);
		}
	}
	if (rc == 0 && file.has_footer) {
		objects = (uint32_t)file.index.count;
		rc = put_footer(r, p, &file.index, err);
	} else if (rc == 0) {
		rc = put_blocks(r, p, &file, &objects, err);
	} else if (fsck_is_damage(rc)) {
		/* No pack at all: its row stands, so that the check names the file. */
		rc = 0;
	} else if (err) {
		*err = why;
	}
	if (rc == 0)
		rc = put_pack(r, p, &file, objects, err);
	fsck_file_close(&file);
	return rc;
}

static int take_packs(struct rebuild *r, struct store_error *err)
{
	struct store_progress *progress = &r->fsck->progress;
	int rc = 0;

	for (size_t i = 0; i < r->packs->count; i++)
		progress->bytes_total += r->packs->items[i].size;
	for (size_t i = 0; i < r->packs->count && rc == 0; i++) {
		const struct fsck_pack *p = &r->packs->items[i];

		if (i > 0 && p[-1].number == p->number)
			return store_error_set(err, STORE_ECORRUPT,
				"two files in '%s/packs' bear the number %016" PRIx64
				": take one of them away",
				odb_path(r->odb), p->number);
		if (p->number >= ODB_PENDING)
			return store_error_set(err, STORE_ECORRUPT,
				"a file in '%s/packs' bears a number that cannot be",
				odb_path(r->odb));
		if (p->number > r->last)
			r->last = p->number;
		rc = take_pack(r, p, err);
		progress->bytes += p->size;
		if (rc == 0)
			rc = fsck_tick(r->fsck, err);
	}
	return rc;
}

int rebuild_packs(struct rebuild *r, struct store_error *err)
{
	int rc = rebuild_source_init(&r->source, r, err);

	r->verdicts = mem_alloc_array(VERDICTS, sizeof(*r->verdicts));
	if (rc == 0 && !r->verdicts)
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc == 0)
		rc = take_packs(r, err);
	rebuild_source_release(&r->source);
	free(r->verdicts);
	r->verdicts = NULL;
	return rc;
}
