/*
 * A stream that was cut by another class than its size turned out to have goes through the pipeline
 * once more, read back from what the first time stored. So content has one id, whichever way it
 * came in; the price is a second pass, and chunks that gc takes. It is paid only where a repository
 * has several classes, nobody told the size, and that is neither within the first segment nor above
 * the last threshold.
 */
#include <string.h>

#include "base/error.h"
#include "odb/publish.h"
#include "work/stream_internal.h"
#include "work/view_internal.h"

int stream_flush(struct store_writer *w, struct store_error *err)
{
	const struct publication p = { .writer = w->ingest.writer };

	return writer_is_empty(w->ingest.writer) ? 0 : publish(w->repo->odb, &p, NULL, err);
}

static int open_again(struct store_writer *w, struct store_error *err)
{
	const struct file_ref *ref = &w->ingest.held.ref;
	const struct store_node node = { .id = view_id(&ref->id),
		.kind = STORE_KIND_FILE,
		.height = ref->height,
		.size = ref->size };
	const int rc = stream_flush(w, err);

	return rc == 0 ? store_reader_open(w->repo, &node, &w->again, err) : rc;
}

int stream_recut(struct store_writer *w, struct store_error *err)
{
	struct ingest_held *h = &w->ingest.held;
	const uint64_t size = h->ref.size;
	int rc;

	if (format_class_of(odb_format(w->repo->odb), size) == h->job.class)
		return 0;
	rc = open_again(w, err);
	if (rc == 0) {
		w->expected = size;
		w->has_begun = h->is_there = false;
		__atomic_store_n(&h->chunks, 0, __ATOMIC_RELAXED);
		rc = stream_run(w, err);
	}
	store_reader_free(w->again);
	w->again = NULL;
	return rc;
}
