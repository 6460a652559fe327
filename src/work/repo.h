/*
 * An open repository: what every operation of this floor works on.
 */
#ifndef STORE_WORK_REPO_H
#define STORE_WORK_REPO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/ident.h"
#include "graph/nodes.h"
#include "graph/refs.h"
#include "odb/odb.h"
#include "store.h"
#include "work/config.h"

enum metadata_mode {
	METADATA_NONE,
	METADATA_TIMES,
	METADATA_POSIX,
};

struct store_repo {
	char *work_tree; /* absolute path */
	char *store_dir; /* absolute path */
	char *prefix;    /* "" or "a/b": where the caller stands below the top */
	int work_fd;     /* descriptor of work_tree; everything is opened beneath it */
	struct odb *odb;
	struct odb_reader *reader; /* for the thread of the handle */
	struct config *config;
	/* Settings that operations look at often, from config at open. */
	unsigned int threads;        /* as asked: 0 = one per processor */
	enum metadata_mode metadata; /* core.metadata */
	bool trust_ctime;            /* core.trustctime */
	unsigned int batch_files;    /* performance.batch_size: small files in an item of ingest */
	uint64_t read_bytes;         /* performance.buffer_size: of one read of a large file */
	uint64_t pool_bytes;         /* performance.max_memory_usage: of all items of ingest */
	bool foreign;                /* another user's repository: read only */
};

/* node_source of the handle's own reader. */
static inline struct node_source repo_nodes(struct store_repo *repo)
{
	return nodes_source(repo->reader);
}

/* STORE_EDENIED with a line naming safe.directory when the repository belongs to another user. */
int repo_check_writable(struct store_repo *repo, struct store_error *err);

/* A decoded commit and the bytes its slices point into. */
struct commit;
struct layer;
int repo_read_commit(struct store_repo *repo, const struct oid *id, struct buf *data,
	struct commit *out, struct store_error *err);
int repo_read_layer(struct store_repo *repo, const struct oid *id, struct layer *out,
	struct store_error *err);

/*
 * Who does something now, as author (commit) or committer. explicit_who: "NAME <MAIL>" from the
 * caller or NULL; explicit_date likewise; *guessed (may be NULL): neither environment nor
 * configuration named anyone. Slices of *out point into store, which the caller releases.
 * STORE_EINVAL: user.useConfigOnly is set and nobody is configured; or a date that cannot be read.
 */
enum identity_role {
	IDENTITY_AUTHOR,
	IDENTITY_COMMITTER,
};
int identity_now(struct store_repo *repo, enum identity_role role, const char *explicit_who,
	const char *explicit_date, struct buf *store, struct ident *out, bool *guessed,
	struct store_error *err);

#endif
