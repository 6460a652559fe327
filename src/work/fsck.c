/*
 * Check everything, in phases of which each proves one thing and may lean on those before it:
 *
 *   1 packs    every block decodes, every object equals its id, every footer says what is there
 *   2 index    the database and the footers name the same objects at the same places
 *   3 refs     refs, reflog and refs.log agree
 *   4 history  commits and layers are what their parents and roots make them
 *   5 trees    everything a commit needs is there, every total is right, nodes end at borders
 *   6 stage    everything that is staged is there, what is not marked dirty is as committed, and
 *              counters are above what they gave out
 *
 * The gate is held while the list of packs is taken, and again for the snapshot that is compared
 * with refs.log, never during the hours between: writers go on meanwhile. Publications from after
 * the first moment are left to the next run. With `rebuild` the gate is held until the new database
 * stands in its place.
 *
 * Memory: one bit for each object, 64 bytes for each pack, a table of 16384 checked nodes of 176
 * bytes, what is damaged (up to DAMAGED_MAX of it), and 4 MiB for the numbers of directories.
 */
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
#include "work/options.h"
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

int fsck_damage_at(struct fsck *f, const struct oid *id, const char *path, const char *what,
	struct store_error *err)
{
	char where[220], text[400];

	describe(f, where, sizeof(where), id, 0, 0);
	snprintf(text, sizeof(text), "%s: %s", where, what);
	f->result->damaged++;
	tell(f, STORE_NOTICE_CORRUPT, *path ? path : ".", text);
	return id ? remember(f, id, 0, 0, err) : 0;
}

void fsck_damage_path(struct fsck *f, const char *path, const char *what)
{
	char text[300];

	snprintf(text, sizeof(text), "stage: %s", what);
	f->result->damaged++;
	tell(f, STORE_NOTICE_CORRUPT, *path ? path : ".", text);
}

void fsck_tell_path(struct fsck *f, const struct fsck_damaged *d, const char *path)
{
	char where[220], text[260];

	describe(f, where, sizeof(where), &d->id, d->pack, d->off);
	snprintf(text, sizeof(text), "%s is needed by", where);
	tell(f, STORE_NOTICE_CORRUPT, *path ? path : ".", text);
}

void fsck_tell_user(struct fsck *f, struct fsck_damaged *d, const char *what, const char *name)
{
	char where[220], text[600];

	if (d->paths > FSCK_PATHS_EACH)
		return;
	f->nameless -= d->paths == 0;
	describe(f, where, sizeof(where), &d->id, d->pack, d->off);
	if (d->paths++ < FSCK_PATHS_EACH)
		snprintf(text, sizeof(text), "%s is needed by %s %s", where, what, name);
	else
		snprintf(text, sizeof(text), "%s is needed by more", where);
	tell(f, STORE_NOTICE_CORRUPT, "", text);
}

void fsck_tell_more(struct fsck *f, const struct fsck_damaged *d)
{
	char where[220], text[260];

	describe(f, where, sizeof(where), &d->id, d->pack, d->off);
	snprintf(text, sizeof(text), "%s is needed by more paths", where);
	tell(f, STORE_NOTICE_CORRUPT, "", text);
}

/* ---- a run */

/*
 * Files that the database does not know. One that has the number that comes next was left by a
 * publication that never committed: nobody's damage. Of a greater number it was published by a
 * database that is not this one, which shows only while nobody publishes. Any other was published,
 * and its row is lost.
 */
static int judge_unknown(struct fsck *f, const struct fsck_pack *p, bool locked, bool has_row,
	struct store_error *err)
{
	char name[PACK_NAME];

	pack_name(name, p->number, p->random);
	if (has_row)
		return fsck_damage(f, NULL, 0, 0, err,
			"packs/%s: its row in the database is damaged: run 'store fsck --rebuild'",
			name);
	if (p->number < f->horizon)
		return fsck_damage(f, NULL, 0, 0, err,
			"packs/%s is not in the database: run 'store fsck --rebuild'", name);
	if (locked && p->number > f->horizon)
		return fsck_damage(f, NULL, 0, 0, err,
			"packs/%s: db/ is older than packs: run 'store fsck --rebuild'", name);
	fsck_info(f, "packs/%s was never published; the next command that writes removes it", name);
	return 0;
}

static int drop_unknown(struct fsck *f, struct env_txn *txn, bool locked, struct store_error *err)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; i < f->packs.count && rc == 0; i++) {
		const struct fsck_pack p = f->packs.items[i];
		struct store_error why = { 0 };

		rc = publish_knows_pack(txn, p.number, p.random, &why);
		if (rc == 0)
			f->packs.items[kept++] = p;
		else if (rc == STORE_ENOTFOUND || rc == STORE_ECORRUPT)
			rc = judge_unknown(f, &p, locked, rc == STORE_ECORRUPT, err);
		else if (err)
			*err = why;
	}
	f->packs.count = kept;
	return rc;
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
		rc = drop_unknown(f, txn, locked, err);
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
		{ "trees",
			"everything that a commit needs is there, every total and border is right",
			fsck_trees },
		{ "stage", "everything that is staged is there, every change is marked",
			fsck_stage },
	};
	int rc = 0;

	for (size_t i = 0; i < FSCK_PHASES && rc == 0; i++) {
		begin_phase(f, phases[i].name, phases[i].proves);
		rc = phases[i].run(f, err);
		if (rc == 0 && i == 0)
			rc = prepare_marks(f, err);
		f->next_tick = 0; /* the end of a phase is told */
		if (rc == 0)
			rc = fsck_tick(f, err);
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
	hash_free(f->hash);
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
	int rc = options_check(options, "store_fsck_options", err);

	memset(f.result, 0, sizeof(*f.result));
	odb_counts(repo->odb, &before);
	f.reader = repo->reader;
	f.nodes = repo_nodes(repo);
	f.hash = hash_new();
	if (rc == 0 && !f.hash)
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc == 0 && o->rebuild)
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
	f.result->stats.nodes_read += after.nodes - before.nodes;
	f.result->stats.seconds = (double)(clock_mono_ns() - start) / 1e9;
	store_stats_memory(&f.result->stats);
	release(&f);
	return rc;
}
