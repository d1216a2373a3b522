/* resize_nearest_neighbor.h: an image of another size, by its nearest pixels. */
#ifndef TML_RESIZE_NEAREST_NEIGHBOR_H
#define TML_RESIZE_NEAREST_NEIGHBOR_H

#include "tml_kernel.h"

typedef struct {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t output_height;
  int32_t output_width;
  int32_t pixel_bytes;
} tml_resize_nearest_neighbor_t;

/* input [batches, input_height, input_width, pixel], output [batches, output_height, output_width,
 * pixel]; rows and columns: which of the input each of the output is. */
static inline void tml_resize_nearest_neighbor(const uint8_t *input, const int32_t *rows,
                                               const int32_t *columns, uint8_t *output,
                                               const tml_resize_nearest_neighbor_t *p) {
  const size_t bytes = (size_t)p->pixel_bytes;
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    for (int32_t y = 0; y < p->output_height; ++y) {
      const int32_t line = batch * p->input_height + rows[y];
      const uint8_t *row = input + (size_t)(line * p->input_width) * bytes;
      for (int32_t x = 0; x < p->output_width; ++x) {
        memcpy(output, row + (size_t)columns[x] * bytes, bytes);
        output += bytes;
      }
    }
  }
}

#endif
