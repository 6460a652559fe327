/*
 * The log: a walk over history (graph/rev_walk.c) with the layer of each commit read beside it.
 *
 * Besides one revision, A..B (what B reaches and A does not), A...B (what one of them reaches and
 * the other does not) and ^A are taken; an end that is left out is HEAD. No ref holds "..", so the
 * first such place parts them.
 *
 * The walk goes on as git's does: a commit before `since` ends its way, and a merge that has the
 * paths from one parent unchanged is passed over towards that parent. What is chosen then comes out
 * at once, or, the oldest first, off the end of a spool of ids.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "work/log_internal.h"
#include "work/options.h"
#include "work/spool.h"
#include "work/view_internal.h"

#define LOOK_EVERY 256 /* commits between two calls of the callback */

struct store_log_iter {
	struct store_repo *repo;
	struct rev_walk *walk;
	struct store_callbacks callbacks;
	unsigned int flags;
	struct log_paths paths;
	struct log_match match;
	uint64_t skip, count; /* count 0: no bound */
	uint64_t looked_at, chosen;
	struct layer layer; /* of the commit at hand, when has_layer */
	bool has_layer;
	bool is_piled; /* reverse: all ids stand in pile */
	struct spool pile;
	struct buf data; /* reverse: of the commit at hand */
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

static int add_end(const struct view *v, struct rev_walk *w, const char *rev,
	struct store_error *err)
{
	const char *dots = strstr(rev, "..");
	const bool hides = rev[0] == '^';
	struct oid id;
	int rc;

	if (dots && !hides)
		return add_range(v, w, rev, dots, err);
	rev += hides;
	rc = rev_parse(&v->source, rev, strlen(rev), &id, err);
	if (rc != 0)
		return rc;
	return hides ? rev_walk_hide(w, &id, err) : rev_walk_add(w, &id, err);
}

static int add_ends(struct store_log_iter *it, const struct store_log_options *o,
	struct store_error *err)
{
	bool begins = false;
	struct view v;
	int rc = view_begin(&v, it->repo, err);

	for (size_t i = 0; rc == 0 && i < o->n_revs; i++) {
		begins = begins || o->revs[i][0] != '^';
		rc = add_end(&v, it->walk, o->revs[i], err);
	}
	if (rc == 0 && !begins)
		rc = add_end(&v, it->walk, "HEAD", err);
	view_end(&v);
	return rc;
}

static int fill_iter(struct store_log_iter *it, const struct store_log_options *o,
	struct store_error *err)
{
	int rc = options_check(o, "store_log_options", err);

	it->callbacks = o->callbacks;
	it->flags = o->flags;
	it->skip = o->skip;
	it->count = o->count;
	if (rc == 0)
		rc = log_match_set(&it->match, o, err);
	if (rc == 0)
		rc = log_paths_set(&it->paths, o->paths, o->n_paths, err);
	return rc == 0 ? add_ends(it, o, err) : rc;
}

int store_log_open(struct store_repo *repo, const struct store_log_options *options,
	struct store_log_iter **out, struct store_error *err)
{
	static const struct store_log_options defaults;
	const struct node_source src = repo_nodes(repo);
	struct store_log_iter *it = calloc(1, sizeof(*it));
	int rc;

	*out = NULL;
	if (!it)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	it->repo = repo;
	spool_init(&it->pile, odb_tmp_fd(repo->odb));
	it->walk = rev_walk_new(&src);
	rc = it->walk ? fill_iter(it, options ? options : &defaults, err)
		      : store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc != 0) {
		store_log_free(it);
		return rc;
	}
	*out = it;
	return 0;
}

/* ---- the choice */

static int check_wanted(struct store_log_iter *it, struct store_error *err)
{
	const struct store_progress p = { .stage = "log", .files = it->looked_at };

	if (it->looked_at++ % LOOK_EVERY != 0 || !it->callbacks.progress)
		return 0;
	return it->callbacks.progress(it->callbacks.payload, &p) == 0
		? 0
		: store_error_set(err, STORE_ECANCELED, "canceled");
}

static int read_layer(struct store_log_iter *it, const struct commit *c, struct store_error *err)
{
	const int rc = it->has_layer ? 0 : repo_read_layer(it->repo, &c->layer, &it->layer, err);

	it->has_layer = rc == 0;
	return rc;
}

/* Are the paths the same in a parent that is not the first? */
static int same_in(struct store_log_iter *it, const struct oid *parent, bool *yes,
	struct store_error *err)
{
	const struct node_source src = repo_nodes(it->repo);
	struct buf data = { 0 };
	struct commit c;
	struct layer l;
	bool differ = false;
	int rc = view_read(it->repo, parent, &data, &c, &l, err);

	if (rc == 0)
		rc = log_paths_differ(&it->paths, &src, &it->layer, &l, &differ, err);
	buf_release(&data);
	*yes = rc == 0 && !differ;
	return rc;
}

/*
 * Does the commit change the paths? In a merge it does only when each parent has them otherwise;
 * *only: the parent that has them the same.
 */
static int look_at_paths(struct store_log_iter *it, const struct commit *c, size_t parents,
	bool *changed, size_t *only, struct store_error *err)
{
	const struct node_source src = repo_nodes(it->repo);
	int rc = read_layer(it, c, err);

	if (rc == 0)
		rc = log_paths_changed(&it->paths, &src, &it->layer, changed, err);
	*only = 0;
	for (size_t i = 1; rc == 0 && *changed && i < parents; i++) {
		bool same;

		rc = same_in(it, &c->parents[i], &same, err);
		if (rc == 0 && same) {
			*changed = false;
			*only = i;
		}
	}
	return rc;
}

/* Go on from the commit at hand, and say whether it is one that is asked for. */
static int look_at_commit(struct store_log_iter *it, const struct commit *c, bool *yes,
	struct store_error *err)
{
	const bool first_only = it->flags & STORE_LOG_FIRST_PARENT;
	const size_t parents = first_only && c->parent_count > 1 ? 1 : c->parent_count;
	size_t only = 0;
	bool changed = true;
	int rc = 0;

	*yes = false;
	it->has_layer = false;
	if (it->match.has_since && c->committer.seconds < it->match.since)
		return 0;
	if (it->paths.count > 0)
		rc = look_at_paths(it, c, parents, &changed, &only, err);
	for (size_t i = 0; rc == 0 && i < parents; i++) {
		if (changed || i == only)
			rc = rev_walk_add(it->walk, &c->parents[i], err);
	}
	return rc == 0 && changed ? log_match_commit(&it->match, c, yes, err) : rc;
}

/* The next commit that is asked for, in the order of the walk. */
static int choose(struct store_log_iter *it, struct oid *id, struct commit *c,
	struct store_error *err)
{
	bool yes = false;
	int rc = it->count && it->chosen == it->count ? STORE_ENOTFOUND : 0;

	while (rc == 0 && !yes) {
		rc = check_wanted(it, err);
		if (rc == 0)
			rc = rev_walk_take(it->walk, id, c, err);
		if (rc == 0)
			rc = look_at_commit(it, c, &yes, err);
		if (rc == 0 && yes && it->skip > 0) {
			it->skip--;
			yes = false;
		}
	}
	it->chosen += rc == 0;
	return rc;
}

static int pile_up(struct store_log_iter *it, struct store_error *err)
{
	struct commit c;
	struct oid id;
	int rc;

	while ((rc = choose(it, &id, &c, err)) == 0) {
		rc = spool_add(&it->pile, id.b, ID_LEN, err);
		if (rc != 0)
			return rc;
	}
	it->is_piled = rc == STORE_ENOTFOUND;
	return it->is_piled ? 0 : rc;
}

static int choose_reverse(struct store_log_iter *it, struct oid *id, struct commit *c,
	struct store_error *err)
{
	int rc = it->is_piled ? 0 : pile_up(it, err);

	if (rc == 0)
		rc = spool_pop(&it->pile, id->b, ID_LEN, err);
	it->has_layer = false;
	return rc == 0 ? repo_read_commit(it->repo, id, &it->data, c, err) : rc;
}

/* ---- entries */

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
	struct oid id;
	int rc = it->flags & STORE_LOG_REVERSE ? choose_reverse(it, &id, &c, err)
					       : choose(it, &id, &c, err);

	if (rc != 0)
		return rc;
	*entry = (struct store_log_entry){ .id = view_id(&id), .layer = view_id(&c.layer) };
	rc = read_layer(it, &c, err);
	if (rc == 0)
		rc = set_texts(it, &c, entry, err);
	if (rc != 0)
		return rc;
	set_layer(entry, &it->layer);
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
	log_paths_release(&it->paths);
	log_match_release(&it->match);
	spool_release(&it->pile);
	buf_release(&it->data);
	buf_release(&it->text);
	free(it);
}
