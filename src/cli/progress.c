/*
 * Progress is drawn on standard error when that is a terminal and the work has lasted a second:
 * stage, files, bytes, rate, and the time that is left where the total is known or can be guessed,
 * which a ~ marks, ten times a second at most.  The last line is kept.  Anything else that goes to
 * standard error takes the line away first (progress_hide), and it is drawn again with the next
 * call.
 *
 * The rate is one of the last seconds: what is left is judged by how the work goes now, and a
 * single slow file does not make the time jump.  A line is cut at the width that the terminal has
 * when it is drawn, because a line that wraps cannot be taken back; it is overwritten with blanks,
 * which a terminal without any control sequence understands, too.  Nothing is drawn over the shell
 * of a user who has put the command into the background.
 *
 * The same callback is where a signal ends an operation: it returns non-zero once a signal has
 * come.
 */
#include "cli/progress.h"
#include "cli/json.h"
#include "cli/output.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static struct progress *shown; /* whose line stands on the terminal */

double progress_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Columns that a line may take: the last one stays free, or some terminals wrap. */
static size_t columns(void)
{
	struct winsize w;

	return ioctl(2, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1U : 79;
}

/* Another process group has the terminal when the command runs in the background. */
static bool has_terminal(void)
{
	const pid_t owner = tcgetpgrp(2);

	return owner < 0 || owner == getpgrp();
}

void progress_hide(void)
{
	struct progress *p = shown;
	struct line t = { 0 };

	shown = NULL; /* first: output_stderr calls back */
	if (p && p->width) {
		line_format(&t, "\r%*s\r", (int)p->width, "");
		p->width = 0;
		output_stderr(t.data, t.len);
		line_release(&t);
	}
}

static void add_time_left(struct line *t, const char *about, double seconds)
{
	unsigned int s = seconds < 359998 ? (unsigned int)seconds + 1 : 359999;

	if (s >= 3600)
		line_format(t, ", %s%u:%02u:%02u left", about, s / 3600, s / 60 % 60, s % 60);
	else
		line_format(t, ", %s%u:%02u left", about, s / 60, s % 60);
}

/* The rate of the last seconds; the longer ago, the less it counts. */
static double smooth(struct progress *p, double at)
{
	enum { SECONDS = 3 };
	const double passed = at - p->sampled;
	const double now = passed > 0 && p->now.bytes > p->sample
		? (double)(p->now.bytes - p->sample) / passed
		: 0;

	p->rate = p->sampled > p->start ? p->rate + (now - p->rate) * passed / (SECONDS + passed)
					: now;
	p->sampled = at;
	p->sample = p->now.bytes;
	return p->rate;
}

/* passed: seconds of the stage. Rounds take as long as each other, so they tell what is left. */
static void describe_counted(struct line *t, const struct progress *p, double passed, bool ended)
{
	const struct store_progress *now = &p->now;

	line_harmless(t, p->stage, strlen(p->stage));
	line_format(t, ": %llu/%llu %s", (unsigned long long)now->files,
		(unsigned long long)now->files_total, p->counted);
	if (!ended && now->files > 0 && now->files < now->files_total)
		add_time_left(t, "",
			passed * (double)(now->files_total - now->files) / (double)now->files);
}

static void describe(struct line *t, const struct progress *p, double rate, bool ended)
{
	const struct store_progress *now = &p->now;
	const char *about = now->is_guess ? "~" : "";

	line_harmless(t, p->stage, strlen(p->stage));
	line_format(t, ": %llu", (unsigned long long)now->files);
	if (now->files_total)
		line_format(t, "/%s%llu", about, (unsigned long long)now->files_total);
	line_string(t, " files, ");
	line_size(t, now->bytes);
	if (now->bytes_total) {
		line_format(t, " of %s", about);
		line_size(t, now->bytes_total);
	}
	line_string(t, ", ");
	line_size(t, (uint64_t)rate);
	line_string(t, "/s");
	if (!ended && now->bytes_total > now->bytes && rate >= 1)
		add_time_left(t, about, (double)(now->bytes_total - now->bytes) / rate);
}

/* ended: the line stays, with the rate of the whole stage. */
static void draw(struct progress *p, double at, bool ended)
{
	const double rate = smooth(p, at), passed = at - p->start;
	const size_t room = columns();
	struct line t = { 0 }, all = { 0 };
	size_t width;

	if (p->counted)
		describe_counted(&t, p, passed, ended);
	else
		describe(&t, p, ended && passed > 0 ? (double)p->now.bytes / passed : rate, ended);
	width = t.len < room ? t.len : room;
	line_format(&all, "\r%.*s", (int)width, t.data);
	if (p->width > width)
		line_format(&all, "%*s", (int)((p->width < room ? p->width : room) - width), "");
	shown = NULL;
	output_stderr(all.data, all.len);
	shown = p;
	p->width = width;
	line_release(&t);
	line_release(&all);
}

/* A new stage begins on a line of its own; the line of the last one stays. */
static void next_stage(struct progress *p, const struct store_progress *now, double at)
{
	const char *stage = now->stage ? now->stage : "";

	if (strncmp(p->stage, stage, sizeof(p->stage) - 1) == 0)
		return;
	progress_end(p);
	snprintf(p->stage, sizeof(p->stage), "%s", stage);
	p->start = p->sampled = at;
	p->sample = 0;
}

static int on_progress(void *payload, const struct store_progress *now)
{
	struct progress *p = payload;
	const double at = progress_now();

	next_stage(p, now, at);
	p->now = *now;
	if (p->visible && at - p->start >= 1 && at - p->last >= 0.1 && has_terminal()) {
		draw(p, at, false);
		p->last = at;
	}
	return cli_signal() != 0;
}

static const char *notice_name(enum store_notice_kind kind)
{
	static const char *const names[] = { "none", "unreadable", "changed", "border", "ignored",
		"special", "limit", "conflict", "corrupt", "phase", "info", "would-add",
		"would-delete", "removed", "moved" };

	return kind < sizeof(names) / sizeof(*names) ? names[kind] : "info";
}

static void notice_json(const struct store_notice *n)
{
	struct line t = { 0 };

	json_begin(&t, "store/notice/1");
	json_string(&t, "kind", notice_name(n->kind));
	if (*n->path)
		json_bytes(&t, "path", n->path);
	else
		json_null(&t, "path");
	if (n->bytes)
		json_number(&t, "bytes", n->bytes);
	else
		json_null(&t, "bytes");
	json_string(&t, "message", *n->text ? n->text : NULL);
	json_end(&t);
	output_stderr(t.data, t.len);
	line_release(&t);
}

/* Is it something that -q leaves unsaid, or that is said under -v only? */
static bool is_unsaid(const struct cli *cli, const struct store_notice *n)
{
	switch (n->kind) {
	case STORE_NOTICE_SPECIAL:
		return !cli->global.verbose;
	case STORE_NOTICE_BORDER:
	case STORE_NOTICE_PHASE:
	case STORE_NOTICE_INFO:
		return cli->global.quiet;
	default:
		return false;
	}
}

static void notice_words(struct cli *cli, const struct store_notice *n)
{
	struct line name = { 0 }, quoted = { 0 };

	line_relative(&name, cli->repo ? store_prefix(cli->repo) : "", n->path);
	line_quoted(&quoted, name.data, false);
	switch (n->kind) {
	case STORE_NOTICE_UNREADABLE:
		output_note(cli, "cannot read '%s': %s", quoted.data, n->text);
		break;
	case STORE_NOTICE_CHANGED:
		output_note(cli,
			"'%s' changed while it was read, twice; add it again when it is at rest",
			quoted.data);
		break;
	case STORE_NOTICE_BORDER:
		output_talk(cli, "'%s' is a repository of its own: not entered", quoted.data);
		break;
	case STORE_NOTICE_IGNORED:
		output_note(cli, "'%s' is ignored: not added; 'store add -f' takes it",
			quoted.data);
		break;
	case STORE_NOTICE_SPECIAL:
		output_talk(cli, "'%s' is no file, directory or symlink: left out", quoted.data);
		break;
	case STORE_NOTICE_LIMIT:
		output_note(cli, "'%s' is left out: %s", quoted.data, n->text);
		break;
	case STORE_NOTICE_CONFLICT:
		output_note(cli, "would be lost: '%s'%s%s", quoted.data, *n->text ? ": " : "",
			n->text);
		break;
	default:
		output_note(cli, "%s%s%s", *n->path ? quoted.data : "",
			*n->path && *n->text ? ": " : "", n->text);
		break;
	}
	line_release(&name);
	line_release(&quoted);
}

static void on_notice(void *payload, const struct store_notice *given)
{
	struct progress *p = payload;
	struct store_notice n = *given;

	n.path = n.path ? n.path : "";
	n.text = n.text ? n.text : "";
	if (p->notice && p->notice(p, &n))
		return;
	if (is_unsaid(p->cli, &n))
		return;
	if (p->cli->global.json)
		notice_json(&n);
	else
		notice_words(p->cli, &n);
}

void progress_begin(struct progress *p, struct cli *cli, struct store_callbacks *callbacks)
{
	p->cli = cli;
	p->visible = isatty(2) && !cli->global.quiet && !cli->global.no_progress &&
		!cli->global.json;
	p->start = p->sampled = progress_now();
	*callbacks = (struct store_callbacks){ on_progress, on_notice, p };
}

void progress_end(struct progress *p)
{
	const bool was_drawn = p->width > 0;

	if (was_drawn)
		draw(p, progress_now(), true);
	shown = NULL;
	if (was_drawn)
		output_stderr("\n", 1);
	p->width = 0;
}

void progress_finish(struct progress *p, int rc, const char *again)
{
	struct line size = { 0 };

	progress_end(p);
	if (rc != STORE_ECANCELED || !cli_signal())
		return;
	line_string(&size, p->counted ? p->counted : "files, ");
	if (!p->counted)
		line_size(&size, p->now.bytes);
	output_talk(p->cli, "interrupted after %llu %s; %s", (unsigned long long)p->now.files,
		size.data, again);
	line_release(&size);
}
