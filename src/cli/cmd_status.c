/*
 * store status.  The library hands over entries one by one: staged changes in path order, then the
 * rest, and tells at the end where HEAD is.  The long form wants HEAD first and groups (staged, not
 * staged, untracked, ignored), and git's short form lists untracked paths last, so what comes too
 * early is set aside.  A group that is set aside lives in memory up to 64 KiB, then in a temporary
 * file without a name: a status of ten million files needs no more memory than one of ten.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct status_options {
	const char *untracked, *porcelain;
	unsigned int flags;
	int brief;
};

#define FIELD(name) offsetof(struct status_options, name)

static const struct option_spec table[] = {
	{ 0, "porcelain", OPTION_MAYBE, FIELD(porcelain), 0, "v1",
		"for scripts: two letters and the path from the top" },
	{ 's', "short", OPTION_FLAG, FIELD(brief), 1, NULL,
		"the same for people: relative paths, colours" },
	{ 'u', "untracked-files", OPTION_MAYBE, FIELD(untracked), 0, "no|normal|all",
		"untracked paths; all: files of new directories, too" },
	{ 0, "ignored", OPTION_BIT, FIELD(flags), STORE_STATUS_IGNORED, NULL,
		"show ignored paths, too" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

enum form { LONG, SHORT, PORCELAIN, JSON };

/* Lines that wait for their turn. */
struct spool {
	struct line head;
	FILE *rest;
	uint64_t lines;
};

struct status {
	struct cli *cli;
	enum form form;
	struct progress progress;
	struct spool staged, changed, untracked, ignored;
	int failed; /* STORE_E* of a spool */
	struct line line;
};

static void spool_add(struct status *s, struct spool *spool, const struct line *line)
{
	enum { IN_MEMORY = 65536 };

	spool->lines++;
	if (!spool->rest && spool->head.len + line->len <= IN_MEMORY) {
		line_add(&spool->head, line->data, line->len);
		return;
	}
	if (!spool->rest)
		spool->rest = tmpfile();
	if ((!spool->rest || fwrite(line->data, 1, line->len, spool->rest) != line->len) &&
		!s->failed)
		s->failed = cli_fail(s->cli, STORE_EIO, errno, "cannot write a temporary file: %s",
			strerror(errno));
}

static void spool_release(struct spool *spool)
{
	if (spool->rest)
		fclose(spool->rest);
	spool->rest = NULL;
	line_release(&spool->head);
}

/* Print and free. */
static void spool_drain(struct status *s, struct spool *spool)
{
	char bytes[8192];
	size_t n;

	output_text(&spool->head);
	if (spool->rest) {
		rewind(spool->rest);
		while ((n = fread(bytes, 1, sizeof(bytes), spool->rest)) > 0)
			output_bytes(bytes, n);
		if (ferror(spool->rest) && !s->failed)
			s->failed = cli_fail(s->cli, STORE_EIO, errno,
				"cannot read a temporary file: %s", strerror(errno));
	}
	spool_release(spool);
}

static const char *change_name(char letter)
{
	switch (letter) {
	case 'A':
		return "new:       ";
	case 'D':
		return "deleted:   ";
	case 'T':
		return "new kind:  ";
	default:
		return "modified:  ";
	}
}

/* One line of the long form; letter 0: only the path. */
static void line_long(struct status *s, const struct store_status_entry *e, char letter,
	uint64_t size, enum output_color color)
{
	struct line *t = &s->line;

	line_clear(t);
	line_format(t, "\t%s%s", output_color(color), letter ? change_name(letter) : "");
	output_path(t, s->cli, e->path);
	if (letter != 'D' && (letter || size)) {
		line_string(t, "  (");
		line_size(t, size);
		line_string(t, ")");
	}
	line_format(t, "%s\n", output_color(COLOR_OFF));
}

static void entry_long(struct status *s, const struct store_status_entry *e)
{
	if (e->x == '?' || e->x == '!') {
		line_long(s, e, 0, e->tree_size, COLOR_CHANGED);
		spool_add(s, e->x == '?' ? &s->untracked : &s->ignored, &s->line);
		return;
	}
	if (e->x != ' ') {
		line_long(s, e, e->x, e->stage_size, COLOR_STAGED);
		spool_add(s, &s->staged, &s->line);
	}
	if (e->y != ' ') {
		line_long(s, e, e->y, e->tree_size, COLOR_CHANGED);
		spool_add(s, &s->changed, &s->line);
	}
}

static void entry_short(struct status *s, const struct store_status_entry *e)
{
	const bool nul = s->cli->global.nul, plain = s->form == PORCELAIN;
	struct line *t = &s->line, path = { 0 };
	const bool other = e->x == '?' || e->x == '!';

	line_clear(t);
	if (plain)
		line_format(t, "%c%c ", e->x, e->y);
	else
		line_format(t, "%s%c%s%s%c%s ", output_color(other ? COLOR_CHANGED : COLOR_STAGED),
			e->x, output_color(COLOR_OFF), output_color(COLOR_CHANGED), e->y,
			output_color(COLOR_OFF));
	if (nul) {
		line_add(t, e->path, strlen(e->path) + 1);
	} else {
		line_relative(&path, plain ? "" : store_prefix(s->cli->repo), e->path);
		line_quoted(t, path.data, true);
		line_string(t, "\n");
	}
	if (other)
		spool_add(s, e->x == '?' ? &s->untracked : &s->ignored, t);
	else
		output_text(t);
	line_release(&path);
}

static void entry_json(struct status *s, const struct store_status_entry *e)
{
	const char x[2] = { e->x, 0 }, y[2] = { e->y, 0 };
	struct line *t = &s->line;

	line_clear(t);
	json_begin(t, "store/status-entry/1");
	json_string(t, "x", x);
	json_string(t, "y", y);
	json_bytes(t, "path", e->path);
	json_string(t, "head_kind", line_kind(e->head_kind));
	json_string(t, "stage_kind", line_kind(e->stage_kind));
	json_string(t, "tree_kind", line_kind(e->tree_kind));
	json_number(t, "head_size", e->head_size);
	json_number(t, "stage_size", e->stage_size);
	json_number(t, "tree_size", e->tree_size);
	json_end(t);
	output_text(t);
}

/* The payload of all callbacks is the progress; this one finds the status by it. */
static int on_entry(void *payload, const struct store_status_entry *e)
{
	struct status *s = ((struct progress *)payload)->data;

	switch (s->form) {
	case LONG:
		entry_long(s, e);
		break;
	case JSON:
		entry_json(s, e);
		break;
	case SHORT:
	case PORCELAIN:
		entry_short(s, e);
		break;
	}
	return s->failed || cli_must_stop();
}

static void print_head(const struct store_status_result *r)
{
	struct line t = { 0 };

	line_string(&t, output_color(COLOR_BRANCH));
	if (r->branch[0]) {
		line_string(&t, "On branch ");
		line_harmless(&t, r->branch, strlen(r->branch));
	} else {
		line_string(&t, "HEAD detached at ");
		line_short_id(&t, &r->head);
	}
	line_format(&t, "%s\n%s", output_color(COLOR_OFF), r->has_head ? "" : "\nNo commits yet\n");
	output_text(&t);
	line_release(&t);
}

static void print_group(struct status *s, struct spool *spool, const char *heading)
{
	if (spool->lines)
		output_string(heading);
	spool_drain(s, spool);
}

static void add_total(struct line *t, uint64_t n, const char *what, uint64_t bytes)
{
	if (!n)
		return;
	line_format(t, "%s%llu %s", t->len ? ", " : "", (unsigned long long)n, what);
	if (!bytes)
		return;
	line_string(t, " (");
	line_size(t, bytes);
	line_string(t, ")");
}

static const char *next_command(const struct store_status_result *r)
{
	if (r->staged)
		return "next: store commit -m TEXT\n";
	if (r->changed)
		return "next: store add -u, or store add PATH\n";
	if (r->untracked)
		return "next: store add PATH\n";
	return r->has_head ? "nothing to commit, the working tree is clean\n"
			   : "next: store add PATH, when there is something\n";
}

static void print_totals(const struct store_status_result *r)
{
	struct line t = { 0 };

	add_total(&t, r->staged, "staged", r->staged_bytes);
	add_total(&t, r->changed, "not staged", r->changed_bytes);
	add_total(&t, r->untracked, "untracked", 0);
	add_total(&t, r->unreadable, "unreadable", 0);
	output_string("\n");
	if (t.len) {
		output_text(&t);
		output_string("\n");
	}
	output_string(next_command(r));
	line_release(&t);
}

static void print_json(const struct store_status_result *r)
{
	struct line t = { 0 };

	json_begin(&t, "store/status/1");
	json_string(&t, "branch", r->branch[0] ? r->branch : NULL);
	json_maybe_id(&t, "head", r->has_head ? &r->head : NULL);
	json_number(&t, "staged", r->staged);
	json_number(&t, "changed", r->changed);
	json_number(&t, "untracked", r->untracked);
	json_number(&t, "staged_bytes", r->staged_bytes);
	json_number(&t, "changed_bytes", r->changed_bytes);
	json_number(&t, "unreadable", r->unreadable);
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

static int read_mode(const struct cli *cli, const char *mode, unsigned int *flags)
{
	if (mode && strcmp(mode, "no") == 0)
		*flags |= STORE_STATUS_NO_UNTRACKED;
	else if (mode && (!*mode || strcmp(mode, "all") == 0))
		*flags |= STORE_STATUS_ALL_UNTRACKED;
	else if (mode && strcmp(mode, "normal") != 0)
		return output_usage(cli, "-u is no, normal or all, not '%s'", mode);
	return 0;
}

static void print_groups(struct status *s)
{
	const bool headed = s->form == LONG;

	print_group(s, &s->staged, headed ? "\nChanges to be committed:\n" : "");
	print_group(s, &s->changed, headed ? "\nChanges not staged:\n" : "");
	print_group(s, &s->untracked, headed ? "\nUntracked:\n" : "");
	print_group(s, &s->ignored, headed ? "\nIgnored:\n" : "");
}

/* Ask the library; entries that need not wait go out as they come, then the others. */
static int show(struct status *s, struct store_status_options *o,
	struct store_status_result *result)
{
	struct cli *cli = s->cli;
	struct strings paths = { 0 };
	int rc = cli_paths(cli, 0, cli->args.n, &paths);

	if (rc != 0)
		goto out;
	s->progress.data = s;
	progress_begin(&s->progress, cli, &o->callbacks);
	o->entry = on_entry;
	rc = store_status(cli->repo, (const char *const *)paths.items, paths.n, o, result,
		&cli->err);
	progress_end(&s->progress);
	cli->stats = result->stats;
	if (s->failed)
		rc = s->failed;
	if (rc != 0)
		goto out;
	if (s->form == LONG)
		print_head(result);
	print_groups(s);
	rc = s->failed;
out:
	spool_release(&s->staged);
	spool_release(&s->changed);
	spool_release(&s->untracked);
	spool_release(&s->ignored);
	strings_release_all(&paths);
	return rc;
}

static int run(struct cli *cli, const void *data)
{
	const struct status_options *given = data;
	struct status s = { .cli = cli };
	struct store_status_options o = { .flags = given->flags };
	struct store_status_result result = { 0 };
	int rc = read_mode(cli, given->untracked, &o.flags);

	if (rc != 0)
		return rc;
	if (cli->global.json && (given->porcelain || given->brief || cli->global.nul))
		return output_usage(cli, "--json goes with neither --porcelain nor -s nor -z");
	if (given->porcelain && *given->porcelain && strcmp(given->porcelain, "v1") != 0)
		return output_usage(cli, "--porcelain knows v1, not '%s'", given->porcelain);
	rc = cli_open(cli, false);
	if (rc != 0)
		return rc;
	s.form = cli->global.json                     ? JSON
		: given->porcelain || cli->global.nul ? PORCELAIN
		: given->brief                        ? SHORT
						      : LONG;
	rc = show(&s, &o, &result);
	if (rc == 0 && s.form == JSON)
		print_json(&result);
	if (rc == 0 && s.form == LONG)
		print_totals(&result);
	line_release(&s.line);
	return rc == 0 && result.unreadable ? CLI_PARTIAL : rc;
}

const struct command cmd_status = { "status", "[OPTION...] [PATH...]",
	"what is staged, changed and untracked", TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL,
	sizeof(struct status_options), table, run };
