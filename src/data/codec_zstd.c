/*
 * zstd frames (RFC 8878), for gc and by choice.
 *
 * A stored block is exactly one frame that says its content size, uses no dictionary and a window
 * of at most 16 MiB, so that any reader can decode it in bounded memory, also one that streams.
 * The encoder never makes another, because a block has at most 16 MiB; the decoder refuses others
 * before it works: the window stands in byte 5 of the frame, and ZSTD_findFrameCompressedSize finds
 * frames that follow.  zstd's own limit on the window holds for streams only.
 *
 * No frame checksum: every object is checked against its id, every block against its CRC.
 *
 * Memory per context: decoder 94 KiB; encoder for blocks of 64 KiB, 256 KiB, 1 MiB, 4 MiB (MiB,
 * zstd 1.5.4): level 3: 0.6, 1.0, 1.2, 1.2; level 9: 1.0, 3.5, 12.5, 12.5; level 12: 1.3, 4.5,
 * 12.5, 48.5.
 */
#include "data/codec_internal.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/bytes.h"
#include "base/error.h"
#include "data/codec.h"

#define WINDOW_MAX ((uint64_t)16 << 20)

struct codec_zstd {
	int level;
	ZSTD_CCtx *writer;
	ZSTD_DCtx *reader;
};

/* One ordinary frame without dictionary whose window is small enough (RFC 8878, 3.1.1.1). */
static bool check_frame_header(const uint8_t *p, size_t len)
{
	const unsigned int dictionary_bits = 3, single_segment = 1u << 5;
	uint64_t base;

	if (len < 6 || le32_get(p) != ZSTD_MAGICNUMBER || (p[4] & dictionary_bits) != 0)
		return false;
	if (p[4] & single_segment)
		return true; /* the window is the content, whose size the caller compares */
	base = (uint64_t)1 << (10 + (p[5] >> 3));
	return base + base / 8 * (p[5] & 7) <= WINDOW_MAX;
}

static int make_writer(struct codec_zstd *z)
{
	if (z->writer != NULL)
		return 0;
	z->writer = ZSTD_createCCtx();
	if (z->writer == NULL)
		return STORE_ENOMEM;
	/* zstd clamps a level that is out of its range. */
	ZSTD_CCtx_setParameter(z->writer, ZSTD_c_compressionLevel, z->level);
	return 0;
}

struct codec_zstd *codec_zstd_new(int level)
{
	struct codec_zstd *z = calloc(1, sizeof(*z));

	if (z != NULL)
		z->level = level;
	return z;
}

void codec_zstd_free(struct codec_zstd *z)
{
	if (z == NULL)
		return;
	ZSTD_freeCCtx(z->writer);
	ZSTD_freeDCtx(z->reader);
	free(z);
}

int codec_zstd_encode(struct codec_zstd *z, const void *data, size_t len, void *out, size_t cap,
	size_t *out_len)
{
	size_t n;

	*out_len = 0;
	if (make_writer(z) != 0)
		return STORE_ENOMEM;
	n = ZSTD_compress2(z->writer, out, cap, data, len);
	if (!ZSTD_isError(n))
		*out_len = n;
	else if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
		return STORE_ENOMEM;
	return 0;
}

int codec_zstd_decode(struct codec_zstd *z, const void *stored, size_t stored_len, void *out,
	size_t plain_len)
{
	size_t n;

	if (!check_frame_header(stored, stored_len) ||
		ZSTD_getFrameContentSize(stored, stored_len) != plain_len ||
		ZSTD_findFrameCompressedSize(stored, stored_len) != stored_len)
		return STORE_ECORRUPT;
	if (z->reader == NULL)
		z->reader = ZSTD_createDCtx();
	if (z->reader == NULL)
		return STORE_ENOMEM;
	n = ZSTD_decompressDCtx(z->reader, out, plain_len, stored, stored_len);
	if (ZSTD_isError(n) && ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
		return STORE_ENOMEM;
	return n == plain_len ? 0 : STORE_ECORRUPT;
}

const char *codec_zstd_version(void)
{
	return ZSTD_versionString();
}
