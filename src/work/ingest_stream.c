/*
 * A stream, segment by segment: as a large file (ingest_large.c), but that nothing tells its size
 * before it ends, and that what is read cannot be read again. So it has no checkpoint to go on from
 * and no second try; an error of the source ends the run.
 *
 * Content that ends within the first segment has its class by its size, as a file has. What is
 * longer is cut as class 0, for its size is not known when the first chunk is: a repository with
 * several classes gives such a stream another root than a file of the same bytes may have.
 */
#include <string.h>

#include "base/error.h"
#include "work/ingest.h"

int ingest_stream_begin(struct ingest *g, const struct job *job, const char *path, size_t len,
	ingest_source_fn *source, void *ctx, struct store_error *err)
{
	struct large *l = &g->large;

	l->job = *job;
	l->source = source;
	l->source_ctx = ctx;
	l->fd = -1;
	l->size = l->off = l->start = 0;
	l->carry_len = 0;
	l->at_end = false;
	l->first = true;
	l->open = true;
	l->adopt = 0;
	buf_clear(&l->resume);
	l->job.class = 0;
	l->params = g->classes[0];
	if (buf_set(&l->path, path, len) != 0 || !buf_str(&l->path))
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	return 0;
}

/* Fill the segment behind what was carried; *len: bytes in it. */
static int fill(struct large *l, struct item *item, size_t *len, struct store_error *err)
{
	int rc = 0;

	memcpy(item->data, l->carry, l->carry_len);
	*len = l->carry_len;
	l->carry_len = 0;
	while (rc == 0 && !l->at_end && *len < item->data_cap) {
		size_t got = 0;

		rc = l->source(l->source_ctx, item->data + *len, item->data_cap - *len, &got, err);
		l->at_end = got == 0;
		l->off += got;
		*len += got;
	}
	return rc;
}

/* All of it is here: its class is that of its size. */
static void choose_class(struct ingest *g, struct item *item)
{
	struct large *l = &g->large;

	l->job.class = (uint8_t)format_class_of(odb_format(g->repo->odb), l->off);
	l->params = g->classes[l->job.class];
	item->jobs[0].class = l->job.class;
}

static int finish(struct ingest *g, struct item *item, struct store_error *err)
{
	struct large *l = &g->large;
	struct job *job = &item->jobs[0];

	job->size = job->stat.size = l->off;
	item->last = true;
	l->open = false;
	return ingest_meta(g, job, NULL, g->hash, err);
}

int ingest_stream_produce(struct ingest *g, struct item *item, struct store_error *err)
{
	struct large *l = &g->large;
	const bool is_first = l->first;
	const uint64_t before = l->off;
	size_t len = 0;
	int rc = ingest_large_item(g, item, err);

	l->first = false;
	if (rc == 0)
		rc = fill(l, item, &len, err);
	if (rc != 0)
		return rc;
	if (is_first && l->at_end)
		choose_class(g, item);
	rc = ingest_large_cut(l, item, 0, len, l->at_end, err);
	item->offset = l->start;
	item->bytes = l->off - before;
	item->covered = l->off;
	return rc == 0 && l->at_end ? finish(g, item, err) : rc;
}
