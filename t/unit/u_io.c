/* Files: whole transfers, names that cannot escape, replacement that survives, locks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"

/*
 * Every test works in a fresh folder `dir`, which holds: file, sub/deep/file, link -> file, dirlink
 * -> sub, out -> /.
 */
static char dir_path[64];
static int dir = -1;

static void put_file(const char *name, const char *text)
{
	const int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void check_file(const char *name, const char *want)
{
	char text[200] = "";
	const int fd = openat(dir, name, O_RDONLY);

	assert_true(fd != -1);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, want);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(dir_path, sizeof(dir_path), "/tmp/u_io.XXXXXX");
	if (!mkdtemp(dir_path))
		return -1;
	dir = open(dir_path, O_RDONLY | O_DIRECTORY);
	if (dir == -1 || mkdirat(dir, "sub", 0755) != 0 || mkdirat(dir, "sub/deep", 0755) != 0)
		return -1;
	put_file("file", "one");
	put_file("sub/deep/file", "two");
	if (symlinkat("file", dir, "link") != 0 || symlinkat("sub", dir, "dirlink") != 0)
		return -1;
	return symlinkat("/", dir, "out") != 0 ? -1 : fault_load("");
}

static int drop_folder(void **state)
{
	char command[100];

	(void)state;
	close(dir);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir_path);
	return fault_load("") != 0 || system(command) != 0;
}

struct feed {
	int fd;
	const uint8_t *data;
	size_t len;
};

/* Write in crumbs of odd lengths. */
static void *feed_pipe(void *arg)
{
	const struct feed *f = arg;

	for (size_t at = 0, n = 1; at < f->len; at += n) {
		n = at * 7 % 977 + 1;
		if (n > f->len - at)
			n = f->len - at;
		if (write(f->fd, f->data + at, n) != (ssize_t)n)
			break;
	}
	close(f->fd);
	return arg;
}

static void test_io__read_full_joins_short_reads_and_interrupts(void **state)
{
	static uint8_t sent[300000], got[300001];
	struct feed feed = { -1, sent, sizeof(sent) };
	pthread_t thread;
	int fds[2];

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(pipe(fds), 0);
	feed.fd = fds[1];
	fault_load("read:1:EINTR,read:5:EINTR");
	assert_int_equal(pthread_create(&thread, NULL, feed_pipe, &feed), 0);
	assert_int_equal(io_read_full(fds[0], got, 100000), 100000);
	assert_int_equal(io_read_full(fds[0], got + 100000, 200001), 200000);
	assert_int_equal(io_read_full(fds[0], got, 10), 0);
	pthread_join(thread, NULL);
	assert_memory_equal(got, sent, sizeof(sent));
	close(fds[0]);
}

static void *drain_pipe(void *arg)
{
	struct feed *f = arg;
	uint8_t crumb[777];
	ssize_t n;

	f->len = 0;
	while ((n = read(f->fd, crumb, sizeof(crumb))) > 0)
		for (ssize_t i = 0; i < n; i++)
			f->len += crumb[i] == (uint8_t)(f->len * 13);
	return arg;
}

static void test_io__write_full_joins_short_writes_and_interrupts(void **state)
{
	static uint8_t sent[300000];
	struct feed drain = { -1, NULL, 0 };
	pthread_t thread;
	int fds[2];

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 13);
	assert_int_equal(pipe(fds), 0);
	drain.fd = fds[0];
	fault_load("write:1:EINTR");
	assert_int_equal(pthread_create(&thread, NULL, drain_pipe, &drain), 0);
	assert_int_equal(io_write_full(fds[1], sent, sizeof(sent)), 0);
	close(fds[1]);
	pthread_join(thread, NULL);
	assert_int_equal(drain.len, sizeof(sent));
	close(fds[0]);
}

static void test_io__pread_and_pwrite_at_offsets(void **state)
{
	const int fd = openat(dir, "sparse", O_RDWR | O_CREAT, 0600);
	char text[8] = "";

	(void)state;
	assert_int_equal(io_pwrite_full(fd, "hello", 5, (uint64_t)5 << 30), 0);
	assert_int_equal(io_pread_full(fd, text, 8, (uint64_t)5 << 30), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(io_pread_full(fd, text, 8, (uint64_t)6 << 30), 0);
	errno = 0;
	assert_int_equal(io_pread_full(fd, text, 8, UINT64_MAX - 3), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(io_pwrite_full(fd, text, 8, (uint64_t)INT64_MAX - 3), -1);
	assert_int_equal(errno, EINVAL);
	fault_load("write:1:ENOSPC,read:1:EIO");
	assert_int_equal(io_pwrite_full(fd, text, 8, 0), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(io_pread_full(fd, text, 8, 0), -1);
	assert_int_equal(errno, EIO);
	close(fd);
}

static const struct {
	const char *path;
	int flags, want; /* want: 0 or errno */
} names[] = {
	{ "file", O_RDONLY, 0 },
	{ "./file", O_RDONLY, 0 },
	{ "sub/deep/file", O_RDONLY, 0 },
	{ "sub//deep/./file", O_RDONLY, 0 },
	{ "sub", O_RDONLY | O_DIRECTORY, 0 },
	{ "sub/", O_RDONLY, 0 },
	{ "sub/.", O_RDONLY | O_DIRECTORY, 0 },
	{ ".", O_RDONLY | O_DIRECTORY, 0 },
	{ "./", O_RDONLY, 0 },
	{ "sub/deep", O_PATH, 0 },
	{ "file", O_PATH | O_NOFOLLOW, 0 },
	{ "link", O_PATH | O_NOFOLLOW, 0 },
	{ "sub/new", O_WRONLY | O_CREAT | O_EXCL, 0 },
	{ "", O_RDONLY, ENOENT },
	{ "none", O_RDONLY, ENOENT },
	{ "none/file", O_RDONLY, ENOENT },
	{ "file/x", O_RDONLY, ENOTDIR },
	{ "file/", O_RDONLY, ENOTDIR },
	{ "file", O_RDONLY | O_DIRECTORY, ENOTDIR },
	{ "link", O_RDONLY, ELOOP },
	{ "link", O_RDONLY | O_NOFOLLOW, ELOOP },
	{ "link", O_RDONLY | O_DIRECTORY, ELOOP },
	{ "link", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, ELOOP },
	{ "link", O_PATH, ELOOP },
	{ "link", O_WRONLY | O_CREAT, ELOOP },
	{ "link", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
	{ "file", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
	{ "dirlink", O_RDONLY | O_DIRECTORY, ELOOP },
	{ "dirlink/deep/file", O_RDONLY, ELOOP },
	{ "dirlink/", O_RDONLY, ELOOP },
	{ "out", O_RDONLY, ELOOP },
	{ "out/etc/passwd", O_RDONLY, ELOOP },
	{ "/", O_RDONLY, EXDEV },
	{ "/etc/passwd", O_RDONLY, EXDEV },
	{ "..", O_RDONLY, EXDEV },
	{ "../x", O_RDONLY, EXDEV },
	{ "sub/..", O_RDONLY, EXDEV },
	{ "sub/../file", O_RDONLY, EXDEV },
	{ "sub/deep/../../../etc", O_RDONLY, EXDEV },
	{ "newdir/", O_WRONLY | O_CREAT, EISDIR },
};

static void check_names(const char *way)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd;

		errno = 0;
		fd = io_open_beneath(dir, names[i].path, names[i].flags, 0644);
		if ((fd == -1 ? errno : 0) != names[i].want)
			fail_msg("%s: '%s' gave %s, not %s", way, names[i].path,
				strerror(fd == -1 ? errno : 0), strerror(names[i].want));
		if (fd != -1) {
			assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
			close(fd);
		}
		unlinkat(dir, "sub/new", 0);
	}
}

static void test_io__open_beneath_by_openat2(void **state)
{
	(void)state;
	check_names("openat2");
}

static void test_io__open_beneath_by_walk_answers_alike(void **state)
{
	(void)state;
	fault_load("openat2:1+:ENOSYS");
	check_names("no openat2");
	fault_load("openat2:1+:EPERM");
	check_names("forbidden openat2");
}

static void test_io__open_beneath_honours_mode_and_umask(void **state)
{
	static const char *const plans[] = { "", "openat2:1+:ENOSYS" };
	const mode_t old = umask(027);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stat st;
		int fd;

		fault_load(plans[i]);
		fd = io_open_beneath(dir, "sub/new", O_WRONLY | O_CREAT | O_EXCL, 0777);
		assert_true(fd != -1);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0750);
		close(fd);
		assert_int_equal(unlinkat(dir, "sub/new", 0), 0);
	}
	umask(old);
}

/* A path three times PATH_MAX, by both ways, and descriptors counted. */
static void test_io__open_beneath_of_paths_beyond_path_max(void **state)
{
	static const char *const plans[] = { "", "openat2:1+:ENOSYS" };
	const size_t depth = 60;
	char component[202], *path = calloc(depth + 1, sizeof(component));
	int at = dup(dir), lowest;

	(void)state;
	memset(component, 'd', 200);
	component[200] = '/';
	component[201] = '\0';
	for (size_t i = 0; i < depth; i++) {
		int next;

		assert_int_equal(mkdirat(at, component, 0755), 0);
		next = openat(at, component, O_RDONLY | O_DIRECTORY);
		assert_true(next != -1);
		close(at);
		at = next;
		memcpy(path + 201 * i, component, 201);
	}
	close(at);
	memcpy(path + 201 * depth, "leaf", 5);
	assert_true(strlen(path) > 3 * (size_t)PATH_MAX - 300);

	lowest = dup(0);
	close(lowest);
	for (size_t i = 0; i < 2; i++) {
		int fd;

		fault_load(plans[i]);
		fd = io_open_beneath(dir, path, O_RDWR | O_CREAT, 0644);
		assert_true(fd != -1);
		close(fd);
		path[201 * depth - 2] = 'e';
		assert_int_equal(io_open_beneath(dir, path, O_RDONLY, 0), -1);
		assert_int_equal(errno, ENOENT);
		path[201 * depth - 2] = 'd';
		path[201 * depth] = '\0';
		fd = io_open_beneath(dir, path, O_RDONLY | O_DIRECTORY, 0);
		assert_true(fd != -1);
		close(fd);
		path[201 * depth] = 'l';

		/* Nothing that was opened on the way is still open. */
		fd = dup(0);
		assert_int_equal(fd, lowest);
		close(fd);
	}
	free(path);
}

static void test_io__open_beneath_refuses_names_too_long(void **state)
{
	static const char *const plans[] = { "", "openat2:1+:ENOSYS" };
	char *path = malloc(9001);

	(void)state;
	memset(path, 'x', 9000);
	for (size_t i = 0; i < 2; i++) {
		fault_load(plans[i]);
		path[9000] = '\0';
		assert_int_equal(io_open_beneath(dir, path, O_RDONLY, 0), -1);
		assert_int_equal(errno, ENAMETOOLONG);
		path[256] = '\0';
		assert_int_equal(io_open_beneath(dir, path, O_RDONLY, 0), -1);
		assert_int_equal(errno, ENAMETOOLONG);
		path[255] = '\0';
		assert_int_equal(io_open_beneath(dir, path, O_RDONLY, 0), -1);
		assert_int_equal(errno, ENOENT);
		path[255] = path[256] = 'x';
	}
	free(path);
}

static void test_io__read_file_whole_or_refused(void **state)
{
	struct store_error err = { 0 };
	struct buf b = { 0 };

	(void)state;
	buf_add_str(&b, "old");
	assert_int_equal(io_read_file(dir, "file", 3, &b, &err), 0);
	assert_string_equal(buf_str(&b), "one");
	assert_int_equal(io_read_file(dir, "file", SIZE_MAX, &b, &err), 0);
	assert_int_equal(b.len, 3);
	assert_int_equal(io_read_file(dir, "file", 2, &b, &err), STORE_EINVAL);
	assert_string_equal(err.msg, "'file' is larger than 2 bytes");
	assert_int_equal(b.len, 0);
	assert_int_equal(io_read_file(dir, "none", 10, &b, &err), STORE_ENOTFOUND);
	assert_string_equal(err.msg, "cannot open 'none': No such file or directory");
	assert_int_equal(io_read_file(dir, "sub", 10, &b, &err), STORE_EINVAL);
	assert_int_equal(io_read_file(dir, "link", 10, &b, &err), STORE_EINVAL);
	put_file("empty", "");
	assert_int_equal(io_read_file(dir, "empty", 0, &b, &err), 0);
	assert_int_equal(b.len, 0);
	fault_load("read:1:EIO");
	assert_int_equal(io_read_file(dir, "file", 10, &b, &err), STORE_EIO);
	assert_string_equal(err.msg, "cannot read 'file': Input/output error");
	fault_load("malloc:1:ENOMEM");
	buf_release(&b);
	assert_int_equal(io_read_file(dir, "file", 10, &b, &err), STORE_ENOMEM);
	buf_release(&b);
}

static void test_io__read_file_of_every_size(void **state)
{
	static uint8_t data[20000];
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 >> 2);
	for (size_t len = 0; len < sizeof(data); len += 511) {
		const int fd = openat(dir, "big", O_WRONLY | O_CREAT | O_TRUNC, 0644);

		assert_int_equal(io_write_full(fd, data, len), 0);
		close(fd);
		assert_int_equal(io_read_file(dir, "big", len, &b, NULL), 0);
		assert_int_equal(b.len, len);
		if (len > 0) {
			assert_memory_equal(b.data, data, len);
			assert_int_equal(io_read_file(dir, "big", len - 1, &b, NULL), STORE_EINVAL);
		}
	}
	buf_release(&b);
}

/* A file of /proc says 0 bytes and holds more, as one does that grows after the stat. */
static void test_io__read_file_trusts_no_size(void **state)
{
	const int proc = open("/proc", O_RDONLY | O_DIRECTORY);
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(io_read_file(proc, "version", 4096, &b, NULL), 0);
	assert_true(b.len > 10);
	assert_memory_equal(b.data, "Linux", 5);
	assert_int_equal(io_read_file(proc, "version", b.len, &b, NULL), 0);
	assert_int_equal(io_read_file(proc, "version", b.len - 1, &b, NULL), STORE_EINVAL);
	buf_release(&b);
	close(proc);
}

static void test_io__read_file_does_not_hang_on_a_fifo(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	alarm(5);
	assert_int_equal(io_read_file(dir, "fifo", 10, &b, NULL), STORE_EINVAL);
	alarm(0);
	buf_release(&b);
}

static void test_io__replace_writes_and_leaves_no_temporary(void **state)
{
	struct stat st;

	(void)state;
	put_file("tmp", "left by a crash");
	assert_int_equal(io_replace(dir, "file", "tmp", "new", 3, 0444, NULL), 0);
	check_file("file", "new");
	assert_int_equal(fstatat(dir, "file", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0444);
	assert_int_equal(faccessat(dir, "tmp", F_OK, 0), -1);
	assert_int_equal(io_replace(dir, "fresh", "tmp", "", 0, 0600, NULL), 0);
	check_file("fresh", "");
}

static void test_io__replace_wants_plain_names(void **state)
{
	(void)state;
	assert_int_equal(io_replace(dir, "sub/file", "tmp", "x", 1, 0600, NULL), STORE_EINVAL);
	assert_int_equal(io_replace(dir, "file", "sub/tmp", "x", 1, 0600, NULL), STORE_EINVAL);
	check_file("file", "one");
}

/*
 * Every step that can fail does: the old content stands, or after the rename the new; never a
 * temporary.
 */
static void test_io__replace_failing_at_each_step(void **state)
{
	static const struct {
		const char *plan, *want;
		int rc;
	} steps[] = {
		{ "open:1:EACCES", "one", STORE_EDENIED },
		{ "write:1:ENOSPC", "one", STORE_ENOSPACE },
		{ "fsync:1:EIO", "one", STORE_EIO },
		{ "close:1:EIO", "one", STORE_EIO },
		{ "rename:1:EROFS", "one", STORE_EDENIED },
		{ "fsync:2:EIO", "new", STORE_EIO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct store_error err = { 0 };

		put_file("file", "one");
		fault_load(steps[i].plan);
		assert_int_equal(io_replace(dir, "file", "tmp", "new", 3, 0644, &err), steps[i].rc);
		assert_int_equal(err.code, steps[i].rc);
		assert_true(err.msg[0] != '\0');
		check_file("file", steps[i].want);
		assert_int_equal(faccessat(dir, "tmp", F_OK, 0), -1);
	}
}

static void test_io__replace_killed_at_each_step_is_whole(void **state)
{
	static const struct {
		const char *plan, *want;
	} steps[] = {
		{ "write:1:kill", "one" },
		{ "fsync:1:kill", "one" },
		{ "rename:1:kill", "one" },
		{ "fsync:2:kill", "new" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int status;
		pid_t child;

		put_file("file", "one");
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			fault_load(steps[i].plan);
			io_replace(dir, "file", "tmp", "new", 3, 0644, NULL);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		check_file("file", steps[i].want);
		assert_int_equal(io_replace(dir, "file", "tmp", "after", 5, 0644, NULL), 0);
		check_file("file", "after");
	}
}

static void test_io__sync_can_be_switched_off_for_tests_only_by_zero(void **state)
{
	(void)state;
	unsetenv("STORE_TEST_FSYNC");
	assert_int_equal(io_sync(-1), -1);
	assert_int_equal(errno, EBADF);
	setenv("STORE_TEST_FSYNC", "1", 1);
	assert_int_equal(io_datasync(-1), -1);
	setenv("STORE_TEST_FSYNC", "0", 1);
	assert_int_equal(io_sync(-1), 0);
	assert_int_equal(io_datasync(-1), 0);
	fault_load("fsync:1:EINTR,fsync:2:EIO");
	assert_int_equal(io_sync(dir), -1);
	assert_int_equal(errno, EIO);
	unsetenv("STORE_TEST_FSYNC");
}

static void test_io__close_once(void **state)
{
	int fd = dup(dir), copy = fd, bad = 9999;

	(void)state;
	assert_int_equal(io_close(&fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(copy, F_GETFD), -1);
	assert_int_equal(io_close(&fd), 0);
	assert_int_equal(io_close(&bad), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(bad, -1);
}

static void test_io__locks_belong_to_descriptions(void **state)
{
	const int a = openat(dir, "file", O_RDWR), b = openat(dir, "file", O_RDWR);
	int status, gone;
	pid_t child;

	(void)state;
	assert_int_equal(io_lock_held(a), 0);
	assert_int_equal(io_lock_try(a, true), 0);
	assert_int_equal(io_lock_try(a, true), 0);
	assert_int_equal(io_lock_held(a), 0);
	assert_int_equal(io_lock_held(b), 1);
	assert_int_equal(io_lock_try(b, true), 1);
	assert_int_equal(io_lock_try(b, false), 1);
	assert_int_equal(io_unlock(a), 0);
	assert_int_equal(io_lock_try(a, false), 0);
	assert_int_equal(io_lock_try(b, false), 0);
	assert_int_equal(io_lock_try(b, true), 1);
	assert_int_equal(io_unlock(a), 0);
	assert_int_equal(io_unlock(b), 0);
	assert_int_equal(io_lock_try(-1, true), -1);

	/* The kernel drops the lock of a process that dies. */
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		gone = openat(dir, "file", O_RDWR);
		if (io_lock_try(gone, true) != 0)
			_exit(1);
		_exit(io_lock_held(a) == 1 ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(io_lock_try(b, true), 0);
	close(a);
	close(b);
}

#define IO_TEST(name) cmocka_unit_test_setup_teardown(test_io__##name, make_folder, drop_folder)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IO_TEST(read_full_joins_short_reads_and_interrupts),
		IO_TEST(write_full_joins_short_writes_and_interrupts),
		IO_TEST(pread_and_pwrite_at_offsets),
		IO_TEST(open_beneath_by_openat2),
		IO_TEST(open_beneath_by_walk_answers_alike),
		IO_TEST(open_beneath_honours_mode_and_umask),
		IO_TEST(open_beneath_of_paths_beyond_path_max),
		IO_TEST(open_beneath_refuses_names_too_long),
		IO_TEST(read_file_whole_or_refused),
		IO_TEST(read_file_of_every_size),
		IO_TEST(read_file_trusts_no_size),
		IO_TEST(read_file_does_not_hang_on_a_fifo),
		IO_TEST(replace_writes_and_leaves_no_temporary),
		IO_TEST(replace_wants_plain_names),
		IO_TEST(replace_failing_at_each_step),
		IO_TEST(replace_killed_at_each_step_is_whole),
		IO_TEST(sync_can_be_switched_off_for_tests_only_by_zero),
		IO_TEST(close_once),
		IO_TEST(locks_belong_to_descriptions),
	};

	unsetenv("STORE_TEST_FSYNC");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
