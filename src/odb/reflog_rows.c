/*
 * Rows of one name lie side by side, oldest first, so the newest of all is found by a leap from
 * name to name: the history may be long.
 */
#include "odb/reflog_rows.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "data/limits.h"

bool reflog_key_parse(const struct env_val *key, size_t *name_len, uint64_t *number)
{
	const uint8_t *p = key->data;

	if (key->len <= REFLOG_KEY_TAIL || key->len > LIMIT_REF + REFLOG_KEY_TAIL)
		return false;
	*name_len = key->len - REFLOG_KEY_TAIL;
	*number = be64_get(p + *name_len + 1);
	return !memchr(p, 0, *name_len) && p[*name_len] == 0;
}

/* The newest row of the name that key begins with; *number grows. c moves on to the next name. */
static int leap(struct env_txn *t, struct env_cursor *c, const struct env_val *key,
	uint64_t *number, struct store_error *err)
{
	uint8_t end[LIMIT_REF + 1];
	struct env_val last, val;
	uint64_t n = 0;
	size_t len;
	int rc;

	if (!reflog_key_parse(key, &len, &n))
		return store_error_set(err, STORE_ECORRUPT,
			"a row of the reflog is malformed; run 'store fsck --rebuild'");
	memcpy(end, key->data, len);
	end[len] = 1;
	rc = env_get_before(t, ENV_REFLOG, end, len + 1, &last, &val, err);
	if (rc == 0 && reflog_key_parse(&last, &(size_t){ 0 }, &n) && n > *number)
		*number = n;
	env_cursor_seek(c, end, len + 1);
	return rc;
}

int reflog_newest(struct env_txn *t, uint64_t *number, struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	int rc = env_cursor_open(t, ENV_REFLOG, &c, err);

	*number = 0;
	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		rc = leap(t, c, &key, number, err);
		if (rc != 0)
			break;
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}
