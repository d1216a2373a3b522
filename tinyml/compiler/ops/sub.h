/* sub.h: difference of two int8 tensors of different scales, with broadcasting. */
#ifndef TML_SUB_H
#define TML_SUB_H

#include "add.h"

/* input1 - input2; see tml_add_signed. */
static inline void tml_sub_s8(const int8_t *input1, const int8_t *input2, int8_t *output,
                              const tml_walk_t *walk, const tml_add_t *p) {
  tml_add_signed(input1, input2, output, walk, p, -1);
}

/* Difference of two tensors in its linear form, which has the sign in its multiplier. */
static inline void tml_sub_linear_s8(const int8_t *input1, const int8_t *input2, int8_t *output,
                                     const tml_walk_t *walk, const tml_linear_sum_t *p) {
  tml_add_linear_s8(input1, input2, output, walk, p);
}

#endif
