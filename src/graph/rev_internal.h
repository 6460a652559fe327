/* What the files of revisions share. */
#ifndef STORE_GRAPH_REV_INTERNAL_H
#define STORE_GRAPH_REV_INTERNAL_H

#include "graph/rev.h"

/*
 * The commit an object means: itself, or what a tag names, tags of tags included. what: the user's
 * word for it.
 * STORE_ENOTFOUND: it is no commit.
 */
int rev_peel(const struct rev_source *s, const struct oid *id, struct text_slice what,
	struct oid *out, struct store_error *err);
/*
 * The commit or tag whose id begins with the given 4 to 64 hexadecimal digits of either case;
 * *is_hex false: it is no such text. STORE_ENOTFOUND without message: none. STORE_EAMBIGUOUS lists
 * them.
 */
int rev_find_prefix(const struct rev_source *s, struct text_slice text, bool *is_hex,
	struct oid *out, struct store_error *err);
/* The same for layers. */
int rev_find_layer_prefix(const struct rev_source *s, struct text_slice text, struct oid *out,
	struct store_error *err);

#endif
