/*
 * Values of map leaves, between memory and bytes.
 *
 * Every value has exactly one spelling, because ids are taken over the bytes: two spellings of the
 * same entry would be two roots of the same tree.  So decoding refuses what encoding would never
 * write:
 *
 *  1. the empty file and the empty map stand under their built-in ids and with nothing else, since
 *     nobody stores them and nobody may have to look them up;
 *  2. a directory without files and directories below it is the empty map;
 *  3. a change names only pairs of kinds that change_between can give;
 *  4. recorded attributes say something: flags of 0 would be an item that tells nothing;
 *  5. a list of extended attributes is one chunk, never cut, and never empty, and an empty child
 * map is left out.
 *
 * What the stage says of a file is held to the same: the next commit makes an entry of it.
 *
 * Encoding checks the same and returns STORE_EINVAL, so that a caller's slip is found where it is
 * made and not by the next reader.
 */
#include "graph/entry.h"

#include "base/error.h"
#include "data/hash.h"
#include "data/limits.h"
#include "graph/map.h"

#define META_KNOWN (META_ATTRS | META_OWNER | META_XATTRS | META_CHILD)
#define NSEC_PER_SEC 1000000000u

static bool is_valid_content(const struct oid *id, uint8_t height, uint64_t size)
{
	const bool is_empty = id_eq(id, &hash_empty_file);

	if (height > LIMIT_LEVEL || is_empty != (size == 0))
		return false;
	/* A file of height 0 is one object. */
	if (height == 0 && size > LIMIT_OBJECT)
		return false;
	return size > 0 || height == 0;
}

static bool is_valid_directory(const struct entry *e)
{
	const struct map_ref empty = map_empty(MAP_DIRECTORY), ref = { e->id, e->height };
	const struct totals *t = &e->totals;

	/* The entry itself is one more directory for its parent, so the last number is not free. */
	if (e->height >= LIMIT_LEVEL || t->dirs == UINT64_MAX)
		return false;
	if (map_ref_eq(&ref, &empty))
		return t->size == 0 && t->files == 0 && t->dirs == 0;
	return t->files > 0 || t->dirs > 0;
}

static bool is_valid_entry(const struct entry *e)
{
	switch (e->kind) {
	case ENTRY_FILE:
	case ENTRY_EXEC:
		return is_valid_content(&e->id, e->height, e->totals.size);
	case ENTRY_LINK:
		return e->height == 0 && is_valid_content(&e->id, 0, e->totals.size);
	case ENTRY_DIR:
		return is_valid_directory(e);
	default:
		return false;
	}
}

static bool is_plain_file(uint8_t kind)
{
	return kind == ENTRY_FILE || kind == ENTRY_EXEC;
}

static bool is_valid_change(const struct change *c)
{
	const uint8_t a = c->old_kind, b = c->new_kind;

	if (a > ENTRY_LINK || b > ENTRY_LINK)
		return false;
	switch (c->change) {
	case CHANGE_ADDED:
		return a == ENTRY_NONE && b != ENTRY_NONE;
	case CHANGE_DELETED:
		return a != ENTRY_NONE && b == ENTRY_NONE;
	case CHANGE_MODIFIED:
		return (is_plain_file(a) && is_plain_file(b)) ||
			(a == ENTRY_LINK && b == ENTRY_LINK);
	case CHANGE_MODE:
		return is_plain_file(a) && is_plain_file(b) && a != b;
	case CHANGE_TYPE:
		return a != ENTRY_NONE && b != ENTRY_NONE && a != b &&
			!(is_plain_file(a) && is_plain_file(b));
	default:
		return false;
	}
}

static bool is_valid_list(const struct file_ref *ref)
{
	return ref->height == 0 && ref->size > 0 && ref->size <= LIMIT_XATTRS &&
		!id_eq(&ref->id, &hash_empty_file);
}

static bool is_valid_meta(const struct meta *m)
{
	const bool has_attrs = m->flags & META_ATTRS;
	const struct map_ref empty = map_empty(MAP_META);

	if (m->flags == 0 || (m->flags & ~META_KNOWN) != 0)
		return false;
	if (!has_attrs && (m->flags & (META_OWNER | META_XATTRS)) != 0)
		return false;
	if (has_attrs && (m->mode > 07777 || m->mtime_nsec >= NSEC_PER_SEC))
		return false;
	if ((m->flags & META_XATTRS) && !is_valid_list(&m->xattrs))
		return false;
	if (!(m->flags & META_CHILD))
		return true;
	return m->child.height < LIMIT_LEVEL && !id_eq(&m->child.id, &empty.id);
}

/* -1 is 1, 1 is 2, -2 is 3: small numbers of either sign stay short. */
static uint64_t zigzag(int64_t n)
{
	const uint64_t twice = (uint64_t)n << 1;

	return n < 0 ? ~twice : twice;
}

static int64_t unzigzag(uint64_t u)
{
	return (int64_t)(u >> 1 ^ (u & 1 ? UINT64_MAX : 0));
}

static void take_id(struct span *s, struct oid *id)
{
	const uint8_t *p = span_take(s, ID_LEN);

	if (p)
		memcpy(id->b, p, ID_LEN);
}

/* A LEB that must not be over max. */
static uint64_t take_leb(struct span *s, uint64_t max)
{
	const uint64_t v = span_leb(s);

	if (v > max)
		s->bad = true;
	return v;
}

int totals_add(struct totals *a, const struct totals *b)
{
	struct totals sum;

	if (u64_add(a->size, b->size, &sum.size) || u64_add(a->files, b->files, &sum.files) ||
		u64_add(a->dirs, b->dirs, &sum.dirs))
		return STORE_ECORRUPT;
	*a = sum;
	return 0;
}

struct totals entry_totals(const struct entry *e)
{
	struct totals t = { e->totals.size, 1, 0 };

	if (e->kind == ENTRY_DIR) {
		t = e->totals;
		t.dirs++;
	}
	return t;
}

bool entry_is_file(uint8_t kind, const struct file_ref *ref)
{
	const struct entry e = { .kind = kind,
		.height = ref->height,
		.id = ref->id,
		.totals = { ref->size, 1, 0 } };

	return kind != ENTRY_DIR && is_valid_entry(&e);
}

int entry_encode(struct buf *out, const struct entry *e)
{
	if (!is_valid_entry(e))
		return STORE_EINVAL;
	buf_add_u8(out, e->kind);
	buf_add_u8(out, e->height);
	buf_add(out, e->id.b, ID_LEN);
	buf_add_leb(out, e->totals.size);
	if (e->kind == ENTRY_DIR) {
		buf_add_leb(out, e->totals.files);
		buf_add_leb(out, e->totals.dirs);
	}
	return buf_check(out, NULL);
}

int entry_decode(struct span *s, struct entry *e)
{
	memset(e, 0, sizeof(*e));
	e->kind = span_u8(s);
	e->height = span_u8(s);
	take_id(s, &e->id);
	e->totals.size = span_leb(s);
	if (e->kind == ENTRY_DIR) {
		e->totals.files = span_leb(s);
		e->totals.dirs = span_leb(s);
	} else {
		e->totals.files = 1;
	}
	return s->bad || !is_valid_entry(e) ? STORE_ECORRUPT : 0;
}

bool entry_eq(const struct entry *a, const struct entry *b)
{
	if (a->kind != b->kind || a->height != b->height || !id_eq(&a->id, &b->id))
		return false;
	if (a->totals.size != b->totals.size)
		return false;
	return a->kind != ENTRY_DIR ||
		(a->totals.files == b->totals.files && a->totals.dirs == b->totals.dirs);
}

int change_encode(struct buf *out, const struct change *c)
{
	if (!is_valid_change(c))
		return STORE_EINVAL;
	buf_add_u8(out, c->change);
	buf_add_u8(out, c->old_kind);
	buf_add_u8(out, c->new_kind);
	return buf_check(out, NULL);
}

int change_decode(struct span *s, struct change *c)
{
	c->change = span_u8(s);
	c->old_kind = span_u8(s);
	c->new_kind = span_u8(s);
	return s->bad || !is_valid_change(c) ? STORE_ECORRUPT : 0;
}

uint8_t change_between(const struct entry *a, const struct entry *b)
{
	bool is_same;

	if (a->kind == ENTRY_NONE || b->kind == ENTRY_NONE) {
		if (a->kind == b->kind)
			return 0;
		return a->kind == ENTRY_NONE ? CHANGE_ADDED : CHANGE_DELETED;
	}
	if (a->kind == ENTRY_DIR && b->kind == ENTRY_DIR)
		return 0;
	if (a->kind != b->kind && !(is_plain_file(a->kind) && is_plain_file(b->kind)))
		return CHANGE_TYPE;
	/* One id at two heights is two contents: the bytes of a node, and what the node lists. */
	is_same = id_eq(&a->id, &b->id) && a->height == b->height &&
		a->totals.size == b->totals.size;
	if (!is_same)
		return CHANGE_MODIFIED;
	return a->kind == b->kind ? 0 : CHANGE_MODE;
}

int meta_encode(struct buf *out, const struct meta *m)
{
	if (!is_valid_meta(m))
		return STORE_EINVAL;
	buf_add_u8(out, m->flags);
	if (m->flags & META_ATTRS) {
		buf_add_leb(out, m->mode);
		buf_add_leb(out, zigzag(m->mtime_sec));
		buf_add_leb(out, m->mtime_nsec);
	}
	if (m->flags & META_OWNER) {
		buf_add_leb(out, m->uid);
		buf_add_leb(out, m->gid);
	}
	if (m->flags & META_XATTRS) {
		buf_add(out, m->xattrs.id.b, ID_LEN);
		buf_add_u8(out, m->xattrs.height);
		buf_add_leb(out, m->xattrs.size);
	}
	if (m->flags & META_CHILD) {
		buf_add(out, m->child.id.b, ID_LEN);
		buf_add_u8(out, m->child.height);
	}
	return buf_check(out, NULL);
}

int meta_decode(struct span *s, struct meta *m)
{
	memset(m, 0, sizeof(*m));
	m->flags = span_u8(s);
	if (m->flags & META_ATTRS) {
		m->mode = (uint16_t)take_leb(s, 07777);
		m->mtime_sec = unzigzag(span_leb(s));
		m->mtime_nsec = (uint32_t)take_leb(s, NSEC_PER_SEC - 1);
	}
	if (m->flags & META_OWNER) {
		m->uid = (uint32_t)take_leb(s, UINT32_MAX);
		m->gid = (uint32_t)take_leb(s, UINT32_MAX);
	}
	if (m->flags & META_XATTRS) {
		take_id(s, &m->xattrs.id);
		m->xattrs.height = span_u8(s);
		m->xattrs.size = span_leb(s);
	}
	if (m->flags & META_CHILD) {
		take_id(s, &m->child.id);
		m->child.height = span_u8(s);
	}
	return s->bad || !is_valid_meta(m) ? STORE_ECORRUPT : 0;
}

bool meta_same(const struct meta *a, const struct meta *b)
{
	if (!(a->flags & META_ATTRS) || !(b->flags & META_ATTRS))
		return true;
	if (a->mode != b->mode)
		return false;
	if (!(a->flags & META_OWNER) || !(b->flags & META_OWNER))
		return true;
	if (a->uid != b->uid || a->gid != b->gid || ((a->flags ^ b->flags) & META_XATTRS))
		return false;
	return !(a->flags & META_XATTRS) || id_eq(&a->xattrs.id, &b->xattrs.id);
}
