/*
 * JSON, streamed into a text: one object per line, its schema first.  A comma is set where one is
 * needed.
 */
#ifndef STORE_CLI_JSON_H
#define STORE_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <store.h>
#include "cli/line.h"

/* {"schema":"..."  ...  }LF */
void json_begin(struct line *t, const char *schema);
void json_end(struct line *t);
/* A member that is an object or an array; name NULL inside an array. */
void json_open(struct line *t, const char *name, char bracket);
void json_close(struct line *t, char bracket);
/* value must be UTF-8; NULL gives null. */
void json_string(struct line *t, const char *name, const char *value);
/* Bytes that need not be UTF-8: then the member is NAME_b64, in base 64.  NULL gives null. */
void json_bytes(struct line *t, const char *name, const char *value);
/* The same for len bytes, which may hold NULs: those are in base 64, too. */
void json_data(struct line *t, const char *name, const char *data, size_t len);
void json_null(struct line *t, const char *name);
void json_number(struct line *t, const char *name, uint64_t value);
void json_signed(struct line *t, const char *name, int64_t value);
void json_real(struct line *t, const char *name, double value);
void json_bool(struct line *t, const char *name, bool value);
void json_id(struct line *t, const char *name, const struct store_id *id);
/* The same of one that may be absent: NULL, or all zero because none is filled in, gives null. */
void json_maybe_id(struct line *t, const char *name, const struct store_id *id);
/* Id, kind, height, size, files and directories; the last two are null but for a directory. */
void json_node(struct line *t, const char *name, const struct store_node *node);
/* RFC 3339. */
void json_time(struct line *t, const char *name, int64_t seconds, int zone);
void json_stats(struct line *t, const struct store_stats *stats);

#endif
