/*
 * A directory's cached roots are stored iff the cached roots they were built from are still there
 * and every dirty row that was read still has its generation; else another add came between, and
 * the directory is left for the next commit. The check and the storing are one transaction; the
 * dirty rows may go in several, each again only with its generation.
 */
#include "work/settle.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "graph/stage_internal.h"

#define SETTLE_ROWS 4000

void settle_init(struct settle *s, int dirfd, struct env_txn *snapshot)
{
	memset(s, 0, sizeof(*s));
	spool_init(&s->spool, dirfd);
	s->snapshot = snapshot;
}

void settle_release(struct settle *s)
{
	spool_release(&s->spool);
}

int settle_note(void *ctx, const struct build_done *d, struct store_error *err)
{
	struct settle *s = ctx;

	return spool_add(&s->spool, d, sizeof(*d), err);
}

bool settle_is_small(const struct settle *s)
{
	return s->dirty + s->spool.count <= SETTLE_ROWS;
}

int settle_rewind(struct settle *s, struct store_error *err)
{
	s->has_record = false;
	return spool_rewind(&s->spool, err);
}

static int next_record(struct settle *s, struct store_error *err)
{
	struct buf bytes = { 0 };
	int rc = spool_next(&s->spool, &bytes, err);

	if (rc == 0 && bytes.len != sizeof(s->record))
		rc = store_error_set(err, STORE_EIO, "a temporary file is damaged");
	if (rc == 0)
		memcpy(&s->record, bytes.data, sizeof(s->record));
	buf_release(&bytes);
	s->has_record = rc == 0;
	s->after_set = s->stored = false;
	return rc;
}

/* Is all that the directory was built from as it was? */
static int check_dir(struct settle *s, struct env_txn *t, bool *same, struct store_error *err)
{
	struct stage_dir now;
	struct stage_scan *rows = NULL;
	const uint8_t *name;
	uint64_t generation;
	size_t len;
	int rc = stage_get_dir(t, s->record.dir, &now, err);

	*same = rc == 0 && now.generation == s->record.generation;
	if (rc != 0 || !*same)
		return rc;
	rc = stage_dirty_open(s->snapshot, s->record.dir, &rows, err);
	while (rc == 0 && *same) {
		rc = stage_dirty_next(rows, &name, &len, &generation, err);
		if (rc == 0)
			rc = stage_dirty_has_generation(t, s->record.dir, name, len, generation,
				same, err);
	}
	stage_scan_close(rows);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int delete_row(struct settle *s, struct env_txn *t, const uint8_t *name, size_t len,
	uint64_t generation, struct store_error *err)
{
	struct stage_key k;
	bool same;
	int rc = stage_dirty_has_generation(t, s->record.dir, name, len, generation, &same, err);

	if (rc != 0 || !same)
		return rc;
	stage_key_set(&k, s->record.dir, name, len);
	return env_del(t, ENV_DIRTY, k.b, k.len, err);
}

/*
 * Delete dirty rows of the record's directory from `after` on, within the budget. *more: the budget
 * ended first.
 */
static int delete_rows(struct settle *s, struct env_txn *t, size_t *budget, bool *more,
	struct store_error *err)
{
	struct stage_scan *rows = NULL;
	const uint8_t *name;
	uint64_t generation;
	size_t len;
	int rc = stage_dirty_open(s->snapshot, s->record.dir, &rows, err);

	*more = false;
	if (rc == 0 && s->after_set)
		stage_scan_seek(rows, s->after, s->after_len);
	while (rc == 0 && !*more) {
		rc = stage_dirty_next(rows, &name, &len, &generation, err);
		if (rc != 0)
			break;
		rc = delete_row(s, t, name, len, generation, err);
		memcpy(s->after, name, len);
		s->after_len = len;
		s->after_set = true;
		*more = --*budget == 0;
	}
	stage_scan_close(rows);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int settle_dir(struct settle *s, struct env_txn *t, uint64_t number, size_t *budget,
	bool *more, struct store_error *err)
{
	bool same = true;
	int rc = 0;

	*more = false;
	if (!s->stored) {
		rc = check_dir(s, t, &same, err);
		if (rc != 0 || !same)
			return rc;
		s->record.now.generation = number;
		rc = stage_set_dir(t, s->record.dir, &s->record.now, err);
		s->stored = true;
	}
	return rc == 0 ? delete_rows(s, t, budget, more, err) : rc;
}

int settle_batch(struct settle *s, struct env_txn *t, uint64_t number, bool *done,
	struct store_error *err)
{
	size_t budget = SETTLE_ROWS;
	int rc = 0;

	*done = false;
	while (budget > 0) {
		bool more = false;

		if (!s->has_record)
			rc = next_record(s, err);
		if (rc == STORE_ENOTFOUND) {
			*done = true;
			return 0;
		}
		if (rc == 0)
			rc = settle_dir(s, t, number, &budget, &more, err);
		if (rc != 0)
			return rc;
		if (!more)
			s->has_record = false;
		if (budget > 0)
			budget--;
	}
	return 0;
}
