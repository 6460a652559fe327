/*
 * mirror DIR [REV]: make a plain directory equal to a revision, and keep it so.
 *
 * The file DIR.rev names the commit that DIR was made equal to; the next run asks for the
 *difference from that one to REV (HEAD when not given) and touches only what differs, so it costs
 *what has changed. What is deleted goes first, then what is new comes, each file as a whole: it is
 *written beside its place and renamed. A run that was ended does the same steps once more. Nothing
 *below DIR is reached through a symbolic link. `store checkout --to DIR REV` does it all anew.
 *
 *	cc -o mirror mirror.c $(pkg-config --cflags --libs store)
 *	cd my/work && ../mirror /srv/www main
 */
#include <store.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char temporary[] = ".mirror-new";

struct mirror {
	struct store_repo *repo;
	struct store_error err;
	int top;             /* of DIR */
	const char *old_rev; /* NULL: nothing is there yet */
	const char *new_rev;
	unsigned long long removed, written, bytes;
};

/* An errno as an error of the library, so that there is one kind. */
static int failed(struct mirror *m, const char *what, const char *path)
{
	m->err.code = STORE_EIO;
	m->err.sys = errno;
	snprintf(m->err.msg, sizeof(m->err.msg), "cannot %s '%.300s': %s", what, path,
		strerror(errno));
	return STORE_EIO;
}

/*
 * The folder that holds path, as a descriptor, and the last name of path in *name; folders that are
 * missing are made when make is set. -1, with errno: ENOENT where there is none.
 */
static int open_parent(const struct mirror *m, const char *path, int make, const char **name)
{
	int fd = dup(m->top);

	for (const char *slash; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
		char part[256] = { 0 };
		int next;

		/* Names of a repository are at most 255 bytes long. */
		memcpy(part, path, (size_t)(slash - path));
		if (make)
			(void)!mkdirat(fd, part, 0777);
		next = openat(fd, part, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	*name = path;
	return fd;
}

/* Has the new revision a directory at path?  A difference tells of directories that come and go
 * only. */
static int is_kept(struct mirror *m, const char *path)
{
	struct store_target target = { 0 };
	char name[STORE_HEX_LEN + 4100];
	int kept;

	snprintf(name, sizeof(name), "%s:%s", m->new_rev, path);
	kept = store_resolve(m->repo, name, 0, &target, &m->err) == 0 &&
		target.node.kind == STORE_KIND_DIR;
	store_target_clear(&target);
	return kept;
}

/* Folders above path that hold nothing any more, and that the revision does not keep, go, too. */
static void prune(struct mirror *m, char *path)
{
	int rc = 0;

	for (char *slash; rc == 0 && (slash = strrchr(path, '/'));) {
		const char *name;
		int fd;

		*slash = '\0';
		fd = open_parent(m, path, 0, &name);
		rc = fd < 0 ? -1 : unlinkat(fd, name, AT_REMOVEDIR);
		if (rc == 0 && is_kept(m, path))
			rc = mkdirat(fd, name, 0777) == 0 ? 1 : -1;
		if (fd >= 0)
			close(fd);
	}
}

static int remove_entry(struct mirror *m, const struct store_diff_entry *e)
{
	const char *name;
	char *path = strdup(e->path);
	const int fd = open_parent(m, e->path, 0, &name);
	int rc = 0;

	if (!path)
		rc = failed(m, "remember", e->path);
	else if (fd >= 0 &&
		unlinkat(fd, name, e->old_side.kind == STORE_KIND_DIR ? AT_REMOVEDIR : 0) != 0 &&
		errno != ENOENT && errno != ENOTEMPTY)
		rc = failed(m, "remove", e->path);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		prune(m, path);
	free(path);
	m->removed++;
	return rc;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		const ssize_t put = write(fd, data, len);

		if (put < 0 && errno != EINTR)
			return -1;
		if (put > 0) {
			data += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

/* The content of r into fd; the path is for the message. */
static int write_content(struct mirror *m, struct store_reader *r, int fd, const char *path)
{
	const void *data;
	size_t len;
	int rc;

	while ((rc = store_reader_chunk(r, &data, &len, &m->err)) == 0 && len > 0) {
		if (write_all(fd, data, len) != 0)
			return failed(m, "write", path);
		m->bytes += len;
	}
	return rc;
}

static int write_file(struct mirror *m, struct store_reader *r, int dir,
	const struct store_diff_entry *e)
{
	const mode_t mode = e->new_side.kind == STORE_KIND_EXEC ? 0777 : 0666;
	const int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int rc;

	if (fd < 0)
		return failed(m, "create", e->path);
	rc = write_content(m, r, fd, e->path);
	if (fsync(fd) != 0 && rc == 0)
		rc = failed(m, "write", e->path);
	if (close(fd) != 0 && rc == 0)
		rc = failed(m, "write", e->path);
	return rc;
}

static int write_link(struct mirror *m, struct store_reader *r, int dir,
	const struct store_diff_entry *e)
{
	char target[4097] = { 0 };
	size_t len = 0, got = 1;

	while (len < sizeof(target) - 1 && got > 0) {
		const int rc = store_reader_read(r, target + len, sizeof(target) - 1 - len, &got,
			&m->err);

		if (rc != 0)
			return rc;
		len += got;
	}
	return symlinkat(target, dir, temporary) == 0 ? 0 : failed(m, "link", e->path);
}

static int write_entry(struct mirror *m, const struct store_diff_entry *e)
{
	struct store_reader *r = NULL;
	const char *name;
	const int dir = open_parent(m, e->path, 1, &name);
	int rc = 0;

	if (dir < 0)
		return failed(m, "reach", e->path);
	if (e->new_side.kind == STORE_KIND_DIR) {
		if (mkdirat(dir, name, 0777) != 0 && errno != EEXIST)
			rc = failed(m, "create", e->path);
		close(dir);
		return rc;
	}
	/* What a run that was ended left. */
	unlinkat(dir, temporary, 0);
	rc = store_reader_open(m->repo, &e->new_side.node, &r, &m->err);
	if (rc == 0)
		rc = (e->new_side.kind == STORE_KIND_LINK ? write_link : write_file)(m, r, dir, e);
	store_reader_free(r);
	if (rc == 0 && renameat(dir, temporary, dir, name) != 0)
		rc = failed(m, "replace", e->path);
	if (rc != 0)
		unlinkat(dir, temporary, 0);
	close(dir);
	m->written++;
	return rc;
}

/* Go through what differs, and take the step for each entry that has one of the letters. */
static int each_difference(struct mirror *m, const char *letters,
	int (*step)(struct mirror *m, const struct store_diff_entry *e))
{
	const struct store_diff_options options = {
		.form = m->old_rev ? STORE_DIFF_COMMIT_COMMIT : STORE_DIFF_FROM_NOTHING,
		.old_rev = m->old_rev,
		.new_rev = m->new_rev,
	};
	struct store_diff_iter *it = NULL;
	struct store_diff_entry e;
	int rc = store_diff_open(m->repo, &options, &it, &m->err);

	while (rc == 0) {
		rc = store_diff_next(it, &e, &m->err);
		if (rc == STORE_ENOTFOUND) {
			rc = 0;
			break;
		}
		if (rc == 0 && strchr(letters, e.letter))
			rc = step(m, &e);
	}
	store_diff_free(it);
	return rc;
}

/* The commit that DIR was made equal to, from DIR.rev into hex; 0: there is none. */
static int read_state(const char *path, char hex[STORE_HEX_LEN + 1])
{
	FILE *f = fopen(path, "r");
	const size_t n = f ? fread(hex, 1, STORE_HEX_LEN, f) : 0;

	if (f)
		fclose(f);
	hex[n] = '\0';
	return n == STORE_HEX_LEN;
}

static int write_state(struct mirror *m, const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int rc = fd >= 0 && write_all(fd, m->new_rev, STORE_HEX_LEN) == 0 && fsync(fd) == 0 ? 0
											    : -1;

	if (fd >= 0 && close(fd) != 0)
		rc = -1;
	return rc == 0 ? 0 : failed(m, "write", path);
}

static int mirror(struct mirror *m, const char *dir, const char *rev)
{
	char old[STORE_HEX_LEN + 1], new[STORE_HEX_LEN + 1], state[4096];
	struct store_id id;
	int rc = store_rev_parse(m->repo, rev, &id, &m->err);

	if (rc != 0)
		return rc;
	if ((size_t)snprintf(state, sizeof(state), "%s.rev", dir) >= sizeof(state)) {
		errno = ENAMETOOLONG;
		return failed(m, "name", dir);
	}
	m->new_rev = store_id_hex(new, &id);
	m->old_rev = read_state(state, old) ? old : NULL;
	if (!m->old_rev)
		(void)!mkdir(dir, 0777);
	m->top = open(dir, O_DIRECTORY | O_CLOEXEC);
	if (m->top < 0)
		return failed(m, "open", dir);
	rc = each_difference(m, "D", remove_entry);
	if (rc == 0)
		rc = each_difference(m, "AMT", write_entry);
	if (rc == 0)
		rc = write_state(m, state);
	close(m->top);
	return rc;
}

int main(int argc, char **argv)
{
	struct mirror m = { 0 };
	int rc;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: mirror DIR [REV]\n");
		return 2;
	}
	rc = store_open(&m.repo, NULL, &m.err);
	if (rc == 0)
		rc = mirror(&m, argv[1], argc == 3 ? argv[2] : "HEAD");
	store_close(m.repo);
	if (rc != 0) {
		fprintf(stderr, "mirror: %s\n", m.err.msg);
		return 1;
	}
	printf("%llu removed, %llu written, %llu bytes\n", m.removed, m.written, m.bytes);
	return 0;
}
