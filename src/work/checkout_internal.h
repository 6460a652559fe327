/*
 * What the files of checkout share.
 *
 *     walk     what differs between what was checked out and what is wanted (checkout_walk.c)
 *     plan     what that means for the files on disk, or a conflict (checkout_plan.c)
 *     write    the plan is carried out (checkout_run.c, checkout_write.c, checkout_file.c)
 *     stage    rows of the stage, HEAD (checkout_stage.c)
 */
#ifndef STORE_WORK_CHECKOUT_INTERNAL_H
#define STORE_WORK_CHECKOUT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/limits.h"
#include "graph/entry.h"
#include "graph/map.h"
#include "graph/refs.h"
#include "graph/seq.h"
#include "graph/stage.h"
#include "work/compare.h"
#include "work/repo.h"
#include "work/spool.h"

/* ---- the walk */

/*
 * CHANGES: entries that differ between two trees; equal subtrees are not entered.  O(changes).
 * ALL: every entry of the target, and every row of the stage that the target lacks.
 * TARGET: every entry of the target.
 */
enum checkout_walk_mode {
	CHECKOUT_CHANGES,
	CHECKOUT_ALL,
	CHECKOUT_TARGET,
};

struct checkout_visit {
	bool is_leave;        /* a directory that was entered is left */
	const char *path;     /* NUL-terminated; borrowed: valid until the next call on the walk */
	size_t len, name_off; /* the name stands behind name_off */
	struct entry old;     /* CHANGES: in the old tree; kind ENTRY_NONE: absent */
	struct entry target;  /* in the target; likewise */
	uint64_t stage_dir;   /* number of the directory's rows in the stage, 0: it has none */
	const uint8_t *meta;  /* recorded attributes in the target, without child map; borrowed */
	size_t meta_len;
	unsigned int flags; /* of the frame around it; of the frame itself when it is left */
};

enum {
	CHECKOUT_FRAME_IN_WAY = 1, /* this directory gives way to something else */
	CHECKOUT_FRAME_KEEP = 2,   /* it holds something that stays, so it stays */
};

struct checkout_walk;
/*
 * txn: for the stage (CHECKOUT_ALL), else NULL. Borrowed: until the walk is freed. Caller frees
 * with checkout_walk_free.
 */
struct checkout_walk *checkout_walk_new(const struct node_source *src, enum checkout_walk_mode mode,
	struct env_txn *txn);
void checkout_walk_free(struct checkout_walk *w);
/*
 * Begin at path, whose entries these are; meta: the map that holds the attributes of path's
 * siblings, or of the top for path "";
 * NULL: none.  Entries at a path other than "" are visited first, the top is entered at once.
 */
int checkout_walk_begin(struct checkout_walk *w, const char *path, const struct entry *old,
	const struct entry *target, const struct map_ref *meta, uint64_t stage_dir,
	struct store_error *err);
/* The next visit; STORE_ENOTFOUND at the end. */
int checkout_walk_next(struct checkout_walk *w, struct checkout_visit *v, struct store_error *err);
/* Go into the directory visited last; its rows in the stage are those of stage_dir. */
int checkout_walk_enter(struct checkout_walk *w, uint64_t stage_dir, unsigned int flags,
	struct store_error *err);
/* The directory left last holds something that stays: so does the one around it. */
void checkout_walk_keep(struct checkout_walk *w);

/* ---- actions */

enum checkout_op {
	CHECKOUT_WRITE = 1, /* a file or link */
	CHECKOUT_MKDIR,
	CHECKOUT_UNLINK,
	CHECKOUT_RMDIR,  /* when it is empty */
	CHECKOUT_ROW,    /* stage only: put the row */
	CHECKOUT_FORGET, /* stage only: take the row away, and all below it */
};

enum {
	CHECKOUT_IN_WAY = 1, /* before anything is written, for something else comes in its place */
	CHECKOUT_REPLACE = 2, /* something stands there that may be replaced */
};

struct checkout_action {
	uint8_t op, flags;
	struct stage_row row;
	const char *path; /* NUL-terminated; borrowed from the bytes it was decoded from */
	size_t len;
};

int checkout_action_encode(struct buf *out, const struct checkout_action *a,
	struct store_error *err);
int checkout_action_decode(struct checkout_action *a, const void *data, size_t len,
	struct store_error *err);

/* ---- the operation */

/* A directory below the root, kept open as long as the next path lies in it, too. */
struct checkout_place {
	int root_fd; /* borrowed */
	int fd;      /* -1: none is open */
	struct buf path;
	bool is_set;
};

struct checkout {
	struct store_repo *repo;
	const struct store_checkout_options *options;
	struct store_checkout_result *result;
	struct node_source nodes; /* the handle's */
	bool in_place, force;
	bool recorded;     /* give files recorded modes and times */
	bool all_recorded; /* owner and setuid, too: only as root */
	bool straight;     /* nothing was in the folder: files go straight to their names */
	int root_fd;       /* everything is written beneath it */
	char run[17];      /* part of the names of temporaries */

	/* What is wanted, and what was. */
	struct oid commit;
	bool has_commit;
	struct entry target; /* the top; kind ENTRY_DIR */
	bool has_meta;
	struct map_ref meta;
	bool has_head;
	struct entry head;

	/* Refs. */
	struct refs_head before;
	char branch[LIMIT_REF + 1]; /* full name HEAD is to point to; "": detached */
	bool makes_branch;
	struct refs_update update;
	struct buf who;

	/* The plan. */
	struct env_txn *txn; /* while planning; else NULL */
	uint64_t epoch;      /* changes of the stage from this publication on are another's */
	uint64_t stage_root;
	struct compare compare;
	struct spool plan, ops;
	uint64_t plan_writes;
	uint64_t need, freed; /* bytes on disk */
	struct checkout_place *place;
	struct checkout_place own_place; /* what place points to on the main thread */

	/* Progress. */
	struct store_progress progress;
	int64_t last_tick_ns;
};

/* Progress and cancelling: at most ten times a second.  STORE_ECANCELED. */
int checkout_tick(struct checkout *c, struct store_error *err);
int checkout_no_memory(struct store_error *err);
/* "what 'PATH': reason" from errno. */
int checkout_fail(const char *what, const char *path, struct store_error *err);

/*
 * Make the plan: STORE_ECONFLICT when content would be lost, all conflicts told. Nothing is
 * written.
 */
int checkout_plan(struct checkout *c, struct store_error *err);
/* The walk over what is to be written with `to`. */
int checkout_target_walks(struct checkout *c,
	int (*fn)(struct checkout *c, struct checkout_walk *w, struct store_error *err),
	struct store_error *err);
/* Does what is to be written fit on the disk? */
int checkout_check_space(struct checkout *c, struct store_error *err);
/* Carry the plan out; ops tells the stage. */
int checkout_run(struct checkout *c, struct store_error *err);
/* Recorded attributes of directories, when all else is done. */
int checkout_dress(struct checkout *c, struct store_error *err);
/* Stage and refs, as the plan has them. */
int checkout_publish(struct checkout *c, struct store_error *err);

/* ---- places and files (checkout_file.c).  One of each kind per thread. */

void checkout_place_init(struct checkout_place *p, int root_fd);
void checkout_place_release(struct checkout_place *p);
/* Forget what is open: directories changed. */
void checkout_place_forget(struct checkout_place *p);
/*
 * Open the directory that holds path; 0, or -1 with errno. *name points to its last component.
 * *moved: it is another than before.
 */
int checkout_place_open(struct checkout_place *p, const char *path, size_t len, const char **name,
	bool *moved);

/* A file while it is written. */
struct checkout_file {
	const struct checkout *c;
	struct checkout_action action;
	struct buf bytes; /* of the action */
	int dirfd, fd;
	char tmp[64];     /* "": it stands under its own name */
	bool exists;      /* to be removed when it comes to nothing */
	const char *name; /* in action.path */
};

void checkout_file_init(struct checkout_file *f, const struct checkout *c);
/* Close, and remove what was not finished. */
void checkout_file_release(struct checkout_file *f);
/* Copies *a. */
int checkout_file_begin(struct checkout_file *f, struct checkout_place *p,
	const struct checkout_action *a, struct store_error *err);
/* repeat times the chunk at off; zeros are left out. */
int checkout_file_put(struct checkout_file *f, const struct buf *chunk, uint64_t repeat,
	uint64_t off, struct store_error *err);
/* Give it its size, attributes and own name; *stat is what it has then. */
int checkout_file_finish(struct checkout_file *f, struct stage_stat *stat, struct store_error *err);
/* A symbolic link. */
int checkout_file_link(struct checkout_file *f, struct checkout_place *p,
	const struct checkout_action *a, const struct buf *target, struct stage_stat *stat,
	struct store_error *err);
/* Give the directory at path its recorded attributes. */
int checkout_file_dress_dir(const struct checkout *c, const char *path, const void *meta,
	size_t meta_len, struct store_error *err);
/* Remove temporaries of earlier runs from an open directory. */
void checkout_file_sweep(const struct checkout *c, int dirfd);

/* The chunk of a row, proven and of its length. */
int checkout_read_chunk(struct odb_reader *r, const struct seq_row *row, struct buf *out,
	struct store_error *err);

/* Write all files of the plan or of the target; their rows go to ops. */
int checkout_write(struct checkout *c, struct store_error *err);

#endif
