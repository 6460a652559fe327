/*
 * tmp/: files of running writers. Each is held by an OFD lock from before its name exists until its
 * descriptor closes, so a file whose lock can be taken belongs to nobody and is deleted by whoever
 * comes next.
 */
#ifndef STORE_ODB_TMP_H
#define STORE_ODB_TMP_H

#include <stdbool.h>

struct store_error;

#define TMP_NAME 40 /* bytes of a name with its NUL: kind letter, '-', 32 hex digits */

/*
 * Make and lock a new file in tmp/ (dirfd), mode 0600. kind: 'w' a writer's sign of life, 'p' a
 * pack, 's' a spool. *fd is open for reading and writing; closing it gives the file up.
 */
int tmp_create(int dirfd, char kind, char name[TMP_NAME], int *fd, struct store_error *err);

/* Delete what dead writers left.  A folder that cannot be written is left as it is. */
int tmp_sweep(int dirfd, struct store_error *err);

/* Does a live writer hold the file?  Also true when that cannot be found out. */
bool tmp_is_held(int dirfd, const char *name);

#endif
