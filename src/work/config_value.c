/*
 * Values as numbers. A value that cannot be read is an error that names key, value and place; it is
 * never taken for the built-in one, because the user meant something by it.
 */
#include "work/config_internal.h"

#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/quote.h"

struct unit {
	const char *name;
	uint64_t factor;
};

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

static const struct unit plain_units[] = { { "", 1 }, { NULL, 0 } };

static const struct unit size_units[] = { { "", 1 }, { "b", 1 }, { "k", KIB }, { "kb", KIB },
	{ "kib", KIB }, { "m", MIB }, { "mb", MIB }, { "mib", MIB }, { "g", GIB }, { "gb", GIB },
	{ "gib", GIB }, { "t", TIB }, { "tb", TIB }, { "tib", TIB }, { NULL, 0 } };

static const struct unit time_units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
	{ "min", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 } };

static int refuse(const struct config_value *v, const char *key, const char *wanted,
	struct store_error *err)
{
	char shown[100];

	return store_error_set(err, STORE_EINVAL, "%s: %s is '%s', which is no %s", v->where, key,
		quote_msg(shown, sizeof(shown), v->text, strlen(v->text)), wanted);
}

static int find_value(const struct config *c, const char *key, struct config_value *v,
	struct store_error *err)
{
	if (config_find(c, key, v))
		return 0;
	return store_error_set(err, STORE_ENOTFOUND, "%s is not set", key);
}

/* Digits, blanks, a unit. */
static bool parse_amount(const char *text, const struct unit *units, uint64_t *out)
{
	const char *p = text;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (u64_mul(v, 10, &v) || u64_add(v, (uint64_t)(*p - '0'), &v))
			return false;
	}
	if (p == text)
		return false;
	p += strspn(p, " \t");
	for (; units->name; units++) {
		if (strcasecmp(p, units->name) == 0)
			return !u64_mul(v, units->factor, out);
	}
	return false;
}

static int get_amount(const struct config *c, const char *key, const struct unit *units,
	const char *wanted, uint64_t *out, struct store_error *err)
{
	struct config_value v;
	const int rc = find_value(c, key, &v, err);

	if (rc != 0)
		return rc;
	return parse_amount(v.text, units, out) ? 0 : refuse(&v, key, wanted, err);
}

int config_bool(const struct config *c, const char *key, bool *out, struct store_error *err)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1",
		NULL };
	struct config_value v;
	const int rc = find_value(c, key, &v, err);

	if (rc != 0)
		return rc;
	for (size_t i = 0; words[i]; i++) {
		if (strcasecmp(v.text, words[i]) == 0) {
			*out = i % 2;
			return 0;
		}
	}
	return refuse(&v, key, "true or false", err);
}

int config_number(const struct config *c, const char *key, uint64_t *out, struct store_error *err)
{
	return get_amount(c, key, plain_units, "number", out, err);
}

int config_size(const struct config *c, const char *key, uint64_t *out, struct store_error *err)
{
	return get_amount(c, key, size_units, "size such as 64KB", out, err);
}

int config_duration_ms(const struct config *c, const char *key, uint64_t *out,
	struct store_error *err)
{
	return get_amount(c, key, time_units, "duration such as 30s", out, err);
}

int config_word(const struct config *c, const char *key, const char *const *words, size_t *index,
	struct store_error *err)
{
	struct config_value v;
	char wanted[100] = "";
	size_t len = 0;
	const int rc = find_value(c, key, &v, err);

	if (rc != 0)
		return rc;
	for (size_t i = 0; words[i]; i++) {
		if (strcasecmp(v.text, words[i]) == 0) {
			*index = i;
			return 0;
		}
		if (len < sizeof(wanted))
			len += (size_t)snprintf(wanted + len, sizeof(wanted) - len, "%s%s",
				i == 0                 ? ""
					: words[i + 1] ? ", "
						       : " or ",
				words[i]);
	}
	return refuse(&v, key, wanted, err);
}
