/* mean.h: mean over some axes, int8 in and out. */
#ifndef TML_MEAN_H
#define TML_MEAN_H

#include "tml_walk.h"

/* count: elements per mean. multiplier and shift include 1 / count. input_offset is minus the
 * input's zero point. count * 255 must fit into int32. */
typedef struct {
  int32_t count;
  int32_t input_offset;
  int32_t multiplier;
  int32_t shift;
  int32_t output_offset;
} tml_mean_t;

/* kept walks the input along the axes that stay, in the order of output, which is dense; reduced
 * walks it along the axes that go. Operand 1 is the input, operand 2 the output. */
static inline void tml_mean_s8(const int8_t *input, int8_t *output, const tml_walk_t *kept,
                               const tml_walk_t *reduced, const tml_mean_t *p) {
  const int32_t inner = kept->extents[kept->rank - 1];
  const int32_t inner_stride = kept->strides1[kept->rank - 1];
  const int32_t run = reduced->extents[reduced->rank - 1];
  const int32_t run_stride = reduced->strides1[reduced->rank - 1];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    for (int32_t i = 0; i < inner; ++i) {
      const int8_t *first = input + at.offset1 + i * inner_stride;
      int32_t sum = p->count * p->input_offset;
      tml_walk_at_t within = {{0}, 0, 0};
      do {
        for (int32_t j = 0; j < run; ++j) {
          sum += first[within.offset1 + j * run_stride];
        }
      } while (tml_walk_next(reduced, &within));
      sum = tml_requantize(sum, p->multiplier, p->shift) + p->output_offset;
      *output++ = (int8_t)tml_clamp(sum, INT8_MIN, INT8_MAX);
    }
  } while (tml_walk_next(kept, &at));
}

#endif
