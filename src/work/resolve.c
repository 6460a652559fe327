/*
 * Operands that name content.
 *
 * An operand is read in every way it can be read; each way is a candidate: the literal path in
 * HEAD, rev:path at the first ':', path@rev at each '@' that no '{' follows, and, where a directory
 * is wanted, the operand as a revision. A candidate counts if its revision resolves and its path
 * exists there. One is taken; several are an error that lists each as rev:path, which is never
 * ambiguous, because no ref holds ':'. With none the rightmost split is what the user most likely
 * meant, and the error says which half of it failed.
 *
 * "layer:N" is the one revision with a colon: behind it the split is at the next one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "graph/tree.h"
#include "work/repo_internal.h"
#include "work/view_internal.h"

#define LISTED_MAX 8

struct candidate {
	bool is_stage;
	const char *rev; /* as typed; its length */
	size_t rev_len;
	char *path; /* from the top; freed by its owner */
};

/* The candidates that counted, and what the rightmost one that did not said. */
struct search {
	struct store_repo *repo;
	struct view view;
	const char *operand;
	struct store_target found;
	size_t count;      /* different ones */
	struct buf listed; /* "'rev:path', 'rev:path'" */
	bool has_failed;
	size_t failed_at; /* 0: the operand as a whole; else where it was split, from 1 */
	struct store_error failure;
};

/* ---- one candidate */

static int find_staged(struct search *s, const char *path, struct store_target *t,
	struct store_error *err)
{
	struct stage_row row;
	char shown[200];
	int rc = stage_find(s->view.txn, path, strlen(path), &row, err);

	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, rc, "path '%s' is not in the stage",
			quote_msg(shown, sizeof(shown), path, strlen(path)));
	if (rc != 0)
		return rc;
	return view_row(s->view.txn, &row, &t->node, err);
}

static int find_committed(struct search *s, const struct candidate *c, struct store_target *t,
	struct store_error *err)
{
	struct buf data = { 0 };
	struct commit commit;
	struct layer layer;
	struct entry top, e;
	struct oid id;
	char path_shown[150], rev_shown[80];
	int rc = rev_parse(&s->view.source, c->rev, c->rev_len, &id, err);

	if (rc != 0)
		return rc;
	rc = view_read(s->repo, &id, &data, &commit, &layer, err);
	buf_release(&data);
	if (rc != 0)
		return rc;
	top = view_top(&layer);
	rc = tree_find(&s->view.source.nodes, &top, c->path, strlen(c->path), &e, err);
	if (rc == STORE_ENOTFOUND)
		return store_error_set(err, rc, "path '%s' is not in revision '%s'",
			quote_msg(path_shown, sizeof(path_shown), c->path, strlen(c->path)),
			quote_msg(rev_shown, sizeof(rev_shown), c->rev, c->rev_len));
	if (rc == 0) {
		t->has_commit = 1;
		t->commit = view_id(&id);
		t->node = view_node(&e);
	}
	return rc;
}

static bool is_same(const struct store_target *a, const struct store_target *b)
{
	return a->has_commit == b->has_commit && strcmp(a->path, b->path) == 0 &&
		memcmp(&a->commit, &b->commit, sizeof(a->commit)) == 0;
}

static void list_candidate(struct search *s, const struct candidate *c)
{
	char rev_shown[80], path_shown[120];

	if (s->count > LISTED_MAX)
		return;
	buf_addf(&s->listed, "%s'%s:%s'", s->listed.len > 0 ? ", " : "",
		c->is_stage ? "" : quote_msg(rev_shown, sizeof(rev_shown), c->rev, c->rev_len),
		quote_msg(path_shown, sizeof(path_shown), c->path, strlen(c->path)));
}

/* Something that is not there rules a candidate out; anything else ends the search. */
static bool rules_out(int rc)
{
	return rc == STORE_ENOTFOUND || rc == STORE_EINVAL || rc == STORE_EAMBIGUOUS;
}

/* split: where the operand was split, NULL: as a whole. */
static void note_failure(struct search *s, const char *split, const struct store_error *why)
{
	const size_t at = split ? (size_t)(split - s->operand) + 1 : 0;

	if (s->has_failed && at <= s->failed_at)
		return;
	s->has_failed = true;
	s->failed_at = at;
	s->failure = *why;
}

/* Takes ownership of c->path, even on error.  split: as for note_failure. */
static int try_candidate(struct search *s, struct candidate *c, const char *split,
	struct store_error *err)
{
	struct store_target t = { .path = c->path };
	struct store_error why = { 0 };
	char shown[120];
	const int rc = c->is_stage ? find_staged(s, c->path, &t, &why)
				   : find_committed(s, c, &t, &why);

	if (rules_out(rc)) {
		note_failure(s, split, &why);
	} else if (rc != 0) {
		store_error_set(err, rc, "cannot look up '%s': %s",
			quote_msg(shown, sizeof(shown), s->operand, strlen(s->operand)), why.msg);
	} else if (s->count == 0) {
		s->count = 1;
		s->found = t;
		list_candidate(s, c);
		return 0;
	} else if (!is_same(&s->found, &t)) {
		s->count++;
		list_candidate(s, c);
	}
	free(t.path);
	return rules_out(rc) ? 0 : rc;
}

/* ---- the ways to read an operand */

static int try_here(struct search *s, const char *words, size_t len, const char *rev,
	size_t rev_len, const char *split, struct store_error *err)
{
	struct candidate c = { .rev = rev_len > 0 ? rev : "HEAD",
		.rev_len = rev_len > 0 ? rev_len : 4 };
	struct store_error why = { 0 };
	char *copy = strndup(words, len);
	int rc;

	if (!copy)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = store_operand(s->repo, copy, &c.path, &why);
	free(copy);
	if (rc == STORE_EINVAL) {
		note_failure(s, split, &why);
		return 0;
	}
	if (rc != 0)
		return store_error_set(err, rc, "%s", why.msg);
	return try_candidate(s, &c, split, err);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The ':' that ends a revision, or NULL. */
static const char *find_colon(const char *operand)
{
	const char *p = operand;

	if (strncmp(p, "layer:", 6) == 0 && is_digit(p[6])) {
		for (p += 6; is_digit(*p); p++)
			;
		/* Steps may follow the number. */
		p += strspn(p, "~^0123456789");
		return *p == ':' ? p : NULL;
	}
	return strchr(operand, ':');
}

static int try_colon(struct search *s, struct store_error *err)
{
	const char *colon = find_colon(s->operand), *words;
	struct candidate c = { .rev = s->operand };
	struct store_error why = { 0 };
	bool is_relative;
	int rc;

	if (!colon)
		return 0;
	c.rev_len = (size_t)(colon - s->operand);
	c.is_stage = c.rev_len == 0;
	words = colon + 1;
	is_relative = strcmp(words, ".") == 0 || strcmp(words, "..") == 0 ||
		strncmp(words, "./", 2) == 0 || strncmp(words, "../", 3) == 0;
	rc = operand_join(is_relative ? s->repo->prefix : "", words, &c.path, &why);
	if (rc == STORE_EINVAL) {
		note_failure(s, colon, &why);
		return 0;
	}
	if (rc != 0)
		return store_error_set(err, rc, "%s", why.msg);
	return try_candidate(s, &c, colon, err);
}

static int try_ats(struct search *s, struct store_error *err)
{
	const char *end = s->operand + strlen(s->operand);
	int rc = 0;

	for (const char *at = strchr(s->operand, '@'); at && rc == 0; at = strchr(at + 1, '@')) {
		if (at == s->operand || at[1] == '{')
			continue;
		rc = try_here(s, s->operand, (size_t)(at - s->operand), at + 1,
			(size_t)(end - at - 1), at, err);
	}
	return rc;
}

/* The operand as a revision: its top directory. */
static int try_tree(struct search *s, struct store_error *err)
{
	struct candidate c = { .rev = s->operand, .rev_len = strlen(s->operand) };

	if (c.rev_len == 0)
		return 0;
	c.path = strdup("");
	if (!c.path)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	return try_candidate(s, &c, NULL, err);
}

/*
 * None counted. A name that could have been a revision alone is told as one where a ref has that
 * name or where it fits several commits; where a ref only is near, both are told.
 */
static int refuse(const struct search *s, const char *shown, bool can_be_tree,
	struct store_error *err)
{
	const int code = s->failure.code ? s->failure.code : STORE_ENOTFOUND;
	const size_t len = strlen(s->operand);
	char near[NEAREST_MAX + 1], near_shown[80];
	struct store_error why = { 0 };
	struct rev_parts parts;
	struct oid id;
	int distance = -1;

	if (can_be_tree && s->failed_at == 0 && rev_split(&parts, s->operand, len, NULL) == 0) {
		distance = rev_nearest(&s->view.source, parts.base, near);
		if (rev_parse(&s->view.source, s->operand, len, &id, &why) != 0 &&
			(distance == 0 || why.code == STORE_EAMBIGUOUS))
			return store_error_set(err, why.code, "cannot find '%s': %s", shown,
				why.msg);
	}
	if (distance > 0)
		return store_error_set(err, code, "cannot find '%s': %s; the nearest ref is '%s'",
			shown, s->failure.msg,
			quote_msg(near_shown, sizeof(near_shown), near, strlen(near)));
	return store_error_set(err, code, "cannot find '%s': %s", shown, s->failure.msg);
}

static int judge(struct search *s, unsigned int flags, struct store_target *out,
	struct store_error *err)
{
	const bool can_be_tree = (flags & STORE_NAME_REV_IS_TREE) && !(flags & STORE_NAME_LITERAL);
	char shown[150];

	quote_msg(shown, sizeof(shown), s->operand, strlen(s->operand));
	if (s->count == 0)
		return refuse(s, shown, can_be_tree, err);
	if (s->count > 1)
		return store_error_set(err, STORE_EAMBIGUOUS, "'%s' is ambiguous: it can mean %s%s",
			shown, buf_str(&s->listed) ? (char *)s->listed.data : "several things",
			s->count > LISTED_MAX ? " and more" : "");
	*out = s->found;
	s->found.path = NULL;
	return 0;
}

int store_resolve(struct store_repo *repo, const char *operand, unsigned int flags,
	struct store_target *out, struct store_error *err)
{
	struct search s = { .repo = repo, .operand = operand };
	int rc = view_begin(&s.view, repo, err);

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = try_here(&s, operand, strlen(operand), "HEAD", 4, NULL, err);
	if (rc == 0 && !(flags & STORE_NAME_LITERAL)) {
		rc = try_colon(&s, err);
		if (rc == 0)
			rc = try_ats(&s, err);
		if (rc == 0 && (flags & STORE_NAME_REV_IS_TREE))
			rc = try_tree(&s, err);
	}
	if (rc == 0)
		rc = judge(&s, flags, out, err);
	view_end(&s.view);
	free(s.found.path);
	buf_release(&s.listed);
	return rc;
}

void store_target_clear(struct store_target *t)
{
	free(t->path);
	memset(t, 0, sizeof(*t));
}

int store_rev_parse(struct store_repo *repo, const char *rev, struct store_id *out,
	struct store_error *err)
{
	struct view view;
	struct oid id;
	int rc = view_begin(&view, repo, err);

	if (rc == 0)
		rc = rev_parse(&view.source, rev, strlen(rev), &id, err);
	if (rc == 0)
		*out = view_id(&id);
	view_end(&view);
	return rc;
}

int store_merge_base(struct store_repo *repo, const char *a, const char *b, struct store_id *out,
	struct store_error *err)
{
	struct view view;
	struct oid x, y, base;
	char a_shown[80], b_shown[80];
	int rc = view_begin(&view, repo, err);

	if (rc == 0)
		rc = rev_parse(&view.source, a, strlen(a), &x, err);
	if (rc == 0)
		rc = rev_parse(&view.source, b, strlen(b), &y, err);
	if (rc == 0) {
		rc = rev_walk_base(&view.source.nodes, &x, &y, &base, err);
		if (rc == STORE_ENOTFOUND)
			store_error_set(err, rc, "'%s' and '%s' have no commit in common",
				quote_msg(a_shown, sizeof(a_shown), a, strlen(a)),
				quote_msg(b_shown, sizeof(b_shown), b, strlen(b)));
	}
	if (rc == 0)
		*out = view_id(&base);
	view_end(&view);
	return rc;
}
