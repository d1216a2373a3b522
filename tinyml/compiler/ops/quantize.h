/* quantize.h: float32 to integers, and integers to integers of another scale. */
#ifndef TML_QUANTIZE_H
#define TML_QUANTIZE_H

#include "tml_table.h"

/* A finite quotient rounded to nearest, halves away from zero; saturates to int32, NaN is 0. Casting
 * a float that does not fit is undefined in C: x86 and Arm differ there, this does not. */
static inline int32_t tml_round_float(float value) {
  if (!(value > -2147483648.0f)) {
    return value == value ? INT32_MIN : 0;
  }
  if (value >= 2147483648.0f) {
    return INT32_MAX;
  }
  const int32_t whole = (int32_t)value;
  const float rest = value - (float)whole; /* exact */
  if (rest >= 0.5f) {
    return whole + 1;
  }
  return rest <= -0.5f ? whole - 1 : whole;
}

/* value / scale + zero_point, limited to low..high, which lie within 16 bits. */
static inline int32_t tml_quantize_float(float value, float scale, int32_t zero_point, int32_t low,
                                         int32_t high) {
  const int32_t quotient = tml_clamp(tml_round_float(value / scale), -(1 << 20), 1 << 20);
  return tml_clamp(quotient + zero_point, low, high);
}

static inline void tml_quantize_f32_s8(const float *input, int8_t *output, int32_t count,
                                       float scale, int32_t zero_point) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = (int8_t)tml_quantize_float(input[i], scale, zero_point, INT8_MIN, INT8_MAX);
  }
}

static inline void tml_quantize_f32_s16(const float *input, int16_t *output, int32_t count,
                                        float scale, int32_t zero_point) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = (int16_t)tml_quantize_float(input[i], scale, zero_point, INT16_MIN, INT16_MAX);
  }
}

/* 8 bits to 8 bits, signed or not; table as in tml_table.h. output may be input. */
static inline void tml_quantize_x8_x8(const uint8_t *input, const uint8_t *table, uint8_t *output,
                                      int32_t count) {
  tml_table(input, table, output, count);
}

/* From here on: (input - input zero point) times the ratio of the scales, plus output_offset.
 * input_offset is minus the input's zero point. */
typedef struct {
  int32_t count;
  int32_t input_offset;
  int32_t multiplier;
  int32_t shift;
  int32_t output_offset;
} tml_quantize_t;

static inline int32_t tml_quantize_one(int32_t value, const tml_quantize_t *p) {
  return tml_requantize(value + p->input_offset, p->multiplier, p->shift) + p->output_offset;
}

static inline void tml_quantize_s8_s16(const int8_t *input, int16_t *output,
                                       const tml_quantize_t *p) {
  for (int32_t i = 0; i < p->count; ++i) {
    output[i] = (int16_t)tml_clamp(tml_quantize_one(input[i], p), INT16_MIN, INT16_MAX);
  }
}

static inline void tml_quantize_s16_s8(const int16_t *input, int8_t *output,
                                       const tml_quantize_t *p) {
  for (int32_t i = 0; i < p->count; ++i) {
    output[i] = (int8_t)tml_clamp(tml_quantize_one(input[i], p), INT8_MIN, INT8_MAX);
  }
}

/* output may be input. */
static inline void tml_quantize_s16_s16(const int16_t *input, int16_t *output,
                                        const tml_quantize_t *p) {
  for (int32_t i = 0; i < p->count; ++i) {
    output[i] = (int16_t)tml_clamp(tml_quantize_one(input[i], p), INT16_MIN, INT16_MAX);
  }
}

#endif
