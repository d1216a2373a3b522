/* sub.h: difference of two int8 tensors of different scales, with broadcasting. */
#ifndef TML_SUB_H
#define TML_SUB_H

#include "add.h"

/* output is dense, row-major, in the order of the walk; operands 1 and 2 are the inputs. */
static inline void tml_sub_s8(const int8_t *input1, const int8_t *input2, int8_t *output,
                              const tml_walk_t *walk, const tml_add_t *p) {
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
      *output++ = tml_add_result(term1 - term2, &q);
    }
  } while (tml_walk_next(walk, &at));
}

#endif
