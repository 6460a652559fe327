/* What the changes of branches and tags share: names, and the publication that makes them real. */
#ifndef STORE_WORK_REF_CHANGE_H
#define STORE_WORK_REF_CHANGE_H

#include "graph/refs.h"
#include "odb/writer.h"
#include "work/repo.h"
#include "work/view_internal.h"

#define REF_CHANGE_GUARDS 2

struct ref_change {
	struct store_repo *repo;
	struct view view; /* what the change is decided on */
	struct refs_head head;
	struct odb_writer *writer; /* holds the object of an annotated tag; else NULL */
	struct refs_update update;
	struct buf who;
	/* Full names of branches that HEAD must not be on when it happens; "": none. */
	char guards[REF_CHANGE_GUARDS][LIMIT_REF + 1];
	struct store_ref_result unused, *result;
};

/*
 * Begin: a snapshot, HEAD, and who does it. ref_change_end in any case. STORE_EDENIED: the
 * repository of another user.
 */
int ref_change_begin(struct ref_change *c, struct store_repo *repo, struct store_ref_result *result,
	struct store_error *err);
void ref_change_end(struct ref_change *c);
/*
 * The full name of what a user calls name (prefix as refname_full), and its value; value "-": there
 * is none.
 */
int ref_change_find(struct ref_change *c, const char *prefix, const char *name,
	char full[LIMIT_REF + 1], char value[REFS_VALUE], struct store_error *err);
/* "there is no branch 'x'", and the nearest. */
int ref_change_unknown(const struct ref_change *c, const char *prefix, const char *name,
	struct store_error *err);
/* Publish.  The snapshot ends here. */
int ref_change_publish(struct ref_change *c, struct store_error *err);
/* The name without its prefix, into the 256 bytes of a result. */
void ref_change_short(char out[256], const char *full);

#endif
