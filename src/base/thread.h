/*
 * Threads of the library's own.
 *
 * Threads: this starts them.
 */
#ifndef STORE_BASE_THREAD_H
#define STORE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/*
 * Start a thread that takes no signals: those are the program's. True if it runs; the caller joins
 * it.
 */
bool thread_start(pthread_t *thread, void *(*body)(void *), void *arg);

#endif
