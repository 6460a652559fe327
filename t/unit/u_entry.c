/* Values of map leaves: one spelling each, and nothing that makes no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "data/hash.h"
#include "data/limits.h"
#include "graph/entry.h"
#include "graph/map.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct oid some_id = { { 1, 2, 3 } };

static struct entry make_file(uint8_t kind, uint8_t height, uint64_t size)
{
	struct entry e = { .kind = kind,
		.height = height,
		.id = some_id,
		.totals = { size, 1, 0 } };

	if (size == 0)
		e.id = hash_empty_file;
	return e;
}

static struct entry make_dir(uint8_t height, uint64_t size, uint64_t files, uint64_t dirs)
{
	struct entry e = { .kind = ENTRY_DIR,
		.height = height,
		.id = some_id,
		.totals = { size, files, dirs } };

	return e;
}

/* Encode, decode, and every cut of the bytes. */
static void check_entry(const struct entry *e)
{
	struct buf out = { 0 };
	struct entry back;
	struct span s;

	assert_int_equal(entry_encode(&out, e), 0);
	s = span_of(out.data, out.len);
	assert_int_equal(entry_decode(&s, &back), 0);
	assert_int_equal(span_left(&s), 0);
	assert_true(entry_eq(e, &back));
	assert_int_equal(back.totals.files, e->totals.files);
	assert_int_equal(back.totals.dirs, e->totals.dirs);
	for (size_t cut = 0; cut < out.len; cut++) {
		s = span_of(out.data, cut);
		assert_int_equal(entry_decode(&s, &back), STORE_ECORRUPT);
	}
	buf_release(&out);
}

static void refuse_entry(const struct entry *e)
{
	struct buf out = { 0 };
	struct entry back;
	struct span s;

	assert_int_equal(entry_encode(&out, e), STORE_EINVAL);
	assert_int_equal(out.len, 0);
	/* The same bytes by hand. */
	buf_add_u8(&out, e->kind);
	buf_add_u8(&out, e->height);
	buf_add(&out, e->id.b, ID_LEN);
	buf_add_leb(&out, e->totals.size);
	if (e->kind == ENTRY_DIR) {
		buf_add_leb(&out, e->totals.files);
		buf_add_leb(&out, e->totals.dirs);
	}
	s = span_of(out.data, out.len);
	assert_int_equal(entry_decode(&s, &back), STORE_ECORRUPT);
	buf_release(&out);
}

static void test_entry__goes_in_and_out(void **state)
{
	const struct map_ref empty = map_empty(MAP_DIRECTORY);
	const struct entry cases[] = {
		make_file(ENTRY_FILE, 0, 1),
		make_file(ENTRY_FILE, 0, 0),
		make_file(ENTRY_EXEC, 3, UINT64_MAX),
		make_file(ENTRY_FILE, LIMIT_LEVEL, 1),
		make_file(ENTRY_FILE, 0, LIMIT_OBJECT),
		make_file(ENTRY_LINK, 0, 20),
		make_dir(0, 0, 1, 0),
		make_dir(0, 0, 0, 1),
		make_dir(LIMIT_LEVEL - 1, UINT64_MAX, UINT64_MAX, UINT64_MAX - 1),
		{ .kind = ENTRY_DIR, .id = empty.id },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_entry(&cases[i]);
}

static void test_entry__bytes_are_those_of_the_format(void **state)
{
	const struct entry dir = make_dir(2, 300, 5, 1), file = make_file(ENTRY_EXEC, 1, 128);
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(entry_encode(&out, &dir), 0);
	assert_int_equal(out.len, 38);
	assert_memory_equal(out.data, "\3\2\1\2\3\0", 6);
	assert_memory_equal(out.data + 34, "\xac\2\5\1", 4);
	buf_clear(&out);
	assert_int_equal(entry_encode(&out, &file), 0);
	assert_int_equal(out.len, 36);
	assert_memory_equal(out.data + 34, "\x80\1", 2);
	buf_release(&out);
}

static void test_entry__other_spellings_of_nothing_are_refused(void **state)
{
	const struct map_ref empty = map_empty(MAP_DIRECTORY);
	const struct entry cases[] = {
		{ .kind = ENTRY_NONE, .id = some_id, .totals = { 1, 1, 0 } },
		{ .kind = 5, .id = some_id, .totals = { 1, 1, 0 } },
		{ .kind = ENTRY_FILE, .id = some_id, .totals = { 0, 1, 0 } },
		{ .kind = ENTRY_FILE, .id = hash_empty_file, .totals = { 1, 1, 0 } },
		{ .kind = ENTRY_FILE, .height = 1, .id = hash_empty_file, .totals = { 0, 1, 0 } },
		{ .kind = ENTRY_LINK, .id = some_id, .totals = { 0, 1, 0 } },
		make_file(ENTRY_LINK, 1, 10),
		make_file(ENTRY_FILE, LIMIT_LEVEL + 1, 10),
		make_file(ENTRY_FILE, 0, LIMIT_OBJECT + 1),
		make_dir(0, 0, 0, 0),
		make_dir(0, 9, 0, 0),
		make_dir(0, 0, 1, UINT64_MAX),
		make_dir(LIMIT_LEVEL, 1, 1, 0),
		{ .kind = ENTRY_DIR, .id = empty.id, .totals = { 0, 1, 0 } },
		{ .kind = ENTRY_DIR, .id = empty.id, .totals = { 1, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		refuse_entry(&cases[i]);
}

static void test_entry__totals_count_a_directory_for_its_parent(void **state)
{
	const struct entry file = make_file(ENTRY_FILE, 0, 7), dir = make_dir(0, 10, 3, 2);
	struct totals sum = { 0, 0, 0 }, one = entry_totals(&file), two = entry_totals(&dir);
	const struct totals huge = { UINT64_MAX, 0, 0 }, before = { 17, 4, 3 };

	(void)state;
	assert_int_equal(totals_add(&sum, &one), 0);
	assert_int_equal(totals_add(&sum, &two), 0);
	assert_memory_equal(&sum, &before, sizeof(sum));
	/* An overflow is refused and changes nothing. */
	assert_int_equal(totals_add(&sum, &huge), STORE_ECORRUPT);
	assert_memory_equal(&sum, &before, sizeof(sum));
}

static void test_entry__equality_looks_at_every_field(void **state)
{
	const struct entry file = make_file(ENTRY_FILE, 0, 7), dir = make_dir(0, 10, 3, 2);
	struct entry other;

	(void)state;
	assert_true(entry_eq(&file, &file));
	other = file, other.kind = ENTRY_EXEC;
	assert_false(entry_eq(&file, &other));
	other = file, other.height = 1;
	assert_false(entry_eq(&file, &other));
	other = file, other.id.b[31] ^= 1;
	assert_false(entry_eq(&file, &other));
	other = file, other.totals.size++;
	assert_false(entry_eq(&file, &other));
	other = dir, other.totals.files++;
	assert_false(entry_eq(&dir, &other));
	other = dir, other.totals.dirs++;
	assert_false(entry_eq(&dir, &other));
}

/*
 * The man page's paragraph "Changes", for every pair of kinds, with equal and with other content.
 */
static void test_change__between_is_the_table_of_the_format(void **state)
{
	static const uint8_t same[5][5] = {
		/* new: none file exec dir link */
		{ 0, 1, 1, 1, 1 }, /* old: none */
		{ 3, 0, 5, 4, 4 }, /* file */
		{ 3, 5, 0, 4, 4 }, /* exec */
		{ 3, 4, 4, 0, 4 }, /* dir */
		{ 3, 4, 4, 4, 0 }, /* link */
	};
	static const uint8_t other[5][5] = {
		{ 0, 1, 1, 1, 1 },
		{ 3, 2, 2, 4, 4 },
		{ 3, 2, 2, 4, 4 },
		{ 3, 4, 4, 0, 4 },
		{ 3, 4, 4, 4, 2 },
	};

	(void)state;
	for (uint8_t a = 0; a < 5; a++) {
		for (uint8_t b = 0; b < 5; b++) {
			struct entry x = { .kind = a, .id = some_id, .totals = { 5, 1, 0 } }, y = x;
			struct change c = { same[a][b], a, b }, back;
			struct buf out = { 0 };
			struct span s;

			y.kind = b;
			assert_int_equal(change_between(&x, &y), same[a][b]);
			y.height = 1;
			assert_int_equal(change_between(&x, &y), other[a][b]);
			y.height = 0;
			y.id.b[9] = 9;
			assert_int_equal(change_between(&x, &y), other[a][b]);
			/* Of all numbers a change may have here, exactly these two are taken. */
			for (c.change = 0; c.change < 8; c.change++) {
				const bool ok = c.change != 0 &&
					(c.change == same[a][b] || c.change == other[a][b]);
				const uint8_t bytes[3] = { c.change, a, b };

				buf_clear(&out);
				assert_int_equal(change_encode(&out, &c), ok ? 0 : STORE_EINVAL);
				s = span_of(bytes, 3);
				assert_int_equal(change_decode(&s, &back), ok ? 0 : STORE_ECORRUPT);
				if (ok)
					assert_memory_equal(out.data, bytes, 3);
			}
			buf_release(&out);
		}
	}
}

static void test_change__truncated_or_unknown_is_refused(void **state)
{
	struct change c;
	struct span s;

	(void)state;
	for (size_t cut = 0; cut < 3; cut++) {
		s = span_of("\1\0\1", cut);
		assert_int_equal(change_decode(&s, &c), STORE_ECORRUPT);
	}
	s = span_of("\1\0\5", 3);
	assert_int_equal(change_decode(&s, &c), STORE_ECORRUPT);
}

static struct meta make_meta(uint8_t flags, int64_t sec)
{
	struct meta m = { .flags = flags };

	if (flags & META_ATTRS) {
		m.mode = 07755;
		m.mtime_sec = sec;
		m.mtime_nsec = 999999999;
	}
	if (flags & META_OWNER) {
		m.uid = UINT32_MAX;
		m.gid = 1000;
	}
	if (flags & META_XATTRS)
		m.xattrs = (struct file_ref){ some_id, 0, LIMIT_XATTRS };
	if (flags & META_CHILD)
		m.child = (struct map_ref){ some_id, 3 };
	return m;
}

static void test_meta__goes_in_and_out(void **state)
{
	static const uint8_t flags[] = { 1, 3, 5, 7, 8, 9, 11, 13, 15 };
	static const int64_t times[] = { 0, -1, 1, -2, 1700000000, INT64_MIN, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT(flags); i++) {
		for (size_t k = 0; k < COUNT(times); k++) {
			const struct meta m = make_meta(flags[i], times[k]);
			struct buf out = { 0 };
			struct meta back;
			struct span s;

			assert_int_equal(meta_encode(&out, &m), 0);
			s = span_of(out.data, out.len);
			assert_int_equal(meta_decode(&s, &back), 0);
			assert_int_equal(span_left(&s), 0);
			assert_int_equal(back.flags, m.flags);
			assert_int_equal(back.mode, m.mode);
			assert_true(
				back.mtime_sec == m.mtime_sec && back.mtime_nsec == m.mtime_nsec);
			assert_true(back.uid == m.uid && back.gid == m.gid);
			assert_memory_equal(back.xattrs.id.b, m.xattrs.id.b, ID_LEN);
			assert_true(back.xattrs.height == m.xattrs.height &&
				back.xattrs.size == m.xattrs.size);
			assert_memory_equal(back.child.id.b, m.child.id.b, ID_LEN);
			assert_int_equal(back.child.height, m.child.height);
			for (size_t cut = 0; cut < out.len; cut++) {
				s = span_of(out.data, cut);
				assert_int_equal(meta_decode(&s, &back), STORE_ECORRUPT);
			}
			buf_release(&out);
		}
	}
}

static void test_meta__times_are_zigzag(void **state)
{
	static const struct {
		int64_t sec;
		const char *bytes;
		size_t len;
	} cases[] = {
		{ 0, "\0", 1 },
		{ -1, "\1", 1 },
		{ 1, "\2", 1 },
		{ -2, "\3", 1 },
		{ 64, "\x80\1", 2 },
		{ INT64_MIN, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct meta m = { .flags = META_ATTRS, .mode = 1, .mtime_sec = cases[i].sec };
		struct buf out = { 0 };

		assert_int_equal(meta_encode(&out, &m), 0);
		assert_int_equal(out.len, 2 + cases[i].len + 1);
		assert_memory_equal(out.data + 2, cases[i].bytes, cases[i].len);
		buf_release(&out);
	}
}

static void test_meta__what_says_nothing_or_too_much_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\0", 1 },                              /* nothing */
		{ "\x10", 1 },                            /* unknown flag */
		{ "\2\1\1", 3 },                          /* owner without attributes */
		{ "\1\x80\x20\0\0", 5 },                  /* mode of 13 bits */
		{ "\1\1\0\x80\x94\xeb\xdc\3", 8 },        /* 10^9 nanoseconds */
		{ "\3\1\0\0\x80\x80\x80\x80\x10\0", 10 }, /* uid of 33 bits */
		{ "\1\x81\0\0\0", 5 },                    /* longer form of 1 */
	};
	struct meta m, back;
	struct buf out = { 0 };
	const struct map_ref empty = map_empty(MAP_META);
	uint8_t child[34] = { META_CHILD };
	struct span s;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		s = span_of(cases[i].bytes, cases[i].len);
		assert_int_equal(meta_decode(&s, &back), STORE_ECORRUPT);
	}
	child[33] = 1;
	s = span_of(child, sizeof(child));
	assert_int_equal(meta_decode(&s, &back), 0);
	memcpy(child + 1, empty.id.b, ID_LEN);
	child[33] = 0;
	s = span_of(child, sizeof(child));
	assert_int_equal(meta_decode(&s, &back), STORE_ECORRUPT);
	m = make_meta(META_ATTRS | META_CHILD, 0);
	m.child = empty;
	assert_int_equal(meta_encode(&out, &m), STORE_EINVAL);
	child[1]++;
	child[33] = LIMIT_LEVEL;
	s = span_of(child, sizeof(child));
	assert_int_equal(meta_decode(&s, &back), STORE_ECORRUPT);
	m = make_meta(META_ATTRS, 0);
	m.mode = 010000;
	assert_int_equal(meta_encode(&out, &m), STORE_EINVAL);
	m = make_meta(META_ATTRS, 0);
	m.mtime_nsec = 1000000000;
	assert_int_equal(meta_encode(&out, &m), STORE_EINVAL);
	m = make_meta(META_XATTRS, 0);
	assert_int_equal(meta_encode(&out, &m), STORE_EINVAL);
	m.flags = 0;
	assert_int_equal(meta_encode(&out, &m), STORE_EINVAL);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* Encode m with other bytes in place of its last n; is that refused by the reader? */
static bool is_refused(struct meta m, const char *tail, size_t n)
{
	struct buf out = { 0 };
	struct meta back;
	struct span s;
	bool refused;

	assert_int_equal(meta_encode(&out, &m), 0);
	memcpy(out.data + out.len - n, tail, n);
	s = span_of(out.data, out.len);
	refused = meta_decode(&s, &back) == STORE_ECORRUPT;
	buf_release(&out);
	return refused;
}

static void test_meta__a_list_of_xattrs_is_one_chunk_of_a_bounded_size(void **state)
{
	static const struct file_ref bad[] = {
		{ { { 1 } }, 1, 100 },
		{ { { 1 } }, 0, 0 },
		{ { { 1 } }, 0, LIMIT_XATTRS + 1 },
		{ { { 1 } }, 0, UINT64_MAX },
	};
	struct meta m = make_meta(META_ATTRS | META_OWNER | META_XATTRS, 0);
	struct buf out = { 0 };

	(void)state;
	/* Height and size are the last bytes: 0, then 2^20 as LEB. */
	assert_false(is_refused(m, "\0\x80\x80\x40", 4));
	assert_true(is_refused(m, "\1\x80\x80\x40", 4));
	assert_true(is_refused(m, "\0\x81\x80\x40", 4));
	m.xattrs.size = 1;
	assert_false(is_refused(m, "\0\1", 2));
	assert_true(is_refused(m, "\0\0", 2));
	for (size_t i = 0; i < COUNT(bad); i++) {
		m.xattrs = bad[i];
		assert_int_equal(meta_encode(&out, &m), STORE_EINVAL);
	}
	m.xattrs = (struct file_ref){ hash_empty_file, 0, 1 };
	assert_int_equal(meta_encode(&out, &m), STORE_EINVAL);
	buf_release(&out);
}

static void test_meta__the_longest_value_is_META_MAX_bytes(void **state)
{
	struct meta m = make_meta(META_ATTRS | META_OWNER | META_XATTRS, INT64_MIN);
	struct buf out = { 0 };

	(void)state;
	m.gid = UINT32_MAX;
	assert_int_equal(meta_encode(&out, &m), 0);
	assert_int_equal(out.len, META_MAX);
	buf_release(&out);
}

static void test_meta__times_are_no_change_and_what_one_side_lacks_is_none(void **state)
{
	const struct meta full = make_meta(META_ATTRS | META_OWNER | META_XATTRS, 7);
	struct meta m = full;

	(void)state;
	m.mtime_sec = 8;
	m.mtime_nsec = 1;
	m.flags |= META_CHILD;
	assert_true(meta_same(&full, &m) && meta_same(&m, &full));
	m = full;
	m.mode ^= 1;
	assert_false(meta_same(&full, &m));
	m.flags &= (uint8_t)~META_OWNER;
	assert_false(meta_same(&full, &m));
	m.flags = META_CHILD;
	assert_true(meta_same(&full, &m) && meta_same(&m, &full));
	m = full;
	m.uid--;
	assert_false(meta_same(&full, &m));
	m.flags = META_ATTRS;
	assert_true(meta_same(&full, &m) && meta_same(&m, &full));
	m = full;
	m.gid++;
	assert_false(meta_same(&full, &m));
	m = full;
	m.flags &= (uint8_t)~META_XATTRS;
	assert_false(meta_same(&full, &m));
	assert_false(meta_same(&m, &full));
	m = full;
	m.xattrs.id.b[31] ^= 1;
	assert_false(meta_same(&full, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry__goes_in_and_out),
		cmocka_unit_test(test_entry__bytes_are_those_of_the_format),
		cmocka_unit_test(test_entry__other_spellings_of_nothing_are_refused),
		cmocka_unit_test(test_entry__totals_count_a_directory_for_its_parent),
		cmocka_unit_test(test_entry__equality_looks_at_every_field),
		cmocka_unit_test(test_change__between_is_the_table_of_the_format),
		cmocka_unit_test(test_change__truncated_or_unknown_is_refused),
		cmocka_unit_test(test_meta__goes_in_and_out),
		cmocka_unit_test(test_meta__times_are_zigzag),
		cmocka_unit_test(test_meta__what_says_nothing_or_too_much_is_refused),
		cmocka_unit_test(test_meta__a_list_of_xattrs_is_one_chunk_of_a_bounded_size),
		cmocka_unit_test(test_meta__the_longest_value_is_META_MAX_bytes),
		cmocka_unit_test(test_meta__times_are_no_change_and_what_one_side_lacks_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
