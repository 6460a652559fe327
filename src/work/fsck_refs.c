/*
 * Phase 3: refs, reflog and refs.log tell one story.
 *
 * Every change in refs.log that counts must be a row of the reflog, and begin where the row before
 * it ended; the newest row of a ref must be the ref's value; and there must be no row more. That
 * takes no memory: the reflog is sorted by name and number.
 *
 * refs.log and the snapshot are taken together under the gate, so that no publication lies between
 * them. A last record without its publication in the database belongs to one that was cut short:
 * whoever writes next makes it void, and it is passed over here.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "data/refslog.h"
#include "odb/publish.h"
#include "odb/reflog_rows.h"
#include "work/fsck_internal.h"

struct refs_run {
	struct fsck *fsck;
	struct env_txn *txn;
	struct refslog_reader *log;
	uint64_t next;    /* of the snapshot */
	uint64_t changes; /* that count */
	struct buf row;   /* of the reflog, as it should be */
};

struct log_key {
	uint8_t b[LIMIT_REF + 1 + 8];
	size_t len;
};

static bool set_key(struct log_key *k, struct text_slice name, uint64_t number)
{
	if (name.len > LIMIT_REF)
		return false;
	memcpy(k->b, name.p, name.len);
	k->b[name.len] = 0;
	be64_put(k->b + name.len + 1, number);
	k->len = name.len + 9;
	return true;
}

/* The two first lines of a reflog row. */
static bool take_values(const struct env_val *row, struct text_slice *old_value,
	struct text_slice *new_value)
{
	const char *p = row->data, *end = p + row->len;
	const char *a = memchr(p, '\n', (size_t)(end - p)),
		   *b = a ? memchr(a + 1, '\n', (size_t)(end - a - 1)) : NULL;

	if (!b)
		return false;
	*old_value = (struct text_slice){ p, (size_t)(a - p) };
	*new_value = (struct text_slice){ a + 1, (size_t)(b - a - 1) };
	return true;
}

/* The ref's value before publication number: that of the reflog row before it, "-" without one. */
static int value_before(struct refs_run *r, const struct log_key *k, size_t name_len,
	struct text_slice *out, struct store_error *err)
{
	struct env_val key, val;
	struct text_slice old_value;
	const int rc = env_get_before(r->txn, ENV_REFLOG, k->b, k->len, &key, &val, err);

	*out = text_slice_of("-");
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? 0 : rc;
	if (key.len == k->len && memcmp(key.data, k->b, name_len + 1) == 0 &&
		!take_values(&val, &old_value, out))
		*out = text_slice_of("");
	return 0;
}

static int check_change(struct refs_run *r, const struct refslog_record *record,
	const struct refslog_change *c, struct store_error *err)
{
	struct text_slice before;
	const int n = (int)c->name.len;
	struct log_key k;
	struct env_val v;
	int rc;

	r->changes++;
	if (!set_key(&k, c->name, record->number))
		return fsck_damage(r->fsck, NULL, 0, 0, err,
			"refs.log record %" PRIu64 " names a ref of %d bytes", record->number, n);
	rc = env_get(r->txn, ENV_REFLOG, k.b, k.len, &v, err);
	if (rc == STORE_ENOTFOUND)
		return fsck_damage(r->fsck, NULL, 0, 0, err,
			"the database lacks change %" PRIu64
			" of '%.*s', which refs.log has; run 'store fsck --rebuild'",
			record->number, n, c->name.p);
	if (rc != 0)
		return rc;
	buf_clear(&r->row);
	rc = refs_replayed_row(&r->row, record, c, err);
	if (rc != 0)
		return rc;
	if (v.len != r->row.len || memcmp(v.data, r->row.data, v.len) != 0)
		return fsck_damage(r->fsck, NULL, 0, 0, err,
			"the database and refs.log differ in change %" PRIu64
			" of '%.*s'; run 'store fsck --rebuild'",
			record->number, n, c->name.p);
	rc = value_before(r, &k, c->name.len, &before, err);
	if (rc == 0 && !text_slice_eq(before, c->old_value))
		return fsck_damage(r->fsck, NULL, 0, 0, err,
			"change %" PRIu64
			" of '%.*s' in refs.log does not begin where the one before it ended",
			record->number, n, c->name.p);
	return rc;
}

/* A record of a publication that never committed: only the last one may be. */
static bool is_unfinished(const struct refs_run *r, const struct refslog_record *record)
{
	return record->is_last && record->number >= r->next;
}

static int check_log(struct refs_run *r, struct store_error *err)
{
	struct refslog_record record;
	int rc;

	while ((rc = refslog_next(r->log, &record, err)) == 0) {
		if (record.type != REFSLOG_RECORD || record.is_void)
			continue;
		if (is_unfinished(r, &record) && record.number == r->next)
			continue;
		if (record.number >= r->next)
			rc = fsck_damage(r->fsck, NULL, 0, 0, err,
				"the database is older than refs.log, which has record %" PRIu64
				"; run 'store fsck --rebuild'",
				record.number);
		for (size_t i = 0; i < record.change_count && rc == 0; i++)
			rc = check_change(r, &record, &record.changes[i], err);
		if (rc == 0)
			rc = fsck_tick(r->fsck, err);
		if (rc != 0)
			break;
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int check_ref(struct refs_run *r, const char *name, const char *value,
	struct store_error *err)
{
	struct text_slice newest;
	struct log_key k;
	int rc;

	if (!set_key(&k, text_slice_of(name), UINT64_MAX))
		return fsck_damage(r->fsck, NULL, 0, 0, err, "a ref has a name of %zu bytes",
			strlen(name));
	rc = value_before(r, &k, strlen(name), &newest, err);
	if (rc == 0 && !text_slice_eq(newest, text_slice_of(value)))
		return fsck_damage(r->fsck, NULL, 0, 0, err,
			"'%s' is not what its reflog says; run 'store fsck --rebuild'", name);
	return rc;
}

static int check_refs(struct refs_run *r, struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(r->txn, ENV_REFS, &c, err);

	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		char name[LIMIT_REF + 1], value[REFS_VALUE];

		if (key.len > LIMIT_REF || val.len >= REFS_VALUE) {
			rc = fsck_damage(r->fsck, NULL, 0, 0, err,
				"a row of table 'refs' is malformed; run 'store fsck --rebuild'");
		} else {
			snprintf(name, sizeof(name), "%.*s", (int)key.len, (const char *)key.data);
			snprintf(value, sizeof(value), "%.*s", (int)val.len,
				(const char *)val.data);
			rc = check_ref(r, name, value, err);
		}
		if (rc != 0)
			break;
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Every name in the reflog whose newest row does not delete must be a ref: HEAD at least. */
static int check_head(struct refs_run *r, struct store_error *err)
{
	char value[REFS_VALUE];
	const int rc = refs_get(r->txn, "HEAD", value, NULL);

	if (rc == STORE_ENOTFOUND)
		return fsck_damage(r->fsck, NULL, 0, 0, err,
			"there is no HEAD; run 'store fsck --rebuild'");
	return rc == STORE_ECORRUPT ? fsck_damage(r->fsck, NULL, 0, 0, err,
					      "HEAD is malformed; run 'store fsck --rebuild'")
				    : rc;
}

static int check_reflog_rows(struct refs_run *r, struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	const struct refslog_tail *tail = refslog_tail_of(r->log);
	int rc = env_cursor_open(r->txn, ENV_REFLOG, &c, err);
	uint64_t rows = 0, newest = 0;

	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		struct text_slice old_value, new_value;
		struct env_val ref;
		struct log_key last;
		struct env_val k, v;
		size_t n;

		rows++;
		if (key.len < 9 || key.len > sizeof(last.b) ||
			!take_values(&val, &old_value, &new_value)) {
			rc = fsck_damage(r->fsck, NULL, 0, 0, err,
				"a row of table 'reflog' is malformed; run 'store fsck --rebuild'");
			if (rc != 0)
				break;
			continue;
		}
		n = key.len - 9;
		if (be64_get((const uint8_t *)key.data + n + 1) >= r->next)
			rc = fsck_damage(r->fsck, NULL, 0, 0, err,
				"the reflog has a change of a publication to come; run 'store fsck --rebuild'");
		if (rc != 0)
			break;
		/* Only the newest row of a name tells what the ref is now. */
		set_key(&last, (struct text_slice){ key.data, n }, UINT64_MAX);
		rc = env_get_before(r->txn, ENV_REFLOG, last.b, last.len, &k, &v, err);
		if (rc != 0)
			break;
		if (k.len != key.len || memcmp(k.data, key.data, key.len) != 0 ||
			text_slice_eq(new_value, text_slice_of("-")))
			continue;
		rc = env_get(r->txn, ENV_REFS, key.data, n, &ref, err);
		if (rc == STORE_ENOTFOUND)
			rc = fsck_damage(r->fsck, NULL, 0, 0, err,
				"the database lacks '%.*s', which its reflog has; run 'store fsck --rebuild'",
				(int)n, (const char *)key.data);
		if (rc != 0)
			break;
	}
	env_cursor_close(c);
	if (rc != STORE_ENOTFOUND)
		return rc;
	rc = reflog_newest(r->txn, &newest, NULL);
	/* A malformed row was told above. */
	if (rc != 0 && rc != STORE_ECORRUPT)
		return store_error_set(err, rc, "cannot read the reflog");
	if (newest > tail->last_number || (newest == tail->last_number && tail->last_is_void))
		return fsck_damage(r->fsck, NULL, 0, 0, err,
			"refs.log has lost record %" PRIu64
			", which the database has; 'store fsck --rebuild' writes it anew",
			newest);
	if (rows != r->changes)
		return fsck_damage(r->fsck, NULL, 0, 0, err,
			"the reflog has %" PRIu64 " changes, refs.log has %" PRIu64
			"; run 'store fsck --rebuild'",
			rows, r->changes);
	return 0;
}

/*
 * refs.log and a snapshot of one moment. Who may only read takes the snapshot first: then the log
 * can only be ahead by its last record.
 */
static int open_both(struct refs_run *r, int fd, struct store_error *err)
{
	struct odb *o = r->fsck->repo->odb;
	int rc = odb_gate_lock(o, err);
	const bool locked = rc == 0;

	if (rc == STORE_EDENIED) {
		store_error_clear(err);
		rc = 0;
	}
	if (rc == 0)
		rc = env_begin(odb_env(o), false, &r->txn, err);
	if (rc == 0)
		rc = publish_next(r->txn, &r->next, err);
	if (rc == 0)
		rc = refslog_open(&r->log, fd, err);
	if (locked)
		odb_gate_unlock(o);
	return rc;
}

int fsck_refs(struct fsck *f, struct store_error *err)
{
	struct refs_run r = { .fsck = f };
	struct store_error why = { 0 };
	int fd = openat(odb_fd(f->repo->odb), "refs.log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc;

	if (fd == -1)
		return fsck_damage(f, NULL, 0, 0, err, "refs.log cannot be opened");
	rc = open_both(&r, fd, &why);
	if (rc == STORE_ECORRUPT || rc == STORE_EVERSION) {
		rc = fsck_damage(f, NULL, 0, 0, err, "refs.log: %s", why.msg);
	} else if (rc != 0) {
		if (err)
			*err = why;
	} else {
		rc = check_log(&r, err);
		if (rc == 0)
			rc = check_refs(&r, err);
		if (rc == 0)
			rc = check_head(&r, err);
		if (rc == 0)
			rc = check_reflog_rows(&r, err);
	}
	refslog_close(r.log);
	buf_release(&r.row);
	env_abort(r.txn);
	io_close(&fd);
	return rc;
}
