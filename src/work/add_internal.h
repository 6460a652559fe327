/* The walk of add: working tree and stage side by side, into jobs. */
#ifndef STORE_WORK_ADD_INTERNAL_H
#define STORE_WORK_ADD_INTERNAL_H

#include "work/compare.h"
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
	struct buf list; /* xattrs of a directory */
	uint64_t unchanged;
};

int add_walk_init(struct add_walk *w, struct ingest *g, const char *const *paths, size_t n,
	unsigned int flags, struct store_error *err);
void add_walk_release(struct add_walk *w);
/* ingest_walk_fn */
int add_walk_produce(void *ctx, struct item *item, struct store_error *err);

#endif
