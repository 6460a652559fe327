/*
 * The text of a commit.  Header lines in one order, an empty line, then the message: bytes that
 * nobody interprets.  What the decoder refuses the encoder refuses too, so no command can write a
 * commit that no command can read.
 */
#include "graph/commit.h"

#include "base/error.h"

static bool is_known_parent(const struct commit *c, size_t count, const struct oid *id)
{
	for (size_t i = 0; i < count; i++) {
		if (id_eq(&c->parents[i], id))
			return true;
	}
	return false;
}

static int check(const struct commit *c, struct store_error *err)
{
	if (c->parent_count > LIMIT_PARENTS)
		return store_error_set(err, STORE_EINVAL, "a commit has at most %d parents",
			LIMIT_PARENTS);
	for (size_t i = 0; i < c->parent_count; i++) {
		if (is_known_parent(c, i, &c->parents[i]))
			return store_error_set(err, STORE_EINVAL, "a parent stands twice");
	}
	if (c->message.len > LIMIT_MESSAGE)
		return store_error_set(err, STORE_EINVAL, "the message is longer than %u bytes",
			LIMIT_MESSAGE);
	return 0;
}

static int add_ident(struct buf *out, const char *key, const struct ident *id,
	struct store_error *err)
{
	int rc;

	buf_add_str(out, key);
	buf_add_u8(out, ' ');
	rc = ident_format(out, id, err);
	buf_add_u8(out, '\n');
	return rc;
}

int commit_encode(struct buf *out, const struct commit *c, struct store_error *err)
{
	const size_t start = out->len;
	int rc = check(c, err);

	if (rc != 0)
		return rc;
	buf_add_str(out, "store commit 1\n");
	text_add_id(out, "layer", &c->layer);
	for (size_t i = 0; i < c->parent_count; i++)
		text_add_id(out, "parent", &c->parents[i]);
	rc = add_ident(out, "author", &c->author, err);
	if (rc == 0)
		rc = add_ident(out, "committer", &c->committer, err);
	if (c->has_meta)
		text_add_map_ref(out, "meta", &c->meta);
	buf_add_u8(out, '\n');
	buf_add(out, c->message.p, c->message.len);
	if (rc == 0)
		rc = buf_check(out, err);
	if (rc != 0)
		out->len = start;
	return rc;
}

static void take_parents(struct text *t, struct commit *c)
{
	while (text_has(t, "parent")) {
		struct oid id;

		text_key(t, "parent");
		text_id(t, &id);
		text_eol(t);
		if (c->parent_count == LIMIT_PARENTS)
			text_fail(t, "there are more than %d parents", LIMIT_PARENTS);
		else if (is_known_parent(c, c->parent_count, &id))
			text_fail(t, "a parent stands twice");
		else
			c->parents[c->parent_count++] = id;
	}
}

int commit_decode(struct commit *c, const void *data, size_t len, struct store_error *err)
{
	struct text t;

	*c = (struct commit){ 0 };
	text_init(&t, "commit", data, len, err);
	text_exact(&t, "store commit 1");
	text_key(&t, "layer");
	text_id(&t, &c->layer);
	text_eol(&t);
	take_parents(&t, c);
	text_key(&t, "author");
	ident_take(&t, &c->author);
	text_key(&t, "committer");
	ident_take(&t, &c->committer);
	c->has_meta = text_has(&t, "meta");
	if (c->has_meta) {
		text_key(&t, "meta");
		text_map_ref(&t, &c->meta);
		text_eol(&t);
	}
	c->message = text_message(&t);
	return text_end(&t);
}
