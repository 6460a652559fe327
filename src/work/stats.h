/* Memory of the process, for --stats and for tests that hold a ceiling. */
#ifndef STORE_WORK_STATS_H
#define STORE_WORK_STATS_H

/*
 * Look at RssAnon now and keep the greatest value seen: the kernel keeps none. Called by progress
 * ticks of every operation, and at its end; some 20 microseconds. Any thread.
 */
void stats_sample(void);

#endif
