/*
 * The ordered pipeline that every bulk operation runs on: one producer, n workers, one consumer.
 *
 *     produce -> [bounded queue] -> work × n -> [reorder by sequence] -> consume
 *
 * Items come from a fixed pool, so memory is bounded and a slow stage holds the fast ones back.  An
 * item belongs to whoever holds it: the producer until it returns, then one worker, then the
 * consumer.  consume sees items in the order in which produce made them, whatever the number of
 * workers, so results never depend on it.  The consumer runs on the thread that called
 * pipeline_run; with threads == 1 everything does, and no thread is started. The first error wins
 * (the lowest sequence number among those that failed), cancels the rest, and is the one returned.
 */
#ifndef STORE_BASE_PIPELINE_H
#define STORE_BASE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_error;

/* Results of produce beside 0 (an item was made) and a negative STORE_E*. */
#define PIPELINE_END 1

struct pipeline_ops {
	/*
	 * Fill item.  0: hand it on; PIPELINE_END: nothing more, item unused; negative: error.
	 * Runs on one thread of its own (or the caller's when threads == 1).
	 */
	int (*produce)(void *ctx, void *item, struct store_error *err);
	/* Work on item; worker is 0..n_workers-1, for per-worker state.  NULL: no such stage. */
	int (*work)(void *ctx, unsigned int worker, void *item, struct store_error *err);
	/* Take the result.  In sequence order, on the caller's thread. */
	int (*consume)(void *ctx, void *item, struct store_error *err);
	/*
	 * Optional: called on the caller's thread at least every 100 ms while the consumer waits,
	 * and after every consume: progress and cancelling.  Non-zero ends the run with that code.
	 */
	int (*tick)(void *ctx, struct store_error *err);
};

/*
 * Run to the end.  items: n_items pointers to the caller's item structs, the pool; n_items >= 2
 * when threads > 1. threads: 1 = all on the caller's thread; n > 1 = a producer thread and n
 * workers beside the caller. After return (also on error) no thread runs and every item is back in
 * the caller's hands. Returns 0 or the first error.
 */
int pipeline_run(const struct pipeline_ops *ops, void *ctx, void **items, size_t n_items,
	unsigned int threads, struct store_error *err);

/*
 * Number of workers pipeline_run starts for `threads` asked (0 = one per processor, at most 64): at
 * least 1.
 */
unsigned int pipeline_threads(unsigned int threads);

#endif
