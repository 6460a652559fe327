/*
 * The door of an environment: transactions go in and out, and who wants to grow or reopen it waits
 * until nobody is in and keeps everybody out.
 * Threads: any; lock guards the rest.
 */
#ifndef STORE_ODB_ENV_DOOR_H
#define STORE_ODB_ENV_DOOR_H

#include <pthread.h>
#include <stdbool.h>

struct env_door {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned int inside; /* guarded by lock: open transactions, sleeping ones not counted */
	bool shut;           /* guarded by lock: someone grows or reopens */
};

void env_door_init(struct env_door *d);
void env_door_release(struct env_door *d);
/* Go in, when it is open; whoever is in keeps it from being shut. */
void env_door_enter(struct env_door *d);
void env_door_leave(struct env_door *d);
/* Shut it behind the last one.  False: that did not happen within wait_s seconds (0: at once). */
bool env_door_shut(struct env_door *d, unsigned int wait_s);
void env_door_reopen(struct env_door *d);

#endif
