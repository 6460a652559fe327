/*
 * store help: on a terminal the manual page, when man is there and has it; else what -h prints. man
 * is asked first whether it has the page, so that nobody reads that there is none.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool man_has(const char *page)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (null < 0 || dup2(null, 1) != 1 || dup2(null, 2) != 2)
			_exit(127);
		execlp("man", "man", "-w", page, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int run(struct cli *cli, const void *data)
{
	const char *name = cli->args.n ? cli->args.items[0] : NULL;
	const struct command *c = name ? command_find(name) : NULL;
	struct line page = { 0 };

	(void)data;
	if (cli->args.n > 1)
		return output_usage(cli, "help takes one COMMAND, not '%s' as well",
			cli->args.items[1]);
	if (name && !c)
		return command_unknown(cli, name);
	line_format(&page, "store%s%s", c ? "-" : "", c ? c->name : "");
	if (output_is_terminal() && man_has(page.data))
		execlp("man", "man", page.data, (char *)NULL);
	line_release(&page);
	if (c)
		command_help(c);
	else
		command_help_all();
	return 0;
}

const struct command cmd_help = { "help", "[COMMAND]", "tell about a command", 0, 0, NULL, run };
