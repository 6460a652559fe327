/*
 * refs.log, read as a whole from its start, or its tail alone.
 *
 * Which records are void can only be known from what follows.  Record i is void iff a later record
 * j has a number that is not greater.  For the first such j the number before it is at least j's,
 * so every j that matters is a place where numbers do not rise; these places are kept ("steps"),
 * and of them only those that no later and smaller one covers, so their numbers ascend.  One step
 * per crash: memory does not grow with the log.
 *
 * Whoever takes the gate wants the tail only, and the log is as long as the history. A record
 * begins at the beginning of a line and nothing else does with its words, so the last whole one is
 * found from the end: pages are read backwards, twice as many each time, until a record with a
 * right checksum stands in them. What stands behind it is judged as in a reading from the start;
 * so are its lines. Damage before it is not seen: that is fsck's. When no record is found so near
 * the end that a torn tail explains it, or what is found is not in order, the whole file is read,
 * which says what is wrong and where.
 */
#include "data/refslog_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"

#define TAIL_FIRST ((size_t)4 << 10)

/* A record's number is not greater than the one before it. */
struct step {
	uint64_t off, number;
};

struct refslog_reader {
	int fd;
	struct hash *hash;
	struct refslog_tail tail;
	struct buf window; /* bytes of the file from window_off on */
	uint64_t window_off;
	uint64_t pos;       /* of the next record */
	struct step *steps; /* ascending by off and by number */
	size_t step_count, step_cap;
	size_t next_step; /* the first whose off is beyond pos */
	struct refslog_change *changes;
	size_t change_cap;
	bool tail_told;
};

/* The bytes at pos that are in memory. */
static const uint8_t *window_at(const struct refslog_reader *r, size_t *len)
{
	const size_t skip = (size_t)(r->pos - r->window_off);

	*len = r->window.len - skip;
	return buf_from(&r->window, skip);
}

/* Make the window begin at pos and hold all a record could have, or all up to the end. */
static int fill_window(struct refslog_reader *r, struct store_error *err)
{
	size_t have, want;
	const uint8_t *p = window_at(r, &have);
	ssize_t n;

	memmove(r->window.data, p, have);
	r->window.len = have;
	r->window_off = r->pos;
	want = REFSLOG_RECORD_MAX - have;
	if (want > r->tail.size - r->pos - have)
		want = (size_t)(r->tail.size - r->pos - have);
	n = io_pread_full(r->fd, r->window.data + have, want, r->pos + have);
	if (n < 0)
		return store_error_sys(err, "cannot read 'refs.log'");
	r->window.len += (size_t)n;
	if ((size_t)n < want)
		return store_error_set(err, STORE_EBUSY, "'refs.log' was cut while it was read");
	return 0;
}

/* The whole record at pos, e->len 0 when the tail from there is torn. */
static int find_record(struct refslog_reader *r, struct refslog_extent *e, struct store_error *err)
{
	const uint8_t *p;
	size_t len;
	int rc;

	p = window_at(r, &len);
	*e = refslog_find_extent(p, len);
	if (e->len > 0 && refslog_is_whole(r->hash, e))
		return 0;
	rc = fill_window(r, err);
	if (rc != 0)
		return rc;
	p = window_at(r, &len);
	*e = refslog_find_extent(p, len);
	if (e->len > 0 && refslog_is_whole(r->hash, e))
		return 0;
	if (r->tail.size - r->pos > REFSLOG_RECORD_MAX || !refslog_is_torn(r->hash, p, len))
		return store_error_set(err, STORE_ECORRUPT,
			"'refs.log' is damaged at byte %" PRIu64 ": no record begins there",
			r->pos);
	e->len = 0;
	return 0;
}

static void take_who(struct text *t, struct ident *who)
{
	struct store_error why = { 0 };
	const struct text_slice seconds = text_word(t);
	const struct text_slice zone = text_word(t);
	const struct text_slice rest = text_rest(t);

	if (t->rc == 0 && !text_parse_i64(seconds, &who->seconds))
		text_fail(t, "the time is no number");
	if (t->rc == 0 &&
		(ident_parse_zone(who, zone, &why) != 0 || ident_parse_who(who, rest, &why) != 0))
		text_fail(t, "%s", why.msg);
}

static void take_changes(struct refslog_reader *r, struct text *t, struct refslog_record *out)
{
	struct store_error why = { 0 };
	size_t count = 0;
	int rc;

	do {
		struct refslog_change *c;

		text_key(t, "ref");
		if (mem_grow(&r->changes, &r->change_cap, count + 1, sizeof(*r->changes)) != 0) {
			t->rc = store_error_set(t->err, STORE_ENOMEM, "out of memory");
			return;
		}
		c = &r->changes[count++];
		c->name = text_word(t);
		c->old_value = text_word(t);
		c->new_value = text_word(t);
		text_eol(t);
		if (t->rc == 0 && refslog_check_change(c, &why) != 0)
			text_fail(t, "%s", why.msg);
	} while (text_has(t, "ref"));
	rc = t->rc == 0 ? refslog_check_names_differ(r->changes, count, &why) : 0;
	if (rc == STORE_ENOMEM)
		t->rc = store_error_set(t->err, rc, "%s", why.msg);
	else if (rc != 0)
		text_fail(t, "%s", why.msg);
	out->changes = r->changes;
	out->change_count = count;
}

static int parse_record(struct refslog_reader *r, const struct refslog_extent *e,
	struct refslog_record *out, struct store_error *err)
{
	struct text t;
	int rc;

	*out = (struct refslog_record){ .off = r->pos, .end = r->pos + e->len };
	text_init(&t, "record", e->p, e->body, err);
	out->type = text_has(&t, "void") ? REFSLOG_VOID : REFSLOG_RECORD;
	text_key(&t, out->type == REFSLOG_VOID ? "void" : "record");
	out->number = text_u64(&t, UINT64_MAX);
	if (out->type == REFSLOG_RECORD)
		take_who(&t, &out->who);
	text_eol(&t);
	if (out->type == REFSLOG_RECORD) {
		take_changes(r, &t, out);
		if (text_has(&t, "why")) {
			text_key(&t, "why");
			out->why = text_rest(&t);
		}
	}
	rc = text_end(&t);
	if (rc != 0)
		return store_error_wrap(err, rc, "'refs.log' at byte %" PRIu64, r->pos);
	return 0;
}

static int add_step(struct refslog_reader *r, uint64_t off, uint64_t number)
{
	while (r->step_count > 0 && r->steps[r->step_count - 1].number >= number)
		r->step_count--;
	if (mem_grow(&r->steps, &r->step_cap, r->step_count + 1, sizeof(*r->steps)) != 0)
		return STORE_ENOMEM;
	r->steps[r->step_count++] = (struct step){ off, number };
	return 0;
}

/* The first pass: the tail and the steps. */
static int scan(struct refslog_reader *r, struct store_error *err)
{
	struct refslog_tail *tail = &r->tail;

	while (r->pos < tail->size) {
		struct refslog_record record;
		struct refslog_extent e;
		int rc = find_record(r, &e, err);

		if (rc != 0 || e.len == 0)
			return rc;
		rc = parse_record(r, &e, &record, err);
		if (rc != 0)
			return rc;
		if (tail->has_record && record.number <= tail->last_number &&
			add_step(r, record.off, record.number) != 0)
			return store_error_set(err, STORE_ENOMEM, "out of memory");
		tail->has_record = true;
		tail->last_number = record.number;
		tail->last_is_void = record.type == REFSLOG_VOID;
		tail->last_off = record.off;
		tail->end = record.end;
		r->pos = record.end;
	}
	return 0;
}

static int check_head(struct refslog_reader *r, struct store_error *err)
{
	static const char kind[] = "store refs ";
	const size_t len = strlen(REFSLOG_HEAD);
	int rc = fill_window(r, err);

	if (rc != 0)
		return rc;
	if (!refslog_starts_with(r->window.data, r->window.len, REFSLOG_HEAD)) {
		if (refslog_starts_with(r->window.data, r->window.len, kind) &&
			r->window.len >= len)
			return store_error_set(err, STORE_EVERSION,
				"'refs.log' is of a newer kind: a newer store is needed");
		return store_error_set(err, STORE_ECORRUPT,
			"'refs.log' does not begin with 'store refs 1'");
	}
	r->pos = len;
	r->tail.end = len;
	return 0;
}

static struct refslog_reader *new_reader(int fd, struct store_error *err)
{
	struct refslog_reader *r = calloc(1, sizeof(*r));
	struct stat st;

	if (!r)
		goto no_memory;
	r->fd = fd;
	r->hash = hash_new();
	if (!r->hash || buf_reserve(&r->window, REFSLOG_RECORD_MAX) != 0)
		goto no_memory;
	if (fstat(fd, &st) == 0) {
		r->tail.size = (uint64_t)st.st_size;
		return r;
	}
	store_error_sys(err, "cannot read 'refs.log'");
	refslog_close(r);
	return NULL;
no_memory:
	store_error_set(err, STORE_ENOMEM, "out of memory");
	refslog_close(r);
	return NULL;
}

int refslog_open(struct refslog_reader **out, int fd, struct store_error *err)
{
	struct store_error failed = { 0 };
	struct refslog_reader *r = new_reader(fd, &failed);
	int rc;

	*out = NULL;
	if (!r) {
		if (err)
			*err = failed;
		return failed.code;
	}
	rc = check_head(r, err);
	if (rc == 0)
		rc = scan(r, err);
	if (rc != 0) {
		refslog_close(r);
		return rc;
	}
	r->pos = strlen(REFSLOG_HEAD);
	r->window_off = r->pos;
	r->window.len = 0;
	*out = r;
	return 0;
}

void refslog_close(struct refslog_reader *r)
{
	if (!r)
		return;
	hash_free(r->hash);
	buf_release(&r->window);
	free(r->steps);
	free(r->changes);
	free(r);
}

const struct refslog_tail *refslog_tail_of(const struct refslog_reader *r)
{
	return &r->tail;
}

static int tell_tail(struct refslog_reader *r, struct refslog_record *out)
{
	if (r->tail_told || r->tail.end == r->tail.size)
		return STORE_ENOTFOUND;
	r->tail_told = true;
	*out = (struct refslog_record){ .type = REFSLOG_TORN,
		.off = r->tail.end,
		.end = r->tail.size };
	return 0;
}

int refslog_next(struct refslog_reader *r, struct refslog_record *out, struct store_error *err)
{
	struct refslog_extent e;
	int rc;

	if (r->pos >= r->tail.end)
		return tell_tail(r, out);
	rc = find_record(r, &e, err);
	/* The first pass has seen a whole record here. */
	if (rc == STORE_ECORRUPT || (rc == 0 && e.len == 0))
		return store_error_set(err, STORE_EBUSY, "'refs.log' changed while it was read");
	if (rc == 0)
		rc = parse_record(r, &e, out, err);
	if (rc != 0)
		return rc;
	while (r->next_step < r->step_count && r->steps[r->next_step].off <= out->off)
		r->next_step++;
	out->is_void = r->next_step < r->step_count && r->steps[r->next_step].number <= out->number;
	out->is_last = out->off == r->tail.last_off;
	r->pos = out->end;
	return 0;
}

/* --- the tail alone ------------------------------------------------------------------------- */

/* The last whole record of data, which begins a line if is_start, else anywhere in one. */
static bool find_last(struct hash *h, const uint8_t *data, size_t len, bool is_start, size_t *at)
{
	bool found = false;
	size_t pos = 0;

	for (bool skip = !is_start; pos < len;) {
		struct refslog_extent e = { 0 };
		const uint8_t *lf = memchr(data + pos, '\n', len - pos);

		if (!lf)
			break;
		if (!skip && refslog_begins_record(data + pos, len - pos))
			e = refslog_find_extent(data + pos, len - pos);
		skip = false;
		if (e.len > 0 && refslog_is_whole(h, &e)) {
			found = true;
			*at = pos;
			pos += e.len;
		} else {
			pos = (size_t)(lf + 1 - data);
		}
	}
	return found;
}

/* Stand at the last whole record, by reading backwards.  STORE_ENOTFOUND: none is near the end. */
static int seek_last(struct refslog_reader *r, struct store_error *err)
{
	const uint64_t start = strlen(REFSLOG_HEAD), size = r->tail.size;
	struct buf data = { 0 };
	int rc = STORE_ENOTFOUND;

	for (size_t want = TAIL_FIRST;
		rc == STORE_ENOTFOUND && want <= (size_t)2 * REFSLOG_RECORD_MAX; want *= 2) {
		const bool all = size - start <= want;
		const size_t len = all ? (size_t)(size - start) : want;
		size_t at = 0;

		if (buf_reserve(&data, len) != 0)
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
		else if (io_pread_full(r->fd, data.data, len, size - len) != (ssize_t)len)
			rc = store_error_sys(err, "cannot read 'refs.log'");
		else if (find_last(r->hash, data.data, len, all, &at))
			rc = 0;
		if (rc == 0)
			r->pos = size - len + at;
		if (all)
			break;
	}
	buf_release(&data);
	return rc;
}

static int read_tail(struct refslog_reader *r, struct store_error *err)
{
	uint8_t head[sizeof(REFSLOG_HEAD)];
	const size_t len = strlen(REFSLOG_HEAD);
	int rc;

	if (io_pread_full(r->fd, head, len, 0) != (ssize_t)len ||
		memcmp(head, REFSLOG_HEAD, len) != 0)
		return STORE_ECORRUPT;
	rc = seek_last(r, err);
	if (rc != 0)
		return rc;
	r->window_off = r->pos;
	r->window.len = 0;
	return scan(r, err);
}

int refslog_read_tail(struct refslog_tail *out, int fd, struct store_error *err)
{
	struct store_error failed = { 0 };
	struct refslog_reader *r = new_reader(fd, &failed);
	int rc = r ? read_tail(r, &failed) : failed.code;

	/* What is wrong, and where, the whole file tells. */
	if (rc == STORE_ENOTFOUND || rc == STORE_ECORRUPT) {
		refslog_close(r);
		rc = refslog_open(&r, fd, &failed);
	}
	if (rc == 0 && r)
		*out = r->tail;
	else if (err)
		*err = failed;
	refslog_close(r);
	return rc;
}
