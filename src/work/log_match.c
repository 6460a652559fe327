/*
 * Dates and patterns of the log. Patterns are POSIX regular expressions of the C library, as git
 * has them by default. They see one line at a time: the author without the date, and each line of
 * the message. Plain text becomes a basic expression in which nothing is special, so that there is
 * one way to match.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/date.h"
#include "store.h"
#include "work/log_internal.h"

struct log_pattern {
	regex_t re;
};

/* ---- reading */

static int read_date(const char *text, const char *name, bool *has, int64_t *out,
	struct store_error *err)
{
	const int64_t now = (int64_t)time(NULL);
	struct buf ago = { 0 };
	struct date date = { 0 };
	int rc;

	*has = text != NULL;
	if (!text)
		return 0;
	rc = date_parse(&date, text, strlen(text), now, err);
	if (rc == STORE_EINVAL) {
		/* Of a length of time only the past can be meant. */
		buf_addf(&ago, "%s ago", text);
		if (!ago.failed &&
			date_parse(&date, (const char *)ago.data, ago.len, now, NULL) == 0)
			rc = 0;
		buf_release(&ago);
	}
	*out = date.seconds;
	return rc == 0 ? 0 : store_error_wrap(err, rc, "%s", name);
}

static void add_plain(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\.[*^$", *text))
			buf_add_u8(out, '\\');
		buf_add_u8(out, (uint8_t)*text);
	}
}

static int compile(struct log_pattern *p, const char *text, unsigned int flags,
	struct store_error *err)
{
	const bool fixed = flags & STORE_LOG_FIXED;
	const int how = REG_NOSUB | (flags & STORE_LOG_IGNORE_CASE ? REG_ICASE : 0) |
		(!fixed && flags & STORE_LOG_EXTENDED ? REG_EXTENDED : 0);
	struct buf plain = { 0 };
	char shown[100], why[100];
	int failed;

	if (strchr(text, '\n'))
		return store_error_set(err, STORE_EINVAL,
			"a pattern has several lines, and would be looked for in one");
	if (fixed)
		add_plain(&plain, text);
	buf_add_u8(&plain, 0);
	if (buf_check(&plain, err) != 0)
		return STORE_ENOMEM;
	failed = regcomp(&p->re, fixed ? (const char *)plain.data : text, how);
	buf_release(&plain);
	if (failed == 0)
		return 0;
	if (failed == REG_ESPACE)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	regerror(failed, &p->re, why, sizeof(why));
	return store_error_set(err, STORE_EINVAL, "'%s' is no regular expression: %s",
		quote_msg(shown, sizeof(shown), text, strlen(text)), why);
}

static int compile_all(struct log_pattern **out, size_t *count, const char *const *texts, size_t n,
	unsigned int flags, struct store_error *err)
{
	int rc = 0;

	if (n == 0)
		return 0;
	*out = calloc(n, sizeof(**out));
	if (!*out)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	while (rc == 0 && *count < n) {
		rc = compile(&(*out)[*count], texts[*count], flags, err);
		*count += rc == 0;
	}
	return rc;
}

int log_match_set(struct log_match *m, const struct store_log_options *o, struct store_error *err)
{
	int rc = read_date(o->since, "since", &m->has_since, &m->since, err);

	if (rc == 0)
		rc = read_date(o->until, "until", &m->has_until, &m->until, err);
	if (rc == 0)
		rc = compile_all(&m->authors, &m->author_count, o->authors, o->n_authors, o->flags,
			err);
	if (rc == 0)
		rc = compile_all(&m->greps, &m->grep_count, o->greps, o->n_greps, o->flags, err);
	return rc;
}

static void free_all(struct log_pattern *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		regfree(&p[i].re);
	free(p);
}

void log_match_release(struct log_match *m)
{
	free_all(m->authors, m->author_count);
	free_all(m->greps, m->grep_count);
	*m = (struct log_match){ 0 };
}

/* ---- matching */

/* Does one of the patterns fit the line?  It ends with NUL. */
static int match_line(const struct log_pattern *p, size_t n, const char *line, bool *yes,
	struct store_error *err)
{
	for (size_t i = 0; !*yes && i < n; i++) {
		const int failed = regexec(&p[i].re, line, 0, NULL, 0);

		if (failed != 0 && failed != REG_NOMATCH)
			return store_error_set(err, STORE_ENOMEM, "out of memory");
		*yes = failed == 0;
	}
	return 0;
}

static int match_author(const struct log_match *m, const struct commit *c, struct buf *line,
	bool *yes, struct store_error *err)
{
	int rc = ident_format_who(line, &c->author, err);

	buf_add_u8(line, 0);
	if (rc == 0)
		rc = buf_check(line, err);
	if (rc != 0)
		return rc;
	return match_line(m->authors, m->author_count, (const char *)line->data, yes, err);
}

static int match_message(const struct log_match *m, const struct commit *c, struct buf *line,
	bool *yes, struct store_error *err)
{
	const char *p = c->message.p, *end = p + c->message.len;
	int rc = 0;

	while (rc == 0 && !*yes && p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		const char *stop = lf ? lf : end;

		buf_clear(line);
		buf_add(line, p, (size_t)(stop - p));
		buf_add_u8(line, 0);
		rc = buf_check(line, err);
		if (rc == 0)
			rc = match_line(m->greps, m->grep_count, (const char *)line->data, yes,
				err);
		p = lf ? lf + 1 : end;
	}
	return rc;
}

int log_match_commit(const struct log_match *m, const struct commit *c, bool *yes,
	struct store_error *err)
{
	bool author = m->author_count == 0, message = m->grep_count == 0;
	struct buf line = { 0 };
	int rc = 0;

	*yes = false;
	if (m->has_until && c->committer.seconds > m->until)
		return 0;
	if (!author)
		rc = match_author(m, c, &line, &author, err);
	if (rc == 0 && author && !message)
		rc = match_message(m, c, &line, &message, err);
	buf_release(&line);
	*yes = rc == 0 && author && message;
	return rc;
}
