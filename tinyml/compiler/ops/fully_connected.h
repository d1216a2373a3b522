/* fully_connected.h: matrix times vector, int8 in and out. */
#ifndef TML_FULLY_CONNECTED_H
#define TML_FULLY_CONNECTED_H

#include "tml_kernel.h"

/* multipliers and shifts: one each, or with per_channel one per channel. weights_offset is minus
 * the zero point of the weights, nearly always 0. */
typedef struct {
  int32_t batches;
  int32_t depth;
  int32_t channels;
  const int32_t *multipliers;
  const int8_t *shifts;
  int32_t per_channel;
  int32_t weights_offset;
  int32_t output_offset;
  int32_t act_min;
  int32_t act_max;
} tml_fully_connected_t;

/* input [batches, depth], weights [channels, depth], bias [channels] with the input offset folded
 * in, output [batches, channels]. */
static inline void tml_fully_connected_s8(const int8_t *input, const int8_t *weights,
                                          const int32_t *bias, int8_t *output,
                                          const tml_fully_connected_t *p) {
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    int32_t offset = 0;
    if (p->weights_offset != 0) {
      for (int32_t i = 0; i < p->depth; ++i) {
        offset += input[i];
      }
      offset *= p->weights_offset;
    }
    const int8_t *row = weights;
    for (int32_t channel = 0; channel < p->channels; ++channel) {
      const int32_t which = p->per_channel ? channel : 0;
      int32_t sum = bias[channel] + offset;
      for (int32_t i = 0; i < p->depth; ++i) {
        sum += row[i] * input[i];
      }
      sum = tml_requantize(sum, p->multipliers[which], p->shifts[which]) + p->output_offset;
      output[channel] = (int8_t)tml_clamp(sum, p->act_min, p->act_max);
      row += p->depth;
    }
    input += p->depth;
    output += p->channels;
  }
}

/* multipliers and shifts (right shift - 1): one each, or with per_channel one per channel. */
typedef struct {
  int32_t batches;
  int32_t depth;
  int32_t channels;
  const int32_t *multipliers;
  const int8_t *shifts;
  int32_t per_channel;
  tml_output_t output;
} tml_fully_connected_fast_t;

/* Add four inputs (even, odd: widened) times four weights. */
TML_INLINE int32_t tml_fully_connected_dot(uint32_t even, uint32_t odd, uint32_t w, int32_t sum) {
  return tml_lanes_dot(tml_lanes_odd(w), odd, tml_lanes_dot(tml_lanes_even(w), even, sum));
}

TML_INLINE void tml_fully_connected_put(int32_t sum, int32_t channel, int8_t *output,
                                        const tml_fully_connected_fast_t *p) {
  const int32_t which = p->per_channel ? channel : 0;
  output[channel] = (int8_t)tml_channel_output(sum, p->multipliers[which], p->shifts[which],
                                               &p->output, 1);
}

/* Depth and channels at least 4, right shifts only, sums below 2^30: input [batches, depth],
 * aligned to 4 (depth a multiple of 4 where there is more than one batch); weights [groups of
 * four channels, depth / 4, 4 channels, 4 inputs], then for each group the depth % 4 remaining
 * inputs as [depth % 4, 4 channels]; the last group holds the last four channels; bias with the
 * input offset folded in; output [batches, channels]. */
static inline void tml_fully_connected_fast_s8(const int8_t *input, const int8_t *weights,
                                               const int32_t *bias, int8_t *output,
                                               const tml_fully_connected_fast_t *p) {
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    const tml_word_t *w = (const tml_word_t *)(const void *)weights;
    const tml_word_t *const end = (const tml_word_t *)(const void *)input + (p->depth >> 2);
    for (int32_t first = 0; first < p->channels; first += 4) {
      const int32_t at = first + 4 <= p->channels ? first : p->channels - 4;
      int32_t sum_0 = bias[at];
      int32_t sum_1 = bias[at + 1];
      int32_t sum_2 = bias[at + 2];
      int32_t sum_3 = bias[at + 3];
      const tml_word_t *x = (const tml_word_t *)(const void *)input;
      for (; x != end; w += 4) {
        const uint32_t even = tml_lanes_even(*x);
        const uint32_t odd = tml_lanes_odd(*x++);
        sum_0 = tml_fully_connected_dot(even, odd, w[0], sum_0);
        sum_1 = tml_fully_connected_dot(even, odd, w[1], sum_1);
        sum_2 = tml_fully_connected_dot(even, odd, w[2], sum_2);
        sum_3 = tml_fully_connected_dot(even, odd, w[3], sum_3);
      }
      const int8_t *rest = (const int8_t *)x;
      for (int32_t i = 0; i < (p->depth & 3); ++i, ++rest) {
        const uint32_t four = *w++;
        sum_0 += *rest * (int8_t)(uint8_t)four;
        sum_1 += *rest * (int8_t)(uint8_t)(four >> 8);
        sum_2 += *rest * (int8_t)(uint8_t)(four >> 16);
        sum_3 += *rest * (int8_t)(uint8_t)(four >> 24);
      }
      tml_fully_connected_put(sum_0, at, output, p);
      tml_fully_connected_put(sum_1, at + 1, output, p);
      tml_fully_connected_put(sum_2, at + 2, output, p);
      tml_fully_connected_put(sum_3, at + 3, output, p);
    }
    input += p->depth;
    output += p->channels;
  }
}

#endif
