/*
 * serve SOCKET: hand out ranges of files, of any revision.
 *
 * A client writes lines "OFFSET LENGTH NAME", NAME as `store cat` takes it (path@rev, rev:path, a
 * path in HEAD, :path of the stage). To each the answer is "ok BYTES SIZE" and a newline, then
 *BYTES bytes; SIZE is that of the whole file. Or "error TEXT". A range that passes the end is cut
 *there. Each byte was proven against the root of its revision before it goes out; where stored
 *bytes do not prove themselves the connection ends short of what was announced.
 *
 *	cc -o serve serve.c listen.c $(pkg-config --cflags --libs store) -lpthread
 *	./serve /run/user/1000/ranges &
 *	echo 1000000000 16 disk.img@v1 | socat - UNIX:/run/user/1000/ranges
 */
#include "listen.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_LEN = 8192 };

struct request {
	uint64_t offset, length;
	const char *name;
};

/* A number and the blank behind it; NULL: there is none. */
static char *take_number(char *at, uint64_t *out)
{
	char *end;

	if (*at < '0' || *at > '9')
		return NULL;
	*out = strtoull(at, &end, 10);
	return *end == ' ' ? end + 1 : NULL;
}

static int parse(char *line, struct request *q)
{
	char *at = take_number(line, &q->offset);

	at = at ? take_number(at, &q->length) : NULL;
	q->name = at;
	return at && *at ? 0 : -1;
}

/* The chunks of the range, from the reader's memory to the client. */
static int send_range(int fd, struct store_reader *r, struct store_error *err)
{
	const void *data;
	size_t len;
	int rc;

	while ((rc = store_reader_chunk(r, &data, &len, err)) == 0 && len > 0)
		if (server_write(fd, data, len) != 0)
			return -1;
	return rc;
}

/* Answer one request; -1: the connection is to end. */
static int answer(struct server *s, int fd, const struct request *q)
{
	struct store_reader_progress whole, range;
	struct store_reader *r = NULL;
	struct store_error err = { 0 };
	char line[1024];
	int rc, n;

	server_lock(s);
	rc = store_reader_open_name(s->repo, q->name, 0, &r, &err);
	server_unlock(s);
	if (rc == 0) {
		store_reader_progress(r, &whole);
		rc = store_reader_range(r, q->offset, q->length, &err);
	}
	if (rc == 0) {
		store_reader_progress(r, &range);
		n = snprintf(line, sizeof(line), "ok %llu %llu\n", (unsigned long long)range.size,
			(unsigned long long)whole.size);
		rc = server_write(fd, line, (size_t)n) == 0 ? send_range(fd, r, &err) : -1;
	} else {
		n = snprintf(line, sizeof(line), "error %s\n", err.msg);
		rc = server_write(fd, line, (size_t)n);
	}
	store_reader_free(r);
	return rc == 0 ? 0 : -1;
}

static void serve(struct server *s, int fd)
{
	static const char usage[] = "error a request is OFFSET LENGTH NAME\n";
	char line[LINE_MAX_LEN];
	struct request q;
	int rc = 0;

	while (rc == 0 && server_line(fd, line, sizeof(line)) >= 0)
		rc = parse(line, &q) == 0 ? answer(s, fd, &q)
					  : server_write(fd, usage, sizeof(usage) - 1);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: serve SOCKET\n");
		return 2;
	}
	return server_run(argv[1], 0, serve);
}
