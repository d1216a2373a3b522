/* tml_crc.h: the IEEE CRC-32 (reflected, polynomial 0xEDB88320) of frames and tensors. */
#ifndef TML_CRC_H
#define TML_CRC_H

#include <stdint.h>

/* CRC-32 of `bytes` bytes; as binascii.crc32 in Python. */
uint32_t tml_crc32(const void *data, uint32_t bytes);

#endif
