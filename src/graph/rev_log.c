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
 *
 * A branch that was renamed has the rows of its past under the name it had then, and the row of the
 * renaming under both; the reason of that row says which names they are, and the past of a branch
 * goes on under the older one. refs.log has it all, so a rebuild changes nothing.
 */
#include "graph/rev.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "odb/publish.h"

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

/* A row as it is found. */
struct log_row {
	uint64_t number; /* 0: there is none */
	struct ident who;
	struct text_slice why;
};

/* The newest row before `bound`. */
static int newest_before(struct env_txn *t, const char *name, uint64_t bound, struct log_row *row,
	struct store_error *err)
{
	struct env_val key, val;
	struct log_key k;
	int rc;

	*row = (struct log_row){ 0 };
	set_key(&k, name, bound);
	rc = env_get_before(t, ENV_REFLOG, k.b, k.len, &key, &val, err);
	if (rc == STORE_ENOTFOUND || (rc == 0 && !is_same_log(&key, &k)))
		return 0;
	if (rc != 0)
		return rc;
	if (ident_parse(&row->who, take_line(&val, 2), NULL) != 0)
		return bad_row(err);
	row->why = take_line(&val, 3);
	row->number = be64_get((const uint8_t *)key.data + k.len - 8);
	return 0;
}

static const char *branch_of(const struct rev_log_past *p)
{
	return strncmp(p->value, "ref:", 4) == 0 ? p->value + 4 : NULL;
}

/* The event that led to what is looked at; number 0: the log begins here. */
static int find_event(struct env_txn *t, const struct rev_log_past *p, struct log_row *row,
	struct store_error *err)
{
	struct log_row other = { 0 };
	int rc = newest_before(t, p->name, p->bound, row, err);

	if (rc == 0 && branch_of(p))
		rc = newest_before(t, branch_of(p), p->bound, &other, err);
	if (other.number > row->number)
		*row = other;
	return rc;
}

/* To just before the event, where a branch may have had another name. */
static int step_before(struct env_txn *t, struct rev_log_past *p, const struct log_row *row,
	struct store_error *err)
{
	char old_name[LIMIT_REF + 1], new_name[LIMIT_REF + 1];

	if (refs_rename_parse(row->why, old_name, new_name) && strcmp(new_name, p->name) == 0)
		memcpy(p->name, old_name, sizeof(p->name));
	p->bound = row->number;
	return value_before(t, p->name, p->bound, p->value, err);
}

/* The id it had then; false: it was absent, or on a branch without a commit. */
static int take_id(struct env_txn *t, const struct rev_log_past *p, bool *has, struct oid *out,
	struct store_error *err)
{
	char value[REFS_VALUE];
	int rc = 0;

	if (branch_of(p))
		rc = value_before(t, branch_of(p), p->bound, value, err);
	else
		memcpy(value, p->value, sizeof(value));
	*has = rc == 0 && id_parse(out, value, strlen(value)) == 0;
	return rc;
}

static int take_commit(struct env_txn *t, const struct rev_log_past *p, struct oid *out,
	struct store_error *err)
{
	bool has;
	const int rc = take_id(t, p, &has, out, err);

	if (rc == 0 && !has)
		return store_error_set(err, STORE_ENOTFOUND, "'%s' had no commit then", p->name);
	return rc;
}

int rev_log_begin(struct env_txn *t, const char *full, struct rev_log_past *p,
	struct store_error *err)
{
	int rc;

	*p = (struct rev_log_past){ 0 };
	snprintf(p->name, sizeof(p->name), "%s", full);
	/* Not "for ever": what comes later must not be taken for what led to here. */
	rc = publish_next(t, &p->bound, err);
	return rc == 0 ? value_before(t, p->name, p->bound, p->value, err) : rc;
}

int rev_log_next(struct env_txn *t, struct rev_log_past *p, struct rev_log_event *out,
	struct store_error *err)
{
	struct log_row row;
	int rc = find_event(t, p, &row, err);

	if (rc == 0 && row.number == 0)
		return STORE_ENOTFOUND;
	*out = (struct rev_log_event){ .number = row.number, .who = row.who, .why = row.why };
	if (rc == 0)
		rc = take_id(t, p, &out->has_new, &out->new_id, err);
	if (rc == 0)
		rc = step_before(t, p, &row, err);
	return rc == 0 ? take_id(t, p, &out->has_old, &out->old_id, err) : rc;
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
	struct rev_log_past p;
	int rc = rev_log_begin(t, full, &p, err);

	for (uint64_t i = 0; i < n && rc == 0; i++) {
		struct log_row row;

		rc = find_event(t, &p, &row, err);
		if (rc == 0 && row.number == 0)
			return store_error_set(err, STORE_ENOTFOUND,
				"the log of '%s' goes back %" PRIu64 " changes only", full, i);
		if (rc == 0)
			rc = step_before(t, &p, &row, err);
	}
	return rc == 0 ? take_commit(t, &p, out, err) : rc;
}

int rev_log_at(struct env_txn *t, const char *full, int64_t seconds, struct oid *out,
	struct store_error *err)
{
	struct rev_log_past p;
	int rc = rev_log_begin(t, full, &p, err);

	while (rc == 0) {
		struct log_row row;

		rc = find_event(t, &p, &row, err);
		if (rc == 0 && row.number == 0)
			return store_error_set(err, STORE_ENOTFOUND, "the log of '%s' begins later",
				full);
		if (rc == 0 && row.who.seconds <= seconds)
			return take_commit(t, &p, out, err);
		if (rc == 0)
			rc = step_before(t, &p, &row, err);
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
 * detached HEAD is none, nor is a new name of the branch it is on.
 */
static int count_checkout(void *ctx, const struct refs_log_row *row)
{
	char old_name[LIMIT_REF + 1], new_name[LIMIT_REF + 1];
	struct search *s = ctx;

	if (refs_rename_parse(row->why, old_name, new_name))
		return 0;
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

#define RENAMES_MAX 5

/* "ref:NAME" of a branch that is gone because it was renamed: under its name of today. */
static int follow_renames(struct env_txn *t, char value[REFS_VALUE], struct store_error *err)
{
	char now[REFS_VALUE], old_name[LIMIT_REF + 1], new_name[LIMIT_REF + 1];

	for (int i = 0; i < RENAMES_MAX && strncmp(value, "ref:", 4) == 0; i++) {
		struct log_row row;
		int rc = refs_get(t, value + 4, now, err);

		if (rc == STORE_ENOTFOUND)
			rc = newest_before(t, value + 4, UINT64_MAX, &row, err);
		else
			return rc;
		if (rc != 0 || row.number == 0 || !refs_rename_parse(row.why, old_name, new_name) ||
			strcmp(old_name, value + 4) != 0)
			return rc;
		snprintf(value, REFS_VALUE, "ref:%s", new_name);
	}
	return 0;
}

int rev_log_previous(struct env_txn *t, uint64_t n, char value[REFS_VALUE], struct store_error *err)
{
	struct search s = { n, value };
	const int rc = n == 0 ? 0 : refs_log_each(t, "HEAD", count_checkout, &s, err);

	if (rc == 1)
		return follow_renames(t, value, err);
	if (rc != 0)
		return rc;
	return store_error_set(err, STORE_ENOTFOUND,
		"there were not %" PRIu64 " checkouts before this one", n);
}
