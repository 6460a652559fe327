/* What the files of the log share: which commits are chosen. */
#ifndef STORE_WORK_LOG_INTERNAL_H
#define STORE_WORK_LOG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/commit.h"
#include "graph/layer.h"
#include "graph/nodes.h"

struct store_error;
struct store_log_options;

/* ---- paths (log_paths.c) */

struct log_paths {
	char **keys;  /* with NUL between names, as keys of changes */
	size_t *lens; /* bytes of each; that of the top is 0 */
	bool *dirs;   /* it ended with '/': what is no directory there does not count */
	size_t count;
};

/* STORE_EINVAL for what is no path.  Released by log_paths_release, after an error, too. */
int log_paths_set(struct log_paths *p, const char *const *paths, size_t n, struct store_error *err);
void log_paths_release(struct log_paths *p);
/*
 * Does the layer change something at or below one of the paths, against the layer before? At most
 * one look-up for each name of a path, and two searches of trees where a whole directory above it
 * came or went.
 */
int log_paths_changed(const struct log_paths *p, const struct node_source *src,
	const struct layer *l, bool *yes, struct store_error *err);
/* Do two layers differ at one of the paths?  Two searches of trees for each. */
int log_paths_differ(const struct log_paths *p, const struct node_source *src,
	const struct layer *a, const struct layer *b, bool *yes, struct store_error *err);

/* ---- dates and patterns (log_match.c) */

struct log_pattern;

struct log_match {
	bool has_since, has_until;
	int64_t since, until;
	struct log_pattern *authors, *greps;
	size_t author_count, grep_count;
};

/* STORE_EINVAL for what cannot be read.  Released by log_match_release, after an error, too. */
int log_match_set(struct log_match *m, const struct store_log_options *o, struct store_error *err);
void log_match_release(struct log_match *m);
/* All but since, which is the walk's. */
int log_match_commit(const struct log_match *m, const struct commit *c, bool *yes,
	struct store_error *err);

#endif
