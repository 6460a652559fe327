/* The names in a directory, in the order in which the file system has them. */
#ifndef STORE_BASE_DENTS_H
#define STORE_BASE_DENTS_H

#include <stddef.h>
#include <stdint.h>

/* All zero until dents_init. */
struct dents {
	int fd; /* of the directory that is read; borrowed */
	uint8_t *data;
	size_t len, at;
};

struct dent {
	const char *name; /* NUL-terminated; borrowed: valid until the next dents_next */
	uint8_t type;     /* DT_*; DT_UNKNOWN where the file system does not tell */
};

/* Take 64 KiB to read into.  0, or -1 with errno. */
int dents_init(struct dents *d);
void dents_release(struct dents *d);
/* Begin with the directory open at fd, from where it stands. */
void dents_begin(struct dents *d, int fd);
/* The next name but "." and "..": 1, 0 at the end, or -1 with errno. */
int dents_next(struct dents *d, struct dent *out);

#endif
