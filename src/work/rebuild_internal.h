/* What the files of rebuild share. */
#ifndef STORE_WORK_REBUILD_INTERNAL_H
#define STORE_WORK_REBUILD_INTERNAL_H

#include "base/bytes.h"
#include "work/fsck_internal.h"

/* Objects by way of the new database while it grows. */
struct rebuild_source {
	struct rebuild *rebuild;
	struct fsck_decoder decoder; /* holds the block read last */
	uint64_t pack, off;          /* which one; pack 0: none */
	uint64_t objects, bytes;     /* read, and decoded for it */
};

struct rebuild {
	struct fsck *fsck;
	struct odb *odb;
	struct env *env;              /* the new database */
	struct env_txn *txn;          /* the batch under way */
	size_t rows;                  /* written in it, roughly */
	struct fsck_pack_list *packs; /* those of the run, so that findings name their files */
	struct fsck_decoder decoder;
	struct rebuild_source source;     /* while packs are taken, */
	struct rebuild_verdict *verdicts; /* and what is known of their blocks */
	uint64_t last;                    /* greatest number that was given out */
	uint64_t unfinished; /* number of the last record of refs.log, when it was never finished */
	char *new_path, *old_path;
	const char *path; /* of db/ */
};

/*
 * n rows were written: begin another batch when there are enough. Borrowed values of the
 * transaction end with it.
 */
int rebuild_wrote(struct rebuild *r, size_t n, struct store_error *err);

/* Rows of packs and objects. */
int rebuild_packs(struct rebuild *r, struct store_error *err);
/*
 * Refs and reflog; packs are there already. Records that refs.log has lost and the old database has
 * are written anew, which may be done before the new one stands: the old one agrees.
 */
int rebuild_refs(struct rebuild *r, struct store_error *err);
/* The new database stands: make the unfinished record void. */
int rebuild_void(struct rebuild *r, struct store_error *err);
/* The stage, from the stage records of all packs. */
int rebuild_stage(struct rebuild *r, struct store_error *err);

/* ---- rebuild_old.c */

/* What the database that is to be replaced knows. */
struct rebuild_old {
	bool is_known;   /* it could be read */
	uint64_t next;   /* number of its next publication */
	uint64_t newest; /* number of the newest row of its reflog; 0: none */
	uint64_t rows;   /* of the reflog, up to record `last` */
	struct buf
		records; /* those above `last`, as refs.log has them; empty: they are no records */
};
/*
 * Ask the database in folder path about changes of refs after record `last`. What cannot be read is
 * not known; errors are those of this process. rebuild_old_release in any case.
 */
int rebuild_ask_old(const char *path, uint64_t last, struct rebuild_old *out,
	struct store_error *err);
void rebuild_old_release(struct rebuild_old *o);

/* ---- rebuild_footer.c */

/* enum kind of an object of a block of that class: a hint. */
uint8_t rebuild_guess_kind(uint8_t class, const uint8_t *data, size_t len);
/*
 * file has no footer, or no header: write it anew in place, when all blocks are whole. *done: the
 * file is another one now. What keeps it from being written is told and is no error.
 */
int rebuild_footer(struct rebuild *r, const struct fsck_file *file, bool *done,
	struct store_error *err);

/* ---- rebuild_op.c */

/* One operation of a stage record. */
struct rebuild_op {
	uint8_t kind;              /* enum stage_op_kind */
	struct buf path, to;       /* names joined by '/'; to: of a move */
	struct stage_row row;      /* set; meta points into the record */
	struct map_ref root, meta; /* reset */
	bool has_meta;
};
/*
 * The next operation of a record into o, whose buffers are used again. False: it is malformed.
 * Borrowed: o->row.meta is valid as long as the record's bytes.
 */
bool rebuild_take_op(struct span *s, const struct store_format *format, struct rebuild_op *o);

/* ---- rebuild_start.c */

#define REBUILD_STARTS 8

/* An operation of a stage record, by where it stands; all zero is before all of them. */
struct rebuild_place {
	uint64_t pack, off; /* number, and offset of the block in it */
	uint64_t record;    /* of the block */
	uint64_t op;        /* of the record, from 1 */
};
int rebuild_place_cmp(const struct rebuild_place *a, const struct rebuild_place *b);

/* Attributes that were given to the root. */
struct rebuild_top {
	bool has; /* a record gave or took them */
	uint8_t meta[META_MAX];
	size_t len;
};
/* An operation that takes the place of the whole stage. */
struct rebuild_start {
	struct rebuild_place place;
	uint8_t kind; /* STAGE_RESET, STAGE_DELETE */
	struct map_ref root, meta;
	bool has_meta;
	struct rebuild_top top; /* that of before it, which stays */
};
struct rebuild_starts {
	struct rebuild_start items[REBUILD_STARTS]; /* number i stands at i mod REBUILD_STARTS */
	size_t count;                               /* found */
	struct rebuild_top top;                     /* until now */
	bool may_end;                               /* the record may have gone wrong before here */
};
/* The next operation, in the order in which they apply. */
void rebuild_note(struct rebuild_starts *s, const struct rebuild_place *at,
	const struct rebuild_op *o);
/*
 * The one that was found last, for back 0, or back before it; NULL: it is not known. Borrowed:
 * valid until the next rebuild_note.
 */
const struct rebuild_start *rebuild_start(const struct rebuild_starts *s, size_t back);

/* ---- rebuild_reset.c */

/*
 * Rows of a tree under a fresh number, which is *dir, with no stat data, and its cached roots of
 * generation number. meta: NULL when none was recorded. path_len: of the path it comes to.
 */
int rebuild_tree(struct rebuild *r, const struct node_source *src, const struct map_ref *root,
	const struct map_ref *meta, size_t path_len, uint64_t number, uint64_t *dir,
	struct store_error *err);

/* Caller frees with rebuild_source_release, also after a failure. */
int rebuild_source_init(struct rebuild_source *s, struct rebuild *r, struct store_error *err);
void rebuild_source_release(struct rebuild_source *s);
/* Borrowed: valid until s is released. */
struct node_source rebuild_source_nodes(struct rebuild_source *s);

#endif
