/* mul.h: product of two int8 tensors, with broadcasting. */
#ifndef TML_MUL_H
#define TML_MUL_H

#include "tml_walk.h"

/* Offsets of the inputs are minus their zero points. shift is -31..15: a product has 16 bits. */
typedef struct {
  int32_t input1_offset;
  int32_t input2_offset;
  int32_t output_offset;
  int32_t multiplier;
  int32_t shift;
  int32_t act_min;
  int32_t act_max;
} tml_mul_t;

/* output is dense, row-major, in the order of the walk; operands 1 and 2 are the inputs. */
static inline void tml_mul_s8(const int8_t *input1, const int8_t *input2, int8_t *output,
                              const tml_walk_t *walk, const tml_mul_t *p) {
  /* A byte written may lie anywhere for all the compiler knows: keep the parameters in locals. */
  const tml_mul_t q = *p;
  const int32_t count = walk->extents[walk->rank - 1];
  const int32_t stride1 = walk->strides1[walk->rank - 1];
  const int32_t stride2 = walk->strides2[walk->rank - 1];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    const int8_t *a = input1 + at.offset1;
    const int8_t *b = input2 + at.offset2;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t product =
          (a[i * stride1] + q.input1_offset) * (b[i * stride2] + q.input2_offset);
      const int32_t scaled = tml_requantize(product, q.multiplier, q.shift);
      *output++ = (int8_t)tml_clamp(scaled + q.output_offset, q.act_min, q.act_max);
    }
  } while (tml_walk_next(walk, &at));
}

#endif
