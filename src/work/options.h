/*
 * What every call that takes an options struct asks first: each begins with its version.
 */
#ifndef STORE_WORK_OPTIONS_H
#define STORE_WORK_OPTIONS_H

struct store_error;

/*
 * options: NULL, or a struct whose first member is an unsigned int, its version; name: the
 * struct's. Returns 0, or STORE_EINVAL when a program was compiled for a version that is not known
 * here.
 */
int options_check(const void *options, const char *name, struct store_error *err);

#endif
