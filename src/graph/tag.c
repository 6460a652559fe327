/*
 * The text of an annotated tag.  The name stands in it as well as in the ref, so that a tag that
 * was taken from elsewhere still says which tag it is; it follows the rules of ref names for that
 * reason.
 */
#include "graph/tag.h"

#include "base/error.h"
#include "data/limits.h"
#include "data/refname.h"

static int check_name(struct text_slice name, struct store_error *err)
{
	char full[LIMIT_REF + 1] = REFNAME_TAGS;
	const size_t prefix = strlen(REFNAME_TAGS);

	if (name.len > LIMIT_REF - prefix)
		return store_error_set(err, STORE_EINVAL, "the name of the tag is too long");
	if (name.len > 0)
		memcpy(full + prefix, name.p, name.len);
	return refname_check(full, prefix + name.len, 0, err);
}

int tag_encode(struct buf *out, const struct tag *tag, struct store_error *err)
{
	const size_t start = out->len;
	int rc;

	if (tag->type != KIND_COMMIT && tag->type != KIND_LAYER)
		return store_error_set(err, STORE_EINVAL, "a tag names a commit or a layer");
	if (tag->message.len > LIMIT_MESSAGE)
		return store_error_set(err, STORE_EINVAL, "the message is longer than %u bytes",
			LIMIT_MESSAGE);
	rc = check_name(tag->name, err);
	if (rc != 0)
		return rc;
	buf_add_str(out, "store tag 1\n");
	text_add_id(out, "object", &tag->object);
	buf_addf(out, "type %s\ntag ", tag->type == KIND_COMMIT ? "commit" : "layer");
	buf_add(out, tag->name.p, tag->name.len);
	buf_add_str(out, "\ntagger ");
	rc = ident_format(out, &tag->tagger, err);
	buf_add_str(out, "\n\n");
	buf_add(out, tag->message.p, tag->message.len);
	if (rc == 0)
		rc = buf_check(out, err);
	if (rc != 0)
		out->len = start;
	return rc;
}

static void take_type(struct text *t, enum kind *type)
{
	struct text_slice word;

	text_key(t, "type");
	word = text_word(t);
	text_eol(t);
	if (text_slice_eq(word, text_slice_of("commit")))
		*type = KIND_COMMIT;
	else if (text_slice_eq(word, text_slice_of("layer")))
		*type = KIND_LAYER;
	else
		text_fail(t, "the type is neither commit nor layer");
}

int tag_decode(struct tag *tag, const void *data, size_t len, struct store_error *err)
{
	struct store_error why = { 0 };
	struct text t;

	*tag = (struct tag){ 0 };
	text_init(&t, "tag", data, len, err);
	text_exact(&t, "store tag 1");
	text_key(&t, "object");
	text_id(&t, &tag->object);
	text_eol(&t);
	take_type(&t, &tag->type);
	text_key(&t, "tag");
	tag->name = text_rest(&t);
	if (t.rc == 0 && check_name(tag->name, &why) != 0)
		text_fail(&t, "%s", why.msg);
	text_key(&t, "tagger");
	ident_take(&t, &tag->tagger);
	tag->message = text_message(&t);
	return text_end(&t);
}
