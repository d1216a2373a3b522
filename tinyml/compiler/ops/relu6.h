/* relu6.h: x limited to 0..6, int8 in and out, of one scale. */
#ifndef TML_RELU6_H
#define TML_RELU6_H

#include "tml_kernel.h"

/* count elements; act_min and act_max are 0 and 6, quantized. output may be input. */
static inline void tml_relu6_s8(const int8_t *input, int8_t *output, int32_t count,
                                int32_t act_min, int32_t act_max) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = (int8_t)tml_clamp(input[i], act_min, act_max);
  }
}

#endif
