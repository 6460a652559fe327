/*
 * store_bench: the run. It makes input and folder, lets each subject build its cases, and takes
 * round after round of them: case 1, case 2, ..., case 1, case 2, ..., so that a machine that gets
 * slower or faster meanwhile does so for all of them, limits included.
 *
 * Threads: bench_in_threads starts some and joins them; what they share is the caller's ctx.
 */
#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/pipeline.h"
#include "base/thread.h"
#include "work/bench_internal.h"
#include "work/options.h"
#include "work/stats.h"

#define SIZE_DEFAULT ((uint64_t)64 << 20)
#define SIZE_MAX_ASKED ((uint64_t)1 << 40)
#define COUNT_DEFAULT 20000
#define COUNT_MAX 200000
#define ROUNDS_LEAST 5
#define ROUNDS_MAX 1000
#define SCRATCH_DEFAULT "/tmp"
#define TELL_NS 100000000
#define PIECE ((size_t)1 << 20)

static const struct {
	const char *name;
	bench_subject_fn *run;
} subjects[] = {
	{ "chunk", bench_chunk },
	{ "hash", bench_hash },
	{ "codec", bench_codec },
	{ "walk", bench_walk },
	{ "index", bench_index },
	{ "io", bench_io },
};

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- clock and progress */

void bench_start(struct bench *b)
{
	b->began_ns = clock_mono_ns();
}

void bench_stop(struct bench *b)
{
	b->spent_ns += clock_mono_ns() - b->began_ns;
}

void bench_note(struct bench *b, size_t part, double amount)
{
	/* Where a clock stood still there is a rate, too. */
	const int64_t ns = b->spent_ns > 0 ? b->spent_ns : 1;

	b->rates[(b->at + part) * b->o.rounds + b->round] = amount * 1e9 / (double)ns;
	b->spent_ns = 0;
}

static int tell(struct bench *b, struct store_error *err)
{
	const struct store_callbacks *c = &b->o.callbacks;
	char stage[32];
	const struct store_progress p = { .stage = stage,
		.files = b->done,
		.files_total = b->total };

	snprintf(stage, sizeof(stage), "bench %s", b->subject);
	b->told_ns = clock_mono_ns();
	stats_sample();
	if (c->progress && c->progress(c->payload, &p) != 0)
		return store_error_set(err, STORE_ECANCELED, "canceled");
	return 0;
}

int bench_tick(struct bench *b, struct store_error *err)
{
	return clock_mono_ns() - b->told_ns < TELL_NS ? 0 : tell(b, err);
}

/* ---- rounds */

int bench_add(struct bench_case *cases, size_t *n, struct bench_case c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c.name, sizeof(c.name), fmt, ap);
	va_end(ap);
	c.threads = c.threads ? c.threads : 1;
	cases[(*n)++] = c;
	return (int)*n;
}

static void summarize(const struct bench *b, size_t at, struct bench_summary *out)
{
	bench_stats(b->rates + at * b->o.rounds, b->o.rounds, out);
}

/* Hand over what became of the case at position `at`. */
static int hand_over(struct bench *b, const struct bench_case *cases, size_t at)
{
	static const char *const units[] = { "bytes/s", "ops/s" };
	const struct bench_case *c = &cases[at];
	struct store_bench_result r = { .subject = b->subject,
		.name = c->name,
		.unit = units[c->unit],
		.threads = c->threads,
		.rounds = b->o.rounds,
		.ratio = c->ratio,
		.target = c->target };
	struct bench_summary s;

	summarize(b, at, &s);
	r.value = s.median;
	r.min = s.min;
	r.max = s.max;
	for (size_t i = 0; i < STORE_BENCH_LIMITS; i++) {
		if (c->limits[i] == 0)
			continue;
		summarize(b, (size_t)c->limits[i] - 1, &s);
		r.limits[r.n_limits++] = (struct store_bench_limit){ cases[c->limits[i] - 1].name,
			s.median, s.min, s.max };
	}
	return b->fn(b->payload, &r);
}

static int take_rounds(struct bench *b, const struct bench_case *cases, size_t n, void *ctx,
	struct store_error *err)
{
	for (b->round = 0; b->round < b->o.rounds; b->round++) {
		for (b->at = 0; b->at < n; b->at++, b->done++) {
			int rc;

			if (!cases[b->at].run)
				continue;
			b->spent_ns = 0;
			rc = bench_tick(b, err);
			if (rc == 0)
				rc = cases[b->at].run(b, &cases[b->at], ctx, err);
			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

int bench_measure(struct bench *b, struct bench_case *cases, size_t n, void *ctx,
	struct store_error *err)
{
	int rc;

	b->total = n * b->o.rounds;
	b->done = 0;
	b->rates = mem_alloc_array(n * b->o.rounds, sizeof(*b->rates));
	if (!b->rates)
		return out_of_memory(err);
	rc = take_rounds(b, cases, n, ctx, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (cases[i].is_limit)
			continue;
		rc = hand_over(b, cases, i);
		if (rc != 0)
			store_error_set(err, rc, "stopped with code %d", rc);
	}
	free(b->rates);
	b->rates = NULL;
	return rc;
}

/* ---- threads */

struct hand {
	bench_body_fn *body;
	void *ctx;
	unsigned int number;
	pthread_t thread;
	bool runs;
};

static void *lend(void *arg)
{
	const struct hand *h = arg;

	h->body(h->ctx, h->number);
	return NULL;
}

int bench_in_threads(unsigned int threads, bench_body_fn *body, void *ctx, struct store_error *err)
{
	struct hand hands[BENCH_THREADS];
	bool all_run = true;

	assert(threads >= 1 && threads <= BENCH_THREADS);
	for (unsigned int i = 1; i < threads; i++) {
		hands[i] = (struct hand){ .body = body, .ctx = ctx, .number = i };
		hands[i].runs = thread_start(&hands[i].thread, lend, &hands[i]);
		all_run = all_run && hands[i].runs;
	}
	body(ctx, 0);
	for (unsigned int i = 1; i < threads; i++)
		if (hands[i].runs)
			pthread_join(hands[i].thread, NULL);
	return all_run ? 0 : store_error_set(err, STORE_ENOMEM, "cannot start a thread");
}

/* ---- a limit that several have */

int bench_run_sha256(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	struct oid id;
	uint64_t left = b->o.size;
	int rc = 0;

	(void)c;
	(void)ctx;
	bench_start(b);
	hash_begin(b->hash);
	for (size_t at = 0; rc == 0 && left > 0;) {
		size_t n = b->input_len - at < PIECE ? b->input_len - at : PIECE;

		n = n < left ? n : (size_t)left;
		hash_add(b->hash, b->random + at, n);
		at = at + n < b->input_len ? at + n : 0;
		left -= n;
		rc = bench_tick(b, err);
	}
	hash_end(b->hash, &id);
	bench_stop(b);
	bench_note(b, 0, (double)b->o.size);
	return rc;
}

struct bench_case bench_case_sha256(void)
{
	return (struct bench_case){ .run = bench_run_sha256, .is_limit = true };
}

/* ---- the run */

static int check(const char *subject, const struct store_bench_options *o, struct store_error *err)
{
	const int rc = options_check(o, "store_bench_options", err);
	size_t i;

	if (rc != 0)
		return rc;
	for (i = 0; subject && i < SUBJECTS && strcmp(subject, subjects[i].name) != 0; i++)
		;
	if (i == SUBJECTS)
		return store_error_set(err, STORE_EINVAL, "there is no bench of '%.40s'", subject);
	if (o->size > SIZE_MAX_ASKED)
		return store_error_set(err, STORE_EINVAL, "a round has at most 1 TiB");
	if (o->count > COUNT_MAX)
		return store_error_set(err, STORE_EINVAL, "a round has at most %d files and rows",
			COUNT_MAX);
	if (o->rounds != 0 && (o->rounds < ROUNDS_LEAST || o->rounds > ROUNDS_MAX))
		return store_error_set(err, STORE_EINVAL, "there are %d to %d rounds", ROUNDS_LEAST,
			ROUNDS_MAX);
	if (o->threads > BENCH_THREADS)
		return store_error_set(err, STORE_EINVAL, "there are at most %d threads",
			BENCH_THREADS);
	return 0;
}

static void fill_in(struct store_bench_options *o)
{
	o->size = o->size ? o->size : SIZE_DEFAULT;
	o->count = o->count ? o->count : COUNT_DEFAULT;
	o->rounds = o->rounds ? o->rounds : ROUNDS_LEAST;
	o->threads = pipeline_threads(o->threads);
	if (!o->scratch)
		o->scratch = getenv("TMPDIR");
	if (!o->scratch || !*o->scratch)
		o->scratch = SCRATCH_DEFAULT;
}

static int make_input(struct bench *b, struct store_error *err)
{
	struct bench_random r = { b->o.seed };

	b->input_len = b->o.size < BENCH_INPUT ? (size_t)b->o.size : BENCH_INPUT;
	b->random = mem_pages(b->input_len);
	b->text = mem_pages(b->input_len);
	b->hash = hash_new();
	if (!b->random || !b->text || !b->hash)
		return out_of_memory(err);
	bench_random_fill(&r, b->random, b->input_len);
	bench_text_fill(&r, b->text, b->input_len);
	return 0;
}

static int run_subjects(struct bench *b, const char *subject, struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < SUBJECTS; i++) {
		if (subject && strcmp(subject, subjects[i].name) != 0)
			continue;
		b->subject = subjects[i].name;
		b->done = b->total = 0;
		rc = tell(b, err);
		if (rc == 0)
			rc = subjects[i].run(b, err);
	}
	return rc;
}

const char *store_bench_subject(size_t pos)
{
	return pos < SUBJECTS ? subjects[pos].name : NULL;
}

int store_bench(const char *subject, const struct store_bench_options *options, store_bench_fn fn,
	void *payload, struct store_error *err)
{
	const struct store_bench_options none = { 0 };
	struct bench b = { .o = options ? *options : none,
		.fn = fn,
		.payload = payload,
		.scratch_fd = -1,
		.fd = -1 };
	int rc = check(subject, &b.o, err), removed;

	if (rc != 0)
		return rc;
	fill_in(&b.o);
	rc = make_input(&b, err);
	if (rc == 0)
		rc = bench_scratch_make(&b, err);
	if (rc == 0)
		rc = run_subjects(&b, subject, err);
	/* The first error is the one that is told. */
	removed = bench_scratch_remove(&b, rc == 0 ? err : NULL);
	hash_free(b.hash);
	if (b.random)
		mem_pages_free(b.random, b.input_len);
	if (b.text)
		mem_pages_free(b.text, b.input_len);
	return rc == 0 ? removed : rc;
}
