/*
 * One scanner of a walk: takes a directory that waits, reads its names, tells of those that the
 * filters let pass, and puts the directories among them back into the queue.
 *
 * Names are looked at in the order of the file system and not kept, so a directory of millions
 * costs no more memory than one of ten. Attributes are read only where something asks for them: a
 * directory that is not told of itself, or a name that no filter lets pass, costs no look. A
 * directory is opened beneath its root without following a symbolic link, so what becomes one
 * between finding and opening is not there any more.
 *
 * Threads: a scanner is one thread's alone; what scanners share is told in walk_internal.h.
 *
 * Fault points: walk.open, and those of dents.c and worktree.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dents.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/quote.h"
#include "base/trace.h"
#include "work/walk_internal.h"
#include "work/worktree.h"

struct scanner {
	struct walk *w;
	struct walk_dir dir; /* that is being read */
	struct dents dents;
	struct buf path; /* of the entry that is looked at */
	int root_fd;     /* of the root that was opened last; -1: none */
	uint32_t root;
};

/* ---- failures */

static void out_of_memory(struct scanner *s)
{
	struct store_error err = { 0 };

	walk_end(s->w, store_error_set(&err, STORE_ENOMEM, "out of memory"), &err);
}

/* "cannot WHAT 'ROOT/PATH': REASON", of errno. */
static void fail(struct scanner *s, const char *what, const char *path, size_t len, uint32_t depth)
{
	const int saved = errno;
	const char *root = s->w->roots[s->dir.root];
	struct store_error why = { 0 };
	struct buf whole = { 0 };
	char shown[400];

	buf_add_str(&whole, root);
	if (len > 0 && (whole.len == 0 || whole.data[whole.len - 1] != '/'))
		buf_add_u8(&whole, '/');
	buf_add(&whole, path, len);
	quote_msg(shown, sizeof(shown), buf_from(&whole, 0), whole.len);
	buf_release(&whole);
	errno = saved;
	store_error_sys(&why, "cannot %s '%s'", what, shown);
	walk_fail(s->w, s->dir.root, depth, path, len, &why);
}

static void fail_dir(struct scanner *s, const char *what)
{
	const char *path = buf_str(&s->dir.path);

	if (path)
		fail(s, what, path, s->dir.path.len, s->dir.depth);
	else
		out_of_memory(s);
}

/* ---- one entry */

static enum store_walk_type type_of_mode(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return STORE_WALK_FILE;
	case S_IFDIR:
		return STORE_WALK_DIR;
	case S_IFLNK:
		return STORE_WALK_LINK;
	default:
		return STORE_WALK_OTHER;
	}
}

/* 0: the directory does not tell. */
static unsigned int type_of_dent(uint8_t type)
{
	switch (type) {
	case DT_UNKNOWN:
		return 0;
	case DT_REG:
		return STORE_WALK_FILE;
	case DT_DIR:
		return STORE_WALK_DIR;
	case DT_LNK:
		return STORE_WALK_LINK;
	default:
		return STORE_WALK_OTHER;
	}
}

/* Is an entry that was found in s->path, with its name at name_off, nothing to tell or to enter? */
static bool is_unwanted(const struct scanner *s, size_t name_off, unsigned int type)
{
	const struct walk_plan *p = s->w->plan;
	const char *path = (const char *)s->path.data;

	if (type != STORE_WALK_DIR && !(p->o.types & type))
		return true;
	if (type == STORE_WALK_FILE && !walk_plan_takes_name(p, path + name_off))
		return true;
	return walk_plan_excludes(p, path, s->path.len, name_off, type == STORE_WALK_DIR);
}

static void tell(struct scanner *s, const char *path, size_t len, uint32_t depth,
	const struct worktree_entry *e)
{
	const struct walk_plan *p = s->w->plan;
	const int64_t second = 1000000000;
	const int64_t ns = (e->stat.mtime_ns % second + second) % second;
	const struct store_walk_record r = { .path = path,
		.path_len = len,
		.root = s->dir.root,
		.depth = depth,
		.type = type_of_mode(e->stat.mode),
		.mode = e->stat.mode,
		.size = e->stat.size,
		.mtime = (e->stat.mtime_ns - ns) / second,
		.mtime_ns = (uint32_t)ns,
		.inode = e->stat.ino,
		.device = e->dev };

	if (!(p->o.types & r.type) ||
		(r.type == STORE_WALK_FILE && !walk_plan_takes_size(p, r.size)))
		return;
	walk_send(s->w, &r);
}

/* May what lies in a directory at that depth be told? */
static bool may_enter(const struct scanner *s, uint32_t depth)
{
	const uint32_t levels = s->w->plan->o.levels;

	return levels == 0 || depth + 1 < levels;
}

/* The directory at s->path waits for its turn. */
static void enter(struct scanner *s)
{
	struct walk *w = s->w;
	const struct walk_dir d = { s->dir.root, s->dir.depth + 1, s->dir.device, s->path };
	struct store_error err = { 0 };
	int rc;

	pthread_mutex_lock(&w->lock);
	rc = walk_queue_put(&w->queue, &d, &err);
	w->now.pending++;
	pthread_cond_signal(&w->can_scan);
	pthread_mutex_unlock(&w->lock);
	if (rc != 0)
		walk_end(w, rc, &err);
}

/* Does anything ask for the attributes of an entry of that type? */
static bool wants_attributes(const struct walk_plan *p, unsigned int type)
{
	return type != STORE_WALK_DIR || (p->o.types & STORE_WALK_DIR) ||
		(p->o.flags & STORE_WALK_ONE_FILE_SYSTEM);
}

/* The entry at s->path, whose name begins at name_off. */
static void look_at(struct scanner *s, size_t name_off, unsigned int type)
{
	const struct walk_plan *p = s->w->plan;
	const char *path = (const char *)s->path.data;
	const uint32_t depth = s->dir.depth + 1;
	struct worktree_entry e = { .dev = s->dir.device };

	if (type && is_unwanted(s, name_off, type))
		return;
	if (!type || wants_attributes(p, type)) {
		struct store_error why = { 0 };
		const unsigned int told = type;

		if (worktree_stat(s->dents.fd, path + name_off, &e, &why) != 0) {
			errno = why.sys;
			/* It was removed since its name was read. */
			if (!worktree_is_absent(errno))
				fail(s, "look at", path, s->path.len, depth);
			return;
		}
		type = type_of_mode(e.stat.mode);
		if (type != told && is_unwanted(s, name_off, type))
			return;
		tell(s, path, s->path.len, depth, &e);
	}
	if (type == STORE_WALK_DIR && may_enter(s, depth) &&
		(!(p->o.flags & STORE_WALK_ONE_FILE_SYSTEM) || e.dev == s->dir.device))
		enter(s);
}

/* ---- one directory */

static void visit(struct scanner *s, size_t base, const struct dent *d)
{
	if (*d->name == '.' && (s->w->plan->o.flags & STORE_WALK_NO_HIDDEN))
		return;
	s->path.len = base;
	buf_add_str(&s->path, d->name);
	if (!buf_str(&s->path)) {
		out_of_memory(s);
	} else if (s->path.len > WALK_PATH_MAX) {
		errno = ENAMETOOLONG;
		fail(s, "look at", (const char *)s->path.data, s->path.len, s->dir.depth + 1);
	} else {
		look_at(s, base, type_of_dent(d->type));
	}
	walk_breathe(s->w);
}

static int open_root(struct scanner *s)
{
	if (s->root_fd != -1 && s->root == s->dir.root)
		return 0;
	io_close(&s->root_fd);
	s->root = s->dir.root;
	s->root_fd = open(s->w->roots[s->root], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return s->root_fd == -1 ? -1 : 0;
}

/* The directory s->dir, or -1 with errno. */
static int open_dir(struct scanner *s)
{
	const char *path = buf_str(&s->dir.path);

	if (!path)
		errno = ENOMEM;
	if (!path || FAULT("walk.open") || open_root(s) != 0)
		return -1;
	return io_open_beneath(s->root_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
		0);
}

static void list(struct scanner *s)
{
	int fd = open_dir(s), got = 0;
	struct dent d;
	size_t base;

	TRACE(TRACE_WALK, "read=%s depth=%u", (const char *)s->dir.path.data, s->dir.depth);
	/* What became a link or something else, or went, is not there; a root has to be. */
	if (fd == -1 && s->dir.depth > 0 && (worktree_is_absent(errno) || errno == ELOOP))
		return;
	if (fd == -1) {
		fail_dir(s, "open");
		return;
	}
	buf_clear(&s->path);
	buf_add(&s->path, buf_from(&s->dir.path, 0), s->dir.path.len);
	if (s->path.len > 0)
		buf_add_u8(&s->path, '/');
	base = s->path.len;
	dents_begin(&s->dents, fd);
	while (!atomic_load(&s->w->stop) && (got = dents_next(&s->dents, &d)) == 1)
		visit(s, base, &d);
	if (got == -1)
		fail_dir(s, "list");
	io_close(&fd);
}

/* The root s->dir itself; true if it is a directory that was read. */
static bool begin_root(struct scanner *s)
{
	struct worktree_entry e;
	struct store_error why = { 0 };

	if (worktree_stat(AT_FDCWD, s->w->roots[s->dir.root], &e, &why) != 0) {
		errno = why.sys;
		fail(s, "look at", "", 0, 0);
		return false;
	}
	s->dir.device = e.dev;
	if (type_of_mode(e.stat.mode) != STORE_WALK_FILE ||
		walk_plan_takes_name(s->w->plan, s->w->roots[s->dir.root]))
		tell(s, "", 0, 0, &e);
	if (type_of_mode(e.stat.mode) != STORE_WALK_DIR || !may_enter(s, 0))
		return false;
	list(s);
	return true;
}

/* ---- the queue */

static bool take_dir(struct scanner *s)
{
	struct walk *w = s->w;
	struct store_error err = { 0 };
	int rc = STORE_ENOTFOUND;

	pthread_mutex_lock(&w->lock);
	while (!atomic_load(&w->stop)) {
		rc = walk_queue_take(&w->queue, &s->dir, &err);
		/* Who reads one may still find others. */
		if (rc != STORE_ENOTFOUND || w->scanning == 0)
			break;
		pthread_cond_wait(&w->can_scan, &w->lock);
	}
	w->scanning += rc == 0;
	pthread_mutex_unlock(&w->lock);
	if (rc != 0 && rc != STORE_ENOTFOUND)
		walk_end(w, rc, &err);
	return rc == 0;
}

static void drop_dir(struct scanner *s, bool was_read)
{
	struct walk *w = s->w;

	pthread_mutex_lock(&w->lock);
	w->scanning--;
	w->now.pending--;
	w->now.directories += was_read;
	if (w->scanning == 0)
		pthread_cond_broadcast(&w->can_scan);
	pthread_mutex_unlock(&w->lock);
}

void walk_scan(struct walk *w)
{
	struct scanner s = { .w = w, .root_fd = -1 };

	if (dents_init(&s.dents) != 0)
		out_of_memory(&s);
	while (take_dir(&s)) {
		bool was_read = true;

		if (s.dir.depth == 0)
			was_read = begin_root(&s);
		else
			list(&s);
		drop_dir(&s, was_read);
	}
	io_close(&s.root_fd);
	buf_release(&s.dir.path);
	buf_release(&s.path);
	dents_release(&s.dents);
}
