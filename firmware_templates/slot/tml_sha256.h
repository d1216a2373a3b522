/* tml_sha256.h: SHA-256 (FIPS 180-4) of bytes in memory. */
#ifndef TML_SHA256_H
#define TML_SHA256_H

#include <stdint.h>

#define TML_SHA256_BYTES 32u

void tml_sha256(const uint8_t *data, uint32_t bytes, uint8_t digest[TML_SHA256_BYTES]);

#endif
