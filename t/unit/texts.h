/* What the tests of texts share: spoiling a good text in one place and reading the message. */
#ifndef STORE_UNIT_TEXTS_H
#define STORE_UNIT_TEXTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"

/* 64 hexadecimal digits that are an id. */
#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* A text with the first `from` replaced by `to` must be refused with `message`. */
struct spoiled {
	const char *from, *to, *message;
};

typedef int (*decode_fn)(const void *data, size_t len, struct store_error *err);

static inline void spoil(struct buf *out, const char *good, const struct spoiled *s)
{
	const char *at = strstr(good, s->from);

	assert_non_null(at);
	buf_clear(out);
	buf_add(out, good, (size_t)(at - good));
	buf_add_str(out, s->to);
	buf_add_str(out, at + strlen(s->from));
	assert_int_equal(buf_check(out, NULL), 0);
}

static inline void expect_refusal(decode_fn decode, const void *data, size_t len, int code,
	const char *message)
{
	struct store_error err = { 0 };
	const int rc = decode(data, len, &err);

	if (rc != code || !strstr(err.msg, message))
		fail_msg("'%.*s': %d '%s', not %d '%s'", (int)len, (const char *)data, rc, err.msg,
			code, message);
}

static inline void expect_refusals(decode_fn decode, const char *good, const struct spoiled *list,
	size_t count, int code)
{
	struct buf bad = { 0 };

	assert_int_equal(decode(good, strlen(good), NULL), 0);
	for (size_t i = 0; i < count; i++) {
		spoil(&bad, good, &list[i]);
		expect_refusal(decode, bad.data, bad.len, code, list[i].message);
	}
	buf_release(&bad);
}

/*
 * Every shorter text is refused, up to free_from, from where it may pass; every text with one byte
 * changed is refused or passes; none crashes.  Copies of the exact length let a sanitizer see a
 * read behind the end.
 */
static inline void expect_no_crash(decode_fn decode, const char *good, size_t len, size_t free_from)
{
	for (size_t cut = 0; cut < len; cut++) {
		char *copy = malloc(cut + 1);

		assert_non_null(copy);
		memcpy(copy + 1, good, cut);
		if (decode(copy + 1, cut, NULL) == 0 && cut < free_from)
			fail_msg("cut at %zu it passes", cut);
		free(copy);
	}
	for (size_t i = 0; i < len; i++) {
		static const char other[] = { '\0', '\n', ' ', '0', 'z', '<', '\xff' };
		char *copy = malloc(len);

		assert_non_null(copy);
		for (size_t k = 0; k < sizeof(other); k++) {
			memcpy(copy, good, len);
			copy[i] = other[k];
			assert_true(decode(copy, len, NULL) <= 0);
		}
		free(copy);
	}
}

#endif
