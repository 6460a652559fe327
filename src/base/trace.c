/*
 * The trace.  Threads: the target is read from the environment once (pthread_once) before `mask` is
 * set, and never changes after; a line is formatted on the stack and leaves in one write, so lines
 * of several threads do not mix.  A thread is named by the order in which it first traced.
 *
 * Off, trace_on costs one relaxed load.  A word that is no area is said on the trace's own target:
 * a trace that stays silent because of a slip costs an afternoon.
 */
#include "base/trace.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

#define NOT_READ_YET (1u << 31)

static const struct {
	const char *name;
	unsigned int bits;
} areas[] = {
	{ "pack", TRACE_PACK },
	{ "publish", TRACE_PUBLISH },
	{ "object", TRACE_OBJECT },
	{ "node", TRACE_NODE },
	{ "walk", TRACE_WALK },
	{ "pipe", TRACE_PIPE },
	{ "lock", TRACE_LOCK },
	{ "all", 0x7fffffff },
};

static atomic_uint mask = NOT_READ_YET;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int target_fd = STDERR_FILENO; /* written once, before mask */
static int64_t start_ns;              /* likewise */
static atomic_uint thread_count;

/* The bits of the area called text (len bytes), or 0. */
static unsigned int find_area(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		if (strlen(areas[i].name) == len && memcmp(areas[i].name, text, len) == 0)
			return areas[i].bits;
	return 0;
}

static const char *area_name(enum trace_area area)
{
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		if (areas[i].bits == (unsigned int)area)
			return areas[i].name;
	return "?";
}

static void open_target(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);

	if (fd != -1)
		target_fd = fd;
	else
		dprintf(STDERR_FILENO, "trace: cannot open the file of STORE_TRACE: %m\n");
}

static void load_from_environment(void)
{
	const char *spec = getenv("STORE_TRACE");
	unsigned int bits = 0;

	start_ns = clock_mono_ns();
	if (spec && spec[strcspn(spec, ":")] == ':')
		open_target(spec + strcspn(spec, ":") + 1);
	while (spec && *spec != '\0' && *spec != ':') {
		const size_t len = strcspn(spec, ",:");
		const unsigned int found = find_area(spec, len);

		if (found == 0 && len > 0)
			dprintf(target_fd, "trace: no area '%.*s'\n", (int)(len < 40 ? len : 40),
				spec);
		bits |= found;
		spec += len;
		spec += *spec == ',';
	}
	atomic_store_explicit(&mask, bits, memory_order_release);
}

static unsigned int thread_number(void)
{
	static _Thread_local unsigned int number;

	if (number == 0)
		number = atomic_fetch_add(&thread_count, 1) + 1;
	return number;
}

bool trace_on(enum trace_area area)
{
	unsigned int bits = atomic_load_explicit(&mask, memory_order_relaxed);

	if (bits == 0)
		return false;
	/* Also when set: pthread_once makes what open_target wrote visible to this thread. */
	pthread_once(&once, load_from_environment);
	bits = atomic_load_explicit(&mask, memory_order_acquire);
	return (bits & (unsigned int)area) != 0;
}

void trace_print(enum trace_area area, const char *fmt, ...)
{
	char line[1024];
	double seconds;
	va_list ap;
	int head, body;
	size_t len;

	if (!trace_on(area))
		return;
	seconds = (double)(clock_mono_ns() - start_ns) / 1e9;
	head = snprintf(line, sizeof(line), "%.6f %u %s ", seconds, thread_number(),
		area_name(area));
	va_start(ap, fmt);
	body = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, ap);
	va_end(ap);
	if (body < 0)
		return;
	len = (size_t)head + (size_t)body;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2; /* cut; the last byte but the NUL is the newline's */

	/* One event, one line, whatever a name holds. */
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len] = '\n';
	(void)io_write_full(target_fd, line, len + 1); /* a trace must not make the work fail */
}
