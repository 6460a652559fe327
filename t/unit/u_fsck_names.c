/*
 * What fsck names: paths that get too long by where an old tree is put, and whatever needs damaged
 * objects. Trees that lead to everything by more ways than can be counted end all the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "graph/changes.h"
#include "graph/tag.h"
#include "fsck_fixture.h"

static size_t count_told(const char *words)
{
	size_t n = 0;

	for (const char *p = told; (p = strstr(p, words)) != NULL; p++)
		n++;
	return n;
}

/* ---- history made by hand */

/* A commit, its layer and the tree of that. */
struct made {
	struct oid commit, layer;
	struct layer text;
	struct entry top;
};

/* The right layer of top above parent (NULL: the first one). */
static struct made make_commit(struct odb_writer *w, const struct entry *top,
	const struct made *parent)
{
	const struct node_source src = nodes_source(writer_reader(w));
	const struct node_sink sink = nodes_sink(w);
	struct made m = { .top = *top };
	struct changes changes;

	OK(changes_build(&src, &sink, parent ? &parent->top : NULL, top, NULL, &changes, &failure));
	m.text = (struct layer){ .root = { top->id, top->height },
		.changes = changes.map,
		.totals = top->totals,
		.added = changes.added,
		.modified = changes.modified,
		.deleted = changes.deleted };
	if (parent) {
		m.text.generation = parent->text.generation + 1;
		m.text.has_parent = true;
		m.text.parent = parent->layer;
	}
	m.layer = put_layer(w, &m.text);
	m.commit = put_commit(w, &m.layer, parent ? &parent->commit : NULL);
	return m;
}

static struct entry dir_of(struct odb_writer *w, const char *name, const struct entry *e)
{
	struct fixture_dir d = fixture_dir_begin(w);

	fixture_dir_set(&d, name, e);
	return fixture_dir_end(&d);
}

/* count directories in each other, of names of 250 bytes, and name in the lowest. */
static struct entry chain(struct odb_writer *w, int count, const char *name, const struct entry *e)
{
	char dir[251] = { 0 };
	struct entry top = dir_of(w, name, e);

	memset(dir, 'd', 250);
	for (int i = 0; i < count; i++)
		top = dir_of(w, dir, &top);
	return top;
}

static struct oid nowhere(uint8_t byte)
{
	struct oid id;

	memset(id.b, byte, ID_LEN);
	return id;
}

/* ---- paths that get too long */

static void test_fsck__a_whole_tree_under_a_longer_name_is_measured_from_there(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct entry file = fixture_file(w, "content"), sub, top;
	struct made first, second, third;
	char name[256] = { 0 }, want[400];

	(void)state;
	/* 15 x 251 and 80 bytes: 3845; 250 more and a slash are allowed. */
	memset(name, 'n', 80);
	sub = chain(w, 15, name, &file);
	top = dir_of(w, "a", &sub);
	first = make_commit(w, &top, NULL);
	memset(name, 'm', 250);
	top = dir_of(w, name, &sub);
	second = make_commit(w, &top, &first);
	set_refs(w, "refs/heads/main", &second.commit);
	assert_whole();

	w = fixture_writer();
	name[250] = 'm';
	top = dir_of(w, name, &sub);
	third = make_commit(w, &top, &second);
	set_refs(w, "refs/heads/side", &third.commit);
	snprintf(want, sizeof(want), "in its tree a path is longer than 4096 bytes, below: %s\n",
		name);
	assert_told(want);
	assert_int_equal(count_told("longer than 4096"), 1);
}

static void test_fsck__a_tree_that_comes_back_deeper_is_measured_in_every_commit(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct entry file = fixture_file(w, "content"), sub = chain(w, 8, "file", &file);
	struct entry top = dir_of(w, "a", &sub);
	struct made first = make_commit(w, &top, NULL), second;
	char dir[251] = { 0 };

	(void)state;
	/* The same tree below another of nine: beyond the limit, though each is far from it. */
	memset(dir, 'd', 250);
	top = chain(w, 8, dir, &sub);
	second = make_commit(w, &top, &first);
	set_refs(w, "refs/heads/side", &second.commit);
	w = fixture_writer();
	top = dir_of(w, "b", &sub);
	first = make_commit(w, &top, &first);
	set_refs(w, "refs/heads/main", &first.commit);
	assert_told("in its tree a path is longer than 4096 bytes, below: dddd");
	/* A first commit has everything new, and the top is what is measured. */
	w = fixture_writer();
	top = chain(w, 8, dir, &sub);
	first = make_commit(w, &top, NULL);
	set_refs(w, "refs/heads/main", &first.commit);
	assert_told("in its tree a path is longer than 4096 bytes, below: .\n");
}

/* Each directory has the next one under two names: as many paths as 2 to the power of depth. */
static struct entry twofold(struct odb_writer *w, int depth, size_t name_len, const struct entry *e)
{
	char name[64] = { 0 };
	struct entry top = dir_of(w, "lowest", e);

	memset(name, 'x', name_len);
	for (int i = 0; i < depth; i++) {
		struct fixture_dir d = fixture_dir_begin(w);

		name[0] = 'a';
		fixture_dir_set(&d, name, &top);
		name[0] = 'b';
		fixture_dir_set(&d, name, &top);
		top = fixture_dir_end(&d);
	}
	return top;
}

static void test_fsck__more_ways_than_can_be_counted_are_measured_once(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct entry file = fixture_file(w, ""), sub = twofold(w, 60, 62, &file), top;
	struct made first, second;
	char name[256] = { 0 };

	(void)state;
	top = dir_of(w, "a", &sub);
	first = make_commit(w, &top, NULL);
	memset(name, 'm', 255);
	top = dir_of(w, name, &sub);
	second = make_commit(w, &top, &first);
	set_refs(w, "refs/heads/main", &second.commit);
	assert_whole();
}

static void test_fsck__damage_that_every_way_leads_to_is_named_by_some_of_them(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct entry file = { .kind = ENTRY_FILE, .totals = { 5, 1, 0 }, .id = nowhere(0xab) };
	struct entry top = twofold(w, 40, 1, &file);
	struct made made = make_commit(w, &top, NULL);

	(void)state;
	set_refs(w, "refs/heads/main", &made.commit);
	assert_told("is needed by: ");
	assert_int_equal(count_told("is needed by: "), 10);
	assert_int_equal(count_told("is needed by more paths"), 1);
}

/* A file of nodes that each name the one below many times, between others. */
static void test_fsck__damage_that_a_file_has_everywhere_is_named_once(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct seq_row row[2] = { { .id = nowhere(0xab), .len = 1, .repeat = 1 },
		{ .id = nowhere(0xac), .len = 1, .repeat = 1 } };
	struct entry file = { .kind = ENTRY_FILE }, top;
	struct made made;

	(void)state;
	for (uint8_t level = 1; level <= 12; level++) {
		struct seq_row next[2];

		for (int side = 0; side < 2; side++) {
			struct buf node = { 0 };
			const uint8_t head[] = { 'S', 'Q', 1, level, 40 };

			buf_add(&node, head, sizeof(head));
			next[side] = (struct seq_row){ .repeat = 1 };
			for (int i = 0; i < 40; i++) {
				const struct seq_row *r = &row[(i + side) % 2];

				buf_add(&node, r->id.b, ID_LEN);
				buf_add_leb(&node, r->len);
				buf_add_leb(&node, 1);
				next[side].len += r->len;
			}
			OK(writer_put(w, KIND_SEQ, node.data, node.len, &next[side].id, &failure));
			buf_release(&node);
		}
		memcpy(row, next, sizeof(row));
	}
	file.id = row[0].id;
	file.height = 12;
	file.totals = (struct totals){ row[0].len, 1, 0 };
	top = dir_of(w, "file", &file);
	made = make_commit(w, &top, NULL);
	set_refs(w, "refs/heads/main", &made.commit);
	assert_told("abababab is needed by: file\n");
	assert_int_equal(count_told("abababab is needed by"), 1);
}

/* ---- what no path leads to */

static void want_user(char out[200], uint8_t byte, const char *what, const struct oid *commit)
{
	char hex[ID_HEX + 1], rev[13];
	const struct oid id = nowhere(byte);

	snprintf(out, 200, "object %s is needed by %s%s\n", id_hex(hex, &id), what,
		commit ? id_short(rev, commit) : "");
}

static void test_fsck__a_layer_and_a_parent_are_named_by_the_commits_that_need_them(void **state)
{
	struct odb_writer *w = fixture_writer();
	const struct oid layer = nowhere(0xa1), parent = nowhere(0xa2);
	struct entry file = fixture_file(w, "content"), top = dir_of(w, "file", &file);
	struct made good = make_commit(w, &top, NULL);
	struct oid lost_layer = put_commit(w, &layer, &good.commit), lost_parent;
	char want[200];

	(void)state;
	lost_parent = put_commit(w, &good.layer, &parent);
	set_refs(w, "refs/heads/main", &lost_layer);
	w = fixture_writer();
	set_refs(w, "refs/heads/side", &lost_parent);
	want_user(want, 0xa1, "commit ", &lost_layer);
	assert_told(want);
	want_user(want, 0xa2, "commit ", &lost_parent);
	assert_told(want);
}

static void test_fsck__the_layer_of_a_parent_and_a_map_of_changes_are_named_too(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct entry file = fixture_file(w, "content"), top = dir_of(w, "file", &file);
	struct made made = make_commit(w, &top, NULL);
	struct layer l = made.text;
	struct oid layer, commit;
	char want[200];

	(void)state;
	l.changes.id = nowhere(0xa3);
	l.generation = 1;
	l.has_parent = true;
	l.parent = nowhere(0xa4);
	layer = put_layer(w, &l);
	commit = put_commit(w, &layer, &made.commit);
	set_refs(w, "refs/heads/main", &commit);
	want_user(want, 0xa3, "commit ", &commit);
	assert_told(want);
	want_user(want, 0xa4, "commit ", &commit);
	assert_told(want);
}

static struct oid put_tag(struct odb_writer *w, const struct oid *object)
{
	struct tag t = { .object = *object, .type = KIND_COMMIT, .name = text_slice_of("v1") };
	struct buf text = { 0 };
	struct oid id;

	t.tagger = (struct ident){ .name = text_slice_of("A"), .mail = text_slice_of("a@a") };
	OK(tag_encode(&text, &t, &failure));
	OK(writer_put(w, KIND_TAG, text.data, text.len, &id, &failure));
	buf_release(&text);
	return id;
}

static void test_fsck__a_commit_that_refs_tags_or_a_reflog_name_is_named_by_them(void **state)
{
	struct odb_writer *w = fixture_writer();
	const struct oid tip = nowhere(0xb1), tagged = nowhere(0xb2), tag = nowhere(0xb3),
			 past = nowhere(0xb4);
	struct entry file = fixture_file(w, "content"), top = dir_of(w, "file", &file);
	struct made made = make_commit(w, &top, NULL);
	struct oid v1 = put_tag(w, &tagged);
	char want[200];

	(void)state;
	set_refs(w, "refs/heads/main", &made.commit);
	w = fixture_writer();
	set_refs(w, "refs/heads/lost", &tip);
	w = fixture_writer();
	set_refs(w, "refs/tags/v1", &v1);
	w = fixture_writer();
	set_refs(w, "refs/tags/v2", &tag);
	w = fixture_writer();
	set_refs(w, "refs/heads/moved", &past);
	w = fixture_writer();
	set_refs(w, "refs/heads/moved", &made.commit);
	want_user(want, 0xb1, "ref 'refs/heads/lost'", NULL);
	assert_told(want);
	want_user(want, 0xb2, "ref 'refs/tags/v1'", NULL);
	assert_told(want);
	want_user(want, 0xb3, "ref 'refs/tags/v2'", NULL);
	assert_told(want);
	want_user(want, 0xb4, "the reflog of 'refs/heads/moved'", NULL);
	assert_told(want);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_fsck__a_whole_tree_under_a_longer_name_is_measured_from_there),
		T(test_fsck__a_tree_that_comes_back_deeper_is_measured_in_every_commit),
		T(test_fsck__more_ways_than_can_be_counted_are_measured_once),
		T(test_fsck__damage_that_every_way_leads_to_is_named_by_some_of_them),
		T(test_fsck__damage_that_a_file_has_everywhere_is_named_once),
		T(test_fsck__a_layer_and_a_parent_are_named_by_the_commits_that_need_them),
		T(test_fsck__the_layer_of_a_parent_and_a_map_of_changes_are_named_too),
		T(test_fsck__a_commit_that_refs_tags_or_a_reflog_name_is_named_by_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
