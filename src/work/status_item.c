/*
 * One path of a status: its two letters, and what of it is handed out.
 *
 * A directory has no letter but those its own attributes or its emptiness give it (status_walk.c).
 * What cannot be looked at is a notice and has no letter: only a path that is not there is deleted.
 */
#include "work/status_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "data/limits.h"
#include "work/stats.h"

#define PROGRESS_NS 100000000

enum status_wanted status_wanted(const char *const *paths, size_t n_paths, const void *data,
	size_t len)
{
	const char *path = len > 0 ? data : "";
	enum status_wanted found = n_paths == 0 ? STATUS_WANTED : STATUS_UNWANTED;

	for (size_t i = 0; i < n_paths && found != STATUS_WANTED; i++) {
		const char *p = paths[i];
		const size_t n = strlen(p);

		if (n == 0 ||
			(n <= len && memcmp(p, path, n) == 0 &&
				(n == len || path[n] == '/' || p[n - 1] == '/')))
			found = STATUS_WANTED;
		else if (n > len && memcmp(p, path, len) == 0 && p[len] == '/')
			found = STATUS_WANTED_BELOW;
	}
	return found;
}

int status_no_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- callbacks */

/* Bytes of tracked files that are judged: by attributes in a moment, or as far as they are read. */
static uint64_t judged(const struct status_walk *w)
{
	const uint64_t all = w->result->stats.bytes;
	const uint64_t part = w->item_at + (w->compare.bytes - w->item_read);

	return w->compare.bytes > w->item_read && part < all ? part : all;
}

int status_tick(void *ctx)
{
	struct status_walk *w = ctx;
	const struct store_callbacks *cb = &w->options->callbacks;
	const int64_t now = clock_mono_ns();
	struct store_progress p = { .stage = w->stage ? w->stage : "status" };

	if (now - w->last_progress_ns < PROGRESS_NS)
		return 0;
	w->last_progress_ns = now;
	stats_sample();
	p.files = w->result->stats.files;
	p.bytes = judged(w);
	/* HEAD has about as much as the stage. */
	p.is_guess = w->files_total >= p.files && w->bytes_total >= p.bytes;
	if (p.is_guess) {
		p.files_total = w->files_total;
		p.bytes_total = w->bytes_total;
	}
	return cb->progress ? cb->progress(cb->payload, &p) : 0;
}

int status_canceled(struct store_error *err)
{
	return store_error_set(err, STORE_ECANCELED, "canceled");
}

void status_notice(struct status_walk *w, enum store_notice_kind kind, const char *text)
{
	const struct store_callbacks *cb = &w->options->callbacks;
	const char *path = buf_str(&w->path);
	const struct store_notice n = { .kind = kind, .path = path ? path : "", .text = text };

	if (kind == STORE_NOTICE_UNREADABLE || kind == STORE_NOTICE_LIMIT)
		w->result->unreadable++;
	if (cb->notice)
		cb->notice(cb->payload, &n);
}

void status_unreadable(struct status_walk *w, const struct store_error *why)
{
	char text[128];

	if (why->code == STORE_ENOMEM) {
		w->has_no_memory = true;
		return;
	}
	status_notice(w, STORE_NOTICE_UNREADABLE,
		why->sys ? strerror_r(why->sys, text, sizeof(text)) : why->msg);
}

int status_ignored(struct status_walk *w, const struct status_item *i, enum ignore_state *state,
	struct store_error *err)
{
	const size_t len = w->path.len;
	struct buf path = w->path;
	struct ignore_verdict v;
	int rc = ignore_check(w->ignore, (const char *)path.data, len, i->e.kind == ENTRY_DIR, &v,
		err);

	if (rc != 0)
		return rc;
	*state = v.state;
	if (!v.is_news)
		return 0;
	/* Told by the path of the rules. */
	buf_init(&w->path);
	if (buf_set(&w->path, v.failed, strlen(v.failed)) == 0)
		status_notice(w, STORE_NOTICE_UNREADABLE, v.why);
	else
		rc = status_no_memory(err);
	buf_release(&w->path);
	w->path = path;
	return rc;
}

bool status_is_over_limit(struct status_walk *w, const struct status_item *i)
{
	if (i->e.flags & WORKTREE_LIMIT)
		status_notice(w, STORE_NOTICE_LIMIT, "its name is longer than 255 bytes");
	else if (w->path.len > LIMIT_PATH)
		status_notice(w, STORE_NOTICE_LIMIT, "its path is longer than 4096 bytes");
	else
		return false;
	return true;
}

static uint64_t size_of_head(const struct status_item *i)
{
	if (i->head.same)
		return i->row.ref.size;
	return i->head.entry.kind == ENTRY_DIR ? 0 : i->head.entry.totals.size;
}

int status_item_report(struct status_walk *w, const struct status_item *i, char x, char y,
	bool slash, struct store_error *err)
{
	struct store_status_result *r = w->result;
	const bool on_disk = i->tree == STATUS_HERE;
	struct store_status_entry e = { .x = x,
		.y = y,
		.head_kind = i->head.same ? i->row.kind : i->head.entry.kind,
		.stage_kind = i->row.kind,
		.tree_kind = on_disk ? i->e.kind : ENTRY_NONE,
		.head_size = size_of_head(i),
		.stage_size = i->row.kind == ENTRY_DIR ? 0 : i->row.ref.size,
		.tree_size = on_disk && i->e.kind != ENTRY_DIR ? i->e.stat.size : 0 };
	const size_t len = w->path.len;

	if (len == 0)
		buf_add_u8(&w->path, '.');
	if (slash && (len == 0 || w->path.data[len - 1] != '/'))
		buf_add_u8(&w->path, '/');
	e.path = buf_str(&w->path);
	if (w->path.failed || !e.path)
		return status_no_memory(err);
	if (x == '?') {
		r->untracked++;
	} else if (x != '!') {
		r->staged += x != ' ';
		r->changed += y != ' ';
		r->staged_bytes += x != ' ' && x != 'D' ? e.stage_size : 0;
		r->changed_bytes += y != ' ' && y != 'D' ? e.tree_size : 0;
	}
	if (w->options->entry && w->options->entry(w->options->callbacks.payload, &e) != 0)
		return status_canceled(err);
	w->path.len = len;
	return 0;
}

/* ---- HEAD against the stage */

bool status_item_has_other_attributes(const struct status_item *i)
{
	const struct meta *a = &i->head.meta;
	struct span s = span_of(i->row.meta, i->row.meta_len);
	struct meta b;

	return i->head.has_meta && i->row.meta_len > 0 && meta_decode(&s, &b) == 0 &&
		!meta_same(a, &b);
}

static struct entry entry_of_row(const struct stage_row *row)
{
	return (struct entry){ .kind = row->kind,
		.height = row->ref.height,
		.id = row->ref.id,
		.totals = { row->ref.size, 1, 0 } };
}

static char letter_of_change(uint8_t change)
{
	switch (change) {
	case 0:
		return ' ';
	case CHANGE_ADDED:
		return 'A';
	case CHANGE_DELETED:
		return 'D';
	case CHANGE_TYPE:
		return 'T';
	default:
		return 'M';
	}
}

char status_item_x(const struct status_item *i)
{
	const struct entry none = { 0 };
	const struct entry a = i->head.entry.kind == ENTRY_DIR ? none : i->head.entry;
	const struct entry b = i->row.kind == ENTRY_DIR || i->row.kind == ENTRY_NONE
		? none
		: entry_of_row(&i->row);
	uint8_t change;

	if (i->head.same || (a.kind == ENTRY_NONE && b.kind == ENTRY_NONE))
		return ' ';
	change = change_between(&a, &b);
	if (change == 0 && status_item_has_other_attributes(i))
		return 'M';
	return letter_of_change(change);
}

/* ---- the stage against the working tree */

/*
 * Found equal by reading: the next status need not read, once the file is older than the clock's
 * grain. A changed mode that does not count today (core.metadata=none) stays visible for the day
 * when it does.
 */
static void touch(struct status_walk *w, const struct status_item *i)
{
	struct stage_row row = i->row;

	row.stat = i->e.stat;
	if (i->row.stat.clock_ns != 0 && ((i->row.stat.mode ^ row.stat.mode) & 07777) != 0)
		return;
	if (!compare_is_fresh(&w->compare, &i->row, &i->e) &&
		compare_is_fresh(&w->compare, &row, &i->e))
		status_touch_add(&w->touch, w->path.data, w->path.len, &row);
}

static int compare_on_disk(struct status_walk *w, const struct status_item *i, int dirfd, char *y,
	struct store_error *err)
{
	enum compare_verdict verdict;
	struct store_error why = { 0 };
	int rc = compare_entry(&w->compare, dirfd, &i->e, &i->row, &verdict, &why);

	if (rc != 0 && worktree_is_absent(why.sys)) {
		*y = 'D';
		return 0;
	}
	if (rc != 0 && why.sys != 0) {
		status_unreadable(w, &why);
		return 0;
	}
	if (rc != 0) {
		if (err)
			*err = why;
		return rc;
	}
	if (verdict == COMPARE_SAME) {
		touch(w, i);
		return 0;
	}
	*y = verdict == COMPARE_TYPE ? 'T' : 'M';
	return 0;
}

int status_item_y(struct status_walk *w, const struct status_item *i, int dirfd, char *y,
	struct store_error *err)
{
	*y = ' ';
	if (i->row.kind == ENTRY_NONE || i->row.kind == ENTRY_DIR || i->tree == STATUS_UNKNOWN)
		return 0;
	w->item_at = w->result->stats.bytes;
	w->item_read = w->compare.bytes;
	w->result->stats.files++;
	w->result->stats.bytes += i->row.ref.size;
	/* What is no file any more, add stages as deleted. */
	if (i->tree == STATUS_ABSENT || i->e.kind == ENTRY_DIR || i->e.kind == ENTRY_NONE) {
		*y = 'D';
		return 0;
	}
	return compare_on_disk(w, i, dirfd, y, err);
}
