/*
 * The walk: its queue and its ring beside plain models, and store_walk on a tree that is known, for
 * any number of scanners, any order and queues of one.
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

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "work/walk_queue.h"
#include "work/walk_ring.h"

#define DIRS 40 /* below the root, each with FILES; every other one is in the one before */
#define FILES 5 /* of i bytes, i from 0 */
#define ALL_FILES ((uint64_t)DIRS * FILES)
#define ENTRIES (DIRS * (FILES + 1))
#define MANY 12000 /* files of one directory: more than the default buffers hold */

static char folder[] = "/tmp/u_walk.XXXXXX";
static struct store_error failure;

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* ---- the queue */

/* Numbers go in as paths of their digits, of very different lengths. */
static void put_number(struct walk_queue *q, uint32_t number)
{
	struct walk_dir d = { .root = number, .depth = ~number, .device = (uint64_t)number << 32 };

	for (uint32_t i = 0; i < 1 + number % 40; i++)
		buf_addf(&d.path, "%u/", number);
	assert_int_equal(walk_queue_put(q, &d, &failure), 0);
	buf_release(&d.path);
}

static void take_number(struct walk_queue *q, uint32_t number)
{
	struct walk_dir d = { 0 };
	struct buf want = { 0 };

	for (uint32_t i = 0; i < 1 + number % 40; i++)
		buf_addf(&want, "%u/", number);
	assert_int_equal(walk_queue_take(q, &d, &failure), 0);
	assert_int_equal(d.root, number);
	assert_int_equal(d.depth, ~number);
	assert_true(d.device == (uint64_t)number << 32);
	assert_int_equal(d.path.len, want.len);
	assert_memory_equal(d.path.data, want.data, want.len);
	buf_release(&d.path);
	buf_release(&want);
}

static void compare_with_model(bool is_stack, size_t max)
{
	static uint32_t model[4096];
	size_t first = 0, end = 0;
	struct walk_queue q;
	struct walk_dir none = { 0 };
	uint32_t seed = (uint32_t)max, grows = 1;

	walk_queue_init(&q, is_stack, max, folder);
	for (uint32_t i = 0; i < 3000; i++) {
		grows = next_random(&seed) % 50 == 0 ? !grows : grows;
		if (end < 4096 && next_random(&seed) % 4 < (grows ? 3 : 1)) {
			model[end++] = i;
			put_number(&q, i);
		} else if (first < end) {
			take_number(&q, is_stack ? model[--end] : model[first++]);
		}
		assert_int_equal(q.count, end - first);
		assert_true(q.head_count + q.tail_count <= max);
	}
	while (first < end)
		take_number(&q, is_stack ? model[--end] : model[first++]);
	assert_int_equal(walk_queue_take(&q, &none, &failure), STORE_ENOTFOUND);
	assert_true(max > 1000 || q.spilled > 0);
	walk_queue_release(&q);
}

static void test_walk_queue__keeps_every_directory_in_order(void **state)
{
	static const size_t maxima[] = { 1, 2, 3, 7, 64, 5000 };

	(void)state;
	for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
		compare_with_model(false, maxima[i]);
		compare_with_model(true, maxima[i]);
	}
}

/* Some 12 MB of paths in a queue whose number never bounds it. */
static void test_walk_queue__is_bounded_in_bytes_too(void **state)
{
	(void)state;
	for (int is_stack = 0; is_stack < 2; is_stack++) {
		struct walk_queue q;
		struct walk_dir d = { 0 };
		uint32_t number = 0;

		walk_queue_init(&q, is_stack, 500000, folder);
		for (int i = 0; i < 4000; i++)
			buf_add(&d.path, "x", 1);
		for (d.root = 0; d.root < 3000; d.root++) {
			assert_int_equal(walk_queue_put(&q, &d, &failure), 0);
			assert_true(q.head.len + q.tail.len <= ((size_t)8 << 20) + 8192);
		}
		assert_true(q.spilled > 0);
		for (; walk_queue_take(&q, &d, &failure) == 0; number++)
			assert_int_equal(d.root, is_stack ? 2999 - number : number);
		assert_int_equal(number, 3000);
		buf_release(&d.path);
		walk_queue_release(&q);
	}
}

/* ---- the ring */

static void put_record(struct walk_ring *r, uint32_t number, bool *has_room)
{
	static char path[WALK_PATH_MAX + 1];
	struct store_walk_record record = { .path = path, .depth = number };

	/* Now and then as long as one may be, so that the text goes around. */
	record.path_len = number % 7 == 0 ? WALK_PATH_MAX - number % 100 : number % 300;
	memset(path, 'a' + (int)(number % 26), record.path_len);
	path[record.path_len] = '\0';
	*has_room = walk_ring_put(r, &record, number);
}

static void check_record(const struct store_walk_record *record, uint32_t number)
{
	assert_int_equal(record->depth, number);
	assert_int_equal(record->path_len,
		number % 7 == 0 ? WALK_PATH_MAX - number % 100 : number % 300);
	assert_int_equal(strlen(record->path), record->path_len);
	for (size_t i = 0; i < record->path_len; i++)
		if (record->path[i] != 'a' + (int)(number % 26))
			fail_msg("record %u: byte %zu of its path is another's", number, i);
}

static void test_walk_ring__gives_back_what_was_put_in_batches(void **state)
{
	struct walk_ring r;
	uint32_t seed = 5, in = 0, out = 0;
	int full = 0;

	(void)state;
	assert_int_equal(walk_ring_init(&r, 6, 10, 13, &failure), 0);
	while (out < 5000) {
		const struct store_walk_record *batch;
		bool has_room = true;
		size_t n;

		for (uint32_t i = next_random(&seed) % 30; i > 0 && has_room; i--) {
			put_record(&r, in, &has_room);
			in += has_room;
			walk_ring_cut(&r);
			assert_true(r.found <= 10 && r.sending <= 13);
		}
		full += !has_room;
		if (!has_room || next_random(&seed) % 4 == 0)
			assert_int_equal(walk_ring_cut_rest(&r), in > out);
		batch = walk_ring_take(&r, &n);
		assert_true(n <= 6 && (n > 0) == (batch != NULL));
		for (size_t i = 0; i < n; i++)
			check_record(&batch[i], out++);
		if (n > 0)
			walk_ring_drop(&r, n);
		assert_int_equal(r.found + r.sending, in - out);
	}
	assert_true(full > 0);
	walk_ring_release(&r);
}

/* ---- store_walk */

struct seen {
	uint64_t records, files, bytes, dirs, batches, sum;
	uint64_t first_found; /* stats of the first batch */
	size_t most;          /* records of one batch */
	int batch_rc;         /* what the callback returns */
	uint64_t failures;
	bool stop;
	struct store_walk_stats last; /* of progress */
};

static int on_batch(void *payload, const struct store_walk_batch *batch)
{
	struct seen *s = payload;

	if (s->batches++ == 0)
		s->first_found = batch->stats->files;
	assert_int_equal(batch->stats->batches, s->batches);
	s->records += batch->n;
	assert_int_equal(batch->stats->sent, s->records);
	s->most = batch->n > s->most ? batch->n : s->most;
	for (size_t i = 0; i < batch->n; i++) {
		const struct store_walk_record *r = &batch->records[i];

		assert_int_equal(strlen(r->path), r->path_len);
		s->files += r->type == STORE_WALK_FILE;
		s->dirs += r->type == STORE_WALK_DIR;
		s->bytes += r->type == STORE_WALK_FILE ? r->size : 0;
		for (const char *c = r->path; *c; c++)
			s->sum += (uint64_t)(unsigned char)*c * (uint64_t)(1 + (c - r->path));
	}
	return s->batch_rc;
}

static void on_failure(void *payload, const struct store_walk_failure *f)
{
	struct seen *s = payload;

	assert_true(f->why.code < 0 && f->why.msg[0]);
	s->failures++;
}

static int on_progress(void *payload, const struct store_walk_stats *stats)
{
	struct seen *s = payload;

	s->last = *stats;
	return s->stop;
}

static struct store_walk_options options_for(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	return (struct store_walk_options){ .batch = on_batch,
		.failure = on_failure,
		.progress = on_progress,
		.payload = s,
		.scratch = folder };
}

/* What an earlier walk has handed over is not counted; what the callbacks are told to do stays. */
static void forget_seen(const struct store_walk_options *o)
{
	struct seen *s = o ? o->payload : NULL;

	if (s)
		*s = (struct seen){ .batch_rc = s->batch_rc, .stop = s->stop };
}

static int walk(const char *root, const struct store_walk_options *o,
	struct store_walk_stats *stats)
{
	memset(&failure, 0, sizeof(failure));
	forget_seen(o);
	return store_walk(&root, 1, o, stats, &failure);
}

static void make_file(int dir, const char *name, size_t len)
{
	const int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd != -1);
	assert_int_equal(write(fd, "12345678", len), len);
	close(fd);
}

static int make(void **state)
{
	char name[64], path[2000] = "tree";

	(void)state;
	if (!mkdtemp(folder) || chdir(folder) != 0 || mkdir(path, 0755) != 0)
		return -1;
	for (int i = 0; i < DIRS; i++) {
		const size_t len = strlen(path);
		int dir;

		snprintf(path + len, sizeof(path) - len, "/d%d", i);
		assert_int_equal(mkdir(path, 0755), 0);
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (int k = 0; k < FILES; k++) {
			snprintf(name, sizeof(name), "f%d.%s", k, k % 2 ? "TXT" : "o");
			make_file(dir, name, (size_t)k);
		}
		close(dir);
		if (i % 2)
			path[len] = '\0';
	}
	mkdir("many", 0755);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		assert_int_equal(mknod(name, S_IFREG | 0644, 0), 0);
	}
	return 0;
}

static int unmake(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return chdir("/") != 0 || system(command) != 0;
}

static void test_walk__finds_the_same_whatever_the_figures_are(void **state)
{
	static const unsigned int scanners[] = { 1, 2, 7, 0 };
	uint64_t sum = 0;

	(void)state;
	for (unsigned int i = 0; i < 64; i++) {
		struct seen s;
		struct store_walk_stats stats;
		struct store_walk_options o = options_for(&s);

		o.types = STORE_WALK_FILE | STORE_WALK_DIR;
		o.scanners = scanners[i % 4];
		o.preset = (enum store_walk_preset)(i / 4 % 4);
		o.flags = i & 16 ? STORE_WALK_DEPTH_FIRST : 0;
		o.directories_max = i & 32 ? 1 : 0;
		o.batch_size = i & 32 ? 1 + i % 5 : 0;
		o.found_max = o.sending_max = i & 32 ? 1 : 0;
		assert_int_equal(walk("tree", &o, &stats), 0);
		assert_int_equal(s.records, ENTRIES + 1);
		assert_int_equal(s.dirs, DIRS + 1);
		assert_int_equal(s.bytes, DIRS * FILES * (FILES - 1) / 2);
		assert_true(sum == 0 || s.sum == sum);
		sum = s.sum;
		assert_true(o.batch_size == 0 || s.most <= o.batch_size);
		assert_int_equal(stats.sent, stats.files);
		assert_int_equal(stats.files, s.records);
		assert_int_equal(stats.bytes, s.bytes);
		assert_int_equal(stats.directories, DIRS + 1);
		assert_int_equal(stats.batches, s.batches);
		assert_int_equal(stats.pending, 0);
		assert_int_equal(stats.errors + stats.batch_errors + s.failures, 0);
		assert_true(stats.complete && s.last.complete);
		assert_true(!(i & 32) || stats.spilled > 0);
	}
}

/* The buffers bound how far the scan may be ahead of what was handed over. */
static void test_walk__hands_over_while_it_finds(void **state)
{
	static const struct {
		unsigned int scanners;
		uint32_t batch_size, waiting;
		uint64_t ahead;
	} cases[] = { { 0, 0, 0, 11100 }, { 1, 0, 0, 11100 }, { 3, 10, 10, 20 },
		{ 1, 10, 10, 10 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen s;
		struct store_walk_options o = options_for(&s);

		o.scanners = cases[i].scanners;
		o.batch_size = cases[i].batch_size;
		o.found_max = o.sending_max = cases[i].waiting;
		o.batch_ms = 60000;
		assert_int_equal(walk("many", &o, NULL), 0);
		assert_int_equal(s.files, MANY);
		assert_true(s.first_found <= cases[i].ahead);
	}
}

static void test_walk__filters(void **state)
{
	static const char *const names[] = { "txt", NULL }, *const excludes[] = { "/d0/d1/", NULL };
	struct seen s;
	struct store_walk_options o = options_for(&s);

	(void)state;
	o.names = names;
	o.min_size = 2;
	assert_int_equal(walk("tree", &o, NULL), 0);
	assert_int_equal(s.records, DIRS); /* f3.TXT */
	o = options_for(&s);
	o.size_end = 2;
	o.excludes = excludes;
	assert_int_equal(walk("tree", &o, NULL), 0);
	assert_int_equal(s.records, 2 * DIRS - 2); /* two of d0/d1 are not told */
	o = options_for(&s);
	o.levels = 1;
	o.types = STORE_WALK_DIR;
	assert_int_equal(walk("tree", &o, NULL), 0);
	assert_int_equal(s.records, 1);
	o = options_for(&s);
	o.levels = 2;
	o.types = STORE_WALK_DIR;
	assert_int_equal(walk("tree", &o, NULL), 0);
	assert_int_equal(s.records, 2); /* d0, too */
}

static void test_walk__refuses_options_that_cannot_be(void **state)
{
	struct seen s;
	struct store_walk_options o = options_for(&s);

	(void)state;
	assert_int_equal(walk("tree", NULL, NULL), STORE_EINVAL);
	assert_int_equal(walk("", &o, NULL), STORE_EINVAL);
	o.version = 1;
	assert_int_equal(walk("tree", &o, NULL), STORE_EINVAL);
	o = options_for(&s);
	o.preset = (enum store_walk_preset)4;
	assert_int_equal(walk("tree", &o, NULL), STORE_EINVAL);
	o = options_for(&s);
	o.types = 16;
	assert_int_equal(walk("tree", &o, NULL), STORE_EINVAL);
	o = options_for(&s);
	o.scanners = 65;
	assert_int_equal(walk("tree", &o, NULL), STORE_EINVAL);
	o = options_for(&s);
	o.batch_size = 65537;
	assert_int_equal(walk("tree", &o, NULL), STORE_EINVAL);
	o = options_for(&s);
	o.sending_max = 100001;
	assert_int_equal(walk("tree", &o, NULL), STORE_EINVAL);
	assert_int_equal(s.batches, 0);
}

static void test_walk__ends_when_it_is_asked_to(void **state)
{
	(void)state;
	for (unsigned int scanners = 1; scanners < 5; scanners++) {
		struct seen s;
		struct store_walk_stats stats;
		struct store_walk_options o = options_for(&s);

		o.scanners = scanners;
		o.batch_size = 10;
		s.batch_rc = STORE_ECANCELED;
		assert_int_equal(walk("many", &o, &stats), STORE_ECANCELED);
		assert_int_equal(s.batches, 1);
		assert_int_equal(stats.sent, s.records);
		assert_false(stats.complete);
		/* An error of a batch is counted, or ends the walk when that is asked for. */
		o = options_for(&s);
		o.scanners = scanners;
		s.batch_rc = STORE_EIO;
		assert_int_equal(walk("tree", &o, &stats), 0);
		assert_int_equal(stats.batch_errors, stats.batches);
		assert_int_equal(s.records, DIRS * FILES);
		o = options_for(&s);
		o.scanners = scanners;
		o.flags = STORE_WALK_STRICT_BATCH;
		s.batch_rc = STORE_EIO;
		assert_int_equal(walk("tree", &o, &stats), STORE_EIO);
		assert_int_equal(stats.batch_errors, 1);
	}
}

/* A batch that takes its time gives progress its turn, and that ends it. */
static int slow_batch(void *payload, const struct store_walk_batch *batch)
{
	usleep(20000);
	return on_batch(payload, batch);
}

static void test_walk__progress_can_cancel(void **state)
{
	struct seen s;
	struct store_walk_options o = options_for(&s);

	(void)state;
	o.batch = slow_batch;
	o.batch_size = 10;
	s.stop = true;
	assert_int_equal(walk("many", &o, NULL), STORE_ECANCELED);
	assert_true(s.last.files > 0 && s.files < MANY);
}

static void test_walk__root_that_is_not_there_is_a_failure_of_its_own(void **state)
{
	static const char *const roots[] = { "nowhere", "tree", "tree/d0/f1.TXT" };
	struct seen s;
	struct store_walk_stats stats;
	struct store_walk_options o = options_for(&s);

	(void)state;
	assert_int_equal(store_walk(roots, 3, &o, &stats, &failure), 0);
	assert_int_equal(s.failures, 1);
	assert_int_equal(stats.errors, 1);
	assert_int_equal(s.records, DIRS * FILES + 1);
	assert_int_equal(store_walk(roots, 0, &o, &stats, &failure), 0);
	assert_true(stats.complete && stats.sent == 0);
	o.flags = STORE_WALK_STRICT;
	assert_int_equal(store_walk(roots, 1, &o, &stats, &failure), STORE_ENOTFOUND);
	assert_non_null(strstr(failure.msg, "'nowhere'"));
}

#ifdef STORE_FAULTS
/* Each point, each time it is passed by one scanner: counted once, all else is told. */
static void test_walk__failure_costs_nothing_but_what_failed(void **state)
{
	static const char *const points[] = { "stat:%d:EIO", "getdents:%d:EIO",
		"walk.open:%d:EACCES" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (int nth = 2; nth < 12; nth++) {
			char spec[64];
			struct seen s;
			struct store_walk_stats stats;
			struct store_walk_options o = options_for(&s);

			o.scanners = 1 + (unsigned int)nth % 3;
			snprintf(spec, sizeof(spec), points[i], nth);
			fault_load(spec);
			assert_int_equal(walk("tree", &o, &stats), 0);
			assert_int_equal(stats.errors, 1);
			assert_int_equal(s.failures, 1);
			assert_true(s.records < ALL_FILES || i == 1);
			assert_true(i > 0 || s.records == ALL_FILES - 1);
			fault_load(spec);
			o.flags = STORE_WALK_STRICT;
			assert_true(walk("tree", &o, &stats) < 0);
			assert_false(stats.complete);
		}
	}
	fault_load("");
}

/* What cannot wait on disk is an error of the walk, never a directory less. */
static void test_walk__ends_when_directories_cannot_wait(void **state)
{
	struct seen s;
	struct store_walk_options o = options_for(&s);

	(void)state;
	o.directories_max = 1;
	o.scanners = 2;
	fault_load("write:1:ENOSPC");
	assert_int_equal(walk("tree", &o, NULL), STORE_ENOSPACE);
	fault_load("thread:1+:EAGAIN");
	assert_int_equal(walk("tree", &o, NULL), 0);
	fault_load("");
	o.scratch = "nowhere";
	assert_int_equal(walk("tree", &o, NULL), STORE_EIO);
	assert_non_null(strstr(failure.msg, "'nowhere'"));
}

/* Each directory takes longer than a batch may wait, which has room for all. */
static void test_walk__batch_leaves_when_it_is_old(void **state)
{
	(void)state;
	fault_load("walk.open:1+:5ms");
	for (unsigned int scanners = 1; scanners < 3; scanners++) {
		struct seen s;
		struct store_walk_options o = options_for(&s);

		o.scanners = scanners;
		o.batch_size = 2 * ALL_FILES;
		o.batch_ms = 1;
		assert_int_equal(walk("tree", &o, NULL), 0);
		assert_int_equal(s.records, ALL_FILES);
		assert_true(s.batches > 1);
	}
	fault_load("");
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk_queue__keeps_every_directory_in_order),
		cmocka_unit_test(test_walk_queue__is_bounded_in_bytes_too),
		cmocka_unit_test(test_walk_ring__gives_back_what_was_put_in_batches),
		cmocka_unit_test(test_walk__finds_the_same_whatever_the_figures_are),
		cmocka_unit_test(test_walk__hands_over_while_it_finds),
		cmocka_unit_test(test_walk__filters),
		cmocka_unit_test(test_walk__refuses_options_that_cannot_be),
		cmocka_unit_test(test_walk__ends_when_it_is_asked_to),
		cmocka_unit_test(test_walk__progress_can_cancel),
		cmocka_unit_test(test_walk__root_that_is_not_there_is_a_failure_of_its_own),
#ifdef STORE_FAULTS
		cmocka_unit_test(test_walk__failure_costs_nothing_but_what_failed),
		cmocka_unit_test(test_walk__ends_when_directories_cannot_wait),
		cmocka_unit_test(test_walk__batch_leaves_when_it_is_old),
#endif
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
