/*
 * Pages of the mapped database: they are the kernel's cache, yet count in our resident size, so
 * what was touched is given back from time to time.
 */
#ifndef STORE_ODB_ENV_PAGES_H
#define STORE_ODB_ENV_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env_pages {
	uint8_t *map;   /* where the data file is mapped, NULL unknown */
	size_t touched; /* bytes since pages were given back; a hint, updated by atomics */
};

/* Find out where fd is mapped. */
void env_pages_find(struct env_pages *p, int fd);
/* len bytes more were looked at.  True: it is time to give the pages back. */
static inline bool env_pages_touch(struct env_pages *p, size_t len)
{
	return __atomic_add_fetch(&p->touched, len, __ATOMIC_RELAXED) >= (size_t)16 << 20 && p->map;
}
/* Give back the first len bytes of the map. */
void env_pages_drop(struct env_pages *p, size_t len);

#endif
