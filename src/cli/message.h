/* Messages of commits and tags, from where they come to the form in which they are kept. */
#ifndef STORE_CLI_MESSAGE_H
#define STORE_CLI_MESSAGE_H

#include "cli/cli.h"
#include "cli/line.h"

/* Append paragraphs, an empty line between them. */
void message_join(struct line *t, const struct strings *paragraphs);
/* Append the text of a file, "-" being standard input.  STORE_EINVAL if it holds NUL. */
int message_read(struct cli *cli, const char *name, struct line *t);
/*
 * As git keeps messages: no blanks at the ends of lines, one empty line for several, none at the
 * beginning and end, LF behind the last.  comments: lines that begin with '#' go, too.
 */
void message_clean(struct line *t, bool comments);

/* Append the message of a commit, as it is stored.  0 or STORE_E*. */
int message_of(struct cli *cli, const struct store_id *commit, struct line *out);
/* Append its first line that is not empty, without LF. */
int message_subject_of(struct cli *cli, const struct store_id *commit, struct line *out);

#endif
