/*
 * Bytes of packs, without files: blocks are made and parsed here, and footers. Everything parsed is
 * hostile: a length is compared with its limit before anything is allocated for it, and the rows of
 * a footer must fit the blocks they name.
 */
#include "odb/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/crc32c.h"
#include "data/hash.h"
#include "data/limits.h"

static const char block_magic[4] = "STBK";
static const char footer_magic[4] = "STFT";
static const char end_magic[8] = "STEND001";

void pack_block_init(struct pack_block *b, enum pack_class class)
{
	memset(b, 0, sizeof(*b));
	b->class = class;
}

void pack_block_release(struct pack_block *b)
{
	buf_release(&b->plain);
	free(b->objects);
	b->objects = NULL;
	b->count = b->cap = 0;
}

void pack_block_clear(struct pack_block *b)
{
	buf_clear(&b->plain);
	b->wire_off = b->wire_len = 0;
	b->count = 0;
}

static int add_object(struct pack_block *b, const struct oid *id, enum kind kind, size_t off,
	size_t len, struct store_error *err)
{
	struct pack_object *o;

	if (mem_grow(&b->objects, &b->cap, b->count + 1, sizeof(*b->objects)) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	o = &b->objects[b->count++];
	o->id = *id;
	o->kind = (uint8_t)kind;
	o->off = (uint32_t)off;
	o->len = (uint32_t)len;
	return 0;
}

int pack_block_add(struct pack_block *b, const struct oid *id, enum kind kind, const void *data,
	size_t len, struct store_error *err)
{
	const size_t off = b->plain.len;

	if (len == 0 || len > LIMIT_OBJECT || off + len > LIMIT_BLOCK)
		return store_error_set(err, STORE_EINVAL,
			"an object of %zu bytes cannot be stored in a block of %zu", len, off);
	if (buf_add(&b->plain, data, len) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	return add_object(b, id, kind, off, len, err);
}

static void put_header(struct pack_block *b, uint8_t *h, enum codec codec, size_t plain,
	size_t stored, size_t table)
{
	memcpy(h, block_magic, 4);
	h[4] = (uint8_t)codec;
	h[5] = 0;
	h[6] = (uint8_t)b->class;
	h[7] = 0;
	le32_put(h + 8, (uint32_t)plain);
	le32_put(h + 12, (uint32_t)stored);
	le32_put(h + 16, (uint32_t)b->count);
	le32_put(h + 20, (uint32_t)table);
	le32_put(h + 24, 0);
	b->crc = crc32c(crc32c(0, h, 28), h + PACK_BLOCK_HEADER, table + stored);
	le32_put(h + 28, b->crc);
}

int pack_block_encode(struct pack_block *b, struct codec_ctx *codec, const void *data, size_t len,
	struct buf *wire, struct store_error *err)
{
	enum codec used = CODEC_NONE;
	size_t head = PACK_BLOCK_HEADER, stored = 0;
	uint8_t *block;
	int rc;

	if (!data) {
		data = b->plain.data;
		len = b->plain.len;
	}
	rc = buf_reserve(wire, PACK_BLOCK_HEADER + b->count * LEB_MAX + codec_bound(len));
	if (rc != 0)
		return store_error_set(err, rc, "out of memory");
	block = wire->data + wire->len;
	for (size_t i = 0; i < b->count; i++)
		head += leb_put(block + head, b->objects[i].len);
	rc = codec_encode(codec, data, len, block + head, wire->cap - wire->len - head, &stored,
		&used, err);
	if (rc != 0)
		return rc;
	if (used == CODEC_NONE) {
		memcpy(block + head, data, len);
		stored = len;
	}
	put_header(b, block, used, len, stored, head - PACK_BLOCK_HEADER);
	b->wire_off = wire->len;
	b->wire_len = head + stored;
	wire->len += b->wire_len;
	return 0;
}

uint64_t pack_block_length(const struct pack_block_info *info)
{
	return (uint64_t)PACK_BLOCK_HEADER + info->table + info->stored;
}

int pack_block_parse(const uint8_t h[PACK_BLOCK_HEADER], struct pack_block_info *info,
	struct store_error *err)
{
	if (memcmp(h, block_magic, 4) != 0)
		return store_error_set(err, STORE_ECORRUPT, "no block begins there");
	info->codec = h[4];
	info->class = h[6];
	info->plain = le32_get(h + 8);
	info->stored = le32_get(h + 12);
	info->count = le32_get(h + 16);
	info->table = le32_get(h + 20);
	info->crc = le32_get(h + 28);
	if (h[5] != 0)
		return store_error_set(err, STORE_EVERSION,
			"block with cipher %u: a newer store is needed", h[5]);
	if (info->class < PACK_CONTENT || info->class > PACK_RECORDS || h[7] != 0 ||
		le32_get(h + 24) != 0)
		return store_error_set(err, STORE_ECORRUPT, "block header has reserved bits set");
	if (info->plain == 0 || info->plain > LIMIT_BLOCK || info->stored == 0 ||
		info->stored > LIMIT_BLOCK + LIMIT_BLOCK / 8)
		return store_error_set(err, STORE_ECORRUPT,
			"block of %u bytes stored as %u is out of bounds", info->plain,
			info->stored);
	if (info->plain / LIMIT_RATIO > info->stored)
		return store_error_set(err, STORE_ECORRUPT, "block claims to hold %u bytes in %u",
			info->plain, info->stored);
	if (info->count == 0 || info->count > info->plain || info->count > LIMIT_BLOCK_OBJECTS ||
		info->table < info->count || info->table > (uint64_t)info->count * 5)
		return store_error_set(err, STORE_ECORRUPT,
			"block with %u objects and a table of %u bytes", info->count, info->table);
	return 0;
}

int pack_block_check(const uint8_t *block, size_t len, const struct pack_block_info *info,
	uint32_t *lens, struct store_error *err)
{
	struct span s = span_of(block + PACK_BLOCK_HEADER, info->table);
	uint64_t sum = 0;

	if (len != pack_block_length(info))
		return store_error_set(err, STORE_ECORRUPT, "block ends early");
	if (crc32c(crc32c(0, block, 28), block + PACK_BLOCK_HEADER, len - PACK_BLOCK_HEADER) !=
		info->crc)
		return store_error_set(err, STORE_ECORRUPT, "block checksum is wrong");
	for (uint32_t i = 0; i < info->count; i++) {
		const uint64_t n = span_leb(&s);

		if (s.bad || n == 0 || n > LIMIT_OBJECT)
			return store_error_set(err, STORE_ECORRUPT,
				"block has a malformed length table");
		sum += n;
		if (lens)
			lens[i] = (uint32_t)n;
	}
	if (span_left(&s) != 0 || sum != info->plain)
		return store_error_set(err, STORE_ECORRUPT,
			"block has a length table that does not add up");
	return 0;
}

const uint8_t *pack_block_stored(const uint8_t *block, const struct pack_block_info *info)
{
	return block + PACK_BLOCK_HEADER + info->table;
}

void pack_index_release(struct pack_index *x)
{
	free(x->blocks);
	free(x->rows);
	memset(x, 0, sizeof(*x));
}

static int row_cmp(const void *a, const void *b)
{
	const struct pack_row *x = a, *y = b;
	const int c = id_cmp(&x->id, &y->id);

	if (c != 0)
		return c;
	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

void pack_index_sort(struct pack_index *x)
{
	size_t n = 0;

	if (x->count == 0)
		return;
	qsort(x->rows, x->count, sizeof(*x->rows), row_cmp);
	for (size_t i = 0; i < x->count; i++) {
		if (n == 0 || !id_eq(&x->rows[n - 1].id, &x->rows[i].id))
			x->rows[n++] = x->rows[i];
	}
	x->count = n;
}

static void add_fanout(const struct pack_index *x, struct buf *out)
{
	size_t n = 0;

	for (unsigned int b = 0; b < 256; b++) {
		while (n < x->count && x->rows[n].id.b[0] <= b)
			n++;
		buf_add_le32(out, (uint32_t)n);
	}
}

int pack_index_encode(struct pack_index *x, uint64_t off, struct buf *out, struct store_error *err)
{
	struct hash *h = hash_new();

	buf_add(out, footer_magic, 4);
	buf_add_le32(out, 1);
	buf_add_le32(out, (uint32_t)x->block_count);
	buf_add_le32(out, (uint32_t)x->count);
	for (size_t i = 0; i < x->block_count; i++) {
		buf_add_le64(out, x->blocks[i].off);
		buf_add_le32(out, x->blocks[i].length);
		buf_add_le32(out, x->blocks[i].plain);
		buf_add_le32(out, x->blocks[i].crc);
	}
	add_fanout(x, out);
	for (size_t i = 0; i < x->count; i++) {
		const struct pack_row *r = &x->rows[i];

		buf_add(out, r->id.b, ID_LEN);
		buf_add_le32(out, r->block);
		buf_add_le32(out, r->off);
		buf_add_le32(out, r->len | (uint32_t)r->kind << 24);
	}
	buf_add_le64(out, off);
	buf_add_le64(out, 0);
	buf_add_le64(out, 0);
	if (!h || out->failed) {
		hash_free(h);
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	}
	hash_once(h, out->data, out->len, &x->digest);
	hash_free(h);
	buf_add(out, x->digest.b, ID_LEN);
	buf_add(out, end_magic, 8);
	return buf_check(out, err);
}

static int parse_blocks(struct pack_index *x, struct span *s, uint64_t footer_off,
	struct store_error *err)
{
	uint64_t end = PACK_HEADER;

	for (size_t i = 0; i < x->block_count; i++) {
		struct pack_block_row *b = &x->blocks[i];

		b->off = span_le64(s);
		b->length = span_le32(s);
		b->plain = span_le32(s);
		b->crc = span_le32(s);
		if (b->off != end || b->length <= PACK_BLOCK_HEADER || b->plain == 0 ||
			b->plain > LIMIT_BLOCK)
			return store_error_set(err, STORE_ECORRUPT,
				"footer has a malformed block row");
		end += b->length;
	}
	if (end != footer_off)
		return store_error_set(err, STORE_ECORRUPT,
			"footer does not follow the last block");
	return 0;
}

static int parse_rows(struct pack_index *x, struct span *s, const uint8_t *fanout,
	struct store_error *err)
{
	size_t seen[256] = { 0 }, sum = 0;

	for (size_t i = 0; i < x->count; i++) {
		struct pack_row *r = &x->rows[i];
		uint32_t v;

		memcpy(r->id.b, span_take(s, ID_LEN), ID_LEN);
		r->block = span_le32(s);
		r->off = span_le32(s);
		v = span_le32(s);
		r->len = v & 0xffffff;
		r->kind = (uint8_t)(v >> 24);
		if (r->block >= x->block_count || r->len == 0 ||
			(uint64_t)r->off + r->len > x->blocks[r->block].plain)
			return store_error_set(err, STORE_ECORRUPT,
				"footer has a malformed object row");
		if (i > 0 && id_cmp(&x->rows[i - 1].id, &r->id) >= 0)
			return store_error_set(err, STORE_ECORRUPT, "footer rows are out of order");
		seen[r->id.b[0]]++;
	}
	for (size_t b = 0; b < 256; b++) {
		sum += seen[b];
		if (le32_get(fanout + 4 * b) != sum)
			return store_error_set(err, STORE_ECORRUPT, "footer fan-out is wrong");
	}
	return 0;
}

static int check_trailer(struct pack_index *x, const uint8_t *data, size_t len, uint64_t footer_off,
	struct store_error *err)
{
	const uint8_t *t = data + len - PACK_TRAILER;
	struct hash *h = hash_new();

	if (!h)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	hash_once(h, data, len - 40, &x->digest);
	hash_free(h);
	if (le64_get(t) != footer_off || le64_get(t + 8) != 0 || le64_get(t + 16) != 0 ||
		memcmp(t + 56, end_magic, 8) != 0)
		return store_error_set(err, STORE_ECORRUPT, "pack has no footer");
	if (memcmp(t + 24, x->digest.b, ID_LEN) != 0)
		return store_error_set(err, STORE_ECORRUPT, "footer digest is wrong");
	return 0;
}

int pack_index_parse(struct pack_index *x, const void *data, size_t len, uint64_t footer_off,
	struct store_error *err)
{
	struct span s = span_of(data, len);
	const uint8_t *fanout;
	uint64_t want;
	int rc;

	if (len < PACK_FOOTER_HEAD + PACK_FANOUT + PACK_TRAILER ||
		memcmp(span_take(&s, 4), footer_magic, 4) != 0 || span_le32(&s) != 1)
		return store_error_set(err, STORE_ECORRUPT, "pack has no footer");
	rc = check_trailer(x, data, len, footer_off, err);
	if (rc != 0)
		return rc;
	x->block_count = span_le32(&s);
	x->count = span_le32(&s);
	want = PACK_FOOTER_HEAD + (uint64_t)x->block_count * PACK_BLOCK_ROW + PACK_FANOUT +
		(uint64_t)x->count * PACK_OBJECT_ROW + PACK_TRAILER;
	if (want != len || x->count > LIMIT_PACK_OBJECTS || x->block_count > LIMIT_PACK_OBJECTS)
		return store_error_set(err, STORE_ECORRUPT, "footer counts do not fit its length");
	x->blocks = mem_alloc_array(x->block_count + 1, sizeof(*x->blocks));
	x->rows = mem_alloc_array(x->count + 1, sizeof(*x->rows));
	if (!x->blocks || !x->rows)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = parse_blocks(x, &s, footer_off, err);
	if (rc != 0)
		return rc;
	fanout = span_take(&s, PACK_FANOUT);
	return parse_rows(x, &s, fanout, err);
}

void pack_name(char out[PACK_NAME], uint64_t number, const uint8_t random[16])
{
	snprintf(out, PACK_NAME, "%016llx-", (unsigned long long)number);
	for (size_t i = 0; i < 16; i++)
		snprintf(out + 17 + 2 * i, 3, "%02x", random[i]);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool pack_name_parse(const char *name, uint64_t *number, uint8_t random[16])
{
	uint64_t n = 0;

	if (strlen(name) != PACK_NAME - 1 || name[16] != '-')
		return false;
	for (size_t i = 0; i < PACK_NAME - 1; i++) {
		if (i != 16 && hex_digit(name[i]) < 0)
			return false;
	}
	for (size_t i = 0; i < 16; i++) {
		n = n << 4 | (uint64_t)hex_digit(name[i]);
		random[i] = (uint8_t)(hex_digit(name[17 + 2 * i]) << 4 |
			hex_digit(name[18 + 2 * i]));
	}
	*number = n;
	return true;
}
