/*
 * The line of a bash, taken apart as bash does it, and the text that is put back.
 *
 * Readline replaces what stands behind the last break of the word (COMP_WORDBREAKS, which has ':'
 * and '@' and '=' in it) or behind the quote that is open; what bash hands a completion function
 * in COMP_WORDS is broken there, too.  So the line is read here: words without their quotes, where
 * the text begins that will be replaced, and which quote is open.  What is put back is the text as
 * it was typed with the rest of the name behind it, quoted to go on from there, so that whatever
 * bytes a name has, the shell reads them as this name and nothing else.
 */
#include "cli/complete.h"
#include <string.h>

struct reading {
	struct line word;
	bool has_word;
	size_t word_text; /* where the text of the word begins, were no quote open */
};

static void end_word(struct complete_line *l, struct reading *r, size_t next)
{
	if (r->has_word) {
		line_add(&r->word, "", 0);
		strings_push(&l->words, r->word.data);
		r->word = (struct line){ 0 };
	}
	r->has_word = false;
	r->word_text = next;
}

/* One escape of $'...' behind the backslash at s; the bytes it takes.  Enough for what we write. */
static size_t unescape(struct line *t, const char *s, size_t n)
{
	static const char escapes[] = "n\nt\tr\ra\ab\bf\fv\ve\033";
	unsigned int c = 0;
	size_t used = 0;

	for (const char *e = escapes; *e; e += 2)
		if (*s == e[0]) {
			line_add(t, e + 1, 1);
			return 1;
		}
	while (used < 3 && used < n && s[used] >= '0' && s[used] <= '7')
		c = c * 8 + (unsigned int)(s[used++] - '0');
	if (used && c) {
		const char byte = (char)(unsigned char)c;

		line_add(t, &byte, 1);
		return used;
	}
	line_add(t, s, 1);
	return 1;
}

/* A byte outside of quotes; true: it begins a quote. */
static bool read_bare(struct complete_line *l, struct reading *r, const char *s, size_t i,
	const char *breaks)
{
	const bool ansi = s[i] == '$' && s[i + 1] == '\'';

	if (s[i] == '\'' || s[i] == '"' || ansi) {
		l->quoting = ansi ? QUOTE_ANSI : s[i] == '"' ? QUOTE_DOUBLE : QUOTE_SINGLE;
		r->has_word = true;
		return true;
	}
	if (strchr(" \t\n", s[i])) {
		end_word(l, r, i + 1);
		return false;
	}
	if (strchr(breaks, s[i]))
		r->word_text = s[i] == '@' ? i : i + 1; /* readline keeps that one */
	line_add(&r->word, s + i, 1);
	r->has_word = true;
	return false;
}

static bool ends_quote(enum quoting q, char c)
{
	return c == (q == QUOTE_DOUBLE ? '"' : '\'');
}

void complete_line_read(struct complete_line *l, const char *s, size_t n, const char *breaks)
{
	struct reading r = { 0 };
	size_t quote_at = 0, step;

	for (size_t i = 0; i < n; i += step) {
		const bool escapes = s[i] == '\\' && l->quoting != QUOTE_SINGLE;

		step = 1;
		if (escapes && i + 1 == n) {
			n--; /* it escapes nothing yet, and is written anew */
		} else if (escapes && l->quoting == QUOTE_ANSI) {
			step = 1 + unescape(&r.word, s + i + 1, n - i - 1);
		} else if (escapes && (l->quoting == QUOTE_BARE || strchr("\"$`\\\n", s[i + 1]))) {
			line_add(&r.word, s + i + 1, 1);
			r.has_word = true;
			step = 2;
		} else if (l->quoting != QUOTE_BARE && ends_quote(l->quoting, s[i])) {
			l->quoting = QUOTE_BARE;
		} else if (l->quoting != QUOTE_BARE) {
			line_add(&r.word, s + i, 1);
		} else if (read_bare(l, &r, s, i, breaks)) {
			step = l->quoting == QUOTE_ANSI ? 2 : 1;
			quote_at = i + step;
		}
	}
	l->text_at = l->quoting == QUOTE_BARE ? r.word_text : quote_at;
	l->text_len = n - (l->text_at < n ? l->text_at : n);
	r.has_word = true; /* the word at the cursor may be empty */
	end_word(l, &r, n);
}

/* Bytes that mean themselves to a shell, wherever they stand in a word. */
static bool is_plain(const char *s, size_t len, bool harmless)
{
	static const char marks[] = "_-./,:@%+=";

	if (len > 1)
		return harmless;
	return (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
		(*s && strchr(marks, *s));
}

static void add_octal(struct line *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		line_format(t, "\\%03o", (unsigned int)(unsigned char)s[i]);
}

/* A byte or character that no quote but $'...' can show: leave the open quote for it. */
static void add_odd(struct line *t, enum quoting q, const char *s, size_t len)
{
	static const char *const around[] = { "", "'", "\"", "" };

	line_string(t, around[q]);
	line_string(t, q == QUOTE_ANSI ? "" : "$'");
	add_octal(t, s, len ? len : 1);
	line_string(t, q == QUOTE_ANSI ? "" : "'");
	line_string(t, around[q]);
}

static void add_mark(struct line *t, enum quoting q, const char *s)
{
	if (q == QUOTE_BARE || (q == QUOTE_DOUBLE && strchr("\"$`\\", *s)) ||
		(q == QUOTE_ANSI && strchr("'\\", *s)))
		line_format(t, "\\%c", *s);
	else if (q == QUOTE_SINGLE && *s == '\'')
		line_string(t, "'\\''");
	else if (q == QUOTE_DOUBLE && *s == '!')
		line_string(t, "\"'!'\"");
	else
		line_add(t, s, 1);
}

void complete_line_quote(struct line *t, enum quoting q, const char *s)
{
	size_t n = strlen(s), len;
	bool harmless;

	for (; n; s += len, n -= len) {
		len = line_character(s, n, &harmless);
		if (len == 0 || !harmless) {
			add_odd(t, q, s, len);
			len = len ? len : 1;
		} else if (is_plain(s, len, harmless)) {
			line_add(t, s, len);
		} else {
			add_mark(t, q, s);
		}
	}
}

void complete_line_release(struct complete_line *l)
{
	strings_release_all(&l->words);
}
