/*
 * Phase 1: the pack files alone, without the database.
 *
 * One pack after the other goes through the pipeline, a block per item: the producer reads 32 bytes
 * of header, a worker reads, decodes and hashes the block and compares every object with the
 * footer, the consumer tells what was found, in order of offsets. Packs of few blocks are not worth
 * threads of their own.
 *
 * A footer row must stand for an object that its block really holds, and every object must have a
 * row. Workers tick off the rows they met; those of a block that were not are wrong. No row is
 * hashed for itself: rows may be as many as objects, and each may claim 16 MiB.
 *
 * Memory: 9 bytes for each row of one footer, 4 for each of its blocks. Of a block that is lost no
 * list of objects is made, for the footer has it; of one with wrong rows FINDINGS_MAX are told.
 *
 * Threads: large_lock lets one worker at a time hold a block over LARGE bytes, so that memory does
 * not grow with them.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pipeline.h"
#include "data/hash.h"
#include "work/fsck_internal.h"

#define LARGE ((size_t)1 << 20)
#define FEW_BLOCKS 8
#define FINDINGS_MAX 1000
#define WORKERS_MAX 16

/* ---- the pipeline of one pack */

struct finding {
	struct oid id;
	const char *why; /* static */
};

struct item {
	size_t block; /* index, when there is a footer */
	uint64_t off;
	struct pack_block_info info;
	bool is_good; /* the header is */
	bool is_lost; /* nothing in it can be read: why */
	struct store_error why;
	uint64_t bytes, objects;
	struct finding *findings;
	size_t count, cap; /* of findings; what is over FINDINGS_MAX is only counted */
};

struct scan {
	struct fsck *fsck;
	struct fsck_pack *pack;
	struct fsck_file file;
	uint32_t *first; /* of each block, and behind the last: where its rows begin in `rows` */
	uint32_t *rows;  /* positions in the footer, block by block */
	bool *is_met;    /* by position in the footer; each is its block's worker's to write */
	uint64_t at;     /* offset of the next block */
	size_t next;     /* its index */
	struct fsck_decoder workers[WORKERS_MAX];
	struct fsck_decoder large; /* guarded by large_lock */
	pthread_mutex_t large_lock;
	struct store_error ended; /* why blocks could not be followed further */
	bool is_cut;
};

static int add_finding(struct item *it, const struct oid *id, const char *why,
	struct store_error *err)
{
	const size_t i = it->count++;

	if (i >= FINDINGS_MAX)
		return 0;
	if (mem_grow(&it->findings, &it->cap, i + 1, sizeof(*it->findings)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	it->findings[i] = (struct finding){ *id, why };
	return 0;
}

static void lose_block(struct item *it, const struct store_error *why)
{
	it->is_lost = true;
	it->why = *why;
}

static int produce(void *ctx, void *item, struct store_error *err)
{
	struct scan *s = ctx;
	struct item *it = item;
	struct store_error why = { 0 };
	int rc;

	it->count = 0;
	it->is_good = it->is_lost = false;
	it->bytes = it->objects = 0;
	it->off = s->at;
	it->block = s->next;
	if (s->is_cut)
		return PIPELINE_END;
	rc = fsck_file_block(&s->file, s->at, &it->info, &why);
	if (rc == STORE_ENOTFOUND)
		return PIPELINE_END;
	if (rc != 0 && !fsck_is_damage(rc)) {
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
	if (rc != 0)
		lose_block(it, &why);
	return 0;
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
static int find_wrong_rows(struct scan *s, struct item *it, struct store_error *err)
{
	int rc = 0;

	for (uint32_t i = s->first[it->block]; i < s->first[it->block + 1] && rc == 0; i++) {
		if (!s->is_met[s->rows[i]])
			rc = add_finding(it, &s->file.index.rows[s->rows[i]].id,
				"the bytes have another id", err);
	}
	return rc;
}

static int compare(struct scan *s, struct item *it, struct fsck_decoder *d, struct store_error *err)
{
	const struct pack_index *x = &s->file.index;
	uint32_t off = 0;
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
			s->is_met[r - x->rows] = true;
	}
	it->objects = it->info.count;
	it->bytes = it->info.plain;
	return rc == 0 && s->file.has_footer ? find_wrong_rows(s, it, err) : rc;
}

static int check_block(struct scan *s, struct item *it, struct fsck_decoder *d,
	struct store_error *err)
{
	struct store_error why = { 0 };
	int rc = fsck_decode(d, &s->file, it->off, &it->info, &why);

	if (fsck_is_damage(rc)) {
		lose_block(it, &why);
		return 0;
	}
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

	if (!it->is_good)
		return 0;
	if (it->info.plain <= LARGE && pack_block_length(&it->info) <= LARGE)
		return check_block(s, it, &s->workers[worker], err);
	pthread_mutex_lock(&s->large_lock);
	rc = check_block(s, it, &s->large, err);
	pthread_mutex_unlock(&s->large_lock);
	return rc;
}

/* The objects of a block that is lost, by the footer. */
static int tell_lost(struct scan *s, const struct item *it, struct store_error *err)
{
	const struct pack_index *x = &s->file.index;
	uint32_t i, end;
	int rc = 0;

	if (!s->file.has_footer || s->first[it->block] == s->first[it->block + 1])
		return fsck_damage(s->fsck, NULL, s->pack->number, it->off, err, "%s", it->why.msg);
	end = s->first[it->block + 1];
	for (i = s->first[it->block]; i < end && rc == 0; i++)
		rc = fsck_damage(s->fsck, &x->rows[s->rows[i]].id, s->pack->number, it->off, err,
			"%s", it->why.msg);
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
	if (it->is_lost)
		return tell_lost(s, it, err);
	for (size_t i = 0; i < it->count && i < FINDINGS_MAX && rc == 0; i++)
		rc = fsck_damage(f, &it->findings[i].id, s->pack->number, it->off, err, "%s",
			it->findings[i].why);
	if (rc == 0 && it->count > FINDINGS_MAX)
		rc = fsck_damage(f, NULL, s->pack->number, it->off, err,
			"%zu more rows and objects of the block do not go together",
			it->count - FINDINGS_MAX);
	return rc;
}

static int tick(void *ctx, struct store_error *err)
{
	return fsck_tick(((struct scan *)ctx)->fsck, err);
}

static void free_rows(struct scan *s)
{
	free(s->first);
	free(s->rows);
	free(s->is_met);
	s->first = s->rows = NULL;
	s->is_met = NULL;
}

/*
 * The footer has its rows by id: put them in order of blocks once, for a pack may have as many
 * damaged blocks as it has rows.
 */
static int sort_rows(struct scan *s, struct store_error *err)
{
	const struct pack_index *x = &s->file.index;

	s->first = mem_alloc_array(x->block_count + 2, sizeof(*s->first));
	s->rows = mem_alloc_array(x->count, sizeof(*s->rows));
	s->is_met = mem_alloc_array(x->count, sizeof(*s->is_met));
	if (!s->first || !s->rows || !s->is_met)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	/* Counted two places ahead, so that placing a block's rows moves its beginning to its end.
	 */
	for (size_t i = 0; i < x->count; i++)
		s->first[x->rows[i].block + 2]++;
	for (size_t b = 2; b < x->block_count + 2; b++)
		s->first[b] += s->first[b - 1];
	for (size_t i = 0; i < x->count; i++)
		s->rows[s->first[x->rows[i].block + 1]++] = (uint32_t)i;
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
	rc = sort_rows(s, err);
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
	/* What the pack before needed goes: its block beside this footer is too much. */
	free_rows(s);
	fsck_decoder_trim(&s->large);
	rc = fsck_file_open(f->repo->odb, p, &s->file, &why);
	if (rc == STORE_ENOTFOUND) {
		rc = tell_missing(f, p, err);
	} else if (fsck_is_damage(rc)) {
		rc = fsck_damage(f, NULL, p->number, 0, err, "%s", why.msg);
	} else if (rc != 0) {
		if (err)
			*err = why;
	} else {
		if (!s->file.has_header)
			rc = fsck_damage(f, NULL, p->number, 0, err,
				"pack header is damaged; 'store fsck --rebuild' writes it anew where all blocks are whole");
		if (rc == 0 && !s->file.has_footer)
			rc = fsck_damage(f, NULL, p->number, s->file.size, err,
				"%s; 'store fsck --rebuild' writes it anew where all blocks are whole",
				why.msg);
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
	for (size_t i = 0; i < f->packs.count; i++)
		f->progress.bytes_total += f->packs.items[i].size;
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
		const uint64_t end = f->progress.bytes + f->packs.items[i].size;

		f->packs.items[i].first_bit = f->packs.bits;
		rc = scan_pack(s, &f->packs.items[i], pool, workers, err);
		f->progress.bytes = end; /* header and footer, and what was damaged */
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
	free_rows(s);
	free(s);
	return rc;
}
