/*
 * Records are length (u32) and bytes. The file has no name (tmp/ and O_TMPFILE, or unlinked at
 * once), so nothing is left by a crash.
 */
#include "work/spool.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "odb/tmp.h"

#define SPOOL_BUFFER ((size_t)1 << 20)

void spool_init(struct spool *s, int dirfd)
{
	memset(s, 0, sizeof(*s));
	s->dirfd = dirfd;
	s->fd = -1;
}

void spool_release(struct spool *s)
{
	io_close(&s->fd);
	buf_release(&s->buffer);
}

int spool_open_file(int dirfd, int *fd, struct store_error *err)
{
	char name[TMP_NAME];
	int rc = 0;

	/* A folder of the user's must never show a name, not even after a crash. */
	*fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (*fd == -1) {
		rc = tmp_create(dirfd, 's', name, fd, err);
		if (rc == 0)
			unlinkat(dirfd, name, 0);
	}
	return rc;
}

static int flush(struct spool *s, struct store_error *err)
{
	int rc = s->fd == -1 ? spool_open_file(s->dirfd, &s->fd, err) : 0;

	if (rc == 0 && io_pwrite_full(s->fd, s->buffer.data, s->buffer.len, s->written) != 0)
		rc = store_error_sys(err, "cannot write a temporary file in 'tmp'");
	s->written += s->buffer.len;
	buf_clear(&s->buffer);
	return rc;
}

int spool_add(struct spool *s, const void *data, size_t len, struct store_error *err)
{
	buf_add_le32(&s->buffer, (uint32_t)len);
	buf_add(&s->buffer, data, len);
	s->count++;
	if (s->buffer.failed)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	return s->buffer.len >= SPOOL_BUFFER ? flush(s, err) : 0;
}

int spool_rewind(struct spool *s, struct store_error *err)
{
	int rc = 0;

	if (s->fd != -1) {
		/*
		 * Reading goes through the same buffer: what is not yet written goes to the file
		 * first.
		 */
		if (s->buffer.len > 0 && s->read_off == 0)
			rc = flush(s, err);
		buf_clear(&s->buffer);
	}
	s->read_off = 0;
	s->pos = 0;
	return rc;
}

/* At least n bytes behind pos in the buffer, from the file. */
static int fill(struct spool *s, size_t n, struct store_error *err)
{
	size_t want;
	ssize_t got;

	if (s->buffer.len - s->pos >= n)
		return 0;
	if (s->fd == -1 || s->read_off == s->written)
		return s->buffer.len == s->pos
			? STORE_ENOTFOUND
			: store_error_set(err, STORE_EIO, "a temporary file is cut short");
	memmove(s->buffer.data, s->buffer.data + s->pos, s->buffer.len - s->pos);
	s->buffer.len -= s->pos;
	s->pos = 0;
	want = n > SPOOL_BUFFER ? n : SPOOL_BUFFER;
	if (want > s->written - s->read_off)
		want = (size_t)(s->written - s->read_off);
	if (buf_reserve(&s->buffer, want) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	got = io_pread_full(s->fd, s->buffer.data + s->buffer.len, want, s->read_off);
	if (got < 0)
		return store_error_sys(err, "cannot read a temporary file");
	s->buffer.len += (size_t)got;
	s->read_off += (uint64_t)got;
	return s->buffer.len >= n
		? 0
		: store_error_set(err, STORE_EIO, "a temporary file is cut short");
}

int spool_next(struct spool *s, struct buf *out, struct store_error *err)
{
	uint32_t len;
	int rc = fill(s, 4, err);

	if (rc != 0)
		return rc;
	len = le32_get(s->buffer.data + s->pos);
	rc = fill(s, 4 + (size_t)len, err);
	if (rc != 0)
		return rc == STORE_ENOTFOUND
			? store_error_set(err, STORE_EIO, "a temporary file is cut short")
			: rc;
	rc = buf_set(out, s->buffer.data + s->pos + 4, len) == 0
		? 0
		: store_error_set(err, STORE_ENOMEM, "out of memory");
	s->pos += 4 + (size_t)len;
	return rc;
}

/* The end of the file into the buffer, in whole records of len bytes. */
static int fill_back(struct spool *s, size_t len, struct store_error *err)
{
	const size_t most = SPOOL_BUFFER / len * len;
	const size_t want = s->written < most ? (size_t)s->written : most;
	ssize_t got;

	if (want == 0)
		return STORE_ENOTFOUND;
	if (buf_reserve(&s->buffer, want) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	got = io_pread_full(s->fd, s->buffer.data, want, s->written - want);
	if (got < 0)
		return store_error_sys(err, "cannot read a temporary file");
	if ((size_t)got != want)
		return store_error_set(err, STORE_EIO, "a temporary file is cut short");
	s->buffer.len = want;
	s->written -= want;
	return 0;
}

int spool_pop(struct spool *s, void *data, size_t len, struct store_error *err)
{
	const int rc = s->buffer.len > 0 ? 0 : fill_back(s, 4 + len, err);

	if (rc != 0)
		return rc;
	s->buffer.len -= 4 + len;
	memcpy(data, s->buffer.data + s->buffer.len + 4, len);
	s->count--;
	return 0;
}
