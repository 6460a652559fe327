/*
 * CRC-32C of block headers and stored bytes: it finds torn and flipped bytes before a decoder sees
 * them.
 *
 * ISA-L folds three streams with the CPU's CRC and carry-less multiply instructions.  Its
 * crc32_iscsi works on the register itself: the caller starts it with all ones and inverts the
 * result, which is what crc32c() does on both sides so that a checksum can be continued.  Its
 * length is an int, so longer runs go in pieces.
 *
 * Without the instruction ISA-L falls back to one table and one byte per step; the eight tables
 * here take eight bytes per step ("slicing by 8", Kounavis and Berry, "A systematic approach to
 * building high performance, software-based, CRC generators", 2005).  Measured on one core of an
 * EPYC 7003, 1 MiB buffers: ISA-L 22 GB/s, tables 1.9 GB/s.
 *
 * Threads: the tables are filled once under pthread_once and then only read.
 */
#include "data/crc32c.h"

#include <isa-l/crc.h>
#include <pthread.h>

#include "base/bytes.h"
#include "data/crc32c_internal.h"

#define POLYNOMIAL 0x82f63b78u /* 0x1edc6f41 with its bits reversed */
#define PIECE ((size_t)1 << 30)

static pthread_once_t tables_once = PTHREAD_ONCE_INIT;
static uint32_t tables[8][256]; /* written under tables_once, then constant */

static void fill_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t r = i;

		for (int bit = 0; bit < 8; bit++)
			r = r >> 1 ^ ((r & 1) ? POLYNOMIAL : 0);
		tables[0][i] = r;
	}
	for (int t = 1; t < 8; t++) {
		for (int i = 0; i < 256; i++)
			tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 255];
	}
}

static int cpu_has_crc(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("sse4.2");
#else
	return 1; /* elsewhere ISA-L knows best */
#endif
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (!cpu_has_crc())
		return crc32c_plain(crc, data, len);
	crc = ~crc;
	while (len > 0) {
		const size_t n = len < PIECE ? len : PIECE;

		/* ISA-L forgot the const; it only reads. */
		crc = crc32_iscsi((unsigned char *)(uintptr_t)p, (int)n, crc);
		p += n;
		len -= n;
	}
	return ~crc;
}

uint32_t crc32c_plain(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	pthread_once(&tables_once, fill_tables);
	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		const uint32_t a = crc ^ le32_get(p), b = le32_get(p + 4);

		crc = tables[7][a & 255] ^ tables[6][a >> 8 & 255] ^ tables[5][a >> 16 & 255] ^
			tables[4][a >> 24] ^ tables[3][b & 255] ^ tables[2][b >> 8 & 255] ^
			tables[1][b >> 16 & 255] ^ tables[0][b >> 24];
	}
	for (; len > 0; len--, p++)
		crc = crc >> 8 ^ tables[0][(crc ^ *p) & 255];
	return ~crc;
}
