/*
 * Listing the stage, staged and uncommitted entries included: rows of the database instead of maps.
 *
 * No transaction stays open between two calls, because a caller may add or commit while it lists,
 * and the map grows only when no transaction of the process is open. So rows are read in batches,
 * each behind the name given last; what another command stages meanwhile shows or does not, name by
 * name. A directory finds its rows by its path, never by a number that may have been put out of
 * use. Only the innermost directories keep their batch: one further out reads it again when the
 * walk comes back to it.
 */
#include "work/list_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/limits.h"
#include "work/view_internal.h"

#define BATCH_ROWS 64
#define OPEN_MAX_DIRS 32

/* One row of a batch; its name follows. */
struct listed {
	struct store_tree_entry entry; /* path is not set */
	size_t name_len;
};

struct level {
	size_t path_len;  /* of the directory in `path`, its '/' included; 0: the top */
	size_t name_len;  /* of the entry given last, which stands behind it; 0: none yet */
	struct buf batch; /* rows read and not yet given, from pos on */
	size_t pos;
	bool ended; /* there are no rows behind the batch */
};

struct list_stage {
	struct store_repo *repo;
	bool recursive;
	struct level *levels; /* count of them, the innermost last */
	size_t count, cap;
	struct buf path; /* from the top of the stage */
	size_t base_len; /* of the directory listed, its '/' included */
	bool enter;      /* the entry given last is a directory to go into */
};

static int no_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

static void drop_batch(struct level *l)
{
	buf_release(&l->batch);
	l->pos = 0;
	l->ended = false;
}

static int push_level(struct list_stage *s, struct store_error *err)
{
	struct level *l;

	if (s->count > LIMIT_DEPTH)
		return store_error_set(err, STORE_ECORRUPT,
			"the stage is deeper than %d directories", LIMIT_DEPTH);
	if (s->path.len > 0 && buf_add_u8(&s->path, '/') != 0)
		return no_memory(err);
	if (mem_grow(&s->levels, &s->cap, s->count + 1, sizeof(*s->levels)) != 0)
		return no_memory(err);
	if (s->count >= OPEN_MAX_DIRS)
		drop_batch(&s->levels[s->count - OPEN_MAX_DIRS]);
	l = &s->levels[s->count++];
	memset(l, 0, sizeof(*l));
	l->path_len = s->path.len;
	return 0;
}

static int keep_row(struct level *l, struct env_txn *txn, const uint8_t *name, size_t len,
	const struct stage_row *row, struct store_error *err)
{
	struct listed r;
	int rc;

	memset(&r, 0, sizeof(r));
	r.name_len = len;
	rc = view_row(txn, row, &r.entry.node, err);
	if (rc == 0)
		rc = view_set_meta(&r.entry, row->meta, row->meta_len, err);
	if (rc != 0)
		return rc;
	buf_add(&l->batch, &r, sizeof(r));
	return buf_add(&l->batch, name, len) == 0 ? 0 : no_memory(err);
}

static int read_rows(struct list_stage *s, struct level *l, struct env_txn *txn, uint64_t dir,
	struct store_error *err)
{
	struct stage_scan *scan = NULL;
	const uint8_t *name;
	struct stage_row row;
	size_t len;
	int rc = stage_scan_open(txn, dir, &scan, err);

	if (rc == 0 && l->name_len > 0)
		stage_scan_seek(scan, buf_from(&s->path, l->path_len), l->name_len);
	for (int n = 0; rc == 0 && n < BATCH_ROWS; n++) {
		rc = stage_scan_next(scan, &name, &len, &row, err);
		if (rc == 0)
			rc = keep_row(l, txn, name, len, &row, err);
	}
	stage_scan_close(scan);
	return rc;
}

/* The next batch of a directory; one that is no longer there has no rows. */
static int read_batch(struct list_stage *s, struct level *l, struct store_error *err)
{
	const size_t len = l->path_len > 0 ? l->path_len - 1 : 0;
	struct stage_row row;
	struct view v;
	int rc = view_begin(&v, s->repo, err);

	buf_clear(&l->batch);
	l->pos = 0;
	if (rc == 0)
		rc = stage_find(v.txn, len > 0 ? (const char *)s->path.data : "", len, &row, err);
	if (rc == 0)
		rc = row.kind == ENTRY_DIR ? read_rows(s, l, v.txn, row.dir, err) : STORE_ENOTFOUND;
	view_end(&v);
	l->ended = rc == STORE_ENOTFOUND;
	return l->ended ? 0 : rc;
}

/* The row at hand goes to the caller. */
static int give(struct list_stage *s, struct level *l, struct store_tree_entry *entry,
	struct store_error *err)
{
	struct listed r;

	memcpy(&r, l->batch.data + l->pos, sizeof(r));
	s->path.len = l->path_len;
	buf_add(&s->path, l->batch.data + l->pos + sizeof(r), r.name_len);
	if (s->path.failed || !buf_str(&s->path))
		return no_memory(err);
	l->pos += sizeof(r) + r.name_len;
	l->name_len = r.name_len;
	s->enter = s->recursive && r.entry.node.kind == STORE_KIND_DIR;
	*entry = r.entry;
	entry->path = (const char *)s->path.data + s->base_len;
	return 0;
}

int list_stage_next(struct list_stage *s, struct store_tree_entry *entry, struct store_error *err)
{
	int rc = s->enter ? push_level(s, err) : 0;

	s->enter = false;
	while (rc == 0 && s->count > 0) {
		struct level *l = &s->levels[s->count - 1];

		if (l->pos == l->batch.len && !l->ended)
			rc = read_batch(s, l, err);
		if (rc == 0 && l->pos < l->batch.len)
			return give(s, l, entry, err);
		if (rc == 0) {
			/* Back to the name of this directory, without its '/'. */
			s->path.len = l->path_len > 0 ? l->path_len - 1 : 0;
			drop_batch(l);
			s->count--;
		}
	}
	return rc != 0 ? rc : STORE_ENOTFOUND;
}

int list_stage_new(struct list_stage **out, struct store_repo *repo, const char *path,
	bool recursive, struct store_error *err)
{
	struct list_stage *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return no_memory(err);
	s->repo = repo;
	s->recursive = recursive;
	rc = buf_add_str(&s->path, path) == 0 ? push_level(s, err) : no_memory(err);
	s->base_len = s->path.len;
	if (rc != 0) {
		list_stage_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void list_stage_free(struct list_stage *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		drop_batch(&s->levels[i]);
	free(s->levels);
	buf_release(&s->path);
	free(s);
}
