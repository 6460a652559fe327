/*
 * store put: standard input becomes a file of the stage, without one on disk.
 *
 * A signal is heard by the callback of progress, which the writer asks ten times a second whatever
 * it waits for; and once more before the end, for what it cuts short must not be taken for all.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"

#include <string.h>
#include <unistd.h>

struct put_options {
	const char *expect, *codec, *size;
	int executable, force, verify, count_version;
};

enum { IS_NONE = 1, IS_PROGRAM = 2 };

#define FIELD(name) offsetof(struct put_options, name)

static const struct option_spec table[] = {
	{ 0, "expect", OPTION_STRING, FIELD(expect), 0, "ID|none",
		"only if this content is staged there now, or none is" },
	{ 0, "executable", OPTION_FLAG, FIELD(executable), IS_PROGRAM, NULL,
		"the file is a program" },
	{ 0, "no-executable", OPTION_FLAG, FIELD(executable), IS_NONE, NULL,
		"it is none, even if what is staged there is" },
	{ 'f', "force", OPTION_FLAG, FIELD(force), 1, NULL, "take an ignored path, too" },
	{ 0, "size", OPTION_STRING, FIELD(size), 0, "BYTES",
		"how much comes, for progress and classes of chunk sizes" },
	{ 0, "verify", OPTION_FLAG, FIELD(verify), 1, NULL,
		"read all of it back before it is staged" },
	{ 0, "codec", OPTION_STRING, FIELD(codec), 0, "CODEC",
		"none, zlib or zstd, for what is new" },
	{ 0, "count-version", OPTION_FLAG, FIELD(count_version), 1, NULL,
		"tell how often history changed it" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_id(const char *hex, struct store_id *id)
{
	if (strlen(hex) != STORE_HEX_LEN)
		return false;
	for (size_t i = 0; i < sizeof(id->bytes); i++) {
		const int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		id->bytes[i] = (uint8_t)(high * 16 + low);
	}
	return true;
}

static void print_json(const char *path, const struct store_writer_result *r, bool has_version)
{
	struct line t = { 0 };

	json_begin(&t, "store/put/1");
	json_bytes(&t, "path", path);
	json_id(&t, "id", &r->node.id);
	json_bool(&t, "executable", r->node.kind == STORE_KIND_EXEC);
	json_number(&t, "height", r->node.height);
	json_number(&t, "size", r->node.size);
	json_number(&t, "chunks", r->chunks);
	json_number(&t, "new_chunks", r->new_chunks);
	json_number(&t, "new_bytes", r->new_bytes);
	json_number(&t, "stored_bytes", r->stored_bytes);
	if (has_version)
		json_number(&t, "version", r->version);
	else
		json_null(&t, "version");
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

static void print_line(const struct cli *cli, const char *path, const struct store_writer_result *r,
	bool has_version)
{
	struct line t = { 0 };

	line_string(&t, "put ");
	output_path(&t, cli, path);
	line_string(&t, ": ");
	line_size(&t, r->node.size);
	line_string(&t, ", ");
	line_size(&t, r->new_bytes);
	line_string(&t, " new");
	if (has_version)
		line_format(&t, ", version %llu", (unsigned long long)r->version);
	line_string(&t, "\n");
	output_text(&t);
	line_release(&t);
}

/* A path that rules leave out and that is not tracked, as add has it. */
static int check_ignored(struct cli *cli, const char *path)
{
	struct store_ignore *it = NULL;
	struct store_ignore_result r = { 0 };
	struct line shown = { 0 };
	int rc = store_ignore_open(cli->repo, NULL, &it, &cli->err);

	if (rc == 0)
		rc = store_ignore_check(it, path, 0, &r, &cli->err);
	if (rc == 0 && r.ignored) {
		line_quoted(&shown, cli->args.items[0], false);
		rc = cli_fail(cli, STORE_EINVAL, 0,
			"'%s' is ignored: nothing was staged; 'store put -f' takes it", shown.data);
		line_release(&shown);
	}
	store_ignore_free(it);
	return rc;
}

static int put(struct cli *cli, struct store_writer_options *o)
{
	struct progress p = { 0 };
	struct store_writer_result result = { 0 };
	struct store_writer *w = NULL;
	int rc;

	progress_begin(&p, cli, &o->callbacks);
	rc = store_writer_open(cli->repo, o, &w, &cli->err);
	if (rc == 0)
		rc = store_writer_write_fd(w, STDIN_FILENO, &cli->err);
	if (rc == 0 && cli_signal())
		rc = STORE_ECANCELED;
	if (rc == 0)
		rc = store_writer_finish(w, &result, &cli->err);
	progress_end(&p);
	store_writer_free(w);
	if (rc != 0)
		return rc;
	cli->stats = result.stats;
	if (cli->global.json)
		print_json(o->path, &result, o->count_version);
	else if (!cli->global.quiet)
		print_line(cli, o->path, &result, o->count_version);
	return 0;
}

/* 0 or CLI_FAILED. */
static int read_options(struct cli *cli, const struct put_options *given,
	struct store_writer_options *o)
{
	if (cli->args.n != 1)
		return output_usage(cli, "name one path, for what comes from standard input");
	if (cli->args.items[0][0] && cli->args.items[0][strlen(cli->args.items[0]) - 1] == '/')
		return output_usage(cli, "'%s' names a folder, and put makes a file",
			cli->args.items[0]);
	if (given->expect && strcmp(given->expect, "none") == 0)
		o->expect = STORE_EXPECT_NONE;
	else if (given->expect && !read_id(given->expect, &o->expected))
		return output_usage(cli,
			"--expect takes 'none' or the 64 digits of an id, not '%s'", given->expect);
	else if (given->expect)
		o->expect = STORE_EXPECT_ID;
	if (given->size && !line_to_number(given->size, true, UINT64_MAX, &o->size))
		return output_usage(cli, "--size takes a number of bytes, as 4096 or 20m, not '%s'",
			given->size);
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct put_options *given = data;
	struct store_writer_options o = { .executable = (given->executable == IS_PROGRAM) -
			(given->executable == IS_NONE),
		.verify = given->verify,
		.count_version = given->count_version,
		.codec = given->codec };
	struct strings paths = { 0 };
	int rc = read_options(cli, given, &o);

	if (rc != 0)
		return rc;
	rc = cli_open(cli, true);
	if (rc == 0)
		rc = cli_paths(cli, 0, 1, &paths);
	/* The top is no file; the writer says so. */
	if (rc == 0 && !given->force && paths.items[0][0])
		rc = check_ignored(cli, paths.items[0]);
	if (rc == 0) {
		o.path = paths.items[0];
		rc = put(cli, &o);
	}
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_put = { "put", "[OPTION...] [--] PATH", "stage standard input as a file",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON, sizeof(struct put_options), table, run };
