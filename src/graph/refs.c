/*
 * Refs and reflog as rows. The reflog row of a change is (name, NUL, publication number); its value
 * has four lines: old value, new value, who, why.
 */
#include "graph/refs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"
#include "data/refname.h"
#include "data/refslog.h"

#define WHY_MAX 512 /* bytes of the reason in a row of the reflog */

#define FOLLOW_MAX 5

int refs_get(struct env_txn *t, const char *name, char value[REFS_VALUE], struct store_error *err)
{
	struct env_val v;
	int rc;

	if (strlen(name) > LIMIT_REF)
		return STORE_ENOTFOUND;
	rc = env_get(t, ENV_REFS, name, strlen(name), &v, err);
	if (rc != 0)
		return rc;
	if (v.len >= REFS_VALUE)
		return store_error_set(err, STORE_ECORRUPT,
			"ref '%s' is malformed; run 'store fsck --rebuild'", name);
	memcpy(value, v.data, v.len);
	value[v.len] = '\0';
	return 0;
}

int refs_resolve(struct env_txn *t, const char *name, struct oid *id, struct store_error *err)
{
	char value[REFS_VALUE], next[REFS_VALUE];

	for (int i = 0; i < FOLLOW_MAX; i++) {
		const int rc = refs_get(t, name, value, err);

		if (rc != 0)
			return rc;
		if (strncmp(value, "ref:", 4) != 0) {
			if (id_parse(id, value, strlen(value)) != 0)
				return store_error_set(err, STORE_ECORRUPT,
					"ref '%s' is malformed; run 'store fsck --rebuild'", name);
			return 0;
		}
		memcpy(next, value + 4, strlen(value + 4) + 1);
		name = next;
	}
	return store_error_set(err, STORE_ECORRUPT, "ref '%s' points in a circle", name);
}

int refs_head(struct env_txn *t, struct refs_head *out, struct store_error *err)
{
	char value[REFS_VALUE];
	int rc;

	memset(out, 0, sizeof(*out));
	rc = refs_get(t, "HEAD", value, err);
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_ECORRUPT,
			"the repository has no HEAD; run 'store fsck --rebuild'");
	if (rc != 0)
		return rc;
	if (strncmp(value, "ref:", 4) == 0)
		snprintf(out->branch, sizeof(out->branch), "%s", value + 4);
	rc = refs_resolve(t, "HEAD", &out->commit, err);
	out->has_commit = rc == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int refs_each(struct env_txn *t, const char *prefix,
	int (*fn)(void *ctx, const char *name, const char *value), void *ctx,
	struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(t, ENV_REFS, &c, err);

	if (rc != 0)
		return rc;
	env_cursor_seek(c, prefix, strlen(prefix));
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		char name[LIMIT_REF + 1], value[REFS_VALUE];

		if (key.len > LIMIT_REF || val.len >= REFS_VALUE || key.len < strlen(prefix) ||
			memcmp(key.data, prefix, strlen(prefix)) != 0) {
			rc = STORE_ENOTFOUND;
			break;
		}
		memcpy(name, key.data, key.len);
		name[key.len] = '\0';
		memcpy(value, val.data, val.len);
		value[val.len] = '\0';
		rc = fn(ctx, name, value);
		if (rc != 0)
			break;
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

void refs_value_of(char value[REFS_VALUE], const struct oid *id)
{
	id_hex(value, id);
}

int refs_update_add(struct refs_update *u, const char *name, const char *expected,
	const char *new_value, struct store_error *err)
{
	struct refs_change *c;

	if (u->count == REFS_UPDATES || strlen(name) > LIMIT_REF)
		return store_error_set(err, STORE_EINVAL,
			"ref name '%.40s...' is longer than %d bytes", name, LIMIT_REF);
	c = &u->changes[u->count++];
	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->expected, sizeof(c->expected), "%s", expected ? expected : "");
	snprintf(c->new_value, sizeof(c->new_value), "%s", new_value ? new_value : "-");
	return 0;
}

static int format_log_row(struct buf *row, struct text_slice old_value, struct text_slice new_value,
	const struct ident *who, const char *why, struct store_error *err)
{
	int rc;

	/* The reason as refs.log has it, without control characters: a rebuild knows no other. */
	buf_addf(row, "%.*s\n%.*s\n", (int)old_value.len, old_value.p, (int)new_value.len,
		new_value.p);
	rc = ident_format(row, who, err);
	if (rc != 0)
		return rc;
	buf_add_u8(row, '\n');
	for (; *why; why++)
		buf_add_u8(row, (uint8_t)*why < 0x20 || *why == 0x7f ? ' ' : (uint8_t)*why);
	return buf_check(row, err);
}

static int put_log_row(struct env_txn *t, const char *name, uint64_t number, const char *old_value,
	const char *new_value, const struct ident *who, const char *why, struct store_error *err)
{
	uint8_t key[LIMIT_REF + 1 + 8];
	const size_t n = strlen(name);
	struct buf row = { 0 };
	int rc;

	memcpy(key, name, n + 1);
	be64_put(key + n + 1, number);
	rc = format_log_row(&row, text_slice_of(old_value), text_slice_of(new_value), who, why,
		err);
	if (rc == 0)
		rc = env_put(t, ENV_REFLOG, key, n + 9, row.data, row.len, err);
	buf_release(&row);
	return rc;
}

static int refuse_place(const char *name, const void *other, size_t len, struct store_error *err)
{
	return store_error_set(err, STORE_EEXISTS,
		"'%s' cannot be made beside '%.*s': no ref is a directory of another", name,
		(int)len, (const char *)other);
}

/* Is there a ref below name? */
static int check_below(struct env_txn *t, const char *name, struct store_error *err)
{
	char below[LIMIT_REF + 2];
	struct env_cursor *c;
	struct env_val key, val;
	size_t n;
	int rc = env_cursor_open(t, ENV_REFS, &c, err);

	if (rc != 0)
		return rc;
	n = (size_t)snprintf(below, sizeof(below), "%.*s/", LIMIT_REF, name);
	env_cursor_seek(c, below, n);
	rc = env_cursor_next(c, &key, &val, err);
	if (rc == 0 && key.len > n && memcmp(key.data, below, n) == 0)
		rc = refuse_place(name, key.data, key.len, err);
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int refs_check_place(struct env_txn *t, const char *name, struct store_error *err)
{
	struct env_val val;

	for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/')) {
		const size_t n = (size_t)(p - name);
		const int rc = n > 0 ? env_get(t, ENV_REFS, name, n, &val, err) : STORE_ENOTFOUND;

		if (rc == 0)
			return refuse_place(name, name, n, err);
		if (rc != STORE_ENOTFOUND)
			return rc;
	}
	return check_below(t, name, err);
}

static int apply_one(struct refs_change *c, const struct refs_update *u, struct env_txn *t,
	uint64_t number, struct store_error *err)
{
	int rc = refs_get(t, c->name, c->old_value, err);

	if (rc == STORE_ENOTFOUND)
		memcpy(c->old_value, "-", 2);
	else if (rc != 0)
		return rc;
	if (c->expected[0] && strcmp(c->expected, c->old_value) != 0)
		return store_error_set(err, STORE_EBUSY,
			"'%s' was moved by another command meanwhile; run it again", c->name);
	if (strcmp(c->old_value, "-") == 0 && strcmp(c->new_value, "-") != 0)
		rc = refs_check_place(t, c->name, err);
	else
		rc = 0;
	if (rc != 0)
		return rc;
	if (strcmp(c->new_value, "-") == 0)
		rc = env_del(t, ENV_REFS, c->name, strlen(c->name), err);
	else
		rc = env_put(t, ENV_REFS, c->name, strlen(c->name), c->new_value,
			strlen(c->new_value), err);
	if (rc == STORE_ENOTFOUND)
		rc = 0;
	return rc == 0
		? put_log_row(t, c->name, number, c->old_value, c->new_value, &u->who, u->why, err)
		: rc;
}

int refs_update_apply(struct refs_update *u, struct env_txn *t, uint64_t number,
	struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < u->count && rc == 0; i++)
		rc = apply_one(&u->changes[i], u, t, number, err);
	return rc;
}

int refs_update_log(const struct refs_update *u, uint64_t number, struct buf *out,
	struct store_error *err)
{
	struct refslog_change changes[REFS_UPDATES];
	struct refslog_record record = { .type = REFSLOG_RECORD,
		.number = number,
		.who = u->who,
		.changes = changes,
		.change_count = u->count };
	struct hash *h = hash_new();
	int rc;

	if (!h)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	for (size_t i = 0; i < u->count; i++) {
		changes[i].name = text_slice_of(u->changes[i].name);
		changes[i].old_value = text_slice_of(u->changes[i].old_value);
		changes[i].new_value = text_slice_of(u->changes[i].new_value);
	}
	record.why = text_slice_of(u->why);
	rc = refslog_encode(out, &record, h, err);
	hash_free(h);
	return rc;
}

static struct text_slice take_line(const char **p, const char *end)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	const struct text_slice s = { *p, nl ? (size_t)(nl - *p) : (size_t)(end - *p) };

	*p = nl ? nl + 1 : end;
	return s;
}

static int parse_log_row(const struct env_val *key, const struct env_val *val, size_t name_len,
	struct refs_log_row *row, struct store_error *err)
{
	const char *p = val->data, *end = p + val->len;

	row->number = be64_get((const uint8_t *)key->data + name_len + 1);
	row->old_value = take_line(&p, end);
	row->new_value = take_line(&p, end);
	if (ident_parse(&row->who, take_line(&p, end), NULL) != 0)
		return store_error_set(err, STORE_ECORRUPT,
			"a row of the reflog is malformed; run 'store fsck --rebuild'");
	row->why = take_line(&p, end);
	return 0;
}

int refs_log_each(struct env_txn *t, const char *name,
	int (*fn)(void *ctx, const struct refs_log_row *row), void *ctx, struct store_error *err)
{
	uint8_t key[LIMIT_REF + 1 + 8];
	const size_t n = strlen(name);
	struct env_val k, v;
	int rc = 0;

	if (n > LIMIT_REF)
		return STORE_ENOTFOUND;
	memcpy(key, name, n + 1);
	for (uint64_t before = UINT64_MAX; rc == 0;) {
		struct refs_log_row row;

		be64_put(key + n + 1, before);
		rc = env_get_before(t, ENV_REFLOG, key, n + 9, &k, &v, err);
		if (rc != 0 || k.len != n + 9 || memcmp(k.data, key, n + 1) != 0)
			break;
		rc = parse_log_row(&k, &v, n, &row, err);
		before = row.number;
		if (rc == 0)
			rc = fn(ctx, &row);
	}
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Short names, so that two of the longest find room. */
static const char rename_words[] = "Branch: renamed ", rename_to[] = " to ";

void refs_rename_why(char why[WHY_MAX], const char *old_name, const char *new_name)
{
	const size_t n = strlen(REFNAME_HEADS);

	why[0] = '\0';
	if (strncmp(old_name, REFNAME_HEADS, n) == 0 && strncmp(new_name, REFNAME_HEADS, n) == 0)
		snprintf(why, WHY_MAX, "%s%s%s%s", rename_words, old_name + n, rename_to,
			new_name + n);
}

static bool take_branch(struct text_slice s, char name[LIMIT_REF + 1])
{
	const int n = snprintf(name, LIMIT_REF + 1, REFNAME_HEADS "%.*s", (int)s.len, s.p);

	return s.len > 0 && n <= LIMIT_REF;
}

bool refs_rename_parse(struct text_slice why, char old_name[LIMIT_REF + 1],
	char new_name[LIMIT_REF + 1])
{
	const size_t words = sizeof(rename_words) - 1, to = sizeof(rename_to) - 1;
	const char *end = why.p + why.len, *name = why.p + words, *blank;

	if (why.len <= words || why.len >= WHY_MAX || memcmp(why.p, rename_words, words) != 0)
		return false;
	/* No ref holds a blank. */
	blank = memchr(name, ' ', (size_t)(end - name));
	if (!blank || (size_t)(end - blank) <= to || memcmp(blank, rename_to, to) != 0)
		return false;
	return take_branch((struct text_slice){ name, (size_t)(blank - name) }, old_name) &&
		take_branch((struct text_slice){ blank + to, (size_t)(end - blank) - to },
			new_name);
}

static void copy_slice(char *out, size_t cap, struct text_slice s)
{
	snprintf(out, cap, "%.*s", (int)s.len, s.p);
}

int refs_replay(struct env_txn *t, const struct refslog_record *record, struct store_error *err)
{
	char why[WHY_MAX];
	int rc = 0;

	copy_slice(why, sizeof(why), record->why);
	for (size_t i = 0; i < record->change_count && rc == 0; i++) {
		const struct refslog_change *c = &record->changes[i];
		char name[LIMIT_REF + 1], old_value[REFS_VALUE], new_value[REFS_VALUE];

		copy_slice(name, sizeof(name), c->name);
		copy_slice(old_value, sizeof(old_value), c->old_value);
		copy_slice(new_value, sizeof(new_value), c->new_value);
		if (strcmp(new_value, "-") == 0)
			rc = env_del(t, ENV_REFS, name, strlen(name), err);
		else
			rc = env_put(t, ENV_REFS, name, strlen(name), new_value, strlen(new_value),
				err);
		if (rc == 0 || rc == STORE_ENOTFOUND)
			rc = put_log_row(t, name, record->number, old_value, new_value,
				&record->who, why, err);
	}
	return rc;
}

int refs_replayed_row(struct buf *out, const struct refslog_record *record,
	const struct refslog_change *c, struct store_error *err)
{
	char why[WHY_MAX];

	copy_slice(why, sizeof(why), record->why);
	return format_log_row(out, c->old_value, c->new_value, &record->who, why, err);
}
