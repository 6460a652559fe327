/* The walk of add: working tree and stage side by side, into jobs. */
#ifndef STORE_WORK_ADD_INTERNAL_H
#define STORE_WORK_ADD_INTERNAL_H

#include "work/compare.h"
#include "work/ignore.h"
#include "work/ingest.h"

/* One directory on the way down: its listing and its rows, both in byte order of names. */
struct add_frame {
	struct worktree_dir dir;
	size_t path_len; /* of the directory, in walk->path */
	bool has_entry, entry_failed;
	struct worktree_entry entry;
	char why[160]; /* when entry_failed */
	bool in_stage;
	uint64_t number;
	struct stage_scan *scan; /* NULL: to be opened again behind `name` */
	bool has_row, rows_done, row_seen;
	char name[LIMIT_NAME + 1];
	size_t name_len;
	struct stage_row row;
	uint8_t meta[INGEST_META];
	size_t dirs_entered;
	double passed, all; /* of its names, weighed: add_part.c */
};

struct add_walk {
	struct ingest *g;
	struct store_repo *repo;
	const char *const *paths;
	size_t path_count, next_path;
	size_t parents_seen; /* bytes of the next path whose directories are looked at */
	unsigned int flags;
	struct env_txn *txn;
	int64_t renewed_ns;
	struct add_frame *frames;
	size_t depth, cap;
	struct buf path; /* of the top frame's directory, and the entry at hand */
	struct compare compare;
	struct ignore *ignore; /* NULL: ignored paths are taken, or nothing untracked is */
	struct buf list;       /* xattrs of a directory */
	uint64_t unchanged;
};

int add_walk_init(struct add_walk *w, struct ingest *g, const char *const *paths, size_t n,
	unsigned int flags, struct store_error *err);
void add_walk_release(struct add_walk *w);
/* ingest_walk_fn */
int add_walk_produce(void *ctx, struct item *item, struct store_error *err);

/*
 * For operands. The path at hand, walk->path, is set first; the others make jobs for it.
 * row: what is staged for it, or NULL.
 */
/* walk->path = path of the top frame's directory, '/', name. */
int add_walk_set_path(struct add_walk *w, const char *name, size_t len, struct store_error *err);
/* Borrowed: valid until the path changes. */
const char *add_walk_path(const struct add_walk *w);
int add_walk_notice(struct add_walk *w, struct item *item, int kind, const char *why,
	struct store_error *err);
/* A notice that it cannot be read; but memory that runs out is an error: nothing is wrong with it.
 */
int add_walk_unreadable(struct add_walk *w, struct item *item, const struct store_error *why,
	struct store_error *err);
int add_walk_delete(struct add_walk *w, struct item *item, const struct stage_row *row,
	struct store_error *err);
/* The directory that is open at fd: a job when it is new or its attributes are. */
int add_walk_dir(struct add_walk *w, struct item *item, int fd, const struct stage_row *row,
	struct store_error *err);
/*
 * Does a rule leave the untracked path at hand out, or may one that cannot be read? The latter is
 * told here.
 */
int add_walk_ignored(struct add_walk *w, struct item *item, bool is_dir, enum ignore_state *state,
	struct store_error *err);
/* Go into the directory at hand; it lies at dirfd and name. */
int add_walk_enter(struct add_walk *w, struct item *item, int dirfd, const char *name,
	const struct stage_row *row, struct store_error *err);
/* The entry e at hand, of any kind; operand: the user named it. */
int add_walk_entry(struct add_walk *w, struct item *item, int dirfd, const struct worktree_entry *e,
	const struct stage_row *row, bool operand, struct store_error *err);

/*
 * add_part.c: how far the walk is. A frame notes where it stands when the walk goes into one of
 * its directories, because its names may be dropped while it is below.
 */
void add_part_note(struct add_frame *f);
/* From 0 to 1: by the place in each directory on the way down, and among the operands. */
double add_part_of(struct add_walk *w);

/* add_operand.c: the next parent of the next operand, or the operand itself. */
int add_walk_operand(struct add_walk *w, struct item *item, struct store_error *err);

#endif
