/* What the files of the configuration share with those that open repositories. */
#ifndef STORE_WORK_CONFIG_INTERNAL_H
#define STORE_WORK_CONFIG_INTERNAL_H

#include "work/config.h"

/* Where a value stands; a greater one goes before a smaller one. */
enum config_level {
	CONFIG_BUILT_IN,
	CONFIG_USER,
	CONFIG_REPOSITORY,
	CONFIG_ENVIRONMENT,
	CONFIG_FLAG,
};

enum {
	CONFIG_TRUSTED = 1, /* never taken from a repository: it would excuse itself */
	CONFIG_RUNS = 2,    /* names a program: not taken from a repository of somebody else */
	CONFIG_LOCAL = 4,   /* refused in the user's file: it would mean every repository */
};

/* One row of the table of known keys. */
struct config_key {
	const char *name;
	const char *fallback; /* NULL: none */
	const char *variable; /* environment variable that goes before the files; NULL: none */
	unsigned int flags;
};

/* NULL when there is no such key.  Letters of either case are equal. */
const struct config_key *config_key_find(const char *name);
/* STORE_EINVAL for a key that is neither known nor in a section "x-..."; where: "'FILE' line 3". */
int config_key_check(const char *name, const char *where, struct store_error *err);

/* The value that counts and where it stands.  Borrowed: valid until config_free. */
struct config_value {
	const char *text;
	enum config_level level;
	const char *where;
};
bool config_find(const struct config *c, const char *key, struct config_value *out);

/*
 * Every value of a key that may stand several times, the first that goes before first: fn(ctx,
 * text), non-zero ends and is returned.
 */
int config_each(const struct config *c, const char *key, int (*fn)(void *ctx, const char *text),
	void *ctx);

/* The repository belongs to somebody else: forget the programs its file names. */
void config_distrust(struct config *c);

/* A value that is one of words (NULL-terminated): its index. */
int config_word(const struct config *c, const char *key, const char *const *words, size_t *index,
	struct store_error *err);

#endif
