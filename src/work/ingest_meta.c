/*
 * Recorded attributes of what is added (core.metadata): none, or times (mode and mtime). posix is
 * refused by store_add: not built yet.
 */
#include <string.h>

#include "base/error.h"
#include "graph/entry.h"
#include "work/ingest.h"

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

int ingest_meta(struct ingest *g, struct job *job, struct store_error *err)
{
	struct meta m = { 0 };
	struct buf out = { 0 };
	int rc = 0;

	job->meta_len = 0;
	if (g->repo->metadata == METADATA_NONE)
		return 0;
	set_times(&m, &job->stat);
	if (meta_encode(&out, &m) != 0 || out.len > sizeof(job->meta))
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc == 0) {
		memcpy(job->meta, out.data, out.len);
		job->meta_len = out.len;
	}
	buf_release(&out);
	return rc;
}
