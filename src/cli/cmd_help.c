/*
 * store help: the manual page of a command or of a topic, by man where it has it, by mandoc where
 * only the file is found; else, of a command, what -h prints.  man is asked first whether it has
 * the page, so that nobody reads that there is none.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct help_options {
	int all;
};

static const struct option_spec table[] = {
	{ 'a', "all", OPTION_FLAG, offsetof(struct help_options, all), 1, NULL,
		"list the commands and the topics" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* Pages that are no command's. */
static const struct {
	const char *topic, *section, *page, *summary;
} topics[] = {
	{ "config", "5", "store-config", "settings, their types, and the files they stand in" },
	{ "format", "5", "store-format", "how a repository lies on disk" },
	{ "ignore", "5", "storeignore", "which paths are left out, and by which rules" },
	{ "json", "5", "store-json", "the members of what --json prints" },
	{ "performance", "7", "store-performance",
		"what costs what, and which setting helps when" },
	{ "revisions", "1", "store", "how commits and content are named" },
	{ "tutorial", "7", "storetutorial", "a first day, for somebody who knows git" },
};

enum { TOPICS = sizeof(topics) / sizeof(*topics) };

static bool man_has(const char *section, const char *page)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (null < 0 || dup2(null, 1) != 1 || dup2(null, 2) != 2)
			_exit(127);
		execlp("man", "man", "-w", section, page, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The page as a file, in one of the directories of a list with colons between them. */
static bool find_file(struct line *t, const char *list, const char *section, const char *page)
{
	for (size_t len; *list; list += len + (list[len] == ':')) {
		len = strcspn(list, ":");
		line_clear(t);
		line_add(t, list, len);
		line_format(t, "/man%s/%s.%s", section, page, section);
		if (len && access(t->data, R_OK) == 0)
			return true;
	}
	return false;
}

/* Returns only when the page could not be shown. */
static void show(const char *section, const char *page)
{
	const char *path = getenv("MANPATH");
	struct line t = { 0 };

	if (man_has(section, page))
		execlp("man", "man", section, page, (char *)NULL);
	if (find_file(&t, path && *path ? path : "/usr/local/share/man:/usr/share/man", section,
		    page))
		execlp("mandoc", "mandoc", "-a", t.data, (char *)NULL);
	line_release(&t);
}

static void list_all(void)
{
	const struct command *c;

	output_string("Commands:\n\n");
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		output_format("  %-14s%s\n", c->name, c->summary);
	output_string("\nTopics:\n\n");
	for (size_t i = 0; i < TOPICS; i++)
		output_format("  %-14s%s\n", topics[i].topic, topics[i].summary);
	output_string("\n'store help NAME' shows the manual page.\n");
}

static int help_command(const struct command *c)
{
	struct line page = { 0 };

	line_format(&page, "store-%s", c->name);
	show("1", page.data);
	line_release(&page);
	command_help(c);
	return 0;
}

static int unknown(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < TOPICS; i++)
		if (line_distance(name, topics[i].topic) < 3)
			return output_usage(cli, "there is no topic '%s'; perhaps '%s'", name,
				topics[i].topic);
	return command_unknown(cli, name);
}

const char *cmd_help_topic(size_t pos, const char **summary)
{
	if (pos >= TOPICS)
		return NULL;
	*summary = topics[pos].summary;
	return topics[pos].topic;
}

static int run(struct cli *cli, const void *data)
{
	const struct help_options *given = data;
	const char *name = cli->args.n ? cli->args.items[0] : NULL;
	const struct command *c = name ? command_find(name) : NULL;

	if (cli->args.n > 1)
		return output_usage(cli, "help takes one TOPIC, not '%s' as well",
			cli->args.items[1]);
	if (given->all && name)
		return output_usage(cli, "-a lists all and takes no '%s'", name);
	if (given->all || !name) {
		if (given->all)
			list_all();
		else
			command_help_all();
		return 0;
	}
	if (c)
		return help_command(c);
	for (size_t i = 0; i < TOPICS; i++) {
		if (strcmp(topics[i].topic, name) != 0)
			continue;
		show(topics[i].section, topics[i].page);
		return cli_fail(cli, STORE_ENOTFOUND, 0,
			"the manual page %s(%s) is not installed, or there is neither man nor mandoc",
			topics[i].page, topics[i].section);
	}
	return unknown(cli, name);
}

const struct command cmd_help = { "help", "[OPTION...] [TOPIC]", "show a manual page", 0,
	sizeof(struct help_options), table, run };
