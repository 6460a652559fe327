/*
 * The stage from stage records: operations as they were published, in the order of packs, blocks
 * and objects, from the last one on that takes the place of the whole stage (rebuild_start.c).
 * Records are gone through twice: to look for it, and to apply what stands behind it.
 *
 * Records are hostile like everything on disk, so an operation is checked whole before it is
 * applied. A record that cannot be read, or that goes wrong half way, is told of; what follows in
 * other records is applied all the same. Sets and deletions go through the same batches as the ones
 * that `add` makes; a reset builds a tree aside; a move gives a directory's number a new name.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "data/hash.h"
#include "graph/stage.h"
#include "work/rebuild_internal.h"

#define BATCH_STEPS 2000

struct stage_run {
	struct rebuild *rebuild;
	struct rebuild_source source;
	struct fsck_decoder decoder;
	struct stage_batch *batch;
	size_t steps;    /* rows that the batch may touch */
	uint64_t number; /* of the pack */
	struct rebuild_op op;
	struct rebuild_place at;       /* where that stands */
	struct rebuild_place begin;    /* operations up to this one are done */
	struct rebuild_starts *starts; /* only look for them; NULL: apply */
};

/* ---- applying them */

static int flush(struct stage_run *t, struct store_error *err)
{
	int rc = 0;

	if (stage_batch_count(t->batch) > 0)
		rc = stage_batch_apply(t->batch, t->rebuild->txn, t->number, err);
	stage_batch_clear(t->batch);
	if (rc == 0)
		rc = rebuild_wrote(t->rebuild, 2 * t->steps, err);
	t->steps = 0;
	return rc;
}

static size_t count_steps(const struct buf *path)
{
	size_t n = 2;

	for (size_t i = 0; i < path->len; i++)
		n += path->data[i] == '/';
	return n;
}

static const char *text(const struct buf *path)
{
	return path->len > 0 ? (const char *)path->data : "";
}

static int find(struct stage_run *t, const struct buf *path, struct stage_row *row,
	struct store_error *err)
{
	return stage_find(t->rebuild->txn, text(path), path->len, row, err);
}

/* The directory that holds the entry at path, and where its name begins. */
static int find_parent(struct stage_run *t, const struct buf *path, uint64_t *dir, size_t *name,
	struct store_error *err)
{
	struct stage_row row;
	size_t n = path->len;
	int rc;

	while (n > 0 && path->data[n - 1] != '/')
		n--;
	*name = n;
	rc = stage_find(t->rebuild->txn, text(path), n > 0 ? n - 1 : 0, &row, err);
	*dir = row.dir;
	return rc;
}

/* Row values are borrowed from the database, which is about to change. */
static int keep_meta(struct stage_row *row, struct buf *copy, struct store_error *err)
{
	if (buf_set(copy, row->meta, row->meta_len) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	row->meta = copy->data;
	return 0;
}

/* dir becomes the top: it keeps the attributes of the one that was, whatever its map names. */
static int swap_root(struct stage_run *t, uint64_t dir, struct store_error *err)
{
	struct env_txn *txn = t->rebuild->txn;
	struct stage_row own = { .kind = ENTRY_DIR };
	struct buf meta = { 0 };
	uint64_t old;
	int rc = stage_root(txn, &old, err);

	if (rc == 0)
		rc = stage_get(txn, old, "", 0, &own, err);
	if (rc == 0 || rc == STORE_ENOTFOUND)
		rc = keep_meta(&own, &meta, err);
	if (rc == 0)
		rc = stage_swap_root(txn, dir, err);
	if (rc == 0) {
		/* Through a batch, so that it is dirty. */
		rc = stage_batch_set(t->batch, "", 0, &own, err);
		t->steps++;
	}
	buf_release(&meta);
	return rc == 0 ? flush(t, err) : rc;
}

/* The directory at path, which is made, gets another number. */
static int put_dir(struct stage_run *t, const struct buf *path, uint64_t dir,
	const struct stage_row *with, struct store_error *err)
{
	struct env_txn *txn;
	struct stage_row row;
	struct buf meta = { 0 };
	uint64_t parent = 0, old;
	size_t name = 0;
	int rc = stage_batch_set(t->batch, text(path), path->len, with, err);

	t->steps += count_steps(path);
	if (rc == 0)
		rc = flush(t, err);
	if (rc == 0)
		rc = find(t, path, &row, err);
	if (rc == 0)
		rc = keep_meta(&row, &meta, err);
	if (rc == 0)
		rc = find_parent(t, path, &parent, &name, err);
	if (rc == 0) {
		txn = t->rebuild->txn;
		old = row.dir;
		row.dir = dir;
		rc = stage_put(txn, parent, path->data + name, path->len - name, &row, err);
		if (rc == 0)
			rc = stage_bury(txn, old, 0, err);
	}
	buf_release(&meta);
	return rc;
}

/* Only the root's map has attributes of its own directory, under the empty key. */
static int check_reset(const struct rebuild_op *o, const struct node_source *src,
	struct store_error *err)
{
	struct buf value = { 0 };
	int rc = STORE_ENOTFOUND;

	if (o->has_meta && o->path.len > 0)
		rc = map_lookup(src, MAP_META, &o->meta, "", 0, &value, err);
	buf_release(&value);
	if (rc == 0)
		return store_error_set(err, STORE_ECORRUPT,
			"attributes of a top directory are given to one below it");
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int apply_reset(struct stage_run *t, struct store_error *err)
{
	const struct node_source src = rebuild_source_nodes(&t->source);
	struct rebuild_op *o = &t->op;
	struct buf meta = { 0 };
	struct stage_row row;
	uint64_t dir = 0;
	int rc = flush(t, err);

	if (rc == 0)
		rc = check_reset(o, &src, err);
	if (rc == 0)
		rc = rebuild_tree(t->rebuild, &src, &o->root, o->has_meta ? &o->meta : NULL,
			o->path.len, t->number, &dir, err);
	if (rc == 0 && o->path.len == 0)
		return swap_root(t, dir, err);
	if (rc == 0) {
		/* The directory keeps its own attributes. */
		rc = find(t, &o->path, &row, err);
		if (rc == STORE_ENOTFOUND || (rc == 0 && row.kind != ENTRY_DIR)) {
			row = (struct stage_row){ .kind = ENTRY_DIR };
			rc = 0;
		}
		if (rc == 0)
			rc = keep_meta(&row, &meta, err);
		if (rc == 0)
			rc = put_dir(t, &o->path, dir, &row, err);
	}
	buf_release(&meta);
	return rc;
}

static int apply_move(struct stage_run *t, struct store_error *err)
{
	struct rebuild_op *o = &t->op;
	struct stage_row row = { 0 };
	int rc = flush(t, err);

	if (rc == 0)
		rc = find(t, &o->path, &row, err);
	if (rc == 0)
		rc = stage_batch_move(t->batch, text(&o->path), o->path.len, text(&o->to),
			o->to.len, err);
	if (rc == STORE_ENOTFOUND || rc == STORE_EINVAL)
		return store_error_set(err, STORE_ECORRUPT,
			"a move of what is not there, or into itself");
	t->steps += count_steps(&o->path) + count_steps(&o->to);
	return rc == 0 ? flush(t, err) : rc;
}

static int apply(struct stage_run *t, struct store_error *err)
{
	const struct rebuild_op *o = &t->op;
	uint64_t dir;
	int rc;

	switch (o->kind) {
	case STAGE_SET:
		rc = stage_batch_set(t->batch, text(&o->path), o->path.len, &o->row, err);
		break;
	case STAGE_DELETE:
		if (o->path.len == 0) {
			rc = flush(t, err);
			if (rc == 0)
				rc = stage_fresh(t->rebuild->txn, &dir, err);
			return rc == 0 ? swap_root(t, dir, err) : rc;
		}
		rc = stage_batch_delete(t->batch, text(&o->path), o->path.len, err);
		break;
	case STAGE_MOVE:
		return apply_move(t, err);
	default:
		return apply_reset(t, err);
	}
	t->steps += count_steps(&o->path);
	return rc == 0 && t->steps >= BATCH_STEPS ? flush(t, err) : rc;
}

/* The next operation of a record. */
static int take_op(struct stage_run *t, struct store_error *err)
{
	if (t->starts)
		rebuild_note(t->starts, &t->at, &t->op);
	else if (rebuild_place_cmp(&t->at, &t->begin) > 0)
		return apply(t, err);
	return 0;
}

static int take_ops(struct stage_run *t, const uint8_t *data, size_t len, struct store_error *err)
{
	struct span s = span_of(data, len);
	const uint8_t *head = span_take(&s, 3);
	const uint64_t count = span_leb(&s);
	int rc = 0;

	if (s.bad || memcmp(head, "SR\1", 3) != 0)
		return store_error_set(err, STORE_ECORRUPT, "a stage record is malformed");
	for (t->at.op = 1; rc == 0 && t->at.op <= count; t->at.op++) {
		if (!rebuild_take_op(&s, odb_format(t->rebuild->odb), &t->op))
			rc = store_error_set(err, STORE_ECORRUPT,
				"an operation of a stage record is malformed");
		else
			rc = take_op(t, err);
	}
	if (rc == 0 && span_left(&s) != 0)
		rc = store_error_set(err, STORE_ECORRUPT,
			"a stage record has bytes behind its operations");
	if (rc != 0)
		return rc;
	/* Meta values of the batch are copies, but the block is about to go all the same. */
	return flush(t, err);
}

static int take_record(struct stage_run *t, const uint8_t *data, size_t len,
	struct store_error *err)
{
	struct rebuild_starts before;
	int rc;

	if (!t->starts)
		return take_ops(t, data, len, err);
	/* What a malformed record does is left to the replay. */
	before = *t->starts;
	rc = take_ops(t, data, len, err);
	if (rc != 0)
		*t->starts = before;
	return rc;
}

/* An operation or a record that had no effect, or not all of it. */
static bool is_damage(const struct store_error *why)
{
	return why->code == STORE_ECORRUPT || why->code == STORE_EVERSION ||
		why->code == STORE_ENOTFOUND;
}

/* What can be read goes on; only what is no damage ends the run. */
static int tell(struct stage_run *t, uint64_t off, const struct store_error *why,
	struct store_error *err)
{
	stage_batch_clear(t->batch);
	t->steps = 0;
	if (is_damage(why) && t->starts)
		return 0; /* when they are applied it is told */
	if (is_damage(why))
		return fsck_damage(t->rebuild->fsck, NULL, t->number, off, err,
			"%s; what it staged is not all there", why->msg);
	if (err)
		*err = *why;
	return why->code;
}

static int take_block(struct stage_run *t, const struct fsck_file *file, uint64_t off,
	const struct pack_block_info *info, struct store_error *err)
{
	struct store_error why = { 0 };
	size_t at = 0;
	int rc = fsck_decode(&t->decoder, file, off, info, &why);

	/* Unreadable is damage here; of the database below it is not. */
	if (rc == STORE_EIO)
		why.code = STORE_ECORRUPT;
	if (rc != 0)
		return tell(t, off, &why, err);
	t->at = (struct rebuild_place){ .pack = t->number, .off = off };
	for (uint32_t i = 0; i < info->count && rc == 0; i++) {
		const size_t len = t->decoder.lens[i];

		t->at.record = i;
		if (take_record(t, t->decoder.plain.data + at, len, &why) != 0)
			rc = tell(t, off, &why, err);
		at += len;
	}
	return rc;
}

static int take_pack(struct stage_run *t, const struct fsck_pack *p, struct store_error *err)
{
	struct store_error why = { 0 };
	struct fsck_file file;
	uint64_t off = PACK_HEADER;
	struct pack_block_info info;
	size_t i = 0;
	int rc = fsck_file_open(t->rebuild->odb, p, &file, &why);

	t->number = p->number;
	while (rc == 0) {
		rc = fsck_file_block(&file, off, &info, &why);
		if (rc == 0 && info.class == PACK_RECORDS) {
			rc = take_block(t, &file, off, &info, err);
			if (rc != 0) {
				fsck_file_close(&file);
				return rc;
			}
		}
		/* A damaged header ends the pack, unless a footer tells where the next one is. */
		if (file.has_footer && (rc == 0 || fsck_is_damage(rc)) &&
			i < file.index.block_count) {
			off += file.index.blocks[i++].length;
			rc = 0;
		} else if (rc == 0) {
			off += pack_block_length(&info);
		}
	}
	fsck_file_close(&file);
	if (rc == STORE_ENOTFOUND || fsck_is_damage(rc))
		return 0;
	if (err)
		*err = why;
	return rc;
}

static int take_packs(struct stage_run *t, struct store_error *err)
{
	const struct fsck_pack_list *packs = t->rebuild->packs;
	int rc = 0;

	for (size_t i = 0; i < packs->count && rc == 0; i++) {
		rc = take_pack(t, &packs->items[i], err);
		if (rc == 0)
			rc = fsck_tick(t->rebuild->fsck, err);
	}
	return rc;
}

/* ---- where to begin */

/* The operation that s is, and the root's attributes of before it. */
static int apply_start(struct stage_run *t, const struct rebuild_start *s, struct store_error *err)
{
	const struct stage_row top = { .kind = ENTRY_DIR,
		.meta = s->top.meta,
		.meta_len = s->top.len };
	int rc;

	t->number = s->place.pack;
	t->op.kind = s->kind;
	t->op.root = s->root;
	t->op.meta = s->meta;
	t->op.has_meta = s->has_meta;
	buf_clear(&t->op.path);
	rc = apply(t, err);
	if (rc == 0 && s->top.has) {
		rc = stage_batch_set(t->batch, "", 0, &top, err);
		t->steps += 2;
	}
	return rc == 0 ? flush(t, err) : rc;
}

static int try_starts(struct stage_run *t, const struct rebuild_starts *starts,
	struct store_error *err)
{
	const struct rebuild_start *s;

	for (size_t back = 0; (s = rebuild_start(starts, back)) != NULL; back++) {
		struct store_error why = { 0 };

		if (apply_start(t, s, &why) == 0) {
			t->begin = s->place;
			return 0;
		}
		stage_batch_clear(t->batch);
		t->steps = 0;
		if (!is_damage(&why)) {
			if (err)
				*err = why;
			return why.code;
		}
	}
	return 0;
}

static int begin(struct stage_run *t, struct store_error *err)
{
	struct rebuild_starts starts = { .count = 0 };
	int rc;

#ifdef STORE_FAULTS
	if (getenv("STORE_TEST_REPLAY"))
		return 0;
#endif
	t->starts = &starts;
	rc = take_packs(t, err);
	t->starts = NULL;
	return rc == 0 ? try_starts(t, &starts, err) : rc;
}

int rebuild_stage(struct rebuild *r, struct store_error *err)
{
	struct stage_run t = { .rebuild = r, .batch = stage_batch_new() };
	int rc = t.batch ? rebuild_source_init(&t.source, r, err)
			 : store_error_set(err, STORE_ENOMEM, "out of memory");

	if (rc == 0)
		rc = fsck_decoder_init(&t.decoder, err);
	if (rc == 0)
		rc = begin(&t, err);
	if (rc == 0)
		rc = take_packs(&t, err);
	r->fsck->result->stats.nodes_read += t.source.objects;
	r->fsck->result->stats.decoded_bytes += t.source.bytes;
	rebuild_source_release(&t.source);
	fsck_decoder_release(&t.decoder);
	stage_batch_free(t.batch);
	buf_release(&t.op.path);
	buf_release(&t.op.to);
	return rc;
}
