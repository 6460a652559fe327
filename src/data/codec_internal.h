/*
 * The coders behind codec.c, one file each.  Both make their memory at first use and keep it.
 *
 * encode: writes at most cap bytes to out.  Returns 0 with *out_len, or 0 with *out_len = 0 when
 * the result would be longer than cap, or STORE_ENOMEM.  decode: exactly plain_len bytes from
 * exactly stored_len, else STORE_ECORRUPT.
 */
#ifndef STORE_DATA_CODEC_INTERNAL_H
#define STORE_DATA_CODEC_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct codec_zlib;

/*
 * level: 1-3 igzip (zlib's own when plain), 4-9 zlib.  NULL when out of memory.
 * Caller frees with codec_zlib_free.
 */
struct codec_zlib *codec_zlib_new(int level, bool plain);
void codec_zlib_free(struct codec_zlib *z);
int codec_zlib_encode(struct codec_zlib *z, const void *data, size_t len, void *out, size_t cap,
	size_t *out_len);
int codec_zlib_decode(struct codec_zlib *z, const void *stored, size_t stored_len, void *out,
	size_t plain_len);

struct codec_zstd;

/* level: zstd's.  NULL when out of memory.  Caller frees with codec_zstd_free. */
struct codec_zstd *codec_zstd_new(int level);
void codec_zstd_free(struct codec_zstd *z);
int codec_zstd_encode(struct codec_zstd *z, const void *data, size_t len, void *out, size_t cap,
	size_t *out_len);
int codec_zstd_decode(struct codec_zstd *z, const void *stored, size_t stored_len, void *out,
	size_t plain_len);

#endif
