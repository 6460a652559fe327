/* What the files of the configuration share with those that open repositories. */
#ifndef STORE_WORK_CONFIG_INTERNAL_H
#define STORE_WORK_CONFIG_INTERNAL_H

#include "base/buf.h"
#include "store.h"
#include "work/config.h"

/* Where a value stands; a greater one goes before a smaller one. */
enum config_level {
	CONFIG_BUILT_IN = STORE_CONFIG_BUILT_IN,
	CONFIG_USER = STORE_CONFIG_USER,
	CONFIG_REPOSITORY = STORE_CONFIG_REPOSITORY,
	CONFIG_ENVIRONMENT = STORE_CONFIG_ENVIRONMENT,
	CONFIG_FLAG = STORE_CONFIG_FLAG,
};

/* Values that one file may hold: each is kept with its key and its place. */
#define CONFIG_VALUES 4096u

/* ---- config_keys.c: the table */

enum {
	CONFIG_TRUSTED = 1, /* never taken from a repository: it would excuse itself */
	CONFIG_RUNS = 2,    /* names a program: not taken from a repository of somebody else */
	CONFIG_LOCAL = 4,   /* refused in the user's file: it would mean every repository */
	CONFIG_MANY = 8,    /* may stand several times, and each value counts */
	CONFIG_INIT = 16,   /* read when a repository is made: in the file of one it does nothing */
	CONFIG_CAPPED = 32, /* a value above max is taken as max, and the remark says so */
	CONFIG_POWER = 64,  /* a power of two */
};

enum config_type {
	CONFIG_TEXT,
	CONFIG_BOOL,
	CONFIG_NUMBER,
	CONFIG_SIZE,     /* bytes */
	CONFIG_DURATION, /* milliseconds */
	CONFIG_WORDS,
	CONFIG_PATH,
};

/* One row of the table of known keys.  What does not stand in a row is zero. */
struct config_key {
	const char *name;
	enum config_type type;
	const char *fallback; /* NULL: none */
	const char *variable; /* environment variable that goes before the files; NULL: none */
	unsigned int flags;
	const char *help;
	const char *const *words; /* of CONFIG_WORDS, NULL-terminated */
	uint64_t min, max;        /* of amounts; max 0: any */
	const char *same_as;      /* another name of that key */
	const char *unused;       /* nothing here corresponds to it, because ... */
};

/* NULL when there is no such key.  Letters of either case are equal. */
const struct config_key *config_key_find(const char *name);
/* The row at pos, NULL behind the last. */
const struct config_key *config_key_at(size_t pos);
/* "size", "words", ... */
const char *config_key_type(const struct config_key *row);
/* STORE_EINVAL for a key that is neither known nor in a section "x-..."; where: "'FILE' line 3". */
int config_key_check(const char *name, const char *where, struct store_error *err);
/*
 * The name as it is told: as in the table, or for "x-..." section and last name in small letters.
 * NULL when out of memory. Caller frees with free.
 */
char *config_key_spell(const char *name);
/* Do two spelled names mean the same key? */
bool config_key_same(const char *a, const char *b);

/* ---- config_line.c: the grammar of git's files, with positions */

enum config_token {
	CONFIG_END,
	CONFIG_SECTION,
	CONFIG_PAIR,
};

/* A reader of one text; all offsets are into data.  Buffers end with a NUL behind len. */
struct config_line {
	const char *data;
	size_t len, pos;
	const char *name;    /* of the file, as messages show it */
	unsigned int at;     /* line at pos */
	unsigned int number; /* line in which the token begins */
	struct buf section;  /* "core", or "x-mine.Of a Kind" */
	struct buf key;      /* of the pair: the name behind the last section, in small letters */
	struct buf value;    /* decoded */
	bool has_value;      /* a name alone means true */
	bool is_open; /* the file ends within the value: behind a backslash, a line would join it */
	size_t begin, end;  /* of the token; of a pair: to behind its line feed */
	size_t value_begin; /* of the value as it is written, without blanks and comments ... */
	size_t value_end;   /* ... around it; equal when there is nothing */
};

/*
 * Begin with text. STORE_EINVAL when it holds a NUL. text and name must live until
 * config_line_release, which is called in any case.
 */
int config_line_init(struct config_line *l, const char *name, const struct buf *text,
	struct store_error *err);
void config_line_release(struct config_line *l);
/* The next token.  STORE_EINVAL names file and line of what is none. */
int config_line_next(struct config_line *l, enum config_token *out, struct store_error *err);

/* ---- config_edit.c: text with a value more or less */

/*
 * text with key (spelled) set to value, into out (replaced): where the key stands last the value
 * alone is exchanged; else, and with add, a line is put behind the last of the section. All other
 * bytes stay.
 * STORE_ECONFLICT: it stands several times, and each value counts. STORE_EINVAL: text cannot be
 * read, or would hold more than CONFIG_VALUES.
 */
int config_edit_set(const char *name, const struct buf *text, const char *key, const char *value,
	bool add, struct buf *out, struct store_error *err);
/* The same without the lines of key (with value, unless that is NULL); *count tells of how many. */
int config_edit_unset(const char *name, const struct buf *text, const char *key, const char *value,
	struct buf *out, size_t *count, struct store_error *err);

/* ---- config.c */

/* Absolute path of the user's file into out; STORE_ENOTFOUND when nothing tells where it is. */
int config_user_path(struct buf *out, struct store_error *err);

/* The value that counts and where it stands.  Borrowed: valid until config_free. */
struct config_value {
	const char *text;
	enum config_level level;
	const char *where;
};
bool config_find(const struct config *c, const char *key, struct config_value *out);

/*
 * Every value of a key that may stand several times, the first that goes before first: fn(ctx,
 * text), non-zero ends and is returned.
 */
int config_each(const struct config *c, const char *key, int (*fn)(void *ctx, const char *text),
	void *ctx);
/*
 * Every value that was read, in the order of the files and then of flags: fn(ctx, entry), non-zero
 * ends and is returned. Entries have no remark.
 */
int config_each_entry(const struct config *c,
	int (*fn)(void *ctx, const struct store_config_entry *entry), void *ctx);

/* The repository belongs to somebody else: forget the programs its file names. */
void config_distrust(struct config *c);

/* ---- config_value.c */

/* A value that is one of words (NULL-terminated): its index. */
int config_word(const struct config *c, const char *key, const char *const *words, size_t *index,
	struct store_error *err);
/* Can text be the value of a known key?  STORE_EINVAL, with where in front, if not. */
int config_value_check(const struct config_key *row, const char *text, const char *where,
	struct store_error *err);
/* Is it more than is ever used, and how much is?  Of keys with CONFIG_CAPPED. */
bool config_value_is_capped(const struct config_key *row, const char *text, uint64_t *max);

#endif
