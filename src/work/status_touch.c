/*
 * Rows that status found equal by reading, to be stamped anew so that the next status need not read
 * them: a favour, so it waits for nobody, and its failure is none of ours.
 *
 * They are written when the walk is over: a publication in mid-walk would leave the pages of its
 * snapshot behind in the database for good. So many as one publication takes wait in memory; those
 * of a whole checkout go to a nameless file in tmp/, and follow batch by batch for as long as the
 * gate is free.
 */
#include "work/status_internal.h"

#include <string.h>

#include "odb/publish.h"

#define TOUCH_MAX 5000 /* rows of one publication */

void status_touch_init(struct status_touch *t, struct store_repo *repo)
{
	memset(t, 0, sizeof(*t));
	t->repo = repo;
	spool_init(&t->rest, odb_tmp_fd(repo->odb));
	t->batch = repo->foreign ? NULL : stage_batch_new();
}

void status_touch_release(struct status_touch *t)
{
	stage_batch_free(t->batch);
	spool_release(&t->rest);
	buf_release(&t->record);
}

/* Nothing more is taken or written. */
static void give_up(struct status_touch *t)
{
	stage_batch_free(t->batch);
	t->batch = NULL;
}

void status_touch_add(struct status_touch *t, const void *path, size_t len,
	const struct stage_row *row)
{
	struct stage_row bare = *row;
	int rc;

	/* Attributes are no part of a touch. */
	bare.meta = NULL;
	bare.meta_len = 0;
	if (!t->batch)
		return;
	if (stage_batch_count(t->batch) < TOUCH_MAX) {
		rc = stage_batch_touch(t->batch, path, len, &bare, NULL);
	} else {
		rc = buf_set(&t->record, &bare, sizeof(bare));
		if (rc == 0)
			rc = buf_add(&t->record, path, len);
		if (rc == 0)
			rc = spool_add(&t->rest, t->record.data, t->record.len, NULL);
	}
	if (rc != 0)
		give_up(t);
}

/* Fill the batch from the spool; false: nothing is left. */
static bool next_batch(struct status_touch *t)
{
	struct stage_row row;
	int rc = 0;

	stage_batch_clear(t->batch);
	while (rc == 0 && stage_batch_count(t->batch) < TOUCH_MAX) {
		rc = spool_next(&t->rest, &t->record, NULL);
		if (rc != 0 || t->record.len < sizeof(row))
			break;
		memcpy(&row, t->record.data, sizeof(row));
		rc = stage_batch_touch(t->batch, (const char *)t->record.data + sizeof(row),
			t->record.len - sizeof(row), &row, NULL);
	}
	return stage_batch_count(t->batch) > 0;
}

static int apply(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	return stage_batch_apply(ctx, txn, number, err);
}

uint64_t status_touch_publish(struct status_touch *t)
{
	const struct publication p = { .apply = apply, .ctx = t->batch, .only_if_free = true };
	uint64_t done = 0;

	if (!t->batch || stage_batch_count(t->batch) == 0)
		return 0;
	/* What cannot be read back is stamped another time. */
	if (spool_rewind(&t->rest, NULL) != 0)
		return 0;
	do {
		if (publish(t->repo->odb, &p, NULL, NULL) != 0)
			break;
		done++;
	} while (next_batch(t));
	return done;
}
