/* For crc32c.c and its test. */
#ifndef STORE_DATA_CRC32C_INTERNAL_H
#define STORE_DATA_CRC32C_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/*
 * The same number from tables alone: what runs where the CPU has no CRC instruction, and what the
 * fast one must equal.
 */
uint32_t crc32c_plain(uint32_t crc, const void *data, size_t len);

#endif
