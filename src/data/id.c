/*
 * Ids as text and as numbers.
 *
 * An id is compared, printed and read here and nowhere else, so that the one accepted spelling (64
 * lower-case digits) cannot drift: two spellings of one id in text objects would be two ids of one
 * commit.
 */
#include "data/id.h"

#include "base/bytes.h"
#include "base/error.h"

#define ID_SHORT 12

static char *write_hex(char *out, const struct oid *id, size_t digits)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < digits; i += 2) {
		out[i] = hex[id->b[i / 2] >> 4];
		out[i + 1] = hex[id->b[i / 2] & 15];
	}
	out[digits] = '\0';
	return out;
}

/* 0 to 15, or -1: capitals are refused. */
static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool id_is_zero(const struct oid *id)
{
	static const struct oid zero;

	return id_eq(id, &zero);
}

uint64_t id_low64(const struct oid *id)
{
	return le64_get(id->b);
}

char *id_hex(char out[ID_HEX + 1], const struct oid *id)
{
	return write_hex(out, id, ID_HEX);
}

char *id_short(char out[13], const struct oid *id)
{
	return write_hex(out, id, ID_SHORT);
}

int id_parse(struct oid *out, const char *hex, size_t len)
{
	struct oid id;

	if (len != ID_HEX)
		return STORE_EINVAL;
	for (size_t i = 0; i < ID_LEN; i++) {
		const int high = digit_value(hex[2 * i]), low = digit_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return STORE_EINVAL;
		id.b[i] = (uint8_t)(high << 4 | low);
	}
	*out = id;
	return 0;
}
