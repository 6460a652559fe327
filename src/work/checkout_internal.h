/*
 * What the files of checkout share, and reset, restore and rm with them.
 *
 *     walk     what differs between what was checked out and what is wanted (checkout_walk.c)
 *     plan     what that means for the files on disk, or a conflict (checkout_paths.c,
 *              checkout_plan.c, checkout_action.c)
 *     write    the plan is carried out (checkout_run.c, checkout_write.c, checkout_file.c)
 *     stage    rows of the stage, HEAD (checkout_stage.c, checkout_kept.c, checkout_fresh.c)
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
#include "odb/tmp.h"
#include "work/compare.h"
#include "work/repo.h"
#include "work/spool.h"

/* ---- the walk */

/*
 * CHANGES: entries that differ between two trees; equal subtrees are not entered.  O(changes).
 * ALL: every entry of the target, and every row of the stage that the target lacks.
 * TARGET: every entry of the target.
 * STAGED: every row of the stage, which is the target.
 */
enum checkout_walk_mode {
	CHECKOUT_CHANGES,
	CHECKOUT_ALL,
	CHECKOUT_TARGET,
	CHECKOUT_STAGED,
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
	bool has_child_meta; /* recorded attributes of what is in it */
	struct map_ref child_meta;
	unsigned int flags; /* of the frame around it; of the frame itself when it is left */
};

enum {
	CHECKOUT_FRAME_IN_WAY = 1, /* this directory gives way to something else */
	CHECKOUT_FRAME_KEEP = 2,   /* it holds something that stays, so it stays */
};

struct checkout_walk;
/*
 * txn: for the stage (CHECKOUT_ALL, CHECKOUT_STAGED), else NULL. Borrowed: until the walk is freed.
 * Caller frees with checkout_walk_free.
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
	struct stage_row row; /* stat of what is to go: as the plan saw it, in place */
	uint64_t frees;       /* bytes on disk that are free again when it is done */
	const uint8_t
		*seen;    /* what the plan read in the stage: stage_seen_add; borrowed likewise */
	size_t seen_len;  /* 0: no row, or nobody asks (checkout_asks_rows) */
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

/* Recorded attributes that could not be set: how many, and the first. */
struct checkout_unset {
	uint64_t count; /* atomic */
	char first[400];
};

struct checkout;
/* Which command it is that brings files or rows back. */
struct checkout_way {
	const char *name; /* as progress tells it */
	/* Which commit, which trees, which refs. */
	int (*resolve)(struct checkout *c, struct store_error *err);
	bool moves_branch; /* that HEAD is on, and not HEAD */
	bool gives_up;     /* changes of tracked files go: that is what the command says */
	bool rows_only;    /* the stage alone: no file is looked at */
	bool files_only;   /* files alone: the stage gets new stat data at most */
	bool from_stage;   /* the stage is the target, or tells what there is */
	bool removes;      /* with paths: what is tracked and not in the target goes */
	bool at_once;      /* with paths: all rows in one publication */
	/* NULL: checkout_plan. */
	int (*plan)(struct checkout *c, struct store_error *err);
};

struct checkout {
	struct store_repo *repo;
	const struct checkout_way *way;
	void *ctx; /* of the command */
	const struct store_checkout_options *options;
	struct store_checkout_result *result;
	struct node_source nodes; /* the handle's */
	bool in_place, force;
	bool recorded;      /* give files recorded modes and times */
	bool all_recorded;  /* owner and setuid, too: only as root */
	bool straight;      /* nothing was in the folder: files go straight to their names */
	int root_fd;        /* everything is written beneath it */
	char run[TMP_NAME]; /* "c-" and what is part of the names of temporaries */
	int run_fd;         /* in place: the lock of that name in tmp/; else -1 */
	int mark_fd;        /* with `to`: the mark in the folder; -1: none */
	bool made_folder;
	struct checkout_unset *unset;
	const char **paths; /* named ones, sorted, none below another: own_options has them */
	struct store_checkout_options own_options;

	/* What is wanted, and what was. */
	struct oid commit;
	bool has_commit;
	struct entry target; /* the top; kind ENTRY_DIR, or ENTRY_NONE: nothing is to be planned */
	bool has_meta;
	struct map_ref meta;
	bool has_head;
	struct entry head;
	bool has_head_meta;
	struct map_ref head_meta;

	/* Refs. */
	struct refs_head before;
	char branch[LIMIT_REF + 1];  /* full name HEAD is to point to; "": detached */
	bool makes_branch;           /* at the commit, or moves it there, with HEAD */
	char branch_was[REFS_VALUE]; /* its value before; "-": it is new */
	struct refs_update update;
	struct buf who;

	/* The plan. */
	struct env_txn *txn; /* while planning; else NULL */
	uint64_t epoch;      /* changes of the stage from this publication on are another's */
	uint64_t stage_root;
	const char *parents_of; /* the named path whose directories were planned last */
	struct buf top;         /* what the stage has afterwards as the top's own attributes */
	bool top_is_kept;       /* they were staged before, and the target has others */
	struct compare compare;
	struct spool plan, ops;
	struct spool kept; /* changes of many: what was staged before and stays */
	uint64_t plan_writes;
	uint64_t need; /* bytes on disk */
	struct checkout_place *place;
	struct checkout_place own_place; /* what place points to on the main thread */

	/* Progress. */
	struct store_progress progress;
	int64_t last_tick_ns;
};

/* Progress and cancelling: at most ten times a second.  STORE_ECANCELED. */
int checkout_tick(struct checkout *c, struct store_error *err);
int checkout_no_memory(struct store_error *err);
/* The stage stands for what was there: -f, or a command that gives changes up. */
bool checkout_is_exact(const struct checkout *c);
/* May a tracked file go, whatever it holds, but no other? */
bool checkout_may_drop(const struct checkout *c, const struct stage_row *row);
/* The top and the recorded attributes of a commit. */
int checkout_read_tree(struct checkout *c, const struct oid *id, struct entry *top, bool *has_meta,
	struct map_ref *meta, struct store_error *err);
/*
 * rev (NULL: HEAD) as the target; HEAD before the first commit is the empty tree.
 * c->before is known.
 */
int checkout_resolve_tree(struct checkout *c, const char *rev, struct store_error *err);
/* All of it: options, way->resolve, plan, files, publication. */
int checkout_do(struct store_repo *repo, const struct checkout_way *way, void *ctx,
	const struct store_checkout_options *options, struct store_checkout_result *result,
	struct store_error *err);
/* "what 'PATH': reason" from errno. */
int checkout_fail(const char *what, const char *path, struct store_error *err);

/* ---- the plan (checkout_action.c, checkout_plan.c, checkout_paths.c) */

/*
 * Do rows go in parts, so that each is asked for what the plan read of it? Where all go at once the
 * stage is asked whether anything in it was changed.
 */
bool checkout_asks_rows(const struct checkout *c);
/* The target as a row of the stage.  Borrowed: its meta is the visit's. */
struct stage_row checkout_row_of(const struct checkout *c, const struct checkout_visit *v);
/* Add an action that needs no row to the plan. */
int checkout_plan_op(struct checkout *c, const struct checkout_visit *v, enum checkout_op op,
	unsigned int flags, struct store_error *err);
/*
 * Plan that the file on disk e goes: CHECKOUT_UNLINK, or CHECKOUT_WRITE to replace it.  What is
 * changed from now on is not what was looked at, and stays.
 */
int checkout_plan_over(struct checkout *c, const struct checkout_visit *v, enum checkout_op op,
	unsigned int flags, const struct worktree_entry *e, struct store_error *err);
/*
 * Does the file on disk e, in the directory that c->place has open, hold content and kind of row?
 * Other permission bits are no other content. *gone: it went while it was looked at.
 */
int checkout_is_on_disk(struct checkout *c, const struct worktree_entry *e,
	const struct stage_row *row, bool *same, bool *gone, struct store_error *err);
/* Is what stands under name in dirfd still what the plan saw?  STORE_ECONFLICT when not. */
int checkout_check_same(int dirfd, const char *name, const struct checkout_action *a,
	struct store_error *err);
/* Add one with the target's row; stat: what the file has already, NULL: it is not there yet. */
int checkout_plan_row(struct checkout *c, const struct checkout_visit *v, enum checkout_op op,
	unsigned int flags, const struct stage_stat *stat, struct store_error *err);
/*
 * Decide every visit of the walk, to its end.  exact: the stage stands for old: -f, or a path that
 * was named.  Conflicts are told and counted, they are no error.
 */
int checkout_plan_walk(struct checkout *c, struct checkout_walk *w, bool exact,
	struct store_error *err);
/* The same for rows alone, exact (checkout_rows.c). */
int checkout_plan_rows(struct checkout *c, struct checkout_walk *w, struct store_error *err);
/* Is the stage of directory dir what the tree has at e?  Then nothing in it was staged. */
int checkout_is_clean_dir(struct checkout *c, const struct entry *e, uint64_t dir, bool *clean,
	struct store_error *err);
/* The recorded attributes of path in the target, without child map, into out; length 0: none. */
int checkout_find_meta(struct checkout *c, const char *path, size_t len, struct buf *out,
	struct store_error *err);
/* Plan the directories above path; *stage_dir: number of the innermost one's rows, 0: none. */
int checkout_plan_parents(struct checkout *c, const char *path, uint64_t *stage_dir,
	struct store_error *err);
/* Plan rows of entries that differ in recorded attributes alone (checkout_attrs.c). */
int checkout_plan_attributes(struct checkout *c, struct store_error *err);
/* Plan the row of the top's own attributes, which no walk visits.  exact: as above. */
int checkout_plan_top(struct checkout *c, bool exact, struct store_error *err);
/* The top's own attributes in a map (NULL: there is none): length 0 when it has none. */
int checkout_top_meta(const struct checkout *c, const struct map_ref *meta, struct buf *out,
	struct store_error *err);
/*
 * Are all paths that were named in the target?  Then sort them, and leave out what stands twice or
 * lies below another: it would be planned twice.
 */
int checkout_settle_paths(struct checkout *c, struct store_error *err);
/* qsort of const char *: in the order of a walk, so that what lies below a path is right behind it.
 */
int checkout_by_path(const void *a, const void *b);
/* Is path the same as above, or below it?  "" is above all. */
bool checkout_is_within(const char *path, const char *above);
/*
 * Make the plan: STORE_ECONFLICT when content would be lost, all conflicts told. Nothing is
 * written.
 */
int checkout_plan(struct checkout *c, struct store_error *err);
/* Is the top among what is wanted?  Without paths, and with the path "". */
bool checkout_wants_top(const struct checkout *c);
/* The walk over what is to be written with `to`. */
int checkout_target_walks(struct checkout *c,
	int (*fn)(struct checkout *c, struct checkout_walk *w, struct store_error *err),
	struct store_error *err);
/* Does what is to be written fit on the disk? */
int checkout_check_space(struct checkout *c, struct store_error *err);
/* Carry the plan out; ops tells the stage. */
int checkout_run(struct checkout *c, struct store_error *err);
/* Stage and refs, as the plan has them. */
int checkout_publish(struct checkout *c, struct store_error *err);

/*
 * Open the folder of `to`, or refuse it (STORE_EEXISTS; STORE_EBUSY: somebody else writes into it),
 * and mark it as unfinished.
 */
int checkout_folder_open(struct checkout *c, struct store_error *err);
/*
 * rc: how it went. Takes the mark away when it went well or nothing was written. Returns rc, or why
 * the end failed.  Also to be called when the opening failed.
 */
int checkout_folder_close(struct checkout *c, int rc, struct store_error *err);

size_t checkout_part(void); /* rows of one publication, at most: 5,000 */

/*
 * Behind a reset to the target in w's stage record: the top's own attributes, and, without -f, what
 * was staged before and stays, which goes to the spool `kept`, too (checkout_kept.c).
 */
struct odb_writer;
int checkout_keep(struct checkout *c, struct odb_writer *w, struct store_error *err);

/* ---- a stage built aside (checkout_fresh.c) */

/* Is so much to be changed that it is built aside? */
bool checkout_fresh_pays(const struct checkout *c);
/*
 * Build the stage after the checkout, from target, ops and kept, under fresh numbers that belong to
 * the registered writer owner. *root: its top, for stage_swap_root. Many publications.
 */
int checkout_fresh_build(struct checkout *c, uint64_t owner, uint64_t *root,
	struct store_error *err);
/* Sweep what fell out of use, as long as nobody else wants the gate. */
void checkout_fresh_sweep(struct checkout *c);

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

/* Make the directory at path; one that is there is good.  STORE_ECONFLICT: something else is. */
int checkout_place_mkdir(struct checkout_place *p, const char *path, size_t len,
	struct store_error *err);

/*
 * Give the owner all rights in the directory at path, which got its recorded ones from a run before
 * and gets them again.  What is not allowed is told by whatever fails next.
 */
void checkout_place_allow(struct checkout_place *p, const char *path, size_t len);

/* rename(2) where nothing may stand under the new name: EEXIST.  0, or -1 with errno. */
int checkout_rename_new(int from_fd, const char *from, int to_fd, const char *to);

/* A file while it is written. */
struct checkout_file {
	const struct checkout *c;
	struct checkout_action action;
	struct buf bytes; /* of the action */
	int dirfd, fd;
	char tmp[64];     /* "": it stands under its own name */
	bool exists;      /* to be removed when it comes to nothing */
	bool has_room;    /* room was taken beforehand */
	bool owns_dir;    /* dirfd is its own, not the place's */
	uint64_t end;     /* behind the last byte of checkout_file_put */
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
/*
 * Let the place move on before the file is done: until then it has to stay in the file's directory.
 */
int checkout_file_own_dir(struct checkout_file *f, struct store_error *err);
bool checkout_is_zero(const struct buf *b);
/* Give it its size, attributes and own name; *stat is what it has then. */
int checkout_file_finish(struct checkout_file *f, struct odb_reader *reader,
	struct stage_stat *stat, struct store_error *err);
/* A symbolic link. */
int checkout_file_link(struct checkout_file *f, struct checkout_place *p,
	const struct checkout_action *a, const struct buf *target, struct odb_reader *reader,
	struct stage_stat *stat, struct store_error *err);

/* The chunk of a row, proven and of its length. */
int checkout_read_chunk(struct odb_reader *r, const struct seq_row *row, struct buf *out,
	struct store_error *err);

/* ---- large files (checkout_large.c) */

#define CHECKOUT_BLOCK ((size_t)4096)

/* Bytes at an end of a piece that share their block with another piece; len 0: none. */
struct checkout_edge {
	uint64_t off;
	size_t len;
	uint8_t data[CHECKOUT_BLOCK];
};

#define CHECKOUT_STRIPE ((size_t)1 << 20)

/* Where a worker gathers a piece: CHECKOUT_STRIPE bytes. */
struct checkout_stripe {
	uint8_t *buffer;
	struct checkout_file *file;
	struct checkout_edge *edges; /* two: in front and behind */
	uint64_t start;              /* offset of the buffer's first byte: a whole block */
	size_t from, len;            /* bytes of this piece in the buffer */
};

/* The block between the last piece and the next. */
struct checkout_seam {
	uint8_t *block;
	uint64_t off;
	bool is_used;
};

/* Room and O_DIRECT for a file that was begun, when it is large enough. */
int checkout_large_begin(struct checkout_file *f, const struct node_source *nodes,
	struct store_error *err);
int checkout_stripe_init(struct checkout_stripe *s);
void checkout_stripe_release(struct checkout_stripe *s);
/* A piece of f that begins at off; its edges stand in edges[0] and [1] when it has ended. */
void checkout_stripe_begin(struct checkout_stripe *s, struct checkout_file *f, uint64_t off,
	struct checkout_edge edges[2]);
/* repeat times the chunk, behind what was put before. */
int checkout_stripe_put(struct checkout_stripe *s, const struct buf *chunk, uint64_t repeat,
	struct store_error *err);
int checkout_stripe_end(struct checkout_stripe *s, struct store_error *err);
int checkout_seam_init(struct checkout_seam *m);
void checkout_seam_release(struct checkout_seam *m);
/* Edges of f, in the order of their offsets. */
int checkout_seam_add(struct checkout_seam *m, struct checkout_file *f,
	const struct checkout_edge *edge, struct store_error *err);
/* Write the last block, filled up with zeros. */
int checkout_seam_end(struct checkout_seam *m, struct checkout_file *f, struct store_error *err);

/*
 * ---- recorded attributes, given back (checkout_meta.c).  reader: of the calling thread, for
 * attributes that are objects.
 */

/* Are there recorded attributes to be given to what has this meta value? */
bool checkout_meta_has(const struct checkout *c, const void *meta, size_t meta_len);
/* Give a's to an open file that has all its content; nothing when there are none. */
int checkout_meta_file(const struct checkout *c, struct odb_reader *reader, int fd,
	const struct checkout_action *a, struct store_error *err);
/* Give a's to the symbolic link `name` in dirfd. */
int checkout_meta_link(const struct checkout *c, struct odb_reader *reader, int dirfd,
	const char *name, const struct checkout_action *a, struct store_error *err);
/*
 * Recorded attributes of directories, innermost first, when all else is done; then tells what could
 * not be set.
 */
int checkout_dress(struct checkout *c, struct store_error *err);

/* Write all files of the plan or of the target; their rows go to ops. */
int checkout_write(struct checkout *c, struct store_error *err);

#endif
