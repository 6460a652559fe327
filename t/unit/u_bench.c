/*
 * store_bench: its median beside a plain model, input that is the same for the same seed, results
 * that add up, and a folder that is gone however a run ends.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "work/bench_internal.h"

static char folder[] = "/tmp/u_bench.XXXXXX";
static struct store_error failure;

static struct store_bench_options small(void)
{
	return (struct store_bench_options){ .size = 70000,
		.count = 150,
		.threads = 2,
		.scratch = folder };
}

static size_t count_names(void)
{
	DIR *dir = opendir(folder);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2; /* "." and ".." */
}

/* ---- statistics */

static size_t count_below(const double *samples, size_t n, double value)
{
	size_t below = 0;

	for (size_t i = 0; i < n; i++)
		below += samples[i] < value;
	return below;
}

static void test_bench_stats__known_samples(void **state)
{
	double one[] = { 3 }, odd[] = { 9, -1, 5 }, even[] = { 8, 2, 4, 1 },
	       same[] = { 7, 7, 7, 7 };
	struct bench_summary s;

	(void)state;
	bench_stats(one, 1, &s);
	assert_true(s.median == 3 && s.min == 3 && s.max == 3);
	bench_stats(odd, 3, &s);
	assert_true(s.median == 5 && s.min == -1 && s.max == 9);
	bench_stats(even, 4, &s);
	assert_true(s.median == 3 && s.min == 1 && s.max == 8);
	bench_stats(same, 4, &s);
	assert_true(s.median == 7 && s.min == 7 && s.max == 7);
}

/* At most half of the samples lie on either side of a median, and it lies between two of them. */
static void test_bench_stats__halves_any_samples(void **state)
{
	struct bench_random r = { 1 };
	double samples[40];
	struct bench_summary s;

	(void)state;
	for (size_t n = 1; n <= 40; n++) {
		size_t below, above = 0;

		for (size_t i = 0; i < n; i++)
			samples[i] = (double)(bench_random_next(&r) % 20);
		bench_stats(samples, n, &s);
		below = count_below(samples, n, s.median);
		for (size_t i = 0; i < n; i++)
			above += samples[i] > s.median;
		assert_true(below <= n / 2 && above <= n / 2);
		assert_true(count_below(samples, n, s.min) == 0 && s.min <= s.median);
		assert_true(count_below(samples, n, s.max) < n && s.max >= s.median);
		for (size_t i = 0; i < n; i++)
			assert_true(samples[i] >= s.min && samples[i] <= s.max);
	}
}

/* ---- input */

static void test_bench_input__the_same_for_the_same_seed(void **state)
{
	uint8_t a[5000], b[5000];

	(void)state;
	for (int text = 0; text < 2; text++) {
		void (*fill)(struct bench_random *, uint8_t *, size_t) = text ? bench_text_fill
									      : bench_random_fill;

		fill(&(struct bench_random){ 5 }, a, sizeof(a));
		fill(&(struct bench_random){ 5 }, b, sizeof(b));
		assert_memory_equal(a, b, sizeof(a));
		fill(&(struct bench_random){ 6 }, b, sizeof(b));
		assert_memory_not_equal(a, b, sizeof(a));
	}
}

static void test_bench_input__text_is_lines_of_words(void **state)
{
	char text[20001] = { 0 };
	size_t lines = 0;

	(void)state;
	bench_text_fill(&(struct bench_random){ 0 }, (uint8_t *)text, sizeof(text) - 1);
	assert_int_equal(strlen(text), sizeof(text) - 1);
	for (const char *at = text; *at; at += strcspn(at, "\n") + 1, lines++) {
		assert_in_range(strcspn(at, "\n"), 1, 120);
		if (!strchr(at, '\n'))
			break;
	}
	assert_in_range(lines, 150, 400);
	assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz_- \n"), sizeof(text) - 1);
}

/* ---- runs */

struct seen {
	size_t results, targets;
	const char *subject;
	char names[64][64];
	int answer; /* of the callback */
};

static int see(void *payload, const struct store_bench_result *r)
{
	struct seen *s = payload;

	for (size_t i = 0; i < s->results; i++)
		assert_string_not_equal(s->names[i], r->name);
	assert_true(s->results < 64);
	snprintf(s->names[s->results++], sizeof(s->names[0]), "%s", r->name);
	assert_string_equal(r->subject, s->subject);
	assert_true(strcmp(r->unit, "bytes/s") == 0 || strcmp(r->unit, "ops/s") == 0);
	assert_true(r->rounds == 5 && r->threads >= 1 && r->threads <= 2);
	assert_true(r->min > 0 && r->min <= r->value && r->value <= r->max);
	assert_in_range(r->n_limits, 1, STORE_BENCH_LIMITS);
	for (size_t i = 0; i < r->n_limits; i++) {
		const struct store_bench_limit *l = &r->limits[i];

		assert_true(l->name[0] && l->min > 0 && l->min <= l->value && l->value <= l->max);
	}
	s->targets += r->target > 0;
	return s->answer;
}

static void test_store_bench__each_subject_has_results_and_leaves_nothing(void **state)
{
	const struct store_bench_options o = small();
	size_t pos;

	(void)state;
	for (pos = 0; store_bench_subject(pos); pos++) {
		struct seen s = { .subject = store_bench_subject(pos) };

		assert_int_equal(store_bench(s.subject, &o, see, &s, &failure), 0);
		assert_true(s.results >= 3);
		assert_int_equal(s.targets, strcmp(s.subject, "chunk") == 0 ? 2 : 0);
		assert_int_equal(count_names(), 0);
	}
	assert_int_equal(pos, 6);
}

static void refuse(const char *subject, const struct store_bench_options *o, const char *words)
{
	struct seen s = { .subject = "" };

	assert_int_equal(store_bench(subject, o, see, &s, &failure), STORE_EINVAL);
	assert_non_null(strstr(failure.msg, words));
	assert_int_equal(count_names(), 0);
}

static void test_store_bench__refuses_what_cannot_be(void **state)
{
	struct store_bench_options o = small();

	(void)state;
	refuse("chunks", &o, "'chunks'");
	o.version = 1;
	refuse("chunk", &o, "version 1");
	o = small();
	o.rounds = 4;
	refuse("chunk", &o, "rounds");
	o.rounds = 1001;
	refuse(NULL, &o, "rounds");
	o = small();
	o.count = 200001;
	refuse("index", &o, "files and rows");
	o = small();
	o.size = ((uint64_t)1 << 40) + 1;
	refuse("hash", &o, "1 TiB");
	o = small();
	o.threads = 65;
	refuse("hash", &o, "threads");
	o = small();
	o.scratch = "/nowhere";
	assert_int_equal(store_bench("hash", &o, see, NULL, &failure), STORE_ENOTFOUND);
	assert_non_null(strstr(failure.msg, "'/nowhere'"));
}

static void test_store_bench__ends_as_the_callback_says(void **state)
{
	const struct store_bench_options o = small();
	struct seen s = { .subject = "io", .answer = 77 };

	(void)state;
	assert_int_equal(store_bench("io", &o, see, &s, &failure), 77);
	assert_int_equal(s.results, 1);
	assert_int_equal(count_names(), 0);
}

static int cancel(void *payload, const struct store_progress *p)
{
	unsigned int *calls = payload;

	assert_int_equal(strncmp(p->stage, "bench ", 6), 0);
	assert_true(p->files <= p->files_total);
	return --*calls == 0;
}

static void test_store_bench__is_cancelled_at_the_start_of_any_subject(void **state)
{
	struct store_bench_options o = small();
	unsigned int calls = 1;

	(void)state;
	o.callbacks = (struct store_callbacks){ .progress = cancel, .payload = &calls };
	for (size_t pos = 0; store_bench_subject(pos); pos++, calls = 1) {
		struct seen s = { .subject = store_bench_subject(pos) };

		assert_int_equal(store_bench(s.subject, &o, see, &s, &failure), STORE_ECANCELED);
		assert_int_equal(s.results, 0);
		assert_int_equal(count_names(), 0);
	}
}

static void test_store_bench__a_fault_is_told_and_leaves_nothing(void **state)
{
	static const struct {
		const char *subject, *fault;
		int rc;
	} cases[] = {
		{ "hash", "thread:1:EAGAIN", STORE_ENOMEM },
		{ "walk", "getdents:1:EIO", STORE_EIO },
		{ "index", "env.commit:4:EIO", STORE_EIO },
		{ "index", "env.put:100:EIO", STORE_EIO },
		{ "io", "pack.write:1:ENOSPC", STORE_ENOSPACE },
		{ "io", "pack.sync:2:EIO", STORE_EIO },
		{ "io", "write:5:ENOSPC", STORE_ENOSPACE },
	};
	const struct store_bench_options o = small();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen s = { .subject = cases[i].subject };

		fault_load(cases[i].fault);
		failure.msg[0] = '\0';
		assert_int_equal(store_bench(s.subject, &o, see, &s, &failure), cases[i].rc);
		fault_load("");
		assert_true(failure.msg[0]);
		assert_int_equal(count_names(), 0);
	}
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bench_stats__known_samples),
		cmocka_unit_test(test_bench_stats__halves_any_samples),
		cmocka_unit_test(test_bench_input__the_same_for_the_same_seed),
		cmocka_unit_test(test_bench_input__text_is_lines_of_words),
		cmocka_unit_test(test_store_bench__each_subject_has_results_and_leaves_nothing),
		cmocka_unit_test(test_store_bench__refuses_what_cannot_be),
		cmocka_unit_test(test_store_bench__ends_as_the_callback_says),
		cmocka_unit_test(test_store_bench__is_cancelled_at_the_start_of_any_subject),
		cmocka_unit_test(test_store_bench__a_fault_is_told_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
