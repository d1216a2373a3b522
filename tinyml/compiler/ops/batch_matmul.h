/* batch_matmul.h: products of two stacks of matrices, int8 in and out. */
#ifndef TML_BATCH_MATMUL_H
#define TML_BATCH_MATMUL_H

#include "tml_walk.h"

/* rows x depth times depth x columns; strides say where the next element along each axis lies, so a
 * matrix may be transposed. Offsets are minus the zero points. Sums must fit into int32. */
typedef struct {
  int32_t rows;
  int32_t depth;
  int32_t columns;
  int32_t left_row_stride;
  int32_t left_depth_stride;
  int32_t right_depth_stride;
  int32_t right_column_stride;
  int32_t left_offset;
  int32_t right_offset;
  int32_t output_offset;
  int32_t multiplier;
  int32_t shift;
} tml_batch_matmul_t;

/* One product of matrices; returns the end of its output [rows, columns]. */
static inline int8_t *tml_batch_matmul_one(const int8_t *left, const int8_t *right, int8_t *output,
                                           const tml_batch_matmul_t *p) {
  for (int32_t i = 0; i < p->rows; ++i) {
    for (int32_t j = 0; j < p->columns; ++j) {
      const int8_t *a = left + i * p->left_row_stride;
      const int8_t *b = right + j * p->right_column_stride;
      int32_t sum = 0;
      for (int32_t k = 0; k < p->depth; ++k) {
        sum += (*a + p->left_offset) * (*b + p->right_offset);
        a += p->left_depth_stride;
        b += p->right_depth_stride;
      }
      sum = tml_requantize(sum, p->multiplier, p->shift) + p->output_offset;
      *output++ = (int8_t)tml_clamp(sum, INT8_MIN, INT8_MAX);
    }
  }
  return output;
}

/* The walk goes along the stacks, whose products lie in output in its order; operands 1 and 2 are
 * the left and right matrices. */
static inline void tml_batch_matmul_s8(const int8_t *left, const int8_t *right, int8_t *output,
                                       const tml_walk_t *walk, const tml_batch_matmul_t *p) {
  const int32_t inner = walk->rank - 1;
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    for (int32_t i = 0; i < walk->extents[inner]; ++i) {
      output = tml_batch_matmul_one(left + at.offset1 + i * walk->strides1[inner],
                                    right + at.offset2 + i * walk->strides2[inner], output, p);
    }
  } while (tml_walk_next(walk, &at));
}

#endif
