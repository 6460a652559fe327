/*
 * Text of the command line.  Names come from disks and repositories, so they are bytes that may
 * hold anything; three rules keep them apart from what a terminal obeys:
 *
 * 1. A name in a line is C-quoted as git does if it holds a control character, a double quote, a
 * backslash, a character that turns the writing direction, or bytes that are not UTF-8.  Other
 * UTF-8 stays readable (git's core.quotePath=false).
 * 2. Messages and identities are shown with such bytes as \ooo, unquoted.
 * 3. Machine forms (-z, --json) carry the bytes themselves.
 *
 * The library quotes in its messages by the same rule; the command may not reach for its internals,
 * so the rule stands here again.
 */
#include "cli/line.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void end_without_memory(void)
{
	static const char words[] = "store: out of memory\n";
	ssize_t ignored = write(2, words, sizeof(words) - 1);

	(void)ignored;
	_exit(2);
}

void *line_realloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);

	if (!q)
		end_without_memory();
	return q;
}

void line_release(struct line *t)
{
	free(t->data);
	*t = (struct line){ 0 };
}

void line_clear(struct line *t)
{
	t->len = 0;
	if (t->data)
		t->data[0] = 0;
}

static void reserve(struct line *t, size_t more)
{
	size_t need = t->len + more + 1;

	if (need <= t->cap)
		return;
	t->cap = need < 64 ? 64 : need + need / 2;
	t->data = line_realloc(t->data, t->cap);
}

void line_add(struct line *t, const void *data, size_t len)
{
	reserve(t, len);
	if (len)
		memcpy(t->data + t->len, data, len);
	t->len += len;
	t->data[t->len] = 0;
}

void line_string(struct line *t, const char *s)
{
	line_add(t, s, strlen(s));
}

void line_vformat(struct line *t, const char *fmt, va_list ap)
{
	char *line = NULL;
	int n = vasprintf(&line, fmt, ap);

	if (n < 0)
		end_without_memory();
	else
		line_add(t, line, (size_t)n);
	free(line);
}

void line_format(struct line *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_vformat(t, fmt, ap);
	va_end(ap);
}

/*
 * Characters that change what stands around them: marks, embeddings, overrides and isolates of
 * direction, line separators.
 */
static bool turns_direction(uint32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
		(c >= 0x2066 && c <= 0x2069);
}

size_t line_character(const char *s, size_t n, bool *harmless)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	size_t len = u[0] < 0x80 ? 1
		: u[0] < 0xc2    ? 0
		: u[0] < 0xe0    ? 2
		: u[0] < 0xf0    ? 3
		: u[0] < 0xf5    ? 4
				 : 0;
	uint32_t c;

	*harmless = false;
	if (len == 0 || len > n)
		return 0;
	c = len == 1 ? u[0] : u[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*harmless = c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !turns_direction(c);
	return len;
}

bool line_is_utf8(const char *s, size_t n)
{
	bool harmless;
	size_t len;

	for (; n; s += len, n -= len) {
		len = line_character(s, n, &harmless);
		if (len == 0)
			return false;
	}
	return true;
}

static void octal(struct line *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		line_format(t, "\\%03o", (unsigned int)(unsigned char)s[i]);
}

static bool needs_quotes(const char *s, size_t n, bool space)
{
	bool harmless;
	size_t len;

	for (; n; s += len, n -= len) {
		len = line_character(s, n, &harmless);
		if (len == 0 || !harmless || *s == '"' || *s == '\\' || (space && *s == ' '))
			return true;
	}
	return false;
}

static const char escapes[] = "\aa\bb\tt\nn\vv\ff\rr\"\"\\\\";

static void add_escaped(struct line *t, const char *s, size_t n)
{
	bool harmless;
	size_t len;

	for (; n; s += len, n -= len) {
		const char *e = escapes;

		len = line_character(s, n, &harmless);
		while (*e && *e != *s)
			e += 2;
		if (*e)
			line_format(t, "\\%c", e[1]);
		else if (harmless)
			line_add(t, s, len);
		else
			octal(t, s, len ? len : 1);
		if (len == 0)
			len = 1;
	}
}

void line_quoted(struct line *t, const char *name, bool space)
{
	size_t n = strlen(name);

	if (!needs_quotes(name, n, space)) {
		line_add(t, name, n);
		return;
	}
	line_add(t, "\"", 1);
	add_escaped(t, name, n);
	line_add(t, "\"", 1);
}

/* One escape behind a backslash at *in; false if it is none.  NUL cannot be part of a name. */
static bool unescape(const char **in, char *out)
{
	const char *s = *in;
	unsigned int c = 0;

	for (const char *e = escapes; *e; e += 2)
		if (*s == e[1]) {
			*out = e[0];
			*in = s + 1;
			return true;
		}
	for (int i = 0; i < 3; i++, s++) {
		if (*s < '0' || *s > '7')
			return false;
		c = c * 8 + (unsigned int)(*s - '0');
	}
	*in = s;
	*out = (char)(unsigned char)c;
	return c > 0 && c < 256;
}

bool line_unquote(char *line)
{
	const char *in = line + 1;
	char *out = line;

	while (*in && *in != '"') {
		if (*in != '\\') {
			*out++ = *in++;
			continue;
		}
		in++;
		if (!unescape(&in, out++))
			return false;
	}
	*out = 0;
	return in[0] == '"' && in[1] == 0;
}

void line_harmless(struct line *t, const char *s, size_t n)
{
	bool harmless;
	size_t len;

	for (; n; s += len, n -= len) {
		len = line_character(s, n, &harmless);
		if (harmless || *s == '\n' || *s == '\t')
			line_add(t, s, len);
		else
			octal(t, s, len ? len : 1);
		if (len == 0)
			len = 1;
	}
}

void line_relative(struct line *t, const char *prefix, const char *path)
{
	size_t start = t->len, common = 0, i = 0;

	/*
	 * common: bytes of path that stand for leading directories of prefix, the '/' behind them
	 * included.
	 */
	while (prefix[i] && prefix[i] == path[i]) {
		i++;
		if (path[i - 1] == '/')
			common = i;
	}
	if (prefix[i] == 0 && (path[i] == '/' || path[i] == 0) && i)
		common = path[i] ? i + 1 : i;
	else if (path[i] == 0 && prefix[i] == '/' && i)
		common = i;
	for (const char *p = prefix + (common < strlen(prefix) ? common : strlen(prefix)); *p;) {
		p += *p == '/';
		if (!*p)
			break;
		line_string(t, t->len > start ? "/.." : "..");
		p += strcspn(p, "/");
	}
	if (path[common] && t->len > start)
		line_add(t, "/", 1);
	line_string(t, path + common);
	if (t->len == start)
		line_add(t, ".", 1);
	if (*path && path[strlen(path) - 1] == '/' && t->data[t->len - 1] != '/')
		line_add(t, "/", 1);
}

void line_size(struct line *t, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double v = (double)bytes / 1024;
	int i = 0;

	if (bytes < 1024) {
		line_count(t, bytes, "byte", "bytes");
		return;
	}
	while (v >= 1023.95 && units[i + 1]) {
		v /= 1024;
		i++;
	}
	line_format(t, "%.1f %ciB", v, units[i]);
}

void line_count(struct line *t, uint64_t n, const char *one, const char *many)
{
	line_format(t, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}

/* Broken-down time at that zone; false where the calendar ends. */
static bool break_down(int64_t seconds, int zone, struct tm *tm)
{
	time_t at;

	if (__builtin_add_overflow(seconds, (int64_t)zone * 60, &at))
		return false;
	return gmtime_r(&at, tm) != NULL;
}

static void add_time(struct line *t, int64_t seconds, int zone, const char *fmt, const char *colon)
{
	int z = zone < 0 ? -zone : zone;
	struct tm tm;
	char line[80];

	if (!break_down(seconds, zone, &tm) || !strftime(line, sizeof(line), fmt, &tm)) {
		line_format(t, "@%lld", (long long)seconds);
		return;
	}
	line_format(t, "%s%c%02d%s%02d", line, zone < 0 ? '-' : '+', z / 60, colon, z % 60);
}

void line_date(struct line *t, int64_t seconds, int zone)
{
	add_time(t, seconds, zone, "%a %b %-d %H:%M:%S %Y ", "");
}

void line_date_rfc3339(struct line *t, int64_t seconds, int zone)
{
	add_time(t, seconds, zone, "%Y-%m-%dT%H:%M:%S", ":");
}

bool line_is_id(const struct store_id *id)
{
	static const struct store_id none;

	return memcmp(id, &none, sizeof(none)) != 0;
}

void line_id(struct line *t, const struct store_id *id)
{
	char hex[STORE_HEX_LEN + 1];

	line_string(t, store_id_hex(hex, id));
}

void line_short_id(struct line *t, const struct store_id *id)
{
	char hex[STORE_HEX_LEN + 1];

	line_add(t, store_id_hex(hex, id), 12);
}

const char *line_kind(uint8_t kind)
{
	static const char *const names[] = { "none", "file", "executable", "directory", "symlink" };

	return kind < sizeof(names) / sizeof(*names) ? names[kind] : "none";
}

void line_node(struct line *t, const struct store_node *node)
{
	line_id(t, &node->id);
	line_format(t, " %s %u %llu", line_kind(node->kind), node->height,
		(unsigned long long)node->size);
}

bool line_to_number(const char *s, bool scaled, uint64_t max, uint64_t *out)
{
	static const char units[] = "KMG";
	uint64_t v = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	if (*s && scaled) {
		const char *unit = strchr(units,
			*s == 'k' || *s == 'm' || *s == 'g' ? *s - 'a' + 'A' : *s);

		if (!unit || __builtin_mul_overflow(v, 1024ULL << (10 * (unit - units)), &v))
			return false;
		s++;
		if (strcmp(s, "iB") == 0)
			s += 2;
	}
	*out = v;
	return *s == 0 && v <= max;
}

unsigned int line_distance(const char *a, const char *b)
{
	enum { LONGEST = 40 };
	unsigned int row[3][LONGEST + 1] = { { 0 } };
	size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return 99;
	for (unsigned int j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *now = row[i % 3], *last = row[(i + 2) % 3],
			     *before = row[(i + 1) % 3];

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned int best = last[j - 1] + (a[i - 1] != b[j - 1]);

			best = last[j] + 1 < best ? last[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[n % 3][m];
}
