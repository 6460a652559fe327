/*
 * Listing a tree: a stack of directories, each with a cursor over its map and one over its recorded
 * attributes, which have the same names and are walked in step.
 *
 * A cursor holds a node per level, and a tree may be 2,048 directories deep, so only the innermost
 * OPEN_MAX directories keep theirs; one further out gives them up and finds its place again by name
 * when the walk comes back to it. The name needs no room of its own: it stands in the path.
 *
 * The stage has no maps before it is committed, so it is listed from its rows: list_stage.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/quote.h"
#include "graph/map.h"
#include "graph/stage.h"
#include "graph/tree.h"
#include "work/list_internal.h"
#include "work/view_internal.h"

#define OPEN_MAX_DIRS 32

struct level {
	struct map_ref map, meta;
	bool has_meta;
	size_t path_len; /* of the directory in `path`, its '/' included; 0 for the one listed */
	size_t name_len; /* of the entry given last, which stands behind it; 0: none yet */
	struct map_cursor *cursor, *meta_cursor; /* NULL: given up, or not yet opened */
	struct map_item meta_item;
	bool has_item; /* meta_item is the next one, not yet passed */
};

struct store_tree_iter {
	struct list_stage *staged; /* of the stage; then nothing below is used */
	struct node_source src;
	bool recursive;
	struct level *levels; /* count of them, the innermost last */
	size_t count, cap;
	struct buf top;  /* path of the directory listed */
	struct buf path; /* of the entry given last, from there on */
	bool enter;      /* the entry given last is a directory to go into */
	struct entry last;
	struct meta last_meta;
	bool last_has_meta;
};

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

static void close_level(struct level *l)
{
	map_cursor_free(l->cursor);
	map_cursor_free(l->meta_cursor);
	l->cursor = l->meta_cursor = NULL;
	l->has_item = false;
}

/* Open the cursors and stand behind the entry given last. */
static int open_level(struct store_tree_iter *it, struct level *l, struct store_error *err)
{
	const uint8_t *name = buf_from(&it->path, l->path_len);
	struct map_item item;
	int rc = 0;

	l->cursor = map_cursor_new(&it->src, MAP_DIRECTORY, &l->map);
	if (l->has_meta)
		l->meta_cursor = map_cursor_new(&it->src, MAP_META, &l->meta);
	if (!l->cursor || (l->has_meta && !l->meta_cursor))
		return out_of_memory(err);
	if (l->name_len == 0)
		return 0;
	rc = map_cursor_seek(l->cursor, name, l->name_len, err);
	if (rc == 0)
		rc = map_cursor_next(l->cursor, &item, err);
	if (rc == 0 && l->meta_cursor)
		rc = map_cursor_seek(l->meta_cursor, name, l->name_len, err);
	return rc;
}

static int push_level(struct store_tree_iter *it, const struct entry *dir,
	const struct map_ref *meta, struct store_error *err)
{
	struct level *l;
	int rc = tree_check_dir(&it->src, dir, err);

	if (rc != 0)
		return rc;
	if (it->count > LIMIT_DEPTH)
		return store_error_set(err, STORE_ECORRUPT,
			"the tree is deeper than %d directories", LIMIT_DEPTH);
	if (mem_grow(&it->levels, &it->cap, it->count + 1, sizeof(*it->levels)) != 0)
		return out_of_memory(err);
	if (it->count >= OPEN_MAX_DIRS)
		close_level(&it->levels[it->count - OPEN_MAX_DIRS]);
	l = &it->levels[it->count++];
	memset(l, 0, sizeof(*l));
	l->map = (struct map_ref){ dir->id, dir->height };
	l->has_meta = meta != NULL;
	if (meta)
		l->meta = *meta;
	l->path_len = it->path.len;
	return 0;
}

/* Byte order of names, as in maps. */
static int compare(const struct map_item *item, const void *name, size_t len)
{
	const int c = memcmp(item->key, name, item->key_len < len ? item->key_len : len);

	return c != 0 ? c : item->key_len < len ? -1 : item->key_len > len;
}

/* The recorded attributes of the entry name, if there are any; names ascend from call to call. */
static int take_meta(struct store_tree_iter *it, struct level *l, const void *name, size_t len,
	struct store_error *err)
{
	struct span s;
	int rc = 0;

	it->last_has_meta = false;
	while (l->meta_cursor) {
		if (!l->has_item)
			rc = map_cursor_next(l->meta_cursor, &l->meta_item, err);
		if (rc != 0)
			return rc == STORE_ENOTFOUND ? 0 : rc;
		l->has_item = true;
		if (compare(&l->meta_item, name, len) >= 0)
			break;
		l->has_item = false;
	}
	if (!l->has_item || compare(&l->meta_item, name, len) != 0)
		return 0;
	s = span_of(l->meta_item.value, l->meta_item.value_len);
	if (meta_decode(&s, &it->last_meta) != 0)
		return store_error_set(err, STORE_ECORRUPT, "recorded attributes are malformed");
	it->last_has_meta = true;
	return 0;
}

/* Go into the directory that was given last. */
static int enter(struct store_tree_iter *it, struct store_error *err)
{
	const bool has_child = it->last_has_meta && (it->last_meta.flags & META_CHILD);
	const struct entry dir = it->last;
	const struct map_ref meta = it->last_meta.child;

	it->enter = false;
	if (buf_add_u8(&it->path, '/') != 0)
		return out_of_memory(err);
	return push_level(it, &dir, has_child ? &meta : NULL, err);
}

static int take_entry(struct store_tree_iter *it, struct level *l, const struct map_item *item,
	struct store_error *err)
{
	struct span s = span_of(item->value, item->value_len);
	int rc;

	if (entry_decode(&s, &it->last) != 0)
		return store_error_set(err, STORE_ECORRUPT, "a directory entry is malformed");
	it->path.len = l->path_len;
	buf_add(&it->path, item->key, item->key_len);
	if (it->path.failed || !buf_str(&it->path))
		return out_of_memory(err);
	l->name_len = item->key_len;
	rc = take_meta(it, l, item->key, item->key_len, err);
	it->enter = it->recursive && it->last.kind == ENTRY_DIR;
	return rc;
}

static void fill(const struct store_tree_iter *it, struct store_tree_entry *entry)
{
	*entry = (struct store_tree_entry){ .path = (const char *)it->path.data,
		.node = view_node(&it->last) };
	if (it->last_has_meta && (it->last_meta.flags & META_ATTRS)) {
		entry->has_meta = 1;
		entry->mode = it->last_meta.mode;
		entry->mtime = it->last_meta.mtime_sec;
	}
}

/* Damage in the directory whose path ends at len, its '/' included. */
static int name_dir(const struct store_tree_iter *it, int rc, size_t len, struct store_error *err)
{
	struct buf path = { 0 };

	buf_set(&path, it->top.data, it->top.len);
	if (path.len > 0 && len > 0)
		buf_add_u8(&path, '/');
	buf_add(&path, it->path.data, len > 0 ? len - 1 : 0);
	if (!path.failed)
		tree_name_dir(rc, path.data, path.len, err);
	buf_release(&path);
	return rc;
}

/* The next entry of the innermost directory. */
static int next_entry(struct store_tree_iter *it, struct store_error *err)
{
	struct level *l = &it->levels[it->count - 1];
	struct map_item item;
	int rc = l->cursor ? 0 : open_level(it, l, err);

	if (rc == 0)
		rc = map_cursor_next(l->cursor, &item, err);
	if (rc == 0)
		rc = take_entry(it, l, &item, err);
	return rc == 0 || rc == STORE_ENOTFOUND ? rc : name_dir(it, rc, l->path_len, err);
}

int store_tree_next(struct store_tree_iter *it, struct store_tree_entry *entry,
	struct store_error *err)
{
	int rc;

	if (it->staged)
		return list_stage_next(it->staged, entry, err);
	rc = it->enter ? enter(it, err) : 0;
	if (rc != 0)
		return name_dir(it, rc, it->path.len, err);
	while (it->count > 0) {
		struct level *l = &it->levels[it->count - 1];

		rc = next_entry(it, err);
		if (rc == 0)
			fill(it, entry);
		if (rc != STORE_ENOTFOUND)
			return rc;
		close_level(l);
		/* Back to the name of this directory, without its '/'. */
		it->path.len = l->path_len > 0 ? l->path_len - 1 : 0;
		it->count--;
	}
	return STORE_ENOTFOUND;
}

/* The map of attributes recorded for what stands in the directory at path, path_len bytes of it. */
static int find_meta(struct store_repo *repo, const struct store_target *t, size_t path_len,
	struct map_ref *out, struct store_error *err)
{
	const struct node_source src = repo_nodes(repo);
	const struct oid id = view_oid(&t->commit);
	struct buf data = { 0 };
	struct commit c;
	int rc = repo_read_commit(repo, &id, &data, &c, err);

	if (rc == 0 && !c.has_meta)
		rc = STORE_ENOTFOUND;
	else if (rc == 0)
		rc = tree_find_meta(&src, &c.meta, t->path, path_len, out, err);
	buf_release(&data);
	return rc;
}

static int open_commit(struct store_tree_iter *it, struct store_repo *repo,
	const struct store_target *target, struct store_error *err)
{
	const struct entry top = { .kind = ENTRY_DIR,
		.height = target->node.height,
		.id = view_oid(&target->node.id),
		.totals = { target->node.size, target->node.files, target->node.dirs } };
	struct map_ref meta;
	int rc = find_meta(repo, target, strlen(target->path), &meta, err);

	if (buf_set(&it->top, target->path, strlen(target->path)) != 0)
		return out_of_memory(err);
	it->src = repo_nodes(repo);
	if (rc == 0 || rc == STORE_ENOTFOUND)
		rc = push_level(it, &top, rc == 0 ? &meta : NULL, err);
	return rc == 0 ? 0 : name_dir(it, rc, 0, err);
}

int store_tree_open(struct store_repo *repo, const struct store_target *target, int recursive,
	struct store_tree_iter **out, struct store_error *err)
{
	char shown[200];
	struct store_tree_iter *it;
	int rc;

	*out = NULL;
	if (target->node.kind != STORE_KIND_DIR)
		return store_error_set(err, STORE_EINVAL, "'%s' is not a directory",
			quote_msg(shown, sizeof(shown), target->path, strlen(target->path)));
	it = calloc(1, sizeof(*it));
	if (!it)
		return out_of_memory(err);
	it->recursive = recursive != 0;
	if (target->has_commit)
		rc = open_commit(it, repo, target, err);
	else
		rc = list_stage_new(&it->staged, repo, target->path, it->recursive, err);
	if (rc != 0) {
		store_tree_free(it);
		return rc;
	}
	*out = it;
	return 0;
}

void store_tree_free(struct store_tree_iter *it)
{
	if (!it)
		return;
	for (size_t i = 0; i < it->count; i++)
		close_level(&it->levels[i]);
	list_stage_free(it->staged);
	free(it->levels);
	buf_release(&it->top);
	buf_release(&it->path);
	free(it);
}

/* ---- one entry */

/* An item of the map of attributes of the directory above; the top's own has the empty key. */
static int read_meta(struct store_repo *repo, const struct store_target *t, struct buf *value,
	struct store_error *err)
{
	const struct node_source src = repo_nodes(repo);
	const char *slash = strrchr(t->path, '/');
	const char *name = slash ? slash + 1 : t->path;
	struct map_ref map;
	int rc = find_meta(repo, t, slash ? (size_t)(slash - t->path) : 0, &map, err);

	if (rc == 0)
		rc = map_lookup(&src, MAP_META, &map, name, strlen(name), value, err);
	return rc;
}

static int read_staged_meta(struct store_repo *repo, const struct store_target *t,
	struct buf *value, struct store_error *err)
{
	struct stage_row row = { 0 };
	struct view v;
	int rc = view_begin(&v, repo, err);

	if (rc == 0)
		rc = stage_find(v.txn, t->path, strlen(t->path), &row, err);
	if (rc == 0 && *t->path == '\0')
		rc = stage_get(v.txn, row.dir, "", 0, &row, err);
	if (rc == 0 && buf_set(value, row.meta, row.meta_len) != 0)
		rc = out_of_memory(err);
	view_end(&v);
	return rc;
}

int store_target_entry(struct store_repo *repo, const struct store_target *target,
	struct store_tree_entry *out, struct store_error *err)
{
	struct buf value = { 0 };
	int rc;

	*out = (struct store_tree_entry){ .path = target->path, .node = target->node };
	rc = target->has_commit ? read_meta(repo, target, &value, err)
				: read_staged_meta(repo, target, &value, err);
	if (rc == 0)
		rc = view_set_meta(out, value.data, value.len, err);
	buf_release(&value);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}
