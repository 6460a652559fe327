/*
 * Marks: one bit for each object of a readable pack, by its row in the footer.
 *
 * A bit is found by way of the database (which pack) and the footer (which row), read where it lies
 * in the file: no footer is kept in memory. Objects without a bit, which are few, are kept by id,
 * up to LOOSE_MAX of them. Behind that nothing new is entered, and that is told: it takes as many
 * commits that are missing, or packs without footers, each of which is damage that was told.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "work/fsck_internal.h"

#define LOOSE_MAX ((size_t)1 << 18)

/* Bytes of a pack file that a look-up needs. */
static int read_rows(struct fsck *f, struct fsck_pack *p, void *out, size_t len, uint64_t off,
	struct store_error *err)
{
	char name[PACK_NAME];

	pack_name(name, p->number, p->random);
	if (f->row_fd == -1 || f->row_pack != p->number) {
		io_close(&f->row_fd);
		f->row_fd = openat(odb_packs_fd(f->repo->odb), name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (f->row_fd == -1)
			return store_error_sys(err, "cannot open 'packs/%s'", name);
		f->row_pack = p->number;
	}
	if (io_pread_full(f->row_fd, out, len, off) != (ssize_t)len)
		return store_error_sys(err, "cannot read 'packs/%s'", name);
	return 0;
}

/* Rows whose id begins with this byte: [*from, *to). */
static int read_fanout(struct fsck *f, struct fsck_pack *p, uint8_t first, uint32_t *from,
	uint32_t *to, struct store_error *err)
{
	const uint64_t table = p->footer_off + PACK_FOOTER_HEAD +
		(uint64_t)p->blocks * PACK_BLOCK_ROW;
	uint8_t b[8] = { 0 };
	int rc;

	if (first == 0)
		rc = read_rows(f, p, b + 4, 4, table, err);
	else
		rc = read_rows(f, p, b, 8, table + 4 * ((uint64_t)first - 1), err);
	*from = le32_get(b);
	*to = le32_get(b + 4);
	if (rc == 0 && (*from > *to || *to > p->rows))
		return store_error_set(err, STORE_ECORRUPT, "a footer changed while it was read");
	return rc;
}

static int fill_loc(struct fsck *f, struct fsck_pack *p, const uint8_t *row, struct odb_loc *loc,
	struct store_error *err)
{
	const uint32_t block = le32_get(row + ID_LEN);
	uint8_t b[PACK_BLOCK_ROW] = { 0 };
	int rc;

	if (block >= p->blocks)
		return store_error_set(err, STORE_ECORRUPT, "a footer changed while it was read");
	rc = read_rows(f, p, b, sizeof(b),
		p->footer_off + PACK_FOOTER_HEAD + (uint64_t)block * PACK_BLOCK_ROW, err);
	loc->pack = p->number;
	loc->block_off = (uint32_t)le64_get(b);
	loc->block_len = le32_get(b + 8);
	loc->off = le32_get(row + ID_LEN + 4);
	loc->len = le32_get(row + ID_LEN + 8) & 0xffffff;
	loc->kind = row[ID_LEN + 11];
	return rc;
}

int fsck_row(struct fsck *f, struct fsck_pack *p, const struct oid *id, uint32_t *row,
	struct odb_loc *loc, struct store_error *err)
{
	const uint64_t rows = p->footer_off + PACK_FOOTER_HEAD +
		(uint64_t)p->blocks * PACK_BLOCK_ROW + PACK_FANOUT;
	uint32_t from, to;
	int rc = read_fanout(f, p, id->b[0], &from, &to, err);

	while (rc == 0 && from < to) {
		const uint32_t mid = from + (to - from) / 2;
		uint8_t b[PACK_OBJECT_ROW];
		int c;

		rc = read_rows(f, p, b, sizeof(b), rows + (uint64_t)mid * PACK_OBJECT_ROW, err);
		if (rc != 0)
			break;
		c = memcmp(id->b, b, ID_LEN);
		if (c == 0) {
			*row = mid;
			return loc ? fill_loc(f, p, b, loc, err) : 0;
		}
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return rc == 0 ? STORE_ENOTFOUND : rc;
}

int fsck_bit(struct fsck *f, const struct oid *id, uint64_t *bit, struct store_error *err)
{
	struct fsck_pack *p;
	struct odb_loc loc;
	uint32_t row = 0;
	int rc = odb_find(f->reader, id, &loc, err);

	if (rc != 0)
		return rc;
	p = fsck_find_pack(&f->packs, loc.pack);
	if (!p || !p->is_readable)
		return STORE_ENOTFOUND;
	rc = fsck_row(f, p, id, &row, NULL, err);
	*bit = p->first_bit + row;
	return rc;
}

/*
 * Objects without a bit: of packs that lost their footer, or came after we looked. Few, so ids will
 * do.
 */
static struct oid *find_loose(const struct fsck *f, const struct oid *id)
{
	size_t i = (size_t)id_low64(id) & (f->loose_cap - 1);

	while (!id_is_zero(&f->loose[i]) && !id_eq(&f->loose[i], id))
		i = (i + 1) & (f->loose_cap - 1);
	return &f->loose[i];
}

static int mark_loose(struct fsck *f, const struct oid *id, bool *is_new, struct store_error *err)
{
	if (f->loose_count >= LOOSE_MAX) {
		if (!f->is_loose_full)
			fsck_info(f,
				"too much lies in damaged packs: not all of it was followed; run 'store fsck --rebuild'");
		f->is_loose_full = true;
		*is_new = false;
		return 0;
	}
	if (2 * (f->loose_count + 1) > f->loose_cap) {
		struct oid *old = f->loose;
		const size_t cap = f->loose_cap;
		struct oid *bigger = mem_alloc_array(cap ? 2 * cap : 64, sizeof(*bigger));

		if (!bigger)
			return store_error_set(err, STORE_ENOMEM, "out of memory");
		f->loose = bigger;
		f->loose_cap = cap ? 2 * cap : 64;
		for (size_t i = 0; i < cap; i++) {
			if (!id_is_zero(&old[i]))
				*find_loose(f, &old[i]) = old[i];
		}
		free(old);
	}
	*is_new = id_is_zero(find_loose(f, id));
	if (*is_new) {
		*find_loose(f, id) = *id;
		f->loose_count++;
	}
	return 0;
}

int fsck_mark(struct fsck *f, const struct oid *id, bool *is_new, struct store_error *err)
{
	uint64_t bit = 0;
	const int rc = fsck_bit(f, id, &bit, err);

	*is_new = true;
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? mark_loose(f, id, is_new, err) : rc;
	*is_new = !(f->seen[bit / 8] >> bit % 8 & 1);
	f->seen[bit / 8] |= (uint8_t)(1u << bit % 8);
	return 0;
}

int fsck_is_marked(struct fsck *f, const struct oid *id, bool *is_marked, struct store_error *err)
{
	uint64_t bit = 0;
	const int rc = fsck_bit(f, id, &bit, err);

	if (rc == STORE_ENOTFOUND)
		*is_marked = f->loose_cap > 0 && !id_is_zero(find_loose(f, id));
	else if (rc == 0)
		*is_marked = f->seen[bit / 8] >> bit % 8 & 1;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

void fsck_forget_marks(struct fsck *f)
{
	memset(f->seen, 0, f->packs.bits / 8 + 1);
	memset(f->memo, 0, FSCK_MEMO * sizeof(*f->memo));
	free(f->loose);
	f->loose = NULL;
	f->loose_count = f->loose_cap = 0;
}
