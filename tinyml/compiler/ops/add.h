/* add.h: sum of two int8 tensors of different scales, with broadcasting. */
#ifndef TML_ADD_H
#define TML_ADD_H

#include "tml_walk.h"

/* Both inputs are brought to twice the larger input scale with 20 fractional bits, added, and
 * scaled to the output. Offsets of the inputs are minus their zero points. Shifts are -31..0. */
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
  int32_t act_min;
  int32_t act_max;
} tml_add_t;

#define TML_ADD_LEFT_SHIFT 20

/* An input value on the common scale; at most 2^28 in size, so two of them cannot overflow. */
static inline int32_t tml_add_term(int32_t value, int32_t multiplier, int32_t shift) {
  return tml_requantize(value * (1 << TML_ADD_LEFT_SHIFT), multiplier, shift);
}

static inline int8_t tml_add_result(int32_t sum, const tml_add_t *p) {
  const int32_t scaled = tml_requantize(sum, p->output_multiplier, p->output_shift);
  return (int8_t)tml_clamp(scaled + p->output_offset, p->act_min, p->act_max);
}

/* input1 + sign * input2; output is dense, row-major, in the order of the walk, whose operands 1
 * and 2 are the inputs. */
TML_INLINE void tml_add_signed(const int8_t *input1, const int8_t *input2, int8_t *output,
                               const tml_walk_t *walk, const tml_add_t *p, int32_t sign) {
  /* A byte written may lie anywhere for all the compiler knows: keep the parameters in locals. */
  const tml_add_t q = *p;
  const int32_t count = walk->extents[walk->rank - 1];
  const int32_t stride1 = walk->strides1[walk->rank - 1];
  const int32_t stride2 = walk->strides2[walk->rank - 1];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    const int8_t *a = input1 + at.offset1;
    const int8_t *b = input2 + at.offset2;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t term1 =
          tml_add_term(a[i * stride1] + q.input1_offset, q.input1_multiplier, q.input1_shift);
      const int32_t term2 =
          tml_add_term(b[i * stride2] + q.input2_offset, q.input2_multiplier, q.input2_shift);
      *output++ = tml_add_result(term1 + sign * term2, &q);
    }
  } while (tml_walk_next(walk, &at));
}

/* Sum of two tensors; see tml_add_signed. */
static inline void tml_add_s8(const int8_t *input1, const int8_t *input2, int8_t *output,
                              const tml_walk_t *walk, const tml_add_t *p) {
  tml_add_signed(input1, input2, output, walk, p, 1);
}

#endif
