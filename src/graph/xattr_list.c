/*
 * The bytes of an attribute list.
 *
 * One set of attributes has one spelling, so that equal attributes are one object: names ascend,
 * numbers are in their shortest form, nothing stands behind the last value. What is read may come
 * from anywhere: a length is compared with what is there before it is believed, and a count is
 * only ever counted down.
 */
#include "graph/xattr_list.h"

#include <string.h>

#include "base/error.h"
#include "data/limits.h"

static const uint8_t head[3] = { 'X', 'A', 1 };

void xattr_list_begin(struct buf *out, size_t count)
{
	buf_clear(out);
	buf_add(out, head, sizeof(head));
	buf_add_leb(out, count);
}

void xattr_list_add(struct buf *out, const void *name, size_t name_len, const void *value,
	size_t value_len)
{
	buf_add_leb(out, name_len);
	buf_add(out, name, name_len);
	buf_add_leb(out, value_len);
	if (value_len > 0)
		buf_add(out, value, value_len);
}

int xattr_list_open(struct xattr_cursor *c, const void *data, size_t len)
{
	const uint8_t *p;

	memset(c, 0, sizeof(*c));
	if (len > LIMIT_XATTRS)
		return STORE_ECORRUPT;
	c->s = span_of(data, len);
	p = span_take(&c->s, sizeof(head));
	if (!p || memcmp(p, head, sizeof(head)) != 0)
		return STORE_ECORRUPT;
	c->left = span_leb(&c->s);
	return c->s.bad || c->left == 0 ? STORE_ECORRUPT : 0;
}

/* A length of at most max, and so many bytes. */
static const uint8_t *take_bytes(struct span *s, size_t max, size_t *len)
{
	const uint64_t n = span_leb(s);

	*len = (size_t)n;
	return !s->bad && n <= max ? span_take(s, (size_t)n) : NULL;
}

static bool is_after(const struct xattr_item *a, const struct xattr_item *b)
{
	const size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
	const int c = n > 0 ? memcmp(a->name, b->name, n) : 0;

	return c > 0 || (c == 0 && a->name_len > b->name_len);
}

int xattr_list_next(struct xattr_cursor *c, struct xattr_item *item)
{
	if (c->left == 0)
		return span_left(&c->s) == 0 ? STORE_ENOTFOUND : STORE_ECORRUPT;
	c->left--;
	item->name = take_bytes(&c->s, LIMIT_XATTR_NAME, &item->name_len);
	if (!item->name || item->name_len == 0 || memchr(item->name, 0, item->name_len))
		return STORE_ECORRUPT;
	item->value = take_bytes(&c->s, LIMIT_XATTR_VALUE, &item->value_len);
	if (!item->value || !is_after(item, &c->last))
		return STORE_ECORRUPT;
	c->last = *item;
	return 0;
}

bool xattr_list_is_valid(const void *data, size_t len)
{
	struct xattr_cursor c;
	struct xattr_item item;
	int rc = xattr_list_open(&c, data, len);

	while (rc == 0)
		rc = xattr_list_next(&c, &item);
	return rc == STORE_ENOTFOUND;
}
