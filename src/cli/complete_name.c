/*
 * Names that fit: files, tracked paths, paths of a revision, refs.  Directories are listed one at a
 * time, as far as a '/' has been typed; nothing is kept, so a directory of a million names costs
 * the time to read it and no memory.  Whatever cannot be read offers nothing: the command that is
 * being typed will tell why.
 */
#include "cli/complete.h"
#include "cli/output.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The part of name that is typed whole: up to and with its last slash. */
static size_t whole(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? (size_t)(slash - name) + 1 : 0;
}

static bool is_directory(const char *directory, const struct dirent *d)
{
	struct line t = { 0 };
	struct stat st;
	bool is;

	if (d->d_type != DT_UNKNOWN && d->d_type != DT_LNK)
		return d->d_type == DT_DIR;
	line_format(&t, "%s/%s", directory, d->d_name);
	is = stat(t.data, &st) == 0 && S_ISDIR(st.st_mode);
	line_release(&t);
	return is;
}

/* Hidden names are offered when their dot is typed; .store is none of the user's. */
static bool is_offered(const char *name, const char *typed)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".store") == 0)
		return false;
	return name[0] != '.' || typed[0] == '.';
}

void complete_files(struct complete *c, const char *head, const char *name, bool only_dirs)
{
	const size_t len = whole(name);
	struct line directory = { 0 }, before = { 0 };
	struct dirent *d;
	DIR *dir;

	line_add(&directory, name, len);
	line_string(&directory, len ? "" : ".");
	line_string(&before, head);
	line_add(&before, name, len);
	dir = opendir(directory.data);
	while (dir && !cli_must_stop() && (d = readdir(dir)) != NULL) {
		const bool is_dir = is_directory(directory.data, d);

		if (is_offered(d->d_name, name + len) && (is_dir || !only_dirs))
			complete_offer(c, before.data, d->d_name, is_dir ? "/" : "", NULL);
	}
	if (dir)
		closedir(dir);
	line_release(&directory);
	line_release(&before);
}

/* The entries of a directory of a tree, in byte order; none if there is no such directory. */
struct entries {
	struct store_target target;
	struct store_tree_iter *it; /* NULL: at its end */
	struct store_tree_entry e;  /* behind it */
};

static bool next_entry(struct entries *s)
{
	if (s->it && !cli_must_stop() && store_tree_next(s->it, &s->e, NULL) == 0)
		return true;
	store_tree_free(s->it);
	s->it = NULL;
	return false;
}

static void open_entries(struct cli *cli, struct entries *s, const char *rev, const char *path)
{
	struct line t = { 0 };

	line_format(&t, "%s:%s", rev, path);
	if (store_resolve(cli->repo, t.data, STORE_NAME_REV_IS_TREE, &s->target, NULL) == 0 &&
		s->target.node.kind == STORE_KIND_DIR)
		store_tree_open(cli->repo, &s->target, 0, &s->it, NULL);
	line_release(&t);
}

static void close_entries(struct entries *s)
{
	store_tree_free(s->it);
	store_target_clear(&s->target);
}

enum which {
	ALL,
	NOT_ON_DISK,
	NOT_STAGED,
};

/*
 * The entries of the directory at rev:path, or those of them that which says.  before: what stands
 * in the candidate before the name, the directory as it was typed.
 */
static void list_tree(struct complete *c, const char *rev, const char *path, const char *before,
	enum which which)
{
	struct entries all = { 0 }, but = { 0 };
	struct line t = { 0 };
	struct stat st;

	open_entries(c->cli, &all, rev, path);
	if (which == NOT_STAGED)
		open_entries(c->cli, &but, "", path);
	next_entry(&but);
	while (next_entry(&all)) {
		line_clear(&t);
		line_format(&t, "%s%s", before, all.e.path);
		while (but.it && strcmp(but.e.path, all.e.path) < 0)
			next_entry(&but);
		if ((which == NOT_ON_DISK && lstat(t.data, &st) == 0) ||
			(but.it && strcmp(but.e.path, all.e.path) == 0))
			continue;
		complete_offer(c, before, all.e.path, all.e.node.kind == STORE_KIND_DIR ? "/" : "",
			NULL);
	}
	close_entries(&all);
	close_entries(&but);
	line_release(&t);
}

/* The same for a name that is relative to the current directory. */
static void list_relative(struct complete *c, const char *rev, const char *name, enum which which)
{
	struct line directory = { 0 };
	char *path = NULL;

	line_add(&directory, name, whole(name));
	if (store_operand(c->cli->repo, directory.len ? directory.data : ".", &path, NULL) == 0)
		list_tree(c, rev, path, directory.len ? directory.data : "", which);
	free(path);
	line_release(&directory);
}

void complete_paths(struct complete *c, const char *name, bool only_tracked)
{
	if (!only_tracked)
		complete_files(c, "", name, false);
	if (c->cli->repo)
		list_relative(c, "", name, only_tracked ? ALL : NOT_ON_DISK);
}

void complete_paths_staged(struct complete *c, const char *name)
{
	complete_paths(c, name, true);
	if (c->cli->repo)
		list_relative(c, "HEAD", name, NOT_STAGED);
}

void complete_paths_of(struct complete *c, const char *rev, const char *name)
{
	if (c->cli->repo)
		list_relative(c, rev, name, ALL);
}

void complete_refs(struct complete *c, const char *head, const char *tail, int which)
{
	struct store_refs_options o = { .kinds = which == REFS_BRANCHES ? STORE_REFS_BRANCHES
			: which == REFS_TAGS                            ? STORE_REFS_TAGS
									: 0 };
	struct store_refs_iter *it = NULL;
	struct store_ref ref;

	if (!c->cli->repo || store_refs_open(c->cli->repo, &o, &it, NULL) != 0)
		return;
	while (!cli_must_stop() && store_refs_next(it, &ref, NULL) == 0)
		complete_offer(c, head, ref.short_name, tail, ref.is_tag ? "tag" : "branch");
	store_refs_free(it);
}

/* All that names a commit by a word. */
static void complete_words_for_commits(struct complete *c, const char *head, const char *tail)
{
	complete_offer(c, head, "HEAD", tail, "the current commit");
	complete_refs(c, head, tail, REFS_ALL);
}

void complete_revisions(struct complete *c, const char *head, const char *typed)
{
	const char *dots = strstr(typed, "..");
	struct line before = { 0 };
	size_t len = 0;

	if (dots)
		len = (size_t)(dots - typed) + (dots[2] == '.' ? 3 : 2);
	line_string(&before, head);
	line_add(&before, typed, len);
	complete_words_for_commits(c, before.data, "");
	line_release(&before);
}

/* rev:path, from the top, or from the current directory with "./". */
static void complete_in_revision(struct complete *c, const char *typed, const char *colon)
{
	const size_t len = (size_t)(colon - typed) + 1 + whole(colon + 1);
	struct line rev = { 0 }, path = { 0 }, before = { 0 };

	line_add(&rev, typed, (size_t)(colon - typed));
	line_add(&path, colon + 1, whole(colon + 1));
	if (path.len > 1)
		path.data[path.len - 1] = 0; /* without its last slash */
	line_add(&before, typed, len);
	list_tree(c, rev.data, path.data, before.data, ALL);
	line_release(&rev);
	line_release(&path);
	line_release(&before);
}

void complete_contents(struct complete *c, bool with_revs)
{
	const char *typed = c->current, *colon = strchr(typed, ':'), *at = strrchr(typed, '@');
	struct line before = { 0 };

	if (!c->cli->repo)
		return;
	complete_paths_of(c, "HEAD", typed);
	if (colon)
		complete_in_revision(c, typed, colon);
	else
		complete_words_for_commits(c, "", ":");
	if (at && at > typed && at[1] != '{') {
		line_add(&before, typed, (size_t)(at - typed) + 1);
		complete_words_for_commits(c, before.data, "");
	}
	if (with_revs)
		complete_revisions(c, "", typed);
	line_release(&before);
}
