/*
 * Writing the files of a checkout, on the ordered pipeline.
 *
 *     produce   takes the next file from the plan (or, with `to`, from the walk over the target),
 * makes directories, and hands on a batch of small files or a piece of a large one work      reads
 * chunks, each proven, and writes them; small files are finished here consume   finishes large
 * files, and takes down the rows of the stage, in the order of the plan
 *
 * A large file is open from its first piece to its last: its pieces are written at their offsets by
 * whoever gets them. A piece is rows of the sequence, and a row is one chunk however often it
 * stands, so a hole of terabytes is one row that is read once and not written.
 *
 * Threads: produce owns the walk, the plan and its place; each worker its reader, place and file;
 * consume the rows. What a large file shares is made before its first piece is handed on and
 * finished after its last one came back. Fault point: checkout.mid (before each file is handed on).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/owner.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/pipeline.h"
#include "work/checkout_internal.h"
#include "work/leftover.h"

#define LARGE ((uint64_t)4 << 20)
#define BATCH_FILES 128
#define BATCH_BYTES ((uint64_t)1 << 20)
#define PIECE_ROWS 64
#define PIECE_BYTES ((uint64_t)2 << 20)
#define WORKERS_MAX 8
#define WORKERS_BYTES ((size_t)36 << 20) /* of chunks, as stored and as they are */

struct large {
	struct checkout_file file;
	struct seq_cursor *rows;   /* the producer's */
	struct checkout_seam seam; /* the consumer's */
};

struct piece_row {
	struct seq_row row;
	uint64_t off;
};

struct item {
	struct buf actions; /* of small files: length (u32), bytes */
	size_t files;
	uint64_t bytes;
	struct buf done; /* rows of the stage, likewise */
	struct large *large;
	bool is_last;
	struct piece_row rows[PIECE_ROWS];
	size_t row_count;
	struct checkout_edge edges[2];
};

struct worker {
	struct odb_reader *reader;
	struct checkout_place place;
	struct checkout_file file;
	struct checkout_stripe stripe;
	struct buf chunk;
};

struct write_run {
	struct checkout *c;
	/* The producer's. */
	struct odb_reader *reader;
	struct node_source nodes;
	struct checkout_place place;
	struct checkout_walk *walk; /* NULL: the plan */
	struct buf record, scratch;
	struct checkout_action next;
	bool has_next, ended;
	struct large *open;
	struct worker *workers;
	size_t n_workers;
	struct odb_reader *last_reader; /* the consumer's */
};

/* ---- what comes next */

static int next_planned(struct write_run *w, struct store_error *err)
{
	struct checkout_action *a = &w->next;
	int rc;

	for (;;) {
		rc = spool_next(&w->c->plan, &w->record, err);
		if (rc != 0)
			return rc;
		rc = checkout_action_decode(a, w->record.data, w->record.len, err);
		if (rc == 0 && a->op == CHECKOUT_MKDIR)
			rc = checkout_place_mkdir(&w->place, a->path, a->len, err);
		if (rc != 0)
			return rc;
		if (a->op == CHECKOUT_WRITE && a->row.kind != ENTRY_LINK)
			return 0;
	}
}

/* Symbolic links come last: they wait in the plan. */
static int put_off(struct write_run *w, const struct checkout_action *a, struct store_error *err)
{
	int rc;

	buf_clear(&w->scratch);
	rc = checkout_action_encode(&w->scratch, a, err);
	return rc == 0 ? spool_add(&w->c->plan, w->scratch.data, w->scratch.len, err) : rc;
}

static int next_walked(struct write_run *w, struct store_error *err)
{
	struct checkout_visit v;
	int rc;

	while ((rc = checkout_walk_next(w->walk, &v, err)) == 0) {
		struct checkout_action *a = &w->next;

		if (v.is_leave)
			continue;
		if (v.target.kind == ENTRY_DIR) {
			rc = checkout_place_mkdir(&w->place, v.path, v.len, err);
			if (rc == 0 && !w->c->straight &&
				checkout_meta_has(w->c, v.meta, v.meta_len))
				checkout_place_allow(&w->place, v.path, v.len);
			if (rc == 0)
				rc = checkout_walk_enter(w->walk, 0, 0, err);
			if (rc != 0)
				return rc;
			continue;
		}
		memset(a, 0, sizeof(*a));
		a->op = CHECKOUT_WRITE;
		a->flags = w->c->straight ? 0 : CHECKOUT_REPLACE;
		a->path = v.path;
		a->len = v.len;
		a->row = (struct stage_row){ .kind = v.target.kind,
			.ref = { v.target.id, v.target.height, v.target.totals.size },
			.meta = v.meta,
			.meta_len = v.meta_len };
		if (a->row.kind != ENTRY_LINK)
			return 0;
		rc = put_off(w, a, err);
		if (rc != 0)
			return rc;
	}
	return rc;
}

/* With a plan it was done before the first write. */
static int sweep_place(struct write_run *w, struct store_error *err)
{
	const char *name;
	bool moved;

	if (!w->walk || w->c->straight)
		return 0;
	if (checkout_place_open(&w->place, w->next.path, w->next.len, &name, &moved) != 0)
		return checkout_fail("open the directory of", w->next.path, err);
	if (moved)
		leftover_sweep(w->place.fd, odb_tmp_fd(w->c->repo->odb), w->c->run, w->c->mark_fd);
	return 0;
}

/* Make `next` the next file.  STORE_ENOTFOUND: there is none. */
static int find_next(struct write_run *w, struct store_error *err)
{
	int rc;

	if (w->has_next)
		return 0;
	if (w->ended)
		return STORE_ENOTFOUND;
	rc = w->walk ? next_walked(w, err) : next_planned(w, err);
	w->ended = rc == STORE_ENOTFOUND;
	if (rc == 0)
		rc = sweep_place(w, err);
	w->has_next = rc == 0;
	return rc;
}

/* ---- produce */

static void free_large(struct large *l)
{
	if (!l)
		return;
	checkout_file_release(&l->file);
	checkout_seam_release(&l->seam);
	seq_cursor_free(l->rows);
	free(l);
}

static int open_large(struct write_run *w, struct store_error *err)
{
	struct large *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return checkout_no_memory(err);
	checkout_file_init(&l->file, w->c);
	l->rows = seq_cursor_new(&w->nodes, &w->next.row.ref);
	rc = l->rows && checkout_seam_init(&l->seam) == 0
		? checkout_file_begin(&l->file, &w->place, &w->next, err)
		: checkout_no_memory(err);
	if (rc == 0)
		rc = checkout_file_own_dir(&l->file, err);
	if (rc == 0)
		rc = checkout_large_begin(&l->file, &w->nodes, err);
	if (rc != 0) {
		free_large(l);
		return rc;
	}
	w->open = l;
	return 0;
}

static int produce_piece(struct write_run *w, struct item *item, struct store_error *err)
{
	struct large *l = w->open;
	uint64_t bytes = 0;
	int rc = 0;

	assert(l);
	item->row_count = 0;
	while (item->row_count < PIECE_ROWS && bytes < PIECE_BYTES) {
		struct piece_row *r = &item->rows[item->row_count];

		rc = seq_cursor_next(l->rows, &r->row, &r->off, err);
		if (rc != 0)
			break;
		item->row_count++;
		bytes += r->row.len;
		item->bytes += r->row.len * r->row.repeat;
	}
	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	item->large = l;
	item->is_last = rc == STORE_ENOTFOUND;
	if (item->is_last)
		w->open = NULL;
	return 0;
}

static int produce_batch(struct write_run *w, struct item *item, struct store_error *err)
{
	int rc;

	while (item->files < BATCH_FILES && item->bytes < BATCH_BYTES) {
		rc = find_next(w, err);
		if (rc == STORE_ENOTFOUND)
			break;
		if (rc != 0)
			return rc;
		if (w->next.row.ref.size >= LARGE)
			break;
		if (FAULT("checkout.mid"))
			return checkout_fail("write", w->next.path, err);
		buf_clear(&w->scratch);
		rc = checkout_action_encode(&w->scratch, &w->next, err);
		if (rc != 0)
			return rc;
		buf_add_le32(&item->actions, (uint32_t)w->scratch.len);
		buf_add(&item->actions, w->scratch.data, w->scratch.len);
		item->files++;
		item->bytes += w->next.row.ref.size;
		w->has_next = false;
	}
	return buf_check(&item->actions, err);
}

static int produce(void *ctx, void *vitem, struct store_error *err)
{
	struct write_run *w = ctx;
	struct item *item = vitem;
	int rc;

	buf_clear(&item->actions);
	buf_clear(&item->done);
	item->files = 0;
	item->bytes = 0;
	item->large = NULL;
	item->is_last = false;
	if (w->open)
		return produce_piece(w, item, err);
	rc = find_next(w, err);
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? PIPELINE_END : rc;
	if (w->next.row.ref.size < LARGE)
		return produce_batch(w, item, err);
	if (FAULT("checkout.mid"))
		return checkout_fail("write", w->next.path, err);
	rc = open_large(w, err);
	w->has_next = false;
	return rc == 0 ? produce_piece(w, item, err) : rc;
}

/* ---- work */

static int note_done(struct buf *done, const struct checkout_action *a,
	const struct stage_stat *stat, struct store_error *err)
{
	struct checkout_action row = *a;
	const size_t at = done->len;
	int rc;

	row.op = CHECKOUT_ROW;
	row.row.stat = *stat;
	buf_add_le32(done, 0);
	rc = checkout_action_encode(done, &row, err);
	if (rc == 0)
		le32_put(done->data + at, (uint32_t)(done->len - at - 4));
	return rc;
}

static int write_rows(struct worker *k, struct seq_cursor *rows, struct store_error *err)
{
	struct seq_row row;
	uint64_t off;
	int rc;

	while ((rc = seq_cursor_next(rows, &row, &off, err)) == 0) {
		rc = checkout_read_chunk(k->reader, &row, &k->chunk, err);
		if (rc == 0)
			rc = checkout_file_put(&k->file, &k->chunk, row.repeat, off, err);
		if (rc != 0)
			return rc;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int write_small(struct worker *k, struct item *item, const struct checkout_action *a,
	struct store_error *err)
{
	const struct node_source src = nodes_source(k->reader);
	struct seq_cursor *rows = seq_cursor_new(&src, &a->row.ref);
	struct stage_stat stat;
	int rc = rows ? checkout_file_begin(&k->file, &k->place, a, err) : checkout_no_memory(err);

	if (rc == 0) {
		rc = write_rows(k, rows, err);
		if (rc != 0)
			store_error_wrap(err, rc, "cannot bring back '%s'", a->path);
	}
	if (rc == 0)
		rc = checkout_file_finish(&k->file, k->reader, &stat, err);
	seq_cursor_free(rows);
	return rc == 0 ? note_done(&item->done, a, &stat, err) : rc;
}

static int write_piece(struct worker *k, struct item *item, struct store_error *err)
{
	int rc = 0;

	if (!k->stripe.buffer && checkout_stripe_init(&k->stripe) != 0)
		return checkout_no_memory(err);
	checkout_stripe_begin(&k->stripe, &item->large->file,
		item->row_count > 0 ? item->rows[0].off : 0, item->edges);
	for (size_t i = 0; i < item->row_count && rc == 0; i++) {
		const struct piece_row *r = &item->rows[i];

		rc = checkout_read_chunk(k->reader, &r->row, &k->chunk, err);
		if (rc != 0)
			return store_error_wrap(err, rc, "cannot bring back '%s'",
				item->large->file.action.path);
		rc = checkout_stripe_put(&k->stripe, &k->chunk, r->row.repeat, err);
	}
	return rc == 0 ? checkout_stripe_end(&k->stripe, err) : rc;
}

static int work(void *ctx, unsigned int worker, void *vitem, struct store_error *err)
{
	struct write_run *w = ctx;
	struct worker *k = &w->workers[worker];
	struct item *item = vitem;
	size_t at = 0;
	int rc = 0;

	if (item->large)
		return write_piece(k, item, err);
	while (at < item->actions.len && rc == 0) {
		const size_t len = le32_get(item->actions.data + at);
		struct checkout_action a;

		rc = checkout_action_decode(&a, item->actions.data + at + 4, len, err);
		if (rc == 0)
			rc = write_small(k, item, &a, err);
		at += 4 + len;
	}
	return rc;
}

/* ---- consume */

static int keep_rows(struct checkout *c, const struct buf *done, struct store_error *err)
{
	int rc = 0;

	for (size_t at = 0; at < done->len && rc == 0;) {
		const size_t len = le32_get(done->data + at);

		rc = spool_add(&c->ops, done->data + at + 4, len, err);
		at += 4 + len;
	}
	return rc;
}

static int finish_large(struct write_run *w, struct item *item, struct store_error *err)
{
	struct large *l = item->large;
	struct stage_stat stat;
	int rc = checkout_seam_end(&l->seam, &l->file, err);

	if (rc == 0)
		rc = checkout_file_finish(&l->file, w->last_reader, &stat, err);

	if (rc == 0)
		rc = note_done(&item->done, &l->file.action, &stat, err);
	item->large = NULL;
	free_large(l);
	item->files = 1;
	return rc;
}

static int consume(void *ctx, void *vitem, struct store_error *err)
{
	struct write_run *w = ctx;
	struct item *item = vitem;
	struct checkout *c = w->c;
	int rc = 0;

	for (size_t i = 0; item->large && i < 2 && rc == 0; i++)
		rc = checkout_seam_add(&item->large->seam, &item->large->file, &item->edges[i],
			err);
	if (rc == 0 && item->large && item->is_last)
		rc = finish_large(w, item, err);
	if (rc == 0 && c->in_place)
		rc = keep_rows(c, &item->done, err);
	c->result->written += item->files;
	c->progress.files += item->files;
	c->progress.bytes += item->bytes;
	return rc;
}

static int tick(void *ctx, struct store_error *err)
{
	struct write_run *w = ctx;

	return checkout_tick(w->c, err);
}

/* ---- the run */

/* Where chunks are large, fewer workers hold them: two of 8 MiB at an average of 2 MiB. */
static size_t count_workers(const struct checkout *c)
{
	const size_t chunk = 4 * (size_t)format_largest_avg(odb_format(c->repo->odb));
	const size_t room = WORKERS_BYTES / (2 * chunk + CHECKOUT_STRIPE);
	size_t n = pipeline_threads(c->repo->threads);

	if (n > WORKERS_MAX)
		n = WORKERS_MAX;
	return n > room ? room : n;
}

static int make_workers(struct write_run *w, struct store_error *err)
{
	w->workers = mem_alloc_array(w->n_workers, sizeof(*w->workers));
	if (!w->workers)
		return checkout_no_memory(err);
	for (size_t i = 0; i < w->n_workers; i++) {
		struct worker *k = &w->workers[i];

		checkout_place_init(&k->place, w->c->root_fd);
		checkout_file_init(&k->file, w->c);
		k->reader = odb_reader_new(w->c->repo->odb);
		if (!k->reader) {
			w->n_workers = i + 1;
			return checkout_no_memory(err);
		}
	}
	return 0;
}

static void free_workers(struct write_run *w)
{
	for (size_t i = 0; w->workers && i < w->n_workers; i++) {
		struct worker *k = &w->workers[i];

		/* The file may stand in the place's directory. */
		checkout_file_release(&k->file);
		checkout_place_release(&k->place);
		checkout_stripe_release(&k->stripe);
		odb_reader_free(k->reader);
		buf_release(&k->chunk);
	}
	free(w->workers);
}

static int run_pipeline(struct write_run *w, struct store_error *err)
{
	static const struct pipeline_ops ops = { produce, work, consume, tick };
	const size_t n = w->n_workers + 3;
	struct item *items = mem_alloc_array(n, sizeof(*items));
	void **pool = mem_alloc_array(n, sizeof(*pool));
	int rc;

	if (!items || !pool) {
		free(items);
		free(pool);
		return checkout_no_memory(err);
	}
	for (size_t i = 0; i < n; i++)
		pool[i] = &items[i];
	rc = pipeline_run(&ops, w, pool, n, (unsigned int)w->n_workers, err);
	for (size_t i = 0; i < n; i++) {
		/*
		 * After a failure: a large file is freed by the item that holds its last piece, or
		 * by the producer.
		 */
		if (items[i].large && items[i].is_last)
			free_large(items[i].large);
		buf_release(&items[i].actions);
		buf_release(&items[i].done);
	}
	free_large(w->open);
	w->open = NULL;
	free(items);
	free(pool);
	return rc;
}

static int run_once(struct checkout *c, struct checkout_walk *walk, struct store_error *err)
{
	struct write_run w = { .c = c, .walk = walk };
	int rc;

	w.n_workers = count_workers(c);
	checkout_place_init(&w.place, c->root_fd);
	w.reader = odb_reader_new(c->repo->odb);
	w.last_reader = odb_reader_new(c->repo->odb);
	rc = w.reader && w.last_reader ? make_workers(&w, err) : checkout_no_memory(err);
	if (rc == 0) {
		w.nodes = nodes_source(w.reader);
		rc = run_pipeline(&w, err);
	}
	free_workers(&w);
	odb_reader_free(w.reader);
	odb_reader_free(w.last_reader);
	checkout_place_release(&w.place);
	buf_release(&w.record);
	buf_release(&w.scratch);
	return rc;
}

/* The directories above a path that was asked for alone. */
static int make_parents(struct checkout *c, const char *path, struct store_error *err)
{
	struct write_run w = { .c = c };
	int rc = 0;

	checkout_place_init(&w.place, c->root_fd);
	for (const char *slash = strchr(path, '/'); slash && rc == 0;
		slash = strchr(slash + 1, '/')) {
		if (buf_set(&w.record, path, (size_t)(slash - path)) != 0 || !buf_str(&w.record))
			rc = checkout_no_memory(err);
		else
			rc = checkout_place_mkdir(&w.place, (const char *)w.record.data,
				w.record.len, err);
	}
	checkout_place_release(&w.place);
	buf_release(&w.record);
	return rc;
}

int checkout_write(struct checkout *c, struct store_error *err)
{
	int rc = 0;

	if (c->in_place) {
		rc = spool_rewind(&c->plan, err);
		return rc == 0 && c->plan.count > 0 ? run_once(c, NULL, err) : rc;
	}
	for (size_t i = 0; i < c->options->n_paths && rc == 0; i++)
		rc = make_parents(c, c->options->paths[i], err);
	return rc == 0 ? checkout_target_walks(c, run_once, err) : rc;
}
