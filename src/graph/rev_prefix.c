/*
 * Id prefixes. The table of objects is in the order of ids, so the objects that fit stand in one
 * row; chunks and nodes are passed over by decoding, not by the kind in the index, which is a hint
 * on which no correctness depends. What is longer than any commit can be is not read.
 */
#include "graph/rev_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "graph/tag.h"
#include "odb/odb.h"

#define PREFIX_MIN 4
#define SHOWN_MAX 10
#define COMMIT_MAX (LIMIT_MESSAGE + 32u * LIMIT_LINE) /* bytes of a commit or tag */

struct prefix {
	uint8_t b[ID_LEN]; /* the digits, zeros behind them */
	size_t digits;
	bool layers; /* layers are sought, not commits and tags */
};

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_prefix(struct text_slice text, struct prefix *p)
{
	memset(p, 0, sizeof(*p));
	if (text.len < PREFIX_MIN || text.len > ID_HEX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const int v = digit_of(text.p[i]);

		if (v < 0)
			return false;
		p->b[i / 2] |= (uint8_t)(i % 2 ? v : v << 4);
	}
	p->digits = text.len;
	return true;
}

static bool fits(const struct prefix *p, const uint8_t *id)
{
	const size_t whole = p->digits / 2;

	if (memcmp(p->b, id, whole) != 0)
		return false;
	return p->digits % 2 == 0 || p->b[whole] == (id[whole] & 0xf0);
}

/*
 * Does the object read as what is sought? An error of the system is one; anything else wrong
 * with it only says no.
 */
static int look_at(const struct rev_source *s, const struct env_val *row, const struct oid *id,
	bool layers, struct buf *data, bool *yes, struct store_error *err)
{
	struct odb_loc loc;
	struct layer l;
	struct commit c;
	struct tag tag;
	int rc = odb_row_decode(row->data, row->len, &loc, err);

	*yes = false;
	if (rc != 0 || loc.len > COMMIT_MAX)
		return rc;
	rc = node_get(&s->nodes, id, data, err);
	if (rc == STORE_ECORRUPT || rc == STORE_ENOTFOUND) {
		store_error_clear(err);
		return 0;
	}
	if (rc == 0 && layers)
		*yes = layer_decode(&l, data->data, data->len, NULL) == 0;
	else if (rc == 0)
		*yes = commit_decode(&c, data->data, data->len, NULL) == 0 ||
			tag_decode(&tag, data->data, data->len, NULL) == 0;
	return rc;
}

struct matches {
	struct oid ids[SHOWN_MAX];
	size_t count; /* may be one more than there is room for: then the search ended */
};

static int collect(const struct rev_source *s, const struct prefix *p, struct matches *m,
	struct store_error *err)
{
	struct buf data = { 0 };
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(s->txn, ENV_OBJECTS, &c, err);

	if (rc != 0)
		return rc;
	env_cursor_seek(c, p->b, (p->digits + 1) / 2);
	while (m->count <= SHOWN_MAX && (rc = env_cursor_next(c, &key, &val, err)) == 0) {
		struct oid id;
		bool yes;

		if (key.len != ID_LEN || !fits(p, key.data))
			break;
		memcpy(id.b, key.data, ID_LEN);
		rc = look_at(s, &val, &id, p->layers, &data, &yes, err);
		if (rc != 0)
			break;
		if (yes && m->count < SHOWN_MAX)
			m->ids[m->count] = id;
		m->count += yes;
	}
	env_cursor_close(c);
	buf_release(&data);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int tell_candidates(const struct matches *m, struct text_slice text, struct store_error *err)
{
	char list[SHOWN_MAX * (ID_HEX + 2) + 1] = "";
	size_t len = 0;

	for (size_t i = 0; i < m->count && i < SHOWN_MAX; i++) {
		char hex[ID_HEX + 1];
		/* As many digits as tell more than the prefix did. */
		const int digits = text.len + 8 < 12 ? 12 : (int)text.len + 8;

		id_hex(hex, &m->ids[i]);
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.*s", i > 0 ? ", " : "",
			digits, hex);
	}
	return store_error_set(err, STORE_EAMBIGUOUS, "id prefix '%.*s' is ambiguous: it fits %s%s",
		(int)text.len, text.p, list, m->count > SHOWN_MAX ? " and more" : "");
}

static int find(const struct rev_source *s, const struct prefix *p, struct text_slice text,
	struct oid *out, struct store_error *err)
{
	struct matches m = { .count = 0 };
	int rc = collect(s, p, &m, err);

	if (rc != 0)
		return rc;
	if (m.count == 0)
		return STORE_ENOTFOUND;
	if (m.count > 1)
		return tell_candidates(&m, text, err);
	*out = m.ids[0];
	return 0;
}

int rev_find_prefix(const struct rev_source *s, struct text_slice text, bool *is_hex,
	struct oid *out, struct store_error *err)
{
	struct prefix p;

	*is_hex = parse_prefix(text, &p);
	return *is_hex ? find(s, &p, text, out, err) : STORE_ENOTFOUND;
}

int rev_find_layer_prefix(const struct rev_source *s, struct text_slice text, struct oid *out,
	struct store_error *err)
{
	struct prefix p;

	if (!parse_prefix(text, &p))
		return STORE_ENOTFOUND;
	p.layers = true;
	return find(s, &p, text, out, err);
}
