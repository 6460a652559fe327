/*
 * A checkout that replaces a file writes the new one beside it, under a name that says which run it
 * belongs to, and holds a locked file of the same run in tmp/ while it lives. The kernel drops the
 * lock with the process, so a temporary whose lock nobody holds belongs to nobody.
 *
 * The mark of an unfinished `--to` is not swept: the same command needs it.
 */
#include "work/leftover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/trace.h"
#include "odb/tmp.h"

#define HEX "0123456789abcdef"
#define RUN_LEN 32

static bool is_temporary(const char *name)
{
	const char *run = name + strlen(LEFTOVER_PREFIX);
	size_t n;

	if (strncmp(name, LEFTOVER_PREFIX, strlen(LEFTOVER_PREFIX)) != 0 ||
		strspn(run, HEX) != RUN_LEN || run[RUN_LEN] != '-')
		return false;
	n = strspn(run + RUN_LEN + 1, HEX);
	return n > 0 && n <= 16 && run[RUN_LEN + 1 + n] == '\0';
}

bool leftover_is(const char *name)
{
	return name[0] == '.' && (is_temporary(name) || strcmp(name, LEFTOVER_TO) == 0);
}

/* Is the folder dirfd marked by a checkout that runs, and is not the one that asks? */
static bool is_marked(int dirfd, int own_mark)
{
	struct stat st, own;
	int fd = openat(dirfd, LEFTOVER_TO, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool held;

	/* What cannot be looked at is not dead for that. */
	if (fd == -1)
		return errno == EACCES;
	held = io_lock_held(fd) != 0;
	if (held && own_mark != -1 && fstat(fd, &st) == 0 && fstat(own_mark, &own) == 0)
		held = st.st_ino != own.st_ino || st.st_dev != own.st_dev;
	io_close(&fd);
	return held;
}

/* Does another checkout write into a folder that this one is, or lies in? Asked up to the root. */
static bool is_written(int dirfd, int own_mark)
{
	struct stat at, above;
	int fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool written = false;

	while (fd != -1 && !(written = is_marked(fd, own_mark)) && fstat(fd, &at) == 0) {
		int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		io_close(&fd);
		fd = up;
		if (fd != -1 && fstat(fd, &above) == 0 && above.st_ino == at.st_ino &&
			above.st_dev == at.st_dev)
			break;
	}
	io_close(&fd);
	return written;
}

void leftover_sweep(int dirfd, int tmp_fd, const char *own, int own_mark)
{
	bool has_asked = false;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir) {
		io_close(&fd);
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		char held[TMP_NAME];

		if (!is_temporary(e->d_name))
			continue;
		snprintf(held, sizeof(held), "c-%.*s", RUN_LEN,
			e->d_name + strlen(LEFTOVER_PREFIX));
		if ((own && strcmp(own, held) == 0) || tmp_is_held(tmp_fd, held))
			continue;
		/* One answer for all: it names no run. */
		if (!has_asked && is_written(dirfd, own_mark))
			break;
		has_asked = true;
		TRACE(TRACE_WALK, "swept=%s", e->d_name);
		unlinkat(dirfd, e->d_name, 0);
	}
	closedir(dir);
}
