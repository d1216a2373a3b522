/* tml_bytes.h: numbers as little-endian bytes at any address, whatever the processor's order. */
#ifndef TML_BYTES_H
#define TML_BYTES_H

#include <stdint.h>
#include <string.h>

static inline void tml_put_u8(uint8_t *out, uint8_t value) { out[0] = value; }

static inline void tml_put_u16(uint8_t *out, uint16_t value) {
  out[0] = (uint8_t)(value & 0xFFu);
  out[1] = (uint8_t)(value >> 8);
}

static inline void tml_put_u32(uint8_t *out, uint32_t value) {
  tml_put_u16(out, (uint16_t)(value & 0xFFFFu));
  tml_put_u16(out + 2, (uint16_t)(value >> 16));
}

static inline void tml_put_u64(uint8_t *out, uint64_t value) {
  tml_put_u32(out, (uint32_t)(value & 0xFFFFFFFFu));
  tml_put_u32(out + 4, (uint32_t)(value >> 32));
}

static inline void tml_put_i8(uint8_t *out, int8_t value) { out[0] = (uint8_t)value; }
static inline void tml_put_i32(uint8_t *out, int32_t value) { tml_put_u32(out, (uint32_t)value); }

static inline void tml_put_f32(uint8_t *out, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  tml_put_u32(out, bits);
}

static inline void tml_put_f64(uint8_t *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  tml_put_u64(out, bits);
}

static inline uint8_t tml_get_u8(const uint8_t *in) { return in[0]; }

static inline uint16_t tml_get_u16(const uint8_t *in) {
  return (uint16_t)(in[0] | (uint32_t)in[1] << 8);
}

static inline uint32_t tml_get_u32(const uint8_t *in) {
  return tml_get_u16(in) | (uint32_t)tml_get_u16(in + 2) << 16;
}

static inline uint64_t tml_get_u64(const uint8_t *in) {
  return tml_get_u32(in) | (uint64_t)tml_get_u32(in + 4) << 32;
}

#endif
