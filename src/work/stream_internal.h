/*
 * Between the files of the streaming writer: stream.c takes bytes in, stream_stage.c makes an entry
 * of them.
 *
 * Threads: the caller's and one for each writer; they meet in its ring.
 */
#ifndef STORE_WORK_STREAM_INTERNAL_H
#define STORE_WORK_STREAM_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ring.h"
#include "work/ingest.h"

#define STREAM_RING ((size_t)1 << 20) /* bytes taken in that the pipeline has not read yet */

struct store_writer {
	struct store_repo *repo;
	char *path;
	struct store_writer_options options; /* its path is `path` */
	struct codec_options codec;
	struct ingest ingest;
	struct job job;
	struct store_add_result counts;
	struct store_callbacks silent;
	pthread_t thread;
	bool has_thread, is_over;
	bool has_begun; /* the thread's: its one stream is under way */
	int rc;         /* of the thread; the caller's once it is joined */
	struct store_error err;
	struct ring *ring;
	bool is_given_up; /* atomic: what came is not wanted */
};

/*
 * May the entry be put there, by the stage and by what the caller expects? STORE_ECONFLICT names
 * what stands in the way.
 */
int stream_check(struct store_writer *w, struct env_txn *txn, struct store_error *err);
/* Read back all content that was held, byte by byte proven. */
int stream_read_back(struct store_writer *w, struct store_error *err);
/* Stage what was held, in one publication with all that is not published yet. */
int stream_stage(struct store_writer *w, struct store_error *err);
/* The seed's version of what is staged now. */
int stream_version(struct store_writer *w, uint64_t *version, struct store_error *err);

#endif
