/*
 * store config: tell and change settings. No repository is opened for it, so that a setting with
 * which none can be opened is put right by the same command.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include <string.h>

struct config_options {
	int get, get_all, add, unset, list, keys, global, local, show_origin;
};

#define FIELD(name) offsetof(struct config_options, name)

static const struct option_spec table[] = {
	{ 0, "get", OPTION_FLAG, FIELD(get), 1, NULL, "print the value of KEY that counts" },
	{ 0, "get-all", OPTION_FLAG, FIELD(get_all), 1, NULL,
		"print every value of KEY, the one that counts last" },
	{ 0, "add", OPTION_FLAG, FIELD(add), 1, NULL, "put VALUE beside those that KEY has" },
	{ 0, "unset", OPTION_FLAG, FIELD(unset), 1, NULL,
		"take KEY out of the file, or KEY with VALUE alone" },
	{ 'l', "list", OPTION_FLAG, FIELD(list), 1, NULL,
		"print all values; of a key that stands twice the last one counts" },
	{ 0, "keys", OPTION_FLAG, FIELD(keys), 1, NULL,
		"print all keys with type, built-in value and what they do" },
	{ 0, "global", OPTION_FLAG, FIELD(global), 1, NULL,
		"the user's own file instead of the repository's" },
	{ 0, "local", OPTION_FLAG, FIELD(local), 1, NULL,
		"the repository's own file: changes go there anyway, and nothing else is read" },
	{ 0, "show-origin", OPTION_FLAG, FIELD(show_origin), 1, NULL,
		"print before each value where it stands" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

static struct store_config_options options_of(const struct cli *cli,
	const struct config_options *given)
{
	return (struct store_config_options){ .store_dir = cli->global.store_dir,
		.config = (const char *const *)cli->global.config.items,
		.user = given->global };
}

/* ---- telling */

struct listing {
	struct cli *cli;
	const struct config_options *given;
	bool with_key;
	bool last_only;
	struct line last; /* what is printed of the one that counts */
	struct line remark;
	size_t n;
};

static const char *level_name(enum store_config_level level)
{
	static const char *const names[] = { "built-in", "user", "repository", "environment",
		"flag" };

	return names[level];
}

static void add_origin(struct line *t, const struct cli *cli, const struct store_config_entry *e)
{
	static const char *const kinds[] = { "built-in:", "file:", "file:", "environment:",
		"command line:" };

	line_string(t, kinds[e->level]);
	if (cli->global.nul) {
		line_string(t, e->origin);
		line_add(t, "", 1);
		return;
	}
	line_quoted(t, e->origin, false);
	if (e->line)
		line_format(t, ":%u", e->line);
	line_string(t, "\t");
}

static void add_json(struct line *t, const struct store_config_entry *e)
{
	json_begin(t, "store/config/1");
	json_bytes(t, "key", e->key);
	json_bytes(t, "value", e->value);
	json_string(t, "level", level_name(e->level));
	if (*e->origin)
		json_bytes(t, "origin", e->origin);
	else
		json_string(t, "origin", NULL);
	if (e->line)
		json_number(t, "line", e->line);
	else
		json_string(t, "line", NULL);
	json_string(t, "remark", e->remark);
	json_end(t);
}

/* Values are printed as they are: whoever asks for one wants its bytes. */
static void add_entry(struct line *t, const struct listing *l, const struct store_config_entry *e)
{
	const bool nul = l->cli->global.nul;

	if (l->cli->global.json) {
		add_json(t, e);
		return;
	}
	if (l->given->show_origin)
		add_origin(t, l->cli, e);
	if (l->with_key) {
		line_string(t, e->key);
		line_string(t, nul ? "\n" : "=");
	}
	if (output_is_terminal())
		line_harmless(t, e->value, strlen(e->value));
	else
		line_string(t, e->value);
	line_add(t, nul ? "" : "\n", 1);
}

static int on_entry(void *payload, const struct store_config_entry *e)
{
	struct listing *l = payload;

	if (l->given->local && e->level != STORE_CONFIG_REPOSITORY)
		return 0;
	l->n++;
	if (l->last_only) {
		line_clear(&l->last);
		line_clear(&l->remark);
	}
	add_entry(&l->last, l, e);
	line_string(&l->remark, e->remark ? e->remark : "");
	if (l->last_only)
		return 0;
	output_text(&l->last);
	if (l->remark.len && !l->cli->global.json)
		output_note(l->cli, "%s", l->remark.data);
	line_clear(&l->remark);
	return cli_must_stop() ? STORE_ECANCELED : 0;
}

static int tell(struct cli *cli, const struct config_options *given, const char *key)
{
	const struct store_config_options o = options_of(cli, given);
	struct listing l = { .cli = cli,
		.given = given,
		.with_key = given->list,
		.last_only = !given->list && !given->get_all };
	int rc = store_config_each(&o, key, on_entry, &l, &cli->err);

	if (rc == 0 && l.last_only) {
		if (l.last.len)
			output_text(&l.last);
		if (l.remark.len && !cli->global.json)
			output_note(cli, "%s", l.remark.data);
	}
	line_release(&l.last);
	line_release(&l.remark);
	return rc == 0 && key && l.n == 0 ? CLI_NO : rc;
}

static int list_keys(struct cli *cli)
{
	struct store_config_key k;
	struct line t = { 0 };

	for (size_t i = 0; store_config_key(i, &k) == 0; i++) {
		if (cli->global.json) {
			json_begin(&t, "store/config-key/1");
			json_string(&t, "key", k.name);
			json_string(&t, "type", k.type);
			json_string(&t, "default", k.fallback);
			json_string(&t, "variable", k.variable);
			json_string(&t, "help", k.help);
			json_string(&t, "unused", k.unused);
			json_end(&t);
		} else {
			line_format(&t, "%s\t%s\t%s\t%s", k.name, k.type,
				k.fallback ? k.fallback : "-", k.help);
			line_add(&t, cli->global.nul ? "" : "\n", 1);
		}
	}
	output_text(&t);
	line_release(&t);
	return 0;
}

/* ---- changing */

static int set(struct cli *cli, const struct config_options *given, const char *key,
	const char *value)
{
	const struct store_config_options o = options_of(cli, given);
	char remark[300] = "";
	const int rc = store_config_set(&o, key, value, given->add ? STORE_CONFIG_ADD : 0, remark,
		&cli->err);

	if (rc == 0 && *remark)
		output_note(cli, "%s", remark);
	return rc;
}

static int unset(struct cli *cli, const struct config_options *given, const char *key,
	const char *value)
{
	const struct store_config_options o = options_of(cli, given);
	size_t count = 0;
	const int rc = store_config_unset(&o, key, value, &count, &cli->err);

	if (rc != 0 || count > 0)
		return rc;
	output_talk(cli, "%s is not set there", key);
	return CLI_NO;
}

/* ---- which of them */

/* What git takes before the KEY; a KEY has a dot. */
static bool is_verb(const char *word)
{
	static const char *const verbs[] = { "get", "set", "unset", "list" };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(verbs[i], word) == 0)
			return true;
	}
	return false;
}

/* The one action that was asked for, and how many operands it takes. */
static int check_words(const struct cli *cli, const struct config_options *given)
{
	const struct {
		int given;
		const char *word;
		size_t least, most;
	} actions[] = { { given->get, "--get", 1, 1 }, { given->get_all, "--get-all", 1, 1 },
		{ given->add, "--add", 2, 2 }, { given->unset, "--unset", 1, 2 },
		{ given->list, "--list", 0, 0 }, { given->keys, "--keys", 0, 0 } };
	const char *word = NULL;
	size_t least = 1, most = 2;

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (!actions[i].given)
			continue;
		if (word)
			return output_usage(cli, "%s and %s do not go together", word,
				actions[i].word);
		word = actions[i].word;
		least = actions[i].least;
		most = actions[i].most;
	}
	if (!word && cli->args.n && is_verb(cli->args.items[0]))
		return output_usage(cli,
			"'%s' is no KEY: 'config KEY' tells, 'config KEY VALUE' sets, and --unset and --list are options",
			cli->args.items[0]);
	if (cli->args.n < least)
		return output_usage(cli, "config%s%s wants %s", word ? " " : "", word ? word : "",
			least == 2 ? "KEY and VALUE" : "a KEY, or --list");
	if (cli->args.n > most)
		return output_usage(cli, "config%s%s takes no operand like '%s'", word ? " " : "",
			word ? word : "", cli->args.items[most]);
	return 0;
}

static bool is_change(const struct cli *cli, const struct config_options *given)
{
	return given->add || given->unset || cli->args.n == 2;
}

static int run(struct cli *cli, const void *data)
{
	const struct config_options *given = data;
	const char *key = cli->args.n > 0 ? cli->args.items[0] : NULL;
	const char *value = cli->args.n > 1 ? cli->args.items[1] : NULL;
	int rc = check_words(cli, given);

	if (rc != 0)
		return rc;
	if (cli->global.json && cli->global.nul)
		return output_usage(cli, "--json goes without -z");
	if (given->show_origin && (given->keys || is_change(cli, given)))
		return output_usage(cli, "--show-origin goes with --list, --get-all and a KEY");
	if (given->local && (given->global || given->keys))
		return output_usage(cli, "--local goes without --global and --keys");
	if (given->keys)
		return given->global ? output_usage(cli, "--keys goes without --global")
				     : list_keys(cli);
	if (given->unset)
		return unset(cli, given, key, value);
	if (given->add || value)
		return set(cli, given, key, value);
	return tell(cli, given, key);
}

const struct command cmd_config = { "config", "[OPTION...] [KEY [VALUE]]",
	"tell and change settings", TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL,
	sizeof(struct config_options), table, run };
