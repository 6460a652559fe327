/*
 * From a path to its entry: one map look-up per name.
 *
 * A map checks its own nodes against each other, but only whoever enters a directory knows what the
 * entry above it promised. So totals that a user is shown are compared with the directory's root
 * node here.
 */
#include "graph/tree.h"

#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/limits.h"
#include "graph/map.h"

/*
 * The first name of the path, which is moved behind it. Length 0 or over the limit: no legal name.
 */
static size_t take_name(const char **path, const char *end)
{
	const char *slash = memchr(*path, '/', (size_t)(end - *path));
	const size_t n = (size_t)((slash ? slash : end) - *path);

	*path += n + (slash != NULL);
	return n;
}

static int missing(int rc, const struct oid *id, struct store_error *err)
{
	char hex[13];

	if (rc != STORE_ENOTFOUND)
		return rc;
	return store_error_set(err, STORE_ECORRUPT, "map node %s is missing (run 'store fsck')",
		id_short(hex, id));
}

int tree_check_dir(const struct node_source *src, const struct entry *dir, struct store_error *err)
{
	const struct map_ref ref = { dir->id, dir->height };
	struct map_totals is;
	char hex[13];
	const int rc = map_totals_of(src, MAP_DIRECTORY, &ref, &is, err);

	if (rc != 0)
		return missing(rc, &dir->id, err);
	if (is.totals.size == dir->totals.size && is.totals.files == dir->totals.files &&
		is.totals.dirs == dir->totals.dirs)
		return 0;
	return store_error_set(err, STORE_ECORRUPT,
		"directory %s holds another number of files or bytes than its entry says",
		id_short(hex, &dir->id));
}

static int decode_entry(const struct buf *value, struct entry *out, struct store_error *err)
{
	struct span s = span_of(value->data, value->len);

	if (entry_decode(&s, out) != 0 || s.bad || span_left(&s) != 0)
		return store_error_set(err, STORE_ECORRUPT, "a directory entry is malformed");
	return 0;
}

int tree_find(const struct node_source *src, const struct entry *top, const char *path, size_t len,
	struct entry *out, struct store_error *err)
{
	const char *end = path + len;
	struct buf value = { 0 };
	int rc = tree_check_dir(src, top, err);

	*out = *top;
	while (rc == 0 && path < end) {
		const struct map_ref ref = { out->id, out->height };
		const char *name = path;
		const size_t n = take_name(&path, end);

		rc = out->kind == ENTRY_DIR && n > 0 && n <= LIMIT_NAME ? 0 : STORE_ENOTFOUND;
		if (rc == 0)
			rc = map_lookup(src, MAP_DIRECTORY, &ref, name, n, &value, err);
		if (rc == 0)
			rc = decode_entry(&value, out, err);
		if (rc == 0 && out->kind == ENTRY_DIR)
			rc = tree_check_dir(src, out, err);
	}
	buf_release(&value);
	return rc;
}

int tree_find_meta(const struct node_source *src, const struct map_ref *top, const char *path,
	size_t len, struct map_ref *out, struct store_error *err)
{
	const char *end = path + len;
	struct buf value = { 0 };
	int rc = 0;

	*out = *top;
	while (rc == 0 && path < end) {
		const char *name = path;
		const size_t n = take_name(&path, end);
		struct meta m;
		struct span s;

		rc = map_lookup(src, MAP_META, out, name, n, &value, err);
		if (rc != 0)
			break;
		s = span_of(value.data, value.len);
		if (meta_decode(&s, &m) != 0 || s.bad)
			rc = store_error_set(err, STORE_ECORRUPT,
				"recorded attributes are malformed");
		else if (!(m.flags & META_CHILD))
			rc = STORE_ENOTFOUND;
		else
			*out = m.child;
	}
	buf_release(&value);
	return rc;
}

int tree_name_dir(int rc, const void *path, size_t len, struct store_error *err)
{
	char shown[200];

	if (rc != STORE_ECORRUPT && rc != STORE_EIO && rc != STORE_EVERSION)
		return rc;
	return store_error_wrap(err, rc, "directory '%s'",
		len > 0 ? quote_msg(shown, sizeof(shown), path, len) : ".");
}
