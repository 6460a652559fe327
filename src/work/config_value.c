/*
 * Values as numbers. A value that cannot be read is an error that names key, value and place; it is
 * never taken for the built-in one, because the user meant something by it.
 */
#include "work/config_internal.h"

#include <stdio.h>
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

/* ---- amounts */

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

/* What a key with bounds takes, in words. */
static const char *name_bounds(const struct config_key *row, char *out, size_t cap)
{
	const unsigned long long min = row->min, max = row->max;
	const char *power = row->flags & CONFIG_POWER ? "power of two " : "value ";

	if (row->max > 0 && !(row->flags & CONFIG_CAPPED))
		snprintf(out, cap, "%sfrom %llu to %llu", power, min, max);
	else
		snprintf(out, cap, "%sof at least %llu", power, min);
	return out;
}

static bool is_within(const struct config_key *row, uint64_t v)
{
	if (row->max > 0 && v > row->max && !(row->flags & CONFIG_CAPPED))
		return false;
	return v >= row->min && (!(row->flags & CONFIG_POWER) || (v & (v - 1)) == 0);
}

static int check_bounds(const struct config_value *v, const struct config_key *row, uint64_t amount,
	struct store_error *err)
{
	char bounds[80];

	return is_within(row, amount)
		? 0
		: refuse(v, row->name, name_bounds(row, bounds, sizeof(bounds)), err);
}

/* Keys of init are judged there, together, and when they are set. */
static int read_amount(const struct config_value *v, const char *key, const struct unit *units,
	const char *wanted, uint64_t *out, struct store_error *err)
{
	const struct config_key *row = config_key_find(key);
	int rc;

	if (!parse_amount(v->text, units, out))
		return refuse(v, key, wanted, err);
	rc = row && !(row->flags & CONFIG_INIT) ? check_bounds(v, row, *out, err) : 0;
	if (rc != 0)
		return rc;
	if (row && (row->flags & CONFIG_CAPPED) && *out > row->max)
		*out = row->max;
	return 0;
}

static int read_number(const struct config_value *v, const char *key, uint64_t *out,
	struct store_error *err)
{
	return read_amount(v, key, plain_units, "number", out, err);
}

static int read_size(const struct config_value *v, const char *key, uint64_t *out,
	struct store_error *err)
{
	return read_amount(v, key, size_units, "size such as 64KB", out, err);
}

static int read_duration(const struct config_value *v, const char *key, uint64_t *out,
	struct store_error *err)
{
	return read_amount(v, key, time_units, "duration such as 30s", out, err);
}

int config_number(const struct config *c, const char *key, uint64_t *out, struct store_error *err)
{
	struct config_value v;
	const int rc = find_value(c, key, &v, err);

	return rc == 0 ? read_number(&v, key, out, err) : rc;
}

int config_size(const struct config *c, const char *key, uint64_t *out, struct store_error *err)
{
	struct config_value v;
	const int rc = find_value(c, key, &v, err);

	return rc == 0 ? read_size(&v, key, out, err) : rc;
}

int config_duration_ms(const struct config *c, const char *key, uint64_t *out,
	struct store_error *err)
{
	struct config_value v;
	const int rc = find_value(c, key, &v, err);

	return rc == 0 ? read_duration(&v, key, out, err) : rc;
}

bool config_value_is_capped(const struct config_key *row, const char *text, uint64_t *max)
{
	uint64_t v;

	*max = row->max;
	return (row->flags & CONFIG_CAPPED) &&
		parse_amount(text, row->type == CONFIG_SIZE ? size_units : plain_units, &v) &&
		v > row->max;
}

/* ---- words */

static int read_bool(const struct config_value *v, const char *key, bool *out,
	struct store_error *err)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1",
		NULL };

	for (size_t i = 0; words[i]; i++) {
		if (strcasecmp(v->text, words[i]) == 0) {
			*out = i % 2;
			return 0;
		}
	}
	return refuse(v, key, "true or false", err);
}

static int read_word(const struct config_value *v, const char *key, const char *const *words,
	size_t *index, struct store_error *err)
{
	char wanted[100] = "";
	size_t len = 0;

	for (size_t i = 0; words[i]; i++) {
		if (strcasecmp(v->text, words[i]) == 0) {
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
	return refuse(v, key, wanted, err);
}

int config_bool(const struct config *c, const char *key, bool *out, struct store_error *err)
{
	struct config_value v;
	const int rc = find_value(c, key, &v, err);

	return rc == 0 ? read_bool(&v, key, out, err) : rc;
}

int config_word(const struct config *c, const char *key, const char *const *words, size_t *index,
	struct store_error *err)
{
	struct config_value v;
	const int rc = find_value(c, key, &v, err);

	return rc == 0 ? read_word(&v, key, words, index, err) : rc;
}

/* ---- before a value is written */

int config_value_check(const struct config_key *row, const char *text, const char *where,
	struct store_error *err)
{
	const struct config_value v = { text, CONFIG_FLAG, where };
	uint64_t amount = 0;
	size_t index;
	bool yes;
	int rc;

	switch (row->type) {
	case CONFIG_BOOL:
		return read_bool(&v, row->name, &yes, err);
	case CONFIG_NUMBER:
		return read_number(&v, row->name, &amount, err);
	case CONFIG_SIZE:
		rc = read_size(&v, row->name, &amount, err);
		return rc == 0 ? check_bounds(&v, row, amount, err) : rc;
	case CONFIG_DURATION:
		return read_duration(&v, row->name, &amount, err);
	case CONFIG_WORDS:
		return read_word(&v, row->name, row->words, &index, err);
	case CONFIG_PATH:
		return strpbrk(text, "\n\r") ? refuse(&v, row->name, "path", err) : 0;
	case CONFIG_TEXT:
		break;
	}
	return 0;
}
