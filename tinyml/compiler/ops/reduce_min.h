/* reduce_min.h: the smallest value along some axes, int8 in and out. */
#ifndef TML_REDUCE_MIN_H
#define TML_REDUCE_MIN_H

#include "tml_walk.h"

/* Walks as in mean.h: kept along the axes that stay, reduced along those that go. */
static inline void tml_reduce_min_s8(const int8_t *input, int8_t *output, const tml_walk_t *kept,
                                     const tml_walk_t *reduced) {
  const int32_t inner = kept->extents[kept->rank - 1];
  const int32_t inner_stride = kept->strides1[kept->rank - 1];
  const int32_t run = reduced->extents[reduced->rank - 1];
  const int32_t run_stride = reduced->strides1[reduced->rank - 1];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    for (int32_t i = 0; i < inner; ++i) {
      const int8_t *first = input + at.offset1 + i * inner_stride;
      int8_t best = *first;
      tml_walk_at_t within = {{0}, 0, 0};
      do {
        for (int32_t j = 0; j < run; ++j) {
          const int8_t value = first[within.offset1 + j * run_stride];
          best = value < best ? value : best;
        }
      } while (tml_walk_next(reduced, &within));
      *output++ = best;
    }
  } while (tml_walk_next(kept, &at));
}

#endif
