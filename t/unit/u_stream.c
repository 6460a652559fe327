/*
 * The streaming writer and reader: any split of the input gives what one piece gives, nothing shows
 * before the end, and threads with readers and writers of one handle do not meet.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "repo_fixture.h"

#define SIZE ((size_t)3 << 20)

static uint8_t content[SIZE];

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static int make(void **state)
{
	uint32_t seed = 7;

	for (size_t i = 0; i < SIZE; i++)
		content[i] = (uint8_t)next_random(&seed);
	/* A run that repeats chunks. */
	memset(content + SIZE / 2, 0, SIZE / 4);
	return fixture_make(state);
}

static struct store_writer *open_writer(const char *path)
{
	const struct store_writer_options o = { .path = path };
	struct store_writer *w = NULL;

	OK(store_writer_open(repo, &o, &w, &failure));
	return w;
}

static struct store_writer_result put(const char *path, const void *data, size_t len)
{
	struct store_writer *w = open_writer(path);
	struct store_writer_result r;

	OK(store_writer_write(w, data, len, &failure));
	OK(store_writer_finish(w, &r, &failure));
	store_writer_free(w);
	return r;
}

/* Is something staged at path? */
static bool is_staged(const char *path)
{
	char name[64];
	struct store_target target = { 0 };
	const int rc = (snprintf(name, sizeof(name), ":%s", path),
		store_resolve(repo, name, 0, &target, &failure));

	store_target_clear(&target);
	assert_true(rc == 0 || rc == STORE_ENOTFOUND);
	return rc == 0;
}

static void expect_content(struct store_reader *r, const uint8_t *want, size_t len)
{
	uint8_t *data = malloc(len + 1);
	size_t got, done = 0;

	do {
		OK(store_reader_read(r, data + done, len + 1 - done, &got, &failure));
		done += got;
	} while (got > 0 && done <= len);
	assert_int_equal(done, len);
	assert_memory_equal(data, want, len);
	free(data);
}

/* What add makes of a file with so many bytes of content. */
static struct store_node add_file(size_t len)
{
	static const char *const paths[] = { "added" };
	struct store_target target = { 0 };
	struct store_node node;
	char name[100];
	FILE *f;

	snprintf(name, sizeof(name), "%s/added", fixture_dir);
	f = fopen(name, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	OK(store_add(repo, paths, 1, NULL, NULL, &failure));
	OK(store_resolve(repo, ":added", 0, &target, &failure));
	node = target.node;
	store_target_clear(&target);
	return node;
}

static void test_stream__any_split_gives_what_add_gives(void **state)
{
	const struct store_node added = add_file(SIZE);
	const struct store_writer_result whole = put("whole", content, SIZE);
	uint32_t seed = 1;

	(void)state;
	assert_memory_equal(&added.id, &whole.node.id, sizeof(added.id));
	assert_int_equal(added.height, whole.node.height);
	assert_true(whole.chunks > 10);
	assert_int_equal(whole.node.size, SIZE);
	for (int round = 0; round < 8; round++) {
		const size_t most = (size_t)1 << (4 + 3 * (round % 6));
		const size_t len = round < 6 ? SIZE : SIZE / 3;
		struct store_writer *w = open_writer("split");
		struct store_writer_result r;
		size_t done = 0;

		while (done < len) {
			size_t n = next_random(&seed) % most;

			n = n < len - done ? n : len - done;
			OK(store_writer_write(w, content + done, n, &failure));
			done += n;
		}
		OK(store_writer_finish(w, &r, &failure));
		store_writer_free(w);
		assert_int_equal(r.node.size, len);
		if (len == SIZE) {
			assert_memory_equal(&r.node.id, &whole.node.id, sizeof(r.node.id));
			assert_int_equal(r.node.height, whole.node.height);
			assert_int_equal(r.new_chunks, 0);
		}
	}
}

static void test_stream__what_was_put_reads_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1,
		SIZE };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct store_writer_result r = put("sized", content, sizes[i]);
		struct store_reader *reader;

		OK(store_reader_open(repo, &r.node, &reader, &failure));
		expect_content(reader, content, sizes[i]);
		store_reader_free(reader);
		OK(store_reader_open_name(repo, ":sized", 0, &reader, &failure));
		expect_content(reader, content, sizes[i]);
		store_reader_free(reader);
	}
}

static void test_stream__nothing_shows_before_the_end(void **state)
{
	struct store_writer *w = open_writer("hidden/file");
	struct store_writer_progress p;

	(void)state;
	OK(store_writer_write(w, content, SIZE, &failure));
	store_writer_progress(w, &p);
	assert_int_equal(p.bytes, SIZE);
	assert_true(p.buffered <= (size_t)1 << 20);
	assert_false(is_staged("hidden/file"));
	store_writer_free(w);
	assert_false(is_staged("hidden/file"));
	assert_false(is_staged("hidden"));
	/* Half a byte, and none. */
	w = open_writer("hidden/file");
	OK(store_writer_write(w, content, 1, &failure));
	store_writer_free(w);
	w = open_writer("hidden/file");
	store_writer_free(w);
	assert_false(is_staged("hidden/file"));
	put("hidden/file", content, 1);
	assert_true(is_staged("hidden/file"));
}

static int finish(const struct store_writer_options *o, const void *data, size_t len)
{
	struct store_writer *w = NULL;
	int rc = store_writer_open(repo, o, &w, &failure);

	if (rc == 0)
		OK(store_writer_write(w, data, len, &failure));
	if (rc == 0)
		rc = store_writer_finish(w, NULL, &failure);
	store_writer_free(w);
	return rc;
}

static void test_stream__the_expectation_holds_at_the_end(void **state)
{
	const struct store_writer_result one = put("expected", "one", 3);
	struct store_writer_options o = { .path = "expected", .expect = STORE_EXPECT_NONE };
	struct store_writer *w;

	(void)state;
	assert_int_equal(finish(&o, "two", 3), STORE_ECONFLICT);
	o.path = "unexpected";
	assert_int_equal(finish(&o, "two", 3), 0);
	o.path = "nowhere";
	o.expect = STORE_EXPECT_ID;
	o.expected = one.node.id;
	assert_int_equal(finish(&o, "two", 3), STORE_ENOTFOUND);
	o.path = "expected";
	assert_int_equal(finish(&o, "two", 3), 0);
	assert_int_equal(finish(&o, "three", 5), STORE_ECONFLICT);
	/* Another comes between the beginning and the end. */
	put("expected", "one", 3);
	OK(store_writer_open(repo, &o, &w, &failure));
	OK(store_writer_write(w, "four", 4, &failure));
	put("expected", "five", 4);
	assert_int_equal(store_writer_finish(w, NULL, &failure), STORE_ECONFLICT);
	assert_int_equal(store_writer_finish(w, NULL, &failure), STORE_EINVAL);
	assert_int_equal(store_writer_write(w, "x", 1, &failure), STORE_EINVAL);
	store_writer_free(w);
}

static void test_stream__places_where_no_file_can_be(void **state)
{
	static const char *const bad[] = { "", "/a", "a/", "a//b", "a/../b", ".", "./a", ".store/x",
		"a/.store/b" };
	struct store_writer_options o = { .path = "above" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		o.path = bad[i];
		assert_int_equal(finish(&o, "x", 1), STORE_EINVAL);
	}
	put("dir/file", "x", 1);
	o.path = "dir";
	assert_int_equal(finish(&o, "x", 1), STORE_ECONFLICT);
	o.path = "dir/file/below";
	assert_int_equal(finish(&o, "x", 1), STORE_ECONFLICT);
	o.path = "other";
	o.codec = "lzma";
	assert_int_equal(finish(&o, "x", 1), STORE_EINVAL);
	o.codec = "none";
	o.verify = 1;
	assert_int_equal(finish(&o, content, SIZE), 0);
}

/* ---- from a descriptor and from a callback */

static void *feed(void *ctx)
{
	const int fd = *(int *)ctx;
	size_t done = 0;

	while (done < SIZE) {
		const ssize_t n = write(fd, content + done, SIZE - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	close(fd);
	return NULL;
}

static void put_pipe(int flags, const struct store_writer_result *whole)
{
	struct store_writer *w = open_writer("pipe");
	struct store_writer_result r;
	pthread_t thread;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	/* Of the end that is read only. */
	assert_int_equal(fcntl(fds[0], F_SETFL, flags), 0);
	assert_int_equal(pthread_create(&thread, NULL, feed, &fds[1]), 0);
	OK(store_writer_write_fd(w, fds[0], &failure));
	pthread_join(thread, NULL);
	close(fds[0]);
	OK(store_writer_finish(w, &r, &failure));
	store_writer_free(w);
	assert_memory_equal(&r.node.id, &whole->node.id, sizeof(r.node.id));
}

static void test_stream__from_a_pipe(void **state)
{
	const struct store_writer_result whole = put("whole", content, SIZE);
	struct store_writer *w;

	(void)state;
	put_pipe(0, &whole);
	put_pipe(O_NONBLOCK, &whole);
	w = open_writer("pipe");
	OK(store_writer_write(w, "part", 4, &failure));
	assert_int_equal(store_writer_write_fd(w, -1, &failure), STORE_EIO);
	assert_int_equal(store_writer_finish(w, NULL, &failure), STORE_EINVAL);
	store_writer_free(w);
}

static ptrdiff_t give(void *payload, void *data, size_t len)
{
	size_t *done = payload, n = SIZE - *done < len ? SIZE - *done : len;

	memcpy(data, content + *done, n);
	*done += n;
	return (ptrdiff_t)n;
}

static ptrdiff_t refuse(void *payload, void *data, size_t len)
{
	(void)payload, (void)data, (void)len;
	return -1;
}

static void test_stream__from_a_callback(void **state)
{
	const struct store_writer_result whole = put("whole", content, SIZE);
	struct store_writer *w = open_writer("callback");
	struct store_writer_result r;
	size_t done = 0;

	(void)state;
	OK(store_writer_write_from(w, give, &done, &failure));
	OK(store_writer_finish(w, &r, &failure));
	store_writer_free(w);
	assert_memory_equal(&r.node.id, &whole.node.id, sizeof(r.node.id));
	w = open_writer("stopped");
	OK(store_writer_write(w, "part", 4, &failure));
	assert_int_equal(store_writer_write_from(w, refuse, NULL, &failure), STORE_ECANCELED);
	assert_int_equal(store_writer_finish(w, NULL, &failure), STORE_EINVAL);
	store_writer_free(w);
	assert_false(is_staged("stopped"));
}

/* ---- what is staged there */

static uint8_t kind_of(const char *path, int executable, const char *text,
	struct store_writer_result *r)
{
	const struct store_writer_options o = { .path = path, .executable = executable };
	struct store_writer *w;

	OK(store_writer_open(repo, &o, &w, &failure));
	OK(store_writer_write(w, text, strlen(text), &failure));
	OK(store_writer_finish(w, r, &failure));
	store_writer_free(w);
	return r->node.kind;
}

static void test_stream__a_program_stays_one_unless_it_is_told(void **state)
{
	struct store_writer_result r;

	(void)state;
	assert_int_equal(kind_of("prog", 0, "a", &r), STORE_KIND_FILE);
	assert_int_equal(kind_of("prog", 1, "b", &r), STORE_KIND_EXEC);
	assert_int_equal(kind_of("prog", 0, "c", &r), STORE_KIND_EXEC);
	assert_int_equal(kind_of("prog", -1, "d", &r), STORE_KIND_FILE);
	assert_int_equal(kind_of("prog", 0, "e", &r), STORE_KIND_FILE);
}

static void test_stream__what_is_staged_already_writes_nothing(void **state)
{
	struct store_writer_result r;

	(void)state;
	kind_of("same", 0, "what stays", &r);
	/* The row of the writer, and the pack with the entry. */
	assert_int_equal(r.stats.publications, 1);
	assert_true(r.stored_bytes > 0);
	assert_int_equal(r.stats.new_objects, 1);
	assert_int_equal(r.stats.bytes, strlen("what stays"));
	kind_of("same", 0, "what stays", &r);
	assert_int_equal(r.stats.publications, 0);
	assert_int_equal(r.stored_bytes, 0);
	/* Another bit is another entry. */
	kind_of("same", 1, "what stays", &r);
	assert_int_equal(r.stats.publications, 1);
}

/* ---- stopping */

struct stopper {
	int calls, stop_at; /* 0: never */
	char stage[20]; /* of the call that stopped; only that stage does, if it is set before */
	uint64_t total;
};

static int stop(void *payload, const struct store_progress *p)
{
	struct stopper *s = payload;

	s->total = p->bytes_total;
	if (s->stage[0] && strcmp(s->stage, p->stage) != 0)
		return 0;
	s->calls++;
	return s->calls == s->stop_at;
}

static struct store_writer *open_watched(const char *path, struct stopper *s)
{
	const struct store_writer_options o = { .path = path,
		.verify = 1,
		.size = SIZE,
		.callbacks = { .progress = stop, .payload = s } };
	struct store_writer *w = NULL;

	OK(store_writer_open(repo, &o, &w, &failure));
	return w;
}

static void expect_ended(struct store_writer *w)
{
	assert_int_equal(store_writer_write(w, "x", 1, &failure), STORE_EINVAL);
	assert_int_equal(store_writer_finish(w, NULL, &failure), STORE_EINVAL);
	store_writer_free(w);
	assert_false(is_staged("stopped"));
}

static void test_stream__progress_stops_a_write_and_a_wait(void **state)
{
	struct stopper s = { .stop_at = 1 };
	struct store_writer *w = open_watched("stopped", &s);
	int fds[2];

	(void)state;
	assert_int_equal(store_writer_write(w, content, SIZE, &failure), STORE_ECANCELED);
	assert_int_equal(s.total, SIZE);
	expect_ended(w);
	/* A pipe that never gives anything. */
	assert_int_equal(pipe(fds), 0);
	s = (struct stopper){ .stop_at = 3 };
	w = open_watched("stopped", &s);
	assert_int_equal(store_writer_write_fd(w, fds[0], &failure), STORE_ECANCELED);
	expect_ended(w);
	close(fds[0]);
	close(fds[1]);
}

static void test_stream__progress_stops_the_end(void **state)
{
	struct stopper s = { .stop_at = 2, .stage = "put" };
	struct store_writer *w;

	(void)state;
	/* The pipeline is held up at its first block, and finish waits for it. */
	assert_int_equal(fault_load("tmp.create:2:350ms"), 0);
	w = open_watched("stopped", &s);
	content[0]++;
	OK(store_writer_write(w, content, SIZE / 8, &failure));
	assert_int_equal(store_writer_finish(w, NULL, &failure), STORE_ECANCELED);
	expect_ended(w);
	/* And the reading back. */
	assert_int_equal(fault_load("pack.read:1+:150ms"), 0);
	s = (struct stopper){ .stop_at = 1, .stage = "verify" };
	w = open_watched("stopped", &s);
	OK(store_writer_write(w, content, SIZE / 8, &failure));
	assert_int_equal(store_writer_finish(w, NULL, &failure), STORE_ECANCELED);
	assert_int_equal(fault_load(""), 0);
	expect_ended(w);
}

/* ---- errors of the pipeline */

static void test_stream__an_error_is_heard_by_who_writes(void **state)
{
	struct store_writer *w;
	int rc = 0;

	(void)state;
	assert_int_equal(fault_load("pack.write:1:ENOSPC"), 0);
	w = open_writer("stopped");
	for (int i = 0; rc == 0 && i < 50; i++) {
		/* New bytes each time. */
		for (size_t at = 0; at < SIZE; at += 1000)
			content[at]++;
		rc = store_writer_write(w, content, SIZE, &failure);
	}
	assert_int_equal(fault_load(""), 0);
	assert_int_equal(rc, STORE_ENOSPACE);
	assert_int_equal(failure.code, STORE_ENOSPACE);
	expect_ended(w);
	put("stopped-not", content, SIZE);
}

/* The pipe is open and gives no more: nothing but the error ends the wait. */
static void test_stream__an_error_is_heard_by_who_waits_for_bytes(void **state)
{
	struct stopper s = { 0 };
	struct store_writer *w;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	/* The first is the writer's sign, the second its pack. */
	assert_int_equal(fault_load("tmp.create:2:ENOSPC"), 0);
	w = open_watched("stopped", &s);
	for (size_t at = 0; at < SIZE; at += 1000)
		content[at]++;
	/* A segment is full, and goes its way, only with the last of these bytes. */
	OK(store_writer_write(w, content, (1 << 20) + 1, &failure));
	assert_int_equal(store_writer_write_fd(w, fds[0], &failure), STORE_ENOSPACE);
	assert_int_equal(fault_load(""), 0);
	expect_ended(w);
	close(fds[0]);
	close(fds[1]);
}

/* ---- a child */

static int use_in_child(struct store_writer *w)
{
	struct store_writer_progress p;
	struct store_writer *other;
	const struct store_writer_options o = { .path = "child" };
	int bad = 0;

	bad |= store_writer_write(w, "x", 1, NULL) != STORE_EINVAL;
	bad |= store_writer_write_fd(w, 0, NULL) != STORE_EINVAL;
	bad |= store_writer_finish(w, NULL, NULL) != STORE_EINVAL;
	bad |= store_writer_open(repo, &o, &other, NULL) != STORE_EINVAL;
	store_writer_progress(w, &p);
	bad |= p.bytes != 0;
	store_writer_free(w);
	return bad;
}

static void test_stream__a_child_of_fork_is_refused_and_its_parent_goes_on(void **state)
{
	struct store_writer *w = open_writer("parent");
	struct store_writer_result r;
	int status;
	pid_t child;

	(void)state;
	OK(store_writer_write(w, content, SIZE / 2, &failure));
	child = fork();
	if (child == 0)
		_exit(use_in_child(w));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	OK(store_writer_write(w, content + SIZE / 2, SIZE / 2, &failure));
	OK(store_writer_finish(w, &r, &failure));
	store_writer_free(w);
	assert_int_equal(r.node.size, SIZE);
}

/* ---- giving up */

static void expect_whole(struct store_repo *of, const char *dir)
{
	char command[200];

	OK(store_fsck(of, NULL, NULL, &failure));
	/* Nothing of a writer that ended is left there. */
	snprintf(command, sizeof(command), "[ -z \"$(ls -A '%s/.store/tmp')\" ]", dir);
	assert_int_equal(system(command), 0);
}

static void test_stream__given_up_anywhere_it_leaves_nothing(void **state)
{
	static const size_t after[] = { 0, 1, 70000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, SIZE };

	(void)state;
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		struct store_writer *w = open_writer("stopped");

		content[i * 100]++;
		OK(store_writer_write(w, content, after[i], &failure));
		store_writer_free(w);
		assert_false(is_staged("stopped"));
	}
	expect_whole(repo, fixture_dir);
}

/* Chunks of 256 bytes, so that one stream is several batches. */
static void test_stream__failed_anywhere_it_leaves_what_was(void **state)
{
	static const char *const points[] = { "tmp.create", "pack.write", "pack.sync",
		"publish.rename", "publish.sync", "env.commit", "ingest.mid", "malloc", "thread" };
	const struct store_init_options init = { .chunk_average = 256 };
	struct store_init_result made;
	struct store_repo *const usual = repo;
	char dir[100], plan[60];
	const struct store_open_options options = { .start = dir };

	(void)state;
	snprintf(dir, sizeof(dir), "%s/small", fixture_dir);
	OK(store_init(dir, &init, &made, &failure));
	OK(store_open(&repo, &options, &failure));
	for (size_t i = 0; i < 2 * sizeof(points) / sizeof(points[0]); i++) {
		struct store_writer_options o = { .path = "f" };
		struct store_writer *w = NULL;
		struct store_reader *r;
		int rc;

		put("f", "old", 3);
		for (size_t at = 0; at < SIZE / 5; at += 200)
			content[at]++;
		snprintf(plan, sizeof(plan), "%s:%zu:%s", points[i / 2], i % 2 * 2 + 1,
			i / 2 % 2 ? "EIO" : "ENOSPC");
		assert_int_equal(fault_load(plan), 0);
		rc = store_writer_open(repo, &o, &w, &failure);
		if (rc == 0)
			rc = store_writer_write(w, content, SIZE / 5, &failure);
		if (rc == 0)
			rc = store_writer_finish(w, NULL, &failure);
		store_writer_free(w);
		assert_int_equal(fault_load(""), 0);
		/* Not all are passed three times, and fewer workers than wanted will do. */
		if (i % 2 == 0)
			assert_int_not_equal(rc, 0);
		OK(store_reader_open_name(repo, ":f", 0, &r, &failure));
		if (rc != 0)
			expect_content(r, (const uint8_t *)"old", 3);
		else
			expect_content(r, content, SIZE / 5);
		store_reader_free(r);
	}
	put("f", "new", 3);
	expect_whole(repo, dir);
	store_close(repo);
	repo = usual;
}

/* ---- reading */

static void test_stream__ranges_and_chunks(void **state)
{
	const struct store_writer_result whole = put("whole", content, SIZE);
	struct store_reader *r;
	struct store_reader_progress p;
	uint32_t seed = 3;
	const void *data;
	size_t len, done = 0, chunks = 0;

	(void)state;
	OK(store_reader_open(repo, &whole.node, &r, &failure));
	for (;;) {
		OK(store_reader_chunk(r, &data, &len, &failure));
		if (len == 0)
			break;
		assert_memory_equal(data, content + done, len);
		done += len;
		chunks++;
	}
	assert_int_equal(done, SIZE);
	assert_int_equal(chunks, whole.chunks);
	store_reader_progress(r, &p);
	assert_int_equal(p.offset, p.size);
	assert_int_equal(p.bytes, SIZE);
	for (int i = 0; i < 200; i++) {
		const size_t off = next_random(&seed) % (SIZE + 1000);
		const size_t most = next_random(&seed) % 200000;
		const size_t from = off < SIZE ? off : SIZE;
		const size_t want = most < SIZE - from ? most : SIZE - from;
		const size_t skip = want ? next_random(&seed) % want : 0;

		OK(store_reader_range(r, off, most, &failure));
		expect_content(r, content + from, want);
		OK(store_reader_seek(r, skip, &failure));
		expect_content(r, content + from + skip, want - skip);
		OK(store_reader_seek(r, UINT64_MAX, &failure));
		expect_content(r, content, 0);
	}
	store_reader_free(r);
	assert_int_equal(store_reader_open_name(repo, ":", 0, &r, &failure), STORE_EINVAL);
	assert_int_equal(store_reader_open_name(repo, ":none", 0, &r, &failure), STORE_ENOTFOUND);
}

/* ---- threads */

#define READERS 8
#define WRITERS 2

struct job {
	struct store_repo *repo;
	const struct store_node *node;
	int number, rc;
	bool is_same;
};

static void *read_all(void *ctx)
{
	struct job *j = ctx;
	uint32_t seed = (uint32_t)j->number;
	struct store_reader *r = NULL;
	static const size_t most = 30000;
	uint8_t *data = malloc(most);
	size_t got;

	j->is_same = true;
	j->rc = store_reader_open(j->repo, j->node, &r, NULL);
	for (int i = 0; j->rc == 0 && i < 60; i++) {
		const size_t off = next_random(&seed) % SIZE;

		j->rc = store_reader_seek(r, off, NULL);
		if (j->rc == 0)
			j->rc = store_reader_read(r, data, most, &got, NULL);
		j->is_same = j->is_same && j->rc == 0 && memcmp(data, content + off, got) == 0;
	}
	store_reader_free(r);
	free(data);
	return NULL;
}

static void *write_all(void *ctx)
{
	struct job *j = ctx;
	char path[32];
	const struct store_writer_options o = { .path = path };

	for (int i = 0; j->rc == 0 && i < 3; i++) {
		struct store_writer *w = NULL;

		snprintf(path, sizeof(path), "thread/%d/%d", j->number, i);
		j->rc = store_writer_open(j->repo, &o, &w, NULL);
		if (j->rc == 0)
			j->rc = store_writer_write(w, content + (size_t)1000 * (size_t)j->number,
				SIZE / 4, NULL);
		if (j->rc == 0)
			j->rc = store_writer_finish(w, NULL, NULL);
		store_writer_free(w);
	}
	j->is_same = j->rc == 0;
	return NULL;
}

static void run_threads(struct store_repo *other)
{
	const struct store_writer_result whole = put("whole", content, SIZE);
	struct job jobs[READERS + WRITERS] = { 0 };
	pthread_t threads[READERS + WRITERS];

	for (int i = 0; i < READERS + WRITERS; i++) {
		jobs[i] = (struct job){ .repo = i % 2 ? other : repo,
			.node = &whole.node,
			.number = i };
		assert_int_equal(pthread_create(&threads[i], NULL,
					 i < READERS ? read_all : write_all, &jobs[i]),
			0);
	}
	for (int i = 0; i < READERS + WRITERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(jobs[i].rc, 0);
		assert_true(jobs[i].is_same);
	}
}

static void test_stream__threads_on_one_handle(void **state)
{
	(void)state;
	run_threads(repo);
}

static void test_stream__threads_on_two_handles(void **state)
{
	const struct store_open_options options = { .start = fixture_dir };
	struct store_repo *other;

	(void)state;
	OK(store_open(&other, &options, &failure));
	run_threads(other);
	store_close(other);
}

/* ---- versions */

static uint64_t version_of(const char *path, const char *text)
{
	const struct store_writer_options o = { .path = path, .count_version = 1 };
	struct store_writer *w;
	struct store_writer_result r;

	OK(store_writer_open(repo, &o, &w, &failure));
	OK(store_writer_write(w, text, strlen(text), &failure));
	OK(store_writer_finish(w, &r, &failure));
	store_writer_free(w);
	return r.version;
}

static void commit(void)
{
	const struct store_commit_options o = { .message = "m", .author = "A <a@a>" };

	OK(store_commit(repo, &o, NULL, &failure));
}

static void test_stream__versions_are_counted(void **state)
{
	(void)state;
	assert_int_equal(version_of("v/file", "zero"), 0);
	commit();
	assert_int_equal(version_of("v/file", "zero"), 0);
	assert_int_equal(version_of("v/file", "one"), 1);
	commit();
	put("v/other", "x", 1);
	commit();
	assert_int_equal(version_of("v/file", "one"), 1);
	assert_int_equal(version_of("v/file", "two"), 2);
	commit();
	assert_int_equal(version_of("v/file", "three"), 3);
	commit();
	assert_int_equal(version_of("v/new", "zero"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream__any_split_gives_what_add_gives),
		cmocka_unit_test(test_stream__what_was_put_reads_back),
		cmocka_unit_test(test_stream__nothing_shows_before_the_end),
		cmocka_unit_test(test_stream__the_expectation_holds_at_the_end),
		cmocka_unit_test(test_stream__places_where_no_file_can_be),
		cmocka_unit_test(test_stream__from_a_pipe),
		cmocka_unit_test(test_stream__from_a_callback),
		cmocka_unit_test(test_stream__a_program_stays_one_unless_it_is_told),
		cmocka_unit_test(test_stream__what_is_staged_already_writes_nothing),
		cmocka_unit_test(test_stream__progress_stops_a_write_and_a_wait),
		cmocka_unit_test(test_stream__progress_stops_the_end),
		cmocka_unit_test(test_stream__an_error_is_heard_by_who_writes),
		cmocka_unit_test(test_stream__an_error_is_heard_by_who_waits_for_bytes),
		cmocka_unit_test(test_stream__failed_anywhere_it_leaves_what_was),
		cmocka_unit_test(test_stream__a_child_of_fork_is_refused_and_its_parent_goes_on),
		cmocka_unit_test(test_stream__given_up_anywhere_it_leaves_nothing),
		cmocka_unit_test(test_stream__ranges_and_chunks),
		cmocka_unit_test(test_stream__threads_on_one_handle),
		cmocka_unit_test(test_stream__threads_on_two_handles),
		cmocka_unit_test(test_stream__versions_are_counted),
	};

	return cmocka_run_group_tests(tests, make, fixture_remove);
}
