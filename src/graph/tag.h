/* Annotated tags: a name for a commit or a layer, with who and why. */
#ifndef STORE_GRAPH_TAG_H
#define STORE_GRAPH_TAG_H

#include "base/buf.h"
#include "data/id.h"
#include "data/ident.h"
#include "data/text.h"

struct store_error;

struct tag {
	struct oid object;
	enum kind type;         /* KIND_COMMIT or KIND_LAYER */
	struct text_slice name; /* without refs/tags/; refs/tags/NAME is a ref name */
	struct ident tagger;
	struct text_slice message; /* may be empty; any bytes */
};

/* Append the tag's text.  STORE_EINVAL, out unchanged, when a part breaks a rule of the format. */
int tag_encode(struct buf *out, const struct tag *tag, struct store_error *err);
/*
 * Parse a whole text.  STORE_ECORRUPT tells the line and what is wrong with it.
 * Borrowed: names, mail and the message are valid until data is.
 */
int tag_decode(struct tag *tag, const void *data, size_t len, struct store_error *err);

#endif
