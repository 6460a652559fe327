/*
 * A range of either side to the bytes that differ in it.
 *
 * First the bytes that both begin with are passed, then those that both end with; so an insertion
 * of any size costs no more than the chunks at its two ends. What is left goes through two windows,
 * in which after each difference the nearest place is looked for where both sides go on alike:
 *
 *     straight    so many bytes further on both sides, 16 bytes are equal
 *     shifted     a block of 32 bytes of the old window, found by its hash, stands in the new one
 *
 * The search goes outwards byte by byte and ends where nothing nearer can come, so its cost is
 * within what is then passed. What ends a window without having been found is looked at again in
 * the next, when that is a gain; else both windows are one difference. Ranges that touch become
 * one.
 *
 * Memory: two windows and the table of blocks, some 1.2 MiB, whatever the size of the content.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "work/patch_internal.h"

#define BLOCK 32    /* bytes of a block of the old window */
#define STRAIGHT 16 /* equal bytes that are no chance */
#define HEADS_BITS 14
#define HEADS ((size_t)1 << HEADS_BITS)
#define CHAIN_MAX 16

int patch_bytes_init(struct patch_bytes *b, struct patch_side *old_side,
	struct patch_side *new_side, size_t window, patch_range_fn *fn, void *ctx,
	struct store_error *err)
{
	memset(b, 0, sizeof(*b));
	b->old_side = old_side;
	b->new_side = new_side;
	b->fn = fn;
	b->ctx = ctx;
	b->window = window;
	b->old_data = malloc(window);
	b->new_data = malloc(window);
	b->heads = mem_alloc_array(HEADS, sizeof(*b->heads));
	b->nexts = mem_alloc_array(window / BLOCK + 1, sizeof(*b->nexts));
	if (!b->old_data || !b->new_data || !b->heads || !b->nexts)
		return store_error_set(err, STORE_ENOMEM, "out of memory");
	return 0;
}

void patch_bytes_release(struct patch_bytes *b)
{
	free(b->old_data);
	free(b->new_data);
	free(b->heads);
	free(b->nexts);
}

/* ---- ranges that touch become one */

static int emit(struct patch_bytes *b, uint64_t old_off, uint64_t old_len, uint64_t new_off,
	uint64_t new_len, struct store_error *err)
{
	struct patch_range *h = &b->held;

	if (old_len == 0 && new_len == 0)
		return 0;
	if (b->has_held && h->old_off + h->old_len == old_off &&
		h->new_off + h->new_len == new_off) {
		h->old_len += old_len;
		h->new_len += new_len;
		return 0;
	}
	if (b->has_held) {
		const int rc = b->fn(b->ctx, h, err);

		if (rc != 0)
			return rc;
	}
	*h = (struct patch_range){ old_off, old_len, new_off, new_len };
	b->has_held = true;
	return 0;
}

int patch_bytes_finish(struct patch_bytes *b, struct store_error *err)
{
	if (!b->has_held)
		return 0;
	b->has_held = false;
	return b->fn(b->ctx, &b->held, err);
}

/* ---- common ends */

static size_t count_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t n = 0;

	while (len - n >= 8 && le64_get(a + n) == le64_get(b + n))
		n += 8;
	while (n < len && a[n] == b[n])
		n++;
	return n;
}

static size_t count_equal_back(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t n = 0;

	while (n < len && a[len - 1 - n] == b[len - 1 - n])
		n++;
	return n;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How much is compared at once at an end: mostly little is equal there. */
static size_t end_step(const struct patch_bytes *b)
{
	return b->window < ((size_t)64 << 10) ? b->window : (size_t)64 << 10;
}

static int read_both(struct patch_bytes *b, uint64_t old_off, size_t old_len, uint64_t new_off,
	size_t new_len, struct store_error *err)
{
	int rc = patch_side_read(b->old_side, old_off, b->old_data, old_len, err);

	if (rc == 0)
		rc = patch_side_read(b->new_side, new_off, b->new_data, new_len, err);
	return rc;
}

static int cut_start(struct patch_bytes *b, struct patch_range *r, struct store_error *err)
{
	for (;;) {
		const size_t want = (size_t)least(end_step(b), least(r->old_len, r->new_len));
		const int rc = read_both(b, r->old_off, want, r->new_off, want, err);
		size_t n;

		if (rc != 0)
			return rc;
		n = count_equal(b->old_data, b->new_data, want);
		r->old_off += n;
		r->new_off += n;
		r->old_len -= n;
		r->new_len -= n;
		if (n < want || want == 0)
			return 0;
	}
}

static int cut_end(struct patch_bytes *b, struct patch_range *r, struct store_error *err)
{
	for (;;) {
		const size_t want = (size_t)least(end_step(b), least(r->old_len, r->new_len));
		const int rc = read_both(b, r->old_off + r->old_len - want, want,
			r->new_off + r->new_len - want, want, err);
		size_t n;

		if (rc != 0)
			return rc;
		n = count_equal_back(b->old_data, b->new_data, want);
		r->old_len -= n;
		r->new_len -= n;
		if (n < want || want == 0)
			return 0;
	}
}

/* ---- within the windows */

struct match {
	struct patch_bytes *b;
	size_t old_n, new_n; /* bytes in the windows */
	size_t i, j;         /* both sides go on from here */
	bool has_table;
};

static uint32_t hash_block(const uint8_t *p)
{
	uint64_t h = le64_get(p) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ le64_get(p + 8)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 29) ^ le64_get(p + 16)) * UINT64_C(0x94d049bb133111eb);
	h = (h ^ (h >> 31) ^ le64_get(p + 24)) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> (64 - HEADS_BITS));
}

/* Chains of the old window's blocks in order of place: the last is put in first. */
static void make_table(struct match *m)
{
	struct patch_bytes *b = m->b;

	memset(b->heads, 0, HEADS * sizeof(*b->heads));
	for (size_t k = m->old_n / BLOCK; k > m->i / BLOCK; k--) {
		const uint32_t h = hash_block(b->old_data + (k - 1) * BLOCK);

		b->nexts[k - 1] = b->heads[h];
		b->heads[h] = (uint32_t)k;
	}
	m->has_table = true;
}

/* The first block of the old window at or behind i that equals the bytes at q, or none (old_n). */
static size_t find_block(const struct match *m, size_t q)
{
	struct patch_bytes *b = m->b;
	uint32_t *head = &b->heads[hash_block(b->new_data + q)];
	uint32_t k;

	/* What lies behind is never asked for again in this window. */
	while (*head != 0 && (*head - 1) * (size_t)BLOCK < m->i)
		*head = b->nexts[*head - 1];
	k = *head;
	for (int n = 0; k != 0 && n < CHAIN_MAX; n++, k = b->nexts[k - 1]) {
		const size_t p = (k - 1) * (size_t)BLOCK;

		if (memcmp(b->old_data + p, b->new_data + q, BLOCK) == 0)
			return p;
	}
	return m->old_n;
}

/* Where both sides go on alike. */
struct place {
	size_t p, q, distance;
};

static void try_straight(const struct match *m, size_t t, struct place *best)
{
	const struct patch_bytes *b = m->b;
	const size_t p = m->i + t, q = m->j + t;

	if (t < best->distance && p + STRAIGHT <= m->old_n && q + STRAIGHT <= m->new_n &&
		memcmp(b->old_data + p, b->new_data + q, STRAIGHT) == 0)
		*best = (struct place){ p, q, t };
}

static void try_shifted(const struct match *m, size_t t, struct place *best)
{
	const struct patch_bytes *b = m->b;
	size_t q = m->j + t, p, distance;

	if (q + BLOCK > m->new_n)
		return;
	p = find_block(m, q);
	if (p == m->old_n)
		return;
	while (p > m->i && q > m->j && b->old_data[p - 1] == b->new_data[q - 1]) {
		p--;
		q--;
	}
	distance = p - m->i > q - m->j ? p - m->i : q - m->j;
	if (distance < best->distance)
		*best = (struct place){ p, q, distance };
}

/* The nearest place behind a difference; false: none in these windows. */
static bool find_place(struct match *m, struct place *best)
{
	const size_t end = m->old_n - m->i > m->new_n - m->j ? m->old_n - m->i : m->new_n - m->j;

	*best = (struct place){ 0, 0, SIZE_MAX };
	if (!m->has_table)
		make_table(m);
	for (size_t t = 0; t < end && t < best->distance; t++) {
		if (t > 0)
			try_straight(m, t, best);
		try_shifted(m, t, best);
	}
	return best->distance != SIZE_MAX;
}

/* Tell what differs in the windows as far as both are known to go on alike: m->i, m->j. */
static int match_windows(struct match *m, const struct patch_range *r, struct store_error *err)
{
	struct patch_bytes *b = m->b;

	for (;;) {
		const size_t n = count_equal(b->old_data + m->i, b->new_data + m->j,
			(size_t)least(m->old_n - m->i, m->new_n - m->j));
		struct place next;
		int rc;

		m->i += n;
		m->j += n;
		if (m->i == m->old_n || m->j == m->new_n || !find_place(m, &next))
			return 0;
		rc = emit(b, r->old_off + m->i, next.p - m->i, r->new_off + m->j, next.q - m->j,
			err);
		if (rc != 0)
			return rc;
		m->i = next.p;
		m->j = next.q;
	}
}

/* One pair of windows from the start of r on, which then begins where they were left. */
static int take_windows(struct patch_bytes *b, struct patch_range *r, struct store_error *err)
{
	struct match m = { .b = b,
		.old_n = (size_t)least(b->window, r->old_len),
		.new_n = (size_t)least(b->window, r->new_len) };
	const bool is_last = m.old_n == r->old_len && m.new_n == r->new_len;
	int rc = read_both(b, r->old_off, m.old_n, r->new_off, m.new_n, err);

	if (rc == 0)
		rc = match_windows(&m, r, err);
	if (rc == 0 && (is_last || (m.i <= m.old_n / 2 && m.j <= m.new_n / 2))) {
		rc = emit(b, r->old_off + m.i, m.old_n - m.i, r->new_off + m.j, m.new_n - m.j, err);
		m.i = m.old_n;
		m.j = m.new_n;
	}
	r->old_off += m.i;
	r->new_off += m.j;
	r->old_len -= m.i;
	r->new_len -= m.j;
	return rc;
}

int patch_bytes_refine(void *ctx, const struct patch_range *range, struct store_error *err)
{
	struct patch_bytes *b = ctx;
	struct patch_range r = *range;
	int rc = cut_start(b, &r, err);

	if (rc == 0)
		rc = cut_end(b, &r, err);
	while (rc == 0 && r.old_len > 0 && r.new_len > 0)
		rc = take_windows(b, &r, err);
	/* What only one side has left. */
	return rc == 0 ? emit(b, r.old_off, r.old_len, r.new_off, r.new_len, err) : rc;
}
