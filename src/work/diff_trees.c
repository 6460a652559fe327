/*
 * Differences of two trees, or of a tree and the stage: a walk of both, down where they differ.
 *
 * A directory of the stage is its cached root changed by its dirty rows. So both forms are one: in
 * each directory the names come from the difference of two maps (graph/map_diff.c), from that of
 * the two maps of recorded attributes, and, where the new side is the stage, from the dirty rows.
 * What none of the three names is equal all the way down and is neither read nor looked up.
 *
 * A directory that stands on one side only is walked against the empty one; when nothing was met in
 * it, it is itself the entry. Where it stands against a file, the file's deletion comes before, its
 * addition behind all that is below the directory, so that whoever applies the entries in turn
 * never finds the way blocked.
 *
 * Directories are a stack. An open one holds nodes of both maps, so only the innermost OPEN_LEVELS
 * keep theirs; those above find their place again by name.
 */
#include "work/diff_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/limits.h"
#include "graph/map.h"
#include "graph/tree.h"
#include "work/stats.h"

#define OPEN_LEVELS 16
#define PROGRESS_NS 100000000

/* The difference of two maps, and its next key. */
struct diff_maps {
	struct map_diff *diff; /* NULL: no difference is asked for */
	struct map_item a, b;
	bool has;
};

/* One side of a directory. */
struct diff_side {
	struct map_ref map, meta;
	bool has_meta;
	uint64_t stage_dir; /* where the stage has it; 0: it is as the maps say */
};

/* What one side has under a name. */
struct diff_found {
	struct entry entry; /* a directory of the stage that no commit stored: only kind is set */
	bool has_meta;
	struct meta meta;
	uint64_t stage_dir; /* a directory with dirty rows, perhaps */
};

struct diff_level {
	size_t path_len; /* of the directory in d->path, its '/' included; 0: the top */
	enum status_wanted wanted;
	struct diff_side a, b;
	bool only_a, only_b; /* the directory stands on this side only */
	bool has_entries;    /* something was met on the side where it stands */
	bool has_held;       /* the addition that comes behind it */
	struct diff_value held;
	struct diff_maps entries, metas;
	struct stage_scan *dirty;
	const uint8_t *dirty_name; /* the next one; NULL: no more */
	size_t dirty_len;
};

static struct diff_level *top_level(struct diff_trees *d)
{
	return &d->levels[d->count - 1];
}

static int malformed(struct store_error *err)
{
	return store_error_set(err, STORE_ECORRUPT, "an entry of a tree is malformed");
}

static int compare_names(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	const int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

/* ---- a directory's sources of names */

static int next_of_maps(struct diff_maps *m, struct store_error *err)
{
	int rc;

	m->has = false;
	if (!m->diff)
		return 0;
	/* The item without a key is about the top's own attributes. */
	do {
		rc = map_diff_next(m->diff, &m->a, &m->b, err);
	} while (rc == 0 && m->a.key_len == 0);
	m->has = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int open_maps(struct diff_maps *m, const struct node_source *src, enum map_kind kind,
	const struct map_ref *a, const struct map_ref *b, const void *behind, size_t len,
	struct store_error *err)
{
	int rc = 0;

	m->diff = map_diff_new(src, kind, a, b);
	if (!m->diff)
		return status_no_memory(err);
	if (behind)
		rc = map_diff_seek(m->diff, behind, len, err);
	return rc == 0 ? next_of_maps(m, err) : rc;
}

/* One of the two maps has no names, so the difference of the others names all there is. */
static bool is_one_sided(const struct diff_level *l)
{
	const struct map_ref empty = map_empty(MAP_DIRECTORY);

	return map_ref_eq(&l->a.map, &empty) || map_ref_eq(&l->b.map, &empty);
}

/* Stand before the first name, or behind the name `behind`. */
static int open_level(struct diff_trees *d, struct diff_level *l, const void *behind, size_t len,
	struct store_error *err)
{
	int rc = open_maps(&l->entries, &d->src, MAP_DIRECTORY, &l->a.map, &l->b.map, behind, len,
		err);

	if (rc == 0 && ((l->a.has_meta && l->b.has_meta) || is_one_sided(l)))
		rc = open_maps(&l->metas, &d->src, MAP_META, &l->a.meta, &l->b.meta, behind, len,
			err);
	return rc;
}

static void suspend_level(struct diff_level *l)
{
	map_diff_free(l->entries.diff);
	map_diff_free(l->metas.diff);
	memset(&l->entries, 0, sizeof(l->entries));
	memset(&l->metas, 0, sizeof(l->metas));
}

static void close_level(struct diff_level *l)
{
	suspend_level(l);
	stage_scan_close(l->dirty);
	l->dirty = NULL;
}

static int next_dirty(struct diff_level *l, struct store_error *err)
{
	uint64_t generation;
	int rc;

	if (!l->dirty)
		return 0;
	do {
		rc = stage_dirty_next(l->dirty, &l->dirty_name, &l->dirty_len, &generation, err);
	} while (rc == 0 && l->dirty_len == 0);
	if (rc != 0)
		l->dirty_name = NULL;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int open_dirty(struct diff_trees *d, struct diff_level *l, struct store_error *err)
{
	int rc;

	if (l->b.stage_dir == 0)
		return 0;
	rc = stage_dirty_open(d->txn, l->b.stage_dir, &l->dirty, err);
	return rc == 0 ? next_dirty(l, err) : rc;
}

/* ---- what stands under the name in hand */

static bool is_at(const struct diff_maps *m, const uint8_t *name, size_t len)
{
	return m->has && compare_names(m->a.key, m->a.key_len, name, len) == 0;
}

static int decode_entry(const void *data, size_t len, struct diff_found *out,
	struct store_error *err)
{
	struct span s = span_of(data, len);

	return entry_decode(&s, &out->entry) != 0 ? malformed(err) : 0;
}

static int decode_meta(const void *data, size_t len, struct diff_found *out,
	struct store_error *err)
{
	struct span s = span_of(data, len);

	out->has_meta = true;
	return meta_decode(&s, &out->meta) != 0 ? malformed(err) : 0;
}

/* By look-up in the two maps of a side. */
static int look_up_entry(struct diff_trees *d, const struct diff_side *side, const uint8_t *name,
	size_t len, struct diff_found *out, struct store_error *err)
{
	const int rc = map_lookup(&d->src, MAP_DIRECTORY, &side->map, name, len, &d->value, err);

	if (rc == STORE_ENOTFOUND)
		return 0;
	return rc == 0 ? decode_entry(d->value.data, d->value.len, out, err) : rc;
}

static int look_up_meta(struct diff_trees *d, const struct diff_side *side, const uint8_t *name,
	size_t len, struct diff_found *out, struct store_error *err)
{
	int rc;

	if (!side->has_meta || out->entry.kind == ENTRY_NONE)
		return 0;
	rc = map_lookup(&d->src, MAP_META, &side->meta, name, len, &d->value, err);
	if (rc == STORE_ENOTFOUND)
		return 0;
	return rc == 0 ? decode_meta(d->value.data, d->value.len, out, err) : rc;
}

/* The two sides of the maps, whatever the stage says. */
static int find_entries(struct diff_trees *d, const struct diff_level *l, const uint8_t *name,
	size_t len, struct diff_found *a, struct diff_found *b, struct store_error *err)
{
	const struct diff_maps *m = &l->entries;
	int rc = 0;

	if (!is_at(m, name, len)) {
		rc = look_up_entry(d, &l->a, name, len, a, err);
		b->entry = a->entry;
		return rc;
	}
	if (m->a.value)
		rc = decode_entry(m->a.value, m->a.value_len, a, err);
	if (rc == 0 && m->b.value)
		rc = decode_entry(m->b.value, m->b.value_len, b, err);
	return rc;
}

static int find_metas(struct diff_trees *d, const struct diff_level *l, const uint8_t *name,
	size_t len, struct diff_found *a, struct diff_found *b, struct store_error *err)
{
	const struct diff_maps *m = &l->metas;
	int rc = 0;

	if (is_at(m, name, len)) {
		if (m->a.value)
			rc = decode_meta(m->a.value, m->a.value_len, a, err);
		if (rc == 0 && m->b.value)
			rc = decode_meta(m->b.value, m->b.value_len, b, err);
		return rc;
	}
	if (is_one_sided(l))
		return 0;
	rc = look_up_meta(d, &l->a, name, len, a, err);
	if (rc == 0)
		rc = look_up_meta(d, &l->b, name, len, b, err);
	return rc;
}

/* The new side as it is staged: the row of the stage. */
static int find_staged(struct diff_trees *d, const struct diff_level *l, const uint8_t *name,
	size_t len, struct diff_found *b, struct store_error *err)
{
	struct stage_row row;
	struct stage_dir dir;
	int rc = stage_get(d->txn, l->b.stage_dir, name, len, &row, err);

	memset(b, 0, sizeof(*b));
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	b->entry = (struct entry){ .kind = row.kind };
	if (row.kind == ENTRY_DIR) {
		b->stage_dir = row.dir;
		rc = stage_get_dir(d->txn, row.dir, &dir, err);
		if (rc == 0 && dir.has_root)
			b->entry = dir.root;
	} else {
		b->entry.height = row.ref.height;
		b->entry.id = row.ref.id;
		b->entry.totals = (struct totals){ row.ref.size, 1, 0 };
	}
	if (rc == 0 && row.meta_len > 0)
		rc = decode_meta(row.meta, row.meta_len, b, err);
	if (rc == 0 && row.kind == ENTRY_DIR && dir.has_meta) {
		b->has_meta = true;
		b->meta.flags |= META_CHILD;
		b->meta.child = dir.meta;
	}
	return rc;
}

/* Both sides of the name in hand; the sources that stand at it go on. */
static int find(struct diff_trees *d, struct diff_found *a, struct diff_found *b,
	struct store_error *err)
{
	struct diff_level *l = top_level(d);
	const uint8_t *name = buf_from(&d->path, l->path_len);
	const size_t len = d->path.len - l->path_len;
	const bool is_dirty = l->dirty_name &&
		compare_names(l->dirty_name, l->dirty_len, name, len) == 0;
	int rc = find_entries(d, l, name, len, a, b, err);

	if (rc == 0)
		rc = find_metas(d, l, name, len, a, b, err);
	if (rc == 0 && is_dirty)
		rc = find_staged(d, l, name, len, b, err);
	if (rc == 0 && is_at(&l->entries, name, len))
		rc = next_of_maps(&l->entries, err);
	if (rc == 0 && is_at(&l->metas, name, len))
		rc = next_of_maps(&l->metas, err);
	if (rc == 0 && is_dirty)
		rc = next_dirty(l, err);
	return rc;
}

/* ---- directories */

static struct diff_side side_of(const struct diff_trees *d, const struct diff_found *f)
{
	struct diff_side s = { .map = map_empty(MAP_DIRECTORY), .meta = map_empty(MAP_META) };
	static const struct oid none;

	if (f->entry.kind != ENTRY_DIR)
		return s;
	if (!id_eq(&f->entry.id, &none))
		s.map = (struct map_ref){ f->entry.id, f->entry.height };
	s.has_meta = d->repo->metadata != METADATA_NONE && f->has_meta &&
		(f->meta.flags & META_CHILD);
	if (s.has_meta)
		s.meta = f->meta.child;
	s.stage_dir = f->stage_dir;
	return s;
}

static struct diff_value value_of(const struct diff_found *f)
{
	const bool is_file = f->entry.kind == ENTRY_FILE || f->entry.kind == ENTRY_EXEC;

	return (struct diff_value){ .entry = f->entry,
		.has_mode = is_file && f->has_meta && (f->meta.flags & META_ATTRS),
		.mode = is_file && f->has_meta ? f->meta.mode : 0 };
}

/* Go into the directory in hand; a or b may be something else, and counts as the empty one then. */
static int push(struct diff_trees *d, const struct diff_found *a, const struct diff_found *b,
	enum status_wanted wanted, struct store_error *err)
{
	struct diff_level *l;
	const bool in_a = a->entry.kind == ENTRY_DIR, in_b = b->entry.kind == ENTRY_DIR;
	int rc;

	if (d->count > LIMIT_DEPTH)
		return store_error_set(err, STORE_ECORRUPT, "directories are nested deeper than %d",
			LIMIT_DEPTH);
	if (mem_grow(&d->levels, &d->cap, d->count + 1, sizeof(*d->levels)) != 0)
		return status_no_memory(err);
	l = &d->levels[d->count++];
	memset(l, 0, sizeof(*l));
	l->wanted = wanted;
	l->a = side_of(d, a);
	l->b = side_of(d, b);
	l->only_a = in_a && !in_b;
	l->only_b = in_b && !in_a;
	rc = open_level(d, l, NULL, 0, err);
	if (rc == 0)
		rc = open_dirty(d, l, err);
	rc = tree_name_dir(rc, d->path.data, d->path.len, err);
	if (rc == 0 && d->count > 1)
		buf_add_u8(&d->path, '/');
	l->path_len = d->path.len;
	if (d->count > OPEN_LEVELS)
		suspend_level(&d->levels[d->count - 1 - OPEN_LEVELS]);
	return rc == 0 ? buf_check(&d->path, err) : rc;
}

/* Leave the directory: its own entry, and what waited for its end. path_len: of its path. */
static int tell_left(struct diff_trees *d, const struct diff_level *l, size_t path_len,
	struct store_error *err)
{
	const struct diff_value none = { 0 },
				dir = { .entry = { .kind = ENTRY_DIR,
						.id = map_empty(MAP_DIRECTORY).id } };
	int rc = 0;

	if ((l->only_a || l->only_b) && !l->has_entries && l->wanted == STATUS_WANTED)
		rc = diff_queue_add(d->queue, d->path.data, path_len, l->only_a ? &dir : &none,
			l->only_a ? &none : &dir, false, err);
	if (rc == 0 && l->has_held)
		rc = diff_queue_add(d->queue, d->path.data, path_len, &none, &l->held, false, err);
	return rc;
}

static int pop(struct diff_trees *d, struct store_error *err)
{
	struct diff_level l = *top_level(d), *up;
	size_t end;
	int rc;

	close_level(&l);
	d->count--;
	if (d->count == 0)
		return 0;
	end = l.path_len - 1;
	rc = tell_left(d, &l, end, err);
	up = top_level(d);
	if (rc == 0 && !up->entries.diff)
		rc = tree_name_dir(open_level(d, up, buf_from(&d->path, up->path_len),
					   end - up->path_len, err),
			d->path.data, up->path_len > 0 ? up->path_len - 1 : 0, err);
	d->path.len = up->path_len;
	return rc;
}

/* ---- one name after the other */

static void take_less(const uint8_t **least, size_t *len, const uint8_t *name, size_t n)
{
	if (*least && compare_names(name, n, *least, *len) >= 0)
		return;
	*least = name;
	*len = n;
}

/* The least of the next names, behind the directory's path.  STORE_ENOTFOUND: no more. */
static int next_name(struct diff_trees *d, struct store_error *err)
{
	const struct diff_level *l = top_level(d);
	const uint8_t *least = NULL;
	size_t len = 0;

	if (l->entries.has)
		take_less(&least, &len, l->entries.a.key, l->entries.a.key_len);
	if (l->metas.has)
		take_less(&least, &len, l->metas.a.key, l->metas.a.key_len);
	if (l->dirty_name)
		take_less(&least, &len, l->dirty_name, l->dirty_len);
	if (!least)
		return STORE_ENOTFOUND;
	d->path.len = l->path_len;
	buf_add(&d->path, least, len);
	if (d->path.len > LIMIT_PATH)
		return store_error_set(err, STORE_ECORRUPT, "a path is longer than %d bytes",
			LIMIT_PATH);
	return buf_check(&d->path, err);
}

static bool has_other_attributes(const struct diff_trees *d, const struct diff_found *a,
	const struct diff_found *b)
{
	return d->repo->metadata != METADATA_NONE && a->has_meta && b->has_meta &&
		!meta_same(&a->meta, &b->meta);
}

static bool is_file(const struct diff_found *f)
{
	return f->entry.kind != ENTRY_NONE && f->entry.kind != ENTRY_DIR;
}

/* Files and links of the name in hand; *is_held: b waits for the end of the directory that a is. */
static int tell_files(struct diff_trees *d, const struct diff_found *a, const struct diff_found *b,
	bool *is_held, struct store_error *err)
{
	const struct diff_value none = { 0 };
	const struct diff_value x = is_file(a) ? value_of(a) : none,
				y = is_file(b) ? value_of(b) : none;
	const bool same = is_file(a) && is_file(b) && id_eq(&a->entry.id, &b->entry.id) &&
		a->entry.height == b->entry.height && a->entry.totals.size == b->entry.totals.size;

	*is_held = is_file(b) && a->entry.kind == ENTRY_DIR;
	if (*is_held || (!is_file(a) && !is_file(b)) ||
		(same && a->entry.kind == b->entry.kind && !has_other_attributes(d, a, b)))
		return 0;
	return diff_queue_add(d->queue, d->path.data, d->path.len, &x, &y, same, err);
}

/* Can anything below two directories differ? */
static bool may_differ(const struct diff_trees *d, const struct diff_found *a,
	const struct diff_found *b)
{
	if (a->entry.kind != ENTRY_DIR && b->entry.kind != ENTRY_DIR)
		return false;
	if (a->entry.kind != b->entry.kind || b->stage_dir != 0 || !entry_eq(&a->entry, &b->entry))
		return true;
	return d->repo->metadata != METADATA_NONE && a->has_meta && b->has_meta &&
		(a->meta.flags & b->meta.flags & META_CHILD) &&
		!map_ref_eq(&a->meta.child, &b->meta.child);
}

/* Of the path in hand, once it is known to be a directory: "d/" means it now. */
static enum status_wanted wanted_as_directory(struct diff_trees *d, enum status_wanted wanted)
{
	const size_t len = d->path.len;

	if (wanted != STATUS_WANTED_BELOW)
		return wanted;
	buf_add_u8(&d->path, '/');
	if (status_wanted(d->options->paths, d->options->n_paths, d->path.data, d->path.len) ==
		STATUS_WANTED)
		wanted = STATUS_WANTED;
	d->path.len = len;
	return wanted;
}

static int take(struct diff_trees *d, struct store_error *err)
{
	struct diff_level *l = top_level(d);
	struct diff_found a = { 0 }, b = { 0 };
	enum status_wanted wanted = l->wanted;
	bool is_held = false;
	int rc = tree_name_dir(find(d, &a, &b, err), d->path.data,
		l->path_len > 0 ? l->path_len - 1 : 0, err);

	if (rc != 0)
		return rc;
	l->has_entries = l->has_entries || a.entry.kind != ENTRY_NONE || b.entry.kind != ENTRY_NONE;
	if (wanted != STATUS_WANTED)
		wanted = status_wanted(d->options->paths, d->options->n_paths, d->path.data,
			d->path.len);
	if (wanted == STATUS_WANTED)
		rc = tell_files(d, &a, &b, &is_held, err);
	if (rc != 0 || wanted == STATUS_UNWANTED || !may_differ(d, &a, &b))
		return rc;
	rc = push(d, &a, &b, wanted_as_directory(d, wanted), err);
	if (rc == 0 && is_held) {
		top_level(d)->has_held = true;
		top_level(d)->held = value_of(&b);
	}
	return rc;
}

static int tick(struct diff_trees *d, struct store_error *err)
{
	const struct store_callbacks *cb = &d->options->callbacks;
	const struct store_progress p = { .stage = "diff", .files = d->ticks };
	const int64_t now = clock_mono_ns();

	if (now - d->last_progress_ns < PROGRESS_NS)
		return 0;
	d->last_progress_ns = now;
	stats_sample();
	return cb->progress && cb->progress(cb->payload, &p) != 0 ? status_canceled(err) : 0;
}

static struct diff_found found_top(const struct diff_top *top)
{
	return (struct diff_found){ .entry = top->entry,
		.has_meta = top->has_meta,
		.meta = { .flags = META_CHILD, .child = top->meta } };
}

static int find_stage(struct diff_trees *d, struct diff_found *out, struct store_error *err)
{
	struct stage_dir dir = { 0 };
	int rc = stage_root(d->txn, &out->stage_dir, err);

	if (rc == 0)
		rc = stage_get_dir(d->txn, out->stage_dir, &dir, err);
	out->entry = dir.has_root ? dir.root : (struct entry){ .kind = ENTRY_DIR };
	out->has_meta = dir.has_meta;
	out->meta = (struct meta){ .flags = META_CHILD, .child = dir.meta };
	return rc;
}

int diff_trees_begin(struct diff_trees *d, const struct diff_top *a, const struct diff_top *b,
	struct store_error *err)
{
	struct diff_found x = found_top(a), y = { 0 };
	int rc = 0;

	if (b)
		y = found_top(b);
	else
		rc = find_stage(d, &y, err);
	/* The top is always there: without a commit it is empty. */
	x.entry.kind = y.entry.kind = ENTRY_DIR;
	if (rc == 0 && may_differ(d, &x, &y))
		rc = push(d, &x, &y, status_wanted(d->options->paths, d->options->n_paths, "", 0),
			err);
	return rc;
}

int diff_trees_step(struct diff_trees *d, struct store_error *err)
{
	int rc = ++d->ticks % 64 == 0 ? tick(d, err) : 0;

	if (rc == 0)
		rc = next_name(d, err);
	if (rc == STORE_ENOTFOUND)
		return pop(d, err);
	return rc == 0 ? take(d, err) : rc;
}

void diff_trees_end(struct diff_trees *d)
{
	while (d->count > 0)
		close_level(&d->levels[--d->count]);
	free(d->levels);
	buf_release(&d->path);
	buf_release(&d->value);
	d->levels = NULL;
}
