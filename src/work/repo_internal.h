/* What the files that find, open and make repositories share. */
#ifndef STORE_WORK_REPO_INTERNAL_H
#define STORE_WORK_REPO_INTERNAL_H

#include <sys/types.h>

#include "work/config_internal.h"
#include "work/repo.h"

/* ---- discover.c: where a repository is */

struct discovery {
	char *start;     /* absolute path of the folder the search began in */
	char *store_dir; /* absolute path of .store */
	char *work_tree; /* the folder that holds it */
};

/*
 * Look in start (NULL: the current directory) and upwards, up to STORE_CEILING_DIRECTORIES. With
 * store_dir nothing is looked for.
 * STORE_ENOTFOUND: the message names `store init`.  discover_release in any case.
 */
int discover_repository(struct discovery *out, const char *start, const char *store_dir,
	struct store_error *err);
void discover_release(struct discovery *d);
/* Does the folder at path lie below the working tree of a repository? */
bool discover_is_inside(const char *path);
/*
 * Absolute path without symlinks, of any length when path is NULL (the current directory). NULL
 * with errno. Caller frees with free.
 */
char *discover_real_path(const char *path);

/* ---- operand.c: paths as typed */

/*
 * base (names joined by '/', or "") and the words behind it to a path: "." and empty names fall
 * away, ".." takes one off.
 * STORE_EINVAL: it leads above the top.  Caller frees with free.
 */
int operand_join(const char *base, const char *words, char **out, struct store_error *err);
/*
 * Is path at or below top (both absolute)? The rest without its slash, or NULL. Borrowed: part of
 * path.
 */
const char *operand_below(const char *top, const char *path);

/*
 * Is it a path as store.h has them, and none in a repository's own folder?  STORE_EINVAL names it.
 */
int operand_check(const char *path, struct store_error *err);

/* ---- repo.c */

/* The handle that stands behind a struct store_repo. */
struct repo_handle {
	struct store_repo repo; /* first: a pointer to one is a pointer to the other */
	char *start;            /* absolute; may lie outside of the working tree */
};

enum {
	REPO_REBUILD = 1,    /* db/ may be missing or damaged */
	REPO_UNFINISHED = 2, /* HEAD may be missing */
};

/*
 * Whose is the repository that was found? When it is foreign, config forgets the programs that its
 * file names.
 */
int repo_judge_owner(const struct discovery *found, struct config *config, uid_t *owner,
	bool *foreign, struct store_error *err);
/* STORE_EDENIED, with the line that names safe.directory. */
int repo_refuse_foreign(const char *work_tree, struct store_error *err);

/* Open what was found.  STORE_ENOTFOUND: an init was cut short before HEAD was there. */
int repo_open(struct store_repo **out, const struct discovery *found,
	const struct store_open_options *options, unsigned int flags, struct store_error *err);
/*
 * Is HEAD there? When it is not: STORE_ENOTFOUND after an init that was cut short, STORE_ECORRUPT
 * when db/ was lost.
 */
int repo_check_head(struct store_repo *repo, struct store_error *err);

/* ---- identity.c */

/*
 * As identity_now with nothing explicit, but never refused for want of a name: for the log of refs.
 */
int identity_for_log(struct store_repo *repo, struct buf *store, struct ident *out,
	struct store_error *err);

#endif
