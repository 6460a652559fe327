/*
 * Refs and reflog from refs.log.
 *
 * A publication writes its record, and syncs it, before the database may say that it happened. So
 * what the old database's reflog has and refs.log has not was lost: it is written anew. When the
 * old database cannot be asked, an end of refs.log that is no record is damage if it looks like one
 * or if a pack was published after it; else it is what a crash leaves, and is passed over.
 *
 * The last record was never finished when it names a commit that is nowhere and nothing was
 * published since: no pack has its number or a greater one, nor has the old database given out its
 * number. Else it counts, and the check that follows names what is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/io.h"
#include "data/refslog.h"
#include "work/rebuild_internal.h"

/* A `next` of the old database that is so much above what else is known is damage. */
#define NEXT_AHEAD ((uint64_t)1 << 32)

struct refs_run {
	struct rebuild *rebuild;
	int fd; /* refs.log */
	struct refslog_tail tail;
	struct rebuild_old old;
	uint64_t pack; /* the greatest number of a pack */
};

/* ---- records that were lost */

/* The number up to which refs.log tells everything. */
static uint64_t told(const struct refslog_tail *t)
{
	return t->has_record ? t->last_number - t->last_is_void : 0;
}

/* Changes that count, up to record last. */
static int count_changes(int fd, uint64_t last, uint64_t *count, struct store_error *err)
{
	struct refslog_reader *log = NULL;
	struct refslog_record record;
	int rc = refslog_open(&log, fd, err);

	*count = 0;
	while (rc == 0 && (rc = refslog_next(log, &record, err)) == 0) {
		if (record.type == REFSLOG_RECORD && !record.is_void && record.number <= last)
			*count += record.change_count;
	}
	refslog_close(log);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int append(struct refs_run *t, const struct buf *records, struct store_error *err)
{
	if (FAULT("rebuild.log") || ftruncate(t->fd, (off_t)t->tail.end) != 0 ||
		io_pwrite_full(t->fd, records->data, records->len, t->tail.end) != 0 ||
		io_sync(t->fd) != 0)
		return store_error_sys(err, "cannot write '%s/refs.log'",
			odb_path(t->rebuild->odb));
	return 0;
}

/* The old database has changes behind the last record. */
static int restore(struct refs_run *t, struct store_error *err)
{
	struct rebuild *r = t->rebuild;
	const uint64_t last = told(&t->tail);
	uint64_t changes;
	int rc = count_changes(t->fd, last, &changes, err);

	if (rc != 0)
		return rc;
	if (t->old.records.len == 0 || changes != t->old.rows)
		return store_error_set(err, STORE_ECORRUPT,
			"'%s/refs.log' has lost what was recorded after record %" PRIu64
			", and '%s', which has it, is damaged, too: move that away to do without",
			odb_path(r->odb), last, r->path);
	rc = append(t, &t->old.records, err);
	if (rc == 0)
		fsck_info(r->fsck,
			"refs.log had lost what follows record %" PRIu64
			": it was written anew from the database",
			last);
	return rc == 0 ? refslog_read_tail(&t->tail, t->fd, err) : rc;
}

/* ---- an end that is no record */

/* The next line of text, without its LF; false when no LF follows. */
static bool take_line(struct text_slice *text, struct text_slice *line)
{
	const char *lf = memchr(text->p, '\n', text->len);

	if (!lf)
		return false;
	*line = (struct text_slice){ text->p, (size_t)(lf - text->p) };
	text->p = lf + 1;
	text->len -= line->len + 1;
	return true;
}

static struct text_slice take_word(struct text_slice *line)
{
	const char *blank = memchr(line->p, ' ', line->len);
	const struct text_slice w = { line->p, blank ? (size_t)(blank - line->p) : line->len };

	line->p += w.len + (blank != NULL);
	line->len -= w.len + (blank != NULL);
	return w;
}

/* Does line set a ref to a commit that is there?  Then the words are in name and id. */
static bool names_commit(struct refs_run *t, struct text_slice line, struct text_slice *name,
	struct text_slice *id)
{
	struct refslog_value v;
	struct env_val row;

	if (!text_slice_eq(take_word(&line), text_slice_of("ref")))
		return false;
	*name = take_word(&line);
	take_word(&line);
	*id = line;
	return name->len <= LIMIT_REF && refslog_value_parse(&v, line, NULL) == 0 &&
		v.type == REFSLOG_VALUE_ID &&
		env_get(t->rebuild->txn, ENV_OBJECTS, v.id.b, ID_LEN, &row, NULL) == 0;
}

static int tell_lost(struct refs_run *t, struct text_slice text, uint64_t number,
	struct store_error *err)
{
	struct text_slice line, name = { 0 }, id = { 0 };
	bool found = false;

	while (!found && take_line(&text, &line))
		found = names_commit(t, line, &name, &id);
	if (found)
		return fsck_damage(t->rebuild->fsck, NULL, 0, 0, err,
			"the last record of refs.log, %" PRIu64
			", is damaged and was passed over: it set '%.*s' to %.*s",
			number, (int)name.len, name.p, (int)id.len, id.p);
	return fsck_damage(t->rebuild->fsck, NULL, 0, 0, err,
		"the last record of refs.log, %" PRIu64
		", is damaged and was passed over: what it changed is lost",
		number);
}

/*
 * A crash cuts off, or leaves zeros; bytes that end as a record does are one that was changed. Not
 * when the database is there, for it would have what was changed.
 */
static int judge_end(struct refs_run *t, struct store_error *err)
{
	const size_t end_len = strlen("end ") + 16 + 1;
	struct buf bytes = { 0 };
	const size_t len = (size_t)(t->tail.size - t->tail.end);
	struct text_slice text, first;
	uint64_t number = 0;
	bool is_whole;
	int rc = 0;

	if (t->old.is_known || len == 0)
		return 0;
	if (len > REFSLOG_RECORD_MAX || buf_reserve(&bytes, len) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (io_pread_full(t->fd, bytes.data, len, t->tail.end) != (ssize_t)len)
		rc = store_error_sys(err, "cannot read '%s/refs.log'", odb_path(t->rebuild->odb));
	text = (struct text_slice){ (const char *)bytes.data, rc == 0 ? len : 0 };
	is_whole = text.len > end_len && !memchr(text.p, 0, len) && text.p[len - 1] == '\n' &&
		memcmp(text.p + len - end_len, "end ", strlen("end ")) == 0;
	if (take_line(&(struct text_slice){ text.p, text.len }, &first)) {
		take_word(&first);
		text_parse_u64(take_word(&first), UINT64_MAX, &number);
	}
	if (rc == 0 && (is_whole || (number != 0 && number < t->pack)))
		rc = tell_lost(t, text, number, err);
	buf_release(&bytes);
	return rc;
}

/* ---- replay */

static int find_new(struct rebuild *r, const struct refslog_change *c, bool *there,
	struct store_error *err)
{
	struct refslog_value v;
	struct env_val row;
	int rc;

	*there = true;
	if (refslog_value_parse(&v, c->new_value, NULL) != 0 || v.type != REFSLOG_VALUE_ID)
		return 0;
	rc = env_get(r->txn, ENV_OBJECTS, v.id.b, ID_LEN, &row, err);
	*there = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int is_unfinished(const struct refs_run *t, const struct refslog_record *record,
	bool *unfinished, struct store_error *err)
{
	int rc = 0;

	*unfinished = false;
	if (!record->is_last || record->number <= t->pack ||
		(t->old.is_known && record->number < t->old.next))
		return 0;
	for (size_t i = 0; i < record->change_count && rc == 0 && !*unfinished; i++) {
		bool there;

		rc = find_new(t->rebuild, &record->changes[i], &there, err);
		*unfinished = rc == 0 && !there;
	}
	return rc;
}

static void give_out(struct rebuild *r, uint64_t number)
{
	if (number > r->last)
		r->last = number;
}

static int replay_one(struct refs_run *t, const struct refslog_record *record,
	struct store_error *err)
{
	struct rebuild *r = t->rebuild;
	bool unfinished = false;
	int rc = 0;

	if (record->type == REFSLOG_RECORD && !record->is_void)
		rc = is_unfinished(t, record, &unfinished, err);
	if (rc == 0 && unfinished) {
		/* Its number comes next, so that a writer makes it void when this run cannot. */
		r->unfinished = record->number;
		give_out(r, record->number - 1);
		return 0;
	}
	give_out(r, record->number);
	if (rc != 0 || record->type != REFSLOG_RECORD || record->is_void)
		return rc;
	rc = refs_replay(r->txn, record, err);
	return rc == 0 ? rebuild_wrote(r, 2 * record->change_count, err) : rc;
}

static int replay(struct refs_run *t, struct store_error *err)
{
	struct refslog_reader *log = NULL;
	struct refslog_record record;
	int rc = refslog_open(&log, t->fd, err);

	while (rc == 0 && (rc = refslog_next(log, &record, err)) == 0) {
		if (record.type != REFSLOG_TORN)
			rc = replay_one(t, &record, err);
	}
	refslog_close(log);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static bool is_likely(const struct refs_run *t)
{
	const uint64_t known = t->pack > t->tail.last_number ? t->pack : t->tail.last_number;

	return t->old.next != 0 && t->old.next < ODB_PENDING &&
		t->old.next - 1 < known + NEXT_AHEAD;
}

static int run(struct refs_run *t, struct store_error *err)
{
	struct rebuild *r = t->rebuild;
	int rc = refslog_read_tail(&t->tail, t->fd, err);

	if (rc == 0)
		rc = rebuild_ask_old(r->path, told(&t->tail), &t->old, err);
	if (rc == 0 && t->old.is_known && t->old.newest > told(&t->tail))
		rc = restore(t, err);
	if (rc == 0)
		rc = judge_end(t, err);
	if (!is_likely(t))
		t->old.next = 0;
	if (rc == 0)
		rc = replay(t, err);
	if (rc == 0 && t->old.is_known && t->old.next > 0)
		give_out(r, t->old.next - 1);
	return rc;
}

static int open_log(struct rebuild *r, int *fd, struct store_error *err)
{
	*fd = openat(odb_fd(r->odb), "refs.log", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (*fd == -1)
		return store_error_sys(err,
			"cannot open '%s/refs.log', from which refs are made anew",
			odb_path(r->odb));
	return 0;
}

int rebuild_refs(struct rebuild *r, struct store_error *err)
{
	struct refs_run t = { .rebuild = r, .fd = -1, .pack = r->last };
	int rc = open_log(r, &t.fd, err);

	if (rc == 0)
		rc = run(&t, err);
	rebuild_old_release(&t.old);
	io_close(&t.fd);
	return rc;
}

int rebuild_void(struct rebuild *r, struct store_error *err)
{
	struct refs_run t = { .rebuild = r, .fd = -1 };
	struct hash *h = hash_new();
	struct buf record = { 0 };
	int rc = h ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");

	if (rc == 0 && r->unfinished != 0) {
		rc = open_log(r, &t.fd, err);
		if (rc == 0)
			rc = refslog_read_tail(&t.tail, t.fd, err);
		if (rc == 0)
			rc = refslog_encode_void(&record, r->unfinished, h, err);
		if (rc == 0)
			rc = append(&t, &record, err);
		if (rc == 0)
			fsck_info(r->fsck,
				"record %" PRIu64
				" of refs.log was never finished: it is passed over",
				r->unfinished);
	}
	hash_free(h);
	buf_release(&record);
	io_close(&t.fd);
	return rc;
}
