/* What the files of store_diff share: the entries that wait, and the two walks that find them. */
#ifndef STORE_WORK_DIFF_INTERNAL_H
#define STORE_WORK_DIFF_INTERNAL_H

#include "work/status_internal.h"
#include "work/view_internal.h"

/* ---- diff.c: entries in order, each with its path */

/* One side of an entry with what is recorded of it. */
struct diff_value {
	struct entry entry; /* kind ENTRY_NONE: absent */
	bool is_work;       /* the file on disk: of entry only kind and size are known */
	bool has_mode;
	uint32_t mode;
};

#define DIFF_QUEUE 4 /* more than one step of a walk can find */

struct diff_queue {
	struct {
		struct store_diff_entry entry;
		struct buf path;
	} items[DIFF_QUEUE];
	size_t head, count;
};

/*
 * Add an entry for path (len bytes): its letter follows from the two sides, of which one is there.
 * same_content: of two that are. Copies all.
 */
int diff_queue_add(struct diff_queue *q, const void *path, size_t len, const struct diff_value *a,
	const struct diff_value *b, bool same_content, struct store_error *err);

/* ---- diff_trees.c: a tree against a tree, or against the stage */

struct diff_trees {
	struct store_repo *repo;
	struct node_source src;
	struct env_txn *txn; /* NULL: no side is the stage */
	const struct store_diff_options *options;
	struct diff_queue *queue;
	struct diff_level *levels; /* count of them, the innermost last */
	size_t count, cap;
	struct buf path, value;
	uint64_t ticks;
	int64_t last_progress_ns;
};

/* A tree and the map of recorded attributes that belongs to it.  All zero: the empty tree. */
struct diff_top {
	struct entry entry;
	bool has_meta;
	struct map_ref meta;
};

/* From a to b, NULL: to the stage. diff_trees_end in any case. */
int diff_trees_begin(struct diff_trees *d, const struct diff_top *a, const struct diff_top *b,
	struct store_error *err);
/* One difference more, or back to the directory above; while d->count > 0. */
int diff_trees_step(struct diff_trees *d, struct store_error *err);
void diff_trees_end(struct diff_trees *d);

/* ---- diff_work.c: the stage or a tree against the working tree */

struct diff_work {
	struct status_walk walk;
	struct store_status_options options;
	struct store_status_result result;
	struct diff_queue *queue;
	bool from_stage;
	/* A file where the tree has a directory: it comes behind all that is deleted there. */
	bool has_held;
	size_t held_count; /* directories open where it stands */
	struct buf held_path;
	struct diff_value held;
	struct buf meta; /* of the commit, for the comparison in hand */
};

/* a: NULL: from the stage.  diff_work_end in any case. */
int diff_work_begin(struct diff_work *d, struct store_repo *repo, struct env_txn *txn,
	const struct diff_top *a, const struct store_diff_options *options,
	struct diff_queue *queue, struct store_error *err);
int diff_work_step(struct diff_work *d, struct store_error *err);
void diff_work_end(struct diff_work *d);

#endif
