/*
 * The check behind the second promise of publication: children first. It costs a look-up for each
 * child of each new object, so it runs in tests (STORE_CHECK_CLOSURE=1) and not in daily work.
 *
 * What an object is follows here from the kind its writer put it with: nothing that refers to it
 * need be there yet. Objects without children (chunks) are passed over. Only presence is looked at:
 * a child that is there had its own children looked at when it came.
 */
#include "graph/closure.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "data/hash.h"
#include "graph/commit.h"
#include "graph/entry.h"
#include "graph/layer.h"
#include "graph/map.h"
#include "graph/seq.h"
#include "graph/stage.h"
#include "graph/tag.h"
#include "odb/writer.h"

#define MAP_HEAD 5 /* bytes of a map node up to its level */
#define SEQ_HEAD 4
#define OP_MOVE 3

struct check {
	struct odb_reader *reader;
	struct oid parent; /* the object whose children are looked at */
	struct buf data;
	struct map_node map;
	struct seq_node seq;
};

static int need(struct check *c, const struct oid *id, struct store_error *err)
{
	struct odb_loc loc;
	char child[13], parent[13];
	const int rc = odb_find(c->reader, id, &loc, err);

	if (rc != STORE_ENOTFOUND)
		return rc;
	return store_error_set(err, STORE_ECORRUPT,
		"closure: object %s, which %s names, is neither in the repository nor about to be",
		id_short(child, id), id_short(parent, &c->parent));
}

static int need_content(struct check *c, const struct file_ref *ref, struct store_error *err)
{
	return ref->size == 0 && id_eq(&ref->id, &hash_empty_file) ? 0 : need(c, &ref->id, err);
}

static int need_map(struct check *c, enum map_kind kind, const struct oid *id, uint8_t height,
	struct store_error *err)
{
	const struct map_ref ref = { *id, height }, empty = map_empty(kind);

	return map_ref_eq(&ref, &empty) ? 0 : need(c, id, err);
}

static int check_entry(struct check *c, struct span *s, struct store_error *err)
{
	struct entry e;

	if (entry_decode(s, &e) != 0)
		return store_error_set(err, STORE_ECORRUPT,
			"closure: a directory entry is malformed");
	if (e.kind == ENTRY_DIR)
		return need_map(c, MAP_DIRECTORY, &e.id, e.height, err);
	return need_content(c, &(struct file_ref){ e.id, e.height, e.totals.size }, err);
}

static int check_meta(struct check *c, struct span *s, struct store_error *err)
{
	struct meta m = { 0 };
	int rc = 0;

	if (meta_decode(s, &m) != 0)
		return store_error_set(err, STORE_ECORRUPT,
			"closure: recorded attributes are malformed");
	if (m.flags & META_XATTRS)
		rc = need_content(c, &m.xattrs, err);
	if (rc == 0 && (m.flags & META_CHILD))
		rc = need_map(c, MAP_META, &m.child.id, m.child.height, err);
	return rc;
}

static int check_map(struct check *c, struct store_error *err)
{
	struct map_node *n = &c->map;
	int rc;

	if (c->data.len < MAP_HEAD)
		return store_error_set(err, STORE_ECORRUPT, "closure: a map node ends early");
	rc = map_node_decode(n, c->data.data, c->data.len, (enum map_kind)c->data.data[3],
		c->data.data[4], err);
	for (size_t i = 0; i < n->count && rc == 0; i++) {
		struct span s = span_of(n->items[i].value, n->items[i].value_len);
		struct oid child;

		if (n->level > 0) {
			memcpy(child.b, s.p, ID_LEN);
			rc = need(c, &child, err);
		} else if (n->kind == MAP_DIRECTORY) {
			rc = check_entry(c, &s, err);
		} else if (n->kind == MAP_META) {
			rc = check_meta(c, &s, err);
		}
	}
	return rc;
}

static int check_seq(struct check *c, struct store_error *err)
{
	int rc;

	if (c->data.len < SEQ_HEAD)
		return store_error_set(err, STORE_ECORRUPT, "closure: a seq node ends early");
	rc = seq_node_decode(&c->seq, c->data.data, c->data.len, c->data.data[3], UINT64_MAX, err);
	for (size_t i = 0; i < c->seq.count && rc == 0; i++)
		rc = need(c, &c->seq.rows[i].id, err);
	return rc;
}

static int check_layer(struct check *c, struct store_error *err)
{
	struct layer l;
	int rc = layer_decode(&l, c->data.data, c->data.len, err);

	if (rc == 0 && l.has_parent)
		rc = need(c, &l.parent, err);
	if (rc == 0)
		rc = need_map(c, MAP_DIRECTORY, &l.root.id, l.root.height, err);
	return rc == 0 ? need_map(c, MAP_CHANGES, &l.changes.id, l.changes.height, err) : rc;
}

static int check_commit(struct check *c, struct store_error *err)
{
	struct commit m;
	int rc = commit_decode(&m, c->data.data, c->data.len, err);

	if (rc == 0)
		rc = need(c, &m.layer, err);
	for (size_t i = 0; rc == 0 && i < m.parent_count; i++)
		rc = need(c, &m.parents[i], err);
	return rc == 0 && m.has_meta ? need_map(c, MAP_META, &m.meta.id, m.meta.height, err) : rc;
}

static int check_tag(struct check *c, struct store_error *err)
{
	struct tag t;
	const int rc = tag_decode(&t, c->data.data, c->data.len, err);

	return rc == 0 ? need(c, &t.object, err) : rc;
}

static int check_object(void *ctx, const struct oid *id, enum kind kind, struct store_error *err)
{
	struct check *c = ctx;
	int rc;

	if (kind != KIND_SEQ && kind != KIND_MAP && kind != KIND_LAYER && kind != KIND_COMMIT &&
		kind != KIND_TAG)
		return 0;
	c->parent = *id;
	rc = odb_read(c->reader, id, &c->data, err);
	if (rc != 0)
		return rc;
	switch (kind) {
	case KIND_SEQ:
		return check_seq(c, err);
	case KIND_MAP:
		return check_map(c, err);
	case KIND_LAYER:
		return check_layer(c, err);
	case KIND_COMMIT:
		return check_commit(c, err);
	default:
		return check_tag(c, err);
	}
}

/* ---- the stage record that is being gathered */

static void take_id(struct span *s, struct oid *out)
{
	const uint8_t *p = span_take(s, ID_LEN);

	memset(out, 0, sizeof(*out));
	if (p)
		memcpy(out->b, p, ID_LEN);
}

static int check_set(struct check *c, struct span *s, struct store_error *err)
{
	const uint8_t kind = span_u8(s);
	struct file_ref ref = { 0 };
	struct span meta;
	const uint8_t *p;
	size_t len;
	int rc = 0;

	if (kind != ENTRY_DIR) {
		span_u8(s);
		ref.height = span_u8(s);
		take_id(s, &ref.id);
		ref.size = span_leb(s);
		rc = s->bad ? 0 : need_content(c, &ref, err);
	}
	len = (size_t)span_leb(s);
	p = span_take(s, len);
	if (rc != 0 || !p || len == 0)
		return rc;
	meta = span_of(p, len);
	return check_meta(c, &meta, err);
}

static int check_reset(struct check *c, struct span *s, struct store_error *err)
{
	uint8_t height = span_u8(s);
	struct oid id;
	int rc = 0;

	take_id(s, &id);
	if (!s->bad)
		rc = need_map(c, MAP_DIRECTORY, &id, height, err);
	if (rc != 0 || span_u8(s) == 0)
		return rc;
	height = span_u8(s);
	take_id(s, &id);
	return s->bad ? 0 : need_map(c, MAP_META, &id, height, err);
}

static int check_ops(struct check *c, const void *data, size_t len, struct store_error *err)
{
	struct span s = span_of(data, len);
	int rc = 0;

	memset(&c->parent, 0, sizeof(c->parent));
	while (rc == 0 && !s.bad && span_left(&s) > 0) {
		const uint8_t op = span_u8(&s);

		span_take(&s, (size_t)span_leb(&s));
		if (op == STAGE_SET)
			rc = check_set(c, &s, err);
		else if (op == STAGE_RESET)
			rc = check_reset(c, &s, err);
		else if (op == OP_MOVE)
			span_take(&s, (size_t)span_leb(&s));
		else if (op != STAGE_DELETE)
			s.bad = true;
	}
	return rc == 0 && s.bad ? store_error_set(err, STORE_ECORRUPT,
					  "closure: an operation of the stage record is malformed")
				: rc;
}

int closure_check(struct odb_writer *w, struct store_error *err)
{
	struct check c = { .reader = writer_reader(w) };
	const void *ops;
	size_t len;
	int rc;

	map_node_init(&c.map);
	seq_node_init(&c.seq);
	rc = writer_each_pending(w, check_object, &c, err);
	if (rc == 0) {
		writer_pending_ops(w, &ops, &len);
		rc = check_ops(&c, ops, len, err);
	}
	map_node_release(&c.map);
	seq_node_release(&c.seq);
	buf_release(&c.data);
	return rc;
}
