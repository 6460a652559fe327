/*
 * Numbers in byte arrays: little-endian on disk everywhere; big-endian only for keys that must
 * sort.
 */
#ifndef STORE_BASE_BYTES_H
#define STORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void le16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline uint16_t le16_get(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline void le32_put(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint32_t le32_get(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void le64_put(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t le64_get(const uint8_t *p)
{
	return (uint64_t)le32_get(p) | (uint64_t)le32_get(p + 4) << 32;
}

static inline void be64_put(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static inline uint64_t be64_get(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

#define LEB_MAX 10 /* bytes of the longest 64-bit LEB128 */

/* Write v at p (room for LEB_MAX bytes); returns the bytes written. */
static inline size_t leb_put(uint8_t *p, uint64_t v)
{
	size_t n = 0;

	while (v >= 0x80) {
		p[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	p[n++] = (uint8_t)v;
	return n;
}

/*
 * A reader over hostile bytes.  Every take checks the bounds; the first failure sets `bad` and
 * every later take yields zero, so a parser may check once per record.
 */
struct span {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct span span_of(const void *data, size_t len)
{
	/* No bytes may be NULL, and nothing may be added to that, not even 0. */
	static const uint8_t none[1];
	const uint8_t *p = data ? data : none;
	struct span s = { p, p + len, false };

	return s;
}

static inline size_t span_left(const struct span *s)
{
	return (size_t)(s->end - s->p);
}

/* len bytes, or NULL and bad.  Borrowed: valid until the bytes below are. */
static inline const uint8_t *span_take(struct span *s, size_t len)
{
	const uint8_t *p = s->p;

	if (s->bad || len > span_left(s)) {
		s->bad = true;
		return NULL;
	}
	s->p += len;
	return p;
}

static inline uint8_t span_u8(struct span *s)
{
	const uint8_t *p = span_take(s, 1);

	return p ? *p : 0;
}

static inline uint32_t span_le32(struct span *s)
{
	const uint8_t *p = span_take(s, 4);

	return p ? le32_get(p) : 0;
}

static inline uint64_t span_le64(struct span *s)
{
	const uint8_t *p = span_take(s, 8);

	return p ? le64_get(p) : 0;
}

/* LEB128 in the shortest form; a longer form or more than 64 bits is bad. */
static inline uint64_t span_leb(struct span *s)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		const uint8_t b = span_u8(s);

		if (s->bad || (shift == 63 && b > 1) || (b == 0 && shift > 0)) {
			s->bad = true;
			return 0;
		}
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	s->bad = true;
	return 0;
}

/* a + b or a * b; true on overflow. */
static inline bool u64_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return __builtin_add_overflow(a, b, sum);
}

static inline bool u64_mul(uint64_t a, uint64_t b, uint64_t *product)
{
	return __builtin_mul_overflow(a, b, product);
}

#endif
