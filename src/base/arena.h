/* Arena: memory of one operation, freed all at once.  Not thread-safe. */
#ifndef STORE_BASE_ARENA_H
#define STORE_BASE_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_block *head;
	size_t used; /* bytes handed out since init or reset */
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);
/* Forget what was handed out, keep one block for reuse. */
void arena_reset(struct arena *a);
/*
 * len bytes, 16-byte aligned, not zeroed; NULL when out of memory.  Borrowed: valid until
 * arena_reset or arena_release.
 */
void *arena_alloc(struct arena *a, size_t len);
/* A copy of len bytes followed by a NUL. */
void *arena_dup(struct arena *a, const void *data, size_t len);

#endif
