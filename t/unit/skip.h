/* A test that cannot run here is skipped at home; where CI=true says that all must be there it is
 * red. */
#ifndef STORE_UNIT_SKIP_H
#define STORE_UNIT_SKIP_H

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline void skip_test(const char *why)
{
	const char *const ci = getenv("CI");

	if (ci && strcmp(ci, "true") == 0)
		fail_msg("%s, and CI=true allows no skip", why);
	skip();
}

#endif
