/*
 * Operations of stage records as bytes. Records are hostile like everything on disk, so an
 * operation is checked whole before anybody acts on it.
 */
#include <string.h>

#include "base/bytes.h"
#include "data/limits.h"
#include "work/rebuild_internal.h"

static bool name_ok(const uint8_t *p, size_t len)
{
	if (len == 0 || len > LIMIT_NAME || memchr(p, '/', len))
		return false;
	return !(p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.')));
}

/* A path of the record, its NULs made slashes. */
static bool take_path(struct span *s, struct buf *out)
{
	const uint64_t len = span_leb(s);
	const uint8_t *p = len <= LIMIT_PATH ? span_take(s, (size_t)len) : NULL;
	size_t from = 0;

	buf_clear(out);
	if (!p || buf_add(out, p, (size_t)len) != 0)
		return false;
	for (size_t i = 0; i <= len && len > 0; i++) {
		if (i < len && p[i] != 0)
			continue;
		if (!name_ok(p + from, i - from))
			return false;
		if (i < len)
			out->data[i] = '/';
		from = i + 1;
	}
	return true;
}

static void take_id(struct span *s, struct oid *out)
{
	const uint8_t *p = span_take(s, ID_LEN);

	if (p)
		memcpy(out->b, p, ID_LEN);
}

static bool meta_ok(const uint8_t *p, size_t len)
{
	struct span s = span_of(p, len);
	struct meta m = { 0 };

	return len == 0 ||
		(meta_decode(&s, &m) == 0 && span_left(&s) == 0 && !(m.flags & META_CHILD));
}

static bool take_set(struct span *s, const struct store_format *format, struct rebuild_op *o)
{
	struct stage_row *row = &o->row;
	uint64_t len;

	row->kind = span_u8(s);
	if (row->kind != ENTRY_DIR) {
		row->class = span_u8(s);
		row->ref.height = span_u8(s);
		take_id(s, &row->ref.id);
		row->ref.size = span_leb(s);
	}
	len = span_leb(s);
	row->meta = len <= span_left(s) ? span_take(s, (size_t)len) : NULL;
	row->meta_len = (size_t)len;
	if (s->bad || !row->meta || !meta_ok(row->meta, row->meta_len))
		return false;
	if (row->kind == ENTRY_DIR)
		return true;
	return o->path.len > 0 && row->class <= format->class_count &&
		entry_is_file(row->kind, &row->ref);
}

static bool take_reset(struct span *s, struct rebuild_op *o)
{
	uint8_t has_meta;

	o->root.height = span_u8(s);
	take_id(s, &o->root.id);
	has_meta = span_u8(s);
	o->has_meta = has_meta == 1;
	if (o->has_meta) {
		o->meta.height = span_u8(s);
		take_id(s, &o->meta.id);
	}
	return !s->bad && has_meta <= 1 && o->root.height < LIMIT_LEVEL &&
		o->meta.height < LIMIT_LEVEL;
}

bool rebuild_take_op(struct span *s, const struct store_format *format, struct rebuild_op *o)
{
	o->kind = span_u8(s);
	o->row = (struct stage_row){ 0 };
	o->root = o->meta = (struct map_ref){ 0 };
	o->has_meta = false;
	if (!take_path(s, &o->path))
		return false;
	switch (o->kind) {
	case STAGE_SET:
		return take_set(s, format, o);
	case STAGE_DELETE:
		return !s->bad;
	case STAGE_MOVE:
		return take_path(s, &o->to) && o->path.len > 0 && o->to.len > 0;
	case STAGE_RESET:
		return take_reset(s, o);
	default:
		return false;
	}
}
