/* The file that -o names. */
#ifndef STORE_CLI_SINK_H
#define STORE_CLI_SINK_H

#include <stddef.h>
#include "cli/cli.h"
#include "cli/line.h"

/* All zero but for fd, which is -1, until it is opened. */
struct sink {
	int fd;
	struct line path; /* what is to become of it; empty when written in place */
	struct line tmp;
};

/*
 * Open path to be written: a symlink is followed; what is there and no regular file (a device, a
 * FIFO) is written as it is.  0 or STORE_E*; sink_close in any case.
 */
int sink_open(struct cli *cli, struct sink *sink, const char *path);
/* 0 or STORE_E*. */
int sink_write(struct cli *cli, struct sink *sink, const char *data, size_t len);
/* rc: how the writing went; only 0 lets the file appear.  Returns rc, or why closing failed. */
int sink_close(struct cli *cli, struct sink *sink, int rc);

#endif
