/*
 * A window holds between WINDOW and twice that. When twice is reached while reading, the greater
 * half goes, and from then on no name above what stayed is taken: so a directory in random order
 * sorts a few windows only, however long it is.
 *
 * An entry that is made or removed while a long directory is read window by window is seen or not,
 * as with any listing; one that stays is seen once, because every window is a whole reading.
 */
#include "work/listing.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dents.h"
#include "base/mem.h"
#include "work/leftover.h"

#define WINDOW ((size_t)6 << 20)
#define NAME_COST 13 /* its NUL, its place in the order, and what sorting needs for it */

struct reading {
	struct listing *l;
	size_t window;
	struct buf highest; /* when names were left out: the greatest that may be taken */
};

size_t listing_window(void)
{
#ifdef STORE_FAULTS
	const char *s = getenv("STORE_TEST_LISTING");

	if (s)
		return strtoull(s, NULL, 0);
#endif
	return WINDOW;
}

void listing_release(struct listing *l)
{
	buf_release(&l->text);
	buf_release(&l->behind);
	free(l->order);
	memset(l, 0, sizeof(*l));
}

static void forget(struct listing *l)
{
	buf_release(&l->text);
	free(l->order);
	l->order = NULL;
	l->count = l->next = l->dirs = l->held = 0;
}

/* What was handed out is not wanted again. */
static int note_behind(struct listing *l)
{
	const char *last = l->next > 0 ? (const char *)l->text.data + l->order[l->next - 1] : NULL;

	if (!last)
		return 0;
	return buf_set(&l->behind, last, strlen(last) + 1) == 0 ? 0 : ENOMEM;
}

void listing_drop(struct listing *l)
{
	if (l->next < l->count)
		l->more = true;
	/* Without room for a name of 255 bytes it is better to keep what there is. */
	if (note_behind(l) == 0)
		forget(l);
}

static bool is_hidden(const char *name)
{
	return strcmp(name, ".store") == 0;
}

/* Names hold no NUL, so strcmp is byte order with the shorter name first. */
static int by_name(const void *a, const void *b, void *names)
{
	return strcmp((const char *)names + *(const uint32_t *)a,
		(const char *)names + *(const uint32_t *)b);
}

static int sort(struct listing *l)
{
	size_t at = 0;

	free(l->order);
	l->order = NULL;
	if (l->count == 0)
		return 0;
	l->order = mem_alloc_array(l->count, sizeof(*l->order));
	if (!l->order)
		return ENOMEM;
	for (size_t i = 0; i < l->count; i++) {
		l->order[i] = (uint32_t)at;
		at += strlen((const char *)l->text.data + at) + 1;
	}
	qsort_r(l->order, l->count, sizeof(*l->order), by_name, l->text.data);
	return 0;
}

/* Keep the least names that fit the window, and no longer take those above them. */
static int cut(struct reading *r)
{
	struct listing *l = r->l;
	struct buf kept = { 0 };
	size_t held = 0, n = 0;
	const char *name = NULL;
	int rc = sort(l);

	if (rc != 0)
		return rc;
	/* One at least, or no window would lead any further. */
	while (n < l->count && (n == 0 || held < r->window)) {
		name = (const char *)l->text.data + l->order[n++];
		buf_add(&kept, name, strlen(name) + 1);
		held += strlen(name) + NAME_COST;
	}
	if (n < l->count)
		l->dirs = (size_t)((uint64_t)l->dirs * n / l->count);
	if (n < l->count)
		l->more = true;
	if (name && n < l->count)
		buf_set(&r->highest, name, strlen(name) + 1);
	buf_release(&l->text);
	l->text = kept;
	l->count = n;
	l->held = held;
	return kept.failed || r->highest.failed ? ENOMEM : 0;
}

static int take(struct reading *r, const char *name, bool is_dir)
{
	struct listing *l = r->l;
	const size_t len = strlen(name);

	if (is_hidden(name))
		return 0;
	if (leftover_is(name)) {
		l->has_leftovers = true;
		return 0;
	}
	if (l->behind.len > 0 && strcmp(name, (const char *)l->behind.data) <= 0)
		return 0;
	if (r->highest.len > 0 && strcmp(name, (const char *)r->highest.data) > 0)
		return 0;
	if (buf_add(&l->text, name, len + 1) != 0)
		return ENOMEM;
	l->count++;
	l->dirs += is_dir;
	l->held += len + NAME_COST;
	return l->held > 2 * r->window ? cut(r) : 0;
}

static int read_all(struct reading *r, struct dents *dents)
{
	struct dent e;

	for (;;) {
		const int n = dents_next(dents, &e);
		int rc;

		if (n <= 0)
			return n < 0 ? errno : 0;
		rc = take(r, e.name, e.type == DT_DIR);
		if (rc != 0)
			return rc;
	}
}

int listing_read(struct listing *l, int fd)
{
	struct reading r = { .l = l, .window = listing_window() };
	struct dents dents;
	int rc = dents_init(&dents) == 0 ? note_behind(l) : ENOMEM;

	if (rc == 0) {
		forget(l);
		l->more = false;
		dents_begin(&dents, fd);
		rc = lseek(fd, 0, SEEK_SET) == -1 ? errno : read_all(&r, &dents);
	}
	if (rc == 0)
		rc = sort(l);
	dents_release(&dents);
	buf_release(&r.highest);
	if (rc == 0)
		return 0;
	forget(l);
	errno = rc;
	return -1;
}
