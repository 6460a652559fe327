/*
 * Branches made, moved, deleted and renamed.
 *
 * The branch that HEAD is on is moved by commit and reset alone, which bring the stage along: here
 * it is neither moved nor deleted. It may be renamed, and HEAD goes with it in the same
 * publication.
 *
 * A branch is deleted without force only when HEAD goes back to its commit, so that nothing is lost
 * from sight; its reflog stays, and says what it named.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/refname.h"
#include "work/ref_change.h"

/* A branch that a change is about. */
struct branch {
	char full[LIMIT_REF + 1];
	char value[REFS_VALUE]; /* "-": there is none */
	char shown[200];
	struct oid commit; /* when there is one */
};

static bool exists(const struct branch *b)
{
	return strcmp(b->value, "-") != 0;
}

static int find(struct ref_change *c, const char *name, struct branch *b, struct store_error *err)
{
	const int rc = ref_change_find(c, REFNAME_HEADS, name, b->full, b->value, err);

	quote_msg(b->shown, sizeof(b->shown), name, strlen(name));
	if (rc != 0 || !exists(b))
		return rc;
	if (id_parse(&b->commit, b->value, strlen(b->value)) != 0)
		return store_error_set(err, STORE_ECORRUPT,
			"ref '%s' is malformed; run 'store fsck --rebuild'", b->full);
	return 0;
}

static bool is_current(const struct ref_change *c, const struct branch *b)
{
	return strcmp(c->head.branch, b->full) == 0;
}

static void fill(struct ref_change *c, const struct branch *b, const struct oid *now)
{
	struct store_ref_result *r = c->result;

	ref_change_short(r->name, b->full);
	r->existed = exists(b);
	if (r->existed)
		r->was = view_id(&b->commit);
	if (now)
		r->id = r->commit = view_id(now);
}

/* ---- making and moving */

static int check_free(const struct ref_change *c, const struct branch *b, bool force,
	struct store_error *err)
{
	if (is_current(c, b) && (force || !exists(b)))
		return store_error_set(err, STORE_EINVAL,
			exists(b) ? "HEAD is on the branch '%s', which is moved by commit and reset"
				  : "HEAD is on the branch '%s', which has no commit yet",
			b->shown);
	if (exists(b) && !force)
		return store_error_set(err, STORE_EEXISTS, "a branch '%s' exists already",
			b->shown);
	return 0;
}

static int create(struct ref_change *c, const char *name, const char *rev, bool force,
	struct store_error *err)
{
	char value[REFS_VALUE];
	struct branch b;
	struct oid id;
	int rc = find(c, name, &b, err);

	if (rc == 0)
		rc = check_free(c, &b, force, err);
	if (rc == 0)
		rc = rev_parse(&c->view.source, rev, strlen(rev), &id, err);
	if (rc != 0)
		return rc;
	fill(c, &b, &id);
	refs_value_of(value, &id);
	if (strcmp(value, b.value) == 0)
		return 0;
	memcpy(c->guards[0], b.full, sizeof(b.full));
	snprintf(c->update.why, sizeof(c->update.why), "branch: %s %.300s",
		exists(&b) ? "Reset to" : "Created from", rev);
	rc = refs_update_add(&c->update, b.full, b.value, value, err);
	return rc == 0 ? ref_change_publish(c, err) : rc;
}

int store_branch_create(struct store_repo *repo, const char *name, const char *rev,
	unsigned int flags, struct store_ref_result *result, struct store_error *err)
{
	struct ref_change c;
	int rc = ref_change_begin(&c, repo, result, err);

	if (rc == 0)
		rc = create(&c, name, rev ? rev : "HEAD", flags & STORE_REF_FORCE, err);
	ref_change_end(&c);
	return rc;
}

/* ---- deleting */

static int check_merged(const struct ref_change *c, const struct branch *b, struct store_error *err)
{
	bool yes = false;
	char hex[13];
	int rc = 0;

	if (c->head.has_commit)
		rc = rev_walk_reaches(&c->view.source.nodes, &c->head.commit, &b->commit, &yes,
			err);
	if (rc != 0 || yes)
		return rc;
	return store_error_set(err, STORE_ECONFLICT,
		"the branch '%s' is not merged: HEAD does not go back to its commit %s; -D deletes it all the same",
		b->shown, id_short(hex, &b->commit));
}

static int delete_branch(struct ref_change *c, const char *name, bool force,
	struct store_error *err)
{
	struct branch b;
	int rc = find(c, name, &b, err);

	if (rc == 0 && is_current(c, &b))
		rc = store_error_set(err, STORE_EINVAL,
			"the branch '%s' cannot be deleted: HEAD is on it", b.shown);
	else if (rc == 0 && !exists(&b))
		rc = ref_change_unknown(c, REFNAME_HEADS, name, err);
	else if (rc == 0 && !force)
		rc = check_merged(c, &b, err);
	if (rc != 0)
		return rc;
	fill(c, &b, NULL);
	memcpy(c->guards[0], b.full, sizeof(b.full));
	snprintf(c->update.why, sizeof(c->update.why), "branch: deleted");
	rc = refs_update_add(&c->update, b.full, b.value, NULL, err);
	return rc == 0 ? ref_change_publish(c, err) : rc;
}

int store_branch_delete(struct store_repo *repo, const char *name, unsigned int flags,
	struct store_ref_result *result, struct store_error *err)
{
	struct ref_change c;
	int rc = ref_change_begin(&c, repo, result, err);

	if (rc == 0)
		rc = delete_branch(&c, name, flags & STORE_REF_FORCE, err);
	ref_change_end(&c);
	return rc;
}

/* ---- renaming */

/* The branch of HEAD may have no commit yet: then HEAD alone knows of it. */
static int find_old(struct ref_change *c, const char *name, struct branch *b,
	struct store_error *err)
{
	int rc;

	if (!name && strncmp(c->head.branch, REFNAME_HEADS, strlen(REFNAME_HEADS)) != 0)
		return store_error_set(err, STORE_EINVAL,
			"HEAD is detached: name the branch that is to be renamed");
	name = name ? name : c->head.branch + strlen(REFNAME_HEADS);
	rc = find(c, name, b, err);
	if (rc == 0 && !exists(b) && !is_current(c, b))
		return ref_change_unknown(c, REFNAME_HEADS, name, err);
	return rc;
}

static int check_new(const struct ref_change *c, const struct branch *old,
	const struct branch *fresh, bool force, struct store_error *err)
{
	if (exists(fresh) && !force)
		return store_error_set(err, STORE_EEXISTS, "a branch '%s' exists already",
			fresh->shown);
	if (is_current(c, fresh))
		return store_error_set(err, STORE_EINVAL,
			"the branch '%s' cannot be replaced: HEAD is on it", fresh->shown);
	if (exists(fresh) && !exists(old))
		return store_error_set(err, STORE_EINVAL,
			"the branch '%s' has no commit yet, and cannot replace '%s'", old->shown,
			fresh->shown);
	return 0;
}

/* The old name goes first: the new one may lie below it. */
static int prepare_rename(struct ref_change *c, const struct branch *old,
	const struct branch *fresh, struct store_error *err)
{
	char was[REFS_VALUE], now[REFS_VALUE];
	int rc = 0;

	refs_rename_why(c->update.why, old->full, fresh->full);
	if (exists(old))
		rc = refs_update_add(&c->update, old->full, old->value, NULL, err);
	if (rc == 0 && exists(old))
		rc = refs_update_add(&c->update, fresh->full, fresh->value, old->value, err);
	if (rc == 0 && is_current(c, old)) {
		snprintf(was, sizeof(was), "ref:%s", old->full);
		snprintf(now, sizeof(now), "ref:%s", fresh->full);
		return refs_update_add(&c->update, "HEAD", was, now, err);
	}
	memcpy(c->guards[0], old->full, sizeof(old->full));
	memcpy(c->guards[1], fresh->full, sizeof(fresh->full));
	return rc;
}

static int rename_branch(struct ref_change *c, const char *name, const char *new_name, bool force,
	struct store_error *err)
{
	struct branch old, fresh;
	int rc = find_old(c, name, &old, err);

	if (rc == 0)
		rc = find(c, new_name, &fresh, err);
	if (rc != 0)
		return rc;
	fill(c, &fresh, exists(&old) ? &old.commit : NULL);
	ref_change_short(c->result->old_name, old.full);
	c->result->is_current = is_current(c, &old);
	if (strcmp(old.full, fresh.full) == 0)
		return 0;
	rc = check_new(c, &old, &fresh, force, err);
	if (rc == 0)
		rc = prepare_rename(c, &old, &fresh, err);
	return rc == 0 ? ref_change_publish(c, err) : rc;
}

int store_branch_rename(struct store_repo *repo, const char *name, const char *new_name,
	unsigned int flags, struct store_ref_result *result, struct store_error *err)
{
	struct ref_change c;
	int rc = ref_change_begin(&c, repo, result, err);

	if (rc == 0)
		rc = rename_branch(&c, name, new_name, flags & STORE_REF_FORCE, err);
	ref_change_end(&c);
	return rc;
}
