/*
 * Growable bytes.  Invariant: once an append has failed, every later one fails too until clear,
 * release or set.  So the content of a failed buffer is always a prefix of what was meant, never a
 * text with a hole in it, and checking once at the end of a row of appends is enough.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"

static int fail(struct buf *b)
{
	b->failed = true;
	return STORE_ENOMEM;
}

void buf_init(struct buf *b)
{
	memset(b, 0, sizeof(*b));
}

void buf_release(struct buf *b)
{
	free(b->data);
	buf_init(b);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

int buf_reserve(struct buf *b, size_t n)
{
	size_t want;

	if (b->failed || __builtin_add_overflow(b->len, n, &want))
		return fail(b);
	if (want <= b->cap)
		return 0;
	if (want < 64)
		want = 64;
	return mem_grow(&b->data, &b->cap, want, 1) == 0 ? 0 : fail(b);
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	if (buf_reserve(b, len) != 0)
		return STORE_ENOMEM;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

int buf_add_u8(struct buf *b, uint8_t v)
{
	return buf_add(b, &v, 1);
}

int buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || buf_reserve(b, (size_t)n + 1) != 0) /* vsnprintf ends with a NUL */
		return fail(b);
	va_start(ap, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

int buf_add_leb(struct buf *b, uint64_t v)
{
	uint8_t p[LEB_MAX];

	return buf_add(b, p, leb_put(p, v));
}

int buf_add_le32(struct buf *b, uint32_t v)
{
	uint8_t p[4];

	le32_put(p, v);
	return buf_add(b, p, sizeof(p));
}

int buf_add_le64(struct buf *b, uint64_t v)
{
	uint8_t p[8];

	le64_put(p, v);
	return buf_add(b, p, sizeof(p));
}

int buf_set(struct buf *b, const void *data, size_t len)
{
	const size_t old_len = b->len;

	buf_clear(b);
	if (buf_reserve(b, len) != 0) {
		b->len = old_len;
		return STORE_ENOMEM;
	}
	if (len > 0)
		memmove(b->data, data, len); /* data may be a part of b; then nothing has grown */
	b->len = len;
	return 0;
}

char *buf_str(struct buf *b)
{
	if (buf_reserve(b, 1) != 0)
		return NULL;
	b->data[b->len] = '\0';
	return (char *)b->data;
}

int buf_check(const struct buf *b, struct store_error *err)
{
	return b->failed ? store_error_set(err, STORE_ENOMEM, "out of memory") : 0;
}
