/* squared_difference.h: (a - b)^2 of two int8 tensors of different scales, with broadcasting. */
#ifndef TML_SQUARED_DIFFERENCE_H
#define TML_SQUARED_DIFFERENCE_H

#include "tml_walk.h"

/* Both inputs are brought to twice the larger input scale with 7 fractional bits; the square of
 * their difference, below 2^30, is scaled to the output. Offsets of the inputs are minus their zero
 * points. Shifts of the inputs are -31..0, that of the output is -31..1. */
typedef struct {
  int32_t input1_offset;
  int32_t input1_multiplier;
  int32_t input1_shift;
  int32_t input2_offset;
  int32_t input2_multiplier;
  int32_t input2_shift;
  int32_t output_offset;
  int32_t output_multiplier;
  int32_t output_shift;
} tml_squared_difference_t;

#define TML_SQUARED_DIFFERENCE_LEFT_SHIFT 7

static inline int32_t tml_squared_difference_term(int32_t value, int32_t multiplier,
                                                  int32_t shift) {
  return tml_requantize(value * (1 << TML_SQUARED_DIFFERENCE_LEFT_SHIFT), multiplier, shift);
}

/* output is dense, row-major, in the order of the walk; operands 1 and 2 are the inputs. */
static inline void tml_squared_difference_s8(const int8_t *input1, const int8_t *input2,
                                             int8_t *output, const tml_walk_t *walk,
                                             const tml_squared_difference_t *p) {
  /* A byte written may lie anywhere for all the compiler knows: keep the parameters in locals. */
  const tml_squared_difference_t q = *p;
  const int32_t count = walk->extents[walk->rank - 1];
  const int32_t stride1 = walk->strides1[walk->rank - 1];
  const int32_t stride2 = walk->strides2[walk->rank - 1];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    const int8_t *a = input1 + at.offset1;
    const int8_t *b = input2 + at.offset2;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t difference =
          tml_squared_difference_term(a[i * stride1] + q.input1_offset, q.input1_multiplier,
                                      q.input1_shift) -
          tml_squared_difference_term(b[i * stride2] + q.input2_offset, q.input2_multiplier,
                                      q.input2_shift);
      const int32_t scaled =
          tml_requantize(difference * difference, q.output_multiplier, q.output_shift);
      *output++ = (int8_t)tml_clamp(scaled + q.output_offset, INT8_MIN, INT8_MAX);
    }
  } while (tml_walk_next(walk, &at));
}

#endif
