/*
 * What a file holds: opened beneath its root without following a symbolic link, and without
 * waiting, so that a FIFO that took its place holds nobody up. It has to be the file that the walk
 * found, with its inode, device, size and time, before and after it is read: what changes meanwhile
 * is of no group.
 *
 * Fault points: open and read of io.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/quote.h"
#include "base/trace.h"
#include "work/dupes_internal.h"
#include "work/worktree.h"

#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)

const char *dupes_show(const struct dupes *d, const struct store_dupes_file *file, char *shown,
	size_t cap)
{
	const char *root = d->roots[file->root];
	struct buf whole = { 0 };

	buf_add_str(&whole, root);
	if (file->path_len > 0 && root[strlen(root) - 1] != '/')
		buf_add_u8(&whole, '/');
	buf_add(&whole, file->path, file->path_len);
	quote_msg(shown, cap, buf_from(&whole, 0), whole.len);
	buf_release(&whole);
	return shown;
}

int dupes_root(struct dupes *d, uint32_t root)
{
	if (d->root_fd != -1 && d->root == root)
		return d->root_fd;
	io_close(&d->root_fd);
	d->root = root;
	d->root_fd = open(d->roots[root], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return d->root_fd;
}

static int fail(const struct dupes *d, const struct store_dupes_file *file, const char *what,
	struct store_error *why)
{
	const int saved = errno;
	char shown[400];

	dupes_show(d, file, shown, sizeof(shown));
	errno = saved;
	return store_error_sys(why, "cannot %s '%s'", what, shown);
}

static int fail_changed(const struct dupes *d, const struct store_dupes_file *file,
	struct store_error *why)
{
	char shown[400];

	return store_error_set(why, STORE_EBUSY, "'%s' has changed since it was found",
		dupes_show(d, file, shown, sizeof(shown)));
}

static bool is_found(const struct stat *st, const struct store_dupes_file *file, uint64_t size)
{
	return S_ISREG(st->st_mode) && st->st_dev == file->device && st->st_ino == file->inode &&
		(uint64_t)st->st_size == size && st->st_mtim.tv_sec == file->mtime &&
		st->st_mtim.tv_nsec == (long)file->mtime_ns;
}

int dupes_check(struct dupes *d, const struct store_dupes_file *file, uint64_t size, int fd,
	struct store_error *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(d, file, "look at", why);
	return is_found(&st, file, size) ? 0 : fail_changed(d, file, why);
}

static int open_path(struct dupes *d, const struct store_dupes_file *file)
{
	int root;

	if (file->path_len == 0)
		return open(d->roots[file->root], OPEN_FLAGS | O_CLOEXEC);
	root = dupes_root(d, file->root);
	return root == -1 ? -1 : io_open_beneath(root, file->path, OPEN_FLAGS, 0);
}

int dupes_open(struct dupes *d, struct store_dupes_file *file, uint64_t size, int *fd,
	struct store_error *why)
{
	struct stat st;
	int rc;

	*fd = open_path(d, file);
	TRACE(TRACE_WALK, "compare=%s size=%llu", file->path, (unsigned long long)size);
	if (*fd == -1 && worktree_is_absent(errno))
		return store_error_set(why, STORE_ENOTFOUND, "it is not there any more");
	/* A symbolic link or a socket took its place. */
	if (*fd == -1 && (errno == ELOOP || errno == ENXIO))
		return fail_changed(d, file, why);
	if (*fd == -1)
		return fail(d, file, "open", why);
	if (fstat(*fd, &st) != 0)
		rc = fail(d, file, "look at", why);
	else
		rc = is_found(&st, file, size) ? 0 : fail_changed(d, file, why);
	if (rc != 0) {
		io_close(fd);
		return rc;
	}
	file->mode = st.st_mode;
	file->uid = st.st_uid;
	file->gid = st.st_gid;
	return 0;
}

/* The bytes from off on, len of them. 0, or what ends the search; why has a code when it failed. */
static int add_bytes(struct dupes *d, const struct store_dupes_file *file, int fd, uint64_t off,
	uint64_t len, struct store_error *why, struct store_error *err)
{
	while (len > 0) {
		const size_t want = len < DUPES_BUFFER ? (size_t)len : DUPES_BUFFER;
		const ssize_t got = io_pread_full(fd, d->buffer, want, off);
		int rc;

		if (got < 0) {
			fail(d, file, "read", why);
			return 0;
		}
		d->now->read_bytes += (uint64_t)got;
		if ((size_t)got < want) {
			fail_changed(d, file, why);
			return 0;
		}
		hash_add(d->hash, d->buffer, want);
		off += want;
		len -= want;
		rc = dupes_tick(d, false, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int dupes_read(struct dupes *d, struct store_dupes_file *file, uint64_t size, bool whole,
	struct oid *out, struct store_error *why, struct store_error *err)
{
	int fd, rc;

	if (dupes_open(d, file, size, &fd, why) != 0)
		return 0;
	d->now->opened++;
	hash_begin(d->hash);
	if (whole) {
		if (size > DUPES_BUFFER)
			(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		rc = add_bytes(d, file, fd, 0, size, why, err);
	} else {
		rc = add_bytes(d, file, fd, 0, DUPES_ENDS, why, err);
		if (rc == 0 && why->code == 0)
			rc = add_bytes(d, file, fd, size - DUPES_ENDS, DUPES_ENDS, why, err);
	}
	hash_end(d->hash, out);
	if (rc == 0 && why->code == 0)
		dupes_check(d, file, size, fd, why);
	io_close(&fd);
	return rc;
}
