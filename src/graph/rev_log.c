/*
 * The past of refs, from the reflog.
 *
 * A row of the log says what a ref was before the publication with its number and after it. So
 * "what was it just before number b" is the old value of the first row with a number >= b, or, when
 * there is none, the value of today. No other question is asked, and rows that gc trimmed from the
 * old end make no answer wrong.
 *
 * HEAD points to a branch most of the time, and its own log has a row only when it turns to
 * another. Users mean by HEAD@{n} what was checked out, so its past is made of both logs: an event
 * is a row of HEAD or of the branch HEAD was on then.
 */
#include "graph/rev.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/quote.h"

struct log_key {
	uint8_t b[LIMIT_REF + 1 + 8];
	size_t len;
};

static void set_key(struct log_key *k, const char *name, uint64_t number)
{
	const size_t n = strnlen(name, LIMIT_REF);

	memcpy(k->b, name, n);
	k->b[n] = '\0';
	be64_put(k->b + n + 1, number);
	k->len = n + 9;
}

/* Is the row one of the log that key belongs to? */
static bool is_same_log(const struct env_val *row, const struct log_key *key)
{
	return row->len == key->len && memcmp(row->data, key->b, key->len - 8) == 0;
}

/* Line i of a row, from 0. */
static struct text_slice take_line(const struct env_val *val, int i)
{
	const char *p = val->data, *end = p + val->len;

	for (;; i--) {
		const char *nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;

		if (i == 0)
			return (struct text_slice){ p, (size_t)((nl ? nl : end) - p) };
		p = nl ? nl + 1 : end;
	}
}

static int bad_row(struct store_error *err)
{
	return store_error_set(err, STORE_ECORRUPT,
		"a row of the reflog is malformed; run 'store fsck --rebuild'");
}

/* What the ref was just before publication `bound`; "-" when it was absent. */
static int value_before(struct env_txn *t, const char *name, uint64_t bound, char value[REFS_VALUE],
	struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	struct log_key k;
	int rc = env_cursor_open(t, ENV_REFLOG, &c, err);

	if (rc != 0)
		return rc;
	set_key(&k, name, bound);
	env_cursor_seek(c, k.b, k.len);
	rc = env_cursor_next(c, &key, &val, err);
	if (rc == 0 && is_same_log(&key, &k)) {
		const struct text_slice old = take_line(&val, 0);

		if (old.len < REFS_VALUE)
			snprintf(value, REFS_VALUE, "%.*s", (int)old.len, old.p);
		else
			rc = bad_row(err);
	} else if (rc == 0 || rc == STORE_ENOTFOUND) {
		rc = refs_get(t, name, value, err);
		if (rc == STORE_ENOTFOUND) {
			memcpy(value, "-", 2);
			rc = 0;
		}
	}
	env_cursor_close(c);
	return rc;
}

/* Number and time of the newest row before `bound`; number 0: there is none. */
static int newest_before(struct env_txn *t, const char *name, uint64_t bound, uint64_t *number,
	int64_t *seconds, struct store_error *err)
{
	struct env_val key, val;
	struct log_key k;
	struct ident who;
	int rc;

	*number = 0;
	set_key(&k, name, bound);
	rc = env_get_before(t, ENV_REFLOG, k.b, k.len, &key, &val, err);
	if (rc == STORE_ENOTFOUND || (rc == 0 && !is_same_log(&key, &k)))
		return 0;
	if (rc != 0)
		return rc;
	if (ident_parse(&who, take_line(&val, 2), NULL) != 0)
		return bad_row(err);
	*number = be64_get((const uint8_t *)key.data + k.len - 8);
	*seconds = who.seconds;
	return 0;
}

/* The past of one ref, looked at just before `bound`. */
struct past {
	struct env_txn *txn;
	const char *name;
	uint64_t bound;
	char value[REFS_VALUE];
};

static const char *branch_of(const struct past *p)
{
	return strncmp(p->value, "ref:", 4) == 0 ? p->value + 4 : NULL;
}

static int past_at(struct past *p, uint64_t bound, struct store_error *err)
{
	p->bound = bound;
	return value_before(p->txn, p->name, bound, p->value, err);
}

/* The event that led to what is looked at; number 0: the log begins here. */
static int find_event(const struct past *p, uint64_t *number, int64_t *seconds,
	struct store_error *err)
{
	uint64_t other = 0;
	int64_t other_seconds = 0;
	int rc = newest_before(p->txn, p->name, p->bound, number, seconds, err);

	if (rc == 0 && branch_of(p))
		rc = newest_before(p->txn, branch_of(p), p->bound, &other, &other_seconds, err);
	if (other > *number) {
		*number = other;
		*seconds = other_seconds;
	}
	return rc;
}

static int take_commit(const struct past *p, struct oid *out, struct store_error *err)
{
	char value[REFS_VALUE];
	int rc = 0;

	if (branch_of(p))
		rc = value_before(p->txn, branch_of(p), p->bound, value, err);
	else
		memcpy(value, p->value, sizeof(value));
	if (rc == 0 && id_parse(out, value, strlen(value)) != 0)
		rc = store_error_set(err, STORE_ENOTFOUND, "'%s' had no commit then", p->name);
	return rc;
}

int rev_full_name(struct env_txn *t, const char *name, size_t len, char full[LIMIT_REF + 1],
	struct store_error *err)
{
	/* Tags go before branches, as in git. */
	static const char *const prefixes[] = { "", "refs/", "refs/tags/", "refs/heads/",
		"refs/remotes/" };
	char value[REFS_VALUE];

	if (len == 1 && name[0] == '@')
		return rev_full_name(t, "HEAD", 4, full, err);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		int rc;

		if (len == 0 || strlen(prefixes[i]) + len > LIMIT_REF)
			continue;
		snprintf(full, LIMIT_REF + 1, "%s%.*s", prefixes[i], (int)len, name);
		rc = refs_get(t, full, value, err);
		if (rc != STORE_ENOTFOUND)
			return rc;
	}
	return STORE_ENOTFOUND;
}

int rev_log_nth(struct env_txn *t, const char *full, uint64_t n, struct oid *out,
	struct store_error *err)
{
	struct past p = { .txn = t, .name = full };
	int rc = past_at(&p, UINT64_MAX, err);

	for (uint64_t i = 0; i < n && rc == 0; i++) {
		uint64_t number;
		int64_t seconds;

		rc = find_event(&p, &number, &seconds, err);
		if (rc == 0 && number == 0)
			return store_error_set(err, STORE_ENOTFOUND,
				"the log of '%s' goes back %" PRIu64 " changes only", full, i);
		if (rc == 0)
			rc = past_at(&p, number, err);
	}
	return rc == 0 ? take_commit(&p, out, err) : rc;
}

int rev_log_at(struct env_txn *t, const char *full, int64_t seconds, struct oid *out,
	struct store_error *err)
{
	struct past p = { .txn = t, .name = full };
	int rc = past_at(&p, UINT64_MAX, err);

	while (rc == 0) {
		uint64_t number;
		int64_t then = 0;

		rc = find_event(&p, &number, &then, err);
		if (rc == 0 && number == 0)
			return store_error_set(err, STORE_ENOTFOUND, "the log of '%s' begins later",
				full);
		if (rc == 0 && then <= seconds)
			return take_commit(&p, out, err);
		if (rc == 0)
			rc = past_at(&p, number, err);
	}
	return rc;
}

struct search {
	uint64_t left;
	char *value;
};

static bool begins(struct text_slice s, const char *word)
{
	return s.len >= strlen(word) && memcmp(s.p, word, strlen(word)) == 0;
}

/*
 * HEAD's own rows: a checkout turns it to another branch or says that it is one; a commit on a
 * detached HEAD is none.
 */
static int count_checkout(void *ctx, const struct refs_log_row *row)
{
	struct search *s = ctx;

	if (text_slice_eq(row->old_value, row->new_value) || begins(row->old_value, "-"))
		return 0;
	if (!begins(row->old_value, "ref:") && !begins(row->new_value, "ref:") &&
		!begins(row->why, "checkout"))
		return 0;
	if (--s->left > 0 || row->old_value.len >= REFS_VALUE)
		return 0;
	snprintf(s->value, REFS_VALUE, "%.*s", (int)row->old_value.len, row->old_value.p);
	return 1;
}

int rev_log_previous(struct env_txn *t, uint64_t n, char value[REFS_VALUE], struct store_error *err)
{
	struct search s = { n, value };
	const int rc = n == 0 ? 0 : refs_log_each(t, "HEAD", count_checkout, &s, err);

	if (rc == 1)
		return 0;
	if (rc != 0)
		return rc;
	return store_error_set(err, STORE_ENOTFOUND,
		"there were not %" PRIu64 " checkouts before this one", n);
}
