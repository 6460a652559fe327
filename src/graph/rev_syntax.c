/*
 * The grammar of revisions, without any look at a repository.
 *
 *     revision = base [ "@{" log "}" ] { "~" [n] | "^" [n] | "^{}" | "^{commit}" }
 *
 * No ref may hold any of ~ ^ : ? * [ \ blank, or "@{", so the base ends where the first of them
 * stands. ":" is let through here for the one base that has it, "layer:N". "@" alone is HEAD;
 * "@{...}" without a base is the branch HEAD is on.
 */
#include "graph/rev.h"

#include <string.h>

#include "base/error.h"
#include "base/quote.h"

#define STEP_MAX 1000000000u

static int refuse(const char *text, size_t len, const char *why, struct store_error *err)
{
	char shown[120];

	return store_error_set(err, STORE_EINVAL, "'%s' is no revision: %s",
		quote_msg(shown, sizeof(shown), text, len), why);
}

static bool begins_log(const char *p, const char *end)
{
	return end - p >= 2 && p[0] == '@' && p[1] == '{';
}

static const char *find_base_end(const char *p, const char *end)
{
	while (p < end && *p != '~' && *p != '^' && !begins_log(p, end))
		p++;
	return p;
}

static const char *find_fault(const struct rev_parts *r)
{
	if (r->base.len == 0 && !r->has_log)
		return "it names nothing";
	for (size_t i = 0; i < r->base.len; i++) {
		const char c = r->base.p[i];

		if ((unsigned char)c < 0x20 || c == 0x7f || strchr(" ?*[\\", c))
			return "no ref has such a character";
		if (c == '.' && i + 1 < r->base.len && r->base.p[i + 1] == '.')
			return "it is a range, and one revision is wanted";
	}
	return NULL;
}

int rev_split(struct rev_parts *out, const char *text, size_t len, struct store_error *err)
{
	const char *end = text + len, *p = find_base_end(text, end);
	const char *fault;

	*out = (struct rev_parts){ .base = { text, (size_t)(p - text) } };
	if (begins_log(p, end)) {
		const char *close = memchr(p, '}', (size_t)(end - p));

		if (!close)
			return refuse(text, len, "'@{' is not closed", err);
		out->has_log = true;
		out->log = (struct text_slice){ p + 2, (size_t)(close - p - 2) };
		p = close + 1;
	}
	out->steps = (struct text_slice){ p, (size_t)(end - p) };
	if (out->steps.len > 0 && *p != '~' && *p != '^')
		return refuse(text, len, "behind '}' only '~' and '^' may follow", err);
	fault = find_fault(out);
	return fault ? refuse(text, len, fault, err) : 0;
}

static bool take_text(const char **p, const char *end, const char *word)
{
	const size_t n = strlen(word);

	if ((size_t)(end - *p) < n || memcmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

int rev_step_take(struct text_slice *steps, struct rev_step *out, struct store_error *err)
{
	const char *p = steps->p, *end = steps->p + steps->len, *digits;
	uint64_t n = 0;

	if (p == end)
		return 0;
	if (*p != '~' && *p != '^')
		return refuse(steps->p, steps->len, "only '~' and '^' may stand there", err);
	out->kind = *p == '~' ? REV_STEP_ANCESTOR : REV_STEP_PARENT;
	if (take_text(&p, end, "^{}") || take_text(&p, end, "^{commit}")) {
		out->n = 0;
	} else {
		for (digits = ++p; p < end && *p >= '0' && *p <= '9' && n <= STEP_MAX; p++)
			n = n * 10 + (uint64_t)(*p - '0');
		if (n > STEP_MAX)
			return refuse(steps->p, steps->len, "the number is too great", err);
		out->n = p == digits ? 1 : (uint32_t)n;
	}
	steps->p = p;
	steps->len = (size_t)(end - p);
	return 1;
}
