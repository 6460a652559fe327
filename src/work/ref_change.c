/*
 * A change of branches or tags: decided on a snapshot, made in one publication.
 *
 * The publication expects every ref to have the value that the snapshot had, and HEAD not to have
 * gone onto a branch that the change takes away, so what was decided still holds when it happens.
 * Who comes second is told so (STORE_EBUSY) and has changed nothing.
 */
#include "work/ref_change.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/refname.h"
#include "odb/publish.h"
#include "work/repo_internal.h"

int ref_change_begin(struct ref_change *c, struct store_repo *repo, struct store_ref_result *result,
	struct store_error *err)
{
	int rc;

	memset(c, 0, sizeof(*c));
	c->repo = repo;
	c->result = result ? result : &c->unused;
	memset(c->result, 0, sizeof(*c->result));
	rc = repo_check_writable(repo, err);
	if (rc == 0)
		rc = view_begin(&c->view, repo, err);
	if (rc == 0)
		rc = refs_head(c->view.txn, &c->head, err);
	return rc == 0 ? identity_for_log(repo, &c->who, &c->update.who, err) : rc;
}

void ref_change_end(struct ref_change *c)
{
	view_end(&c->view);
	writer_free(c->writer);
	buf_release(&c->who);
}

int ref_change_find(struct ref_change *c, const char *prefix, const char *name,
	char full[LIMIT_REF + 1], char value[REFS_VALUE], struct store_error *err)
{
	struct buf b = { 0 };
	int rc = refname_full(&b, prefix, name, strlen(name), err);

	if (rc == 0)
		snprintf(full, LIMIT_REF + 1, "%.*s", (int)b.len, (const char *)b.data);
	buf_release(&b);
	if (rc != 0)
		return rc;
	rc = refs_get(c->view.txn, full, value, err);
	if (rc == STORE_ENOTFOUND)
		memcpy(value, "-", 2);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int ref_change_unknown(const struct ref_change *c, const char *prefix, const char *name,
	struct store_error *err)
{
	const char *what = strcmp(prefix, REFNAME_TAGS) == 0 ? "tag" : "branch";
	char near[NEAREST_MAX + 1], shown[200], near_shown[80];

	quote_msg(shown, sizeof(shown), name, strlen(name));
	/* A distance of 0 is the same name of the other kind: no help. */
	if (rev_nearest(&c->view.source, text_slice_of(name), near) <= 0)
		return store_error_set(err, STORE_ENOTFOUND, "there is no %s '%s'", what, shown);
	return store_error_set(err, STORE_ENOTFOUND, "there is no %s '%s'; the nearest is '%s'",
		what, shown, quote_msg(near_shown, sizeof(near_shown), near, strlen(near)));
}

void ref_change_short(char out[256], const char *full)
{
	static const char *const prefixes[] = { REFNAME_HEADS, REFNAME_TAGS };

	for (size_t i = 0; i < 2; i++) {
		if (strncmp(full, prefixes[i], strlen(prefixes[i])) == 0) {
			full += strlen(prefixes[i]);
			break;
		}
	}
	snprintf(out, 256, "%s", full);
}

static int apply(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	struct ref_change *c = ctx;
	struct refs_head head;
	int rc = refs_head(txn, &head, err);

	for (size_t i = 0; rc == 0 && i < REF_CHANGE_GUARDS; i++) {
		if (c->guards[i][0] && strcmp(c->guards[i], head.branch) == 0)
			rc = store_error_set(err, STORE_EBUSY,
				"HEAD went onto '%s' meanwhile; run it again", head.branch);
	}
	return rc == 0 ? refs_update_apply(&c->update, txn, number, err) : rc;
}

static int log_refs(void *ctx, uint64_t number, struct buf *out, struct store_error *err)
{
	const struct ref_change *c = ctx;

	return refs_update_log(&c->update, number, out, err);
}

int ref_change_publish(struct ref_change *c, struct store_error *err)
{
	const struct publication p = { .writer = c->writer,
		.apply = apply,
		.log = log_refs,
		.ctx = c };

	view_end(&c->view);
	return publish(c->repo->odb, &p, NULL, err);
}
