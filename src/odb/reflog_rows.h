/*
 * Table `reflog` by its keys: ref name, NUL, publication number. What the rows mean is for
 * graph/refs.h.
 */
#ifndef STORE_ODB_REFLOG_ROWS_H
#define STORE_ODB_REFLOG_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "odb/env.h"

struct store_error;

#define REFLOG_KEY_TAIL 9 /* bytes of a key behind the name */

/* The parts of a key; false when it is none. */
bool reflog_key_parse(const struct env_val *key, size_t *name_len, uint64_t *number);
/* The greatest publication number of any row; 0: there is none. Cost: two look-ups per ref name. */
int reflog_newest(struct env_txn *t, uint64_t *number, struct store_error *err);

#endif
