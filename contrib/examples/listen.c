#include "listen.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static pthread_mutex_t handle = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t count = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t left = PTHREAD_COND_INITIALIZER;
/* Their sockets: a place that is free holds -1. */
static int clients[MAX_CLIENTS];
static int n_clients;

void server_lock(struct server *s)
{
	(void)s;
	pthread_mutex_lock(&handle);
}

void server_unlock(struct server *s)
{
	(void)s;
	pthread_mutex_unlock(&handle);
}

long server_line(int fd, char *line, size_t len)
{
	for (size_t n = 0; n < len; n++) {
		const ssize_t got = read(fd, line + n, 1);

		if (got < 0 && errno == EINTR) {
			n--;
		} else if (got <= 0) {
			return -1;
		} else if (line[n] == '\n') {
			line[n] = '\0';
			return (long)n;
		}
	}
	return -1;
}

int server_write(int fd, const void *data, size_t len)
{
	for (const char *at = data; len > 0;) {
		const ssize_t put = write(fd, at, len);

		if (put < 0 && errno != EINTR)
			return -1;
		if (put > 0) {
			at += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

static int *find_client(int fd)
{
	for (int i = 0; i < MAX_CLIENTS; i++)
		if (clients[i] == fd)
			return &clients[i];
	return NULL;
}

static int is_full(void)
{
	int full;

	pthread_mutex_lock(&count);
	full = n_clients == MAX_CLIENTS;
	pthread_mutex_unlock(&count);
	return full;
}

/* Only this thread makes clients, and only where there is a place. */
static void enter_client(int fd)
{
	pthread_mutex_lock(&count);
	*find_client(-1) = fd;
	n_clients++;
	pthread_mutex_unlock(&count);
}

static void leave_client(int fd)
{
	pthread_mutex_lock(&count);
	*find_client(fd) = -1;
	n_clients--;
	close(fd);
	pthread_cond_broadcast(&left);
	pthread_mutex_unlock(&count);
}

/* What they wait for ends, and so do they. */
static void hang_up(void)
{
	pthread_mutex_lock(&count);
	for (int i = 0; i < MAX_CLIENTS; i++)
		if (clients[i] >= 0)
			shutdown(clients[i], SHUT_RDWR);
	while (n_clients > 0)
		pthread_cond_wait(&left, &count);
	pthread_mutex_unlock(&count);
}

struct client {
	struct server *server;
	int fd;
};

static void *serve_client(void *arg)
{
	const struct client c = *(struct client *)arg;

	free(arg);
	c.server->serve(c.server, c.fd);
	leave_client(c.fd);
	return NULL;
}

/* A connection that cannot be served is closed, and the client sees that. */
static void start_client(struct server *s, int fd)
{
	struct client *c = malloc(sizeof(*c));
	pthread_t thread;

	enter_client(fd);
	if (c) {
		c->server = s;
		c->fd = fd;
		if (pthread_create(&thread, NULL, serve_client, c) == 0) {
			pthread_detach(thread);
			return;
		}
	}
	free(c);
	leave_client(fd);
}

/* Listen at path; -1 with a line on standard error. */
static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "'%s' is too long for the path of a socket\n", path);
	} else {
		const mode_t mask = umask(077);

		memcpy(address.sun_path, path, strlen(path) + 1);
		if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			listen(fd, MAX_CLIENTS) == 0) {
			umask(mask);
			return fd;
		}
		fprintf(stderr, "cannot listen at '%s': %s\n", path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A descriptor that has something to read when the program is to end, or -1. */
static int take_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? signalfd(-1, &set, SFD_CLOEXEC) : -1;
}

static void accept_clients(struct server *s, int fd, int signals)
{
	struct pollfd wait[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = signals, .events = POLLIN } };

	while (wait[1].revents == 0) {
		const int full = is_full();

		/* With no place left, look again soon: a client may have gone. */
		wait[0].fd = full ? -1 : fd;
		if (poll(wait, 2, full ? 100 : -1) > 0 && wait[0].revents) {
			const int client = accept(fd, NULL, NULL);

			if (client >= 0)
				start_client(s, client);
		}
	}
}

static int open_here(struct store_repo **out, int write)
{
	const struct store_open_options options = { .write = write };
	struct store_error err = { 0 };
	const int rc = store_open(out, &options, &err);

	if (rc != 0)
		fprintf(stderr, "%s\n", err.msg);
	return rc;
}

int server_run(const char *path, int write, void (*serve)(struct server *s, int fd))
{
	struct server s = { .serve = serve };
	const int signals = take_signals();
	int fd = -1;

	memset(clients, 0xff, sizeof(clients));
	if (signals < 0 || open_here(&s.repo, write) != 0)
		return 1;
	fd = listen_at(path);
	if (fd >= 0) {
		accept_clients(&s, fd, signals);
		unlink(path);
		close(fd);
		hang_up();
	}
	close(signals);
	store_close(s.repo);
	return fd >= 0 ? 0 : 1;
}
