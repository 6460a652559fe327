/*
 * Changing one value in the text of a configuration. The text belongs to people, who have put
 * comments, order and blanks into it: only the bytes of the value change, or whole lines come and
 * go. What comes out is read again before anything is written; where a text is so odd that it would
 * not read as it should, it is refused rather than spoilt.
 */
#include "work/config_internal.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

/* A spelled key in its halves. */
struct halves {
	const char *section, *name;
	size_t section_len;
};

static struct halves split(const char *key)
{
	const char *dot = strrchr(key, '.');

	return (struct halves){ key, dot + 1, (size_t)(dot - key) };
}

/* Both are spelled alike: small letters, but for what stands in quotes. */
static bool is_in_section(const struct config_line *l, const struct halves *key)
{
	return l->section.len == key->section_len &&
		memcmp(l->section.data, key->section, key->section_len) == 0;
}

static bool is_pair(const struct config_line *l, const struct halves *key)
{
	return is_in_section(l, key) && strcasecmp((const char *)l->key.data, key->name) == 0;
}

static bool has_value(const struct config_line *l, const char *value)
{
	return strcmp(l->has_value ? (const char *)l->value.data : "true", value) == 0;
}

/* ---- writing */

/* As git writes it: escapes where they must be, quotes where blanks or comments would be lost. */
static void add_value(struct buf *out, const char *value)
{
	const size_t n = strlen(value);
	const bool quoted = n > 0 &&
		(value[0] == ' ' || value[n - 1] == ' ' || strpbrk(value, ";#\r") != NULL);

	buf_add_str(out, quoted ? "\"" : "");
	for (const char *p = value; *p; p++) {
		if (*p == '\n')
			buf_add_str(out, "\\n");
		else if (*p == '\t')
			buf_add_str(out, "\\t");
		else if (*p == '\b')
			buf_add_str(out, "\\b");
		else if (*p == '"' || *p == '\\')
			buf_addf(out, "\\%c", *p);
		else
			buf_add_u8(out, (uint8_t)*p);
	}
	buf_add_str(out, quoted ? "\"" : "");
}

static void add_header(struct buf *out, const struct halves *key)
{
	const char *dot = memchr(key->section, '.', key->section_len);
	const char *end = key->section + key->section_len;

	buf_add_u8(out, '[');
	buf_add(out, key->section, (size_t)((dot ? dot : end) - key->section));
	if (dot) {
		buf_add_str(out, " \"");
		for (const char *p = dot + 1; p < end; p++) {
			if (*p == '"' || *p == '\\')
				buf_add_u8(out, '\\');
			buf_add_u8(out, (uint8_t)*p);
		}
		buf_add_u8(out, '"');
	}
	buf_add_u8(out, ']');
}

/* What ends lines here: as the first one does. */
static const char *line_end(const struct buf *text)
{
	const uint8_t *lf = text->data ? memchr(text->data, '\n', text->len) : NULL;

	return lf && lf > text->data && lf[-1] == '\r' ? "\r\n" : "\n";
}

/* ---- looking for the place */

struct place {
	size_t found;                  /* times the key stands there */
	size_t value_begin, value_end; /* of the last one */
	bool has_value;
	bool has_section;
	size_t at;     /* where a new line goes */
	bool is_split; /* it needs a line end before it: the next section is on that line */
	bool is_open;  /* the text ends within a value */
	size_t indent, indent_len; /* blanks of a line like it */
	bool has_indent;
};

static size_t line_begin(const struct config_line *l, size_t at)
{
	while (at > 0 && l->data[at - 1] != '\n')
		at--;
	return at;
}

static bool is_alone(const struct config_line *l)
{
	for (size_t i = line_begin(l, l->begin); i < l->begin; i++) {
		if (l->data[i] != ' ' && l->data[i] != '\t')
			return false;
	}
	return true;
}

static void see_pair(const struct config_line *l, const struct halves *key, struct place *p)
{
	p->at = l->end;
	p->is_split = false;
	if (is_alone(l)) {
		p->indent = line_begin(l, l->begin);
		p->indent_len = l->begin - p->indent;
		p->has_indent = true;
	}
	if (!is_pair(l, key))
		return;
	p->found++;
	p->value_begin = l->value_begin;
	p->value_end = l->value_end;
	p->has_value = l->has_value;
}

static int find_place(const char *name, const struct buf *text, const struct halves *key,
	struct place *p, struct store_error *err)
{
	struct config_line l;
	enum config_token token = CONFIG_END;
	bool inside = false;
	size_t header = 0; /* end of the section's last header */
	int rc = config_line_init(&l, name, text, err);

	*p = (struct place){ .at = text->len };
	while (rc == 0 && (rc = config_line_next(&l, &token, err)) == 0 && token != CONFIG_END) {
		p->is_open = token == CONFIG_PAIR && l.is_open;
		if (inside && token == CONFIG_SECTION && l.begin < p->at) {
			p->at = header;
			p->is_split = true;
		}
		if (token == CONFIG_PAIR && inside) {
			see_pair(&l, key, p);
		} else if (token == CONFIG_SECTION && (inside = is_in_section(&l, key))) {
			const char *lf = memchr(l.data + l.end, '\n', l.len - l.end);

			header = l.end;
			p->at = lf ? (size_t)(lf + 1 - l.data) : l.len;
			p->is_split = false;
			p->has_section = true;
		}
	}
	config_line_release(&l);
	return rc;
}

/* ---- proof */

struct seen {
	size_t all, others; /* pairs, and those of other keys */
	bool is_last;       /* the last one of the key has the value */
};

static int look(const char *name, const struct buf *text, const struct halves *key,
	const char *value, struct seen *seen, struct store_error *err)
{
	struct config_line l;
	enum config_token token = CONFIG_END;
	int rc = config_line_init(&l, name, text, err);

	*seen = (struct seen){ 0 };
	while (rc == 0 && (rc = config_line_next(&l, &token, err)) == 0 && token != CONFIG_END) {
		if (token != CONFIG_PAIR)
			continue;
		seen->all++;
		if (is_pair(&l, key))
			seen->is_last = value && has_value(&l, value);
		else
			seen->others++;
	}
	config_line_release(&l);
	return rc;
}

static int prove(const char *name, const struct buf *text, const struct buf *out,
	const struct halves *key, const char *value, ptrdiff_t more, struct store_error *err)
{
	struct seen before, after;
	int rc = buf_check(out, err), read = 0;

	if (rc == 0)
		rc = look(name, text, key, value, &before, err);
	if (rc == 0)
		read = look(name, out, key, value, &after, err);
	if (read == STORE_ENOMEM)
		return read;
	if (rc == 0 &&
		(read != 0 || after.others != before.others ||
			(ptrdiff_t)after.all != (ptrdiff_t)before.all + more ||
			(value && !after.is_last)))
		rc = store_error_set(err, STORE_EINVAL,
			"'%s' is written so that %s cannot be changed there: use an editor", name,
			key->section);
	/* One that holds too many already is not made worse by another value of the same key. */
	if (rc == 0 && more > 0 && after.all > CONFIG_VALUES)
		rc = store_error_set(err, STORE_EINVAL,
			"cannot set %s: '%s' would have value %zu; a file holds %u at most",
			key->section, name, after.all, CONFIG_VALUES);
	return rc;
}

/* ---- both ways */

static void exchange(const struct buf *text, const struct place *p, const char *value,
	struct buf *out)
{
	const char *data = (const char *)text->data;

	buf_add(out, data, p->value_begin);
	if (!p->has_value)
		buf_add_str(out, " = ");
	else if (p->value_begin > 0 && data[p->value_begin - 1] == '=')
		buf_add_str(out, " ");
	add_value(out, value);
	if (p->value_end < text->len && (data[p->value_end] == '#' || data[p->value_end] == ';'))
		buf_add_str(out, " ");
	buf_add(out, data + p->value_end, text->len - p->value_end);
}

static void insert(const struct buf *text, const struct place *p, const struct halves *key,
	const char *value, struct buf *out)
{
	const char *data = text->data ? (const char *)text->data : "", *nl = line_end(text);

	buf_add(out, data, p->at);
	if (p->is_split || (p->at > 0 && data[p->at - 1] != '\n'))
		buf_add_str(out, nl);
	/* Behind a backslash one more line end is taken for a part of the value. */
	if (p->is_open && p->at > 0 && p->at == text->len &&
		(data[p->at - 1] == '\n' || data[p->at - 1] == '\\'))
		buf_add_str(out, nl);
	if (!p->has_section) {
		add_header(out, key);
		buf_add_str(out, nl);
	}
	if (p->has_indent)
		buf_add(out, data + p->indent, p->indent_len);
	else
		buf_add_str(out, "\t");
	buf_addf(out, "%s = ", key->name);
	add_value(out, value);
	buf_add_str(out, nl);
	buf_add(out, data + p->at, text->len - p->at);
}

int config_edit_set(const char *name, const struct buf *text, const char *key, const char *value,
	bool add, struct buf *out, struct store_error *err)
{
	const struct config_key *row = config_key_find(key);
	const struct halves halves = split(key);
	struct place p;
	int rc = find_place(name, text, &halves, &p, err);

	if (rc != 0)
		return rc;
	if (!add && p.found > 1 && row && (row->flags & CONFIG_MANY))
		return store_error_set(err, STORE_ECONFLICT,
			"%s stands %zu times in '%s', and each counts: use --add, or --unset before",
			key, p.found, name);
	buf_clear(out);
	if (p.found > 0 && !add)
		exchange(text, &p, value, out);
	else
		insert(text, &p, &halves, value, out);
	return prove(name, text, out, &halves, value, p.found > 0 && !add ? 0 : 1, err);
}

int config_edit_unset(const char *name, const struct buf *text, const char *key, const char *value,
	struct buf *out, size_t *count, struct store_error *err)
{
	const struct halves halves = split(key);
	struct config_line l;
	enum config_token token = CONFIG_END;
	size_t copied = 0;
	int rc = config_line_init(&l, name, text, err);

	*count = 0;
	buf_clear(out);
	while (rc == 0 && (rc = config_line_next(&l, &token, err)) == 0 && token != CONFIG_END) {
		size_t from = l.begin, to = l.end;

		if (token != CONFIG_PAIR || !is_pair(&l, &halves) ||
			(value && !has_value(&l, value)))
			continue;
		if (is_alone(&l))
			from = line_begin(&l, from);
		else if (l.data[to - 1] == '\n')
			to -= to > 1 && l.data[to - 2] == '\r' ? 2 : 1;
		buf_add(out, l.data + copied, from - copied);
		copied = to;
		++*count;
	}
	if (rc == 0)
		buf_add(out, l.data + copied, l.len - copied);
	config_line_release(&l);
	return rc == 0 ? prove(name, text, out, &halves, NULL, -(ptrdiff_t)*count, err) : rc;
}
