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

/* Sums of four channels. */
typedef struct {
  int32_t c0;
  int32_t c1;
  int32_t c2;
  int32_t c3;
} tml_fully_connected_sums_t;

/* Add the four inputs at *x times the four weights of each of four channels at *w; both advance. */
#if defined(__ARM_FEATURE_DSP)
/* In 21 instructions and 11 registers, which leaves GCC enough for the loop. */
TML_INLINE void tml_fully_connected_step(const tml_word_t **x, const tml_word_t **w,
                                         tml_fully_connected_sums_t *s) {
  uint32_t x_even, x_odd, even, one, two;
  __asm__(
      "ldr %[xo], [%[xp]], #4\n\t"
      "ldrd %[w1], %[w2], [%[wp]], #8\n\t"
      "sxtb16 %[xe], %[xo]\n\t"
      "sxtb16 %[xo], %[xo], ror #8\n\t"
      "sxtb16 %[we], %[w1]\n\t"
      "sxtb16 %[w1], %[w1], ror #8\n\t"
      "smlad %[c0], %[we], %[xe], %[c0]\n\t"
      "smlad %[c0], %[w1], %[xo], %[c0]\n\t"
      "sxtb16 %[we], %[w2]\n\t"
      "sxtb16 %[w2], %[w2], ror #8\n\t"
      "smlad %[c1], %[we], %[xe], %[c1]\n\t"
      "smlad %[c1], %[w2], %[xo], %[c1]\n\t"
      "ldrd %[w1], %[w2], [%[wp]], #8\n\t"
      "sxtb16 %[we], %[w1]\n\t"
      "sxtb16 %[w1], %[w1], ror #8\n\t"
      "smlad %[c2], %[we], %[xe], %[c2]\n\t"
      "smlad %[c2], %[w1], %[xo], %[c2]\n\t"
      "sxtb16 %[we], %[w2]\n\t"
      "sxtb16 %[w2], %[w2], ror #8\n\t"
      "smlad %[c3], %[we], %[xe], %[c3]\n\t"
      "smlad %[c3], %[w2], %[xo], %[c3]"
      : [xp] "+&r"(*x), [wp] "+&r"(*w), [c0] "+&r"(s->c0), [c1] "+&r"(s->c1), [c2] "+&r"(s->c2),
        [c3] "+&r"(s->c3), [xe] "=&r"(x_even), [xo] "=&r"(x_odd), [we] "=&r"(even),
        [w1] "=&r"(one), [w2] "=&r"(two)
      :
      : "memory");
}
#else
static inline int32_t tml_fully_connected_dot(uint32_t x, uint32_t w, int32_t sum) {
  sum = tml_lanes_dot(tml_lanes_even(w), tml_lanes_even(x), sum);
  return tml_lanes_dot(tml_lanes_odd(w), tml_lanes_odd(x), sum);
}

TML_INLINE void tml_fully_connected_step(const tml_word_t **x, const tml_word_t **w,
                                         tml_fully_connected_sums_t *s) {
  s->c0 = tml_fully_connected_dot(**x, (*w)[0], s->c0);
  s->c1 = tml_fully_connected_dot(**x, (*w)[1], s->c1);
  s->c2 = tml_fully_connected_dot(**x, (*w)[2], s->c2);
  s->c3 = tml_fully_connected_dot(**x, (*w)[3], s->c3);
  *x += 1;
  *w += 4;
}
#endif

TML_INLINE int8_t tml_fully_connected_output(int32_t sum, int32_t channel,
                                             const tml_fully_connected_fast_t *p) {
  const int32_t which = p->per_channel ? channel : 0;
  return (int8_t)tml_channel_output(sum, p->multipliers[which], p->shifts[which], &p->output, 1);
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
      tml_fully_connected_sums_t sums = {bias[at], bias[at + 1], bias[at + 2], bias[at + 3]};
      const tml_word_t *x = (const tml_word_t *)(const void *)input;
      if ((p->depth & 4) != 0) {
        tml_fully_connected_step(&x, &w, &sums);
      }
      while (x != end) {
        tml_fully_connected_step(&x, &w, &sums);
        tml_fully_connected_step(&x, &w, &sums);
      }
      const int8_t *rest = (const int8_t *)x;
      for (int32_t i = 0; i < (p->depth & 3); ++i, ++rest) {
        const uint32_t four = *w++;
        sums.c0 += *rest * (int8_t)(uint8_t)four;
        sums.c1 += *rest * (int8_t)(uint8_t)(four >> 8);
        sums.c2 += *rest * (int8_t)(uint8_t)(four >> 16);
        sums.c3 += *rest * (int8_t)(uint8_t)(four >> 24);
      }
      /* All four before the first store, which might change *p for all that GCC knows. */
      const int8_t c0 = tml_fully_connected_output(sums.c0, at, p);
      const int8_t c1 = tml_fully_connected_output(sums.c1, at + 1, p);
      const int8_t c2 = tml_fully_connected_output(sums.c2, at + 2, p);
      const int8_t c3 = tml_fully_connected_output(sums.c3, at + 3, p);
      output[at] = c0;
      output[at + 1] = c1;
      output[at + 2] = c2;
      output[at + 3] = c3;
    }
    input += p->depth;
    output += p->channels;
  }
}

#endif
