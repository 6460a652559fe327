/*
 * A pack whose footer or header is lost gets it back.
 *
 * A footer is a function of the blocks before it, hints of kind aside. So when every block is whole
 * up to where the footer began, the pack is made what it was: same name, same blocks at the same
 * places, and a footer. A new number would be wrong, for stage records apply in the order of the
 * numbers. The file is written in tmp/ and synced, then renamed over the old one: at every moment
 * one file bears the name, and whoever reads the old one goes on reading the same blocks.
 *
 * When a block is damaged, or the file ends within one, nothing is written: what lies behind could
 * still be of use to somebody who looks closer, and the pack stays readable block by block. The
 * same when the trailer alone says where the blocks end, and the footer is not as long as it was.
 *
 * The header is a constant. A pack that has lost it alone is copied as it is, behind a new one.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/mem.h"
#include "data/hash.h"
#include "odb/tmp.h"
#include "work/rebuild_internal.h"

#define COPY ((size_t)256 << 10)

/* ---- what the footer has to say */

/* What an object is taken for when no footer tells: a hint. */
uint8_t rebuild_guess_kind(uint8_t class, const uint8_t *data, size_t len)
{
	static const struct {
		const char *begins;
		uint8_t kind;
	} table[] = { { "SQ\1", KIND_SEQ }, { "MP\1", KIND_MAP }, { "store layer 1\n", KIND_LAYER },
		{ "store commit 1\n", KIND_COMMIT }, { "store tag 1\n", KIND_TAG } };

	if (class != PACK_NODES)
		return class == PACK_RECORDS ? KIND_STAGE : KIND_CHUNK;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const size_t n = strlen(table[i].begins);

		if (len >= n && memcmp(data, table[i].begins, n) == 0)
			return table[i].kind;
	}
	return KIND_CHUNK;
}

static int note_block(struct rebuild *r, struct pack_index *x, uint64_t off,
	const struct pack_block_info *info, struct store_error *err)
{
	struct fsck_decoder *d = &r->decoder;
	uint32_t at = 0;

	if (mem_grow(&x->blocks, &x->block_cap, x->block_count + 1, sizeof(*x->blocks)) != 0 ||
		mem_grow(&x->rows, &x->cap, x->count + info->count, sizeof(*x->rows)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	for (uint32_t i = 0; i < info->count; at += d->lens[i], i++) {
		struct pack_row *row = &x->rows[x->count++];

		*row = (struct pack_row){ .block = (uint32_t)x->block_count,
			.off = at,
			.len = d->lens[i],
			.kind = rebuild_guess_kind(info->class, d->plain.data + at, d->lens[i]) };
		hash_once(d->hash, d->plain.data + at, d->lens[i], &row->id);
	}
	x->blocks[x->block_count++] = (struct pack_block_row){ .off = off,
		.length = (uint32_t)pack_block_length(info),
		.plain = info->plain,
		.crc = info->crc };
	return 0;
}

/* All blocks; *end: where they end.  STORE_ECORRUPT: one is not whole. */
static int read_blocks(struct rebuild *r, const struct fsck_file *file, struct pack_index *x,
	uint64_t *end, struct store_error *err)
{
	struct pack_block_info info = { 0 };
	int rc;

	for (*end = PACK_HEADER;; *end += pack_block_length(&info)) {
		rc = fsck_file_block(file, *end, &info, err);
		if (rc == STORE_ENOTFOUND)
			break;
		if (rc == 0)
			rc = fsck_decode(&r->decoder, file, *end, &info, err);
		if (rc == 0 && x->count + info.count > LIMIT_PACK_OBJECTS)
			rc = store_error_set(err, STORE_ECORRUPT, "it holds too many objects");
		if (rc == 0)
			rc = note_block(r, x, *end, &info, err);
		if (rc == 0)
			rc = fsck_tick(r->fsck, err);
		if (rc != 0)
			return rc;
	}
	return x->block_count > 0 ? 0 : store_error_set(err, STORE_ECORRUPT, "it holds no block");
}

/* ---- the file */

static int copy_blocks(const struct fsck_file *file, int fd, uint64_t end, struct buf *room,
	struct store_error *err)
{
	static const uint8_t header[PACK_HEADER] = { 'S', 'T', 'P', 'K', 1 };

	if (buf_reserve(room, COPY) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (io_pwrite_full(fd, header, sizeof(header), 0) != 0)
		return store_error_sys(err, "cannot copy 'packs/%s'", file->name);
	for (uint64_t at = PACK_HEADER; at < end;) {
		const size_t n = end - at < COPY ? (size_t)(end - at) : COPY;

		if (io_pread_full(file->fd, room->data, n, at) != (ssize_t)n ||
			io_pwrite_full(fd, room->data, n, at) != 0)
			return store_error_sys(err, "cannot copy 'packs/%s'", file->name);
		at += n;
	}
	return 0;
}

/* Everything but the name: bytes, owner, mode, on the disk. */
static int fill(const struct fsck_file *file, int fd, struct pack_index *x, uint64_t end,
	struct store_error *err)
{
	struct buf room = { 0 };
	struct stat st;
	int rc = copy_blocks(file, fd, end, &room, err);

	buf_clear(&room);
	if (rc == 0 && !file->has_footer) {
		pack_index_sort(x);
		rc = pack_index_encode(x, end, &room, err);
	}
	if (rc == 0 && !file->has_footer && end == file->footer_off && room.len != file->size - end)
		rc = store_error_set(err, STORE_ECORRUPT, "its footer was another one");
	if (rc == 0 &&
		(FAULT("rebuild.footer") || fstat(file->fd, &st) != 0 ||
			io_pwrite_full(fd, room.data, room.len, end) != 0 ||
			(geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) != 0) ||
			fchmod(fd, 0444) != 0 || io_datasync(fd) != 0))
		rc = store_error_sys(err, "cannot write a footer for 'packs/%s'", file->name);
	buf_release(&room);
	return rc;
}

static int replace(struct rebuild *r, const struct fsck_file *file, struct pack_index *x,
	uint64_t end, struct store_error *err)
{
	const int tmp = odb_tmp_fd(r->odb), packs = odb_packs_fd(r->odb);
	char name[TMP_NAME];
	int fd = -1;
	int rc = tmp_create(tmp, 'p', name, &fd, err);

	if (rc != 0)
		return rc;
	rc = fill(file, fd, x, end, err);
	if (rc == 0 &&
		(FAULT("rebuild.footer") || renameat(tmp, name, packs, file->name) != 0 ||
			io_sync(packs) != 0))
		rc = store_error_sys(err, "cannot write a footer for 'packs/%s'", file->name);
	if (rc != 0)
		unlinkat(tmp, name, 0);
	io_close(&fd);
	return rc;
}

int rebuild_footer(struct rebuild *r, const struct fsck_file *file, bool *done,
	struct store_error *err)
{
	struct pack_index x = { 0 };
	struct store_error why = { 0 };
	uint64_t end;
	int rc = 0;

	*done = false;
	end = file->size;
	if (!file->has_footer)
		rc = read_blocks(r, file, &x, &end, &why);
	if (rc == 0)
		rc = replace(r, file, &x, end, &why);
	pack_index_release(&x);
	if (rc == 0) {
		*done = true;
		fsck_info(r->fsck, "packs/%s had lost its %s: it was written anew", file->name,
			!file->has_footer ? "footer" : "header");
	} else if (rc == STORE_ENOMEM || rc == STORE_ECANCELED) {
		if (err)
			*err = why;
		return rc;
	} else if (rc != STORE_ECORRUPT && rc != STORE_EVERSION) {
		/* A full disk is no reason not to make the database anew. */
		fsck_info(r->fsck, "packs/%s has no %s, and none could be written: %s", file->name,
			!file->has_footer ? "footer" : "header", why.msg);
	}
	return 0;
}
