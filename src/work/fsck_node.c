/*
 * Nodes as fsck sees them: read, decoded, and what their items refer to. A node is a map node or a
 * seq node; what walks down a tree asks only for its children.
 */
#include <string.h>

#include "data/crc32c.h"
#include "data/hash.h"
#include "work/fsck_internal.h"

void fsck_node_init(struct fsck_node *n)
{
	memset(n, 0, sizeof(*n));
	map_node_init(&n->map);
	seq_node_init(&n->seq);
}

void fsck_node_release(struct fsck_node *n)
{
	map_node_release(&n->map);
	seq_node_release(&n->seq);
	buf_release(&n->data);
}

int fsck_node_load(struct fsck *f, struct fsck_node *n, const struct fsck_ref *ref,
	struct store_error *err)
{
	int rc = odb_read(f->reader, &ref->id, &n->data, err);

	if (rc != 0)
		return rc == STORE_ENOTFOUND || fsck_is_damage(rc) ? STORE_ECORRUPT : rc;
	n->role = ref->role;
	n->level = ref->level;
	if (ref->role == FSCK_SEQ) {
		rc = seq_node_decode(&n->seq, n->data.data, n->data.len, ref->level,
			ref->has_totals ? ref->totals.totals.size : UINT64_MAX, err);
		n->count = n->seq.count;
	} else {
		rc = map_node_decode(&n->map, n->data.data, n->data.len, (enum map_kind)ref->role,
			ref->level, err);
		n->count = n->map.count;
	}
	return rc;
}

/* The item of a map node above the leaves. */
static size_t parent_item(const struct fsck_node *n, const struct map_item *item,
	struct fsck_child *c)
{
	struct span s = span_of(item->value, item->value_len);
	const uint8_t *id = span_take(&s, ID_LEN);

	if (!id)
		return 0;
	c->ref.role = n->role;
	c->ref.level = (uint8_t)(n->level - 1);
	c->ref.is_child = true;
	memcpy(c->ref.id.b, id, ID_LEN);
	c->ref.has_totals = true;
	if (n->role == FSCK_DIRECTORY) {
		c->ref.totals.totals.size = span_leb(&s);
		c->ref.totals.totals.files = span_leb(&s);
		c->ref.totals.totals.dirs = span_leb(&s);
	} else {
		c->ref.totals.items = span_leb(&s);
	}
	c->ref.has_key = true;
	c->ref.last_key = crc32c(0, item->key, item->key_len);
	return 1;
}

void fsck_child_content(struct fsck_child *c, const struct oid *id, uint8_t height, uint64_t size)
{
	if (height > 0) {
		c->ref.role = FSCK_SEQ;
		c->ref.level = height;
		c->ref.id = *id;
		c->ref.has_totals = true;
		c->ref.totals.totals.size = size;
	} else {
		c->has_content = true;
		c->content = *id;
		c->content_len = size;
	}
}

static size_t entry_item(const struct map_item *item, struct fsck_child *c)
{
	struct span s = span_of(item->value, item->value_len);
	struct entry e;

	if (entry_decode(&s, &e) != 0)
		return 0;
	c->is_name = true;
	c->kind = e.kind;
	if (e.kind == ENTRY_DIR)
		c->ref = fsck_ref_of_dir(&e);
	else
		fsck_child_content(c, &e.id, e.height, e.totals.size);
	return 1;
}

static size_t meta_item(const struct map_item *item, struct fsck_child out[2])
{
	struct span s = span_of(item->value, item->value_len);
	struct meta m = { 0 };
	size_t n = 0;

	if (meta_decode(&s, &m) != 0)
		return 0;
	if (m.flags & META_XATTRS) {
		out[n].is_list = out[n].is_name = true;
		fsck_child_content(&out[n++], &m.xattrs.id, m.xattrs.height, m.xattrs.size);
	}
	if (m.flags & META_CHILD) {
		out[n].is_name = true;
		out[n].ref.role = FSCK_META;
		out[n].ref.level = m.child.height;
		out[n++].ref.id = m.child.id;
	}
	return n;
}

size_t fsck_node_children(const struct fsck_node *n, size_t pos, struct fsck_child out[2])
{
	memset(out, 0, 2 * sizeof(*out));
	if (n->role == FSCK_SEQ) {
		const struct seq_row *r = &n->seq.rows[pos];

		fsck_child_content(out, &r->id, (uint8_t)(n->level - 1), r->len);
		out->ref.is_child = true;
		return 1;
	}
	if (n->level > 0)
		return parent_item(n, &n->map.items[pos], out);
	if (n->role == FSCK_DIRECTORY)
		return entry_item(&n->map.items[pos], out);
	return n->role == FSCK_META ? meta_item(&n->map.items[pos], out) : 0;
}

struct fsck_ref fsck_ref_of_dir(const struct entry *dir)
{
	struct fsck_ref r = { .role = FSCK_DIRECTORY,
		.level = dir->height,
		.id = dir->id,
		.has_totals = true };

	r.totals.totals = dir->totals;
	return r;
}

bool fsck_is_built_in(const struct fsck_ref *ref)
{
	const struct map_ref empty = ref->role == FSCK_SEQ || ref->role == FSCK_NONE
		? (struct map_ref){ hash_empty_file, 0 }
		: map_empty((enum map_kind)ref->role);

	return id_eq(&ref->id, &empty.id);
}
