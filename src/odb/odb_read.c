/*
 * Reading: id -> row in LMDB -> block in a pack -> bytes, hashed before anyone sees them.
 *
 * A block of many small objects is decoded once into the shared cache; a block that is one large
 * chunk is decoded straight into the caller's buffer. A reader that meets a missing pack looks the
 * id up once more in a fresh snapshot: gc may have moved it.
 */
#include "odb/odb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/trace.h"
#include "data/hash.h"
#include "data/limits.h"
#include "odb/pack.h"

struct odb_reader {
	struct odb *odb;
	struct odb_writer *writer; /* pending objects are seen through it; may be NULL */
	struct env_txn *txn;       /* sleeping between calls */
	struct codec_ctx *codec;
	struct hash *hash;
	struct buf raw; /* the last block as stored */
};

struct odb_reader *odb_reader_new(struct odb *o)
{
	const struct codec_options plain = { .codec = CODEC_NONE };
	struct odb_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->odb = o;
	r->codec = codec_new(&plain);
	r->hash = hash_new();
	if (!r->codec || !r->hash) {
		odb_reader_free(r);
		return NULL;
	}
	return r;
}

void odb_reader_free(struct odb_reader *r)
{
	if (!r)
		return;
	env_abort(r->txn);
	codec_free(r->codec);
	hash_free(r->hash);
	buf_release(&r->raw);
	free(r);
}

void odb_reader_attach(struct odb_reader *r, struct odb_writer *w)
{
	r->writer = w;
}

static int wake(struct odb_reader *r, struct store_error *err)
{
	if (!r->odb->env)
		return store_error_set(err, STORE_EINVAL, "the database of '%s' is not open",
			r->odb->path);
	if (!r->txn)
		return env_begin(r->odb->env, false, &r->txn, err);
	return env_renew(r->txn, err);
}

int odb_find(struct odb_reader *r, const struct oid *id, struct odb_loc *loc,
	struct store_error *err)
{
	struct env_val v;
	int rc;

	if (r->writer && writer_find_pending(r->writer, id, loc) == 0)
		return 0;
	rc = wake(r, err);
	if (rc != 0)
		return rc;
	rc = env_get(r->txn, ENV_OBJECTS, id->b, ID_LEN, &v, err);
	if (rc == 0)
		rc = odb_row_decode(v.data, v.len, loc, err);
	env_reset(r->txn);
	return rc;
}

int odb_open_pack(struct odb *o, struct env_txn *txn, uint64_t number, struct odb_pack_row *row,
	int *fd, struct store_error *err)
{
	uint8_t key[8];
	char name[PACK_NAME];
	struct env_val v;
	int rc;

	be64_put(key, number);
	rc = env_get(txn, ENV_PACKS, key, sizeof(key), &v, err);
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_ECORRUPT,
			"pack %llu is not in the database; run 'store fsck'",
			(unsigned long long)number);
	if (rc == 0)
		rc = odb_pack_row_decode(v.data, v.len, row, err);
	if (rc != 0)
		return rc;
	pack_name(name, number, row->random);
	*fd = FAULT("pack.open") ? -1
				 : openat(o->packs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd == -1 && errno == ENOENT)
		return store_error_set(err, STORE_ENOTFOUND, "pack 'packs/%s' is missing", name);
	return *fd == -1 ? store_error_sys(err, "cannot open 'packs/%s'", name) : 0;
}

/* A descriptor for the pack, from the cache when it is there; *kept says how to give it back. */
static int get_pack(struct odb_reader *r, uint64_t number, int *fd, bool *kept,
	struct store_error *err)
{
	struct odb_pack_row row;
	int rc;

	*fd = cache_pack_get(&r->odb->cache, number);
	*kept = true;
	if (*fd != -1)
		return 0;
	rc = wake(r, err);
	if (rc != 0)
		return rc;
	rc = odb_open_pack(r->odb, r->txn, number, &row, fd, err);
	env_reset(r->txn);
	if (rc == 0)
		*kept = cache_pack_add(&r->odb->cache, number, *fd);
	return rc;
}

static int read_published(struct odb_reader *r, const struct odb_loc *loc, struct store_error *err)
{
	bool kept;
	int fd = -1, rc;
	ssize_t n;

	if (loc->block_len <= PACK_BLOCK_HEADER || loc->block_len > 2 * LIMIT_BLOCK)
		return store_error_set(err, STORE_ECORRUPT,
			"the index names a block of %u bytes; run 'store fsck --rebuild'",
			loc->block_len);
	rc = get_pack(r, loc->pack, &fd, &kept, err);
	if (rc != 0)
		return rc;
	buf_clear(&r->raw);
	rc = buf_reserve(&r->raw, loc->block_len);
	if (rc != 0) {
		store_error_set(err, rc, "out of memory");
	} else {
		n = FAULT("pack.read")
			? -1
			: io_pread_full(fd, r->raw.data, loc->block_len, loc->block_off);
		if (n < 0)
			rc = store_error_sys(err, "cannot read");
		else if ((size_t)n < loc->block_len)
			rc = store_error_set(err, STORE_ECORRUPT, "pack ends within the block");
		else
			r->raw.len = loc->block_len;
	}
	if (kept)
		cache_pack_done(&r->odb->cache, loc->pack);
	else
		io_close(&fd);
	return rc;
}

/*
 * Decode the block in r->raw: into out when it is one object, else into the cache and the wanted
 * part into out.
 */
static int decode(struct odb_reader *r, const struct odb_loc *loc, struct buf *out,
	struct store_error *err)
{
	struct pack_block_info info;
	const uint8_t *stored;
	uint8_t *plain;
	int rc = pack_block_parse(r->raw.data, &info, err);

	if (rc == 0)
		rc = pack_block_check(r->raw.data, r->raw.len, &info, NULL, err);
	if (rc != 0)
		return rc;
	if ((uint64_t)loc->off + loc->len > info.plain)
		return store_error_set(err, STORE_ECORRUPT, "object lies beyond its block");
	stored = pack_block_stored(r->raw.data, &info);
	__atomic_add_fetch(&r->odb->counted_blocks, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&r->odb->counted_bytes, info.plain, __ATOMIC_RELAXED);
	if (info.count == 1) {
		buf_clear(out);
		if (buf_reserve(out, info.plain) != 0)
			return store_error_set(err, STORE_ENOMEM, "out of memory");
		out->len = info.plain;
		return codec_decode(r->codec, info.codec, stored, info.stored, out->data,
			info.plain, err);
	}
	plain = malloc(info.plain);
	if (!plain)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = codec_decode(r->codec, info.codec, stored, info.stored, plain, info.plain, err);
	if (rc == 0 && buf_set(out, plain + loc->off, loc->len) != 0)
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc != 0)
		free(plain);
	else
		cache_keep(&r->odb->cache, loc->pack, loc->block_off, plain, info.plain);
	return rc;
}

static int verify(struct odb_reader *r, const struct oid *id, const struct odb_loc *loc,
	const struct buf *out, struct store_error *err)
{
	char want[13], got[13];
	struct oid is;

	hash_once(r->hash, out->data, out->len, &is);
	if (id_eq(&is, id))
		return 0;
	id_short(want, id);
	id_short(got, &is);
	return store_error_set(err, STORE_ECORRUPT,
		"object %s at offset %u of pack %016llx has other bytes (run 'store fsck'): its id is %s",
		want, loc->block_off, (unsigned long long)loc->pack, got);
}

static int read_at(struct odb_reader *r, const struct oid *id, const struct odb_loc *loc,
	struct buf *out, struct store_error *err)
{
	int rc;

	if (cache_copy(&r->odb->cache, loc->pack, loc->block_off, loc->off, loc->len, out))
		return verify(r, id, loc, out, err);
	if (!(loc->pack & ODB_PENDING))
		rc = read_published(r, loc, err);
	else if (writer_copy_open(r->writer, id, out) == 0)
		return verify(r, id, loc, out, err);
	else
		rc = writer_read_pending(r->writer, loc, &r->raw, err);
	if (rc == 0)
		rc = decode(r, loc, out, err);
	if (rc == STORE_ECORRUPT || rc == STORE_EIO || rc == STORE_EVERSION) {
		char name[13];

		return store_error_wrap(err, rc,
			"cannot read object %s in block at offset %u of pack %016llx (run 'store fsck')",
			id_short(name, id), loc->block_off, (unsigned long long)loc->pack);
	}
	return rc != 0 ? rc : verify(r, id, loc, out, err);
}

int odb_read(struct odb_reader *r, const struct oid *id, struct buf *out, struct store_error *err)
{
	struct odb_loc loc;
	char name[13];
	int rc = odb_find(r, id, &loc, err);

	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_ENOTFOUND, "object %s is not in the repository",
			id_short(name, id));
	if (rc != 0)
		return rc;
	if (loc.kind == KIND_SEQ || loc.kind == KIND_MAP)
		__atomic_add_fetch(&r->odb->counted_nodes, 1, __ATOMIC_RELAXED);
	rc = read_at(r, id, &loc, out, err);
	if (rc == STORE_ENOTFOUND) {
		/* gc moved it between look-up and read: the new row names the new pack. */
		struct odb_loc again;

		if (odb_find(r, id, &again, NULL) == 0 && again.pack != loc.pack)
			rc = read_at(r, id, &again, out, err);
	}
	/* Absent is the object; a pack that is, is damage. */
	if (rc == STORE_ENOTFOUND)
		rc = store_error_wrap(err, STORE_ECORRUPT,
			"cannot read object %s (run 'store fsck')", id_short(name, id));
	return rc;
}
