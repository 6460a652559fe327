/* Which known word did the user mean? */
#ifndef STORE_BASE_NEAREST_H
#define STORE_BASE_NEAREST_H

#include <stddef.h>

#define NEAREST_MAX 63 /* bytes of a word that are compared */

/*
 * Edits that make a of b: insert, delete, replace, swap two neighbours; letters of either case are
 * equal. O(length of a x length of b), no allocation; only the first NEAREST_MAX bytes count.
 * Source: Damerau, "A technique for computer detection and correction of spelling errors", 1964
 * (optimal alignment).
 */
unsigned int nearest_distance(const char *a, const char *b);

/* The best word seen so far; all zero but `wanted` is a fresh search. */
struct nearest {
	const char *wanted;
	char best[NEAREST_MAX + 1]; /* "" when nothing is near enough */
	unsigned int distance;
};

/*
 * Consider a word: kept when it is nearer than all before, and near enough: one edit in three
 * bytes, at least one.
 */
void nearest_try(struct nearest *n, const char *word);

#endif
