/*
 * Names in a working tree that are the command's own: temporaries of a checkout. They are never
 * listed, so never shown and never staged, and who meets one whose writer is dead removes it.
 */
#ifndef STORE_WORK_LEFTOVER_H
#define STORE_WORK_LEFTOVER_H

#include <stdbool.h>

/* ".store-tmp-", 32 hex digits of the run, '-', a number in hex. */
#define LEFTOVER_PREFIX ".store-tmp-"
/* In a folder that `checkout --to` has not finished: which checkout that is. */
#define LEFTOVER_TO ".store-tmp-to"

/* Is it one of these names?  Others that begin alike are the user's. */
bool leftover_is(const char *name);
/*
 * Remove temporaries of dead runs from an open directory; a live one holds the lock of the file
 * "c-RUN" in the folder tmp_fd, or, with `--to`, of the mark in a folder above. own: a run that
 * lives without the one, "c-RUN"; NULL: none. own_mark: the mark it holds; -1: none. What cannot be
 * removed stays for the next.
 */
void leftover_sweep(int dirfd, int tmp_fd, const char *own, int own_mark);

#endif
