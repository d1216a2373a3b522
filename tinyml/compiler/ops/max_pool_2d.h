/* max_pool_2d.h: maximum over windows, int8 in and out, same quantization. */
#ifndef TML_MAX_POOL_2D_H
#define TML_MAX_POOL_2D_H

#include "tml_window.h"

typedef struct {
  TML_WINDOW_FIELDS;
  int32_t depth;
  int32_t act_min;
  int32_t act_max;
} tml_max_pool_2d_t;

/* input [batches, input_height, input_width, depth], output [batches, output_height,
 * output_width, depth]. Only elements inside the input count. */
static inline void tml_max_pool_2d_s8(const int8_t *input, int8_t *output,
                                      const tml_max_pool_2d_t *p) {
  for (int32_t pixel = 0; pixel < p->batches * p->output_height * p->output_width; ++pixel) {
    const int32_t line = pixel / p->output_width;
    const tml_span_t y = tml_span(line % p->output_height, p->stride_height, p->pad_top, 1,
                                  p->filter_height, p->input_height);
    const tml_span_t x = tml_span(pixel % p->output_width, p->stride_width, p->pad_left, 1,
                                  p->filter_width, p->input_width);
    const int32_t top = line / p->output_height * p->input_height + y.origin;
    for (int32_t c = 0; c < p->depth; ++c) {
      int32_t most = p->act_min;
      for (int32_t i = y.first; i < y.last; ++i) {
        const int8_t *row = input + ((top + i) * p->input_width + x.origin) * p->depth + c;
        for (int32_t j = x.first; j < x.last; ++j) {
          most = row[j * p->depth] > most ? row[j * p->depth] : most;
        }
      }
      *output++ = (int8_t)(most < p->act_max ? most : p->act_max);
    }
  }
}

/* The larger of each two int8 at the same place of two words. */
static inline uint32_t tml_max_of_bytes(uint32_t a, uint32_t b) {
#if TML_DSP
  uint32_t most;
  __asm__ volatile("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(most) : "r"(a), "r"(b));
  return most;
#else
  uint32_t most = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    const int8_t one = (int8_t)(uint8_t)(a >> shift);
    const int8_t two = (int8_t)(uint8_t)(b >> shift);
    most |= (uint32_t)(uint8_t)(one > two ? one : two) << shift;
  }
  return most;
#endif
}

/* The same with a depth that is a multiple of 4, outputs -128..127; input and output aligned to
 * 4. */
static inline void tml_max_pool_2d_words_s8(const int8_t *input, int8_t *output,
                                            const tml_max_pool_2d_t *p) {
  tml_word_t *to = (tml_word_t *)(void *)output;
  const int32_t words = p->depth >> 2;
  const int32_t pitch = p->input_width * words;
  for (int32_t line = 0; line < p->batches * p->output_height; ++line) {
    const tml_span_t y = tml_span(line % p->output_height, p->stride_height, p->pad_top, 1,
                                  p->filter_height, p->input_height);
    const int32_t top = line / p->output_height * p->input_height + y.origin + y.first;
    const tml_word_t *row = (const tml_word_t *)(const void *)input + top * pitch;
    for (int32_t column = 0; column < p->output_width; ++column) {
      const tml_span_t x = tml_span(column, p->stride_width, p->pad_left, 1, p->filter_width,
                                    p->input_width);
      const int32_t step = (x.last - x.first) * words;
      const tml_word_t *from = row + (x.origin + x.first) * words;
      for (int32_t left = words; left > 0; --left, ++from) {
        uint32_t most = 0x80808080u;
        const tml_word_t *first = from;
        for (int32_t i = y.last - y.first; i > 0; --i, first += pitch) {
          for (const tml_word_t *at = first; at != first + step; at += words) {
            most = tml_max_of_bytes(most, *at);
          }
        }
        *to++ = most;
      }
    }
  }
}

#endif
