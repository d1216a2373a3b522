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

#endif
