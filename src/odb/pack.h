/* The pack format in C: sizes, block building and parsing.  store-format(5), "PACKS". */
#ifndef STORE_ODB_PACK_H
#define STORE_ODB_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/codec.h"
#include "data/id.h"

struct store_error;

#define PACK_HEADER 32
#define PACK_BLOCK_HEADER 32
#define PACK_FOOTER_HEAD 16
#define PACK_BLOCK_ROW 20
#define PACK_FANOUT 1024
#define PACK_OBJECT_ROW 44
#define PACK_TRAILER 64
#define PACK_NAME 50 /* 16 + '-' + 32 and a NUL */

enum pack_class {
	PACK_CONTENT = 1,
	PACK_NODES = 2,
	PACK_RECORDS = 3,
};

/* One object of a block. */
struct pack_object {
	struct oid id;
	uint32_t off; /* in the plain bytes of the block */
	uint32_t len;
	uint8_t kind; /* enum kind, a hint */
};

/*
 * A block in the making: plain bytes and the objects in them, in order. Reused: clear keeps the
 * capacity.
 */
struct pack_block {
	enum pack_class class;
	struct buf plain;
	struct pack_object *objects;
	size_t count, cap;
	/* After encode: where header, table and stored bytes lie in the buffer they went to. */
	size_t wire_off, wire_len;
	uint32_t crc;
};

void pack_block_init(struct pack_block *b, enum pack_class class);
void pack_block_release(struct pack_block *b);
void pack_block_clear(struct pack_block *b);
/*
 * Add one object of at least one byte.  STORE_EINVAL: longer than LIMIT_OBJECT, or the block would
 * be than LIMIT_BLOCK; the block is as it was.  Copies data.
 */
int pack_block_add(struct pack_block *b, const struct oid *id, enum kind kind, const void *data,
	size_t len, struct store_error *err);
/*
 * Encode plain (or, when data is not NULL, these len bytes in place of plain: one large chunk that
 * need not be copied) to the end of wire, where many blocks may follow each other.
 */
int pack_block_encode(struct pack_block *b, struct codec_ctx *codec, const void *data, size_t len,
	struct buf *wire, struct store_error *err);

/* A block header parsed and bounded. */
struct pack_block_info {
	uint8_t codec, class;
	uint32_t plain, stored, count, table;
	uint32_t crc;
};

/* Total bytes of the block: header, table, stored. */
uint64_t pack_block_length(const struct pack_block_info *info);
/*
 * Parse and bound the 32 header bytes. STORE_ECORRUPT, or STORE_EVERSION for a codec or cipher we
 * do not know.
 */
int pack_block_parse(const uint8_t header[PACK_BLOCK_HEADER], struct pack_block_info *info,
	struct store_error *err);
/*
 * CRC and length table of a whole block (len == pack_block_length). lens: info->count lengths,
 * caller's array, or NULL.
 */
int pack_block_check(const uint8_t *block, size_t len, const struct pack_block_info *info,
	uint32_t *lens, struct store_error *err);
/* The stored bytes within a whole block. */
const uint8_t *pack_block_stored(const uint8_t *block, const struct pack_block_info *info);

/* Rows of the footer, as the writer collects them and a reader of the tail gets them. */
struct pack_row {
	struct oid id;
	uint32_t block, off, len;
	uint8_t kind;
};

struct pack_block_row {
	uint64_t off;
	uint32_t length, plain, crc;
};

struct pack_index {
	struct pack_block_row *blocks;
	size_t block_count, block_cap;
	struct pack_row *rows; /* sorted by id once sealed or parsed */
	size_t count, cap;
	struct oid digest;
};

void pack_index_release(struct pack_index *x);
/* Sort rows by id; of equal ids the first stays. */
void pack_index_sort(struct pack_index *x);
/* Footer and trailer for a pack whose blocks end at off; fills x->digest. */
int pack_index_encode(struct pack_index *x, uint64_t off, struct buf *out, struct store_error *err);
/*
 * Parse the tail of a pack: data holds everything from the footer's offset to the end of the file.
 */
int pack_index_parse(struct pack_index *x, const void *data, size_t len, uint64_t footer_off,
	struct store_error *err);

/* "NNNN-RRRR" name of a pack.  random: 16 bytes. */
void pack_name(char out[PACK_NAME], uint64_t number, const uint8_t random[16]);
/* Parse a pack's name; false when it is none. */
bool pack_name_parse(const char *name, uint64_t *number, uint8_t random[16]);

#endif
