/*
 * Where a replay of stage records begins.
 *
 * A reset of the root, and its deletion, take the place of all that was staged before; the root's
 * own attributes alone stay. So records are looked through once, without a tree being read, and a
 * replay begins with the last such operation and the attributes that were given to the root last
 * before it. Of a hundred checkouts one tree is read instead of a hundred.
 *
 * A reset whose tree cannot be read has no effect. That shows when it is tried, so the newest
 * STARTS are kept, and where all of them fail every operation is applied.
 *
 * What a record says before the start is still checked as bytes. That a move there was of something
 * that is not there shows only in a stage as it was then, and is not told: nothing is lost by it.
 * For the same reason a start is only what no move or reset stands before in its own record;
 * attributes of the root count behind those, too, as a checkout gives them.
 */
#include <string.h>

#include "work/rebuild_internal.h"

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

int rebuild_place_cmp(const struct rebuild_place *a, const struct rebuild_place *b)
{
	int c = compare_u64(a->pack, b->pack);

	if (c == 0)
		c = compare_u64(a->off, b->off);
	if (c == 0)
		c = compare_u64(a->record, b->record);
	return c != 0 ? c : compare_u64(a->op, b->op);
}

void rebuild_note(struct rebuild_starts *s, const struct rebuild_place *at,
	const struct rebuild_op *o)
{
	const bool is_sure = at->op == 1 || !s->may_end;

	/* Moves and resets can go wrong, and what follows them in their record goes with them. */
	s->may_end = !is_sure || o->kind == STAGE_MOVE || o->kind == STAGE_RESET;
	if (o->path.len > 0)
		return;
	if (o->kind == STAGE_SET) {
		s->top.has = true;
		s->top.len = o->row.meta_len;
		memcpy(s->top.meta, o->row.meta, s->top.len);
	} else if (is_sure && (o->kind == STAGE_DELETE || o->kind == STAGE_RESET)) {
		s->items[s->count++ % REBUILD_STARTS] = (struct rebuild_start){ .place = *at,
			.kind = o->kind,
			.root = o->root,
			.meta = o->meta,
			.has_meta = o->has_meta,
			.top = s->top };
	}
}

const struct rebuild_start *rebuild_start(const struct rebuild_starts *s, size_t back)
{
	if (back >= s->count || back >= REBUILD_STARTS)
		return NULL;
	return &s->items[(s->count - 1 - back) % REBUILD_STARTS];
}
