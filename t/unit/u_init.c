/* Making, finding and opening repositories, whatever a crash left of an init; operands as typed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "repo_fixture.h"
#include "work/repo_internal.h"

/* A folder with nothing in it; fixture_dir is not yet a repository. */
static int make_folder(void **state)
{
	(void)state;
	unsetenv("STORE_DIR");
	unsetenv("STORE_CEILING_DIRECTORIES");
	unsetenv("STORE_CHECK_CLOSURE");
	unsetenv("XDG_CONFIG_HOME");
	snprintf(fixture_dir, sizeof(fixture_dir), "/tmp/u_init.XXXXXX");
	if (!mkdtemp(fixture_dir))
		return -1;
	return setenv("HOME", fixture_dir, 1);
}

static void in_dir(char path[200], const char *name)
{
	snprintf(path, 200, "%s%s%s", fixture_dir, *name ? "/" : "", name);
}

static int init(const char *name, const struct store_init_options *o,
	struct store_init_result *result)
{
	char path[200];

	in_dir(path, name);
	memset(&failure, 0, sizeof(failure));
	return store_init(path, o, result, &failure);
}

static int open_at(const char *name, const char *const *config)
{
	char path[200];
	const struct store_open_options options = { .start = path, .config = config };

	in_dir(path, name);
	memset(&failure, 0, sizeof(failure));
	return store_open(&repo, &options, &failure);
}

static void close_repo(void)
{
	store_close(repo);
	repo = NULL;
}

static void expect_message(const char *text)
{
	if (!strstr(failure.msg, text))
		fail_msg("'%s' does not say '%s'", failure.msg, text);
}

static void test_init__a_second_one_changes_nothing(void **state)
{
	struct store_init_options o = { .version = 0 };
	struct store_init_result r;
	struct store_info info;

	(void)state;
	OK(init("new/one", NULL, &r));
	assert_false(r.existed);
	assert_false(r.inside);
	OK(init("new/one", NULL, &r));
	assert_true(r.existed);
	o.chunk_average = 65536;
	OK(init("new/one", &o, &r));
	o.chunk_average = 256;
	assert_int_equal(init("new/one", &o, &r), STORE_EEXISTS);
	expect_message("other chunk sizes (65536 bytes on average)");
	OK(open_at("new/one", NULL));
	OK(store_info(repo, &info, &failure));
	assert_string_equal(info.branch, "main");
	assert_int_equal(info.has_head, 0);
	close_repo();
	OK(init("new/one/two", NULL, &r));
	assert_true(r.inside);
}

static void test_init__chunking_and_branch_are_as_asked(void **state)
{
	static const char *const config[] = { "chunking.small_file_threshold=1MB",
		"chunking.small_file_chunk_size=256KB", "chunking.medium_file_threshold=100MB",
		"chunking.medium_file_chunk_size=1MB", "chunking.large_file_chunk_size=512KB",
		"chunking.huge_file_chunk_size=2MB", "chunking.huge_file_threshold=1GB", NULL };
	static const char *const half[] = { "chunking.small_file_threshold=1MB", NULL };
	static const char *const odd[] = { "chunking.average=1000", NULL };
	struct store_init_options o = { .branch = "trunk", .config = config };
	const struct store_format *f;
	struct stat st;
	char path[200];

	(void)state;
	OK(init("a", &o, NULL));
	OK(open_at("a", NULL));
	f = odb_format(repo->odb);
	assert_int_equal(f->avg, 2097152);
	assert_int_equal(f->class_count, 3);
	assert_int_equal(f->classes[0].below, 1 << 20);
	assert_int_equal(f->classes[0].avg, 262144);
	assert_int_equal(f->classes[1].below, 100 << 20);
	assert_int_equal(f->classes[1].avg, 1 << 20);
	assert_int_equal(f->classes[2].below, 1 << 30);
	assert_int_equal(f->classes[2].avg, 524288);
	close_repo();
	o.config = half;
	assert_int_equal(init("b", &o, NULL), STORE_EINVAL);
	expect_message(
		"chunking.small_file_threshold is set and chunking.small_file_chunk_size is not");
	o.config = odd;
	assert_int_equal(init("b", &o, NULL), STORE_EINVAL);
	expect_message("the average is no power of two");
	o = (struct store_init_options){ .branch = "a..b" };
	assert_int_equal(init("b", &o, NULL), STORE_EINVAL);
	in_dir(path, "b/.store");
	assert_int_equal(stat(path, &st), -1);
}

static void test_init__the_database_may_lie_elsewhere(void **state)
{
	char flag[250], path[200];
	const char *const config[] = { flag, NULL };
	const struct store_init_options o = { .config = config };
	struct stat st;

	(void)state;
	in_dir(path, "fast");
	snprintf(flag, sizeof(flag), "core.dbDir=%s", path);
	OK(init("a", &o, NULL));
	OK(open_at("a", NULL));
	close_repo();
	in_dir(path, "fast/data.mdb");
	assert_int_equal(stat(path, &st), 0);
	in_dir(path, "a/.store/db/data.mdb");
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(init("b", &o, NULL), STORE_EEXISTS);
	expect_message("is the database of another repository");
}

/* Kill an init at the n-th place of a kind; 0 when it got through. */
static int kill_at(const char *fault, int n)
{
	char spec[60];
	int status;
	pid_t child;

	snprintf(spec, sizeof(spec), "%s:%d:kill", fault, n);
	child = fork();
	if (child == 0) {
		if (fault_load(spec) != 0)
			_exit(3);
		_exit(init("a", NULL, NULL) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? 1 : WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void test_init__killed_anywhere_the_next_one_completes_it(void **state)
{
	static const char *const faults[] = { "write", "fsync", "rename", "refslog.write",
		"refslog.sync" };
	int killed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		for (int n = 1;; n++) {
			char command[200];
			struct store_init_result r;
			const int was = kill_at(faults[i], n);

			assert_true(was >= 0);
			if (was > 0 && open_at("a", NULL) != 0) {
				killed++;
				assert_int_equal(failure.code, STORE_ENOTFOUND);
				expect_message("was cut short there");
			}
			close_repo();
			OK(init("a", NULL, &r));
			OK(open_at("a", NULL));
			close_repo();
			snprintf(command, sizeof(command), "rm -rf '%s/a'", fixture_dir);
			assert_int_equal(system(command), 0);
			if (was == 0)
				break;
		}
	}
	assert_true(killed >= 5);
}

static void test_init__what_lost_its_format_or_database_is_left_alone(void **state)
{
	char command[300];

	(void)state;
	OK(init("a", NULL, NULL));
	OK(open_at("a", NULL));
	fixture_simple(NULL, 0, NULL, 0, 1000, "a");
	close_repo();
	snprintf(command, sizeof(command), "cd '%s/a/.store' && mv format ../f", fixture_dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(init("a", NULL, NULL), STORE_ECORRUPT);
	expect_message("has lost its file 'format'");
	snprintf(command, sizeof(command), "cd '%s/a/.store' && mv ../f format && rm db/*",
		fixture_dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(open_at("a", NULL), STORE_ECORRUPT);
	expect_message("run 'store fsck --rebuild'");
	assert_int_equal(init("a", NULL, NULL), STORE_ECORRUPT);
}

static void test_init__repositories_are_found_from_below(void **state)
{
	struct store_init_result r;
	char path[200], deep[200];
	struct store_open_options named = { .store_dir = path };

	(void)state;
	OK(init("a", NULL, &r));
	in_dir(deep, "a/b");
	assert_int_equal(mkdir(deep, 0755), 0);
	in_dir(deep, "a/b/c");
	assert_int_equal(mkdir(deep, 0755), 0);
	OK(open_at("a/b/c", NULL));
	assert_string_equal(store_prefix(repo), "b/c");
	assert_string_equal(store_dir(repo), r.path);
	close_repo();
	assert_int_equal(open_at("", NULL), STORE_ENOTFOUND);
	expect_message("run 'store init' to make one");
	in_dir(path, "a");
	setenv("STORE_CEILING_DIRECTORIES", path, 1);
	assert_int_equal(open_at("a/b/c", NULL), STORE_ENOTFOUND);
	OK(open_at("a", NULL));
	close_repo();
	in_dir(path, "a/.store");
	OK(store_open(&repo, &named, &failure));
	assert_string_equal(store_prefix(repo), "");
	close_repo();
	setenv("STORE_DIR", path, 1);
	OK(open_at("", NULL));
	close_repo();
	unsetenv("STORE_DIR");
}

static void expect_operand(const char *operand, const char *want)
{
	char *path = NULL;
	const int rc = store_operand(repo, operand, &path, &failure);

	if (!want && rc != STORE_EINVAL)
		fail_msg("'%s' gives '%s'", operand, path);
	if (want && (rc != 0 || strcmp(path, want) != 0))
		fail_msg("'%s' gives '%s' %s, not '%s'", operand, path ? path : "", failure.msg,
			want);
	free(path);
}

static void test_init__operands_are_paths_from_the_top(void **state)
{
	char path[200], absolute[250];

	(void)state;
	OK(init("a", NULL, NULL));
	in_dir(path, "a/b");
	assert_int_equal(mkdir(path, 0755), 0);
	OK(open_at("a/b", NULL));
	expect_operand("x", "b/x");
	expect_operand("./x//y/", "b/x/y");
	expect_operand(".", "b");
	expect_operand("..", "");
	expect_operand("../x", "x");
	expect_operand("../../a/x", "x");
	expect_operand("../..", NULL);
	expect_operand("../../x", NULL);
	expect_operand("/", NULL);
	in_dir(absolute, "a/x");
	expect_operand(absolute, "x");
	in_dir(absolute, "ab");
	expect_operand(absolute, NULL);
	in_dir(path, "link");
	assert_int_equal(symlink("a", path), 0);
	in_dir(absolute, "link/b/x");
	expect_operand(absolute, "b/x");
	close_repo();
	/* From outside, relative operands lie outside. */
	in_dir(path, "a/.store");
	setenv("STORE_DIR", path, 1);
	OK(open_at("", NULL));
	expect_operand("x", NULL);
	expect_operand("a/x", "x");
	close_repo();
	unsetenv("STORE_DIR");
}

static void test_init__a_repository_of_another_user_can_only_be_read(void **state)
{
	const struct store_open_options write = { .start = fixture_dir, .write = 1 };
	static const char *const safe[] = { "safe.directory=*", NULL };
	static const char *const other[] = { "safe.directory=/elsewhere", NULL };
	char command[300];

	(void)state;
	OK(init("", NULL, NULL));
	if (geteuid() != 0)
		return; /* only root can give a folder away; CI runs as root */
	snprintf(command, sizeof(command),
		"printf '[core]\\npager = evil\\n' >>'%s/.store/config' && chown -R 4711 '%s'",
		fixture_dir, fixture_dir);
	assert_int_equal(system(command), 0);
	OK(open_at("", NULL));
	assert_null(config_text(repo->config, "core.pager"));
	assert_int_equal(repo_check_writable(repo, &failure), STORE_EDENIED);
	expect_message("safe.directory");
	close_repo();
	assert_int_equal(store_open(&repo, &write, &failure), STORE_EDENIED);
	OK(open_at("", other));
	assert_true(repo->foreign);
	close_repo();
	OK(open_at("", safe));
	assert_false(repo->foreign);
	assert_string_equal(config_text(repo->config, "core.pager"), "evil");
	close_repo();
	setenv("SUDO_UID", "4711", 1);
	OK(open_at("", NULL));
	assert_false(repo->foreign);
	close_repo();
	unsetenv("SUDO_UID");
}

static void test_init__settings_that_cannot_be_are_refused_at_open(void **state)
{
	static const char *const bad[][2] = { { "core.metadata=all", NULL },
		{ "core.codec=lz4", NULL }, { "core.codecLevel=10", NULL },
		{ "core.lockTimeout=soon", NULL }, { "performance.threads=many", NULL } };

	(void)state;
	OK(init("", NULL, NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (open_at("", bad[i]) != STORE_EINVAL)
			fail_msg("%s passes", bad[i][0]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_init__a_second_one_changes_nothing),
		TEST(test_init__chunking_and_branch_are_as_asked),
		TEST(test_init__the_database_may_lie_elsewhere),
		TEST(test_init__killed_anywhere_the_next_one_completes_it),
		TEST(test_init__what_lost_its_format_or_database_is_left_alone),
		TEST(test_init__repositories_are_found_from_below),
		TEST(test_init__operands_are_paths_from_the_top),
		TEST(test_init__a_repository_of_another_user_can_only_be_read),
		TEST(test_init__settings_that_cannot_be_are_refused_at_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
