/*
 * Sequences: builder, nodes and cursor, over a table of nodes in memory that counts what is
 * read.  The frozen roots come from t/vectors/seq.py, which knows nothing of this code.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"
#include "data/limits.h"
#include "graph/seq.h"

#define TABLE_SLOTS 65536u

struct slot {
	struct oid id;
	struct buf data; /* data.len == 0: free */
};

struct table {
	struct hash *hash;
	struct slot *slots;
	size_t count; /* different nodes */
	size_t reads;
	size_t puts_left; /* fail after so many puts */
};

static struct slot *find_slot(struct table *t, const struct oid *id)
{
	size_t i = le32_get(id->b) % TABLE_SLOTS;

	while (t->slots[i].data.len > 0 && !id_eq(&t->slots[i].id, id))
		i = (i + 1) % TABLE_SLOTS;
	return &t->slots[i];
}

static int table_get(void *ctx, const struct oid *id, struct buf *out, struct store_error *err)
{
	struct table *t = ctx;
	const struct slot *s = find_slot(t, id);
	struct oid proof;

	t->reads++;
	if (s->data.len == 0)
		return STORE_ENOTFOUND;
	hash_once(t->hash, s->data.data, s->data.len, &proof);
	if (!id_eq(&proof, id))
		return store_error_set(err, STORE_ECORRUPT, "the bytes do not prove their id");
	return buf_set(out, s->data.data, s->data.len);
}

static int table_put(void *ctx, enum kind kind, const void *data, size_t len, struct oid *out_id,
	struct store_error *err)
{
	struct table *t = ctx;
	struct slot *s;

	assert_int_equal(kind, KIND_SEQ);
	assert_true(len <= LIMIT_NODE);
	if (t->puts_left-- == 0)
		return store_error_set(err, STORE_ENOSPACE, "the table is full");
	hash_once(t->hash, data, len, out_id);
	s = find_slot(t, out_id);
	if (s->data.len == 0) {
		s->id = *out_id;
		assert_int_equal(buf_set(&s->data, data, len), 0);
		t->count++;
		assert_true(t->count < TABLE_SLOTS);
	}
	return 0;
}

static void table_init(struct table *t)
{
	*t = (struct table){ .hash = hash_new(), .puts_left = SIZE_MAX };
	t->slots = calloc(TABLE_SLOTS, sizeof(*t->slots));
	assert_non_null(t->hash);
	assert_non_null(t->slots);
}

static void table_release(struct table *t)
{
	for (size_t i = 0; i < TABLE_SLOTS; i++)
		buf_release(&t->slots[i].data);
	free(t->slots);
	hash_free(t->hash);
}

static struct node_source source_of(struct table *t)
{
	return (struct node_source){ .get = table_get, .ctx = t };
}

static struct node_sink sink_of(struct table *t)
{
	return (struct node_sink){ .put = table_put, .ctx = t };
}

static uint64_t rng_state;

static uint64_t rng(uint64_t below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state % below;
}

/* The synthetic chunk ids that seq-roots.txt describes. */
static struct oid chunk_id(struct hash *h, char family, uint64_t number)
{
	uint8_t text[13] = "chunk";
	struct oid id;

	le64_put(text + 5, number);
	hash_once(h, text, sizeof(text), &id);
	if (family == 'n')
		id.b[7] |= 0x80;
	if (family == 'a')
		id.b[7] = 0;
	return id;
}

struct run {
	char family;
	uint64_t first, count, modulo, len, repeat;
};

struct vector {
	char name[64];
	struct run runs[8];
	size_t run_count;
	struct file_ref ref;
	size_t nodes;
};

/* The i-th row of a run; ids of one period are kept, as four million hashes would take long. */
struct chunk_cache {
	struct oid ids[2048];
	char family;
	uint64_t first, filled;
};

static struct oid run_id(struct hash *h, struct chunk_cache *c, const struct run *r, uint64_t i)
{
	const uint64_t n = i % r->modulo;

	if (r->modulo > 2048)
		return chunk_id(h, r->family, r->first + n);
	if (c->family != r->family || c->first != r->first) {
		c->family = r->family;
		c->first = r->first;
		c->filled = 0;
	}
	for (; c->filled <= n; c->filled++)
		c->ids[c->filled] = chunk_id(h, r->family, r->first + c->filled);
	return c->ids[n];
}

static bool read_vector(FILE *f, struct vector *v)
{
	char word[160];

	*v = (struct vector){ 0 };
	while (fscanf(f, "%63s", v->name) == 1) {
		if (v->name[0] == '#') {
			assert_true(fscanf(f, "%*[^\n]") >= 0);
			continue;
		}
		while (fscanf(f, "%159s", word) == 1 && strcmp(word, "=") != 0) {
			struct run *r = &v->runs[v->run_count++];

			assert_int_equal(sscanf(word,
						 "%c:%" SCNu64 ":%" SCNu64 ":%" SCNu64 ":%" SCNu64
						 ":%" SCNu64,
						 &r->family, &r->first, &r->count, &r->modulo,
						 &r->len, &r->repeat),
				6);
		}
		assert_int_equal(fscanf(f, "%hhu %" SCNu64 " %159s %zu", &v->ref.height,
					 &v->ref.size, word, &v->nodes),
			4);
		assert_int_equal(id_parse(&v->ref.id, word, strlen(word)), 0);
		return true;
	}
	return false;
}

static void add_runs(struct table *t, struct seq_builder *b, const struct vector *v)
{
	struct chunk_cache cache = { 0 };

	for (size_t k = 0; k < v->run_count; k++) {
		const struct run *r = &v->runs[k];

		for (uint64_t i = 0; i < r->count; i++) {
			const struct oid id = run_id(t->hash, &cache, r, i);

			assert_int_equal(seq_builder_add(b, &id, r->len, r->repeat, NULL), 0);
		}
	}
}

static void expect_ref(const char *name, const struct file_ref *got, const struct file_ref *want)
{
	char hex[2][ID_HEX + 1];

	if (!id_eq(&got->id, &want->id))
		fail_msg("%s: root %s, not %s", name, id_hex(hex[0], &got->id),
			id_hex(hex[1], &want->id));
	assert_int_equal(got->height, want->height);
	assert_true(got->size == want->size);
}

static struct file_ref build_vector(struct table *t, const struct vector *v)
{
	const struct node_sink sink = sink_of(t);
	struct seq_builder *b = seq_builder_new(&sink);
	struct file_ref ref;

	assert_non_null(b);
	add_runs(t, b, v);
	assert_true(seq_builder_size(b) == v->ref.size);
	assert_int_equal(seq_builder_finish(b, &ref, NULL), 0);
	assert_true(seq_builder_size(b) == 0);
	seq_builder_free(b);
	return ref;
}

/* Every chunk that was added is met, in order, and nothing else. */
static void walk_vector(struct table *t, const struct vector *v)
{
	const struct node_source source = source_of(t);
	struct seq_cursor *c = seq_cursor_new(&source, &v->ref);
	struct chunk_cache cache = { 0 };
	struct seq_row row = { 0 };
	uint64_t off = 0, expected = 0;

	assert_non_null(c);
	for (size_t k = 0; k < v->run_count; k++) {
		const struct run *r = &v->runs[k];

		for (uint64_t i = 0; i < r->count; i++) {
			const struct oid id = run_id(t->hash, &cache, r, i);

			for (uint64_t left = r->repeat; left > 0;) {
				uint64_t n;

				if (row.repeat == 0) {
					assert_int_equal(seq_cursor_next(c, &row, &off, NULL), 0);
					assert_true(off == expected && row.repeat > 0);
				}
				assert_true(id_eq(&row.id, &id) && row.len == r->len);
				n = row.repeat < left ? row.repeat : left;
				row.repeat -= n;
				left -= n;
				expected += n * r->len;
			}
		}
	}
	assert_true(row.repeat == 0);
	assert_int_equal(seq_cursor_next(c, &row, &off, NULL), STORE_ENOTFOUND);
	seq_cursor_free(c);
}

static void test_seq__frozen_roots_come_out_and_walk_back_to_what_was_added(void **state)
{
	FILE *f = fopen("t/golden/vectors/seq-roots.txt", "r");
	struct vector v;
	size_t count = 0;

	(void)state;
	assert_non_null(f);
	while (read_vector(f, &v)) {
		struct table t;
		struct file_ref ref;

		table_init(&t);
		ref = build_vector(&t, &v);
		expect_ref(v.name, &ref, &v.ref);
		assert_int_equal(t.count, v.nodes);
		walk_vector(&t, &v);
		table_release(&t);
		count++;
	}
	fclose(f);
	assert_true(count >= 30);
}

/* A made-up file: count runs of few different chunks, so that equal ones meet. */
static void random_rows(struct hash *h, struct seq_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint64_t number = rng(50);

		rows[i].id = chunk_id(h, "pna"[rng(3)], number);
		rows[i].len = 1 + number * 77;
		rows[i].repeat = 1 + rng(5);
	}
}

static struct file_ref build_rows(struct table *t, const struct seq_row *rows, size_t count)
{
	const struct node_sink sink = sink_of(t);
	struct seq_builder *b = seq_builder_new(&sink);
	struct file_ref ref;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(seq_builder_add(b, &rows[i].id, rows[i].len, rows[i].repeat, NULL),
			0);
	assert_int_equal(seq_builder_finish(b, &ref, NULL), 0);
	seq_builder_free(b);
	return ref;
}

#define ROWS 6000

static void test_seq__grouping_of_repeats_does_not_change_the_root(void **state)
{
	struct seq_row *rows = calloc(ROWS, sizeof(*rows));
	struct table t;

	(void)state;
	table_init(&t);
	rng_state = 88172645463325252u;
	for (int round = 0; round < 20; round++) {
		const size_t count = 1 + (size_t)rng(ROWS);
		const struct node_sink sink = sink_of(&t);
		struct seq_builder *b = seq_builder_new(&sink);
		struct file_ref want, got;

		random_rows(t.hash, rows, count);
		want = build_rows(&t, rows, count);
		for (size_t i = 0; i < count; i++) {
			for (uint64_t left = rows[i].repeat; left > 0;) {
				const uint64_t n = 1 + rng(left);

				assert_int_equal(seq_builder_add(b, &rows[i].id, rows[i].len, n,
							 NULL),
					0);
				left -= n;
			}
		}
		assert_int_equal(seq_builder_finish(b, &got, NULL), 0);
		expect_ref("grouping", &got, &want);
		seq_builder_free(b);
	}
	table_release(&t);
	free(rows);
}

static void test_seq__saved_and_loaded_anywhere_the_root_is_the_same(void **state)
{
	struct seq_row *rows = calloc(ROWS, sizeof(*rows));
	struct table t;

	(void)state;
	table_init(&t);
	rng_state = 1181783497276652981u;
	for (int round = 0; round < 20; round++) {
		const size_t count = 1 + (size_t)rng(ROWS);
		const struct node_sink sink = sink_of(&t);
		struct seq_builder *b = seq_builder_new(&sink);
		struct file_ref want, got;
		struct buf saved = { 0 };

		random_rows(t.hash, rows, count);
		want = build_rows(&t, rows, count);
		for (size_t i = 0; i < count; i++) {
			if (rng(count) < 8) {
				const uint64_t size = seq_builder_size(b);

				buf_clear(&saved);
				assert_int_equal(seq_builder_save(b, &saved, NULL), 0);
				seq_builder_free(b);
				b = seq_builder_new(&sink);
				assert_int_equal(seq_builder_load(b, saved.data, saved.len, NULL),
					0);
				assert_true(seq_builder_size(b) == size);
			}
			assert_int_equal(seq_builder_add(b, &rows[i].id, rows[i].len,
						 rows[i].repeat, NULL),
				0);
		}
		assert_int_equal(seq_builder_finish(b, &got, NULL), 0);
		expect_ref("saved", &got, &want);
		seq_builder_free(b);
		buf_release(&saved);
	}
	table_release(&t);
	free(rows);
}

static void test_seq__a_damaged_checkpoint_is_refused_or_harmless(void **state)
{
	struct seq_row rows[200];
	struct table t;
	struct node_sink sink;
	struct seq_builder *b;
	struct buf saved = { 0 };

	(void)state;
	table_init(&t);
	sink = sink_of(&t);
	rng_state = 42;
	random_rows(t.hash, rows, 200);
	b = seq_builder_new(&sink);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(seq_builder_add(b, &rows[i].id, rows[i].len, 1, NULL), 0);
	assert_int_equal(seq_builder_save(b, &saved, NULL), 0);
	assert_int_equal(seq_builder_load(b, saved.data, saved.len, NULL), STORE_EINVAL);
	seq_builder_free(b);
	b = seq_builder_new(&sink);
	for (size_t len = 0; len < saved.len; len++)
		assert_int_equal(seq_builder_load(b, saved.data, len, NULL), STORE_ECORRUPT);
	for (size_t i = 0; i < saved.len; i++) {
		const uint8_t whole = saved.data[i];
		int rc;

		saved.data[i] ^= (uint8_t)(1 + rng(255));
		rc = seq_builder_load(b, saved.data, saved.len, NULL);
		assert_true(rc == 0 || rc == STORE_ECORRUPT);
		if (rc == 0) {
			struct file_ref ref;

			rc = seq_builder_add(b, &rows[0].id, 1, 1, NULL);
			assert_true(rc == 0 || rc == STORE_EINVAL);
			assert_int_equal(seq_builder_finish(b, &ref, NULL), 0);
		}
		saved.data[i] = whole;
	}
	buf_add_u8(&saved, 0);
	assert_int_equal(seq_builder_load(b, saved.data, saved.len, NULL), STORE_ECORRUPT);
	assert_true(seq_builder_size(b) == 0);
	seq_builder_free(b);
	buf_release(&saved);
	table_release(&t);
}

static void test_seq__a_hole_of_16_tib_is_one_node_of_a_few_bytes(void **state)
{
	struct table t;
	struct node_sink sink;
	struct node_source source;
	struct seq_builder *b;
	struct seq_cursor *c;
	struct file_ref ref;
	struct seq_row row;
	struct oid zeros;
	uint64_t off;

	(void)state;
	table_init(&t);
	sink = sink_of(&t);
	source = source_of(&t);
	zeros = chunk_id(t.hash, 'p', 0);
	b = seq_builder_new(&sink);
	/* In two pieces: the run is whole all the same. */
	assert_int_equal(seq_builder_add(b, &zeros, 262144, 1u << 25, NULL), 0);
	assert_int_equal(seq_builder_add(b, &zeros, 262144, 1u << 25, NULL), 0);
	assert_int_equal(seq_builder_finish(b, &ref, NULL), 0);
	assert_int_equal(t.count, 1);
	assert_true(find_slot(&t, &ref.id)->data.len < 64);
	c = seq_cursor_new(&source, &ref);
	assert_int_equal(seq_cursor_next(c, &row, &off, NULL), 0);
	assert_true(off == 0 && row.repeat == 1u << 26);
	assert_int_equal(seq_cursor_seek(c, ref.size - 1, NULL), 0);
	assert_int_equal(seq_cursor_next(c, &row, &off, NULL), 0);
	assert_true(off == ref.size - 262144 && row.repeat == 1);
	assert_int_equal(seq_cursor_next(c, &row, &off, NULL), STORE_ENOTFOUND);
	assert_int_equal(t.reads, 1);
	seq_cursor_free(c);
	seq_builder_free(b);
	table_release(&t);
}

static void test_seq__of_two_million_chunks_a_seek_reads_one_node_per_level(void **state)
{
	const struct vector v = { .name = "three levels",
		.runs = { { 'p', 0, 2000000, 2000000, 65536, 1 } },
		.run_count = 1,
		.ref = { .size = UINT64_C(131072000000) } };
	struct table t;
	struct node_source source;
	struct file_ref ref;
	struct seq_cursor *c;
	struct seq_row row;
	uint64_t off, seen = 0;

	(void)state;
	table_init(&t);
	ref = build_vector(&t, &v);
	assert_int_equal(ref.height, 3);
	source = source_of(&t);
	c = seq_cursor_new(&source, &ref);
	assert_int_equal(t.reads, 0);
	rng_state = 7;
	for (int i = 0; i < 2000; i++) {
		const uint64_t want = rng(ref.size);
		struct oid id = chunk_id(t.hash, 'p', want / 65536);

		t.reads = 0;
		assert_int_equal(seq_cursor_seek(c, want, NULL), 0);
		assert_int_equal(seq_cursor_next(c, &row, &off, NULL), 0);
		assert_true(t.reads <= 3);
		assert_true(id_eq(&row.id, &id) && off == want - want % 65536 && row.repeat == 1);
	}
	/* A short way from where it stands costs nothing at all. */
	assert_int_equal(seq_cursor_seek(c, UINT64_C(65536) * 3, NULL), 0);
	t.reads = 0;
	assert_int_equal(seq_cursor_seek(c, UINT64_C(65536) * 5, NULL), 0);
	assert_int_equal(t.reads, 0);
	seq_cursor_free(c);
	c = seq_cursor_new(&source, &ref);
	while (seq_cursor_next(c, &row, &off, NULL) == 0)
		seen++;
	assert_true(seen == 2000000);
	assert_int_equal(t.reads, t.count);
	seq_cursor_free(c);
	table_release(&t);
}

static void test_seq__seek_finds_the_chunk_of_every_offset(void **state)
{
	struct seq_row *rows = calloc(ROWS, sizeof(*rows));
	struct table t;
	struct node_source source;
	struct file_ref ref;
	struct seq_cursor *c;

	(void)state;
	table_init(&t);
	source = source_of(&t);
	rng_state = 99;
	random_rows(t.hash, rows, ROWS);
	ref = build_rows(&t, rows, ROWS);
	c = seq_cursor_new(&source, &ref);
	for (int round = 0; round < 300; round++) {
		const size_t i = (size_t)rng(ROWS);
		const uint64_t copy = rng(rows[i].repeat);
		uint64_t start = 0, off;
		struct seq_row row;

		for (size_t k = 0; k < i; k++)
			start += rows[k].len * rows[k].repeat;
		start += copy * rows[i].len;
		assert_int_equal(seq_cursor_seek(c, start + rng(rows[i].len), NULL), 0);
		assert_int_equal(seq_cursor_next(c, &row, &off, NULL), 0);
		assert_true(off == start && row.len == rows[i].len && id_eq(&row.id, &rows[i].id));
		assert_true(row.repeat >= rows[i].repeat - copy);
	}
	assert_int_equal(seq_cursor_seek(c, ref.size, NULL), 0);
	assert_int_equal(seq_cursor_next(c, &rows[0], &ref.size, NULL), STORE_ENOTFOUND);
	assert_int_equal(seq_cursor_seek(c, UINT64_MAX, NULL), 0);
	assert_int_equal(seq_cursor_next(c, &rows[0], &ref.size, NULL), STORE_ENOTFOUND);
	seq_cursor_free(c);
	table_release(&t);
	free(rows);
}

static void test_seq__a_node_that_follows_itself_is_one_row_and_one_read(void **state)
{
	/* 50 equal nodes of 1024 rows, then some more chunks. */
	const struct vector v = { .name = "equal nodes",
		.runs = { { 'n', 0, 51200, 1024, 10, 1 }, { 'p', 0, 3, 3, 10, 1 } },
		.run_count = 2,
		.ref = { .size = 512030 } };
	struct table t;
	struct node_source source;
	struct seq_node node;
	struct file_ref ref;
	struct seq_cursor *c;
	struct seq_row row;
	const struct slot *root;
	uint64_t off, seen = 0;

	(void)state;
	table_init(&t);
	source = source_of(&t);
	ref = build_vector(&t, &v);
	assert_int_equal(ref.height, 2);
	assert_int_equal(t.count, 3);
	root = find_slot(&t, &ref.id);
	seq_node_init(&node);
	assert_int_equal(seq_node_decode(&node, root->data.data, root->data.len, 2, ref.size, NULL),
		0);
	assert_int_equal(node.count, 2);
	assert_true(node.rows[0].repeat == 50 && node.rows[0].len == 10240);
	seq_node_release(&node);
	c = seq_cursor_new(&source, &ref);
	while (seq_cursor_next(c, &row, &off, NULL) == 0)
		assert_true(off == 10 * seen++);
	assert_true(seen == 51203);
	assert_int_equal(t.reads, 3);
	assert_int_equal(seq_cursor_seek(c, 10240 * 49 + 10 * 1023, NULL), 0);
	for (int i = 0; i < 4; i++) {
		const struct oid id = chunk_id(t.hash, i == 0 ? 'n' : 'p', i == 0 ? 1023 : i - 1);

		assert_int_equal(seq_cursor_next(c, &row, &off, NULL), 0);
		assert_true(id_eq(&row.id, &id));
	}
	seq_cursor_free(c);
	table_release(&t);
}

static void test_seq__a_single_child_is_the_root_only_when_it_comes_once(void **state)
{
	struct table t;
	struct node_sink sink;
	struct seq_builder *b;
	struct file_ref ref;
	struct oid id;

	(void)state;
	table_init(&t);
	sink = sink_of(&t);
	id = chunk_id(t.hash, 'a', 1);
	b = seq_builder_new(&sink);
	assert_int_equal(seq_builder_finish(b, &ref, NULL), 0);
	assert_true(ref.height == 0 && ref.size == 0 && id_eq(&ref.id, &hash_empty_file));
	assert_int_equal(seq_builder_add(b, &id, 100, 1, NULL), 0);
	assert_int_equal(seq_builder_finish(b, &ref, NULL), 0);
	assert_true(ref.height == 0 && ref.size == 100 && id_eq(&ref.id, &id));
	assert_int_equal(t.count, 0);
	/* The builder is empty again and takes the next file. */
	assert_int_equal(seq_builder_add(b, &id, 100, 2, NULL), 0);
	assert_int_equal(seq_builder_finish(b, &ref, NULL), 0);
	assert_true(ref.height == 1 && ref.size == 200 && t.count == 1);
	seq_builder_free(b);
	table_release(&t);
}

static void test_seq__a_size_beyond_64_bits_is_refused_and_nothing_changes(void **state)
{
	struct table t;
	struct node_sink sink;
	struct seq_builder *b;
	struct store_error err;
	struct file_ref ref;
	struct oid id;

	(void)state;
	table_init(&t);
	sink = sink_of(&t);
	id = chunk_id(t.hash, 'p', 1);
	b = seq_builder_new(&sink);
	assert_int_equal(seq_builder_add(b, &id, 2, UINT64_MAX, &err), STORE_EINVAL);
	assert_string_equal(err.msg, "the file exceeds 64 bits of length");
	assert_int_equal(seq_builder_add(b, &id, 3, UINT64_MAX / 3, NULL), 0);
	assert_int_equal(seq_builder_add(b, &id, 1, 1, NULL), STORE_EINVAL);
	assert_int_equal(seq_builder_add(b, &id, 0, 1, NULL), STORE_EINVAL);
	assert_int_equal(seq_builder_add(b, &id, 1, 0, NULL), STORE_EINVAL);
	assert_int_equal(seq_builder_add(b, &id, LIMIT_OBJECT + 1ull, 1, NULL), STORE_EINVAL);
	assert_int_equal(seq_builder_finish(b, &ref, NULL), 0);
	assert_true(ref.size == UINT64_MAX && ref.height == 1);
	seq_builder_free(b);
	table_release(&t);
}

static void test_seq__after_a_failed_put_the_builder_gives_nothing_more(void **state)
{
	struct table t;
	struct node_sink sink;
	struct seq_builder *b;
	struct file_ref ref;
	struct buf saved = { 0 };
	int rc = 0;

	(void)state;
	table_init(&t);
	t.puts_left = 3;
	sink = sink_of(&t);
	b = seq_builder_new(&sink);
	for (uint64_t i = 0; rc == 0 && i < 1000; i++) {
		const struct oid id = chunk_id(t.hash, 'a', i);

		rc = seq_builder_add(b, &id, 10, 1, NULL);
	}
	assert_int_equal(rc, STORE_ENOSPACE);
	t.puts_left = SIZE_MAX;
	assert_int_equal(seq_builder_add(b, &hash_empty_file, 10, 1, NULL), STORE_ENOSPACE);
	assert_int_equal(seq_builder_save(b, &saved, NULL), STORE_ENOSPACE);
	assert_int_equal(seq_builder_finish(b, &ref, NULL), STORE_ENOSPACE);
	seq_builder_free(b);
	buf_release(&saved);
	table_release(&t);
}

/* A node of count rows of family, from hand-made bytes. */
static void make_node(struct buf *out, struct hash *h, uint8_t level, size_t count, char family)
{
	buf_clear(out);
	buf_add(out, "SQ\1", 3);
	buf_add_u8(out, level);
	buf_add_leb(out, count);
	for (size_t i = 0; i < count; i++) {
		const struct oid id = chunk_id(h, family, i);

		buf_add(out, id.b, ID_LEN);
		buf_add_leb(out, 10);
		buf_add_leb(out, 2);
	}
	assert_int_equal(buf_check(out, NULL), 0);
}

static void refuse_node(const struct buf *data, uint8_t level, uint64_t size, const char *message)
{
	struct seq_node node;
	struct store_error err = { 0 };

	seq_node_init(&node);
	assert_int_equal(seq_node_decode(&node, data->data, data->len, level, size, &err),
		STORE_ECORRUPT);
	if (!strstr(err.msg, message))
		fail_msg("'%s' does not say '%s'", err.msg, message);
	assert_int_equal(node.count, 0);
	seq_node_release(&node);
}

static void test_seq__a_node_against_any_rule_is_refused_with_the_reason(void **state)
{
	struct table t;
	struct buf n = { 0 };
	struct seq_node node;

	(void)state;
	table_init(&t);
	make_node(&n, t.hash, 1, 2, 'n');
	seq_node_init(&node);
	assert_int_equal(seq_node_decode(&node, n.data, n.len, 1, 40, NULL), 0);
	assert_int_equal(seq_node_decode(&node, n.data, n.len, 1, UINT64_MAX, NULL), 0);
	assert_true(node.size == 40 && node.count == 2);
	seq_node_release(&node);
	refuse_node(&n, 2, 40, "level 1 where level 2 is due");
	refuse_node(&n, 0, 40, "level");
	refuse_node(&n, 1, 41, "holds 40 bytes of content where 41 are due");
	n.data[2] = 2;
	refuse_node(&n, 1, 40, "unknown seq node version 2");
	n.data[0] = 'M';
	refuse_node(&n, 1, 40, "no seq node");
	make_node(&n, t.hash, LIMIT_LEVEL + 1, 2, 'n');
	refuse_node(&n, LIMIT_LEVEL + 1, 40, "level");
	make_node(&n, t.hash, 1, 2, 'n');
	buf_add_u8(&n, 0);
	refuse_node(&n, 1, 40, "bytes follow the last row");
	make_node(&n, t.hash, 1, 0, 'n');
	refuse_node(&n, 1, 0, "number of rows");
	make_node(&n, t.hash, 1, 1025, 'n');
	refuse_node(&n, 1, 20500, "number of rows");
	make_node(&n, t.hash, 1, 2, 'n');
	n.data[4] = 3;
	refuse_node(&n, 1, 60, "number of rows");
	make_node(&n, t.hash, 1, 17, 'a');
	refuse_node(&n, 1, 340, "behind its border");
	make_node(&n, t.hash, 1, 16, 'a');
	seq_node_init(&node);
	assert_int_equal(seq_node_decode(&node, n.data, n.len, 1, 320, NULL), 0);
	seq_node_release(&node);
	make_node(&n, t.hash, 1, 2, 'n');
	memcpy(n.data + 5 + 34, n.data + 5, 34);
	refuse_node(&n, 1, 40, "are one run");
	make_node(&n, t.hash, 1, 2, 'n');
	n.data[5 + 32] = 0;
	refuse_node(&n, 1, 20, "row is empty");
	make_node(&n, t.hash, 1, 2, 'n');
	n.data[5 + 33] = 0;
	refuse_node(&n, 1, 20, "row is empty");
	buf_release(&n);
	table_release(&t);
}

static void test_seq__numbers_that_overflow_or_are_too_long_are_refused(void **state)
{
	static const uint8_t head[5] = { 'S', 'Q', 1, 1, 1 };
	struct buf n = { 0 };

	(void)state;
	buf_add(&n, head, sizeof(head));
	buf_add(&n, hash_empty_file.b, ID_LEN);
	buf_add_leb(&n, 3);
	buf_add_leb(&n, UINT64_MAX / 3 + 1);
	refuse_node(&n, 1, UINT64_MAX, "exceed 64 bits");
	n.len = 5 + ID_LEN;
	buf_add_leb(&n, LIMIT_OBJECT + 1);
	buf_add_leb(&n, 1);
	refuse_node(&n, 1, UINT64_MAX, "larger than an object");
	n.len = 5 + ID_LEN;
	buf_add(&n, "\x83\x00\x01", 3); /* 3 in two bytes */
	refuse_node(&n, 1, UINT64_MAX, "bad number");
	buf_clear(&n);
	for (size_t i = 0; i <= LIMIT_NODE; i++)
		buf_add_u8(&n, 'S');
	refuse_node(&n, 1, UINT64_MAX, "too long");
	buf_release(&n);
}

static void test_seq__a_node_cut_anywhere_is_refused_and_a_flipped_byte_never_passes(void **state)
{
	struct table t;
	struct node_source source;
	struct file_ref ref;
	struct buf n = { 0 };
	struct seq_node node;

	(void)state;
	table_init(&t);
	source = source_of(&t);
	make_node(&n, t.hash, 1, 15, 'n');
	seq_node_init(&node);
	for (size_t len = 0; len < n.len; len++) {
		/* A copy of just that length, so that a sanitizer sees a read behind it. */
		uint8_t *part = malloc(len + 1);

		memcpy(part + 1, n.data, len);
		assert_int_equal(seq_node_decode(&node, part + 1, len, 1, UINT64_MAX, NULL),
			STORE_ECORRUPT);
		free(part);
	}
	assert_int_equal(table_put(&t, KIND_SEQ, n.data, n.len, &ref.id, NULL), 0);
	ref.height = 1;
	ref.size = 300;
	for (size_t i = 0; i < n.len; i++) {
		struct slot *s = find_slot(&t, &ref.id);
		struct seq_cursor *c;
		struct seq_row row;
		uint64_t off;
		int rc;

		s->data.data[i] ^= 0x5a;
		rc = seq_node_decode(&node, s->data.data, s->data.len, 1, 300, NULL);
		assert_true(rc == STORE_ECORRUPT || (rc == 0 && i >= 5));
		c = seq_cursor_new(&source, &ref);
		assert_int_equal(seq_cursor_next(c, &row, &off, NULL), STORE_ECORRUPT);
		seq_cursor_free(c);
		s->data.data[i] ^= 0x5a;
	}
	seq_node_release(&node);
	buf_release(&n);
	table_release(&t);
}

static void refuse_ref(struct table *t, const struct file_ref *ref, const char *message)
{
	const struct node_source source = source_of(t);
	struct seq_cursor *c = seq_cursor_new(&source, ref);
	struct store_error err = { 0 };
	struct seq_row row;
	uint64_t off;

	assert_int_equal(seq_cursor_next(c, &row, &off, &err), STORE_ECORRUPT);
	if (!strstr(err.msg, message))
		fail_msg("'%s' does not say '%s'", err.msg, message);
	assert_int_equal(seq_cursor_seek(c, 0, NULL), STORE_ECORRUPT);
	seq_cursor_free(c);
}

static void test_seq__a_reference_that_lies_is_refused(void **state)
{
	struct table t;
	struct file_ref ref = { .height = 1, .size = 40 };
	struct buf n = { 0 };

	(void)state;
	table_init(&t);
	refuse_ref(&t, &ref, "seq node 000000000000 is missing");
	make_node(&n, t.hash, 1, 2, 'n');
	assert_int_equal(table_put(&t, KIND_SEQ, n.data, n.len, &ref.id, NULL), 0);
	ref.size = 39;
	refuse_ref(&t, &ref, "holds 40 bytes of content where 39 are due");
	ref = (struct file_ref){ .id = ref.id, .height = 2, .size = 40 };
	refuse_ref(&t, &ref, "level 1 where level 2 is due");
	ref.height = LIMIT_LEVEL + 1;
	refuse_ref(&t, &ref, "height 33");
	ref = (struct file_ref){ .id = ref.id };
	refuse_ref(&t, &ref, "without bytes has content");
	ref = (struct file_ref){ .id = hash_empty_file, .height = 1 };
	refuse_ref(&t, &ref, "without bytes has content");
	ref = (struct file_ref){ .size = LIMIT_OBJECT + 1ull };
	refuse_ref(&t, &ref, "single chunk");
	make_node(&n, t.hash, 1, 1, 'n');
	n.data[n.len - 1] = 1;
	assert_int_equal(table_put(&t, KIND_SEQ, n.data, n.len, &ref.id, NULL), 0);
	ref = (struct file_ref){ .id = ref.id, .height = 1, .size = 10 };
	refuse_ref(&t, &ref, "root with a single child");
	buf_release(&n);
	table_release(&t);
}

/* Answers every id with one node of level 3 that names itself: what a broken hash would allow. */
static int get_loop(void *ctx, const struct oid *id, struct buf *out, struct store_error *err)
{
	size_t *reads = ctx;

	(void)err;
	++*reads;
	buf_clear(out);
	buf_add(out, "SQ\1\3\1", 5);
	buf_add(out, id->b, ID_LEN);
	buf_add_leb(out, 10);
	buf_add_leb(out, 2);
	return buf_check(out, NULL);
}

static void test_seq__a_node_that_names_itself_ends_the_walk(void **state)
{
	size_t reads = 0;
	const struct node_source source = { .get = get_loop, .ctx = &reads };
	const struct file_ref ref = { .height = 3, .size = 20 };
	struct seq_cursor *c = seq_cursor_new(&source, &ref);
	struct seq_row row;
	uint64_t off;

	(void)state;
	assert_int_equal(seq_cursor_next(c, &row, &off, NULL), STORE_ECORRUPT);
	assert_int_equal(reads, 2);
	seq_cursor_free(c);
}

static void test_seq__a_cursor_goes_on_after_an_error_that_went_away(void **state)
{
	const struct vector v = { .name = "gap",
		.runs = { { 'a', 0, 64, 64, 10, 1 } },
		.run_count = 1,
		.ref = { .size = 640 } };
	struct table t;
	struct node_source source;
	struct file_ref ref;
	struct seq_cursor *c;
	struct seq_node root;
	struct seq_row row;
	struct slot *slot;
	uint64_t off = 0;
	size_t len;

	(void)state;
	table_init(&t);
	source = source_of(&t);
	ref = build_vector(&t, &v);
	slot = find_slot(&t, &ref.id);
	seq_node_init(&root);
	assert_int_equal(seq_node_decode(&root, slot->data.data, slot->data.len, 2, 640, NULL), 0);
	slot = find_slot(&t, &root.rows[1].id);
	len = slot->data.len;
	slot->data.len = 0;
	c = seq_cursor_new(&source, &ref);
	for (int i = 0; i < 16; i++)
		assert_int_equal(seq_cursor_next(c, &row, &off, NULL), 0);
	assert_int_equal(seq_cursor_next(c, &row, &off, NULL), STORE_ECORRUPT);
	assert_int_equal(seq_cursor_seek(c, 161, NULL), STORE_ECORRUPT);
	slot->data.len = len;
	assert_int_equal(seq_cursor_next(c, &row, &off, NULL), 0);
	assert_true(off == 160);
	seq_cursor_free(c);
	seq_node_release(&root);
	table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seq__frozen_roots_come_out_and_walk_back_to_what_was_added),
		cmocka_unit_test(test_seq__grouping_of_repeats_does_not_change_the_root),
		cmocka_unit_test(test_seq__saved_and_loaded_anywhere_the_root_is_the_same),
		cmocka_unit_test(test_seq__a_damaged_checkpoint_is_refused_or_harmless),
		cmocka_unit_test(test_seq__a_hole_of_16_tib_is_one_node_of_a_few_bytes),
		cmocka_unit_test(test_seq__of_two_million_chunks_a_seek_reads_one_node_per_level),
		cmocka_unit_test(test_seq__seek_finds_the_chunk_of_every_offset),
		cmocka_unit_test(test_seq__a_node_that_follows_itself_is_one_row_and_one_read),
		cmocka_unit_test(test_seq__a_single_child_is_the_root_only_when_it_comes_once),
		cmocka_unit_test(test_seq__a_size_beyond_64_bits_is_refused_and_nothing_changes),
		cmocka_unit_test(test_seq__after_a_failed_put_the_builder_gives_nothing_more),
		cmocka_unit_test(test_seq__a_node_against_any_rule_is_refused_with_the_reason),
		cmocka_unit_test(test_seq__numbers_that_overflow_or_are_too_long_are_refused),
		cmocka_unit_test(
			test_seq__a_node_cut_anywhere_is_refused_and_a_flipped_byte_never_passes),
		cmocka_unit_test(test_seq__a_reference_that_lies_is_refused),
		cmocka_unit_test(test_seq__a_node_that_names_itself_ends_the_walk),
		cmocka_unit_test(test_seq__a_cursor_goes_on_after_an_error_that_went_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
