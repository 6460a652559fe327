/*
 * Who does something, and when.
 *
 * Each of name and mail address is looked for on its own: caller, environment, configuration,
 * login. A guess is never a refusal unless user.useConfigOnly asks for one, because somebody who
 * tries the program out shall get their first commit; the caller is told, and says so in one line.
 *
 * Dates: caller, environment, SOURCE_DATE_EPOCH (reproducible builds, in UTC), now.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/date.h"
#include "work/repo_internal.h"

struct role {
	const char *name, *mail, *date; /* environment variables */
};

static const struct role roles[] = {
	[IDENTITY_AUTHOR] = { "STORE_AUTHOR_NAME", "STORE_AUTHOR_EMAIL", "STORE_AUTHOR_DATE" },
	[IDENTITY_COMMITTER] = { "STORE_COMMITTER_NAME", "STORE_COMMITTER_EMAIL",
		"STORE_COMMITTER_DATE" },
};

/* The first that is set and not empty, or NULL. */
static const char *find_part(const struct store_repo *repo, const char *variable, const char *key)
{
	const char *text = getenv(variable);

	if (text && *text)
		return text;
	text = config_text(repo->config, key);
	return text && *text ? text : NULL;
}

static void guess_login(char *out, size_t cap)
{
	char data[2048];
	struct passwd pw, *found = NULL;

	if (getpwuid_r(geteuid(), &pw, data, sizeof(data), &found) == 0 && found &&
		found->pw_name[0])
		snprintf(out, cap, "%s", found->pw_name);
	else
		snprintf(out, cap, "uid%u", (unsigned int)geteuid());
}

static void guess_host(char *out, size_t cap)
{
	if (gethostname(out, cap) != 0 || out[0] == '\0')
		snprintf(out, cap, "localhost");
	out[cap - 1] = '\0';
}

/* Append a cleaned part and tell its length. */
static int add_part(struct buf *store, const char *text, size_t len, size_t *part_len,
	struct store_error *err)
{
	const size_t start = store->len;
	const int rc = ident_clean(store, text, len, err);

	*part_len = store->len - start;
	return rc;
}

/* Name, then mail address, into store. */
struct parts {
	size_t start, name_len, mail_len;
};

static int add_explicit(const char *who, struct buf *store, struct parts *p,
	struct store_error *err)
{
	const char *open = strchr(who, '<'), *close = open ? strchr(open, '>') : NULL;
	char shown[120];
	int rc;

	if (!close || close[1 + strspn(close + 1, " \n")] != '\0')
		return store_error_set(err, STORE_EINVAL,
			"'%s' names nobody; write it as 'NAME <MAIL>'",
			quote_msg(shown, sizeof(shown), who, strlen(who)));
	rc = add_part(store, who, (size_t)(open - who), &p->name_len, err);
	if (rc == 0)
		rc = add_part(store, open + 1, (size_t)(close - open - 1), &p->mail_len, err);
	return rc;
}

static int add_found(const struct store_repo *repo, const struct role *role, struct buf *store,
	struct parts *p, bool *guessed, struct store_error *err)
{
	const char *name = find_part(repo, role->name, "user.name");
	const char *mail = find_part(repo, role->mail, "user.email");
	char login[100], host[100], address[202];
	int rc;

	*guessed = !name || !mail;
	if (*guessed) {
		guess_login(login, sizeof(login));
		guess_host(host, sizeof(host));
		snprintf(address, sizeof(address), "%s@%s", login, host);
		name = name ? name : login;
		mail = mail ? mail : address;
	}
	rc = add_part(store, name, strlen(name), &p->name_len, err);
	if (rc == 0)
		rc = add_part(store, mail, strlen(mail), &p->mail_len, err);
	return rc;
}

static int find_date(const struct role *role, const char *explicit_date, struct date *out,
	struct store_error *err)
{
	const char *text = explicit_date, *where = "the date given";
	const int64_t now = (int64_t)time(NULL);
	uint64_t epoch;
	int rc;

	if (!text || !*text) {
		text = getenv(role->date);
		where = role->date;
	}
	if (text && *text) {
		rc = date_parse(out, text, strlen(text), now, err);
		return rc == 0 ? 0 : store_error_wrap(err, rc, "%s", where);
	}
	text = getenv("SOURCE_DATE_EPOCH");
	if (!text || !*text) {
		*out = (struct date){ now, date_local_zone(now) };
		return 0;
	}
	if (!text_parse_u64(text_slice_of(text), INT64_MAX, &epoch))
		return store_error_set(err, STORE_EINVAL,
			"SOURCE_DATE_EPOCH is no number of seconds since 1970");
	*out = (struct date){ (int64_t)epoch, 0 };
	return 0;
}

static int make_ident(const struct parts *p, const struct role *role, const char *explicit_date,
	const struct buf *store, struct ident *out, struct store_error *err)
{
	const char *text = store->data ? (const char *)store->data + p->start : "";
	struct date date;
	const int rc = find_date(role, explicit_date, &date, err);

	if (rc != 0)
		return rc;
	*out = (struct ident){ .name = { text, p->name_len },
		.mail = { text + p->name_len, p->mail_len },
		.seconds = date.seconds,
		.zone = date.zone };
	return 0;
}

int identity_now(struct store_repo *repo, enum identity_role role, const char *explicit_who,
	const char *explicit_date, struct buf *store, struct ident *out, bool *guessed,
	struct store_error *err)
{
	struct parts p = { .start = store->len };
	bool is_guess = false, refuse = false;
	int rc = config_bool(repo->config, "user.useConfigOnly", &refuse, err);

	if (rc == 0 && explicit_who)
		rc = add_explicit(explicit_who, store, &p, err);
	else if (rc == 0)
		rc = add_found(repo, &roles[role], store, &p, &is_guess, err);
	if (rc != 0)
		return rc;
	if (is_guess && refuse)
		return store_error_set(err, STORE_EINVAL,
			"nobody is configured, and user.useConfigOnly forbids to guess: set user.name and user.email");
	if (guessed)
		*guessed = is_guess;
	return make_ident(&p, &roles[role], explicit_date, store, out, err);
}

int identity_for_log(struct store_repo *repo, struct buf *store, struct ident *out,
	struct store_error *err)
{
	struct parts p = { .start = store->len };
	bool is_guess;
	const int rc = add_found(repo, &roles[IDENTITY_COMMITTER], store, &p, &is_guess, err);

	return rc == 0 ? make_ident(&p, &roles[IDENTITY_COMMITTER], NULL, store, out, err) : rc;
}
