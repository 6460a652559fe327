/*
 * Comparing the working tree with rows of the stage.
 *
 * The rule of attributes (compare.h) holds because a file that is changed after it was looked at
 * gets a ctime at or after the clock read before that look: with all attributes equal and older
 * than the clock by more than its grain, nothing was written since.
 *
 * Content is hashed at the stored lengths. A file that is changed in its first bytes is known after
 * its first chunk.
 */
#include "work/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/quote.h"
#include "base/trace.h"
#include "graph/seq.h"
#include "work/repo.h"
#include "work/xattr.h"

#define COMPARE_BUFFER (256u << 10)
#define GRAIN_LOCAL_NS 20000000
#define GRAIN_COARSE_NS 2000000000
#define MAGIC_CIFS 0xff534d42
#define MAGIC_EXFAT 0x2011bab0

/* Where time stamps are 2 s apart (FAT), or set by another machine's clock. */
static bool is_coarse(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return true;
	switch ((unsigned long)fs.f_type & 0xffffffff) {
	case MSDOS_SUPER_MAGIC:
	case MAGIC_EXFAT:
	case NFS_SUPER_MAGIC:
	case SMB_SUPER_MAGIC:
	case MAGIC_CIFS:
	case V9FS_MAGIC:
	case FUSE_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

static void find_grain(struct compare *c, int fd)
{
	struct stat st;

	c->grain_ns = is_coarse(fd) ? GRAIN_COARSE_NS : GRAIN_LOCAL_NS;
	if (fstat(fd, &st) == 0)
		c->dev = st.st_dev;
}

int compare_init(struct compare *c, struct store_repo *repo, const struct node_source *nodes,
	struct store_error *err)
{
	memset(c, 0, sizeof(*c));
	c->nodes = nodes ? *nodes : repo_nodes(repo);
	find_grain(c, repo->work_fd);
	c->trust_ctime = repo->trust_ctime;
	c->has_modes = repo->metadata != METADATA_NONE;
	c->hash = hash_new();
	c->data = malloc(COMPARE_BUFFER);
	if (!c->hash || !c->data)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	return 0;
}

void compare_release(struct compare *c)
{
	hash_free(c->hash);
	free(c->data);
	buf_release(&c->list);
	memset(c, 0, sizeof(*c));
}

bool compare_is_fresh(const struct compare *c, const struct stage_row *row,
	const struct worktree_entry *e)
{
	const struct stage_stat *was = &row->stat, *is = &e->stat;
	const int64_t grain_ns = e->dev == c->dev ? c->grain_ns : GRAIN_COARSE_NS;
	int64_t last = is->mtime_ns;

	if (was->clock_ns == 0 || row->kind != e->kind)
		return false;
	if (was->size != is->size || was->mtime_ns != is->mtime_ns || was->ino != is->ino ||
		((was->mode ^ is->mode) & 07777) != 0)
		return false;
	if (c->trust_ctime && was->ctime_ns != is->ctime_ns)
		return false;
	if (c->trust_ctime && is->ctime_ns > last)
		last = is->ctime_ns;
	return last <= INT64_MAX - grain_ns && last + grain_ns < was->clock_ns;
}

static bool is_regular(uint8_t kind)
{
	return kind == ENTRY_FILE || kind == ENTRY_EXEC;
}

enum compare_verdict compare_stat(const struct compare *c, const struct stage_row *row,
	const struct worktree_entry *e)
{
	if (row->kind != e->kind && !(is_regular(row->kind) && is_regular(e->kind)))
		return COMPARE_TYPE;
	if (row->kind == ENTRY_DIR)
		return COMPARE_SAME;
	if (row->ref.size != e->stat.size)
		return COMPARE_CHANGED;
	if (row->kind != e->kind)
		return COMPARE_MODE;
	/* A row without attributes (from a rebuild) tells no mode but the kind's. */
	if (c->has_modes && row->stat.clock_ns != 0 && is_regular(row->kind) &&
		((row->stat.mode ^ e->stat.mode) & 07777) != 0)
		return COMPARE_MODE;
	return compare_is_fresh(c, row, e) ? COMPARE_SAME : COMPARE_READ;
}

/* ---- content */

struct reading {
	struct compare *c;
	int fd;
	bool is_sparse;
	uint64_t zero_len; /* zero_id is the id of that many zeros; 0: of none */
	struct oid zero_id;
};

static int tick(struct compare *c, struct store_error *err)
{
	if (c->tick && c->tick(c->tick_ctx) != 0)
		return store_error_set(err, STORE_ECANCELED, "canceled");
	return 0;
}

static int hash_zeros(struct reading *r, uint64_t len, struct store_error *err)
{
	if (r->zero_len == len)
		return 0;
	memset(r->c->data, 0, COMPARE_BUFFER);
	hash_begin(r->c->hash);
	for (uint64_t left = len; left > 0;) {
		const size_t n = left < COMPARE_BUFFER ? (size_t)left : COMPARE_BUFFER;

		hash_add(r->c->hash, r->c->data, n);
		left -= n;
	}
	hash_end(r->c->hash, &r->zero_id);
	r->zero_len = len;
	return tick(r->c, err);
}

/* How many of the row's chunks from off on lie wholly in a hole. */
static uint64_t count_holes(const struct reading *r, const struct seq_row *row, uint64_t off,
	uint64_t left)
{
	off_t data;

	if (!r->is_sparse || off > INT64_MAX)
		return 0;
	data = lseek(r->fd, (off_t)off, SEEK_DATA);
	if (data == -1)
		return errno == ENXIO ? left : 0;
	if (((uint64_t)data - off) / row->len < left)
		left = ((uint64_t)data - off) / row->len;
	return left;
}

/* Hash len bytes at off; false in *same when the file ends before. */
static int hash_piece(struct reading *r, uint64_t off, uint64_t len, struct oid *id, bool *same,
	struct store_error *err)
{
	int rc = 0;

	hash_begin(r->c->hash);
	*same = true;
	while (len > 0 && *same && rc == 0) {
		const size_t want = len < COMPARE_BUFFER ? (size_t)len : COMPARE_BUFFER;
		const ssize_t n = FAULT("compare.read")
			? -1
			: io_pread_full(r->fd, r->c->data, want, off);

		if (n < 0)
			rc = store_error_sys(err, "cannot read");
		else
			*same = (size_t)n == want;
		if (rc == 0 && *same)
			hash_add(r->c->hash, r->c->data, want);
		off += want;
		len -= want;
		r->c->bytes += want;
		if (rc == 0)
			rc = tick(r->c, err);
	}
	hash_end(r->c->hash, id);
	return rc;
}

static int compare_row(struct reading *r, const struct seq_row *row, uint64_t off, bool *same,
	struct store_error *err)
{
	uint64_t left = row->repeat;
	int rc = 0;

	*same = true;
	while (left > 0 && *same && rc == 0) {
		const uint64_t holes = count_holes(r, row, off, left);
		struct oid id;

		if (holes > 0) {
			rc = hash_zeros(r, row->len, err);
			id = r->zero_id;
		} else {
			rc = hash_piece(r, off, row->len, &id, same, err);
		}
		if (rc == 0 && *same)
			*same = id_eq(&id, &row->id);
		off += row->len * (holes > 0 ? holes : 1);
		left -= holes > 0 ? holes : 1;
	}
	return rc;
}

static int compare_rows(struct reading *r, const struct file_ref *ref, bool *same,
	struct store_error *err)
{
	struct seq_cursor *cursor = seq_cursor_new(&r->c->nodes, ref);
	struct store_error why = { 0 };
	uint64_t end = 0;
	int rc = 0;

	if (!cursor)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	*same = true;
	while (*same && rc == 0 && end < ref->size) {
		struct seq_row row;
		uint64_t off;

		rc = seq_cursor_next(cursor, &row, &off, &why);
		if (rc == STORE_ENOTFOUND)
			rc = store_error_set(&why, STORE_ECORRUPT, "%s",
				why.msg[0] ? why.msg : "a stored file ends too early");
		/* An errno would say that it is the working tree's. */
		why.sys = 0;
		if (rc == 0)
			rc = compare_row(r, &row, off, same, &why);
		if (rc == 0)
			end = off + row.len * row.repeat;
	}
	seq_cursor_free(cursor);
	if (rc != 0 && err)
		*err = why;
	return rc;
}

int compare_file(struct compare *c, int fd, const struct file_ref *ref, bool *same,
	struct store_error *err)
{
	struct reading r = { .c = c, .fd = fd };
	struct stat st;

	*same = false;
	if (fstat(fd, &st) != 0)
		return store_error_sys(err, "cannot look at an open file");
	if ((uint64_t)st.st_size != ref->size)
		return 0;
	r.is_sparse = (uint64_t)st.st_blocks * 512 < ref->size;
	return compare_rows(&r, ref, same, err);
}

int compare_bytes(struct compare *c, const void *data, size_t len, const struct file_ref *ref,
	bool *same, struct store_error *err)
{
	struct oid id;

	(void)err;
	*same = false;
	if (len != ref->size || ref->height != 0)
		return 0;
	hash_once(c->hash, data, len, &id);
	*same = id_eq(&id, &ref->id);
	return 0;
}

/* ---- entries */

static int cannot_open(const char *name, struct store_error *err)
{
	const int sys = errno;
	char shown[300];

	quote_msg(shown, sizeof(shown), name, strlen(name));
	errno = sys;
	return store_error_sys(err, "cannot open '%s'", shown);
}

/* Are owner and xattrs of what fd is open on the recorded ones, if any are? */
static int compare_owner(struct compare *c, int fd, const struct worktree_entry *now,
	const struct stage_row *row, bool *same, struct store_error *err)
{
	struct span s = span_of(row->meta, row->meta_len);
	struct meta m = { 0 };
	struct oid id;

	*same = true;
	if (!c->has_owners || meta_decode(&s, &m) != 0 || !(m.flags & META_OWNER))
		return 0;
	*same = m.uid == now->uid && m.gid == now->gid;
	if (!*same)
		return 0;
	if (xattr_read(fd, &c->list) != 0) {
		/* Over the limits they are not those that could be recorded. */
		*same = false;
		return errno == E2BIG ? 0 : store_error_sys(err, "cannot read extended attributes");
	}
	*same = c->list.len == (m.flags & META_XATTRS ? m.xattrs.size : 0);
	if (*same && c->list.len > 0) {
		hash_once(c->hash, c->list.data, c->list.len, &id);
		*same = id_eq(&id, &m.xattrs.id);
	}
	return 0;
}

static int compare_link(struct compare *c, int fd, const struct file_ref *ref, bool *same,
	struct store_error *err)
{
	struct buf target = { 0 };
	int rc = worktree_readlink(fd, "", &target, err);

	if (rc == 0)
		rc = compare_bytes(c, target.data, target.len, ref, same, err);
	buf_release(&target);
	return rc;
}

/* What is open at fd: is it the row's? */
static int compare_open(struct compare *c, int fd, const struct stage_row *row,
	enum compare_verdict *out, struct store_error *err)
{
	struct worktree_entry now;
	bool same = false;
	int rc = worktree_fstat(fd, &now, err);

	*out = COMPARE_CHANGED;
	if (rc != 0 || now.kind == ENTRY_NONE || now.kind == ENTRY_DIR ||
		is_regular(now.kind) != is_regular(row->kind))
		return rc;
	rc = compare_owner(c, fd, &now, row, &same, err);
	if (rc == 0 && !same)
		*out = COMPARE_MODE;
	if (rc != 0 || !same)
		return rc;
	rc = now.kind == ENTRY_LINK ? compare_link(c, fd, &row->ref, &same, err)
				    : compare_file(c, fd, &row->ref, &same, err);
	*out = rc == 0 && same ? COMPARE_SAME : COMPARE_CHANGED;
	return rc;
}

int compare_entry(struct compare *c, int dirfd, const struct worktree_entry *e,
	const struct stage_row *row, enum compare_verdict *out, struct store_error *err)
{
	const bool is_link = row->kind == ENTRY_LINK;
	int fd, rc;

	*out = compare_stat(c, row, e);
	if (*out != COMPARE_READ)
		return 0;
	*out = COMPARE_CHANGED;
	/* The file may have become a FIFO since it was looked at: never wait for its other end. */
	fd = io_open_beneath(dirfd, e->name,
		is_link ? O_PATH | O_NOFOLLOW : O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -1)
		return cannot_open(e->name, err);
	if (!is_link) {
		c->opened++;
		TRACE(TRACE_WALK, "compare=%s", e->name);
	}
	rc = compare_open(c, fd, row, out, err);
	io_close(&fd);
	return rc;
}
