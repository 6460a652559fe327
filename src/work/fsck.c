/*
 * Check everything, in phases of which each proves one thing and may lean on those before it:
 *
 *   1 packs    every block decodes, every object equals its id, every footer says what is there
 *   2 index    the database and the footers name the same objects at the same places
 *   3 refs     refs, reflog and refs.log agree
 *   4 history  commits and layers are what their parents and roots make them
 *   5 trees    everything a commit needs is there, and every total is right
 *   6 stage    everything that is staged is there
 *
 * The gate is held while the list of packs is taken, and again for the snapshot that is compared
 * with refs.log, never during the hours between: writers go on meanwhile. Publications from after
 * the first moment are left to the next run. With `rebuild` the gate is held until the new database
 * stands in its place.
 *
 * Memory: one bit for each object, 64 bytes for each pack, a table of 16384 checked nodes, and what
 * is damaged (up to DAMAGED_MAX of it).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "odb/publish.h"
#include "work/fsck_internal.h"
#include "work/stats.h"

#define TICK_NS 100000000
#define DAMAGED_MAX 65536

/* ---- telling */

static void tell(struct fsck *f, enum store_notice_kind kind, const char *path, const char *text)
{
	const struct store_notice n = { kind, path, text, 0 };

	if (f->callbacks->notice)
		f->callbacks->notice(f->callbacks->payload, &n);
}

void fsck_info(struct fsck *f, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell(f, STORE_NOTICE_INFO, "", text);
}

static void begin_phase(struct fsck *f, const char *name, const char *proves)
{
	char text[200];

	f->phase++;
	snprintf(text, sizeof(text), "%d/%d %s: %s", f->phase, FSCK_PHASES, name, proves);
	tell(f, STORE_NOTICE_PHASE, "", text);
	snprintf(f->stage, sizeof(f->stage), "fsck %d/%d %s", f->phase, FSCK_PHASES, name);
	f->progress = (struct store_progress){ .stage = f->stage };
}

int fsck_tick(struct fsck *f, struct store_error *err)
{
	const int64_t now = clock_mono_ns();

	if (now < f->next_tick)
		return 0;
	f->next_tick = now + TICK_NS;
	stats_sample();
	if (f->callbacks->progress &&
		f->callbacks->progress(f->callbacks->payload, &f->progress) != 0)
		return store_error_set(err, STORE_ECANCELED, "stopped");
	return 0;
}

/* ---- what is damaged */

static struct fsck_damaged *find_slot(struct fsck *f, const struct oid *id)
{
	size_t i = (size_t)id_low64(id) & (f->damaged_cap - 1);

	while (f->damaged[i].used && !id_eq(&f->damaged[i].id, id))
		i = (i + 1) & (f->damaged_cap - 1);
	return &f->damaged[i];
}

struct fsck_damaged *fsck_is_damaged(struct fsck *f, const struct oid *id)
{
	struct fsck_damaged *d = f->damaged_cap > 0 ? find_slot(f, id) : NULL;

	return d && d->used ? d : NULL;
}

static int grow_damaged(struct fsck *f)
{
	struct fsck_damaged *old = f->damaged;
	const size_t cap = f->damaged_cap;

	f->damaged = mem_alloc_array(cap ? 2 * cap : 64, sizeof(*f->damaged));
	if (!f->damaged) {
		f->damaged = old;
		return STORE_ENOMEM;
	}
	f->damaged_cap = cap ? 2 * cap : 64;
	for (size_t i = 0; i < cap; i++) {
		if (old[i].used)
			*find_slot(f, &old[i].id) = old[i];
	}
	free(old);
	return 0;
}

static int remember(struct fsck *f, const struct oid *id, uint64_t pack, uint64_t off,
	struct store_error *err)
{
	struct fsck_damaged *d;
	struct odb_loc loc;

	/* Nobody reads this copy where the database names another. */
	if (fsck_is_damaged(f, id) ||
		(pack != 0 && odb_find(f->reader, id, &loc, NULL) == 0 && loc.pack != pack))
		return 0;
	if (f->damaged_count >= DAMAGED_MAX) {
		f->damaged_full = true;
		return 0;
	}
	if (2 * (f->damaged_count + 1) > f->damaged_cap && grow_damaged(f) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	d = find_slot(f, id);
	*d = (struct fsck_damaged){ .id = *id, .pack = pack, .off = (uint32_t)off, .used = true };
	f->damaged_count++;
	return 0;
}

/* "packs/NAME at offset N: object ID", as far as known. */
static void describe(struct fsck *f, char *out, size_t cap, const struct oid *id, uint64_t pack,
	uint64_t off)
{
	const struct fsck_pack *p = pack ? fsck_find_pack(&f->packs, pack) : NULL;
	char name[PACK_NAME], hex[ID_HEX + 1];
	int n = 0;

	out[0] = '\0';
	if (p) {
		pack_name(name, p->number, p->random);
		n = snprintf(out, cap, "packs/%s at offset %" PRIu64 "%s", name, off,
			id ? ": " : "");
	}
	if (id && n >= 0 && (size_t)n < cap)
		snprintf(out + n, cap - (size_t)n, "object %s", id_hex(hex, id));
}

int fsck_damage(struct fsck *f, const struct oid *id, uint64_t pack, uint64_t off,
	struct store_error *err, const char *fmt, ...)
{
	char where[220], why[520], text[760];
	va_list ap;

	describe(f, where, sizeof(where), id, pack, off);
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%s%s%s", where, where[0] ? ": " : "", why);
	f->result->damaged++;
	tell(f, STORE_NOTICE_CORRUPT, "", text);
	return id ? remember(f, id, pack, off, err) : 0;
}

void fsck_tell_path(struct fsck *f, const struct fsck_damaged *d, const char *path)
{
	char where[220], text[260];

	describe(f, where, sizeof(where), &d->id, d->pack, d->off);
	snprintf(text, sizeof(text), "%s is needed by", where);
	tell(f, STORE_NOTICE_CORRUPT, *path ? path : ".", text);
}

void fsck_tell_more(struct fsck *f, const struct fsck_damaged *d)
{
	char where[220], text[260];

	describe(f, where, sizeof(where), &d->id, d->pack, d->off);
	snprintf(text, sizeof(text), "%s is needed by more paths", where);
	tell(f, STORE_NOTICE_CORRUPT, "", text);
}

/* ---- marks: one bit per footer row */

/* Bytes of a pack file that a look-up needs. */
static int read_rows(struct fsck *f, struct fsck_pack *p, void *out, size_t len, uint64_t off,
	struct store_error *err)
{
	char name[PACK_NAME];

	pack_name(name, p->number, p->random);
	if (f->row_fd == -1 || f->row_pack != p->number) {
		io_close(&f->row_fd);
		f->row_fd = openat(odb_packs_fd(f->repo->odb), name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (f->row_fd == -1)
			return store_error_sys(err, "cannot open 'packs/%s'", name);
		f->row_pack = p->number;
	}
	if (io_pread_full(f->row_fd, out, len, off) != (ssize_t)len)
		return store_error_sys(err, "cannot read 'packs/%s'", name);
	return 0;
}

/* Rows whose id begins with this byte: [*from, *to). */
static int read_fanout(struct fsck *f, struct fsck_pack *p, uint8_t first, uint32_t *from,
	uint32_t *to, struct store_error *err)
{
	const uint64_t table = p->footer_off + PACK_FOOTER_HEAD +
		(uint64_t)p->blocks * PACK_BLOCK_ROW;
	uint8_t b[8] = { 0 };
	int rc;

	if (first == 0)
		rc = read_rows(f, p, b + 4, 4, table, err);
	else
		rc = read_rows(f, p, b, 8, table + 4 * ((uint64_t)first - 1), err);
	*from = le32_get(b);
	*to = le32_get(b + 4);
	if (rc == 0 && (*from > *to || *to > p->rows))
		return store_error_set(err, STORE_ECORRUPT, "a footer changed while it was read");
	return rc;
}

static int fill_loc(struct fsck *f, struct fsck_pack *p, const uint8_t *row, struct odb_loc *loc,
	struct store_error *err)
{
	const uint32_t block = le32_get(row + ID_LEN);
	uint8_t b[PACK_BLOCK_ROW] = { 0 };
	int rc;

	if (block >= p->blocks)
		return store_error_set(err, STORE_ECORRUPT, "a footer changed while it was read");
	rc = read_rows(f, p, b, sizeof(b),
		p->footer_off + PACK_FOOTER_HEAD + (uint64_t)block * PACK_BLOCK_ROW, err);
	loc->pack = p->number;
	loc->block_off = (uint32_t)le64_get(b);
	loc->block_len = le32_get(b + 8);
	loc->off = le32_get(row + ID_LEN + 4);
	loc->len = le32_get(row + ID_LEN + 8) & 0xffffff;
	loc->kind = row[ID_LEN + 11];
	return rc;
}

int fsck_row(struct fsck *f, struct fsck_pack *p, const struct oid *id, uint32_t *row,
	struct odb_loc *loc, struct store_error *err)
{
	const uint64_t rows = p->footer_off + PACK_FOOTER_HEAD +
		(uint64_t)p->blocks * PACK_BLOCK_ROW + PACK_FANOUT;
	uint32_t from, to;
	int rc = read_fanout(f, p, id->b[0], &from, &to, err);

	while (rc == 0 && from < to) {
		const uint32_t mid = from + (to - from) / 2;
		uint8_t b[PACK_OBJECT_ROW];
		int c;

		rc = read_rows(f, p, b, sizeof(b), rows + (uint64_t)mid * PACK_OBJECT_ROW, err);
		if (rc != 0)
			break;
		c = memcmp(id->b, b, ID_LEN);
		if (c == 0) {
			*row = mid;
			return loc ? fill_loc(f, p, b, loc, err) : 0;
		}
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return rc == 0 ? STORE_ENOTFOUND : rc;
}

int fsck_bit(struct fsck *f, const struct oid *id, uint64_t *bit, struct store_error *err)
{
	struct fsck_pack *p;
	struct odb_loc loc;
	uint32_t row = 0;
	int rc = odb_find(f->reader, id, &loc, err);

	if (rc != 0)
		return rc;
	p = fsck_find_pack(&f->packs, loc.pack);
	if (!p || !p->is_readable)
		return STORE_ENOTFOUND;
	rc = fsck_row(f, p, id, &row, NULL, err);
	*bit = p->first_bit + row;
	return rc;
}

/*
 * Objects without a bit: of packs that lost their footer, or came after we looked. Few, so ids will
 * do.
 */
static struct oid *find_loose(const struct fsck *f, const struct oid *id)
{
	size_t i = (size_t)id_low64(id) & (f->loose_cap - 1);

	while (!id_is_zero(&f->loose[i]) && !id_eq(&f->loose[i], id))
		i = (i + 1) & (f->loose_cap - 1);
	return &f->loose[i];
}

static int mark_loose(struct fsck *f, const struct oid *id, bool *is_new, struct store_error *err)
{
	if (2 * (f->loose_count + 1) > f->loose_cap) {
		struct oid *old = f->loose;
		const size_t cap = f->loose_cap;
		struct oid *bigger = mem_alloc_array(cap ? 2 * cap : 64, sizeof(*bigger));

		if (!bigger)
			return store_error_set(err, STORE_ENOMEM, "out of memory");
		f->loose = bigger;
		f->loose_cap = cap ? 2 * cap : 64;
		for (size_t i = 0; i < cap; i++) {
			if (!id_is_zero(&old[i]))
				*find_loose(f, &old[i]) = old[i];
		}
		free(old);
	}
	*is_new = id_is_zero(find_loose(f, id));
	if (*is_new) {
		*find_loose(f, id) = *id;
		f->loose_count++;
	}
	return 0;
}

int fsck_mark(struct fsck *f, const struct oid *id, bool *is_new, struct store_error *err)
{
	uint64_t bit = 0;
	const int rc = fsck_bit(f, id, &bit, err);

	*is_new = true;
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? mark_loose(f, id, is_new, err) : rc;
	*is_new = !(f->seen[bit / 8] >> bit % 8 & 1);
	f->seen[bit / 8] |= (uint8_t)(1u << bit % 8);
	return 0;
}

int fsck_is_marked(struct fsck *f, const struct oid *id, bool *is_marked, struct store_error *err)
{
	uint64_t bit = 0;
	const int rc = fsck_bit(f, id, &bit, err);

	if (rc == STORE_ENOTFOUND)
		*is_marked = f->loose_cap > 0 && !id_is_zero(find_loose(f, id));
	else if (rc == 0)
		*is_marked = f->seen[bit / 8] >> bit % 8 & 1;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

void fsck_forget_marks(struct fsck *f)
{
	memset(f->seen, 0, f->packs.bits / 8 + 1);
	memset(f->memo, 0, FSCK_MEMO * sizeof(*f->memo));
	free(f->loose);
	f->loose = NULL;
	f->loose_count = f->loose_cap = 0;
}

/* ---- a run */

/*
 * Files that the database does not know: left by a publication that never committed; nobody's
 * damage.
 */
static int drop_orphans(struct fsck *f, struct env_txn *txn, struct store_error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->packs.count; i++) {
		const struct fsck_pack p = f->packs.items[i];
		struct odb_pack_row row;
		struct env_val v;
		uint8_t key[8];
		char name[PACK_NAME];
		int rc;

		be64_put(key, p.number);
		rc = env_get(txn, ENV_PACKS, key, sizeof(key), &v, err);
		if (rc != 0 && rc != STORE_ENOTFOUND)
			return rc;
		pack_name(name, p.number, p.random);
		if (rc == 0 && odb_pack_row_decode(v.data, v.len, &row, NULL) == 0 &&
			memcmp(row.random, p.random, 16) == 0)
			f->packs.items[kept++] = p;
		else
			fsck_info(f,
				"packs/%s was never published; the next command that writes removes it",
				name);
	}
	f->packs.count = kept;
	return 0;
}

/* Packs that the database knows and packs/ lacks take part as missing ones. */
static int add_missing(struct fsck *f, struct env_txn *txn, struct store_error *err)
{
	struct fsck_pack_list *l = &f->packs;
	const size_t known = l->count;
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(txn, ENV_PACKS, &c, err);

	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		struct fsck_pack p = { .is_missing = true };
		struct odb_pack_row row;
		const struct fsck_pack_list have = { l->items, known, 0, 0 };

		if (key.len != 8 || odb_pack_row_decode(val.data, val.len, &row, err) != 0) {
			rc = store_error_set(err, STORE_ECORRUPT,
				"row of table 'packs' is malformed; run 'store fsck --rebuild'");
			break;
		}
		p.number = be64_get(key.data);
		memcpy(p.random, row.random, 16);
		p.size = row.size;
		p.rows = row.objects;
		if (fsck_find_pack(&have, p.number))
			continue;
		if (mem_grow(&l->items, &l->cap, l->count + 1, sizeof(*l->items)) != 0) {
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
			break;
		}
		l->items[l->count++] = p;
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int by_number(const void *a, const void *b)
{
	const struct fsck_pack *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return memcmp(x->random, y->random, 16);
}

/* What is there now, seen while nobody publishes. */
static int take_stock(struct fsck *f, struct store_error *err)
{
	struct env_txn *txn = NULL;
	int rc = odb_gate_lock(f->repo->odb, err);
	const bool locked = rc == 0;

	/*
	 * Whoever may only read sees a publication under way as a pack too many, which is left out
	 * below.
	 */
	if (rc == STORE_EDENIED) {
		store_error_clear(err);
		rc = 0;
	}
	if (rc == 0)
		rc = env_begin(odb_env(f->repo->odb), false, &txn, err);
	if (rc == 0)
		rc = publish_next(txn, &f->horizon, err);
	if (rc == 0)
		rc = fsck_list_packs(f->repo->odb, &f->packs, err);
	if (rc == 0)
		rc = drop_orphans(f, txn, err);
	if (rc == 0)
		rc = add_missing(f, txn, err);
	env_abort(txn);
	if (locked)
		odb_gate_unlock(f->repo->odb);
	if (rc == 0 && f->packs.count > 0)
		qsort(f->packs.items, f->packs.count, sizeof(*f->packs.items), by_number);
	return rc;
}

static int prepare_marks(struct fsck *f, struct store_error *err)
{
	f->seen = calloc(1, (size_t)(f->packs.bits / 8 + 1));
	f->memo = mem_alloc_array(FSCK_MEMO, sizeof(*f->memo));
	return f->seen && f->memo ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
}

static int run_phases(struct fsck *f, struct store_error *err)
{
	static const struct {
		const char *name, *proves;
		int (*run)(struct fsck *f, struct store_error *err);
	} phases[FSCK_PHASES] = {
		{ "packs", "every block decodes, every object equals its id", fsck_packs },
		{ "index", "database and packs name the same objects", fsck_index },
		{ "refs", "refs, reflog and refs.log agree", fsck_refs },
		{ "history", "commits and layers are what their parents and roots make them",
			fsck_history },
		{ "trees", "everything that a commit needs is there, every total is right",
			fsck_trees },
		{ "stage", "everything that is staged is there", fsck_stage },
	};
	int rc = 0;

	for (size_t i = 0; i < FSCK_PHASES && rc == 0; i++) {
		begin_phase(f, phases[i].name, phases[i].proves);
		rc = phases[i].run(f, err);
		if (rc == 0 && i == 0)
			rc = prepare_marks(f, err);
	}
	if (rc == 0 && f->damaged_count > 0)
		rc = fsck_name_paths(f, err);
	return rc;
}

static int rebuild(struct fsck *f, struct store_error *err)
{
	int rc = repo_check_writable(f->repo, err);

	if (rc == 0 && odb_env(f->repo->odb))
		rc = store_error_set(err, STORE_EINVAL,
			"a rebuild needs a handle from store_open_for_rebuild");
	if (rc == 0)
		rc = odb_gate_lock(f->repo->odb, err);
	if (rc != 0)
		return rc;
	rc = rebuild_database(f, err);
	odb_gate_unlock(f->repo->odb);
	return rc == 0 ? odb_open_database(f->repo->odb, err) : rc;
}

static void release(struct fsck *f)
{
	io_close(&f->row_fd);
	fsck_free_packs(&f->packs);
	free(f->seen);
	free(f->memo);
	free(f->loose);
	free(f->damaged);
}

int store_fsck(struct store_repo *repo, const struct store_fsck_options *options,
	struct store_fsck_result *result, struct store_error *err)
{
	static const struct store_fsck_options none;
	struct store_fsck_result unused = { 0 };
	const struct store_fsck_options *o = options ? options : &none;
	struct fsck f = { .repo = repo,
		.callbacks = &o->callbacks,
		.result = result ? result : &unused,
		.row_fd = -1 };
	const int64_t start = clock_mono_ns();
	struct odb_counts before, after;
	int rc = 0;

	memset(f.result, 0, sizeof(*f.result));
	odb_counts(repo->odb, &before);
	f.reader = repo->reader;
	f.nodes = repo_nodes(repo);
	if (o->rebuild)
		rc = rebuild(&f, err);
	if (rc == 0)
		rc = take_stock(&f, err);
	if (rc == 0)
		rc = run_phases(&f, err);
	if (rc == 0 && f.result->damaged > 0)
		rc = store_error_set(err, STORE_ECORRUPT, "'%s' is damaged: %" PRIu64 " %s",
			repo->store_dir, f.result->damaged,
			f.result->damaged == 1 ? "finding" : "findings");
	odb_counts(repo->odb, &after);
	f.result->stats.decoded_bytes += after.bytes - before.bytes;
	f.result->stats.files = f.result->files;
	f.result->stats.bytes = f.result->bytes;
	f.result->stats.nodes_read = after.nodes - before.nodes;
	f.result->stats.seconds = (double)(clock_mono_ns() - start) / 1e9;
	store_stats_memory(&f.result->stats);
	release(&f);
	return rc;
}
