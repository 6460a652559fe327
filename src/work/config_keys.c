/*
 * The keys that do something. A key is added together with what obeys it, never before: a key that
 * is accepted and ignored is a promise broken in silence. Those of systems before this one that
 * nothing here corresponds to are known by name, and `store config` says of each why it does
 * nothing.
 *
 * A row is name, type, built-in value, environment variable, flags, and by name its help and what
 * else its type wants. store-config(5) has a paragraph for each; t4700 compares both.
 *
 * Sections "x-..." belong to whoever invents them and are kept unread.
 */
#include "work/config_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/quote.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define CHUNK (CONFIG_INIT | CONFIG_POWER)
#define KEY_MAX 1024u /* bytes */

static const char *const codecs[] = { "none", "zlib", "zstd", NULL };
static const char *const metadata_modes[] = { "none", "times", "posix", NULL };
static const char *const whens[] = { "auto", "always", "never", NULL };

static const struct config_key keys[] = {
	{ "chunking.average", CONFIG_SIZE, "65536", NULL, CHUNK,
		.help = "bytes of a chunk, on average", .min = 256, .max = 2 * MIB },
	{ "chunking.huge_file_chunk_size", CONFIG_SIZE, NULL, NULL, CHUNK,
		.help = "average chunk of files from huge_file_threshold", .min = 256,
		.max = 2 * MIB },
	{ "chunking.huge_file_threshold", CONFIG_SIZE, NULL, NULL, CONFIG_INIT,
		.help = "size from which a file is huge", .min = 1 },
	{ "chunking.large_file_chunk_size", CONFIG_SIZE, NULL, NULL, CHUNK,
		.help = "average chunk of files between medium and huge", .min = 256,
		.max = 2 * MIB },
	{ "chunking.medium_file_chunk_size", CONFIG_SIZE, NULL, NULL, CHUNK,
		.help = "average chunk of files below medium_file_threshold", .min = 256,
		.max = 2 * MIB },
	{ "chunking.medium_file_threshold", CONFIG_SIZE, NULL, NULL, CONFIG_INIT,
		.help = "size from which a file is large", .min = 1 },
	{ "chunking.small_file_chunk_size", CONFIG_SIZE, NULL, NULL, CHUNK,
		.help = "average chunk of files below small_file_threshold", .min = 256,
		.max = 2 * MIB },
	{ "chunking.small_file_threshold", CONFIG_SIZE, NULL, NULL, CONFIG_INIT,
		.help = "size from which a file is of medium size", .min = 1 },
	{ "color.ui", CONFIG_WORDS, "auto", NULL, 0, .help = "colours on standard output",
		.words = whens },
	{ "core.codec", CONFIG_WORDS, "zlib", NULL, 0, .help = "how new blocks are compressed",
		.words = codecs },
	{ "core.codecLevel", CONFIG_NUMBER, "0", NULL, 0,
		.help = "effort of the codec; 0: its usual one", .max = 19 },
	{ "core.dbDir", CONFIG_PATH, NULL, NULL, CONFIG_LOCAL, .help = "folder of the database" },
	{ "core.editor", CONFIG_TEXT, NULL, "STORE_EDITOR", CONFIG_RUNS,
		.help = "program that messages are written with" },
	{ "core.excludesFile", CONFIG_PATH, NULL, NULL, 0,
		.help = "what is ignored in every repository of the user" },
	{ "core.lockTimeout", CONFIG_DURATION, "30s", NULL, 0, .help = "wait for another writer" },
	{ "core.metadata", CONFIG_WORDS, "times", NULL, 0, .help = "attributes that are recorded",
		.words = metadata_modes },
	{ "core.pager", CONFIG_TEXT, NULL, "STORE_PAGER", CONFIG_RUNS,
		.help = "program for long output on a terminal" },
	{ "core.trustctime", CONFIG_BOOL, "true", NULL, 0,
		.help = "a changed ctime alone means a look" },
	{ "diff.lineLimit", CONFIG_NUMBER, "65536", NULL, CONFIG_CAPPED,
		.help = "lines above which a text is compared as bytes", .max = 131072 },
	{ "diff.textLimit", CONFIG_SIZE, "4MiB", NULL, CONFIG_CAPPED,
		.help = "size above which a text is compared as bytes", .max = 8 * MIB },
	{ "init.defaultBranch", CONFIG_TEXT, "main", NULL, CONFIG_INIT,
		.help = "first branch of a new repository" },
	{ "performance.async_io", CONFIG_BOOL, NULL, NULL, 0, .help = "no counterpart",
		.unused =
			"reading, hashing and writing always go on side by side, in threads; performance.threads = 1 ends that" },
	{ "performance.batch_size", CONFIG_NUMBER, "256", NULL, CONFIG_CAPPED,
		.help = "small files in one item of work", .min = 1, .max = 256 },
	{ "performance.buffer_size", CONFIG_SIZE, "1MiB", NULL, CONFIG_CAPPED,
		.help = "bytes of one read of a large file", .min = 4 * KIB, .max = MIB },
	{ "performance.chunk_cache_size", CONFIG_SIZE, "8MiB", NULL, CONFIG_CAPPED,
		.help = "memory for decoded blocks", .max = 8 * MIB },
	{ "performance.compression_threshold", CONFIG_SIZE, "0", NULL, 0,
		.help = "blocks up to it are stored as they are" },
	{ "performance.file_cache_size", CONFIG_SIZE, NULL, NULL, 0, .help = "no counterpart",
		.unused =
			"what is known of files stands in the database, which the system's page cache holds" },
	{ "performance.max_memory_usage", CONFIG_SIZE, "16MiB", NULL, CONFIG_CAPPED,
		.help = "memory for files on their way in", .min = MIB, .max = 16 * MIB },
	{ "performance.max_worker_threads", CONFIG_NUMBER, NULL, NULL, 0,
		.help = "another name of performance.threads", .max = 1024,
		.same_as = "performance.threads" },
	{ "performance.memory_map_threshold", CONFIG_SIZE, NULL, NULL, 0, .help = "no counterpart",
		.unused =
			"files are read, never mapped: one that shrinks while it is mapped kills the program" },
	{ "performance.threads", CONFIG_NUMBER, "0", NULL, 0,
		.help = "threads for bulk work; 0: one per processor", .max = 1024 },
	{ "safe.directory", CONFIG_PATH, NULL, NULL, CONFIG_TRUSTED | CONFIG_MANY,
		.help = "repositories of other users that may be used" },
	{ "user.email", CONFIG_TEXT, NULL, NULL, 0, .help = "address in commits" },
	{ "user.name", CONFIG_TEXT, NULL, NULL, 0, .help = "name in commits" },
	{ "user.useConfigOnly", CONFIG_BOOL, "false", NULL, 0,
		.help = "refuse to commit by login and host name" },
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* What other systems call it. */
static const struct {
	const char *word, *meant;
} foreign[] = {
	{ "core.chunk_size", "chunking.average" },
	{ "core.compression", "core.codec" },
	{ "core.compression_level", "core.codecLevel" },
	{ "core.compression_threads", "performance.threads" },
	{ "performance.memory_limit", "performance.max_memory_usage" },
	{ "performance.parallel_threads", "performance.threads" },
};

const struct config_key *config_key_find(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcasecmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

const struct config_key *config_key_at(size_t pos)
{
	return pos < KEY_COUNT ? &keys[pos] : NULL;
}

const char *config_key_type(const struct config_key *row)
{
	static const char *const names[] = { "text", "bool", "number", "size", "duration", "words",
		"path" };

	return names[row->type];
}

/* The word for the same in another program, or a key that is spelt nearly so; NULL: neither. */
static const char *find_nearest(struct nearest *n)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (strcasecmp(foreign[i].word, n->wanted) == 0)
			return foreign[i].meant;
	}
	for (size_t i = 0; i < KEY_COUNT; i++)
		nearest_try(n, keys[i].name);
	return n->best[0] ? n->best : NULL;
}

/* "x-SECTION.NAME", "x-SECTION.anything.NAME", as a file can hold it. */
static bool is_free(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *dot = strchr(name, '.'), *last = strrchr(name, '.');

	return strncasecmp(name, "x-", 2) == 0 && dot &&
		strspn(name, others) == (size_t)(dot - name) && !strchr(name, '\n') &&
		strspn(last + 1, letters) > 0 && last[1 + strspn(last + 1, others)] == '\0';
}

int config_key_check(const char *name, const char *where, struct store_error *err)
{
	struct nearest nearest = { .wanted = name };
	const char *near;
	char shown[100];

	if (strlen(name) > KEY_MAX)
		return store_error_set(err, STORE_EINVAL, "%s: the key is longer than %u bytes",
			where, KEY_MAX);
	if (config_key_find(name) || is_free(name))
		return 0;
	quote_msg(shown, sizeof(shown), name, strlen(name));
	near = find_nearest(&nearest);
	if (!near)
		return store_error_set(err, STORE_EINVAL,
			"%s: there is no key '%s'; 'store config --keys' lists all", where, shown);
	return store_error_set(err, STORE_EINVAL, "%s: there is no key '%s'; the nearest is '%s'",
		where, shown, near);
}

char *config_key_spell(const char *name)
{
	const struct config_key *row = config_key_find(name);
	char *out = strdup(row ? row->name : name);
	const char *dot = out ? strchr(out, '.') : NULL, *last = out ? strrchr(out, '.') : NULL;

	for (char *p = out; !row && p && *p; p++) {
		if ((!dot || p < dot || p > last) && *p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return out;
}

static const char *main_name(const char *name, const struct config_key *row)
{
	return !row ? name : row->same_as ? row->same_as : row->name;
}

bool config_key_same(const char *a, const char *b)
{
	const struct config_key *row_a = config_key_find(a), *row_b = config_key_find(b);

	if (row_a || row_b)
		return row_a && row_b && strcmp(main_name(a, row_a), main_name(b, row_b)) == 0;
	return strcmp(a, b) == 0;
}
