/*
 * A stream, segment by segment: as a large file (ingest_large.c), but that nothing proves its size
 * before it ends, and that what is read cannot be read again. So it has no checkpoint to go on from
 * and no second try; an error of the source ends the run.
 *
 * Content that ends with the first segment has its class by its size, as a file has; to know that
 * it does, one byte behind a full segment is asked for before it is cut. What is longer has the
 * class of the size that is expected, and without one class 0, which is that of the largest
 * content. At the end the job tells which class it was: that may be another than its size has, and
 * who holds the result cuts it again then (stream_recut.c).
 */
#include <string.h>

#include "base/error.h"
#include "work/ingest.h"

int ingest_stream_begin(struct ingest *g, const struct job *job, const char *path,
	ingest_source_fn *source, void *ctx, const uint64_t *expected, struct store_error *err)
{
	struct large *l = &g->large;

	l->job = *job;
	l->source = source;
	l->source_ctx = ctx;
	l->expected = expected;
	l->has_ahead = false;
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
	if (buf_set(&l->path, path, strlen(path)) != 0 || !buf_str(&l->path))
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	return 0;
}

static int take(struct large *l, uint8_t *out, size_t len, size_t *got, struct store_error *err)
{
	const int rc = l->source(l->source_ctx, out, len, got, err);

	l->at_end = rc == 0 && *got == 0;
	return rc;
}

/* Fill the segment behind what was carried; *len: bytes in it.  A full one looks one byte ahead. */
static int fill(struct large *l, struct item *item, size_t *len, struct store_error *err)
{
	size_t got = 0;
	int rc = 0;

	memcpy(item->data, l->carry, l->carry_len);
	*len = l->carry_len;
	l->carry_len = 0;
	if (l->has_ahead) {
		item->data[(*len)++] = l->ahead;
		l->off++;
		l->has_ahead = false;
	}
	while (rc == 0 && !l->at_end && *len < item->data_cap) {
		rc = take(l, item->data + *len, item->data_cap - *len, &got, err);
		got = rc == 0 ? got : 0;
		l->off += got;
		*len += got;
	}
	if (rc == 0 && !l->at_end) {
		rc = take(l, &l->ahead, 1, &got, err);
		l->has_ahead = rc == 0 && got == 1;
	}
	return rc;
}

/* The first segment is here, and with it perhaps all. */
static void choose_class(struct ingest *g, struct item *item)
{
	struct large *l = &g->large;
	const struct store_format *f = odb_format(g->repo->odb);

	if (l->at_end)
		l->job.class = (uint8_t)format_class_of(f, l->off);
	else if (*l->expected > l->off)
		l->job.class = (uint8_t)format_class_of(f, *l->expected);
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
	if (is_first)
		choose_class(g, item);
	rc = ingest_large_cut(l, item, 0, len, l->at_end, err);
	item->offset = l->start;
	item->bytes = l->off - before;
	item->covered = l->off;
	return rc == 0 && l->at_end ? finish(g, item, err) : rc;
}
