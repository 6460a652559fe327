/*
 * The streaming writer: bytes in pieces of any size become an entry of the stage.
 *
 *     caller -> [ring of 1 MiB] -> a thread that runs the pipeline of ingest
 *
 * Chunks go to packs as they come and are published with them, named by nothing but the writer's
 * row, so memory does not grow and nothing of the path is visible. The entry goes into the stage
 * with the last publication. A writer that is freed before, or whose process dies, leaves objects
 * that nothing names, which gc takes.
 *
 * Threads: one of its own for each writer, beside those of the pipeline; the ring is all they share
 * with the caller, under its lock. Of the handle they use nothing that another call changes, so
 * writers and readers of one handle may work in threads of their own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/pipeline.h"
#include "base/thread.h"
#include "work/repo_internal.h"
#include "work/stream_internal.h"
#include "work/view_internal.h"

/* ---- the thread's side */

/* As ingest_source_fn. */
static int take(void *ctx, void *out, size_t len, size_t *got, struct store_error *err)
{
	struct store_writer *w = ctx;

	*got = ring_take(w->ring, out, len);
	return __atomic_load_n(&w->is_given_up, __ATOMIC_ACQUIRE)
		? store_error_set(err, STORE_ECANCELED, "the writer was given up")
		: 0;
}

/* The walk of ingest: one stream, and no more. */
static int produce(void *ctx, struct item *item, struct store_error *err)
{
	struct store_writer *w = ctx;

	(void)item;
	if (w->has_begun)
		return PIPELINE_END;
	w->has_begun = true;
	return ingest_stream_begin(&w->ingest, &w->job, w->path, strlen(w->path), take, w, err);
}

static void *run(void *ctx)
{
	struct store_writer *w = ctx;

	w->rc = ingest_run(&w->ingest, &w->err);
	ring_leave(w->ring);
	return NULL;
}

/* ---- begin and end */

/* What the entry is, as far as it is known before its bytes: now is when it was last changed. */
static void describe(struct store_writer *w)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	w->job.kind = w->options.executable ? ENTRY_EXEC : ENTRY_FILE;
	w->job.stat.mode = S_IFREG | (w->options.executable ? 0755 : 0644);
	w->job.stat.mtime_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	w->job.uid = geteuid();
	w->job.gid = getegid();
}

static int set_codec(struct store_writer *w, struct store_error *err)
{
	int codec;

	if (!w->options.codec)
		return 0;
	codec = codec_parse(w->options.codec);
	if (codec < 0)
		return store_error_set(err, STORE_EINVAL,
			"'%s' is no codec; there are none, zlib and zstd", w->options.codec);
	w->codec = odb_options_of(w->repo->odb)->codec;
	if (w->codec.codec != (enum codec)codec)
		w->codec.level = 0;
	w->codec.codec = (enum codec)codec;
	w->ingest.codec = &w->codec;
	return 0;
}

static int check_now(struct store_writer *w, struct store_error *err)
{
	struct env_txn *txn;
	int rc = env_begin(odb_env(w->repo->odb), false, &txn, err);

	if (rc != 0)
		return rc;
	rc = stream_check(w, txn, err);
	env_abort(txn);
	return rc;
}

static int start(struct store_writer *w, struct store_error *err)
{
	struct ingest *g = &w->ingest;
	int rc = writer_new(&g->writer, w->repo->odb, err);

	if (rc != 0)
		return rc;
	g->repo = w->repo;
	g->threads = w->repo->threads;
	g->walk = produce;
	g->walk_ctx = w;
	g->callbacks = &w->silent;
	g->result = &w->counts;
	g->held.is_wanted = true;
	w->has_thread = thread_start(&w->thread, run, w);
	return w->has_thread ? 0 : store_error_set(err, STORE_EBUSY, "cannot start a thread");
}

int store_writer_open(struct store_repo *repo, const struct store_writer_options *options,
	struct store_writer **out, struct store_error *err)
{
	struct store_writer *w;
	int rc;

	*out = NULL;
	if (options->version != 0 || (unsigned int)options->expect > STORE_EXPECT_ID)
		return store_error_set(err, STORE_EINVAL, "options of a version that is not known");
	rc = repo_check_writable(repo, err);
	if (rc == 0)
		rc = operand_check(options->path, err);
	if (rc != 0)
		return rc;
	w = calloc(1, sizeof(*w));
	if (!w)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->repo = repo;
	w->options = *options;
	w->path = strdup(options->path);
	w->ring = ring_new(STREAM_RING);
	if (!w->path || !w->ring)
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	describe(w);
	if (rc == 0)
		rc = set_codec(w, err);
	if (rc == 0)
		rc = check_now(w, err);
	if (rc == 0)
		rc = start(w, err);
	if (rc != 0) {
		store_writer_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

/* Tell the thread that nothing more comes, and wait until it has done its part. */
static void join(struct store_writer *w, bool is_given_up)
{
	if (!w->has_thread)
		return;
	__atomic_store_n(&w->is_given_up, is_given_up, __ATOMIC_RELEASE);
	ring_end(w->ring);
	pthread_join(w->thread, NULL);
	w->has_thread = false;
}

void store_writer_free(struct store_writer *w)
{
	if (!w)
		return;
	join(w, true);
	writer_free(w->ingest.writer);
	ring_free(w->ring);
	free(w->path);
	free(w);
}

/* ---- the caller's side */

static int refuse(struct store_error *err)
{
	return store_error_set(err, STORE_EINVAL, "the writer has ended");
}

/* The thread has ended by itself, which only an error makes it do. */
static int take_error(struct store_writer *w, struct store_error *err)
{
	join(w, true);
	w->is_over = true;
	if (err)
		*err = w->err;
	return w->rc;
}

/* What came is not all there is: it must not be taken for it. */
static int end_early(struct store_writer *w, int rc)
{
	join(w, true);
	w->is_over = true;
	return rc;
}

int store_writer_write(struct store_writer *w, const void *data, size_t len,
	struct store_error *err)
{
	const uint8_t *p = data;

	if (w->is_over)
		return refuse(err);
	while (len > 0) {
		const size_t n = ring_put(w->ring, p, len);

		if (n == 0)
			return take_error(w, err);
		p += n;
		len -= n;
	}
	return 0;
}

int store_writer_write_fd(struct store_writer *w, int fd, struct store_error *err)
{
	uint8_t piece[32 << 10];

	if (w->is_over)
		return refuse(err);
	for (;;) {
		const ssize_t n = read(fd, piece, sizeof(piece));
		int rc;

		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR) {
			rc = 0;
		} else if (n < 0) {
			rc = end_early(w, store_error_sys(err, "cannot read what is to be stored"));
		} else {
			rc = store_writer_write(w, piece, (size_t)n, err);
		}
		if (rc != 0)
			return rc;
	}
}

int store_writer_write_from(struct store_writer *w, store_source_fn source, void *payload,
	struct store_error *err)
{
	uint8_t piece[32 << 10];

	if (w->is_over)
		return refuse(err);
	for (;;) {
		const ptrdiff_t n = source(payload, piece, sizeof(piece));
		int rc;

		if (n == 0)
			return 0;
		if (n < 0 || (size_t)n > sizeof(piece))
			return end_early(w,
				store_error_set(err, STORE_ECANCELED,
					"stopped; nothing was staged"));
		rc = store_writer_write(w, piece, (size_t)n, err);
		if (rc != 0)
			return rc;
	}
}

void store_writer_progress(struct store_writer *w, struct store_writer_progress *out)
{
	const struct ingest_held *h = &w->ingest.held;

	memset(out, 0, sizeof(*out));
	out->buffered = ring_len(w->ring, &out->bytes);
	out->chunks = __atomic_load_n(&h->chunks, __ATOMIC_RELAXED);
	out->new_chunks = __atomic_load_n(&h->new_chunks, __ATOMIC_RELAXED);
	out->new_bytes = __atomic_load_n(&h->new_bytes, __ATOMIC_RELAXED);
}

static void fill_result(struct store_writer *w, struct store_writer_result *r)
{
	const struct ingest_held *h = &w->ingest.held;
	struct writer_stats s;

	writer_get_stats(w->ingest.writer, &s);
	r->node.id = view_id(&h->ref.id);
	r->node.kind = w->job.kind;
	r->node.height = h->ref.height;
	r->node.size = h->ref.size;
	r->node.files = 1;
	r->chunks = h->chunks;
	r->new_chunks = s.new_chunks;
	r->new_bytes = s.new_bytes;
	r->stored_bytes = s.stored_bytes;
}

int store_writer_finish(struct store_writer *w, struct store_writer_result *result,
	struct store_error *err)
{
	struct store_writer_result unused = { 0 };
	int rc;

	result = result ? result : &unused;
	memset(result, 0, sizeof(*result));
	if (w->is_over)
		return refuse(err);
	w->is_over = true;
	join(w, false);
	rc = w->rc;
	if (rc != 0 && err)
		*err = w->err;
	if (rc == 0 && w->options.verify)
		rc = stream_read_back(w, err);
	if (rc == 0 && w->options.count_version)
		rc = stream_version(w, &result->version, err);
	if (rc == 0)
		rc = stream_stage(w, err);
	if (rc == 0)
		fill_result(w, result);
	return rc;
}
