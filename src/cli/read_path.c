/* Paths from standard input, for the commands that take them there. */
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

int cli_read_path(struct cli *cli, char **line, size_t *cap)
{
	const int end = cli->global.nul ? 0 : '\n';
	ssize_t n;

	do {
		errno = 0;
		n = getdelim(line, cap, end, stdin);
		if (cli_signal())
			return STORE_ECANCELED;
		if (n < 0 && ferror(stdin))
			return cli_fail(cli, STORE_EIO, errno, "cannot read standard input: %s",
				strerror(errno));
		if (n < 0)
			return 0;
		if ((*line)[n - 1] == end)
			(*line)[--n] = 0;
	} while (n == 0);
	if (strlen(*line) != (size_t)n ||
		(!cli->global.nul && **line == '"' && !line_unquote(*line)))
		return cli_fail(cli, STORE_EINVAL, 0,
			"a line of standard input is no path: it holds NUL or is not well quoted");
	if (!**line)
		return cli_fail(cli, STORE_EINVAL, 0,
			"a line of standard input is an empty path; '.' names the current directory");
	return 1;
}
