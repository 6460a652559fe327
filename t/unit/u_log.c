/*
 * The log over merges, which no command makes yet, and objects by name: tags and layers made by
 * hand.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "repo_fixture.h"

#include "graph/changes.h"
#include "graph/tag.h"

/* A commit that was made: what the next one is compared with. */
struct made {
	struct oid id, layer_id;
	struct layer layer;
	struct entry top;
};

/* A tree of the files x and y with these contents ("" leaves one out). */
static struct entry tree(struct odb_writer *w, const char *x, const char *y)
{
	struct fixture_dir d = fixture_dir_begin(w);
	const char *const names[] = { "x", "y" }, *const texts[] = { x, y };

	for (size_t i = 0; i < 2; i++) {
		const struct entry e = fixture_file(w, texts[i]);

		if (*texts[i])
			fixture_dir_set(&d, names[i], &e);
	}
	return fixture_dir_end(&d);
}

static void put_layer(struct odb_writer *w, const struct made *parent, struct made *m)
{
	const struct node_source src = nodes_source(writer_reader(w));
	const struct node_sink sink = nodes_sink(w);
	struct buf text = { 0 };
	struct changes changes;

	OK(changes_build(&src, &sink, parent ? &parent->top : NULL, &m->top, NULL, &changes,
		&failure));
	m->layer = (struct layer){ .has_parent = parent != NULL,
		.generation = parent ? parent->layer.generation + 1 : 0,
		.root = { m->top.id, m->top.height },
		.changes = changes.map,
		.totals = m->top.totals };
	if (parent)
		m->layer.parent = parent->layer_id;
	OK(layer_encode(&text, &m->layer));
	OK(writer_put(w, KIND_LAYER, text.data, text.len, &m->layer_id, &failure));
	buf_release(&text);
}

/* parents: up to two, NULL behind the last. */
static struct made make(const struct made *first, const struct made *second, int64_t seconds,
	const char *message, const char *x, const char *y)
{
	struct odb_writer *w = fixture_writer();
	struct commit c = { .message = text_slice_of(message) };
	struct buf text = { 0 };
	struct made m = { .top = tree(w, x, y) };
	char hex[ID_HEX + 1];
	const char *refs[3] = { "refs/heads/main", hex, NULL };

	put_layer(w, first, &m);
	c.layer = m.layer_id;
	if (first)
		c.parents[c.parent_count++] = first->id;
	if (second)
		c.parents[c.parent_count++] = second->id;
	c.author = (struct ident){ .name = text_slice_of("A"),
		.mail = text_slice_of("a@a"),
		.seconds = seconds };
	c.committer = c.author;
	OK(commit_encode(&text, &c, &failure));
	OK(writer_put(w, KIND_COMMIT, text.data, text.len, &m.id, &failure));
	buf_release(&text);
	id_hex(hex, &m.id);
	fixture_publish(w, refs, seconds, "commit");
	writer_free(w);
	return m;
}

/* The messages of a log, joined. */
static void expect_log(const char *path, unsigned int flags, const char *want)
{
	const struct store_log_options o = { .flags = flags,
		.paths = &path,
		.n_paths = path != NULL };
	struct store_log_iter *it;
	struct store_log_entry e;
	char got[500] = "";
	int rc;

	OK(store_log_open(repo, &o, &it, &failure));
	while ((rc = store_log_next(it, &e, &failure)) == 0)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", got[0] ? " " : "",
			e.message);
	assert_int_equal(rc, STORE_ENOTFOUND);
	store_log_free(it);
	assert_string_equal(got, want);
}

static void test_log__of_a_merge_the_way_goes_to_the_parent_that_has_the_path_as_it_is(void **state)
{
	const struct made a = make(NULL, NULL, 1000, "a", "1", "1");
	const struct made b = make(&a, NULL, 2000, "b", "2", "1");
	const struct made c = make(&a, NULL, 3000, "c", "3", "4");
	/* x is that of the second parent, y that of neither. */
	const struct made m = make(&b, &c, 4000, "m", "3", "5");
	const struct made n = make(&m, NULL, 5000, "n", "3", "6");

	(void)state;
	(void)n;
	expect_log(NULL, 0, "n m c b a");
	expect_log("x", 0, "c a");
	expect_log("y", 0, "n m c a");
	expect_log("x", STORE_LOG_FIRST_PARENT, "m b a");
	expect_log(NULL, STORE_LOG_FIRST_PARENT | STORE_LOG_REVERSE, "a b m n");
	expect_log("", 0, "n m c b a");
	expect_log("z", 0, "");
}

static void test_log__a_path_that_cannot_be_is_refused(void **state)
{
	static const char *const bad[] = { "/", "a//", "/a", "a//b" };

	(void)state;
	make(NULL, NULL, 1000, "a", "1", "1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct store_log_options o = { .paths = &bad[i], .n_paths = 1 };
		struct store_log_iter *it;

		assert_int_equal(store_log_open(repo, &o, &it, &failure), STORE_EINVAL);
		assert_null(it);
	}
}

static int cancel(void *payload, const struct store_progress *p)
{
	(void)p;
	++*(int *)payload;
	return 1;
}

static void test_log__a_callback_ends_it(void **state)
{
	int calls = 0;
	const struct store_log_options o = { .callbacks = { cancel, NULL, &calls } };
	struct store_log_iter *it;
	struct store_log_entry e;

	(void)state;
	make(NULL, NULL, 1000, "a", "1", "1");
	OK(store_log_open(repo, &o, &it, &failure));
	assert_int_equal(store_log_next(it, &e, &failure), STORE_ECANCELED);
	assert_int_equal(calls, 1);
	store_log_free(it);
}

static struct oid put_tag(struct odb_writer *w, const struct oid *object, enum kind type,
	const char *name)
{
	const struct tag tag = { .object = *object,
		.type = type,
		.name = text_slice_of(name),
		.tagger = { .name = text_slice_of("T"), .mail = text_slice_of("t"), .seconds = 5 },
		.message = text_slice_of("why\n") };
	struct buf text = { 0 };
	struct oid id;

	OK(tag_encode(&text, &tag, &failure));
	OK(writer_put(w, KIND_TAG, text.data, text.len, &id, &failure));
	buf_release(&text);
	return id;
}

static void expect_object(const char *name, enum store_object_kind kind, const struct oid *id)
{
	struct store_object o;

	OK(store_object_find(repo, name, &o, &failure));
	assert_int_equal(o.kind, kind);
	assert_memory_equal(o.id.bytes, id->b, ID_LEN);
	store_object_clear(&o);
	assert_null(o.data);
}

static void test_log__a_name_stands_for_a_tag_a_layer_or_a_commit(void **state)
{
	const struct made a = make(NULL, NULL, 1000, "a", "1", "1");
	struct odb_writer *w = fixture_writer();
	const struct oid of_commit = put_tag(w, &a.id, KIND_COMMIT, "v1");
	const struct oid of_layer = put_tag(w, &a.layer_id, KIND_LAYER, "old");
	char commit_hex[ID_HEX + 1], layer_hex[ID_HEX + 1], name[ID_HEX + 1];
	const char *refs[] = { "refs/tags/v1", commit_hex, "refs/tags/old", layer_hex, NULL };
	struct store_object o;

	(void)state;
	id_hex(commit_hex, &of_commit);
	id_hex(layer_hex, &of_layer);
	fixture_publish(w, refs, 1000, "tag");
	writer_free(w);
	expect_object("v1", STORE_OBJECT_TAG, &of_commit);
	expect_object("old", STORE_OBJECT_TAG, &of_layer);
	expect_object("v1~0", STORE_OBJECT_COMMIT, &a.id);
	expect_object("HEAD", STORE_OBJECT_COMMIT, &a.id);
	expect_object("main", STORE_OBJECT_COMMIT, &a.id);
	expect_object("layer:0", STORE_OBJECT_LAYER, &a.layer_id);
	expect_object("main@{0}", STORE_OBJECT_COMMIT, &a.id);
	expect_object(id_hex(name, &a.layer_id), STORE_OBJECT_LAYER, &a.layer_id);
	name[20] = '\0';
	expect_object(name, STORE_OBJECT_LAYER, &a.layer_id);
	OK(store_object_find(repo, "old", &o, &failure));
	assert_string_equal(o.name, "old");
	assert_string_equal(o.tagger, "T <t>");
	assert_string_equal(o.message, "why\n");
	assert_int_equal(o.target_kind, STORE_OBJECT_LAYER);
	assert_int_equal(o.time, 5);
	assert_non_null(strstr(o.text, "store tag 1\n"));
	store_object_clear(&o);
	OK(store_object_find(repo, "layer:0", &o, &failure));
	assert_int_equal(o.root.files, 2);
	assert_false(o.has_parent);
	assert_string_equal(strstr(o.text, "files "),
		"files 2\ndirectories 0\nbytes 2\nadded 0\n"
		"modified 0\ndeleted 0\n");
	store_object_clear(&o);
	assert_int_equal(store_object_find(repo, "nosuch", &o, &failure), STORE_ENOTFOUND);
	assert_string_equal(failure.msg, "unknown revision 'nosuch'");
	store_object_clear(&o);
	assert_int_equal(store_object_find(repo, "layer:7", &o, &failure), STORE_ENOTFOUND);
	store_object_clear(&o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_log__of_a_merge_the_way_goes_to_the_parent_that_has_the_path_as_it_is),
		TEST(test_log__a_path_that_cannot_be_is_refused),
		TEST(test_log__a_callback_ends_it),
		TEST(test_log__a_name_stands_for_a_tag_a_layer_or_a_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
