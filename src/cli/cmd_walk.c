/*
 * store walk: what stands below directories, told as it is found.  No repository is needed.
 *
 * Each batch that the library hands over is written at once, so that the next program in a pipe can
 * begin while the walk goes on.  In CSV a name that is not plain text is C-quoted before the
 * quoting of RFC 4180, and so is one that begins like a C-quoted name, so that each field reads
 * back to one name only.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/sink.h"
#include <stdlib.h>
#include <string.h>

#define SCANNERS_MAX 64
#define BATCH_MAX 65536
#define WAITING_MAX 100000
#define NUMBER_MAX 1000000000
#define TEXT_MAX 65536

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

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };

struct report {
	struct cli *cli;
	enum format format;
	bool is_strict;
	const char *const *roots;
	uint64_t roots_failed;
	struct sink sink; /* its fd is -1: to standard output */
	struct progress progress;
	struct store_callbacks callbacks; /* of progress */
	struct line text, path;
	int rc; /* why output ended; its line stands in cli->err */
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

/* Path below root as from the current directory; below "." it goes without "./". */
static const char *join(struct report *r, const char *root, const char *path)
{
	const bool is_here = strcmp(root, ".") == 0 && *path;
	const size_t len = strlen(root);

	line_clear(&r->path);
	if (!is_here)
		line_string(&r->path, root);
	if (!is_here && *path && root[len - 1] != '/')
		line_string(&r->path, "/");
	line_string(&r->path, path);
	return r->path.data;
}

/* A field of CSV with the name in it. */
static void add_field(struct line *t, const char *name)
{
	struct line quoted = { 0 };

	line_quoted(&quoted, name, false);
	if (!strpbrk(quoted.data, ",\"")) {
		line_string(t, quoted.data);
	} else {
		line_string(t, "\"");
		for (const char *s = quoted.data; *s; s++)
			line_add(t, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
		line_string(t, "\"");
	}
	line_release(&quoted);
}

static void add_csv(struct line *t, const char *path, const struct store_walk_record *f)
{
	add_field(t, path);
	line_format(t, ",%s,%llu,%o,%lld.%09u,%llu,%llu,%u\r\n", type_word(f->type),
		(unsigned long long)f->size, f->mode & 07777U, (long long)f->mtime, f->mtime_ns,
		(unsigned long long)f->inode, (unsigned long long)f->device, f->depth);
}

static void add_json(struct line *t, const char *root, const struct store_walk_record *f)
{
	json_begin(t, "store/walk/1");
	json_bytes(t, "root", root);
	json_bytes(t, "path", f->path);
	json_number(t, "depth", f->depth);
	json_string(t, "type", type_word(f->type));
	json_number(t, "size", f->size);
	json_number(t, "mode", f->mode & 07777U);
	json_signed(t, "mtime", f->mtime);
	json_number(t, "mtime_ns", f->mtime_ns);
	json_number(t, "inode", f->inode);
	json_number(t, "device", f->device);
	json_end(t);
}

static void add_record(struct report *r, const struct store_walk_record *f)
{
	const char *root = r->roots[f->root];

	if (r->format == FORMAT_JSON) {
		add_json(&r->text, root, f);
	} else if (r->format == FORMAT_CSV) {
		add_csv(&r->text, join(r, root, f->path), f);
	} else if (r->cli->global.nul) {
		line_string(&r->text, join(r, root, f->path));
		line_add(&r->text, "", 1);
	} else {
		line_quoted(&r->text, join(r, root, f->path), false);
		line_string(&r->text, "\n");
	}
}

static int write_text(struct report *r)
{
	int rc = 0;

	if (r->sink.fd != -1) {
		rc = sink_write(r->cli, &r->sink, r->text.data, r->text.len);
		line_clear(&r->text);
	} else {
		output_text(&r->text);
		output_flush();
	}
	return rc;
}

/* --- what the library calls ---------------------------------------------------------------- */

static int on_batch(void *payload, const struct store_walk_batch *batch)
{
	struct report *r = payload;

	for (size_t i = 0; i < batch->n && r->rc == 0; i++) {
		add_record(r, &batch->records[i]);
		/* The text of a batch of the largest size is not kept as a whole. */
		if (r->text.len >= TEXT_MAX)
			r->rc = write_text(r);
	}
	if (r->rc == 0)
		r->rc = write_text(r);
	return r->rc != 0 || cli_must_stop() ? STORE_ECANCELED : 0;
}

static void on_failure(void *payload, const struct store_walk_failure *f)
{
	struct report *r = payload;
	const struct store_notice notice = { STORE_NOTICE_UNREADABLE,
		join(r, r->roots[f->root], f->path), f->why.sys ? strerror(f->why.sys) : f->why.msg,
		0 };

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

/* The position of word among words; false if it is none. NULL is the first. */
static bool find_word(const char *word, const char *const *words, int *out)
{
	*out = 0;
	if (!word)
		return true;
	for (int i = 0; words[i]; i++)
		if (strcmp(word, words[i]) == 0) {
			*out = i;
			return true;
		}
	return false;
}

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

static int read_size(struct cli *cli, const char *option, const char *word, uint64_t more,
	uint64_t *out)
{
	uint64_t n;

	if (!word)
		return 0;
	if (!line_to_number(word, true, UINT64_MAX - 1, &n))
		return output_usage(cli, "%s wants a number of bytes, not '%s'", option, word);
	*out = n + more;
	return 0;
}

/* "jpg,.png" to "jpg" and "png", in memory of their own. */
static void split_names(const struct strings *lists, struct strings *out)
{
	for (size_t i = 0; i < lists->n; i++) {
		for (const char *s = lists->items[i]; *s;) {
			const size_t len = strcspn(s, ",");
			const size_t dot = *s == '.';
			char *name = line_realloc(NULL, len + 1);

			memcpy(name, s + dot, len - dot);
			name[len - dot] = '\0';
			if (*name)
				strings_push(out, name);
			else
				free(name);
			s += len + (s[len] == ',');
		}
	}
}

static int read_words(struct cli *cli, const struct walk_options *given,
	struct store_walk_options *o, enum format *format)
{
	static const char *const presets[] = { "default", "simple", "high", "ultra", NULL };
	static const char *const orders[] = { "breadth", "depth", NULL };
	static const char *const formats[] = { "text", "json", "csv", NULL };
	int preset, order, form;

	if (!find_word(given->preset, presets, &preset))
		return output_usage(cli, "--preset is default, simple, high or ultra, not '%s'",
			given->preset);
	if (!find_word(given->order, orders, &order))
		return output_usage(cli, "--order is breadth or depth, not '%s'", given->order);
	if (!find_word(given->format, formats, &form))
		return output_usage(cli, "--format is text, json or csv, not '%s'", given->format);
	if (cli->global.json && given->format && form != FORMAT_JSON)
		return output_usage(cli, "--json goes with no other --format");
	o->preset = (enum store_walk_preset)preset;
	o->flags = given->flags | (order ? STORE_WALK_DEPTH_FIRST : 0) |
		(given->hidden == 2 ? STORE_WALK_NO_HIDDEN : 0);
	*format = cli->global.json ? FORMAT_JSON : (enum format)form;
	if (cli->global.nul && *format != FORMAT_TEXT)
		return output_usage(cli, "-z goes with --format text only");
	return 0;
}

static int read_options(struct cli *cli, const struct walk_options *given,
	struct store_walk_options *o, enum format *format)
{
	int rc = read_words(cli, given, o, format);

	if (rc == 0)
		rc = read_types(cli, given->types, &o->types);
	if (rc == 0)
		rc = read_size(cli, "--min-size", given->min_size, 0, &o->min_size);
	if (rc == 0)
		rc = read_size(cli, "--max-size", given->max_size, 1, &o->size_end);
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

static void print_stats(enum format format, const struct store_walk_stats *s)
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

	if (format == FORMAT_JSON)
		json_begin(&t, "store/walk-stats/1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (format == FORMAT_JSON)
			json_number(&t, rows[i].name, rows[i].value);
		else
			line_format(&t, "%s: %llu\n", rows[i].word,
				(unsigned long long)rows[i].value);
	}
	if (format == FORMAT_JSON) {
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
	struct store_error err = { 0 };
	int rc;

	if (r->format == FORMAT_CSV) {
		line_string(&r->text, "path,type,size,mode,mtime,inode,device,depth\r\n");
		rc = write_text(r);
		if (rc != 0)
			return rc;
	}
	progress_begin(&r->progress, r->cli, &r->callbacks);
	rc = store_walk(r->roots, n, o, stats, &err);
	progress_finish(&r->progress, rc, "run it again for the rest");
	if (r->rc != 0)
		return r->rc;
	if (rc != 0)
		r->cli->err = err;
	return rc;
}

static int run(struct cli *cli, const void *data)
{
	static const char *const here[] = { "." };
	const struct walk_options *given = data;
	struct report r = { .cli = cli, .sink = { .fd = -1 } };
	struct store_walk_options o = { 0 };
	struct store_walk_stats stats = { 0 };
	struct strings names = { 0 };
	const size_t n = cli->args.n ? cli->args.n : 1;
	int rc = cli_check_names(cli, "DIR", 0, cli->args.n);

	if (rc == 0)
		rc = read_options(cli, given, &o, &r.format);
	if (rc != 0)
		return rc;
	split_names(&given->names, &names);
	o.names = (const char *const *)names.items;
	o.batch = on_batch;
	o.failure = on_failure;
	o.progress = on_progress;
	o.payload = &r;
	r.roots = cli->args.n ? (const char *const *)cli->args.items : here;
	r.is_strict = (o.flags & STORE_WALK_STRICT) != 0;
	if (given->output)
		rc = sink_open(cli, &r.sink, given->output);
	if (rc == 0)
		rc = walk(&r, n, &o, &stats);
	rc = sink_close(cli, &r.sink, rc);
	cli->stats.files = stats.files;
	cli->stats.bytes = stats.bytes;
	if (cli->global.stats)
		print_stats(r.format, &stats);
	if (rc == 0 && stats.errors > 0)
		rc = r.roots_failed >= n ? CLI_FAILED : CLI_PARTIAL;
	strings_release_all(&names);
	line_release(&r.text);
	line_release(&r.path);
	return rc;
}

const struct command cmd_walk = { "walk", "[OPTION...] [DIR...]",
	"tell what stands below directories, as it is found", TAKES_JSON | TAKES_NUL,
	sizeof(struct walk_options), table, run };
