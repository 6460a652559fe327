/* The two seams of nodes.h on the object database. */
#include "graph/nodes.h"

#include "odb/odb.h"
#include "odb/writer.h"

static int get(void *ctx, const struct oid *id, struct buf *out, struct store_error *err)
{
	return odb_read(ctx, id, out, err);
}

static int put(void *ctx, enum kind kind, const void *data, size_t len, struct oid *out_id,
	struct store_error *err)
{
	return writer_put(ctx, kind, data, len, out_id, err);
}

struct node_source nodes_source(struct odb_reader *reader)
{
	return (struct node_source){ get, reader };
}

struct node_sink nodes_sink(struct odb_writer *writer)
{
	return (struct node_sink){ put, writer };
}
