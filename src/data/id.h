/* Object ids: 32 bytes of SHA-256 over the plain bytes. */
#ifndef STORE_DATA_ID_H
#define STORE_DATA_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ID_LEN 32
#define ID_HEX 64

struct oid {
	uint8_t b[ID_LEN];
};

static inline int id_cmp(const struct oid *a, const struct oid *b)
{
	return memcmp(a->b, b->b, ID_LEN);
}

/* The same for qsort and bsearch. */
static inline int id_compare(const void *a, const void *b)
{
	return id_cmp(a, b);
}

static inline bool id_eq(const struct oid *a, const struct oid *b)
{
	return memcmp(a->b, b->b, ID_LEN) == 0;
}

bool id_is_zero(const struct oid *id);
/* First 8 bytes, little-endian: the number border rules look at. */
uint64_t id_low64(const struct oid *id);
/* 64 lower-case hex digits and a NUL.  Returns out. */
char *id_hex(char out[ID_HEX + 1], const struct oid *id);
/* The 12 digits that messages show, and a NUL.  Returns out. */
char *id_short(char out[13], const struct oid *id);
/* Exactly 64 lower-case hex digits at hex (not NUL-terminated).  Returns 0 or STORE_EINVAL. */
int id_parse(struct oid *out, const char *hex, size_t len);

/*
 * What the object is taken for: a hint for gc and statistics on which no correctness depends.
 * The numbers stand in pack footers.
 */
enum kind {
	KIND_CHUNK = 1,
	KIND_SEQ = 2,
	KIND_MAP = 3,
	KIND_LAYER = 4,
	KIND_COMMIT = 5,
	KIND_TAG = 6,
	KIND_STAGE = 7,
};

/*
 * A file, or any content: a sequence of chunks. height 0: id is the one chunk itself. size 0: the
 * empty file, which is never stored.
 */
struct file_ref {
	struct oid id;
	uint8_t height;
	uint64_t size;
};

/* A map: the id of its root node and the level of that node. */
struct map_ref {
	struct oid id;
	uint8_t height;
};

#endif
