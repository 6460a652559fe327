/*
 * Idents.  The rule that makes them parseable is that neither part holds < or >: the first < ends
 * the name, the first > after it ends the mail.  Every value has one spelling, so what is parsed
 * and formatted again is the same bytes: no "+0090" for "+0130", no "-0000" for "+0000".
 *
 * Writers clean what users give them (ident_clean); the formatter refuses what is not clean instead
 * of repairing it behind the caller's back, because the caller may show or compare the name.
 */
#include "data/ident.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/limits.h"

#define PART_MAX \
	1000 /* bytes of a cleaned name or mail: two fit into a line with room to spare \
	      */

static bool is_forbidden(char c)
{
	return c == '<' || c == '>' || c == '\n' || c == '\0';
}

static bool is_clean(struct text_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (is_forbidden(s.p[i]))
			return false;
	}
	return true;
}

static int refuse(const char *what, struct text_slice text, struct store_error *err)
{
	char quoted[120];

	return store_error_set(err, STORE_ECORRUPT, "'%s' is no %s",
		quote_msg(quoted, sizeof(quoted), text.p, text.len), what);
}

int ident_format_who(struct buf *out, const struct ident *id, struct store_error *err)
{
	if (!is_clean(id->name) || !is_clean(id->mail))
		return store_error_set(err, STORE_EINVAL,
			"a name or mail address holds '<', '>', LF or NUL");
	/* 100 bytes are enough for all else that stands on any line with an ident. */
	if (id->name.len > LIMIT_LINE || id->mail.len > LIMIT_LINE ||
		id->name.len + id->mail.len > LIMIT_LINE - 100)
		return store_error_set(err, STORE_EINVAL, "the name and mail address are too long");
	if (buf_reserve(out, id->name.len + id->mail.len + 3) != 0)
		return buf_check(out, err);
	buf_add(out, id->name.p, id->name.len);
	buf_add(out, " <", 2);
	buf_add(out, id->mail.p, id->mail.len);
	buf_add(out, ">", 1);
	return 0;
}

int ident_format_zone(struct buf *out, const struct ident *id, struct store_error *err)
{
	const int minutes = id->zone < 0 ? -id->zone : id->zone;

	if (minutes > IDENT_ZONE_MAX)
		return store_error_set(err, STORE_EINVAL, "a time zone of %d minutes cannot be",
			id->zone);
	buf_addf(out, "%c%02d%02d", id->zone < 0 ? '-' : '+', minutes / 60, minutes % 60);
	return buf_check(out, err);
}

int ident_format(struct buf *out, const struct ident *id, struct store_error *err)
{
	const size_t start = out->len;
	int rc = ident_format_who(out, id, err);

	if (rc == 0) {
		buf_addf(out, " %" PRId64 " ", id->seconds);
		rc = ident_format_zone(out, id, err);
	}
	if (rc != 0)
		out->len = start;
	return rc;
}

int ident_parse_zone(struct ident *out, struct text_slice text, struct store_error *err)
{
	int digits[4];
	int minutes;

	if (text.len != 5 || (text.p[0] != '+' && text.p[0] != '-'))
		return refuse("time zone", text, err);
	for (int i = 0; i < 4; i++) {
		if (text.p[i + 1] < '0' || text.p[i + 1] > '9')
			return refuse("time zone", text, err);
		digits[i] = text.p[i + 1] - '0';
	}
	minutes = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3];
	if (digits[2] > 5 || (minutes == 0 && text.p[0] == '-'))
		return refuse("time zone", text, err);
	out->zone = (int16_t)(text.p[0] == '-' ? -minutes : minutes);
	return 0;
}

int ident_parse_who(struct ident *out, struct text_slice text, struct store_error *err)
{
	const char *open = text.len > 0 ? memchr(text.p, '<', text.len) : NULL;

	if (!open || open == text.p || open[-1] != ' ' || text.p[text.len - 1] != '>')
		return refuse("name with a mail address", text, err);
	out->name = (struct text_slice){ text.p, (size_t)(open - 1 - text.p) };
	out->mail = (struct text_slice){ open + 1, (size_t)(text.p + text.len - 1 - (open + 1)) };
	if (!is_clean(out->name) || !is_clean(out->mail))
		return refuse("name with a mail address", text, err);
	return 0;
}

int ident_parse(struct ident *out, struct text_slice text, struct store_error *err)
{
	const char *close = text.len > 0 ? memchr(text.p, '>', text.len) : NULL;
	struct text_slice who, rest;
	const char *blank;
	int rc;

	if (!close || close + 1 == text.p + text.len || close[1] != ' ')
		return refuse("name with mail address, time and zone", text, err);
	who = (struct text_slice){ text.p, (size_t)(close + 1 - text.p) };
	rest = (struct text_slice){ close + 2, text.len - who.len - 1 };
	blank = rest.len > 0 ? memchr(rest.p, ' ', rest.len) : NULL;
	if (!blank ||
		!text_parse_i64((struct text_slice){ rest.p, (size_t)(blank - rest.p) },
			&out->seconds))
		return refuse("name with mail address, time and zone", text, err);
	rc = ident_parse_who(out, who, err);
	if (rc != 0)
		return rc;
	return ident_parse_zone(out,
		(struct text_slice){ blank + 1, (size_t)(rest.p + rest.len - blank - 1) }, err);
}

void ident_take(struct text *t, struct ident *out)
{
	const struct text_slice rest = text_rest(t);
	struct store_error why = { 0 };

	*out = (struct ident){ 0 };
	if (t->rc == 0 && ident_parse(out, rest, &why) != 0)
		text_fail(t, "%s", why.msg);
}

int ident_clean(struct buf *out, const void *name, size_t len, struct store_error *err)
{
	const char *p = name;
	const size_t start = out->len;
	size_t end;

	for (size_t i = 0; i < len && out->len - start < PART_MAX; i++) {
		const bool is_leading = out->len == start && p[i] == ' ';

		if (!is_forbidden(p[i]) && !is_leading)
			buf_add_u8(out, (uint8_t)p[i]);
	}
	for (end = out->len; end > start && out->data[end - 1] == ' '; end--)
		;
	out->len = end;
	return buf_check(out, err);
}
