/*
 * The version of a path, counted: 0 when it is new, and one more for each change that the history
 * of first parents tells since it was last added, and for what is put now when that differs from
 * HEAD. It is computed, not stored, so it costs a look at every layer since.
 */
#include <string.h>

#include "base/error.h"
#include "data/limits.h"
#include "graph/map.h"
#include "graph/tree.h"
#include "work/stream_internal.h"
#include "work/view_internal.h"

/* Path with NUL between its names, as changes are keyed. */
struct key {
	char bytes[LIMIT_PATH + 1];
	size_t len;
};

static void make_key(struct key *k, const char *path)
{
	k->len = strlen(path);
	for (size_t i = 0; i < k->len; i++)
		k->bytes[i] = path[i];
	for (size_t i = 0; i < k->len; i++) {
		if (k->bytes[i] == '/')
			k->bytes[i] = '\0';
	}
}

/*
 * How a layer changed the path: an enum change_kind, 0: not at all. A directory above it that came
 * as a whole stands for all below.
 */
static int change_of(const struct node_source *src, const struct layer *l, const struct key *k,
	uint8_t *change, struct store_error *err)
{
	struct buf value = { 0 };
	struct change c = { 0 };
	int rc = STORE_ENOTFOUND;

	for (size_t n = k->len; rc == STORE_ENOTFOUND && n > 0; n--) {
		if (n == k->len || k->bytes[n] == '\0')
			rc = map_lookup(src, MAP_CHANGES, &l->changes, k->bytes, n, &value, err);
	}
	if (rc == 0) {
		struct span s = span_of(value.data, value.len);

		rc = change_decode(&s, &c);
		if (rc != 0)
			store_error_set(err, rc, "the changes of a layer cannot be read");
	}
	buf_release(&value);
	*change = c.change;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Changes from l back to the layer that added the path.  The first of all has one entry for all. */
static int count_changes(struct store_writer *w, const struct node_source *src, struct layer l,
	const struct key *k, uint64_t *n, struct store_error *err)
{
	int rc = 0;

	while (rc == 0 && l.has_parent) {
		const struct oid parent = l.parent;
		uint8_t change = 0;

		rc = stream_tick(w, "version", w->fed, err);
		if (rc == 0)
			rc = change_of(src, &l, k, &change, err);
		if (rc != 0 || change == CHANGE_ADDED)
			break;
		*n += change != 0;
		rc = rev_read_layer(src, &parent, &l, err);
	}
	return rc;
}

static int count_from(const struct node_source *src, const struct oid *commit,
	struct store_writer *w, uint64_t *n, struct store_error *err)
{
	struct buf data = { 0 };
	struct commit c;
	struct layer l;
	struct entry top, e = { .kind = ENTRY_NONE };
	struct key k;
	int rc = rev_read_commit(src, commit, &data, &c, err);

	if (rc == 0)
		rc = rev_read_layer(src, &c.layer, &l, err);
	buf_release(&data);
	if (rc != 0)
		return rc;
	top = view_top(&l);
	rc = tree_find(src, &top, w->path, strlen(w->path), &e, err);
	if (rc == STORE_ENOTFOUND)
		return 0;
	make_key(&k, w->path);
	if (rc == 0)
		rc = count_changes(w, src, l, &k, n, err);
	*n += e.kind != w->job.kind || !id_eq(&e.id, &w->ingest.held.ref.id);
	return rc;
}

int stream_version(struct store_writer *w, uint64_t *version, struct store_error *err)
{
	struct odb_reader *reader = odb_reader_new(w->repo->odb);
	struct refs_head head;
	struct env_txn *txn = NULL;
	int rc;

	*version = 0;
	if (!reader)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	rc = env_begin(odb_env(w->repo->odb), false, &txn, err);
	if (rc == 0)
		rc = refs_head(txn, &head, err);
	env_abort(txn);
	if (rc == 0 && head.has_commit) {
		const struct node_source src = nodes_source(reader);

		rc = count_from(&src, &head.commit, w, version, err);
	}
	odb_reader_free(reader);
	return rc;
}
