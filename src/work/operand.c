/*
 * Operands as typed to paths of the working tree.
 *
 * Words alone decide: a symlink within the tree stays a name, so that a path beyond one can be
 * refused where it is used and never means a file elsewhere. Only an absolute operand that does not
 * begin with the path of the working tree is looked
 * at: one of the folders it names may be the working tree by another name (/home being a link, a
 * bind mount).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/quote.h"
#include "data/limits.h"
#include "work/repo_internal.h"

/*
 * Append the names of words to out, which holds names joined by '/'. False: it leads above the top.
 */
static bool add_names(struct buf *out, const char *words)
{
	while (*words) {
		const size_t n = strcspn(words, "/");

		if (n == 2 && words[0] == '.' && words[1] == '.') {
			if (out->len == 0)
				return false;
			while (out->len > 0 && out->data[--out->len] != '/')
				;
		} else if (n > 0 && !(n == 1 && words[0] == '.')) {
			if (out->len > 0)
				buf_add_u8(out, '/');
			buf_add(out, words, n);
		}
		words += n;
		words += *words == '/';
	}
	return true;
}

static int refuse(const char *operand, struct store_error *err)
{
	char shown[200];

	return store_error_set(err, STORE_EINVAL, "'%s' is outside of the working tree",
		quote_msg(shown, sizeof(shown), operand, strlen(operand)));
}

int operand_join(const char *base, const char *words, char **out, struct store_error *err)
{
	struct buf path = { 0 };
	const bool inside = add_names(&path, base) && add_names(&path, words);

	*out = buf_str(&path);
	if (path.failed || !*out) {
		buf_release(&path);
		*out = NULL;
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	if (!inside) {
		buf_release(&path);
		*out = NULL;
		return refuse(words, err);
	}
	return 0;
}

const char *operand_below(const char *top, const char *path)
{
	const size_t n = strlen(top);

	if (n == 1) /* the root */
		return path + 1;
	if (strncmp(path, top, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	return path[n] == '/' ? path + n + 1 : path + n;
}

/* A limit of the format that a path is over: how long it is, and how long it may be. */
static int refuse_length(const char *what, const char *text, size_t len, unsigned int limit,
	struct store_error *err)
{
	char shown[100];

	return store_error_set(err, STORE_EINVAL,
		"the %s '%s' has %zu bytes; at most %u can be stored", what,
		quote_msg(shown, sizeof(shown), text, len), len, limit);
}

static int check_name(const char *name, size_t len, const char *path, struct store_error *err)
{
	char shown[200];

	if (len > LIMIT_NAME)
		return refuse_length("name", name, len, LIMIT_NAME, err);
	quote_msg(shown, sizeof(shown), path, strlen(path));
	if (len == 0 || (len == 1 && name[0] == '.') ||
		(len == 2 && name[0] == '.' && name[1] == '.'))
		return store_error_set(err, STORE_EINVAL, "'%s' is no path of a file", shown);
	if (len == 6 && memcmp(name, ".store", 6) == 0)
		return store_error_set(err, STORE_EINVAL,
			"'%s' is in a repository's own folder and is never stored", shown);
	return 0;
}

int operand_check(const char *path, struct store_error *err)
{
	const size_t whole = path ? strlen(path) : 0;
	char shown[200];
	int rc = 0;

	if (whole == 0)
		return store_error_set(err, STORE_EINVAL,
			"the top of the working tree is a directory, and a path of a file is wanted");
	if (whole > LIMIT_PATH)
		return refuse_length("path", path, whole, LIMIT_PATH, err);
	if (path[whole - 1] == '/')
		return store_error_set(err, STORE_EINVAL, "'%s' is no path of a file",
			quote_msg(shown, sizeof(shown), path, whole));
	for (const char *name = path, *end; rc == 0 && *name != '\0'; name = end + (*end == '/')) {
		end = name + strcspn(name, "/");
		rc = check_name(name, (size_t)(end - name), path, err);
	}
	return rc;
}

/*
 * The rest of an absolute path behind the first of its folders that is the working tree, or NULL.
 */
static const char *find_below(int work_fd, char *path)
{
	struct stat top, st;

	if (fstat(work_fd, &top) != 0)
		return NULL;
	for (char *p = path; *p; p++) {
		int rc;

		if (p[1] != '/' && p[1] != '\0')
			continue;
		if (p[1] == '/') {
			p[1] = '\0';
			rc = stat(path, &st);
			p[1] = '/';
		} else {
			rc = stat(path, &st);
		}
		if (rc != 0)
			return NULL;
		if (st.st_dev == top.st_dev && st.st_ino == top.st_ino)
			return p[1] == '/' ? p + 2 : p + 1;
	}
	return NULL;
}

int store_operand(const struct store_repo *repo, const char *operand, char **out_path,
	struct store_error *err)
{
	const struct repo_handle *handle = (const struct repo_handle *)repo;
	char *names = NULL, *path = NULL;
	const char *below;
	struct buf full = { 0 };
	int rc;

	*out_path = NULL;
	rc = operand_join(operand[0] == '/' ? "" : handle->start, operand, &names, NULL);
	if (rc != 0) {
		rc = rc == STORE_EINVAL ? refuse(operand, err)
					: store_error_set(err, rc, "out of memory");
		goto out;
	}
	buf_addf(&full, "/%s", names);
	path = buf_str(&full);
	if (!path) {
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
		goto out;
	}
	below = operand_below(repo->work_tree, path);
	if (!below && operand[0] == '/')
		below = find_below(repo->work_fd, path);
	if (!below) {
		rc = refuse(operand, err);
		goto out;
	}
	*out_path = strdup(below);
	if (!*out_path)
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
out:
	free(names);
	buf_release(&full);
	return rc;
}
