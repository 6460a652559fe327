/*
 * Data goes to standard output through one buffer of 64 KiB; the first write that fails is kept
 * with its errno, so that a full disk is reported at the end and a reader that went away (EPIPE)
 * ends the run in silence.  Stdio is not used for it, because it loses the errno.  Talk goes to
 * standard error, one write per line, so that lines of several processes do not mix.
 */
#include "cli/output.h"
#include "cli/json.h"
#include "cli/progress.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static char buffer[65536];
static size_t buffered;
static int failed; /* errno of the first write that failed */

static void write_all(const char *data, size_t len)
{
	if (len && output_is_terminal())
		progress_hide(); /* both may go to the same one */
	while (len && !failed) {
		ssize_t n = write(1, data, len);

		if (n < 0 && errno == EINTR && !cli_signal())
			continue;
		if (n < 0) {
			failed = errno;
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}

int output_flush(void)
{
	write_all(buffer, buffered);
	buffered = 0;
	return failed;
}

int output_errno(void)
{
	return failed;
}

void output_bytes(const void *data, size_t len)
{
	if (len > sizeof(buffer) - buffered)
		output_flush();
	if (len > sizeof(buffer)) {
		write_all(data, len);
		return;
	}
	if (len)
		memcpy(buffer + buffered, data, len);
	buffered += len;
}

void output_string(const char *s)
{
	output_bytes(s, strlen(s));
}

void output_text(struct line *t)
{
	output_bytes(t->data, t->len);
	line_clear(t);
}

void output_format(const char *fmt, ...)
{
	struct line t = { 0 };
	va_list ap;

	va_start(ap, fmt);
	line_vformat(&t, fmt, ap);
	va_end(ap);
	output_text(&t);
	line_release(&t);
}

struct terminal {
	bool known, is;
	unsigned int columns; /* 0: it does not say */
};

/* Standard output is looked at once, before a pager takes its place. */
static const struct terminal *terminal(void)
{
	static struct terminal t;
	struct winsize w;

	if (!t.known) {
		t.known = true;
		t.is = isatty(1) != 0;
		t.columns = t.is && ioctl(1, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
	}
	return &t;
}

bool output_is_terminal(void)
{
	return terminal()->is;
}

unsigned int output_columns(void)
{
	const char *word = output_is_terminal() ? getenv("COLUMNS") : NULL;
	uint64_t n;

	if (word && line_to_number(word, false, 10000, &n) && n > 0)
		return (unsigned int)n;
	return terminal()->columns ? terminal()->columns : 80;
}

void output_line_end(const struct cli *cli)
{
	output_bytes(cli->global.nul ? "" : "\n", 1);
}

void output_path(struct line *t, const struct cli *cli, const char *path)
{
	struct line relative = { 0 };

	if (cli->global.nul) {
		line_string(t, path);
		return;
	}
	line_relative(&relative, cli->repo ? store_prefix(cli->repo) : "", path);
	line_quoted(t, relative.data, false);
	line_release(&relative);
}

static bool colored;

bool output_use_color(const char *word)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	colored = output_is_terminal() && term && *term && strcmp(term, "dumb") != 0 &&
		!(no && *no);
	if (!word || strcmp(word, "auto") == 0)
		return true;
	colored = strcmp(word, "always") == 0;
	return colored || strcmp(word, "never") == 0;
}

const char *output_color(enum output_color c)
{
	static const char *const codes[COLOR_COUNT] = {
		[COLOR_OFF] = "\033[m",
		[COLOR_STAGED] = "\033[32m",
		[COLOR_CHANGED] = "\033[31m",
		[COLOR_ID] = "\033[33m",
		[COLOR_BRANCH] = "\033[1;36m",
	};

	return colored ? codes[c] : "";
}

void output_stderr(const char *data, size_t len)
{
	progress_hide();
	while (len) {
		ssize_t n = write(2, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

/* A line of talk, in the form that was asked for.  What was printed before stands before it. */
static void say(const struct cli *cli, const char *kind, const char *msg)
{
	struct line t = { 0 };

	output_flush();
	if (cli->global.json) {
		json_begin(&t, "store/notice/1");
		json_string(&t, "kind", kind);
		json_null(&t, "path");
		json_null(&t, "bytes");
		json_string(&t, "message", msg);
		json_end(&t);
	} else {
		line_string(&t, "store: ");
		line_harmless(&t, msg, strlen(msg));
		line_string(&t, "\n");
	}
	output_stderr(t.data, t.len);
	line_release(&t);
}

void output_talk(const struct cli *cli, const char *fmt, ...)
{
	struct line t = { 0 };
	va_list ap;

	if (cli->global.quiet)
		return;
	va_start(ap, fmt);
	line_vformat(&t, fmt, ap);
	va_end(ap);
	say(cli, "info", t.data ? t.data : "");
	line_release(&t);
}

void output_note(const struct cli *cli, const char *fmt, ...)
{
	struct line t = { 0 };
	va_list ap;

	va_start(ap, fmt);
	line_vformat(&t, fmt, ap);
	va_end(ap);
	say(cli, "warning", t.data ? t.data : "");
	line_release(&t);
}

static const char *code_name(int code)
{
	static const char *const names[] = { "OK", "EIO", "ENOTFOUND", "EEXISTS", "ECORRUPT",
		"EBUSY", "EDENIED", "ENOSPACE", "ENOMEM", "EINVAL", "ENET", "ECANCELED", "EVERSION",
		"ECONFLICT", "EAMBIGUOUS", "EEMPTY" };

	return code <= 0 && -code < (int)(sizeof(names) / sizeof(*names)) ? names[-code] : "EIO";
}

void output_error(const struct cli *cli, int code, int sys, const char *msg)
{
	struct line t = { 0 };

	output_flush();
	if (cli->global.json) {
		json_begin(&t, "store/error/1");
		json_string(&t, "code", code_name(code));
		if (sys)
			json_number(&t, "errno", (uint64_t)sys);
		else
			json_null(&t, "errno");
		json_string(&t, "message", msg);
		json_end(&t);
	} else {
		line_string(&t, "store: ");
		line_harmless(&t, msg, strlen(msg));
		line_string(&t, "\n");
	}
	output_stderr(t.data, t.len);
	line_release(&t);
}

int output_usage(const struct cli *cli, const char *fmt, ...)
{
	struct line t = { 0 };
	va_list ap;

	va_start(ap, fmt);
	line_vformat(&t, fmt, ap);
	va_end(ap);
	if (cli->command)
		line_format(&t, "; see 'store %s -h'", cli->command->name);
	else
		line_string(&t, "; see 'store -h'");
	output_error(cli, STORE_EINVAL, 0, t.data);
	line_release(&t);
	return CLI_FAILED;
}
