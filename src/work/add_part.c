/*
 * How far the walk of add is, for the time that is left before it is through. Nothing is walked for
 * it: in each directory on the way down it is known how many names there are, and how many of them
 * are behind. A directory counts as much as DIR_WEIGHT files: more than one, or a few directories
 * beside many files would come as a surprise; what it really holds nobody knows before it is read.
 *
 * It is a guess, and told as one. A tree of like parts makes it a good one; of one large file
 * beside many small ones it is as wrong as anybody's who has not seen it all.
 */
#include "work/add_internal.h"

#define DIR_WEIGHT 16.0

void add_part_note(struct add_frame *f)
{
	const struct listing *l = &f->dir.names;
	const size_t dirs = f->dirs_entered > l->dirs ? f->dirs_entered : l->dirs;
	const size_t next = l->next > f->dirs_entered ? l->next - f->dirs_entered : 0;

	/* What was dropped is told by what was noted when the walk went down. */
	if (l->count == 0)
		return;
	f->passed = (double)next + DIR_WEIGHT * (double)f->dirs_entered;
	f->all = (double)(l->count > dirs ? l->count - dirs : 0) + DIR_WEIGHT * (double)dirs;
}

double add_part_of(struct add_walk *w)
{
	double part = 0;

	for (size_t i = w->depth; i-- > 0;) {
		struct add_frame *f = &w->frames[i];

		if (i + 1 == w->depth)
			add_part_note(f);
		if (f->all <= 0)
			continue;
		part = (f->passed + DIR_WEIGHT * part) / f->all;
		part = part < 1 ? part : 1;
	}
	return ((double)w->next_path - (w->depth > 0) + part) / (double)w->path_count;
}
