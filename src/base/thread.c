/*
 * A library's thread must not take the signals of its program: all are blocked in it, but those
 * that tell of a fault of the thread itself.
 *
 * Threads: this file starts them.
 */
#include "base/thread.h"

#include <signal.h>

#include "base/fault.h"

bool thread_start(pthread_t *thread, void *(*body)(void *), void *arg)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS,
		SIGPROF };
	sigset_t all, old;
	bool is_started;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	is_started = !FAULT("thread") && pthread_create(thread, NULL, body, arg) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return is_started;
}
