/*
 * The database: rows of objects and of the stage, put and found by the calls that add and commit
 * use, in batches as large as theirs, each of which is synced.
 *
 * The limits are what any index has to do at least. For rows that are put: as many bytes written
 * one behind the other to a file that is there, with as many syncs. For ids that are looked for: a
 * binary search in a sorted array in memory. For rows that are listed: reading as many bytes from
 * the cache.
 *
 * Every round has ids and names of its own. The object rows of the round before are deleted first,
 * or every round would look for them in more than the one before.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "graph/stage.h"
#include "odb/odb.h"
#include "odb/publish.h"
#include "work/bench_internal.h"

#define OBJECT_BATCH 2000 /* as writers publish */
#define STAGE_BATCH 5000
#define OBJECT_BYTES (ID_LEN + ODB_ROW_LEN)
#define STAGE_BYTES 128 /* about: key, stat data, class, reference, what stands around them */
#define FILES 100       /* of a directory of the stage */
#define READ ((size_t)64 << 10)

struct rows {
	struct odb *odb;
	struct odb_reader *reader;
	int fd;            /* the file of the limits */
	struct oid *ids;   /* o.count of them: of this round, sorted */
	struct oid *asked; /* the same in another order */
	struct stage_batch *batch;
	uint64_t found;
};

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

static void make_ids(const struct bench *b, struct rows *x)
{
	struct bench_random r = { b->o.seed + b->round };
	const size_t n = b->o.count;

	bench_random_fill(&r, (uint8_t *)x->asked, n * sizeof(*x->asked));
	memcpy(x->ids, x->asked, n * sizeof(*x->ids));
	qsort(x->ids, n, sizeof(*x->ids), id_compare);
}

/* ---- limits */

/* As many bytes, as many syncs: arg is 1 for the stage. */
static int run_append(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	struct rows *x = ctx;
	const size_t row = c->arg ? STAGE_BYTES : OBJECT_BYTES;
	const size_t batch = c->arg ? STAGE_BATCH : OBJECT_BATCH;
	int rc = 0;

	bench_start(b);
	for (size_t i = 0; rc == 0 && i < b->o.count; i += batch) {
		const size_t n = b->o.count - i < batch ? b->o.count - i : batch;

		for (size_t at = i * row; rc == 0 && at < (i + n) * row; at += READ) {
			const size_t len = (i + n) * row - at < READ ? (i + n) * row - at : READ;

			if (io_pwrite_full(x->fd, b->random,
				    len < b->input_len ? len : b->input_len, at) != 0)
				rc = store_error_sys(err, "cannot write a file in '%s'",
					b->o.scratch);
		}
		if (rc == 0 && io_datasync(x->fd) != 0)
			rc = store_error_sys(err, "cannot sync a file in '%s'", b->o.scratch);
		if (rc == 0)
			rc = bench_tick(b, err);
	}
	bench_stop(b);
	bench_note(b, 0, b->o.count);
	return rc;
}

static int run_search(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	struct rows *x = ctx;
	uint64_t found = 0;

	(void)c;
	bench_start(b);
	for (size_t i = 0; i < b->o.count; i++)
		found += bsearch(&x->asked[i], x->ids, b->o.count, sizeof(*x->ids), id_compare) !=
			NULL;
	bench_stop(b);
	bench_note(b, 0, b->o.count);
	x->found = found;
	return found == b->o.count ? 0 : store_error_set(err, STORE_EIO, "an id is lost");
}

static int run_scan_file(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	struct rows *x = ctx;
	const uint64_t all = (uint64_t)b->o.count * STAGE_BYTES;
	uint8_t data[READ];
	int rc = 0;

	(void)c;
	bench_start(b);
	for (uint64_t at = 0; rc == 0 && at < all; at += READ) {
		if (io_pread_full(x->fd, data, all - at < READ ? (size_t)(all - at) : READ, at) < 0)
			rc = store_error_sys(err, "cannot read a file in '%s'", b->o.scratch);
	}
	bench_stop(b);
	bench_note(b, 0, b->o.count);
	return rc;
}

/* ---- objects */

static int del_objects(struct rows *x, const struct oid *ids, size_t n, struct store_error *err)
{
	struct env_txn *txn = NULL;
	int rc = odb_gate_lock(x->odb, err);

	if (rc != 0)
		return rc;
	rc = env_begin(odb_env(x->odb), true, &txn, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = env_del(txn, ENV_OBJECTS, ids[i].b, ID_LEN, err);
	if (rc == 0)
		rc = env_commit(txn, err);
	else
		env_abort(txn);
	odb_gate_unlock(x->odb);
	return rc;
}

static int forget_round(const struct bench *b, struct rows *x, struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; b->round > 0 && rc == 0 && i < b->o.count; i += OBJECT_BATCH)
		rc = del_objects(x, x->ids + i,
			b->o.count - i < OBJECT_BATCH ? b->o.count - i : OBJECT_BATCH, err);
	return rc == STORE_ENOTFOUND ? store_error_set(err, STORE_EIO, "an object row is lost")
				     : rc;
}

static int put_objects(struct rows *x, const struct oid *ids, size_t n, struct store_error *err)
{
	struct odb_loc loc = { .pack = 1, .block_len = 256 << 10, .len = 64 << 10 };
	struct env_txn *txn = NULL;
	uint8_t row[ODB_ROW_LEN];
	int rc = odb_gate_lock(x->odb, err);

	if (rc != 0)
		return rc;
	rc = env_begin(odb_env(x->odb), true, &txn, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		loc.block_off = (uint32_t)i;
		loc.kind = KIND_CHUNK;
		odb_row_encode(row, &loc);
		rc = env_put_new(txn, ENV_OBJECTS, ids[i].b, ID_LEN, row, sizeof(row), err);
		if (rc == STORE_EEXISTS)
			rc = store_error_set(err, STORE_EIO, "an id was made up twice");
	}
	if (rc == 0)
		rc = env_commit(txn, err);
	else
		env_abort(txn);
	odb_gate_unlock(x->odb);
	return rc;
}

static int run_put(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct rows *x = ctx;
	int rc = forget_round(b, x, err);

	(void)c;
	make_ids(b, x);
	for (size_t i = 0; rc == 0 && i < b->o.count;) {
		const size_t n = b->o.count - i < OBJECT_BATCH ? b->o.count - i : OBJECT_BATCH;

		bench_start(b);
		rc = put_objects(x, x->ids + i, n, err);
		/* The map grows by doubling, so rarely that it belongs to no row. */
		bench_stop(b);
		if (rc == ENV_FULL)
			rc = env_grow(odb_env(x->odb), err);
		else
			i += n;
		if (rc == 0)
			rc = bench_tick(b, err);
	}
	bench_note(b, 0, b->o.count);
	return rc;
}

static int run_find(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct rows *x = ctx;
	struct odb_loc loc;
	int rc = 0;

	(void)c;
	bench_start(b);
	for (size_t i = 0; rc == 0 && i < b->o.count; i++) {
		rc = odb_find(x->reader, &x->asked[i], &loc, err);
		if (rc == 0 && i % 1024 == 0)
			rc = bench_tick(b, err);
	}
	bench_stop(b);
	bench_note(b, 0, b->o.count);
	return rc == STORE_ENOTFOUND ? store_error_set(err, STORE_EIO, "an object row is lost")
				     : rc;
}

/* ---- stage */

/* Files from..to of this round, in directories of FILES. */
static int fill_batch(const struct bench *b, struct rows *x, uint32_t from, uint32_t to,
	struct store_error *err)
{
	const struct stage_row dir = { .kind = ENTRY_DIR };
	struct stage_row file = { .kind = ENTRY_FILE, .ref = { .size = 4096 } };
	char path[64];
	int rc = 0, len;

	stage_batch_clear(x->batch);
	len = snprintf(path, sizeof(path), "round-%zu", b->round);
	rc = stage_batch_set(x->batch, path, (size_t)len, &dir, err);
	for (uint32_t i = from; rc == 0 && i < to; i++) {
		if (i == from || i % FILES == 0) {
			len = snprintf(path, sizeof(path), "round-%zu/directory-%u", b->round,
				i / FILES);
			rc = stage_batch_set(x->batch, path, (size_t)len, &dir, err);
		}
		len = snprintf(path, sizeof(path), "round-%zu/directory-%u/file-%u", b->round,
			i / FILES, i);
		file.ref.id = x->asked[i];
		file.stat = (struct stage_stat){ 4096, i, i, i, 0100644, i };
		if (rc == 0)
			rc = stage_batch_set(x->batch, path, (size_t)len, &file, err);
	}
	return rc;
}

static int apply(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	const struct rows *x = ctx;

	return stage_batch_apply(x->batch, txn, number, err);
}

static int run_stage(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	struct rows *x = ctx;
	const struct publication p = { .apply = apply, .ctx = x };
	int rc = 0;

	(void)c;
	for (uint32_t i = 0; rc == 0 && i < b->o.count; i += STAGE_BATCH) {
		const uint32_t left = b->o.count - i;

		rc = fill_batch(b, x, i, i + (left < STAGE_BATCH ? left : STAGE_BATCH), err);
		bench_start(b);
		if (rc == 0)
			rc = publish(x->odb, &p, NULL, err);
		bench_stop(b);
		if (rc == 0)
			rc = bench_tick(b, err);
	}
	bench_note(b, 0, b->o.count);
	return rc;
}

static int scan_dir(struct env_txn *txn, const char *path, uint64_t *found, struct store_error *err)
{
	struct stage_scan *scan = NULL;
	struct stage_row row;
	const uint8_t *name;
	size_t len;
	int rc = stage_find(txn, path, strlen(path), &row, err);

	if (rc == 0)
		rc = stage_scan_open(txn, row.dir, &scan, err);
	while (rc == 0) {
		rc = stage_scan_next(scan, &name, &len, &row, err);
		*found += rc == 0;
	}
	stage_scan_close(scan);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int run_list(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct rows *x = ctx;
	struct env_txn *txn = NULL;
	char path[64];
	int rc;

	(void)c;
	x->found = 0;
	bench_start(b);
	rc = env_begin(odb_env(x->odb), false, &txn, err);
	for (uint32_t i = 0; rc == 0 && i < b->o.count; i += FILES) {
		snprintf(path, sizeof(path), "round-%zu/directory-%u", b->round, i / FILES);
		rc = scan_dir(txn, path, &x->found, err);
		if (rc == 0)
			rc = bench_tick(b, err);
	}
	env_abort(txn);
	bench_stop(b);
	bench_note(b, 0, b->o.count);
	if (rc == 0 && x->found != b->o.count)
		rc = store_error_set(err, STORE_EIO, "a stage row is lost");
	return rc;
}

static void add_cases(struct bench_case *cases, size_t *n)
{
	struct bench_case limit = { .unit = BENCH_OPS, .is_limit = true };
	struct bench_case c = { .unit = BENCH_OPS };

	limit.run = run_append;
	c.run = run_put;
	c.limits[0] = bench_add(cases, n, limit, "the bytes of the rows written and synced");
	bench_add(cases, n, c, "object rows put, %d a batch", OBJECT_BATCH);
	limit.run = run_search;
	c.run = run_find;
	c.limits[0] = bench_add(cases, n, limit, "binary search in memory");
	bench_add(cases, n, c, "objects found");
	limit.run = run_append;
	limit.arg = 1;
	c.run = run_stage;
	c.limits[0] = bench_add(cases, n, limit, "the bytes of the rows written and synced");
	bench_add(cases, n, c, "stage rows put, %d a batch", STAGE_BATCH);
	limit.run = run_scan_file;
	c.run = run_list;
	c.limits[0] = bench_add(cases, n, limit, "the bytes of the rows read from the cache");
	bench_add(cases, n, c, "stage rows listed");
}

int bench_index(struct bench *b, struct store_error *err)
{
	struct bench_case cases[8];
	struct rows x = { .fd = -1 };
	size_t n = 0;
	int rc = bench_scratch_odb(b, "index", &x.odb, err);

	x.ids = mem_alloc_array(b->o.count, sizeof(*x.ids));
	x.asked = mem_alloc_array(b->o.count, sizeof(*x.asked));
	x.batch = stage_batch_new();
	x.reader = rc == 0 ? odb_reader_new(x.odb) : NULL;
	if (rc == 0 && (!x.ids || !x.asked || !x.batch || !x.reader))
		rc = out_of_memory(err);
	if (rc == 0) {
		x.fd = openat(b->fd, "rows", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (x.fd == -1)
			rc = store_error_sys(err, "cannot make a file in '%s'", b->o.scratch);
	}
	add_cases(cases, &n);
	if (rc == 0)
		rc = bench_measure(b, cases, n, &x, err);
	io_close(&x.fd);
	odb_reader_free(x.reader);
	stage_batch_free(x.batch);
	free(x.ids);
	free(x.asked);
	odb_close(x.odb);
	return rc;
}
