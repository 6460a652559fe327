/* Status over stages made by hand: HEAD, the stage and the working tree in step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/io.h"
#include "graph/stage.h"
#include "repo_fixture.h"
#include "work/compare.h"
#include "work/worktree.h"

static char seen[65536];
static struct store_status_result result;
static unsigned int notices;

static int on_entry(void *payload, const struct store_status_entry *e)
{
	const size_t len = strlen(seen);

	(void)payload;
	snprintf(seen + len, sizeof(seen) - len, "%c%c %s\n", e->x, e->y, e->path);
	return 0;
}

static void on_notice(void *payload, const struct store_notice *n)
{
	const size_t len = strlen(seen);

	(void)payload;
	notices++;
	snprintf(seen + len, sizeof(seen) - len, "!%d %s\n", n->kind, n->path);
}

static const char *status_of(unsigned int flags, const char *const *paths, size_t n)
{
	const struct store_status_options o = { .flags = flags,
		.entry = on_entry,
		.callbacks = { .notice = on_notice } };

	seen[0] = '\0';
	notices = 0;
	OK(store_status(repo, paths, n, &o, &result, &failure));
	return seen;
}

static const char *status(unsigned int flags)
{
	return status_of(flags, NULL, 0);
}

/* ---- the working tree */

static void write_file(const char *path, const char *text)
{
	int fd;

	unlinkat(repo->work_fd, path, 0);
	fd = openat(repo->work_fd, path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	io_close(&fd);
}

static void make_dir(const char *path)
{
	assert_int_equal(mkdirat(repo->work_fd, path, 0755), 0);
}

static void age(void)
{
	usleep(50000);
}

/* ---- the stage */

static int apply_batch(void *ctx, struct env_txn *t, uint64_t number, struct store_error *err)
{
	return stage_batch_apply(ctx, t, number, err);
}

struct staging {
	struct odb_writer *w;
	struct stage_batch *batch;
};

static struct staging begin(void)
{
	return (struct staging){ fixture_writer(), stage_batch_new() };
}

static void end(struct staging *s)
{
	struct publication p = { .writer = s->w, .apply = apply_batch, .ctx = s->batch };

	OK(stage_batch_record(s->batch, s->w, &failure));
	OK(publish(repo->odb, &p, NULL, &failure));
	stage_batch_free(s->batch);
	writer_free(s->w);
}

static void stage_dir(struct staging *s, const char *path)
{
	const struct stage_row row = { .kind = ENTRY_DIR };

	OK(stage_batch_set(s->batch, path, strlen(path), &row, &failure));
}

/* As add would, from the file on disk whose content is text. */
static void stage_text(struct staging *s, const char *path, const char *text)
{
	const struct entry e = fixture_file(s->w, text);
	struct stage_row row = { .kind = ENTRY_FILE, .ref = { e.id, 0, strlen(text) } };
	struct worktree_entry on_disk;

	if (worktree_find(repo->work_fd, path, &on_disk, NULL) == 0) {
		row.kind = on_disk.kind;
		row.stat = on_disk.stat;
	}
	OK(stage_batch_set(s->batch, path, strlen(path), &row, &failure));
}

static void write_and_stage(const char *path, const char *text)
{
	struct staging s = begin();

	write_file(path, text);
	stage_text(&s, path, text);
	end(&s);
}

/* With a time stamp half a second ahead: no clock is past it yet, however slow the machine. */
static void write_and_stage_young(const char *path, const char *text)
{
	struct staging s = begin();
	struct timespec times[2];

	write_file(path, text);
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &times[0]), 0);
	times[0].tv_sec += times[0].tv_nsec >= 500000000;
	times[0].tv_nsec += times[0].tv_nsec >= 500000000 ? -500000000 : 500000000;
	times[1] = times[0];
	assert_int_equal(utimensat(repo->work_fd, path, times, 0), 0);
	stage_text(&s, path, text);
	end(&s);
}

static void stage_gone(const char *path)
{
	struct staging s = begin();

	OK(stage_batch_delete(s.batch, path, strlen(path), &failure));
	end(&s);
}

/* HEAD: file "a" = one, directory "d" with "x" = ex and the empty directory "e". */
static void commit_tree(void)
{
	struct odb_writer *w = fixture_writer();
	const struct entry one = fixture_file(w, "one"), ex = fixture_file(w, "ex");
	struct fixture_dir d = fixture_dir_begin(w);
	struct entry empty, sub, top;
	char hex[ID_HEX + 1];
	const char *refs[3] = { "refs/heads/main", hex, NULL };
	struct oid id;

	empty = fixture_dir_end(&d);
	d = fixture_dir_begin(w);
	fixture_dir_set(&d, "e", &empty);
	fixture_dir_set(&d, "x", &ex);
	sub = fixture_dir_end(&d);
	d = fixture_dir_begin(w);
	fixture_dir_set(&d, "a", &one);
	fixture_dir_set(&d, "d", &sub);
	top = fixture_dir_end(&d);
	id = fixture_commit(w, &top, 0, NULL, 0, 1, "tree", NULL);
	id_hex(hex, &id);
	fixture_publish(w, refs, 1, "commit");
	writer_free(w);
}

static void stage_tree(void)
{
	struct staging s = begin();

	write_file("a", "one");
	make_dir("d");
	make_dir("d/e");
	write_file("d/x", "ex");
	age();
	stage_text(&s, "a", "one");
	stage_dir(&s, "d");
	stage_dir(&s, "d/e");
	stage_text(&s, "d/x", "ex");
	end(&s);
}

/* Cached roots of the top and of d, as step 3 of a commit leaves them, without dirty rows. */
static int apply_cache(void *ctx, struct env_txn *t, uint64_t number, struct store_error *err)
{
	struct store_root *root = ctx;
	struct stage_dir cached = { .generation = number, .has_root = true };
	struct env_cursor *c = NULL;
	struct env_val key, val;
	uint64_t top;
	int rc = stage_root(t, &top, err);

	cached.root = (struct entry){ .kind = ENTRY_DIR,
		.height = root->root.height,
		.totals = { root->root.size, root->root.files, root->root.dirs } };
	memcpy(cached.root.id.b, root->root.id.bytes, ID_LEN);
	if (rc == 0)
		rc = stage_set_dir(t, top, &cached, err);
	if (rc == 0)
		rc = env_cursor_open(t, ENV_DIRTY, &c, err);
	while (rc == 0 && env_cursor_next(c, &key, &val, err) == 0)
		rc = env_cursor_del(c, err);
	env_cursor_close(c);
	return rc;
}

static void cache_roots(void)
{
	struct store_root root;
	struct publication p = { .apply = apply_cache, .ctx = &root };

	OK(store_root(repo, "HEAD", &root, &failure));
	OK(publish(repo->odb, &p, NULL, &failure));
}

/* ---- promises */

static void test_status__before_the_first_commit_all_is_added_or_untracked(void **state)
{
	(void)state;
	assert_string_equal(status(0), "");
	assert_int_equal(result.has_head, 0);
	assert_string_equal(result.branch, "main");
	stage_tree();
	write_file("new", "n");
	make_dir("hollow");
	assert_string_equal(status(0), "A  a\nA  d/e/\nA  d/x\n?? hollow/\n?? new\n");
	assert_int_equal(result.staged, 3);
	assert_int_equal(result.staged_bytes, 5);
	assert_int_equal(result.untracked, 2);
}

static void test_status__a_clean_tree_says_nothing_and_opens_nothing(void **state)
{
	(void)state;
	commit_tree();
	stage_tree();
	assert_string_equal(status(0), "");
	assert_int_equal(result.stats.opened, 0);
	cache_roots();
	assert_string_equal(status(0), "");
	assert_int_equal(result.stats.nodes_read, 0);
}

static void check_letters(void)
{
	write_and_stage("b", "bee");
	assert_string_equal(status(0), "A  b\n");
	write_file("b", "bean");
	assert_string_equal(status(0), "AM b\n");
	unlinkat(repo->work_fd, "b", 0);
	assert_string_equal(status(0), "AD b\n");
	stage_gone("b");
	assert_string_equal(status(0), "");
	write_file("a", "two");
	assert_string_equal(status(0), " M a\n");
	write_and_stage("a", "two");
	assert_string_equal(status(0), "M  a\n");
	stage_gone("a");
	assert_string_equal(status(0), "D  a\n?? a\n");
	unlinkat(repo->work_fd, "a", 0);
	assert_string_equal(status(0), "D  a\n");
	make_dir("a");
	write_file("a/in", "in");
	assert_string_equal(status(0), "D  a\n?? a/\n");
	assert_string_equal(status(STORE_STATUS_ALL_UNTRACKED), "D  a\n?? a/in\n");
	write_and_stage("a/in", "in");
	assert_string_equal(status(0), "D  a\nA  a/in\n");
	stage_gone("d");
	assert_string_equal(status(0), "D  a\nA  a/in\n?? d/\nD  d/e/\nD  d/x\n");
}

static void test_status__letters_without_cached_roots(void **state)
{
	(void)state;
	commit_tree();
	stage_tree();
	check_letters();
}

static void test_status__letters_by_dirty_rows_are_the_same(void **state)
{
	(void)state;
	commit_tree();
	stage_tree();
	cache_roots();
	check_letters();
}

static void test_status__a_link_is_another_kind_and_a_fifo_is_no_file(void **state)
{
	(void)state;
	commit_tree();
	stage_tree();
	unlinkat(repo->work_fd, "a", 0);
	assert_int_equal(symlinkat("one", repo->work_fd, "a"), 0);
	assert_string_equal(status(0), " T a\n");
	unlinkat(repo->work_fd, "a", 0);
	assert_int_equal(mkfifoat(repo->work_fd, "a", 0600), 0);
	assert_string_equal(status(0), " D a\n");
}

static void test_status__modes_count_and_times_do_not(void **state)
{
	const struct timespec then[2] = { { 5, 0 }, { 5, 0 } };

	(void)state;
	commit_tree();
	stage_tree();
	assert_int_equal(utimensat(repo->work_fd, "a", then, 0), 0);
	assert_string_equal(status(0), "");
	assert_int_equal(result.stats.opened, 1);
	assert_int_equal(fchmodat(repo->work_fd, "a", 0755, 0), 0);
	assert_string_equal(status(0), " M a\n");
	assert_int_equal(fchmodat(repo->work_fd, "a", 0600, 0), 0);
	assert_string_equal(status(0), " M a\n");
	age();
	repo->metadata = METADATA_NONE;
	assert_string_equal(status(0), "");
	repo->metadata = METADATA_TIMES;
	assert_string_equal(status(0), " M a\n");
}

/* A meta map of one file and one directory. */
static void commit_modes(uint16_t mode_of_a, uint16_t mode_of_d)
{
	struct odb_writer *w = fixture_writer();
	const struct node_source src = nodes_source(writer_reader(w));
	const struct node_sink sink = nodes_sink(w);
	const struct map_ref empty = map_empty(MAP_META);
	struct map_editor *map = map_editor_new(MAP_META, &src, &sink, &empty);
	const struct meta a = { .flags = META_ATTRS, .mode = mode_of_a, .mtime_sec = 7 };
	const struct meta d = { .flags = META_ATTRS, .mode = mode_of_d, .mtime_sec = 7 };
	const struct entry one = fixture_file(w, "one");
	struct fixture_dir dir = fixture_dir_begin(w);
	struct buf value = { 0 };
	struct map_totals totals;
	struct map_ref meta;
	struct entry sub, top;
	char hex[ID_HEX + 1];
	const char *refs[3] = { "refs/heads/main", hex, NULL };
	struct oid id;

	sub = fixture_dir_end(&dir);
	dir = fixture_dir_begin(w);
	fixture_dir_set(&dir, "a", &one);
	fixture_dir_set(&dir, "d", &sub);
	top = fixture_dir_end(&dir);
	OK(meta_encode(&value, &a));
	OK(map_editor_set(map, "a", 1, value.data, value.len, &failure));
	buf_clear(&value);
	OK(meta_encode(&value, &d));
	OK(map_editor_set(map, "d", 1, value.data, value.len, &failure));
	OK(map_editor_finish(map, &meta, &totals, &failure));
	map_editor_free(map);
	id = fixture_commit(w, &top, 0, NULL, 0, 1, "modes", &meta);
	id_hex(hex, &id);
	fixture_publish(w, refs, 1, "commit");
	buf_release(&value);
	writer_free(w);
}

static void stage_mode(struct staging *s, const char *path, uint8_t kind, uint16_t mode,
	int64_t mtime)
{
	const struct meta m = { .flags = META_ATTRS, .mode = mode, .mtime_sec = mtime };
	struct worktree_entry on_disk;
	struct stage_row row = { .kind = kind };
	struct buf value = { 0 };

	OK(meta_encode(&value, &m));
	row.meta = value.data;
	row.meta_len = value.len;
	OK(worktree_find(repo->work_fd, path, &on_disk, &failure));
	if (kind == ENTRY_FILE) {
		const struct entry e = fixture_file(s->w, "one");

		row.ref = (struct file_ref){ e.id, 0, 3 };
		row.stat = on_disk.stat;
	}
	OK(stage_batch_set(s->batch, path, strlen(path), &row, &failure));
	buf_release(&value);
}

static void test_status__a_staged_mode_is_a_change_and_a_staged_time_is_none(void **state)
{
	struct staging s;

	(void)state;
	commit_modes(0644, 0755);
	write_file("a", "one");
	make_dir("d");
	s = begin();
	stage_mode(&s, "a", ENTRY_FILE, 0644, 8);
	stage_mode(&s, "d", ENTRY_DIR, 0755, 9);
	end(&s);
	assert_string_equal(status(0), "");
	s = begin();
	stage_mode(&s, "a", ENTRY_FILE, 0640, 8);
	stage_mode(&s, "d", ENTRY_DIR, 0700, 9);
	end(&s);
	assert_string_equal(status(0), "M  a\nM  d/\n");
	repo->metadata = METADATA_NONE;
	assert_string_equal(status(0), "");
}

static void test_status__a_racy_file_is_read_once_and_stamped(void **state)
{
	(void)state;
	write_and_stage_young("racy", "r");
	usleep(600000);
	assert_string_equal(status(0), "A  racy\n");
	assert_int_equal(result.stats.opened, 1);
	status(0);
	assert_int_equal(result.stats.opened, 0);
	write_file("racy", "R");
	assert_string_equal(status(0), "AM racy\n");
}

static void test_status__a_held_gate_stops_no_status(void **state)
{
	struct store_repo *other = NULL;
	const struct store_open_options options = { .start = fixture_dir };

	(void)state;
	write_and_stage("racy", "r");
	age();
	OK(store_open(&other, &options, &failure));
	OK(odb_gate_lock(other->odb, &failure));
	assert_string_equal(status(0), "A  racy\n");
	/* It would wait for 30 s. */
	assert_true(result.stats.seconds < 20);
	odb_gate_unlock(other->odb);
	store_close(other);
}

static void test_status__only_the_paths_asked_for(void **state)
{
	static const char *const in_d[] = { "d/x" }, *const deep[] = { "u/v" };

	(void)state;
	commit_tree();
	stage_tree();
	write_file("a", "changed");
	write_file("d/x", "changed");
	write_file("d/y", "new");
	make_dir("u");
	make_dir("u/v");
	write_file("u/v/w", "w");
	write_file("u/z", "z");
	assert_string_equal(status_of(0, in_d, 1), " M d/x\n");
	assert_string_equal(status_of(0, deep, 1), "?? u/v/\n");
	assert_string_equal(status(0), " M a\n M d/x\n?? d/y\n?? u/\n");
	assert_string_equal(status(STORE_STATUS_NO_UNTRACKED), " M a\n M d/x\n");
	assert_string_equal(status(STORE_STATUS_ALL_UNTRACKED),
		" M a\n M d/x\n?? d/y\n?? u/v/w\n?? u/z\n");
}

static void test_status__git_is_ignored_and_borders_are_named(void **state)
{
	(void)state;
	make_dir(".git");
	make_dir("sub");
	make_dir("sub/.store");
	write_file("sub/.store/format", "x");
	make_dir("plain");
	make_dir("plain/.store");
	write_file("plain/f", "f");
	assert_string_equal(status(0), "?? plain/\n!3 sub\n");
	assert_string_equal(status(STORE_STATUS_IGNORED), "!! .git/\n?? plain/\n!3 sub\n");
	assert_string_equal(status(STORE_STATUS_ALL_UNTRACKED), "?? plain/f\n!3 sub\n");
}

static void test_status__what_cannot_be_listed_is_not_deleted(void **state)
{
	(void)state;
	commit_tree();
	stage_tree();
	OK(fault_load("getdents:3+:EACCES"));
	assert_string_equal(status(0), "!1 d\n");
	assert_int_equal(result.unreadable, 1);
	OK(fault_load(""));
	unlinkat(repo->work_fd, "d/x", 0);
	unlinkat(repo->work_fd, "d/e", AT_REMOVEDIR);
	unlinkat(repo->work_fd, "d", AT_REMOVEDIR);
	assert_string_equal(status(0), " D d/e/\n D d/x\n");
	write_file("d", "a file now");
	assert_string_equal(status(0), "?? d\n D d/e/\n D d/x\n");
}

static void test_status__what_cannot_be_read_is_not_changed(void **state)
{
	(void)state;
	write_and_stage("racy", "r");
	OK(fault_load("compare.read:1+:EIO"));
	assert_string_equal(status(0), "!1 racy\nA  racy\n");
	OK(fault_load(""));
}

static void test_status__more_directories_deep_than_descriptors_are_held(void **state)
{
	enum { DEPTH = 600 };
	char path[2 * DEPTH + 2];
	struct staging s = begin();
	int fd = dup(repo->work_fd);

	(void)state;
	for (int i = 0; i < DEPTH; i++) {
		int next;

		path[2 * (size_t)i] = 'd';
		path[2 * (size_t)i + 1] = '\0';
		stage_dir(&s, path);
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		assert_int_equal(mkdirat(fd, "z", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		io_close(&fd);
		fd = next;
		path[2 * (size_t)i + 1] = '/';
	}
	end(&s);
	status(STORE_STATUS_NO_UNTRACKED);
	assert_int_equal(strncmp(seen, "A  d/d/d/", 9), 0);
	assert_int_equal(result.staged, 1);
	assert_int_equal(result.unreadable, 0);
	status(0);
	assert_int_equal(result.untracked, DEPTH);
	assert_int_equal(result.unreadable, 0);
	assert_int_equal(notices, 0);
	io_close(&fd);
}

/* What is mounted below the working tree may count time in steps of two seconds. */
static void test_compare__time_stamps_of_another_device_are_coarse(void **state)
{
	const int64_t second = 1000000000, now = 1000 * second;
	struct compare c = { .grain_ns = 20000000, .dev = 1, .trust_ctime = true };
	struct stage_row row = { .kind = ENTRY_FILE };
	struct worktree_entry e = { .kind = ENTRY_FILE, .dev = 1 };

	(void)state;
	e.stat.mtime_ns = e.stat.ctime_ns = now;
	row.stat = e.stat;
	row.stat.clock_ns = now + second;
	assert_true(compare_is_fresh(&c, &row, &e));
	e.dev = 2;
	assert_false(compare_is_fresh(&c, &row, &e));
	row.stat.clock_ns = now + 2 * second + 1;
	assert_true(compare_is_fresh(&c, &row, &e));
}

static void test_compare__a_sparse_file_is_compared_by_its_holes(void **state)
{
	static uint8_t zeros[65536];
	struct compare c;
	struct odb_writer *w = fixture_writer();
	struct seq_builder *b;
	const struct node_sink sink = nodes_sink(w);
	struct file_ref ref;
	struct oid id, end_id;
	bool same;
	int fd = openat(repo->work_fd, "sparse", O_CREAT | O_RDWR, 0644);

	(void)state;
	b = seq_builder_new(&sink);
	OK(writer_put(w, KIND_CHUNK, zeros, sizeof(zeros), &id, &failure));
	OK(writer_put(w, KIND_CHUNK, "end", 3, &end_id, &failure));
	OK(seq_builder_add(b, &id, sizeof(zeros), 160000, &failure));
	OK(seq_builder_add(b, &end_id, 3, 1, &failure));
	OK(seq_builder_finish(b, &ref, &failure));
	fixture_publish(w, (const char *const[]){ NULL }, 1, "");
	OK(ftruncate(fd, (off_t)ref.size));
	OK(io_pwrite_full(fd, "end", 3, ref.size - 3));
	OK(compare_init(&c, repo, NULL, &failure));
	OK(compare_file(&c, fd, &ref, &same, &failure));
	assert_true(same);
	assert_true(c.bytes < 1 << 20);
	OK(io_pwrite_full(fd, "x", 1, 5000000000));
	OK(compare_file(&c, fd, &ref, &same, &failure));
	assert_false(same);
	assert_true(c.bytes < 1 << 20);
	OK(ftruncate(fd, (off_t)ref.size - 1));
	OK(compare_file(&c, fd, &ref, &same, &failure));
	assert_false(same);
	compare_release(&c);
	seq_builder_free(b);
	writer_free(w);
	io_close(&fd);
}

static void test_worktree__a_path_beyond_a_link_is_refused(void **state)
{
	struct worktree_entry e;

	(void)state;
	make_dir("real");
	write_file("real/f", "f");
	assert_int_equal(symlinkat("real", repo->work_fd, "link"), 0);
	OK(worktree_find(repo->work_fd, "real/f", &e, &failure));
	assert_int_equal(e.kind, ENTRY_FILE);
	assert_string_equal(e.name, "f");
	OK(worktree_find(repo->work_fd, "link", &e, &failure));
	assert_int_equal(e.kind, ENTRY_LINK);
	assert_int_equal(worktree_find(repo->work_fd, "link/f", &e, &failure), STORE_EINVAL);
	assert_int_equal(failure.sys, ELOOP);
	assert_int_equal(worktree_find(repo->work_fd, "real/f/g", &e, &failure), STORE_ENOTFOUND);
	assert_int_equal(worktree_find(repo->work_fd, "none/f", &e, &failure), STORE_ENOTFOUND);
}

static void test_worktree__names_come_in_byte_order(void **state)
{
	static const char *const names[] = { "-", "A", "a", "a b", "a.b", "ab", "\xc3\xa4",
		"\xff" };
	struct worktree_dir d;
	struct worktree_entry e;

	(void)state;
	for (size_t i = sizeof(names) / sizeof(*names); i-- > 0;)
		write_file(names[i], "");
	OK(worktree_dir_open(&d, repo->work_fd, "", &failure));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		OK(worktree_dir_next(&d, &e, &failure));
		assert_string_equal(e.name, names[i]);
	}
	assert_int_equal(worktree_dir_next(&d, &e, &failure), STORE_ENOTFOUND);
	worktree_dir_close(&d);
	worktree_dir_close(&d);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_status__before_the_first_commit_all_is_added_or_untracked),
		T(test_status__a_clean_tree_says_nothing_and_opens_nothing),
		T(test_status__letters_without_cached_roots),
		T(test_status__letters_by_dirty_rows_are_the_same),
		T(test_status__a_link_is_another_kind_and_a_fifo_is_no_file),
		T(test_status__modes_count_and_times_do_not),
		T(test_status__a_staged_mode_is_a_change_and_a_staged_time_is_none),
		T(test_status__a_racy_file_is_read_once_and_stamped),
		T(test_status__a_held_gate_stops_no_status),
		T(test_status__only_the_paths_asked_for),
		T(test_status__git_is_ignored_and_borders_are_named),
		T(test_status__what_cannot_be_listed_is_not_deleted),
		T(test_status__what_cannot_be_read_is_not_changed),
		T(test_status__more_directories_deep_than_descriptors_are_held),
		T(test_compare__time_stamps_of_another_device_are_coarse),
		T(test_compare__a_sparse_file_is_compared_by_its_holes),
		T(test_worktree__a_path_beyond_a_link_is_refused),
		T(test_worktree__names_come_in_byte_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
