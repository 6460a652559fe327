/*
 * The caller's side of the streaming writer: bytes in pieces of any size go into the ring, from
 * memory, a descriptor or a callback; and the caller is told how far it is.
 *
 * With a progress callback no wait lasts longer than a tick, whether for room in the ring or for
 * the bytes of a descriptor: whoever wants to stop is heard at once.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "work/stream_internal.h"

#define PIECE ((size_t)32 << 10)

bool stream_is_watched(const struct store_writer *w)
{
	return w->options.callbacks.progress != NULL;
}

int stream_tick(struct store_writer *w, const char *stage, uint64_t bytes, struct store_error *err)
{
	const struct store_callbacks *c = &w->options.callbacks;
	struct store_progress p = { .stage = stage, .bytes = bytes };
	int64_t now;

	if (!stream_is_watched(w))
		return 0;
	now = clock_mono_ns();
	if (now - w->told_ns < STREAM_TICK_NS)
		return 0;
	w->told_ns = now;
	p.bytes_total = w->options.size >= bytes ? w->options.size : 0;
	return c->progress(c->payload, &p) == 0
		? 0
		: store_error_set(err, STORE_ECANCELED, "stopped; nothing was staged");
}

/* The thread has ended by itself, which only an error makes it do. */
static int take_error(struct store_writer *w, struct store_error *err)
{
	stream_join(w, false);
	w->is_over = true;
	if (err)
		*err = w->err;
	return w->rc;
}

/* Until there is room, or nobody who makes any. */
static int await_room(struct store_writer *w, struct store_error *err)
{
	int rc = stream_tick(w, "put", w->fed, err);

	while (rc == 0 && stream_is_watched(w) && !ring_await_room(w->ring, STREAM_TICK_NS))
		rc = stream_tick(w, "put", w->fed, err);
	return rc;
}

static int feed(struct store_writer *w, const uint8_t *p, size_t len, struct store_error *err)
{
	while (len > 0) {
		const int rc = await_room(w, err);
		size_t n;

		if (rc != 0)
			return stream_end_early(w, rc);
		n = ring_put(w->ring, p, len);
		if (n == 0)
			return take_error(w, err);
		w->fed += n;
		p += n;
		len -= n;
	}
	return 0;
}

int store_writer_write(struct store_writer *w, const void *data, size_t len,
	struct store_error *err)
{
	const int rc = stream_check_open(w, err);

	return rc == 0 ? feed(w, data, len, err) : rc;
}

/* ---- from a descriptor */

/* What is left of a regular file tells how much comes, when it is the first that does. */
static void expect_file(struct store_writer *w, int fd)
{
	struct stat st;
	off_t off;

	if (w->fed > 0 || w->expected > 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	off = lseek(fd, 0, SEEK_CUR);
	if (off >= 0 && st.st_size > off)
		w->options.size = w->expected = (uint64_t)(st.st_size - off);
}

static int fail_read(int fd, struct store_error *err)
{
	return fd == STDIN_FILENO ? store_error_sys(err, "cannot read standard input")
				  : store_error_sys(err, "cannot read descriptor %d", fd);
}

/* Wait until fd has something to tell, but not longer than until the next tick. */
static bool await_bytes(const struct store_writer *w, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	const int n = poll(&p, 1, stream_is_watched(w) ? (int)(STREAM_TICK_NS / 1000000) : -1);

	return n > 0 || (n < 0 && errno != EINTR);
}

/* *n: bytes that came, 0 at the end; -1: none yet. */
static int read_some(struct store_writer *w, int fd, uint8_t *out, ssize_t *n,
	struct store_error *err)
{
	const int rc = stream_tick(w, "put", w->fed, err);

	*n = -1;
	/* One that blocks is asked before it is read, if anybody is to be told meanwhile. */
	if (rc != 0 || (stream_is_watched(w) && !await_bytes(w, fd)))
		return rc;
	*n = read(fd, out, PIECE);
	if (*n >= 0 || errno == EINTR)
		return 0;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return fail_read(fd, err);
	await_bytes(w, fd);
	return 0;
}

int store_writer_write_fd(struct store_writer *w, int fd, struct store_error *err)
{
	uint8_t piece[PIECE];
	ssize_t n = -1;
	int rc = stream_check_open(w, err);

	if (rc != 0)
		return rc;
	expect_file(w, fd);
	while (n != 0) {
		rc = read_some(w, fd, piece, &n, err);
		if (rc != 0)
			return stream_end_early(w, rc);
		/* Nothing may ever come, and then no write would tell of it. */
		if (n < 0 && ring_await_leave(w->ring, 0))
			return take_error(w, err);
		if (n > 0)
			rc = feed(w, piece, (size_t)n, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* ---- from a callback */

int store_writer_write_from(struct store_writer *w, store_source_fn source, void *payload,
	struct store_error *err)
{
	uint8_t piece[PIECE];
	int rc = stream_check_open(w, err);

	while (rc == 0) {
		const ptrdiff_t n = source(payload, piece, sizeof(piece));

		if (n == 0)
			return 0;
		if (n < 0 || (size_t)n > sizeof(piece))
			return stream_end_early(w,
				store_error_set(err, STORE_ECANCELED,
					"stopped; nothing was staged"));
		rc = feed(w, piece, (size_t)n, err);
	}
	return rc;
}

/* ---- how far it is */

void store_writer_progress(struct store_writer *w, struct store_writer_progress *out)
{
	const struct ingest_held *h = &w->ingest.held;

	memset(out, 0, sizeof(*out));
	/* In a child the ring's lock may be held by a thread that is not there. */
	if (env_check_forked(odb_env(w->repo->odb), NULL) != 0)
		return;
	out->buffered = ring_len(w->ring, &out->bytes);
	out->chunks = __atomic_load_n(&h->chunks, __ATOMIC_RELAXED);
	out->new_chunks = __atomic_load_n(&h->new_chunks, __ATOMIC_RELAXED);
	out->new_bytes = __atomic_load_n(&h->new_bytes, __ATOMIC_RELAXED);
}
