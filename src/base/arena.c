/*
 * The arena: a list of blocks, newest first.  What does not fit in a block gets one of its own
 * behind the head, so that one large request does not waste the room that is left.
 *
 * Fault point "malloc": every allocation of this file, of base/mem.c and of base/buf.c.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define ARENA_ALIGN 16
#define ARENA_BLOCK (64 * 1024 - 64) /* with malloc's own header just below 16 pages */

struct arena_block {
	struct arena_block *next;
	size_t cap, used; /* bytes of data */
	_Alignas(ARENA_ALIGN) uint8_t data[];
};

_Static_assert(_Alignof(max_align_t) >= ARENA_ALIGN, "malloc aligns blocks for the arena");

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
