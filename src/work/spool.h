/*
 * A row of records too many for memory: written to a nameless file, read back once from the start,
 * or taken off the end again. Small rows never touch the disk.
 */
#ifndef STORE_WORK_SPOOL_H
#define STORE_WORK_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct store_error;

struct spool {
	int dirfd;         /* where the file goes; borrowed */
	int fd;            /* -1 while all is in memory */
	struct buf buffer; /* what is not yet written, or what was read ahead */
	uint64_t written;  /* bytes in the file */
	uint64_t read_off; /* reading: bytes of the file taken into the buffer */
	size_t pos;        /* reading: in the buffer */
	size_t count;
};

void spool_init(struct spool *s, int dirfd);
void spool_release(struct spool *s);
int spool_add(struct spool *s, const void *data, size_t len, struct store_error *err);
/* Go to the first record.  What is in memory may have to be written first: that can fail. */
int spool_rewind(struct spool *s, struct store_error *err);
/* The next record into out (replaced); STORE_ENOTFOUND at the end. */
int spool_next(struct spool *s, struct buf *out, struct store_error *err);
/*
 * The last record off the end, into data, of a spool whose records all have len bytes and that is
 * read in no other way. STORE_ENOTFOUND when none is left.
 */
int spool_pop(struct spool *s, void *data, size_t len, struct store_error *err);

/* A new file without a name in the folder dirfd, open to write and read. Caller closes *fd. */
int spool_open_file(int dirfd, int *fd, struct store_error *err);

#endif
