/* The table of commands, and what is made of it: the help, and a guess at what was meant. */
#include "cli/cli.h"
#include "cli/output.h"
#include <string.h>

static const struct command *const commands[] = {
	&cmd_init,
	&cmd_add,
	&cmd_status,
	&cmd_check_ignore,
	&cmd_diff,
	&cmd_commit,
	&cmd_log,
	&cmd_show,
	&cmd_ls,
	&cmd_cat,
	&cmd_checkout,
	&cmd_reset,
	&cmd_restore,
	&cmd_rm,
	&cmd_mv,
	&cmd_put,
	&cmd_walk,
	&cmd_dupes,
	&cmd_branch,
	&cmd_switch,
	&cmd_tag,
	&cmd_reflog,
	&cmd_root,
	&cmd_info,
	&cmd_config,
	&cmd_fsck,
	&cmd_bench,
	&cmd_version,
	&cmd_help,
	&cmd_completion,
	NULL,
};

/* What other programs call it. */
static const struct {
	const char *word, *meant;
} foreign[] = {
	{ "snapshots", "log" },
	{ "snapshot", "commit" },
	{ "backup", "add" },
	{ "extract", "checkout --to" },
	{ "check", "fsck" },
	{ "verify", "fsck" },
	{ "list", "ls" },
	{ "dump", "cat" },
	{ "create", "init" },
	{ "scan", "walk" },
	{ "dedupe", "dupes" },
	{ "duplicates", "dupes" },
	{ NULL, NULL },
};

/* What git has and this has not: what to do instead. */
static const struct {
	const char *word, *instead;
} missing[] = {
	{ "clone", "'store checkout --to DIR' writes a tree elsewhere; there is no network yet" },
	{ "fetch", "there is no network yet" },
	{ "pull", "there is no network yet" },
	{ "push", "there is no network yet" },
	{ "remote", "there is no network yet" },
	{ "merge",
		"histories cannot be joined yet; 'store diff A...B' shows what a branch changed" },
	{ "rebase", "histories cannot be joined yet" },
	{ "cherry-pick", "'store restore --source REV PATH' takes content from a commit" },
	{ "revert", "'store restore --source REV PATH' brings content back" },
	{ "stash", "'store switch -c NAME' and a commit keep unfinished work" },
	{ "clean", "'store status -s' lists what is not tracked; rm(1) deletes it" },
	{ "gc", "nothing is collected yet" },
	{ "unstage", "'store restore --staged PATH' takes changes out of the stage" },
	{ "blame", "'store log -p PATH' shows who changed what" },
	{ "ignore", "rules stand in files named .storeignore; see storeignore(5)" },
	{ "ls-files", "'store ls -r :' lists what is staged" },
	{ "rev-parse",
		"'store log -n 1 REV' tells the id of a commit, 'store root REV' that of its tree" },
	{ NULL, NULL },
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return strcmp(name, cmd_complete.name) == 0 ? &cmd_complete : NULL;
}

const struct command *command_at(size_t i)
{
	size_t n = 0;

	while (commands[n])
		n++;
	return i < n ? commands[i] : NULL;
}

/* NULL when nothing is near. */
static const char *guess(const char *name)
{
	const char *nearest = NULL;
	unsigned int best = strlen(name) < 4 ? 2 : 3;

	for (size_t i = 0; foreign[i].word; i++)
		if (strcmp(foreign[i].word, name) == 0)
			return foreign[i].meant;
	for (size_t i = 0; commands[i]; i++) {
		unsigned int d = line_distance(name, commands[i]->name);

		if (d < best) {
			best = d;
			nearest = commands[i]->name;
		}
	}
	return nearest;
}

static const char *find_instead(const char *name)
{
	for (size_t i = 0; missing[i].word; i++)
		if (strcmp(missing[i].word, name) == 0)
			return missing[i].instead;
	return NULL;
}

int command_unknown(const struct cli *cli, const char *name)
{
	const char *instead = find_instead(name), *meant = guess(name);
	struct line t = { 0 };

	line_string(&t, "there is no command '");
	line_harmless(&t, name, strlen(name));
	if (instead)
		line_format(&t, "'; %s", instead);
	else if (meant)
		line_format(&t, "'; perhaps 'store %s'", meant);
	else
		line_string(&t, "'; 'store help' lists them");
	output_error(cli, STORE_EINVAL, 0, t.data);
	line_release(&t);
	return CLI_FAILED;
}

void command_help_all(void)
{
	struct line t = { 0 };

	line_string(&t, "usage: store [OPTION...] COMMAND [ARGUMENT...]\n\n");
	for (size_t i = 0; commands[i]; i++)
		line_format(&t, "  %-14s%s\n", commands[i]->name, commands[i]->summary);
	line_string(&t, "\nOptions of every command, before or after its name:\n\n");
	options_describe(&t, global_options);
	line_string(&t,
		"\n'store COMMAND -h' tells the options of a command, "
		"'store help COMMAND' its manual page.\n");
	output_text(&t);
	line_release(&t);
}

void command_help(const struct command *c)
{
	struct line t = { 0 };

	line_format(&t, "usage: store %s%s%s\n\n%s\n", c->name, *c->synopsis ? " " : "",
		c->synopsis, c->summary);
	if (c->options) {
		line_string(&t, "\n");
		options_describe(&t, c->options);
	}
	line_string(&t, "\n'store -h' tells the options of every command.\n");
	output_text(&t);
	line_release(&t);
}
