/*
 * fsck on repositories that are wrong in ways no command can make them: history made by hand, rows
 * of the database changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "data/limits.h"
#include "graph/closure.h"
#include "graph/stage.h"
#include "fsck_fixture.h"

/* ---- history */

/* The map of changes of a first layer: one entry. */
static struct map_ref put_first_changes(struct odb_writer *w)
{
	const struct node_source src = nodes_source(writer_reader(w));
	const struct node_sink sink = nodes_sink(w);
	const struct map_ref empty = map_empty(MAP_CHANGES);
	const struct change added = { CHANGE_ADDED, ENTRY_NONE, ENTRY_DIR };
	struct map_editor *e = map_editor_new(MAP_CHANGES, &src, &sink, &empty);
	struct buf value = { 0 };
	struct map_totals totals;
	struct map_ref ref;

	OK(change_encode(&value, &added));
	OK(map_editor_set(e, "", 0, value.data, value.len, &failure));
	OK(map_editor_finish(e, &ref, &totals, &failure));
	map_editor_free(e);
	buf_release(&value);
	return ref;
}

/* A right first layer of one file, to be made wrong. */
static struct layer first_layer(struct odb_writer *w)
{
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry file = fixture_file(w, "content"), top;

	fixture_dir_set(&d, "file", &file);
	top = fixture_dir_end(&d);
	return (struct layer){ .root = { top.id, top.height },
		.changes = put_first_changes(w),
		.totals = top.totals,
		.added = 1 };
}

static void test_fsck__right_history_is_whole(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct layer l = first_layer(w);
	struct oid layer = put_layer(w, &l), commit = put_commit(w, &layer, NULL);

	(void)state;
	set_refs(w, "refs/heads/main", &commit);
	assert_whole();
}

static void test_fsck__a_false_map_of_changes_is_found(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct layer l = first_layer(w);
	struct oid layer, commit;

	(void)state;
	l.changes = map_empty(MAP_CHANGES);
	layer = put_layer(w, &l);
	commit = put_commit(w, &layer, NULL);
	set_refs(w, "refs/heads/main", &commit);
	assert_told("map of changes");
}

static void test_fsck__false_counts_of_changes_are_found(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct layer l = first_layer(w);
	struct oid layer, commit;

	(void)state;
	l.added = 2;
	layer = put_layer(w, &l);
	commit = put_commit(w, &layer, NULL);
	set_refs(w, "refs/heads/main", &commit);
	assert_told("it counts 2 added");
}

static void test_fsck__false_totals_are_found(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct layer l = first_layer(w);
	struct oid layer, commit;

	(void)state;
	l.totals.size++;
	layer = put_layer(w, &l);
	commit = put_commit(w, &layer, NULL);
	set_refs(w, "refs/heads/main", &commit);
	assert_told("its totals are not those of its root");
}

static void test_fsck__a_false_generation_or_parent_is_found(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct layer l = first_layer(w), next = l;
	struct oid layer = put_layer(w, &l), first = put_commit(w, &layer, NULL), second;

	(void)state;
	next.has_parent = true;
	next.parent = layer;
	next.generation = 2;
	next.changes = map_empty(MAP_CHANGES);
	next.added = 0;
	layer = put_layer(w, &next);
	second = put_commit(w, &layer, &first);
	set_refs(w, "refs/heads/main", &second);
	assert_told("it is of generation 2, its parent of 0");

	w = fixture_writer();
	layer = put_layer(w, &l);
	second = put_commit(w, &layer, &first);
	set_refs(w, "refs/heads/main", &second);
	assert_told("the parent of its layer is not the layer of its first parent");
}

/*
 * Each merge leaves 15 ends open, of 36 bytes in the spool, whose buffer is of 1 MiB. fsck writes
 * nothing else, so a disk on which nothing can be written tells where they are kept.
 */
static void test_fsck__open_ends_of_many_merges_are_not_kept_in_memory(void **state)
{
	const unsigned int count = (1u << 20) / (15 * 36) + 2;
	struct oid parents[LIMIT_PARENTS], layers[2];
	struct odb_writer *w = fixture_writer();
	struct layer l = first_layer(w);
	const struct map_ref none = map_empty(MAP_CHANGES);

	(void)state;
	layers[0] = put_layer(w, &l);
	parents[0] = put_commit(w, &layers[0], NULL);
	l.changes = none;
	l.has_parent = true;
	l.added = 0;
	for (unsigned int i = 1; i <= LIMIT_PARENTS + count; i++) {
		l.generation = i;
		l.parent = layers[0];
		layers[0] = put_layer(w, &l);
		if (i < LIMIT_PARENTS)
			parents[i] = put_commit(w, &layers[0], &parents[i - 1]);
		if (i == LIMIT_PARENTS - 1) {
			/* The line that goes on is the first parent of all that follow. */
			const struct oid first = parents[0];

			parents[0] = parents[i];
			parents[i] = first;
		}
		if (i >= LIMIT_PARENTS)
			parents[0] = put_merge(w, &layers[0], parents, LIMIT_PARENTS);
	}
	set_refs(w, "refs/heads/main", &parents[0]);
	assert_int_equal(fault_load("write:1+:ENOSPC"), 0);
	assert_int_equal(run_fsck(), STORE_ENOSPACE);
	assert_non_null(strstr(failure.msg, "cannot write a temporary file in 'tmp'"));
	assert_int_equal(fault_load(""), 0);
	assert_whole();
	assert_int_equal(result.commits, LIMIT_PARENTS + count + 1);
}

/* ---- trees */

/* The shortest objects that are so many: the writer ends a block where its limit is. */
static void test_fsck__as_many_objects_as_can_be_in_a_block_are_whole(void **state)
{
	struct odb_writer *w = fixture_writer();
	const char *const no_refs[] = { NULL };
	struct oid id;

	(void)state;
	for (uint32_t i = 0; i < LIMIT_BLOCK_OBJECTS + 1000; i++) {
		const uint8_t data[3] = { (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16) };

		OK(writer_put(w, KIND_CHUNK, data, sizeof(data), &id, &failure));
	}
	fixture_publish(w, no_refs, 1, "");
	writer_free(w);
	OK(run_fsck());
	assert_int_equal(result.blocks, 2);
}

/* A tree of one directory in the other, the lowest with one file. */
static struct entry deep_tree(struct odb_writer *w, const char *dir, int depth, const char *name)
{
	struct entry e = fixture_file(w, "content");

	for (int i = 0; i <= depth; i++) {
		struct fixture_dir d = fixture_dir_begin(w);

		fixture_dir_set(&d, i == 0 ? name : dir, &e);
		e = fixture_dir_end(&d);
	}
	return e;
}

static struct oid put_deep(struct odb_writer *w, const struct entry *top, const struct oid *layer,
	const struct oid *commit, struct oid *out_layer)
{
	struct layer l = { .root = { top->id, top->height },
		.changes = put_first_changes(w),
		.totals = top->totals,
		.added = 1 };

	if (layer) {
		l.generation = 1;
		l.has_parent = true;
		l.parent = *layer;
	}
	*out_layer = put_layer(w, &l);
	return put_commit(w, out_layer, commit);
}

/* 16 names of 250 bytes are 4015; behind them 80 bytes more are allowed. */
static void test_fsck__a_path_over_the_limit_is_damage_of_layer_and_tree(void **state)
{
	struct odb_writer *w = fixture_writer();
	char dir[251], name[82];
	struct oid layer, commit, old;
	struct entry top;

	(void)state;
	memset(dir, 'd', sizeof(dir));
	memset(name, 'n', sizeof(name));
	dir[250] = name[80] = '\0';
	top = deep_tree(w, dir, 16, name);
	old = commit = put_deep(w, &top, NULL, NULL, &layer);
	set_refs(w, "refs/heads/main", &commit);
	assert_whole();
	w = fixture_writer();
	name[80] = 'n';
	name[81] = '\0';
	top = deep_tree(w, dir, 16, name);
	commit = put_deep(w, &top, &layer, &old, &layer);
	set_refs(w, "refs/heads/main", &commit);
	assert_told(": in its tree a path is longer than 4096 bytes: dddd");
	assert_told(": a path that ends in it is longer than 4096 bytes\n");
}

static void test_fsck__an_entry_with_false_totals_is_found(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry file = fixture_file(w, "content"), sub, top;
	struct layer l;
	struct oid layer, commit;

	(void)state;
	fixture_dir_set(&d, "file", &file);
	sub = fixture_dir_end(&d);
	sub.totals.files = 7;
	d = fixture_dir_begin(w);
	fixture_dir_set(&d, "sub", &sub);
	top = fixture_dir_end(&d);
	l = (struct layer){ .root = { top.id, top.height },
		.changes = put_first_changes(w),
		.totals = top.totals,
		.added = 7 };
	layer = put_layer(w, &l);
	commit = put_commit(w, &layer, NULL);
	set_refs(w, "refs/heads/main", &commit);
	assert_told("its totals are not those that what names it says");
}

static void test_fsck__a_missing_chunk_is_found_and_its_path_named(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry file = { .kind = ENTRY_FILE, .totals = { 5, 1, 0 } }, top;
	struct layer l;
	struct oid layer, commit;

	(void)state;
	memset(file.id.b, 0xab, ID_LEN);
	fixture_dir_set(&d, "lost", &file);
	top = fixture_dir_end(&d);
	l = (struct layer){ .root = { top.id, top.height },
		.changes = put_first_changes(w),
		.totals = top.totals,
		.added = 1 };
	layer = put_layer(w, &l);
	commit = put_commit(w, &layer, NULL);
	set_refs(w, "refs/heads/main", &commit);
	assert_told("abababab: it is missing");
	assert_non_null(strstr(told, "is needed by: lost\n"));
}

static void test_fsck__a_chunk_of_another_length_is_found(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry file = fixture_file(w, "content"), top;
	struct layer l;
	struct oid layer, commit;

	(void)state;
	file.totals.size = 6;
	fixture_dir_set(&d, "file", &file);
	top = fixture_dir_end(&d);
	l = (struct layer){ .root = { top.id, top.height },
		.changes = put_first_changes(w),
		.totals = top.totals,
		.added = 1 };
	layer = put_layer(w, &l);
	commit = put_commit(w, &layer, NULL);
	set_refs(w, "refs/heads/main", &commit);
	assert_told("a chunk has another length");
}

/* ---- rows of the database */

/* A right commit; its id. */
static struct oid good_commit(struct oid *layer)
{
	struct odb_writer *w = fixture_writer();
	struct layer l = first_layer(w);
	struct oid commit;

	*layer = put_layer(w, &l);
	commit = put_commit(w, layer, NULL);
	set_refs(w, "refs/heads/main", &commit);
	return commit;
}

static struct env_txn *begin(void)
{
	struct env_txn *t;

	OK(env_begin(odb_env(repo->odb), true, &t, &failure));
	return t;
}

static void test_fsck__rows_of_objects_that_are_gone_or_false_are_found(void **state)
{
	struct env_txn *t;
	struct odb_loc loc;
	uint8_t row[ODB_ROW_LEN];
	struct oid layer, stray;

	(void)state;
	good_commit(&layer);
	assert_whole();
	OK(odb_find(repo->reader, &layer, &loc, &failure));
	t = begin();
	OK(env_del(t, ENV_OBJECTS, layer.b, ID_LEN, &failure));
	OK(env_commit(t, &failure));
	assert_told("the database does not have it");

	loc.off++;
	odb_row_encode(row, &loc);
	t = begin();
	OK(env_put(t, ENV_OBJECTS, layer.b, ID_LEN, row, sizeof(row), &failure));
	OK(env_commit(t, &failure));
	assert_told("lies elsewhere");

	loc.off--;
	odb_row_encode(row, &loc);
	memset(stray.b, 7, ID_LEN);
	t = begin();
	OK(env_put(t, ENV_OBJECTS, layer.b, ID_LEN, row, sizeof(row), &failure));
	OK(env_put(t, ENV_OBJECTS, stray.b, ID_LEN, row, sizeof(row), &failure));
	OK(env_commit(t, &failure));
	assert_told("the pack does not hold it");
}

/* No writer makes one, so nothing of it is read: not even 2 GiB of zeros. */
static void test_fsck__a_pack_over_its_limit_is_damage(void **state)
{
	struct odb_loc loc;
	struct oid layer;
	char command[200];

	(void)state;
	good_commit(&layer);
	assert_whole();
	OK(odb_find(repo->reader, &layer, &loc, &failure));
	snprintf(command, sizeof(command), "truncate -s %llu '%s/.store/packs/%016llx-'*",
		LIMIT_PACK + 1ull, fixture_dir, (unsigned long long)loc.pack);
	assert_int_equal(system(command), 0);
	assert_told("pack is no file of at most 2147483648 bytes");
}

/* The last byte of a row of the reflog is of its reason, one in the middle of its ident. */
static void test_fsck__who_and_why_of_a_reflog_row_and_flags_of_a_pack_are_compared(void **state)
{
	static const char bound[9] = { 127, 127, 127, 127, 127, 127, 127, 127, 127 };
	struct env_val k, v;
	uint8_t key[300], row[600];
	struct oid layer;
	struct env_txn *t;
	size_t key_len, len;

	(void)state;
	good_commit(&layer);
	for (int back = 1; back < 20; back += 12) {
		t = begin();
		OK(env_get_before(t, ENV_REFLOG, "refs/heads/maio", 15, &k, &v, &failure));
		memcpy(key, k.data, key_len = k.len);
		memcpy(row, v.data, len = v.len);
		row[len - (size_t)back] ^= 1;
		OK(env_put(t, ENV_REFLOG, key, key_len, row, len, &failure));
		OK(env_commit(t, &failure));
		assert_told("differ in change");
		row[len - (size_t)back] ^= 1;
		t = begin();
		OK(env_put(t, ENV_REFLOG, key, key_len, row, len, &failure));
		OK(env_commit(t, &failure));
		assert_whole();
	}
	t = begin();
	OK(env_get_before(t, ENV_PACKS, bound, sizeof(bound), &k, &v, &failure));
	memcpy(key, k.data, key_len = k.len);
	memcpy(row, v.data, len = v.len);
	row[len - 1] ^= 1;
	OK(env_put(t, ENV_PACKS, key, key_len, row, len, &failure));
	OK(env_commit(t, &failure));
	assert_told("flags that have no meaning");
}

static void test_fsck__refs_that_differ_from_the_log_are_found(void **state)
{
	struct oid layer, commit;
	struct env_txn *t;
	char hex[ID_HEX + 1];

	(void)state;
	commit = good_commit(&layer);
	id_hex(hex, &commit);
	t = begin();
	OK(env_put(t, ENV_REFS, "refs/heads/stray", 16, hex, ID_HEX, &failure));
	OK(env_commit(t, &failure));
	assert_told("'refs/heads/stray' is not what its reflog says");
	t = begin();
	OK(env_del(t, ENV_REFS, "refs/heads/stray", 16, &failure));
	OK(env_del(t, ENV_REFS, "refs/heads/main", 15, &failure));
	OK(env_commit(t, &failure));
	assert_told("the database lacks 'refs/heads/main'");
	t = begin();
	OK(env_del(t, ENV_REFS, "HEAD", 4, &failure));
	OK(env_commit(t, &failure));
	assert_told("there is no HEAD");
}

static void test_fsck__staged_content_that_is_nowhere_is_found(void **state)
{
	struct stage_row row = { .kind = ENTRY_FILE, .ref = { .size = 9 } };
	struct env_txn *t;
	struct oid layer;
	uint64_t root;

	(void)state;
	good_commit(&layer);
	memset(row.ref.id.b, 0xcd, ID_LEN);
	t = begin();
	OK(stage_root(t, &root, &failure));
	OK(stage_put(t, root, "phantom", 7, &row, &failure));
	OK(env_commit(t, &failure));
	assert_told("cdcdcdcd: it is missing; the stage names it");
}

/* ---- closure */

static void test_closure__a_parent_before_its_child_is_refused(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry file = { .kind = ENTRY_FILE, .totals = { 5, 1, 0 } };

	(void)state;
	memset(file.id.b, 0xab, ID_LEN);
	fixture_dir_set(&d, "lost", &file);
	fixture_dir_end(&d);
	assert_int_equal(closure_check(w, &failure), STORE_ECORRUPT);
	assert_non_null(strstr(failure.msg, "closure: object abababababab"));
	writer_free(w);
}

static void test_closure__children_pending_or_published_are_enough(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct layer l = first_layer(w);
	struct oid layer = put_layer(w, &l), commit = put_commit(w, &layer, NULL);

	(void)state;
	OK(closure_check(w, &failure));
	set_refs(w, "refs/heads/main", &commit);
	w = fixture_writer();
	put_commit(w, &layer, &commit);
	OK(closure_check(w, &failure));
	writer_free(w);
}

static void test_closure__a_stage_record_needs_its_content(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct stage_batch *b = stage_batch_new();
	struct stage_row row = { .kind = ENTRY_FILE, .ref = { .size = 9 } };

	(void)state;
	memset(row.ref.id.b, 0xcd, ID_LEN);
	OK(stage_batch_set(b, "a/b", 3, &row, &failure));
	OK(stage_batch_record(b, w, &failure));
	assert_int_equal(closure_check(w, &failure), STORE_ECORRUPT);
	stage_batch_free(b);
	writer_free(w);
}

static int stop(void *payload, const struct store_progress *p)
{
	(void)payload;
	(void)p;
	return 1;
}

static void test_fsck__a_callback_can_stop_it(void **state)
{
	const struct store_fsck_options o = { .callbacks = { .progress = stop } };
	struct oid layer;

	(void)state;
	good_commit(&layer);
	assert_int_equal(store_fsck(repo, &o, NULL, &failure), STORE_ECANCELED);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_fsck__right_history_is_whole),
		T(test_fsck__a_false_map_of_changes_is_found),
		T(test_fsck__false_counts_of_changes_are_found),
		T(test_fsck__false_totals_are_found),
		T(test_fsck__a_false_generation_or_parent_is_found),
		T(test_fsck__open_ends_of_many_merges_are_not_kept_in_memory),
		T(test_fsck__as_many_objects_as_can_be_in_a_block_are_whole),
		T(test_fsck__a_path_over_the_limit_is_damage_of_layer_and_tree),
		T(test_fsck__an_entry_with_false_totals_is_found),
		T(test_fsck__a_missing_chunk_is_found_and_its_path_named),
		T(test_fsck__a_chunk_of_another_length_is_found),
		T(test_fsck__rows_of_objects_that_are_gone_or_false_are_found),
		T(test_fsck__a_pack_over_its_limit_is_damage),
		T(test_fsck__who_and_why_of_a_reflog_row_and_flags_of_a_pack_are_compared),
		T(test_fsck__refs_that_differ_from_the_log_are_found),
		T(test_fsck__staged_content_that_is_nowhere_is_found),
		T(test_closure__a_parent_before_its_child_is_refused),
		T(test_closure__children_pending_or_published_are_enough),
		T(test_closure__a_stage_record_needs_its_content),
		T(test_fsck__a_callback_can_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
