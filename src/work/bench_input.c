/*
 * Input that is made up: the same for the same seed, on every machine.
 *
 * Random bytes are what coders give up on. The text is lines of words from a vocabulary of 4,096;
 * the product of two even numbers chooses, so that a word's frequency falls with its position, as
 * in any language. igzip 1 makes half of it, zstd 3 two fifths.
 */
#include <string.h>

#include "work/bench_internal.h"

#define WORDS 4096
#define WORD_MAX 12

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
uint64_t bench_random_next(struct bench_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void bench_random_fill(struct bench_random *r, uint8_t *data, size_t len)
{
	while (len > 0) {
		const uint64_t v = bench_random_next(r);
		const size_t n = len < sizeof(v) ? len : sizeof(v);

		memcpy(data, &v, n);
		data += n;
		len -= n;
	}
}

/* words: WORDS of them, each with a NUL. */
static void make_words(struct bench_random *r, char (*words)[WORD_MAX + 1])
{
	static const char letters[] = "etaoinshrdlucmfwypvbgkjqxz_-";

	for (size_t i = 0; i < WORDS; i++) {
		const size_t len = 2 + bench_random_next(r) % (WORD_MAX - 1);

		for (size_t k = 0; k < len; k++) {
			const uint64_t v = bench_random_next(r);

			words[i][k] =
				letters[(v & 0xffff) * (v >> 16 & 0xffff) * (sizeof(letters) - 1) >>
					32];
		}
		words[i][len] = '\0';
	}
}

void bench_text_fill(struct bench_random *r, uint8_t *data, size_t len)
{
	char words[WORDS][WORD_MAX + 1];
	size_t at = 0, column = 0;

	make_words(r, words);
	while (at < len) {
		const uint64_t v = bench_random_next(r);
		const char *word = words[(v & 0xffff) * (v >> 16 & 0xffff) * WORDS >> 32];

		for (; *word && at < len; column++)
			data[at++] = (uint8_t)*word++;
		column++;
		if (at < len)
			data[at++] = column > 60 + (v >> 40) % 30 ? '\n' : ' ';
		if (data[at - 1] == '\n')
			column = 0;
	}
}
