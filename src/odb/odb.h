/*
 * The object database: packs, the index over them, and reading with proof.
 *
 * A struct odb may be used by several threads; a struct odb_reader by one at a time. Every object
 * that is handed out was hashed and equals its id.
 */
#ifndef STORE_ODB_ODB_H
#define STORE_ODB_ODB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/codec.h"
#include "data/format.h"
#include "data/id.h"
#include "odb/env.h"

struct store_error;
struct odb;
struct odb_reader;
struct odb_writer;

struct odb_options {
	const char *db_dir; /* folder of the LMDB files; NULL: db/ inside the store folder */
	unsigned int lock_timeout_ms; /* wait for the gate, and to open the database; 0 = 30 s */
	struct codec_options codec;   /* for new blocks; zero = none: callers set it */
	size_t cache_bytes;           /* of decoded blocks kept; 0 = 8 MiB */
	bool rebuilding;              /* db/ may be missing or empty */
	bool read_only; /* another user's: nothing of it is written, but the readers' table of LMDB
			 */
};

/*
 * Open the store folder at path (".../.store"). Deletes what dead writers left in tmp/ when it may.
 * STORE_EVERSION for a newer format. Caller frees with odb_close. Copies options.
 */
int odb_open(struct odb **out, const char *path, const struct odb_options *options,
	struct store_error *err);
void odb_close(struct odb *o);
/* Open the database of a handle that was opened with `rebuilding`, once db/ was made. */
int odb_open_database(struct odb *o, struct store_error *err);

/*
 * Lay out a new store folder at path: everything but HEAD; `format` is written last. Only one at a
 * time may: the caller holds a lock, and has seen no `format`. Sets format->parameters.
 */
int odb_create(const char *path, struct store_format *format, const char *db_dir,
	struct store_error *err);

const char *odb_path(const struct odb *o);
const struct store_format *odb_format(const struct odb *o);
struct env *odb_env(struct odb *o);
const struct odb_options *odb_options_of(const struct odb *o);
/* Folder descriptors.  Borrowed: valid until odb_close. */
int odb_fd(const struct odb *o);
int odb_packs_fd(const struct odb *o);
int odb_tmp_fd(const struct odb *o);

/* Where an object lies. */
struct odb_loc {
	uint64_t pack; /* publication number; with the bit ODB_PENDING: in the pack of the attached
			  writer */
	uint32_t block_off, block_len;
	uint32_t off, len; /* in the plain block */
	uint8_t kind;      /* a hint */
};

#define ODB_PENDING ((uint64_t)1 << 63)

/* Row of ENV_OBJECTS and its code. */
#define ODB_ROW_LEN 24
void odb_row_encode(uint8_t row[ODB_ROW_LEN], const struct odb_loc *loc);
int odb_row_decode(const void *row, size_t len, struct odb_loc *loc, struct store_error *err);

/* Row of ENV_PACKS. */
struct odb_pack_row {
	uint8_t random[16];
	uint64_t size;
	uint32_t objects;
	uint32_t flags; /* 0 */
};
#define ODB_PACK_ROW_LEN 32
void odb_pack_row_encode(uint8_t row[ODB_PACK_ROW_LEN], const struct odb_pack_row *p);
int odb_pack_row_decode(const void *row, size_t len, struct odb_pack_row *p,
	struct store_error *err);

/* NULL when out of memory.  Caller frees with odb_reader_free. */
struct odb_reader *odb_reader_new(struct odb *o);
void odb_reader_free(struct odb_reader *r);
/*
 * Also see what w has put but not yet published. w must outlive the reader or be detached by NULL.
 */
void odb_reader_attach(struct odb_reader *r, struct odb_writer *w);

/* STORE_ENOTFOUND (no message) when absent. One look-up in a fresh snapshot. */
int odb_find(struct odb_reader *r, const struct oid *id, struct odb_loc *loc,
	struct store_error *err);
/*
 * The plain bytes of id into out (replaced). Absent: STORE_ENOTFOUND with a message naming the id.
 */
int odb_read(struct odb_reader *r, const struct oid *id, struct buf *out, struct store_error *err);
/*
 * Chunks decoded and bytes decoded by all readers of o since it was opened, for --stats and tests
 * that count.
 */
struct odb_counts {
	uint64_t blocks, bytes; /* decoded: blocks and their plain bytes */
	uint64_t nodes;         /* objects of kind seq or map read */
};
void odb_counts(struct odb *o, struct odb_counts *out);

/* Open a published pack by number; a descriptor for pread.  Caller closes with io_close. */
int odb_open_pack(struct odb *o, struct env_txn *txn, uint64_t number, struct odb_pack_row *row,
	int *fd, struct store_error *err);

/*
 * Publication's hold on the repository.  Waits lock_timeout_ms, then STORE_EBUSY.  Not recursive.
 */
int odb_gate_lock(struct odb *o, struct store_error *err);
/* The same without waiting. */
int odb_gate_try(struct odb *o, struct store_error *err);
void odb_gate_unlock(struct odb *o);

#endif
