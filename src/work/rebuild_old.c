/*
 * What the database that is about to be replaced still knows: the next number, and those changes of
 * refs that refs.log has lost.
 *
 * A rebuild is the way back from a database that is damaged, and LMDB does not check what it maps:
 * a changed byte may lead it beyond the file, or around in a circle. So it is read in a process of
 * its own. When that dies or says nothing for a minute, nothing is known.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "data/refslog.h"
#include "graph/refs.h"
#include "odb/reflog_rows.h"
#include "work/rebuild_internal.h"

#define WAIT_MS 60000
#define LOST_MAX 256 /* records that are written anew */
#define ANSWER 32    /* bytes before the records */
#define ANSWER_MAX ((uint64_t)4 << 20)

/* ---- the other process */

struct lost {
	uint64_t numbers[LOST_MAX]; /* ascending */
	size_t count;
	bool too_many;
};

static void note_lost(struct lost *l, uint64_t number)
{
	size_t i = l->count;

	while (i > 0 && l->numbers[i - 1] > number)
		i--;
	if (i > 0 && l->numbers[i - 1] == number)
		return;
	if (l->count == LOST_MAX) {
		l->too_many = true;
		return;
	}
	memmove(&l->numbers[i + 1], &l->numbers[i], (l->count - i) * sizeof(l->numbers[0]));
	l->numbers[i] = number;
	l->count++;
}

/* One pass over the rows: those that refs.log should have are counted, the others noted. */
static int count_rows(struct env_txn *t, uint64_t last, struct rebuild_old *out, struct lost *l,
	struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(t, ENV_REFLOG, &c, err);

	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		uint64_t number = 0;
		size_t len;

		if (!reflog_key_parse(&key, &len, &number)) {
			rc = STORE_ECORRUPT;
			break;
		}
		if (number > out->newest)
			out->newest = number;
		if (number <= last)
			out->rows++;
		else
			note_lost(l, number);
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static struct text_slice take_line(const char **p, const char *end)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	const struct text_slice s = { *p, nl ? (size_t)(nl - *p) : (size_t)(end - *p) };

	*p = nl ? nl + 1 : end;
	return s;
}

/* A row of the record; who and why are the same in all. */
static int add_row(struct refslog_record *record, struct refslog_change *changes, size_t max,
	const struct env_val *key, size_t name_len, const struct env_val *val)
{
	const char *p = val->data, *end = p + val->len;
	struct refslog_change *c = &changes[record->change_count];

	if (record->change_count == max)
		return STORE_ECORRUPT;
	c->name = (struct text_slice){ key->data, name_len };
	c->old_value = take_line(&p, end);
	c->new_value = take_line(&p, end);
	record->change_count++;
	if (ident_parse(&record->who, take_line(&p, end), NULL) != 0)
		return STORE_ECORRUPT;
	record->why = take_line(&p, end);
	return 0;
}

/* The record of publication number, from its rows. */
static int add_record(struct env_txn *t, uint64_t number, struct hash *h, struct buf *out,
	struct store_error *err)
{
	struct refslog_change changes[REFS_UPDATES];
	struct refslog_record record = { .type = REFSLOG_RECORD,
		.number = number,
		.changes = changes };
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(t, ENV_REFLOG, &c, err);

	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		uint64_t n = 0;
		size_t len = 0;

		if (reflog_key_parse(&key, &len, &n) && n == number)
			rc = add_row(&record, changes, REFS_UPDATES, &key, len, &val);
		if (rc != 0)
			break;
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? refslog_encode(out, &record, h, err) : rc;
}

static int read_old(const char *path, uint64_t last, struct rebuild_old *out,
	struct store_error *err)
{
	struct hash *h = hash_new();
	struct lost l = { .count = 0 };
	struct env *env = NULL;
	struct env_txn *t = NULL;
	int rc = h ? env_open(&env, path, ENV_RDONLY, err) : STORE_ENOMEM;

	if (rc == 0)
		rc = env_begin(env, false, &t, err);
	if (rc == 0)
		rc = env_number(t, "next", &out->next, err);
	if (rc == 0)
		rc = count_rows(t, last, out, &l, err);
	/* A number that was never given out is damage; so is a row that makes no record. */
	if (l.too_many || out->newest >= out->next)
		l.count = 0;
	for (size_t i = 0; i < l.count && rc == 0; i++) {
		if (add_record(t, l.numbers[i], h, &out->records, err) != 0) {
			buf_clear(&out->records);
			break;
		}
	}
	env_abort(t);
	env_close(env);
	hash_free(h);
	return rc;
}

static void answer(const char *path, uint64_t last, int fd)
{
	const struct rlimit none = { 0, 0 };
	struct rebuild_old old = { .is_known = false };
	struct buf head = { 0 };
	const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* Whatever befalls it is expected: no core, and nothing to read for the user. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &none);
	if (null != -1)
		dup2(null, STDERR_FILENO);
	if (read_old(path, last, &old, NULL) != 0)
		return;
	buf_add_le64(&head, old.next);
	buf_add_le64(&head, old.newest);
	buf_add_le64(&head, old.rows);
	buf_add_le64(&head, old.records.len);
	if (!head.failed && !old.records.failed && io_write_full(fd, head.data, head.len) == 0)
		io_write_full(fd, old.records.data, old.records.len);
}

/* ---- and who asks it */

static bool receive(int fd, uint8_t *p, size_t len)
{
	while (len > 0) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		const int ready = poll(&wait, 1, WAIT_MS);
		const ssize_t n = ready > 0 ? read(fd, p, len) : ready;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static int take_answer(int fd, struct rebuild_old *out, struct store_error *err)
{
	uint8_t head[ANSWER];
	uint64_t len;

	if (!receive(fd, head, sizeof(head)))
		return 0;
	len = le64_get(head + 24);
	if (len > ANSWER_MAX)
		return 0;
	if (buf_reserve(&out->records, (size_t)len) != 0)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	if (!receive(fd, out->records.data, (size_t)len))
		return 0;
	out->next = le64_get(head);
	out->newest = le64_get(head + 8);
	out->rows = le64_get(head + 16);
	out->records.len = (size_t)len;
	out->is_known = true;
	return 0;
}

int rebuild_ask_old(const char *path, uint64_t last, struct rebuild_old *out,
	struct store_error *err)
{
	int ends[2], rc;
	pid_t pid;

	memset(out, 0, sizeof(*out));
	if (access(path, F_OK) != 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return store_error_sys(err, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		answer(path, last, ends[1]);
		_exit(0);
	}
	io_close(&ends[1]);
	rc = pid > 0 ? take_answer(ends[0], out, err)
		     : store_error_sys(err, "cannot start a process that reads '%s'", path);
	io_close(&ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			;
	}
	return rc;
}

void rebuild_old_release(struct rebuild_old *o)
{
	buf_release(&o->records);
}
