/*
 * Differences of the stage, or of a commit's tree, and the working tree.
 *
 * It is the walk of status (status_walk.c): what that would give letters is compared here, and
 * nothing untracked is listed. Against the stage the tree of HEAD takes no part. Against a commit
 * three meet: a path counts when the commit has it, or when it is staged and on disk; one that is
 * in the commit but no longer staged is deleted, whatever stands on disk, as git has it.
 *
 * A file whose attributes are those of its row is not read: its content is the row's, and the entry
 * says so, for stored content can be compared chunk by chunk. Rows that are found equal by reading
 * are not stamped anew: that is status's favour.
 */
#include "work/diff_internal.h"

#include <string.h>

#include "base/error.h"

/* What a look at the file on disk said. */
enum diff_seen {
	DIFF_SAME,
	DIFF_ATTRIBUTES, /* the content is the same */
	DIFF_OTHER,
	DIFF_ABSENT,
	DIFF_UNKNOWN, /* it was told */
};

static bool is_file(uint8_t kind)
{
	return kind != ENTRY_NONE && kind != ENTRY_DIR;
}

static bool has_bits(uint8_t kind)
{
	return kind == ENTRY_FILE || kind == ENTRY_EXEC;
}

/* ---- sides */

static void set_recorded_mode(struct diff_value *v, const struct meta *m)
{
	v->has_mode = has_bits(v->entry.kind) && (m->flags & META_ATTRS);
	v->mode = v->has_mode ? m->mode : 0;
}

static struct diff_value value_of_row(const struct stage_row *row)
{
	struct diff_value v = { .entry = { .kind = row->kind,
					.height = row->ref.height,
					.id = row->ref.id,
					.totals = { row->ref.size, 1, 0 } } };
	struct span s = span_of(row->meta, row->meta_len);
	struct meta m;

	if (row->kind == ENTRY_DIR)
		v.entry = (struct entry){ .kind = ENTRY_DIR };
	if (row->meta_len > 0 && meta_decode(&s, &m) == 0)
		set_recorded_mode(&v, &m);
	/* What is compared with the file is the mode seen when it was read. */
	if (row->stat.clock_ns != 0 && has_bits(row->kind)) {
		v.has_mode = true;
		v.mode = row->stat.mode & 07777;
	}
	return v;
}

static struct diff_value value_of_head(const struct status_item *i)
{
	struct diff_value v = { 0 };

	if (i->head.same)
		return i->row.kind == ENTRY_NONE ? v : value_of_row(&i->row);
	v.entry = i->head.entry;
	if (i->head.has_meta)
		set_recorded_mode(&v, &i->head.meta);
	return v;
}

static struct diff_value value_of_tree(const struct diff_work *d, const struct status_item *i)
{
	return (struct diff_value){ .entry = { .kind = i->e.kind,
					    .totals = { i->e.stat.size, 1, 0 } },
		.is_work = true,
		.has_mode = d->walk.compare.has_modes && has_bits(i->e.kind),
		.mode = has_bits(i->e.kind) ? i->e.stat.mode & 07777 : 0 };
}

static int add(struct diff_work *d, const struct diff_value *a, const struct diff_value *b,
	bool same, struct store_error *err)
{
	size_t len = d->walk.path.len;

	/* A directory is handed over with its slash. */
	if (len > 0 && d->walk.path.data[len - 1] == '/')
		len--;
	return diff_queue_add(d->queue, d->walk.path.data, len, a, b, same, err);
}

static int add_deleted(struct diff_work *d, const struct diff_value *a, struct store_error *err)
{
	const struct diff_value none = { 0 };

	return is_file(a->entry.kind) ? add(d, a, &none, false, err) : 0;
}

/* ---- looking at the file */

static int look(struct diff_work *d, const struct status_item *i, const struct stage_row *row,
	int dirfd, enum diff_seen *seen, struct store_error *err)
{
	enum compare_verdict verdict;
	struct store_error why = { 0 };
	const int rc = compare_entry(&d->walk.compare, dirfd, &i->e, row, &verdict, &why);

	*seen = DIFF_UNKNOWN;
	if (rc != 0 && worktree_is_absent(why.sys)) {
		*seen = DIFF_ABSENT;
		return 0;
	}
	if (rc != 0 && why.sys != 0) {
		status_unreadable(&d->walk, &why);
		return 0;
	}
	if (rc != 0) {
		if (err)
			*err = why;
		return rc;
	}
	*seen = verdict == COMPARE_SAME   ? DIFF_SAME
		: verdict == COMPARE_MODE ? DIFF_ATTRIBUTES
					  : DIFF_OTHER;
	return 0;
}

/* COMPARE_MODE is told before the content is looked at: look at that alone. */
static int look_twice(struct diff_work *d, const struct status_item *i, const struct stage_row *row,
	int dirfd, enum diff_seen *seen, struct store_error *err)
{
	struct stage_row content = *row;
	int rc = look(d, i, row, dirfd, seen, err);

	if (rc != 0 || *seen != DIFF_ATTRIBUTES)
		return rc;
	content.kind = i->e.kind;
	content.stat.mode = i->e.stat.mode;
	content.meta_len = 0;
	rc = look(d, i, &content, dirfd, seen, err);
	if (*seen == DIFF_SAME)
		*seen = DIFF_ATTRIBUTES;
	return rc;
}

static bool is_on_disk(const struct status_item *i)
{
	return i->tree == STATUS_HERE && is_file(i->e.kind);
}

/* ---- from the stage */

static int take_staged(struct diff_work *d, const struct status_item *i, int dirfd,
	struct store_error *err)
{
	const struct diff_value a = value_of_row(&i->row), b = value_of_tree(d, i);
	enum diff_seen seen = DIFF_ABSENT;
	int rc = 0;

	if (!is_file(i->row.kind) || i->tree == STATUS_UNKNOWN)
		return 0;
	d->result.stats.files++;
	if (is_on_disk(i))
		rc = look_twice(d, i, &i->row, dirfd, &seen, err);
	if (rc != 0 || seen == DIFF_SAME || seen == DIFF_UNKNOWN)
		return rc;
	return seen == DIFF_ABSENT ? add_deleted(d, &a, err)
				   : add(d, &a, &b, seen == DIFF_ATTRIBUTES, err);
}

/* ---- from a commit */

/* Where the file's attributes are those of its row, its content is the row's. */
static bool take_as_staged(const struct diff_work *d, const struct status_item *i,
	struct diff_value *b)
{
	if (compare_stat(&d->walk.compare, &i->row, &i->e) != COMPARE_SAME)
		return false;
	b->is_work = false;
	b->entry = value_of_row(&i->row).entry;
	return true;
}

static bool same_content(const struct diff_value *a, const struct diff_value *b)
{
	return id_eq(&a->entry.id, &b->entry.id) && a->entry.height == b->entry.height &&
		a->entry.totals.size == b->entry.totals.size;
}

/*
 * A row of what the commit has, as the file would have it: only content, owner and extended
 * attributes can be another. Attributes are those of the stage's row where that has the content.
 */
static int set_row(struct diff_work *d, const struct status_item *i, const struct diff_value *a,
	struct stage_row *row, struct store_error *err)
{
	const struct diff_value staged = value_of_row(&i->row);
	struct meta meta = i->head.meta;

	*row = (struct stage_row){ .kind = a->entry.kind,
		.ref = { a->entry.id, a->entry.height, a->entry.totals.size } };
	if (has_bits(row->kind) && has_bits(i->e.kind))
		row->kind = i->e.kind;
	if (same_content(a, &staged))
		row->stat = i->row.stat;
	row->stat.mode = i->e.stat.mode;
	row->meta = i->row.meta;
	row->meta_len = i->row.meta_len;
	if (i->head.same)
		return 0;
	meta.flags &= ~META_CHILD;
	buf_clear(&d->meta);
	if (i->head.has_meta && meta_encode(&d->meta, &meta) != 0)
		return status_no_memory(err);
	row->meta = d->meta.data;
	row->meta_len = d->meta.len;
	return 0;
}

/* Both have the path as a file or link, and the file is as it is staged. */
static int compare_staged_with_head(struct diff_work *d, const struct status_item *i,
	const struct diff_value *a, struct diff_value *b, struct store_error *err)
{
	const bool same = same_content(a, b);

	if (same && a->entry.kind == b->entry.kind &&
		(i->head.same || !status_item_has_other_attributes(i)))
		return 0;
	return add(d, a, b, same, err);
}

/* Both have it.  b: the file on disk. */
static int compare_with_head(struct diff_work *d, const struct status_item *i, int dirfd,
	const struct diff_value *a, struct diff_value *b, struct store_error *err)
{
	struct stage_row row;
	enum diff_seen seen = DIFF_UNKNOWN;
	int rc;

	if (take_as_staged(d, i, b))
		return compare_staged_with_head(d, i, a, b, err);
	rc = set_row(d, i, a, &row, err);
	if (rc == 0)
		rc = look_twice(d, i, &row, dirfd, &seen, err);
	if (rc != 0 || seen == DIFF_UNKNOWN)
		return rc;
	if (seen == DIFF_ABSENT)
		return add_deleted(d, a, err);
	if (seen == DIFF_SAME && a->entry.kind == b->entry.kind &&
		!(a->has_mode && b->has_mode && a->mode != b->mode))
		return 0;
	return add(d, a, b, seen != DIFF_OTHER, err);
}

/* A file that the commit has not: as staged where its attributes are those of its row. */
static int add_new(struct diff_work *d, const struct status_item *i, const struct diff_value *a,
	struct diff_value *b, struct store_error *err)
{
	const struct diff_value none = { 0 };

	take_as_staged(d, i, b);
	if (a->entry.kind != ENTRY_DIR)
		return add(d, &none, b, false, err);
	d->has_held = true;
	d->held = *b;
	d->held_count = d->walk.count;
	buf_set(&d->held_path, d->walk.path.data, d->walk.path.len);
	return buf_check(&d->held_path, err);
}

static int take_committed(struct diff_work *d, const struct status_item *i, int dirfd,
	struct store_error *err)
{
	const struct diff_value a = value_of_head(i);
	struct diff_value b = value_of_tree(d, i);

	if (i->tree == STATUS_UNKNOWN)
		return 0;
	if (!is_file(i->row.kind) || !is_on_disk(i))
		return add_deleted(d, &a, err);
	d->result.stats.files++;
	return is_file(a.entry.kind) ? compare_with_head(d, i, dirfd, &a, &b, err)
				     : add_new(d, i, &a, &b, err);
}

/* ---- taking what the walk finds */

static int take_file(void *ctx, const struct status_item *i, int dirfd, struct store_error *err)
{
	struct diff_work *d = ctx;

	return d->from_stage ? take_staged(d, i, dirfd, err) : take_committed(d, i, dirfd, err);
}

/* A directory is an entry when it is empty and was deleted, or added. */
static int take_dir(void *ctx, const struct status_item *i, bool is_empty, enum status_tree state,
	struct store_error *err)
{
	struct diff_work *d = ctx;
	const bool in_stage = i->row.kind == ENTRY_DIR,
		   in_head = d->from_stage || i->head.same ? in_stage
							   : i->head.entry.kind == ENTRY_DIR;
	const bool head_is_empty = d->from_stage || i->head.same
		? is_empty
		: i->head.entry.totals.files == 0 && i->head.entry.totals.dirs == 0;
	const struct diff_value none = { 0 },
				dir = { .entry = { .kind = ENTRY_DIR,
						.id = map_empty(MAP_DIRECTORY).id } };

	if (in_head && head_is_empty && (!in_stage || state == STATUS_ABSENT))
		return add(d, &dir, &none, false, err);
	if (!in_head && in_stage && is_empty && state == STATUS_HERE)
		return add(d, &none, &dir, false, err);
	return 0;
}

int diff_work_begin(struct diff_work *d, struct store_repo *repo, struct env_txn *txn,
	const struct diff_top *a, const struct store_diff_options *options,
	struct diff_queue *queue, struct store_error *err)
{
	static const struct status_taker taker = { take_file, take_dir };
	struct head_value top = { 0 };
	int rc;

	d->options.flags = STORE_STATUS_NO_UNTRACKED;
	d->options.callbacks = options->callbacks;
	d->queue = queue;
	d->from_stage = a == NULL;
	d->walk = (struct status_walk){ .repo = repo,
		.options = &d->options,
		.result = &d->result,
		.stage = "diff",
		.taker = &taker,
		.taker_ctx = d,
		.paths = options->paths,
		.n_paths = options->n_paths,
		.txn = txn,
		.src = repo_nodes(repo) };
	if (a) {
		top.entry = a->entry;
		top.has_meta = a->has_meta;
		top.meta = (struct meta){ .flags = META_CHILD, .child = a->meta };
	}
	rc = compare_init(&d->walk.compare, repo, NULL, err);
	d->walk.compare.has_owners = repo->metadata == METADATA_POSIX;
	return rc == 0 ? status_walk_begin(&d->walk, &top, err) : rc;
}

int diff_work_step(struct diff_work *d, struct store_error *err)
{
	const struct diff_value none = { 0 };
	int rc = status_walk_step(&d->walk, err);

	if (rc != 0 || !d->has_held || d->walk.count > d->held_count)
		return rc;
	d->has_held = false;
	return diff_queue_add(d->queue, d->held_path.data, d->held_path.len, &none, &d->held, false,
		err);
}

void diff_work_end(struct diff_work *d)
{
	status_walk_end(&d->walk);
	compare_release(&d->walk.compare);
	buf_release(&d->walk.path);
	buf_release(&d->held_path);
	buf_release(&d->meta);
}
