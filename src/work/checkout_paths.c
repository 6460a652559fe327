/*
 * Which paths a checkout is about: the whole of the target, or the ones that were named, found in
 * the tree and in its recorded attributes. The plan and the writing of `to` begin here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/quote.h"
#include "graph/tree.h"
#include "work/checkout_internal.h"

static const struct entry nothing = { .kind = ENTRY_NONE };

static const struct map_ref *meta_of(const struct checkout *c)
{
	return c->has_meta ? &c->meta : NULL;
}

static int decide_walk(struct checkout *c, struct checkout_walk *w, bool exact,
	struct store_error *err)
{
	return c->way->rows_only ? checkout_plan_rows(c, w, err)
				 : checkout_plan_walk(c, w, exact, err);
}

static int plan_whole(struct checkout *c, struct store_error *err)
{
	const bool exact = checkout_is_exact(c);
	struct checkout_walk *w = checkout_walk_new(&c->nodes,
		exact ? CHECKOUT_ALL : CHECKOUT_CHANGES, c->txn);
	int rc;

	if (!w)
		return checkout_no_memory(err);
	rc = checkout_walk_begin(w, "", c->has_head ? &c->head : &nothing, &c->target, meta_of(c),
		c->stage_root, err);
	if (rc == 0)
		rc = decide_walk(c, w, exact, err);
	checkout_walk_free(w);
	if (rc == 0 && !exact)
		rc = checkout_plan_attributes(c, err);
	return rc == 0 ? checkout_plan_top(c, exact, err) : rc;
}

/* What the stage has at path; where it stands for the target it has to be there. */
static int find_staged(struct checkout *c, const char *path, size_t len, struct entry *e,
	struct store_error *err)
{
	struct stage_row row;
	char shown[300];
	int rc = stage_find(c->txn, path, len, &row, err);

	memset(e, 0, sizeof(*e));
	if (rc == STORE_ENOTFOUND && c->way->from_stage)
		return store_error_set(err, rc, "path '%s' is not tracked",
			quote_msg(shown, sizeof(shown), path, len));
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	e->kind = row.kind;
	if (row.kind == ENTRY_DIR)
		return 0;
	e->id = row.ref.id;
	e->height = row.ref.height;
	e->totals = (struct totals){ .size = row.ref.size, .files = 1 };
	return 0;
}

/*
 * Find path in the target; *has_meta: there is a map with the attributes of its siblings (of the
 * top: of its entries).
 */
static int find_target(struct checkout *c, const char *path, size_t len, struct entry *e,
	struct map_ref *meta, bool *has_meta, struct store_error *err)
{
	const char *slash = memrchr(path, '/', len);
	char shown[300], hex[13];
	bool is_tracked;
	int rc = 0;

	*has_meta = false;
	memset(e, 0, sizeof(*e));
	if (c->way->from_stage || c->way->removes)
		rc = find_staged(c, path, len, e, err);
	if (rc != 0 || c->way->from_stage)
		return rc;
	is_tracked = e->kind != ENTRY_NONE;
	rc = tree_find(&c->nodes, &c->target, path, len, e, err);
	if (rc == STORE_ENOTFOUND && is_tracked && c->way->removes) {
		memset(e, 0, sizeof(*e));
		return 0;
	}
	if (rc == STORE_ENOTFOUND && c->way->removes)
		return store_error_set(err, rc, "path '%s' is neither tracked nor in %s",
			quote_msg(shown, sizeof(shown), path, len),
			c->has_commit ? id_short(hex, &c->commit) : "a commit");
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, rc, "path '%s' is not in %s",
			quote_msg(shown, sizeof(shown), path, len), id_short(hex, &c->commit));
	if (rc != 0 || !c->has_meta)
		return rc;
	rc = tree_find_meta(&c->nodes, &c->meta, path, slash ? (size_t)(slash - path) : 0, meta,
		err);
	*has_meta = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int checkout_find_meta(struct checkout *c, const char *path, size_t len, struct buf *out,
	struct store_error *err)
{
	const char *slash = memrchr(path, '/', len);
	const size_t above = slash ? (size_t)(slash - path) : 0, name = slash ? above + 1 : 0;
	struct buf value = { 0 };
	struct map_ref map;
	struct meta m;
	struct span s;
	int rc = STORE_ENOTFOUND;

	buf_clear(out);
	if (c->has_meta)
		rc = tree_find_meta(&c->nodes, &c->meta, path, above, &map, err);
	if (rc == 0)
		rc = map_lookup(&c->nodes, MAP_META, &map, path + name, len - name, &value, err);
	s = span_of(value.data, value.len);
	if (rc == 0 && (meta_decode(&s, &m) != 0 || s.bad))
		rc = store_error_set(err, STORE_ECORRUPT, "recorded attributes are malformed");
	if (rc == 0) {
		m.flags &= (uint8_t)~META_CHILD;
		rc = m.flags == 0 || meta_encode(out, &m) == 0 ? 0 : checkout_no_memory(err);
	}
	buf_release(&value);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Number of the rows around path, 0: there are none. */
static int find_stage_dir(struct checkout *c, const char *path, uint64_t *dir,
	struct store_error *err)
{
	const char *slash = strrchr(path, '/');
	struct stage_row row;
	int rc = stage_find(c->txn, path, slash ? (size_t)(slash - path) : 0, &row, err);

	*dir = rc == 0 && row.kind == ENTRY_DIR ? row.dir : 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int plan_path(struct checkout *c, const char *path, struct store_error *err)
{
	struct checkout_walk *w = checkout_walk_new(&c->nodes,
		c->way->from_stage        ? CHECKOUT_STAGED
			: c->way->removes ? CHECKOUT_ALL
					  : CHECKOUT_TARGET,
		c->txn);
	struct map_ref meta;
	struct entry e;
	bool has_meta;
	uint64_t stage_dir;
	int rc = w ? 0 : checkout_no_memory(err);

	if (rc == 0)
		rc = find_target(c, path, strlen(path), &e, &meta, &has_meta, err);
	/* Directories above what goes are as they are. */
	if (rc == 0)
		rc = e.kind == ENTRY_NONE ? find_stage_dir(c, path, &stage_dir, err)
					  : checkout_plan_parents(c, path, &stage_dir, err);
	if (rc == 0)
		rc = checkout_walk_begin(w, path, &nothing, &e, has_meta ? &meta : NULL, stage_dir,
			err);
	if (rc == 0)
		rc = decide_walk(c, w, true, err);
	checkout_walk_free(w);
	return rc == 0 && *path == '\0' && !c->way->from_stage ? checkout_plan_top(c, true, err)
							       : rc;
}

static int check_paths(struct checkout *c, struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->options->n_paths && rc == 0; i++) {
		const char *path = c->options->paths[i];
		struct map_ref meta;
		struct entry e;
		bool has_meta;

		rc = find_target(c, path, strlen(path), &e, &meta, &has_meta, err);
	}
	return rc;
}

static int rank(char c)
{
	return c == '/' ? 1 : c ? 2 + (uint8_t)c : 0;
}

int checkout_by_path(const void *a, const void *b)
{
	const char *p = *(const char *const *)a, *q = *(const char *const *)b;

	while (*p && *p == *q)
		p++, q++;
	return rank(*p) - rank(*q);
}

bool checkout_is_within(const char *path, const char *above)
{
	const size_t n = strlen(above);

	return n == 0 || (strncmp(path, above, n) == 0 && (path[n] == '\0' || path[n] == '/'));
}

int checkout_settle_paths(struct checkout *c, struct store_error *err)
{
	struct store_checkout_options *o = &c->own_options;
	int rc = check_paths(c, err);

	if (rc != 0 || c->options->n_paths < 2)
		return rc;
	*o = *c->options;
	c->paths = mem_alloc_array(o->n_paths, sizeof(*c->paths));
	if (!c->paths)
		return checkout_no_memory(err);
	memcpy(c->paths, o->paths, o->n_paths * sizeof(*c->paths));
	qsort(c->paths, o->n_paths, sizeof(*c->paths), checkout_by_path);
	o->n_paths = 1;
	for (size_t i = 1; i < c->options->n_paths; i++)
		if (!checkout_is_within(c->paths[i], c->paths[o->n_paths - 1]))
			c->paths[o->n_paths++] = c->paths[i];
	o->paths = c->paths;
	c->options = o;
	return 0;
}

static int compare_tick(void *ctx)
{
	return checkout_tick(ctx, NULL);
}

int checkout_plan(struct checkout *c, struct store_error *err)
{
	int rc = compare_init(&c->compare, c->repo, NULL, err);

	c->compare.tick = compare_tick;
	c->compare.tick_ctx = c;
	for (size_t i = 0; i < c->options->n_paths && rc == 0; i++)
		rc = plan_path(c, c->options->paths[i], err);
	if (rc == 0 && c->options->n_paths == 0)
		rc = plan_whole(c, err);
	c->result->stats.opened += c->compare.opened;
	if (rc != 0 || c->result->conflicts == 0)
		return rc;
	return store_error_set(err, STORE_ECONFLICT,
		"%llu path%s would lose content: nothing was written; commit or move it, or use -f",
		(unsigned long long)c->result->conflicts, c->result->conflicts == 1 ? "" : "s");
}

int checkout_target_walks(struct checkout *c,
	int (*fn)(struct checkout *c, struct checkout_walk *w, struct store_error *err),
	struct store_error *err)
{
	const size_t n = c->options->n_paths;
	int rc = 0;

	for (size_t i = 0; i < (n > 0 ? n : 1) && rc == 0; i++) {
		const char *path = n > 0 ? c->options->paths[i] : "";
		struct checkout_walk *w = checkout_walk_new(&c->nodes, CHECKOUT_TARGET, NULL);
		struct map_ref meta;
		struct entry e;
		bool has_meta = false;

		rc = w ? find_target(c, path, strlen(path), &e, &meta, &has_meta, err)
		       : checkout_no_memory(err);
		if (rc == 0)
			rc = checkout_walk_begin(w, path, &nothing, &e, has_meta ? &meta : NULL, 0,
				err);
		if (rc == 0)
			rc = fn(c, w, err);
		checkout_walk_free(w);
	}
	return rc;
}
