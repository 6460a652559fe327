/* The rules are git's ("whitespace" and "strip" of its --cleanup), because hands expect them. */
#include "cli/message.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { READ_MAX = 4 << 20 }; /* more than any message may have: the library tells its limit */

void message_join(struct line *t, const struct strings *paragraphs)
{
	for (size_t i = 0; i < paragraphs->n; i++) {
		line_string(t, t->len ? "\n" : "");
		line_string(t, paragraphs->items[i]);
		line_string(t, "\n");
	}
}

int message_read(struct cli *cli, const char *name, struct line *t)
{
	const bool is_input = strcmp(name, "-") == 0;
	const int fd = is_input ? 0 : open(name, O_RDONLY | O_CLOEXEC);
	const char *shown = is_input ? "standard input" : name;
	char bytes[8192];
	ssize_t n = 1;
	int rc = 0;

	if (fd == -1)
		return cli_fail(cli, STORE_EIO, errno, "cannot open '%s': %s", name,
			strerror(errno));
	while (rc == 0 && n != 0 && t->len <= READ_MAX) {
		n = read(fd, bytes, sizeof(bytes));
		if (n > 0)
			line_add(t, bytes, (size_t)n);
		else if (n < 0 && (errno != EINTR || cli_signal()))
			rc = cli_fail(cli, cli_signal() ? STORE_ECANCELED : STORE_EIO, errno,
				"cannot read '%s': %s", shown, strerror(errno));
	}
	if (fd > 0)
		close(fd);
	if (rc == 0 && t->len && memchr(t->data, 0, t->len))
		rc = cli_fail(cli, STORE_EINVAL, 0, "'%s' holds a NUL byte: it is no message",
			shown);
	return rc;
}

void message_clean(struct line *t, bool comments)
{
	struct line out = { 0 };
	const char *p = t->data ? t->data : "", *end = p + t->len;
	bool gap = false;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		const char *next = lf ? lf + 1 : end;
		size_t len = (size_t)((lf ? lf : end) - p);

		while (len && strchr(" \t\r\v\f", p[len - 1]))
			len--;
		if (len == 0) {
			gap = true;
		} else if (!comments || *p != '#') {
			line_string(&out, gap && out.len ? "\n" : "");
			line_add(&out, p, len);
			line_string(&out, "\n");
			gap = false;
		}
		p = next;
	}
	line_release(t);
	*t = out;
}

int message_of(struct cli *cli, const struct store_id *commit, struct line *out)
{
	char hex[STORE_HEX_LEN + 1];
	const char *rev = store_id_hex(hex, commit);
	const struct store_log_options one = { .revs = &rev, .n_revs = 1, .count = 1 };
	struct store_log_iter *it = NULL;
	struct store_log_entry e;
	int rc = store_log_open(cli->repo, &one, &it, &cli->err);

	if (rc == 0)
		rc = store_log_next(it, &e, &cli->err);
	if (rc == 0)
		line_string(out, e.message);
	store_log_free(it);
	return rc;
}

int message_subject_of(struct cli *cli, const struct store_id *commit, struct line *out)
{
	struct line message = { 0 };
	const int rc = message_of(cli, commit, &message);

	if (rc == 0 && message.data) {
		const char *s = message.data + strspn(message.data, "\n");

		line_add(out, s, strcspn(s, "\n"));
	}
	line_release(&message);
	return rc;
}
