/* What the map_*.c files share: parent values, the border rule, and nodes loaded one per level. */
#ifndef STORE_GRAPH_MAP_INTERNAL_H
#define STORE_GRAPH_MAP_INTERNAL_H

#include "data/limits.h"
#include "graph/map.h"

struct store_error;

/* A parent value: a child node and the sums over its items. */
struct map_child {
	struct oid id;
	struct map_totals totals;
};

#define MAP_CHILD_MAX (ID_LEN + 3 * LEB_MAX) /* bytes of the longest parent value */

/* Write the parent value at p (room for MAP_CHILD_MAX); returns its length. */
size_t map_child_put(uint8_t *p, enum map_kind kind, const struct map_child *child);
/* Takes a parent value from s.  STORE_ECORRUPT when it is malformed or tells of no items. */
int map_child_decode(struct span *s, enum map_kind kind, struct map_child *child);

/* a += b; STORE_ECORRUPT on overflow. */
int map_totals_add(struct map_totals *a, const struct map_totals *b);
bool map_totals_eq(const struct map_totals *a, const struct map_totals *b);

/* Byte order. */
int map_key_cmp(const void *a, size_t a_len, const void *b, size_t b_len);
/* May the key stand in a map of this kind? */
bool map_key_ok(enum map_kind kind, const uint8_t *key, size_t len);
/*
 * Takes one value of the level from s and tells what it adds to the sums of its node.
 * STORE_ECORRUPT when malformed.
 */
int map_value_totals(struct span *s, enum map_kind kind, uint8_t level, struct map_totals *out);

/* What an item weighs in its node. */
uint64_t map_weight(enum map_kind kind, size_t key_len);
/*
 * The border rule: does an item close its node?  v and w: the weight of the node before and after
 * it, h: hash_key of its level and key, is_first: the node was empty before it.
 */
bool map_closes(uint8_t level, uint64_t v, uint64_t w, uint64_t h, bool is_first);

/* Append the node to out.  items: count items, encoded one after the other. */
int map_node_encode(struct buf *out, enum map_kind kind, uint8_t level, uint64_t count,
	const struct buf *items);

/* A loaded node and a place in it.  All-zero is valid and holds nothing. */
struct map_frame {
	struct oid id;
	bool is_loaded;
	struct buf data; /* what node points into */
	struct map_node node;
	size_t pos; /* index of an item; count: behind the last */
};

void map_frame_release(struct map_frame *f);
/* The child under item pos of a frame above the leaves. */
int map_frame_child(const struct map_frame *f, struct map_child *out, struct store_error *err);
/*
 * Load node id of the level into f, pos 0.  A node that f already holds is not read again.
 * STORE_ECORRUPT when it is absent, or is no node of this kind and level.  After an error f holds
 * nothing.
 */
int map_frame_load(struct map_frame *f, const struct node_source *src, enum map_kind kind,
	uint8_t level, const struct oid *id, struct store_error *err);
/* The same for the root of ref, which is not the empty map. */
int map_frame_load_root(struct map_frame *f, const struct node_source *src, enum map_kind kind,
	const struct map_ref *ref, struct store_error *err);
/* The same for the child under item pos of up: its totals and its last key must be what up says. */
int map_frame_load_child(struct map_frame *f, const struct node_source *src,
	const struct map_frame *up, struct store_error *err);

/*
 * A walk down and along the nodes of one map.  It always stands at an element: the root as a whole,
 * a subtree that was not entered, or a leaf item.
 */
struct map_walk {
	struct node_source src;
	enum map_kind kind;
	struct map_ref ref;
	struct map_frame
		*frames; /* by level: ref.height + 1 of them, made when the root is entered */
	int cur;         /* level of the frame the element stands in; ref.height + 1: at the root */
	bool is_done;    /* behind the last element */
};

void map_walk_init(struct map_walk *w, const struct node_source *src, enum map_kind kind,
	const struct map_ref *ref);
void map_walk_release(struct map_walk *w);
/* Stand at the root again; nodes stay loaded. */
void map_walk_reset(struct map_walk *w);
/* Level of the subtree that is the element, -1 for a leaf item. */
int map_walk_level(const struct map_walk *w);
/* Id of the node that is the element, which is no leaf item. */
const uint8_t *map_walk_id(const struct map_walk *w);
/* The element is a leaf item: that item. */
const struct map_item *map_walk_item(const struct map_walk *w);
/* Replace the element, a subtree, by its first item. */
int map_walk_enter(struct map_walk *w, struct store_error *err);
/* Go behind the element, and up as far as nodes end there. */
void map_walk_next(struct map_walk *w);
/*
 * If the element is the very first below a node of the level with this id, make the whole node the
 * element again and return true.
 */
bool map_walk_leave(struct map_walk *w, int level, const uint8_t *id);
/* Stand at the first leaf item with a key >= key, from the root on. */
int map_walk_seek(struct map_walk *w, const void *key, size_t key_len, struct store_error *err);

#endif
