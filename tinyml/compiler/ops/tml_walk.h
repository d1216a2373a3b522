/* tml_walk.h: loops over two operands with strides of their own. In Python: ../walk.py. */
#ifndef TML_WALK_H
#define TML_WALK_H

#include "tml_kernel.h"

#define TML_WALK_RANK 8

/* Axes outermost first, 1..TML_WALK_RANK of them; strides in elements of the operand, 0 where it
 * repeats, negative where it runs backwards. */
typedef struct {
  int32_t rank;
  const int32_t *extents;
  const int32_t *strides1;
  const int32_t *strides2;
} tml_walk_t;

/* Where a walk stands: the first elements of the current run along the innermost axis. Start with
 * all zero. */
typedef struct {
  int32_t index[TML_WALK_RANK];
  int32_t offset1;
  int32_t offset2;
} tml_walk_at_t;

/* Step to the next run of the innermost axis; 0 after the last one. */
static inline int tml_walk_next(const tml_walk_t *walk, tml_walk_at_t *at) {
  for (int32_t axis = walk->rank - 2; axis >= 0; --axis) {
    at->offset1 += walk->strides1[axis];
    at->offset2 += walk->strides2[axis];
    if (++at->index[axis] < walk->extents[axis]) {
      return 1;
    }
    at->offset1 -= walk->strides1[axis] * walk->extents[axis];
    at->offset2 -= walk->strides2[axis] * walk->extents[axis];
    at->index[axis] = 0;
  }
  return 0;
}

/* Copy bytes from input (operand 1) to output (operand 2). They must not overlap. */
static inline void tml_move(const uint8_t *input, uint8_t *output, const tml_walk_t *walk) {
  const int32_t inner = walk->rank - 1;
  const int32_t count = walk->extents[inner];
  const int32_t stride1 = walk->strides1[inner];
  const int32_t stride2 = walk->strides2[inner];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    if (stride1 == 1 && stride2 == 1) {
      memcpy(output + at.offset2, input + at.offset1, (size_t)count);
    } else {
      for (int32_t i = 0; i < count; ++i) {
        output[at.offset2 + i * stride2] = input[at.offset1 + i * stride1];
      }
    }
  } while (tml_walk_next(walk, &at));
}

#endif
