/* store put: standard input becomes a file of the stage, without one on disk. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct put_options {
	const char *expect, *codec;
	int executable, verify, count_version;
};

#define FIELD(name) offsetof(struct put_options, name)

static const struct option_spec table[] = {
	{ 0, "expect", OPTION_STRING, FIELD(expect), 0, "ID|none",
		"only if this content is staged there now, or none is" },
	{ 0, "executable", OPTION_FLAG, FIELD(executable), 1, NULL, "the file is a program" },
	{ 0, "verify", OPTION_FLAG, FIELD(verify), 1, NULL,
		"read all of it back before it is staged" },
	{ 0, "codec", OPTION_STRING, FIELD(codec), 0, "CODEC",
		"none, zlib or zstd, for what is new" },
	{ 0, "count-version", OPTION_FLAG, FIELD(count_version), 1, NULL,
		"tell how often history changed it" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* Where the bytes come from, and who is told how far it is. */
struct input {
	struct cli *cli;
	struct store_callbacks callbacks;
	uint64_t bytes, total; /* total: of a file, else 0 */
	int sys;               /* errno of a read that failed */
};

/* As store_source_fn: standard input, until a signal. */
static ptrdiff_t read_input(void *payload, void *data, size_t len)
{
	struct input *in = payload;
	struct store_progress p = { .stage = "put", .files_total = 1, .bytes_total = in->total };
	ssize_t n;

	do {
		if (cli_must_stop())
			return -1;
		n = read(STDIN_FILENO, data, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		in->sys = errno;
		return -1;
	}
	in->bytes += (uint64_t)n;
	p.bytes = in->bytes;
	p.files = n == 0;
	return in->callbacks.progress(in->callbacks.payload, &p) == 0 ? n : -1;
}

/* How many bytes of a file are still to be read; 0 where that is not known. */
static uint64_t input_total(void)
{
	struct stat st;
	const off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);

	if (fstat(STDIN_FILENO, &st) != 0 || !S_ISREG(st.st_mode) || at < 0 || st.st_size < at)
		return 0;
	return (uint64_t)(st.st_size - at);
}

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

static int put(struct cli *cli, const struct store_writer_options *o)
{
	struct input in = { .cli = cli };
	struct progress p = { 0 };
	struct store_writer_result result = { 0 };
	struct store_writer *w = NULL;
	int rc = store_writer_open(cli->repo, o, &w, &cli->err);

	if (rc != 0)
		return rc;
	in.total = input_total();
	progress_begin(&p, cli, &in.callbacks);
	rc = store_writer_write_from(w, read_input, &in, &cli->err);
	if (in.sys != 0)
		rc = cli_fail(cli, STORE_EIO, in.sys, "cannot read standard input: %s",
			strerror(in.sys));
	if (rc == 0)
		rc = store_writer_finish(w, &result, &cli->err);
	progress_end(&p);
	store_writer_free(w);
	if (rc != 0)
		return rc;
	cli->stats.files = 1;
	cli->stats.bytes = result.node.size;
	cli->stats.chunks = result.chunks;
	cli->stats.new_chunks = result.new_chunks;
	cli->stats.new_bytes = result.new_bytes;
	cli->stats.stored_bytes = result.stored_bytes;
	store_stats_memory(&cli->stats);
	if (cli->global.json)
		print_json(o->path, &result, o->count_version);
	else if (!cli->global.quiet)
		print_line(cli, o->path, &result, o->count_version);
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct put_options *given = data;
	struct store_writer_options o = { .executable = given->executable,
		.verify = given->verify,
		.count_version = given->count_version,
		.codec = given->codec };
	struct strings paths = { 0 };
	int rc;

	if (cli->args.n != 1)
		return output_usage(cli, "name one path, for what comes from standard input");
	if (cli->args.items[0][0] && cli->args.items[0][strlen(cli->args.items[0]) - 1] == '/')
		return output_usage(cli, "'%s' names a folder, and put makes a file",
			cli->args.items[0]);
	if (given->expect && strcmp(given->expect, "none") == 0)
		o.expect = STORE_EXPECT_NONE;
	else if (given->expect && !read_id(given->expect, &o.expected))
		return output_usage(cli,
			"--expect takes 'none' or the 64 digits of an id, not '%s'", given->expect);
	else if (given->expect)
		o.expect = STORE_EXPECT_ID;
	rc = cli_open(cli, true);
	if (rc == 0)
		rc = cli_paths(cli, 0, 1, &paths);
	if (rc == 0) {
		o.path = paths.items[0];
		rc = put(cli, &o);
	}
	strings_release_all(&paths);
	return rc;
}

const struct command cmd_put = { "put", "[OPTION...] [--] PATH", "stage standard input as a file",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON, sizeof(struct put_options), table, run };
