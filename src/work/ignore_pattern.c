/*
 * One ignore pattern: how a line is read, and whether it matches a path.
 *
 * The grammar is git's, corners included: what its documentation leaves open is settled by what it
 * does, and a random test compares the two. Three corners are worth knowing:
 *  1. Two or more asterisks reach over '/' only where '/' or an end stands on both sides, or where
 *     everything before them is plain text; else they are one asterisk.
 *  2. An unfinished class, an unknown [:class:] or a backslash at the end matches nothing.
 *  3. Neither '?' nor a class matches '/'.
 *
 * Matching needs neither recursion nor memory. An asterisk stays within one name, so when what
 * follows it fails, only the last asterisk of that name can still be moved; when the name is at its
 * end, only the last double asterisk can, and it stops at the beginnings of names. Earlier ones
 * need not be tried again: whatever they could reach by moving on, the later one reaches from where
 * it stands. So each byte of the path meets each byte of the pattern a bounded number of times, and
 * no pattern is a trap: a backtracking matcher takes exponential time for a*a*a*a*b.
 */
#include <string.h>

#include "work/ignore_internal.h"

/* ---- classes */

/*
 * The bytes of a named class as pairs, first and last, ended by 0; NULL: there is none of that
 * name. C locale, as git has it: a name is bytes, not text.
 */
static const uint8_t *find_named(const char *name, size_t len)
{
	static const struct {
		const char *name;
		uint8_t ranges[9];
	} classes[] = {
		{ "alnum", { '0', '9', 'A', 'Z', 'a', 'z' } },
		{ "alpha", { 'A', 'Z', 'a', 'z' } },
		{ "blank", { ' ', ' ', '\t', '\t' } },
		{ "cntrl", { 1, 31, 127, 127 } },
		{ "digit", { '0', '9' } },
		{ "graph", { 33, 126 } },
		{ "lower", { 'a', 'z' } },
		{ "print", { 32, 126 } },
		{ "punct", { 33, 47, 58, 64, 91, 96, 123, 126 } },
		{ "space", { ' ', ' ', '\t', '\n', '\r', '\r' } },
		{ "upper", { 'A', 'Z' } },
		{ "xdigit", { '0', '9', 'A', 'F', 'a', 'f' } },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strlen(classes[i].name) == len && memcmp(classes[i].name, name, len) == 0)
			return classes[i].ranges;
	}
	return NULL;
}

static bool is_in_ranges(const uint8_t *r, uint8_t c)
{
	for (; *r != 0; r += 2) {
		if (c >= r[0] && c <= r[1])
			return true;
	}
	return false;
}

/* A class, member by member. */
struct class_scan {
	const char *p;
	size_t len, i;
	uint8_t c;    /* is looked for */
	uint8_t last; /* the member before, which may begin a range; 0: it may not */
	bool found, bad;
};

static uint8_t byte_at(const struct class_scan *s, size_t i)
{
	return i < s->len ? (uint8_t)s->p[i] : 0;
}

/* "[:name:]" at i; false when it is no such thing, and '[' stands for itself. */
static bool scan_named(struct class_scan *s)
{
	const size_t begin = s->i + 2;
	const char *end = begin <= s->len ? memchr(s->p + begin, ']', s->len - begin) : NULL;
	const size_t n = end ? (size_t)(end - (s->p + begin)) : 0;
	const uint8_t *ranges;

	if (end && (n == 0 || end[-1] != ':'))
		return false;
	ranges = end ? find_named(s->p + begin, n - 1) : NULL;
	if (!ranges) {
		s->bad = true;
		return true;
	}
	s->found |= is_in_ranges(ranges, s->c);
	s->i = begin + n + 1;
	s->last = 0;
	return true;
}

static void scan_member(struct class_scan *s)
{
	uint8_t at = byte_at(s, s->i);

	if (at == '-' && s->last != 0 && byte_at(s, s->i + 1) != 0 && byte_at(s, s->i + 1) != ']') {
		const uint8_t first = s->last;

		at = byte_at(s, ++s->i);
		if (at == '\\')
			at = byte_at(s, ++s->i);
		s->bad = at == 0;
		s->found |= s->c >= first && s->c <= at;
		s->last = 0;
		s->i++;
		return;
	}
	if (at == '[' && byte_at(s, s->i + 1) == ':' && scan_named(s))
		return;
	if (at == '\\')
		at = byte_at(s, ++s->i);
	s->bad = at == 0;
	s->found |= s->c == at;
	s->last = at;
	s->i++;
}

/*
 * The class behind '[' at p[i]: bytes of it, its ']' included; 0: it does not end, or is malformed.
 * *found: c is in it.
 */
static size_t scan_class(const char *p, size_t len, size_t i, uint8_t c, bool *found)
{
	struct class_scan s = { .p = p, .len = len, .i = i + 1, .c = c };
	const bool negated = byte_at(&s, s.i) == '!' || byte_at(&s, s.i) == '^';

	s.i += negated;
	/* A ']' that comes first stands for itself. */
	do
		scan_member(&s);
	while (!s.bad && byte_at(&s, s.i) != ']');
	*found = s.found != negated;
	return s.bad ? 0 : s.i + 1 - i;
}

/* ---- reading a line */

static bool is_wild(char c)
{
	return c == '*' || c == '?' || c == '[' || c == '\\';
}

static size_t plain_len(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && !is_wild(p[n]))
		n++;
	return n;
}

/* Can it match anything at all? */
static bool is_sound(const char *p, size_t len)
{
	bool found;

	for (size_t i = 0, n; i < len; i += n) {
		n = 1;
		if (p[i] == '\\')
			n = 2;
		else if (p[i] == '[')
			n = scan_class(p, len, i, 0, &found);
		if (n == 0 || i + n > len)
			return false;
	}
	return len > 0;
}

void ignore_pattern_parse(struct ignore_pattern *p, const char *text, size_t len)
{
	const char *at = text;

	p->flags = 0;
	if (len > 0 && *at == '!') {
		p->flags |= IGNORE_NEGATED;
		at++;
		len--;
	}
	if (len > 0 && at[len - 1] == '/') {
		p->flags |= IGNORE_DIRS_ONLY;
		len--;
	}
	if (len == 0 || !memchr(at, '/', len)) {
		p->flags |= IGNORE_ANY_DEPTH;
	} else if (*at == '/') {
		at++;
		len--;
	}
	p->begin = (uint16_t)(at - text);
	p->len = (uint16_t)len;
	p->prefix = (uint16_t)plain_len(at, len);
	if (p->flags & IGNORE_ANY_DEPTH && len > 0 && *at == '*' &&
		plain_len(at + 1, len - 1) == len - 1)
		p->flags |= IGNORE_TAIL;
	if (!is_sound(at, len))
		p->flags |= IGNORE_NEVER;
}

/* ---- matching */

struct match {
	const char *p, *t; /* pattern and path */
	size_t p_len, t_len;
	size_t i, k; /* where both stand */
	/* The last asterisk of this name: go on at star_i, with star_k bytes of the path taken. */
	bool has_star, has_wide;
	size_t star_i, star_k;
	/* The last double asterisk; is_names: it stops at the beginnings of names. */
	bool is_names;
	size_t wide_i, wide_k;
};

/* At an asterisk: remember it, and take nothing by it. */
static void begin_star(struct match *m)
{
	const size_t first = m->i;
	size_t end = first + 1;

	while (end < m->p_len && m->p[end] == '*')
		end++;
	m->i = end;
	if (end - first >= 2 && (first == 0 || m->p[first - 1] == '/') &&
		(end == m->p_len || m->p[end] == '/' ||
			(m->p[end] == '\\' && end + 1 < m->p_len && m->p[end + 1] == '/'))) {
		m->has_star = false;
		m->has_wide = true;
		m->is_names = end < m->p_len && m->p[end] == '/';
		/* Its '/' goes with it, and with the names that it takes: with none, too. */
		m->i += m->is_names;
		m->wide_i = m->i;
		m->wide_k = m->k;
		return;
	}
	m->has_star = true;
	m->star_i = m->i;
	m->star_k = m->k;
}

/* One byte of the path against what stands in the pattern, which is no asterisk. */
static bool take_byte(struct match *m, uint64_t *steps)
{
	const uint8_t c = (uint8_t)m->t[m->k];
	size_t n = 1;
	bool found;

	switch (m->p[m->i]) {
	case '?':
		found = c != '/';
		break;
	case '[':
		n = scan_class(m->p, m->p_len, m->i, c, &found);
		*steps += n;
		found = found && c != '/';
		break;
	case '\\':
		n = 2;
		found = (uint8_t)m->p[m->i + 1] == c;
		break;
	default:
		found = (uint8_t)m->p[m->i] == c;
		break;
	}
	if (!found)
		return false;
	m->i += n;
	m->k++;
	/* What comes before this '/' is settled. */
	if (c == '/')
		m->has_star = false;
	return true;
}

/* Let the last asterisk that can take more take more. */
static bool go_back(struct match *m)
{
	const char *slash;

	if (m->has_star && m->star_k < m->t_len && m->t[m->star_k] != '/') {
		m->k = ++m->star_k;
		m->i = m->star_i;
		return true;
	}
	if (!m->has_wide || m->wide_k >= m->t_len)
		return false;
	m->has_star = false;
	if (m->is_names) {
		slash = memchr(m->t + m->wide_k, '/', m->t_len - m->wide_k);
		if (!slash)
			return false;
		m->wide_k = (size_t)(slash - m->t);
	}
	m->k = ++m->wide_k;
	m->i = m->wide_i;
	return true;
}

static bool match_wild(const char *p, size_t p_len, const char *t, size_t t_len, uint64_t *steps)
{
	struct match m = { .p = p, .p_len = p_len, .t = t, .t_len = t_len };

	for (;;) {
		++*steps;
		if (m.i < p_len && p[m.i] == '*') {
			begin_star(&m);
			/* At the end of the pattern a double asterisk takes all that is left. */
			if (m.i == p_len && !m.has_star && !m.is_names)
				return true;
			continue;
		}
		if (m.i == p_len && m.k == t_len)
			return true;
		if (m.i < p_len && m.k < t_len && take_byte(&m, steps))
			continue;
		if (!go_back(&m))
			return false;
	}
}

bool ignore_pattern_matches(const struct ignore_pattern *p, const char *text,
	const struct ignore_subject *s, uint64_t *steps)
{
	const bool any_depth = p->flags & IGNORE_ANY_DEPTH;
	const char *at = text + p->begin, *t = any_depth ? s->path + s->name_off : s->path;
	const size_t n = any_depth ? s->len - s->name_off : s->len;
	const size_t tail = p->len > 0 ? p->len - 1u : 0;
	uint64_t unused = 0;

	if (p->flags & IGNORE_NEVER || (p->flags & IGNORE_DIRS_ONLY && !s->is_dir))
		return false;
	if (p->flags & IGNORE_TAIL)
		return n >= tail && memcmp(t + n - tail, at + 1, tail) == 0;
	if (n < p->prefix || memcmp(t, at, p->prefix) != 0)
		return false;
	if (p->prefix == p->len)
		return n == p->len;
	return match_wild(at + p->prefix, p->len - p->prefix, t + p->prefix, n - p->prefix,
		steps ? steps : &unused);
}
