/*
 * Status: HEAD, the stage and the working tree, walked in step.
 *
 * All three give the names of a directory in byte order, so one pass over their union sees every
 * path once and hands out its two letters together, in path order. Directories are entered depth
 * first on a stack of frames; what a frame holds per directory is a cursor on the stage, the sorted
 * names on disk, and HEAD's side (status_head.c), which is usually nothing at all.
 *
 * A directory has no entry of its own, as in git, unless it is the only sign of a difference: when
 * it is empty, or when its recorded mode is another. What cannot be listed or read is a notice, and
 * what is staged there counts as unchanged: only a path that is not there is deleted.
 */
#include "work/status_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/tree.h"
#include "data/limits.h"

#define OPEN_HEADS 32 /* directories whose cursors on HEAD stay open: each holds nodes */

struct status_frame {
	size_t path_len; /* of the directory in w->path, its '/' included; 0: the top */
	enum status_wanted wanted;
	bool is_listed; /* an untracked directory that was told: only what is ignored in it is */
	enum status_tree state;
	struct worktree_dir tree;
	struct stage_scan *scan;   /* NULL: the stage has no directory here */
	const uint8_t *stage_name; /* the next one; NULL: no more */
	size_t stage_len;
	struct stage_row row;
	struct head_dir head;
};

static struct status_frame *top_frame(struct status_walk *w)
{
	return &w->frames[w->count - 1];
}

static enum status_wanted is_wanted(const struct status_walk *w)
{
	return status_wanted(w->paths, w->n_paths, w->path.data, w->path.len);
}

/* ---- directories */

static int next_row(struct status_frame *f, struct store_error *err)
{
	int rc;

	if (!f->scan)
		return 0;
	rc = stage_scan_next(f->scan, &f->stage_name, &f->stage_len, &f->row, err);
	if (rc != 0)
		f->stage_name = NULL;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static void close_frame(struct status_frame *f)
{
	worktree_dir_close(&f->tree);
	stage_scan_close(f->scan);
	status_head_close(&f->head);
}

/* List it; what cannot be is told, and unknown. */
static int list(struct status_walk *w, struct status_frame *f, int dirfd, const char *name,
	struct store_error *err)
{
	struct store_error why = { 0 };
	const int rc = worktree_dir_open(&f->tree, dirfd, name, &why);

	f->state = STATUS_HERE;
	if (rc == 0)
		return 0;
	worktree_dir_close(&f->tree);
	if (rc == STORE_ENOMEM) {
		if (err)
			*err = why;
		return rc;
	}
	f->state = STATUS_ABSENT;
	if (!worktree_is_absent(why.sys)) {
		f->state = STATUS_UNKNOWN;
		status_unreadable(w, &why);
	}
	return 0;
}

/* A border is told and not entered; nor is what may be one, for all that can be seen. */
static bool may_enter(struct status_walk *w, int dirfd, const char *name)
{
	struct store_error why = { 0 };
	bool border;

	if (worktree_is_border(dirfd, name, &border, &why) != 0) {
		status_unreadable(w, &why);
		return false;
	}
	if (border)
		status_notice(w, STORE_NOTICE_BORDER, "a repository of its own");
	return !border;
}

/* What a directory has to say for itself. */
static int report_dir(struct status_walk *w, const struct status_item *i, bool untracked,
	struct store_error *err)
{
	const struct status_frame *f = top_frame(w);
	const bool in_stage = i->row.kind == ENTRY_DIR,
		   in_head = i->head.same ? in_stage : i->head.entry.kind == ENTRY_DIR;
	const bool stage_is_empty = in_stage && !f->stage_name;
	char x = ' ', y = ' ';
	int rc = 0;

	if (w->taker)
		return i->wanted == STATUS_WANTED
			? w->taker->dir(w->taker_ctx, i, stage_is_empty, f->state, err)
			: 0;
	if (in_stage && !in_head && stage_is_empty)
		x = 'A';
	else if (!in_stage && in_head && i->head.entry.totals.files == 0 &&
		i->head.entry.totals.dirs == 0)
		x = 'D';
	else if (in_stage && in_head && !i->head.same && status_item_has_other_attributes(i))
		x = 'M';
	if (stage_is_empty && f->state == STATUS_ABSENT)
		y = 'D';
	if ((x != ' ' || y != ' ') && i->wanted == STATUS_WANTED)
		rc = status_item_report(w, i, x, y, true, err);
	if (rc == 0 && untracked && i->wanted == STATUS_WANTED && f->state == STATUS_HERE &&
		f->tree.names.count == 0)
		rc = status_item_report(w, i, '?', '?', true, err);
	return rc;
}

static int open_sides(struct status_walk *w, struct status_frame *f, const struct status_item *i,
	bool take_tree, int dirfd, struct store_error *err)
{
	const bool in_stage = i->row.kind == ENTRY_DIR;
	int rc = status_head_open(&f->head, &w->src, w->txn, &i->head, in_stage ? i->row.dir : 0,
		w->compare.has_modes, err);

	rc = tree_name_dir(rc, w->path.data, w->path.len, err);
	if (rc == 0 && in_stage)
		rc = stage_scan_open(w->txn, i->row.dir, &f->scan, err);
	if (rc == 0)
		rc = next_row(f, err);
	if (rc != 0)
		return rc;
	f->state = i->tree == STATUS_UNKNOWN ? STATUS_UNKNOWN : STATUS_ABSENT;
	if (!take_tree)
		return 0;
	if (w->count > 1 && !may_enter(w, dirfd, i->e.name)) {
		f->state = STATUS_UNKNOWN;
		return 0;
	}
	return list(w, f, dirfd, i->e.name, err);
}

/* The names on the way must not take more memory the deeper it leads. */
static void drop_names(struct status_walk *w)
{
	const size_t max = worktree_names_max();
	size_t held = 0;

	if (worktree_dir_is_small(&top_frame(w)->tree))
		return;
	for (size_t i = 0; i < w->count; i++)
		held += w->frames[i].tree.names.held;
	for (size_t i = 0; i + 1 < w->count && held > max; i++) {
		held -= w->frames[i].tree.names.held;
		worktree_dir_drop(&w->frames[i].tree);
	}
}

/*
 * Go into the directory in hand. dirfd: of the directory that holds it. untracked: its files are
 * listed one by one; is_listed: only those that are ignored.
 */
static int push(struct status_walk *w, const struct status_item *i, int dirfd, bool untracked,
	bool is_listed, struct store_error *err)
{
	const bool take_tree = i->tree == STATUS_HERE && i->e.kind == ENTRY_DIR &&
		(untracked || i->row.kind == ENTRY_DIR);
	struct status_frame *f;
	int rc;

	if (w->count > LIMIT_DEPTH)
		return store_error_set(err, STORE_ECORRUPT,
			"the stage is deeper than %d directories", LIMIT_DEPTH);
	if (mem_grow(&w->frames, &w->cap, w->count + 1, sizeof(*w->frames)) != 0)
		return status_no_memory(err);
	f = &w->frames[w->count++];
	memset(f, 0, sizeof(*f));
	f->tree.fd = -1;
	f->wanted = i->wanted;
	f->is_listed = is_listed;
	rc = open_sides(w, f, i, take_tree, dirfd, err);
	if (rc == 0 && w->count > 1)
		buf_add_u8(&w->path, '/');
	f->path_len = w->path.len;
	if (rc == 0 && w->count > 1)
		rc = report_dir(w, i, untracked && !is_listed, err);
	if (w->count > OPEN_HEADS)
		status_head_suspend(&w->frames[w->count - 1 - OPEN_HEADS].head);
	if (w->count > WORKTREE_OPEN_MAX)
		worktree_dir_suspend(&w->frames[w->count - 1 - WORKTREE_OPEN_MAX].tree);
	drop_names(w);
	return rc;
}

/* Back to the directory above: its descriptor and cursors may have been given up. */
static int resume(struct status_walk *w, size_t name_len, struct store_error *err)
{
	struct status_frame *f = top_frame(w);
	struct store_error why = { 0 };
	const size_t end = f->path_len > 0 ? f->path_len - 1 : 0;
	int rc = status_head_resume(&f->head, buf_from(&w->path, f->path_len), name_len, err);

	w->path.len = end;
	rc = tree_name_dir(rc, w->path.data, end, err);
	if (rc == 0 && f->state == STATUS_HERE) {
		const char *path = buf_str(&w->path);

		if (!path)
			return status_no_memory(err);
		if (worktree_dir_resume(&f->tree, w->repo->work_fd, path, &why) != 0) {
			status_unreadable(w, &why);
			f->state = STATUS_UNKNOWN;
		}
	}
	if (end > 0)
		w->path.data[end] = '/';
	w->path.len = f->path_len;
	return rc;
}

static int pop(struct status_walk *w, struct store_error *err)
{
	const size_t path_len = top_frame(w)->path_len;

	close_frame(top_frame(w));
	w->count--;
	return w->count > 0 ? resume(w, path_len - 1 - top_frame(w)->path_len, err) : 0;
}

/* ---- untracked paths */

/*
 * *enter: a directory whose files are wanted one by one; *listed: only those that are ignored,
 * because the directory itself was told, or one above it.
 */
static int untracked(struct status_walk *w, const struct status_item *i, bool *enter, bool *listed,
	struct store_error *err)
{
	const unsigned int flags = w->options->flags;
	const bool is_dir = i->e.kind == ENTRY_DIR;
	enum ignore_state state;
	bool ignored;
	int rc;

	if (i->tree != STATUS_HERE || (i->e.flags & WORKTREE_SPECIAL) ||
		(i->row.kind != ENTRY_NONE && (i->row.kind == ENTRY_DIR) == is_dir))
		return 0;
	/* A staged file that became a link, say, is tracked still. */
	if (flags & STORE_STATUS_NO_UNTRACKED ||
		(i->row.kind != ENTRY_NONE && i->row.kind != ENTRY_DIR && !is_dir))
		return 0;
	rc = status_ignored(w, i, &state, err);
	ignored = state == IGNORE_LEFT;
	if (rc != 0 || state == IGNORE_UNKNOWN || (ignored && !(flags & STORE_STATUS_IGNORED)))
		return rc;
	if (!ignored && i->row.kind == ENTRY_NONE && status_is_over_limit(w, i))
		return 0;
	if (is_dir && !may_enter(w, top_frame(w)->tree.fd, i->e.name))
		return 0;
	*listed = top_frame(w)->is_listed;
	*enter = is_dir && !ignored && w->count <= LIMIT_DEPTH &&
		(*listed || i->wanted == STATUS_WANTED_BELOW ||
			(flags & (STORE_STATUS_ALL_UNTRACKED | STORE_STATUS_IGNORED)));
	if (i->wanted != STATUS_WANTED || (*listed && !ignored) ||
		(*enter && flags & STORE_STATUS_ALL_UNTRACKED))
		return 0;
	*listed = *enter;
	return status_item_report(w, i, ignored ? '!' : '?', ignored ? '!' : '?', is_dir, err);
}

/* ---- one path after the other */

static int compare_names(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	const int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

static const char *peek_tree(const struct status_frame *f)
{
	return f->state == STATUS_HERE ? worktree_dir_peek(&f->tree) : NULL;
}

/*
 * The least of the next names of the three, behind the directory's path. STORE_ENOTFOUND: no more.
 */
static int next_name(struct status_walk *w, struct store_error *err)
{
	const struct status_frame *f = top_frame(w);
	const char *on_disk = peek_tree(f);
	const uint8_t *least = f->stage_name, *head;
	size_t len = f->stage_len, n;

	head = status_head_peek(&f->head, &n);
	if (head && (!least || compare_names(head, n, least, len) < 0)) {
		least = head;
		len = n;
	}
	n = on_disk ? strlen(on_disk) : 0;
	if (on_disk && (!least || compare_names((const uint8_t *)on_disk, n, least, len) < 0)) {
		least = (const uint8_t *)on_disk;
		len = n;
	}
	if (!least)
		return STORE_ENOTFOUND;
	w->path.len = f->path_len;
	return buf_add(&w->path, least, len) == 0 ? 0 : status_no_memory(err);
}

/* What stands on disk under the name in hand. */
static void take_tree(struct status_walk *w, struct status_item *i)
{
	struct status_frame *f = top_frame(w);
	const char *name = peek_tree(f);
	struct store_error why = { 0 };
	const size_t len = w->path.len - f->path_len;

	i->tree = f->state == STATUS_UNKNOWN ? STATUS_UNKNOWN : STATUS_ABSENT;
	if (!name || strlen(name) != len || memcmp(name, buf_from(&w->path, f->path_len), len) != 0)
		return;
	f->tree.names.next++;
	if (i->wanted == STATUS_UNWANTED)
		return;
	if (worktree_stat(f->tree.fd, name, &i->e, &why) == 0) {
		i->tree = STATUS_HERE;
	} else if (!worktree_is_absent(why.sys)) {
		i->tree = STATUS_UNKNOWN;
		status_unreadable(w, &why);
	}
}

/* i: all zero. */
static int take(struct status_walk *w, struct status_item *i, struct store_error *err)
{
	struct status_frame *f = top_frame(w);
	const uint8_t *name = buf_from(&w->path, f->path_len);
	const size_t len = w->path.len - f->path_len;
	bool in_stage;
	int rc = 0;

	i->wanted = f->wanted == STATUS_WANTED ? STATUS_WANTED : is_wanted(w);
	in_stage = f->stage_name && compare_names(f->stage_name, f->stage_len, name, len) == 0;
	if (in_stage) {
		i->row = f->row;
		rc = next_row(f, err);
	}
	if (rc == 0)
		rc = tree_name_dir(status_head_take(&f->head, name, len, in_stage, &i->head, err),
			w->path.data, f->path_len > 0 ? f->path_len - 1 : 0, err);
	if (rc == 0)
		take_tree(w, i);
	return rc;
}

static int report(struct status_walk *w, const struct status_item *i, int dirfd,
	struct store_error *err)
{
	const char x = status_item_x(i);
	char y = ' ';
	const int rc = status_item_y(w, i, dirfd, &y, err);

	return rc == 0 && (x != ' ' || y != ' ') ? status_item_report(w, i, x, y, false, err) : rc;
}

static int handle(struct status_walk *w, const struct status_item *i, struct store_error *err)
{
	const int dirfd = top_frame(w)->tree.fd;
	const bool in_head = i->head.same ? i->row.kind == ENTRY_DIR
					  : i->head.entry.kind == ENTRY_DIR;
	bool enter = false, listed = false;
	int rc = 0;

	if (i->wanted == STATUS_WANTED)
		rc = w->taker ? w->taker->file(w->taker_ctx, i, dirfd, err)
			      : report(w, i, dirfd, err);
	if (rc == 0)
		rc = untracked(w, i, &enter, &listed, err);
	if (rc == 0 && (enter || in_head || i->row.kind == ENTRY_DIR))
		rc = push(w, i, dirfd, enter, listed, err);
	return rc;
}

/* What could not be listed to its end is unknown, not absent. */
static void list_on(struct status_walk *w)
{
	struct status_frame *f = top_frame(w);
	struct store_error why = { 0 };

	if (f->state != STATUS_HERE || worktree_dir_ready(&f->tree, &why) == 0)
		return;
	/* Told by its path without the slash. */
	w->path.len = f->path_len > 0 ? f->path_len - 1 : 0;
	status_unreadable(w, &why);
	w->path.len = f->path_len;
	f->state = STATUS_UNKNOWN;
}

/* The top's own attributes: a row without a name, and an item of HEAD's top map without a key. */
static int report_top(struct status_walk *w, struct status_item i, uint64_t dir,
	struct store_error *err)
{
	struct buf value = { 0 };
	struct span s;
	int rc;

	if (i.wanted != STATUS_WANTED || !w->compare.has_modes || !i.head.has_meta)
		return 0;
	rc = stage_get(w->txn, dir, "", 0, &i.row, err);
	if (rc == 0)
		rc = map_lookup(&w->src, MAP_META, &i.head.meta.child, "", 0, &value, err);
	s = span_of(value.data, value.len);
	if (rc == 0 && meta_decode(&s, &i.head.meta) != 0)
		rc = store_error_set(err, STORE_ECORRUPT, "recorded attributes are malformed");
	if (rc == 0 && status_item_has_other_attributes(&i))
		rc = status_item_report(w, &i, 'M', ' ', true, err);
	buf_release(&value);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int status_walk_begin(struct status_walk *w, const struct head_value *top, struct store_error *err)
{
	struct status_item i = { .head = *top,
		.row = { .kind = ENTRY_DIR },
		.tree = STATUS_HERE,
		.e = { .name = ".", .kind = ENTRY_DIR } };
	int rc = stage_root(w->txn, &i.row.dir, err);

	w->compare.tick = status_tick;
	w->compare.tick_ctx = w;
	i.wanted = is_wanted(w);
	if (rc == 0 && !w->taker)
		rc = report_top(w, i, i.row.dir, err);
	return rc == 0 ? push(w, &i, w->repo->work_fd, false, false, err) : rc;
}

static int step(struct status_walk *w, struct store_error *err)
{
	struct status_item i = { 0 };
	int rc;

	list_on(w);
	rc = next_name(w, err);

	if (rc == STORE_ENOTFOUND)
		return pop(w, err);
	if (rc == 0 && ++w->ticks % 64 == 0 && status_tick(w) != 0)
		return status_canceled(err);
	if (rc == 0)
		rc = take(w, &i, err);
	return rc == 0 && i.wanted != STATUS_UNWANTED ? handle(w, &i, err) : rc;
}

int status_walk_step(struct status_walk *w, struct store_error *err)
{
	const int rc = step(w, err);

	return rc == 0 && w->has_no_memory ? status_no_memory(err) : rc;
}

void status_walk_end(struct status_walk *w)
{
	while (w->count > 0)
		close_frame(&w->frames[--w->count]);
	free(w->frames);
	w->frames = NULL;
	w->cap = 0;
}
