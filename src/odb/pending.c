/*
 * A hash table with open addressing over ids, which are random already. It holds one batch, so it
 * stays small; half of it is always free, and a slot that goes is filled from behind, so there are
 * no tombstones.
 */
#include "odb/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

struct pending *pending_find(const struct pending_table *t, const struct oid *id)
{
	size_t i = (size_t)id_low64(id) & (t->cap - 1);

	while (t->slots[i].state != PENDING_FREE && !id_eq(&t->slots[i].id, id))
		i = (i + 1) & (t->cap - 1);
	return &t->slots[i];
}

static int resize_table(struct pending_table *t, size_t cap)
{
	struct pending_table bigger = { mem_alloc_array(cap, sizeof(*t->slots)), cap, t->count };

	if (!bigger.slots)
		return STORE_ENOMEM;
	for (size_t i = 0; i < t->cap; i++) {
		if (t->slots[i].state != PENDING_FREE)
			*pending_find(&bigger, &t->slots[i].id) = t->slots[i];
	}
	free(t->slots);
	*t = bigger;
	return 0;
}

struct pending *pending_take(struct pending_table *t, const struct oid *id)
{
	struct pending *p;

	if ((t->count + 1) * 2 > t->cap && resize_table(t, t->cap ? t->cap * 2 : 1024) != 0)
		return NULL;
	p = pending_find(t, id);
	if (p->state == PENDING_FREE) {
		memset(p, 0, sizeof(*p));
		p->id = *id;
		t->count++;
	}
	return p;
}

/* The gap behind it is closed, so that searches still end at the first free slot. */
void pending_drop(struct pending_table *t, struct pending *p)
{
	size_t hole = (size_t)(p - t->slots), i = hole;

	for (;;) {
		size_t home;

		i = (i + 1) & (t->cap - 1);
		if (t->slots[i].state == PENDING_FREE)
			break;
		home = (size_t)id_low64(&t->slots[i].id) & (t->cap - 1);
		if (((i - home) & (t->cap - 1)) >= ((i - hole) & (t->cap - 1))) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole].state = PENDING_FREE;
	t->count--;
}

void pending_keep_claims(struct pending_table *t)
{
	struct pending_table kept = { 0 };

	for (size_t i = 0; i < t->cap; i++) {
		if (t->slots[i].state == PENDING_CLAIMED) {
			struct pending *p = pending_take(&kept, &t->slots[i].id);

			/* Out of memory here only costs a second copy of one object. */
			if (p)
				*p = t->slots[i];
		}
	}
	free(t->slots);
	*t = kept;
}
