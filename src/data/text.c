/*
 * Scanning texts of which only one form is right.
 *
 * Ids are made from these texts, so two spellings of one meaning would be two ids; and a line that
 * a reader skips is a line on which two readers can disagree.  Hence no tolerance: the caller names
 * the line that must come next, and whatever stands there instead (a repetition, another order, an
 * unknown word, nothing) is one and the same failure, told apart only in the message.  Numbers have
 * one spelling each.
 *
 * The scanner never copies and never allocates; slices point into the text.  It is sticky like
 * struct span: after the first failure t->p == t->end, so loops of the form `while (text_has(...))`
 * end.
 */
#include "data/text.h"

#include <stdarg.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/limits.h"

struct text_slice text_slice_of(const char *s)
{
	return (struct text_slice){ s, strlen(s) };
}

bool text_slice_eq(struct text_slice a, struct text_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool text_parse_u64(struct text_slice s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0 || (s.len > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const uint64_t digit = (uint64_t)(s.p[i] - '0');

		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

bool text_parse_i64(struct text_slice s, int64_t *out)
{
	const bool is_negative = s.len > 0 && s.p[0] == '-';
	uint64_t v = 0;

	if (is_negative) {
		s.p++;
		s.len--;
	}
	if (!text_parse_u64(s, (uint64_t)INT64_MAX + is_negative, &v) || (is_negative && v == 0))
		return false;
	/* -v - 1 + 1 in this order, so that the smallest number needs no wider type. */
	*out = is_negative ? -(int64_t)(v - 1) - 1 : (int64_t)v;
	return true;
}

bool text_parse_hex64(struct text_slice s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len != 16)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

void text_init(struct text *t, const char *what, const void *data, size_t len,
	struct store_error *err)
{
	*t = (struct text){ .what = what, .p = data, .err = err };
	t->end = len > 0 ? t->p + len : t->p;
}

int text_fail(struct text *t, const char *fmt, ...)
{
	char reason[300];
	va_list ap;

	if (t->rc != 0)
		return t->rc;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	t->rc = store_error_set(t->err, STORE_ECORRUPT, "%s, line %u: %s", t->what, t->number,
		reason);
	t->p = t->end;
	t->rest.len = 0;
	return t->rc;
}

/* The next line without its LF; len 0 and p NULL at the end of the text or where no line can be. */
static struct text_slice peek_line(const struct text *t)
{
	const size_t left = (size_t)(t->end - t->p);
	const size_t reach = left < LIMIT_LINE + 1 ? left : LIMIT_LINE + 1;
	const char *lf = reach > 0 ? memchr(t->p, '\n', reach) : NULL;

	if (!lf)
		return (struct text_slice){ NULL, 0 };
	return (struct text_slice){ t->p, (size_t)(lf - t->p) };
}

static struct text_slice take_line(struct text *t)
{
	const struct text_slice line = peek_line(t);

	if (t->rc != 0)
		return (struct text_slice){ NULL, 0 };
	t->number++;
	if (!line.p && t->p == t->end)
		text_fail(t, "the text ends too early");
	else if (!line.p && (size_t)(t->end - t->p) <= LIMIT_LINE)
		text_fail(t, "the line has no end");
	else if (!line.p)
		text_fail(t, "the line is longer than %d bytes", LIMIT_LINE);
	else if (memchr(line.p, '\0', line.len))
		text_fail(t, "the line holds a NUL");
	if (t->rc != 0)
		return (struct text_slice){ NULL, 0 };
	t->p = line.p + line.len + 1;
	return line;
}

static bool starts_with_key(struct text_slice line, struct text_slice key)
{
	return line.p && line.len > key.len && line.p[key.len] == ' ' &&
		memcmp(line.p, key.p, key.len) == 0;
}

/* Say why the current line cannot stand here.  due: what should; NULL: nothing. */
static void refuse_line(struct text *t, struct text_slice line, const char *due)
{
	char quoted[80];

	quote_msg(quoted, sizeof(quoted), line.p, line.len);
	if (t->key.len > 0 && starts_with_key(line, t->key))
		text_fail(t, "'%.*s' stands twice", (int)t->key.len, t->key.p);
	else if (due)
		text_fail(t, "'%s' stands where '%s' is due", quoted, due);
	else
		text_fail(t, "'%s' follows the last line", quoted);
}

void text_exact(struct text *t, const char *line)
{
	const struct text_slice got = take_line(t);

	if (t->rc == 0 && !text_slice_eq(got, text_slice_of(line)))
		refuse_line(t, got, line);
}

bool text_has(const struct text *t, const char *key)
{
	return t->rc == 0 && starts_with_key(peek_line(t), text_slice_of(key));
}

void text_key(struct text *t, const char *key)
{
	const struct text_slice want = text_slice_of(key);
	const struct text_slice line = take_line(t);

	if (t->rc != 0)
		return;
	if (!starts_with_key(line, want)) {
		refuse_line(t, line, key);
		return;
	}
	t->key = want;
	t->rest = (struct text_slice){ line.p + want.len + 1, line.len - want.len - 1 };
	t->value_taken = false;
}

/* The blank between two values. */
static bool at_value(struct text *t)
{
	if (t->rc != 0)
		return false;
	if (t->value_taken) {
		if (t->rest.len == 0 || t->rest.p[0] != ' ')
			return false;
		t->rest.p++;
		t->rest.len--;
	}
	t->value_taken = true;
	return true;
}

struct text_slice text_word(struct text *t)
{
	struct text_slice word = { NULL, 0 };
	const char *blank;

	if (!at_value(t) || t->rest.len == 0 || t->rest.p[0] == ' ') {
		text_fail(t, "a value is missing");
		return word;
	}
	blank = memchr(t->rest.p, ' ', t->rest.len);
	word.p = t->rest.p;
	word.len = blank ? (size_t)(blank - word.p) : t->rest.len;
	t->rest.p += word.len;
	t->rest.len -= word.len;
	return word;
}

uint64_t text_u64(struct text *t, uint64_t max)
{
	const struct text_slice word = text_word(t);
	uint64_t v = 0;
	char quoted[80];

	if (t->rc == 0 && !text_parse_u64(word, max, &v))
		text_fail(t, "'%s' is no number that can stand here",
			quote_msg(quoted, sizeof(quoted), word.p, word.len));
	return v;
}

void text_id(struct text *t, struct oid *out)
{
	const struct text_slice word = text_word(t);
	char quoted[80];

	memset(out, 0, sizeof(*out));
	if (t->rc == 0 && id_parse(out, word.p, word.len) != 0)
		text_fail(t, "'%s' is no id", quote_msg(quoted, sizeof(quoted), word.p, word.len));
}

void text_map_ref(struct text *t, struct map_ref *out)
{
	text_id(t, &out->id);
	out->height = (uint8_t)text_u64(t, LIMIT_LEVEL - 1);
}

struct text_slice text_rest(struct text *t)
{
	struct text_slice rest = { NULL, 0 };

	if (!at_value(t)) {
		text_fail(t, "a value is missing");
		return rest;
	}
	rest = t->rest;
	t->rest.p += rest.len;
	t->rest.len = 0;
	return rest;
}

void text_eol(struct text *t)
{
	char quoted[80];

	if (t->rc == 0 && t->rest.len > 0)
		text_fail(t, "'%s' follows the last value",
			quote_msg(quoted, sizeof(quoted), t->rest.p, t->rest.len));
}

struct text_slice text_message(struct text *t)
{
	struct text_slice message = { NULL, 0 };
	const struct text_slice line = take_line(t);

	if (t->rc == 0 && line.len > 0)
		refuse_line(t, line, "");
	if (t->rc == 0 && (size_t)(t->end - t->p) > LIMIT_MESSAGE)
		text_fail(t, "the message is longer than %u bytes", LIMIT_MESSAGE);
	if (t->rc == 0) {
		message = (struct text_slice){ t->p, (size_t)(t->end - t->p) };
		t->p = t->end;
	}
	return message;
}

int text_end(struct text *t)
{
	if (t->rc == 0 && t->p != t->end) {
		const struct text_slice line = take_line(t);

		if (t->rc == 0)
			refuse_line(t, line, NULL);
	}
	return t->rc;
}

void text_add_map_ref(struct buf *out, const char *key, const struct map_ref *ref)
{
	char hex[ID_HEX + 1];

	buf_addf(out, "%s %s %d\n", key, id_hex(hex, &ref->id), ref->height);
}

void text_add_id(struct buf *out, const char *key, const struct oid *id)
{
	char hex[ID_HEX + 1];

	buf_addf(out, "%s %s\n", key, id_hex(hex, id));
}
