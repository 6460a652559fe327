/*
 * Invariants:
 *  1. A piece is sorted and is never changed; the file holds pieces one behind the other, and what
 *     was merged into another piece is given back to the file system.
 *  2. At most SORTER_FAN pieces are read at a time, each through a window that holds one record
 *     whole; while there are more, the oldest are merged into a new one. So n bytes are written
 *     once for each power of SORTER_FAN in the number of pieces, which is n / cap.
 *
 * Fault points: those of spool.c and io.c.
 */
#include "work/sorter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "work/spool.h"

#define LENGTH 4 /* bytes before each record */
#define WINDOW_MIN ((size_t)256)
#define WINDOW_MAX ((size_t)64 << 10)

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

void sorter_init(struct sorter *s, const char *scratch, size_t cap)
{
	memset(s, 0, sizeof(*s));
	s->scratch = scratch;
	s->cap = cap;
	s->fd = -1;
}

void sorter_release(struct sorter *s)
{
	for (size_t i = 0; s->sources && i < SORTER_FAN; i++)
		buf_release(&s->sources[i].window);
	free(s->sources);
	free(s->runs);
	free(s->order);
	buf_release(&s->text);
	io_close(&s->fd);
}

void sorter_clear(struct sorter *s)
{
	/* What cannot be cut off is written over. */
	if (s->file_end > 0 && ftruncate(s->fd, 0) != 0)
		io_close(&s->fd);
	buf_clear(&s->text);
	s->order_count = s->order_next = 0;
	s->runs_first = s->runs_count = s->heap_count = 0;
	s->file_end = s->count = 0;
	s->has_given = false;
}

/* ---- order */

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	const int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

static int by_bytes(const void *a, const void *b, void *text)
{
	const uint8_t *x = (const uint8_t *)text + *(const uint32_t *)a;
	const uint8_t *y = (const uint8_t *)text + *(const uint32_t *)b;

	return compare(x + LENGTH, le32_get(x), y + LENGTH, le32_get(y));
}

static void sort_text(struct sorter *s)
{
	if (s->order_count > 0)
		qsort_r(s->order, s->order_count, sizeof(*s->order), by_bytes, s->text.data);
}

/* ---- the file */

static int open_file(struct sorter *s, struct store_error *err)
{
	int folder, rc;

	if (s->fd != -1)
		return 0;
	folder = open(s->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder == -1) {
		store_error_sys(err, "cannot open '%s'", s->scratch);
		rc = STORE_EIO;
	} else {
		rc = spool_open_file(folder, &s->fd, err);
		io_close(&folder);
	}
	return rc == 0
		? 0
		: store_error_wrap(err, rc, "records cannot wait in the folder '%s'", s->scratch);
}

static int write_at_end(struct sorter *s, const struct buf *b, struct store_error *err)
{
	if (io_pwrite_full(s->fd, buf_from(b, 0), b->len, s->file_end) != 0)
		return store_error_sys(err,
			"cannot write a temporary file in '%s', where records wait", s->scratch);
	s->file_end += b->len;
	s->spilled += b->len;
	return 0;
}

static int add_run(struct sorter *s, uint64_t off, struct store_error *err)
{
	if (mem_grow(&s->runs, &s->runs_cap, s->runs_count + 1, sizeof(*s->runs)) != 0)
		return out_of_memory(err);
	s->runs[s->runs_count++] = (struct sorter_run){ off, s->file_end };
	return 0;
}

/* What is in memory becomes a piece, written by a window at a time. */
static int spill(struct sorter *s, struct store_error *err)
{
	const uint64_t off = s->file_end;
	struct buf out = { 0 };
	int rc = open_file(s, err);

	sort_text(s);
	for (size_t i = 0; i < s->order_count && rc == 0; i++) {
		const uint8_t *r = s->text.data + s->order[i];

		if (buf_add(&out, r, LENGTH + (size_t)le32_get(r)) != 0)
			rc = out_of_memory(err);
		if (rc == 0 && (out.len >= WINDOW_MAX || i + 1 == s->order_count)) {
			rc = write_at_end(s, &out, err);
			buf_clear(&out);
		}
	}
	buf_release(&out);
	if (rc == 0)
		rc = add_run(s, off, err);
	buf_clear(&s->text);
	s->order_count = 0;
	return rc;
}

/* ---- a piece that is read */

static size_t window_of(const struct sorter *s)
{
	const size_t share = s->cap / SORTER_FAN;

	return share < WINDOW_MIN ? WINDOW_MIN : share > WINDOW_MAX ? WINDOW_MAX : share;
}

/* At least n bytes at pos. */
static int fill(struct sorter *s, struct sorter_source *f, size_t n, struct store_error *err)
{
	const size_t have = f->window.len - f->pos;
	size_t want = window_of(s);
	ssize_t got;

	if (have >= n)
		return 0;
	if (f->pos > 0)
		memmove(f->window.data, f->window.data + f->pos, have);
	f->window.len = have;
	f->pos = 0;
	want = want < n - have ? n - have : want;
	want = want > f->end - f->off ? (size_t)(f->end - f->off) : want;
	if (buf_reserve(&f->window, want) != 0)
		return out_of_memory(err);
	got = io_pread_full(s->fd, f->window.data + have, want, f->off);
	if (got < 0)
		return store_error_sys(err, "cannot read a temporary file in '%s'", s->scratch);
	f->window.len += (size_t)got;
	f->off += (uint64_t)got;
	return f->window.len >= n ? 0
				  : store_error_set(err, STORE_EIO,
					    "a temporary file in '%s' is cut short", s->scratch);
}

/* Its next record; STORE_ENOTFOUND when there is none. */
static int advance(struct sorter *s, struct sorter_source *f, struct store_error *err)
{
	int rc;

	f->pos += f->len;
	f->len = 0;
	if (f->pos == f->window.len && f->off == f->end)
		return STORE_ENOTFOUND;
	rc = fill(s, f, LENGTH, err);
	if (rc != 0)
		return rc;
	f->len = LENGTH + (size_t)le32_get(f->window.data + f->pos);
	return fill(s, f, f->len, err);
}

/* ---- merging */

static bool is_less(const struct sorter *s, size_t a, size_t b)
{
	const struct sorter_source *x = &s->sources[a], *y = &s->sources[b];

	return compare(x->window.data + x->pos + LENGTH, x->len - LENGTH,
		       y->window.data + y->pos + LENGTH, y->len - LENGTH) < 0;
}

/* The source at position i of the heap goes down to where it belongs. */
static void sift(struct sorter *s, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < s->heap_count && is_less(s, s->heap[child], s->heap[least]))
				least = child;
		if (least == i)
			return;
		const size_t other = s->heap[least];

		s->heap[least] = s->heap[i];
		s->heap[i] = other;
		i = least;
	}
}

/* Begin to read the oldest n pieces. */
static int begin_merge(struct sorter *s, size_t n, struct store_error *err)
{
	if (!s->sources)
		s->sources = mem_alloc_array(SORTER_FAN, sizeof(*s->sources));
	if (!s->sources)
		return out_of_memory(err);
	s->heap_count = 0;
	s->has_given = false;
	for (size_t i = 0; i < n; i++) {
		struct sorter_source *f = &s->sources[i];
		const struct sorter_run *run = &s->runs[s->runs_first + i];
		int rc;

		buf_clear(&f->window);
		f->pos = f->len = 0;
		f->off = run->off;
		f->end = run->end;
		rc = advance(s, f, err);
		if (rc == 0)
			s->heap[s->heap_count++] = i;
		else if (rc != STORE_ENOTFOUND)
			return rc;
	}
	for (size_t i = s->heap_count; i-- > 0;)
		sift(s, i);
	return 0;
}

/* The least record of all pieces that are read, with its length before it. */
static int next_merged(struct sorter *s, const uint8_t **data, size_t *len, struct store_error *err)
{
	struct sorter_source *f;

	if (s->has_given) {
		const int rc = advance(s, &s->sources[s->heap[0]], err);

		if (rc != 0 && rc != STORE_ENOTFOUND)
			return rc;
		if (rc != 0)
			s->heap[0] = s->heap[--s->heap_count];
		sift(s, 0);
	}
	s->has_given = s->heap_count > 0;
	if (s->heap_count == 0)
		return STORE_ENOTFOUND;
	f = &s->sources[s->heap[0]];
	*data = f->window.data + f->pos;
	*len = f->len;
	return 0;
}

/* The oldest SORTER_FAN pieces become one. */
static int merge_oldest(struct sorter *s, struct store_error *err)
{
	const uint64_t off = s->file_end;
	const uint64_t begin = s->runs[s->runs_first].off;
	const uint64_t end = s->runs[s->runs_first + SORTER_FAN - 1].end;
	struct buf out = { 0 };
	const uint8_t *data;
	size_t len;
	int rc = begin_merge(s, SORTER_FAN, err);

	while (rc == 0 && (rc = next_merged(s, &data, &len, err)) == 0) {
		if (buf_add(&out, data, len) != 0)
			rc = out_of_memory(err);
		else if (out.len >= WINDOW_MAX) {
			rc = write_at_end(s, &out, err);
			buf_clear(&out);
		}
	}
	if (rc == STORE_ENOTFOUND)
		rc = write_at_end(s, &out, err);
	buf_release(&out);
	if (rc != 0)
		return rc;
	/* A file system that cannot is only fuller meanwhile. */
	(void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)begin,
		(off_t)(end - begin));
	s->runs_first += SORTER_FAN;
	return add_run(s, off, err);
}

/* ---- the calls */

int sorter_add(struct sorter *s, const void *data, size_t len, struct store_error *err)
{
	const size_t at = s->text.len;
	int rc = 0;

	if (at > 0 && at + LENGTH + len > s->cap)
		rc = spill(s, err);
	if (rc != 0)
		return rc;
	if (mem_grow(&s->order, &s->order_cap, s->order_count + 1, sizeof(*s->order)) != 0)
		return out_of_memory(err);
	s->order[s->order_count++] = (uint32_t)s->text.len;
	buf_add_le32(&s->text, (uint32_t)len);
	buf_add(&s->text, data, len);
	s->count++;
	return buf_check(&s->text, err);
}

int sorter_sort(struct sorter *s, struct store_error *err)
{
	int rc = 0;

	s->order_next = 0;
	if (s->runs_count == 0) {
		sort_text(s);
		return 0;
	}
	if (s->order_count > 0)
		rc = spill(s, err);
	/* The windows of the pieces take its place. */
	buf_release(&s->text);
	while (rc == 0 && s->runs_count - s->runs_first > SORTER_FAN)
		rc = merge_oldest(s, err);
	return rc == 0 ? begin_merge(s, s->runs_count - s->runs_first, err) : rc;
}

int sorter_next(struct sorter *s, const uint8_t **data, size_t *len, struct store_error *err)
{
	int rc = 0;

	if (s->runs_count > 0) {
		rc = next_merged(s, data, len, err);
	} else if (s->order_next < s->order_count) {
		*data = s->text.data + s->order[s->order_next++];
		*len = LENGTH + (size_t)le32_get(*data);
	} else {
		rc = STORE_ENOTFOUND;
	}
	if (rc == 0) {
		*data += LENGTH;
		*len -= LENGTH;
	}
	return rc;
}
