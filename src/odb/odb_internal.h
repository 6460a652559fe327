/*
 * What the files of the object database share.
 * Threads: gate_mutex is the outer half of the gate; the rest is set at open.
 */
#ifndef STORE_ODB_ODB_INTERNAL_H
#define STORE_ODB_ODB_INTERNAL_H

#include <pthread.h>

#include "odb/cache.h"
#include "odb/odb.h"

struct odb {
	char *path;
	char *db_path;
	int fd, packs_fd, tmp_fd, gate_fd;
	struct odb_options options;
	struct store_format format;
	struct env *env;
	pthread_mutex_t gate_mutex; /* outer half of the gate: the OFD lock belongs to the handle,
				       not to a thread */
	struct cache cache;
	uint64_t counted_blocks, counted_bytes, counted_nodes; /* atomics */
	/* Guarded by the gate. */
	bool gate_checked; /* orphans and refs.log were looked at since open */
};

/* The writer's half of a reader: find and read what is not yet published (odb/writer.c). */
int writer_find_pending(struct odb_writer *w, const struct oid *id, struct odb_loc *loc);
int writer_read_pending(struct odb_writer *w, const struct odb_loc *loc, struct buf *block,
	struct store_error *err);
/* Plain bytes of an object in a block that is still open; 0 = copied, STORE_ENOTFOUND otherwise. */
int writer_copy_open(struct odb_writer *w, const struct oid *id, struct buf *out);

#endif
