/*
 * What fsck finds, as text, and layers and commits made by hand, for tests of what no command can
 * make wrong.
 */
#ifndef STORE_UNIT_FSCK_FIXTURE_H
#define STORE_UNIT_FSCK_FIXTURE_H

#include "repo_fixture.h"

static char told[262144]; /* every finding, one per line, ": " and its path at the end */
static struct store_fsck_result result;

static inline void on_notice(void *payload, const struct store_notice *n)
{
	const size_t used = strlen(told);

	(void)payload;
	if (n->kind == STORE_NOTICE_CORRUPT)
		snprintf(told + used, sizeof(told) - used, "%s%s%s\n", n->text,
			*n->path ? ": " : "", n->path);
}

static inline int run_fsck(void)
{
	const struct store_fsck_options o = { .callbacks = { .notice = on_notice } };

	told[0] = '\0';
	return store_fsck(repo, &o, &result, &failure);
}

static inline void assert_whole(void)
{
	if (run_fsck() != 0)
		fail_msg("wanted no finding, got '%s' and:\n%s", failure.msg, told);
}

/* These words are told, perhaps among others. */
static inline void assert_told(const char *words)
{
	const int rc = run_fsck();

	if (rc != STORE_ECORRUPT || !strstr(told, words))
		fail_msg("wanted '%s', got %d (%s) and:\n%s", words, rc, rc ? failure.msg : "",
			told);
	assert_true(result.damaged > 0);
}

static inline struct oid put_layer(struct odb_writer *w, const struct layer *l)
{
	struct buf text = { 0 };
	struct oid id;

	OK(layer_encode(&text, l));
	OK(writer_put(w, KIND_LAYER, text.data, text.len, &id, &failure));
	buf_release(&text);
	return id;
}

/* parents: n of them. */
static inline struct oid put_merge(struct odb_writer *w, const struct oid *layer,
	const struct oid *parents, size_t n)
{
	struct commit c = { .layer = *layer, .parent_count = n };
	struct buf text = { 0 };
	struct oid id;

	for (size_t i = 0; i < n; i++)
		c.parents[i] = parents[i];
	c.author = c.committer = (struct ident){ .name = text_slice_of("A"),
		.mail = text_slice_of("a@a") };
	OK(commit_encode(&text, &c, &failure));
	OK(writer_put(w, KIND_COMMIT, text.data, text.len, &id, &failure));
	buf_release(&text);
	return id;
}

static inline struct oid put_commit(struct odb_writer *w, const struct oid *layer,
	const struct oid *parent)
{
	return parent ? put_merge(w, layer, parent, 1) : put_merge(w, layer, layer, 0);
}

/* Publish what w holds and the ref; w is freed. */
static inline void set_refs(struct odb_writer *w, const char *name, const struct oid *id)
{
	char hex[ID_HEX + 1];
	const char *refs[3] = { name, id_hex(hex, id), NULL };

	fixture_publish(w, refs, 1, "by hand");
	writer_free(w);
}

#endif
