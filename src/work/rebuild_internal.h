/* What the files of rebuild share. */
#ifndef STORE_WORK_REBUILD_INTERNAL_H
#define STORE_WORK_REBUILD_INTERNAL_H

#include "work/fsck_internal.h"

/* Objects by way of the new database while it grows. */
struct rebuild_source {
	struct rebuild *rebuild;
	struct fsck_decoder decoder; /* holds the block read last */
	uint64_t pack, off;          /* which one; pack 0: none */
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
