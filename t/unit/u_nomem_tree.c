/*
 * Memory that runs out under what goes between working tree, stage and commits: add, commit,
 * status, diff, checkout, reset, restore, rm, mv, and the rules of what is ignored.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "nomem_fixture.h"

#define LINE 1000 /* bytes: 300 of them are more than travels in batches, and several chunks */

static const char *const everything[] = { "" };

/* ---- the working tree, which is the current directory */

static void write_file(const char *path, const char *text, size_t times)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (size_t i = 0; i < times; i++)
		assert_true(fprintf(f, "%s %zu\n", text, i) > 0);
	assert_int_equal(fclose(f), 0);
}

/* Other content each time; one file comes and goes. */
static void change_files(void)
{
	static unsigned int round;
	char text[20], line[LINE];

	snprintf(text, sizeof(text), "round %u", ++round);
	snprintf(line, sizeof(line), "%-*s", LINE - 10, text);
	write_file("a.txt", text, 9);
	write_file("dir/c", text, 2);
	write_file("large", line, 300);
	if (round % 2)
		write_file("dir/sub/d", text, 1);
	else
		(void)unlink("dir/sub/d");
}

static void change_and_add(void)
{
	change_files();
	OK(store_add(repo, everything, 1, NULL, NULL, &failure));
}

static void commit_as(const char *tag)
{
	const struct store_commit_options message = { .message = tag, .author = "A <a@a>" };

	change_and_add();
	OK(store_commit(repo, &message, NULL, &failure));
	OK(store_tag_create(repo, tag, NULL, NULL, &failure));
}

static int make(void **state)
{
	if (fixture_make(state) != 0 || chdir(fixture_dir) != 0 || mkdir("dir", 0777) != 0 ||
		mkdir("dir/sub", 0777) != 0 || mkdir("new", 0777) != 0 || symlink("a.txt", "link"))
		return -1;
	write_file(".storeignore", "*.o\n!keep.o\n#", 1);
	write_file("x.o", "object", 1);
	commit_as("one");
	commit_as("two");
	write_file("new/untracked", "text", 1);
	return 0;
}

static int remove_it(void **state)
{
	return chdir("/") != 0 || fixture_remove(state);
}

/* All as `two` has it. */
static void go_back(void)
{
	const struct store_reset_options hard = { .mode = STORE_RESET_HARD,
		.flags = STORE_RESET_FORCE,
		.rev = "two" };

	OK(store_reset(repo, &hard, NULL, &failure));
}

/* ---- add, commit, status */

static int add_it(struct store_repo *of)
{
	struct store_add_result result;
	const int rc = store_add(of, everything, 1, NULL, &result, &failure);

	if (rc == 0)
		assert_int_equal(result.skipped, 0);
	return rc;
}

static int add_dry(struct store_repo *of)
{
	const struct store_add_options dry = { .flags = STORE_ADD_DRY_RUN };
	struct store_add_result result;
	const int rc = store_add(of, everything, 1, &dry, &result, &failure);

	if (rc == 0)
		assert_int_equal(result.skipped, 0);
	return rc;
}

static int commit_it(struct store_repo *of)
{
	const struct store_commit_options message = { .message = "three", .author = "A <a@a>" };
	struct store_commit_result result;

	return store_commit(of, &message, &result, &failure);
}

static int count_entry(void *payload, const struct store_status_entry *e)
{
	*(unsigned int *)payload += e->path[0] != '\0';
	return 0;
}

static int status_it(struct store_repo *of)
{
	unsigned int entries = 0;
	const struct store_status_options all = { .flags = STORE_STATUS_ALL_UNTRACKED |
			STORE_STATUS_IGNORED,
		.callbacks.payload = &entries,
		.entry = count_entry };
	struct store_status_result result;
	const int rc = store_status(of, NULL, 0, &all, &result, &failure);

	if (rc == 0)
		assert_true(entries >= 4 && result.unreadable == 0);
	return rc;
}

static void test_nomem__add(void **state)
{
	static const struct nomem_case add = { "add", change_files, add_it, true, 20 };
	static const struct nomem_case dry = { "add -n", change_files, add_dry, true, 10 };

	(void)state;
	go_back();
	nomem_check_all(&dry);
	nomem_check_all(&add);
}

static void test_nomem__commit(void **state)
{
	static const struct nomem_case c = { "commit", change_and_add, commit_it, true, 20 };

	(void)state;
	nomem_check_all(&c);
}

static void test_nomem__status(void **state)
{
	static const struct nomem_case c = { "status", change_files, status_it, true, 20 };

	(void)state;
	go_back();
	nomem_check_all(&c);
}

/* ---- diff */

static int count_piece(void *payload, const struct store_patch_piece *piece)
{
	*(size_t *)payload += piece->kind == STORE_PATCH_ADDED;
	return 0;
}

static int compare(struct store_repo *of, enum store_diff_form form)
{
	const struct store_diff_options options = { .form = form,
		.old_rev = "one",
		.new_rev = "two" };
	size_t added = 0;
	const struct store_patch_options pieces = { .piece = count_piece, .payload = &added };
	struct store_diff_iter *it = NULL;
	struct store_diff_entry entry;
	struct store_patch_result result;
	int rc = store_diff_open(of, &options, &it, &failure);

	while (rc == 0 && (rc = store_diff_next(it, &entry, &failure)) == 0)
		rc = store_patch(of, &entry, &pieces, &result, &failure);
	if (rc == STORE_ENOTFOUND)
		assert_true(added > 300 && store_diff_unreadable(it) == 0);
	store_diff_free(it);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int diff_work(struct store_repo *of)
{
	return compare(of, STORE_DIFF_STAGE_WORK);
}

static int diff_stage(struct store_repo *of)
{
	return compare(of, STORE_DIFF_COMMIT_STAGE);
}

static int diff_commits(struct store_repo *of)
{
	return compare(of, STORE_DIFF_COMMIT_COMMIT);
}

static void test_nomem__diff(void **state)
{
	static const struct nomem_case work = { "diff", NULL, diff_work, true, 15 };
	static const struct nomem_case stage = { "diff --staged", NULL, diff_stage, true, 15 };
	static const struct nomem_case commits = { "diff A B", NULL, diff_commits, true, 15 };

	(void)state;
	go_back();
	change_and_add();
	change_files();
	nomem_check_all(&work);
	nomem_check_all(&stage);
	nomem_check_all(&commits);
}

/* ---- checkout, reset, restore: from one commit to the other and back */

static const char *wanted = "two";

static void want_the_other(void)
{
	wanted = wanted[0] == 'o' ? "two" : "one";
	change_files();
}

static int check_out(struct store_repo *of)
{
	const struct store_checkout_options options = { .flags = STORE_CHECKOUT_FORCE |
			STORE_CHECKOUT_PRESERVE,
		.rev = wanted };

	return store_checkout(of, &options, NULL, &failure);
}

static int check_out_paths(struct store_repo *of)
{
	static const char *const paths[] = { "dir", "large" };
	const struct store_checkout_options options = { .flags = STORE_CHECKOUT_FORCE,
		.rev = wanted,
		.paths = paths,
		.n_paths = 2 };

	return store_checkout(of, &options, NULL, &failure);
}

static void remove_other(void)
{
	assert_int_equal(system("rm -rf other"), 0);
}

static int check_out_to(struct store_repo *of)
{
	const struct store_checkout_options options = { .flags = STORE_CHECKOUT_FORCE,
		.rev = "one",
		.to = "other" };

	return store_checkout(of, &options, NULL, &failure);
}

static int reset_it(struct store_repo *of)
{
	const struct store_reset_options hard = { .mode = STORE_RESET_HARD,
		.flags = STORE_RESET_FORCE,
		.rev = wanted };

	return store_reset(of, &hard, NULL, &failure);
}

static int restore_it(struct store_repo *of)
{
	const struct store_restore_options options = { .flags = STORE_RESTORE_FORCE |
			STORE_RESTORE_STAGED | STORE_RESTORE_WORKTREE,
		.source = wanted,
		.paths = everything,
		.n_paths = 1 };

	return store_restore(of, &options, NULL, &failure);
}

static void test_nomem__checkout(void **state)
{
	static const struct nomem_case whole = { "checkout", want_the_other, check_out, true, 15 };
	static const struct nomem_case paths = { "checkout REV -- PATH", want_the_other,
		check_out_paths, true, 15 };
	static const struct nomem_case to = { "checkout --to", remove_other, check_out_to, true,
		10 };

	(void)state;
	go_back();
	nomem_check_all(&whole);
	nomem_check_all(&paths);
	nomem_check_all(&to);
	remove_other();
}

static void test_nomem__reset_and_restore(void **state)
{
	static const struct nomem_case reset = { "reset", want_the_other, reset_it, true, 15 };
	static const struct nomem_case restore = { "restore", want_the_other, restore_it, true,
		15 };

	(void)state;
	go_back();
	nomem_check_all(&reset);
	nomem_check_all(&restore);
}

/* ---- rm, mv */

static const char *const sources[] = { "dir", "a.txt" };

static void go_back_whole(void)
{
	assert_int_equal(system("rm -rf dir/sub new/dir new/a.txt"), 0);
	go_back();
}

static int remove_paths(struct store_repo *of)
{
	const struct store_rm_options options = { .flags = STORE_RM_RECURSIVE,
		.paths = sources,
		.n_paths = 2 };

	return store_rm(of, &options, NULL, &failure);
}

static int move_paths(struct store_repo *of)
{
	const struct store_mv_options options = { .sources = sources,
		.n_sources = 2,
		.target = "new" };

	return store_mv(of, &options, NULL, &failure);
}

static void test_nomem__rm_and_mv(void **state)
{
	static const struct nomem_case rm = { "rm", go_back_whole, remove_paths, true, 15 };
	static const struct nomem_case mv = { "mv", go_back_whole, move_paths, true, 15 };

	(void)state;
	nomem_check_all(&rm);
	nomem_check_all(&mv);
	go_back();
}

/* ---- ignore rules */

static int ask_rules(struct store_repo *of)
{
	static const char *const paths[] = { "x.o", "keep.o", "new/untracked", "dir/c", "new/y.o" };
	static const int ignored[] = { 1, 0, 0, 0, 1 };
	struct store_ignore *it = NULL;
	struct store_ignore_result result;
	int rc = store_ignore_open(of, NULL, &it, &failure);

	for (size_t i = 0; rc == 0 && i < 5; i++) {
		rc = store_ignore_check(it, paths[i], 0, &result, &failure);
		if (rc == 0 && result.ignored != ignored[i])
			fail_msg("'%s' is told to be ignored: %d", paths[i], result.ignored);
	}
	store_ignore_free(it);
	return rc;
}

static void test_nomem__ignore(void **state)
{
	static const struct nomem_case c = { "check-ignore", NULL, ask_rules, true, 20 };

	(void)state;
	nomem_check_all(&c);
}

static void test_nomem__all_is_as_it_should_be_in_the_end(void **state)
{
	(void)state;
	OK(store_fsck(repo, NULL, NULL, &failure));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nomem__add),
		cmocka_unit_test(test_nomem__commit),
		cmocka_unit_test(test_nomem__status),
		cmocka_unit_test(test_nomem__diff),
		cmocka_unit_test(test_nomem__checkout),
		cmocka_unit_test(test_nomem__reset_and_restore),
		cmocka_unit_test(test_nomem__rm_and_mv),
		cmocka_unit_test(test_nomem__ignore),
		cmocka_unit_test(test_nomem__all_is_as_it_should_be_in_the_end),
	};

	setenv("STORE_TEST_FSYNC", "0", 1);
	return cmocka_run_group_tests(tests, make, remove_it);
}
