/*
 * Comparing, stage by stage, each of which sees what the one before could not tell apart:
 *
 *     walk -> sizes -> [ends: first and last 4 KiB] -> same: whole content -> groups
 *                         only files of over 8 KiB
 *
 * A stage reads names in the order of a key (the size, or the hash of the ends), and those of one
 * key in the order of device and inode, so that all names of a copy are next to each other: it is
 * opened once, by the first of its names that can be opened. Names of the first copy of a key are
 * held back until there is a second one, so that what is alone in its size is never opened. A copy
 * with so many names that they find no room is opened all the same; that costs one opening.
 *
 * A record of sizes and ends: key, device, inode, root (8 bytes each but for the hash, big-endian:
 * they sort), path and NUL, time (8 and 4 bytes). The key of a size is its complement: the largest
 * come first.
 */
#include <string.h>

#include "base/bytes.h"
#include "work/dupes_internal.h"

#define KEY_SIZE 8u
#define KEY_HASH 32u
#define HELD_MAX ((size_t)1 << 20)
#define TIME 12u /* bytes of a time */

struct stage {
	struct dupes *d;
	size_t key_len;
	bool is_whole; /* what comes out is of the same content */
	uint64_t size; /* of the files */

	uint8_t key[KEY_HASH]; /* of the group */
	bool has_group;
	bool is_open;    /* it has a second copy, or names of the first found no room */
	struct buf held; /* until then: names of the first, each with its length */

	bool has_copy;
	bool is_read; /* the copy was; id, and mode, owner and group of read, are set */
	struct oid id;
	struct store_dupes_file read; /* its path is not */
	uint64_t names;               /* of the copy, that were handed on */
};

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- records */

static void add_be64(struct buf *b, uint64_t v)
{
	uint8_t bytes[8];

	be64_put(bytes, v);
	buf_add(b, bytes, sizeof(bytes));
}

static int add_name(struct sorter *s, const void *key, size_t key_len,
	const struct store_dupes_file *f, struct store_error *err)
{
	struct buf b = { 0 };
	int rc;

	buf_add(&b, key, key_len);
	add_be64(&b, f->device);
	add_be64(&b, f->inode);
	add_be64(&b, f->root);
	buf_add(&b, f->path, f->path_len);
	buf_add_u8(&b, 0);
	buf_add_le64(&b, (uint64_t)f->mtime);
	buf_add_le32(&b, f->mtime_ns);
	rc = buf_check(&b, err);
	if (rc == 0)
		rc = sorter_add(s, b.data, b.len, err);
	buf_release(&b);
	return rc;
}

/* Its path is borrowed from the record. */
static struct store_dupes_file decode(const uint8_t *record, size_t len, size_t key_len)
{
	const uint8_t *p = record + key_len;
	const uint8_t *time = record + len - TIME;
	const struct store_dupes_file f = { .device = be64_get(p),
		.inode = be64_get(p + 8),
		.root = (uint32_t)be64_get(p + 16),
		.path = (const char *)p + 24,
		.path_len = (size_t)(time - (p + 24)) - 1,
		.mtime = (int64_t)le64_get(time),
		.mtime_ns = le32_get(time + 8) };

	return f;
}

int dupes_stage_add(struct dupes *d, const struct store_walk_record *r, struct store_error *err)
{
	const struct store_dupes_file f = { .path = r->path,
		.path_len = r->path_len,
		.root = r->root,
		.mtime = r->mtime,
		.mtime_ns = r->mtime_ns,
		.inode = r->inode,
		.device = r->device };
	uint8_t key[KEY_SIZE];

	be64_put(key, ~r->size);
	return add_name(&d->sizes, key, sizeof(key), &f, err);
}

/* ---- a copy */

static int read_copy(struct stage *s, const struct store_dupes_file *f, struct store_error *err)
{
	struct store_error why = { 0 };
	int rc;

	s->read = *f;
	rc = dupes_read(s->d, &s->read, s->size, s->is_whole, &s->id, &why, err);
	s->read.path = NULL;
	s->is_read = rc == 0 && why.code == 0;
	if (rc == 0 && why.code != 0 && why.code != STORE_ENOTFOUND)
		rc = dupes_fail(s->d, f, &why, err);
	return rc;
}

/* A name of the copy goes on to what comes next. */
static int pass(struct stage *s, struct store_dupes_file f, struct store_error *err)
{
	int rc;

	if (!s->is_read) {
		rc = read_copy(s, &f, err);
		if (rc != 0 || !s->is_read)
			return rc;
	}
	f.mode = s->read.mode;
	f.uid = s->read.uid;
	f.gid = s->read.gid;
	s->names++;
	return s->is_whole ? dupes_group_add_name(s->d, &s->id, &f, err)
			   : add_name(&s->d->ends, s->id.b, sizeof(s->id.b), &f, err);
}

static int end_copy(struct stage *s, struct store_error *err)
{
	const bool is_told = s->is_whole && s->names > 0;

	s->has_copy = s->is_read = false;
	return is_told ? dupes_group_add_copy(s->d, &s->id, &s->read, s->names, err) : 0;
}

/* ---- a group */

static int hold(struct stage *s, const uint8_t *record, size_t len, struct store_error *err)
{
	buf_add_le32(&s->held, (uint32_t)len);
	return buf_add(&s->held, record, len) == 0 ? 0 : out_of_memory(err);
}

/* From now on nothing is held back. */
static int open_group(struct stage *s, struct store_error *err)
{
	int rc = 0;

	for (size_t at = 0; at < s->held.len && rc == 0;) {
		const size_t len = le32_get(s->held.data + at);

		rc = pass(s, decode(s->held.data + at + 4, len, s->key_len), err);
		at += 4 + len;
	}
	buf_clear(&s->held);
	s->is_open = true;
	return rc;
}

static int end_group(struct stage *s, struct store_error *err)
{
	const int rc = s->is_open ? end_copy(s, err) : 0;

	buf_clear(&s->held);
	s->has_group = s->is_open = s->has_copy = s->is_read = false;
	return rc;
}

/* A record of the key that is at hand. */
static int take(struct stage *s, const uint8_t *record, size_t len, struct store_error *err)
{
	const struct store_dupes_file f = decode(record, len, s->key_len);
	int rc = 0;

	if (s->has_copy && (f.device != s->read.device || f.inode != s->read.inode)) {
		if (!s->is_open)
			rc = open_group(s, err);
		if (rc == 0)
			rc = end_copy(s, err);
	}
	if (rc == 0 && !s->has_copy) {
		s->has_copy = true;
		s->read = f;
		s->names = 0;
	}
	if (rc == 0 && !s->is_open && s->held.len < HELD_MAX)
		return hold(s, record, len, err);
	if (rc == 0 && !s->is_open)
		rc = open_group(s, err);
	return rc == 0 ? pass(s, f, err) : rc;
}

static bool is_next_group(struct stage *s, const uint8_t *record)
{
	return !s->has_group || memcmp(s->key, record, s->key_len) != 0;
}

static void begin_group(struct stage *s, const uint8_t *record)
{
	memcpy(s->key, record, s->key_len);
	s->has_group = true;
}

/* ---- stages */

/* What is alike at its ends, by its whole content. */
static int compare_whole(struct dupes *d, uint64_t size, struct store_error *err)
{
	struct stage s = { .d = d, .key_len = KEY_HASH, .is_whole = true, .size = size };
	const uint8_t *record;
	size_t len;
	int rc = sorter_sort(&d->ends, err);

	while (rc == 0 && (rc = sorter_next(&d->ends, &record, &len, err)) == 0) {
		if (is_next_group(&s, record)) {
			rc = end_group(&s, err);
			begin_group(&s, record);
		}
		if (rc == 0)
			rc = take(&s, record, len, err);
	}
	if (rc == STORE_ENOTFOUND)
		rc = end_group(&s, err);
	buf_release(&s.held);
	sorter_clear(&d->ends);
	return rc;
}

/* All of a size were seen. */
static int end_size(struct stage *s, struct store_error *err)
{
	struct dupes *d = s->d;
	int rc = end_group(s, err);

	if (rc == 0 && d->ends.count > 0)
		rc = compare_whole(d, s->size, err);
	if (rc == 0 && d->same.count > 0)
		rc = dupes_group_hand(d, s->size, err);
	return rc;
}

int dupes_stage_run(struct dupes *d, struct store_error *err)
{
	struct stage s = { .d = d, .key_len = KEY_SIZE };
	const uint8_t *record;
	size_t len;
	int rc = sorter_sort(&d->sizes, err);

	while (rc == 0 && (rc = sorter_next(&d->sizes, &record, &len, err)) == 0) {
		if (is_next_group(&s, record)) {
			rc = end_size(&s, err);
			begin_group(&s, record);
			s.size = ~be64_get(record);
			s.is_whole = s.size <= 2 * (uint64_t)DUPES_ENDS;
		}
		if (rc == 0)
			rc = take(&s, record, len, err);
		d->now->compared++;
		if (rc == 0)
			rc = dupes_tick(d, false, err);
	}
	if (rc == STORE_ENOTFOUND)
		rc = end_size(&s, err);
	buf_release(&s.held);
	return rc;
}
