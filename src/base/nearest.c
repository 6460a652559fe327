/*
 * Nearest words for messages: "unknown key 'core.codek'; the nearest is 'core.codec'".
 *
 * Three rows of the table of distances are enough for swaps of neighbours, so nothing is allocated
 * and a hostile word costs at most 63 x 63 steps.  A word as far away as a third of its length is
 * no suggestion but a guess.
 */
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int nearest_distance(const char *a, const char *b)
{
	const size_t n = strnlen(a, NEAREST_MAX), m = strnlen(b, NEAREST_MAX);
	unsigned int rows[3][NEAREST_MAX + 1];

	for (unsigned int j = 0; j <= m; j++)
		rows[0][j] = j;
	for (unsigned int i = 1; i <= n; i++) {
		unsigned int *const row = rows[i % 3], *const above = rows[(i + 2) % 3];
		const unsigned int *const before = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned int j = 1; j <= m; j++) {
			const unsigned int cost = same(a[i - 1], b[j - 1]) ? 0 : 1;

			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + cost);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

void nearest_try(struct nearest *n, const char *word)
{
	const size_t len = strlen(n->wanted);
	const unsigned int distance = nearest_distance(n->wanted, word);

	if (distance > (len < 3 ? 1 : len / 3) || len > NEAREST_MAX || strlen(word) > NEAREST_MAX)
		return;
	if (n->best[0] && distance >= n->distance)
		return;
	n->distance = distance;
	snprintf(n->best, sizeof(n->best), "%s", word);
}
