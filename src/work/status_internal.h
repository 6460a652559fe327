/* What the files of status share: HEAD's side of one directory, one path, rows to stamp anew. */
#ifndef STORE_WORK_STATUS_INTERNAL_H
#define STORE_WORK_STATUS_INTERNAL_H

#include "graph/entry.h"
#include "graph/map.h"
#include "graph/stage.h"
#include "work/compare.h"
#include "work/ignore.h"
#include "work/repo.h"
#include "work/spool.h"

/* ---- status_head.c */

/* What HEAD has under a name. */
struct head_value {
	bool same;          /* what the stage has; entry and meta are not filled */
	struct entry entry; /* kind ENTRY_NONE: nothing */
	bool has_meta;
	struct meta meta;
};

enum head_mode {
	HEAD_NONE,  /* HEAD has no directory there */
	HEAD_SAME,  /* the stage has the very same, all the way down: nothing is read */
	HEAD_DIRTY, /* the same but for the dirty rows: only these are looked up */
	HEAD_FULL,  /* all names of HEAD's map, in step with the stage */
};

/* HEAD's side of one directory.  All zero: HEAD_NONE. */
struct head_dir {
	enum head_mode mode;
	struct node_source src;
	struct map_ref map, meta;
	bool has_meta;
	struct map_cursor *cursor, *meta_cursor; /* HEAD_FULL; NULL while suspended */
	struct map_item item, meta_item;
	bool has_item, has_meta_item; /* the next ones */
	struct stage_scan *dirty;     /* HEAD_DIRTY */
	const uint8_t *dirty_name;    /* NULL: no more */
	size_t dirty_len;
	struct buf value;
};

/*
 * dir: what the directory above has under this name; with_meta: recorded attributes count.
 * stage_dir: the stage's directory of this name, 0 when it has none. status_head_close in any case.
 */
int status_head_open(struct head_dir *h, const struct node_source *src, struct env_txn *txn,
	const struct head_value *dir, uint64_t stage_dir, bool with_meta, struct store_error *err);
void status_head_close(struct head_dir *h);

/* The next name that is known from this side, or NULL.  Borrowed: valid until the next take. */
const uint8_t *status_head_peek(const struct head_dir *h, size_t *len);
/*
 * What HEAD has under name. Names ascend from call to call; in_stage: the stage has an entry of
 * that name.
 */
int status_head_take(struct head_dir *h, const uint8_t *name, size_t len, bool in_stage,
	struct head_value *out, struct store_error *err);

/* Give up the cursors, which hold nodes; and find the place behind name again. */
void status_head_suspend(struct head_dir *h);
int status_head_resume(struct head_dir *h, const uint8_t *name, size_t len,
	struct store_error *err);

/* ---- status_touch.c */

/* Rows to stamp anew. */
struct status_touch {
	struct store_repo *repo;
	struct stage_batch *batch; /* the first ones; NULL: none are wanted */
	struct spool rest;
	struct buf record;
};

void status_touch_init(struct status_touch *t, struct store_repo *repo);
void status_touch_release(struct status_touch *t);
/*
 * row: as found, with its new stat data. When it cannot be kept, no row is stamped: it is a favour.
 * Copies path and row. Memory is bounded.
 */
void status_touch_add(struct status_touch *t, const void *path, size_t len,
	const struct stage_row *row);
/*
 * Write them, in batches, for as long as nobody else holds the gate; once, and outside of any
 * transaction. Returns the number of publications.
 */
uint64_t status_touch_publish(struct status_touch *t);

/* ---- status_walk.c */

enum status_tree {
	STATUS_ABSENT,
	STATUS_HERE,
	STATUS_UNKNOWN, /* it could not be looked at */
};

enum status_wanted {
	STATUS_UNWANTED,
	STATUS_WANTED_BELOW, /* something below it may be */
	STATUS_WANTED,
};

struct status_item;
/*
 * Who takes the paths of a walk instead of options->entry: each wanted one that stage or HEAD have,
 * files and links by `file`, directories by `dir` before what is below them. dirfd: of the
 * directory that holds it. is_empty: the stage has nothing below it.
 */
struct status_taker {
	int (*file)(void *ctx, const struct status_item *i, int dirfd, struct store_error *err);
	int (*dir)(void *ctx, const struct status_item *i, bool is_empty, enum status_tree state,
		struct store_error *err);
};

struct status_walk {
	struct store_repo *repo;
	const struct store_status_options *options;
	struct store_status_result *result;
	const char *stage;                /* of progress; NULL: "status" */
	const struct status_taker *taker; /* NULL: options->entry gets the paths */
	void *taker_ctx;
	const char *const *paths;
	size_t n_paths;
	struct env_txn *txn;
	struct node_source src;
	struct compare compare;
	struct status_touch touch;
	struct ignore *ignore;
	struct buf path;             /* of the entry in hand */
	struct status_frame *frames; /* count of them, the innermost last */
	size_t count, cap;
	uint64_t ticks;
	int64_t last_progress_ns;
	/* Of progress: what HEAD has; where the file in hand begins, and what had been read then.
	 */
	uint64_t files_total, bytes_total;
	uint64_t item_at, item_read;
	bool has_no_memory; /* for something that is not to be called unreadable: an error */
};

/*
 * Walk all three trees from the top. top: HEAD's tree (kind ENTRY_NONE: no commit yet).
 * status_walk_end in any case.
 */
int status_walk_begin(struct status_walk *w, const struct head_value *top, struct store_error *err);
/* One path more, or back to the directory above; while w->count > 0. */
int status_walk_step(struct status_walk *w, struct store_error *err);
void status_walk_end(struct status_walk *w);

/* ---- status_item.c */

/* One path, as the three have it. */
struct status_item {
	enum status_wanted wanted;
	struct head_value head;
	struct stage_row row; /* kind ENTRY_NONE: not staged */
	enum status_tree tree;
	struct worktree_entry e;
};

/*
 * Is path (len bytes) at or below one of paths?  None: all are wanted.  One that ends with '/' is
 * that of a directory alone: a directory asks with a '/' behind its own path.
 */
enum status_wanted status_wanted(const char *const *paths, size_t n, const void *path, size_t len);

int status_no_memory(struct store_error *err);
int status_canceled(struct store_error *err);
/* Tell progress, at most ten times a second.  ctx: the status_walk.  Non-zero: cancel. */
int status_tick(void *ctx);
/* About the path in hand; the result counts STORE_NOTICE_UNREADABLE and STORE_NOTICE_LIMIT. */
void status_notice(struct status_walk *w, enum store_notice_kind kind, const char *text);
void status_unreadable(struct status_walk *w, const struct store_error *why);
/*
 * Is the untracked path in hand ignored? Rules that cannot be read are told here, once for their
 * directory.
 */
int status_ignored(struct status_walk *w, const struct status_item *i, enum ignore_state *state,
	struct store_error *err);
/* Tell of an untracked path that add would leave out, because a limit of the format does. */
bool status_is_over_limit(struct status_walk *w, const struct status_item *i);

/* Do HEAD and stage record other attributes?  Owner and xattrs only where both record them. */
bool status_item_has_other_attributes(const struct status_item *i);
/* HEAD against the stage: ' ', A, M, D or T; directories count as nothing here. */
char status_item_x(const struct status_item *i);
/*
 * The stage against the working tree: ' ', M, D or T. dirfd: the directory that holds it. Reads the
 * file only when attributes cannot tell.
 */
int status_item_y(struct status_walk *w, const struct status_item *i, int dirfd, char *y,
	struct store_error *err);
/* Hand out the path in hand; slash: it is a directory. */
int status_item_report(struct status_walk *w, const struct status_item *i, char x, char y,
	bool slash, struct store_error *err);

#endif
