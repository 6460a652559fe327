/*
 * One side of a difference: stored content, a file or link of the working tree, or nothing.
 *
 * The size of a working file is the one it has when it is opened; a file that grows meanwhile is
 * read as it was long then, and one that shrinks is an error, because no answer would be true.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/quote.h"
#include "work/patch_internal.h"
#include "work/repo.h"
#include "work/view_internal.h"
#include "work/worktree.h"

#define PROGRESS_NS 100000000

/* A file of the working tree that cannot be read is STORE_EIO, whatever the reason: sys tells. */
static int fail_work(struct patch_side *s, const char *what, struct store_error *err)
{
	const int sys = errno;
	char shown[300];

	quote_msg(shown, sizeof(shown), s->path, strlen(s->path));
	errno = sys;
	store_error_sys(err, "cannot %s '%s'", what, shown);
	s->work_failed = true;
	if (err)
		err->code = STORE_EIO;
	return STORE_EIO;
}

static int open_link(struct patch_side *s, struct store_error *err)
{
	int fd = io_open_beneath(s->repo->work_fd, s->path, O_PATH | O_NOFOLLOW, 0);
	int rc;

	if (fd == -1)
		return fail_work(s, "open", err);
	rc = worktree_readlink(fd, "", &s->bytes, err);
	if (rc != 0)
		rc = fail_work(s, "read the link", err);
	io_close(&fd);
	s->size = s->bytes.len;
	return rc;
}

static int open_file(struct patch_side *s, struct store_error *err)
{
	struct stat st;

	/* The file may have become a FIFO since it was looked at: never wait for its other end. */
	s->fd = io_open_beneath(s->repo->work_fd, s->path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0);
	if (s->fd == -1 || fstat(s->fd, &st) != 0)
		return fail_work(s, "open", err);
	if (!S_ISREG(st.st_mode)) {
		errno = ESTALE;
		return fail_work(s, "read", err);
	}
	s->size = (uint64_t)st.st_size;
	s->is_sparse = (uint64_t)st.st_blocks * 512 < s->size;
	return 0;
}

int patch_side_open(struct patch_side *s, struct store_repo *repo,
	const struct store_diff_side *from, const char *path, struct store_error *err)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->repo = repo;
	s->path = path;
	if (from->kind == STORE_KIND_NONE || from->kind == STORE_KIND_DIR)
		return 0;
	if (from->is_work)
		return from->kind == STORE_KIND_LINK ? open_link(s, err) : open_file(s, err);
	s->is_stored = true;
	s->node = from->node;
	s->size = from->node.size;
	s->ref = (struct file_ref){ .id = view_oid(&from->node.id),
		.height = from->node.height,
		.size = from->node.size };
	return 0;
}

void patch_side_close(struct patch_side *s)
{
	store_reader_free(s->reader);
	buf_release(&s->bytes);
	io_close(&s->fd);
}

static int read_stored(struct patch_side *s, uint64_t off, uint8_t *data, size_t len,
	struct store_error *err)
{
	size_t got = 0, n;
	int rc = s->reader ? 0 : store_reader_open(s->repo, &s->node, &s->reader, err);

	if (rc == 0)
		rc = store_reader_seek(s->reader, off, err);
	for (; rc == 0 && got < len; got += n) {
		rc = store_reader_read(s->reader, data + got, len - got, &n, err);
		if (rc == 0 && n == 0)
			rc = store_error_set(err, STORE_ECORRUPT,
				"the content ends before its size");
	}
	return rc;
}

/* All that takes long reads content, so this is where it can be ended. */
static int tick(struct patch_tick *t, size_t len, struct store_error *err)
{
	const struct store_callbacks *cb = t->callbacks;
	const struct store_progress p = { .stage = "diff", .bytes = t->bytes };
	const int64_t now = clock_mono_ns();

	t->bytes += len;
	if (!cb->progress || now - t->last_ns < PROGRESS_NS)
		return 0;
	t->last_ns = now;
	if (cb->progress(cb->payload, &p) == 0)
		return 0;
	return store_error_set(err, STORE_ECANCELED, "canceled");
}

int patch_side_read(struct patch_side *s, uint64_t off, void *data, size_t len,
	struct store_error *err)
{
	ssize_t n;

	if (len == 0)
		return 0;
	if (s->tick && tick(s->tick, len, err) != 0)
		return STORE_ECANCELED;
	if (s->is_stored)
		return read_stored(s, off, data, len, err);
	if (s->fd == -1) {
		memcpy(data, s->bytes.data + off, len);
		return 0;
	}
	n = FAULT("patch.read") ? -1 : io_pread_full(s->fd, data, len, off);
	if (n >= 0 && (size_t)n < len)
		errno = ESTALE; /* it became shorter */
	return n < 0 || (size_t)n < len ? fail_work(s, "read", err) : 0;
}

uint64_t patch_side_data(const struct patch_side *s, uint64_t off)
{
	off_t data;

	if (!s->is_sparse || off > INT64_MAX)
		return off;
	data = lseek(s->fd, (off_t)off, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? s->size : off;
	return (uint64_t)data < s->size ? (uint64_t)data : s->size;
}
