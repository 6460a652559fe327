/*
 * store_diff: which paths differ between two trees, a tree and the stage, or either and the working
 * tree.
 *
 * Two walks find them (diff_trees.c, diff_work.c), step by step; what a step finds waits in a short
 * queue until it is asked for, so memory does not grow with the number of differences. Where the
 * stage takes part, one snapshot of the database lasts from open to free.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/commit.h"
#include "work/diff_internal.h"
#include "work/options.h"

struct store_diff_iter {
	struct store_repo *repo;
	struct store_diff_options options;
	char **paths; /* options.paths, owned */
	struct view view;
	struct diff_queue queue;
	struct diff_trees trees;
	struct diff_work work;
	bool is_work; /* which of the two walks it is */
	int failed;   /* the error that ended it */
};

/* ---- entries */

static char letter_of(const struct diff_value *a, const struct diff_value *b)
{
	if (a->entry.kind == ENTRY_NONE)
		return 'A';
	if (b->entry.kind == ENTRY_NONE)
		return 'D';
	return (a->entry.kind == ENTRY_LINK) != (b->entry.kind == ENTRY_LINK) ? 'T' : 'M';
}

static struct store_diff_side side_of(const struct diff_value *v)
{
	struct store_diff_side s = { .kind = v->entry.kind };

	if (v->entry.kind == ENTRY_NONE)
		return s;
	s.is_work = v->is_work;
	s.node = view_node(&v->entry);
	s.has_mode = v->has_mode;
	s.mode = v->has_mode ? v->mode : 0;
	return s;
}

int diff_queue_add(struct diff_queue *q, const void *path, size_t len, const struct diff_value *a,
	const struct diff_value *b, bool same_content, struct store_error *err)
{
	const size_t at = (q->head + q->count) % DIFF_QUEUE;
	struct store_diff_entry *e = &q->items[at].entry;
	struct buf *copy = &q->items[at].path;

	if (q->count == DIFF_QUEUE)
		return store_error_set(err, STORE_EINVAL, "one step found too many differences");
	buf_set(copy, path, len);
	*e = (struct store_diff_entry){ .path = buf_str(copy),
		.letter = letter_of(a, b),
		.old_side = side_of(a),
		.new_side = side_of(b) };
	e->is_mode_only = e->letter == 'M' && same_content;
	if (!e->path)
		return status_no_memory(err);
	q->count++;
	return 0;
}

/* ---- beginning */

static int copy_paths(struct store_diff_iter *it, struct store_error *err)
{
	const size_t n = it->options.n_paths;

	if (n == 0)
		return 0;
	it->paths = mem_alloc_array(n, sizeof(*it->paths));
	if (!it->paths)
		return status_no_memory(err);
	memset(it->paths, 0, n * sizeof(*it->paths));
	for (size_t i = 0; i < n; i++) {
		it->paths[i] = strdup(it->options.paths[i]);
		if (!it->paths[i])
			return status_no_memory(err);
	}
	it->options.paths = (const char *const *)it->paths;
	return 0;
}

/* The tree of a revision.  NULL: HEAD; may_be_none: then also before the first commit. */
static int read_top(struct store_diff_iter *it, const char *rev, bool may_be_none,
	struct diff_top *out, struct store_error *err)
{
	struct buf data = { 0 };
	struct refs_head head = { .has_commit = true };
	struct commit c;
	struct layer l;
	struct oid id;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (!rev && may_be_none)
		rc = refs_head(it->view.txn, &head, err);
	if (rc != 0 || !head.has_commit)
		return rc;
	rc = rev ? rev_parse(&it->view.source, rev, strlen(rev), &id, err)
		 : rev_parse(&it->view.source, "HEAD", 4, &id, err);
	if (rc == 0)
		rc = view_read(it->repo, &id, &data, &c, &l, err);
	if (rc == 0) {
		out->entry = view_top(&l);
		out->has_meta = c.has_meta;
		if (c.has_meta)
			out->meta = c.meta;
	}
	buf_release(&data);
	return rc;
}

static int begin_trees(struct store_diff_iter *it, const struct diff_top *a,
	const struct diff_top *b, struct store_error *err)
{
	it->trees = (struct diff_trees){ .repo = it->repo,
		.src = repo_nodes(it->repo),
		.txn = b ? NULL : it->view.txn,
		.options = &it->options,
		.queue = &it->queue };
	if (b)
		view_end(&it->view);
	return diff_trees_begin(&it->trees, a, b, err);
}

static int begin(struct store_diff_iter *it, struct store_error *err)
{
	const struct store_diff_options *o = &it->options;
	struct diff_top a = { 0 }, b = { 0 };
	const bool has_new = o->form == STORE_DIFF_COMMIT_COMMIT ||
		o->form == STORE_DIFF_FROM_NOTHING;
	int rc = 0;

	if ((unsigned int)o->form > STORE_DIFF_FROM_NOTHING)
		return store_error_set(err, STORE_EINVAL, "there is no such form of a difference");
	it->is_work = o->form == STORE_DIFF_STAGE_WORK || o->form == STORE_DIFF_COMMIT_WORK;
	if (o->form != STORE_DIFF_STAGE_WORK && o->form != STORE_DIFF_FROM_NOTHING)
		rc = read_top(it, o->old_rev, o->form == STORE_DIFF_COMMIT_STAGE, &a, err);
	if (rc == 0 && has_new)
		rc = read_top(it, o->new_rev, false, &b, err);
	/* The words were read; they are the caller's. */
	it->options.old_rev = it->options.new_rev = NULL;
	if (rc != 0)
		return rc;
	if (it->is_work)
		return diff_work_begin(&it->work, it->repo, it->view.txn,
			o->form == STORE_DIFF_STAGE_WORK ? NULL : &a, o, &it->queue, err);
	return begin_trees(it, &a, has_new ? &b : NULL, err);
}

int store_diff_open(struct store_repo *repo, const struct store_diff_options *options,
	struct store_diff_iter **out, struct store_error *err)
{
	struct store_diff_iter *it = calloc(1, sizeof(*it));
	int rc;

	*out = NULL;
	if (!it)
		return status_no_memory(err);
	it->repo = repo;
	rc = options_check(options, "store_diff_options", err);
	if (rc == 0 && options)
		it->options = *options;
	if (rc == 0)
		rc = copy_paths(it, err);
	if (rc == 0)
		rc = view_begin(&it->view, repo, err);
	if (rc == 0)
		rc = begin(it, err);
	if (rc != 0) {
		store_diff_free(it);
		return rc;
	}
	*out = it;
	return 0;
}

/* ---- going on */

/* Look on until something was found; STORE_ENOTFOUND at the end. */
static int find(struct store_diff_iter *it, struct store_error *err)
{
	int rc = 0;

	while (rc == 0 && it->queue.count == 0) {
		if ((it->is_work ? it->work.walk.count : it->trees.count) == 0)
			return STORE_ENOTFOUND;
		rc = it->is_work ? diff_work_step(&it->work, err)
				 : diff_trees_step(&it->trees, err);
	}
	/* What is missing below a tree is damage: not found means the end. */
	it->failed = rc == STORE_ENOTFOUND ? STORE_ECORRUPT : rc;
	return it->failed;
}

int store_diff_next(struct store_diff_iter *it, struct store_diff_entry *entry,
	struct store_error *err)
{
	struct diff_queue *q = &it->queue;
	int rc;

	if (it->failed != 0)
		return store_error_set(err, it->failed, "the comparison has failed before");
	rc = q->count == 0 ? find(it, err) : 0;
	if (rc != 0)
		return rc;
	/* Its slot is written again by the next call at the earliest. */
	*entry = q->items[q->head].entry;
	q->head = (q->head + 1) % DIFF_QUEUE;
	q->count--;
	return 0;
}

uint64_t store_diff_unreadable(const struct store_diff_iter *it)
{
	return it->work.result.unreadable;
}

void store_diff_free(struct store_diff_iter *it)
{
	if (!it)
		return;
	diff_trees_end(&it->trees);
	diff_work_end(&it->work);
	view_end(&it->view);
	for (size_t i = 0; i < DIFF_QUEUE; i++)
		buf_release(&it->queue.items[i].path);
	for (size_t i = 0; it->paths && i < it->options.n_paths; i++)
		free(it->paths[i]);
	free(it->paths);
	free(it);
}
