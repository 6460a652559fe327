/*
 * store diff: how two states of the tree differ.
 *
 * Operands are revisions, then paths.  With "--" that is where they part.  Without it each word is
 * tried: the first that is no revision begins the paths, and all of those must be there; a word
 * that is both is refused, as git does, because either reading could be the wrong one.  Two
 * words of which one names content of a revision are two contents.
 */
#include "cli/cli.h"
#include "cli/difflist.h"
#include "cli/output.h"
#include "cli/pager.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct diff_options {
	unsigned int formats;
	const char *context;
	int staged, reversed, exit_code, quiet, text;
};

#define FIELD(name) offsetof(struct diff_options, name)

static const struct option_spec table[] = {
	{ 0, "staged", OPTION_FLAG, FIELD(staged), 1, NULL,
		"what the next commit would change: a revision, or HEAD, to the stage" },
	{ 0, "cached", OPTION_FLAG, FIELD(staged), 1, NULL, "the same" },
	{ 'p', "patch", OPTION_BIT, FIELD(formats), DIFFLIST_PATCH, NULL,
		"a patch, which is the default, besides counts" },
	{ 'u', NULL, OPTION_BIT, FIELD(formats), DIFFLIST_PATCH, NULL, "the same" },
	{ 0, "name-only", OPTION_BIT, FIELD(formats), DIFFLIST_NAMES, NULL, "paths only" },
	{ 0, "name-status", OPTION_BIT, FIELD(formats), DIFFLIST_LETTERS, NULL,
		"a letter and the path" },
	{ 0, "numstat", OPTION_BIT, FIELD(formats), DIFFLIST_NUMBERS, NULL,
		"lines added and deleted, and the path, for scripts" },
	{ 0, "stat", OPTION_BIT, FIELD(formats), DIFFLIST_STAT, NULL,
		"the same for people, with a sum" },
	{ 0, "shortstat", OPTION_BIT, FIELD(formats), DIFFLIST_SUM, NULL, "the sum alone" },
	{ 0, "summary", OPTION_BIT, FIELD(formats), DIFFLIST_SUMMARY, NULL,
		"what was created, deleted, or changed its mode" },
	{ 'U', "unified", OPTION_STRING, FIELD(context), 0, "N",
		"lines of context around a change; 3 otherwise" },
	{ 'a', "text", OPTION_FLAG, FIELD(text), 1, NULL, "take all content for text" },
	{ 'R', NULL, OPTION_FLAG, FIELD(reversed), 1, NULL, "the two sides change places" },
	{ 0, "exit-code", OPTION_FLAG, FIELD(exit_code), 1, NULL,
		"exit code 1 when there are differences" },
	{ 0, "quiet", OPTION_FLAG, FIELD(quiet), 1, NULL,
		"print nothing, and exit as with --exit-code" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

enum { REVS_MAX = 2 };

/* What is compared by name: content of a revision or of the stage, or a file that is there. */
struct content {
	struct store_target target;
	char *path; /* the file's, from the top; freed by release */
	struct store_diff_side side;
};

/* What the operands come to. */
struct diff_what {
	char *revs[REVS_MAX]; /* freed by release */
	size_t n;
	bool is_range; /* A..B or A...B: both revs are filled */
	struct strings paths;
	bool is_pair; /* two contents */
	struct content pair[2];
};

static void release(struct diff_what *w)
{
	for (size_t i = 0; i < REVS_MAX; i++)
		free(w->revs[i]);
	strings_release_all(&w->paths);
	for (size_t i = 0; i < 2; i++) {
		store_target_clear(&w->pair[i].target);
		free(w->pair[i].path);
	}
}

/* ---- revisions */

static char *copy(const char *s, size_t len)
{
	char *out = line_realloc(NULL, len + 1);

	memcpy(out, s, len);
	out[len] = 0;
	return out;
}

/* Where a range is parted, or NULL.  ".." alone is a path, and so is what follows a colon. */
static const char *find_dots(const char *word)
{
	bool is_inside = false;

	if (strcmp(word, "..") == 0)
		return NULL;
	for (const char *p = word; *p && (is_inside || *p != ':'); p++) {
		if (!is_inside && p[0] == '.' && p[1] == '.')
			return p;
		is_inside = *p == '{' || (is_inside && *p != '}');
	}
	return NULL;
}

/* The two ends, an empty one being HEAD; of A...B the first becomes what both come from. */
static int take_range(struct cli *cli, struct diff_what *w, const char *word, const char *dots)
{
	const bool from_base = dots[2] == '.';
	const char *last = dots + (from_base ? 3 : 2);
	char *a = dots > word ? copy(word, (size_t)(dots - word)) : copy("HEAD", 4);
	char *b = *last ? copy(last, strlen(last)) : copy("HEAD", 4);
	char hex[STORE_HEX_LEN + 1];
	struct store_id id;
	int rc = store_rev_parse(cli->repo, b, &id, &cli->err);

	if (rc == 0)
		rc = from_base ? store_merge_base(cli->repo, a, b, &id, &cli->err)
			       : store_rev_parse(cli->repo, a, &id, &cli->err);
	if (rc != 0 || w->n > 0) {
		free(a);
		free(b);
		return rc != 0 ? rc : output_usage(cli, "a range is all of the revisions");
	}
	if (from_base) {
		free(a);
		a = copy(store_id_hex(hex, &id), STORE_HEX_LEN);
	}
	w->revs[0] = a;
	w->revs[1] = b;
	w->n = 2;
	w->is_range = true;
	return 0;
}

/* 0, CLI_FAILED, or why it is no revision. */
static int take_rev(struct cli *cli, struct diff_what *w, const char *word)
{
	const char *dots = find_dots(word);
	struct store_id id;
	int rc;

	if (dots)
		return take_range(cli, w, word, dots);
	rc = store_rev_parse(cli->repo, word, &id, &cli->err);
	if (rc == 0 && w->n == REVS_MAX)
		return output_usage(cli, "diff takes two revisions, not '%s' as well", word);
	if (rc == 0)
		w->revs[w->n++] = copy(word, strlen(word));
	return rc;
}

/* ---- paths */

/* Is it on disk or in the stage? */
static bool is_path(struct cli *cli, const char *word)
{
	struct store_target target = { 0 };
	struct line name = { 0 };
	struct stat st;
	char *path;
	bool found = lstat(word, &st) == 0;

	if (!found && store_operand(cli->repo, word, &path, NULL) == 0) {
		line_format(&name, ":%s", path);
		found = store_resolve(cli->repo, name.data, 0, &target, NULL) == 0;
		store_target_clear(&target);
		line_release(&name);
		free(path);
	}
	return found;
}

static int refuse_both(struct cli *cli, const char *word)
{
	return cli_fail(cli, STORE_EAMBIGUOUS, 0,
		"'%s' is a revision and a path; write '--' between revisions and paths", word);
}

static int refuse_directory(struct cli *cli, const char *word)
{
	return cli_fail(cli, STORE_EINVAL, 0,
		"'%s' is a directory; compare directories by revisions and paths", word);
}

/* "rev:path" where revisions and paths are taken. */
static int refuse_content(struct cli *cli, const char *word)
{
	struct store_target target = { 0 };
	const int rc = store_resolve(cli->repo, word, 0, &target, &cli->err);
	const bool is_dir = rc == 0 && target.node.kind == STORE_KIND_DIR;

	store_target_clear(&target);
	if (rc != 0)
		return rc;
	if (is_dir)
		return refuse_directory(cli, word);
	return cli_fail(cli, STORE_EINVAL, 0,
		"'%s' names one content, and diff compares two of those: name the other, or write "
		"'store diff REV -- PATH'",
		word);
}

static int refuse_neither(struct cli *cli, const char *word)
{
	char why[sizeof(cli->err.msg)];

	if (strchr(word, ':') && !find_dots(word))
		return refuse_content(cli, word);
	memcpy(why, cli->err.msg, sizeof(why));
	return cli_fail(cli, STORE_ENOTFOUND, 0,
		"'%.150s' is no revision and no path here (for a path that is gone write '--' "
		"before it): %.200s",
		word, why);
}

static bool is_no_rev(int rc)
{
	return rc == STORE_ENOTFOUND || rc == STORE_EINVAL || rc == STORE_EAMBIGUOUS;
}

/* Without "--": revisions for as long as they are some.  *paths: the first operand that is none. */
static int part(struct cli *cli, struct diff_what *w, size_t *paths)
{
	const size_t n = cli->args.n;

	for (*paths = 0; *paths < n; ++*paths) {
		const char *word = cli->args.items[*paths];
		const int rc = take_rev(cli, w, word);

		if (rc > 0 || (rc < 0 && !is_no_rev(rc)))
			return rc;
		if (rc == 0 && is_path(cli, word))
			return refuse_both(cli, word);
		if (rc < 0 && !is_path(cli, word))
			return refuse_neither(cli, word);
		if (rc < 0)
			break;
	}
	for (size_t i = *paths; i < n; i++)
		if (!is_path(cli, cli->args.items[i]))
			return refuse_neither(cli, cli->args.items[i]);
	return 0;
}

/* ---- two contents */

static int resolve_stored(struct cli *cli, const char *word, struct content *c)
{
	const int rc = store_resolve(cli->repo, word, 0, &c->target, &cli->err);

	if (rc == 0 && c->target.node.kind == STORE_KIND_DIR)
		return refuse_directory(cli, word);
	c->side = (struct store_diff_side){ .kind = c->target.node.kind, .node = c->target.node };
	return rc;
}

static int resolve_file(struct cli *cli, const char *word, struct content *c)
{
	struct stat st;
	int rc = store_operand(cli->repo, word, &c->path, &cli->err);

	if (rc != 0)
		return rc;
	if (lstat(word, &st) != 0)
		return cli_fail(cli, STORE_ENOTFOUND, 0,
			"there is no file '%s'; ':%s' names what is staged", word, c->path);
	if (S_ISDIR(st.st_mode))
		return refuse_directory(cli, word);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return cli_fail(cli, STORE_EINVAL, 0, "'%s' is neither a file nor a link", word);
	c->side = (struct store_diff_side){ .is_work = true, .node.size = (uint64_t)st.st_size };
	c->side.kind = S_ISLNK(st.st_mode) ? STORE_KIND_LINK
		: st.st_mode & S_IXUSR     ? STORE_KIND_EXEC
					   : STORE_KIND_FILE;
	return 0;
}

/* "rev:path", or "path@rev" where there is such content: neither a revision nor a path here. */
static bool names_stored(struct cli *cli, const char *word)
{
	struct store_target target = { 0 };
	struct store_id id;
	bool yes = strchr(word, ':') != NULL;

	if ((!yes && !strchr(word, '@')) || find_dots(word) || is_path(cli, word) ||
		store_rev_parse(cli->repo, word, &id, NULL) == 0)
		return false;
	if (!yes)
		yes = store_resolve(cli->repo, word, 0, &target, NULL) == 0;
	store_target_clear(&target);
	return yes;
}

/* Two words of which one names stored content: then so does the other, or it is a path here. */
static bool may_be_pair(struct cli *cli)
{
	return cli->args.n == 2 && cli->args_before_dashes == 2 &&
		(names_stored(cli, cli->args.items[0]) || names_stored(cli, cli->args.items[1]));
}

static int take_pair(struct cli *cli, struct diff_what *w)
{
	struct store_id id;
	int rc = 0;

	w->is_pair = true;
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		const char *word = cli->args.items[i];

		if (!is_path(cli, word))
			rc = resolve_stored(cli, word, &w->pair[i]);
		else if (store_rev_parse(cli->repo, word, &id, NULL) == 0)
			rc = refuse_both(cli, word);
		else
			rc = resolve_file(cli, word, &w->pair[i]);
	}
	return rc;
}

/* *same: of content alone.  What is stored is known by its id; a file has to be read. */
static int compare_pair(struct cli *cli, const struct store_diff_entry *e,
	const struct difflist_style *style, bool *same)
{
	const struct store_node *a = &e->old_side.node, *b = &e->new_side.node;
	struct store_patch_result r = { 0 };
	int rc = 0;

	if (e->old_side.is_work || e->new_side.is_work) {
		rc = patch_count(cli, e, &style->patch, &r);
		if (rc != 0 && rc != STORE_ECANCELED)
			cli_fail_reading(cli, rc, e->path, e->path);
	} else {
		r.same = memcmp(&a->id, &b->id, sizeof(a->id)) == 0 && a->height == b->height &&
			a->size == b->size;
	}
	*same = r.same;
	return rc;
}

static int print_pair(struct cli *cli, const struct diff_what *w,
	const struct difflist_style *style, struct difflist_result *result)
{
	const struct content *a = &w->pair[0], *b = &w->pair[1];
	struct store_diff_entry e = { .path = b->path ? b->path : b->target.path,
		.old_path = a->path ? a->path : a->target.path,
		.letter = 'M',
		.old_side = a->side,
		.new_side = b->side };
	bool same;
	const int rc = compare_pair(cli, &e, style, &same);

	if (rc != 0 || (same && a->side.kind == b->side.kind))
		return rc;
	if ((a->side.kind == STORE_KIND_LINK) != (b->side.kind == STORE_KIND_LINK))
		e.letter = 'T';
	e.is_mode_only = same;
	result->entries = 1;
	return difflist_print_one(cli, &e, style);
}

/* ---- the command */

static int read_operands(struct cli *cli, struct diff_what *w)
{
	size_t paths = cli->args_before_dashes;
	int rc = cli_check_names(cli, "REV or PATH", 0, cli->args.n);

	if (rc != 0)
		return rc;
	if (may_be_pair(cli))
		return take_pair(cli, w);
	if (!cli->has_dashes)
		rc = part(cli, w, &paths);
	else
		for (size_t i = 0; rc == 0 && i < paths; i++)
			rc = take_rev(cli, w, cli->args.items[i]);
	return rc == 0 ? cli_paths(cli, paths, cli->args.n, &w->paths) : rc;
}

static int choose_form(struct cli *cli, const struct diff_options *given, const struct diff_what *w,
	struct difflist_style *style, struct store_diff_options *o)
{
	o->paths = (const char *const *)w->paths.items;
	o->n_paths = w->paths.n;
	o->old_rev = w->revs[0];
	o->new_rev = w->revs[1];
	if (given->staged && (w->n > 1 || w->is_pair))
		return output_usage(cli, "--staged takes one revision");
	o->form = given->staged ? STORE_DIFF_COMMIT_STAGE
		: w->n == 0     ? STORE_DIFF_STAGE_WORK
		: w->n == 1     ? STORE_DIFF_COMMIT_WORK
				: STORE_DIFF_COMMIT_COMMIT;
	if (o->form == STORE_DIFF_COMMIT_COMMIT && style->is_reversed) {
		/* Then what is deleted still comes before what is added in its place. */
		o->old_rev = w->revs[1];
		o->new_rev = w->revs[0];
		style->is_reversed = false;
	}
	return 0;
}

static int read_style(struct cli *cli, const struct diff_options *given,
	struct difflist_style *style)
{
	const unsigned int lists = DIFFLIST_NAMES | DIFFLIST_LETTERS;
	uint64_t context = 0;

	style->formats = given->formats;
	if ((style->formats & lists) && (style->formats & (style->formats - 1)))
		return output_usage(cli, "--name-only and --name-status go with no other form");
	if (!style->formats && !given->quiet)
		style->formats = cli->global.json ? DIFFLIST_NAMES : DIFFLIST_PATCH;
	if (given->quiet)
		style->formats = 0;
	if (cli->global.nul && !given->quiet &&
		(style->formats & ~(lists | DIFFLIST_NUMBERS) || cli->global.json))
		return output_usage(cli, "-z goes with --name-only, --name-status and --numstat");
	style->is_reversed = given->reversed;
	style->patch.force_text = given->text;
	style->patch.has_context = given->context != NULL;
	if (given->context && !line_to_number(given->context, false, INT32_MAX, &context))
		return output_usage(cli, "'%s' is no number of lines", given->context);
	style->patch.context = (unsigned int)context;
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct diff_options *given = data;
	struct difflist_style style = { 0 };
	struct difflist_result result = { 0 };
	struct store_diff_options o = { 0 };
	struct diff_what what = { 0 };
	int rc = read_style(cli, given, &style);

	if (rc == 0)
		rc = cli_open(cli, false);
	if (rc == 0)
		rc = read_operands(cli, &what);
	if (rc == 0)
		rc = choose_form(cli, given, &what, &style, &o);
	if (rc == 0 && !given->quiet)
		pager_start(cli);
	if (rc == 0)
		rc = what.is_pair ? print_pair(cli, &what, &style, &result)
				  : difflist_print(cli, &o, &style, &result);
	release(&what);
	if (rc == 0 && (given->exit_code || given->quiet) && result.entries > 0)
		return CLI_NO;
	return rc == 0 && result.unreadable > 0 ? CLI_PARTIAL : rc;
}

const struct command cmd_diff = { "diff", "[OPTION...] [REV [REV]] [--] [PATH...]",
	"how trees, stage and working tree differ",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL, sizeof(struct diff_options), table,
	run };
