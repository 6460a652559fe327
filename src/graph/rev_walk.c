/*
 * Walks over history, newest first.
 *
 * The open ends stand in a heap by committer date; of equal dates the one that was met first goes
 * first, so a row of commits made within one second comes out in order. A date is only read when
 * there are two ends to compare.
 *
 * Each commit comes once. A commit can be met twice only if another end was open when it was met
 * first: with nothing else open all that follows are its ancestors, and history has no circles. So
 * only those are remembered, and a linear history of any length is walked in constant memory. The
 * set keeps 16 of the 32 bytes of an id, in open addressing.
 */
#include "graph/rev.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"

#define KEY_LEN 16

/* ---- sets of ids */

struct set {
	uint8_t (*slots)[KEY_LEN]; /* cap of them, a power of two; all zero: free */
	uint32_t *values;          /* of the slots, where has_values */
	bool has_values;
	size_t count, cap;
};

static void set_release(struct set *s)
{
	free(s->slots);
	free(s->values);
}

static bool is_free(const uint8_t slot[KEY_LEN])
{
	static const uint8_t zero[KEY_LEN];

	return memcmp(slot, zero, KEY_LEN) == 0;
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t find_slot(const struct set *s, const uint8_t *key)
{
	size_t i = (size_t)le64_get(key) & (s->cap - 1);

	while (!is_free(s->slots[i]) && memcmp(s->slots[i], key, KEY_LEN) != 0)
		i = (i + 1) & (s->cap - 1);
	return i;
}

static bool set_has(const struct set *s, const struct oid *id)
{
	return s->count > 0 && !is_free(s->slots[find_slot(s, id->b)]);
}

static int grow_set(struct set *s)
{
	struct set bigger = { .has_values = s->has_values,
		.count = s->count,
		.cap = s->cap ? 2 * s->cap : 64 };

	bigger.slots = mem_alloc_array(bigger.cap, KEY_LEN);
	if (s->has_values)
		bigger.values = mem_alloc_array(bigger.cap, sizeof(*bigger.values));
	if (!bigger.slots || (s->has_values && !bigger.values)) {
		set_release(&bigger);
		return STORE_ENOMEM;
	}
	for (size_t i = 0; i < s->cap; i++) {
		size_t to;

		if (is_free(s->slots[i]))
			continue;
		to = find_slot(&bigger, s->slots[i]);
		memcpy(bigger.slots[to], s->slots[i], KEY_LEN);
		if (s->has_values)
			bigger.values[to] = s->values[i];
	}
	set_release(s);
	*s = bigger;
	return 0;
}

/* *is_new: it was not there. */
static int set_add(struct set *s, const struct oid *id, bool *is_new, struct store_error *err)
{
	size_t i;

	if (4 * (s->count + 1) > 3 * s->cap && grow_set(s) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	i = find_slot(s, id->b);
	*is_new = is_free(s->slots[i]);
	if (*is_new) {
		memcpy(s->slots[i], id->b, KEY_LEN);
		s->count++;
	}
	return 0;
}

/* The value beside an id that is there, where to find and change it; NULL: it is not there. */
static uint32_t *set_value(const struct set *s, const struct oid *id)
{
	size_t i;

	if (s->count == 0 || !s->slots || !s->values)
		return NULL;
	i = find_slot(s, id->b);
	return is_free(s->slots[i]) ? NULL : &s->values[i];
}

/* ---- open ends */

struct end {
	struct oid id;
	bool has_time;
	int64_t time;
	uint64_t order;
	uint32_t chain; /* of rev_walk_contain */
};

struct rev_walk {
	struct node_source src;
	struct end *ends; /* a heap: ends[0] comes first */
	size_t count, cap;
	uint64_t order;
	struct set met, hidden;
	struct buf data; /* of the commit given last */
};

static bool comes_before(const struct end *a, const struct end *b)
{
	return a->time != b->time ? a->time > b->time : a->order < b->order;
}

static void swap_ends(struct rev_walk *w, size_t i, size_t j)
{
	const struct end e = w->ends[i];

	w->ends[i] = w->ends[j];
	w->ends[j] = e;
}

static void sift_up(struct rev_walk *w, size_t i)
{
	for (; i > 0 && comes_before(&w->ends[i], &w->ends[(i - 1) / 2]); i = (i - 1) / 2)
		swap_ends(w, i, (i - 1) / 2);
}

static void sift_down(struct rev_walk *w)
{
	for (size_t i = 0;;) {
		size_t first = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < w->count; child++) {
			if (comes_before(&w->ends[child], &w->ends[first]))
				first = child;
		}
		if (first == i)
			return;
		swap_ends(w, i, first);
		i = first;
	}
}

static int read_time(struct rev_walk *w, struct end *e, struct store_error *err)
{
	struct buf data = { 0 };
	struct commit c;
	int rc = 0;

	if (!e->has_time) {
		rc = rev_read_commit(&w->src, &e->id, &data, &c, err);
		if (rc == 0) {
			e->time = c.committer.seconds;
			e->has_time = true;
		}
	}
	buf_release(&data);
	return rc;
}

static int push_on(struct rev_walk *w, const struct oid *id, uint32_t chain,
	struct store_error *err)
{
	struct end e = { .id = *id, .order = w->order++, .chain = chain };
	int rc = 0;

	if (w->count > 0)
		rc = read_time(w, &e, err);
	if (rc == 0 && w->count == 1)
		rc = read_time(w, &w->ends[0], err);
	if (rc == 0 && mem_grow(&w->ends, &w->cap, w->count + 1, sizeof(*w->ends)) != 0)
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc != 0)
		return rc;
	w->ends[w->count++] = e;
	sift_up(w, w->count - 1);
	return 0;
}

static int push(struct rev_walk *w, const struct oid *id, struct store_error *err)
{
	return push_on(w, id, 0, err);
}

static struct end pop(struct rev_walk *w)
{
	const struct end e = w->ends[0];

	w->ends[0] = w->ends[--w->count];
	sift_down(w);
	return e;
}

struct rev_walk *rev_walk_new(const struct node_source *src)
{
	struct rev_walk *w = calloc(1, sizeof(*w));

	if (w)
		w->src = *src;
	return w;
}

void rev_walk_free(struct rev_walk *w)
{
	if (!w)
		return;
	free(w->ends);
	set_release(&w->met);
	set_release(&w->hidden);
	buf_release(&w->data);
	free(w);
}

int rev_walk_add(struct rev_walk *w, const struct oid *id, struct store_error *err)
{
	return push(w, id, err);
}

/* ---- leaving out */

struct stack {
	struct oid *ids;
	size_t count, cap;
};

static int push_parents(struct stack *s, const struct commit *c, struct store_error *err)
{
	if (mem_grow(&s->ids, &s->cap, s->count + c->parent_count, sizeof(*s->ids)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	for (size_t i = 0; i < c->parent_count; i++)
		s->ids[s->count++] = c->parents[i];
	return 0;
}

/*
 * All ancestors of id and itself into out; where filter is set, only those it has, but every way is
 * gone.
 */
static int collect(struct rev_walk *w, const struct oid *id, struct set *out,
	const struct set *filter, struct store_error *err)
{
	struct set seen = { 0 };
	struct set *const been = filter ? &seen : out;
	struct stack todo = { 0 };
	struct commit start = { .parents = { *id }, .parent_count = 1 }, c;
	int rc = push_parents(&todo, &start, err);

	while (rc == 0 && todo.count > 0) {
		const struct oid next = todo.ids[--todo.count];
		bool is_new = false;

		rc = set_add(been, &next, &is_new, err);
		if (rc != 0 || !is_new)
			continue;
		/* What the filter has it has with all ancestors: those need no look. */
		if (filter && set_has(filter, &next))
			rc = collect(w, &next, out, NULL, err);
		else
			rc = rev_read_commit(&w->src, &next, &w->data, &c, err);
		if (rc == 0 && !(filter && set_has(filter, &next)))
			rc = push_parents(&todo, &c, err);
	}
	set_release(&seen);
	free(todo.ids);
	return rc;
}

int rev_walk_hide(struct rev_walk *w, const struct oid *id, struct store_error *err)
{
	return collect(w, id, &w->hidden, NULL, err);
}

int rev_walk_hide_common(struct rev_walk *w, const struct oid *a, const struct oid *b,
	struct store_error *err)
{
	struct set of_a = { 0 };
	int rc = collect(w, a, &of_a, NULL, err);

	if (rc == 0)
		rc = collect(w, b, &w->hidden, &of_a, err);
	set_release(&of_a);
	return rc;
}

/* Was it given already?  Remember it if it could be met again. */
static int check_met(struct rev_walk *w, const struct oid *id, bool *again, struct store_error *err)
{
	bool is_new = true;
	int rc = 0;

	*again = set_has(&w->met, id);
	if (!*again && w->count > 0)
		rc = set_add(&w->met, id, &is_new, err);
	return rc;
}

int rev_walk_take(struct rev_walk *w, struct oid *id, struct commit *c, struct store_error *err)
{
	while (w->count > 0) {
		bool again;
		int rc;

		*id = pop(w).id;
		rc = check_met(w, id, &again, err);
		if (rc != 0)
			return rc;
		if (!again && !set_has(&w->hidden, id))
			return rev_read_commit(&w->src, id, &w->data, c, err);
	}
	return STORE_ENOTFOUND;
}

int rev_walk_next(struct rev_walk *w, struct oid *id, struct commit *c, struct store_error *err)
{
	int rc = rev_walk_take(w, id, c, err);

	for (size_t i = 0; rc == 0 && i < c->parent_count; i++)
		rc = push(w, &c->parents[i], err);
	return rc;
}

/* ---- the best common ancestor */

/* Those of filter that b meets first on its ways back. */
static int find_meetings(struct rev_walk *w, const struct oid *b, const struct set *filter,
	struct stack *out, struct store_error *err)
{
	struct commit c = { .parents = { *b }, .parent_count = 1 };
	struct set seen = { 0 };
	struct stack todo = { 0 };
	int rc = push_parents(&todo, &c, err);

	while (rc == 0 && todo.count > 0) {
		bool is_new = false;

		c = (struct commit){ .parents = { todo.ids[--todo.count] }, .parent_count = 1 };
		rc = set_add(&seen, &c.parents[0], &is_new, err);
		if (rc != 0 || !is_new)
			continue;
		if (set_has(filter, &c.parents[0])) {
			rc = push_parents(out, &c, err);
			continue;
		}
		rc = rev_read_commit(&w->src, &c.parents[0], &w->data, &c, err);
		if (rc == 0)
			rc = push_parents(&todo, &c, err);
	}
	set_release(&seen);
	free(todo.ids);
	return rc;
}

/* Strike what another of them goes back to. */
static int strike_older(struct rev_walk *w, struct stack *ids, struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ids->count && ids->count > 1; i++) {
		const struct oid id = ids->ids[i];
		struct set below = { 0 };
		size_t kept = 0;

		rc = collect(w, &id, &below, NULL, err);
		for (size_t j = 0; rc == 0 && j < ids->count; j++) {
			if (id_eq(&ids->ids[j], &id) || !set_has(&below, &ids->ids[j]))
				ids->ids[kept++] = ids->ids[j];
			else if (j < i)
				i--;
		}
		if (rc == 0)
			ids->count = kept;
		set_release(&below);
	}
	return rc;
}

int rev_walk_base(const struct node_source *src, const struct oid *a, const struct oid *b,
	struct oid *out, struct store_error *err)
{
	struct rev_walk *w = rev_walk_new(src);
	struct set of_a = { 0 };
	struct stack found = { 0 };
	struct commit c;
	int rc = w ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");

	if (rc == 0)
		rc = collect(w, a, &of_a, NULL, err);
	if (rc == 0)
		rc = find_meetings(w, b, &of_a, &found, err);
	if (rc == 0)
		rc = strike_older(w, &found, err);
	for (size_t i = 0; rc == 0 && i < found.count; i++)
		rc = push(w, &found.ids[i], err);
	if (rc == 0)
		rc = found.count > 0 ? rev_walk_next(w, out, &c, err) : STORE_ENOTFOUND;
	free(found.ids);
	set_release(&of_a);
	rev_walk_free(w);
	return rc;
}

int rev_walk_reaches(const struct node_source *src, const struct oid *from, const struct oid *to,
	bool *yes, struct store_error *err)
{
	struct rev_walk *w = rev_walk_new(src);
	struct commit c;
	struct oid id;
	int rc = w ? rev_walk_add(w, from, err)
		   : store_error_set(err, STORE_ENOMEM, "out of memory");

	*yes = false;
	while (rc == 0 && !*yes) {
		rc = rev_walk_next(w, &id, &c, err);
		*yes = rc == 0 && id_eq(&id, to);
	}
	rev_walk_free(w);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int rev_walk_find(const struct node_source *src, const struct oid *from, const struct oid *ids,
	size_t n, bool *yes, struct store_error *err)
{
	struct rev_walk *w = rev_walk_new(src);
	size_t left = n;
	struct commit c;
	struct oid id;
	int rc = w ? rev_walk_add(w, from, err)
		   : store_error_set(err, STORE_ENOMEM, "out of memory");

	memset(yes, 0, n * sizeof(*yes));
	while (rc == 0 && left > 0) {
		const struct oid *found = NULL;

		rc = rev_walk_next(w, &id, &c, err);
		if (rc == 0)
			found = bsearch(&id, ids, n, sizeof(*ids), id_compare);
		if (found) {
			yes[found - ids] = true;
			left--;
		}
	}
	rev_walk_free(w);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* ---- which of several go back to one */

/*
 * What is walked are chains: rows of commits, each the only parent of the one before. A chain ends
 * at a merge, where each parent begins one, and where it meets a commit of another chain or of its
 * own; links tell where its end leads. So no commit is read twice, in whatever order they come, and
 * when all was walked the links say from which chains the goal is reached. The goal ends its chain,
 * so who enters that one anywhere reaches it.
 */
struct link {
	uint32_t from, to;
};

struct chains {
	struct rev_walk *w;
	struct set met; /* with the chain of each */
	struct link *links;
	size_t count, cap;
	uint32_t next; /* the number of the next chain */
	bool has_goal;
	uint32_t goal; /* the chain that ends with it, when has_goal */
};

static int add_link(struct chains *ch, uint32_t from, uint32_t to, struct store_error *err)
{
	if (mem_grow(&ch->links, &ch->cap, ch->count + 1, sizeof(*ch->links)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	ch->links[ch->count++] = (struct link){ from, to };
	return 0;
}

static int branch_off(struct chains *ch, uint32_t from, const struct oid *parent,
	struct store_error *err)
{
	int rc;

	if (ch->next == UINT32_MAX)
		return store_error_set(err, STORE_EINVAL, "the history has too many merges");
	rc = add_link(ch, from, ch->next, err);
	return rc == 0 ? push_on(ch->w, parent, ch->next++, err) : rc;
}

static int remember(struct chains *ch, const struct end *e, struct store_error *err)
{
	uint32_t *chain;
	bool is_new;
	int rc;

	/* With nothing else open it cannot be met again. */
	if (ch->w->count == 0)
		return 0;
	rc = set_add(&ch->met, &e->id, &is_new, err);
	chain = rc == 0 ? set_value(&ch->met, &e->id) : NULL;
	if (chain)
		*chain = e->chain;
	return rc;
}

static int go_on(struct chains *ch, const struct oid *goal, struct store_error *err)
{
	const struct end e = pop(ch->w);
	const uint32_t *met = set_value(&ch->met, &e.id);
	struct commit c;
	int rc;

	if (met)
		return add_link(ch, e.chain, *met, err);
	rc = remember(ch, &e, err);
	if (rc == 0 && id_eq(&e.id, goal)) {
		ch->has_goal = true;
		ch->goal = e.chain;
		return 0;
	}
	if (rc == 0)
		rc = rev_read_commit(&ch->w->src, &e.id, &ch->w->data, &c, err);
	if (rc == 0 && c.parent_count == 1)
		return push_on(ch->w, &c.parents[0], e.chain, err);
	for (size_t i = 0; rc == 0 && i < c.parent_count; i++)
		rc = branch_off(ch, e.chain, &c.parents[i], err);
	return rc;
}

/* Most links lead to a chain that began later, so backwards few rounds are enough. */
static int follow_links(const struct chains *ch, size_t n, bool *yes, struct store_error *err)
{
	bool *leads = calloc(ch->next, sizeof(*leads));
	bool more = ch->has_goal;

	if (!leads)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (ch->has_goal)
		leads[ch->goal] = true;
	while (more) {
		more = false;
		for (size_t i = ch->count; i-- > 0;) {
			const struct link *l = &ch->links[i];

			more = more || (leads[l->to] && !leads[l->from]);
			leads[l->from] = leads[l->from] || leads[l->to];
		}
	}
	memcpy(yes, leads, n * sizeof(*yes));
	free(leads);
	return 0;
}

int rev_walk_contain(const struct node_source *src, const struct oid *ids, size_t n,
	const struct oid *to, bool *yes, struct store_error *err)
{
	struct chains ch = { .w = rev_walk_new(src), .met.has_values = true, .next = (uint32_t)n };
	int rc = 0;

	if (!ch.w)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = push_on(ch.w, &ids[i], (uint32_t)i, err);
	while (rc == 0 && ch.w->count > 0)
		rc = go_on(&ch, to, err);
	if (rc == 0 && n > 0)
		rc = follow_links(&ch, n, yes, err);
	set_release(&ch.met);
	free(ch.links);
	rev_walk_free(ch.w);
	return rc;
}
