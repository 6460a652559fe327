/*
 * Numbers in table `stats`: 8 bytes, little-endian, under a text key. A repository has a handful:
 * the next publication, the next directory.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "odb/env.h"

int env_number(struct env_txn *t, const char *name, uint64_t *out, struct store_error *err)
{
	struct env_val v = { NULL, 0 };
	int rc = env_get(t, ENV_STATS, name, strlen(name), &v, err);

	*out = 0;
	if (rc == STORE_ENOTFOUND)
		return 0;
	if (rc != 0)
		return rc;
	if (v.len != 8)
		return store_error_set(err, STORE_ECORRUPT,
			"row '%s' of 'stats' is malformed; run 'store fsck --rebuild'", name);
	*out = le64_get(v.data);
	return 0;
}

int env_set_number(struct env_txn *t, const char *name, uint64_t v, struct store_error *err)
{
	uint8_t b[8];

	le64_put(b, v);
	return env_put(t, ENV_STATS, name, strlen(name), b, sizeof(b), err);
}
