/*
 * Peak memory. The kernel keeps the peak of all resident pages (ru_maxrss), in which the mapped
 * pages of the database count; what the ceiling of the design is about, anonymous pages, it only
 * tells as of now. So it is sampled, and the peak is kept here, for the process as a whole.
 */
#include "work/stats.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/io.h"
#include "base/error.h"
#include "odb/odb.h"
#include "work/repo.h"

static _Atomic uint64_t peak_anon;

/* RssAnon in bytes; 0 when the kernel does not tell. */
static uint64_t read_anon(void)
{
	static const char key[] = "\nRssAnon:";
	char text[4096];
	const char *p;
	uint64_t kib = 0;
	ssize_t n;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return 0;
	n = io_read_full(fd, text, sizeof(text) - 1);
	io_close(&fd);
	text[n > 0 ? n : 0] = '\0';
	p = strstr(text, key);
	if (!p)
		return 0;
	for (p += sizeof(key) - 1; *p == ' ' || *p == '\t'; p++)
		;
	for (; *p >= '0' && *p <= '9'; p++)
		kib = kib * 10 + (uint64_t)(*p - '0');
	return kib * 1024;
}

void stats_sample(void)
{
	const uint64_t now = read_anon();
	uint64_t peak = atomic_load_explicit(&peak_anon, memory_order_relaxed);

	while (now > peak &&
		!atomic_compare_exchange_weak_explicit(&peak_anon, &peak, now, memory_order_relaxed,
			memory_order_relaxed))
		;
}

void store_stats_memory(struct store_stats *stats)
{
	struct rusage usage;

	stats_sample();
	stats->peak_anon = atomic_load_explicit(&peak_anon, memory_order_relaxed);
	stats->peak_rss = getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024
							      : 0;
}

void store_stats_reads(struct store_repo *repo, struct store_stats *stats)
{
	struct odb_counts counts;

	odb_counts(repo->odb, &counts);
	if (stats->decoded_bytes < counts.bytes)
		stats->decoded_bytes = counts.bytes;
	if (stats->nodes_read < counts.nodes)
		stats->nodes_read = counts.nodes;
}
