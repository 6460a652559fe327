/*
 * Lines of a configuration, as git's config.c has the grammar, for people bring files written for
 * git: sections with a quoted part, a pair behind its section on one line, values with quotes and
 * escapes, lines that go on behind a backslash, comments behind a value, CR before LF. One thing is
 * more than git's: a name may hold '_', because the keys of systems before this one do.
 *
 * A blank inside of a value stays what it is, as in git from 2.45 on; before, a tab became a blank.
 *
 * Tokens carry their places, so that an editor can change one value and leave all other bytes.
 */
#include "work/config_internal.h"

#include <string.h>

#include "base/error.h"

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(int c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static uint8_t to_small(int c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The next character; CR LF is LF, and so is the end. */
static int take(struct config_line *l)
{
	int c;

	if (l->pos == l->len)
		return '\n';
	c = (unsigned char)l->data[l->pos++];
	if (c == '\r' && l->pos < l->len && l->data[l->pos] == '\n')
		c = (unsigned char)l->data[l->pos++];
	if (c == '\n')
		l->at++;
	return c;
}

static int peek(const struct config_line *l)
{
	struct config_line copy = *l;

	return take(&copy);
}

static int refuse(const struct config_line *l, unsigned int number, const char *why,
	struct store_error *err)
{
	return store_error_set(err, STORE_EINVAL, "'%s' line %u %s", l->name, number, why);
}

/* ---- sections */

/* The quoted part, from the blank before it on. */
static bool take_quoted_part(struct config_line *l)
{
	int c = ' ';

	while (is_blank(c)) {
		if (c == '\n')
			return false;
		c = take(l);
	}
	if (c != '"')
		return false;
	buf_add_u8(&l->section, '.');
	for (;;) {
		c = take(l);
		if (c == '"')
			return take(l) == ']';
		if (c == '\\')
			c = take(l);
		if (c == '\n')
			return false;
		buf_add_u8(&l->section, (uint8_t)c);
	}
}

static bool take_section(struct config_line *l)
{
	buf_clear(&l->section);
	for (;;) {
		const int c = take(l);

		if (c == ']')
			return l->section.len > 0;
		if (is_blank(c))
			return c != '\n' && take_quoted_part(l);
		if (!is_name(c) && c != '.')
			return false;
		buf_add_u8(&l->section, to_small(c));
	}
}

/* ---- pairs */

/* A character behind a backslash; false when there is no such escape. */
static bool take_escape(struct config_line *l)
{
	static const char from[] = "tbn\\\"", to[] = "\t\b\n\\\"";
	const int c = take(l);
	const char *at = c != '\n' && c != '\0' ? strchr(from, c) : NULL;

	if (at)
		buf_add_u8(&l->value, (uint8_t)to[at - from]);
	return at || c == '\n';
}

/* To the end of the line; blanks and a comment at its end are no part of the value. */
static bool take_value(struct config_line *l)
{
	bool quoted = false, comment = false;
	size_t keep = 0; /* bytes of the value up to its last blank-free end */

	while (l->pos < l->len && (peek(l) == ' ' || peek(l) == '\t'))
		take(l);
	l->value_begin = l->value_end = l->pos;
	for (;;) {
		const size_t from = l->pos;
		const int c = take(l);

		l->is_open = from == l->len;
		if (c == '\n')
			break;
		if (!quoted && (c == ';' || c == '#'))
			comment = true;
		if (comment)
			continue;
		if (!quoted && is_blank(c)) {
			if (l->value.len > 0)
				buf_add_u8(&l->value, (uint8_t)c);
			continue;
		}
		if (l->value_end == l->value_begin)
			l->value_begin = from;
		if (c == '"')
			quoted = !quoted;
		else if (c != '\\')
			buf_add_u8(&l->value, (uint8_t)c);
		else if (!take_escape(l))
			return false;
		l->value_end = l->pos;
		keep = l->value.len;
	}
	if (!l->value.failed)
		l->value.len = keep;
	return !quoted;
}

static bool take_pair(struct config_line *l, const char **why)
{
	int c;

	l->is_open = false;
	buf_clear(&l->key);
	buf_clear(&l->value);
	while (l->pos < l->len && is_name(peek(l)))
		buf_add_u8(&l->key, to_small(take(l)));
	l->value_begin = l->value_end = l->pos;
	do
		c = take(l);
	while (c == ' ' || c == '\t');
	l->has_value = c == '=';
	if (l->has_value && !take_value(l)) {
		*why = "has a value whose quotes do not end, or an escape that is none of \\\\ \\\" \\n \\t \\b";
		return false;
	}
	return l->has_value || c == '\n';
}

/* ---- the file */

int config_line_init(struct config_line *l, const char *name, const struct buf *text,
	struct store_error *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	const char *data = text->data ? (const char *)text->data : "";

	*l = (struct config_line){ .data = data, .len = text->len, .name = name, .at = 1 };
	if (memchr(data, '\0', text->len))
		return store_error_set(err, STORE_EINVAL, "'%s' holds a NUL byte", name);
	if (text->len >= 3 && memcmp(data, bom, 3) == 0)
		l->pos = 3;
	return 0;
}

void config_line_release(struct config_line *l)
{
	buf_release(&l->section);
	buf_release(&l->key);
	buf_release(&l->value);
}

static void skip_blanks_and_comments(struct config_line *l)
{
	bool comment = false;

	while (l->pos < l->len) {
		const int c = peek(l);

		if (c == '\n')
			comment = false;
		else if (c == '#' || c == ';')
			comment = true;
		if (!comment && !is_blank(c))
			break;
		take(l);
	}
}

int config_line_next(struct config_line *l, enum config_token *out, struct store_error *err)
{
	const char *why = "is neither a section, nor 'key = value', nor a comment";
	bool good;
	int c;

	*out = CONFIG_END;
	skip_blanks_and_comments(l);
	l->begin = l->pos;
	l->number = l->at;
	if (l->pos == l->len)
		return 0;
	c = peek(l);
	*out = c == '[' ? CONFIG_SECTION : CONFIG_PAIR;
	if (c == '[') {
		take(l);
		good = take_section(l);
	} else {
		good = is_letter(c) && take_pair(l, &why);
	}
	l->end = l->pos;
	/* First: what had no room left looks like a line that is wrong. */
	if (!buf_str(&l->section) || !buf_str(&l->key) || !buf_str(&l->value))
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	return good ? 0 : refuse(l, l->number, why, err);
}
