/*
 * store cat: content of any revision.  All names are resolved before the first byte is printed.
 *
 * To a pipe or a file the bytes go as they are.  On a terminal control characters are shown as ^X,
 * so that a repository cannot drive it, and nothing is told of progress.  -o writes beside the file
 * and renames: the file is there whole, or as it was.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/sink.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cat_options {
	const char *bytes, *output;
};

static const struct option_spec table[] = {
	{ 0, "bytes", OPTION_STRING, offsetof(struct cat_options, bytes), 0, "RANGE",
		"A-B, A- or the last -N bytes, from 0, B included" },
	{ 'o', "output", OPTION_STRING, offsetof(struct cat_options, output), 0, "FILE",
		"write to FILE, whole or not at all" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* A range as RFC 7233 has it: "first-last", "first-", "-count". */
struct range {
	bool given, is_suffix;
	uint64_t first, last; /* suffix: first is the count */
};

/* Where the bytes go. */
struct target {
	struct sink file;  /* its fd is -1: to standard output */
	bool visible;      /* a terminal: control characters are shown */
	struct line carry; /* the beginning of a character whose rest is in the next piece */
	struct store_callbacks callbacks; /* its progress is told of `now`; NULL: nobody is */
	struct store_progress now;
};

static bool read_range(const char *s, struct range *r)
{
	const char *dash = strchr(s, '-');
	char first[32];

	r->given = true;
	r->last = UINT64_MAX;
	if (!dash)
		return false;
	r->is_suffix = dash == s;
	if (r->is_suffix)
		return line_to_number(s + 1, false, UINT64_MAX, &r->first) && r->first > 0;
	if ((size_t)(dash - s) >= sizeof(first))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)(dash - s), s);
	if (!line_to_number(first, false, UINT64_MAX, &r->first))
		return false;
	return !dash[1] ||
		(line_to_number(dash + 1, false, UINT64_MAX, &r->last) && r->last >= r->first);
}

/* The range in content of size bytes; false if it begins behind the end. */
static bool cut(const struct range *r, uint64_t size, uint64_t *off, uint64_t *len)
{
	*off = 0;
	*len = size;
	if (!r->given)
		return true;
	if (r->is_suffix) {
		*len = r->first < size ? r->first : size;
		*off = size - *len;
		return true;
	}
	*off = r->first;
	if (r->first >= size)
		return false;
	*len = (r->last < size - 1 ? r->last : size - 1) - r->first + 1;
	return true;
}

/* --- output ---------------------------------------------------------------------------------- */

static void add_visible(struct line *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned int c = (unsigned char)s[i];

		if (c >= 0x80)
			line_format(t, "\\%03o", c);
		else
			line_format(t, "^%c", (int)(c ^ 0x40));
	}
}

/* Bytes that may begin a character and need more to tell. */
static size_t is_unfinished(const char *s, size_t n)
{
	unsigned char c = (unsigned char)*s;
	size_t want = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;

	for (size_t i = 1; i < n && i < want; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return false;
	return n < want;
}

static void show_visible(struct target *target, const char *data, size_t len, bool last)
{
	struct line t = { 0 }, all = target->carry;
	const char *s;
	size_t n, step;
	bool harmless;

	target->carry = (struct line){ 0 };
	line_add(&all, data, len);
	for (s = all.data, n = all.len; n; s += step, n -= step) {
		if (!last && is_unfinished(s, n)) {
			line_add(&target->carry, s, n);
			break;
		}
		step = line_character(s, n, &harmless);
		if (harmless || *s == '\n' || *s == '\t')
			line_add(&t, s, step);
		else
			add_visible(&t, s, step ? step : 1);
		step = step ? step : 1;
	}
	output_text(&t);
	line_release(&t);
	line_release(&all);
}

static int target_write(struct cli *cli, struct target *target, const char *data, size_t len)
{
	if (target->file.fd != -1)
		return sink_write(cli, &target->file, data, len);
	if (target->visible)
		show_visible(target, data, len, false);
	else
		output_bytes(data, len);
	return 0;
}

/* path: NULL for standard output. */
static int target_open(struct cli *cli, struct target *target, const char *path)
{
	target->file.fd = -1;
	target->visible = !path && output_is_terminal();
	return path ? sink_open(cli, &target->file, path) : 0;
}

/* rc: how the writing went; only 0 lets the file appear. */
static int target_close(struct cli *cli, struct target *target, int rc)
{
	if (target->visible && rc == 0)
		show_visible(target, "", 0, true);
	line_release(&target->carry);
	return sink_close(cli, &target->file, rc);
}

static void tell(struct target *target, uint64_t bytes, uint64_t files)
{
	target->now.bytes += bytes;
	target->now.files += files;
	if (target->callbacks.progress)
		target->callbacks.progress(target->callbacks.payload, &target->now);
}

/* --- content ------------------------------------------------------------------------------- */

/* name: the operand that content was resolved from. */
static int copy(struct cli *cli, const char *name, const struct store_target *from, uint64_t off,
	uint64_t len, struct target *to)
{
	enum { PIECE = 1 << 18 };
	struct store_reader *r = NULL;
	char *data = line_realloc(NULL, PIECE);
	int rc = store_reader_open(cli->repo, &from->node, &r, &cli->err);

	if (rc == 0 && off)
		rc = store_reader_seek(r, off, &cli->err);
	while (rc == 0 && len) {
		size_t got = 0;

		rc = store_reader_read(r, data, len < PIECE ? (size_t)len : PIECE, &got, &cli->err);
		if (rc != 0)
			cli_fail_reading(cli, rc, name, from->path);
		if (rc == 0 && got == 0)
			break;
		if (rc == 0)
			rc = target_write(cli, to, data, got);
		tell(to, got, 0);
		if (rc == 0 && cli_must_stop())
			rc = STORE_ECANCELED;
		len -= got;
	}
	store_reader_free(r);
	free(data);
	return rc;
}

int cmd_cat_print(struct cli *cli, const char *name, const struct store_target *target,
	bool visible)
{
	struct target to = { .file = { .fd = -1 }, .visible = visible };
	const int rc = copy(cli, name, target, 0, UINT64_MAX, &to);

	return target_close(cli, &to, rc);
}

/* Name to content, refused where it has none to print. */
static int resolve(struct cli *cli, size_t i, const struct range *range, struct store_target *out)
{
	const char *name = cli->args.items[i];
	uint64_t off, len;
	int rc = store_resolve(cli->repo, name,
		i < cli->args_before_dashes ? 0 : STORE_NAME_LITERAL, out, &cli->err);

	if (rc != 0)
		return rc;
	if (out->node.kind == STORE_KIND_DIR)
		return cli_fail(cli, STORE_EINVAL, 0, "'%s' is a directory; 'store ls' lists it",
			name);
	if (!cut(range, out->node.size, &off, &len))
		return cli_fail(cli, STORE_EINVAL, 0,
			"'%s' has %llu bytes: the range begins behind its end", name,
			(unsigned long long)out->node.size);
	return 0;
}

/* n of them, all of which have the range. */
static int copy_all(struct cli *cli, const struct store_target *targets, size_t n,
	const struct range *range, struct target *to)
{
	struct progress p = { 0 };
	uint64_t off, len;
	int rc = 0;

	if (!to->visible)
		progress_begin(&p, cli, &to->callbacks);
	to->now = (struct store_progress){ .stage = "cat", .files_total = n };
	for (size_t i = 0; i < n; i++) {
		cut(range, targets[i].node.size, &off, &len);
		to->now.bytes_total += len;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		cut(range, targets[i].node.size, &off, &len);
		rc = copy(cli, cli->args.items[i], &targets[i], off, len, to);
		tell(to, 0, 1);
	}
	progress_end(&p);
	return rc;
}

static int print_all(struct cli *cli, const struct cat_options *given, const struct range *range)
{
	struct store_target *targets = line_realloc(NULL, cli->args.n * sizeof(*targets));
	struct target to = { 0 };
	size_t n = 0;
	int rc = 0;

	memset(targets, 0, cli->args.n * sizeof(*targets));
	while (rc == 0 && n < cli->args.n) {
		rc = resolve(cli, n, range, &targets[n]);
		n++;
	}
	if (rc != 0)
		goto out;
	rc = target_open(cli, &to, given->output);
	if (rc == 0)
		rc = copy_all(cli, targets, n, range, &to);
	rc = target_close(cli, &to, rc);
out:
	for (size_t i = 0; i < n; i++)
		store_target_clear(&targets[i]);
	free(targets);
	return rc;
}

static int run(struct cli *cli, const void *data)
{
	const struct cat_options *given = data;
	struct range range = { 0 };
	int rc;

	if (cli->args.n == 0)
		return output_usage(cli, "no NAME is given");
	if (given->bytes && !read_range(given->bytes, &range))
		return output_usage(cli, "--bytes is A-B, A- or -N, not '%s'", given->bytes);
	if (given->output && !*given->output)
		return output_usage(cli, "-o wants the name of a file");
	rc = cli_check_names(cli, "NAME", 0, cli->args.n);
	if (rc == 0)
		rc = cli_open(cli, false);
	return rc == 0 ? print_all(cli, given, &range) : rc;
}

const struct command cmd_cat = { "cat", "[OPTION...] NAME...", "print a file of any revision",
	TAKES_REPO | TAKES_CONFIG, sizeof(struct cat_options), table, run };
