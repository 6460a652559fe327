/*
 * refs.log: writing one record, and finding the records again whatever a crash has left of them.
 *
 * Three things may be at the end that nobody wrote on purpose: a record cut short, a record whose
 * bytes did not all reach the disk (zeros or old bytes stand in their place), and nothing.  All
 * show as bytes from which no valid "end" line follows.  Such bytes are a torn tail only if one
 * append could have left them: at most one record long, nothing behind an "end" line, and no whole
 * record in them.  Anything else is corruption and is said to be, because to pass over it would
 * lose ref changes in silence.  A record with a valid check is never torn: if its lines are wrong,
 * somebody wrote them so, and it is refused.
 */
#include "data/refslog_internal.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/quote.h"
#include "data/limits.h"
#include "data/refname.h"

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

int refslog_check_change(const struct refslog_change *c, struct store_error *err)
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
int refslog_check_names_differ(const struct refslog_change *changes, size_t count,
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
	out[REFSLOG_CHECK] = '\0';
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
	const int rc = refslog_check_change(c, err);

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
	rc = refslog_check_names_differ(r->changes, r->change_count, err);
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

bool refslog_starts_with(const uint8_t *p, size_t len, const char *word)
{
	const size_t n = strlen(word);

	return len >= n && memcmp(p, word, n) == 0;
}

bool refslog_begins_record(const uint8_t *p, size_t len)
{
	return refslog_starts_with(p, len, "record ") || refslog_starts_with(p, len, "void ");
}

struct refslog_extent refslog_find_extent(const uint8_t *p, size_t len)
{
	struct refslog_extent e = { .p = p };

	for (size_t at = 0; at < len;) {
		const uint8_t *lf = memchr(p + at, '\n', len - at);

		if (!lf || (at > 0 && refslog_begins_record(p + at, len - at)))
			break;
		if (refslog_starts_with(p + at, len - at, "end ")) {
			e.body = at;
			e.len = (size_t)(lf + 1 - p);
			break;
		}
		at = (size_t)(lf + 1 - p);
	}
	return e;
}

bool refslog_is_whole(struct hash *h, const struct refslog_extent *e)
{
	char check[ID_HEX + 1];

	if (e->len != e->body + strlen("end ") + REFSLOG_CHECK + 1 ||
		!refslog_begins_record(e->p, e->body))
		return false;
	make_check(h, e->p, e->body, check);
	return memcmp(e->p + e->body + strlen("end "), check, REFSLOG_CHECK) == 0;
}

/* Then an "end" line closes the file, and no whole record begins at a later line. */
bool refslog_is_torn(struct hash *h, const uint8_t *p, size_t len)
{
	const uint8_t *lf;

	for (size_t at = 0; (lf = memchr(p + at, '\n', len - at)) != NULL;) {
		const bool is_end = refslog_starts_with(p + at, len - at, "end ");
		struct refslog_extent e;

		at = (size_t)(lf + 1 - p);
		if (is_end && at < len)
			return false;
		if (!refslog_begins_record(p + at, len - at))
			continue;
		e = refslog_find_extent(p + at, len - at);
		if (e.len > 0 && refslog_is_whole(h, &e))
			return false;
	}
	return true;
}
