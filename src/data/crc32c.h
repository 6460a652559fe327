/*
 * CRC-32C (Castagnoli), as in RFC 3720: crc32c(0, "123456789", 9) == 0xe3069283. ISA-L where the
 * CPU has it.
 */
#ifndef STORE_DATA_CRC32C_H
#define STORE_DATA_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue crc (0 at the start) over data. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
