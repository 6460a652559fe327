/*
 * The log: a walk over history (graph/rev_walk.c) with the layer of each commit read beside it.
 *
 * Besides one revision, A..B (what B reaches and A does not) and A...B (what one of them reaches
 * and the other does not) are taken; an end that is left out is HEAD. No ref holds "..", so the
 * first such place parts them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "work/view_internal.h"

struct store_log_iter {
	struct store_repo *repo;
	struct rev_walk *walk;
	struct store_id parents[LIMIT_PARENTS];
	struct buf text; /* author, committer and message of the entry, each with a NUL */
};

static int parse_end(const struct view *v, const char *text, size_t len, struct oid *out,
	struct store_error *err)
{
	return len == 0 ? rev_parse(&v->source, "HEAD", 4, out, err)
			: rev_parse(&v->source, text, len, out, err);
}

static int add_range(const struct view *v, struct rev_walk *w, const char *rev, const char *dots,
	struct store_error *err)
{
	const bool both = dots[2] == '.';
	const char *last = dots + (both ? 3 : 2);
	struct oid a, b;
	int rc = parse_end(v, rev, (size_t)(dots - rev), &a, err);

	if (rc == 0)
		rc = parse_end(v, last, strlen(last), &b, err);
	if (rc == 0)
		rc = both ? rev_walk_hide_common(w, &a, &b, err) : rev_walk_hide(w, &a, err);
	if (rc == 0 && both)
		rc = rev_walk_add(w, &a, err);
	return rc == 0 ? rev_walk_add(w, &b, err) : rc;
}

static int add_ends(struct store_repo *repo, struct rev_walk *w, const char *rev,
	struct store_error *err)
{
	const char *dots = strstr(rev, "..");
	struct view v;
	struct oid id;
	int rc = view_begin(&v, repo, err);

	if (rc == 0 && dots) {
		rc = add_range(&v, w, rev, dots, err);
	} else if (rc == 0) {
		rc = rev_parse(&v.source, rev, strlen(rev), &id, err);
		if (rc == 0)
			rc = rev_walk_add(w, &id, err);
	}
	view_end(&v);
	return rc;
}

int store_log_open(struct store_repo *repo, const char *rev, struct store_log_iter **out,
	struct store_error *err)
{
	const struct node_source src = repo_nodes(repo);
	struct store_log_iter *it = calloc(1, sizeof(*it));
	int rc;

	*out = NULL;
	if (it)
		it->walk = rev_walk_new(&src);
	if (!it || !it->walk) {
		store_log_free(it);
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	it->repo = repo;
	rc = add_ends(repo, it->walk, rev ? rev : "HEAD", err);
	if (rc != 0) {
		store_log_free(it);
		return rc;
	}
	*out = it;
	return 0;
}

/* All texts of an entry go into one buffer; pointers into it are taken when it no longer moves. */
static int set_texts(struct store_log_iter *it, const struct commit *c, struct store_log_entry *e,
	struct store_error *err)
{
	size_t committer, message;
	int rc;

	buf_clear(&it->text);
	rc = ident_format_who(&it->text, &c->author, err);
	buf_add_u8(&it->text, 0);
	committer = it->text.len;
	if (rc == 0)
		rc = ident_format_who(&it->text, &c->committer, err);
	buf_add_u8(&it->text, 0);
	message = it->text.len;
	buf_add(&it->text, c->message.p, c->message.len);
	buf_add_u8(&it->text, 0);
	if (rc == 0)
		rc = buf_check(&it->text, err);
	if (rc != 0)
		return rc;
	e->author = (const char *)it->text.data;
	e->committer = e->author + committer;
	e->message = e->author + message;
	return 0;
}

static void set_layer(struct store_log_entry *e, const struct layer *l)
{
	const struct entry top = view_top(l);

	e->root = view_node(&top);
	e->generation = l->generation;
	e->added = l->added;
	e->modified = l->modified;
	e->deleted = l->deleted;
}

int store_log_next(struct store_log_iter *it, struct store_log_entry *entry,
	struct store_error *err)
{
	struct commit c;
	struct layer l;
	struct oid id;
	int rc = rev_walk_next(it->walk, &id, &c, err);

	if (rc != 0)
		return rc;
	*entry = (struct store_log_entry){ .id = view_id(&id), .layer = view_id(&c.layer) };
	rc = repo_read_layer(it->repo, &c.layer, &l, err);
	if (rc == 0)
		rc = set_texts(it, &c, entry, err);
	if (rc != 0)
		return rc;
	set_layer(entry, &l);
	for (size_t i = 0; i < c.parent_count; i++)
		it->parents[i] = view_id(&c.parents[i]);
	entry->parents = it->parents;
	entry->parent_count = c.parent_count;
	entry->author_time = c.author.seconds;
	entry->author_zone = c.author.zone;
	entry->commit_time = c.committer.seconds;
	entry->commit_zone = c.committer.zone;
	return 0;
}

void store_log_free(struct store_log_iter *it)
{
	if (!it)
		return;
	rev_walk_free(it->walk);
	buf_release(&it->text);
	free(it);
}
