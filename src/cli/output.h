/*
 * Standard output through one buffer, and talk on standard error.  The state is the program's:
 * there is one of each.
 */
#ifndef STORE_CLI_OUTPUT_H
#define STORE_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include "cli/cli.h"
#include "cli/line.h"

/* Bytes to standard output.  After a failed write all further ones are dropped. */
void output_bytes(const void *data, size_t len);
void output_string(const char *s);
void output_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The text as it is; it is cleared. */
void output_text(struct line *t);
/* Write what is buffered.  0 or the errno of the first write that failed. */
int output_flush(void);
int output_errno(void);
bool output_is_terminal(void);
/* How wide a line may be: on a terminal COLUMNS, else what the terminal says; 80 elsewhere. */
unsigned int output_columns(void);
/* The line end of lists: LF, or NUL under -z. */
void output_line_end(const struct cli *cli);

/*
 * A path of the working tree: relative to the current directory and quoted, or under -z as it is
 * from the top.
 */
void output_path(struct line *t, const struct cli *cli, const char *path);

/*
 * Colours, each a string that is empty where colour is not wanted.  Decided once by
 * output_use_color.
 */
enum output_color { COLOR_OFF, COLOR_STAGED, COLOR_CHANGED, COLOR_ID, COLOR_BRANCH, COLOR_COUNT };
/* word: auto, always, never, or NULL for auto.  False if it is none of them. */
bool output_use_color(const char *word);
const char *output_color(enum output_color c);

/*
 * A line on standard error, "store: " in front.  talk_ is dropped under -q, note_ never is; in JSON
 * form both are a notice.
 */
void output_talk(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void output_note(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The one line that tells why the command failed. */
void output_error(const struct cli *cli, int code, int sys, const char *msg);
/* A usage error: the line, with the pointer to -h.  Returns CLI_FAILED. */
int output_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Raw bytes to standard error, whole where possible. */
void output_stderr(const char *data, size_t len);

#endif
