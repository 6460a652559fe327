/*
 * Revisions: the grammar alone, then every kind of word against a real repository; walks over
 * history.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "repo_fixture.h"

#include "data/hash.h"
#include "graph/rev.h"
#include "graph/tag.h"

/* ---- grammar */

/* "base|log|steps" of a revision, log "-" when there is none; or "!" and the message. */
static void expect_split(const char *text, const char *want)
{
	struct store_error err = { 0 };
	struct rev_parts r;
	char got[700];

	if (rev_split(&r, text, strlen(text), &err) == 0)
		snprintf(got, sizeof(got), "%.*s|%.*s|%.*s", (int)r.base.len, r.base.p,
			r.has_log ? (int)r.log.len : 1, r.has_log ? r.log.p : "-", (int)r.steps.len,
			r.steps.p);
	else
		snprintf(got, sizeof(got), "!%s", err.msg);
	if (!strstr(got, want))
		fail_msg("'%s' gives '%s', not '%s'", text, got, want);
}

static void test_rev__a_revision_is_base_log_steps(void **state)
{
	(void)state;
	expect_split("HEAD", "HEAD|-|");
	expect_split("@", "@|-|");
	expect_split("@~2", "@|-|~2");
	expect_split("@@{1}", "@|1|");
	expect_split("@{-1}", "|-1|");
	expect_split("@{2 days ago}~1^2", "|2 days ago|~1^2");
	expect_split("v@2", "v@2|-|");
	expect_split("a/b-c.d^^", "a/b-c.d|-|^^");
	expect_split("layer:12", "layer:12|-|");
	expect_split("", "!'' is no revision: it names nothing");
	expect_split("~1", "names nothing");
	expect_split("a b", "no ref has such a character");
	expect_split("a\nb", "no ref has such a character");
	expect_split("a..b", "a range");
	expect_split("a@{1", "'@{' is not closed");
	expect_split("a@{1}b", "only '~' and '^'");
}

static void test_rev__steps_are_taken_one_by_one(void **state)
{
	struct text_slice s = text_slice_of("~^~3^0^{}^{commit}~~");
	static const struct rev_step want[] = { { REV_STEP_ANCESTOR, 1 }, { REV_STEP_PARENT, 1 },
		{ REV_STEP_ANCESTOR, 3 }, { REV_STEP_PARENT, 0 }, { REV_STEP_PARENT, 0 },
		{ REV_STEP_PARENT, 0 }, { REV_STEP_ANCESTOR, 1 }, { REV_STEP_ANCESTOR, 1 } };
	struct rev_step step;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(rev_step_take(&s, &step, NULL), 1);
		assert_int_equal(step.kind, want[i].kind);
		assert_int_equal(step.n, want[i].n);
	}
	assert_int_equal(rev_step_take(&s, &step, NULL), 0);
	s = text_slice_of("~99999999999");
	assert_int_equal(rev_step_take(&s, &step, NULL), STORE_EINVAL);
	s = text_slice_of("x");
	assert_int_equal(rev_step_take(&s, &step, NULL), STORE_EINVAL);
}

/* ---- words */

static void expect(const char *rev, const struct oid *want)
{
	struct store_id got;

	if (store_rev_parse(repo, rev, &got, &failure) != 0)
		fail_msg("'%s': %s", rev, failure.msg);
	if (memcmp(got.bytes, want->b, ID_LEN) != 0)
		fail_msg("'%s' is another commit", rev);
}

static void refuse(const char *rev, int code, const char *message)
{
	struct store_error err = { 0 };
	struct store_id got;
	const int rc = store_rev_parse(repo, rev, &got, &err);

	if (rc != code || !strstr(err.msg, message))
		fail_msg("'%s': %d '%s', not %d '%s'", rev, rc, err.msg, code, message);
}

static void test_rev__before_the_first_commit_it_says_so(void **state)
{
	(void)state;
	refuse("HEAD", STORE_ENOTFOUND, "branch 'main' has no commit yet");
	refuse("@~1", STORE_ENOTFOUND, "branch 'main' has no commit yet");
	refuse("main", STORE_ENOTFOUND, "branch 'main' has no commit yet");
	refuse("mian", STORE_ENOTFOUND, "unknown revision 'mian'");
}

static void test_rev__names_ids_and_steps(void **state)
{
	const struct oid a = fixture_simple(NULL, 0, NULL, 0, 1000, "a");
	const struct oid b = fixture_simple(NULL, 1, &a, 1, 2000, "b");
	const struct oid side = fixture_simple("refs/heads/side", 1, &a, 1, 2500, "side");
	const struct oid both[] = { b, side };
	const struct oid m = fixture_simple(NULL, 2, both, 2, 3000, "m");
	char hex[ID_HEX + 1];

	(void)state;
	expect("HEAD", &m);
	expect("@", &m);
	expect("main", &m);
	expect("heads/main", &m);
	expect("refs/heads/main", &m);
	expect("side", &side);
	expect("HEAD~", &b);
	expect("HEAD~2", &a);
	expect("HEAD^2", &side);
	expect("HEAD^2~1", &a);
	expect("@^0", &m);
	expect("@^{commit}^", &b);
	expect("layer:0", &a);
	expect("layer:1", &b);
	expect("layer:2", &m);
	expect("layer:2~1", &b);
	id_hex(hex, &b);
	expect(hex, &b);
	hex[10] = '\0';
	expect(hex, &b);
	for (char *p = hex; *p; p++)
		*p = (char)(*p >= 'a' ? *p - 'a' + 'A' : *p);
	expect(hex, &b);
	refuse("HEAD~3", STORE_ENOTFOUND, "HEAD~2 is the first commit, it has no parent");
	refuse("layer:0~1", STORE_ENOTFOUND, "layer:0 is the first commit, it has no parent");
	refuse("HEAD^3", STORE_ENOTFOUND, "HEAD has 2 parents, and no parent 3");
	refuse("side^2", STORE_ENOTFOUND, "side has 1 parent, and no parent 2");
	refuse("layer:3", STORE_ENOTFOUND, "there is no layer 3 below HEAD");
	refuse("mian", STORE_ENOTFOUND, "unknown revision 'mian'; the nearest is 'main'");
	refuse("xyzzy", STORE_ENOTFOUND, "unknown revision 'xyzzy'");
	refuse("0123456789", STORE_ENOTFOUND, "no ref and no commit begins so");
}

static void test_rev__the_first_commit_has_no_parent(void **state)
{
	(void)state;
	fixture_simple(NULL, 0, NULL, 0, 1000, "a");
	refuse("HEAD~1", STORE_ENOTFOUND, "HEAD is the first commit, it has no parent");
	refuse("HEAD^", STORE_ENOTFOUND, "HEAD is the first commit, it has no parent");
}

static void test_rev__prefixes_list_commits_and_nothing_else(void **state)
{
	struct odb_writer *w = fixture_writer();
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry file = fixture_file(w, "content"), top;
	const char *refs[] = { "refs/heads/main", NULL, NULL };
	char hex[ID_HEX + 1], first[5] = "", text[40];
	struct oid ids[600], id;
	size_t same = 0;

	(void)state;
	fixture_dir_set(&d, "file", &file);
	top = fixture_dir_end(&d);
	/*
	 * Among 600 commits two begin with the same four digits, as good as surely; the dates make
	 * it the same two each time.
	 */
	for (size_t i = 0; i < 600; i++) {
		snprintf(text, sizeof(text), "commit %zu", i);
		ids[i] = fixture_commit(w, &top, 0, NULL, 0, 1000, text, NULL);
	}
	/* And thousands of chunks, so that some begin like a commit. */
	for (size_t i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "chunk %zu", i);
		OK(writer_put(w, KIND_CHUNK, text, strlen(text), &id, &failure));
	}
	id_hex(hex, &ids[0]);
	refs[1] = hex;
	fixture_publish(w, refs, 1000, "commit");
	writer_free(w);
	for (size_t i = 0; i < 600 && same == 0; i++) {
		for (size_t j = 0; j < i; j++)
			same += memcmp(ids[i].b, ids[j].b, 2) == 0;
		if (same > 0)
			snprintf(first, sizeof(first), "%02x%02x", ids[i].b[0], ids[i].b[1]);
	}
	assert_true(same > 0);
	refuse(first, STORE_EAMBIGUOUS, "is ambiguous: it fits ");
	for (size_t i = 0; i < 600; i++) {
		id_hex(hex, &ids[i]);
		hex[16] = '\0';
		expect(hex, &ids[i]);
	}
}

static void test_rev__tags_are_peeled(void **state)
{
	const struct oid a = fixture_simple(NULL, 0, NULL, 0, 1000, "a");
	struct tag tag = { .object = a, .type = KIND_COMMIT, .name = text_slice_of("v1") };
	struct odb_writer *w = fixture_writer();
	struct buf text = { 0 };
	char hex[ID_HEX + 1], layer_hex[ID_HEX + 1];
	const char *refs[] = { "refs/tags/v@2", hex, "refs/tags/old", layer_hex, NULL };
	struct oid id, of_layer;

	(void)state;
	tag.tagger = (struct ident){ .name = text_slice_of("T"),
		.mail = text_slice_of("t"),
		.seconds = 5 };
	OK(tag_encode(&text, &tag, &failure));
	OK(writer_put(w, KIND_TAG, text.data, text.len, &id, &failure));
	buf_clear(&text);
	tag.type = KIND_LAYER;
	OK(tag_encode(&text, &tag, &failure));
	OK(writer_put(w, KIND_TAG, text.data, text.len, &of_layer, &failure));
	buf_release(&text);
	id_hex(hex, &id);
	id_hex(layer_hex, &of_layer);
	fixture_publish(w, refs, 1000, "tag");
	writer_free(w);
	expect("v@2", &a);
	expect("v@2^0", &a);
	expect(hex, &a);
	refuse("old", STORE_ENOTFOUND, "'old' names a tag of a layer, no commit");
}

static void test_rev__the_reflog_tells_the_past(void **state)
{
	static const char *const to_side[] = { "HEAD", "ref:refs/heads/side", NULL };
	static const char *const to_main[] = { "HEAD", "ref:refs/heads/main", NULL };
	const struct oid a = fixture_simple(NULL, 0, NULL, 0, 1000, "a");
	const struct oid b = fixture_simple(NULL, 1, &a, 1, 2000, "b");
	const struct oid s = fixture_simple("refs/heads/side", 1, &a, 1, 3000, "s");
	struct oid t;

	(void)state;
	refuse("@{-1}", STORE_ENOTFOUND, "there were not 1 checkouts before this one");
	fixture_refs(to_side, 4000, "checkout: side");
	expect("@{-1}", &b);
	t = fixture_simple("refs/heads/side", 2, &s, 1, 5000, "t");
	expect("@{1}", &s);
	expect("side@{1}", &s);
	expect("main@{0}", &b);
	expect("main@{1}", &a);
	/* HEAD: now t, before it s by the checkout, before it b, before it a. */
	expect("HEAD@{0}", &t);
	expect("HEAD@{1}", &s);
	expect("HEAD@{2}", &b);
	expect("HEAD@{3}", &a);
	expect("@@{3}", &a);
	refuse("HEAD@{4}", STORE_ENOTFOUND, "'HEAD' had no commit then");
	refuse("HEAD@{9}", STORE_ENOTFOUND, "goes back 5 changes only");
	expect("HEAD@{@4500}", &s);
	expect("HEAD@{@2500}", &b);
	expect("HEAD@{1970-01-01T00:50:00Z}", &b);
	expect("main@{@1999}", &a);
	expect("main@{yesterday}", &b);
	refuse("main@{@999}", STORE_ENOTFOUND, "begins later");
	refuse("main@{upstream}", STORE_EINVAL, "'upstream' is no date");
	fixture_refs(to_main, 6000, "checkout: main");
	expect("@{-1}", &t);
	expect("@{-2}", &b);
	expect("@{-1}~1", &s);
	refuse("nosuch@{1}", STORE_ENOTFOUND, "unknown revision 'nosuch'");
}

/* ---- walks */

/* The messages of a log, joined. */
static void expect_log(const char *rev, const char *want)
{
	const struct store_log_options o = { .revs = &rev, .n_revs = rev != NULL };
	struct store_log_iter *it;
	struct store_log_entry e;
	char got[500] = "";
	int rc;

	OK(store_log_open(repo, &o, &it, &failure));
	while ((rc = store_log_next(it, &e, &failure)) == 0)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", got[0] ? " " : "",
			e.message);
	assert_int_equal(rc, STORE_ENOTFOUND);
	store_log_free(it);
	assert_string_equal(got, want);
}

static void test_rev__the_log_is_newest_first_and_each_commit_comes_once(void **state)
{
	const struct oid a = fixture_simple(NULL, 0, NULL, 0, 1000, "a");
	const struct oid b = fixture_simple(NULL, 1, &a, 1, 2000, "b");
	const struct oid c = fixture_simple("refs/heads/side", 1, &a, 1, 2500, "c");
	/* Its clock stood in the past: the child of b seems older than a. */
	const struct oid d = fixture_simple(NULL, 2, &b, 1, 500, "d");
	const struct oid both[] = { d, c };
	const struct oid m = fixture_simple(NULL, 3, both, 2, 4000, "m");
	const struct oid n = fixture_simple(NULL, 4, &m, 1, 4000, "n");

	(void)state;
	(void)n;
	expect_log(NULL, "n m c a d b");
	expect_log("side", "c a");
	expect_log("main~1", "m c a d b");
	expect_log("side..main", "n m d b");
	expect_log("main..side", "");
	expect_log("main~2...side", "c d b");
	expect_log("..side", "");
	expect_log("side..", "n m d b");
}

static void test_rev__log_entries_tell_all_there_is(void **state)
{
	const struct oid a = fixture_simple(NULL, 0, NULL, 0, -5, "subject\n\nbody");
	struct store_log_iter *it;
	struct store_log_entry e;

	(void)state;
	OK(store_log_open(repo, NULL, &it, &failure));
	OK(store_log_next(it, &e, &failure));
	assert_memory_equal(e.id.bytes, a.b, ID_LEN);
	assert_string_equal(e.author, "A <a@a>");
	assert_string_equal(e.committer, "A <a@a>");
	assert_string_equal(e.message, "subject\n\nbody");
	assert_int_equal(e.author_time, -5);
	assert_int_equal(e.parent_count, 0);
	assert_int_equal(e.root.files, 1);
	assert_int_equal(e.root.size, 13);
	assert_int_equal(e.root.kind, STORE_KIND_DIR);
	store_log_free(it);
}

/* ---- which of several go back to one: commits in a table, beside a matrix of who reaches whom */

#define COMMITS 60

struct history {
	struct oid ids[COMMITS];
	struct buf data[COMMITS];
	bool reaches[COMMITS][COMMITS];
	size_t n, reads;
};

static int get_commit(void *ctx, const struct oid *id, struct buf *out, struct store_error *err)
{
	struct history *h = ctx;

	for (size_t i = 0; i < h->n; i++) {
		if (!id_eq(&h->ids[i], id))
			continue;
		h->reads++;
		buf_set(out, h->data[i].data, h->data[i].len);
		return 0;
	}
	return store_error_set(err, STORE_ENOTFOUND, "no such commit");
}

static void add_commit(struct history *h, const size_t *parents, size_t n, int64_t seconds)
{
	const struct ident who = { .name = text_slice_of("A"),
		.mail = text_slice_of("a@a"),
		.seconds = seconds };
	struct commit c = { .parent_count = n,
		.author = who,
		.committer = who,
		.message = text_slice_of("m") };
	const size_t i = h->n++;
	struct hash *hash;

	c.layer.b[0] = (uint8_t)(i + 1); /* no two are the same */
	h->reaches[i][i] = true;
	for (size_t k = 0; k < n; k++) {
		c.parents[k] = h->ids[parents[k]];
		for (size_t j = 0; j < i; j++)
			h->reaches[i][j] = h->reaches[i][j] || h->reaches[parents[k]][j];
	}
	OK(commit_encode(&h->data[i], &c, &failure));
	hash = hash_new();
	assert_non_null(hash);
	hash_once(hash, h->data[i].data, h->data[i].len, &h->ids[i]);
	hash_free(hash);
}

/* Some begin anew, most go on from one of the last, some merge; clocks stand still and go back. */
static void make_history(struct history *h, unsigned int seed)
{
	memset(h, 0, sizeof(*h));
	srand(seed);
	for (size_t i = 0; i < COMMITS; i++) {
		size_t parents[3], n = i == 0 || rand() % 15 == 0 ? 0 : rand() % 4 == 0 ? 2 : 1;
		const size_t back = 1 + (size_t)rand() % 12;

		for (size_t k = 0; k < n; k++)
			parents[k] = i - 1 - (size_t)rand() % (back < i ? back : i);
		if (n == 2 && parents[0] == parents[1])
			n = 1;
		add_commit(h, parents, n,
			seed % 3 == 0 ? 0 : (int64_t)i * 10 - rand() % (seed % 3 == 1 ? 1 : 200));
	}
}

static void test_rev__many_are_asked_in_one_walk_that_reads_each_commit_once(void **state)
{
	struct history h;
	struct oid tips[COMMITS];
	bool yes[COMMITS];
	const struct node_source src = { get_commit, &h };

	(void)state;
	for (unsigned int seed = 1; seed <= 60; seed++) {
		const size_t n = 1 + seed % COMMITS;
		size_t of[COMMITS], reached = 0;

		make_history(&h, seed);
		for (size_t i = 0; i < n; i++) {
			of[i] = (size_t)rand() % COMMITS;
			tips[i] = h.ids[of[i]];
		}
		for (size_t to = 0; to < COMMITS; to += 1 + (size_t)rand() % 5) {
			h.reads = 0;
			OK(rev_walk_contain(&src, tips, n, &h.ids[to], yes, &failure));
			for (size_t i = 0; i < n; i++)
				assert_int_equal(yes[i], h.reaches[of[i]][to]);
			/* Once for its parents, and once for its date on each way it is met. */
			reached = h.reads > reached ? h.reads : reached;
		}
		assert_true(reached <= n + (size_t)3 * COMMITS);
		for (size_t i = 0; i < COMMITS; i++)
			tips[i] = h.ids[i];
		qsort(tips, COMMITS, sizeof(*tips), id_compare);
		for (size_t from = 0; from < COMMITS; from += 7) {
			OK(rev_walk_find(&src, &h.ids[from], tips, COMMITS, yes, &failure));
			for (size_t i = 0; i < COMMITS; i++) {
				const struct oid *at = bsearch(&h.ids[i], tips, COMMITS,
					sizeof(*tips), id_compare);

				assert_int_equal(yes[at - tips], h.reaches[from][i]);
			}
		}
		for (size_t i = 0; i < COMMITS; i++)
			buf_release(&h.data[i]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rev__a_revision_is_base_log_steps),
		cmocka_unit_test(test_rev__steps_are_taken_one_by_one),
		TEST(test_rev__before_the_first_commit_it_says_so),
		TEST(test_rev__names_ids_and_steps),
		TEST(test_rev__the_first_commit_has_no_parent),
		TEST(test_rev__prefixes_list_commits_and_nothing_else),
		TEST(test_rev__tags_are_peeled),
		TEST(test_rev__the_reflog_tells_the_past),
		TEST(test_rev__the_log_is_newest_first_and_each_commit_comes_once),
		TEST(test_rev__log_entries_tell_all_there_is),
		cmocka_unit_test(test_rev__many_are_asked_in_one_walk_that_reads_each_commit_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
