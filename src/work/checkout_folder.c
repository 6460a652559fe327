/*
 * The folder of `checkout --to`, and the mark by which an interrupted one is ended.
 *
 * A folder that was empty is filled straight, so after a crash half a file may stand under its own
 * name, and nothing tells it from a file of the user's. What tells is the mark: a file that is made
 * before the first write, says which checkout this is, and goes after the last one. The same
 * command finds its own mark and writes everything again, each file to a temporary first; another
 * finds a mark that is not its own, and refuses. A mark on which somebody holds the lock belongs to
 * a command that runs.
 *
 * So between the crash and the second run the folder belongs to the checkout: what is changed there
 * under a name that the revision has is overwritten. Other names are left alone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/owner.h"
#include "base/quote.h"
#include "data/hash.h"
#include "graph/tree.h"
#include "work/checkout_internal.h"
#include "work/leftover.h"

#define MARK_TEXT "store checkout --to "
#define MARK_LEN (sizeof(MARK_TEXT) - 1 + (size_t)2 * ID_LEN + 1)

/* Is nothing in it, or nothing but the mark? */
static int is_empty(int fd, bool *empty)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy == -1 ? NULL : fdopendir(copy);
	const struct dirent *e;

	*empty = true;
	if (!dir) {
		io_close(&copy);
		return -1;
	}
	while (*empty && (e = readdir(dir)) != NULL)
		*empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
			strcmp(e->d_name, LEFTOVER_TO) == 0;
	closedir(dir);
	return 0;
}

/* What the mark says: commit and paths, as a digest. */
static int mark_of(const struct checkout *c, char text[MARK_LEN + 1], struct store_error *err)
{
	struct hash *h = hash_new();
	char hex[2 * ID_LEN + 1];
	struct oid digest;

	if (!h)
		return checkout_no_memory(err);
	hash_begin(h);
	hash_add(h, c->commit.b, ID_LEN);
	for (size_t i = 0; i < c->options->n_paths; i++)
		hash_add(h, c->options->paths[i], strlen(c->options->paths[i]) + 1);
	hash_end(h, &digest);
	hash_free(h);
	snprintf(text, MARK_LEN + 1, MARK_TEXT "%s\n", id_hex(hex, &digest));
	return 0;
}

static int busy(const struct checkout *c, struct store_error *err)
{
	char shown[300];

	return store_error_set(err, STORE_EBUSY,
		"another checkout is writing into '%s'; try again when it is done",
		quote_msg(shown, sizeof(shown), c->options->to, strlen(c->options->to)));
}

/* Open and lock the mark, made or found. */
static int hold_mark(struct checkout *c, struct store_error *err)
{
	struct stat st;
	int rc;

	c->mark_fd = openat(c->root_fd, LEFTOVER_TO, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		0600);
	if (c->mark_fd == -1)
		return checkout_fail("write into the folder", c->options->to, err);
	rc = io_lock_try(c->mark_fd, true);
	if (rc == 1)
		return busy(c, err);
	if (rc != 0 || fstat(c->mark_fd, &st) != 0)
		return checkout_fail("lock a file in the folder", c->options->to, err);
	return st.st_nlink > 0 ? 0 : busy(c, err);
}

/* What the mark in fd says: is it this checkout's? */
static bool is_own(int fd, const char *want)
{
	char text[MARK_LEN + 1];

	return io_pread_full(fd, text, sizeof(text), 0) == (ssize_t)MARK_LEN &&
		memcmp(text, want, MARK_LEN) == 0;
}

/* Does a mark stand there, and is it this checkout's? */
static int read_mark(struct checkout *c, const char *want, bool *found, bool *own,
	struct store_error *err)
{
	int fd = openat(c->root_fd, LEFTOVER_TO, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*found = *own = false;
	if (fd == -1)
		return errno == ENOENT || errno == ELOOP
			? 0
			: checkout_fail("look into the folder", c->options->to, err);
	*found = true;
	*own = is_own(fd, want);
	io_close(&fd);
	return 0;
}

/* A revision may hold the name, made by another program: then it goes unmarked. */
static int is_marked(struct checkout *c, bool *marked, struct store_error *err)
{
	struct entry e;
	const int rc = tree_find(&c->nodes, &c->target, LEFTOVER_TO, strlen(LEFTOVER_TO), &e, err);

	*marked = rc == STORE_ENOTFOUND;
	return *marked ? 0 : rc;
}

static int refuse(const struct checkout *c, bool marked, struct store_error *err)
{
	char shown[300];

	quote_msg(shown, sizeof(shown), c->options->to, strlen(c->options->to));
	return marked
		? store_error_set(err, STORE_EEXISTS,
			  "'%s' holds an unfinished checkout of something else: end that one, name another folder, or overwrite what is in it with -f",
			  shown)
		: store_error_set(err, STORE_EEXISTS,
			  "'%s' is not empty: name another folder, or overwrite what is in it with -f",
			  shown);
}

static int write_mark(struct checkout *c, const char *text, struct store_error *err)
{
	if (ftruncate(c->mark_fd, 0) == 0 && io_pwrite_full(c->mark_fd, text, strlen(text), 0) == 0)
		return 0;
	return checkout_fail("write into the folder", c->options->to, err);
}

/* A run before gave the top its recorded rights; at the end it gets them again. */
static void allow_top(const struct checkout *c)
{
	struct stat st;

	if (c->has_meta && c->options->n_paths == 0 && fstat(c->root_fd, &st) == 0 &&
		(st.st_mode & 0700) != 0700)
		(void)fchmod(c->root_fd, (st.st_mode & 07777) | 0700);
}

/*
 * Somebody else may have filled the folder, and taken its mark away, before the lock was ours: what
 * was seen without it is asked again.
 */
static int check_again(struct checkout *c, const char *text, struct store_error *err)
{
	struct stat st;

	if (is_empty(c->root_fd, &c->straight) != 0 || fstat(c->mark_fd, &st) != 0)
		return checkout_fail("look into the folder", c->options->to, err);
	if (c->straight || c->force || is_own(c->mark_fd, text))
		return 0;
	/* Made just now, by this call. */
	if (st.st_size == 0) {
		unlinkat(c->root_fd, LEFTOVER_TO, 0);
		io_close(&c->mark_fd);
	}
	return refuse(c, st.st_size > 0, err);
}

int checkout_folder_open(struct checkout *c, struct store_error *err)
{
	const char *to = c->options->to;
	char text[MARK_LEN + 1];
	bool marked, found, own;
	int rc = is_marked(c, &marked, err);

	if (rc == 0)
		rc = mark_of(c, text, err);
	if (rc != 0)
		return rc;
	c->made_folder = owner_mkdir(to) == 0;
	if (!c->made_folder && errno != EEXIST)
		return checkout_fail("create the folder", to, err);
	c->root_fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->root_fd == -1 || is_empty(c->root_fd, &c->straight) != 0)
		return checkout_fail("open the folder", to, err);
	rc = read_mark(c, text, &found, &own, err);
	if (rc == 0 && !c->straight && !c->force && !(marked && own))
		rc = refuse(c, marked && found, err);
	if (rc == 0 && !c->straight)
		allow_top(c);
	if (rc != 0 || !marked)
		return rc;
	if (FAULT("checkout.mark"))
		return checkout_fail("write into the folder", to, err);
	rc = hold_mark(c, err);
	if (rc == 0)
		rc = check_again(c, text, err);
	return rc == 0 ? write_mark(c, text, err) : rc;
}

/* The folder keeps the time that was recorded; its rights may forbid taking the mark away. */
static int remove_mark(struct checkout *c, struct store_error *err)
{
	struct timespec times[2];
	struct stat st;

	if (fstat(c->root_fd, &st) != 0)
		return checkout_fail("look at the folder", c->options->to, err);
	if (unlinkat(c->root_fd, LEFTOVER_TO, 0) != 0) {
		if (errno != EACCES || fchmod(c->root_fd, (st.st_mode & 07777) | 0700) != 0 ||
			unlinkat(c->root_fd, LEFTOVER_TO, 0) != 0 ||
			fchmod(c->root_fd, st.st_mode & 07777) != 0)
			return checkout_fail("finish the folder", c->options->to, err);
	}
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (c->recorded && c->has_meta && checkout_wants_top(c))
		futimens(c->root_fd, times);
	return 0;
}

int checkout_folder_close(struct checkout *c, int rc, struct store_error *err)
{
	bool empty = false;

	if (c->mark_fd != -1 && (rc == 0 || (is_empty(c->root_fd, &empty) == 0 && empty))) {
		const int late = remove_mark(c, rc == 0 ? err : NULL);

		rc = rc == 0 ? late : rc;
	}
	io_close(&c->mark_fd);
	/* Made in vain: it goes if nothing is in it. */
	if (rc != 0 && c->made_folder)
		rmdir(c->options->to);
	return rc;
}
