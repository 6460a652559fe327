/*
 * Threads: every function takes the lock of the cache; the lock is held while bytes are copied out,
 * which for the small objects that live here costs less than counting references would.
 *
 * Searches are linear: 256 blocks fit in a few cache lines of keys, and a miss costs a decode a
 * hundred times as dear.
 */
#include "odb/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"

void cache_init(struct cache *c, size_t bytes_max)
{
	memset(c, 0, sizeof(*c));
	c->bytes_max = bytes_max > 0 ? bytes_max : CACHE_BYTES;
	pthread_mutex_init(&c->lock, NULL);
	for (size_t i = 0; i < CACHE_PACKS; i++)
		c->packs[i].fd = -1;
}

static void free_block(struct cache *c, struct cache_block *b)
{
	c->bytes -= b->len;
	free(b->data);
	memset(b, 0, sizeof(*b));
}

void cache_release(struct cache *c)
{
	for (size_t i = 0; i < CACHE_BLOCKS; i++)
		free(c->blocks[i].data);
	for (size_t i = 0; i < CACHE_PACKS; i++)
		io_close(&c->packs[i].fd);
	pthread_mutex_destroy(&c->lock);
}

static struct cache_block *find_block(struct cache *c, uint64_t pack, uint32_t off)
{
	for (size_t i = 0; i < CACHE_BLOCKS; i++) {
		if (c->blocks[i].pack == pack && c->blocks[i].off == off)
			return &c->blocks[i];
	}
	return NULL;
}

bool cache_copy(struct cache *c, uint64_t pack, uint32_t block_off, uint32_t off, uint32_t len,
	struct buf *out)
{
	struct cache_block *b;
	bool hit = false;

	pthread_mutex_lock(&c->lock);
	b = find_block(c, pack, block_off);
	if (b && (uint64_t)off + len <= b->len) {
		b->used = ++c->tick;
		hit = buf_set(out, b->data + off, len) == 0;
	}
	pthread_mutex_unlock(&c->lock);
	return hit;
}

/* The free slot, or the least recently used one, emptied. */
static struct cache_block *make_room(struct cache *c, size_t len)
{
	struct cache_block *slot;

	do {
		slot = &c->blocks[0];
		for (size_t i = 1; i < CACHE_BLOCKS; i++) {
			if (c->blocks[i].used < slot->used)
				slot = &c->blocks[i];
		}
		if (slot->pack != 0 && c->bytes + len <= c->bytes_max) {
			free_block(c, slot);
			return slot;
		}
		if (slot->pack == 0 && c->bytes + len > c->bytes_max) {
			/* All slots in use are newer: the oldest of them goes. */
			struct cache_block *old = NULL;

			for (size_t i = 0; i < CACHE_BLOCKS; i++) {
				if (c->blocks[i].pack != 0 &&
					(!old || c->blocks[i].used < old->used))
					old = &c->blocks[i];
			}
			if (!old)
				return slot;
			free_block(c, old);
		} else if (slot->pack != 0) {
			free_block(c, slot);
		}
	} while (c->bytes + len > c->bytes_max);
	return slot;
}

void cache_keep(struct cache *c, uint64_t pack, uint32_t block_off, uint8_t *data, size_t len)
{
	struct cache_block *b;

	if (len > CACHE_BLOCK_MAX || len > c->bytes_max) {
		free(data);
		return;
	}
	pthread_mutex_lock(&c->lock);
	b = find_block(c, pack, block_off);
	if (b) {
		free(data);
	} else {
		b = make_room(c, len);
		b->pack = pack;
		b->off = block_off;
		b->used = ++c->tick;
		b->data = data;
		b->len = len;
		c->bytes += len;
	}
	pthread_mutex_unlock(&c->lock);
}

static struct cache_pack *find_pack(struct cache *c, uint64_t number)
{
	for (size_t i = 0; i < CACHE_PACKS; i++) {
		if (c->packs[i].number == number)
			return &c->packs[i];
	}
	return NULL;
}

int cache_pack_get(struct cache *c, uint64_t number)
{
	struct cache_pack *p;
	int fd = -1;

	pthread_mutex_lock(&c->lock);
	p = find_pack(c, number);
	if (p) {
		p->users++;
		p->used = ++c->tick;
		fd = p->fd;
	}
	pthread_mutex_unlock(&c->lock);
	return fd;
}

bool cache_pack_add(struct cache *c, uint64_t number, int fd)
{
	struct cache_pack *slot = NULL;

	pthread_mutex_lock(&c->lock);
	if (!find_pack(c, number)) {
		for (size_t i = 0; i < CACHE_PACKS; i++) {
			struct cache_pack *p = &c->packs[i];

			if (p->users == 0 && (!slot || p->used < slot->used))
				slot = p;
		}
	}
	if (slot) {
		io_close(&slot->fd);
		slot->number = number;
		slot->fd = fd;
		slot->users = 1;
		slot->used = ++c->tick;
	}
	pthread_mutex_unlock(&c->lock);
	return slot != NULL;
}

void cache_pack_done(struct cache *c, uint64_t number)
{
	struct cache_pack *p;

	pthread_mutex_lock(&c->lock);
	p = find_pack(c, number);
	if (p && p->users > 0)
		p->users--;
	pthread_mutex_unlock(&c->lock);
}

void cache_pack_drop(struct cache *c, uint64_t number)
{
	struct cache_pack *p;

	pthread_mutex_lock(&c->lock);
	p = find_pack(c, number);
	if (p && p->users == 0) {
		io_close(&p->fd);
		p->number = 0;
		p->used = 0;
	}
	pthread_mutex_unlock(&c->lock);
}
