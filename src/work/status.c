/*
 * store_status: what is staged, changed and untracked.
 *
 * One snapshot of the database for the whole walk, so HEAD and stage belong together. Rows whose
 * attributes could not tell but whose content was found equal are stamped anew at the end
 * (status_touch.c).
 */
#include "work/status_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "graph/commit.h"
#include "work/options.h"
#include "work/view_internal.h"

static void set_head(struct store_status_result *r, const struct refs_head *head)
{
	static const char heads[] = "refs/heads/";
	const char *name = head->branch;

	if (strncmp(name, heads, sizeof(heads) - 1) == 0)
		name += sizeof(heads) - 1;
	memcpy(r->branch, name, strlen(name) + 1);
	r->has_head = head->has_commit;
	if (head->has_commit)
		r->head = view_id(&head->commit);
}

/* HEAD's tree, with the map of recorded attributes that belongs to it. */
static int read_head(struct store_repo *repo, const struct refs_head *head, struct head_value *top,
	struct store_error *err)
{
	struct buf data = { 0 };
	struct commit c;
	struct layer l;
	int rc;

	memset(top, 0, sizeof(*top));
	if (!head->has_commit)
		return 0;
	rc = view_read(repo, &head->commit, &data, &c, &l, err);
	if (rc == 0) {
		top->entry = view_top(&l);
		top->has_meta = c.has_meta;
		if (c.has_meta)
			top->meta = (struct meta){ .flags = META_CHILD, .child = c.meta };
	}
	buf_release(&data);
	return rc;
}

static void set_stats(struct store_stats *s, struct store_repo *repo,
	const struct odb_counts *before, int64_t start_ns)
{
	struct odb_counts now;

	odb_counts(repo->odb, &now);
	s->decoded_bytes = now.bytes - before->bytes;
	s->nodes_read = now.nodes - before->nodes;
	s->seconds = (double)(clock_mono_ns() - start_ns) / 1e9;
	store_stats_memory(s);
}

static int walk(struct status_walk *w, struct store_error *err)
{
	struct refs_head head;
	struct head_value top;
	int rc = refs_head(w->txn, &head, err);

	if (rc != 0)
		return rc;
	set_head(w->result, &head);
	rc = read_head(w->repo, &head, &top, err);
	if (rc == 0 && w->n_paths == 0) {
		w->files_total = top.entry.totals.files;
		w->bytes_total = top.entry.totals.size;
	}
	if (rc == 0)
		rc = compare_init(&w->compare, w->repo, NULL, err);
	w->compare.has_owners = w->repo->metadata == METADATA_POSIX;
	w->ignore = rc == 0 ? ignore_new(w->repo) : NULL;
	if (rc == 0 && !w->ignore)
		rc = status_no_memory(err);
	if (rc == 0)
		rc = status_walk_begin(w, &top, err);
	while (rc == 0 && w->count > 0)
		rc = status_walk_step(w, err);
	status_walk_end(w);
	w->result->stats.opened = w->compare.opened;
	compare_release(&w->compare);
	ignore_free(w->ignore);
	return rc;
}

int store_status(struct store_repo *repo, const char *const *paths, size_t n,
	const struct store_status_options *options, struct store_status_result *result,
	struct store_error *err)
{
	static const struct store_status_options defaults;
	struct store_status_result ignored = { 0 };
	const int64_t start_ns = clock_mono_ns();
	struct status_walk w = { .repo = repo,
		.paths = paths,
		.n_paths = n,
		.src = repo_nodes(repo) };
	struct odb_counts before;
	struct view v = { 0 };
	int rc = options_check(options, "store_status_options", err);

	w.options = options ? options : &defaults;
	w.result = result ? result : &ignored;
	if (rc == 0)
		rc = view_begin(&v, repo, err);
	w.txn = v.txn;
	memset(w.result, 0, sizeof(*w.result));
	odb_counts(repo->odb, &before);
	status_touch_init(&w.touch, repo);
	if (rc == 0)
		rc = walk(&w, err);
	view_end(&v);
	if (rc == 0)
		w.result->stats.publications = status_touch_publish(&w.touch);
	status_touch_release(&w.touch);
	buf_release(&w.path);
	set_stats(&w.result->stats, repo, &before, start_ns);
	return rc;
}
