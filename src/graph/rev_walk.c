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
	size_t count, cap;
};

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
	struct set bigger = { .count = s->count, .cap = s->cap ? 2 * s->cap : 64 };

	bigger.slots = mem_alloc_array(bigger.cap, KEY_LEN);
	if (!bigger.slots)
		return STORE_ENOMEM;
	for (size_t i = 0; i < s->cap; i++) {
		if (!is_free(s->slots[i]))
			memcpy(bigger.slots[find_slot(&bigger, s->slots[i])], s->slots[i], KEY_LEN);
	}
	free(s->slots);
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

/* ---- open ends */

struct end {
	struct oid id;
	bool has_time;
	int64_t time;
	uint64_t order;
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

static int push(struct rev_walk *w, const struct oid *id, struct store_error *err)
{
	struct end e = { .id = *id, .order = w->order++ };
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

static struct oid pop(struct rev_walk *w)
{
	const struct oid id = w->ends[0].id;

	w->ends[0] = w->ends[--w->count];
	sift_down(w);
	return id;
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
	free(w->met.slots);
	free(w->hidden.slots);
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
	free(seen.slots);
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
	free(of_a.slots);
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

int rev_walk_next(struct rev_walk *w, struct oid *id, struct commit *c, struct store_error *err)
{
	while (w->count > 0) {
		bool again;
		int rc;

		*id = pop(w);
		rc = check_met(w, id, &again, err);
		if (rc != 0)
			return rc;
		if (again || set_has(&w->hidden, id))
			continue;
		rc = rev_read_commit(&w->src, id, &w->data, c, err);
		for (size_t i = 0; rc == 0 && i < c->parent_count; i++)
			rc = push(w, &c->parents[i], err);
		return rc;
	}
	return STORE_ENOTFOUND;
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
