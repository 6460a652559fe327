/*
 * Directories that wait to be read by a walk: first in, first out, or last in, first out. So many
 * are in memory; further ones are in a file without a name, none is ever refused.
 *
 * Threads: the caller's lock guards it.
 */
#ifndef STORE_WORK_WALK_QUEUE_H
#define STORE_WORK_WALK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct store_error;

/* path is the caller's; all zero is empty. */
struct walk_dir {
	uint32_t root, depth;
	uint64_t device; /* of the root; not known of a root itself */
	struct buf path; /* below the root */
};

struct walk_queue {
	bool is_stack;
	size_t max;          /* in memory, at least 1 */
	const char *scratch; /* folder of the file; borrowed */
	struct buf head;     /* FIFO: what goes out next, from head_at on */
	size_t head_at, head_count;
	struct buf tail; /* what came in last */
	size_t tail_count;
	int fd; /* -1 until something had to be written */
	uint64_t file_begin, file_end;
	uint64_t count;   /* of all */
	uint64_t spilled; /* that were ever written */
};

/* scratch: a folder; borrowed until walk_queue_release. */
void walk_queue_init(struct walk_queue *q, bool is_stack, size_t max, const char *scratch);
void walk_queue_release(struct walk_queue *q);
/* Copies d. */
int walk_queue_put(struct walk_queue *q, const struct walk_dir *d, struct store_error *err);
/* Into out, whose path is replaced. STORE_ENOTFOUND without message when none waits. */
int walk_queue_take(struct walk_queue *q, struct walk_dir *out, struct store_error *err);

#endif
