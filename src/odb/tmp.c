/*
 * A name in tmp/ must never exist unlocked while its owner lives, or a sweep could take it. So the
 * file is made nameless (O_TMPFILE), locked, and then linked. Where the file system has no
 * O_TMPFILE the name comes first; whoever swept it meanwhile leaves a file without links, which is
 * noticed after locking, and another is made.
 */
#include "odb/tmp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/owner.h"
#include "base/trace.h"
#include "data/hash.h"

static int random_name(char kind, char name[TMP_NAME], struct store_error *err)
{
	uint8_t bits[16];
	int rc = hash_random(bits, err);

	if (rc != 0)
		return rc;
	name[0] = kind;
	name[1] = '-';
	for (size_t i = 0; i < sizeof(bits); i++)
		snprintf(name + 2 + 2 * i, 3, "%02x", bits[i]);
	return 0;
}

static int create_nameless(int dirfd, const char *name)
{
	char self[64];
	int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (io_lock_try(fd, true) != 0 ||
		linkat(AT_FDCWD, self, dirfd, name, AT_SYMLINK_FOLLOW) != 0) {
		io_close(&fd);
		return -1;
	}
	return fd;
}

static int create_named(int dirfd, const char *name)
{
	for (int tries = 0; tries < 16; tries++) {
		struct stat st;
		int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd == -1)
			return -1;
		if (io_lock_try(fd, true) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
			return fd;
		io_close(&fd);
	}
	errno = EBUSY;
	return -1;
}

int tmp_create(int dirfd, char kind, char name[TMP_NAME], int *fd, struct store_error *err)
{
	int rc = random_name(kind, name, err);

	*fd = -1;
	if (rc != 0)
		return rc;
	if (FAULT("tmp.create"))
		return store_error_sys(err, "cannot create 'tmp/%s'", name);
	*fd = create_nameless(dirfd, name);
	if (*fd == -1 && errno != ENOSPC && errno != EDQUOT)
		*fd = create_named(dirfd, name);
	if (*fd == -1)
		return store_error_sys(err, "cannot create 'tmp/%s'", name);
	owner_give(dirfd, *fd);
	return 0;
}

static void sweep_one(int dirfd, const char *name)
{
	struct stat a, b;
	int fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd == -1)
		return;
	/*
	 * The name may have moved on to packs/ between open and lock: delete only what still bears
	 * it.
	 */
	if (io_lock_try(fd, true) == 0 && fstat(fd, &a) == 0 &&
		fstatat(dirfd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
		a.st_dev == b.st_dev) {
		TRACE(TRACE_LOCK, "swept=tmp/%s", name);
		unlinkat(dirfd, name, 0);
	}
	io_close(&fd);
}

int tmp_sweep(int dirfd, struct store_error *err)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		const int rc = store_error_sys(err, "cannot list 'tmp'");

		io_close(&fd);
		return rc;
	}
	while ((d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			sweep_one(dirfd, d->d_name);
	}
	closedir(dir);
	return 0;
}

bool tmp_is_held(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool held;

	/* What cannot be looked at is not dead for that; what is no file was never a writer's. */
	if (fd == -1)
		return errno != ENOENT && errno != ELOOP && errno != EISDIR;
	held = io_lock_held(fd) != 0;
	io_close(&fd);
	return held;
}
