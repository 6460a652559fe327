/*
 * Commit: (1) the maps of the stage are built from its dirty rows and published in batches,
 * children first; (2) one deciding transaction compares the ref, and brings the last nodes, layer,
 * commit, ref and reflog; (3) cached roots are stored and dirty rows deleted, in the same
 * transaction when they are few, else in batches after it.
 *
 * The ref moves to the root of the snapshot that was read; what is added meanwhile stays staged.
 * When another commit wins the branch first, all is done again on top of it, a few times.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "data/limits.h"
#include "graph/build.h"
#include "graph/changes.h"
#include "graph/commit.h"
#include "graph/layer.h"
#include "graph/map.h"
#include "odb/publish.h"
#include "odb/writer.h"
#include "work/options.h"
#include "work/repo.h"
#include "work/settle.h"
#include "work/stats.h"
#include "work/view_internal.h"

#define TRIES 5
#define TICK_NS 100000000
#define SUBJECT_MAX 200u /* bytes of it in the log of a ref */

struct commit_run {
	struct store_repo *repo;
	const struct store_commit_options *options;
	struct store_commit_result *result;
	struct env_txn *snapshot;
	struct odb_writer *writer;
	struct settle settle;
	struct refs_head head;
	bool has_base; /* the commit that the new one is compared with: HEAD, or HEAD's parent */
	struct oid base;
	struct layer parent; /* layer of base, when there is one */
	struct buf old_data; /* amend: what old's slices point into */
	struct commit old;   /* amend: HEAD's commit, and the root of its layer */
	struct map_ref old_root;
	struct build_tree tree;
	struct layer layer;
	struct oid layer_id, commit_id;
	struct refs_update update;
	struct buf author, committer; /* what the idents point into */
	struct hash *hash;            /* of a dry run that may not write */
	struct refs_head *first;      /* HEAD as the first try saw it */
	bool *has_first;
	bool is_lost;       /* another command moved the branch: try again */
	bool settle_inside; /* step 3 goes into the deciding transaction */
	bool settle_begun, settled;
	uint64_t bytes; /* of nodes that were made */
	int64_t last_tick_ns;
};

/* ---- where nodes go */

static int publish_batch(struct commit_run *c, struct store_error *err)
{
	const struct publication p = { .writer = c->writer, .keeps_snapshot = true };

	return publish(c->repo->odb, &p, NULL, err);
}

static int tick(struct commit_run *c, size_t len, struct store_error *err)
{
	const struct store_callbacks *cb = &c->options->callbacks;
	const int64_t now = clock_mono_ns();
	struct store_progress p = { .stage = "commit", .files = c->tree.dirty };

	c->bytes += len;
	if (!cb->progress || now - c->last_tick_ns < TICK_NS)
		return 0;
	c->last_tick_ns = now;
	p.bytes = c->bytes;
	return cb->progress(cb->payload, &p) == 0
		? 0
		: store_error_set(err, STORE_ECANCELED, "canceled; what is staged stays so");
}

static int put_node(void *ctx, enum kind kind, const void *data, size_t len, struct oid *out_id,
	struct store_error *err)
{
	struct commit_run *c = ctx;
	int rc;

	rc = tick(c, len, err);
	if (rc != 0)
		return rc;
	if (!c->writer) {
		hash_once(c->hash, data, len, out_id);
		return 0;
	}
	rc = writer_put(c->writer, kind, data, len, out_id, err);
	if (rc == 0 && !c->options->dry_run && writer_is_full(c->writer))
		rc = publish_batch(c, err);
	return rc;
}

/* ---- step 1 */

/* The user named no branch: the commit goes to the one that was checked out, or nowhere. */
static int check_branch(struct commit_run *c, const struct refs_head *now, struct store_error *err)
{
	if (!*c->has_first)
		*c->first = *now;
	*c->has_first = true;
	if (strcmp(now->branch, c->first->branch) == 0)
		return 0;
	return store_error_set(err, STORE_EBUSY,
		"HEAD was moved to another branch meanwhile; run it again");
}

/* The commit to be amended; its first parent is what the new one is compared with. */
static int read_amended(struct commit_run *c, struct store_error *err)
{
	const struct oid wanted = view_oid(c->options->amend);
	struct layer l;
	int rc;

	if (!c->head.has_commit || !id_eq(&c->head.commit, &wanted))
		return store_error_set(err, STORE_EBUSY,
			"HEAD is no longer on the commit to be amended; run it again");
	rc = repo_read_commit(c->repo, &wanted, &c->old_data, &c->old, err);
	if (rc == 0)
		rc = repo_read_layer(c->repo, &c->old.layer, &l, err);
	if (rc != 0)
		return rc;
	c->old_root = l.root;
	c->has_base = c->old.parent_count > 0;
	if (c->has_base)
		c->base = c->old.parents[0];
	return 0;
}

static int read_parent(struct commit_run *c, struct store_error *err)
{
	struct buf data = { 0 };
	struct commit parent;
	int rc = refs_head(c->snapshot, &c->head, err);

	if (rc == 0)
		rc = check_branch(c, &c->head, err);
	c->has_base = c->head.has_commit;
	c->base = c->head.commit;
	if (rc == 0 && c->options->amend)
		rc = read_amended(c, err);
	if (rc == 0 && c->has_base) {
		rc = repo_read_commit(c->repo, &c->base, &data, &parent, err);
		if (rc == 0)
			rc = repo_read_layer(c->repo, &parent.layer, &c->parent, err);
		if (rc == 0)
			c->layer.parent = parent.layer;
	}
	buf_release(&data);
	return rc;
}

static int build(struct commit_run *c, const struct node_source *src, const struct node_sink *sink,
	struct store_error *err)
{
	int rc = build_tree(c->snapshot, src, sink, settle_note, &c->settle, &c->tree, err);

	c->settle.dirty = c->tree.dirty;
	return rc;
}

/* Attributes that show as a change: everything but the times. */
static bool same_attributes(const struct map_item *a, const struct map_item *b)
{
	struct meta x = { 0 }, y = { 0 };
	struct span s = span_of(a->value, a->value_len), t = span_of(b->value, b->value_len);

	if (!a->value || !b->value)
		return true;
	if (meta_decode(&s, &x) != 0 || meta_decode(&t, &y) != 0)
		return false;
	return meta_same(&x, &y);
}

static int nothing_to_commit(struct commit_run *c, struct store_error *err)
{
	return store_error_set(err, STORE_EEMPTY,
		c->options->amend     ? "nothing would be left of the commit to be amended"
			: c->has_base ? "nothing to commit"
				      : "nothing to commit: nothing was added yet");
}

/* The child maps of two directories' attributes, when they differ. */
static bool child_maps(const struct map_item *a, const struct map_item *b, struct map_ref *x,
	struct map_ref *y)
{
	struct meta m = { 0 }, n = { 0 };
	struct span s = span_of(a->value, a->value_len), t = span_of(b->value, b->value_len);

	if (!a->value || !b->value || meta_decode(&s, &m) != 0 || meta_decode(&t, &n) != 0)
		return false;
	if (!(m.flags & META_CHILD) || !(n.flags & META_CHILD) || map_ref_eq(&m.child, &n.child))
		return false;
	*x = m.child;
	*y = n.child;
	return true;
}

/*
 * Do recorded attributes other than times differ? Goes down where the maps differ, depth first, one
 * level per directory.
 */
static int attributes_differ(const struct node_source *src, const struct map_ref *a,
	const struct map_ref *b, bool *differ, struct store_error *err)
{
	struct map_diff *levels[LIMIT_DEPTH];
	size_t depth = 0;
	int rc = 0;

	levels[depth++] = map_diff_new(src, MAP_META, a, b);
	while (rc == 0 && depth > 0 && !*differ) {
		struct map_item x, y;
		struct map_ref down_a, down_b;

		if (!levels[depth - 1]) {
			rc = store_error_set(err, STORE_ENOMEM, "out of memory");
			break;
		}
		rc = map_diff_next(levels[depth - 1], &x, &y, err);
		if (rc == STORE_ENOTFOUND) {
			map_diff_free(levels[--depth]);
			rc = 0;
		} else if (rc == 0) {
			*differ = !same_attributes(&x, &y);
			if (child_maps(&x, &y, &down_a, &down_b) && depth < LIMIT_DEPTH)
				levels[depth++] = map_diff_new(src, MAP_META, &down_a, &down_b);
		}
	}
	while (depth > 0)
		map_diff_free(levels[--depth]);
	return rc;
}

/*
 * With the same content, is there still something to commit? A dry run without a writer has not
 * kept the new nodes, and takes other attributes for a change.
 */
static int check_not_empty(struct commit_run *c, const struct node_source *src,
	struct store_error *err)
{
	const struct map_ref root = { c->tree.root.id, c->tree.root.height };
	struct buf data = { 0 };
	struct commit parent;
	bool differ = false;
	int rc = 0;

	if (c->options->allow_empty)
		return 0;
	/* Amended may be what changes the message alone, and a merge has more than one parent. */
	if (c->options->amend && (c->old.parent_count > 1 || map_ref_eq(&root, &c->old_root)))
		return 0;
	if (!c->has_base)
		return c->tree.root.totals.files + c->tree.root.totals.dirs > 0
			? 0
			: nothing_to_commit(c, err);
	if (!map_ref_eq(&root, &c->parent.root))
		return 0;
	rc = repo_read_commit(c->repo, &c->base, &data, &parent, err);
	if (rc == 0 && parent.has_meta && c->tree.has_meta &&
		!map_ref_eq(&parent.meta, &c->tree.meta)) {
		differ = !c->writer;
		if (c->writer)
			rc = attributes_differ(src, &parent.meta, &c->tree.meta, &differ, err);
	}
	buf_release(&data);
	return rc != 0 ? rc : differ ? 0 : nothing_to_commit(c, err);
}

static int make_layer(struct commit_run *c, const struct node_source *src,
	const struct node_sink *sink, struct store_error *err)
{
	const struct entry before = { .kind = ENTRY_DIR,
		.height = c->parent.root.height,
		.id = c->parent.root.id,
		.totals = c->parent.totals };
	struct changes changes;
	struct layer *l = &c->layer;
	struct buf text = { 0 };
	int rc = changes_build(src, sink, c->has_base ? &before : NULL, &c->tree.root, NULL,
		&changes, err);

	if (rc != 0)
		return rc;
	l->has_parent = c->has_base;
	l->generation = l->has_parent ? c->parent.generation + 1 : 0;
	l->root = (struct map_ref){ c->tree.root.id, c->tree.root.height };
	l->changes = changes.map;
	l->totals = c->tree.root.totals;
	l->added = changes.added;
	l->modified = changes.modified;
	l->deleted = changes.deleted;
	rc = layer_encode(&text, l);
	if (rc == 0)
		rc = node_put(sink, KIND_LAYER, text.data, text.len, &c->layer_id, err);
	buf_release(&text);
	return rc;
}

/* ---- step 2 */

static struct text_slice message_of(const struct commit_run *c)
{
	if (c->options->message)
		return text_slice_of(c->options->message);
	return c->options->amend ? c->old.message : text_slice_of("");
}

/* The author; of a commit that is amended what nobody asked to change stays. */
static int set_author(struct commit_run *c, struct ident *out, struct store_error *err)
{
	const struct store_commit_options *o = c->options;
	const bool keeps = o->amend && !o->reset_author;
	bool guessed = false;
	struct ident now;
	int rc;

	*out = c->old.author;
	if (keeps && !o->author && !o->date)
		return 0;
	rc = identity_now(c->repo, IDENTITY_AUTHOR, o->author, o->date, &c->author, &now, &guessed,
		err);
	if (rc != 0)
		return rc;
	if (!keeps || o->author) {
		out->name = now.name;
		out->mail = now.mail;
		c->result->identity_guessed = guessed;
	}
	if (!keeps || o->date) {
		out->seconds = now.seconds;
		out->zone = now.zone;
	}
	return 0;
}

static void set_parents(const struct commit_run *c, struct commit *k)
{
	if (c->options->amend) {
		memcpy(k->parents, c->old.parents, sizeof(k->parents));
		k->parent_count = c->old.parent_count;
	} else if (c->head.has_commit) {
		k->parents[k->parent_count++] = c->head.commit;
	}
}

static int make_commit(struct commit_run *c, const struct node_sink *sink, struct store_error *err)
{
	struct commit k = { .layer = c->layer_id,
		.has_meta = c->tree.has_meta,
		.meta = c->tree.meta };
	struct buf text = { 0 };
	int rc;

	set_parents(c, &k);
	k.message = message_of(c);
	rc = set_author(c, &k.author, err);
	if (rc == 0)
		rc = identity_now(c->repo, IDENTITY_COMMITTER, NULL, NULL, &c->committer,
			&k.committer, NULL, err);
	c->update.who = k.committer;
	if (rc == 0)
		rc = commit_encode(&text, &k, err);
	if (rc == 0)
		rc = node_put(sink, KIND_COMMIT, text.data, text.len, &c->commit_id, err);
	buf_release(&text);
	return rc;
}

/* Bytes of the subject that the log of the ref has room for: no character is cut in two. */
static size_t subject_len(struct text_slice message)
{
	const char *lf = memchr(message.p, '\n', message.len);
	size_t len = lf ? (size_t)(lf - message.p) : message.len;

	if (len <= SUBJECT_MAX)
		return len;
	len = SUBJECT_MAX;
	for (size_t i = 0; i < 3 && ((uint8_t)message.p[len] & 0xC0) == 0x80; i++)
		len--;
	return len;
}

static int prepare_update(struct commit_run *c, struct store_error *err)
{
	const struct text_slice message = message_of(c);
	const char *name = c->head.branch[0] ? c->head.branch : "HEAD";
	char expected[REFS_VALUE] = "-", value[REFS_VALUE];
	const char *how = c->options->amend ? " (amend)" : c->head.has_commit ? "" : " (initial)";

	if (c->head.has_commit)
		refs_value_of(expected, &c->head.commit);
	refs_value_of(value, &c->commit_id);
	snprintf(c->update.why, sizeof(c->update.why), "commit%s: %.*s", how,
		(int)subject_len(message), message.p);
	return refs_update_add(&c->update, name, expected, value, err);
}

static int apply_settle(struct commit_run *c, struct env_txn *txn, uint64_t number,
	struct store_error *err)
{
	/*
	 * Run again for a full map: the spool has been read. Leaving dirty rows costs the next
	 * commit some work and nothing else.
	 */
	if (c->settle_begun) {
		c->settled = true;
		return 0;
	}
	c->settle_begun = true;
	return settle_batch(&c->settle, txn, number, &c->settled, err);
}

static int apply_deciding(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	struct commit_run *c = ctx;
	struct refs_head now;
	int rc = refs_head(txn, &now, err);

	if (rc == 0)
		rc = check_branch(c, &now, err);
	if (rc == 0) {
		rc = refs_update_apply(&c->update, txn, number, err);
		c->is_lost = rc == STORE_EBUSY;
	}
	if (rc == 0 && c->settle_inside)
		rc = apply_settle(c, txn, number, err);
	return rc;
}

static int log_deciding(void *ctx, uint64_t number, struct buf *out, struct store_error *err)
{
	const struct commit_run *c = ctx;

	return refs_update_log(&c->update, number, out, err);
}

/* ---- step 3 */

static int apply_rest(void *ctx, struct env_txn *txn, uint64_t number, struct store_error *err)
{
	return apply_settle(ctx, txn, number, err);
}

/*
 * What fails here fails a commit that is made: the rows stay dirty, the next commit deals with
 * them.
 */
static void settle_rest(struct commit_run *c)
{
	const struct publication p = { .apply = apply_rest, .ctx = c, .keeps_snapshot = true };

	while (!c->settled) {
		c->settle_begun = false;
		if (FAULT("commit.settle") || publish(c->repo->odb, &p, NULL, NULL) != 0)
			return;
	}
}

/* ---- the whole */

static int begin(struct commit_run *c, struct store_error *err)
{
	int rc = 0;

	memset(&c->layer, 0, sizeof(c->layer));
	memset(&c->update, 0, sizeof(c->update));
	/*
	 * A dry run keeps its nodes in a pack that never leaves tmp/, so that they can be compared
	 * with those of HEAD; where it may not write, it counts nothing and only makes the root.
	 */
	if (c->options->dry_run && repo_check_writable(c->repo, NULL) != 0) {
		c->hash = hash_new();
		rc = c->hash ? 0 : store_error_set(err, STORE_ENOMEM, "out of memory");
	} else {
		rc = writer_new(&c->writer, c->repo->odb, err);
		if (rc == 0 && !c->options->dry_run)
			rc = writer_register(c->writer, err);
	}
	if (rc == 0)
		rc = env_begin(odb_env(c->repo->odb), false, &c->snapshot, err);
	if (rc == 0)
		settle_init(&c->settle, odb_tmp_fd(c->repo->odb), c->snapshot);
	return rc;
}

static void end(struct commit_run *c)
{
	if (c->snapshot)
		settle_release(&c->settle);
	writer_free(c->writer);
	env_abort(c->snapshot);
	hash_free(c->hash);
	buf_release(&c->author);
	buf_release(&c->committer);
	buf_release(&c->old_data);
}

static void fill_result(struct commit_run *c)
{
	struct store_commit_result *r = c->result;
	struct writer_stats w = { 0 };

	r->id = view_id(&c->commit_id);
	r->root = view_node(&c->tree.root);
	r->generation = c->layer.generation;
	r->is_counted = c->writer != NULL;
	r->added = c->layer.added;
	r->modified = c->layer.modified;
	r->deleted = c->layer.deleted;
	snprintf(r->branch, sizeof(r->branch), "%s",
		strncmp(c->head.branch, "refs/heads/", 11) == 0 ? c->head.branch + 11
								: c->head.branch);
	if (c->writer)
		writer_get_stats(c->writer, &w);
	r->stats.new_objects = w.new_objects;
	r->stats.new_bytes = w.new_bytes;
	r->stats.new_chunks = w.new_chunks;
	r->stats.stored_bytes = w.stored_bytes;
	r->stats.publications = w.publications;
}

static int decide(struct commit_run *c, const struct node_sink *sink, struct store_error *err)
{
	const struct publication p = { .writer = c->writer,
		.apply = apply_deciding,
		.log = log_deciding,
		.ctx = c,
		.keeps_snapshot = true };
	int rc = make_commit(c, sink, err);

	if (rc == 0)
		rc = prepare_update(c, err);
	if (rc == 0)
		rc = settle_rewind(&c->settle, err);
	if (rc != 0)
		return rc;
	c->settle_inside = settle_is_small(&c->settle);
	rc = publish(c->repo->odb, &p, NULL, err);
	if (rc == 0)
		settle_rest(c);
	return rc;
}

static int try_once(struct commit_run *c, struct store_error *err)
{
	const struct node_sink sink = { put_node, c };
	struct node_source src;
	int rc = begin(c, err);

	if (rc != 0)
		return rc;
	src = nodes_source(c->writer ? writer_reader(c->writer) : c->repo->reader);
	rc = read_parent(c, err);
	if (rc == 0)
		rc = build(c, &src, &sink, err);
	stats_sample();
	if (rc == 0)
		rc = check_not_empty(c, &src, err);
	if (rc == 0 && c->writer)
		rc = make_layer(c, &src, &sink, err);
	if (rc == 0 && !c->options->dry_run)
		rc = decide(c, &sink, err);
	fill_result(c);
	return rc;
}

static int check_message(const struct store_commit_options *o, struct store_error *err)
{
	if (!o->message || strspn(o->message, " \t\n") == strlen(o->message))
		return store_error_set(err, STORE_EINVAL,
			"the commit message is empty: give one with -m");
	if (strlen(o->message) > LIMIT_MESSAGE)
		return store_error_set(err, STORE_EINVAL,
			"the commit message is longer than %u bytes", LIMIT_MESSAGE);
	return 0;
}

/* Those who are named, and the dates: nothing is made of them here. */
static int check_people(struct store_repo *repo, const struct store_commit_options *o,
	struct store_error *err)
{
	const bool keeps = o->amend && !o->reset_author && !o->author && !o->date;
	struct buf store = { 0 };
	struct ident who;
	int rc = keeps
		? 0
		: identity_now(repo, IDENTITY_AUTHOR, o->author, o->date, &store, &who, NULL, err);

	if (rc == 0)
		rc = identity_now(repo, IDENTITY_COMMITTER, NULL, NULL, &store, &who, NULL, err);
	buf_release(&store);
	return rc;
}

static int check_options(struct store_repo *repo, const struct store_commit_options *o,
	struct store_error *err)
{
	int rc = options_check(o, "store_commit_options", err);

	if (rc != 0 || o->dry_run)
		return rc;
	rc = repo_check_writable(repo, err);
	if (rc == 0 && !(o->amend && !o->message))
		rc = check_message(o, err);
	return rc == 0 ? check_people(repo, o, err) : rc;
}

int store_commit_check(struct store_repo *repo, const struct store_commit_options *options,
	struct store_error *err)
{
	static const struct store_commit_options defaults;
	int rc = options_check(options, "store_commit_options", err);

	options = options ? options : &defaults;
	if (rc == 0 && !options->dry_run)
		rc = repo_check_writable(repo, err);
	if (rc == 0 && options->message)
		rc = check_message(options, err);
	return rc == 0 ? check_people(repo, options, err) : rc;
}

int store_commit(struct store_repo *repo, const struct store_commit_options *options,
	struct store_commit_result *result, struct store_error *err)
{
	static const struct store_commit_options defaults;
	struct store_commit_result unused = { 0 };
	const int64_t start = clock_mono_ns();
	struct refs_head first;
	bool has_first = false, again = true;
	int rc;

	options = options ? options : &defaults;
	result = result ? result : &unused;
	memset(result, 0, sizeof(*result));
	rc = check_options(repo, options, err);
	for (int i = 1; rc == 0 && again; i++) {
		struct commit_run c = { .repo = repo,
			.options = options,
			.result = result,
			.first = &first,
			.has_first = &has_first };
		struct store_error failed = { 0 };

		rc = try_once(&c, &failed);
		end(&c);
		/*
		 * The map must grow, or another command won the branch: with our snapshot gone both
		 * can be dealt with. Who waited for the gate as long as they may wait no more.
		 */
		again = i < TRIES && (rc == ENV_FULL || (rc == STORE_EBUSY && c.is_lost));
		if (again)
			rc = rc == ENV_FULL ? env_grow(odb_env(repo->odb), err) : 0;
		else if (rc != 0 && err)
			*err = failed;
	}
	result->stats.seconds = (double)(clock_mono_ns() - start) / 1e9;
	store_stats_memory(&result->stats);
	return rc;
}
