/*
 * Differences of content: ranges and hunks that are applied to the old content give the new one,
 * for random edits, whatever the chunks, the windows and the places of the two sides are.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "data/chunker.h"
#include "repo_fixture.h"
#include "work/patch_internal.h"

struct sample {
	uint8_t *data;
	size_t len;
};

static uint64_t seed;

static uint32_t next_random(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((seed >> 33) % below);
}

static unsigned int cases(unsigned int n)
{
	const char *given = getenv("N");

	if (given)
		return (unsigned int)strtoul(given, NULL, 10);
	return getenv("STORE_TEST_LIGHT") ? (n + 4) / 5 : n;
}

static struct sample sample_new(size_t len)
{
	struct sample t = { malloc(len + 1), len };

	assert_non_null(t.data);
	memset(t.data, 0, len + 1);
	return t;
}

/* letters: how many different bytes; 256 is noise, 2 and 3 repeat themselves much. */
static struct sample sample_random(size_t len, uint32_t letters)
{
	struct sample t = sample_new(len);

	for (size_t i = 0; i < len; i++)
		t.data[i] = (uint8_t)next_random(letters);
	return t;
}

/* old with so many bytes at off replaced by n others. */
static struct sample sample_edit(const struct sample *old, size_t off, size_t gone,
	const void *data, size_t n)
{
	struct sample t = sample_new(old->len - gone + n);

	memcpy(t.data, old->data, off);
	if (n > 0)
		memcpy(t.data + off, data, n);
	memcpy(t.data + off + n, old->data + off + gone, old->len - off - gone);
	return t;
}

static struct sample sample_edit_randomly(const struct sample *old, uint32_t letters, uint32_t most)
{
	struct sample t = sample_edit(old, 0, 0, NULL, 0);

	for (uint32_t n = next_random(6); n > 0; n--) {
		const size_t off = next_random((uint32_t)t.len + 1);
		size_t gone = next_random(4) == 0 ? next_random(most) : next_random(3);
		struct sample more = sample_random(next_random(4) == 0 ? next_random(most)
								       : next_random(3),
			letters);
		struct sample changed;

		if (gone > t.len - off)
			gone = t.len - off;
		changed = sample_edit(&t, off, gone, more.data, more.len);
		free(more.data);
		free(t.data);
		t = changed;
	}
	return t;
}

/* Store it in chunks of that average. */
static struct store_node put_text(const struct sample *t, uint32_t avg)
{
	struct odb_writer *w = fixture_writer();
	const struct node_sink sink = nodes_sink(w);
	struct seq_builder *b = seq_builder_new(&sink);
	static const char *const refs[] = { NULL };
	struct store_node node = { .kind = STORE_KIND_FILE };
	struct chunker_params params;
	struct file_ref ref;
	struct oid id;

	assert_int_equal(chunker_params_init(&params, avg), 0);
	for (size_t start = 0; start < t->len;) {
		size_t n = chunker_next(&params, t->data, t->len, start);

		if (n == 0)
			n = t->len - start;
		OK(writer_put(w, KIND_CHUNK, t->data + start, n, &id, &failure));
		OK(seq_builder_add(b, &id, n, 1, &failure));
		start += n;
	}
	OK(seq_builder_finish(b, &ref, &failure));
	seq_builder_free(b);
	fixture_publish(w, refs, 1000, "");
	writer_free(w);
	memcpy(node.id.bytes, ref.id.b, ID_LEN);
	node.height = ref.height;
	node.size = ref.size;
	return node;
}

static struct store_diff_side stored(const struct sample *t, uint32_t avg)
{
	return (struct store_diff_side){ .kind = STORE_KIND_FILE, .node = put_text(t, avg) };
}

static int open_work(void)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s/file", fixture_dir);
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static struct store_diff_side in_work(const struct sample *t)
{
	const int fd = open_work();

	assert_int_equal(write(fd, t->data, t->len), t->len);
	close(fd);
	return (struct store_diff_side){ .kind = STORE_KIND_FILE,
		.is_work = 1,
		.node = { .kind = STORE_KIND_FILE, .size = t->len } };
}

static struct store_diff_entry entry_of(const struct store_diff_side *old_side,
	const struct store_diff_side *new_side)
{
	return (struct store_diff_entry){ .path = "file",
		.letter = 'M',
		.old_side = *old_side,
		.new_side = *new_side };
}

/* ---- ranges that are applied */

struct applied {
	const struct sample *old_text, *new_text;
	struct sample out;
	uint64_t at; /* in the old one */
	size_t count;
	uint64_t old_bytes, new_bytes;
	struct patch_range last;
};

static void apply_range(struct applied *a, const struct patch_range *r)
{
	assert_true(r->old_len > 0 || r->new_len > 0);
	/* In order, and apart: two that touch are one. */
	assert_true(a->count == 0 ? r->old_off >= a->at : r->old_off > a->at);
	assert_true(r->old_off + r->old_len <= a->old_text->len);
	assert_true(r->new_off + r->new_len <= a->new_text->len);
	memcpy(a->out.data + a->out.len, a->old_text->data + a->at, r->old_off - a->at);
	a->out.len += r->old_off - a->at;
	assert_int_equal(a->out.len, r->new_off);
	memcpy(a->out.data + a->out.len, a->new_text->data + r->new_off, r->new_len);
	a->out.len += r->new_len;
	a->at = r->old_off + r->old_len;
	a->count++;
	a->old_bytes += r->old_len;
	a->new_bytes += r->new_len;
	a->last = *r;
}

static struct applied applied_begin(const struct sample *old_text, const struct sample *new_text)
{
	struct applied a = { .old_text = old_text, .new_text = new_text };

	a.out = sample_new(old_text->len + new_text->len);
	a.out.len = 0;
	return a;
}

static void applied_end(struct applied *a)
{
	memcpy(a->out.data + a->out.len, a->old_text->data + a->at, a->old_text->len - a->at);
	a->out.len += a->old_text->len - a->at;
	assert_int_equal(a->out.len, a->new_text->len);
	assert_memory_equal(a->out.data, a->new_text->data, a->out.len);
	free(a->out.data);
}

static int take_binary(void *payload, const struct store_patch_piece *p)
{
	struct applied *a = payload;
	const struct patch_range r = { p->old_off, p->old_len, p->new_off, p->new_len };

	assert_int_equal(p->kind, STORE_PATCH_BINARY);
	assert_int_equal(p->old_data_len, p->old_len < 64 ? p->old_len : 64);
	assert_int_equal(p->new_data_len, p->new_len < 64 ? p->new_len : 64);
	apply_range(a, &r);
	assert_memory_equal(p->old_data, a->old_text->data + p->old_off, p->old_data_len);
	assert_memory_equal(p->new_data, a->new_text->data + p->new_off, p->new_data_len);
	return 0;
}

/* Apply what store_patch tells of binary content; *a holds the counts afterwards. */
static void expect_binary(const struct sample *old_text, const struct sample *new_text,
	const struct store_diff_entry *e, struct applied *a)
{
	struct store_patch_options options = { .piece = take_binary, .payload = a };
	struct store_patch_result r, counts;

	*a = applied_begin(old_text, new_text);
	OK(store_patch(repo, e, &options, &r, &failure));
	applied_end(a);
	assert_int_equal(r.same, a->count == 0);
	assert_int_equal(r.deleted, a->old_bytes);
	assert_int_equal(r.added, a->new_bytes);
	if (!r.same)
		assert_int_equal(r.why, STORE_PATCH_IS_BINARY);
	options.piece = NULL;
	OK(store_patch(repo, e, &options, &counts, &failure));
	assert_memory_equal(&counts, &r, sizeof(r));
}

/* Content that no test of its start can take for text. */
static void make_binary(struct sample *t)
{
	if (t->len > 0)
		t->data[0] = 0;
}

static void test_patch__ranges_applied_to_the_old_give_the_new(void **state)
{
	(void)state;
	seed = 1;
	for (unsigned int n = 0; n < cases(150); n++) {
		const uint32_t letters = n % 3 == 0 ? 2 : n % 3 == 1 ? 5 : 256;
		struct sample old_text = sample_random(1 + next_random(60000), letters), new_text;
		struct store_diff_side sides[2];
		struct store_diff_entry e;
		struct applied done;

		make_binary(&old_text);
		new_text = sample_edit_randomly(&old_text, letters, 20000);
		sides[0] = stored(&old_text, 256);
		sides[1] = n % 2 ? stored(&new_text, n % 4 == 1 ? 256 : 512) : in_work(&new_text);
		e = entry_of(&sides[0], &sides[1]);
		expect_binary(&old_text, &new_text, &e, &done);
		free(old_text.data);
		free(new_text.data);
	}
}

/* ---- the same below store_patch, with windows so small that all of their ends are met */

static int take_range(void *ctx, const struct patch_range *range, struct store_error *err)
{
	(void)err;
	apply_range(ctx, range);
	return 0;
}

static void align_small(const struct sample *old_text, const struct sample *new_text,
	size_t rows_max, size_t bytes_max)
{
	const struct store_diff_side old_side = stored(old_text, 256);
	const struct store_diff_side new_side = in_work(new_text);
	struct applied done = applied_begin(old_text, new_text);
	struct patch_side sides[2];
	struct patch_rows rows[2];
	struct patch_bytes bytes;

	OK(patch_side_open(&sides[0], repo, &old_side, "file", &failure));
	OK(patch_side_open(&sides[1], repo, &new_side, "file", &failure));
	OK(patch_rows_init(&rows[0], &sides[0], 256, &failure));
	OK(patch_rows_init(&rows[1], &sides[1], 256, &failure));
	OK(patch_bytes_init(&bytes, &sides[0], &sides[1], bytes_max, take_range, &done, &failure));
	OK(patch_align(&rows[0], &rows[1], rows_max, patch_bytes_refine, &bytes, &failure));
	OK(patch_bytes_finish(&bytes, &failure));
	applied_end(&done);
	for (int i = 0; i < 2; i++) {
		patch_rows_release(&rows[i]);
		patch_side_close(&sides[i]);
	}
	patch_bytes_release(&bytes);
}

static void test_patch__the_size_of_the_windows_changes_no_truth(void **state)
{
	static const size_t rows_max[] = { 2, 4, 16, 64 }, bytes_max[] = { 1, 33, 200, 4096 };

	(void)state;
	seed = 2;
	for (unsigned int n = 0; n < cases(150); n++) {
		const uint32_t letters = n % 3 == 0 ? 2 : n % 3 == 1 ? 5 : 256;
		struct sample old_text = sample_random(next_random(30000), letters);
		struct sample new_text = n % 7 == 0
			? sample_random(next_random(3000), letters)
			: sample_edit_randomly(&old_text, letters, 20000);

		align_small(&old_text, &new_text, rows_max[n % 4], bytes_max[n / 4 % 4]);
		free(old_text.data);
		free(new_text.data);
	}
}

/* ---- what an edit costs */

static void expect_one(const struct sample *old_text, const struct sample *new_text,
	const struct patch_range *want, uint32_t avg)
{
	const struct store_diff_side a = stored(old_text, avg);
	const struct store_diff_side b[2] = { stored(new_text, avg), in_work(new_text) };

	for (int i = 0; i < 2; i++) {
		const struct store_diff_entry e = entry_of(&a, &b[i]);
		struct applied done;

		expect_binary(old_text, new_text, &e, &done);
		assert_int_equal(done.count, 1);
		assert_memory_equal(&done.last, want, sizeof(*want));
	}
}

static void test_patch__an_insertion_moves_nothing_else(void **state)
{
	struct sample old_text, new_text, more;

	(void)state;
	seed = 3;
	old_text = sample_random(3000000, 256);
	more = sample_random(1500000, 256);
	make_binary(&old_text);
	/* Neighbours of the edit that are equal to it would make another range as true. */
	more.data[0] = (uint8_t)~old_text.data[1234567];
	for (int i = 0; i < 3; i++) {
		const size_t n = i == 0 ? 1 : i == 1 ? 70000 : more.len;
		const struct patch_range inserted = { 1234567, 0, 1234567, n };
		const struct patch_range deleted = { 1234567, n, 1234567, 0 };
		const uint8_t last = more.data[n - 1];

		more.data[n - 1] = n == 1 ? last : (uint8_t)~old_text.data[1234566];
		new_text = sample_edit(&old_text, 1234567, 0, more.data, n);
		expect_one(&old_text, &new_text, &inserted, 65536);
		expect_one(&new_text, &old_text, &deleted, 65536);
		free(new_text.data);
		more.data[n - 1] = last;
	}
	free(more.data);
	free(old_text.data);
}

static void test_patch__two_bytes_of_one_chunk_are_two_ranges(void **state)
{
	struct sample old_text, new_text;
	struct store_diff_side a, b;
	struct store_diff_entry e;
	struct applied done;

	(void)state;
	seed = 4;
	old_text = sample_random(200000, 256);
	make_binary(&old_text);
	new_text = sample_edit(&old_text, 0, 0, NULL, 0);
	new_text.data[100000] ^= 1;
	new_text.data[100100] ^= 1;
	a = stored(&old_text, 65536);
	b = stored(&new_text, 65536);
	e = entry_of(&a, &b);
	expect_binary(&old_text, &new_text, &e, &done);
	assert_int_equal(done.count, 2);
	assert_int_equal(done.old_bytes, 2);
	assert_int_equal(done.new_bytes, 2);
	free(old_text.data);
	free(new_text.data);
}

static void test_patch__equal_chunks_are_not_read(void **state)
{
	struct sample old_text, new_text;
	struct store_diff_side a, b;
	struct store_diff_entry e;
	struct store_patch_result r;
	struct odb_counts before, after;

	(void)state;
	seed = 5;
	old_text = sample_random(24000000, 256);
	make_binary(&old_text);
	new_text = sample_edit(&old_text, 9000001, 0, "inserted", 8);
	a = stored(&old_text, 4096);
	b = stored(&new_text, 4096);
	e = entry_of(&a, &b);
	odb_counts(repo->odb, &before);
	OK(store_patch(repo, &e, NULL, &r, &failure));
	odb_counts(repo->odb, &after);
	assert_int_equal(r.added, 8);
	assert_int_equal(r.deleted, 0);
	/* Some 5,900 chunks lie below some 50 nodes on each side; the path to the edit is read. */
	assert_true(after.nodes - before.nodes <= 16);
	assert_true(after.bytes - before.bytes <= 2000000);
	free(old_text.data);
	free(new_text.data);
}

/* ---- sides that are not there, and links */

static void test_patch__nothing_and_empty_content_are_ranges_too(void **state)
{
	const struct store_diff_side none = { 0 };
	struct sample empty = sample_new(0), full;
	struct store_diff_side sides[2];
	struct store_diff_entry e;
	struct store_patch_result r;
	struct applied done;

	(void)state;
	seed = 6;
	full = sample_random(5000, 256);
	make_binary(&full);
	sides[0] = stored(&empty, 256);
	sides[1] = stored(&full, 256);
	e = entry_of(&none, &sides[1]);
	expect_binary(&empty, &full, &e, &done);
	assert_int_equal(done.count, 1);
	e = entry_of(&sides[1], &none);
	expect_binary(&full, &empty, &e, &done);
	e = entry_of(&sides[0], &sides[1]);
	expect_binary(&empty, &full, &e, &done);
	e = entry_of(&none, &sides[0]);
	OK(store_patch(repo, &e, NULL, &r, &failure));
	assert_true(r.same);
	assert_int_equal(r.why, STORE_PATCH_IS_TEXT);
	sides[0] = in_work(&empty);
	e = entry_of(&sides[1], &sides[0]);
	expect_binary(&full, &empty, &e, &done);
	e = entry_of(&sides[1], &sides[1]);
	OK(store_patch(repo, &e, NULL, &r, &failure));
	assert_true(r.same);
	free(full.data);
	free(empty.data);
}

/* A file of a TiB that is a hole with one byte, against the same without it. */
static void test_patch__a_hole_of_a_working_file_is_not_read(void **state)
{
	const uint64_t size = UINT64_C(1) << 40, off = UINT64_C(700) << 30;
	struct odb_writer *w = fixture_writer();
	const struct node_sink sink = nodes_sink(w);
	struct seq_builder *b = seq_builder_new(&sink);
	static const char *const refs[] = { NULL };
	struct sample zeros = sample_new(262144);
	struct store_diff_side a = { .kind = STORE_KIND_FILE };
	const struct store_diff_side work = { .kind = STORE_KIND_FILE,
		.is_work = 1,
		.node = { .kind = STORE_KIND_FILE, .size = size } };
	struct store_diff_entry e;
	struct store_patch_result r;
	struct file_ref ref;
	struct oid id;
	int fd;

	(void)state;
	OK(writer_put(w, KIND_CHUNK, zeros.data, zeros.len, &id, &failure));
	OK(seq_builder_add(b, &id, zeros.len, size / zeros.len, &failure));
	OK(seq_builder_finish(b, &ref, &failure));
	seq_builder_free(b);
	fixture_publish(w, refs, 1000, "");
	writer_free(w);
	free(zeros.data);
	memcpy(a.node.id.bytes, ref.id.b, ID_LEN);
	a.node.kind = STORE_KIND_FILE;
	a.node.height = ref.height;
	a.node.size = ref.size;
	fd = open_work();
	if (ftruncate(fd, (off_t)size) != 0 || pwrite(fd, "x", 1, (off_t)off) != 1) {
		close(fd);
		print_message("no room for a file of 1 TiB in /tmp: passed over\n");
		return;
	}
	close(fd);
	e = entry_of(&a, &work);
	OK(store_patch(repo, &e, NULL, &r, &failure));
	assert_int_equal(r.added, 1);
	assert_int_equal(r.deleted, 1);
	e = entry_of(&work, &a);
	OK(store_patch(repo, &e, NULL, &r, &failure));
	assert_int_equal(r.added, 1);
	unlink("file");
}

static void test_patch__a_file_that_is_not_there_is_an_error_of_the_system(void **state)
{
	struct sample full = sample_new(10);
	const struct store_diff_side a = stored(&full, 256);
	struct store_diff_side b = in_work(&full);
	struct store_diff_entry e = entry_of(&a, &b);
	struct store_patch_result r;

	(void)state;
	e.path = "absent";
	assert_int_equal(store_patch(repo, &e, NULL, &r, &failure), STORE_EIO);
	assert_int_equal(failure.sys, ENOENT);
	assert_non_null(strstr(failure.msg, "'absent'"));
	e.new_side.kind = STORE_KIND_LINK;
	e.path = "file";
	assert_int_equal(store_patch(repo, &e, NULL, &r, &failure), STORE_EIO);
	free(full.data);
}

static void test_patch__a_link_is_compared_by_its_target(void **state)
{
	struct sample target = { (uint8_t *)(uintptr_t) "old/target", 10 };
	struct store_diff_side a = stored(&target, 256);
	const struct store_diff_side b = { .kind = STORE_KIND_LINK,
		.is_work = 1,
		.node = { .kind = STORE_KIND_LINK, .size = 11 } };
	struct store_diff_entry e;
	struct store_patch_result r;
	char path[100];

	(void)state;
	a.kind = STORE_KIND_LINK;
	snprintf(path, sizeof(path), "%s/link", fixture_dir);
	assert_int_equal(symlink("new/target\n", path), 0);
	e = entry_of(&a, &b);
	e.path = "link";
	OK(store_patch(repo, &e, NULL, &r, &failure));
	assert_int_equal(r.why, STORE_PATCH_IS_TEXT);
	assert_int_equal(r.added, 1);
	assert_int_equal(r.deleted, 1);
}

/* ---- hunks that are applied */

struct hunks {
	struct sample old_text, out;
	size_t at;                   /* in the old text */
	uint64_t old_line, new_line; /* the next of each, from 1 */
	uint64_t old_left, new_left; /* of the hunk */
	uint64_t added, deleted, leading, trailing;
	size_t count;
	bool is_before;
};

static size_t line_len(const struct sample *t, size_t at)
{
	const uint8_t *lf = memchr(t->data + at, '\n', t->len - at);

	return lf ? (size_t)(lf - t->data) + 1 - at : t->len - at;
}

static void keep_line(struct hunks *h)
{
	const size_t n = line_len(&h->old_text, h->at);

	memcpy(h->out.data + h->out.len, h->old_text.data + h->at, n);
	h->out.len += n;
	h->at += n;
	h->old_line++;
	h->new_line++;
}

static void take_hunk(struct hunks *h, const struct store_patch_piece *p)
{
	/* Where a side has no line, the number is that of the line before. */
	const uint64_t start = p->old_lines == 0 ? p->old_line + 1 : p->old_line;

	assert_int_equal(h->old_left, 0);
	assert_int_equal(h->new_left, 0);
	assert_true(start >= h->old_line);
	while (h->old_line < start) {
		assert_true(h->at < h->old_text.len);
		keep_line(h);
	}
	assert_int_equal(h->new_line, p->new_lines == 0 ? p->new_line + 1 : p->new_line);
	h->old_left = p->old_lines;
	h->new_left = p->new_lines;
	h->is_before = h->count++ == 0;
	h->trailing = 0;
}

static int take_text(void *payload, const struct store_patch_piece *p)
{
	struct hunks *h = payload;
	size_t n;

	/* Over a limit: the ranges are looked at elsewhere, and no hunk came before. */
	if (p->kind == STORE_PATCH_BINARY) {
		assert_int_equal(h->count, 0);
		return 0;
	}
	if (p->kind == STORE_PATCH_HUNK) {
		take_hunk(h, p);
		return 0;
	}
	h->trailing = p->kind == STORE_PATCH_CONTEXT ? h->trailing + 1 : 0;
	h->is_before = h->is_before && p->kind == STORE_PATCH_CONTEXT;
	h->leading += h->is_before;
	if (p->kind == STORE_PATCH_ADDED) {
		memcpy(h->out.data + h->out.len, p->data, p->len);
		h->out.len += p->len;
		h->new_line++;
		h->new_left--;
		h->added++;
		return 0;
	}
	n = line_len(&h->old_text, h->at);
	assert_int_equal(n, p->len);
	assert_memory_equal(h->old_text.data + h->at, p->data, n);
	h->old_left--;
	if (p->kind == STORE_PATCH_CONTEXT) {
		h->new_left--;
		keep_line(h);
		return 0;
	}
	assert_int_equal(p->kind, STORE_PATCH_DELETED);
	h->at += n;
	h->old_line++;
	h->deleted++;
	return 0;
}

/* context: lines, or -1 for the default. */
static struct store_patch_result expect_hunks(struct store_repo *r, const struct sample *old_text,
	const struct sample *new_text, const struct store_diff_entry *e, int context,
	struct hunks *h)
{
	struct store_patch_options options = { .piece = take_text,
		.payload = h,
		.has_context = context >= 0,
		.context = context >= 0 ? (unsigned int)context : 0 };
	struct store_patch_result result;

	*h = (struct hunks){ .old_text = *old_text, .old_line = 1, .new_line = 1 };
	h->out = sample_new(old_text->len + new_text->len);
	h->out.len = 0;
	OK(store_patch(r, e, &options, &result, &failure));
	if (result.why != STORE_PATCH_IS_TEXT) {
		free(h->out.data);
		return result;
	}
	assert_int_equal(h->old_left, 0);
	assert_int_equal(h->new_left, 0);
	memcpy(h->out.data + h->out.len, old_text->data + h->at, old_text->len - h->at);
	h->out.len += old_text->len - h->at;
	assert_int_equal(h->out.len, new_text->len);
	assert_memory_equal(h->out.data, new_text->data, new_text->len);
	assert_int_equal(result.added, h->added);
	assert_int_equal(result.deleted, h->deleted);
	assert_int_equal(result.same, h->count == 0);
	free(h->out.data);
	return result;
}

/* Lines of few kinds, so that they repeat; the last has its LF or not. */
static struct sample sample_lines(size_t n, uint32_t kinds)
{
	struct sample t = sample_new(n * 12);
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf((char *)t.data + len, 13, "line %u\n", next_random(kinds));
	t.len = len - (len > 0 && next_random(2));
	return t;
}

static struct sample edit_lines(const struct sample *old_text, uint32_t kinds)
{
	struct sample t = sample_edit(old_text, 0, 0, NULL, 0);

	for (uint32_t n = next_random(4); n > 0; n--) {
		struct sample more = sample_lines(next_random(5), kinds), changed;
		size_t off = next_random((uint32_t)t.len + 1), gone = next_random(60);

		if (gone > t.len - off)
			gone = t.len - off;
		changed = sample_edit(&t, off, gone, more.data, more.len);
		free(more.data);
		free(t.data);
		t = changed;
	}
	return t;
}

static struct store_repo *open_limited(const char *bytes, const char *lines)
{
	const char *const config[] = { bytes, lines, NULL };
	const struct store_open_options options = { .start = fixture_dir, .config = config };
	struct store_repo *limited = NULL;

	OK(store_open(&limited, &options, &failure));
	return limited;
}

static void run_text_cases(struct store_repo *r, unsigned int n_cases, size_t lines,
	unsigned int *over)
{
	*over = 0;
	for (unsigned int n = 0; n < n_cases; n++) {
		const uint32_t kinds = n % 3 == 0 ? 2 : n % 3 == 1 ? 20 : 100000;
		struct sample old_text = sample_lines(next_random((uint32_t)lines), kinds);
		struct sample new_text = edit_lines(&old_text, kinds);
		struct store_diff_side sides[2] = { stored(&old_text, 256), in_work(&new_text) };
		struct store_patch_result result;
		struct store_diff_entry e;
		struct hunks h;

		if (n % 2)
			sides[1] = stored(&new_text, 256);
		e = entry_of(&sides[0], &sides[1]);
		result = expect_hunks(r, &old_text, &new_text, &e, n % 5 == 0 ? 0 : -1, &h);
		*over += result.why == STORE_PATCH_OVER_LIMIT;
		free(old_text.data);
		free(new_text.data);
	}
}

static void test_patch__hunks_applied_to_the_old_text_give_the_new(void **state)
{
	unsigned int over;

	(void)state;
	seed = 7;
	run_text_cases(repo, cases(100), 200, &over);
	assert_int_equal(over, 0);
}

/* Texts over the limit whose ends are cut off: as true, with the numbers of the whole file. */
static void test_patch__long_texts_with_small_edits_are_hunks_too(void **state)
{
	struct store_repo *limited = open_limited("diff.textLimit=6000", "diff.lineLimit=700");
	unsigned int over;

	(void)state;
	seed = 8;
	run_text_cases(limited, cases(150), 3000, &over);
	/* Not all: edits lie apart, and some are larger than the limit. */
	assert_in_range(over, 1, cases(150) * 3 / 4);
	store_close(limited);
}

/* Equal lines around the edit: what differs slides to the end of what is compared. */
static void test_patch__context_is_whole_where_lines_repeat(void **state)
{
	struct store_repo *limited = open_limited("diff.textLimit=100KB", "diff.lineLimit=700");
	struct sample old_text, new_text;
	struct store_diff_side a, b;
	struct store_diff_entry e;
	struct hunks h;
	size_t off;

	(void)state;
	seed = 9;
	old_text = sample_lines(2000, 100000);
	off = old_text.len / 2;
	off += line_len(&old_text, off);
	/* 200 times the same line, and in the new text one more. */
	for (int n = 0; n < 201; n++) {
		new_text = sample_edit(&old_text, off, 0, "same\n", 5);
		if (n < 200) {
			free(old_text.data);
			old_text = new_text;
		}
	}
	a = stored(&old_text, 256);
	b = stored(&new_text, 256);
	e = entry_of(&a, &b);
	for (int i = 0; i < 2; i++) {
		const struct store_patch_result r = expect_hunks(limited, i ? &new_text : &old_text,
			i ? &old_text : &new_text, &e, -1, &h);

		assert_int_equal(r.why, STORE_PATCH_IS_TEXT);
		assert_int_equal(r.added + r.deleted, 1);
		assert_int_equal(h.leading, 3);
		assert_int_equal(h.trailing, 3);
		e = entry_of(&b, &a);
	}
	free(old_text.data);
	free(new_text.data);
	store_close(limited);
}

static struct store_patch_result expect_over(const char *bytes, const char *lines,
	const struct sample *old_text, const struct sample *new_text)
{
	const struct store_diff_side a = stored(old_text, 256), b = in_work(new_text);
	const struct store_diff_entry e = entry_of(&a, &b);
	struct store_repo *limited = open_limited(bytes, lines);
	struct applied done = applied_begin(old_text, new_text);
	const struct store_patch_options options = { .piece = take_binary, .payload = &done };
	struct store_patch_result r;

	OK(store_patch(limited, &e, &options, &r, &failure));
	assert_int_equal(r.why, STORE_PATCH_OVER_LIMIT);
	applied_end(&done);
	assert_int_equal(r.added, done.new_bytes);
	assert_int_equal(r.deleted, done.old_bytes);
	store_close(limited);
	return r;
}

static void test_patch__what_is_over_a_limit_says_which(void **state)
{
	struct sample old_text, new_text;
	struct store_patch_result r;

	(void)state;
	seed = 10;
	old_text = sample_lines(1000, 100000);
	new_text = sample_lines(1000, 100000);
	r = expect_over("diff.textLimit=5KB", "diff.lineLimit=5000", &old_text, &new_text);
	assert_int_equal(r.limit, 5120);
	assert_false(r.limit_is_lines);
	r = expect_over("diff.textLimit=1MB", "diff.lineLimit=999", &old_text, &new_text);
	assert_int_equal(r.limit, 999);
	assert_true(r.limit_is_lines);
	free(old_text.data);
	free(new_text.data);
}

static void test_patch__a_nul_makes_it_binary_and_force_text_does_not(void **state)
{
	struct store_patch_options options = { .force_text = 1 };
	struct sample old_text = sample_new(9000), new_text = sample_new(9000);
	struct store_patch_result r;
	struct store_diff_side a, b;
	struct store_diff_entry e;

	(void)state;
	for (int i = 0; i < 2; i++) {
		/* The last byte that is looked at, and the first that is not. */
		memset(old_text.data, 'x', 9000);
		memset(new_text.data, 'y', 9000);
		new_text.data[7999 + i] = 0;
		a = stored(&old_text, 256);
		b = stored(&new_text, 256);
		e = entry_of(&a, &b);
		OK(store_patch(repo, &e, NULL, &r, &failure));
		assert_int_equal(r.why, i == 0 ? STORE_PATCH_IS_BINARY : STORE_PATCH_IS_TEXT);
		OK(store_patch(repo, &e, &options, &r, &failure));
		assert_int_equal(r.why, STORE_PATCH_IS_TEXT);
		assert_int_equal(r.added, 1);
	}
	free(old_text.data);
	free(new_text.data);
}

static int cancel(void *payload, const struct store_patch_piece *piece)
{
	(void)piece;
	++*(int *)payload;
	return 1;
}

static void test_patch__a_callback_can_cancel(void **state)
{
	int calls = 0;
	const struct store_patch_options options = { .piece = cancel, .payload = &calls };
	struct sample old_text = { (uint8_t *)(uintptr_t) "a\nb\n", 4 };
	struct sample new_text = { (uint8_t *)(uintptr_t) "a\n\0c", 4 };
	struct store_diff_side a, b;
	struct store_diff_entry e;
	struct store_patch_result r;

	(void)state;
	for (size_t len = 2; len <= 4; len += 2) {
		new_text.len = len;
		a = stored(&old_text, 256);
		b = stored(&new_text, 256);
		e = entry_of(&a, &b);
		assert_int_equal(store_patch(repo, &e, &options, &r, &failure), STORE_ECANCELED);
	}
	assert_int_equal(calls, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patch__ranges_applied_to_the_old_give_the_new),
		cmocka_unit_test(test_patch__the_size_of_the_windows_changes_no_truth),
		cmocka_unit_test(test_patch__an_insertion_moves_nothing_else),
		cmocka_unit_test(test_patch__two_bytes_of_one_chunk_are_two_ranges),
		cmocka_unit_test(test_patch__equal_chunks_are_not_read),
		cmocka_unit_test(test_patch__nothing_and_empty_content_are_ranges_too),
		cmocka_unit_test(test_patch__a_hole_of_a_working_file_is_not_read),
		cmocka_unit_test(test_patch__a_file_that_is_not_there_is_an_error_of_the_system),
		cmocka_unit_test(test_patch__a_link_is_compared_by_its_target),
		cmocka_unit_test(test_patch__hunks_applied_to_the_old_text_give_the_new),
		cmocka_unit_test(test_patch__long_texts_with_small_edits_are_hunks_too),
		cmocka_unit_test(test_patch__context_is_whole_where_lines_repeat),
		cmocka_unit_test(test_patch__what_is_over_a_limit_says_which),
		cmocka_unit_test(test_patch__a_nul_makes_it_binary_and_force_text_does_not),
		cmocka_unit_test(test_patch__a_callback_can_cancel),
	};

	return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
