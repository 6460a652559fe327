/*
 * Between the files of the streaming writer: stream_feed.c takes bytes in, stream.c runs the
 * pipeline that they go through, stream_recut.c runs it again where the size tells that it must be,
 * stream_stage.c makes an entry of them.
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

#define STREAM_RING ((size_t)1 << 20)       /* bytes taken in that the pipeline has not read yet */
#define STREAM_TICK_NS ((int64_t)100000000) /* between calls of progress, and of looks at it */

struct store_writer {
	struct store_repo *repo;
	char *path;
	struct store_writer_options options; /* its path is `path` */
	struct codec_options codec;
	struct ingest ingest;
	struct job job;
	struct store_add_result counts;
	struct store_callbacks inner; /* of the pipeline, on the thread */
	pthread_t thread;
	bool has_thread, is_over;
	bool has_begun; /* the thread's: its one stream is under way */
	int rc;         /* of the thread; the caller's once it is joined */
	struct store_error err;
	struct ring *ring;
	bool is_given_up;           /* atomic: what came is not wanted */
	bool is_halted;             /* atomic: the pipeline has failed */
	bool is_staged;             /* what was held is at path already, as it is */
	uint64_t fed;               /* bytes that the caller has handed in */
	uint64_t expected;          /* in all; the caller's until the first byte is in the ring */
	struct store_reader *again; /* the thread's: what it reads in place of the ring */
	int64_t began_ns;
	int64_t told_ns; /* when progress was called last */
};

/* Has the stream ended, or the process forked?  Then STORE_EINVAL. */
int stream_check_open(const struct store_writer *w, struct store_error *err);
/*
 * Tell progress, if it is time to. STORE_ECANCELED: the caller does not want to go on. Called often
 * by whoever works or waits on the caller's thread.
 */
int stream_tick(struct store_writer *w, const char *stage, uint64_t bytes, struct store_error *err);
/* Is anybody told, so that no wait may last? */
bool stream_is_watched(const struct store_writer *w);
/* Tell the thread that nothing more comes, and wait until it has done its part. */
void stream_join(struct store_writer *w, bool is_given_up);
/* The same after an error rc: what came is not all there is, and must not be taken for it. */
int stream_end_early(struct store_writer *w, int rc);
/* On the thread: the pipeline, from its beginning. */
int stream_run(struct store_writer *w, struct store_error *err);
/*
 * On the thread: if what is held was cut by another class than its size has, cut it again from what
 * was stored.
 */
int stream_recut(struct store_writer *w, struct store_error *err);
/* What is pending goes to the packs, named by nothing but the writer's row. */
int stream_flush(struct store_writer *w, struct store_error *err);

/*
 * May the entry be put there now, by the stage and by what the caller expects? STORE_ECONFLICT
 * names what stands in the way. When it may, look gets the row that is staged there, or NULL.
 * Borrowed: row is valid until look returns.
 */
typedef void (*stream_look_fn)(struct store_writer *w, const struct stage_row *row);
int stream_check(struct store_writer *w, stream_look_fn look, struct store_error *err);
/* Read back all content that was held, byte by byte proven. */
int stream_read_back(struct store_writer *w, struct store_error *err);
/*
 * Stage what was held, in one publication with all that is not published yet; what is staged
 * already stays as it is.
 */
int stream_stage(struct store_writer *w, struct store_error *err);
/* The seed's version of what is staged now. */
int stream_version(struct store_writer *w, uint64_t *version, struct store_error *err);

#endif
