/* Memory: overflow-checked arrays and pages.  The arena of one operation is base/arena.h. */
#ifndef STORE_BASE_MEM_H
#define STORE_BASE_MEM_H

#include <stddef.h>

/*
 * n × size zeroed bytes, NULL when out of memory or when the product overflows.  Caller frees with
 * free.
 */
void *mem_alloc_array(size_t n, size_t size);

/*
 * Grow *ptr (n_have elements of size bytes) to hold at least n_want, at least doubling; *cap is in
 * elements. Returns 0 or STORE_ENOMEM, then nothing has changed.
 */
int mem_grow(void *ptr, size_t *cap, size_t n_want, size_t size);

/*
 * Anonymous pages for big pools: zeroed, page-aligned, given back to the kernel by mem_pages_free.
 * NULL = out of memory.
 */
void *mem_pages(size_t len);
void mem_pages_free(void *p, size_t len);

#endif
