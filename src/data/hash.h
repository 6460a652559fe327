/*
 * The one module that hashes. A hash context is the repository's; a keyed one will come with
 * encryption.
 */
#ifndef STORE_DATA_HASH_H
#define STORE_DATA_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "data/id.h"

struct store_error;

/* One per thread.  hash_new: NULL when out of memory. */
struct hash;
struct hash *hash_new(void); /* Caller frees with hash_free. */
void hash_free(struct hash *h);

/* id of data in one call.  Asks for no memory and cannot fail, nor can the next three. */
void hash_once(struct hash *h, const void *data, size_t len, struct oid *out);
/* The same in pieces. */
void hash_begin(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t len);
void hash_end(struct hash *h, struct oid *out);

/* SHA-256 of level || key, first 8 bytes little-endian: what map borders look at. */
uint64_t hash_key(struct hash *h, uint8_t level, const void *key, size_t len);

/* Ids of the built-in objects. */
extern const struct oid hash_empty_file; /* SHA-256 of nothing */

/* 16 bytes from the system's random source.  Returns 0 or STORE_EIO. */
int hash_random(uint8_t out[16], struct store_error *err);

/* Version of libcrypto.  Borrowed: valid until the program ends. */
const char *hash_library_version(void);

#endif
