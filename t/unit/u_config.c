/*
 * Configuration: who goes before whom, files written for git, values as numbers, and what is
 * refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "work/config_internal.h"

/* HOME/.config/store/config is the user's file, STORE/config the repository's. */
static char top[64], user_file[128], repo_dir[128], repo_file[160];

static void put(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void put_user(const char *text)
{
	put(user_file, text, strlen(text));
}

static void put_repo(const char *text)
{
	put(repo_file, text, strlen(text));
}

static int make_files(void **state)
{
	char path[128];

	(void)state;
	snprintf(top, sizeof(top), "/tmp/u_config.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(path, sizeof(path), "%s/.config", top);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/.config/store", top);
	mkdir(path, 0755);
	snprintf(user_file, sizeof(user_file), "%s/.config/store/config", top);
	snprintf(repo_dir, sizeof(repo_dir), "%s/repo", top);
	mkdir(repo_dir, 0755);
	snprintf(repo_file, sizeof(repo_file), "%s/config", repo_dir);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("STORE_PAGER");
	return setenv("HOME", top, 1);
}

static int remove_files(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static struct config *load(const char *const *flags)
{
	struct store_error err = { 0 };
	struct config *c;

	if (config_load(&c, flags, repo_dir, &err) != 0)
		fail_msg("%s", err.msg);
	return c;
}

static void expect_refusal(const char *const *flags, const char *message)
{
	struct store_error err = { 0 };
	struct config *c;

	assert_int_equal(config_load(&c, flags, repo_dir, &err), STORE_EINVAL);
	if (!strstr(err.msg, message))
		fail_msg("'%s' does not say '%s'", err.msg, message);
}

static void test_config__flag_before_environment_before_repository_before_user(void **state)
{
	static const char *const flags[] = { "core.pager=flag", NULL };
	struct config *c;

	(void)state;
	c = load(NULL);
	assert_null(config_text(c, "core.pager"));
	assert_string_equal(config_text(c, "core.codec"), "zlib");
	config_free(c);
	put_user("[core]\npager = user\ncodec = zstd\n");
	c = load(NULL);
	assert_string_equal(config_text(c, "core.pager"), "user");
	config_free(c);
	put_repo("[core]\npager = repo\n");
	c = load(NULL);
	assert_string_equal(config_text(c, "core.pager"), "repo");
	assert_string_equal(config_text(c, "core.codec"), "zstd");
	setenv("STORE_PAGER", "env", 1);
	assert_string_equal(config_text(c, "core.pager"), "env");
	config_free(c);
	c = load(flags);
	assert_string_equal(config_text(c, "core.pager"), "flag");
	config_free(c);
}

static void test_config__files_written_for_git_are_understood(void **state)
{
	struct config *c;

	(void)state;
	put_repo(
		"# one\n; two\n[user]\n\tname = A U Thor\n\temail = \"a@b c\" ; why\n[Core]\n  LockTimeout = 5m\r\n");
	c = load(NULL);
	assert_string_equal(config_text(c, "user.name"), "A U Thor");
	assert_string_equal(config_text(c, "USER.EMAIL"), "a@b c");
	assert_string_equal(config_text(c, "core.locktimeout"), "5m");
	config_free(c);
}

static void test_config__the_last_of_two_values_counts(void **state)
{
	struct config *c;

	(void)state;
	put_repo("[user]\nname = one\nname = two\n");
	c = load(NULL);
	assert_string_equal(config_text(c, "user.name"), "two");
	config_free(c);
}

static void test_config__lines_may_be_long(void **state)
{
	char line[3000], want[2001];
	struct config *c;

	(void)state;
	memset(want, 'x', 2000);
	want[2000] = '\0';
	snprintf(line, sizeof(line), "[user]\n\tname = %s ; said who\n\temail = m\n", want);
	put_repo(line);
	c = load(NULL);
	assert_string_equal(config_text(c, "user.name"), want);
	assert_string_equal(config_text(c, "user.email"), "m");
	config_free(c);
}

static void test_config__numbers_sizes_durations_and_words(void **state)
{
	static const char *const flags[] = { "chunking.average=64KB", "core.lockTimeout=250ms",
		"core.codecLevel=7", "user.useConfigOnly", "core.trustctime=Off", NULL };
	static const char *const words[] = { "none", "zlib", "zstd", NULL };
	struct config *c = load(flags);
	uint64_t v;
	size_t word;
	bool yes;

	(void)state;
	assert_int_equal(config_size(c, "chunking.average", &v, NULL), 0);
	assert_int_equal(v, 65536);
	assert_int_equal(config_duration_ms(c, "core.lockTimeout", &v, NULL), 0);
	assert_int_equal(v, 250);
	assert_int_equal(config_number(c, "core.codecLevel", &v, NULL), 0);
	assert_int_equal(v, 7);
	assert_int_equal(config_bool(c, "user.useConfigOnly", &yes, NULL), 0);
	assert_true(yes);
	assert_int_equal(config_bool(c, "core.trustctime", &yes, NULL), 0);
	assert_false(yes);
	assert_int_equal(config_word(c, "core.codec", words, &word, NULL), 0);
	assert_int_equal(word, 1);
	config_free(c);
}

static void test_config__units_count_as_they_are_called(void **state)
{
	static const struct {
		const char *flag;
		uint64_t bytes;
	} sizes[] = { { "chunking.average=512", 512 }, { "chunking.average=2 MiB", 2097152 },
		{ "chunking.average=1g", 1073741824 }, { "chunking.average=3TB", 3298534883328 },
		{ "chunking.average=9B", 9 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *const flags[] = { sizes[i].flag, NULL };
		struct config *c = load(flags);
		uint64_t v = 0;

		assert_int_equal(config_size(c, "chunking.average", &v, NULL), 0);
		assert_int_equal(v, sizes[i].bytes);
		config_free(c);
	}
}

static void test_config__a_value_that_cannot_be_read_is_named_with_its_place(void **state)
{
	static const char *const bad[] = { "", "12x", "-1", "KB", "1.5MB", "99999999999999999999",
		"20000000TB" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct store_error err = { 0 };
		char text[100], where[200];
		struct config *c;
		uint64_t v;

		snprintf(text, sizeof(text), "[chunking]\n\naverage = %s\n", bad[i]);
		put_repo(text);
		c = load(NULL);
		assert_int_equal(config_size(c, "chunking.average", &v, &err), STORE_EINVAL);
		snprintf(where, sizeof(where), "'%s' line 3: chunking.average is '%s'", repo_file,
			bad[i]);
		if (!strstr(err.msg, where))
			fail_msg("'%s' does not say \"%s\"", err.msg, where);
		config_free(c);
	}
}

static void test_config__an_unknown_key_is_refused_and_the_nearest_named(void **state)
{
	static const char *const flags[] = { "user.nmae=x", NULL };

	(void)state;
	put_repo("[core]\ncodek = zlib\n");
	expect_refusal(NULL, "line 2: there is no key 'core.codek'; the nearest is 'core.codec'");
	put_repo("[coer]\ncodec = zlib\n");
	expect_refusal(NULL, "the nearest is 'core.codec'");
	put_repo("[x-mine]\nanything = goes\n");
	expect_refusal(flags, "the nearest is 'user.name'");
}

static void test_config__what_is_no_line_of_a_config_is_refused_by_number(void **state)
{
	struct store_error err = { 0 };
	struct config *c;

	(void)state;
	put_repo("[user]\nname = a\nnonsense\n");
	expect_refusal(NULL, "line 3 is neither");
	put(repo_file, "[user]\nname = a\0b\n", 18);
	assert_int_equal(config_load(&c, NULL, repo_dir, &err), STORE_EINVAL);
	assert_non_null(strstr(err.msg, "NUL"));
}

static int count_safe(void *ctx, const char *text)
{
	(void)text;
	++*(int *)ctx;
	return 0;
}

static void test_config__a_repository_cannot_call_itself_safe(void **state)
{
	struct config *c;
	int n = 0;

	(void)state;
	put_user("[safe]\ndirectory = /a\ndirectory = /b\n");
	put_repo("[safe]\ndirectory = *\n");
	c = load(NULL);
	config_each(c, "safe.directory", count_safe, &n);
	assert_int_equal(n, 2);
	config_free(c);
}

static void test_config__programs_of_a_distrusted_repository_are_forgotten(void **state)
{
	struct config *c;

	(void)state;
	put_user("[core]\npager = mine\n");
	put_repo("[core]\npager = theirs\ncodec = none\n");
	c = load(NULL);
	assert_string_equal(config_text(c, "core.pager"), "theirs");
	config_distrust(c);
	assert_string_equal(config_text(c, "core.pager"), "mine");
	assert_string_equal(config_text(c, "core.codec"), "none");
	config_free(c);
}

static void test_config__a_database_folder_for_all_repositories_is_refused(void **state)
{
	(void)state;
	put_user("[core]\ndbDir = /var/db\n");
	expect_refusal(NULL, "core.dbDir belongs into the configuration of one repository");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_files, remove_files)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config__flag_before_environment_before_repository_before_user),
		TEST(test_config__files_written_for_git_are_understood),
		TEST(test_config__the_last_of_two_values_counts),
		TEST(test_config__lines_may_be_long),
		TEST(test_config__numbers_sizes_durations_and_words),
		TEST(test_config__units_count_as_they_are_called),
		TEST(test_config__a_value_that_cannot_be_read_is_named_with_its_place),
		TEST(test_config__an_unknown_key_is_refused_and_the_nearest_named),
		TEST(test_config__what_is_no_line_of_a_config_is_refused_by_number),
		TEST(test_config__a_repository_cannot_call_itself_safe),
		TEST(test_config__programs_of_a_distrusted_repository_are_forgotten),
		TEST(test_config__a_database_folder_for_all_repositories_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
