/*
 * The names of a directory in byte order, a window of them at a time: memory does not grow with the
 * directory. Where it holds more names than a window has room for (some 400,000 of usual length),
 * the least of those that were not handed out yet are kept, and the directory is read once more for
 * the next window. So nothing is written anywhere, and what is not needed for a while can be
 * dropped and read again.
 */
#ifndef STORE_WORK_LISTING_H
#define STORE_WORK_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* All zero: empty, and nothing more to come. */
struct listing {
	struct buf text; /* the names of the window, each followed by a NUL */
	uint32_t *order; /* count offsets into text, sorted by the bytes of the names */
	size_t count, next;
	size_t dirs;        /* of count, about, as far as the directory tells kinds */
	size_t held;        /* bytes of memory, about */
	bool more;          /* the directory has to be read for what follows */
	struct buf behind;  /* no name up to this one is wanted any more; empty: all are */
	bool has_leftovers; /* names of leftover.h are there; they are left out, as `.store` is */
};

void listing_release(struct listing *l);
/* Bytes that a window keeps at least, where there are so many names. */
size_t listing_window(void);
/*
 * Read the directory open at fd, from its start, into the next window; what the last one held is
 * gone. Returns 0, or -1 with errno. O(names of the directory), and sorting a window.
 */
int listing_read(struct listing *l, int fd);
/* The next name, NULL at the end of the window.  Borrowed: valid until listing_read or drop. */
static inline const char *listing_peek(const struct listing *l)
{
	return l->next < l->count ? (const char *)l->text.data + l->order[l->next] : NULL;
}
/* Give the memory back; listing_read goes on behind the last name that was handed out. */
void listing_drop(struct listing *l);

#endif
