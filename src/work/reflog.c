/*
 * The log of a ref, read entry by entry (graph/rev_log.c). Rows of the past do not change, so each
 * step looks into a snapshot of its own: a log that is read slowly holds nothing back.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/refname.h"
#include "work/view_internal.h"

struct store_reflog_iter {
	struct store_repo *repo;
	struct rev_log_past past;
	uint64_t n;
	struct buf text; /* who and why, each with a NUL */
};

/* A ref that is there no more, but has a log. */
static int find_deleted(struct env_txn *txn, const char *name, char full[LIMIT_REF + 1],
	struct store_error *err)
{
	static const char *const prefixes[] = { "", "refs/", REFNAME_TAGS, REFNAME_HEADS };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct rev_log_past past;
		struct rev_log_event e;
		int rc;

		if (strlen(prefixes[i]) + strlen(name) > LIMIT_REF)
			continue;
		snprintf(full, LIMIT_REF + 1, "%s%s", prefixes[i], name);
		rc = rev_log_begin(txn, full, &past, err);
		if (rc == 0)
			rc = rev_log_next(txn, &past, &e, err);
		if (rc != STORE_ENOTFOUND)
			return rc;
	}
	return STORE_ENOTFOUND;
}

static int find(const struct view *v, const char *name, char full[LIMIT_REF + 1],
	struct store_error *err)
{
	char shown[200], near[NEAREST_MAX + 1], near_shown[80];
	int rc = rev_full_name(v->txn, name, strlen(name), full, err);

	if (rc == STORE_ENOTFOUND && *name)
		rc = find_deleted(v->txn, name, full, err);
	if (rc != STORE_ENOTFOUND)
		return rc;
	quote_msg(shown, sizeof(shown), name, strlen(name));
	if (rev_nearest(&v->source, text_slice_of(name), near) <= 0)
		return store_error_set(err, rc, "there is no ref '%s', and no log of one", shown);
	return store_error_set(err, rc,
		"there is no ref '%s', and no log of one; the nearest is '%s'", shown,
		quote_msg(near_shown, sizeof(near_shown), near, strlen(near)));
}

int store_reflog_open(struct store_repo *repo, const char *ref, struct store_reflog_iter **out,
	struct store_error *err)
{
	struct store_reflog_iter *it = calloc(1, sizeof(*it));
	char full[LIMIT_REF + 1];
	struct view v;
	int rc;

	*out = NULL;
	if (!it)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	it->repo = repo;
	rc = view_begin(&v, repo, err);
	if (rc == 0)
		rc = find(&v, ref ? ref : "HEAD", full, err);
	if (rc == 0)
		rc = rev_log_begin(v.txn, full, &it->past, err);
	view_end(&v);
	if (rc != 0) {
		store_reflog_free(it);
		return rc;
	}
	*out = it;
	return 0;
}

static int set_entry(struct store_reflog_iter *it, const struct rev_log_event *e,
	struct store_reflog_entry *entry, struct store_error *err)
{
	size_t why;
	int rc;

	*entry = (struct store_reflog_entry){ .n = it->n,
		.number = e->number,
		.has_old = e->has_old,
		.has_new = e->has_new,
		.time = e->who.seconds,
		.zone = e->who.zone };
	if (e->has_old)
		entry->old_id = view_id(&e->old_id);
	if (e->has_new)
		entry->new_id = view_id(&e->new_id);
	buf_clear(&it->text);
	rc = ident_format_who(&it->text, &e->who, err);
	buf_add_u8(&it->text, 0);
	why = it->text.len;
	buf_add(&it->text, e->why.p, e->why.len);
	buf_add_u8(&it->text, 0);
	if (rc == 0)
		rc = buf_check(&it->text, err);
	if (rc != 0)
		return rc;
	entry->who = (const char *)it->text.data;
	entry->why = entry->who + why;
	return 0;
}

int store_reflog_next(struct store_reflog_iter *it, struct store_reflog_entry *entry,
	struct store_error *err)
{
	struct rev_log_event e;
	struct view v;
	int rc = view_begin(&v, it->repo, err);

	/* HEAD has rows from before the first commit: they moved it from nothing to nothing. */
	while (rc == 0) {
		rc = rev_log_next(v.txn, &it->past, &e, err);
		if (rc == 0 && (e.has_old || e.has_new))
			break;
		it->n += rc == 0;
	}
	if (rc == 0)
		rc = set_entry(it, &e, entry, err);
	it->n += rc == 0;
	view_end(&v);
	return rc;
}

void store_reflog_free(struct store_reflog_iter *it)
{
	if (!it)
		return;
	buf_release(&it->text);
	free(it);
}
