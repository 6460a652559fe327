/*
 * Walking a sequence: one frame per level, the root's on top, chunks below frame 1.
 *
 *     frame[height]   root node, the row and copy that leads down
 *     ...
 *     frame[1]        node whose rows are chunks; its row is the next answer
 *
 * `level` is the lowest frame that is true.  A step beyond the last row of a node climbs, and only
 * the next call goes down again, so that a node is read when a chunk below it is asked for and not
 * before.  A node that follows itself (repeat > 1) and one that a seek comes back to are not read
 * again: a frame knows whose node it holds.
 *
 * Reading is where trees that were made to harm show themselves.  Each child must have the level
 * and the content length that its row says; the root must have the size of the reference; so
 * offsets cannot overflow, the walk goes down at most LIMIT_LEVEL steps and ends.  A node that is
 * missing is corruption here: ENOTFOUND means the end of the file and nothing else.
 */
#include "graph/seq_internal.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/trace.h"
#include "data/limits.h"

struct frame {
	struct seq_node node;
	struct oid id; /* whose node it is, when is_loaded */
	bool is_loaded;
	size_t row;    /* the child stood on: this row ... */
	uint64_t copy; /* ... and so many copies of it passed */
	uint64_t off;  /* of the child's first byte in the file */
};

struct seq_cursor {
	struct node_source source;
	struct file_ref ref;
	struct frame *frames; /* frames[level]; frames[0] is not used */
	size_t frame_count;
	struct buf bytes; /* of the node being read */
	size_t level;     /* the lowest true frame; above height: at the end */
	bool is_placed;   /* false: stand on want before the next step */
	uint64_t want;
};

static bool at_end(const struct seq_cursor *c)
{
	return c->level > c->ref.height;
}

static int check_ref(const struct seq_cursor *c, struct store_error *err)
{
	const struct file_ref *r = &c->ref;

	if (r->height > LIMIT_LEVEL)
		return store_error_set(err, STORE_ECORRUPT, "a file of height %d cannot be",
			r->height);
	if (r->size == 0 && (r->height != 0 || !id_eq(&r->id, &hash_empty_file)))
		return store_error_set(err, STORE_ECORRUPT, "a file without bytes has content");
	if (r->height == 0 && r->size > LIMIT_OBJECT)
		return store_error_set(err, STORE_ECORRUPT,
			"a single chunk of %llu bytes cannot be", (unsigned long long)r->size);
	return 0;
}

static int read_node(struct seq_cursor *c, size_t level, const struct oid *id, uint64_t size,
	struct store_error *err)
{
	struct frame *f = &c->frames[level];
	char hex[13];
	int rc;

	f->is_loaded = false;
	rc = node_get(&c->source, id, &c->bytes, err);
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_ECORRUPT,
			"seq node %s is missing (run 'store fsck')", id_short(hex, id));
	if (rc != 0)
		return rc;
	rc = seq_node_decode(&f->node, c->bytes.data, c->bytes.len, (uint8_t)level, size, err);
	if (rc != 0)
		return store_error_wrap(err, rc, "seq node %s", id_short(hex, id));
	if (level == c->ref.height && f->node.count == 1 && f->node.rows[0].repeat == 1)
		return store_error_set(err, STORE_ECORRUPT,
			"seq node %s is a root with a single child", id_short(hex, id));
	TRACE(TRACE_NODE, "get=seq level=%zu rows=%zu bytes=%zu", level, f->node.count,
		c->bytes.len);
	f->id = *id;
	f->is_loaded = true;
	return 0;
}

/* Make the frame of this level hold node id and stand on its first child, which begins at off. */
static int enter(struct seq_cursor *c, size_t level, const struct oid *id, uint64_t size,
	uint64_t off, struct store_error *err)
{
	struct frame *f = &c->frames[level];

	if (!f->is_loaded || f->node.size != size || !id_eq(&f->id, id)) {
		const int rc = read_node(c, level, id, size, err);

		if (rc != 0)
			return rc;
	}
	f->row = 0;
	f->copy = 0;
	f->off = off;
	c->level = level;
	return 0;
}

/* Enter the child that the lowest frame stands on. */
static int descend(struct seq_cursor *c, struct store_error *err)
{
	const struct frame *f = &c->frames[c->level];
	const struct seq_row *row = &f->node.rows[f->row];

	return enter(c, c->level - 1, &row->id, row->len, f->off, err);
}

/* Within a frame that stands on its first child, go to the one that holds byte off. */
static void move_to(struct frame *f, uint64_t off)
{
	for (;; f->row++) {
		const struct seq_row *row = &f->node.rows[f->row];
		const uint64_t copies = (off - f->off) / row->len;

		if (copies < row->repeat) {
			f->copy = copies;
			f->off += copies * row->len;
			return;
		}
		f->off += row->len * row->repeat;
	}
}

/* Pass n copies of the child that the lowest frame stands on; nodes that end with it are left. */
static void pass(struct seq_cursor *c, uint64_t n)
{
	for (; !at_end(c); c->level++, n = 1) {
		struct frame *f = &c->frames[c->level];
		const struct seq_row *row = &f->node.rows[f->row];

		f->copy += n;
		f->off += n * row->len;
		if (f->copy < row->repeat)
			return;
		f->copy = 0;
		f->row++;
		if (f->row < f->node.count)
			return;
	}
}

struct seq_cursor *seq_cursor_new(const struct node_source *source, const struct file_ref *ref)
{
	struct seq_cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->source = *source;
	c->ref = *ref;
	/* A height beyond the limit is refused by the first step; until then it costs nothing. */
	c->frame_count = ref->height > LIMIT_LEVEL ? 1 : (size_t)ref->height + 1;
	c->frames = mem_alloc_array(c->frame_count, sizeof(*c->frames));
	if (!c->frames) {
		free(c);
		return NULL;
	}
	return c;
}

void seq_cursor_free(struct seq_cursor *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->frame_count; i++)
		seq_node_release(&c->frames[i].node);
	free(c->frames);
	buf_release(&c->bytes);
	free(c);
}

int seq_cursor_seek(struct seq_cursor *c, uint64_t off, struct store_error *err)
{
	int rc = check_ref(c, err);

	if (rc != 0)
		return rc;
	c->is_placed = false;
	c->want = off;
	c->level = (size_t)c->ref.height + 1;
	if (off < c->ref.size && c->ref.height == 0)
		c->level = 0;
	if (off < c->ref.size && c->ref.height > 0) {
		rc = enter(c, c->ref.height, &c->ref.id, c->ref.size, 0, err);
		while (rc == 0) {
			move_to(&c->frames[c->level], off);
			if (c->level == 1)
				break;
			rc = descend(c, err);
		}
	}
	c->is_placed = rc == 0;
	return rc;
}

int seq_cursor_next(struct seq_cursor *c, struct seq_row *row, uint64_t *off,
	struct store_error *err)
{
	const struct frame *f;

	if (!c->is_placed) {
		const int rc = seq_cursor_seek(c, c->want, err);

		if (rc != 0)
			return rc;
	}
	if (at_end(c))
		return STORE_ENOTFOUND;
	if (c->ref.height == 0) {
		*row = (struct seq_row){ .id = c->ref.id, .len = c->ref.size, .repeat = 1 };
		*off = 0;
		c->level = 1;
		return 0;
	}
	while (c->level > 1) {
		const int rc = descend(c, err);

		if (rc != 0)
			return rc;
	}
	f = &c->frames[1];
	*row = f->node.rows[f->row];
	row->repeat -= f->copy;
	*off = f->off;
	pass(c, row->repeat);
	return 0;
}

int seq_cursor_peek(struct seq_cursor *c, struct seq_row *row, size_t *level, uint64_t *off,
	struct store_error *err)
{
	const struct frame *f;

	if (!c->is_placed) {
		const int rc = seq_cursor_seek(c, c->want, err);

		if (rc != 0)
			return rc;
	}
	if (at_end(c))
		return STORE_ENOTFOUND;
	if (c->ref.height == 0) {
		*row = (struct seq_row){ .id = c->ref.id, .len = c->ref.size, .repeat = 1 };
		*level = 0;
		*off = 0;
		return 0;
	}
	f = &c->frames[c->level];
	*row = f->node.rows[f->row];
	row->repeat -= f->copy;
	*level = c->level - 1;
	*off = f->off;
	return 0;
}

int seq_cursor_enter(struct seq_cursor *c, struct store_error *err)
{
	return descend(c, err);
}

void seq_cursor_pass(struct seq_cursor *c, uint64_t n)
{
	if (c->ref.height == 0)
		c->level = 1;
	else
		pass(c, n);
}
