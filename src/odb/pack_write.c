/*
 * Writing goes around the page cache (O_DIRECT) where the file system lets it: on the machines this
 * was measured on that is 1.2 GB/s against 0.27 through the cache, whose cost is fresh pages. A
 * pack that ends below one buffer (1 MiB) is written in one buffered call, because direct writes of
 * odd lengths cost two more system calls than they save.
 *
 * Order that makes a crash safe: blocks, footer, fdatasync; only then does publication rename the
 * file.
 */
#include "odb/pack_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/trace.h"
#include "data/hash.h"
#include "data/limits.h"

#define BUFFER ((size_t)1 << 20)
#define ALIGN ((size_t)4096)

void pack_write_init(struct pack_write *p, int tmp_dir)
{
	memset(p, 0, sizeof(*p));
	p->tmp_dir = tmp_dir;
	p->fd = p->read_fd = -1;
}

void pack_write_release(struct pack_write *p)
{
	if (p->fd != -1 && p->tmp[0])
		unlinkat(p->tmp_dir, p->tmp, 0);
	io_close(&p->fd);
	io_close(&p->read_fd);
	if (p->buffer)
		mem_pages_free(p->buffer, BUFFER);
	pack_index_release(&p->index);
	pack_write_init(p, p->tmp_dir);
}

int pack_write_begin(struct pack_write *p, struct store_error *err)
{
	uint8_t head[PACK_HEADER] = { 'S', 'T', 'P', 'K', 1 };
	int rc;

	if (!p->buffer)
		p->buffer = mem_pages(BUFFER);
	if (!p->buffer)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = hash_random(p->random, err);
	if (rc == 0)
		rc = tmp_create(p->tmp_dir, 'p', p->tmp, &p->fd, err);
	if (rc != 0)
		return rc;
	memcpy(p->buffer, head, sizeof(head));
	p->buffered = sizeof(head);
	return 0;
}

static int write_error(struct pack_write *p, struct store_error *err)
{
	p->failed = true;
	return store_error_sys(err, "cannot write pack 'tmp/%s'", p->tmp);
}

/*
 * After a failed sync the kernel may have dropped what it could not write and say yes to the next
 * one: so nothing makes a failed pack good.
 */
static int refuse_failed(const struct pack_write *p, struct store_error *err)
{
	if (!p->failed)
		return 0;
	return store_error_set(err, STORE_EIO,
		"cannot write pack 'tmp/%s': a write of it failed before", p->tmp);
}

/*
 * Write len bytes of the buffer at the end of the file. EINVAL under O_DIRECT: this file system
 * wants it buffered.
 */
static int flush(struct pack_write *p, size_t len, struct store_error *err)
{
	int rc;

	if (FAULT("pack.write"))
		return write_error(p, err);
	rc = io_pwrite_full(p->fd, p->buffer, len, p->flushed);
	if (rc != 0 && errno == EINVAL && p->direct) {
		fcntl(p->fd, F_SETFL, 0);
		p->direct = false;
		rc = io_pwrite_full(p->fd, p->buffer, len, p->flushed);
	}
	if (rc != 0)
		return write_error(p, err);
	if (!p->direct)
		sync_file_range(p->fd, (off_t)p->flushed, (off_t)len, SYNC_FILE_RANGE_WRITE);
	p->flushed += len;
	p->buffered = 0;
	return 0;
}

static int add_bytes(struct pack_write *p, const uint8_t *data, size_t len, struct store_error *err)
{
	while (len > 0) {
		const size_t n = len < BUFFER - p->buffered ? len : BUFFER - p->buffered;

		memcpy(p->buffer + p->buffered, data, n);
		p->buffered += n;
		data += n;
		len -= n;
		if (p->buffered == BUFFER) {
			int rc;

			if (p->flushed == 0)
				p->direct = !FAULT("pack.direct") &&
					fcntl(p->fd, F_SETFL, O_DIRECT) == 0;
			rc = flush(p, BUFFER, err);
			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

static int note_block(struct pack_write *p, const struct pack_block *b, uint64_t off,
	struct store_error *err)
{
	struct pack_index *x = &p->index;
	struct pack_block_row *row;
	uint32_t plain = 0;

	if (mem_grow(&x->blocks, &x->block_cap, x->block_count + 1, sizeof(*x->blocks)) != 0 ||
		mem_grow(&x->rows, &x->cap, x->count + b->count, sizeof(*x->rows)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	for (size_t i = 0; i < b->count; i++) {
		struct pack_row *r = &x->rows[x->count++];

		r->id = b->objects[i].id;
		r->block = (uint32_t)x->block_count;
		r->off = b->objects[i].off;
		r->len = b->objects[i].len;
		r->kind = b->objects[i].kind;
		plain += r->len;
	}
	row = &x->blocks[x->block_count++];
	row->off = off;
	row->length = (uint32_t)b->wire_len;
	row->plain = plain;
	row->crc = b->crc;
	return 0;
}

int pack_write_append(struct pack_write *p, const struct pack_block *b, const uint8_t *wire,
	uint64_t *block_off, struct store_error *err)
{
	int rc = refuse_failed(p, err);

	*block_off = pack_write_size(p);
	if (rc != 0)
		return rc;
	if (*block_off + b->wire_len > LIMIT_PACK / 2 || b->count > LIMIT_BLOCK_OBJECTS ||
		p->index.count + b->count > LIMIT_PACK_OBJECTS)
		return store_error_set(err, STORE_EINVAL, "pack 'tmp/%s' would grow over its limit",
			p->tmp);
	rc = note_block(p, b, *block_off, err);
	return rc != 0 ? rc : add_bytes(p, wire + b->wire_off, b->wire_len, err);
}

static int open_for_reading(struct pack_write *p, struct store_error *err)
{
	if (p->read_fd == -1)
		p->read_fd = openat(p->tmp_dir, p->tmp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return p->read_fd == -1 ? store_error_sys(err, "cannot open 'tmp/%s'", p->tmp) : 0;
}

int pack_write_read(struct pack_write *p, void *out, size_t len, uint64_t off,
	struct store_error *err)
{
	uint8_t *to = out;

	if (off + len > pack_write_size(p))
		return store_error_set(err, STORE_EINVAL, "read past the end of 'tmp/%s'", p->tmp);
	if (off < p->flushed) {
		const size_t n = off + len <= p->flushed ? len : (size_t)(p->flushed - off);
		const int rc = open_for_reading(p, err);

		if (rc != 0)
			return rc;
		if (io_pread_full(p->read_fd, to, n, off) != (ssize_t)n)
			return store_error_sys(err, "cannot read back 'tmp/%s'", p->tmp);
		to += n;
		off += n;
		len -= n;
	}
	/* What is in the file alone lies before the buffer, and no pointer may go there. */
	if (len > 0)
		memcpy(to, p->buffer + (off - p->flushed), len);
	return 0;
}

/* The rest of the buffer: direct writes want whole pages, so pad and cut the file afterwards. */
static int flush_tail(struct pack_write *p, struct store_error *err)
{
	const uint64_t end = pack_write_size(p);
	int rc;

	if (p->direct) {
		const size_t padded = (p->buffered + ALIGN - 1) & ~(ALIGN - 1);

		memset(p->buffer + p->buffered, 0, padded - p->buffered);
		rc = flush(p, padded, err);
		if (rc == 0 && ftruncate(p->fd, (off_t)end) != 0)
			rc = write_error(p, err);
	} else {
		rc = flush(p, p->buffered, err);
	}
	p->flushed = end;
	p->buffered = 0;
	return rc;
}

int pack_write_seal(struct pack_write *p, struct store_error *err)
{
	const uint64_t off = pack_write_size(p);
	struct buf footer = { 0 };
	int rc = refuse_failed(p, err);

	if (rc != 0)
		return rc;
	pack_index_sort(&p->index);
	rc = pack_index_encode(&p->index, off, &footer, err);
	if (rc == 0)
		rc = add_bytes(p, footer.data, footer.len, err);
	buf_release(&footer);
	if (rc == 0 && p->buffered > 0)
		rc = flush_tail(p, err);
	if (rc == 0 && (FAULT("pack.sync") || io_datasync(p->fd) != 0 || fchmod(p->fd, 0444) != 0))
		rc = write_error(p, err);
	if (rc != 0)
		p->failed = true;
	p->sealed = rc == 0;
	TRACE(TRACE_PACK, "sealed=tmp/%s bytes=%llu objects=%zu blocks=%zu direct=%d", p->tmp,
		(unsigned long long)p->flushed, p->index.count, p->index.block_count, p->direct);
	return rc;
}
