/*
 * Ignore rules of a whole tree: a stack of directories, the top first, each with the rules of its
 * file; below them the file of the repository, that of the user, and the built-in rule.
 *
 * Within one file the last pattern that matches decides, inner files go before outer ones, and the
 * first file that has a matching pattern is the only one that counts. A directory that is ignored
 * is a wall: its level carries the rule, and nothing below it is compared with anything.
 *
 * Rules that cannot be read close their directory. To go on without them would take what the user
 * wanted left out, and to call it ignored would hide what he wanted kept: it is neither, and told.
 * A rules file of the tree that is a symlink counts as one that cannot be read, because a tree from
 * elsewhere could make any file of the system one of rules; those of repository and user may be.
 */
#include "work/ignore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/quote.h"
#include "base/trace.h"
#include "work/ignore_internal.h"
#include "work/repo.h"

#define RULES_NAME ".storeignore"
#define WHY_MAX 160

enum origin {
	FROM_NOWHERE,
	FROM_LEVEL,
	FROM_REPO,
	FROM_USER,
	FROM_BUILT_IN,
};

/* The rule that decided. */
struct hit {
	enum origin origin;
	size_t level;
	const struct ignore_pattern *pattern; /* NULL: built in, or none */
};

/* A directory that is stood in. */
struct level {
	size_t path_len;         /* in path, its '/' included; 0: the top */
	enum ignore_state state; /* of all that is below, but IGNORE_TAKEN: rules decide */
	struct hit hit;          /* IGNORE_LEFT: why */
	struct ignore_rules rules;
};

struct ignore {
	struct store_repo *repo;
	struct buf path;      /* of the innermost directory, its '/' included */
	struct level *levels; /* count of them, the top first */
	size_t count, cap;
	struct ignore_rules repo_rules, user_rules;
	struct buf repo_path, user_path; /* absolute; empty: there is none */
	uint64_t bytes, patterns;        /* in force */
	struct buf source, failed;       /* handed out */
	/* Of the level that was closed last: no other can be while one that is closed is stood in.
	 */
	char why[WHY_MAX];
	bool is_news;
};

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- files */

/* The rules cannot be had.  name: from the top, or absolute. */
static int close_level(struct ignore *g, enum ignore_state *state, const char *name,
	const char *why, struct store_error *err)
{
	static const char more[] = "; nothing untracked below its directory is taken";
	char shown[60];

	*state = IGNORE_UNKNOWN;
	g->is_news = true;
	/* It has no path in the tree, so the top is named, and the file in the text. */
	if (*name == '/')
		snprintf(g->why, sizeof(g->why), "its ignore rules in '%s': %.40s",
			quote_msg(shown, sizeof(shown), name, strlen(name)), why);
	else
		snprintf(g->why, sizeof(g->why), "%.100s%s", why, more);
	buf_set(&g->failed, name, *name == '/' ? 0 : strlen(name));
	return buf_str(&g->failed) ? 0 : out_of_memory(err);
}

/* What is wrong, in words without the name. */
static void explain(const struct store_error *e, char why[WHY_MAX])
{
	char text[WHY_MAX];

	snprintf(why, WHY_MAX, "%.*s", WHY_MAX - 1,
		e->sys != 0 ? strerror_r(e->sys, text, sizeof(text)) : e->msg);
}

/* Is what st tells of a file of rules?  A directory is none, and nothing else may be opened. */
static int check_kind(const struct stat *st, struct store_error *e)
{
	if (S_ISDIR(st->st_mode))
		return STORE_ENOTFOUND;
	if (S_ISLNK(st->st_mode))
		return store_error_set(e, STORE_EINVAL, "it is a symbolic link");
	if (!S_ISREG(st->st_mode))
		return store_error_set(e, STORE_EINVAL, "it is no regular file");
	if ((uint64_t)st->st_size > IGNORE_FILE_MAX)
		return store_error_set(e, STORE_EINVAL, "it is larger than %u bytes",
			IGNORE_FILE_MAX);
	return 0;
}

/* All of the open file, which had size bytes. */
static int read_text(int fd, size_t size, struct buf *text, struct store_error *e)
{
	ssize_t n;

	if (buf_reserve(text, size + 1) != 0)
		return out_of_memory(e);
	n = io_read_full(fd, text->data, size + 1);
	if (n < 0)
		return store_error_sys(e, "cannot read");
	if ((size_t)n > size)
		return store_error_set(e, STORE_EINVAL, "it grows while it is read");
	text->len = (size_t)n;
	return 0;
}

/*
 * The file at path, below the top or absolute. STORE_ENOTFOUND: no rules. Looked at before it is
 * opened: a FIFO is not.
 */
static int read_file(const struct ignore *g, const char *path, struct buf *text,
	struct store_error *e)
{
	const bool outside = *path == '/';
	struct stat st;
	int fd = -1, rc;

	if (outside) {
		rc = stat(path, &st) == 0 ? 0 : store_error_sys(e, "cannot look");
	} else {
		fd = io_open_beneath(g->repo->work_fd, path, O_PATH | O_NOFOLLOW, 0);
		rc = fd != -1 && fstat(fd, &st) == 0 ? 0 : store_error_sys(e, "cannot look");
	}
	io_close(&fd);
	if (rc == 0)
		rc = check_kind(&st, e);
	if (rc != 0)
		return rc == STORE_ENOTFOUND ? rc : e->code;
	fd = outside ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
		     : io_open_beneath(g->repo->work_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	rc = fd == -1 ? store_error_sys(e, "cannot open") : 0;
	if (rc == 0 && fstat(fd, &st) != 0)
		rc = store_error_sys(e, "cannot look");
	if (rc == 0)
		rc = check_kind(&st, e);
	if (rc == 0)
		rc = read_text(fd, (size_t)st.st_size, text, e);
	io_close(&fd);
	return rc;
}

/* Rules from the file at path; *state: IGNORE_UNKNOWN when they cannot be had. */
static int load(struct ignore *g, const char *path, struct ignore_rules *r,
	enum ignore_state *state, struct store_error *err)
{
	struct store_error e = { 0 };
	struct buf text = { 0 };
	char why[WHY_MAX];
	int rc = read_file(g, path, &text, &e);

	TRACE(TRACE_WALK, "rules=%s rc=%d", path, rc);
	if (rc == 0 && g->bytes + text.len > IGNORE_BYTES_MAX)
		rc = store_error_set(&e, STORE_EINVAL, "with it more than %u bytes are in force",
			IGNORE_BYTES_MAX);
	if (rc == 0)
		rc = ignore_rules_parse(r, &text, IGNORE_COUNT_MAX - (size_t)g->patterns, &e);
	buf_release(&text);
	if (rc == 0) {
		g->bytes += r->text.len;
		g->patterns += r->count;
	}
	if (rc == 0 || rc == STORE_ENOTFOUND)
		return 0;
	if (rc == STORE_ENOMEM)
		return out_of_memory(err);
	explain(&e, why);
	return close_level(g, state, path, why, err);
}

/* core.excludesFile, or where the user's rules stand by default. */
static int find_user_file(struct ignore *g, struct store_error *err)
{
	const char *set = config_text(g->repo->config, "core.excludesFile");
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	struct buf *b = &g->user_path;

	if (home && home[0] != '/')
		home = NULL;
	if (!set && xdg && xdg[0] == '/')
		buf_addf(b, "%s/store/ignore", xdg);
	else if (!set && home)
		buf_addf(b, "%s/.config/store/ignore", home);
	else if (set && strncmp(set, "~/", 2) == 0 && home)
		buf_addf(b, "%s/%s", home, set + 2);
	else if (set && *set == '/')
		buf_add_str(b, set);
	else if (set && *set != '\0')
		buf_addf(b, "%s/%s", g->repo->work_tree, set);
	return buf_str(b) ? 0 : out_of_memory(err);
}

static const char *text_of(const struct buf *b)
{
	return (const char *)b->data;
}

static int load_outer(struct ignore *g, enum ignore_state *state, struct store_error *err)
{
	const struct store_repo *repo = g->repo;
	const size_t top = strlen(repo->work_tree);
	int rc = find_user_file(g, err);

	/* Told from the top where it can be. */
	if (strncmp(repo->store_dir, repo->work_tree, top) == 0 && repo->store_dir[top] == '/')
		buf_addf(&g->repo_path, "%s/info/exclude", repo->store_dir + top + 1);
	else
		buf_addf(&g->repo_path, "%s/info/exclude", repo->store_dir);
	if (rc == 0 && !buf_str(&g->repo_path))
		rc = out_of_memory(err);
	if (rc == 0 && g->user_path.len > 0)
		rc = load(g, text_of(&g->user_path), &g->user_rules, state, err);
	if (rc == 0 && *state == IGNORE_TAKEN)
		rc = load(g, text_of(&g->repo_path), &g->repo_rules, state, err);
	return rc;
}

/* ---- decisions */

/* By the first count levels, and what lies behind them. */
static struct hit find_hit(const struct ignore *g, size_t count, const char *path, size_t len,
	size_t name_off, bool is_dir)
{
	struct ignore_subject s = { .path = path,
		.len = len,
		.name_off = name_off,
		.is_dir = is_dir };
	struct hit h = { 0 };

	for (size_t i = count; i > 0; i--) {
		const struct level *l = &g->levels[i - 1];

		if (l->rules.count == 0)
			continue;
		s.path = path + l->path_len;
		s.len = len - l->path_len;
		s.name_off = name_off - l->path_len;
		h.pattern = ignore_rules_find(&l->rules, &s);
		if (h.pattern) {
			h.origin = FROM_LEVEL;
			h.level = i - 1;
			return h;
		}
	}
	s = (struct ignore_subject){ path, len, name_off, is_dir };
	h.pattern = ignore_rules_find(&g->repo_rules, &s);
	if (h.pattern) {
		h.origin = FROM_REPO;
		return h;
	}
	h.pattern = ignore_rules_find(&g->user_rules, &s);
	if (h.pattern)
		h.origin = FROM_USER;
	else if (len - name_off == 4 && memcmp(path + name_off, ".git", 4) == 0)
		h.origin = FROM_BUILT_IN;
	return h;
}

static bool is_left(const struct hit *h)
{
	return h->origin == FROM_BUILT_IN ||
		(h->origin != FROM_NOWHERE && !(h->pattern->flags & IGNORE_NEGATED));
}

/* ---- the stack */

static void pop(struct ignore *g)
{
	struct level *l = &g->levels[--g->count];

	g->bytes -= l->rules.text.len;
	g->patterns -= l->rules.count;
	ignore_rules_release(&l->rules);
}

/* The directory whose path, its '/' included, is the first len bytes of path. */
static int push(struct ignore *g, const char *path, size_t len, struct store_error *err)
{
	struct level l = { .path_len = len };
	int rc = 0;

	if (mem_grow(&g->levels, &g->cap, g->count + 1, sizeof(*g->levels)) != 0)
		return out_of_memory(err);
	if (g->count > 0) {
		const struct level *around = &g->levels[g->count - 1];

		l.state = around->state;
		l.hit = around->hit;
		if (l.state == IGNORE_TAKEN) {
			l.hit = find_hit(g, g->count, path, len - 1, around->path_len, true);
			l.state = is_left(&l.hit) ? IGNORE_LEFT : IGNORE_TAKEN;
		}
	} else {
		rc = load_outer(g, &l.state, err);
	}
	buf_set(&g->source, path, len);
	buf_add_str(&g->source, RULES_NAME);
	if (rc == 0 && (buf_set(&g->path, path, len) != 0 || !buf_str(&g->source)))
		rc = out_of_memory(err);
	if (rc == 0 && l.state == IGNORE_TAKEN)
		rc = load(g, text_of(&g->source), &l.rules, &l.state, err);
	/* Kept even then: what was loaded is released with it. */
	g->levels[g->count++] = l;
	return rc;
}

/* Stand in the directory that holds path, whose name begins at name_off. */
static int seek(struct ignore *g, const char *path, size_t name_off, struct store_error *err)
{
	int rc = 0;

	while (g->count > 1) {
		const size_t len = g->levels[g->count - 1].path_len;

		if (len <= name_off && memcmp(g->path.data, path, len) == 0)
			break;
		pop(g);
	}
	if (g->count == 0)
		rc = push(g, path, 0, err);
	while (rc == 0) {
		const size_t from = g->levels[g->count - 1].path_len;
		const char *slash = memchr(path + from, '/', name_off - from);

		if (!slash)
			break;
		rc = push(g, path, (size_t)(slash - path) + 1, err);
	}
	return rc;
}

/* ---- the interface */

struct ignore *ignore_new(struct store_repo *repo)
{
	struct ignore *g = calloc(1, sizeof(*g));

	if (g)
		g->repo = repo;
	return g;
}

void ignore_free(struct ignore *g)
{
	if (!g)
		return;
	while (g->count > 0)
		pop(g);
	free(g->levels);
	ignore_rules_release(&g->repo_rules);
	ignore_rules_release(&g->user_rules);
	buf_release(&g->path);
	buf_release(&g->repo_path);
	buf_release(&g->user_path);
	buf_release(&g->source);
	buf_release(&g->failed);
	free(g);
}

/* Name the rule. */
static int describe(struct ignore *g, const struct hit *h, struct ignore_verdict *v,
	struct store_error *err)
{
	const struct ignore_rules *r = NULL;

	buf_clear(&g->source);
	switch (h->origin) {
	case FROM_LEVEL:
		r = &g->levels[h->level].rules;
		buf_add(&g->source, g->path.data, g->levels[h->level].path_len);
		buf_add_str(&g->source, RULES_NAME);
		break;
	case FROM_REPO:
		r = &g->repo_rules;
		buf_add_str(&g->source, text_of(&g->repo_path));
		break;
	case FROM_USER:
		r = &g->user_rules;
		buf_add_str(&g->source, text_of(&g->user_path));
		break;
	case FROM_BUILT_IN:
		v->pattern = ".git";
		buf_add_str(&g->source, IGNORE_BUILT_IN);
		break;
	default:
		return 0;
	}
	v->source = buf_str(&g->source);
	if (r) {
		v->line = h->pattern->line;
		v->pattern = ignore_rules_text(r, h->pattern);
		v->is_negated = h->pattern->flags & IGNORE_NEGATED;
	}
	return v->source ? 0 : out_of_memory(err);
}

int ignore_check(struct ignore *g, const char *path, size_t len, bool is_dir,
	struct ignore_verdict *v, struct store_error *err)
{
	const char *slash = memrchr(path, '/', len);
	const size_t name_off = slash ? (size_t)(slash - path) + 1 : 0;
	const struct level *in;
	struct hit h;
	int rc;

	memset(v, 0, sizeof(*v));
	g->is_news = false;
	rc = seek(g, path, name_off, err);
	if (rc != 0)
		return rc;
	in = &g->levels[g->count - 1];
	h = in->hit;
	v->state = in->state;
	if (v->state == IGNORE_UNKNOWN) {
		v->failed = text_of(&g->failed);
		v->why = g->why;
		v->is_news = g->is_news;
		return 0;
	}
	if (v->state == IGNORE_TAKEN) {
		h = find_hit(g, g->count, path, len, name_off, is_dir);
		v->state = is_left(&h) ? IGNORE_LEFT : IGNORE_TAKEN;
	}
	return describe(g, &h, v, err);
}
