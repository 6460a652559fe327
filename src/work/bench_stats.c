/*
 * The median, because one round that another program disturbed must not move a figure; least and
 * greatest beside it tell how quiet the machine was.
 */
#include <stdlib.h>

#include "work/bench_internal.h"

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_stats(double *samples, size_t n, struct bench_summary *out)
{
	qsort(samples, n, sizeof(*samples), compare);
	out->min = samples[0];
	out->max = samples[n - 1];
	out->median = n % 2 ? samples[n / 2] : (samples[n / 2 - 1] + samples[n / 2]) / 2;
}
