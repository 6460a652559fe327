/* Which names a ref may have: the rules of git-check-ref-format(1), and at most LIMIT_REF bytes. */
#ifndef STORE_DATA_REFNAME_H
#define STORE_DATA_REFNAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct store_error;

#define REFNAME_HEADS "refs/heads/"
#define REFNAME_TAGS "refs/tags/"

#define REFNAME_ONE_LEVEL 1u /* HEAD and the like, without a slash, are allowed too */

/* Returns 0, or STORE_EINVAL; the message quotes the name and says which rule it breaks. */
int refname_check(const void *name, size_t len, unsigned int flags, struct store_error *err);

/*
 * The full name of the branch or tag that a user calls name, into out (replaced): prefix is
 * REFNAME_HEADS or REFNAME_TAGS. Beyond the common rules it may not begin with `-`, and a branch
 * may not be called HEAD, as in git.
 */
int refname_full(struct buf *out, const char *prefix, const void *name, size_t len,
	struct store_error *err);

#endif
