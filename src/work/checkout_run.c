/*
 * Carrying the plan out, in this order:
 *
 *   1. what gives way to something else goes, and rows that need no writing are noted
 *   2. directories and files (checkout_write.c)
 *   3. symbolic links, when nothing is written any more that could be led astray
 *   4. what the target does not have goes, and directories that are empty then
 *   5. recorded attributes of directories, innermost first
 *
 * Every step may be the last one before a crash: the stage and HEAD still say what they said, and
 * the same command plans anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "work/checkout_internal.h"
#include "work/leftover.h"

/* ---- space */

/* What a test build finds left on the disk where the fault checkout.space fires. */
#define FAULT_ROOM ((uint64_t)1 << 20)

/* Bytes a file takes at least: chunks that repeat are most likely zeros, and zeros are holes. */
static int least_bytes(struct checkout *c, const struct file_ref *ref, uint64_t *bytes,
	struct store_error *err)
{
	struct seq_cursor *rows;
	struct seq_row row;
	uint64_t off;
	int rc;

	if (ref->height == 0) {
		*bytes += ref->size;
		return 0;
	}
	rows = seq_cursor_new(&c->nodes, ref);
	if (!rows)
		return checkout_no_memory(err);
	while ((rc = seq_cursor_next(rows, &row, &off, err)) == 0)
		*bytes += row.repeat == 1 ? row.len : 0;
	seq_cursor_free(rows);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int sum_walk(struct checkout *c, struct checkout_walk *w, struct store_error *err)
{
	struct checkout_visit v;
	int rc;

	while ((rc = checkout_walk_next(w, &v, err)) == 0) {
		const struct file_ref ref = { v.target.id, v.target.height, v.target.totals.size };

		if (v.is_leave)
			continue;
		rc = v.target.kind == ENTRY_DIR ? checkout_walk_enter(w, 0, 0, err)
						: least_bytes(c, &ref, &c->need, err);
		if (rc == 0)
			rc = checkout_tick(c, err);
		if (rc != 0)
			return rc;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/*
 * What the plan takes at its height: what gives way goes first, what is replaced only when the new
 * file stands beside it, all else at the end.
 */
static int sum_plan(struct checkout *c, struct store_error *err)
{
	struct buf record = { 0 };
	struct checkout_action a;
	uint64_t written = 0, before = 0, freed = 0;
	int rc = spool_rewind(&c->plan, err);

	while (rc == 0 && (rc = spool_next(&c->plan, &record, err)) == 0) {
		rc = checkout_action_decode(&a, record.data, record.len, err);
		if (rc == 0 && a.op == CHECKOUT_UNLINK && (a.flags & CHECKOUT_IN_WAY))
			before += a.frees;
		if (rc == 0 && a.op == CHECKOUT_WRITE) {
			rc = least_bytes(c, &a.row.ref, &written, err);
			if (written > freed && written - freed > c->need)
				c->need = written - freed;
			freed += a.frees;
		}
		if (rc != 0)
			break;
	}
	c->need = c->need > before ? c->need - before : 0;
	buf_release(&record);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int checkout_check_space(struct checkout *c, struct store_error *err)
{
	struct statvfs fs;
	uint64_t room;
	int rc;

	if (fstatvfs(c->root_fd, &fs) != 0)
		return 0;
	room = FAULT("checkout.space") ? FAULT_ROOM : (uint64_t)fs.f_bavail * fs.f_frsize;
	if (!c->in_place && c->options->n_paths == 0)
		c->need = c->target.totals.size;
	c->progress.bytes_total = c->need;
	/* With `to` and paths nothing is known yet. */
	if (c->need <= room && (c->in_place || c->options->n_paths == 0))
		return 0;
	c->need = 0;
	rc = c->in_place ? sum_plan(c, err) : checkout_target_walks(c, sum_walk, err);
	if (rc != 0 || c->need <= room)
		return rc;
	return store_error_set(err, STORE_ENOSPACE,
		"no room: %llu bytes are to be written, and the disk has %llu left; nothing was written",
		(unsigned long long)c->need, (unsigned long long)room);
}

/* ---- steps */

static int keep(struct checkout *c, const struct checkout_action *a, struct store_error *err)
{
	struct buf bytes = { 0 };
	int rc = checkout_action_encode(&bytes, a, err);

	if (rc == 0)
		rc = spool_add(&c->ops, bytes.data, bytes.len, err);
	buf_release(&bytes);
	return rc;
}

static int remove_one(struct checkout *c, const struct checkout_action *a, struct store_error *err)
{
	const bool is_dir = a->op == CHECKOUT_RMDIR;
	const char *name;
	bool moved;

	if (is_dir)
		checkout_place_forget(c->place);
	if (checkout_place_open(c->place, a->path, a->len, &name, &moved) != 0)
		return worktree_is_absent(errno) || errno == ELOOP
			? 0
			: checkout_fail("open the directory of", a->path, err);
	if (!is_dir) {
		const int rc = checkout_check_same(c->place->fd, name, a, err);

		if (rc != 0)
			return rc;
	}
	if (FAULT("checkout.remove"))
		return checkout_fail("remove", a->path, err);
	if (unlinkat(c->place->fd, name, is_dir ? AT_REMOVEDIR : 0) == 0) {
		c->result->deleted += !is_dir;
		return 0;
	}
	/*
	 * Files that are not tracked hold their directory, unless something must come in its place.
	 */
	if (worktree_is_absent(errno) ||
		(is_dir && !(a->flags & CHECKOUT_IN_WAY) &&
			(errno == ENOTEMPTY || errno == EEXIST)))
		return 0;
	/* The user's own working directory, or a mount. */
	if (is_dir && !(a->flags & CHECKOUT_IN_WAY) && (errno == EBUSY || errno == EINVAL))
		return 0;
	return checkout_fail("remove", a->path, err);
}

static int write_link(struct checkout *c, struct checkout_file *f, const struct checkout_action *a,
	struct store_error *err)
{
	const struct seq_row row = { a->row.ref.id, a->row.ref.size, 1 };
	struct checkout_action done = *a;
	struct buf target = { 0 };
	int rc = 0;

	if (a->row.ref.size > 0)
		rc = checkout_read_chunk(c->repo->reader, &row, &target, err);
	if (rc == 0 && !buf_str(&target))
		rc = checkout_no_memory(err);
	if (rc == 0 && memchr(target.data, 0, target.len))
		rc = store_error_set(err, STORE_ECORRUPT, "a symbolic link's target holds a NUL");
	if (rc == 0)
		rc = checkout_file_link(f, c->place, a, &target, c->repo->reader, &done.row.stat,
			err);
	else
		store_error_wrap(err, rc, "cannot bring back '%s'", a->path);
	buf_release(&target);
	if (rc != 0)
		return rc;
	c->result->written++;
	c->progress.files++;
	done.op = CHECKOUT_ROW;
	return c->in_place ? keep(c, &done, err) : 0;
}

enum step {
	STEP_CLEAR,
	STEP_LINKS,
	STEP_DELETE,
};

/*
 * Every directory the plan comes into may hold temporaries that a killed run left: what it was
 * about to do there is in the plan again, if only as a row. A directory that cannot be opened is
 * not there yet.
 */
static void sweep(struct checkout *c, const struct checkout_action *a)
{
	const char *name;
	bool moved;

	if (checkout_place_open(c->place, a->path, a->len, &name, &moved) == 0 && moved)
		leftover_sweep(c->place->fd, odb_tmp_fd(c->repo->odb), c->run, c->mark_fd);
}

static int do_action(struct checkout *c, enum step step, struct checkout_file *f,
	const struct checkout_action *a, struct store_error *err)
{
	const bool in_way = a->flags & CHECKOUT_IN_WAY;

	if (step == STEP_CLEAR)
		sweep(c, a);
	switch (a->op) {
	case CHECKOUT_WRITE:
		return step == STEP_LINKS && a->row.kind == ENTRY_LINK ? write_link(c, f, a, err)
								       : 0;
	case CHECKOUT_UNLINK:
	case CHECKOUT_RMDIR:
		return (step == STEP_CLEAR && in_way) || (step == STEP_DELETE && !in_way)
			? remove_one(c, a, err)
			: 0;
	case CHECKOUT_FORGET:
		return (step == STEP_CLEAR && in_way) || (step == STEP_DELETE && !in_way)
			? keep(c, a, err)
			: 0;
	case CHECKOUT_ROW:
		return step == STEP_CLEAR ? keep(c, a, err) : 0;
	default:
		return 0;
	}
}

static int do_step(struct checkout *c, enum step step, struct store_error *err)
{
	struct buf record = { 0 };
	struct checkout_file f;
	struct checkout_action a;
	int rc = 0;

	if (c->plan.count == 0)
		return 0;
	checkout_file_init(&f, c);
	checkout_place_forget(c->place);
	rc = spool_rewind(&c->plan, err);
	while (rc == 0 && (rc = spool_next(&c->plan, &record, err)) == 0) {
		rc = checkout_action_decode(&a, record.data, record.len, err);
		if (rc == 0)
			rc = do_action(c, step, &f, &a, err);
		if (rc == 0)
			rc = checkout_tick(c, err);
		if (rc != 0)
			break;
	}
	checkout_file_release(&f);
	buf_release(&record);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int checkout_run(struct checkout *c, struct store_error *err)
{
	int rc = c->in_place ? do_step(c, STEP_CLEAR, err) : 0;

	if (rc == 0)
		rc = checkout_write(c, err);
	if (rc == 0)
		rc = do_step(c, STEP_LINKS, err);
	if (rc == 0 && c->in_place)
		rc = do_step(c, STEP_DELETE, err);
	return rc == 0 ? checkout_dress(c, err) : rc;
}
