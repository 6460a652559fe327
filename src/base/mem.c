/*
 * Memory.  Products of counts and sizes are checked here and nowhere else.
 *
 * Fault point "malloc": every allocation of this file, of base/arena.c and of base/buf.c.
 */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/fault.h"

/* A T * that is read and written as a void *, which plain C does not allow. */
typedef void *__attribute__((may_alias)) any_pointer;

void *mem_alloc_array(size_t n, size_t size)
{
	size_t len;

	if (__builtin_mul_overflow(n, size, &len) || len > PTRDIFF_MAX || FAULT("malloc"))
		return NULL;
	return calloc(1, len > 0 ? len : 1); /* NULL always means out of memory */
}

int mem_grow(void *ptr, size_t *cap, size_t n_want, size_t size)
{
	size_t n = *cap, len;
	any_pointer *at = ptr;
	void *grown;

	if (n_want <= *cap)
		return 0;
	if (__builtin_mul_overflow(n, 2, &n) || n < n_want)
		n = n_want;
	if (n < 8)
		n = 8;
	if (__builtin_mul_overflow(n, size, &len) || len > PTRDIFF_MAX || FAULT("malloc"))
		return STORE_ENOMEM;

	grown = realloc(*at, len > 0 ? len : 1);
	if (!grown)
		return STORE_ENOMEM;
	*at = grown;
	*cap = n;
	return 0;
}

void *mem_pages(size_t len)
{
	void *p;

	if (FAULT("malloc"))
		return NULL;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void mem_pages_free(void *p, size_t len)
{
	if (p)
		munmap(p, len);
}
