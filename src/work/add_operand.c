/*
 * What the user named: looked up on disk and in the stage, and taken as the walk takes a name. The
 * directories above it come first, one a step, so that an item has room however deep it lies; a
 * path into another repository, and an untracked one that is ignored, is told and left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/io.h"
#include "work/add_internal.h"

/* A directory above an operand, when the stage does not know it: with its attributes. */
static int add_parent(struct add_walk *w, struct item *item, const char *path, size_t len,
	struct store_error *err)
{
	struct stage_row row;
	int fd, rc = add_walk_set_path(w, path, len, err);

	if (rc != 0)
		return rc;
	rc = stage_find(w->txn, path, len, &row, err);
	if ((rc == 0 && row.kind == ENTRY_DIR) || (rc != 0 && rc != STORE_ENOTFOUND))
		return rc;
	fd = io_open_beneath(w->repo->work_fd, add_walk_path(w), O_PATH | O_DIRECTORY | O_NOFOLLOW,
		0);
	if (fd == -1 && worktree_is_absent(errno))
		return 0;
	rc = fd == -1 ? add_walk_notice(w, item, STORE_NOTICE_UNREADABLE, strerror(errno), err)
		      : add_walk_dir(w, item, fd, NULL, err);
	io_close(&fd);
	return rc;
}

static int find_row(struct add_walk *w, const char *path, struct stage_row *row, uint8_t *meta,
	bool *found, struct store_error *err)
{
	int rc = stage_find(w->txn, path, strlen(path), row, err);

	*found = rc == 0;
	if (rc == 0 && *path == '\0') {
		/* The top's own attributes stand in a row without a name. */
		struct stage_row own;

		if (stage_get(w->txn, row->dir, "", 0, &own, NULL) == 0) {
			row->meta = own.meta;
			row->meta_len = own.meta_len;
		}
	}
	if (rc == 0 && row->meta_len > 0 && row->meta_len <= INGEST_META) {
		memcpy(meta, row->meta, row->meta_len);
		row->meta = meta;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/*
 * *skip: the operand is untracked, and by rules it is left out, which is told, or they cannot be
 * read. One that cannot be looked at may be a directory, and is asked about as one; what the rules
 * do not leave out is told as unreadable later.
 */
static int check_ignored(struct add_walk *w, struct item *item, const char *path, bool *skip,
	struct store_error *err)
{
	enum ignore_state state = IGNORE_TAKEN;
	struct store_error failed = { 0 };
	struct worktree_entry e = { 0 };
	struct stage_row row;
	bool is_tracked, is_there;
	int rc;

	if (!w->ignore || *path == '\0')
		return 0;
	rc = stage_find(w->txn, path, strlen(path), &row, err);
	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	is_tracked = rc == 0;
	is_there = worktree_find(w->repo->work_fd, path, &e, &failed) == 0;
	if (!is_there)
		e.kind = ENTRY_DIR;
	/* What was a file and is a directory, or the reverse, is untracked. */
	if (is_tracked && (!is_there || (row.kind == ENTRY_DIR) == (e.kind == ENTRY_DIR)))
		return 0;
	rc = add_walk_set_path(w, path, strlen(path), err);
	if (rc == 0)
		rc = add_walk_ignored(w, item, e.kind == ENTRY_DIR, &state, err);
	*skip = state != IGNORE_TAKEN;
	if (rc == 0 && state == IGNORE_LEFT)
		rc = add_walk_notice(w, item, STORE_NOTICE_IGNORED, "", err);
	return rc;
}

/* The operand itself, parents and all looked at. */
static int begin_operand(struct add_walk *w, struct item *item, const char *path,
	struct store_error *err)
{
	const bool top = *path == '\0';
	struct store_error failed = { 0 };
	uint8_t meta[INGEST_META];
	struct worktree_entry e;
	struct stage_row row;
	bool found;
	int rc = find_row(w, path, &row, meta, &found, err);

	if (rc == 0)
		rc = add_walk_set_path(w, path, strlen(path), err);
	if (rc != 0)
		return rc;
	rc = top ? worktree_stat(w->repo->work_fd, ".", &e, &failed)
		 : worktree_find(w->repo->work_fd, path, &e, &failed);
	if (rc != 0 && worktree_is_absent(failed.sys))
		return found ? add_walk_delete(w, item, &row, err) : 0;
	if (rc != 0)
		return add_walk_unreadable(w, item, &failed, err);
	if (top)
		return add_walk_enter(w, item, w->repo->work_fd, ".", &row, err);
	/* Whatever is opened is opened by its whole path. */
	e.name = path;
	return add_walk_entry(w, item, w->repo->work_fd, &e, found ? &row : NULL, true, err);
}

/*
 * The first len bytes of path, a directory above an operand; *skip: the operand is told and left
 * out, because nobody knows whether it lies in another repository.
 */
static int step_parent(struct add_walk *w, struct item *item, const char *path, size_t len,
	bool *skip, struct store_error *err)
{
	struct store_error failed = { 0 };
	bool border = false;
	int rc = add_walk_set_path(w, path, len, err);

	if (rc != 0)
		return rc;
	*skip = worktree_is_border(w->repo->work_fd, add_walk_path(w), &border, &failed) != 0 ||
		border;
	if (border)
		return add_walk_notice(w, item, STORE_NOTICE_BORDER, "", err);
	if (!*skip)
		return add_parent(w, item, path, len, err);
	rc = add_walk_set_path(w, path, strlen(path), err);
	return rc == 0 ? add_walk_unreadable(w, item, &failed, err) : rc;
}

/* The next of an operand's parents, or itself: each makes few jobs, however deep it lies. */
int add_walk_operand(struct add_walk *w, struct item *item, struct store_error *err)
{
	const char *path = w->paths[w->next_path];
	const char *slash = strchr(path + w->parents_seen, '/');
	bool skip = false;
	int rc = w->parents_seen == 0 ? check_ignored(w, item, path, &skip, err) : 0;

	if (rc == 0 && slash && !skip) {
		w->parents_seen = (size_t)(slash - path) + 1;
		rc = step_parent(w, item, path, (size_t)(slash - path), &skip, err);
		if (!skip)
			return rc;
	}
	w->parents_seen = 0;
	w->next_path++;
	return rc == 0 && !skip ? begin_operand(w, item, path, err) : rc;
}
