/*
 * getdents64 into one buffer that serves many directories.
 *
 * Fault point: getdents.
 */
#include "base/dents.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"

#define READ_BYTES (64u << 10)

int dents_init(struct dents *d)
{
	memset(d, 0, sizeof(*d));
	d->fd = -1;
	d->data = malloc(READ_BYTES);
	return d->data ? 0 : -1;
}

void dents_release(struct dents *d)
{
	free(d->data);
	memset(d, 0, sizeof(*d));
}

void dents_begin(struct dents *d, int fd)
{
	d->fd = fd;
	d->len = d->at = 0;
}

/* 1 when there is something in the buffer, 0 at the end, or -1 with errno. */
static int fill(struct dents *d)
{
	ssize_t n;

	do
		n = FAULT("getdents") ? -1 : getdents64(d->fd, d->data, READ_BYTES);
	while (n == -1 && errno == EINTR);
	d->at = 0;
	d->len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : (int)n;
}

int dents_next(struct dents *d, struct dent *out)
{
	for (;;) {
		const struct dirent64 *e;
		const int rc = d->at < d->len ? 1 : fill(d);

		if (rc <= 0)
			return rc;
		e = (const void *)(d->data + d->at);
		d->at += e->d_reclen;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		*out = (struct dent){ e->d_name, e->d_type };
		return 1;
	}
}
