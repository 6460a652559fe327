/*
 * One file becomes a hard link of another, or goes, when both are proven to hold the same bytes.
 *
 * Order of a link, in the folder of the name that changes:
 *  1. both are opened, checked to be what was found, and compared byte by byte;
 *  2. the content of the one that stays is synced: the other may be the only one on disk;
 *  3. link it to a name of our own, exchange that with the name that changes;
 *  4. under our name must be what was compared, with its size and time, and under the other the one
 *     that stays; else exchange again;
 *  5. remove our name.
 * Removing renames the file to our name in step 3, and looks at the name of the one that stays,
 * too. So whatever another program puts there between looking and changing is put back, and a crash
 * leaves the name whole, or our name beside it, with content that stands elsewhere.
 *
 * Fault points: open, read, fsync of io.c; dupes.link, dupes.exchange, dupes.remove.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/io.h"
#include "work/dupes_internal.h"
#include "work/xattr.h"

#define OUR_PREFIX ".store-dupes-"
#define OUR_NAME 48 /* the prefix, 32 hex digits and a NUL */

/* One of the two: its folder, the name in it, and the open file. */
struct place {
	const struct store_dupes_file *file;
	uint64_t size;
	int dir, fd;
	const char *leaf;
};

struct pair {
	struct dupes *d;
	const struct store_dupes_action *a;
	struct place keep, other;
	char ours[OUR_NAME];
};

/* ---- the two files */

/* The folder of a root that is a file. */
static int open_above(const char *root)
{
	const char *slash = strrchr(root, '/');
	struct buf above = { 0 };
	int fd = -1;

	buf_add(&above, root, slash ? (size_t)(slash - root) + 1 : 0);
	if (!slash)
		buf_add_u8(&above, '.');
	errno = ENOMEM;
	if (buf_str(&above))
		fd = open(buf_str(&above), O_PATH | O_DIRECTORY | O_CLOEXEC);
	buf_release(&above);
	return fd;
}

static int open_folder(struct dupes *d, const struct store_dupes_file *f, const char *slash)
{
	const int root = dupes_root(d, f->root);
	struct buf folder = { 0 };
	int fd = -1;

	if (root == -1)
		return -1;
	buf_add(&folder, f->path, slash ? (size_t)(slash - f->path) : 0);
	if (!slash)
		buf_add_u8(&folder, '.');
	errno = ENOMEM;
	if (buf_str(&folder))
		fd = io_open_beneath(root, buf_str(&folder), O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	buf_release(&folder);
	return fd;
}

static int open_place(struct dupes *d, struct place *p, struct store_error *why)
{
	const char *path = p->file->path_len > 0 ? p->file->path : d->roots[p->file->root];
	const char *slash = strrchr(path, '/');
	struct store_dupes_file found = *p->file;
	char shown[400];
	int rc = dupes_open(d, &found, p->size, &p->fd, why);

	if (rc != 0)
		return rc;
	p->leaf = slash ? slash + 1 : path;
	p->dir = p->file->path_len > 0 ? open_folder(d, p->file, slash) : open_above(path);
	if (p->dir == -1)
		return store_error_sys(why, "cannot open the folder of '%s'",
			dupes_show(d, p->file, shown, sizeof(shown)));
	return 0;
}

static void close_place(struct place *p)
{
	io_close(&p->dir);
	io_close(&p->fd);
}

/* Is it under that name, as it was found? */
static bool stands(const struct place *p, int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		st.st_dev == p->file->device && st.st_ino == p->file->inode &&
		(uint64_t)st.st_size == p->size && st.st_mtim.tv_sec == p->file->mtime &&
		st.st_mtim.tv_nsec == (long)p->file->mtime_ns;
}

/* ---- comparing */

static int fail_sys(const struct pair *p, const struct place *at, const char *what,
	struct store_error *why)
{
	const int saved = errno;
	char shown[400];

	dupes_show(p->d, at->file, shown, sizeof(shown));
	errno = saved;
	return store_error_sys(why, "cannot %s '%s'", what, shown);
}

static int fail_changed(struct store_error *why)
{
	return store_error_set(why, STORE_EBUSY, "one of the two has changed since it was found");
}

/* 0 or what ends the search; why has a code when the bytes differ or cannot be read. */
static int compare(struct pair *p, struct store_error *why, struct store_error *err)
{
	const size_t half = DUPES_BUFFER / 2;
	uint8_t *a = p->d->buffer, *b = a + half;
	int rc = 0;

	for (uint64_t off = 0; off < p->a->size && rc == 0; off += half) {
		const uint64_t left = p->a->size - off;
		const size_t want = left < half ? (size_t)left : half;
		const ssize_t got_a = io_pread_full(p->keep.fd, a, want, off);
		const ssize_t got_b = got_a < 0 ? -1 : io_pread_full(p->other.fd, b, want, off);

		if (got_b < 0) {
			fail_sys(p, got_a < 0 ? &p->keep : &p->other, "read", why);
			return 0;
		}
		if ((size_t)got_a != want || (size_t)got_b != want || memcmp(a, b, want) != 0) {
			fail_changed(why);
			return 0;
		}
		rc = dupes_tick(p->d, false, err);
	}
	return rc;
}

static int compare_attributes(const struct pair *p, struct store_error *why)
{
	struct buf a = { 0 }, b = { 0 };
	int rc = 0;

	if (xattr_read(p->keep.fd, &a) != 0)
		rc = fail_sys(p, &p->keep, "read the attributes of", why);
	else if (xattr_read(p->other.fd, &b) != 0)
		rc = fail_sys(p, &p->other, "read the attributes of", why);
	else if (a.len != b.len || memcmp(buf_from(&a, 0), buf_from(&b, 0), a.len) != 0)
		rc = store_error_set(why, STORE_EINVAL, "its extended attributes differ");
	buf_release(&a);
	buf_release(&b);
	return rc;
}

/* Both as they were found, and the one that stays on disk. */
static int check(const struct pair *p, struct store_error *why)
{
	const bool is_forced = p->d->o->flags & STORE_DUPES_FORCE;
	int rc = 0;

	if (!stands(&p->keep, p->keep.dir, p->keep.leaf) ||
		!stands(&p->other, p->other.dir, p->other.leaf))
		return fail_changed(why);
	if (p->a->act == STORE_DUPES_LINK && !is_forced)
		rc = compare_attributes(p, why);
	if (rc == 0 && io_sync(p->keep.fd) != 0)
		rc = fail_sys(p, &p->keep, "sync", why);
	return rc;
}

/* ---- changing */

static int exchange(const struct pair *p)
{
	return FAULT("dupes.exchange")
		? -1
		: renameat2(p->other.dir, p->ours, p->other.dir, p->other.leaf, RENAME_EXCHANGE);
}

/* Does the file system not know how? */
static bool is_unknown(int sys)
{
	return sys == EINVAL || sys == ENOSYS || sys == ENOTSUP;
}

static int link_exchanged(struct pair *p, struct store_error *why)
{
	if (exchange(p) != 0) {
		if (!is_unknown(errno))
			return fail_sys(p, &p->other, "replace", why);
		if (!stands(&p->other, p->other.dir, p->other.leaf))
			return fail_changed(why);
		if (renameat(p->other.dir, p->ours, p->other.dir, p->other.leaf) != 0)
			return fail_sys(p, &p->other, "replace", why);
		p->ours[0] = '\0';
		return 0;
	}
	if (stands(&p->other, p->other.dir, p->ours) &&
		stands(&p->keep, p->other.dir, p->other.leaf))
		return 0;
	if (exchange(p) == 0)
		return fail_changed(why);
	fail_sys(p, &p->other, "put back", why);
	store_error_wrap(why, why->code, "what was there is now called '%s' beside it", p->ours);
	p->ours[0] = '\0';
	return why->code;
}

static int do_link(struct pair *p, struct store_error *why)
{
	int rc;

	if (FAULT("dupes.link") || linkat(p->keep.dir, p->keep.leaf, p->other.dir, p->ours, 0) != 0)
		return fail_sys(p, &p->keep, "link", why);
	rc = stands(&p->keep, p->other.dir, p->ours) ? link_exchanged(p, why) : fail_changed(why);
	if (p->ours[0] && unlinkat(p->other.dir, p->ours, 0) != 0 && rc == 0)
		rc = store_error_sys(why, "cannot remove '%s', which it was called until now",
			p->ours);
	return rc;
}

static int put_back(struct pair *p, struct store_error *why)
{
	int rc = renameat2(p->other.dir, p->ours, p->other.dir, p->other.leaf, RENAME_NOREPLACE);

	if (rc != 0 && is_unknown(errno))
		rc = renameat(p->other.dir, p->ours, p->other.dir, p->other.leaf);
	if (rc == 0)
		return why->code;
	fail_sys(p, &p->other, "put back", why);
	return store_error_wrap(why, why->code, "it is now called '%s'", p->ours);
}

static int do_delete(struct pair *p, struct store_error *why)
{
	if (renameat(p->other.dir, p->other.leaf, p->other.dir, p->ours) != 0)
		return fail_sys(p, &p->other, "remove", why);
	if (!stands(&p->other, p->other.dir, p->ours) ||
		!stands(&p->keep, p->keep.dir, p->keep.leaf)) {
		fail_changed(why);
		return put_back(p, why);
	}
	if (FAULT("dupes.remove") || unlinkat(p->other.dir, p->ours, 0) != 0) {
		fail_sys(p, &p->other, "remove", why);
		return put_back(p, why);
	}
	return 0;
}

static int name_ours(struct pair *p, struct store_error *err)
{
	uint8_t random[16];
	const int rc = hash_random(random, err);
	size_t at = strlen(OUR_PREFIX);

	memcpy(p->ours, OUR_PREFIX, at);
	for (size_t i = 0; i < sizeof(random); i++, at += 2)
		snprintf(p->ours + at, sizeof(p->ours) - at, "%02x", random[i]);
	return rc;
}

/* As dupes_act; why has a code when nothing was done. */
static int act(struct pair *p, struct store_error *why, struct store_error *err)
{
	int rc;

	if (open_place(p->d, &p->keep, why) != 0 || open_place(p->d, &p->other, why) != 0)
		return 0;
	rc = compare(p, why, err);
	if (rc == 0)
		rc = name_ours(p, err);
	if (rc != 0 || why->code != 0 || check(p, why) != 0)
		return rc;
	if (p->a->act == STORE_DUPES_LINK)
		do_link(p, why);
	else
		do_delete(p, why);
	return 0;
}

int dupes_act(struct dupes *d, struct store_dupes_action *a, struct store_error *err)
{
	struct pair p = { .d = d,
		.a = a,
		.keep = { a->keep, a->size, -1, -1, NULL },
		.other = { a->file, a->size, -1, -1, NULL } };
	const int rc = act(&p, &a->why, err);

	close_place(&p.keep);
	close_place(&p.other);
	a->state = a->why.code == 0 ? STORE_DUPES_DONE : STORE_DUPES_REFUSED;
	return rc;
}
