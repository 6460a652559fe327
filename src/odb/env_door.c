/*
 * LMDB may change its map and be closed only while no transaction of the process is open, and knows
 * of no lock for that. This is one: a count of those inside, and a flag that keeps others out.
 *
 * Threads: any; inside and shut under lock.
 */
#include "odb/env_door.h"

#include <time.h>

void env_door_init(struct env_door *d)
{
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->idle, NULL);
	d->inside = 0;
	d->shut = false;
}

void env_door_release(struct env_door *d)
{
	pthread_cond_destroy(&d->idle);
	pthread_mutex_destroy(&d->lock);
}

void env_door_enter(struct env_door *d)
{
	pthread_mutex_lock(&d->lock);
	while (d->shut)
		pthread_cond_wait(&d->idle, &d->lock);
	d->inside++;
	pthread_mutex_unlock(&d->lock);
}

void env_door_leave(struct env_door *d)
{
	pthread_mutex_lock(&d->lock);
	if (--d->inside == 0)
		pthread_cond_broadcast(&d->idle);
	pthread_mutex_unlock(&d->lock);
}

bool env_door_shut(struct env_door *d, unsigned int wait_s)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += wait_s;
	pthread_mutex_lock(&d->lock);
	while ((d->inside > 0 || d->shut) && rc == 0)
		rc = pthread_cond_timedwait(&d->idle, &d->lock, &until);
	if (rc == 0)
		d->shut = true;
	pthread_mutex_unlock(&d->lock);
	return rc == 0;
}

void env_door_reopen(struct env_door *d)
{
	pthread_mutex_lock(&d->lock);
	d->shut = false;
	pthread_cond_broadcast(&d->idle);
	pthread_mutex_unlock(&d->lock);
}
