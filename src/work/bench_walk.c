/*
 * Walking: a tree of empty files is made, 100 in a directory, eight directories in one; then it is
 * listed by store_walk and by what add and status list with. The limit is a loop of getdents64 and
 * fstatat over the same directories, which are known to it: no queue, no order, no paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dents.h"
#include "base/error.h"
#include "base/io.h"
#include "work/bench_internal.h"
#include "work/worktree.h"

#define FILES 100 /* of a directory */
#define FAN 8     /* directories in a directory */
#define TREE "tree"
#define PATH_CAP 128

struct tree {
	struct bench *b;
	uint32_t dirs;
	struct dents dents;
	struct buf path; /* of the top */
};

/* Path of directory number i below the scratch folder; 0 is the top. */
static const char *dir_path(uint32_t i, char path[PATH_CAP])
{
	size_t at = PATH_CAP - 1;

	path[at] = '\0';
	for (; i > 0; i = (i - 1) / FAN) {
		path[--at] = (char)('a' + (i - 1) % FAN);
		path[--at] = '/';
	}
	at -= strlen(TREE);
	memcpy(&path[at], TREE, strlen(TREE));
	return &path[at];
}

static uint64_t entries(const struct tree *t)
{
	return (uint64_t)t->b->o.count + t->dirs;
}

static int open_dir(const struct tree *t, uint32_t i, int *fd, struct store_error *err)
{
	char path[PATH_CAP];

	*fd = openat(t->b->fd, dir_path(i, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd == -1 ? store_error_sys(err, "cannot open a folder in '%s'", t->b->o.scratch)
			 : 0;
}

static int make_dir(struct tree *t, uint32_t i, struct store_error *err)
{
	char path[PATH_CAP], name[16];
	const uint32_t first = i * FILES;
	int rc = 0, fd;

	if (mkdirat(t->b->fd, dir_path(i, path), 0700) != 0)
		return store_error_sys(err, "cannot make a folder in '%s'", t->b->o.scratch);
	rc = open_dir(t, i, &fd, err);
	for (uint32_t k = first; rc == 0 && k < first + FILES && k < t->b->o.count; k++) {
		snprintf(name, sizeof(name), "file-%u", k);
		if (mknodat(fd, name, S_IFREG | 0600, 0) != 0)
			rc = store_error_sys(err, "cannot make a file in '%s'", t->b->o.scratch);
	}
	io_close(&fd);
	return rc == 0 ? bench_tick(t->b, err) : rc;
}

/* What was counted must be what was made, or the figure is of something else. */
static int note(struct bench *b, const struct tree *t, uint64_t found, struct store_error *err)
{
	bench_note(b, 0, (double)found);
	if (found == entries(t))
		return 0;
	return store_error_set(err, STORE_EIO, "the tree in '%s' has %llu entries, %llu were made",
		b->o.scratch, (unsigned long long)found, (unsigned long long)entries(t));
}

/* ---- the limit */

static int list_bare(struct tree *t, uint32_t i, uint64_t *found, struct store_error *err)
{
	struct dent e;
	struct stat st;
	int fd, rc = open_dir(t, i, &fd, err), got = 0;

	if (rc != 0)
		return rc;
	dents_begin(&t->dents, fd);
	while (rc == 0 && (got = dents_next(&t->dents, &e)) == 1) {
		if (fstatat(fd, e.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			++*found;
		else
			rc = store_error_sys(err, "cannot look at '%s'", e.name);
	}
	if (got < 0)
		rc = store_error_sys(err, "cannot read a folder in '%s'", t->b->o.scratch);
	io_close(&fd);
	return rc;
}

static int run_bare(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	struct tree *t = ctx;
	uint64_t found = 1; /* the top */
	int rc = 0;

	(void)c;
	bench_start(b);
	for (uint32_t i = 0; rc == 0 && i < t->dirs; i++) {
		rc = list_bare(t, i, &found, err);
		if (rc == 0)
			rc = bench_tick(b, err);
	}
	bench_stop(b);
	return rc == 0 ? note(b, t, found, err) : rc;
}

/* ---- what is limited */

static int take_batch(void *payload, const struct store_walk_batch *batch)
{
	(void)payload;
	(void)batch;
	return 0;
}

static int on_walk(void *payload, const struct store_walk_stats *stats)
{
	(void)stats;
	return bench_tick(payload, NULL);
}

static int run_walk(struct bench *b, const struct bench_case *c, void *ctx, struct store_error *err)
{
	const struct tree *t = ctx;
	const char *root = (const char *)t->path.data;
	const struct store_walk_options o = { .types = STORE_WALK_FILE | STORE_WALK_DIR,
		.flags = STORE_WALK_STRICT,
		.scanners = c->threads,
		.scratch = b->o.scratch,
		.batch = take_batch,
		.progress = on_walk,
		.payload = b };
	struct store_walk_stats stats;
	int rc;

	bench_start(b);
	rc = store_walk(&root, 1, &o, &stats, err);
	bench_stop(b);
	return rc == 0 ? note(b, t, stats.files, err) : rc;
}

static int list_sorted(struct tree *t, uint32_t i, uint64_t *found, struct store_error *err)
{
	struct worktree_dir d = { 0 };
	struct worktree_entry e;
	char path[PATH_CAP];
	int rc = worktree_dir_open(&d, t->b->fd, dir_path(i, path), err);

	while (rc == 0) {
		rc = worktree_dir_next(&d, &e, err);
		*found += rc == 0;
	}
	worktree_dir_close(&d);
	return rc == STORE_ENOTFOUND && (!err || !err->msg[0]) ? 0 : rc;
}

static int run_sorted(struct bench *b, const struct bench_case *c, void *ctx,
	struct store_error *err)
{
	struct tree *t = ctx;
	struct store_error why = { 0 };
	uint64_t found = 1;
	int rc = 0;

	(void)c;
	bench_start(b);
	for (uint32_t i = 0; rc == 0 && i < t->dirs; i++) {
		rc = list_sorted(t, i, &found, &why);
		if (rc == 0)
			rc = bench_tick(b, &why);
	}
	bench_stop(b);
	if (rc != 0)
		return store_error_set(err, rc, "%s", why.msg);
	return note(b, t, found, err);
}

static void add_cases(struct bench_case *cases, size_t *n, unsigned int threads)
{
	const struct bench_case bare = { .run = run_bare, .unit = BENCH_OPS, .is_limit = true };
	const int limit = bench_add(cases, n, bare, "getdents64 and fstatat, one thread");
	struct bench_case c = { .run = run_sorted, .unit = BENCH_OPS, .limits = { limit } };

	bench_add(cases, n, c, "entries in order, as add and status list");
	c.run = run_walk;
	c.threads = 1;
	bench_add(cases, n, c, "entries of store walk, 1 thread");
	c.threads = threads;
	if (threads > 1)
		bench_add(cases, n, c, "entries of store walk, %u threads", threads);
}

int bench_walk(struct bench *b, struct store_error *err)
{
	struct tree t = { .b = b, .dirs = (b->o.count + FILES - 1) / FILES };
	struct bench_case cases[4];
	size_t n = 0;
	int rc = 0;

	buf_addf(&t.path, "%s/" TREE, (const char *)b->path.data);
	if (dents_init(&t.dents) != 0 || !buf_str(&t.path))
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	b->total = t.dirs;
	for (uint32_t i = 0; rc == 0 && i < t.dirs; i++, b->done++)
		rc = make_dir(&t, i, err);
	add_cases(cases, &n, b->o.threads);
	if (rc == 0)
		rc = bench_measure(b, cases, n, &t, err);
	dents_release(&t.dents);
	buf_release(&t.path);
	return rc;
}
