/* Objects of history by name: what `show` looks at before it follows anything. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/tag.h"
#include "work/view_internal.h"

static bool begins(const struct buf *data, const char *line)
{
	return data->len >= strlen(line) && memcmp(data->data, line, strlen(line)) == 0;
}

/* All texts behind each other, each with a NUL; pointers are taken when they no longer move. */
static int set_tag(struct store_object *o, struct buf *text, struct store_error *err)
{
	const size_t whole = text->len;
	struct tag tag;
	size_t tagger, message;
	int rc = tag_decode(&tag, text->data, text->len, err);

	if (rc != 0)
		return rc;
	o->target_kind = tag.type == KIND_LAYER ? STORE_OBJECT_LAYER : STORE_OBJECT_COMMIT;
	o->target = view_id(&tag.object);
	o->time = tag.tagger.seconds;
	o->zone = tag.tagger.zone;
	/* What the tag's slices point into must not move while it is copied. */
	rc = buf_reserve(text, 2 * whole + 64) == 0
		? tag_decode(&tag, text->data, whole, err)
		: store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc != 0)
		return rc;
	buf_add_u8(text, 0);
	buf_add(text, tag.name.p, tag.name.len);
	buf_add_u8(text, 0);
	tagger = text->len;
	rc = ident_format_who(text, &tag.tagger, err);
	buf_add_u8(text, 0);
	message = text->len;
	buf_add(text, tag.message.p, tag.message.len);
	buf_add_u8(text, 0);
	if (rc == 0)
		rc = buf_check(text, err);
	if (rc != 0)
		return rc;
	o->name = (const char *)text->data + whole + 1;
	o->tagger = (const char *)text->data + tagger;
	o->message = (const char *)text->data + message;
	return 0;
}

static int set_layer(struct store_object *o, struct buf *text, struct store_error *err)
{
	struct entry top;
	struct layer l;
	int rc = layer_decode(&l, text->data, text->len, err);

	if (rc != 0)
		return rc;
	top = view_top(&l);
	o->has_parent = l.has_parent;
	if (l.has_parent)
		o->parent = view_id(&l.parent);
	o->changes = view_id(&l.changes.id);
	o->root = view_node(&top);
	o->generation = l.generation;
	o->added = l.added;
	o->modified = l.modified;
	o->deleted = l.deleted;
	buf_add_u8(text, 0);
	return buf_check(text, err);
}

static int fill_object(struct store_object *o, struct buf *text, struct store_error *err)
{
	struct commit c;
	int rc;

	if (begins(text, "store tag 1\n")) {
		o->kind = STORE_OBJECT_TAG;
		rc = set_tag(o, text, err);
	} else if (begins(text, "store layer 1\n")) {
		o->kind = STORE_OBJECT_LAYER;
		rc = set_layer(o, text, err);
	} else {
		o->kind = STORE_OBJECT_COMMIT;
		rc = commit_decode(&c, text->data, text->len, err);
		buf_clear(text);
		buf_add_u8(text, 0);
	}
	o->text = (const char *)text->data;
	return rc;
}

int store_object_find(struct store_repo *repo, const char *name, struct store_object *out,
	struct store_error *err)
{
	struct buf text = { 0 };
	struct view v;
	struct oid id;
	char hex[13];
	int rc = view_begin(&v, repo, err);

	*out = (struct store_object){ 0 };
	if (rc == 0)
		rc = rev_parse_object(&v.source, name, strlen(name), &id, err);
	if (rc == 0) {
		out->id = view_id(&id);
		rc = node_get(&v.source.nodes, &id, &text, err);
		if (rc == 0)
			rc = fill_object(out, &text, err);
		if (rc == STORE_ENOTFOUND)
			rc = store_error_set(err, STORE_ECORRUPT,
				"object %s is missing (run 'store fsck')", id_short(hex, &id));
		else if (rc != 0)
			rc = store_error_wrap(err, rc, "cannot read object %s", id_short(hex, &id));
	}
	view_end(&v);
	out->data = text.data;
	return rc;
}

void store_object_clear(struct store_object *o)
{
	free(o->data);
	*o = (struct store_object){ 0 };
}
