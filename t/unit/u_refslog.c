/* refs.log: records both ways, void records, torn tails, damage in the middle, many windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/io.h"
#include "data/refslog.h"
#include "texts.h"

#define WHO "A U Thor <a@b.c>"

static struct hash *hash;

/* Append body and the end line that belongs to it, made here anew from the man page. */
static void add_body(struct buf *out, const char *body)
{
	struct oid id;
	char hex[ID_HEX + 1];

	hash_once(hash, body, strlen(body), &id);
	buf_addf(out, "%send %.16s\n", body, id_hex(hex, &id));
}

static void add_number(struct buf *out, uint64_t number)
{
	char body[200];

	snprintf(body, sizeof(body),
		"record %llu 5 +0000 " WHO "\nref refs/heads/main - " HEX_A "\n",
		(unsigned long long)number);
	add_body(out, body);
}

/* A file in memory with these bytes. */
static int file_of(const void *data, size_t len)
{
	const int fd = memfd_create("refs.log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(io_pwrite_full(fd, data, len, 0), 0);
	return fd;
}

static struct refslog_reader *open_good(const struct buf *log, int *fd)
{
	struct refslog_reader *r;
	struct store_error err = { 0 };

	*fd = file_of(log->data, log->len);
	if (refslog_open(&r, *fd, &err) != 0)
		fail_msg("%s", err.msg);
	return r;
}

/* Read everything; 0 or the error. */
static int decode(const void *data, size_t len, struct store_error *err)
{
	const int fd = file_of(data, len);
	struct refslog_record record;
	struct refslog_reader *r;
	int rc = refslog_open(&r, fd, err);

	if (rc == 0) {
		while ((rc = refslog_next(r, &record, err)) == 0)
			assert_true(record.end > record.off && record.end <= len);
		if (rc == STORE_ENOTFOUND)
			rc = 0;
		refslog_close(r);
	} else {
		assert_null(r);
	}
	close(fd);
	return rc;
}

static int decode_body(const void *data, size_t len, struct store_error *err)
{
	struct buf log = { 0 };
	struct buf body = { 0 };
	int rc;

	buf_add_str(&log, REFSLOG_HEAD);
	buf_add(&body, data, len);
	add_body(&log, buf_str(&body));
	rc = decode(log.data, log.len, err);
	buf_release(&log);
	buf_release(&body);
	return rc;
}

static void test_refslog__a_record_is_the_text_of_the_man_page(void **state)
{
	const struct refslog_change changes[] = {
		{ text_slice_of("HEAD"), text_slice_of("-"), text_slice_of("ref:refs/heads/main") },
		{ text_slice_of("refs/heads/main"), text_slice_of(HEX_A), text_slice_of(HEX_B) },
	};
	const struct refslog_record record = { .number = 7,
		.who = { text_slice_of("A U Thor"), text_slice_of("a@b.c"), -9, -90 },
		.changes = changes,
		.change_count = 2,
		.why = text_slice_of("commit: two\nlines\033") };
	struct buf got = { 0 };
	struct buf want = { 0 };

	(void)state;
	assert_int_equal(refslog_encode(&got, &record, hash, NULL), 0);
	add_body(&want,
		"record 7 -9 -0130 " WHO
		"\nref HEAD - ref:refs/heads/main\nref refs/heads/main " HEX_A " " HEX_B
		"\nwhy commit: two lines \n");
	assert_string_equal(buf_str(&got), buf_str(&want));
	assert_int_equal(refslog_encode_void(&got, 8, hash, NULL), 0);
	add_body(&want, "void 8\n");
	assert_string_equal(buf_str(&got), buf_str(&want));
	buf_release(&got);
	buf_release(&want);
}

static void test_refslog__what_was_encoded_is_read_again(void **state)
{
	const struct refslog_change changes[] = {
		{ text_slice_of("HEAD"), text_slice_of("-"), text_slice_of("ref:refs/heads/main") },
		{ text_slice_of("refs/heads/main"), text_slice_of(HEX_A), text_slice_of("-") },
	};
	const struct refslog_record record = { .number = UINT64_MAX,
		.who = { text_slice_of(""), text_slice_of(""), INT64_MIN, 5999 },
		.changes = changes,
		.change_count = 2 };
	struct buf log = { 0 };
	struct refslog_reader *r;
	struct refslog_record got;
	int fd;

	(void)state;
	buf_add_str(&log, REFSLOG_HEAD);
	assert_int_equal(refslog_encode(&log, &record, hash, NULL), 0);
	r = open_good(&log, &fd);
	assert_int_equal(refslog_next(r, &got, NULL), 0);
	assert_true(got.type == REFSLOG_RECORD && got.number == UINT64_MAX);
	assert_true(got.is_last && !got.is_void && got.why.len == 0);
	assert_true(got.off == strlen(REFSLOG_HEAD) && got.end == log.len);
	assert_true(got.who.name.len == 0 && got.who.seconds == INT64_MIN && got.who.zone == 5999);
	assert_int_equal(got.change_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(text_slice_eq(got.changes[i].name, changes[i].name));
		assert_true(text_slice_eq(got.changes[i].old_value, changes[i].old_value));
		assert_true(text_slice_eq(got.changes[i].new_value, changes[i].new_value));
	}
	assert_int_equal(refslog_next(r, &got, NULL), STORE_ENOTFOUND);
	refslog_close(r);
	close(fd);
	buf_release(&log);
}

static void test_refslog__values_are_absent_an_id_or_a_ref(void **state)
{
	static const char too_long[] = HEX_A " ";
	const char *const bad[] = { "", "--", "ref:", "ref:a..b", "aaaa", "ref", too_long };
	struct refslog_value v;

	(void)state;
	assert_int_equal(refslog_value_parse(&v, text_slice_of("-"), NULL), 0);
	assert_int_equal(v.type, REFSLOG_VALUE_ABSENT);
	assert_int_equal(refslog_value_parse(&v, text_slice_of(HEX_B), NULL), 0);
	assert_true(v.type == REFSLOG_VALUE_ID && v.id.b[31] == 0xbb);
	assert_int_equal(refslog_value_parse(&v, text_slice_of("ref:refs/heads/x"), NULL), 0);
	assert_int_equal(v.type, REFSLOG_VALUE_REF);
	assert_true(text_slice_eq(v.ref, text_slice_of("refs/heads/x")));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(refslog_value_parse(&v, text_slice_of(bad[i]), NULL),
			STORE_EINVAL);
}

static void test_refslog__the_writer_refuses_what_no_reader_would_take(void **state)
{
	struct refslog_change c[2] = {
		{ text_slice_of("HEAD"), text_slice_of("-"), text_slice_of(HEX_A) },
		{ text_slice_of("HEAD"), text_slice_of("-"), text_slice_of(HEX_A) },
	};
	struct refslog_record record = { .changes = c, .change_count = 2 };
	struct refslog_change *many = calloc(20000, sizeof(*many));
	char(*names)[16] = calloc(20000, sizeof(*names));
	struct buf b = { 0 };

	(void)state;
	buf_add_str(&b, "kept");
	assert_int_equal(refslog_encode(&b, &record, hash, NULL), STORE_EINVAL);
	record.change_count = 0;
	assert_int_equal(refslog_encode(&b, &record, hash, NULL), STORE_EINVAL);
	record.change_count = 1;
	record.who.name = text_slice_of("<");
	assert_int_equal(refslog_encode(&b, &record, hash, NULL), STORE_EINVAL);
	record.who.name.len = 0;
	c[0].new_value = text_slice_of("x");
	assert_int_equal(refslog_encode(&b, &record, hash, NULL), STORE_EINVAL);
	c[0].new_value = text_slice_of("-");
	c[0].name = text_slice_of("a b");
	assert_int_equal(refslog_encode(&b, &record, hash, NULL), STORE_EINVAL);
	for (size_t i = 0; i < 20000; i++) {
		snprintf(names[i], sizeof(names[i]), "r/%zu", i);
		many[i] = (struct refslog_change){ text_slice_of(names[i]), text_slice_of("-"),
			text_slice_of(HEX_A) };
	}
	record.changes = many;
	record.change_count = 20000;
	assert_int_equal(refslog_encode(&b, &record, hash, NULL), STORE_EINVAL);
	assert_string_equal(buf_str(&b), "kept");
	record.change_count = 10000;
	assert_int_equal(refslog_encode(&b, &record, hash, NULL), 0);
	buf_release(&b);
	free(many);
	free(names);
}

static void test_refslog__a_long_reason_is_cut_between_characters(void **state)
{
	const struct refslog_change change = { text_slice_of("HEAD"), text_slice_of("-"),
		text_slice_of(HEX_A) };
	struct refslog_record record = { .changes = &change, .change_count = 1 };
	struct buf why = { 0 };
	struct buf log = { 0 };
	const char *line;

	(void)state;
	buf_add_str(&why, "x");
	while (why.len < 6000)
		buf_add_str(&why, "\303\251");
	record.why = (struct text_slice){ (const char *)why.data, why.len };
	buf_add_str(&log, REFSLOG_HEAD);
	assert_int_equal(refslog_encode(&log, &record, hash, NULL), 0);
	assert_int_equal(decode(log.data, log.len, NULL), 0);
	line = strstr(buf_str(&log), "why ");
	/* 4 + 1 + 2 n bytes: 4096 would end in half a character. */
	assert_int_equal(strcspn(line, "\n"), 4095);
	buf_release(&why);
	buf_release(&log);
}

#define MAX_NUMBERS 12

/* Number i of the log is void iff dead[i] is '1'. */
static void expect_void(const uint64_t *numbers, size_t count, const char *dead)
{
	struct refslog_record record;
	struct refslog_reader *r;
	struct buf log = { 0 };
	int fd;

	buf_add_str(&log, REFSLOG_HEAD);
	for (size_t i = 0; i < count; i++)
		add_number(&log, numbers[i]);
	r = open_good(&log, &fd);
	assert_true(refslog_tail_of(r)->last_number == numbers[count - 1]);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(refslog_next(r, &record, NULL), 0);
		assert_true(record.number == numbers[i]);
		if (record.is_void != (dead[i] == '1'))
			fail_msg("record %zu of '%s' is %d", i, dead, record.is_void);
		assert_true(record.is_last == (i + 1 == count));
	}
	assert_int_equal(refslog_next(r, &record, NULL), STORE_ENOTFOUND);
	refslog_close(r);
	close(fd);
	buf_release(&log);
}

static void test_refslog__a_later_number_that_is_not_greater_makes_records_void(void **state)
{
	uint64_t seed = 12345;

	(void)state;
	expect_void((const uint64_t[]){ 1, 2, 3 }, 3, "000");
	expect_void((const uint64_t[]){ 1, 2, 2, 3 }, 4, "0100");
	expect_void((const uint64_t[]){ 5, 6, 5, 6 }, 4, "1100");
	expect_void((const uint64_t[]){ 9, 8, 7, 6 }, 4, "1110");
	expect_void((const uint64_t[]){ 1, 5, 9, 4, 8, 6, 7, 7 }, 8, "01101010");
	for (int round = 0; round < 300; round++) {
		uint64_t numbers[MAX_NUMBERS];
		char dead[MAX_NUMBERS];

		for (size_t i = 0; i < MAX_NUMBERS; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			numbers[i] = seed >> 60;
		}
		for (size_t i = 0; i < MAX_NUMBERS; i++) {
			dead[i] = '0';
			for (size_t k = i + 1; k < MAX_NUMBERS; k++) {
				if (numbers[k] <= numbers[i])
					dead[i] = '1';
			}
		}
		expect_void(numbers, MAX_NUMBERS, dead);
	}
}

static void test_refslog__a_void_line_undoes_the_record_of_its_number(void **state)
{
	struct refslog_record record;
	struct refslog_reader *r;
	struct buf log = { 0 };
	int fd;

	(void)state;
	buf_add_str(&log, REFSLOG_HEAD);
	add_number(&log, 1);
	add_number(&log, 2);
	assert_int_equal(refslog_encode_void(&log, 2, hash, NULL), 0);
	r = open_good(&log, &fd);
	assert_true(refslog_tail_of(r)->last_is_void && refslog_tail_of(r)->last_number == 2);
	assert_int_equal(refslog_next(r, &record, NULL), 0);
	assert_true(!record.is_void);
	assert_int_equal(refslog_next(r, &record, NULL), 0);
	assert_true(record.is_void && record.number == 2);
	assert_int_equal(refslog_next(r, &record, NULL), 0);
	assert_true(record.type == REFSLOG_VOID && record.number == 2 && record.change_count == 0);
	refslog_close(r);
	close(fd);
	buf_release(&log);
}

static void test_refslog__a_tail_torn_anywhere_is_found_and_told_where_to_cut(void **state)
{
	struct buf log = { 0 };
	size_t whole;

	(void)state;
	buf_add_str(&log, REFSLOG_HEAD);
	add_number(&log, 1);
	whole = log.len;
	add_number(&log, 2);
	for (size_t len = strlen(REFSLOG_HEAD); len < log.len; len++) {
		const size_t end = len < whole ? strlen(REFSLOG_HEAD) : whole;
		const struct buf part = { .data = log.data, .len = len };
		struct refslog_record record;
		struct refslog_reader *r;
		int fd;

		r = open_good(&part, &fd);
		assert_true(refslog_tail_of(r)->end == end && refslog_tail_of(r)->size == len);
		assert_true(refslog_tail_of(r)->has_record == (end == whole));
		assert_true(!refslog_tail_of(r)->last_is_void);
		if (end == whole) {
			assert_int_equal(refslog_next(r, &record, NULL), 0);
			assert_true(record.is_last && record.number == 1);
		}
		if (end < len) {
			assert_int_equal(refslog_next(r, &record, NULL), 0);
			assert_true(record.type == REFSLOG_TORN && record.off == end &&
				record.end == len);
		}
		assert_int_equal(refslog_next(r, &record, NULL), STORE_ENOTFOUND);
		refslog_close(r);
		close(fd);
	}
	buf_release(&log);
}

/* Whichever allocation fails: it is told as that, not as damage. */
static void test_refslog__memory_that_is_short_is_no_damage(void **state)
{
	struct buf log = { 0 };
	int n = 0, rc = STORE_ENOMEM;

	(void)state;
	buf_add_str(&log, REFSLOG_HEAD);
	add_body(&log,
		"record 1 5 +0000 " WHO "\nref HEAD - " HEX_A "\nref refs/heads/main - " HEX_A
		"\n");
	for (; rc == STORE_ENOMEM && n < 100; n++) {
		struct store_error err = { 0 };
		char plan[40];

		snprintf(plan, sizeof(plan), "malloc:%d:ENOMEM", n + 1);
		assert_int_equal(fault_load(plan), 0);
		rc = decode(log.data, log.len, &err);
		assert_int_equal(fault_load(""), 0);
		if (rc != 0 && (rc != STORE_ENOMEM || !strstr(err.msg, "out of memory")))
			fail_msg("allocation %d: %d, %s", n + 1, rc, err.msg);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 2);
	buf_release(&log);
}

static void test_refslog__a_changed_byte_is_torn_at_the_end_and_corrupt_before_it(void **state)
{
	struct buf log = { 0 };
	size_t head = strlen(REFSLOG_HEAD), first;

	(void)state;
	buf_add_str(&log, REFSLOG_HEAD);
	add_number(&log, 1);
	first = log.len;
	add_number(&log, 2);
	for (size_t i = head; i < log.len; i++) {
		const int fd = file_of(log.data, log.len);
		struct refslog_reader *r;
		struct store_error err = { 0 };
		uint8_t zero = 0;
		int rc;

		assert_int_equal(io_pwrite_full(fd, &zero, 1, i), 0);
		rc = refslog_open(&r, fd, &err);
		if (i < first) {
			assert_int_equal(rc, STORE_ECORRUPT);
			assert_non_null(strstr(err.msg, "'refs.log' is damaged at byte 13"));
		} else {
			assert_int_equal(rc, 0);
			assert_true(refslog_tail_of(r)->end == first);
		}
		refslog_close(r);
		close(fd);
	}
	buf_release(&log);
}

static void test_refslog__more_rubbish_than_a_record_is_no_torn_tail(void **state)
{
	struct buf log = { 0 };
	size_t whole;

	(void)state;
	buf_add_str(&log, REFSLOG_HEAD);
	add_number(&log, 1);
	whole = log.len;
	assert_int_equal(buf_reserve(&log, REFSLOG_RECORD_MAX + 1), 0);
	memset(log.data + log.len, 0, REFSLOG_RECORD_MAX + 1);
	log.len = whole + REFSLOG_RECORD_MAX;
	assert_int_equal(decode(log.data, log.len, NULL), 0);
	log.len++;
	expect_refusal(decode, log.data, log.len, STORE_ECORRUPT, "damaged at byte");
	buf_release(&log);
}

static void test_refslog__a_checked_record_with_wrong_lines_is_refused(void **state)
{
	static const char good[] = "record 7 -9 -0130 " WHO "\nref HEAD - ref:refs/heads/main\n"
				   "ref refs/heads/main " HEX_A " " HEX_B "\nwhy words\n";
	static const struct spoiled list[] = {
		{ "record 7", "record 07",
			"'refs.log' at byte 13: record, line 1: '07' is no number" },
		{ "-9", "-0", "line 1: the time is no number" },
		{ "-0130", "-0190", "line 1: '-0190' is no time zone" },
		{ WHO, "me", "line 1: 'me' is no name" },
		{ "ref HEAD - ", "ref HEAD ", "line 2: a value is missing" },
		{ "ref HEAD - ", "ref HEAD - - ", "line 2: ' ref:refs/heads/main' follows" },
		{ "ref HEAD - ", "ref a..b - ", "line 2: 'a..b' cannot be the name of a ref" },
		{ "ref HEAD - ", "ref refs/heads/main - ",
			"line 3: the ref 'refs/heads/main' stands twice" },
		{ "ref:refs/heads/main", "ref:..", "line 2: '..' cannot be the name of a ref" },
		{ HEX_A, "abc", "line 3: 'abc' is no value of a ref" },
		{ "why words\n", "why words\nwhy more\n", "line 5: 'why' stands twice" },
		{ "why words\n", "why words\nref a - -\n",
			"line 5: 'ref a - -' follows the last line" },
		{ "why words\n", "because words\n",
			"line 4: 'because words' follows the last line" },
		{ "ref HEAD - ref:refs/heads/main\nref refs/heads/main " HEX_A " " HEX_B "\n", "",
			"line 2: 'why words' stands where 'ref' is due" },
	};
	struct buf log = { 0 };

	(void)state;
	expect_refusals(decode_body, good, list, sizeof(list) / sizeof(list[0]), STORE_ECORRUPT);
	expect_refusal(decode_body, "void 5 6\n", 9, STORE_ECORRUPT, "line 1: ' 6' follows");
	expect_no_crash(decode_body, good, strlen(good), 0);
	buf_add_str(&log, REFSLOG_HEAD);
	add_body(&log, "void 5\nvoid 6\n");
	add_number(&log, 7);
	expect_refusal(decode, log.data, log.len, STORE_ECORRUPT, "damaged at byte 13");
	buf_release(&log);
}

static void test_refslog__the_first_line_decides_what_the_file_is(void **state)
{
	(void)state;
	assert_int_equal(decode(REFSLOG_HEAD, strlen(REFSLOG_HEAD), NULL), 0);
	expect_refusal(decode, "store refs 2\n", 13, STORE_EVERSION, "a newer store is needed");
	expect_refusal(decode, "", 0, STORE_ECORRUPT, "does not begin with 'store refs 1'");
	expect_refusal(decode, "store refs 1", 12, STORE_ECORRUPT, "does not begin");
	expect_refusal(decode, "store layer 1\n", 14, STORE_ECORRUPT, "does not begin");
}

static void test_refslog__a_file_of_many_windows_reads_the_same_to_its_end(void **state)
{
	struct buf log = { 0 };
	struct refslog_record record = { 0 };
	struct refslog_reader *r;
	uint64_t seen = 0, off = strlen(REFSLOG_HEAD);
	int fd;

	(void)state;
	buf_add_str(&log, REFSLOG_HEAD);
	while (log.len < (size_t)5 * REFSLOG_RECORD_MAX)
		add_number(&log, seen++);
	r = open_good(&log, &fd);
	for (uint64_t i = 0; i < seen; i++) {
		assert_int_equal(refslog_next(r, &record, NULL), 0);
		assert_true(record.number == i && record.off == off && !record.is_void);
		off = record.end;
	}
	assert_true(record.is_last && off == log.len);
	assert_int_equal(refslog_next(r, &record, NULL), STORE_ENOTFOUND);
	refslog_close(r);
	close(fd);
	buf_release(&log);
}

static void test_refslog__a_record_as_long_as_may_be_is_read_and_a_longer_one_refused(void **state)
{
	struct buf body = { 0 };
	struct buf log = { 0 };
	size_t lines = 0;
	char line[300];

	(void)state;
	buf_add_str(&body, "record 1 0 +0000  <>\n");
	/* The last line is longer, so that the record ends at the very limit. */
	while (body.len + 60 + 100 < REFSLOG_RECORD_MAX - 21)
		buf_addf(&body, "ref a/%049zu - -\n", lines++);
	snprintf(line, sizeof(line), "ref b/%0*d - -\n",
		(int)(REFSLOG_RECORD_MAX - 21 - body.len - strlen("ref b/ - -\n")), 0);
	buf_add_str(&body, line);
	assert_int_equal(body.len, REFSLOG_RECORD_MAX - 21);
	buf_add_str(&log, REFSLOG_HEAD);
	add_number(&log, 0);
	add_body(&log, buf_str(&body));
	add_number(&log, 2);
	assert_int_equal(decode(log.data, log.len, NULL), 0);
	buf_clear(&log);
	buf_add_str(&log, REFSLOG_HEAD);
	body.data[body.len - 1] = ' ';
	buf_add_str(&body, "\n");
	add_body(&log, buf_str(&body));
	expect_refusal(decode, log.data, log.len, STORE_ECORRUPT, "damaged at byte 13");
	buf_release(&body);
	buf_release(&log);
}

static void test_refslog__a_file_cut_under_the_reader_is_busy_not_corrupt(void **state)
{
	struct buf log = { 0 };
	struct refslog_record record;
	struct refslog_reader *r;
	int fd;

	(void)state;
	buf_add_str(&log, REFSLOG_HEAD);
	add_number(&log, 1);
	add_number(&log, 2);
	r = open_good(&log, &fd);
	assert_int_equal(ftruncate(fd, 20), 0);
	assert_int_equal(refslog_next(r, &record, NULL), STORE_EBUSY);
	refslog_close(r);
	close(fd);
	buf_release(&log);
}

static int set_up(void **state)
{
	(void)state;
	hash = hash_new();
	return hash ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	hash_free(hash);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refslog__memory_that_is_short_is_no_damage),
		cmocka_unit_test(test_refslog__a_record_is_the_text_of_the_man_page),
		cmocka_unit_test(test_refslog__what_was_encoded_is_read_again),
		cmocka_unit_test(test_refslog__values_are_absent_an_id_or_a_ref),
		cmocka_unit_test(test_refslog__the_writer_refuses_what_no_reader_would_take),
		cmocka_unit_test(test_refslog__a_long_reason_is_cut_between_characters),
		cmocka_unit_test(
			test_refslog__a_later_number_that_is_not_greater_makes_records_void),
		cmocka_unit_test(test_refslog__a_void_line_undoes_the_record_of_its_number),
		cmocka_unit_test(test_refslog__a_tail_torn_anywhere_is_found_and_told_where_to_cut),
		cmocka_unit_test(
			test_refslog__a_changed_byte_is_torn_at_the_end_and_corrupt_before_it),
		cmocka_unit_test(test_refslog__more_rubbish_than_a_record_is_no_torn_tail),
		cmocka_unit_test(test_refslog__a_checked_record_with_wrong_lines_is_refused),
		cmocka_unit_test(test_refslog__the_first_line_decides_what_the_file_is),
		cmocka_unit_test(test_refslog__a_file_of_many_windows_reads_the_same_to_its_end),
		cmocka_unit_test(
			test_refslog__a_record_as_long_as_may_be_is_read_and_a_longer_one_refused),
		cmocka_unit_test(test_refslog__a_file_cut_under_the_reader_is_busy_not_corrupt),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
