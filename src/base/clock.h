/* Clocks. */
#ifndef STORE_BASE_CLOCK_H
#define STORE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds since 1970 on the coarse clock the kernel stamps files with. */
int64_t clock_coarse_ns(void);
/* Nanoseconds since an arbitrary start; never goes back. */
int64_t clock_mono_ns(void);

static inline int64_t clock_ns_of(struct timespec ts)
{
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#endif
