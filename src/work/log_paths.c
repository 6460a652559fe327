/*
 * Paths of the log. A layer keeps what it changed as a map keyed by path, in which a directory that
 * came or went as a whole is one entry and nothing stands below it. So a path is touched when there
 * is an entry at it or below it, which one search for it finds, or when there is one at a directory
 * above it: then the two trees are asked what stands at the path in each.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/limits.h"
#include "graph/map.h"
#include "graph/rev.h"
#include "graph/tree.h"
#include "work/log_internal.h"
#include "work/view_internal.h"

/* Names of 1 to LIMIT_NAME bytes, one '/' between them. */
static bool is_path(const char *path, size_t len)
{
	size_t start = 0;

	if (len > LIMIT_PATH)
		return false;
	for (size_t i = 0; len > 0 && i <= len; i++) {
		if (i < len && path[i] != '/')
			continue;
		if (i == start || i - start > LIMIT_NAME)
			return false;
		start = i + 1;
	}
	return true;
}

static int add_path(struct log_paths *p, const char *path, struct store_error *err)
{
	size_t len = strlen(path);
	const bool is_dir = len > 1 && path[len - 1] == '/';
	char shown[200];

	if (!is_path(path, len - is_dir))
		return store_error_set(err, STORE_EINVAL, "'%s' is no path",
			quote_msg(shown, sizeof(shown), path, len));
	p->keys[p->count] = strdup(path);
	if (!p->keys[p->count])
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	len -= is_dir;
	for (size_t i = 0; i <= len; i++) {
		if (path[i] == '/')
			p->keys[p->count][i] = '\0';
	}
	p->dirs[p->count] = is_dir;
	p->lens[p->count++] = len;
	return 0;
}

int log_paths_set(struct log_paths *p, const char *const *paths, size_t n, struct store_error *err)
{
	int rc = 0;

	if (n == 0)
		return 0;
	p->keys = calloc(n, sizeof(*p->keys));
	p->lens = calloc(n, sizeof(*p->lens));
	p->dirs = calloc(n, sizeof(*p->dirs));
	if (!p->keys || !p->lens || !p->dirs)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_path(p, paths[i], err);
	return rc;
}

void log_paths_release(struct log_paths *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->keys[i]);
	free(p->keys);
	free(p->lens);
	free(p->dirs);
	*p = (struct log_paths){ 0 };
}

/* ---- one path */

/* One of the paths, as it is looked for in a tree. */
struct place {
	const char *key;
	size_t len;
	bool is_dir;
};

/* What stands at the place in a tree; kind ENTRY_NONE: nothing. */
static int find_entry(const struct node_source *src, const struct layer *l, const struct place *p,
	struct entry *out, struct store_error *err)
{
	const struct entry top = view_top(l);
	char path[LIMIT_PATH];
	int rc;

	for (size_t i = 0; i < p->len; i++)
		path[i] = p->key[i] ? p->key[i] : '/';
	rc = tree_find(src, &top, path, p->len, out, err);
	if (rc == STORE_ENOTFOUND || (rc == 0 && p->is_dir && out->kind != ENTRY_DIR)) {
		*out = (struct entry){ .kind = ENTRY_NONE };
		return 0;
	}
	return rc;
}

/* b NULL: there is nothing before a.  An empty top is as nothing. */
static int differs_at(const struct node_source *src, const struct layer *a, const struct layer *b,
	const struct place *p, bool *yes, struct store_error *err)
{
	struct entry x, y = { .kind = ENTRY_NONE };
	int rc = find_entry(src, a, p, &x, err);

	if (rc == 0 && b)
		rc = find_entry(src, b, p, &y, err);
	if (rc == 0 && !b && p->len == 0)
		*yes = x.totals.files + x.totals.dirs > 0;
	else if (rc == 0)
		*yes = !entry_eq(&x, &y);
	return rc;
}

/*
 * Is there an entry at the place or below it?  It is the first one that is not before the key.
 * *is_below: it is not the place's own.
 */
static int find_below(const struct node_source *src, const struct layer *l, const struct place *p,
	bool *yes, bool *is_below, struct store_error *err)
{
	struct map_cursor *c = map_cursor_new(src, MAP_CHANGES, &l->changes);
	struct map_item item = { 0 };
	int rc;

	if (!c)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = map_cursor_seek(c, p->key, p->len, err);
	if (rc == 0)
		rc = map_cursor_next(c, &item, err);
	*yes = rc == 0 && item.key_len >= p->len && memcmp(item.key, p->key, p->len) == 0 &&
		(item.key_len == p->len || p->len == 0 || item.key[p->len] == '\0');
	*is_below = *yes && item.key_len > p->len;
	map_cursor_free(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Is there an entry at a directory above the place?  None stands at the top but in a first layer.
 */
static int find_above(const struct node_source *src, const struct layer *l, const struct place *p,
	bool *yes, struct store_error *err)
{
	struct buf value = { 0 };
	int rc = STORE_ENOTFOUND;

	for (size_t i = p->len; rc == STORE_ENOTFOUND && i-- > 1;) {
		if (p->key[i] == '\0')
			rc = map_lookup(src, MAP_CHANGES, &l->changes, p->key, i, &value, err);
	}
	buf_release(&value);
	*yes = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int changed_at(const struct node_source *src, const struct layer *l, const struct place *p,
	bool *yes, struct store_error *err)
{
	struct layer before;
	bool is_below = false;
	int rc;

	if (!l->has_parent)
		return differs_at(src, l, NULL, p, yes, err);
	rc = find_below(src, l, p, yes, &is_below, err);
	/* An entry of its own may be that of a file: then the trees tell. */
	if (rc != 0 || (*yes && (is_below || !p->is_dir)))
		return rc;
	if (!*yes)
		rc = find_above(src, l, p, yes, err);
	if (rc != 0 || !*yes)
		return rc;
	rc = rev_read_layer(src, &l->parent, &before, err);
	return rc == 0 ? differs_at(src, l, &before, p, yes, err) : rc;
}

static struct place place_of(const struct log_paths *p, size_t i)
{
	return (struct place){ p->keys[i], p->lens[i], p->dirs[i] };
}

int log_paths_changed(const struct log_paths *p, const struct node_source *src,
	const struct layer *l, bool *yes, struct store_error *err)
{
	int rc = 0;

	*yes = false;
	for (size_t i = 0; rc == 0 && !*yes && i < p->count; i++) {
		const struct place place = place_of(p, i);

		rc = changed_at(src, l, &place, yes, err);
	}
	return rc;
}

int log_paths_differ(const struct log_paths *p, const struct node_source *src,
	const struct layer *a, const struct layer *b, bool *yes, struct store_error *err)
{
	int rc = 0;

	*yes = false;
	for (size_t i = 0; rc == 0 && !*yes && i < p->count; i++) {
		const struct place place = place_of(p, i);

		rc = differs_at(src, a, b, &place, yes, err);
	}
	return rc;
}
