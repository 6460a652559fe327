/*
 * refs.log: writing one record, and reading the file whatever a crash has left of it.
 *
 * Three things may be at the end that nobody wrote on purpose: a record cut short, a record whose
 * bytes did not all reach the disk (zeros or old bytes stand in their place), and nothing.  All
 * show as bytes from which no valid "end" line follows.  Such bytes are a torn tail only if one
 * append could have left them: at most one record long, nothing behind an "end" line, and no whole
 * record in them.  Anything else is corruption and is said to be, because to pass over it would
 * lose ref changes in silence.  A record with a valid check is never torn: if its lines are wrong,
 * somebody wrote them so, and it is refused.
 *
 * Which records are void can only be known from what follows.  Record i is void iff a later record
 * j has a number that is not greater.  For the first such j the number before it is at least j's,
 * so every j that matters is a place where numbers do not rise; these places are kept ("steps"),
 * and of them only those that no later and smaller one covers, so their numbers ascend.  One step
 * per crash: memory does not grow with the log.
 */
#include "data/refslog.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/quote.h"
#include "data/limits.h"
#include "data/refname.h"

#define CHECK_DIGITS 16

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

/* A record as it lies in memory. */
struct extent {
	const uint8_t *p;
	size_t body; /* bytes before the line "end" */
	size_t len;  /* with it; 0: there is none */
};

/* --- values and names ----------------------------------------------------------------------- */

int refslog_value_parse(struct refslog_value *out, struct text_slice text, struct store_error *err)
{
	char quoted[100];

	*out = (struct refslog_value){ .type = REFSLOG_VALUE_ABSENT };
	if (text.len == 1 && text.p[0] == '-')
		return 0;
	if (text.len == ID_HEX && id_parse(&out->id, text.p, text.len) == 0) {
		out->type = REFSLOG_VALUE_ID;
		return 0;
	}
	if (text.len > 4 && memcmp(text.p, "ref:", 4) == 0) {
		out->type = REFSLOG_VALUE_REF;
		out->ref = (struct text_slice){ text.p + 4, text.len - 4 };
		return refname_check(out->ref.p, out->ref.len, REFNAME_ONE_LEVEL, err);
	}
	return store_error_set(err, STORE_EINVAL, "'%s' is no value of a ref",
		quote_msg(quoted, sizeof(quoted), text.p, text.len));
}

static int check_change(const struct refslog_change *c, struct store_error *err)
{
	struct refslog_value value;
	int rc = refname_check(c->name.p, c->name.len, REFNAME_ONE_LEVEL, err);

	if (rc == 0)
		rc = refslog_value_parse(&value, c->old_value, err);
	if (rc == 0)
		rc = refslog_value_parse(&value, c->new_value, err);
	return rc;
}

static int compare_names(const void *a, const void *b)
{
	const struct text_slice *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->p, y->p, x->len);
}

/* Sorting keeps a record of a hundred thousand hostile lines from taking minutes. */
static int check_names_differ(const struct refslog_change *changes, size_t count,
	struct store_error *err)
{
	struct text_slice *names;
	int rc = 0;

	if (count < 2)
		return 0;
	names = mem_alloc_array(count, sizeof(*names));
	if (!names)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		names[i] = changes[i].name;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count && rc == 0; i++) {
		if (compare_names(&names[i - 1], &names[i]) == 0)
			rc = store_error_set(err, STORE_EINVAL, "the ref '%.*s' stands twice",
				(int)names[i].len, names[i].p);
	}
	free(names);
	return rc;
}

/* --- writing -------------------------------------------------------------------------------- */

static void make_check(struct hash *h, const void *body, size_t len, char out[ID_HEX + 1])
{
	struct oid id;

	hash_once(h, body, len, &id);
	id_hex(out, &id);
	out[CHECK_DIGITS] = '\0';
}

/* Close the record that begins at start. */
static int add_end(struct buf *out, size_t start, struct hash *h, struct store_error *err)
{
	char check[ID_HEX + 1];

	if (out->failed)
		return buf_check(out, err);
	make_check(h, out->data + start, out->len - start, check);
	buf_addf(out, "end %s\n", check);
	if (out->len - start > REFSLOG_RECORD_MAX)
		return store_error_set(err, STORE_EINVAL, "too many refs change at once");
	return buf_check(out, err);
}

static void add_why(struct buf *out, struct text_slice why)
{
	const size_t max = LIMIT_LINE - strlen("why ");
	size_t len = why.len;

	if (len > max) {
		/* Not in the middle of a UTF-8 sequence. */
		for (len = max; len > max - 4 && ((uint8_t)why.p[len] & 0xc0) == 0x80; len--)
			;
	}
	if (len == 0)
		return;
	buf_add_str(out, "why ");
	for (size_t i = 0; i < len; i++) {
		const uint8_t c = (uint8_t)why.p[i];

		buf_add_u8(out, c < 0x20 || c == 0x7f ? ' ' : c);
	}
	buf_add_u8(out, '\n');
}

static int add_record_line(struct buf *out, const struct refslog_record *r, struct store_error *err)
{
	int rc;

	buf_addf(out, "record %" PRIu64 " %" PRId64 " ", r->number, r->who.seconds);
	rc = ident_format_zone(out, &r->who, err);
	if (rc != 0)
		return rc;
	buf_add_u8(out, ' ');
	rc = ident_format_who(out, &r->who, err);
	buf_add_u8(out, '\n');
	return rc;
}

static int add_change(struct buf *out, const struct refslog_change *c, struct store_error *err)
{
	const int rc = check_change(c, err);

	if (rc != 0)
		return rc;
	buf_add_str(out, "ref ");
	buf_add(out, c->name.p, c->name.len);
	buf_add_u8(out, ' ');
	buf_add(out, c->old_value.p, c->old_value.len);
	buf_add_u8(out, ' ');
	buf_add(out, c->new_value.p, c->new_value.len);
	buf_add_u8(out, '\n');
	return 0;
}

int refslog_encode(struct buf *out, const struct refslog_record *r, struct hash *h,
	struct store_error *err)
{
	const size_t start = out->len;
	int rc;

	if (r->change_count == 0)
		return store_error_set(err, STORE_EINVAL, "a record of refs.log needs a change");
	rc = check_names_differ(r->changes, r->change_count, err);
	if (rc == 0)
		rc = add_record_line(out, r, err);
	for (size_t i = 0; rc == 0 && i < r->change_count; i++)
		rc = add_change(out, &r->changes[i], err);
	if (rc == 0) {
		add_why(out, r->why);
		rc = add_end(out, start, h, err);
	}
	if (rc != 0)
		out->len = start;
	return rc;
}

int refslog_encode_void(struct buf *out, uint64_t number, struct hash *h, struct store_error *err)
{
	const size_t start = out->len;
	int rc;

	buf_addf(out, "void %" PRIu64 "\n", number);
	rc = add_end(out, start, h, err);
	if (rc != 0)
		out->len = start;
	return rc;
}

/* --- finding records ------------------------------------------------------------------------ */

static bool starts_with(const uint8_t *p, size_t len, const char *word)
{
	const size_t n = strlen(word);

	return len >= n && memcmp(p, word, n) == 0;
}

static bool begins_record(const uint8_t *p, size_t len)
{
	return starts_with(p, len, "record ") || starts_with(p, len, "void ");
}

/* From p up to the first line "end"; none if another record begins before it. */
static struct extent find_extent(const uint8_t *p, size_t len)
{
	struct extent e = { .p = p };

	for (size_t at = 0; at < len;) {
		const uint8_t *lf = memchr(p + at, '\n', len - at);

		if (!lf || (at > 0 && begins_record(p + at, len - at)))
			break;
		if (starts_with(p + at, len - at, "end ")) {
			e.body = at;
			e.len = (size_t)(lf + 1 - p);
			break;
		}
		at = (size_t)(lf + 1 - p);
	}
	return e;
}

static bool is_whole(struct hash *h, const struct extent *e)
{
	char check[ID_HEX + 1];

	if (e->len != e->body + strlen("end ") + CHECK_DIGITS + 1 || !begins_record(e->p, e->body))
		return false;
	make_check(h, e->p, e->body, check);
	return memcmp(e->p + e->body + strlen("end "), check, CHECK_DIGITS) == 0;
}

/*
 * Could these bytes, in which no whole record begins, be what is left of the one append that a
 * crash cut short?  Then an "end" line closes the file, and no whole record begins at a later
 * line.  Each byte is hashed at most once.
 */
static bool is_torn(struct hash *h, const uint8_t *p, size_t len)
{
	const uint8_t *lf;

	for (size_t at = 0; (lf = memchr(p + at, '\n', len - at)) != NULL;) {
		const bool is_end = starts_with(p + at, len - at, "end ");
		struct extent e;

		at = (size_t)(lf + 1 - p);
		if (is_end && at < len)
			return false;
		if (!begins_record(p + at, len - at))
			continue;
		e = find_extent(p + at, len - at);
		if (e.len > 0 && is_whole(h, &e))
			return false;
	}
	return true;
}

/* --- reading -------------------------------------------------------------------------------- */

/* The bytes at pos that are in memory. */
static const uint8_t *window_at(const struct refslog_reader *r, size_t *len)
{
	const size_t skip = (size_t)(r->pos - r->window_off);

	*len = r->window.len - skip;
	return r->window.data + skip;
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
static int find_record(struct refslog_reader *r, struct extent *e, struct store_error *err)
{
	const uint8_t *p;
	size_t len;
	int rc;

	p = window_at(r, &len);
	*e = find_extent(p, len);
	if (e->len > 0 && is_whole(r->hash, e))
		return 0;
	rc = fill_window(r, err);
	if (rc != 0)
		return rc;
	p = window_at(r, &len);
	*e = find_extent(p, len);
	if (e->len > 0 && is_whole(r->hash, e))
		return 0;
	if (r->tail.size - r->pos > REFSLOG_RECORD_MAX || !is_torn(r->hash, p, len))
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
		if (t->rc == 0 && check_change(c, &why) != 0)
			text_fail(t, "%s", why.msg);
	} while (text_has(t, "ref"));
	if (t->rc == 0 && check_names_differ(r->changes, count, &why) != 0)
		text_fail(t, "%s", why.msg);
	out->changes = r->changes;
	out->change_count = count;
}

static int parse_record(struct refslog_reader *r, const struct extent *e,
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
		struct extent e;
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
	if (!starts_with(r->window.data, r->window.len, REFSLOG_HEAD)) {
		if (starts_with(r->window.data, r->window.len, kind) && r->window.len >= len)
			return store_error_set(err, STORE_EVERSION,
				"'refs.log' is of a newer kind: a newer store is needed");
		return store_error_set(err, STORE_ECORRUPT,
			"'refs.log' does not begin with 'store refs 1'");
	}
	r->pos = len;
	r->tail.end = len;
	return 0;
}

int refslog_open(struct refslog_reader **out, int fd, struct store_error *err)
{
	struct refslog_reader *r = calloc(1, sizeof(*r));
	struct stat st;
	int rc;

	*out = NULL;
	if (!r)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	r->fd = fd;
	r->hash = hash_new();
	if (!r->hash || buf_reserve(&r->window, REFSLOG_RECORD_MAX) != 0) {
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
		goto out;
	}
	if (fstat(fd, &st) != 0) {
		rc = store_error_sys(err, "cannot read 'refs.log'");
		goto out;
	}
	r->tail.size = (uint64_t)st.st_size;
	rc = check_head(r, err);
	if (rc == 0)
		rc = scan(r, err);
	if (rc != 0)
		goto out;
	r->pos = strlen(REFSLOG_HEAD);
	r->window_off = r->pos;
	r->window.len = 0;
	*out = r;
	r = NULL;
out:
	refslog_close(r);
	return rc;
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
	struct extent e;
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
