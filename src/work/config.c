/*
 * Configuration: a list of values in the order they were read, and look-ups that take the last of
 * the highest level.
 *
 * inih reads the files and calls back for each pair. What it sees of them was put into its form
 * before (config_line.c), because people bring files written for git, and inih alone would take an
 * indented line, or one that begins with CR, for more of the value above it, know of comments only
 * behind a blank and ';', neither quotes nor escapes, and cut lines at 200 bytes and names at 50.
 * So each token becomes one line, and names and values are taken as they were decoded. Lines that
 * are neither section, key nor comment are refused with their number; what is only half understood
 * must not look as if it were obeyed.
 *
 * The file of a repository is opened beneath its folder and may be no symlink; the user's own file
 * may be one.
 */
#include "work/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/quote.h"

#define FILE_MAX (1u << 20)

struct item {
	char *key; /* spelled */
	char *text;
	char *where;  /* as messages say it: "'FILE' line 3" */
	char *origin; /* file; NULL for flags */
	unsigned int line;
	enum config_level level;
};

struct config {
	struct item *items;
	size_t count, cap;
};

/* ---- the list */

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

static void release_item(struct item *item)
{
	free(item->key);
	free(item->text);
	free(item->where);
	free(item->origin);
}

/* Where a value comes from. */
struct source {
	enum config_level level;
	const char *where;
	const char *origin; /* may be NULL */
	unsigned int line;
};

static int push_item(struct config *c, const char *key, const char *text, const struct source *from,
	struct store_error *err)
{
	struct item item = { .level = from->level, .line = from->line };

	item.key = config_key_spell(key);
	item.text = strdup(text);
	item.where = strdup(from->where);
	item.origin = from->origin ? strdup(from->origin) : NULL;
	if (!item.key || !item.text || !item.where || (from->origin && !item.origin) ||
		mem_grow(&c->items, &c->cap, c->count + 1, sizeof(*c->items)) != 0) {
		release_item(&item);
		return out_of_memory(err);
	}
	c->items[c->count++] = item;
	return 0;
}

/* Keep a value.  A value of a trusted key is not taken from a repository. */
static int add_item(struct config *c, const char *key, const char *text, const struct source *from,
	struct store_error *err)
{
	const struct config_key *known = config_key_find(key);
	const int rc = config_key_check(key, from->where, err);

	if (rc != 0)
		return rc;
	if (known && (known->flags & CONFIG_TRUSTED) && from->level == CONFIG_REPOSITORY)
		return 0;
	if (known && (known->flags & CONFIG_LOCAL) && from->level == CONFIG_USER)
		return store_error_set(err, STORE_EINVAL,
			"%s: %s belongs into the configuration of one repository", from->where,
			known->name);
	return push_item(c, key, text, from, err);
}

/* ---- files */

struct file {
	struct config *config;
	const char *path;
	enum config_level level;
	struct config_line line;
	unsigned int count; /* of its values */
	int rc;
	struct store_error *err;
};

/* One token as a line in inih's form; the handler takes the rest from f->line. */
static char *read_line(char *out, int cap, void *stream)
{
	struct file *f = stream;
	enum config_token token;

	if (f->rc != 0)
		return NULL;
	f->rc = config_line_next(&f->line, &token, f->err);
	if (f->rc != 0 || token == CONFIG_END)
		return NULL;
	if (token == CONFIG_SECTION)
		snprintf(out, (size_t)cap, "[s]\n");
	else
		snprintf(out, (size_t)cap, "%.40s =\n", (const char *)f->line.key.data);
	return out;
}

static int take_pair(void *user, const char *section, const char *name, const char *value)
{
	struct file *f = user;
	const struct config_line *l = &f->line;
	char where[300];
	struct source from = { f->level, where, f->path, l->number };
	struct buf key = { 0 };

	(void)name;
	(void)value;
	if (*section)
		buf_addf(&key, "%s.", (const char *)l->section.data);
	buf_add_str(&key, (const char *)l->key.data);
	snprintf(where, sizeof(where), "'%s' line %u", l->name, l->number);
	if (key.failed || !buf_str(&key))
		f->rc = out_of_memory(f->err);
	else if (++f->count > CONFIG_VALUES)
		f->rc = store_error_set(f->err, STORE_EINVAL,
			"%s is the value %u; a file holds %u at most", where, f->count,
			CONFIG_VALUES);
	else
		f->rc = add_item(f->config, (const char *)key.data,
			l->has_value ? (const char *)l->value.data : "true", &from, f->err);
	buf_release(&key);
	return f->rc == 0;
}

static int parse_file(struct config *c, const char *path, enum config_level level,
	const struct buf *text, struct store_error *err)
{
	char shown[250];
	struct file f = { .config = c, .path = path, .level = level, .err = err };

	f.rc = config_line_init(&f.line, quote_msg(shown, sizeof(shown), path, strlen(path)), text,
		err);
	if (f.rc == 0 && ini_parse_stream(read_line, &f, take_pair, &f) != 0 && f.rc == 0)
		f.rc = out_of_memory(err);
	config_line_release(&f.line);
	return f.rc;
}

/*
 * Whole file at an absolute path; absent: nothing. Unlike io_read_file it follows symlinks: the
 * user made them.
 */
static int read_own_file(const char *path, struct buf *out, struct store_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n;
	int rc = 0;

	if (fd == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return store_error_sys(err, "cannot open '%s'", path);
	}
	rc = buf_reserve(out, FILE_MAX + 1);
	n = rc == 0 ? io_read_full(fd, out->data, FILE_MAX + 1) : 0;
	if (rc != 0)
		rc = out_of_memory(err);
	else if (n < 0)
		rc = store_error_sys(err, "cannot read '%s'", path);
	else if (n > (ssize_t)FILE_MAX)
		rc = store_error_set(err, STORE_EINVAL, "'%s' is larger than %u bytes", path,
			FILE_MAX);
	else
		out->len = (size_t)n;
	io_close(&fd);
	return rc;
}

int config_user_path(struct buf *out, struct store_error *err)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	/* A relative XDG_CONFIG_HOME counts as unset: so says its specification. */
	if (xdg && xdg[0] == '/')
		buf_addf(out, "%s/store/config", xdg);
	else if (home && home[0] == '/')
		buf_addf(out, "%s/.config/store/config", home);
	else
		return store_error_set(err, STORE_ENOTFOUND,
			"there is no place for a configuration of the user: HOME is not set");
	return buf_str(out) && !out->failed ? 0 : out_of_memory(err);
}

static int load_user(struct config *c, struct store_error *err)
{
	struct buf path = { 0 }, text = { 0 };
	int rc = config_user_path(&path, NULL);

	if (rc == 0 && path.data)
		rc = read_own_file((const char *)path.data, &text, err);
	else if (rc == STORE_ENOMEM)
		out_of_memory(err);
	if (rc == 0 && path.data)
		rc = parse_file(c, (const char *)path.data, CONFIG_USER, &text, err);
	buf_release(&path);
	buf_release(&text);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int load_repository(struct config *c, const char *store_dir, struct store_error *err)
{
	struct buf path = { 0 }, text = { 0 };
	int fd, rc;

	fd = open(store_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return store_error_sys(err, "cannot open '%s'", store_dir);
	buf_addf(&path, "%s/config", store_dir);
	if (!buf_str(&path)) {
		rc = out_of_memory(err);
		goto out;
	}
	rc = io_read_file(fd, "config", FILE_MAX, &text, err);
	if (rc == STORE_ENOTFOUND) {
		store_error_clear(err);
		rc = 0;
	} else if (rc == 0) {
		rc = parse_file(c, (const char *)path.data, CONFIG_REPOSITORY, &text, err);
	}
out:
	io_close(&fd);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static int load_overrides(struct config *c, const char *const *overrides, struct store_error *err)
{
	static const struct source from = { CONFIG_FLAG, "flag -c", NULL, 0 };
	int rc = 0;

	for (; overrides && *overrides && rc == 0; overrides++) {
		const char *equals = strchr(*overrides, '=');
		/* As with git, a key alone is "true". */
		const char *text = equals ? equals + 1 : "true";
		char *key = equals ? strndup(*overrides, (size_t)(equals - *overrides))
				   : strdup(*overrides);

		rc = key ? add_item(c, key, text, &from, err) : out_of_memory(err);
		free(key);
	}
	return rc;
}

int config_load(struct config **out, const char *const *overrides, const char *store_dir,
	struct store_error *err)
{
	struct config *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (!c)
		return out_of_memory(err);
	rc = load_user(c, err);
	if (rc == 0 && store_dir)
		rc = load_repository(c, store_dir, err);
	if (rc == 0)
		rc = load_overrides(c, overrides, err);
	if (rc != 0) {
		config_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		release_item(&c->items[i]);
	free(c->items);
	free(c);
}

/* ---- look-ups */

bool config_find(const struct config *c, const char *key, struct config_value *out)
{
	const struct config_key *known = config_key_find(key);
	const char *variable;

	if (known && known->same_as)
		known = config_key_find(known->same_as);
	variable = known && known->variable ? getenv(known->variable) : NULL;
	*out = (struct config_value){ known ? known->fallback : NULL, CONFIG_BUILT_IN, "built-in" };
	for (size_t i = 0; i < c->count; i++) {
		const struct item *item = &c->items[i];

		if (item->level >= out->level && config_key_same(item->key, key))
			*out = (struct config_value){ item->text, item->level, item->where };
	}
	if (variable && *variable && out->level < CONFIG_ENVIRONMENT)
		*out = (struct config_value){ variable, CONFIG_ENVIRONMENT, known->variable };
	return out->text != NULL;
}

int config_each(const struct config *c, const char *key, int (*fn)(void *ctx, const char *text),
	void *ctx)
{
	for (size_t i = c->count; i > 0; i--) {
		const struct item *item = &c->items[i - 1];
		const int rc = config_key_same(item->key, key) ? fn(ctx, item->text) : 0;

		if (rc != 0)
			return rc;
	}
	return 0;
}

int config_each_entry(const struct config *c,
	int (*fn)(void *ctx, const struct store_config_entry *entry), void *ctx)
{
	int rc = 0;

	for (size_t i = 0; i < c->count && rc == 0; i++) {
		const struct item *item = &c->items[i];
		const struct store_config_entry entry = { .key = item->key,
			.value = item->text,
			.level = (enum store_config_level)item->level,
			.origin = item->origin ? item->origin : "",
			.line = item->line };

		rc = fn(ctx, &entry);
	}
	return rc;
}

void config_distrust(struct config *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct config_key *known = config_key_find(c->items[i].key);

		if (known && (known->flags & CONFIG_RUNS) && c->items[i].level == CONFIG_REPOSITORY)
			release_item(&c->items[i]);
		else
			c->items[kept++] = c->items[i];
	}
	c->count = kept;
}

const char *config_text(const struct config *c, const char *key)
{
	struct config_value v;

	return config_find(c, key, &v) ? v.text : NULL;
}
