/*
 * One directory of the working tree: its names in byte order, and what stands under them.
 *
 * Names are read and sorted at once (some 30 bytes each); attributes are read entry by entry, when
 * the caller comes to it, so that a long walk compares with what is there now. No symlink is
 * followed: a directory is opened beneath its parent, and a path whose component became a symlink
 * is ENOTDIR or ELOOP, never another place.
 */
#ifndef STORE_WORK_WORKTREE_H
#define STORE_WORK_WORKTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "graph/stage.h"

struct store_error;

enum worktree_flag {
	WORKTREE_SPECIAL = 1, /* a FIFO, socket or device: never opened; kind is ENTRY_NONE */
	WORKTREE_IGNORED = 2, /* by the built-in rule: .git, file or directory, at any depth */
	WORKTREE_LIMIT = 4,   /* a name the format cannot hold */
};

struct worktree_entry {
	const char *name; /* NUL-terminated; borrowed: valid until worktree_dir_close */
	size_t len;
	uint8_t kind;           /* enum entry_kind; ENTRY_NONE: special */
	uint8_t flags;          /* WORKTREE_* */
	struct stage_stat stat; /* clock_ns: coarse clock before the attributes were read */
	uint64_t dev;
	uint32_t uid, gid;
};

/* All zero: nothing is listed. */
struct worktree_dir {
	int fd; /* of the directory, for openat and readlinkat; -1 while suspended */
	uint64_t dev, ino;
	struct buf names; /* each followed by a NUL */
	uint32_t *order;  /* count offsets into names, sorted by the bytes of the names */
	size_t count, next;
	bool has_leftovers; /* names of leftover.h are there; they are left out */
};

/*
 * List the directory at path below dirfd ("." or "": dirfd itself); `.store` and the names
 * of leftover.h are left out. Returns
 * 0; else a negative STORE_E* with err->sys set: ENOENT and ENOTDIR (STORE_ENOTFOUND: it is not
 * there, or no directory), ELOOP (a symlink), EACCES, EIO, ... worktree_dir_close in any case. O(n
 * log n).
 */
int worktree_dir_open(struct worktree_dir *d, int dirfd, const char *path, struct store_error *err);
/* d may be all zero, or closed. */
void worktree_dir_close(struct worktree_dir *d);

/* The next name without reading its attributes, or NULL at the end. */
const char *worktree_dir_peek(const struct worktree_dir *d);
/*
 * The next entry with its attributes. STORE_ENOTFOUND without message at the end; names that
 * vanished since are passed over. Any other error is of the name that e->name tells (its kind is
 * ENTRY_NONE), and the walk may go on with the next.
 */
int worktree_dir_next(struct worktree_dir *d, struct worktree_entry *e, struct store_error *err);

/*
 * A walk 2,048 directories deep must not hold 2,048 descriptors: suspend closes d->fd; resume opens
 * path below rootfd again and refuses (STORE_ENOTFOUND, err->sys ENOENT) another directory than the
 * one that was listed. Resume of one that is open does nothing.
 */
#define WORKTREE_OPEN_MAX 128
void worktree_dir_suspend(struct worktree_dir *d);
int worktree_dir_resume(struct worktree_dir *d, int rootfd, const char *path,
	struct store_error *err);

/*
 * One name in the directory dirfd, as worktree_dir_next has it; "" or "." is dirfd itself. e->name
 * is name, borrowed. STORE_ENOTFOUND with err->sys ENOENT or ENOTDIR when absent.
 */
int worktree_stat(int dirfd, const char *name, struct worktree_entry *e, struct store_error *err);
/*
 * The entry at path (names joined by '/') below rootfd; e->name points to the last component in
 * path. A symlink on the way: STORE_EINVAL with err->sys ELOOP.
 */
int worktree_find(int rootfd, const char *path, struct worktree_entry *e, struct store_error *err);

/* Attributes of an open descriptor, the clock taken before: for a file that is read. */
int worktree_fstat(int fd, struct worktree_entry *e, struct store_error *err);

/*
 * Is the directory at path (names joined by '/') below dirfd a repository of its own: does it hold
 * `.store/format`? A `.store` that is a symlink is followed, as when a repository is looked for.
 * Not asked for the top. Only ENOENT and ENOTDIR mean no; else a negative STORE_E* with err->sys
 * set: nobody knows, so it is neither entered nor taken for deleted.
 */
int worktree_is_border(int dirfd, const char *path, bool *border, struct store_error *err);

/* The target of a symlink into out (replaced). */
int worktree_readlink(int dirfd, const char *name, struct buf *out, struct store_error *err);

/* Is this the errno of a path that is not there (ENOENT, ENOTDIR)?  Only these mean "deleted". */
bool worktree_is_absent(int sys);

#endif
