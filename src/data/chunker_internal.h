/* For the chunker's own files only. */
#ifndef STORE_DATA_CHUNKER_INTERNAL_H
#define STORE_DATA_CHUNKER_INTERNAL_H

#include <stdint.h>

/* T of the border rule. */
extern const uint64_t chunker_gear[256];

#endif
