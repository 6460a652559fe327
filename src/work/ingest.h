/*
 * Ingest: files of the working tree into the stage.
 *
 *     walk (add_walk.c) -> jobs -> [items] -> read, cut, hash, look up, compress (ingest_work.c)
 *          -> in order: blocks to the pack, jobs to the stage batch, publication (ingest.c)
 *
 * An item of the pipeline carries either a batch of small things to do, or one segment of a large
 * file (ingest_large.c) or of a stream (ingest_stream.c).
 */
#ifndef STORE_WORK_INGEST_H
#define STORE_WORK_INGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/chunker.h"
#include "data/hash.h"
#include "graph/seq.h"
#include "graph/stage.h"
#include "odb/pack.h"
#include "odb/writer.h"
#include "work/repo.h"
#include "work/worktree.h"

#define INGEST_SMALL ((uint64_t)256 << 10) /* files up to this size travel in batches */
#define INGEST_BATCH ((uint64_t)1 << 20)   /* bytes of files per batch */
#define INGEST_JOBS 256                    /* jobs per batch */
#define INGEST_WALKED ((uint32_t)1 << 20)  /* a walk that is through */
#define INGEST_META META_MAX               /* bytes of an encoded meta value */

enum job_type {
	JOB_FILE, /* read, cut, store */
	JOB_LINK,
	JOB_DIR,
	JOB_DELETE,
	JOB_NOTICE,
};

/* One thing to do at a path, and what came of it. */
struct job {
	enum job_type type;
	size_t path, path_len; /* in item->text */
	uint8_t kind;          /* enum entry_kind, of files by the descriptor that was read */
	uint8_t class;
	uint32_t uid, gid;
	struct stage_stat stat;
	uint8_t meta[INGEST_META];
	size_t meta_len;
	struct file_ref list; /* of xattrs, in meta; size 0: none */
	size_t list_off;      /* its bytes in item->lists, for a worker to bring */
	bool has_list;        /* they stand there */
	/* What is staged there now. */
	bool has_staged;
	uint8_t staged_kind;
	struct file_ref staged;
	uint32_t staged_mode;
	uint8_t staged_meta[INGEST_META];
	size_t staged_meta_len;
	struct totals staged_totals; /* of what goes: without the directory itself */
	/* Result of a worker. */
	uint64_t size;
	size_t first_chunk, chunk_count; /* in item->chunks */
	int notice;                      /* enum store_notice_kind, 0: all well */
	char why[160];
};

struct chunk_ref {
	struct oid id;
	uint32_t off, len; /* in item->data, for segments */
	uint64_t repeat;
};

enum item_type {
	ITEM_BATCH,
	ITEM_SEGMENT,
};

struct item {
	enum item_type type;
	uint64_t seq;
	struct job *jobs;            /* INGEST_JOBS; a segment has one */
	size_t job_count, job_limit; /* job_limit: where a batch is full */
	struct buf text;             /* paths, each followed by a NUL */
	struct buf lists;            /* of xattrs, of directories and large files */
	uint64_t bytes;              /* of files and lists, to bound the batch */
	/* For progress: bytes of the files of a batch; of a segment's file up to its end. */
	uint64_t covered;
	struct chunk_ref *chunks;
	size_t chunk_count, chunk_cap;
	struct pack_block *blocks; /* for the pack; encoded, one behind the other, in wire */
	size_t block_count, block_cap;
	struct buf wire;
	/* Segments. */
	uint8_t *data; /* data_cap bytes */
	size_t data_cap;
	bool first, last;  /* of the file */
	struct buf resume; /* first: saved rows to go on from; empty: from the start */
	uint64_t adopt;    /* the row of the dead writer that saved them */
	uint64_t offset;   /* file offset behind this segment */
};

struct ingest;

/*
 * Producer's seam: fill item with jobs (ITEM_BATCH) or begin a large file by ingest_large_begin. As
 * pipeline_ops.produce.
 */
typedef int ingest_walk_fn(void *ctx, struct item *item, struct store_error *err);

/* Per worker. */
struct ingest_worker {
	struct odb_reader *reader;
	struct codec_ctx *codec;
	struct hash *hash;
	struct pack_block open; /* small objects gathering */
	struct buf scratch;
	struct buf list; /* of xattrs */
};

/*
 * The next bytes of a stream, up to len of them, into out; *got 0 only at its end. 0 or STORE_E*.
 * On the producer's thread.
 */
typedef int ingest_source_fn(void *ctx, void *out, size_t len, size_t *got,
	struct store_error *err);

/* A large file being read by the producer, or a stream. */
struct large {
	bool open;
	ingest_source_fn *source; /* a stream: no file is open, size is known at its end */
	void *source_ctx;
	const uint64_t *expected; /* of a stream: bytes that are to come; 0: nobody knows */
	bool has_ahead;           /* of a stream: a byte that was taken behind a full segment */
	uint8_t ahead;
	int fd;
	struct job job; /* path in `path` */
	struct buf path;
	struct chunker_params params;
	uint64_t size, off; /* of the file; read so far */
	uint64_t start;     /* offset of the first byte of the carry */
	uint8_t *carry;     /* the tail that is not cut yet */
	size_t carry_len;
	bool first, at_end;
	int tries;
	struct buf resume;
	uint64_t adopt;    /* row of the writer whose checkpoint is being resumed */
	uint64_t data_end; /* below it the file has data; holes are looked for from there */
};

/* What became of a stream, where it is not staged with the rest. */
struct ingest_held {
	bool is_wanted, is_there;
	struct job job; /* its path is the caller's */
	struct file_ref ref;
	uint64_t chunks, new_chunks, new_bytes; /* atomic: while it runs, for others to look at */
};

struct ingest {
	struct store_repo *repo;
	struct odb_writer *writer;
	struct stage_batch *batch;
	struct seq_builder *seq; /* of the large file whose segments come */
	struct node_sink sink;
	struct chunker_params classes[16];
	unsigned int threads;
	size_t pool_bytes;                   /* wanted of all items; 0: the usual */
	size_t n_items, data_cap, carry_cap; /* the pool, and bytes of its items and of the carry */
	ingest_walk_fn *walk;
	void *walk_ctx;
	/*
	 * Called with walk_ctx when the run fails or is cancelled, on whichever thread sees it: a
	 * source that waits must let the producer go, for nothing else does. NULL: none waits.
	 */
	void (*halt)(void *walk_ctx);
	struct hash *hash; /* the producer's; borrowed from the walk */
	struct ingest_worker *workers;
	struct large large;
	/*
	 * A stream's entry and what was not yet published are left to the caller, and to the writer
	 * he gave.
	 */
	struct ingest_held held;
	uint64_t next_seq;
	bool registered;
	int64_t published_ns;
	uint64_t since_bytes; /* input since the last publication */
	/* For progress: what the walk found to read, whether it is through, and what was taken. */
	uint64_t found_files, found_bytes; /* atomic */
	bool found_all;                    /* atomic; set after the last of them */
	uint32_t walked;                   /* atomic; how far it is, in parts of INGEST_WALKED */
	uint64_t taken_bytes;              /* of files that are through */
	uint64_t taken_of_one; /* of the large file that is not; read again, it begins anew */
	const struct codec_options *codec; /* NULL: the repository's */
	const struct store_callbacks *callbacks;
	struct store_add_result *result;
	uint64_t opened; /* atomic */
	int64_t told_ns;
};

/* Run to the end; everything is published when it returns 0. */
int ingest_run(struct ingest *g, struct store_error *err);

/* ---- for the walk */

struct job *ingest_add_job(struct item *item, enum job_type type, const char *path, size_t len,
	struct store_error *err);
/* Take back the job that was added last, with its path: nothing else may make an item full. */
void ingest_drop_job(struct item *item);
bool ingest_item_full(const struct item *item);
/* The walk has found a file of so many bytes that will be read. */
void ingest_found(struct ingest *g, uint64_t bytes);
/* So much of the walk, from 0 to 1, is done, as far as can be told. */
void ingest_walked(struct ingest *g, double part);
/* The walk is through: what was found is all there is. */
void ingest_found_all(struct ingest *g);
/* Begin a large file: the next items are its segments. */
int ingest_large_begin(struct ingest *g, const struct job *job, const char *path, size_t len,
	struct store_error *err);

/*
 * Begin a stream: the next items are its segments. job: kind and what of its stat is known.
 * expected: looked at once the first segment is full. Borrowed: it lives as long as the run.
 */
int ingest_stream_begin(struct ingest *g, const struct job *job, const char *path,
	ingest_source_fn *source, void *ctx, const uint64_t *expected, struct store_error *err);

/* ---- between the files of ingest */

/*
 * n_items, data_cap and carry_cap for chunks of at most max bytes, and threads no more than items,
 * which would wait. An item holds the bytes of a segment twice, as read and as they go to the pack.
 * A segment begins with what was left behind the last cut, less than max bytes, and has room for as
 * much again, or for 1 MiB where chunks are large: 8 MiB at an average of 2 MiB.
 */
void ingest_size_pool(struct ingest *g, uint32_t max);
int ingest_large_produce(struct ingest *g, struct item *item, struct store_error *err);
int ingest_stream_produce(struct ingest *g, struct item *item, struct store_error *err);
void ingest_large_end(struct ingest *g);
/* Make item the next segment, with one job and room for data. */
int ingest_large_item(struct ingest *g, struct item *item, struct store_error *err);
/* Cut data[used..used+len) into chunks; the tail goes to the carry unless the file ends. */
int ingest_large_cut(struct large *l, struct item *item, size_t used, size_t len, bool at_end,
	struct store_error *err);
int ingest_work(void *ctx, unsigned int worker, void *item, struct store_error *err);
int ingest_worker_init(struct ingest_worker *w, struct ingest *g, struct store_error *err);
void ingest_worker_release(struct ingest_worker *w);
struct chunk_ref *ingest_add_chunk(struct item *item, struct store_error *err);
/*
 * What job does to entries, as result counts them: same, so far as its content is known to be what
 * is staged.
 */
void ingest_count(struct store_add_result *result, const struct job *job, bool same);
const char *ingest_path(const struct item *item, const struct job *job);

/* ---- recorded attributes (ingest_meta.c) */

/* What was seen of the entry, its kind included, becomes the job's. */
void ingest_take_stat(struct job *job, const struct worktree_entry *e);
/*
 * The xattrs of what fd is open on, as core.metadata wants them, into list (replaced); length 0:
 * none. 0, or -1 with errno as xattr_read has it.
 */
int ingest_read_list(const struct ingest *g, int fd, struct buf *list);
/*
 * Attributes of an entry as core.metadata wants them, from the job's stat and owner and from list
 * (NULL: none), encoded into job->meta. hash: the calling thread's.
 */
int ingest_meta(const struct ingest *g, struct job *job, const struct buf *list, struct hash *hash,
	struct store_error *err);
/* The list of the job's meta goes along with the item, for a worker to bring.  Copies list. */
int ingest_keep_list(struct item *item, struct job *job, const struct buf *list,
	struct store_error *err);
/* Which notice tells that attributes could not be read because of sys; its text into why. */
int ingest_list_notice(int sys, char *why, size_t cap);
/* Does the stage's value lack what core.metadata asks for?  Then the file is read anew. */
bool ingest_lacks_owner(const struct ingest *g, const struct stage_row *row);

/* Checkpoint inside a large file: path, attributes, offset, open rows. */
int ingest_checkpoint_encode(struct buf *out, const char *path, const struct job *job,
	uint64_t offset, const struct buf *rows, struct store_error *err);

#endif
