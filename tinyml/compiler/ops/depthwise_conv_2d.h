/* depthwise_conv_2d.h: one filter per output channel, int8 in and out. */
#ifndef TML_DEPTHWISE_CONV_2D_H
#define TML_DEPTHWISE_CONV_2D_H

#include "tml_window.h"

typedef struct {
  TML_WINDOW_FIELDS;
  int32_t input_depth;
  int32_t depth_multiplier;
  const int32_t *multipliers;
  const int8_t *shifts;
  int32_t input_offset;
  int32_t output_offset;
  int32_t act_min;
  int32_t act_max;
} tml_depthwise_conv_2d_t;

/* One sum over the part of a window that lies inside the input. */
static inline int32_t tml_depthwise_conv_2d_sum(const int8_t *input, const int8_t *weights,
                                                tml_span_t y, tml_span_t x,
                                                const tml_depthwise_conv_2d_t *p) {
  const int32_t channels = p->input_depth * p->depth_multiplier;
  int32_t sum = 0;
  for (int32_t i = y.first; i < y.last; ++i) {
    const int32_t row = (y.origin + i * p->dilation_height) * p->input_width;
    for (int32_t j = x.first; j < x.last; ++j) {
      const int32_t at = (row + x.origin + j * p->dilation_width) * p->input_depth;
      sum += weights[(i * p->filter_width + j) * channels] * (input[at] + p->input_offset);
    }
  }
  return sum;
}

/* Any geometry: input [batches, input_height, input_width, input_depth], weights [filter_height,
 * filter_width, channels], bias [channels], output [batches, output_height, output_width,
 * channels]; channels = input_depth * depth_multiplier. Padding adds nothing to a sum. */
static inline void tml_depthwise_conv_2d_any_s8(const int8_t *input, const int8_t *weights,
                                                const int32_t *bias, int8_t *output,
                                                const tml_depthwise_conv_2d_t *p) {
  const int32_t channels = p->input_depth * p->depth_multiplier;
  for (int32_t pixel = 0; pixel < p->batches * p->output_height * p->output_width; ++pixel) {
    const int32_t line = pixel / p->output_width;
    const int32_t batch = line / p->output_height;
    const tml_span_t y = tml_span(line % p->output_height, p->stride_height, p->pad_top,
                                  p->dilation_height, p->filter_height, p->input_height);
    const tml_span_t x = tml_span(pixel % p->output_width, p->stride_width, p->pad_left,
                                  p->dilation_width, p->filter_width, p->input_width);
    const int8_t *image = input + batch * p->input_height * p->input_width * p->input_depth;
    for (int32_t c = 0; c < channels; ++c) {
      const int8_t *from = image + c / p->depth_multiplier;
      int32_t sum = bias[c] + tml_depthwise_conv_2d_sum(from, weights + c, y, x, p);
      sum = tml_requantize(sum, p->multipliers[c], p->shifts[c]) + p->output_offset;
      *output++ = (int8_t)tml_clamp(sum, p->act_min, p->act_max);
    }
  }
}

#endif
