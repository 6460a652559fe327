/* The pager: what a long text is shown with on a terminal. */
#ifndef STORE_CLI_PAGER_H
#define STORE_CLI_PAGER_H

#include "cli/cli.h"

/*
 * Put a pager behind standard output, if that is a terminal and one is wanted.  Call after cli_open
 * and before any output.
 */
void pager_start(const struct cli *cli);
/* Wait until it is left.  Standard output must be flushed; it is closed. */
void pager_wait(void);

#endif
