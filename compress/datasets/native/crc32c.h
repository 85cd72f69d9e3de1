// CRC-32C (Castagnoli), as in TFRecord shards.
#ifndef COMPRESS_CRC32C_H
#define COMPRESS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// By the instruction of the processor where it has one.
uint32_t crc32c(const uint8_t *data, size_t size);

// The same without it.
uint32_t crc32c_portable(const uint8_t *data, size_t size);

// As TFRecord stores it: rotated right by 15, plus a constant.
static inline uint32_t masked_crc32c(const uint8_t *data, size_t size) {
    uint32_t crc = crc32c(data, size);
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

#endif
