/*
 * One trace, off by default: STORE_TRACE=area[,area...|all][:file] prints "seconds thread area
 * key=value ..." lines to stderr or the file.  Costs one load when off.
 */
#ifndef STORE_BASE_TRACE_H
#define STORE_BASE_TRACE_H

#include <stdbool.h>

enum trace_area {
	TRACE_PACK = 1 << 0,    /* "pack": packs begun, sealed, blocks read */
	TRACE_PUBLISH = 1 << 1, /* "publish": publications, their steps and sizes */
	TRACE_OBJECT = 1 << 2,  /* "object": every object put or decoded */
	TRACE_NODE = 1 << 3,    /* "node": map and sequence nodes made or read */
	TRACE_WALK = 1 << 4,    /* "walk": directories listed, files opened */
	TRACE_PIPE = 1 << 5,    /* "pipe": pipelines started and ended */
	TRACE_LOCK = 1 << 6,    /* "lock": the gate, writers, sweeps */
};

/* True when the area is asked for. */
bool trace_on(enum trace_area area);
/* One line; fmt gives the key=value part. */
void trace_print(enum trace_area area, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define TRACE(area, ...) \
	do { \
		if (trace_on(area)) \
			trace_print(area, __VA_ARGS__); \
	} while (0)

#endif
