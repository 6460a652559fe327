/*
 * A repository in /tmp with commits made by hand, so that tests of reading do not depend on add and
 * commit.
 */
#ifndef STORE_UNIT_REPO_FIXTURE_H
#define STORE_UNIT_REPO_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/commit.h"
#include "graph/layer.h"
#include "graph/map.h"
#include "graph/refs.h"
#include "graph/seq.h"
#include "odb/publish.h"
#include "odb/writer.h"
#include "store.h"
#include "work/repo.h"

static char fixture_dir[64];
static struct store_repo *repo;
static struct store_error failure;

/* Everything in a test of this kind must succeed; what did not is shown. */
#define OK(call) \
	do { \
		if ((call) != 0) \
			fail_msg("%s: %s", #call, failure.msg); \
	} while (0)

static inline int fixture_make(void **state)
{
	const struct store_open_options options = { .start = fixture_dir };

	(void)state;
	unsetenv("STORE_DIR");
	unsetenv("STORE_CHECK_CLOSURE");
	setenv("HOME", "/nonexistent", 1);
	snprintf(fixture_dir, sizeof(fixture_dir), "/tmp/u_repo.XXXXXX");
	if (!mkdtemp(fixture_dir) || store_init(fixture_dir, NULL, NULL, &failure) != 0 ||
		store_open(&repo, &options, &failure) != 0) {
		print_error("%s\n", failure.msg);
		return -1;
	}
	return 0;
}

static inline int fixture_remove(void **state)
{
	char command[100];

	(void)state;
	store_close(repo);
	repo = NULL;
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture_dir);
	return system(command);
}

/*
 * Publish what w holds, and refs: pairs of name and value ("-" deletes), ended by NULL.  seconds:
 * time of the log.
 */
static inline int fixture_apply(void *ctx, struct env_txn *t, uint64_t number,
	struct store_error *err)
{
	return refs_update_apply(ctx, t, number, err);
}

static inline int fixture_log(void *ctx, uint64_t number, struct buf *out, struct store_error *err)
{
	return refs_update_log(ctx, number, out, err);
}

static inline void fixture_publish(struct odb_writer *w, const char *const *refs, int64_t seconds,
	const char *why)
{
	static struct refs_update update;
	struct publication p = { .writer = w,
		.apply = fixture_apply,
		.log = fixture_log,
		.ctx = &update };

	memset(&update, 0, sizeof(update));
	update.who = (struct ident){ .name = text_slice_of("T"),
		.mail = text_slice_of("t@t"),
		.seconds = seconds };
	snprintf(update.why, sizeof(update.why), "%s", why);
	if (!refs[0])
		p.apply = NULL, p.log = NULL;
	for (; refs[0]; refs += 2)
		OK(refs_update_add(&update, refs[0], NULL, refs[1], &failure));
	OK(publish(repo->odb, &p, NULL, &failure));
}

static inline void fixture_refs(const char *const *refs, int64_t seconds, const char *why)
{
	fixture_publish(NULL, refs, seconds, why);
}

static inline struct odb_writer *fixture_writer(void)
{
	struct odb_writer *w;

	OK(writer_new(&w, repo->odb, &failure));
	OK(writer_register(w, &failure));
	return w;
}

/* A directory of small files and directories: set entries in order of names, then finish. */
struct fixture_dir {
	struct map_editor *map;
};

static inline struct fixture_dir fixture_dir_begin(struct odb_writer *w)
{
	const struct node_source src = nodes_source(writer_reader(w));
	const struct node_sink sink = nodes_sink(w);
	const struct map_ref empty = map_empty(MAP_DIRECTORY);

	return (struct fixture_dir){ map_editor_new(MAP_DIRECTORY, &src, &sink, &empty) };
}

static inline void fixture_dir_set(struct fixture_dir *d, const char *name, const struct entry *e)
{
	struct buf value = { 0 };

	OK(entry_encode(&value, e));
	OK(map_editor_set(d->map, name, strlen(name), value.data, value.len, &failure));
	buf_release(&value);
}

static inline struct entry fixture_file(struct odb_writer *w, const char *text)
{
	struct entry e = { .kind = ENTRY_FILE, .totals = { strlen(text), 1, 0 } };

	if (*text)
		OK(writer_put(w, KIND_CHUNK, text, strlen(text), &e.id, &failure));
	else
		e.id = hash_empty_file;
	return e;
}

static inline struct entry fixture_dir_end(struct fixture_dir *d)
{
	struct entry e = { .kind = ENTRY_DIR };
	struct map_totals totals;
	struct map_ref ref;

	OK(map_editor_finish(d->map, &ref, &totals, &failure));
	map_editor_free(d->map);
	e.id = ref.id;
	e.height = ref.height;
	e.totals = totals.totals;
	return e;
}

/* A commit of top, whose layer has this generation; parents: n of them. */
static inline struct oid fixture_commit(struct odb_writer *w, const struct entry *top,
	uint64_t generation, const struct oid *parents, size_t n, int64_t seconds,
	const char *message, const struct map_ref *meta)
{
	struct layer l = { .generation = generation,
		.has_parent = generation > 0,
		.root = { top->id, top->height },
		.changes = map_empty(MAP_CHANGES),
		.totals = top->totals };
	struct commit c = { .parent_count = n, .message = text_slice_of(message) };
	struct buf text = { 0 };
	struct oid id;

	if (n > 0)
		l.parent = parents[0]; /* any id does */
	OK(layer_encode(&text, &l));
	OK(writer_put(w, KIND_LAYER, text.data, text.len, &c.layer, &failure));
	buf_clear(&text);
	for (size_t i = 0; i < n; i++)
		c.parents[i] = parents[i];
	c.author = (struct ident){ .name = text_slice_of("A"),
		.mail = text_slice_of("a@a"),
		.seconds = seconds };
	c.committer = c.author;
	c.has_meta = meta != NULL;
	if (meta)
		c.meta = *meta;
	OK(commit_encode(&text, &c, &failure));
	OK(writer_put(w, KIND_COMMIT, text.data, text.len, &id, &failure));
	buf_release(&text);
	return id;
}

/*
 * A commit of one file `file` with the message as its content, published with refs/heads/main
 * (NULL: another ref).
 */
static inline struct oid fixture_simple(const char *ref, uint64_t generation,
	const struct oid *parents, size_t n, int64_t seconds, const char *message)
{
	struct odb_writer *w = fixture_writer();
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry file = fixture_file(w, message), top;
	char hex[ID_HEX + 1];
	const char *refs[3] = { ref ? ref : "refs/heads/main", hex, NULL };
	struct oid id;

	fixture_dir_set(&d, "file", &file);
	top = fixture_dir_end(&d);
	id = fixture_commit(w, &top, generation, parents, n, seconds, message, NULL);
	id_hex(hex, &id);
	fixture_publish(w, refs, seconds, "commit");
	writer_free(w);
	return id;
}

#endif
