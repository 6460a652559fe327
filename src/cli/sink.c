/*
 * The file that -o names.  The bytes go to a temporary name beside it, which is renamed at the end:
 * the file is there whole, or as it was.
 */
#include "cli/sink.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int sink_write(struct cli *cli, struct sink *sink, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(sink->fd, data, len);

		if (n < 0 && errno == EINTR && !cli_signal())
			continue;
		if (n < 0)
			return cli_fail(cli, errno == ENOSPC ? STORE_ENOSPACE : STORE_EIO, errno,
				"cannot write '%s': %s",
				sink->tmp.data ? sink->tmp.data : "the output", strerror(errno));
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A temporary name beside path, made with the permissions that path has or would get. */
static int open_beside(struct cli *cli, struct sink *sink, const char *path, const struct stat *st)
{
	const char *slash = strrchr(path, '/');
	mode_t mode;

	line_string(&sink->path, path);
	line_add(&sink->tmp, path, slash ? (size_t)(slash - path) + 1 : 0);
	line_string(&sink->tmp, ".store-out.XXXXXX");
	sink->fd = mkostemp(sink->tmp.data, O_CLOEXEC);
	if (sink->fd == -1) {
		int saved = errno;

		line_clear(&sink->tmp);
		return cli_fail(cli, STORE_EIO, saved, "cannot create a file beside '%s': %s", path,
			strerror(saved));
	}
	mode = umask(0);
	umask(mode);
	mode = st ? st->st_mode & 07777 : 0666 & ~mode;
	if (fchmod(sink->fd, mode) != 0)
		return cli_fail(cli, STORE_EIO, errno, "cannot set the mode of '%s': %s",
			sink->tmp.data, strerror(errno));
	return 0;
}

int sink_open(struct cli *cli, struct sink *sink, const char *path)
{
	char *real = NULL;
	struct stat st;
	bool exists;
	int rc = 0;

	sink->fd = -1;
	exists = stat(path, &st) == 0;
	if (exists && S_ISDIR(st.st_mode))
		return cli_fail(cli, STORE_EINVAL, EISDIR, "cannot write '%s': it is a directory",
			path);
	if (exists && !S_ISREG(st.st_mode)) {
		sink->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		if (sink->fd == -1)
			return cli_fail(cli, STORE_EIO, errno, "cannot open '%s': %s", path,
				strerror(errno));
		return 0;
	}
	if (exists)
		real = realpath(path, NULL);
	rc = open_beside(cli, sink, real ? real : path, exists ? &st : NULL);
	free(real);
	return rc;
}

int sink_close(struct cli *cli, struct sink *sink, int rc)
{
	if (rc == 0 && sink->tmp.len && fdatasync(sink->fd) != 0)
		rc = cli_fail(cli, STORE_EIO, errno, "cannot write '%s': %s", sink->path.data,
			strerror(errno));
	if (sink->fd != -1 && close(sink->fd) != 0 && rc == 0)
		rc = cli_fail(cli, STORE_EIO, errno, "cannot write the output: %s",
			strerror(errno));
	if (rc == 0 && sink->tmp.len && rename(sink->tmp.data, sink->path.data) != 0)
		rc = cli_fail(cli, STORE_EIO, errno, "cannot rename to '%s': %s", sink->path.data,
			strerror(errno));
	if (rc != 0 && sink->tmp.len)
		unlink(sink->tmp.data);
	line_release(&sink->path);
	line_release(&sink->tmp);
	return rc;
}
