/*
 * Where trees of nodes read and write: two small seams, filled by the object database in the
 * product and by a table in memory in unit tests.
 */
#ifndef STORE_GRAPH_NODES_H
#define STORE_GRAPH_NODES_H

#include <stddef.h>

#include "base/buf.h"
#include "data/hash.h"
#include "data/id.h"

struct store_error;

struct node_source {
	/*
	 * The plain bytes of object id into out (replaced), proven against the id.
	 * STORE_ENOTFOUND, STORE_ECORRUPT or STORE_EIO otherwise.
	 */
	int (*get)(void *ctx, const struct oid *id, struct buf *out, struct store_error *err);
	void *ctx;
};

struct node_sink {
	/* Keep data as an object, unless it is there already; *out_id is its id.  Copies data. */
	int (*put)(void *ctx, enum kind kind, const void *data, size_t len, struct oid *out_id,
		struct store_error *err);
	void *ctx;
};

static inline int node_get(const struct node_source *s, const struct oid *id, struct buf *out,
	struct store_error *err)
{
	return s->get(s->ctx, id, out, err);
}

static inline int node_put(const struct node_sink *s, enum kind kind, const void *data, size_t len,
	struct oid *out_id, struct store_error *err)
{
	return s->put(s->ctx, kind, data, len, out_id, err);
}

/* The seams on the object database.  Borrowed: valid until the reader or writer is freed. */
struct odb_reader;
struct odb_writer;
struct node_source nodes_source(struct odb_reader *reader);
struct node_sink nodes_sink(struct odb_writer *writer);

#endif
