/*
 * The parser.  Hands that know git find: options and operands in any order, -abc for -a -b -c,
 * -nVALUE or -n VALUE, --word=VALUE or
 * --word VALUE, and "--".  A word is never shortened: what a script writes today must not become
 * ambiguous tomorrow. An unknown option is an error that names the nearest one.
 */
#include "cli/options.h"
#include <stdlib.h>
#include <string.h>

void strings_push(struct strings *s, char *item)
{
	/* Grown at powers of two, so that a list needs no capacity of its own. */
	if ((s->n & (s->n + 1)) == 0)
		s->items = line_realloc(s->items, (2 * s->n + 2) * sizeof(*s->items));
	s->items[s->n++] = item;
	s->items[s->n] = NULL;
}

void strings_release(struct strings *s)
{
	free(s->items);
	*s = (struct strings){ 0 };
}

void strings_release_all(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i]);
	strings_release(s);
}

const struct option_spec *options_find(const struct option_spec *table, char letter,
	const char *word, size_t len)
{
	for (const struct option_spec *o = table; o && o->kind; o++) {
		if (letter && o->letter == letter)
			return o;
		if (word && o->word && strlen(o->word) == len && memcmp(o->word, word, len) == 0)
			return o;
	}
	return NULL;
}

bool options_wants_value(const struct option_spec *o)
{
	return o->kind == OPTION_STRING || o->kind == OPTION_LIST || o->kind == OPTION_NUMBER ||
		o->kind == OPTION_COUNT;
}

struct parse {
	const struct options_target *targets;
	size_t n;
	struct line *problem;
};

/* The option that fits letter, or word (len bytes); *data is the struct of its table. */
static const struct option_spec *find(const struct parse *p, char letter, const char *word,
	size_t len, char **data)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct option_spec *o = options_find(p->targets[i].table, letter, word, len);

		*data = p->targets[i].data;
		if (o)
			return o;
	}
	return NULL;
}

static int complain_unknown(const struct parse *p, const char *arg)
{
	size_t len = strcspn(arg, "=");
	const char *nearest = NULL;
	unsigned int best = 3;
	char *word;

	line_string(p->problem, "there is no option '");
	line_harmless(p->problem, arg, len);
	line_string(p->problem, "'");
	if (arg[1] != '-')
		return -1;
	word = strndup(arg + 2, len - 2);
	for (size_t i = 0; word && i < p->n; i++)
		for (const struct option_spec *o = p->targets[i].table; o && o->kind; o++)
			if (o->word && line_distance(word, o->word) < best) {
				best = line_distance(word, o->word);
				nearest = o->word;
			}
	free(word);
	if (nearest)
		line_format(p->problem, "; '--%s' is near", nearest);
	return -1;
}

static int take_number(const struct parse *p, const struct option_spec *o, uint64_t *field,
	const char *value)
{
	const uint64_t least = o->kind == OPTION_NUMBER;
	uint64_t n;

	if (line_to_number(value, false, o->value, &n) && n >= least) {
		*field = n + 1 - least;
		return 0;
	}
	line_string(p->problem, "'");
	line_harmless(p->problem, value, strlen(value));
	line_format(p->problem, "' is no number from %u to %u", (unsigned int)least, o->value);
	return -1;
}

/* Store an option; value is NULL where none was given. */
static int take(const struct parse *p, const struct option_spec *o, char *data, char *value)
{
	void *field = data + o->offset;

	switch (o->kind) {
	case OPTION_FLAG:
		*(int *)field = (int)o->value;
		break;
	case OPTION_BIT:
		*(unsigned int *)field |= o->value;
		break;
	case OPTION_STRING:
		*(char **)field = value;
		break;
	case OPTION_MAYBE:
		*(const char **)field = value ? value : "";
		break;
	case OPTION_LIST:
		strings_push(field, value);
		break;
	case OPTION_NUMBER:
	case OPTION_COUNT:
		return take_number(p, o, field, value);
	case OPTION_NOTHING:
	case OPTION_END:
		break;
	}
	return 0;
}

/* The words of argv that a long option takes: 1 or 2, or -1. */
static int take_word(const struct parse *p, char **argv)
{
	char *word = argv[0] + 2, *value = strchr(word, '='), *data;
	const struct option_spec *o = find(p, 0, word, strcspn(word, "="), &data);
	int used = 1;

	if (!o)
		return complain_unknown(p, argv[0]);
	if (value)
		value++;
	if (value && !options_wants_value(o) && o->kind != OPTION_MAYBE) {
		line_format(p->problem, "'--%s' takes no value", o->word);
		return -1;
	}
	if (!value && options_wants_value(o)) {
		value = argv[1];
		used = 2;
	}
	if (!value && options_wants_value(o)) {
		line_format(p->problem, "'--%s' needs a value: %s", o->word, o->arg);
		return -1;
	}
	return take(p, o, data, value) == 0 ? used : -1;
}

/* The same for a bundle of letters. */
static int take_letters(const struct parse *p, char **argv)
{
	for (char *s = argv[0] + 1; *s; s++) {
		bool digit = *s >= '0' && *s <= '9';
		char *data, *value, one[3] = { '-', *s, 0 };
		const struct option_spec *o = find(p, digit ? 'n' : *s, NULL, 0, &data);

		if (!o || (digit && (o->kind != OPTION_COUNT || s != argv[0] + 1)))
			return complain_unknown(p, one);
		if (digit)
			return take(p, o, data, s) == 0 ? 1 : -1;
		if (o->kind == OPTION_MAYBE)
			return take(p, o, data, s[1] ? s + 1 : NULL) == 0 ? 1 : -1;
		if (!options_wants_value(o)) {
			take(p, o, data, NULL);
			continue;
		}
		value = s[1] ? s + 1 : argv[1];
		if (!value) {
			line_format(p->problem, "'-%c' needs a value: %s", *s, o->arg);
			return -1;
		}
		return take(p, o, data, value) == 0 ? (s[1] ? 1 : 2) : -1;
	}
	return 1;
}

int options_parse(char **argv, const struct options_target *targets, size_t n, bool first_only,
	struct strings *operands, long *dashes, struct line *problem)
{
	const struct parse p = { targets, n, problem };
	int i = 0;

	*dashes = -1;
	while (argv[i]) {
		int used = 1;

		if (*dashes >= 0 || argv[i][0] != '-' || argv[i][1] == 0) {
			if (first_only)
				break;
			strings_push(operands, argv[i]);
		} else if (strcmp(argv[i], "--") == 0) {
			*dashes = (long)operands->n;
		} else {
			used = argv[i][1] == '-' ? take_word(&p, argv + i)
						 : take_letters(&p, argv + i);
		}
		if (used < 0)
			return -1;
		i += used;
	}
	return i;
}

void options_release(const struct options_target *target)
{
	for (const struct option_spec *o = target->table; o && o->kind; o++)
		if (o->kind == OPTION_LIST)
			strings_release((struct strings *)((char *)target->data + o->offset));
}

void options_describe(struct line *t, const struct option_spec *table)
{
	enum { COLUMN = 30 };

	for (const struct option_spec *o = table; o && o->kind; o++) {
		size_t start = t->len;
		bool glued = o->kind == OPTION_MAYBE;

		line_string(t, "  ");
		if (o->letter)
			line_format(t, "-%c", o->letter);
		if (o->letter && glued)
			line_format(t, "[%s]", o->arg);
		else if (o->letter && o->arg && !o->word)
			line_format(t, " %s", o->arg);
		if (o->word)
			line_format(t, "%s--%s", o->letter ? ", " : "", o->word);
		if (o->word && o->arg)
			line_format(t, glued ? "[=%s]" : " %s", o->arg);
		if (t->len - start + 2 > COLUMN) {
			line_string(t, "\n");
			start = t->len;
		}
		line_format(t, "%*s%s\n", (int)(COLUMN - (t->len - start)), "", o->help);
	}
}
