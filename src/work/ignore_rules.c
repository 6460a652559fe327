/*
 * The rules of one file: its lines, of which the last one that matches decides.
 *
 * The text is kept as it was read, each line ended by NUL where its blanks begin; a pattern is 16
 * bytes beside it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "work/ignore_internal.h"

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* Without the blanks at its end, of which a backslash keeps one. */
static size_t trimmed_len(const char *line, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		const bool is_escaped = line[i] == '\\';

		i += is_escaped;
		if (i >= len)
			return len;
		if (is_escaped || line[i] != ' ')
			kept = i + 1;
	}
	return kept;
}

static int add_line(struct ignore_rules *r, size_t off, size_t len, uint32_t number, size_t max,
	struct store_error *err)
{
	char *line = (char *)r->text.data + off;
	struct ignore_pattern p = { .off = (uint32_t)off, .line = number };

	/* A NUL ends the line, as it ends a name. */
	len = strnlen(line, len);
	if (len == 0 || *line == '#')
		return 0;
	len = trimmed_len(line, len);
	line[len] = '\0';
	if (len > IGNORE_PATTERN_MAX)
		return store_error_set(err, STORE_EINVAL, "line %u is longer than %u bytes",
			(unsigned int)number, IGNORE_PATTERN_MAX);
	ignore_pattern_parse(&p, line, len);
	if (p.flags & IGNORE_NEVER)
		return 0;
	if (r->count == max)
		return store_error_set(err, STORE_EINVAL,
			"with it more than %u patterns are in force", IGNORE_COUNT_MAX);
	if (mem_grow(&r->patterns, &r->cap, r->count + 1, sizeof(*r->patterns)) != 0)
		return out_of_memory(err);
	r->patterns[r->count++] = p;
	return 0;
}

static int add_lines(struct ignore_rules *r, size_t max, struct store_error *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	const char *text = (const char *)r->text.data;
	const size_t size = r->text.len;
	size_t off = size >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
	uint32_t number = 0;
	int rc = 0;

	while (off < size && rc == 0) {
		const char *end = memchr(text + off, '\n', size - off);
		const size_t next = end ? (size_t)(end - text) + 1 : size;
		size_t len = (end ? next - 1 : size) - off;

		/* Lines of another system end with CR LF. */
		if (len > 0 && text[off + len - 1] == '\r')
			len--;
		rc = add_line(r, off, len, ++number, max, err);
		off = next;
	}
	return rc;
}

int ignore_rules_parse(struct ignore_rules *r, struct buf *text, size_t max,
	struct store_error *err)
{
	int rc;

	memset(r, 0, sizeof(*r));
	r->text = *text;
	buf_init(text);
	if (r->text.len == 0)
		return 0;
	/* The last line need not end, and is ended all the same. */
	rc = buf_str(&r->text) ? add_lines(r, max, err) : out_of_memory(err);
	if (rc != 0 || r->count == 0)
		ignore_rules_release(r);
	return rc;
}

void ignore_rules_release(struct ignore_rules *r)
{
	free(r->patterns);
	buf_release(&r->text);
	memset(r, 0, sizeof(*r));
}

const struct ignore_pattern *ignore_rules_find(const struct ignore_rules *r,
	const struct ignore_subject *s)
{
	for (size_t i = r->count; i > 0; i--) {
		const struct ignore_pattern *p = &r->patterns[i - 1];

		if (ignore_pattern_matches(p, ignore_rules_text(r, p), s, NULL))
			return p;
	}
	return NULL;
}

const char *ignore_rules_text(const struct ignore_rules *r, const struct ignore_pattern *p)
{
	return (const char *)r->text.data + p->off;
}
