/*
 * Decoded blocks and open packs, shared by all readers of a repository. 8 MiB of blocks or
 * what was asked for, 64 descriptors; the least recently used go first.
 * Threads: every function takes the lock of the cache.
 */
#ifndef STORE_ODB_CACHE_H
#define STORE_ODB_CACHE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define CACHE_BYTES ((size_t)8 << 20)
#define CACHE_BLOCKS 256
#define CACHE_BLOCK_MAX ((size_t)4 << 20) /* larger blocks are not kept */
#define CACHE_PACKS 64

struct cache_block {
	uint64_t pack; /* 0: free */
	uint32_t off;
	uint64_t used; /* tick of last use */
	uint8_t *data;
	size_t len;
};

struct cache_pack {
	uint64_t number; /* 0: free */
	uint64_t used;
	unsigned int users;
	int fd;
};

struct cache {
	pthread_mutex_t lock;
	uint64_t tick; /* guarded by lock, as all below */
	size_t bytes;
	size_t bytes_max; /* set once */
	struct cache_block blocks[CACHE_BLOCKS];
	struct cache_pack packs[CACHE_PACKS];
};

/* bytes_max: of blocks kept; 0: CACHE_BYTES. */
void cache_init(struct cache *c, size_t bytes_max);
void cache_release(struct cache *c);
/*
 * Copy len bytes at off of a cached block into out (replaced). False when the block is not here or
 * is shorter.
 */
bool cache_copy(struct cache *c, uint64_t pack, uint32_t block_off, uint32_t off, uint32_t len,
	struct buf *out);
/* Keep a decoded block.  Takes ownership of data (from malloc). */
void cache_keep(struct cache *c, uint64_t pack, uint32_t block_off, uint8_t *data, size_t len);
/* Descriptor of an open pack, or -1.  cache_pack_done must follow a hit. */
int cache_pack_get(struct cache *c, uint64_t number);
/*
 * Offer a descriptor just opened, in use by the caller. Returns true when kept (then end with
 * cache_pack_done), false when the caller closes it itself.
 */
bool cache_pack_add(struct cache *c, uint64_t number, int fd);
void cache_pack_done(struct cache *c, uint64_t number);
/* Forget a pack that is gone. */
void cache_pack_drop(struct cache *c, uint64_t number);

#endif
