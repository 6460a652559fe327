/*
 * Pack files as they lie on disk, without the database: the folder, one file with its header and
 * footer, one block decoded. What phase 1, phase 2 and a rebuild share.
 *
 * A footer is believed only when its digest and every bound in it hold; a file whose footer is
 * lost, or lies where the disk cannot be read, is still a pack, whose blocks follow each other from
 * the header on. So is one whose header is damaged, when it has a footer or when a block stands
 * where the first one does.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/mem.h"
#include "data/hash.h"
#include "data/limits.h"
#include "work/fsck_internal.h"

#define FOOTER_MIN (PACK_FOOTER_HEAD + PACK_FANOUT + PACK_TRAILER)
#define FOOTER_MAX (FOOTER_MIN + (uint64_t)LIMIT_PACK_OBJECTS * (PACK_OBJECT_ROW + PACK_BLOCK_ROW))
#define TRIMMED ((size_t)8 << 20)

/* ---- the folder */

static int by_number(const void *a, const void *b)
{
	const struct fsck_pack *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return memcmp(x->random, y->random, sizeof(x->random));
}

int fsck_list_packs(struct odb *o, struct fsck_pack_list *l, struct store_error *err)
{
	int fd = openat(odb_packs_fd(o), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *d;
	int rc = 0;

	if (!dir) {
		rc = store_error_sys(err, "cannot list '%s/packs'", odb_path(o));
		io_close(&fd);
		return rc;
	}
	for (errno = 0; rc == 0 && (d = readdir(dir)) != NULL; errno = 0) {
		struct fsck_pack p = { 0 };
		struct stat st;

		if (!pack_name_parse(d->d_name, &p.number, p.random))
			continue;
		if (fstatat(odb_packs_fd(o), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			p.size = (uint64_t)st.st_size;
		if (mem_grow(&l->items, &l->cap, l->count + 1, sizeof(*l->items)) != 0)
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
		else
			l->items[l->count++] = p;
	}
	/* A list that ends early would look like packs that are gone. */
	if (rc == 0 && errno != 0)
		rc = store_error_sys(err, "cannot list '%s/packs'", odb_path(o));
	closedir(dir);
	if (rc == 0 && l->count > 0)
		qsort(l->items, l->count, sizeof(*l->items), by_number);
	return rc;
}

void fsck_free_packs(struct fsck_pack_list *l)
{
	free(l->items);
	*l = (struct fsck_pack_list){ 0 };
}

struct fsck_pack *fsck_find_pack(const struct fsck_pack_list *l, uint64_t number)
{
	size_t from = 0, to = l->count;

	while (from < to) {
		const size_t mid = from + (to - from) / 2;

		if (l->items[mid].number == number)
			return &l->items[mid];
		if (l->items[mid].number < number)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

/* ---- one file */

static bool read_at(const struct fsck_file *f, void *out, size_t len, uint64_t off)
{
	return !FAULT("fsck.read") && io_pread_full(f->fd, out, len, off) == (ssize_t)len;
}

static int read_footer(struct fsck_file *f, struct store_error *err)
{
	uint8_t trailer[PACK_TRAILER];
	uint8_t *footer;
	uint64_t off, len;
	int rc;

	if (f->size < PACK_HEADER + FOOTER_MIN)
		return store_error_set(err, STORE_ECORRUPT, "pack has no footer");
	if (!read_at(f, trailer, sizeof(trailer), f->size - sizeof(trailer)))
		return store_error_sys(err, "cannot read 'packs/%s'", f->name);
	off = le64_get(trailer);
	if (memcmp(trailer + PACK_TRAILER - 8, "STEND001", 8) == 0)
		f->footer_off = off;
	len = f->size - off;
	if (off < PACK_HEADER || off > f->size - FOOTER_MIN || len > FOOTER_MAX)
		return store_error_set(err, STORE_ECORRUPT, "pack has no footer");
	/* Pages of its own go at once; 16 MiB that malloc has freed may stay. */
	footer = mem_pages((size_t)len);
	if (!footer)
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	else if (!read_at(f, footer, (size_t)len, off))
		rc = store_error_sys(err, "cannot read 'packs/%s'", f->name);
	else
		rc = pack_index_parse(&f->index, footer, (size_t)len, off, err);
	mem_pages_free(footer, (size_t)len);
	if (rc == 0) {
		f->blocks_end = off;
		f->has_footer = true;
	} else {
		pack_index_release(&f->index);
	}
	return rc;
}

static int check_header(const struct fsck_file *f, struct store_error *err)
{
	static const uint8_t want[PACK_HEADER] = { 'S', 'T', 'P', 'K', 1 };
	uint8_t head[PACK_HEADER];
	const ssize_t n = FAULT("fsck.read") ? -1 : io_pread_full(f->fd, head, sizeof(head), 0);

	if (n < 0)
		return store_error_sys(err, "cannot read 'packs/%s'", f->name);
	if (n == (ssize_t)sizeof(head) && memcmp(head, "STPK", 4) == 0 && le32_get(head + 4) > 1)
		return store_error_set(err, STORE_EVERSION,
			"pack of version %u: a newer store is needed", le32_get(head + 4));
	if (n != (ssize_t)sizeof(head) || memcmp(head, want, sizeof(head)) != 0)
		return store_error_set(err, STORE_ECORRUPT, "pack header is damaged");
	return 0;
}

int fsck_file_block(const struct fsck_file *f, uint64_t off, struct pack_block_info *info,
	struct store_error *err)
{
	uint8_t head[PACK_BLOCK_HEADER];
	int rc;

	if (off >= f->blocks_end)
		return STORE_ENOTFOUND;
	if (off + sizeof(head) > f->blocks_end)
		return store_error_set(err, STORE_ECORRUPT, "block ends early");
	if (!read_at(f, head, sizeof(head), off))
		return store_error_sys(err, "cannot read");
	/*
	 * Where the footer is lost, its remains end the blocks as well as the end of the file does.
	 */
	if (!f->has_footer &&
		(memcmp(head, "STFT", 4) == 0 ||
			(off == f->footer_off && memcmp(head, "STBK", 4) != 0)))
		return STORE_ENOTFOUND;
	rc = pack_block_parse(head, info, err);
	if (rc == 0 && off + pack_block_length(info) > f->blocks_end)
		rc = store_error_set(err, STORE_ECORRUPT, "block ends early");
	return rc;
}

static bool has_block(const struct fsck_file *f)
{
	struct pack_block_info info;

	return fsck_file_block(f, PACK_HEADER, &info, NULL) == 0;
}

int fsck_file_open(struct odb *o, const struct fsck_pack *p, struct fsck_file *f,
	struct store_error *err)
{
	struct store_error why = { 0 };
	struct stat st;
	int rc;

	memset(f, 0, sizeof(*f));
	pack_name(f->name, p->number, p->random);
	f->fd = openat(odb_packs_fd(o), f->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd == -1 && errno == ENOENT)
		return store_error_set(err, STORE_ENOTFOUND, "pack is missing");
	if (f->fd == -1 || fstat(f->fd, &st) != 0)
		return store_error_sys(err, "cannot open 'packs/%s'", f->name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > LIMIT_PACK)
		return store_error_set(err, STORE_ECORRUPT, "pack is no file of at most %u bytes",
			LIMIT_PACK);
	posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	f->size = f->blocks_end = (uint64_t)st.st_size;
	rc = read_footer(f, err);
	if (rc != 0 && rc != STORE_ECORRUPT && rc != STORE_EIO)
		return rc;
	rc = check_header(f, &why);
	f->has_header = rc == 0;
	if (rc == 0 || f->has_footer || (rc != STORE_EVERSION && has_block(f)))
		return 0;
	if (err)
		*err = why;
	return rc;
}

void fsck_file_close(struct fsck_file *f)
{
	io_close(&f->fd);
	pack_index_release(&f->index);
}

/* ---- one block */

int fsck_decoder_init(struct fsck_decoder *d, struct store_error *err)
{
	const struct codec_options plain = { .codec = CODEC_NONE };

	memset(d, 0, sizeof(*d));
	d->codec = codec_new(&plain);
	d->hash = hash_new();
	return d->codec && d->hash ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
}

void fsck_decoder_release(struct fsck_decoder *d)
{
	codec_free(d->codec);
	hash_free(d->hash);
	buf_release(&d->raw);
	buf_release(&d->plain);
	free(d->lens);
	memset(d, 0, sizeof(*d));
}

/* Room for blocks as add makes them is kept: there would be new pages for it in each pack. */
void fsck_decoder_trim(struct fsck_decoder *d)
{
	if (d->raw.cap + d->plain.cap <= TRIMMED)
		return;
	buf_release(&d->raw);
	buf_release(&d->plain);
}

int fsck_decode(struct fsck_decoder *d, const struct fsck_file *f, uint64_t off,
	const struct pack_block_info *info, struct store_error *err)
{
	const size_t len = (size_t)pack_block_length(info);
	int rc;

	buf_clear(&d->raw);
	buf_clear(&d->plain);
	if (buf_reserve(&d->raw, len) != 0 || buf_reserve(&d->plain, info->plain) != 0 ||
		mem_grow(&d->lens, &d->lens_cap, info->count, sizeof(*d->lens)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (!read_at(f, d->raw.data, len, off))
		return store_error_sys(err, "cannot read");
	rc = pack_block_check(d->raw.data, len, info, d->lens, err);
	if (rc == 0)
		rc = codec_decode(d->codec, info->codec, pack_block_stored(d->raw.data, info),
			info->stored, d->plain.data, info->plain, err);
	if (rc == 0)
		d->plain.len = info->plain;
	return rc;
}

bool fsck_is_damage(int rc)
{
	return rc == STORE_ECORRUPT || rc == STORE_EIO || rc == STORE_EVERSION;
}
