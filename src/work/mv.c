/*
 * mv: tracked paths get other names, on disk and in the stage.
 *
 *     plan      every source is looked at on disk and in the stage: what cannot be ends it here
 *     rename    on disk, one after the other, never over what is there unless -f says so
 *     publish   rows move in one publication; a directory's row takes its number along, so that
 *               nothing below it is touched
 *
 * Disk first: cut short between the two, a source is tracked and gone, and what is new under its
 * new name is not tracked. That is how the same command knows that only the row is left to move.
 * Where -f replaced a tracked file, that what is there is what the source was proves it.
 *
 * A row keeps what it knows of its file. The rename moved the file's ctime, so it is read once when
 * somebody next asks, and what was changed before is changed still.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/quote.h"
#include "odb/publish.h"
#include "odb/writer.h"
#include "work/checkout_internal.h"
#include "work/leftover.h"
#include "work/options.h"
#include "work/stats.h"

struct move {
	const char *from;
	char *to;
	bool is_dir;
	bool is_done;         /* on disk it has its new name already */
	bool is_over;         /* something there is replaced */
	bool is_same_file;    /* which is the source itself, by another of its names */
	struct stage_row row; /* as it was when it was planned; without meta */
};

struct mv {
	struct store_repo *repo;
	const struct store_mv_options *options;
	struct store_mv_result *result;
	struct env_txn *txn; /* while planning */
	struct move *moves;
	size_t count;
	bool into; /* the target is a directory */
	struct stage_batch *batch;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* One line about path. */
static int refuse(int code, const char *path, const char *why, struct store_error *err)
{
	char shown[300];

	return store_error_set(err, code, "'%s' %s",
		quote_msg(shown, sizeof(shown), path, strlen(path)), why);
}

/* What is at path on disk; *there false: nothing. */
static int look(struct mv *m, const char *path, struct worktree_entry *e, bool *there,
	struct store_error *err)
{
	struct store_error why = { 0 };
	const int rc = *path ? worktree_find(m->repo->work_fd, path, e, &why)
			     : worktree_stat(m->repo->work_fd, ".", e, &why);

	*there = rc == 0;
	if (rc == 0 || worktree_is_absent(why.sys))
		return 0;
	if (why.sys == ELOOP)
		return refuse(STORE_EINVAL, path, "lies beyond a symbolic link", err);
	if (err)
		*err = why;
	return rc;
}

static int find(struct mv *m, const char *path, struct stage_row *row, bool *found,
	struct store_error *err)
{
	const int rc = stage_find(m->txn, path, strlen(path), row, err);

	*found = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* -1: told in err, which is not NULL. */
static int open_parent(struct mv *m, const char *path, struct store_error *err)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	int fd = -1;

	if (dir)
		fd = io_open_beneath(m->repo->work_fd, dir, O_PATH | O_DIRECTORY, 0);
	free(dir);
	if (fd == -1)
		checkout_fail("open the directory of", path, err);
	return fd;
}

/* ---- the new name */

/* A name that is never listed, so that what has it is seen no more; a temporary's is even swept. */
static bool has_hidden_name(const char *path)
{
	char part[LIMIT_NAME + 1];

	for (const char *name = path;; name++) {
		const size_t len = strcspn(name, "/");

		snprintf(part, sizeof(part), "%.*s", len > LIMIT_NAME ? 0 : (int)len, name);
		if (strcmp(part, ".store") == 0 || leftover_is(part))
			return true;
		name += len;
		if (!*name)
			return false;
	}
}

/* What lies below a directory gets longer names with it. */
static int check_room(struct mv *m, const struct move *v, struct store_error *err)
{
	const size_t len = strlen(v->to);
	bool fits;
	int rc;

	if (!v->is_dir || len <= strlen(v->from))
		return 0;
	rc = stage_has_room(m->txn, v->row.dir, len < LIMIT_PATH ? LIMIT_PATH - len - 1 : 0, &fits,
		err);
	return rc != 0 || fits
		? rc
		: refuse(STORE_EINVAL, v->from, "would get too long a name for what is in it", err);
}

/* The directories that are to hold it: there, and of this repository. */
static int check_parents(struct mv *m, const char *path, struct store_error *err)
{
	struct worktree_entry e;
	bool there, border;
	int rc = 0;

	for (const char *slash = strchr(path, '/'); slash && rc == 0;
		slash = strchr(slash + 1, '/')) {
		char *dir = strndup(path, (size_t)(slash - path));

		if (!dir)
			return checkout_no_memory(err);
		rc = look(m, dir, &e, &there, err);
		if (rc == 0 && (!there || e.kind != ENTRY_DIR))
			rc = refuse(there ? STORE_EINVAL : STORE_ENOTFOUND, dir,
				there ? "is no directory" : "is not there", err);
		if (rc == 0)
			rc = worktree_is_border(m->repo->work_fd, dir, &border, err);
		if (rc == 0 && border)
			rc = refuse(STORE_EINVAL, dir, "is a repository of its own", err);
		free(dir);
	}
	return rc;
}

/*
 * Is the file e at v->to, in place of a tracked one, what is staged of the source, which is gone?
 * By the attributes that a rename leaves alone, or else by its content.
 */
static int holds_source(struct mv *m, const struct move *v, const struct worktree_entry *e,
	bool *holds, struct store_error *err)
{
	const struct stage_stat *was = &v->row.stat;
	struct stage_row bare = { .kind = e->kind, .class = v->row.class, .ref = v->row.ref };
	enum compare_verdict verdict = COMPARE_CHANGED;
	struct compare compare;
	int dir, rc;

	*holds = e->kind == v->row.kind && was->ino != 0 && was->ino == e->stat.ino &&
		was->size == e->stat.size && was->mtime_ns == e->stat.mtime_ns;
	if (*holds || (e->kind == ENTRY_LINK) != (v->row.kind == ENTRY_LINK))
		return 0;
	dir = open_parent(m, v->to, err);
	if (dir == -1)
		return err->code;
	rc = compare_init(&compare, m->repo, NULL, err);
	if (rc == 0)
		rc = compare_entry(&compare, dir, e, &bare, &verdict, err);
	compare_release(&compare);
	io_close(&dir);
	*holds = rc == 0 && verdict == COMPARE_SAME;
	return rc;
}

/* The source is gone: was it this command that moved it?  e, row: of the target, NULL: none. */
static int check_moved(struct mv *m, struct move *v, const struct worktree_entry *e,
	const struct stage_row *row, struct store_error *err)
{
	const bool may_replace = (m->options->flags & STORE_MV_FORCE) && row && !v->is_dir &&
		row->kind != ENTRY_DIR;
	char from[200], to[200];
	int rc = 0;

	if (e && (e->kind == ENTRY_DIR) == v->is_dir)
		v->is_done = !row;
	if (!e || v->is_done || !may_replace || e->kind == ENTRY_DIR || e->kind == ENTRY_NONE)
		return v->is_done ? 0 : refuse(STORE_ENOTFOUND, v->from, "is not there", err);
	rc = holds_source(m, v, e, &v->is_done, err);
	if (rc != 0 || v->is_done)
		return rc;
	return store_error_set(err, STORE_ENOTFOUND,
		"'%s' is not there, and '%s' is not what it was; if a mv was cut short, 'store add' of both ends it",
		quote_msg(from, sizeof(from), v->from, strlen(v->from)),
		quote_msg(to, sizeof(to), v->to, strlen(v->to)));
}

static int check_target(struct mv *m, struct move *v, const struct worktree_entry *from,
	struct store_error *err)
{
	const bool force = m->options->flags & STORE_MV_FORCE;
	struct worktree_entry e;
	struct stage_row row;
	bool there, found;
	int rc = look(m, v->to, &e, &there, err);

	if (rc == 0)
		rc = find(m, v->to, &row, &found, err);
	if (rc != 0)
		return rc;
	if (!from)
		return check_moved(m, v, there ? &e : NULL, found ? &row : NULL, err);
	if (there && (e.kind == ENTRY_DIR || v->is_dir || !force))
		return refuse(STORE_EEXISTS, v->to,
			e.kind == ENTRY_DIR || v->is_dir ? "exists already"
							 : "exists already; -f replaces it",
			err);
	if (found && (row.kind == ENTRY_DIR || v->is_dir || !force))
		return refuse(STORE_EEXISTS, v->to, "is tracked already, though it is not there",
			err);
	v->is_over = there;
	/* A file of one name that is there under two is seen twice: with one name goes the other.
	 */
	v->is_same_file = there && from->is_shared && e.stat.ino == from->stat.ino &&
		e.dev == from->dev;
	return 0;
}

/* ---- the source */

static int set_target(struct mv *m, struct move *v, struct store_error *err)
{
	const char *target = m->options->target;
	const size_t size = strlen(target) + strlen(v->from) + 2;
	int n;

	free(v->to);
	v->to = malloc(size);
	if (!v->to)
		return checkout_no_memory(err);
	n = m->into
		? snprintf(v->to, size, "%s%s%s", target, *target ? "/" : "", base_name(v->from))
		: snprintf(v->to, size, "%s", target);
	if (n > LIMIT_PATH || strlen(base_name(v->to)) > LIMIT_NAME)
		return refuse(STORE_EINVAL, v->from, "would get too long a name", err);
	return 0;
}

/*
 * A directory that has gone to the target's own name looks as if it were to go into itself there:
 * the target is a directory that nothing tracks, and nothing of the source's name is in it.
 */
static int was_renamed(struct mv *m, struct move *v, struct store_error *err)
{
	struct worktree_entry e;
	struct stage_row row;
	bool there, found;
	int rc;

	if (!m->into || !v->is_dir || m->options->n_sources != 1 ||
		(m->options->flags & STORE_MV_INTO) || !*m->options->target)
		return 0;
	rc = look(m, v->to, &e, &there, err);
	if (rc == 0)
		rc = find(m, m->options->target, &row, &found, err);
	if (rc != 0 || there || found)
		return rc;
	m->into = false;
	return set_target(m, v, err);
}

static int check_source(struct mv *m, struct move *v, struct store_error *err)
{
	struct worktree_entry e;
	struct stage_row row;
	bool there, found;
	int rc;

	if (!*v->from)
		return store_error_set(err, STORE_EINVAL, "the top of the tree cannot be moved");
	rc = look(m, v->from, &e, &there, err);
	if (rc == 0)
		rc = find(m, v->from, &row, &found, err);
	if (rc != 0)
		return rc;
	if (!found)
		return refuse(STORE_ENOTFOUND, v->from, there ? "is not tracked" : "is not there",
			err);
	v->is_dir = row.kind == ENTRY_DIR;
	v->row = row;
	v->row.meta = NULL;
	v->row.meta_len = 0;
	if (there && (e.kind == ENTRY_DIR) != v->is_dir)
		return refuse(STORE_EINVAL, v->from,
			"is another kind of thing than what is staged; add it first", err);
	if (!there)
		rc = was_renamed(m, v, err);
	if (rc == 0 && checkout_is_within(v->to, v->from))
		return refuse(STORE_EINVAL, v->from, "cannot be moved into itself", err);
	if (rc == 0 && has_hidden_name(v->to))
		return refuse(STORE_EINVAL, v->to, "has a name that no tree may hold", err);
	if (rc == 0)
		rc = check_room(m, v, err);
	if (rc == 0)
		rc = check_parents(m, v->to, err);
	return rc == 0 ? check_target(m, v, there ? &e : NULL, err) : rc;
}

/* ---- the plan */

static int by_target(const void *a, const void *b)
{
	return strcmp(((const struct move *)a)->to, ((const struct move *)b)->to);
}

static int by_source(const void *a, const void *b)
{
	const struct move *p = a, *q = b;

	return checkout_by_path(&p->from, &q->from);
}

/* No two of one name, and none within another. */
static int check_pairs(struct mv *m, struct store_error *err)
{
	qsort(m->moves, m->count, sizeof(*m->moves), by_target);
	for (size_t i = 1; i < m->count; i++)
		if (strcmp(m->moves[i - 1].to, m->moves[i].to) == 0)
			return refuse(STORE_EINVAL, m->moves[i].to,
				"would be the new name of two sources", err);
	qsort(m->moves, m->count, sizeof(*m->moves), by_source);
	for (size_t i = 1; i < m->count; i++)
		if (checkout_is_within(m->moves[i].from, m->moves[i - 1].from))
			return refuse(STORE_EINVAL, m->moves[i].from, "lies within another source",
				err);
	return 0;
}

static int look_at_target(struct mv *m, struct store_error *err)
{
	const struct store_mv_options *o = m->options;
	struct worktree_entry e = { 0 };
	struct stage_row row = { .kind = ENTRY_NONE };
	bool there, found;
	int rc = look(m, o->target, &e, &there, err);

	m->into = rc == 0 && there && e.kind == ENTRY_DIR;
	if (rc != 0 || m->into)
		return rc;
	if (o->n_sources > 1)
		return refuse(STORE_EINVAL, o->target, "is no directory", err);
	rc = find(m, o->sources[0], &row, &found, err);
	/* A directory may be given the name with a '/' behind it. */
	if (rc == 0 && (o->flags & STORE_MV_INTO) && (there || row.kind != ENTRY_DIR))
		return refuse(STORE_EINVAL, o->target, "is no directory", err);
	return rc;
}

/* -k: what cannot be moved is told. */
static int skip(struct mv *m, struct store_error *err)
{
	const struct store_callbacks *cb = &m->options->callbacks;
	const struct store_notice n = { .kind = STORE_NOTICE_INFO, .path = "", .text = err->msg };

	m->result->skipped++;
	if (cb->notice)
		cb->notice(cb->payload, &n);
	store_error_clear(err);
	return 0;
}

static int plan(struct mv *m, struct store_error *err)
{
	const struct store_mv_options *o = m->options;
	int rc = look_at_target(m, err);

	if (rc != 0)
		return rc;
	m->moves = mem_alloc_array(o->n_sources, sizeof(*m->moves));
	if (!m->moves)
		return checkout_no_memory(err);
	for (size_t i = 0; i < o->n_sources && rc == 0; i++) {
		struct move *v = &m->moves[m->count];

		memset(v, 0, sizeof(*v));
		v->from = o->sources[i];
		rc = set_target(m, v, err);
		if (rc == 0)
			rc = check_source(m, v, err);
		m->count += rc == 0;
		if (rc == 0)
			continue;
		free(v->to);
		if ((o->flags & STORE_MV_SKIP) &&
			(rc == STORE_ENOTFOUND || rc == STORE_EEXISTS || rc == STORE_EINVAL))
			rc = skip(m, err);
	}
	return rc == 0 ? check_pairs(m, err) : rc;
}

/* ---- on disk */

static int rename_at(const struct move *v, int from, int to)
{
	if (FAULT("mv.rename"))
		return -1;
	/* Two names of one file: rename(2) would leave both. */
	if (v->is_same_file)
		return unlinkat(from, base_name(v->from), 0);
	if (v->is_over)
		return renameat(from, base_name(v->from), to, base_name(v->to));
	return checkout_rename_new(from, base_name(v->from), to, base_name(v->to));
}

static int rename_one(struct mv *m, const struct move *v, struct store_error *err)
{
	int from = open_parent(m, v->from, err);
	int to = from == -1 ? -1 : open_parent(m, v->to, err);
	int rc = from == -1 || to == -1 ? err->code : 0;

	if (rc == 0 && rename_at(v, from, to) != 0)
		rc = checkout_fail("move", v->from, err);
	io_close(&from);
	io_close(&to);
	return rc;
}

static int tell(struct mv *m, const struct move *v)
{
	const struct store_callbacks *cb = &m->options->callbacks;
	const struct store_notice n = { .kind = STORE_NOTICE_MOVED,
		.path = v->from,
		.text = v->to };

	if (cb->notice)
		cb->notice(cb->payload, &n);
	return 0;
}

static int run(struct mv *m, struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < m->count && rc == 0; i++) {
		const struct move *v = &m->moves[i];

		tell(m, v);
		if (!v->is_done && !(m->options->flags & STORE_MV_DRY_RUN))
			rc = rename_one(m, v, err);
	}
	if (rc == 0 && FAULT("mv.renamed"))
		rc = store_error_sys(err, "cannot stage what was moved");
	return rc;
}

/* ---- in the stage */

static int check_row(const struct move *v, bool force, struct env_txn *txn, struct store_error *err)
{
	struct stage_row row;
	int rc = stage_find(txn, v->from, strlen(v->from), &row, err);
	const bool same = rc == 0 && row.dir == v->row.dir && row.ref.size == v->row.ref.size &&
		id_eq(&row.ref.id, &v->row.ref.id);

	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	if (same && !force)
		rc = stage_find(txn, v->to, strlen(v->to), &row, err);
	if (same && (force || rc == STORE_ENOTFOUND))
		return 0;
	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	return store_error_set(err, STORE_EBUSY,
		"the stage was changed by another command meanwhile; run the mv again");
}

static int apply(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	const struct mv *m = ctx;
	int rc = 0;

	for (size_t i = 0; i < m->count && rc == 0; i++)
		rc = check_row(&m->moves[i], m->options->flags & STORE_MV_FORCE, txn, err);
	return rc == 0 ? stage_batch_apply(m->batch, txn, number, err) : rc;
}

static int publish_rows(struct mv *m, struct store_error *err)
{
	struct publication p = { .apply = apply, .ctx = m };
	struct odb_writer *w = NULL;
	struct writer_stats s = { 0 };
	int rc = writer_new(&w, m->repo->odb, err);

	if (rc == 0)
		rc = writer_register(w, err);
	for (size_t i = 0; i < m->count && rc == 0; i++) {
		const struct move *v = &m->moves[i];

		rc = stage_batch_move(m->batch, v->from, strlen(v->from), v->to, strlen(v->to),
			err);
	}
	if (rc == 0)
		rc = stage_batch_record(m->batch, w, err);
	p.writer = w;
	if (rc == 0)
		rc = publish(m->repo->odb, &p, NULL, err);
	if (w)
		writer_get_stats(w, &s);
	m->result->stats.publications = s.publications;
	m->result->stats.stored_bytes = s.stored_bytes;
	m->result->stats.new_objects = s.new_objects;
	writer_free(w);
	return rc;
}

static int move_all(struct mv *m, struct store_error *err)
{
	int rc = repo_check_writable(m->repo, err);

	if (rc == 0 && !odb_env(m->repo->odb))
		rc = store_error_set(err, STORE_EINVAL,
			"the repository is open to be rebuilt only; run 'store fsck --rebuild'");
	if (rc == 0)
		rc = env_begin(odb_env(m->repo->odb), false, &m->txn, err);
	if (rc != 0)
		return rc;
	rc = plan(m, err);
	env_abort(m->txn);
	if (rc == 0)
		rc = run(m, err);
	if (rc == 0 && m->count > 0 && !(m->options->flags & STORE_MV_DRY_RUN))
		rc = publish_rows(m, err);
	if (rc == 0)
		m->result->moved = m->count;
	return rc;
}

int store_mv(struct store_repo *repo, const struct store_mv_options *options,
	struct store_mv_result *result, struct store_error *err)
{
	static const struct store_mv_options defaults;
	struct store_mv_result unused = { 0 };
	struct store_error own = { 0 };
	struct mv m = { .repo = repo,
		.options = options ? options : &defaults,
		.result = result ? result : &unused,
		.batch = stage_batch_new() };
	const int64_t start = clock_mono_ns();
	int rc;

	if (!err)
		err = &own;
	memset(m.result, 0, sizeof(*m.result));
	if (!m.batch)
		rc = checkout_no_memory(err);
	else
		rc = options_check(m.options, "store_mv_options", err);
	if (rc == 0 && (m.options->n_sources == 0 || !m.options->target))
		rc = store_error_set(err, STORE_EINVAL, "mv needs sources and a target");
	if (rc == 0)
		rc = move_all(&m, err);
	for (size_t i = 0; m.moves && i < m.count; i++)
		free(m.moves[i].to);
	free(m.moves);
	stage_batch_free(m.batch);
	store_stats_memory(&m.result->stats);
	m.result->stats.seconds = (double)(clock_mono_ns() - start) / 1e9;
	return rc;
}
