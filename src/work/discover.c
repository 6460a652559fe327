/*
 * Where a repository is: here, or in a folder above.
 *
 * The way up goes by descriptors (".." of the one before), so it works from a current directory
 * whose path is longer than PATH_MAX; the path is only cut in step with it, to be told. A folder
 * .store without its file `format` is no repository (an init that was cut short leaves one); the
 * search goes on, and if it finds nothing, says so.
 *
 * STORE_CEILING_DIRECTORIES, as git's: absolute paths separated by ':'; the search does not enter
 * one of them from below, but looks at the folder it begins in even if that is one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/io.h"
#include "base/quote.h"
#include "work/repo_internal.h"

#define STORE_NAME ".store"

enum found {
	FOUND_NOTHING,
	FOUND_PART, /* a .store without format */
	FOUND,
};

static enum found look_in(int fd)
{
	struct stat st;

	if (fstatat(fd, STORE_NAME "/format", &st, 0) == 0)
		return FOUND;
	/* One that may not be looked into is one: opening it tells why it cannot be used. */
	if (errno == EACCES && fstatat(fd, STORE_NAME, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return FOUND;
	return fstatat(fd, STORE_NAME, &st, 0) == 0 && S_ISDIR(st.st_mode) ? FOUND_PART
									   : FOUND_NOTHING;
}

char *discover_real_path(const char *path)
{
	return path ? realpath(path, NULL) : getcwd(NULL, 0);
}

static char *copy_joined(const char *folder, const char *name)
{
	struct buf b = { 0 };

	buf_addf(&b, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
	if (b.failed || !buf_str(&b)) {
		buf_release(&b);
		return NULL;
	}
	return (char *)b.data;
}

/* Length of the longest ceiling that is a folder above start; 0: none. */
static size_t find_ceiling(const char *start)
{
	const char *list = getenv("STORE_CEILING_DIRECTORIES");
	size_t best = 0;

	while (list && *list) {
		const size_t n = strcspn(list, ":");
		char *entry = strndup(list, n), *real = NULL;
		const char *below;

		if (entry && entry[0] == '/')
			real = realpath(entry, NULL);
		below = real ? operand_below(real, start) : NULL;
		if (below && *below && strlen(real) > best)
			best = strlen(real);
		free(real);
		free(entry);
		list += n + (list[n] == ':');
	}
	return best;
}

/* Cut the last name off an absolute path.  False at the root. */
static bool cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || path[1] == '\0')
		return false;
	slash[slash == path ? 1 : 0] = '\0';
	return true;
}

static int go_up(int *fd)
{
	const int up = openat(*fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

	io_close(fd);
	*fd = up;
	return up == -1 ? -1 : 0;
}

/*
 * Cut path until a repository is in it. *part (may be NULL): the first folder with half a one.
 * STORE_ENOTFOUND without message.
 */
static int search(int *fd, char *path, char **part)
{
	const size_t ceiling = find_ceiling(path);

	for (;;) {
		const enum found found = look_in(*fd);

		if (found == FOUND)
			return 0;
		if (found == FOUND_PART && part && !*part)
			*part = copy_joined(path, STORE_NAME);
		if (!cut_name(path) || strlen(path) <= ceiling || go_up(fd) != 0)
			return STORE_ENOTFOUND;
	}
}

static int tell_nothing(const char *start, const char *part, struct store_error *err)
{
	char shown[250];

	if (part)
		return store_error_set(err, STORE_ENOTFOUND,
			"'%s' is no repository: 'store init' was cut short there; run it again",
			quote_msg(shown, sizeof(shown), part, strlen(part)));
	return store_error_set(err, STORE_ENOTFOUND,
		"there is no repository in '%s' or above; run 'store init' to make one",
		quote_msg(shown, sizeof(shown), start, strlen(start)));
}

static int search_from(struct discovery *out, const char *start, struct store_error *err)
{
	char *path = strdup(out->start), *part = NULL;
	int fd = open(start ? start : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (!path) {
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	} else if (fd == -1) {
		rc = store_error_sys(err, "cannot open '%s'", out->start);
	} else {
		rc = search(&fd, path, &part);
		if (rc != 0)
			rc = tell_nothing(out->start, part, err);
	}
	if (rc == 0 && path) {
		out->store_dir = copy_joined(path, STORE_NAME);
		out->work_tree = path;
		path = NULL;
		if (!out->store_dir)
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	io_close(&fd);
	free(part);
	free(path);
	return rc;
}

static int take_named(struct discovery *out, const char *store_dir, struct store_error *err)
{
	char shown[250];

	out->store_dir = realpath(store_dir, NULL);
	if (!out->store_dir && (errno == ENOENT || errno == ENOTDIR))
		return store_error_set(err, STORE_ENOTFOUND,
			"there is no repository at '%s'; run 'store init' to make one",
			quote_msg(shown, sizeof(shown), store_dir, strlen(store_dir)));
	if (!out->store_dir)
		return store_error_sys(err, "cannot open '%s'",
			quote_msg(shown, sizeof(shown), store_dir, strlen(store_dir)));
	out->work_tree = strdup(out->store_dir);
	if (!out->work_tree)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	cut_name(out->work_tree);
	return 0;
}

int discover_repository(struct discovery *out, const char *start, const char *store_dir,
	struct store_error *err)
{
	char shown[250];

	*out = (struct discovery){ 0 };
	out->start = discover_real_path(start);
	if (!out->start) {
		const char *name = start ? start : ".";

		return store_error_sys(err, "cannot open '%s'",
			quote_msg(shown, sizeof(shown), name, strlen(name)));
	}
	return store_dir ? take_named(out, store_dir, err) : search_from(out, start, err);
}

void discover_release(struct discovery *d)
{
	free(d->start);
	free(d->store_dir);
	free(d->work_tree);
	*d = (struct discovery){ 0 };
}

bool discover_is_inside(const char *path)
{
	char *at = strdup(path);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool inside = false;

	if (at && fd != -1) {
		const size_t ceiling = find_ceiling(at);

		if (cut_name(at) && strlen(at) > ceiling && go_up(&fd) == 0)
			inside = search(&fd, at, NULL) == 0;
	}
	io_close(&fd);
	free(at);
	return inside;
}
