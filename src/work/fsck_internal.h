/*
 * What the files of fsck and rebuild share.
 *
 * fsck.c runs the phases; each phase is one file that exports one function. What is found goes to
 * fsck_damage, which tells the caller of the library at once and remembers the object, so that a
 * last walk can name the paths of HEAD that need it.
 */
#ifndef STORE_WORK_FSCK_INTERNAL_H
#define STORE_WORK_FSCK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/entry.h"
#include "graph/map.h"
#include "graph/seq.h"
#include "graph/stage.h"
#include "odb/pack.h"
#include "work/repo.h"

#define FSCK_PHASES 6

/* ---- pack files on disk, without the database (fsck_file.c) */

/* One file of packs/. */
struct fsck_pack {
	uint64_t number;
	uint8_t random[16];
	bool is_readable; /* header and footer are whole: rows may be looked up in the file */
	bool is_missing;  /* the database knows it, packs/ does not have it */
	uint32_t rows, blocks;
	uint64_t size, footer_off;
	uint64_t first_bit; /* of its rows, in bitmaps */
};

struct fsck_pack_list {
	struct fsck_pack *items; /* by number, then by random bits */
	size_t count, cap;
	uint64_t bits; /* rows of all readable packs */
};

/* All files in packs/ that bear a pack's name, sorted. */
int fsck_list_packs(struct odb *o, struct fsck_pack_list *out, struct store_error *err);
void fsck_free_packs(struct fsck_pack_list *l);
/* NULL when there is none of that number. */
struct fsck_pack *fsck_find_pack(const struct fsck_pack_list *l, uint64_t number);

/* A pack file open for reading. */
struct fsck_file {
	int fd;
	uint64_t size;
	char name[PACK_NAME];
	uint64_t blocks_end; /* where blocks end: the footer's offset, or the size when there is no
				footer */
	bool has_footer;
	bool has_header;
	uint64_t footer_off; /* by the trailer; 0: there is none. To be believed with a footer only
			      */
	struct pack_index index; /* of the footer */
};
/*
 * Open and check header and footer. 0 also when one of them is damaged or cannot be read:
 * has_footer is false and err tells why, or has_header is, whose bytes are the same in all packs.
 * STORE_ECORRUPT: it is no pack at all. fsck_file_close in any case.
 */
int fsck_file_open(struct odb *o, const struct fsck_pack *p, struct fsck_file *f,
	struct store_error *err);
void fsck_file_close(struct fsck_file *f);
/* The header of the block at off.  STORE_ENOTFOUND without message: blocks end there. */
int fsck_file_block(const struct fsck_file *f, uint64_t off, struct pack_block_info *info,
	struct store_error *err);

/* Room to decode blocks in. */
struct fsck_decoder {
	struct codec_ctx *codec;
	struct hash *hash;
	struct buf raw, plain;
	uint32_t *lens;
	size_t lens_cap;
};
int fsck_decoder_init(struct fsck_decoder *d, struct store_error *err);
void fsck_decoder_release(struct fsck_decoder *d);
/* Give back the room of a large block: before a footer, which may ask for as much, is read. */
void fsck_decoder_trim(struct fsck_decoder *d);
/* Read, check and decode: plain bytes into d->plain, lengths of its objects into d->lens. */
int fsck_decode(struct fsck_decoder *d, const struct fsck_file *f, uint64_t off,
	const struct pack_block_info *info, struct store_error *err);
/* What a pack may answer that ends nothing but itself: it is damaged, unreadable, or too new. */
bool fsck_is_damage(int rc);

/* ---- a run */

#define FSCK_PATHS_EACH 10 /* of one damaged object are named */
#define FSCK_MEMO 16384
#define FSCK_MEMO_KEY 32

enum fsck_role {
	FSCK_NONE,
	FSCK_DIRECTORY = MAP_DIRECTORY,
	FSCK_CHANGES = MAP_CHANGES,
	FSCK_META = MAP_META,
	FSCK_SEQ,
};

/* A node that was checked, as those who refer to it must describe it. */
struct fsck_memo {
	struct oid id;
	uint8_t role, level;
	bool is_marked;    /* and entered, when it was new */
	bool ends;         /* its last item closes it: another may follow */
	bool is_overrun;   /* an item before the last closes it already */
	bool is_single;    /* one child, once */
	bool is_spine_ok;  /* what lies last below it was looked at, level by level */
	uint16_t safe;     /* of a directory: at paths of fewer bytes none below it is too long */
	uint32_t last_key; /* checksum of the last key of a map node */
	struct map_totals totals; /* of a seq node: totals.size */
	union {
		struct {
			struct seq_row first, last;
		} seq;
		struct {
			struct oid first, last; /* above level 0: its children there */
			uint16_t key_len;
			uint8_t key[FSCK_MEMO_KEY]; /* beginning of its first key */
		} map;
	} u;
};

struct fsck_damaged {
	struct oid id;
	uint64_t pack; /* 0: in none */
	uint32_t off;
	uint16_t paths;     /* and others that need it: named so far */
	uint32_t last_path; /* checksum of the one named last */
	bool used;
};

struct fsck {
	struct store_repo *repo;
	const struct store_callbacks *callbacks;
	struct store_fsck_result *result;
	struct odb_reader *reader;
	struct node_source nodes;
	struct hash *hash;
	int phase;
	char stage[40]; /* what progress shows */
	struct store_progress progress;
	int64_t next_tick;
	struct fsck_pack_list packs;
	uint64_t horizon;  /* publications below this number are looked at */
	uint8_t *seen;     /* one bit per footer row */
	struct oid *loose; /* marked objects that have no bit; open addressing, all zero is free */
	size_t loose_count, loose_cap;
	bool is_loose_full;
	struct fsck_memo *memo;       /* FSCK_MEMO slots */
	struct fsck_damaged *damaged; /* open addressing */
	size_t damaged_count, damaged_cap;
	bool damaged_full;
	size_t nameless; /* damaged, and nothing that needs it was named yet; counted late */
	int row_fd;      /* the pack fsck_bit looked at last */
	uint64_t row_pack;
	struct oid last_list;  /* the list of xattrs that was looked at last */
	bool is_stage_tangled; /* two names of the stage lead to one directory: it is not walked */
	uint64_t measured;     /* nodes that were read to measure paths */
	bool is_unmeasured;    /* and there were more than may be read */
};

/* Something is damaged: told at once.  id may be NULL; pack 0: in none. */
int fsck_damage(struct fsck *f, const struct oid *id, uint64_t pack, uint64_t off,
	struct store_error *err, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* The same of something at a path in the tree that object id has. */
int fsck_damage_at(struct fsck *f, const struct oid *id, const char *path, const char *what,
	struct store_error *err);
/* Something about a path of the stage is wrong. */
void fsck_damage_path(struct fsck *f, const char *path, const char *what);
/* Was the object found damaged? NULL: no. */
struct fsck_damaged *fsck_is_damaged(struct fsck *f, const struct oid *id);
/* A path of HEAD that needs a damaged object. */
void fsck_tell_path(struct fsck *f, const struct fsck_damaged *d, const char *path);
/* Something else that needs it, such as commit or ref: "what name". Counts like a path. */
void fsck_tell_user(struct fsck *f, struct fsck_damaged *d, const char *what, const char *name);
/* There are more paths than are named. */
void fsck_tell_more(struct fsck *f, const struct fsck_damaged *d);
void fsck_info(struct fsck *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Progress and cancelling; cheap. */
int fsck_tick(struct fsck *f, struct store_error *err);

/*
 * The bit of an object: (pack, footer row). STORE_ENOTFOUND without message: the index does not
 * have it, or its pack is not readable. loc may be NULL.
 */
int fsck_bit(struct fsck *f, const struct oid *id, uint64_t *bit, struct store_error *err);
/* Mark the object; *is_new: it was not. */
int fsck_mark(struct fsck *f, const struct oid *id, bool *is_new, struct store_error *err);
int fsck_is_marked(struct fsck *f, const struct oid *id, bool *is_marked, struct store_error *err);
void fsck_forget_marks(struct fsck *f);
/*
 * The row of id in the footer of p; STORE_ENOTFOUND without message. block: its offset and length.
 */
int fsck_row(struct fsck *f, struct fsck_pack *p, const struct oid *id, uint32_t *row,
	struct odb_loc *loc, struct store_error *err);

/* ---- references that are followed (fsck_tree.c, fsck_node.c) */

struct fsck_ref {
	uint8_t role; /* enum fsck_role */
	uint8_t level;
	struct oid id;
	bool has_totals;
	struct map_totals totals;
	bool has_key;
	uint32_t last_key;
	bool is_child; /* it stands below a node of the same file or map; else it is the root */
	bool is_inner; /* another node follows it on its level */
};

/*
 * Everything below ref is there and is what is said of it. Damage is told; only what ends the run
 * is returned.
 */
int fsck_walk(struct fsck *f, const struct fsck_ref *ref, struct store_error *err);
/*
 * The same for content of any height that a row of the stage names. *wrong: what the row says
 * wrongly of content that is whole; NULL: nothing. Borrowed: static.
 */
int fsck_walk_staged(struct fsck *f, const struct file_ref *ref, const char **wrong,
	struct store_error *err);
/* The same for a list of xattrs, whose bytes must be one. */
int fsck_walk_staged_list(struct fsck *f, const struct file_ref *ref, const char **wrong,
	struct store_error *err);
/* ref: kind dir. */
struct fsck_ref fsck_ref_of_dir(const struct entry *dir);
/* A node decoded, as map or sequence. */
struct fsck_node {
	struct buf data;
	struct map_node map;
	struct seq_node seq;
	uint8_t role, level;
	size_t count; /* items or rows */
};
void fsck_node_init(struct fsck_node *n);
void fsck_node_release(struct fsck_node *n);
/*
 * Read and decode what ref names. Damage of any kind is STORE_ECORRUPT, with a message that does
 * not name the id.
 */
int fsck_node_load(struct fsck *f, struct fsck_node *n, const struct fsck_ref *ref,
	struct store_error *err);

/* What an item of a node refers to. */
struct fsck_child {
	struct fsck_ref ref; /* role FSCK_NONE: there is no node below */
	bool has_content;    /* and content that is a chunk, or built in */
	struct oid content;
	uint64_t content_len;
	bool is_list; /* of xattrs */
	bool is_name; /* the item's key is a name in a directory, or "" for the top's attributes */
	uint8_t kind; /* then: enum entry_kind; ENTRY_NONE for attributes */
};
/* Item pos of a node: 0 to 2 children. */
size_t fsck_node_children(const struct fsck_node *n, size_t pos, struct fsck_child out[2]);
/* What an entry or a staged row says of content: into c, which is all zero. */
void fsck_child_content(struct fsck_child *c, const struct oid *id, uint8_t height, uint64_t size);
/* Is it a built-in map or file, that is nowhere stored? */
bool fsck_is_built_in(const struct fsck_ref *ref);

/*
 * Is a path below dir longer than may be, when its own has path_len bytes (fsck_reach.c)? What
 * cannot be read, and its totals, are left to phase 5.
 */
int fsck_measure(struct fsck *f, const struct entry *dir, size_t path_len, bool *is_long,
	struct store_error *err);

/* ---- what a node says of itself, and where it may stand (fsck_border.c) */

/* Where the memo of a node stands, when it does. */
struct fsck_memo *fsck_memo_slot(struct fsck *f, const struct oid *id);

/*
 * The memo of a node; when it is not in the table the node is loaded into node, and *loaded is set.
 * STORE_ECORRUPT as fsck_node_load. Borrowed: valid until the next call.
 */
int fsck_learn(struct fsck *f, const struct fsck_ref *ref, struct fsck_node *node,
	struct fsck_memo **out, bool *loaded, struct store_error *err);
/* What is wrong with a node that is named so, as far as it shows without others; NULL: nothing. */
const char *fsck_mismatch(const struct fsck_ref *ref, const struct fsck_memo *m);
/* A node that others follow: the last nodes below it must end at borders too. */
int fsck_check_spine(struct fsck *f, const struct fsck_ref *ref, struct fsck_node *scratch,
	struct store_error *err);
/* Item pos of a node against the one before it: keys ascend, and runs of rows end, across nodes. */
int fsck_check_place(struct fsck *f, const struct fsck_node *n, size_t pos,
	struct fsck_node *scratch, struct store_error *err);
/* Damage of an object by id, wherever it lies; once. */
int fsck_tell(struct fsck *f, const struct oid *id, struct store_error *err, const char *what);

/* ---- history (fsck_history.c) */

typedef int fsck_commit_fn(struct fsck *f, void *ctx, const struct oid *id, const struct commit *c,
	struct store_error *err);
/*
 * Every commit that refs and reflog reach, each once, each before its parents, first parents before
 * others; those that first reaches come first (NULL: none). fn NULL: none.
 */
int fsck_each_commit(struct fsck *f, const struct oid *first, fsck_commit_fn *fn, void *ctx,
	struct store_error *err);

/*
 * The objects that a row of table refs or reflog names: of a ref its value, of the reflog the
 * values before and after, its two first lines. Returns how many of ids are set.
 */
size_t fsck_row_ids(enum env_table table, const void *row, size_t len, struct oid ids[2]);

/* ---- the phases */

int fsck_packs(struct fsck *f, struct store_error *err);
int fsck_index(struct fsck *f, struct store_error *err);
int fsck_refs(struct fsck *f, struct store_error *err);
int fsck_history(struct fsck *f, struct store_error *err);
int fsck_trees(struct fsck *f, struct store_error *err);
int fsck_stage(struct fsck *f, struct store_error *err);
/* Counters, and the numbers of the stage's directories, in one snapshot (fsck_numbers.c). */
int fsck_numbers(struct fsck *f, struct env_txn *txn, struct store_error *err);
/*
 * A directory of the stage against its cached roots (fsck_cached.c), all in one snapshot. path: of
 * the directory; "" is the top.
 */
int fsck_check_cached(struct fsck *f, struct env_txn *txn, uint64_t dir, const struct buf *path,
	struct store_error *err);
/* Every row of a file or directory that is staged and dirty, with its path; fn may not write. */
typedef int fsck_staged_fn(void *ctx, const struct stage_row *row, const struct buf *path,
	struct store_error *err);
int fsck_each_staged(struct fsck *f, fsck_staged_fn *fn, void *ctx, struct store_error *err);
/* After damage: name the staged paths and those of HEAD that need it, or else what else does. */
int fsck_name_paths(struct fsck *f, struct store_error *err);
/* The refs whose value is damaged, or a tag of something damaged (fsck_users.c). */
int fsck_name_refs(struct fsck *f, struct store_error *err);
/* Those in whose reflog something damaged stands that has no name yet. */
int fsck_name_reflog(struct fsck *f, struct store_error *err);

/* ---- rebuild.c: make db/ anew.  The gate is held.  notice as in store_callbacks; may be NULL. */
int rebuild_database(struct fsck *f, struct store_error *err);

#endif
