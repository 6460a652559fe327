/*
 * Options structs, of every call that takes one: a version that is not known is refused before
 * anything else of the struct is looked at, and NULL is all defaults, or refused where a call
 * cannot do without. t0008 compares the table with the declarations of store.h, so that no call is
 * forgotten.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <unistd.h>

#include "repo_fixture.h"

static const char *const file[] = { "file" };
static const char *const roots[] = { "." };

/* ---- a call each: with nothing to be found when it fails, and nothing left open when not */

static int try_init(const void *options)
{
	return store_init(fixture_dir, options, NULL, &failure);
}

static int check_handle(int rc, struct store_repo *of)
{
	assert_true((rc == 0) == (of != NULL));
	store_close(of);
	return rc;
}

static int try_open(const void *options)
{
	struct store_repo *of = repo;
	const int rc = store_open(&of, options, &failure);

	return check_handle(rc, of);
}

static int try_open_for_rebuild(const void *options)
{
	struct store_repo *of = repo;
	const int rc = store_open_for_rebuild(&of, options, &failure);

	return check_handle(rc, of);
}

static int end_at_once(void *payload, const struct store_config_entry *entry)
{
	(void)payload;
	return entry->key == NULL;
}

static int try_config_each(const void *options)
{
	return store_config_each(options, NULL, end_at_once, NULL, &failure);
}

static int try_config_set(const void *options)
{
	return store_config_set(options, "user.name", "A", 0, NULL, &failure);
}

static int try_config_unset(const void *options)
{
	size_t count;

	return store_config_unset(options, "user.name", NULL, &count, &failure);
}

static int try_add(const void *options)
{
	return store_add(repo, file, 1, options, NULL, &failure);
}

static int try_writer_open(const void *options)
{
	struct store_writer *w = (struct store_writer *)repo;
	const int rc = store_writer_open(repo, options, &w, &failure);

	assert_null(w);
	return rc;
}

static int try_commit(const void *options)
{
	return store_commit(repo, options, NULL, &failure);
}

static int try_commit_check(const void *options)
{
	return store_commit_check(repo, options, &failure);
}

static int try_status(const void *options)
{
	return store_status(repo, NULL, 0, options, NULL, &failure);
}

static int try_ignore_open(const void *options)
{
	struct store_ignore *it = (struct store_ignore *)repo;
	const int rc = store_ignore_open(repo, options, &it, &failure);

	assert_true((rc == 0) == (it != NULL));
	store_ignore_free(it);
	return rc;
}

static int try_refs_open(const void *options)
{
	struct store_refs_iter *it = (struct store_refs_iter *)repo;
	const int rc = store_refs_open(repo, options, &it, &failure);

	assert_true((rc == 0) == (it != NULL));
	store_refs_free(it);
	return rc;
}

static int try_tag_create(const void *options)
{
	return store_tag_create(repo, "tag", options, NULL, &failure);
}

static int try_log_open(const void *options)
{
	struct store_log_iter *it = (struct store_log_iter *)repo;
	const int rc = store_log_open(repo, options, &it, &failure);

	assert_true((rc == 0) == (it != NULL));
	store_log_free(it);
	return rc;
}

static int try_diff_open(const void *options)
{
	struct store_diff_iter *it = (struct store_diff_iter *)repo;
	const int rc = store_diff_open(repo, options, &it, &failure);

	assert_true((rc == 0) == (it != NULL));
	store_diff_free(it);
	return rc;
}

static int try_patch(const void *options)
{
	const struct store_diff_entry added = { .path = "file",
		.letter = 'A',
		.new_side = { .kind = STORE_KIND_FILE, .is_work = 1, .node.size = 5 } };
	struct store_patch_result result;

	return store_patch(repo, &added, options, &result, &failure);
}

static int try_checkout(const void *options)
{
	return store_checkout(repo, options, NULL, &failure);
}

static int try_reset(const void *options)
{
	return store_reset(repo, options, NULL, &failure);
}

static int try_restore(const void *options)
{
	return store_restore(repo, options, NULL, &failure);
}

static int try_rm(const void *options)
{
	return store_rm(repo, options, NULL, &failure);
}

static int try_mv(const void *options)
{
	return store_mv(repo, options, NULL, &failure);
}

static int try_walk(const void *options)
{
	return store_walk(roots, 1, options, NULL, &failure);
}

static int try_dupes(const void *options)
{
	return store_dupes(roots, 1, options, NULL, &failure);
}

static int on_result(void *payload, const struct store_bench_result *result)
{
	(void)payload;
	(void)result;
	return 0;
}

static int try_bench(const void *options)
{
	return store_bench("hash", options, on_result, NULL, &failure);
}

static int try_fsck(const void *options)
{
	return store_fsck(repo, options, NULL, &failure);
}

static const struct {
	const char *name;
	const char *options;
	const char *needs; /* what NULL is refused for; NULL: it is all defaults */
	int (*try)(const void *options);
} calls[] = {
	{ "store_init", "store_init_options", NULL, try_init },
	{ "store_open", "store_open_options", NULL, try_open },
	{ "store_config_each", "store_config_options", NULL, try_config_each },
	{ "store_config_set", "store_config_options", NULL, try_config_set },
	{ "store_config_unset", "store_config_options", NULL, try_config_unset },
	{ "store_add", "store_add_options", NULL, try_add },
	{ "store_writer_open", "store_writer_options", "a path", try_writer_open },
	{ "store_commit", "store_commit_options", "message", try_commit },
	{ "store_commit_check", "store_commit_options", NULL, try_commit_check },
	{ "store_status", "store_status_options", NULL, try_status },
	{ "store_ignore_open", "store_ignore_options", NULL, try_ignore_open },
	{ "store_refs_open", "store_refs_options", NULL, try_refs_open },
	{ "store_tag_create", "store_tag_options", NULL, try_tag_create },
	{ "store_log_open", "store_log_options", NULL, try_log_open },
	{ "store_diff_open", "store_diff_options", NULL, try_diff_open },
	{ "store_patch", "store_patch_options", NULL, try_patch },
	{ "store_checkout", "store_checkout_options", NULL, try_checkout },
	{ "store_reset", "store_reset_options", NULL, try_reset },
	{ "store_restore", "store_restore_options", "paths", try_restore },
	{ "store_rm", "store_rm_options", "paths", try_rm },
	{ "store_mv", "store_mv_options", "sources", try_mv },
	{ "store_walk", "store_walk_options", "batch callback", try_walk },
	{ "store_dupes", "store_dupes_options", NULL, try_dupes },
	{ "store_bench", "store_bench_options", NULL, try_bench },
	{ "store_fsck", "store_fsck_options", NULL, try_fsck },
	{ "store_open_for_rebuild", "store_open_options", NULL, try_open_for_rebuild },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* ---- */

/* What a later library's struct holds behind its version is nothing that may be looked at. */
static void test_options__of_a_version_not_known_are_refused_unread(void **state)
{
	static const unsigned int versions[] = { 1, 2, UINT_MAX };
	union {
		unsigned int version;
		uint8_t bytes[4096];
		max_align_t align;
	} options;
	char number[12];

	(void)state;
	memset(&options, 0xa5, sizeof(options));
	for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
		options.version = versions[v];
		snprintf(number, sizeof(number), " %u ", versions[v]);
		for (size_t i = 0; i < CALLS; i++) {
			failure = (struct store_error){ 0 };
			if (calls[i].try(&options) != STORE_EINVAL)
				fail_msg("%s took version%s: %s", calls[i].name, number,
					failure.msg);
			assert_int_equal(failure.code, STORE_EINVAL);
			if (!strstr(failure.msg, number) || !strstr(failure.msg, calls[i].options))
				fail_msg("%s: '%s'", calls[i].name, failure.msg);
		}
	}
}

static void test_options__that_are_null_are_the_defaults_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < CALLS; i++) {
		int rc;

		failure = (struct store_error){ 0 };
		rc = calls[i].try(NULL);
		if (rc != (calls[i].needs ? STORE_EINVAL : 0))
			fail_msg("%s: %d, %s", calls[i].name, rc, failure.msg);
		assert_int_equal(failure.code, rc);
		if (calls[i].needs && !strstr(failure.msg, calls[i].needs))
			fail_msg("%s: '%s'", calls[i].name, failure.msg);
	}
}

/* In the current directory: a file that is committed, and changed since. */
static int make(void **state)
{
	const struct store_commit_options message = { .message = "one" };
	FILE *f;

	if (fixture_make(state) != 0 || chdir(fixture_dir) != 0)
		return -1;
	f = fopen("file", "w");
	if (!f || fputs("text\n", f) < 0 || store_add(repo, file, 1, NULL, NULL, &failure) != 0 ||
		store_commit(repo, &message, NULL, &failure) != 0)
		return -1;
	return fclose(f);
}

static int remove_it(void **state)
{
	return chdir("/") != 0 || fixture_remove(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_options__of_a_version_not_known_are_refused_unread, make, remove_it),
		cmocka_unit_test_setup_teardown(
			test_options__that_are_null_are_the_defaults_or_refused, make, remove_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
