/*
 * The editor is found as git's is: STORE_EDITOR, core.editor, VISUAL, EDITOR, vi; it runs through
 * the shell, so its words may have options. What is set is run even without a terminal, because
 * programs edit, too; vi is not, for it would wait for keys that never come. The configuration of
 * another user's repository names none: the library leaves such keys out.
 *
 * The file is made anew each time, with O_EXCL, so that nothing is written through a link that lies
 * there, and given to the owner of the folder when root works in it. While the editor runs, SIGINT
 * and SIGQUIT are its own, as in system(3).
 */
#include "cli/editor.h"
#include "cli/output.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 4 << 20 }; /* bytes read back: more than any message may have */

int editor_find(struct cli *cli, const char *hint, struct line *command)
{
	static const char *const variables[] = { "VISUAL", "EDITOR" };
	const char *word = NULL;
	char *configured = NULL;
	int rc = store_config_get(cli->repo, "core.editor", &configured, &cli->err);

	if (rc != 0 && rc != STORE_ENOTFOUND)
		return rc;
	if (rc == 0 && *configured)
		word = configured;
	for (size_t i = 0; !word && i < sizeof(variables) / sizeof(*variables); i++) {
		word = getenv(variables[i]);
		word = word && *word ? word : NULL;
	}
	if (!word && isatty(0) && isatty(1))
		word = "vi";
	line_string(command, word ? word : "");
	free(configured);
	return word ? 0 : cli_fail(cli, STORE_EINVAL, 0, "%s", hint);
}

static int fail_file(struct cli *cli, const char *what, const char *path)
{
	const int saved = errno;

	return cli_fail(cli, saved == ENOSPC ? STORE_ENOSPACE : STORE_EIO, saved,
		"cannot %s '%s': %s", what, path, strerror(saved));
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(struct cli *cli, const char *path, const struct line *text)
{
	struct stat st;
	int fd, rc = 0;

	if (unlink(path) != 0 && errno != ENOENT)
		return fail_file(cli, "remove", path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd == -1)
		return fail_file(cli, "create", path);
	if (geteuid() == 0 && stat(store_dir(cli->repo), &st) == 0 &&
		fchown(fd, st.st_uid, st.st_gid) != 0)
		rc = fail_file(cli, "give away", path);
	if (rc == 0 && write_all(fd, text->data, text->len) != 0)
		rc = fail_file(cli, "write", path);
	if (close(fd) != 0 && rc == 0)
		rc = fail_file(cli, "write", path);
	return rc;
}

static int read_file(struct cli *cli, const char *path, struct line *text)
{
	char bytes[8192];
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), rc = 0;

	line_clear(text);
	if (fd == -1)
		return fail_file(cli, "open", path);
	while (rc == 0 && n != 0) {
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno != EINTR)
			rc = fail_file(cli, "read", path);
		if (n > 0)
			line_add(text, bytes, (size_t)n);
		if (rc == 0 && text->len > TEXT_MAX)
			rc = cli_fail(cli, STORE_EINVAL, 0, "'%s' is longer than %d bytes", path,
				TEXT_MAX);
	}
	close(fd);
	if (rc == 0 && text->len && memchr(text->data, 0, text->len))
		rc = cli_fail(cli, STORE_EINVAL, 0, "'%s' holds a NUL byte: it is no message",
			path);
	return rc;
}

/* In the child: "$@" is the file, so no byte of its name means anything to the shell. */
static void become(const char *command, const char *path)
{
	struct line script = { 0 };

	signal(SIGPIPE, SIG_DFL);
	line_format(&script, "%s \"$@\"", command);
	execl("/bin/sh", "sh", "-c", script.data, command, path, (char *)NULL);
	_exit(127);
}

/* What the child ended with; a signal that asks us to end is passed on to it. */
static int wait_for(pid_t pid)
{
	bool passed = false;
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
		if (cli_signal() && !passed)
			kill(pid, SIGTERM);
		passed = cli_signal() != 0;
	}
	return status;
}

static int run_editor(const char *command, const char *path)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction interrupt, quit;
	int status = -1;
	pid_t pid;

	output_flush();
	pid = fork();
	if (pid == 0)
		become(command, path);
	if (pid < 0)
		return -1;
	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	status = wait_for(pid);
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	return status;
}

int editor_edit(struct cli *cli, const struct line *command, const char *name, struct line *path,
	struct line *text)
{
	int rc, status;

	line_format(path, "%s/%s", store_dir(cli->repo), name);
	rc = write_file(cli, path->data, text);
	if (rc != 0)
		return rc;
	status = run_editor(command->data, path->data);
	if (cli_signal())
		return cli_fail(cli, STORE_ECANCELED, 0, "interrupted");
	if (status == 0)
		return read_file(cli, path->data, text);
	if (status == -1)
		return cli_fail(cli, STORE_EIO, 0, "the editor '%.100s' could not be started",
			command->data);
	return cli_fail(cli, STORE_EIO, 0,
		"the editor '%.100s' ended with %s %d; the text is kept in '%s'", command->data,
		WIFEXITED(status) ? "exit code" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), path->data);
}

void editor_forget(const struct line *path)
{
	if (path->len)
		unlink(path->data);
}
