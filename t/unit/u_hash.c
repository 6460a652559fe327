/* SHA-256 by hash.h against published vectors and sha256sum; pieces, keys, random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "data/hash.h"

enum { SAMPLE = 5000 };

static uint8_t sample[SAMPLE];

/* ---- libcrypto's memory: it is counted, and runs out when told so */

static size_t asked;
static bool memory_is_out;

static void *give(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	asked++;
	return memory_is_out ? NULL : malloc(len);
}

static void *give_more(void *p, size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	asked++;
	return memory_is_out ? NULL : realloc(p, len);
}

static void take_back(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static int set_up(void **state)
{
	struct hash *h = hash_new();

	for (int i = 0; i < SAMPLE; i++)
		sample[i] = (uint8_t)(i * 7 + i / 251);
	*state = h;
	return h == NULL;
}

static int tear_down(void **state)
{
	hash_free(*state);
	return 0;
}

static void check_text(struct hash *h, const char *text, const char *want)
{
	struct oid id;
	char hex[ID_HEX + 1];

	hash_once(h, text, strlen(text), &id);
	assert_string_equal(id_hex(hex, &id), want);
}

/* FIPS 180-4 examples. */
static void test_hash__published_vectors(void **state)
{
	struct hash *h = *state;
	char *million = malloc(1000001);

	assert_non_null(million);
	memset(million, 'a', 1000000);
	million[1000000] = '\0';
	check_text(h, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_text(h, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check_text(h, million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

static void test_hash__empty_file_is_the_hash_of_nothing(void **state)
{
	struct oid id;

	hash_once(*state, NULL, 0, &id);
	assert_true(id_eq(&id, &hash_empty_file));
	hash_begin(*state);
	hash_end(*state, &id);
	assert_true(id_eq(&id, &hash_empty_file));
}

static void test_hash__equals_sha256sum(void **state)
{
	static const size_t lens[] = { 1, 55, 56, 63, 64, 65, 119, 128, 4096, SAMPLE };
	char path[] = "/tmp/u_hash.XXXXXX", command[100], hex[ID_HEX + 1], theirs[ID_HEX + 1];
	const int fd = mkstemp(path);

	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct oid id;
		FILE *pipe;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, sample, lens[i], 0), lens[i]);
		assert_true(snprintf(command, sizeof(command), "sha256sum <%s", path) <
			(int)sizeof(command));
		pipe = popen(command, "r");
		assert_non_null(pipe);
		assert_int_equal(fread(theirs, 1, ID_HEX, pipe), ID_HEX);
		theirs[ID_HEX] = '\0';
		assert_int_equal(pclose(pipe), 0);
		hash_once(*state, sample, lens[i], &id);
		assert_string_equal(id_hex(hex, &id), theirs);
	}
	close(fd);
	unlink(path);
}

static void test_hash__pieces_of_any_size_equal_one_call(void **state)
{
	struct oid whole, id;

	hash_once(*state, sample, SAMPLE, &whole);
	for (size_t piece = 1; piece < 300; piece++) {
		hash_begin(*state);
		for (size_t at = 0; at < SAMPLE; at += piece)
			hash_add(*state, sample + at, piece < SAMPLE - at ? piece : SAMPLE - at);
		hash_end(*state, &id);
		assert_true(id_eq(&id, &whole));
	}
}

static void test_hash__begin_forgets_an_unfinished_one(void **state)
{
	struct oid want, id;

	hash_once(*state, "x", 1, &want);
	hash_begin(*state);
	hash_add(*state, sample, 777);
	hash_once(*state, "x", 1, &id);
	assert_true(id_eq(&id, &want));
}

static void test_hash__two_contexts_do_not_disturb_each_other(void **state)
{
	struct hash *other = hash_new();
	struct oid want, id;

	assert_non_null(other);
	hash_once(*state, sample, 100, &want);
	hash_begin(*state);
	hash_begin(other);
	hash_add(*state, sample, 50);
	hash_add(other, sample, 10);
	hash_add(*state, sample + 50, 50);
	hash_end(*state, &id);
	assert_true(id_eq(&id, &want));
	hash_add(other, sample + 10, 90);
	hash_end(other, &id);
	assert_true(id_eq(&id, &want));
	hash_free(other);
	hash_free(NULL);
}

static void test_hash__key_is_the_low_half_word_of_level_and_key(void **state)
{
	for (size_t len = 0; len <= 4096; len += len < 300 ? 1 : 379) {
		for (unsigned int level = 0; level < 256; level += 85) {
			uint8_t joined[1 + 4096];
			struct oid id;

			joined[0] = (uint8_t)level;
			memcpy(joined + 1, sample, len);
			hash_once(*state, joined, len + 1, &id);
			assert_true(
				hash_key(*state, (uint8_t)level, sample, len) == le64_get(id.b));
		}
	}
	/* printf '\001name' | sha256sum */
	assert_true(hash_key(*state, 1, "name", 4) == 0x56bf4f9bc93851b6u);
}

/* The same context again and again, in one call, in pieces and by key. */
static void test_hash__needs_no_memory_but_its_context(void **state)
{
	struct oid want, id;
	uint64_t key;

	hash_once(*state, sample, SAMPLE, &want);
	key = hash_key(*state, 1, sample, 300);
	asked = 0;
	memory_is_out = true;
	for (int i = 0; i < 3; i++) {
		hash_once(*state, sample, SAMPLE, &id);
		assert_true(id_eq(&id, &want));
		hash_begin(*state);
		hash_add(*state, sample, 100);
		hash_add(*state, sample + 100, SAMPLE - 100);
		hash_end(*state, &id);
		assert_true(id_eq(&id, &want));
		assert_true(hash_key(*state, 1, sample, 300) == key);
	}
	memory_is_out = false;
	assert_int_equal(asked, 0);
}

static void test_hash__random_bytes_differ_each_time(void **state)
{
	uint8_t seen[64][16];

	(void)state;
	for (int i = 0; i < 64; i++) {
		assert_int_equal(hash_random(seen[i], NULL), 0);
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash__published_vectors),
		cmocka_unit_test(test_hash__empty_file_is_the_hash_of_nothing),
		cmocka_unit_test(test_hash__equals_sha256sum),
		cmocka_unit_test(test_hash__pieces_of_any_size_equal_one_call),
		cmocka_unit_test(test_hash__begin_forgets_an_unfinished_one),
		cmocka_unit_test(test_hash__two_contexts_do_not_disturb_each_other),
		cmocka_unit_test(test_hash__key_is_the_low_half_word_of_level_and_key),
		cmocka_unit_test(test_hash__needs_no_memory_but_its_context),
		cmocka_unit_test(test_hash__random_bytes_differ_each_time),
	};

	/* Refused once it has allocated: nothing did before this. */
	if (CRYPTO_set_mem_functions(give, give_more, take_back) != 1)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
