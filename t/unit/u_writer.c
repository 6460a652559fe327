/*
 * A writer: what it put is readable at once and nobody else sees it; batches end where they must;
 * the first writer of an id wins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/io.h"
#include "odb/tmp.h"
#include "repo_fixture.h"

static size_t count_in(int folder)
{
	DIR *d = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Object number i: len bytes that no other number has and that do not compress. */
static struct oid put(struct odb_writer *w, uint64_t i, size_t len)
{
	struct buf data = { 0 };
	struct oid id;
	uint64_t seed = i;

	OK(buf_reserve(&data, len + 8));
	while (data.len < len) {
		seed = seed * 6364136223846793005u + 1442695040888963407u + i;
		buf_add_le64(&data, seed ^ seed >> 29);
	}
	OK(writer_put(w, KIND_CHUNK, data.data, len, &id, &failure));
	buf_release(&data);
	return id;
}

static void publish_all(struct odb_writer *w)
{
	const struct publication p = { .writer = w };

	OK(publish(repo->odb, &p, NULL, &failure));
}

static void a_batch_is_full_at_two_thousand_objects(void **state)
{
	struct odb_writer *w = fixture_writer();

	(void)state;
	for (uint64_t round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 2000; i++) {
			assert_false(writer_is_full(w));
			put(w, round << 32 | i, 20 + i % 50);
		}
		assert_true(writer_is_full(w));
		publish_all(w);
		assert_false(writer_is_full(w));
		assert_true(writer_is_empty(w));
	}
	writer_free(w);
}

static void a_batch_is_full_at_five_thousand_changes_of_the_stage(void **state)
{
	struct odb_writer *w = fixture_writer();

	(void)state;
	for (int i = 0; i < 5000; i++) {
		assert_false(writer_is_full(w));
		OK(writer_add_op(w, "op", 2, &failure));
	}
	assert_true(writer_is_full(w));
	writer_free(w);
}

/* ---- the stage record */

/* Operation number i, of a length that no power of two divides. */
#define OP_LEN 997
static void make_op(uint8_t op[OP_LEN], uint32_t i)
{
	memset(op, (int)(i % 251), OP_LEN);
	le32_put(op, i);
}

/* The only file in the folder, whole. */
static void read_only_file(int folder, struct buf *out)
{
	DIR *d = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int fd = -1;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		assert_int_equal(fd, -1);
		fd = openat(folder, e->d_name, O_RDONLY | O_CLOEXEC);
		assert_int_not_equal(fd, -1);
	}
	closedir(d);
	out->len = 0;
	OK(buf_reserve(out, (size_t)64 << 20));
	out->len = (size_t)io_pread_full(fd, out->data, out->cap, 0);
	io_close(&fd);
}

/* One record: its operations follow those of the records before; *next: the first it may have. */
static void check_record(const uint8_t *data, size_t len, uint32_t *next)
{
	struct span s = span_of(data, len);
	const uint8_t *head = span_take(&s, 3);
	uint8_t op[OP_LEN];

	assert_non_null(head);
	assert_memory_equal(head, "SR\1", 3);
	assert_true(len <= ((size_t)1 << 20) + 16);
	for (uint64_t n = span_leb(&s); n > 0; n--) {
		const uint8_t *p = span_take(&s, OP_LEN);

		assert_non_null(p);
		make_op(op, (*next)++);
		assert_memory_equal(p, op, OP_LEN);
	}
	assert_int_equal(span_left(&s), 0);
}

static void stage_records_are_as_many_as_it_takes_and_stand_behind_all_else(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct codec_ctx *codec = codec_new(&(struct codec_options){ 0 });
	struct buf pack = { 0 }, plain = { 0 };
	uint8_t op[OP_LEN];
	uint32_t next = 0;
	size_t records = 0;

	(void)state;
	put(w, 1, 100);
	/* More than an object may have bytes. */
	for (uint32_t i = 0; i < 20000; i++) {
		make_op(op, i);
		OK(writer_add_op(w, op, OP_LEN, &failure));
		assert_false(writer_is_empty(w));
	}
	assert_true(writer_is_full(w));
	publish_all(w);
	assert_true(writer_is_empty(w));
	assert_false(writer_is_full(w));
	read_only_file(odb_packs_fd(repo->odb), &pack);
	for (size_t off = PACK_HEADER; memcmp(pack.data + off, "STFT", 4) != 0;) {
		struct pack_block_info b;
		uint32_t len;

		OK(pack_block_parse(pack.data + off, &b, &failure));
		assert_true(b.class == PACK_RECORDS || records == 0);
		if (b.class == PACK_RECORDS) {
			assert_int_equal(b.count, 1);
			OK(pack_block_check(pack.data + off, pack_block_length(&b), &b, &len,
				&failure));
			OK(buf_reserve(&plain, b.plain));
			OK(codec_decode(codec, b.codec, pack_block_stored(pack.data + off, &b),
				b.stored, plain.data, b.plain, &failure));
			check_record(plain.data, b.plain, &next);
			records++;
		}
		off += pack_block_length(&b);
	}
	assert_int_equal(next, 20000);
	assert_true(records > 1);
	codec_free(codec);
	buf_release(&pack);
	buf_release(&plain);
	writer_free(w);
}

static void a_batch_is_full_at_sixty_four_mebibytes(void **state)
{
	struct odb_writer *w = fixture_writer();
	uint64_t put_bytes = 0;

	(void)state;
	for (uint64_t i = 0; !writer_is_full(w); i++) {
		put(w, i, 1 << 20);
		put_bytes += 1 << 20;
		assert_true(put_bytes <= (uint64_t)66 << 20);
	}
	assert_true(put_bytes >= (uint64_t)64 << 20);
	writer_free(w);
	assert_int_equal(count_in(odb_tmp_fd(repo->odb)), 0);
}

static void what_was_put_is_read_before_and_after_publication_and_before_by_nobody_else(
	void **state)
{
	struct odb_writer *w = fixture_writer();
	struct oid ids[400];
	struct odb_loc loc;
	struct buf data = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 400; i++) {
		ids[i] = put(w, i, 1 + i * 31);
		/* Some are in the open block yet, most in the pack. */
		for (uint64_t k = i % 40; k <= i; k += 40) {
			OK(odb_read(writer_reader(w), &ids[k], &data, &failure));
			assert_int_equal(data.len, 1 + k * 31);
			assert_int_equal(odb_find(repo->reader, &ids[k], &loc, NULL),
				STORE_ENOTFOUND);
		}
	}
	publish_all(w);
	for (uint64_t i = 0; i < 400; i++) {
		OK(odb_read(repo->reader, &ids[i], &data, &failure));
		assert_int_equal(data.len, 1 + i * 31);
	}
	buf_release(&data);
	writer_free(w);
}

static void what_is_known_is_not_put_again(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct writer_stats s;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < 50; i++)
			put(w, i % 10, 1000);
		publish_all(w);
	}
	writer_get_stats(w, &s);
	assert_int_equal(s.new_objects, 10);
	assert_int_equal(s.new_bytes, 10000);
	assert_int_equal(s.new_chunks, 10);
	assert_int_equal(count_in(odb_packs_fd(repo->odb)), 1);
	writer_free(w);
}

static void the_first_writer_of_an_id_wins_and_the_second_copy_is_dead_bytes(void **state)
{
	struct odb_writer *first = fixture_writer(), *second = fixture_writer();
	const struct oid id = put(first, 1, 5000);
	struct odb_pack_row row;
	struct env_txn *t;
	struct env_val v;
	struct odb_loc won, now;
	struct buf data = { 0 };
	uint64_t number = 0;
	uint8_t key[8];
	const struct publication p = { .writer = second };

	(void)state;
	put(second, 1, 5000);
	publish_all(first);
	OK(odb_find(repo->reader, &id, &won, &failure));
	OK(publish(repo->odb, &p, &number, &failure));
	OK(odb_find(repo->reader, &id, &now, &failure));
	assert_memory_equal(&won.pack, &now.pack, sizeof(won.pack));
	assert_int_not_equal(now.pack, number);
	/* The copy is counted with its pack. */
	be64_put(key, number);
	OK(env_begin(odb_env(repo->odb), false, &t, &failure));
	OK(env_get(t, ENV_PACKS, key, sizeof(key), &v, &failure));
	OK(odb_pack_row_decode(v.data, v.len, &row, &failure));
	assert_int_equal(row.objects, 1);
	assert_true(row.size > 5000);
	env_abort(t);
	OK(odb_read(repo->reader, &id, &data, &failure));
	buf_release(&data);
	writer_free(first);
	writer_free(second);
}

static void a_writer_that_is_abandoned_leaves_nothing(void **state)
{
	struct odb_writer *w = fixture_writer();
	const struct oid id = put(w, 1, 3 << 20);
	struct odb_loc loc;

	(void)state;
	put(w, 2, 10);
	assert_true(count_in(odb_tmp_fd(repo->odb)) > 0);
	writer_free(w);
	assert_int_equal(count_in(odb_tmp_fd(repo->odb)), 0);
	assert_int_equal(count_in(odb_packs_fd(repo->odb)), 0);
	assert_int_equal(odb_find(repo->reader, &id, &loc, NULL), STORE_ENOTFOUND);
}

static int see_checkpoint(void *ctx, uint64_t writer, const void *data, size_t len)
{
	struct buf *b = ctx;

	(void)writer;
	buf_add(b, data, len);
	buf_add_str(b, ";");
	return 0;
}

static void a_checkpoint_is_seen_when_its_writer_is_dead_and_not_before(void **state)
{
	struct odb_writer *w = fixture_writer(), *other;
	struct buf seen = { 0 };

	(void)state;
	put(w, 1, 100);
	OK(writer_set_checkpoint(w, "half", 4, &failure));
	publish_all(w);
	OK(writer_each_checkpoint(repo->odb, see_checkpoint, &seen, &failure));
	assert_int_equal(seen.len, 0);
	writer_free(w);
	other = fixture_writer(); /* which drops rows of the dead, but not this one */
	OK(writer_each_checkpoint(repo->odb, see_checkpoint, &seen, &failure));
	assert_int_equal(seen.len, 5);
	assert_memory_equal(seen.data, "half;", 5);
	buf_release(&seen);
	writer_free(other);
}

static void what_cannot_be_looked_at_in_tmp_is_held(void **state)
{
	const int tmp = odb_tmp_fd(repo->odb);
	struct rlimit limit, none;
	char name[TMP_NAME];
	int fd;

	(void)state;
	OK(tmp_create(tmp, 'w', name, &fd, &failure));
	OK(getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	OK(setrlimit(RLIMIT_NOFILE, &none));
	assert_true(tmp_is_held(tmp, name));
	OK(setrlimit(RLIMIT_NOFILE, &limit));
	assert_true(tmp_is_held(tmp, name));
	io_close(&fd);
	assert_false(tmp_is_held(tmp, name));
	OK(unlinkat(tmp, name, 0));
	assert_false(tmp_is_held(tmp, name));
	OK(mkdirat(tmp, name, 0777));
	assert_false(tmp_is_held(tmp, name));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)
	const struct CMUnitTest tests[] = {
		T(a_batch_is_full_at_two_thousand_objects),
		T(a_batch_is_full_at_five_thousand_changes_of_the_stage),
		T(stage_records_are_as_many_as_it_takes_and_stand_behind_all_else),
		T(a_batch_is_full_at_sixty_four_mebibytes),
		T(what_was_put_is_read_before_and_after_publication_and_before_by_nobody_else),
		T(what_is_known_is_not_put_again),
		T(the_first_writer_of_an_id_wins_and_the_second_copy_is_dead_bytes),
		T(a_writer_that_is_abandoned_leaves_nothing),
		T(what_cannot_be_looked_at_in_tmp_is_held),
		T(a_checkpoint_is_seen_when_its_writer_is_dead_and_not_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
