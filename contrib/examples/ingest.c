/*
 * ingest SOCKET: stage what clients send.
 *
 * A client writes the line "SIZE PATH", PATH being that of the file that is to come to be, from the
 * top of the working tree, and then SIZE bytes. The answer is a line, "ok ID NEW", NEW being the
 * bytes that the repository did not have, or "error TEXT", which ends the connection. Then comes
 * the next file. Of a client that stops before its SIZE bytes nothing is staged, and memory does
 *not grow with them. `store commit` makes a commit of it all.
 *
 *	cc -o ingest ingest.c listen.c $(pkg-config --cflags --libs store) -lpthread
 *	./ingest /run/user/1000/ingest &
 *	{ stat -c '%s logs/today' log; cat log; } | socat -t 60 - UNIX:/run/user/1000/ingest
 */
#include "listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 8192 };

/* What is still to come of a file. */
struct body {
	int fd;
	uint64_t left;
};

/* The source of a writer; a client that leaves early stops it, so that nothing is staged. */
static ptrdiff_t read_body(void *payload, void *data, size_t len)
{
	struct body *b = payload;
	ssize_t got;

	if (b->left == 0)
		return 0;
	do
		got = read(b->fd, data, len < b->left ? len : (size_t)b->left);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return -1;
	b->left -= (uint64_t)got;
	return got;
}

/* The writer is made on the handle, and lives in this thread. */
static int stage(struct server *s, const char *path, struct body *b,
	struct store_writer_result *result, struct store_error *err)
{
	const struct store_writer_options options = { .path = path };
	struct store_writer *w = NULL;
	int rc;

	server_lock(s);
	rc = store_writer_open(s->repo, &options, &w, err);
	server_unlock(s);
	if (rc == 0)
		rc = store_writer_write_from(w, read_body, b, err);
	if (rc == 0)
		rc = store_writer_finish(w, result, err);
	store_writer_free(w);
	return rc;
}

/* One file: 0, or -1: the connection is to end. */
static int take_file(struct server *s, int fd, const char *line)
{
	struct store_writer_result result;
	struct store_error err = { .msg = "the first line is to be SIZE PATH" };
	char answer[1024], hex[STORE_HEX_LEN + 1], *end = NULL;
	struct body b = { .fd = fd };
	int rc = -1, n;

	if (*line >= '0' && *line <= '9')
		b.left = strtoull(line, &end, 10);
	if (end && *end == ' ' && end[1])
		rc = stage(s, end + 1, &b, &result, &err);
	if (rc != 0)
		n = snprintf(answer, sizeof(answer), "error %s\n", err.msg);
	else
		n = snprintf(answer, sizeof(answer), "ok %s %llu\n",
			store_id_hex(hex, &result.node.id), (unsigned long long)result.new_bytes);
	return server_write(fd, answer, (size_t)n) == 0 && rc == 0 ? 0 : -1;
}

static void serve(struct server *s, int fd)
{
	char line[LINE_MAX_LEN];

	while (server_line(fd, line, sizeof(line)) >= 0 && take_file(s, fd, line) == 0)
		;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: ingest SOCKET\n");
		return 2;
	}
	return server_run(argv[1], 1, serve);
}
