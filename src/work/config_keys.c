/*
 * The keys that do something. A key is added together with what obeys it, never before: a key that
 * is accepted and ignored is a promise broken in silence.
 *
 * Sections "x-..." belong to whoever invents them and are kept unread.
 */
#include "work/config_internal.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/quote.h"

static const struct config_key keys[] = {
	{ "chunking.average", "65536", NULL, 0 },
	{ "chunking.huge_file_chunk_size", NULL, NULL, 0 },
	{ "chunking.huge_file_threshold", NULL, NULL, 0 },
	{ "chunking.large_file_chunk_size", NULL, NULL, 0 },
	{ "chunking.medium_file_chunk_size", NULL, NULL, 0 },
	{ "chunking.medium_file_threshold", NULL, NULL, 0 },
	{ "chunking.small_file_chunk_size", NULL, NULL, 0 },
	{ "chunking.small_file_threshold", NULL, NULL, 0 },
	{ "color.ui", "auto", NULL, 0 },
	{ "core.codec", "zlib", NULL, 0 },
	{ "core.codecLevel", "0", NULL, 0 },
	{ "core.dbDir", NULL, NULL, CONFIG_LOCAL },
	{ "core.excludesFile", NULL, NULL, 0 },
	{ "core.lockTimeout", "30s", NULL, 0 },
	{ "core.metadata", "times", NULL, 0 },
	{ "core.pager", NULL, "STORE_PAGER", CONFIG_RUNS },
	{ "core.trustctime", "true", NULL, 0 },
	{ "init.defaultBranch", "main", NULL, 0 },
	{ "performance.threads", "0", NULL, 0 },
	{ "safe.directory", NULL, NULL, CONFIG_TRUSTED },
	{ "user.email", NULL, NULL, 0 },
	{ "user.name", NULL, NULL, 0 },
	{ "user.useConfigOnly", "false", NULL, 0 },
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

const struct config_key *config_key_find(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcasecmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

static const char *find_nearest(const char *name)
{
	const char *best = keys[0].name;
	unsigned int least = nearest_distance(name, best);

	for (size_t i = 1; i < KEY_COUNT; i++) {
		const unsigned int distance = nearest_distance(name, keys[i].name);

		if (distance < least) {
			least = distance;
			best = keys[i].name;
		}
	}
	return best;
}

int config_key_check(const char *name, const char *where, struct store_error *err)
{
	char shown[100];

	if (config_key_find(name))
		return 0;
	if (strncasecmp(name, "x-", 2) == 0 && strchr(name, '.'))
		return 0;
	return store_error_set(err, STORE_EINVAL, "%s: there is no key '%s'; the nearest is '%s'",
		where, quote_msg(shown, sizeof(shown), name, strlen(name)), find_nearest(name));
}
