/*
 * Names made safe for a line of text.  The text goes by units: one well-formed UTF-8 character, or
 * one byte that is none.  A unit stands as it is, or is escaped as git does: \a \b \t \n \v \f \r
 * \" \\, else three octal digits per byte.  If any unit is escaped, the whole stands in double
 * quotes.
 *
 * Escaped beyond git's core.quotePath=false: bytes of ill-formed UTF-8 (git prints them raw), the
 * C1 controls U+0080..U+009F, which terminals obey, and the characters that turn the direction of
 * writing (U+202A..U+202E, U+2066..U+2069), which make a name look like another one.
 */
#include "base/quote.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

#define UNIT_MAX 16 /* four bytes of four characters each */

struct unit {
	size_t src_len; /* bytes of the name */
	size_t len;     /* bytes of text */
	bool escaped;
	char text[UNIT_MAX];
};

/*
 * Length of the well-formed UTF-8 character at p (left >= 1 bytes), its number in *cp; 0 if none.
 * Source: The Unicode Standard 15.0, section 3.9, table 3-7.
 */
static size_t decode_utf8(const uint8_t *p, size_t left, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t len = p[0] < 0x80 ? 1
		: p[0] < 0xc2          ? 0
		: p[0] < 0xe0          ? 2
		: p[0] < 0xf0          ? 3
		: p[0] < 0xf5          ? 4
				       : 0;

	if (len == 0 || len > left)
		return 0;
	*cp = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (p[i] & 0x3fu);
	}
	if (*cp < least[len] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return len;
}

static bool is_deceptive(uint32_t cp)
{
	return cp < 0x20 || cp == '"' || cp == '\\' || (cp >= 0x7f && cp <= 0x9f) ||
		(cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static void escape_byte(struct unit *u, uint8_t c)
{
	static const char named[] = "\a\b\t\n\v\f\r\"\\", letters[] = "abtnvfr\"\\";
	const char *at = c != 0 ? strchr(named, c) : NULL;

	u->text[u->len++] = '\\';
	if (at) {
		u->text[u->len++] = letters[at - named];
		return;
	}
	u->text[u->len++] = (char)('0' + (c >> 6));
	u->text[u->len++] = (char)('0' + (c >> 3 & 7));
	u->text[u->len++] = (char)('0' + (c & 7));
}

/* The unit at p; left >= 1. */
static void next_unit(struct unit *u, const uint8_t *p, size_t left)
{
	uint32_t cp = 0;
	const size_t len = decode_utf8(p, left, &cp);

	u->src_len = len > 0 ? len : 1;
	u->escaped = len == 0 || is_deceptive(cp);
	u->len = 0;
	for (size_t i = 0; i < u->src_len; i++) {
		if (u->escaped)
			escape_byte(u, p[i]);
		else
			u->text[u->len++] = (char)p[i];
	}
}

static bool needs_quotes(const uint8_t *p, size_t len)
{
	struct unit u;

	for (size_t i = 0; i < len; i += u.src_len) {
		next_unit(&u, p + i, len - i);
		if (u.escaped)
			return true;
	}
	return false;
}

int quote_c(struct buf *out, const void *name, size_t len)
{
	const uint8_t *p = name;
	const size_t old_len = out->len;
	struct unit u;

	if (!needs_quotes(p, len))
		return buf_add(out, name, len);
	buf_add_u8(out, '"');
	for (size_t i = 0; i < len; i += u.src_len) {
		next_unit(&u, p + i, len - i);
		buf_add(out, u.text, u.len);
	}
	buf_add_u8(out, '"');
	if (out->failed) {
		out->len = old_len;
		return STORE_ENOMEM;
	}
	return 0;
}

const char *quote_msg(char *out, size_t cap, const void *name, size_t len)
{
	const uint8_t *p = name;
	const size_t mark = needs_quotes(p, len) ? 1 : 0;
	size_t n = 0, cut = 0, room;
	struct unit u;

	if (cap < 8) { /* no room for quotes, dots and a letter */
		if (cap > 0)
			out[0] = '\0';
		return out;
	}
	room = cap - 1 - 2 * mark; /* of text between the quotes */
	for (size_t i = 0; i < len; i += u.src_len) {
		next_unit(&u, p + i, len - i);
		if (n + u.len > room) {
			memcpy(out + mark + cut, "...", 3);
			n = cut + 3;
			break;
		}
		memcpy(out + mark + n, u.text, u.len);
		n += u.len;
		if (n + 3 <= room)
			cut = n;
	}
	if (mark)
		out[0] = out[n + 1] = '"';
	out[n + 2 * mark] = '\0';
	return out;
}
