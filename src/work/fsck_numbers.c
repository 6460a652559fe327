/*
 * Phase 6, the numbers: counters stand in rows of their own, and nothing that is read shows that
 * one of them is wrong until it does harm. A top that is another directory makes the next commit
 * delete everything; a counter that fell back gives a new directory the number of an old one, whose
 * entries it then has.
 *
 *   1. no directory has a number that the counter will give out;
 *   2. no two names lead to one number, nor does a name lead to the top;
 *   3. whatever has rows or cached roots is led to by a name, or waits in `dead` to be swept;
 *   4. what waits in `dead` is led to by no name;
 *   5. no pack has the number of a publication to come. (For reflog and refs.log phase 3 sees to
 *      it.)
 *
 * Every publication leaves it so, and all of it is looked at in one snapshot, which lives as long
 * as some scans of the stage.
 *
 * Memory: numbers that names lead to go into a table of 4 MiB, PART of them at once. Where there
 * are more, they are looked at in parts, by their hash, with some scans for each part.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "graph/stage.h"
#include "odb/publish.h"
#include "work/fsck_internal.h"

#define PART ((size_t)1 << 18)
#define TOLD_MAX 20

struct numbers {
	struct fsck *fsck;
	struct env_txn *txn;
	uint64_t root; /* 0: it cannot be read, which was told */
	uint64_t greatest;
	uint64_t count; /* names that lead to directories, and the top */
	uint64_t parts, part;
	uint64_t *table; /* open addressing; 0 is free */
	size_t cap, used;
	int told;
};

typedef int number_fn(struct numbers *n, uint64_t number, struct store_error *err);

static int tell(struct numbers *n, uint64_t number, const char *what, struct store_error *err)
{
	if (n->told++ < TOLD_MAX)
		return fsck_damage(n->fsck, NULL, 0, 0, err,
			"stage: directory %" PRIu64 " %s; run 'store fsck --rebuild'", number,
			what);
	if (n->told == TOLD_MAX + 1)
		fsck_info(n->fsck, "the stage has more directories with wrong numbers");
	return 0;
}

/* ---- all numbers of one kind */

/* The numbers that names lead to, in any order. */
static int each_named(struct numbers *n, number_fn *fn, struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(n->txn, ENV_STAGE, &c, err);

	if (rc != 0)
		return rc;
	if (n->root != 0)
		rc = fn(n, n->root, err);
	while (rc == 0 && (rc = env_cursor_next(c, &key, &val, err)) == 0) {
		struct stage_row row;

		/* A row without a name has the attributes of the top itself. */
		if (key.len > 8 && stage_row_decode(&row, val.data, val.len, NULL) == 0 &&
			row.kind == ENTRY_DIR)
			rc = fn(n, row.dir, err);
		if (rc == 0)
			rc = fsck_tick(n->fsck, err);
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* The numbers that keys of a table begin with, each once. */
static int each_key(struct numbers *n, enum env_table table, number_fn *fn, struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(n->txn, table, &c, err);

	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		uint64_t number;
		uint8_t next[8];

		if (key.len < sizeof(next))
			continue;
		number = be64_get(key.data);
		rc = fn(n, number, err);
		if (rc == 0)
			rc = fsck_tick(n->fsck, err);
		if (rc != 0 || number == UINT64_MAX)
			break;
		be64_put(next, number + 1);
		env_cursor_seek(c, next, sizeof(next));
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* ---- the table of one part */

/* splitmix64's last step: the numbers follow each other, their hashes do not. */
static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 27) * 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

static bool is_here(const struct numbers *n, uint64_t number)
{
	return number != 0 && mix(number) % n->parts == n->part;
}

static uint64_t *find(const struct numbers *n, uint64_t number)
{
	size_t i = (size_t)(mix(number) >> 20) & (n->cap - 1);

	while (n->table[i] != 0 && n->table[i] != number)
		i = (i + 1) & (n->cap - 1);
	return &n->table[i];
}

static int put(struct numbers *n, uint64_t *at, uint64_t number, struct store_error *err)
{
	if (n->used + 1 == n->cap)
		return store_error_set(err, STORE_ECORRUPT,
			"the directories of the stage have numbers that no counter gave them; run 'store fsck --rebuild'");
	n->used++;
	*at = number;
	return 0;
}

static int add(struct numbers *n, uint64_t number, struct store_error *err)
{
	uint64_t *at;

	if (!is_here(n, number))
		return 0;
	at = find(n, number);
	if (*at == 0)
		return put(n, at, number, err);
	n->fsck->is_stage_tangled = true;
	return tell(n, number,
		number == n->root ? "is the top, and a name leads to it" : "is led to by two names",
		err);
}

static int check_used(struct numbers *n, uint64_t number, struct store_error *err)
{
	struct env_val v;
	uint64_t *at;
	uint8_t key[8];
	int rc;

	if (!is_here(n, number))
		return 0;
	at = find(n, number);
	if (*at != 0)
		return 0;
	be64_put(key, number);
	rc = env_get(n->txn, ENV_DEAD, key, sizeof(key), &v, err);
	if (rc != STORE_ENOTFOUND)
		return rc;
	/* Into the table, so that it is told once. */
	rc = put(n, at, number, err);
	return rc == 0 ? tell(n, number, "is led to by no name", err) : rc;
}

static int check_dead(struct numbers *n, uint64_t number, struct store_error *err)
{
	if (!is_here(n, number) || *find(n, number) == 0)
		return 0;
	return tell(n, number, "is in use, and about to be swept", err);
}

/* Parts of what a counter gave out are even, so twice the room is enough for the fullest. */
static int check_part(struct numbers *n, struct store_error *err)
{
	int rc;

	for (size_t i = 0; i < n->cap; i++)
		n->table[i] = 0;
	n->used = 0;
	rc = each_named(n, add, err);
	if (rc == 0)
		rc = each_key(n, ENV_STAGE, check_used, err);
	/* Attributes of a directory without entries stand here only. */
	if (rc == 0)
		rc = each_key(n, ENV_DIRS, check_used, err);
	return rc == 0 ? each_key(n, ENV_DEAD, check_dead, err) : rc;
}

static int check_parts(struct numbers *n, struct store_error *err)
{
	int rc = 0;

	n->parts = n->count / PART + 1;
	n->cap = 64;
	while (n->cap < 2 * PART && n->cap < 2 * n->count)
		n->cap *= 2;
	n->table = mem_alloc_array(n->cap, sizeof(*n->table));
	if (!n->table)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	for (n->part = 0; n->part < n->parts && rc == 0; n->part++)
		rc = check_part(n, err);
	free(n->table);
	return rc;
}

/* ---- counters */

static int take_greatest(struct numbers *n, uint64_t number, struct store_error *err)
{
	(void)err;
	n->count++;
	n->greatest = number > n->greatest ? number : n->greatest;
	return 0;
}

/* The number the last key of a table begins with; 0 without any. */
static int last_key(struct numbers *n, enum env_table table, uint64_t *out, struct store_error *err)
{
	static const uint8_t beyond[9] = { 255, 255, 255, 255, 255, 255, 255, 255, 255 };
	struct env_val key, val;
	const int rc = env_get_before(n->txn, table, beyond, sizeof(beyond), &key, &val, err);

	*out = rc == 0 && key.len >= 8 ? be64_get(key.data) : 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int check_next_dir(struct numbers *n, struct store_error *err)
{
	static const enum env_table tables[] = { ENV_STAGE, ENV_DIRS, ENV_DEAD, ENV_DIRTY };
	uint64_t next = 0, last;
	int rc = each_named(n, take_greatest, err);

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && rc == 0; i++) {
		rc = last_key(n, tables[i], &last, err);
		n->greatest = last > n->greatest ? last : n->greatest;
	}
	if (rc == 0)
		rc = env_number(n->txn, "next-dir", &next, err);
	if (rc != 0 || n->greatest < next)
		return rc;
	return fsck_damage(n->fsck, NULL, 0, 0, err,
		"stage: the next directory would get number %" PRIu64 ", and %" PRIu64
		" is in use; run 'store fsck --rebuild'",
		next, n->greatest);
}

static int check_next(struct numbers *n, struct store_error *err)
{
	uint64_t next, last;
	int rc = publish_next(n->txn, &next, err);

	if (rc == 0)
		rc = last_key(n, ENV_PACKS, &last, err);
	if (rc != 0 || last < next)
		return rc;
	return fsck_damage(n->fsck, NULL, 0, 0, err,
		"the next publication would get number %" PRIu64
		", and there is a pack of number %" PRIu64 "; run 'store fsck --rebuild'",
		next, last);
}

int fsck_numbers(struct fsck *f, struct env_txn *txn, struct store_error *err)
{
	struct numbers n = { .fsck = f, .txn = txn };
	int rc = check_next(&n, err);

	if (rc == 0 && stage_root(txn, &n.root, NULL) != 0)
		n.root = 0;
	if (rc == 0)
		rc = check_next_dir(&n, err);
	return rc == 0 ? check_parts(&n, err) : rc;
}
