/* prelu.h: x, or alpha * x where that is negative, with an alpha of its own for each, int8. */
#ifndef TML_PRELU_H
#define TML_PRELU_H

#include "tml_walk.h"

/* Offsets of input and alpha are minus their zero points. positive_shift is at most 22,
 * negative_shift at most 15. */
typedef struct {
  int32_t input_offset;
  int32_t alpha_offset;
  int32_t output_offset;
  int32_t positive_multiplier;
  int32_t positive_shift;
  int32_t negative_multiplier;
  int32_t negative_shift;
} tml_prelu_t;

/* output is dense, row-major, in the order of the walk; operand 1 is the input, 2 is alpha. */
static inline void tml_prelu_s8(const int8_t *input, const int8_t *alpha, int8_t *output,
                                const tml_walk_t *walk, const tml_prelu_t *p) {
  /* A byte written may lie anywhere for all the compiler knows: keep the parameters in locals. */
  const tml_prelu_t q = *p;
  const int32_t count = walk->extents[walk->rank - 1];
  const int32_t stride1 = walk->strides1[walk->rank - 1];
  const int32_t stride2 = walk->strides2[walk->rank - 1];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    const int8_t *x = input + at.offset1;
    const int8_t *a = alpha + at.offset2;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t value = x[i * stride1] + q.input_offset;
      const int32_t scaled =
          value >= 0 ? tml_requantize(value, q.positive_multiplier, q.positive_shift)
                     : tml_requantize(value * (a[i * stride2] + q.alpha_offset),
                                      q.negative_multiplier, q.negative_shift);
      *output++ = (int8_t)tml_clamp(scaled + q.output_offset, INT8_MIN, INT8_MAX);
    }
  } while (tml_walk_next(walk, &at));
}

#endif
