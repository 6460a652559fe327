/*
 * Fault points of test builds.
 *
 * Threads: the plan is parsed once (pthread_once) and then only its counters change, which are
 * atomic, so every hit has its own number and exactly one is the nth.
 *
 * A plan that cannot be parsed stops the process: a test with a slip in STORE_FAULT would pass
 * without having tested anything.  For the same reason a fault that fires can leave a trace:
 * STORE_FAULT_LOG=FILE gets a line "name:nth:action", so that a loop over nth = 1, 2, 3, ...
 * knows when nothing fired any more.
 */
#ifdef STORE_FAULTS

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FAULTS_MAX 16
#define NAME_CAP 64
#define ACTION_KILL (-1)
#define ACTION_STOP (-2)
#define DELAY_MAX 10000
#define ACTION_DELAY(ms) (-1000 - (ms)) /* -1001 .. -1000 - DELAY_MAX */

struct fault {
	char name[NAME_CAP];
	unsigned long nth;
	bool for_ever; /* "nth+": from the nth hit on */
	int action;    /* errno, or ACTION_* */
	atomic_ulong hits;
};

static struct fault plan[FAULTS_MAX]; /* written before plan_count is, then only hits */
static atomic_size_t plan_count;
static pthread_once_t plan_once = PTHREAD_ONCE_INIT;

static const struct action {
	const char *name;
	int value;
} actions[] = {
	{ "kill", ACTION_KILL },
	{ "stop", ACTION_STOP },
	{ "EACCES", EACCES },
	{ "EAGAIN", EAGAIN },
	{ "EBADF", EBADF },
	{ "EBUSY", EBUSY },
	{ "EDQUOT", EDQUOT },
	{ "EEXIST", EEXIST },
	{ "EFBIG", EFBIG },
	{ "EINTR", EINTR },
	{ "EINVAL", EINVAL },
	{ "EIO", EIO },
	{ "ELOOP", ELOOP },
	{ "EMFILE", EMFILE },
	{ "ENFILE", ENFILE },
	{ "ENODATA", ENODATA },
	{ "ENOENT", ENOENT },
	{ "ENOMEM", ENOMEM },
	{ "ENOSPC", ENOSPC },
	{ "ENOSYS", ENOSYS },
	{ "ENOTDIR", ENOTDIR },
	{ "ENOTSUP", ENOTSUP },
	{ "EPERM", EPERM },
	{ "ERANGE", ERANGE },
	{ "EROFS", EROFS },
	{ "ESTALE", ESTALE },
	{ "ETIMEDOUT", ETIMEDOUT },
	{ "EXDEV", EXDEV },
};

/* "20ms": go on after so long; 0 if it is none. */
static int parse_delay(const char *text, size_t len)
{
	int ms = 0;

	if (len < 3 || memcmp(text + len - 2, "ms", 2) != 0)
		return 0;
	for (size_t i = 0; i < len - 2; i++) {
		if (text[i] < '0' || text[i] > '9' || ms > DELAY_MAX)
			return 0;
		ms = ms * 10 + (text[i] - '0');
	}
	return ms > 0 && ms <= DELAY_MAX ? ACTION_DELAY(ms) : 0;
}

/* The action called text (len bytes), or 0. */
static int find_action(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strlen(actions[i].name) == len && memcmp(actions[i].name, text, len) == 0)
			return actions[i].value;
	return parse_delay(text, len);
}

/* Parse "name:nth:action" (len bytes) into f.  Returns 0 or -1. */
static int parse_fault(struct fault *f, const char *text, size_t len)
{
	const char *end = text + len;
	const char *nth = memchr(text, ':', len);
	char *after;

	if (!nth || nth == text || (size_t)(nth - text) >= NAME_CAP)
		return -1;
	memcpy(f->name, text, (size_t)(nth - text));
	f->name[nth - text] = '\0';

	if (nth[1] < '1' || nth[1] > '9')
		return -1;
	errno = 0;
	f->nth = strtoul(nth + 1, &after, 10);
	if (errno != 0)
		return -1;
	f->for_ever = *after == '+';
	after += f->for_ever;
	if (after >= end || *after != ':')
		return -1;

	f->action = find_action(after + 1, (size_t)(end - after - 1));
	atomic_init(&f->hits, 0);
	return f->action != 0 ? 0 : -1;
}

static int parse_plan(const char *spec)
{
	size_t count = 0;

	while (*spec != '\0') {
		const size_t len = strcspn(spec, ",");

		if (count == FAULTS_MAX || parse_fault(&plan[count], spec, len) != 0)
			return -1;
		count++;
		spec += len;
		spec += *spec == ',';
	}
	atomic_store(&plan_count, count);
	return 0;
}

static void load_from_environment(void)
{
	static const char complaint[] = "STORE_FAULT: not name:nth[+]:action[,...]\n";
	const char *spec = getenv("STORE_FAULT");

	if (!spec || parse_plan(spec) == 0)
		return;
	if (write(STDERR_FILENO, complaint, sizeof(complaint) - 1) < 0)
		abort();
	abort();
}

static const char *action_name(int action)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (actions[i].value == action)
			return actions[i].name;
	return "delay";
}

static void wait_for(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static void log_fired(const struct fault *f, unsigned long nth)
{
	const char *path = getenv("STORE_FAULT_LOG");
	char line[NAME_CAP + 64];
	int fd, n;

	if (!path)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd == -1)
		abort();
	n = snprintf(line, sizeof(line), "%s:%lu:%s\n", f->name, nth, action_name(f->action));
	if (write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

int fault_load(const char *spec)
{
	/* The environment first, or a later hit would load it over this plan. */
	pthread_once(&plan_once, load_from_environment);
	atomic_store(&plan_count, 0);
	return parse_plan(spec);
}

int fault_hit(const char *name)
{
	const struct fault *fired = NULL;
	unsigned long fired_nth = 0;
	size_t count;

	pthread_once(&plan_once, load_from_environment);
	count = atomic_load(&plan_count);
	for (size_t i = 0; i < count; i++) {
		struct fault *f = &plan[i];
		unsigned long nth;

		if (strcmp(f->name, name) != 0)
			continue;
		nth = atomic_fetch_add(&f->hits, 1) + 1; /* every entry counts every hit */
		if (!fired && (nth == f->nth || (f->for_ever && nth > f->nth))) {
			fired = f;
			fired_nth = nth;
		}
	}
	if (!fired)
		return 0;
	log_fired(fired, fired_nth);
	if (fired->action == ACTION_KILL)
		kill(getpid(), SIGKILL);
	if (fired->action == ACTION_STOP) {
		/*
		 * By this very thread: of a signal to the process another one might hear first, and
		 * until that has a turn this one would go on.
		 */
		raise(SIGSTOP);
		return 0;
	}
	if (fired->action <= ACTION_DELAY(1)) {
		wait_for(-1000 - fired->action);
		return 0;
	}
	errno = fired->action;
	return fired->action;
}

#else
typedef int fault_is_compiled_out; /* ISO C wants something in every file */
#endif
