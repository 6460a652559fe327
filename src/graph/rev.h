/*
 * Revisions: words that name commits, as store(1), "Naming content", tells; and walks over history.
 */
#ifndef STORE_GRAPH_REV_H
#define STORE_GRAPH_REV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/nearest.h"
#include "data/ident.h"
#include "graph/commit.h"
#include "graph/layer.h"
#include "graph/nodes.h"
#include "graph/refs.h"

struct store_error;

/*
 * Where revisions are looked up. Borrowed: txn (reading) and nodes are used as long as the call
 * lasts.
 */
struct rev_source {
	struct env_txn *txn;
	struct node_source nodes;
};

/*
 * A revision to a commit id: tags are peeled. STORE_ENOTFOUND: the message says which part names
 * nothing, and the nearest ref.
 * STORE_EAMBIGUOUS: the message lists the commits an id prefix fits. STORE_EINVAL: it is no
 * revision at all.
 */
int rev_parse(const struct rev_source *s, const char *text, size_t len, struct oid *out,
	struct store_error *err);

/*
 * The same, but a tag or layer is not followed to a commit: "layer:N" is the layer's id, and the id
 * or prefix of a layer is taken, too, where no commit or tag has it.
 */
int rev_parse_object(const struct rev_source *s, const char *text, size_t len, struct oid *out,
	struct store_error *err);

/*
 * The ref whose short name is nearest to base, for messages.  Returns how many edits it is away, 0
 * where base is its name, -1 and "" when none is near.
 */
int rev_nearest(const struct rev_source *s, struct text_slice base, char out[NEAREST_MAX + 1]);

/*
 * Read and decode. data holds what out's slices point into. STORE_ECORRUPT also for an object that
 * is no commit or is missing.
 */
int rev_read_commit(const struct node_source *src, const struct oid *id, struct buf *data,
	struct commit *out, struct store_error *err);
int rev_read_layer(const struct node_source *src, const struct oid *id, struct layer *out,
	struct store_error *err);

/* ---- the grammar alone */

/* BASE[@{LOG}][STEPS].  Borrowed: slices are valid until the text is. */
struct rev_parts {
	struct text_slice base;
	bool has_log;
	struct text_slice log;
	struct text_slice steps;
};

enum rev_step_kind {
	REV_STEP_ANCESTOR, /* ~n: n times the first parent */
	REV_STEP_PARENT,   /* ^n: parent n; 0 is the commit itself */
};

struct rev_step {
	enum rev_step_kind kind;
	uint32_t n;
};

/* Returns 0, or STORE_EINVAL: empty, a range, or characters that no ref may have. */
int rev_split(struct rev_parts *out, const char *text, size_t len, struct store_error *err);
/*
 * Take the first step off steps. 1: taken; 0: there is none; STORE_EINVAL: something else stands
 * there.
 */
int rev_step_take(struct text_slice *steps, struct rev_step *out, struct store_error *err);

/* ---- the reflog (rev_log.c) */

/*
 * Full name of the ref a user calls so ("main", "heads/main", "refs/heads/main", "HEAD").
 * STORE_ENOTFOUND without message.
 */
int rev_full_name(struct env_txn *t, const char *name, size_t len, char full[LIMIT_REF + 1],
	struct store_error *err);
/* What the ref was n changes ago.  HEAD follows the branches it was on. */
int rev_log_nth(struct env_txn *t, const char *full, uint64_t n, struct oid *out,
	struct store_error *err);
/* What the ref was at a moment. */
int rev_log_at(struct env_txn *t, const char *full, int64_t seconds, struct oid *out,
	struct store_error *err);
/*
 * Where HEAD was before the n-th last checkout (n from 1): "ref:NAME" or an id. A branch that was
 * renamed since is told by its name of today.
 */
int rev_log_previous(struct env_txn *t, uint64_t n, char value[REFS_VALUE],
	struct store_error *err);

/* The past of one ref, looked at just before `bound`. A branch is followed through its names. */
struct rev_log_past {
	char name[LIMIT_REF + 1]; /* what it was called then */
	uint64_t bound;
	char value[REFS_VALUE];
};
/* One change of it. Borrowed: slices are valid until the transaction ends. */
struct rev_log_event {
	uint64_t number; /* of the publication */
	bool has_old, has_new;
	struct oid old_id, new_id; /* a commit or a tag; for HEAD through the branch it was on */
	struct ident who;
	struct text_slice why;
};
/* Begin at what it is now.  The ref may be one that was deleted. */
int rev_log_begin(struct env_txn *t, const char *full, struct rev_log_past *p,
	struct store_error *err);
/*
 * The next event back in time, and one step to before it. STORE_ENOTFOUND at the end, without
 * message. Another transaction may be given each time.
 */
int rev_log_next(struct env_txn *t, struct rev_log_past *p, struct rev_log_event *out,
	struct store_error *err);

/* ---- walks (rev_walk.c) */

/*
 * Commits reachable from some, newest first by committer date, each once. Memory: the open ends,
 * and at most 43 bytes for each commit met while there was more than one of them; a linear history
 * needs none.
 */
struct rev_walk;
struct rev_walk *rev_walk_new(
	const struct node_source *src); /* Copies src. Caller frees with rev_walk_free. */
void rev_walk_free(struct rev_walk *w);
/* A commit to go on from: an end to begin with, or a parent of what rev_walk_take gave. */
int rev_walk_add(struct rev_walk *w, const struct oid *id, struct store_error *err);
/* Leave out id and all its ancestors, which are read now.  Before the first rev_walk_next. */
int rev_walk_hide(struct rev_walk *w, const struct oid *id, struct store_error *err);
/* Leave out what both a and b reach. */
int rev_walk_hide_common(struct rev_walk *w, const struct oid *a, const struct oid *b,
	struct store_error *err);
/*
 * Does from go back to `to`, or is it that? Walks from `from` until it is found: costs as rev_walk.
 */
int rev_walk_reaches(const struct node_source *src, const struct oid *from, const struct oid *to,
	bool *yes, struct store_error *err);
/*
 * Which of ids (n of them, sorted, no duplicates) does from go back to?  Into yes, n of them. One
 * walk, to the last that is found: costs as rev_walk.
 */
int rev_walk_find(const struct node_source *src, const struct oid *from, const struct oid *ids,
	size_t n, bool *yes, struct store_error *err);
/*
 * Which of ids (n of them, less than 2^32) go back to `to`, or are it?  Into yes, n of them. One
 * walk over what they reach: no commit is asked for its parents twice. Memory: as rev_walk, but 54
 * bytes, and 9 for each merge and each meeting of two ways.
 */
int rev_walk_contain(const struct node_source *src, const struct oid *ids, size_t n,
	const struct oid *to, bool *yes, struct store_error *err);
/* STORE_ENOTFOUND at the end, without message.  Borrowed: c is valid until the next call on w. */
int rev_walk_next(struct rev_walk *w, struct oid *id, struct commit *c, struct store_error *err);
/*
 * The same without going on to the parents: who takes adds those that are wanted, before the next
 * one is taken. Borrowed: c is valid until then.
 */
int rev_walk_take(struct rev_walk *w, struct oid *id, struct commit *c, struct store_error *err);
/*
 * The best common ancestor of a and b: one that no other common ancestor goes back to, and of
 * several the newest. STORE_ENOTFOUND without message when they have none. Reads what a reaches;
 * memory: at most 43 bytes for each of those.
 */
int rev_walk_base(const struct node_source *src, const struct oid *a, const struct oid *b,
	struct oid *out, struct store_error *err);

#endif
