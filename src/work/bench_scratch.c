/*
 * The folder of a run: made for it, open to nobody else, and removed with all that is in it however
 * the run ends. What is removed is found by descriptors below it, so a name that somebody turns
 * into a symbolic link meanwhile leads nowhere else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "data/chunker.h"
#include "graph/stage.h"
#include "odb/odb.h"
#include "odb/publish.h"
#include "work/bench_internal.h"

#define DEPTH_MAX 32 /* of what a run makes; the tree of bench_walk is deepest */

static int fail(struct bench *b, const char *what, struct store_error *err)
{
	return store_error_sys(err, "cannot %s a folder in '%s'", what, b->o.scratch);
}

int bench_scratch_make(struct bench *b, struct store_error *err)
{
	uint8_t number[16];
	int rc = hash_random(number, err);

	if (rc != 0)
		return rc;
	b->scratch_fd = open(b->o.scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->scratch_fd == -1)
		return store_error_sys(err, "cannot open '%s'", b->o.scratch);
	memcpy(b->name, "store-bench-", 12);
	for (size_t i = 0; i < 8; i++) {
		b->name[12 + 2 * i] = (char)('a' + number[i] / 16);
		b->name[13 + 2 * i] = (char)('a' + number[i] % 16);
	}
	if (mkdirat(b->scratch_fd, b->name, 0700) != 0) {
		b->name[0] = '\0';
		return fail(b, "make", err);
	}
	b->fd = openat(b->scratch_fd, b->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (b->fd == -1)
		return fail(b, "open", err);
	buf_addf(&b->path, "%s/%s", b->o.scratch, b->name);
	return b->path.failed ? store_error_set(err, STORE_ENOMEM, "out of memory") : 0;
}

/* Everything in the directory name below dirfd, and itself.  0, or -1 with errno. */
static int remove_tree(int dirfd, const char *name, unsigned int depth)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd == -1 || depth > DEPTH_MAX ? NULL : fdopendir(fd);
	const struct dirent *e;
	int rc = 0;

	if (!dir) {
		io_close(&fd);
		return -1;
	}
	while (rc == 0 && (errno = 0, e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0)
			continue;
		rc = errno == EISDIR || errno == EPERM ? remove_tree(fd, e->d_name, depth + 1) : -1;
	}
	if (rc == 0 && errno != 0)
		rc = -1;
	closedir(dir);
	return rc == 0 ? unlinkat(dirfd, name, AT_REMOVEDIR) : rc;
}

int bench_scratch_remove(struct bench *b, struct store_error *err)
{
	int rc = 0;

	io_close(&b->fd);
	if (b->name[0] && remove_tree(b->scratch_fd, b->name, 0) != 0)
		rc = store_error_sys(err, "cannot remove '%s/%s'", b->o.scratch, b->name);
	io_close(&b->scratch_fd);
	buf_release(&b->path);
	return rc;
}

static int apply_stage(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	(void)ctx;
	(void)number;
	return stage_create(txn, err);
}

int bench_scratch_odb(struct bench *b, const char *name, struct odb **out, struct store_error *err)
{
	const struct odb_options options = { .codec = { .codec = CODEC_ZLIB } };
	const struct publication first = { .apply = apply_stage };
	struct store_format format = { .avg = CHUNKER_AVG_DEFAULT };
	struct buf path = { 0 };
	int rc;

	*out = NULL;
	buf_addf(&path, "%s/%s", buf_str(&b->path), name);
	if (!buf_str(&path)) {
		buf_release(&path);
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	rc = odb_create((const char *)path.data, &format, NULL, err);
	if (rc == 0)
		rc = odb_open(out, (const char *)path.data, &options, err);
	if (rc == 0)
		rc = publish(*out, &first, NULL, err);
	buf_release(&path);
	return rc;
}
