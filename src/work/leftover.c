/*
 * A checkout that replaces a file writes the new one beside it, under a name that says which run it
 * belongs to, and holds a locked file of the same run in tmp/ while it lives. The kernel drops the
 * lock with the process, so a temporary whose lock nobody holds belongs to nobody.
 *
 * The mark of an unfinished `--to` is not swept: the same command needs it.
 */
#include "work/leftover.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

void leftover_sweep(int dirfd, int tmp_fd, const char *own)
{
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
		TRACE(TRACE_WALK, "swept=%s", e->d_name);
		unlinkat(dirfd, e->d_name, 0);
	}
	closedir(dir);
}
