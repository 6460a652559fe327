/*
 * What the files of store_walk share.
 *
 * Threads: scanners and the thread that called share struct walk; each field says its lock.
 */
#ifndef STORE_WORK_WALK_INTERNAL_H
#define STORE_WORK_WALK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "work/ignore_internal.h"
#include "work/walk_queue.h"
#include "work/walk_ring.h"

#define WALK_SCANNERS_MAX 64
#define WALK_FAILURES 16 /* that wait to be told */

/* Options with every default filled in, and copies of what they point to. */
struct walk_plan {
	struct store_walk_options o;
	struct ignore_rules excludes;
	char **names; /* endings, NULL-terminated; NULL: any */
};

/* A failure that waits to be told; its path is its own. */
struct walk_failure {
	struct store_error why;
	uint32_t root, depth;
	struct buf path;
};

struct walk {
	const struct walk_plan *plan;
	const char *const *roots;
	bool is_alone; /* one scanner, which is the thread that called */

	pthread_mutex_t lock;
	pthread_cond_t can_scan;     /* queue, scanning or stop changed */
	pthread_cond_t can_put;      /* ring or failures have room again, or stop changed */
	pthread_cond_t can_take;     /* ring or failures hold something, or scanners ended */
	struct walk_queue queue;     /* guarded by lock */
	struct walk_ring ring;       /* guarded by lock; a batch that was taken is the caller's */
	size_t failures_first;       /* guarded by lock */
	size_t failures_count;       /* guarded by lock */
	unsigned int scanning;       /* guarded by lock; directories that are being read */
	unsigned int running;        /* guarded by lock; scanners that have not ended */
	struct store_walk_stats now; /* guarded by lock; pending counts those being read, too */
	int rc;                      /* guarded by lock; why it ends early */
	struct store_error err;      /* guarded by lock; likewise */
	atomic_bool stop;            /* set under lock; read anywhere */
	struct walk_failure failures[WALK_FAILURES]; /* guarded by lock */

	int64_t ticked_ns; /* the caller's; when progress was last called */
};

/* ---- walk_plan.c */

/* options may be NULL. walk_plan_release in any case. */
int walk_plan_make(struct walk_plan *p, const struct store_walk_options *options,
	struct store_error *err);
void walk_plan_release(struct walk_plan *p);
/* The folder for what waits on disk; given may be NULL. Borrowed: valid while given and TMPDIR are.
 */
const char *walk_plan_scratch(const char *given);
/* Has a file of that name and size passed the filters that are about files? */
bool walk_plan_takes_size(const struct walk_plan *p, uint64_t size);
bool walk_plan_takes_name(const struct walk_plan *p, const char *name);
/* name begins at name_off in path, which is below its root. */
bool walk_plan_excludes(const struct walk_plan *p, const char *path, size_t len, size_t name_off,
	bool is_dir);

/* ---- walk_scan.c */

/* Read directories until none is pending, or the walk stops. */
void walk_scan(struct walk *w);

/* ---- walk.c: called by scanners, without the lock */

/* Hand a record on; waits for room. Copies it. */
void walk_send(struct walk *w, const struct store_walk_record *record);
/* Count and tell what could not be done at path, len bytes, ended by NUL. Copies all. */
void walk_fail(struct walk *w, uint32_t root, uint32_t depth, const char *path, size_t len,
	const struct store_error *why);
/* The walk ends with rc. */
void walk_end(struct walk *w, int rc, const struct store_error *why);
/* A scanner that is alone lets the callbacks have their turn; else nothing. */
void walk_breathe(struct walk *w);

#endif
