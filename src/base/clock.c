/*
 * Clocks.  The coarse clock is the one the kernel stamps files with: it is never ahead of a stamp
 * given later, which the fine clock may be.  That is what makes "changed before T" a proof.
 */
#include "base/clock.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(id, &ts); /* cannot fail for these clocks on Linux */
	return clock_ns_of(ts);
}

int64_t clock_coarse_ns(void)
{
	return read_clock(CLOCK_REALTIME_COARSE);
}

int64_t clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}
