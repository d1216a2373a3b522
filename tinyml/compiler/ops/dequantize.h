/* dequantize.h: integers of 8 or 16 bits to float32. */
#ifndef TML_DEQUANTIZE_H
#define TML_DEQUANTIZE_H

#include "tml_kernel.h"

/* TFLM multiplies in double and rounds to float32 once. A 17-bit integer times a 24-bit mantissa is
 * exact in double, so one float32 product rounds to the same bits. */

static inline void tml_dequantize_s8(const int8_t *input, float *output, int32_t count, float scale,
                                     int32_t zero_point) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = scale * (float)(input[i] - zero_point);
  }
}

static inline void tml_dequantize_u8(const uint8_t *input, float *output, int32_t count,
                                     float scale, int32_t zero_point) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = scale * (float)(input[i] - zero_point);
  }
}

static inline void tml_dequantize_s16(const int16_t *input, float *output, int32_t count,
                                      float scale, int32_t zero_point) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = scale * (float)(input[i] - zero_point);
  }
}

#endif
