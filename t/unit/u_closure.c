/*
 * What keeps the repository closed: the check before each publication that STORE_CHECK_CLOSURE asks
 * for, and claims, by which an object is brought by an item that is published no later than what
 * names it.  u_fsck looks at what the check calls missing; here a publication is seen to obey it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/hash.h"
#include "graph/stage.h"
#include "odb/odb.h"
#include "repo_fixture.h"

static int make_checked(void **state)
{
	const int rc = fixture_make(state);

	setenv("STORE_CHECK_CLOSURE", "1", 1);
	return rc;
}

static int remove_checked(void **state)
{
	unsetenv("STORE_CHECK_CLOSURE");
	return fixture_remove(state);
}

static struct oid id_of(unsigned char byte)
{
	struct oid id;

	memset(id.b, byte, ID_LEN);
	return id;
}

/* A writer with a directory that names a file nobody has; *top is the directory. */
static struct odb_writer *orphaned(struct entry *top)
{
	struct odb_writer *w = fixture_writer();
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry file = { .kind = ENTRY_FILE, .id = id_of(0xab), .totals = { 5, 1, 0 } };

	fixture_dir_set(&d, "lost", &file);
	*top = fixture_dir_end(&d);
	return w;
}

static bool is_known(const struct oid *id)
{
	struct odb_reader *r = odb_reader_new(repo->odb);
	struct odb_loc loc;
	const int rc = odb_find(r, id, &loc, &failure);

	odb_reader_free(r);
	assert_true(rc == 0 || rc == STORE_ENOTFOUND);
	return rc == 0;
}

static void test_publication__with_a_missing_child_is_refused_and_leaves_nothing(void **state)
{
	struct entry top;
	struct odb_writer *w = orphaned(&top);
	const struct publication p = { .writer = w };

	(void)state;
	assert_int_equal(publish(repo->odb, &p, NULL, &failure), STORE_ECORRUPT);
	assert_non_null(strstr(failure.msg, "closure: object abababababab"));
	writer_free(w);
	assert_false(is_known(&top.id));
}

/*
 * The same goes through where nobody asks: so it is the check that refuses, and not something
 * before it.
 */
static void test_publication__is_looked_at_only_when_asked(void **state)
{
	struct entry top;
	struct odb_writer *w = orphaned(&top);
	const struct publication p = { .writer = w };

	(void)state;
	unsetenv("STORE_CHECK_CLOSURE");
	OK(publish(repo->odb, &p, NULL, &failure));
	writer_free(w);
	assert_true(is_known(&top.id));
}

/* A long stage record goes to the pack in parts, and none of them unseen. */
static void test_publication__is_refused_for_each_part_of_a_long_stage_record(void **state)
{
	const struct stage_row lost = { .kind = ENTRY_FILE, .ref = { id_of(0xab), 0, 5 } };
	const struct stage_row empty = { .kind = ENTRY_FILE, .ref = { hash_empty_file, 0, 0 } };
	char path[4000];

	(void)state;
	memset(path, 'x', sizeof(path));
	for (size_t i = 0; i < sizeof(path); i += 200)
		path[i + 100] = '/';
	for (int at = 0; at < 900; at += 450) {
		struct stage_batch *b = stage_batch_new();
		struct odb_writer *w = fixture_writer();
		const struct publication p = { .writer = w };
		int rc = 0;

		for (int i = 0; i < 900; i++) {
			snprintf(path, 5, "%04d", i);
			path[4] = 'x';
			OK(stage_batch_set(b, path, sizeof(path), i == at ? &lost : &empty,
				&failure));
		}
		rc = stage_batch_record(b, w, &failure);
		if (rc == 0)
			rc = publish(repo->odb, &p, NULL, &failure);
		assert_int_equal(rc, STORE_ECORRUPT);
		assert_non_null(strstr(failure.msg, "closure: object abababababab"));
		writer_free(w);
		stage_batch_free(b);
	}
}

static void test_publication__finds_children_in_the_pack_and_in_the_repository(void **state)
{
	struct oid first = fixture_simple(NULL, 0, NULL, 0, 100, "one");
	const struct oid second = fixture_simple(NULL, 1, &first, 1, 200, "one");

	(void)state;
	assert_true(is_known(&first));
	assert_true(is_known(&second));
}

/* ---- claims: items are published in the order of their numbers, whatever order workers come in */

static int claim(struct odb_writer *w, unsigned char object, uint64_t seq)
{
	struct odb_reader *r = odb_reader_new(repo->odb);
	const struct oid id = id_of(object);
	const int rc = writer_claim(w, r, &id, seq, &failure);

	odb_reader_free(r);
	return rc;
}

static void test_claim__the_first_brings_and_later_items_need_not(void **state)
{
	struct odb_writer *w = fixture_writer();

	(void)state;
	assert_int_equal(claim(w, 1, 7), 0);
	assert_int_equal(claim(w, 1, 7), 1);
	assert_int_equal(claim(w, 1, 8), 1);
	assert_int_equal(claim(w, 2, 8), 0);
	writer_free(w);
}

static void test_claim__an_earlier_item_brings_what_a_later_one_has_claimed(void **state)
{
	struct odb_writer *w = fixture_writer();

	(void)state;
	assert_int_equal(claim(w, 1, 7), 0);
	assert_int_equal(claim(w, 1, 3), 0);
	assert_int_equal(claim(w, 1, 5), 1);
	assert_int_equal(claim(w, 1, 2), 0);
	assert_int_equal(claim(w, 1, 2), 1);
	writer_free(w);
}

static void test_claim__what_is_pending_or_published_need_not_be_brought(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct odb_reader *r = odb_reader_new(repo->odb);
	const struct publication p = { .writer = w };
	struct oid id;

	(void)state;
	OK(writer_put(w, KIND_CHUNK, "text", 4, &id, &failure));
	assert_int_equal(writer_claim(w, r, &id, 1, &failure), 1);
	OK(publish(repo->odb, &p, NULL, &failure));
	assert_int_equal(writer_claim(w, r, &id, 0, &failure), 1);
	odb_reader_free(r);
	writer_free(w);
}

/*
 * Who claimed it may still be looking it up, and an item before that one must not bring it for that
 * reason. Here the repository gets it from another writer meanwhile.
 */
static void test_claim__by_a_later_item_does_not_hide_what_the_repository_has(void **state)
{
	struct odb_writer *w = fixture_writer(), *other = fixture_writer();
	struct odb_reader *r = odb_reader_new(repo->odb);
	const struct publication p = { .writer = other };
	struct hash *h = hash_new();
	struct oid id;

	(void)state;
	assert_non_null(h);
	hash_once(h, "text", 4, &id);
	hash_free(h);
	assert_int_equal(writer_claim(w, r, &id, 7, &failure), 0);
	OK(writer_put(other, KIND_CHUNK, "text", 4, &id, &failure));
	OK(publish(repo->odb, &p, NULL, &failure));
	odb_reader_free(r);
	r = odb_reader_new(repo->odb);
	assert_int_equal(writer_claim(w, r, &id, 3, &failure), 1);
	assert_int_equal(writer_claim(w, r, &id, 0, &failure), 1);
	odb_reader_free(r);
	writer_free(other);
	writer_free(w);
}

/* A claim outlives the batch: its bringer may be in the next one. */
static void test_claim__stays_over_a_publication_of_others(void **state)
{
	struct odb_writer *w = fixture_writer();
	const struct publication p = { .writer = w };
	struct oid other;

	(void)state;
	assert_int_equal(claim(w, 1, 7), 0);
	OK(writer_put(w, KIND_CHUNK, "text", 4, &other, &failure));
	OK(publish(repo->odb, &p, NULL, &failure));
	assert_int_equal(claim(w, 1, 8), 1);
	writer_free(w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_checked, remove_checked)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_publication__with_a_missing_child_is_refused_and_leaves_nothing),
		T(test_publication__is_looked_at_only_when_asked),
		T(test_publication__is_refused_for_each_part_of_a_long_stage_record),
		T(test_publication__finds_children_in_the_pack_and_in_the_repository),
		T(test_claim__the_first_brings_and_later_items_need_not),
		T(test_claim__an_earlier_item_brings_what_a_later_one_has_claimed),
		T(test_claim__what_is_pending_or_published_need_not_be_brought),
		T(test_claim__by_a_later_item_does_not_hide_what_the_repository_has),
		T(test_claim__stays_over_a_publication_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
