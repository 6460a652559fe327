/*
 * The order of publication and what each failure does; publish.h tells the outline.
 *
 * Invariants:
 *  1. A pack in packs/ whose number comes next and has no row is an orphan of a publication that
 * never committed.  Only the holder of the gate can be sure of that, and only they remove it; they
 * do so before giving out a number, so no two packs bear one number, and no orphan has a lesser
 * one. Any other pack that the database does not know is damage of the database: nothing is
 * removed.
 *  2. The last whole record of refs.log has at most the number the database gave last.  One more
 * means that its publication never committed: a `void` record with the same number is appended.
 * More than that means that db/ is older than refs.log.
 *  3. One counter in the database numbers publications, stage generations and refs.log records.
 *
 * Orphans and the end of refs.log are looked at once when a handle takes the gate first, and again
 * after a publication that was cut short: the gate file holds the word "busy" while one is under
 * way, and the next holder who finds it there looks. (The word is not synced: after a power failure
 * every handle is new and looks anyway.)
 */
#include "odb/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "base/trace.h"
#include "data/refslog.h"
#include "odb/reflog_rows.h"
#include "odb/writer_internal.h"

static publish_closure_fn *closure_check;

void publish_set_closure(publish_closure_fn *fn)
{
	/* Every handle sets the same one, and two may be opened at once. */
	__atomic_store_n(&closure_check, fn, __ATOMIC_RELAXED);
}

int publish_check_closure(struct odb_writer *w, struct store_error *err)
{
	publish_closure_fn *check = __atomic_load_n(&closure_check, __ATOMIC_RELAXED);

	if (check && getenv("STORE_CHECK_CLOSURE"))
		return check(w, err);
	return 0;
}

int publish_next(struct env_txn *txn, uint64_t *number, struct store_error *err)
{
	const int rc = env_number(txn, "next", number, err);

	if (rc == 0 && *number == 0)
		*number = 1;
	return rc;
}

/* ---- what a publication that was cut short left behind */

static int db_is_older(const struct odb *o, const char *than, struct store_error *err)
{
	return store_error_set(err, STORE_ECORRUPT,
		"db/ is older than %s of '%s': run 'store fsck --rebuild'", than, o->path);
}

int publish_knows_pack(struct env_txn *txn, uint64_t number, const uint8_t random[16],
	struct store_error *err)
{
	struct odb_pack_row row;
	struct env_val v;
	uint8_t key[8];
	int rc;

	be64_put(key, number);
	rc = env_get(txn, ENV_PACKS, key, sizeof(key), &v, err);
	if (rc == 0)
		rc = odb_pack_row_decode(v.data, v.len, &row, err);
	if (rc == 0 && memcmp(row.random, random, 16) != 0)
		rc = store_error_set(err, STORE_ECORRUPT,
			"the database knows another pack of the number %016llx than packs/ has: run 'store fsck --rebuild'",
			(unsigned long long)number);
	return rc;
}

/* Is the file what a publication that was cut short left?  What else nobody knows is no orphan. */
static int judge_pack(struct odb *o, struct env_txn *txn, const char *name, uint64_t next,
	bool *orphan, struct store_error *err)
{
	uint8_t random[16];
	uint64_t number;
	int rc;

	*orphan = false;
	if (!pack_name_parse(name, &number, random))
		return 0;
	rc = publish_knows_pack(txn, number, random, err);
	if (rc != STORE_ENOTFOUND)
		return rc;
	if (number > next)
		return db_is_older(o, "packs", err);
	if (number < next)
		return store_error_set(err, STORE_ECORRUPT,
			"'%s/packs/%s' is not in the database: run 'store fsck --rebuild'", o->path,
			name);
	*orphan = true;
	return 0;
}

static int remove_orphan(struct odb *o, const char *name, struct store_error *err)
{
	TRACE(TRACE_PUBLISH, "orphan=packs/%s", name);
	if (unlinkat(o->packs_fd, name, 0) != 0)
		return store_error_sys(err, "cannot remove '%s/packs/%s', which nobody published",
			o->path, name);
	return 0;
}

/* One pass over packs/. remove: orphans go; else they are only counted. */
static int pass_orphans(struct odb *o, struct env_txn *txn, uint64_t next, bool remove,
	size_t *count, struct store_error *err)
{
	int fd = openat(o->packs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *d;
	bool orphan;
	int rc = 0;

	*count = 0;
	if (!dir) {
		io_close(&fd);
		return store_error_sys(err, "cannot list 'packs'");
	}
	while (rc == 0 && (d = readdir(dir)) != NULL) {
		rc = judge_pack(o, txn, d->d_name, next, &orphan, err);
		if (rc != 0 || !orphan)
			continue;
		++*count;
		if (remove)
			rc = remove_orphan(o, d->d_name, err);
	}
	closedir(dir);
	return rc;
}

static int append_log(struct odb *o, int fd, const struct buf *record, uint64_t at,
	struct store_error *err)
{
	if (FAULT("refslog.write") || io_pwrite_full(fd, record->data, record->len, at) != 0)
		return store_error_sys(err, "cannot write '%s/refs.log'", o->path);
	if (FAULT("refslog.sync") || io_sync(fd) != 0)
		return store_error_sys(err, "cannot write '%s/refs.log'", o->path);
	return 0;
}

static int append_void(struct odb *o, int fd, uint64_t number, uint64_t at, struct store_error *err)
{
	struct hash *h = hash_new();
	struct buf record = { 0 };
	int rc = h ? refslog_encode_void(&record, number, h, err)
		   : store_error_set(err, STORE_ENOMEM, "out of memory");

	if (rc == 0)
		rc = append_log(o, fd, &record, at, err);
	hash_free(h);
	buf_release(&record);
	return rc;
}

/*
 * Cut a torn tail; make void a record whose publication never committed. A record is synced before
 * its rows are committed, so rows without one mean that refs.log was damaged: what looks torn is
 * then all that is left of it.
 */
static int repair_log(struct odb *o, struct env_txn *txn, uint64_t next, struct store_error *err)
{
	struct refslog_tail tail;
	uint64_t newest = 0;
	int fd = openat(o->fd, "refs.log", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int rc;

	if (fd == -1)
		return store_error_sys(err, "cannot open '%s/refs.log'", o->path);
	rc = refslog_read_tail(&tail, fd, err);
	if (rc == 0)
		rc = reflog_newest(txn, &newest, err);
	if (rc != 0)
		goto out;
	if (tail.has_record && tail.last_number > next)
		rc = db_is_older(o, "refs.log", err);
	else if (newest > tail.last_number || (newest == tail.last_number && tail.last_is_void))
		rc = store_error_set(err, STORE_ECORRUPT,
			"'%s/refs.log' has lost record %llu, which db/ has: run 'store fsck --rebuild'",
			o->path, (unsigned long long)newest);
	else if (tail.size > tail.end && ftruncate(fd, (off_t)tail.end) != 0)
		rc = store_error_sys(err, "cannot cut the torn end of '%s/refs.log'", o->path);
	/* The torn end may be that of a void record, so what stands before it is looked at, too. */
	if (rc == 0 && tail.has_record && tail.last_number == next && !tail.last_is_void)
		rc = append_void(o, fd, next, tail.end, err);
out:
	io_close(&fd);
	return rc;
}

static int look_after_crash(struct odb *o, struct env_txn *txn, uint64_t next,
	struct store_error *err)
{
	uint8_t mark[4] = { 0 };
	const bool marked = io_pread_full(o->gate_fd, mark, 4, 0) != 0;
	size_t orphans = 0;
	int rc;

	if (o->gate_checked && !marked)
		return 0;
	/*
	 * A database that is too old must be noticed before the first pack is taken for an orphan.
	 */
	rc = pass_orphans(o, txn, next, false, &orphans, err);
	if (rc == 0)
		rc = repair_log(o, txn, next, err);
	if (rc == 0 && orphans > 0)
		rc = pass_orphans(o, txn, next, true, &orphans, err);
	/* Else a power failure could bring a pack back when its number is another's. */
	if (rc == 0 && (orphans > 0 || marked) && io_sync(o->packs_fd) != 0)
		rc = store_error_sys(err, "cannot sync '%s/packs'", o->path);
	o->gate_checked = rc == 0;
	return rc;
}

static int mark_busy(struct odb *o, bool busy, struct store_error *err)
{
	const int rc = busy ? io_pwrite_full(o->gate_fd, "busy", 4, 0) : ftruncate(o->gate_fd, 0);

	return rc == 0 ? 0 : store_error_sys(err, "cannot write '%s/gate'", o->path);
}

/* ---- the steps */

struct run {
	struct odb *odb;
	const struct publication *p;
	struct env_txn *txn;
	uint64_t number;
	bool has_pack;
	bool renamed;
	int log_fd;
	bool log_open;   /* log_fd and log_at are known: what stands behind is ours */
	uint64_t log_at; /* size of refs.log before our record */
	bool logged;
	bool looked;  /* what others left was looked after: once, before our own steps */
	bool unknown; /* the commit failed in a way that leaves its outcome open */
};

static int write_pack_rows(struct run *r, struct store_error *err)
{
	struct odb_writer *w = r->p->writer;
	const struct pack_index *x = &w->pack.index;
	struct odb_pack_row pack = { .size = w->pack.flushed, .objects = (uint32_t)x->count };
	uint8_t key[8], row[ODB_PACK_ROW_LEN], object[ODB_ROW_LEN];
	int rc;

	memcpy(pack.random, w->pack.random, 16);
	be64_put(key, r->number);
	odb_pack_row_encode(row, &pack);
	rc = env_put_new(r->txn, ENV_PACKS, key, sizeof(key), row, sizeof(row), err);
	if (rc == STORE_EEXISTS)
		return store_error_set(err, STORE_ECORRUPT,
			"pack number %llu is taken; run 'store fsck --rebuild'",
			(unsigned long long)r->number);
	for (size_t i = 0; i < x->count && rc == 0; i++) {
		const struct pack_row *o = &x->rows[i];
		const struct pack_block_row *b = &x->blocks[o->block];
		const struct odb_loc loc = { r->number, (uint32_t)b->off, b->length, o->off, o->len,
			o->kind };

		if (o->kind == KIND_STAGE)
			continue;
		odb_row_encode(object, &loc);
		/*
		 * The first writer of an id wins; a second copy counts as dead bytes of its pack.
		 */
		rc = env_put_new(r->txn, ENV_OBJECTS, o->id.b, ID_LEN, object, sizeof(object), err);
		if (rc == STORE_EEXISTS)
			rc = 0;
	}
	return rc;
}

/* Give the pack its name.  After a run that ended with a full map it stands there already. */
static int rename_pack(struct run *r, struct store_error *err)
{
	struct pack_write *pack = &r->p->writer->pack;
	struct odb *o = r->odb;

	if (r->renamed)
		return 0;
	pack_name(pack->name, r->number, pack->random);
	if (FAULT("publish.rename") || renameat(o->tmp_fd, pack->tmp, o->packs_fd, pack->name) != 0)
		return store_error_sys(err, "cannot rename 'tmp/%s' to 'packs/%s'", pack->tmp,
			pack->name);
	r->renamed = true;
	if (FAULT("publish.sync") || io_sync(o->packs_fd) != 0)
		return store_error_sys(err, "cannot sync '%s/packs'", o->path);
	return 0;
}

static int write_log(struct run *r, struct store_error *err)
{
	struct odb *o = r->odb;
	struct buf record = { 0 };
	off_t at;
	int rc;

	if (!r->p->log || r->logged)
		return 0;
	r->log_fd = openat(o->fd, "refs.log", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (r->log_fd == -1)
		return store_error_sys(err, "cannot open '%s/refs.log'", o->path);
	at = lseek(r->log_fd, 0, SEEK_END);
	if (at == -1)
		return store_error_sys(err, "cannot read '%s/refs.log'", o->path);
	r->log_at = (uint64_t)at;
	r->log_open = true;
	rc = r->p->log(r->p->ctx, r->number, &record, err);
	if (rc == 0)
		rc = append_log(o, r->log_fd, &record, r->log_at, err);
	r->logged = rc == 0;
	buf_release(&record);
	return rc;
}

static int rows(struct run *r, struct store_error *err)
{
	int rc = publish_next(r->txn, &r->number, err);

	/* Later the mark in the gate is our own, and what it tells of is our own pack and record.
	 */
	if (rc == 0 && !r->looked)
		rc = look_after_crash(r->odb, r->txn, r->number, err);
	r->looked |= rc == 0;
	if (rc == 0 && r->p->writer)
		rc = writer_row_renew(r->p->writer, r->txn, err);
	if (rc == 0 && r->p->apply)
		rc = r->p->apply(r->p->ctx, r->txn, r->number, err);
	if (rc == 0 && r->has_pack)
		rc = write_pack_rows(r, err);
	if (rc == 0)
		rc = env_set_number(r->txn, "next", r->number + 1, err);
	return rc;
}

static int steps(struct run *r, struct store_error *err)
{
	int rc = mark_busy(r->odb, true, err);

	if (rc == 0 && r->has_pack)
		rc = rename_pack(r, err);
	if (rc == 0)
		rc = write_log(r, err);
	return rc;
}

/* The system refused a commit: is our number in?  Nobody else writes, for we hold the gate. */
static int ask_again(struct run *r, int rc, struct store_error *err)
{
	uint64_t next = 0;

	r->unknown = env_ask_number(r->odb->env, "next", &next, NULL) != 0;
	if (r->unknown)
		return store_error_wrap(err, rc, "whether it was done is unknown");
	if (next <= r->number)
		return rc;
	store_error_clear(err);
	return 0;
}

/* The pack goes back to tmp/, where its owner or the next sweep deletes it. */
static bool take_back_pack(struct run *r)
{
	const struct pack_write *pack = &r->p->writer->pack;
	struct odb *o = r->odb;

	if (FAULT("publish.undo") || renameat(o->packs_fd, pack->name, o->tmp_fd, pack->tmp) != 0)
		return false;
	r->renamed = false;
	/* Else a power failure could bring it back when its number is another's. */
	return io_sync(o->packs_fd) == 0;
}

/* The record is cut off, all of it or the part that was written. */
static bool take_back_record(struct run *r)
{
	if (FAULT("refslog.undo") || ftruncate(r->log_fd, (off_t)r->log_at) != 0)
		return false;
	r->logged = false;
	return io_sync(r->log_fd) == 0;
}

/*
 * Nothing of it happened.  When that is not sure the mark in the gate stays, and whoever takes the
 * gate next finds out (invariants 1 and 2), this handle included.
 */
static bool undo(struct run *r)
{
	const bool pack = !r->renamed || take_back_pack(r);
	const bool record = !r->log_open || take_back_record(r);

	return pack && record;
}

static int attempt(struct run *r, struct store_error *err)
{
	int rc = env_begin(r->odb->env, true, &r->txn, err);

	if (rc != 0)
		return rc;
	rc = rows(r, err);
	if (rc == 0)
		rc = steps(r, err);
	if (rc != 0) {
		env_abort(r->txn);
		return rc;
	}
	rc = env_commit(r->txn, err);
	return rc == 0 || rc == ENV_FULL ? rc : ask_again(r, rc, err);
}

static int run_under_gate(struct run *r, struct store_error *err)
{
	int rc;

	for (;;) {
		rc = attempt(r, err);
		if (rc != ENV_FULL || r->p->keeps_snapshot || r->p->only_if_free)
			break;
		rc = env_grow(r->odb->env, err);
		if (rc != 0)
			break;
	}
	/* Before the look has succeeded the mark is another's. */
	if (r->looked && (rc == 0 || (!r->unknown && undo(r))))
		mark_busy(r->odb, false, NULL);
	else
		r->odb->gate_checked = false;
	io_close(&r->log_fd);
	return rc;
}

int publish(struct odb *o, const struct publication *p, uint64_t *number, struct store_error *err)
{
	struct run r = { .odb = o, .p = p, .log_fd = -1 };
	int rc = 0;

	/* Pack bytes are durable before the gate is taken: it is held for milliseconds. */
	if (p->writer) {
		rc = publish_check_closure(p->writer, err);
		if (rc == 0)
			rc = writer_seal(p->writer, err);
		r.has_pack = pack_write_is_open(&p->writer->pack);
	}
	if (rc == 0)
		rc = p->only_if_free ? odb_gate_try(o, err) : odb_gate_lock(o, err);
	if (rc != 0)
		return rc;
	rc = run_under_gate(&r, err);
	odb_gate_unlock(o);
	TRACE(TRACE_PUBLISH, "number=%llu rc=%d pack=%d log=%d", (unsigned long long)r.number, rc,
		r.has_pack, r.logged);
	if (rc == 0 && p->writer)
		writer_published(p->writer);
	if (rc == 0 && number)
		*number = r.number;
	return rc;
}

/* ---- registration of writers: a publication without pack */

/* A checkpoint young enough to go on from? */
static bool is_worth_keeping(const struct env_val *row)
{
	return row->len > WRITER_ROW_HEAD &&
		(int64_t)le64_get((const uint8_t *)row->data + 8) + WRITER_CHECKPOINT_S >
		(int64_t)time(NULL);
}

/* Rows of writers that died without a checkpoint worth keeping. */
static int drop_dead_rows(struct odb *o, struct env_txn *txn, struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(txn, ENV_WRITERS, &c, err);

	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		char sign[TMP_NAME + 1] = { 0 };

		if (is_worth_keeping(&val))
			continue;
		if (val.len >= WRITER_ROW_HEAD)
			memcpy(sign, (const uint8_t *)val.data + WRITER_ROW_SIGN, TMP_NAME);
		if (sign[0] && tmp_is_held(o->tmp_fd, sign))
			continue;
		rc = env_cursor_del(c, err);
		if (rc != 0)
			break;
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int apply_register(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	struct odb_writer *w = ctx;
	int rc = drop_dead_rows(w->odb, txn, err);

	w->id = w->epoch = number;
	return rc == 0 ? writer_row_put(w, txn, err) : rc;
}

int writer_register(struct odb_writer *w, struct store_error *err)
{
	struct publication p = { .apply = apply_register, .ctx = w };
	int rc;

	if (w->id != 0)
		return 0;
	rc = tmp_create(w->odb->tmp_fd, 'w', w->sign, &w->sign_fd, err);
	if (rc == 0)
		rc = publish(w->odb, &p, NULL, err);
	if (rc != 0)
		w->id = 0;
	return rc;
}
