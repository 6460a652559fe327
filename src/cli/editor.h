/* The editor: what a message is written with. */
#ifndef STORE_CLI_EDITOR_H
#define STORE_CLI_EDITOR_H

#include "cli/cli.h"
#include "cli/line.h"

/*
 * Which one: a command for the shell, into command.  STORE_EINVAL where none is set and there is no
 * terminal to start vi on; hint tells how to do without.
 */
int editor_find(struct cli *cli, const char *hint, struct line *command);
/*
 * Let the user edit text (replaced by what they wrote) as the file NAME of the .store folder, whose
 * path goes to path; it stays there until editor_forget.  An editor that fails is STORE_EIO, a text
 * with a NUL in it STORE_EINVAL, and the line names the file.
 */
int editor_edit(struct cli *cli, const struct line *command, const char *name, struct line *path,
	struct line *text);
/* The file is no longer needed. */
void editor_forget(const struct line *path);

#endif
