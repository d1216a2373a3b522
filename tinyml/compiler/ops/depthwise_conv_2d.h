/* depthwise_conv_2d.h: one filter per output channel, int8 in and out. */
#ifndef TML_DEPTHWISE_CONV_2D_H
#define TML_DEPTHWISE_CONV_2D_H

#include "conv_2d.h" /* a depthwise convolution of one channel is a convolution */

/* Channels = input_depth * depth_multiplier. */
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

typedef struct {
  TML_WINDOW_FIELDS;
  int32_t depth;
  int32_t input_offset;
  int32_t output_offset;
  int32_t act_min;
  int32_t act_max;
} tml_depthwise_conv_2d_fast_t;

TML_INLINE uint32_t tml_depthwise_conv_2d_output(int32_t sum, const tml_channel_t *channel,
                                                 const tml_depthwise_conv_2d_fast_t *p) {
  const int32_t value = tml_channel_requantize(sum, channel, 2 * p->output_offset + 1);
  return (uint32_t)tml_clamp(value, p->act_min, p->act_max) & 0xffu;
}

/* Four channels of one pixel: `rows` x `columns` taps from `input` on, `weights` at the first of
 * them. Returns the four outputs as one word. */
TML_INLINE uint32_t tml_depthwise_conv_2d_four(const int8_t *input, const tml_word_t *weights,
                                               const tml_channel_t *channel, int32_t rows,
                                               int32_t columns, uint32_t offset,
                                               const tml_depthwise_conv_2d_fast_t *p) {
  int32_t sum_0 = tml_channel_bias(channel);
  int32_t sum_1 = tml_channel_bias(channel + 1);
  int32_t sum_2 = tml_channel_bias(channel + 2);
  int32_t sum_3 = tml_channel_bias(channel + 3);
  const int32_t depth = p->depth;
  for (; rows > 0; --rows) {
    const int8_t *from = input;
    const tml_word_t *with = weights;
    const tml_word_t *const end = with + columns;
    do {
      const uint32_t four = *(const tml_word_t *)(const void *)from;
      const uint32_t w = *with++;
      const uint32_t even = tml_lanes_even(w);
      const uint32_t odd = tml_lanes_odd(w);
      const uint32_t x_even = tml_lanes_even_plus(offset, four);
      const uint32_t x_odd = tml_lanes_odd_plus(offset, four);
      sum_0 = tml_lanes_low(x_even, even, sum_0);
      sum_2 = tml_lanes_high(x_even, even, sum_2);
      sum_1 = tml_lanes_low(x_odd, odd, sum_1);
      sum_3 = tml_lanes_high(x_odd, odd, sum_3);
      from += depth;
    } while (with != end);
    input += p->input_width * depth;
    weights += p->filter_width;
  }
  return tml_depthwise_conv_2d_output(sum_0, channel, p) |
         tml_depthwise_conv_2d_output(sum_1, channel + 1, p) << 8 |
         tml_depthwise_conv_2d_output(sum_2, channel + 2, p) << 16 |
         tml_depthwise_conv_2d_output(sum_3, channel + 3, p) << 24;
}

/* Depth multiplier 1, depth a multiple of 4, no dilation: input [batches, input_height,
 * input_width, depth] and output [batches, output_height, output_width, depth], both aligned to 4;
 * weights [depth / 4, filter_height, filter_width, 4]. Padding adds nothing to a sum. */
static inline void tml_depthwise_conv_2d_s8(const int8_t *input, const int8_t *weights,
                                            const tml_channel_t *channels, int8_t *output,
                                            const tml_depthwise_conv_2d_fast_t *p) {
  const uint32_t offset = tml_lanes_of(p->input_offset);
  const int32_t taps = p->filter_height * p->filter_width;
  tml_word_t *to = (tml_word_t *)(void *)output;
  for (int32_t line = 0; line < p->batches * p->output_height; ++line) {
    const int32_t batch = line / p->output_height;
    const tml_span_t y = tml_span(line - batch * p->output_height, p->stride_height, p->pad_top,
                                  1, p->filter_height, p->input_height);
    const int32_t top = (batch * p->input_height + y.origin + y.first) * p->input_width;
    for (int32_t column = 0; column < p->output_width; ++column) {
      const tml_span_t x = tml_span(column, p->stride_width, p->pad_left, 1, p->filter_width,
                                    p->input_width);
      const int8_t *from = input + (top + x.origin + x.first) * p->depth;
      const tml_word_t *with = (const tml_word_t *)(const void *)weights;
      with += y.first * p->filter_width + x.first;
      const tml_channel_t *const end = channels + p->depth;
      for (const tml_channel_t *channel = channels; channel != end; channel += 4) {
        *to++ = tml_depthwise_conv_2d_four(from, with, channel, y.last - y.first,
                                           x.last - x.first, offset, p);
        from += 4;
        with += taps;
      }
    }
  }
}

#endif
