/*
 * The process-wide registry of environments. A child of fork inherits it with all that is in it,
 * and must use none of that (LMDB's locks belong to the parent): so each entry remembers the
 * number of forks that lay before it, and one of another number is not found.
 *
 * Threads: the list under registry_lock; fork_count changes only in a child, before it has a
 * second thread.
 */
#include "odb/env_registry.h"

#include <pthread.h>
#include <sys/vfs.h>

#include "base/error.h"

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct env_place *registry;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static unsigned int fork_count; /* in a child one more than in its parent; asked at every look-up */

static void count_fork(void)
{
	fork_count++;
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, count_fork);
}

void env_registry_lock(void)
{
	pthread_once(&fork_once, watch_forks);
	pthread_mutex_lock(&registry_lock);
}

void env_registry_unlock(void)
{
	pthread_mutex_unlock(&registry_lock);
}

struct env_place *env_registry_join(const struct stat *folder)
{
	for (struct env_place *p = registry; p; p = p->next) {
		if (p->dev == folder->st_dev && p->ino == folder->st_ino &&
			p->forks == fork_count) {
			p->refs++;
			return p;
		}
	}
	return NULL;
}

void env_registry_add(struct env_place *p, const struct stat *folder)
{
	p->dev = folder->st_dev;
	p->ino = folder->st_ino;
	p->refs = 1;
	p->next = registry;
	registry = p;
}

bool env_registry_leave(struct env_place *p)
{
	struct env_place **at = &registry;

	if (--p->refs > 0)
		return false;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	return true;
}

void env_registry_stamp(struct env_place *p)
{
	p->forks = fork_count;
}

bool env_registry_is_forked(const struct env_place *p)
{
	return p->forks != fork_count;
}

int env_registry_check_folder(const char *path, struct store_error *err)
{
	static const unsigned long remote[] = { 0x6969, 0xff534d42, 0xfe534d42, 0x517b, 0x01021997,
		0x65735546 };
	struct statfs fs;

	if (statfs(path, &fs) != 0)
		return store_error_sys(err, "cannot look at '%s'", path);
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
		if (((unsigned long)fs.f_type & 0xffffffff) == remote[i])
			return store_error_set(err, STORE_EINVAL,
				"cannot use '%s': its file system is remote or FUSE, where memory maps of a database are unsafe; set core.dbDir to a local folder",
				path);
	}
	return 0;
}
