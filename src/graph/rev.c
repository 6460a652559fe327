/*
 * From the words of a user to a commit id.
 *
 * A base is tried as: HEAD, the reflog, layer:N, a ref, an id prefix; the first that fits counts. A
 * whole id goes before refs, because a ref of 64 hexadecimal digits could otherwise hide the commit
 * that a script names in full; a shorter prefix goes behind them, as in git. Steps then lead from
 * commit to parent.
 *
 * Layers are counted along first parents, so layer:N is found by going that way from HEAD.
 */
#include "graph/rev_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/quote.h"
#include "base/trace.h"
#include "data/date.h"
#include "graph/tag.h"

#define TAGS_MAX 5 /* tags of tags */

static bool is_text(struct text_slice s, const char *word)
{
	return text_slice_eq(s, text_slice_of(word));
}

static int wrong_object(int rc, const char *what, const struct oid *id, struct store_error *err)
{
	char hex[13];

	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, STORE_ECORRUPT, "%s %s is missing (run 'store fsck')",
			what, id_short(hex, id));
	return store_error_wrap(err, rc, "cannot read %s %s", what, id_short(hex, id));
}

int rev_read_commit(const struct node_source *src, const struct oid *id, struct buf *data,
	struct commit *out, struct store_error *err)
{
	int rc = node_get(src, id, data, err);

	if (rc == 0)
		rc = commit_decode(out, data->data, data->len, err);
	if (trace_on(TRACE_OBJECT)) {
		char hex[ID_HEX + 1];

		trace_print(TRACE_OBJECT, "commit=%s rc=%d", id_hex(hex, id), rc);
	}
	return rc == 0 ? 0 : wrong_object(rc, "commit", id, err);
}

int rev_read_layer(const struct node_source *src, const struct oid *id, struct layer *out,
	struct store_error *err)
{
	struct buf data = { 0 };
	int rc = node_get(src, id, &data, err);

	if (rc == 0)
		rc = layer_decode(out, data.data, data.len, err);
	buf_release(&data);
	return rc == 0 ? 0 : wrong_object(rc, "layer", id, err);
}

/* ---- objects that are named */

static bool begins_tag(const struct buf *data)
{
	static const char line[] = "store tag 1\n";

	return data->len >= sizeof(line) - 1 && memcmp(data->data, line, sizeof(line) - 1) == 0;
}

static int refuse_kind(struct text_slice what, const char *is, struct store_error *err)
{
	char shown[100];

	return store_error_set(err, STORE_ENOTFOUND, "'%s' names %s, no commit",
		quote_msg(shown, sizeof(shown), what.p, what.len), is);
}

int rev_peel(const struct rev_source *s, const struct oid *id, struct text_slice what,
	struct oid *out, struct store_error *err)
{
	struct buf data = { 0 };
	struct commit c;
	struct tag tag;
	int rc = 0;

	*out = *id;
	for (int i = 0; i <= TAGS_MAX; i++) {
		rc = node_get(&s->nodes, out, &data, err);
		if (rc != 0) {
			rc = wrong_object(rc, "object", out, err);
			break;
		}
		if (!begins_tag(&data)) {
			if (commit_decode(&c, data.data, data.len, NULL) != 0)
				rc = refuse_kind(what, "another object", err);
			break;
		}
		rc = tag_decode(&tag, data.data, data.len, err);
		if (rc != 0)
			rc = wrong_object(rc, "tag", out, err);
		else if (tag.type == KIND_LAYER)
			rc = refuse_kind(what, "a tag of a layer", err);
		else if (i == TAGS_MAX)
			rc = refuse_kind(what, "a tag of tags of tags", err);
		if (rc != 0)
			break;
		*out = tag.object;
	}
	buf_release(&data);
	return rc;
}

/* ---- bases */

static int try_name(void *ctx, const char *name, const char *value)
{
	static const char *const prefixes[] = { "refs/heads/", "refs/tags/", "refs/remotes/",
		"refs/" };
	struct nearest *nearest = ctx;

	(void)value;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const size_t n = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], n) == 0) {
			nearest_try(nearest, name + n);
			return 0;
		}
	}
	nearest_try(nearest, name);
	return 0;
}

int rev_nearest(const struct rev_source *s, struct text_slice base, char out[NEAREST_MAX + 1])
{
	char wanted[NEAREST_MAX + 1];
	struct nearest nearest = { .wanted = wanted };

	snprintf(wanted, sizeof(wanted), "%.*s",
		(int)(base.len < NEAREST_MAX ? base.len : NEAREST_MAX), base.p);
	refs_each(s->txn, "", try_name, &nearest, NULL);
	memcpy(out, nearest.best, sizeof(nearest.best));
	return nearest.best[0] ? (int)nearest.distance : -1;
}

static int unknown(const struct rev_source *s, struct text_slice base, bool is_hex,
	struct store_error *err)
{
	char near[NEAREST_MAX + 1], shown[120], near_shown[80];
	const char *why = is_hex ? ": no ref and no commit begins so" : "";

	quote_msg(shown, sizeof(shown), base.p, base.len);
	if (rev_nearest(s, base, near) < 0)
		return store_error_set(err, STORE_ENOTFOUND, "unknown revision '%s'%s", shown, why);
	return store_error_set(err, STORE_ENOTFOUND, "unknown revision '%s'%s; the nearest is '%s'",
		shown, why, quote_msg(near_shown, sizeof(near_shown), near, strlen(near)));
}

static const char *short_branch(const char *full)
{
	return strncmp(full, "refs/heads/", 11) == 0 ? full + 11 : full;
}

static int find_head(const struct rev_source *s, struct oid *out, struct store_error *err)
{
	struct refs_head head;
	const int rc = refs_head(s->txn, &head, err);

	if (rc != 0)
		return rc;
	if (!head.has_commit)
		return store_error_set(err, STORE_ENOTFOUND, "branch '%s' has no commit yet",
			short_branch(head.branch));
	*out = head.commit;
	return 0;
}

/* A branch that HEAD is on and that has no commit yet is not unknown. */
static bool is_unborn(const struct rev_source *s, struct text_slice base)
{
	struct refs_head head;

	if (refs_head(s->txn, &head, NULL) != 0 || head.has_commit || !head.branch[0])
		return false;
	return is_text(base, head.branch) || is_text(base, short_branch(head.branch));
}

static int find_layer(const struct rev_source *s, uint64_t generation, struct oid *out,
	struct store_error *err)
{
	struct buf data = { 0 };
	struct commit c = { .parent_count = 0 };
	struct layer l = { .generation = 0 };
	int rc = find_head(s, out, err);

	while (rc == 0) {
		rc = rev_read_commit(&s->nodes, out, &data, &c, err);
		if (rc == 0)
			rc = rev_read_layer(&s->nodes, &c.layer, &l, err);
		if (rc != 0 || l.generation == generation)
			break;
		if (l.generation < generation || c.parent_count == 0)
			rc = store_error_set(err, STORE_ENOTFOUND,
				"there is no layer %" PRIu64 " below HEAD", generation);
		else
			*out = c.parents[0];
	}
	buf_release(&data);
	return rc;
}

static bool parse_layer(struct text_slice base, uint64_t *generation)
{
	if (base.len < 7 || memcmp(base.p, "layer:", 6) != 0)
		return false;
	return text_parse_u64((struct text_slice){ base.p + 6, base.len - 6 }, UINT64_MAX,
		generation);
}

/* A commit or tag by its whole id, a ref, or a prefix. */
static int find_named(const struct rev_source *s, struct text_slice base, bool *is_hex,
	struct oid *out, struct store_error *err)
{
	char full[LIMIT_REF + 1];
	int rc = STORE_ENOTFOUND;

	if (base.len == ID_HEX)
		rc = rev_find_prefix(s, base, is_hex, out, err);
	if (rc == STORE_ENOTFOUND) {
		rc = rev_full_name(s->txn, base.p, base.len, full, err);
		if (rc == 0)
			rc = refs_resolve(s->txn, full, out, err);
	}
	return rc == STORE_ENOTFOUND ? rev_find_prefix(s, base, is_hex, out, err) : rc;
}

static int find_base(const struct rev_source *s, struct text_slice base, struct oid *out,
	struct store_error *err)
{
	uint64_t generation;
	bool is_hex = false;
	struct oid id;
	int rc;

	if (is_text(base, "HEAD") || is_text(base, "@"))
		return find_head(s, out, err);
	if (parse_layer(base, &generation))
		return find_layer(s, generation, out, err);
	rc = find_named(s, base, &is_hex, &id, err);
	if (rc == STORE_ENOTFOUND && is_unborn(s, base))
		return find_head(s, out, err);
	if (rc == STORE_ENOTFOUND)
		return unknown(s, base, is_hex, err);
	return rc == 0 ? rev_peel(s, &id, base, out, err) : rc;
}

/* ---- the reflog */

/* The ref whose log is meant: without a name the branch HEAD is on, or HEAD itself. */
static int find_logged(const struct rev_source *s, const struct rev_parts *r,
	char full[LIMIT_REF + 1], struct store_error *err)
{
	struct refs_head head;
	int rc;

	if (r->base.len > 0) {
		rc = rev_full_name(s->txn, r->base.p, r->base.len, full, err);
		return rc == STORE_ENOTFOUND ? unknown(s, r->base, false, err) : rc;
	}
	rc = refs_head(s->txn, &head, err);
	if (rc == 0)
		snprintf(full, LIMIT_REF + 1, "%s", head.branch[0] ? head.branch : "HEAD");
	return rc;
}

static int find_previous(const struct rev_source *s, uint64_t n, struct oid *out,
	struct store_error *err)
{
	char value[REFS_VALUE];
	int rc = rev_log_previous(s->txn, n, value, err);

	if (rc != 0)
		return rc;
	if (strncmp(value, "ref:", 4) != 0)
		return id_parse(out, value, strlen(value));
	rc = refs_resolve(s->txn, value + 4, out, err);
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, rc, "branch '%s', where HEAD was before, has no commit",
			short_branch(value + 4));
	return rc;
}

static int find_logged_value(const struct rev_source *s, const struct rev_parts *r, struct oid *out,
	struct store_error *err)
{
	const struct text_slice log = r->log;
	char full[LIMIT_REF + 1];
	struct date date;
	struct oid id;
	uint64_t n;
	int rc;

	if (r->base.len == 0 && log.len > 1 && log.p[0] == '-' &&
		text_parse_u64((struct text_slice){ log.p + 1, log.len - 1 }, UINT32_MAX, &n) &&
		n > 0)
		return find_previous(s, n, out, err);
	rc = find_logged(s, r, full, err);
	if (rc != 0)
		return rc;
	/* From nine digits on a number is a moment, as in git. */
	if (log.len < 9 && text_parse_u64(log, UINT32_MAX, &n)) {
		rc = rev_log_nth(s->txn, full, n, &id, err);
	} else {
		rc = date_parse(&date, log.p, log.len, (int64_t)time(NULL), err);
		if (rc == 0)
			rc = rev_log_at(s->txn, full, date.seconds, &id, err);
	}
	return rc == 0 ? rev_peel(s, &id, r->base.len > 0 ? r->base : log, out, err) : rc;
}

/* ---- steps */

static int no_parent(struct text_slice name, size_t count, uint32_t n, struct store_error *err)
{
	char shown[120];

	quote_msg(shown, sizeof(shown), name.p, name.len);
	if (count == 0)
		return store_error_set(err, STORE_ENOTFOUND,
			"%s is the first commit, it has no parent", shown);
	return store_error_set(err, STORE_ENOTFOUND, "%s has %zu parent%s, and no parent %" PRIu32,
		shown, count, count == 1 ? "" : "s", n);
}

/* One step from id; done: the words that led to it. */
static int take_step(const struct rev_source *s, const struct rev_step *step,
	struct text_slice done, struct oid *id, struct store_error *err)
{
	const uint32_t times = step->kind == REV_STEP_ANCESTOR ? step->n : step->n > 0;
	const uint32_t which = step->kind == REV_STEP_ANCESTOR ? 1 : step->n;
	struct buf data = { 0 };
	struct commit c = { .parent_count = 0 };
	char name[200];
	int rc = 0;

	for (uint32_t i = 0; i < times && rc == 0; i++) {
		rc = rev_read_commit(&s->nodes, id, &data, &c, err);
		if (rc != 0)
			break;
		if (which <= c.parent_count) {
			*id = c.parents[which - 1];
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(done.len < 150 ? done.len : 150),
			done.p);
		if (i > 0)
			snprintf(name + strlen(name), sizeof(name) - strlen(name), "~%" PRIu32, i);
		rc = no_parent(text_slice_of(name), c.parent_count, which, err);
	}
	buf_release(&data);
	return rc;
}

int rev_parse(const struct rev_source *s, const char *text, size_t len, struct oid *out,
	struct store_error *err)
{
	struct rev_parts r;
	struct rev_step step;
	int rc = rev_split(&r, text, len, err);

	if (rc != 0)
		return rc;
	rc = r.has_log ? find_logged_value(s, &r, out, err) : find_base(s, r.base, out, err);
	while (rc == 0) {
		const struct text_slice done = { text, (size_t)(r.steps.p - text) };

		rc = rev_step_take(&r.steps, &step, err);
		if (rc != 1)
			break;
		rc = take_step(s, &step, done, out, err);
	}
	return rc;
}

int rev_parse_object(const struct rev_source *s, const char *text, size_t len, struct oid *out,
	struct store_error *err)
{
	struct buf data = { 0 };
	struct rev_parts r;
	struct commit c;
	bool is_hex = false;
	int rc = rev_split(&r, text, len, err);

	if (rc != 0)
		return rc;
	rc = STORE_ENOTFOUND;
	if (!r.has_log && r.steps.len == 0 && !is_text(r.base, "HEAD") && !is_text(r.base, "@"))
		rc = find_named(s, r.base, &is_hex, out, err);
	if (rc == STORE_ENOTFOUND && is_hex)
		rc = rev_find_layer_prefix(s, r.base, out, err);
	if (rc != STORE_ENOTFOUND)
		return rc;
	rc = rev_parse(s, text, len, out, err);
	if (rc == 0 && r.steps.len == 0 && !r.has_log && r.base.len > 6 &&
		memcmp(r.base.p, "layer:", 6) == 0) {
		rc = rev_read_commit(&s->nodes, out, &data, &c, err);
		*out = rc == 0 ? c.layer : *out;
	}
	buf_release(&data);
	return rc;
}
