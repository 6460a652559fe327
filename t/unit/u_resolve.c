/* Operands that name content: the table of commands, in every way an operand can be read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "repo_fixture.h"

/* HEAD: names that could be read otherwise, and a directory; its parent: `a` with other content. */
static int make_tree(void **state)
{
	static const char *const names[] = { "@", "HEAD:x", "a", "a@", "icon@2x.png", "main",
		"side", "sub" };
	struct fixture_dir d, sub;
	struct odb_writer *w;
	struct entry e, top;
	char hex[ID_HEX + 1], tag_hex[ID_HEX + 1];
	const char *refs[] = { "refs/heads/main", hex, "refs/heads/v@2", tag_hex, "refs/heads/icon",
		hex, NULL };
	struct oid first, second;

	if (fixture_make(state) != 0)
		return -1;
	w = fixture_writer();
	d = fixture_dir_begin(w);
	e = fixture_file(w, "old a");
	fixture_dir_set(&d, "a", &e);
	e = fixture_file(w, "gone");
	fixture_dir_set(&d, "gone", &e);
	top = fixture_dir_end(&d);
	first = fixture_commit(w, &top, 0, NULL, 0, 1000, "one", NULL);
	id_hex(hex, &first);
	id_hex(tag_hex, &first);
	fixture_publish(w, refs, 1000, "commit");
	sub = fixture_dir_begin(w);
	e = fixture_file(w, "in sub");
	fixture_dir_set(&sub, "a", &e);
	e = fixture_file(w, "");
	fixture_dir_set(&sub, "empty", &e);
	d = fixture_dir_begin(w);
	for (size_t i = 0; i + 1 < sizeof(names) / sizeof(names[0]); i++) {
		e = fixture_file(w, names[i]);
		fixture_dir_set(&d, names[i], &e);
	}
	e = fixture_dir_end(&sub);
	fixture_dir_set(&d, "sub", &e);
	top = fixture_dir_end(&d);
	second = fixture_commit(w, &top, 1, &first, 1, 2000, "two", NULL);
	id_hex(hex, &second);
	refs[2] = NULL;
	fixture_publish(w, refs, 2000, "commit");
	writer_free(w);
	return 0;
}

static void read_all(const struct store_node *node, char *out, size_t cap)
{
	struct store_reader *r;
	size_t got;

	OK(store_reader_open(repo, node, &r, &failure));
	OK(store_reader_read(r, out, cap - 1, &got, &failure));
	out[got] = '\0';
	store_reader_free(r);
}

/* The operand names content want; "/" and the path for a directory. */
static void expect(const char *operand, unsigned int flags, const char *want)
{
	struct store_target t;
	char got[200];

	if (store_resolve(repo, operand, flags, &t, &failure) != 0)
		fail_msg("'%s': %s", operand, failure.msg);
	if (t.node.kind == STORE_KIND_DIR)
		snprintf(got, sizeof(got), "/%s", t.path);
	else
		read_all(&t.node, got, sizeof(got));
	if (strcmp(got, want) != 0)
		fail_msg("'%s' is '%s', not '%s'", operand, got, want);
	store_target_clear(&t);
}

static void refuse(const char *operand, unsigned int flags, int code, const char *message)
{
	struct store_error err = { 0 };
	struct store_target t;
	const int rc = store_resolve(repo, operand, flags, &t, &err);

	if (rc != code || !strstr(err.msg, message))
		fail_msg("'%s': %d '%s', not %d '%s'", operand, rc, err.msg, code, message);
	store_target_clear(&t);
}

static void test_resolve__one_reading_that_fits_is_taken(void **state)
{
	(void)state;
	expect("a", 0, "a");
	expect("./a", 0, "a");
	expect("sub/../a", 0, "a");
	expect("sub/a", 0, "in sub");
	expect("sub/empty", 0, "");
	expect("sub", 0, "/sub");
	expect("HEAD:a", 0, "a");
	expect("@:a", 0, "a");
	expect("HEAD~1:a", 0, "old a");
	expect("HEAD:./a", 0, "a");
	expect("HEAD:", 0, "/");
	expect("a@HEAD~1", 0, "old a");
	expect("a@main~1", 0, "old a");
	expect("gone@HEAD^", 0, "gone");
	expect("a@HEAD@{1}", 0, "old a");
	expect("a@@{1}", 0, "old a");
	expect("a@v@2", 0, "old a");
	expect("v@2:a", 0, "old a");
	expect("layer:0:a", 0, "old a");
	expect("a@layer:0", 0, "old a");
	expect("layer:1:sub/a", 0, "in sub");
	expect("icon@2x.png", 0, "icon@2x.png");
	expect("icon@2x.png@HEAD", 0, "icon@2x.png");
	expect("main", 0, "main");
	expect("@", 0, "@");
	expect("HEAD:HEAD:x", 0, "HEAD:x");
	expect("HEAD:a@", 0, "a@");
}

static void test_resolve__several_are_refused_and_listed(void **state)
{
	(void)state;
	refuse("a@", 0, STORE_EAMBIGUOUS, "'a@' is ambiguous: it can mean 'HEAD:a@', 'HEAD:a'");
	refuse("a@@", 0, STORE_EAMBIGUOUS, "it can mean '@:a', 'HEAD:a@'");
	refuse("main", STORE_NAME_REV_IS_TREE, STORE_EAMBIGUOUS,
		"it can mean 'HEAD:main', 'main:'");
}

static void test_resolve__none_says_which_half_of_the_rightmost_split_failed(void **state)
{
	(void)state;
	refuse("nothing", 0, STORE_ENOTFOUND,
		"cannot find 'nothing': path 'nothing' is not in revision 'HEAD'");
	refuse("a@2x.png", 0, STORE_ENOTFOUND, "cannot find 'a@2x.png': unknown revision '2x.png'");
	refuse("b@HEAD", 0, STORE_ENOTFOUND, "path 'b' is not in revision 'HEAD'");
	refuse("b@mian", 0, STORE_ENOTFOUND, "unknown revision 'mian'; the nearest is 'main'");
	refuse("HEAD:b", 0, STORE_ENOTFOUND, "path 'b' is not in revision 'HEAD'");
	refuse("hd:a", 0, STORE_ENOTFOUND, "unknown revision 'hd'");
	refuse("a@HEAD~9", 0, STORE_ENOTFOUND, "HEAD~1 is the first commit, it has no parent");
	refuse("a/b", 0, STORE_ENOTFOUND, "path 'a/b' is not in revision 'HEAD'");
	refuse("../a", 0, STORE_EINVAL, "'../a' is outside of the working tree");
	refuse(":a", 0, STORE_ENOTFOUND, "path 'a' is not in the stage");
}

static void test_resolve__after_two_dashes_only_the_literal_path_counts(void **state)
{
	(void)state;
	expect("a@", STORE_NAME_LITERAL, "a@");
	expect("HEAD:x", STORE_NAME_LITERAL, "HEAD:x");
	refuse("HEAD:a", STORE_NAME_LITERAL, STORE_ENOTFOUND,
		"path 'HEAD:a' is not in revision 'HEAD'");
	refuse("a@HEAD", STORE_NAME_LITERAL, STORE_ENOTFOUND, "path 'a@HEAD' is not");
}

static void test_resolve__a_revision_can_mean_its_top(void **state)
{
	(void)state;
	expect("HEAD~1", STORE_NAME_REV_IS_TREE, "/");
	expect("layer:0", STORE_NAME_REV_IS_TREE, "/");
	expect("", STORE_NAME_REV_IS_TREE, "/");
	expect(".", 0, "/");
	refuse("HEAD~1", 0, STORE_ENOTFOUND, "path 'HEAD~1' is not in revision 'HEAD'");
}

static void test_resolve__a_revision_that_could_mean_its_top_is_told_with_the_nearest_ref(
	void **state)
{
	(void)state;
	refuse("mian", STORE_NAME_REV_IS_TREE, STORE_ENOTFOUND,
		"cannot find 'mian': path 'mian' is not in revision 'HEAD'; the nearest ref is 'main'");
	refuse("mian~1", STORE_NAME_REV_IS_TREE, STORE_ENOTFOUND, "the nearest ref is 'main'");
	refuse("HEAD~9", STORE_NAME_REV_IS_TREE, STORE_ENOTFOUND,
		"cannot find 'HEAD~9': HEAD~1 is the first commit, it has no parent");
	refuse("mian:a", STORE_NAME_REV_IS_TREE, STORE_ENOTFOUND,
		"cannot find 'mian:a': unknown revision 'mian'; the nearest is 'main'");
	refuse("mian", 0, STORE_ENOTFOUND, "path 'mian' is not in revision 'HEAD'");
}

static void test_resolve__paths_begin_where_the_user_stands(void **state)
{
	struct store_open_options options = { .start = NULL };
	char sub[100];

	(void)state;
	snprintf(sub, sizeof(sub), "%s/sub", fixture_dir);
	assert_int_equal(mkdir(sub, 0755), 0);
	store_close(repo);
	options.start = sub;
	OK(store_open(&repo, &options, &failure));
	assert_string_equal(store_prefix(repo), "sub");
	expect("a", 0, "in sub");
	expect("../a", 0, "a");
	expect("HEAD:a", 0, "a");
	expect("HEAD:./a", 0, "in sub");
	expect("HEAD:../a", 0, "a");
	expect("../a@HEAD~1", 0, "old a");
	refuse("a@HEAD~1", 0, STORE_ENOTFOUND, "path 'sub/a' is not in revision 'HEAD~1'");
	refuse("HEAD:../../nothing", 0, STORE_EINVAL, "outside of the working tree");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_resolve__one_reading_that_fits_is_taken),
		TEST(test_resolve__several_are_refused_and_listed),
		TEST(test_resolve__none_says_which_half_of_the_rightmost_split_failed),
		TEST(test_resolve__after_two_dashes_only_the_literal_path_counts),
		TEST(test_resolve__a_revision_can_mean_its_top),
		TEST(test_resolve__a_revision_that_could_mean_its_top_is_told_with_the_nearest_ref),
		TEST(test_resolve__paths_begin_where_the_user_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
