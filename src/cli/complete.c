/*
 * store complete: what fits at the cursor of a command line that is being typed.  The scripts of
 * `store completion` call it; it is not listed.
 *
 * Everything is read off what is there already: commands and options come from the tables that the
 * parser reads, what a value is from the name that its table gives it (REV, FILE, DIR, or the words
 * themselves: auto|always|never), and what the operands are from the synopsis.  So a new command is
 * completed without a word here, and only a name that means different things to different commands
 * stands in a table (kinds_of_commands).
 *
 * It reads and never writes, says nothing when it cannot read, and executes nothing of what is
 * typed.
 */
#include "cli/complete.h"
#include "cli/output.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum kind {
	KIND_NONE,
	KIND_PATH,      /* on disk, or tracked */
	KIND_TRACKED,   /* tracked */
	KIND_STAGED,    /* tracked, or in HEAD */
	KIND_OF_REV,    /* tracked, or in the tree of the revision that stands before */
	KIND_OF_SOURCE, /* likewise of the one behind --source; with --staged also in HEAD */
	KIND_FILE,
	KIND_DIR,
	KIND_REV,
	KIND_BRANCH,
	KIND_TAG,
	KIND_CONTENT,        /* a path, rev:path, path@rev */
	KIND_CONTENT_OR_REV, /* or a revision alone */
	KIND_COMMAND,
	KIND_TOPIC,
	KIND_KEY,       /* of the configuration, and then its value */
	KIND_KEY_VALUE, /* KEY=VALUE */
};

static const struct {
	const char *word;
	enum kind kind;
} kinds[] = {
	{ "PATH", KIND_PATH },
	{ "SOURCE", KIND_TRACKED },
	{ "TARGET", KIND_PATH },
	{ "FILE", KIND_FILE },
	{ "DIR", KIND_DIR },
	{ "REV", KIND_REV },
	{ "REF", KIND_REV },
	{ "BRANCH", KIND_BRANCH },
	{ "TAG", KIND_TAG },
	{ "NAME", KIND_CONTENT },
	{ "COMMAND", KIND_COMMAND },
	{ "TOPIC", KIND_TOPIC },
	{ "OBJECT", KIND_CONTENT_OR_REV },
	{ "KEY", KIND_KEY },
	{ "KEY=VALUE", KIND_KEY_VALUE },
};

static const struct {
	const char *command, *word;
	enum kind kind;
} kinds_of_commands[] = {
	{ "branch", "NAME", KIND_BRANCH },
	{ "checkout", "NAME", KIND_BRANCH },
	{ "checkout", "PATH", KIND_OF_REV },
	{ "diff", "PATH", KIND_TRACKED },
	{ "init", "NAME", KIND_NONE },
	{ "ls", "NAME", KIND_CONTENT_OR_REV },
	{ "mv", "PATH", KIND_TRACKED },
	{ "reset", "PATH", KIND_STAGED },
	{ "restore", "PATH", KIND_OF_SOURCE },
	{ "rm", "PATH", KIND_TRACKED },
	{ "switch", "NAME", KIND_BRANCH },
	{ "tag", "NAME", KIND_TAG },
};

static enum kind kind_of(const struct command *command, const char *word, size_t len)
{
	for (size_t i = 0; command && i < sizeof(kinds_of_commands) / sizeof(*kinds_of_commands);
		i++)
		if (strcmp(kinds_of_commands[i].command, command->name) == 0 &&
			strlen(kinds_of_commands[i].word) == len &&
			memcmp(kinds_of_commands[i].word, word, len) == 0)
			return kinds_of_commands[i].kind;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strlen(kinds[i].word) == len && memcmp(kinds[i].word, word, len) == 0)
			return kinds[i].kind;
	return KIND_NONE;
}

/* --- answers ------------------------------------------------------------------------------- */

void complete_offer(struct complete *c, const char *head, const char *text, const char *tail,
	const char *help)
{
	const size_t typed = strlen(c->current);
	struct line t = { 0 }, out = { 0 };

	line_format(&t, "%s%s%s", head, text, tail);
	if (strncmp(t.data, c->current, typed) != 0)
		goto out;
	switch (c->shell) {
	case SHELL_BASH:
		line_add(&out, c->typed, c->typed_len);
		complete_line_quote(&out, c->quoting, t.data + typed);
		break;
	case SHELL_ZSH:
		line_format(&out, "%s\t%s", t.data, help ? help : "");
		break;
	case SHELL_FISH:
		/* Behind a tab fish reads what a candidate is: no name can have one. */
		if (strchr(t.data, '\t'))
			goto out;
		line_format(&out, help ? "%s\t%s" : "%s", t.data, help);
		break;
	case SHELL_PLAIN:
		line_string(&out, t.data);
		break;
	}
	output_bytes(out.data, out.len + 1);
out:
	line_release(&t);
	line_release(&out);
}

/* The words of a set, "auto|always|never". */
static void offer_set(struct complete *c, const char *head, const char *set)
{
	struct line word = { 0 };

	for (size_t len; *set; set += len + (set[len] == '|')) {
		len = strcspn(set, "|");
		line_clear(&word);
		line_add(&word, set, len);
		complete_offer(c, head, word.data, "", NULL);
	}
	line_release(&word);
}

static void offer_commands(struct complete *c)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		complete_offer(c, "", command->name, "", command->summary);
}

static void offer_topics(struct complete *c)
{
	const char *topic, *summary;

	for (size_t i = 0; (topic = cmd_help_topic(i, &summary)) != NULL; i++)
		complete_offer(c, "", topic, "", summary);
}

static void offer_keys(struct complete *c, const char *head, const char *tail)
{
	struct store_config_key key;

	for (size_t i = 0; store_config_key(i, &key) == 0; i++)
		complete_offer(c, head, key.name, tail, key.help);
}

/* What may stand behind the key name (len bytes), where it is one of a few words. */
static void offer_values(struct complete *c, const char *head, const char *name, size_t len)
{
	struct store_config_key key;

	for (size_t i = 0; store_config_key(i, &key) == 0; i++) {
		if (strlen(key.name) != len || strncasecmp(key.name, name, len) != 0)
			continue;
		for (size_t w = 0; key.words && key.words[w]; w++)
			complete_offer(c, head, key.words[w], "", NULL);
	}
}

/* KEY=VALUE behind head; the word is at one of the two. */
static void offer_setting(struct complete *c, const char *head, const char *typed)
{
	const char *equals = strchr(typed, '=');
	struct line before = { 0 };

	if (equals) {
		line_string(&before, head);
		line_add(&before, typed, (size_t)(equals - typed) + 1);
		offer_values(c, before.data, typed, (size_t)(equals - typed));
	} else {
		offer_keys(c, head, "=");
	}
	line_release(&before);
}

/* head: what stands before the value in the word; typed: what is typed of the value. */
static void offer_kind(struct complete *c, enum kind kind, const char *head, const char *typed)
{
	const char *rev = c->operands.n ? c->operands.items[0] : "";

	switch (kind) {
	case KIND_PATH:
	case KIND_TRACKED:
		complete_paths(c, typed, kind == KIND_TRACKED);
		break;
	case KIND_OF_REV:
		complete_paths_of(c, rev, typed);
		break;
	case KIND_OF_SOURCE:
		if (c->is_staged && !c->source)
			complete_paths_staged(c, typed);
		else
			complete_paths_of(c, c->source ? c->source : "", typed);
		break;
	case KIND_STAGED:
		complete_paths_staged(c, typed);
		break;
	case KIND_FILE:
	case KIND_DIR:
		complete_files(c, head, typed, kind == KIND_DIR);
		break;
	case KIND_REV:
		complete_revisions(c, head, typed);
		break;
	case KIND_BRANCH:
	case KIND_TAG:
		complete_refs(c, head, "", kind == KIND_TAG ? REFS_TAGS : REFS_BRANCHES);
		break;
	case KIND_CONTENT:
	case KIND_CONTENT_OR_REV:
		complete_contents(c, kind == KIND_CONTENT_OR_REV);
		break;
	case KIND_TOPIC:
		offer_topics(c);
		offer_commands(c);
		break;
	case KIND_COMMAND:
		offer_commands(c);
		break;
	case KIND_KEY:
		if (c->operands.n == 0)
			offer_keys(c, head, "");
		else if (c->operands.n == 1)
			offer_values(c, head, c->operands.items[0], strlen(c->operands.items[0]));
		break;
	case KIND_KEY_VALUE:
		offer_setting(c, head, typed);
		break;
	case KIND_NONE:
		break;
	}
}

/* --- options ------------------------------------------------------------------------------- */

static bool is_lower(char ch)
{
	return ch >= 'a' && ch <= 'z';
}

static void offer_value(struct complete *c, const struct option_spec *o, const char *head,
	const char *typed)
{
	if (!o->arg)
		return;
	if (is_lower(*o->arg))
		offer_set(c, head, o->arg);
	else
		offer_kind(c, kind_of(c->command, o->arg, strlen(o->arg)), head, typed);
}

static void offer_options(struct complete *c, const struct option_spec *table)
{
	const bool letters = c->current[1] == 0;
	char letter[2] = { 0 };

	for (const struct option_spec *o = table; o && o->kind; o++) {
		letter[0] = o->letter;
		if (o->letter && (letters || !o->word))
			complete_offer(c, "-", letter, "", o->help);
		if (o->word)
			complete_offer(c, "--", o->word, options_wants_value(o) ? "=" : "",
				o->help);
	}
}

static const struct option_spec *find(const struct complete *c, char letter, const char *word,
	size_t len)
{
	const struct option_spec *o = NULL;

	if (c->command)
		o = options_find(c->command->options, letter, word, len);
	return o ? o : options_find(global_options, letter, word, len);
}

/* The option of a word that begins with a dash and whose value would be the next word, or NULL. */
static const struct option_spec *wants_next(const struct complete *c, const char *word)
{
	const struct option_spec *o;

	if (word[1] == '-') {
		o = strchr(word, '=') ? NULL : find(c, 0, word + 2, strlen(word + 2));
		return o && options_wants_value(o) ? o : NULL;
	}
	for (const char *s = word + 1; *s; s++) {
		o = find(c, *s, NULL, 0);
		if (!o || o->kind == OPTION_MAYBE)
			return NULL;
		if (options_wants_value(o))
			return s[1] ? NULL : o;
	}
	return NULL;
}

/* A word at the cursor that begins with a dash. */
static void offer_dashed(struct complete *c)
{
	const char *equals = strchr(c->current, '=');
	const struct option_spec *o = NULL;
	struct line head = { 0 };

	if (c->current[0] == '-' && c->current[1] == '-' && equals) {
		o = find(c, 0, c->current + 2, (size_t)(equals - c->current) - 2);
		line_add(&head, c->current, (size_t)(equals - c->current) + 1);
	} else if (c->current[1] && c->current[1] != '-') {
		/* -uno, -b NAME glued. */
		o = find(c, c->current[1], NULL, 0);
		line_add(&head, c->current, 2);
	}
	if (o && (o->kind == OPTION_MAYBE || options_wants_value(o))) {
		offer_value(c, o, head.data, c->current + head.len);
	} else if (!equals) {
		offer_options(c, c->command ? c->command->options : NULL);
		offer_options(c, global_options);
	}
	line_release(&head);
}

/* --- the words before ------------------------------------------------------------------------ */

/* Of what is typed before the cursor, the value of an option: --source says what paths there are.
 */
static void note_value(struct complete *c, const struct option_spec *o, const char *value)
{
	if (o->word && strcmp(o->word, "source") == 0)
		c->source = value;
}

/* An option of every command that says where things are. */
static void apply_global(struct complete *c, const struct option_spec *o, const char *value)
{
	if (o->letter == 'C' && *value && chdir(value) != 0)
		c->cli->global.store_dir = "/dev/null"; /* nothing is found there */
	else if (o->word && strcmp(o->word, "store") == 0)
		c->cli->global.store_dir = value;
}

/* --staged, alone or among letters. */
static bool is_staged(const struct complete *c, const char *word)
{
	const struct option_spec *o = find(c, 0, "staged", strlen("staged"));

	if (word[1] == '-')
		return strcmp(word + 2, "staged") == 0;
	return o && o->letter && strchr(word, o->letter);
}

static void take_word(struct complete *c, char *word)
{
	const bool global = c->value_of &&
		options_find(global_options, c->value_of->letter, c->value_of->word,
			c->value_of->word ? strlen(c->value_of->word) : 0) == c->value_of;

	if (c->value_of) {
		if (global)
			apply_global(c, c->value_of, word);
		else
			note_value(c, c->value_of, word);
		c->value_of = NULL;
	} else if (c->has_dashes || word[0] != '-' || !word[1]) {
		if (c->command || c->has_dashes)
			strings_push(&c->operands, word);
		else if (!(c->command = command_find(word)))
			c->has_dashes = true; /* no command: nothing is known of what follows */
	} else if (strcmp(word, "--") == 0) {
		c->has_dashes = true;
	} else {
		c->value_of = wants_next(c, word);
		c->is_staged = c->is_staged || is_staged(c, word);
		if (!c->value_of && strncmp(word, "--store=", 8) == 0)
			c->cli->global.store_dir = word + 8;
		else if (!c->value_of && strncmp(word, "--source=", 9) == 0)
			c->source = word + 9;
	}
}

/*
 * What the synopsis says of operands, before or behind "--".  "[--] PATH" may stand on both sides,
 * "[-- PATH]" only behind; lower-case words with a bar between them are meant themselves.
 */
static void offer_operands(struct complete *c)
{
	const char *s = c->command->synopsis;
	unsigned int seen = 0;
	bool behind = false, both = false;

	for (size_t len; *s; s += len ? len : 1) {
		len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		if (len && !(behind && !both && !c->has_dashes) &&
			!(c->has_dashes && !behind && strstr(s, "--"))) {
			const enum kind kind = kind_of(c->command, s, len);

			if (!(seen & 1U << kind))
				offer_kind(c, kind, "", c->current);
			seen |= 1U << kind;
		}
		if (len)
			continue;
		if (strncmp(s, "--", 2) == 0 && !is_lower(s[2])) {
			behind = true;
			both = s[2] == ']';
			len = 2;
		} else if (is_lower(*s) && (s == c->command->synopsis || s[-1] != '-')) {
			len = strspn(s, "abcdefghijklmnopqrstuvwxyz|");
			if (memchr(s, '|', len)) {
				char *set = strndup(s, len);

				offer_set(c, "", set ? set : "");
				free(set);
			}
		} else if (*s == '-') {
			len = 1 + strspn(s + 1, "-abcdefghijklmnopqrstuvwxyz");
		}
	}
}

static void answer(struct complete *c)
{
	if (c->value_of)
		offer_value(c, c->value_of, "", c->current);
	else if (!c->has_dashes && c->current[0] == '-')
		offer_dashed(c);
	else if (c->command)
		offer_operands(c);
	else if (!c->has_dashes)
		offer_commands(c);
}

/* --- the command ----------------------------------------------------------------------------- */

struct complete_options {
	const char *shell;
};

static const struct option_spec table[] = {
	{ 0, "shell", OPTION_STRING, offsetof(struct complete_options, shell), 0, "bash|zsh|fish",
		"whose words they are, and how the answers are written" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static bool is_assignment(const char *word)
{
	const size_t len = strcspn(word, "=/");

	return word[0] != '-' && len && word[len] == '=';
}

/* The operands of bash are COMP_LINE, COMP_POINT and COMP_WORDBREAKS. */
static bool read_line(struct complete *c, struct complete_line *l, struct strings *words)
{
	const struct strings *args = &c->cli->args;
	uint64_t point;
	size_t i = 0;

	if (args->n != 3 || !line_to_number(args->items[1], false, SIZE_MAX, &point))
		return false;
	if (point > strlen(args->items[0]))
		point = strlen(args->items[0]);
	complete_line_read(l, args->items[0], (size_t)point, args->items[2]);
	c->typed = args->items[0] + l->text_at;
	c->typed_len = l->text_len;
	c->quoting = l->quoting;
	while (i + 1 < l->words.n && is_assignment(l->words.items[i]))
		i++;
	for (i++; i < l->words.n; i++)
		strings_push(words, l->words.items[i]);
	return words->n > 0;
}

static int run(struct cli *cli, const void *data)
{
	const char *shell = ((const struct complete_options *)data)->shell;
	struct complete c = { .cli = cli };
	struct complete_line l = { 0 };
	struct strings words = { 0 };

	c.shell = !shell                     ? SHELL_PLAIN
		: strcmp(shell, "bash") == 0 ? SHELL_BASH
		: strcmp(shell, "zsh") == 0  ? SHELL_ZSH
					     : SHELL_FISH;
	if (c.shell == SHELL_BASH && !read_line(&c, &l, &words))
		goto out;
	for (size_t i = 0; c.shell != SHELL_BASH && i < cli->args.n; i++)
		strings_push(&words, cli->args.items[i]);
	if (!words.n)
		goto out;
	c.current = words.items[words.n - 1];
	for (size_t i = 0; i + 1 < words.n; i++)
		take_word(&c, words.items[i]);
	cli->global.verbose = 0;
	if (c.command && cli_open(cli, false) != 0)
		cli->err = (struct store_error){ 0 };
	answer(&c);
out:
	strings_release(&c.operands);
	strings_release(&words);
	complete_line_release(&l);
	return 0;
}

const struct command cmd_complete = { "complete", "-- WORD...",
	"answer what fits at the cursor, for the scripts of 'store completion'", 0,
	sizeof(struct complete_options), table, run };
