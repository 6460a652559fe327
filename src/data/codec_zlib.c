/*
 * zlib streams (RFC 1950): written by ISA-L igzip, read by libdeflate, with zlib itself for both as
 * fallback and oracle.
 *
 * The format is what is stored, the coder is only the fastest at hand; which one wrote a block is
 * nowhere recorded, and any inflate reads it.  Levels 1 to 3 are igzip's; 4 to 9 are zlib's, for
 * who wants them smaller and waits.
 *
 * Memory per context, made at first use: igzip 82 KiB of stream and 276 to 340 KiB of level buffer,
 * zlib's deflate 263 KiB, libdeflate's decoder 11 KiB or zlib's inflate 7 KiB (all bytes in one
 * call, so no window).
 *
 * Measured on one busy core of an EPYC 7003 over 150 MB of programs and libraries in blocks of
 * 64 KiB, ratio and MB/s of plain bytes: igzip 1 0.450 at 290, igzip 2 0.445 at 280 to 310, igzip 3
 * 0.439 at 141, zlib 1 0.439 at 60, zlib 6 0.405 at 20; reading by libdeflate 460 to 570, by zlib
 * 200 to 240.
 *
 * Output is cut off at the length from which compression does not pay.  A coder that would write
 * more stops there, and the block is stored plain: nothing needs a buffer as long as the worst
 * case.
 *
 * Decoding knows both lengths.  libdeflate is told to fill the output exactly and reports where the
 * stream ended; zlib gets everything with Z_FINISH.  Bytes after the stream, a missing checksum, a
 * preset dictionary are all corruption.
 */
#include "data/codec_internal.h"

#include <isa-l.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/error.h"
#include "data/codec.h"

#define IGZIP_LEVELS 3

struct codec_zlib {
	int level;
	bool plain;
	struct isal_zstream *igzip;
	uint8_t *level_buf;
	struct libdeflate_decompressor *reader;
	bool has_deflate, has_inflate;
	z_stream deflate, inflate;
};

static uint32_t level_buf_len(int level)
{
	static const uint32_t lens[IGZIP_LEVELS + 1] = {
		0,
		ISAL_DEF_LVL1_LARGE,
		ISAL_DEF_LVL2_LARGE,
		ISAL_DEF_LVL3_LARGE,
	};

	return lens[level];
}

static int make_igzip(struct codec_zlib *z)
{
	if (z->igzip == NULL)
		z->igzip = calloc(1, sizeof(*z->igzip));
	if (z->level_buf == NULL)
		z->level_buf = calloc(1, level_buf_len(z->level));
	return z->igzip != NULL && z->level_buf != NULL ? 0 : STORE_ENOMEM;
}

/* As codec_zlib_encode; a refusal other than the full buffer is STORE_EINVAL, and zlib tries. */
static int encode_igzip(struct codec_zlib *z, const void *data, size_t len, void *out, size_t cap,
	size_t *out_len)
{
	struct isal_zstream *s;
	int rc;

	if (make_igzip(z) != 0)
		return STORE_ENOMEM;
	s = z->igzip;
	isal_deflate_stateless_init(s);
	s->level = (uint32_t)z->level;
	s->level_buf = z->level_buf;
	s->level_buf_size = level_buf_len(z->level);
	s->gzip_flag = IGZIP_ZLIB;
	s->end_of_stream = 1;
	s->next_in = (uint8_t *)(uintptr_t)data; /* only read */
	s->avail_in = (uint32_t)len;
	s->next_out = out;
	s->avail_out = (uint32_t)cap;
	rc = isal_deflate_stateless(s);
	if (rc == STATELESS_OVERFLOW)
		return 0;
	if (rc != COMP_OK || s->avail_in != 0)
		return STORE_EINVAL;
	*out_len = s->total_out;
	return 0;
}

static int encode_zlib(struct codec_zlib *z, const void *data, size_t len, void *out, size_t cap,
	size_t *out_len)
{
	int rc;

	rc = z->has_deflate ? deflateReset(&z->deflate) : deflateInit(&z->deflate, z->level);
	if (rc != Z_OK)
		return STORE_ENOMEM;
	z->has_deflate = true;
	z->deflate.next_in = (Bytef *)(uintptr_t)data; /* only read */
	z->deflate.avail_in = (uInt)len;
	z->deflate.next_out = out;
	z->deflate.avail_out = (uInt)cap;
	if (deflate(&z->deflate, Z_FINISH) == Z_STREAM_END)
		*out_len = z->deflate.total_out;
	return 0;
}

static int decode_libdeflate(struct codec_zlib *z, const void *stored, size_t stored_len, void *out,
	size_t plain_len)
{
	enum libdeflate_result result;
	size_t taken = 0;

	if (z->reader == NULL)
		z->reader = libdeflate_alloc_decompressor();
	if (z->reader == NULL)
		return STORE_ENOMEM;
	result = libdeflate_zlib_decompress_ex(z->reader, stored, stored_len, out, plain_len,
		&taken, NULL);
	return result == LIBDEFLATE_SUCCESS && taken == stored_len ? 0 : STORE_ECORRUPT;
}

static int decode_zlib(struct codec_zlib *z, const void *stored, size_t stored_len, void *out,
	size_t plain_len)
{
	uint8_t nothing = 0;
	int rc;

	rc = z->has_inflate ? inflateReset(&z->inflate) : inflateInit(&z->inflate);
	if (rc != Z_OK)
		return STORE_ENOMEM;
	z->has_inflate = true;
	z->inflate.next_in = (Bytef *)(uintptr_t)stored; /* only read */
	z->inflate.avail_in = (uInt)stored_len;
	z->inflate.next_out = plain_len > 0 ? out : &nothing;
	z->inflate.avail_out = (uInt)plain_len;
	rc = inflate(&z->inflate, Z_FINISH);
	if (rc == Z_MEM_ERROR)
		return STORE_ENOMEM;
	return rc == Z_STREAM_END && z->inflate.avail_in == 0 && z->inflate.avail_out == 0
		? 0
		: STORE_ECORRUPT;
}

struct codec_zlib *codec_zlib_new(int level, bool plain)
{
	struct codec_zlib *z = calloc(1, sizeof(*z));

	if (z == NULL)
		return NULL;
	z->level = level;
	z->plain = plain;
	return z;
}

void codec_zlib_free(struct codec_zlib *z)
{
	if (z == NULL)
		return;
	if (z->has_deflate)
		deflateEnd(&z->deflate);
	if (z->has_inflate)
		inflateEnd(&z->inflate);
	libdeflate_free_decompressor(z->reader);
	free(z->level_buf);
	free(z->igzip);
	free(z);
}

int codec_zlib_encode(struct codec_zlib *z, const void *data, size_t len, void *out, size_t cap,
	size_t *out_len)
{
	*out_len = 0;
	if (!z->plain && z->level <= IGZIP_LEVELS) {
		const int rc = encode_igzip(z, data, len, out, cap, out_len);

		if (rc != STORE_EINVAL)
			return rc;
	}
	return encode_zlib(z, data, len, out, cap, out_len);
}

int codec_zlib_decode(struct codec_zlib *z, const void *stored, size_t stored_len, void *out,
	size_t plain_len)
{
	if (z->plain)
		return decode_zlib(z, stored, stored_len, out, plain_len);
	return decode_libdeflate(z, stored, stored_len, out, plain_len);
}

const char *codec_zlib_version(void)
{
	return zlibVersion();
}

#define TEXT_OF(x) #x
#define VERSION_OF(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *codec_zlib_isal_version(void)
{
	return VERSION_OF(ISAL_MAJOR_VERSION, ISAL_MINOR_VERSION, ISAL_PATCH_VERSION);
}

const char *codec_zlib_libdeflate_version(void)
{
	return LIBDEFLATE_VERSION_STRING;
}
