/* What info tells of a history that is more than a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "repo_fixture.h"

static void the_figure_counts_commits_along_first_parents_and_none_that_a_merge_brought(
	void **state)
{
	struct store_info info;
	struct oid one, two, side, more, both[2];

	(void)state;
	OK(store_info(repo, &info, &failure));
	assert_int_equal(info.first_parent_commits, 0);
	one = fixture_simple(NULL, 0, NULL, 0, 1, "one");
	OK(store_info(repo, &info, &failure));
	assert_int_equal(info.first_parent_commits, 1);
	two = fixture_simple(NULL, 1, &one, 1, 2, "two");
	side = fixture_simple("refs/heads/side", 1, &one, 1, 3, "side");
	more = fixture_simple("refs/heads/side", 2, &side, 1, 4, "more");
	OK(store_info(repo, &info, &failure));
	assert_int_equal(info.first_parent_commits, 2);
	both[0] = two;
	both[1] = more;
	fixture_simple(NULL, 2, both, 2, 5, "merge");
	OK(store_info(repo, &info, &failure));
	assert_int_equal(info.first_parent_commits, 3);
	assert_int_equal(info.head.generation, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_figure_counts_commits_along_first_parents_and_none_that_a_merge_brought,
			fixture_make, fixture_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
