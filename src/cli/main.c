/*
 * The command.  main reads the options that every command takes, finds the command, runs it, and
 * is the one place where outcomes become exit codes (exit_code_of), where standard output is found
 * to have failed, and where signals end the run:
 *
 * SIGINT, SIGTERM and SIGHUP set a flag; callbacks and loops see it and stop; the repository is
 * closed, then the signal is raised again, so that the shell sees a death by that signal.  A second
 * SIGINT kills at once.  One that was ignored when the program began stays ignored (nohup).
 *
 * SIGPIPE is ignored; the write fails with EPIPE, and the run ends in silence and by SIGPIPE.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/json.h"
#include "cli/pager.h"
#include "cli/progress.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GLOBAL(field) offsetof(struct globals, field)

const struct option_spec global_options[] = {
	{ 'C', NULL, OPTION_LIST, GLOBAL(directories), 0, "DIR",
		"run as if started in DIR; a second one is relative to the first" },
	{ 0, "store", OPTION_STRING, GLOBAL(store_dir), 0, "DIR",
		"the .store folder itself, instead of looking for it" },
	{ 'c', NULL, OPTION_LIST, GLOBAL(config), 0, "KEY=VALUE",
		"a configuration value that goes before all files" },
	{ 'q', "quiet", OPTION_FLAG, GLOBAL(quiet), 1, NULL, "no talk: errors and data only" },
	{ 'v', "verbose", OPTION_FLAG, GLOBAL(verbose), 1, NULL,
		"more talk: which repository, what was left out" },
	{ 0, "json", OPTION_FLAG, GLOBAL(json), 1, NULL, "machine form: one JSON object per line" },
	{ 'z', NULL, OPTION_FLAG, GLOBAL(nul), 1, NULL,
		"lines end with NUL, paths from the top and unquoted" },
	{ 0, "color", OPTION_STRING, GLOBAL(color), 0, "auto|always|never",
		"when to colour; auto: on a terminal" },
	{ 0, "no-pager", OPTION_FLAG, GLOBAL(no_pager), 1, NULL,
		"write long output to the terminal as it is" },
	{ 0, "no-progress", OPTION_FLAG, GLOBAL(no_progress), 1, NULL, "draw no progress" },
	{ 0, "threads", OPTION_NUMBER, GLOBAL(threads), 1024, "N",
		"threads for bulk work, at most; one per processor otherwise" },
	{ 0, "stats", OPTION_FLAG, GLOBAL(stats), 1, NULL,
		"at the end tell what was counted, on standard error" },
	{ 'h', "help", OPTION_FLAG, GLOBAL(help), 1, NULL, "tell the options" },
	{ 0, "version", OPTION_FLAG, GLOBAL(version), 1, NULL, "print the version" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* --- signals ------------------------------------------------------------------------------- */

static volatile sig_atomic_t caught;

int cli_signal(void)
{
	return caught;
}

bool cli_must_stop(void)
{
	return caught != 0 || output_errno() != 0;
}

static void on_signal(int number)
{
	if (caught == SIGINT && number == SIGINT) {
		signal(SIGINT, SIG_DFL);
		raise(SIGINT);
	}
	if (!caught)
		caught = number;
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction old, new = { .sa_handler = on_signal };

	sigemptyset(&new.sa_mask);
	new.sa_flags = SA_NODEFER;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &new, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Die as the signal would have had us die, now that all is cleaned up. */
static int die_by(int number)
{
	signal(number, SIG_DFL);
	raise(number);
	return 128 + number;
}

/*
 * A program started with 0, 1 or 2 closed must not find its files under these numbers: what is
 * written there has to fail, and what is read from 0, too: it is not an empty file.
 */
static void occupy_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
		if (fd == 0) {
			close(fd);
			fd = open("/dev/null", O_WRONLY);
		}
	} while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/* --- what commands call -------------------------------------------------------------------- */

/* color.ui decides where --color was not given. */
static int apply_color(struct cli *cli)
{
	char *word = NULL;
	int rc = 0;

	if (cli->global.color || cli->global.json || cli->global.nul ||
		store_config_get(cli->repo, "color.ui", &word, NULL) != 0)
		return 0;
	if (!output_use_color(word))
		rc = cli_fail(cli, STORE_EINVAL, 0, "color.ui is auto, always or never, not '%s'",
			word);
	free(word);
	return rc;
}

static int open_with(struct cli *cli, bool write, bool rebuild)
{
	struct store_open_options o = { 0 };
	int rc;

	o.store_dir = cli->global.store_dir;
	o.config = (const char *const *)cli->global.config.items;
	o.threads = (unsigned int)cli->global.threads;
	o.write = write;
	rc = rebuild ? store_open_for_rebuild(&cli->repo, &o, &cli->err)
		     : store_open(&cli->repo, &o, &cli->err);
	if (rc == 0)
		rc = apply_color(cli);
	if (rc == 0 && cli->global.verbose)
		output_talk(cli, "repository '%s'", store_dir(cli->repo));
	return rc;
}

int cli_open(struct cli *cli, bool write)
{
	return open_with(cli, write, false);
}

int cli_open_for_rebuild(struct cli *cli)
{
	return open_with(cli, true, true);
}

int cli_fail(struct cli *cli, int code, int sys, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cli->err.msg, sizeof(cli->err.msg), fmt, ap);
	va_end(ap);
	cli->err.code = code;
	cli->err.sys = sys;
	return code;
}

/* A name in quotes, cut to room bytes; what is too long ends in dots. */
static void add_name(struct line *t, const char *name, size_t room)
{
	const size_t len = strlen(name);

	line_format(t, "'%.*s%s'", (int)(len < room ? len : room), name, len > room ? "..." : "");
}

int cli_fail_reading(struct cli *cli, int code, const char *name, const char *path)
{
	enum { WORDS = 40, LEAST = 16 };
	char why[sizeof(cli->err.msg)];
	struct line t = { 0 };
	size_t room;

	/* When the line grows too long the names are cut, never the cause. */
	snprintf(why, sizeof(why), "%s", cli->err.msg);
	room = sizeof(why) - strlen(why);
	room = room > WORDS + 2 * LEAST ? (room - WORDS) / 2 : LEAST;
	line_string(&t, "cannot read ");
	add_name(&t, name, room);
	if (strcmp(name, path) != 0) {
		line_string(&t, " (path ");
		add_name(&t, path, room);
		line_string(&t, ")");
	}
	cli_fail(cli, code, cli->err.sys, "%s: %s", t.data, why);
	line_release(&t);
	return code;
}

int cli_check_names(const struct cli *cli, const char *what, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (!cli->args.items[i][0])
			return output_usage(cli, "a %s is empty; '.' names the current directory",
				what);
	return 0;
}

int cli_paths(struct cli *cli, size_t from, size_t to, struct strings *out)
{
	char *path;
	int rc = cli_check_names(cli, "PATH", from, to);

	if (rc != 0)
		return rc;
	for (size_t i = from; i < to; i++) {
		rc = store_operand(cli->repo, cli->args.items[i], &path, &cli->err);
		if (rc != 0)
			return rc;
		strings_push(out, path);
	}
	return 0;
}

/* --- the end of a run ---------------------------------------------------------------------- */

/* Exit codes are made here and nowhere else; the table is in store(1). */
static int exit_code_of(int outcome)
{
	if (outcome >= 0)
		return outcome;
	switch (outcome) {
	case STORE_EEMPTY:
		return 1;
	case STORE_ECORRUPT:
	case STORE_EMISSING:
		return 4;
	case STORE_EBUSY:
	case STORE_ENET:
		return 5;
	default:
		return 2;
	}
}

static void print_failure(const struct cli *cli, int rc)
{
	if (cli->err.msg[0])
		output_error(cli, rc, cli->err.sys, cli->err.msg);
	else
		output_error(cli, rc, 0, "it could not be done, and the library gave no reason");
}

static void print_stats(const struct cli *cli)
{
	const struct store_stats *s = &cli->stats;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "files", s->files },
		{ "bytes", s->bytes },
		{ "opened", s->opened },
		{ "chunks", s->chunks },
		{ "new chunks", s->new_chunks },
		{ "new objects", s->new_objects },
		{ "new bytes", s->new_bytes },
		{ "stored bytes", s->stored_bytes },
		{ "decoded bytes", s->decoded_bytes },
		{ "nodes read", s->nodes_read },
		{ "publications", s->publications },
		{ "peak anon", s->peak_anon },
		{ "peak rss", s->peak_rss },
	};
	struct line t = { 0 };

	if (cli->global.json) {
		json_begin(&t, "store/stats/1");
		json_stats(&t, &cli->stats);
		json_end(&t);
	} else {
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
			line_format(&t, "%s: %llu\n", rows[i].name,
				(unsigned long long)rows[i].value);
		if (s->stored_bytes)
			line_format(&t, "ratio: %.2f\n",
				(double)s->bytes / (double)s->stored_bytes);
		line_format(&t, "seconds: %.3f\n", s->seconds);
	}
	output_stderr(t.data, t.len);
	line_release(&t);
}

static int finish(struct cli *cli, int rc, double began)
{
	const bool canceled = caught && (rc == STORE_ECANCELED || rc == 0);
	int lost;

	if (rc < 0 && !canceled && !(rc == STORE_ECANCELED && output_errno()))
		print_failure(cli, rc);
	lost = output_flush();
	pager_wait();
	if (cli->global.stats && cli->command && !cli->global.help) {
		store_stats_memory(&cli->stats);
		if (cli->repo)
			store_stats_reads(cli->repo, &cli->stats);
		cli->stats.seconds = progress_now() - began;
		print_stats(cli);
	}
	store_close(cli->repo);
	strings_release(&cli->args);
	options_release(&(struct options_target){ global_options, &cli->global });
	if (canceled && rc == STORE_ECANCELED)
		return die_by(caught);
	if (lost == EPIPE)
		return die_by(SIGPIPE);
	if (lost) {
		print_failure(cli,
			cli_fail(cli, lost == ENOSPC ? STORE_ENOSPACE : STORE_EIO, lost,
				"cannot write to standard output: %s", strerror(lost)));
		return exit_code_of(CLI_FAILED);
	}
	return exit_code_of(rc);
}

/* --- the beginning ------------------------------------------------------------------------- */

/*
 * The options of every command that this one cannot honour are refused: none is accepted and
 * ignored.
 */
static int check_taken(const struct cli *cli)
{
	const struct globals *g = &cli->global;
	const struct {
		bool given;
		unsigned int needs;
		const char *option;
	} rows[] = {
		{ g->store_dir, TAKES_REPO, "--store" },
		{ g->threads, TAKES_REPO, "--threads" },
		{ g->verbose, TAKES_REPO, "-v" },
		{ g->config.n, TAKES_CONFIG, "-c" },
		{ g->json, TAKES_JSON, "--json" },
		{ g->nul, TAKES_NUL, "-z" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].given && !(cli->command->takes & rows[i].needs))
			return output_usage(cli, "%s does not take %s", cli->command->name,
				rows[i].option);
	return 0;
}

static int apply_globals(struct cli *cli)
{
	const struct globals *g = &cli->global;

	if (!output_use_color(g->color))
		return output_usage(cli, "--color is auto, always or never, not '%s'", g->color);
	if (g->store_dir && !*g->store_dir)
		return output_usage(cli, "--store wants the folder of a repository");
	if (g->json || g->nul)
		output_use_color("never"); /* machine forms have none, whatever is asked for */
	for (size_t i = 0; i < g->config.n; i++)
		if (!strchr(g->config.items[i], '=') || g->config.items[i][0] == '=')
			return output_usage(cli, "-c wants KEY=VALUE, not '%s'",
				g->config.items[i]);
	for (size_t i = 0; i < g->directories.n; i++)
		if (g->directories.items[i][0] && chdir(g->directories.items[i]) != 0)
			return cli_fail(cli, STORE_ENOTFOUND, errno, "cannot go to '%s': %s",
				g->directories.items[i], strerror(errno));
	return 0;
}

/* The command and its words. */
static int run_command(struct cli *cli, char **argv)
{
	const struct command *c = cli->command;
	void *own = line_realloc(NULL, c->options_size);
	const struct options_target targets[] = { { c->options, own },
		{ global_options, &cli->global } };
	struct line problem = { 0 };
	long dashes;
	int rc;

	memset(own, 0, c->options_size);
	if (options_parse(argv, targets, 2, false, &cli->args, &dashes, &problem) < 0) {
		rc = output_usage(cli, "%s", problem.data);
		goto out;
	}
	cli->has_dashes = dashes >= 0;
	cli->args_before_dashes = dashes >= 0 ? (size_t)dashes : cli->args.n;
	rc = 0;
	if (cli->global.help) {
		command_help(c);
		goto out;
	}
	if (cli->global.version) {
		rc = cmd_version.run(cli, NULL);
		goto out;
	}
	rc = check_taken(cli);
	if (rc == 0)
		rc = apply_globals(cli);
	if (rc == 0)
		rc = c->run(cli, own);
out:
	line_release(&problem);
	options_release(&targets[0]);
	free(own);
	return rc;
}

static int run(struct cli *cli, char **argv)
{
	const struct options_target target = { global_options, &cli->global };
	struct line problem = { 0 };
	long dashes;
	int used = options_parse(argv, &target, 1, true, &cli->args, &dashes, &problem), rc;

	if (used < 0)
		rc = output_usage(cli, "%s", problem.data);
	else if (cli->global.version || (!argv[used] && cli->global.verbose))
		rc = cmd_version.run(cli, NULL);
	else if (!argv[used] && cli->global.help)
		rc = (command_help_all(), 0);
	else if (!argv[used])
		rc = output_usage(cli, "no command is given");
	else if (!(cli->command = command_find(argv[used])))
		rc = command_unknown(cli, argv[used]);
	else
		rc = run_command(cli, argv + used + 1);
	line_release(&problem);
	return rc;
}

int main(int argc, char **argv)
{
	struct cli cli = { 0 };
	const double began = progress_now();
	int rc;

	occupy_standard_descriptors();
	catch_signals();
	rc = argc > 0 ? run(&cli, argv + 1) : CLI_FAILED;
	return finish(&cli, rc, began);
}
