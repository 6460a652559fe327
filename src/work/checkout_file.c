/*
 * One file of a checkout on its way to the disk.
 *
 * It is written under the name of a temporary beside it, and renamed when it is whole and has its
 * attributes: whoever looks sees the old content or the new, and a crash leaves only a temporary,
 * which the next checkout that comes into that directory removes. In a folder that was empty before
 * (`--to`) nobody can look for something else under the name, so there files go straight to it.
 * Straight names in new directories of the working tree were tried and dropped: half a file that a
 * crash left there is told from a file of the user by nothing, and the same command run again would
 * have to refuse.
 *
 * The attributes that the stage remembers are read through the open descriptor after the rename,
 * which changes ctime.
 *
 * Zeros are not written: a chunk of zeros leaves a hole, and the size is set at the end.
 *
 * Threads: one checkout_file and one checkout_place belong to one thread at a time; the counter of
 * temporaries is atomic. Fault points: checkout.write (before a file), checkout.rename (between its
 * content and its name).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/quote.h"
#include "work/checkout_internal.h"

#define TMP_PREFIX ".store-tmp-"

static uint64_t next_tmp; /* atomic */

int checkout_no_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

int checkout_fail(const char *what, const char *path, struct store_error *err)
{
	const int saved = errno;
	char shown[300];

	quote_msg(shown, sizeof(shown), path, strlen(path));
	errno = saved;
	return store_error_sys(err, "cannot %s '%s'", what, shown);
}

/* ---- places */

void checkout_place_init(struct checkout_place *p, int root_fd)
{
	memset(p, 0, sizeof(*p));
	p->root_fd = root_fd;
	p->fd = -1;
}

void checkout_place_release(struct checkout_place *p)
{
	io_close(&p->fd);
	buf_release(&p->path);
}

void checkout_place_forget(struct checkout_place *p)
{
	io_close(&p->fd);
	p->is_set = false;
}

int checkout_place_open(struct checkout_place *p, const char *path, size_t len, const char **name,
	bool *moved)
{
	const char *slash = memrchr(path, '/', len);
	const size_t n = slash ? (size_t)(slash - path) : 0;

	*name = slash ? slash + 1 : path;
	*moved = !p->is_set || n != p->path.len || (n > 0 && memcmp(p->path.data, path, n) != 0);
	if (!*moved)
		return 0;
	checkout_place_forget(p);
	if (buf_set(&p->path, path, n) != 0 || !buf_str(&p->path)) {
		errno = ENOMEM;
		return -1;
	}
	p->fd = io_open_beneath(p->root_fd, n > 0 ? (const char *)p->path.data : ".",
		O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	p->is_set = p->fd != -1;
	return p->is_set ? 0 : -1;
}

void checkout_file_sweep(const struct checkout *c, int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir) {
		io_close(&fd);
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		const char *run = e->d_name + strlen(TMP_PREFIX);

		if (strncmp(e->d_name, TMP_PREFIX, strlen(TMP_PREFIX)) == 0 &&
			strncmp(run, c->run, strlen(c->run)) != 0)
			unlinkat(dirfd, e->d_name, 0);
	}
	closedir(dir);
}

/* ---- files */

void checkout_file_init(struct checkout_file *f, const struct checkout *c)
{
	memset(f, 0, sizeof(*f));
	f->c = c;
	f->fd = f->dirfd = -1;
}

/* Forget the file, and what there is of it when it did not come to its end. */
static void drop(struct checkout_file *f)
{
	io_close(&f->fd);
	if (f->exists)
		unlinkat(f->dirfd, f->tmp[0] ? f->tmp : f->name, 0);
	f->exists = false;
	io_close(&f->dirfd);
}

void checkout_file_release(struct checkout_file *f)
{
	drop(f);
	buf_release(&f->bytes);
}

/*
 * Take the action over, and a descriptor of the directory of its own: the place may move on before
 * the file is done.
 */
static int take(struct checkout_file *f, struct checkout_place *p, const struct checkout_action *a,
	struct store_error *err)
{
	bool moved;
	int rc;

	drop(f);
	buf_clear(&f->bytes);
	rc = checkout_action_encode(&f->bytes, a, err);
	if (rc == 0)
		rc = checkout_action_decode(&f->action, f->bytes.data, f->bytes.len, err);
	if (rc != 0)
		return rc;
	if (checkout_place_open(p, f->action.path, f->action.len, &f->name, &moved) != 0)
		return checkout_fail("open the directory of", a->path, err);
	f->dirfd = fcntl(p->fd, F_DUPFD_CLOEXEC, 0);
	if (f->dirfd == -1)
		return checkout_fail("open the directory of", a->path, err);
	f->tmp[0] = '\0';
	if (!f->c->straight)
		snprintf(f->tmp, sizeof(f->tmp), TMP_PREFIX "%s-%llx", f->c->run,
			(unsigned long long)__atomic_fetch_add(&next_tmp, 1, __ATOMIC_RELAXED));
	return 0;
}

static bool has_record(const struct checkout_file *f, struct meta *m)
{
	struct span s = span_of(f->action.row.meta, f->action.row.meta_len);

	return f->c->recorded && f->action.row.meta_len > 0 && meta_decode(&s, m) == 0 &&
		(m->flags & META_ATTRS);
}

int checkout_file_begin(struct checkout_file *f, struct checkout_place *p,
	const struct checkout_action *a, struct store_error *err)
{
	struct meta m;
	mode_t mode;
	int rc = take(f, p, a, err);

	if (rc != 0)
		return rc;
	/* What will have fewer rights must not have more while it is written. */
	mode = has_record(f, &m) ? 0600 : a->row.kind == ENTRY_EXEC ? 0777 : 0666;
	f->fd = FAULT("checkout.write")
		? -1
		: openat(f->dirfd, f->tmp[0] ? f->tmp : f->name,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (f->fd == -1)
		return checkout_fail("create", a->path, err);
	f->exists = true;
	return 0;
}

static bool is_zero(const struct buf *b)
{
	return b->len > 0 && b->data[0] == 0 && memcmp(b->data, b->data + 1, b->len - 1) == 0;
}

int checkout_file_put(struct checkout_file *f, const struct buf *chunk, uint64_t repeat,
	uint64_t off, struct store_error *err)
{
	if (is_zero(chunk))
		return 0;
	for (uint64_t i = 0; i < repeat; i++) {
		if (io_pwrite_full(f->fd, chunk->data, chunk->len, off + i * chunk->len) != 0)
			return checkout_fail("write", f->action.path, err);
	}
	return 0;
}

static struct timespec time_of(const struct meta *m)
{
	return (struct timespec){ .tv_sec = m->mtime_sec, .tv_nsec = m->mtime_nsec };
}

/* Owner before mode: giving a file away takes setuid off. */
static int dress(const struct checkout *c, int fd, const struct meta *m)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, time_of(m) };

	if (c->all_recorded && (m->flags & META_OWNER) && fchown(fd, m->uid, m->gid) != 0)
		return -1;
	if (fchmod(fd, m->mode & (c->all_recorded ? 07777 : 0777)) != 0)
		return -1;
	return futimens(fd, times);
}

static int rename_new(int dirfd, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system that cannot promise it: look, then rename. */
	if (fstatat(dirfd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(dirfd, from, dirfd, to);
}

static int give_name(struct checkout_file *f, struct store_error *err)
{
	char shown[300];
	int rc;

	if (!f->tmp[0]) {
		f->exists = false;
		return 0;
	}
	rc = FAULT("checkout.rename")                ? -1
		: f->action.flags & CHECKOUT_REPLACE ? renameat(f->dirfd, f->tmp, f->dirfd, f->name)
						     : rename_new(f->dirfd, f->tmp, f->name);
	if (rc != 0 && errno == EEXIST)
		return store_error_set(err, STORE_ECONFLICT,
			"'%s' appeared while it was to be written: move it away and run the command again",
			quote_msg(shown, sizeof(shown), f->action.path, f->action.len));
	if (rc != 0)
		return checkout_fail("give its name to", f->action.path, err);
	f->exists = false;
	return 0;
}

int checkout_file_finish(struct checkout_file *f, struct stage_stat *stat, struct store_error *err)
{
	struct worktree_entry e;
	struct meta m;
	int rc;

	if (f->action.row.ref.size > INT64_MAX ||
		ftruncate(f->fd, (off_t)f->action.row.ref.size) != 0)
		return checkout_fail("write", f->action.path, err);
	if (has_record(f, &m) && dress(f->c, f->fd, &m) != 0)
		return checkout_fail("set the attributes of", f->action.path, err);
	rc = give_name(f, err);
	if (rc == 0)
		rc = worktree_fstat(f->fd, &e, err);
	if (rc != 0)
		return rc;
	*stat = e.stat;
	if (io_close(&f->fd) != 0)
		return checkout_fail("write", f->action.path, err);
	drop(f);
	return 0;
}

int checkout_file_link(struct checkout_file *f, struct checkout_place *p,
	const struct checkout_action *a, const struct buf *target, struct stage_stat *stat,
	struct store_error *err)
{
	struct worktree_entry e;
	struct meta m;
	int rc = take(f, p, a, err);

	if (rc != 0)
		return rc;
	if (symlinkat((const char *)target->data, f->dirfd, f->tmp[0] ? f->tmp : f->name) != 0)
		return checkout_fail("create the symbolic link", a->path, err);
	f->exists = true;
	if (has_record(f, &m)) {
		const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, time_of(&m) };
		const char *at = f->tmp[0] ? f->tmp : f->name;

		if ((f->c->all_recorded && (m.flags & META_OWNER) &&
			    fchownat(f->dirfd, at, m.uid, m.gid, AT_SYMLINK_NOFOLLOW) != 0) ||
			utimensat(f->dirfd, at, times, AT_SYMLINK_NOFOLLOW) != 0)
			return checkout_fail("set the attributes of", a->path, err);
	}
	rc = give_name(f, err);
	if (rc == 0)
		rc = worktree_stat(f->dirfd, f->name, &e, err);
	if (rc == 0)
		*stat = e.stat;
	drop(f);
	return rc;
}

int checkout_file_dress_dir(const struct checkout *c, const char *path, const void *meta,
	size_t meta_len, struct store_error *err)
{
	struct span s = span_of(meta, meta_len);
	struct meta m;
	int fd, rc = 0;

	if (meta_len == 0 || meta_decode(&s, &m) != 0 || !(m.flags & META_ATTRS))
		return 0;
	fd = io_open_beneath(c->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	/* In place a directory that the user took away stays away. */
	if (fd == -1 && c->in_place && (worktree_is_absent(errno) || errno == ELOOP))
		return 0;
	if (fd == -1)
		return checkout_fail("open", path, err);
	if (dress(c, fd, &m) != 0)
		rc = checkout_fail("set the attributes of", path, err);
	io_close(&fd);
	return rc;
}
