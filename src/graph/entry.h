/*
 * Values of map leaves: directory entries, changes, recorded attributes. store-format(5), "Map
 * node".
 */
#ifndef STORE_GRAPH_ENTRY_H
#define STORE_GRAPH_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "data/id.h"

enum entry_kind {
	ENTRY_NONE = 0,
	ENTRY_FILE = 1,
	ENTRY_EXEC = 2,
	ENTRY_DIR = 3,
	ENTRY_LINK = 4,
};

/* Sums over a subtree.  The directory itself does not count. */
struct totals {
	uint64_t size;  /* bytes of files and symlink targets */
	uint64_t files; /* kinds 1, 2, 4 */
	uint64_t dirs;
};

/* One entry of a directory. */
struct entry {
	uint8_t kind; /* enum entry_kind */
	uint8_t height;
	struct oid id;
	struct totals totals; /* of a file or link: size, 1, 0 */
};

/* a += b; STORE_ECORRUPT on overflow. */
int totals_add(struct totals *a, const struct totals *b);
/* What e adds to its directory: e->totals, and one more dir for a directory. */
struct totals entry_totals(const struct entry *e);

int entry_encode(struct buf *out, const struct entry *e);
/* Takes the value from s; *e filled.  STORE_ECORRUPT on bad kinds or numbers. */
int entry_decode(struct span *s, struct entry *e);
/* May a file, program or link be said to have this content?  What entry_decode would take. */
bool entry_is_file(uint8_t kind, const struct file_ref *ref);
bool entry_eq(const struct entry *a, const struct entry *b);

enum change_kind {
	CHANGE_ADDED = 1,
	CHANGE_MODIFIED = 2,
	CHANGE_DELETED = 3,
	CHANGE_TYPE = 4,
	CHANGE_MODE = 5,
};

struct change {
	uint8_t change, old_kind, new_kind;
};

int change_encode(struct buf *out, const struct change *c);
int change_decode(struct span *s, struct change *c);
/*
 * The change between two entries (kind ENTRY_NONE: absent): 0 when equal or when both are
 * directories.
 */
uint8_t change_between(const struct entry *a, const struct entry *b);

#define META_ATTRS 1u
#define META_OWNER 2u
#define META_XATTRS 4u
#define META_CHILD 8u

/* Bytes of the longest meta value without META_CHILD: flags, mode, mtime, owner, list of xattrs. */
#define META_MAX (1 + 2 + 10 + 5 + 2 * 5 + ID_LEN + 1 + 3)

/* Recorded attributes of one entry; fields stand when their flag is set. */
struct meta {
	uint8_t flags;
	uint16_t mode; /* 12 bits */
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t uid, gid;
	struct file_ref xattrs; /* a list as xattr_list.h has it: height 0, at most LIMIT_XATTRS */
	struct map_ref child;
};

int meta_encode(struct buf *out, const struct meta *m);
int meta_decode(struct span *s, struct meta *m);
/*
 * Are they equal in what shows as a change? That is the mode, and owner and xattrs where both
 * recorded an owner; never the times. What one side did not record is no difference.
 */
bool meta_same(const struct meta *a, const struct meta *b);

#endif
