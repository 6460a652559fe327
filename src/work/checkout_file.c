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
#include "base/owner.h"
#include "base/quote.h"
#include "work/checkout_internal.h"
#include "work/leftover.h"

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

int checkout_read_chunk(struct odb_reader *r, const struct seq_row *row, struct buf *out,
	struct store_error *err)
{
	char hex[13];
	int rc;

	if (row->len > LIMIT_OBJECT)
		return store_error_set(err, STORE_ECORRUPT, "chunk %s cannot be so long",
			id_short(hex, &row->id));
	rc = odb_read(r, &row->id, out, err);
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_ECORRUPT,
			"chunk %s is missing (run 'store fsck')", id_short(hex, &row->id));
	if (rc == 0 && out->len != row->len)
		return store_error_set(err, STORE_ECORRUPT,
			"chunk %s has %zu bytes, and its row says %llu", id_short(hex, &row->id),
			out->len, (unsigned long long)row->len);
	return rc;
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

int checkout_place_mkdir(struct checkout_place *p, const char *path, size_t len,
	struct store_error *err)
{
	const char *name;
	bool moved;

	if (checkout_place_open(p, path, len, &name, &moved) != 0)
		return checkout_fail("open the directory of", path, err);
	if (mkdirat(p->fd, name, 0777) == 0) {
		owner_give_name(p->fd, name);
		return 0;
	}
	if (errno == EEXIST) {
		struct worktree_entry e;
		const int rc = worktree_stat(p->fd, name, &e, err);

		if (rc != 0 || e.kind == ENTRY_DIR)
			return rc;
		return store_error_set(err, STORE_ECONFLICT,
			"'%s' must be a directory, and something else stands there", path);
	}
	return checkout_fail("create the directory", path, err);
}

void checkout_place_allow(struct checkout_place *p, const char *path, size_t len)
{
	const char *name;
	struct stat st;
	bool moved;

	if (checkout_place_open(p, path, len, &name, &moved) == 0 &&
		fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
		(st.st_mode & 0700) != 0700)
		(void)fchmodat(p->fd, name, (st.st_mode & 07777) | 0700, AT_SYMLINK_NOFOLLOW);
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
	if (f->owns_dir)
		io_close(&f->dirfd);
	f->dirfd = -1;
	f->owns_dir = false;
}

void checkout_file_release(struct checkout_file *f)
{
	drop(f);
	buf_release(&f->bytes);
}

/* Take the action over.  The directory is the place's, which stays there until the file is done. */
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
	f->dirfd = p->fd;
	f->end = 0;
	f->tmp[0] = '\0';
	if (!f->c->straight)
		snprintf(f->tmp, sizeof(f->tmp), LEFTOVER_PREFIX "%s-%llx", f->c->run + 2,
			(unsigned long long)__atomic_fetch_add(&next_tmp, 1, __ATOMIC_RELAXED));
	return 0;
}

int checkout_file_begin(struct checkout_file *f, struct checkout_place *p,
	const struct checkout_action *a, struct store_error *err)
{
	mode_t mode;
	int rc = take(f, p, a, err);

	if (rc != 0)
		return rc;
	/* What will have fewer rights must not have more while it is written. */
	mode = checkout_meta_has(f->c, a->row.meta, a->row.meta_len) ? 0600
		: a->row.kind == ENTRY_EXEC                          ? 0777
								     : 0666;
	f->fd = FAULT("checkout.write")
		? -1
		: openat(f->dirfd, f->tmp[0] ? f->tmp : f->name,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (f->fd == -1)
		return checkout_fail("create", a->path, err);
	owner_give(f->dirfd, f->fd);
	f->exists = true;
	return 0;
}

bool checkout_is_zero(const struct buf *b)
{
	return b->len > 0 && b->data[0] == 0 && memcmp(b->data, b->data + 1, b->len - 1) == 0;
}

int checkout_file_put(struct checkout_file *f, const struct buf *chunk, uint64_t repeat,
	uint64_t off, struct store_error *err)
{
	if (checkout_is_zero(chunk))
		return 0;
	for (uint64_t i = 0; i < repeat; i++) {
		if (io_pwrite_full(f->fd, chunk->data, chunk->len, off + i * chunk->len) != 0)
			return checkout_fail("write", f->action.path, err);
		f->end = off + (i + 1) * chunk->len;
	}
	return 0;
}

int checkout_file_own_dir(struct checkout_file *f, struct store_error *err)
{
	const int fd = fcntl(f->dirfd, F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		return checkout_fail("open the directory of", f->action.path, err);
	f->dirfd = fd;
	f->owns_dir = true;
	return 0;
}

int checkout_rename_new(int from_fd, const char *from, int to_fd, const char *to)
{
	struct stat st;

	if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system that cannot promise it: look, then rename. */
	if (fstatat(to_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(from_fd, from, to_fd, to);
}

static int give_name(struct checkout_file *f, struct store_error *err)
{
	char shown[300];
	int rc = 0;

	if (!f->tmp[0]) {
		f->exists = false;
		return 0;
	}
	if (f->c->in_place && (f->action.flags & CHECKOUT_REPLACE))
		rc = checkout_check_same(f->dirfd, f->name, &f->action, err);
	if (rc != 0)
		return rc;
	rc = FAULT("checkout.rename") ? -1
		: f->action.flags & CHECKOUT_REPLACE
		? renameat(f->dirfd, f->tmp, f->dirfd, f->name)
		: checkout_rename_new(f->dirfd, f->tmp, f->dirfd, f->name);
	if (rc != 0 && errno == EEXIST)
		return store_error_set(err, STORE_ECONFLICT,
			"'%s' appeared while it was to be written: move it away and run the command again",
			quote_msg(shown, sizeof(shown), f->action.path, f->action.len));
	if (rc != 0)
		return checkout_fail("give its name to", f->action.path, err);
	f->exists = false;
	return 0;
}

int checkout_file_finish(struct checkout_file *f, struct odb_reader *reader,
	struct stage_stat *stat, struct store_error *err)
{
	const uint64_t size = f->action.row.ref.size;
	struct worktree_entry e = { 0 };
	int rc;

	/* Zeros at the end, or a last block that was filled up: most files have neither. */
	if (size > INT64_MAX || (f->end != size && ftruncate(f->fd, (off_t)size) != 0))
		return checkout_fail("write", f->action.path, err);
	rc = checkout_meta_file(f->c, reader, f->fd, &f->action, err);
	if (rc == 0)
		rc = give_name(f, err);
	/* Only the stage wants to know. */
	if (rc == 0 && f->c->in_place)
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
	const struct checkout_action *a, const struct buf *target, struct odb_reader *reader,
	struct stage_stat *stat, struct store_error *err)
{
	struct worktree_entry e;
	int rc = take(f, p, a, err);

	if (rc != 0)
		return rc;
	if (symlinkat((const char *)target->data, f->dirfd, f->tmp[0] ? f->tmp : f->name) != 0)
		return checkout_fail("create the symbolic link", a->path, err);
	owner_give_name(f->dirfd, f->tmp[0] ? f->tmp : f->name);
	f->exists = true;
	rc = checkout_meta_link(f->c, reader, f->dirfd, f->tmp[0] ? f->tmp : f->name, a, err);
	if (rc == 0)
		rc = give_name(f, err);
	if (rc == 0)
		rc = worktree_stat(f->dirfd, f->name, &e, err);
	if (rc == 0)
		*stat = e.stat;
	drop(f);
	return rc;
}
