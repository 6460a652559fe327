/* Memory: overflow-checked arrays and the arena of one operation. */
#ifndef STORE_BASE_MEM_H
#define STORE_BASE_MEM_H

#include <stddef.h>

/* n × size zeroed bytes, NULL when out of memory or when the product overflows.  Caller frees with free. */
void *mem_alloc_array(size_t n, size_t size);

/*
 * Grow *ptr (n_have elements of size bytes) to hold at least n_want, at least doubling; *cap is in elements.
 * Returns 0 or STORE_ENOMEM, then nothing has changed.
 */
int mem_grow(void *ptr, size_t *cap, size_t n_want, size_t size);

/* Anonymous pages for big pools: zeroed, page-aligned, given back to the kernel by mem_pages_free. NULL = out of memory. */
void *mem_pages(size_t len);
void mem_pages_free(void *p, size_t len);

/*
 * Arena: memory of one operation, freed all at once.  Not thread-safe.
 */
struct arena {
	struct arena_block *head;
	size_t used; /* bytes handed out since init or reset */
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);
/* Forget what was handed out, keep one block for reuse. */
void arena_reset(struct arena *a);
/* len bytes, 16-byte aligned, not zeroed; NULL when out of memory.  Borrowed: valid until arena_reset or arena_release. */
void *arena_alloc(struct arena *a, size_t len);
/* A copy of len bytes followed by a NUL. */
void *arena_dup(struct arena *a, const void *data, size_t len);

#endif
