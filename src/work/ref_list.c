/*
 * Branches and tags, listed.
 *
 * Each step looks into a snapshot of its own and goes on behind the name that came last, so a list
 * that is read slowly, through a pager, holds nothing back in the database.
 *
 * What asks for history (contains, merged) is answered for the refs that come next, too, in one
 * walk: answers belong to commits, so a ref that moves meanwhile is asked about anew.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/refname.h"
#include "graph/tag.h"
#include "work/options.h"
#include "work/view_internal.h"

static const char *const prefixes[] = { REFNAME_HEADS, REFNAME_TAGS };
#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

struct filter {
	bool is_set;
	struct oid commit;
};

/* Commits of refs, and which of them the filters want: a question costs a walk, so many are asked.
 */
#define ASKED_MAX 1024
struct asked {
	struct oid ids[ASKED_MAX]; /* n of them, sorted, no duplicates */
	bool yes[ASKED_MAX], found[ASKED_MAX];
	size_t n;
};

struct store_refs_iter {
	struct store_repo *repo;
	unsigned int kinds;
	struct filter contains, merged, no_merged;
	struct asked *asked; /* NULL: no filter is set */
	size_t kind;         /* that is being listed */
	char name[LIMIT_REF + 2], value[REFS_VALUE];
	size_t len;      /* of name; 0: the kind has not begun */
	struct buf data; /* of a tag's object */
	struct buf text; /* tagger and message, each with a NUL */
};

/* ---- one step */

static int next_of_kind(struct store_refs_iter *it, struct env_txn *txn, struct store_error *err)
{
	const char *prefix = prefixes[it->kind];
	const size_t n = strlen(prefix);
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(txn, ENV_REFS, &c, err);

	if (rc != 0)
		return rc;
	/* The least key behind the last name is that name with a NUL. */
	if (it->len > 0)
		env_cursor_seek(c, it->name, it->len + 1);
	else
		env_cursor_seek(c, prefix, n);
	rc = env_cursor_next(c, &key, &val, err);
	if (rc == 0 && (key.len < n || memcmp(key.data, prefix, n) != 0))
		rc = STORE_ENOTFOUND;
	if (rc == 0 && (key.len > LIMIT_REF || val.len >= REFS_VALUE))
		rc = store_error_set(err, STORE_ECORRUPT,
			"a row of table 'refs' is malformed; run 'store fsck --rebuild'");
	if (rc == 0) {
		memcpy(it->name, key.data, key.len);
		it->name[key.len] = '\0';
		it->len = key.len;
		memcpy(it->value, val.data, val.len);
		it->value[val.len] = '\0';
	}
	env_cursor_close(c);
	return rc;
}

static int next_name(struct store_refs_iter *it, struct env_txn *txn, struct store_error *err)
{
	int rc = STORE_ENOTFOUND;

	while (it->kind < PREFIXES) {
		if (it->kinds & (1u << it->kind))
			rc = next_of_kind(it, txn, err);
		if (rc != STORE_ENOTFOUND)
			return rc;
		it->kind++;
		it->len = 0;
	}
	return rc;
}

static int set_texts(struct store_refs_iter *it, const struct tag *tag, struct store_ref *ref,
	struct store_error *err)
{
	size_t message;
	int rc;

	buf_clear(&it->text);
	rc = ident_format_who(&it->text, &tag->tagger, err);
	buf_add_u8(&it->text, 0);
	message = it->text.len;
	buf_add(&it->text, tag->message.p, tag->message.len);
	buf_add_u8(&it->text, 0);
	if (rc == 0)
		rc = buf_check(&it->text, err);
	if (rc != 0)
		return rc;
	ref->tagger = (const char *)it->text.data;
	ref->message = ref->tagger + message;
	ref->tag_time = tag->tagger.seconds;
	ref->tag_zone = tag->tagger.zone;
	return 0;
}

/* The commit of the name in hand; *has false: a tag of something else. */
static int find_commit(const struct store_refs_iter *it, const struct view *v, bool *has,
	struct oid *out, struct store_error *err)
{
	int rc;

	if (it->kind == 0) {
		*has = id_parse(out, it->value, strlen(it->value)) == 0;
		return 0;
	}
	rc = rev_parse(&v->source, it->name, it->len, out, err);

	*has = rc == 0;
	if (rc == STORE_ENOTFOUND) {
		store_error_clear(err);
		rc = 0;
	}
	return rc;
}

/* A tag may name a commit, or an object that names one. */
static int look_at_tag(struct store_refs_iter *it, const struct view *v, const struct oid *id,
	struct store_ref *ref, struct store_error *err)
{
	struct tag tag;
	struct oid commit;
	bool has = false;
	int rc = find_commit(it, v, &has, &commit, err);

	ref->has_commit = has;
	if (rc == 0 && has)
		ref->commit = view_id(&commit);
	if (rc != 0 || (ref->has_commit && id_eq(&commit, id)))
		return rc;
	rc = node_get(&v->source.nodes, id, &it->data, err);
	if (rc == 0)
		rc = tag_decode(&tag, it->data.data, it->data.len, err);
	if (rc != 0)
		return store_error_wrap(err, rc, "cannot read the tag '%s'", it->name);
	ref->is_annotated = 1;
	return set_texts(it, &tag, ref, err);
}

static int look_at(struct store_refs_iter *it, const struct view *v, struct store_ref *ref,
	struct store_error *err)
{
	struct refs_head head;
	struct oid id;
	int rc = refs_head(v->txn, &head, err);

	*ref = (struct store_ref){ .name = it->name,
		.short_name = it->name + strlen(prefixes[it->kind]),
		.is_tag = prefixes[it->kind] == prefixes[1] };
	if (rc != 0)
		return rc;
	ref->is_current = strcmp(head.branch, it->name) == 0;
	if (id_parse(&id, it->value, strlen(it->value)) != 0)
		return store_error_set(err, STORE_ECORRUPT,
			"ref '%s' is malformed; run 'store fsck --rebuild'", it->name);
	ref->id = view_id(&id);
	if (ref->is_tag)
		return look_at_tag(it, v, &id, ref, err);
	ref->has_commit = 1;
	ref->commit = ref->id;
	return 0;
}

/* ---- which are wanted */

static int set_filter(const struct view *v, const char *rev, struct filter *f,
	struct store_error *err)
{
	f->is_set = rev != NULL;
	return rev ? rev_parse(&v->source, rev, strlen(rev), &f->commit, err) : 0;
}

/* The commits that are asked about: first, and those of the refs behind it, as many as fit. */
static int gather(struct store_refs_iter *it, const struct view *v, const struct oid *first,
	struct store_error *err)
{
	struct store_refs_iter *ahead = malloc(sizeof(*ahead));
	size_t kept = 0;
	int rc = 0;

	if (!ahead)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	*ahead = *it;
	it->asked->ids[0] = *first;
	it->asked->n = 1;
	while (rc == 0 && it->asked->n < ASKED_MAX) {
		bool has = false;

		rc = next_name(ahead, v->txn, err);
		if (rc == 0)
			rc = find_commit(ahead, v, &has, &it->asked->ids[it->asked->n], err);
		it->asked->n += has;
	}
	free(ahead);
	qsort(it->asked->ids, it->asked->n, sizeof(*first), id_compare);
	for (size_t i = 0; i < it->asked->n; i++) {
		if (i == 0 || !id_eq(&it->asked->ids[i], &it->asked->ids[kept - 1]))
			it->asked->ids[kept++] = it->asked->ids[i];
	}
	it->asked->n = kept;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* One walk for each filter, for all of them. */
static int ask(struct store_refs_iter *it, const struct view *v, struct store_error *err)
{
	const struct node_source *src = &v->source.nodes;
	struct asked *a = it->asked;
	int rc = 0;

	memset(a->yes, 1, sizeof(a->yes));
	if (it->contains.is_set)
		rc = rev_walk_contain(src, a->ids, a->n, &it->contains.commit, a->yes, err);
	if (rc == 0 && it->merged.is_set) {
		rc = rev_walk_find(src, &it->merged.commit, a->ids, a->n, a->found, err);
		for (size_t i = 0; i < a->n; i++)
			a->yes[i] = a->yes[i] && a->found[i];
	}
	if (rc == 0 && it->no_merged.is_set) {
		rc = rev_walk_find(src, &it->no_merged.commit, a->ids, a->n, a->found, err);
		for (size_t i = 0; i < a->n; i++)
			a->yes[i] = a->yes[i] && !a->found[i];
	}
	return rc;
}

static int is_wanted(struct store_refs_iter *it, const struct view *v, const struct store_ref *ref,
	bool *yes, struct store_error *err)
{
	struct asked *a = it->asked;
	const struct oid id = view_oid(&ref->commit);
	const struct oid *found;
	int rc = 0;

	*yes = !a;
	if (!a || !ref->has_commit)
		return 0;
	found = bsearch(&id, a->ids, a->n, sizeof(id), id_compare);
	if (!found) {
		rc = gather(it, v, &id, err);
		if (rc == 0)
			rc = ask(it, v, err);
		if (rc != 0)
			a->n = 0;
		found = bsearch(&id, a->ids, a->n, sizeof(id), id_compare);
	}
	*yes = found && a->yes[found - a->ids];
	return rc;
}

/* ---- the promise */

static int set_options(struct store_refs_iter *it, const struct store_refs_options *o,
	struct store_error *err)
{
	struct view v;
	int rc = options_check(o, "store_refs_options", err);

	if (rc != 0)
		return rc;
	it->kinds = o->kinds ? o->kinds : STORE_REFS_BRANCHES | STORE_REFS_TAGS;
	rc = view_begin(&v, it->repo, err);
	if (rc == 0)
		rc = set_filter(&v, o->contains, &it->contains, err);
	if (rc == 0)
		rc = set_filter(&v, o->merged, &it->merged, err);
	if (rc == 0)
		rc = set_filter(&v, o->no_merged, &it->no_merged, err);
	if (rc == 0 && (o->contains || o->merged || o->no_merged)) {
		it->asked = calloc(1, sizeof(*it->asked));
		if (!it->asked)
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	view_end(&v);
	return rc;
}

int store_refs_open(struct store_repo *repo, const struct store_refs_options *options,
	struct store_refs_iter **out, struct store_error *err)
{
	static const struct store_refs_options defaults;
	struct store_refs_iter *it = calloc(1, sizeof(*it));
	int rc;

	*out = NULL;
	if (!it)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	it->repo = repo;
	rc = set_options(it, options ? options : &defaults, err);
	if (rc != 0) {
		store_refs_free(it);
		return rc;
	}
	*out = it;
	return 0;
}

int store_refs_next(struct store_refs_iter *it, struct store_ref *ref, struct store_error *err)
{
	struct view v;
	bool yes = false;
	int rc = view_begin(&v, it->repo, err);

	while (rc == 0 && !yes) {
		rc = next_name(it, v.txn, err);
		if (rc == 0)
			rc = look_at(it, &v, ref, err);
		if (rc == 0)
			rc = is_wanted(it, &v, ref, &yes, err);
	}
	view_end(&v);
	return rc;
}

void store_refs_free(struct store_refs_iter *it)
{
	if (!it)
		return;
	buf_release(&it->data);
	buf_release(&it->text);
	free(it->asked);
	free(it);
}

int store_head(struct store_repo *repo, struct store_head *out, struct store_error *err)
{
	struct refs_head head;
	struct view v;
	int rc = view_begin(&v, repo, err);

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = refs_head(v.txn, &head, err);
	if (rc == 0) {
		const size_t n = strlen(REFNAME_HEADS);
		const char *name = head.branch;

		name += strncmp(name, REFNAME_HEADS, n) == 0 ? n : 0;
		memcpy(out->branch, name, strlen(name) + 1);
		out->has_commit = head.has_commit;
		if (head.has_commit)
			out->commit = view_id(&head.commit);
	}
	view_end(&v);
	return rc;
}
