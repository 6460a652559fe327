/*
 * The consumer's half of ingest, and its frame: results come in order, blocks go to the pack,
 * entries to the stage batch; when a batch is full, pack and rows are published together, so a row
 * never names what is not there.
 *
 * Batches end at 64 MiB of input, 5,000 entries, 2,000 objects or 2 seconds, whichever is first.
 * Inside a large file each publication also leaves a checkpoint, from which a killed add goes on.
 *
 * Threads: the pipeline's; this file runs on the caller's thread.
 */
#include "work/ingest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/pipeline.h"
#include "base/trace.h"
#include "odb/publish.h"
#include "work/stats.h"

#define BATCH_INPUT ((uint64_t)64 << 20)
#define BATCH_ENTRIES 5000
#define BATCH_STRINGS ((size_t)1 << 20)
#define BATCH_NS ((int64_t)2000000000)
#define SEGMENT ((size_t)1 << 20)     /* bytes of a large file in an item, at least */
#define POOL_BYTES ((size_t)16 << 20) /* of all items, as long as there are POOL_WANTED */
#define POOL_LIMIT ((size_t)36 << 20) /* of all items, whatever the size of chunks */
#define POOL_WANTED 3                 /* one is read, one worked on, one written */
#define POOL_MAX 8
#define SWEEP_ROWS 500 /* of dead directories, with each publication */
#define TICK_NS ((int64_t)100000000)
#define LISTS_KEPT ((size_t)64 << 10) /* bytes of xattrs an item keeps room for */

/* ---- items */

struct job *ingest_add_job(struct item *item, enum job_type type, const char *path, size_t len,
	struct store_error *err)
{
	struct job *job = &item->jobs[item->job_count];

	assert(item->job_count < INGEST_JOBS);
	memset(job, 0, sizeof(*job));
	job->type = type;
	job->path = item->text.len;
	job->path_len = len;
	buf_add(&item->text, path, len);
	buf_add_u8(&item->text, 0);
	if (item->text.failed) {
		store_error_set(err, STORE_ENOMEM, "out of memory");
		return NULL;
	}
	item->job_count++;
	return job;
}

void ingest_drop_job(struct item *item)
{
	item->text.len = item->jobs[--item->job_count].path;
}

bool ingest_item_full(const struct item *item)
{
	return item->job_count >= item->job_limit || item->bytes >= INGEST_BATCH ||
		item->text.len >= BATCH_STRINGS / 4;
}

void ingest_found(struct ingest *g, uint64_t bytes)
{
	__atomic_fetch_add(&g->found_files, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&g->found_bytes, bytes, __ATOMIC_RELAXED);
}

void ingest_walked(struct ingest *g, double part)
{
	__atomic_store_n(&g->walked, (uint32_t)(part * INGEST_WALKED), __ATOMIC_RELAXED);
}

void ingest_found_all(struct ingest *g)
{
	__atomic_store_n(&g->found_all, true, __ATOMIC_RELEASE);
}

const char *ingest_path(const struct item *item, const struct job *job)
{
	return (const char *)item->text.data + job->path;
}

static void clear_item(struct item *item)
{
	item->type = ITEM_BATCH;
	item->job_count = 0;
	item->chunk_count = 0;
	item->block_count = 0;
	item->bytes = 0;
	item->covered = 0;
	item->first = item->last = false;
	buf_clear(&item->wire);
	buf_clear(&item->text);
	if (item->lists.cap > LISTS_KEPT)
		buf_release(&item->lists);
	buf_clear(&item->lists);
}

static void release_item(struct item *item)
{
	for (size_t i = 0; i < item->block_cap; i++)
		pack_block_release(&item->blocks[i]);
	free(item->blocks);
	free(item->chunks);
	free(item->jobs);
	free(item->data);
	buf_release(&item->wire);
	buf_release(&item->text);
	buf_release(&item->lists);
	buf_release(&item->resume);
}

static int produce_segment(struct ingest *g, struct item *item, struct store_error *err)
{
	return g->large.source ? ingest_stream_produce(g, item, err)
			       : ingest_large_produce(g, item, err);
}

static int produce(void *ctx, void *it, struct store_error *err)
{
	struct ingest *g = ctx;
	struct item *item = it;
	int rc;

	clear_item(item);
	item->job_limit = g->repo->batch_files;
	item->seq = g->next_seq++;
	if (g->large.open)
		return produce_segment(g, item, err);
	rc = g->walk(g->walk_ctx, item, err);
	/*
	 * Before anything is looked up: gc leaves alone what a registered writer finds. No work, no
	 * registration.
	 */
	if (rc == 0 && !g->registered) {
		rc = writer_register(g->writer, err);
		g->registered = rc == 0;
	}
	if (rc != 0 || item->job_count > 0)
		return rc;
	/* The walk began a large file and had nothing else. */
	return g->large.open ? produce_segment(g, item, err) : rc;
}

/* ---- publication */

static int apply(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	struct ingest *g = ctx;
	bool left;
	int rc = stage_batch_apply(g->batch, txn, number, err);

	return rc == 0 ? stage_sweep(txn, SWEEP_ROWS, &left, err) : rc;
}

static int publish_batch(struct ingest *g, struct store_error *err)
{
	const struct publication p = { .writer = g->writer, .apply = apply, .ctx = g };
	int rc;

	g->published_ns = clock_mono_ns();
	g->since_bytes = 0;
	if (writer_is_empty(g->writer) && stage_batch_count(g->batch) == 0)
		return 0;
	rc = stage_batch_record(g->batch, g->writer, err);
	if (rc == 0)
		rc = publish(g->repo->odb, &p, NULL, err);
	stage_batch_clear(g->batch);
	return rc;
}

static bool is_due(struct ingest *g)
{
	return writer_is_full(g->writer) || g->since_bytes >= BATCH_INPUT ||
		stage_batch_count(g->batch) >= BATCH_ENTRIES ||
		stage_batch_bytes(g->batch) >= BATCH_STRINGS ||
		/* A stream gains nothing by it: its packs are as few as its bytes allow. */
		(!g->held.is_wanted && clock_mono_ns() - g->published_ns >= BATCH_NS);
}

/* Nodes of a large file may fill the batch, too; they are published with what they rest on. */
static int put_node(void *ctx, enum kind kind, const void *data, size_t len, struct oid *out_id,
	struct store_error *err)
{
	struct ingest *g = ctx;

	return writer_put(g->writer, kind, data, len, out_id, err);
}

/* ---- results */

static void notice(struct ingest *g, int kind, const char *path, const char *text, uint64_t bytes)
{
	const struct store_notice n = { .kind = (enum store_notice_kind)kind,
		.path = path,
		.text = text,
		.bytes = bytes };

	if (g->callbacks->notice)
		g->callbacks->notice(g->callbacks->payload, &n);
}

static int result_of(struct ingest *g, const struct item *item, const struct job *job,
	struct file_ref *ref, struct store_error *err)
{
	int rc = 0;

	memset(ref, 0, sizeof(*ref));
	ref->size = job->size;
	if (job->size == 0) {
		ref->id = hash_empty_file;
		return 0;
	}
	if (job->chunk_count == 1) {
		ref->id = item->chunks[job->first_chunk].id;
		return 0;
	}
	for (size_t i = 0; i < job->chunk_count && rc == 0; i++) {
		const struct chunk_ref *c = &item->chunks[job->first_chunk + i];

		rc = seq_builder_add(g->seq, &c->id, c->len, c->repeat, err);
	}
	return rc == 0 ? seq_builder_finish(g->seq, ref, err) : rc;
}

/* Do owner and xattrs differ from what is staged, where both are recorded? */
static bool has_same_attributes(const struct job *job)
{
	struct span s = span_of(job->meta, job->meta_len);
	struct span t = span_of(job->staged_meta, job->staged_meta_len);
	struct meta a = { 0 }, b = { 0 };

	/* The mode is compared with that of the file: a checkout may have given it another one. */
	if (meta_decode(&s, &a) != 0 || meta_decode(&t, &b) != 0)
		return true;
	a.mode = b.mode;
	return meta_same(&a, &b);
}

static bool is_same_type(uint8_t a, uint8_t b)
{
	return (a == ENTRY_EXEC ? ENTRY_FILE : a) == (b == ENTRY_EXEC ? ENTRY_FILE : b);
}

/*
 * As a layer counts them: files and links, and what is of another type now counts as gone and as
 * new. Directories count apart.
 */
void ingest_count(struct store_add_result *r, const struct job *job, bool same)
{
	const bool stays = job->has_staged && job->type != JOB_DELETE &&
		is_same_type(job->staged_kind, job->kind);

	if (job->has_staged && !stays) {
		r->deleted += job->staged_totals.files;
		r->directories += job->staged_totals.dirs + (job->staged_kind == ENTRY_DIR);
	}
	if (job->type == JOB_DELETE)
		return;
	if (job->type == JOB_DIR)
		r->directories += !stays;
	else if (!stays)
		r->added++;
	else
		*(same ? &r->unchanged : &r->modified) += 1;
}

/* An entry whose content is known: set its row, or only its stat data when nothing else is new. */
static int stage_content(struct ingest *g, const struct item *item, const struct job *job,
	const struct file_ref *ref, struct store_error *err)
{
	const bool same_content = job->has_staged && job->staged_kind == job->kind &&
		job->staged.size == ref->size && job->staged.height == ref->height &&
		id_eq(&job->staged.id, &ref->id);
	const bool same_meta = job->meta_len == job->staged_meta_len &&
		memcmp(job->meta, job->staged_meta, job->meta_len) == 0;
	struct stage_row row = { .kind = job->kind,
		.class = job->class,
		.ref = *ref,
		.stat = job->stat,
		.meta = job->meta,
		.meta_len = job->meta_len };
	const char *path = ingest_path(item, job);

	ingest_count(g->result, job,
		same_content && ((job->staged_mode ^ job->stat.mode) & 07777) == 0 &&
			has_same_attributes(job));
	if (same_content && same_meta)
		return stage_batch_touch(g->batch, path, job->path_len, &row, err);
	return stage_batch_set(g->batch, path, job->path_len, &row, err);
}

static void count_file(struct ingest *g, const struct job *job)
{
	g->result->stats.files++;
	g->result->stats.bytes += job->size;
}

static int take_job(struct ingest *g, const struct item *item, struct job *job,
	struct store_error *err)
{
	const char *path = ingest_path(item, job);
	struct stage_row dir = { .kind = ENTRY_DIR, .meta = job->meta, .meta_len = job->meta_len };
	struct file_ref ref;
	int rc;

	if (job->notice != 0 || job->type == JOB_NOTICE) {
		if (job->notice == STORE_NOTICE_SPECIAL)
			g->result->special++;
		else if (job->notice == STORE_NOTICE_IGNORED)
			g->result->ignored_operands++;
		else if (job->notice == STORE_NOTICE_UNREADABLE ||
			job->notice == STORE_NOTICE_CHANGED || job->notice == STORE_NOTICE_LIMIT)
			g->result->skipped++;
		notice(g, job->notice, path, job->why, job->size);
		return 0;
	}
	switch (job->type) {
	case JOB_DELETE:
		ingest_count(g->result, job, false);
		return stage_batch_delete(g->batch, path, job->path_len, err);
	case JOB_DIR:
		ingest_count(g->result, job, true);
		return stage_batch_set(g->batch, path, job->path_len, &dir, err);
	default:
		rc = result_of(g, item, job, &ref, err);
		count_file(g, job);
		return rc == 0 ? stage_content(g, item, job, &ref, err) : rc;
	}
}

static int add_blocks(struct ingest *g, const struct item *item, struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < item->block_count && rc == 0; i++)
		rc = writer_add_block(g->writer, &item->blocks[i], item->wire.data, err);
	return rc;
}

/* What others may see of a stream while it runs. */
static void show(struct ingest *g, const struct item *item)
{
	struct writer_stats w;
	uint64_t n = 0;

	for (size_t i = 0; i < item->chunk_count; i++)
		n += item->chunks[i].repeat;
	writer_get_stats(g->writer, &w);
	__atomic_add_fetch(&g->held.chunks, n, __ATOMIC_RELAXED);
	__atomic_store_n(&g->held.new_chunks, w.new_chunks, __ATOMIC_RELAXED);
	__atomic_store_n(&g->held.new_bytes, w.new_bytes, __ATOMIC_RELAXED);
}

static void hold(struct ingest *g, const struct job *job, const struct file_ref *ref)
{
	g->held.job = *job;
	g->held.ref = *ref;
	g->held.is_there = true;
}

static int take_segment(struct ingest *g, struct item *item, struct store_error *err)
{
	struct job *job = &item->jobs[0];
	struct file_ref ref;
	int rc = 0;

	if (job->notice != 0)
		return take_job(g, item, job, err);
	if (item->first) {
		seq_builder_free(g->seq);
		g->seq = seq_builder_new(&g->sink);
		if (!g->seq)
			return store_error_set(err, STORE_ENOMEM, "out of memory");
		if (item->resume.len > 0) {
			rc = seq_builder_load(g->seq, item->resume.data, item->resume.len, err);
			writer_adopt(g->writer, item->adopt);
		}
	}
	for (size_t i = 0; i < item->chunk_count && rc == 0; i++)
		rc = seq_builder_add(g->seq, &item->chunks[i].id, item->chunks[i].len,
			item->chunks[i].repeat, err);
	if (g->held.is_wanted)
		show(g, item);
	if (rc != 0 || !item->last)
		return rc;
	rc = seq_builder_finish(g->seq, &ref, err);
	count_file(g, job);
	if (rc == 0 && g->held.is_wanted) {
		hold(g, job, &ref);
		return 0;
	}
	if (rc == 0)
		rc = writer_set_checkpoint(g->writer, "", 0, err);
	return rc == 0 ? stage_content(g, item, job, &ref, err) : rc;
}

static int leave_checkpoint(struct ingest *g, const struct item *item, struct store_error *err)
{
	struct buf rows = { 0 }, point = { 0 };
	int rc = seq_builder_save(g->seq, &rows, err);

	if (rc == 0)
		rc = ingest_checkpoint_encode(&point, ingest_path(item, &item->jobs[0]),
			&item->jobs[0], item->offset, &rows, err);
	if (rc == 0)
		rc = writer_set_checkpoint(g->writer, point.data, point.len, err);
	buf_release(&rows);
	buf_release(&point);
	return rc;
}

static void count_taken(struct ingest *g, const struct item *item)
{
	if (item->type == ITEM_SEGMENT && !item->last) {
		g->taken_of_one = item->covered;
		return;
	}
	g->taken_bytes += item->covered;
	g->taken_of_one = 0;
}

/* rc, which ends the run when it is an error: who waits in the source hears of it. */
static int halt_on_error(struct ingest *g, int rc)
{
	if (rc != 0 && g->halt)
		g->halt(g->walk_ctx);
	return rc;
}

static int work(void *ctx, unsigned int worker, void *item, struct store_error *err)
{
	return halt_on_error(ctx, ingest_work(ctx, worker, item, err));
}

static int take_item(struct ingest *g, struct item *item, struct store_error *err)
{
	int rc = add_blocks(g, item, err);

	if (rc == 0 && item->type == ITEM_SEGMENT)
		rc = take_segment(g, item, err);
	for (size_t i = 0; rc == 0 && item->type == ITEM_BATCH && i < item->job_count; i++)
		rc = take_job(g, item, &item->jobs[i], err);
	g->since_bytes += item->bytes;
	count_taken(g, item);
	if (rc != 0 || !is_due(g))
		return rc;
	if (item->type == ITEM_SEGMENT && !item->last && item->jobs[0].notice == 0 &&
		!g->held.is_wanted)
		rc = leave_checkpoint(g, item, err);
	if (rc == 0 && FAULT("ingest.mid"))
		rc = store_error_sys(err, "cannot go on");
	return rc == 0 ? publish_batch(g, err) : rc;
}

static int consume(void *ctx, void *item, struct store_error *err)
{
	return halt_on_error(ctx, take_item(ctx, item, err));
}

/*
 * What is to be read in all: what the walk has found, once it is through. Before that it is judged
 * by how much of the walk that was, when it was enough to judge by.
 */
static void tell_totals(const struct ingest *g, struct store_progress *p)
{
	const bool all = __atomic_load_n(&g->found_all, __ATOMIC_ACQUIRE);
	const uint32_t walked = all ? INGEST_WALKED : __atomic_load_n(&g->walked, __ATOMIC_RELAXED);
	const double times = INGEST_WALKED / (double)(walked ? walked : 1);

	if (walked < INGEST_WALKED / 64)
		return;
	p->is_guess = !all;
	p->files_total = __atomic_load_n(&g->found_files, __ATOMIC_RELAXED);
	p->bytes_total = __atomic_load_n(&g->found_bytes, __ATOMIC_RELAXED);
	if (all)
		return;
	p->files_total = (uint64_t)((double)p->files_total * times);
	p->bytes_total = (uint64_t)((double)p->bytes_total * times);
}

static int tick(void *ctx, struct store_error *err)
{
	struct ingest *g = ctx;
	const int64_t now = clock_mono_ns();
	struct store_progress p = { .stage = "add",
		.files = g->result->stats.files,
		.bytes = g->taken_bytes + g->taken_of_one };

	if (now - g->told_ns < TICK_NS)
		return 0;
	tell_totals(g, &p);
	g->told_ns = now;
	stats_sample();
	if (g->callbacks->progress && g->callbacks->progress(g->callbacks->payload, &p) != 0)
		return halt_on_error(g,
			store_error_set(err, STORE_ECANCELED,
				"stopped; what was added so far is staged"));
	return 0;
}

/* ---- the frame */

void ingest_size_pool(struct ingest *g, uint32_t max)
{
	const size_t more = max < SEGMENT / 2 ? SEGMENT - max : SEGMENT;
	size_t n;

	g->carry_cap = max;
	g->data_cap = max + more;
	n = (g->pool_bytes > 0 ? g->pool_bytes : POOL_BYTES) / (2 * g->data_cap);
	if (n < POOL_WANTED)
		n = POOL_LIMIT / (2 * g->data_cap) < POOL_WANTED ? 2 : POOL_WANTED;
	g->n_items = n > POOL_MAX ? POOL_MAX : n;
	g->threads = pipeline_threads(g->threads);
	if (g->threads > g->n_items)
		g->threads = (unsigned int)g->n_items;
}

static int prepare(struct ingest *g, struct store_error *err)
{
	const struct store_format *f = odb_format(g->repo->odb);
	uint32_t max = 0;

	for (unsigned int i = 0; i <= f->class_count; i++) {
		if (chunker_params_init(&g->classes[i], format_class_avg(f, i)) != 0)
			return store_error_set(err, STORE_ECORRUPT,
				"the file 'format' has a bad chunk size");
		if (g->classes[i].max > max)
			max = g->classes[i].max;
	}
	g->pool_bytes = (size_t)g->repo->pool_bytes;
	ingest_size_pool(g, max);
	g->sink = (struct node_sink){ put_node, g };
	g->seq = seq_builder_new(&g->sink);
	g->batch = stage_batch_new();
	g->workers = mem_alloc_array(g->threads, sizeof(*g->workers));
	g->large.fd = -1;
	g->published_ns = clock_mono_ns();
	return g->seq && g->batch && g->workers
		? 0
		: store_error_set(err, STORE_ENOMEM, "out of memory");
}

static void *new_item(void)
{
	struct item *item = calloc(1, sizeof(*item));

	if (item)
		item->jobs = mem_alloc_array(INGEST_JOBS, sizeof(*item->jobs));
	return item;
}

static int run_pool(struct ingest *g, struct store_error *err)
{
	const struct pipeline_ops ops = { produce, work, consume, tick };
	const size_t n = g->n_items;
	void *items[POOL_MAX] = { 0 };
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		items[i] = new_item();
		if (!items[i] || !((struct item *)items[i])->jobs)
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	if (rc == 0)
		rc = pipeline_run(&ops, g, items, n, g->threads, err);
	for (size_t i = 0; i < n; i++) {
		if (items[i])
			release_item(items[i]);
		free(items[i]);
	}
	return rc;
}

int ingest_run(struct ingest *g, struct store_error *err)
{
	struct writer_stats w;
	int rc = prepare(g, err), late;

	for (unsigned int i = 0; i < g->threads && rc == 0; i++)
		rc = ingest_worker_init(&g->workers[i], g, err);
	if (rc == 0)
		rc = run_pool(g, err);
	/* What was done before an error or a refusal to go on is whole, and stays. */
	if ((rc == 0 || rc == STORE_ECANCELED) && !g->held.is_wanted) {
		late = publish_batch(g, rc == 0 ? err : NULL);
		rc = rc == 0 ? late : rc;
	}
	if (rc == 0) {
		/* The end is told, whenever it was told last; there is nothing left to cancel. */
		g->told_ns = 0;
		tick(g, NULL);
	}
	stats_sample();
	writer_get_stats(g->writer, &w);
	g->result->stats.new_chunks = w.new_chunks;
	g->result->stats.new_objects = w.new_objects;
	g->result->stats.new_bytes = w.new_bytes;
	g->result->stats.stored_bytes = w.stored_bytes;
	g->result->stats.publications = w.publications;
	g->result->stats.opened += __atomic_load_n(&g->opened, __ATOMIC_RELAXED);
	for (unsigned int i = 0; g->workers && i < g->threads; i++)
		ingest_worker_release(&g->workers[i]);
	free(g->workers);
	ingest_large_end(g);
	seq_builder_free(g->seq);
	stage_batch_free(g->batch);
	return rc;
}
