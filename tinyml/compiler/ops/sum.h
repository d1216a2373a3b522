/* sum.h: sum over some axes, int8 in and out. */
#ifndef TML_SUM_H
#define TML_SUM_H

#include "mean.h"

/* As tml_mean_s8, with a multiplier and shift without 1 / count; count * 255 << shift must fit into
 * int32. */
static inline void tml_sum_s8(const int8_t *input, int8_t *output, const tml_walk_t *kept,
                              const tml_walk_t *reduced, const tml_mean_t *p) {
  tml_mean_s8(input, output, kept, reduced, p);
}

#endif
