/*
 * Do the paths below a directory of the stage have room, when it gets a longer name?
 *
 * The length of the longest is stored nowhere, and to look at every row would make a rename cost
 * what the directory holds. But a path is as long as its names, and a directory in which nothing is
 * marked as changed knows how many directories lie below it: where so many of the longest names
 * have room, nothing is read. So directories are entered only above more than a dozen others.
 */
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/limits.h"
#include "graph/stage.h"

struct frame {
	struct stage_scan *rows;
	size_t room; /* for a name in it and what lies below */
};

struct measure {
	struct env_txn *txn;
	struct frame *frames;
	size_t count, cap;
};

/* Has it room by the number of directories below it? */
static int is_surely_short(struct measure *m, uint64_t dir, size_t room, bool *is,
	struct store_error *err)
{
	struct entry root;
	bool known;
	const int rc = stage_get_clean(m->txn, dir, &root, &known, err);

	/* Each directory is a name and a separator, and a file is the last. */
	*is = rc == 0 && known && root.totals.dirs < (room + 1) / (LIMIT_NAME + 1);
	return rc;
}

static int enter(struct measure *m, uint64_t dir, size_t room, struct store_error *err)
{
	bool is_short;
	int rc = is_surely_short(m, dir, room, &is_short, err);

	if (rc != 0 || is_short)
		return rc;
	if (mem_grow(&m->frames, &m->cap, m->count + 1, sizeof(*m->frames)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = stage_scan_open(m->txn, dir, &m->frames[m->count].rows, err);
	if (rc == 0)
		m->frames[m->count++].room = room;
	return rc;
}

/* The next row of the lowest directory. */
static int step(struct measure *m, bool *fits, struct store_error *err)
{
	const struct frame f = m->frames[m->count - 1];
	const uint8_t *name;
	struct stage_row row;
	size_t len;
	int rc = stage_scan_next(f.rows, &name, &len, &row, err);

	if (rc == STORE_ENOTFOUND) {
		stage_scan_close(f.rows);
		m->count--;
		return 0;
	}
	if (rc != 0)
		return rc;
	*fits = len <= f.room;
	/* The directory's own attributes stand under the empty name. */
	if (!*fits || len == 0 || row.kind != ENTRY_DIR)
		return 0;
	return enter(m, row.dir, f.room > len ? f.room - len - 1 : 0, err);
}

int stage_has_room(struct env_txn *t, uint64_t dir, size_t room, bool *fits,
	struct store_error *err)
{
	struct measure m = { .txn = t };
	int rc = enter(&m, dir, room, err);

	*fits = true;
	while (rc == 0 && *fits && m.count > 0)
		rc = step(&m, fits, err);
	while (m.count > 0)
		stage_scan_close(m.frames[--m.count].rows);
	free(m.frames);
	return rc;
}
