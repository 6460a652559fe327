/* Ref names: the rules one by one, and git itself asked about random names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "data/limits.h"
#include "data/refname.h"
#include "skip.h"

static bool accepts(const char *name, unsigned int flags)
{
	return refname_check(name, strlen(name), flags, NULL) == 0;
}

static void test_refname__the_rules_of_git_hold_one_by_one(void **state)
{
	static const struct {
		const char *name, *message;
	} bad[] = {
		{ "", "it is empty" },
		{ "main", "it has no '/'" },
		{ "refs//heads", "it has an empty part" },
		{ "/refs/heads", "it has an empty part" },
		{ "refs/heads/", "it has an empty part" },
		{ "refs/.heads/a", "a part of it begins with '.'" },
		{ "refs/heads/a.lock", "a part of it ends with '.lock'" },
		{ "refs/a.lock/b", "a part of it ends with '.lock'" },
		{ "refs/a..b", "it holds '..'" },
		{ "refs/a.", "it ends with '.'" },
		{ "refs/a@{b", "it holds '@{'" },
		{ "refs/a b", "control character, a blank" },
		{ "refs/a\tb", "control character" },
		{ "refs/a\177", "control character" },
		{ "refs/a~1", "one of ~^:" },
		{ "refs/a^", "one of ~^:" },
		{ "refs/a:b", "one of ~^:" },
		{ "refs/a?", "one of ~^:" },
		{ "refs/a*", "one of ~^:" },
		{ "refs/a[", "one of ~^:" },
		{ "refs/a\\b", "one of ~^:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct store_error err = { 0 };

		assert_int_equal(refname_check(bad[i].name, strlen(bad[i].name), 0, &err),
			STORE_EINVAL);
		if (!strstr(err.msg, bad[i].message))
			fail_msg("'%s' does not say '%s'", err.msg, bad[i].message);
	}
	assert_int_equal(refname_check("a/b\0c", 5, 0, NULL), STORE_EINVAL);
	assert_true(accepts("refs/heads/main", 0));
	assert_true(accepts("refs/heads/-a@b.c{d}/@", 0));
	assert_true(accepts("refs/heads/\303\251\377", 0));
	assert_true(accepts("HEAD", REFNAME_ONE_LEVEL));
	assert_false(accepts("@", REFNAME_ONE_LEVEL));
}

static void test_refname__255_bytes_pass_and_256_do_not(void **state)
{
	char name[LIMIT_REF + 2] = "refs/";

	(void)state;
	memset(name + 5, 'a', LIMIT_REF + 1 - 5);
	assert_int_equal(refname_check(name, LIMIT_REF, 0, NULL), 0);
	assert_int_equal(refname_check(name, LIMIT_REF + 1, 0, NULL), STORE_EINVAL);
}

static void test_refname__a_branch_gets_its_full_name_or_is_refused(void **state)
{
	struct store_error err = { 0 };
	struct buf b = { 0 };
	char *big = calloc(1, 1 << 20);

	(void)state;
	assert_int_equal(refname_full(&b, REFNAME_HEADS, "a/b", 3, NULL), 0);
	assert_string_equal(buf_str(&b), "refs/heads/a/b");
	assert_int_equal(refname_full(&b, REFNAME_TAGS, "HEAD", 4, NULL), 0);
	assert_string_equal(buf_str(&b), "refs/tags/HEAD");
	assert_int_equal(refname_full(&b, REFNAME_HEADS, "HEAD", 4, NULL), STORE_EINVAL);
	assert_int_equal(refname_full(&b, REFNAME_HEADS, "", 0, NULL), STORE_EINVAL);
	assert_int_equal(refname_full(&b, REFNAME_HEADS, "-d", 2, &err), STORE_EINVAL);
	assert_string_equal(err.msg, "'-d' cannot be the name of a ref: it begins with '-'");
	assert_int_equal(refname_full(&b, REFNAME_HEADS, big, 1 << 20, NULL), STORE_EINVAL);
	free(big);
	buf_release(&b);
}

/* What git says of name: 0 good, 1 bad, other: git cannot be asked. */
static int ask_git(const char *option, const char *name)
{
	const char *argv[] = { "git", "check-ref-format", option, name, NULL };
	int status = -1;
	pid_t pid;

	if (posix_spawnp(&pid, "git", NULL, NULL, (char **)argv, environ) != 0)
		return -1;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static uint64_t rng_state = 20261121;

static size_t rng(size_t below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (size_t)(rng_state % below);
}

/* Names made of what the rules are about, so that about half of them are bad. */
static void make_name(char *out, size_t cap)
{
	static const char *const parts[] = { "a", "b.c", "x/y", "-z", "/", ".", "..", "@", "{",
		"@{", ".lock", "lock", "~", "^", ":", "?", "*", "[", "\\", " ", "\t", "\177",
		"\377", "HEAD", "main", "/x", "x/", "refs", "]", "}", "\001" };
	const size_t common = 4; /* the first ones are legal and come most often */
	const size_t count = 1 + rng(7);
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		const size_t all = sizeof(parts) / sizeof(parts[0]);
		const char *part = parts[rng(4) > 0 ? rng(common) : rng(all)];

		if (len + strlen(part) + 1 > cap)
			break;
		memcpy(out + len, part, strlen(part));
		len += strlen(part);
	}
	out[len] = '\0';
}

static void test_refname__git_says_the_same_of_random_names(void **state)
{
	char name[64] = "x/";
	size_t good = 0;

	(void)state;
	if (ask_git("--no-allow-onelevel", "a/b") != 0)
		skip_test("there is no git");
	for (int i = 0; i < 1200; i++) {
		const bool one_level = i % 2 == 0;
		bool ours;
		int git;

		make_name(name, sizeof(name));
		/* git would take it for an option. */
		if (name[0] == '-')
			name[0] = 'x';
		ours = accepts(name, one_level ? REFNAME_ONE_LEVEL : 0);
		git = ask_git(one_level ? "--allow-onelevel" : "--no-allow-onelevel", name);
		if (git != !ours)
			fail_msg("'%s': git says %d, we %s", name, git, ours ? "accept" : "refuse");
		good += ours;
	}
	assert_true(good > 150 && good < 1050);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refname__the_rules_of_git_hold_one_by_one),
		cmocka_unit_test(test_refname__255_bytes_pass_and_256_do_not),
		cmocka_unit_test(test_refname__a_branch_gets_its_full_name_or_is_refused),
		cmocka_unit_test(test_refname__git_says_the_same_of_random_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
