/*
 * What a worker does with an item: read small files, cut, hash, ask who brings each chunk, compress
 * what is new.
 *
 * A small file is read straight behind the objects that gather for the next block; chunks that turn
 * out to be known are cut away again, so new bytes are never copied. Chunks of 64 KiB and more are
 * blocks of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/trace.h"
#include "data/limits.h"
#include "work/ingest.h"

#define BLOCK_TARGET ((size_t)256 << 10)
#define BLOCK_ALONE ((size_t)64 << 10)

int ingest_worker_init(struct ingest_worker *w, struct ingest *g, struct store_error *err)
{
	pack_block_init(&w->open, PACK_CONTENT);
	w->reader = odb_reader_new(g->repo->odb);
	w->codec = codec_new(g->codec ? g->codec : &odb_options_of(g->repo->odb)->codec);
	w->hash = hash_new();
	return w->reader && w->codec && w->hash
		? 0
		: store_error_set(err, STORE_ENOMEM, "out of memory");
}

void ingest_worker_release(struct ingest_worker *w)
{
	odb_reader_free(w->reader);
	codec_free(w->codec);
	hash_free(w->hash);
	pack_block_release(&w->open);
	buf_release(&w->scratch);
	buf_release(&w->list);
}

struct chunk_ref *ingest_add_chunk(struct item *item, struct store_error *err)
{
	struct chunk_ref *c;

	if (mem_grow(&item->chunks, &item->chunk_cap, item->chunk_count + 1,
		    sizeof(*item->chunks)) != 0) {
		store_error_set(err, STORE_ENOMEM, "out of memory");
		return NULL;
	}
	c = &item->chunks[item->chunk_count++];
	memset(c, 0, sizeof(*c));
	c->repeat = 1;
	return c;
}

/* A block slot of the item; slots keep their tables of objects from one use to the next. */
static struct pack_block *next_block(struct item *item, struct store_error *err)
{
	const size_t had = item->block_cap;

	if (mem_grow(&item->blocks, &item->block_cap, item->block_count + 1,
		    sizeof(*item->blocks)) != 0) {
		store_error_set(err, STORE_ENOMEM, "out of memory");
		return NULL;
	}
	for (size_t i = had; i < item->block_cap; i++)
		pack_block_init(&item->blocks[i], PACK_CONTENT);
	pack_block_clear(&item->blocks[item->block_count]);
	return &item->blocks[item->block_count++];
}

/* Encode what gathered into a block of the item. */
static int close_open(struct ingest_worker *w, struct item *item, struct store_error *err)
{
	struct pack_block *b;
	int rc;

	if (w->open.count == 0)
		return 0;
	b = next_block(item, err);
	if (!b)
		return STORE_ENOMEM;
	/* The objects go along; the plain bytes stay in the worker's buffer. */
	if (mem_grow(&b->objects, &b->cap, w->open.count, sizeof(*b->objects)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	memcpy(b->objects, w->open.objects, w->open.count * sizeof(*b->objects));
	b->count = w->open.count;
	rc = pack_block_encode(b, w->codec, w->open.plain.data, w->open.plain.len, &item->wire,
		err);
	pack_block_clear(&w->open);
	return rc;
}

static int add_alone(struct ingest_worker *w, struct item *item, const struct oid *id,
	const uint8_t *data, size_t len, struct store_error *err)
{
	struct pack_block *b = next_block(item, err);

	if (!b)
		return STORE_ENOMEM;
	if (mem_grow(&b->objects, &b->cap, 1, sizeof(*b->objects)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	b->objects[0] = (struct pack_object){ *id, 0, (uint32_t)len, KIND_CHUNK };
	b->count = 1;
	return pack_block_encode(b, w->codec, data, len, &item->wire, err);
}

/* Bring an object of content if nobody has it. */
static int bring(struct ingest *g, struct ingest_worker *w, struct item *item, const struct oid *id,
	const uint8_t *data, size_t len, struct store_error *err)
{
	int rc = writer_claim(g->writer, w->reader, id, item->seq, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (len >= BLOCK_ALONE)
		return add_alone(w, item, id, data, len, err);
	rc = w->open.plain.len + len > BLOCK_TARGET ? close_open(w, item, err) : 0;
	return rc == 0 ? pack_block_add(&w->open, id, KIND_CHUNK, data, len, err) : rc;
}

/* One chunk of the item: hash it, and bring it if nobody has it. */
static int take_chunk(struct ingest *g, struct ingest_worker *w, struct item *item,
	struct chunk_ref *c, const uint8_t *data, size_t len, struct store_error *err)
{
	hash_once(w->hash, data, len, &c->id);
	c->len = (uint32_t)len;
	__atomic_add_fetch(&g->result->stats.chunks, 1, __ATOMIC_RELAXED);
	return bring(g, w, item, &c->id, data, len, err);
}

/* The job's meta, with the list of xattrs that the worker has read, which is brought. */
static int take_meta(struct ingest *g, struct ingest_worker *w, struct item *item, struct job *job,
	struct store_error *err)
{
	int rc = ingest_meta(g, job, &w->list, w->hash, err);

	if (rc == 0 && job->list.size > 0)
		rc = bring(g, w, item, &job->list.id, w->list.data, w->list.len, err);
	return rc;
}

/* A list that the producer has read. */
static int take_list(struct ingest *g, struct ingest_worker *w, struct item *item,
	const struct job *job, struct store_error *err)
{
	return job->has_list ? bring(g, w, item, &job->list.id, item->lists.data + job->list_off,
				       (size_t)job->list.size, err)
			     : 0;
}

/* ---- small files */

/* A notice; but memory that runs out is an error: nothing is wrong with the file. */
static int fail_job(struct job *job, int notice, int sys, struct store_error *err)
{
	char text[128];

	if (sys == ENOMEM)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	job->notice = notice;
	snprintf(job->why, sizeof(job->why), "%s", strerror_r(sys, text, sizeof(text)));
	return 0;
}

static bool same_stat(const struct stage_stat *a, const struct stage_stat *b)
{
	return a->size == b->size && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns &&
		a->ino == b->ino && a->mode == b->mode;
}

static int fail_list(struct job *job, int sys, struct store_error *err)
{
	if (sys == ENOMEM)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	job->notice = ingest_list_notice(sys, job->why, sizeof(job->why));
	return 0;
}

/*
 * Read the whole file at fd into scratch, and its xattrs into list. 0: done, or told; 1: it changed
 * meanwhile; negative: errno in *sys.
 */
static int read_file(const struct ingest *g, struct ingest_worker *w, int fd, struct job *job,
	int *sys)
{
	struct worktree_entry before, after;
	ssize_t n;

	*sys = 0;
	if (worktree_fstat(fd, &before, NULL) != 0) {
		*sys = errno;
		return -1;
	}
	if (before.kind != ENTRY_FILE && before.kind != ENTRY_EXEC)
		return 1;
	buf_clear(&w->scratch);
	if (before.stat.size > 2 * INGEST_SMALL)
		return 1;
	if (buf_reserve(&w->scratch, (size_t)before.stat.size + 1) != 0) {
		*sys = ENOMEM;
		return -1;
	}
	n = FAULT("ingest.read")
		? -1
		: io_pread_full(fd, w->scratch.data, (size_t)before.stat.size + 1, 0);
	if (n >= 0 && ingest_read_list(g, fd, &w->list) != 0) {
		*sys = errno;
		return *sys == ENOMEM ? -1 : fail_list(job, *sys, NULL);
	}
	if (n < 0 || worktree_fstat(fd, &after, NULL) != 0) {
		*sys = errno;
		return -1;
	}
	w->scratch.len = (size_t)n;
	ingest_take_stat(job, &before);
	return (uint64_t)n == before.stat.size && same_stat(&before.stat, &after.stat) ? 0 : 1;
}

static int cut_small(struct ingest *g, struct ingest_worker *w, struct item *item, struct job *job,
	struct store_error *err)
{
	const struct chunker_params *p;
	const uint8_t *data = w->scratch.data;
	const size_t len = w->scratch.len;
	size_t start = 0;
	int rc = 0;

	job->class = (uint8_t)format_class_of(odb_format(g->repo->odb), len);
	p = &g->classes[job->class];
	job->size = len;
	job->first_chunk = item->chunk_count;
	while (start < len && rc == 0) {
		size_t n = chunker_next(p, data, len, start);
		struct chunk_ref *c = ingest_add_chunk(item, err);

		if (!c)
			return STORE_ENOMEM;
		if (n == 0)
			n = len - start;
		rc = take_chunk(g, w, item, c, data + start, n, err);
		start += n;
	}
	job->chunk_count = item->chunk_count - job->first_chunk;
	return rc;
}

static int do_file(struct ingest *g, struct ingest_worker *w, struct item *item, struct job *job,
	struct store_error *err)
{
	int fd = -1, rc = 1, sys = 0;

	for (int i = 0; i < 2 && rc == 1; i++) {
		io_close(&fd);
		fd = io_open_beneath(g->repo->work_fd, ingest_path(item, job),
			O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0);
		if (fd == -1)
			return fail_job(job,
				errno == ELOOP ? STORE_NOTICE_CHANGED : STORE_NOTICE_UNREADABLE,
				errno, err);
		__atomic_add_fetch(&g->opened, 1, __ATOMIC_RELAXED);
		rc = read_file(g, w, fd, job, &sys);
	}
	if (rc == 0)
		rc = job->notice == 0 ? take_meta(g, w, item, job, err) : 0;
	else
		rc = rc == 1 ? fail_job(job, STORE_NOTICE_CHANGED, 0, err)
			     : fail_job(job, STORE_NOTICE_UNREADABLE, sys, err);
	io_close(&fd);
	return rc == 0 && job->notice == 0 ? cut_small(g, w, item, job, err) : rc;
}

/* The target into scratch, by the very link that is open at fd.  What went wrong is told. */
static int read_link(const struct ingest *g, struct ingest_worker *w, int fd, struct job *job,
	struct store_error *err)
{
	struct worktree_entry e;
	const int rc = worktree_fstat(fd, &e, NULL);

	if (rc == 0 && e.kind != ENTRY_LINK)
		return fail_job(job, STORE_NOTICE_CHANGED, 0, err);
	if (rc != 0 || worktree_readlink(fd, "", &w->scratch, NULL) != 0)
		return fail_job(job, STORE_NOTICE_UNREADABLE, errno, err);
	if (ingest_read_list(g, fd, &w->list) != 0)
		return fail_list(job, errno, err);
	ingest_take_stat(job, &e);
	return 0;
}

static int do_link(struct ingest *g, struct ingest_worker *w, struct item *item, struct job *job,
	struct store_error *err)
{
	struct chunk_ref *c;
	int fd = io_open_beneath(g->repo->work_fd, ingest_path(item, job), O_PATH | O_NOFOLLOW, 0);
	int rc;

	if (fd == -1)
		return fail_job(job, STORE_NOTICE_UNREADABLE, errno, err);
	rc = read_link(g, w, fd, job, err);
	io_close(&fd);
	if (rc != 0 || job->notice != 0)
		return rc;
	rc = take_meta(g, w, item, job, err);
	if (rc != 0)
		return rc;
	job->size = w->scratch.len;
	job->first_chunk = item->chunk_count;
	c = ingest_add_chunk(item, err);
	if (!c)
		return STORE_ENOMEM;
	job->chunk_count = 1;
	return take_chunk(g, w, item, c, w->scratch.data, w->scratch.len, err);
}

static int do_batch(struct ingest *g, struct ingest_worker *w, struct item *item,
	struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < item->job_count && rc == 0; i++) {
		struct job *job = &item->jobs[i];

		if (job->type == JOB_FILE)
			rc = do_file(g, w, item, job, err);
		else if (job->type == JOB_LINK)
			rc = do_link(g, w, item, job, err);
		else
			rc = take_list(g, w, item, job, err);
	}
	return rc;
}

static int do_segment(struct ingest *g, struct ingest_worker *w, struct item *item,
	struct store_error *err)
{
	int rc = item->job_count > 0 ? take_list(g, w, item, &item->jobs[0], err) : 0;

	for (size_t i = 0; i < item->chunk_count && rc == 0; i++) {
		struct chunk_ref *c = &item->chunks[i];

		rc = take_chunk(g, w, item, c, item->data + c->off, c->len, err);
	}
	return rc;
}

int ingest_work(void *ctx, unsigned int worker, void *it, struct store_error *err)
{
	struct ingest *g = ctx;
	struct ingest_worker *w = &g->workers[worker];
	struct item *item = it;
	int rc = item->type == ITEM_BATCH ? do_batch(g, w, item, err) : do_segment(g, w, item, err);

	if (rc == 0)
		rc = close_open(w, item, err);
	return rc;
}
