/* Who did something, and when: "NAME <MAIL> SECONDS +HHMM". */
#ifndef STORE_DATA_IDENT_H
#define STORE_DATA_IDENT_H

#include <stdint.h>

#include "base/buf.h"
#include "data/text.h"

struct store_error;

struct ident {
	struct text_slice name; /* may be empty */
	struct text_slice mail; /* may be empty; neither holds <, >, LF or NUL */
	int64_t seconds;        /* since 1970, may be negative */
	int16_t zone;           /* minutes east of Greenwich, -5999 to 5999 */
};

#define IDENT_ZONE_MAX 5999 /* minutes: +9959 */

/*
 * Append "NAME <MAIL> SECONDS +HHMM".  STORE_EINVAL, out unchanged, when a part holds what it must
 * not or is so long that a header line could not hold it.
 */
int ident_format(struct buf *out, const struct ident *id, struct store_error *err);
/*
 * Parse the same.  STORE_ECORRUPT for any other form, "-0000" and minutes above 59 included.  An
 * empty NAME leaves its blank: " <MAIL> ...".  Borrowed: name and mail are valid until text is.
 */
int ident_parse(struct ident *out, struct text_slice text, struct store_error *err);

/* The two halves, for texts that have them in another order: "NAME <MAIL>" and "+HHMM". */
int ident_format_who(struct buf *out, const struct ident *id, struct store_error *err);
int ident_format_zone(struct buf *out, const struct ident *id, struct store_error *err);
int ident_parse_who(struct ident *out, struct text_slice text, struct store_error *err);
int ident_parse_zone(struct ident *out, struct text_slice text, struct store_error *err);

/* Take the rest of the current line of t as an ident. */
void ident_take(struct text *t, struct ident *out);

/*
 * Append name without the bytes that cannot stand in an ident (<, >, LF, NUL) and without blanks at
 * its ends, cut to 1000 bytes.
 */
int ident_clean(struct buf *out, const void *name, size_t len, struct store_error *err);

#endif
