/*
 * Building a sequence: chunks go in, nodes come out as they close.
 *
 * Rows are maximal runs of equal children, formed before borders are looked for and never
 * split.  So each level holds one pending row back until a different child comes; only then is the
 * run known to be whole, and only then does it join the open node and may end it.  A closed node is
 * a child of the level above.
 *
 *     chunk -> [pending] -> open node --border--> put -> [pending, next level] -> open node ...
 *
 * Invariants:
 *  1. Levels 1..used each have a pending row; a level above used is untouched.
 *  2. An open node has fewer than 1024 rows, none of which closes it, and its last row differs
 *     from the pending one.
 *  3. The content below all open nodes and pending rows of all levels is what was added, each
 *     byte once.  Hence one check of the total against 64 bits guards every sum in here.
 *
 * A failed put leaves a hole in the row of nodes, so the builder keeps that error and gives it back
 * from then on.  The saved form ("SB") is private to a repository's own database: it is checked for
 * what would harm memory or break invariant 2, but it proves nothing about the nodes that were
 * closed before.
 */
#include "graph/seq_internal.h"

#include "base/error.h"
#include "base/trace.h"
#include "data/limits.h"

struct level {
	struct buf rows;     /* rows of the open node, encoded */
	size_t count;        /* how many */
	uint64_t size;       /* content bytes below them */
	struct seq_row last; /* the last of them, when count > 0 */
	struct seq_row pending;
};

struct seq_builder {
	struct node_sink sink;
	struct level levels[LIMIT_LEVEL]; /* [0] is level 1 */
	size_t used;
	uint64_t size;
	struct buf node; /* the node being put */
	int broken;      /* the error that ended the row of nodes, or 0 */
};

static void clear_levels(struct seq_builder *b)
{
	for (size_t i = 0; i < b->used; i++) {
		buf_clear(&b->levels[i].rows);
		b->levels[i].count = 0;
		b->levels[i].size = 0;
	}
	b->used = 0;
	b->size = 0;
	b->broken = 0;
}

/* The pending row is a whole run now: into the open node with it. */
static int append_pending(struct level *l, struct store_error *err)
{
	seq_row_encode(&l->rows, &l->pending);
	l->count++;
	l->size += l->pending.len * l->pending.repeat;
	l->last = l->pending;
	return buf_check(&l->rows, err);
}

/* Put the open node of level k; *child stands for it in the level above. */
static int close_node(struct seq_builder *b, size_t k, struct seq_row *child,
	struct store_error *err)
{
	struct level *l = &b->levels[k - 1];
	int rc;

	buf_clear(&b->node);
	buf_add(&b->node, "SQ", 2);
	buf_add_u8(&b->node, SEQ_VERSION);
	buf_add_u8(&b->node, (uint8_t)k);
	buf_add_leb(&b->node, l->count);
	buf_add(&b->node, l->rows.data, l->rows.len);
	rc = buf_check(&b->node, err);
	if (rc != 0)
		return rc;
	rc = node_put(&b->sink, KIND_SEQ, b->node.data, b->node.len, &child->id, err);
	if (rc != 0)
		return rc;
	TRACE(TRACE_NODE, "put=seq level=%zu rows=%zu bytes=%zu", k, l->count, b->node.len);
	child->len = l->size;
	child->repeat = 1;
	buf_clear(&l->rows);
	l->count = 0;
	l->size = 0;
	return 0;
}

/* Add a child to level k, and what closes because of it to the levels above. */
static int push(struct seq_builder *b, size_t k, struct seq_row row, struct store_error *err)
{
	for (;; k++) {
		struct level *l;
		int rc;

		if (k > LIMIT_LEVEL)
			return store_error_set(err, STORE_EINVAL,
				"the file needs too many levels of nodes");
		l = &b->levels[k - 1];
		if (k > b->used) {
			l->pending = row;
			b->used = k;
			return 0;
		}
		if (seq_row_same(&l->pending, &row)) {
			l->pending.repeat += row.repeat;
			return 0;
		}
		rc = append_pending(l, err);
		l->pending = row;
		if (rc != 0 || !seq_row_closes(&l->last, l->count))
			return rc;
		rc = close_node(b, k, &row, err);
		if (rc != 0)
			return rc;
	}
}

static int refuse_broken(const struct seq_builder *b, struct store_error *err)
{
	return store_error_set(err, b->broken, "the sequence was given up after an earlier error");
}

struct seq_builder *seq_builder_new(const struct node_sink *sink)
{
	struct seq_builder *b = calloc(1, sizeof(*b));

	if (b)
		b->sink = *sink;
	return b;
}

void seq_builder_free(struct seq_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < LIMIT_LEVEL; i++)
		buf_release(&b->levels[i].rows);
	buf_release(&b->node);
	free(b);
}

int seq_builder_add(struct seq_builder *b, const struct oid *id, uint64_t len, uint64_t repeat,
	struct store_error *err)
{
	const struct seq_row row = { .id = *id, .len = len, .repeat = repeat };
	uint64_t bytes, size;

	if (b->broken != 0)
		return refuse_broken(b, err);
	if (len == 0 || repeat == 0 || len > LIMIT_OBJECT)
		return store_error_set(err, STORE_EINVAL,
			"a chunk cannot have %llu bytes %llu times", (unsigned long long)len,
			(unsigned long long)repeat);
	if (u64_mul(len, repeat, &bytes) || u64_add(b->size, bytes, &size))
		return store_error_set(err, STORE_EINVAL, "the file exceeds 64 bits of length");
	b->broken = push(b, 1, row, err);
	if (b->broken == 0)
		b->size = size;
	return b->broken;
}

uint64_t seq_builder_size(const struct seq_builder *b)
{
	return b->size;
}

int seq_builder_finish(struct seq_builder *b, struct file_ref *out, struct store_error *err)
{
	if (b->broken != 0)
		return refuse_broken(b, err);
	*out = (struct file_ref){ .id = hash_empty_file };
	for (size_t k = 1; k <= b->used; k++) {
		struct level *l = &b->levels[k - 1];
		struct seq_row child;

		if (k == b->used && l->count == 0 && l->pending.repeat == 1) {
			out->id = l->pending.id;
			out->height = (uint8_t)(k - 1);
			out->size = b->size;
			break;
		}
		b->broken = append_pending(l, err);
		if (b->broken == 0)
			b->broken = close_node(b, k, &child, err);
		if (b->broken == 0)
			b->broken = push(b, k + 1, child, err);
		if (b->broken != 0)
			return b->broken;
	}
	clear_levels(b);
	return 0;
}

int seq_builder_save(const struct seq_builder *b, struct buf *out, struct store_error *err)
{
	if (b->broken != 0)
		return refuse_broken(b, err);
	buf_add(out, "SB", 2);
	buf_add_u8(out, SEQ_VERSION);
	buf_add_u8(out, (uint8_t)b->used);
	for (size_t i = 0; i < b->used; i++) {
		const struct level *l = &b->levels[i];

		buf_add_leb(out, l->count);
		buf_add(out, l->rows.data, l->rows.len);
		seq_row_encode(out, &l->pending);
	}
	return buf_check(out, err);
}

static int load_level(struct seq_builder *b, size_t k, struct span *s, struct store_error *err)
{
	struct level *l = &b->levels[k - 1];
	const uint64_t count = span_leb(s);
	int rc = 0;

	if (s->bad || count >= LIMIT_ROWS || count > span_left(s) / SEQ_ROW_MIN)
		return store_error_set(err, STORE_ECORRUPT, "the number of open rows cannot be");
	b->used = k;
	for (uint64_t i = 0; i <= count; i++) {
		const struct seq_row *prev = l->count > 0 ? &l->last : NULL;
		uint64_t bytes = b->size;

		rc = seq_row_decode(s, (uint8_t)k, prev, &l->pending, &bytes, err);
		if (rc != 0)
			return rc;
		b->size = bytes;
		if (i == count)
			break;
		rc = append_pending(l, err);
		if (rc != 0)
			return rc;
		if (seq_row_closes(&l->last, l->count))
			return store_error_set(err, STORE_ECORRUPT,
				"an open node has passed its border");
	}
	return 0;
}

int seq_builder_load(struct seq_builder *b, const void *data, size_t len, struct store_error *err)
{
	struct span s = span_of(data, len);
	const uint8_t *head = span_take(&s, SEQ_NODE_HEAD);
	int rc = 0;

	if (b->used != 0 || b->broken != 0)
		return store_error_set(err, STORE_EINVAL, "the sequence has begun already");
	if (!head || memcmp(head, "SB\1", 3) != 0 || head[3] > LIMIT_LEVEL)
		return store_error_set(err, STORE_ECORRUPT, "this is no saved sequence");
	for (size_t k = 1; rc == 0 && k <= head[3]; k++)
		rc = load_level(b, k, &s, err);
	if (rc == 0 && span_left(&s) > 0)
		rc = store_error_set(err, STORE_ECORRUPT, "bytes follow the saved sequence");
	if (rc != 0)
		clear_levels(b);
	return rc;
}

static int each_of_level(const struct level *l, uint8_t k, seq_id_fn *fn, void *ctx,
	struct store_error *err)
{
	struct span s = span_of(l->rows.data, l->rows.len);
	struct seq_row row, prev;
	uint64_t bytes = 0;
	int rc = 0;

	for (size_t i = 0; i < l->count && rc == 0; i++) {
		rc = seq_row_decode(&s, k, i > 0 ? &prev : NULL, &row, &bytes, err);
		if (rc == 0)
			rc = fn(ctx, &row.id, err);
		prev = row;
	}
	return rc == 0 ? fn(ctx, &l->pending.id, err) : rc;
}

int seq_builder_each(const struct seq_builder *b, seq_id_fn *fn, void *ctx, struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < b->used && rc == 0; i++)
		rc = each_of_level(&b->levels[i], (uint8_t)(i + 1), fn, ctx, err);
	return rc;
}
