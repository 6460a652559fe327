/*
 * Versions of options structs.
 *
 * There is one of each by now, 0. A later library that adds members gives the struct the next one
 * and reads them only of a caller who says it; this one must not take a struct of which it does not
 * know all, because what it left out was asked for.
 */
#include "work/options.h"

#include "base/error.h"
#include "store.h"

int options_check(const void *options, const char *name, struct store_error *err)
{
	const unsigned int *version = options;

	if (!version || *version == 0)
		return 0;
	return store_error_set(err, STORE_EINVAL,
		"version %u of 'struct %s' is not known: this is store %s, which knows 0", *version,
		name, store_version());
}
