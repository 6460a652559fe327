/* What walk and dupes share: forms of a list of files, where it goes, and options that choose
 * files. */
#ifndef STORE_CLI_LIST_FORMAT_H
#define STORE_CLI_LIST_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <store.h>
#include "cli/cli.h"
#include "cli/line.h"
#include "cli/sink.h"

enum list_format { LIST_TEXT, LIST_JSON, LIST_CSV };

/* Text on its way out. All zero but for cli, and for sink.fd, which is -1: to standard output. */
struct list_output {
	struct cli *cli;
	enum list_format format;
	struct sink sink;
	struct line text, path;
	int rc; /* why output ended; its line stands in cli->err */
};

void list_release(struct list_output *l);
/*
 * Path below root as from the current directory; below "." it goes without "./". Borrowed: valid
 * until the next call.
 */
const char *list_join(struct list_output *l, const char *root, const char *path);
/* A line of text with the path, C-quoted where it must be; under -z as it is, with NUL. */
void list_add_path(struct list_output *l, const char *path);
/*
 * A field of CSV. A name that is not plain text is C-quoted before the quoting of RFC 4180, and so
 * is one that begins like a C-quoted name, so that each field reads back to one name only.
 */
void list_csv_field(struct line *t, const char *name);
/* Write text, if force or when there is much of it. What went wrong is kept in rc. */
void list_write(struct list_output *l, bool force);

/* What of a file both tell in JSON. */
void list_json_file(struct line *t, uint32_t mode, int64_t mtime, uint32_t mtime_ns, uint64_t inode,
	uint64_t device);
/* seconds.nanoseconds. */
void list_csv_time(struct line *t, int64_t mtime, uint32_t mtime_ns);

/* The position of word among words, which end with NULL; false if it is none. NULL is the first. */
bool list_find_word(const char *word, const char *const *words, int *out);
/* The word of --format with --json and -z beside it.  0 or CLI_FAILED. */
int list_read_format(struct cli *cli, const char *word, enum list_format *out);
/* A number of bytes and more to it; NULL leaves *out.  0 or CLI_FAILED. */
int list_read_size(struct cli *cli, const char *option, const char *word, uint64_t more,
	uint64_t *out);
/* "jpg,.png" to "jpg" and "png", in memory of their own. Caller frees with strings_release_all. */
void list_split_names(const struct strings *lists, struct strings *out);

#endif
