/*
 * Memory that runs out under what reads and names history: log, refs, branches, tags, reflog,
 * configuration, listings of trees, look-ups, fsck.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "nomem_fixture.h"

/* ---- a history: three commits, two of which side has; two more there */

static void commit_file(const char *path, const char *text)
{
	const struct store_writer_options o = { .path = path };
	const struct store_commit_options message = { .message = text, .author = "A <a@a>" };
	struct store_writer *w;

	OK(store_writer_open(repo, &o, &w, &failure));
	OK(store_writer_write(w, text, strlen(text), &failure));
	OK(store_writer_finish(w, NULL, &failure));
	store_writer_free(w);
	OK(store_commit(repo, &message, NULL, &failure));
}

static int make(void **state)
{
	const struct store_checkout_options to_side = { .rev = "HEAD~1", .new_branch = "side" };
	const struct store_checkout_options to_main = { .rev = "main" };
	const struct store_tag_options annotated = { .message = "said so" };

	if (fixture_make(state) != 0)
		return -1;
	commit_file("dir/file", "first one");
	commit_file("dir/other", "second one");
	OK(store_tag_create(repo, "plain", NULL, NULL, &failure));
	OK(store_tag_create(repo, "annotated", &annotated, NULL, &failure));
	commit_file("dir/deeper/still/file", "third one");
	OK(store_checkout(repo, &to_side, NULL, &failure));
	commit_file("top", "fourth one");
	commit_file("dir/file", "fifth one");
	OK(store_checkout(repo, &to_main, NULL, &failure));
	return 0;
}

/* The end of an iterator is no error; it has been gone through. */
static int at_end(int rc, size_t n, size_t least)
{
	if (rc != STORE_ENOTFOUND)
		return rc;
	assert_true(n >= least);
	return 0;
}

/* ---- log */

static int log_it(struct store_repo *of)
{
	static const char *const revs[] = { "main...side", "main" }, *const paths[] = { "dir" };
	static const char *const authors[] = { "A <" }, *const greps[] = { "^[a-z]* one$", "none" };
	const struct store_log_options options = { .flags = STORE_LOG_REVERSE | STORE_LOG_EXTENDED,
		.revs = revs,
		.n_revs = 2,
		.paths = paths,
		.n_paths = 1,
		.since = "1980-01-01",
		.authors = authors,
		.n_authors = 1,
		.greps = greps,
		.n_greps = 2 };
	struct store_log_iter *it = NULL;
	struct store_log_entry entry;
	size_t n = 0;
	int rc = store_log_open(of, &options, &it, &failure);

	while (rc == 0 && (rc = store_log_next(it, &entry, &failure)) == 0)
		n++;
	store_log_free(it);
	return at_end(rc, n, 2);
}

static void test_nomem__log(void **state)
{
	static const struct nomem_case c = { "log", NULL, log_it, true, 60 };

	(void)state;
	nomem_check_all(&c);
}

/* ---- refs */

static int list_refs(struct store_repo *of)
{
	const struct store_refs_options options = { .contains = "main~1", .no_merged = "main~2" };
	struct store_refs_iter *it = NULL;
	struct store_ref ref;
	size_t n = 0;
	int rc = store_refs_open(of, &options, &it, &failure);

	while (rc == 0 && (rc = store_refs_next(it, &ref, &failure)) == 0)
		n++;
	store_refs_free(it);
	return at_end(rc, n, 4);
}

static int read_reflog(struct store_repo *of)
{
	struct store_reflog_iter *it = NULL;
	struct store_reflog_entry entry;
	size_t n = 0;
	int rc = store_reflog_open(of, NULL, &it, &failure);

	while (rc == 0 && (rc = store_reflog_next(it, &entry, &failure)) == 0)
		n++;
	store_reflog_free(it);
	return at_end(rc, n, 5);
}

static int change_branches(struct store_repo *of)
{
	int rc = store_branch_create(of, "b", "side~1", STORE_REF_FORCE, NULL, &failure);

	if (rc == 0)
		rc = store_branch_rename(of, "b", "c", STORE_REF_FORCE, NULL, &failure);
	return rc == 0 ? store_branch_delete(of, "c", STORE_REF_FORCE, NULL, &failure) : rc;
}

static int change_tags(struct store_repo *of)
{
	const struct store_tag_options options = { .flags = STORE_REF_FORCE, .message = "why" };
	int rc = store_tag_create(of, "t", &options, NULL, &failure);

	return rc == 0 ? store_tag_delete(of, "t", NULL, &failure) : rc;
}

static void test_nomem__refs(void **state)
{
	static const struct nomem_case list = { "refs", NULL, list_refs, true, 30 };
	static const struct nomem_case reflog = { "reflog", NULL, read_reflog, true, 30 };
	static const struct nomem_case branches = { "branch", NULL, change_branches, true, 30 };
	static const struct nomem_case tags = { "tag", NULL, change_tags, true, 30 };

	(void)state;
	nomem_check_all(&list);
	nomem_check_all(&reflog);
	nomem_check_all(&branches);
	nomem_check_all(&tags);
}

/* ---- configuration */

static int count_entry(void *payload, const struct store_config_entry *entry)
{
	*(size_t *)payload += entry->key != NULL;
	return 0;
}

static int configure(struct store_repo *of)
{
	const struct store_config_options options = { .start = fixture_dir };
	char *value = NULL, remark[300];
	size_t n = 0, taken;
	int rc = store_config_set(&options, "user.name", "A", 0, remark, &failure);

	if (rc == 0)
		rc = store_config_each(&options, NULL, count_entry, &n, &failure);
	if (rc == 0)
		rc = store_config_get(of, "user.email", &value, &failure);
	if (rc == STORE_ENOTFOUND)
		rc = store_config_get(of, "chunking.average", &value, &failure);
	free(value);
	if (rc == 0)
		rc = store_config_unset(&options, "user.name", NULL, &taken, &failure);
	if (rc == 0)
		assert_true(n > 10 && taken == 1);
	return rc;
}

static void test_nomem__config(void **state)
{
	static const struct nomem_case c = { "config", NULL, configure, true, 40 };

	(void)state;
	nomem_check_all(&c);
}

/* ---- trees and names */

static int list_tree(struct store_repo *of)
{
	static const char *const names[] = { "main:", "dir@side", ":dir" };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 3; i++) {
		struct store_target target = { 0 };
		struct store_tree_iter *it = NULL;
		struct store_tree_entry entry;
		size_t n = 0;

		rc = store_resolve(of, names[i], 0, &target, &failure);
		if (rc == 0)
			rc = store_target_entry(of, &target, &entry, &failure);
		if (rc == 0)
			rc = store_tree_open(of, &target, 1, &it, &failure);
		while (rc == 0 && (rc = store_tree_next(it, &entry, &failure)) == 0)
			n++;
		rc = at_end(rc, n, 2);
		store_tree_free(it);
		store_target_clear(&target);
	}
	return rc;
}

static int look_up(struct store_repo *of)
{
	struct store_object object = { 0 };
	struct store_root root;
	struct store_head head;
	struct store_info info;
	struct store_id id;
	char *path = NULL;
	int rc = store_operand(of, "dir/../dir/file", &path, &failure);

	free(path);
	if (rc == 0)
		rc = store_rev_parse(of, "side@{0}~1", &id, &failure);
	if (rc == 0)
		rc = store_merge_base(of, "main", "side", &id, &failure);
	if (rc == 0)
		rc = store_root(of, "annotated", &root, &failure);
	if (rc == 0)
		rc = store_head(of, &head, &failure);
	if (rc == 0)
		rc = store_info(of, &info, &failure);
	if (rc == 0)
		rc = store_object_find(of, "annotated", &object, &failure);
	store_object_clear(&object);
	return rc;
}

static void test_nomem__trees_and_names(void **state)
{
	static const struct nomem_case trees = { "ls", NULL, list_tree, true, 60 };
	static const struct nomem_case names = { "names", NULL, look_up, true, 60 };

	(void)state;
	nomem_check_all(&trees);
	nomem_check_all(&names);
}

/* ---- fsck */

static int check_it(struct store_repo *of)
{
	struct store_fsck_result result;
	const int rc = store_fsck(of, NULL, &result, &failure);

	if (rc == 0)
		assert_int_equal(result.commits, 5);
	return rc;
}

static void test_nomem__fsck(void **state)
{
	static const struct nomem_case c = { "fsck", NULL, check_it, true, 40 };

	(void)state;
	nomem_check_all(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nomem__log),
		cmocka_unit_test(test_nomem__refs),
		cmocka_unit_test(test_nomem__config),
		cmocka_unit_test(test_nomem__trees_and_names),
		cmocka_unit_test(test_nomem__fsck),
	};

	setenv("STORE_TEST_FSYNC", "0", 1);
	return cmocka_run_group_tests(tests, make, fixture_remove);
}
