/*
 * Files: EINTR and short transfers end here; every name is opened beneath a directory descriptor.
 */
#ifndef STORE_BASE_IO_H
#define STORE_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct store_error;

/*
 * Read up to len bytes, fewer only at the end of the file.  Returns the bytes read or -1 with
 * errno.
 */
ssize_t io_read_full(int fd, void *data, size_t len);
ssize_t io_pread_full(int fd, void *data, size_t len, uint64_t off);
/* Write all of data.  Returns 0 or -1 with errno. */
int io_write_full(int fd, const void *data, size_t len);
int io_pwrite_full(int fd, const void *data, size_t len, uint64_t off);

/*
 * Open path (relative, bytes, NUL-terminated) below dirfd; no component may be a symlink, nothing
 * may leave dirfd.  openat2 where the kernel has it, else a walk by O_NOFOLLOW.  Returns a
 * descriptor (O_CLOEXEC) or -1 with errno: ELOOP for a symlink, EXDEV for an absolute path or any
 * "..".  Paths longer than PATH_MAX work.  O_PATH | O_NOFOLLOW opens a symlink at the end itself.
 */
int io_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/*
 * Whole file into out, refused above max bytes (STORE_EINVAL).  ENOENT gives STORE_ENOTFOUND.
 * Opened by io_open_beneath, so no symlinks; what is no regular file is STORE_EINVAL.
 */
int io_read_file(int dirfd, const char *name, size_t max, struct buf *out, struct store_error *err);

/*
 * Replace name in dirfd by data: temporary beside it, write, fsync, rename, fsync of dirfd.
 * After a crash the old or the new content stands there whole.  name and tmp are plain names; tmp
 * is the caller's alone (a lock, or a name nobody else makes): one that a crash left is removed.
 */
int io_replace(int dirfd, const char *name, const char *tmp, const void *data, size_t len,
	mode_t mode, struct store_error *err);

/*
 * The same with the mode and, where the system lets us, the owner of the file that is replaced;
 * 0666 under the umask when there is none.
 */
int io_replace_alike(int dirfd, const char *name, const char *tmp, const void *data, size_t len,
	struct store_error *err);

/* fsync that honours STORE_TEST_FSYNC=0.  Returns 0 or -1 with errno. */
int io_sync(int fd);
int io_datasync(int fd);
/* fsync of the folder in which path stands; one that may not be opened is left to the system. */
int io_sync_above(const char *path);

/* Close *fd if open, set it to -1.  Returns 0 or -1 with errno; never retried. */
int io_close(int *fd);

/*
 * Try an OFD lock on the whole file (exclusive: write lock).  0 = taken, 1 = held by another, -1 =
 * errno.
 */
int io_lock_try(int fd, bool exclusive);
int io_unlock(int fd);
/*
 * The lock of flock(2), alone, for folders, which an OFD lock cannot have; it ends with its
 * descriptor. Asked for again and again for wait_ms.  0 = taken, 1 = held by another all the while,
 * -1 = errno.
 */
int io_flock(int fd, unsigned int wait_ms);
/* Who holds that lock: a process number, or 0 when the system does not tell. */
long io_flock_holder(int fd);
/* 1 if another open file description holds a lock on fd, 0 if none, -1 with errno. */
int io_lock_held(int fd);

#endif
