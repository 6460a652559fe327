/*
 * Records in the order of their bytes, too many for memory: what was added is sorted piece by
 * piece, the pieces wait in a file without a name, and are merged when they are read. Few records
 * never touch the disk.
 */
#ifndef STORE_WORK_SORTER_H
#define STORE_WORK_SORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct store_error;

#define SORTER_FAN 32 /* pieces that are merged at a time */

/* A piece of the file while it is read: its next record is len bytes at pos of window. */
struct sorter_source {
	struct buf window;
	size_t pos, len;
	uint64_t off, end; /* of the file: what is not yet in window */
};

struct sorter_run {
	uint64_t off, end;
};

struct sorter {
	const char *scratch; /* folder of the file; borrowed */
	size_t cap;          /* bytes of records in memory */
	struct buf text;     /* records that are in no piece: length (u32) and bytes */
	uint32_t *order;     /* where they begin in text */
	size_t order_count, order_cap, order_next;
	int fd; /* -1 until something had to be written */
	uint64_t file_end;
	struct sorter_run *runs; /* pieces, from runs_first on */
	size_t runs_first, runs_count, runs_cap;
	struct sorter_source *sources; /* SORTER_FAN of them; NULL until pieces are read */
	size_t heap[SORTER_FAN];       /* sources that have a record, the least at the top */
	size_t heap_count;
	bool has_given;   /* the record of the top was handed out */
	uint64_t count;   /* records that were added */
	uint64_t spilled; /* bytes that were ever written to the file */
};

/*
 * scratch: a folder; borrowed until sorter_release. cap: bytes, of records that wait in memory.
 * Beside them 4 bytes for each, 16 for each piece on disk, and what one record has.
 */
void sorter_init(struct sorter *s, const char *scratch, size_t cap);
void sorter_release(struct sorter *s);
/* No records, as after sorter_init; memory and file are kept, and spilled goes on. */
void sorter_clear(struct sorter *s);
/* Not after sorter_sort. Copies data. */
int sorter_add(struct sorter *s, const void *data, size_t len, struct store_error *err);
/* All records were added. */
int sorter_sort(struct sorter *s, struct store_error *err);
/*
 * The next record, len bytes at *data, the least first and equal ones as often as they were added;
 * a record that another begins with is less. STORE_ENOTFOUND without message behind the last.
 * Borrowed: valid until the next call.
 */
int sorter_next(struct sorter *s, const uint8_t **data, size_t *len, struct store_error *err);

#endif
