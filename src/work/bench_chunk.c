/*
 * Cuts: every kernel that this processor can run, beside hashing, which all that is cut goes
 * through next, and beside reading memory, which no chunker can be faster than.
 */
#include <stdio.h>

#include "base/error.h"
#include "data/chunker.h"
#include "work/bench_internal.h"

#define TARGET 1.5
#define TICK ((uint64_t)4 << 20)

struct way {
	const struct chunker_kernel *kernel;
	struct chunker_params params;
	bool is_text;
};

#define WAYS_MAX 16

struct chunk {
	struct way ways[WAYS_MAX];
	size_t n;
	volatile uint64_t sink; /* keeps what is computed from being left out */
};

/* Eight bytes at a time in four sums, so that nothing but memory holds it up. */
static uint64_t sum_words(const uint8_t *data, size_t len)
{
	const uint64_t *w = (const void *)data; /* whole pages */
	uint64_t a = 0, b = 0, c = 0, d = 0;

	for (size_t i = 0; i + 4 <= len / sizeof(*w); i += 4) {
		a += w[i];
		b += w[i + 1];
		c += w[i + 2];
		d += w[i + 3];
	}
	return a + b + c + d;
}

static int run_read(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct chunk *k = ctx;
	int rc = 0;

	(void)c;
	bench_start(b);
	for (uint64_t left = b->o.size; rc == 0 && left > 0;) {
		const size_t n = left < b->input_len ? (size_t)left : b->input_len;

		k->sink = k->sink + sum_words(b->random, n);
		left -= n;
		rc = bench_tick(b, err);
	}
	bench_stop(b);
	bench_note(b, 0, (double)b->o.size);
	return rc;
}

/* The input is cut as a file of its length, again and again. */
static int run_cut(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct chunk *k = ctx;
	const struct way *w = &k->ways[c->arg];
	const uint8_t *data = w->is_text ? b->text : b->random;
	uint64_t left = b->o.size, since = 0;
	int rc = 0;

	bench_start(b);
	while (rc == 0 && left > 0) {
		const size_t len = left < b->input_len ? (size_t)left : b->input_len;

		for (size_t start = 0; rc == 0 && start < len;) {
			size_t n = w->kernel->next(&w->params, data, len, start);

			n = n ? n : len - start;
			start += n;
			since += n;
			if (since >= TICK) {
				since = 0;
				rc = bench_tick(b, err);
			}
		}
		left -= len;
	}
	bench_stop(b);
	bench_note(b, 0, (double)b->o.size);
	return rc;
}

/* One more way, as one more case. */
static int add_way(struct chunk *k, struct bench_case *cases, size_t *n,
	const struct chunker_kernel *kernel, bool is_text, uint32_t avg, double target,
	struct store_error *err)
{
	struct way *w = &k->ways[k->n];
	struct bench_case c = { .run = run_cut,
		.arg = (int)k->n++,
		.limits = { 1, 2 },
		.target = target };
	char average[32] = "";

	*w = (struct way){ .kernel = kernel, .is_text = is_text };
	if (chunker_params_init(&w->params, avg) != 0)
		return store_error_set(err, STORE_EINVAL, "there are no chunks of %u bytes", avg);
	if (avg != CHUNKER_AVG_DEFAULT)
		snprintf(average, sizeof(average), ", average %u KiB", avg >> 10);
	bench_add(cases, n, c, "%s kernel, %s%s", kernel->name, is_text ? "text" : "random",
		average);
	return 0;
}

int bench_chunk(struct bench *b, struct store_error *err)
{
	struct bench_case cases[2 + WAYS_MAX];
	const struct bench_case read = { .run = run_read, .is_limit = true };
	struct chunk k = { .n = 0 };
	size_t n = 0;
	int rc = 0;

	bench_add(cases, &n, bench_case_sha256(), "SHA-256, one thread");
	bench_add(cases, &n, read, "reading memory, one thread");
	/* The first is the one that is used; it alone has a target. */
	for (size_t i = 0; rc == 0 && i < (WAYS_MAX - 2) / 2 && chunker_kernel(i); i++) {
		for (int text = 0; rc == 0 && text < 2; text++)
			rc = add_way(&k, cases, &n, chunker_kernel(i), text != 0,
				CHUNKER_AVG_DEFAULT, i == 0 ? TARGET : 0, err);
	}
	if (rc == 0)
		rc = add_way(&k, cases, &n, chunker_kernel(0), false, 4u << 10, 0, err);
	if (rc == 0)
		rc = add_way(&k, cases, &n, chunker_kernel(0), false, 1u << 20, 0, err);
	return rc == 0 ? bench_measure(b, cases, n, &k, err) : rc;
}
