/*
 * A pack being written in tmp/. Blocks are appended whole; seal writes the footer and makes the
 * bytes durable; publication gives the name.
 */
#ifndef STORE_ODB_PACK_WRITE_H
#define STORE_ODB_PACK_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "odb/pack.h"
#include "odb/tmp.h"

struct pack_write {
	int tmp_dir; /* borrowed descriptor of tmp/ */
	int fd;      /* holds the lock; -1 before begin */
	int read_fd; /* the same file for reading back, -1 until needed */
	char tmp[TMP_NAME];
	char name[PACK_NAME]; /* final name, once publication gave one */
	uint8_t random[16];
	uint8_t *buffer; /* page-aligned */
	size_t buffered;
	uint64_t flushed; /* bytes of the file before the buffer */
	bool direct;      /* O_DIRECT is on */
	bool failed;      /* a write or sync failed: final for this pack */
	bool sealed;
	struct pack_index index;
};

/* Caller's storage; nothing exists on disk until begin. */
void pack_write_init(struct pack_write *p, int tmp_dir);
/* Abandon: the temporary file goes away unless it was published. */
void pack_write_release(struct pack_write *p);
int pack_write_begin(struct pack_write *p, struct store_error *err);
static inline bool pack_write_is_open(const struct pack_write *p)
{
	return p->fd != -1;
}
/* Bytes so far. */
static inline uint64_t pack_write_size(const struct pack_write *p)
{
	return p->flushed + p->buffered;
}
/*
 * Append an encoded block and note its objects. wire: the buffer it was encoded to. *block_off:
 * where it stands in the file.
 */
int pack_write_append(struct pack_write *p, const struct pack_block *b, const uint8_t *wire,
	uint64_t *block_off, struct store_error *err);
/* Bytes already appended, whether they reached the file or not. */
int pack_write_read(struct pack_write *p, void *out, size_t len, uint64_t off,
	struct store_error *err);
/*
 * Footer, fdatasync, mode 0444 under the umask. A failure is final: the objects must be written to
 * another pack.
 */
int pack_write_seal(struct pack_write *p, struct store_error *err);

#endif
