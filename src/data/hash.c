/*
 * SHA-256 by libcrypto, which picks the CPU's own instructions.  No other file knows <openssl/...>.
 *
 * Threads: the method is fetched once per process under pthread_once and then only read; a struct
 * hash belongs to the thread that uses it.  Fetching by name in each call (EVP_sha256 does it
 * inside) costs more than hashing a small file.
 *
 * Starting with the method NULL makes libcrypto reuse the one the context holds: no allocation and
 * no lock per object. hash_key gathers level and key on the stack, because one update is cheaper
 * than two for the few dozen bytes of a name.
 */
#include "data/hash.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/error.h"

#define KEY_GATHERED 255

struct hash {
	EVP_MD_CTX *ctx;
};

const struct oid hash_empty_file = { {
	0xe3,
	0xb0,
	0xc4,
	0x42,
	0x98,
	0xfc,
	0x1c,
	0x14,
	0x9a,
	0xfb,
	0xf4,
	0xc8,
	0x99,
	0x6f,
	0xb9,
	0x24,
	0x27,
	0xae,
	0x41,
	0xe4,
	0x64,
	0x9b,
	0x93,
	0x4c,
	0xa4,
	0x95,
	0x99,
	0x1b,
	0x78,
	0x52,
	0xb8,
	0x55,
} };

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static EVP_MD *method; /* written under method_once, then constant; kept until the process ends */

static void fetch_method(void)
{
	method = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* SHA-256 of bytes in memory has no way to fail once its context stands. */
static void must(int ok)
{
	assert(ok == 1);
	(void)ok;
}

struct hash *hash_new(void)
{
	struct hash *h;

	if (pthread_once(&method_once, fetch_method) != 0 || method == NULL)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || EVP_DigestInit_ex2(h->ctx, method, NULL) != 1) {
		hash_free(h);
		return NULL;
	}
	return h;
}

void hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void hash_once(struct hash *h, const void *data, size_t len, struct oid *out)
{
	hash_begin(h);
	hash_add(h, data, len);
	hash_end(h, out);
}

void hash_begin(struct hash *h)
{
	must(EVP_DigestInit_ex2(h->ctx, NULL, NULL));
}

void hash_add(struct hash *h, const void *data, size_t len)
{
	if (len > 0)
		must(EVP_DigestUpdate(h->ctx, data, len));
}

void hash_end(struct hash *h, struct oid *out)
{
	unsigned int len = 0;

	must(EVP_DigestFinal_ex(h->ctx, out->b, &len));
	assert(len == ID_LEN);
}

uint64_t hash_key(struct hash *h, uint8_t level, const void *key, size_t len)
{
	uint8_t gathered[1 + KEY_GATHERED];
	const size_t head = len < KEY_GATHERED ? len : KEY_GATHERED;
	struct oid id;

	gathered[0] = level;
	if (head > 0)
		memcpy(gathered + 1, key, head);
	hash_begin(h);
	hash_add(h, gathered, 1 + head);
	if (len > head)
		hash_add(h, (const uint8_t *)key + head, len - head);
	hash_end(h, &id);
	return id_low64(&id);
}

int hash_random(uint8_t out[16], struct store_error *err)
{
	size_t have = 0;

	while (have < 16) {
		const ssize_t n = getrandom(out + have, 16 - have, 0);

		if (n > 0) {
			have += (size_t)n;
		} else if (n == -1 && errno != EINTR) {
			/* Whatever errno says, no request of the caller can mend it. */
			(void)store_error_sys(err, "cannot read random bytes");
			if (err != NULL)
				err->code = STORE_EIO;
			return STORE_EIO;
		}
	}
	return 0;
}

const char *hash_library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}
