/*
 * Phase 1: the pack files alone, without the database.
 *
 * One pack after the other goes through the pipeline, a block per item: the producer reads 32 bytes
 * of header, a worker reads, decodes and hashes the block and compares every object with the
 * footer, the consumer tells what was found, in order of offsets. Packs of few blocks are not worth
 * threads of their own.
 *
 * A footer row must stand for an object that its block really holds, and every object must have a
 * row. Workers count the rows they met; where fewer were met than the footer has for a block, each
 * of them is looked at.
 *
 * Threads: large_lock lets one worker at a time hold a block over LARGE bytes, so that memory does
 * not grow with them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/pipeline.h"
#include "data/crc32c.h"
#include "data/hash.h"
#include "data/limits.h"
#include "work/fsck_internal.h"

#define LARGE ((size_t)1 << 20)
#define FEW_BLOCKS 8
#define WORKERS_MAX 16
#define FOOTER_MIN (PACK_FOOTER_HEAD + PACK_FANOUT + PACK_TRAILER)
#define FOOTER_MAX (FOOTER_MIN + (uint64_t)LIMIT_PACK_OBJECTS * (PACK_OBJECT_ROW + PACK_BLOCK_ROW))

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

		if (!pack_name_parse(d->d_name, &p.number, p.random))
			continue;
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

static int read_footer(struct fsck_file *f, struct store_error *err)
{
	uint8_t trailer[PACK_TRAILER];
	struct buf footer = { 0 };
	uint64_t off, len;
	int rc;

	if (f->size < PACK_HEADER + FOOTER_MIN)
		return store_error_set(err, STORE_ECORRUPT, "pack has no footer");
	if (io_pread_full(f->fd, trailer, sizeof(trailer), f->size - sizeof(trailer)) !=
		(ssize_t)sizeof(trailer))
		return store_error_sys(err, "cannot read 'packs/%s'", f->name);
	off = le64_get(trailer);
	len = f->size - off;
	if (off < PACK_HEADER || off > f->size - FOOTER_MIN || len > FOOTER_MAX)
		return store_error_set(err, STORE_ECORRUPT, "pack has no footer");
	rc = buf_reserve(&footer, (size_t)len);
	if (rc != 0)
		rc = store_error_set(err, rc, "out of memory");
	else if (io_pread_full(f->fd, footer.data, (size_t)len, off) != (ssize_t)len)
		rc = store_error_sys(err, "cannot read 'packs/%s'", f->name);
	else
		rc = pack_index_parse(&f->index, footer.data, (size_t)len, off, err);
	buf_release(&footer);
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
	const ssize_t n = io_pread_full(f->fd, head, sizeof(head), 0);

	if (n < 0)
		return store_error_sys(err, "cannot read 'packs/%s'", f->name);
	if (n == (ssize_t)sizeof(head) && memcmp(head, "STPK", 4) == 0 && le32_get(head + 4) > 1)
		return store_error_set(err, STORE_EVERSION,
			"pack of version %u: a newer store is needed", le32_get(head + 4));
	if (n != (ssize_t)sizeof(head) || memcmp(head, want, sizeof(head)) != 0)
		return store_error_set(err, STORE_ECORRUPT, "pack header is damaged");
	return 0;
}

int fsck_file_open(struct odb *o, const struct fsck_pack *p, struct fsck_file *f,
	struct store_error *err)
{
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
	rc = check_header(f, err);
	if (rc != 0)
		return rc;
	rc = read_footer(f, err);
	return rc == STORE_ECORRUPT ? 0 : rc;
}

void fsck_file_close(struct fsck_file *f)
{
	io_close(&f->fd);
	pack_index_release(&f->index);
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
	if (io_pread_full(f->fd, head, sizeof(head), off) != (ssize_t)sizeof(head))
		return store_error_sys(err, "cannot read");
	/*
	 * Where the footer is lost, its remains end the blocks as well as the end of the file does.
	 */
	if (!f->has_footer && memcmp(head, "STFT", 4) == 0)
		return STORE_ENOTFOUND;
	rc = pack_block_parse(head, info, err);
	if (rc == 0 && off + pack_block_length(info) > f->blocks_end)
		rc = store_error_set(err, STORE_ECORRUPT, "block ends early");
	return rc;
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
	if (io_pread_full(f->fd, d->raw.data, len, off) != (ssize_t)len)
		return store_error_sys(err, "cannot read");
	rc = pack_block_check(d->raw.data, len, info, d->lens, err);
	if (rc == 0)
		rc = codec_decode(d->codec, info->codec, pack_block_stored(d->raw.data, info),
			info->stored, d->plain.data, info->plain, err);
	if (rc == 0)
		d->plain.len = info->plain;
	return rc;
}

/* ---- the pipeline of one pack */

struct finding {
	struct oid id;
	bool has_id;
	char why[200];
};

struct item {
	size_t block; /* index, when there is a footer */
	uint64_t off;
	struct pack_block_info info;
	bool is_good;
	uint64_t bytes, objects;
	struct finding *findings;
	size_t count, cap;
};

struct scan {
	struct fsck *fsck;
	struct fsck_pack *pack;
	struct fsck_file file;
	uint32_t *expected; /* footer rows per block */
	uint64_t at;        /* offset of the next block */
	size_t next;        /* its index */
	struct fsck_decoder workers[WORKERS_MAX];
	struct fsck_decoder large; /* guarded by large_lock */
	pthread_mutex_t large_lock;
	struct store_error ended; /* why blocks could not be followed further */
	bool is_cut;
};

static int add_finding(struct item *it, const struct oid *id, const char *why,
	struct store_error *err)
{
	struct finding *n;

	if (mem_grow(&it->findings, &it->cap, it->count + 1, sizeof(*it->findings)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	n = &it->findings[it->count++];
	memset(n, 0, sizeof(*n));
	n->has_id = id != NULL;
	if (id)
		n->id = *id;
	snprintf(n->why, sizeof(n->why), "%s", why);
	return 0;
}

static int produce(void *ctx, void *item, struct store_error *err)
{
	struct scan *s = ctx;
	struct item *it = item;
	struct store_error why = { 0 };
	int rc;

	it->count = 0;
	it->is_good = false;
	it->bytes = it->objects = 0;
	it->off = s->at;
	it->block = s->next;
	if (s->is_cut)
		return PIPELINE_END;
	rc = fsck_file_block(&s->file, s->at, &it->info, &why);
	if (rc == STORE_ENOTFOUND)
		return PIPELINE_END;
	if (rc != 0 && rc != STORE_ECORRUPT && rc != STORE_EIO && rc != STORE_EVERSION) {
		if (err)
			*err = why;
		return rc;
	}
	if (s->file.has_footer) {
		/*
		 * The footer says where the next block is, so a damaged header costs only its own
		 * block.
		 */
		const struct pack_block_row *row = &s->file.index.blocks[s->next];

		if (rc == 0 &&
			(pack_block_length(&it->info) != row->length ||
				it->info.plain != row->plain || it->info.crc != row->crc)) {
			rc = STORE_ECORRUPT;
			store_error_set(&why, rc, "block header is not what the footer says");
		}
		s->at += row->length;
		s->next++;
	} else if (rc == 0) {
		s->at += pack_block_length(&it->info);
	} else {
		s->is_cut = true;
		s->ended = why;
		return PIPELINE_END;
	}
	it->is_good = rc == 0;
	return rc == 0 ? 0 : add_finding(it, NULL, why.msg, err);
}

static const struct pack_row *find_row(const struct pack_index *x, const struct oid *id)
{
	size_t from = 0, to = x->count;

	while (from < to) {
		const size_t mid = from + (to - from) / 2;
		const int c = id_cmp(id, &x->rows[mid].id);

		if (c == 0)
			return &x->rows[mid];
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

/* Fewer rows were met than the footer has for the block: which are wrong? */
static int find_wrong_rows(struct scan *s, struct item *it, struct fsck_decoder *d,
	struct store_error *err)
{
	const struct pack_index *x = &s->file.index;
	int rc = 0;

	for (size_t i = 0; i < x->count && rc == 0; i++) {
		const struct pack_row *r = &x->rows[i];
		struct oid is;

		if (r->block != it->block)
			continue;
		hash_once(d->hash, d->plain.data + r->off, r->len, &is);
		if (!id_eq(&is, &r->id))
			rc = add_finding(it, &r->id, "the bytes have another id", err);
	}
	return rc;
}

static int compare(struct scan *s, struct item *it, struct fsck_decoder *d, struct store_error *err)
{
	const struct pack_index *x = &s->file.index;
	uint32_t off = 0, met = 0;
	int rc = 0;

	for (uint32_t i = 0; i < it->info.count && rc == 0; off += d->lens[i], i++) {
		const struct pack_row *r;
		struct oid id;

		hash_once(d->hash, d->plain.data + off, d->lens[i], &id);
		if (!s->file.has_footer)
			continue;
		r = find_row(x, &id);
		if (!r)
			rc = add_finding(it, &id, "the footer has no row for it", err);
		else if (r->block == it->block && r->off == off && r->len == d->lens[i])
			met++;
	}
	it->objects = it->info.count;
	it->bytes = it->info.plain;
	if (rc == 0 && s->file.has_footer && met < s->expected[it->block])
		rc = find_wrong_rows(s, it, d, err);
	return rc;
}

/* Nothing in the block can be read: its objects, by the footer. */
static int lose_block(struct scan *s, struct item *it, const char *why, struct store_error *err)
{
	const struct pack_index *x = &s->file.index;
	const size_t before = it->count;
	int rc = 0;

	for (size_t i = 0; i < x->count && rc == 0; i++) {
		if (x->rows[i].block == it->block)
			rc = add_finding(it, &x->rows[i].id, why, err);
	}
	return rc == 0 && it->count == before ? add_finding(it, NULL, why, err) : rc;
}

static int check_block(struct scan *s, struct item *it, struct fsck_decoder *d,
	struct store_error *err)
{
	struct store_error why = { 0 };
	int rc = fsck_decode(d, &s->file, it->off, &it->info, &why);

	if (rc == STORE_ECORRUPT || rc == STORE_EIO || rc == STORE_EVERSION)
		return lose_block(s, it, why.msg, err);
	if (rc != 0) {
		if (err)
			*err = why;
		return rc;
	}
	return compare(s, it, d, err);
}

static int work(void *ctx, unsigned int worker, void *item, struct store_error *err)
{
	struct scan *s = ctx;
	struct item *it = item;
	int rc;

	if (!it->is_good) {
		char why[sizeof(it->findings[0].why)];

		memcpy(why, it->findings[0].why, sizeof(why));
		it->count = 0;
		return lose_block(s, it, why, err);
	}
	if (it->info.plain <= LARGE && it->info.stored <= LARGE)
		return check_block(s, it, &s->workers[worker], err);
	pthread_mutex_lock(&s->large_lock);
	rc = check_block(s, it, &s->large, err);
	pthread_mutex_unlock(&s->large_lock);
	return rc;
}

static int consume(void *ctx, void *item, struct store_error *err)
{
	struct scan *s = ctx;
	struct item *it = item;
	struct fsck *f = s->fsck;
	int rc = 0;

	f->result->blocks++;
	f->result->objects += it->objects;
	f->result->bytes += it->bytes;
	f->result->stats.decoded_bytes += it->bytes;
	f->progress.bytes += pack_block_length(&it->info);
	for (size_t i = 0; i < it->count && rc == 0; i++)
		rc = fsck_damage(f, it->findings[i].has_id ? &it->findings[i].id : NULL,
			s->pack->number, it->off, err, "%s", it->findings[i].why);
	return rc;
}

static int tick(void *ctx, struct store_error *err)
{
	return fsck_tick(((struct scan *)ctx)->fsck, err);
}

static int count_expected(struct scan *s, struct store_error *err)
{
	const struct pack_index *x = &s->file.index;

	free(s->expected);
	s->expected = mem_alloc_array(x->block_count + 1, sizeof(*s->expected));
	if (!s->expected)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	for (size_t i = 0; i < x->count; i++)
		s->expected[x->rows[i].block]++;
	return 0;
}

static int scan_blocks(struct scan *s, void **pool, unsigned int workers, struct store_error *err)
{
	static const struct pipeline_ops ops = { produce, work, consume, tick };
	const bool few = s->file.has_footer && s->file.index.block_count <= FEW_BLOCKS;
	int rc;

	s->at = PACK_HEADER;
	s->next = 0;
	s->is_cut = false;
	rc = count_expected(s, err);
	return rc == 0
		? pipeline_run(&ops, s, pool, 2 * (size_t)workers + 2, few ? 1 : workers, err)
		: rc;
}

/* The pack is gone: everything that the database has in it is lost; phase 2 names it. */
static int tell_missing(struct fsck *f, struct fsck_pack *p, struct store_error *err)
{
	p->is_missing = true;
	return fsck_damage(f, NULL, p->number, 0, err, "the pack is missing");
}

static int scan_pack(struct scan *s, struct fsck_pack *p, void **pool, unsigned int workers,
	struct store_error *err)
{
	struct fsck *f = s->fsck;
	struct store_error why = { 0 };
	int rc = 0;

	if (p->is_missing)
		return tell_missing(f, p, err);
	s->pack = p;
	rc = fsck_file_open(f->repo->odb, p, &s->file, &why);
	if (rc == STORE_ENOTFOUND) {
		rc = tell_missing(f, p, err);
	} else if (rc == STORE_ECORRUPT || rc == STORE_EIO || rc == STORE_EVERSION) {
		rc = fsck_damage(f, NULL, p->number, 0, err, "%s", why.msg);
	} else if (rc != 0) {
		if (err)
			*err = why;
	} else {
		if (!s->file.has_footer)
			rc = fsck_damage(f, NULL, p->number, s->file.size, err,
				"%s; 'store fsck --rebuild' reads it block by block", why.msg);
		p->is_readable = s->file.has_footer;
		p->rows = (uint32_t)s->file.index.count;
		p->blocks = (uint32_t)s->file.index.block_count;
		p->size = s->file.size;
		p->footer_off = s->file.blocks_end;
		if (rc == 0)
			rc = scan_blocks(s, pool, workers, err);
		if (rc == 0 && s->is_cut)
			rc = fsck_damage(f, NULL, p->number, s->at, err,
				"%s; what follows cannot be found", s->ended.msg);
		f->result->packs++;
	}
	fsck_file_close(&s->file);
	return rc;
}

int fsck_packs(struct fsck *f, struct store_error *err)
{
	unsigned int workers = pipeline_threads(f->repo->threads);
	struct scan *s = calloc(1, sizeof(*s));
	struct item items[2 * WORKERS_MAX + 2];
	void *pool[2 * WORKERS_MAX + 2];
	int rc = 0;

	if (!s)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	workers = workers > WORKERS_MAX ? WORKERS_MAX : workers;
	memset(items, 0, sizeof(items));
	for (size_t i = 0; i < sizeof(pool) / sizeof(pool[0]); i++)
		pool[i] = &items[i];
	s->fsck = f;
	s->file.fd = -1;
	pthread_mutex_init(&s->large_lock, NULL);
	for (unsigned int i = 0; i < workers && rc == 0; i++)
		rc = fsck_decoder_init(&s->workers[i], err);
	if (rc == 0)
		rc = fsck_decoder_init(&s->large, err);
	for (size_t i = 0; i < f->packs.count && rc == 0; i++) {
		f->packs.items[i].first_bit = f->packs.bits;
		rc = scan_pack(s, &f->packs.items[i], pool, workers, err);
		if (rc == 0 && f->packs.items[i].is_readable)
			f->packs.bits += f->packs.items[i].rows;
		if (rc == 0)
			rc = fsck_tick(f, err);
	}
	for (unsigned int i = 0; i < workers; i++)
		fsck_decoder_release(&s->workers[i]);
	fsck_decoder_release(&s->large);
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		free(items[i].findings);
	pthread_mutex_destroy(&s->large_lock);
	free(s->expected);
	free(s);
	return rc;
}
