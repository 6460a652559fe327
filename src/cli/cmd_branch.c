/* store branch: list, make, delete and rename branches. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/pager.h"
#include <fnmatch.h>
#include <string.h>

enum { ONCE = 1, FORCED = 2 };

struct branch_options {
	int list, show_current, force;
	int erase, rename; /* ONCE or FORCED */
	const char *contains, *merged, *no_merged;
};

#define FIELD(name) offsetof(struct branch_options, name)

static const struct option_spec table[] = {
	{ 'l', "list", OPTION_FLAG, FIELD(list), 1, NULL,
		"list them; operands are patterns of names" },
	{ 0, "show-current", OPTION_FLAG, FIELD(show_current), 1, NULL,
		"print the branch that HEAD is on, nothing when it is detached" },
	{ 0, "contains", OPTION_MAYBE, FIELD(contains), 0, "REV",
		"list those that go back to REV (HEAD)" },
	{ 0, "merged", OPTION_MAYBE, FIELD(merged), 0, "REV",
		"list those that REV (HEAD) goes back to" },
	{ 0, "no-merged", OPTION_MAYBE, FIELD(no_merged), 0, "REV",
		"list those that it does not go back to" },
	{ 'f', "force", OPTION_FLAG, FIELD(force), 1, NULL,
		"move a branch that is there; with -d as -D, with -m as -M" },
	{ 'd', "delete", OPTION_FLAG, FIELD(erase), ONCE, NULL,
		"delete branches that HEAD goes back to" },
	{ 'D', NULL, OPTION_FLAG, FIELD(erase), FORCED, NULL, "delete branches all the same" },
	{ 'm', "move", OPTION_FLAG, FIELD(rename), ONCE, NULL,
		"rename a branch (the current one), its log with it" },
	{ 'M', NULL, OPTION_FLAG, FIELD(rename), FORCED, NULL,
		"the same, over a branch that is there" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

/* ---- one branch, told */

/* name NULL: HEAD is detached.  Ids may be all zero. */
static int print_json(struct cli *cli, const char *action, const char *name, const char *old_name,
	const struct store_id *id, const struct store_id *was, bool is_current)
{
	struct line t = { 0 }, subject = { 0 };
	int rc = 0;

	line_string(&subject, "");
	if (line_is_id(id))
		rc = message_subject_of(cli, id, &subject);
	json_begin(&t, "store/branch/1");
	json_string(&t, "action", action);
	if (name)
		json_bytes(&t, "name", name);
	else
		json_string(&t, "name", NULL);
	if (old_name && *old_name)
		json_bytes(&t, "old_name", old_name);
	else
		json_string(&t, "old_name", NULL);
	json_maybe_id(&t, "commit", id);
	json_maybe_id(&t, "old_commit", was);
	json_bool(&t, "current", is_current);
	if (line_is_id(id))
		json_bytes(&t, "subject", subject.data);
	else
		json_string(&t, "subject", NULL);
	json_end(&t);
	if (rc == 0)
		output_text(&t);
	line_release(&t);
	line_release(&subject);
	return rc;
}

/* ---- the list */

/* A line of the list; width: bytes of the longest name, for -v. */
static int print_line(struct cli *cli, const char *name, const struct store_id *id, bool is_current,
	size_t width)
{
	struct line t = { 0 }, subject = { 0 };
	int rc = 0;

	line_string(&t, is_current ? "* " : "  ");
	line_string(&t, output_color(is_current ? COLOR_STAGED : COLOR_OFF));
	line_harmless(&t, name, strlen(name));
	line_string(&t, output_color(COLOR_OFF));
	if (cli->global.verbose) {
		line_format(&t, "%*s ", strlen(name) < width ? (int)(width - strlen(name)) : 0, "");
		line_short_id(&t, id);
		line_string(&t, " ");
		line_string(&subject, "");
		rc = message_subject_of(cli, id, &subject);
		line_harmless(&t, subject.data, subject.len);
	}
	if (rc == 0) {
		output_text(&t);
		output_line_end(cli);
	}
	line_release(&t);
	line_release(&subject);
	return rc;
}

static int print_detached(struct cli *cli, const struct store_head *head, size_t width)
{
	static const struct store_id none;
	struct line t = { 0 };
	int rc;

	if (cli->global.json)
		return print_json(cli, "list", NULL, NULL, &head->commit, &none, true);
	line_string(&t, "(HEAD detached at ");
	line_short_id(&t, &head->commit);
	line_string(&t, ")");
	rc = print_line(cli, t.data, &head->commit, true, width);
	line_release(&t);
	return rc;
}

/* Patterns are operands from..; none: all fit. */
static bool fits(const struct cli *cli, size_t from, const char *name)
{
	for (size_t i = from; i < cli->args.n; i++)
		if (fnmatch(cli->args.items[i], name, 0) == 0)
			return true;
	return from >= cli->args.n;
}

static int find_width(struct cli *cli, size_t patterns, size_t *width)
{
	const struct store_refs_options o = { .kinds = STORE_REFS_BRANCHES };
	struct store_refs_iter *it = NULL;
	struct store_ref r;
	int rc = cli->global.verbose ? store_refs_open(cli->repo, &o, &it, &cli->err) : 0;

	while (it && rc == 0) {
		rc = store_refs_next(it, &r, &cli->err);
		if (rc == 0 && fits(cli, patterns, r.short_name) && strlen(r.short_name) > *width)
			*width = strlen(r.short_name);
	}
	store_refs_free(it);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static int print_ref(struct cli *cli, const struct store_ref *r, size_t width)
{
	static const struct store_id none;

	if (cli->global.json)
		return print_json(cli, "list", r->short_name, NULL, &r->commit, &none,
			r->is_current);
	return print_line(cli, r->short_name, &r->commit, r->is_current, width);
}

static int list_refs(struct cli *cli, const struct store_refs_options *o, size_t patterns,
	size_t width)
{
	struct store_refs_iter *it = NULL;
	struct store_ref r;
	int rc = store_refs_open(cli->repo, o, &it, &cli->err);

	if (rc != 0)
		return rc;
	while (rc == 0) {
		rc = cli_must_stop() ? STORE_ECANCELED : store_refs_next(it, &r, &cli->err);
		if (rc == 0 && fits(cli, patterns, r.short_name))
			rc = print_ref(cli, &r, width);
	}
	store_refs_free(it);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* "--merged" without "=REV" takes the first operand, as git does; without one it is HEAD. */
static const char *take_rev(const struct cli *cli, const char *value, size_t *patterns)
{
	if (!value || *value)
		return value;
	if (*patterns < cli->args.n)
		return cli->args.items[(*patterns)++];
	return "HEAD";
}

/* Does a revision go back to the commit id? */
static int goes_back(struct cli *cli, const char *rev, const struct store_id *id, bool *yes)
{
	char hex[STORE_HEX_LEN + 1];
	struct store_id base;
	const int rc = store_merge_base(cli->repo, store_id_hex(hex, id), rev, &base, &cli->err);

	*yes = rc == 0 && memcmp(&base, id, sizeof(base)) == 0;
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

/* Is a detached HEAD among what is asked for, by the rules that choose branches? */
static int fits_head(struct cli *cli, const struct store_refs_options *o,
	const struct store_head *head, bool *yes)
{
	char hex[STORE_HEX_LEN + 1];
	struct store_id wanted;
	bool is_merged;
	int rc = 0;

	*yes = true;
	if (o->contains)
		rc = store_rev_parse(cli->repo, o->contains, &wanted, &cli->err);
	if (rc == 0 && o->contains)
		rc = goes_back(cli, store_id_hex(hex, &head->commit), &wanted, yes);
	if (rc == 0 && *yes && o->merged) {
		rc = goes_back(cli, o->merged, &head->commit, &is_merged);
		*yes = is_merged;
	}
	if (rc == 0 && *yes && o->no_merged) {
		rc = goes_back(cli, o->no_merged, &head->commit, &is_merged);
		*yes = !is_merged;
	}
	return rc;
}

static int list_head(struct cli *cli, const struct store_refs_options *o, size_t width)
{
	struct store_head head;
	bool yes = false;
	int rc = store_head(cli->repo, &head, &cli->err);

	if (rc == 0 && !head.branch[0] && head.has_commit)
		rc = fits_head(cli, o, &head, &yes);
	return rc == 0 && yes ? print_detached(cli, &head, width) : rc;
}

static int list(struct cli *cli, const struct branch_options *given)
{
	struct store_refs_options o = { .kinds = STORE_REFS_BRANCHES };
	size_t patterns = 0, width = 0;
	int rc = cli_open(cli, false);

	o.contains = take_rev(cli, given->contains, &patterns);
	o.merged = take_rev(cli, given->merged, &patterns);
	o.no_merged = take_rev(cli, given->no_merged, &patterns);
	if (rc == 0)
		rc = find_width(cli, patterns, &width);
	if (rc != 0)
		return rc;
	pager_start(cli);
	if (patterns == cli->args.n)
		rc = list_head(cli, &o, width);
	return rc == 0 ? list_refs(cli, &o, patterns, width) : rc;
}

static int show_current(struct cli *cli)
{
	static const struct store_id none;
	struct store_head head;
	struct line t = { 0 };
	int rc = cli_open(cli, false);

	if (rc == 0)
		rc = store_head(cli->repo, &head, &cli->err);
	if (rc != 0)
		return rc;
	if (cli->global.json)
		return print_json(cli, "current", head.branch[0] ? head.branch : NULL, NULL,
			&head.commit, &none, true);
	if (head.branch[0]) {
		line_harmless(&t, head.branch, strlen(head.branch));
		output_text(&t);
		output_line_end(cli);
	}
	line_release(&t);
	return 0;
}

/* ---- changes */

/* words stand before the name, and behind them the id that it has or had. */
static int tell(struct cli *cli, const char *action, const struct store_ref_result *r,
	const char *words)
{
	const struct store_id *id = line_is_id(&r->id) ? &r->id : &r->was;
	struct line t = { 0 };

	if (cli->global.json)
		return print_json(cli, action, r->name, r->old_name, &r->id, &r->was,
			r->is_current);
	line_format(&t, "%s '%s'", words, r->name);
	if (r->old_name[0])
		line_format(&t, " is the new name of '%s'", r->old_name);
	if (line_is_id(id)) {
		line_string(&t,
			r->old_name[0]               ? ", at "
				: line_is_id(&r->id) ? " is at "
						     : " was at ");
		line_short_id(&t, id);
	}
	output_talk(cli, "%s", t.data);
	line_release(&t);
	return 0;
}

static int create(struct cli *cli, const struct branch_options *given)
{
	struct store_ref_result r;
	int rc = cli_open(cli, true);

	if (rc == 0)
		rc = store_branch_create(cli->repo, cli->args.items[0],
			cli->args.n > 1 ? cli->args.items[1] : NULL,
			given->force ? STORE_REF_FORCE : 0, &r, &cli->err);
	return rc == 0 ? tell(cli, r.existed ? "reset" : "create", &r, "the branch") : rc;
}

static int rename_one(struct cli *cli, const struct branch_options *given)
{
	const bool two = cli->args.n > 1, forced = given->rename == FORCED || given->force;
	struct store_ref_result r;
	int rc = cli_open(cli, true);

	if (rc == 0)
		rc = store_branch_rename(cli->repo, two ? cli->args.items[0] : NULL,
			cli->args.items[two], forced ? STORE_REF_FORCE : 0, &r, &cli->err);
	return rc == 0 ? tell(cli, "rename", &r, "the branch") : rc;
}

/* Each is tried; the first that failed makes the exit code, and its line comes last. */
static int erase(struct cli *cli, const struct branch_options *given)
{
	const bool forced = given->erase == FORCED || given->force;
	struct store_error first = { 0 };
	int failed = 0, rc = cli_open(cli, true);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < cli->args.n && !cli_must_stop(); i++) {
		struct store_ref_result r;

		rc = store_branch_delete(cli->repo, cli->args.items[i],
			forced ? STORE_REF_FORCE : 0, &r, &cli->err);
		if (rc == 0)
			rc = tell(cli, "delete", &r, "deleted: the branch");
		if (rc != 0 && failed != 0) {
			output_error(cli, rc, cli->err.sys, cli->err.msg);
		} else if (rc != 0) {
			failed = rc;
			first = cli->err;
		}
	}
	cli->err = first;
	return failed;
}

/* ---- which of them is meant */

static int check_usage(const struct cli *cli, const struct branch_options *given, bool lists)
{
	const int modes = (given->erase != 0) + (given->rename != 0) + given->show_current + lists;

	if (modes > 1)
		return output_usage(cli,
			"-d, -m, --show-current and what lists do not go together");
	if (given->force && (lists || given->show_current))
		return output_usage(cli, "-f goes with a NAME, -d or -m only");
	if (given->show_current && cli->args.n)
		return output_usage(cli, "--show-current takes no operand like '%s'",
			cli->args.items[0]);
	if (given->erase && !cli->args.n)
		return output_usage(cli, "name the branches that are to be deleted");
	if (given->rename && !cli->args.n)
		return output_usage(cli, "name what the branch shall be called");
	if (!lists && !given->erase && cli->args.n > 2)
		return output_usage(cli, "%s, not '%s' as well",
			given->rename ? "-m takes [OLD] NEW" : "branch takes NAME [REV]",
			cli->args.items[2]);
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const struct branch_options *given = data;
	const bool is_filtered = given->contains || given->merged || given->no_merged;
	const bool lists = given->list || is_filtered ||
		(!cli->args.n && !given->erase && !given->rename && !given->show_current);
	const int rc = check_usage(cli, given, lists);

	if (rc != 0)
		return rc;
	if (given->show_current)
		return show_current(cli);
	if (given->erase)
		return erase(cli, given);
	if (given->rename)
		return rename_one(cli, given);
	return lists ? list(cli, given) : create(cli, given);
}

const struct command cmd_branch = { "branch", "[OPTION...] [NAME [REV]]",
	"list, make, delete and rename branches",
	TAKES_REPO | TAKES_CONFIG | TAKES_JSON | TAKES_NUL, sizeof(struct branch_options), table,
	run };
