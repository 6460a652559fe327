/*
 * Opening LMDB: 1 TiB of address space reserved, halved until the limits of the process allow it;
 * openers queue; another user's database is opened only when its files are that user's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/owner.h"
#include "odb/env_internal.h"

#define MAP_RESERVE ((size_t)1 << 40)
#define READERS_MAX 1022

const char *const env_table_names[ENV_TABLES] = {
	"stage",
	"dirty",
	"dirs",
	"dead",
	"refs",
	"reflog",
	"packs",
	"objects",
	"writers",
	"stats",
};

int env_from_mdb(int rc, struct store_error *err, const char *what, const char *path)
{
	switch (rc) {
	case MDB_NOTFOUND:
		return STORE_ENOTFOUND;
	case MDB_KEYEXIST:
		return STORE_EEXISTS;
	case MDB_MAP_FULL:
	case MDB_MAP_RESIZED:
		return ENV_FULL;
	case MDB_READERS_FULL:
		return store_error_set(err, STORE_EBUSY, "cannot %s '%s': too many readers at once",
			what, path);
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_PANIC:
		return store_error_set(err, STORE_ECORRUPT,
			"cannot %s '%s': %s; run 'store fsck --rebuild'", what, path,
			mdb_strerror(rc));
	case MDB_VERSION_MISMATCH:
		return store_error_set(err, STORE_EVERSION, "cannot %s '%s': %s", what, path,
			mdb_strerror(rc));
	default:
		if (rc > 0) {
			errno = rc;
			return store_error_sys(err, "cannot %s '%s'", what, path);
		}
		return store_error_set(err, STORE_EIO, "cannot %s '%s': %s", what, path,
			mdb_strerror(rc));
	}
}

/* Without create nothing is written: the write lock is not taken. */
static int open_tables(struct env *e, bool create)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(e->mdb, NULL, create ? 0 : MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	for (int i = 0; i < ENV_TABLES && rc == 0; i++)
		rc = mdb_dbi_open(txn, env_table_names[i], create ? MDB_CREATE : 0, &e->dbi[i]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/* map_size 0: as large as the file. */
int env_open_sized(struct env *e, size_t map_size, unsigned int mdb_flags)
{
	int rc = mdb_env_create(&e->mdb);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_maxdbs(e->mdb, ENV_TABLES)) == 0 &&
		(rc = mdb_env_set_maxreaders(e->mdb, READERS_MAX)) == 0 &&
		(map_size == 0 || (rc = mdb_env_set_mapsize(e->mdb, map_size)) == 0))
		rc = mdb_env_open(e->mdb, e->path, mdb_flags, 0666);
	if (rc != 0) {
		mdb_env_close(e->mdb);
		e->mdb = NULL;
	}
	return rc;
}

void env_find_pages(struct env *e)
{
	mdb_filehandle_t fd;

	if (mdb_env_get_fd(e->mdb, &fd) == 0)
		env_pages_find(&e->pages, fd);
}

static size_t first_map_size(void)
{
#ifdef STORE_FAULTS
	const char *s = getenv("STORE_TEST_MAP_SIZE");

	if (s)
		return strtoull(s, NULL, 0);
#endif
	return MAP_RESERVE;
}

/*
 * Openers come one after another, by a lock on the folder that ends with its descriptor. It is
 * polled, for who stopped in the middle must not hold up everybody without end. LMDB's
 * first opener makes the lock file anew while it holds that alone; who waits for it takes for good
 * what is there afterwards. When the first was killed half-way, or failed to map so much, that is
 * transaction number 0: an old state is read, and the next commits overwrite acknowledged ones.
 */
static int queue_up(const struct env *e, int *fd, struct store_error *err)
{
	char who[40] = "another process";
	long holder;
	int rc;

	*fd = open(e->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd == -1)
		return store_error_sys(err, "cannot open '%s'", e->path);
	rc = io_flock(*fd, e->wait_ms);
	if (rc == 0)
		return 0;
	if (rc < 0)
		return store_error_sys(err, "cannot lock '%s'", e->path);
	holder = io_flock_holder(*fd);
	if (holder != 0)
		snprintf(who, sizeof(who), "process %ld", holder);
	return store_error_set(err, STORE_EBUSY,
		"cannot open '%s': %s has been opening it for %u ms and does not go on; try again when it has ended",
		e->path, who, e->wait_ms);
}

static const char *const files[] = { "data.mdb", "lock.mdb" };

#define FILES 2

/*
 * Another user's database: LMDB opens its files by name, follows symlinks and writes to the lock
 * file, so these must be that user's own, or root could be led to write elsewhere. A lock file
 * that is missing is made theirs: they could not use one of ours.
 */
static int check_foreign(const struct env *e, int dirfd, struct store_error *err)
{
	struct stat dir, st;
	int fd;

	if (fstat(dirfd, &dir) != 0)
		return store_error_sys(err, "cannot open '%s'", e->path);
	fd = openat(dirfd, "lock.mdb", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd != -1 && fchown(fd, dir.st_uid, dir.st_gid) != 0)
		unlinkat(dirfd, "lock.mdb", 0);
	io_close(&fd);
	for (size_t i = 0; i < FILES; i++) {
		if (fstatat(dirfd, files[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue; /* LMDB says why */
		if (!S_ISREG(st.st_mode) || st.st_uid != dir.st_uid)
			return store_error_set(err, STORE_EDENIED,
				"cannot open '%s/%s': in the repository of another user it must be a plain file of that user",
				e->path, files[i]);
	}
	return 0;
}

int env_open_mdb(struct env *e, struct store_error *err)
{
	bool missing[FILES];
	unsigned int flags = MDB_NOTLS | MDB_NORDAHEAD;
	size_t size = first_map_size();
	int rc, queue;

	if (e->flags & ENV_RDONLY)
		flags |= MDB_RDONLY;
	rc = queue_up(e, &queue, err);
	if (rc != 0) {
		io_close(&queue);
		return rc;
	}
	if (e->flags & ENV_FOREIGN)
		rc = check_foreign(e, queue, err);
	if (rc == 0)
		rc = env_check_head(e, queue, err);
	if (rc != 0) {
		io_close(&queue);
		return rc;
	}
	for (size_t i = 0; i < FILES; i++)
		missing[i] = faccessat(queue, files[i], F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	for (;;) {
		rc = env_open_sized(e, size, flags);
		if (rc == EROFS && !(flags & MDB_NOLOCK))
			flags |= MDB_RDONLY | MDB_NOLOCK;
		else if ((rc == ENOMEM || rc == EINVAL) && size > ENV_MAP_SMALLEST)
			size /= 2;
		else
			break;
	}
	for (size_t i = 0; i < FILES && rc == 0; i++) {
		if (missing[i])
			owner_give_name(queue, files[i]);
	}
	io_close(&queue);
	if (rc == EACCES)
		return store_error_set(err, STORE_EDENIED,
			"cannot open '%s': permission denied; readers need write permission on 'lock.mdb' in it (chmod o+w), nothing else",
			e->path);
	if (rc != 0)
		return env_from_mdb(rc, err, "open", e->path);
	mdb_reader_check(e->mdb, NULL);
	rc = env_check_size(e, err);
	if (rc != 0)
		return rc;
	rc = open_tables(e, false);
	if (rc == MDB_NOTFOUND && !(e->flags & ENV_RDONLY))
		rc = open_tables(e, true);
	if (rc == MDB_NOTFOUND)
		return store_error_set(err, STORE_ECORRUPT,
			"cannot open '%s': tables are missing; run 'store fsck --rebuild'",
			e->path);
	if (rc != 0)
		return env_from_mdb(rc, err, "open", e->path);
	env_find_pages(e);
	return 0;
}

#define TEXT_OF(x) #x
#define VERSION_OF(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *env_library_version(void)
{
	return VERSION_OF(MDB_VERSION_MAJOR, MDB_VERSION_MINOR, MDB_VERSION_PATCH);
}
