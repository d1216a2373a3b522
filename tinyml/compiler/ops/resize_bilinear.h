/* resize_bilinear.h: an image of another size, by linear interpolation of four pixels, int8. */
#ifndef TML_RESIZE_BILINEAR_H
#define TML_RESIZE_BILINEAR_H

#include "tml_kernel.h"

/* Between which two rows, or columns, of the input one of the output lies, and how far behind the
 * first in 1024ths; at a border that may be below 0. */
typedef struct {
  int32_t lower;
  int32_t upper;
  int32_t weight;
} tml_resize_line_t;

typedef struct {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t output_height;
  int32_t output_width;
  int32_t depth;
} tml_resize_bilinear_t;

/* sum / 2^20 to nearest, halves away from zero. */
static inline int8_t tml_resize_bilinear_mean(int32_t sum) {
  const int32_t half = 1 << 19;
  return (int8_t)((sum > 0 ? sum + half : sum - half) / (1 << 20));
}

/* input [batches, input_height, input_width, depth], output [batches, output_height, output_width,
 * depth]; rows and columns have an entry for each of the output. */
static inline void tml_resize_bilinear_s8(const int8_t *input, const tml_resize_line_t *rows,
                                          const tml_resize_line_t *columns, int8_t *output,
                                          const tml_resize_bilinear_t *p) {
  const int32_t pitch = p->input_width * p->depth;
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    const int8_t *image = input + batch * p->input_height * pitch;
    for (int32_t y = 0; y < p->output_height; ++y) {
      const int8_t *above = image + rows[y].lower * pitch;
      const int8_t *below = image + rows[y].upper * pitch;
      const int32_t down = rows[y].weight;
      for (int32_t x = 0; x < p->output_width; ++x) {
        const int32_t left = columns[x].lower * p->depth;
        const int32_t right = columns[x].upper * p->depth;
        const int32_t across = columns[x].weight;
        for (int32_t c = 0; c < p->depth; ++c) {
          const int32_t upper = above[left + c] * (1024 - across) + above[right + c] * across;
          const int32_t lower = below[left + c] * (1024 - across) + below[right + c] * across;
          *output++ = tml_resize_bilinear_mean(upper * (1024 - down) + lower * down);
        }
      }
    }
  }
}

#endif
