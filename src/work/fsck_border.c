/*
 * Whether nodes are the ones that the content asks for: what is wrong here gives another root for
 * the same content, so that equal trees compare as different.
 *
 * Of one node it shows at once whether an item before its last closes it (it goes on behind its
 * border) and whether its last item does (another may follow it). Whether another follows depends
 * on who names it: a node is inner when something stands behind it on its level, in its own parent
 * or in any above. Nodes are shared, so one that was entered as the end of a file may later be
 * inner to another; then what lies last below it, one node per level, is looked at again.
 *
 * What holds between neighbours is looked at in the node in which they have a common parent: keys
 * ascend, and a run of equal rows never goes on in the next node, on no level below. That follows
 * the two sides of one border down, one node per level on each side.
 *
 * Chunk borders are not looked at: a stream of unknown length is cut with another average than a
 * file, and nothing in a commit tells which content was a stream.
 */
#include <string.h>

#include "base/error.h"
#include "data/crc32c.h"
#include "work/fsck_internal.h"

static void fill_seq(struct fsck_memo *m, const struct seq_node *n)
{
	m->totals.totals.size = n->size;
	m->ends = seq_node_ends(n);
	m->is_single = n->count == 1 && n->rows[0].repeat == 1;
	m->u.seq.first = n->rows[0];
	m->u.seq.last = n->rows[n->count - 1];
}

static void fill_map(struct fsck *f, struct fsck_memo *m, const struct fsck_node *n)
{
	const struct map_item *first = n->map.items, *last = first + n->map.count - 1;
	struct fsck_child child[2];

	m->totals = n->map.totals;
	m->ends = map_node_ends(&n->map, f->hash, &m->is_overrun);
	m->is_single = n->map.count == 1;
	m->last_key = crc32c(0, last->key, last->key_len);
	m->u.map.key_len = (uint16_t)first->key_len;
	if (first->key_len > 0)
		memcpy(m->u.map.key, first->key,
			first->key_len < FSCK_MEMO_KEY ? first->key_len : FSCK_MEMO_KEY);
	if (n->level > 0 && fsck_node_children(n, 0, child) > 0)
		m->u.map.first = child[0].ref.id;
	if (n->level > 0 && fsck_node_children(n, n->count - 1, child) > 0)
		m->u.map.last = child[0].ref.id;
}

struct fsck_memo *fsck_memo_slot(struct fsck *f, const struct oid *id)
{
	return &f->memo[id_low64(id) & (FSCK_MEMO - 1)];
}

int fsck_learn(struct fsck *f, const struct fsck_ref *ref, struct fsck_node *node,
	struct fsck_memo **out, bool *loaded, struct store_error *err)
{
	struct fsck_memo *m = fsck_memo_slot(f, &ref->id);
	int rc;

	*out = m;
	*loaded = !id_eq(&m->id, &ref->id);
	if (!*loaded)
		return 0;
	rc = fsck_node_load(f, node, ref, err);
	if (rc != 0)
		return rc;
	memset(m, 0, sizeof(*m));
	m->id = ref->id;
	m->role = ref->role;
	m->level = ref->level;
	if (ref->role == FSCK_SEQ)
		fill_seq(m, &node->seq);
	else
		fill_map(f, m, node);
	return 0;
}

/* Damage once told is told for whoever comes upon it again. */
int fsck_tell(struct fsck *f, const struct oid *id, struct store_error *err, const char *what)
{
	struct odb_loc loc = { 0 };

	if (fsck_is_damaged(f, id))
		return 0;
	if (odb_find(f->reader, id, &loc, NULL) != 0)
		memset(&loc, 0, sizeof(loc));
	return fsck_damage(f, id, loc.pack, loc.block_off, err, "%s", what);
}

static bool is_kind(const struct fsck_ref *ref, const struct fsck_memo *m)
{
	return m->role == ref->role && m->level == ref->level;
}

const char *fsck_mismatch(const struct fsck_ref *ref, const struct fsck_memo *m)
{
	const struct totals *a = &ref->totals.totals, *b = &m->totals.totals;

	if (!is_kind(ref, m))
		return "it is a node of another kind or level than what names it says";
	if (ref->has_totals &&
		(a->size != b->size || a->files != b->files || a->dirs != b->dirs ||
			ref->totals.items != m->totals.items))
		return "its totals are not those that what names it says";
	if (ref->has_key && ref->last_key != m->last_key)
		return "its last key is not the one that what names it says";
	if (m->is_overrun)
		return "the node goes on behind its border";
	if (ref->is_inner && !m->ends)
		return "the node ends before its border";
	if (!ref->is_child && m->is_single && (m->role == FSCK_SEQ || m->level > 0))
		return "the node is a root above a single child";
	return NULL;
}

/* ---- down one side of a border */

static bool is_lowest(const struct fsck_ref *ref)
{
	return ref->level == (ref->role == FSCK_SEQ ? 1 : 0);
}

static void go_down(struct fsck_ref *ref, const struct fsck_memo *m, bool last)
{
	struct oid id;

	if (ref->role == FSCK_SEQ)
		id = last ? m->u.seq.last.id : m->u.seq.first.id;
	else
		id = last ? m->u.map.last : m->u.map.first;
	*ref = (struct fsck_ref){ .role = ref->role,
		.level = (uint8_t)(ref->level - 1),
		.id = id,
		.is_child = true };
}

/*
 * STORE_ENOTFOUND: it cannot be read or is something else, which is told of where the walk meets
 * it.
 */
static int look(struct fsck *f, const struct fsck_ref *ref, struct fsck_node *scratch,
	struct fsck_memo **m, struct store_error *err)
{
	struct store_error why = { 0 };
	bool loaded;
	const int rc = fsck_learn(f, ref, scratch, m, &loaded, &why);

	if (rc == STORE_ECORRUPT)
		return STORE_ENOTFOUND;
	if (rc != 0 && err)
		*err = why;
	if (rc != 0)
		return rc;
	return is_kind(ref, *m) ? 0 : STORE_ENOTFOUND;
}

int fsck_check_spine(struct fsck *f, const struct fsck_ref *ref, struct fsck_node *scratch,
	struct store_error *err)
{
	struct fsck_ref at = *ref;
	struct fsck_memo *m;
	int rc;

	for (;; go_down(&at, m, true)) {
		rc = look(f, &at, scratch, &m, err);
		if (rc != 0)
			return rc == STORE_ENOTFOUND ? 0 : rc;
		if (!m->ends)
			return fsck_tell(f, &at.id, err, "the node ends before its border");
		if (m->is_spine_ok || is_lowest(&at))
			return 0;
		m->is_spine_ok = true;
	}
}

/* ---- neighbours */

static int check_run(struct fsck *f, struct fsck_ref left, struct fsck_ref right,
	struct fsck_node *scratch, struct store_error *err)
{
	struct fsck_memo *m, l, r;
	int rc;

	for (;; go_down(&left, &l, true), go_down(&right, &r, false)) {
		rc = look(f, &left, scratch, &m, err);
		if (rc == 0)
			l = *m;
		if (rc == 0)
			rc = look(f, &right, scratch, &m, err);
		if (rc != 0)
			return rc == STORE_ENOTFOUND ? 0 : rc;
		r = *m;
		if (r.u.seq.first.len == l.u.seq.last.len &&
			id_eq(&r.u.seq.first.id, &l.u.seq.last.id))
			return fsck_tell(f, &right.id, err,
				"its first row is one run with the last row of the node before it");
		if (is_lowest(&left))
			return 0;
	}
}

/* Is the first key of a node greater than key?  What the memo has of it may not tell. */
static int is_behind(struct fsck *f, const struct fsck_ref *ref, const struct fsck_memo *m,
	const struct map_item *before, struct fsck_node *scratch, bool *yes,
	struct store_error *err)
{
	const size_t a = before->key_len, b = m->u.map.key_len, n = a < b ? a : b;
	const size_t have = n < FSCK_MEMO_KEY ? n : FSCK_MEMO_KEY;
	int c = have > 0 ? memcmp(before->key, m->u.map.key, have) : 0, rc = 0;

	if (c == 0 && have < n) {
		rc = fsck_node_load(f, scratch, ref, err);
		c = rc == 0 ? memcmp(before->key, scratch->map.items[0].key, n) : 0;
	}
	*yes = c < 0 || (c == 0 && a < b);
	return rc;
}

static int check_order(struct fsck *f, const struct map_item *before, struct fsck_ref at,
	struct fsck_node *scratch, struct store_error *err)
{
	struct fsck_memo *m;
	bool yes = true;
	int rc;

	for (;; go_down(&at, m, false)) {
		rc = look(f, &at, scratch, &m, err);
		if (rc != 0)
			return rc == STORE_ENOTFOUND ? 0 : rc;
		rc = is_behind(f, &at, m, before, scratch, &yes, err);
		if (rc != 0)
			return rc;
		if (!yes)
			return fsck_tell(f, &at.id, err,
				"it begins before the node ahead of it ends");
		if (is_lowest(&at))
			return 0;
	}
}

int fsck_check_place(struct fsck *f, const struct fsck_node *n, size_t pos,
	struct fsck_node *scratch, struct store_error *err)
{
	struct fsck_child here[2], before[2];
	int rc = 0;

	fsck_node_children(n, pos, here);
	if (n->role != FSCK_SEQ)
		return pos == 0 ? 0
				: check_order(f, &n->map.items[pos - 1], here[0].ref, scratch, err);
	if (pos > 0) {
		fsck_node_children(n, pos - 1, before);
		rc = check_run(f, before[0].ref, here[0].ref, scratch, err);
	}
	if (rc == 0 && n->seq.rows[pos].repeat > 1)
		rc = check_run(f, here[0].ref, here[0].ref, scratch, err);
	return rc;
}
