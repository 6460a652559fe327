/*
 * Memory that runs out: whichever allocation of the library fails, a call says STORE_ENOMEM or does
 * without, frees all it had and closes all it opened.
 *
 * The linker puts the functions below between libstore and what allocates (Makefile): the C
 * library, and of the other libraries the calls that begin something. What lives is kept in a
 * table, so that what is not freed is seen without a sanitizer, too; the message tells where it was
 * allocated, as an address for addr2line -e PROGRAM.
 */
#ifndef STORE_UNIT_NOMEM_FIXTURE_H
#define STORE_UNIT_NOMEM_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo_fixture.h"

#define NOMEM_TABLE ((size_t)1 << 16)
#define NOMEM_FDS 256

static pthread_mutex_t nomem_lock = PTHREAD_MUTEX_INITIALIZER;
/* All guarded by nomem_lock. */
static struct {
	const void *what; /* NULL: free; nomem_gone: was used */
	const void *from;
} nomem_table[NOMEM_TABLE];
static size_t nomem_living, nomem_asked;
static size_t nomem_failing; /* the one to fail, from 1; 0: none */
static const void *nomem_failed_in;
static char nomem_gone;

static bool nomem_may_go_on(const void *from)
{
	bool may;

	pthread_mutex_lock(&nomem_lock);
	may = ++nomem_asked != nomem_failing;
	if (!may)
		nomem_failed_in = from;
	pthread_mutex_unlock(&nomem_lock);
	if (!may)
		errno = ENOMEM;
	return may;
}

static size_t nomem_slot(const void *what)
{
	return (size_t)((uintptr_t)what / 16 * 2654435761u) % NOMEM_TABLE;
}

static void *nomem_note(void *what, const void *from)
{
	size_t i = nomem_slot(what);

	if (!what)
		return NULL;
	pthread_mutex_lock(&nomem_lock);
	while (nomem_table[i].what && nomem_table[i].what != &nomem_gone)
		i = (i + 1) % NOMEM_TABLE;
	nomem_table[i].what = what;
	nomem_table[i].from = from;
	nomem_living++;
	pthread_mutex_unlock(&nomem_lock);
	return what;
}

/* What others allocated is not in the table. */
static void nomem_forget(const void *what)
{
	size_t i = nomem_slot(what);

	if (!what)
		return;
	pthread_mutex_lock(&nomem_lock);
	while (nomem_table[i].what && nomem_table[i].what != what)
		i = (i + 1) % NOMEM_TABLE;
	if (nomem_table[i].what) {
		nomem_table[i].what = &nomem_gone;
		nomem_living--;
	}
	pthread_mutex_unlock(&nomem_lock);
}

/* ---- what the linker puts in between */

#define NOMEM_HERE __builtin_return_address(0)
#define NOMEM_WRAP(type, name, parameters) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters

/* A call that gives memory or a handle, which a call of the next kind takes back. */
#define NOMEM_GIVES(type, name, parameters, arguments) \
	NOMEM_WRAP(type, name, parameters) \
	{ \
		return nomem_may_go_on(NOMEM_HERE) \
			? nomem_note(__real_##name arguments, NOMEM_HERE) \
			: NULL; \
	}
#define NOMEM_TAKES(type, name, parameter, argument) \
	NOMEM_WRAP(type, name, (parameter)) \
	{ \
		nomem_forget(argument); \
		return __real_##name(argument); \
	}
/* A call that says by a number that there is no memory. */
#define NOMEM_SAYS(name, number, parameters, arguments) \
	NOMEM_WRAP(int, name, parameters) \
	{ \
		return nomem_may_go_on(NOMEM_HERE) ? __real_##name arguments : (number); \
	}

NOMEM_GIVES(void *, malloc, (size_t len), (len))
NOMEM_GIVES(void *, calloc, (size_t n, size_t len), (n, len))
NOMEM_GIVES(char *, strdup, (const char *s), (s))
NOMEM_GIVES(char *, strndup, (const char *s, size_t len), (s, len))
NOMEM_GIVES(char *, realpath, (const char *path, char *room), (path, room))
NOMEM_GIVES(char *, getcwd, (char *room, size_t len), (room, len))
NOMEM_TAKES(void, free, void *p, p)

NOMEM_WRAP(void *, realloc, (void *p, size_t len))
{
	if (!nomem_may_go_on(NOMEM_HERE))
		return NULL;
	nomem_forget(p);
	return nomem_note(__real_realloc(p, len), NOMEM_HERE);
}

NOMEM_GIVES(void *, mem_pages, (size_t len), (len))
NOMEM_WRAP(void, mem_pages_free, (void *p, size_t len))
{
	nomem_forget(p);
	__real_mem_pages_free(p, len);
}

NOMEM_GIVES(DIR *, fdopendir, (int fd), (fd))
NOMEM_TAKES(int, closedir, DIR *dir, dir)
NOMEM_GIVES(FILE *, fopen, (const char *path, const char *mode), (path, mode))
NOMEM_TAKES(int, fclose, FILE *f, f)
NOMEM_SAYS(regcomp, REG_ESPACE, (regex_t * out, const char *pattern, int flags),
	(out, pattern, flags))

/* Of libraries whose headers have one owner each: pointers are all that is asked of them. */
NOMEM_GIVES(void *, ZSTD_createCCtx, (void), ())
NOMEM_TAKES(size_t, ZSTD_freeCCtx, void *c, c)
NOMEM_GIVES(void *, ZSTD_createDCtx, (void), ())
NOMEM_TAKES(size_t, ZSTD_freeDCtx, void *c, c)
NOMEM_GIVES(void *, libdeflate_alloc_decompressor, (void), ())
NOMEM_TAKES(void, libdeflate_free_decompressor, void *d, d)
NOMEM_SAYS(mdb_env_create, ENOMEM, (void **out), (out))
NOMEM_SAYS(mdb_env_open, ENOMEM, (void *env, const char *path, unsigned int flags, mode_t mode),
	(env, path, flags, mode))
NOMEM_SAYS(mdb_txn_begin, ENOMEM, (void *env, void *parent, unsigned int flags, void **out),
	(env, parent, flags, out))
NOMEM_SAYS(mdb_dbi_open, ENOMEM, (void *txn, const char *name, unsigned int flags, void *out),
	(txn, name, flags, out))
NOMEM_SAYS(mdb_cursor_open, ENOMEM, (void *txn, unsigned int dbi, void **out), (txn, dbi, out))
NOMEM_SAYS(pthread_create, EAGAIN,
	(pthread_t * out, const pthread_attr_t *attributes, void *(*body)(void *), void *payload),
	(out, attributes, body, payload))

/* ---- a call with its nth allocation failing */

static inline void nomem_fail_at(size_t nth)
{
	pthread_mutex_lock(&nomem_lock);
	nomem_asked = 0;
	nomem_failing = nth;
	nomem_failed_in = NULL;
	pthread_mutex_unlock(&nomem_lock);
}

static inline size_t nomem_count_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < NOMEM_FDS; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static inline const void *nomem_last_from(void)
{
	for (size_t i = NOMEM_TABLE; i-- > 0;)
		if (nomem_table[i].what && nomem_table[i].what != &nomem_gone)
			return nomem_table[i].from;
	return NULL;
}

/* The system says of a thread that it has no room that it may have later. */
static inline bool nomem_is_told(int rc)
{
	return rc == STORE_ENOMEM ||
		(rc == STORE_EBUSY && strcmp(failure.msg, "cannot start a thread") == 0);
}

/*
 * Something that a program does with the library, and what goes before it, with memory enough.
 */
struct nomem_case {
	const char *name;
	void (*prepare)(void);
	int (*use)(struct store_repo *of);
	bool needs_handle;
	size_t steps; /* tries behind the first 60 */
};

static inline int nomem_use(const struct nomem_case *c, size_t nth)
{
	const struct store_open_options options = { .start = fixture_dir, .threads = 2 };
	struct store_repo *of = NULL;
	size_t asked;
	int rc;

	if (c->prepare)
		c->prepare();
	if (c->needs_handle)
		OK(store_open(&of, &options, &failure));
	failure = (struct store_error){ 0 };
	nomem_fail_at(nth);
	rc = c->use(of);
	asked = nomem_asked;
	nomem_failing = 0;
	if (rc != 0 && (nth == 0 || failure.code != rc || !nomem_is_told(rc)))
		fail_msg("%s: allocation %zu (%p): %d, %s", c->name, nth, nomem_failed_in, rc,
			failure.msg);
	/* The handle is as good as before, and what was begun can be done. */
	if (rc != 0 && c->use(of) != 0)
		fail_msg("%s: after allocation %zu (%p) failed: %s", c->name, nth, nomem_failed_in,
			failure.msg);
	store_close(of);
	nomem_asked = asked;
	return rc;
}

static inline int nomem_check(const struct nomem_case *c, size_t nth)
{
	const size_t living = nomem_living, fds = nomem_count_fds();
	const int rc = nomem_use(c, nth);

	if (nomem_living != living)
		fail_msg("%s: allocation %zu (%p): %zu are not freed, of %p", c->name, nth,
			nomem_failed_in, nomem_living - living, nomem_last_from());
	if (nomem_count_fds() != fds)
		fail_msg("%s: allocation %zu (%p): descriptors are left open", c->name, nth,
			nomem_failed_in);
	return rc;
}

/*
 * The first 60 allocations one by one (every other one where the suite is to be light), the rest in
 * steps.  Some can be done without: a worker that
 * is not started, a copy out of the cache, for which the pack is read.
 */
static inline void nomem_check_all(const struct nomem_case *c)
{
	const size_t stride = getenv("STORE_TEST_LIGHT") ? 2 : 1;
	size_t failed = 0, cases = 0, total;

	/* What is allocated once and kept until the process ends. */
	nomem_use(c, 0);
	nomem_check(c, 0);
	total = nomem_asked;
	for (size_t nth = 1; nth <= total;
		nth += nth < 60 ? stride : 1 + total / c->steps * stride) {
		const bool is_told = nomem_check(c, nth) != 0;

		/* Another time fewer may be asked for: then none failed. */
		failed += is_told;
		cases += nomem_failed_in != NULL;
	}
	if (cases == 0 || failed < cases / 2)
		fail_msg("%s: of %zu allocations that failed %zu were told", c->name, cases,
			failed);
	nomem_check(c, 0);
}

#endif
