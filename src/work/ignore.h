/*
 * Which untracked paths are left out: the rules of `.storeignore` files, of `.store/info/exclude`
 * and of the user's own file, and one that is built in.
 *
 * Rules are read when the first path of a directory is asked about, and dropped when one outside of
 * it is: so a walk in order reads each file once and holds those of the directories it stands in,
 * and where nothing is untracked no file is read.
 */
#ifndef STORE_WORK_IGNORE_H
#define STORE_WORK_IGNORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_error;
struct store_repo;

/* The limits of rules; storeignore(5) prints the same. */
#define IGNORE_FILE_MAX (1u << 20)  /* bytes of one file */
#define IGNORE_PATTERN_MAX 4096u    /* bytes of one pattern */
#define IGNORE_BYTES_MAX (2u << 20) /* bytes of all files that are in force together */
#define IGNORE_COUNT_MAX 32768u     /* patterns of all of them */

enum ignore_state {
	IGNORE_TAKEN,   /* it is not ignored */
	IGNORE_LEFT,    /* it is ignored, or a directory above it is */
	IGNORE_UNKNOWN, /* rules above it cannot be read: it is neither taken nor called ignored */
};

/* What is known of a path.  Borrowed: valid until the next call on the struct ignore. */
struct ignore_verdict {
	enum ignore_state state;
	/*
	 * The file of the rule that decides, from the top or absolute; IGNORE_BUILT_IN; NULL: no
	 * rule.
	 */
	const char *source;
	uint64_t line;       /* from 1; 0: built in */
	const char *pattern; /* as it stands in the file; NULL when source is */
	bool is_negated;
	/*
	 * IGNORE_UNKNOWN: the rules file that is unreadable, from the top or "" for one outside of
	 * the working tree, and why; is_news: it was found so by this call, and is worth telling.
	 */
	const char *failed, *why;
	bool is_news;
};

#define IGNORE_BUILT_IN "built-in"

struct ignore;
/* NULL: out of memory.  repo must live longer.  Caller frees with ignore_free. */
struct ignore *ignore_new(struct store_repo *repo);
/* g may be NULL. */
void ignore_free(struct ignore *g);

/*
 * Is the untracked path (len bytes, not empty, from the top) ignored? Directories above it that
 * are, are so whether tracked or not: nothing is re-included below one. Reads the rules of
 * directories that the call before did not stand in. STORE_ENOMEM.
 */
int ignore_check(struct ignore *g, const char *path, size_t len, bool is_dir,
	struct ignore_verdict *v, struct store_error *err);

#endif
