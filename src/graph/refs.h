/*
 * Refs: names for commits. Values are texts: 64 hex digits, or "ref:NAME"; absent is "-" (as in
 * refs.log).
 *
 * A change of refs is a struct refs_update: it is checked and written inside a publication, which
 * also appends its record to refs.log.
 */
#ifndef STORE_GRAPH_REFS_H
#define STORE_GRAPH_REFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/id.h"
#include "data/ident.h"
#include "data/limits.h"
#include "odb/env.h"

struct store_error;

#define REFS_VALUE (LIMIT_REF + 5) /* bytes of a value with its NUL */
#define REFS_UPDATES 8

/* Value of a ref as it stands.  STORE_ENOTFOUND without message. */
int refs_get(struct env_txn *t, const char *name, char value[REFS_VALUE], struct store_error *err);
/*
 * Follow "ref:" up to 5 times to a commit id. STORE_ENOTFOUND without message when the name or its
 * target is absent.
 */
int refs_resolve(struct env_txn *t, const char *name, struct oid *id, struct store_error *err);

struct refs_head {
	char branch[LIMIT_REF +
		1]; /* full name ("refs/heads/main") HEAD points to, "" when detached */
	bool has_commit;
	struct oid commit;
};
int refs_head(struct env_txn *t, struct refs_head *out, struct store_error *err);

/* Names below prefix in byte order: fn(ctx, name, value); non-zero ends and is returned. */
int refs_each(struct env_txn *t, const char *prefix,
	int (*fn)(void *ctx, const char *name, const char *value), void *ctx,
	struct store_error *err);

struct refs_change {
	char name[LIMIT_REF + 1];
	char expected[REFS_VALUE];  /* "" any, "-" absent */
	char old_value[REFS_VALUE]; /* found by apply */
	char new_value[REFS_VALUE]; /* "-" deletes */
};

struct refs_update {
	struct refs_change changes[REFS_UPDATES];
	size_t count;
	struct ident who; /* borrowed slices: valid until the update is done */
	char why[512];
};

/* NULL expected: whatever is there.  NULL new_value: delete. */
int refs_update_add(struct refs_update *u, const char *name, const char *expected,
	const char *new_value, struct store_error *err);
/* A value that names a commit. */
void refs_value_of(char value[REFS_VALUE], const struct oid *id);
/*
 * May name be made beside the refs that are there? No ref is a directory of another: STORE_EEXISTS
 * names the one in the way. Cost: a look-up for each part of the name, and one more.
 */
int refs_check_place(struct env_txn *t, const char *name, struct store_error *err);
/*
 * Check expectations (STORE_EBUSY: "moved meanwhile") and the place of refs that are made
 * (STORE_EEXISTS), and write refs and reflog rows, in the order of the changes.
 */
int refs_update_apply(struct refs_update *u, struct env_txn *t, uint64_t number,
	struct store_error *err);
/* The refs.log record of an update that was applied. */
int refs_update_log(const struct refs_update *u, uint64_t number, struct buf *out,
	struct store_error *err);

/*
 * Reflog of one ref, newest first: fn(ctx, number, old, new, who-line "NAME <MAIL> SECONDS +HHMM",
 * why); non-zero ends and is returned.
 */
struct refs_log_row {
	uint64_t number;
	struct text_slice old_value, new_value, why;
	struct ident who;
};
int refs_log_each(struct env_txn *t, const char *name,
	int (*fn)(void *ctx, const struct refs_log_row *row), void *ctx, struct store_error *err);

/*
 * The reason of an update that renames a branch, by which its log is followed from one name to the
 * other: the rows of its past stay under the name it had then. "" when a name is no branch's.
 */
void refs_rename_why(char why[512], const char *old_name, const char *new_name);
/*
 * Does why tell of a renaming?  Full names of what it was called before and is called since.  Only
 * refs_rename_why makes such reasons.
 */
bool refs_rename_parse(struct text_slice why, char old_name[LIMIT_REF + 1],
	char new_name[LIMIT_REF + 1]);

/* Rebuild: write one record of refs.log into refs and reflog rows. */
struct refslog_record;
int refs_replay(struct env_txn *t, const struct refslog_record *record, struct store_error *err);
/* The reflog row that it writes for change c of the record: appended to out. */
struct refslog_change;
int refs_replayed_row(struct buf *out, const struct refslog_record *record,
	const struct refslog_change *c, struct store_error *err);

#endif
