/*
 * Packs: written by the writer of packs, a block of 256 KiB that was encoded before again and
 * again, 64 MiB a pack, each synced; and read object by object, as cat and checkout do, which looks
 * up, reads, checks, decodes and hashes.
 *
 * The limits of writing are the same bytes by plain writes of 1 MiB to a file of the same length,
 * with a sync: through the cache of the system, and around it where the file system lets one. Those
 * of reading are reads of such a file from the cache, and hashing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "odb/odb.h"
#include "odb/pack_write.h"
#include "odb/publish.h"
#include "odb/writer.h"
#include "work/bench_internal.h"

#define PACK ((uint64_t)64 << 20)
#define BLOCK ((size_t)256 << 10)
#define OBJECT ((size_t)64 << 10)
#define PIECE ((size_t)1 << 20)
#define ALIGN ((size_t)4096)
#define PLAIN "plain"

struct packs {
	struct odb *odb;
	struct odb_reader *reader;
	struct pack_block block;
	struct buf wire, object;
	uint8_t *piece;     /* PIECE bytes, whole pages */
	struct oid *ids[2]; /* of objects of random bytes and of text; n of each */
	size_t n;
	bool can_direct;
};

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

static uint64_t part_of(uint64_t left, uint64_t most)
{
	return left < most ? left : most;
}

/* ---- writing */

static int open_plain(const struct bench *b, int flags, int *fd, struct store_error *err)
{
	*fd = openat(b->fd, PLAIN, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
	return *fd == -1 ? store_error_sys(err, "cannot make a file in '%s'", b->o.scratch) : 0;
}

/* Can a file there be written around the cache? */
static bool can_write_around(struct bench *b, const struct packs *x)
{
	int fd;
	const bool can = open_plain(b, O_DIRECT, &fd, NULL) == 0 &&
		io_pwrite_full(fd, x->piece, ALIGN, 0) == 0;

	io_close(&fd);
	unlinkat(b->fd, PLAIN, 0);
	return can;
}

static int write_plain(struct bench *b, const struct packs *x, int fd, uint64_t size, bool direct,
	struct store_error *err)
{
	int rc = 0;

	for (uint64_t at = 0; rc == 0 && at < size; at += PIECE) {
		size_t n = (size_t)part_of(size - at, PIECE);

		n = direct ? (n + ALIGN - 1) & ~(ALIGN - 1) : n;
		if (io_pwrite_full(fd, x->piece, n, at) != 0)
			rc = store_error_sys(err, "cannot write a file in '%s'", b->o.scratch);
		else
			rc = bench_tick(b, err);
	}
	if (rc == 0 && io_datasync(fd) != 0)
		rc = store_error_sys(err, "cannot sync a file in '%s'", b->o.scratch);
	return rc;
}

/* Files as long as packs; a new one each time, for a pack is new, too. arg: O_DIRECT or 0. */
static int run_plain(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	const struct packs *x = ctx;
	int rc = 0, fd;

	for (uint64_t left = b->o.size; rc == 0 && left > 0; left -= part_of(left, PACK)) {
		unlinkat(b->fd, PLAIN, 0);
		bench_start(b);
		rc = open_plain(b, c->arg, &fd, err);
		if (rc == 0)
			rc = write_plain(b, x, fd, part_of(left, PACK), c->arg != 0, err);
		bench_stop(b);
		io_close(&fd);
	}
	bench_note(b, 0, (double)b->o.size);
	return rc;
}

static int write_pack(struct bench *b, struct packs *x, struct pack_write *p, uint64_t size,
	struct store_error *err)
{
	uint64_t at;
	int rc = pack_write_begin(p, err);

	while (rc == 0 && pack_write_size(p) < size) {
		rc = pack_write_append(p, &x->block, x->wire.data, &at, err);
		if (rc == 0)
			rc = bench_tick(b, err);
	}
	return rc == 0 ? pack_write_seal(p, err) : rc;
}

static int run_pack(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct packs *x = ctx;
	uint64_t written = 0;
	int rc = 0;

	(void)c;
	for (uint64_t left = b->o.size; rc == 0 && left > 0; left -= part_of(left, PACK)) {
		struct pack_write p;

		pack_write_init(&p, odb_tmp_fd(x->odb));
		bench_start(b);
		rc = write_pack(b, x, &p, part_of(left, PACK), err);
		bench_stop(b);
		written += pack_write_size(&p);
		pack_write_release(&p);
	}
	bench_note(b, 0, (double)written);
	return rc;
}

/* ---- reading */

/* The file that run_plain left, from the cache: it was written through it in this round. */
static int run_cached(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	const struct packs *x = ctx;
	const uint64_t len = part_of(b->o.size, PACK);
	int rc = 0, fd = openat(b->fd, PLAIN, O_RDONLY | O_CLOEXEC);

	(void)c;
	if (fd == -1)
		return store_error_sys(err, "cannot open a file in '%s'", b->o.scratch);
	bench_start(b);
	for (uint64_t at = 0; rc == 0 && at < len; at += OBJECT) {
		if (io_pread_full(fd, x->piece, (size_t)part_of(len - at, OBJECT), at) < 0)
			rc = store_error_sys(err, "cannot read a file in '%s'", b->o.scratch);
	}
	bench_stop(b);
	bench_note(b, 0, (double)len);
	io_close(&fd);
	return rc;
}

/* arg: which ids. */
static int run_read(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct packs *x = ctx;
	uint64_t done = 0;
	int rc = 0;

	bench_start(b);
	for (size_t i = 0; rc == 0 && done < b->o.size; i = (i + 1) % x->n) {
		rc = odb_read(x->reader, &x->ids[c->arg][i], &x->object, err);
		done += x->object.len;
		if (rc == 0)
			rc = bench_tick(b, err);
	}
	bench_stop(b);
	bench_note(b, 0, (double)done);
	return rc;
}

static int put_objects(struct bench *b, struct packs *x, struct odb_writer *w, const uint8_t *data,
	struct oid *ids, struct store_error *err)
{
	const struct publication p = { .writer = w };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < x->n; i++) {
		const size_t at = i * OBJECT;

		rc = writer_put(w, KIND_CHUNK, data + at,
			(size_t)part_of(b->input_len - at, OBJECT), &ids[i], err);
		if (rc == 0)
			rc = bench_tick(b, err);
		if (rc == 0 && writer_is_full(w))
			rc = publish(x->odb, &p, NULL, err);
	}
	return rc == 0 && !writer_is_empty(w) ? publish(x->odb, &p, NULL, err) : rc;
}

static int store_objects(struct bench *b, struct packs *x, struct store_error *err)
{
	struct odb_writer *w = NULL;
	int rc = writer_new(&w, x->odb, err);

	if (rc == 0)
		rc = writer_register(w, err);
	if (rc == 0)
		rc = put_objects(b, x, w, b->random, x->ids[0], err);
	if (rc == 0)
		rc = put_objects(b, x, w, b->text, x->ids[1], err);
	writer_free(w);
	return rc;
}

/* ---- the cases */

static int make_block(struct bench *b, struct packs *x, struct store_error *err)
{
	const struct codec_options options = { .codec = CODEC_NONE };
	struct codec_ctx *codec = codec_new(&options);
	const size_t len = b->input_len < BLOCK ? b->input_len : BLOCK;
	struct oid id;
	int rc;

	hash_once(b->hash, b->random, len, &id);
	rc = codec ? pack_block_add(&x->block, &id, KIND_CHUNK, b->random, len, err)
		   : out_of_memory(err);
	if (rc == 0)
		rc = pack_block_encode(&x->block, codec, NULL, 0, &x->wire, err);
	codec_free(codec);
	return rc;
}

static void add_cases(const struct packs *x, struct bench_case *cases, size_t *n)
{
	struct bench_case limit = { .is_limit = true }, c = { .run = run_pack };
	int cached, sha256;

	if (x->can_direct) {
		limit.run = run_plain;
		limit.arg = O_DIRECT;
		c.limits[1] = bench_add(cases, n, limit, "write around the cache and fdatasync");
	}
	limit.run = run_plain;
	limit.arg = 0;
	c.limits[0] = bench_add(cases, n, limit, "write and fdatasync");
	bench_add(cases, n, c, "packs written and synced");
	limit.run = run_cached;
	cached = bench_add(cases, n, limit, "read from the cache");
	sha256 = bench_add(cases, n, bench_case_sha256(), "SHA-256, one thread");
	c = (struct bench_case){ .run = run_read, .limits = { sha256, cached } };
	bench_add(cases, n, c, "objects read and proven, random");
	c.arg = 1;
	bench_add(cases, n, c, "objects read and proven, text in zlib");
}

int bench_io(struct bench *b, struct store_error *err)
{
	struct bench_case cases[8];
	struct packs x = { .n = (b->input_len + OBJECT - 1) / OBJECT };
	size_t n = 0;
	int rc = bench_scratch_odb(b, "io", &x.odb, err);

	pack_block_init(&x.block, PACK_CONTENT);
	x.piece = mem_pages(PIECE);
	x.ids[0] = mem_alloc_array(x.n, sizeof(*x.ids[0]));
	x.ids[1] = mem_alloc_array(x.n, sizeof(*x.ids[1]));
	x.reader = rc == 0 ? odb_reader_new(x.odb) : NULL;
	if (rc == 0 && (!x.piece || !x.ids[0] || !x.ids[1] || !x.reader))
		rc = out_of_memory(err);
	if (rc == 0)
		rc = make_block(b, &x, err);
	if (rc == 0)
		rc = store_objects(b, &x, err);
	if (rc == 0) {
		memcpy(x.piece, b->random, b->input_len < PIECE ? b->input_len : PIECE);
		x.can_direct = can_write_around(b, &x);
		add_cases(&x, cases, &n);
		rc = bench_measure(b, cases, n, &x, err);
	}
	if (x.piece)
		mem_pages_free(x.piece, PIECE);
	free(x.ids[0]);
	free(x.ids[1]);
	buf_release(&x.wire);
	buf_release(&x.object);
	pack_block_release(&x.block);
	odb_reader_free(x.reader);
	odb_close(x.odb);
	return rc;
}
