/*
 * Listing directories of the working tree.
 *
 * Names come from getdents64 in whatever order the file system has, go into one run of bytes, and
 * are sorted through an array of
 * offsets: a directory of a million names costs some 20 MB, nothing of it per entry on the heap.
 * Attributes are read when an entry is reached, by descriptor and without following symlinks, so a
 * name can never lead out of the tree.
 */
#include "work/worktree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/quote.h"
#include "base/trace.h"
#include "data/limits.h"
#include "work/leftover.h"

bool worktree_is_absent(int sys)
{
	return sys == ENOENT || sys == ENOTDIR;
}

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

static int fail(const char *what, const char *name, struct store_error *err)
{
	char shown[300];
	const int saved = errno;

	quote_msg(shown, sizeof(shown), name, strlen(name));
	errno = saved;
	return store_error_sys(err, "cannot %s '%s'", what, shown);
}

static int open_dir(int dirfd, const char *path)
{
	return io_open_beneath(dirfd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

int worktree_dir_open(struct worktree_dir *d, int dirfd, const char *path, struct store_error *err)
{
	struct stat st;
	int rc;

	memset(d, 0, sizeof(*d));
	d->fd = open_dir(dirfd, path);
	if (d->fd == -1)
		return fail("open", path, err);
	if (fstat(d->fd, &st) != 0)
		return fail("look at", path, err);
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	rc = listing_read(&d->names, d->fd) == 0 ? 0 : fail("list", path, err);
	TRACE(TRACE_WALK, "list=%s names=%zu rc=%d", path, d->names.count, rc);
	return rc;
}

void worktree_dir_close(struct worktree_dir *d)
{
	/*
	 * All zero means that nothing was opened; a listed directory never has descriptor 0 without
	 * an inode.
	 */
	if (d->fd > 0 || d->ino != 0)
		io_close(&d->fd);
	listing_release(&d->names);
	memset(d, 0, sizeof(*d));
	d->fd = -1;
}

int worktree_dir_ready(struct worktree_dir *d, struct store_error *err)
{
	if (listing_peek(&d->names) || !d->names.more)
		return 0;
	if (listing_read(&d->names, d->fd) != 0)
		return store_error_sys(err, "cannot list a directory to its end");
	TRACE(TRACE_WALK, "list-again=%s names=%zu", (const char *)d->names.behind.data,
		d->names.count);
	return 0;
}

const char *worktree_dir_peek(const struct worktree_dir *d)
{
	return listing_peek(&d->names);
}

/* So small that the deepest walk may keep all of them. */
bool worktree_dir_is_small(const struct worktree_dir *d)
{
	return d->names.held <= worktree_names_max() / 2 / LIMIT_DEPTH;
}

size_t worktree_names_max(void)
{
	return listing_window() / 3 * 8;
}

void worktree_dir_drop(struct worktree_dir *d)
{
	listing_drop(&d->names);
}

static uint8_t kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return mode & S_IXUSR ? ENTRY_EXEC : ENTRY_FILE;
	case S_IFDIR:
		return ENTRY_DIR;
	case S_IFLNK:
		return ENTRY_LINK;
	default:
		return ENTRY_NONE;
	}
}

static void fill(struct worktree_entry *e, const struct stat *st, int64_t clock_ns)
{
	e->kind = kind_of(st->st_mode);
	if (e->kind == ENTRY_NONE)
		e->flags |= WORKTREE_SPECIAL;
	e->dev = st->st_dev;
	e->uid = st->st_uid;
	e->gid = st->st_gid;
	e->is_shared = st->st_nlink > 1;
	e->blocks = (uint64_t)st->st_blocks;
	e->stat = (struct stage_stat){ .size = (uint64_t)st->st_size,
		.mtime_ns = clock_ns_of(st->st_mtim),
		.ctime_ns = clock_ns_of(st->st_ctim),
		.ino = st->st_ino,
		.mode = st->st_mode,
		.clock_ns = clock_ns };
}

static void name_entry(struct worktree_entry *e, const char *name)
{
	memset(e, 0, sizeof(*e));
	e->name = name;
	e->len = strlen(name);
	if (e->len > LIMIT_NAME)
		e->flags |= WORKTREE_LIMIT;
}

int worktree_stat(int dirfd, const char *name, struct worktree_entry *e, struct store_error *err)
{
	const int64_t clock_ns = clock_coarse_ns();
	struct stat st;

	name_entry(e, name);
	if (FAULT("stat") || fstatat(dirfd, *name ? name : ".", &st, AT_SYMLINK_NOFOLLOW) != 0)
		return fail("look at", name, err);
	fill(e, &st, clock_ns);
	return 0;
}

int worktree_fstat(int fd, struct worktree_entry *e, struct store_error *err)
{
	const int64_t clock_ns = clock_coarse_ns();
	struct stat st;

	memset(e, 0, sizeof(*e));
	e->name = "";
	if (FAULT("stat") || fstat(fd, &st) != 0)
		return store_error_sys(err, "cannot look at an open file");
	fill(e, &st, clock_ns);
	return 0;
}

int worktree_dir_next(struct worktree_dir *d, struct worktree_entry *e, struct store_error *err)
{
	for (;;) {
		struct store_error why = { 0 };
		const char *name;
		int rc;

		name_entry(e, "");
		rc = worktree_dir_ready(d, err);
		if (rc != 0)
			return rc;
		name = worktree_dir_peek(d);
		if (!name)
			return STORE_ENOTFOUND;
		d->names.next++;
		rc = worktree_stat(d->fd, name, e, &why);
		if (rc != 0 && worktree_is_absent(why.sys))
			continue;
		if (rc != 0 && err)
			*err = why;
		return rc;
	}
}

void worktree_dir_suspend(struct worktree_dir *d)
{
	if (d->ino != 0)
		io_close(&d->fd);
}

int worktree_dir_resume(struct worktree_dir *d, int rootfd, const char *path,
	struct store_error *err)
{
	struct stat st;

	if (d->ino == 0 || d->fd != -1)
		return 0;
	d->fd = open_dir(rootfd, path);
	if (d->fd != -1 && fstat(d->fd, &st) == 0 && st.st_dev == d->dev && st.st_ino == d->ino)
		return 0;
	if (d->fd != -1) {
		io_close(&d->fd);
		errno = ENOENT;
	}
	return fail("open", path, err);
}

int worktree_find(int rootfd, const char *path, struct worktree_entry *e, struct store_error *err)
{
	const char *slash = strrchr(path, '/');
	char *parent;
	int fd, rc;

	if (!slash)
		return worktree_stat(rootfd, path, e, err);
	parent = strndup(path, (size_t)(slash - path));
	if (!parent)
		return out_of_memory(err);
	fd = io_open_beneath(rootfd, parent, O_PATH | O_DIRECTORY, 0);
	if (fd == -1) {
		const bool is_link = errno == ELOOP;

		rc = fail("open", parent, err);
		if (is_link)
			rc = store_error_wrap(err, STORE_EINVAL, "a symbolic link is on the way");
	} else {
		rc = worktree_stat(fd, slash + 1, e, err);
	}
	io_close(&fd);
	free(parent);
	return rc;
}

int worktree_is_border(int dirfd, const char *path, bool *border, struct store_error *err)
{
	char format[LIMIT_PATH + sizeof("/.store/format")];
	struct stat st;
	int fd;

	*border = false;
	if (strlen(path) > LIMIT_PATH)
		return 0;
	snprintf(format, sizeof(format), "%s/.store/format", path);
	fd = FAULT("border") ? -1 : io_open_beneath(dirfd, format, O_PATH | O_NOFOLLOW, 0);
	*border = fd != -1 || (errno == ELOOP && fstatat(dirfd, format, &st, 0) == 0);
	if (*border || worktree_is_absent(errno)) {
		io_close(&fd);
		return 0;
	}
	return fail("look into", path, err);
}

int worktree_readlink(int dirfd, const char *name, struct buf *out, struct store_error *err)
{
	size_t want = 256;

	buf_clear(out);
	for (;;) {
		ssize_t n;

		if (buf_reserve(out, want) != 0)
			return out_of_memory(err);
		n = FAULT("readlink") ? -1 : readlinkat(dirfd, name, (char *)out->data, out->cap);
		if (n < 0)
			return fail("read", name, err);
		/* Full to the brim may mean cut off. */
		if ((size_t)n < out->cap) {
			out->len = (size_t)n;
			return 0;
		}
		want = out->cap + 1;
	}
}
