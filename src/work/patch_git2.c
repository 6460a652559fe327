/*
 * libgit2, for its difference of two texts: the one file that knows its headers. Not <git2.h>,
 * which brings with it names that banned.h forbids.
 *
 * It is loaded when the first text is compared, and not before: with all it is linked to it would
 * double the time that `store status` takes to start. The name it is loaded by is made of the
 * version whose header this file was compiled with, because another one's structs may be others.
 *
 * Threads: loading goes under a lock of its own; what was found stays for the life of the process.
 */
#include <dlfcn.h>
#include <git2/diff.h>
#include <git2/errors.h>
#include <git2/global.h>
#include <git2/version.h>
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "work/patch_internal.h"

#ifdef __APPLE__
#define LIBRARY "libgit2." LIBGIT2_SOVERSION ".dylib"
#else
#define LIBRARY "libgit2.so." LIBGIT2_SOVERSION
#endif

static struct {
	pthread_mutex_t lock;
	bool is_loaded; /* guarded by lock; what follows is set before it and then only read */
	__typeof__(git_diff_buffers) *diff_buffers;
	__typeof__(git_error_last) *error_last;
} git2 = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int find_symbols(void *handle)
{
	__typeof__(git_libgit2_init) *init;

	/* POSIX has it so: a pointer to an object may hold one to a function. */
	*(void **)&init = dlsym(handle, "git_libgit2_init");
	*(void **)&git2.diff_buffers = dlsym(handle, "git_diff_buffers");
	*(void **)&git2.error_last = dlsym(handle, "git_error_last");
	return init && git2.diff_buffers && git2.error_last && init() > 0 ? 0 : -1;
}

static int load_library(struct store_error *err)
{
	const char *name = FAULT("patch.git2") ? "libgit2.so.absent" : LIBRARY;
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return store_error_set(err, STORE_ENOTFOUND,
			"cannot compare texts without libgit2: %s (install the package of %s, on "
			"Debian libgit2-%s)",
			dlerror(), LIBRARY, LIBGIT2_SOVERSION);
	if (find_symbols(handle) != 0) {
		dlclose(handle);
		return store_error_set(err, STORE_ENOTFOUND,
			"cannot compare texts without libgit2: '%s' cannot be used (install it "
			"anew)",
			LIBRARY);
	}
	git2.is_loaded = true;
	return 0;
}

static int have_library(struct store_error *err)
{
	int rc = 0;

	pthread_mutex_lock(&git2.lock);
	if (!git2.is_loaded)
		rc = load_library(err);
	pthread_mutex_unlock(&git2.lock);
	return rc;
}

struct telling {
	int (*piece)(void *payload, const struct store_patch_piece *piece);
	void *payload;
	uint64_t lines_before;
	bool is_canceled;
};

static int tell(struct telling *t, const struct store_patch_piece *piece)
{
	t->is_canceled = t->piece(t->payload, piece) != 0;
	return t->is_canceled ? -1 : 0;
}

static int take_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk, void *payload)
{
	struct telling *t = payload;
	const struct store_patch_piece piece = { .kind = STORE_PATCH_HUNK,
		.old_line = (uint64_t)hunk->old_start + t->lines_before,
		.old_lines = (uint64_t)hunk->old_lines,
		.new_line = (uint64_t)hunk->new_start + t->lines_before,
		.new_lines = (uint64_t)hunk->new_lines };

	(void)delta;
	return tell(t, &piece);
}

static int take_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
	const git_diff_line *line, void *payload)
{
	struct store_patch_piece piece = { .data = line->content, .len = line->content_len };

	(void)delta;
	(void)hunk;
	switch (line->origin) {
	case GIT_DIFF_LINE_CONTEXT:
		piece.kind = STORE_PATCH_CONTEXT;
		break;
	case GIT_DIFF_LINE_ADDITION:
		piece.kind = STORE_PATCH_ADDED;
		break;
	case GIT_DIFF_LINE_DELETION:
		piece.kind = STORE_PATCH_DELETED;
		break;
	default: /* a line without LF shows by its data */
		return 0;
	}
	return tell(payload, &piece);
}

int patch_git2_diff(const struct patch_git2_input *input,
	int (*piece)(void *payload, const struct store_patch_piece *piece), void *payload,
	struct store_error *err)
{
	struct telling t = { piece, payload, input->lines_before, false };
	git_diff_options options = { .version = GIT_DIFF_OPTIONS_VERSION,
		/* Whether it is text was decided before, by the same rule for all sizes. */
		.flags = GIT_DIFF_FORCE_TEXT,
		.ignore_submodules = GIT_SUBMODULE_IGNORE_UNSPECIFIED,
		.context_lines = input->context,
		.max_size = -1 };
	const git_error *why;
	int rc = have_library(err);

	if (rc != 0)
		return rc;
	rc = git2.diff_buffers(input->old_len > 0 ? input->old_data : NULL, input->old_len, "a",
		input->new_len > 0 ? input->new_data : NULL, input->new_len, "a", &options, NULL,
		NULL, take_hunk, take_line, &t);
	if (t.is_canceled)
		return store_error_set(err, STORE_ECANCELED, "canceled");
	if (rc == 0)
		return 0;
	why = git2.error_last();
	return store_error_set(err, STORE_ENOMEM, "cannot compare two texts: %s",
		why && why->message ? why->message : "libgit2 does not say why");
}
