/*
 * Groups of the same content, handed over in bounded parts. Beside the names each copy has a record
 * that sorts before all names of its content, with the number of its own: so the counts of a group
 * are known before its first name, however many there are.
 *
 *     copy: id, 0, device, inode, names (8 bytes each)
 *     name: id, 1, root (8, big-endian), path and NUL, then what struct store_dupes_file has beside
 */
#include <string.h>

#include "base/bytes.h"
#include "work/dupes_internal.h"

#define COPY 0
#define NAME 1
#define REST 44u /* bytes of a name behind its path */
#define PART_NAMES 256
#define PART_BYTES ((size_t)1 << 20)

struct part {
	struct dupes *d;
	struct store_dupes_group group;
	struct store_dupes_file files[PART_NAMES];
	size_t offs[PART_NAMES]; /* of their paths in text */
	struct buf text;
	bool has_group;
};

static void add_be64(struct buf *b, uint64_t v)
{
	uint8_t bytes[8];

	be64_put(bytes, v);
	buf_add(b, bytes, sizeof(bytes));
}

static int add(struct dupes *d, struct buf *b, struct store_error *err)
{
	int rc = buf_check(b, err);

	if (rc == 0)
		rc = sorter_add(&d->same, b->data, b->len, err);
	buf_release(b);
	return rc;
}

int dupes_group_add_copy(struct dupes *d, const struct oid *id, const struct store_dupes_file *file,
	uint64_t names, struct store_error *err)
{
	struct buf b = { 0 };

	buf_add(&b, id->b, sizeof(id->b));
	buf_add_u8(&b, COPY);
	add_be64(&b, file->device);
	add_be64(&b, file->inode);
	buf_add_le64(&b, names);
	return add(d, &b, err);
}

int dupes_group_add_name(struct dupes *d, const struct oid *id, const struct store_dupes_file *file,
	struct store_error *err)
{
	struct buf b = { 0 };

	buf_add(&b, id->b, sizeof(id->b));
	buf_add_u8(&b, NAME);
	add_be64(&b, file->root);
	buf_add(&b, file->path, file->path_len);
	buf_add_u8(&b, 0);
	buf_add_le64(&b, file->device);
	buf_add_le64(&b, file->inode);
	buf_add_le64(&b, (uint64_t)file->mtime);
	buf_add_le32(&b, file->mtime_ns);
	buf_add_le32(&b, file->mode);
	buf_add_le32(&b, file->uid);
	buf_add_le32(&b, file->gid);
	buf_add_le32(&b, (uint32_t)file->path_len);
	return add(d, &b, err);
}

static int hand(struct part *p, struct store_error *err)
{
	const struct store_dupes_options *o = p->d->o;
	struct store_dupes_group *g = &p->group;
	int rc = 0;

	if (g->n == 0)
		return 0;
	for (size_t i = 0; i < g->n; i++)
		p->files[i].path = (const char *)p->text.data + p->offs[i];
	g->files = p->files;
	if (o->group && o->group(o->payload, g) != 0)
		rc = dupes_canceled(err);
	if (rc == 0)
		rc = dupes_plan_add(p->d, g, err);
	g->first += g->n;
	g->n = 0;
	buf_clear(&p->text);
	return rc == 0 ? dupes_tick(p->d, false, err) : rc;
}

static void begin(struct part *p, const uint8_t *record, uint64_t size)
{
	memset(&p->group, 0, sizeof(p->group));
	memcpy(p->group.id.bytes, record, sizeof(p->group.id.bytes));
	p->group.size = size;
	p->has_group = true;
}

/* The first name of a group tells that it has all its copies. */
static void count(struct part *p)
{
	struct store_dupes_stats *now = p->d->now;

	if (p->group.first > 0 || p->group.n > 0)
		return;
	p->group.number = now->groups++;
	now->names += p->group.names;
	now->copies += p->group.copies;
	now->free_bytes += (p->group.copies - 1) * p->group.size;
}

static int add_to_part(struct part *p, const uint8_t *record, size_t len, struct store_error *err)
{
	const uint8_t *rest = record + len - REST;
	const uint8_t *path = record + ID_LEN + 1 + 8;
	struct store_dupes_file f = { .root = (uint32_t)be64_get(record + ID_LEN + 1),
		.device = le64_get(rest),
		.inode = le64_get(rest + 8),
		.mtime = (int64_t)le64_get(rest + 16),
		.mtime_ns = le32_get(rest + 24),
		.mode = le32_get(rest + 28),
		.uid = le32_get(rest + 32),
		.gid = le32_get(rest + 36),
		.path_len = le32_get(rest + 40) };
	int rc = 0;

	if (p->group.n == PART_NAMES || p->text.len >= PART_BYTES)
		rc = hand(p, err);
	if (rc != 0)
		return rc;
	count(p);
	p->offs[p->group.n] = p->text.len;
	p->files[p->group.n++] = f;
	return buf_add(&p->text, path, f.path_len + 1) == 0
		? 0
		: store_error_set(err, STORE_ENOMEM, "out of memory");
}

static int take(struct part *p, const uint8_t *record, size_t len, uint64_t size,
	struct store_error *err)
{
	int rc = 0;

	if (!p->has_group || memcmp(p->group.id.bytes, record, ID_LEN) != 0) {
		rc = hand(p, err);
		begin(p, record, size);
	}
	if (rc == 0 && record[ID_LEN] == COPY) {
		p->group.copies++;
		p->group.names += le64_get(record + ID_LEN + 1 + 16);
	} else if (rc == 0 && p->group.copies > 1) {
		rc = add_to_part(p, record, len, err);
	}
	return rc;
}

int dupes_group_hand(struct dupes *d, uint64_t size, struct store_error *err)
{
	struct part p = { .d = d };
	const uint8_t *record;
	size_t len;
	int rc = sorter_sort(&d->same, err);

	while (rc == 0 && (rc = sorter_next(&d->same, &record, &len, err)) == 0)
		rc = take(&p, record, len, size, err);
	if (rc == STORE_ENOTFOUND)
		rc = hand(&p, err);
	buf_release(&p.text);
	sorter_clear(&d->same);
	return rc;
}
