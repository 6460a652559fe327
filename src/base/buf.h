/*
 * A growable run of bytes.  All-zero is a valid empty buffer.  After a failed append the buffer is
 * unchanged and `failed` is set, so a row of appends may be checked once at its end.
 */
#ifndef STORE_BASE_BUF_H
#define STORE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t len, cap;
	bool failed; /* an append ran out of memory since init or clear */
};

void buf_init(struct buf *b);
void buf_release(struct buf *b);
/* Length 0, capacity kept, failed reset. */
void buf_clear(struct buf *b);
/* Room for n more bytes.  Returns 0 or STORE_ENOMEM. */
int buf_reserve(struct buf *b, size_t n);
int buf_add(struct buf *b, const void *data, size_t len);
int buf_add_u8(struct buf *b, uint8_t v);
int buf_add_str(struct buf *b, const char *s);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Unsigned LEB128 in the shortest form. */
int buf_add_leb(struct buf *b, uint64_t v);
int buf_add_le32(struct buf *b, uint32_t v);
int buf_add_le64(struct buf *b, uint64_t v);
/* Set content to a copy of data. */
int buf_set(struct buf *b, const void *data, size_t len);
/*
 * NUL-terminate without counting it in len; returns the text, NULL when out of memory.  Borrowed:
 * valid until the next change of b.
 */
char *buf_str(struct buf *b);
/*
 * The bytes from off on, never NULL: a buffer that was never filled has none, and to NULL nothing
 * may be added, not even 0.  Borrowed: valid until the next change of b.
 */
static inline const uint8_t *buf_from(const struct buf *b, size_t off)
{
	static const uint8_t none[1];

	return b->data ? b->data + off : none;
}
/* 0, or STORE_ENOMEM (recorded in err) if any append failed. */
struct store_error;
int buf_check(const struct buf *b, struct store_error *err);

#endif
