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
	put_repo("[user]\nname = a\n= nonsense\n");
	expect_refusal(NULL, "line 3 is neither");
	put(repo_file, "[user]\nname = a\0b\n", 18);
	assert_int_equal(config_load(&c, NULL, repo_dir, &err), STORE_EINVAL);
	assert_non_null(strstr(err.msg, "NUL"));
}

/* A mebibyte of a file could become a hundred of memory, or a gigabyte where a name is long. */
static void test_config__a_file_cannot_hold_more_settings_than_memory_is_meant_for(void **state)
{
	static char text[64 << 10];
	struct config *c;
	size_t len;

	(void)state;
	len = (size_t)snprintf(text, sizeof(text), "[x-a]\n");
	for (int i = 0; i < 4096; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "b\n");
	put(repo_file, text, len);
	c = load(NULL);
	assert_string_equal(config_text(c, "x-a.b"), "true");
	config_free(c);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "b\n");
	put(repo_file, text, len);
	expect_refusal(NULL, "line 4098 is the value 4097; a file holds 4096 at most");
}

static void test_config__a_key_is_no_longer_than_a_limit(void **state)
{
	char text[1200], flag[1200];
	const char *flags[] = { flag, NULL };
	struct config *c;

	(void)state;
	snprintf(text, sizeof(text), "[x-a \"%0*d\"]\nb\n", 1018, 0);
	put_repo(text);
	c = load(NULL);
	config_free(c);
	snprintf(text, sizeof(text), "[x-a \"%0*d\"]\nb\n", 1019, 0);
	put_repo(text);
	expect_refusal(NULL, "line 2: the key is longer than 1024 bytes");
	put_repo("");
	snprintf(flag, sizeof(flag), "x-a.%0*d.b=1", 1019, 0);
	expect_refusal(flags, "flag -c: the key is longer than 1024 bytes");
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

/* Text of a file, and what is read of it: "section|key|value" for pairs, "[section]" for headers.
 */
static void expect_tokens(const char *text, const char *want)
{
	struct buf data = { 0 }, got = { 0 };
	enum config_token token = CONFIG_PAIR;
	struct config_line l;

	assert_int_equal(buf_add_str(&data, text), 0);
	assert_int_equal(config_line_init(&l, "f", &data, NULL), 0);
	while (token != CONFIG_END) {
		struct store_error err = { 0 };

		if (config_line_next(&l, &token, &err) != 0)
			fail_msg("%s", err.msg);
		if (token == CONFIG_SECTION)
			buf_addf(&got, "[%s]", (const char *)l.section.data);
		else if (token == CONFIG_PAIR)
			buf_addf(&got, "%s%s%s;", (const char *)l.key.data, l.has_value ? "=" : "",
				(const char *)l.value.data);
	}
	assert_string_equal(buf_str(&got), want);
	config_line_release(&l);
	buf_release(&data);
	buf_release(&got);
}

static void test_config__the_grammar_is_git_s(void **state)
{
	(void)state;
	expect_tokens("", "");
	expect_tokens("\xef\xbb\xbf[Core]\r\n\tA-b_c = 1 \r\n", "[core]a-b_c=1;");
	expect_tokens("[x-a \"S \\\"]\\\\ub\"] k=v ; w\n", "[x-a.S \"]\\ub]k=v;");
	expect_tokens("[a][b]k\n[c.D]", "[a][b]k;[c.d]");
	expect_tokens("[a]k = a  b \" c # ; \"d # e\n", "[a]k=a  b  c # ; d;");
	expect_tokens("[a]k=one\\\n two\\\r\n\n j", "[a]k=one two;j;");
	expect_tokens("[a]k=\\n\\t\\b\\\\\\\"", "[a]k=\n\t\b\\\";");
	expect_tokens("# [a]\n ; k=\"\n\n", "");
	expect_tokens("[a]k==b=c\nl = \"\"\nm=  # n\n", "[a]k==b=c;l=;m=;");
}

static void expect_bad(const char *text, unsigned int line)
{
	struct store_error err = { 0 };
	enum config_token token = CONFIG_PAIR;
	struct config_line l;
	struct buf data = { 0 };
	char want[40];
	int rc = 0;

	assert_int_equal(buf_add_str(&data, text), 0);
	assert_int_equal(config_line_init(&l, "f", &data, NULL), 0);
	while (rc == 0 && token != CONFIG_END)
		rc = config_line_next(&l, &token, &err);
	snprintf(want, sizeof(want), "'f' line %u ", line);
	if (rc != STORE_EINVAL || strncmp(err.msg, want, strlen(want)) != 0)
		fail_msg("%d \"%s\" for \"%s\"", rc, err.msg, text);
	config_line_release(&l);
	buf_release(&data);
}

static void test_config__what_git_refuses_is_refused(void **state)
{
	(void)state;
	expect_bad("[a", 1);
	expect_bad("[a\n]", 1);
	expect_bad("[]k=v", 1);
	expect_bad("[a b]", 1);
	expect_bad("[a \"b]", 1);
	expect_bad("[a \"b\" ]", 1);
	expect_bad("\n[a \"b\nc\"]", 2);
	expect_bad("[a]\n\n1k = v", 3);
	expect_bad("[a]k v\n", 1);
	expect_bad("[a]k # c\n", 1);
	expect_bad("[a]k: v\n", 1);
	expect_bad("[a]k = \"v\n", 1);
	expect_bad("[a]k = \\x\n", 1);
	expect_bad("[a]k=one\\\n\\q\n", 1);
}

static void expect_set(const char *text, const char *key, const char *value, const char *want)
{
	struct store_error err = { 0 };
	struct buf data = { 0 }, out = { 0 };

	assert_int_equal(buf_add_str(&data, text), 0);
	if (config_edit_set("f", &data, key, value, false, &out, &err) != 0)
		fail_msg("%s", err.msg);
	assert_string_equal(buf_str(&out), want);
	buf_release(&data);
	buf_release(&out);
}

static void test_config__setting_changes_the_value_and_no_other_byte(void **state)
{
	(void)state;
	expect_set("", "core.codec", "none", "[core]\n\tcodec = none\n");
	expect_set("# c", "core.codec", "none", "# c\n[core]\n\tcodec = none\n");
	expect_set("[Core]\r\n  CODEC=zstd# why\r\n", "core.codec", "none",
		"[Core]\r\n  CODEC= none # why\r\n");
	expect_set("[core]\n  a=b\n\n[user]\n", "core.codec", "none",
		"[core]\n  a=b\n  codec = none\n\n[user]\n");
	expect_set("[core][user]\n", "core.codec", "none", "[core]\n\tcodec = none\n[user]\n");
	expect_set("[core] codec\n", "core.codec", "none", "[core] codec = none\n");
	expect_set("[core]\ncodec = one\\\n  two ; c\n", "core.codec", "x",
		"[core]\ncodec = x ; c\n");
	expect_set("[user]\nname = a\nname = b\n", "user.name", " #\"",
		"[user]\nname = a\nname = \" #\\\"\"\n");
	expect_set("[user]\nname = a\\", "user.email", "m", "[user]\nname = a\\\n\nemail = m\n");
	expect_set("[user]\nname = a\\\n", "core.codec", "x",
		"[user]\nname = a\\\n\n[core]\n\tcodec = x\n");
}

static void expect_unset(const char *text, const char *key, const char *value, size_t count,
	const char *want)
{
	struct store_error err = { 0 };
	struct buf data = { 0 }, out = { 0 };
	size_t n = 9;

	assert_int_equal(buf_add_str(&data, text), 0);
	if (config_edit_unset("f", &data, key, value, &out, &n, &err) != 0)
		fail_msg("%s", err.msg);
	assert_int_equal(n, count);
	assert_string_equal(buf_str(&out), want);
	buf_release(&data);
	buf_release(&out);
}

static void test_config__unsetting_takes_lines_and_no_other_byte(void **state)
{
	(void)state;
	expect_unset("", "core.codec", NULL, 0, "");
	expect_unset("[core]\n\tcodec = a # b\n# c\n", "core.codec", NULL, 1, "[core]\n# c\n");
	expect_unset("[core] codec = a\r\nx=y", "core.codec", NULL, 1, "[core] \r\nx=y");
	expect_unset("[core]\ncodec=a\\\nb\n[user]codec=c\n[core]codec", "core.codec", NULL, 2,
		"[core]\n[user]codec=c\n[core]");
	expect_unset("[safe]\ndirectory=/a\ndirectory=/b\n", "safe.directory", "/a", 1,
		"[safe]\ndirectory=/b\n");
}

static void test_config__bounds_and_words_of_the_table(void **state)
{
	static const struct {
		const char *key, *text;
		int rc;
	} cases[] = { { "chunking.average", "65536", 0 },
		{ "chunking.average", "128", STORE_EINVAL },
		{ "chunking.average", "768", STORE_EINVAL }, { "core.codecLevel", "19", 0 },
		{ "core.codecLevel", "20", STORE_EINVAL }, { "performance.batch_size", "1", 0 },
		{ "performance.batch_size", "0", STORE_EINVAL },
		{ "performance.batch_size", "100000", 0 }, { "core.codec", "ZLIB", 0 },
		{ "core.codec", "z", STORE_EINVAL }, { "core.dbDir", "a\nb", STORE_EINVAL },
		{ "user.name", "", 0 } };
	static const char *const flags[] = { "performance.batch_size=100000", NULL };
	struct config *c;
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(config_value_check(config_key_find(cases[i].key), cases[i].text,
					 "here", NULL),
			cases[i].rc);
	c = load(flags);
	assert_int_equal(config_number(c, "performance.batch_size", &v, NULL), 0);
	assert_int_equal(v, 256);
	config_free(c);
	/* What is built in is a value of its type. */
	for (size_t i = 0; config_key_at(i); i++) {
		const struct config_key *row = config_key_at(i);
		const struct config_key *next = config_key_at(i + 1);

		if (row->fallback && config_value_check(row, row->fallback, "here", NULL) != 0)
			fail_msg("%s", row->name);
		if (next && strcmp(row->name, next->name) >= 0)
			fail_msg("%s stands before %s", row->name, next->name);
	}
}

static void test_config__two_names_of_one_key_are_one(void **state)
{
	static const char *const flags[] = { "performance.max_worker_threads=7", NULL };
	struct config *c;

	(void)state;
	put_repo("[performance]\nthreads = 3\n");
	c = load(flags);
	assert_string_equal(config_text(c, "performance.threads"), "7");
	assert_string_equal(config_text(c, "performance.max_worker_threads"), "7");
	config_free(c);
	put_user("[performance]\nmax_worker_threads = 9\n");
	c = load(NULL);
	assert_string_equal(config_text(c, "performance.threads"), "3");
	config_free(c);
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
		TEST(test_config__a_file_cannot_hold_more_settings_than_memory_is_meant_for),
		TEST(test_config__a_key_is_no_longer_than_a_limit),
		TEST(test_config__a_repository_cannot_call_itself_safe),
		TEST(test_config__programs_of_a_distrusted_repository_are_forgotten),
		TEST(test_config__a_database_folder_for_all_repositories_is_refused),
		cmocka_unit_test(test_config__the_grammar_is_git_s),
		cmocka_unit_test(test_config__what_git_refuses_is_refused),
		cmocka_unit_test(test_config__setting_changes_the_value_and_no_other_byte),
		cmocka_unit_test(test_config__unsetting_takes_lines_and_no_other_byte),
		TEST(test_config__bounds_and_words_of_the_table),
		TEST(test_config__two_names_of_one_key_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
