/*
 * Closure: an object that is published has all its children in the repository. Looked at before
 * each publication when STORE_CHECK_CLOSURE is set.
 */
#ifndef STORE_GRAPH_CLOSURE_H
#define STORE_GRAPH_CLOSURE_H

struct store_error;
struct odb_writer;

/*
 * Every node, layer, commit and tag that w is about to publish, and every stage record: are all
 * their children in its pack or in the database? STORE_ECORRUPT names the first that is not. For
 * publish_set_closure.
 */
int closure_check(struct odb_writer *w, struct store_error *err);

#endif
