/*
 * Trees as rows of the stage: what a `reset` in a stage record asks for. Content and attributes are
 * read side by side, directory by directory; each directory gets its maps as cached roots, so
 * nothing of it is dirty and the next commit builds only what changes after.
 *
 * Memory: of the directories on the way down the lowest KEPT have their nodes; others are opened
 * again behind the name that was seen last in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "data/hash.h"
#include "graph/stage.h"
#include "work/rebuild_internal.h"

/* ---- objects */

int rebuild_source_init(struct rebuild_source *s, struct rebuild *r, struct store_error *err)
{
	s->rebuild = r;
	s->pack = s->off = s->objects = s->bytes = 0;
	return fsck_decoder_init(&s->decoder, err);
}

void rebuild_source_release(struct rebuild_source *s)
{
	fsck_decoder_release(&s->decoder);
}

static int read_block(struct rebuild_source *s, const struct odb_loc *loc, struct store_error *err)
{
	const struct fsck_pack *p = fsck_find_pack(s->rebuild->packs, loc->pack);
	struct fsck_file file = { .fd = -1, .blocks_end = UINT64_MAX };
	struct pack_block_info info;
	int rc;

	if (s->pack == loc->pack && s->off == loc->block_off)
		return 0;
	s->pack = 0;
	if (!p)
		return store_error_set(err, STORE_ECORRUPT, "a pack is missing");
	pack_name(file.name, p->number, p->random);
	file.fd = openat(odb_packs_fd(s->rebuild->odb), file.name,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file.fd == -1)
		return store_error_sys(err, "cannot open 'packs/%s'", file.name);
	rc = fsck_file_block(&file, loc->block_off, &info, err);
	if (rc == 0)
		rc = fsck_decode(&s->decoder, &file, loc->block_off, &info, err);
	io_close(&file.fd);
	if (rc == 0) {
		s->pack = loc->pack;
		s->off = loc->block_off;
		s->bytes += info.plain;
	}
	return rc;
}

static int get(void *ctx, const struct oid *id, struct buf *out, struct store_error *err)
{
	struct rebuild_source *s = ctx;
	struct odb_loc loc;
	struct env_val v;
	struct oid is;
	int rc = env_get(s->rebuild->txn, ENV_OBJECTS, id->b, ID_LEN, &v, err);

	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_ENOTFOUND, "an object is in no pack");
	if (rc == 0)
		rc = odb_row_decode(v.data, v.len, &loc, err);
	if (rc != 0)
		return rc;
	rc = read_block(s, &loc, err);
	/* Whoever asked goes on without it; a failure of the new database is another thing. */
	if (rc != 0)
		return fsck_is_damage(rc) ? STORE_ECORRUPT : rc;
	s->objects++;
	if ((uint64_t)loc.off + loc.len > s->decoder.plain.len)
		return store_error_set(err, STORE_ECORRUPT, "object lies beyond its block");
	if (buf_set(out, s->decoder.plain.data + loc.off, loc.len) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	hash_once(s->decoder.hash, out->data, out->len, &is);
	return id_eq(&is, id) ? 0
			      : store_error_set(err, STORE_ECORRUPT,
					"an object has other bytes than its id says");
}

struct node_source rebuild_source_nodes(struct rebuild_source *s)
{
	return (struct node_source){ get, s };
}

/* ---- trees */

#define KEPT 16

struct level {
	struct map_cursor *content, *meta; /* NULL: closed, or there is no meta */
	struct map_ref root, meta_root;
	bool has_meta;
	uint64_t dir;
	size_t path_len;
	uint8_t name[LIMIT_NAME]; /* seen last in content */
	size_t name_len;
	struct buf meta_key; /* the item the meta cursor stands at, copied */
	struct buf meta_value;
	bool has_meta_item;
};

struct tree {
	struct rebuild *rebuild;
	const struct node_source *src;
	uint64_t number;
	struct level *levels;
	size_t depth, cap;
	struct buf value;
};

static int next_meta(struct level *l, struct store_error *err)
{
	struct map_item item;
	const int rc = l->meta ? map_cursor_next(l->meta, &item, err) : STORE_ENOTFOUND;

	l->has_meta_item = rc == 0;
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	buf_set(&l->meta_key, item.key, item.key_len);
	buf_set(&l->meta_value, item.value, item.value_len);
	return l->meta_key.failed || l->meta_value.failed
		? store_error_set(err, STORE_ENOMEM, "out of memory")
		: 0;
}

static int key_cmp(const struct buf *a, const void *b, size_t b_len)
{
	const int c = memcmp(a->data ? a->data : (const uint8_t *)"", b,
		a->len < b_len ? a->len : b_len);

	return c != 0 ? c : a->len < b_len ? -1 : a->len > b_len;
}

/* Attributes of the entry called so: into t->value without the child map, which is *child. */
static int find_meta(struct tree *t, struct level *l, const void *name, size_t len, bool *has_child,
	struct map_ref *child, struct store_error *err)
{
	struct meta m = { 0 };
	struct span s;
	int rc = 0;

	*has_child = false;
	buf_clear(&t->value);
	while (rc == 0 && l->has_meta_item && key_cmp(&l->meta_key, name, len) < 0)
		rc = next_meta(l, err);
	if (rc != 0 || !l->has_meta_item || key_cmp(&l->meta_key, name, len) != 0)
		return rc;
	s = span_of(l->meta_value.data, l->meta_value.len);
	if (meta_decode(&s, &m) != 0)
		return store_error_set(err, STORE_ECORRUPT, "recorded attributes are malformed");
	*has_child = m.flags & META_CHILD;
	*child = m.child;
	m.flags &= (uint8_t)~META_CHILD;
	return m.flags == 0 || meta_encode(&t->value, &m) == 0
		? 0
		: store_error_set(err, STORE_ENOMEM, "out of memory");
}

static void close_level(struct level *l)
{
	map_cursor_free(l->content);
	map_cursor_free(l->meta);
	l->content = l->meta = NULL;
	buf_release(&l->meta_key);
	buf_release(&l->meta_value);
	l->has_meta_item = false;
}

/* Behind the name that was seen last. */
static int open_level(struct tree *t, struct level *l, struct store_error *err)
{
	struct map_item item;
	int rc = 0;

	l->content = map_cursor_new(t->src, MAP_DIRECTORY, &l->root);
	l->meta = l->has_meta ? map_cursor_new(t->src, MAP_META, &l->meta_root) : NULL;
	if (!l->content || (l->has_meta && !l->meta))
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (l->name_len > 0) {
		rc = map_cursor_seek(l->content, l->name, l->name_len, err);
		if (rc == 0)
			rc = map_cursor_next(l->content, &item, err);
		if (rc == 0 && l->meta)
			rc = map_cursor_seek(l->meta, l->name, l->name_len, err);
	}
	return rc == 0 ? next_meta(l, err) : rc;
}

static int enter(struct tree *t, const struct entry *root, const struct map_ref *meta,
	size_t path_len, uint64_t *dir, struct store_error *err)
{
	struct stage_dir cached = { .generation = t->number,
		.has_root = true,
		.root = *root,
		.has_meta = meta != NULL };
	struct level *l;
	int rc;

	if (t->depth > LIMIT_DEPTH)
		return store_error_set(err, STORE_ECORRUPT, "directories are nested deeper than %d",
			LIMIT_DEPTH);
	if (mem_grow(&t->levels, &t->cap, t->depth + 1, sizeof(*t->levels)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (meta)
		cached.meta = *meta;
	rc = stage_fresh(t->rebuild->txn, dir, err);
	if (rc == 0)
		rc = stage_set_dir(t->rebuild->txn, *dir, &cached, err);
	if (rc != 0)
		return rc;
	if (t->depth >= KEPT)
		close_level(&t->levels[t->depth - KEPT]);
	l = &t->levels[t->depth++];
	*l = (struct level){ .root = { root->id, root->height },
		.has_meta = meta != NULL,
		.dir = *dir,
		.path_len = path_len };
	if (meta)
		l->meta_root = *meta;
	return open_level(t, l, err);
}

static void leave(struct tree *t)
{
	close_level(&t->levels[--t->depth]);
}

/* A tree that cannot be read to its end is led to by no name, and is swept. */
static void bury(struct tree *t, uint64_t dir)
{
	if (dir != 0)
		stage_bury(t->rebuild->txn, dir, 0, NULL);
}

static int put_entry(struct tree *t, const struct map_item *item, struct store_error *err)
{
	struct level *l = &t->levels[t->depth - 1];
	const uint64_t dir = l->dir;
	struct span s = span_of(item->value, item->value_len);
	struct stage_row row = { 0 };
	uint8_t name[LIMIT_NAME];
	const size_t len = item->key_len, path_len = l->path_len + (l->path_len > 0) + len;
	struct map_ref child_meta;
	bool has_child;
	struct entry e;
	int rc;

	if (entry_decode(&s, &e) != 0 || len > sizeof(name))
		return store_error_set(err, STORE_ECORRUPT, "a directory entry is malformed");
	if (path_len > LIMIT_PATH)
		return store_error_set(err, STORE_ECORRUPT,
			"a path of the tree is longer than %d bytes", LIMIT_PATH);
	/* The levels may move when one is added. */
	memcpy(name, item->key, len);
	memcpy(l->name, name, len);
	l->name_len = len;
	rc = find_meta(t, l, name, len, &has_child, &child_meta, err);
	if (rc != 0)
		return rc;
	row.kind = e.kind;
	row.meta = t->value.data;
	row.meta_len = t->value.len;
	row.ref = (struct file_ref){ e.id, e.height, e.totals.size };
	if (e.kind == ENTRY_DIR) {
		rc = enter(t, &e, has_child ? &child_meta : NULL, path_len, &row.dir, err);
		if (rc != 0)
			bury(t, row.dir);
	} else if (e.kind != ENTRY_LINK) {
		row.class = (uint8_t)format_class_of(odb_format(t->rebuild->odb), e.totals.size);
	}
	if (rc == 0)
		rc = stage_put(t->rebuild->txn, dir, name, len, &row, err);
	return rc == 0 ? rebuild_wrote(t->rebuild, 2, err) : rc;
}

int rebuild_tree(struct rebuild *r, const struct node_source *src, const struct map_ref *root,
	const struct map_ref *meta, size_t path_len, uint64_t number, uint64_t *dir,
	struct store_error *err)
{
	struct tree t = { .rebuild = r, .src = src, .number = number };
	struct entry top = { .kind = ENTRY_DIR, .id = root->id, .height = root->height };
	struct map_totals totals;
	int rc = map_totals_of(src, MAP_DIRECTORY, root, &totals, err);

	*dir = 0;
	if (rc == 0) {
		top.totals = totals.totals;
		rc = enter(&t, &top, meta, path_len, dir, err);
	}
	while (rc == 0 && t.depth > 0) {
		struct level *l = &t.levels[t.depth - 1];
		struct map_item item;

		rc = l->content ? 0 : open_level(&t, l, err);
		if (rc == 0)
			rc = map_cursor_next(l->content, &item, err);
		if (rc == 0) {
			rc = put_entry(&t, &item, err);
		} else if (rc == STORE_ENOTFOUND) {
			leave(&t);
			rc = 0;
		}
	}
	while (t.depth > 0)
		leave(&t);
	free(t.levels);
	buf_release(&t.value);
	if (rc != 0)
		bury(&t, *dir);
	return rc == STORE_ENOTFOUND
		? store_error_set(err, STORE_ECORRUPT, "an object of the tree is in no pack")
		: rc;
}
