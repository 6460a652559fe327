/* What the files of the command share: the state of one run, the table of commands, outcomes. */
#ifndef STORE_CLI_CLI_H
#define STORE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <store.h>
#include "cli/options.h"

/*
 * What a command returns: 0, a negative STORE_E* whose line stands in cli->err and is yet to be
 * printed, or one of these, for which all has been said.  main.c alone makes exit codes of them.
 */
enum {
	CLI_NO = 1,      /* the answer is no */
	CLI_FAILED = 2,  /* usage, or some of it could not be done */
	CLI_PARTIAL = 3, /* done, but some input could not be read */
};

/* Which of the options of every command a command can honour; the others it refuses. */
enum {
	TAKES_REPO = 1,   /* --store, --threads, -v: it opens a repository */
	TAKES_CONFIG = 2, /* -c */
	TAKES_JSON = 4,
	TAKES_NUL = 8, /* -z */
};

struct globals {
	struct strings directories; /* -C */
	struct strings config;      /* -c */
	const char *store_dir;
	const char *color;
	uint64_t threads;
	int quiet, verbose, json, nul, stats, no_pager, no_progress, help, version;
};

struct command;

struct cli {
	const struct command *command;
	struct globals global;
	struct store_repo *repo;   /* by cli_open; main.c closes it */
	struct store_error err;    /* for the library to fill */
	struct store_stats stats;  /* for --stats; a command copies its own here */
	struct strings args;       /* operands, in order */
	size_t args_before_dashes; /* how many of them stood before "--"; all of them without one */
	bool has_dashes;
};

struct command {
	const char *name;
	const char *synopsis; /* what follows the name */
	const char *summary;  /* one line */
	unsigned int takes;   /* TAKES_* */
	size_t options_size; /* bytes of the struct that the table fills; it is handed to run zeroed
				and filled */
	const struct option_spec *options;
	int (*run)(struct cli *cli, const void *options);
};

/* NULL when there is none of that name. */
const struct command *command_find(const char *name);
/* The one at position i of those that are listed, or NULL behind the last. */
const struct command *command_at(size_t i);
/* Print "'name' is no command" with what was perhaps meant.  Returns CLI_FAILED. */
int command_unknown(const struct cli *cli, const char *name);
/* The text of `store -h` and of `store COMMAND -h`, to standard output. */
void command_help_all(void);
void command_help(const struct command *command);
/* The options of every command. */
extern const struct option_spec global_options[];

/* Open the repository as the options say; write: the command changes it.  0 or STORE_E*. */
int cli_open(struct cli *cli, bool write);
/* The same for fsck --rebuild. */
int cli_open_for_rebuild(struct cli *cli);
/* Fill cli->err (sys: an errno or 0).  Returns code. */
int cli_fail(struct cli *cli, int code, int sys, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The signal that asked to end the run, or 0. */
int cli_signal(void);
/* True when going on makes no sense: a signal has come, or standard output cannot be written. */
bool cli_must_stop(void);

/*
 * An operand without a letter names nothing; it is a usage error that calls it by what.  0 or
 * CLI_FAILED.
 */
int cli_check_names(const struct cli *cli, const char *what, size_t from, size_t to);
/*
 * Put the operand, and the path it was resolved to when that is another, before the line in
 * cli->err, which tells why content could not be read.  Returns code.
 */
int cli_fail_reading(struct cli *cli, int code, const char *name, const char *path);

/*
 * Turn the operands from..to of cli->args into paths of the working tree, pushed to out.  0,
 * CLI_FAILED or STORE_E*. Caller frees with strings_release_all.
 */
int cli_paths(struct cli *cli, size_t from, size_t to, struct strings *out);

/*
 * The next path of standard input into *line (*cap bytes, from malloc or NULL): lines, C-quoted
 * where they begin with a double quote, or under -z ended by NUL and taken as they are; empty ones
 * are passed over. 1, 0 at the end, or STORE_E*. Caller frees *line with free.
 */
int cli_read_path(struct cli *cli, char **line, size_t *cap);

/*
 * Print the content of target as cat does; name: the operand it was resolved from; visible:
 * standard output is a terminal, which control characters must not reach.  0 or STORE_E*.
 */
int cmd_cat_print(struct cli *cli, const char *name, const struct store_target *target,
	bool visible);

/* The topic of help at pos, and what it is about; NULL behind the last. */
const char *cmd_help_topic(size_t pos, const char **summary);

extern const struct command cmd_add, cmd_cat, cmd_checkout, cmd_commit, cmd_config, cmd_fsck,
	cmd_help, cmd_info;
extern const struct command cmd_complete, cmd_completion;
extern const struct command cmd_branch, cmd_reflog, cmd_switch, cmd_tag;
extern const struct command cmd_check_ignore;
extern const struct command cmd_mv, cmd_put, cmd_reset, cmd_restore, cmd_rm;
extern const struct command cmd_init, cmd_log, cmd_ls, cmd_root, cmd_status, cmd_version;
extern const struct command cmd_bench, cmd_diff, cmd_dupes, cmd_show, cmd_walk;

#endif
