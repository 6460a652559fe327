/* The run of a checkout: for the commands checkout and switch. */
#ifndef STORE_CLI_CHECKOUT_H
#define STORE_CLI_CHECKOUT_H

#include "cli/cli.h"

/* Do it and tell of it; schema: of its JSON.  0 or STORE_E*. */
int checkout_run(struct cli *cli, struct store_checkout_options *o, const char *schema);

#endif
