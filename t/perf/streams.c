/*
 * streams: the data of bench-memory's part `stream`, and its readers.
 *
 *	streams generate MIB PERIOD      MIB MiB on standard output, which repeat after PERIOD MiB
 *	streams read NAME N MIB PERIOD   read it back by N readers of one handle in as many threads,
 *	                                 each an equal share, and compare each byte
 *
 * A piece of 64 KiB is made from its number alone and does not compress, so whoever reads knows
 * what is to come without having kept it. What read needed is told as by `store --stats`.
 */
#include <pthread.h>
#include <store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE ((size_t)65536)
#define READERS_MAX 64
#define SAMPLED 16 /* pieces between looks at the memory that is in use */

struct share {
	pthread_t thread;
	struct store_reader *reader;
	uint64_t first, end; /* pieces */
	uint64_t period;     /* likewise */
	int rc;
	struct store_error err;
	struct store_stats stats; /* not looked at: the peak is the process's */
};

/* xorshift64: J. Marsaglia, Xorshift RNGs, 2003. */
static void make_piece(uint64_t number, uint8_t out[PIECE])
{
	uint64_t state = (number + 1) * 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < PIECE; i += sizeof(state)) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(out + i, &state, sizeof(state));
	}
}

static int generate(uint64_t pieces, uint64_t period)
{
	static uint8_t piece[PIECE];

	for (uint64_t i = 0; i < pieces; i++) {
		make_piece(i % period, piece);
		if (fwrite(piece, 1, PIECE, stdout) != PIECE)
			return 1;
	}
	return fflush(stdout) != 0;
}

static int read_piece(struct share *s, uint8_t *into)
{
	size_t done = 0, got = 1;
	int rc = 0;

	while (rc == 0 && done < PIECE && got > 0) {
		rc = store_reader_read(s->reader, into + done, PIECE - done, &got, &s->err);
		done += rc == 0 ? got : 0;
	}
	return rc;
}

static void *read_share(void *payload)
{
	struct share *s = payload;
	uint8_t *data = calloc(2, PIECE);

	s->rc = data ? store_reader_seek(s->reader, s->first * PIECE, &s->err) : STORE_ENOMEM;
	for (uint64_t i = s->first; s->rc == 0 && i < s->end; i++) {
		make_piece(i % s->period, data + PIECE);
		s->rc = read_piece(s, data);
		if (i % SAMPLED == 0)
			store_stats_memory(&s->stats);
		if (s->rc == 0 && memcmp(data, data + PIECE, PIECE) != 0) {
			snprintf(s->err.msg, sizeof(s->err.msg), "other bytes came back");
			s->rc = STORE_ECORRUPT;
		}
	}
	free(data);
	return NULL;
}

static int run_shares(struct share *shares, size_t n)
{
	size_t started = 0;
	int rc = 0;

	while (started < n &&
		pthread_create(&shares[started].thread, NULL, read_share, &shares[started]) == 0)
		started++;
	for (size_t i = 0; i < started; i++) {
		pthread_join(shares[i].thread, NULL);
		if (shares[i].rc != 0)
			fprintf(stderr, "streams: %s\n", shares[i].err.msg);
		rc = shares[i].rc != 0 ? 1 : rc;
	}
	return started < n ? 1 : rc;
}

static int read_back(const char *name, size_t n, uint64_t pieces, uint64_t period)
{
	static struct share shares[READERS_MAX];
	struct store_stats stats = { 0 };
	struct store_repo *repo = NULL;
	struct store_error err = { 0 };
	struct timespec from, to;
	int rc = store_open(&repo, NULL, &err);

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		shares[i].first = pieces * i / n;
		shares[i].end = pieces * (i + 1) / n;
		shares[i].period = period;
		rc = store_reader_open_name(repo, name, 0, &shares[i].reader, &err);
	}
	if (rc != 0)
		fprintf(stderr, "streams: %s\n", err.msg);
	else
		rc = run_shares(shares, n);
	clock_gettime(CLOCK_MONOTONIC, &to);
	store_stats_memory(&stats);
	for (size_t i = 0; i < n; i++)
		store_reader_free(shares[i].reader);
	store_close(repo);
	fprintf(stderr, "peak anon: %llu\npeak rss: %llu\nseconds: %.3f\n",
		(unsigned long long)stats.peak_anon, (unsigned long long)stats.peak_rss,
		(double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
	return rc != 0;
}

int main(int argc, char **argv)
{
	const uint64_t in_mib = ((uint64_t)1 << 20) / PIECE;
	const uint64_t mib = argc > 3 ? strtoull(argv[argc - 2], NULL, 10) : 0;
	const uint64_t period = argc > 3 ? strtoull(argv[argc - 1], NULL, 10) : 0;
	const unsigned long n = argc == 6 ? strtoul(argv[3], NULL, 10) : 0;

	if (mib > 0 && period > 0 && argc == 4 && strcmp(argv[1], "generate") == 0)
		return generate(mib * in_mib, period * in_mib);
	if (mib > 0 && period > 0 && n > 0 && n <= READERS_MAX && strcmp(argv[1], "read") == 0)
		return read_back(argv[2], n, mib * in_mib, period * in_mib);
	fprintf(stderr, "usage: streams generate MIB PERIOD | streams read NAME N MIB PERIOD\n");
	return 2;
}
