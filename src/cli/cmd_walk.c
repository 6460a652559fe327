/*
 * store walk: what stands below directories, told as it is found.  No repository is needed.
 *
 * Each batch that the library hands over is written at once, so that the next program in a pipe can
 * begin while the walk goes on.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/list_format.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <string.h>

#define SCANNERS_MAX 64
#define BATCH_MAX 65536
#define WAITING_MAX 100000
#define NUMBER_MAX 1000000000

struct walk_options {
	const char *preset, *format, *order, *types, *output, *min_size, *max_size;
	struct strings names, excludes;
	uint64_t threads, depth, batch_size, batch_ms, directories, found, sending;
	int hidden; /* 1: --hidden, 2: --no-hidden */
	unsigned int flags;
};

#define FIELD(name) offsetof(struct walk_options, name)

static const struct option_spec table[] = {
	{ 'p', "preset", OPTION_STRING, FIELD(preset), 0, "default|simple|high|ultra",
		"figures for threads, batches and queues to begin with" },
	{ 't', "threads", OPTION_NUMBER, FIELD(threads), SCANNERS_MAX, "N",
		"threads that read directories; 1: none beside the one that prints" },
	{ 'd', "depth", OPTION_COUNT, FIELD(depth), NUMBER_MAX, "N",
		"down to N levels below each DIR; 0: DIR alone" },
	{ 0, "order", OPTION_STRING, FIELD(order), 0, "breadth|depth",
		"read first what was found first, or what was found last" },
	{ 0, "type", OPTION_STRING, FIELD(types), 0, "LETTERS",
		"what to tell: f files, d directories, l symbolic links, o others; else f" },
	{ 0, "min-size", OPTION_STRING, FIELD(min_size), 0, "SIZE",
		"files of at least SIZE bytes; K, M, G count 1024" },
	{ 0, "max-size", OPTION_STRING, FIELD(max_size), 0, "SIZE", "files of at most SIZE bytes" },
	{ 0, "ext", OPTION_LIST, FIELD(names), 0, "LIST",
		"files whose names end so, as in jpg,png; case does not matter" },
	{ 0, "exclude", OPTION_LIST, FIELD(excludes), 0, "PATTERN",
		"neither tell nor enter what PATTERN matches, as in storeignore(5)" },
	{ 0, "hidden", OPTION_FLAG, FIELD(hidden), 1, NULL,
		"names that begin with a dot, too; so it is without either" },
	{ 0, "no-hidden", OPTION_FLAG, FIELD(hidden), 2, NULL,
		"neither tell nor enter names that begin with a dot" },
	{ 'x', "one-file-system", OPTION_BIT, FIELD(flags), STORE_WALK_ONE_FILE_SYSTEM, NULL,
		"do not enter directories of other file systems" },
	{ 0, "batch-size", OPTION_NUMBER, FIELD(batch_size), BATCH_MAX, "N",
		"entries that are printed together" },
	{ 0, "batch-timeout", OPTION_NUMBER, FIELD(batch_ms), NUMBER_MAX, "MS",
		"print an entry so many milliseconds after it was found at the latest" },
	{ 0, "queue", OPTION_NUMBER, FIELD(directories), NUMBER_MAX, "N",
		"directories that wait in memory; further ones wait on disk" },
	{ 0, "discovery-buffer", OPTION_NUMBER, FIELD(found), WAITING_MAX, "N",
		"entries that wait to be in a batch" },
	{ 0, "pipeline-buffer", OPTION_NUMBER, FIELD(sending), WAITING_MAX, "N",
		"entries in batches that wait to be printed" },
	{ 'f', "format", OPTION_STRING, FIELD(format), 0, "text|json|csv",
		"paths, JSON lines as --json has them, or comma-separated values" },
	{ 'o', "output", OPTION_STRING, FIELD(output), 0, "FILE",
		"write to FILE, whole or not at all" },
	{ 0, "strict", OPTION_BIT, FIELD(flags), STORE_WALK_STRICT, NULL,
		"end at the first thing that cannot be read" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

struct report {
	struct list_output out;
	bool is_strict;
	const char *const *roots;
	uint64_t roots_failed;
	struct progress progress;
	struct store_callbacks callbacks; /* of progress */
};

/* --- forms --------------------------------------------------------------------------------- */

static const char *type_word(enum store_walk_type type)
{
	switch (type) {
	case STORE_WALK_FILE:
		return "file";
	case STORE_WALK_DIR:
		return "directory";
	case STORE_WALK_LINK:
		return "symlink";
	default:
		return "other";
	}
}

static void add_csv(struct line *t, const char *path, const struct store_walk_record *f)
{
	list_csv_field(t, path);
	line_format(t, ",%s,%llu,%o,", type_word(f->type), (unsigned long long)f->size,
		f->mode & 07777U);
	list_csv_time(t, f->mtime, f->mtime_ns);
	line_format(t, ",%llu,%llu,%u\r\n", (unsigned long long)f->inode,
		(unsigned long long)f->device, f->depth);
}

static void add_json(struct line *t, const char *root, const struct store_walk_record *f)
{
	json_begin(t, "store/walk/1");
	json_bytes(t, "root", root);
	json_bytes(t, "path", f->path);
	json_number(t, "depth", f->depth);
	json_string(t, "type", type_word(f->type));
	json_number(t, "size", f->size);
	list_json_file(t, f->mode, f->mtime, f->mtime_ns, f->inode, f->device);
	json_end(t);
}

static void add_record(struct report *r, const struct store_walk_record *f)
{
	const char *root = r->roots[f->root];

	if (r->out.format == LIST_JSON)
		add_json(&r->out.text, root, f);
	else if (r->out.format == LIST_CSV)
		add_csv(&r->out.text, list_join(&r->out, root, f->path), f);
	else
		list_add_path(&r->out, list_join(&r->out, root, f->path));
}

/* --- what the library calls ---------------------------------------------------------------- */

static int on_batch(void *payload, const struct store_walk_batch *batch)
{
	struct report *r = payload;

	for (size_t i = 0; i < batch->n && r->out.rc == 0; i++) {
		add_record(r, &batch->records[i]);
		/* The text of a batch of the largest size is not kept as a whole. */
		list_write(&r->out, false);
	}
	list_write(&r->out, true);
	return r->out.rc != 0 || cli_must_stop() ? STORE_ECANCELED : 0;
}

static void on_failure(void *payload, const struct store_walk_failure *f)
{
	struct report *r = payload;
	const struct store_notice notice = { STORE_NOTICE_UNREADABLE,
		list_join(&r->out, r->roots[f->root], f->path),
		f->why.sys ? strerror(f->why.sys) : f->why.msg, 0 };

	r->roots_failed += f->depth == 0;
	/* The error that ends the walk is told once, at its end. */
	if (!r->is_strict)
		r->callbacks.notice(r->callbacks.payload, &notice);
}

static int on_progress(void *payload, const struct store_walk_stats *stats)
{
	const struct report *r = payload;
	const struct store_progress p = { .stage = "walk",
		.files = stats->files,
		.bytes = stats->bytes };

	return r->callbacks.progress(r->callbacks.payload, &p) != 0 || cli_must_stop();
}

/* --- options ------------------------------------------------------------------------------- */

static int read_types(struct cli *cli, const char *letters, unsigned int *out)
{
	static const char known[] = "fdlo";
	const char *at;

	for (; letters && *letters; letters++) {
		at = strchr(known, *letters);
		if (!at)
			return output_usage(cli, "--type has letters of fdlo, not '%c'", *letters);
		*out |= 1U << (at - known);
	}
	return 0;
}

static int read_words(struct cli *cli, const struct walk_options *given,
	struct store_walk_options *o, enum list_format *format)
{
	static const char *const presets[] = { "default", "simple", "high", "ultra", NULL };
	static const char *const orders[] = { "breadth", "depth", NULL };
	int preset, order;

	if (!list_find_word(given->preset, presets, &preset))
		return output_usage(cli, "--preset is default, simple, high or ultra, not '%s'",
			given->preset);
	if (!list_find_word(given->order, orders, &order))
		return output_usage(cli, "--order is breadth or depth, not '%s'", given->order);
	o->preset = (enum store_walk_preset)preset;
	o->flags = given->flags | (order ? STORE_WALK_DEPTH_FIRST : 0) |
		(given->hidden == 2 ? STORE_WALK_NO_HIDDEN : 0);
	return list_read_format(cli, given->format, format);
}

static int read_options(struct cli *cli, const struct walk_options *given,
	struct store_walk_options *o, enum list_format *format)
{
	int rc = read_words(cli, given, o, format);

	if (rc == 0)
		rc = read_types(cli, given->types, &o->types);
	if (rc == 0)
		rc = list_read_size(cli, "--min-size", given->min_size, 0, &o->min_size);
	if (rc == 0)
		rc = list_read_size(cli, "--max-size", given->max_size, 1, &o->size_end);
	if (rc == 0 && given->output && !*given->output)
		rc = output_usage(cli, "-o wants the name of a file");
	o->levels = (uint32_t)given->depth;
	o->scanners = (unsigned int)given->threads;
	o->batch_size = (uint32_t)given->batch_size;
	o->batch_ms = (uint32_t)given->batch_ms;
	o->directories_max = (uint32_t)given->directories;
	o->found_max = (uint32_t)given->found;
	o->sending_max = (uint32_t)given->sending;
	o->excludes = (const char *const *)given->excludes.items;
	return rc;
}

/* --- the walk ------------------------------------------------------------------------------ */

static void print_stats(enum list_format format, const struct store_walk_stats *s)
{
	const struct {
		const char *word, *name;
		uint64_t value;
	} rows[] = {
		{ "found", "found", s->files },
		{ "found bytes", "found_bytes", s->bytes },
		{ "directories", "directories", s->directories },
		{ "directories that waited on disk", "spilled", s->spilled },
		{ "sent", "sent", s->sent },
		{ "batches", "batches", s->batches },
		{ "errors", "errors", s->errors },
	};
	struct line t = { 0 };

	if (format == LIST_JSON)
		json_begin(&t, "store/walk-stats/1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (format == LIST_JSON)
			json_number(&t, rows[i].name, rows[i].value);
		else
			line_format(&t, "%s: %llu\n", rows[i].word,
				(unsigned long long)rows[i].value);
	}
	if (format == LIST_JSON) {
		json_bool(&t, "complete", s->complete);
		json_end(&t);
	} else {
		line_format(&t, "complete: %s\n", s->complete ? "yes" : "no");
	}
	output_stderr(t.data, t.len);
	line_release(&t);
}

static int walk(struct report *r, size_t n, const struct store_walk_options *o,
	struct store_walk_stats *stats)
{
	struct cli *cli = r->out.cli;
	struct store_error err = { 0 };
	int rc;

	if (r->out.format == LIST_CSV) {
		line_string(&r->out.text, "path,type,size,mode,mtime,inode,device,depth\r\n");
		list_write(&r->out, true);
		if (r->out.rc != 0)
			return r->out.rc;
	}
	progress_begin(&r->progress, cli, &r->callbacks);
	rc = store_walk(r->roots, n, o, stats, &err);
	progress_finish(&r->progress, rc, "run it again for the rest");
	if (r->out.rc != 0)
		return r->out.rc;
	if (rc != 0)
		cli->err = err;
	return rc;
}

static int run(struct cli *cli, const void *data)
{
	static const char *const here[] = { "." };
	const struct walk_options *given = data;
	struct report r = { .out = { .cli = cli, .sink = { .fd = -1 } } };
	struct store_walk_options o = { 0 };
	struct store_walk_stats stats = { 0 };
	struct strings names = { 0 };
	const size_t n = cli->args.n ? cli->args.n : 1;
	int rc = cli_check_names(cli, "DIR", 0, cli->args.n);

	if (rc == 0)
		rc = read_options(cli, given, &o, &r.out.format);
	if (rc != 0)
		return rc;
	list_split_names(&given->names, &names);
	o.names = (const char *const *)names.items;
	o.batch = on_batch;
	o.failure = on_failure;
	o.progress = on_progress;
	o.payload = &r;
	r.roots = cli->args.n ? (const char *const *)cli->args.items : here;
	r.is_strict = (o.flags & STORE_WALK_STRICT) != 0;
	if (given->output)
		rc = sink_open(cli, &r.out.sink, given->output);
	if (rc == 0)
		rc = walk(&r, n, &o, &stats);
	rc = sink_close(cli, &r.out.sink, rc);
	cli->stats.files = stats.files;
	cli->stats.bytes = stats.bytes;
	if (cli->global.stats)
		print_stats(r.out.format, &stats);
	if (rc == 0 && stats.errors > 0)
		rc = r.roots_failed >= n ? CLI_FAILED : CLI_PARTIAL;
	strings_release_all(&names);
	list_release(&r.out);
	return rc;
}

const struct command cmd_walk = { "walk", "[OPTION...] [DIR...]",
	"tell what stands below directories, as it is found", TAKES_JSON | TAKES_NUL,
	sizeof(struct walk_options), table, run };
