/*
 * store_dupes on a tree that is known: groups and their counts, with all in memory and by the
 * smallest buffers; parts of a large group; cancelling at every turn of every callback; plans.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"

#define COPIES 300 /* of one content, each with two names: more than a part holds */
#define LARGE 20000
#define FILES (2 * COPIES + 3 + 5) /* that are not empty */
#define GROUPS 2

static char folder[] = "/tmp/u_dupes.XXXXXX";
static const char *const roots[] = { "tree" };
static struct store_error failure;

static void write_file(const char *path, size_t len, size_t odd)
{
	char *data = calloc(1, len + 1);
	FILE *f = fopen(path, "w");

	assert_non_null(data);
	assert_non_null(f);
	if (odd > 0)
		data[odd] = 1;
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	free(data);
}

/* Three of LARGE bytes alike, and two that differ at their ends or between; one of its own size. */
static void make_tree(void)
{
	char path[64], other[64];

	assert_int_equal(mkdir("tree", 0755), 0);
	for (int i = 0; i < COPIES; i++) {
		snprintf(path, sizeof(path), "tree/%03d", i);
		snprintf(other, sizeof(other), "tree/%03d.hard", i);
		write_file(path, 7, 0);
		assert_int_equal(link(path, other), 0);
	}
	write_file("tree/large.a", LARGE, 0);
	write_file("tree/large.b", LARGE, 0);
	write_file("tree/large.c", LARGE, 0);
	write_file("tree/large.head", LARGE, 1);
	write_file("tree/large.middle", LARGE, LARGE / 2);
	write_file("tree/large.tail", LARGE, LARGE - 1);
	write_file("tree/single", 11, 0);
	write_file("tree/small", 7, 3);
	write_file("tree/empty.1", 0, 0);
	write_file("tree/empty.2", 0, 0);
}

static int make(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	make_tree();
	return 0;
}

static void remove_tree(const char *path)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	assert_int_equal(system(command), 0);
}

static int unmake(void **state)
{
	(void)state;
	assert_int_equal(chdir("/"), 0);
	remove_tree(folder);
	return 0;
}

/* ---- what is seen */

struct seen {
	uint64_t parts, names, groups, actions, failures, ticks;
	uint64_t turns, stop_at; /* calls of all callbacks that can cancel; 0: never */
	uint64_t size;           /* of the last group */
	char last[64];           /* path of the last name */
	enum store_dupes_state state;
};

static int turn(struct seen *s)
{
	return ++s->turns == s->stop_at;
}

static int on_group(void *payload, const struct store_dupes_group *g)
{
	struct seen *s = payload;

	if (g->first == 0) {
		assert_int_equal(g->number, s->groups);
		assert_true(s->groups == 0 || g->size <= s->size);
		s->groups++;
		s->names = 0;
		s->last[0] = '\0';
	}
	assert_int_equal(g->first, s->names);
	assert_true(g->n > 0 && g->n <= 256);
	for (size_t i = 0; i < g->n; i++) {
		assert_int_equal(strlen(g->files[i].path), g->files[i].path_len);
		assert_true(strcmp(s->last, g->files[i].path) < 0);
		assert_true(S_ISREG(g->files[i].mode));
		snprintf(s->last, sizeof(s->last), "%s", g->files[i].path);
	}
	s->names += g->n;
	s->parts++;
	s->size = g->size;
	assert_int_equal(g->copies, g->size == LARGE ? 3 : g->size > 0 ? COPIES : 2);
	assert_int_equal(g->names, g->size == 7 ? (uint64_t)2 * COPIES : g->copies);
	return turn(s);
}

static int on_action(void *payload, const struct store_dupes_action *a)
{
	struct seen *s = payload;

	assert_true(a->keep->inode != a->file->inode);
	assert_true(a->state != STORE_DUPES_REFUSED || a->why.code < 0);
	s->actions++;
	s->state = a->state;
	return turn(s);
}

static void on_failure(void *payload, const struct store_walk_failure *f)
{
	struct seen *s = payload;

	assert_true(f->why.code < 0 && f->why.msg[0]);
	s->failures++;
}

static int on_progress(void *payload, const struct store_dupes_stats *stats)
{
	struct seen *s = payload;

	assert_true(stats->compared <= stats->walk.files);
	s->ticks++;
	return turn(s);
}

static struct store_dupes_options options_for(struct seen *s)
{
	const struct store_dupes_options o = { .group = on_group,
		.action = on_action,
		.failure = on_failure,
		.progress = on_progress,
		.payload = s };

	memset(s, 0, sizeof(*s));
	return o;
}

static void expect_all(const struct seen *s, const struct store_dupes_stats *stats)
{
	assert_int_equal(s->groups, GROUPS);
	assert_int_equal(s->parts, 1 + (2 * COPIES + 255) / 256);
	assert_int_equal(stats->walk.files, FILES);
	assert_int_equal(stats->compared, FILES);
	assert_int_equal(stats->groups, GROUPS);
	assert_int_equal(stats->names, 2 * COPIES + 3);
	assert_int_equal(stats->copies, COPIES + 3);
	assert_int_equal(stats->free_bytes, 7 * (COPIES - 1) + 2 * LARGE);
	assert_int_equal(stats->errors, 0);
	assert_int_equal(stats->complete, 1);
	/*
	 * One opening of each small copy; of six large ones for their ends, and of the four for all
	 * that are alike there; none of the file that is alone in its size.
	 */
	assert_int_equal(stats->opened, COPIES + 1 + 6 + 4);
	assert_int_equal(stats->read_bytes, 7 * (COPIES + 1) + 6 * 8192 + 4 * LARGE);
}

/* ---- the tests */

static void test_dupes__finds_the_same_whatever_the_figures_are(void **state)
{
	static const unsigned int scanners[] = { 1, 3 };
	struct store_dupes_stats stats;
	struct seen s;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct store_dupes_options o = options_for(&s);
		const struct store_walk_options w = { .scanners = scanners[i % 2],
			.scratch = "/tmp" };

		o.walk = &w;
		o.sort_bytes = i < 2 ? 0 : 4096;
		assert_int_equal(store_dupes(roots, 1, &o, &stats, &failure), 0);
		expect_all(&s, &stats);
		assert_int_equal(stats.spilled_bytes > 0, i >= 2);
	}
	assert_int_equal(store_dupes(roots, 1, NULL, NULL, &failure), 0);
}

static void test_dupes__takes_filters_and_empty_files(void **state)
{
	const struct store_walk_options w = { .size_end = 8 };
	struct store_dupes_stats stats;
	struct seen s;
	struct store_dupes_options o = options_for(&s);

	(void)state;
	o.walk = &w;
	o.flags = STORE_DUPES_EMPTY;
	assert_int_equal(store_dupes(roots, 1, &o, &stats, &failure), 0);
	assert_int_equal(stats.groups, 2);
	assert_int_equal(s.size, 0);
	assert_int_equal(stats.copies, COPIES + 2);
}

static void test_dupes__refuses_options_that_cannot_be(void **state)
{
	static const struct store_dupes_options wrong[] = { { .version = 1 }, { .flags = 4 },
		{ .act = (enum store_dupes_act)3 }, { .sort_bytes = 4095 },
		{ .sort_bytes = (64 << 20) + 1 }, { .plan = "0123456789ab" },
		{ .act = STORE_DUPES_LINK, .plan = "0123456789a" },
		{ .act = STORE_DUPES_LINK, .plan = "0123456789aB" } };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct store_dupes_stats stats = { .groups = 7 };

		assert_int_equal(store_dupes(roots, 1, &wrong[i], &stats, &failure), STORE_EINVAL);
		assert_int_equal(stats.groups, 0);
	}
}

/* Each call of a callback, one after the other, ends it, and nothing was changed. */
static void test_dupes__every_callback_can_cancel(void **state)
{
	struct store_dupes_stats stats;
	struct seen s;

	(void)state;
	for (uint64_t n = 1; n < 20; n++) {
		struct store_dupes_options o = options_for(&s);

		/* By the smallest number of turns: parts and the last call of progress. */
		s.stop_at = n;
		if (store_dupes(roots, 1, &o, &stats, &failure) == 0)
			break;
		assert_int_equal(failure.code, STORE_ECANCELED);
		assert_true(n < 19);
	}
	assert_true(s.parts > 3);
	for (uint64_t n = 1; n < 400; n += 37) {
		struct store_dupes_options o = options_for(&s);

		o.act = STORE_DUPES_DELETE;
		o.group = NULL;
		o.progress = NULL;
		s.stop_at = n;
		assert_int_equal(store_dupes(roots, 1, &o, &stats, &failure), STORE_ECANCELED);
		assert_int_equal(s.actions, n);
		assert_int_equal(stats.done, 0);
	}
}

static void plan(const struct store_dupes_options *base, char hex[STORE_HEX_LEN + 1],
	struct store_dupes_stats *stats)
{
	struct store_dupes_options o = *base;

	o.plan = NULL;
	assert_int_equal(store_dupes(roots, 1, &o, stats, &failure), 0);
	store_id_hex(hex, &stats->plan);
}

/* Cancelled after n actions it has done n, and the plan is another one then. */
static void test_dupes__carries_out_what_was_told_and_no_more(void **state)
{
	struct store_dupes_stats stats;
	char hex[STORE_HEX_LEN + 1];
	struct seen s;
	struct store_dupes_options o = options_for(&s);

	(void)state;
	o.act = STORE_DUPES_LINK;
	o.group = NULL;
	o.progress = NULL;
	plan(&o, hex, &stats);
	assert_int_equal(stats.planned, 2 * (COPIES - 1) + 2);
	assert_int_equal(s.actions, stats.planned);
	assert_int_equal(s.state, STORE_DUPES_PLANNED);
	assert_int_equal(stats.done, 0);

	o = options_for(&s);
	o.act = STORE_DUPES_LINK;
	o.group = NULL;
	o.progress = NULL;
	o.plan = hex;
	s.stop_at = 5;
	assert_int_equal(store_dupes(roots, 1, &o, &stats, &failure), STORE_ECANCELED);
	assert_int_equal(stats.done, 5);
	s.stop_at = 0;
	s.actions = 0;
	assert_int_equal(store_dupes(roots, 1, &o, &stats, &failure), STORE_ECONFLICT);
	assert_int_equal(s.actions, 0);
	plan(&o, hex, &stats);
	s.actions = 0;
	assert_int_equal(store_dupes(roots, 1, &o, &stats, &failure), 0);
	assert_int_equal(s.state, STORE_DUPES_DONE);
	assert_int_equal(s.actions, 2 * (COPIES - 1) + 2 - 5);
	o.act = STORE_DUPES_TELL;
	o.plan = NULL;
	assert_int_equal(store_dupes(roots, 1, &o, &stats, &failure), 0);
	assert_int_equal(stats.groups, 0);
	assert_int_equal(stats.walk.files, FILES);
	remove_tree("tree");
	make_tree();
}

#ifdef STORE_FAULTS
/* Whichever read of a file fails, that file is a failure and the others are found. */
static void test_dupes__failure_costs_nothing_but_what_failed(void **state)
{
	struct store_dupes_stats stats;
	struct seen s;
	char spec[32];

	(void)state;
	for (int n = 1; n < 330; n += n < 20 ? 1 : 37) {
		struct store_dupes_options o = options_for(&s);

		o.group = NULL;
		snprintf(spec, sizeof(spec), "read:%d:EIO", n);
		fault_load(spec);
		assert_int_equal(store_dupes(roots, 1, &o, &stats, &failure), 0);
		fault_load("");
		assert_int_equal(stats.errors, 1);
		assert_int_equal(s.failures, 1);
		assert_true(stats.groups == GROUPS);
		assert_true(stats.copies >= COPIES + 2);
	}
}

static void test_dupes__ends_when_records_cannot_wait_or_memory_ends(void **state)
{
	static const char *const faults[] = { "write:1:ENOSPC", "write:9:ENOSPC", "malloc:1:ENOMEM",
		"malloc:2:ENOMEM", "malloc:9:ENOMEM", "malloc:21:ENOMEM" };
	struct seen s;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct store_dupes_options o = options_for(&s);
		const struct store_walk_options w = { .scanners = 1 };
		int rc;

		o.group = NULL;
		o.walk = &w;
		o.sort_bytes = 4096;
		fault_load(faults[i]);
		rc = store_dupes(roots, 1, &o, NULL, &failure);
		fault_load("");
		assert_int_equal(rc, i < 2 ? STORE_ENOSPACE : STORE_ENOMEM);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dupes__finds_the_same_whatever_the_figures_are),
		cmocka_unit_test(test_dupes__takes_filters_and_empty_files),
		cmocka_unit_test(test_dupes__refuses_options_that_cannot_be),
		cmocka_unit_test(test_dupes__every_callback_can_cancel),
		cmocka_unit_test(test_dupes__carries_out_what_was_told_and_no_more),
#ifdef STORE_FAULTS
		cmocka_unit_test(test_dupes__failure_costs_nothing_but_what_failed),
		cmocka_unit_test(test_dupes__ends_when_records_cannot_wait_or_memory_ends),
#endif
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
