/*
 * Is a path of the working tree what the stage says?
 *
 * Clean by attributes: size, mode, mtime, ctime and inode are those seen when it was read, and they
 * are older than that reading by more than the clock's grain; else a change within one tick could
 * hide. What is not clean by attributes is read and hashed at the lengths of the stored chunks:
 * never cut again, so other chunk sizes make no difference.
 *
 * Owner and extended attributes have no place in the row's attributes. A change of either moves
 * ctime, so what is clean by attributes has those it had; of the rest they are compared with the
 * recorded ones.
 */
#ifndef STORE_WORK_COMPARE_H
#define STORE_WORK_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "data/hash.h"
#include "graph/nodes.h"
#include "graph/stage.h"
#include "work/worktree.h"

struct store_repo;
struct store_error;

/* What comparing needs to know of a working tree, and its buffers; one per thread. */
struct compare {
	struct node_source nodes;
	struct hash *hash;
	uint8_t *data;    /* a buffer for reading */
	struct buf list;  /* xattrs */
	int64_t grain_ns; /* of time stamps: 20 ms, or 2 s on FAT and network file systems */
	uint64_t dev;     /* where that holds; what is mounted below may be coarse */
	bool trust_ctime; /* core.trustctime */
	bool has_modes;   /* core.metadata is not none: all permission bits are recorded */
	bool has_owners;  /* owner and xattrs count, too (posix). Set by the caller */
	/*
	 * Now and then while content is read; non-zero: STORE_ECANCELED. NULL: none.
	 */
	int (*tick)(void *ctx);
	void *tick_ctx;
	uint64_t opened, bytes; /* files opened, and bytes of content read, so far */
};

/*
 * nodes: NULL: the handle's own reader; else one of the calling thread. Copies *nodes. Released by
 * compare_release in any case.
 */
int compare_init(struct compare *c, struct store_repo *repo, const struct node_source *nodes,
	struct store_error *err);
void compare_release(struct compare *c);

enum compare_verdict {
	COMPARE_SAME,    /* kind, mode and content are as staged */
	COMPARE_MODE,    /* content may be as staged; kind (file, exec), mode or owner is another */
	COMPARE_TYPE,    /* file, directory, link: another one, or a special */
	COMPARE_CHANGED, /* the content is another: its size says so already */
	COMPARE_READ,    /* only reading it can tell */
};

/*
 * By attributes alone. row: of any kind; two directories are COMPARE_SAME. Pure. COMPARE_MODE is
 * told before content is looked
 * at: whoever wants to know of that, too, reads.
 */
enum compare_verdict compare_stat(const struct compare *c, const struct stage_row *row,
	const struct worktree_entry *e);

/*
 * Are the attributes of e those seen when row's content was read, and old enough to be trusted?
 * Mode and kind included.
 */
bool compare_is_fresh(const struct compare *c, const struct stage_row *row,
	const struct worktree_entry *e);

/*
 * Does the file at fd hold the content of ref? Reads from offset 0, stops at the first difference;
 * holes that stand for stored runs of zeros are not read. STORE_EIO with err->sys when it cannot be
 * read; STORE_ECORRUPT, STORE_ENOTFOUND when the stored sequence cannot.
 */
int compare_file(struct compare *c, int fd, const struct file_ref *ref, bool *same,
	struct store_error *err);
/* The same for bytes in memory: the target of a symlink. */
int compare_bytes(struct compare *c, const void *data, size_t len, const struct file_ref *ref,
	bool *same, struct store_error *err);

/*
 * All of it for the entry e in directory dirfd: COMPARE_SAME, COMPARE_MODE, COMPARE_TYPE or
 * COMPARE_CHANGED, never COMPARE_READ; opens the file only when attributes cannot tell. Recorded
 * owners and xattrs count when c->has_owners, and are looked at before content is. An error
 * with err->sys (EACCES, ENOENT, ...) is of the working tree; without, of the repository.
 */
int compare_entry(struct compare *c, int dirfd, const struct worktree_entry *e,
	const struct stage_row *row, enum compare_verdict *out, struct store_error *err);

#endif
