/* What the files of store_dupes share. */
#ifndef STORE_WORK_DUPES_INTERNAL_H
#define STORE_WORK_DUPES_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "data/hash.h"
#include "work/sorter.h"
#include "work/spool.h"

#define DUPES_ENDS 4096u                   /* bytes at either end that are compared first */
#define DUPES_BUFFER ((size_t)1 << 20)     /* for reading */
#define DUPES_STORE ".store"               /* never changed */
#define DUPES_PLAN_DIGITS_MIN ((size_t)12) /* of what is told of a plan's id */

/* Actions as they are found, and as they are carried out. */
struct dupes_plan {
	struct hash *hash;  /* of all that are planned so far */
	struct spool spool; /* that wait to be carried out */
	int scratch_fd;
	struct store_dupes_file keep; /* of the group; its path is keep_path */
	struct buf keep_path, record;
};

struct dupes {
	const char *const *roots;
	const struct store_dupes_options *o;
	const struct store_walk_options *walk; /* with what is asked for filled in */
	struct store_dupes_stats *now;
	struct hash *hash;
	uint8_t *buffer; /* DUPES_BUFFER */
	int64_t ticked_ns;

	int root_fd; /* of the root that was opened last; -1: none */
	uint32_t root;

	/*
	 * Names by size, those of one size by content or its ends, and those of the same content;
	 * dupes_stage.c tells their bytes.
	 */
	struct sorter sizes, ends, same;
	struct dupes_plan plan;
	struct store_error walk_err; /* why a batch of the walk failed */
};

/* ---- dupes.c */

/* Let progress have its turn. STORE_ECANCELED when it asks for that. */
int dupes_tick(struct dupes *d, bool is_last, struct store_error *err);
int dupes_canceled(struct store_error *err);
/* Count and tell that file fails because of why. What ends the search, else 0. */
int dupes_fail(struct dupes *d, const struct store_dupes_file *file, const struct store_error *why,
	struct store_error *err);

/* ---- dupes_read.c */

/*
 * Open the file for reading, if it is still the one that was found: with its inode, device, size
 * and time. On success *fd is the caller's to close, and mode, owner and group of *file are filled
 * in. STORE_ENOTFOUND: it is not there any more; else why tells what is wrong with that file alone.
 */
int dupes_open(struct dupes *d, struct store_dupes_file *file, uint64_t size, int *fd,
	struct store_error *why);
/* Is what is open still as it was found? why as before. */
int dupes_check(struct dupes *d, const struct store_dupes_file *file, uint64_t size, int fd,
	struct store_error *why);
/*
 * Open, and the SHA-256 of the content, or of its ends, into out. 0 or what ends the search, in
 * err; *why has a code when it is the file that failed: STORE_ENOTFOUND as with dupes_open.
 */
int dupes_read(struct dupes *d, struct store_dupes_file *file, uint64_t size, bool whole,
	struct oid *out, struct store_error *why, struct store_error *err);
/* The path with its root, for messages. Returns shown. */
const char *dupes_show(const struct dupes *d, const struct store_dupes_file *file, char *shown,
	size_t cap);
/* The root as a descriptor with O_PATH, borrowed until the next call; -1 with errno. */
int dupes_root(struct dupes *d, uint32_t root);

/* ---- dupes_stage.c */

/* A name that the walk has found, into d->sizes. */
int dupes_stage_add(struct dupes *d, const struct store_walk_record *r, struct store_error *err);
/* Compare all that was found, and hand groups over. */
int dupes_stage_run(struct dupes *d, struct store_error *err);

/* ---- dupes_group.c */

/* A copy with so many names, and each of them, into d->same. */
int dupes_group_add_copy(struct dupes *d, const struct oid *id, const struct store_dupes_file *file,
	uint64_t names, struct store_error *err);
int dupes_group_add_name(struct dupes *d, const struct oid *id, const struct store_dupes_file *file,
	struct store_error *err);
/* Hand over the groups in d->same, of that size, and clear it. */
int dupes_group_hand(struct dupes *d, uint64_t size, struct store_error *err);

/* ---- dupes_plan.c */

int dupes_plan_init(struct dupes *d, struct store_error *err);
void dupes_plan_release(struct dupes *d);
/* The actions about a part of a group. */
int dupes_plan_add(struct dupes *d, const struct store_dupes_group *part, struct store_error *err);
/* All groups were added: tell the id, and carry out what was asked for. */
int dupes_plan_end(struct dupes *d, struct store_error *err);

/* ---- dupes_act.c */

/*
 * Carry out one action. 0 or what ends the search, in err; the action's state and why tell how it
 * went.
 */
int dupes_act(struct dupes *d, struct store_dupes_action *a, struct store_error *err);

#endif
