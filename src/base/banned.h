/*
 * Calls that have a safer sister in this house.  Forced into every file by the Makefile (-include).
 */
#ifndef STORE_BASE_BANNED_H
#define STORE_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros in some libcs and with _FORTIFY_SOURCE; poison wants plain names. */
#undef alloca
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gmtime localtime ctime \
	asctime alloca gets

#endif
