/*
 * The public calls on configuration: telling it with its origins, and changing a file.
 *
 * A change is made in this order, so that two at once lose nothing and a crash leaves the old file
 * or the new one: lock the folder of the file (flock, as init does), read, edit the text, write a
 * temporary beside it with the mode of the old one, sync, rename, sync the folder.
 *
 * Nothing here opens the database, and what stands in the file is not judged before it is changed:
 * a wrong value must not keep its owner from putting it right.
 */
#include "work/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/owner.h"
#include "base/quote.h"
#include "work/options.h"
#include "work/repo_internal.h"

#define FILE_MAX (1u << 20)
#define LOCK_MS 30000

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

/* ---- which repository */

static int find_repository(struct discovery *found, const struct store_config_options *o,
	struct store_error *err)
{
	const char *store_dir = o->store_dir ? o->store_dir : getenv("STORE_DIR");

	return discover_repository(found, o->start, store_dir && *store_dir ? store_dir : NULL,
		err);
}

/* Outside of a repository, unless one was named, there is none of its level. */
static int load_all(struct config **out, const struct store_config_options *o,
	struct store_error *err)
{
	const char *named = o->store_dir ? o->store_dir : getenv("STORE_DIR");
	struct discovery found = { 0 };
	struct store_error why = { 0 };
	uid_t owner;
	bool foreign;
	int rc = find_repository(&found, o, &why);

	*out = NULL;
	if (rc == STORE_ENOTFOUND && !(named && *named)) {
		rc = config_load(out, o->config, NULL, err);
	} else if (rc != 0) {
		if (err)
			*err = why;
	} else {
		rc = config_load(out, o->config, found.store_dir, err);
		if (rc == 0)
			rc = repo_judge_owner(&found, *out, &owner, &foreign, err);
	}
	discover_release(&found);
	return rc;
}

/* ---- telling */

/* out: 300 bytes; "" when there is nothing to say. */
static void remark(char *out, const char *key, const char *value, enum store_config_level level)
{
	const struct config_key *row = config_key_find(key);
	uint64_t max;

	*out = '\0';
	if (!row)
		return;
	if (row->unused)
		snprintf(out, 300, "%s does nothing: %s", row->name, row->unused);
	else if ((row->flags & CONFIG_INIT) && level == STORE_CONFIG_REPOSITORY)
		snprintf(out, 300,
			"%s does nothing in a repository: it is read when one is made, from the user's file or -c",
			row->name);
	else if (config_value_is_capped(row, value, &max))
		snprintf(out, 300, "%s is more than is ever used: it counts as %llu", row->name,
			(unsigned long long)max);
}

struct telling {
	const char *key; /* NULL: all */
	enum store_config_level from, to;
	store_config_fn fn;
	void *payload;
};

static int tell(void *ctx, const struct store_config_entry *entry)
{
	const struct telling *t = ctx;
	struct store_config_entry e = *entry;
	char text[300];

	if (e.level < t->from || e.level > t->to || (t->key && !config_key_same(t->key, e.key)))
		return 0;
	remark(text, e.key, e.value, e.level);
	e.remark = *text ? text : NULL;
	return t->fn(t->payload, &e);
}

static int tell_built_in(struct telling *t)
{
	const struct config_key *row;
	int rc = 0;

	for (size_t i = 0; rc == 0 && (row = config_key_at(i)) != NULL; i++) {
		const struct store_config_entry e = { .key = row->name,
			.value = row->fallback,
			.level = STORE_CONFIG_BUILT_IN,
			.origin = "" };

		if (row->fallback)
			rc = tell(t, &e);
	}
	return rc;
}

static int tell_environment(struct telling *t)
{
	const struct config_key *row;
	int rc = 0;

	for (size_t i = 0; rc == 0 && (row = config_key_at(i)) != NULL; i++) {
		const char *value = row->variable ? getenv(row->variable) : NULL;
		const struct store_config_entry e = { .key = row->name,
			.value = value,
			.level = STORE_CONFIG_ENVIRONMENT,
			.origin = row->variable };

		if (value && *value)
			rc = tell(t, &e);
	}
	return rc;
}

static int tell_levels(const struct config *c, struct telling *t, enum store_config_level from,
	enum store_config_level to)
{
	t->from = from;
	t->to = to;
	return config_each_entry(c, tell, t);
}

int store_config_each(const struct store_config_options *options, const char *key,
	store_config_fn fn, void *payload, struct store_error *err)
{
	static const struct store_config_options none;
	const struct store_config_options *o = options ? options : &none;
	struct telling t = { NULL, STORE_CONFIG_BUILT_IN, STORE_CONFIG_FLAG, fn, payload };
	char *spelled = key ? config_key_spell(key) : NULL;
	struct config *c = NULL;
	int rc = options_check(options, "store_config_options", err);

	t.key = spelled;
	if (rc == 0 && key)
		rc = config_key_check(key, "configuration", err);
	if (rc == 0 && key && !spelled)
		rc = out_of_memory(err);
	if (rc == 0)
		rc = o->user ? config_load(&c, NULL, NULL, err) : load_all(&c, o, err);
	if (rc == 0 && !o->user)
		rc = tell_built_in(&t);
	if (rc == 0)
		rc = tell_levels(c, &t, STORE_CONFIG_USER, STORE_CONFIG_REPOSITORY);
	if (rc == 0 && !o->user) {
		t.from = t.to = STORE_CONFIG_ENVIRONMENT;
		rc = tell_environment(&t);
		if (rc == 0)
			rc = tell_levels(c, &t, STORE_CONFIG_FLAG, STORE_CONFIG_FLAG);
	}
	config_free(c);
	free(spelled);
	return rc;
}

int store_config_key(size_t pos, struct store_config_key *out)
{
	static const char *const bools[] = { "true", "false", NULL };
	const struct config_key *row = config_key_at(pos);

	if (!row)
		return STORE_ENOTFOUND;
	*out = (struct store_config_key){ row->name, config_key_type(row), row->fallback,
		row->variable, row->help, row->unused,
		row->type == CONFIG_BOOL ? bools : row->words };
	return 0;
}

/* ---- the file that changes */

struct target {
	char *path;
	char shown[250]; /* the same, as messages have it */
	char *real;      /* folder and name of what is replaced */
	const char *name;
	int folder; /* locked */
};

static int make_folder_of(const char *path, struct store_error *err)
{
	char *copy = strdup(path);
	int rc = copy ? 0 : out_of_memory(err);

	for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash && rc == 0;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (owner_mkdir(copy) != 0 && errno != EEXIST && access(copy, X_OK) != 0)
			rc = store_error_sys(err, "cannot create '%s'", copy);
		*slash = '/';
	}
	free(copy);
	return rc;
}

/* A symbolic link stays one: what it names is replaced. */
static int follow(struct target *t, struct store_error *err)
{
	struct stat st;

	t->real = realpath(t->path, NULL);
	if (t->real || errno != ENOENT)
		return t->real ? 0 : store_error_sys(err, "cannot open '%s'", t->path);
	if (lstat(t->path, &st) == 0)
		return store_error_set(err, STORE_ENOTFOUND,
			"cannot write '%s': it is a symbolic link to nothing", t->path);
	t->real = strdup(t->path);
	return t->real ? 0 : out_of_memory(err);
}

static int lock_folder(struct target *t, struct store_error *err)
{
	char *slash = strrchr(t->real, '/');
	int rc;

	*slash = '\0';
	t->name = slash + 1;
	t->folder = open(slash == t->real ? "/" : t->real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->folder == -1)
		return store_error_sys(err, "cannot open '%s'", t->real);
	rc = io_flock(t->folder, LOCK_MS);
	if (rc < 0)
		return store_error_sys(err, "cannot lock '%s'", t->real);
	return rc == 0 ? 0
		       : store_error_set(err, STORE_EBUSY,
				 "cannot change '%s': another command is changing it; try again",
				 t->shown);
}

static int find_user_file(struct target *t, struct store_error *err)
{
	struct buf path = { 0 };
	int rc = config_user_path(&path, err);

	if (rc != 0) {
		buf_release(&path);
		return rc;
	}
	t->path = (char *)path.data;
	rc = make_folder_of(t->path, err);
	return rc == 0 ? follow(t, err) : rc;
}

static int find_repository_file(struct target *t, const struct store_config_options *o,
	struct store_error *err)
{
	struct discovery found = { 0 };
	struct config *own = NULL;
	struct buf path = { 0 };
	bool foreign = true;
	uid_t owner;
	int rc = find_repository(&found, o, err);

	/* safe.directory is asked of the user and of flags; the file itself may be out of order. */
	if (rc == 0)
		rc = config_load(&own, o->config, NULL, err);
	if (rc == 0)
		rc = repo_judge_owner(&found, own, &owner, &foreign, err);
	if (rc == 0 && foreign)
		rc = repo_refuse_foreign(found.work_tree, err);
	if (rc == 0) {
		buf_addf(&path, "%s/config", found.store_dir);
		t->path = buf_str(&path);
		t->real = t->path && !path.failed ? strdup(t->path) : NULL;
		rc = t->real ? 0 : out_of_memory(err);
	}
	config_free(own);
	discover_release(&found);
	return rc;
}

static int open_target(struct target *t, const struct store_config_options *o,
	struct store_error *err)
{
	int rc;

	*t = (struct target){ .folder = -1 };
	rc = o->user ? find_user_file(t, err) : find_repository_file(t, o, err);
	if (rc == 0)
		quote_msg(t->shown, sizeof(t->shown), t->path, strlen(t->path));
	return rc == 0 ? lock_folder(t, err) : rc;
}

static void close_target(struct target *t)
{
	io_close(&t->folder);
	free(t->path);
	free(t->real);
}

/* What is not there is empty. */
static int read_target(const struct target *t, struct buf *out, struct store_error *err)
{
	const int rc = io_read_file(t->folder, t->name, FILE_MAX, out, err);

	if (rc != STORE_ENOTFOUND)
		return rc;
	store_error_clear(err);
	return 0;
}

static int write_target(const struct target *t, const struct buf *text, struct store_error *err)
{
	if (text->len > FILE_MAX)
		return store_error_set(err, STORE_EINVAL, "'%s' would be larger than %u bytes",
			t->shown, FILE_MAX);
	return io_replace_alike(t->folder, t->name, "config.new", text->data, text->len, err);
}

/* ---- changing it */

static int check_place(const char *key, bool user, struct store_error *err)
{
	const struct config_key *row = config_key_find(key);

	if (!row)
		return 0;
	if (user && (row->flags & CONFIG_LOCAL))
		return store_error_set(err, STORE_EINVAL,
			"cannot set %s for all: it belongs into the configuration of one repository",
			row->name);
	if (!user && (row->flags & CONFIG_TRUSTED))
		return store_error_set(err, STORE_EINVAL,
			"cannot set %s in a repository: it is believed from the user's own file only; use --global",
			row->name);
	if (!user && (row->flags & CONFIG_INIT))
		return store_error_set(err, STORE_EINVAL,
			"cannot set %s in a repository: it is read when one is made; use --global, or -c at store init",
			row->name);
	return 0;
}

/* Key and value, before a file is looked for. */
static int check_wish(const struct store_config_options *o, const char *key, const char *value,
	unsigned int flags, struct store_error *err)
{
	const struct config_key *row = config_key_find(key);
	int rc = config_key_check(key, "cannot set", err);

	if (rc == 0)
		rc = check_place(key, o->user, err);
	if (rc == 0 && row)
		rc = config_value_check(row, value, "cannot set", err);
	if (rc == 0 && row && (flags & STORE_CONFIG_ADD) && !(row->flags & CONFIG_MANY))
		rc = store_error_set(err, STORE_EINVAL,
			"cannot add to %s: it has one value, and the last one would count",
			row->name);
	return rc;
}

int store_config_set(const struct store_config_options *options, const char *key, const char *value,
	unsigned int flags, char told[300], struct store_error *err)
{
	static const struct store_config_options none;
	const struct store_config_options *o = options ? options : &none;
	struct target t = { .folder = -1 };
	struct buf text = { 0 }, out = { 0 };
	char *spelled = NULL;
	int rc = options_check(options, "store_config_options", err);

	if (rc == 0)
		rc = check_wish(o, key, value, flags, err);
	if (rc == 0 && !(spelled = config_key_spell(key)))
		rc = out_of_memory(err);
	if (rc == 0)
		rc = open_target(&t, o, err);
	if (rc == 0)
		rc = read_target(&t, &text, err);
	if (rc == 0)
		rc = config_edit_set(t.shown, &text, spelled, value, flags & STORE_CONFIG_ADD, &out,
			err);
	if (rc == 0)
		rc = write_target(&t, &out, err);
	if (rc == 0 && told)
		remark(told, spelled, value, o->user ? STORE_CONFIG_USER : STORE_CONFIG_REPOSITORY);
	close_target(&t);
	buf_release(&text);
	buf_release(&out);
	free(spelled);
	return rc;
}

int store_config_unset(const struct store_config_options *options, const char *key,
	const char *value, size_t *out_count, struct store_error *err)
{
	static const struct store_config_options none;
	const struct store_config_options *o = options ? options : &none;
	struct target t = { .folder = -1 };
	struct buf text = { 0 }, out = { 0 };
	char *spelled = config_key_spell(key);
	size_t count = 0;
	int rc = options_check(options, "store_config_options", err);

	if (rc == 0 && !spelled)
		rc = out_of_memory(err);
	if (rc == 0 && spelled && !strchr(spelled, '.'))
		rc = config_key_check(key, "cannot unset", err);
	if (rc == 0)
		rc = open_target(&t, o, err);
	if (rc == 0)
		rc = read_target(&t, &text, err);
	if (rc == 0)
		rc = config_edit_unset(t.shown, &text, spelled, value, &out, &count, err);
	/* A key that nobody knows may be taken out where it stands; elsewhere its name is wrong. */
	if (rc == 0 && count == 0)
		rc = config_key_check(key, "cannot unset", err);
	else if (rc == 0)
		rc = write_target(&t, &out, err);
	*out_count = count;
	close_target(&t);
	buf_release(&text);
	buf_release(&out);
	free(spelled);
	return rc;
}
