/*
 * store dupes: files of the same content, told as they are found, and what can be done about them.
 * No repository is needed.
 *
 * Nothing is changed that was not shown: --dry-run prints what --link or --delete would do and
 * names that plan by a hash of it; only with that name are they obeyed, and only while the plan is
 * the same. The library sees to both.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/list_format.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <stdio.h>
#include <string.h>

#define SCANNERS_MAX 64
#define NUMBER_MAX 1000000000
#define PLAN_DIGITS 16 /* that are shown */

struct dupes_options {
	const char *format, *output, *min_size, *max_size, *sort_buffer, *plan;
	struct strings names, excludes;
	uint64_t threads, depth;
	int hidden; /* 1: --hidden, 2: --no-hidden */
	int dry_run;
	unsigned int walk_flags, flags, acts; /* acts: 1 << enum store_dupes_act */
};

#define FIELD(name) offsetof(struct dupes_options, name)

static const struct option_spec table[] = {
	{ 0, "min-size", OPTION_STRING, FIELD(min_size), 0, "SIZE",
		"files of at least SIZE bytes; K, M, G count 1024" },
	{ 0, "max-size", OPTION_STRING, FIELD(max_size), 0, "SIZE", "files of at most SIZE bytes" },
	{ 0, "empty", OPTION_BIT, FIELD(flags), STORE_DUPES_EMPTY, NULL, "empty files, too" },
	{ 0, "ext", OPTION_LIST, FIELD(names), 0, "LIST",
		"files whose names end so, as in jpg,png; case does not matter" },
	{ 0, "exclude", OPTION_LIST, FIELD(excludes), 0, "PATTERN",
		"neither compare nor enter what PATTERN matches, as in storeignore(5)" },
	{ 0, "hidden", OPTION_FLAG, FIELD(hidden), 1, NULL,
		"names that begin with a dot, too; so it is without either" },
	{ 0, "no-hidden", OPTION_FLAG, FIELD(hidden), 2, NULL,
		"neither compare nor enter names that begin with a dot" },
	{ 'd', "depth", OPTION_COUNT, FIELD(depth), NUMBER_MAX, "N",
		"down to N levels below each PATH; 0: PATH alone" },
	{ 'x', "one-file-system", OPTION_BIT, FIELD(walk_flags), STORE_WALK_ONE_FILE_SYSTEM, NULL,
		"do not enter directories of other file systems" },
	{ 't', "threads", OPTION_NUMBER, FIELD(threads), SCANNERS_MAX, "N",
		"threads that read directories; 1: none beside the one that compares" },
	{ 0, "sort-buffer", OPTION_STRING, FIELD(sort_buffer), 0, "SIZE",
		"bytes of names that are sorted in memory; further ones wait on disk" },
	{ 'f', "format", OPTION_STRING, FIELD(format), 0, "text|json|csv",
		"groups of paths, JSON lines as --json has them, or comma-separated values" },
	{ 'o', "output", OPTION_STRING, FIELD(output), 0, "FILE",
		"write to FILE, whole or not at all" },
	{ 0, "strict", OPTION_BIT, FIELD(walk_flags), STORE_WALK_STRICT, NULL,
		"end at the first thing that cannot be read" },
	{ 'n', "dry-run", OPTION_FLAG, FIELD(dry_run), 1, NULL,
		"tell what --link or --delete would do, and the name of that plan" },
	{ 0, "link", OPTION_BIT, FIELD(acts), 1U << STORE_DUPES_LINK, NULL,
		"make all but the first of each group hard links of it" },
	{ 0, "delete", OPTION_BIT, FIELD(acts), 1U << STORE_DUPES_DELETE, NULL,
		"remove all but the first of each group" },
	{ 0, "plan", OPTION_STRING, FIELD(plan), 0, "NAME",
		"do so, if what is to be done is what --dry-run has told under this NAME" },
	{ 0, "force", OPTION_BIT, FIELD(flags), STORE_DUPES_FORCE, NULL,
		"link files of another mode, owner or attributes, too" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

struct report {
	struct list_output out;
	struct line second; /* the other path of an action */
	const struct store_dupes_options *o;
	bool is_strict;
	const char *const *roots;
	uint64_t roots_failed;
	struct progress progress;
	struct store_callbacks callbacks; /* of progress */
};

static const char *path_of(struct report *r, const struct store_dupes_file *f)
{
	return list_join(&r->out, r->roots[f->root], f->path);
}

/* --- groups -------------------------------------------------------------------------------- */

static void add_head(struct report *r, const struct store_dupes_group *g)
{
	struct line *t = &r->out.text;

	if (g->number > 0)
		line_string(t, "\n");
	line_format(t, "%llu copies of ", (unsigned long long)g->copies);
	line_count(t, g->size, "byte", "bytes");
	if (g->names > g->copies)
		line_format(t, " under %llu names", (unsigned long long)g->names);
	line_string(t, ", ");
	line_short_id(t, &g->id);
	line_string(t, "\n");
}

static void add_text(struct report *r, const struct store_dupes_file *f)
{
	if (!r->out.cli->global.nul)
		line_string(&r->out.text, "\t");
	list_add_path(&r->out, path_of(r, f));
}

static void add_csv(struct report *r, const struct store_dupes_group *g,
	const struct store_dupes_file *f)
{
	struct line *t = &r->out.text;

	line_format(t, "%llu,", (unsigned long long)g->number);
	line_id(t, &g->id);
	line_format(t, ",%llu,%llu,%llu,", (unsigned long long)g->size,
		(unsigned long long)g->copies, (unsigned long long)g->names);
	list_csv_field(t, path_of(r, f));
	line_format(t, ",%o,", f->mode & 07777U);
	list_csv_time(t, f->mtime, f->mtime_ns);
	line_format(t, ",%llu,%llu\r\n", (unsigned long long)f->inode,
		(unsigned long long)f->device);
}

static void add_json(struct report *r, const struct store_dupes_group *g,
	const struct store_dupes_file *f)
{
	struct line *t = &r->out.text;

	json_begin(t, "store/dupes/1");
	json_number(t, "group", g->number);
	json_id(t, "id", &g->id);
	json_number(t, "size", g->size);
	json_number(t, "copies", g->copies);
	json_number(t, "names", g->names);
	json_bytes(t, "root", r->roots[f->root]);
	json_bytes(t, "path", f->path);
	list_json_file(t, f->mode, f->mtime, f->mtime_ns, f->inode, f->device);
	json_end(t);
}

static int on_group(void *payload, const struct store_dupes_group *g)
{
	struct report *r = payload;
	const bool is_text = r->out.format == LIST_TEXT, is_nul = r->out.cli->global.nul;

	if (is_text && !is_nul && g->first == 0)
		add_head(r, g);
	for (size_t i = 0; i < g->n && r->out.rc == 0; i++) {
		if (is_text)
			add_text(r, &g->files[i]);
		else if (r->out.format == LIST_CSV)
			add_csv(r, g, &g->files[i]);
		else
			add_json(r, g, &g->files[i]);
		list_write(&r->out, false);
	}
	/* Under -z an empty name ends the group. */
	if (is_nul && g->first + g->n == g->names)
		line_add(&r->out.text, "", 1);
	list_write(&r->out, true);
	return r->out.rc != 0 || cli_must_stop();
}

/* --- actions ------------------------------------------------------------------------------- */

static const char *act_word(enum store_dupes_act act)
{
	return act == STORE_DUPES_LINK ? "link" : "delete";
}

static const char *state_word(enum store_dupes_state state)
{
	static const char *const words[] = { "planned", "done", "refused" };

	return words[state];
}

static void add_act_text(struct report *r, const struct store_dupes_action *a, const char *keep,
	const char *file)
{
	struct line *t = &r->out.text;

	line_format(t, "%s%s ", a->state == STORE_DUPES_REFUSED ? "not " : "", act_word(a->act));
	line_quoted(t, file, true);
	line_string(t, a->act == STORE_DUPES_LINK ? " to " : ", like ");
	line_quoted(t, keep, true);
	if (a->state == STORE_DUPES_REFUSED)
		line_format(t, ": %s", a->why.msg);
	line_string(t, "\n");
}

static void add_act_csv(struct line *t, const struct store_dupes_action *a, const char *keep,
	const char *file)
{
	line_format(t, "%s,%s,", act_word(a->act), state_word(a->state));
	list_csv_field(t, file);
	line_string(t, ",");
	list_csv_field(t, keep);
	line_format(t, ",%llu,", (unsigned long long)a->size);
	line_id(t, &a->id);
	line_string(t, ",");
	list_csv_field(t, a->state == STORE_DUPES_REFUSED ? a->why.msg : "");
	line_string(t, "\r\n");
}

static void add_act_json(struct line *t, const struct store_dupes_action *a, const char *keep,
	const char *file)
{
	json_begin(t, "store/dupes-action/1");
	json_string(t, "action", act_word(a->act));
	json_string(t, "state", state_word(a->state));
	json_bytes(t, "path", file);
	json_bytes(t, "keep", keep);
	json_number(t, "size", a->size);
	json_id(t, "id", &a->id);
	json_string(t, "why", a->state == STORE_DUPES_REFUSED ? a->why.msg : NULL);
	json_end(t);
}

static int on_action(void *payload, const struct store_dupes_action *a)
{
	struct report *r = payload;
	const char *file;

	line_clear(&r->second);
	line_string(&r->second, path_of(r, a->keep));
	file = path_of(r, a->file);
	if (r->out.format == LIST_JSON)
		add_act_json(&r->out.text, a, r->second.data, file);
	else if (r->out.format == LIST_CSV)
		add_act_csv(&r->out.text, a, r->second.data, file);
	else
		add_act_text(r, a, r->second.data, file);
	list_write(&r->out, r->o->plan != NULL);
	return r->out.rc != 0 || cli_must_stop();
}

/* --- what else the library calls ----------------------------------------------------------- */

static void on_failure(void *payload, const struct store_walk_failure *f)
{
	struct report *r = payload;
	const struct store_notice notice = { STORE_NOTICE_UNREADABLE,
		list_join(&r->out, r->roots[f->root], f->path),
		f->why.sys                           ? strerror(f->why.sys)
			: f->why.code == STORE_EBUSY ? "it has changed since it was found"
						     : f->why.msg,
		0 };

	r->roots_failed += f->depth == 0;
	/* The error that ends the search is told once, at its end. */
	if (!r->is_strict)
		r->callbacks.notice(r->callbacks.payload, &notice);
}

static int on_progress(void *payload, const struct store_dupes_stats *s)
{
	const struct report *r = payload;
	const bool is_walk = !s->walk.complete;
	const bool is_acting = s->complete && r->o->plan;
	const struct store_progress p = {
		.stage = is_walk    ? "walk"
			: is_acting ? act_word(r->o->act)
				    : "compare",
		.files = is_walk    ? s->walk.files
			: is_acting ? s->done + s->refused
				    : s->compared,
		.files_total = is_walk ? 0
			: is_acting    ? s->planned
				       : s->walk.files,
		.bytes = is_walk ? s->walk.bytes : s->read_bytes,
	};

	return r->callbacks.progress(r->callbacks.payload, &p) != 0 || cli_must_stop();
}

/* --- options ------------------------------------------------------------------------------- */

static int read_walk(struct cli *cli, const struct dupes_options *given,
	struct store_walk_options *w)
{
	int rc = list_read_size(cli, "--min-size", given->min_size, 0, &w->min_size);

	if (rc == 0)
		rc = list_read_size(cli, "--max-size", given->max_size, 1, &w->size_end);
	w->flags = given->walk_flags | (given->hidden == 2 ? STORE_WALK_NO_HIDDEN : 0);
	w->levels = (uint32_t)given->depth;
	w->scanners = (unsigned int)given->threads;
	w->excludes = (const char *const *)given->excludes.items;
	return rc;
}

static int read_act(struct cli *cli, const struct dupes_options *given,
	struct store_dupes_options *o)
{
	const unsigned int link = 1U << STORE_DUPES_LINK, delete = 1U << STORE_DUPES_DELETE;

	if (given->acts == (link | delete))
		return output_usage(cli, "--link goes without --delete");
	if (given->acts == 0 && (given->dry_run || given->plan))
		return output_usage(cli, "%s goes with --link or --delete",
			given->plan ? "--plan" : "--dry-run");
	if ((given->flags & STORE_DUPES_FORCE) && given->acts != link)
		return output_usage(cli, "--force goes with --link");
	if (given->acts != 0 && !given->dry_run && !given->plan)
		return output_usage(cli,
			"first --dry-run tells what would be done, then --plan does it");
	if (given->dry_run && given->plan)
		return output_usage(cli, "--dry-run goes without --plan");
	if (given->acts != 0 && cli->global.nul)
		return output_usage(cli, "-z goes without --link and --delete");
	o->act = given->acts == link ? STORE_DUPES_LINK
		: given->acts        ? STORE_DUPES_DELETE
				     : STORE_DUPES_TELL;
	o->plan = given->plan;
	return 0;
}

static int read_options(struct cli *cli, const struct dupes_options *given,
	struct store_walk_options *w, struct store_dupes_options *o, enum list_format *format)
{
	uint64_t sort_bytes = 0;
	int rc = read_walk(cli, given, w);

	if (rc == 0)
		rc = list_read_size(cli, "--sort-buffer", given->sort_buffer, 0, &sort_bytes);
	if (rc == 0 && (sort_bytes > UINT32_MAX || (given->sort_buffer && sort_bytes == 0)))
		rc = output_usage(cli, "--sort-buffer is 4K to 64M");
	if (rc == 0)
		rc = read_act(cli, given, o);
	if (rc == 0)
		rc = list_read_format(cli, given->format, format);
	if (rc == 0 && given->output && !*given->output)
		rc = output_usage(cli, "-o wants the name of a file");
	o->sort_bytes = (uint32_t)sort_bytes;
	o->flags = given->flags;
	o->walk = w;
	return rc;
}

/* --- the search ---------------------------------------------------------------------------- */

static void begin_csv(struct report *r)
{
	line_string(&r->out.text,
		r->o->act == STORE_DUPES_TELL
			? "group,id,size,copies,names,path,mode,mtime,inode,device\r\n"
			: "action,state,path,keep,size,id,why\r\n");
	list_write(&r->out, true);
}

static const char *plan_of(const struct store_dupes_stats *s, char hex[STORE_HEX_LEN + 1])
{
	if (!line_is_id(&s->plan))
		return NULL;
	store_id_hex(hex, &s->plan);
	hex[PLAN_DIGITS] = '\0';
	return hex;
}

static void add_summary(struct report *r, const struct store_dupes_stats *s)
{
	struct line *t = &r->out.text;
	char hex[STORE_HEX_LEN + 1];

	json_begin(t, "store/dupes-summary/1");
	json_number(t, "found", s->walk.files);
	json_number(t, "found_bytes", s->walk.bytes);
	json_number(t, "opened", s->opened);
	json_number(t, "read_bytes", s->read_bytes);
	json_number(t, "groups", s->groups);
	json_number(t, "copies", s->copies);
	json_number(t, "names", s->names);
	json_number(t, "free_bytes", s->free_bytes);
	json_number(t, "spilled_bytes", s->spilled_bytes);
	json_number(t, "errors", s->walk.errors + s->errors);
	json_string(t, "plan", plan_of(s, hex));
	json_number(t, "planned", s->planned);
	json_number(t, "done", s->done);
	json_number(t, "refused", s->refused);
	json_end(t);
	list_write(&r->out, true);
}

static void talk_summary(const struct report *r, const struct store_dupes_stats *s)
{
	struct line t = { 0 };
	char hex[STORE_HEX_LEN + 1];

	line_count(&t, s->groups, "group", "groups");
	line_format(&t, ", %llu copies, ", (unsigned long long)s->copies);
	line_size(&t, s->free_bytes);
	line_string(&t, " could be free");
	if (r->o->plan)
		line_format(&t, "; %llu of %llu done, %llu refused", (unsigned long long)s->done,
			(unsigned long long)s->planned, (unsigned long long)s->refused);
	output_talk(r->out.cli, "%s", t.data);
	line_release(&t);
	if (r->o->act != STORE_DUPES_TELL && !r->o->plan)
		output_note(r->out.cli, "to do this, give --plan %s in place of --dry-run",
			plan_of(s, hex));
}

static int search(struct report *r, size_t n, struct store_dupes_stats *stats)
{
	struct cli *cli = r->out.cli;
	struct store_error err = { 0 };
	int rc;

	if (r->out.format == LIST_CSV)
		begin_csv(r);
	if (r->out.rc != 0)
		return r->out.rc;
	progress_begin(&r->progress, cli, &r->callbacks);
	rc = store_dupes(r->roots, n, r->o, stats, &err);
	progress_finish(&r->progress, rc, "run it again for the rest");
	list_write(&r->out, true);
	if (r->out.rc != 0)
		return r->out.rc;
	if (rc != 0)
		cli->err = err;
	else if (r->out.format == LIST_JSON)
		add_summary(r, stats);
	else
		talk_summary(r, stats);
	return rc == 0 ? r->out.rc : rc;
}

static int run(struct cli *cli, const void *data)
{
	static const char *const here[] = { "." };
	const struct dupes_options *given = data;
	struct report r = { .out = { .cli = cli, .sink = { .fd = -1 } } };
	struct store_walk_options w = { 0 };
	struct store_dupes_options o = { 0 };
	struct store_dupes_stats stats = { 0 };
	struct strings names = { 0 };
	const size_t n = cli->args.n ? cli->args.n : 1;
	int rc = cli_check_names(cli, "PATH", 0, cli->args.n);

	if (rc == 0)
		rc = read_options(cli, given, &w, &o, &r.out.format);
	if (rc != 0)
		return rc;
	list_split_names(&given->names, &names);
	w.names = (const char *const *)names.items;
	o.group = o.act == STORE_DUPES_TELL ? on_group : NULL;
	o.action = on_action;
	o.failure = on_failure;
	o.progress = on_progress;
	o.payload = &r;
	r.o = &o;
	r.roots = cli->args.n ? (const char *const *)cli->args.items : here;
	r.is_strict = (w.flags & STORE_WALK_STRICT) != 0;
	if (given->output)
		rc = sink_open(cli, &r.out.sink, given->output);
	if (rc == 0)
		rc = search(&r, n, &stats);
	rc = sink_close(cli, &r.out.sink, rc);
	cli->stats.files = stats.walk.files;
	cli->stats.bytes = stats.walk.bytes;
	cli->stats.opened = stats.opened;
	if (rc == 0 && stats.walk.errors + stats.errors + stats.refused > 0)
		rc = r.roots_failed >= n ? CLI_FAILED : CLI_PARTIAL;
	strings_release_all(&names);
	line_release(&r.second);
	list_release(&r.out);
	return rc;
}

const struct command cmd_dupes = { "dupes", "[OPTION...] [PATH...]",
	"tell files of the same content, link or delete them", TAKES_JSON | TAKES_NUL,
	sizeof(struct dupes_options), table, run };
