/*
 * Phase 5: everything below the roots of all commits.
 *
 * Each reference is compared with the node it names (kind, level, totals, last key); below a node
 * we go once, which its mark remembers. Histories share most of their nodes, and a node is compared
 * once for each node that names it, so what the last FSCK_MEMO nodes turned out to be is kept in a
 * table: most comparisons read nothing. Chunks are only looked up, for phase 1 has read them.
 *
 * Memory: the way down is kept as ids and places; of the nodes on it the lowest KEPT are decoded,
 * others are read again when the walk comes back to them. A directory 2048 deep costs no more than
 * a flat one.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/crc32c.h"
#include "data/hash.h"
#include "graph/commit.h"
#include "graph/layer.h"
#include "work/fsck_internal.h"
#include "work/view_internal.h"

#define KEPT 16
#define FRAMES_MAX ((size_t)(LIMIT_DEPTH + 2) * LIMIT_LEVEL)

struct frame {
	struct fsck_ref ref;
	size_t pos;
};

struct kept {
	size_t frame; /* whose node it is, counted from 1; 0: nobody's */
	struct fsck_node node;
};

struct tree_walk {
	struct fsck *fsck;
	struct frame *frames;
	size_t depth, cap;
	struct kept kept[KEPT];
};

/* ---- nodes */

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
		return rc == STORE_ENOTFOUND || rc == STORE_EIO || rc == STORE_EVERSION
			? STORE_ECORRUPT
			: rc;
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

static void set_content(struct fsck_child *c, const struct oid *id, uint8_t height, uint64_t size)
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
		set_content(c, &e.id, e.height, e.totals.size);
	return 1;
}

static size_t meta_item(const struct map_item *item, struct fsck_child out[2])
{
	struct span s = span_of(item->value, item->value_len);
	struct meta m = { 0 };
	size_t n = 0;

	if (meta_decode(&s, &m) != 0)
		return 0;
	if (m.flags & META_XATTRS)
		set_content(&out[n++], &m.xattrs.id, m.xattrs.height, m.xattrs.size);
	if (m.flags & META_CHILD) {
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

		set_content(out, &r->id, (uint8_t)(n->level - 1), r->len);
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

/* ---- comparing references with nodes */

/* Damage once told is told for whoever comes upon it again. */
static int tell(struct fsck *f, const struct oid *id, struct store_error *err, const char *what)
{
	struct odb_loc loc = { 0 };

	if (fsck_is_damaged(f, id))
		return 0;
	if (odb_find(f->reader, id, &loc, NULL) != 0)
		memset(&loc, 0, sizeof(loc));
	return fsck_damage(f, id, loc.pack, loc.block_off, err, "%s", what);
}

static struct fsck_memo *memo_slot(struct fsck *f, const struct oid *id)
{
	return &f->memo[id_low64(id) & (FSCK_MEMO - 1)];
}

static void fill_memo(struct fsck_memo *m, const struct fsck_ref *ref, const struct fsck_node *n)
{
	memset(m, 0, sizeof(*m));
	m->id = ref->id;
	m->role = ref->role;
	m->level = ref->level;
	if (ref->role == FSCK_SEQ) {
		m->totals.totals.size = n->seq.size;
	} else {
		m->totals = n->map.totals;
		if (n->map.count > 0)
			m->last_key = crc32c(0, n->map.items[n->map.count - 1].key,
				n->map.items[n->map.count - 1].key_len);
	}
}

static const char *mismatch(const struct fsck_ref *ref, const struct fsck_memo *m)
{
	const struct totals *a = &ref->totals.totals, *b = &m->totals.totals;

	if (m->role != ref->role || m->level != ref->level)
		return "it is a node of another kind or level than what names it says";
	if (ref->has_totals &&
		(a->size != b->size || a->files != b->files || a->dirs != b->dirs ||
			ref->totals.items != m->totals.items))
		return "its totals are not those that what names it says";
	if (ref->has_key && ref->last_key != m->last_key)
		return "its last key is not the one that what names it says";
	return NULL;
}

/* Compare, and say whether there is something to enter: then its node is loaded into node. */
static int visit(struct tree_walk *w, const struct fsck_ref *ref, struct fsck_node *node,
	bool *enter, struct store_error *err)
{
	struct fsck *f = w->fsck;
	struct fsck_memo *m = memo_slot(f, &ref->id);
	struct store_error why = { 0 };
	const char *wrong;
	int rc;

	*enter = false;
	if (fsck_is_built_in(ref)) {
		const struct fsck_memo empty = { .id = ref->id, .role = ref->role };

		wrong = ref->role == FSCK_SEQ ? "an empty file has no nodes"
					      : mismatch(ref, &empty);
		return wrong ? fsck_damage(f, &ref->id, 0, 0, err, "%s", wrong) : 0;
	}
	if (!id_eq(&m->id, &ref->id)) {
		rc = fsck_node_load(f, node, ref, &why);
		if (rc == STORE_ECORRUPT)
			return tell(f, &ref->id, err, why.msg[0] ? why.msg : "it is missing");
		if (rc != 0) {
			if (err)
				*err = why;
			return rc;
		}
		fill_memo(m, ref, node);
		rc = fsck_mark(f, &ref->id, enter, err);
		if (rc != 0)
			return rc;
		f->result->trees += *enter && ref->role == FSCK_DIRECTORY && !ref->has_key;
	}
	wrong = mismatch(ref, m);
	return wrong ? tell(f, &ref->id, err, wrong) : 0;
}

static int check_content(struct fsck *f, const struct fsck_child *c, const struct oid *user,
	struct store_error *err)
{
	char hex[ID_HEX + 1];
	struct odb_loc loc;
	int rc;

	if (id_eq(&c->content, &hash_empty_file) || c->content_len == 0) {
		if (c->content_len == 0 && id_eq(&c->content, &hash_empty_file))
			return 0;
		return user ? tell(f, user, err, "it names an empty file that is not empty") : 0;
	}
	rc = odb_find(f->reader, &c->content, &loc, err);
	if (rc == STORE_ENOTFOUND) {
		if (fsck_is_damaged(f, &c->content))
			return 0;
		return fsck_damage(f, &c->content, 0, 0, err, "it is missing; %s%s names it",
			user ? "object " : "the stage", user ? id_hex(hex, user) : "");
	}
	if (rc == 0 && loc.len != c->content_len)
		return user
			? tell(f, user, err, "it says that a chunk has another length than it has")
			: 0;
	return rc;
}

/* ---- the walk */

static int push(struct tree_walk *w, const struct fsck_ref *ref, struct store_error *err)
{
	struct fsck_node *node = &w->kept[(w->depth + 1) % KEPT].node;
	bool enter;
	int rc;

	/* Whatever is loaded there now belongs to no frame until we know. */
	w->kept[(w->depth + 1) % KEPT].frame = 0;
	rc = visit(w, ref, node, &enter, err);
	if (rc != 0 || !enter)
		return rc;
	if (w->depth >= FRAMES_MAX)
		return fsck_damage(w->fsck, &ref->id, 0, 0, err,
			"it lies deeper than %d directories", LIMIT_DEPTH);
	if (mem_grow(&w->frames, &w->cap, w->depth + 1, sizeof(*w->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->frames[w->depth++] = (struct frame){ *ref, 0 };
	w->kept[w->depth % KEPT].frame = w->depth;
	return 0;
}

/* The node of the lowest frame, read again when a deeper one took its place. */
static int top_node(struct tree_walk *w, struct fsck_node **out, struct store_error *err)
{
	struct kept *k = &w->kept[w->depth % KEPT];
	int rc = 0;

	if (k->frame != w->depth) {
		k->frame = 0;
		rc = fsck_node_load(w->fsck, &k->node, &w->frames[w->depth - 1].ref, err);
		if (rc == 0)
			k->frame = w->depth;
	}
	*out = &k->node;
	return rc;
}

static int step(struct tree_walk *w, struct store_error *err)
{
	struct frame *top = &w->frames[w->depth - 1];
	const struct oid user = top->ref.id;
	struct fsck_child children[2];
	struct fsck_node *node;
	size_t n;
	int rc = top_node(w, &node, err);

	if (rc != 0)
		return rc;
	if (top->pos == node->count) {
		w->depth--;
		return 0;
	}
	n = fsck_node_children(node, top->pos++, children);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct fsck_child *c = &children[i];

		if (c->is_name && c->kind != ENTRY_DIR) {
			w->fsck->result->files++;
			w->fsck->progress.files++;
		}
		if (c->has_content)
			rc = check_content(w->fsck, c, &user, err);
		if (rc == 0 && c->ref.role != FSCK_NONE)
			rc = push(w, &c->ref, err);
	}
	return rc == 0 ? fsck_tick(w->fsck, err) : rc;
}

int fsck_walk(struct fsck *f, const struct fsck_ref *ref, struct store_error *err)
{
	struct tree_walk *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->fsck = f;
	for (size_t i = 0; i < KEPT; i++)
		fsck_node_init(&w->kept[i].node);
	rc = push(w, ref, err);
	while (rc == 0 && w->depth > 0)
		rc = step(w, err);
	for (size_t i = 0; i < KEPT; i++)
		fsck_node_release(&w->kept[i].node);
	free(w->frames);
	free(w);
	return rc;
}

int fsck_walk_file(struct fsck *f, const struct file_ref *ref, const struct oid *user,
	struct store_error *err)
{
	struct fsck_child c = { 0 };

	set_content(&c, &ref->id, ref->height, ref->size);
	return c.has_content ? check_content(f, &c, user, err) : fsck_walk(f, &c.ref, err);
}

static int walk_commit(struct fsck *f, const struct oid *id, const struct commit *c,
	struct store_error *err)
{
	struct fsck_ref ref = { .role = FSCK_CHANGES };
	struct entry top;
	struct layer l;
	int rc;

	(void)id;
	/* Phase 4 has told of a layer that cannot be read. */
	if (repo_read_layer(f->repo, &c->layer, &l, NULL) != 0)
		return 0;
	ref.level = l.changes.height;
	ref.id = l.changes.id;
	rc = fsck_walk(f, &ref, err);
	if (rc == 0 && c->has_meta) {
		ref = (struct fsck_ref){ .role = FSCK_META,
			.level = c->meta.height,
			.id = c->meta.id };
		rc = fsck_walk(f, &ref, err);
	}
	if (rc != 0)
		return rc;
	top = view_top(&l);
	ref = fsck_ref_of_dir(&top);
	return fsck_walk(f, &ref, err);
}

int fsck_trees(struct fsck *f, struct store_error *err)
{
	fsck_forget_marks(f);
	return fsck_each_commit(f, walk_commit, err);
}
