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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/pipeline.h"
#include "base/thread.h"
#include "work/options.h"
#include "work/repo_internal.h"
#include "work/stream_internal.h"
#include "work/view_internal.h"

/* ---- the thread's side */

/* Bytes that do not come any more are no end of the stream then. */
static bool is_cut_short(struct store_writer *w)
{
	return __atomic_load_n(&w->is_given_up, __ATOMIC_ACQUIRE) ||
		__atomic_load_n(&w->is_halted, __ATOMIC_ACQUIRE);
}

/* As ingest_source_fn: from the ring, or what the first time stored. */
static int take(void *ctx, void *out, size_t len, size_t *got, struct store_error *err)
{
	struct store_writer *w = ctx;
	int rc = 0;

	if (w->again)
		rc = store_reader_read(w->again, out, len, got, err);
	else
		*got = ring_take(w->ring, out, len);
	return rc == 0 && is_cut_short(w)
		? store_error_set(err, STORE_ECANCELED, "the writer was given up")
		: rc;
}

/* The walk of ingest: one stream, and no more. */
static int produce(void *ctx, struct item *item, struct store_error *err)
{
	struct store_writer *w = ctx;

	(void)item;
	if (w->has_begun)
		return PIPELINE_END;
	w->has_begun = true;
	return ingest_stream_begin(&w->ingest, &w->job, w->path, take, w, &w->expected, err);
}

/* The pipeline has failed: neither its producer nor the caller may wait for the other. */
static void halt(void *ctx)
{
	struct store_writer *w = ctx;

	__atomic_store_n(&w->is_halted, true, __ATOMIC_RELEASE);
	ring_leave(w->ring);
}

/*
 * As the progress of the pipeline, which nobody sees: only whether the caller wants it to go on. A
 * failure is none of his wishes, and must not be told as one.
 */
static int look(void *ctx, const struct store_progress *p)
{
	struct store_writer *w = ctx;

	(void)p;
	return __atomic_load_n(&w->is_given_up, __ATOMIC_ACQUIRE);
}

int stream_run(struct store_writer *w, struct store_error *err)
{
	return ingest_run(&w->ingest, err);
}

static void *run(void *ctx)
{
	struct store_writer *w = ctx;

	w->rc = stream_run(w, &w->err);
	if (w->rc == 0)
		w->rc = stream_recut(w, &w->err);
	ring_leave(w->ring);
	return NULL;
}

/* ---- begin and end */

/* Permission bits that are recorded of a staged file, or those its kind has. */
static uint32_t mode_of(const struct stage_row *row)
{
	struct span s = span_of(row->meta, row->meta_len);
	struct meta m = { 0 };

	if (meta_decode(&s, &m) == 0 && m.flags & META_ATTRS)
		return m.mode & 0777;
	return row->kind == ENTRY_EXEC ? 0755 : 0644;
}

/*
 * What the entry is, as far as it is known before its bytes: permissions as row (NULL: nothing is
 * staged there) and the options have it, and last changed now.
 */
static void describe(struct store_writer *w, const struct stage_row *row)
{
	const int wanted = w->options.executable;
	const bool is_file = row && (row->kind == ENTRY_FILE || row->kind == ENTRY_EXEC);
	const bool is_program = wanted > 0 || (wanted == 0 && row && row->kind == ENTRY_EXEC);
	uint32_t mode = is_file ? mode_of(row) : 0644;
	struct timespec now;

	mode = is_program ? mode | 0100 | (mode & 0444) >> 2 : mode & 0666;
	clock_gettime(CLOCK_REALTIME, &now);
	w->job.kind = is_program ? ENTRY_EXEC : ENTRY_FILE;
	w->job.stat.mode = S_IFREG | mode;
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

/* Registered here and not by the pipeline: what stands in the way is told before any byte came. */
static int start(struct store_writer *w, struct store_error *err)
{
	struct ingest *g = &w->ingest;
	int rc = writer_new(&g->writer, w->repo->odb, err);

	if (rc == 0)
		rc = writer_register(g->writer, err);
	if (rc != 0)
		return rc;
	g->registered = true;
	g->repo = w->repo;
	g->threads = w->repo->threads;
	g->walk = produce;
	g->walk_ctx = w;
	g->halt = halt;
	w->inner = (struct store_callbacks){ .progress = look, .payload = w };
	g->callbacks = &w->inner;
	g->result = &w->counts;
	g->held.is_wanted = true;
	w->has_thread = thread_start(&w->thread, run, w);
	return w->has_thread ? 0 : store_error_set(err, STORE_EBUSY, "cannot start a thread");
}

static int prepare(struct store_writer *w, const struct store_writer_options *options,
	struct store_error *err)
{
	int rc;

	w->began_ns = clock_mono_ns();
	w->options = *options;
	w->expected = options->size;
	w->path = strdup(options->path);
	w->ring = ring_new(STREAM_RING);
	if (!w->path || !w->ring)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = set_codec(w, err);
	if (rc == 0)
		rc = stream_check(w, describe, err);
	return rc == 0 ? start(w, err) : rc;
}

static int check_options(struct store_repo *repo, const struct store_writer_options *o,
	struct store_error *err)
{
	int rc = options_check(o, "store_writer_options", err);

	if (rc != 0)
		return rc;
	if (!o || !o->path)
		return store_error_set(err, STORE_EINVAL, "a writer needs a path");
	if ((unsigned int)o->expect > STORE_EXPECT_ID)
		return store_error_set(err, STORE_EINVAL, "there is no such expectation");
	rc = repo_check_writable(repo, err);
	return rc == 0 ? operand_check(o->path, err) : rc;
}

int store_writer_open(struct store_repo *repo, const struct store_writer_options *options,
	struct store_writer **out, struct store_error *err)
{
	struct store_writer *w;
	int rc = check_options(repo, options, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	w = calloc(1, sizeof(*w));
	if (!w)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->repo = repo;
	rc = prepare(w, options, err);
	if (rc != 0) {
		store_writer_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

int stream_check_open(const struct store_writer *w, struct store_error *err)
{
	if (w->is_over)
		return store_error_set(err, STORE_EINVAL, "the writer has ended");
	return env_check_forked(odb_env(w->repo->odb), err);
}

void stream_join(struct store_writer *w, bool is_unwanted)
{
	if (!w->has_thread)
		return;
	if (is_unwanted) {
		__atomic_store_n(&w->is_given_up, true, __ATOMIC_RELEASE);
		ring_leave(w->ring);
	}
	ring_end(w->ring);
	pthread_join(w->thread, NULL);
	w->has_thread = false;
}

int stream_end_early(struct store_writer *w, int rc)
{
	stream_join(w, true);
	w->is_over = true;
	return rc;
}

void store_writer_free(struct store_writer *w)
{
	if (!w)
		return;
	/*
	 * In a child there is no thread to wait for, and none that lets go of the locks; files are
	 * the parent's.
	 */
	if (env_check_forked(odb_env(w->repo->odb), NULL) == 0) {
		stream_join(w, true);
		writer_free(w->ingest.writer);
		ring_free(w->ring);
	}
	free(w->path);
	free(w);
}

/* ---- the end */

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
	r->stats = w->counts.stats;
	r->stats.files = 1;
	r->stats.bytes = h->ref.size;
	r->stats.new_chunks = s.new_chunks;
	r->stats.new_objects = s.new_objects;
	r->stats.new_bytes = s.new_bytes;
	r->stats.stored_bytes = s.stored_bytes;
	r->stats.publications = s.publications;
	r->stats.seconds = (double)(clock_mono_ns() - w->began_ns) / 1e9;
	store_stats_memory(&r->stats);
}

/* Until the thread has done its part, or the caller does not want to wait for it. */
static int await_thread(struct store_writer *w, struct store_error *err)
{
	int rc = 0;

	ring_end(w->ring);
	while (rc == 0 && stream_is_watched(w) && !ring_await_leave(w->ring, STREAM_TICK_NS))
		rc = stream_tick(w, "put", w->fed, err);
	if (rc != 0)
		return stream_end_early(w, rc);
	stream_join(w, false);
	if (w->rc != 0 && err)
		*err = w->err;
	return w->rc;
}

int store_writer_finish(struct store_writer *w, struct store_writer_result *result,
	struct store_error *err)
{
	struct store_writer_result unused = { 0 };
	int rc = stream_check_open(w, err);

	result = result ? result : &unused;
	memset(result, 0, sizeof(*result));
	if (rc != 0)
		return rc;
	w->is_over = true;
	rc = await_thread(w, err);
	if (rc == 0)
		w->options.size = w->ingest.held.ref.size;
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
