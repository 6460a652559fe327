/*
 * The pager is found as git's is: STORE_PAGER, core.pager, PAGER, less; empty or "cat" means none.
 * It runs through the shell, so its words may have options.  Nothing that the configuration of
 * another user's repository names is run: there core.pager is not asked at all.  What cannot be
 * started is no error: the text then goes to the terminal as it is.
 */
#include "cli/pager.h"
#include "cli/output.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pager_pid;

/* Mine: the folder belongs to who runs this, or to who called sudo. */
static bool is_mine(const struct store_repo *repo)
{
	const char *sudo = getenv("SUDO_UID");
	uint64_t uid;
	struct stat st;

	if (stat(store_dir(repo), &st) != 0)
		return false;
	if (st.st_uid == geteuid())
		return true;
	return geteuid() == 0 && sudo && line_to_number(sudo, false, UINT32_MAX, &uid) &&
		uid == st.st_uid;
}

/* Caller frees with free. */
static char *choose(const struct cli *cli)
{
	const char *word = getenv("STORE_PAGER");
	char *configured;

	if (word)
		return strdup(word);
	if (cli->repo && is_mine(cli->repo) &&
		store_config_get(cli->repo, "core.pager", &configured, NULL) == 0)
		return configured;
	word = getenv("PAGER");
	return strdup(word ? word : "less");
}

/*
 * In the child: become the pager.  less leaves at once when all fits, passes colours, and does not
 * clear the screen.
 */
static void become(const char *command, int input)
{
	if (dup2(input, 0) != 0)
		_exit(127);
	close(input);
	signal(SIGPIPE, SIG_DFL); /* what it runs may count on it */
	setenv("LESS", "FRX", 0);
	setenv("LESSCHARSET", "utf-8", 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* sh would complain itself; looking first keeps a machine without less quiet. */
static bool is_runnable(const char *command)
{
	const char *path = getenv("PATH");
	size_t len = strcspn(command, " \t");
	struct line t = { 0 };
	bool found = false;

	if (memchr(command, '/', len) || strcspn(command, "|&;<>()$`\\\"'=~{}*?[") < len)
		return true;
	while (path && *path && !found) {
		size_t n = strcspn(path, ":");

		line_clear(&t);
		line_add(&t, path, n);
		line_add(&t, "/", 1);
		line_add(&t, command, len);
		found = access(t.data, X_OK) == 0;
		path += n + (path[n] == ':');
	}
	line_release(&t);
	return found;
}

void pager_start(const struct cli *cli)
{
	int ends[2] = { -1, -1 };
	char *command;

	if (cli->global.no_pager || cli->global.json || cli->global.nul || !output_is_terminal())
		return;
	command = choose(cli);
	if (!command || !*command || strcmp(command, "cat") == 0 || !is_runnable(command))
		goto out;
	if (pipe2(ends, O_CLOEXEC) != 0)
		goto out;
	pager_pid = fork();
	if (pager_pid == 0)
		become(command, ends[0]);
	if (pager_pid > 0)
		dup2(ends[1], 1);
	else
		pager_pid = 0;
out:
	if (ends[0] != -1) {
		close(ends[0]);
		close(ends[1]);
	}
	free(command);
}

void pager_wait(void)
{
	if (!pager_pid)
		return;
	/* An interrupt is the pager's: who leaves before it leaves it without its terminal. */
	signal(SIGINT, SIG_IGN);
	close(1);
	while (waitpid(pager_pid, NULL, 0) < 0 && errno == EINTR)
		;
	pager_pid = 0;
}
