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
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Where the bytes go: standard output, or a file under its temporary name. */
struct sink {
	int fd;           /* -1: standard output */
	bool visible;     /* a terminal: control characters are shown */
	struct line path; /* what is to become of it; empty when written in place */
	struct line tmp;
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

/*
 * --- output
 * -----------------------------------------------------------------------------------------------
 */

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

static void show_visible(struct sink *sink, const char *data, size_t len, bool last)
{
	struct line t = { 0 }, all = sink->carry;
	const char *s;
	size_t n, step;
	bool harmless;

	sink->carry = (struct line){ 0 };
	line_add(&all, data, len);
	for (s = all.data, n = all.len; n; s += step, n -= step) {
		if (!last && is_unfinished(s, n)) {
			line_add(&sink->carry, s, n);
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

static int sink_write(struct cli *cli, struct sink *sink, const char *data, size_t len)
{
	if (sink->fd == -1 && sink->visible)
		show_visible(sink, data, len, false);
	else if (sink->fd == -1)
		output_bytes(data, len);
	while (sink->fd != -1 && len) {
		ssize_t n = write(sink->fd, data, len);

		if (n < 0 && errno == EINTR && !cli_signal())
			continue;
		if (n < 0)
			return cli_fail(cli, errno == ENOSPC ? STORE_ENOSPACE : STORE_EIO, errno,
				"cannot write '%s': %s",
				sink->tmp.data ? sink->tmp.data : "the output", strerror(errno));
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A temporary name beside path, made with the permissions that path has or would get. */
static int open_beside(struct cli *cli, struct sink *sink, const char *path, const struct stat *st)
{
	const char *slash = strrchr(path, '/');
	mode_t mode;

	line_string(&sink->path, path);
	line_add(&sink->tmp, path, slash ? (size_t)(slash - path) + 1 : 0);
	line_string(&sink->tmp, ".store-cat.XXXXXX");
	sink->fd = mkostemp(sink->tmp.data, O_CLOEXEC);
	if (sink->fd == -1) {
		int saved = errno;

		line_clear(&sink->tmp);
		return cli_fail(cli, STORE_EIO, saved, "cannot create a file beside '%s': %s", path,
			strerror(saved));
	}
	mode = umask(0);
	umask(mode);
	mode = st ? st->st_mode & 07777 : 0666 & ~mode;
	if (fchmod(sink->fd, mode) != 0)
		return cli_fail(cli, STORE_EIO, errno, "cannot set the mode of '%s': %s",
			sink->tmp.data, strerror(errno));
	return 0;
}

/*
 * A symlink is followed; what is there and no regular file (a device, a FIFO) is written as it is.
 */
static int sink_open(struct cli *cli, struct sink *sink, const char *path)
{
	char *real = NULL;
	struct stat st;
	bool exists;
	int rc = 0;

	sink->fd = -1;
	sink->visible = !path && output_is_terminal();
	if (!path)
		return 0;
	exists = stat(path, &st) == 0;
	if (exists && S_ISDIR(st.st_mode))
		return cli_fail(cli, STORE_EINVAL, EISDIR, "cannot write '%s': it is a directory",
			path);
	if (exists && !S_ISREG(st.st_mode)) {
		sink->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		if (sink->fd == -1)
			return cli_fail(cli, STORE_EIO, errno, "cannot open '%s': %s", path,
				strerror(errno));
		return 0;
	}
	if (exists)
		real = realpath(path, NULL);
	rc = open_beside(cli, sink, real ? real : path, exists ? &st : NULL);
	free(real);
	return rc;
}

/* rc: how the writing went; only 0 lets the file appear. */
static int sink_close(struct cli *cli, struct sink *sink, int rc)
{
	if (sink->visible && rc == 0)
		show_visible(sink, "", 0, true);
	if (rc == 0 && sink->tmp.len && fdatasync(sink->fd) != 0)
		rc = cli_fail(cli, STORE_EIO, errno, "cannot write '%s': %s", sink->path.data,
			strerror(errno));
	if (sink->fd != -1 && close(sink->fd) != 0 && rc == 0)
		rc = cli_fail(cli, STORE_EIO, errno, "cannot write the output: %s",
			strerror(errno));
	if (rc == 0 && sink->tmp.len && rename(sink->tmp.data, sink->path.data) != 0)
		rc = cli_fail(cli, STORE_EIO, errno, "cannot rename to '%s': %s", sink->path.data,
			strerror(errno));
	if (rc != 0 && sink->tmp.len)
		unlink(sink->tmp.data);
	line_release(&sink->path);
	line_release(&sink->tmp);
	line_release(&sink->carry);
	return rc;
}

static void tell(struct sink *sink, uint64_t bytes, uint64_t files)
{
	sink->now.bytes += bytes;
	sink->now.files += files;
	if (sink->callbacks.progress)
		sink->callbacks.progress(sink->callbacks.payload, &sink->now);
}

/* --- content ------------------------------------------------------------------------------- */

/* name: the operand that target was resolved from. */
static int copy(struct cli *cli, const char *name, const struct store_target *target, uint64_t off,
	uint64_t len, struct sink *sink)
{
	enum { PIECE = 1 << 18 };
	struct store_reader *r = NULL;
	char *data = line_realloc(NULL, PIECE);
	int rc = store_reader_open(cli->repo, &target->node, &r, &cli->err);

	if (rc == 0 && off)
		rc = store_reader_seek(r, off, &cli->err);
	while (rc == 0 && len) {
		size_t got = 0;

		rc = store_reader_read(r, data, len < PIECE ? (size_t)len : PIECE, &got, &cli->err);
		if (rc != 0)
			cli_fail_reading(cli, rc, name, target->path);
		if (rc == 0 && got == 0)
			break;
		if (rc == 0)
			rc = sink_write(cli, sink, data, got);
		tell(sink, got, 0);
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
	struct sink sink = { .fd = -1, .visible = visible };
	const int rc = copy(cli, name, target, 0, UINT64_MAX, &sink);

	return sink_close(cli, &sink, rc);
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

/* n targets, all of which have the range. */
static int copy_all(struct cli *cli, const struct store_target *targets, size_t n,
	const struct range *range, struct sink *sink)
{
	struct progress p = { 0 };
	uint64_t off, len;
	int rc = 0;

	if (!sink->visible)
		progress_begin(&p, cli, &sink->callbacks);
	sink->now = (struct store_progress){ .stage = "cat", .files_total = n };
	for (size_t i = 0; i < n; i++) {
		cut(range, targets[i].node.size, &off, &len);
		sink->now.bytes_total += len;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		cut(range, targets[i].node.size, &off, &len);
		rc = copy(cli, cli->args.items[i], &targets[i], off, len, sink);
		tell(sink, 0, 1);
	}
	progress_end(&p);
	return rc;
}

static int print_all(struct cli *cli, const struct cat_options *given, const struct range *range)
{
	struct store_target *targets = line_realloc(NULL, cli->args.n * sizeof(*targets));
	struct sink sink = { 0 };
	size_t n = 0;
	int rc = 0;

	memset(targets, 0, cli->args.n * sizeof(*targets));
	while (rc == 0 && n < cli->args.n) {
		rc = resolve(cli, n, range, &targets[n]);
		n++;
	}
	if (rc != 0)
		goto out;
	rc = sink_open(cli, &sink, given->output);
	if (rc == 0)
		rc = copy_all(cli, targets, n, range, &sink);
	rc = sink_close(cli, &sink, rc);
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
