/*
 * One ring of records, and one of the bytes of their paths.
 *
 * A path lies in one piece: where the end of text has no room for it, the rest there is left empty,
 * and it goes to the beginning. Text is free from text_end up to text_begin; the two are equal only
 * when the ring holds nothing, for text is never filled to the brim.
 */
#include "work/walk_ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define TEXT_BYTES ((size_t)4 << 20)

int walk_ring_init(struct walk_ring *r, size_t batch_size, size_t found_max, size_t sending_max,
	struct store_error *err)
{
	memset(r, 0, sizeof(*r));
	r->batch_size = batch_size;
	r->found_max = found_max;
	r->sending_max = sending_max;
	r->cap = found_max + sending_max;
	r->slots = mem_alloc_array(r->cap, sizeof(*r->slots));
	r->batch = mem_alloc_array(batch_size, sizeof(*r->batch));
	r->text = malloc(TEXT_BYTES);
	return r->slots && r->batch && r->text
		? 0
		: store_error_set(err, STORE_ENOMEM, "out of memory");
}

void walk_ring_release(struct walk_ring *r)
{
	free(r->slots);
	free(r->batch);
	free(r->text);
	memset(r, 0, sizeof(*r));
}

static struct walk_slot *slot_at(const struct walk_ring *r, size_t i)
{
	return &r->slots[(r->first + i) % r->cap];
}

/* Where len bytes have room in one piece, and one is left over; NULL: nowhere. */
static char *find_room(struct walk_ring *r, size_t len)
{
	if (r->sending + r->found == 0)
		r->text_begin = r->text_end = 0;
	if (r->text_end < r->text_begin)
		return r->text_begin - r->text_end > len ? r->text + r->text_end : NULL;
	if (TEXT_BYTES - r->text_end > len)
		return r->text + r->text_end;
	return r->text_begin > len ? r->text : NULL;
}

bool walk_ring_put(struct walk_ring *r, const struct store_walk_record *record, int64_t now_ns)
{
	struct walk_slot *slot;
	char *room = r->found < r->found_max ? find_room(r, record->path_len + 1) : NULL;

	if (!room)
		return false;
	memcpy(room, record->path, record->path_len + 1);
	r->text_end = (size_t)(room - r->text) + record->path_len + 1;
	slot = slot_at(r, r->sending + r->found);
	*slot = (struct walk_slot){ .record = *record, .found_ns = now_ns };
	slot->record.path = room;
	r->found++;
	return true;
}

/* The oldest n in no batch become one. */
static void cut(struct walk_ring *r, size_t n)
{
	slot_at(r, r->sending + n - 1)->ends_batch = true;
	r->sending += n;
	r->found -= n;
	r->batches++;
}

bool walk_ring_cut(struct walk_ring *r)
{
	const size_t before = r->batches;

	while (r->found >= r->batch_size && r->sending + r->batch_size <= r->sending_max)
		cut(r, r->batch_size);
	return r->batches > before;
}

bool walk_ring_cut_rest(struct walk_ring *r)
{
	walk_ring_cut(r);
	if (r->batches == 0 && r->found > 0)
		cut(r, r->found < r->batch_size ? r->found : r->batch_size);
	return r->batches > 0;
}

int64_t walk_ring_oldest(const struct walk_ring *r)
{
	return r->found > 0 ? slot_at(r, r->sending)->found_ns : INT64_MAX;
}

const struct store_walk_record *walk_ring_take(struct walk_ring *r, size_t *n)
{
	const struct walk_slot *slot;

	*n = 0;
	if (r->batches == 0)
		return NULL;
	do {
		slot = slot_at(r, *n);
		r->batch[(*n)++] = slot->record;
	} while (!slot->ends_batch);
	return r->batch;
}

void walk_ring_drop(struct walk_ring *r, size_t n)
{
	const struct store_walk_record *last = &slot_at(r, n - 1)->record;

	r->text_begin = (size_t)(last->path - r->text) + last->path_len + 1;
	r->first = (r->first + n) % r->cap;
	r->sending -= n;
	r->batches--;
}
