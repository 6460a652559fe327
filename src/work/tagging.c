/*
 * Tags made and deleted.
 *
 * A plain tag is a name for a commit; an annotated one names an object that names the commit and
 * says who, when and why. Object and ref come into being in one publication. A tag of a tag is one
 * of the commit behind it.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/refname.h"
#include "graph/tag.h"
#include "work/options.h"
#include "work/ref_change.h"

static int check_message(const char *message, struct store_error *err)
{
	if (!message)
		return 0;
	if (strspn(message, " \t\n") == strlen(message))
		return store_error_set(err, STORE_EINVAL, "the message of the tag is empty");
	if (strlen(message) > LIMIT_MESSAGE)
		return store_error_set(err, STORE_EINVAL,
			"the message of the tag is longer than %u bytes", LIMIT_MESSAGE);
	return 0;
}

/* The object of an annotated tag, into a writer that the publication takes along. */
static int put_object(struct ref_change *c, const char *name, const char *message,
	const struct oid *commit, struct oid *out, struct store_error *err)
{
	struct tag tag = { .object = *commit,
		.type = KIND_COMMIT,
		.name = text_slice_of(name),
		.message = text_slice_of(message) };
	struct buf who = { 0 }, text = { 0 };
	bool guessed = false;
	int rc = identity_now(c->repo, IDENTITY_COMMITTER, NULL, NULL, &who, &tag.tagger, &guessed,
		err);

	c->result->identity_guessed = guessed;
	if (rc == 0)
		rc = tag_encode(&text, &tag, err);
	if (rc == 0)
		rc = writer_new(&c->writer, c->repo->odb, err);
	if (rc == 0)
		rc = writer_register(c->writer, err);
	if (rc == 0)
		rc = writer_put(c->writer, KIND_TAG, text.data, text.len, out, err);
	buf_release(&who);
	buf_release(&text);
	return rc;
}

static int set_was(struct ref_change *c, const char *full, const char *value,
	struct store_error *err)
{
	struct oid was;

	ref_change_short(c->result->name, full);
	c->result->existed = strcmp(value, "-") != 0;
	if (!c->result->existed)
		return 0;
	if (id_parse(&was, value, strlen(value)) != 0)
		return store_error_set(err, STORE_ECORRUPT,
			"ref '%s' is malformed; run 'store fsck --rebuild'", full);
	c->result->was = view_id(&was);
	return 0;
}

static int create(struct ref_change *c, const char *name, const struct store_tag_options *o,
	struct store_error *err)
{
	const char *rev = o->rev ? o->rev : "HEAD";
	char full[LIMIT_REF + 1], old[REFS_VALUE], value[REFS_VALUE], shown[200];
	struct oid commit, id;
	int rc = ref_change_find(c, REFNAME_TAGS, name, full, old, err);

	if (rc == 0)
		rc = set_was(c, full, old, err);
	if (rc == 0 && c->result->existed && !(o->flags & STORE_REF_FORCE))
		rc = store_error_set(err, STORE_EEXISTS, "a tag '%s' exists already",
			quote_msg(shown, sizeof(shown), name, strlen(name)));
	if (rc == 0)
		rc = rev_parse(&c->view.source, rev, strlen(rev), &commit, err);
	/* A publication of the writer's own comes next: no snapshot may be open. */
	view_end(&c->view);
	if (rc != 0)
		return rc;
	id = commit;
	if (o->message)
		rc = put_object(c, name, o->message, &commit, &id, err);
	if (rc != 0)
		return rc;
	c->result->id = view_id(&id);
	c->result->commit = view_id(&commit);
	refs_value_of(value, &id);
	if (strcmp(value, old) == 0)
		return 0;
	snprintf(c->update.why, sizeof(c->update.why), "tag: %.300s", rev);
	rc = refs_update_add(&c->update, full, old, value, err);
	return rc == 0 ? ref_change_publish(c, err) : rc;
}

int store_tag_create(struct store_repo *repo, const char *name,
	const struct store_tag_options *options, struct store_ref_result *result,
	struct store_error *err)
{
	static const struct store_tag_options defaults;
	struct ref_change c;
	int rc = ref_change_begin(&c, repo, result, err);

	options = options ? options : &defaults;
	if (rc == 0)
		rc = options_check(options, "store_tag_options", err);
	if (rc == 0)
		rc = check_message(options->message, err);
	if (rc == 0)
		rc = create(&c, name, options, err);
	ref_change_end(&c);
	return rc;
}

static int delete_tag(struct ref_change *c, const char *name, struct store_error *err)
{
	char full[LIMIT_REF + 1], value[REFS_VALUE];
	int rc = ref_change_find(c, REFNAME_TAGS, name, full, value, err);

	if (rc == 0)
		rc = set_was(c, full, value, err);
	if (rc == 0 && !c->result->existed)
		rc = ref_change_unknown(c, REFNAME_TAGS, name, err);
	if (rc == 0)
		rc = refs_update_add(&c->update, full, value, NULL, err);
	snprintf(c->update.why, sizeof(c->update.why), "tag: deleted");
	return rc == 0 ? ref_change_publish(c, err) : rc;
}

int store_tag_delete(struct store_repo *repo, const char *name, struct store_ref_result *result,
	struct store_error *err)
{
	struct ref_change c;
	int rc = ref_change_begin(&c, repo, result, err);

	if (rc == 0)
		rc = delete_tag(&c, name, err);
	ref_change_end(&c);
	return rc;
}
