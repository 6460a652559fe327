/*
 * What lies below a directory of the stage. A directory in which nothing is marked as changed has
 * its totals in its cached root, so only what changed since the last commit is counted row by row.
 */
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/stage.h"

struct count {
	struct env_txn *txn;
	struct stage_scan **rows; /* of the directories on the way down */
	size_t depth, cap;
	struct totals *totals;
};

static int add(struct count *c, const struct totals *t, struct store_error *err)
{
	if (totals_add(c->totals, t) != 0)
		return store_error_set(err, STORE_ECORRUPT,
			"the stage holds more than can be; run 'store fsck --rebuild'");
	return 0;
}

static int enter(struct count *c, uint64_t dir, struct store_error *err)
{
	struct entry root;
	bool known;
	int rc = stage_get_clean(c->txn, dir, &root, &known, err);

	if (rc != 0)
		return rc;
	if (known)
		return add(c, &root.totals, err);
	if (mem_grow(&c->rows, &c->cap, c->depth + 1, sizeof(struct stage_scan *)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = stage_scan_open(c->txn, dir, &c->rows[c->depth], err);
	if (rc == 0)
		c->depth++;
	return rc;
}

/* The next row of the lowest directory. */
static int step(struct count *c, struct store_error *err)
{
	static const struct totals a_dir = { .dirs = 1 };
	const uint8_t *name;
	struct stage_row row;
	size_t len;
	int rc = stage_scan_next(c->rows[c->depth - 1], &name, &len, &row, err);

	if (rc == STORE_ENOTFOUND) {
		stage_scan_close(c->rows[--c->depth]);
		return 0;
	}
	/* The directory's own attributes stand under the empty name. */
	if (rc != 0 || len == 0)
		return rc;
	if (row.kind != ENTRY_DIR)
		return add(c, &(struct totals){ .size = row.ref.size, .files = 1 }, err);
	rc = add(c, &a_dir, err);
	return rc == 0 ? enter(c, row.dir, err) : rc;
}

int stage_count(struct env_txn *t, uint64_t dir, struct totals *out, struct store_error *err)
{
	struct count c = { .txn = t, .totals = out };
	int rc;

	*out = (struct totals){ 0 };
	rc = enter(&c, dir, err);
	while (rc == 0 && c.depth > 0)
		rc = step(&c, err);
	while (c.depth > 0)
		stage_scan_close(c.rows[--c.depth]);
	free(c.rows);
	return rc;
}
