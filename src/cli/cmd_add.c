/*
 * store add: make the stage equal to the working tree below each operand.
 *
 * Paths from standard input are taken in batches, so that their number does not matter; each batch
 * is one call of the library, and an operand that is neither on disk nor tracked refuses its batch
 * only.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4096 };

struct add_options {
	unsigned int flags;
	int all, stdin_paths;
};

#define FIELD(name) offsetof(struct add_options, name)

static const struct option_spec table[] = {
	{ 'A', "all", OPTION_FLAG, FIELD(all), 1, NULL,
		"without PATH: the whole tree, from anywhere in it" },
	{ 'u', "update", OPTION_BIT, FIELD(flags), STORE_ADD_UPDATE, NULL,
		"tracked paths only; without PATH: of the whole tree" },
	{ 0, "ignore-removal", OPTION_BIT, FIELD(flags), STORE_ADD_NO_REMOVAL, NULL,
		"do not stage deletions" },
	{ 'n', "dry-run", OPTION_BIT, FIELD(flags), STORE_ADD_DRY_RUN, NULL,
		"print what would be staged, and how many bytes" },
	{ 'f', "force", OPTION_BIT, FIELD(flags), STORE_ADD_FORCE, NULL,
		"take ignored paths, too" },
	{ 'r', NULL, OPTION_NOTHING, 0, 0, NULL,
		"changes nothing: directories are always entered" },
	{ 0, "stdin-paths", OPTION_FLAG, FIELD(stdin_paths), 1, NULL,
		"read the PATHs from standard input, a line each; -z: NUL" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* A line per path that a dry run would stage: what, bytes, path. */
static bool on_notice(struct progress *p, const struct store_notice *n)
{
	const bool adds = n->kind == STORE_NOTICE_WOULD_ADD;
	struct line t = { 0 };

	if (!adds && n->kind != STORE_NOTICE_WOULD_DELETE)
		return false;
	if (p->cli->global.json) {
		json_begin(&t, "store/add-entry/1");
		json_string(&t, "action", adds ? "add" : "delete");
		json_bytes(&t, "path", n->path);
		json_number(&t, "bytes", n->bytes);
		json_end(&t);
		output_text(&t);
	} else {
		line_format(&t, "%-6s %12llu  ", adds ? "add" : "delete",
			(unsigned long long)n->bytes);
		output_path(&t, p->cli, n->path);
		output_text(&t);
		output_line_end(p->cli);
	}
	line_release(&t);
	return true;
}

static void sum(struct store_add_result *total, const struct store_add_result *r)
{
	total->added += r->added;
	total->modified += r->modified;
	total->deleted += r->deleted;
	total->directories += r->directories;
	total->unchanged += r->unchanged;
	total->skipped += r->skipped;
	total->ignored_operands += r->ignored_operands;
	total->special += r->special;
	total->stats.files += r->stats.files;
	total->stats.bytes += r->stats.bytes;
	total->stats.opened += r->stats.opened;
	total->stats.chunks += r->stats.chunks;
	total->stats.new_chunks += r->stats.new_chunks;
	total->stats.new_objects += r->stats.new_objects;
	total->stats.new_bytes += r->stats.new_bytes;
	total->stats.stored_bytes += r->stats.stored_bytes;
	total->stats.decoded_bytes += r->stats.decoded_bytes;
	total->stats.nodes_read += r->stats.nodes_read;
	total->stats.publications += r->stats.publications;
	total->stats.seconds += r->stats.seconds;
}

static void print_json(const struct store_add_result *r, bool dry_run)
{
	struct line t = { 0 };

	json_begin(&t, "store/add/1");
	json_bool(&t, "dry_run", dry_run);
	json_number(&t, "added", r->added);
	json_number(&t, "modified", r->modified);
	json_number(&t, "deleted", r->deleted);
	json_number(&t, "directories", r->directories);
	json_number(&t, "unchanged", r->unchanged);
	json_number(&t, "skipped", r->skipped);
	json_number(&t, "ignored_operands", r->ignored_operands);
	json_number(&t, "special", r->special);
	json_open(&t, "stats", '{');
	json_stats(&t, &r->stats);
	json_close(&t, '}');
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

/* Of a few bytes nearly all that is stored is what goes around them, and no ratio tells that. */
static void add_ratio(struct line *t, const struct store_stats *s)
{
	const double ratio = s->stored_bytes ? (double)s->bytes / (double)s->stored_bytes : 0;

	if (ratio >= 0.1) {
		line_format(t, ", ratio %.2f", ratio);
	} else if (s->stored_bytes) {
		line_string(t, ", ");
		line_size(t, s->stored_bytes);
		line_string(t, " stored");
	}
}

/* The end line: files, bytes, new bytes, ratio, seconds. */
static void print_end(const struct cli *cli, const struct store_add_result *r, bool dry_run)
{
	const struct store_stats *s = &r->stats;
	struct line t = { 0 };

	line_format(&t, "%s%llu added, %llu modified, %llu deleted",
		dry_run ? "would be staged: " : "", (unsigned long long)r->added,
		(unsigned long long)r->modified, (unsigned long long)r->deleted);
	if (r->directories) {
		line_string(&t, ", and ");
		line_count(&t, r->directories, "directory", "directories");
	}
	line_string(&t, "; ");
	line_count(&t, s->files, "file", "files");
	line_string(&t, ", ");
	line_size(&t, s->bytes);
	line_string(&t, ", ");
	line_size(&t, s->new_bytes);
	line_string(&t, " new");
	add_ratio(&t, s);
	line_format(&t, ", %.1f s", s->seconds);
	if (r->special) {
		line_string(&t, "; left out: ");
		line_count(&t, r->special, "FIFO, socket or device", "FIFOs, sockets and devices");
	}
	output_talk(cli, "%s", t.data);
	line_release(&t);
}

/* One call of the library, its result added to total. */
static int add_paths(struct cli *cli, const struct store_add_options *o,
	const struct strings *paths, struct store_add_result *total)
{
	struct store_add_result result = { 0 };
	int rc = store_add(cli->repo, (const char *const *)paths->items, paths->n, o, &result,
		&cli->err);

	sum(total, &result);
	cli->stats = total->stats;
	return rc;
}

static int add_stdin(struct cli *cli, const struct store_add_options *o,
	struct store_add_result *total)
{
	struct strings batch = { 0 };
	char *line = NULL, *path = NULL;
	size_t cap = 0;
	int rc, more;

	do {
		more = cli_read_path(cli, &line, &cap);
		if (more > 0 && store_operand(cli->repo, line, &path, &cli->err) != 0)
			more = cli->err.code;
		rc = more < 0 ? more : 0;
		if (more > 0)
			strings_push(&batch, path);
		if (rc == 0 && batch.n && (batch.n == BATCH || more == 0)) {
			rc = add_paths(cli, o, &batch, total);
			strings_release_all(&batch);
		}
	} while (rc == 0 && more > 0);
	strings_release_all(&batch);
	free(line);
	return rc;
}

static int add_operands(struct cli *cli, const struct store_add_options *o,
	struct store_add_result *total)
{
	struct strings paths = { 0 };
	int rc = cli_paths(cli, 0, cli->args.n, &paths);

	if (rc == 0 && cli->args.n == 0)
		strings_push(&paths, strdup(""));
	if (rc == 0)
		rc = add_paths(cli, o, &paths, total);
	strings_release_all(&paths);
	return rc;
}

static int check_usage(const struct cli *cli, const struct add_options *given)
{
	const unsigned int flags = given->flags;

	if (cli->args.n && given->stdin_paths)
		return output_usage(cli,
			"give the PATHs as operands or with --stdin-paths, not both");
	if (!cli->args.n && !given->stdin_paths && !given->all && !(flags & STORE_ADD_UPDATE))
		return output_usage(cli,
			"no PATH is given; 'store add .' takes what is here, 'store add -A' the whole tree");
	if (given->all && (flags & (STORE_ADD_UPDATE | STORE_ADD_NO_REMOVAL)))
		return output_usage(cli, "-A goes with neither -u nor --ignore-removal");
	if (cli->global.nul && !given->stdin_paths && !(flags & STORE_ADD_DRY_RUN))
		return output_usage(cli, "-z goes with --stdin-paths or -n");
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct add_options *given = data;
	const bool dry_run = given->flags & STORE_ADD_DRY_RUN;
	struct store_add_options o = { .flags = given->flags };
	struct store_add_result total = { 0 };
	struct progress p = { .notice = on_notice };
	int rc = check_usage(cli, given);

	if (rc != 0)
		return rc;
	rc = cli_open(cli, !dry_run);
	if (rc != 0)
		return rc;
	progress_begin(&p, cli, &o.callbacks);
	rc = given->stdin_paths ? add_stdin(cli, &o, &total) : add_operands(cli, &o, &total);
	progress_finish(&p, rc, "the same command goes on from there");
	if (rc != 0)
		return rc;
	if (cli->global.json)
		print_json(&total, dry_run);
	else
		print_end(cli, &total, dry_run);
	return total.ignored_operands ? CLI_FAILED : total.skipped ? CLI_PARTIAL : 0;
}

const struct command cmd_add = { "add", "[OPTION...] PATH...",
	"stage new, changed and deleted files", TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL,
	sizeof(struct add_options), table, run };
