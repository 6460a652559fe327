/*
 * Large files: pieces of one file written by several threads, around the page cache.
 *
 * From 8 MiB a file gets its room beforehand and is written with O_DIRECT: through the cache every
 * byte costs a fresh page, and 1 GiB that nobody reads next would push out what somebody does.
 * O_DIRECT wants address, offset and length to be multiples of a block, and chunks end anywhere. So
 * each worker gathers its piece in a buffer of whole blocks (a stripe) and writes the blocks that
 * lie wholly inside the piece. What is left at both ends goes with the item to the consumer, which
 * sees the pieces in order and joins the end of one with the beginning of the next (the seam):
 * every byte is read once and every block written once. The last block is filled up with zeros, and
 * the size set at the end cuts them off. A file system that wants none of this says EINVAL: then
 * the same writes go through the cache.
 *
 * Zeros are holes again: a run of them over a whole block is passed over, and where its room was
 * taken beforehand it is given back. Room is taken only for rows that do not repeat, for what
 * repeats is most likely a hole.
 *
 * Threads: a stripe belongs to its worker, the seam to the consumer. Fault points: checkout.room
 * (before room is taken), checkout.direct (before blocks are written).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/mem.h"
#include "work/checkout_internal.h"

#define BLOCK CHECKOUT_BLOCK
#define DIRECT_FROM ((uint64_t)8 << 20)
#define ROOM_FROM ((uint64_t)1 << 20)

/* ---- before the first byte */

/* A file system that cannot take room beforehand finds it while it is written. */
static int take_room(struct checkout_file *f, uint64_t from, uint64_t to, struct store_error *err)
{
	if (to - from < ROOM_FROM)
		return 0;
	if (!FAULT("checkout.room") && fallocate(f->fd, 0, (off_t)from, (off_t)(to - from)) == 0) {
		f->has_room = true;
		return 0;
	}
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG
		? checkout_fail("find room for", f->action.path, err)
		: 0;
}

static int take_all_room(struct checkout_file *f, const struct node_source *nodes,
	struct store_error *err)
{
	struct seq_cursor *rows = seq_cursor_new(nodes, &f->action.row.ref);
	struct seq_row row;
	uint64_t from = 0, to = 0, off;
	int rc = rows ? 0 : checkout_no_memory(err);

	while (rc == 0 && (rc = seq_cursor_next(rows, &row, &off, err)) == 0) {
		if (row.repeat == 1) {
			to = off + row.len;
			continue;
		}
		rc = take_room(f, from, to, err);
		from = to = off + row.len * row.repeat;
	}
	if (rc == STORE_ENOTFOUND)
		rc = take_room(f, from, to, err);
	seq_cursor_free(rows);
	return rc;
}

int checkout_large_begin(struct checkout_file *f, const struct node_source *nodes,
	struct store_error *err)
{
	int rc;

	f->has_room = false;
	if (f->action.row.ref.size < DIRECT_FROM || f->action.row.ref.size > INT64_MAX)
		return 0;
	rc = take_all_room(f, nodes, err);
	if (rc == 0)
		fcntl(f->fd, F_SETFL, O_DIRECT);
	return rc;
}

/* ---- blocks */

/*
 * Whole blocks, from an address of whole blocks.  Another thread may find EINVAL at the same time.
 */
static int write_blocks(struct checkout_file *f, const uint8_t *data, size_t len, uint64_t off,
	struct store_error *err)
{
	int rc = FAULT("checkout.direct") ? -1 : io_pwrite_full(f->fd, data, len, off);

	if (rc != 0 && errno == EINVAL) {
		fcntl(f->fd, F_SETFL, 0);
		rc = io_pwrite_full(f->fd, data, len, off);
	}
	return rc == 0 ? 0 : checkout_fail("write", f->action.path, err);
}

static void set_edge(struct checkout_edge *e, const uint8_t *data, size_t len, uint64_t off)
{
	e->off = off;
	e->len = len;
	memcpy(e->data, data, len);
}

/* ---- a piece */

int checkout_stripe_init(struct checkout_stripe *s)
{
	memset(s, 0, sizeof(*s));
	s->buffer = mem_pages(CHECKOUT_STRIPE);
	return s->buffer ? 0 : STORE_ENOMEM;
}

void checkout_stripe_release(struct checkout_stripe *s)
{
	if (s->buffer)
		mem_pages_free(s->buffer, CHECKOUT_STRIPE);
	s->buffer = NULL;
}

void checkout_stripe_begin(struct checkout_stripe *s, struct checkout_file *f, uint64_t off,
	struct checkout_edge edges[2])
{
	s->file = f;
	s->edges = edges;
	edges[0].len = edges[1].len = 0;
	s->start = off - off % BLOCK;
	s->from = s->len = (size_t)(off % BLOCK);
}

/* Write the whole blocks; what is behind them stays. */
static int flush(struct checkout_stripe *s, struct store_error *err)
{
	const size_t whole = s->len - s->len % BLOCK;
	size_t first = 0;
	int rc = 0;

	if (whole == 0)
		return 0;
	if (s->from > 0) {
		set_edge(&s->edges[0], s->buffer + s->from, BLOCK - s->from, s->start + s->from);
		first = BLOCK;
	}
	if (whole > first)
		rc = write_blocks(s->file, s->buffer + first, whole - first, s->start + first, err);
	memmove(s->buffer, s->buffer + whole, s->len - whole);
	s->len -= whole;
	s->start += whole;
	s->from = 0;
	return rc;
}

/* data NULL: zeros. */
static int add(struct checkout_stripe *s, const uint8_t *data, size_t len, struct store_error *err)
{
	int rc = 0;

	while (len > 0 && rc == 0) {
		const size_t n = len < CHECKOUT_STRIPE - s->len ? len : CHECKOUT_STRIPE - s->len;

		if (data)
			memcpy(s->buffer + s->len, data, n);
		else
			memset(s->buffer + s->len, 0, n);
		s->len += n;
		data = data ? data + n : NULL;
		len -= n;
		if (s->len == CHECKOUT_STRIPE)
			rc = flush(s, err);
	}
	return rc;
}

static int add_zeros(struct checkout_stripe *s, uint64_t len, struct store_error *err)
{
	const uint64_t pos = s->start + s->len, end = pos + len;
	const uint64_t first = (pos + BLOCK - 1) / BLOCK * BLOCK, last = end / BLOCK * BLOCK;
	int rc;

	if (last <= first)
		return add(s, NULL, (size_t)len, err);
	rc = add(s, NULL, (size_t)(first - pos), err);
	if (rc == 0)
		rc = flush(s, err);
	if (rc != 0)
		return rc;
	if (s->file->has_room)
		fallocate(s->file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)first,
			(off_t)(last - first));
	s->start = last;
	return add(s, NULL, (size_t)(end - last), err);
}

int checkout_stripe_put(struct checkout_stripe *s, const struct buf *chunk, uint64_t repeat,
	struct store_error *err)
{
	int rc = 0;

	if (checkout_is_zero(chunk))
		return add_zeros(s, chunk->len * repeat, err);
	for (uint64_t i = 0; i < repeat && rc == 0; i++)
		rc = add(s, chunk->data, chunk->len, err);
	return rc;
}

int checkout_stripe_end(struct checkout_stripe *s, struct store_error *err)
{
	const int rc = flush(s, err);

	/* A piece inside one block has one end only. */
	if (rc == 0 && s->len > s->from)
		set_edge(&s->edges[s->from > 0 ? 0 : 1], s->buffer + s->from, s->len - s->from,
			s->start + s->from);
	return rc;
}

/* ---- between the pieces */

int checkout_seam_init(struct checkout_seam *m)
{
	memset(m, 0, sizeof(*m));
	m->block = mem_pages(BLOCK);
	return m->block ? 0 : STORE_ENOMEM;
}

void checkout_seam_release(struct checkout_seam *m)
{
	if (m->block)
		mem_pages_free(m->block, BLOCK);
	m->block = NULL;
}

int checkout_seam_end(struct checkout_seam *m, struct checkout_file *f, struct store_error *err)
{
	const struct buf block = { .data = m->block, .len = BLOCK };
	int rc = 0;

	if (m->is_used && !checkout_is_zero(&block))
		rc = write_blocks(f, m->block, BLOCK, m->off, err);
	m->is_used = false;
	memset(m->block, 0, BLOCK);
	return rc;
}

int checkout_seam_add(struct checkout_seam *m, struct checkout_file *f,
	const struct checkout_edge *edge, struct store_error *err)
{
	const size_t at = (size_t)(edge->off % BLOCK);
	const uint64_t off = edge->off - at;
	int rc = 0;

	if (edge->len == 0)
		return 0;
	if (m->is_used && m->off != off)
		rc = checkout_seam_end(m, f, err);
	m->is_used = true;
	m->off = off;
	memcpy(m->block + at, edge->data, edge->len);
	return rc;
}
