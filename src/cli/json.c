/*
 * Machine form.  Every line is one object that says by its schema what it is ("store/status/1");
 * members are only ever added to a schema, a change of meaning makes a new number.  Output is
 * streamed, nothing is kept, so a list of ten million paths costs no memory.
 */
#include "cli/json.h"
#include <string.h>

static void name_of(struct line *t, const char *name, const char *suffix)
{
	char last = t->len ? t->data[t->len - 1] : '{';

	if (last != '{' && last != '[')
		line_add(t, ",", 1);
	if (name)
		line_format(t, "\"%s%s\":", name, suffix);
}

/*
 * Control characters are escaped, those beyond ASCII too, so that a JSON line is harmless on a
 * terminal.
 */
static void add_string(struct line *t, const char *s)
{
	size_t n = strlen(s), len;
	bool harmless;

	line_add(t, "\"", 1);
	for (; n; s += len, n -= len) {
		len = line_character(s, n, &harmless);
		if (len == 0) {
			line_string(t, "\\ufffd");
			len = 1;
		} else if (*s == '"' || *s == '\\') {
			line_format(t, "\\%c", *s);
		} else if (harmless) {
			line_add(t, s, len);
		} else if (len == 1) {
			line_format(t, "\\u%04x", (unsigned int)*s);
		} else {
			unsigned int c = len == 2
				? (s[0] & 0x1fU) << 6 | (s[1] & 0x3fU)
				: (s[0] & 0xfU) << 12 | (s[1] & 0x3fU) << 6 | (s[2] & 0x3fU);

			line_format(t, "\\u%04x", c);
		}
	}
	line_add(t, "\"", 1);
}

static void add_base64(struct line *t, const char *s, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *u = (const unsigned char *)s;

	line_add(t, "\"", 1);
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)u[i] << 16;
		char four[4];

		v |= i + 1 < n ? (uint32_t)u[i + 1] << 8 : 0;
		v |= i + 2 < n ? (uint32_t)u[i + 2] : 0;
		four[0] = digits[v >> 18];
		four[1] = digits[v >> 12 & 63];
		four[2] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		four[3] = i + 2 < n ? digits[v & 63] : '=';
		line_add(t, four, 4);
	}
	line_add(t, "\"", 1);
}

void json_begin(struct line *t, const char *schema)
{
	line_add(t, "{", 1);
	json_string(t, "schema", schema);
}

void json_end(struct line *t)
{
	line_string(t, "}\n");
}

void json_open(struct line *t, const char *name, char bracket)
{
	name_of(t, name, "");
	line_add(t, &bracket, 1);
}

void json_close(struct line *t, char bracket)
{
	line_add(t, &bracket, 1);
}

void json_string(struct line *t, const char *name, const char *value)
{
	name_of(t, name, "");
	if (value)
		add_string(t, value);
	else
		line_string(t, "null");
}

void json_bytes(struct line *t, const char *name, const char *value)
{
	size_t n = value ? strlen(value) : 0;

	if (!value || line_is_utf8(value, n)) {
		json_string(t, name, value);
		return;
	}
	name_of(t, name, "_b64");
	add_base64(t, value, n);
}

void json_data(struct line *t, const char *name, const char *data, size_t len)
{
	struct line text = { 0 };

	if (len > 0 && (memchr(data, 0, len) || !line_is_utf8(data, len))) {
		name_of(t, name, "_b64");
		add_base64(t, data, len);
		return;
	}
	line_add(&text, data, len);
	json_string(t, name, text.data);
	line_release(&text);
}

void json_number(struct line *t, const char *name, uint64_t value)
{
	name_of(t, name, "");
	line_format(t, "%llu", (unsigned long long)value);
}

void json_signed(struct line *t, const char *name, int64_t value)
{
	name_of(t, name, "");
	line_format(t, "%lld", (long long)value);
}

void json_real(struct line *t, const char *name, double value)
{
	name_of(t, name, "");
	line_format(t, "%.3f", value);
}

void json_null(struct line *t, const char *name)
{
	json_string(t, name, NULL);
}

void json_bool(struct line *t, const char *name, bool value)
{
	name_of(t, name, "");
	line_string(t, value ? "true" : "false");
}

void json_id(struct line *t, const char *name, const struct store_id *id)
{
	char hex[STORE_HEX_LEN + 1];

	json_string(t, name, store_id_hex(hex, id));
}

void json_maybe_id(struct line *t, const char *name, const struct store_id *id)
{
	if (id && line_is_id(id))
		json_id(t, name, id);
	else
		json_null(t, name);
}

void json_node(struct line *t, const char *name, const struct store_node *node)
{
	json_open(t, name, '{');
	json_id(t, "id", &node->id);
	json_string(t, "kind", line_kind(node->kind));
	json_number(t, "height", node->height);
	json_number(t, "size", node->size);
	if (node->kind == STORE_KIND_DIR) {
		json_number(t, "files", node->files);
		json_number(t, "directories", node->dirs);
	} else {
		json_null(t, "files");
		json_null(t, "directories");
	}
	json_close(t, '}');
}

void json_time(struct line *t, const char *name, int64_t seconds, int zone)
{
	struct line at = { 0 };

	line_date_rfc3339(&at, seconds, zone);
	json_string(t, name, at.data);
	line_release(&at);
}

void json_stats(struct line *t, const struct store_stats *s)
{
	json_number(t, "files", s->files);
	json_number(t, "bytes", s->bytes);
	json_number(t, "opened", s->opened);
	json_number(t, "chunks", s->chunks);
	json_number(t, "new_chunks", s->new_chunks);
	json_number(t, "new_objects", s->new_objects);
	json_number(t, "new_bytes", s->new_bytes);
	json_number(t, "stored_bytes", s->stored_bytes);
	json_number(t, "decoded_bytes", s->decoded_bytes);
	json_number(t, "nodes_read", s->nodes_read);
	json_number(t, "publications", s->publications);
	json_number(t, "peak_anon", s->peak_anon);
	json_number(t, "peak_rss", s->peak_rss);
	json_real(t, "seconds", s->seconds);
}
