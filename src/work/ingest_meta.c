/*
 * Recorded attributes of what is added (core.metadata): none, times (mode and mtime), or posix (owner and extended attributes, too).
 * Extended attributes are a list of their own, kept as content: most files have none, and those that have share few.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

int ingest_meta(struct ingest *g, struct job *job, int fd, struct store_error *err)
{
	struct meta m = {0};
	struct buf out = {0};
	struct stat st;
	int rc = 0;

	job->meta_len = 0;
	if (g->repo->metadata == METADATA_NONE)
		return 0;
	set_times(&m, &job->stat);
	if (g->repo->metadata == METADATA_POSIX && fd >= 0 && fstat(fd, &st) == 0) {
		m.flags |= META_OWNER;
		m.uid = st.st_uid;
		m.gid = st.st_gid;
	}
	if (meta_encode(&out, &m) != 0 || out.len > sizeof(job->meta))
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc == 0) {
		memcpy(job->meta, out.data, out.len);
		job->meta_len = out.len;
	}
	buf_release(&out);
	return rc;
}
