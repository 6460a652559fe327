/*
 * Memory.  Products of counts and sizes are checked here and nowhere else.  An arena is a list of
 * blocks, newest first; what does not fit in a block gets one of its own behind the head, so that
 * one large request does not waste the room that is left.
 *
 * Fault point "malloc": every allocation of this file and of base/buf.c.
 */
#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/fault.h"

#define ARENA_ALIGN 16
#define ARENA_BLOCK (64 * 1024 - 64) /* with malloc's own header just below 16 pages */

/* A T * that is read and written as a void *, which plain C does not allow. */
typedef void *__attribute__((may_alias)) any_pointer;

struct arena_block {
	struct arena_block *next;
	size_t cap, used; /* bytes of data */
	_Alignas(ARENA_ALIGN) uint8_t data[];
};

_Static_assert(_Alignof(max_align_t) >= ARENA_ALIGN, "malloc aligns blocks for the arena");

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

/* A block with room for len bytes, not yet in any list. */
static struct arena_block *new_block(size_t len)
{
	const size_t cap = len > ARENA_BLOCK ? len : ARENA_BLOCK;
	struct arena_block *b;

	if (cap > PTRDIFF_MAX - sizeof(*b) || FAULT("malloc"))
		return NULL;
	b = malloc(sizeof(*b) + cap);
	if (!b)
		return NULL;
	b->next = NULL;
	b->cap = cap;
	b->used = 0;
	return b;
}

static void free_blocks(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
}

void arena_init(struct arena *a)
{
	a->head = NULL;
	a->used = 0;
}

void arena_release(struct arena *a)
{
	free_blocks(a->head);
	arena_init(a);
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = a->head;

	a->used = 0;
	if (!keep)
		return;
	free_blocks(keep->next);
	keep->next = NULL;
	keep->used = 0;
	if (keep->cap > ARENA_BLOCK) { /* one large request is no reason to hold that much */
		free(keep);
		a->head = NULL;
	}
}

void *arena_alloc(struct arena *a, size_t len)
{
	struct arena_block *b = a->head;
	size_t rounded;

	if (__builtin_add_overflow(len, ARENA_ALIGN - 1, &rounded))
		return NULL;
	rounded &= ~(size_t)(ARENA_ALIGN - 1);
	if (rounded == 0)
		rounded = ARENA_ALIGN; /* two results never share an address */

	if (!b || b->cap - b->used < rounded) {
		b = new_block(rounded);
		if (!b)
			return NULL;
		if (a->head && rounded > ARENA_BLOCK / 4) {
			b->next = a->head->next;
			a->head->next = b;
		} else {
			b->next = a->head;
			a->head = b;
		}
	}
	b->used += rounded;
	a->used += len;
	return b->data + b->used - rounded;
}

void *arena_dup(struct arena *a, const void *data, size_t len)
{
	uint8_t *copy;

	if (len == SIZE_MAX)
		return NULL;
	copy = arena_alloc(a, len + 1);
	if (!copy)
		return NULL;
	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = 0;
	return copy;
}
