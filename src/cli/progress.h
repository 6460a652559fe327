/* What the library tells while it works: progress on a terminal, notices in words. */
#ifndef STORE_CLI_PROGRESS_H
#define STORE_CLI_PROGRESS_H

#include <stdbool.h>
#include <store.h>
#include "cli/cli.h"

struct progress {
	struct cli *cli;
	bool visible;              /* may be drawn at all */
	size_t width;              /* columns of the line that stands on the terminal, or 0 */
	char stage[40];            /* of the last call */
	struct store_progress now; /* of the last call; its stage is the one above */
	double start, last;        /* seconds: when the stage began, when the line was drawn */
	double rate, sampled;      /* bytes per second, smoothed, and when it was last looked at */
	uint64_t sample;           /* bytes of the stage then */
	/* What is counted, where that is no files and there are no bytes: "rounds".  Else NULL. */
	const char *counted;
	/* Shown a notice first; true: it has said what is to be said.  May be NULL. */
	bool (*notice)(struct progress *p, const struct store_notice *n);
	void *data; /* for notice */
};

/*
 * Fill p (zeroed but for counted, notice and data) and the callbacks that report to it.  Borrowed:
 * p must live as long as the operation.
 */
void progress_begin(struct progress *p, struct cli *cli, struct store_callbacks *callbacks);
/* The last line is kept. */
void progress_end(struct progress *p);
/*
 * Take the line away, if one is drawn, because something else is to be written to standard error.
 */
void progress_hide(void);
/*
 * The same, and if rc says that a signal ended the operation, how far it came; again: what to do to
 * go on.
 */
void progress_finish(struct progress *p, int rc, const char *again);
/* Seconds of a clock that never goes back. */
double progress_now(void);

#endif
