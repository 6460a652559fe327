/*
 * Recorded attributes of what is added (core.metadata): none, times (mode and mtime), or posix
 * (owner and extended attributes, too).
 *
 * They are taken from the descriptor that is read, between the two looks at it that tell whether
 * it changed meanwhile: a change of owner or of an extended attribute moves ctime, as a write does.
 * A list of extended attributes is an object of its own, so that many files with the same ones
 * share it. Whoever reads a list brings it where it can; what the producer reads (directories,
 * large files) goes along with the item, and a worker brings it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "data/limits.h"
#include "graph/entry.h"
#include "work/ingest.h"
#include "work/xattr.h"

void ingest_take_stat(struct job *job, const struct worktree_entry *e)
{
	job->kind = e->kind;
	job->stat = e->stat;
	job->uid = e->uid;
	job->gid = e->gid;
}

int ingest_read_list(const struct ingest *g, int fd, struct buf *list)
{
	buf_clear(list);
	return g->repo->metadata == METADATA_POSIX ? xattr_read(fd, list) : 0;
}

static void set_times(struct meta *m, const struct stage_stat *st)
{
	int64_t sec = st->mtime_ns / 1000000000, nsec = st->mtime_ns % 1000000000;

	if (nsec < 0) {
		nsec += 1000000000;
		sec--;
	}
	m->flags |= META_ATTRS;
	m->mode = st->mode & 07777;
	m->mtime_sec = sec;
	m->mtime_nsec = (uint32_t)nsec;
}

static void set_owner(struct meta *m, const struct job *job)
{
	m->flags |= META_OWNER;
	m->uid = job->uid;
	m->gid = job->gid;
	if (job->list.size > 0) {
		m->flags |= META_XATTRS;
		m->xattrs = job->list;
	}
}

int ingest_meta(const struct ingest *g, struct job *job, const struct buf *list, struct hash *hash,
	struct store_error *err)
{
	struct meta m = { 0 };
	struct buf out = { 0 };
	int rc = 0;

	job->meta_len = 0;
	job->list = (struct file_ref){ .size = list ? list->len : 0 };
	if (g->repo->metadata == METADATA_NONE)
		return 0;
	if (job->list.size > 0)
		hash_once(hash, list->data, list->len, &job->list.id);
	set_times(&m, &job->stat);
	if (g->repo->metadata == METADATA_POSIX)
		set_owner(&m, job);
	if (meta_encode(&out, &m) != 0 || out.len > sizeof(job->meta))
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc == 0) {
		memcpy(job->meta, out.data, out.len);
		job->meta_len = out.len;
	}
	buf_release(&out);
	return rc;
}

int ingest_keep_list(struct item *item, struct job *job, const struct buf *list,
	struct store_error *err)
{
	if (list->len == 0)
		return 0;
	job->list_off = item->lists.len;
	job->has_list = true;
	item->bytes += list->len;
	buf_add(&item->lists, list->data, list->len);
	return buf_check(&item->lists, err);
}

int ingest_list_notice(int sys, char *why, size_t cap)
{
	char text[128];

	if (sys == E2BIG) {
		snprintf(why, cap, "its extended attributes are longer than %u bytes",
			LIMIT_XATTRS);
		return STORE_NOTICE_LIMIT;
	}
	snprintf(why, cap, "%s", strerror_r(sys, text, sizeof(text)));
	return STORE_NOTICE_UNREADABLE;
}

bool ingest_lacks_owner(const struct ingest *g, const struct stage_row *row)
{
	struct span s = span_of(row->meta, row->meta_len);
	struct meta m = { 0 };

	return g->repo->metadata == METADATA_POSIX &&
		(meta_decode(&s, &m) != 0 || !(m.flags & META_OWNER));
}
