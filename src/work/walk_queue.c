/*
 * Pending directories, in memory and in a file.
 *
 *     FIFO:  put -> tail -> [segment ... segment] -> head -> take
 *     LIFO:  put -> tail -> take        the lower half of tail <-> [segment ... segment]
 *
 * Invariants:
 *  1. head holds at most half of max (one at least), tail too; so with max = 1 every directory but
 *     one goes through the file.
 *  2. FIFO: everything in head is older than the file, everything in the file older than tail.
 *     LIFO: head is empty, and everything in the file is older than tail.
 *  3. A segment is what one spill wrote: its bytes between two copies of its length and count, so
 *     that it can be read from either side.
 *
 * A directory is its length, the fields, the path, and its length again. The file has no name, and
 * what was read of it from the front is given back to the file system where that can be done.
 */
#include "work/walk_queue.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "work/spool.h"

#define SIDE_BYTES ((size_t)4 << 20) /* of head, and of tail */
#define FIELDS 16                    /* root, depth, device */
#define MARK 8                       /* bytes of a segment, directories in it */

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

void walk_queue_init(struct walk_queue *q, bool is_stack, size_t max, const char *scratch)
{
	memset(q, 0, sizeof(*q));
	q->is_stack = is_stack;
	q->max = max;
	q->scratch = scratch;
	q->fd = -1;
}

void walk_queue_release(struct walk_queue *q)
{
	io_close(&q->fd);
	buf_release(&q->head);
	buf_release(&q->tail);
}

static int open_file(struct walk_queue *q, struct store_error *err)
{
	int folder, rc;

	if (q->fd != -1)
		return 0;
	folder = open(q->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder == -1) {
		store_error_sys(err, "cannot open '%s'", q->scratch);
		rc = STORE_EIO;
	} else {
		rc = spool_open_file(folder, &q->fd, err);
		io_close(&folder);
	}
	return rc == 0 ? 0
		       : store_error_wrap(err, rc, "directories cannot wait in the folder '%s'",
				 q->scratch);
}

static int write_segment(struct walk_queue *q, size_t len, size_t count, struct store_error *err)
{
	uint8_t mark[MARK];
	int rc = open_file(q, err);

	if (rc != 0)
		return rc;
	le32_put(mark, (uint32_t)len);
	le32_put(mark + 4, (uint32_t)count);
	if (io_pwrite_full(q->fd, mark, MARK, q->file_end) != 0 ||
		io_pwrite_full(q->fd, q->tail.data, len, q->file_end + MARK) != 0 ||
		io_pwrite_full(q->fd, mark, MARK, q->file_end + MARK + len) != 0)
		return store_error_sys(err,
			"cannot write a temporary file in '%s', where directories wait",
			q->scratch);
	q->file_end += len + (uint64_t)2 * MARK;
	q->spilled += count;
	q->tail_count -= count;
	memmove(q->tail.data, q->tail.data + len, q->tail.len - len);
	q->tail.len -= len;
	return 0;
}

/* The oldest of tail into the file: all of a FIFO's, half of a stack's. */
static int spill(struct walk_queue *q, struct store_error *err)
{
	const size_t count = q->is_stack ? (q->tail_count + 1) / 2 : q->tail_count;
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += (size_t)8 + le32_get(q->tail.data + len);
	return write_segment(q, len, count, err);
}

int walk_queue_put(struct walk_queue *q, const struct walk_dir *d, struct store_error *err)
{
	const size_t max = q->is_stack ? q->max : q->max / 2;
	const size_t before = q->tail.len;
	const uint32_t len = (uint32_t)(FIELDS + d->path.len);
	int rc = 0;

	if (q->tail_count > 0 && (q->tail_count >= max || q->tail.len >= SIDE_BYTES))
		rc = spill(q, err);
	if (rc != 0)
		return rc;
	buf_add_le32(&q->tail, len);
	buf_add_le32(&q->tail, d->root);
	buf_add_le32(&q->tail, d->depth);
	buf_add_le64(&q->tail, d->device);
	buf_add(&q->tail, buf_from(&d->path, 0), d->path.len);
	buf_add_le32(&q->tail, len);
	if (q->tail.failed) {
		q->tail.len = before;
		return out_of_memory(err);
	}
	q->tail_count++;
	q->count++;
	return max == 0 && (q->head_count > 0 || q->file_end > 0) ? spill(q, err) : 0;
}

/* A segment of the file, its first or its last, into out; its marks are not in it. */
static int read_segment(struct walk_queue *q, struct buf *out, size_t *count,
	struct store_error *err)
{
	uint8_t mark[MARK];
	uint64_t at = q->is_stack ? q->file_end - MARK : q->file_begin;
	size_t len;

	if (io_pread_full(q->fd, mark, MARK, at) != MARK)
		return store_error_set(err, STORE_EIO, "cannot read a temporary file");
	len = le32_get(mark);
	*count = le32_get(mark + 4);
	at = q->is_stack ? at - len : at + MARK;
	buf_clear(out);
	if (buf_reserve(out, len) != 0)
		return out_of_memory(err);
	if (io_pread_full(q->fd, out->data, len, at) != (ssize_t)len)
		return store_error_set(err, STORE_EIO, "cannot read a temporary file");
	out->len = len;
	if (q->is_stack) {
		q->file_end = at - MARK;
	} else {
		/* A file system that cannot is only fuller meanwhile. */
		(void)fallocate(q->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			(off_t)q->file_begin, (off_t)(len + (size_t)2 * MARK));
		q->file_begin = at + len + MARK;
	}
	if (q->file_begin == q->file_end)
		q->file_begin = q->file_end = 0;
	return 0;
}

/* From p, a directory without its lengths. */
static int decode(const uint8_t *p, size_t len, struct walk_dir *out, struct store_error *err)
{
	out->root = le32_get(p);
	out->depth = le32_get(p + 4);
	out->device = le64_get(p + 8);
	return buf_set(&out->path, p + FIELDS, len - FIELDS) == 0 ? 0 : out_of_memory(err);
}

static int take_last(struct walk_queue *q, struct walk_dir *out, struct store_error *err)
{
	size_t len;
	int rc = q->tail_count == 0 ? read_segment(q, &q->tail, &q->tail_count, err) : 0;

	if (rc != 0)
		return rc;
	len = le32_get(q->tail.data + q->tail.len - 4);
	rc = decode(q->tail.data + q->tail.len - 4 - len, len, out, err);
	q->tail.len -= len + 8;
	q->tail_count--;
	return rc;
}

static int take_first(struct walk_queue *q, struct walk_dir *out, struct store_error *err)
{
	size_t len;
	int rc = 0;

	if (q->head_count == 0 && q->file_end > 0) {
		rc = read_segment(q, &q->head, &q->head_count, err);
		q->head_at = 0;
	} else if (q->head_count == 0) {
		const struct buf empty = q->head;

		q->head = q->tail;
		q->tail = empty;
		q->head_count = q->tail_count;
		q->tail_count = q->head_at = 0;
		buf_clear(&q->tail);
	}
	if (rc != 0)
		return rc;
	len = le32_get(q->head.data + q->head_at);
	rc = decode(q->head.data + q->head_at + 4, len, out, err);
	q->head_at += len + 8;
	q->head_count--;
	return rc;
}

int walk_queue_take(struct walk_queue *q, struct walk_dir *out, struct store_error *err)
{
	if (q->count == 0)
		return STORE_ENOTFOUND;
	q->count--;
	return q->is_stack ? take_last(q, out, err) : take_first(q, out, err);
}
