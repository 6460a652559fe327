/*
 * Which environments this process has open, by (device, inode) of their folder: LMDB forbids to
 * open one twice, so those who ask for the same folder share it. Also whether the process is still
 * the one that opened it.
 */
#ifndef STORE_ODB_ENV_REGISTRY_H
#define STORE_ODB_ENV_REGISTRY_H

#include <stdbool.h>
#include <sys/stat.h>

struct store_error;

/* One place of the registry: the first member of what is registered. */
struct env_place {
	dev_t dev;
	ino_t ino;
	unsigned int forks; /* of this process when it was opened */
	unsigned int refs;
	struct env_place *next;
};

/* Of what is registered nothing is opened or closed but between these two. */
void env_registry_lock(void);
void env_registry_unlock(void);
/* One reference more on what is registered for the folder; NULL: nothing is. */
struct env_place *env_registry_join(const struct stat *folder);
/* Register p, with one reference. */
void env_registry_add(struct env_place *p, const struct stat *folder);
/* One reference less.  True: that was the last, and p is off the registry. */
bool env_registry_leave(struct env_place *p);

/* Remember in which process p is opened. */
void env_registry_stamp(struct env_place *p);
/* Is this process a child of the one that opened p? */
bool env_registry_is_forked(const struct env_place *p);

/* STORE_EINVAL naming core.dbDir when path is on a network file system or FUSE. */
int env_registry_check_folder(const char *path, struct store_error *err);

#endif
