/* Bytes from repositories, made safe to stand in a line of text. */
#ifndef STORE_BASE_QUOTE_H
#define STORE_BASE_QUOTE_H

#include <stddef.h>
#include "base/buf.h"

/*
 * Append name (len bytes) C-quoted as git does ("a\tb\303\251") if it holds a control character, a
 * double quote, a backslash (C1 and those that turn the writing direction included) or a byte >=
 * 0x80 that is no well-formed UTF-8; else as it is.  Returns 0 or STORE_ENOMEM.
 */
int quote_c(struct buf *out, const void *name, size_t len);

/*
 * The same into a fixed array for error messages: cut with "..." when too long, always
 * NUL-terminated.  cap >= 8, else the text is empty.  Returns out.
 */
const char *quote_msg(char *out, size_t cap, const void *name, size_t len);

#endif
