/* average_pool_2d.h: mean over windows, int8 in and out, same quantization. */
#ifndef TML_AVERAGE_POOL_2D_H
#define TML_AVERAGE_POOL_2D_H

#include "tml_window.h"

typedef struct {
  TML_WINDOW_FIELDS;
  int32_t depth;
  int32_t act_min;
  int32_t act_max;
} tml_average_pool_2d_t;

/* sum / count to nearest, halves away from zero, within act_min..act_max. */
static inline int8_t tml_average_pool_2d_mean(int32_t sum, int32_t count,
                                              const tml_average_pool_2d_t *p) {
  sum = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
  return (int8_t)tml_clamp(sum, p->act_min, p->act_max);
}

/* input [batches, input_height, input_width, depth], output [batches, output_height,
 * output_width, depth]. Only elements inside the input count; halves round away from zero. */
static inline void tml_average_pool_2d_s8(const int8_t *input, int8_t *output,
                                          const tml_average_pool_2d_t *p) {
  for (int32_t pixel = 0; pixel < p->batches * p->output_height * p->output_width; ++pixel) {
    const int32_t line = pixel / p->output_width;
    const tml_span_t y = tml_span(line % p->output_height, p->stride_height, p->pad_top, 1,
                                  p->filter_height, p->input_height);
    const tml_span_t x = tml_span(pixel % p->output_width, p->stride_width, p->pad_left, 1,
                                  p->filter_width, p->input_width);
    const int32_t top = line / p->output_height * p->input_height + y.origin;
    const int32_t count = (y.last - y.first) * (x.last - x.first);
    for (int32_t c = 0; c < p->depth; ++c) {
      int32_t sum = 0;
      for (int32_t i = y.first; i < y.last; ++i) {
        const int8_t *row = input + ((top + i) * p->input_width + x.origin) * p->depth + c;
        for (int32_t j = x.first; j < x.last; ++j) {
          sum += row[j * p->depth];
        }
      }
      *output++ = tml_average_pool_2d_mean(sum, count, p);
    }
  }
}

/* The same with a depth that is a multiple of 4 and windows of at most 255 elements, whose sums fit
 * into int16; input aligned to 4. */
static inline void tml_average_pool_2d_words_s8(const int8_t *input, int8_t *output,
                                                const tml_average_pool_2d_t *p) {
  const int32_t words = p->depth >> 2;
  const int32_t pitch = p->input_width * words;
  for (int32_t pixel = 0; pixel < p->batches * p->output_height * p->output_width; ++pixel) {
    const int32_t line = pixel / p->output_width;
    const tml_span_t y = tml_span(line % p->output_height, p->stride_height, p->pad_top, 1,
                                  p->filter_height, p->input_height);
    const tml_span_t x = tml_span(pixel % p->output_width, p->stride_width, p->pad_left, 1,
                                  p->filter_width, p->input_width);
    const int32_t top = line / p->output_height * p->input_height + y.origin + y.first;
    const int32_t count = (y.last - y.first) * (x.last - x.first);
    const int32_t step = (x.last - x.first) * words;
    const tml_word_t *from = (const tml_word_t *)(const void *)input;
    from += top * pitch + (x.origin + x.first) * words;
    for (int32_t left = words; left > 0; --left, ++from, output += 4) {
      uint32_t even = 0;
      uint32_t odd = 0;
      const tml_word_t *first = from;
      for (int32_t i = y.last - y.first; i > 0; --i, first += pitch) {
        for (const tml_word_t *at = first; at != first + step; at += words) {
          even = tml_lanes_even_plus(even, *at);
          odd = tml_lanes_odd_plus(odd, *at);
        }
      }
      output[0] = tml_average_pool_2d_mean((int16_t)(uint16_t)even, count, p);
      output[1] = tml_average_pool_2d_mean((int16_t)(uint16_t)odd, count, p);
      output[2] = tml_average_pool_2d_mean((int16_t)(uint16_t)(even >> 16), count, p);
      output[3] = tml_average_pool_2d_mean((int16_t)(uint16_t)(odd >> 16), count, p);
    }
  }
}

#endif
