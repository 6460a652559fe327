/*
 * Ids: objects of the sizes that a store has, each hashed by itself as it is when it is stored or
 * read, beside one long row of bytes by the same library. What is missing to the limit is the cost
 * of beginning and ending an object.
 */
#include <stdio.h>

#include "base/error.h"
#include "work/bench_internal.h"

#define PIECE ((size_t)1 << 20)

struct hashing {
	struct bench *b;
	struct hash *hashes[BENCH_THREADS]; /* one for each thread */
	size_t object;                      /* bytes of an object; 0: all is one row */
};

static void hash_row(struct hash *h, const struct bench *b)
{
	struct oid id;

	hash_begin(h);
	for (uint64_t left = b->o.size; left > 0;) {
		const size_t n = left < b->input_len ? (size_t)left : b->input_len;

		for (size_t at = 0; at < n; at += PIECE)
			hash_add(h, b->random + at, n - at < PIECE ? n - at : PIECE);
		left -= n;
	}
	hash_end(h, &id);
}

static void hash_objects(struct hash *h, const struct bench *b, size_t object)
{
	struct oid id;

	for (uint64_t left = b->o.size; left > 0;) {
		const size_t n = left < b->input_len ? (size_t)left : b->input_len;

		for (size_t at = 0; at < n; at += object)
			hash_once(h, b->random + at, n - at < object ? n - at : object, &id);
		left -= n;
	}
}

static void body(void *ctx, unsigned int thread)
{
	const struct hashing *g = ctx;

	if (g->object == 0)
		hash_row(g->hashes[thread], g->b);
	else
		hash_objects(g->hashes[thread], g->b, g->object);
}

/* Each thread hashes a whole round of its own. */
static int run(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct hashing *g = ctx;
	int rc;

	g->object = (size_t)c->arg;
	bench_start(b);
	rc = bench_in_threads(c->threads, body, g, err);
	bench_stop(b);
	bench_note(b, 0, (double)b->o.size * c->threads);
	return rc;
}

static void add_objects(struct bench_case *cases, size_t *n, unsigned int threads, int limit)
{
	static const int objects[] = { 256, 4 << 10, 64 << 10 };

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		const struct bench_case c = { .run = run,
			.arg = objects[i],
			.threads = threads,
			.limits = { limit } };
		char size[32];

		snprintf(size, sizeof(size), objects[i] < 1024 ? "%d bytes" : "%d KiB",
			objects[i] < 1024 ? objects[i] : objects[i] >> 10);
		bench_add(cases, n, c, "objects of %s, %u thread%s", size, threads,
			threads == 1 ? "" : "s");
	}
}

int bench_hash(struct bench *b, struct store_error *err)
{
	struct bench_case cases[8];
	struct hashing g = { .b = b };
	size_t n = 0;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < b->o.threads; i++) {
		g.hashes[i] = hash_new();
		if (!g.hashes[i])
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	for (unsigned int threads = 1;; threads = b->o.threads) {
		const struct bench_case row = { .run = run, .threads = threads, .is_limit = true };
		const int limit = bench_add(cases, &n, row, "one row of bytes, %u thread%s",
			threads, threads == 1 ? "" : "s");

		add_objects(cases, &n, threads, limit);
		if (threads == b->o.threads)
			break;
	}
	if (rc == 0)
		rc = bench_measure(b, cases, n, &g, err);
	for (unsigned int i = 0; i < b->o.threads; i++)
		hash_free(g.hashes[i]);
	return rc;
}
