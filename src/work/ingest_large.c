/*
 * A large file, segment by segment: the producer reads and cuts it, all workers hash and compress.
 *
 * A segment holds whole chunks; what is left behind the last cut is carried into the next. A hole
 * is not read: where a chunk begins in it and max bytes of it are left, those chunks are max zeros
 * each, because no window of zeros cuts; one of them is made and repeated.
 *
 * A file that changed while it was read is read again once, from its start, then told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "work/ingest.h"

static int tell(struct large *l, struct item *item, int notice, int sys, struct store_error *err)
{
	struct job *job = ingest_add_job(item, JOB_FILE, (const char *)l->path.data, l->path.len,
		err);
	const size_t path = job ? job->path : 0;
	char text[128];

	if (!job)
		return STORE_ENOMEM;
	*job = l->job;
	job->path = path;
	job->path_len = l->path.len;
	job->notice = notice;
	snprintf(job->why, sizeof(job->why), "%s", sys ? strerror_r(sys, text, sizeof(text)) : "");
	item->type = ITEM_SEGMENT;
	item->first = item->last = true;
	item->covered = l->job.size;
	l->open = false;
	io_close(&l->fd);
	return 0;
}

static int tell_list(struct large *l, struct item *item, int sys, struct store_error *err)
{
	int rc = tell(l, item, STORE_NOTICE_UNREADABLE, sys, err);

	if (rc == 0)
		item->jobs[0].notice = ingest_list_notice(sys, item->jobs[0].why,
			sizeof(item->jobs[0].why));
	return rc;
}

/* ---- checkpoints */

int ingest_checkpoint_encode(struct buf *out, const char *path, const struct job *job,
	uint64_t offset, const struct buf *rows, struct store_error *err)
{
	buf_clear(out);
	buf_add_leb(out, strlen(path));
	buf_add_str(out, path);
	buf_add_le64(out, job->stat.size);
	buf_add_le64(out, (uint64_t)job->stat.mtime_ns);
	buf_add_le64(out, (uint64_t)job->stat.ctime_ns);
	buf_add_le64(out, job->stat.ino);
	buf_add_le64(out, (uint64_t)job->stat.clock_ns);
	buf_add_u8(out, job->class);
	buf_add_le64(out, offset);
	buf_add(out, rows->data, rows->len);
	return buf_check(out, err);
}

struct match {
	struct ingest *g;
	const struct large *l;
	struct buf *rows;
	uint64_t offset, writer;
	int64_t clock_ns;
};

static int match_checkpoint(void *ctx, uint64_t writer, const void *data, size_t len)
{
	struct match *m = ctx;
	const struct stage_stat *st = &m->l->job.stat;
	struct span s = span_of(data, len);
	const uint64_t n = span_leb(&s);
	const uint8_t *path = span_take(&s, n < len ? (size_t)n : len + 1);
	uint64_t offset;
	int64_t clock_ns;

	if (!path || n != m->l->path.len || memcmp(path, m->l->path.data, (size_t)n) != 0)
		return 0;
	if (span_le64(&s) != st->size || span_le64(&s) != (uint64_t)st->mtime_ns ||
		span_le64(&s) != (uint64_t)st->ctime_ns || span_le64(&s) != st->ino)
		return 0;
	clock_ns = (int64_t)span_le64(&s);
	if (span_u8(&s) != m->l->job.class)
		return 0;
	offset = span_le64(&s);
	if (s.bad || offset > st->size || offset <= m->offset)
		return 0;
	m->offset = offset;
	m->clock_ns = clock_ns;
	m->writer = writer;
	return buf_set(m->rows, s.p, span_left(&s));
}

static int find_object(void *ctx, const struct oid *id, struct store_error *err)
{
	struct ingest *g = ctx;
	struct odb_loc loc;

	return odb_find(g->repo->reader, id, &loc, err);
}

/*
 * Nothing proves a checkpoint but the database it stands in: what it says is there is looked up, or
 * a damaged row would be acknowledged as content.
 */
static bool is_whole(struct ingest *g, const struct buf *rows, uint64_t offset)
{
	const struct node_sink none = { 0 };
	struct seq_builder *b = seq_builder_new(&none);
	const bool whole = b && seq_builder_load(b, rows->data, rows->len, NULL) == 0 &&
		seq_builder_size(b) == offset && seq_builder_each(b, find_object, g, NULL) == 0;

	seq_builder_free(b);
	return whole;
}

/* Go on where a killed add stopped in this very file, if it left a checkpoint. */
static int find_checkpoint(struct ingest *g, struct store_error *err)
{
	struct large *l = &g->large;
	struct match m = { .g = g, .l = l, .rows = &l->resume };
	int rc;

	buf_clear(&l->resume);
	rc = writer_each_checkpoint(g->repo->odb, match_checkpoint, &m, err);
	if (rc != 0 || m.writer == 0)
		return rc;
	if (!is_whole(g, &l->resume, m.offset)) {
		buf_clear(&l->resume);
		return 0;
	}
	l->off = l->start = m.offset;
	l->adopt = m.writer;
	/* The bytes before were read then: what was racy then is so now. */
	if (m.clock_ns < l->job.stat.clock_ns)
		l->job.stat.clock_ns = m.clock_ns;
	return 0;
}

/* ---- begin */

static int rewind_file(struct ingest *g, struct worktree_entry *e)
{
	struct large *l = &g->large;

	if (worktree_fstat(l->fd, e, NULL) != 0)
		return -1;
	ingest_take_stat(&l->job, e);
	l->size = e->stat.size;
	l->off = l->start = 0;
	l->carry_len = 0;
	l->data_end = 0;
	l->first = true;
	l->job.class = (uint8_t)format_class_of(odb_format(g->repo->odb), l->size);
	l->params = g->classes[l->job.class];
	return 0;
}

int ingest_large_begin(struct ingest *g, const struct job *job, const char *path, size_t len,
	struct store_error *err)
{
	struct large *l = &g->large;
	struct worktree_entry e;

	l->job = *job;
	l->source = NULL;
	l->tries = 0;
	l->open = true;
	if (buf_set(&l->path, path, len) != 0 || !buf_str(&l->path))
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	l->fd = io_open_beneath(g->repo->work_fd, (const char *)l->path.data,
		O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0);
	if (l->fd == -1) {
		l->job.notice = errno;
		return 0;
	}
	l->job.notice = 0;
	__atomic_add_fetch(&g->opened, 1, __ATOMIC_RELAXED);
	posix_fadvise(l->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (rewind_file(g, &e) != 0) {
		l->job.notice = errno;
		return 0;
	}
	return find_checkpoint(g, err);
}

void ingest_large_end(struct ingest *g)
{
	io_close(&g->large.fd);
	buf_release(&g->large.path);
	buf_release(&g->large.resume);
	free(g->large.carry);
	g->large.carry = NULL;
}

/* ---- segments */

/* At the start of a chunk in a hole: how many chunks of max zeros follow. */
static uint64_t zero_chunks(struct large *l)
{
	off_t data;

	if (l->start < l->data_end)
		return 0;
	data = lseek(l->fd, (off_t)l->start, SEEK_DATA);
	if (data < 0)
		data = errno == ENXIO ? (off_t)l->size : (off_t)l->start;
	if ((uint64_t)data < l->start + l->params.max) {
		const off_t hole = lseek(l->fd, data, SEEK_HOLE);

		l->data_end = hole > data ? (uint64_t)hole : l->size;
		return 0;
	}
	if ((uint64_t)data > l->size)
		data = (off_t)l->size;
	return ((uint64_t)data - l->start) / l->params.max;
}

/* Put n repeated chunks of zeros at the front of the segment. */
static int add_zeros(struct large *l, struct item *item, uint64_t n, struct store_error *err)
{
	struct chunk_ref *c = ingest_add_chunk(item, err);

	if (!c)
		return STORE_ENOMEM;
	memset(item->data, 0, l->params.max);
	c->off = 0;
	c->len = l->params.max;
	c->repeat = n;
	l->start += n * l->params.max;
	l->off = l->start;
	return 0;
}

/* Read up to want bytes, step at a time; fewer only at the end of the file. -1 with errno. */
static ssize_t read_steps(const struct large *l, uint8_t *out, size_t want, size_t step)
{
	size_t done = 0;

	while (done < want) {
		const size_t some = want - done < step ? want - done : step;
		const ssize_t n = FAULT("ingest.read")
			? -1
			: io_pread_full(l->fd, out + done, some, l->off + done);

		if (n < 0)
			return -1;
		done += (size_t)n;
		if ((size_t)n < some)
			break;
	}
	return (ssize_t)done;
}

/* Fill the segment's data from used on.  Returns bytes in it, or -1 with errno. */
static ssize_t fill(struct large *l, struct item *item, size_t used, size_t step)
{
	uint64_t want = item->data_cap - used - l->carry_len;
	ssize_t n;

	memcpy(item->data + used, l->carry, l->carry_len);
	if (want > l->size + 1 - l->off)
		want = l->size + 1 - l->off;
	n = read_steps(l, item->data + used + l->carry_len, (size_t)want, step);
	if (n < 0)
		return -1;
	l->off += (uint64_t)n;
	l->at_end = l->off >= l->size || (uint64_t)n < want;
	n += (ssize_t)l->carry_len;
	l->carry_len = 0;
	return n;
}

int ingest_large_cut(struct large *l, struct item *item, size_t used, size_t len, bool at_end,
	struct store_error *err)
{
	size_t start = 0;

	while (start < len) {
		size_t n = chunker_next(&l->params, item->data + used, len, start);
		struct chunk_ref *c;

		if (n == 0 && !at_end)
			break;
		if (n == 0)
			n = len - start;
		c = ingest_add_chunk(item, err);
		if (!c)
			return STORE_ENOMEM;
		c->off = (uint32_t)(used + start);
		c->len = (uint32_t)n;
		start += n;
	}
	l->carry_len = len - start;
	memcpy(l->carry, item->data + used + start, l->carry_len);
	l->start += start;
	return 0;
}

static bool is_unchanged(struct large *l)
{
	struct worktree_entry e;

	return l->off == l->size && worktree_fstat(l->fd, &e, NULL) == 0 &&
		e.stat.size == l->job.stat.size && e.stat.mtime_ns == l->job.stat.mtime_ns &&
		e.stat.ctime_ns == l->job.stat.ctime_ns && e.stat.ino == l->job.stat.ino;
}

static void empty_item(struct item *item)
{
	item->job_count = 0;
	item->chunk_count = 0;
	buf_clear(&item->text);
}

/* The last segment is there: attributes are read before the last look at the file. */
static int finish_file(struct ingest *g, struct item *item, struct store_error *err)
{
	struct large *l = &g->large;
	struct buf list = { 0 };
	struct worktree_entry e;
	int rc = 0;

	if (ingest_read_list(g, l->fd, &list) != 0) {
		rc = errno;
		buf_release(&list);
		empty_item(item);
		return tell_list(l, item, rc, err);
	}
	if (!is_unchanged(l)) {
		buf_release(&list);
		if (l->tries++ == 0 && rewind_file(g, &e) == 0) {
			buf_clear(&l->resume);
			item->chunk_count = 0;
			return 0;
		}
		empty_item(item);
		return tell(l, item, STORE_NOTICE_CHANGED, 0, err);
	}
	rc = ingest_meta(g, &item->jobs[0], &list, g->hash, err);
	if (rc == 0)
		rc = ingest_keep_list(item, &item->jobs[0], &list, err);
	buf_release(&list);
	item->jobs[0].size = l->size;
	item->last = true;
	l->open = false;
	io_close(&l->fd);
	return rc;
}

int ingest_large_item(struct ingest *g, struct item *item, struct store_error *err)
{
	struct large *l = &g->large;
	struct job *job = ingest_add_job(item, JOB_FILE, (const char *)l->path.data, l->path.len,
		err);
	size_t path;

	if (!job)
		return STORE_ENOMEM;
	path = job->path;
	*job = l->job;
	job->path = path;
	job->path_len = l->path.len;
	item->type = ITEM_SEGMENT;
	item->first = l->first;
	item->last = false;
	buf_clear(&item->resume);
	if (l->first && l->resume.len > 0 &&
		buf_set(&item->resume, l->resume.data, l->resume.len) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	item->adopt = l->adopt;
	if (!item->data) {
		item->data_cap = g->data_cap;
		item->data = malloc(item->data_cap);
	}
	if (!l->carry) {
		l->carry = malloc(g->carry_cap);
	}
	return item->data && l->carry ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
}

int ingest_large_produce(struct ingest *g, struct item *item, struct store_error *err)
{
	struct large *l = &g->large;
	uint64_t zeros;
	size_t used = 0;
	ssize_t n;
	int rc;

	if (l->job.notice != 0)
		return tell(l, item, STORE_NOTICE_UNREADABLE, l->job.notice, err);
	rc = ingest_large_item(g, item, err);
	if (rc != 0)
		return rc;
	l->first = false;
	zeros = l->carry_len == 0 ? zero_chunks(l) : 0;
	if (zeros > 0) {
		rc = add_zeros(l, item, zeros, err);
		used = l->params.max;
	}
	n = rc == 0 ? fill(l, item, used, (size_t)g->repo->read_bytes) : 0;
	if (n < 0) {
		const int sys = errno;

		empty_item(item);
		return tell(l, item, STORE_NOTICE_UNREADABLE, sys, err);
	}
	if (rc == 0)
		rc = ingest_large_cut(l, item, used, (size_t)n, l->at_end, err);
	item->offset = l->start;
	item->bytes = (uint64_t)n;
	item->covered = l->off;
	if (rc == 0 && l->at_end)
		rc = finish_file(g, item, err);
	return rc;
}
