/* Errors as values: the three ways to fill the caller's error object. */
#ifndef STORE_BASE_ERROR_H
#define STORE_BASE_ERROR_H

/* The one upward include of the house: the error object is part of the promise. */
#include "store.h"

/*
 * Record code and a one-line message (printf format, no newline, no final stop).  err may be NULL.
 * Returns code, so that `return store_error_set(...)` is the usual form.  Never allocates.
 */
int store_error_set(struct store_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As store_error_set, code taken from errno, and ": <text of errno>" added. */
int store_error_sys(struct store_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Put "context: " in front of the message err holds and set its code.  When the line grows too
 * long the context is cut, never the cause.  Returns code.
 */
int store_error_wrap(struct store_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The STORE_E* code for an errno value: the one switch that knows both. */
int store_error_code(int sys);

/* Forget what err holds.  err may be NULL. */
void store_error_clear(struct store_error *err);

#endif
