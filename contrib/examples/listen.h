/*
 * What the two servers share: a socket in the file system that only its owner may use, and a thread
 * for each connection, at most MAX_CLIENTS of them.
 */
#ifndef EXAMPLES_LISTEN_H
#define EXAMPLES_LISTEN_H

#include <store.h>

enum { MAX_CLIENTS = 16 };

struct server {
	struct store_repo *repo;
	/* Serves the connection fd; the thread that calls it closes fd. */
	void (*serve)(struct server *s, int fd);
};

/* Calls on the handle itself are for one thread at a time: they go between these two. */
void server_lock(struct server *s);
void server_unlock(struct server *s);

/*
 * Read a line of fd into line (room for len bytes), without its newline. The number of its bytes,
 * or -1: the end, an error, or a line that is too long. No byte behind the newline is taken.
 */
long server_line(int fd, char *line, size_t len);

/* Write all of data; 0, or -1. */
int server_write(int fd, const void *data, size_t len);

/* Open the repository that the current directory lies in, and serve at the socket path until SIGINT
 * or SIGTERM; write: it will be changed.  The exit code of the program. */
int server_run(const char *path, int write, void (*serve)(struct server *s, int fd));

#endif
