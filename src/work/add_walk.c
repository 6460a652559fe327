/*
 * Two sorted rows side by side in every directory: the names on disk and the rows of the stage. A
 * name only on disk is new, a row only in the stage was deleted, both are compared by their
 * attributes; what these cannot clear becomes a job to read.
 *
 * A directory that cannot be listed, and a name that cannot be looked at, keep what is staged: only
 * a listing that does not hold a name says that it was deleted.
 *
 * The read transaction sleeps between items and when it is a second old, so a long walk pins no old
 * pages and a publication may enlarge the map; frames then find their directories again by path,
 * and go on behind the name they had.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/pipeline.h"
#include "base/trace.h"
#include "work/add_internal.h"
#include "work/leftover.h"

#define RENEW_NS ((int64_t)1000000000)

const char *add_walk_path(const struct add_walk *w)
{
	return (const char *)w->path.data;
}

int add_walk_set_path(struct add_walk *w, const char *name, size_t len, struct store_error *err)
{
	w->path.len = w->depth > 0 ? w->frames[w->depth - 1].path_len : 0;
	if (w->path.len > 0 && len > 0)
		buf_add_u8(&w->path, '/');
	buf_add(&w->path, name, len);
	return buf_str(&w->path) ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- the rows of a directory */

static int open_rows(struct add_walk *w, struct add_frame *f, struct store_error *err)
{
	struct stage_row row;
	int rc;

	if (f->scan || f->rows_done)
		return 0;
	/* By components: another command may have put another number in place. */
	rc = stage_find(w->txn, add_walk_path(w), f->path_len, &row, err);
	if (rc == STORE_ENOTFOUND || (rc == 0 && row.kind != ENTRY_DIR)) {
		f->rows_done = true;
		return 0;
	}
	if (rc == 0)
		rc = stage_scan_open(w->txn, row.dir, &f->scan, err);
	if (rc == 0 && f->row_seen)
		stage_scan_seek(f->scan, f->name, f->name_len);
	return rc;
}

static int next_row(struct add_walk *w, struct add_frame *f, struct store_error *err)
{
	const uint8_t *name;
	size_t len;
	int rc = open_rows(w, f, err);

	if (rc != 0 || f->has_row || f->rows_done)
		return rc;
	rc = stage_scan_next(f->scan, &name, &len, &f->row, err);
	if (rc == STORE_ENOTFOUND) {
		f->rows_done = true;
		return 0;
	}
	if (rc != 0)
		return rc;
	if (len > LIMIT_NAME || f->row.meta_len > sizeof(f->meta))
		return store_error_set(err, STORE_ECORRUPT,
			"a row of the stage is malformed; run 'store fsck --rebuild'");
	memcpy(f->name, name, len);
	f->name[len] = '\0';
	f->name_len = len;
	if (f->row.meta_len > 0)
		memcpy(f->meta, f->row.meta, f->row.meta_len);
	f->row.meta = f->meta;
	f->has_row = f->row_seen = true;
	return 0;
}

/* *e, and not 0: the directory cannot be read to its end. */
static int next_entry(struct add_frame *f, struct store_error *e)
{
	int rc;

	if (f->has_entry)
		return 0;
	rc = worktree_dir_next(&f->dir, &f->entry, e);
	if (rc != 0 && rc != STORE_ENOTFOUND && f->entry.len == 0)
		return rc;
	f->has_entry = rc != STORE_ENOTFOUND;
	f->entry_failed = rc != 0 && rc != STORE_ENOTFOUND;
	snprintf(f->why, sizeof(f->why), "%s", f->entry_failed ? strerror(e->sys) : "");
	return 0;
}

static void sleep_txn(struct add_walk *w)
{
	for (size_t i = 0; i < w->depth; i++) {
		stage_scan_close(w->frames[i].scan);
		w->frames[i].scan = NULL;
	}
	env_reset(w->txn);
	w->renewed_ns = clock_mono_ns();
}

/* ---- jobs */

static int set_staged(struct add_walk *w, struct job *job, const struct stage_row *row,
	struct store_error *err)
{
	if (!row)
		return 0;
	job->has_staged = true;
	job->staged_kind = row->kind;
	job->staged = row->ref;
	job->staged_mode = row->stat.mode;
	job->staged_meta_len = row->meta_len <= sizeof(job->staged_meta) ? row->meta_len : 0;
	if (job->staged_meta_len > 0)
		memcpy(job->staged_meta, row->meta, job->staged_meta_len);
	job->staged_totals = (struct totals){ .files = 1 };
	/* A directory that stays one is not counted. */
	if (row->kind != ENTRY_DIR || job->type == JOB_DIR)
		return 0;
	return stage_count(w->txn, row->dir, &job->staged_totals, err);
}

static struct job *add_job(struct add_walk *w, struct item *item, enum job_type type,
	struct store_error *err)
{
	return ingest_add_job(item, type, add_walk_path(w), w->path.len, err);
}

int add_walk_notice(struct add_walk *w, struct item *item, int kind, const char *why,
	struct store_error *err)
{
	struct job *job = add_job(w, item, JOB_NOTICE, err);

	if (!job)
		return STORE_ENOMEM;
	job->notice = kind;
	snprintf(job->why, sizeof(job->why), "%s", why);
	return 0;
}

int add_walk_unreadable(struct add_walk *w, struct item *item, const struct store_error *why,
	struct store_error *err)
{
	if (why->code == STORE_ENOMEM)
		return store_error_set(err, STORE_ENOMEM, "%s", why->msg);
	return add_walk_notice(w, item, STORE_NOTICE_UNREADABLE, strerror(why->sys), err);
}

int add_walk_delete(struct add_walk *w, struct item *item, const struct stage_row *row,
	struct store_error *err)
{
	struct job *job;

	if (w->flags & STORE_ADD_NO_REMOVAL)
		return 0;
	job = add_job(w, item, JOB_DELETE, err);
	return job ? set_staged(w, job, row, err) : STORE_ENOMEM;
}

int add_walk_ignored(struct add_walk *w, struct item *item, bool is_dir, enum ignore_state *state,
	struct store_error *err)
{
	const size_t len = w->path.len;
	struct ignore_verdict v = { 0 };
	struct job *job;
	int rc = w->ignore ? ignore_check(w->ignore, add_walk_path(w), len, is_dir, &v, err) : 0;

	*state = v.state;
	if (rc != 0 || !v.is_news)
		return rc;
	job = ingest_add_job(item, JOB_NOTICE, v.failed, strlen(v.failed), err);
	if (!job)
		return STORE_ENOMEM;
	job->notice = STORE_NOTICE_UNREADABLE;
	snprintf(job->why, sizeof(job->why), "%s", v.why);
	return 0;
}

/* Is what is staged for the directory what it has? */
static bool is_dir_staged(const struct job *job, const struct stage_row *row)
{
	return row && row->kind == ENTRY_DIR && job->meta_len == row->meta_len &&
		(job->meta_len == 0 || memcmp(job->meta, row->meta, job->meta_len) == 0);
}

int add_walk_dir(struct add_walk *w, struct item *item, int fd, const struct stage_row *row,
	struct store_error *err)
{
	struct worktree_entry e;
	struct job *job;
	char why[160];
	int rc;

	if (worktree_fstat(fd, &e, NULL) != 0)
		return add_walk_notice(w, item, STORE_NOTICE_UNREADABLE, strerror(errno), err);
	if (ingest_read_list(w->g, fd, &w->list) != 0) {
		rc = ingest_list_notice(errno, why, sizeof(why));
		return add_walk_notice(w, item, rc, why, err);
	}
	job = add_job(w, item, JOB_DIR, err);
	if (!job)
		return STORE_ENOMEM;
	ingest_take_stat(job, &e);
	rc = set_staged(w, job, row, err);
	if (rc == 0)
		rc = ingest_meta(w->g, job, &w->list, w->compare.hash, err);
	if (rc != 0)
		return rc;
	if (is_dir_staged(job, row))
		ingest_drop_job(item);
	else if (!(w->flags & STORE_ADD_DRY_RUN))
		rc = ingest_keep_list(item, job, &w->list, err);
	return rc;
}

/* Dry run: *done, when it is as staged, or cannot be read, which is told. */
static int compare_dry(struct add_walk *w, struct item *item, int dirfd,
	const struct worktree_entry *e, const struct stage_row *row, bool *done,
	struct store_error *err)
{
	enum compare_verdict v = COMPARE_CHANGED;
	struct store_error why = { 0 };
	int rc = row ? compare_entry(&w->compare, dirfd, e, row, &v, &why) : 0;

	*done = rc != 0 || v == COMPARE_SAME;
	if (rc == 0) {
		w->unchanged += *done;
		return 0;
	}
	if (why.sys != 0)
		return add_walk_notice(w, item, STORE_NOTICE_UNREADABLE, strerror(why.sys), err);
	return store_error_set(err, rc, "%s", why.msg);
}

static int add_content(struct add_walk *w, struct item *item, int dirfd,
	const struct worktree_entry *e, const struct stage_row *row, struct store_error *err)
{
	const bool dry = w->flags & STORE_ADD_DRY_RUN;
	struct job *job;
	bool done = false;
	int rc = 0;

	if (row && row->kind == e->kind && compare_is_fresh(&w->compare, row, e) &&
		!ingest_lacks_owner(w->g, row)) {
		w->unchanged++;
		return 0;
	}
	if (dry)
		rc = compare_dry(w, item, dirfd, e, row, &done, err);
	if (rc != 0 || done)
		return rc;
	job = add_job(w, item, e->kind == ENTRY_LINK ? JOB_LINK : JOB_FILE, err);
	if (!job)
		return STORE_ENOMEM;
	ingest_take_stat(job, e);
	job->size = e->stat.size;
	rc = set_staged(w, job, row, err);
	if (rc != 0)
		return rc;
	ingest_found(w->g, e->stat.size);
	if (e->kind != ENTRY_LINK && e->stat.size > INGEST_SMALL && !dry) {
		const struct job large = *job;

		ingest_drop_job(item);
		return ingest_large_begin(w->g, &large, add_walk_path(w), w->path.len, err);
	}
	item->bytes += e->stat.size;
	item->covered += e->stat.size;
	return 0;
}

/* ---- directories */

static int push(struct add_walk *w, const struct stage_row *row, struct store_error *err)
{
	struct add_frame *f;

	if (mem_grow(&w->frames, &w->cap, w->depth + 1, sizeof(*w->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (w->depth > 0)
		add_part_note(&w->frames[w->depth - 1]);
	f = &w->frames[w->depth];
	memset(f, 0, sizeof(*f));
	f->dir.fd = -1;
	f->path_len = w->path.len;
	f->in_stage = row && row->kind == ENTRY_DIR;
	f->number = f->in_stage ? row->dir : 0;
	f->rows_done = !f->in_stage;
	w->depth++;
	if (w->depth > WORKTREE_OPEN_MAX)
		worktree_dir_suspend(&w->frames[w->depth - 1 - WORKTREE_OPEN_MAX].dir);
	return 0;
}

/* The names on the way must not take more memory the deeper it leads. */
static void drop_names(struct add_walk *w)
{
	const size_t max = worktree_names_max();
	size_t held = 0;

	if (worktree_dir_is_small(&w->frames[w->depth - 1].dir))
		return;
	for (size_t i = 0; i < w->depth; i++)
		held += w->frames[i].dir.names.held;
	for (size_t i = 0; i + 1 < w->depth && held > max; i++) {
		held -= w->frames[i].dir.names.held;
		worktree_dir_drop(&w->frames[i].dir);
	}
}

static void pop(struct add_walk *w)
{
	struct add_frame *f = &w->frames[--w->depth];

	if (w->depth > 0)
		w->frames[w->depth - 1].dirs_entered++;
	stage_scan_close(f->scan);
	worktree_dir_close(&f->dir);
}

int add_walk_enter(struct add_walk *w, struct item *item, int dirfd, const char *name,
	const struct stage_row *row, struct store_error *err)
{
	struct store_error failed = { 0 };
	int rc = push(w, row, err);

	if (rc != 0)
		return rc;
	TRACE(TRACE_WALK, "enter=%s", add_walk_path(w));
	if (FAULT("walk.dir")) {
		store_error_sys(&failed, "fault");
		rc = failed.code;
	} else {
		rc = worktree_dir_open(&w->frames[w->depth - 1].dir, dirfd, name, &failed);
	}
	if (rc != 0) {
		pop(w);
		if (worktree_is_absent(failed.sys))
			return row ? add_walk_delete(w, item, row, err) : 0;
		return add_walk_unreadable(w, item, &failed, err);
	}
	drop_names(w);
	if (w->frames[w->depth - 1].dir.names.has_leftovers && !(w->flags & STORE_ADD_DRY_RUN))
		leftover_sweep(w->frames[w->depth - 1].dir.fd, odb_tmp_fd(w->repo->odb), NULL, -1);
	return add_walk_dir(w, item, w->frames[w->depth - 1].dir.fd, row, err);
}

/* ---- one name */

int add_walk_entry(struct add_walk *w, struct item *item, int dirfd, const struct worktree_entry *e,
	const struct stage_row *row, bool operand, struct store_error *err)
{
	/* A file that became a directory, or the reverse, is gone; what is there is untracked. */
	const bool is_tracked = row && (row->kind == ENTRY_DIR) == (e->kind == ENTRY_DIR);
	enum ignore_state state = IGNORE_TAKEN;
	struct store_error failed = { 0 };
	bool border;
	int rc = 0;

	if (!is_tracked && !operand)
		rc = add_walk_ignored(w, item, e->kind == ENTRY_DIR, &state, err);
	if (rc != 0)
		return rc;
	if (state == IGNORE_LEFT)
		return row ? add_walk_delete(w, item, row, err) : 0;
	if (state == IGNORE_UNKNOWN)
		return 0;
	if (e->flags & WORKTREE_LIMIT)
		return add_walk_notice(w, item, STORE_NOTICE_LIMIT,
			"its name is longer than 255 bytes", err);
	if (w->path.len > LIMIT_PATH)
		return add_walk_notice(w, item, STORE_NOTICE_LIMIT,
			"its path is longer than 4096 bytes", err);
	if ((w->flags & STORE_ADD_UPDATE) && !is_tracked)
		return row ? add_walk_delete(w, item, row, err) : 0;
	if (e->flags & WORKTREE_SPECIAL) {
		rc = add_walk_notice(w, item, STORE_NOTICE_SPECIAL, "", err);
		return rc == 0 && row ? add_walk_delete(w, item, row, err) : rc;
	}
	if (e->kind != ENTRY_DIR)
		return add_content(w, item, dirfd, e, row, err);
	if (w->depth > LIMIT_DEPTH)
		return add_walk_notice(w, item, STORE_NOTICE_LIMIT,
			"it lies deeper than 2048 directories", err);
	if (worktree_is_border(dirfd, e->name, &border, &failed) != 0)
		return add_walk_unreadable(w, item, &failed, err);
	if (border)
		return add_walk_notice(w, item, STORE_NOTICE_BORDER, "", err);
	return add_walk_enter(w, item, dirfd, e->name, row, err);
}

/* The next name of the top frame, on disk, in the stage or both. */
static int step(struct add_walk *w, struct item *item, struct store_error *err)
{
	struct add_frame *f = &w->frames[w->depth - 1];
	struct store_error failed = { 0 };
	uint8_t meta[sizeof(f->meta)];
	struct stage_row row;
	struct worktree_entry e;
	int c, rc;

	w->path.len = f->path_len;
	if (!buf_str(&w->path))
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (f->dir.fd == -1) {
		rc = worktree_dir_resume(&f->dir, w->repo->work_fd, add_walk_path(w), NULL);
		if (rc != 0) {
			/*
			 * It went away while we were below it: what was not seen yet stays as it
			 * is.
			 */
			pop(w);
			return add_walk_notice(w, item, STORE_NOTICE_CHANGED, "", err);
		}
	}
	rc = next_row(w, f, err);
	if (rc != 0)
		return rc;
	if (next_entry(f, &failed) != 0) {
		/* Which of its rows are still there nobody knows: they stay. */
		pop(w);
		return add_walk_unreadable(w, item, &failed, err);
	}
	if (!f->has_row && !f->has_entry) {
		pop(w);
		return 0;
	}
	c = !f->has_row ? -1 : !f->has_entry ? 1 : strcmp(f->entry.name, f->name);
	if (c > 0) {
		f->has_row = false;
		rc = add_walk_set_path(w, f->name, f->name_len, err);
		return rc == 0 ? add_walk_delete(w, item, &f->row, err) : rc;
	}
	/* Entering a directory may move the frames, so the row goes along with its attributes. */
	row = f->row;
	memcpy(meta, f->meta, sizeof(meta));
	row.meta = meta;
	e = f->entry;
	f->has_entry = false;
	if (c == 0)
		f->has_row = false;
	rc = add_walk_set_path(w, e.name, e.len, err);
	if (rc != 0)
		return rc;
	if (f->entry_failed)
		return add_walk_notice(w, item, STORE_NOTICE_UNREADABLE, f->why, err);
	return add_walk_entry(w, item, f->dir.fd, &e, c == 0 ? &row : NULL, false, err);
}

/* ---- the producer */

int add_walk_init(struct add_walk *w, struct ingest *g, const char *const *paths, size_t n,
	unsigned int flags, struct store_error *err)
{
	int rc;

	memset(w, 0, sizeof(*w));
	w->g = g;
	w->repo = g->repo;
	w->paths = paths;
	w->path_count = n;
	w->flags = flags;
	rc = compare_init(&w->compare, g->repo, NULL, err);
	w->compare.has_owners = g->repo->metadata == METADATA_POSIX;
	g->hash = w->compare.hash;
	if (rc == 0 && !(flags & (STORE_ADD_FORCE | STORE_ADD_UPDATE))) {
		w->ignore = ignore_new(g->repo);
		if (!w->ignore)
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	if (rc == 0)
		rc = env_begin(odb_env(g->repo->odb), false, &w->txn, err);
	w->renewed_ns = clock_mono_ns();
	return rc;
}

void add_walk_release(struct add_walk *w)
{
	while (w->depth > 0)
		pop(w);
	env_abort(w->txn);
	compare_release(&w->compare);
	ignore_free(w->ignore);
	free(w->frames);
	buf_release(&w->path);
	buf_release(&w->list);
}

int add_walk_produce(void *ctx, struct item *item, struct store_error *err)
{
	struct add_walk *w = ctx;
	int rc = env_renew(w->txn, err);

	while (rc == 0 && !ingest_item_full(item) && !w->g->large.open) {
		/* One operation adds at most a few jobs: leave room for them. */
		if (item->job_count + 4 > INGEST_JOBS)
			break;
		if (clock_mono_ns() - w->renewed_ns > RENEW_NS) {
			sleep_txn(w);
			rc = env_renew(w->txn, err);
			if (rc != 0)
				break;
		}
		if (w->depth > 0)
			rc = step(w, item, err);
		else if (w->next_path < w->path_count)
			rc = add_walk_operand(w, item, err);
		else
			break;
	}
	if (w->depth == 0 && w->next_path == w->path_count)
		ingest_found_all(w->g);
	else
		ingest_walked(w->g, add_part_of(w));
	if (rc == 0 && item->job_count == 0 && !w->g->large.open)
		rc = PIPELINE_END;
	/* Nothing stays open while the consumer publishes: the map may have to grow. */
	sleep_txn(w);
	return rc;
}
