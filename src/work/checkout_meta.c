/*
 * Recorded attributes, given back to what a checkout wrote: `to`, --preserve, --preserve=all.
 *
 * Files and links get theirs before their own name, so nobody sees one with the attributes of
 * another. Directories get theirs when all else is done, innermost first: a file written into one
 * changes its time, and one without the right to write could not be written into.
 *
 * In this order: the owner, because giving a file away takes setuid and capabilities off; extended
 * attributes, because user.* asks for the right to write; access lists, because without one the
 * group's bits of the mode mean something else; the mode; the time. user.* is given back by
 * anybody, all others by root when all is asked for. Attributes come from a repository that may be
 * another's: of a list nothing is set before all of it was found well formed, and only names that
 * add would record are set at all.
 *
 * What cannot be set, because of the file system, or because it takes root, is counted, and told
 * once at the end: content is whole without it.
 *
 * Threads: the counter and the one that gets to tell the first are atomic, and the text is read
 * when all threads are done; the reader is the calling thread's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/quote.h"
#include "work/checkout_internal.h"
#include "work/xattr.h"

/* What is being dressed. */
struct wearer {
	const struct checkout *c;
	struct odb_reader *reader;
	const char *path;
	int fd;           /* of a link: O_PATH */
	int dirfd;        /* of a link: where it stands */
	const char *link; /* NULL: a file or directory */
	struct meta m;
	struct buf list; /* of xattrs; length 0: none */
	uint16_t mode;   /* what is given of m.mode */
};

static bool decode(const void *meta, size_t meta_len, struct meta *m)
{
	struct span s = span_of(meta, meta_len);

	return meta_len > 0 && meta_decode(&s, m) == 0 && (m->flags & META_ATTRS);
}

static struct timespec time_of(const struct meta *m)
{
	return (struct timespec){ .tv_sec = m->mtime_sec, .tv_nsec = m->mtime_nsec };
}

/* ---- what could not be set */

static bool asks_all(const struct checkout *c)
{
	return c->options->flags & STORE_CHECKOUT_PRESERVE_ALL;
}

static void note_unset(const struct wearer *w, const char *what, int sys)
{
	struct checkout_unset *u = w->c->unset;
	char shown[200], reason[100];

	if (__atomic_fetch_add(&u->count, 1, __ATOMIC_RELAXED) > 0)
		return;
	snprintf(u->first, sizeof(u->first), "%s of '%s': %s", what,
		quote_msg(shown, sizeof(shown), w->path, strlen(w->path)),
		strerror_r(sys, reason, sizeof(reason)));
}

static void note_unset_item(const struct wearer *w, const struct xattr_item *item, int sys)
{
	char shown[100];

	note_unset(w, quote_msg(shown, sizeof(shown), (const char *)item->name, item->name_len),
		sys);
}

static void tell_unset(struct checkout *c)
{
	const struct store_callbacks *cb = &c->options->callbacks;
	const struct checkout_unset *u = c->unset;
	char text[500];
	const struct store_notice n = { .kind = STORE_NOTICE_INFO, .path = "", .text = text };

	c->result->unset = u->count;
	if (u->count == 0 || !cb->notice)
		return;
	snprintf(text, sizeof(text), "%llu recorded attribute%s could not be set%s%s",
		(unsigned long long)u->count, u->count == 1 ? "" : "s",
		u->count == 1 ? ": " : "; the first: ", u->first);
	cb->notice(cb->payload, &n);
}

/* ---- one file, directory or link */

static int fail(const struct wearer *w, struct store_error *err)
{
	return checkout_fail("set the attributes of", w->path, err);
}

static int read_list(struct wearer *w, struct store_error *err)
{
	const struct seq_row row = { w->m.xattrs.id, w->m.xattrs.size, 1 };
	char shown[200];
	int rc;

	if (!(w->m.flags & META_XATTRS))
		return 0;
	rc = checkout_read_chunk(w->reader, &row, &w->list, err);
	if (rc == 0 && !xattr_list_is_valid(w->list.data, w->list.len))
		rc = store_error_set(err, STORE_ECORRUPT,
			"the object is no list of extended attributes");
	return rc == 0 ? 0
		       : store_error_wrap(err, rc, "cannot bring back the attributes of '%s'",
				 quote_msg(shown, sizeof(shown), w->path, strlen(w->path)));
}

/* Without the owner there are no setuid bits either: they would be another's. */
static int give_owner(struct wearer *w, struct store_error *err)
{
	const struct meta *m = &w->m;

	w->mode = m->mode & (w->c->all_recorded ? 07777 : 0777);
	if (!w->c->all_recorded && asks_all(w->c) && !w->link && (m->mode & 07000) != 0)
		note_unset(w, "setuid, setgid or sticky bit", EPERM);
	if (!(m->flags & META_OWNER))
		return 0;
	if (!w->c->all_recorded) {
		if (asks_all(w->c) && (m->uid != geteuid() || m->gid != getegid()))
			note_unset(w, "owner", EPERM);
		return 0;
	}
	if (fchownat(w->fd, "", m->uid, m->gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	/* In a user namespace some owners are nobody's. */
	if (errno != EPERM && errno != EINVAL)
		return fail(w, err);
	note_unset(w, "owner", errno);
	w->mode &= 0777;
	return 0;
}

static void give_item(struct wearer *w, const struct xattr_item *item)
{
	const enum xattr_class class = xattr_class_of(item->name, item->name_len);
	const bool may = class == XATTR_USER || (class != XATTR_OTHER && w->c->all_recorded);
	const bool is_set = may && xattr_set(w->fd, item) == 0;

	if (may && !is_set)
		note_unset_item(w, item, errno);
	else if (!may && (asks_all(w->c) || class == XATTR_OTHER))
		note_unset_item(w, item, EPERM);
	if (class == XATTR_ACL && !is_set && item->name_len == strlen(XATTR_ACL_ACCESS) &&
		memcmp(item->name, XATTR_ACL_ACCESS, item->name_len) == 0)
		w->mode = xattr_mode_without_acl(item->value, item->value_len, w->mode);
}

/* Access lists when is_acl, all others when not: these come first. */
static void give_items(struct wearer *w, bool is_acl)
{
	struct xattr_cursor c;
	struct xattr_item item;

	if (w->list.len == 0 || xattr_list_open(&c, w->list.data, w->list.len) != 0)
		return;
	while (xattr_list_next(&c, &item) == 0) {
		if ((xattr_class_of(item.name, item.name_len) == XATTR_ACL) == is_acl)
			give_item(w, &item);
	}
}

static int dress(struct wearer *w, struct store_error *err)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	int rc = read_list(w, err);

	if (rc == 0)
		rc = give_owner(w, err);
	if (rc == 0) {
		give_items(w, false);
		give_items(w, true);
	}
	buf_release(&w->list);
	if (rc != 0)
		return rc;
	times[1] = time_of(&w->m);
	if (w->link)
		rc = utimensat(w->dirfd, w->link, times, AT_SYMLINK_NOFOLLOW);
	else
		rc = fchmod(w->fd, w->mode) == 0 ? futimens(w->fd, times) : -1;
	return rc == 0 ? 0 : fail(w, err);
}

/* ---- directories */

static int dress_dir(const struct checkout *c, struct odb_reader *reader, const char *path,
	const void *meta, size_t meta_len, struct store_error *err)
{
	struct wearer w = { .c = c, .reader = reader, .path = path };
	int rc;

	if (!decode(meta, meta_len, &w.m))
		return 0;
	w.fd = io_open_beneath(c->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	/* In place a directory that the user took away stays away. */
	if (w.fd == -1 && c->in_place && (worktree_is_absent(errno) || errno == ELOOP))
		return 0;
	if (w.fd == -1)
		return checkout_fail("open", path, err);
	rc = dress(&w, err);
	io_close(&w.fd);
	return rc;
}

static int dress_walk(struct checkout *c, struct checkout_walk *w, struct store_error *err)
{
	struct checkout_visit v;
	int rc;

	while ((rc = checkout_walk_next(w, &v, err)) == 0) {
		if (v.is_leave)
			rc = dress_dir(c, c->repo->reader, v.path, v.meta, v.meta_len, err);
		else if (v.target.kind == ENTRY_DIR)
			rc = checkout_walk_enter(w, 0, 0, err);
		if (rc == 0)
			rc = checkout_tick(c, err);
		if (rc != 0)
			return rc;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int dress_top(struct checkout *c, struct store_error *err)
{
	struct buf value = { 0 };
	int rc = checkout_top_meta(c, &c->meta, &value, err);

	if (rc == 0)
		rc = dress_dir(c, c->repo->reader, ".", value.data, value.len, err);
	buf_release(&value);
	return rc;
}

bool checkout_meta_has(const struct checkout *c, const void *meta, size_t meta_len)
{
	struct meta m;

	return c->recorded && decode(meta, meta_len, &m);
}

int checkout_meta_file(const struct checkout *c, struct odb_reader *reader, int fd,
	const struct checkout_action *a, struct store_error *err)
{
	struct wearer w = { .c = c, .reader = reader, .path = a->path, .fd = fd };

	return c->recorded && decode(a->row.meta, a->row.meta_len, &w.m) ? dress(&w, err) : 0;
}

int checkout_meta_link(const struct checkout *c, struct odb_reader *reader, int dirfd,
	const char *name, const struct checkout_action *a, struct store_error *err)
{
	struct wearer w = { .c = c,
		.reader = reader,
		.path = a->path,
		.dirfd = dirfd,
		.link = name };
	int rc;

	if (!c->recorded || !decode(a->row.meta, a->row.meta_len, &w.m))
		return 0;
	w.fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (w.fd == -1)
		return fail(&w, err);
	rc = dress(&w, err);
	io_close(&w.fd);
	return rc;
}

int checkout_dress(struct checkout *c, struct store_error *err)
{
	int rc = 0;

	if (c->recorded && c->has_meta)
		rc = checkout_target_walks(c, dress_walk, err);
	if (rc == 0 && c->recorded && c->has_meta && checkout_wants_top(c))
		rc = dress_top(c, err);
	tell_unset(c);
	return rc;
}
