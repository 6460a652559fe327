/*
 * Codecs: how the plain bytes of a block become its stored bytes. zlib is RFC 1950, written by
 * ISA-L igzip and read by libdeflate where they are at hand, by zlib itself else; every stream
 * inflates with plain zlib.
 */
#ifndef STORE_DATA_CODEC_H
#define STORE_DATA_CODEC_H

#include <stddef.h>
#include <stdint.h>

struct store_error;

enum codec {
	CODEC_NONE = 0,
	CODEC_ZLIB = 1,
	CODEC_ZSTD = 2,
};

struct codec_options {
	enum codec codec; /* CODEC_NONE: store as it is */
	int level; /* 0 = the codec's default here: igzip 1 for zlib, 3 for zstd; zlib 1-3 = igzip,
		      4-9 = zlib's own levels */
	uint64_t plain_max;   /* data of at most so many bytes is stored as it is */
	int force_plain_zlib; /* tests: no igzip, no libdeflate */
};

/*
 * Name as in configuration and man pages ("none", "zlib", "zstd"), or NULL for an unknown number.
 */
const char *codec_name(unsigned int codec);
/* Number for a name, or STORE_EINVAL. */
int codec_parse(const char *name);

/*
 * Per-thread context; encoder and decoder memory are made on first use and reused. NULL when out of
 * memory.
 */
struct codec_ctx;
struct codec_ctx *codec_new(
	const struct codec_options *options); /* Caller frees with codec_free. Copies *options. */
void codec_free(struct codec_ctx *c);

/* Room that codec_encode may need for len plain bytes. */
size_t codec_bound(size_t len);

/*
 * Encode data into out (cap >= codec_bound(len)). A cheap probe and the result decide: when it does
 * not shrink by at least 1/32 the bytes are stored plain. *codec_used and *out_len tell what
 * happened. With CODEC_NONE used, out is not written: the caller stores data itself. Returns 0 or
 * STORE_ENOMEM.
 */
int codec_encode(struct codec_ctx *c, const void *data, size_t len, void *out, size_t cap,
	size_t *out_len, enum codec *codec_used, struct store_error *err);

/*
 * Decode exactly plain_len bytes into out. Hostile input: any other length, trailing bytes, or a
 * bad stream give STORE_ECORRUPT and out is undefined. Unknown codec: STORE_EVERSION.
 */
int codec_decode(struct codec_ctx *c, unsigned int codec, const void *stored, size_t stored_len,
	void *out, size_t plain_len, struct store_error *err);

/* True when a sample of data says that compressing will not pay.  A few microseconds per MiB. */
int codec_probe_incompressible(const void *data, size_t len);

/* Versions of the libraries behind the codecs.  Borrowed: valid until the program ends. */
const char *codec_zlib_version(void);
const char *codec_zlib_isal_version(void);
const char *codec_zlib_libdeflate_version(void);
const char *codec_zstd_version(void);

#endif
