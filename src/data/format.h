/* The file `format`: which features a repository uses and how content is cut in it. */
#ifndef STORE_DATA_FORMAT_H
#define STORE_DATA_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/hash.h"
#include "data/id.h"

struct store_error;

#define FORMAT_CLASSES 15 /* class lines at most */

/* Bits of `incompatible` that have a meaning; this store knows none of them yet. */
#define FORMAT_INCOMPATIBLE_KNOWN UINT64_C(0)
#define FORMAT_READ_ONLY_KNOWN UINT64_C(0)

/* Content of less than `below` bytes that no class before takes is cut with average avg. */
struct format_class {
	uint64_t below;
	uint32_t avg;
};

struct store_format {
	uint64_t incompatible;         /* a reader must know every bit */
	uint64_t read_only_compatible; /* a writer must */
	uint64_t compatible;           /* nobody needs to */
	uint32_t avg;                  /* of class 0; a power of two, 256 to 2097152 */
	struct format_class classes[FORMAT_CLASSES]; /* class_count of them, below ascending */
	size_t class_count;
	struct oid parameters; /* digest of the chunking: equal for equal roots */
};

/* Append the file, set f->parameters.  STORE_EINVAL, out unchanged: the chunking cannot be. */
int format_encode(struct buf *out, struct store_format *f, struct hash *h, struct store_error *err);
/*
 * Parse the whole file.  STORE_EVERSION names features that this store does not know and says that
 * a newer one is needed; it comes before any complaint about lines that such a store may have
 * added.  STORE_ECORRUPT for the rest.
 */
int format_parse(struct store_format *f, const void *data, size_t len, struct hash *h,
	struct store_error *err);
/* Returns 0, or STORE_EVERSION when only a newer store may write. */
int format_check_writable(const struct store_format *f, struct store_error *err);

/* The class of content of size bytes: 0, or 1 and up in the order of the class lines. */
unsigned int format_class_of(const struct store_format *f, uint64_t size);
/* The average of a class; 0 when there is no such class. */
uint32_t format_class_avg(const struct store_format *f, unsigned int class_number);
/* The largest average of all classes. */
uint32_t format_largest_avg(const struct store_format *f);

#endif
