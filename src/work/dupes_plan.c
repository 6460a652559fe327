/*
 * What is to be done about groups. A plan is named by the SHA-256 of its actions in their order:
 * act and force, then of each the content, its size, and root and path of both names as they are
 * given. So whoever has seen the actions of a plan can ask for them alone. They are carried out
 * when all are known and the name is the one that was asked for; until then they wait in a spool.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"
#include "work/dupes_internal.h"

#define DOMAIN "store/dupes/plan/1"
#define FILE_FIXED 48u /* bytes of a file in the spool, but for its path */

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- whether it may be done */

static bool has_store(const char *path)
{
	const size_t len = strlen(DUPES_STORE);

	for (const char *s = path; *s;) {
		const size_t n = strcspn(s, "/");

		if (n == len && memcmp(s, DUPES_STORE, len) == 0)
			return true;
		s += n + (s[n] == '/');
	}
	return false;
}

/* Why the action may not be done, as far as records tell; 0: it may. */
static int check(const struct dupes *d, const struct store_dupes_action *a, struct store_error *why)
{
	const struct store_dupes_file *k = a->keep, *f = a->file;
	const bool is_forced = d->o->flags & STORE_DUPES_FORCE;

	if (has_store(k->path) || has_store(f->path))
		return store_error_set(why, STORE_EINVAL,
			"one of the two is in a folder '.store', of a repository");
	if (a->act != STORE_DUPES_LINK)
		return 0;
	if (k->device != f->device)
		return store_error_set(why, STORE_EINVAL, "it is on another file system");
	if (!is_forced && k->mode != f->mode)
		return store_error_set(why, STORE_EINVAL, "its mode is %o, not %o",
			f->mode & 07777U, k->mode & 07777U);
	if (!is_forced && (k->uid != f->uid || k->gid != f->gid))
		return store_error_set(why, STORE_EINVAL,
			"its owner and group are %u:%u, not %u:%u", f->uid, f->gid, k->uid, k->gid);
	return 0;
}

/* ---- records */

static void add_file(struct buf *b, const struct store_dupes_file *f)
{
	buf_add_le32(b, f->root);
	buf_add_le32(b, f->mode);
	buf_add_le32(b, f->uid);
	buf_add_le32(b, f->gid);
	buf_add_le64(b, (uint64_t)f->mtime);
	buf_add_le32(b, f->mtime_ns);
	buf_add_le64(b, f->inode);
	buf_add_le64(b, f->device);
	buf_add_le32(b, (uint32_t)f->path_len);
	buf_add(b, f->path, f->path_len);
	buf_add_u8(b, 0);
}

/* The file at *p, which goes behind it; its path is borrowed. */
static struct store_dupes_file take_file(const uint8_t **p)
{
	const uint8_t *r = *p;
	const struct store_dupes_file f = { .root = le32_get(r),
		.mode = le32_get(r + 4),
		.uid = le32_get(r + 8),
		.gid = le32_get(r + 12),
		.mtime = (int64_t)le64_get(r + 16),
		.mtime_ns = le32_get(r + 24),
		.inode = le64_get(r + 28),
		.device = le64_get(r + 36),
		.path_len = le32_get(r + 44),
		.path = (const char *)r + FILE_FIXED };

	*p = r + FILE_FIXED + f.path_len + 1;
	return f;
}

static int spool(struct dupes *d, const struct store_dupes_action *a, struct store_error *err)
{
	struct dupes_plan *p = &d->plan;
	int rc;

	buf_clear(&p->record);
	buf_add_le64(&p->record, a->size);
	buf_add(&p->record, a->id.bytes, sizeof(a->id.bytes));
	add_file(&p->record, a->keep);
	add_file(&p->record, a->file);
	if (p->record.failed)
		return out_of_memory(err);
	rc = spool_add(&p->spool, p->record.data, p->record.len, err);
	return rc == 0 ? 0
		       : store_error_wrap(err, rc, "actions cannot wait in the folder '%s'",
				 d->walk->scratch);
}

static void hash_file(const struct dupes *d, const struct store_dupes_file *f)
{
	const char *root = d->roots[f->root];

	hash_add(d->plan.hash, root, strlen(root) + 1);
	hash_add(d->plan.hash, f->path, f->path_len + 1);
}

static void hash_action(const struct dupes *d, const struct store_dupes_action *a)
{
	uint8_t size[8];

	le64_put(size, a->size);
	hash_add(d->plan.hash, a->id.bytes, sizeof(a->id.bytes));
	hash_add(d->plan.hash, size, sizeof(size));
	hash_file(d, a->keep);
	hash_file(d, a->file);
}

/* ---- adding */

static int tell(struct dupes *d, const struct store_dupes_action *a, struct store_error *err)
{
	d->now->done += a->state == STORE_DUPES_DONE;
	d->now->refused += a->state == STORE_DUPES_REFUSED;
	if (d->o->action && d->o->action(d->o->payload, a) != 0)
		return dupes_canceled(err);
	return 0;
}

static int add(struct dupes *d, struct store_dupes_action *a, struct store_error *err)
{
	if (check(d, a, &a->why) != 0) {
		a->state = STORE_DUPES_REFUSED;
		return tell(d, a, err);
	}
	d->now->planned++;
	hash_action(d, a);
	return d->o->plan ? spool(d, a, err) : tell(d, a, err);
}

static int keep(struct dupes_plan *p, const struct store_dupes_file *f, struct store_error *err)
{
	p->keep = *f;
	if (buf_set(&p->keep_path, f->path, f->path_len + 1) != 0)
		return out_of_memory(err);
	p->keep.path = (const char *)p->keep_path.data;
	return 0;
}

int dupes_plan_add(struct dupes *d, const struct store_dupes_group *part, struct store_error *err)
{
	struct dupes_plan *p = &d->plan;
	int rc = 0;

	if (d->o->act == STORE_DUPES_TELL)
		return 0;
	if (part->first == 0)
		rc = keep(p, &part->files[0], err);
	for (size_t i = 0; i < part->n && rc == 0; i++) {
		const struct store_dupes_file *f = &part->files[i];
		struct store_dupes_action a = { .act = d->o->act,
			.keep = &p->keep,
			.file = f,
			.id = part->id,
			.size = part->size };

		/* Names of the file that stays are left alone: there is nothing to win. */
		if (f->device != p->keep.device || f->inode != p->keep.inode)
			rc = add(d, &a, err);
	}
	return rc;
}

/* ---- carrying out */

static int carry_out_one(struct dupes *d, const struct buf *record, struct store_error *err)
{
	const uint8_t *p = record->data + 8 + sizeof(struct store_id);
	const struct store_dupes_file kept = take_file(&p), file = take_file(&p);
	struct store_dupes_action a = { .act = d->o->act,
		.keep = &kept,
		.file = &file,
		.size = le64_get(record->data) };
	int rc;

	memcpy(a.id.bytes, record->data + 8, sizeof(a.id.bytes));
	rc = dupes_act(d, &a, err);
	if (rc == 0)
		rc = tell(d, &a, err);
	return rc == 0 ? dupes_tick(d, false, err) : rc;
}

static int carry_out(struct dupes *d, struct store_error *err)
{
	struct dupes_plan *p = &d->plan;
	int rc = spool_rewind(&p->spool, err);

	while (rc == 0 && (rc = spool_next(&p->spool, &p->record, err)) == 0)
		rc = carry_out_one(d, &p->record, err);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

int dupes_plan_end(struct dupes *d, struct store_error *err)
{
	const char *asked = d->o->plan;
	struct oid id;
	char hex[ID_HEX + 1];

	if (d->o->act == STORE_DUPES_TELL)
		return 0;
	hash_end(d->plan.hash, &id);
	memcpy(d->now->plan.bytes, id.b, sizeof(id.b));
	if (!asked)
		return 0;
	id_hex(hex, &id);
	if (strncmp(hex, asked, strlen(asked)) != 0)
		return store_error_set(err, STORE_ECONFLICT,
			"the plan is %.16s now, no more %.16s: nothing was changed", hex, asked);
	return carry_out(d, err);
}

/* ---- beginning and end */

static int check_asked(const struct store_dupes_options *o, struct store_error *err)
{
	const size_t len = strlen(o->plan);

	if (o->act == STORE_DUPES_TELL)
		return store_error_set(err, STORE_EINVAL, "a plan goes with an act");
	if (len < DUPES_PLAN_DIGITS_MIN || len > ID_HEX ||
		strspn(o->plan, "0123456789abcdef") != len)
		return store_error_set(err, STORE_EINVAL, "a plan is %zu to %d hex digits",
			DUPES_PLAN_DIGITS_MIN, ID_HEX);
	return 0;
}

int dupes_plan_init(struct dupes *d, struct store_error *err)
{
	struct dupes_plan *p = &d->plan;
	const uint8_t head[2] = { (uint8_t)d->o->act, (uint8_t)(d->o->flags & STORE_DUPES_FORCE) };
	int rc = d->o->plan ? check_asked(d->o, err) : 0;

	p->scratch_fd = -1;
	spool_init(&p->spool, -1);
	if (rc != 0 || d->o->act == STORE_DUPES_TELL)
		return rc;
	p->hash = hash_new();
	if (!p->hash)
		return out_of_memory(err);
	hash_begin(p->hash);
	hash_add(p->hash, DOMAIN, sizeof(DOMAIN));
	hash_add(p->hash, head, sizeof(head));
	if (!d->o->plan)
		return 0;
	p->scratch_fd = open(d->walk->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->scratch_fd == -1)
		return store_error_sys(err, "cannot open '%s'", d->walk->scratch);
	p->spool.dirfd = p->scratch_fd;
	return 0;
}

void dupes_plan_release(struct dupes *d)
{
	struct dupes_plan *p = &d->plan;

	spool_release(&p->spool);
	io_close(&p->scratch_fd);
	hash_free(p->hash);
	buf_release(&p->keep_path);
	buf_release(&p->record);
}
