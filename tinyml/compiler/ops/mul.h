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
  const int32_t inner = walk->rank - 1;
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    const int8_t *a = input1 + at.offset1;
    const int8_t *b = input2 + at.offset2;
    for (int32_t i = 0; i < walk->extents[inner]; ++i) {
      const int32_t product = (a[i * walk->strides1[inner]] + p->input1_offset) *
                              (b[i * walk->strides2[inner]] + p->input2_offset);
      const int32_t scaled = tml_requantize(product, p->multiplier, p->shift);
      *output++ = (int8_t)tml_clamp(scaled + p->output_offset, p->act_min, p->act_max);
    }
  } while (tml_walk_next(walk, &at));
}

#endif
