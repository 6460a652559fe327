/*
 * What the files of store_bench share: the run, its clock, its input, its folder.
 *
 * A subject is a table of cases. A case is one way to do one piece of work, and one round of it is
 * a call of run, which starts and stops the clock around what counts and says how much it was. A
 * limit is a case like any other, so it is measured in the same rounds, right before or behind what
 * it limits, and whatever else the machine does falls on both.
 */
#ifndef STORE_WORK_BENCH_INTERNAL_H
#define STORE_WORK_BENCH_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/hash.h"
#include "store.h"

struct odb;
struct bench;
struct bench_case;

/* One round. ctx: of the subject. 0, or a negative STORE_E*. */
typedef int bench_run_fn(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err);

enum bench_unit { BENCH_BYTES, BENCH_OPS };

struct bench_case {
	char name[64];
	enum bench_unit unit;
	bool is_limit;                  /* told with what it limits only */
	unsigned int threads;           /* 0: one */
	bench_run_fn *run;              /* NULL: the case before measures it, too */
	int arg;                        /* for run: which of several ways */
	int limits[STORE_BENCH_LIMITS]; /* 1 + position of a case; 0: none */
	double target;
	double ratio; /* set by run */
};

struct bench {
	struct store_bench_options o; /* nothing is 0 but seed */
	store_bench_fn fn;
	void *payload;
	const char *subject;
	struct hash *hash;
	/* The made up input: input_len bytes each. */
	uint8_t *random, *text;
	size_t input_len;
	/* The folder: its path, and the folder it stands in. */
	int scratch_fd, fd;
	char name[32];
	struct buf path;
	/* The clock. */
	int64_t began_ns, spent_ns;
	double *rates;        /* n_cases x rounds, by case */
	size_t at;            /* case that runs */
	size_t round;         /* of rounds */
	uint64_t done, total; /* rounds of cases, for progress */
	int64_t told_ns;
};

#define BENCH_THREADS 64               /* at most */
#define BENCH_INPUT ((size_t)16 << 20) /* bytes of either kind of input, at most */

/*
 * Start, stop (again and again), and say how much was done for case `c->run` stands in plus `part`:
 * its rate of this round, and the clock is at 0 again.
 */
void bench_start(struct bench *b);
void bench_stop(struct bench *b);
void bench_note(struct bench *b, size_t part, double amount);

/* Progress, and STORE_ECANCELED when the caller wants to stop.  Cheap: call it every millisecond.
 */
int bench_tick(struct bench *b, struct store_error *err);

/* Run the n cases round by round, and hand the results of those that are no limits over. */
int bench_measure(struct bench *b, struct bench_case *cases, size_t n, void *ctx,
	struct store_error *err);

/* Append a case to cases, which have room for it, and return 1 + its position. */
int bench_add(struct bench_case *cases, size_t *n, struct bench_case c, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The work of several threads: body is called with 0 to threads - 1, once in each. */
typedef void bench_body_fn(void *ctx, unsigned int thread);
int bench_in_threads(unsigned int threads, bench_body_fn *body, void *ctx, struct store_error *err);

/* ---- limits that several subjects have */

/* SHA-256 of one long row of bytes, by one thread; ctx is not looked at. */
bench_run_fn bench_run_sha256;
struct bench_case bench_case_sha256(void);

/* ---- made up input (bench_input.c) */

struct bench_random {
	uint64_t state;
};
uint64_t bench_random_next(struct bench_random *r);
void bench_random_fill(struct bench_random *r, uint8_t *data, size_t len);
/* Lines of words, of which a few are frequent: a coder halves or thirds it, as it does source. */
void bench_text_fill(struct bench_random *r, uint8_t *data, size_t len);

/* ---- the folder (bench_scratch.c) */

int bench_scratch_make(struct bench *b, struct store_error *err);
/* Remove it with all that is in it.  0, or why it could not be. */
int bench_scratch_remove(struct bench *b, struct store_error *err);
/* An empty store in it, under name; caller closes it with odb_close. */
int bench_scratch_odb(struct bench *b, const char *name, struct odb **out, struct store_error *err);

/* ---- statistics (bench_stats.c) */

/* Sorts the n samples, n at least 1. Of an even number the median is the mean of the middle two. */
struct bench_summary {
	double median, min, max;
};
void bench_stats(double *samples, size_t n, struct bench_summary *out);

/* ---- subjects */

typedef int bench_subject_fn(struct bench *b, struct store_error *err);
bench_subject_fn bench_chunk, bench_hash, bench_codec, bench_walk, bench_index, bench_io;

#endif
