/*
 * One directory of the working tree: its names in byte order, and what stands under them.
 *
 * Names are read and sorted, a window of them at a time (listing.h); attributes are read entry by
 * entry, when the caller comes to it, so that a long walk compares with what is there now. No
 * symlink is followed: a directory is opened beneath its parent, and a path whose component became
 * a symlink is ENOTDIR or ELOOP, never another place.
 */
#ifndef STORE_WORK_WORKTREE_H
#define STORE_WORK_WORKTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "graph/stage.h"
#include "work/listing.h"

struct store_error;

enum worktree_flag {
	WORKTREE_SPECIAL = 1, /* a FIFO, socket or device: never opened; kind is ENTRY_NONE */
	WORKTREE_LIMIT = 2,   /* a name the format cannot hold */
};

struct worktree_entry {
	const char *name; /* NUL-terminated; borrowed: valid until worktree_dir_close */
	size_t len;
	uint8_t kind;           /* enum entry_kind; ENTRY_NONE: special */
	uint8_t flags;          /* WORKTREE_* */
	struct stage_stat stat; /* clock_ns: coarse clock before the attributes were read */
	uint64_t dev;
	uint32_t uid, gid;
	bool is_shared;  /* another name has the same file */
	uint64_t blocks; /* of 512 bytes that it takes on disk */
};

/* All zero: nothing is listed. */
struct worktree_dir {
	int fd; /* of the directory, for openat and readlinkat; -1 while suspended */
	uint64_t dev, ino;
	struct listing names;
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

/*
 * Have the next name at hand: in a directory of very many names, or one that was dropped, it may
 * have to be read again, which can fail. O(1) else.
 */
int worktree_dir_ready(struct worktree_dir *d, struct store_error *err);
/* After worktree_dir_ready: the next name without reading its attributes, or NULL at the end. */
const char *worktree_dir_peek(const struct worktree_dir *d);
/*
 * The next entry with its attributes. STORE_ENOTFOUND without message at the end; names that
 * vanished since are passed over. Any other error is of the name that e->name tells (its kind is
 * ENTRY_NONE), and the walk may go on with the next; or, when that is empty, of the directory,
 * whose other names nobody knows.
 */
int worktree_dir_next(struct worktree_dir *d, struct worktree_entry *e, struct store_error *err);

/*
 * A walk 2,048 directories deep must not hold 2,048 descriptors: suspend closes d->fd; resume opens
 * path below rootfd again and refuses (STORE_ENOTFOUND, err->sys ENOENT) another directory than the
 * one that was listed. Resume of one that is open does nothing.
 */
#define WORKTREE_OPEN_MAX 128
/*
 * Nor the names of all directories on its way: when the one that was opened last is not small, and
 * all together hold more than worktree_names_max bytes (16 MiB), the walk drops names, beginning at
 * the top. They are read again when it comes back.
 */
bool worktree_dir_is_small(const struct worktree_dir *d);
size_t worktree_names_max(void);
void worktree_dir_drop(struct worktree_dir *d);
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
