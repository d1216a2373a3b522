/* maximum.h: the larger of two int8 values each, with broadcasting. */
#ifndef TML_MAXIMUM_H
#define TML_MAXIMUM_H

#include "tml_walk.h"

/* output is dense, row-major, in the order of the walk; operands 1 and 2 are the inputs. */
static inline void tml_maximum_s8(const int8_t *input1, const int8_t *input2, int8_t *output,
                                  const tml_walk_t *walk) {
  const int32_t count = walk->extents[walk->rank - 1];
  const int32_t stride1 = walk->strides1[walk->rank - 1];
  const int32_t stride2 = walk->strides2[walk->rank - 1];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    const int8_t *a = input1 + at.offset1;
    const int8_t *b = input2 + at.offset2;
    for (int32_t i = 0; i < count; ++i, a += stride1, b += stride2) {
      *output++ = *a > *b ? *a : *b;
    }
  } while (tml_walk_next(walk, &at));
}

#endif
