/*
 * The writer's memory of what it has put but not published is one hash table: claimed by a worker,
 * in an open block, or in the pack. It is emptied at each publication, whose batches are small, so
 * it stays small; claims alone survive.
 *
 * The order in writer_claim matters: first the table, then the database in a fresh snapshot. An
 * object leaves the table only after its publication, so one of the two knows it.
 *
 * A checkout may have any number of operations for the stage, and they belong to one publication.
 * So a record that has grown to RECORD_BYTES goes to the pack, behind the blocks that are open, and
 * the next one begins: what waits in memory stays small, and no record comes near LIMIT_OBJECT.
 *
 * Threads: table under lock; everything else belongs to the thread that owns the writer.
 */
#include "odb/writer_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/trace.h"
#include "data/limits.h"

#define CONTENT_BLOCK ((size_t)256 << 10)
#define NODE_BLOCK ((size_t)64 << 10)
#define BATCH_BYTES ((uint64_t)64 << 20)
#define BATCH_OBJECTS 2000
#define BATCH_OPS 5000
#define BATCH_OP_BYTES ((size_t)1 << 20)
#define RECORD_BYTES ((size_t)1 << 20) /* of operations in one stage record */

static uint64_t next_serial = 1; /* atomic */

/* ---- what is pending */

/* A claim on what the database turned out to have. */
static void drop_claim(struct odb_writer *w, const struct oid *id)
{
	struct pending *p;

	pthread_mutex_lock(&w->lock);
	/* A publication may have left an empty table meanwhile. */
	p = w->table.cap > 0 ? pending_find(&w->table, id) : NULL;
	if (p && p->state == PENDING_CLAIMED)
		pending_drop(&w->table, p);
	pthread_mutex_unlock(&w->lock);
}

static void forget_published(struct odb_writer *w)
{
	pthread_mutex_lock(&w->lock);
	pending_keep_claims(&w->table);
	pthread_mutex_unlock(&w->lock);
}

/* ---- life */

int writer_new(struct odb_writer **out, struct odb *o, struct store_error *err)
{
	struct odb_writer *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (!w)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->odb = o;
	w->sign_fd = -1;
	pthread_mutex_init(&w->lock, NULL);
	pack_write_init(&w->pack, odb_tmp_fd(o));
	pack_block_init(&w->content, PACK_CONTENT);
	pack_block_init(&w->nodes, PACK_NODES);
	w->codec = codec_new(&odb_options_of(o)->codec);
	w->hash = hash_new();
	w->reader = odb_reader_new(o);
	if (!w->codec || !w->hash || !w->reader) {
		writer_free(w);
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	odb_reader_attach(w->reader, w);
	*out = w;
	return 0;
}

void writer_free(struct odb_writer *w)
{
	if (!w)
		return;
	pack_write_release(&w->pack);
	if (w->sign_fd != -1)
		unlinkat(odb_tmp_fd(w->odb), w->sign, 0);
	io_close(&w->sign_fd);
	odb_reader_free(w->reader);
	codec_free(w->codec);
	hash_free(w->hash);
	pack_block_release(&w->content);
	pack_block_release(&w->nodes);
	buf_release(&w->wire);
	buf_release(&w->ops);
	buf_release(&w->checkpoint);
	free(w->table.slots);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct odb_reader *writer_reader(struct odb_writer *w)
{
	return w->reader;
}

/* ---- reading what is pending */

int writer_find_pending(struct odb_writer *w, const struct oid *id, struct odb_loc *loc)
{
	int rc = STORE_ENOTFOUND;

	pthread_mutex_lock(&w->lock);
	if (w->table.cap > 0) {
		const struct pending *p = pending_find(&w->table, id);

		if (p->state == PENDING_OPEN || p->state == PENDING_PACKED) {
			*loc = p->loc;
			rc = 0;
		}
	}
	pthread_mutex_unlock(&w->lock);
	return rc;
}

int writer_copy_open(struct odb_writer *w, const struct oid *id, struct buf *out)
{
	int rc = STORE_ENOTFOUND;

	pthread_mutex_lock(&w->lock);
	if (w->table.cap > 0) {
		const struct pending *p = pending_find(&w->table, id);

		if (p->state == PENDING_OPEN) {
			const struct pack_block *b = p->class == PACK_NODES ? &w->nodes
									    : &w->content;

			rc = buf_set(out, b->plain.data + p->loc.off, p->loc.len);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return rc;
}

int writer_read_pending(struct odb_writer *w, const struct odb_loc *loc, struct buf *block,
	struct store_error *err)
{
	int rc;

	buf_clear(block);
	if (loc->pack != w->pack_serial)
		return store_error_set(err, STORE_EINVAL,
			"a pending object was asked for after its publication");
	rc = buf_reserve(block, loc->block_len);
	if (rc != 0)
		return store_error_set(err, rc, "out of memory");
	rc = pack_write_read(&w->pack, block->data, loc->block_len, loc->block_off, err);
	if (rc == 0)
		block->len = loc->block_len;
	return rc;
}

/* ---- putting */

static int open_pack(struct odb_writer *w, struct store_error *err)
{
	if (pack_write_is_open(&w->pack))
		return 0;
	w->pack_serial = ODB_PENDING | __atomic_fetch_add(&next_serial, 1, __ATOMIC_RELAXED);
	return pack_write_begin(&w->pack, err);
}

/* Objects of a block that is now in the pack: the table learns where they are. */
static int note_packed(struct odb_writer *w, const struct pack_block *b, uint64_t off,
	struct store_error *err)
{
	int rc = 0;

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < b->count && rc == 0; i++) {
		const struct pack_object *o = &b->objects[i];
		struct pending *p = pending_take(&w->table, &o->id);

		if (!p) {
			rc = STORE_ENOMEM;
			break;
		}
		if (p->state == PENDING_PACKED)
			continue;
		if (p->state != PENDING_OPEN) {
			w->stats.new_objects++;
			w->stats.new_bytes += o->len;
			w->stats.new_chunks += o->kind == KIND_CHUNK;
		}
		p->state = PENDING_PACKED;
		p->loc = (struct odb_loc){ w->pack_serial, (uint32_t)off, (uint32_t)b->wire_len,
			o->off, o->len, o->kind };
	}
	pthread_mutex_unlock(&w->lock);
	return rc == 0 ? 0 : store_error_set(err, rc, "out of memory");
}

static int append_block(struct odb_writer *w, const struct pack_block *b, const uint8_t *wire,
	struct store_error *err)
{
	uint64_t off;
	int rc = open_pack(w, err);

	if (rc == 0)
		rc = pack_write_append(&w->pack, b, wire, &off, err);
	return rc == 0 ? note_packed(w, b, off, err) : rc;
}

static int encode(struct odb_writer *w, struct pack_block *b, struct store_error *err)
{
	buf_clear(&w->wire);
	return pack_block_encode(b, w->codec, NULL, 0, &w->wire, err);
}

static int close_block(struct odb_writer *w, struct pack_block *b, struct store_error *err)
{
	int rc;

	if (b->count == 0)
		return 0;
	rc = encode(w, b, err);
	if (rc == 0)
		rc = append_block(w, b, w->wire.data, err);
	pack_block_clear(b);
	return rc;
}

/* Known to the repository or to this writer? */
static int is_known(struct odb_writer *w, const struct oid *id, bool *known,
	struct store_error *err)
{
	struct odb_loc loc;
	const int rc = odb_find(w->reader, id, &loc, err);

	*known = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int note_open(struct odb_writer *w, const struct pack_block *b, const struct oid *id,
	enum kind kind, size_t len, struct store_error *err)
{
	struct pending *p;

	pthread_mutex_lock(&w->lock);
	p = pending_take(&w->table, id);
	if (p) {
		p->state = PENDING_OPEN;
		p->class = (uint8_t)b->class;
		p->loc = (struct odb_loc){ ODB_PENDING, 0, 0, (uint32_t)b->plain.len, (uint32_t)len,
			(uint8_t)kind };
	}
	pthread_mutex_unlock(&w->lock);
	if (!p)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	w->stats.new_objects++;
	w->stats.new_bytes += len;
	w->stats.new_chunks += kind == KIND_CHUNK;
	return 0;
}

int writer_put(struct odb_writer *w, enum kind kind, const void *data, size_t len,
	struct oid *out_id, struct store_error *err)
{
	struct pack_block *b = kind == KIND_CHUNK ? &w->content : &w->nodes;
	const size_t limit = kind == KIND_CHUNK ? CONTENT_BLOCK : NODE_BLOCK;
	bool known;
	int rc;

	if (len == 0 || len > LIMIT_OBJECT)
		return store_error_set(err, STORE_EINVAL, "an object of %zu bytes cannot be stored",
			len);
	hash_once(w->hash, data, len, out_id);
	rc = is_known(w, out_id, &known, err);
	if (rc != 0 || known)
		return rc;
	if (b->plain.len > 0 && (b->plain.len + len > limit || b->count == LIMIT_BLOCK_OBJECTS)) {
		rc = close_block(w, b, err);
		if (rc != 0)
			return rc;
	}
	rc = note_open(w, b, out_id, kind, len, err);
	return rc == 0 ? pack_block_add(b, out_id, kind, data, len, err) : rc;
}

int writer_claim(struct odb_writer *w, struct odb_reader *reader, const struct oid *id,
	uint64_t seq, struct store_error *err)
{
	struct pending *p;
	struct odb_loc loc;
	int rc = 0;

	pthread_mutex_lock(&w->lock);
	p = pending_take(&w->table, id);
	if (!p) {
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	} else if (p->state == PENDING_FREE || (p->state == PENDING_CLAIMED && p->seq > seq)) {
		/*
		 * Ours, also when its bringer comes after us: what names it would be published
		 * first. That one may still be looking it up, so its claim does not tell that the
		 * repository lacks it.
		 */
		p->state = PENDING_CLAIMED;
		p->seq = seq;
	} else {
		rc = 1;
	}
	pthread_mutex_unlock(&w->lock);
	if (rc != 0)
		return rc;
	rc = odb_find(reader, id, &loc, err);
	if (rc == STORE_ENOTFOUND)
		return 0;
	drop_claim(w, id);
	return rc == 0 ? 1 : rc;
}

int writer_add_block(struct odb_writer *w, const struct pack_block *b, const uint8_t *wire,
	struct store_error *err)
{
	struct odb_loc loc;

	if (b->count == 1 && writer_find_pending(w, &b->objects[0].id, &loc) == 0)
		return 0;
	return append_block(w, b, wire, err);
}

/* ---- the stage record */

static int encode_record(struct odb_writer *w, struct pack_block *b, struct store_error *err)
{
	static const uint8_t head[3] = { 'S', 'R', 1 };
	struct buf record = { 0 };
	struct oid id;
	int rc;

	buf_add(&record, head, sizeof(head));
	buf_add_leb(&record, w->op_count);
	buf_add(&record, w->ops.data, w->ops.len);
	rc = buf_check(&record, err);
	if (rc == 0) {
		hash_once(w->hash, record.data, record.len, &id);
		rc = pack_block_add(b, &id, KIND_STAGE, record.data, record.len, err);
	}
	buf_release(&record);
	return rc == 0 ? encode(w, b, err) : rc;
}

static int close_record(struct odb_writer *w, struct store_error *err)
{
	struct pack_block b;
	uint64_t off;
	int rc;

	if (w->op_count == 0)
		return 0;
	pack_block_init(&b, PACK_RECORDS);
	rc = encode_record(w, &b, err);
	if (rc == 0)
		rc = open_pack(w, err);
	if (rc == 0)
		rc = pack_write_append(&w->pack, &b, w->wire.data, &off, err);
	pack_block_release(&b);
	w->op_count = 0;
	buf_clear(&w->ops);
	return rc;
}

/* All that waits goes to the pack, the record last. */
static int close_all(struct odb_writer *w, struct store_error *err)
{
	int rc = close_block(w, &w->content, err);

	if (rc == 0)
		rc = close_block(w, &w->nodes, err);
	return rc == 0 ? close_record(w, err) : rc;
}

int writer_add_op(struct odb_writer *w, const void *op, size_t len, struct store_error *err)
{
	int rc = 0;

	if (w->op_count > 0 && (w->ops.len + len > RECORD_BYTES || FAULT("writer.record"))) {
		/* What leaves ops here is not among them when it is published. */
		rc = publish_check_closure(w, err);
		if (rc == 0)
			rc = close_all(w, err);
	}
	if (rc == 0 && buf_add(&w->ops, op, len) != 0)
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc != 0)
		return rc;
	w->op_count++;
	w->batch_ops++;
	w->batch_op_bytes += len;
	return 0;
}

bool writer_is_empty(const struct odb_writer *w)
{
	return !pack_write_is_open(&w->pack) && w->content.count == 0 && w->nodes.count == 0 &&
		w->op_count == 0;
}

bool writer_is_full(const struct odb_writer *w)
{
	return pack_write_size(&w->pack) >= BATCH_BYTES ||
		w->pack.index.count + w->content.count + w->nodes.count >= BATCH_OBJECTS ||
		w->batch_ops >= BATCH_OPS || w->batch_op_bytes >= BATCH_OP_BYTES;
}

uint64_t writer_id(const struct odb_writer *w)
{
	return w->id;
}

void writer_get_stats(const struct odb_writer *w, struct writer_stats *out)
{
	*out = w->stats;
}

static int each_in_block(const struct pack_block *b, writer_pending_fn *fn, void *ctx,
	struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < b->count && rc == 0; i++)
		rc = fn(ctx, &b->objects[i].id, (enum kind)b->objects[i].kind, err);
	return rc;
}

int writer_each_pending(struct odb_writer *w, writer_pending_fn *fn, void *ctx,
	struct store_error *err)
{
	const struct pack_index *x = &w->pack.index;
	int rc = 0;

	for (size_t i = 0; i < x->count && rc == 0; i++)
		rc = fn(ctx, &x->rows[i].id, (enum kind)x->rows[i].kind, err);
	if (rc == 0)
		rc = each_in_block(&w->content, fn, ctx, err);
	return rc == 0 ? each_in_block(&w->nodes, fn, ctx, err) : rc;
}

void writer_pending_ops(const struct odb_writer *w, const void **data, size_t *len)
{
	*data = w->ops.data;
	*len = w->ops.len;
}

int writer_seal(struct odb_writer *w, struct store_error *err)
{
	int rc;

	if (w->pack.sealed)
		return 0;
	rc = close_all(w, err);
	return rc == 0 && pack_write_is_open(&w->pack) ? pack_write_seal(&w->pack, err) : rc;
}

void writer_published(struct odb_writer *w)
{
	w->stats.publications++;
	w->stats.stored_bytes += w->pack.flushed;
	w->pack.tmp[0] = '\0';
	pack_write_release(&w->pack);
	forget_published(w);
	w->batch_ops = w->batch_op_bytes = 0;
	w->checkpoint_changed = false;
	w->adopted = 0;
}

/* ---- the row in `writers` */

int writer_set_checkpoint(struct odb_writer *w, const void *data, size_t len,
	struct store_error *err)
{
	w->checkpoint_changed = true;
	return buf_set(&w->checkpoint, data, len) == 0
		? 0
		: store_error_set(err, STORE_ENOMEM, "out of memory");
}

void writer_adopt(struct odb_writer *w, uint64_t dead_writer)
{
	w->adopted = dead_writer;
}

int writer_row_put(struct odb_writer *w, struct env_txn *txn, struct store_error *err)
{
	struct buf row = { 0 };
	uint8_t key[8];
	int rc;

	be64_put(key, w->id);
	buf_add_le64(&row, w->epoch);
	buf_add_le64(&row, (uint64_t)time(NULL));
	buf_add(&row, w->sign, TMP_NAME);
	buf_add(&row, w->checkpoint.data, w->checkpoint.len);
	rc = buf_check(&row, err);
	if (rc == 0)
		rc = env_put(txn, ENV_WRITERS, key, sizeof(key), row.data, row.len, err);
	buf_release(&row);
	return rc;
}

int writer_row_renew(struct odb_writer *w, struct env_txn *txn, struct store_error *err)
{
	struct env_val v;
	uint8_t key[8];
	int rc;

	if (w->id == 0)
		return 0;
	be64_put(key, w->id);
	rc = env_get(txn, ENV_WRITERS, key, sizeof(key), &v, err);
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_EBUSY,
			"this command was taken for dead and its hold on the repository removed; run it again");
	if (rc == 0 && w->checkpoint_changed)
		rc = writer_row_put(w, txn, err);
	if (rc == 0 && w->adopted != 0) {
		be64_put(key, w->adopted);
		rc = env_del(txn, ENV_WRITERS, key, sizeof(key), err);
		if (rc == STORE_ENOTFOUND)
			rc = 0;
	}
	return rc;
}

int writer_each_checkpoint(struct odb *o, writer_checkpoint_fn *fn, void *ctx,
	struct store_error *err)
{
	struct env_cursor *c = NULL;
	struct env_txn *txn;
	struct env_val key, val;
	int rc = env_begin(odb_env(o), false, &txn, err);

	if (rc != 0)
		return rc;
	rc = env_cursor_open(txn, ENV_WRITERS, &c, err);
	while (rc == 0 && (rc = env_cursor_next(c, &key, &val, err)) == 0) {
		char sign[TMP_NAME + 1] = { 0 };

		if (key.len != 8 || val.len <= WRITER_ROW_HEAD)
			continue;
		memcpy(sign, (const uint8_t *)val.data + WRITER_ROW_SIGN, TMP_NAME);
		if (!tmp_is_held(odb_tmp_fd(o), sign))
			rc = fn(ctx, be64_get(key.data),
				(const uint8_t *)val.data + WRITER_ROW_HEAD,
				val.len - WRITER_ROW_HEAD);
	}
	env_cursor_close(c);
	env_abort(txn);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}
