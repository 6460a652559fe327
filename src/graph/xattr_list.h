/*
 * Lists of extended attributes as objects: store-format(5), "Attribute list".
 *
 * A list is one object of at most LIMIT_XATTRS bytes that is never cut: "XA", 1, the number of
 * attributes, then each name and value in byte order of the names. A file without attributes has no
 * list.
 */
#ifndef STORE_GRAPH_XATTR_LIST_H
#define STORE_GRAPH_XATTR_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct xattr_item {
	const uint8_t *name; /* name_len bytes, 1 to LIMIT_XATTR_NAME, no NUL among them */
	size_t name_len;
	const uint8_t *value; /* value_len bytes, at most LIMIT_XATTR_VALUE */
	size_t value_len;
};

struct xattr_cursor {
	struct span s;
	uint64_t left;
	struct xattr_item last;
};

/* Begin a list of count attributes in out (replaced); they follow in byte order of names. */
void xattr_list_begin(struct buf *out, size_t count);
/* Copies all.  Failure of memory shows in out->failed. */
void xattr_list_add(struct buf *out, const void *name, size_t name_len, const void *value,
	size_t value_len);

/* Borrowed: the cursor and its items are valid as long as data.  STORE_ECORRUPT. */
int xattr_list_open(struct xattr_cursor *c, const void *data, size_t len);
/* STORE_ENOTFOUND at the end, which must be the end of the data; STORE_ECORRUPT. */
int xattr_list_next(struct xattr_cursor *c, struct xattr_item *item);
/* Is all of it as the format has it?  O(len). */
bool xattr_list_is_valid(const void *data, size_t len);

#endif
