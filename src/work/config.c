/*
 * Configuration: a list of values in the order they were read, and look-ups that take the last of
 * the highest level.
 *
 * inih reads the grammar, with three things done before it sees a line, because people bring files
 * written for git:
 *  1. Blanks before a key are cut off.  inih would take an indented line for more of the value
 * above it.
 *  2. Lines may be longer than inih's buffer of 200 bytes: paths are.  The handler then takes the
 * value from the line itself.
 *  3. A value may stand in double quotes.
 * NUL bytes and lines that are neither section, key nor comment are refused with their number; what
 * is only half understood must not look as if it were obeyed.
 *
 * The file of a repository is opened beneath its folder and may be no symlink; the user's own file
 * may be one.
 */
#include "work/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/quote.h"

#define FILE_MAX (1u << 20)

struct item {
	char *key, *text, *where;
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
}

/* Keep a value.  A value of a trusted key is not taken from a repository. */
static int add_item(struct config *c, const char *key, const char *text, size_t text_len,
	enum config_level level, const char *where, struct store_error *err)
{
	const struct config_key *known = config_key_find(key);
	const int rc = config_key_check(key, where, err);
	struct item item = { .level = level };

	if (rc != 0)
		return rc;
	if (known && (known->flags & CONFIG_TRUSTED) && level == CONFIG_REPOSITORY)
		return 0;
	if (known && (known->flags & CONFIG_LOCAL) && level == CONFIG_USER)
		return store_error_set(err, STORE_EINVAL,
			"%s: %s belongs into the configuration of one repository", where,
			known->name);
	item.key = strdup(key);
	item.text = strndup(text, text_len);
	item.where = strdup(where);
	if (!item.key || !item.text || !item.where ||
		mem_grow(&c->items, &c->cap, c->count + 1, sizeof(*c->items)) != 0) {
		release_item(&item);
		return out_of_memory(err);
	}
	c->items[c->count++] = item;
	return 0;
}

/* ---- files */

struct file {
	struct config *config;
	const char *name; /* as messages show it */
	enum config_level level;
	const char *p, *end; /* lines not yet given to inih */
	const char *line;    /* the one it has, without blanks before it ... */
	size_t line_len;     /* ... and without LF */
	bool is_long;        /* inih saw its beginning only */
	unsigned int number;
	int rc;
	struct store_error *err;
};

static char *read_line(char *out, int cap, void *stream)
{
	struct file *f = stream;
	const char *nl;
	size_t n;

	if (f->p == f->end || f->rc != 0)
		return NULL;
	nl = memchr(f->p, '\n', (size_t)(f->end - f->p));
	f->line = f->p;
	f->p = nl ? nl + 1 : f->end;
	f->number++;
	f->line_len = (size_t)((nl ? nl : f->end) - f->line);
	while (f->line_len > 0 && (*f->line == ' ' || *f->line == '\t')) {
		f->line++;
		f->line_len--;
	}
	n = f->line_len;
	f->is_long = n > (size_t)cap - 1;
	if (f->is_long)
		n = (size_t)cap - 1;
	memcpy(out, f->line, n);
	out[n] = '\0';
	return out;
}

/* The value of a long line: behind the first separator, a comment behind it cut off. */
static void take_long_value(const struct file *f, const char **text, size_t *len)
{
	const char *end = f->line + f->line_len, *p = f->line;

	while (p < end && *p != '=' && *p != ':')
		p++;
	if (p < end)
		p++;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	*text = p;
	for (; p < end; p++) {
		if (*p == ';' && p > *text && (p[-1] == ' ' || p[-1] == '\t'))
			break;
	}
	while (p > *text && (p[-1] == ' ' || p[-1] == '\t' || p[-1] == '\r'))
		p--;
	*len = (size_t)(p - *text);
}

static int take_pair(void *user, const char *section, const char *name, const char *value)
{
	struct file *f = user;
	size_t len = strlen(value);
	char key[160], where[300];

	snprintf(key, sizeof(key), "%s%s%s", section, *section ? "." : "", name);
	snprintf(where, sizeof(where), "'%s' line %u", f->name, f->number);
	if (f->is_long)
		take_long_value(f, &value, &len);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	f->rc = add_item(f->config, key, value, len, f->level, where, f->err);
	return f->rc == 0;
}

static int parse_file(struct config *c, const char *name, enum config_level level,
	const struct buf *text, struct store_error *err)
{
	const char *data = text->data ? (const char *)text->data : "";
	char shown[250];
	struct file f = { .config = c,
		.level = level,
		.p = data,
		.end = data + text->len,
		.err = err };
	int line;

	f.name = quote_msg(shown, sizeof(shown), name, strlen(name));
	if (memchr(data, '\0', text->len))
		return store_error_set(err, STORE_EINVAL, "'%s' holds a NUL byte", f.name);
	line = ini_parse_stream(read_line, &f, take_pair, &f);
	if (f.rc != 0)
		return f.rc;
	if (line != 0)
		return store_error_set(err, STORE_EINVAL,
			"'%s' line %d is neither a section, nor 'key = value', nor a comment",
			f.name, line);
	return 0;
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

static int load_user(struct config *c, struct store_error *err)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	struct buf path = { 0 }, text = { 0 };
	int rc;

	/* A relative XDG_CONFIG_HOME counts as unset: so says its specification. */
	if (xdg && xdg[0] == '/')
		buf_addf(&path, "%s/store/config", xdg);
	else if (home && home[0] == '/')
		buf_addf(&path, "%s/.config/store/config", home);
	else
		return 0;
	if (!buf_str(&path))
		rc = out_of_memory(err);
	else
		rc = read_own_file((const char *)path.data, &text, err);
	if (rc == 0)
		rc = parse_file(c, (const char *)path.data, CONFIG_USER, &text, err);
	buf_release(&path);
	buf_release(&text);
	return rc;
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
	int rc = 0;

	for (; overrides && *overrides && rc == 0; overrides++) {
		const char *equals = strchr(*overrides, '=');
		/* As with git, a key alone is "true". */
		const char *text = equals ? equals + 1 : "true";
		char *key = equals ? strndup(*overrides, (size_t)(equals - *overrides))
				   : strdup(*overrides);

		rc = key ? add_item(c, key, text, strlen(text), CONFIG_FLAG, "flag -c", err)
			 : out_of_memory(err);
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
	const char *variable = known && known->variable ? getenv(known->variable) : NULL;

	*out = (struct config_value){ known ? known->fallback : NULL, CONFIG_BUILT_IN, "built-in" };
	for (size_t i = 0; i < c->count; i++) {
		const struct item *item = &c->items[i];

		if (item->level >= out->level && strcasecmp(item->key, key) == 0)
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
		const int rc = strcasecmp(item->key, key) == 0 ? fn(ctx, item->text) : 0;

		if (rc != 0)
			return rc;
	}
	return 0;
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
