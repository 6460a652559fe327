/* Who did it: caller, environment, configuration, login, each part on its own; and when. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "work/repo.h"

static const char *const variables[] = { "STORE_AUTHOR_NAME", "STORE_AUTHOR_EMAIL",
	"STORE_AUTHOR_DATE", "STORE_COMMITTER_NAME", "STORE_COMMITTER_EMAIL",
	"STORE_COMMITTER_DATE", "SOURCE_DATE_EPOCH", "XDG_CONFIG_HOME" };

static int clean_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	setenv("HOME", "/nonexistent", 1);
	return setenv("TZ", "UTC", 1);
}

/* "NAME|MAIL" of an identity, or the message of its refusal. */
static void expect(const char *const *flags, enum identity_role role, const char *who,
	const char *want, bool want_guess)
{
	struct store_repo repo = { 0 };
	struct store_error err = { 0 };
	struct buf data = { 0 };
	struct ident id;
	bool guessed = false;
	char got[600];

	assert_int_equal(config_load(&repo.config, flags, NULL, NULL), 0);
	if (identity_now(&repo, role, who, NULL, &data, &id, &guessed, &err) == 0)
		snprintf(got, sizeof(got), "%.*s|%.*s", (int)id.name.len, id.name.p,
			(int)id.mail.len, id.mail.p);
	else
		snprintf(got, sizeof(got), "%s", err.msg);
	if (want)
		assert_string_equal(got, want);
	assert_int_equal(guessed, want_guess);
	buf_release(&data);
	config_free(repo.config);
}

static const char *const configured[] = { "user.name=Con Fig", "user.email=c@f", NULL };

static void test_identity__caller_before_environment_before_configuration(void **state)
{
	(void)state;
	expect(configured, IDENTITY_AUTHOR, NULL, "Con Fig|c@f", false);
	setenv("STORE_AUTHOR_NAME", "En Viron", 1);
	expect(configured, IDENTITY_AUTHOR, NULL, "En Viron|c@f", false);
	expect(configured, IDENTITY_COMMITTER, NULL, "Con Fig|c@f", false);
	setenv("STORE_AUTHOR_EMAIL", "e@v", 1);
	expect(configured, IDENTITY_AUTHOR, NULL, "En Viron|e@v", false);
	expect(configured, IDENTITY_AUTHOR, "Ex Plicit <e@p>", "Ex Plicit|e@p", false);
	setenv("STORE_AUTHOR_NAME", "", 1);
	expect(configured, IDENTITY_AUTHOR, NULL, "Con Fig|e@v", false);
}

static void test_identity__a_guess_is_told_and_refused_only_on_demand(void **state)
{
	static const char *const half[] = { "user.name=Con Fig", NULL };
	static const char *const only[] = { "user.useConfigOnly=true", NULL };
	static const char *const both[] = { "user.useConfigOnly=true", "user.name=a",
		"user.email=b", NULL };

	(void)state;
	expect(NULL, IDENTITY_AUTHOR, NULL, NULL, true);
	expect(half, IDENTITY_AUTHOR, NULL, NULL, true);
	expect(only, IDENTITY_AUTHOR, NULL,
		"nobody is configured, and user.useConfigOnly forbids to guess: set user.name and user.email",
		false);
	expect(both, IDENTITY_AUTHOR, NULL, "a|b", false);
	expect(only, IDENTITY_AUTHOR, "Ex Plicit <e@p>", "Ex Plicit|e@p", false);
}

static void test_identity__what_a_line_cannot_hold_is_cleaned_away(void **state)
{
	static const char *const odd[] = { "user.name= <Na>me\nX ", "user.email=a<b>", NULL };

	(void)state;
	expect(odd, IDENTITY_AUTHOR, NULL, "NameX|ab", false);
	expect(NULL, IDENTITY_AUTHOR, "  Spa Ced  < m@n > ", "Spa Ced|m@n", false);
	expect(NULL, IDENTITY_AUTHOR, "Nobody", "'Nobody' names nobody; write it as 'NAME <MAIL>'",
		false);
	expect(NULL, IDENTITY_AUTHOR, "A <b> c",
		"'A <b> c' names nobody; write it as 'NAME <MAIL>'", false);
}

static int find_date(const char *given, int64_t *seconds, int *zone)
{
	struct store_repo repo = { 0 };
	struct buf data = { 0 };
	struct ident id = { .seconds = 0 };
	int rc;

	assert_int_equal(config_load(&repo.config, configured, NULL, NULL), 0);
	rc = identity_now(&repo, IDENTITY_AUTHOR, NULL, given, &data, &id, NULL, NULL);
	*seconds = id.seconds;
	*zone = id.zone;
	buf_release(&data);
	config_free(repo.config);
	return rc;
}

static void test_identity__dates_come_from_caller_environment_epoch_clock(void **state)
{
	const int64_t now = (int64_t)time(NULL);
	int64_t s;
	int zone;

	(void)state;
	assert_int_equal(find_date(NULL, &s, &zone), 0);
	assert_true(s >= now && s <= now + 60);
	setenv("SOURCE_DATE_EPOCH", "1000000000", 1);
	assert_int_equal(find_date(NULL, &s, &zone), 0);
	assert_true(s == 1000000000 && zone == 0);
	setenv("STORE_AUTHOR_DATE", "1100000000 +0130", 1);
	assert_int_equal(find_date(NULL, &s, &zone), 0);
	assert_true(s == 1100000000 && zone == 90);
	assert_int_equal(find_date("2026-11-21 12:00:00 +0100", &s, &zone), 0);
	assert_true(s == 1795258800 && zone == 60);
	setenv("STORE_AUTHOR_DATE", "soon", 1);
	assert_int_equal(find_date(NULL, &s, &zone), STORE_EINVAL);
	unsetenv("STORE_AUTHOR_DATE");
	setenv("SOURCE_DATE_EPOCH", "-1", 1);
	assert_int_equal(find_date(NULL, &s, &zone), STORE_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			test_identity__caller_before_environment_before_configuration,
			clean_environment),
		cmocka_unit_test_setup(test_identity__a_guess_is_told_and_refused_only_on_demand,
			clean_environment),
		cmocka_unit_test_setup(test_identity__what_a_line_cannot_hold_is_cleaned_away,
			clean_environment),
		cmocka_unit_test_setup(
			test_identity__dates_come_from_caller_environment_epoch_clock,
			clean_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
