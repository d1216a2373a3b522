/* transpose_conv.h: transposed convolution, int8 in and out, one scale per output channel. */
#ifndef TML_TRANSPOSE_CONV_H
#define TML_TRANSPOSE_CONV_H

#include "tml_kernel.h"

/* pad_top, pad_left: rows and columns of the result that lie before the output. */
typedef struct {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t input_depth;
  int32_t output_height;
  int32_t output_width;
  int32_t channels;
  int32_t filter_height;
  int32_t filter_width;
  int32_t stride_height;
  int32_t stride_width;
  int32_t pad_top;
  int32_t pad_left;
  const int32_t *multipliers;
  const int8_t *shifts;
  int32_t input_offset;
  int32_t output_offset;
  int32_t act_min;
  int32_t act_max;
} tml_transpose_conv_t;

/* The sum of one output channel at row y and column x: over the taps that meet an input pixel. */
static inline int32_t tml_transpose_conv_sum(const int8_t *image, const int8_t *weights, int32_t y,
                                             int32_t x, const tml_transpose_conv_t *p) {
  int32_t sum = 0;
  for (int32_t i = 0; i < p->filter_height; ++i) {
    const int32_t row = y + p->pad_top - i;
    if (row < 0 || row % p->stride_height != 0 || row / p->stride_height >= p->input_height) {
      continue;
    }
    for (int32_t j = 0; j < p->filter_width; ++j) {
      const int32_t column = x + p->pad_left - j;
      if (column < 0 || column % p->stride_width != 0 ||
          column / p->stride_width >= p->input_width) {
        continue;
      }
      const int32_t pixel = row / p->stride_height * p->input_width + column / p->stride_width;
      const int8_t *from = image + pixel * p->input_depth;
      const int8_t *with = weights + (i * p->filter_width + j) * p->input_depth;
      for (int32_t k = 0; k < p->input_depth; ++k) {
        sum += with[k] * (from[k] + p->input_offset);
      }
    }
  }
  return sum;
}

/* input [batches, input_height, input_width, input_depth], weights [channels, filter_height,
 * filter_width, input_depth], bias [channels], output [batches, output_height, output_width,
 * channels]. */
static inline void tml_transpose_conv_s8(const int8_t *input, const int8_t *weights,
                                         const int32_t *bias, int8_t *output,
                                         const tml_transpose_conv_t *p) {
  const int32_t taps = p->filter_height * p->filter_width * p->input_depth;
  for (int32_t line = 0; line < p->batches * p->output_height; ++line) {
    const int32_t batch = line / p->output_height;
    const int8_t *image = input + batch * p->input_height * p->input_width * p->input_depth;
    for (int32_t x = 0; x < p->output_width; ++x) {
      for (int32_t c = 0; c < p->channels; ++c) {
        int32_t sum = bias[c] + tml_transpose_conv_sum(image, weights + c * taps,
                                                       line % p->output_height, x, p);
        sum = tml_requantize(sum, p->multipliers[c], p->shifts[c]) + p->output_offset;
        *output++ = (int8_t)tml_clamp(sum, p->act_min, p->act_max);
      }
    }
  }
}

#endif
