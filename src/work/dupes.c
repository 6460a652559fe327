/*
 * store_dupes: a walk fills a sorter with names by size, and stages compare what shares one.
 *
 * Memory: while it walks, the walk's and one sorter's; then three sorters of sort_bytes, a window
 * on each piece of a sorter that waits on disk, one buffer to read with, and a part of a group.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "work/dupes_internal.h"
#include "work/options.h"
#include "work/walk_internal.h"

#define TICK_NS 100000000
#define SORT_DEFAULT ((uint32_t)8 << 20)
#define SORT_MIN 4096u
#define SORT_MAX ((uint32_t)64 << 20)
#define EXCLUDE_STORE DUPES_STORE "/"

/* ---- what the others call */

int dupes_canceled(struct store_error *err)
{
	return store_error_set(err, STORE_ECANCELED, "canceled");
}

int dupes_tick(struct dupes *d, bool is_last, struct store_error *err)
{
	const int64_t now = clock_mono_ns();
	int rc;

	if (!d->o->progress || (!is_last && now - d->ticked_ns < TICK_NS))
		return 0;
	d->ticked_ns = now;
	rc = d->o->progress(d->o->payload, d->now);
	return rc != 0 && !is_last ? dupes_canceled(err) : 0;
}

static uint32_t depth_of(const struct store_dupes_file *f)
{
	uint32_t depth = f->path_len > 0;

	for (size_t i = 0; i < f->path_len; i++)
		depth += f->path[i] == '/';
	return depth;
}

int dupes_fail(struct dupes *d, const struct store_dupes_file *file, const struct store_error *why,
	struct store_error *err)
{
	const struct store_walk_failure f = { file->path, file->path_len, file->root,
		depth_of(file), *why };

	d->now->errors++;
	if (d->o->failure)
		d->o->failure(d->o->payload, &f);
	if (!(d->walk->flags & STORE_WALK_STRICT))
		return 0;
	if (err)
		*err = *why;
	return why->code;
}

/* ---- the walk */

static int on_batch(void *payload, const struct store_walk_batch *batch)
{
	struct dupes *d = payload;
	int rc = 0;

	for (size_t i = 0; i < batch->n && rc == 0; i++)
		rc = dupes_stage_add(d, &batch->records[i], &d->walk_err);
	return rc;
}

static void on_failure(void *payload, const struct store_walk_failure *f)
{
	struct dupes *d = payload;

	if (d->o->failure)
		d->o->failure(d->o->payload, f);
}

static int on_progress(void *payload, const struct store_walk_stats *stats)
{
	struct dupes *d = payload;

	d->now->walk = *stats;
	return d->o->progress ? d->o->progress(d->o->payload, d->now) : 0;
}

/* What the caller asked the walk for, with what is ours. excludes: where its list goes. */
static int plan_walk(struct dupes *d, struct store_walk_options *w, const char ***excludes,
	struct store_error *err)
{
	size_t n = 0;

	if (d->o->walk)
		*w = *d->o->walk;
	while (w->excludes && w->excludes[n])
		n++;
	*excludes = mem_alloc_array(n + 2, sizeof(**excludes));
	if (!*excludes)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	(*excludes)[0] = EXCLUDE_STORE;
	for (size_t i = 0; i < n; i++)
		(*excludes)[i + 1] = w->excludes[i];
	w->excludes = *excludes;
	w->types = STORE_WALK_FILE;
	w->flags |= STORE_WALK_STRICT_BATCH;
	w->scratch = walk_plan_scratch(w->scratch);
	if (w->min_size == 0 && !(d->o->flags & STORE_DUPES_EMPTY))
		w->min_size = 1;
	w->batch = on_batch;
	w->failure = on_failure;
	w->progress = on_progress;
	w->payload = d;
	d->walk = w;
	return 0;
}

static int walk(struct dupes *d, size_t n, struct store_error *err)
{
	const int rc = store_walk(d->roots, n, d->walk, &d->now->walk, err);

	if (rc != 0 && d->walk_err.code != 0 && err)
		*err = d->walk_err;
	return rc;
}

/* ---- checks */

static int check(const struct store_dupes_options *o, struct store_error *err)
{
	int rc = options_check(o, "store_dupes_options", err);

	if (rc == 0)
		rc = options_check(o->walk, "store_walk_options", err);
	if (rc != 0)
		return rc;
	if (o->flags & ~(unsigned int)(STORE_DUPES_EMPTY | STORE_DUPES_FORCE))
		return store_error_set(err, STORE_EINVAL, "a flag is not known");
	if ((unsigned int)o->act > STORE_DUPES_DELETE)
		return store_error_set(err, STORE_EINVAL, "there is no such act");
	if (o->sort_bytes != 0 && (o->sort_bytes < SORT_MIN || o->sort_bytes > SORT_MAX))
		return store_error_set(err, STORE_EINVAL, "sort_bytes is %u to %u", SORT_MIN,
			SORT_MAX);
	return 0;
}

/* A root in a folder of a repository is looked at, but nothing in it is changed. */
static int check_roots(const struct dupes *d, size_t n, struct store_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0 && d->o->act != STORE_DUPES_TELL; i++) {
		char *real = d->roots[i] ? realpath(d->roots[i], NULL) : NULL;
		const char *at = real ? strstr(real, "/" DUPES_STORE) : NULL;

		for (; at && rc == 0; at = strstr(at + 1, "/" DUPES_STORE)) {
			const char end = at[1 + strlen(DUPES_STORE)];

			if (end == '/' || end == '\0')
				rc = store_error_set(err, STORE_EINVAL,
					"'%s' is in the folder of a repository, where nothing is linked or deleted",
					d->roots[i]);
		}
		free(real);
	}
	return rc;
}

/* ---- the call */

static int search(struct dupes *d, size_t n, struct store_error *err)
{
	int rc = walk(d, n, err);

	if (rc == 0)
		rc = dupes_stage_run(d, err);
	d->now->complete = rc == 0;
	d->now->spilled_bytes = d->sizes.spilled + d->ends.spilled + d->same.spilled;
	return rc == 0 ? dupes_plan_end(d, err) : rc;
}

static int run(struct dupes *d, size_t n, struct store_error *err)
{
	struct store_walk_options w = { 0 };
	const char **excludes = NULL;
	const size_t cap = d->o->sort_bytes ? d->o->sort_bytes : SORT_DEFAULT;
	int rc = check(d->o, err);

	if (rc == 0)
		rc = check_roots(d, n, err);
	if (rc != 0)
		return rc;
	rc = plan_walk(d, &w, &excludes, err);
	sorter_init(&d->sizes, w.scratch, cap);
	sorter_init(&d->ends, w.scratch, cap);
	sorter_init(&d->same, w.scratch, cap);
	d->hash = hash_new();
	d->buffer = malloc(DUPES_BUFFER);
	if (rc == 0 && (!d->hash || !d->buffer))
		rc = store_error_set(err, STORE_ENOMEM, "out of memory");
	if (rc == 0)
		rc = dupes_plan_init(d, err);
	if (rc == 0)
		rc = search(d, n, err);
	dupes_tick(d, true, NULL);
	dupes_plan_release(d);
	free(d->buffer);
	hash_free(d->hash);
	sorter_release(&d->same);
	sorter_release(&d->ends);
	sorter_release(&d->sizes);
	io_close(&d->root_fd);
	free(excludes);
	return rc;
}

int store_dupes(const char *const *roots, size_t n, const struct store_dupes_options *options,
	struct store_dupes_stats *result, struct store_error *err)
{
	static const struct store_dupes_options none;
	struct store_dupes_stats stats = { 0 };
	struct dupes d = { .roots = roots,
		.o = options ? options : &none,
		.now = result ? result : &stats,
		.root_fd = -1,
		.plan.scratch_fd = -1,
		.plan.spool.fd = -1 };

	memset(d.now, 0, sizeof(*d.now));
	return run(&d, n, err);
}
