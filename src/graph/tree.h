/* Paths in trees: directories as maps of maps. */
#ifndef STORE_GRAPH_TREE_H
#define STORE_GRAPH_TREE_H

#include <stddef.h>

#include "graph/entry.h"
#include "graph/nodes.h"

struct store_error;

/*
 * The entry at path (names joined by '/', "" is the top itself) below the directory top.
 * STORE_ENOTFOUND without message. Every directory on the way is checked against the totals its
 * entry promises. O(names x levels) node reads.
 */
int tree_find(const struct node_source *src, const struct entry *top, const char *path, size_t len,
	struct entry *out, struct store_error *err);
/* Is the root node of a directory what its entry says?  STORE_ECORRUPT.  One node read. */
int tree_check_dir(const struct node_source *src, const struct entry *dir, struct store_error *err);
/*
 * The map of recorded attributes that belongs to the directory at path, below that of the top.
 * STORE_ENOTFOUND without message when there is none.
 */
int tree_find_meta(const struct node_source *src, const struct map_ref *top, const char *path,
	size_t len, struct map_ref *out, struct store_error *err);

/*
 * After a look at the directory at path failed: where rc is damage, err gets the path in front, for
 * whoever reads a node knows its id only. Returns rc.
 */
int tree_name_dir(int rc, const void *path, size_t len, struct store_error *err);

#endif
