/* The two files of init. */
#ifndef STORE_WORK_INIT_INTERNAL_H
#define STORE_WORK_INIT_INTERNAL_H

#include "data/format.h"
#include "work/config_internal.h"

/*
 * The chunking a new repository gets. chunk_average: 0, or what goes before chunking.average. Only
 * avg and classes of *out are set; whether they can be, format_encode says.
 */
int init_format(const struct config *c, uint32_t chunk_average, struct store_format *out,
	struct store_error *err);

#endif
