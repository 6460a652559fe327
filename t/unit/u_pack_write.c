/*
 * A pack in the making: what was appended is what stands in the file, whichever way it was written;
 * a failure is final.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "data/hash.h"
#include "data/limits.h"
#include "odb/pack_write.h"

static char dir[64];
static int dirfd_;
static struct store_error failure;
static struct codec_ctx *codec;
static struct hash *hash;

#define OK(call) \
	do { \
		if ((call) != 0) \
			fail_msg("%s: %s", #call, failure.msg); \
	} while (0)

static int begin(void **state)
{
	const struct codec_options options = { .codec = CODEC_NONE };

	(void)state;
	/* /tmp may be in memory, where nothing goes around the cache. */
	snprintf(dir, sizeof(dir), "/var/tmp/u_pack_write.XXXXXX");
	if (fault_load("") != 0 || !mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	codec = codec_new(&options);
	hash = hash_new();
	return dirfd_ != -1 && codec && hash ? 0 : -1;
}

static int end(void **state)
{
	char command[100];

	(void)state;
	fault_load("");
	io_close(&dirfd_);
	codec_free(codec);
	hash_free(hash);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static size_t count_files(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Append block number i, of a length of its own; its bytes go to all, too. */
static void append(struct pack_write *p, unsigned int i, struct buf *all)
{
	const size_t len = 1 + (i * 7919u) % 200000u;
	struct pack_block b;
	struct buf data = { 0 }, wire = { 0 };
	struct oid id;
	uint64_t off;

	for (size_t k = 0; k < len; k++)
		buf_add_u8(&data, (uint8_t)((k * 2654435761u + (size_t)i * 40503u) >> 7));
	hash_once(hash, data.data, data.len, &id);
	pack_block_init(&b, PACK_CONTENT);
	OK(pack_block_add(&b, &id, KIND_CHUNK, data.data, data.len, &failure));
	OK(pack_block_encode(&b, codec, NULL, 0, &wire, &failure));
	OK(pack_write_append(p, &b, wire.data, &off, &failure));
	assert_int_equal(off, all->len);
	OK(buf_add(all, wire.data, wire.len));
	pack_block_release(&b);
	buf_release(&wire);
	buf_release(&data);
}

static void start(struct pack_write *p, struct buf *all)
{
	pack_write_init(p, dirfd_);
	OK(pack_write_begin(p, &failure));
	OK(buf_reserve(all, PACK_HEADER));
	OK(pack_write_read(p, all->data, PACK_HEADER, 0, &failure));
	all->len = PACK_HEADER;
}

/* A sealed pack of count blocks, as bytes. */
static bool make_pack(const char *fault, unsigned int count, struct buf *out)
{
	struct pack_write p;
	struct buf all = { 0 };
	bool direct;

	OK(fault_load(fault));
	start(&p, &all);
	for (unsigned int i = 0; i < count; i++)
		append(&p, i, &all);
	OK(pack_write_seal(&p, &failure));
	OK(fault_load(""));
	direct = p.direct;
	OK(io_read_file(dirfd_, p.tmp, 1u << 30, out, &failure));
	assert_int_equal(out->len, pack_write_size(&p));
	assert_memory_equal(out->data, all.data, all.len);
	pack_write_release(&p);
	buf_release(&all);
	return direct;
}

static void a_pack_written_around_the_cache_is_the_pack_written_through_it(void **state)
{
	static const unsigned int counts[] = { 0, 1, 9, 10, 11, 12, 40, 100 };
	unsigned int around = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct buf direct = { 0 }, buffered = { 0 };

		around += make_pack("", counts[i], &direct);
		assert_false(make_pack("pack.direct:1+:EINVAL", counts[i], &buffered));
		assert_int_equal(direct.len, buffered.len);
		assert_memory_equal(direct.data, buffered.data, direct.len);
		buf_release(&direct);
		buf_release(&buffered);
	}
	if (around == 0)
		print_message("# this file system knows no O_DIRECT\n");
}

static void a_pack_below_a_mebibyte_goes_through_the_cache(void **state)
{
	struct buf small = { 0 };

	(void)state;
	assert_false(make_pack("", 5, &small));
	assert_true(small.len < 1 << 20);
	buf_release(&small);
}

static void any_bytes_appended_are_read_back_at_any_time(void **state)
{
	struct pack_write p;
	struct buf all = { 0 };
	uint64_t seed = 1;

	(void)state;
	start(&p, &all);
	for (unsigned int i = 0; i < 60; i++) {
		append(&p, i, &all);
		for (int k = 0; k < 20; k++) {
			uint8_t got[5000];
			size_t off, len;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			off = (size_t)((seed >> 33) % all.len);
			len = (size_t)((seed >> 17) % sizeof(got));
			if (len > all.len - off)
				len = all.len - off;
			OK(pack_write_read(&p, got, len, off, &failure));
			assert_memory_equal(got, all.data + off, len);
		}
		assert_int_equal(pack_write_read(&p, &seed, 8, all.len - 7, NULL), STORE_EINVAL);
	}
	pack_write_release(&p);
	buf_release(&all);
}

static void the_footer_names_every_object_and_where_its_block_stands(void **state)
{
	struct pack_index x = { 0 };
	struct pack_write p;
	struct buf all = { 0 }, file = { 0 };
	struct stat st;

	(void)state;
	start(&p, &all);
	for (unsigned int i = 0; i < 30; i++)
		append(&p, i, &all);
	OK(pack_write_seal(&p, &failure));
	assert_int_equal(fstat(p.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	OK(io_read_file(dirfd_, p.tmp, 1u << 30, &file, &failure));
	OK(pack_index_parse(&x, file.data + all.len, file.len - all.len, all.len, &failure));
	assert_int_equal(x.count, 30);
	for (size_t i = 0; i < x.count; i++) {
		const struct pack_block_row *b = &x.blocks[x.rows[i].block];
		struct pack_block_info info;

		OK(pack_block_parse(file.data + b->off, &info, &failure));
		OK(pack_block_check(file.data + b->off, b->length, &info, NULL, &failure));
		assert_int_equal(info.plain, x.rows[i].len);
		assert_true(i == 0 || id_cmp(&x.rows[i - 1].id, &x.rows[i].id) < 0);
	}
	pack_index_release(&x);
	pack_write_release(&p);
	buf_release(&all);
	buf_release(&file);
}

static void a_failed_write_or_sync_is_final_for_that_pack(void **state)
{
	static const char *const faults[] = { "pack.sync:1:EIO", "pack.write:1:EIO" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct pack_write p;
		struct pack_block b;
		struct buf all = { 0 };
		uint64_t off;

		start(&p, &all);
		append(&p, 1, &all);
		OK(fault_load(faults[i]));
		assert_int_equal(pack_write_seal(&p, NULL), STORE_EIO);
		OK(fault_load(""));
		assert_int_equal(pack_write_seal(&p, NULL), STORE_EIO);
		pack_block_init(&b, PACK_CONTENT);
		assert_int_equal(pack_write_append(&p, &b, NULL, &off, NULL), STORE_EIO);
		assert_false(p.sealed);
		pack_write_release(&p);
		buf_release(&all);
	}
}

static void an_abandoned_pack_leaves_no_file(void **state)
{
	struct pack_write p;
	struct buf all = { 0 };

	(void)state;
	start(&p, &all);
	append(&p, 1, &all);
	assert_int_equal(count_files(), 1);
	pack_write_release(&p);
	assert_int_equal(count_files(), 0);
	buf_release(&all);
}

/*
 * Append one block of one byte; 0, or why not. With room for nothing but itself it is accepted, so
 * its length is asked for first.
 */
static int append_small(struct pack_write *p, size_t *wire_len)
{
	struct pack_block b;
	struct buf wire = { 0 };
	struct oid id;
	uint64_t off;
	int rc;

	hash_once(hash, "x", 1, &id);
	pack_block_init(&b, PACK_CONTENT);
	OK(pack_block_add(&b, &id, KIND_CHUNK, "x", 1, &failure));
	OK(pack_block_encode(&b, codec, NULL, 0, &wire, &failure));
	*wire_len = b.wire_len;
	rc = p ? pack_write_append(p, &b, wire.data, &off, &failure) : 0;
	pack_block_release(&b);
	buf_release(&wire);
	return rc;
}

/* Half of LIMIT_PACK is for blocks: the footer of so many objects is far below the other half. */
static void a_pack_takes_the_last_block_below_its_limits_and_none_over_them(void **state)
{
	struct pack_write p;
	struct buf all = { 0 };
	size_t len;

	(void)state;
	OK(append_small(NULL, &len));
	start(&p, &all);
	/* As if all before the buffer had been written. */
	p.flushed = LIMIT_PACK / 2 - p.buffered - len;
	OK(append_small(&p, &len));
	assert_int_equal(pack_write_size(&p), LIMIT_PACK / 2);
	assert_int_equal(append_small(&p, &len), STORE_EINVAL);
	assert_non_null(strstr(failure.msg, "would grow over its limit"));
	assert_int_equal(pack_write_size(&p), LIMIT_PACK / 2);
	assert_int_equal(p.index.count, 1);
	p.flushed = 0;
	p.index.count = LIMIT_PACK_OBJECTS - 1;
	OK(append_small(&p, &len));
	assert_int_equal(append_small(&p, &len), STORE_EINVAL);
	assert_int_equal(p.index.count, LIMIT_PACK_OBJECTS);
	assert_true(PACK_FOOTER_HEAD + PACK_FANOUT + PACK_TRAILER +
			(uint64_t)LIMIT_PACK_OBJECTS * (PACK_OBJECT_ROW + PACK_BLOCK_ROW) <
		LIMIT_PACK / 2);
	pack_write_release(&p);
	buf_release(&all);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_pack_written_around_the_cache_is_the_pack_written_through_it),
		T(a_pack_below_a_mebibyte_goes_through_the_cache),
		T(any_bytes_appended_are_read_back_at_any_time),
		T(the_footer_names_every_object_and_where_its_block_stands),
		T(a_failed_write_or_sync_is_final_for_that_pack),
		T(an_abandoned_pack_leaves_no_file),
		T(a_pack_takes_the_last_block_below_its_limits_and_none_over_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
