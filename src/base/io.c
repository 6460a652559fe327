/*
 * Files.  EINTR and short transfers end here; whoever calls sees whole transfers or an error.
 *
 * Names.  io_open_beneath is the only way to a path of the working tree.  Where the kernel has
 * openat2 the whole path is resolved in one call that refuses symlinks and escapes.  Where it is
 * missing (ENOSYS) or forbidden by a sandbox (EPERM, which may also be the honest answer, so it is
 * asked again and not remembered) the path is walked one component at a time.  Both ways answer
 * alike: ELOOP for a symlink, EXDEV for a path that is absolute or holds "..".  The latter is
 * refused by its look, also where it would lead back: no name in a repository is "..", and a rename
 * at the wrong moment makes such a path mean something else.
 *
 * Durability.  io_replace: data, fsync, rename, fsync of the folder, in this order.  A crash before
 * the rename leaves the temporary, which the next call with the same name removes.
 *
 * Fault points: open openat2 read write fsync rename close.
 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/owner.h"
#include "base/quote.h"

#define PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) /* all that O_PATH goes with */
#define STEP_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)              /* for a folder on the way */

static atomic_bool openat2_missing;

/* --- transfers --- */

static ssize_t read_once(int fd, void *data, size_t len)
{
	return FAULT("read") ? -1 : read(fd, data, len);
}

static ssize_t pread_once(int fd, void *data, size_t len, uint64_t off)
{
	return FAULT("read") ? -1 : pread(fd, data, len, (off_t)off);
}

static ssize_t write_once(int fd, const void *data, size_t len)
{
	return FAULT("write") ? -1 : write(fd, data, len);
}

static ssize_t pwrite_once(int fd, const void *data, size_t len, uint64_t off)
{
	return FAULT("write") ? -1 : pwrite(fd, data, len, (off_t)off);
}

/* True, with errno, if len bytes at off do not lie below the greatest file offset. */
static bool is_out_of_range(size_t len, uint64_t off)
{
	if (len <= SSIZE_MAX && off <= (uint64_t)INT64_MAX - len)
		return false;
	errno = EINVAL;
	return true;
}

/* What a write of more than 0 bytes came to: bytes, 0 for "again", -1 with errno. */
static ssize_t judge_write(ssize_t n)
{
	if (n > 0)
		return n;
	if (n == 0)
		errno = EIO; /* a device that takes nothing and says nothing would loop for ever */
	else if (errno == EINTR)
		return 0;
	return -1;
}

ssize_t io_read_full(int fd, void *data, size_t len)
{
	size_t done = 0;

	if (is_out_of_range(len, 0))
		return -1;
	while (done < len) {
		const ssize_t n = read_once(fd, (uint8_t *)data + done, len - done);

		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)done;
}

ssize_t io_pread_full(int fd, void *data, size_t len, uint64_t off)
{
	size_t done = 0;

	if (is_out_of_range(len, off))
		return -1;
	while (done < len) {
		const ssize_t n = pread_once(fd, (uint8_t *)data + done, len - done, off + done);

		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)done;
}

int io_write_full(int fd, const void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		const ssize_t n = judge_write(
			write_once(fd, (const uint8_t *)data + done, len - done));

		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

int io_pwrite_full(int fd, const void *data, size_t len, uint64_t off)
{
	size_t done = 0;

	if (is_out_of_range(len, off))
		return -1;
	while (done < len) {
		const ssize_t n = judge_write(
			pwrite_once(fd, (const uint8_t *)data + done, len - done, off + done));

		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

/* --- names --- */

/* Close a descriptor on the way out, errno kept. */
static void close_quietly(int fd)
{
	const int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
}

static int open_by_openat2(int dirfd, const char *path, int flags, mode_t mode)
{
	const bool creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
	struct open_how how = { 0 };
	long fd;

	if (FAULT("openat2"))
		return -1;
	/* Without O_PATH, O_NOFOLLOW could only turn the ELOOP of a symlink into an ENOTDIR. */
	how.flags = (uint64_t)(unsigned int)(flags & O_PATH ? flags : flags & ~O_NOFOLLOW);
	how.mode = creates ? mode & 07777 : 0;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	do
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	while (fd == -1 && errno == EINTR);
	if (fd == -1 && errno == ENOSYS)
		atomic_store_explicit(&openat2_missing, true, memory_order_relaxed);
	return (int)fd;
}

/* Open one component; a symlink is ELOOP unless flags ask for the link itself. */
static int open_component(int dirfd, const char *name, int flags, mode_t mode)
{
	struct stat st;
	int fd;

	do
		fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	while (fd == -1 && errno == EINTR);
	if (fd == -1 && errno == ENOTDIR) {
		const bool is_link = fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISLNK(st.st_mode);

		errno = is_link ? ELOOP : ENOTDIR;
	}
	if (fd != -1 && (flags & O_PATH) && !(flags & O_NOFOLLOW) && fstat(fd, &st) == 0 &&
		S_ISLNK(st.st_mode)) {
		errno = ELOOP;
		close_quietly(fd);
		fd = -1;
	}
	return fd;
}

/* Past slashes and "." components. */
static const char *skip_dots(const char *p)
{
	while (*p == '/' || (p[0] == '.' && (p[1] == '/' || p[1] == '\0')))
		p++;
	return p;
}

static int open_by_walk(int dirfd, const char *path, int flags, mode_t mode)
{
	char name[NAME_MAX + 1];
	int at = dirfd, held = -1, fd = -1;

	path = skip_dots(path);
	if (*path == '\0')
		return open_component(dirfd, ".", flags, mode);
	for (;;) {
		const size_t len = strcspn(path, "/");
		const char *rest = skip_dots(path + len);

		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
			break;
		}
		memcpy(name, path, len);
		name[len] = '\0';
		if (*rest == '\0') {
			if (path[len] != '/')
				fd = open_component(at, name, flags, mode);
			else if (flags & O_CREAT)
				errno = EISDIR;
			else
				fd = open_component(at, name, flags | O_DIRECTORY, mode);
			break;
		}
		fd = open_component(at, name, STEP_FLAGS, 0);
		close_quietly(held);
		held = at = fd;
		if (fd == -1)
			return -1;
		fd = -1;
		path = rest;
	}
	close_quietly(held);
	return fd;
}

/* Open a path shorter than PATH_MAX. */
static int open_piece(int dirfd, const char *path, int flags, mode_t mode)
{
	if (!atomic_load_explicit(&openat2_missing, memory_order_relaxed)) {
		const int fd = open_by_openat2(dirfd, path, flags, mode);

		if (fd != -1 || (errno != ENOSYS && errno != EPERM))
			return fd;
	}
	return open_by_walk(dirfd, path, flags, mode);
}

/* 0, or -1 with errno for a path that is empty, absolute, or holds "..". */
static int check_path(const char *path)
{
	if (*path == '\0') {
		errno = ENOENT;
		return -1;
	}
	errno = EXDEV;
	if (*path == '/')
		return -1;
	while (*path != '\0') {
		const size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.')
			return -1;
		path += len;
		path += *path == '/';
	}
	return 0;
}

int io_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	char piece[PATH_MAX];
	int at = dirfd, held = -1, fd;

	if (FAULT("open") || check_path(path) != 0)
		return -1;
	flags |= O_CLOEXEC;
	if (flags & O_PATH)
		flags &= PATH_FLAGS;

	while (strlen(path) >= sizeof(piece)) {
		const char *slash = memrchr(path, '/', sizeof(piece) - 1);

		if (!slash) {
			close_quietly(held);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(piece, path, (size_t)(slash - path));
		piece[slash - path] = '\0';
		fd = open_piece(at, piece, STEP_FLAGS, 0);
		close_quietly(held);
		if (fd == -1)
			return -1;
		held = at = fd;
		path = slash + strspn(slash, "/");
	}
	fd = open_piece(at, *path != '\0' ? path : ".", flags, mode);
	close_quietly(held);
	return fd;
}

/* --- whole files --- */

/* All of fd behind out, growing with what is really there; more than max bytes: STORE_EINVAL. */
static int read_all(int fd, size_t max, struct buf *out, const char *shown, struct store_error *err)
{
	for (;;) {
		size_t want = out->cap - out->len;
		ssize_t n;

		if (want < 4096 && buf_reserve(out, 4096) != 0)
			return buf_check(out, err);
		want = out->cap - out->len;
		if (max < SIZE_MAX && want > max - out->len + 1)
			want = max - out->len +
				1; /* one more than allowed shows a file that grew */
		n = io_read_full(fd, out->data + out->len, want);
		if (n < 0)
			return store_error_sys(err, "cannot read '%s'", shown);
		out->len += (size_t)n;
		if (out->len > max)
			return store_error_set(err, STORE_EINVAL, "'%s' is larger than %zu bytes",
				shown, max);
		if ((size_t)n < want)
			return 0;
	}
}

int io_read_file(int dirfd, const char *name, size_t max, struct buf *out, struct store_error *err)
{
	char shown[256];
	struct stat st;
	int fd, rc;

	buf_clear(out);
	quote_msg(shown, sizeof(shown), name, strlen(name));
	/* O_NONBLOCK: a FIFO in place of the file must not hang the command. */
	fd = io_open_beneath(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -1)
		return store_error_sys(err, "cannot open '%s'", shown);
	if (fstat(fd, &st) != 0) {
		rc = store_error_sys(err, "cannot stat '%s'", shown);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = store_error_set(err, STORE_EINVAL, "'%s' is not a regular file", shown);
		goto out;
	}
	if ((uint64_t)st.st_size > max) {
		rc = store_error_set(err, STORE_EINVAL, "'%s' is larger than %zu bytes", shown,
			max);
		goto out;
	}
	rc = buf_reserve(out, (size_t)st.st_size + 1);
	rc = rc != 0 ? buf_check(out, err) : read_all(fd, max, out, shown, err);
out:
	close_quietly(fd);
	if (rc != 0)
		buf_clear(out);
	return rc;
}

/* A new file, for writing; one left by a crash gives way. */
static int create_tmp(int dirfd, const char *tmp, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = FAULT("open") ? -1 : openat(dirfd, tmp, flags, mode);

	if (fd == -1 && errno == EEXIST && unlinkat(dirfd, tmp, 0) == 0)
		fd = openat(dirfd, tmp, flags, mode);
	owner_give(dirfd, fd);
	return fd;
}

static int rename_in(int dirfd, const char *from, const char *to)
{
	return FAULT("rename") ? -1 : renameat(dirfd, from, dirfd, to);
}

/* fsync of a folder, also when dirfd is AT_FDCWD or O_PATH and cannot be synced itself. */
static int sync_folder(int dirfd)
{
	int fd, rc = io_sync(dirfd);

	if (rc == 0 || errno != EBADF)
		return rc;
	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	rc = io_sync(fd);
	close_quietly(fd);
	return rc;
}

/* Mode and owner of what is replaced; only root can give a file away, so that may fail. */
static int make_alike(int fd, const struct stat *like)
{
	struct stat st;

	if (!like)
		return 0;
	if (fstat(fd, &st) != 0)
		return -1;
	if ((st.st_uid != like->st_uid || st.st_gid != like->st_gid) &&
		fchown(fd, like->st_uid, like->st_gid) != 0 && errno != EPERM)
		return -1;
	return fchmod(fd, like->st_mode & 0777);
}

static int replace(int dirfd, const char *name, const char *tmp, const void *data, size_t len,
	mode_t mode, const struct stat *like, struct store_error *err)
{
	char shown[200], tmp_shown[200];
	bool tmp_exists = false;
	int fd = -1, rc;

	quote_msg(shown, sizeof(shown), name, strlen(name));
	quote_msg(tmp_shown, sizeof(tmp_shown), tmp, strlen(tmp));
	if (strchr(name, '/') || strchr(tmp, '/')) /* another folder would have to be synced */
		return store_error_set(err, STORE_EINVAL, "cannot replace '%s': not a plain name",
			shown);

	fd = create_tmp(dirfd, tmp, mode);
	if (fd == -1)
		return store_error_sys(err, "cannot create '%s'", tmp_shown);
	tmp_exists = true;

	/* Data before name: a crash may lose the new content, but never leaves half of it. */
	if (make_alike(fd, like) != 0 || io_write_full(fd, data, len) != 0 || io_sync(fd) != 0) {
		rc = store_error_sys(err, "cannot write '%s'", tmp_shown);
		goto out;
	}
	if (io_close(&fd) != 0) {
		rc = store_error_sys(err, "cannot close '%s'", tmp_shown);
		goto out;
	}
	if (rename_in(dirfd, tmp, name) != 0) {
		rc = store_error_sys(err, "cannot rename '%s' to '%s'", tmp_shown, shown);
		goto out;
	}
	tmp_exists = false;
	rc = sync_folder(dirfd) == 0
		? 0
		: store_error_sys(err, "cannot sync the folder of '%s'", shown);
out:
	close_quietly(fd);
	if (tmp_exists)
		unlinkat(dirfd, tmp, 0);
	return rc;
}

int io_replace(int dirfd, const char *name, const char *tmp, const void *data, size_t len,
	mode_t mode, struct store_error *err)
{
	return replace(dirfd, name, tmp, data, len, mode, NULL, err);
}

int io_replace_alike(int dirfd, const char *name, const char *tmp, const void *data, size_t len,
	struct store_error *err)
{
	char shown[200];
	struct stat st;
	const bool there = fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (!there && errno != ENOENT)
		return store_error_sys(err, "cannot look at '%s'",
			quote_msg(shown, sizeof(shown), name, strlen(name)));
	return replace(dirfd, name, tmp, data, len, 0666, there ? &st : NULL, err);
}

/* --- sync, close, locks --- */

/* True when the environment of a test build asks for speed instead of durability. */
static bool is_sync_off(void)
{
#ifdef STORE_FAULTS
	const char *value = getenv("STORE_TEST_FSYNC");

	return value && strcmp(value, "0") == 0;
#else
	return false;
#endif
}

int io_sync(int fd)
{
	int rc;

	do
		rc = FAULT("fsync") ? -1 : is_sync_off() ? 0 : fsync(fd);
	while (rc != 0 && errno == EINTR);
	return rc;
}

int io_datasync(int fd)
{
	int rc;

	do
		rc = FAULT("fsync") ? -1 : is_sync_off() ? 0 : fdatasync(fd);
	while (rc != 0 && errno == EINTR);
	return rc;
}

int io_sync_above(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *above = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = above ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	const int rc = fd != -1 ? io_sync(fd) : above && errno == EACCES ? 0 : -1;

	close_quietly(fd);
	free(above);
	return rc;
}

int io_close(int *fd)
{
	int rc, injected;

	if (*fd == -1)
		return 0;
	rc = close(*fd);
	*fd = -1;
	if (rc != 0 && errno == EINTR)
		rc = 0; /* Linux has let go of the descriptor; what matters was synced */
	injected = FAULT("close");
	return injected ? -1 : rc;
}

static int set_lock(int fd, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };
	int rc;

	do
		rc = fcntl(fd, F_OFD_SETLK, &lock);
	while (rc != 0 && errno == EINTR);
	return rc;
}

int io_lock_try(int fd, bool exclusive)
{
	if (set_lock(fd, exclusive ? F_WRLCK : F_RDLCK) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? 1 : -1;
}

int io_unlock(int fd)
{
	return set_lock(fd, F_UNLCK);
}

int io_flock(int fd, unsigned int wait_ms)
{
	const int64_t until = clock_mono_ns() + (int64_t)wait_ms * 1000000;
	long pause_ns = 100000;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (clock_mono_ns() >= until)
			return 1;
		nanosleep(&(struct timespec){ 0, pause_ns }, NULL);
		if (pause_ns < 5000000)
			pause_ns *= 2;
	}
	return 0;
}

long io_flock_holder(int fd)
{
	FILE *locks = fopen("/proc/locks", "re");
	unsigned long inode;
	long found = 0, pid;
	struct stat st;
	char line[200];

	/* "1: FLOCK  ADVISORY  WRITE 1234 fd:00:5678 0 EOF" */
	while (locks && fstat(fd, &st) == 0 && found == 0 && fgets(line, sizeof(line), locks)) {
		if (sscanf(line, "%*d: FLOCK %*s WRITE %ld %*x:%*x:%lu", &pid, &inode) == 2 &&
			inode == st.st_ino)
			found = pid;
	}
	if (locks)
		fclose(locks);
	return found > 0 ? found : 0;
}

int io_lock_held(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_GETLK, &lock) != 0)
		return -1;
	return lock.l_type != F_UNLCK;
}
